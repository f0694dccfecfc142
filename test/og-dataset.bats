# og-dataset: what it writes is what the programs write, in any number of shards, however often it is stopped.
bats_require_minimum_version 1.5.0

load common

week=(-c social -s 5 -b 2025-12-01 -e 2025-12-08 -n 1200 -u 300)

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	og-dataset "${week[@]}" -t -o one
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

# Every file of a data set with its sum, without what og-dataset keeps for itself.
sums() {
	(cd "$1" && find . -path ./.og-dataset -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
}

@test "the files are what a pipeline of the programs writes" {
	og-entities "${week[@]}" | og-incidents | cmp - one/world.ndjson
	og-events -w one/world.ndjson -l log | og-spans -w one/world.ndjson -l log | cmp - one/logs_1.jsonl
	og-events -w one/world.ndjson | og-spans -w one/world.ndjson | cmp - one/spans_1.jsonl
	og-metrics <one/spans_1.jsonl | cmp - one/metrics_1.jsonl
	[ "$(find one -maxdepth 1 -type f | sort | paste -sd ' ')" = \
		"one/deployment_schedule.json one/ground_truth.json one/logs_1.jsonl one/metrics_1.jsonl one/spans_1.jsonl one/summary.json one/validation_summary.json one/world.ndjson" ]
}

@test "the summary is true: options, counts, lines, bytes and sums" {
	jq -r '.files[] | "\(.sha256)  one/\(.file)"' one/summary.json >list
	[ "$(wc -l <list)" -eq 7 ]
	sha256sum --quiet -c list
	jq -r '.files[] | "\(.lines) \(.bytes) one/\(.file)"' one/summary.json | while read -r n bytes file; do
		[ "$(wc -l <"$file")" = "$n" ]
		[ "$(wc -c <"$file")" = "$bytes" ]
	done
	[ "$(jq -c '[.world.seed, .world.begin, .users, .options.shards, .options.tier2]' one/summary.json)" = \
		'[5,"2025-12-01T00:00:00Z",300,1,true]' ]
	[ "$(jq .spans one/summary.json)" = "$(grep -vc '"user_id":"system"' one/logs_1.jsonl)" ]
	[ "$(jq .spans_failed one/summary.json)" = "$(grep -c '"success":false' one/logs_1.jsonl)" ]
	[ "$(jq '.spans + .rollout_records' one/summary.json)" = "$(wc -l <one/logs_1.jsonl)" ]
	[ "$(jq '[.personas[].requests] | add' one/summary.json)" = "$(jq .requests one/summary.json)" ]
	[ "$(jq '[.actions[][].spans] | add' one/summary.json)" = "$(jq .spans one/summary.json)" ]
	[ "$(jq -r .time_range.first one/summary.json)" = "$(grep -v -m 1 '"user_id":"system"' one/logs_1.jsonl | jq -r .timestamp)" ]
}

@test "the schedule has every release of the world" {
	jq -r '.deployments[].releases[].release_id' one/deployment_schedule.json | sort >schedule
	jq -r 'select(.kind == "release").id' one/world.ndjson | sort >releases
	[ "$(wc -l <releases)" -gt 1000 ]
	[ -z "$(comm -23 releases schedule)" ]
}

@test "the truth has every incident of the world, with what it did" {
	[ "$(grep -c '"kind":"incident"' one/world.ndjson)" -ge 1 ]
	diff <(grep '"kind":"incident"' one/world.ndjson | jq -S -c 'del(.kind)') <(jq -S -c '.incidents[] | del(.counted, .reached, .harmed)' one/ground_truth.json)
	og-events -w one/world.ndjson -l keys | og-truth -w one/world.ndjson >counts
	diff <(jq -c 'select(.kind == "incident") | [.id, .spans_failed, .requests_slowed]' counts) \
		<(jq -c '.incidents[] | [.id, .counted.spans_failed, .counted.requests_slowed]' one/ground_truth.json)
	diff <(jq -c 'select(.kind == "reach") | [.incident, .service, .hops]' counts) \
		<(jq -c '.incidents[] | .id as $id | .reached[] | [$id, .service, .hops]' one/ground_truth.json)
}

@test "shards, one behind the other, are the whole, and their names are in order" {
	for jobs in 2 11; do
		og-dataset "${week[@]}" -t -j "$jobs" -o "shards.$jobs"
		for kind in logs metrics spans; do
			[ "$(find "shards.$jobs" -maxdepth 1 -name "${kind}_*.jsonl" | wc -l)" -eq "$jobs" ]
			cat "shards.$jobs/$kind"_*.jsonl | cmp - "one/${kind}_1.jsonl"
		done
		cmp "shards.$jobs/ground_truth.json" one/ground_truth.json
		diff <(jq 'del(.files, .options)' "shards.$jobs/summary.json") <(jq 'del(.files, .options)' one/summary.json)
		jq -r '.files[] | "\(.sha256)  \(.file)"' "shards.$jobs/summary.json" | (cd "shards.$jobs" && sha256sum --quiet -c)
	done
}

@test "options of the world and its incidents are passed on; a world may be given" {
	spec=component=redis_feed,duration=3h,errors=0.3,start=2025-12-0
	og-dataset -c social -b 2025-12-01 -e 2025-12-08 -n 500 -N -a "${spec}3" -a "${spec}5" -d spec -o drill
	og-entities -c social -b 2025-12-01 -e 2025-12-08 -n 500 | og-incidents -N -a "${spec}3" -a "${spec}5" -S spec |
		sed '1s/"level":"default"/"level":"spec"/' | cmp - drill/world.ndjson
	[ "$(jq '.incidents | length' drill/ground_truth.json)" -eq 2 ]
	og-dataset -w drill/world.ndjson -o again
	[ "$(sums drill)" = "$(sums again)" ]
	og-dataset --world drill/world.ndjson --requests 700 --output more
	[ "$(jq .world.requests more/summary.json)" -eq 700 ]
	sed '1s/"requests":500/"requests":700/' drill/world.ndjson | cmp - more/world.ndjson
}

@test "rows wished for come within one percent" {
	for rows in 1000 7000; do
		og-dataset -c shop -b 2026-03-02 -e 2026-03-09 -r "$rows" -o "rows.$rows"
		got=$(wc -l <"rows.$rows/logs_1.jsonl")
		((got * 100 >= rows * 99 && got * 100 <= rows * 101))
	done
	og-dataset -c shop -b 2026-03-02 -e 2026-03-09 -r 70000 -x 0.1 -o scaled
	[ "$(sums scaled)" = "$(sums rows.7000)" ]
	# A request has five rows, so that few numbers of requests will do; one request is the least there is.
	for rows in 999 1001; do
		og-dataset -c fibersqs -r "$rows" -o "sqs.$rows"
		got=$(($(wc -l <"sqs.$rows/data/clickhouse-app_logs.csv") - 1))
		((got * 100 >= rows * 99 && got * 100 <= rows * 101))
	done
	og-dataset -c fibersqs -r 1 -o sqs.1
	[ "$(jq .world.requests sqs.1/instructors/summary.json)" -eq 1 ]
}

@test "compressed files hold the same, and the archive is the same each time, without what is for instructors" {
	og-dataset "${week[@]}" -z zstd -A -v -o zst 2>said
	zstd -qdc zst/logs_1.jsonl.zst | cmp - one/logs_1.jsonl
	grep -q '^og-dataset: metrics_1.jsonl.zst: [0-9]* lines, [0-9]* bytes$' said
	[ "$(jq '.files[] | select(.file == "metrics_1.jsonl.zst").lines' zst/summary.json)" -eq "$(wc -l <one/metrics_1.jsonl)" ]
	og-dataset "${week[@]}" -z gzip -o gz
	gzip -dc gz/metrics_1.jsonl.gz | cmp - one/metrics_1.jsonl
	[ "$(zstd -qdc zst/social.tar.zst | tar -t | paste -sd ' ')" = "deployment_schedule.json logs_1.jsonl.zst metrics_1.jsonl.zst" ]
	mkdir unpacked
	zstd -qdc zst/social.tar.zst | tar -x -C unpacked
	cmp unpacked/logs_1.jsonl.zst zst/logs_1.jsonl.zst
	touch -d 2001-01-01 zst/logs_1.jsonl.zst
	sum=$(sha256sum <zst/social.tar.zst)
	rm zst/social.tar.zst
	og-dataset "${week[@]}" -z zstd -A -o zst
	[ "$(sha256sum <zst/social.tar.zst)" = "$sum" ]
}

@test "what is there is kept, what is gone or cut is made again" {
	cp -a one kept
	touch -d 2001-01-01 kept/logs_1.jsonl
	rm kept/metrics_1.jsonl
	head -c 1000 one/spans_1.jsonl >kept/spans_1.jsonl
	rm kept/summary.json
	og-dataset "${week[@]}" -t -o kept
	[ "$(sums kept)" = "$(sums one)" ]
	[ "$(stat -c %Y kept/logs_1.jsonl)" = "$(date -d 2001-01-01 +%s)" ]
	[ "$(find kept/.og-dataset -name tmp -o -name parts -o -name '*world*' -not -name world.ndjson)" = "" ]
}

@test "stopped and killed, it leaves no half file, and goes on" {
	for signal in TERM KILL HUP KILL TERM; do
		setsid -w og-dataset "${week[@]}" -t -j 2 -o stopped 2>/dev/null &
		sleep "0.$((RANDOM % 3 + 1))"
		leader=$(pgrep -P $! -f og-dataset || true)
		[ -z "$leader" ] || kill "-$signal" "$leader" 2>/dev/null || true
		wait $! || true
		for file in stopped/*; do
			[ "$file" = 'stopped/*' ] || [ "$(sha256sum <"$file")" = "$(sha256sum <"shards.2/${file#*/}")" ]
		done
	done
	og-dataset "${week[@]}" -t -j 2 -o stopped
	[ "$(sums stopped)" = "$(sums shards.2)" ]
	[ -z "$(pgrep -f "$BATS_FILE_TMPDIR/stopped" || true)" ]
}

