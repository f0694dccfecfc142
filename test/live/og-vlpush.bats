# Against a real VictoriaLogs, built from Debian's sources: what was sent is what it holds.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
bats_require_minimum_version 1.5.0

load ../common

# shellcheck disable=SC2034 # read by bats
BATS_TEST_TIMEOUT=300

setup_file() {
	VL=$("$OG_ROOT/test/live/victoria.sh" victoria-logs)
	export VL
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	PORT=$(free_port)
	URL=http://127.0.0.1:$PORT
}

teardown() {
	stop
	[ ! -s pid ] || kill "$(cat pid)" 2>/dev/null || true
	[ -z "${pusher-}" ] || kill -9 "$pusher" 2>/dev/null || true
}

start() {
	"$VL" -storageDataPath=data -httpListenAddr="127.0.0.1:$PORT" -retentionPeriod=100y "$@" >>log 2>&1 3>&- 5>&- &
	server=$!
	until curl -sf "$URL/health" >/dev/null; do
		kill -0 "$server" || return 1
		sleep 0.05
	done
}

stop() {
	[ -z "${server-}" ] || kill "$server" 2>/dev/null || true
	[ -z "${server-}" ] || wait "$server" || true
	server=
}

# Rows that LogsQL filter $1 finds.
count() {
	curl -sf "$URL/select/logsql/query" --data-urlencode "query=$1 | stats count() n, count_uniq(id) u" | sed 's/.*"n":"\([0-9]*\)","u":"\([0-9]*\)".*/\1 \2/'
}

# Does filter $1 find $2 rows with $3 ids? What was accepted can be searched within seconds.
holds() {
	local i found
	for ((i = 0; i < 100; i++)); do
		found=$(count "$1")
		[ "$found" != "$2 $3" ] || return 0
		sleep 0.1
	done
	echo "$1: $found"
	return 1
}

# Records n, in 21 streams, of about 250 bytes.
records() {
	seq "$1" | awk '{
		printf "{\"timestamp\":\"2025-12-%02dT12:%02d:%02d.%06dZ\",\"level\":\"%s\",\"service\":\"service-%d\",\"stack\":\"stack-%d\",", \
			$1 % 28 + 1, $1 % 60, int($1 / 60) % 60, $1 % 1000000, $1 % 10 ? "INFO" : "ERROR", $1 % 7, $1 % 3
		printf "\"id\":\"%d\",\"nothing\":null,\"duration_ms\":%d.25,\"success\":true,\"message\":\"say \\\"%d\\\"\",\"o\":{\"k\":[1,\"\\u00e9\"]}}\n", \
			$1, $1 % 977, $1 }'
}

@test "N lines in, N rows in the server; both inlets store the same" {
	start
	records 50000 >in
	for inlet in loki jsonline; do
		run -0 --separate-stderr og-vlpush -W 0 -v -I "$inlet" "$URL" <in
		[[ $stderr = *"read 50000 = accepted 50000 + refused 0 + not delivered 0; perhaps doubled 0;"* ]]
		holds '*' 50000 50000
		holds 'level:ERROR' 5000 5000
		# Of every 21 records one is in this stream.
		holds '{service="service-3",stack="stack-1"}' 2381 2381
		curl -sf "$URL/select/logsql/query" -d 'query=id:in(1,777,50000) | sort by (id)' | jq -cS . >"$inlet"
		[ "$(wc -l <"$inlet")" -eq 3 ]
		stop
		rm -rf data
		start
	done
	diff loki jsonline
	jq -r 'select(.id == "777") | ._msg, ._time, .duration_ms, .service, .["o.k"]' loki >got
	printf '%s\n' 'say "777"' 2025-12-22T12:57:12.000777Z 777.25 service-0 '[1,"\u00e9"]' | diff - got
}

@test "gzip is taken; zstd, which this server does not know, is refused before a record is lost" {
	start
	records 5000 >in
	loads=0
	for inlet in loki jsonline; do
		run -0 --separate-stderr og-vlpush -W 0 -z gzip -I "$inlet" "$URL" <in
		loads=$((loads + 1))
		run --separate-stderr og-vlpush -W 0 -z zstd -I "$inlet" "$URL" <in
		[ "$status" -ne 0 ] || loads=$((loads + 1))
		[ "$status" -eq 0 ] || [[ $stderr = "og-vlpush: $URL: 400: the server does not understand -z zstd"* ]]
	done
	holds '*' $((5000 * loads)) 5000
}

