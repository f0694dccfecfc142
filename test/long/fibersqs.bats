#!/usr/bin/env bats
# The exercise is one: no signal alone names what went wrong, all of them together do.

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

# tables LEVEL FOLDER REQUESTS: all of them, as og-check wants them.
tables() {
	local of=$2/data/clickhouse

	mkdir -p "$2/data"
	og-entities -c fibersqs -n "$3" | og-incidents -S "$1" >"$2/world.ndjson"
	og-events -w "$2/world.ndjson" -l keys >smallest
	og-logs -w "$2/world.ndjson" -l app_logs -f csv <smallest >"$of-app_logs.csv"
	og-spans -w "$2/world.ndjson" -l trace_spans -f csv <smallest >"$of-trace_spans.csv"
	og-tickets -w "$2/world.ndjson" -l tso_calls -f csv <smallest >"$of-tso_calls.csv"
	og-tickets -w "$2/world.ndjson" -l tso_truth -f csv <smallest >"$2/tso_truth.csv"
	og-events -w "$2/world.ndjson" -l txn_facts -f csv >"$of-txn_facts.csv"
	og-events -w "$2/world.ndjson" -l labels -f csv >"$2/labels.csv"
	og-series -w "$2/world.ndjson" -l network_circuit_metrics -f csv >"$of-network_circuit_metrics.csv"
	og-series -w "$2/world.ndjson" -l infra_host_metrics -f csv >"$of-infra_host_metrics.csv"
	og-alarms -w "$2/world.ndjson" -l network_events -f csv >"$of-network_events.csv"
	awk -F, -v rows="$(($(wc -l <"$of-app_logs.csv") - 1))" '{ n[$4]++ } END {
		printf "{\"generation\":{\"row_counts\":{\"app_logs\":%d}},\"tso_noise\":{\"noise_counts\":", rows
		printf "{\"missing\":%d,\"fabricated\":%d,\"wrong_customer\":%d}}}\n", n["missing"], n["fabricated"], n["wrong_customer"]
	}' "$2/tso_truth.csv" >"$2/ground_truth.json"
}

@test "og-check finds the exercise sound at every level" {
	local level

	cd "$BATS_TEST_TMPDIR" || return 1
	for level in easy medium hard; do
		tables "$level" "$level" 60000
		og-check -S "$level" "$level" >verdict || { jq -c '.checks[] | select(.ok | not)' verdict; return 1; }
		jq -e '.checks[] | select(.name == "rtt_felt") | .value > 0.8' verdict
		[ "$(jq '[.checks[] | select(has("unknown"))] | length' verdict)" -lt 16 ]
	done
}

# What og-check must find in the tables: the check, the table, and what does it.
@test "og-check finds what is wrong with the exercise" {
	local names table command found bad=0

	cd "$BATS_TEST_TMPDIR" || return 1
	tables easy good 30000
	mkdir -p other/data
	while IFS=$'\t' read -r names table command; do
		rm -rf other
		cp -rs "$PWD/good" other
		rm "other/$table"
		bash -c "$command" <"good/$table" >"other/$table"
		! cmp -s "good/$table" "other/$table" || { echo "nothing planted: $command"; bad=1; }
		run og-check other
		found=$(jq -r '[.checks[] | select(.ok | not) | .name] | join(" ")' <<<"$output")
		[ "$status" -eq 1 ] && [ "$found" = "$names" ] || { echo "$names: $command: exit $status, found $found"; bad=1; }
	done <<'PLANTS'
app_logs_counted	data/clickhouse-app_logs.csv	sed '1001p'
span_ids log_spans spans_inside	data/clickhouse-trace_spans.csv	awk -F, -v OFS=, 'NR == 2 { id = $3 } NR == 9 { $3 = id } 1'
call_ids call_truth	data/clickhouse-tso_calls.csv	awk -F, -v OFS=, 'NR == 2 { id = $1 } NR == 9 { $1 = id } 1'
log_hosts	data/clickhouse-infra_host_metrics.csv	sed 's/-host0/-infra0/'
log_order	data/clickhouse-app_logs.csv	awk 'NR == 300 { held = $0; next } 1; NR == 301 { print held }'
level_timeout	data/clickhouse-app_logs.csv	awk -F, -v OFS=, '$12 == "timeout" && !done { $6 = "WARN"; done = 1 } 1'
level_retry	data/clickhouse-app_logs.csv	awk -F, -v OFS=, '$12 == "retry" && !done { $6 = "INFO"; done = 1 } 1'
level_slow	data/clickhouse-app_logs.csv	awk -F, -v OFS=, '$12 == "dependency_call" && !done { $15 = 1700; done = 1 } 1'
level_quick	data/clickhouse-app_logs.csv	awk -F, -v OFS=, '$12 == "dependency_call" && !done { $6 = "WARN"; done = 1 } 1'
log_order skew	data/clickhouse-app_logs.csv	awk -F, -v OFS=, '$12 == "received" && NR > 500 && !done { sub(/T..:/, "T23:", $1); done = 1 } 1'
spans_inside	data/clickhouse-trace_spans.csv	awk -F, -v OFS=, 'NR > 100 && $4 != "" && !done { $9 = 60000; done = 1 } 1'
calls_dirty calls_missing	tso_truth.csv	awk -F, -v OFS=, '$4 == "clean" && !done { $4 = "missing"; done = 1 } 1'
call_truth noise_fabricated noise_wrong	data/clickhouse-tso_calls.csv	awk -F, -v OFS=, 'NR == 20 { $8 = "TX-1" } 1'
logs_end log_order skew	data/clickhouse-app_logs.csv	awk -F, -v OFS=, '$12 == "received" { last = NR } { a[NR] = $0 } END { sub(/2025-12-07/, "2025-12-08", a[last]); for (i = 1; i <= NR; i++) print a[i] }'
rtt_ratio rtt_felt	data/clickhouse-network_circuit_metrics.csv	awk -F, -v OFS=, '$4 == "CKT-CEN-EAS-003" { $5 = 18 + int(NR / 21) % 7 } 1'
rerouted	data/clickhouse-trace_spans.csv	awk -F, -v OFS=, '$1 > "2025-12-06" && $11 == "CKT-CEN-EAS-005" { $11 = "CKT-CEN-EAS-003" } 1'
dependency_ratio rtt_felt	data/clickhouse-trace_spans.csv	awk -F, -v OFS=, '$7 == "inventory-client" && $9 > 400 { $9 = 400 } 1'
cpu_of_confounder	data/clickhouse-infra_host_metrics.csv	awk -F, -v OFS=, '$1 < "2025-12-03" && $4 > 60 { $4 = 40 } 1'
PLANTS
	[ "$bad" -eq 0 ]
}
