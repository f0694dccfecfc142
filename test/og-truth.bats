# og-truth: counts against those of the lines, differences against runs without an incident, shards, bad input.
bats_require_minimum_version 1.5.0

load common

# Four incidents, two of which overlap, and one that meets nothing.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	og-entities -c social -s 7 -b 2025-12-01 -e 2025-12-04 -n 6000 | og-incidents -N \
		-a component=redis_feed,start=2025-12-01T10:00:00Z,duration=6h,errors=0.1,latency=3,environment=prod \
		-a component=aurora_primary,start=2025-12-01T14:00:00Z,duration=5h,errors=0.1,latency=2,environment=prod \
		-a component=media_processing,start=2025-12-02T08:00:00Z,duration=8h,latency=40 \
		-a component=redis_content,start=2025-12-03T01:00:00Z,duration=1s >world.ndjson
	og-events -w world.ndjson >events.ndjson
	og-spans -w world.ndjson <events.ndjson >spans.ndjson
	og-truth -w world.ndjson <events.ndjson >counts.ndjson
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

# Spans of requests, without the records of rollouts.
requests() {
	grep -v '"user_id":"system"' "$1"
}

@test "totals are those of the lines" {
	want=$(jq -n -c '[inputs | select(.user_id != "system")] | [length, (map(select(.success | not)) | length)]' spans.ndjson)
	[ "$(jq -c 'select(.kind == "total") | [.spans, .spans_failed]' counts.ndjson)" = "$want" ]
	want=$(jq -n -c '[inputs | select(.user_id != "system")] | [length, (map(select(.success | not)) | length)]' events.ndjson)
	[ "$(jq -c 'select(.kind == "total") | [.requests, .requests_failed]' counts.ndjson)" = "$want" ]
	[ "$(jq 'select(.kind == "total").rollout_records' counts.ndjson)" = "$(grep -c '"user_id":"system"' events.ndjson)" ]
	[ "$(jq -r 'select(.kind == "total") | .first + " " + .last' counts.ndjson)" = \
		"$(requests events.ndjson | jq -r .timestamp | sed -n '1p;$p' | paste -sd ' ')" ]
}

@test "operations, personas and sources are those of the lines" {
	requests spans.ndjson | jq -r '[(if .stack then .stack + ":" else "" end) + .service, .action, .success, .parent_span_id == null] | @tsv' |
		awk -F '\t' '{ k = $1 " " $2; n[k]++; f[k] += $3 == "false"; r[k] += $4 == "true"; rf[k] += $3 == "false" && $4 == "true" }
		END { for (k in n) print k, r[k], n[k], rf[k], f[k] }' | sort >want
	[ "$(wc -l <want)" -gt 100 ]
	jq -r 'select(.kind == "operation") | [.service, .action, .requests, .spans, .requests_failed, .spans_failed] | join(" ")' counts.ndjson |
		sort | diff want -
	requests spans.ndjson | jq -r '[.persona, .success, .parent_span_id == null] | @tsv' |
		awk -F '\t' '{ n[$1]++; f[$1] += $2 == "false"; r[$1] += $3 == "true" } END { for (k in n) print k, r[k], n[k], f[k] }' | sort >want
	jq -r 'select(.kind == "persona") | [.persona, .requests, .spans, .spans_failed] | join(" ")' counts.ndjson | sort | diff want -
	jq -r '.error_source // empty | sub("^deployment:.*"; "deployment")' spans.ndjson | sort | uniq -c | awk '{ print $2, $1 }' >want
	[ "$(wc -l <want)" -gt 5 ]
	jq -r 'select(.kind == "source") | "\(.source) \(.spans_failed)"' counts.ndjson | sort | diff want -
}

@test "what an incident failed is what names it as cause" {
	jq -r 'select(.kind == "incident") | [.id, .requests_failed, .spans_failed] | @tsv' counts.ndjson >incidents
	[ "$(wc -l <incidents)" -eq 4 ]
	while IFS=$'\t' read -r id requests spans; do
		[ "$(grep -c "\"cause\":\"$id\"" events.ndjson)" = "$requests" ]
		[ "$(grep -c "\"cause\":\"$id\"" spans.ndjson)" = "$spans" ]
	done <incidents
	[ "$(awk '$2 > 20' incidents | wc -l)" -eq 3 ]
}

