#!/bin/bash
#
# The control of delivery: the same records through the same faults by our pushers and by what else Debian has, and how fast each is. Prints
# tables, in under 8 minutes.
#
#	control.sh [faults | speed]
#
# Forwarders that are not installed are fetched by apt-get download and unpacked below the cache folder ($OG_CACHE, by default ~/.cache/og).
# Shown as it came out; commands are in the functions by_*, each as its maker's manual has it. Records: 20 000 in requests of 1000 for faults,
# OG_CONTROL_RECORDS (200 000) for speed. OG_BENCH_RUNS (3) runs for speed, taken in turns, of which the median is shown.
set -u -o pipefail

OG_ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
# shellcheck source=test/common.bash
. "$OG_ROOT/test/common.bash"
self=$OG_ROOT/bench/control.sh
TOOLS=${OG_CONTROL_BIN:-$OG_ROOT/build/test/tools}
PATH=${OG_CONTROL_BIN:+$OG_CONTROL_BIN:}$PATH
CACHE=${OG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/og}
FORWARD=$CACHE/forward
n=20000

# A text that only the poison record has.
poison=q7zk1x9wvb3m
row=5500

die() {
	printf 'control.sh: %s\n' "$*" >&2
	exit 1
}

# up URL PID: wait until it answers.
up() {
	for ((i = 0; i < 400; i++)); do
		! curl -sf -o /dev/null "$1" || return 0
		kill -0 "$2" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}

# What Debian has, unpacked.
fetch() {
	local libs=$FORWARD/root/usr/lib

	mkdir -p "$FORWARD/root"
	if [ ! -e "$FORWARD/fetched" ]; then
		(cd "$FORWARD" && apt-get download syslog-ng-core syslog-ng-mod-http libivykis0 libnet1 libjson-c5 libwrap0 libglib2.0-0 libpcre3 &&
			for deb in *.deb; do dpkg-deb -x "$deb" root && rm "$deb"; done && touch fetched) >"$FORWARD/log" 2>&1 ||
			echo "not fetched: $(tail -n 1 "$FORWARD/log")"
	fi
	LIBS=$libs/$(uname -m)-linux-gnu:$FORWARD/root/lib/$(uname -m)-linux-gnu:$libs/syslog-ng
	SYSLOG=$FORWARD/root/usr/sbin/syslog-ng
	export LIBS SYSLOG
}

# Remote write, as vmagent sends it: blocks of snappy one behind the other, into JSON lines that the oracle reads.
unsnap() {
	perl -e '
		use strict;
		local $/;
		my ($in, $at) = (scalar(<STDIN>), 0);
		exit unless defined $in;
		sub varint { my ($s, $p) = @_; my ($v, $k) = (0, 0); for (;;) { my $c = ord(substr($$s, $$p++, 1)); $v |= ($c & 127) << $k;
			return $v if $c < 128; $k += 7; } }
		sub fields { my ($s, $call) = @_; my $p = 0; while ($p < length $s) { my $tag = varint(\$s, \$p); my $w = $tag & 7;
			if ($w == 0) { $call->($tag >> 3, varint(\$s, \$p)); }
			elsif ($w == 1) { $call->($tag >> 3, substr($s, $p, 8)); $p += 8; }
			elsif ($w == 2) { my $l = varint(\$s, \$p); $call->($tag >> 3, substr($s, $p, $l)); $p += $l; }
			else { die "wire type $w\n"; } } }
		while ($at < length $in) {
			my ($size, $out) = (varint(\$in, \$at), "");
			while (length $out < $size) {
				my $c = ord(substr($in, $at++, 1));
				my ($kind, $len, $back) = ($c & 3, ($c >> 2) + 1, 0);
				if ($kind == 0) {
					if ($len > 60) { my $k = $len - 60; $len = unpack("V", substr($in, $at, $k) . "\0\0\0\0") + 1; $at += $k; }
					$out .= substr($in, $at, $len); $at += $len; next;
				}
				if ($kind == 1) { $len = ($c >> 2 & 7) + 4; $back = ($c >> 5) << 8 | ord(substr($in, $at++, 1)); }
				elsif ($kind == 2) { $back = unpack("v", substr($in, $at, 2)); $at += 2; }
				else { $back = unpack("V", substr($in, $at, 4)); $at += 4; }
				if ($back >= $len) { $out .= substr($out, -$back, $len); }
				else { $out .= substr($out, -$back, 1) for 1 .. $len; }
			}
			fields($out, sub {
				my ($f, $series) = @_;
				return if $f != 1;
				my (%l, @v, @t);
				fields($series, sub {
					my ($g, $part) = @_;
					my ($name, $text, $v, $t) = ("", "", 0, 0);
					if ($g == 1) { fields($part, sub { ($_[0] == 1 ? $name : $text) = $_[1] }); $l{$name} = $text; }
					if ($g == 2) { fields($part, sub { if ($_[0] == 1) { $v = unpack("d<", $_[1]) } else { $t = $_[1] } }); push @v, $v; push @t, $t; }
				});
				next_series(\%l, \@v, \@t);
			});
		}
		sub next_series {
			my ($l, $v, $t) = @_;
			return if $l->{__name__} ne "oracle";
			printf "{\"metric\":{\"service\":\"%s\",\"stack\":\"%s\"},\"values\":[%s],\"timestamps\":[%s]}\n", $l->{service}, $l->{stack},
				join(",", map { sprintf "%.0f", $_ } @$v), join(",", @$t);
		}'
}

