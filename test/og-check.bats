#!/usr/bin/env bats
# og-check: good data passes, and whatever is planted is found under its name, and nothing else.
# shellcheck disable=SC2154 # stderr comes from run

bats_require_minimum_version 1.5.0
load common
load laws

# A world in which much goes wrong; of its spans those of failures, of some others, and of rollouts.
setup_file() {
	troubled
	cd "$BATS_FILE_TMPDIR" || return 1
	world social 11 12000 4 >w
	og-events -w w >e
	{
		grep '"success":false' e | head -n 300
		grep -m 150 '"success":true' e
		grep -m 20 '"deployment_' e
	} | sort -u | sort -t'"' -k4,4 -s >some.e
	og-spans -w w <some.e >s
	og-metrics <s >samples
	og-metrics -i 1h <s >hours
}

setup() {
	OG_SHARE=$BATS_FILE_TMPDIR/share
	cd "$BATS_FILE_TMPDIR" || return 1
}

# The checks that are broken, in a line.
broken() {
	jq -r '[.checks[] | select(.ok | not) | .name] | join(" ")'
}

# planted "CHECK [CHECK...]" COMMAND FILE OPTION...: what the command makes of the file breaks the first check, and no others than those named.
planted() {
	local names=$1 command=$2 file=$3 found name

	shift 3
	bash -c "$command" <"$file" >planted
	! cmp -s "$file" planted || { echo "nothing planted: $command"; return 1; }
	run --separate-stderr og-check "$@" <planted
	[ "$status" -eq 1 ] || { echo "$names: exit $status: $command: $output $stderr"; return 1; }
	found=$(broken <<<"$output")
	case " $found " in *" ${names%% *} "*) ;; *) echo "not found: $names: $command: found $found"; return 1 ;; esac
	for name in $found; do
		case " $names " in *" $name "*) ;; *) echo "$names: false alarm $name: $command: $(jq -c '.checks[] | select(.ok | not)' <<<"$output")"; return 1 ;; esac
	done
	jq -e --arg n "${names%% *}" '.checks[] | select(.name == $n) | .broken > 0 and (.first[0].what | length > 0)' <<<"$output" >/dev/null
}

# plants FILE OPTION...: lines of standard input are names, a tab, and a command. How many they were is in $count.
plants() {
	local names command bad=0

	count=0
	while IFS=$'\t' read -r names command; do
		planted "$names" "$command" "$@" </dev/null || bad=1
		count=$((count + 1))
	done
	return "$bad"
}

@test "good spans, events, samples and worlds pass" {
	run -0 og-check -p -w w <s
	[ "$(jq -r '.ok, .kind, .layout' <<<"$output" | paste -sd' ')" = "true spans wide" ]
	[ "$(jq '[.checks[] | select(.counted == 0)] | length' <<<"$output")" -eq 0 ]
	run -0 og-check -w w <e
	[ "$(jq -r .kind <<<"$output")" = events ]
	run -0 og-check -w w <samples
	[ "$(jq -r .kind <<<"$output")" = samples ]
	run -0 og-check -w w <hours
	[ "$(jq '.checks[] | select(.name == "totals") | .counted' <<<"$output")" -gt 1000 ]
	run -0 og-check <w
	[ "$(jq -r .kind <<<"$output")" = world ]
	run -0 og-check -p -w w -m samples <s
	run -0 og-check -p -w w -m hours -i 1h <s
	[ "$(jq '.checks[] | select(.name == "signals") | .counted' <<<"$output")" -eq "$(wc -l <hours)" ]
}

