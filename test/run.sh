#!/bin/sh
#
# Run tests that print TAP, two at a time, show what each says and add them up. Exit 1 when one failed, ended badly or did not keep its plan.
#
#	run.sh FILE...
#
# *.bats go through bats, with at most five minutes a test. JOBS says how many run at a time. With OG_STRICT=1 a test that is skipped has failed.
set -eu

jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}
export BATS_TEST_TIMEOUT

# One file; what it says is shown at once when it has ended, so that two do not mix. $SUMS gets a line "passed failed skipped".
one() {
	said=$(mktemp "$SUMS.XXXXXX")
	status=0
	began=$(date +%s)
	case $1 in
	*.bats) bats --tap "$1" >"$said" 2>&1 </dev/null || status=$? ;;
	*) "$1" >"$said" 2>&1 </dev/null || status=$? ;;
	esac
	awk -v name="$1" -v status="$status" -v took=$(($(date +%s) - began)) -v strict="${OG_STRICT:-0}" -v sums="$SUMS" '
	{ lines = lines $0 "\n" }
	/^1\.\.[0-9]+/ { plan = substr($1, 4); planned = 1 }
	/^not ok/ { failed++; next }
	/^ok .*# skip/ { if (strict == 1) { failed++; lines = lines "# skipped, which OG_STRICT=1 forbids\n" } else skipped++; next }
	/^ok/ { passed++ }
	END {
		if (!planned || plan != passed + failed + skipped) {
			lines = lines "not ok - plan of " (planned ? plan : "no") " tests, " passed + failed + skipped " seen\n"
			failed++
		} else if (status != 0 && !failed) {
			lines = lines "not ok - exit status " status "\n"
			failed++
		}
		printf "# %s: %d passed, %d failed, %d skipped in %d s\n%s", name, passed, failed, skipped, took, lines
		print passed + 0, failed + 0, skipped + 0 >>sums
	}' "$said" >"$said.shown"
	cat "$said.shown"
	rm -f "$said" "$said.shown"
}

if [ "${1-}" = -1 ]; then
	one "$2"
	exit 0
fi
[ $# -gt 0 ] || {
	echo "usage: run.sh file ..." >&2
	exit 2
}
SUMS=$(mktemp)
export SUMS
trap 'rm -f "$SUMS" "$SUMS".*' EXIT
for file; do
	printf '%s\0' "$file"
done | xargs -0 -P "$jobs" -n 1 sh "$0" -1
awk -v files=$# '
{ passed += $1; failed += $2; skipped += $3 }
END {
	if (NR != files)
		failed += files - NR
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed > 0
}' "$SUMS"
