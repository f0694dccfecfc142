# Each scenario of failure that delivery has to survive, by its number; test/long/delivery.bats has them at random.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # tests are subshells; push/bench reads variables; stderr comes from run
bats_require_minimum_version 1.5.0

load common
load push/bench

# A pusher that waits for a server waits for ever.
BATS_TEST_TIMEOUT=20

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	stop
}

@test "0 the judge: what is missing, doubled, corrupted or refused is found" {
	records 1000
	cp in stored
	run -0 "$TOOLS/oracle" judge -n 1000 stored
	[ "$output" = "sent 1000 stored 1000 missing 0 doubled 0 corrupted 0 refused 0" ]
	sed '7d;9p;9p;11s/the/teh/;11s/m 11/m 12/' in >stored
	run -1 --separate-stderr "$TOOLS/oracle" judge -n 1000 stored
	[ "$output" = "sent 1000 stored 998 missing 2 doubled 1 corrupted 1 refused 0" ]
	[[ $stderr = *"missing: line 7"*"missing: line 11"* ]]
	printf '7\t400\twhy\t%s\n11\t0\tline too long\t\n' "$(sed -n 7p in)" >dead
	grep -v '"id":11,' stored >left
	mv left stored
	run -0 "$TOOLS/oracle" judge -n 1000 -d dead -m 1 stored
	[ "$output" = "sent 1000 stored 998 missing 0 doubled 1 corrupted 0 refused 2" ]
	run -1 "$TOOLS/oracle" judge -n 1000 -d dead -m 0 stored
	for form in tsv csv samples; do
		"$TOOLS/oracle" make -f "$form" 1000 >in
		[ "$form" != samples ] || jq -r '"{\"metric\":{\"__name__\":\"oracle\",\"service\":\"\(.tags.service)\"},\"values\":[\(.value)],\"timestamps\":[\(.ts * 1000 | round)]}"' in >stored
		[ "$form" = samples ] || cp in stored
		run -0 "$TOOLS/oracle" judge -n 1000 stored
		sed -i '9s/1/2/' stored
		run -1 --separate-stderr "$TOOLS/oracle" judge -n 1000 stored
		[[ $output = "sent 1000 stored 999 missing 1 doubled 0 corrupted 1 refused 0" ]] || die "$form: $output"
	done
}

@test "1 server down at start" {
	serve <<<""
	stop
	records 50
	run load -T 300ms -j journal
	[ "$status" -eq 1 ]
	[ "$(grep -c 'trying again' said)" -eq 1 ]
	"${push[@]}" -j journal "$URL" <in 2>said 3>&- &
	pusher=$!
	until_said said 'trying again'
	sleep 0.3
	serve -p "$port" <<<""
	wait "$pusher"
	[ "$(grep -c trying said)" -eq 1 ]
	arrived stored 50
}

@test "2 the name does not resolve: tried again; a certificate that is not trusted: the end" {
	records 5
	URL=http://no-such-host.invalid:9428
	run load -T 300ms
	[ "$status" -eq 1 ]
	grep -q 'Could not resolve.*; trying again' said
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null
	openssl s_server -accept 127.0.0.1:0 -key key -cert cert -www >tls 2>&1 3>&- &
	daemons+=($!)
	until_said tls ACCEPT
	URL=https://127.0.0.1:$(sed -n 's/^ACCEPT 127.0.0.1://p' tls)
	run load
	[ "$status" -eq 1 ]
	! grep -q 'trying again' said || false
	grep -qi certificate said
	# With its certificate known, it is the answer that is not right.
	SSL_CERT_FILE=cert run load -T 500ms
	[ "$status" -eq 1 ]
	! grep -qi certificate said || false
}

@test "3 the server dies while the body is uploaded" {
	records 2000
	serve -W 0 < <(each drop=0 drop=5000 rdrop=20000 partial=0 partial=1 partial=200 'drop=9999999 store' restart=50)
	run load -C 1 -R 250
	[ "$status" -eq 0 ]
	arrived stored 2000
	[ "$(account repeated)" -ge 8 ]
	# The same bytes each time.
	[ "$(awk '/[?]/ { print $3 }' requests | sort -u | wc -l)" -eq 8 ]
	anew
	serve <<<""
	for fault in '-c 7' '-r 70' '-c 700' '-r 7000' '-c 70000 -H'; do
		# shellcheck disable=SC2086 # words
		between -e 2 $fault
		run load -C 2 -R 500
		[ "$status" -eq 0 ]
		arrived stored 2000
		: >stored
	done
}

@test "3 success that comes before the body was read is no receipt" {
	# More than what lies between two processes.
	records 60000
	for flavour in vl ch; do
		anew
		push=(og-vlpush -v -W 0 -B 20000000)
		[ "$flavour" = vl ] || push=(og-chpush -v -t t)
		serve -F "$flavour" < <(printf '%s\n' early early)
		run load -C 1 -R 60000
		[ "$status" -eq 0 ]
		arrived stored 60000
		[ "$(account repeated)" -ge 2 ]
	done
}

@test "3 what answers no HTTP, or a head without end, is tried again" {
	records 100
	serve < <(printf '%s\n' '' 'noise swallow' '' 'endless swallow' '')
	run load -C 1 -R 10
	[ "$status" -eq 0 ]
	arrived stored 100
	[ "$(account repeated)" -eq 2 ]
}

