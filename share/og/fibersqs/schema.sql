-- The tables of the FiberSQS exercise, for servers from 22.2 on; schema-18.sql is for older ones.
--
-- Times stand as they came, as text, and in ts by the millisecond. Both are UTC, whatever the server's time zone is.
-- COMMENT marks what is ours: load-clickhouse drops nothing without it. The window lets the server know a batch that is sent twice.

CREATE DATABASE IF NOT EXISTS fibersqs_prod;

CREATE TABLE IF NOT EXISTS fibersqs_prod.app_logs
(
	timestamp String,
	region LowCardinality(String),
	cluster LowCardinality(String),
	service LowCardinality(String),
	host LowCardinality(String),
	level LowCardinality(String),
	transaction_id String,
	trace_id String,
	span_id String,
	customer_id String,
	transaction_type LowCardinality(String),
	event LowCardinality(String),
	dependency_region LowCardinality(String),
	dependency_service LowCardinality(String),
	dependency_latency_ms String,
	end_to_end_latency_ms String,
	http_status LowCardinality(String),
	error_code LowCardinality(String),
	circuit_id String,
	message String,
	ts DateTime64(3, 'UTC') MATERIALIZED parseDateTime64BestEffort(timestamp, 3, 'UTC'),
	end_to_end_latency_ms_f64 Float64 MATERIALIZED toFloat64OrZero(end_to_end_latency_ms),
	INDEX idx_transaction_id transaction_id TYPE bloom_filter(0.01) GRANULARITY 1,
	INDEX idx_trace_id trace_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (region, transaction_type, event, ts, transaction_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'made by og: fibersqs';

CREATE TABLE IF NOT EXISTS fibersqs_prod.trace_spans
(
	timestamp String,
	trace_id String,
	span_id String,
	parent_span_id String,
	transaction_id String,
	region LowCardinality(String),
	service LowCardinality(String),
	operation LowCardinality(String),
	duration_ms Float64,
	status LowCardinality(String),
	circuit_id String,
	ts DateTime64(3, 'UTC') MATERIALIZED parseDateTime64BestEffort(timestamp, 3, 'UTC'),
	INDEX idx_trace_id trace_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (ts, trace_id, span_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'made by og: fibersqs';

CREATE TABLE IF NOT EXISTS fibersqs_prod.network_circuit_metrics
(
	timestamp String,
	src_region LowCardinality(String),
	dst_region LowCardinality(String),
	circuit_id String,
	rtt_ms Float64,
	packet_loss_pct Float64,
	retransmits_per_s Float64,
	throughput_mbps Float64,
	ts DateTime64(3, 'UTC') MATERIALIZED parseDateTime64BestEffort(timestamp, 3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (circuit_id, ts)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'made by og: fibersqs';

CREATE TABLE IF NOT EXISTS fibersqs_prod.infra_host_metrics
(
	timestamp String,
	region LowCardinality(String),
	host LowCardinality(String),
	cpu_pct Float64,
	mem_pct Float64,
	disk_io_util_pct Float64,
	net_errs_per_s Float64,
	ts DateTime64(3, 'UTC') MATERIALIZED parseDateTime64BestEffort(timestamp, 3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (host, ts)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'made by og: fibersqs';

CREATE TABLE IF NOT EXISTS fibersqs_prod.tso_calls
(
	call_id String,
	timestamp String,
	customer_id String,
	customer_region LowCardinality(String),
	issue_category LowCardinality(String),
	issue_description String,
	service_type LowCardinality(String),
	transaction_id String,
	resolution_time_minutes Int32,
	escalated LowCardinality(String),
	resolution_code LowCardinality(String),
	ts DateTime64(3, 'UTC') MATERIALIZED parseDateTime64BestEffort(timestamp, 3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (ts, call_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'made by og: fibersqs';

CREATE TABLE IF NOT EXISTS fibersqs_prod.service_metrics
(
	timestamp String,
	region LowCardinality(String),
	transaction_type LowCardinality(String),
	request_rate Float64,
	error_rate Float64,
	p95_latency_ms Float64,
	p99_latency_ms Float64,
	saturation Float64,
	ts DateTime64(3, 'UTC') MATERIALIZED parseDateTime64BestEffort(timestamp, 3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (region, transaction_type, ts)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'made by og: fibersqs';

CREATE TABLE IF NOT EXISTS fibersqs_prod.network_events
(
	event_id String,
	timestamp String,
	event_type LowCardinality(String),
	src_region LowCardinality(String),
	dst_region LowCardinality(String),
	circuit_id String,
	severity LowCardinality(String),
	description String,
	ts DateTime64(3, 'UTC') MATERIALIZED parseDateTime64BestEffort(timestamp, 3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (ts, event_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'made by og: fibersqs';

CREATE TABLE IF NOT EXISTS fibersqs_prod.txn_facts
(
	transaction_id String,
	customer_id String,
	origin_region LowCardinality(String),
	txn_type LowCardinality(String),
	start_ts String,
	end_ts String,
	success LowCardinality(String),
	error_code LowCardinality(String),
	end_to_end_latency_ms Float64,
	start_dt DateTime64(3, 'UTC') MATERIALIZED parseDateTime64BestEffort(start_ts, 3, 'UTC'),
	end_dt DateTime64(3, 'UTC') MATERIALIZED parseDateTime64BestEffort(end_ts, 3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(start_dt)
ORDER BY (origin_region, txn_type, start_dt, transaction_id)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'made by og: fibersqs';
