-- Questions to the FiberSQS data, for whoever runs the exercise: some name the incident. Each runs on its own, on servers from 18.16 on.
-- Where the incident is not that of the catalog, change what stands behind WITH. load-clickhouse takes it from ground_truth.json, and puts
-- the answers to the first ten, by the names in front, into postload_validation.json.

-- impacted_slice_volume: requests a minute of the flow that the incident is about.
SELECT quantileExact(0.5)(n) AS median_rpm, quantileExact(0.95)(n) AS p95_rpm, max(n) AS max_rpm
FROM
(
	WITH 'central' AS src, ['provision_fiber_sqs', 'modify_service_profile'] AS affected
	SELECT toStartOfMinute(ts) AS minute, count() AS n
	FROM fibersqs_prod.app_logs
	WHERE event = 'received' AND region = src AND has(affected, transaction_type)
	GROUP BY minute
);

-- dataset_bounds: first and last day.
SELECT toString(min(toDate(ts))) AS min_day, toString(max(toDate(ts))) AS max_day
FROM fibersqs_prod.app_logs;

-- fix_verification: did the fix help? From the start of the incident to the fix, and after it.
WITH toDateTime('2025-12-03 12:20:00', 'UTC') AS incident_start, toDateTime('2025-12-05 18:15:00', 'UTC') AS fix_time,
	'central' AS src, ['provision_fiber_sqs', 'modify_service_profile'] AS affected
SELECT
	if(ts < fix_time, 'pre_fix', 'post_fix') AS window,
	round(quantileExact(0.95)(end_to_end_latency_ms_f64), 2) AS p95_latency_ms,
	round(quantileExact(0.99)(end_to_end_latency_ms_f64), 2) AS p99_latency_ms,
	round(countIf(event = 'timeout') / count(), 4) AS timeout_rate,
	count() AS n
FROM fibersqs_prod.app_logs
WHERE event IN ('completed', 'timeout') AND region = src AND has(affected, transaction_type) AND ts >= incident_start
GROUP BY window
ORDER BY window DESC;

-- incident_p95_multiplier: how much slower was each region during the incident?
WITH toDateTime('2025-12-03 12:20:00', 'UTC') AS incident_start, toDateTime('2025-12-05 18:10:00', 'UTC') AS incident_end,
	['provision_fiber_sqs', 'modify_service_profile'] AS affected
SELECT
	region,
	round(quantileExactIf(0.95)(end_to_end_latency_ms_f64, ts < incident_start OR ts >= incident_end), 2) AS p95_baseline,
	round(quantileExactIf(0.95)(end_to_end_latency_ms_f64, ts >= incident_start AND ts < incident_end), 2) AS p95_incident,
	round(p95_incident / p95_baseline, 2) AS p95_multiplier
FROM fibersqs_prod.app_logs
WHERE event IN ('completed', 'timeout') AND has(affected, transaction_type)
GROUP BY region
ORDER BY region;

-- top_central_to_east_circuit_uplift: round trips on each circuit between the two regions, during the incident and else.
WITH toDateTime('2025-12-03 12:20:00', 'UTC') AS incident_start, toDateTime('2025-12-05 18:10:00', 'UTC') AS incident_end,
	'central' AS src, 'east' AS dst
SELECT
	circuit_id, src_region, dst_region,
	round(quantileExactIf(0.95)(rtt_ms, ts < incident_start OR ts >= incident_end), 2) AS p95_baseline,
	round(quantileExactIf(0.95)(rtt_ms, ts >= incident_start AND ts < incident_end), 2) AS p95_incident,
	round(p95_incident / p95_baseline, 2) AS p95_multiplier
FROM fibersqs_prod.network_circuit_metrics
WHERE src_region = src AND dst_region = dst
GROUP BY circuit_id, src_region, dst_region
ORDER BY p95_multiplier DESC, circuit_id
LIMIT 5;

-- app_log_region_distribution: rows of each region.
SELECT region, count() AS rows
FROM fibersqs_prod.app_logs
GROUP BY region
ORDER BY region;

-- missing: calls that name no transaction.
SELECT round(countIf(transaction_id = '') / count(), 4) AS missing_rate, count() AS total
FROM fibersqs_prod.tso_calls;

-- nonexistent: calls that name a transaction that never was, among those that name one.
SELECT round(countIf(transaction_id NOT IN
(
	SELECT transaction_id FROM fibersqs_prod.app_logs
	WHERE event = 'received' AND transaction_id IN (SELECT transaction_id FROM fibersqs_prod.tso_calls)
)) / count(), 4) AS nonexistent_rate
FROM fibersqs_prod.tso_calls
WHERE transaction_id != '';

