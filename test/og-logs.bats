#!/usr/bin/env bats
# og-logs: what it accepts, what it refuses, how it ends, and that lines agree with each other and with the spans.
# shellcheck disable=SC2016,SC2094,SC2154 # for the inner shell; files have the names of layouts; stderr comes from run

bats_require_minimum_version 1.5.0
load common
load reader

golden() {
	cat <<'SUMS'
test/catalogs/orders lines json f0d35e5f7fb21c74a4c37888364070f1
share/og/social lines csv e2cba75c2b61115fa82927ec24f851ac
share/og/shop lines tsv e55ed49e54bd281c5674853b6ccfc479
share/og/fibersqs app_logs csv c600a93945914fb656e650cb27996a28
SUMS
}

of_small() {
	og-events -c "$catalog" -w small | og-logs -c "$catalog" -w small -l "$layout" -f "$format"
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	og-entities -c fibersqs -n 3000 | og-incidents >w
	og-events -w w -l keys >e
	og-logs -w w <e >l
	[ "$(wc -l <l)" -gt 15000 ]
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

logs() {
	og-logs -w w "$@"
}

# The tables of fibersqs and some layouts more, for changes, under ./NAME.
copy() {
	rm -rf "$1"
	cp -r "$OG_SHARE/fibersqs" "$1"
	chmod -R u+w "$1"
	tr '~' '\t' >>"$1/layouts.tsv" <<-'ROWS'
	right	log	time	{log.time.ns}~
	right	log	skew_ms	{truth.skew_ms}~
	right	log	host	{log.host}~
	right	log	trace	{trace.id}~
	right	log	event	{log.event}~
	right	log	place	{place.id}~
	seen	log	id	{log.span_id}~
	seen	log	host	{log.host}~
	seen	log	trace	{trace.id}~
	grown	span	at	{span.time.ns}~
	grown	span	id	{span.id}~
	grown	span	host	{host.id}~
	grown	span	trace	{trace.id}~
	ROWS
}

@test "small worlds, byte for byte" {
	goldens 3 500 of_small
}

@test "an event of any layout will do, with blanks, other keys and without a newline at the end" {
	local layout

	for layout in wide blind log trace_spans; do
		og-events -w w -l "$layout" | logs | cmp - l
	done
	head -c -1 e | logs | cmp - l
	sed 's/,/ , /' e | logs | cmp - l
	jq -c '{trace_id, timestamp, more: [1]}' e | logs | cmp - l
	[ -z "$(logs </dev/null)" ]
	[ "$(logs -f csv </dev/null | wc -l)" -eq 1 ]
}

@test "events in any order, in any pieces" {
	split -n l/7 e piece.
	cat <(logs <piece.aa) <(logs <piece.ab) <(logs <piece.ac) <(logs <piece.ad) <(logs <piece.ae) <(logs <piece.af) \
		<(logs <piece.ag) | cmp - l
	for k in 1 2 3 4 5; do
		og-events -w w -l keys -k $k/5 | logs
	done | cmp - l
	tac e | logs | sort | cmp - <(sort l)
}

@test "user and object come from the event, if it has them" {
	head -n 1 e | sed 's/}$/,"user_id":"somebody"}/' | logs | jq -r .user_id | sort -u >got
	[ "$(cat got)" = somebody ]
	# The user is known without.
	og-events -w w -l wide | head -n 200 | jq -r .user_id | uniq >want
	head -n 200 e | logs | jq -r .user_id | uniq | cmp - want
	refused 1 'og-logs: <stdin>:1: "user_id" is not text of at most 254 bytes' bash -c "head -n 1 e | sed 's/}$/,\"user_id\":7}/' | og-logs -w w"
}

@test "the lines of a request are in order of cause on each host, and of time when the clocks are right" {
	copy right
	sed -i 's/^skew_ms\t.*/skew_ms\t-60000..60000/' right/settings.tsv
	og-entities -c ./right -n 3000 >wr
	og-events -c ./right -w wr -l keys >er
	og-logs -c ./right -w wr -l right -f tsv <er | awk -F'\t' '
	NR == 1 { next }
	{ true_us = $1 / 1000 - $2 * 1000 }
	$4 == trace && true_us <= last { print "not after the line before: " $0; bad = 1 }
	$4 != trace { for (e in seen) delete seen[e] }
	{ trace = $4; last = true_us; seen[$5]++; hosts[$3] = 1; if ($2 < 0) early++ }
	$5 == "queued" && !seen["received"] { bad = 1; print "queued before received" }
	$5 == "orchestrated" && !seen["queued"] { bad = 1; print "orchestrated before queued" }
	($5 == "worker_progress" || $5 == "dependency_call") && !seen["orchestrated"] { bad = 1; print "work before it was asked for" }
	($5 == "completed" || $5 == "timeout") && !seen["worker_progress"] { bad = 1; print "end before the work" }
	$5 == "retry" && !seen["timeout"] { bad = 1; print "retry of nothing" }
	END { for (h in hosts) n++; exit bad || n < 55 || early < NR / 4 || early > 3 * NR / 4 }'
}

@test "a host has one clock, and a request one host a place" {
	copy right
	og-entities -c ./right -n 3000 >wr
	# Without the first and the last minute, where clocks give way to the bounds of the world.
	og-events -c ./right -w wr -l keys -b 2025-12-01T00:01:00Z -e 2025-12-07T23:55:00Z |
		og-logs -c ./right -w wr -l right -f tsv | sed 1d >got
	cut -f 2,3 got | sort -u | awk '{ print $2, $1 }' >clocks
	[ "$(cut -d ' ' -f 1 clocks | sort | uniq -d | wc -l)" -eq 0 ]
	[ "$(wc -l <clocks)" -eq 60 ]
	[ "$(cut -d ' ' -f 2 clocks | sort -u | wc -l)" -gt 50 ]
	awk '$2 < -500 || $2 > 500 { exit 1 }' clocks
	[ "$(cut -f 3,4,6 got | sort -u | cut -f 2,3 | sort | uniq -d | wc -l)" -eq 0 ]
}

@test "span ids, hosts and trace ids are those of the spans" {
	copy right
	og-entities -c ./right -n 3000 >wr
	og-events -c ./right -w wr -l keys | og-logs -c ./right -w wr -l seen -f tsv | sed 1d | sort -u >seen
	og-events -c ./right -w wr -l grown | og-spans -c ./right -w wr -l grown -f tsv | sed 1d | cut -f 2- | sort >grown
	[ "$(cut -f 1 grown | sort | uniq -d | wc -l)" -eq 0 ]
	[ -z "$(comm -23 seen grown)" ]
	# Every span but those that others write about has a line.
	[ "$(comm -12 seen grown | wc -l)" -gt 8000 ]
}

@test "no line is outside of the world" {
	copy right
	sed -i 's/^skew_ms\t.*/skew_ms\t-3600000..3600000/' right/settings.tsv
	og-entities -c ./right -n 3000 -b 2025-12-01T10:00:00Z -e 2025-12-01T12:00:00Z >wr
	og-events -c ./right -w wr -l keys | og-logs -c ./right -w wr -f tsv | sed 1d | cut -f 1 | sort >stamps
	[ "$(wc -l <stamps)" -gt 15000 ]
	[[ $(head -n 1 stamps) > 2025-12-01T10 ]]
	[[ $(tail -n 1 stamps) < 2025-12-01T12 ]]
}

@test "levels and events follow from the outcome, by the table" {
	logs -l app_logs -f csv <e | sed 1d | cut -d , -f 4,6,12 | sort | uniq -c | sort -k 2 >got
	awk '{ n[$2] = $1 } END {
		exit n["api,INFO,received"] != n["api,INFO,queued"] || n["orchestrator,INFO,orchestrated"] != n["api,INFO,received"] ||
		    n["api,INFO,completed"] + n["api,ERROR,timeout"] != n["api,INFO,received"] || n["api,WARN,retry"] != n["api,ERROR,timeout"] ||
		    n["api,ERROR,timeout"] < 50 || n["orchestrator,INFO,dependency_call"] < 400 || n["worker,INFO,worker_progress"] != n["api,INFO,received"]
	}' got
	# What another region did is written by the caller, with its region.
	logs -l app_logs -f csv <e | awk -F , '$12 == "dependency_call" && ($13 == $2 || $13 == "" || $15 == "") { exit 1 }'
}

