#!/usr/bin/env bats
# og-check on a folder of tables: each kind of rule passes on what is right, and finds what is not, in the row where it stands.
# shellcheck disable=SC2154 # stderr comes from run

bats_require_minimum_version 1.5.0
load common

# Two days of a little service, as CSV: requests with lines in order, their trees, hosts, and a circuit whose delay its calls feel, during an incident.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	mkdir -p share/small dir/data
	cp "$OG_ROOT"/share/og/shop/*.tsv share/small
	cp -r "$OG_ROOT/share/og/default" share
	sed -i 's/^lines\t/texts\t/' share/default/layouts.tsv
	# One level, of which nothing comes.
	sed -i 's/^incident\t/&level\t/; /^[a-z]/!b; /^incident/b; s/\t/\t\t/; /^adFailure/{p;s/\t\t/\teasy\t/}' share/small/effects.tsv
	OG_SHARE=$PWD/share og-entities -c small -b 2025-01-01 -e 2025-01-03 -n 100 |
		OG_SHARE=$PWD/share og-incidents -N -a 'component=adFailure,start=2025-01-02T06:00:00Z,duration=2h' >dir/world.ndjson
	awk 'BEGIN {
		print "timestamp,id,trace,parent,ms,status" >"dir/data/clickhouse-spans.csv"
		print "timestamp,trace,span,host,event,text" >"dir/data/clickhouse-lines.csv"
		print "timestamp,host,cpu" >"dir/data/hosts.csv"
		print "timestamp,delay" >"dir/data/delays.csv"
		print "timestamp" >"dir/data/visits.csv"
		for (m = 0; m < 2880; m++) {
			day = 1 + int(m / 1440)
			t = sprintf("2025-01-%02dT%02d:%02d:", day, int(m / 60) % 24, m % 60)
			sick = m >= 1800 && m < 1920
			delay = (sick ? 100 : 20) + (m * 7919) % 13
			printf "%s00Z,%d\n", t, delay >"dir/data/delays.csv"
			if (m % 5 == 0)
				printf "%s00Z,h%d\n%s00Z,h%d\n", t, 1, t, 2 | "sed s/$/,33.5/ >>dir/data/hosts.csv"
			n = int(m / 60) % 24 < 12 ? 2 : 1
			for (i = 0; i < 12 * n; i++)
				printf "%s%02dZ\n", t, i >"dir/data/visits.csv"
			for (i = 0; i < n; i++) {
				k++
				ms = delay * 2 + k % 3
				fail = k % (sick ? 3 : 20) == 0
				printf "%s%02d.100000Z,a%d,t%d,,%d.5,%s\n", t, i * 20, k, k, ms + 20, fail ? "error" : "ok" >"dir/data/clickhouse-spans.csv"
				printf "%s%02d.105000Z,b%d,t%d,a%d,%d,ok\n", t, i * 20, k, k, k, ms >"dir/data/clickhouse-spans.csv"
				# The clock of h2 is 30 ms slow.
				printf "%s%02d.%s00Z,t%d,a%d,h%d,start,\"one, \"\"two\"\"\"\n", t, i * 20, k % 2 ? "1010" : "0710", k, k, 1 + (k + 1) % 2 >"dir/data/clickhouse-lines.csv"
				printf "%s%02d.%s00Z,t%d,b%d,h%d,%s,x\n", t, i * 20, k % 2 ? "8000" : "7700", k, k, 1 + (k + 1) % 2, fail ? "failed" : "done" >"dir/data/clickhouse-lines.csv"
			}
		}
	}'
	echo "{\"rows\":{\"spans\":$(($(wc -l <dir/data/clickhouse-spans.csv) - 1)),\"half\":[1]},\"one\":$(($(wc -l <dir/data/clickhouse-lines.csv) - 2)),\"two\":1}" >dir/ground_truth.json
	cp "$OG_ROOT/test/rules.tsv" share/small/checks.tsv
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -r "$BATS_FILE_TMPDIR/dir" "$BATS_FILE_TMPDIR/share" .
	export OG_SHARE=$PWD/share
}

broken() {
	jq -r '[.checks[] | select(.ok | not) | .name] | join(" ")'
}

@test "what is right passes, and what cannot be known is said" {
	run -0 og-check dir
	jq . <<<"$output"
	[ "$(jq -r '.ok, .kind, .catalog' <<<"$output" | paste -sd' ')" = "true tables small" ]
	[ "$(jq -r '[.checks[] | select(has("unknown")) | .name] | join(" ")' <<<"$output")" = "no_truth elsewhere" ]
	[ "$(jq '[.checks[] | select(.name == "easy")] | length' <<<"$output")" -eq 0 ]
	[ "$(jq -r '.checks[] | select(.name == "truth_spans") | .source' <<<"$output")" = "as written" ]
	[ "$(jq '.checks[] | select(.name == "day") | .value' <<<"$output")" = 2 ]
	jq -e '.checks[] | select(.name == "felt") | .value > 0.95' <<<"$output"
	[ "$(jq '.checks[] | select(.name == "roots") | .value' <<<"$output")" -eq 4320 ]
}

# What each rule must find: its name, the table, and what does it to that; the names of others that must notice, too.
@test "what is planted is found by its rule, in its row" {
	local names table command found count=0 bad=0

	while IFS=$'\t' read -r names table command; do
		cp -r "$BATS_FILE_TMPDIR/dir/data/." dir/data
		bash -c "$command" <"$BATS_FILE_TMPDIR/dir/data/$table" >"dir/data/$table"
		! cmp -s "$BATS_FILE_TMPDIR/dir/data/$table" "dir/data/$table" || { echo "nothing planted: $command"; bad=1; }
		run --separate-stderr og-check -v dir
		found=$(broken <<<"$output")
		[ "$status" -eq 1 ] && [ "$found" = "$names" ] || { echo "$names: $command: exit $status, found $found: $stderr"; bad=1; }
		count=$((count + 1))
	done <<'PLANTS'
truth_spans line_spans parents inside	clickhouse-spans.csv	sed 100d
truth_lines	clickhouse-lines.csv	sed '$d'
truth_lines order	clickhouse-lines.csv	sed '11{p;x;s/.*/x/;x}' | sed '12s/,done,/,start,/'
span_ids line_spans	clickhouse-spans.csv	sed '/,b78,/s/b78/b77/'
pairs	hosts.csv	sed '12{p;s/33.5/34.5/}'
line_spans	clickhouse-lines.csv	sed '20,21s/,t/,u/'
line_hosts	clickhouse-lines.csv	sed 's/,h2,/,h3,/'
parents inside	clickhouse-spans.csv	sed '41s/,a[0-9]*,/,zz,/'
first skew	clickhouse-spans.csv	sed '2,3s/2025-01-01/2024-12-31/'
last skew	clickhouse-spans.csv	tac | sed '1,2s/2025-01-02/2025-01-03/' | tac
order	clickhouse-lines.csv	awk 'NR == 30 { held = $0; next } 1; NR == 31 { print held }'
order	clickhouse-lines.csv	awk 'NR == 31 { held = $0; next } 1; NR == 37 { print held }'
order	clickhouse-lines.csv	sed '31s/,done,/,dreaming,/'
order	clickhouse-lines.csv	sed '31s/[.][78][07]00/.0100/'
order	clickhouse-lines.csv	awk -F, -v OFS=, 'NR == 30 { t = $1 } NR == 31 { $1 = t } 1'
inside	clickhouse-spans.csv	awk -F, -v OFS=, 'NR == 51 { $5 = 99 } 1'
inside	clickhouse-spans.csv	awk -F, -v OFS=, 'NR == 51 { sub(/[.]105/, ".099", $1) } 1'
line_spans inside	clickhouse-spans.csv	sed '50s/,t25,/,t24,/'
skew	clickhouse-lines.csv	sed '60s/[.]0710/.0690/; 62s/[.]0710/.0690/'
felt	delays.csv	awk -F, -v OFS=, 'NR > 1 { $2 = 50 + (NR * 104729) % 17 } 1'
truth_spans line_spans roots	clickhouse-spans.csv	grep -v 'T14:'
day	visits.csv	grep -v 'T14:'
PLANTS
	[ "$bad" -eq 0 ] && [ "$count" -eq 22 ]
}