@test "the longest lines are stored" {
	start
	long=$(head -c 1900000 /dev/zero | tr '\0' x)
	echo "{\"timestamp\":\"2025-12-03T12:00:00Z\",\"id\":\"1\",\"message\":\"$long\"}" >in
	run -0 --separate-stderr og-vlpush -W 0 "$URL" <in
	echo "{\"timestamp\":\"2025-12-03T12:00:00Z\",\"id\":\"2\",\"message\":\"${long:0:262080}\"}" | head -c 262143 >in
	[ "$(head -n 1 in | wc -c)" -gt 262100 ]
	run -0 --separate-stderr og-vlpush -W 0 -I jsonline "$URL" <in
	seq -f ',"f%g":"x"' 2 997 | tr -d '\n' | sed 's/.*/{"timestamp":"2025-12-03T12:00:00Z","id":"3","message":"m"&}/' >in
	run -0 --separate-stderr og-vlpush -W 0 "$URL" <in
	holds '*' 3 3
}

@test "records outside the server's own retention are refused, the others stored" {
	start -retentionPeriod=7d
	now=$(date +%s)
	for day in 1 6 8 100; do
		echo "{\"timestamp\":$((now - day * 86400)),\"id\":\"$day\"}"
	done >in
	run -1 --separate-stderr og-vlpush -W 0 "$URL" <in
	[ "${stderr_lines[0]}" = "og-vlpush: <stdin>:3: older than the server's retention" ]
	holds '*' 2 2
	[ "$(curl -s "$URL/metrics" | awk '/^vl_rows_dropped_total/ { n += $2 } END { print n + 0 }')" -eq 0 ]
}

# A server that kill.sh can start anew; not one of ours to wait for.
start_alone() {
	cat >alone.sh <<-EOF
		#!/bin/sh
		"$VL" -storageDataPath=data -httpListenAddr=127.0.0.1:$PORT -retentionPeriod=100y >>log 2>&1 3>&- &
		echo \$! >pid
		until curl -sf "$URL/health" >/dev/null; do sleep 0.05; done
	EOF
	chmod +x alone.sh
	./alone.sh
}

# What the server holds, in the pushers' form.
export_all() {
	curl -sf "$URL/select/logsql/query" -d 'query=* | fields _time, service, stack, _msg, id, sum' |
		sed -e 's/"_time":/"timestamp":/' -e 's/\(:[0-9][0-9]\)Z"/\1.000Z"/' -e 's/"_msg":/"message":/' -e 's/"id":"\([0-9]*\)"/"id":\1/'
}

# found N: wait until N ids can be found.
found() {
	local i n

	for ((i = 0; i < 150; i++)); do
		n=$(curl -s "$URL/select/logsql/query" -d 'query=* | stats count_uniq(id) n' | tr -dc 0-9)
		[ "$n" != "$1" ] || return 0
		sleep 0.2
	done
	echo "ids: $n"
	return 1
}

# A number of the account in `said`.
account() {
	sed -n "s/.*[ =]$1 \([0-9][0-9]*\).*/\1/p" said | tail -n 1
}

@test "-x, -X and nested fields: both inlets store the same" {
	start
	printf '%s\n' '{"timestamp":1764763200,"id":"1","service":"a","message":"m","o":{"p":1,"q":2},"tags":{"a":1},"l":[1]}' \
		'{"timestamp":1764763201,"id":"2","message":"m","_stream_id":"x"}' >in
	for inlet in loki jsonline; do
		run -0 --separate-stderr og-vlpush -y -W 0 -I "$inlet" -x "q=\"é\\" -x stack=y -x run="$inlet" -X 'tags.*,o.q,_stream_id' "$URL" <in
		[ -z "$stderr" ]
		holds "run:=$inlet" 2 2
		# Rows are counted at once, but shown only when their streams are known, seconds later.
		for ((i = 0; i < 100; i++)); do
			curl -sSf "$URL/select/logsql/query" --data-urlencode "query=run:=$inlet | sort by (id) | delete og_batch, run" >raw
			[ "$(wc -l <raw)" -ne 2 ] || break
			sleep 0.1
		done
		jq -cS 'del(._stream_id)' raw >"$inlet"
	done
	diff loki jsonline
	diff - loki <<-'EOF'
		{"_msg":"m","_stream":"{service=\"a\",stack=\"y\"}","_time":"2025-12-03T12:00:00Z","id":"1","l":"[1]","o.p":"1","og_seq":"1","q":"\"é\\","service":"a","stack":"y"}
		{"_msg":"m","_stream":"{stack=\"y\"}","_time":"2025-12-03T12:00:01Z","id":"2","og_seq":"2","q":"\"é\\","stack":"y"}
	EOF
}

