-- Spans of layout wide on a cluster of ClickHouse servers, from 18.16 on: a table of rows on each, and one that spreads rows over them by
-- trace.
-- For each server: clickhouse-client --host SERVER --multiquery <distributed.sql. The cluster is called og in its remote_servers.
-- Newer servers have DateTime64(6) for the time and LowCardinality(String) for names.
CREATE TABLE IF NOT EXISTS spans_local (
	timestamp DateTime,
	level String,
	service String,
	stack String,
	action String,
	user_id Nullable(String),
	request_id String,
	success UInt8,
	message String,
	release_id Nullable(String),
	trace_id String,
	span_id String,
	parent_span_id Nullable(String),
	target_user_id Nullable(String),
	object_type Nullable(String),
	object_id Nullable(String),
	error_code Nullable(UInt16),
	error_message Nullable(String),
	error_source Nullable(String),
	error_type Nullable(String),
	upstream_request_id Nullable(String),
	duration_ms Nullable(Float64),
	persona Nullable(String),
	is_write Nullable(UInt8),
	request_bytes Nullable(UInt64),
	response_bytes Nullable(UInt64),
	db_queries Nullable(UInt32),
	cache_hit Nullable(UInt8),
	cause Nullable(String)
) ENGINE = MergeTree ORDER BY (service, timestamp) PARTITION BY toYYYYMM(timestamp);
CREATE TABLE IF NOT EXISTS spans AS spans_local ENGINE = Distributed(og, currentDatabase(), spans_local, cityHash64(trace_id));
