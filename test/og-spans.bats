#!/usr/bin/env bats
# og-spans: what it accepts, what it refuses, how it ends. That the data keep their promises is for laws.bats.
# shellcheck disable=SC2016,SC2094,SC2154 # for the inner shell; files have the names of layouts; stderr comes from run

bats_require_minimum_version 1.5.0
load common
load reader

golden() {
	cat <<'SUMS'
test/catalogs/orders wide json 775bc197d1050a6e370a10cc5ea2b8ad
test/catalogs/orders blind tsv 47c1fd0a72b3ef7cc071dd5649e68b8f
share/og/shop wide json 194c041849738e568ad5b4f30dffa333
share/og/social wide json 906bf8150a3677205f87423780b1f67f
share/og/social log csv ccfe9aed8dd8c1b6910fd70589d852ab
share/og/social blind json a48c99c5bea46be79f5bc5150e3acb8a
SUMS
}

of_small() {
	og-events -c "$catalog" -w small -l "$layout" | og-spans -c "$catalog" -w small -l "$layout" -f "$format"
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	cp -r "$OG_ROOT/test/catalogs/orders" .
	og-entities -c ./orders -n 2000 | og-incidents -c ./orders >w
	og-events -c ./orders -w w >e
	og-spans -c ./orders -w w <e >s
	[ "$(wc -l <s)" -gt 5000 ]
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

# spans [OPTION...] of events on standard input.
spans() {
	og-spans -c ./orders -w w "$@"
}

# passed NUMBER MESSAGE: the file `odd` has a bad line NUMBER, which is named and passed on; all others have their trees.
passed() {
	local file=odd

	run -1 --separate-stderr bash -c 'og-spans -c ./orders -w w <odd >grown'
	if [ "${stderr#"og-spans: <stdin>:$1: $2"}" = "$stderr" ] || [ "$(wc -l <<<"$stderr")" -ne 1 ]; then
		printf 'got  %s\nwant og-spans: <stdin>:%s: %s\n' "$stderr" "$1" "$2"
		return 1
	fi
	sed "$1d" "$file" | spans >rest
	sed -n "$1p" "$file" >line
	# The line where it was, the rest as without it.
	grep -qaxF -f line grown
	grep -avxF -f line grown | cmp - rest
}

@test "small worlds, byte for byte" {
	goldens 3 500 of_small
}

@test "a tree behind each event, the event as it came" {
	# Three lines in form: with blanks, with a key more, without the newline at the end.
	head -n 3 e >three
	spans <three >want
	sed '2s/,/ , /g' three | spans | sed -n 1,1p | cmp - <(head -n 1 want)
	sed 's/}$/,"note":[1,{"a":null}]}/' three | spans >noted
	[ "$(grep -c '"note":\[1,{"a":null}\]' noted)" -eq 3 ]
	sed 's/,"note":.*}$/}/' noted | cmp - want
	jq -c 'to_entries | reverse | from_entries' three | spans | grep -v '^{"cause"' | cmp - <(grep -vxF -f three want)
	head -c -1 three | spans | cmp - want
	sed 's/$/\r/' three | spans | tr -d '\r' | cmp - want
}

@test "an empty stream gives none" {
	run -0 --separate-stderr spans </dev/null
	[ -z "$output$stderr" ]
	[ "$(spans -f csv </dev/null | wc -l)" -eq 1 ]
}

@test "user and object are taken over from the event" {
	grep -m 1 '"object_id":"order-' e | sed -E 's/"user_id":"[^"]*"/"user_id":"somebody"/; s/"object_id":"[^"]*"/"object_id":"something"/' >other
	[ "$(spans <other | jq -r .user_id | sort -u)" = somebody ]
	run ! grep -q '"object_id":"order-' <(spans <other)
}

@test "-c: a name, a path, and a catalog that is not the world's" {
	spans <e | cmp - s
	OG_SHARE=$OG_ROOT/share/og run -2 --separate-stderr og-spans -w w <e
	[[ "$stderr" == "og-spans: orders: no such catalog in $OG_ROOT/share/og, which is OG_SHARE, or in /"* ]]
	refused 2 'og-spans: w:1: a world of catalog "orders", not "social"' og-spans -c social -w w <e
}

@test "-f: tables have a line of names and a row for each span" {
	local f

	spans -f json <e | cmp - s
	for f in csv tsv; do
		spans --format "$f" <e >table
		[ "$(wc -l <table)" -eq "$(($(grep -vc '"object_type":"deployment"' s) + 1))" ]
	done
	awk -F'\t' 'NR == 1 { n = NF } NF != n { exit 1 }' table
	diff <(cut -f1,7,11 table | sed 1d) <(jq -r 'select(.object_type != "deployment") | [.timestamp, .request_id, .trace_id] | @tsv' s)
	refused 2 'og-spans: no format "xml": json, csv or tsv' spans -f xml <e
}

@test "-l: layouts of the catalog, read and written" {
	spans -l wide <e | cmp - s
	og-events -c ./orders -w w -l log | spans -l log >log
	[ "$(wc -l <log)" -eq "$(wc -l <s)" ]
	[ "$(jq -c 'keys_unsorted | length' log | sort -u)" = 21 ]
	og-events -c ./orders -w w -l blind | spans --layout blind >blind
	[ "$(wc -l <blind)" -eq "$(wc -l <s)" ]
	run ! grep -qE '"(error_source|upstream_request_id|cause)"' blind
	refused 2 'og-spans: no layout "no" in catalog orders' spans -l no <e
	run -2 --separate-stderr spans -l metrics <e
	[ -z "$output" ]
}

@test "-n: that of the events" {
	og-events -c ./orders -w w -n 300 2>/dev/null >few
	spans -n 300 <few >grown
	grep '"parent_span_id":null' grown | cmp - few
	for n in 0 -1 x 500000000001 1e3 ''; do
		refused 2 "og-spans: number of requests is" spans -n "$n" <e
	done
}

@test "-w: a world, and it must be one" {
	run -2 --separate-stderr og-spans <e
	[[ $stderr = "usage: og-spans"* ]]
	refused 2 "og-spans: nowhere: No such file or directory" og-spans -w nowhere <e
	refused 2 "og-spans: /dev/null:1: " og-spans -w /dev/null <e
	cat w w >two
	refused 2 "og-spans: two:$(($(wc -l <w) + 1)): " og-spans -c ./orders -w two <e
	run -2 --separate-stderr spans operand <e
	[[ $stderr = "usage: og-spans"* ]]
}

@test "events of another world are named and passed on" {
	og-entities -c ./orders -n 2000 -s 8 | og-incidents -c ./orders >w8
	og-events -c ./orders -w w8 | grep -v '"object_type":"deployment"' | head -n 50 >e8
	run -1 --separate-stderr bash -c 'og-spans -c ./orders -w w <e8 >grown'
	cmp e8 grown
	[ "$(grep -c ': an event of another world$' <<<"$stderr")" -eq 50 ]
	# The last digit of a trace id.
	sed -E '7s/("trace_id":"[0-9a-f]{31})(.)/\1z/' e >odd
	run -1 --separate-stderr bash -c 'og-spans -c ./orders -w w <odd >grown'
	[[ $stderr = *"<stdin>:7: "*trace* ]]
	# Tables have no place for them.
	run -1 --separate-stderr spans -f csv <e8
	[ "${#lines[@]}" -eq 1 ]
}

@test "lines that are no events are named and passed on" {
	grep -v '"object_type":"deployment"' e | head -n 12 >some
	sed '5s/.*//' some >odd && passed 5 ''
	sed '5s/}$//' some >odd && passed 5 ''
	sed '5s/$/x/' some >odd && passed 5 ''
	sed '5s/.*/[]/' some >odd && passed 5 'not a JSON object'
	sed '5s/^{/{"trace_id":"x",/' some >odd && passed 5 'key "trace_id" twice'
	sed '5s/^{/{"level":"x",/' some >odd && passed 5 'key "level" twice'
	sed '5s/"trace_id":"[^"]*",//' some >odd && passed 5 'no "trace_id"'
	sed '5s/"trace_id":"[^"]*"/"trace_id":7/' some >odd && passed 5 '"trace_id" is no trace id of this catalog'
	sed '5s/"trace_id":"[^"]*"/"trace_id":"x"/' some >odd && passed 5 '"trace_id" is no trace id of this catalog'
	sed '5s/"timestamp":"[^"]*",//' some >odd && passed 5 'no "timestamp"'
	sed '5s/"timestamp":"[^"]*"/"timestamp":"noon"/' some >odd && passed 5 '"timestamp" is not'
	sed '5s/"timestamp":"[^"]*"/"timestamp":null/' some >odd && passed 5 'no "timestamp"'
	sed '5s/"parent_span_id":null/"parent_span_id":"0123456789abcdef"/' some >odd && passed 5 'a span below another'
	sed "5s/.*/{\"x\":$(printf '[%.0s' {1..10000})$(printf ']%.0s' {1..10000})}/" some >odd && passed 5 'nested deeper than 64'
	sed $'5s/"level":"/&\377/' some >odd && passed 5 'invalid UTF-8'
	sed '5s/"level":"/&\x00/' some >odd && passed 5 ''
	sed '5s/"level":"/&\x01/' some >odd && passed 5 ''
}

@test "a line of 2 MiB is named and left out" {
	(head -n 4 e && printf '{"timestamp":"' && head -c 2097152 /dev/zero | tr '\0' x && echo '"}' && sed 1,4d e) >odd
	run -1 --separate-stderr bash -c 'og-spans -c ./orders -w w <odd >grown'
	[ "$stderr" = "og-spans: <stdin>:5: line too long" ]
	cmp grown s
}

@test "noise is passed on, and does not end it" {
	head -c 300000 /dev/urandom | tr '\n' ' ' | fold -b -w 500 >odd
	run -1 --separate-stderr bash -c 'og-spans -c ./orders -w w <odd >grown 2>said'
	cmp odd <(head -c "$(wc -c <odd)" grown)
	[ "$(grep -ac '^og-spans: <stdin>:' said)" -ge 600 ]
}

@test "full disk, closed output, closed input" {
	unwritten 'og-spans -c ./orders -w w <e'
	unread 1 'og-spans -c ./orders -w w'
}

@test "a reader that goes away ends it quietly" {
	run --separate-stderr bash -c 'cat e e e e | og-spans -c ./orders -w w 2>said | head -n 1; echo "${PIPESTATUS[1]}"; cat said'
	[ "${lines[0]}" = "$(head -n 1 s)" ]
	[ "${lines[1]}" -eq 141 ]
	[ "${#lines[@]}" -eq 2 ]
}

@test "what came is answered before the next comes" {
	coproc GROW { og-spans -c ./orders -w w; }
	local line in=${GROW[1]} out=${GROW[0]} pid=$GROW_PID

	grep -m 1 -v '"object_type":"deployment"' e >&"$in"
	read -r -t 10 line <&"$out"
	[ "$line" = "$(grep -m 1 -v '"object_type":"deployment"' e)" ]
	eval "exec $in>&-"
	wait "$pid"
}
