# og-entities: a world, the same for the same seed, which keeps what it has when it grows.
# shellcheck disable=SC2016,SC2094 # dollars are for an inner shell; what is read twice at a time is not written
bats_require_minimum_version 1.5.0

load common

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	og-entities -c social -b 2025-03-03 -e 2025-03-10 >week.ndjson
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

# The values of a key in lines of a kind.
values() {
	jq -r "select(.kind == \"$1\") | .$2" "${3:-week.ndjson}"
}

# og-entities with these arguments ends with status 2, nothing on stdout and this message.
refused() {
	local message=$1
	shift
	run -2 --separate-stderr og-entities "$@"
	[ -z "$output" ]
	[ "$stderr" = "og-entities: $message" ] || {
		echo "$stderr"
		return 1
	}
}

@test "the header says what was asked for" {
	run -0 og-entities -c social -s 18446744073709551615 -b 2024-02-29T23:45:00Z -e 2024-03-01T00:15:00+00:00 -u 7 -n 500000000000 -d 2 -U 2025-01-01
	[[ ${lines[0]} =~ ^'{"kind":"world","format":1,"catalog":"social","catalog_digest":"'[0-9a-f]{16}'","seed":18446744073709551615,"begin":"2024-02-29T23:45:00Z","end":"2024-03-01T00:15:00Z","users":7,"requests":500000000000,"requests_until":"2025-01-01T00:00:00Z","depth":2,"level":"default"}'$ ]]
}

@test "long names are the same options" {
	cmp <(og-entities -c social -s 9 -b 2025-05-01 -e 2025-05-02 -u 70 -n 80 -d 3 -U 2025-06-01) \
		<(og-entities --catalog social --seed 9 --begin 2025-05-01 --end 2025-05-02 --users 70 --requests 80 --depth 3 --until 2025-06-01)
}

@test "without options the catalog decides; a million requests" {
	run -0 --separate-stderr og-entities -c social
	[ "$(jq -r '"\(.seed) \(.begin) \(.end) \(.users) \(.requests) \(.requests_until)"' <<<"${lines[0]}")" = \
		"42 2025-01-01T00:00:00Z 2026-01-01T00:00:00Z 10000 1000000 2026-01-01T00:00:00Z" ]
}

@test "kinds come in order, every line is an object, no blanks" {
	[ "$(jq -r .kind week.ndjson | uniq | tr '\n' ' ')" = "world place service component deployment release rollout " ]
	run ! grep -nE '[":,] ' <(sed -E 's/"message":"[^"]*"//' week.ndjson)
}

@test "a golden: the order desk" {
	run -0 og-entities -c "$OG_ROOT/test/catalogs/orders"
	[ "$(grep -c . <<<"$output")" -gt 80 ]
	grep -v '"kind":"world"' <<<"$output" >orders
	diff orders - < <(og-entities -c "$OG_ROOT/test/catalogs/orders" -u 17 -n 5 -d 1 | sed 1d)
	[ "$(sed -n 1p orders)" = '{"kind":"place","id":"north","hall":"north","weight":3}' ]
	[ "$(sed -n 3p orders)" = '{"kind":"service","id":"gateway","service":"gateway"}' ]
	[ "$(grep -m 1 deployment orders)" = '{"kind":"deployment","id":"acme:north:gateway","service":"gateway","place":"north"}' ]
	[ "$(sha256sum <orders)" = "2c13337aa9427b166be0f152b1eb82357f5d63dbcba163e7fabfa9aa64fe15f4  -" ]
}

@test "places, services and deployments are all there" {
	[ "$(values place id | wc -l)" -eq "$(grep -vcE '^#|^place	' "$OG_SHARE/social/places.tsv")" ]
	diff <(values service id) <(grep -vE '^#|^service	' "$OG_SHARE/social/services.tsv" | cut -f 1)
	[ "$(values deployment id | sort -u | wc -l)" -eq $(($(values place id | wc -l) * $(values service id | wc -l))) ]
	values place 'environment' | grep -qx prod
	[ "$(jq -r 'select(.kind == "service") | "\(.stack):\(.service)" == .id' week.ndjson | sort -u)" = true ]
}

