#!/usr/bin/env bats
# og-pace: nothing before it is due, everything when it is; what comes out is what went in. Times are bounded from below; from above only so
# far that a busy machine passes.

bats_require_minimum_version 1.5.0
load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# Milliseconds since 1970.
clock() {
	date +%s%3N
}

# stamp: each line of standard input with the milliseconds since $began in front.
stamp() {
	while IFS= read -r line; do
		echo "$(($(clock) - began)) $line"
	done
}

# RFC 3339 of so many milliseconds since 1970.
rfc3339() {
	date -u -d "@$(($1 / 1000)).$(printf %03d $(($1 % 1000)))" +%Y-%m-%dT%H:%M:%S.%6NZ
}

@test "the past comes at once, byte for byte" {
	printf '%s\n' '{"timestamp":"2001-01-01T00:00:00Z","a":[1, 2]}' ' {"ts":1.5}' '{"ts":-3,"timestamp":null}' '{"timestamp":"1970-01-02","ts":9e9}' >in
	run -0 --separate-stderr og-pace <in
	[ -z "$stderr" ]
	diff in <(echo "$output")
}

@test "the future comes when it is due, behind the past, without a seam" {
	began=$(clock)
	{
		echo '{"ts":1,"n":1}'
		echo "{\"timestamp\":\"$(rfc3339 $((began + 1000)))\",\"n\":4}"
		echo "{\"ts\":$(((began + 500) / 1000)).$(printf %03d $(((began + 500) % 1000))),\"n\":3}"
		echo '{"ts":2,"n":2}'
	} | og-pace | stamp >got
	[ "$(sed 's/.*"n":\(.\).*/\1/' got | tr -d '\n')" = 1234 ]
	[ "$(sed -n '3s/ .*//p' got)" -ge 500 ]
	[ "$(sed -n '4s/ .*//p' got)" -ge 1000 ]
	[ "$(sed -n '2s/ .*//p' got)" -lt 20000 ]
}

@test "what is due has been written when the rest waits" {
	mkfifo to from
	og-pace <to >from &
	pid=$!
	exec 5>to 6<from
	printf '%s\n' '{"ts":1}' "{\"ts\":$(($(clock) / 1000 + 3600))}" >&5
	read -r -t 20 line <&6
	[ "$line" = '{"ts":1}' ]
	# A record behind one that waits, and a part of a line that may not hold it up.
	printf '%s\n%s' '{"ts":2}' '{"ts' >&5
	read -r -t 20 line <&6
	[ "$line" = '{"ts":2}' ]
	kill "$pid"
	ended=0
	wait "$pid" || ended=$?
	[ "$ended" -eq 143 ]
	exec 5>&- 6<&-
}

@test "-x: the first at once, distances divided" {
	for option in -x --speed=; do
		began=$(clock)
		printf '{"ts":%s}\n' 5000000000 5000000010 5000000005.5 5000000000 4999999999 | og-pace "${option}40" | stamp >got
		[ "$(sed 's/.*://' got | tr '\n' ' ')" = '5000000000} 5000000000} 4999999999} 5000000005.5} 5000000010} ' ]
		[ "$(sed -n '4s/ .*//p' got)" -ge 137 ]
		[ "$(sed -n '5s/ .*//p' got)" -ge 250 ]
		[ "$(sed -n '3s/ .*//p' got)" -lt 20000 ]
	done
}

@test "-x 1 and below 1" {
	began=$(clock)
	printf '{"ts":%s}\n' 0 0.1 0.2 | og-pace -x 0.5 | stamp >got
	[ "$(sed -n '2s/ .*//p' got)" -ge 200 ]
	[ "$(sed -n '3s/ .*//p' got)" -ge 400 ]
}

@test "-r: so many a second, whatever the times and the lines" {
	for option in -r --rate=; do
		began=$(clock)
		{
			seq 49
			printf last
		} | og-pace "${option}200" | stamp >got
		diff <(seq 49 && echo last) <(sed 's/.* //' got)
		awk '$1 < (NR - 1) * 5 - 1 { exit 1 }' got
		[ "$(sed -n '50s/ .*//p' got)" -lt 20000 ]
	done
}

