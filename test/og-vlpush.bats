# shellcheck disable=SC2154 # stderr and stderr_lines come from run
bats_require_minimum_version 1.5.0

load common
load faultd

# A pusher that waits for a server waits for ever.
# shellcheck disable=SC2034 # read by bats
BATS_TEST_TIMEOUT=20

setup_file() {
	metrics 100y 2d >"$BATS_FILE_TMPDIR/metrics"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	stop
}

# Settlement is tested in delivery.bats; here nothing is waited for.
og-vlpush() {
	command og-vlpush -W 0 "$@"
}

# The part of the server's metrics page that matters.
metrics() {
	printf 'vl_x 1\nflag{name="futureRetention", value="%s", is_set="false"} 1\nflag{name="retentionPeriod", value="%s", is_set="true"} 1\n' "$2" "$1"
}

faulty() {
	echo "-f $BATS_FILE_TMPDIR/metrics"
}

# Some tests go on with what an earlier server stored.
stale() {
	:
}

# Records n, numbered from $2 (default 1), in three services.
records() {
	seq "${2:-1}" $((${2:-1} + $1 - 1)) | awk '{
		printf "{\"timestamp\":\"2025-12-03T12:20:00.%06dZ\",\"id\":\"%d\",\"service\":\"s%d\",\"stack\":\"t\",\"message\":\"m %d\"}\n", $1, $1, $1 % 3, $1 }'
}

# The ids that the server stored, one a line, sorted; doubles stay.
stored_ids() {
	grep -ao '"id":"[0-9]*"' stored | tr -dc '0-9\n' | sort -n
}

# Requests that carried records.
loads() {
	grep -c '^POST [^ ]*?' requests || true
}

@test "records arrive, grouped by stream, as fields and message" {
	serve <<<""
	printf '%s\n' '{"timestamp":"2025-12-03T12:20:00.123456789+01:00","service":"a","stack":"x","message":"say \"hi\"","n":1.50,"ok":true,"no":null,"e":"","o":{"p":{"q":"r"},"l":[1,"z"]}}' \
		'{"timestamp":1764763200,"service":"b","message":"two"}' \
		'{"timestamp":"1764763200123","service":"a","stack":"x","level":"INFO"}' >in
	run -0 --separate-stderr og-vlpush "$URL" <in
	[ -z "$output$stderr" ]
	cat >want <<-'EOF'
		{"streams":[{"stream":{"service":"a","stack":"x"},"values":[["1764760800123456789","say \"hi\"",{"n":"1.50","ok":"true","o.p.q":"r","o.l":"[1,\"z\"]"}],["1764763200123000000","",{"level":"INFO"}]]},{"stream":{"service":"b"},"values":[["1764763200000000000","two",{}]]}]}
	EOF
	printf '%s\n' "$(cat stored)" | diff want -
	grep -qx 'GET /metrics 0 200 - - 1' requests
	grep -q '^POST /insert/loki/api/v1/push?disable_message_parsing=1 [0-9]* 204 application/json - 1$' requests
}

@test "-I jsonline sends the lines as they are" {
	serve <<<"200"
	records 100 >in
	run -0 --separate-stderr og-vlpush -I jsonline -t timestamp -m message -g service,stack "$URL" <in
	cmp in stored
	grep -q '^POST /insert/jsonline?_time_field=timestamp&_msg_field=message&_stream_fields=service%2cstack [0-9]* 200 application/json' requests
}

@test "requests of -I jsonline stay within 256 KiB, others within -B" {
	serve <<<""
	records 10000 >in
	run -0 og-vlpush -I jsonline "$URL" <in
	awk '/^POST [^ ]*jsonline/ { n++; if ($3 > 262144) exit 1; if ($3 > 200000) big = 1 } END { exit !(n > 1 && big) }' requests
	sort in | cmp - <(sort stored)
	rm requests
	run -0 og-vlpush -B 20000 "$URL" <in
	stop
	[ "$(stored_ids | uniq | wc -l)" -eq 10000 ]
}

@test "batches close on records, and connections are kept" {
	serve <<<""
	records 1000 >in
	run -0 og-vlpush -R 10 -C 2 "$URL" <in
	[ "$(loads)" -eq 100 ]
	[ "$(awk '{ print $7 }' requests | sort -u | wc -l)" -le 2 ]
	[ "$(stored_ids)" = "$(seq 1000)" ]
}

@test "a batch is sent after -L though the input goes on" {
	serve <<<""
	mkfifo pipe
	og-vlpush -L 50ms "$URL" <pipe 3>&- &
	pusher=$!
	exec 5>pipe
	records 3 >&5
	for ((i = 0; i < 200; i++)); do
		[ ! -s stored ] || break
		sleep 0.02
	done
	[ "$(stored_ids)" = "$(seq 3)" ]
	records 2 4 >&5
	exec 5>&-
	wait "$pusher"
	[ "$(stored_ids)" = "$(seq 5)" ]
}

@test "503 and 429 are tried again, with the same bytes and one message" {
	serve < <(printf '%s\n' 503 '503 body=wait' 429 500 425 408)
	records 50 >in
	run -0 --separate-stderr og-vlpush -v -C 1 "$URL" <in
	[ "$(stored_ids)" = "$(seq 50)" ]
	[ "${#stderr_lines[@]}" -eq 2 ]
	[ "${stderr_lines[0]}" = "og-vlpush: $URL: 503: no reason given; trying again" ]
	[[ ${stderr_lines[1]} = "og-vlpush: $URL: read 50 = accepted 50 + refused 0 + not delivered 0; perhaps doubled 50;"*"repeated 6,"* ]]
	[ "$(awk '/[?]/ { print $3 }' requests | sort -u | wc -l)" -eq 1 ]
}

@test "Retry-After is obeyed" {
	serve < <(printf '%s\n' '429 Retry-After:1')
	records 5 >in
	began=$(date +%s%N)
	run -0 og-vlpush "$URL" <in
	[ $(($(date +%s%N) - began)) -ge 1000000000 ]
	[ "$(stored_ids)" = "$(seq 5)" ]
}

@test "a server that comes up late is waited for" {
	serve <<<""
	port=$(cat port)
	stop
	records 20 >in
	og-vlpush "$URL" <in 2>said 3>&- &
	pusher=$!
	until [ -s said ]; do sleep 0.01; done
	grep -q "^og-vlpush: $URL: .*; trying again$" said
	serve -p "$port" <<<""
	wait "$pusher"
	[ "$(stored_ids)" = "$(seq 20)" ]
	[ "$(wc -l <said)" -eq 1 ]
}

@test "-T: what cannot be delivered in time is counted, status 1" {
	serve <<<""
	stop
	records 20 >in
	run -1 --separate-stderr og-vlpush -v -T 300ms "$URL" <in
	[[ $stderr = *"repeated"* ]]
	# The server was asked for its retention before a record was read.
	[[ $stderr = *"read 0 = accepted 0"* ]]
	rm requests
	serve < <(yes 503 | head -n 100)
	run -1 --separate-stderr og-vlpush -v -T 300ms "$URL" <in
	[[ $stderr = *"read to line 20; the first line not delivered is 1"*"og-vlpush: $URL: 20 records not delivered"* ]]
	[[ $stderr = *"read 20 = accepted 0 + refused 0 + not delivered 20;"* ]]
	[[ $stderr != *"may be stored"* ]]
}

