# The recipes for more than one machine: what many make is what one makes, also when some of them die.
bats_require_minimum_version 1.5.0

load ../common

recipes=$OG_ROOT/share/og/recipes

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	og-entities -c social -b 2025-03-03 -e 2025-03-05 -n 8000 | og-incidents >world
	og-events -w world | og-spans -w world >spans
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	world=$BATS_FILE_TMPDIR/world
	spans=$BATS_FILE_TMPDIR/spans
}

teardown() {
	[ -z "${server-}" ] || kill -9 "$server" 2>/dev/null || true
}

root_only() {
	[ "$(id -u)" -eq 0 ] || skip "only root can make hosts"
}

# Nothing but whole shards, and what they are of.
whole() {
	[ -z "$(find "$1" -mindepth 1 ! -name 'spans-*-of-*.ndjson' ! -name '.spans-of-*')" ]
	cat "$1"/spans-*.ndjson | cmp - "$spans"
}

@test "a shard is made whole or not at all, once, by whoever comes first" {
	local jobs=()

	for k in 10 7 1 2 3 4 5 6 8 9; do
		"$recipes/shard" "$world" "$k/10" out 3>&- &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	for k in 1 2 3 4 5 6 7 8 9 10; do "$recipes/shard" "$world" "$k/10" out; done
	whole out
	# It is there: nothing is run.
	PATH=/usr/bin:/bin "$recipes/shard" "$world" 3/10 out
	run ! "$recipes/shard" /nowhere 3/11 out
	run ! "$recipes/shard" -l none "$world" 3/11 out
	mkdir bin
	printf '#!/bin/sh\n%s "$@"\nkill -9 $$\n' "$(command -v og-events)" >bin/og-events
	chmod +x bin/og-events
	PATH=$PWD/bin:$PATH run ! "$recipes/shard" "$world" 3/11 out
	whole out
	run -2 "$recipes/shard" "$world" 3 out
	[[ $output = *"shard [-l LAYOUT] WORLD K/N FOLDER"* ]]
}

@test "a shard of another world or layout is refused" {
	sed '1s/"requests":8000/"requests":7000/' "$world" >other
	"$recipes/shard" "$world" 1/2 out
	[ "$(find out -mindepth 1 | wc -l)" -eq 2 ]
	for k in 1 2; do
		run -2 "$recipes/shard" other "$k/2" out
		[ "$output" = "shard: out holds shards of another world or layout; give another folder" ]
		run -2 "$recipes/shard" -l log "$world" "$k/2" out
		run -2 "$recipes/shard" other "$k/2" out true
	done
	run -2 "$recipes/hosts" -n 2 other out 1/nohost
	[ "$output" = "hosts: out holds shards of another world or layout; give another folder" ]
	"$recipes/shard" "$world" 2/2 out
	whole out
	# What cannot be made claims nothing.
	run ! "$recipes/shard" -l none "$world" 1/3 out
	run ! "$recipes/shard" -l none "$world" 1/3 out cat
	"$recipes/shard" other 1/3 out
	[ -s out/spans-1-of-3.ndjson ]
}

@test "parallel over ssh: three hosts give the bytes of one, and nothing stays on them" {
	root_only
	mkdir net
	"$OG_ROOT/test/live/hosts.sh" net "$recipes/hosts" -n 10 "$world" "$PWD/out" 1/host1 1/host2 1/host3
	whole out
	[ -z "$(find net/host[1-3]/home -name 'og-*')" ]
	for n in 1 2 3; do [ "$(grep -c 'Accepted publickey' "net/host$n/log")" -gt 2 ]; done
	run -2 "$recipes/hosts" -l "log; id" "$world" "$PWD/out" 1/host1
	# A second run has nothing to do, so no host is asked.
	OG_SSH=false "$recipes/hosts" -n 10 "$world" "$PWD/out" 1/host1
}

# host2 never gets beyond a megabyte of its first shard.
stuck() {
	mkdir -p net/host2/bin
	printf '#!/bin/sh\n%s "$@" | head -c 1000000\ntouch %q\nexec sleep 1000\n' "$(command -v og-spans)" "$PWD/stuck" >net/host2/bin/og-spans
	chmod +x net/host2/bin/og-spans
}

# shellcheck disable=SC2016 # for the shell on the fourth host
@test "parallel over ssh: a host dies in the middle of a shard, and another one makes it" {
	root_only
	stuck
	cat >run <<-'END'
		recipes=$1 world=$2
		"$recipes/hosts" -n 10 "$world" "$PWD/out" 1/host1 1/host2 1/host3 &
		timeout 60 sh -c "until [ -e stuck ]; do sleep 0.05; done"
		net/die 2 >died
		wait $!
	END
	"$OG_ROOT/test/live/hosts.sh" net bash -eu run "$recipes" "$world"
	grep -q sleep died
	whole out
}

