#!/bin/bash
# Every program once under valgrind, on a little data: TAP.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
export OG_SHARE=$PWD/share/og LC_ALL=C TZ=UTC
dir=$(mktemp -d "${TMPDIR:-/tmp}/og-valgrind.XXXXXX")
trap 'rm -rf "$dir"' EXIT
n=0 failed=0

# checked NAME INPUT OUTPUT PROGRAM [ARGUMENT...]
checked() {
	local name=$1 in=$2 out=$3
	shift 3
	n=$((n + 1))
	if valgrind -q --error-exitcode=99 --leak-check=no "bin/$1" "${@:2}" <"$in" >"$out" 2>"$dir/said"; then
		echo "ok $n - valgrind: $name"
	else
		failed=$((failed + 1))
		sed 's/^/# /' "$dir/said"
		echo "not ok $n - valgrind: $name"
	fi
}

checked og-entities /dev/null "$dir/world" og-entities -c social -b 2025-03-03 -e 2025-03-10 -n 300
checked og-incidents "$dir/world" "$dir/more" og-incidents -a component=redis_feed,start=2025-03-04T12:00:00Z,duration=2d,errors=0.2
checked og-events "$dir/more" "$dir/events" og-events
checked "og-events -f csv" "$dir/more" "$dir/csv" og-events -f csv -k 2/3
checked og-spans "$dir/events" "$dir/spans" og-spans -w "$dir/more"
checked og-logs "$dir/events" "$dir/lines" og-logs -w "$dir/more"
checked og-tickets "$dir/events" "$dir/tickets" og-tickets -w "$dir/more"
checked og-metrics "$dir/spans" "$dir/samples" og-metrics
checked "og-metrics -i" "$dir/spans" "$dir/sums" og-metrics -d -i 1h
checked "og-metrics -M" "$dir/sums" "$dir/all" og-metrics -M -i 1h
checked og-check "$dir/spans" "$dir/verdict" og-check -w "$dir/more" -m "$dir/samples"
checked "og-check of a world" "$dir/more" "$dir/verdict" og-check
checked og-tags "$dir/samples" "$dir/tagged" og-tags
checked og-pace "$dir/events" "$dir/paced" og-pace
checked "fibersqs: world" /dev/null "$dir/world" og-entities -c fibersqs -n 2000
checked "fibersqs: incidents" "$dir/world" "$dir/more" og-incidents
checked "fibersqs: events" "$dir/more" "$dir/facts" og-events -l txn_facts
checked "fibersqs: keys" "$dir/more" "$dir/events" og-events -l keys
checked "fibersqs: lines" "$dir/events" "$dir/lines" og-logs -w "$dir/more" -l app_logs -f csv
checked "fibersqs: tickets" "$dir/events" "$dir/tickets" og-tickets -w "$dir/more" -l tso_truth -f tsv
checked "fibersqs: table" "$dir/facts" "$dir/table" og-metrics -c fibersqs -l service_metrics -i 1m -f csv
for catalog in shop test/catalogs/orders; do
	at=$catalog
	[ -d "$catalog" ] && at=$PWD/$catalog
	checked "$catalog: world" /dev/null "$dir/world" og-entities -c "$at" -n 200 -u 50
	checked "$catalog: incidents" "$dir/world" "$dir/more" og-incidents -c "$at"
	checked "$catalog: events" "$dir/more" "$dir/events" og-events -c "$at"
	checked "$catalog: spans" "$dir/events" "$dir/spans" og-spans -c "$at" -w "$dir/more"
	checked "$catalog: lines" "$dir/events" "$dir/lines" og-logs -c "$at" -w "$dir/more"
done

# How many pieces of memory a program asks for, for what it reads from a file.
allocations() {
	local in=$1
	shift
	valgrind --leak-check=no "bin/$1" "${@:2}" 2>&1 >/dev/null <"$in" | sed -n 's/.*total heap usage: \([0-9,]*\) allocs.*/\1/p' | tr -d ,
}

# flat NAME MORE LESS ALLOWED: 10,000 records more may cost only what grows with operations and with sessions that run at once.
flat() {
	n=$((n + 1))
	if [ -n "$2" ] && [ -n "$3" ] && [ $(($2 - $3)) -lt "$4" ]; then
		echo "ok $n - nothing is allocated for a record: $1 ($3, then $2)"
	else
		failed=$((failed + 1))
		echo "not ok $n - nothing is allocated for a record: $1 ($3, then $2)"
	fi
}

bin/og-entities -c social -b 2025-03-03 -e 2025-03-10 -n 60000 | bin/og-incidents >"$dir/world"
bin/og-events -w "$dir/world" >"$dir/events"
head -n 2000 "$dir/events" >"$dir/few"
head -n 12000 "$dir/events" >"$dir/many"
flat og-events "$(allocations "$dir/world" og-events -e 2025-03-05)" "$(allocations "$dir/world" og-events -e 2025-03-03T06:00:00Z)" 1000
flat og-spans "$(allocations "$dir/many" og-spans -w "$dir/world")" "$(allocations "$dir/few" og-spans -w "$dir/world")" 2500
flat og-logs "$(allocations "$dir/many" og-logs -w "$dir/world")" "$(allocations "$dir/few" og-logs -w "$dir/world")" 2500
flat og-tickets "$(allocations "$dir/many" og-tickets -w "$dir/world")" "$(allocations "$dir/few" og-tickets -w "$dir/world")" 2500
flat og-tags "$(allocations "$dir/many" og-tags)" "$(allocations "$dir/few" og-tags)" 500
flat og-check "$(allocations "$dir/many" og-check -p -w "$dir/world")" "$(allocations "$dir/few" og-check -p -w "$dir/world")" 500
flat og-metrics "$(allocations "$dir/many" og-metrics)" "$(allocations "$dir/few" og-metrics)" 500

# Pushers, against servers that take everything.
sinks=
for kind in vl vm ch; do
	build/test/tools/faultd -F "$kind" >"$dir/$kind" 2>/dev/null &
	sinks="$sinks $!"
	until [ -s "$dir/$kind" ] || ! kill -0 $!; do
		sleep 0.05
	done
done
vl=http://127.0.0.1:$(cat "$dir/vl") vm=http://127.0.0.1:$(cat "$dir/vm") ch=http://127.0.0.1:$(cat "$dir/ch")
head -n 300 "$dir/events" >"$dir/lines"
bin/og-metrics <"$dir/lines" >"$dir/samples"
checked og-vlpush "$dir/lines" "$dir/out" og-vlpush -R 20 -W 300ms -S "$dir/stats" -j "$dir/journal" "$vl"
checked "og-vlpush -z gzip" "$dir/lines" "$dir/out" og-vlpush -R 20 -W 0 -z gzip -I jsonline "$vl"
checked og-vmpush "$dir/samples" "$dir/out" og-vmpush -R 20 -W 300ms "$vm"
checked og-chpush "$dir/lines" "$dir/out" og-chpush -R 20 -t logs "$ch"
flat og-vlpush "$(allocations "$dir/many" og-vlpush -W 0 "$vl")" "$(allocations "$dir/few" og-vlpush -W 0 "$vl")" 1000
flat og-chpush "$(allocations "$dir/many" og-chpush -t logs "$ch")" "$(allocations "$dir/few" og-chpush -t logs "$ch")" 1000
# shellcheck disable=SC2086 # words
kill $sinks
echo "1..$n"
[ "$failed" -eq 0 ]