# The largest table is read last, and only once if all that its rows are looked for in was read before.
@test "which table is the largest changes nothing" {
	local table pad quote
	printf -v pad '%*s' 2000 ''

	# Some rows without their like, on either side; and keys that come again, next to each other and far apart.
	sed -i '20,21s/,t/,u/; 700s/,h[12],/,h9,/; 900s/,a[0-9]*,/,a1,/' dir/data/clickhouse-lines.csv
	sed -i '100d; 2000,2001s/,t[0-9]*,/,t7,/; 300s/,b[0-9]*,/,b9,/; 301s/,a[0-9]*,/,a9,/' dir/data/clickhouse-spans.csv
	sed -i '12p; 500s/h1/h3/' dir/data/hosts.csv
	run -1 --separate-stderr og-check -v dir
	printf '%s\n' "$output" "$stderr" >want
	[ "$(broken <<<"$output" | wc -w)" -ge 7 ]
	for table in clickhouse-spans clickhouse-lines hosts delays visits; do
		for quote in '' '"'; do
			cp -r dir padded
			sed "1s/\$/,pad/; 1!s/\$/,$quote${pad// /x}$quote/" dir/data/$table.csv >padded/data/$table.csv
			[ -z "$(find padded -size +"$(stat -c %s padded/data/$table.csv)"c)" ]
			run -1 --separate-stderr og-check -v padded
			printf '%s\n' "$output" "${stderr//padded/dir}" | cmp - want
			rm -r padded
		done
	done
}

