#!/bin/bash
#
# Side by side with other generators and loaders: records and bytes a second, CPU time, memory; medians of OG_BENCH_RUNS (5) runs, in turns.
#
#	peers.sh [RECORDS]    how many records each makes, about; 500000 by default
#
# None of the others is fetched from anywhere but Debian, or shipped: say where they are. What is not there is named as missing.
#	OG_TSBS_GENERATE    tsbs_generate_data
#	OG_TSBS_LOAD        tsbs_load_victoriametrics
#	OG_VLOGSGENERATOR   vlogsgenerator, of VictoriaLogs
#	OG_FLOG             flog
#	OG_LOGGEN           loggen, of syslog-ng; by default that in PATH, or that of Debian's package, unpacked below the cache folder
#	                    ($OG_CACHE, by default ~/.cache/og)
# What a record is differs: a span of og has 29 keys, one of flog 9. So look at bytes as well, and at what a record says.
set -u -o pipefail

OG_ROOT=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
# shellcheck source=test/common.bash
. "$OG_ROOT/test/common.bash"
n=${1:-500000}
runs=${OG_BENCH_RUNS:-5}
if [ $# -gt 1 ] || ! [[ $n$runs =~ ^[1-9][0-9]*$ ]]; then
	sed -n 's/^#	//p' "$0" >&2
	exit 2
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/og-peers.XXXXXX")
servers=()
missing=()

finish() {
	[ "${#servers[@]}" -eq 0 ] || kill -9 "${servers[@]}"
	wait
	rm -rf "$dir"
}
trap 'finish 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM

# NAME PATH: is it there?
has() {
	[ -z "$2" ] || command -v "$2" >/dev/null || {
		echo "peers.sh: no such program: $2" >&2
		exit 2
	}
	[ -n "$2" ] || missing+=("$1")
	[ -n "$2" ]
}

# Debian's loggen with the libraries it wants.
find_loggen() {
	local cache=${OG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/og}/loggen libs

	loggen=${OG_LOGGEN:-$(command -v loggen)}
	[ -z "$loggen" ] || return 0
	libs=$cache/root/usr/lib
	if [ ! -x "$cache/root/usr/bin/loggen" ] && command -v apt-get >/dev/null; then
		mkdir -p "$cache/root"
		(cd "$cache" && apt-get download syslog-ng-core libivykis0 libnet1 libjson-c5 libwrap0 libglib2.0-0 libpcre3 &&
			for deb in *.deb; do dpkg-deb -x "$deb" root && rm "$deb"; done) >"$cache/log" 2>&1
	fi
	[ -x "$cache/root/usr/bin/loggen" ] || return 0
	loggen=$dir/loggen
	printf '#!/bin/sh\nSYSLOGNG_PREFIX=%q LD_LIBRARY_PATH=%q exec %q "$@"\n' "$cache/root/usr" "$libs/$(uname -m)-linux-gnu:$libs/syslog-ng" \
		"$cache/root/usr/bin/loggen" >"$loggen"
	chmod +x "$loggen"
}

# A server on loopback; what it prints first is its port, which goes into the file.
serve() {
	local file=$1

	shift
	"$@" >"$file" 2>>"$dir/log" &
	servers+=($!)
	until [ -s "$file" ]; do
		kill -0 $! 2>/dev/null || {
			echo "peers.sh: $1 does not run: $(tail -n 1 "$dir/log")" >&2
			exit 1
		}
		sleep 0.05
	done
}

# Takes connections and throws away what they bring.
# shellcheck disable=SC2016 # for perl
sink() {
	serve "$dir/tcp" perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 9) or die; $| = 1; print $s->sockport, "\n";
		while (my $c = $s->accept) { my $b; 1 while sysread($c, $b, 1 << 20); close $c }'
}

# once COMMAND: a line "wall CPU MiB" of it and all that it starts; memory is that of its largest process.
once() {
	local from=$EPOCHREALTIME used to status=0

	used=$("$OG_ROOT/build/test/tools/cost" bash -o pipefail -c "$1" 2>>"$dir/log" </dev/null) || status=$?
	to=$EPOCHREALTIME
	awk -v from="$from" -v to="$to" '{ printf "%.6f %.3f %.1f\n", to - from, $1 / 1000, $2 / 1024 }' <<<"$used"
	return "$status"
}

names=() commands=() counts=()

# row NAME COMMAND [RECORDS BYTES]: what is not told is counted in what the command writes; it is timed with that thrown away.
row() {
	names+=("$1")
	commands+=("$2")
	counts+=("${3:-$(bash -o pipefail -c "$2" 2>/dev/null </dev/null | wc -lc | awk '{ print $1, $2 }')}")
}