@test "-T bounds a server that never answers, and one that trickles" {
	records 20 >in
	for way in -P ''; do
		for fault in delay=60000 trickle=300; do
			# shellcheck disable=SC2086 # none is none
			serve $way < <(yes "204 $fault" | head -n 9)
			SECONDS=0
			run -1 --separate-stderr og-vlpush -T 1s "$URL" <in
			[ "$SECONDS" -le 4 ]
			[[ ${stderr_lines[0]} = "og-vlpush: $URL: "*"timed out"* ]]
			[ -n "$way" ] || [[ $stderr = *"read to line 20; the first line not delivered is 1"*"og-vlpush: $URL: 20 records not delivered"* ]]
		done
	done
}

@test "what was not delivered but may be stored is told apart" {
	serve < <(yes '204 cut=3' | head -n 100)
	records 20 >in
	run -1 --separate-stderr og-vlpush -T 300ms "$URL" <in
	[ "$(stored_ids | sort -nu)" = "$(seq 20)" ]
	[[ $stderr = *"20 records not delivered"* ]]
	[[ $stderr = *"20 of them may be stored all the same"* ]]
}

@test "an answer cut off anywhere is no receipt" {
	# Stored, and the answer lost: the pusher cannot know, sends again, and says so.
	for at in 0 3 15 19 20; do
		rm -f stored requests
		serve <<<"204 cut=$at"
		records 10 >in
		run -0 --separate-stderr og-vlpush -v "$URL" <in
		[[ $stderr = *"accepted 10 + refused 0 + not delivered 0; perhaps doubled 10;"* ]] || {
			echo "cut=$at: $stderr"
			return 1
		}
		[ "$(stored_ids)" = "$(seq 10 | sed p)" ]
		stop
	done
}

@test "an answer without an end, and a chunked one cut off, are no receipts" {
	for way in '200 open' '200 chunked cut=60 body=xxxxxxxxxx' '200 chunked cut=50' '200 cut=50 body=xxxxxxxxxxxxxxxxxxxxxxxx'; do
		rm -f stored requests
		serve <<<"$way"
		records 10 >in
		run -0 --separate-stderr og-vlpush "$URL" <in
		[ "$(loads)" -eq 2 ] || {
			echo "$way: $stderr"
			return 1
		}
		stop
	done
	serve <<<"200 chunked"
	run -0 --separate-stderr og-vlpush "$URL" <in
	[ -z "$stderr" ]
}

@test "a connection lost in mid-upload: the same batch again, nothing missing" {
	serve < <(printf '%s\n' drop=0 drop=100 'drop=5000 reset' 'drop=100000 store')
	records 3000 >in
	run -0 --separate-stderr og-vlpush "$URL" <in
	[ "$(stored_ids | uniq)" = "$(seq 3000)" ]
}

@test "poison records are found by halving; the rest is loaded" {
	serve -x '"id":"777"' <<<""
	records 2000 >in
	run -1 --separate-stderr og-vlpush -v -D dead "$URL" <in
	[ "${stderr_lines[0]}" = "og-vlpush: <stdin>:777: 400: cannot parse this" ]
	[[ $stderr = *"og-vlpush: $URL: 1 records refused"* ]]
	[[ $stderr = *"read 2000 = accepted 1999 + refused 1 + not delivered 0;"* ]]
	[ "$(cut -f 1-3 dead)" = $'777\t400\t400: cannot parse this' ]
	cmp <(cut -f 4- dead) <(sed -n 777p in)
	[ "$(stored_ids)" = "$(seq 2000 | grep -vx 777)" ]
	# Two requests at each of 11 halvings, and the first.
	[ "$(loads)" -le 24 ]
}

@test "several poison records, jsonline" {
	serve -x '7"' <<<""
	records 100 >in
	run -1 --separate-stderr og-vlpush -I jsonline -D dead "$URL" <in
	[ "$(cut -f 1 dead | sort -n)" = "$(seq 7 10 97)" ]
	[ "$(stored_ids)" = "$(seq 100 | grep -v '7$')" ]
}

@test "413: smaller requests from then on" {
	serve -m 3000 <<<""
	records 1000 >in
	run -0 --separate-stderr og-vlpush -B 10000 -C 1 "$URL" <in
	[ "$(stored_ids)" = "$(seq 1000)" ]
	# The later half of the requests hits the limit no more.
	[ "$(tail -n 10 requests | grep -c ' 413 ' || true)" -eq 0 ]
}

@test "what the server would swallow is refused, with line and reason" {
	serve <<<""
	long=$(printf '%0300000d' 0)
	name=$(printf '%0129d' 0)
	{
		echo 'no object'
		echo '[1]'
		echo '{"timestamp":"2025-12-03T12:00:00Z"} x'
		echo '{"message":"m"}'
		echo '{"timestamp":null}'
		echo '{"timestamp":""}'
		echo '{"timestamp":0}'
		echo '{"timestamp":1.5e9}'
		echo '{"timestamp":-5}'
		echo '{"timestamp":"2025-12-03"}'
		echo '{"timestamp":"2025-12-03T12:00:00"}'
		echo '{"timestamp":"2025-13-03T12:00:00Z"}'
		printf '{"timestamp":"2025-12-03T12:00:00Z","m":"\xff"}\n'
		echo '{"timestamp":"2025-12-03T12:00:00Z","a":1,"a":2}'
		echo "{\"timestamp\":\"2025-12-03T12:00:00Z\",\"$name\":1}"
		echo '{"timestamp":"2025-12-03T12:00:00Z","":1}'
		echo '{"timestamp":"2025-12-03T12:00:00Z","_msg":"x"}'
		echo "{\"timestamp\":\"2025-12-03T12:00:00Z\"$(seq -f ',"f%g":1' 1000 | tr -d '\n')}"
		echo
		echo '{"timestamp":"2090-12-03T12:00:00Z"}'
		echo '{"timestamp":"1880-12-03T12:00:00Z"}'
	} >bad
	n=$(wc -l <bad)
	for inlet in loki jsonline; do
		rm -f dead
		run -1 --separate-stderr og-vlpush -D dead -I "$inlet" "$URL" <bad
		[ "$(wc -l <dead)" -eq "$n" ] || {
			cut -c 1-200 dead
			return 1
		}
		[ "$(cut -f 1 dead)" = "$(seq "$n")" ]
		[ "$(cut -f 2 dead | sort -u)" = 0 ]
		cmp <(cut -f 4- dead) bad
		[ ! -s stored ]
		[ "${#stderr_lines[@]}" -eq $((n + 1)) ]
	done
	# 300,000 bytes are too much for jsonline alone.
	echo "{\"timestamp\":\"2025-12-03T12:00:00Z\",\"message\":\"$long\"}" >line
	run -0 og-vlpush "$URL" <line
	run -1 --separate-stderr og-vlpush -I jsonline "$URL" <line
	[ "${stderr_lines[0]}" = "og-vlpush: <stdin>:1: more than 262143 bytes" ]
	echo "{\"timestamp\":\"2025-12-03T12:00:00Z\",\"message\":\"$(head -c 3000000 /dev/zero | tr '\0' x)\"}" >line
	records 1 >>line
	run -1 --separate-stderr og-vlpush -D long "$URL" <line
	[[ ${stderr_lines[0]} = "og-vlpush: <stdin>:1: more than 2000000 bytes" ]]
	# Refused, but not thrown away.
	cmp <(cut -f 4- long) <(head -n 1 line)
}