-- customer_mismatch: calls that name somebody else's transaction, among those that name one that exists.
SELECT round(countIf(owner != customer_id) / count(), 4) AS mismatch_rate
FROM (SELECT transaction_id, customer_id FROM fibersqs_prod.tso_calls) AS calls
ALL INNER JOIN
(
	SELECT transaction_id, any(customer_id) AS owner
	FROM fibersqs_prod.app_logs
	WHERE event = 'received' AND transaction_id IN (SELECT transaction_id FROM fibersqs_prod.tso_calls)
	GROUP BY transaction_id
) AS logged USING transaction_id;

-- confusion_matrix: does a call name the right transaction? What a join does not find is NULL or empty, as the server is set: known tells.
SELECT
	countIf(transaction_id != '' AND ifNull(known, 0) = 1 AND owner = customer_id) AS tso_tp_count,
	countIf(transaction_id = '') AS tso_fn_count,
	countIf(transaction_id != '' AND ifNull(known, 0) = 0) AS tso_fp_count,
	countIf(transaction_id != '' AND ifNull(known, 0) = 1 AND owner != customer_id) AS tso_wrong_link_count,
	round(tso_fn_count / count(), 4) AS tso_fn_rate,
	round(tso_fp_count / (count() - tso_fn_count), 4) AS tso_fp_rate_non_empty,
	round(tso_wrong_link_count / (tso_tp_count + tso_wrong_link_count), 4) AS tso_wrong_link_rate_joined,
	round(tso_tp_count / count(), 4) AS tso_tp_rate
FROM (SELECT transaction_id, customer_id FROM fibersqs_prod.tso_calls) AS calls
ANY LEFT JOIN
(
	SELECT transaction_id, any(customer_id) AS owner, 1 AS known
	FROM fibersqs_prod.app_logs
	WHERE event = 'received' AND transaction_id IN (SELECT transaction_id FROM fibersqs_prod.tso_calls)
	GROUP BY transaction_id
) AS logged USING transaction_id;

-- Rows, and bytes on disk, of each table.
SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes
FROM system.parts
WHERE active AND database = 'fibersqs_prod'
GROUP BY table
ORDER BY table;

-- Minute by minute, does the round trip on the circuit explain how long calls over it took? In the whole incident, and in its bad minutes.
WITH (SELECT 2 * quantileExact(0.5)(rtt_ms) FROM fibersqs_prod.network_circuit_metrics WHERE circuit_id = 'CKT-CEN-EAS-003') AS bad
SELECT
	round(corr(rtt_ms, latency_ms), 3) AS correlation, count() AS minutes,
	round(corrIf(rtt_ms, latency_ms, rtt_ms > bad), 3) AS correlation_bad, countIf(rtt_ms > bad) AS minutes_bad
FROM
(
	SELECT toStartOfMinute(ts) AS minute, avg(toFloat64OrZero(dependency_latency_ms)) AS latency_ms
	FROM fibersqs_prod.app_logs
	WHERE event = 'dependency_call' AND circuit_id = 'CKT-CEN-EAS-003'
		AND ts >= toDateTime('2025-12-03 12:20:00', 'UTC') AND ts < toDateTime('2025-12-05 18:10:00', 'UTC')
	GROUP BY minute
) AS calls
ALL INNER JOIN
(
	SELECT toStartOfMinute(ts) AS minute, rtt_ms
	FROM fibersqs_prod.network_circuit_metrics
	WHERE circuit_id = 'CKT-CEN-EAS-003'
) AS network USING minute;

-- The chain link by link, by the hour: round trip, call over the circuit, end to end, failures, on the flow of the incident.
SELECT hour, rtt_ms, dependency_ms, end_to_end_ms, timeout_rate, transactions
FROM
(
	SELECT
		toStartOfHour(ts) AS hour,
		round(avgIf(toFloat64OrZero(dependency_latency_ms), event = 'dependency_call'), 1) AS dependency_ms,
		round(avgIf(end_to_end_latency_ms_f64, event IN ('completed', 'timeout')), 1) AS end_to_end_ms,
		countIf(event = 'received') AS transactions,
		round(countIf(event = 'timeout') / countIf(event IN ('completed', 'timeout')), 3) AS timeout_rate
	FROM fibersqs_prod.app_logs
	WHERE circuit_id = 'CKT-CEN-EAS-003'
	GROUP BY hour
) AS calls
ALL INNER JOIN
(
	SELECT toStartOfHour(ts) AS hour, round(avg(rtt_ms), 1) AS rtt_ms
	FROM fibersqs_prod.network_circuit_metrics
	WHERE circuit_id = 'CKT-CEN-EAS-003'
	GROUP BY hour
) AS network USING hour
ORDER BY hour;