@test "a folder of something else is left alone" {
	mkdir foreign
	echo mine >foreign/logs_1.jsonl
	run -2 og-dataset "${week[@]}" -o foreign
	[ "$(find foreign -type f)" = foreign/logs_1.jsonl ]
	before=$(sums one)
	run -2 --separate-stderr og-dataset "${week[@]}" -s 6 -t -o one
	[ "$stderr" = "og-dataset: one holds a data set of other options; give another -o, or remove it" ]
	run -2 og-dataset "${week[@]}" -t -j 2 -o one
	[ "$(sums one)" = "$before" ]
	og-dataset "${week[@]}" -t -o one
	[ "$(sums one)" = "$before" ]
}

@test "two at once in one folder: the second waits" {
	og-dataset "${week[@]}" -j 2 -o both &
	og-dataset "${week[@]}" -j 2 -o both
	wait $!
	cat both/logs_?.jsonl | cmp - one/logs_1.jsonl
}

@test "the folder may have any name" {
	for name in -x '-j 2' 'a b' "it's \$(touch pwned) *" $'two\nlines'; do
		og-dataset -c shop -s 5 -b 2025-12-01 -e 2025-12-02 -n 50 -u 10 -j 2 -A -o "$name"
		[ "$(find "./$name" -maxdepth 1 -name 'logs_*' | tr '\n' ' ' | grep -o 'logs_[0-9]' | wc -l)" -eq 2 ]
	done
	[ ! -e pwned ]
}