# Script and options of faultd for a fault; the third load and those behind it meet it.
setup_fault() {
	script=$'\n\n' options=(-W 0)
	case $1 in
	'503, three times') script+=$'503\n503\n503\n' ;;
	'connection cut in mid-upload') script+=$'drop=9000\n\ndrop=9000\n' ;;
	'cut, half of it stored') script+=$'partial=400\n' ;;
	'answer cut') script+=$'200 cut=10\n' ;;
	'server killed, forgets 10 s') script+=$'\n\n\nrestart=500\n' options=(-W 10000) ;;
	'server down for 20 s') script+=$'restart=20000\n' ;;
	'200 and an HTML page') script+=$'html swallow\n' ;;
	'a poison record') options+=(-x "$poison") ;;
	'forwarder killed -9, started again') options+=(-d 150) ;;
	*) die "no fault $1" ;;
	esac
}
faults=('503, three times' 'connection cut in mid-upload' 'cut, half of it stored' 'answer cut' 'server killed, forgets 10 s'
	'server down for 20 s' '200 and an HTML page' 'a poison record' 'forwarder killed -9, started again')

# Records into `in`, and ready-made bodies of 1000 lines into bodies/.
setup_input() {
	form=json
	case $1 in og-vmpush | vmagent | 'curl, metrics') form=samples ;; esac
	"$TOOLS/oracle" make -f "$form" "$n" >in
	[ "$2" != 'a poison record' ] || case $form in
	samples) sed -i "${row}s/\"service\":\"[^\"]*\"/\"service\":\"$poison\"/" in ;;
	json) sed -i "${row}s/\"message\":\"/&$poison /" in ;;
	esac
	mkdir bodies
	if [ "$form" = samples ]; then
		sed -E 's/^\{"metric":"oracle","ts":([0-9]+)\.([0-9]{3})000,"value":([0-9]+),"tags":\{(.*)\}\}$/{"metric":{"__name__":"oracle",\4},"values":[\3],"timestamps":[\1\2]}/' \
			in | split -l 1000 -a 4 - bodies/
	else
		split -l 1000 -a 4 in bodies/
	fi
}

vl_path='/insert/jsonline?_stream_fields=service,stack&_time_field=timestamp&_msg_field=message'

# by_*: run the forwarder in the foreground, with its text in `said`; those that never end are ended by quiet().
by_og() {
	local tool=$1
	shift
	# A file's journal is what a second start goes on with.
	"$tool" -v -j journal -D dead -R 1000 -S statistics "$@" "$URL" <in 2>>said
}

