#!/usr/bin/env bats
# The exercise is one: no signal alone names what went wrong, all of them together do.
# shellcheck disable=SC2030,SC2031 # tests are subshells; output and status come from run

bats_require_minimum_version 1.5.0
load ../common

# data LEVEL SEED: the tables into the folder, with names without what is before them.
data() {
	og-entities -c fibersqs -s "$2" -n 60000 | og-incidents -S "$1" >world
	og-events -w world -l keys | og-spans -w world -l trace_spans -f csv >spans
	og-series -w world -l network_circuit_metrics -f csv >circuits
	og-series -w world -l infra_host_metrics -f csv >hosts
	circuit=$(jq -r 'select(.kind == "incident" and .role == "cause") | [.effects[].targets[] | select(startswith("CKT-"))] | unique[0]' world)
	cause=$(jq -r 'select(.kind == "incident" and .role == "cause") | .id' world)
	[[ "$circuit" == CKT-* && -n "$cause" ]]
}

# Whose latency of an hour is highest against that of its week: "REGION SERVICE HOUR".
loudest() {
	awk -F, 'NR > 1 {
		who = $6 " " $7
		n[who, substr($1, 1, 13)]++; sum[who, substr($1, 1, 13)] += $9
		all[who]++; total[who] += $9
	}
	END {
		for (k in n) {
			split(k, p, SUBSEP)
			ratio = sum[k] / n[k] / (total[p[1]] / all[p[1]])
			if (n[k] >= 20 && ratio > most) { most = ratio; name = p[1] " " p[2] }
		}
		print name
	}' spans
}

# The change before the end of that hour: which line of the world it is.
latest_change() {
	jq -r --arg until "$1:59:59Z" 'select(.kind == "incident" and (.type | test("deployment|maintenance|reroute")) and .start <= $until) | .start + " " + .id' world |
		sort | tail -n 1 | cut -d' ' -f2
}

# Whose processors were busiest for an hour.
busiest() {
	awk -F, 'NR > 1 { k = $2 " " substr($1, 1, 13); n[k]++; sum[k] += $4 }
	END { for (k in n) if (sum[k] / n[k] > most) { most = sum[k] / n[k]; name = k } print name }' hosts
}

# All of it: for each circuit, and for the processors and the errors of each region, what those who met it at its bad moments lost against their
# median. The greatest loss comes first.
together() {
	awk -F, '
	# Values by size, in steps; the middle one of them.
	function note(who, value, step) { count[who, int(value / step)]++; all[who]++ }
	function median(who, step, b, sum) {
		for (b = 0; sum < all[who] / 2; b++)
			sum += count[who, b]
		return b * step
	}
	function slot(time) { return substr(time, 1, 15) int(substr(time, 16, 1) / 5) }
	FNR == 1 { next }
	FILENAME == "circuits" { rtt[$4, substr($1, 1, 16)] = $5; note("rtt " $4, $5, 0.1); next }
	FILENAME == "hosts" { k = $2 SUBSEP slot($1); hosts[k]++; cpu[k] += $4; errors[k] += $7; note("errors " $2, $7, 0.001); next }
	$11 != "" { m++; over[m] = $11; minute[m] = substr($1, 1, 16); ms[m] = $9; note($11, $9, 1) }
	$4 == "" { r++; region[r] = $6; at[r] = slot($1); took[r] = $9; note($6, $9, 1) }
	END {
		for (i = 1; i <= m; i++) {
			c = over[i]
			if (!(c in base)) { base[c] = median("rtt " c, 0.1); usual[c] = median(c, 1) }
			if (rtt[c, minute[i]] > 2 * base[c])
				loss[c] += ms[i] - usual[c]
		}
		for (i = 1; i <= r; i++) {
			g = region[i]
			k = g SUBSEP at[i]
			if (!(g in usual)) { usual[g] = median(g, 1); quiet[g] = median("errors " g, 0.001) }
			if (hosts[k] && cpu[k] / hosts[k] > 65)
				loss["processors of " g] += took[i] - usual[g]
			if (hosts[k] && errors[k] / hosts[k] > 2.5 * quiet[g])
				loss["errors of " g] += took[i] - usual[g]
		}
		for (c in loss)
			printf "%.0f %s\n", loss[c], c
	}' circuits hosts spans | sort -rn
}