@test "every deployment has five releases or more, in a week too" {
	[ "$(values release deployment | sort | uniq -c | awk '$1 < 5' | wc -l)" -eq 0 ]
	[ "$(values release deployment | sort -u | wc -l)" -eq "$(values deployment id | wc -l)" ]
}

@test "the production regions follow each other by 30 to 60 minutes" {
	run -0 jq -rs '
		[.[] | select(.kind == "release" and (.place | startswith("prod:"))) | {key: "\(.service) \(.number)", t: (.created | fromdate)}]
		| group_by(.key) | map(select(length == 2) | (.[1].t - .[0].t) / 60) | "\(length) \(min) \(max)"' week.ndjson
	read -r n min max <<<"$output"
	[ "$n" -ge 270 ]
	awk -v min="$min" -v max="$max" 'BEGIN { exit !(min >= 30 && max <= 60 && max - min > 20) }'
}

@test "rollouts start within the world, and begin and end as traffic moves" {
	run -0 jq -rs '
		(map(select(.kind == "release")) | INDEX(.id)) as $r
		| [.[] | select(.kind == "rollout")
			| select(.start < "2025-03-03" or .start >= "2025-03-10" or $r[.release].live_from != .start or $r[.release].live_to != .end
				or $r[.release].deployment != .deployment)] | length' week.ndjson
	[ "$output" = 0 ]
	[ "$(values rollout id | wc -l)" -gt 20 ]
	run ! grep -vE '^deploy_[0-9a-f]{16}$' <(values rollout id)
}

@test "a catalog whose rollouts take no time has none" {
	cp -r "$OG_ROOT/test/catalogs/orders" still
	sed -i 's/^rollout.length_min	.*/rollout.length_min	0/' still/settings.tsv
	og-entities -c ./still >still.ndjson
	[ "$(values rollout id still.ndjson | wc -l)" -eq 0 ]
	[ "$(jq -r 'select(.kind == "release") | .live_from == .live_to' still.ndjson | sort -u)" = true ]
}

@test "same seed, same bytes; another seed, another world" {
	og-entities -c social -b 2025-03-03 -e 2025-03-10 | cmp - week.ndjson
	og-entities -c social -b 2025-03-03 -e 2025-03-10 -s 43 >other
	run ! cmp -s <(sed 1d week.ndjson) <(sed 1d other)
	# Not one draw in common.
	[ "$(comm -12 <(values release created | sort -u) <(values release created other | sort -u) | wc -l)" -le 1 ]
}

@test "a later end keeps every line" {
	for seed in 1 "$RANDOM"; do
		og-entities -c social -s "$seed" -b 2024-12-30 -e 2025-01-06 | sed 1d | sort >short
		og-entities -c social -s "$seed" -b 2024-12-30 -e 2026-03-01T00:15:00Z | sed 1d | sort >long
		[ -z "$(comm -23 short long)" ] || {
			echo "seed $seed"
			return 1
		}
		[ "$(wc -l <long)" -gt "$(wc -l <short)" ]
	done
}

@test "more users or requests, less depth: the header alone" {
	og-entities -c social -b 2025-03-03 -e 2025-03-10 -u 1000000 -n 5 -d 1 >grown
	cmp <(sed 1d week.ndjson) <(sed 1d grown)
	run ! cmp -s <(sed 1q week.ndjson) <(sed 1q grown)
}

@test "a later begin keeps what both have" {
	og-entities -c social -b 2025-03-05 -e 2025-03-10 | grep rollout | sort >later
	[ -z "$(comm -23 later <(sort week.ndjson))" ]
	[ -s later ]
}

@test "numbers of builds go on through the years" {
	og-entities -c social -b 2024-12-01 -e 2025-02-01 >turn.ndjson
	run -0 jq -rs '[.[] | select(.kind == "release")] | group_by(.deployment)
		| map(sort_by(.created) | [.[].number] | . == sort and length >= 5) | unique | tostring' turn.ndjson
	[ "$output" = "[true]" ]
	# Those of all places together have no gap: what one leaves out another has.
	run -0 jq -rs '[.[] | select(.kind == "release")] | group_by(.service)
		| map([.[].number] | unique | . == [range(.[0]; .[0] + length)]) | map(select(.)) | length > 50' turn.ndjson
	[ "$output" = true ]
	og-entities -c "$OG_ROOT/test/catalogs/orders" -b 2024-12-01 -e 2025-02-01 >turn.ndjson
	run -0 jq -rs '[.[] | select(.kind == "release")] | group_by(.deployment)
		| map(sort_by(.created) | [.[].number] | . == [range(.[0]; .[0] + length)]) | unique | tostring' turn.ndjson
	[ "$output" = "[true]" ]
}

