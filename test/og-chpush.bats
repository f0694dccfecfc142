# shellcheck disable=SC2154 # stderr and stderr_lines come from run
bats_require_minimum_version 1.5.0

load common
load faultd

# A pusher that waits for a server waits for ever.
# shellcheck disable=SC2034 # read by bats
BATS_TEST_TIMEOUT=20

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	stop
}

# It passes for ClickHouse.
faulty() {
	echo "-F ${flavour-ch}"
}

records() {
	seq "${2:-1}" $((${2:-1} + $1 - 1)) | sed 's/.*/{"id":&,"message":"m &"}/'
}

# The ids that the server stored, one a line, sorted; doubles stay.
stored_ids() {
	grep -ao '"id":[0-9]*' stored | tr -dc '0-9\n' | sort -n
}

# Targets of the requests that carried records.
loads() {
	awk '$1 == "POST" && $2 ~ /query=INSERT/ { print $2 }' requests
}

# What the server answers to the questions for version and table, for -P.
questions() {
	echo 200
	echo '200 body=1'
}

@test "records arrive as they are; the server is asked for version and table first" {
	serve <<<""
	records 50 >in
	run -0 --separate-stderr og-chpush -t db.logs "$URL" <in
	[ -z "$output$stderr" ]
	cmp in stored
	[ "$(awk '$1 == "POST"' requests | wc -l)" -eq 3 ]
	[[ $(loads) = '/?query=INSERT+INTO+%60db%60.%60logs%60+FORMAT+JSONEachRow&'* ]]
}

@test "settings: what keeps the promise is always sent, what a version does not know is not" {
	records 5 >in
	for version in 24.3.1.1 18.16.1; do
		serve -V "$version" <<<""
		run -0 og-chpush -x input_format_skip_unknown_fields=1 -x insert_quorum=2 -t logs "$URL" <in
		loads | tr '&' '\n' >sent
		for want in wait_end_of_query=1 input_format_allow_errors_num=0 input_format_allow_errors_ratio=0 input_format_skip_unknown_fields=1 \
			insert_quorum=2 max_insert_block_size=1048576 min_insert_block_size_rows=1048576 min_insert_block_size_bytes=0; do
			grep -qx "$want" sent
		done
		run grep -c unknown_fields sent
		[ "$output" -eq 1 ]
	done
	run ! grep -q async_insert sent
	serve -V 24.3.1.1 <<<""
	run -0 og-chpush -t logs "$URL" <in
	loads | tr '&' '\n' | grep -qx async_insert=0
}

@test "bad usage is refused, and nothing of an option becomes SQL" {
	U=http://127.0.0.1:1
	for args in "" "-t logs" "-t logs $U $U" "$U" "-t a.b.c $U" "-t a;b $U" "-t logs -f Values $U" "-t logs -f csv $U" "-t logs -x a $U" \
		"-t logs -x a-b=1 $U" "-t logs -x async_insert=1 $U" "-t logs -x query=x $U" "-t logs -W 5s $U" "-t logs -R 0 $U" "-t logs -B 1x $U" \
		"-t logs ftp://h" "-t logs -z x $U"; do
		# shellcheck disable=SC2086 # words
		run -2 og-chpush $args </dev/null
		[ -n "$output" ]
	done
	run -2 og-chpush -t 'logs FORMAT CSV' "$U" </dev/null
	run -2 og-chpush -t "lo\`gs" "$U" </dev/null
	run -2 og-chpush -t "logs'" "$U" </dev/null
	run -1 og-chpush -q nosuch.sql -t logs "$U" </dev/null
	run -1 --separate-stderr bash -c "og-chpush -t logs $U <&-"
	[[ $stderr = "og-chpush: <stdin>: "* ]]
}

@test "without a record no server is needed" {
	run -0 --separate-stderr og-chpush -t logs http://127.0.0.1:1 </dev/null
	run -0 --separate-stderr og-chpush -f CSVWithNames -t logs http://127.0.0.1:1 </dev/null
	[ -z "$stderr" ]
}

