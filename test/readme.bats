# What README.md shows is what happens.
bats_require_minimum_version 1.5.0

load common
load pages

# The fenced blocks; what is not fenced is not looked at.
blocks() {
	awk '/^```/ { on = !on; print ""; next } on' "$OG_ROOT/README.md"
}

setup_file() {
	start_sinks "$BATS_FILE_TMPDIR"
}

teardown_file() {
	stop_sinks "$BATS_FILE_TMPDIR"
}

@test "the commands of the README do what it shows" {
	mkdir -p "$BATS_TEST_TMPDIR/run" "$BATS_TEST_TMPDIR/steps"
	n=$(blocks | split "$BATS_TEST_TMPDIR/steps")
	[ "$n" -ge 9 ]
	[ "$(find "$BATS_TEST_TMPDIR/steps" -name '*.out' | wc -l)" -ge 4 ]
	for step in "$BATS_TEST_TMPDIR"/steps/*.sh; do
		aim_at_sinks "$BATS_FILE_TMPDIR" "$step"
	done
	run_steps README.md "$BATS_TEST_TMPDIR" "$n"
}

@test "its tables list every program, and what it links to is there" {
	for program in "$OG_ROOT"/src/og-*.c; do
		name=$(basename "$program" .c)
		grep -q "^| $name | " "$OG_ROOT/README.md" || {
			echo "README.md: no $name"
			return 1
		}
		grep -q "^\.It Xr $name 1$" "$OG_ROOT/man/og.7" || {
			echo "og.7: no $name"
			return 1
		}
	done
	while read -r file; do
		[ -e "$OG_ROOT/$file" ]
	done < <(grep -oE '\]\([^)#:]*\)' "$OG_ROOT/README.md" | tr -d '])(')
}
