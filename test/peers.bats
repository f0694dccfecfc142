# The table of make bench-peers: its rows, and what is missing.
bats_require_minimum_version 1.5.0

load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	for name in flog tsbs loggen; do
		printf '#!/bin/sh\necho "$@" >>%q\nseq 500\n' "$PWD/$name.said" >$name
		chmod +x $name
	done
}

@test "each program has a row with as many records as it wrote; what is not there is named" {
	OG_BENCH_RUNS=2 OG_FLOG=$PWD/flog OG_TSBS_GENERATE=$PWD/tsbs OG_LOGGEN=$PWD/loggen "$OG_ROOT/bench/peers.sh" 3000 >said
	grep -qE '^flog -f json +500 ' said
	grep -qE '^tsbs_generate_data, devops +500 ' said
	grep -qE '^loggen -s 700 +3000 ' said
	grep -qE '^og-vlpush -W 0, spans +3000 ' said
	grep -qx 'missing: vlogsgenerator tsbs_load_victoriametrics' said
	# Counted once, where nobody said how many, and run twice.
	[ "$(wc -l <flog.said)" -eq 3 ]
	[ "$(wc -l <loggen.said)" -eq 2 ]
	grep -qx -- '-f json -n 3000' flog.said
	# Seven columns of numbers, none of them nothing.
	[ "$(awk -F '  +' '/^og-|^loggen/ { if (NF < 8) exit 1; for (i = 2; i <= 4; i++) if ($i <= 0) exit 1; n++ } END { print n }' said)" -ge 7 ]
}

@test "a path that is no program, and a number that is none, are usage errors" {
	OG_FLOG=/nowhere/flog OG_LOGGEN=$PWD/loggen OG_BENCH_RUNS=1 run -2 "$OG_ROOT/bench/peers.sh" 100
	[[ $output = *"no such program: /nowhere/flog"* ]]
	run -2 "$OG_ROOT/bench/peers.sh" many
}