# As people write it: what was posted is moved away. With the type that curl and syslog-ng have by default, that of a form, VictoriaLogs answers
# 200 and stores nothing.
by_curl() {
	local body status=0

	mkdir -p posted
	for body in bodies/*; do
		[ -e "$body" ] || continue
		curl -sSf --retry 20 --retry-all-errors --retry-max-time 30 -o /dev/null -H 'Content-Type: application/json' \
			--data-binary "@$body" "$1" 2>>said && mv "$body" posted/ || status=$?
	done
	return "$status"
}

by_vmagent() {
	local port

	[ -s agent.port ] || free_port >agent.port
	port=$(cat agent.port)
	vmagent -httpListenAddr="127.0.0.1:$port" -remoteWrite.url="$URL$1" -remoteWrite.tmpDataPath=queue -remoteWrite.maxRowsPerBlock=1000 \
		2>>said &
	echo $! >agent.pid
	up "http://127.0.0.1:$port/health" $! || return 1
	by_curl "http://127.0.0.1:$port/api/v1/import"
	wait "$(cat agent.pid)"
}

by_syslog() {
	cat >conf <<-END
		@version: 3.35
		options { stats-freq(0); };
		source s { file("$PWD/in" flags(no-parse) follow-freq(0.2) log-msg-size(65536) log-iw-size(100000) log-fetch-limit(1000)); };
		destination d { http(url("$URL$1") method("POST") headers("Content-Type: application/json") body("\$MESSAGE") delimiter("\n") batch-lines(${3:-1000}) batch-timeout(500) retries(20)
			workers(${2:-1}) time-reopen(1) disk-buffer(reliable(yes) disk-buf-size(67108864) dir("$PWD"))); };
		source i { internal(); };
		destination l { file("$PWD/said"); };
		log { source(s); destination(d); flags(flow-control); };
		log { source(i); destination(l); };
	END
	LD_LIBRARY_PATH=$LIBS "$SYSLOG" --module-path="${SYSLOG%sbin/*}lib/syslog-ng/3.38" -F --no-caps -f "$PWD/conf" -R "$PWD/persist" \
		-c "$PWD/control" --pidfile "$PWD/pid" >>noise 2>&1 &
	echo $! >agent.pid
	wait $!
}

by() {
	case $1 in
	og-vlpush | og-vmpush) by_og "$1" ;;
	og-chpush) by_og og-chpush -t logs ;;
	curl) by_curl "$URL$vl_path" ;;
	'curl, metrics') by_curl "$URL/api/v1/import?x=1" ;;
	vmagent) by_vmagent "/api/v1/write?x=1" ;;
	syslog-ng) by_syslog "$vl_path" ;;
	esac
}

judge() {
	case $1 in
	vmagent) unsnap <stored >plain ;;
	*) cp stored plain ;;
	esac
	[ ! -s dead ] || dead=(-d dead)
	"$TOOLS/oracle" judge -n "$n" -m 1000000 -f "$form" "${dead[@]}" plain 2>/dev/null
}

# word OF VERDICT
word() {
	sed -n "s/.*\b$1 \([0-9]*\).*/\1/p" <<<"$2"
}

# A tool that never ends is ended when all is stored, or nothing happened for 35 s, or after 90 s. Sets verdict.
quiet() {
	local last='' size still=0

	for ((t = 0; t < 90; t++)); do
		sleep 1
		size=$(stat -c %s stored requests | tr '\n' ' ')
		if [ "$size" = "$last" ]; then still=$((still + 1)); else still=0; fi
		last=$size
		[ "$still" -lt 35 ] || break
		[ "$still" -ge 3 ] && verdict=$(judge "$1") && break
	done
}

# What a tool said of it, in short.
told() {
	local text

	case $1 in
	og-*) text=$(grep -aE 'read [0-9]+ =|twice|another|refused|may be' said | tail -n 2 | sed -E 's/^[^:]*: //; s|http://[0-9.:]*: ||; s/; requests.*//' | paste -sd ';') ;;
	curl*) text=$(sort said | uniq -c | sort -rn | sed -E 's/^ *([0-9]+) /\1x /; s/Failed to connect.*server/no connection/' | head -n 2 | paste -sd ';') ;;
	vmagent) text="log: $(grep -c -E '	(warn|error)	' said) warnings; $(grep -E '	(warn|error)	' said | tail -n 1 | cut -f 4-)" ;;
	syslog-ng) text="log: $(grep -vE 'starting up|shutting down' said | sed 's/.*\]: //; s/; .*//' | sort | uniq -c | sort -rn | sed -n '1s/^ *\([0-9]*\)/\1x/p')" ;;
	esac
	echo "${text:0:150}"
}