@test "records outside the server's retention are refused" {
	metrics 7d 2d >page
	now=$(date +%s)
	{
		echo "{\"timestamp\":$((now - 6 * 86400))}"
		echo "{\"timestamp\":$((now - 8 * 86400))}"
		echo "{\"timestamp\":$((now + 86400))}"
		echo "{\"timestamp\":$((now + 3 * 86400))}"
	} >in
	serve -f page <<<""
	run -1 --separate-stderr og-vlpush "$URL" <in
	[ "${stderr_lines[0]}" = "og-vlpush: <stdin>:2: older than the server's retention" ]
	[ "${stderr_lines[1]}" = "og-vlpush: <stdin>:4: further in the future than the server keeps" ]
	stop
	for term in '2w 0' '1 0' '8.5d 0' '200h 0' '100y 2' '0 1'; do
		metrics "${term% *}" 2d >page
		serve -f page <<<""
		run --separate-stderr og-vlpush "$URL" <<<"{\"timestamp\":$((now - 8 * 86400 - 60))}"
		[ "$status" -eq "$([ "${term% *}" = 0 ] && echo 1 || echo 0)" ] || {
			echo "$term: $stderr"
			return 1
		}
		stop
	done
	serve -f /nonexistent <<<""
	run -0 --separate-stderr og-vlpush "$URL" <in
	[ "$stderr" = "og-vlpush: $URL: retention unknown (/metrics: 404): what is too old is dropped there in silence" ]
}

@test "what the server keeps moves on with the clock, also when it is not asked again" {
	metrics 100y 2s >page
	mkfifo pipe
	for settle in 0 1s; do
		serve -f page <<<""
		command og-vlpush -W "$settle" -L 10ms "$URL" <pipe 2>said 3>&- &
		pusher=$!
		exec 5>pipe
		for _ in 1 2 3 4; do
			echo "{\"timestamp\":$(date +%s%3N)}" >&5
			sleep 1
		done
		exec 5>&-
		wait "$pusher" || { cat said; return 1; }
	done
	# What was young enough at the start is too old now.
	metrics 3s 2d >page
	serve -f page <<<""
	now=$(date +%s%3N)
	run -1 --separate-stderr og-vlpush "$URL" < <(echo "{\"timestamp\":$((now - 1000))}"; sleep 3; echo "{\"timestamp\":$((now - 1000))}")
	[ "${stderr_lines[0]}" = "og-vlpush: <stdin>:2: older than the server's retention" ]
}

@test "-z gzip compresses; a server that does not know a form is not loaded" {
	serve <<<""
	records 1000 >in
	run -0 og-vlpush -I jsonline -z gzip "$URL" <in
	zcat stored | cmp - in
	grep -q ' application/json gzip ' requests
	: >stored
	run -0 og-vlpush -I jsonline -z zstd "$URL" <in
	zstd -dc stored | cmp - in
	stop
	rm stored
	serve -P <<<"400"
	run -1 --separate-stderr og-vlpush -z zstd "$URL" <in
	[ "${stderr_lines[0]}" = "og-vlpush: $URL: 400: the server does not understand -z zstd" ]
	[ "${#stderr_lines[@]}" -eq 2 ]
	[ ! -s stored ]
}

@test "what only a person can mend stops the load, with a message" {
	records 10 >in
	for answer in 401 403 404 405; do
		rm -f requests stored
		serve -P <<<"$answer body=because"
		run -1 --separate-stderr og-vlpush "$URL" <in
		[ "$stderr" = "og-vlpush: $URL: $answer: because"$'\nog-vlpush: <stdin>: no line was read' ]
		[ "$(grep -c ^POST requests)" -eq 1 ]
		stop
	done
	for answer in 301 302 307 308; do
		rm -f requests stored
		serve -P < <(printf '%s\n' "$answer Location:https://other.example:1/in?token=secret body=moved" "$answer")
		run -1 --separate-stderr og-vlpush "$URL" <in
		[ "${stderr_lines[0]}" = "og-vlpush: $URL: $answer: redirects are not followed (Location: https://other.example:1/in)" ]
		[ "$(grep -c ^POST requests)" -eq 1 ]
		run -1 --separate-stderr og-vlpush "$URL" <in
		[ "${stderr_lines[0]}" = "og-vlpush: $URL: $answer: redirects are not followed" ]
		stop
	done
	rm -f requests
	serve <<<"200 Content-Type:text/html body=<html>hello</html>"
	run -1 --separate-stderr og-vlpush -C 1 "$URL" <in
	[ "${stderr_lines[0]}" = "og-vlpush: $URL: 200 text/html: this is not VictoriaLogs" ]
	[ "${stderr_lines[1]}" = "og-vlpush: <stdin>: read to line 10; the first line not delivered is 1" ]
	[ "${stderr_lines[2]}" = "og-vlpush: $URL: 10 records not delivered" ]
	[ "$(loads)" -eq 1 ]
}

@test "a load that was stopped is taken up where the message says, whatever arrived behind it" {
	records 2000 >in
	for connections in 1 4; do
		for answer in 404 '200 body=hello'; do
			rm -f stored
			serve < <(printf '%s\n' 204 204 '204 delay=50' "$answer")
			run -1 --separate-stderr og-vlpush -R 10 -C "$connections" "$URL" <in
			[[ ${stderr_lines[1]} =~ ^'og-vlpush: <stdin>: read to line '([0-9]+)'; the first line not delivered is '([0-9]+)$ ]]
			read=${BASH_REMATCH[1]}
			first=${BASH_REMATCH[2]}
			# What is wrongly said to be VictoriaLogs keeps it all the same; that is not delivered.
			[ "$answer" != 404 ] || [ "$first" -eq "$(comm -13 <(stored_ids | sort) <(seq 2000 | sort) | sort -n | head -n 1)" ]
			[ "$(stored_ids | tail -n 1)" -le "$read" ]
			[ "$read" -lt 2000 ]
			serve <<<""
			run -0 og-vlpush "$URL" < <(tail -n +"$first" in)
			[ "$(stored_ids | uniq)" = "$(seq 2000)" ]
		done
	done
}

@test "URLs" {
	for url in '' host host:9428 ftp://host/ file:///etc/passwd 'http://' 'http://a b/' 'http://host:99999/'; do
		run -2 --separate-stderr og-vlpush "$url" </dev/null
		[ "$stderr" = "og-vlpush: $url: not an http or https URL such as http://localhost:9428" ]
	done
	for url in http://me@127.0.0.1:1/ http://me:secret@127.0.0.1:1/ http://:secret@127.0.0.1:1/; do
		run -2 --separate-stderr og-vlpush "$url" </dev/null
		[ "$stderr" = "og-vlpush: URL: user or password in the URL, where every process list shows it" ]
	done
	run -2 og-vlpush </dev/null
	run -2 og-vlpush http://127.0.0.1:1 http://127.0.0.1:2 </dev/null
	serve <<<""
	records 3 >in
	run -0 og-vlpush "$URL/base/?token=a%20b" <in
	grep -q '^POST /base/insert/loki/api/v1/push?token=a%20b&disable_message_parsing=1 ' requests
	[ "$(stored_ids)" = "$(seq 3)" ]
}

