#!/usr/bin/env bats
# The laws of the data, in short; test/long/laws.bats takes more time over them. Where a law must hold for every seed, the seed is nobody's choice.
# shellcheck disable=SC2154 # stderr comes from run

bats_require_minimum_version 1.5.0
load common
load laws

setup_file() {
	local s

	troubled
	s=$(seed)
	cd "$BATS_FILE_TMPDIR" || return 1
	world social "$s" 20000 4 >w
	og-events -w w >e
	og-spans -w w <e >s
}

setup() {
	OG_SHARE=$BATS_FILE_TMPDIR/share
	cd "$BATS_FILE_TMPDIR" || return 1
}

@test "spans are sound, and every failure names its source" {
	local c

	run -0 og-check -w w <s
	[ "$(jq .figures.infrastructure <<<"$output")" -gt 100 ]
	[ "$(jq .figures.dependency <<<"$output")" -gt 100 ]
	[ "$(jq .figures.self <<<"$output")" -gt 50 ]
	for c in shop orders cables; do
		world "$c" "$(seed)" 10000 7 >"$c.w"
		og-events -w "$c.w" | og-spans -w "$c.w" >"$c.s"
		run -0 og-check -w "$c.w" <"$c.s"
		[ "$(jq .figures.trees <<<"$output")" -gt 8000 ]
	done
	world social "$(seed)" 10000 2 -d 1 >one.w
	og-events -w one.w | og-spans -w one.w >one.s
	run -0 og-check -w one.w <one.s
	[ "$(jq .figures.trees <<<"$output")" -gt 9000 ]
}

@test "the roots of trees are the events, byte for byte" {
	grep '"parent_span_id":null' s | cmp - e
}

@test "requests held back come back without rollouts" {
	grep -v '"kind":"rollout"' w >calm
	[ "$(og-events -w calm | wc -l)" -eq 20000 ]
	run ! grep -q deployment_start <(og-events -w calm)
	[ "$(grep -vc '"deployment_[a-z]*"' e)" -lt 20000 ]
}

@test "the same bytes in another locale, time zone and environment" {
	LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 TZ=Pacific/Kiritimati og-events -w w | cmp - e
	LC_ALL=tr_TR.UTF-8 TZ=America/St_Johns og-spans -w w <e | cmp - s
	env -i OG_SHARE="$OG_SHARE" "$OG_ROOT/bin/og-events" -w w | cmp - e
	(cd / && og-events <"$BATS_FILE_TMPDIR/w") | cmp - e
	LC_ALL=de_DE.UTF-8 TZ=Asia/Tokyo world social 9 1000 1 | cmp - <(world social 9 1000 1)
}

@test "shards are the whole, and so is what filters make of each" {
	local n k f

	for n in 1 2 7 64; do
		for ((k = 1; k <= n; k++)); do
			og-events -w w -k "$k/$n" >"part.$k"
		done
		for ((k = 1; k <= n; k++)); do cat "part.$k"; done | cmp - e
		[ "$n" -ne 7 ] || for ((k = 1; k <= n; k++)); do og-spans -w w <"part.$k"; done | cmp - s
		[ "$n" -ne 7 ] || for ((k = 1; k <= n; k++)); do og-tags <"part.$k"; done | cmp - <(og-tags <e)
	done
	# Nearly equal: no slice of 64 has three times its share.
	for k in part.*; do wc -l <"$k"; done | awk '$1 > 3 * 20000 / 64 { exit 1 }'
	for f in csv tsv; do
		for k in 1 2 3; do og-events -w w -f "$f" -k "$k/3"; done | cmp - <(og-events -w w -f "$f")
	done
	og-events -w w -b 2025-01-02T01:00:00Z -e 2025-01-03T07:30:00.5Z >slice
	for k in 1 2 3 4 5; do og-events -w w -b 2025-01-02T01:00:00Z -e 2025-01-03T07:30:00.5Z -k "$k/5"; done | cmp - slice
}

@test "over links too: shards and slices are the whole, trees do not depend on others" {
	local k n

	world cables "$(seed)" 12000 4 >links.w
	og-events -w links.w >links.e
	og-spans -w links.w <links.e >links.s
	grep -q '"error_source":"infrastructure:cable"' links.s
	for n in 2 7; do
		for ((k = 1; k <= n; k++)); do og-events -w links.w -k "$k/$n"; done | cmp - links.e
	done
	for k in 1 2 3 4 5; do og-events -w links.w -k "$k/5" | og-spans -w links.w; done | cmp - links.s
	og-events -w links.w -b 2026-03-03T09:00:30Z -e 2026-03-03T15:00:10.5Z |
		cmp - <(awk -F'"' '$4 >= "2026-03-03T09:00:30" && $4 < "2026-03-03T15:00:10.5"' links.e)
	grep '"parent_span_id":null' links.s | cmp - links.e
	shuf links.e | og-spans -w links.w | sort | cmp - <(sort links.s)
}