# job FAULT TOOL, in a folder of its own: a row into `row`.
job() {
	local status flavour=vl verdict dead=() tool=$2 note=''

	case $tool in
	og-vmpush | 'curl, metrics') flavour=(-F vm) ;;
	og-chpush) flavour=(-F ch) ;;
	vmagent) flavour=() ;;
	*) flavour=(-F vl) ;;
	esac
	setup_fault "$1"
	setup_input "$tool" "$1"
	printf %s "$script" >script
	: >said
	: >stored
	: >requests
	"$TOOLS/faultd" "${flavour[@]}" "${options[@]}" -s script -l stored -r requests >port &
	until [ -s port ]; do sleep 0.05; done
	URL=http://127.0.0.1:$(cat port)
	# What is to be killed has a group of its own.
	set -m
	(by "$tool") &
	run=$!
	if [[ $1 = forwarder* ]]; then
		for ((t = 0; t < 1000; t++)); do
			[ "$(wc -l <requests)" -lt 7 ] || break
			sleep 0.02
		done
		kill -9 -- -"$run" 2>/dev/null
		wait "$run" 2>/dev/null
		[ ! -s agent.pid ] || { kill -9 "$(cat agent.pid)" 2>/dev/null; rm -f agent.pid; }
		sleep 0.5
		note=" (killed when $(word stored "$(judge "$tool")") were stored)"
		sed -i '/read [0-9]* =/d' said
		(by "$tool") &
		run=$!
	fi
	status=runs
	began=$SECONDS
	case $tool in
	vmagent | syslog-ng) quiet "$tool" ;;
	*)
		wait "$run"
		status=$?
		;;
	esac
	took=$((SECONDS - began))
	verdict=$(judge "$tool")
	if [[ $1 = *HTML* && $status = 1 ]]; then
		# It stopped, and did not throw away: the same command goes on.
		note=" (then missing $(word missing "$verdict"), exit 1; the same command again: exit"
		(by "$tool")
		status=$?
		verdict=$(judge "$tool")
		note="$note $status)"
		status=1
	fi
	[ ! -s agent.pid ] || kill "$(cat agent.pid)" 2>/dev/null
	printf '%s|%s|%s|%s|%s|%s|%s|%s|%s\n' "$1" "$tool" "$n" "$(word missing "$verdict")" "$(word doubled "$verdict")" \
		"$(word refused "$verdict")" "$took" "$status" "$(told "$tool")$note" >row
}

# launch SERVER: a real one on PORT. Sets server and URL.
launch() {
	URL=http://127.0.0.1:$PORT
	case $1 in
	vl) "$VL" -storageDataPath=data -httpListenAddr="127.0.0.1:$PORT" -retentionPeriod=100y >>log 2>&1 & ;;
	vm) "$VM" -storageDataPath=data -httpListenAddr="127.0.0.1:$PORT" -retentionPeriod=100y >>log 2>&1 & ;;
	ch)
		"$OG_ROOT/test/live/clickhouse.sh" start "$PWD/server" "$PORT"
		server=$(cat server/pid)
		return
		;;
	esac
	server=$!
	up "$URL/health" "$server"
}

# What the server holds: "missing M doubled D".
held() {
	case $1 in
	vl)
		curl -sf "$URL/internal/force_flush"
		sleep 2
		curl -sf "$URL/select/logsql/query" -d 'query=* | stats count() n, count_uniq(id) u' | jq -r '"\(.n) \(.u)"'
		;;
	vm)
		curl -sf "$URL/internal/force_flush"
		curl -sf "$URL/api/v1/export" --data-urlencode 'match[]=oracle' -d start=1764000000 -d end=1766000000 | jq -r '.timestamps[]' |
			sort -n | uniq -c | awk '{ n += $1 } END { print n + 0, NR }'
		;;
	ch) curl -sS "$URL/" --data-binary 'SELECT count(), uniqExact(id) FROM logs' ;;
	esac | awk -v n="$n" '{ print "missing " n - $2 " doubled " $1 - $2 " refused 0" }'
}

