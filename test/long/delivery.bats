#!/usr/bin/env bats
# Faults of delivery at random, in 500 loads: nothing is missing or corrupted, doubles are those that were told, the exit status is true.

bats_require_minimum_version 1.5.0
load ../common

# rounds FIRST LAST: two at a time.
rounds() {
	seq "$1" "$2" | timeout 560 xargs -P 2 -n 1 "$OG_ROOT/test/push/round.sh"
}

@test "loads 1 to 125" {
	rounds 1 125
}

@test "loads 126 to 250" {
	rounds 126 250
}

@test "loads 251 to 375" {
	rounds 251 375
}

@test "loads 376 to 500" {
	rounds 376 500
}

@test "200 pushers killed, each followed by the same command; with insert tokens nothing is stored twice" {
	printf '%s\n' vl ch | timeout 580 xargs -P 2 -I KIND "$OG_ROOT/test/push/kills.sh" KIND 200
}

@test "a server that swallows a load is noticed" {
	run ! env OG_FAULT=swallow "$OG_ROOT/test/push/round.sh" 2
	[[ $output = *"missing"* ]]
}