@test "3 it dies with the body read and stored, and nobody listens for a while" {
	# libcurl tries by itself once more, on a connection that is refused: what it had sent before counts all the same.
	push=(og-chpush -v -C 1 -R 100 -t t)
	records 1000
	serve -F ch -W 0 < <(printf '\n\nstore restart=300\n')
	run load
	[ "$status" -eq 0 ]
	[ "$(sort -u stored | wc -l)" -eq 1000 ]
	[ "$(wc -l <stored)" -eq 1100 ]
	[ "$(account 'perhaps doubled')" -eq 100 ]
}

@test "4 the server dies after 200, before it has written" {
	push=(og-vlpush -v)
	records 1000
	serve -W 1200 < <(yes '' | head -n 30 | sed '8s/.*/restart/;20s/.*/restart=100/')
	"${push[@]}" -W 1500ms -R 50 -C 2 "$URL" <in 2>said 3>&- &
	pusher=$!
	until_stored 1000
	kill -HUP "$server"
	wait "$pusher"
	arrived stored 1000
	grep -q 'started anew' said
	# Without settlement that is what is lost; were it not, nothing was tried here.
	anew
	serve -W 1200 <<<""
	run load -W 0 -R 50
	[ "$status" -eq 0 ]
	arrived stored 1000
	kill -HUP "$server"
	sleep 0.1
	run -1 judged
}

# Start times are whole seconds, and its counters have grown past those of before when it is asked again.
@test "4 the server dies after 200, and comes again within the second in which it began" {
	push=(og-vlpush -v)
	records 1000
	mkfifo pipe
	sleep "0.$((999999999 - 10#$(date +%N)))"
	serve -Y <<<""
	"${push[@]}" -W 2s -L 1ms -C 1 "$URL" <pipe 2>said 3>&- &
	pusher=$!
	exec 5>pipe
	head -n 100 in >&5
	until_stored 100
	kill -HUP "$server"
	tail -n 900 in >&5
	exec 5>&-
	wait "$pusher"
	arrived missing 0
	grep -q 'records that it had accepted are sent again' said
}

@test "4 a server that does not tell any more who it is may be another" {
	push=(og-vlpush -v)
	records 100
	mkfifo pipe
	for back in yes no; do
		printf 'flag{name="%s", value="100y"} 1\n' retentionPeriod futureRetention >page
		serve -f page <<<""
		"${push[@]}" -W 2s -L 1ms -C 1 "$URL" <pipe 2>said 3>&- &
		pusher=$!
		exec 5>pipe
		cat in >&5
		until_stored 100
		mv page hidden
		kill -HUP "$server"
		exec 5>&-
		until_said said 'does not tell any more when it was started (404)'
		[ "$back" = no ] || mv hidden page
		wait "$pusher"
		arrived missing 0
		grep -q '100 records that it had accepted are sent again' said
		anew
	done
}

@test "5 503, with Retry-After and without" {
	records 200
	serve < <(printf '%s\n' 503 '503 Retry-After:1' '503 body=wait' '503 close')
	SECONDS=0
	run load -C 1
	[ "$status" -eq 0 ]
	[ "$SECONDS" -ge 1 ]
	arrived doubled 0
	[ "$(account repeated)" -eq 4 ]
	# They told that they keep nothing.
	[ "$(account 'perhaps doubled')" -eq 0 ]
}

@test "6 429, with seconds, with a date, and without" {
	records 200
	serve < <(printf '%s\n' 429 '429 Retry-After:1' "429 Retry-After:$(date -u -d '3 seconds' '+%a,+%d+%b+%Y+%H:%M:%S+GMT')")
	began=$(date +%s%N)
	run load -C 1
	[ "$status" -eq 0 ]
	[ $(($(date +%s%N) - began)) -ge 2000000000 ]
	arrived doubled 0
	[ "$(account repeated)" -eq 3 ]
}

@test "7 the server hangs after it has taken the body" {
	records 300
	serve < <(printf '%s\n' hang=200 'hang=200 store')
	run load -C 1
	[ "$status" -eq 0 ]
	arrived doubled 300
	[ "$(account 'perhaps doubled')" -eq 300 ]
	anew
	serve < <(printf '%s\n' hang hang hang)
	SECONDS=0
	run load -T 1s
	[ "$status" -eq 1 ]
	[ "$SECONDS" -le 5 ]
	grep -q '300 of them may be stored all the same' said
}

@test "8 the connection is closed or reset in mid-answer" {
	records 100
	serve < <(each '204 cut=0' '204 cut=1' '204 cut=8' '204 cut=12' '204 cut=13' '204 cut=20' '204 trickle=1 cut=15' '200 open' \
		'200 chunked cut=60 body=xxxxxxxxxxxx' '200 chunked cut=50' '200 cut=45 body=xxxxxxxxxxxxxxxx' '204 cut=9 reset')
	run load -C 1 -R 9
	[ "$status" -eq 0 ]
	# Each was stored, and is stored again.
	arrived doubled "$(account 'perhaps doubled')"
	[ "$(account 'perhaps doubled')" -ge 50 ]
	[ "$(account repeated)" -eq 12 ]
	anew
	serve <<<""
	for fault in '-C 1' '-R 1' '-C 12' '-R 12' '-C 18 -H'; do
		# shellcheck disable=SC2086 # words
		between -e 2 $fault
		run load -C 1 -R 50
		[ "$status" -eq 0 ]
		arrived stored 100
		: >stored
	done
}

