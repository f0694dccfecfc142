# The traffic of `social` follows its tables: shares, shapes, rates, latency, rollouts. And each check fails for a model that is wrong in what it looks at.
bats_require_minimum_version 1.5.0

load ../common
load ../stats

year() {
	plain social -n 1000000 -s "$1" >"$BATS_TEST_TMPDIR/world"
	og-events -w "$BATS_TEST_TMPDIR/world" | judge "$BATS_TEST_TMPDIR/world"
}

# So many more requests at a time ask for more users, or the shapes are those of the few who come most.
week() {
	plain social -n 1000000 -u 100000 -s "$1" -b 2025-03-03 -e 2025-03-10 >"$BATS_TEST_TMPDIR/world"
	og-events -w "$BATS_TEST_TMPDIR/world" | judge "$BATS_TEST_TMPDIR/world"
}

# A month in which every deployment is rolled out some 30 times, or the little traffic inside of rollouts would show nothing.
rollouts() {
	changed entities 's/^(build\t[^\t]*\tservice\t#\t)[^\t]+/\1500/' >"$BATS_TEST_TMPDIR/catalog"
	og-entities -c "$(cat "$BATS_TEST_TMPDIR/catalog")" -n "$1" -b 2025-06-01 -e 2025-07-01 >"$BATS_TEST_TMPDIR/world"
}

@test "a year follows its catalog" {
	year 1
}

@test "a year of another seed follows its catalog" {
	year 2
}

@test "a week follows its catalog" {
	week 3
}

@test "a week of another seed follows its catalog" {
	week 4
}

@test "people join over the year" {
	plain social -n 1500000 -u 800 >"$BATS_TEST_TMPDIR/world"
	og-events -w "$BATS_TEST_TMPDIR/world" | judge "$BATS_TEST_TMPDIR/world" -g joins
}

@test "who closes the account is gone" {
	local catalog
	catalog=$(changed operations '/activate_account\t/s/\t0.0[01]5?\t/\t1\t/')
	plain "$catalog" -n 500000 >"$BATS_TEST_TMPDIR/world"
	og-events -c "$catalog" -w "$BATS_TEST_TMPDIR/world" | judge "$BATS_TEST_TMPDIR/world" -c "$catalog" -g actions,sessions,leaving
	sed -i '/^session.once/d' "$catalog/settings.tsv"
	plain "$catalog" -n 200000 >"$BATS_TEST_TMPDIR/world"
	cp -r "$catalog" "$BATS_TEST_TMPDIR/social"
	cp "$OG_SHARE/social/settings.tsv" "$BATS_TEST_TMPDIR/social/"
	og-events -c "$catalog" -w "$BATS_TEST_TMPDIR/world" >"$BATS_TEST_TMPDIR/events"
	run -1 stats -c "$BATS_TEST_TMPDIR/social" -g leaving "$BATS_TEST_TMPDIR/world" <"$BATS_TEST_TMPDIR/events"
	fails 'requests of users who had left'
}

@test "rollouts let less through, fail more and slow down" {
	local catalog world=$BATS_TEST_TMPDIR/world
	rollouts 2000000
	catalog=$(cat "$BATS_TEST_TMPDIR/catalog")
	og-events -c "$catalog" -w "$world" >"$BATS_TEST_TMPDIR/events"
	judge "$world" -c "$catalog" -g levels,rollouts <"$BATS_TEST_TMPDIR/events"
	sed -E 's/"throughput":[0-9.]+/"throughput":0.9/' "$world" >"$BATS_TEST_TMPDIR/other"
	run -1 stats -c "$catalog" -g rollouts "$BATS_TEST_TMPDIR/other" <"$BATS_TEST_TMPDIR/events"
	fails 'throughput in rollouts'
	sed -E 's/"errors":[0-9.]+/"errors":0.06/; s/("kind":"rollout".*"latency":)[0-9.]+/\11.3/' "$world" >"$BATS_TEST_TMPDIR/other"
	run -1 stats -c "$catalog" -g rollouts "$BATS_TEST_TMPDIR/other" <"$BATS_TEST_TMPDIR/events"
	fails 'failures in rollouts'
	fails "requests in rollouts below the median times"
}