@test "https to a plain port is tried on, and says so" {
	serve <<<""
	records 3 >in
	run -1 --separate-stderr og-vlpush -v -T 500ms "${URL/http/https}" <in
	[[ ${stderr_lines[0]} = "og-vlpush: ${URL/http/https}: "*"; trying again" ]]
	[[ $stderr =~ 'repeated '[1-9] ]]
	[ "${#stderr_lines[@]}" -eq 4 ]
}

@test "proxy variables are not followed" {
	serve <<<""
	records 3 >in
	http_proxy=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1 run -0 --separate-stderr og-vlpush -T 1s "$URL" <in
	[ "$stderr" = "og-vlpush: $URL: the proxy in http_proxy is not used" ]
}

@test "bad options are usage errors" {
	for args in '-B 0' '-B x' '-B 99999999999' '-I jsonline -B 262145' '-C 0' '-C 65' '-I x' '-L x' '-L 5' '-R 0' '-T 5x' '-z lzma' '-t ,' '-t service' \
		'-g a,a' '-g a,' '-g message' '-m timestamp' '-Q' '-A x' '-A 1:' '-A :1' '-A 1:2:3' '-A 4294967296' '-A 1:4294967296' '-A -1' '-A 1.5' \
		'-A 99999999999999999999' '-b x' '-b 2025-13-01' '-b 1764763200' '-e x' '-e 2025-02-30' \
		'-b 2025-12-03 -e 2025-12-03' '-b 2025-12-04 -e 2025-12-03' '-x a' '-x =v' '-x a=' '-x timestamp=1' '-x message=1' '-x og_seq=1' \
		'-x og_batch=1' '-x _msg=1' '-x _time=1' '-x a,b=1' '-x a=1 -x a=2' '-X ,' '-X a,' '-X timestamp' '-X mess*' '-X service' \
		'-X sta*' '-X a,message' '-x a=1 -X a' '-X a* -x abc=1' '-E x' '-E -1' '-E 5' '-W x' '-W -1s' '-M 0' '-M x' '-M 99999999999999' '-N 0' '-N x' \
		'-L 0x' '-T 0' '-z ' '-g a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q'; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr og-vlpush $args http://127.0.0.1:1 </dev/null
		[ -n "$stderr" ]
	done
	run -2 --separate-stderr og-vlpush -A '' http://127.0.0.1:1 </dev/null
	run -2 --separate-stderr og-vlpush -X '' http://127.0.0.1:1 </dev/null
	run -2 --separate-stderr og-vlpush -x 'a"b=1' http://127.0.0.1:1 </dev/null
	run -2 --separate-stderr og-vlpush -x $'a=\xff' http://127.0.0.1:1 </dev/null
	run -2 --separate-stderr og-vlpush -x $'a\nb=1' http://127.0.0.1:1 </dev/null
	mapfile -t many < <(seq -f '-xf%g=1' 17)
	run -2 --separate-stderr og-vlpush "${many[@]}" http://127.0.0.1:1 </dev/null
	run -0 --separate-stderr og-vlpush "${many[@]:1}" http://127.0.0.1:1 </dev/null
	run -2 --separate-stderr og-vlpush -X "$(seq -s , 65)" http://127.0.0.1:1 </dev/null
	run -0 --separate-stderr og-vlpush -X "$(seq -s , 64)" http://127.0.0.1:1 </dev/null
	run -2 --separate-stderr env OG_USER=u og-vlpush http://127.0.0.1:1 </dev/null
	[ "$stderr" = "og-vlpush: OG_USER and OG_PASSWORD are to be set both" ]
}

@test "all options at once, long and short" {
	serve <<<""
	seq 300 | awk '{ printf "{\"at\":%d,\"id\":\"%d\",\"host\":\"h%d\",\"text\":\"x\"}\n", 1764763200 + $1, $1, $1 % 2 }' >in
	run -0 --separate-stderr og-vlpush -B 5000 -C 3 -D dead -I loki -L 1m -R 40 -T 10s -g host -m text -t at -v -z none "$URL" <in
	[ "$(stored_ids)" = "$(seq 300)" ]
	[ ! -s dead ]
	grep -q '{"stream":{"host":"h1"},"values":\[\["1764763201000000000","x",{"id":"1"}\]' stored
	: >stored
	run -0 --separate-stderr og-vlpush --bytes 5000 --connections 3 --dead-letter dead --inlet loki --wait 1m --records 40 --deadline 10s \
		--streams '' --message text --time at --verbose --compress none "$URL" <in
	[ "$(stored_ids)" = "$(seq 300)" ]
	grep -q '{"stream":{},"values":\[\["1764763201000000000","x",{"id":"1","host":"h1"}\]' stored
}

@test "empty input, and no final newline" {
	serve <<<""
	run -0 --separate-stderr og-vlpush "$URL" </dev/null
	[ -z "$output$stderr" ]
	[ "$(loads)" -eq 0 ]
	records 3 | head -c -1 >in
	run -0 --separate-stderr og-vlpush "$URL" <in
	[ "$(stored_ids)" = "$(seq 3)" ]
	: >stored
	run -0 --separate-stderr og-vlpush -I jsonline "$URL" <in
	cmp <(records 3) stored
}

@test "a dead-letter file that cannot be written stops reading, and in the end nothing is called refused" {
	serve <<<""
	{
		records 5
		echo bad
		records 5 6
	} >in
	run -1 --separate-stderr og-vlpush -v -T 1s -D /dev/full "$URL" <in
	[[ $stderr = *"og-vlpush: $URL: /dev/full: No space left on device"* ]]
	[[ $stderr = *"refused 0 + not delivered 1;"* ]]
	run -1 --separate-stderr og-vlpush -D /nonexistent/dead "$URL" <in
	[ "$stderr" = "og-vlpush: /nonexistent/dead: No such file or directory" ]
}

@test "closed streams" {
	serve <<<""
	records 3 >in
	run -1 --separate-stderr bash -c "og-vlpush -W 0 $URL <&-"
	[ "$stderr" = "og-vlpush: <stdin>: Bad file descriptor" ]
	run -0 bash -c "og-vlpush -W 0 -D dead $URL <in >&- 2>&-"
	echo bad >>in
	run -1 bash -c "og-vlpush -W 0 -D dead $URL <in >&- 2>&-"
	[ "$(cat dead)" = $'4\t0\tnot a JSON object\tbad' ]
	run -1 --separate-stderr og-vlpush "$URL" </tmp
	[[ $stderr = *"<stdin>: Is a directory"* ]]
}

# Wait until file $1 holds string $2.
until_said() {
	for ((i = 0; i < 500; i++)); do
		! grep -q "$2" "$1" || return 0
		sleep 0.01
	done
	return 1
}

