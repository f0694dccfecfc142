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

# Settlement is tested in delivery.bats; here nothing is waited for.
og-vmpush() {
	command og-vmpush -W 0 "$@"
}

faulty() {
	echo "${FLAVOUR--F vm}"
}

# The part of the server's metrics page that matters: retention and more lines.
page() {
	printf '%s\n' "flag{name=\"retentionPeriod\", value=\"$1\", is_set=\"true\"} 1" "${@:2}" >page
}

# Samples n of 30 series, ids in their values.
samples() {
	seq "$1" | awk '{ printf "{\"metric\":\"m%d\",\"ts\":1764764400.%06d,\"value\":%d,\"tags\":{\"service\":\"s%d\",\"stack\":\"t\"}}\n", $1 % 10, $1, $1, $1 % 3 }'
}

@test "samples of a series stand in one line" {
	serve <<<""
	printf '%s\n' '{"metric":"m","ts":1764764400.123456,"value":1.50,"tags":{"service":"a","stack":"x"},"exemplar":"00ff"}' \
		'{"metric":"n","ts":1764764400.123456,"value":-2e3,"tags":{"service":"a","stack":"x"}}' \
		' {"tags":{"service":"a","empty":"","no":null,"stack":"x"},"value":3,"ts":1764764401,"metric":"m","other":[1]}' \
		'{"metric":"m","ts":1764764402.9999999,"value":4}' >in
	run -0 --separate-stderr og-vmpush "$URL" <in
	[ -z "$output$stderr" ]
	cat >want <<-'EOF'
		{"metric":{"service":"a","stack":"x","__name__":"m"},"values":[1.50,3],"timestamps":[1764764400123,1764764401000]}
		{"metric":{"service":"a","stack":"x","__name__":"n"},"values":[-2e3],"timestamps":[1764764400123]}
		{"metric":{"__name__":"m"},"values":[4],"timestamps":[1764764402999]}
	EOF
	diff want stored
	grep -q '^POST /api/v1/import [0-9]* 204 application/json - ' requests
}

@test "every sample arrives once, in many requests" {
	serve <<<""
	samples 20000 >in
	run -0 --separate-stderr og-vmpush -v -R 700 "$URL" <in
	[[ $stderr = "og-vmpush: $URL: read 20000 = accepted 20000 + refused 0 + not delivered 0; perhaps doubled 0; requests "* ]]
	jq -r '.metric.__name__ + " " + .metric.service + " " + (.values[] | tostring)' stored | sort >got
	jq -r '.metric + " " + .tags.service + " " + (.value | tostring)' in | sort | diff - got
	[ "$(wc -l <stored)" -eq $((30 * 29)) ]
}

@test "-f prom: lines of the text format become the same" {
	serve <<<""
	printf '%s' $'# HELP m says\n# TYPE m counter\n\nm{service="a",le="+Inf"} 1 1764764400123\nm{ le="+Inf" } 2 1764764400\nm{service="a",le="+Inf",} .5 1764764401.5 # {trace_id="x"} 1\nn{t="say \\"hi\\"\\n\\\\"} 1e3 1764764400123' >in
	run -0 --separate-stderr og-vmpush -f prom "$URL" <in
	cat >want <<-'EOF'
		{"metric":{"service":"a","le":"+Inf","__name__":"m"},"values":[1,0.5],"timestamps":[1764764400123,1764764401500]}
		{"metric":{"le":"+Inf","__name__":"m"},"values":[2],"timestamps":[1764764400000]}
		{"metric":{"t":"say \"hi\"\n\\","__name__":"n"},"values":[1e3],"timestamps":[1764764400123]}
	EOF
	sed -i 's/"hi\\"\n/&/' want
	diff want stored
}

@test "-f prom: a page of comments is no error" {
	serve <<<""
	printf '# HELP m x\n\n# EOF\n' >in
	run -0 --separate-stderr og-vmpush -f prom "$URL" <in
	[ -z "$stderr" ]
	[ ! -s stored ] || [ -z "$(tr -d '\n' <stored)" ]
}

