#!/usr/bin/env bats
# The laws of the data, with more worlds, compilers and requests than ../laws.bats has time for.
# shellcheck disable=SC2030,SC2031,SC2154 # tests are subshells; stderr comes from run

bats_require_minimum_version 1.5.0
load ../common
load ../laws

setup_file() {
	troubled
}

setup() {
	OG_SHARE=$BATS_FILE_TMPDIR/share
	cd "$BATS_TEST_TMPDIR" || return 1
}

# built CC OPT: folder of the programs, built so.
built() {
	local dir="$BATS_TEST_TMPDIR/$1${2// /}"

	mkdir "$dir"
	cp -r "$OG_ROOT"/{Makefile,config.mk,lib,man,src,share} "$dir"
	make -s -j 2 -C "$dir" CC="$1" OPT="$2" bin/og-entities bin/og-incidents bin/og-events bin/og-spans bin/og-series >&2
	echo "$dir/bin"
}

# sums BIN SEED: of all that the programs write for a small world.
sums() {
	PATH=$1:$PATH
	world social "$2" 20000 3 >a
	og-events -w a >b
	og-spans -w a <b >c
	og-events -w a -l blind -f csv >d
	md5sum a b c d
	world orders "$2" 5000 7 >a
	og-events -w a | og-spans -w a | md5sum
	world cables "$2" 5000 4 >a
	og-events -w a | og-spans -w a | md5sum
	og-series -w a | md5sum
}

@test "the same bytes from gcc and clang, with every optimisation" {
	local s seeds=() cc opt bin

	for s in 1 2 3; do
		seeds+=("$(seed)")
		sums "$OG_ROOT/bin" "${seeds[-1]}" >"want.$s"
	done
	for cc in gcc clang; do
		for opt in -O0 '-O3 -march=native'; do
			bin=$(built "$cc" "$opt")
			for s in 1 2 3; do
				sums "$bin" "${seeds[s - 1]}" | diff "want.$s" -
			done
			rm -r "${bin%/bin}"
		done
	done
}

@test "two million roots are those of their trees" {
	cd "$OG_ROOT"
	OG_LONG=1 run -0 build/test/lib/sim
	[ "$(sed -nE 's/^#.*: ([0-9]+) requests.*/\1/p' <<<"$output" | awk '{ n += $1 } END { print n }')" -gt 2000000 ]
}

@test "worlds of many seeds are sound" {
	local i

	for i in 1 2 3 4 5 6; do
		world social "$(seed)" 40000 "$i" -d "$((i * 3 / 2))" >w
		og-events -w w | og-spans -w w | og-check -w w
		world shop "$(seed)" 20000 "$i" >w
		og-events -w w | og-spans -w w | og-check -w w
		world orders "$(seed)" 20000 "$i" >w
		og-events -w w | og-spans -w w | og-check -w w
	done
	OG_SHARE=$OG_ROOT/share/og
	og-entities -c social -s "$(seed)" -n 300000 | og-incidents >w
	og-events -w w | og-spans -w w | og-check -w w
}

@test "incidents and rollouts that are taken out change what they touched" {
	local i id

	for i in 1 2 3; do
		world social "$(seed)" 20000 3 >w
		og-events -w w | og-spans -w w >s
		for id in $(grep '"kind":"incident"' w | shuf -n 5 | field id); do
			take_out incident "$id"
		done
		for id in $(grep '"kind":"rollout".*"place":"prod:.*T[01][0-9]:' w | shuf -n 5 | field id); do
			take_out rollout "$id"
			held_back "$(jq -r "select(.id == \"$id\") | .service" w)"
		done
	done
}

@test "minutes of a year of 1,000,000,000 requests are made of their seconds, and of their shards" {
	local i t k

	OG_SHARE=$OG_ROOT/share/og
	og-entities -c social -s "$(seed)" -n 1000000000 | og-incidents >w
	for i in 1 2 3 4 5 6; do
		t=$(date -u -d "2025-01-01 + $((RANDOM * 15 % 525600)) minutes" +%Y-%m-%dT%H:%M)
		og-events -w w -b "$t:00Z" -e "$t:59.5Z" >minute
		for k in {0..58}; do
			printf '%s:%02dZ %s:%02dZ\n' "$t" "$k" "$t" "$((k + 1))"
		done | while read -r b e; do
			og-events -w w -b "$b" -e "$e"
		done | cmp - <(awk -F'"' -v end="$t:59" '$4 < end' minute)
		for k in 1 2 3 4 5 6 7; do
			og-events -w w -b "$t:00Z" -e "$t:59.5Z" -k "$k/7"
		done | cmp - minute
		og-spans -w w <minute | og-check -p -w w
	done
	for i in 01 04 08 12; do
		"$COST" og-events -w w -b "2025-$i-28T23:59:00Z" -e "2025-$i-29T00:00:00Z"
	done >cost
	cat cost
	[ -n "${OG_SANITIZED:-}" ] || awk -v world="$(($(wc -c <w) / 1024))" '$1 >= 200 || $2 > world + 65536 { exit 1 }' cost
}