@test "the first signal delivers what was read, the second gives up" {
	for signal in INT TERM; do
		rm -f stored requests said
		mkfifo pipe
		serve < <(yes 503 | head -n 3)
		"$OG_ROOT/bin/og-vlpush" -W 0 "$URL" <pipe 2>said 3>&- &
		pusher=$!
		exec 5>pipe
		records 10 >&5
		until_said said 503
		kill -"$signal" "$pusher"
		wait "$pusher" && return 1
		[ "$(stored_ids)" = "$(seq 10)" ]
		grep -q ': interrupted: delivering what was read; once more gives up$' said
		grep -q ': interrupted$' said
		grep -qx 'og-vlpush: <stdin>: read to line 10; all of it was accepted or refused' said
		exec 5>&-
		rm pipe
		stop
	done
	rm -f stored requests said
	serve < <(yes 503 | head -n 1000)
	records 10 >in
	"$OG_ROOT/bin/og-vlpush" -W 0 "$URL" <in 2>said 3>&- &
	pusher=$!
	until_said said 503
	kill -INT "$pusher"
	until_said said 'once more gives up'
	kill -INT "$pusher"
	wait "$pusher" && return 1
	grep -q ': interrupted twice$' said
	grep -q '<stdin>: read to line 10; the first line not delivered is 1$' said
}

# Start a server that appends the head of each request, a line each, to `heads`, and the bodies of loads to `stored`. It answers every
# question for the retention; POST with $1, or with 401 and what it was sent in `denied` until a head holds that file's line.
heads() {
	stop
	cat >server.py <<-'EOF'
		import http.server, os, sys
		class Handler(http.server.BaseHTTPRequestHandler):
		    protocol_version = "HTTP/1.1"
		    def say(self, status, text):
		        self.send_response(status)
		        self.send_header("Content-Length", str(len(text)))
		        self.end_headers()
		        self.wfile.write(text)
		    def note(self):
		        with open("heads", "a") as f:
		            f.write(self.command + " " + self.path + " " + " ".join(f"{k}: {v}" for k, v in self.headers.items()) + "\n")
		    def denied(self):
		        if not os.path.exists("denied") or open("denied").read().strip() in str(self.headers):
		            return False
		        self.say(401, ("who is " + str(self.headers.get("Authorization")) + " " + str(self.headers.get("X-Key")) + "?").encode())
		        return True
		    def do_GET(self):
		        self.note()
		        if not self.denied():
		            self.say(200, open(sys.argv[1], "rb").read())
		    def do_POST(self):
		        self.note()
		        body = self.rfile.read(int(self.headers["Content-Length"]))
		        if self.denied():
		            return
		        if "/select/" in self.path:
		            self.say(*((200, b'{"n":"3","u":"3"}') if sys.argv[2] == "204" else (int(sys.argv[2]), b"not here")))
		            return
		        if "?" in self.path:
		            open("stored", "ab").write(body)
		        self.say(204, b"")
		    def log_message(self, *args):
		        pass
		server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		print(server.server_address[1], flush=True)
		server.serve_forever()
	EOF
	rm -f heads port denied
	python3 server.py "$BATS_FILE_TMPDIR/metrics" "${1:-204}" >port 2>log 3>&- &
	server=$!
	until [ -s port ]; do
		kill -0 "$server" || return 1
		sleep 0.01
	done
	URL=http://127.0.0.1:$(cat port)
}

