# Against real VictoriaMetrics servers, the one that Debian has and one built from its sources: what was sent is what they hold.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
bats_require_minimum_version 1.5.0

load ../common

setup_file() {
	VM=$("$OG_ROOT/test/live/victoria.sh" victoria-metrics)
	VMS=$VM
	[ ! -x /usr/bin/victoria-metrics ] || VMS="/usr/bin/victoria-metrics $VM"
	export VM VMS
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	PORT=$(free_port)
	URL=http://127.0.0.1:$PORT
	NOW=$(date +%s)
}

teardown() {
	stop
}

start() {
	"${vm:-$VM}" -storageDataPath=data -httpListenAddr="127.0.0.1:$PORT" -retentionPeriod=100y "$@" >>log 2>&1 3>&- 5>&- &
	server=$!
	until curl -s -o /dev/null "$URL/health"; do
		kill -0 "$server" || return 1
		sleep 0.05
	done
}

stop() {
	[ -z "${server-}" ] || kill "-${1:-TERM}" "$server" 2>/dev/null || true
	[ -z "${server-}" ] || wait "$server" || true
	server=
}

# All that the server holds, as one line a sample: labels in order, time, value. Doubles stay.
export_all() {
	curl -sf "$URL/internal/force_flush"
	curl -sf "$URL/api/v1/export" --data-urlencode 'match[]={__name__!=""}' -d start=1 -d "end=$((NOW + 86400))" |
		jq -r '(.metric | to_entries | sort_by(.key) | map(.key + "=" + .value) | join(",")) as $m |
			[.timestamps, .values] | transpose[] | "\($m) \(.[0]) \(.[1])"' | sort
}

# The same of records of og-record(5).
expected() {
	jq -r '((.tags // {}) + { __name__: .metric } | to_entries | sort_by(.key) | map(.key + "=" + .value) | join(",")) as $m |
		"\($m) \(.ts * 1000 | floor) \(.value)"' | sort
}

# Samples n, in 70 series, each with a time and value of its own; whole milliseconds, which floating point does not blur.
samples() {
	seq "$1" | awk -v now="$NOW" '{
		printf "{\"metric\":\"m%d\",\"ts\":%d.%03d000,\"value\":%d.%d,\"tags\":{\"service\":\"service-%d\",\"stack\":\"say \\\"%d\\\" \\u00e9\\\\\"}}\n", \
			$1 % 10, now - 3600 + int($1 / 1000), $1 % 1000, $1, $1 % 8 * 125, $1 % 7, $1 % 10 }'
}

@test "N samples in, the same N in the server, by each input and form" {
	samples 20000 >in
	expected <in >want
	jq -r '"\(.metric){service=\"\(.tags.service)\",stack=\(.tags.stack | tojson)} \(.value) \(.ts * 1000 | round)"' in >in.prom
	jq -c '{ metric: (.tags + { __name__: .metric }), values: [.value], timestamps: [.ts * 1000 | round] }' in >in.import
	for vm in $VMS; do
		for options in '' '-f prom' '-f import' '-z gzip' '-R 100 -C 16'; do
			rm -rf data
			start
			case $options in *-f*) file=in.${options#-f } ;; *) file=in ;; esac
			# shellcheck disable=SC2086 # words
			run -0 --separate-stderr og-vmpush -v -y $options "$URL" <"$file"
			[[ $stderr = *"verified: accepted 20000 samples; the server inserted 20000, dropped 0, found 0 lines invalid"* ]]
			export_all >got
			cmp want got
			stop
		done
	done
}

@test "records of og-metrics, and extra labels" {
	og-entities -c social -b "@$((NOW - 7200))" -n 200 >world 2>/dev/null || og-entities -c social -b 2025-12-01 -n 200 >world
	og-events -w world | og-spans -w world | og-metrics >in
	jq -c '.tags += { persona: "all", run: "a & b=c" }' in | jq -r '((.tags) + { __name__: .metric } | to_entries | sort_by(.key) | map(.key + "=" + .value) | join(","))' | sort >want
	[ -s want ]
	for vm in $VMS; do
		rm -rf data
		start
		run -0 --separate-stderr og-vmpush -y -x persona=all -x 'run=a & b=c' "$URL" <in
		export_all | sed 's/ [0-9]* [^ ]*$//' | sort | cmp want -
		stop
	done
}

