-- What must hold once the tables are loaded. Each statement counts what is wrong, so 0 is right; an empty tier-2 table is not wrong.
-- load-clickhouse runs them all, and puts the numbers, by the names in front, into postload_validation.json.

-- spans_twice: spans whose id another one has.
SELECT count() - uniqExact(span_id) FROM fibersqs_prod.trace_spans;

-- ended_twice: transactions with more than one last line.
SELECT count() FROM
(
	SELECT transaction_id FROM fibersqs_prod.app_logs WHERE event IN ('completed', 'timeout')
	GROUP BY transaction_id HAVING count() > 1
);

-- circuit_samples_twice: samples of a circuit at the time of another.
SELECT count() - uniqExact(circuit_id, timestamp) FROM fibersqs_prod.network_circuit_metrics;

-- host_samples_twice: samples of a host at the time of another.
SELECT count() - uniqExact(host, timestamp) FROM fibersqs_prod.infra_host_metrics;

-- calls_twice: support calls whose id another one has.
SELECT count() - uniqExact(call_id) FROM fibersqs_prod.tso_calls;

-- aggregates_twice: aggregates of the same minute, region and kind of transaction.
SELECT count() - uniqExact(timestamp, region, transaction_type) FROM fibersqs_prod.service_metrics;

-- events_twice: network events whose id another one has.
SELECT count() - uniqExact(event_id) FROM fibersqs_prod.network_events;

-- facts_twice: transactions whose id another one has.
SELECT count() - uniqExact(transaction_id) FROM fibersqs_prod.txn_facts;

-- spans_without_parent: spans that name a parent that is not there.
SELECT count() FROM fibersqs_prod.trace_spans
WHERE parent_span_id != '' AND parent_span_id NOT IN (SELECT span_id FROM fibersqs_prod.trace_spans);

-- roots: traces without a root, or with more than one.
SELECT count() FROM (SELECT trace_id FROM fibersqs_prod.trace_spans GROUP BY trace_id HAVING countIf(parent_span_id = '') != 1);

-- spans_outside_parent: of every sixteenth trace, spans that begin before their parent, or end after it by more than what is lost in
-- writing two times by the microsecond and two durations by the hundredth.
SELECT countIf(begin < parent_begin OR begin + duration_ms > parent_begin + parent_ms + 0.013)
FROM
(
	SELECT parent_span_id, duration_ms,
		1000.0 * toUnixTimestamp(parseDateTimeBestEffort(timestamp)) + toUInt32OrZero(substring(timestamp, 21, 6)) / 1000 AS begin
	FROM fibersqs_prod.trace_spans
	WHERE cityHash64(trace_id) % 16 = 0 AND parent_span_id != ''
) AS children
ALL INNER JOIN
(
	SELECT span_id AS parent_span_id, duration_ms AS parent_ms,
		1000.0 * toUnixTimestamp(parseDateTimeBestEffort(timestamp)) + toUInt32OrZero(substring(timestamp, 21, 6)) / 1000 AS parent_begin
	FROM fibersqs_prod.trace_spans
	WHERE cityHash64(trace_id) % 16 = 0
) AS parents USING parent_span_id;

-- logs_without_span: lines that name a span that is not there.
SELECT count() FROM fibersqs_prod.app_logs WHERE span_id NOT IN (SELECT span_id FROM fibersqs_prod.trace_spans);

-- logs_without_trace: lines that name a trace that is not there.
SELECT count() FROM fibersqs_prod.app_logs WHERE trace_id NOT IN (SELECT trace_id FROM fibersqs_prod.trace_spans WHERE parent_span_id = '');

-- logs_out_of_order: transactions that say something before they are received, or after they have ended; what is left to a person to try
-- again comes last.
SELECT count() FROM
(
	SELECT transaction_id FROM fibersqs_prod.app_logs
	GROUP BY transaction_id
	HAVING (countIf(event = 'received') > 0 AND min(timestamp) < minIf(timestamp, event = 'received'))
		OR (countIf(event IN ('completed', 'timeout')) > 0
			AND (maxIf(timestamp, event != 'retry') > maxIf(timestamp, event IN ('completed', 'timeout'))
				OR (countIf(event = 'retry') > 0 AND minIf(timestamp, event = 'retry') < maxIf(timestamp, event IN ('completed', 'timeout')))))
);

-- logs_of_no_host: hosts that write lines and have no metrics.
SELECT uniqExact(host) FROM fibersqs_prod.app_logs WHERE host NOT IN (SELECT toString(host) FROM fibersqs_prod.infra_host_metrics);

-- spans_of_no_circuit: circuits that carry calls and have no metrics.
SELECT uniqExact(circuit_id) FROM fibersqs_prod.trace_spans
WHERE circuit_id != '' AND circuit_id NOT IN (SELECT circuit_id FROM fibersqs_prod.network_circuit_metrics);

-- logs_outside_days: lines of a day on which no circuit was measured.
SELECT count() FROM fibersqs_prod.app_logs WHERE toDate(ts) NOT IN (SELECT toDate(ts) FROM fibersqs_prod.network_circuit_metrics);

-- calls_outside_days: support calls of a day on which no circuit was measured.
SELECT count() FROM fibersqs_prod.tso_calls WHERE toDate(ts) NOT IN (SELECT toDate(ts) FROM fibersqs_prod.network_circuit_metrics);

-- logs_without_fact: transactions in the log that are not in txn_facts, or took another time there.
SELECT if((SELECT count() FROM fibersqs_prod.txn_facts) = 0, 0, countIf(ifNull(known, 0) = 0 OR abs(logged_ms - fact_ms) > 0.006))
FROM
(
	SELECT transaction_id, end_to_end_latency_ms_f64 AS logged_ms
	FROM fibersqs_prod.app_logs WHERE event IN ('completed', 'timeout')
) AS logs
ANY LEFT JOIN
(
	SELECT transaction_id, end_to_end_latency_ms AS fact_ms, 1 AS known
	FROM fibersqs_prod.txn_facts
) AS facts USING transaction_id;

-- aggregates_wrong: regions whose minutes do not add up to their transactions.
SELECT countIf(abs(requests - transactions) > 0.01 * transactions)
FROM
(
	SELECT toString(region) AS region, sum(request_rate * 60) AS requests
	FROM fibersqs_prod.service_metrics
	GROUP BY region
) AS metrics
ALL INNER JOIN
(
	SELECT toString(origin_region) AS region, count() AS transactions
	FROM fibersqs_prod.txn_facts
	GROUP BY region
) AS facts USING region;