-- A day of a region from its view: 95 % of latency by the hour, from a column that the table computes.
SELECT toStartOfHour(ts) AS hour, round(quantileExact(0.95)(end_to_end_latency_ms_f64), 2) AS p95_ms, count() AS transactions
FROM fibersqs_prod.fibersqs_prod_central_app_logs_20251203
WHERE event IN ('completed', 'timeout')
GROUP BY hour
ORDER BY hour;

-- Where does it hurt? Latency and failures of each region and kind of transaction, by the day.
SELECT
	toDate(ts) AS day, region, transaction_type, count() AS transactions,
	round(quantileExact(0.5)(end_to_end_latency_ms_f64), 1) AS p50_ms, round(quantileExact(0.95)(end_to_end_latency_ms_f64), 1) AS p95_ms,
	round(countIf(event = 'timeout') / count(), 4) AS timeout_rate
FROM fibersqs_prod.app_logs
WHERE event IN ('completed', 'timeout')
GROUP BY day, region, transaction_type
ORDER BY p95_ms DESC, day, region, transaction_type
LIMIT 50;

-- Which circuits leave their range? The slowest percent of minutes against the median.
SELECT
	circuit_id, src_region, dst_region, round(quantileExact(0.5)(rtt_ms), 2) AS p50_ms, round(quantileExact(0.99)(rtt_ms), 2) AS p99_ms,
	round(p99_ms / p50_ms, 2) AS ratio, round(max(packet_loss_pct), 4) AS worst_loss_pct, min(throughput_mbps) AS least_mbps
FROM fibersqs_prod.network_circuit_metrics
GROUP BY circuit_id, src_region, dst_region
ORDER BY ratio DESC, circuit_id;

-- Whose calls go over a circuit, and do all of them suffer alike? Every kind of transaction on it, during the incident and else.
WITH toDateTime('2025-12-03 12:20:00', 'UTC') AS incident_start, toDateTime('2025-12-05 18:10:00', 'UTC') AS incident_end
SELECT
	region, transaction_type,
	round(avgIf(toFloat64OrZero(dependency_latency_ms), ts < incident_start OR ts >= incident_end), 1) AS baseline_ms,
	round(avgIf(toFloat64OrZero(dependency_latency_ms), ts >= incident_start AND ts < incident_end), 1) AS incident_ms,
	count() AS calls
FROM fibersqs_prod.app_logs
WHERE event = 'dependency_call' AND circuit_id = 'CKT-CEN-EAS-003'
GROUP BY region, transaction_type
ORDER BY region, transaction_type;

-- Machines under load: the busiest hours of a region, with the latency of what ran there.
SELECT region, hour, cpu_pct, net_errs_per_s, p95_ms
FROM
(
	SELECT region, toStartOfHour(ts) AS hour, round(max(cpu_pct), 1) AS cpu_pct, round(max(net_errs_per_s), 3) AS net_errs_per_s
	FROM fibersqs_prod.infra_host_metrics
	GROUP BY region, hour
) AS machines
ALL INNER JOIN
(
	SELECT region, toStartOfHour(ts) AS hour, round(quantileExact(0.95)(end_to_end_latency_ms_f64), 1) AS p95_ms
	FROM fibersqs_prod.app_logs
	WHERE event IN ('completed', 'timeout')
	GROUP BY region, hour
) AS traffic USING region, hour
ORDER BY cpu_pct DESC, region, hour
LIMIT 20;

-- The machine a transaction ran on, in the five minutes it ran: do busy machines answer later?
SELECT intDiv(toUInt32(cpu_pct), 10) * 10 AS cpu_from_pct, round(avg(latency_ms), 1) AS latency_ms, sum(n) AS transactions
FROM
(
	SELECT host, toStartOfFiveMinute(ts) AS five, avg(end_to_end_latency_ms_f64) AS latency_ms, count() AS n
	FROM fibersqs_prod.app_logs
	WHERE event IN ('completed', 'timeout')
	GROUP BY host, five
) AS traffic
ALL INNER JOIN
(
	SELECT toString(host) AS host, toStartOfFiveMinute(ts) AS five, cpu_pct
	FROM fibersqs_prod.infra_host_metrics
) AS machines USING host, five
GROUP BY cpu_from_pct
ORDER BY cpu_from_pct;