@test "-f import: lines are sent as they are" {
	serve <<<""
	for i in $(seq 100); do
		echo "{ \"values\":[$i, -1.5e-3],\"metric\":{\"__name__\":\"a.b c\",\"l\":\"\\u00e9\"},\"timestamps\":[1764764400123,1764764400124]}"
	done >in
	run -0 --separate-stderr og-vmpush -f import "$URL" <in
	cmp in stored
}

@test "-x: labels go with each request, -x before -f or behind" {
	serve <<<""
	samples 10 >in
	run -0 --separate-stderr og-vmpush -x 'run=1 a&b' -f samples -x env=é "$URL/prometheus?extra_label=k%3Dv" <in
	grep -q '^POST /prometheus/api/v1/import?extra_label=k%3Dv&extra_label=run%3[dD]1+a%26b&extra_label=env%3[dD]%[cC]3%[aA]9 ' requests
	for bad in 'a b=x' a =x a= __name__=x $'a=\xff'; do
		run -2 --separate-stderr og-vmpush -x "$bad" "$URL" <in
		[[ ${stderr_lines[0]} = "og-vmpush: -x $bad: "* ]]
	done
	run -2 --separate-stderr og-vmpush -x a=b -x a=c "$URL" <in
	[ "$stderr" = "og-vmpush: -x a=c: a label given twice" ]
}

@test "-b, -e: what lies outside is refused" {
	serve <<<""
	for t in 59.999999 60 61.5 62 63; do echo "{\"metric\":\"m\",\"ts\":17647644$t,\"value\":1}"; done >in
	run -1 --separate-stderr og-vmpush -D dead -b 2025-12-03T12:21:00Z -e 2025-12-03T12:21:02Z "$URL" <in
	[ "${stderr_lines[0]}" = "og-vmpush: <stdin>:1: before the time asked for" ]
	[ "${stderr_lines[1]}" = "og-vmpush: <stdin>:4: behind the time asked for" ]
	[ "${stderr_lines[2]}" = "og-vmpush: <stdin>:5: behind the time asked for" ]
	[ "$(cat stored)" = '{"metric":{"__name__":"m"},"values":[1,1],"timestamps":[1764764460000,1764764461500]}' ]
	[ "$(wc -l <dead)" -eq 3 ]
}

@test "limits and retention are those of the server" {
	now=$(date +%s)
	long=$(printf '%020d' 0)
	{
		for t in $((now - 86000)) $((now - 87000)) $((now + 172000)) $((now + 173000)); do
			echo "{\"metric\":\"m\",\"ts\":$t,\"value\":1}"
		done
		for tags in "\"a\":\"$long\"" "\"a\":\"x$long\"" '"a":"1","b":"2"' '"a":"1","b":"2","c":"3"'; do
			echo "{\"metric\":\"m\",\"ts\":$now,\"value\":1,\"tags\":{$tags}}"
		done
	} >in
	page 1d 'flag{name="maxLabelsPerTimeseries", value="3"} 1' 'flag{name="maxLabelValueLen", value="20"} 1'
	serve -f page <<<""
	run -1 --separate-stderr og-vmpush "$URL" <in
	[ "${stderr_lines[0]}" = "og-vmpush: <stdin>:2: older than the server's retention" ]
	[ "${stderr_lines[1]}" = "og-vmpush: <stdin>:4: further in the future than the server keeps" ]
	[ "${stderr_lines[2]}" = "og-vmpush: <stdin>:6: a label's value is longer than the server keeps" ]
	[ "${stderr_lines[3]}" = "og-vmpush: <stdin>:8: more labels than the server keeps" ]
	[ "${stderr_lines[4]}" = "og-vmpush: $URL: 4 records refused" ]
	[ "$(jq '.values | length' stored | awk '{ n += $1 } END { print n }')" -eq 4 ]
}

@test "retention moves on with the clock, also when the server is not asked again" {
	page 3s
	serve -f page <<<""
	now=$(($(date +%s%3N) - 1000))
	sample="{\"metric\":\"m\",\"ts\":${now::-3}.${now: -3},\"value\":1}"
	run -1 --separate-stderr og-vmpush "$URL" < <(echo "$sample"; sleep 3; echo "$sample")
	[ "${stderr_lines[0]}" = "og-vmpush: <stdin>:2: older than the server's retention" ]
}

