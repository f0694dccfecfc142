#!/usr/bin/env bats
# og-events: what it accepts, what it refuses, how it ends. That the data keep their promises is for laws.bats.
# shellcheck disable=SC2002,SC2016,SC2154 # a pipe is meant; for the inner shell; stderr comes from run

bats_require_minimum_version 1.5.0
load common
load reader

golden() {
	cat <<'SUMS'
test/catalogs/orders wide json 49725ac4e39383258670d52b9a4710c4
test/catalogs/orders blind tsv ac9555e00e1a2fd8f7ad57b2ac1f1e2e
share/og/shop wide json 5334c2e6f667254d5cd3b3cae17c75ad
share/og/social wide json 539457b01a5595255e6de8c556247431
share/og/social log csv 62ae3f67f4d2d1b54eb5e8969d70785a
share/og/social blind json 70b71d81de0bda25217e118df3022cc8
SUMS
}

of_small() {
	og-events -c "$catalog" -w small -l "$layout" -f "$format"
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	cp -r "$OG_ROOT/test/catalogs/orders" .
	og-entities -c ./orders -n 2000 | og-incidents -c ./orders >w
	og-events -c ./orders -w w >e
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

# events [OPTION...] with the world of lines on standard input.
events() {
	og-events -c ./orders "$@"
}

# bad MESSAGE: what stands on standard input is no world.
bad() {
	cat >bad
	refused 2 "og-events: bad:$1" og-events -c ./orders -w bad
}

@test "small worlds, byte for byte" {
	goldens 3 500 of_small
}

@test "-b and -e: dates, times and offsets; outside of the world there is nothing" {
	local all

	all=$(wc -l <e)
	events -w w -b 2026-03-02 -e 2026-03-09 | cmp - e
	events -w w --begin 2026-03-02T00:00:00Z --end 2026-03-09T01:00:00+01:00 | cmp - e
	events -w w -b 1990-01-01 -e 2990-01-01 | cmp - e
	[ "$(($(events -w w -e 2026-03-05T12:34:56.789Z | wc -l) + $(events -w w -b 2026-03-05T12:34:56.789Z | wc -l)))" -eq "$all" ]
	[ -z "$(events -w w -b 2027-01-01)" ]
	[ -z "$(events -w w -e 2026-01-01)" ]
	# One microsecond is a slice.
	t=$(sed -n '1000s/.*"timestamp":"\([^"]*\)".*/\1/p' e)
	[ "$(events -w w -b "$t" -e "$(awk -v t="$t" 'BEGIN { printf "%s.%06dZ", substr(t, 1, 19), substr(t, 21, 6) + 1 }')" | wc -l)" -ge 1 ]
}

@test "-c: a name, a path, and a catalog that is not the world's" {
	events -w w | cmp - e
	mkdir -p share
	cp -r "$OG_SHARE/default" orders share
	OG_SHARE=$PWD/share og-events -w w | cmp - e
	run -2 --separate-stderr og-events -w w
	[[ "$stderr" == "og-events: orders: no such catalog in $OG_SHARE, which is OG_SHARE, or in /"* ]]
	refused 2 'og-events: w:1: a world of catalog "orders", not "social"' og-events -c social -w w
}

@test "-f: tables have a line of names, and only the first shard has it" {
	local f

	events -w w -f json | cmp - e
	for f in csv tsv; do
		events -w w -f "$f" >table
		[ "$(wc -l <table)" -eq "$(($(wc -l <e) + 1))" ]
		for k in 1 2 3 4; do events -w w -f "$f" -k "$k/4"; done | cmp - table
	done
	[ "$(head -n 1 table | cut -f1-4)" = "$(printf 'timestamp\tlevel\tservice\tstack')" ]
	# As many cells in each row as names.
	awk -F'\t' 'NR == 1 { n = NF } NF != n { exit 1 }' table
	# Cells are the values of the JSON lines.
	diff <(cut -f1,7,11 table | sed 1d) <(jq -r '[.timestamp, .request_id, .trace_id] | @tsv' e)
	refused 2 'og-events: no format "xml": json, csv or tsv' events -w w -f xml
}

@test "-k: K/N, and nothing else" {
	local k

	events -w w -k 1/1 | cmp - e
	events -w w --shard 1/1 | cmp - e
	# More shards than sessions.
	[ "$(for k in 1 2000 4000; do events -w w -k "$k/4000"; done | wc -l)" -lt 100 ]
	events -w w -k 4294967295/4294967295 >/dev/null
	for k in 0/4 5/4 x/y 1/0 1/x 1/ /1 1 '' -1/4 1/4294967296 1/2/3 1.5/4 ' 1/4'; do
		run -2 --separate-stderr events -w w -k "$k"
		[ -z "$output" ]
		[[ $stderr = og-events:*shard* ]]
	done
}

@test "-l: layouts of the catalog, with the keys they have" {
	[ "$(events -w w -l wide | md5sum)" = "$(md5sum <e)" ]
	[ "$(events -w w -l log | jq -c 'keys_unsorted | length' | sort -u)" = 21 ]
	run ! grep -qE '"(error_source|upstream_request_id|cause)"' <(events -w w --layout blind)
	refused 2 'og-events: no layout "no" in catalog orders' events -w w -l no
	run -2 --separate-stderr events -w w -l metrics
	[ -z "$output" ]
}

@test "-l keys: the same requests and marks as in any other layout" {
	for catalog in ./orders shop social; do
		og-entities -c $catalog -n 20000 | og-incidents -c $catalog >all
		og-events -v -w all 2>told | jq -c '[.timestamp, .trace_id]' >want
		og-events -v -w all -l keys 2>told.keys | jq -c '[.timestamp, .trace_id]' | cmp - want
		cmp told told.keys
		cat told >>held
	done
	grep -E ' requests, [1-9][0-9]* of them not let through' held # so there was something to decide
}

@test "-n: another number of requests, with a note" {
	run -0 --separate-stderr events -w w -n 100
	[[ $stderr = *"100 requests instead of the world's 2000"* ]]
	run -0 --separate-stderr events -w w -n 2000
	[ -z "$stderr" ]
	for n in 0 -1 x 500000000001 1000000000000 99999999999999999999 1e3 ''; do
		refused 2 "og-events: number of requests is" events -w w -n "$n"
	done
	# The largest there is would keep too many busy at once.
	run -1 --separate-stderr events -w w -n 500000000000 -b 2026-03-04
	[ -z "$output" ]
	[[ $stderr = *"more than 2000000 sessions at once"* ]]
	[ "$(events -w w -n 1 2>/dev/null | grep -vc '"object_type":"deployment"')" -le 1 ]
}

@test "-v says how many there were, and how many were held back" {
	run -0 --separate-stderr events -w w -v
	[[ $stderr = *2000* ]]
}

@test "-w, or standard input" {
	events <w | cmp - e
	cat w | events | cmp - e
	head -c -1 w | events | cmp - e
	refused 2 "og-events: nowhere: No such file or directory" og-events -w nowhere
	run --separate-stderr og-events -c ./orders -w .
	[ "$status" -ne 0 ]
	[ -z "$output" ]
}

@test "times and operands that are none" {
	refused 2 "og-events: begin is not before end" events -w w -b 2026-03-05 -e 2026-03-05
	refused 2 "og-events: begin is not before end" events -w w -b 2026-03-06 -e 2026-03-05
	for t in x '' 2026-13-01 2026-02-30 2026-03-05T25:00:00Z 2026-03-05T00:00:00 1772668800 2026-03-05T23:59:60Z; do
		refused 2 "og-events: begin:" events -w w -b "$t"
		refused 2 "og-events: end:" events -w w -e "$t"
	done
	run -2 --separate-stderr events -w w operand
	[[ $stderr = "usage: og-events"* ]]
}

@test "worlds that are none are refused with the line and the reason" {
	bad '1: ' </dev/null
	sed 1d w | bad '1: '
	sed 1p w | bad '2: '
	cat w w | bad "$(($(wc -l <w) + 1)): "
	sed '1s/"catalog":"orders"/"catalog":"nothing"/' w | bad '1: '
	sed '1s/"format":1/"format":2/' w | bad '1: '
	sed '3s/"kind":"[a-z]*"/"kind":"moon"/' w | bad '3: '
	sed '3s/"kind"/"kinds"/' w | bad '3: '
	sed '1s/"seed":7/"seed":-7/' w | bad '1: '
	sed '1s/"seed":7,//' w | bad '1: '
	sed '1s/"begin":"[^"]*"/"begin":"2026-04-02T00:00:00Z"/' w | bad '1: '
	sed '1s/"begin":"[^"]*"/"begin":"2026-03-02T00:01:00Z"/' w | bad '1: '
	sed '1s/"requests":2000/"requests":0/' w | bad '1: '
	sed '1s/"requests":2000/"requests":1000000000001/' w | bad '1: '
	sed '1s/"requests":2000/"requests":"2000"/' w | bad '1: '
}

@test "a world that names what is not there is refused" {
	local n

	n=$(grep -n -m 1 '"kind":"rollout"' w | cut -d: -f1)
	sed "${n}s/\"release\":\"[^\"]*\"/\"release\":\"moon\"/" w | bad "$n: no release \"moon\""
	sed "${n}s/\"throughput\":[0-9.]*/\"throughput\":1.5/" w | bad "$n: "
	sed "${n}s/\"latency\":[0-9.]*/\"latency\":-1/" w | bad "$n: "
	sed "${n}s/\"end\":\"[^\"]*\"/\"end\":\"2000-01-01T00:00:00Z\"/" w | bad "$n: "
	sed "${n}p" w | bad "$((n + 1)): "
	n=$(grep -n -m 1 '"kind":"incident"' w | cut -d: -f1)
	sed "${n}s/\"targets\":\[[^]]*\]/\"targets\":[\"moon\"]/" w | bad "$n: "
	sed "${n}s/\"codes\":\[[^]]*\]/\"codes\":[\"MOON\"]/" w | bad "$n: "
	sed "${n}s/\"start\":\"[^\"]*\"/\"start\":\"soon\"/" w | bad "$n: "
	sed "${n}s/\"role\":\"[a-z]*\"/\"role\":\"victim\"/" w | bad "$n: "
	n=$(grep -n -m 1 '"kind":"deployment"' w | cut -d: -f1)
	sed "${n}s/\"service\":\"[^\"]*\"/\"service\":\"moon\"/" w | bad "$n: "
	# Below what it refers to, not above.
	(head -n 1 w && grep '"kind":"rollout"' w && sed 1d w | grep -v '"kind":"rollout"') | bad '2: '
}

@test "lines that are no JSON, or too much of it" {
	local deep

	deep=$(printf '[%.0s' {1..10000})$(printf ']%.0s' {1..10000})
	(cat w && echo) | bad "$(($(wc -l <w) + 1)): "
	sed '2s/}$//' w | bad '2: '
	sed '2s/$/x/' w | bad '2: '
	sed '2s/^{/{"kind":"place",/' w | bad '2: '
	(head -n 2 w && printf '{"kind":"place","x":%s}\n' "$deep") | bad '3: nested deeper than 64'
	(head -n 2 w && printf '{"kind":"place","x":"\377"}\n') | bad '3: invalid UTF-8'
	(head -n 2 w && printf '{"kind":"place","x":"\0"}\n') | bad '3: '
	(head -n 2 w && printf '{"kind":"place","x":"' && head -c 2097152 /dev/zero | tr '\0' x && echo '"}') | bad '3: '
	printf '\0\0\0\0' | bad '1: '
	head -c 100000 /dev/urandom | bad ''
	sed 's/$/\r/' w | events | cmp - e
}

@test "unknown keys in a world are let be" {
	sed 's/}$/,"note":{"a":[1,2,{"b":null}]}}/' w | events | cmp - e
}

@test "full disk, closed output, closed input" {
	unwritten 'og-events -c ./orders -w w'
	unread 2 'og-events -c ./orders'
}

@test "a reader that goes away ends it quietly" {
	run --separate-stderr bash -c 'og-events -c ./orders -w w -n 10000000 2>said | head -n 1; echo "${PIPESTATUS[0]}"; grep -v instead said'
	[ "${lines[0]}" = "$(events -w w -n 10000000 -e 2026-03-02T00:10:00Z 2>/dev/null | head -n 1)" ]
	[ "${lines[1]}" -eq 141 ]
	[ "${#lines[@]}" -eq 2 ]
}

@test "blind: the level follows the code alone" {
	og-entities -c social -b 2025-03-03 -e 2025-03-10 -n 20000 |
		og-incidents -N -a component=dynamodb_throttle,start=2025-03-04T00:00:00Z,duration=4d,environment=prod,errors=0.3,codes=429 >w
	og-events -w w -l blind >e
	run jq -r 'select(.success == false) | [.error_code, .level] | @tsv' e
	[ "$(grep -c '^429' <<<"$output")" -gt 500 ]
	[ "$(sort -u <<<"$output" | cut -f 1 | uniq -d)" = "" ]
	og-events -w w | jq -e -n '[inputs | select(.error_code == "429" and (.error_source | startswith("infrastructure")))] | all(.level == "ERROR")'
}

@test "requests are held back only from those whom the condition names" {
	local who orders=$OG_ROOT/test/catalogs/orders

	og-entities -c "$orders" -n 40000 | og-incidents -c "$orders" >w
	og-events -c "$orders" -w w >with
	grep -v '"kind":"incident"' w | og-events -c "$orders" >without
	for who in shopper clerk; do
		grep -c "\"action\":\"GET /orders\".*\"persona\":\"$who\"" with >"$who.with"
		grep -c "\"action\":\"GET /orders\".*\"persona\":\"$who\"" without >"$who.without"
	done
	cmp clerk.with clerk.without
	[ "$(cat shopper.with)" -lt "$(cat shopper.without)" ]
}

@test "labels: whom an incident met is whom it changed" {
	local id

	og-entities -c fibersqs -n 10000 | og-incidents >with
	id=$(jq -r 'select(.kind == "incident" and .role == "cause") | .id' with)
	grep -v "\"id\":\"$id\"" with >without
	for w in with without; do
		og-events -w "$w" -l trace_spans | og-spans -w "$w" -l trace_spans -f tsv >"$w.spans"
	done
	diff with.spans without.spans | sed -n 's/^[<>] //p' | cut -f 5 | sort -u >changed
	[ "$(wc -l <changed)" -gt 50 ]
	og-events -w with -l labels -f tsv | awk -F'\t' -v id="$id" '{ split($2, met, "|"); for (i in met) if (met[i] == id) print $1 }' | sort -u | cmp - changed
	run ! grep -q "$id" <(og-events -w without -l labels)
}
