# Against a real VictoriaLogs, built from Debian's sources: what was sent is what it holds.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
bats_require_minimum_version 1.5.0

load ../common

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
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() {
	"$VL" -storageDataPath=data -httpListenAddr="127.0.0.1:$PORT" -retentionPeriod=100y "$@" >>log 2>&1 3>&- &
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
		run -0 --separate-stderr og-vlpush -v -I "$inlet" "$URL" <in
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
		run -0 --separate-stderr og-vlpush -z gzip -I "$inlet" "$URL" <in
		loads=$((loads + 1))
		run --separate-stderr og-vlpush -z zstd -I "$inlet" "$URL" <in
		[ "$status" -ne 0 ] || loads=$((loads + 1))
		[ "$status" -eq 0 ] || [[ $stderr = "og-vlpush: $URL: 400: the server does not understand -z zstd"* ]]
	done
	holds '*' $((5000 * loads)) 5000
}

@test "the longest lines are stored" {
	start
	long=$(head -c 1900000 /dev/zero | tr '\0' x)
	echo "{\"timestamp\":\"2025-12-03T12:00:00Z\",\"id\":\"1\",\"message\":\"$long\"}" >in
	run -0 --separate-stderr og-vlpush "$URL" <in
	echo "{\"timestamp\":\"2025-12-03T12:00:00Z\",\"id\":\"2\",\"message\":\"${long:0:262080}\"}" | head -c 262143 >in
	[ "$(head -n 1 in | wc -c)" -gt 262100 ]
	run -0 --separate-stderr og-vlpush -I jsonline "$URL" <in
	seq -f ',"f%g":"x"' 2 997 | tr -d '\n' | sed 's/.*/{"timestamp":"2025-12-03T12:00:00Z","id":"3","message":"m"&}/' >in
	run -0 --separate-stderr og-vlpush "$URL" <in
	holds '*' 3 3
}

@test "records outside the server's own retention are refused, the others stored" {
	start -retentionPeriod=7d
	now=$(date +%s)
	for day in 1 6 8 100; do
		echo "{\"timestamp\":$((now - day * 86400)),\"id\":\"$day\"}"
	done >in
	run -1 --separate-stderr og-vlpush "$URL" <in
	[ "${stderr_lines[0]}" = "og-vlpush: <stdin>:3: older than the server's retention" ]
	holds '*' 2 2
	[ "$(curl -s "$URL/metrics" | awk '/^vl_rows_dropped_total/ { n += $2 } END { print n + 0 }')" -eq 0 ]
}

@test "a server that is stopped and started in mid-load loses nothing" {
	start
	records 300000 >in
	og-vlpush -v -B 20000 "$URL" <in 2>said 3>&- &
	pusher=$!
	for round in 1 2 3; do
		until [ "$(count '*' | cut -d ' ' -f 1)" -gt $((round * 30000)) ]; do
			kill -0 "$pusher" || break 2
		done
		stop
		sleep 0.2
		start
	done
	wait "$pusher"
	cat said
	# Rows of the last second may not be found yet.
	sleep 3
	read -r rows ids <<<"$(count '*')"
	[ "$ids" -eq 300000 ]
	doubtful=$(sed -n 's/.*perhaps doubled \([0-9]*\);.*/\1/p' said)
	[ $((rows - ids)) -le "$doubtful" ]
	grep -q 'trying again' said
}
