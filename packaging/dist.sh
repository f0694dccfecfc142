#!/bin/sh
#
# Pack the last commit into FOLDER/og-VERSION.tar.gz, and print that path. The same commit gives the same bytes from every clone: names are in
# order, files belong to root, and their time is that of the commit.
#
#	dist.sh VERSION FOLDER
set -eu

[ $# -eq 2 ] || {
	echo "usage: dist.sh version folder" >&2
	exit 2
}
version=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."

# A tree that was unpacked in a folder of somebody else's clone is no clone.
[ "$(git rev-parse --show-prefix 2>/dev/null || echo none)" = "" ] || {
	echo "dist.sh: $PWD is not a clone of the repository" >&2
	exit 1
}
[ -z "$(git status --porcelain)" ] || echo "dist.sh: what is not committed is left out" >&2
head -n 5 NEWS.md | grep -qE "^## $version(,|\$)" || {
	echo "dist.sh: NEWS.md does not begin with $version" >&2
	exit 1
}

tarball=$folder/og-$version.tar.gz
trap 'rm -f "$tarball.tar" "$tarball.new"' EXIT
git -c tar.umask=0022 archive --format=tar --prefix="og-$version/" --output="$tarball.tar" HEAD
gzip -9n <"$tarball.tar" >"$tarball.new"
mv "$tarball.new" "$tarball"
echo "$tarball"
