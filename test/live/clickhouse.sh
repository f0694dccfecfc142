#!/bin/sh
#
# Start a ClickHouse server on loopback for tests, or fetch the library of a current engine.
#
#	clickhouse.sh start FOLDER PORT    start Debian's server (18.16) with its data in FOLDER, and wait for it; FOLDER/pid is its process
#	clickhouse.sh kill FOLDER          end it as a crash does
#	clickhouse.sh stop FOLDER          end it in peace
#	clickhouse.sh engine               print the path of libchdb.so, fetched from npm into the cache folder ($OG_CACHE, by default ~/.cache/og)
#
# OG_CLICKHOUSE is more of its config.xml.
# Users: default without a password, writer with "geheim:1", small with 20 MB of memory for a query, tiny with 5 MB, reader that may not write.
set -eu

usage() {
	sed -n 's/^#	//p' "$0" >&2
	exit 2
}

write_files() {
	mkdir -p "$folder/data/tmp"
	cat >"$folder/config.xml" <<-EOF
		<yandex>
			<logger><level>error</level><console>1</console></logger>
			<http_port>$port</http_port>
			<listen_host>127.0.0.1</listen_host>
			<path>$folder/data/</path>
			<tmp_path>$folder/data/tmp/</tmp_path>
			<users_config>users.xml</users_config>
			<default_profile>default</default_profile>
			<default_database>default</default_database>
			<mark_cache_size>67108864</mark_cache_size>
			<max_concurrent_queries>${OG_QUERIES:-100}</max_concurrent_queries>
			<timezone>${OG_TIMEZONE:-UTC}</timezone>
			${OG_CLICKHOUSE:-}
		</yandex>
	EOF
	networks='<networks><ip>127.0.0.1</ip></networks><quota>default</quota>'
	cat >"$folder/users.xml" <<-EOF
		<yandex>
			<profiles>
				<default></default>
				<small><max_memory_usage>20000000</max_memory_usage></small>
				<tiny><max_memory_usage>5000000</max_memory_usage></tiny>
				<reader><readonly>1</readonly></reader>
			</profiles>
			<users>
				<default><password></password><profile>default</profile>$networks</default>
				<writer><password>geheim:1</password><profile>default</profile>$networks</writer>
				<small><password>small</password><profile>small</profile>$networks</small>
				<tiny><password>tiny</password><profile>tiny</profile>$networks</tiny>
				<reader><password>reader</password><profile>reader</profile>$networks</reader>
			</users>
			<quotas><default></default></quotas>
		</yandex>
	EOF
}

start() {
	if ! command -v clickhouse-server >/dev/null; then
		echo "clickhouse.sh: no clickhouse-server; Debian's package is called so" >&2
		exit 1
	fi
	write_files
	clickhouse-server --config-file="$folder/config.xml" >>"$folder/log" 2>&1 3>&- &
	echo $! >"$folder/pid"
	for _ in $(seq 200); do
		if curl -sf "http://127.0.0.1:$port/ping" >/dev/null; then
			return
		fi
		kill -0 "$(cat "$folder/pid")" 2>/dev/null || break
		sleep 0.1
	done
	tail -n 20 "$folder/log" >&2
	exit 1
}

# End it with a signal, and wait until it is gone.
end() {
	[ -s "$folder/pid" ] || return 0
	pid=$(cat "$folder/pid")
	kill -s "$1" "$pid" 2>/dev/null || true
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.05
	done
	rm "$folder/pid"
}

engine() {
	cache=${OG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/og}
	mkdir -p "$cache/chdb"
	cd "$cache/chdb"
	exec 9>"$cache/lock"
	flock 9
	if [ ! -s package/libchdb.so ]; then
		about=$(curl -sfL --retry 5 "${npm_config_registry:-https://registry.npmjs.org}/@chdb/lib-linux-x64-gnu/latest")
		curl -sfL --retry 5 -o chdb.tgz "$(echo "$about" | jq -r .dist.tarball)"
		echo "$(echo "$about" | jq -r .dist.shasum) chdb.tgz" | sha1sum --check --quiet
		tar xzf chdb.tgz package/libchdb.so
		rm chdb.tgz
	fi
	echo "$PWD/package/libchdb.so"
}

case $#:${1-} in
3:start)
	folder=$2 port=$3
	start
	;;
2:kill)
	folder=$2
	end KILL
	;;
2:stop)
	folder=$2
	end TERM
	;;
1:engine) engine ;;
*) usage ;;
esac
