#!/usr/bin/env bats
# og-tags: the twelve words and the composites, in place or at the end, and everything else as it was.

bats_require_minimum_version 1.5.0
load common

ID=prod:aws:123:us-east-1:p0:k8s:main:social:core:users:default:4711
WORDS='"environment":"prod","provider":"aws","account":"123","region":"us-east-1","partition":"p0","target_type":"k8s","target":"main","application":"social","stack":"core","service":"users","tag":"default","release":"4711"'
COMPOSITES='"provider_id":"prod:aws:123","region_id":"prod:aws:123:us-east-1","partition_id":"prod:aws:123:us-east-1:p0","target_id":"prod:aws:123:us-east-1:p0:k8s:main","stack_id":"social:core","service_id":"social:core:users","deployment_id":"prod:aws:123:us-east-1:p0:k8s:main:social:core:users:default"'

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

# tags RECORD: what becomes of one line, or of several.
tags() {
	printf '%s\n' "$@" >in
	run -0 --separate-stderr og-tags <in
	[ -z "$stderr" ]
}

# passed MESSAGE: the input `in` is reported so, and comes out unchanged.
passed() {
	run -1 --separate-stderr og-tags <in
	[ "$stderr" = "og-tags: <stdin>:$1" ]
	og-tags <in 2>/dev/null >out || true
	cmp in out
}

@test "twenty tags at the end of a record, in the order of the table" {
	tags '{"a":1,"release_id":"'$ID'","b":[{"release_id":"x"}]}'
	[ "$output" = '{"a":1,"release_id":"'$ID'","b":[{"release_id":"x"}],'"$WORDS,$COMPOSITES}" ]
	[ "$(jq length <<<"$output")" -eq $((20 + 2)) ]
}

@test "tags of a sample go into tags" {
	tags '{"metric":"m","ts":1,"value":2.50,"tags":{"release_id":"'$ID'"},"exemplar":"x"}'
	[ "$output" = '{"metric":"m","ts":1,"value":2.50,"tags":{"release_id":"'$ID'",'"$WORDS,$COMPOSITES"'},"exemplar":"x"}' ]
}

@test "tags without a metric, or that are no object, make no sample" {
	tags '{"tags":{"a":1},"release_id":"'$ID'"}' '{"metric":1,"tags":[],"release_id":"'$ID'"}'
	[ "${lines[0]}" = '{"tags":{"a":1},"release_id":"'$ID'",'"$WORDS,$COMPOSITES}" ]
	[ "${lines[1]}" = '{"metric":1,"tags":[],"release_id":"'$ID'",'"$WORDS,$COMPOSITES}" ]
}

