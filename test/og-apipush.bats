# shellcheck disable=SC2154 # stderr and stderr_lines come from run
bats_require_minimum_version 1.5.0

load common
load faultd

# A pusher that waits for a server waits for ever.
# shellcheck disable=SC2034 # read by bats
BATS_TEST_TIMEOUT=60

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	stop
}

# The server refuses what names a thing that it does not have yet: see test/tools/api.h.
faulty() {
	echo -F api
}

# things N TYPE [PARENT]: documents with the ids TYPE-1 to TYPE-N, each below the last one of PARENT.
things() {
	seq "$1" | awk -v type="$2" -v parent="${3-}" -v n="$1" '{
		printf "{\"data\":{\"type\":\"%s\",\"attributes\":{\"id\":\"%s-%d\"%s}}}\n", type, type, $1,
		    parent == "" ? "" : ",\"" parent "_id\":\"" parent "-" n "\"" }'
}

# pairs OWNERS MEMBERS [PROGRAM ...]: every member into every owner, in the order that the program makes of it.
pairs() {
	for ((i = 1; i <= $1; i++)); do
		for ((j = 1; j <= $2; j++)); do
			echo '{"data":{"type":"services_repos","attributes":{"service_id":"service-'$i'","repo_id":"repo-'$j'"}}}'
		done
	done | "${@:3}"
}

table() {
	cp -r "$OG_SHARE/social" .
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' type owner owner_id collection member member_id "$@" >social/pairs.tsv
}

account() {
	sed -n "s/.*[ =]$1 \([0-9][0-9]*\).*/\1/p" <<<"$stderr" | tail -n 1
}

@test "documents go by POST, one a request, as they are" {
	serve <<<""
	printf '%s\n' '{"data":{"type":"zone","attributes":{"name":"a  b","n":1.50}}}' ' {"data": {"type": "zone", "id": "z/1"}, "meta": {}} ' >in
	run -0 --separate-stderr og-apipush -C 1 "$URL/?key=a%20b" <in
	[ -z "$output$stderr" ]
	cmp in stored
	# There is nothing below /v1.
	run -1 --separate-stderr og-apipush -C 1 "$URL/v1/" < <(head -n 1 in)
	[[ ${stderr_lines[0]} = 'og-apipush: <stdin>:1: 404: no such place: /v1/zone' ]]
	cut -d ' ' -f 1-5 requests >got
	printf 'POST /%s %d %d application/vnd.api+json\n' 'zone?key=a%20b' 62 201 'zone?key=a%20b' 53 201 v1/zone 62 404 >want
	diff want got
	# No newline at the end, nothing, and nowhere to read from.
	run -0 og-apipush "$URL" < <(printf '{"data":{"type":"zone","id":"z/2"}}')
	run -0 og-apipush "$URL" </dev/null
	[ "$(wc -l <stored)" -eq 3 ]
	run -1 bash -c "og-apipush $URL <&-"
}

@test "no document goes before all of the types ahead of it are there, several at once" {
	# Answers that come late, and late ones that are to be tried again.
	serve -d 3 < <(for ((i = 0; i < 300; i++)); do
		case $((i % 10)) in
		1) echo delay=40 ;;
		3) echo 503 ;;
		5) echo drop=20 ;;
		7) echo '201 store cut=9' ;;
		*) echo ;;
		esac
	done)
	{
		things 40 region
		things 40 zone region
		things 40 network zone
		things 40 region
		things 1 subnet network
		things 40 zone region
	} >in
	run -0 --separate-stderr og-apipush -v -C 6 -D dead "$URL" <in
	[ ! -s dead ]
	[ "$(account accepted)" -eq 201 ]
	# What the server says to be there was not stored again.
	[ "$(account 'perhaps doubled')" -le "$(awk '$4 == 0' requests | wc -l)" ]
	[ "$(account already:)" -ge 80 ]
	# All of a type came before the first of the next; a second is of what was there.
	[ "$(jq -r .data.type stored | uniq -c | awk '{ print $1 $2 }' | paste -sd ' ')" = '40region 40zone 40network 1subnet' ]
	[ "$(jq -r .data.attributes.id stored | sort | uniq -d | wc -l)" -eq 0 ]
	# At once were several, but not more than asked for.
	most=$(awk '{ print $8 }' requests | sort -n | tail -n 1)
	[ "$most" -gt 2 ]
	[ "$most" -le 6 ]
	# The server is one that would have said so.
	serve <<<""
	run -1 --separate-stderr og-apipush "$URL" < <(tac in | head -n 1)
	[[ ${stderr_lines[0]} = 'og-apipush: <stdin>:1: 422: there is no region region-40' ]]
}

