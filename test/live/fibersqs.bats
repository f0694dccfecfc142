# The recipe load-clickhouse, and the SQL of the catalog fibersqs, against Debian's ClickHouse, 18.16, and a current engine behind
# test/tools/chdb. Neither is in UTC. The data is that of fibersqs.awk, whose truth is known without us.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
bats_require_minimum_version 1.5.0

load ../common

SQL=$OG_SHARE/fibersqs

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	ENGINE=$("$OG_ROOT/test/live/clickhouse.sh" engine)
	OLD=http://127.0.0.1:$(free_port) NEW=
	export ENGINE OLD NEW
	make_set set
	OG_TIMEZONE=America/New_York "$OG_ROOT/test/live/clickhouse.sh" start "$PWD/old" "${OLD##*:}"
	# The engine reads a config.xml of the folder that it is started in.
	mkdir empty
	(cd empty && TZ=America/New_York exec "$OG_ROOT/build/test/tools/chdb" "$ENGINE" ../new) >port 2>log 3>&- &
	echo $! >engine
	until [ -s port ]; do
		kill -0 "$(cat engine)" || return 1
		sleep 0.05
	done
	NEW=http://127.0.0.1:$(cat port)
	# The load that most tests look at; the first one says what it said.
	for url in "$OLD" "$NEW"; do
		load_set "$url" >"said.${url##*:}" 2>&1 || echo "status $?" >>"said.${url##*:}"
	done
}

# URL [OPTION...]: load the set, with reports and journals of that server.
load_set() {
	local url=$1
	shift
	"$OG_SHARE/recipes/load-clickhouse" -d "$BATS_FILE_TMPDIR/set" -g "$BATS_FILE_TMPDIR/set/ground_truth.json" \
		-o "$BATS_FILE_TMPDIR/out.${url##*:}" "$@" "$url"
}

teardown_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	"$OG_ROOT/test/live/clickhouse.sh" kill "$PWD/old"
	[ ! -s engine ] || kill -9 "$(cat engine)"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	PATH=$OG_SHARE/recipes:$PATH
	SET=$BATS_FILE_TMPDIR/set
	unset CLICKHOUSE_URL CLICKHOUSE_USER CLICKHOUSE_PASSWORD
}

teardown() {
	[ ! -d own ] || "$OG_ROOT/test/live/clickhouse.sh" kill "$PWD/own"
}

# A dataset, and its truth, in a folder.
make_set() {
	mkdir -p "$1/data"
	awk -v n=4000 -v dir="$1/data" -f "$OG_ROOT/test/live/fibersqs.awk"
}

# URL STATEMENT
sql() {
	curl -sS --fail-with-body "$1/?output_format_json_quote_64bit_integers=0" --data-binary "$2"
}

# FILE FOLDER: a statement a file.
split_sql() {
	mkdir -p "$2"
	awk -v to="$2" 'BEGIN { n = 1 } { print >sprintf("%s/%02d", to, n) } /;$/ { n++ }' "$1"
}

