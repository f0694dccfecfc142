# A small FiberSQS dataset whose every number is known, made without any program of og's: eight tables and the truth about them.
#
#	awk -v n=4000 -v dir=DIR -f fibersqs.awk
#
# n transactions over the week from 2025-12-01; central calls east on circuit CKT-CEN-EAS-003, which is sick for 5 of 20 minutes from
# 2025-12-03T12:20:00Z to 2025-12-05T18:10:00Z. Support calls name no transaction, one that never was, or somebody else's, by their number.

function day_time(ms, t) {
	t = int(ms / 1000)
	return sprintf("2025-12-%02dT%02d:%02d:%02d", 1 + int(t / 86400), int(t / 3600) % 24, int(t / 60) % 60, t % 60)
}

function micro(ms) {
	return sprintf("%s.%06dZ", day_time(ms), (ms * 1000) % 1000000)
}

function second(ms) {
	return day_time(ms) "Z"
}

function compact(ms, s) {
	s = day_time(ms)
	gsub(/[-T:]/, "", s)
	return s
}

# A number of 0 to m - 1 that looks like chance.
function any(m) {
	state = (state * 69069 + 12345) % 4294967296
	return int(state / 65536) % m
}

# Is the circuit sick in this minute of the week?
function sick(minute) {
	return minute >= 3620 && minute < 6850 && (minute - 3620) % 20 < 5
}

function rtt(minute) {
	return sick(minute) ? 120 + (minute * 37) % 140 : 17 + (minute % 5) / 4
}

function file(table) {
	return dir "/clickhouse-" table ".csv"
}

function head(table, columns) {
	print columns >file(table)
	rows[table] = 0
}

function row(table, text) {
	print text >file(table)
	rows[table]++
}

function log_row(at, service, level, span, event, dependency, total, status, error, message) {
	row("app_logs", micro(at) "," region ",fibersqs-prod-" region "," service "," host "," level "," id "," trace "," span "," customer "," \
	    type "," event "," (cross ? "east,inventory-client" : ",") "," dependency "," total "," status "," error "," circuit "," message)
}

function span_row(at, span, parent, service, operation, ms, status, link) {
	row("trace_spans", micro(at) "," trace "," span "," parent "," id "," region "," service "," operation "," sprintf("%.2f", ms) "," status "," link)
}

function call(at, k, said) {
	k = ++calls
	said = id
	noise = "clean"
	if (k % 25 == 1) {
		said = ""
		noise = "missing"
	} else if (k % 60 == 2) {
		said = "FAKE-TX-" compact(at) "-" 1000 + k
		noise = "fabricated"
	} else if (k % 40 == 3) {
		said = before
		noise = "wrong_customer"
	}
	count[noise]++
	row("tso_calls", "TSO-" compact(at) sprintf("%06d", k) "," second(at) "," customer "," region ",timeout,reported stalled order,fiber_sqs," \
	    said "," 10 + any(170) ",false,system_resolved")
}

function transaction(i, start, minute, ms, dependency, failed, word, root, second_span, work, remote) {
	start = int((i + any(60) / 100) * 604790000 / n)
	minute = int(start / 60000)
	region = regions[1 + any(5)]
	type = types[1 + any(3)]
	cross = region == "central" && type != "diagnostic_ping"
	circuit = cross ? "CKT-CEN-EAS-003" : ""
	host = sprintf("fibersqs-%s-infra%02d", region, 1 + any(2))
	id = "TX-" compact(start) sprintf("-%07d", i)
	trace = sprintf("tr%012x", i)
	customer = "CUST-" 10000000 + i
	dependency = cross ? int(rtt(minute) * 9 + any(60)) : 0
	ms = 200 + any(150) + dependency
	failed = ms > 2000 || any(40) == 0
	word = failed ? "error" : "ok"
	root = sprintf("sp%012x", i * 4)
	second_span = sprintf("sp%012x", i * 4 + 1)
	work = sprintf("sp%012x", i * 4 + 2)
	remote = sprintf("sp%012x", i * 4 + 3)
	span_row(start, root, "", "api", "POST /fiber/txn", ms, word)
	span_row(start + 20, second_span, root, "orchestrator", "coordinate", ms - 40, word)
	span_row(start + 40, work, second_span, "worker", "apply", ms - dependency - 100, word)
	if (cross)
		span_row(start + 50, remote, second_span, "inventory-client", "HTTP POST", dependency, word, circuit)
	log_row(start, "api", "INFO", root, "received", "", "", "", "", "request received")
	log_row(start + 5, "api", "INFO", root, "queued", "", "", "", "", "queued for orchestrator")
	log_row(start + 20, "orchestrator", "INFO", second_span, "orchestrated", "", "", "", "", "routing transaction")
	if (cross)
		log_row(start + 50, "orchestrator", "INFO", remote, "dependency_call", dependency, "", "", "", "calling the other region")
	log_row(start + ms, "worker", failed ? "ERROR" : "INFO", work, failed ? "timeout" : "completed", cross ? dependency : "", ms, \
	    failed ? 504 : 200, failed ? "DEP_TIMEOUT" : "", failed ? "gave up" : "done")
	if (failed)
		log_row(start + ms + 1, "api", "WARN", root, "retry", "", "", "", "", "queued for manual retry")
	row("txn_facts", id "," customer "," region "," type "," micro(start) "," micro(start + ms) "," (failed ? "false" : "true") "," \
	    (failed ? "DEP_TIMEOUT" : "") "," ms)
	row("service_metrics", second(minute * 60000) "," region "," type ",0.0167," failed "," ms "," ms ",0.2")
	if (failed && before != "" && start < 600000000)
		call(start + ms + 60000 * (5 + any(60)))
	before = id
}