@test "statistics follow the rows that their conditions select" {
	# During the incident as slow as ever.
	awk -F, -v OFS=, 'NR > 1 && $5 > 100 { $5 = $5 / 4 } 1' "$BATS_FILE_TMPDIR/dir/data/clickhouse-spans.csv" >dir/data/clickhouse-spans.csv
	run -1 og-check dir
	[[ " $(broken <<<"$output") " == *" mean "* && " $(broken <<<"$output") " == *" p95 "* ]]
	# Nobody fails more often.
	cp "$BATS_FILE_TMPDIR/dir/data/clickhouse-spans.csv" dir/data
	sed -i 's/,error$/,ok/; 40~40s/,ok$/,error/' dir/data/clickhouse-spans.csv
	run -1 og-check dir
	[ "$(broken <<<"$output")" = failures ]
	# The emptiest hour of few rows is a matter of chance, and so is the end of a distribution.
	sed -i '20000q' dir/data/visits.csv
	sed -i '600q' dir/data/clickhouse-spans.csv
	run -1 og-check dir
	[ "$(jq -r '[.checks[] | select(.unknown == "too few rows") | .name] | join(" ")' <<<"$output")" = "mean p95 p99 failures tail day" ]
	# Without the incident there is nothing to compare.
	grep -v '"incident"' "$BATS_FILE_TMPDIR/dir/world.ndjson" >calm
	run og-check -w calm dir
	[ "$(jq -r '.checks[] | select(.name == "mean") | .unknown' <<<"$output")" = "too few rows" ]
}

