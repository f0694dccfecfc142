#!/usr/bin/env bats
# og-tickets: what it accepts and refuses, and that tickets are as often, as late and as wrong as the catalog says.
# shellcheck disable=SC2016,SC2094,SC2154 # for the inner shell; files have the names of layouts; stderr comes from run

bats_require_minimum_version 1.5.0
load common
load reader

golden() {
	cat <<'SUMS'
share/og/social tickets json 17e8134a29b129a62a3dfee97cbfe03d
share/og/fibersqs tso_calls csv 1c4e2f83b43e57584e096d0bbb2c9452
share/og/fibersqs tso_truth tsv 08b5ad5b461a87f47f3e3de7b4ec752c
SUMS
}

of_small() {
	og-events -c "$catalog" -w small | og-tickets -c "$catalog" -w small -l "$layout" -f "$format"
}

# All about every ticket, its request and its user; for copies of the tables of fibersqs.
layouts() {
	tr '~' '\t' <<-'ROWS'
	all	ticket	id	{ticket.id}~
	all	ticket	at	{ticket.time.unix}~
	all	ticket	delay	{ticket.delay_min}~
	all	ticket	end	{span.end.unix}~
	all	ticket	user	{user.id}~
	all	ticket	place	{place.id}~
	all	ticket	request	{request.id}~
	all	ticket	named	{ticket.request_id}~
	all	ticket	noise	{truth.noise}~
	all	ticket	failed	{status.ok}~
	who	event	request	{request.id}~
	who	event	user	{user.id}~
	who	event	place	{place.id}~
	who	event	at	{span.time.unix}~
	who	event	ok	{status.ok}~
	ROWS
}

# The tables of fibersqs under ./NAME, with everybody complaining by this row, and links as often wrong as that.
copy() {
	rm -rf "$1"
	cp -r "$OG_SHARE/fibersqs" "$1"
	chmod -R u+w "$1"
	layouts >>"$1/layouts.tsv"
	printf '# Tickets for tests\nwhen\trate\tdelay_min\trepeat\n%b' "$2" >"$1/tickets.tsv"
	sed -i "s/^ticket.missing\t.*/ticket.missing\t$3/; s/^ticket.fabricated\t.*/ticket.fabricated\t$4/; s/^ticket.wrong\t.*/ticket.wrong\t$5/" \
		"$1/settings.tsv"
}

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	og-entities -c fibersqs -n 30000 | og-incidents >w
	og-events -w w -l keys >e
	og-tickets -w w <e >t
	[ "$(wc -l <t)" -gt 300 ]
	copy all '\t0.3\t5..120\t0.5\n' 0.3 0.2 0.4
	for seed in 1 2; do
		og-entities -c ./all -n 20000 -s $seed >w$seed
		og-events -c ./all -w w$seed -l keys >e$seed
		og-events -c ./all -w w$seed -l who -f tsv | sed 1d >who$seed
		og-tickets -c ./all -w w$seed -l all -f tsv <e$seed | sed 1d >all$seed
		[ "$(wc -l <all$seed)" -gt 10000 ]
	done
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

tickets() {
	og-tickets -w w "$@"
}

# within COUNT OF SHARE: four and a half times the spread of a binomial count.
within() {
	awk -v k="$1" -v n="$2" -v p="$3" 'BEGIN {
		d = 4.5 * sqrt(n * p * (1 - p))
		if (k < n * p - d || k > n * p + d) { print k " of " n " is not " p; exit 1 }
	}'
}

@test "small worlds, byte for byte" {
	goldens 3 20000 of_small
}

@test "an event of any layout will do, in any order and in pieces" {
	local k

	for k in wide blind log trace_spans; do
		og-events -w w -l "$k" | tickets | cmp - t
	done
	for k in 1 2 3 4 5 6 7; do
		og-events -w w -l keys -k $k/7 | tickets
	done | cmp - t
	tac e | tickets | sort | cmp - <(sort t)
	head -c -1 e | tickets | cmp - t
	[ -z "$(tickets </dev/null)" ]
	[ "$(tickets -f tsv </dev/null | wc -l)" -eq 1 ]
}

