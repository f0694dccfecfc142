#!/usr/bin/env bats
# Catalogs: those we ship load, and broken ones are refused with the table, the line and the reason.

bats_require_minimum_version 1.5.0
load common

CATALOGS=$BATS_TEST_DIRNAME/catalogs

setup() {
	dir=$BATS_TEST_TMPDIR/c
}

# The lists of broken catalogs and what each is an edit of.
lists() {
	echo "cases orders"
	echo "cables cables"
}

# A copy of catalog $1 under $dir with one edit (see catalogs/bad/cases.tsv); sets `changed` to the first line that differs.
broken() {
	local from=$CATALOGS/$1 table=$2 edit=$3 file

	rm -rf "$dir"
	cp -r "$from" "$dir"
	file=$dir/$table.tsv
	changed=0
	case $edit in
	-)
		rm "$file"
		;;
	=*)
		printf '%b' "${edit#=}" >"$file"
		;;
	*)
		sed "$edit" "$from/$table.tsv" >"$file"
		changed=$(cmp "$from/$table.tsv" "$file" 2>/dev/null | sed 's/.* line //')
		;;
	esac
}

@test "every broken catalog is refused with its message" {
	local name table edit message want count=0 wrong=0 list from

	while read -r list from; do
		while IFS=$'\t' read -r name table edit message; do
			broken "$from" "$table" "$edit"
			[ "${message:0:1}" != : ] || message=$table.tsv$message
			want="og-entities: $dir/${message/:@:/:$changed:}"
			run --separate-stderr og-entities -c "$dir"
			if [ "$status" -ne 2 ] || [ -n "$output" ] || [ "$stderr" != "$want" ]; then
				printf '%s: status %d\n  want %s\n  got  %s\n' "$name" "$status" "$want" "$stderr"
				wrong=$((wrong + 1))
			fi
			count=$((count + 1))
		done < <(sed '/^#/d; /^name\t/d' "$CATALOGS/bad/$list.tsv")
	done < <(lists)
	[ "$count" -gt 140 ]
	[ "$wrong" -eq 0 ]
}

@test "every edit of the broken catalogs changes something" {
	local name table edit message list from

	while read -r list from; do
		while IFS=$'\t' read -r name table edit message; do
			broken "$from" "$table" "$edit"
			run -1 diff -rq "$CATALOGS/$from" "$dir"
		done < <(sed '/^#/d; /^name\t/d' "$CATALOGS/bad/$list.tsv")
	done < <(lists)
}

@test "the order desk loads, and nothing is wrong with it" {
	run -0 --separate-stderr og-entities -v -c "$CATALOGS/orders"
	[ -n "$output" ]
	[ -z "$stderr" ]
}

@test "so does the library with its cables" {
	run -0 --separate-stderr og-entities -v -c "$CATALOGS/cables"
	[ -n "$output" ]
	[ -z "$stderr" ]
}

@test "every catalog we ship loads without a word" {
	local c

	for c in "$OG_SHARE"/*/; do
		[ -e "$c/places.tsv" ] || continue
		run -0 --separate-stderr og-entities -c "$c"
		[ -n "$output" ]
		[ -z "$stderr" ]
	done
}

@test "a catalog is found by name, in OG_SHARE first" {
	mkdir "$BATS_TEST_TMPDIR/share"
	cp -r "$OG_SHARE/default" "$BATS_TEST_TMPDIR/share/"
	cp -r "$CATALOGS/orders" "$BATS_TEST_TMPDIR/share/social"
	OG_SHARE=$BATS_TEST_TMPDIR/share og-entities -c social >"$BATS_TEST_TMPDIR/got"
	grep -q north "$BATS_TEST_TMPDIR/got"
	run -1 grep -q us-east-1 "$BATS_TEST_TMPDIR/got"
	run -2 --separate-stderr og-entities -c nowhere
	[ -z "$output" ]
	[[ $stderr == "og-entities: nowhere: "* ]]
}

@test "with -v, services that nothing reaches are named" {
	run -0 --separate-stderr og-entities -v -c social
	[ "$(grep -c 'never reached' <<<"$stderr")" -eq 6 ]
	grep -q 'services.tsv:[0-9]*: service "payments:payouts" is never reached' <<<"$stderr"
}

# The tables of the bakery in the page, under $dir.
bakery() {
	mkdir "$dir"
	awk -v dir="$dir" '
	/^\.Sh EXAMPLES/ { on = 1 }
	/^\.Sh DIAGNOSTICS/ { on = 0 }
	on && /^[a-z]*\.tsv:$/ { file = dir "/" substr($0, 1, length($0) - 1); next }
	/^$/ || /^\./ { file = ""; next }
	file != "" { print >file }' "$OG_ROOT/man/og-catalog.5"
}

@test "the catalog of the manual page loads, with and without its incident" {
	bakery
	[ "$(find "$dir" -type f | wc -l)" -eq 9 ]
	run -0 --separate-stderr og-entities -v -c "$dir"
	[ -z "$stderr" ]
	rm "$dir/incidents.tsv" "$dir/effects.tsv"
	run -0 --separate-stderr og-entities -v -c "$dir"
	[ -z "$stderr" ]
}

@test "the catalog of the manual page runs" {
	bakery
	cd "$BATS_TEST_TMPDIR"
	og-entities -c "$dir" -n 3000 | og-incidents -c "$dir" >world
	og-events -c "$dir" -w world >events
	og-spans -c "$dir" -w world <events >spans
	[ "$(wc -l <events)" -gt 2900 ]
	# One request in five is an order, and each order bakes.
	orders=$(grep -c '"action":"order"' spans)
	[ "$orders" -gt 450 ] && [ "$orders" -lt 750 ]
	[ "$(grep -c '"action":"bake"' spans)" -ge "$orders" ]
	grep -q '"release_id":"harbour:oven:[0-9]*"' spans
	grep -q '"object_id":"loaf_[0-9a-f]\{12\}"' spans
}

@test "a request that is cut at cap_ms fails also where no code stands for that" {
	bakery
	printf 'cap_ms\t30\n' >>"$dir/settings.tsv"
	printf 'from\tto\ncounter/order\toven/bake\n' >"$dir/calls.tsv"
	cd "$BATS_TEST_TMPDIR"
	for codes in '422\t422\tno\t1\n500\t500\tbroken\t1\n' '422\t422\tno\t1\n'; do
		printf 'code\thttp\tmessage\tweight\n%b' "$codes" >"$dir/codes.tsv"
		rm -f "$dir/incidents.tsv" "$dir/effects.tsv"
		og-entities -c "$dir" -n 300 >world
		og-events -c "$dir" -w world >events
		[ "$(jq -r 'select(.duration_ms == 30 and .success == false) | .error_code' events | sort -u)" = "$(tail -n 1 "$dir/codes.tsv" | cut -f 1)" ]
	done
}