@test "20 good worlds pass, with their events, spans and samples" {
	local i catalog layout

	mkdir more
	cp -r "$OG_ROOT"/share/og/* "$OG_ROOT/test/catalogs/orders" "$OG_ROOT/test/catalogs/cables" more
	export OG_SHARE=$PWD/more
	for i in $(seq 20); do
		case $((i % 5)) in
		0) catalog=social layout=wide ;;
		1) catalog=shop layout=traces ;;
		2) catalog=orders layout=wide ;;
		3) catalog=fibersqs layout=wide ;;
		4) catalog=cables layout=wide ;;
		esac
		world "$catalog" "$(seed)" 2000 5 >good.w
		og-check <good.w >verdict || { cat verdict; return 1; }
		og-events -w good.w -l "$layout" >good.e
		og-spans -w good.w -l "$layout" <good.e >good.s
		og-check -w good.w <good.e >verdict || { cat verdict; return 1; }
		[ "$(jq .figures.trees verdict)" -gt 1500 ]
		if [ "$layout" = wide ]; then
			og-metrics -c "$catalog" <good.s >good.m
			og-check -w good.w -m good.m <good.s >verdict || { cat verdict; return 1; }
			og-check -w good.w <good.m >verdict || { cat verdict; return 1; }
		else
			og-check -w good.w <good.s >verdict || { cat verdict; return 1; }
		fi
	done
}

@test "planted faults in spans are found and named" {
	plants s -p -w w <<'PLANTS'
json	sed '5s/}$//'
json	sed '7s/"level"/"timestamp"/'
json	sed '2s/.*/[1,2]/'
keys	sed '3s/"stack":/"group":/'
keys	sed '4s/{\("timestamp":[^,]*\),\("level":[^,]*\)/{\2,\1/'
keys	sed '6s/,"cause":[^}]*}/}/'
keys	sed '8s/}$/,"extra":1}/'
types	sed '9s/"success":true/"success":"true"/'
types	sed '4s/"level":"[A-Z]*"/"level":null/'
types	sed '12s/"timestamp":"\([^"]*\)\.[0-9]*Z"/"timestamp":"\1Z"/'
types	sed '12s/"db_queries":\([0-9]*\)/"db_queries":\1.5/'
ids	awk -F'"' '/"parent_span_id":"/ && !id { id = $46; print; next } /"parent_span_id":"/ && NR > 50 && !done { gsub($46, id); done = 1 } 1'
ids	awk -F'"' '/"parent_span_id":"/ && !id { id = $28; print; next } /"parent_span_id":"/ && NR > 50 && !done && /true/ { sub($28, id); done = 1 } 1'
ids trees	awk -F'"' '$20 !~ /^deployment_/ { if (first == "") first = $42; if ($42 == first) kept = kept $0 "\n" } 1; NR == 60 { printf "%s", kept }' | sort -s -t'"' -k4,4
ids	awk -F'"' '!/deployment_/ && id == "" { id = $42 } { gsub(id, "00000000" substr(id, 9)) } 1'
trees parents names	awk -F'"' '/"parent_span_id":"/ && !done { kept = $0; done = 1; next } 1; END { print kept }'
trees order	awk '/"parent_span_id":"/ && !done { sub(/"parent_span_id":"[0-9a-f]*"/, "\"parent_span_id\":null"); done = 1 } 1'
trees upstream	awk '/"parent_span_id":null/ && /"success":true/ && !/deployment_/ && !done { getline next_line; if (next_line ~ /"parent_span_id":"/) { print next_line; done = 1; next } print; print next_line; next } 1'
parents	awk '/"parent_span_id":"/ && ++n == 30 { sub(/"parent_span_id":"..../, "\"parent_span_id\":\"zzzz") } 1'
inside	awk '/"parent_span_id":"/ && ++n == 20 { match($0, /"duration_ms":[0-9.]*/); sub(/"duration_ms":[0-9.]*/, "\"duration_ms\":99999") } 1'
inside	awk '/"parent_span_id":"/ && ++n == 20 { sub(/"timestamp":"20..-..-../, "\"timestamp\":\"2024-12-31") } 1'
shared	awk '/"parent_span_id":"/ && !done { sub(/"user_id":"[^"]*"/, "\"user_id\":\"user_000000000000\""); done = 1 } 1'
shared	awk '/"parent_span_id":"/ && !done && !/"persona":"regular_senior_25"/ { sub(/"persona":"[^"]*"/, "\"persona\":\"regular_senior_25\""); done = 1 } 1'
window order releases causes inside	sed '$s/"timestamp":"2025-/"timestamp":"2026-/' | awk -F'"' '{ a[NR] = $0; t[NR] = $42 } END { for (i = 1; i <= NR; i++) { if (t[i] == t[NR]) sub(/"timestamp":"2025-/, "\"timestamp\":\"2026-", a[i]); print a[i] } }'
order	awk -F'"' '$42 != id { id = $42; n++ } n == 40 { held = held $0 "\n"; next } n == 44 && held != "" { printf "%s", held; held = "" } 1'
levels	sed '0,/"level":"ERROR"/s//"level":"WARN"/'
levels	sed '0,/"level":"WARN"/s//"level":"INFO"/'
levels	sed '0,/"level":"INFO","service":"timeline"/s//"level":"ERROR","service":"timeline"/'
outcomes causes	sed '0,/"error_message":"[^"]*"/s//"error_message":null/'
outcomes	awk '/"success":true/ && !done { sub(/"error_type":null/, "\"error_type\":\"server\""); done = 1 } 1'
outcomes	awk '/"success":true/ && !/deployment_/ && !done { sub(/"cause":null/, "\"cause\":\"inc_000000000000\""); done = 1 } 1'
outcomes upstream	awk '/"error_source":"self"/ && !done { sub(/"error_code":"[0-9]*"/, "\"error_code\":\"999\""); done = 1 } 1'
sources	sed '0,/"error_source":"self"/s//"error_source":"moon"/'
sources upstream	awk '/"upstream_request_id":"/ && !done { sub(/"upstream_request_id":"[^"]*"/, "\"upstream_request_id\":null"); done = 1 } 1'
sources	awk '/"error_source":"dependency:/ && !done { sub(/"error_source":"dependency:[^"]*"/, "\"error_source\":\"dependency:moon\""); done = 1 } 1'
causes upstream	awk '/"error_source":"infrastructure:/ && !done { sub(/"cause":"inc_...../, "\"cause\":\"inc_zzzzz"); done = 1 } 1'
causes	awk '/"error_source":"infrastructure:/ && !done { sub(/"error_source":"infrastructure:[^"]*"/, "\"error_source\":\"infrastructure:moon\""); done = 1 } 1'
causes levels	awk '/"error_source":"self"/ && !done { sub(/"error_source":"self"/, "\"error_source\":\"infrastructure:redis_feed\""); done = 1 } 1'
causes upstream	awk '/"error_source":"deployment:/ && !done { sub(/"cause":"[^"]*"/, "\"cause\":\"deploy_0000000000000000\""); done = 1 } 1'
causes	awk '/"error_source":"infrastructure:/ && !done { sub(/"error_message":"[^"]*"/, "\"error_message\":\"no\""); done = 1 } 1'
upstream	awk '/"upstream_request_id":"/ && !done { sub(/"upstream_request_id":"...../, "\"upstream_request_id\":\"zzzzz"); done = 1 } 1'
upstream	awk '/"error_source":"dependency:/ && !done { sub(/"error_source":"dependency:[^"]*"/, "\"error_source\":\"dependency:user:identity\""); done = 1 } 1'
upstream	awk '/"upstream_request_id":"/ && !done { sub(/"cause":[^}]*/, "\"cause\":\"deploy_1\""); done = 1 } 1'
upstream travels	awk '{ a[NR] = $0 } /"upstream_request_id":"/ && !id { split($0, f, "upstream_request_id\":\""); id = substr(f[2], 1, 32) } END { for (i = 1; i <= NR; i++) if (!index(a[i], "\"request_id\":\"" id)) print a[i] }'
releases	awk '/"parent_span_id":"/ && !done { sub(/"release_id":"[^"]*"/, "\"release_id\":\"moon\""); done = 1 } 1'
releases	awk -F'"' '/"parent_span_id":"/ && !done && before != "" && $38 != before { sub($38, before); done = 1 } { before = $38 } 1'
rollouts	awk '/"deployment_/ && !done { sub(/"request_id":"deploy_..../, "\"request_id\":\"deploy_zzzz"); done = 1 } 1'
rollouts	awk '/"deployment_/ && !done { print; done = 1 } 1'
rollouts	awk '/"deployment_/ && !done { sub(/Z","level"/, "1Z\",\"level\""); sub(/\.0000001Z/, ".000001Z"); done = 1 } 1'
rollouts	awk '/"deployment_/ && !done { sub(/"success":true/, "\"success\":false"); done = 1 } 1'
names releases upstream	awk '/"service":"timeline"/ && !done { sub(/"service":"timeline"/, "\"service\":\"moon\""); done = 1 } 1'
names	awk '/"parent_span_id":null/ && !/deployment_/ && !done { sub(/"action":"[^"]*"/, "\"action\":\"fly\""); done = 1 } 1'
names shared	awk '/"parent_span_id":null/ && !/deployment_/ { id = $0 } { sub(/"persona":"[^"]*"/, "\"persona\":\"nobody_1\"") } 1'
names	awk '/"object_type":"[a-z]*"/ && !/deployment_/ && !done { sub(/"object_type":"[^"]*"/, "\"object_type\":\"moon\""); done = 1 } 1'
measurements	awk '/"parent_span_id":"/ && !done { sub(/"duration_ms":[0-9.]*/, "\"duration_ms\":null"); done = 1 } 1'
measurements	awk '/"is_write":true/ && !done { sub(/"cache_hit":null/, "\"cache_hit\":true"); done = 1 } 1'
PLANTS
	[ "$count" -ge 50 ]
}

