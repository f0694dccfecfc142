# The bench of delivery: a server that fails as its script says, a network that fails, pushers, and the judge of what arrived.
# shellcheck shell=bash disable=SC2034 # what tests read

TOOLS=$OG_ROOT/build/test/tools
daemons=()
servers=0
before=0 # records that an earlier run of the same journal delivered

# daemon FILE PROGRAM ...: in the background; the port it prints is in FILE.
daemon() {
	local file=$1

	rm -f "$file"
	"$TOOLS/$2" "${@:3}" >"$file" 3>&- 5>&- &
	daemons+=($!)
	until [ -s "$file" ]; do
		kill -0 $! || return 1
		sleep 0.01
	done
}

# serve [OPTION ...]: a server of VictoriaLogs' kind, or of that of -F, with what standard input holds as its script. Sets URL, server.
serve() {
	servers=$((servers + 1))
	cat >"script.$servers"
	daemon port faultd -F vl -s "script.$servers" -l stored -r requests "$@"
	server=${daemons[-1]}
	port=$(cat port)
	URL=http://127.0.0.1:$port
}

# between [OPTION ...]: a network in front of the server. Sets URL.
between() {
	daemon port.net mangle "$@" "$port"
	URL=http://127.0.0.1:$(cat port.net)
}

stop() {
	local pid

	for pid in "${daemons[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	daemons=()
}

# anew: nothing is stored, nothing was asked.
anew() {
	stop
	rm -f stored requests dead said journal port port.net
	before=0
}

# each LINE ...: a script in which every line is followed by a success, so that no waiting gets long.
each() {
	printf '%s\n\n' "$@"
}

# records N [form]: into `in`.
records() {
	sent=$1
	form=${2:-json}
	"$TOOLS/oracle" make -f "$form" "$1" >in
}

# The pusher in use, and what every test wants of it: an account, and no time of settlement.
push=(og-vlpush -v -W 0)

# load [OPTION ...]: `in` by the pusher to URL; what it says is in `said`. Its exit status must be true.
load() {
	local status=0

	timeout 18 "${push[@]}" "$@" "$URL" <in 2>said || status=$?
	truthful "$status"
	return "$status"
}

# account WORD: a number of the account in `said`.
account() {
	sed -n "s/.*[ =]$1 \([0-9][0-9]*\).*/\1/p" said | tail -n 1
}

# truthful STATUS: 0 when all that was sent was accepted, 1 when not; the sum holds.
truthful() {
	local read accepted refused not

	read=$(account read)
	accepted=$(account accepted)
	refused=$(account refused)
	not=$(account 'not delivered')
	[ "$read" -eq $((accepted + refused + not)) ] || die "the account: $(cat said)"
	case $1 in
	0) [ $((before + accepted)) -eq "$sent" ] || die "status 0: $(cat said)" ;;
	1) [ $((before + accepted)) -lt "$sent" ] || grep -qE 'interrupted|refused in earlier|differ|verif' said || die "status 1: $(cat said)" ;;
	*) die "status $1: $(cat said)" ;;
	esac
}

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

# Nothing is missing or corrupted, and no more is doubled than was said; prints the verdict.
judged() {
	local dead=()

	[ ! -s dead ] || dead=(-d dead -f "${form:-json}")
	"$TOOLS/oracle" judge -n "$sent" -m "$(account 'perhaps doubled')" "${dead[@]}" stored
}

# arrived WORD N: the verdict says so.
arrived() {
	local verdict

	verdict=$(judged) || die "$verdict: $(cat said)"
	[[ " $verdict " = *" $1 $2 "* ]] || die "$verdict, not $1 $2"
}

# Requests that carried records; with an argument, those of that status.
loads() {
	grep -E '^POST [^ ]*[?]' requests | awk -v want="${1-}" 'want == "" || $4 == want { n++ } END { print n + 0 }'
}

# until_said FILE TEXT
until_said() {
	for ((i = 0; i < 800; i++)); do
		! grep -q "$2" "$1" 2>/dev/null || return 0
		sleep 0.01
	done
	return 1
}

# until_stored N: records.
until_stored() {
	for ((i = 0; i < 800; i++)); do
		[ "$(grep -ao '"sum":' stored 2>/dev/null | wc -l)" -lt "$1" ] || return 0
		sleep 0.01
	done
	return 1
}