@test "any slice of time is what the whole has then" {
	local times i b e

	# Moments of records, and one microsecond later: the ends are where mistakes are.
	mapfile -t times < <(shuf -n 24 e | cut -c15-41 |
		awk 'NR % 2 && !/[.]999999/ { printf "%s.%06dZ\n", substr($0, 1, 19), substr($0, 21, 6) + 1; next } 1' | sort)
	for ((i = 0; i < 24; i += 2)); do
		b=${times[i]} e=${times[i + 1]}
		[ "$b" != "$e" ] || continue
		awk -F'"' -v b="${b%Z}" -v e="${e%Z}" '{ t = substr($4, 1, 26) } t >= b && t < e' e >want
		og-events -w w -b "$b" -e "$e" | cmp - want
	done
}

@test "a minute of a year of 1,000,000,000 requests: under 100 ms and 64 MiB" {
	local i slow=${OG_SANITIZED:+20} # sanitizers take their time and room

	OG_SHARE=$OG_ROOT/share/og
	og-entities -c social -n 1000000000 | og-incidents >year
	for i in 1 2 3 4 5; do
		"$COST" og-events -w year -b "2025-0$i-11T1$i:17:00Z" -e "2025-0$i-11T1$i:18:00Z"
	done | sort -n >cost
	cat cost
	awk -v slow="${slow:-1}" 'NR == 3 { exit !($1 < 100 * slow) }' cost
	awk -v slow="${slow:-1}" -v world="$(($(wc -c <year) / 1024))" '$2 > (world + 65536) * slow { exit 1 }' cost
}

@test "trees do not depend on other events, nor on their order" {
	shuf e >mixed
	og-spans -w w <mixed >mixed.s
	sort mixed.s | cmp - <(sort s)
	og-check -u -w w <mixed.s
	# Each tree behind its event.
	grep '"parent_span_id":null' mixed.s | cmp - mixed
	tail -n 300 e | og-spans -w w | cmp - <(tail -n "$(tail -n 300 e | og-spans -w w | wc -l)" s)
	grep '"success":false' e | og-spans -w w >failed.s
	[ -z "$(sort failed.s | comm -23 - <(sort s))" ]
}

@test "an incident that is taken out changes the requests it touched, and no other" {
	local id n=0

	for id in $(grep '"kind":"incident"' w | shuf -n 4 | field id); do
		take_out incident "$id"
		# Nearly all are others, if it slowed them.
		! grep -q "\"id\":\"$id\".*\"factor\"" w || [ "$(wc -l <changed)" -ge "$(($(wc -l <touched) * 8 / 10 - 5))" ]
		n=$((n + $(wc -l <changed)))
	done
	[ "$n" -gt 0 ]
}

@test "a rollout that is taken out changes the requests it touched, and lets come what it held back" {
	local id

	# Those that fall into the busiest hours of production.
	for id in $(grep '"kind":"rollout".*"place":"prod:.*T1[0-9]:' w | shuf -n 3 | field id); do
		take_out rollout "$id"
		held_back "$(jq -r "select(.id == \"$id\") | .service" w)"
	done
}

@test "a later end keeps every line" {
	local s

	s=$(seed)
	world social "$s" 6000 5 -U 2025-01-11 >short
	world social "$s" 6000 9 -U 2025-01-11 >long
	# All that a world had is in the longer one, incidents and all.
	[ -z "$(grep -v '"kind":"world"' short | sort | comm -23 - <(sort long))" ]
	[ "$(wc -l <long)" -gt "$(wc -l <short)" ]
	og-events -w short >short.e
	og-events -w long -e 2025-01-06 | cmp - short.e
	og-events -w long >long.e
	head -n "$(wc -l <short.e)" long.e | cmp - short.e
	[ "$(wc -l <long.e)" -gt "$(wc -l <short.e)" ]
	og-spans -w long <short.e | cmp - <(og-spans -w short <short.e)
}