@test "what cannot be used is a usage error, and nothing is made" {
	for args in '' '-o x' '-c social' '-c none -o x' '-c social -o x more' '-c social -j 0 -o x' '-c social -j 1025 -o x' '-c social -j two -o x' \
		'-c social -r 0 -o x' '-c social -r 10 -n 5 -o x' '-c social -x 0 -r 5 -o x' '-c social -r 5 -x -1 -o x' \
		'-c social -x 0.5 -o x' '-c social -n 5 -x 0.5 -o x' '-c social -z lz4 -o x' \
		'-w none -o x' '-w one/world.ndjson -s 5 -o x' '-w one/world.ndjson -N -o x'; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr og-dataset $args
		[ -n "$stderr" ]
		[ ! -e x ]
	done
	run -2 --separate-stderr og-dataset -c social -n 0 -o x
	[ "$stderr" = 'og-entities: requests "0" is too small' ]
	for args in '-d leicht' '-s -1' '-u 0' '-b 2025-12-01 -e 2025-12-01' '-a garbage' '-a component=none' '-n 007' '-n x' '-r 100 -x 0.0000001'; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr og-dataset -c social $args -o x
		[ "$(wc -l <<<"$stderr")" -eq 1 ]
		[ ! -e x ]
	done
	[ "$stderr" = "og-dataset: scale is not 0.000001 to 999999.999999: 0.0000001" ]
	run -1 --separate-stderr bash -c 'og-dataset -h >/dev/full'
	[ "$stderr" = "og-dataset: cannot write to the standard output" ]
	run -1 --separate-stderr bash -c 'og-dataset -V >/dev/full'
	[ "$stderr" = "og-dataset: cannot write to the standard output" ]
}

