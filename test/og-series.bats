#!/usr/bin/env bats
# og-series: its options, and that its series are whole in slices and shards, change where an incident is and nowhere else, and are what calls meet.
# shellcheck disable=SC2154 # stderr comes from run

bats_require_minimum_version 1.5.0
load common
load reader

# Small worlds whose every byte is known. When a change is meant, say so in NEWS.md and put in the sums that the failing test prints.
golden() {
	cat <<'SUMS'
test/catalogs/cables - json 92cbe94dece5dc6e5a3588ba025cfa33
share/og/fibersqs network_circuit_metrics csv 7eec326988c9ce0125ed63697705674c
share/og/fibersqs infra_host_metrics tsv 644cd5334fc4c8daad035dccde5b0107
SUMS
}

setup_file() {
	CABLES=$OG_ROOT/test/catalogs/cables
	export CABLES
	cd "$BATS_FILE_TMPDIR" || return 1
	og-entities -c "$CABLES" -e 2026-03-05 -U 2026-03-09 -s 4 | og-incidents -c "$CABLES" -S hard >w
	og-series -c "$CABLES" -w w >s
	og-entities -c fibersqs -n 60000 | og-incidents >f
	og-series -w f -l network_circuit_metrics -f csv >circuits
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

series() {
	og-series -c "$CABLES" -w w "$@"
}

@test "small worlds, byte for byte" {
	local catalog layout format sum got begin wrong=0

	while read -r catalog layout format sum; do
		catalog=$OG_ROOT/$catalog
		begin=$(sed -n $'s/^begin\t//p' "$catalog/settings.tsv")
		set -- -f "$format"
		[ "$layout" = - ] || set -- "$@" -l "$layout"
		got=$(og-entities -c "$catalog" -s 3 | og-incidents -c "$catalog" |
			og-series -c "$catalog" -b "$begin" -e "$(date -u -d "$begin + 2 days" +%F)" "$@" | md5sum)
		echo "${catalog#"$OG_ROOT/"} $layout $format ${got%% *}"
		[ "${got%% *}" = "$sum" ] || wrong=1
	done < <(golden)
	[ "$wrong" -eq 0 ]
}

@test "samples: each series of each thing at its interval, in order of time" {
	# Seven links, 15 hosts in two pools at three shores, three services there; three days.
	jq -r .metric s | sort | uniq -c | awk '{ print $2, $1 }' | diff - <(
		printf '%s %d\n' cpu_pct $((15 * 864)) loss_pct $((7 * 4320)) queue_depth $((9 * 2160)) rtt_ms $((7 * 4320)) \
			traffic_mbps $((7 * 4320)) wind_mps $((3 * 432)))
	jq -r .ts s | sort -nc
	[ "$(jq -c 'keys_unsorted' s | sort -u)" = '["metric","ts","value","tags"]' ]
	[ "$(jq -r '"\(.metric) \(.ts) \(.tags | tojson)"' s | sort | uniq -d | wc -l)" -eq 0 ]
	[ "$(jq -r 'select(.metric == "cpu_pct") | .tags.host' s | sort -u | paste -sd' ')" = \
		"coast-copy-1 coast-copy-2 coast-m01 coast-m02 coast-m03 hill-copy-1 hill-copy-2 hill-m01 hill-m02 hill-m03 isle-copy-1 isle-copy-2 isle-m01 isle-m02 isle-m03" ]
	jq -e 'select(.metric == "rtt_ms") | .tags | keys == ["from", "link", "to"]' s | uniq | grep -qx true
	[ "$(jq -c 'select(.metric == "queue_depth") | .tags' s | sed -n 2p)" = '{"service":"desk","shore":"coast"}' ]
	[ "$(head -n 1 s | jq -r '.ts | todate')" = 2026-03-02T00:00:00Z ]
}

@test "slices and shards are what the whole has" {
	local n k

	for n in 1 2 7; do
		for ((k = 1; k <= n; k++)); do series -k $k/$n; done | cmp - s
		for ((k = 1; k <= n; k++)); do og-series -w f -l network_circuit_metrics -f csv -k $k/$n; done | cmp - circuits
	done
	series -b 2026-03-03T08:30:30Z -e 2026-03-03T11:00:00.000001Z >slice
	jq -c 'select(.ts >= 1772526630 and .ts <= 1772535600)' s | jq -c .ts | cmp - <(jq -c .ts slice)
	[ -z "$(sort slice | comm -23 - <(sort s))" ]
	for k in 1 2 3; do series -b 2026-03-03T08:30:30Z -e 2026-03-03T11:00:00.000001Z -k $k/3; done | cmp - slice
	[ -z "$(series -b 2027-01-01)" ]
	[ -z "$(series -e 2020-01-01)" ]
	series <w | cmp - s
	og-series -c "$CABLES" <w | cmp - s
}

@test "an incident that is taken out changes what it is about while it lasts, and nothing else" {
	local start end

	grep -v '"kind":"incident".*"type":"loss"' w >without
	og-series -c "$CABLES" -w without >other
	diff s other | sed -n 's/^< //p' >changed
	[ "$(jq -r '"\(.metric) \(.tags.link)"' changed | sort -u | paste -sd,)" = "loss_pct north-cable,rtt_ms north-cable,traffic_mbps north-cable" ]
	# Each changed minute has a burst in it, and each minute with a burst is changed.
	jq -r 'select(.kind == "incident" and .type == "loss") | .bursts[] | split("/") | map(.[:19] + "Z" | fromdate) | @tsv' w |
		awk '{ for (m = $1 - $1 % 60; m <= $2; m += 60) print m }' | sort -un >minutes
	jq -r 'select(.metric == "rtt_ms") | .ts' changed | sort -un | comm -3 - minutes >apart
	[ "$(wc -l <minutes)" -gt 200 ]
	[ "$(wc -l <apart)" -le 1 ]
	read -r start end < <(jq -r 'select(.kind == "incident" and .type == "weather") | .start + " " + .end' w)
	grep -v '"kind":"incident".*"type":"weather"' w | og-series -c "$CABLES" | diff s - | sed -n 's/^< //p' >changed
	[ "$(jq -r '"\(.metric) \(.tags.shore)"' changed | sort -u | paste -sd,)" = "cpu_pct isle,queue_depth isle,wind_mps isle" ]
	jq -e -s --arg b "$start" --arg e "$end" 'all(.ts + 600 > ($b | fromdate) and .ts < ($e | fromdate))' changed
}

@test "what calls wait for is what the series say, in bursts too" {
	local from=2025-12-03T12:00:00Z to=2025-12-03T20:00:00Z

	# Dependency spans over the sick circuit: 60 ms of their own, eight round trips; minute by minute.
	og-events -w f -n 3000000 -l keys -b $from -e $to 2>/dev/null | og-spans -w f -n 3000000 -l trace_spans -f csv |
		awk -F, '$8 == "HTTP POST" && $11 == "CKT-CEN-EAS-003" && $10 == "ok" { m = substr($1, 1, 16); n[m]++; sum[m] += $9 }
		END { for (m in n) if (n[m] >= 10) print m, sum[m] / n[m] }' | sort >met
	awk -F, '$4 == "CKT-CEN-EAS-003" { print substr($1, 1, 16), $5, $6 }' circuits | sort | join met - >both
	[ "$(wc -l <both)" -gt 200 ]
	# What is above 8 RTT is the inventory's own time and the trips that were lost.
	awk '{ own = $2 - 8 * $3; lost = 8 * $4 / 100 * 250
		if (own - lost < 30 || own - lost > 140) { print; bad++ } n++ }
	END { exit bad > n / 50 }' both
	awk '{ n++; x += $3; y += $2; xx += $3 * $3; yy += $2 * $2; xy += $3 * $2 }
	END { r = (n * xy - x * y) / sqrt((n * xx - x * x) * (n * yy - y * y)); print r; exit r < 0.9 }' both
}

