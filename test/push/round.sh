#!/bin/bash
#
# round.sh SEED: one load with faults as the seed has them, in a folder of its own; what is not as it must be is told. Exit 1 then.
# OG_FAULT is one more, the first.
set -u

OG_ROOT=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
# shellcheck source=test/common.bash
. "$OG_ROOT/test/common.bash"
# shellcheck source=test/push/bench.bash
. "$OG_ROOT/test/push/bench.bash"

seed=$1
RANDOM=$seed
_=$RANDOM$RANDOM$RANDOM
dir=$(mktemp -d)
trap 'stop; rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# below N; from LEAST MOST; of WORD ...: by chance.
below() {
	chance=$((RANDOM % $1))
}

from() {
	below $(($2 - $1 + 1))
	chance=$(($1 + chance))
}

of() {
	below $#
	shift "$chance"
	chance=$1
}

# What the server does with a load that it does not simply take.
fault() {
	of 503 429 500 408 '503 Retry-After:1' '503 close' '503 early' '500 store' drop rdrop hang 'hang store' cut cutreset partial 'drop=60000000 store' delay \
		trickle close open chunked nolength restart restart
	case $chance in
	drop | rdrop) from 0 60000 && chance=$( [ "$chance" = 0 ] && echo drop=0 || echo "drop=$chance") ;;
	hang*)
		local store=${chance#hang}

		from 10 80 && chance="hang=$chance$store"
		;;
	cut) from 0 20 && chance="cut=$chance" ;;
	cutreset) from 0 20 && chance="cut=$chance reset" ;;
	partial) from 0 "$partial" && chance=partial=$chance ;;
	delay) from 5 60 && chance="delay=$chance" ;;
	trickle) chance=trickle=1 ;;
	open) chance='200 open' ;;
	chunked) from 1 60 && chance="200 chunked cut=$chance body=xxxxxxx" ;;
	nolength) chance='200 nolength hang=30' ;;
	restart) from 0 60 && chance=restart=$chance ;;
	esac
}

script() {
	below 7
	for ((i = chance; i > 0; i--)); do
		fault
		echo "$chance"
		below 4
		for ((j = chance; j > 0; j--)); do echo; done
	done
}

# The pusher, its server, and their options.
partial=300
form=json
settle=0
of vl vl vl lines vm vm ch ch once
kind=$chance
case $kind in
vl) push=(og-vlpush) flavour=vl ;;
lines) push=(og-vlpush -I jsonline) flavour=vl ;;
vm) push=(og-vmpush) flavour=vm form=samples ;;
ch | once)
	of json tsv csv
	form=$chance
	push=(og-chpush -t logs -f "$(case $form in json) echo JSONEachRow ;; tsv) echo TSV ;; csv) echo CSVWithNames ;; esac)")
	flavour=ch
	# A block is there as a whole or not at all.
	partial=0
	[ "$kind" = ch ] || push+=(-o)
	;;
esac
options=(-F "$flavour" -W 0)
[ "$flavour" = ch ] || {
	of 0 0 0 500
	settle=$chance
	push+=(-W "${settle}ms")
	options=(-F "$flavour" -W $((settle * 3 / 5)))
}
from 50 3000
records "$chance" "$form"
from 20 600
push+=(-v -D dead -L 20ms -R "$chance")
from 1 8
push+=(-C "$chance")
of none none gzip zstd
push+=(-z "$chance")
below 3
poison=$chance
: >poison
for ((i = poison; i > 0; i--)); do
	from 2 "$sent"
	sed -n "${chance}p" in | grep -oE '"value":[0-9]+|[0-9a-f]{16}' | tail -n 1 | sed 's/"value"://' >>poison
done
poison=$(sort -u poison | grep -c .)
[ "$poison" -eq 0 ] || options+=(-X poison)
{
	[ -z "${OG_FAULT-}" ] || echo "$OG_FAULT"
	script
} >lines
serve "${options[@]}" <lines
below 3
[ "$chance" -ne 0 ] || between -s "$seed"
[ "$settle" -eq 0 ] || {
	from 1 9
	(sleep "0.$chance" && kill -HUP "${daemons[0]}") 2>/dev/null &
}

status=0
timeout 25 "${push[@]}" "$URL" <in 2>said || status=$?
tell() {
	echo "seed $seed: $*"
	echo "${push[*]} -- faultd ${options[*]} -- status $status, $sent records, poison $poison"
	cat said lines
	exit 1
}
(truthful "$status") 2>told || tell "$(head -n 1 told)"
verdict=$(judged 2>told) || tell "$verdict; perhaps doubled $(account 'perhaps doubled'); $(cat told)"
[[ $verdict = *" refused $poison" ]] || tell "$verdict"
[ "$(account accepted)" -eq $((sent - poison)) ] || tell "$verdict"
[ "$kind" != once ] || [[ $verdict = *" doubled 0 "* ]] || tell "$verdict"