@test "infinities go where they are stored" {
	printf 'm +Inf 1764764400123\nm 1 1764764400123\n' >in
	page 100y
	serve -f page <<<""
	run -1 --separate-stderr og-vmpush -f prom "$URL" <in
	[ "${stderr_lines[0]}" = "og-vmpush: <stdin>:1: value is infinite, which this server does not store" ]
	page 100y 'flag{name="maxLabelNameLen", value="256"} 1'
	serve -f page <<<""
	run -0 --separate-stderr og-vmpush -f prom "$URL" <in
	[ "$(cat stored)" = '{"metric":{"__name__":"m"},"values":["Infinity",1],"timestamps":[1764764400123,1764764400123]}' ]
}

@test "without a page of metrics all is sent, with a warning" {
	echo x >page
	serve -f page <<<""
	samples 10 >in
	run -0 --separate-stderr og-vmpush "$URL" <in
	[ "${stderr_lines[0]}" = "og-vmpush: $URL: retention unknown (/metrics: 200): what is too old is dropped there in silence" ]
}

@test "URLs of clusters: the page of metrics is at the root" {
	samples 10 >in
	serve <<<""
	run -0 --separate-stderr og-vmpush "$URL/insert/0:7/prometheus/" <in
	grep -q '^GET /metrics ' requests
	grep -q '^POST /insert/0:7/prometheus/api/v1/import ' requests
	serve <<<""
	run -0 --separate-stderr og-vmpush "$URL/vm?token=secret" <in
	grep -q '^GET /vm/metrics?token=secret ' requests
	grep -q '^POST /vm/api/v1/import?token=secret ' requests
}

@test "a snapshot is taken at the end of the input, and no longer waited" {
	serve <<<""
	samples 10 >in
	SECONDS=0
	run -0 --separate-stderr env og-vmpush -W 15s "$URL" <in
	[ "$SECONDS" -lt 8 ]
	grep -q '^GET /snapshot/create ' requests
	grep -q '^GET /snapshot/delete?snapshot=20260102030405-0000000000000001 ' requests
	[[ $stderr = *"snapshot 20260102030405-0000000000000001 is left on the server" ]] || [ -z "$stderr" ]
}

@test "-z: gzip is taken; zstd only by a server that shows that it knows it" {
	samples 1000 >in
	serve <<<""
	run -0 --separate-stderr og-vmpush -z gzip "$URL" <in
	[ "$(jq '.values | length' stored | awk '{ n += $1 } END { print n }')" -eq 1000 ]
	grep -q '^POST /api/v1/import [0-9]* 204 application/json gzip ' requests
	serve <<<""
	run -0 --separate-stderr og-vmpush -z zstd "$URL" <in
	[ "$(jq '.values | length' stored | awk '{ n += $1 } END { print n }')" -eq 1000 ]
	grep -q '^POST /api/v1/import [0-9]* 204 application/json zstd ' requests
	# 1.79.5 takes anything, 1.110 refuses bad lines; neither unpacks zstd.
	for version in 1.79.5 1.110.0; do
		serve -V "$version" -E gzip -e <<<""
		run -1 --separate-stderr og-vmpush -z zstd "$URL" <in
		[ "${stderr_lines[0]}" = "og-vmpush: $URL: not known to understand -z zstd, which older versions drop in silence; use -z gzip" ]
		! grep -q import requests
	done
}

@test "who answers otherwise than VictoriaMetrics is told" {
	samples 10 >in
	serve <<<"html"
	run -1 --separate-stderr og-vmpush "$URL" <in
	[ "${stderr_lines[0]}" = "og-vmpush: $URL: 200 text/html: this is not VictoriaMetrics" ]
}