@test "what is there already is counted, in both ways of saying so" {
	for words in none words; do
		serve -V "$words" <<<""
		things 30 region >in
		run -0 --separate-stderr og-apipush -v "$URL" < <(head -n 20 in)
		[[ $stderr != *already* ]]
		run -0 --separate-stderr og-apipush -v "$URL" <in
		[[ $stderr = *"there already: 20" ]]
		[ "$(account accepted)" -eq 30 ]
		[ "$(wc -l <stored)" -eq 30 ]
	done
}

@test "what the server refuses is told in its words, the rest arrives" {
	serve <<<""
	{
		things 20 region
		echo '{"data":{"type":"zone","attributes":{"id":"lost","region_id":"nowhere"}}}'
		things 5 zone region
		echo '{"data":{"type":"Zone/x"}}'
		echo 'no document'
		things 5 network zone
	} >in
	run -1 --separate-stderr og-apipush -v -D dead "$URL" <in
	[ "$(account accepted)" -eq 30 ]
	[ "$(account refused)" -eq 3 ]
	sort -n dead >got
	printf '%s\t%s\t%s\t%s\n' 21 422 '422: there is no region nowhere' "$(sed -n 21p in)" \
		27 0 'no type that is a word of letters, digits, _ and -' "$(sed -n 27p in)" 28 0 'not a JSON object' 'no document' >want
	diff want got
	[ "$(wc -l <stored)" -eq 30 ]
}

@test "success with errors in it is none" {
	things 3 zone >in
	serve < <(printf '%s\n' '' '200 Content-Type:application/json body={"errors":[{"detail":"down"}]}' \
		'201 Content-Type:application/json body={"errors":[],"data":{}}')
	run -1 --separate-stderr og-apipush -C 1 -D dead "$URL" <in
	[ "${stderr_lines[0]}" = "og-apipush: <stdin>:2: 200: down" ]
	[ "$(cut -f 1,2 dead)" = "2	200" ]
	[ "${#stderr_lines[@]}" -eq 2 ]
}

@test "-m PATCH changes what is there" {
	serve <<<""
	things 3 region >in
	run -0 og-apipush "$URL" <in
	echo '{"data":{"type":"region","id":"region-9","attributes":{"name":"x"}}}' >>in
	sed -i '2s/"type":"region",/&"id":"region-2",/' in
	: >requests
	run -1 --separate-stderr og-apipush -v -C 1 -m PATCH "$URL" <in
	[[ ${stderr_lines[0]} = 'og-apipush: <stdin>:4: 404: there is no region region-9' ]]
	cut -d ' ' -f 1,2,4 requests >got
	printf 'PATCH /region/region-%d %d\n' 1 200 2 200 3 200 9 404 >want
	diff want got
	tail -n 3 stored >got
	head -n 3 in | awk 'NR != 2 { sub(/{"data":{/, "&\"id\":\"region-" NR "\",") } { print }' >want
	diff want got
	# Doing it twice does no harm.
	serve < <(printf '%s\n' '' '' '' '200 store cut=9')
	run -0 og-apipush -C 1 "$URL" < <(head -n 3 in)
	run -0 --separate-stderr og-apipush -C 1 -v -m PATCH "$URL" < <(head -n 3 in)
	[ "$(account repeated)" -ge 1 ]
	[ "$(account 'perhaps doubled')" -eq 0 ]
}

@test "pairs: members are added to those that are there, whatever the order" {
	table services_repos service service_id repos repo repo_id
	for order in cat 'sort -t : -k 6' 'shuf --random-source=/dev/zero'; do
		# shellcheck disable=SC2086 # words
		pairs 8 6 $order >members
		serve -d 5 < <(printf '%s\n' 503 '' 503 'delay=50' '' drop=9)
		{
			things 8 service
			things 6 repo
			sed -n 1~3p members
		} >in
		run -0 --separate-stderr og-apipush -v -c ./social "$URL" <in
		run -0 --separate-stderr og-apipush -v -c ./social -R 2 "$URL" <members
		[ "$(account accepted)" -eq 48 ]
		[ "$(account already:)" -eq 16 ]
		[ "$(account 'perhaps doubled')" -eq 0 ]
		for i in 1 2 3 4 5 6 7 8; do
			curl -sf "$URL/service/service-$i/repos"
		done | jq -r '.data | length' | uniq -c >got
		[ "$(tr -s ' ' <got)" = ' 8 6' ]
		# Nothing is changed that is right.
		: >requests
		run -0 --separate-stderr og-apipush -v -c ./social "$URL" <members
		[ "$(account already:)" -eq 48 ]
		run ! grep -q PATCH requests
	done
	# Those of one owner that follow each other are one request.
	serve <<<""
	{
		things 8 service
		things 6 repo
		pairs 8 6 cat
	} >in
	run -0 og-apipush -c ./social "$URL" <in
	[ "$(grep -c ^PATCH requests)" -eq 8 ]
}