@test "tables that are none, rules that are none" {
	local rule

	printf 'a,b\n1,2\n1,2,3\n' >dir/data/moon.csv
	run -1 --separate-stderr og-check dir
	[ -z "$output" ]
	[[ "$stderr" == "og-check: dir/data/moon.csv:3: more cells than columns" || "$stderr" == *"no column"* ]]
	printf 'id\n"1\n' >dir/data/moon.csv
	run -1 --separate-stderr og-check dir
	[[ "$stderr" == "og-check: dir/data/moon.csv:2: a quoted cell without an end" ]]
	: >dir/data/moon.csv
	run -1 --separate-stderr og-check dir
	[[ "$stderr" == "og-check: dir/data/moon.csv: no row of names" ]]
	printf 'id\r\n"a ""b"", c"\r\n"two\nlines"\r\n' >dir/data/moon.csv
	og-check dir >verdict
	[ "$(jq '.checks[] | select(.name == "elsewhere") | .rows' verdict)" -eq 2 ]
	printf 'name\n1\n' >dir/data/moon.csv
	run -1 og-check dir
	[ "$(jq -r '.checks[] | select(.name == "elsewhere") | .first[0].what' <<<"$output")" = 'there is no column "id"' ]
	# Times are told as such.
	sed -i '2,3s/2025-01-01/2024-12-31/' dir/data/clickhouse-spans.csv
	run -1 og-check dir
	[ "$(jq -r '.checks[] | select(.name == "first") | .value, .first[0].what' <<<"$output" | paste -sd'|')" = \
		"2024-12-31T00:00:00.100000Z|2024-12-31T00:00:00.100000Z is before 2025-01-01T00:00:00Z" ]
	rm dir/data/moon.csv
	echo '{' >dir/ground_truth.json
	run -1 --separate-stderr og-check dir
	[[ "$stderr" == *"ground_truth.json: "* ]]
	rm dir/ground_truth.json
	while IFS= read -r rule; do
		printf 'check\tkind\tof\tagainst\tby\tlow\thigh\tlevel\tsource\n%b\n' "$rule" >share/small/checks.tsv
		run -2 --separate-stderr og-check dir
		[[ "$stderr" == "og-check: "*"checks.tsv:2: "* ]] || { echo "$rule: $status $stderr"; return 1; }
	done <<'RULES'
x\tmoon\tspans\t\t\t\t\t\t
\trows\tspans\t\t\t\t\t\t
x\trows\t\t\t\t\t\t\t
x\tunique\tspans\t\t\t\t\t\t
x\texists\tspans.id\t\t\t\t\t\t
x\tunique\tspans.id\tspans.id\t\t\t\t\t
x\trows\tspans[id=1\t\t\t\t\t\t
x\trows\tspans[id]\t\t\t\t\t\t
x\trows\tspans[@]\t\t\t\t\t\t
x\trows\tspans[ms>x]\t\t\t\t\t\t
x\trows\tspans[@moon]\t\t\t\t\t\t
x\trows\tspans[id@cause.moon]\t\t\t\t\t\t
x\trows\tspans[@cause*.latency]\t\t\t\t\t\t
x\tmean\tspans.ms\t\ta/b/c\t\t\t\t
x\tday\tspans\t\ta/b\t\t\t\t
x\tunique\tspans.id\t\tid\t\t\t\t
x\tinside\tspans.timestamp+ms\t\ttrace/id\t\t\t\t
x\tinside\tspans.timestamp\t\ttrace/id/parent\t\t\t\t
x\torder\tlines.timestamp\tevent\ttrace\t\t\t\t
x\torder\tlines.timestamp\tevent=a<b\t\t\t\t\t
x\trows\tspans\t\t\tabc\t\t\t
x\trows\tspans\t\t\t\t9e9\t\t
x\trows\tspans\t\t\t1|moon\t\t\t
x\trows\tspans\t\t\t=\t\t\t
x\trows\tspans\t\t\t2\t1\t\t
x\tmin\tspans.timestamp\t\t\tend\tbegin\t\t
x\tmean\tspans.ms\t\tid\t2\t1\t\t
x\texists\tspans.id+trace\tspans.id\t\t\t\t\t
x\tmissing\tspans.id\tspans.id+trace\t\t\t\t\t
x\toffset\tlines.span+trace\tspans.id\t\t\t\t\t
x\trows\tspans[]\t\t\t\t\t\t
x\trows\tspans[id=1&]\t\t\t\t\t\t
x\trows\tspans\t\t\t\t\tmoon\t
x\trows\tspans\t\t\t\t\teasy,moon\t
RULES
	# The columns of a table are known where the catalog lays it out.
	cp -r "$OG_ROOT/share/og/fibersqs" share
	og-entities -c fibersqs -n 10 | og-incidents -N >laid.ndjson
	while IFS= read -r rule; do
		printf 'check\tkind\tof\tagainst\tby\tlow\thigh\tlevel\tsource\n%b\n' "$rule" >share/fibersqs/checks.tsv
		run -2 --separate-stderr og-check -w laid.ndjson dir
		[[ "$stderr" == "og-check: "*"checks.tsv:2: the layout has no column \"moon\"" ]] || { echo "$rule: $status $stderr"; return 1; }
	done <<'RULES'
x\tunique\tapp_logs.span_id+moon\t\t\t\t\t\t
x\trows\tapp_logs[moon=1]\t\t\t\t\t\t
x\texists\tapp_logs.span_id\ttrace_spans.moon\t\t\t\t\t
x\tmean\ttxn_facts.end_to_end_latency_ms\tapp_logs.http_status\torigin_region/moon\t\t\t\t
x\torder\tapp_logs.timestamp\tmoon=a<b\ttransaction_id\t\t\t\t
x\torder\tapp_logs.timestamp\t\ttransaction_id/moon\t\t\t\t
RULES
	run -2 --separate-stderr og-check -S moon dir
	[ "$stderr" = 'og-check: no level "moon"' ]
	run -2 --separate-stderr og-check -S eas dir

	printf 'check\tkind\tof\n' >share/small/checks.tsv
	run -2 --separate-stderr og-check dir
	rm share/small/checks.tsv
	run -2 --separate-stderr og-check dir
	[[ "$stderr" == "og-check: small: the catalog has no rules for tables: no checks.tsv in $OG_SHARE/small" ]]
	run -2 --separate-stderr og-check /nonexistent
	[[ "$stderr" == "og-check: /nonexistent: No such file or directory" ]]
	run -2 --separate-stderr og-check -w dir/world.ndjson /nonexistent
	[[ "$stderr" == "og-check: /nonexistent: No such file or directory" ]]
	run -2 --separate-stderr og-check dir/world.ndjson
	[[ "$stderr" == "og-check: dir/world.ndjson: no folder; "* ]]
	run -2 --separate-stderr og-check dir/data
	[[ "$stderr" == "og-check: dir/data: neither instructors/world.ndjson nor world.ndjson is there; "* ]]
	run -2 --separate-stderr og-check -l wide dir
	run -2 --separate-stderr og-check dir dir
}

# Two days of three circuits and the calls over them. Two have their own causes, at times that overlap, and one of these a second one later.
circuits() {
	mkdir -p own/data
	cp -r "$OG_ROOT/share/og/fibersqs" share/fibersqs
	og-entities -c fibersqs -b 2025-12-01 -e 2025-12-03 -n 100 | og-incidents -N \
		-a 'component=circuit,role=cause,start=2025-12-01T06:00:00Z,duration=4h,ramp=0s,links=CKT-CEN-WES-002,rtt_ms=4..6' \
		-a 'component=circuit,role=cause,start=2025-12-01T08:00:00Z,duration=5h,ramp=0s,links=CKT-CEN-EAS-003,rtt_ms=8..9' \
		-a 'component=circuit,role=cause,start=2025-12-02T20:00:00Z,duration=2h,ramp=0s,links=CKT-CEN-WES-002,rtt_ms=4..6' >own/world.ndjson
	awk 'BEGIN {
		print "timestamp,link,rtt" >"own/data/circuits.csv"
		print "timestamp,link,ms,ok" >"own/data/calls.csv"
		print "timestamp,load" >"own/data/hosts.csv"
		split("CKT-CEN-WES-002 CKT-CEN-EAS-003 CKT-EAS-WES-009", link, " ")
		for (m = 0; m < 2880; m++) {
			t = sprintf("2025-12-%02dT%02d:%02d:00Z", 1 + int(m / 1440), int(m / 60) % 24, m % 60)
			odd = (m * 7919) % 100 / 100
			factor[1] = (m >= 360 && m < 600) || (m >= 2640 && m < 2760) ? 4 + 2 * odd : 1
			factor[2] = m >= 480 && m < 780 ? 8 + odd : 1
			factor[3] = 1
			for (i = 1; i <= 3; i++) {
				rtt = 10 * i * factor[i]
				printf "%s,%s,%.2f\n", t, link[i], rtt >"own/data/circuits.csv"
				printf "%s,%s,%.2f,%s\n", t, link[i], 8 * rtt + (m * 104729) % 20, m % 200 ? "yes" : "no" >"own/data/calls.csv"
			}
			for (i = 0; i < 2; i++)
				print t "," 20 + 2 * (int(m / 60) % 24) + (m + i) % 3 >"own/data/hosts.csv"
		}
	}'
	{
		printf 'check\tkind\tof\tagainst\tby\tlow\thigh\tlevel\tsource\n'
		printf 'sick\tmean\tcircuits.rtt[link@cause]\tcircuits.rtt[link=@cause & link!@cause*]\tlink\t@cause.rtt_ms\t@cause.rtt_ms*1.01\t\t\n'
		printf 'felt\tcorrelation\tcircuits.rtt[link@cause.rtt_ms]\tcalls.ms[link@cause.rtt_ms]\tlink/link\t0.8|@cause.rtt_ms*0.2\t1\t\t\n'
		printf 'well\tmean\tcalls.ms[@cause & link!@cause]\tcalls.ms[!@cause & link!@cause]\tlink\t0.95\t1.05\t\t\n'
		printf 'busy\tmean\thosts.load[@cause]\thosts.load[!@cause]\t@hour\t0.95\t1.05\t\t\n'
		printf 'rare\tshare\tcalls[ok=no]\tcalls\t\t\t0.005\t\t\n'
		printf 'lost\tmean\tcircuits.rtt[link@cause.loss_pct]\t\t\t\t\t\t\n'
		printf 'unsaid\tmean\tcircuits.rtt\t\t\t@fix.weight\t\t\t\n'
	} >share/fibersqs/checks.tsv
}

