# Against real engines: Debian's server, 18.16, and a current one behind test/tools/chdb. What was sent is what they hold.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
bats_require_minimum_version 1.5.0

load ../common

setup_file() {
	ENGINE=$("$OG_ROOT/test/live/clickhouse.sh" engine)
	export ENGINE
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	PORT=$(free_port)
	URL=http://127.0.0.1:$PORT
}

teardown() {
	stop
}

# old or new
start() {
	if [ "$1" = old ]; then
		"$OG_ROOT/test/live/clickhouse.sh" start "$PWD/server" "$PORT"
		return
	fi
	# The engine reads a config.xml of the folder that it is started in.
	mkdir -p empty
	(cd empty && exec "$OG_ROOT/build/test/tools/chdb" -p "$PORT" "$ENGINE" "$BATS_TEST_TMPDIR/data") >port 2>log 3>&- &
	engine=$!
	until [ -s port ]; do
		kill -0 "$engine" || return 1
		sleep 0.05
	done
}

stop() {
	"$OG_ROOT/test/live/clickhouse.sh" kill "$PWD/server"
	[ -z "${engine-}" ] || kill -9 "$engine" 2>/dev/null || true
	[ -z "${engine-}" ] || wait "$engine" || true
	engine=
}

sql() {
	curl -sS "$URL/" --data-binary "$1"
}

# Rows n, of the table that table() makes.
records() {
	seq "$1" | awk '{ printf "{\"id\":%d,\"time\":\"2026-01-02T03:04:%02dZ\",\"level\":\"%s\",\"ms\":%d.25,\"message\":\"say \\\"%d\\\" \\u00e9\\t\"}\n", \
		$1, $1 % 60, $1 % 10 ? "INFO" : "ERROR", $1 % 977, $1 }'
}

table() {
	sql "CREATE TABLE $1 (id UInt32, time DateTime, level String, ms Float64, message String) ENGINE = MergeTree ORDER BY id"
}

# Does the table hold rows 1 to $2, each once?
holds() {
	local found
	found=$(sql "SELECT count(), uniqExact(id), min(id), max(id) FROM $1")
	[ "$found" = "$(printf '%s\t%s\t1\t%s' "$2" "$2" "$2")" ] || {
		echo "$1: $found"
		return 1
	}
}

@test "all formats store the same" {
	records 3000 >in.JSONEachRow
	jq -c '[.id, .time, .level, .ms, .message]' in.JSONEachRow >in.JSONCompactEachRow
	jq -r '[.id, .time, .level, .ms, .message] | @csv' in.JSONEachRow >in.CSV
	jq -r '[.id, .time, .level, .ms, .message] | @tsv' in.JSONEachRow >in.TabSeparated
	jq -r '"id=\(.id)\ttime=\(.time)\tlevel=\(.level)\tms=\(.ms)\tmessage=\(.message | gsub("\t"; "\\t"))"' in.JSONEachRow >in.TSKV
	for format in CSV TabSeparated; do
		# Not in the table's order.
		{
			[ "$format" = CSV ] && echo 'ms,"id",time,level,message' || printf 'ms\tid\ttime\tlevel\tmessage\n'
			jq -r "[.ms, .id, .time, .level, .message] | @$([ "$format" = CSV ] && echo csv || echo tsv)" in.JSONEachRow
		} >"in.${format}WithNames"
	done
	for which in old new; do
		start "$which"
		for format in JSONEachRow CSV TabSeparated TSKV CSVWithNames TabSeparatedWithNames JSONCompactEachRow; do
			[ "$which$format" != oldJSONCompactEachRow ] || continue
			table "$format"
			run -0 --separate-stderr og-chpush -y -R 1000 -f "$format" -t "default.$format" "$URL" <"in.$format"
			[ -z "$stderr" ]
			holds "$format" 3000
			sql "SELECT * FROM $format ORDER BY id" >"out.$which.$format"
			cmp "out.$which.JSONEachRow" "out.$which.$format"
		done
		stop
	done
	cmp out.old.JSONEachRow out.new.JSONEachRow
	[ "$(sed -n 777p out.old.JSONEachRow)" = $'777\t2026-01-02 03:04:57\tINFO\t777.25\tsay "777" é\\t' ]
}

