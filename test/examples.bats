# Every example of every page does what the page says. CONTRIBUTING.md has the rules by which pages are read.
bats_require_minimum_version 1.5.0

load common
load pages

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	mkdir data
	og-entities -c social -b 2025-12-01 -e 2025-12-08 -n 2000 | og-incidents >data/world.ndjson
	og-events -w data/world.ndjson >data/events.ndjson
	og-spans -w data/world.ndjson <data/events.ndjson >data/spans.ndjson
	start_sinks "$BATS_FILE_TMPDIR"
}

teardown_file() {
	stop_sinks "$BATS_FILE_TMPDIR"
}

# The EXAMPLES as a reader sees them, without their indent: a line of text has less of it than a display.
examples() {
	mandoc -T ascii -O width=500 "$1" | sed 's/.\x08//g' | sed -n '/^EXAMPLES/,/^[A-Z]/p' | sed -e 1d -e '/^[A-Z]/d'
}

# Run the steps of one page.
run_page() {
	local page=$1 work=$BATS_TEST_TMPDIR/pages/${1##*/} n i
	rm -rf "$work"
	mkdir -p "$work/run" "$work/steps"
	cp "$BATS_FILE_TMPDIR"/data/* "$work/run"
	n=$(examples "$page" | split "$work/steps")
	steps=$((steps + n))
	for ((i = 1; i <= n; i++)); do
		aim_at_sinks "$BATS_FILE_TMPDIR" "$work/steps/$i.sh"
		sed -i "s|/usr/local/share/og|$OG_SHARE|g" "$work/steps/$i.sh"
	done
	run_steps "$page" "$work" "$n"
}

# shellcheck disable=SC2016 # dollars of the page
@test "the reader of pages: steps, output, gaps" {
	printf '%s\n' '.Dd 1 January 2026' '.Dt T 1' '.Os' '.Sh NAME' '.Nm t' '.Nd t' '.Sh EXAMPLES' 'Text:' '.Bd -literal -offset indent' '$ x=3' \
		'$ seq $x |' '>   cat' '1' '[...]' '3' '% never' '.Ed' '.Pp' 'More:' '.Dl $ echo a' '.Sh SEE ALSO' 'none' >"$BATS_TEST_TMPDIR/t.1"
	mkdir "$BATS_TEST_TMPDIR/s"
	[ "$(examples "$BATS_TEST_TMPDIR/t.1" | split "$BATS_TEST_TMPDIR/s")" -eq 3 ]
	[ "$(cat "$BATS_TEST_TMPDIR/s/2.sh")" = $'seq $x |\n  cat' ]
	[ "$(cat "$BATS_TEST_TMPDIR/s/2.out")" = $'1\n[...]\n3' ]
	[ ! -e "$BATS_TEST_TMPDIR/s/3.out" ]
	steps=0
	run_page "$BATS_TEST_TMPDIR/t.1"
	sed -i 's/^3$/4/' "$BATS_TEST_TMPDIR/t.1"
	run ! run_page "$BATS_TEST_TMPDIR/t.1"
}

@test "the examples of every page" {
	failed=0
	for page in "$OG_ROOT"/man/*.[157]; do
		steps=0
		run_page "$page" || failed=1
		case $page in
		*/og-*.1) [ "$steps" -gt 0 ] || {
			echo "$page: no example"
			failed=1
		} ;;
		esac
	done
	[ "$failed" -eq 0 ]
}