@test "9 the server closes a connection that was idle" {
	serve -i 150 <<<""
	records 400
	mkfifo pipe
	"${push[@]}" -L 10ms "$URL" <pipe 2>said 3>&- &
	pusher=$!
	exec 5>pipe
	for i in 1 101 201 301; do
		sed -n "$i,$((i + 99))p" in >&5
		sleep 0.35
	done
	exec 5>&-
	wait "$pusher"
	arrived doubled 0
	[ "$(account 'perhaps doubled')" -eq 0 ]
	! grep -q trying said || false
	# It was another connection each time.
	[ "$(awk '/[?]/ { print $7 }' requests | sort -u | wc -l)" -ge 4 ]
}

@test "10 a slow server: standard input waits, memory does not grow" {
	serve -d 150 <<<""
	mkfifo pipe
	"$TOOLS/oracle" make 3000000 >pipe 3>&- &
	daemons+=($!)
	"${push[@]}" -C 2 "$URL" <pipe 2>said 3>&- &
	pusher=$!
	sleep 2
	grown=$(awk '/VmHWM/ { print $2 }' "/proc/$pusher/status")
	kill -INT "$pusher"
	sleep 0.1
	kill -INT "$pusher" || true
	wait "$pusher" && false
	# 500 MB wait for entry.
	[ "$grown" -lt 65536 ] || die "$grown kB"
	[ "$(account read)" -lt 400000 ]
	anew
	records 4000
	serve -d 20 <<<""
	between -d 5
	run load -R 100 -C 8
	[ "$status" -eq 0 ]
	arrived doubled 0
	# More than one at a time, never more than was allowed.
	most=$(awk '/[?]/ { print $8 }' requests | sort -n | tail -n 1)
	[ "$most" -gt 1 ]
	[ "$most" -le 8 ]
}

@test "11 400 for a poison record" {
	records 2000
	serve -x '"id":"777"' <<<""
	run load -D dead
	[ "$status" -eq 1 ]
	arrived refused 1
	[ "$(cut -f 1-3 dead)" = $'777\t400\t400: cannot parse this' ]
	cmp <(cut -f 4- dead) <(sed -n 777p in)
	# The first, and two at each of 11 halvings.
	[ "$(loads)" -le 23 ]
	grep -q '^og-vlpush: <stdin>:777: 400: cannot parse this$' said
	# Enough is enough.
	anew
	serve -x '7","sum' <<<""
	run load -D dead -N 3
	[ "$status" -eq 1 ]
	[ "$(wc -l <dead)" -ge 3 ]
	[ "$(wc -l <dead)" -lt 200 ]
	grep -q 'the first line not delivered is' said
}


@test "11 400 for a poison record: ClickHouse names its row" {
	push=(og-chpush -v -t logs)
	for version in 18.16.1 24.3.1.1; do
		for format in json:JSONEachRow tsv:TSV csv:CSVWithNames; do
			anew
			serve -F ch -V "$version" -x 'm 777 ' -x 'm 1555 '
			records 2000 "${format%:*}"
			run load -f "${format#*:}" -D dead -C 1
			[ "$status" -eq 1 ]
			arrived refused 2
			grep -aqE $'^77[78]\t[45]00\t.*code 27: Cannot parse' dead
			# What is in front of it, it, and what is behind it.
			[ "$(loads)" -le 9 ] || die "$version $format: $(loads) loads"
			[ "$(wc -l <dead)" -eq 2 ]
		done
	done
}


@test "12 poison that the server swallows" {
	# What is known to be swallowed is not sent.
	records 4
	serve <<<""
	printf '%s\n' 'no object' '{"message":"no time"}' '{"timestamp":"2025-12-03T12:00:00Z","message":"a","message":"b"}' \
		'{"timestamp":"2025-12-03"}' >in
	run load -D dead
	[ "$status" -eq 1 ]
	[ "$(cut -f 1,2 dead)" = $'1\t0\n2\t0\n3\t0\n4\t0' ]
	[ "$(loads)" -eq 0 ]
	anew
	records 4 samples
	push=(og-vmpush -v -W 0)
	serve -F vm <<<""
	printf '%s\n' 'no object' '{"metric":"m","ts":1764763200,"tags":{}}' '{"metric":"m","ts":1764763200,"value":"x","tags":{}}' \
		'{"metric":"m","ts":99999999999,"value":1,"tags":{}}' >in
	run load -D dead
	[ "$status" -eq 1 ]
	[ "$(cut -f 1,2 dead)" = $'1\t0\n2\t0\n3\t0\n4\t0' ]
	# What is swallowed all the same is noticed by -y.
	anew
	records 1000 samples
	serve -F vm -w -x "$(sed -n '500s/.*"value":\([0-9]*\).*/\1/p' in)" <<<""
	run load -R 100
	[ "$status" -eq 0 ]
	run -1 judged
	anew
	serve -F vm -w -x "$(sed -n '500s/.*"value":\([0-9]*\).*/\1/p' in)" <<<""
	timeout 15 "${push[@]}" -R 100 -y "$URL" <in 2>said && false
	grep -q 'not verified' said
	anew
	serve -F vm <<<""
	run load -R 100 -y
	[ "$status" -eq 0 ]
	arrived doubled 0
}

@test "13 413, and a record that is too big alone" {
	records 1000
	sed -i '500s/"message":"/&'"$(head -c 5000 /dev/zero | tr '\0' x)"'/' in
	serve -m 4000 <<<""
	run load -C 1 -D dead
	[ "$status" -eq 1 ]
	[ "$(cut -f 1,2 dead)" = $'500\t413' ]
	"$TOOLS/oracle" make 1000 | sed -n 500p | sed 's/^/500\t413\t413\t/' >dead
	arrived refused 1
	# The limit is known after the first few.
	[ "$(loads 413)" -le 16 ]
}