function series(minute, r, h) {
	row("network_circuit_metrics", second(minute * 60000) ",central,east,CKT-CEN-EAS-003," rtt(minute) "," (sick(minute) ? 2.5 : 0.02) ",10,300")
	row("network_circuit_metrics", second(minute * 60000) ",central,east,CKT-CEN-EAS-005," 38 + minute % 3 ",0.02,9,400")
	for (r = 1; r <= 5 && minute % 5 == 0; r++)
		for (h = 1; h <= 2; h++)
			row("infra_host_metrics", second(minute * 60000) "," regions[r] ",fibersqs-" regions[r] "-infra0" h ",30,50,40,0.02")
}

function truth(i, table, out) {
	out = dir "/../ground_truth.json"
	print "{\"dataset_name\":\"small\",\"time_range\":{\"start\":\"2025-12-01T00:00:00.000000Z\",\"end\":\"2025-12-08T00:00:00.000000Z\"}," >out
	print "\"primary_incident\":{\"root_cause_type\":\"network\",\"circuit_id\":\"CKT-CEN-EAS-003\",\"src_region\":\"central\"," >out
	print "\"dst_region\":\"east\",\"start\":\"2025-12-03T12:20:00.000000Z\",\"end\":\"2025-12-05T18:10:00.000000Z\"," >out
	print "\"fix_time\":\"2025-12-05T18:15:00.000000Z\",\"affected_transaction_types\":[\"provision_fiber_sqs\",\"modify_service_profile\"]}," >out
	printf "\"generation\":{\"seed\":0,\"row_counts\":{" >out
	for (table in rows)
		printf "%s\"%s\":%d", i++ ? "," : "", table, rows[table] >out
	printf "}},\n\"tso_noise\":{\"total_calls\":%d,\"noise_counts\":{\"clean\":%d,\"missing\":%d,\"fabricated\":%d,\"wrong_customer\":%d}}}\n", \
	    calls, count["clean"], count["missing"], count["fabricated"], count["wrong_customer"] >out
}

BEGIN {
	split("central east west north south", regions, " ")
	split("provision_fiber_sqs modify_service_profile diagnostic_ping", types, " ")
	head("app_logs", "timestamp,region,cluster,service,host,level,transaction_id,trace_id,span_id,customer_id,transaction_type,event," \
	    "dependency_region,dependency_service,dependency_latency_ms,end_to_end_latency_ms,http_status,error_code,circuit_id,message")
	head("trace_spans", "timestamp,trace_id,span_id,parent_span_id,transaction_id,region,service,operation,duration_ms,status,circuit_id")
	head("network_circuit_metrics", "timestamp,src_region,dst_region,circuit_id,rtt_ms,packet_loss_pct,retransmits_per_s,throughput_mbps")
	head("infra_host_metrics", "timestamp,region,host,cpu_pct,mem_pct,disk_io_util_pct,net_errs_per_s")
	head("tso_calls", "call_id,timestamp,customer_id,customer_region,issue_category,issue_description,service_type,transaction_id," \
	    "resolution_time_minutes,escalated,resolution_code")
	head("service_metrics", "timestamp,region,transaction_type,request_rate,error_rate,p95_latency_ms,p99_latency_ms,saturation")
	head("network_events", "event_id,timestamp,event_type,src_region,dst_region,circuit_id,severity,description")
	head("txn_facts", "transaction_id,customer_id,origin_region,txn_type,start_ts,end_ts,success,error_code,end_to_end_latency_ms")
	for (i = 0; i < n; i++)
		transaction(i)
	for (minute = 0; minute < 10080; minute++)
		series(minute)
	row("network_events", "EVT-000000,2025-12-03T12:20:00Z,packet_loss_burst,central,east,CKT-CEN-EAS-003,warning,\"loss, and latency\"")
	row("network_events", "EVT-000001,2025-12-05T18:15:00Z,reroute,central,east,CKT-CEN-EAS-003,info,Routing policy change applied")
	truth()
}