@test "spans of a service that is rolled out are slower" {
	local catalog world=$BATS_TEST_TMPDIR/world
	rollouts 600000
	catalog=$(cat "$BATS_TEST_TMPDIR/catalog")
	og-events -c "$catalog" -w "$world" | og-spans -c "$catalog" -w "$world" >"$BATS_TEST_TMPDIR/spans"
	judge "$world" -c "$catalog" -g levels,spans <"$BATS_TEST_TMPDIR/spans"
	sed -E 's/("kind":"rollout".*"latency":)[0-9.]+/\11.2/' "$world" >"$BATS_TEST_TMPDIR/other"
	run -1 stats -c "$catalog" -g spans "$BATS_TEST_TMPDIR/other" <"$BATS_TEST_TMPDIR/spans"
	fails 'median slowness'
}

@test "levels with incidents, and without depth 2.69 spans of a request" {
	local world=$BATS_TEST_TMPDIR/world
	og-entities -c social -d 1 -n 300000 -b 2025-03-01 -e 2025-05-01 | og-incidents >"$world"
	og-events -w "$world" | og-spans -w "$world" >"$BATS_TEST_TMPDIR/spans"
	judge "$world" -g levels,depth <"$BATS_TEST_TMPDIR/spans"
	sed '0,/"level":"WARN"/s//"level":"ERROR"/' "$BATS_TEST_TMPDIR/spans" >"$BATS_TEST_TMPDIR/other"
	run -1 stats -g levels "$world" <"$BATS_TEST_TMPDIR/other"
	fails '5xx and infrastructure ERROR'
}

@test "told: other people, hours, days, homes" {
	caught who 'personas by users' personas 's/^(regular_teen_1\t[^\t]*\t)1\t/\12\t/'
	caught who 'hours of the day' lists 's/^(day_lurkers\t)21,16,6,(.*)$/\1\2,21,16,6/'
	caught who 'hours of the day' places 's/-8=0.95,8=0.05/-5=0.95,8=0.05/'
	caught who 'weekdays' lists 's/^(week_weekdays\t).*/\10.16,0.16,0.15,0.14,0.13,0.13,0.13/' -n 500000
	caught who 'places where' places 's/\t0.34\t/\t0.25\t/'
	caught who 'slope of users' settings '/^end\t/a user_zipf\t0.4'
	caught who 'slope of users' settings '/^end\t/a user_zipf\t1'
}

@test "told: growth, season, flat days" {
	caught traffic 'sessions a day' lists 's/^(week_weekdays\t).*/\10.16,0.16,0.15,0.14,0.13,0.13,0.13/'
	caught traffic 'sessions in thirty days' settings 's/^(growth\t).*/\10.3/'
	caught traffic 'sessions in thirty days' lists '/^season/s/0.93/0.9/'
	caught traffic 'busiest hour' lists 's/^(day_[a-z_]+\t).*/\13,2,1,1,1,1,2,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3/'
}

@test "told: other actions" {
	caught actions 'actions:' operations '/\tget_timeline\t/s/\t25\t/\t23\t/'
	caught actions 'categories by mix' personas 's/content_creation=0.05,engagement=0.22,/content_creation=0.06,engagement=0.21,/'
}

@test "told: other failures" {
	caught ends 'failures by class' personas 's/^(lurker.*\t)0.01\t/\10.02\t/'
	caught ends 'failures by place' places 's/\t0.34\t1.1\t1/\t0.34\t1.1\t1.3/' -n 500000
	caught ends 'codes of failures' codes 's/\t0.42\t/\t0.25\t/' -n 500000
	caught latency '4xx below the median' codes 's/^(404.*0.42\t)0.5/\10.75/' -n 500000
}