@test "parallel over ssh: all but one are down from the start; all are" {
	root_only
	mkdir net
	cat >run <<-'END'
		recipes=$1 world=$2
		net/die 1
		net/die 3
		"$recipes/hosts" -n 5 "$world" "$PWD/out" 1/host1 1/host2 1/host3
		net/die 2
		rm out/spans-4-of-5.ndjson out/spans-2-of-5.ndjson
		! "$recipes/hosts" -t 1 -n 5 "$world" "$PWD/out" 1/host1 1/host2 1/host3 2>said
	END
	"$OG_ROOT/test/live/hosts.sh" net bash -eu run "$recipes" "$world"
	grep -q '^hosts: no host made shard 2 4 of 5$' said
	[ "$(find out -name 'spans-*' | wc -l)" -eq 3 ]
}

# shellcheck disable=SC2016 # for shells to come
@test "Slurm: a job array gives the bytes of one machine; the task of a node that dies is run again" {
	root_only
	mkdir slurm bin out
	# The first who does shard 3 stops in the middle of it.
	cat >bin/og-spans <<-END
		#!/bin/sh
		if [ "\$SLURM_ARRAY_TASK_ID" = 3 ] && mkdir first 2>/dev/null; then
			$(command -v og-spans) "\$@" | head -c 100000
			echo "\$SLURMD_NODENAME" >stopped
			exec sleep 1000
		fi
		exec $(command -v og-spans) "\$@"
	END
	chmod +x bin/og-spans
	cat >run <<-'END'
		PATH=$PWD/bin:$PATH sbatch --wait --array=1-8 "$1/slurm" "$2" 8 out &
		timeout 60 sh -c "until [ -s stopped ]; do sleep 0.1; done"
		slurm/die "$(tr -d node <stopped)"
		wait $!
		[ "$(sinfo -h -t down -o %N)" = "$(cat stopped)" ]
	END
	"$OG_ROOT/test/live/slurm.sh" slurm bash -eu run "$recipes" "$world"
	whole out
	run -2 "$recipes/slurm" "$world" 8 out
	[[ $output = *"sbatch --array=1-N slurm"* ]]
}

# MANIFEST: what its container runs for each index, with the paths of this tree.
by_index() {
	/usr/bin/python3 - "$1" <<-'END'
		import sys, yaml
		spec = yaml.safe_load(open(sys.argv[1]))["spec"]
		container = spec["template"]["spec"]["containers"][0]
		print(spec["completions"], *[e["value"] for e in container["env"] if e["name"] == "SHARDS"])
		print(container["command"][2])
	END
}