@test "what it touched and slowed is the difference to a run without it" {
	for id in $(jq -r 'select(.kind == "incident").id' counts.ndjson); do
		grep -v "\"id\":\"$id\"" world.ndjson >without.ndjson
		og-events -w without.ndjson | og-spans -w without.ndjson >other.ndjson
		comm -3 <(sort spans.ndjson) <(sort other.ndjson) | tr -d '\t' | jq -r .trace_id | sort -u | wc -l >touched
		join <(jq -r 'select(.success and .duration_ms) | "\(.span_id) \(.duration_ms) \(.parent_span_id == null)"' spans.ndjson | sort) \
			<(jq -r 'select(.success and .duration_ms) | "\(.span_id) \(.duration_ms)"' other.ndjson | sort) |
			awk '$2 > $4 { n++; r += $3 == "true" } END { print n + 0, r + 0 }' >slowed
		[ "$(jq -r "select(.id == \"$id\") | \"\\(.spans_slowed) \\(.requests_slowed)\"" counts.ndjson)" = "$(cat slowed)" ]
		[ "$(jq "select(.id == \"$id\").requests_touched" counts.ndjson)" = "$(cat touched)" ]
	done
	[ "$(jq -s 'map(.requests_slowed // 0) | add' counts.ndjson)" -gt 100 ]
}

@test "harm: what people asked for adds up to the incident" {
	jq -r 'select(.kind == "incident" and .requests_touched > 0) | [.id, .requests_touched, .requests_failed, .requests_slowed] | @tsv' \
		counts.ndjson | sort >want
	[ "$(wc -l <want)" -eq 3 ]
	jq -r 'select(.kind == "harm") | [.incident, .requests_touched, .requests_failed, .requests_slowed] | @tsv' counts.ndjson |
		awk -F '\t' '{ t[$1] += $2; f[$1] += $3; s[$1] += $4 } END { for (k in t) print k "\t" t[k] "\t" f[k] "\t" s[k] }' | sort | diff want -
	id=$(head -n 1 want | cut -f 1)
	jq -r "select(.kind == \"harm\" and .incident == \"$id\" and .requests_failed > 0) | \"\\(.service) \\(.action) \\(.requests_failed)\"" \
		counts.ndjson | sort >got
	grep "\"cause\":\"$id\"" events.ndjson | jq -r '"\(.stack):\(.service) \(.action)"' | sort | uniq -c | awk '{ print $2, $3, $1 }' | sort | diff - got
}

@test "reach: services add up to the incident, and failures that travelled are hops away" {
	jq -r 'select(.kind == "incident") | [.id, .spans_failed, .spans_slowed] | @tsv' counts.ndjson | sort >want
	jq -r 'select(.kind == "reach") | [.incident, .spans_failed, .spans_slowed] | @tsv' counts.ndjson |
		awk -F '\t' '{ f[$1] += $2; s[$1] += $3 } END { for (k in f) print k "\t" f[k] "\t" s[k] }' | sort |
		join -t "$(printf '\t')" -a 2 - want | awk -F '\t' 'NF == 5 ? $2 != $4 || $3 != $5 : $2 + $3 != 0'  >bad
	[ ! -s bad ]
	# A service that an incident struck is not further away than 0; one that only quotes a callee is.
	id=$(jq -r 'select(.kind == "incident").id' counts.ndjson | head -n 1)
	grep "\"cause\":\"$id\"" spans.ndjson | jq -r '[.stack + ":" + .service, (.error_source | startswith("infrastructure:"))] | @tsv' |
		awk -F '\t' '$2 == "true" { hit[$1] = 1 } { seen[$1] = 1 } END { for (k in seen) print k, hit[k] ? 0 : 1 }' | sort >want
	[ "$(wc -l <want)" -ge 4 ]
	jq -r "select(.kind == \"reach\" and .incident == \"$id\" and .spans_failed > 0) | \"\\(.service) \\(if .hops > 0 then 1 else 0 end)\"" \
		counts.ndjson | sort | diff want -
}

@test "shards add up to the whole, in any order; so do counts of counts" {
	for k in 1 2 3 4 5; do
		og-events -w world.ndjson -k $k/5 | og-truth -w world.ndjson >"part.$k"
	done
	cat part.? | og-truth -w world.ndjson -M | cmp - counts.ndjson
	cat part.5 part.2 part.1 part.4 part.3 | og-truth -w world.ndjson -M | cmp - counts.ndjson
	cat part.1 part.2 | og-truth -w world.ndjson -M | cat - part.[345] | og-truth --merge -w world.ndjson | cmp - counts.ndjson
}

@test "-M refuses sums that are too large, and keeps what came before" {
	local most=18446744073709551615 key

	for key in requests spans requests_failed spans_failed rollout_records; do
		printf '{"kind":"total","first":"2025-01-01T00:00:00Z","last":"2025-01-01T00:00:00Z","%s":%s}\n' "$key" "$most" "$key" 1 >large
		run -1 --separate-stderr og-truth -M -w world.ndjson <large
		[ "$stderr" = "og-truth: <stdin>:2: a sum of counts is above $most" ]
		[[ "$output" == *"\"$key\":$most"* ]]
	done
	printf '{"kind":"source","source":"self","spans_failed":%s}\n' "$most" 1 >large
	run -1 --separate-stderr og-truth -M -w world.ndjson <large
	[ "$stderr" = "og-truth: <stdin>:2: a sum of counts is above $most" ]
}

@test "input of any kind: another order, other layouts, an unterminated line" {
	sort -R events.ndjson | og-truth -w world.ndjson | cmp - counts.ndjson
	for layout in keys log blind; do
		og-events -w world.ndjson -l "$layout" | og-truth -w world.ndjson | cmp - counts.ndjson
	done
	head -c -1 events.ndjson | og-truth -w world.ndjson | cmp - counts.ndjson
	og-truth --world world.ndjson --catalog social --requests 6000 <events.ndjson | cmp - counts.ndjson
	requests events.ndjson | sed -n 5p >one
	[ "$(og-truth -w world.ndjson <one | jq -r 'select(.kind == "total") | "\(.requests) \(.first)"')" = "1 $(jq -r .timestamp one)" ]
	run -0 og-truth -w world.ndjson </dev/null
	[[ $output = *'"requests":0,"spans":0'* ]]
}

@test "lines that are no events are reported, counted out, and exit 1" {
	og-entities -c social -s 8 -b 2025-12-01 -e 2025-12-04 -n 100 | og-events | requests /dev/stdin | head -n 1 >other
	{
		head -n 20 events.ndjson
		echo '{"timestamp":"2025-12-01T00:00:00Z"}'
		echo 'no json'
		cat other
		requests events.ndjson | sed -n 30p | sed 's/"timestamp":"[^"]*"/"timestamp":"yesterday"/'
		grep -m 1 -v '"parent_span_id":null' spans.ndjson
	} >bad
	run -1 --separate-stderr og-truth -w world.ndjson <bad
	[ "$(grep -c '^og-truth: <stdin>:2[1-5]: ' <<<"$stderr")" -eq 5 ]
	[ "$output" = "$(head -n 20 events.ndjson | og-truth -w world.ndjson)" ]
	for line in '{"kind":"total"' '{"kind":"other"}' '{}' '{"kind":"incident","id":"inc_none"}' '{"kind":"persona","persona":"x"}' \
		'{"kind":"source","source":"infrastructure:x"}' '{"kind":"total","requests":-1}' '{"kind":"total","requests":1}' \
		'{"kind":"operation","service":"a","action":"b"}' '{"kind":"reach","incident":"x","service":"y","hops":999}'; do
		run -1 --separate-stderr og-truth -M -w world.ndjson <<<"$line"
		[[ $stderr = "og-truth: <stdin>:1: "* ]]
		[[ $output = *'"requests":0,'* ]]
	done
}

@test "options and files that cannot be used" {
	run -2 og-truth </dev/null
	run -2 og-truth -w world.ndjson more </dev/null
	run -2 --separate-stderr og-truth -w none </dev/null
	run -2 og-truth -w world.ndjson -c shop </dev/null
	for n in 0 -1 x 500000000001; do
		run -2 og-truth -w world.ndjson -n "$n" </dev/null
	done
	run -1 bash -c 'og-truth -w world.ndjson <events.ndjson >/dev/full'
	run -1 bash -c 'og-truth -w world.ndjson <&-'
	run -1 bash -c 'og-truth -w world.ndjson </'
}

@test "memory does not grow with the requests" {
	og-entities -c social -b 2025-12-01 -e 2025-12-04 -n 60000 | og-incidents -N \
		-a component=redis_feed,start=2025-12-01T10:00:00Z,duration=24h,errors=0.1,latency=3 >many.ndjson
	og-events -w many.ndjson -l log >many
	rss() {
		head -n "$1" many | python3 -c 'import resource, subprocess, sys
subprocess.run(["og-truth", "-w", "many.ndjson"], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)'
	}
	few=$(rss 20000)
	all=$(rss 60000)
	((all < few + 3000))
}
