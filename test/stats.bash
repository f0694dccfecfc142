# For tests of statistics: worlds, and wrong models that test/tools/stats must tell from the catalog.
# shellcheck shell=bash

stats() {
	"$OG_ROOT/build/test/tools/stats" "$@"
}

# plain CATALOG OPTION...: a world where nothing goes wrong, no rollouts either.
plain() {
	og-entities -c "$@" | grep -v '"kind":"rollout"'
}

# judge WORLD OPTION...: standard input against the catalog; what was measured is shown, and what failed again at the end.
judge() {
	local status=0 said lines
	said=$(stats "${@:2}" "$1") || status=$?
	mapfile -t lines <<<"$said"
	printf '# %s\n' "${lines[@]}" >&3
	grep '^not ok' <<<"$said" || :
	return "$status"
}

# fails CHECK: what was run found this check to fail.
fails() {
	# shellcheck disable=SC2154 # set by run
	grep -q "^not ok [0-9]* - $1" <<<"$output" || {
		echo "not caught: $1"
		echo "$output"
		return 1
	}
}

# A copy of the catalog, of the same name, where a table was changed by a script of sed. Prints its path.
changed() {
	local dir
	dir=$(mktemp -d "$BATS_TEST_TMPDIR/XXXXXX")
	cp -r "$OG_SHARE/social" "$dir/"
	sed -E -i "$2" "$dir/social/$1.tsv"
	if cmp -s "$OG_SHARE/social/$1.tsv" "$dir/social/$1.tsv"; then
		echo "nothing changed in $1: $2" >&2
		return 1
	fi
	echo "$dir/social"
}

# events_against CATALOG OTHER GROUP: events of one catalog, judged by another.
events_against() {
	og-events -c "$1" -w "$BATS_TEST_TMPDIR/world" | stats -c "$2" -g "$3" "$BATS_TEST_TMPDIR/world"
}

# caught GROUP CHECK TABLE SCRIPT [OPTION...]: traffic of a changed catalog fails this check of the true one; OPTIONs are those of og-entities.
caught() {
	local catalog
	catalog=$(changed "$3" "$4") || return 1
	plain "$catalog" -n 200000 -u 20000 "${@:5}" >"$BATS_TEST_TMPDIR/world"
	run -1 events_against "$catalog" "$OG_SHARE/social" "$1"
	fails "$2"
}