@test "planted faults in worlds are found and named" {
	plants w <<'PLANTS'
world	sed '1s/"format":1/"format":7/'
world	sed 1d
world	sed '1s/"catalog_digest":"../"catalog_digest":"zz/'
world	jq -c 'if .kind == "place" then .weight = 5 else . end'
world	jq -c 'if .kind == "place" then del(.weight) else . end'
world	jq -c 'if .kind == "place" then .region = null else . end'
world	jq -c 'if .kind == "service" then .stack = {} else . end'
world	jq -c 'if .kind == "component" then .type = [] else . end'
world	jq -c 'if .kind == "incident" then del(.type) else . end'
world	jq -c --arg x "$(printf 'x%.0s' {1..5000})" 'if .kind == "incident" then .id += $x else . end'
dates	sed '0,/"live_from":"2025/s//"live_from":"2015/'
dates	awk '/"kind":"incident"/ && !done { sub(/"end":"2025/, "\"end\":\"2020"); done = 1 } 1'
dates	awk '/"kind":"rollout"/ && !done { sub(/"end":"2025/, "\"end\":\"2019"); done = 1 } 1'
dates	awk '/"kind":"incident"/ && !done { sub(/"ramp_s":[0-9.]*/, "\"ramp_s\":99999999"); done = 1 } 1'
references	awk '/"kind":"release"/ && !done { sub(/"deployment":"/, "&moon"); done = 1 } 1'
references	awk '/"kind":"deployment"/ && !done { sub(/"place":"/, "&moon"); done = 1 } 1'
shipping	awk '/"kind":"rollout"/ && !done { sub(/"release":"/, "&moon"); done = 1 } 1'
shipping	awk '/"kind":"rollout"/ && !done { sub(/"start":"2025-01-0./, "\"start\":\"2025-01-01"); sub(/"start":"2025-01-01T..:../, "\"start\":\"2025-01-01T00:00"); done = 1 } 1'
shipping	awk '/"kind":"rollout"/ && !done { sub(/"latency":[0-9.]*/, "\"latency\":0"); done = 1 } 1'
incidents	awk '/"kind":"incident"/ && !done { sub(/"component":"/, "&moon"); done = 1 } 1'
incidents	awk '/"kind":"incident"/ && !done { sub(/"codes":\["[0-9]*"\]/, "\"codes\":[\"999\"]"); done = 1 } 1'
incidents	awk '/"kind":"incident"/ && !done { sub(/"effects":\[.*\],"services"/, "\"effects\":[],\"services\""); done = 1 } 1'
incidents	awk '/"kind":"incident"/ && !done { print; sub(/"id":"inc_/, "\"id\":\"inc_f"); done = 1 } 1'
PLANTS
	[ "$count" -eq 23 ]
}

