# No column of the logs of fibersqs that is no measurement tells the incident: not the level, no id, no order, no flag.
# shellcheck disable=SC2154 # stderr and output come from run
bats_require_minimum_version 1.5.0

load ../common

# rows SEED SET: log lines of the requests over the sick circuit while the incident lasts, bursts and pauses, behind SET and whether it met them.
# So what is asked is not where and when it was, which is evidence, but whether a line gives it away.
rows() {
	local w=$BATS_TEST_TMPDIR/w k=$BATS_TEST_TMPDIR/k circuit id from to

	og-entities -c fibersqs -n 20000 -s "$1" | og-incidents >"$w"
	IFS=$'\t' read -r id from to circuit < <(jq -r 'select(.kind == "incident" and .role == "cause") |
		[.id, .start, .end, (.effects[] | select(.what == "rtt_ms").targets[0])] | @tsv' "$w")
	og-events -w "$w" -l keys -b "${from%Z}Z" -e "${to%Z}Z" >"$k"
	og-events -w "$w" -l labels -f tsv -b "$from" -e "$to" >"$k.labels"
	og-logs -w "$w" -l app_logs -f tsv <"$k" |
		awk -F'\t' -v OFS='\t' -v set="$2" -v id="$id" -v circuit="$circuit" '
		FILENAME != "-" { met[$1] = index($2, id) > 0; next }
		FNR == 1 { $15 = $16 = ""; print "set", "met", $0; next }
		$19 == circuit { $15 = $16 = "-"; print set, met[$7], $0 }' "$k.labels" -
}

# all FILE: rows of twenty seeds to learn from, four to be asked.
all() {
	local seed

	for seed in {1..24}; do
		rows "$seed" "$([ "$seed" -le 20 ] && echo train || echo test)" >"$BATS_FILE_TMPDIR/one"
		[ "$seed" -eq 1 ] || sed -i 1d "$BATS_FILE_TMPDIR/one"
		cat "$BATS_FILE_TMPDIR/one"
	done >"$1"
}

setup_file() {
	all "$BATS_FILE_TMPDIR/rows"
}

leak() {
	"$OG_ROOT/build/test/tools/leak" 0.6
}

@test "no column tells the incident" {
	run -0 --separate-stderr leak <"$BATS_FILE_TMPDIR/rows"
	printf '# %s\n' "${lines[@]}" | sort -t : -k 2 -rn | head -n 8 >&3
	[ "${#lines[@]}" -eq 80 ]
}

@test "columns that tell are found out" {
	cd "$BATS_TEST_TMPDIR"
	# A level for the incident alone; an id with a number that grows; a flag at the end of a name; a longer message.
	awk -F'\t' -v OFS='\t' 'NR > 1 && $2 && NR % 3 { $8 = "WARN" } 1' "$BATS_FILE_TMPDIR/rows" >levels
	run -1 leak <levels
	grep -q '^level by value: 0\.[6-9]' <<<"$output"
	awk -F'\t' -v OFS='\t' 'NR > 1 { $11 = sprintf("sp%012d", NR % 30000 + 20000 * $2) } 1' "$BATS_FILE_TMPDIR/rows" >ids
	run -1 leak <ids
	grep -q '^span_id by order: 0\.[6-9]' <<<"$output"
	awk -F'\t' -v OFS='\t' 'NR > 1 { $7 = $7 ($2 || NR % 2 ? "-a" : "-b") } 1' "$BATS_FILE_TMPDIR/rows" >names
	run -1 leak <names
	grep -q '^host by end: 0\.[6-9]' <<<"$output"
	awk -F'\t' -v OFS='\t' 'NR > 1 && $2 { $22 = $22 NR % 7 NR % 10 } 1' "$BATS_FILE_TMPDIR/rows" >words
	run -1 leak <words
	grep -q '^message by length: 0\.[6-9]' <<<"$output"
}