@test "numbers out of bounds" {
	refused 'requests "0" is too small' -c social -n 0
	refused 'requests "1000000000001" is too large' -c social -n 1000000000001
	refused 'requests "many" is invalid' -c social -n many
	refused 'users "0" is too small' -c social -u 0
	refused 'users "1000000001" is too large' -c social -u 1000000001
	refused 'depth "65" is too large' -c social -d 65
	refused 'seed "18446744073709551616" is too large' -c social -s 18446744073709551616
	refused 'seed "-1" is too small' -c social -s -1
}

@test "times that cannot be" {
	refused 'begin "yesterday" is not a time such as 2025-12-03T12:20:00Z' -c social -b yesterday
	refused 'end "2025-02-30" is not a time such as 2025-12-03T12:20:00Z' -c social -e 2025-02-30
	refused 'begin is not a multiple of 15 minutes' -c social -b 2025-03-03T00:10:00Z
	refused 'end is not a multiple of 15 minutes' -c social -e 2025-03-03T00:15:00.000001Z
	refused 'requests_until is not a multiple of 15 minutes' -c social -U 2025-03-03T00:01:00Z
	refused 'begin is not before end' -c social -b 2025-03-03 -e 2025-03-03
	refused 'begin is not before requests_until' -c social -U 2025-01-01
	refused 'begin is before 1980' -c social -b 1979-12-31
	refused 'more than 100 years from begin to end' -c social -b 2025-01-01 -e 2125-12-31
	refused 'end is after 9998' -c social -b 9990-01-01 -e 9999-01-01T00:15:00Z
}

@test "a catalog that is none" {
	run -2 --separate-stderr og-entities
	[[ $stderr = usage:* ]]
	run -2 --separate-stderr og-entities -c social extra
	[[ $stderr = usage:* ]]
	run -2 --separate-stderr og-entities -c nowhere
	[ -z "$output" ]
	[[ $stderr = "og-entities: nowhere: "* ]]
	cp -r "$OG_ROOT/test/catalogs/orders" broken
	sed -i 's/^rollout_id	.*/rollout_id	r-{n}/' broken/ids.tsv
	run -2 --separate-stderr og-entities -c ./broken
	[ -z "$output" ]
	[[ $stderr = *"rollout_id"* ]]
}

@test "a form of ids that gives two things one name is refused" {
	cp -r "$OG_ROOT/test/catalogs/orders" twins
	sed -i 's/^release_id	.*/release_id	{company}:{service}:{release}/' twins/ids.tsv
	run -2 --separate-stderr og-entities -c ./twins
	[ -z "$output" ]
	[[ $stderr = *"/ids.tsv: release_id: two things are named"* ]]
}

@test "warnings of the catalog with -v only" {
	run -0 --separate-stderr og-entities -c social -b 2025-03-03 -e 2025-03-04
	[ -z "$stderr" ]
	run -0 --separate-stderr og-entities -v -c social -b 2025-03-03 -e 2025-03-04
	[[ $stderr = *services.tsv* ]]
}

@test "a full disk, a closed stdout, a reader that goes" {
	run -1 --separate-stderr bash -c 'og-entities -c social >/dev/full'
	[ "$stderr" = "og-entities: <stdout>: No space left on device" ]
	run -1 --separate-stderr bash -c 'og-entities -c social >&-'
	[ "$stderr" = "og-entities: <stdout>: Bad file descriptor" ]
	run -0 bash -c 'og-entities -c social | head -n 1 | wc -l; [ "${PIPESTATUS[0]}" -eq 141 ]'
	[ "$output" = 1 ]
	run -0 bash -c 'og-entities -c social <&- | cmp - <(og-entities -c social)'
}
