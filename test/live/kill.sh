#!/bin/bash
#
# Harm a server again and again while somebody works with it, and leave it alone in the end.
#
#	kill.sh [-d seconds] [-m seconds] [-s seed] PIDFILE PID COMMAND [ARGUMENT ...]
#
# COMMAND starts the server in the background, comes back when it answers, and has written its process number to PIDFILE. Every 1 to -m (20)
# seconds the server is killed, ended with SIGTERM, or stopped for up to 5 seconds. A dead one is started anew after up to 2 seconds. That
# goes on for -d (60) seconds, or until PID, who works with it, is no more. The server then runs; a line "killed N ended N stopped N" says
# what was done, and lines on standard error when. The choice follows from the seed.
set -eu

usage() {
	echo "usage: kill.sh [-d seconds] [-m seconds] [-s seed] pidfile pid command [argument ...]" >&2
	exit 2
}

most=20
RANDOM=1
duration=60
while getopts d:m:s: option; do
	case $option in
	d) duration=$OPTARG ;;
	m) most=$OPTARG ;;
	s) RANDOM=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 3 ] || usage
pidfile=$1
worker=$2
shift 2

# A process that nobody has waited for is still listed.
alive() {
	[[ -e /proc/$1/stat && "$(cat "/proc/$1/stat" 2>/dev/null)" =~ \)\ [^ZX] ]]
}

# below N: milliseconds less than that, as seconds.
below() {
	local ms=$((RANDOM % ($1)))

	printf '%d.%03d' $((ms / 1000)) $((ms % 1000))
}

# Sleep for $1 seconds, or until the worker or the time ends: status 1.
rest() {
	local until=$((${EPOCHREALTIME/./} + $(awk -v s="$1" 'BEGIN { printf "%d", s * 1000000 }')))

	while [ "${EPOCHREALTIME/./}" -lt "$until" ]; do
		[ "$SECONDS" -lt "$duration" ] && alive "$worker" || return 1
		sleep 0.05
	done
}

tell() {
	echo "kill.sh: after $SECONDS s: $*" >&2
}

killed=0 ended=0 stopped=0
SECONDS=0
while rest "$(awk -v r="$(below "$((most - 1)) * 1000 + 1")" 'BEGIN { print 1 + r }')"; do
	server=$(cat "$pidfile")
	case $((RANDOM % 4)) in
	0 | 1) signal=KILL killed=$((killed + 1)) ;;
	2) signal=TERM ended=$((ended + 1)) ;;
	*) signal=STOP stopped=$((stopped + 1)) ;;
	esac
	tell "$signal"
	kill "-$signal" "$server"
	if [ "$signal" = STOP ]; then
		sleep "$(below 5000)"
		kill -CONT "$server"
		continue
	fi
	while alive "$server"; do sleep 0.02; done
	sleep "$(below 2000)"
	"$@"
done
echo "killed $killed ended $ended stopped $stopped"