@test "what no line may hold is refused here, with line and reason" {
	serve <<<""
	printf '%s\n' '{"id":1}' '[1]' '' '{"id":2}{"id":3}' '{"id":4' '{"id":5}' >in
	run -1 --separate-stderr og-chpush -D dead -t logs "$URL" <in
	[ "$(stored_ids)" = $'1\n5' ]
	[[ ${stderr_lines[0]} = "og-chpush: <stdin>:2: not a JSON object" ]]
	[ "$(cut -f 1,2 dead)" = $'2\t0\n3\t0\n4\t0\n5\t0' ]
	printf 'a\n1,x\n2,"y\nz"\n3,w\n' >in
	run -1 --separate-stderr og-chpush -f CSV -t logs "$URL" <in
	[ "$stderr" = "og-chpush: <stdin>:3: a quoted field does not end on its line
og-chpush: <stdin>:4: inside the quoted field that began on line 3
og-chpush: $URL: 2 records refused" ]
	printf '1\tx\\\n2\ty\\\\\n\n3\tz\r\n' >in
	run -1 --separate-stderr og-chpush -f TabSeparated -t logs "$URL" <in
	[[ ${stderr_lines[0]} = *":1: a backslash at the end of the line, which would join it with the next one" ]]
	[[ ${stderr_lines[1]} = *":3: an empty line" ]]
	[[ ${stderr_lines[2]} = *":4: a carriage return at the end of the line" ]]
	tail -n 1 stored | cmp - <(printf '2\ty\\\\\n')
}

@test "lines before the records stand at the head of every batch, and are none" {
	serve -x poison <<<""
	{
		echo id,what
		seq 10 | sed 's/.*/&,m/'
		echo 11,poison
	} >in
	run -1 --separate-stderr og-chpush -v -R 4 -f CSVWithNames -t logs "$URL" <in
	[ "${stderr_lines[0]%%: 400*}" = "og-chpush: <stdin>:12" ]
	[[ $stderr = *"read 11 = accepted 10 + refused 1 + not delivered 0"* ]]
	# 1-4, 5-8, 9-10 behind a header each.
	[ "$(grep -c '^id,what$' stored)" -eq 3 ]
	[ "$(grep -v '^id' stored | sort -n)" = "$(seq 10 | sed 's/.*/&,m/')" ]
	[[ $(loads | head -n 1) = *"query=INSERT+INTO+%60logs%60+FORMAT+CSVWithNames&"* ]]
	# An old version heeds only the order of columns, so it is told their names.
	serve -V 18.16.1 <<<""
	run -0 og-chpush -f TSVWithNamesAndTypes -t logs "$URL" <<<$'b\ta\nInt8\tInt8\n1\t2'
	[[ $(loads) = *"query=INSERT+INTO+%60logs%60+%28%60b%60%2c%60a%60%29+FORMAT+TSVWithNamesAndTypes&"* ]]
	run -1 --separate-stderr og-chpush -f CSVWithNames -t logs "$URL" <<<$'a,\n1,2'
	[[ $stderr = "og-chpush: <stdin>: header: "* ]]
}

@test "a row that the server names is taken out alone, in few requests" {
	for version in 24.3.1.1 18.16.1; do
		serve -V "$version" -x 'm 777"' <<<""
		records 5000 >in
		run -1 --separate-stderr og-chpush -v -D dead -t logs "$URL" <in
		[ "$(stored_ids)" = "$(seq 5000 | grep -vx 777)" ]
		[ "$(tail -n 1 dead | cut -f 1)" -eq 777 ]
		[[ $(tail -n 1 dead | cut -f 3) = *"code 27: Cannot parse input: expected"* ]]
		# The batch, the rows before it, itself, and those behind it.
		[ "$(loads | wc -l)" -eq 4 ]
		[[ $stderr = *"accepted 4999 + refused 1 + not delivered 0; perhaps doubled 0;"* ]]
	done
}

@test "an error in a record's own words does not lead astray" {
	serve -x poison <<<""
	{
		records 20
		printf '%s\n' '{"id":21,"message":"poison (at row 3)\n: While executing (at row 5)"}'
		records 20 22
	} >in
	run -1 og-chpush -t logs "$URL" <in
	[ "$(stored_ids)" = "$(seq 41 | grep -vx 21)" ]
}

@test "what time may cure is tried again, whatever status an old version gives it" {
	for error in 'Code:+252,+e.displayText()+=+DB::Exception:+Too+many+parts+(300).' 'Code:+202,+e.displayText()+=+DB::Exception:+Too+many+simultaneous+queries.' \
		'Code:+243.+DB::Exception:+Cannot+reserve' 'Code:+354,+e.displayText()+=+DB::Exception:+inflate+failed'; do
		serve <<<"500 body=$error"
		records 20 >in
		run -0 --separate-stderr og-chpush -v -t logs "$URL" <in
		[ "$(stored_ids)" = "$(seq 20)" ]
		[[ $stderr = *"trying again"*"repeated 1,"* ]]
	done
}

@test "what a person must mend ends the load at once, and nothing is thrown away" {
	for error in '404 body=Code:+60,+e.displayText()+=+DB::Exception:+Table+x' '500 body=Code:+89,+e.displayText()+=+DB::Exception:+Unknown+Content-Encoding' \
		'404 body=Code:+115.+DB::Exception:+Unknown+setting' '500 body=Code:+15.+DB::Exception:+Column+twice' '400 body=Bad+Request' \
		'400 body=Code:+117.+DB::Exception:+Unknown+field:+(while+reading+header):+x' '200 body=<html>'; do
		serve <<<"$error"
		records 20 >in
		run -1 --separate-stderr og-chpush -D dead -t logs "$URL" <in
		[ ! -s dead ]
		[ "$(loads | wc -l)" -eq 1 ]
		[[ $stderr = *"the first line not delivered is 1"*"20 records not delivered"* ]]
	done
}

@test "too much at once is halved: memory of a query, partitions, 413" {
	for error in '500 body=Code:+241,+e.displayText()+=+DB::Exception:+Memory+limit+(for+query)+exceeded' \
		'500 body=Code:+252.+DB::Exception:+Too+many+partitions+for+single+INSERT+block' 413; do
		serve <<<"$error"
		records 100 >in
		run -0 og-chpush -t logs "$URL" <in
		[ "$(stored_ids)" = "$(seq 100)" ]
		[ "$(loads | wc -l)" -eq 3 ]
	done
	# The memory of all: waiting, not halving.
	serve <<<'500 body=Code:+241.+DB::Exception:+(total)+memory+limit+exceeded'
	run -0 og-chpush -t logs "$URL" <in
	[ "$(loads | wc -l)" -eq 2 ]
}

@test "an answer that was lost: the same bytes again, and it is said" {
	serve <<<"200 cut=10"
	records 20 >in
	run -0 --separate-stderr og-chpush -v -t logs "$URL" <in
	[[ $stderr = *"perhaps doubled 20;"* ]]
	[ "$(stored_ids | uniq -c | awk '{ print $1 }' | sort -u)" -eq 2 ]
}

# A script's line for the question of -o: engine, clause, what the configuration says.
engine() {
	printf '200 body=%s\t%s\t%s\n' "$1" "${2// /+}" "$3"
}

@test "-o: lost answers store nothing twice, equal batches are two" {
	serve -P < <(
		questions
		engine MergeTree 'MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100' 0
		printf '%s\n' '200 cut=10' 200 '200 cut=0' 200
	)
	yes '{"id":1}' | head -n 40 >in
	run -0 og-chpush -o -R 10 -t logs "$URL" <in
	[ "$(stored_ids | wc -l)" -eq 40 ]
	loads | grep -o 'insert_deduplication_token=[0-9a-f]*$' | sort | uniq -c >tokens
	[ "$(wc -l <tokens)" -eq 4 ]
	[ "$(awk '{ n += $1 } END { print n }' tokens)" -ge 5 ]
}

@test "-o is no promise where tokens are not kept, so it is refused" {
	records 5 >in
	serve -V 18.16.1 <<<""
	run -1 --separate-stderr og-chpush -o -t logs "$URL" <in
	[ "${stderr_lines[0]}" = "og-chpush: $URL: -o: the server is older than 22.2 and knows no insert tokens" ]
	for answer in "$(engine MergeTree 'MergeTree ORDER BY a' 0)" "$(engine Null Null 100)" "$(engine MergeTree 'x SETTINGS non_replicated_deduplication_window = 0' 9)" 200; do
		serve -P < <(
			questions
			echo "$answer"
		)
		run -1 --separate-stderr og-chpush -o -t logs "$URL" <in
		[ -z "$(loads)" ]
		[[ $stderr = *"-o needs"* ]]
	done
}

@test "-q: each statement is a request of its own, before the first record" {
	serve <<<""
	printf "CREATE TABLE IF NOT EXISTS logs (a String) -- ;\n; /* ; */ ;\nSELECT ';'\n" >schema.sql
	records 5 >in
	run -0 og-chpush -q schema.sql -t logs "$URL" <in
	[ "$(awk '$1 == "POST"' requests | wc -l)" -eq 5 ]
	awk '$1 == "POST" { print $3 }' requests >bytes
	[ "$(sed -n '2,3p' bytes)" = $'42\n10' ]
	# One that fails ends the load.
	serve -P < <(printf '%s\n' 200 '500 body=Code:+57.+DB::Exception:+Table+logs+already+exists.')
	run -1 --separate-stderr og-chpush -q schema.sql -t logs "$URL" <in
	[ "${stderr_lines[0]}" = "og-chpush: $URL: 500, code 57: Table logs already exists." ]
	[ -z "$(loads)" ]
	# None is carried out when one of them cannot be read.
	echo "CREATE TABLE a; SELECT '" >schema.sql
	serve <<<""
	run -1 --separate-stderr og-chpush -q schema.sql -t logs "$URL" <in
	[ "${stderr_lines[0]}" = "og-chpush: $URL: a quote is not closed" ]
	[ "$(awk '$1 == "POST"' requests | wc -l)" -eq 1 ]
}

@test "a table that is not there is said before the first record is sent" {
	serve -P < <(printf '%s\n' 200 '200 body=0')
	run -1 --separate-stderr og-chpush -t logs "$URL" < <(records 5)
	[ "${stderr_lines[0]}" = "og-chpush: $URL: there is no such table" ]
	[ -z "$(loads)" ]
}

@test "another server is recognised" {
	for flavour in vl vm; do
		serve <<<""
		run -1 --separate-stderr og-chpush -t logs "$URL" < <(records 5)
		[[ ${stderr_lines[0]} = "og-chpush: $URL: "* ]]
		[[ ${stderr_lines[1]} = "og-chpush: <stdin>: no line was read" ]]
		[ ! -s stored ]
	done
	# A version that is none.
	unset flavour
	serve -V '<html>' <<<""
	run -1 --separate-stderr og-chpush -t logs "$URL" < <(records 5)
	[[ ${stderr_lines[0]} = "og-chpush: $URL: "*"this is not ClickHouse" ]]
}

@test "-y: what the table has more than before is compared with what was accepted" {
	serve <<<""
	records 100 >in
	run -0 --separate-stderr og-chpush -y -t logs "$URL" <in
	[ -z "$stderr" ]
	serve -V 18.16.1 <<<"200 swallow"
	run -1 --separate-stderr og-chpush -y -R 50 -t logs "$URL" <in
	[ "$stderr" = "og-chpush: $URL: accepted 100 records, but the table has 50 rows more than before" ]
	# What may be doubled may be there twice.
	serve <<<"200 cut=10"
	run -0 og-chpush -y -t logs "$URL" <in
}

@test "the second signal ends it, also with -y, while the server says nothing" {
	serve < <(yes hang | head -n 20)
	records 10 >in
	command og-chpush -y -t logs "$URL" <in 2>said 3>&- &
	pusher=$!
	until grep -q 'query=INSERT' requests; do sleep 0.02; done 2>/dev/null
	kill -INT "$pusher"
	until grep -q 'once more gives up' said; do sleep 0.02; done
	kill -INT "$pusher"
	wait "$pusher" && return 1
	grep -q 'interrupted twice' said
	grep -q '10 records not delivered' said
}

@test "-o -y: a load that is done again adds nothing, which is as it should be" {
	serve <<<""
	records 10 >in
	for _ in 1 2; do
		run -0 --separate-stderr og-chpush -o -y -t logs "$URL" <in
		[ -z "$stderr" ]
	done
	[ "$(stored_ids | wc -l)" -eq 10 ]
}

@test "a journal is that of one place: database and settings are part of it" {
	serve <<<""
	records 10 >in
	run -0 og-chpush -j journal -x a=b -t logs "$URL/?database=a" <in
	for way in "-x a=b $URL/?database=b" "-x a=c $URL/?database=a" "-x a=b $URL"; do
		# shellcheck disable=SC2086 # words
		run -1 --separate-stderr og-chpush -j journal -t logs $way <in
		[[ $stderr = *"the journal is that of another load"* ]]
	done
	# Who we are is not.
	run -0 --separate-stderr og-chpush -v -j journal -x a=b -t logs "$URL/?database=a&token=geheim" <in
	[[ $stderr = *"read 0 = accepted 0"* ]]
	run ! grep -q -e geheim -e database journal
}

@test "a receipt for fewer rows than were sent is no success" {
	serve <<<'200 X-ClickHouse-Summary:{"written_rows":"7"}'
	records 10 >in
	run -1 --separate-stderr og-chpush -t logs "$URL" <in
	[ "${stderr_lines[0]}" = "og-chpush: $URL: lines from 1 on: of 10 records taken the server says it wrote 7" ]
}

@test "user and password come from the environment or a file, and are shown to nobody" {
	serve -u 'writer:geheim:1' <<<""
	records 5 >in
	OG_USER=writer OG_PASSWORD=geheim:1 run -0 og-chpush -t logs "$URL" <in
	echo writer:geheim:1 >password
	run -0 og-chpush -P password -t logs "$URL" <in
	printf 'X-ClickHouse-User: writer\nX-ClickHouse-Key: geheim:1\n' >headers
	run -0 og-chpush -H headers -t logs "$URL" <in
	[ "$(stored_ids | wc -l)" -eq 15 ]
	OG_USER=writer OG_PASSWORD=falsch run -1 --separate-stderr og-chpush -t logs "$URL" <in
	[[ $stderr = "og-chpush: $URL: 403, code 516: "* ]]
	run ! grep -q geheim requests
	for way in 'user=writer' 'database=a&password=geheim'; do
		run -2 --separate-stderr og-chpush -t logs "$URL/?$way" <in
		[[ $stderr = "og-chpush: URL: "* && $stderr != *geheim* ]]
	done
}

@test "bodies may be compressed" {
	records 5000 >in
	for form in gzip zstd; do
		serve <<<""
		run -0 og-chpush -z "$form" -t logs "$URL" <in
		cmp in stored
		grep -q " $form " requests
	done
	serve -E gzip -V 18.16.1 <<<""
	run -1 --separate-stderr og-chpush -z zstd -D dead -t logs "$URL" <in
	[[ ${stderr_lines[0]} = "og-chpush: $URL: "*"code 89: "* ]]
	[ ! -s stored ]
	[ ! -s dead ]
}

@test "killed and started again with -j, behind a header too, it goes on where it was" {
	serve -d 50 <<<""
	{
		echo '["id"]'
		seq 6000 | sed 's/.*/[&]/'
	} >in
	# The journal is written once a second.
	for ((i = 0; i < 8; i++)); do
		rc=0
		timeout -s KILL 1.4 og-chpush -C 1 -R 100 -j journal -f JSONCompactEachRowWithNames -t logs "$URL" <in || rc=$?
		[ "$rc" -ne 0 ] || break
	done
	[ "$rc" -eq 0 ]
	[ "$i" -gt 0 ]
	tr -dc '0-9\n' <stored | grep . | sort -nu | cmp - <(seq 6000)
	# Line numbers are those of the input, header included.
	grep -qx 'line 6001' journal
}