@test "14 a form of body that the server does not know, and does not say so" {
	records 1000 samples
	push=(og-vmpush -v -W 0)
	# 1.79.5 answers 204 and stores nothing.
	serve -F vm -V 1.79.5 -E gzip -e <<<""
	run load -z zstd
	[ "$status" -eq 1 ]
	[ "$(account accepted)" -eq 0 ]
	grep -q 'zstd' said
	run load -z gzip
	[ "$status" -eq 0 ]
	arrived doubled 0
	anew
	serve -F vm <<<""
	run load -z zstd
	[ "$status" -eq 0 ]
	arrived doubled 0
	# Where it is said, it is the end.
	for pusher in 'og-vlpush -W 0' 'og-chpush -t logs'; do
		anew
		records 100
		read -ra push <<<"$pusher -v"
		flavour=${pusher:3:2}
		serve -F "$flavour" -E gzip <<<""
		run load -z zstd
		[ "$status" -eq 1 ]
		[ "$(account accepted)" -eq 0 ]
		run load -z gzip
		[ "$status" -eq 0 ]
		arrived doubled 0
	done
}

@test "15 overload" {
	records 4000
	serve -o 2 -d 10 <<<""
	run load -R 50 -C 16
	[ "$status" -eq 0 ]
	arrived doubled 0
	# It was too much, and was made less.
	[ "$(loads 503)" -ge 1 ]
	[ "$(loads 503)" -le "$(loads 204)" ]
	# Where it is answered with success, -y is what notices.
	anew
	records 4000 samples
	push=(og-vmpush -v -W 0)
	serve -F vm -o 1 -O -d 10 <<<""
	timeout 15 "${push[@]}" -R 50 -C 8 -y "$URL" <in 2>said && false
	grep -q 'not verified' said
	anew
	records 2000
	push=(og-vlpush -v -W 0 -I jsonline)
	serve -o 1 -O -d 10 <<<""
	timeout 15 "${push[@]}" -R 50 -C 8 -y "$URL" <in 2>said && false
	grep -q ' accepted and are not there$' said
	anew
	serve <<<""
	run load -y
	[ "$status" -eq 0 ]
	arrived doubled 0
}

@test "16 records outside the server's retention" {
	now=$(date +%s)
	printf 'flag{name="futureRetention", value="2d"} 1\nflag{name="retentionPeriod", value="7d"} 1\n' >page
	for at in -6 -8 1 3; do
		echo "{\"timestamp\":$((now + at * 86400))}"
	done >in
	sent=4
	serve -f page <<<""
	run load -D dead
	[ "$status" -eq 1 ]
	[ "$(cut -f 1,3 dead)" = $'2\tolder than the server\'s retention\n4\tfurther in the future than the server keeps' ]
	[ "$(account accepted)" -eq 2 ]
}

@test "17 doubles are counted" {
	records 100
	serve < <(printf '%s\n' '' '204 cut=3' '')
	run load -C 1 -R 20
	[ "$status" -eq 0 ]
	arrived doubled 20
	[ "$(account 'perhaps doubled')" -eq 20 ]
}


@test "17 no doubles with insert tokens" {
	records 2000
	push=(og-chpush -v -t logs)
	faults=('200 cut=3' '200 cut=40' hang=50 '200 reset cut=9' 'drop=9999999 store' '200 chunked cut=70')
	serve -F ch < <(each "${faults[@]}")
	run load -o -R 100 -C 2
	[ "$status" -eq 0 ]
	arrived doubled 0
	anew
	serve -F ch < <(each "${faults[@]}")
	run load -R 100 -C 2
	[ "$status" -eq 0 ]
	run judged
	[[ $output != *"doubled 0"* ]]
}

@test "18 the disk is full under the dead-letter file" {
	records 300
	serve -x '9","sum' <<<""
	mkfifo pipe
	cat pipe >said 3>&- &
	reader=$!
	(
		trap '' XFSZ
		ulimit -Sf 1
		exec "${push[@]}" -D dead "$URL" <in 2>pipe 3>&-
	) &
	pusher=$!
	for ((i = 0; i < 500; i++)); do
		[ "$(stat -c %s dead 2>/dev/null || echo 0)" -lt 1024 ] || break
		sleep 0.01
	done
	sleep 0.3
	kill -0 "$pusher"
	prlimit --pid "$pusher" --fsize=unlimited:
	wait "$pusher" || [ $? -eq 1 ]
	wait "$reader"
	truthful 1
	arrived refused 30
	anew
	serve -x '9","sum' <<<""
	run load -D /dev/full -T 500ms
	[ "$status" -eq 1 ]
	grep -q '/dev/full: No space left on device' said
	[ "$(account refused)" -eq 0 ]
}

@test "19 nobody reads what is said" {
	records 500
	serve < <(printf '%s\n' 503 503)
	mkfifo pipe
	(exec "${push[@]}" -R 100 "$URL" <in 2>pipe 3>&-) &
	pusher=$!
	exec 5<pipe 5<&-
	wait "$pusher"
	printf 'x: read %d = accepted %d + refused 0 + not delivered 0; perhaps doubled 0\n' 500 500 >said
	arrived doubled 0
	anew
	serve <<<""
	run load -R 100 -S /dev/full
	[ "$status" -eq 1 ]
	grep -q '/dev/full' said
}

