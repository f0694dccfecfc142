-- The tables of the FiberSQS exercise, for servers before 22.2, from 18.16 on.
--
-- What those lack: ts has whole seconds (no DateTime64; timestamp keeps all six digits), words are plain strings (no LowCardinality),
-- ids have no index to skip by, a batch sent twice is stored twice, and the mark that a table is ours is the comment of its first column.

CREATE DATABASE IF NOT EXISTS fibersqs_prod;

CREATE TABLE IF NOT EXISTS fibersqs_prod.app_logs
(
	timestamp String COMMENT 'made by og: fibersqs',
	region String,
	cluster String,
	service String,
	host String,
	level String,
	transaction_id String,
	trace_id String,
	span_id String,
	customer_id String,
	transaction_type String,
	event String,
	dependency_region String,
	dependency_service String,
	dependency_latency_ms String,
	end_to_end_latency_ms String,
	http_status String,
	error_code String,
	circuit_id String,
	message String,
	ts DateTime('UTC') MATERIALIZED parseDateTimeBestEffort(timestamp),
	end_to_end_latency_ms_f64 Float64 MATERIALIZED toFloat64OrZero(end_to_end_latency_ms)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (region, transaction_type, event, ts, transaction_id);

CREATE TABLE IF NOT EXISTS fibersqs_prod.trace_spans
(
	timestamp String COMMENT 'made by og: fibersqs',
	trace_id String,
	span_id String,
	parent_span_id String,
	transaction_id String,
	region String,
	service String,
	operation String,
	duration_ms Float64,
	status String,
	circuit_id String,
	ts DateTime('UTC') MATERIALIZED parseDateTimeBestEffort(timestamp)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (ts, trace_id, span_id);

CREATE TABLE IF NOT EXISTS fibersqs_prod.network_circuit_metrics
(
	timestamp String COMMENT 'made by og: fibersqs',
	src_region String,
	dst_region String,
	circuit_id String,
	rtt_ms Float64,
	packet_loss_pct Float64,
	retransmits_per_s Float64,
	throughput_mbps Float64,
	ts DateTime('UTC') MATERIALIZED parseDateTimeBestEffort(timestamp)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (circuit_id, ts);

CREATE TABLE IF NOT EXISTS fibersqs_prod.infra_host_metrics
(
	timestamp String COMMENT 'made by og: fibersqs',
	region String,
	host String,
	cpu_pct Float64,
	mem_pct Float64,
	disk_io_util_pct Float64,
	net_errs_per_s Float64,
	ts DateTime('UTC') MATERIALIZED parseDateTimeBestEffort(timestamp)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (host, ts);

CREATE TABLE IF NOT EXISTS fibersqs_prod.tso_calls
(
	call_id String COMMENT 'made by og: fibersqs',
	timestamp String,
	customer_id String,
	customer_region String,
	issue_category String,
	issue_description String,
	service_type String,
	transaction_id String,
	resolution_time_minutes Int32,
	escalated String,
	resolution_code String,
	ts DateTime('UTC') MATERIALIZED parseDateTimeBestEffort(timestamp)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (ts, call_id);

CREATE TABLE IF NOT EXISTS fibersqs_prod.service_metrics
(
	timestamp String COMMENT 'made by og: fibersqs',
	region String,
	transaction_type String,
	request_rate Float64,
	error_rate Float64,
	p95_latency_ms Float64,
	p99_latency_ms Float64,
	saturation Float64,
	ts DateTime('UTC') MATERIALIZED parseDateTimeBestEffort(timestamp)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (region, transaction_type, ts);

CREATE TABLE IF NOT EXISTS fibersqs_prod.network_events
(
	event_id String COMMENT 'made by og: fibersqs',
	timestamp String,
	event_type String,
	src_region String,
	dst_region String,
	circuit_id String,
	severity String,
	description String,
	ts DateTime('UTC') MATERIALIZED parseDateTimeBestEffort(timestamp)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (ts, event_id);

CREATE TABLE IF NOT EXISTS fibersqs_prod.txn_facts
(
	transaction_id String COMMENT 'made by og: fibersqs',
	customer_id String,
	origin_region String,
	txn_type String,
	start_ts String,
	end_ts String,
	success String,
	error_code String,
	end_to_end_latency_ms Float64,
	start_dt DateTime('UTC') MATERIALIZED parseDateTimeBestEffort(start_ts),
	end_dt DateTime('UTC') MATERIALIZED parseDateTimeBestEffort(end_ts)
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(start_dt)
ORDER BY (origin_region, txn_type, start_dt, transaction_id);