@test "planted faults in samples are found and named" {
	plants samples -w w <<'PLANTS'
json	sed '3s/$/x/'
keys	sed '4s/"metric"/"name"/'
keys	sed '5s/}$/,"more":1}/'
types	sed '6s/"ts":[0-9.]*/"ts":"now"/'
types	sed '7s/"value":[0-9.]*/"value":-1/'
types	sed '8s/"success":"true"/"success":true/'
window	sed '9s/"ts":17/"ts":15/'
metrics	sed '10s/"metric":"/&x/'
names	sed '11s/"persona":"/&x/'
names	sed '5s/"service":"[^"]*"/"service":"zz"/'
names	sed '12s/"stack":"[^"]*"/"stack":"zz"/'
names	awk '/"service":"timeline"/ && !done { sub(/"stack":"[^"]*"/, "\"stack\":\"user\""); done = 1 } 1'
names	sed '13s/"action":"[^"]*"/"action":"zz"/'
names	awk '/"service":"timeline"/ && !done { sub(/"action":"[^"]*"/, "\"action\":\"upload_image\""); done = 1 } 1'
names	sed '14s/"success":"[^"]*"/"success":"zz"/'
names	sed '15s/"is_write":"[^"]*"/"is_write":"1"/'
names	sed '0,/"object_type":"[^"]*"/s//"object_type":"zz"/'
names	sed '16s/"release_id":"[^"]*"/"release_id":"zz"/'
names	sed '5s/"service":"[^"]*",//'
names	sed '1s/"service":"[^"]*",//'
names	sed '17s/"persona":"[^"]*",//'
names	sed 's/"success":"[^"]*",//'
names	sed '18s/"tags":{/&"zz":"1",/'
names	sed '18s/"tags":{/&"success":"true",/'
PLANTS
	[ "$count" -eq 24 ]
	plants hours -w w <<'PLANTS'
totals	awk '/request_errors_total/ && !done { sub(/"value":[0-9]*/, "\"value\":999999"); done = 1 } 1'
totals	awk '/_bucket/ && /"le":"25"/ && /"value":[1-9]/ && !done { sub(/"value":[0-9]*/, "\"value\":0"); done = 1 } 1'
totals	awk '/duration_ms_count/ && !done { sub(/"value":[0-9]*/, "\"value\":77"); done = 1 } 1'
names totals	sed '5s/"service":"[^"]*"/"service":"zz"/'
names totals	sed '5s/"stack":"[^"]*"/"stack":"zz"/'
names totals	sed '5s/"service":"[^"]*",//'
names totals	sed '6s/"success":"[^"]*"/"success":"zz"/'
PLANTS
	[ "$count" -eq 7 ]
	og-metrics -d -i 1h -g stack,persona,object_type <s >groups
	og-check -w w <groups >verdict
	plants groups -w w <<'PLANTS'
names totals	sed '3s/"stack":"[^"]*"/"stack":"zz"/'
names totals	sed '3s/"persona":"[^"]*"/"persona":"zz"/'
names totals	awk '/"object_type":"/ && !done { sub(/"object_type":"[^"]*"/, "\"object_type\":\"zz\""); done = 1 } 1'
PLANTS
	[ "$count" -eq 3 ]
}