@test "links are missing, fabricated and wrong as often as the settings say, and the truth tells which" {
	local seed n missing fabricated wrong

	for seed in 1 2; do
		n=$(wc -l <all$seed)
		missing=$(awk -F'\t' '$9 == "missing"' all$seed | wc -l)
		fabricated=$(awk -F'\t' '$9 == "fabricated"' all$seed | wc -l)
		wrong=$(awk -F'\t' '$9 == "wrong"' all$seed | wc -l)
		within "$missing" "$n" 0.3
		within "$fabricated" "$((n - missing))" 0.2
		within "$wrong" "$((n - missing - fabricated))" 0.4
		awk -F'\t' '
		FILENAME ~ /^who/ { user[$1] = $2; place[$1] = $3; at[$1] = $4; next }
		!($7 in user) || user[$7] != $5 || place[$7] != $6 { print "no such request: " $0; bad = 1 }
		$9 == "clean" && $8 != $7 { print "not clean: " $0; bad = 1 }
		$9 == "missing" && $8 != "" { print "not missing: " $0; bad = 1 }
		$9 == "fabricated" && ($8 in user || $8 !~ /^TX-[0-9]*-[0-9][0-9][0-9][0-9][0-9][0-9][0-9]$/) { print "it exists: " $0; bad = 1 }
		$9 == "wrong" && (!($8 in user) || user[$8] == $5 || place[$8] != $6) { print "not wrong: " $0; bad = 1 }
		$9 == "wrong" && (at[$8] >= $2 || at[$8] < $2 - 86401) { print "from another time: " $0; bad = 1 }
		END { exit bad }' who$seed all$seed
	done
	# The same tickets are not hit in another seed, nor in a row.
	awk -F'\t' '{ print NR, $9 }' all1 | head -n 5000 | sort >noise1
	awk -F'\t' '{ print NR, $9 }' all2 | head -n 5000 | sort >noise2
	within "$(comm -12 noise1 noise2 | wc -l)" 5000 0.273
	within "$(awk -F'\t' '$9 == last { n++ } { last = $9 } END { print n + 0 }' all1)" "$(wc -l <all1)" 0.273
}

@test "ids are unique, times within the world and as late as the table says" {
	cat all1 >both
	[ "$(cut -f 1 both | sort | uniq -d | wc -l)" -eq 0 ]
	# 5 to 120 minutes each, eight in all; nothing from after the end.
	awk -F'\t' '
	$7 != request { n = 0; before = 0 }
	{ request = $7; n++ }
	n > 8 || $3 - before < 4.999 || $3 - before > 120.001 { print; bad = 1 }
	$2 - $4 < $3 * 60 - 0.1 || $2 - $4 > $3 * 60 + 0.1 || $2 >= 1765152000 { print; bad = 1 }
	{ sum += $3 - before; before = $3 }
	END { exit bad || sum / NR < 61 || sum / NR > 64 }' all1
	# Without noise from the end of the world every other one has a further one.
	awk -F'\t' '$4 < 1765152000 - 8 * 7200 { print $7 }' all1 | uniq -c | awk '{ n[$1]++ } END { for (i = 1; i < 9; i++) print n[i] + 0 }' >chains
	within "$(sed -n 1p chains)" "$(awk '{ n += $1 } END { print n }' chains)" 0.5
	within "$(sed -n 2p chains)" "$(awk 'NR > 1 { n += $1 } END { print n }' chains)" 0.5
}

