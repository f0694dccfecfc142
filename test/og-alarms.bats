#!/usr/bin/env bats
# og-alarms: a record for each incident of a world, by a layout.
# shellcheck disable=SC2154 # stderr comes from run

bats_require_minimum_version 1.5.0
load common
load reader

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	og-entities -c fibersqs -n 60000 -s 7 | og-incidents -S medium >w
	og-entities -c social -b 2025-01-01 -e 2025-03-01 -n 10 | og-incidents >social.w
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

@test "a record for each incident, in order of time, as the world has it" {
	og-alarms -w social.w >a
	jq -c 'select(.kind == "incident") | [.start, .end, .id, .type, .component, .message]' social.w | sort >want
	[ "$(wc -l <want)" -gt 5 ]
	jq -c '[.timestamp, .end, .id, .type, .component, .message] | map(if . == "" then null else . end)' a |
		sed 's/\.000000Z"/Z"/g' >got
	sed 's/\.000000Z"/Z"/g' want | cmp - got
	[ "$(jq -r .link a | sort -u)" = null ]
	og-alarms <social.w | cmp - a
}

@test "those about links, by a layout of the catalog" {
	og-alarms -w w -l network_events -f csv >e
	[ "$(head -n 1 e)" = event_id,timestamp,event_type,src_region,dst_region,circuit_id,severity,description ]
	jq -r 'select(.kind == "incident") | select(any(.effects[]; .targets[0] | startswith("CKT"))) |
		"\(.id),\(.start[:19])Z,\(.type),\(.effects[0].targets[0])"' w | sort >want
	sed 1d e | cut -d, -f1-3,6 | sort | cmp - want
	# Circuits are named by their ends.
	awk -F, 'NR > 1 && toupper(substr($4, 1, 3)) "-" toupper(substr($5, 1, 3)) != substr($6, 5, 7) { exit 1 }' e
	[ "$(grep -c CKT-CEN-EAS-003 e)" -ge 2 ]
	sed 1d e | cut -d, -f2 | sort -c
	og-alarms -w w -l network_events -f tsv | tr '\t' , | cmp - e
	og-alarms -w w -l network_events | jq -r '[.event_id, .timestamp, .event_type, .src_region, .dst_region, .circuit_id, .severity, .description] | join(",")' |
		cmp - <(sed 1d e)
}

@test "an incident that is taken out is the only one missing" {
	local id

	id=$(jq -r 'select(.kind == "incident" and .type == "flap") | .id' w | head -n 1)
	grep -v "\"kind\":\"incident\",\"id\":\"$id\"" w | og-alarms -l network_events -f csv | cmp - <(og-alarms -w w -l network_events -f csv | grep -v "^$id,")
}

@test "bad usage" {
	refused 2 'og-alarms: w:1: a world of catalog "fibersqs", not "social"' og-alarms -c social -w w
	refused 2 'og-alarms: no layout "no" in catalog fibersqs' og-alarms -w w -l no
	refused 2 'og-alarms: fibersqs: layout "wide" is not of incidents' og-alarms -w w -l wide
	refused 2 'og-alarms: fibersqs: layout "infra_host_metrics" is not of incidents' og-alarms -w w -l infra_host_metrics
	refused 2 'og-alarms: no format "xml": json, csv or tsv' og-alarms -w w -f xml
	refused 2 'og-alarms: nowhere: No such file or directory' og-alarms -w nowhere
	refused 2 'og-alarms: <stdin>:1: no header: there is nothing to read' og-alarms </dev/null
	run -2 --separate-stderr og-alarms operand
	[[ $stderr = "usage: og-alarms"* ]]
	[ -z "$(og-entities -c social -n 10 | og-alarms)" ]
}

@test "full disk, closed streams" {
	unwritten 'og-alarms -w w'
	unread 2 og-alarms
}
