# og-incidents: incidents behind a world, by the catalog's rates or as they are asked for.
# shellcheck disable=SC2016,SC2094 # dollars are for an inner shell; what is read twice at a time is not written
bats_require_minimum_version 1.5.0

load common

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	og-entities -c social -b 2025-01-01 -e 2026-01-01 >year.ndjson
	og-entities -c social -b 2025-03-03 -e 2025-03-10 >week.ndjson
	og-incidents <year.ndjson >broken.ndjson
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

incidents() {
	grep '"kind":"incident"' "${1:-broken.ndjson}"
}

# The one incident that og-incidents -N makes of a specification for the week.
one() {
	og-incidents -N -a "$1" <week.ndjson | tail -n 1
}

# og-incidents -N -a with this specification ends with status 2, nothing on stdout and this message.
refused() {
	run -2 --separate-stderr og-incidents -N -a "$2" <week.ndjson
	[ -z "$output" ]
	[ "$stderr" = "og-incidents: -a: $1" ] || {
		echo "$stderr"
		return 1
	}
}

# A world of these lines is refused with status 2, nothing on stdout and this message.
no_world() {
	run -2 --separate-stderr og-incidents <"$2"
	[ -z "$output" ]
	[ "$stderr" = "og-incidents: $1" ] || {
		echo "$stderr"
		return 1
	}
}

@test "every line passes unchanged, incidents come behind" {
	cmp year.ndjson <(head -n "$(wc -l <year.ndjson)" broken.ndjson)
	[ "$(tail -n +"$(($(wc -l <year.ndjson) + 1))" broken.ndjson | jq -r .kind | sort -u)" = incident ]
	incidents | jq -r .start | sort -c
}

@test "unknown keys and other spacing pass too, and a last line without newline gets one" {
	{
		sed 1q week.ndjson
		echo '{ "note": {"a": [1]}, "kind" : "component", "id":"x", "type" :"", "services": [] }'
		printf '{"kind":"component","id":"y","type":"","services":[]}'
	} >odd
	og-incidents -N <odd | cmp - <(
		cat odd
		echo
	)
}

@test "2 to 8 incidents a component and year" {
	run -0 bash -c "grep incident broken.ndjson | jq -r .component | sort | uniq -c | awk '\$1 < 2 || \$1 > 8'"
	[ -z "$output" ]
	[ "$(incidents | jq -r .component | sort -u | wc -l)" -eq "$(grep -c '"kind":"component"' year.ndjson)" ]
	og-entities -c social -b 2020-01-01 -e 2026-01-01 -s 5 | og-incidents | jq -r 'select(.kind == "incident") | .component + .start[:4]' | sort | uniq -c >counts
	[ "$(awk '$1 < 2 || $1 > 8' counts | wc -l)" -eq 0 ]
	# All of 2 to 8 happen.
	[ "$(awk '{ print $1 }' counts | sort -u | wc -l)" -eq 7 ]
}

@test "5 minutes to 4 hours, ramps within, edges at odd microseconds" {
	run -0 jq -rs '
		def us: (.[:19] + "Z" | fromdate) * 1000000 + (if length > 20 then .[20:26] | tonumber else 0 end);
		[.[] | select(.kind == "incident") | {length: ((.end | us) - (.start | us)), ramp_s, edge: ((.end | us) % 1000)}]
		| "\(map(select(.length < 300e6 or .length > 14400e6)) | length) \(map(select(.ramp_s * 2e6 > .length)) | length) \(map(select(.edge != 0)) | length)"' broken.ndjson
	read -r outside long odd <<<"$output"
	[ "$outside" -eq 0 ]
	[ "$long" -eq 0 ]
	[ "$odd" -gt 20 ]
}