@test "every circuit is checked by its own incidents, every hour by the same one, and the world says how much" {
	local names table command found bad=0

	circuits
	run -0 og-check own
	[ "$(jq -r '[.checks[] | select(has("unknown")) | .name] | join(" ")' <<<"$output")" = unsaid ]
	[ "$(jq -c '.checks[] | select(.name == "sick") | [.groups[].name], ([.groups[].value | round])' <<<"$output" | paste -sd' ')" = \
		'["CKT-CEN-WES-002","CKT-CEN-EAS-003"] [5,8]' ]
	[ "$(jq -c '.checks[] | select(.name == "well") | ([.groups[].name] | sort)' <<<"$output")" = '["CKT-CEN-EAS-003","CKT-CEN-WES-002","CKT-EAS-WES-009"]' ]
	[ "$(jq '.checks[] | select(.name == "busy") | .groups | length' <<<"$output")" -eq 9 ]
	while IFS=$'\t' read -r names table command; do
		cp own/data/"$table" kept
		bash -c "$command" <kept >own/data/"$table"
		! cmp -s kept own/data/"$table" || { echo "nothing planted: $command"; bad=1; }
		run --separate-stderr og-check -v own
		found=$(broken <<<"$output")
		[ "$status" -eq 1 ] && [ "$found $(jq -r '[.checks[] | select(.ok | not) | .first[0].what | split(": ")[0]] | unique | join(" ")' <<<"$output")" = "$names" ] ||
			{ echo "$names: $command: exit $status, found $found: $stderr"; bad=1; }
		cp kept own/data/"$table"
	done <<'PLANTS'
sick CKT-CEN-EAS-003	circuits.csv	awk -F, -v OFS=, '$2 == "CKT-CEN-EAS-003" && $3 > 20 { $3 /= 2 } 1'
sick CKT-CEN-WES-002	circuits.csv	awk -F, -v OFS=, '$2 == "CKT-CEN-WES-002" && $3 > 10 { $3 *= 1.3 } 1'
felt CKT-CEN-WES-002	calls.csv	awk -F, -v OFS=, '$2 == "CKT-CEN-WES-002" && $3 > 200 { $3 = 400 + NR % 7 } 1'
well CKT-EAS-WES-009	calls.csv	awk -F, -v OFS=, '$2 == "CKT-EAS-WES-009" && $1 > "2025-12-01T09" && $1 < "2025-12-01T12" { $3 *= 1.5 } 1'
busy 21:00	hosts.csv	awk -F, -v OFS=, '$1 > "2025-12-02T21" && $1 < "2025-12-02T22" { $2 *= 1.2 } 1'
PLANTS
	[ "$bad" -eq 0 ]
	# A few more are chance, many more are none.
	sed -i '2,20s/yes$/no/' own/data/calls.csv
	og-check own >verdict
	sed -i '20,80s/yes$/no/' own/data/calls.csv
	run -1 og-check own
	[ "$(broken <<<"$output")" = rare ]
	sed -i 's/\t0.005\t/\t@moon.rtt_ms\t/' share/fibersqs/checks.tsv
	run -2 --separate-stderr og-check own
	[[ "$stderr" == *'checks.tsv:6: check "rare": a bound is no number' ]]
}

