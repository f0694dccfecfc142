# og-report: the numbers of the page are those of the data, names stay text, and the page needs nothing else.
bats_require_minimum_version 1.5.0

load common

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	og-entities -c social -s 7 -b 2025-12-01 -e 2025-12-04 -n 4000 | og-incidents -N \
		-a component=redis_feed,start=2025-12-01T10:00:00Z,duration=6h,errors=0.1,latency=3 \
		-a component=aurora_primary,start=2025-12-02T14:00:00Z,duration=5h,errors=0.1,role=confounder >world.ndjson
	og-events -w world.ndjson | og-spans -w world.ndjson >spans.ndjson
	og-report -w world.ndjson -i 6h <spans.ndjson >page.html
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

# Rows of the table under a heading, cells between tabs, without markup.
rows() {
	python3 - "$1" "$2" <<'END'
import html.parser, sys
class Page(html.parser.HTMLParser):
    heading = text = ""; cells = None
    def handle_starttag(self, tag, attrs):
        if tag in ("h2", "summary"): self.text = ""
        if tag == "tr": self.cells = []
        if tag in ("td", "th") and self.cells is not None: self.cells.append("")
    def handle_endtag(self, tag):
        if tag in ("h2", "summary"): self.heading = self.text
        if tag == "tr" and self.heading == sys.argv[2]: print("\t".join(c.strip() for c in self.cells))
        if tag == "tr": self.cells = None
    def handle_data(self, data):
        self.text += data
        if self.cells: self.cells[-1] += data
Page().feed(open(sys.argv[1]).read())
END
}

# What the card says of a term.
card() {
	sed -nE "s|^<dt>$2</dt><dd>(.*)</dd>$|\1|p" "$1"
}

@test "the page is sound, alone, and made for reading aloud" {
	python3 - page.html <<'END'
import html.parser, re, sys, xml.dom.minidom
text = open(sys.argv[1]).read()
pictures = re.findall(r"<svg.*?</svg>", text, re.S)
assert len(pictures) == 4, len(pictures)
for p in pictures:
    d = xml.dom.minidom.parseString(p).documentElement
    ids = [e.getAttribute("id") for e in d.getElementsByTagName("*") if e.getAttribute("id")]
    assert d.getAttribute("role") == "img" and d.getAttribute("aria-labelledby").split() == ids, ids
    assert d.getElementsByTagName("title")[0].firstChild.data and d.getElementsByTagName("desc")[0].firstChild.data
assert "prefers-color-scheme:dark" in text and '<html lang="en">' in text
assert not re.search(r"<script|https?:|url\(|@import| on[a-z]+=", text)
class Balance(html.parser.HTMLParser):
    def __init__(self): super().__init__(); self.open = []
    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "link", "br", "td", "th"): self.open.append(tag)
    def handle_startendtag(self, tag, attrs): pass
    def handle_endtag(self, tag): assert self.open.pop() == tag, tag
b = Balance(); b.feed(text); assert b.open == [], b.open
assert "nan" not in text.lower().replace("finance", "") and "inf " not in text
END
}