@test "-i, -l, -f" {
	[ "$(series -i 1h | jq -r '"\(.metric) \(.ts % 3600)"' | sort -u | wc -l)" -eq 6 ]
	series -i 1h -b 2026-03-03 -e 2026-03-04 >hours
	[ "$(wc -l <hours)" -eq $((24 * (3 * 7 + 15 + 9 + 3))) ]
	# An hour of a series is not its first minute, when something goes wrong in between.
	[ "$(head -n 1 circuits)" = timestamp,src_region,dst_region,circuit_id,rtt_ms,packet_loss_pct,retransmits_per_s,throughput_mbps ]
	awk -F, 'NF != 8 { exit 1 } END { exit NR != 21 * 7 * 1440 + 1 }' circuits
	og-series -w f -l infra_host_metrics -b 2025-12-01 -e 2025-12-02 >hosts
	jq -e -s 'length == 60 * 288 and all(.cpu_pct >= 0 and .cpu_pct <= 100)' hosts
	[ "$(jq -r .host hosts | sort -u | wc -l)" -eq 60 ]
	[ "$(og-series -w f -l infra_host_metrics -f tsv -i 1h -b 2025-12-01 -e 2025-12-02 | wc -l)" -eq $((60 * 24 + 1)) ]
	# Names join: hosts of lines are hosts of the series.
	og-events -w f -l keys -b 2025-12-01 -e 2025-12-02 | og-logs -w f -l app_logs -f csv | awk -F, 'NR > 1 { print $5 }' | sort -u |
		comm -23 - <(jq -r .host hosts | sort -u) >strangers
	[ ! -s strangers ]
}