@test "20 signals: the first delivers what was read, the second gives up" {
	for signal in INT TERM; do
		anew
		serve < <(yes '503' | head -n 3)
		records 2000
		mkfifo pipe
		"${push[@]}" -j journal "$URL" <pipe 2>said 3>&- &
		pusher=$!
		exec 5>pipe
		head -n 1000 in >&5
		until_said said 503
		kill -"$signal" "$pusher"
		wait "$pusher" && false
		exec 5>&-
		rm pipe
		grep -q 'read to line 1000; all of it was accepted or refused' said
		# What follows is loaded by the same command on the same input.
		before=1000
		run -0 load -j journal
		arrived doubled 0
		arrived stored 2000
	done
	anew
	serve < <(yes 503 | head -n 1000)
	records 100
	"${push[@]}" "$URL" <in 2>said 3>&- &
	pusher=$!
	until_said said 503
	kill -INT "$pusher"
	until_said said 'once more gives up'
	kill -INT "$pusher"
	wait "$pusher" && false
	grep -q '100 records not delivered' said
	# -E bounds how long the first signal waits.
	rm said
	"${push[@]}" -E 300ms "$URL" <in 2>said 3>&- &
	pusher=$!
	until_said said 503
	SECONDS=0
	kill -TERM "$pusher"
	wait "$pusher" && false
	[ "$SECONDS" -le 3 ]
	grep -q '100 records not delivered' said
}

@test "21 kill -9, and the same command again" {
	records 20000
	serve -d 30 <<<""
	killed=0
	bound=0
	for i in 3 1 5 2 4 6; do
		"${push[@]}" -R 200 -j journal -C 3 "$URL" <in 2>said 3>&- &
		pusher=$!
		sleep "0.$i"
		kill -9 "$pusher" 2>/dev/null && killed=$((killed + 1))
		wait "$pusher" || true
		# What the journal says may have been sent, and is not known to have arrived.
		bound=$((bound + $(sed -n 's/^reach //p' journal) - $(sed -n 's/^line //p' journal)))
	done
	[ "$killed" -ge 2 ]
	timeout 15 "${push[@]}" -R 200 -j journal -C 3 "$URL" <in 2>said
	run -0 "$TOOLS/oracle" judge -n 20000 -m "$bound" stored
}

@test "22 pusher and server die together: the journal is behind what has settled" {
	push=(og-vlpush -v -W 1s -R 100)
	records 3000
	serve -W 1000 <<<""
	"${push[@]}" -j journal "$URL" <in 2>said 3>&- &
	pusher=$!
	until_stored 3000
	kill -9 "$pusher"
	wait "$pusher" || true
	[ "$(sed -n 's/^line //p' journal)" -lt 3000 ]
	kill -HUP "$server"
	sleep 0.1
	run -1 "$TOOLS/oracle" judge -n 3000 stored
	timeout 15 "${push[@]}" -j journal "$URL" <in 2>said
	run -0 "$TOOLS/oracle" judge -n 3000 stored
	[ "$(sed -n 's/^line //p' journal)" -eq 3000 ]
}

@test "23 standard input is a pipe: the same stream again goes on, another is refused" {
	records 20000
	serve -d 10 <<<""
	mkfifo pipe
	cat in >pipe 3>&- &
	feeder=$!
	"${push[@]}" -R 200 -j journal "$URL" <pipe 2>said 3>&- &
	pusher=$!
	until_stored 2000
	kill -9 "$pusher"
	wait "$pusher" || true
	wait "$feeder" || true
	cp journal journal.2
	run -1 --separate-stderr "${push[@]}" -R 200 -j journal.2 "$URL" < <("$TOOLS/oracle" make 20000 2)
	[[ $stderr = *"the input is not the one of the journal"* ]]
	[ "$(sed -n 's/^line //p' journal)" -gt 0 ]
	timeout 15 "${push[@]}" -R 200 -j journal "$URL" < <(cat in) 2>said
	run -0 "$TOOLS/oracle" judge -n 20000 stored
	[[ $output = *" doubled "* ]]
	[ "$(account read)" -lt 20000 ]
}

@test "24 odd lines: CRLF, NUL, not UTF-8, empty, long, without a newline" {
	records 7
	{
		sed -n '1s/$/\r/p' in
		printf '{"timestamp":"2025-12-03T12:00:00Z","message":"a\0b"}\n'
		printf '{"timestamp":"2025-12-03T12:00:00Z","message":"\xff"}\n'
		echo
		head -c 3000000 /dev/zero | tr '\0' x
		echo
		head -c 140000000 /dev/zero | tr '\0' y
		echo
		sed -n 7p in | head -c -1
	} >odd
	serve <<<""
	mv odd in
	run load -D dead
	[ "$status" -eq 1 ]
	[ "$(account read)" -eq 7 ]
	[ "$(account refused)" -eq 5 ]
	[ "$(cut -f 1 dead | sort -n | tr '\n' ' ')" = "2 3 4 5 6 " ]
	# Each with its reason, and its text unless it was too long to hold.
	[ "$(awk -F '\t' '$3 == ""' dead | wc -l)" -eq 0 ]
	grep -aq $'^6\t0\tline too long\t$' dead
	"$TOOLS/oracle" judge -n 7 stored >verdict || true
	[ "$(cat verdict)" = "sent 7 stored 2 missing 5 doubled 0 corrupted 0 refused 0" ]
}

