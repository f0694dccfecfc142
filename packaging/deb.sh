#!/bin/sh
#
# Make a Debian package from the tarball of dist.sh with dpkg-buildpackage, below FOLDER, and print the paths of what came out.
#
#	deb.sh TARBALL FOLDER [OPTION...]    options go to dpkg-buildpackage, by default -b: no source package
#
# The changelog has one entry: the tarball's version, at the time of its files. So the same tarball gives the same package.
set -eu

[ $# -ge 2 ] || {
	echo "usage: deb.sh tarball folder [option ...]" >&2
	exit 2
}
tarball=$1 folder=$2
shift 2
[ $# -gt 0 ] || set -- -b
version=$(basename "$tarball" .tar.gz)
version=${version#og-}

rm -rf "$folder"
mkdir -p "$folder"
cp "$tarball" "$folder/og_$version.orig.tar.gz"
cd "$folder"
tar -xzf "og_$version.orig.tar.gz"
cd "og-$version"
cp -R packaging/debian debian
cat >debian/changelog <<-END
	og ($version-1) unstable; urgency=medium

	  * NEWS.md says what is new.

	 -- $(sed -n 's/^Maintainer: //p' debian/control)  $(LC_ALL=C date -u -R -r LICENSE)
END
# What the make around this was told is not meant for that of the package.
env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES dpkg-buildpackage -us -uc "$@" >"../build.log" 2>&1 || {
	tail -n 30 ../build.log >&2
	echo "deb.sh: not built; all of it is in $folder/build.log" >&2
	exit 1
}
cd ..
find "$PWD" -maxdepth 1 -type f \( -name '*.deb' -o -name '*.dsc' -o -name '*.changes' \) | sort
