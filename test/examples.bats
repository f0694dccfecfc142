# Every example of every page does what the page says. CONTRIBUTING.md has the rules by which pages are read.
bats_require_minimum_version 1.5.0

load common

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	mkdir data
	og-entities -c social -b 2025-12-01 -e 2025-12-08 -n 2000 | og-incidents >data/world.ndjson
	og-events -w data/world.ndjson >data/events.ndjson
	og-spans -w data/world.ndjson <data/events.ndjson >data/spans.ndjson
	"$OG_ROOT/build/test/tools/faultd" >port 2>/dev/null 3>&- &
	echo $! >sink
	until [ -s port ]; do
		sleep 0.05
	done
}

teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/sink")"
}

# The EXAMPLES as a reader sees them, without their indent: a line of text has less of it than a display.
examples() {
	mandoc -T ascii -O width=500 "$1" | sed 's/.\x08//g' | sed -n '/^EXAMPLES/,/^[A-Z]/p' | sed -e 1d -e '/^[A-Z]/d'
}

# Writes step files N.sh and N.out (what must come; absent when nothing is said) into a folder.
split() {
	awk -v to="$1" '
	function indent(s) { match(s, /^ */); return RLENGTH }
	/^ *\$ / { n++; deep = indent($0); sub(/^ *\$ /, ""); print >(to "/" n ".sh"); shown = 1; next }
	shown && NF && indent($0) >= deep && substr($0, deep + 1, 2) == "> " && !out[n] { print substr($0, deep + 3) >(to "/" n ".sh"); next }
	/^ *% / { shown = 0; next }
	shown && NF && indent($0) >= deep { out[n] = 1; print substr($0, deep + 1) >(to "/" n ".out"); next }
	{ shown = 0 }
	END { print n + 0 }'
}

# Is the second file the first, where a line "[...]" stands for any number of lines?
alike() {
	awk 'NR == FNR { want[++n] = $0; next } { got[++m] = $0 }
	END {
		for (j = 0; j <= m; j++)
			ok[0, j] = j == 0
		for (i = 1; i <= n; i++)
			for (j = 0; j <= m; j++)
				if (want[i] == "[...]")
					ok[i, j] = ok[i - 1, j] || (j > 0 && ok[i, j - 1])
				else
					ok[i, j] = j > 0 && ok[i - 1, j - 1] && want[i] == got[j]
		exit !ok[n, m]
	}' "$1" "$2"
}

# Run the steps of one page in one shell: what a step defines, the next one has.
run_page() {
	local page=$1 work=$BATS_TEST_TMPDIR/pages/${1##*/} n
	rm -rf "$work"
	mkdir -p "$work/run" "$work/steps"
	cp "$BATS_FILE_TMPDIR"/data/* "$work/run"
	n=$(examples "$page" | split "$work/steps")
	steps=$((steps + n))
	for ((i = 1; i <= n; i++)); do
		sed -i -e "s|http://localhost:9428|http://127.0.0.1:$(cat "$BATS_FILE_TMPDIR/port")|g" -e "s|/usr/local/share/og|$OG_SHARE|g" "$work/steps/$i.sh"
		printf 'exec >%q\n. %q\n' "$work/steps/$i.got" "$work/steps/$i.sh" >>"$work/all.sh"
	done
	[ "$n" -gt 0 ] || return 0
	(cd "$work/run" && timeout 20 bash -eu -o pipefail "$work/all.sh" </dev/null 2>"$work/errors") || {
		echo "$page: exit status $?; step $(find "$work/steps" -name '*.got' | wc -l)"
		cat "$work/errors" "$work"/steps/*.sh
		return 1
	}
	for ((i = 1; i <= n; i++)); do
		[ ! -f "$work/steps/$i.out" ] || alike "$work/steps/$i.out" "$work/steps/$i.got" || {
			echo "$page: \$ $(cat "$work/steps/$i.sh")"
			diff "$work/steps/$i.out" "$work/steps/$i.got"
			return 1
		}
	done
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