@test "no signal alone names the cause, all of them together do: medium and hard, several seeds" {
	local level seed loud busy change

	cd "$BATS_TEST_TMPDIR" || return 1
	for level in medium hard; do
		for seed in 7 8 9; do
			data "$level" "$seed"
			loud=$(loudest)
			busy=$(busiest)
			change=$(latest_change "${busy##* }")
			together >losses
			echo "$level $seed: loudest $loud, busiest $busy, change $change; together: $(head -n 3 losses | paste -sd';')"
			# The calls over the circuit are those of the inventory; who is loudest is somebody else.
			[[ -n "$loud" && "$loud" != *" inventory-client "* ]]
			# Processors have nothing to do with it: they were busiest while another thing was wrong.
			[ "$(jq -r --arg t "${busy##* }" 'select(.role? == "confounder" and .component == "infra" and .start[:13] <= $t and .end[:13] >= $t) | .id' world | wc -l)" -eq 1 ]
			[[ -n "$change" && "$change" != "$cause" ]]
			[ "$(head -n 1 losses | cut -d' ' -f2)" = "$circuit" ]
			# And clearly so.
			awk 'NR == 1 { most = $1 } NR == 2 { exit !(most > 1.2 * $1) }' losses
		done
	done
}

# tables FOLDER [SEED]: all of them, as og-check wants them, of the world in the folder.
tables() {
	local world=$1/world.ndjson of=$1/data/clickhouse

	mkdir -p "$1/data"
	og-events -w "$world" -l keys >smallest
	og-logs -w "$world" -l app_logs -f csv <smallest >"$of-app_logs.csv"
	og-spans -w "$world" -l trace_spans -f csv <smallest >"$of-trace_spans.csv"
	og-tickets -w "$world" -l tso_calls -f csv <smallest >"$of-tso_calls.csv"
	og-tickets -w "$world" -l tso_truth -f csv <smallest >"$1/tso_truth.csv"
	og-events -w "$world" -l txn_facts >facts
	og-events -w "$world" -l txn_facts -f csv >"$of-txn_facts.csv"
	og-metrics -c fibersqs -i 1m -l service_metrics -f csv <facts >"$of-service_metrics.csv"
	og-events -w "$world" -l labels -f csv >"$1/labels.csv"
	og-series -w "$world" -l network_circuit_metrics -f csv >"$of-network_circuit_metrics.csv"
	og-series -w "$world" -l infra_host_metrics -f csv >"$of-infra_host_metrics.csv"
	og-alarms -w "$world" -l network_events -f csv >"$of-network_events.csv"
	for table in app_logs trace_spans network_circuit_metrics infra_host_metrics tso_calls txn_facts service_metrics network_events; do
		echo "$table $(($(wc -l <"$of-$table.csv") - 1))"
	done | jq -nR '{generation: {row_counts: [inputs / " " | {(.[0]): (.[1] | tonumber)}] | add}}' >rows
	awk -F, '{ n[$4]++ } END {
		printf "{\"tso_noise\":{\"noise_counts\":{\"missing\":%d,\"fabricated\":%d,\"wrong_customer\":%d}}}\n", n["missing"], n["fabricated"], n["wrong_customer"]
	}' "$1/tso_truth.csv" | jq -s 'add' - rows >"$1/ground_truth.json"
}

# level LEVEL FOLDER REQUESTS SEED [-b BEGIN -e END] [OPTION...]: the tables of a world at this level; options are those of og-incidents.
level() {
	local level=$1 folder=$2 requests=$3 seed=$4 span=()

	shift 4
	if [ "${1-}" = -b ]; then
		span=("${@:1:4}")
		shift 4
	fi
	mkdir -p "$folder"
	og-entities -c fibersqs -n "$requests" -s "$seed" "${span[@]}" | sed "1s/\"level\":\"[^\"]*\"/\"level\":\"$level\"/" |
		og-incidents "$@" >"$folder/world.ndjson"
	tables "$folder"
}

# A fix of the first circuit in the middle of its incident, for two days: the one of the catalog comes after it.
fix_early() {
	jq -c 'select(.role? == "fix") | .id = "EVT-000001" | .start = "2025-12-04T00:00:11Z" | .end = "2025-12-04T12:00:00Z"' "$1/world.ndjson" >early
	[ -s early ]
	cat early >>"$1/world.ndjson"
	tables "$1"
}

sound() {
	og-check "$1" >verdict || { jq -c '.checks[] | select(.ok | not)' verdict; return 1; }
}

# Two circuits that are sick at once, and one before them: CIRCUITS has them with the specifications of the second and the third.
east=component=network,links=CKT-CEN-WES-002,start=2025-12-04T06:00:00Z,duration=14h
west=component=network,links=CKT-WES-CEN-018,start=2025-12-01T05:00:00Z,duration=30h

@test "og-check finds worlds with two and three causes sound, together and one after the other, at every level" {
	local level seed=$((${OG_SEED:-$RANDOM} * 10))

	cd "$BATS_TEST_TMPDIR" || return 1
	echo "OG_SEED=$((seed / 10)) repeats it"
	for level in easy medium hard; do
		seed=$((seed + 1))
		level "$level" two 60000 "$seed" -a "$east"
		sound two
		[ "$(jq '.checks[] | select(.name == "rtt_ratio") | .groups | length' verdict)" -eq 2 ]
		level "$level" three 60000 "$seed" -a "$east" -a "$west"
		sound three
		[ "$(jq '.checks[] | select(.name == "rtt_ratio") | .groups | length' verdict)" -eq 3 ]
		level "$level" weak 30000 "$seed" -N -a "$east,rtt_ms=2..3" -a "$west,loss_pct=20..60"
		sound weak
		[ "$(jq '.checks[] | select(.name == "rtt_ratio") | .groups | length' verdict)" -eq 2 ]
		fix_early two
		sound two
	done
}

@test "og-check finds the exercise sound at every level" {
	local level

	cd "$BATS_TEST_TMPDIR" || return 1
	for level in easy medium hard; do
		level "$level" "$level" 60000 7
		sound "$level"
		jq -e '.checks[] | select(.name == "rtt_felt") | .value > 0.8' verdict
		[ "$(jq '[.checks[] | select(has("unknown"))] | length' verdict)" -lt 16 ]
	done
}

# planted FOLDER: lines of standard input are the checks that must break, first what it is about, a table, and what does it; awk as $A. Only the
# others named may break, too, and all these must.
planted() {
	local names table command found bad=0

	export A='awk -F, -v OFS=,'
	while IFS=$'\t' read -r names table command; do
		rm -rf other
		cp -rs "$PWD/$1" other
		rm "other/$table"
		bash -c "$command" <"$1/$table" >"other/$table"
		! cmp -s "$1/$table" "other/$table" || { echo "nothing planted: $command"; bad=1; }
		run og-check other
		found=$(jq -r '[.checks[] | select(.ok | not) | .name] | sort | join(" ")' <<<"$output")
		if [ "$status" -ne 1 ] || [ "$found" != "$(xargs -n1 <<<"$names" | sort | paste -sd' ')" ]; then
			echo "$names: $command: exit $status, found $found"
			bad=1
		fi
		echo "${names%% *}" >>met
	done
	return "$bad"
}

@test "og-check finds what is wrong with the exercise, by each of its rules" {
	cd "$BATS_TEST_TMPDIR" || return 1
	level easy good 60000 7
	planted good <<'PLANTS'
tso_calls_counted	data/clickhouse-tso_calls.csv	sed '$d'
call_truth	data/clickhouse-tso_calls.csv	$A 'NR == 20 { $1 = "TSO-1" } 1'
noise_missing call_truth	data/clickhouse-tso_calls.csv	$A 'NR > 1 && $8 != "" && !done { $8 = ""; done = 1 } 1'
noise_fabricated call_truth noise_wrong	data/clickhouse-tso_calls.csv	$A 'NR > 1 && $8 != "" && !done { $8 = "TX-1"; done = 1 } 1'
noise_wrong	data/clickhouse-tso_calls.csv	$A 'NR == 20 { $3 = "CUST-1" } 1'
call_links call_customers call_truth noise_fabricated noise_missing noise_wrong	data/clickhouse-tso_calls.csv	$A 'NR > 1 && NR % 20 == 0 { $8 = "TX-1" } 1'
log_retries log_facts log_hosts	data/clickhouse-app_logs.csv	$A '$4 == "worker-retry" && !done { $2 = $2 == "east" ? "west" : "east"; done = 1 } 1'
call_customers noise_wrong	data/clickhouse-tso_calls.csv	$A 'NR > 1 && NR % 5 == 0 { $3 = "CUST-1" } 1'
calls_without_link call_truth noise_fabricated noise_missing noise_wrong	data/clickhouse-tso_calls.csv	$A 'NR > 1 && NR % 4 == 0 { $8 = "" } 1'
calls_clean call_truth	tso_truth.csv	$A '$4 == "clean" && !done { $3 = "TX-1"; done = 1 } 1'
calls_dirty call_truth	tso_truth.csv	$A '$4 == "wrong_customer" && !done { $3 = $2; done = 1 } 1'
calls_missing call_truth	tso_truth.csv	$A '$4 == "missing" && !done { $3 = "TX-1"; done = 1 } 1'
calls_named calls_clean call_truth	tso_truth.csv	$A '$4 == "clean" && !done { $3 = ""; done = 1 } 1'
calls_fabricated call_truth	tso_truth.csv	$A '$4 == "clean" && !id { id = $3 } $4 == "fabricated" && !done { $3 = id; done = 1 } 1'
calls_wrong call_truth	tso_truth.csv	$A '$4 == "wrong_customer" && !done { $3 = "TX-1"; done = 1 } 1'
calls_later	data/clickhouse-tso_calls.csv	$A 'NR > 20 && $8 != "" && !done { $2 = "2025-12-01T00:00:00Z"; done = 1 } 1'
calls_follow	tso_truth.csv	$A 'NR == 20 { $5 = 1 } 1'
baseline_p50 fact_roots	data/clickhouse-txn_facts.csv	$A 'NR > 1 { $9 *= 2 } 1'
tail fact_roots	data/clickhouse-txn_facts.csv	$A 'NR > 1 && $9 > 600 { $9 = 600 } 1'
day calls_later fact_roots	data/clickhouse-txn_facts.csv	$A 'NR > 1 { sub(/T../, sprintf("T%02d", NR % 24), $5) } 1'
dependency_ratio call_latency rtt_felt	data/clickhouse-trace_spans.csv	$A '$7 == "inventory-client" && $9 > 400 { $9 = 400 } 1'
timeout_ratio completed_status	data/clickhouse-app_logs.csv	$A '$12 == "timeout" && $19 == "CKT-CEN-EAS-003" && $1 > "2025-12-03T12" { $12 = "completed"; $6 = "INFO" } 1'
rtt_ratio rtt_felt	data/clickhouse-network_circuit_metrics.csv	$A '$4 == "CKT-CEN-EAS-003" { $5 = 18 + int(NR / 21) % 7 } 1'
rtt_felt	data/clickhouse-network_circuit_metrics.csv	$A '$4 == "CKT-CEN-EAS-003" && $5 > 60 { $5 = 108 + NR * 7919 % 144 } 1'
other_flows log_latency	data/clickhouse-app_logs.csv	$A '$19 == "" && $1 > "2025-12-03T12" && $1 < "2025-12-05T19" { $16 *= 1.5 } 1'
after_fix log_latency	data/clickhouse-app_logs.csv	$A '$19 == "CKT-CEN-EAS-005" && $16 != "" && $1 > "2025-12-05T19" { $16 *= 1.8 } 1'
rerouted	data/clickhouse-trace_spans.csv	$A '$1 > "2025-12-06" && $11 == "CKT-CEN-EAS-005" && n++ < 20 { $11 = "CKT-CEN-EAS-003" } 1'
cpu_of_confounder	data/clickhouse-infra_host_metrics.csv	$A '$1 < "2025-12-03" && $4 > 60 { $4 = 40 } 1'
network_during_cpu	data/clickhouse-network_circuit_metrics.csv	$A '$1 > "2025-12-02T09:30" && $1 < "2025-12-02T11:00" { $5 *= 1.5 } 1'
cpu_during_incident	data/clickhouse-infra_host_metrics.csv	$A '$1 > "2025-12-03T14" && $1 < "2025-12-03T15" && $4 < 50 { $4 *= 2 } 1'
errors_of_confounder	data/clickhouse-infra_host_metrics.csv	$A 'NR > 1 && $7 > 0.05 { $7 = 0.05 } 1'
slow_by_confounder log_latency	data/clickhouse-app_logs.csv	$A '$2 == "central" && $16 != "" && $1 > "2025-12-02T09:30" && $1 < "2025-12-02T11:01" { $16 *= 0.3 } 1'
escalated_elsewhere	data/clickhouse-tso_calls.csv	$A '$2 < "2025-12-03T12" || $2 > "2025-12-05T19" { $10 = "false" } 1'
PLANTS
	# What shows in single rows needs no week of them.
	level easy brief 12000 7 -b 2025-12-03 -e 2025-12-05
	planted brief <<'PLANTS'
app_logs_rows app_logs_counted call_customers call_links call_logs fact_logs noise_fabricated noise_wrong trace_logs	data/clickhouse-app_logs.csv	head -n 1
trace_spans_rows fact_roots log_latency log_spans trace_spans_counted	data/clickhouse-trace_spans.csv	head -n 1
circuit_rows circuits_counted event_circuits log_circuits span_circuits	data/clickhouse-network_circuit_metrics.csv	head -n 1
host_rows hosts_counted log_hosts	data/clickhouse-infra_host_metrics.csv	head -n 1
app_logs_counted lines_received log_order	data/clickhouse-app_logs.csv	sed '1001p'
trace_spans_counted log_spans	data/clickhouse-trace_spans.csv	sed '$d'
circuits_counted	data/clickhouse-network_circuit_metrics.csv	sed '$d'
hosts_counted	data/clickhouse-infra_host_metrics.csv	sed '$d'
facts_counted labels_once lines_ended lines_orchestrated lines_queued lines_received log_facts	data/clickhouse-txn_facts.csv	sed '$d'
aggregates_counted	data/clickhouse-service_metrics.csv	sed '$d'
events_counted	data/clickhouse-network_events.csv	sed '$d'
span_ids log_spans spans_inside	data/clickhouse-trace_spans.csv	$A 'NR == 2 { id = $3 } NR == 9 { $3 = id } 1'
transactions_end_once completed_status lines_ended log_latency	data/clickhouse-app_logs.csv	$A '$12 == "worker_progress" && !done { $12 = "completed"; $16 = 300; done = 1 } 1'
call_ids call_truth	data/clickhouse-tso_calls.csv	$A 'NR == 2 { id = $1 } NR == 9 { $1 = id } 1'
circuit_minutes	data/clickhouse-network_circuit_metrics.csv	$A 'NR == 99 { held = $0 } NR == 120 { $0 = held } 1'
host_minutes	data/clickhouse-infra_host_metrics.csv	$A 'NR == 99 { held = $0 } NR == 120 { $0 = held } 1'
aggregate_keys	data/clickhouse-service_metrics.csv	$A 'NR == 99 { held = $0 } NR == 120 { $0 = held } 1'
event_ids	data/clickhouse-network_events.csv	$A 'NR == 2 { id = $1 } NR == 3 { $1 = id } 1'
fact_keys fact_logs fact_roots log_facts	data/clickhouse-txn_facts.csv	$A 'NR == 2 { id = $1 } NR == 3 { $1 = id } 1'
log_spans	data/clickhouse-app_logs.csv	$A 'NR == 44 { $9 = "sp000000000000" } 1'
log_spans	data/clickhouse-app_logs.csv	$A '$12 == "orchestrated" && !done { $4 = "worker"; done = 1 } 1'
log_latency	data/clickhouse-app_logs.csv	$A '$12 == "completed" && !done { $16 = 1.25; done = 1 } 1'
trace_logs log_spans spans_inside	data/clickhouse-trace_spans.csv	$A 'NR > 44 && $7 == "worker" && !done { done = 1; $2 = "tr000000000000" } 1'
log_hosts	data/clickhouse-infra_host_metrics.csv	sed 's/-host0/-infra0/'
span_circuits	data/clickhouse-trace_spans.csv	sed 's/CKT-WES-SOU-021/CKT-WES-SOU-022/'
log_circuits	data/clickhouse-app_logs.csv	sed 's/CKT-WES-SOU-021/CKT-WES-SOU-022/'
event_circuits	data/clickhouse-network_events.csv	sed '2s/CKT-[A-Z]*-[A-Z]*-/CKT-MOO-MOO-/'
fact_logs log_facts	data/clickhouse-txn_facts.csv	$A 'NR == 9 { $2 = "CUST-1" } 1'
log_facts	data/clickhouse-app_logs.csv	$A 'NR == 44 { $10 = "CUST-1" } 1'
aggregate_requests	data/clickhouse-service_metrics.csv	$A 'NR % 50 == 0 { $4 *= 2 } 1'
log_labels	labels.csv	sed 44d
logs_begin skew	data/clickhouse-app_logs.csv	sed '2s/2025-12-03/2025-12-02/'
logs_end log_order skew	data/clickhouse-app_logs.csv	$A '$12 == "received" { last = NR } { a[NR] = $0 } END { sub(/2025-12-04/, "2025-12-05", a[last]); for (i = 1; i <= NR; i++) print a[i] }'
spans_begin fact_roots skew spans_inside	data/clickhouse-trace_spans.csv	sed '2s/2025-12-03/2025-12-02/'
circuits_begin circuits_counted	data/clickhouse-network_circuit_metrics.csv	sed 2,22d
log_order	data/clickhouse-app_logs.csv	awk 'NR == 300 { held = $0; next } 1; NR == 301 { print held }'
spans_inside	data/clickhouse-trace_spans.csv	$A 'NR > 100 && $4 != "" && !done { $9 = 60000; done = 1 } 1'
level_timeout	data/clickhouse-app_logs.csv	$A '$12 == "timeout" && !done { $6 = "WARN"; done = 1 } 1'
level_retry	data/clickhouse-app_logs.csv	$A '$12 == "retry" && !done { $6 = "INFO"; done = 1 } 1'
level_else	data/clickhouse-app_logs.csv	$A '$12 == "dependency_call" && !done { $6 = "WARN"; done = 1 } 1'
skew log_order	data/clickhouse-app_logs.csv	$A '$12 == "received" && NR > 500 && !done { sub(/T..:/, "T23:", $1); done = 1 } 1'
lines_queued lines_received log_order	data/clickhouse-app_logs.csv	$A 'NR > 900 && $12 == "queued" && !gone { gone = 1; next } 1; NR == 1001'
lines_received app_logs_counted	data/clickhouse-app_logs.csv	$A 'NR > 900 && $12 == "received" && !gone { gone = 1; next } 1'
lines_orchestrated app_logs_counted	data/clickhouse-app_logs.csv	$A 'NR > 900 && $12 == "orchestrated" && !gone { gone = 1; next } 1'
lines_ended app_logs_counted	data/clickhouse-app_logs.csv	$A 'NR > 900 && $12 == "completed" && !gone { gone = 1; next } 1'
log_facts	data/clickhouse-app_logs.csv	$A 'NR == 44 { $11 = "zz" } 1'
clusters	data/clickhouse-app_logs.csv	$A 'NR == 44 { $3 = "zz" } 1'
log_hosts log_facts log_spans	data/clickhouse-app_logs.csv	$A 'NR == 44 { $2 = "zz" } 1'
log_spans	data/clickhouse-app_logs.csv	$A 'NR == 44 { $4 = "zz" } 1'
log_spans	data/clickhouse-app_logs.csv	$A '$4 == "api" { id = $9; of = $7 } $4 == "worker" && $7 == of && !done { $9 = id; done = 1 } 1'
timeout_status	data/clickhouse-app_logs.csv	$A '$12 == "timeout" && !done { $17 = 200; done = 1 } 1'
completed_status	data/clickhouse-app_logs.csv	$A '$12 == "completed" && !done { $17 = 504; done = 1 } 1'
call_latency	data/clickhouse-app_logs.csv	$A '$12 == "dependency_call" { $15 *= 1.1 } 1'
lines_of_calls app_logs_counted call_logs	data/clickhouse-app_logs.csv	$A '$12 == "dependency_call" && !done { done = 1; next } 1'
call_logs	data/clickhouse-trace_spans.csv	$A '$7 == "inventory-client" && !done { $5 = "TX-1"; done = 1 } 1'
fact_roots log_latency	data/clickhouse-trace_spans.csv	$A '$4 == "" && !done { $9 *= 2; done = 1 } 1'
failed_roots	data/clickhouse-trace_spans.csv	$A '$4 == "" && !done { $10 = "error"; done = 1 } 1'
fact_roots log_spans trace_logs	data/clickhouse-trace_spans.csv	$A '$4 == "" && !done { $6 = "zz"; done = 1 } 1'
span_circuits	data/clickhouse-trace_spans.csv	$A '$11 != "" && NR > 1 && !done { $6 = "zz"; done = 1 } 1'
operations_api	data/clickhouse-trace_spans.csv	$A '$7 == "api" && !done { $8 = "zz"; done = 1 } 1'
operations_orchestrator	data/clickhouse-trace_spans.csv	$A '$7 == "orchestrator" && !done { $8 = "zz"; done = 1 } 1'
operations_worker	data/clickhouse-trace_spans.csv	$A '$7 == "worker" && !done { $8 = "zz"; done = 1 } 1'
operations_client	data/clickhouse-trace_spans.csv	$A '$7 == "inventory-client" && !done { $8 = "zz"; done = 1 } 1'
services log_spans operations_client	data/clickhouse-trace_spans.csv	$A '$7 == "worker" && n++ == 9 { $7 = "zz"; done = 1 } 1'
span_status	data/clickhouse-trace_spans.csv	$A '$7 == "worker" && !done { $10 = "zz"; done = 1 } 1'
fact_roots	data/clickhouse-txn_facts.csv	$A 'NR == 9 { $9 *= 3 } 1'
fact_logs log_facts	data/clickhouse-txn_facts.csv	$A 'NR == 9 { $4 = "foo" } 1'
facts_fail failed_roots	data/clickhouse-txn_facts.csv	$A 'NR > 9 && $7 == "true" && !done { $7 = "false"; done = 1 } 1'
facts_succeed failed_roots	data/clickhouse-txn_facts.csv	$A '$7 == "false" && !done { $7 = "true"; done = 1 } 1'
facts_decided facts_fail lines_ended lines_orchestrated lines_queued lines_received	data/clickhouse-txn_facts.csv	$A 'NR == 9 { $7 = "" } 1'
labels_once	labels.csv	sed '44p'
truth_ids	tso_truth.csv	sed '4p'
calls_begin calls_later	data/clickhouse-tso_calls.csv	$A 'NR == 12 { $2 = "2025-12-02T00:00:00Z" } 1'
events_begin	data/clickhouse-network_events.csv	sed '2s/2025-12-../2025-11-01/'
events_end	data/clickhouse-network_events.csv	sed '$s/2025-12-../2025-12-25/'
circuits_end	data/clickhouse-network_circuit_metrics.csv	sed '$s/2025-12-../2025-12-25/'
hosts_begin	data/clickhouse-infra_host_metrics.csv	sed '2s/2025-12-../2025-12-02/'
hosts_end	data/clickhouse-infra_host_metrics.csv	sed '$s/2025-12-../2025-12-25/'
rtt_least	data/clickhouse-network_circuit_metrics.csv	$A 'NR == 99 { $5 = -5 } 1'
rtt_least network_during_cpu	data/clickhouse-network_circuit_metrics.csv	$A 'NR == 99 { $5 = "abc" } 1'
loss_least	data/clickhouse-network_circuit_metrics.csv	$A 'NR == 99 { $6 = -5 } 1'
loss_most	data/clickhouse-network_circuit_metrics.csv	$A 'NR == 99 { $6 = 101 } 1'
retransmits_least	data/clickhouse-network_circuit_metrics.csv	$A 'NR == 99 { $7 = -5 } 1'
throughput_least	data/clickhouse-network_circuit_metrics.csv	$A 'NR == 99 { $8 = -5 } 1'
cpu_least	data/clickhouse-infra_host_metrics.csv	$A 'NR == 99 { $4 = -5 } 1'
cpu_most	data/clickhouse-infra_host_metrics.csv	$A 'NR == 99 { $4 = 150 } 1'
mem_least	data/clickhouse-infra_host_metrics.csv	$A 'NR == 99 { $5 = -5 } 1'
mem_most	data/clickhouse-infra_host_metrics.csv	$A 'NR == 99 { $5 = 150 } 1'
disk_least	data/clickhouse-infra_host_metrics.csv	$A 'NR == 99 { $6 = -5 } 1'
disk_most	data/clickhouse-infra_host_metrics.csv	$A 'NR == 99 { $6 = 150 } 1'
errors_least	data/clickhouse-infra_host_metrics.csv	$A 'NR == 99 { $7 = -5 } 1'
PLANTS
	diff <(sort -u met) <(grep -v '^#' "$OG_ROOT/share/og/fibersqs/checks.tsv" | sed 1d | cut -f1 | sort -u)
}

@test "og-check finds what is wrong with one circuit of three, and with one of two fixes" {
	cd "$BATS_TEST_TMPDIR" || return 1
	level medium three 120000 8 -a component=circuit,role=cause,links=CKT-CEN-WES-002,start=2025-12-03T06:00:00Z,duration=100h,rtt_ms=3..6 \
		-a component=circuit,role=cause,links=CKT-CEN-NOR-001,start=2025-12-01T05:00:00Z,duration=100h,rtt_ms=4..8
	fix_early three
	sound three
	planted three <<'PLANTS'
dependency_ratio call_latency	data/clickhouse-trace_spans.csv	$A '$11 == "CKT-CEN-NOR-001" && $9 > 400 { $9 = 400 } 1'
rtt_ratio	data/clickhouse-network_circuit_metrics.csv	$A '$4 == "CKT-CEN-WES-002" && $5 > 80 { $5 = 44 + NR % 7 } 1'
rtt_ratio	data/clickhouse-network_circuit_metrics.csv	$A '$4 == "CKT-CEN-NOR-001" && $5 > 60 { $5 *= 1.5 } 1'
rtt_felt	data/clickhouse-network_circuit_metrics.csv	$A '$4 == "CKT-CEN-NOR-001" && $5 > 60 { $5 = 110 + NR * 7919 % 90 } 1'
rerouted	data/clickhouse-trace_spans.csv	$A '$1 > "2025-12-04T01" && $1 < "2025-12-04T11" && $11 == "CKT-CEN-EAS-005" && n++ < 20 { $11 = "CKT-CEN-EAS-003" } 1'
PLANTS
}