@test "-y: what the server says is compared with what it accepted" {
	samples 100 >in
	serve <<<"503"
	run -0 --separate-stderr og-vmpush -v -y "$URL" <in
	[ "${stderr_lines[-1]}" = "og-vmpush: $URL: verified: accepted 100 samples; the server inserted 100, dropped 0, found 0 lines invalid" ]
	# A second load is counted by itself.
	sed 's/.*/{"metric":{"__name__":"m"},"values":[1,2,3],"timestamps":[1764764400001,1764764400002,1764764400003]}/' in >lines
	run -0 --separate-stderr og-vmpush -v -y -f import "$URL" <lines
	[ "${stderr_lines[-1]}" = "og-vmpush: $URL: verified: accepted 300 samples; the server inserted 300, dropped 0, found 0 lines invalid" ]
	# Also when a record was refused.
	run -1 --separate-stderr og-vmpush -v -y -f import "$URL" < <(echo junk; cat lines)
	[ "${stderr_lines[-1]}" = "og-vmpush: $URL: verified: accepted 300 samples; the server inserted 300, dropped 0, found 0 lines invalid" ]
	# One is dropped in silence.
	serve -w -x '"m7"' <<<""
	run -1 --separate-stderr og-vmpush -y "$URL" <in
	[[ ${stderr_lines[-1]} = "og-vmpush: $URL: not verified: accepted 100 samples; the server inserted "*", found "[1-9]*" lines invalid" ]]
}

@test "-y: what the server does not tell is told" {
	samples 100 >in
	FLAVOUR=
	page 100y
	serve -f page <<<""
	run -1 --separate-stderr og-vmpush -y -x a=b "$URL" <in
	[ "${stderr_lines[-1]}" = "og-vmpush: $URL: cannot verify: the server does not show what it inserted" ]
	page 100y 'vm_app_start_timestamp 1' 'vm_rows_inserted_total{type="vmimport"} 5' 'vm_rows_invalid_total{type="vmimport"} 0'
	serve -f page <<<""
	run -1 --separate-stderr og-vmpush -y -x a=b "$URL" <in
	[[ ${stderr_lines[-1]} = "og-vmpush: $URL: not verified: accepted 100 samples; the server inserted 0, dropped 0, found 0 lines invalid" ]]
}

@test "503 is tried again, with the same bytes" {
	serve < <(printf '%s\n' 503 429)
	samples 50 >in
	run -0 --separate-stderr og-vmpush -C 1 "$URL" <in
	[ "$(jq '.values | length' stored | awk '{ n += $1 } END { print n }')" -eq 50 ]
	[ "$(awk '/import/ && $3 > 0 { print $3 }' requests | sort -u | wc -l)" -eq 1 ]
}

@test "what the server refuses is found and told" {
	serve -x '"values":[7]' <<<""
	seq 1 20 | awk '{ printf "{\"metric\":\"m%d\",\"ts\":1764764400,\"value\":%d}\n", $1, $1 }' >in
	run -1 --separate-stderr og-vmpush "$URL" <in
	[[ ${stderr_lines[0]} = "og-vmpush: <stdin>:7: 400"* ]]
	[ "$(wc -l <stored)" -eq 19 ]
}

@test "empty input, a last line without a newline, closed input" {
	serve <<<""
	run -0 --separate-stderr og-vmpush "$URL" </dev/null
	[ -z "$output$stderr" ]
	samples 3 | head -c -1 >in
	run -0 --separate-stderr og-vmpush "$URL" <in
	[ "$(wc -l <stored)" -eq 3 ]
	run -1 bash -c "og-vmpush $URL <&- 2>&1"
	[ "$output" = "og-vmpush: <stdin>: Bad file descriptor" ]
}

@test "bad usage is 2, help and version are told" {
	for bad in -Q '-f json x' '-b today x' '-e 5 x' '-x' 'x y' ''; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr og-vmpush $bad </dev/null
		[ -n "$stderr" ] && [ -z "$output" ]
	done
	run -2 --separate-stderr og-vmpush -f json http://localhost:1 </dev/null
	[ "$stderr" = "og-vmpush: -f json: samples, prom or import" ]
	run -2 --separate-stderr og-vmpush -b 2025 http://localhost:1 </dev/null
	[ "$stderr" = "og-vmpush: -b 2025: not a date, or a time in UTC such as 2025-12-03T12:20:00Z" ]
	run -0 --separate-stderr og-vmpush -h
	[[ $output = "usage: og-vmpush "* ]] && [ -z "$stderr" ]
	run -0 --separate-stderr og-vmpush --version
	[[ $output = "og-vmpush "* ]]
	run -1 bash -c 'og-vmpush --help >/dev/full'
	samples 5 >in
	serve <<<""
	run -0 --separate-stderr og-vmpush --begin 2025-12-03T12:20:00Z --end 2025-12-03T12:21:00Z --format samples --extra a=b "$URL" <in
}
