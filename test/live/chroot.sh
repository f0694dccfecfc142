#!/bin/sh
#
# Unpack a fresh Debian into FOLDER: as small as it gets, or with what a package of ours is built from. Only root can.
#
#	chroot.sh base FOLDER
#	chroot.sh build FOLDER
#
# It is the release of this machine, from the mirror that this machine uses, made once by mmdebstrap and kept for a week in the cache folder
# ($OG_CACHE, by default ~/.cache/og).
set -eu

[ $# -eq 2 ] || {
	sed -n 's/^#	//p' "$0" >&2
	exit 2
}
name=$1 folder=$2
control=$(dirname "$0")/../../packaging/debian/control
case $name in
base) variant=minbase include=ca-certificates ;;
build)
	variant=buildd
	# debhelper-compat is what debhelper provides.
	include=debhelper,$(sed -n '/^Build-Depends:/,/^[^ ]*:/{s/^Build-Depends: debhelper-compat (= 13),//;s/^ //p}' "$control" | tr -d ',' | paste -s -d ,)
	;;
*)
	echo "chroot.sh: no $name" >&2
	exit 2
	;;
esac

cache=${OG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/og}/chroot
mkdir -p "$cache" "$folder"
codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
key=$(echo "$codename $variant $include" | sha256sum | cut -c 1-12)
tar=$cache/$name-$key.tar.zst

exec 9>"$cache/lock"
flock 9
if [ -z "$(find "$cache" -name "${tar##*/}" -mtime -7)" ]; then
	uri=$(apt-get update --print-uris | sed -n "s|^'\([^']*\)/dists/$codename/InRelease'.*|\1|p" | sed -n 1p)
	# Its shells know descriptors of one digit only, so ours are not handed on.
	mmdebstrap --variant="$variant" --include="$include" --skip=cleanup/apt/lists --aptopt='Apt::Install-Recommends "false"' \
		"$codename" "$cache/new.tar.zst" ${uri:+"$uri"} >"$cache/log" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- || {
		tail -n 20 "$cache/log" >&2
		exit 1
	}
	rm -f "$cache/$name"-*.tar.zst
	mv "$cache/new.tar.zst" "$tar"
fi
tar --zstd -xpf "$tar" -C "$folder"
cp -L /etc/resolv.conf "$folder/etc/resolv.conf"
