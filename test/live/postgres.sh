#!/bin/sh
#
# Start Debian's PostgreSQL on loopback for tests, with a cluster of its own.
#
#	postgres.sh start FOLDER PORT    data in FOLDER/data; it answers when this returns
#	postgres.sh stop FOLDER
#
# The server refuses to be root, so root starts it as user postgres. Users: that one, without a password; database: postgres.
set -eu

usage() {
	sed -n 's/^#	//p' "$0" >&2
	exit 2
}

# As somebody who is not root.
as_user() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid postgres --regid postgres --clear-groups env -i PATH="$PATH" LC_ALL=C "$@"
	else
		env LC_ALL=C "$@"
	fi
}

newest() {
	for folder_of in /usr/lib/postgresql/*/bin; do
		[ ! -x "$folder_of/initdb" ] || echo "$folder_of"
	done | sort -V | tail -n 1
}

start() {
	mkdir -p "$folder"
	if [ "$(id -u)" -eq 0 ]; then
		chown postgres "$folder"
	fi
	as_user "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N >"$folder.initdb"
	# No socket in a folder of the system's; nothing has to survive the machine.
	cat >>"$folder/data/postgresql.conf" <<-EOF
		listen_addresses = '127.0.0.1'
		port = $port
		unix_socket_directories = ''
		fsync = off
		synchronous_commit = off
		full_page_writes = off
		shared_buffers = 128MB
		maintenance_work_mem = 128MB
		max_wal_size = 4GB
		logging_collector = off
	EOF
	as_user "$bin/pg_ctl" -s -w -t 60 -D "$folder/data" -l "$folder/log" start
}

bin=$(newest)
if [ -z "$bin" ]; then
	echo "postgres.sh: no PostgreSQL is installed: test/deps.sh live" >&2
	exit 1
fi
case $#:${1-} in
3:start)
	folder=$2 port=$3
	cd /
	start
	;;
2:stop)
	folder=$2
	cd /
	as_user "$bin/pg_ctl" -s -w -m immediate -D "$folder/data" stop
	;;
*) usage ;;
esac