@test "pairs: what cannot be added is alone in being refused" {
	table services_repos service service_id repos repo repo_id
	serve -d 3 <<<""
	{
		things 3 service
		things 4 repo
		pairs 3 5 cat
		pairs 4 1 tail -n 1
	} >in
	run -1 --separate-stderr og-apipush -v -c ./social -D dead "$URL" <in
	[ "$(account accepted)" -eq 19 ]
	cut -f 1-3 dead | sort -n >got
	printf '%d\t404\t404: there is no %s\n' 12 'repo repo-5' 17 'repo repo-5' 22 'repo repo-5' 23 'service service-4' >want
	diff want got
	for i in 1 2 3; do
		[ "$(curl -sf "$URL/service/service-$i/repos" | jq '.data | length')" -eq 4 ]
	done
	# What stands on a page that was not read would be taken out.
	serve -V pages <<<""
	run -1 --separate-stderr og-apipush -c ./social "$URL" < <(head -n 8 in)
	[[ $stderr = *"the collection comes in pages, and those of the others would be taken out of it"* ]]
	run ! grep -q PATCH requests
	# Without the table they are documents as others are.
	serve <<<""
	run -0 og-apipush "$URL" < <(head -n 8 in)
	[ "$(tail -n 1 stored)" = "$(sed -n 8p in)" ]
}

@test "a server that has no time is asked again, as it says" {
	serve < <(printf '%s\n' '429 Retry-After:1' '' 503)
	SECONDS=0
	run -0 --separate-stderr og-apipush -v "$URL" < <(things 10 region)
	[ "$SECONDS" -ge 1 ]
	[ "$(account repeated)" -eq 2 ]
	[ "$(wc -l <stored)" -eq 10 ]
	serve < <(yes 503 | head -n 50)
	run -1 --separate-stderr og-apipush -T 1s "$URL" < <(things 10 region)
	[[ $stderr = *" records not delivered"* ]]
}

@test "what is no such server ends the load, and nothing is thrown away" {
	things 10 region >in
	for answer in html '200 body=x' '404 body=x' '405 body=x' '202 store' '301 Location:/x' '415 body=x' '401 body=x' '403 body=x'; do
		serve < <(yes "$answer" | head -n 9)
		run -1 --separate-stderr og-apipush -D dead "$URL" <in
		[[ $stderr = *" records not delivered"* ]]
		[[ $stderr = *"the first line not delivered is 1"* ]]
		[ ! -s dead ]
		[ "$(wc -l <requests)" -eq 1 ]
	done
}

@test "a load that was killed goes on behind what was delivered" {
	serve -d 20 <<<""
	{
		things 50 region
		things 50 zone region
	} >in
	og-apipush -C 2 -j journal "$URL" <in 3>&- &
	pusher=$!
	until [ "$(wc -l <stored)" -ge 60 ]; do
		sleep 0.01
	done
	kill -9 "$pusher"
	wait "$pusher" || true
	run -0 --separate-stderr og-apipush -v -j journal -D dead "$URL" <in
	[ "$(sed -n 's/^line //p' journal)" -eq 100 ]
	[ "$(account read)" -lt 100 ]
	[ "$(wc -l <stored)" -eq 100 ]
	[ ! -s dead ]
	run -1 --separate-stderr og-apipush -m PATCH -j journal "$URL" <in
}

@test "bad usage" {
	for arguments in '-m PUT http://h' '-m POSTED http://h' '-W 1s http://h' '-z gzip http://h' '-y http://h' '' 'http://h http://i' 'h' 'http://u:p@h'; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr og-apipush $arguments </dev/null
		[ -z "$output" ]
		[ -n "$stderr" ]
	done
	run -2 --separate-stderr og-apipush -c nowhere http://h </dev/null
	[[ $stderr = *nowhere* ]]
	run -2 --separate-stderr og-apipush -c shop http://h </dev/null
	[ "$stderr" = 'og-apipush: shop: no table pairs.tsv' ]
	table services_repos service service_id repos repo service_id
	run -2 --separate-stderr og-apipush -c ./social http://h </dev/null
	[ "$stderr" = 'og-apipush: ./social/pairs.tsv:2: one attribute for both ids' ]
	# That of the social network is right.
	run -0 --separate-stderr og-apipush -c social http://h </dev/null
}
