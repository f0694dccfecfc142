#!/bin/sh
#
# Install what is missing on Debian: all that `make check` needs, or with "demo" only what `make demo` does, with "deb" what `make deb` does, with "live" the servers of test/live, too. Says nothing when there is nothing to do.
#
#	deps.sh [deb | demo | live]
set -eu

# What og is built from, and what the demo shows it with.
build="gcc libc6-dev make libbsd-dev libjsmn-dev libzstd-dev zlib1g-dev libcurl4-openssl-dev"
demo="bash ca-certificates coreutils curl jq xz-utils zstd"
# What a package is made with.
deb="debhelper dpkg-dev git"
# Servers that og is tested with.
servers="clickhouse-server postgresql victoria-metrics"
# And what its pages are looked at with.
browser="chromium fonts-dejavu-core"
# What packages are tried in, and several machines are made of.
machines="clickhouse-client iproute2 lintian mmdebstrap munge openssh-client openssh-server parallel python3-yaml slurm-wlm"
# What og is tested with.
check="bats bmake bsdextrautils clang clang-format clang-tidy cppcheck git groff-base jq libclang-rt-dev mandoc openssl procps python3 shellcheck util-linux valgrind"

case $#:${1-} in
0:) want="$build $demo $check" ;;
1:deb) want="$build $deb" ;;
1:live) want="$build $deb $demo $check $servers $browser $machines" ;;
1:demo) want="$build $demo" ;;
*)
	echo "usage: deps.sh [deb | demo | live]" >&2
	exit 2
	;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	echo "deps.sh: not a Debian system; og needs what these packages hold: $want" >&2
	exit 0
fi

missing=
for package in $want; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo >/dev/null; then
	as_root=sudo
else
	echo "deps.sh: run this as root first: apt-get install$missing" >&2
	exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# A lock that another apt holds is waited for.
apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1
}

# shellcheck disable=SC2086 # a list of words
install() {
	apt install --no-install-recommends $missing
}

echo "deps.sh: installing$missing" >&2
# A machine without package lists, or with old ones, needs new ones first.
if ! install && ! { apt update && install; }; then
	cat "$log" >&2
	echo "deps.sh: cannot install$missing" >&2
	exit 1
fi