# counter PATTERN: the sum of what the server's page has of it, which is made once a second.
counter() {
	curl -s "$URL/metrics" | awk -v like="$1" '$0 ~ "^" like { n += $2 } END { printf "%d\n", n }'
}

# real SERVER TOOL: killed 3 seconds after the start, when all was acknowledged, and started again.
real() {
	local status=runs verdict tool=$2 acked

	PORT=$(free_port)
	launch "$1" || exit 1
	[ "$1" != ch ] || curl -sS "$URL/" --data-binary 'CREATE TABLE logs (timestamp String, service String, stack String, message String, id UInt64, sum String)
		ENGINE = MergeTree ORDER BY id'
	setup_input "$tool" none
	: >said
	set -m
	(
		case $1:$tool in
		ch:curl) by_curl "$URL/?query=INSERT+INTO+logs+FORMAT+JSONEachRow" ;;
		*) by "$tool" ;;
		esac
	) &
	run=$!
	began=$SECONDS
	sleep 3
	case $tool in
	og-*) acked=$(tail -n 1 statistics | jq .accepted) ;;
	curl*) acked=$(find posted -type f -exec cat {} + | wc -l) ;;
	*) acked="?" ;;
	esac
	[ "$1" = ch ] || acked="$acked; the server had counted $(counter "v[lm]_rows_(ingested|inserted)_total")"
	kill -9 "$server"
	sleep 0.3
	rm -f server/pid
	launch "$1" || exit 1
	case $tool in
	vmagent | syslog-ng) sleep 20 ;;
	*)
		wait "$run"
		status=$?
		;;
	esac
	took=$((SECONDS - began))
	verdict=$(held "$1")
	[ ! -s agent.pid ] || kill "$(cat agent.pid)" 2>/dev/null
	kill -9 "$server"
	printf '%s|%s|%s|%s|%s|%s|%s|%s|%s\n' "real $1 killed -9, all acknowledged" "$tool" "$n" "$(word missing "$verdict")" "$(word doubled "$verdict")" \
		"$(word refused "$verdict")" "$took" "$status" "$(told "$tool") (acknowledged before: $acked)" >row
}

if [ "${1-}" = job ] || [ "${1-}" = real ]; then
	cd "$4" || exit 1
	"$1" "$2" "$3" 2>job.log
	exit
fi
case $#:${1-} in 0: | 1:faults | 1:speed) ;; *) sed -n 's/^#	//p' "$0" >&2 && exit 2 ;; esac

dir=$(mktemp -d "${TMPDIR:-/tmp}/og-control.XXXXXX")
groups=()
servers=()
# shellcheck disable=SC2317 # by trap
ended() {
	local group

	# A job is the leader of a session; what it started in groups of its own has that session.
	for group in "${groups[@]}"; do
		ps -o pid= --sid "$group" | xargs -r kill -9 2>/dev/null
	done
	[ "${#servers[@]}" -eq 0 ] || kill -9 "${servers[@]}" 2>/dev/null
	rm -rf "$dir"
}
trap ended EXIT
trap 'exit 1' INT TERM

# A build meanwhile must not change what is measured.
mkdir "$dir/bin"
cp "$OG_ROOT"/bin/og-* "$TOOLS/faultd" "$TOOLS/oracle" "$dir/bin" || die 'make all tests first'
export OG_CONTROL_BIN=$dir/bin
PATH=$dir/bin:$PATH TOOLS=$dir/bin

fetch
missing=()
VL=$("$OG_ROOT/test/live/victoria.sh" victoria-logs) || missing+=(victoria-logs)
VM=$(command -v victoria-metrics) || missing+=(victoria-metrics)
command -v vmagent >/dev/null || missing+=(vmagent)
command -v clickhouse-server >/dev/null || missing+=(clickhouse-server)
LD_LIBRARY_PATH=$LIBS "$SYSLOG" --version >/dev/null 2>&1 || missing+=(syslog-ng)
export VL VM
has() {
	local name

	for name in "${missing[@]}"; do [ "$name" != "$1" ] || return 1; done
}