@test "a world that cannot be used is refused once, under its own name, and nothing is made" {
	refused() {
		run -2 --separate-stderr og-dataset "${@:3}" -w "$1" -o unmade
		[ "$stderr" = "og-dataset: $1:$2" ] || { echo "$stderr" && return 1; }
		[ ! -e unmade ]
	}
	sed '/"kind":"incident"/d' one/world.ndjson >w
	local last=$(($(wc -l <w) + 1))
	{ cat w && echo junk; } >faulty && refused faulty "$last: not a JSON object"
	head -c 5000 w >faulty && refused faulty "$(wc -l <faulty | awk '{ print $1 + 1 }'): not a JSON object"
	sed 1p w >faulty && refused faulty "2: two headers"
	: >faulty && refused faulty "1: no header: there is nothing to read"
	sed 1d w >faulty && refused faulty "1: no header: the first line must be of kind \"world\""
	printf 'a\0b\n' >faulty && refused faulty "1: NUL byte"
	sed '1s/2025-12-08/2025-12-01/' w >faulty && refused faulty "1: begin is not before end"
	refused w "1: a world of catalog \"social\", not \"fibersqs\"" -c fibersqs
	# An incident of another year.
	og-incidents -N -a component=redis_feed,duration=3h,errors=0.3,start=2025-12-03 <w | sed '/"kind":"incident"/s/2025-12/2026-01/g' >faulty
	grep -q 2026-01 faulty
	run -2 --separate-stderr og-dataset -w faulty -o unmade
	[[ $stderr = "og-dataset: faulty:"*"dates: "* ]]
	[ ! -e unmade ]
	run -2 --separate-stderr og-dataset -w <(echo junk) -o unmade
	[[ $stderr = "og-dataset: /dev/fd/"*":1: not a JSON object" ]]
	# What was refused does not stand in the way, and a pipe is a world as well.
	og-dataset -w <(cat w) -o unmade
	cmp unmade/world.ndjson w
}

@test "a folder in a file's place, and a disk that takes no more, are said" {
	cp -a one foldered
	rm foldered/summary.json
	mkdir foldered/summary.json
	run -1 --separate-stderr og-dataset "${week[@]}" -t -o foldered
	[[ $stderr = *"cannot make summary.json" ]]
	[ -z "$(ls foldered/summary.json)" ]
	run -1 --separate-stderr bash -c 'ulimit -f 100 && og-dataset "$@"' - "${week[@]}" -o limited
	[[ $stderr = *"File too large"* && $stderr = *"cannot make the world, "* && $stderr != *exceeded* ]]
	[ ! -e limited ]
}

@test "stopped with many jobs it says one line" {
	og-dataset "${week[@]}" -n 20000 -j 200 -o many 2>said &
	until [ -n "$(ls many 2>/dev/null)" ]; do sleep 0.05; done
	kill $!
	wait $! || true
	[ "$(cat said)" = "og-dataset: stopped; the same command goes on where this one was" ]
}

