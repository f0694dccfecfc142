# What is shipped: the tarball, what it builds and installs, and the Debian package in a fresh Debian.
bats_require_minimum_version 1.5.0

load ../common

setup_file() {
	cd "$OG_ROOT" || return 1
	version=$(sed -n 's/^VERSION = //p' config.mk)
	export version
	# The commit alone: what is being edited is not shipped.
	packaging/dist.sh "$version" "$BATS_FILE_TMPDIR"
	export tarball=$BATS_FILE_TMPDIR/og-$version.tar.gz
}

root_only() {
	[ "$(id -u)" -eq 0 ] || skip "only root can change its root"
}

# FOLDER COMMAND...: run it in there.
inside() {
	local root=$1

	shift
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$root" "$@"
}

# The events of a small world, by the programs of a folder.
sample() {
	"$1/og-entities" -c shop -n 2000 -b 2025-03-03 -e 2025-03-05 | "$1/og-incidents" | "$1/og-events" | sha256sum
}

@test "dist: the same bytes, twice, from a clone, under another umask, clock and locale" {
	git clone -q "$OG_ROOT" "$BATS_TEST_TMPDIR/clone"
	# A clone of a worktree is that of its branch.
	git -C "$BATS_TEST_TMPDIR/clone" checkout -q "$(git -C "$OG_ROOT" rev-parse HEAD)"
	sleep 1
	(umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 "$BATS_TEST_TMPDIR/clone/packaging/dist.sh" "$version" "$BATS_TEST_TMPDIR/out")
	cmp "$tarball" "$BATS_TEST_TMPDIR/out/${tarball##*/}"
}

@test "dist: what git keeps, nothing else, of root, with the time of the commit" {
	diff <(git -C "$OG_ROOT" ls-tree -r --name-only HEAD | sort) <(tar -tzf "$tarball" | grep -v '/$' | sed "s|^og-$version/||" | sort)
	[ "$(TZ=UTC tar -tvzf "$tarball" | awk '{ print $2, $4 }' | sort -u | wc -l)" -eq 1 ]
	tar -tvzf "$tarball" | awk '$2 != "root/root" { exit 1 }'
	[ "$(TZ=UTC git -C "$OG_ROOT" log -1 --date=format-local:%F --format=%cd)" = "$(TZ=UTC tar -tvzf "$tarball" | awk 'NR == 1 { print $4 }')" ]
}

