#!/bin/bash
# Speed as ratios, all measured in this run: medians of OG_BENCH_RUNS (5) runs, taken in turns. Absolute figures do not travel; ratios do.
# usage: bench/run.sh [requests]
set -eu -o pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/bin:$PATH
export OG_SHARE=$PWD/share/og LC_ALL=C
runs=${OG_BENCH_RUNS:-5}
requests=${1:-1000000}
dir=$(mktemp -d "${TMPDIR:-/tmp}/og-bench.XXXXXX")
trap 'rm -rf "$dir"' EXIT

cc -O2 -D_GNU_SOURCE -o "$dir/narrow" bench/narrow.c
narrow=$dir/narrow

# Seconds of wall time that a shell command takes.
seconds() {
	local from to
	from=$(date +%s%N)
	bash -c "$1" >&2
	to=$(date +%s%N)
	awk -v ns=$((to - from)) 'BEGIN { printf "%.6f\n", ns / 1e9 }'
}

median() {
	sort -n | awk '{ x[NR] = $1 } END { print x[int((NR + 1) / 2)] }'
}

# compare NAME COMMAND REFERENCE WISHED: medians of both, and how much faster the first is.
compare() {

	: >"$dir/a"
	: >"$dir/b"
	for _ in $(seq "$runs"); do
		seconds "$2" >>"$dir/a"
		seconds "$3" >>"$dir/b"
	done
	awk -v a="$(median <"$dir/a")" -v b="$(median <"$dir/b")" -v name="$1" -v want="$4" \
		'BEGIN { printf "%-44s %8.3f s %8.3f s   ratio %5.2f   wished %s\n", name, a, b, b / a, want }'
}

# rate NAME COMMAND COUNT UNIT WISHED: how many a second.
rate() {

	: >"$dir/a"
	for _ in $(seq "$runs"); do
		seconds "$2" >>"$dir/a"
	done
	awk -v a="$(median <"$dir/a")" -v n="$3" -v name="$1" -v unit="$4" -v want="$5" \
		'BEGIN { printf "%-44s %8.3f s   %12.0f %s/s   wished %s\n", name, a, n / a, unit, want }'
}

w=$dir/world.ndjson
og-entities -c social -b 2025-03-03 -e 2025-03-10 -n "$requests" | og-incidents >"$w"
og-events -w "$w" >"$dir/events"
head -n $((requests / 3)) "$dir/events" >"$dir/some"
og-spans -w "$w" <"$dir/some" >"$dir/spans"
head -n $((requests / 2)) "$dir/spans" >"$dir/few"
events=$(wc -l <"$dir/events")
spans=$(wc -l <"$dir/spans")
echo "# $(nproc) processors, medians of $runs, $events events, $spans spans; columns: ours, reference"

rate "og-events into /dev/null" "og-events -w $w >/dev/null" "$events" requests 2,000,000
rate "og-spans into /dev/null" "og-spans -w $w <$dir/some >/dev/null" "$spans" spans 4,000,000
f=$dir/fiber.ndjson
og-entities -c fibersqs -n "$requests" | og-incidents >"$f"
og-events -w "$f" -l keys >"$dir/keys"
lines=$(og-logs -w "$f" -l app_logs -f csv <"$dir/keys" | wc -l)
rate "og-logs of fibersqs into /dev/null" "og-logs -w $f -l app_logs -f csv <$dir/keys >/dev/null" "$lines" lines 1,200,000
compare "og-events, 64 KiB pipe, to cat FILE" "og-events -w $w | $narrow" "cat $dir/events | $narrow" 0.6
compare "og-spans, 64 KiB pipe, to cat FILE" "og-spans -w $w <$dir/some | $narrow" "cat $dir/spans | $narrow" 0.6
compare "og-events, 1 MiB pipe, to cat FILE, 64 KiB" "og-events -w $w | $narrow 1048576" "cat $dir/events | $narrow" 2.0
compare "og-spans, 1 MiB pipe, to cat FILE, 64 KiB" "og-spans -w $w <$dir/some | $narrow 1048576" "cat $dir/spans | $narrow" 2.0
og-tags <"$dir/few" >"$dir/tagged"
compare "og-tags, 64 KiB pipe, to cat of what it writes" "og-tags <$dir/few | $narrow" "cat $dir/tagged | $narrow" 0.4
og-metrics <"$dir/few" >"$dir/samples"
compare "og-metrics, 64 KiB pipe, to cat in and out" "og-metrics <$dir/few | $narrow" "cat $dir/few $dir/samples | $narrow" 0.4
compare "og-metrics -i 1m, to cat of what it reads" "og-metrics -d -i 1m <$dir/few | $narrow" "cat $dir/few | $narrow" 0.4
n=$(nproc)
shards="for k in \$(seq $n); do og-events -w $w -k \$k/$n >/dev/null & done; wait"
compare "og-events, $n shards at once, to one" "$shards" "og-events -w $w >/dev/null" "$(awk -v n="$n" 'BEGIN { print 0.9 * n }')"
