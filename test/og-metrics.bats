#!/usr/bin/env bats
# og-metrics: the measurements of spans, and aggregates that are exact however the spans are cut.

bats_require_minimum_version 1.5.0
load common

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	og-entities -c social -b 2025-12-01 -e 2025-12-08 -n 1500 | og-incidents >world
	og-events -w world | og-spans -w world >spans
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	spans=$BATS_FILE_TMPDIR/spans
	world=$BATS_FILE_TMPDIR/world
}

# record KEY=VALUE...: a span in layout wide that has these values of jq for some of the keys.
record() {
	local filter=. pair
	for pair; do
		filter+=" | .${pair%%=*} = ${pair#*=}"
	done
	jq -c "$filter" <<-'EOT'
		{"timestamp":"2025-12-01T10:00:30.250000Z","level":"INFO","service":"post","stack":"content","action":"like_post","user_id":"user_1","request_id":"r","success":true,"message":"m","release_id":"a:b:1","trace_id":"0123456789abcdef0123456789abcdef","span_id":"00000000000000aa","parent_span_id":null,"target_user_id":null,"object_type":"post","object_id":"post_1","error_code":null,"error_message":null,"error_source":null,"error_type":null,"upstream_request_id":null,"duration_ms":12.345,"persona":"lurker_1","is_write":false,"request_bytes":300,"response_bytes":70000,"db_queries":2,"cache_hit":true,"cause":null}
	EOT
}

# say [OPTION...]: what becomes of `in`.
say() {
	run -0 --separate-stderr og-metrics "$@" <in
	[ -z "$stderr" ]
}

# refused MESSAGE [OPTION...]: the only line of `in` is reported so, and nothing comes of it.
refused() {
	local message=$1
	shift
	run -1 --separate-stderr og-metrics "$@" <in
	[ "$stderr" = "og-metrics: <stdin>:1: $message" ]
	[ -z "$output" ]
}

TAGS='"tags":{"service":"post","stack":"content","action":"like_post","success":"true","is_write":"false","persona":"lurker_1","release_id":"a:b:1","object_type":"post"}}'