-- The spans of the slowest trace.
SELECT timestamp, span_id, parent_span_id, region, service, operation, duration_ms, status, circuit_id
FROM fibersqs_prod.trace_spans
WHERE trace_id IN (SELECT trace_id FROM fibersqs_prod.trace_spans WHERE parent_span_id = '' ORDER BY duration_ms DESC, trace_id LIMIT 1)
ORDER BY timestamp, duration_ms DESC;

-- What the slowest transaction said, line by line.
SELECT timestamp, host, service, level, event, dependency_latency_ms, end_to_end_latency_ms, message
FROM fibersqs_prod.app_logs
WHERE transaction_id IN
	(SELECT transaction_id FROM fibersqs_prod.app_logs ORDER BY end_to_end_latency_ms_f64 DESC, transaction_id LIMIT 1)
ORDER BY timestamp, event;

-- Does the log's end-to-end latency agree with the root span? Widest gap and number of transactions compared.
SELECT round(max(abs(logged_ms - duration_ms)), 3) AS widest_gap_ms, count() AS transactions
FROM
(
	SELECT transaction_id, max(end_to_end_latency_ms_f64) AS logged_ms
	FROM fibersqs_prod.app_logs
	WHERE event IN ('completed', 'timeout')
	GROUP BY transaction_id
) AS logs
ALL INNER JOIN (SELECT transaction_id, duration_ms FROM fibersqs_prod.trace_spans WHERE parent_span_id = '') AS roots USING transaction_id;

-- Tried again: attempts beyond the first, and transactions that were left to a person, by hour and region.
SELECT
	toStartOfHour(ts) AS hour, region, countIf(service = 'worker-retry') AS attempts, countIf(event = 'retry') AS left_to_a_person,
	countIf(event = 'received') AS transactions
FROM fibersqs_prod.app_logs
GROUP BY hour, region
ORDER BY attempts + left_to_a_person DESC, hour, region
LIMIT 20;

-- Calls to support by day and region, with the timeouts of that day.
SELECT day, region, calls, timeouts
FROM
(
	SELECT toDate(ts) AS day, customer_region AS region, count() AS calls
	FROM fibersqs_prod.tso_calls
	GROUP BY day, region
) AS calls
ALL INNER JOIN
(
	SELECT toDate(ts) AS day, region, countIf(event = 'timeout') AS timeouts
	FROM fibersqs_prod.app_logs
	GROUP BY day, region
) AS logs USING day, region
ORDER BY day, region;

-- How long after a transaction does its customer call? Minutes, for calls that name their own transaction.
SELECT
	quantileExact(0.5)(minutes) AS median_minutes, min(minutes) AS least_minutes, max(minutes) AS most_minutes, count() AS calls,
	round(countIf(success = 'false') / count(), 3) AS share_failed
FROM
(
	SELECT transaction_id, success, intDiv(called - ended, 60) AS minutes
	FROM (SELECT transaction_id, customer_id, toUnixTimestamp(ts) AS called FROM fibersqs_prod.tso_calls) AS calls
	ALL INNER JOIN
	(
		SELECT transaction_id, customer_id, success, toUnixTimestamp(end_dt) AS ended
		FROM fibersqs_prod.txn_facts
		WHERE transaction_id IN (SELECT transaction_id FROM fibersqs_prod.tso_calls)
	) AS facts USING transaction_id, customer_id
);

-- Network events around what the circuits measured: the worst round trip within ten minutes of each, against the circuit's median.
SELECT event_id, at, event_type, severity, circuit_id, round(maxIf(rtt_ms, abs(second - at_second) <= 600), 2) AS worst_ms,
	round(quantileExact(0.5)(rtt_ms), 2) AS p50_ms
FROM
(
	SELECT event_id, timestamp AS at, toInt64(toUnixTimestamp(ts)) AS at_second, event_type, severity, circuit_id
	FROM fibersqs_prod.network_events
) AS events
ALL INNER JOIN
(
	SELECT circuit_id, toInt64(toUnixTimestamp(ts)) AS second, rtt_ms
	FROM fibersqs_prod.network_circuit_metrics
) AS network USING circuit_id
GROUP BY event_id, at, event_type, severity, circuit_id
ORDER BY at, event_id;

-- Do the minute's aggregates agree with the log? Requests by both, which differ by rounding alone.
SELECT round(sum(requests)) AS aggregated, sum(logged) AS logged
FROM
(
	SELECT region, sum(request_rate * 60) AS requests
	FROM fibersqs_prod.service_metrics
	GROUP BY region
) AS metrics
ALL INNER JOIN
(
	SELECT origin_region AS region, count() AS logged
	FROM fibersqs_prod.txn_facts
	GROUP BY region
) AS facts USING region;