@test "requests, failures and quantiles per interval are those of the spans" {
	rows page.html 'The numbers of the charts' | sed 1d >got
	[ "$(wc -l <got)" -eq 12 ]
	jq -r 'select(.parent_span_id == null and .duration_ms) | [.timestamp, .success, .duration_ms] | @tsv' spans.ndjson | python3 -c '
import sys, math
b = {}
for line in sys.stdin:
    t, ok, ms = line.split("\t")
    b.setdefault("%s %02d:00" % (t[:10], int(t[11:13]) // 6 * 6), []).append((float(ms), ok))
got = [r.rstrip("\n").split("\t") for r in open("got")]
assert [r[0] for r in got] == sorted(b)
for r in got:
    v = sorted(x for x, _ in b[r[0]])
    assert int(r[1].replace(",", "")) == len(v), r
    assert int(r[2].replace(",", "")) == sum(ok == "false" for _, ok in b[r[0]]), r
    for q, g in zip((.5, .95, .99), r[3:]):
        exact = v[math.ceil(q * len(v)) - 1]
        assert exact - .0005 <= float(g) <= exact * 1.01 + .001, (r, q, exact)
'
}

@test "the card, services, incidents and calls are those of the spans" {
	requests='select(.parent_span_id == null and .duration_ms)'
	[ "$(card page.html Requests | tr -d ,)" = "$(jq -c "$requests" spans.ndjson | wc -l)" ]
	[ "$(card page.html 'Requests that failed' | tr -d ,)" = "$(jq -c "$requests | select(.success | not)" spans.ndjson | wc -l)" ]
	[ "$(card page.html Spans | tr -d ,)" = "$(jq -c 'select(.duration_ms)' spans.ndjson | wc -l)" ]
	[ "$(card page.html 'Spans that failed' | tr -d ,)" = "$(grep -c '"success":false' spans.ndjson)" ]
	[ "$(card page.html Seed)" = 7 ]
	jq -r 'select(.duration_ms) | [.stack + ":" + .service, .success] | @tsv' spans.ndjson |
		awk -F '\t' '{ n[$1]++; f[$1] += $2 == "false" } END { for (k in n) print k "\t" n[k] "\t" f[k] }' | sort -t "$(printf '\t')" -k 3,3nr -k 1,1 |
		head -n 12 >want
	rows page.html 'Services that fail most' | sed 1d | tr -d , | cut -f 1-3 | diff want -
	rows page.html Incidents | sed 1d | cut -f 2,3,6 | tr -d , >got
	jq -r 'select(.kind == "incident") | [.id, .component, .role] | @tsv' world.ndjson | while IFS=$'\t' read -r id component role; do
		echo "$component"$'\t'"$role"$'\t'"$(grep -c "\"cause\":\"$id\"" spans.ndjson)"
	done | diff - got
	[ "$(wc -l <got)" -eq 2 ]
	python3 - <<'END'
import json, re
where, calls = {}, {}
for line in open("spans.ndjson"):
    s = json.loads(line)
    name = s["stack"] + ":" + s["service"]
    where[s["span_id"]] = name
    if s["parent_span_id"]:
        c = calls.setdefault((where[s["parent_span_id"]], name), [0, 0])
        c[0] += 1; c[1] += not s["success"]
got = {(a, b): [int(n.replace(",", "")), int(f.replace(",", ""))] for a, b, n, f in
    re.findall(r"<title>(\S+) calls (\S+): ([0-9,]+) calls, ([0-9,]+) failed</title>", open("page.html").read())}
assert got == {k: v for k, v in calls.items() if k[0] != k[1]}, (len(got), len(calls))
END
}

@test "names stay text, whatever they are" {
	evil='</title><script>alert(1)</script>"><img src=x onerror=alert(2)>'
	head -n 400 spans.ndjson >bad.ndjson
	jq -c --arg e "$evil'" 'if .kind == "component" and .id == "redis_feed" then .id = $e
		elif .kind == "incident" and .component == "redis_feed" then .component = $e else . end' world.ndjson >evil.ndjson
	jq -n --arg e "$evil" '{version: $e, options: {($e): $e}, files: [{file: $e, lines: 1, bytes: 2, sha256: $e}]}' >evil.json
	og-report -w evil.ndjson -S evil.json <bad.ndjson >evil.html
	[ "$(grep -c '&lt;script&gt;alert(1)' evil.html)" -ge 5 ]
	run ! grep -iE '<script|<img|onerror=[^&]*>"' evil.html
}

@test "services that the world does not have are refused" {
	sed '3s/"service":"[^"]*"/"service":"<b>"/; 5s/"stack":"[^"]*"/"stack":"moon"/' spans.ndjson | head -n 400 >other.ndjson
	run -1 --separate-stderr og-report -w world.ndjson <other.ndjson
	[ "${#stderr_lines[@]}" -eq 2 ]
	[ "${stderr_lines[0]}" = 'og-report: <stdin>:3: no service "<b>" in the world' ]
	[[ "${stderr_lines[1]}" == 'og-report: <stdin>:5: no service "'*'" in the world' ]]
	run ! grep -F '<b>' <<<"$output"
	og-metrics -i 1h -d -g service,stack,success <spans.ndjson | sed '1s/"service":"[^"]*"/"service":"moon"/' >other.ndjson
	run -1 --separate-stderr og-report -w world.ndjson <other.ndjson
	[ "$stderr" = 'og-report: <stdin>:1: no service "moon" in the world' ]
}

@test "aggregates say the same as the spans they were made of" {
	og-metrics -i 1h -d -g service,stack,success <spans.ndjson >hours.ndjson
	og-report -w world.ndjson -i 6h <hours.ndjson >hours.html
	[ "$(card hours.html Spans)" = "$(card page.html Spans)" ]
	[ "$(card hours.html 'Spans that failed')" = "$(card page.html 'Spans that failed')" ]
	diff <(rows hours.html 'Services that fail most' | cut -f 1-4) <(rows page.html 'Services that fail most' | cut -f 1-4)
	jq -r 'select(.duration_ms) | [.timestamp, .success] | @tsv' spans.ndjson |
		awk '{ h = sprintf("%s %02d:00", substr($1, 1, 10), int(substr($1, 12, 2) / 6) * 6); n[h]++; f[h] += $2 == "false" }
		END { for (h in n) print h "\t" n[h] "\t" f[h] }' | sort >want
	rows hours.html 'The numbers of the charts' | sed 1d | cut -f 1-3 | tr -d , | diff want -
	# A quantile lies in the bucket of the histogram where that of the spans does.
	jq -s -r 'map(select(.duration_ms and .timestamp < "2025-12-01T06").duration_ms) | sort | .[((length * 0.95) | ceil) - 1]' spans.ndjson >exact
	bounds=$(awk -F '\t' '$1 == "buckets_ms" { print $2 }' "$OG_SHARE"/{social,default}/lists.tsv | head -n 40 | tr '\n' ' ')
	rows hours.html 'The numbers of the charts' | sed -n 2p | cut -f 5 |
		awk -v bounds="$bounds" -v exact="$(cat exact)" '{ n = split(bounds, b, /[ ,|]+/); for (i = 1; i < n; i++) if (exact <= b[i]) {
			exit !($1 <= b[i] && $1 >= (i > 1 ? b[i - 1] : 0)) } }'
	grep -q 'do not tell who calls whom' hours.html
	run -1 --separate-stderr bash -c 'cat spans.ndjson hours.ndjson | og-report -w world.ndjson'
	[[ $stderr = *'an aggregate among spans'* ]]
}