@test "told: another latency" {
	caught latency 'below the median of their action' operations '/\tadd_reaction\t/s/38.31~110.9/42.14~122/'
	caught latency 'above the 99th percentile' operations '/\tadd_reaction\t/s/110.9/130/'
	caught latency 'below the median, by class' personas 's/^(lurker.*\t)1.3\t/\11.25\t/'
	caught latency 'below the median, by place' places 's/\t0.34\t1.1/\t0.34\t1.15/'
	caught latency 'below the median, by hour' settings 's/^(load_latency\t).*/\10.1/'
	caught latency 'body of' operations '/\tadd_reaction\t/s/38.31~110.9/10.0..66.6/'
	caught latency '99th percentile to median' operations '/\tadd_reaction\t/s/38.31~110.9/35.0..41.6/'
	caught latency 'index of the tail' settings 's/^(tail_alpha\t).*/\13.5/' -n 500000
}

@test "told: other sizes, caches, queries" {
	caught sizes 'requests below the median' operations '/\tget_timeline\t/s/\t5833~17404/\t6200~18000/'
	caught sizes 'responses below the median' operations '/\tget_timeline\t/s/\t58327~174040/\t62000~180000/'
	caught sizes 'hits of the cache' settings 's/^(cache_hit\t).*/\10.68/'
	caught sizes 'queries that' settings 's/^(db_queries\t).*/\11..6/'
	caught sizes 'hits with queries' operations '/\tget_timeline\t/s/\tno\t/\tyes\t/'
}

@test "told: other sessions" {
	caught sessions 'pauses in sessions below' settings '/^end\t/a session.gap_s\t11.5'
	caught sessions 'actions that open' settings '/^session.first/d'
	caught sessions 'actions that end' settings '/^session.(last|once)/d'
}

@test "told: other things" {
	caught objects 'things that were named before' operations '/\tcreate_post\t/s/\+post/post/; /\tcreate_story\t/s/\+story/+post/'
	caught objects 'things that were deleted' operations '/\tdelete_post\t/s/-post/post/'
	caught objects 'uses of things made' operations '/\tget_post\t/s/\tpost\t/\t-post\t/'
}

@test "told: founders alone" {
	caught joins 'share of users who were there' settings '/^end\t/a founders\t1' -u 200 -n 500000
}

# Changes that no catalog can make.
@test "told: requests that know nothing of each other, moving users, targets without hubs" {
	local world=$BATS_TEST_TMPDIR/world
	plain social -n 200000 -b 2025-03-03 -e 2025-03-10 >"$world"
	og-events -w "$world" >"$BATS_TEST_TMPDIR/events"
	awk '{ print substr($0, 1, 28) sprintf("%02d:%09.6f", int(rand() * 60), int(rand() * 6e7) / 1e6) substr($0, 41) }' "$BATS_TEST_TMPDIR/events" |
		sort >"$BATS_TEST_TMPDIR/other"
	run -1 stats -g traffic "$world" <"$BATS_TEST_TMPDIR/other"
	fails 'variance to mean'
	sed 's/us-west-2/us-east-1/; n' "$BATS_TEST_TMPDIR/events" >"$BATS_TEST_TMPDIR/other"
	run -1 stats -g who "$world" <"$BATS_TEST_TMPDIR/other"
	fails 'requests of a user from elsewhere'
	awk '{ sub(/"target_user_id":"[^"]*"/, sprintf("\"target_user_id\":\"user_%012x\"", rand() * 10000)); print }' "$BATS_TEST_TMPDIR/events" >"$BATS_TEST_TMPDIR/other"
	run -1 stats -g who "$world" <"$BATS_TEST_TMPDIR/other"
	fails 'the top 1 % of targets'
	sed -E 's/("user_id":)("[^"]*")(.*"target_user_id":)"[^"]*"/\1\2\3\2/' "$BATS_TEST_TMPDIR/events" >"$BATS_TEST_TMPDIR/other"
	run -1 stats -g who "$world" <"$BATS_TEST_TMPDIR/other"
	fails 'users who are their own target'
}
