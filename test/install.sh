#!/bin/sh
#
# Install into a scratch folder, run from there, uninstall. Prints TAP.
set -u
cd "$(dirname "$0")/.." || exit 1
make=${MAKE:-make}
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT
prefix=$(sed -n 's|^-DOG_SHARE_DIR="\(.*\)/share/og"$|\1|p' build/flags)
failed=0

say() {
	if [ "$1" -eq 0 ]; then
		echo "ok - $2"
	else
		echo "not ok - $2"
		failed=1
	fi
}

echo 1..7
$make -s install DESTDIR="$dest" >"$dest.log" 2>&1
say $? "install"
cat "$dest.log"
rm -f "$dest.log"

missing=0
for file in bin/og-*; do
	[ -x "$dest$prefix/$file" ] || missing=1
done
say $missing "every program is there"

missing=0
for file in man/*.[157]; do
	[ -r "$dest$prefix/share/man/man${file##*.}/${file##*/}" ] || missing=1
done
say $missing "every page is there"

missing=0
for file in bin/og-*; do
	cmp build/og.bash "$dest$prefix/share/bash-completion/completions/${file#bin/}" || missing=1
done
grep -qF "$prefix/share/og/*/services.tsv" build/og.bash || missing=1
say $missing "every program completes in bash, with the catalogs of this place"

missing=0
for file in share/og/recipes/*; do
	case $(head -c 2 "$file") in
	'#!') [ -x "$dest$prefix/$file" ] || missing=1 ;;
	esac
done
say $missing "every recipe that is a program may be run"

diff -r share/og "$dest$prefix/share/og"
say $? "the tables are there"

$make -s uninstall DESTDIR="$dest"
[ -z "$(find "$dest" -type f)" ] && [ ! -e "$dest$prefix/share/og" ]
say $? "uninstall leaves nothing"
exit "$failed"