@test "rows: what hides what, the first that holds, events of one moment, who writes" {
	rm -rf desk
	cp -r "$OG_ROOT/test/catalogs/orders" desk
	tr '~' '\t' >desk/logs.tsv <<-'ROWS'
	# Lines for tests
	operation	at	event	level	message	when	by
	*	start	any	DEBUG	{operation.name}~~
	gateway	end	sum		took {span.duration_ms:.0} ms	span.duration_ms>0	ledger
	gateway	start	in	INFO	asked~~
	gateway	end	done	INFO	answered	ok~
	gateway	call	out	DEBUG	asking~~
	gateway	end	done	ERROR	gave up	failed~
	gateway	end	done	ERROR	never~~
	stock	end	level	INFO	of an operation without rows~~
	stock/reserve	end	try	WARN	again at {span.attempt}	retried	caller
	stock/reserve	end	try	INFO	reserved at {span.attempt}		caller
	broker/publish	end	told	INFO	published~~
	packing	start	unpack	INFO	from the queue~~
	ROWS
	tr '~' '\t' >>desk/layouts.tsv <<-'ROWS'
	all	log	trace	{trace.id}~
	all	log	span	{log.span_id}~
	all	log	own	{span.id}~
	all	log	parent	{span.parent_id}~
	all	log	event	{log.event}~
	all	log	level	{log.level}~
	all	log	service	{log.service}~
	all	log	message	{log.message}~
	all	log	host	{log.host}~
	all	log	what	{operation.name}~
	ROWS
	og-entities -c ./desk -n 3000 | og-incidents -c ./desk >wd
	og-events -c ./desk -w wd | og-logs -c ./desk -w wd -l all >got
	# Every gateway span: in, out, what it asked for, then the row of the first line that stands first.
	jq -rs 'group_by(.trace)[] | map(.event) | join(" ")' got | sort | uniq -c >shapes
	[ "$(jq -r 'select(.service == "gateway") | .event' got | sort -u | xargs)" = "done in out" ]
	awk '{ $1 = "" } !/^ in (out .*)?sum done( (unpack|level))*$/ { print "odd: " $0; bad = 1 } END { exit bad }' shapes
	[ -z "$(jq -c 'select(.message == "never")' got)" ]
	# A row for the operation hides those for the service, and both hide those for all, at every moment.
	[ "$(jq -r 'select(.event == "level") | .what' got | sort -u)" = level ]
	[ "$(jq -r 'select(.what == "reserve") | .event' got | sort -u)" = try ]
	[ "$(jq -r 'select(.event == "any") | .service' got | sort -u | xargs)" = "orders" ]
	[ "$(jq -r 'select(.event == "sum") | .service' got | sort -u)" = ledger ]
	# Attempts are spans, written by the caller: with its span, service and host.
	jq -c 'select(.event == "try")' got >tries
	[ "$(wc -l <tries)" -gt 300 ]
	[ "$(jq -r 'select(.span != .parent or .span == .own or .service != "orders") | .trace' tries | wc -l)" -eq 0 ]
	[ "$(jq -r .host tries | sort -u | grep -vc '^orders-')" -eq 0 ]
	[ "$(jq -r 'select(.level == "WARN") | .message' tries | grep -vc '^again at [12]$')" -eq 0 ]
	[ "$(jq -r 'select(.level == "WARN") | .message' tries | wc -l)" -gt 0 ]
	# The queue is read when its writer has told that it wrote.
	jq -rs 'group_by(.trace)[] | map(.event) | select(index("unpack")) | index("told") < index("unpack")' got | sort -u >after
	[ "$(cat after)" = true ]
	# A line of the start knows nothing of the end.
	[ "$(jq -r 'select(.event == "in" or .event == "unpack") | .level' got | sort -u)" = INFO ]
}

