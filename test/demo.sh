#!/bin/bash
# The demo: a week of a social network with incidents, its spans, logs and metrics in out/, the logs in a VictoriaLogs of its own, and the
# same question asked of the server and of the file.
set -eu -o pipefail
cd "$(dirname "$0")/.."
. test/common.bash
out=${OG_OUT:-out}
requests=${OG_REQUESTS:-200000}
begin=2025-03-03
end=2025-03-10
server=
data=

finish() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
	[ -z "$data" ] || rm -rf "$data" "$data".*
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

say() {
	printf '\n== %s\n' "$*"
}

count() {
	wc -l <"$1"
}

mkdir -p "$out"
say "A week of a social network, $requests requests, with incidents"
og-entities -c social -b "$begin" -e "$end" -n "$requests" |
	og-incidents -a component=aurora_primary,start=2025-03-05T14:00:00Z,duration=3h,environment=prod,region=us-east-1,errors=0.15,latency=2 \
		-a component=redis_feed,start=2025-03-08T19:00:00Z,duration=2h,environment=prod,errors=0.1,latency=1.5 >"$out/world.ndjson"
og-events -w "$out/world.ndjson" >"$out/events.ndjson"
echo "$(count "$out/world.ndjson") lines of world, $(count "$out/events.ndjson") events"
head -n 1 "$out/events.ndjson" | jq -c '{timestamp, service, action, user_id, duration_ms, success}'

say "Every event as a tree, its metrics, and the log lines with tags"
og-spans -w "$out/world.ndjson" <"$out/events.ndjson" >"$out/spans.ndjson"
og-metrics -i 1h <"$out/spans.ndjson" >"$out/metrics.ndjson" &
og-events -w "$out/world.ndjson" -l log | og-spans -w "$out/world.ndjson" -l log | og-tags >"$out/logs.ndjson"
wait $!
echo "$(count "$out/spans.ndjson") spans, $(count "$out/metrics.ndjson") samples, $(count "$out/logs.ndjson") log lines"

say "Errors over the week, four hours a column; what goes wrong in the world shows"
jq -r 'select(.parent_span_id == null and .success == false) | .timestamp' "$out/events.ndjson" |
	awk -F'[-T:]' '{ n[($3 - 3) * 6 + int($4 / 4)]++ }
	END {
		for (i = 0; i < 42; i++)
			if (n[i] > top)
				top = n[i]
		for (row = 5; row > 0; row--) {
			printf "%6d |", top * row / 5
			for (i = 0; i < 42; i++)
				printf "%s", (n[i] >= top * (row - 0.5) / 5) ? "#" : " "
			print ""
		}
		print "       +Mon---Tue---Wed---Thu---Fri---Sat---Sun---"
	}'

say "The logs into VictoriaLogs, and the same count asked of both"
binary=$(test/live/victoria.sh victoria-logs)
data=$(mktemp -d "${TMPDIR:-/tmp}/og-demo.XXXXXX")
port=$(free_port)
url=http://127.0.0.1:$port
"$binary" -httpListenAddr="127.0.0.1:$port" -storageDataPath="$data" -retentionPeriod=100y -loggerLevel=ERROR >"$data.log" 2>&1 &
server=$!
for _ in $(seq 100); do
	curl -fs "$url/health" >/dev/null 2>&1 && break
	sleep 0.1
done
og-vlpush "$url" <"$out/logs.ndjson"
ask() {
	curl -fs "$url/select/logsql/query" --data-urlencode "query=$1" -d start=2025-01-01T00:00:00Z -d end=2026-01-01T00:00:00Z
}
grep -o '"error_source":[^,]*' "$out/logs.ndjson" | sort | uniq -c | sed -e 's/null$/"-"/' -e 's/^ *\([0-9]*\) "error_source":"\(.*\)"$/\2\t\1/' | sort >"$data.file"
# What was taken in a moment ago can be searched a few seconds later.
for _ in $(seq 60); do
	ask '* | stats by (error_source) count() n' | jq -r '[if (.error_source // "") == "" then "-" else .error_source end, .n] | @tsv' | sort >"$data.server"
	cmp -s "$data.file" "$data.server" && break
	sleep 0.5
done
printf '%10s %10s  %s\n' file server error_source
join -t "$(printf '\t')" -a 1 -a 2 -e 0 -o 0,1.2,2.2 "$data.file" "$data.server" | sort -t "$(printf '\t')" -k 2,2nr |
	awk -F'\t' 'NR <= 12 { printf "%10d %10d  %s\n", $2, $3, $1 == "-" ? "(no error)" : $1 }'
if cmp -s "$data.file" "$data.server"; then
	echo "equal: all $(wc -l <"$data.file") counts"
else
	echo "NOT EQUAL" >&2
	exit 1
fi
