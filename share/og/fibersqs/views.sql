-- Views over the tables of schema.sql, for load-clickhouse, which puts in what stands in braces:
--
--	{old}		the database in which tools that know the exercise's former tables look for them
--	{region}	each region in app_logs, {area} the same as part of a name
--	{day}		each day in app_logs, such as 2025-12-01; {next} the day after, {ymd} the day as part of a name
--
-- A view of a name that somebody else has taken is not made. og_mark says that it is ours.
-- Columns that the tables compute are named, since * leaves them out. The conditions are on the columns by which tables are cut and sorted.

CREATE VIEW IF NOT EXISTS {old}.fibersqs_app_logs AS
WITH 'made by og: fibersqs' AS og_mark
SELECT *, ts, end_to_end_latency_ms_f64 FROM fibersqs_prod.app_logs;

CREATE VIEW IF NOT EXISTS {old}.trace_spans AS
WITH 'made by og: fibersqs' AS og_mark
SELECT *, ts FROM fibersqs_prod.trace_spans;

CREATE VIEW IF NOT EXISTS {old}.network_circuit_metrics AS
WITH 'made by og: fibersqs' AS og_mark
SELECT *, ts FROM fibersqs_prod.network_circuit_metrics;

CREATE VIEW IF NOT EXISTS {old}.infra_host_metrics AS
WITH 'made by og: fibersqs' AS og_mark
SELECT *, ts FROM fibersqs_prod.infra_host_metrics;

CREATE VIEW IF NOT EXISTS {old}.tso_calls AS
WITH 'made by og: fibersqs' AS og_mark
SELECT *, ts FROM fibersqs_prod.tso_calls;

CREATE VIEW IF NOT EXISTS fibersqs_prod.fibersqs_prod_{area}_app_logs AS
WITH 'made by og: fibersqs' AS og_mark
SELECT *, ts, end_to_end_latency_ms_f64 FROM fibersqs_prod.app_logs
WHERE region = '{region}';

CREATE VIEW IF NOT EXISTS fibersqs_prod.fibersqs_prod_{area}_app_logs_{ymd} AS
WITH 'made by og: fibersqs' AS og_mark
SELECT *, ts, end_to_end_latency_ms_f64 FROM fibersqs_prod.app_logs
WHERE region = '{region}' AND ts >= toDateTime('{day} 00:00:00', 'UTC') AND ts < toDateTime('{next} 00:00:00', 'UTC');
