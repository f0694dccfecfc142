#!/bin/sh
#
# Run fuzzers for a while each, two at a time, and print TAP. What they find stays in build/fuzz; inputs that made a difference are kept there for next time.
#
#	fuzz.sh FUZZER...
#
# FUZZ_SECONDS is the time of each (20). test/fuzz/NAME/ may hold first inputs.
set -eu

seconds=${FUZZ_SECONDS:-20}

one() {
	name=$(basename "$1")
	mkdir -p "build/fuzz/corpus/$name"
	set -- "$1" "build/fuzz/corpus/$name"
	[ ! -d "test/fuzz/$name" ] || set -- "$@" "test/fuzz/$name"
	if "$@" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="build/fuzz/$name-" >"build/fuzz/$name.log" 2>&1; then
		echo "ok - fuzz $name: $(tail -n 1 "build/fuzz/$name.log")"
	else
		echo "not ok - fuzz $name"
		tail -n 60 "build/fuzz/$name.log" | sed 's/^/# /'
		return 1
	fi
}

# The catalog with an inventory is an addition to another one.
depot() {
	rm -rf build/fuzz/depot
	cp -r test/catalogs/orders build/fuzz/depot
	for table in test/catalogs/depot/*; do
		cat "$table" >>"build/fuzz/depot/${table##*/}"
	done
}

if [ "${1-}" = -1 ]; then
	one "$2"
	exit
fi
depot
echo "1..$#"
[ $# -eq 0 ] || printf '%s\0' "$@" | xargs -0 -P "${JOBS:-$(getconf _NPROCESSORS_ONLN)}" -n 1 sh "$0" -1