@test "every row of a table is checked before anything is made, and the line is named" {
	mkdir -p checked
	cp "$OG_SHARE"/shop/*.tsv checked
	head='file chain format interval tier audience rows'
	check() {
		printf '# A table\n%s\n%s\n' "${head// /$'\t'}" 'logs_{k}.jsonl	events:log spans:log					yes' >checked/dataset.tsv
		printf '%s\n' "$1" >>checked/dataset.tsv
		run -2 --separate-stderr og-dataset -c ./checked -n 10 -o unmade.table
		[ "$stderr" = "og-dataset: ./checked/dataset.tsv:4: $2" ] || { echo "$stderr" && return 1; }
		[ ! -e unmade.table ]
	}
	check 'logs_{k}.jsonl	events					' 'a second row of logs_{k}.jsonl'
	check 'a						' 'no chain'
	check 'a_{k}_{k}	events					' '{k} stands in a file once: a_{k}_{k}'
	check 'a_{x}	events					' '{k} stands in a file once: a_{x}'
	check 'a_{k}	truth					' 'only what begins with events has {k}'
	check 'a	events				foo	' 'audience is instructors, or nothing: foo'
	check 'a	events					maybe' 'rows is yes, or nothing: maybe'
	check 'a	events			3		' 'tier is 1 or 2: 3'
	check 'a	events	xml				' 'format is json, csv or tsv: xml'
	check 'a	events spans metrics		soon			' 'interval is no duration such as 1m: soon'
	check 'a	truth:nofile=col					' 'no row of nofile'
	check 'a	truth:logs_{k}.jsonl=col					' 'truth is of a column of a CSV file: FILE=COLUMN'
	check 'a	check:nofile					' 'no row of nofile'
	check 'a	copy:nofile					' 'the catalog has no file nofile'
	check 'a	events more					' 'no program more'
	check '../a	events			2		' 'a file is a path below the output: ../a'
	# What only the programs know.
	unknown() {
		printf '%s\na\t%s\t\t%s\t\t\t\n' "${head// /$'\t'}" "$1" "$2" >checked/dataset.tsv
		run -2 --separate-stderr og-dataset -c ./checked -n 10 -o unmade.table
		[ "$stderr" = "og-dataset: ./checked/dataset.tsv: a: $3" ] || { echo "$stderr" && return 1; }
		[ ! -e unmade.table ]
	}
	unknown events:none '' 'events:none: og-events: no layout "none" in catalog checked'
	unknown 'events:log spans:none' '' 'spans:none: og-spans: no layout "none" in catalog checked'
	unknown alarms:none '' 'alarms:none: og-alarms: no layout "none" in catalog checked'
	unknown 'events spans metrics' 99999999d 'metrics: og-metrics: interval is no duration such as 15s, 5m or 1h: 99999999d'
}

@test "a catalog's own table: joined shards, CSV, copies, sums, other files" {
	cp -R "$OG_SHARE/shop" own
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' file chain format interval tier audience rows 'data/spans.csv' 'events:log spans:log' csv '' '' '' yes \
		'data/sums.ndjson' 'events spans metrics' '' 1d '' '' '' READ.md copy:places.tsv '' '' '' '' '' \
		truth/world.ndjson world '' '' '' instructors '' SHA256SUMS sums '' '' '' '' '' >own/dataset.tsv
	for jobs in 1 5; do
		og-dataset -c ./own -b 2026-03-02 -e 2026-03-09 -n 800 -j "$jobs" -A -o "own.$jobs"
		(cd "own.$jobs" && sha256sum --quiet -c SHA256SUMS)
	done
	[ "$(sums own.1)" = "$(sums own.5)" ]
	og-events -c ./own -w own.1/truth/world.ndjson -l log | og-spans -c ./own -w own.1/truth/world.ndjson -l log -f csv | cmp - own.1/data/spans.csv
	og-events -c ./own -w own.1/truth/world.ndjson | og-spans -c ./own -w own.1/truth/world.ndjson | og-metrics -c ./own -i 1d | cmp - own.1/data/sums.ndjson
	cmp own.1/READ.md own/places.tsv
	[ "$(zstd -qdc own.1/own.tar.zst | tar -t | paste -sd ' ')" = "READ.md SHA256SUMS data/spans.csv data/sums.ndjson" ]
	for bad in '/etc/x' '../x' 'a/../x' '' ; do
		sed "s|^data/spans.csv|$bad|" own/dataset.tsv >table
		mkdir -p bad
		cp own/*.tsv bad/
		cp table bad/dataset.tsv
		run -2 og-dataset -c ./bad -n 10 -o z
	done
	for bad in 'events sh' 'events spans;id' "events \$(id)"; do
		sed "s|events:log spans:log|$bad|" own/dataset.tsv >bad/dataset.tsv
		run -2 og-dataset -c ./bad -n 10 -o z
	done
}

@test "the FiberSQS exercise: rows wished for, tables, what trainees see, and the truth apart" {
	og-dataset -c fibersqs -r 100000 -x 0.05 -t -A -o sqs
	got=$(($(wc -l <sqs/data/clickhouse-app_logs.csv) - 1))
	((got >= 4950 && got <= 5050))
	world=sqs/instructors/world.ndjson
	og-events -w $world -l keys >names.keys
	og-logs -w $world -l app_logs -f csv <names.keys | cmp - sqs/data/clickhouse-app_logs.csv
	og-spans -w $world -l trace_spans -f csv <names.keys | cmp - sqs/data/clickhouse-trace_spans.csv
	og-tickets -w $world -l tso_calls -f csv <names.keys | cmp - sqs/data/clickhouse-tso_calls.csv
	og-events -w $world -l labels -f csv | cmp - sqs/instructors/labels.csv
	cmp sqs/README.md "$OG_SHARE/fibersqs/TRAINEE.md"
	og-series -w $world -l network_circuit_metrics -f csv | cmp - sqs/data/clickhouse-network_circuit_metrics.csv
	og-alarms -w $world -l network_events -f csv | cmp - sqs/data/clickhouse-network_events.csv
	og-events -w $world -l txn_facts | og-metrics -c fibersqs -l service_metrics -i 1m -f csv | cmp - sqs/data/clickhouse-service_metrics.csv
	[ "$(find sqs/data first -name '*.csv' 2>/dev/null | wc -l)" -eq 8 ]
	og-check -c fibersqs -w $world sqs | cmp - sqs/instructors/validation_summary.json
	jq -e .ok sqs/instructors/validation_summary.json
	# A level is that of what the line says.
	awk -F, -v OFS=, '!done && $12 == "worker_progress" { $6 = "ERROR"; done = 1 } 1' sqs/data/clickhouse-app_logs.csv >levels.csv
	cp -r sqs levels
	mv levels.csv levels/data/clickhouse-app_logs.csv
	run -1 --separate-stderr og-check -c fibersqs -w $world levels
	[ "$(jq -r '[.checks[] | select(.ok | not) | .name] | join(" ")' <<<"$output")" = level_else ]
	# Trainees get the tables and their README, and the incident is not named in it.
	zstd -qdc sqs/fibersqs.tar.zst | tar -t >names
	[ "$(grep -v '^data/clickhouse-[a-z_]*[.]csv$' names)" = README.md ]
	run ! grep -E "$(jq -r '[.primary_incident.id, .primary_incident.circuit_id] | join("|")' sqs/instructors/ground_truth.json)" sqs/README.md
	# The truth, in the words of the exercise.
	jq -e --argjson rows "$got" '.generation.row_counts.app_logs == $rows and .primary_incident.src_region == "central"
		and .primary_incident.dst_region == "east" and (.primary_incident.bursts | length > 100) and (.confounders | length > 0)
		and .tso_noise.total_calls == .generation.row_counts.tso_calls' sqs/instructors/ground_truth.json
	for noise in clean missing fabricated wrong_customer; do
		[ "$(jq ".tso_noise.noise_counts.$noise" sqs/instructors/ground_truth.json)" -eq "$(grep -c ",$noise," sqs/instructors/tso_truth.csv)" ]
	done
	og-dataset -c fibersqs -r 3000 -d hard -o hard || true
	[ "$(jq -r .generation.level hard/instructors/ground_truth.json)" = hard ]
	# Without the second tier, the first is the same.
	og-dataset -w $world -j 3 -o first
	[ ! -e first/data/clickhouse-txn_facts.csv ]
	for file in first/data/*.csv; do
		cmp "$file" "sqs/data/${file##*/}"
	done
}