# A clock of the wall that jumps a day at each look.
jumping_clock() {
	cat >jump.c <<-'EOT'
		#define _GNU_SOURCE
		#include <sys/syscall.h>
		#include <sys/time.h>
		#include <time.h>
		#include <unistd.h>
		static long looks;
		int clock_gettime(clockid_t id, struct timespec *t)
		{
			int failed = (int)syscall(SYS_clock_gettime, id, t);
			if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
				t->tv_sec += looks++ % 2 ? 86400 : -86400;
			return failed;
		}
		time_t time(time_t *to)
		{
			struct timespec t;
			(void)clock_gettime(CLOCK_REALTIME, &t);
			if (to != NULL)
				*to = t.tv_sec;
			return t.tv_sec;
		}
		int gettimeofday(struct timeval *restrict to, void *restrict zone)
		{
			(void)zone;
			to->tv_sec = time(NULL);
			to->tv_usec = 0;
			return 0;
		}
	EOT
	cc -shared -fPIC -o jump.so jump.c
}

@test "25 the clock of the wall jumps" {
	jumping_clock
	records 2000
	serve < <(each 503 'drop=100' '503 Retry-After:1')
	push=(env LD_PRELOAD="$PWD/jump.so" "ASAN_OPTIONS=${ASAN_OPTIONS-}:verify_asan_link_order=0" og-vlpush -v -W 600ms)
	SECONDS=0
	run load -R 100 -L 50ms -S statistics -T 10s
	[ "$status" -eq 0 ]
	arrived stored 2000
	[ "$SECONDS" -le 8 ]
	# Time runs forward there.
	jq -s -e 'map(.t) | . == sort and first >= 0 and last < 10' statistics
	# And nobody puts a time on what has none.
	sed '7s/"timestamp"/"stamp"/' in >odd
	mv odd in
	push=(og-vlpush -v -W 0)
	run load -D dead
	[ "$status" -eq 1 ]
	[ "$(cut -f 1 dead)" = 7 ]
}

@test "26 two servers behind one address, one of them bad" {
	records 4000
	serve <<<""
	first=$port
	daemon port faultd -F vl -s <(each 503 drop=100 '204 cut=3' hang=100 503) -l stored.2 -r requests.2
	port=$(cat port)
	daemon port.net mangle "$first" "$port"
	URL=http://127.0.0.1:$(cat port.net)
	run load -R 100 -C 4
	[ "$status" -eq 0 ]
	[ -s stored ]
	[ -s stored.2 ]
	run -0 "$TOOLS/oracle" judge -n 4000 -m "$(account 'perhaps doubled')" stored stored.2
}

@test "27 redirects, proxies, and pages that answer for the server" {
	records 10
	serve -P < <(printf '%s\n' '307 Location:http://127.0.0.1:1/x?token=secret')
	run load
	[ "$status" -eq 1 ]
	grep -q '307: redirects are not followed' said
	! grep -q secret said || false
	anew
	for page in html '200 body=ok' '200 Content-Type:text/html chunked body=<html>'; do
		serve <<<"$page"
		run load
		[ "$status" -eq 1 ]
		[ "$(loads)" -eq 1 ]
		grep -q 'this is not VictoriaLogs' said
		anew
	done
	serve <<<""
	export http_proxy=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1
	run load -T 1s
	[ "$status" -eq 0 ]
	arrived doubled 0
}

@test "28 the password expires in mid-run" {
	records 400
	echo me:secret-one >users
	echo me:secret-one >password
	serve -U users <<<""
	mkfifo pipe
	"${push[@]}" -L 10ms -P password "$URL" <pipe 2>said 3>&- &
	pusher=$!
	exec 5>pipe
	head -n 200 in >&5
	until_stored 200
	echo me:secret-two >users
	echo me:secret-two >password
	tail -n 200 in >&5
	exec 5>&-
	until_said said 401
	wait "$pusher"
	arrived stored 400
	! grep -q secret said || false
	# At the start it is a mistake.
	run load -T 5s
	[ "$status" -eq 1 ]
	grep -q '401' said
	[ "$(account read)" -le 400 ]
}


@test "29 the table is gone, or has another form: the end, and the journal is kept" {
	push=(og-chpush -v -t logs -R 100 -C 1)
	for answer in '404 body=Code:+60.+DB::Exception:+Table+logs+does+not+exist.+(UNKNOWN_TABLE)' \
		'404 body=Code:+16.+DB::Exception:+No+such+column+x+in+table.+(NO_SUCH_COLUMN_IN_TABLE)' \
		'500 body=Code:+60,+e.displayText()+=+DB::Exception:+Table+logs+does+not+exist.,+e.what()+=+DB::Exception'; do
		anew
		records 2000
		serve -F ch < <(printf '%s\n' 200 200 200 "$answer")
		run load -j journal
		[ "$status" -eq 1 ]
		grep -q 'code [16][60]: ' said
		! grep -q 'trying again' said || false
		[ "$(account accepted)" -eq 300 ]
		[ "$(sed -n 's/^line //p' journal)" -eq 300 ]
		before=300
		run load -j journal
		[ "$status" -eq 0 ]
		arrived doubled 0
	done
}

@test "30 after an outage not all come at once" {
	records 6000
	serve -d 15 < <(
		yes '' | head -n 60
		yes 'drop=0' | head -n 30
	)
	run load -R 50 -C 16
	[ "$status" -eq 0 ]
	arrived stored 6000
	grep '^POST [^ ]*[?]' requests >posts
	before=$(head -n 60 posts | awk '{ print $8 }' | sort -n | tail -n 1)
	[ "$before" -ge 4 ]
	# The first that succeed again are few at a time.
	after=$(awk '$4 == 0 { down = 1; n = 0 } down && $4 == 204 && ++n <= 2 { print $8 }' posts | tail -n 2 | sort -n | tail -n 1)
	[ "$after" -le 2 ]
	# Waits are by chance: no two loads knock at the same moments.
	for i in 1 2; do
		anew
		records 50
		serve < <(yes 503 | head -n 5)
		run load
		[ "$status" -eq 0 ]
		awk '/[?]/ { print $9 - last; last = $9 }' requests | tail -n 4 >"waits.$i"
	done
	run ! cmp waits.1 waits.2
}