@test "-r: a pause of the input is not made up for" {
	began=$(clock)
	{
		echo 1
		sleep 0.5
		seq 2 41
	} | og-pace -r 100 | stamp >got
	# 40 records behind the pause: at most a tenth of a second's worth of them, 10 and the one at hand, come at once.
	[ "$(sed -n '41s/ .*//p' got)" -ge $((500 + 280)) ]
	diff <(seq 41) <(sed 's/.* //' got)
}

@test "-r: fast rates are kept as well" {
	began=$(clock)
	seq 100000 >in
	og-pace -r 200000 <in >out
	took=$(($(clock) - began))
	cmp in out
	[ "$took" -ge 499 ]
	[ "$took" -lt 20000 ]
}

@test "trees: a span that begins late keeps no other tree waiting" {
	# 300 trees 1 ms apart, each with a span 600 ms later.
	seq 0 299 | awk '{ printf "{\"ts\":%.3f,\"root\":%d}\n{\"ts\":%.3f,\"child\":%d}\n", $1 / 1000, $1, $1 / 1000 + .6, $1 }' >in
	og-pace -x 1 <in >out
	diff <(sort in) <(sort out)
	# In order of time, so all roots before the first child; a child behind its root even at the same moment.
	diff <(sort -t : -k 2,2n -s in) out
}

@test "-L 0s keeps the order of the input" {
	for option in -L --late=; do
		began=$(clock)
		printf '{"ts":%s}\n' 1 1.4 1.1 1.2 | og-pace -x 2 "${option}0s" | stamp >got
		[ "$(sed 's/.*://' got | tr '\n' ' ')" = '1} 1.4} 1.1} 1.2} ' ]
		[ "$(sed -n '4s/ .*//p' got)" -ge 200 ]
	done
}

@test "-L bounds the look-ahead in time" {
	# More than a stretch of records two seconds ahead, then one that is past: it waits until they are within -L.
	future() {
		yes '{"ts":2}' | head -n 3000
	}
	for late in 10s 1s; do
		began=$(clock)
		{
			echo '{"ts":0}'
			future
			echo '{"ts":0.5,"n":1}'
		} | og-pace -x 4 -L "$late" | sed -un 's/.*n.*/n/p' | stamp >got
		took=$(sed 's/ .*//' got)
		[ "$took" -ge 125 ]
		if [ "$late" = 1s ]; then
			[ "$took" -ge 250 ]
		fi
	done
}

@test "as many held as there is room for, and all come out" {
	seq 100000 | sed 's/.*/{"ts":0.&}/' >in
	{
		echo '{"ts":0}'
		cat in
	} | og-pace -x 4 -L 1h >out
	[ "$(wc -l <out)" -eq 100001 ]
	diff <(sort in) <(tail -n +2 out | sort)
	# 90 MB for an hour hence: when the first record is out, all has been read that will be for now.
	pad=$(head -c 900000 /dev/zero | tr '\0' x)
	{
		echo '{"ts":0}'
		for ((i = 0; i < 100; i++)); do
			echo "{\"ts\":3600,\"pad\":\"$pad\"}"
		done
	} >in
	og-pace -x 1 <in >out &
	until [ -s out ]; do
		sleep 0.05
	done
	[ "$(sed -n 's/^rchar: //p' "/proc/$!/io")" -lt 72000000 ]
	kill $!
	ended=0
	wait $! || ended=$?
	[ "$ended" -eq 143 ]
}

@test "-k: another key, as text or number" {
	for option in -k --key=; do
		began=$(clock)
		printf '%s\n' '{"t":"2100-01-01T00:00:00Z","ts":1}' '{"t":4102444800.300,"ts":0}' | og-pace "${option}t" -x 2 | stamp >got
		[ "$(sed 's/.*"ts"://' got | tr '\n' ' ')" = '1} 0} ' ]
		[ "$(sed -n '2s/ .*//p' got)" -ge 150 ]
	done
}

