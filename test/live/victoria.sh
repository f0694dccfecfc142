#!/bin/sh
#
# Build a server of the Victoria family from the sources that Debian's next release packages, and print the path of the binary.
#
#	victoria.sh [victoria-logs | victoria-metrics]
#
# Nothing is installed: packages are fetched by apt with a state of its own and unpacked into the cache folder ($OG_CACHE, by default
# ~/.cache/og), from the mirror and with the keyring that this machine uses already. A binary that exists is not built again.
set -eu

app=${1:-victoria-logs}
suite=trixie
go=1.24
import=github.com/VictoriaMetrics/VictoriaMetrics/app/$app
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

case $# in 0 | 1) ;; *) app= ;; esac
case $app in
victoria-logs | victoria-metrics) ;;
*)
	echo "usage: victoria.sh [victoria-logs | victoria-metrics]" >&2
	exit 2
	;;
esac

cache=${OG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/og}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
work=$cache/$suite
bin=$cache/bin/$app

# Two tests that start at once must not unpack into the same folder.
exec 9>"$cache/lock"
flock 9

if [ -x "$bin" ]; then
	echo "$bin"
	exit 0
fi

# The mirror of this machine's own release; apt tells it before any list is fetched.
mirror() {
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	apt-get update --print-uris | sed -n "s|^'\([^']*\)/dists/$codename/InRelease'.*|\1|p" | sed -n 1p
}

# apt, away from the machine's own packages: no installed package is known, no list but ours.
setup_apt() {
	mkdir -p "$work/lists/partial" "$work/apt/archives/partial" "$work/parts" "$cache/bin"
	: >"$work/status"
	uri=$(mirror)
	if [ -z "$uri" ]; then
		echo "victoria.sh: no mirror of this release found in apt's sources" >&2
		exit 1
	fi
	echo "deb [signed-by=$keyring] $uri $suite main" >"$work/sources.list"
	cat >"$work/apt.conf" <<-EOF
		Dir::Etc::SourceList "$work/sources.list";
		Dir::Etc::SourceParts "$work/parts";
		Dir::State::Lists "$work/lists";
		Dir::State::Status "$work/status";
		Dir::Cache "$work/apt";
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		APT::Update::Post-Invoke-Success "";
		APT::Get::Assume-Yes "true";
	EOF
	export APT_CONFIG="$work/apt.conf"
}

# The server imports these without the package of its sources depending on all of them.
packages() {
	echo "golang-$go-go" "golang-$go-src" golang-github-victoriametrics-victoriametrics-dev
	apt-cache search --names-only '^golang-github-(victoriametrics|valyala)-.*-dev$' | cut -d ' ' -f 1
}

fetch() {
	apt-get update
	# shellcheck disable=SC2046 # one word a package
	apt-get install --download-only $(packages)
	rm -rf "$work/root"
	mkdir "$work/root"
	# Only what Go reads; the C library and its like stay packed.
	for deb in "$work"/apt/archives/golang-*.deb; do
		dpkg-deb --extract "$deb" "$work/root"
	done
	apt-get clean
	touch "$work/fetched"
}

build() {
	GOROOT=$work/root/usr/lib/go-$go
	export GOROOT GO111MODULE=off GOPATH="$work/root/usr/share/gocode" GOCACHE="$work/go" GOFLAGS=-buildvcs=false GOTOOLCHAIN=local CGO_ENABLED=0
	"$GOROOT/bin/go" build -o "$bin.new" "$import"
	mv "$bin.new" "$bin"
}

failed() {
	status=$?
	if [ "$status" -ne 0 ]; then
		tail -n 20 "$log" >&3
		echo "victoria.sh: $app not built; all of it is in $log" >&3
	fi
}

log=$cache/$app.log
exec 3>&2 4>&1 >"$log" 2>&1
trap failed EXIT
if [ ! -e "$work/fetched" ]; then
	setup_apt
	fetch
fi
build
echo "$bin" >&4