@test "tenants do not see each other's records" {
	start
	records 100 >in
	run -0 --separate-stderr og-vlpush -y -W 0 -A 7:1 "$URL" <in
	run -0 --separate-stderr og-vlpush -y -W 0 -A 8 -I jsonline "$URL" < <(head -n 60 in)
	for who in '7 1 100' '7 0 0' '8 0 60' '0 0 0'; do
		read -r account project n <<<"$who"
		[ "$(curl -sf -H "AccountID: $account" -H "ProjectID: $project" "$URL/select/logsql/query" -d 'query=* | count() n')" = "{\"n\":\"$n\"}" ]
	done
}

@test "-y names records that the server answered for and threw away" {
	start -insert.maxFieldsPerLine=40
	records 3000 >in
	more=$(seq -f '"f%g":1,' 50 | tr -d '\n')
	sed -i -e "500,699s/^{/{$more/" -e "2777s/^{/{$more/" in
	for inlet in loki jsonline; do
		run -1 --separate-stderr og-vlpush -y -v -W 0 -R 100 -I "$inlet" "$URL" <in
		[[ $stderr = *"read 3000 = accepted 3000 + refused 0 + not delivered 0;"* ]]
		[[ $stderr = *"verified: of 3000 records accepted 2799 are there, 0 rows of them more than once"* ]]
		[[ $stderr = *"lines 500 to 699: 200 records were accepted and are not there"* ]]
		[[ $stderr = *"line 2777 was accepted and is not there"* ]]
		# What the server says of its own loss.
		run -0 --separate-stderr og-vlpush -y -W 0 -X 'f*' -R 100 -I "$inlet" "$URL" <in
		[ -z "$stderr" ]
	done
}

@test "-y names what a killed server had answered for; with the settle time nothing is lost" {
	records 20000 >in
	mkfifo pipe
	for settle in 0 15s; do
		rm -rf data
		start
		og-vlpush -v -y -W "$settle" -L 10ms "$URL" <pipe 2>said 3>&- &
		pusher=$!
		exec 5>pipe
		head -n 10000 in >&5
		found 10000
		kill -9 "$server"
		wait "$server" || true
		start
		tail -n 10000 in >&5
		exec 5>&-
		if [ "$settle" = 0 ]; then
			wait "$pusher" && return 1
			grep -q 'verified: of 20000 records accepted 10000 are there' said
			grep -q 'lines 1 to 10000: 10000 records were accepted and are not there' said
		else
			wait "$pusher" || {
				cat said
				return 1
			}
			grep -q 'verified: of 20000 records accepted 20000 are there' said
			grep -q 'started anew' said
			found 20000
		fi
		stop
	done
}

@test "3,000,000 records while the server is killed, ended and stopped: nothing is missing, nor more doubled than was said" {
	records=3000000
	"$OG_ROOT/build/test/tools/oracle" make "$records" >in
	start_alone
	og-vlpush -v -j journal -B 100000 "$URL" <in 2>said 3>&- &
	pusher=$!
	"$OG_ROOT/test/live/kill.sh" -m 5 -d 45 -s "${OG_SEED:-1}" pid "$pusher" ./alone.sh >harm 2>>said 3>&-
	wait "$pusher"
	cat harm said
	[[ $(cat harm) =~ killed\ ([0-9]+)\ ended\ ([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -ge 1 ]
	[ $((BASH_REMATCH[1] + BASH_REMATCH[2])) -ge 3 ]
	grep -q 'started anew' said
	found "$records"
	export_all >stored
	"$OG_ROOT/build/test/tools/oracle" judge -n "$records" -m "$(account 'perhaps doubled')" stored
}

@test "the pusher is killed 30 times: nothing is missing, nor more doubled than was said" {
	records=1000000
	"$OG_ROOT/build/test/tools/oracle" make "$records" >in
	start
	killed=0
	doubled=0
	while [ "$killed" -lt 30 ]; do
		"$OG_ROOT/bin/og-vlpush" -v -j journal -W 0 -R 100 -C 2 "$URL" <in 2>said 3>&- &
		pusher=$!
		# Shorter and longer than from one writing of the journal to the next.
		sleep "$((killed % 10 / 9)).$((killed % 7))$killed"
		kill -9 "$pusher" || break
		wait "$pusher" || true
		again=$(sed -n 's/.*at most \([0-9]*\) lines there may be stored twice.*/\1/p' said)
		doubled=$((doubled + ${again:-0}))
		killed=$((killed + 1))
	done
	echo "killed $killed"
	[ "$killed" -ge 15 ]
	og-vlpush -v -j journal -W 0 "$URL" <in 2>said
	cat said
	again=$(sed -n 's/.*at most \([0-9]*\) lines there may be stored twice.*/\1/p' said)
	found "$records"
	export_all >stored
	"$OG_ROOT/build/test/tools/oracle" judge -n "$records" -m $((doubled + ${again:-0})) stored
}