@test "at the level of the specification a call fails ten times as often as a root" {
	local what=component=neptune_timeout,start=2025-01-01T00:00:00Z,duration=168h,ramp=0s

	OG_SHARE=$OG_ROOT/share/og
	what+=,place=$(sed '/^#/d; /^place\t/d; s/\t.*//' "$OG_SHARE/social/places.tsv" | paste -sd'|')
	og-entities -c social -b 2025-01-01 -e 2025-01-08 -n 400000 | grep -v '"kind":"rollout"' | og-incidents -N -S spec -a "$what" >w
	[ "$(jq -r 'select(.kind == "incident").effects[].add' w)" = 0.003 ]
	og-events -w w | og-spans -w w |
		awk -F'"' '
		$16 ":" $12 !~ /^social:(connections|blocks|suggestions)$/ { next }
		/"parent_span_id":null/ { roots++; broken_roots += /"infrastructure:neptune_timeout"/; next }
		{ calls++; broken_calls += /"infrastructure:neptune_timeout"/ }
		function far(n, hits, p) { return (hits - n * p) ^ 2 > 25 * n * p * (1 - p) }
		END {
			print roots, broken_roots, calls, broken_calls
			exit roots < 10000 || calls < 100000 || far(roots, broken_roots, 0.003) || far(calls, broken_calls, 1 - 0.997 ^ 10)
		}'
}

# words LAYOUT SEED: of each failure a line: 1 if an incident or rollout caused it, else 0; what it is about; words that it is told in.
words() {
	world social "$2" 50000 3 >w
	og-events -w w | og-spans -w w | grep '"success":false' >wide
	og-events -w w -l "$1" | og-spans -w w -l "$1" | grep '"success":false' >told
	[ "$(wc -l <wide)" -eq "$(wc -l <told)" ]
	paste -d'\n' wide told | awk '
	function value(key) {
		if (!match($0, "\"" key "\":(\"[^\"]*\"|[^,}]*)"))
			return "none"
		return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
	}
	NR % 2 { label = value("cause") != "null"; next }
	{
		text = value("message") " " value("error_message")
		gsub(/[^A-Za-z0-9_ ]/, "", text)
		gsub(/ /, "_&_", text)
		# Two digits of an id are a word, and so are they at its end.
		ids = "s" substr(value("span_id"), 2, 2) " r" substr(value("request_id"), 2, 2) " t" substr(value("trace_id"), 2, 2) \
		    " o" substr(value("object_id"), length(value("object_id")) - 2, 2) " R" substr(value("request_id"), 32, 2)
		stratum = value("stack") value("service") value("action") value("error_code") (value("parent_span_id") == "null")
		gsub(/[" ]/, "", stratum)
		type = value("error_type")
		gsub(/ /, "_", type)
		print label, stratum, text, "type" type, "level" value("level"), ids
	}'
}

# auc TRAINING TEST: how well a bag of words tells the two apart within strata, 0.5 is not at all.
auc() {
	awk '
	FILENAME == ARGV[1] {
		for (i = 3; i <= NF; i++) {
			n[$1, $i]++
			seen[$i] = 1
			all[$1]++
		}
		next
	}
	!counted { for (w in seen) many++; counted = 1 }
	{
		score = 0
		for (i = 3; i <= NF; i++)
			score += log((n[1, $i] + 1) / (all[1] + many)) - log((n[0, $i] + 1) / (all[0] + many))
		printf "%s %.9f %d\n", $2, score, $1
	}' "$1" "$2" | sort -k1,1 -k2,2g | awk '
	# Pairs of one stratum that are in order; equal scores count half.
	function tie() { won += pos * (lower + neg / 2); lower += neg; pairs_pos += pos; pos = neg = 0 }
	function close_stratum() {
		tie()
		if (pairs_pos >= 10 && lower >= 10) { sum += won; total += pairs_pos * lower; strata++ }
		won = lower = pairs_pos = 0
	}
	$1 != last { if (NR > 1) close_stratum(); last = $1; score = "" }
	$2 != score { tie(); score = $2 }
	{ if ($3) pos++; else neg++ }
	END { close_stratum(); print strata, (total > 0 ? sum / total : 0) }'
}

@test "blind: words and ids of other worlds do not tell failures with a cause from those without" {
	local s layout

	# Incidents rarer, and people clumsier: as many failures with a cause as without.
	cp -r "$OG_SHARE" share
	OG_SHARE=$PWD/share
	sed -i $'s/\t300\\.\\.600\t/\t30..60\t/' share/social/incidents.tsv
	awk -F'\t' -v OFS='\t' '/^#/ { print; next } !at { for (at = 1; $at != "error_rate"; at++); print; next } { $at *= 8; print }' \
		share/social/personas.tsv >personas
	mv personas share/social/personas.tsv
	for layout in blind wide; do
		for s in 101 102 103; do words "$layout" "$s"; done >train.txt
		for s in 201 202 203; do words "$layout" "$s"; done >test.txt
		cut -d' ' -f1 test.txt | sort | uniq -c
		auc train.txt test.txt >"$layout.auc"
		echo "$layout: $(cat "$layout.auc")"
	done
	# The classifier is no fool: it finds the causes where they are told.
	awk '{ exit !($1 >= 10 && $2 > 0.8) }' wide.auc
	awk '{ exit !($1 >= 10 && $2 < 0.55 && $2 > 0.45) }' blind.auc
}
