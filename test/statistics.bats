# The traffic of `social` follows its tables, in a short form; test/long/statistics.bats has all of it.
bats_require_minimum_version 1.5.0

load common
load stats

@test "a week follows its catalog" {
	plain social -n 400000 -u 40000 -b 2025-03-03 -e 2025-03-10 -s 7 >"$BATS_TEST_TMPDIR/world"
	og-events -w "$BATS_TEST_TMPDIR/world" | judge "$BATS_TEST_TMPDIR/world"
}

@test "without depth a request has 2.69 spans" {
	og-entities -c social -n 100000 -d 1 >"$BATS_TEST_TMPDIR/world"
	og-events -w "$BATS_TEST_TMPDIR/world" | og-spans -w "$BATS_TEST_TMPDIR/world" | judge "$BATS_TEST_TMPDIR/world" -g depth,levels
}

@test "wrong models are told" {
	local week=(-b 2025-03-03 -e 2025-03-10)
	caught latency 'below the median of their action' operations '/\tadd_reaction\t/s/38.31~110.9/42.14~122/' "${week[@]}"
	caught ends 'failures by class' personas 's/^(lurker.*\t)0.01\t/\10.02\t/' "${week[@]}"
	caught actions 'actions:' operations '/\tget_timeline\t/s/\t25\t/\t22\t/' "${week[@]}"
	caught who 'hours of the day' lists 's/^(day_lurkers\t)21,16,6,(.*)$/\1\2,21,16,6/' "${week[@]}"
	caught sizes 'hits of the cache' settings 's/^(cache_hit\t).*/\10.68/' "${week[@]}"
}