@test "the FiberSQS exercise compressed: the verdict is the same, and the truth names the files that are there" {
	og-dataset -c fibersqs -n 500 -t -o sqs.none
	for end in gz zst; do
		compression=${end/gz/gzip}
		og-dataset -c fibersqs -n 500 -t -z "${compression/zst/zstd}" -o "sqs.$end"
		diff <(jq 'del(.tables)' "sqs.$end/instructors/validation_summary.json") <(jq 'del(.tables)' sqs.none/instructors/validation_summary.json)
		[ -z "$(find "sqs.$end" -name '*.csv')" ]
		diff <(jq 'del(.tso_noise.call_details, .labels)' "sqs.$end/instructors/ground_truth.json") \
			<(jq 'del(.tso_noise.call_details, .labels)' sqs.none/instructors/ground_truth.json)
		for key in .tso_noise.call_details .labels; do
			[ -s "sqs.none/$(jq -r "$key" sqs.none/instructors/ground_truth.json)" ]
			[ -s "sqs.$end/$(jq -r "$key" "sqs.$end/instructors/ground_truth.json")" ]
		done
	done
}

@test "on a terminal it says how far it is, and cleans up" {
	said=$(TERM=xterm script -qec "og-dataset -c social -b 2025-12-01 -e 2025-12-08 -n 15000 -j 2 -o shown" /dev/null)
	[[ $said =~ [0-9]+\ %,\ [0-9]+\ of\ about\ [0-9]+\ MB,\ [0-9]+\ MB/s ]]
	run -0 --separate-stderr og-dataset "${week[@]}" -o quiet
	[ -z "$stderr$output" ]
}