@test "planted differences between signals are found and named" {
	local command

	while IFS= read -r command; do
		bash -c "$command" <samples >other
		run -1 og-check -p -w w -m other <s
		[ "$(broken <<<"$output")" = signals ]
	done <<'PLANTS'
sed 10d
sed '10p'
sed '12s/"value":\([0-9]*\)/"value":1\1/'
sed '11s/"ts":\(.........\)./"ts":\10/; 11s/"ts":\(.........\)0/"ts":\19/'
sed '14s/"persona":"\([^"]*\)"/"persona":"\1x"/'
PLANTS
	# As many and as much, in another order or written differently, is the same.
	shuf samples >other
	og-check -p -w w -m other <s >verdict
	jq -c '.tags |= (to_entries | reverse | from_entries)' samples >other
	og-check -p -w w -m other <s >verdict
	sed '/duration_ms_bucket/{s/"value":\([0-9]*\)/"value":1\1/;:a;n;ba}' hours >other
	run -1 og-check -p -w w -m other -i 1h <s
	[ "$(broken <<<"$output")" = signals ]
	jq -e '.checks[] | select(.name == "signals") | .first[0].what | contains("request_duration_ms_bucket")' <<<"$output"
	og-metrics -d -i 10m -g service <s >other
	og-check -p -w w -m other -d -i 10m -g service <s >verdict
	run -1 og-check -p -w w -m other -i 10m -g service <s
}