@test "-A: every request is for the tenant, questions too" {
	records 3 >in
	for tenant in 7 7:9 0:1 4294967295:4294967295; do
		heads
		run -0 --separate-stderr og-vlpush -y -A "$tenant" "$URL" <in
		[ -z "$stderr" ]
		[ "$(wc -l <heads)" -ge 4 ]
		project=${tenant#*:}
		[ "$project" != "$tenant" ] || project=0
		[ "$(grep -c "AccountID: ${tenant%:*} .*ProjectID: $project\b" heads)" -eq "$(wc -l <heads)" ]
	done
	heads
	run -0 og-vlpush "$URL" <in
	[ "$(grep -c 'AccountID\|ProjectID' heads || true)" -eq 0 ]
}

@test "-x adds fields, those of streams to the streams; a record that has one is refused" {
	serve <<<""
	printf '%s\n' '{"timestamp":1764763200,"service":"a","message":"m","o":{"p":1}}' ' {"timestamp":1764763200,"message":"m"} ' '{"timestamp":1764763200,"run":"","stack":null}' >in
	run -0 --separate-stderr og-vlpush -x run=17 -x stack=x -x $'q=a"b=\\\t' -x o.r=é "$URL" <in
	more='"run":"17","q":"a\"b=\\\t","o.r":"é"'
	jq -e . stored >/dev/null
	cat >want <<-EOF
		{"streams":[{"stream":{"service":"a","stack":"x"},"values":[["1764763200000000000","m",{"o.p":"1",$more}]]},{"stream":{"stack":"x"},"values":[["1764763200000000000","m",{$more}],["1764763200000000000","",{$more}]]}]}
	EOF
	# The same, whatever escapes it has.
	diff <(jq -cS . want) <(jq -cS . stored)
	: >stored
	run -0 --separate-stderr og-vlpush -I jsonline -x run=17 -x stack=x -x $'q=a"b=\\\t' -x o.r=é "$URL" <in
	more=${more/,/,\"stack\":\"x\",}
	printf '%s\n' '{"timestamp":1764763200,"service":"a","message":"m","o":{"p":1},'"$more}" '{"timestamp":1764763200,"message":"m",'"$more}" \
		'{"timestamp":1764763200,'"$more}" >want
	diff <(jq -cS . want) <(jq -cS . stored)
	: >stored
	printf '%s\n' '{"timestamp":1764763200,"run":"18"}' '{"timestamp":1764763200,"stack":"t"}' '{"timestamp":1764763200,"o":{"r":2}}' \
		'{"timestamp":1764763200,"r\u0075n":1}' '{"timestamp":1764763200,"id":"5"}' >in
	for inlet in loki jsonline; do
		rm -f dead
		run -1 --separate-stderr og-vlpush -D dead -I "$inlet" -x run=17 -x stack=x -x o.r=y "$URL" <in
		[ "$(cut -f 1-3 dead)" = "$(printf '%s\t0\ta field that is to be added is there already\n' 1 2 3 4)" ] || {
			cat dead
			return 1
		}
	done
	[ "$(stored_ids)" = $'5\n5' ]
}

@test "a line that gets too long by what is added is refused" {
	serve <<<""
	printf '{"timestamp":1764763200,"message":"%s"}\n' "$(head -c 262090 /dev/zero | tr '\0' x)" >in
	run -0 --separate-stderr og-vlpush -I jsonline "$URL" <in
	run -1 --separate-stderr og-vlpush -I jsonline -x a=01234567890123456789 "$URL" <in
	[ "${stderr_lines[0]}" = "og-vlpush: <stdin>:1: more than 262143 bytes" ]
	seq -f ',"f%g":1' 999 | tr -d '\n' | sed 's/.*/{"timestamp":1764763200&}/' >in
	for inlet in loki jsonline; do
		run -0 --separate-stderr og-vlpush -I "$inlet" "$URL" <in
		run -1 --separate-stderr og-vlpush -I "$inlet" -x a=b "$URL" <in
		[ "${stderr_lines[0]}" = "og-vlpush: <stdin>:1: more than 1000 fields" ]
	done
}

@test "-X leaves fields out, whatever is wrong with them" {
	serve <<<""
	name=$(printf '%0200d' 0)
	printf '%s\n' '{"timestamp":1764763200,"service":"a","message":"m","tags":{"a":1,"b":{"c":2}},"tagged":3,"t":{"x":1,"y":2},"k":5,"_msg":"x"}' \
		"{\"timestamp\":1764763200,\"tags\":[1],\"tag$name\":1,\"k\":{\"l\":6},\"z\":[7]}" >in
	run -0 --separate-stderr og-vlpush -X 'tag*,t.x,_msg,k' "$URL" <in
	cat >want <<-'EOF'
		{"streams":[{"stream":{"service":"a"},"values":[["1764763200000000000","m",{"t.y":"2"}]]},{"stream":{},"values":[["1764763200000000000","",{"k.l":"6","z":"[7]"}]]}]}
	EOF
	printf '%s\n' "$(cat stored)" | diff want -
	: >stored
	run -0 --separate-stderr og-vlpush -I jsonline -X 'tag*,t.x,_msg,k' "$URL" <in
	printf '%s\n' '{"timestamp":1764763200,"message":"m","service":"a","t.y":2}' '{"timestamp":1764763200,"k.l":6,"z":[7]}' | diff - stored
	# With fields added, and marks.
	: >stored
	run -0 --separate-stderr og-vlpush -I jsonline -X 'tag*,t.*,_msg,k,k.*,z' -x run=1 "$URL" <in
	printf '%s\n' '{"timestamp":1764763200,"message":"m","service":"a","run":"1"}' '{"timestamp":1764763200,"run":"1"}' | diff - stored
}

@test "-b and -e: records outside of them are refused, begin is in, end is not" {
	serve <<<""
	printf '{"timestamp":"%s","id":"%d"}\n' 2025-12-02T23:59:59.999999999Z 1 2025-12-03T00:00:00Z 2 2025-12-03T12:19:59.999999999Z 3 \
		2025-12-03T12:20:00Z 4 2025-12-03T14:20:00+02:00 5 2025-12-03T02:00:00+02:00 6 1764763199 7 1764763200 8 >in
	for inlet in loki jsonline; do
		rm -f dead
		: >stored
		run -1 --separate-stderr og-vlpush -D dead -I "$inlet" -b 2025-12-03 -e 2025-12-03T12:20:00Z "$URL" <in
		# 1764763200 is 12:00.
		[ "$(stored_ids)" = "$(printf '%s\n' 2 3 6 7 8)" ]
		[ "$(cut -f 1-3 dead)" = $'1\t0\tbefore the time asked for\n4\t0\tbehind the time asked for\n5\t0\tbehind the time asked for' ]
	done
	: >stored
	run -1 og-vlpush --begin 2025-12-03T12:20:00Z "$URL" <in
	[ "$(stored_ids)" = $'4\n5' ]
	: >stored
	run -1 og-vlpush --end 2025-12-03T12:00:00Z "$URL" <in
	[ "$(stored_ids)" = "$(printf '%s\n' 1 2 6 7)" ]
	# The ends of time.
	run -1 og-vlpush -b 1970-01-01 -e 9999-12-31 "$URL" <<<bad
	run -0 og-vlpush -b 1970-01-01 -e 9999-12-31 "$URL" <in
}

@test "-y: all that was accepted is there" {
	records 500 >in
	sed -i '7s/.*/bad/;300s/.*/worse/' in
	for inlet in loki jsonline; do
		rm -f stored
		serve -F vl <<<""
		run -1 --separate-stderr og-vlpush -vy -R 60 -I "$inlet" "$URL" <in
		[[ ${stderr_lines[-1]} = "og-vlpush: $URL: verified: of 498 records accepted 498 are there, 0 rows of them more than once" ]]
		[ "$(grep -o '"og_batch":"[0-9a-f]*"' stored | sort -u | wc -l)" -eq 1 ]
		# The line numbers.
		[ "$(grep -o '"id":"[0-9]*"[^}]*"og_seq":"[0-9]*"' stored | tr -s -c '0-9a-z\n' ' ' | awk '$2 != $NF' | wc -l)" -eq 0 ]
		[ "$(grep -o '"og_seq":"[0-9]*"' stored | tr -dc '0-9\n' | sort -n)" = "$(seq 500 | grep -vx -e 7 -e 300)" ]
		sed '7d;300d' in >good
		run -0 --separate-stderr og-vlpush -y -R 60 -I "$inlet" "$URL" <good
		[ -z "$stderr" ]
	done
	run -0 --separate-stderr og-vlpush -y "$URL" </dev/null
	[ -z "$stderr" ]
	run -1 --separate-stderr og-vlpush -y "$URL" <<<bad
	[[ $stderr != *verif* ]]
	# A record with a name of the marks.
	for inlet in loki jsonline; do
		run -1 --separate-stderr og-vlpush -y -I "$inlet" "$URL" <<<'{"timestamp":1764763200,"og_seq":1}'
		[ "${stderr_lines[0]}" = "og-vlpush: <stdin>:1: a field that is to be added is there already" ]
	done
}

@test "-y names what the server swallowed, stretches as one" {
	records 1000 >in
	sed -i '600s/.*/bad/' in
	for inlet in loki jsonline; do
		rm -f stored
		# Lines 500 to 699, and 1000.
		serve -F vl -w -x '"id":"5' -x '"id":"6' -x 'm 1000"' <<<""
		sed -i -e '5,6s/"id":"/&x/' -e '50,69s/"id":"/&x/' in
		run -1 --separate-stderr og-vlpush -y -R 100 -g '' -I "$inlet" "$URL" <in
		[ "${stderr_lines[2]}" = "og-vlpush: $URL: verified: of 999 records accepted 799 are there, 0 rows of them more than once" ]
		[ "${stderr_lines[3]}" = "og-vlpush: $URL: lines 500 to 699: 199 records were accepted and are not there" ]
		[ "${stderr_lines[4]}" = "og-vlpush: $URL: line 1000 was accepted and is not there" ]
		[ "${#stderr_lines[@]}" -eq 5 ]
	done
	# Every other line is too much to tell.
	records 100 >in
	serve -F vl -w $(seq -f '-x"id":"%g"' 1 2 99) <<<""
	run -1 --separate-stderr og-vlpush -y "$URL" <in
	[ "${#stderr_lines[@]}" -eq 22 ]
	[ "${stderr_lines[1]}" = "og-vlpush: $URL: line 1 was accepted and is not there" ]
	[ "${stderr_lines[20]}" = "og-vlpush: $URL: line 39 was accepted and is not there" ]
	[ "${stderr_lines[21]}" = "og-vlpush: $URL: and more" ]
}

@test "-y tells rows that are there twice, which are no fault" {
	records 100 >in
	serve -F vl < <(printf '%s\n' '204 cut=3' '')
	run -0 --separate-stderr og-vlpush -y -R 10 -C 1 "$URL" <in
	[ "${stderr_lines[-1]}" = "og-vlpush: $URL: verified: of 100 records accepted 100 are there, 10 rows of them more than once" ]
}

@test "-y with a server that answers no queries: it cannot be told" {
	records 3 >in
	for answer in 404 400; do
		heads "$answer"
		run -1 --separate-stderr og-vlpush -y "$URL" <in
		[[ ${stderr_lines[0]} = "og-vlpush: $URL: cannot verify: $answer: not here" ]]
	done
	# Nothing is asked where not all was delivered.
	rm -f requests
	serve -F vl < <(yes 503 | head -n 100)
	run -1 --separate-stderr og-vlpush -y -T 300ms "$URL" <in
	[ "$(grep -c select requests || true)" -eq 0 ]
	[[ $stderr != *verif* ]]
}

@test "-y with a server that answers a page to every query: it cannot be told" {
	serve < <(printf '%s\n' '' '200 Content-Type:text/html body=<p>welcome</p>')
	records 3 >in
	run -1 --separate-stderr og-vlpush -y "$URL" <in
	[[ $stderr = "og-vlpush: $URL: cannot verify: "* ]]
}

@test "-y and a journal: one mark, from where the load goes on" {
	records 1000 >in
	serve -F vl <<<""
	mkfifo pipe
	"$OG_ROOT/bin/og-vlpush" -W 0 -y -j journal -R 50 -L 10ms "$URL" <pipe 2>said 3>&- &
	pusher=$!
	exec 5>pipe
	head -n 300 in >&5
	until [ "$(stored_ids | wc -l)" -eq 300 ]; do sleep 0.02; done
	kill -INT "$pusher"
	wait "$pusher" && return 1
	exec 5>&-
	! grep -q verif said || return 1
	[ "$(sed -n 's/^line //p' journal)" -eq 300 ]
	run -0 --separate-stderr og-vlpush -vy -j journal -R 50 "$URL" <in
	[[ $stderr = *"verified: of 700 records accepted 700 are there, 0 rows"* ]]
	[ "$(grep -o '"og_batch":"[0-9a-f]*"' stored | sort -u)" = "\"og_batch\":\"$(sed -n 's/^mark //p' journal)\"" ]
	[ "$(grep -o '"og_seq":"[0-9]*"' stored | tr -dc '0-9\n' | sort -n)" = "$(seq 1000)" ]
	# It is the journal of this load only.
	for args in '-A 1' '-x a=b' '-X a' '-g a' '-m a' '-t a' '-I jsonline' '-b 2025-12-01' '-e 2026-12-01'; do
		# shellcheck disable=SC2086 # words
		run -1 --separate-stderr og-vlpush $args -j journal "$URL" <in
		[[ $stderr = *"the journal is that of another load: other server, options or program"* ]]
	done
	run -0 --separate-stderr og-vlpush -v -j journal -C 1 -B 1000 "$URL" <in
	[[ $stderr = *"read 0 = accepted 0"* ]]
}

# All places where a secret must not be.
@test "secrets are sent, and shown nowhere" {
	records 200 | sed '13s/.*/bad/' >in
	printf 'X-Key: s3cret-key\nX-Other: other-s3cret\n' >file.headers
	printf 'joe:s3cret-word\n' >file.password
	basic=$(printf 'joe:s3cret-word' | base64)
	for way in '-H file.headers' '-P file.password' '-H file.headers -P file.password' OG; do
		rm -f dead journal stats said args stored
		heads
		variables=()
		[ "$way" != OG ] || variables=(OG_USER=joe OG_PASSWORD=s3cret-word)
		# shellcheck disable=SC2086 # words
		env "${variables[@]}" "$OG_ROOT/bin/og-vlpush" -W 0 -v -R 10 -D dead -j journal -S stats ${way#OG} "$URL?token=s3cret-token" \
			< <(cat in; sleep 0.3) 2>said 3>&- &
		pusher=$!
		sleep 0.2
		tr '\0' ' ' <"/proc/$pusher/cmdline" >args
		wait "$pusher" && return 1
		[ "$(stored_ids | wc -l)" -eq 199 ]
		case $way in *-H*) [ "$(grep -c 'X-Key: s3cret-key.*X-Other: other-s3cret' heads)" -eq "$(wc -l <heads)" ] ;; esac
		case $way in *-P* | OG) [ "$(grep -c "Authorization: Basic $basic" heads)" -eq "$(wc -l <heads)" ] ;; esac
		sed 's/?token=s3cret-token//' args >bare
		[ -s said ] && [ -s dead ] && [ -s journal ] && [ -s stats ] && [ -s bare ]
		! grep -l -e s3cret -e "$basic" said dead journal stats bare || return 1
	done
	# The server says them back.
	for way in '-H file.headers' '-P file.password'; do
		heads
		echo nobody >denied
		# shellcheck disable=SC2086 # words
		run -1 --separate-stderr og-vlpush -v -D dead -j new -S stats $way "$URL?token=s3cret-token" <in
		[[ $stderr = *"401: who is "* ]]
		printf '%s\n' "$stderr" >said
		! grep -l -e s3cret -e "$basic" said stats || return 1
		rm -f new dead
	done
}

@test "secrets that are repeated in another form are not shown either" {
	records 1 >in
	printf '%s\n' 'X-Org: acme' 'X-Key: acme-s3cret' "Authorization: Basic $(printf 'joe:s3cret"word' | base64)" >file.headers
	long=$(printf 'x%.0s' {1..120})
	for said in '400 body=for+acme-s3cret' '400 body={"no":"s3cret\"word"}' '400 body=joe:s3cret"word' "200 Content-Type:${long}acme-s3cret body=x" \
		$'200 Content-Type:\e[31mred\a\xc2\x9b body=x'; do
		rm -f dead
		serve < <(printf '%s\n' "$said")
		run -1 --separate-stderr og-vlpush -H file.headers -D dead "$URL" <in
		[[ $stderr = *": "[24]00* ]]
		printf '%s\n' "$stderr" >said
		run ! grep -a -e s3 -e word -e $'[\e\a]' -e $'\xc2\x9b' said dead
	done
}

@test "credentials that end in mid-load are read again" {
	records 300 >in
	echo 'Authorization: Bearer old-token' >headers
	heads
	mkfifo pipe
	og-vlpush -L 10ms -H headers "$URL" <pipe 2>said 3>&- &
	pusher=$!
	exec 5>pipe
	head -n 100 in >&5
	until [ "$(stored_ids 2>/dev/null | wc -l)" -eq 100 ]; do sleep 0.02; done
	echo new-token >denied
	sed -n 101,200p in >&5
	until grep -q 'trying again' said; do sleep 0.02; done
	echo 'Authorization: Bearer new-token' >headers
	tail -n 100 in >&5
	exec 5>&-
	wait "$pusher"
	[ "$(stored_ids | uniq)" = "$(seq 300)" ]
	! grep -q -e old-token -e new-token said || return 1
	# At the start it is the end.
	echo other >denied
	run -1 --separate-stderr og-vlpush -H headers "$URL" <in
	[[ $stderr = *": 401: "* ]]
	for bad in 'no header' ': x' 'Name:' 'Content-Length: 5' 'content-type: x' $'A: b\x01'; do
		printf '%s\n' "$bad" >headers
		run -1 --separate-stderr og-vlpush -H headers "$URL" <in
		[[ $stderr = *headers* ]]
	done
	run -1 og-vlpush -H nowhere "$URL" <in
	run -1 og-vlpush -P nowhere "$URL" <in
	echo nocolon >password
	run -1 og-vlpush -P password "$URL" <in
}

@test "-S: a line a second, and totals that agree with the account" {
	records 400 | sed '13s/.*/bad/;77s/.*/worse/' >in
	serve < <(printf '%s\n' 503 '204 cut=3')
	run -1 --separate-stderr og-vlpush -v -R 20 -L 10ms -S stats "$URL" < <(head -n 200 in; sleep 2.3; tail -n 200 in)
	jq -e . stats >/dev/null
	[ "$(wc -l <stats)" -ge 3 ]
	# Times go on, and numbers do not go back.
	jq -se '[.[].t] == ([.[].t] | sort) and [.[].read] == ([.[].read] | sort) and ([.[:-1][] | has("totals")] | any | not)' stats
	jq -se '.[0].t > 0.9 and .[0].t < 1.6 and .[0].read == 200 and .[0].in_flight == 0' stats
	tail -n 1 stats | jq -e '.totals and .read == 400 and .refused == 2 and .accepted == 398 and .settled == 398 and .undelivered == 0 and
		.read == .accepted + .refused + .undelivered and .retried == 2 and .doubtful == 20 and .restarts == 0 and .replayed == 0 and
		.sent >= 418 and .in_flight == 0 and .records_per_s > 0 and
		.latency_ms.p50 <= .latency_ms.p90 and .latency_ms.p90 <= .latency_ms.p95 and .latency_ms.p95 <= .latency_ms.p99 and .latency_ms.p99 <= .latency_ms.max'
	[[ ${stderr_lines[-1]} =~ 'perhaps doubled '([0-9]+)'; requests '([0-9]+)', repeated '([0-9]+)', bytes '([0-9]+) ]]
	[ "${BASH_REMATCH[*]:1:4}" = "$(tail -n 1 stats | jq -r '"\(.doubtful) \(.requests) \(.retried) \(.bytes)"')" ]
	# What was not delivered is in it, too.
	serve < <(yes 503 | head -n 100)
	run -1 og-vlpush -T 200ms -S stats "$URL" <in
	tail -n 1 stats | jq -e '.totals and .read == .accepted + .refused + .undelivered and .undelivered > 0'
	run -1 --separate-stderr og-vlpush -S /nonexistent/stats "$URL" <in
	[ "$stderr" = "og-vlpush: /nonexistent/stats: No such file or directory" ]
}

@test "-N: the load ends when more were refused" {
	serve <<<""
	records 5000 | sed '1000~10s/.*/bad/' >in
	run -1 --separate-stderr og-vlpush -v -N 3 -R 100 "$URL" <in
	[[ $stderr = *"og-vlpush: $URL: too many records were refused"* ]]
	[[ $stderr =~ 'read '([0-9]+)' = accepted '([0-9]+)' + refused 4 + not delivered '([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -eq $((BASH_REMATCH[2] + 4 + BASH_REMATCH[3])) ]
	[ "${BASH_REMATCH[1]}" -lt 2000 ]
	head -n 1020 in >few
	run -1 --separate-stderr og-vlpush -v -N 3 "$URL" <few
	[[ $stderr = *"read 1020 = accepted 1017 + refused 3 + not delivered 0;"* ]]
}

@test "-E bounds what follows the first signal" {
	records 10 >in
	for drain in 300ms 0; do
		serve < <(yes 503 | head -n 1000)
		rm -f said
		"$OG_ROOT/bin/og-vlpush" -W 0 -E "$drain" "$URL" <in 2>said 3>&- &
		pusher=$!
		until_said said 503
		kill -TERM "$pusher"
		if [ "$drain" = 0 ]; then
			sleep 1
			kill -TERM "$pusher"
		fi
		wait "$pusher" && return 1
		grep -q "$([ "$drain" = 0 ] && echo 'interrupted twice' || echo 'interrupted, and not done in time')" said
		grep -q ': 10 records not delivered' said
	done
}

@test "a terminal that nobody reads does not keep signals from being seen" {
	serve <<<""
	seq 2000 | sed 's/^/junk /' >in
	cat >mute.py <<-'EOF'
		import os, pty, signal, subprocess, sys, time
		there, here = pty.openpty()
		p = subprocess.Popen([sys.argv[1], "-W", "0", sys.argv[2]], stdin=open("in"), stderr=here)
		time.sleep(1)
		for _ in range(2):
		    p.send_signal(signal.SIGINT)
		    time.sleep(0.3)
		try:
		    sys.exit(p.wait(10) != 1)
		finally:
		    p.kill()
	EOF
	python3 mute.py "$OG_ROOT/bin/og-vlpush" "$URL"
}

@test "one record that is too much by itself says nothing of the others" {
	records 4000 >in
	serve < <(yes '' | head -n 1) -x '"id":"7"'
	run -1 --separate-stderr og-vlpush -v -C 1 "$URL" <in
	[ "$(stored_ids | wc -l)" -eq 3999 ]
	[ "$(loads)" -lt 60 ]
}

@test "-M: no line is read while too many wait to settle" {
	records 20000 >in
	serve -F vl <<<""
	"$OG_ROOT/bin/og-vlpush" -v -W 2s -M 200000 -R 100 -S stats "$URL" < <(cat in) 2>said 3>&- &
	pusher=$!
	sleep 1.5
	read=$(tail -n 1 stats | jq .read)
	kill -INT "$pusher"
	wait "$pusher" && return 1
	# 110 bytes each, in buffers that are twice as large at most.
	[ "$read" -gt 500 ]
	[ "$read" -lt 4000 ]
	[ "$(stored_ids | uniq | tail -n 1)" -lt 6000 ]
	# A file's lines need not be held.
	command og-vlpush -v -W 500ms -M 1000 -R 100 "$URL" <in 2>said 3>&-
	grep -q 'accepted 20000 ' said
}

@test "on a terminal, a line tells how far it is, and messages do not run into it" {
	records 300 | sed '150s/.*/bad/;250s/.*/bad/' >in
	serve <<<""
	TERM=xterm run -1 script -qec "bash -c '(head -n 200 in; sleep 1.3; tail -n 100 in) | og-vlpush -W 0 -L 10ms $URL'" /dev/null
	printf '%s\n' "$output" >raw
	grep -q $'\x1b\[Kog-vlpush: read 200, accepted 199, refused 1, under way 0' raw
	# What a person sees: of each line what was written last.
	tr -d '\r' <raw | sed 's/.*\x1b\[K//' >seen
	printf '%s\n' "og-vlpush: <stdin>:150: not a JSON object" "og-vlpush: <stdin>:250: not a JSON object" "og-vlpush: $URL: 2 records refused" | diff - seen
	run -1 --separate-stderr og-vlpush -L 10ms "$URL" < <(head -n 200 in; sleep 1.3; tail -n 100 in)
	[[ $stderr != *"under way"* ]]
	TERM=dumb run -1 script -qec "bash -c '(head -n 200 in; sleep 1.3; tail -n 100 in) | og-vlpush -W 0 -L 10ms $URL'" /dev/null
	[[ $output != *"under way"* && $output != *$'\e'* ]]
}

@test "one file cannot be two of input, dead letters, journal and statistics; a link leads to its journal" {
	serve <<<""
	records 20 >in
	for twice in "-S in" "-D in" "-D x -j ./x" "-S y -D y" "-j z -S z"; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr og-vlpush $twice "$URL" <in
		[[ $stderr = *": the same file" ]]
		[ "$(wc -l <in)" -eq 20 ]
	done
	[ ! -s stored ]
	ln -s real link
	run -0 og-vlpush -j link "$URL" <in
	[ -L link ]
	run -0 og-vlpush -j real "$URL" <in
	[ "$(stored_ids)" = "$(seq 20)" ]
}
