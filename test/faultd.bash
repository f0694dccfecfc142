# A server that fails as it is told, for the tests of one pusher.
# shellcheck shell=bash

# serve [OPTION...]: start it with what standard input holds as its script and the options that faulty() prints, wait until it listens, and
# set URL. Files that stale() names are removed.
# shellcheck disable=SC2046 # words
serve() {
	stop
	rm -f port $(stale)
	cat >script
	"$OG_ROOT/build/test/tools/faultd" $(faulty) -s script -l stored -r requests "$@" >port 3>&- &
	server=$!
	until [ -s port ]; do
		kill -0 "$server" || return 1
		sleep 0.01
	done
	# shellcheck disable=SC2034 # for tests
	URL=http://127.0.0.1:$(cat port)
}

stop() {
	[ -z "${server-}" ] || kill "$server" 2>/dev/null || true
	[ -z "${server-}" ] || wait "$server" || true
	server=
}

stale() {
	echo stored requests
}