@test "rollouts without records, and trees without their calls" {
	grep -v '"deployment_complete"' e >planted
	run -1 og-check -w w <planted
	[ "$(broken <<<"$output")" = rollouts ]
	# A root that blames a call, among whole trees.
	awk -F'"' '/"upstream_request_id":"/ && /"parent_span_id":null/ && !id { id = $42; print; next } $42 != id' s >planted
	run -1 og-check -p -w w <planted
	[ "$(broken <<<"$output")" = upstream ]
	# A failure that must travel, and did not.
	awk '/"upstream_request_id":"/ && /"parent_span_id":null/ && !done {
		sub(/"success":false/, "\"success\":true"); sub(/"level":"[A-Z]*"/, "\"level\":\"INFO\"")
		gsub(/"(error_[a-z]*|upstream_request_id|cause)":"[^"]*"/, "&#"); gsub(/:"[^"]*"#/, ":null"); done = 1
	} 1' s >planted
	run -1 og-check -p -w w <planted
	[[ "$(broken <<<"$output")" == *travels* ]]
}

@test "other orders, other layouts, no world" {
	local layout

	awk -F'"' '$42 != id { id = $42; n++ } { print n "\t" $0 }' s >numbered
	cut -f1 numbered | uniq | shuf --random-source=<(yes) | awk 'NR == FNR { order[$1] = NR; next } { print order[$1] "\t" $0 }' - numbered |
		sort -s -n -k1,1 | cut -f3- >mixed
	run -1 og-check -p -w w <mixed
	[[ "$(broken <<<"$output")" == *order* ]]
	og-check -pu -w w <mixed >verdict
	cat mixed s >twice
	run -1 og-check -pu -w w <twice
	[[ "$(broken <<<"$output")" == ids* ]]
	for layout in log blind; do
		og-events -w w -l "$layout" | head -n 400 | og-spans -w w -l "$layout" >other
		og-check -p -w w <other >verdict
		[ "$(jq -r .layout verdict)" = "$layout" ]
		og-check -p -l "$layout" <other >verdict
	done
	og-check -c social <s >verdict
	[ "$(jq -r '.checks[] | select(.name == "releases") | .unknown' verdict)" = "needs the world" ]
	[ "$(jq '.approximated | length' verdict)" -gt 0 ]
	cat s s >twice
	run -1 og-check -c social -u <twice
	[[ "$(broken <<<"$output")" == ids* ]]
	# Of another world.
	world social 12 10 4 >another
	run -1 og-check -p -w another <s
	[[ "$(broken <<<"$output")" == *ids* ]]
}

@test "all layouts of events, and series, pass" {
	local catalog layout

	for catalog in social fibersqs; do
		og-entities -c "$catalog" -b 2025-12-01 -e 2025-12-03 -n 500 -u 60 -s 9 | og-incidents >c.w
		awk -F '\t' '$2 == "event" { print $1 }' "$OG_ROOT/share/og/default/layouts.tsv" "$OG_ROOT/share/og/$catalog/layouts.tsv" | sort -u >names
		[ -s names ]
		while read -r layout; do
			og-events -w c.w -l "$layout" | og-check -p -w c.w -l "$layout" >verdict
		done <names
	done
	og-events -w c.w -l txn_facts >facts
	awk 'NR == 3 { sub(/latency_ms":/, "&1") } 1' facts >longer
	run -1 og-check -p -w c.w -l txn_facts <longer
	[[ "$(broken <<<"$output")" == *measurements* ]]
	og-series -w c.w -e 2025-12-01T00:05:00Z >series
	og-check -w c.w <series
	sed '5s/"metric":"/&x/' series >renamed
	run -1 og-check -w c.w <renamed
	[[ "$(broken <<<"$output")" == *metrics* ]]
	plants series -w c.w <<'PLANTS'
names	sed '1s/"link":"/&x/'
names	sed '1s/"from":"/&x/'
names	sed '1s/"to":"[^"]*"//; 1s/,}/}/'
names	sed '0,/"host":"/s//&x/'
names	sed '0,/"host":"[^"]*",/s///'
names	sed '0,/"region":"/s//&x/'
PLANTS
	[ "$count" -eq 6 ]
	# A key that is there twice is told also without ids of spans.
	og-events -w c.w -l keys | awk 'NR == 7 { seventh = $0 } { print } NR == 9 { print seventh }' >twice
	run -1 og-check -p -w c.w -l keys <twice
	[[ "$(broken <<<"$output")" == *ids* ]]
}

