#!/bin/bash
#
# kills.sh vl|ch ROUNDS: a pusher that is killed at a random moment ROUNDS times, each time followed by the same command with the same journal,
# until a last one may end. Nothing must be missing; doubles must be within what the pusher said, and with insert tokens (ch) there are none.
set -u

OG_ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
# shellcheck source=test/common.bash
. "$OG_ROOT/test/common.bash"
# shellcheck source=test/push/bench.bash
. "$OG_ROOT/test/push/bench.bash"

kind=$1 rounds=$2 bound=0 killed=0
RANDOM=$rounds
dir=$(mktemp -d)
trap 'stop; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
case $kind in
# Whether what was accepted has lasted is asked every half a second.
vl) push=(og-vlpush -W 100ms -R 100) least=.4 lines=$((rounds * 10000)) ;;
ch) push=(og-chpush -o -t logs -R 100) least=.1 lines=$((rounds * 6000)) ;;
esac
records "$lines"
serve -F "$kind" -d 20 <<<""
while [ "$killed" -lt "$rounds" ]; do
	"${push[@]}" -j journal "$URL" <in 2>>said 3>&- &
	pusher=$!
	sleep "$(awk -v x="$RANDOM" -v least="$least" 'BEGIN { print least + x / 32768 * .7 }')"
	kill -9 "$pusher" 2>/dev/null || break
	wait "$pusher" 2>/dev/null
	killed=$((killed + 1))
done
timeout 100 "${push[@]}" -v -j journal "$URL" <in 2>>said || die "the last one: $(tail -n 5 said)"
bound=$(sed -n 's/.*at most \([0-9]*\) lines there may be stored twice$/\1/p' said | awk '{ n += $1 } END { print n + 0 }')
[ "$kind" = vl ] || bound=0
went_on=$(sed -n 's/.*going on behind line \([0-9]*\).*/\1/p' said | sort -un | wc -l)
echo "$kind: killed $killed of $rounds, went on at $went_on places, at most $bound doubled: $("$TOOLS/oracle" judge -n "$lines" -m "$bound" stored)"
"$TOOLS/oracle" judge -n "$lines" -m "$bound" stored >/dev/null && [ "$killed" -eq "$rounds" ] && [ "$went_on" -gt $((rounds / 8)) ]