@test "dist: refused with another version than that of the news, and outside of a clone" {
	run -1 "$OG_ROOT/packaging/dist.sh" 7.7 "$BATS_TEST_TMPDIR"
	[[ $output = *"NEWS.md does not begin with 7.7"* ]]
	tar -xzf "$tarball" -C "$BATS_TEST_TMPDIR"
	run -1 "$BATS_TEST_TMPDIR/og-$version/packaging/dist.sh" "$version" "$BATS_TEST_TMPDIR"
	[[ $output = *"is not a clone"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/${tarball##*/}" ]
}

@test "the tarball builds, says its version, installs below a prefix and leaves nothing behind" {
	local top=$BATS_TEST_TMPDIR/og-$version to=$BATS_TEST_TMPDIR/to

	tar -xzf "$tarball" -C "$BATS_TEST_TMPDIR"
	make -s -j 2 -C "$top" PREFIX=/opt/og
	unset OG_SHARE
	[ "$("$top/bin/og-events" -V)" = "og-events $version" ]
	make -s -C "$top" PREFIX=/opt/og DESTDIR="$to" install
	diff <(find "$top/share/og" -type f -perm /111 -printf '%P\n' | sort) <(find "$to/opt/og/share/og" -type f -perm /111 -printf '%P\n' | sort)
	[ "$(find "$to" -path "$to/opt/og" -prune -o -type f -print)" = "" ]
	! grep -rl /usr/local "$to/opt/og/share/man" || false
	[ "$(OG_SHARE=$to/opt/og/share/og sample "$to/opt/og/bin")" = "$(OG_SHARE=$OG_ROOT/share/og sample "$OG_ROOT/bin")" ]
	touch "$to/opt/og/share/og/mine"
	make -s -C "$top" PREFIX=/opt/og DESTDIR="$to" uninstall
	[ "$(find "$to" -type f)" = "$to/opt/og/share/og/mine" ]
}

@test "demo: in a fresh Debian with make alone it finds or installs all that it needs, and shows what README.md does" {
	local root=$BATS_TEST_TMPDIR/root cache=root/.cache/og/bin

	root_only
	"$OG_ROOT/test/live/chroot.sh" base "$root"
	mkdir -p "$root/$cache"
	# Building it there would try nothing of ours.
	cp "$("$OG_ROOT/test/live/victoria.sh" victoria-logs)" "$root/$cache"
	tar -C "$root/root" -xf "$tarball"
	inside "$root" sh -c 'apt-get -q update && apt-get -q -y install --no-install-recommends make' >"$BATS_TEST_TMPDIR/log" 2>&1
	inside "$root" make -C "/root/og-$version" demo >"$BATS_TEST_TMPDIR/log" 2>&1 || {
		cat "$BATS_TEST_TMPDIR/log"
		return 1
	}
	grep -q '^equal: all ' "$BATS_TEST_TMPDIR/log"
	sed 's/ *$//' "$BATS_TEST_TMPDIR/log" >"$BATS_TEST_TMPDIR/shown"
	n=0
	while IFS= read -r line; do
		grep -qxF -- "$line" "$BATS_TEST_TMPDIR/shown"
		n=$((n + 1))
	done < <(awk '/^```/ { on = 0 } /^ +[0-9]+ \|/ || /^ +file +server/ { on = 1 } on' "$OG_ROOT/README.md")
	[ "$n" -ge 15 ]
}

@test "deb: built in a fresh Debian from its build dependencies alone; nothing for lintian to call an error" {
	local root=$BATS_TEST_TMPDIR/root

	root_only
	"$OG_ROOT/test/live/chroot.sh" build "$root"
	mkdir "$root/src"
	cp "$tarball" "$OG_ROOT/packaging/deb.sh" "$root/src"
	inside "$root" /src/deb.sh "/src/${tarball##*/}" /src/deb
	cp "$root"/src/deb/*.deb "$root"/src/deb/*.changes "$root"/src/deb/*.buildinfo "$BATS_FILE_TMPDIR"
	lintian --allow-root --fail-on error "$BATS_FILE_TMPDIR"/og_*.changes
}

@test "deb: installs in a fresh Debian, runs there, gives the same bytes, and is gone when purged" {
	local root=$BATS_TEST_TMPDIR/root

	root_only
	"$OG_ROOT/test/live/chroot.sh" base "$root"
	cp "$BATS_FILE_TMPDIR"/og_*.deb "$root/"
	inside "$root" find / -xdev -path /var -prune -o -type f -print | sort >"$BATS_TEST_TMPDIR/before"
	inside "$root" sh -c 'apt-get -q update && apt-get -q -y install --no-install-recommends /og_*.deb' >"$BATS_TEST_TMPDIR/log" 2>&1 || {
		cat "$BATS_TEST_TMPDIR/log"
		return 1
	}
	for program in "$OG_ROOT"/bin/og-*; do
		[ "$(inside "$root" "${program##*/}" -V)" = "${program##*/} $version" ]
	done
	[ "$(inside "$root" bash -c "$(declare -f sample); sample /usr/bin")" = "$(sample "$OG_ROOT/bin")" ]
	inside "$root" apt-get -q -y purge og
	# What og needs stays until somebody cleans up; of og nothing does.
	inside "$root" find / -xdev -path /var -prune -o -type f -print | sort | comm -13 "$BATS_TEST_TMPDIR/before" - >"$BATS_TEST_TMPDIR/new"
	! grep -E '/og[-./]' "$BATS_TEST_TMPDIR/new" || false
}