@test "five samples of a read that went well, in the order of the catalog" {
	record >in
	say
	[ "$output" = '{"metric":"request_duration_ms","ts":1764583230.250000,"value":12.345,'"$TAGS"'
{"metric":"request_size_bytes","ts":1764583230.250000,"value":300,'"$TAGS"'
{"metric":"response_size_bytes","ts":1764583230.250000,"value":70000,'"$TAGS"'
{"metric":"db_query_count","ts":1764583230.250000,"value":2,'"$TAGS"'
{"metric":"cache_hit","ts":1764583230.250000,"value":1,'"$TAGS" ]
}

@test "four samples of a write, and of a failure, whose trace is an exemplar of the duration" {
	record is_write=true cache_hit=null >in
	say
	[ "${#lines[@]}" -eq 4 ]
	record success=false cache_hit=null >in
	say
	[ "${#lines[@]}" -eq 4 ]
	[ "$(grep -c exemplar <<<"$output")" -eq 1 ]
	[[ ${lines[0]} = '{"metric":"request_duration_ms",'*'"object_type":"post"},"exemplar":"0123456789abcdef0123456789abcdef"}' ]]
}

@test "cache_hit of a write or a failure is left out even if the record has it" {
	record success=false >in
	record is_write=true >>in
	say
	[ "${#lines[@]}" -eq 8 ]
}

@test "longer than 500 ms is an exemplar, 500 is not" {
	record duration_ms=500 >in
	record duration_ms=500.001 >>in
	say
	[[ ${lines[0]} != *exemplar* ]]
	[[ ${lines[5]} = *exemplar* ]]
}

@test "a tag that is null is left out; numbers and words become text, escapes that are not needed go" {
	record object_type=null persona=7 stack=true service='"caf\u00e9\"\\"' | sed 's/é/\\u00e9\\u0041\\\//' >in
	say
	jq -e '.tags == {service: "caféA/\"\\", stack: "true", action: "like_post", success: "true", is_write: "false", persona: "7", release_id: "a:b:1"}' <<<"${lines[0]}"
	[[ ${lines[0]} = *'"service":"caféA/\"\\",'* ]]
}

@test "rollouts give no sample, and are not counted" {
	record duration_ms=null request_bytes=null response_bytes=null db_queries=null cache_hit=null persona=null >in
	say
	[ -z "$output" ]
	say -i 1h
	[ -z "$output" ]
}

@test "samples of a whole world, by another route" {
	jq -c 'select(.duration_ms != null) | . as $s |
		((.timestamp[:19] + "Z" | fromdate | tostring) + "." + .timestamp[20:26]) as $ts |
		{service, stack, action, success, is_write, persona, release_id, object_type} | with_entries(select(.value != null) | .value |= tostring) | . as $tags |
		["request_duration_ms", $s.duration_ms], ["request_size_bytes", $s.request_bytes], ["response_size_bytes", $s.response_bytes], ["db_query_count", $s.db_queries],
		($s.cache_hit | values | ["cache_hit", if . then 1 else 0 end]) |
		[.[0], $ts, .[1], $tags]' "$spans" >want
	og-metrics <"$spans" | sed 's/"ts":\([0-9.]*\)/"ts":"\1"/' | jq -c '[.metric, .ts, .value, .tags]' >got
	cmp want got
}

@test "exemplars: every failure, every slow span, one in a hundred of the others, and the trace is the span's" {
	og-metrics <"$spans" | grep '"request_duration_ms"' >durations
	jq -c 'select(.duration_ms != null) | [.trace_id, (.success | not), .duration_ms > 500]' "$spans" >truth
	[ "$(wc -l <durations)" -eq "$(wc -l <truth)" ]
	paste <(jq -r '.exemplar // "-"' durations) <(jq -r '"\(.[0]) \(.[1] or .[2])"' truth) |
		awk '{ n++ } $1 != "-" && $1 != $2 { exit 1 } $3 == "true" && $1 == "-" { exit 1 } $3 == "false" { m++; lucky += $1 != "-" }
			END { print lucky, m; if (lucky < m * .006 || lucky > m * .014 || m == n) exit 1 }'
	# Samples alone, and of the first metric alone.
	[ "$(og-metrics <"$spans" | grep exemplar | grep -vc '"request_duration_ms"')" -eq 0 ]
}

@test "an aggregate: counters, cumulative buckets, sums as whole numbers" {
	record duration_ms=5 >in
	record duration_ms=5.001 request_bytes=256 success=true >>in
	record duration_ms=60000.001 request_bytes=257 >>in
	say -i 1h -g service
	[ "${#lines[@]}" -eq 42 ]
	[ "${lines[0]}" = '{"metric":"requests_total","ts":1764586800.000000,"value":3,"tags":{"service":"post"}}' ]
	[ "${lines[1]}" = '{"metric":"request_errors_total","ts":1764586800.000000,"value":0,"tags":{"service":"post"}}' ]
	[ "${lines[2]}" = '{"metric":"request_duration_ms_bucket","ts":1764586800.000000,"value":1,"tags":{"service":"post","le":"5"}}' ]
	[ "${lines[3]}" = '{"metric":"request_duration_ms_bucket","ts":1764586800.000000,"value":2,"tags":{"service":"post","le":"10"}}' ]
	[ "${lines[14]}" = '{"metric":"request_duration_ms_bucket","ts":1764586800.000000,"value":2,"tags":{"service":"post","le":"60000"}}' ]
	[ "${lines[15]}" = '{"metric":"request_duration_ms_bucket","ts":1764586800.000000,"value":3,"tags":{"service":"post","le":"+Inf"}}' ]
	[ "${lines[16]}" = '{"metric":"request_duration_ms_sum","ts":1764586800.000000,"value":60010.002,"tags":{"service":"post"}}' ]
	[ "${lines[17]}" = '{"metric":"request_duration_ms_count","ts":1764586800.000000,"value":3,"tags":{"service":"post"}}' ]
	[ "${lines[18]}" = '{"metric":"request_size_bytes_bucket","ts":1764586800.000000,"value":1,"tags":{"service":"post","le":"256"}}' ]
	[ "${lines[19]}" = '{"metric":"request_size_bytes_bucket","ts":1764586800.000000,"value":3,"tags":{"service":"post","le":"1024"}}' ]
	[ "${lines[28]}" = '{"metric":"request_size_bytes_sum","ts":1764586800.000000,"value":813,"tags":{"service":"post"}}' ]
}

@test "an aggregate without labels" {
	record >in
	say -i 1h -g ''
	[ "${lines[0]}" = '{"metric":"requests_total","ts":1764586800.000000,"value":1,"tags":{}}' ]
	[ "${lines[2]}" = '{"metric":"request_duration_ms_bucket","ts":1764586800.000000,"value":0,"tags":{"le":"5"}}' ]
	og-metrics -di 1h -g '' <in >deltas
	og-metrics -dMi 1h <deltas >again
	cmp deltas again
}

@test "an interval holds its beginning and not its end" {
	for time in 09:59:59.999999 10:00:00.000000 10:59:59.999999 11:00:00; do
		record timestamp="\"2025-12-01T${time}Z\""
	done >in
	run -0 bash -c 'og-metrics -d -i 1h <in | grep requests_total | jq -c "[.ts,.value]"'
	[ "$output" = $'[1764583200,1]\n[1764586800,2]\n[1764590400,1]' ]
}

@test "running totals: gaps are filled, and what was met once stays" {
	record >in
	record timestamp='"2025-12-01T13:10:00Z"' service='"feed"' >>in
	record timestamp='"2025-12-01T14:10:00Z"' >>in
	run -0 bash -c 'og-metrics -i 1h -g service <in | grep requests_total | jq -r "[.ts, .value, .tags.service] | @tsv"'
	[ "$output" = $'1764586800\t1\tpost\n1764590400\t1\tpost\n1764594000\t1\tpost\n1764597600\t1\tfeed\n1764597600\t1\tpost\n1764601200\t1\tfeed\n1764601200\t2\tpost' ]
}

@test "labels: any key of the record, absent where null, sorted by their bytes" {
	for user in '"z"' null '"zz"' '"a\"b"'; do
		record user_id="$user"
	done >in
	run -0 bash -c 'og-metrics -d -i 1h -g user_id,nothing <in | grep requests_total | jq -c .tags'
	[ "$output" = $'{}\n{"user_id":"a\\"b"}\n{"user_id":"z"}\n{"user_id":"zz"}' ]
}

# aggregate INTERVAL: what `og-metrics -d -i` of hours should give, from jq and awk; service,success as labels; times are in UTC.
aggregate() {
	jq -r 'select(.duration_ms != null) | [.service, .success, (.timestamp[:13] + ":00:00Z" | fromdate), .duration_ms, .request_bytes, .response_bytes] | @tsv' "$spans" |
		awk -F '\t' '
		function hist(name, k, v, scale, bounds, n, b, i) {
			n = split(bounds, b, ",")
			for (i = 1; i <= n; i++)
				c[k, name "_bucket", b[i]] += v <= b[i]
			c[k, name "_bucket", "+Inf"]++
			c[k, name "_count", ""]++
			c[k, name "_sum", ""] += int(v * scale + .5)
			c[k, name "_sum", ""] += 0
		}
		{
			k = sprintf("%d %s %s", $3 + 3600, $1, $2)
			c[k, "requests_total", ""]++
			c[k, "request_errors_total", ""] += $2 == "false"
			hist("request_duration_ms", k, $4, 1000, "5,10,25,50,100,250,500,1000,2500,5000,10000,30000,60000")
			hist("request_size_bytes", k, $5, 1, "256,1024,4096,16384,65536,262144,1048576,16777216,67108864")
			hist("response_size_bytes", k, $6, 1, "256,1024,4096,16384,65536,262144,1048576,16777216,67108864")
		}
		END {
			for (i in c) {
				split(i, p, SUBSEP)
				print p[1], p[2], p[3], p[2] == "request_duration_ms_sum" ? sprintf("%.3f", c[i] / 1000) : sprintf("%d", c[i])
			}
		}' | sort
}

@test "aggregates of a whole world, by another route: every counter and every bucket" {
	aggregate >want
	og-metrics -d -i 1h -g service,success <"$spans" |
		sed -E 's/.*"metric":"([a-z_]*)","ts":([0-9]*)\.000000,"value":([0-9.]*),"tags":\{"service":"([a-z_-]*)","success":"(true|false)"(,"le":"([^"]*)")?\}\}$/\2 \4 \5 \1 \7 \3/' |
		sort >got
	[ -s got ]
	diff want got | head
	cmp want got
}

@test "running totals are the deltas added up" {
	og-metrics -i 6h -g service <"$spans" >totals
	og-metrics -d -i 6h -g service <"$spans" >deltas
	jq -r '[(.ts | tostring), .metric + (.tags.le // "") + " " + .tags.service, .value] | @tsv' deltas | awk -F '\t' '{ n[$2] += $3 } END { for (i in n) printf "%s %.3f\n", i, n[i] }' | sort >want
	last=$(tail -n 1 totals | sed -E 's/.*"ts":([0-9.]*),.*/\1/')
	grep "\"ts\":$last," totals | jq -r '[.metric + (.tags.le // "") + " " + .tags.service, .value] | @tsv' | awk -F '\t' '{ printf "%s %.3f\n", $1, $2 }' | sort >got
	cmp want got
	# No value ever falls, and there is one of each series at each time.
	jq -r '[.metric + (.tags.le // "") + " " + .tags.service, .ts, .value] | @tsv' totals |
		awk -F '\t' '$1 in last && ($3 < last[$1] || $2 != at[$1] + 21600) { print; bad = 1 } { last[$1] = $3; at[$1] = $2 } END { exit bad }'
}

@test "shards of several worlds, added up, are the whole, byte for byte" {
	for seed in 1 2 3; do
		og-entities -c social -s "$seed" -b 2025-12-01 -e 2025-12-02 -n 600 | og-incidents >w
		og-events -w w | og-spans -w w >all
		for every in 1h 10s; do
			og-metrics -d -i $every <all >whole.deltas
			og-metrics -i 1h <all >whole.totals
			for n in 1 2 7; do
				for ((k = 1; k <= n; k++)); do
					og-events -w w -k $k/$n | og-spans -w w | og-metrics -d -i $every
				done >shards
				og-metrics -M -d -i $every <shards | cmp - whole.deltas
			done
			# Of so many shards the seams must have met an interval, or this shows nothing.
			[ "$every" != 1h ] || [ "$(wc -l <shards)" -gt "$(wc -l <whole.deltas)" ]
			[ "$every" != 1h ] || og-metrics -M -i 1h <shards | cmp - whole.totals
		done
	done
}

@test "shards of a world with queues, whose readers may start long after the root" {
	og-entities -c shop -n 1000 | og-incidents >w
	og-events -w w | og-spans -w w | og-metrics -c shop -d -i 10s >whole
	for k in 1 2 3 4 5; do
		og-events -w w -k $k/5 | og-spans -w w | og-metrics -c shop -d -i 10s
	done >shards
	og-metrics -c shop -M -d -i 10s <shards | cmp - whole
}

@test "merging twice changes nothing; blanks and order of keys are no matter" {
	og-metrics -d -i 1h <"$spans" >deltas
	og-metrics -M -d -i 1h <deltas >again
	cmp deltas again
	jq '{tags, value, ts, metric}' <(head -n 84 deltas) | jq -c . | sed 's/:/ : /' >odd
	og-metrics -M -d -i 1h <odd | cmp - <(head -n 84 deltas)
}

@test "spans in another order: deltas again, and the same after -M" {
	og-metrics -d -i 10s -g service <"$spans" >want
	# Roots move by up to half a minute: a request may last one.
	jq -r '.timestamp[:19] + "Z" | fromdate' "$spans" | awk -v seed=3 'BEGIN { srand(seed) } { printf "%.6f\n", $1 + rand() * 30 }' |
		paste - "$spans" | sort -n -s -k1,1 | cut -f 2- >moved
	run ! cmp -s moved "$spans"
	og-metrics -d -i 10s -g service <moved >deltas
	run ! cmp -s want deltas
	og-metrics -M -d -i 10s <deltas | cmp - want
	head -n 300 moved >few
	run -1 --separate-stderr og-metrics -i 10s -g '' <few
	# shellcheck disable=SC2154 # bats sets it
	[[ ${stderr_lines[0]} =~ ^"og-metrics: <stdin>:"[0-9]+": of an interval that is written already"$ ]]
}

@test "whole reversed input: the sums are the same, in any number of lines" {
	tac "$spans" | og-metrics -d -i 1d -g service >reversed
	og-metrics -d -i 1d -g service <"$spans" >want
	add() {
		jq -r '[.ts, .metric, .tags.le // "", .tags.service, .value] | @tsv' "$1" | awk -F '\t' '{ n[$1 " " $2 " " $3 " " $4] += $5 } END { for (i in n) printf "%s %.3f\n", i, n[i] }' | sort
	}
	cmp <(add reversed) <(add want)
}

@test "counters are numbers of lines" {
	og-metrics -i 1000d -g "" <"$spans" >all
	run -0 jq .value all
	[ "${lines[0]}" -eq "$(grep -vc '"duration_ms":null' "$spans")" ]
	[ "${lines[1]}" -eq "$(grep -c '"success":false' "$spans")" ]
}

@test "an interval is written as soon as a root begins behind it" {
	mkfifo fifo
	record >first
	record timestamp='"2025-12-01T11:00:00Z"' parent_span_id='"b"' >child
	record timestamp='"2025-12-01T11:00:00Z"' >root
	og-metrics -d -i 1h -g '' <fifo >out &
	exec {fd}>fifo
	cat first child >&"$fd"
	sleep 0.3
	[ ! -s out ]
	cat root >&"$fd"
	for _ in {1..50}; do
		[ ! -s out ] || break
		sleep 0.1
	done
	[ "$(wc -l <out)" -eq 42 ]
	exec {fd}>&-
	wait $!
	[ "$(wc -l <out)" -eq 84 ]
}

@test "without roots an interval is written when a request can last no longer" {
	record parent_span_id='"b"' >in
	record parent_span_id='"b"' timestamp='"2025-12-01T10:01:59Z"' >>in
	record parent_span_id='"b"' timestamp='"2025-12-01T10:00:59Z"' >>in
	say -i 1m
	record parent_span_id='"b"' timestamp='"2025-12-01T10:02:00Z"' >>in
	record parent_span_id='"b"' timestamp='"2025-12-01T10:00:59Z"' >>in
	run -1 --separate-stderr og-metrics -i 1m <in
	[ "$stderr" = "og-metrics: <stdin>:5: of an interval that is written already" ]
}

@test "-M: intervals older than a request can last are an error" {
	record >in
	og-metrics -di 1m <in >old
	record timestamp='"2025-12-01T10:01:59Z"' >in
	og-metrics -di 1m <in >near
	record timestamp='"2025-12-01T10:02:00Z"' >in
	og-metrics -di 1m <in >far
	cat near old | og-metrics -dMi 1m | cmp - <(cat old near)
	run -1 --separate-stderr og-metrics -dMi 1m <<<"$(cat far old)"
	[ "${#stderr_lines[@]}" -eq 42 ]
	[ "${stderr_lines[0]}" = "og-metrics: <stdin>:43: of an interval that is written already" ]
	[ "$output" = "$(cat far)" ]
}

@test "-c: metrics, tags and bounds of another catalog" {
	cp -R "$OG_SHARE/social" mine
	sed -i 's/^buckets_ms.*/buckets_ms\t0.5,1e/' mine/lists.tsv
	record >in
	run -2 --separate-stderr og-metrics -c ./mine -i 1h <in
	sed -i 's/^buckets_ms.*/buckets_ms\t0.5,20/' mine/lists.tsv
	run -0 bash -c 'og-metrics -c ./mine -i 1h -g "" <in | grep duration | jq -c "[.value,.tags.le]"'
	[ "$output" = $'[0,"0.5"]\n[1,"20"]\n[1,"+Inf"]\n[12.345,null]\n[1,null]' ]
	sed -i -e '/^metrics/d' -e '/^tags/d' mine/layouts.tsv
	printf '%s\t%s\t%s\t%s\t%s\n' metrics sample took '{span.duration_ms}' 'ok & !child' metrics sample took '{span.db_queries}' write \
		tags sample kind '{const.application}' 'action=nothing' >>mine/layouts.tsv
	run -2 --separate-stderr og-metrics -c ./mine <in
	sed -i '/nothing/d' mine/layouts.tsv
	printf '%s\t%s\t%s\t%s\t%s\n' tags sample kind '{const.application}' 'span.db_queries>1' tags sample kind '{operation.name}' '' >>mine/layouts.tsv
	record db_queries=1 parent_span_id='"b"' >>in
	record db_queries=1 success=false is_write=true >>in
	run -0 bash -c 'og-metrics -c ./mine <in | jq -c "[.metric,.value,.tags,.exemplar]"'
	[ "$output" = '["took",12.345,{"kind":"social"},null]
["took",1,{"kind":"like_post"},"0123456789abcdef0123456789abcdef"]' ]
}

@test "a catalog without metrics and tags of its own has those of social" {
	og-metrics -c shop <"$spans" | cmp - <(og-metrics <"$spans")
}

@test "-l: another layout" {
	cp -R "$OG_SHARE/social" mine
	printf '%s\tspan\t%s\t%s\t\n' brief at '{span.time.ns}' brief good '{status.ok}' brief took '{span.duration_ms:.3}' >>mine/layouts.tsv
	echo '{"at":1764583230250000999,"good":true,"took":3}' >in
	run -0 --separate-stderr og-metrics -c ./mine -l brief <in
	[ "$output" = '{"metric":"request_duration_ms","ts":1764583230.250000,"value":3,"tags":{"success":"true"}}' ]
	[ "${stderr_lines[0]}" = 'og-metrics: layout "brief" has no key for "request_size_bytes" of layout "metrics": left out' ]
	og-events -w "$world" -l blind | og-spans -w "$world" -l blind | og-metrics -l blind | cmp - <(og-metrics <"$spans")
	run -2 --separate-stderr og-metrics -l log <in
	[[ $stderr = *'layout "log" has no key for "request_duration_ms"' ]]
	run -2 --separate-stderr og-metrics -l none <in
	[ "$stderr" = 'og-metrics: no layout "none" in catalog social' ]
}

@test "bad records: each with its line, the others are written" {
	for bad in '{' '[]' 'x' '' '{"a":1}{' '{"timestamp":"2025-12-01T10:00:00Z","timestamp":1}'; do
		printf '%s\n' "$bad" >in
		record >>in
		run -1 --separate-stderr og-metrics <in
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr = "og-metrics: <stdin>:1: "?* ]]
		[ "${#lines[@]}" -eq 5 ]
	done
}

@test "what a record must have" {
	record 'timestamp=null' >in
	refused '"timestamp" is not there'
	record 'timestamp="yesterday"' >in
	refused '"timestamp" is no time'
	record 'timestamp=12' >in
	refused '"timestamp" is no time'
	record success=null >in
	refused '"success" is neither true nor false'
	record 'duration_ms="1"' >in
	refused '"request_duration_ms" is no number'
	record 'duration_ms=-1' >in
	refused '"request_duration_ms" is no number of up to three decimals'
	record 'duration_ms=1.0005' >in
	refused '"request_duration_ms" is no number of up to three decimals' -i 1h
	record 'request_bytes=1.5' >in
	refused '"request_size_bytes" is no whole number' -i 1h
	record 'response_bytes=[]' >in
	refused '"response_size_bytes" is no number' -i 1h
	record 'service={}' >in
	refused '"service" is neither text nor number'
	record 'service="x"' | sed 's/"service":"x"/"service":"\\u0000"/' >in
	refused '"service" holds a NUL'
}

@test "hostile lines" {
	record >good
	for make in 'head -c 2097152 /dev/zero | tr "\0" a; echo' 'printf "{\"a\":\"\\000\"}\n"' 'printf "{\"a\":\"\\377\"}\n"' \
		'printf "%010000d\n" 0 | tr 0 "["' 'printf "{\"a\":%010000d}\n" 0 | tr 0 "["'; do
		{ bash -c "$make"; cat good; } >in
		for options in '' '-i 1h' '-M -i 1h'; do
			# shellcheck disable=SC2086 # several words
			run -1 --separate-stderr og-metrics $options <in
			[[ ${stderr_lines[0]} = "og-metrics: <stdin>:1: "?* ]]
		done
	done
}

@test "tags nearly as long as a line" {
	{ printf '{"timestamp":"2025-12-01T10:00:00Z","success":true,"duration_ms":1,"service":"'; head -c 1048480 /dev/zero | tr '\0' a; echo '"}'; } >in
	refused 'gives a sample longer than a line may be'
	refused 'has labels longer than a line may be' -i 1h
	sed -i 's/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}/"}/' in
	say -d -i 1h
	og-metrics -d -i 1h <in >deltas
	og-metrics -M -d -i 1h <deltas >again
	cmp deltas again
}

@test "-M: bad lines" {
	bad() {
		printf '%s\n' "$2" >in
		refused "$1" -M -i 1h
	}
	bad 'no "metric", "ts", "value" or "tags"' '{"metric":"requests_total","ts":3600,"value":1}'
	bad 'no "metric", "ts", "value" or "tags"' '{"metric":"requests_total","ts":3600,"value":1,"tags":"x"}'
	bad '"ts" is not the end of an interval' '{"metric":"requests_total","ts":3601,"value":1,"tags":{}}'
	bad '"ts" is not the end of an interval' '{"metric":"requests_total","ts":0,"value":1,"tags":{}}'
	bad '"ts" is not the end of an interval' '{"metric":"requests_total","ts":9223372036800,"value":1,"tags":{}}'
	bad 'not a counter or bucket of this catalog' '{"metric":"cache_hit","ts":3600,"value":1,"tags":{}}'
	bad 'not a counter or bucket of this catalog' '{"metric":"requests_total","ts":3600,"value":1,"tags":{"le":"5"}}'
	bad 'not a counter or bucket of this catalog' '{"metric":"request_duration_ms_bucket","ts":3600,"value":1,"tags":{"le":"6"}}'
	bad 'not a counter or bucket of this catalog' '{"metric":"request_duration_ms_bucket","ts":3600,"value":1,"tags":{}}'
	bad '"value" is no count or sum' '{"metric":"requests_total","ts":3600,"value":1.5,"tags":{}}'
	bad '"value" is no count or sum' '{"metric":"requests_total","ts":3600,"value":-1,"tags":{}}'
	bad '"value" is no count or sum' '{"metric":"requests_total","ts":3600,"value":"1","tags":{}}'
	bad '"value" is no count or sum' '{"metric":"requests_total","ts":3600,"value":999999999999999999999999999999999999,"tags":{}}'
	bad 'a tag is no text' '{"metric":"requests_total","ts":3600,"value":1,"tags":{"a":1}}'
	bad 'key "a" twice' '{"metric":"requests_total","ts":3600,"value":1,"tags":{"a":"1","a":"2"}}'
	record >in
	refused 'no "metric", "ts", "value" or "tags"' -M -i 1h
}

@test "a table of figures, by another route" {
	og-entities -c fibersqs -n 20000 >w
	og-events -w w -l txn_facts >facts
	og-metrics -c fibersqs -l service_metrics -i 10m -f csv <facts >table
	jq -rs 'def at($p): .[((length * $p / 100) | ceil) - 1];
	    def of($n): . * 10000 / $n | round / 10000;
	    map(. + {window: (.start_ts[:16] | sub(".$"; "0") + ":00Z")}) | group_by([.window, .origin_region, .txn_type])[] |
	    (map(.end_to_end_latency_ms) | sort) as $ms |
	    [.[0].window, .[0].origin_region, .[0].txn_type, (length | of(600)), (length as $n | map(select(.success | not)) | length | of($n)),
	     ($ms | at(95)), ($ms | at(99)), ($ms | add * 100 | round | of(720000000))] | @csv' facts | tr -d '"' >want
	[ "$(wc -l <want)" -gt 5000 ]
	cmp want <(sed 1d table)
	og-metrics -c fibersqs --layout service_metrics -i 10m --format tsv <facts | tr '\t' , | cmp - table
	og-metrics -c fibersqs -l service_metrics -i 10m <facts | jq -r '[.[]] | @csv' | tr -d '"' | cmp - want
}

@test "a table of the events of all shards, and of slices of time" {
	og-entities -c fibersqs -n 5000 >w
	og-events -w w -l txn_facts | og-metrics -c fibersqs -l service_metrics -i 1h >whole
	for k in 1 2 3 4 5; do
		og-events -w w -l txn_facts -k $k/5
	done | og-metrics -c fibersqs -l service_metrics -i 1h | cmp - whole
	{
		og-events -w w -l txn_facts -e 2025-12-03T07:00:00Z | og-metrics -c fibersqs -l service_metrics -i 1h
		og-events -w w -l txn_facts -b 2025-12-03T07:00:00Z | og-metrics -c fibersqs -l service_metrics -i 1h
	} | cmp - whole
}

@test "a table needs an interval, and lines that have what it asks for" {
	usage_error() {
		run -2 --separate-stderr og-metrics "${@:2}" </dev/null
		[ -z "$output" ]
		[ "$stderr" = "og-metrics: $1" ]
	}
	usage_error 'layout "service_metrics" needs -i' -c fibersqs -l service_metrics
	usage_error 'layout "service_metrics" goes without -d' -c fibersqs -l service_metrics -i 1m -d
	usage_error 'layout "service_metrics" goes without -g' -c fibersqs -l service_metrics -i 1m -g x
	usage_error 'layout "service_metrics" goes without -M' -c fibersqs -l service_metrics -i 1m -M
	usage_error '-f needs a layout of aggregates' -f csv
	usage_error 'no format "xml": json, csv or tsv' -f xml
	cp -r "$OG_SHARE/fibersqs" mine
	chmod -R u+w mine
	sed -i '/^txn_facts\tevent\ttxn_type/d' mine/layouts.tsv
	usage_error 'no layout of events or spans has all that layout "service_metrics" of catalog mine groups by and measures' \
		-c ./mine -l service_metrics -i 1m
	og-entities -c fibersqs -n 500 | og-events -l txn_facts >facts
	{ tac facts | tail -n 2 && head -n 1 facts && echo '{}' && echo x; } >odd
	og-metrics -c fibersqs -l service_metrics -i 1s <<<"$(tail -n 1 facts && head -n 1 facts)" >got 2>said || status=$?
	[ "$status" -eq 1 ]
	[ "$(cat said)" = "og-metrics: <stdin>:2: is of an interval that is written already: lines have to come in order of time" ]
	[ "$(wc -l <got)" -eq 1 ]
	run -1 --separate-stderr og-metrics -c fibersqs -l service_metrics -i 1s <odd
	[ "$(grep -c '^og-metrics: <stdin>:[45]: ' <<<"$stderr")" -eq 2 ]
}

@test "usage" {
	for options in '-d' '-M' '-g service' '-i 0s' '-i x' '-i' '-i 5' '-M -i 1h -g a' '-i 1h -g a,a' '-i 1h -g le' '-i 1h -g a,' '-i 1h -g ,' '-c nothing' '-x' 'file'; do
		# shellcheck disable=SC2086 # several words
		run -2 --separate-stderr og-metrics $options </dev/null
		[ -z "$output" ]
		[ -n "$stderr" ]
	done
	run -2 --separate-stderr og-metrics -i 1h -g $'a\tb' </dev/null
	run -2 --separate-stderr og-metrics -i 1h -g 'a"b' </dev/null
	run -2 --separate-stderr og-metrics -i 1h -g "$(seq -s , 100)" </dev/null
	[ "$stderr" = "og-metrics: more than 64 keys are read" ]
}

@test "long options" {
	og-metrics --deltas --interval 1h --labels service --layout wide --catalog social <"$spans" >long
	og-metrics -di 1h -g service <"$spans" | cmp - long
	og-metrics --merge --deltas --interval=1h <long >again
	cmp long again
}

@test "empty input, no newline at the end" {
	for options in '' '-i 1h' '-d -i 1h' '-M -i 1h'; do
		# shellcheck disable=SC2086 # several words
		run -0 --separate-stderr og-metrics $options </dev/null
		[ -z "$output$stderr" ]
	done
	record >in
	printf %s "$(cat in)" | og-metrics | cmp - <(og-metrics <in)
}

@test "a full disk, closed streams" {
	record >in
	for options in '' '-i 1h'; do
		# shellcheck disable=SC2016 # for the inner shell
		run -1 --separate-stderr bash -c 'og-metrics $1 <in >/dev/full' - "$options"
		[ "$stderr" = "og-metrics: <stdout>: No space left on device" ]
		# shellcheck disable=SC2016 # for the inner shell
		run -1 --separate-stderr bash -c 'og-metrics $1 <in >&-' - "$options"
		[ "$stderr" = "og-metrics: <stdout>: Bad file descriptor" ]
		# shellcheck disable=SC2016 # for the inner shell
		run -1 --separate-stderr bash -c 'og-metrics $1 <&-' - "$options"
		[ "$stderr" = "og-metrics: <stdin>: Bad file descriptor" ]
	done
}