@test "Kubernetes: the Job keeps to its schema, and what its pods run gives the bytes of one machine" {
	local n shards command

	"$OG_ROOT/test/live/kubernetes.py" "$recipes/kubernetes.yaml"
	for fault in 's/completions:/completion:/' 's/parallelism: 16/parallelism: "16"/' 's/restartPolicy: Never/restartPolicy: Nevr/' \
		's/- name: shard/- nam: shard/' 's/value: "64"/value: 64/' 's/\[ALL\]/ALL/'; do
		sed "$fault" "$recipes/kubernetes.yaml" >bad.yaml
		run -1 "$OG_ROOT/test/live/kubernetes.py" bad.yaml
		[[ $output = "job.spec"* ]]
	done
	by_index "$recipes/kubernetes.yaml" >parts
	{
		read -r n shards
		read -r command
	} <parts
	[ "$n" = "$shards" ]
	mkdir -p data/spans
	cp "$world" data/world.ndjson
	command=${command//\/usr\/share\/og\/recipes/$recipes}
	for ((i = 0; i < n; i++)); do
		JOB_COMPLETION_INDEX=$i SHARDS=$shards bash -c "${command//\/data/$PWD/data}"
	done
	[ "$(find data/spans -name 'spans-*' | wc -l)" -eq "$n" ]
	whole data/spans
}

sql() {
	curl -sS "http://127.0.0.1:$1/" --data-binary "$2"
}

@test "ClickHouse: insert tokens keep a shard from being doubled, with its journal lost or not" {
	local n port

	mkdir empty out
	(cd empty && exec "$OG_ROOT/build/test/tools/chdb" "$("$OG_ROOT/test/live/clickhouse.sh" engine)" "$BATS_TEST_TMPDIR/data") >port 2>log 3>&- &
	server=$!
	until [ -s port ]; do
		kill -0 "$server"
		sleep 0.05
	done
	port=$(cat port)
	sql "$port" "$(sed -n '/^CREATE TABLE IF NOT EXISTS spans_local/,/;/p' "$recipes/distributed.sql" | sed 's/ PARTITION BY.*/ SETTINGS non_replicated_deduplication_window = 10000/')"
	n=$("$recipes/shard" "$world" 1/1 out && wc -l <out/spans-1-of-1.ndjson)
	for k in 1 2 3; do
		setsid "$recipes/shard" "$world" "$k/3" out og-chpush -o -R 500 -C 1 -t spans_local "http://127.0.0.1:$port" 2>/dev/null 3>&- &
		shard=$!
		have=$(sql "$port" 'SELECT count() FROM spans_local')
		for ((i = 0; i < 1000; i++)); do
			[ "$(sql "$port" 'SELECT count() FROM spans_local')" -le $((have + 1000)) ] || break
			sleep 0.02
		done
		kill -9 -- -$shard
		wait "$shard" || true
		# The second host died with its disk.
		[ "$k" != 2 ] || rm -f "out/spans-$k-of-3.journal"
	done
	[ "$(sql "$port" 'SELECT count() FROM spans_local')" -lt "$n" ]
	for k in 1 2 3; do "$recipes/shard" "$world" "$k/3" out og-chpush -o -R 500 -C 1 -t spans_local "http://127.0.0.1:$port"; done
	[ "$(sql "$port" 'SELECT count(), uniqExact(span_id) FROM spans_local')" = "$n"$'\t'"$n" ]
	# Nor does a shard that is loaded again when all is done.
	rm out/*.journal
	"$recipes/shard" "$world" 3/3 out og-chpush -o -R 500 -C 1 -t spans_local "http://127.0.0.1:$port"
	[ "$(sql "$port" 'SELECT count() FROM spans_local')" = "$n" ]
}

@test "ClickHouse: two servers behind a Distributed table take a load whole, each a part" {
	local n ports shards=

	for i in 1 2; do
		ports[i]=$(free_port)
		shards+="<shard><replica><host>127.0.0.1</host><port>${ports[i]}</port></replica></shard>"
	done
	for i in 1 2; do
		http[i]=$(free_port)
		OG_CLICKHOUSE="<tcp_port>${ports[i]}</tcp_port><remote_servers><og>$shards</og></remote_servers>" \
			"$OG_ROOT/test/live/clickhouse.sh" start "$PWD/server$i" "${http[i]}"
		clickhouse-client --port "${ports[i]}" --multiquery <"$recipes/distributed.sql"
	done
	n=$(wc -l <"$spans")
	og-chpush -y -t spans -x insert_distributed_sync=1 "http://127.0.0.1:${http[1]}" <"$spans"
	for i in 1 2; do
		[ "$(sql "${http[i]}" 'SELECT count(), uniqExact(span_id) FROM spans')" = "$n"$'\t'"$n" ]
		[ "$(sql "${http[i]}" 'SELECT count() FROM spans_local')" -gt $((n / 3)) ]
		# A trace is on one server.
		sql "${http[i]}" 'SELECT DISTINCT trace_id FROM spans_local' >"traces$i"
	done
	[ -z "$(cat traces1 traces2 | sort | uniq -d)" ]
	for i in 1 2; do "$OG_ROOT/test/live/clickhouse.sh" kill "$PWD/server$i"; done
}

# The cluster itself is not in Debian: its URLs stand before a single server.
@test "VictoriaMetrics: a cluster's URL with a tenant in it takes every sample" {
	local port auth n

	port=$(free_port) auth=$(free_port)
	victoria-metrics -httpListenAddr="127.0.0.1:$port" -storageDataPath=data -retentionPeriod=100y -http.pathPrefix=/insert/0 -loggerLevel=ERROR 2>log 3>&- &
	server=$!
	cat >auth.yml <<-END
		users:
		  - bearer_token: geheim
		    url_map:
		      - src_paths: ["/insert/.*"]
		        url_prefix: http://127.0.0.1:$port/
		      - src_paths: ["/.*"]
		        url_prefix: http://127.0.0.1:$port/insert/0
	END
	echo 'Authorization: Bearer geheim' >header
	vmauth -httpListenAddr="127.0.0.1:$auth" -auth.config=auth.yml -loggerLevel=ERROR 2>auth.log 3>&- &
	proxy=$!
	curl -sf --retry 50 --retry-delay 1 --retry-connrefused -o /dev/null "http://127.0.0.1:$auth/health"
	og-metrics <"$spans" | og-vmpush -v -W 1s -T 20s -H header "http://127.0.0.1:$auth/insert/0/prometheus" 2>said || { cat said auth.log; return 1; }
	n=$(og-metrics <"$spans" | wc -l)
	grep "read $n = accepted $n + refused 0 + not delivered 0" said
	curl -sf "http://127.0.0.1:$port/insert/0/internal/force_flush"
	[ "$(curl -sf "http://127.0.0.1:$port/insert/0/prometheus/api/v1/export" -d 'match[]={__name__!=""}' | jq '.values | length' | awk '{ n += $1 } END { print n }')" = "$n" ]
	kill "$proxy"
}