@test "one poisoned record among a million: it alone is refused, with its number and the server's words, in few requests" {
	records 1000000 | sed '654321s/"ms":[0-9.]*/"ms":"x"/' >in
	for which in old new; do
		start "$which"
		table t
		run -1 --separate-stderr og-chpush -v -y -D "dead.$which" -t t "$URL" <in
		[ "$(cut -f 1 "dead.$which")" = 654321 ]
		[[ $(cut -f 3 "dead.$which") = *"code 27: Cannot parse input: expected"* ]]
		cut -f 4- "dead.$which" | cmp - <(sed -n 654321p in)
		[[ $stderr = *"read 1000000 = accepted 999999 + refused 1 + not delivered 0; perhaps doubled 0;"* ]]
		[ "$(sql 'SELECT count(), uniqExact(id), countIf(id = 654321) FROM t')" = $'999999\t999999\t0' ]
		# Version, table, two counts and ten batches, or at most twice as many where bytes close them; the poison costs three.
		requests=$(sed -n 's/.*requests \([0-9]*\),.*/\1/p' <<<"$stderr")
		[ "$requests" -le 20 ]
		stop
	done
}

@test "a server that is killed in mid-load, again and again, loses nothing" {
	start old
	table t
	records 2000000 >in
	og-chpush -v -R 20000 -t t "$URL" <in 2>said 3>&- &
	pusher=$!
	for round in 1 2 3; do
		until [ "$(sql 'SELECT count() FROM t' 2>/dev/null || echo 0)" -gt $((round * 300000)) ]; do
			kill -0 "$pusher" || break 2
			sleep 0.01
		done
		"$OG_ROOT/test/live/clickhouse.sh" kill "$PWD/server"
		sleep 0.2
		"$OG_ROOT/test/live/clickhouse.sh" start "$PWD/server" "$PORT"
	done
	wait "$pusher"
	cat said
	grep -q 'trying again' said
	[ "$(sql 'SELECT uniqExact(id), min(id), max(id) FROM t')" = $'2000000\t1\t2000000' ]
	doubtful=$(sed -n 's/.*perhaps doubled \([0-9]*\);.*/\1/p' said)
	[ $(($(sql 'SELECT count() FROM t') - 2000000)) -le "$doubtful" ]
}

@test "what a person must mend is said in the server's words, and nothing is thrown away" {
	records 100 >in
	for which in old new; do
		start "$which"
		table t
		for args in "-t nosuch" "-t nowhere.t" "-t t -x nosuch_setting=1" "-t t -f JSONCompactEachRowWithNamesAndTypes" "-q bad.sql -t t"; do
			echo 'CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a' >bad.sql
			[ "$args" != "-t t -f JSONCompactEachRowWithNamesAndTypes" ] || [ "$which" = old ] || continue
			[[ $args != *JSONCompact* ]] && cp in now || printf '["id"]\n["UInt32"]\n[1]\n' >now
			# shellcheck disable=SC2086 # words
			run -1 --separate-stderr og-chpush -D dead $args "$URL" <now
			echo "$which $args: ${stderr_lines[0]}"
			[[ ${stderr_lines[0]} =~ "$URL: "(there is no such table|.*[Uu]nknown|.*already exists) ]]
			[ ! -s dead ]
		done
		# A column that the table does not have.
		run -1 --separate-stderr og-chpush -D dead -t t -f CSVWithNames "$URL" <<<$'id,nosuch\n1,2'
		[[ $stderr = *nosuch*"1 records not delivered"* ]]
		[ ! -s dead ]
		[ "$(sql 'SELECT count() FROM t')" -eq 0 ]
		stop
	done
}

@test "unknown fields are refused, not passed over, unless one asks for that" {
	for which in old new; do
		start "$which"
		table t
		echo '{"id":1,"nosuch":2}' >in
		run -1 og-chpush -t t "$URL" <in
		[ "$(sql 'SELECT count() FROM t')" -eq 0 ]
		run -0 og-chpush -x input_format_skip_unknown_fields=1 -t t "$URL" <in
		[ "$(sql 'SELECT count() FROM t')" -eq 1 ]
		stop
	done
}

@test "lines that one server would join with others arrive as they are, or are refused" {
	printf '%s\n' "'tis one" '"two"' '"three' 'four"' "it's five" ' six' >in
	for which in old new; do
		start "$which"
		sql 'CREATE TABLE s (a String) ENGINE = MergeTree ORDER BY a'
		run -1 --separate-stderr og-chpush -D dead -f CSV -t s "$URL" <in
		sql 'SELECT a FROM s ORDER BY a' >"got.$which"
		[ "$(cut -f 1 dead | tr '\n' ' ')" = "3 4 " ]
		rm dead
		stop
	done
	printf '%s\n' "\\'tis one" "it\\'s five" six two | sort | diff <(sort got.old) -
	cmp got.old got.new
}