@test "a key that is there is set in place and never doubled" {
	tags '{"service" : "old", "z":1, "stack_id":null,"release_id":"'$ID'","environment":{"a":[1]},"region":"us-east-1"}'
	rest=${WORDS/\"environment\":\"prod\",/}
	rest=${rest/\"region\":\"us-east-1\",/}
	rest=${rest/\"service\":\"users\",/}
	[ "$output" = '{"service" : "users", "z":1, "stack_id":"social:core","release_id":"'$ID'","environment":"prod","region":"us-east-1",'"$rest,${COMPOSITES/\"stack_id\":\"social:core\",/}}" ]
}

@test "tagging twice changes nothing" {
	printf '%s\n' '{"release_id":"'$ID'"}' '{"metric":"m","tags":{"release_id":"'$ID'","x":"y"}}' | og-tags >once
	og-tags <once >twice
	cmp once twice
}

@test "all other bytes stay as they are" {
	tags $' \t{ "a" : "\\u00e9\\/" ,"n":1.50e+1 , "release_id" : "'$ID$'" } \r'
	[ "$output" = $' \t{ "a" : "\\u00e9\\/" ,"n":1.50e+1 , "release_id" : "'"$ID"$'" ,'"$WORDS,$COMPOSITES"$'} \r' ]
}

@test "a record without the id, or with null, is unchanged" {
	tags '{}' '{"a":1}' '{"release_id":null}' '{"metric":"m","tags":{},"release_id":"a:b"}'
	diff in <(echo "$output")
}

@test "an id with escapes" {
	tags '{"release_id":"a\u003ab:\"\n\u00e9:d:e:f:g:h:i:j:\/:l"}'
	[[ $output = *',"environment":"a","provider":"b","account":"\"\né","region":"d",'*'"tag":"/","release":"l",'* ]]
	diff <(jq -c 'del(.release_id)' <<<"$output") <(jq -c '.release_id | split(":") as $w |
		{environment:$w[0],provider:$w[1],account:$w[2],region:$w[3],partition:$w[4],target_type:$w[5],target:$w[6],
		application:$w[7],stack:$w[8],service:$w[9],tag:$w[10],release:$w[11],
		provider_id:$w[:3]|join(":"),region_id:$w[:4]|join(":"),partition_id:$w[:5]|join(":"),target_id:$w[:7]|join(":"),
		stack_id:$w[7:9]|join(":"),service_id:$w[7:10]|join(":"),deployment_id:$w[:11]|join(":")}' <<<"$output")
}

@test "many ids, more than are remembered, each with its own tags" {
	seq 1 9000 | sed 's/.*/{"n":&,"release_id":"e:p:a:r:p:t:t:a:s:v&:g:&"}/' >in
	cat in in | og-tags >out
	[ "$(wc -l <out)" -eq 18000 ]
	jq -e -n 'reduce inputs as $x (true; . and ($x.release == ($x.n | tostring)) and ($x.service_id == "a:s:v\($x.n)"))' out
}

@test "a malformed id is reported with its line and passed through" {
	for case in 'a:b|has 2 fields, not 12' '|has 1 field, not 12' "$ID:x|has 13 fields, not 12" "${ID/aws/}|has an empty provider" \
		"${ID%4711}|has an empty release" 'a\u0000|holds a NUL'; do
		printf '%s\n' '{"a":1}' '{"release_id":"'"${case%|*}"'"}' >in
		passed "2: release_id ${case#*|}"
	done
	echo '{"release_id":12}' >in
	passed '1: release_id is no string'
}

@test "a line that is no object is reported and passed through" {
	local deep
	deep=$(printf '[%.0s' $(seq 10000))
	while IFS='|' read -r line what; do
		printf '%b\n' "$line" >in
		passed "1: $what"
	done <<-END
		x|not a JSON object
		|not a JSON object
		[1]|not a JSON object
		{"a":"\\xff"}|invalid UTF-8
		{"a":"\\0000"}|NUL byte
		{"a":1,"a":2}|key "a" twice
		{"release_id":"$ID","release_id":"$ID"}|key "release_id" twice
		{"metric":1,"tags":{"a":1,"\\\\u0061":2}}|in tags: key "\\u0061" twice
		{"a":1}{}|text behind the object
		{"a":$deep${deep//\[/]}}|nested deeper than 64
	END
}

@test "the rest goes on behind a bad line" {
	printf '%s\n' x '{"release_id":"'$ID'"}' '{"release_id":"y"}' '{"release_id":"'$ID'"}' >in
	run -1 --separate-stderr og-tags <in
	[ "${#lines[@]}" -eq 4 ]
	[ "${lines[1]}" = '{"release_id":"'$ID'",'"$WORDS,$COMPOSITES}" ]
	[ "${lines[3]}" = "${lines[1]}" ]
}

@test "a line of 2 MiB is reported and left out" {
	{
		echo '{"a":1}'
		head -c 2097152 /dev/zero | tr '\0' x
		echo
		echo '{"b":1}'
	} >in
	run -1 --separate-stderr og-tags <in
	[ "$output" = $'{"a":1}\n{"b":1}' ]
	[ "$stderr" = 'og-tags: <stdin>:2: line too long' ]
}

@test "a line that grows beyond 1 MiB is reported and passed through" {
	pad=$(head -c 1048000 /dev/zero | tr '\0' x)
	printf '{"a":"%s","release_id":"%s"}\n' "$pad" "$ID" >in
	passed '1: too long with its tags'
	printf '{"release_id":"%s%s"}\n' "$pad" "$ID" >in
	passed '1: release_id gives tags longer than a line may be'
	printf '{"a":"%s","release_id":"%s"}\n' "${pad:1000}" "$ID" >in
	run -0 --separate-stderr og-tags <in
	[[ $output = *"$COMPOSITES}" ]]
	[ $((${#output} + 1)) -le 1048576 ]
}

@test "empty input, no newline at the end" {
	run -0 --separate-stderr og-tags </dev/null
	[ -z "$output$stderr" ]
	printf '{"a":1}' | og-tags >out
	printf '{"a":1}\n' | cmp - out
}

@test "full disk, closed streams, a reader that leaves" {
	echo '{"a":1}' >in
	run -1 --separate-stderr bash -c 'og-tags <in >/dev/full'
	[ "$stderr" = 'og-tags: <stdout>: No space left on device' ]
	yes '{"a":1}' | head -n 1000000 >big
	run -1 --separate-stderr bash -c 'og-tags <big >/dev/full'
	[ "$stderr" = 'og-tags: <stdout>: No space left on device' ]
	run -1 --separate-stderr bash -c 'og-tags <&-'
	[ "$stderr" = 'og-tags: <stdin>: Bad file descriptor' ]
	run -1 --separate-stderr bash -c 'og-tags <in >&-'
	[ "$stderr" = 'og-tags: <stdout>: Bad file descriptor' ]
	run -1 --separate-stderr og-tags <.
	[ "$stderr" = 'og-tags: <stdin>: Is a directory' ]
	# shellcheck disable=SC2016
	run -0 --separate-stderr bash -c 'og-tags <big | head -n 1; [ "${PIPESTATUS[0]}" -eq 141 ]'
	[ "$output" = '{"a":1}' ]
	[ -z "$stderr" ]
}

@test "-g: another grammar, found as it is named" {
	printf '%s\n' '# x' $'id\tnote\tform' $'release_id\t\t{cell}-{build}' $'unit\t\t<{build}>' >ids.tsv
	echo '{"release_id":"a:b-7","cell":1}' >in
	for option in -g --grammar=; do
		run -0 --separate-stderr og-tags "${option}ids.tsv" <in
		[ "$output" = '{"release_id":"a:b-7","cell":"a:b","build":"7","unit":"<7>"}' ]
	done
}

@test "-k: another key, split by the row of its name" {
	printf '%s\n' $'id\tform' $'release_id\t{a}:{b}' $'k\t{x}/{y}' >ids.tsv
	for option in -k --key=; do
		run -0 --separate-stderr og-tags -g ids.tsv "${option}k" <<<'{"release_id":"1:2","k":"3/4"}'
		[ "$output" = '{"release_id":"1:2","k":"3/4","x":"3","y":"4"}' ]
	done
	run -0 --separate-stderr og-tags -k stack_id <<<'{"stack_id":"social:core"}'
	[ "$output" = '{"stack_id":"social:core","application":"social","stack":"core"}' ]
}

@test "the table is found in OG_SHARE first" {
	mkdir -p mine/social
	printf '%s\n' $'id\tform' $'release_id\t{only}' >mine/social/ids.tsv
	OG_SHARE=$PWD/mine run -0 --separate-stderr og-tags <<<'{"release_id":"a"}'
	[ "$output" = '{"release_id":"a","only":"a"}' ]
}

@test "a table that cannot serve: status 2 before anything is read" {
	printf '%s\n' $'id\tform' $'release_id\t{a}{b}' $'k\t{tags}:{x}' >ids.tsv
	run -2 --separate-stderr og-tags -g ids.tsv <<<'{"a":1}'
	[[ $stderr = 'og-tags: ids.tsv:2: a form that can be split has one mark'* ]]
	[ -z "$output" ]
	run -2 --separate-stderr og-tags -g ids.tsv -k k <<<'{"a":1}'
	[ "$stderr" = 'og-tags: ids.tsv: "tags" cannot be the name of a tag' ]
	run -2 --separate-stderr og-tags -g ids.tsv -k none <<<'{"a":1}'
	[ "$stderr" = 'og-tags: ids.tsv: no id "none"' ]
	run -2 --separate-stderr og-tags -g missing.tsv <<<'{"a":1}'
	[ "$stderr" = 'og-tags: missing.tsv: No such file or directory' ]
}

@test "usage" {
	run -2 --separate-stderr og-tags file </dev/null
	[ "$stderr" = 'usage: og-tags [-g file] [-k key]' ]
	run -0 --separate-stderr og-tags -h
	[ "${lines[0]}" = 'usage: og-tags [-g file] [-k key]' ]
	run -1 --separate-stderr bash -c 'og-tags -h >/dev/full'
}

@test "a slow producer's record comes through at once" {
	mkfifo to from
	og-tags <to >from 3>&- &
	local pid=$!
	exec 5>to 6<from
	echo '{"release_id":"'$ID'"}' >&5
	read -r -t 20 line <&6
	[ "$line" = '{"release_id":"'$ID'",'"$WORDS,$COMPOSITES}" ]
	exec 5>&- 6<&-
	wait "$pid"
}