@test "a program that fails is said, and no file is left" {
	mkdir broken
	printf '#!/bin/sh\nhead -c 5000\nexit 1\n' >broken/og-metrics
	chmod 755 broken/og-metrics
	PATH=$BATS_FILE_TMPDIR/broken:$PATH run -1 --separate-stderr og-dataset "${week[@]}" -o failed
	[[ $stderr = *"cannot make metrics_1.jsonl"* ]]
	[ ! -e failed/metrics_1.jsonl ] && [ ! -e failed/summary.json ]
	og-dataset "${week[@]}" -o failed
	cmp failed/metrics_1.jsonl one/metrics_1.jsonl
}

@test "the truth of the exercise has the fix of its circuits, not of others or of before" {
	cd "$BATS_TEST_TMPDIR" || return 1
	cause='component=network,start=2025-12-03T12:00:00Z,duration=24h,links=CKT-CEN-WES-002|CKT-CEN-EAS-003'
	fix=component=network,role=fix,duration=1h
	og-dataset -c fibersqs -n 500 -N -a "$cause" -a "$fix,start=2025-12-02T12:00:00Z,links=CKT-CEN-WES-002" \
		-a "$fix,start=2025-12-04T12:00:00Z,links=CKT-NOR-EAS-011" -o none
	[ "$(jq -c '.primary_incident | [.circuit_ids, .fix_time]' none/instructors/ground_truth.json)" = '[["CKT-CEN-EAS-003","CKT-CEN-WES-002"],null]' ]
	og-dataset -c fibersqs -n 500 -N -a "$cause" -a "$fix,start=2025-12-02T12:00:00Z,links=CKT-CEN-WES-002" \
		-a "$fix,start=2025-12-04T12:00:00Z,links=CKT-NOR-EAS-011" -a "$fix,start=2025-12-05T12:00:00Z,links=CKT-CEN-WES-002" -o one
	[ "$(jq -r .primary_incident.fix_time one/instructors/ground_truth.json)" = 2025-12-05T12:00:00.000000Z ]
}