@test "-c, -l, -f, -n, -w" {
	local n

	og-logs --catalog fibersqs --world w --layout lines --format json <e | cmp - l
	refused 2 'og-logs: w:1: a world of catalog "fibersqs", not "social"' og-logs -c social -w w <e
	refused 2 'og-logs: no layout "no" in catalog fibersqs' logs -l no <e
	refused 2 'og-logs: fibersqs: layout "wide" is not of lines' logs -l wide <e
	refused 2 'og-logs: no format "xml": json, csv or tsv' logs -f xml <e
	refused 2 'og-logs: nowhere: No such file or directory' og-logs -w nowhere <e
	refused 2 'og-logs: the name of the world is empty' og-logs -w '' <e
	for n in 0 -1 x ''; do
		refused 2 'og-logs: number of requests is' logs -n "$n" <e
	done
	og-events -w w -l keys -n 300 2>/dev/null | logs --requests 300 >few
	[ "$(jq -r .trace_id few | sort -u | wc -l)" -eq 300 ]
	run -2 --separate-stderr og-logs <e
	[[ $stderr = "usage: og-logs"* ]]
	run -2 --separate-stderr logs operand <e
	[[ $stderr = "usage: og-logs"* ]]
}

@test "tables have a line of names and as many fields in each row" {
	logs -f tsv <e | awk -F'\t' 'NR == 1 { n = NF } NF != n { exit 1 } END { exit n != 11 || NR < 15000 }'
	logs -l app_logs -f csv <e | awk -F , 'NF != 20 { exit 1 }'
	[ "$(logs -l app_logs -f csv <e | wc -l)" -eq "$(($(wc -l <l) + 1))" ]
}

@test "what is no event of this world is named and left out" {
	local bad

	og-entities -c fibersqs -n 100 -s 8 | og-events -l keys >other
	sed 5d e | logs >want
	for bad in '' '[]' '{"timestamp":"noon"' '{"timestamp":"2025-12-01T00:00:00Z"}' '{"trace_id":"tr000000000000"}' \
		'{"timestamp":"2025-12-01T00:00:00Z","trace_id":"x"}' '{"timestamp":"2025-12-01T00:00:00Z","trace_id":7}'; do
		{ sed -n 1,4p e && echo "$bad" && sed 1,5d e; } >odd
		run -1 --separate-stderr bash -c 'og-logs -w w <odd >got'
		[ "${stderr#og-logs: <stdin>:5: }" != "$stderr" ]
		cmp got want
	done
	(head -n 4 e && printf '{"timestamp":"' && head -c 2097152 /dev/zero | tr '\0' x && echo '"}' && sed 1,5d e) >odd
	run -1 --separate-stderr bash -c 'og-logs -w w <odd >got'
	[ "$stderr" = "og-logs: <stdin>:5: line too long" ]
	cmp got want
	og-events -w w -l trace_spans | og-spans -w w -l trace_spans | sed -n 2p >child
	refused 1 'og-logs: <stdin>:1: a span below another, not an event' logs <child
}

@test "full disk, closed output, closed input" {
	unwritten 'og-logs -w w <e'
	unread 1 'og-logs -w w'
}