table() {
	local i k

	for ((k = 0; k < runs; k++)); do
		for i in "${!names[@]}"; do
			once "${commands[i]}" >>"$dir/took.$i" || echo "peers.sh: failed: ${commands[i]}" >&2
		done
	done
	{
		printf '%s\t' "$1" records records/s MB/s 'wall s' 'CPU s' 'us CPU/record'
		echo 'RSS MiB'
		for i in "${!names[@]}"; do
			read -r records bytes <<<"${counts[i]}"
			awk -v name="${names[i]}" -v n="$records" -v bytes="$bytes" '
				function median(x, m,	i, j, t) {
					for (i = 2; i <= m; i++)
						for (j = i; j > 1 && x[j - 1] > x[j]; j--) { t = x[j]; x[j] = x[j - 1]; x[j - 1] = t }
					return x[int((m + 1) / 2)]
				}
				{ wall[NR] = $1; cpu[NR] = $2; rss[NR] = $3 }
				END {
					w = median(wall, NR); c = median(cpu, NR)
					printf "%s\t%d\t%d\t%.1f\t%.2f\t%.2f\t%.2f\t%.1f\n", name, n, n / w, bytes / w / 1e6, w, c, c * 1e6 / n, median(rss, NR)
				}' "$dir/took.$i"
		done
	} | column -t -s $'\t' -R 2,3,4,5,6,7,8
	echo
	rm -f "$dir"/took.*
	names=() commands=() counts=()
}

w=$dir/world
og-entities -c social -b 2025-03-03 -e 2025-03-10 -n "$n" | og-incidents >"$w" || exit 1
part="-b 2025-03-03 -e 2025-03-04"
og-events -w "$w" | og-spans -w "$w" | head -n "$n" >"$dir/spans"
og-metrics <"$dir/spans" | head -n "$n" >"$dir/samples"
find_loggen
# 100 hosts send 101 values in 9 lines every 10 seconds.
tsbs="${OG_TSBS_GENERATE-} --use-case=devops --seed=1 --scale=100 --timestamp-start=2025-03-03T00:00:00Z \
	--timestamp-end=$(date -u -d "2025-03-03 UTC +$(((n + 899) * 10 / 900)) seconds" +%FT%TZ) --log-interval=10s --format=victoriametrics"

echo "# $(nproc) processors, load $(cut -d ' ' -f 1 /proc/loadavg), medians of $runs"
echo
row 'og-events' "og-events -w $w"
row 'og-events | og-spans, a day' "og-events -w $w $part | og-spans -w $w"
row 'og-events -l keys | og-logs, a day' "og-events -w $w $part -l keys | og-logs -w $w"
row 'og-metrics, of spans' "og-metrics <$dir/spans"
! has vlogsgenerator "${OG_VLOGSGENERATOR-}" || row vlogsgenerator "$OG_VLOGSGENERATOR -activeStreams=100 -logsPerStream=$(((n + 99) / 100))"
! has flog "${OG_FLOG-}" || row 'flog -f json' "$OG_FLOG -f json -n $n"
! has tsbs_generate_data "${OG_TSBS_GENERATE-}" || row 'tsbs_generate_data, devops' "$tsbs"
table 'generators, into /dev/null'

sink
port=$(cat "$dir/tcp")
row 'og-events, to bash /dev/tcp' "og-events -w $w >/dev/tcp/127.0.0.1/$port" "$(og-events -w "$w" | wc -lc | awk '{ print $1, $2 }')"
row 'cat of a file of spans' "cat $dir/spans >/dev/tcp/127.0.0.1/$port" "$(wc -lc <"$dir/spans" | awk '{ print $1, $2 }')"
! has loggen "$loggen" || row 'loggen -s 700' "$loggen -i -S -Q -n $n -r 100000000 -I 600 -s 700 127.0.0.1 $port" "$n $((n * 700))"
table 'into a TCP connection'

serve "$dir/vl" "$OG_ROOT/build/test/tools/faultd" -F vl
serve "$dir/vm" "$OG_ROOT/build/test/tools/faultd" -F vm
row 'og-vlpush -W 0, spans' "og-vlpush -W 0 http://127.0.0.1:$(cat "$dir/vl") <$dir/spans" "$(wc -lc <"$dir/spans" | awk '{ print $1, $2 }')"
row 'og-vmpush -W 0, samples' "og-vmpush -W 0 http://127.0.0.1:$(cat "$dir/vm") <$dir/samples" "$(wc -lc <"$dir/samples" | awk '{ print $1, $2 }')"
if has tsbs_load_victoriametrics "${OG_TSBS_LOAD-}" && [ -n "${OG_TSBS_GENERATE-}" ]; then
	bash -c "$tsbs" >"$dir/tsbs"
	row 'tsbs_load_victoriametrics' "$OG_TSBS_LOAD --urls=http://127.0.0.1:$(cat "$dir/vm")/write --workers=2 <$dir/tsbs" "$(wc -lc <"$dir/tsbs" | awk '{ print $1, $2 }')"
fi
table 'loaders, server discards'
echo "missing: ${missing[*]:-none}"
