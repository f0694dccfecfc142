#!/usr/bin/env bats
# The FiberSQS exercise: medians, tails and hours of its transactions, and the chain from a circuit to those who wait for it. For seeds that nobody
# has chosen where every seed must do; OG_SEED repeats a run.
# shellcheck disable=SC2154 # stderr comes from run

bats_require_minimum_version 1.5.0
load common

setup_file() {
	local k

	cd "$BATS_FILE_TMPDIR" || return 1
	echo "${OG_SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}" >seed
	echo "seed $(cat seed): OG_SEED=$(cat seed) repeats it" >&2
	for k in 1 2 3; do
		og-entities -c fibersqs -n 200000 -s "$(($(cat seed) + k))" | og-events -l txn_facts -f csv | sed 1d >calm.$k
	done
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

# What the calls over the sick circuit met from noon to noon at a level: minute, in a burst or not, ms, how they ended, type; $2: seed.
calls() {
	local slice=(-b 2025-12-03T12:00:00Z -e 2025-12-04T12:00:00Z)

	og-entities -c fibersqs -n 700000 -s "$2" | og-incidents -S "$1" >w
	jq -r 'select(.kind == "incident" and .role == "cause") | .bursts[]' w | tr -d Z | tr / ' ' >bursts
	og-events -w w -l txn_facts -f csv "${slice[@]}" | awk -F, '{ print $1, $4 }' >types
	og-events -w w -l keys "${slice[@]}" | og-spans -w w -l trace_spans -f csv |
		awk -F, 'BEGIN { n = 0 }
		FILENAME == "bursts" { split($0, x, " "); from[n] = x[1]; to[n++] = x[2]; next }
		FILENAME == "types" { split($0, x, " "); type[x[1]] = x[2]; next }
		$8 == "HTTP POST" && $11 == "CKT-CEN-EAS-003" {
			t = substr($1, 1, 26)
			on = 0
			for (i = 0; i < n; i++)
				on += t >= from[i] && t < to[i]
			print substr(t, 1, 16), on, $9, $10, type[$5]
		}' bursts types -
	og-series -w w -l network_circuit_metrics -f csv "${slice[@]}" | awk -F, '$4 == "CKT-CEN-EAS-003" { print substr($1, 1, 16), $5 }' >rtt
}

@test "medians are 420 and 280 ms, the tail of every type is heavy, one in twenty fails" {
	local k

	for k in 1 2 3; do
		sort -t, -k4,4 -k9,9g calm.$k | awk -F, '
		function end(	p50, p99) {
			p50 = ms[int(n / 2)]
			p99 = ms[int(n * .99)]
			want = type ~ /^(provision_fiber_sqs|modify_service_profile)$/ ? 420 : 280
			printf "%s: %d, p50 %g, p99/p50 %.2f, failed %.3f\n", type, n, p50, p99 / p50, failed / n
			bad += p50 < want * .96 || p50 > want * 1.04 || p99 / p50 < 2.5 || p99 / p50 > 6 || failed / n < .044 || failed / n > .056
			types++
		}
		$4 != type { if (n > 0) end(); type = $4; n = failed = 0 }
		{ ms[n++] = $9; failed += $7 == "false" }
		END { end(); exit bad > 0 || types != 7 }'
	done
}

@test "the busiest hour of a weekday has 4 to 5.5 times what the quietest has, weekends less" {
	cat calm.1 calm.2 calm.3 | awk -F, '
	{ day = substr($5, 9, 2) + 0; hour[day < 6 ? substr($5, 12, 2) + 0 : 24]++; days[day]++ }
	END {
		least = most = hour[0]
		for (h = 0; h < 24; h++) { least = hour[h] < least ? hour[h] : least; most = hour[h] > most ? hour[h] : most }
		weekend = (days[6] + days[7]) / 2 / ((days[1] + days[2] + days[3] + days[4] + days[5]) / 5)
		print most / least, weekend
		exit most / least < 4 || most / least > 5.5 || weekend < .8 || weekend > .9
	}'
}

@test "in bursts a call waits as long as its circuit is slow: correlation above 0.8 at every level" {
	local level k=0

	for level in easy medium hard; do
		k=$((k + 1))
		calls "$level" "$(($(cat seed) + k))" >met
		awk -v level="$level" 'NR == FNR { rtt[$1] = $2; next }
		$2 == 1 { x = rtt[$1]; y = $3; n++; sx += x; sy += y; xx += x * x; yy += y * y; xy += x * y; slow += y; next }
		{ m++; usual += $3 }
		END {
			r = (n * xy - sx * sy) / sqrt((n * xx - sx * sx) * (n * yy - sy * sy))
			print level, n, m, r, slow / n / (usual / m)
			exit n < 800 || r < .8 || slow / n / (usual / m) < 2
		}' rtt met
	done
}

@test "everything that uses the circuit suffers alike, and nothing uses it after the reroute" {
	calls easy "$(cat seed)" >met
	# Of the types that always call east, and of those that happen to.
	awk '{ k = $5 ~ /^(provision_fiber_sqs|modify_service_profile)$/; n[k, $2]++; sum[k, $2] += $3 }
	END {
		a = sum[1, 1] / n[1, 1] / (sum[1, 0] / n[1, 0])
		b = sum[0, 1] / n[0, 1] / (sum[0, 0] / n[0, 0])
		print n[1, 1], n[0, 1], a, b
		exit n[0, 1] < 30 || a < 4 || b / a < .8 || b / a > 1.25
	}' met
	og-events -w w -l keys -b 2025-12-05T18:15:36Z | og-spans -w w -l trace_spans -f csv | awk -F, '
	$11 == "CKT-CEN-EAS-003" && $1 >= "2025-12-05T18:15:40" { sick++ }
	$11 == "CKT-CEN-EAS-005" { other++ }
	END { print sick, other; exit sick > 0 || other < 10000 }'
	# Without the reroute it would have gone on, and other regions see nothing of it either way.
	grep -v '"role":"fix"' w >unfixed
	og-events -w unfixed -l txn_facts -f csv -b 2025-12-06 -e 2025-12-07 >before
	og-events -w w -l txn_facts -f csv -b 2025-12-06 -e 2025-12-07 >after
	diff before after | grep '^<' | cut -d, -f3 | sort | uniq -c | awk '$2 != "central" { exit 1 } { n = $1 } END { exit n < 1000 }'
}

@test "timeouts, retries and the time of whole transactions follow, and failures name the incident" {
	local slice=(-b 2025-12-03T12:00:00Z -e 2025-12-04T18:00:00Z)

	og-entities -c fibersqs -n 700000 -s "$(cat seed)" | og-incidents -S easy >w
	jq -r 'select(.kind == "incident" and .role == "cause") | .bursts[]' w | tr -d Z | tr / ' ' >bursts
	og-events -w w -l labels -f csv "${slice[@]}" >truth
	og-events -w w -l txn_facts -f csv "${slice[@]}" | paste -d, - <(sed 's/^[^,]*,//' truth) >both
	awk -F, 'BEGIN { n = 0 }
	FILENAME == "bursts" { split($0, x, " "); from[n] = x[1]; to[n++] = x[2]; next }
	$3 != "central" || $4 !~ /^(provision_fiber_sqs|modify_service_profile)$/ { next }
	{
		t = substr($5, 1, 26)
		on = 0
		for (i = 0; i < n && !on; i++)
			on = t >= from[i] && t < to[i]
		k[on]++; ms[on] += $9; failed[on] += $7 == "false"; retries[on] += $12
	}
	END {
		printf "%d and %d: %.0f and %.0f ms, failed %.3f and %.3f, retries %.3f and %.3f\n", k[0], k[1], ms[0] / k[0], ms[1] / k[1],
			failed[0] / k[0], failed[1] / k[1], retries[0] / k[0], retries[1] / k[1]
		exit failed[1] / k[1] < .2 || failed[1] / k[1] > .45 || failed[0] / k[0] > .07 || ms[1] / k[1] < 3 * ms[0] / k[0] ||
			retries[1] / k[1] < 10 * retries[0] / k[0]
	}' bursts both
	cause=$(jq -r 'select(.kind == "incident" and .role == "cause") | .id' w)
	# Who names the network as the source of his failure names the incident among those that touched him.
	awk -F, -v cause="$cause" '$3 ~ /^infrastructure:network/ { n++; bad += index($2, cause) == 0 } END { print n, bad; exit n < 300 || bad > 0 }' truth
}