@test "with insert tokens a batch that was divided before a crash is divided at the same places behind it" {
	push=(og-chpush -v -o -t logs -C 1 -R 1000)
	records 1000
	serve -F ch < <(printf '%s\n' '500 body=Code:+241.+DB::Exception:+Memory+limit+(for+query)+exceeded' 'hang store')
	"${push[@]}" -j journal "$URL" <in 2>said 3>&- &
	pusher=$!
	until_stored 500
	kill -9 "$pusher"
	wait "$pusher" || true
	[ "$(sed -n 's/^cut //p' journal | tr '\n' ' ')" = "500 1000 " ]
	timeout 15 "${push[@]}" -j journal "$URL" <in 2>said
	run -0 "$TOOLS/oracle" judge -n 1000 -m 0 stored
}

# place FILE: what the journal says of the input.
place() {
	grep -E '^(offset|line|reach) ' "$1"
}

@test "another input, or a signal while a pipe is passed over, leaves the journal as it was" {
	push=(og-chpush -v -t logs)
	records 20000
	serve -F ch <<<""
	load -j journal
	place journal >want
	head -n 10 in >other
	run -1 --separate-stderr "${push[@]}" -j journal "$URL" <other
	[[ $stderr = *"the input is not the one of the journal"* ]]
	place journal | diff want -
	mkfifo pipe
	"${push[@]}" -j journal "$URL" <pipe 2>said 3>&- &
	pusher=$!
	exec 5>pipe
	head -n 10 in >&5
	sleep 0.3
	kill -INT "$pusher"
	status=0
	wait "$pusher" || status=$?
	[ "$status" -eq 1 ]
	exec 5>&-
	grep -q interrupted said
	place journal | diff want -
	run -0 "${push[@]}" -j journal "$URL" < <(cat in)
	run -0 "$TOOLS/oracle" judge -n 20000 -m 0 stored
}

@test "records that are sent again after a restart of the server keep their line numbers" {
	push=(og-vlpush -v -C 1 -W 1s -D dead)
	records 12
	sed -i '5s/.*/not json/' in
	# 11 records of several streams are taken; anew they are halved, and of lines 1 and 2 the second is refused.
	serve -Y -W 60000 < <(printf '%s\n' '' 400 400 400 400 '' 400)
	"${push[@]}" "$URL" <in 2>said 3>&- &
	pusher=$!
	until_stored 11
	kill -HUP "$server"
	status=0
	wait "$pusher" || status=$?
	[ "$status" -eq 1 ]
	grep -q 'started anew: 11 records' said
	cut -f 1 dead >numbers
	[ "$(tr '\n' ' ' <numbers)" = "5 2 " ]
	cut -f 4- dead | diff - <(sed -n 5p in; sed -n 2p in)
}

@test "the journal does not pass what was reported as not delivered" {
	push=(og-vlpush -v -C 1 -R 10 -W 3s)
	records 30
	serve -Y -W 60000 <<<""
	"${push[@]}" -j journal "$URL" <in 2>said 3>&- &
	pusher=$!
	until_stored 30
	sleep 0.3
	printf X | dd of=in bs=1 seek=100 conv=notrunc status=none
	kill -HUP "$server"
	status=0
	wait "$pusher" || status=$?
	[ "$status" -eq 1 ]
	grep -q 'the input is not what it was' said
	[ "$(sed -n 's/.*first line not delivered is //p' said)" -gt "$(sed -n 's/^line //p' journal)" ]
}

@test "the journal's place is not inside a quoted field of several lines" {
	push=(og-chpush -v -t logs -f CSV -L 100ms -D dead)
	printf '1,"one"\n2,"a text\n777,no row but text\nend"\n3,"three"\n' >in
	serve -F ch <<<""
	mkfifo pipe
	"${push[@]}" -j journal "$URL" <pipe 2>said 3>&- &
	pusher=$!
	exec 5>pipe
	head -n 3 in >&5
	until_said dead '^3'
	sleep 0.6
	kill -9 "$pusher"
	wait "$pusher" || true
	exec 5>&-
	[ "$(sed -n 's/^line //p' journal)" -eq 1 ]
	run -1 "${push[@]}" -j journal "$URL" <in
	[ "$(cat stored)" = $'1,"one"\n3,"three"' ]
	[ "$(cut -f 1 dead | tr '\n' ' ')" = "2 3 4 " ]
}

@test "a refused record stands in the dead-letter file once, whoever else writes there" {
	push=(og-vlpush -v -W 1s -D dead)
	serve <<<""
	records 3
	sed '2s/.*/not json: one/' in >one
	sed '2s/.*/not json: two/' in >two
	# Killed before the journal was written a second time.
	for i in 1 2; do
		"${push[@]}" -j journal "$URL" <one 2>said 3>&- &
		pusher=$!
		until_said dead one
		kill -9 "$pusher"
		wait "$pusher" || true
	done
	run -1 "${push[@]}" -W 0 "$URL" <two
	run -1 "${push[@]}" -j journal "$URL" <one
	[ "$(cut -f 1,4 dead)" = $'2\tnot json: one\n2\tnot json: two' ]
	rm dead journal
	"${push[@]}" -j journal "$URL" <one 2>said 3>&- &
	pusher=$!
	until_stored 6
	kill -9 "$pusher"
	wait "$pusher" || true
	rm -f dead
	run -1 "${push[@]}" -W 0 "$URL" <two
	run -1 "${push[@]}" -j journal "$URL" <one
	[ "$(cut -f 4 dead)" = $'not json: two\nnot json: one' ]
}

