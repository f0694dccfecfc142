# The ground truth of the FiberSQS exercise, for its instructors: what happened, in the words of the data set, and the counts behind it.
def time: if test("[.]") then . else sub("Z$"; ".000000Z") end;
def rate($all): if $all == 0 then 0 else (. / $all * 10000 | round) / 10000 end;
. as $truth
| (.links | map({(.link): .}) | add) as $links
| ([.values | .clean, .missing, .fabricated, .wrong_customer | . // 0] | add) as $calls
| {
	dataset_name: "fibersqs_cross_region_latency_tso",
	time_range: {start: (.world.begin | time), end: (.world.end | time)},
	primary_incident: ([.incidents[] | select(.role == "cause")][0] | if . == null then null else
		. as $cause
		| ([.effects[].targets[]? | select($links[.])] | unique) as $circuits
		| $circuits[0] as $circuit
		# The first fix of one of its circuits that does not come before it.
		| ([$truth.incidents[] | select(.role == "fix" and .start >= $cause.start and any(.effects[].targets[]?; IN($circuits[])))]
			| min_by(.start).start) as $fixed
		| {
			id, root_cause_type: .component, circuit_id: $circuit, circuit_ids: $circuits,
			src_region: $links[$circuit // ""].from, dst_region: $links[$circuit // ""].to,
			start: (.start | time), end: (.end | time), fix_time: ($fixed | if . == null then null else time end),
			affected_transaction_types: [.harmed[].action],
			bursts: [.bursts[]? | . / "/" | {start: (.[0] | time), end: (.[1] | time)}]
		} end),
	confounders: [.incidents[] | select(.role == "confounder")
		| {name: .type, start: (.start | time), end: (.end | time), component, region: (.places | join(",")), description: .message}],
	generation: {
		seed: .world.seed, level: .world.level, transactions: .world.requests,
		row_counts: (.rows | with_entries(select(.key | test("clickhouse-")) | .key |= sub(".*clickhouse-"; "") | .key |= sub("[.]csv([.](gz|zst))?$"; ""))),
		parameters: .settings
	},
	tso_noise: {
		total_calls: $calls,
		noise_counts: {clean, missing, fabricated, wrong_customer} | map_values(0),
		noise_rates: {}, call_details: "instructors/tso_truth.csv\($suffix)"
	},
	labels: "instructors/labels.csv\($suffix)"
}
| .tso_noise.noise_counts |= with_entries(.value = ($truth.values[.key] // 0))
| .tso_noise.noise_rates = (.tso_noise.noise_counts | map_values(rate($calls)))
| . + ($truth | {world, incidents, sources, links})