@test "the processors of a region in trouble are busy, and those of others are not" {
	og-series -w f -l infra_host_metrics -f csv -b 2025-12-02T09:40:00Z -e 2025-12-02T10:50:00Z |
		awk -F, '$2 == "central" { if ($4 < 60) exit 1; n++ } NR > 1 && $2 != "central" { if ($4 > 70) exit 1 } END { exit n != 168 }'
}

@test "bad usage" {
	refused 2 'og-series: w:1: a world of catalog "cables", not "social"' og-series -c social -w w
	og-entities -c social -n 10 >none
	refused 2 'og-series: catalog social has no series' og-series -w none
	refused 2 'og-series: /: Is a directory' og-series -w /
	refused 2 'og-series: no layout "no" in catalog fibersqs' og-series -w f -l no
	refused 2 'og-series: fibersqs: layout "wide" is not of series' og-series -w f -l wide
	refused 2 'og-series: fibersqs: layout "network_events" is not of series' og-series -w f -l network_events
	refused 2 'og-series: no format "xml": json, csv or tsv' og-series -w f -f xml
	refused 2 'og-series: samples are JSON: another format needs a layout' og-series -w f -f csv
	refused 2 'og-series: begin is not before end' og-series -w f -b 2025-12-02 -e 2025-12-01
	refused 2 'og-series: begin: "noon" is not a time such as 2025-12-03T12:20:00Z' og-series -w f -b noon
	refused 2 'og-series: end: "noon" is not a time such as 2025-12-03T12:20:00Z' og-series -w f -e noon
	for i in 0s 500ms 2d often 1.5s; do
		refused 2 "og-series: interval is not whole seconds from 1s to 1d: $i" og-series -w f -i "$i"
	done
	refused 2 'og-series: shard "1" is not K/N' og-series -w f -k 1
	refused 2 'og-series: shard is too large: 3/2' og-series -w f -k 3/2
	refused 2 'og-series: number of shards is too small: 0' og-series -w f -k 1/0
	refused 2 'og-series: nowhere: No such file or directory' og-series -w nowhere
	refused 2 'og-series: <stdin>:1: no header: there is nothing to read' og-series </dev/null
	run -2 --separate-stderr og-series operand
	[[ $stderr = "usage: og-series"* ]]
	# A catalog without series has none to tell of.
	[ -z "$(og-entities -c social -n 10 | og-series)" ]
}

@test "full disk, closed streams" {
	unwritten 'og-series -w f'
	unread 2 og-series
}