@test "who complains depends on the outcome, by the first row that holds" {
	copy rows 'failed\t0.4\t1\t\nroot.duration_ms>400\t0.2\t1\t\n\t0.05\t1\t\n' 0 0 0
	og-entities -c ./rows -n 20000 >wr
	og-events -c ./rows -w wr -e 2025-12-07T23:58:00Z -l txn_facts -f tsv | sed 1d | cut -f 1,7,9 >facts
	og-events -c ./rows -w wr -e 2025-12-07T23:58:00Z -l keys | og-tickets -c ./rows -w wr -l all -f tsv | sed 1d | cut -f 7 | sort >names
	[ -z "$(uniq -d names)" ]
	awk -F'\t' '{ print ($2 == "false" ? 1 : $3 > 400 ? 2 : 3), $1 }' facts | sort -k 2 >class
	join -1 2 class names | cut -d ' ' -f 2 | sort | uniq -c >hit
	within "$(awk '$2 == 1 { print $1 }' hit)" "$(grep -c '^1' class)" 0.4
	within "$(awk '$2 == 2 { print $1 }' hit)" "$(grep -c '^2' class)" 0.2
	within "$(awk '$2 == 3 { print $1 }' hit)" "$(grep -c '^3' class)" 0.05
}

@test "an incident changes the tickets of those alone that it met" {
	local when=start=2025-01-02T00:00:00Z,duration=12h,environment=prod

	og-entities -c social -b 2025-01-01 -e 2025-01-04 -n 30000 >calm
	og-incidents -N -a "component=dynamodb_throttle,$when,errors=0.5,codes=429" <calm >ill
	og-events -w calm >ec
	og-events -w ill >ei
	og-tickets -w calm <ec >tc
	og-tickets -w ill <ei >ti
	diff tc ti | sed -n 's/^[<>] .*"request_id":"\([^"]*\)".*/\1/p' | sort -u >differ
	diff ec ei | sed -n 's/^[<>] .*"request_id":"\([^"]*\)".*/\1/p' | sort -u >met
	[ "$(wc -l <differ)" -gt 3 ]
	[ -z "$(comm -23 differ met)" ]
}

@test "-c, -l, -f, -n, -w" {
	local n

	og-tickets --catalog fibersqs --world w --layout tickets --format json <e | cmp - t
	refused 2 'og-tickets: w:1: a world of catalog "fibersqs", not "social"' og-tickets -c social -w w <e
	refused 2 'og-tickets: no layout "no" in catalog fibersqs' tickets -l no <e
	refused 2 'og-tickets: fibersqs: layout "app_logs" is not of tickets' tickets -l app_logs <e
	refused 2 'og-tickets: no format "xml": json, csv or tsv' tickets -f xml <e
	refused 2 'og-tickets: nowhere: No such file or directory' og-tickets -w nowhere <e
	for n in 0 -1 x ''; do
		refused 2 'og-tickets: number of requests is' tickets -n "$n" <e
	done
	og-events -w w -l keys -n 30001 2>/dev/null | og-tickets -w w --requests 30001 >larger
	[ "$(wc -l <larger)" -gt 300 ]
	run -2 --separate-stderr og-tickets <e
	[[ $stderr = "usage: og-tickets"* ]]
	run -2 --separate-stderr tickets operand <e
	[[ $stderr = "usage: og-tickets"* ]]
	copy none '\t1\t5\t\n' 0 0 0
	sed -i '/^\t/d' none/tickets.tsv
	og-entities -c ./none >wn
	refused 2 'og-tickets: catalog none has no tickets' og-tickets -c ./none -w wn <e
}

@test "what is no event of this world is named and left out" {
	local bad

	sed 5d e | tickets >want
	for bad in '' '[]' '{"timestamp":"2025-12-01T00:00:00Z"}' '{"timestamp":"2025-12-01T00:00:00Z","trace_id":"x"}'; do
		{ sed -n 1,4p e && echo "$bad" && sed 1,5d e; } >odd
		run -1 --separate-stderr bash -c 'og-tickets -w w <odd >got'
		[ "${stderr#og-tickets: <stdin>:5: }" != "$stderr" ]
		cmp got want
	done
}

@test "full disk, closed output, closed input" {
	unwritten 'og-tickets -w w <e'
	unread 1 'og-tickets -w w'
}