@test "measures have bands, which bind only when asked" {
	og-check -w w <e >verdict
	[ "$(jq '.measures | length' verdict)" -gt 3 ]
	jq -e '.measures[] | select(.name == "latency_p99_p50") | .value > 1 and .in and (.source | length > 0)' verdict
	jq -e '[.measures[] | has("low") and has("high")] | all' verdict
	cp "$OG_ROOT/share/og/default/bands.tsv" "$BATS_FILE_TMPDIR/share/social/bands.tsv"
	sed -i $'s/^latency_p99_p50\t1.3\t10/latency_p99_p50\t50\t60/' "$BATS_FILE_TMPDIR/share/social/bands.tsv"
	og-check -w w <e >verdict
	jq -e '.ok and (.measures[] | select(.name == "latency_p99_p50") | .in | not)' verdict
	run -1 og-check -B -w w <e
	printf 'measure\tlow\thigh\tsource\nmoon\t1\t2\tx\n' >"$BATS_FILE_TMPDIR/share/social/bands.tsv"
	run -2 --separate-stderr og-check -w w <e
	[[ "$stderr" == *'bands.tsv:2: no measure "moon"' ]]
	printf 'measure\tlow\thigh\tsource\ndepth_p50\t3\t2\tx\n' >"$BATS_FILE_TMPDIR/share/social/bands.tsv"
	run -2 --separate-stderr og-check -w w <e
	rm "$BATS_FILE_TMPDIR/share/social/bands.tsv"
}

@test "memory does not grow with the data" {
	og-entities -c social -n 60000 -b 2025-01-01 -e 2025-01-08 | og-incidents >big.w
	og-events -w big.w -e 2025-01-02 >small.e
	og-events -w big.w >big.e
	"$COST" og-check -w big.w <small.e | grep -v '^{' >small
	"$COST" og-check -w big.w <big.e | grep -v '^{' >big
	cat small big
	[ "$(wc -l <big.e)" -gt $((5 * $(wc -l <small.e))) ]
	[ "$(awk '{ print $2 }' big)" -lt $(($(awk '{ print $2 }' small) * 12 / 10)) ]
}

@test "usage, empty input, no newline, a full disk, a closed stdin" {
	run -2 --separate-stderr og-check -x
	run -2 --separate-stderr og-check -w /nonexistent </dev/null
	run -2 --separate-stderr og-check -c moon <s
	run -2 --separate-stderr og-check -l moon <s
	run -2 --separate-stderr og-check -i 1h <s
	run -2 --separate-stderr og-check -m samples -i moon <s
	run -2 --separate-stderr og-check -m /nonexistent -w w <s
	run -2 --separate-stderr og-check -m samples <w
	run -0 og-check -p -w w </dev/null
	[ "$(jq .figures.records <<<"$output")" -eq 0 ]
	head -c -1 s >unterminated
	og-check -p -w w <unterminated >verdict
	[ "$(jq .figures.records verdict)" -eq "$(wc -l <s)" ]
	run -1 --separate-stderr bash -c "og-check -p -w w <s >/dev/full"
	[[ "$stderr" == "og-check: <stdout>: "* ]]
	run -1 --separate-stderr bash -c "og-check -p -w w <&-"
	[[ "$stderr" == "og-check: <stdin>: "* ]]
	printf '%1100000s\n' x >long
	run -1 og-check -p -w w <long
	[ "$(broken <<<"$output")" = json ]
	# -v says it on standard error, too.
	sed '5s/}$//' s >planted
	run -1 --separate-stderr og-check -pv -w w <planted
	[[ "$stderr" == "og-check: <stdin>:5: json: "* ]]
}