# start KIND FAULT TOOL: one job, at most eight at a time.
start() {
	local folder=$dir/${#groups[@]}

	mkdir "$folder"
	setsid bash "$self" "$1" "$2" "$3" "$folder" >"$folder/out" 2>&1 &
	groups+=($!)
	while [ "$(jobs -rp | wc -l)" -ge "${OG_CONTROL_JOBS:-12}" ]; do wait -n; done
}

bench_faults() {
	local tool fault

	for fault in "${faults[@]}"; do
		for tool in og-vlpush og-vmpush og-chpush curl vmagent syslog-ng; do
			# What ClickHouse acknowledged survives its death.
			[ "$tool:$fault" != "og-chpush:server killed, forgets 10 s" ] || continue
			! has "$tool" || start job "$fault" "$tool"
		done
	done
	for tool in 'vl og-vlpush' 'vl curl' 'vl syslog-ng' 'vm og-vmpush' 'vm curl, metrics' 'vm vmagent' 'ch og-chpush' 'ch curl'; do
		! has "${tool#* }" || start real "${tool%% *}" "${tool#* }"
	done
	wait
	cat <<-END
		# Faults: $n records in requests of 1000, by a server that fails (test/tools/faultd) or real ones (vl VictoriaLogs, vm VictoriaMetrics, ch ClickHouse).
		# missing: neither stored nor in a dead-letter file. s: until it ended; vmagent and syslog-ng never end: until nothing happened any more, or 90.
		# og-vlpush, og-vmpush, og-chpush: -v -j journal -D dead -R 1000 -S statistics URL <in
		# curl: each body of 1000 lines by curl -sSf --retry 20 --retry-all-errors --retry-max-time 30 -H 'Content-Type: application/json' --data-binary @body URL, moved away after success
		# vmagent: -remoteWrite.url=URL -remoteWrite.tmpDataPath=queue -remoteWrite.maxRowsPerBlock=1000; the same curl brings it the bodies
		# syslog-ng: file() source, flow-control, http() with batch-lines(1000) retries(20) time-reopen(1) disk-buffer(reliable(yes))
	END
	{
		echo 'fault|tool|records|missing|doubled|dead letter|s|exit|said'
		for ((i = 0; i < ${#groups[@]}; i++)); do
			cat "$dir/$i/row" 2>/dev/null || echo "no result|$(tail -n 1 "$dir/$i/job.log")"
		done
	} | column -t -s '|'
}

# User and system seconds of a process so far.
cpu() {
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) / hz }' "/proc/$1/stat" 2>/dev/null
}

# measure NAME COMMAND ...: a line "wall tool server" into the file of this name, and the name into `names`.
measure() {
	local name=$1 before tool

	shift
	grep -qxF "$name" names 2>/dev/null || echo "$name" >>names
	before=$(cpu "$server")
	extra=0
	TIMEFORMAT='%R %U %S'
	{ time "$@" >>speed.log 2>&1; } 2>took || echo "failed: $name: $(tail -n 1 speed.log)" >&2
	tool=$(awk -v e="$extra" '{ print $2 + $3 + e }' took)
	awk -v tool="$tool" -v b="$before" -v a="$(cpu "$server")" '{ print $1, tool, a - b }' took >>"took.$name"
}

# table RECORDS
table() {
	local name

	while read -r name; do
		sort -n "took.$name" | awk -v n="$1" -v name="$name" '{ wall[NR] = $1; tool[NR] = $2; server[NR] = $3 }
			END { m = int((NR + 1) / 2); printf "%s|%d|%.2f|%.2f|%.2f\n", name, n / wall[m], wall[m], tool[m], server[m] }'
	done <names | {
		echo 'command|records/s|wall s|CPU s of it|CPU s of server'
		cat
	} | column -t -s '|' -R 2,3,4,5
	rm -f names took.*
	echo
}

# config URL TYPE FILE ...: for curl.
config() {
	local url=$1 type=$2 file

	shift 2
	for file in "$@"; do
		printf 'url = "%s"\ndata-binary = "@%s"\nheader = "Expect:"\nheader = "Content-Type: %s"\noutput = "/dev/null"\nfail\nsilent\nshow-error\nnext\n' \
			"$url" "$file" "$type"
	done | sed '$d'
}

# bodies FLAVOUR FILE PUSHER ...: what a pusher sends, into a file; the time of that is the time against a server that throws it away.
bodies() {
	local kind=$1 input=$2 to=$3

	shift 3
	"$TOOLS/faultd" -F "$kind" ${to:+-l "$to"} >port &
	server=$!
	servers+=("$server")
	until [ -s port ]; do sleep 0.05; done
	if [ -n "$to" ]; then "$@" "http://127.0.0.1:$(cat port)" <"$input"; else
		measure "$* (server discards)" push "$input" "$@" "http://127.0.0.1:$(cat port)"
	fi
	end
}

push() {
	local input=$1

	shift
	"$@" <"$input"
}

end() {
	kill -9 "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	rm -f port
}

# await COMMAND N: until it prints N or more.
await() {
	until [ "$(eval "$1")" -ge "$2" ]; do sleep 0.05; done
}

through_vmagent() {
	local port agent have

	port=$(free_port)
	have=$(counter 'vm_rows_inserted_total.*promremotewrite')
	rm -rf queue
	vmagent -httpListenAddr="127.0.0.1:$port" -remoteWrite.url="$URL/api/v1/write" -remoteWrite.tmpDataPath=queue 2>agent.log &
	agent=$!
	servers+=("$agent")
	up "http://127.0.0.1:$port/health" "$agent"
	config "http://127.0.0.1:$port/api/v1/import" application/json vm/* >agent.conf
	curl -sSZ --parallel-max 4 -K agent.conf
	await 'counter vm_rows_inserted_total.*promremotewrite' $((have + records))
	extra=$(cpu "$agent")
	kill -9 "$agent"
	wait "$agent" 2>/dev/null
	return 0
}

through_syslog() {
	local have agent

	have=$(counter vl_rows_ingested_total)
	rm -f persist said agent.pid ./*.rqf
	(by_syslog "$vl_path" 4 5000) &
	until [ -s agent.pid ]; do sleep 0.02; done
	agent=$(cat agent.pid)
	servers+=("$agent")
	for ((t = 0; t < 300; t++)); do
		[ "$(counter vl_rows_ingested_total)" -lt $((have + records)) ] || break
		sleep 0.1
	done
	[ "$t" -lt 300 ] || echo "syslog-ng: $(($(counter vl_rows_ingested_total) - have)) of $records after 30 s" >&2
	extra=$(cpu "$agent")
	kill -9 "$agent"
	wait "$agent" 2>/dev/null
	return 0
}

speed_vl() {
	bodies vl in loki og-vlpush -W 0
	mkdir jsonl lk
	split -l 5000 -a 4 in jsonl/
	split -l 1 -a 4 loki lk/
	rm loki
	echo "# VictoriaLogs, $records records of og-spans, $(wc -c <in) bytes, medians of $runs"
	for ((k = 0; k < runs; k++)); do
		bodies vl in '' og-vlpush -W 0
	done
	launch vl
	servers+=("$server")
	for c in 2 4; do
		config "$URL$vl_path" application/stream+json jsonl/* >"jsonl.$c"
		config "$URL/insert/loki/api/v1/push?x=1" application/json lk/* >"lk.$c"
	done
	for ((k = 0; k < runs; k++)); do
		measure 'og-vlpush -W 0' push in og-vlpush -W 0 "$URL"
		measure 'og-vlpush -W 0 -I jsonline' push in og-vlpush -W 0 -I jsonline "$URL"
		for c in 2 4; do
			measure "curl -Z --parallel-max $c, bodies of og-vlpush" curl -sSZ --parallel-max "$c" -K "lk.$c"
			measure "curl -Z --parallel-max $c, JSON lines by 5000" curl -sSZ --parallel-max "$c" -K "jsonl.$c"
		done
	done
	measure 'og-vlpush (15 s of settlement)' push in og-vlpush "$URL"
	! has syslog-ng || measure 'syslog-ng http(), 4 workers, batches of 5000' through_syslog
	table "$records"
	end
}

speed_vm() {
	bodies vm samples import og-vmpush -W 0
	mkdir vm
	split -n l/200 -a 4 import vm/
	rm import
	echo "# VictoriaMetrics, $records samples of og-metrics, $(wc -c <samples) bytes, medians of $runs"
	for ((k = 0; k < runs; k++)); do
		bodies vm samples '' og-vmpush -W 0
	done
	launch vm
	servers+=("$server")
	config "$URL/api/v1/import" application/json vm/* >vm.conf
	for ((k = 0; k < runs; k++)); do
		measure 'og-vmpush' push samples og-vmpush "$URL"
		measure 'og-vmpush -W 0' push samples og-vmpush -W 0 "$URL"
		for c in 2 4; do
			measure "curl -Z --parallel-max $c, bodies of og-vmpush" curl -sSZ --parallel-max "$c" -K vm.conf
		done
		! has vmagent || measure 'vmagent, fed by curl -Z --parallel-max 4 (end known to 1 s)' through_vmagent
	done
	table "$records"
	end
}

speed_ch() {
	PORT=$(free_port)
	launch ch
	servers+=("$server")
	echo 'CREATE TABLE IF NOT EXISTS logs (timestamp DateTime, service String, stack String, level String, message String, trace_id String,
		duration_ms Float64) ENGINE = MergeTree ORDER BY (service, timestamp)' | curl -sS "$URL/" --data-binary @-
	mkdir ch
	split -l 100000 -a 4 in ch/
	config "$URL/?query=INSERT+INTO+logs+FORMAT+JSONEachRow&input_format_skip_unknown_fields=1&date_time_input_format=best_effort" text/plain ch/* >ch.conf
	config "$URL/?query=INSERT+INTO+logs+FORMAT+JSONEachRow&input_format_skip_unknown_fields=1&date_time_input_format=best_effort" text/plain jsonl/* >chs.conf
	echo "# ClickHouse 18.16, $records records of og-spans, medians of $runs"
	for ((k = 0; k < runs; k++)); do
		measure 'og-chpush' push in og-chpush -t logs -x input_format_skip_unknown_fields=1 "$URL"
		measure 'curl -Z --parallel-max 2, bodies by 100000' curl -sSZ --parallel-max 2 -K ch.conf
		measure 'curl -Z --parallel-max 4, bodies by 5000' curl -sSZ --parallel-max 4 -K chs.conf
	done
	table "$records"
	end
}

bench_speed() {
	local file

	records=${OG_CONTROL_RECORDS:-200000} runs=${OG_BENCH_RUNS:-3}
	mkdir "$dir/speed"
	cd "$dir/speed" || exit 1
	og-entities -c social -b 2025-03-03 -e 2025-03-10 -n $((records / 2)) | og-incidents >w
	og-events -w w | og-spans -w w | head -n "$records" >in
	og-metrics <in | head -n "$records" >samples
	for file in in samples; do
		[ "$(wc -l <$file)" -eq "$records" ] || die 'too few records'
	done
	PORT=$(free_port)
	echo '# The Python importers, against a server that discards: VictoriaLogs 39 000 records/s, VictoriaMetrics 43 500 samples/s'
	echo
	has victoria-logs && speed_vl
	rm -rf data
	has victoria-metrics && speed_vm
	has clickhouse-server && speed_ch
	cd /
}

echo "# $(nproc) processors, load $(cut -d ' ' -f 1 /proc/loadavg); $(curl --version | sed 's/ (.*//;q')${VM:+, $(dpkg-query -W -f '${Package} and vmagent ${Version}' victoria-metrics 2>/dev/null)}"
echo "# missing here: ${missing[*]:-nothing}; missing in Debian: rsyslog's omhttp, Vector, Fluent Bit, Telegraf; Prometheus takes no records, it scrapes"
echo
[ "${1-}" = speed ] || { bench_faults; echo; }
[ "${1-}" = faults ] || bench_speed