@test "records without a time are reported and come at once" {
	while IFS='|' read -r line what; do
		printf '%b\n' '{"ts":1}' "$line" >in
		run -1 --separate-stderr og-pace <in
		[ "$stderr" = "og-pace: <stdin>:2: $what" ]
		og-pace <in 2>/dev/null >out || true
		cmp in out
	done <<-'END'
		{}|no time
		{"timestamp":null,"ts":null}|no time
		{"timestamp":"yesterday"}|not a time
		{"timestamp":"2025-02-30T00:00:00Z"}|not a time
		{"ts":true}|not a time
		{"ts":[1]}|not a time
		{"ts":1e300}|not a time
		{"ts":9223372036854}|not a time
		x|not a JSON object
		|not a JSON object
		{"ts":1,"a":"\xff"}|invalid UTF-8
		{"ts":1,"a":"\0000"}|NUL byte
		{"ts":1,"ts":1}|key "ts" twice
	END
	deep=$(printf '[%.0s' $(seq 10000))
	run -1 --separate-stderr og-pace <<<"{\"ts\":1,\"a\":$deep${deep//\[/]}}"
	[ "$stderr" = 'og-pace: <stdin>:1: nested deeper than 64' ]
	[ "${#output}" -gt 20000 ]
}

@test "a line of 2 MiB is reported and left out" {
	{
		echo '{"ts":1}'
		head -c 2097152 /dev/zero | tr '\0' x
		echo
		echo '{"ts":2}'
	} >in
	for option in -L1s -r1000; do
		run -1 --separate-stderr og-pace "$option" <in
		[ "$output" = $'{"ts":1}\n{"ts":2}' ]
		[ "$stderr" = 'og-pace: <stdin>:2: line too long' ]
	done
}

@test "empty input, no newline at the end" {
	for option in -L1s -r1000 -x2; do
		run -0 --separate-stderr og-pace "$option" </dev/null
		[ -z "$output$stderr" ]
		printf '{"ts":1}' | og-pace "$option" >out
		printf '{"ts":1}\n' | cmp - out
	done
}

@test "full disk, closed streams, a reader that leaves" {
	echo '{"ts":1}' >in
	yes '{"ts":1}' | head -n 300000 >big
	for option in -L1s -r1000000000; do
		for input in in big; do
			run -1 --separate-stderr bash -c "og-pace $option <$input >/dev/full"
			[ "$stderr" = 'og-pace: <stdout>: No space left on device' ]
		done
		run -1 --separate-stderr bash -c "og-pace $option <&-"
		[ "$stderr" = 'og-pace: <stdin>: Bad file descriptor' ]
		run -1 --separate-stderr bash -c "og-pace $option <in >&-"
		[ "$stderr" = 'og-pace: <stdout>: Bad file descriptor' ]
		# shellcheck disable=SC2016
		run -0 --separate-stderr bash -c 'og-pace "$0" <big | head -n 1; [ "${PIPESTATUS[0]}" -eq 141 ]' "$option"
		[ "$output" = '{"ts":1}' ]
		[ -z "$stderr" ]
	done
}

@test "usage, and options that cannot be" {
	usage=$'usage: og-pace [-k key] [-L late] [-x factor]\n       og-pace -r rate'
	run -0 --separate-stderr og-pace -h
	[[ $output = "$usage"$'\n'* ]]
	for options in file '-r 1 -x 1' '-r 1 -k t' '-L 1s -r 1'; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr og-pace $options </dev/null
		[ "$stderr" = "$usage" ]
	done
	while IFS='|' read -r option what; do
		run -2 --separate-stderr og-pace "$option" </dev/null
		[ "$stderr" = "og-pace: $what" ]
	done <<-'END'
		-r0|rate is too small: 0
		-r-1|rate is too small: -1
		-r2000000000|rate is too large: 2000000000
		-rfast|not a rate such as 1000 or 0.5: fast
		-r1e10|not a rate such as 1000 or 0.5: 1e10
		-x0|factor is too small: 0
		-xnan|not a factor such as 60 or 0.5: nan
		-L5|late is no duration of at most a year, such as 250ms or 5m: 5
		-L600d|late is no duration of at most a year, such as 250ms or 5m: 600d
	END
}