@test "a part of the time, another layout, the summary of og-dataset" {
	og-report -w world.ndjson -b 2025-12-02 -e 2025-12-03 -i 1h <spans.ndjson >day.html
	[ "$(rows day.html 'The numbers of the charts' | sed 1d | wc -l)" -eq 24 ]
	[ "$(card day.html Spans | tr -d ,)" = "$(jq -c 'select(.duration_ms and .timestamp[:10] == "2025-12-02")' spans.ndjson | wc -l)" ]
	grep -q 'records lie outside of this time' day.html
	[ "$(rows day.html Incidents | sed 1d | wc -l)" -eq 1 ]
	og-events -w world.ndjson -l blind | og-spans -w world.ndjson -l blind | og-report -w world.ndjson -l blind -i 6h >blind.html
	diff <(rows blind.html 'The numbers of the charts') <(rows page.html 'The numbers of the charts')
	[ "$(rows blind.html Incidents | sed 1d | cut -f 6 | sort -u)" = – ]
	og-dataset -w world.ndjson -t -o set
	og-report --world world.ndjson --summary set/summary.json --interval 6h --catalog social --layout wide --begin 2025-12-01 --end 2025-12-04 \
		<set/spans_1.jsonl >set.html
	diff <(rows set.html Files | sed 1d | cut -f 1,4) <(jq -r '.files[] | [.file, .sha256] | @tsv' set/summary.json)
	[[ $(card set.html Options) = *"shards 1"* ]]
	# The same again, byte for byte.
	og-report -w world.ndjson -i 6h <spans.ndjson | cmp - page.html
}