@test "too many parts: it waits, and all arrives" {
	start old
	sql 'CREATE TABLE t (id UInt32) ENGINE = MergeTree ORDER BY id SETTINGS parts_to_delay_insert = 3, parts_to_throw_insert = 5, max_delay_to_insert = 1'
	sql 'SYSTEM STOP MERGES'
	seq 100 | sed 's/.*/{"id":&}/' >in
	og-chpush -v -R 10 -t t "$URL" <in 2>said 3>&- &
	pusher=$!
	until [ -s said ]; do
		kill -0 "$pusher"
		sleep 0.05
	done
	grep -q 'code 252: Too many parts' said
	sql 'SYSTEM START MERGES'
	# What starts merges there is an insert, or this.
	while kill -0 "$pusher" 2>/dev/null; do
		sql 'OPTIMIZE TABLE t FINAL'
		sleep 0.2
	done
	wait "$pusher"
	[ "$(sql 'SELECT count(), uniqExact(id) FROM t')" = $'100\t100' ]
}

@test "a query's memory: batches are halved until they fit; what does not fit alone is not thrown away" {
	start old
	table t
	records 400000 >in
	OG_USER=small OG_PASSWORD=small run -0 --separate-stderr og-chpush -v -R 400000 -B 100000000 -t t "$URL" <in
	holds t 400000
	[ "$(sed -n 's/.*requests \([0-9]*\),.*/\1/p' <<<"$stderr")" -gt 4 ]
	head -n 100 in >few
	OG_USER=tiny OG_PASSWORD=tiny run -1 --separate-stderr og-chpush -D dead -t t "$URL" <few
	[[ ${stderr_lines[0]} = *"code 241: Memory limit (for query) exceeded"* ]]
	[[ $stderr = *"100 records not delivered"* ]]
	[ ! -s dead ]
}

@test "who may not write is told so" {
	start old
	table t
	records 10 >in
	OG_USER=writer OG_PASSWORD=geheim:1 run -0 og-chpush -t t "$URL" <in
	OG_USER=writer OG_PASSWORD=falsch run -1 --separate-stderr og-chpush -t t "$URL" <in
	[[ ${stderr_lines[0]} = "og-chpush: $URL: 401, code 193: "* ]]
	OG_USER=nobody OG_PASSWORD=x run -1 --separate-stderr og-chpush -t t "$URL" <in
	[[ ${stderr_lines[0]} = "og-chpush: $URL: "*"code 192: "* ]]
	OG_USER=reader OG_PASSWORD=reader run -1 --separate-stderr og-chpush -D dead -t t "$URL" <in
	[[ $stderr = *"code 164: "*"10 records not delivered"* ]]
	[ ! -s dead ]
	holds t 10
}

@test "gzip is taken; an old server says that it does not know zstd" {
	start old
	table t
	records 50000 >in
	run -0 og-chpush -z gzip -t t "$URL" <in
	holds t 50000
	run -1 --separate-stderr og-chpush -z zstd -D dead -t t "$URL" <in
	[[ ${stderr_lines[0]} = *"code 89: Unknown Content-Encoding"* ]]
	[ ! -s dead ]
}

@test "-o: a load that is done again stores nothing twice" {
	start new
	sql 'CREATE TABLE t (id UInt32, time DateTime, level String, ms Float64, message String) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 1000'
	records 30000 >in
	for _ in 1 2 3; do
		run -0 og-chpush -o -R 1000 -t t "$URL" <in
	done
	holds t 30000
	# Equal lines at other places are other records.
	sql 'CREATE TABLE s (id UInt32) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 1000'
	yes '{"id":1}' | head -n 100 | og-chpush -o -R 10 -t s "$URL"
	[ "$(sql 'SELECT count() FROM s')" -eq 100 ]
	table plain
	run -1 --separate-stderr og-chpush -o -t plain "$URL" <in
	[[ $stderr = *"keeps no insert tokens"* ]]
}

@test "a batch is one part, all of it or nothing, whatever a profile says of blocks" {
	for which in old new; do
		start "$which"
		table t
		records 300000 | sed '299999s/"ms":[0-9.]*/"ms":"x"/' >in
		# The batch fails as a whole; then its parts are three.
		run -1 og-chpush -R 300000 -t t "$URL" <in
		[ "$(sql "SELECT count() FROM system.parts WHERE table = 't' AND database = currentDatabase() AND level = 0")" -le 2 ]
		[ "$(sql 'SELECT count(), uniqExact(id) FROM t')" = $'299999\t299999' ]
		stop
	done
}