# URL: every table holds what its file holds.
holds_the_set() {
	local file table
	for file in "$SET"/data/*.csv; do
		table=${file##*clickhouse-}
		table=${table%.csv}
		[ "$(sql "$1" "SELECT count() FROM fibersqs_prod.$table")" -eq $(($(wc -l <"$file") - 1)) ] || {
			echo "$1: $table"
			return 1
		}
	done
}

# What run(1) has of the recipe itself; the pusher says where it goes on.
said() {
	grep -v '^og-chpush: [^ ]*: going on behind line ' <<<"$stderr" || true
}

# URL: what a load reported.
report() {
	echo "$BATS_FILE_TMPDIR/out.${1##*:}/postload_validation.json"
}

# Two answers: equal, but for how a server rounds what stands between two numbers.
same_answer() {
	paste -d '\n' "$1" "$2" | awk -F '\t' '
	NR % 2 { n = split($0, want); next }
	{ bad += n != NF }
	{
		for (i = 1; i <= NF; i++)
			if ($i != want[i] && !((want[i] $i) ~ /^[-0-9.]*$/ && (want[i] $i) ~ /[.]/ && ($i - want[i]) ^ 2 < 0.0121))
				bad++
	}
	END { exit bad > 0 }' || diff "$1" "$2"
}

@test "a load: silent, complete, and what it reports is the truth" {
	for url in "$OLD" "$NEW"; do
		[ ! -s "$BATS_FILE_TMPDIR/said.${url##*:}" ] || {
			cat "$BATS_FILE_TMPDIR/said.${url##*:}"
			return 1
		}
		holds_the_set "$url"
		jq -e --slurpfile truth "$SET/ground_truth.json" '
		$truth[0].tso_noise.noise_counts as $noise
		| .tso_tp_count == $noise.clean and .tso_fn_count == $noise.missing and .tso_fp_count == $noise.fabricated
			and .tso_wrong_link_count == $noise.wrong_customer and $noise.fabricated > 0 and $noise.wrong_customer > 0
			and .tso_postload.confusion_matrix.tso_tp_count == .tso_tp_count
			and .tso_postload.missing.total == $truth[0].tso_noise.total_calls
			and .dataset_bounds == { min_day: "2025-12-01", max_day: "2025-12-07" }
			and .view_creation.actual_counts == { region_views: 5, daily_views: 35 } and (.view_creation.tables_like | length) == 40
			and (.tier2.tables | map([.table, .present])) == [["network_events", 1], ["service_metrics", 1], ["txn_facts", 1]]
			and (.row_counts | map_values(.table)) == $truth[0].generation.row_counts
			and (.checks | length) == 20 and (.checks | add) == 0
			and (.incident_p95_multiplier | map([.region, .p95_multiplier > 2])) ==
				[["central", true], ["east", false], ["north", false], ["south", false], ["west", false]]
			and .top_central_to_east_circuit_uplift[0].circuit_id == "CKT-CEN-EAS-003"
			and .top_central_to_east_circuit_uplift[0].p95_multiplier > 5 and .top_central_to_east_circuit_uplift[1].p95_multiplier < 1.2
			and (.fix_verification | map(.window)) == ["pre_fix", "post_fix"]
			and .fix_verification[0].p95_latency_ms > 3 * .fix_verification[1].p95_latency_ms
			and .impacted_slice_volume.max_rpm >= 1' "$(report "$url")"
	done
	# The two agree to the last digit.
	diff <(jq 'del(.server_version)' "$(report "$OLD")") <(jq 'del(.server_version)' "$(report "$NEW")")
}

@test "every question and every check runs, and both servers give the same answer" {
	for what in queries validate; do
		split_sql "$SQL/$what.sql" "$what"
		for file in "$what"/??; do
			grep -q ';$' "$file" || continue
			for url in "$OLD" "$NEW"; do
				sql "$url" "$(grep -v '^--' "$file" | sed 's/;$//')" >"$file.${url##*:}" || {
					cat "$file" "$file.${url##*:}"
					return 1
				}
				[ -s "$file.${url##*:}" ]
			done
			# How much room it takes is each server's own matter.
			grep -q bytes_on_disk "$file" || same_answer "$file.${OLD##*:}" "$file.${NEW##*:}"
		done
	done
	[ "$(find queries -name "??.${NEW##*:}" | wc -l)" -eq "$(grep -c ';$' "$SQL/queries.sql")" ]
	# What the questions are asked for: a minute's round trip explains the calls over the circuit.
	read -r all _ bad minutes <"$(grep -l correlation_bad queries/??).${NEW##*:}"
	awk -v a="$all" -v b="$bad" -v n="$minutes" 'BEGIN { exit !(a > 0.9 && b > 0.9 && n > 20) }'
}

@test "a trainee's load tells nothing about the incident" {
	cp -r "$BATS_FILE_TMPDIR/out.${NEW##*:}" out
	run -0 --separate-stderr load-clickhouse -a -d "$SET" -o out "$NEW"
	[ -z "$output$(said)" ]
	jq -e '.fix_verification == null and .incident_p95_multiplier == null and .top_central_to_east_circuit_uplift == null
		and .impacted_slice_volume == null and .tso_postload.truth == null and .tso_tp_count > 100' out/postload_validation.json
	run -1 grep -E 'CKT|2025-12-0[345]T' out/postload_validation.json
}

@test "loads that are done again do not double, from the start or going on" {
	for url in "$OLD" "$NEW"; do
		run -0 load_set "$url" --append
		holds_the_set "$url"
		run -0 load_set "$url"
		holds_the_set "$url"
	done
	# A current server knows the batches without the journal.
	rm -r "$BATS_FILE_TMPDIR/out.${NEW##*:}/load-clickhouse"
	run -0 load_set "$NEW" -a
	holds_the_set "$NEW"
}

@test "a daily view reads its day alone, and days are those of UTC" {
	for url in "$OLD" "$NEW"; do
		sql "$url" 'SELECT count() AS n, sum(length(message)) AS bytes FROM fibersqs_prod.fibersqs_prod_east_app_logs_20251204 FORMAT JSON' >said
		[ "$(jq '.data[0].n' said)" -eq "$(grep -c '^2025-12-04T[^,]*,east,' "$SET/data/clickhouse-app_logs.csv")" ]
		[ "$(jq .statistics.rows_read said)" -le "$(grep -c ^2025-12-04 "$SET/data/clickhouse-app_logs.csv")" ]
		[ "$(sql "$url" "SELECT min(partition), max(partition) FROM system.parts
			WHERE active AND database = 'fibersqs_prod' AND table = 'app_logs'")" = $'20251201\t20251207' ]
		# Columns that the tables compute are in every view.
		sql "$url" 'SELECT max(end_to_end_latency_ms_f64), min(ts) FROM fibersqs_prod.fibersqs_prod_east_app_logs'
		sql "$url" 'SELECT max(end_to_end_latency_ms_f64), min(ts) FROM default.fibersqs_app_logs'
		for view in trace_spans network_circuit_metrics infra_host_metrics tso_calls; do
			[ "$(sql "$url" "SELECT count(), min(ts) FROM default.$view")" = "$(sql "$url" "SELECT count(), min(ts) FROM fibersqs_prod.$view")" ]
		done
	done
}

@test "what is somebody else's stays" {
	theirs="default.trace_spans default.app_logs fibersqs_prod.notes fibersqs_prod.fibersqs_prod_west_app_logs"
	for url in "$OLD" "$NEW"; do
		sql "$url" 'DROP TABLE default.trace_spans'
		sql "$url" 'DROP TABLE fibersqs_prod.fibersqs_prod_west_app_logs'
		for table in $theirs; do
			sql "$url" "CREATE TABLE $table (a String) ENGINE = MergeTree ORDER BY a"
			sql "$url" "INSERT INTO $table VALUES ('theirs')"
		done
		# A copy of a table of ours may carry our mark, but not our name.
		sql "$url" 'CREATE TABLE fibersqs_prod.kept AS fibersqs_prod.tso_calls ENGINE = MergeTree ORDER BY call_id'
		run -1 --separate-stderr load_set "$url"
		printf 'load-clickhouse: %s\n' "$url: default.trace_spans is somebody else's: it stays, and there is no view of that name" \
			"$url: fibersqs_prod.fibersqs_prod_west_app_logs is somebody else's: it stays, and there is no view of that name" \
			"$url: 4 of 5 views of regions, 35 of 35 of days" | diff <(sort) <(sort <<<"$stderr")
		holds_the_set "$url"
		jq -e '.view_creation.names_taken | sort == ["default.trace_spans", "fibersqs_prod.fibersqs_prod_west_app_logs"]' "$(report "$url")"
		for table in $theirs; do
			[ "$(sql "$url" "SELECT a FROM $table")" = theirs ]
		done
		[ "$(sql "$url" 'SELECT count() FROM fibersqs_prod.kept')" -eq 0 ]
		sql "$url" 'DROP TABLE fibersqs_prod.fibersqs_prod_west_app_logs'
		# Another database for the old names: that which is called logs, or one that is named.
		[ "$url" = "$OLD" ] && database=logs where=-a || database=mine where=--old-names=mine
		sql "$url" "CREATE DATABASE $database"
		run -0 load_set "$url" -a "$where"
		[ "$(sql "$url" "SELECT count() FROM $database.trace_spans")" -gt 0 ]
		sql "$url" "DROP DATABASE $database"
		# A table of ours whose name is taken: nothing at all is done.
		sql "$url" 'DROP TABLE fibersqs_prod.txn_facts'
		sql "$url" "CREATE TABLE fibersqs_prod.txn_facts (a String) ENGINE = MergeTree ORDER BY a"
		run -1 --separate-stderr load_set "$url"
		[ "$stderr" = "load-clickhouse: $url: fibersqs_prod.txn_facts is somebody else's: it stays, and nothing was loaded" ]
		[ "$(sql "$url" 'SELECT count() FROM fibersqs_prod.app_logs')" -gt 0 ]
		run -1 --separate-stderr load_set "$url" -a
		[ "$stderr" = "load-clickhouse: $url: fibersqs_prod.txn_facts is not there, or not ours: load without -a first" ]
		for table in default.trace_spans default.app_logs fibersqs_prod.notes fibersqs_prod.kept fibersqs_prod.txn_facts; do
			sql "$url" "DROP TABLE $table"
		done
		run -0 load_set "$url"
	done
}

# Starts Debian's server for this test alone.
own() {
	PORT=${PORT:-$(free_port)}
	"$OG_ROOT/test/live/clickhouse.sh" start "$PWD/own" "$PORT"
	OWN=http://127.0.0.1:$PORT
}

@test "the server dies in the middle: that is said, and a second run completes, or goes on" {
	own
	mkdir bin
	# Before the rest of the third table comes, the server is killed.
	cat >bin/og-chpush <<-END
		#!/bin/sh
		case "\$*" in
		*network_circuit_metrics*) { head -n 9000; sleep 1.5; "$OG_ROOT/test/live/clickhouse.sh" kill "$PWD/own"; cat; } | "$OG_ROOT/bin/og-chpush" "\$@" ;;
		*) exec "$OG_ROOT/bin/og-chpush" "\$@" ;;
		esac
	END
	chmod +x bin/og-chpush
	PATH=$PWD/bin:$PATH run -1 --separate-stderr load-clickhouse -T 1s -d "$SET" -o out "$OWN"
	[[ $stderr = *"load-clickhouse: $OWN: network_circuit_metrics did not come to its end; load again, or go on with -a"* ]]
	[ ! -e out/postload_validation.json ]
	run -1 --separate-stderr load-clickhouse -d "$SET" -o out "$OWN"
	[[ $stderr = "load-clickhouse: $OWN/ping: no answer: "* ]]
	own
	[ "$(sql "$OWN" 'SELECT count() FROM fibersqs_prod.network_circuit_metrics')" -lt 20160 ]
	cp -r "$SET" packed
	gzip packed/data/*_*.csv
	run -0 --separate-stderr load-clickhouse -d packed -g "$SET/ground_truth.json" -o out "$OWN"
	holds_the_set "$OWN"
	# Killed between two tables; what is there is not loaded again.
	sed -i 's/head.*sleep 1.5; //' bin/og-chpush
	PATH=$PWD/bin:$PATH run -1 --separate-stderr load-clickhouse -T 1s -d "$SET" -o out "$OWN"
	own
	rm out/load-clickhouse/network_circuit_metrics.*
	run -0 --separate-stderr load-clickhouse -a -d "$SET" -g "$SET/ground_truth.json" -o out "$OWN"
	holds_the_set "$OWN"
}

@test "addresses that are wrong" {
	port=$(free_port)
	run -1 --separate-stderr load-clickhouse -d "$SET" -o out "http://127.0.0.1:$port"
	[[ ${stderr_lines[0]} = "load-clickhouse: http://127.0.0.1:$port/ping: no answer: "*onnect* ]]
	mkdir www
	(cd www && exec python3 -m http.server --bind 127.0.0.1 "$port") >log 2>&1 3>&- &
	server=$!
	until curl -s -o page "http://127.0.0.1:$port/"; do
		kill -0 "$server"
		sleep 0.05
	done
	run -1 --separate-stderr load-clickhouse -d "$SET" -o out "http://127.0.0.1:$port"
	kill "$server"
	[[ $stderr = "load-clickhouse: http://127.0.0.1:$port/ping: no ClickHouse: status 404, "* ]]
	[ ! -e out ]
	for url in ftp://127.0.0.1 127.0.0.1:8123 http:// 'http://a b' 'http://a"b' http://me:secret@127.0.0.1:1; do
		run -2 --separate-stderr load-clickhouse -d "$SET" -o out "$url"
		[[ $stderr != *secret* ]]
		[[ $stderr = *"usage: load-clickhouse "* ]]
	done
	# No URL; then that of the environment, of which only the address is used.
	run -2 --separate-stderr load-clickhouse -d "$SET"
	cp -r "$BATS_FILE_TMPDIR/out.${NEW##*:}" out
	CLICKHOUSE_URL="$NEW//?database=nosuch&password=secret" run -0 --separate-stderr load-clickhouse -a -d "$SET" -o out
	[ "$(said)" = "load-clickhouse: what stands behind ? in the URL is left out" ]
}

@test "a password stands in no argument and no file that stays" {
	CLICKHOUSE_USER=writer CLICKHOUSE_PASSWORD=falsch run -1 --separate-stderr load-clickhouse -d "$SET" -o out "$OLD"
	[[ $stderr = "load-clickhouse: $OLD: "*"ode: 193"* ]]
	[[ $stderr != *falsch* ]]
	# All that is run with arguments.
	mkdir bin
	for program in curl og-chpush jq awk sed; do
		printf '#!/bin/sh\nprintf "%%s\\n" %s "$@" >>"%s"\nexec "%s" "$@"\n' "$program" "$PWD/seen" "$(command -v "$program")" >"bin/$program"
	done
	chmod +x bin/*
	printf 'writer:geheim:1\n' >secret
	CLICKHOUSE_USER=writer CLICKHOUSE_PASSWORD=geheim:1 PATH=$PWD/bin:$PATH run -0 load-clickhouse -v -d "$SET" -o out "$OLD"
	[ "$(grep -c '^og-chpush$' seen)" -eq 8 ]
	run -1 grep -F geheim seen - <<<"$output"
	PATH=$PWD/bin:$PATH run -0 load-clickhouse -v -a -P secret -d "$SET" -o out "$OLD"
	[ "$(grep -c '^og-chpush$' seen)" -eq 16 ]
	run -1 grep -F geheim seen - <<<"$output"
	run -1 grep -rF geheim out
	# Quotes and backslashes are part of a password.
	CLICKHOUSE_USER=writer CLICKHOUSE_PASSWORD='a"b\c' run -1 --separate-stderr load-clickhouse -d "$SET" -o out "$OLD"
	[[ $stderr = "load-clickhouse: $OLD: "*"ode: 193"* ]]
}

@test "rows that the server refuses are kept apart, and the load fails" {
	own
	mkdir bad
	cp -r "$SET/data" bad
	sed -i '100s/,CKT-CEN-EAS-003,[0-9.]*,/,CKT-CEN-EAS-003,slow,/' bad/data/clickhouse-network_circuit_metrics.csv
	run -1 --separate-stderr load-clickhouse -d bad "$OWN"
	[[ $stderr = *"network_circuit_metrics: some rows were refused: bad/load-clickhouse/network_circuit_metrics.refused"* ]]
	[[ $stderr = *"fibersqs_prod.network_circuit_metrics has 20159 rows, its file 20160"* ]]
	cut -f 4- bad/load-clickhouse/network_circuit_metrics.refused | cmp - <(sed -n 100p bad/data/clickhouse-network_circuit_metrics.csv)
	[ "$(jq -c .row_counts.network_circuit_metrics bad/postload_validation.json)" = '{"file":20160,"table":20159}' ]
}

@test "a truth that does not fit is named" {
	cp -r "$BATS_FILE_TMPDIR/out.${NEW##*:}" out
	jq '.tso_noise.noise_counts |= (.clean += 2 | .fabricated -= 1) | .primary_incident.dst_region = "west"' "$SET/ground_truth.json" >truth
	run -1 --separate-stderr load-clickhouse -a -d "$SET" -g truth -o out "$NEW"
	want=$(jq -r --arg url "$NEW" '.tso_noise.noise_counts | "load-clickhouse: \($url): calls whose link is right: \(.clean), and the truth says " +
		"\(.clean + 2)\nload-clickhouse: \($url): calls whose link is of no transaction: \(.fabricated), and the truth says \(.fabricated - 1)"' \
		"$SET/ground_truth.json")
	[ "$(said)" = "$want" ]
	jq -e '.top_central_to_east_circuit_uplift == []' out/postload_validation.json
}

@test "every check finds what it is for" {
	for url in "$OLD" "$NEW"; do
		p=fibersqs_prod
		# Everything at once twice, with what it takes to break the rest.
		for table in trace_spans network_circuit_metrics infra_host_metrics tso_calls service_metrics network_events txn_facts; do
			sql "$url" "INSERT INTO $p.$table SELECT * FROM $p.$table LIMIT 1"
		done
		sql "$url" "INSERT INTO $p.app_logs SELECT * FROM $p.app_logs WHERE event = 'completed' LIMIT 1"
		sql "$url" "INSERT INTO $p.app_logs (timestamp, transaction_id, trace_id, span_id, host, event, end_to_end_latency_ms)
			VALUES ('2025-12-09T00:00:02.000000Z', 'TX-1', 'tr1', 'sp1', 'nohost', 'completed', '5'),
			('2025-12-09T00:00:03.000000Z', 'TX-1', 'tr1', 'sp1', 'nohost', 'queued', '')"
		sql "$url" "INSERT INTO $p.tso_calls (call_id, timestamp) VALUES ('TSO-1', '2025-12-09T00:00:00Z')"
		sql "$url" "INSERT INTO $p.service_metrics (timestamp, region, request_rate) VALUES ('2025-12-03T00:00:00Z', 'west', 10000)"
		# In every sixteenth trace, and in others that do not count: a child that outlasts its parent, and one whose parent is not there.
		sql "$url" "INSERT INTO $p.trace_spans (timestamp, trace_id, span_id, parent_span_id, duration_ms, circuit_id)
			SELECT '2025-12-03T00:00:00.000000Z', concat('t', toString(number)), concat('a', toString(number)), '', 10, 'nocircuit'
			FROM numbers(200)"
		sql "$url" "INSERT INTO $p.trace_spans (timestamp, trace_id, span_id, parent_span_id, duration_ms)
			SELECT '2025-12-03T00:00:00.000000Z', concat('t', toString(number)), concat('b', toString(number)), concat('a', toString(number)), 10.02
			FROM numbers(200)"
		sql "$url" "INSERT INTO $p.trace_spans (timestamp, trace_id, span_id, parent_span_id, duration_ms)
			VALUES ('2025-12-03T00:00:00.000000Z', 'orphan', 'orphan', 'nowhere', 1)"
		run -1 load_set "$url" -a
		[ "$(jq -c '.checks | to_entries | map(select(.value == 0) | .key)' "$(report "$url")")" = '[]' ]
		[ "$(jq '.checks | length' "$(report "$url")")" -eq "$(grep -c ';$' "$SQL/validate.sql")" ]
	done
	diff <(jq .checks "$(report "$OLD")") <(jq .checks "$(report "$NEW")")
	# An old server cannot know without the journal what it holds, and then it is told.
	rm -r "$BATS_FILE_TMPDIR/out.${OLD##*:}/load-clickhouse"
	run -1 --separate-stderr load_set "$OLD" -a
	[[ $stderr = *"facts_twice: 4001"* ]]
}

@test "a dataset of our own making: nothing is wrong with it, and it is what its truth says" {
	og-dataset -c fibersqs -t -r 100000 -o week
	for url in "$OLD" "$NEW"; do
		out=out.${url##*:}
		run -0 --separate-stderr load-clickhouse -d week -g week/instructors/ground_truth.json -o "$out" "$url"
		[ -z "$output$stderr" ]
		jq -e --slurpfile truth week/instructors/ground_truth.json '
		(.row_counts | map_values(select(.file > 0) | .table)) == $truth[0].generation.row_counts
			and .tso_tp_count == $truth[0].tso_noise.noise_counts.clean and .tso_tp_count > 100
			and .view_creation.actual_counts == { region_views: 5, daily_views: 35 }
			and (.incident_p95_multiplier | map(select(.p95_multiplier > 2) | .region)) == ["central"]
			and .top_central_to_east_circuit_uplift[0].circuit_id == $truth[0].primary_incident.circuit_id
			and .fix_verification[0].p95_latency_ms > 2 * .fix_verification[1].p95_latency_ms' "$out/postload_validation.json"
		# Round trips explain what calls over the circuit took, also within the bad minutes alone.
		split_sql "$SQL/queries.sql" "$out/queries"
		sql "$url" "$(grep -h -v '^--' "$(grep -l correlation_bad "$out"/queries/??)" | sed 's/;$//')" >said
		awk '{ exit !($1 > 0.8 && $3 > 0.8 && $4 > 50) }' said
	done
	diff <(jq 'del(.server_version)' "out.${OLD##*:}/postload_validation.json") <(jq 'del(.server_version)' "out.${NEW##*:}/postload_validation.json")
}