@test "nothing to show, and spans whose callers are missing" {
	run -0 --separate-stderr og-report -w world.ndjson </dev/null
	[[ $output = *'</html>' ]]
	[ -z "$stderr" ]
	grep -v '"parent_span_id":null' spans.ndjson | og-report -w world.ndjson >loose.html
	grep -q 'did not come before them' loose.html
	head -c -1 spans.ndjson | og-report -w world.ndjson -i 6h | cmp - page.html
}

@test "one request is one, in an interval of any length, and tables without rows are not drawn" {
	grep -m 1 '"success":true.*"parent_span_id":null' spans.ndjson >one
	while read -r interval unit; do
		og-report -w world.ndjson -i "$interval" <one >one.html
		grep -q ">requests per $unit<" one.html
		grep -q '<td class="n">1<td class="n">0<td' one.html
	done <<'END'
1d day
6h 6 hours
1h hour
90m 90 minutes
END
	[ -z "$(rows one.html "Services that fail most")" ]
	grep -A 1 '>Services that fail most<' one.html | grep -q '<p>None fails'
}

@test "lines that are no spans are reported, left out, and exit 1" {
	{
		cat spans.ndjson
		echo 'no json'
		echo '{}'
		head -n 1 spans.ndjson | sed 's/"timestamp":"[^"]*"/"timestamp":"soon"/'
		grep -m 1 '"success":true' spans.ndjson | sed 's/"success":true/"success":"maybe"/'
		grep -m 1 '"success":true' spans.ndjson | sed -E 's/"duration_ms":[0-9.]+/"duration_ms":-1/'
		echo '{"metric":"requests_total","ts":1,"value":-1,"tags":{}}'
	} >lines
	n=$(wc -l <spans.ndjson)
	run -1 --separate-stderr og-report -w world.ndjson -i 6h <lines
	[ "$(grep -c "^og-report: <stdin>:" <<<"$stderr")" -eq 6 ]
	[[ $stderr = *"og-report: <stdin>:$((n + 1)): "* ]]
	[ "$output" = "$(cat page.html)" ]
}

@test "options and files that cannot be used" {
	for args in '' '-w' '-w none' '-w world.ndjson more' '-w world.ndjson -i 0s' '-w world.ndjson -i x' '-w world.ndjson -i 1s' '-w world.ndjson -b x' \
		'-w world.ndjson -b 2025-12-03 -e 2025-12-02' '-w world.ndjson -l none' '-w world.ndjson -l log' '-w world.ndjson -S none' \
		'-w world.ndjson -S world.ndjson' '-w world.ndjson -c shop'; do
		# shellcheck disable=SC2086 # words
		run -2 --separate-stderr og-report $args </dev/null
		[ -n "$stderr" ]
		[ -z "$output" ]
	done
	run -1 bash -c 'og-report -w world.ndjson <spans.ndjson >/dev/full'
	run -1 bash -c 'og-report -w world.ndjson <&-'
}

@test "memory does not grow with the spans" {
	rss() {
		python3 -c 'import resource, subprocess, sys
subprocess.run(["og-report", "-w", "world.ndjson"], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)'
	}
	once=$(rss <spans.ndjson)
	many=$(for _ in 1 2 3 4 5 6; do cat spans.ndjson; done | rss)
	((many < once + 2000))
}