@test "what is at the limits is stored, what is beyond them is refused" {
	x=$(head -c 16384 /dev/zero | tr '\0' x)
	labels() { seq "$1" | sed 's/.*/,"l&":"x"/' | tr -d '\n'; }
	big() { seq "$1" | sed "s/.*/,\"l&\":\"${x:0:4000}\"/" | tr -d '\n'; }
	for vm in $VMS; do
		rm -rf data
		start
		most=$(curl -s "$URL/metrics" | sed -n 's/^flag{name="maxLabelsPerTimeseries", value="\([0-9]*\)".*/\1/p')
		long=$(curl -s "$URL/metrics" | sed -n 's/^flag{name="maxLabelValueLen", value="\([0-9]*\)".*/\1/p')
		{
			for tags in "\"a\":\"1\"$(labels $((most - 2)))" "\"a\":\"2\"$(labels $((most - 1)))" "\"a\":\"${x:0:long}\"" "\"a\":\"x${x:0:long}\"" \
				"\"${x:0:256}\":\"1\"" "\"${x:0:257}\":\"1\"" "\"a\":\"3\"$(big 7)" "\"a\":\"4\"$(big 8)"; do
				echo "{\"metric\":\"m\",\"ts\":$NOW,\"value\":1,\"tags\":{$tags}}"
			done
			echo "{\"metric\":\"${x:0:long}\",\"ts\":$NOW,\"value\":1}"
			echo "{\"metric\":\"x${x:0:long}\",\"ts\":$NOW,\"value\":1}"
		} >in
		run -1 --separate-stderr og-vmpush -D dead "$URL" <in
		cut -f 1 dead | tr '\n' ' ' >refused
		[ "$(cat refused)" = "2 4 6 8 10 " ]
		sed -n '1p;3p;5p;7p;9p' in | expected >want
		sleep 1
		export_all >got
		cmp want got
		stop
		rm dead
	done
}

@test "samples outside the server's own retention are refused, the others stored" {
	for day in 0 6 8 100 -1 -3; do echo "{\"metric\":\"m\",\"ts\":$((NOW - day * 86400 - 60)),\"value\":$day}"; done >in
	for vm in $VMS; do
		rm -rf data
		start -retentionPeriod=7d
		run -1 --separate-stderr og-vmpush "$URL" <in
		[ "${stderr_lines[0]}" = "og-vmpush: <stdin>:3: older than the server's retention" ]
		[ "${stderr_lines[1]}" = "og-vmpush: <stdin>:4: older than the server's retention" ]
		[ "${stderr_lines[2]}" = "og-vmpush: <stdin>:6: further in the future than the server keeps" ]
		# The page is made once a second.
		sleep 1.2
		[ "$(curl -s "$URL/metrics" | awk '/^vm_rows_ignored_total/ { n += $2 } END { print n + 0 }')" -eq 0 ]
		[ "$(curl -s "$URL/metrics" | awk '/^vm_rows_inserted_total{type="vmimport"}/ { print $2 }')" -eq 3 ]
		stop
	done
}

@test "what a server drops in silence is seen by -y" {
	samples 2000 >in
	for vm in $VMS; do
		rm -rf data
		start -storage.maxHourlySeries=10
		run -1 --separate-stderr og-vmpush -y "$URL" <in
		[[ $stderr = *"not verified: accepted 2000 samples; the server inserted 2000, dropped "[1-9]* ]]
		stop
	done
}

@test "the server is killed as soon as a load has ended: all is on disk" {
	samples 20000 >in
	expected <in >want
	for vm in $VMS; do
		rm -rf data
		start
		run -0 --separate-stderr og-vmpush "$URL" <in
		stop KILL
		start
		export_all >got
		cmp want got
		[ -z "$(ls data/snapshots)" ]
		stop
	done
}

@test "a server that is killed and started in mid-load loses nothing" {
	samples 300000 >in
	expected <in >want
	for vm in $VMS; do
		rm -rf data
		start
		mkfifo pipe
		og-vmpush -v -R 2000 "$URL" <pipe 2>said 3>&- &
		pusher=$!
		exec 5>pipe
		for part in 1 2 3; do
			sed -n "$(((part - 1) * 100000 + 1)),$((part * 100000))p" in >&5
			[ "$part" -eq 3 ] || { sleep 0.5 && stop KILL && sleep 0.3 && start; }
		done
		exec 5>&-
		wait "$pusher"
		rm pipe
		cat said
		grep -q 'started anew' said
		# Doubles are told, and nothing but them.
		export_all >got
		uniq got | cmp want -
		stop
	done
}

@test "a pipe into a server that asks for a password, below a path" {
	samples 1000 >in
	expected <in >want
	echo u:p >password
	for vm in $VMS; do
		rm -rf data
		start -httpAuth.username=u -httpAuth.password=p -http.pathPrefix=/vm
		run -1 --separate-stderr og-vmpush "$URL/vm" <in
		run -0 --separate-stderr og-vmpush -y -P password "$URL/vm" <in
		curl() { command curl -u u:p "$@"; }
		URL=$URL/vm export_all >got
		unset -f curl
		cmp want got
		stop
	done
}