@test "compressed tables are read as others are, and one that is cut is no table" {
	og-check dir >plain
	gzip dir/data/clickhouse-*.csv dir/data/hosts.csv
	zstd -q --rm dir/data/delays.csv dir/data/visits.csv
	[ -z "$(find dir -name '*.csv')" ]
	og-check dir >packed
	diff <(jq 'del(.tables)' plain) <(jq 'del(.tables)' packed)
	[ "$(jq -r '.tables | [.spans, .delays] | join(" ")' packed)" = "clickhouse-spans.csv.gz delays.csv.zst" ]
	# The fault is in the row where it stands.
	gzip -dc dir/data/clickhouse-spans.csv.gz | sed '2s/^/x/' | gzip >dir/data/bad.gz
	mv dir/data/bad.gz dir/data/clickhouse-spans.csv.gz
	run -1 --separate-stderr og-check -v dir
	[[ $stderr = *"clickhouse-spans.csv.gz:2: "* ]]
	for file in clickhouse-lines.csv.gz delays.csv.zst; do
		cp "dir/data/$file" whole
		head -c "$(($(stat -c %s whole) / 2))" whole >"dir/data/$file"
		run -1 --separate-stderr og-check dir
		[[ $stderr = *"$file"*": cannot be unpacked to its end" ]]
		[ -z "$output" ]
		cp whole "dir/data/$file"
	done
	mkdir none
	run -1 --separate-stderr env PATH="$PWD/none" "$OG_ROOT/bin/og-check" dir
	[[ $stderr = *"gzip: No such file or directory" ]]
}