@test "more users: the same requests, by those who were there or by new ones" {
	local s

	s=$(seed)
	world social "$s" 10000 3 -u 3000 >few
	world social "$s" 10000 3 -u 4000 >many
	[ "$(diff few many | grep -c '^<')" -eq 1 ]
	og-events -w few >few.e
	og-events -w many >many.e
	for f in few many; do
		awk -F'"' '$20 !~ /^deployment_/ { print $42, $24, $4, $28, $46, $20 }' "$f.e" | sort >"$f.r"
	done
	# Places follow users, and a rollout may hold back what comes from another place: compare who is in both.
	join few.r many.r >both
	[ "$(wc -l <both)" -gt 9900 ]
	awk '$3 " " $4 " " $5 " " $6 != $8 " " $9 " " $10 " " $11 { exit 1 }' both
	# Either he stays or comes from outside; 3 in 4 stay at least.
	awk '{ old[$2] = 1; pair[NR] = $2 " " $7 }
	END {
		for (i in pair) {
			split(pair[i], p, " ")
			same += p[1] == p[2]
			bad += p[1] != p[2] && (p[2] in old)
		}
		print same, bad, NR
		exit !(same > NR / 2 && bad == 0)
	}' both
}

@test "an incident shows in the error rate of its services at its places then, and only there" {
	local start=2025-01-02T12:00:00Z end=2025-01-02T20:00:00Z
	local what=component=redis_messaging,errors=0.2,start=$start,duration=8h,environment=prod

	OG_SHARE=$OG_ROOT/share/og
	og-entities -c social -b 2025-01-01 -e 2025-01-04 -n 60000 | grep -v '"kind":"rollout"' | og-incidents -N -a "$what" >one.w
	og-events -w one.w | og-spans -w one.w >one.s
	# Cells: services of the incident in time and place; the same at other times; the same elsewhere; services that reach none of them.
	awk -F'"' -v b="${start%Z}" -v e="${end%Z}" '
	{
		group = $16 ":" $12 ~ /^messaging:(dm|groups|realtime|presence)$/ ? "hit" : $16 ~ /^(ads|creator|payments|search)$/ ? "other" : "rest"
		time = $4 >= b && $4 < e ? "in" : "out"
		place = $38 ~ /^prod:/ ? "prod" : "dev"
		n[group, time, place]++
		bad[group, time, place] += $31 ~ /false/
	}
	function rate(g, t, p) { printf "%s %s %s: %d of %d\n", g, t, p, bad[g, t, p], n[g, t, p]; return bad[g, t, p] / n[g, t, p] }
	END {
		exit !(n["hit", "in", "prod"] > 500 && rate("hit", "in", "prod") > 0.15 && rate("hit", "out", "prod") < 0.03 &&
		    rate("hit", "in", "dev") < 0.05 && rate("other", "in", "prod") < 0.03 && rate("other", "out", "prod") < 0.03)
	}' one.s
}

@test "a call stands for ten uses of what is broken" {
	# r = 0.01: roots fail with it, callees with 1 - 0.99^10 = 0.0956.
	local what=component=redis_content,errors=0.01,latency=1,start=2025-01-01T00:00:00Z,duration=72h,ramp=0s

	OG_SHARE=$OG_ROOT/share/og
	what+=,place=$(sed '/^#/d; /^place\t/d; s/\t.*//' "$OG_SHARE/social/places.tsv" | paste -sd'|')
	og-entities -c social -b 2025-01-01 -e 2025-01-04 -n 60000 | grep -v '"kind":"rollout"' | og-incidents -N -a "$what" >ten.w
	og-events -w ten.w | og-spans -w ten.w |
		awk -F'"' '
		$16 ":" $12 !~ /^content:(posts|comments|reactions|stories)$/ { next }
		/"parent_span_id":null/ { roots++; broken_roots += /"infrastructure:redis_content"/; next }
		{ calls++; broken_calls += /"infrastructure:redis_content"/ }
		function far(n, hits, p) { return (hits - n * p) ^ 2 > 25 * n * p * (1 - p) }
		END {
			print roots, broken_roots, calls, broken_calls
			exit roots < 5000 || calls < 20000 || far(roots, broken_roots, 0.01) || far(calls, broken_calls, 1 - 0.99 ^ 10)
		}'
}

@test "blind: no key tells the cause" {
	local key

	og-events -w w -l blind | og-spans -w w -l blind >blind.s
	[ "$(wc -l <blind.s)" -eq "$(wc -l <s)" ]
	for key in error_source upstream_request_id cause; do
		run ! grep -q "\"$key\"" blind.s
	done
	# No name of a component, an incident, a rollout, nor the words of one.
	jq -r 'select(.kind == "incident") | .component, .id, .message' w | sort -u >words
	jq -r 'select(.kind == "rollout") | .id' w >>words
	grep -v '"deployment_[a-z]*"' blind.s >requests
	run ! grep -qF -f words requests
	[ "$(grep -cF -f words s)" -gt 100 ]
}