@test "with insert tokens what is behind a batch that was divided is cut as before, too" {
	push=(og-chpush -v -o -t logs -C 1 -R 100 -D dead)
	records 300 tsv
	push+=(-f TSV)
	# Line 30 is refused by its row; the rest of its batch is stored, but the answer never comes.
	serve -F ch -x "$(sed -n 30p in)" < <(printf '%s\n' '' '' '' 'hang store')
	"${push[@]}" -j journal "$URL" <in 2>said 3>&- &
	pusher=$!
	for ((i = 0; i < 800 && $(wc -l <stored) < 99; i++)); do sleep 0.01; done
	sleep 0.1
	kill -9 "$pusher"
	wait "$pusher" || true
	[ "$(sed -n 's/^cut //p' journal | tr '\n' ' ')" = "29 30 100 " ]
	run -1 timeout 15 "${push[@]}" -j journal "$URL" <in
	[ "$(sort stored | uniq -d | wc -l)" -eq 0 ]
	[ "$(wc -l <stored)" -eq 299 ]
	[ "$(cut -f 1 dead)" = 30 ]
}

@test "with insert tokens a batch that may be stored, and then is too much, is divided and told" {
	push=(og-chpush -v -o -t logs -C 1 -R 100)
	records 100
	serve -F ch < <(printf '%s\n' 'hang store' 413)
	"${push[@]}" -j journal "$URL" <in 2>said 3>&- &
	pusher=$!
	until_stored 100
	kill -9 "$pusher"
	wait "$pusher" || true
	run load -j journal
	[ "$(account 'perhaps doubled')" -eq 100 ]
	[ "$(wc -l <stored)" -eq 200 ]
	arrived doubled 100
}

@test "with insert tokens a pipe that pauses at other places makes the same batches behind a crash" {
	push=(og-chpush -v -o -t logs -C 1 -R 100 -L 100ms)
	records 20
	serve -F ch < <(printf '%s\n' 'hang store')
	"${push[@]}" -j journal "$URL" < <(cat in) 2>said 3>&- &
	pusher=$!
	until_stored 20
	kill -9 "$pusher"
	wait "$pusher" || true
	[ "$(sed -n 's/^reach //p' journal)" -eq 20 ]
	run -0 "${push[@]}" -j journal "$URL" < <(head -n 5 in; sleep 0.5; tail -n +6 in)
	run -0 "$TOOLS/oracle" judge -n 20 -m 0 stored
}

@test "a pipe with other lines of the same length is not the input of the journal" {
	push=(og-chpush -v -t logs)
	serve -F ch <<<""
	seq -f '{"day":1,"n":%05.0f}' 1 1000 >in
	run -0 "${push[@]}" -j journal "$URL" < <(cat in)
	cp journal want
	run -1 --separate-stderr "${push[@]}" -j journal "$URL" < <(sed '500s/1/2/' in)
	[[ $stderr = *"the input is not the one of the journal"*"no line was read"* ]]
	diff want journal
	# Nor is a file; the right one is, and is known by its last bytes then, to a pipe, too.
	sed '500s/1/2/' in >other
	run -1 "${push[@]}" -j journal "$URL" <other
	echo '{"day":1,"n":1001}' >>in
	run -0 "${push[@]}" -j journal "$URL" <in
	echo '{"day":1,"n":1002}' >>in
	run -1 "${push[@]}" -j journal "$URL" < <(sed '999s/1/2/' in)
	run -0 "${push[@]}" -j journal "$URL" < <(cat in)
	diff in stored
}

@test "a journal without hashes of lines and header goes on as before" {
	push=(og-chpush -v -t logs -f CSVWithNames)
	serve -F ch <<<""
	printf 'a,b\n1,2\n' >in
	run -0 "${push[@]}" -j journal "$URL" < <(cat in)
	sed -i '/^lines /d; /^head /d' journal
	run -0 "${push[@]}" -j journal "$URL" < <(cat in; echo 3,4)
	grep -q '^lines [0-9a-f]*[1-9a-f]' journal
	[ "$(cat stored)" = $'a,b\n1,2\na,b\n3,4' ]
	sed -i '1s/a,b/b,a/' in
	echo 3,4 >>in
	run -1 --separate-stderr "${push[@]}" -j journal "$URL" < <(cat in)
	[[ $stderr = *"an input with another header"* ]]
}

@test "a last line without a newline that has grown since is not taken for two" {
	push=(og-chpush -v -t logs -f TSV)
	serve -F ch <<<""
	printf '1\t2\n3\t4' >in
	run -0 "${push[@]}" -j journal "$URL" <in
	cp journal piped
	run -0 "${push[@]}" -j journal "$URL" <in
	printf '5\n6\t7\n' >>in
	run -1 --separate-stderr "${push[@]}" -j journal "$URL" <in
	[[ $stderr = *"had no newline, and the input goes on in it now"* ]]
	run -1 "${push[@]}" -j piped "$URL" < <(cat in)
	[ "$(cat stored)" = $'1\t2\n3\t4' ]
}
