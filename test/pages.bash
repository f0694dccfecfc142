# Steps that a text shows, run and compared. CONTRIBUTING.md has the rules by which texts are read.
# shellcheck shell=bash

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

# Servers that accept everything, for the addresses that texts show; FOLDER holds their ports.
start_sinks() {
	local kind
	for kind in vl vm ch api; do
		"$OG_ROOT/build/test/tools/faultd" -F "$kind" >"$1/$kind" 2>/dev/null 3>&- &
		echo $! >>"$1/sinks"
	done
	until [ -s "$1/vl" ] && [ -s "$1/vm" ] && [ -s "$1/ch" ] && [ -s "$1/api" ]; do
		sleep 0.05
	done
}

stop_sinks() {
	xargs kill <"$1/sinks"
}

# FOLDER FILE: the text in the file means those servers.
aim_at_sinks() {
	sed -i -e "s|http://localhost:9428|http://127.0.0.1:$(cat "$1/vl")|g" -e "s|http://localhost:8428|http://127.0.0.1:$(cat "$1/vm")|g" \
		-e "s|http://localhost:8123|http://127.0.0.1:$(cat "$1/ch")|g" -e "s|http://localhost:8080|http://127.0.0.1:$(cat "$1/api")|g" "$2"
}

# NAME FOLDER N: run the steps 1 to N of FOLDER/steps in one shell, in FOLDER/run; what a step defines, the next one has.
run_steps() {
	local name=$1 work=$2 n=$3 i
	for ((i = 1; i <= n; i++)); do
		printf 'exec >%q\n. %q\n' "$work/steps/$i.got" "$work/steps/$i.sh" >>"$work/all.sh"
	done
	[ "$n" -gt 0 ] || return 0
	(cd "$work/run" && timeout "${OG_SANITIZED:+2}90" bash -eu -o pipefail "$work/all.sh" </dev/null 2>"$work/errors") || {
		echo "$name: exit status $?; step $(find "$work/steps" -name '*.got' | wc -l)"
		cat "$work/errors" "$work"/steps/*.sh
		return 1
	}
	for ((i = 1; i <= n; i++)); do
		[ ! -f "$work/steps/$i.out" ] || alike "$work/steps/$i.out" "$work/steps/$i.got" || {
			echo "$name: \$ $(cat "$work/steps/$i.sh")"
			diff "$work/steps/$i.out" "$work/steps/$i.got"
			return 1
		}
	done
}