@test "two random incidents of a component never overlap" {
	for seed in 1 2 "$RANDOM"; do
		[ "$(og-entities -c social -s "$seed" -b 2023-01-01 | og-incidents | jq -rs '
			[.[] | select(.kind == "incident")] | group_by(.component) | map(sort_by(.start) | [.[:-1], .[1:]] | transpose
			| map(select(.[0].end > .[1].start)) | length) | add')" -eq 0 ]
	done
}

@test "ids have one form and are unique" {
	[ -z "$(incidents | jq -r .id | sort | uniq -d)" ]
	run ! grep -vE '^(inc_[0-9a-f]{12}|INC-[0-9a-f]{8})$' <(incidents | jq -r .id)
	# A confounder's tells nothing.
	[[ $(one component=disk,services=user:profile,errors=0.1,start=2025-03-04,duration=1h,role=confounder | jq -r .id) =~ ^(inc_[0-9a-f]{12}|INC-[0-9a-f]{8})$ ]]
}

@test "a later end adds incidents behind, and leaves the others" {
	for seed in 3 "$RANDOM"; do
		og-entities -c social -s "$seed" -b 2025-01-01 -e 2025-07-01 | og-incidents | incidents - >short
		og-entities -c social -s "$seed" -b 2025-01-01 -e 2026-03-01 -u 5 | og-incidents | incidents - >long
		cmp short <(head -n "$(wc -l <short)" long)
		[ "$(wc -l <long)" -gt "$(wc -l <short)" ]
	done
}

@test "same seed, same incidents; another seed, others" {
	og-incidents <year.ndjson | cmp - broken.ndjson
	og-entities -c social -b 2025-01-01 -e 2026-01-01 -s 43 | og-incidents | incidents - >other
	[ "$(comm -12 <(incidents | jq -r .id | sort) <(jq -r .id other | sort) | wc -l)" -eq 0 ]
}

@test "a component taken out does not break, and the others break as before" {
	grep -v '"kind":"component","id":"aurora_primary"' year.ndjson | og-incidents | incidents - >without
	cmp without <(incidents | grep -v '"component":"aurora_primary"')
}

@test "any rollout or incident may be taken out of a world" {
	grep -v '"kind":"rollout"' broken.ndjson | og-incidents -N >/dev/null
	grep -v '"kind":"incident"' broken.ndjson | og-incidents | cmp - broken.ndjson
	for n in 1 17 "$((RANDOM % 40 + 1))"; do
		line=$(incidents | sed -n "${n}p")
		grep -vxF -e "$line" broken.ndjson | og-incidents -N >less
		[ "$(wc -l <less)" -eq $(($(wc -l <broken.ndjson) - 1)) ]
	done
}

@test "-N makes none" {
	og-incidents -N <week.ndjson | cmp - week.ndjson
	og-incidents --no-random <week.ndjson | cmp - week.ndjson
}

@test "-S spec: rates of a few in a thousand, one effect; the header's level otherwise" {
	run -0 bash -c 'og-incidents -S spec <year.ndjson | grep incident | jq -r ".effects[] | select(.what == \"errors\") | .add" | sort -n | sed -n "1p;\$p"'
	awk -v low="${lines[0]}" -v high="${lines[1]}" 'BEGIN { exit !(low > 0 && high <= 0.004) }'
	cmp <(og-incidents --level default <year.ndjson) broken.ndjson
	sed 's/"level":"default"/"level":"spec"/' year.ndjson | og-incidents | incidents - | cmp - <(og-incidents -S spec <year.ndjson | incidents -)
	run -2 --separate-stderr og-incidents -S mild <week.ndjson
	[ -z "$output" ]
	[ "$stderr" = 'og-incidents: -S: no level "mild"' ]
}

@test "-a: what is given is taken" {
	run -0 one 'component=aurora_primary,start=2025-03-04T10:00:00Z,duration=1h,region=us-east-1,environment=prod,errors=0.1,latency=2,role=confounder,ramp=5m,id=mine,services=user:profile|content:posts,codes=503|504,type=storm,message=Rain in the rack'
	[ "$output" = '{"kind":"incident","id":"mine","component":"aurora_primary","role":"confounder","type":"storm","message":"Rain in the rack","start":"2025-03-04T10:00:00Z","end":"2025-03-04T11:00:00Z","ramp_s":300,"places":["prod:aws:111111111111:us-east-1:platform:eks:main"],"effects":[{"what":"errors","targets":["user:profile","content:posts"],"add":0.1,"codes":["503","504"]},{"what":"latency","targets":["user:profile","content:posts"],"factor":2}],"services":["user:profile","content:posts"]}' ]
}

@test "-a: what is left out comes from the catalog" {
	run -0 one component=redis_feed,start=2025-03-04
	[ "$(jq -r '"\(.component) \(.role) \(.type) \(.message)"' <<<"$output")" = "redis_feed cause cache Redis feed cache unavailable" ]
	[ "$(jq -c '.services' <<<"$output")" = '["feed:timeline","feed:ranking","feed:fanout"]' ]
	[ "$(jq '.places | length' <<<"$output")" -eq 1 ]
	[ "$(jq '(.end | .[:19] + "Z" | fromdate) - (.start | fromdate) | . >= 300 and . <= 14400' <<<"$output")" = true ]
	# Drawn by the words of the specification: the same again, others for another.
	[ "$(one component=redis_feed,start=2025-03-04)" = "$output" ]
	[ "$(one start=2025-03-04,component=redis_feed | jq -r .id)" != "$(jq -r .id <<<"$output")" ]
}

@test "-a: errors or latency alone change that alone" {
	[ "$(one component=redis_feed,start=2025-03-04,errors=0.25,id=a | jq -c '[.effects[].what], .effects[0].add')" = $'["errors","latency"]\n0.25' ]
	[ "$(one component=redis_feed,start=2025-03-04,latency=2.5,id=a | jq -c '[.effects[].what], .effects[1].factor')" = $'["errors","latency"]\n2.5' ]
	[ "$(one component=redis_feed,start=2025-03-04,errors=0,id=a | jq -c '[.effects[].what]')" = '["latency"]' ]
	[ "$(one component=redis_feed,start=2025-03-04,latency=1,id=a | jq -c '[.effects[].what]')" = '["errors"]' ]
	# Nothing that is drawn to be none is written.
	run ! grep -E '"(factor|add)":[01][,}]' <(incidents | grep -o '"effects":.*')
	[ "$(one component=redis_feed,start=2025-03-04,latency=1,errors=0 | jq -c '.effects')" = '[]' ]
}

@test "-a: a component that the catalog does not know" {
	og-incidents -N -a 'component=disk,start=2025-03-04,duration=15m,services=user:profile|ads:bidding,latency=3,errors=0.2' \
		-a component=disk,start=2025-03-05,duration=15m,services=ads:bidding,latency=3 <week.ndjson >disk.ndjson
	[ "$(tail -n 3 disk.ndjson | jq -r .kind | tr '\n' ' ')" = "component incident incident " ]
	[ "$(tail -n 3 disk.ndjson | sed 1q)" = '{"kind":"component","id":"disk","type":"","services":["user:profile","ads:bidding"]}' ]
	[ "$(tail -n 2 disk.ndjson | sed 1q | jq -c '[.places, .ramp_s, .effects[].codes]')" = '[[],0,["503"],null]' ]
	og-incidents -N <disk.ndjson | cmp - disk.ndjson
	# Once it is there it is not said again.
	[ "$(og-incidents -N -a component=disk,start=2025-03-06,duration=1h,services=ads:bidding,errors=1 <disk.ndjson | grep -c '"id":"disk"')" -eq 1 ]
}

@test "-a: places by id, by parts, by several of them" {
	east=prod:aws:111111111111:us-east-1:platform:eks:main
	[ "$(one component=redis_feed,start=2025-03-04,place=$east | jq -c .places)" = "[\"$east\"]" ]
	[ "$(one component=redis_feed,start=2025-03-04,environment=prod | jq '.places | length')" -eq 2 ]
	[ "$(one component=redis_feed,start=2025-03-04,region=us-west-2 | jq '.places | length')" -eq 1 ]
	[ "$(one component=redis_feed,start=2025-03-04,environment="dev|stg" | jq '.places | length')" -eq 2 ]
	refused 'no place is all of that' component=redis_feed,start=2025-03-04,environment=dev,region=us-west-2
	refused 'no place "mars"' component=redis_feed,start=2025-03-04,place="$east|mars"
}

@test "-a: specifications that are none" {
	refused 'no component' start=2025-03-04
	refused 'no "=" in "redis_feed"' redis_feed
	refused 'no value for "start"' component=redis_feed,start=
	refused 'no key "colour"' component=redis_feed,colour=red
	refused 'twice the key "start"' component=redis_feed,start=2025-03-04,start=2025-03-05
	refused 'no start' component=redis_feed
	refused 'no time such as 2025-12-03T12:20:00Z: "noon"' component=redis_feed,start=noon
	refused 'start is not within the world' component=redis_feed,start=2025-03-10
	refused 'start is not within the world' component=redis_feed,start=2025-03-02T23:59:59Z
	refused 'no duration such as 90m: "long"' component=redis_feed,start=2025-03-04,duration=long
	refused 'the duration is 0' component=redis_feed,start=2025-03-04,duration=0s
	refused 'no ramp such as 5m: "slow"' component=redis_feed,start=2025-03-04,ramp=slow
	refused 'the ramp is more than half of the duration' component=redis_feed,start=2025-03-04,duration=1h,ramp=31m
	refused 'no share between 0 and 1: "1.1"' component=redis_feed,start=2025-03-04,errors=1.1
	refused 'no factor such as 2.5: "fast"' component=redis_feed,start=2025-03-04,latency=fast
	refused 'no role "victim"' component=redis_feed,start=2025-03-04,role=victim
	refused 'no service "user:x"' component=redis_feed,start=2025-03-04,services="user:profile|user:x"
	refused 'no code "999"' component=redis_feed,start=2025-03-04,codes=999
	refused 'no failure: "200"' 'component=redis_feed,start=2025-03-04,codes=503|200'
	refused 'services, and errors or latency, or a series have to be given for the unknown component "disk"' component=disk,start=2025-03-04,duration=1h
	refused 'no duration' component=disk,start=2025-03-04,services=user:profile,errors=0.1
}

# The only incident that a specification makes of the library with its cables.
cable() {
	og-entities -c "$CABLES" | og-incidents -c "$CABLES" -N -a "$1" | tail -n 1
}

@test "-a: links, bursts and series" {
	CABLES=$OG_ROOT/test/catalogs/cables
	cable component=fray >row
	[ "$(jq -c '[.start, .bursts[0][:13], (.bursts | length > 50), [.effects[] | [.what, .targets[0], .factor, .add]]]' row)" = \
		'["2026-03-03T08:00:00Z","2026-03-03T08",true,[["rtt_ms","north-cable","4..12",null],["loss_pct","north-cable",null,"1..6"],["traffic_mbps","north-cable","0.4..0.1",null]]]' ]
	cable 'component=fray,links=hill-isle|coast-isle,start=2026-03-05,duration=1h,every=10,burst=2,rtt_ms=3..5' >moved
	[ "$(jq -c '[.bursts | length] + [.effects[0] | .targets, .factor]' moved)" = '[6,["hill-isle","coast-isle"],"3..5"]' ]
	# All but the last, which ends with the incident at the latest.
	jq -e '[.bursts[:-1][] | split("/") | map(.[:19] + "Z" | fromdate) | .[1] - .[0]] | all(. >= 119 and . <= 121)' moved
	cable 'component=rats,start=2026-03-05,duration=1h,cpu_pct=2..3,services=desk' >new
	[ "$(jq -c '[.effects, .services, .bursts]' new)" = '[[{"what":"cpu_pct","targets":["desk"],"factor":"2..3"}],["desk"],null]' ]
	[ "$(cable component=repair | jq -c '[.role, .effects]')" = '["fix",[{"what":"weight","targets":["north-cable"],"factor":0}]]' ]
	[ "$(cable 'component=repair,links=hill-isle' | jq -c '.effects[0].targets')" = '["hill-isle"]' ]
}

@test "-a: links, bursts and series that are none" {
	CABLES=$OG_ROOT/test/catalogs/cables
	og-entities -c "$CABLES" >cables.ndjson
	while IFS=$'\t' read -r spec message; do
		run -2 --separate-stderr og-incidents -c "$CABLES" -N -a "$spec" <cables.ndjson
		[ -z "$output" ]
		[ "$stderr" = "og-incidents: -a: $message" ]
	done <<-'END'
		component=fray,links=east	no link "east"
		component=fray,every=fast	no minutes such as 4..7: "fast"
		component=fray,every=10,burst=10..1	no minutes such as 4..7: "10..1"
		component=fray,every=0	no time between bursts: "0"
		component=repair,every=5	every without burst
		component=repair,burst=5	burst without every
		component=fray,rtt_ms=much	no factor such as 2..8: "much"
		component=eels,start=2026-03-05,duration=1h,rtt_ms=2	no links
		component=eels,start=2026-03-05,duration=1h,services=desk,latency=2,links=hill-isle	no effects on links
		component=fray,every=0.05,burst=0.01	more than 10000 bursts of "cable"
	END
}

@test "an incident cannot be added twice" {
	run -2 --separate-stderr og-incidents <broken.ndjson
	[ -z "$output" ]
	[[ $stderr =~ ^'og-incidents: incident "'[^\"]+'" is in the world already'$ ]]
	run -2 --separate-stderr og-incidents -N -a component=redis_feed,start=2025-03-04,id=a -a component=redis_content,start=2025-03-05,id=a <week.ndjson
	[ "$stderr" = 'og-incidents: two incidents are "a"' ]
	og-incidents -N -a component=redis_feed,start=2025-03-04 <week.ndjson | og-incidents -N -a component=redis_feed,start=2025-03-05 |
		og-incidents | og-incidents -N >/dev/null
}

@test "a scripted incident happens when its row says, conditions go along" {
	desk=$OG_ROOT/test/catalogs/orders
	og-entities -c "$desk" | og-incidents -c "$desk" | tail -n 1 >scripted
	[ "$(jq -r '"\(.start) \(.end) \(.ramp_s) \(.places[0])"' scripted)" = "2026-03-04T10:00:00Z 2026-03-04T12:00:00Z 300 north" ]
	[ "$(jq -c '[.effects[] | [.what, .when]]' scripted)" = '[["latency",null],["errors","write"],["delay",null],["traffic","persona=shopper"]]' ]
	og-entities -c "$desk" -b 2026-03-05 -e 2026-03-06 -U 2026-03-09 | og-incidents -c "$desk" >none
	run ! grep incident none
}

@test "the catalog by path, which must be the same" {
	og-incidents --catalog "$OG_SHARE/social" <week.ndjson | cmp - <(og-incidents <week.ndjson)
	run -2 --separate-stderr og-incidents -c shop <week.ndjson
	[ "$stderr" = 'og-incidents: <stdin>:1: a world of catalog "social", not "shop"' ]
	sed 's/"catalog_digest":"./"catalog_digest":"x/' week.ndjson >changed
	run -0 --separate-stderr og-incidents -N <changed
	[ "$stderr" = 'og-incidents: <stdin>:1: the tables of the catalog have changed since this world was made' ]
}

@test "no world: nothing, no header, two, an unknown kind, a reference to nothing" {
	: >empty
	no_world '<stdin>:1: no header: there is nothing to read' empty
	sed 1d week.ndjson >headless
	no_world '<stdin>:1: no header: the first line must be of kind "world"' headless
	cat week.ndjson week.ndjson >two
	no_world "<stdin>:$(($(wc -l <week.ndjson) + 1)): two headers" two
	sed '3s/"kind":"place"/"kind":"planet"/' week.ndjson >planet
	no_world '<stdin>:3: unknown kind "planet"' planet
	n=$(grep -n '"kind":"rollout"' week.ndjson | sed -n '5s/:.*//p')
	release=$(sed -n "${n}p" week.ndjson | jq -r .release)
	grep -v "\"kind\":\"release\",\"id\":\"$release\"" week.ndjson >gone
	no_world "<stdin>:$((n - 1)): no release \"$release\"" gone
	sed '1s/"end":"[^"]*"/"end":"2025-03-01T00:00:00Z"/' week.ndjson >backwards
	no_world '<stdin>:1: begin is not before end' backwards
}

@test "no world: lines that are no records" {
	{
		sed 1q week.ndjson
		head -c 2097152 /dev/zero | tr '\0' x
		echo
	} >long
	no_world '<stdin>:2: line longer than 1048575 bytes' long
	{
		sed 1q week.ndjson
		printf '{"kind":"component","id":"a\0b","services":[]}\n'
	} >nul
	run -2 --separate-stderr og-incidents <nul
	[[ $stderr = "og-incidents: <stdin>:2: "* ]]
	{
		sed 1q week.ndjson
		printf '{"kind":"component","id":"\377","services":[]}\n'
	} >utf8
	no_world '<stdin>:2: invalid UTF-8' utf8
	{
		sed 1q week.ndjson
		echo '{"kind":"component","id":"a","id":"b","services":[]}'
	} >twice
	no_world '<stdin>:2: key "id" twice' twice
	{
		sed 1q week.ndjson
		printf '{"kind":"component","id":"a","services":[],"x":'
		head -c 10000 /dev/zero | tr '\0' '['
		head -c 10000 /dev/zero | tr '\0' ']'
		echo '}'
	} >deep
	no_world '<stdin>:2: nested deeper than 64' deep
}

@test "-v tells how many requests it is expected to reach and to fail, for as many as -n says" {
	run -0 --separate-stderr og-incidents -v -N -a component=disk,start=2025-03-04,duration=1d,services=user:profile,errors=0.1,id=a -n 1000000 <week.ndjson
	[[ $stderr =~ ^'og-incidents: a: disk: about '([0-9]+)' of 1000000 requests reached, '([0-9]+)' failed'$ ]]
	reached=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
	# A seventh of the week; the profile has its part of it.
	[ "$reached" -gt 1000 ]
	[ "$reached" -lt 142857 ]
	[ "$failed" -gt $((reached / 12)) ]
	[ "$failed" -le "$reached" ]
	run -0 --separate-stderr og-incidents -v -N -a component=disk,start=2025-03-04,duration=1d,services=user:profile,errors=0.1,id=a -n 10000000 <week.ndjson
	[[ $stderr =~ 'about '([0-9]+)' of 10000000 requests' ]]
	[ $((BASH_REMATCH[1] / 10 - reached)) -le 1 ]
	[ $((reached - BASH_REMATCH[1] / 10)) -le 1 ]
	run -0 --separate-stderr og-incidents -v <week.ndjson
	[ "$(wc -l <<<"$stderr")" -eq "$(grep -c '"kind":"incident"' <<<"$output")" ]
	run -0 --separate-stderr og-incidents -N -v <week.ndjson
	[ -z "$stderr" ]
}

@test "usage" {
	run -2 --separate-stderr og-incidents file <week.ndjson
	[[ $stderr = usage:* ]]
	run -2 --separate-stderr og-incidents -n 0 <week.ndjson
	[ "$stderr" = 'og-incidents: requests "0" is too small' ]
	run -2 --separate-stderr og-incidents -n 1000000000001 <week.ndjson
	[ "$stderr" = 'og-incidents: requests "1000000000001" is too large' ]
}

@test "a full disk, closed streams, a reader that goes" {
	run -1 --separate-stderr bash -c 'og-incidents <year.ndjson >/dev/full'
	[ "$stderr" = "og-incidents: <stdout>: No space left on device" ]
	run -1 --separate-stderr bash -c 'og-incidents <week.ndjson >&-'
	[ "$stderr" = "og-incidents: <stdout>: Bad file descriptor" ]
	run -2 --separate-stderr bash -c 'og-incidents <&-'
	[ "$stderr" = "og-incidents: <stdin>: Bad file descriptor" ]
	run -0 bash -c 'og-incidents <year.ndjson | head -n 1 | wc -l; [ "${PIPESTATUS[0]}" -eq 141 ]'
	[ "$output" = 1 ]
}
