# og-report in a browser: drawn without a complaint, light and dark, with nothing fetched.
bats_require_minimum_version 1.5.0

load ../common

setup_file() {
	command -v chromium >/dev/null || skip "no chromium"
	cd "$BATS_FILE_TMPDIR" || return 1
	og-entities -c social -b 2025-12-01 -e 2025-12-08 -n 20000 | og-incidents \
		-a component=redis_feed,start=2025-12-03T18:00:00Z,duration=5h,environment=prod,errors=0.1,latency=3 >world.ndjson
	og-events -w world.ndjson | og-spans -w world.ndjson | og-report -w world.ndjson >page.html
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

# shot NAME [OPTION...]: the page as a picture, and what the browser's console said.
shot() {
	local name=$1
	shift
	timeout 60 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1060,2900 --user-data-dir="$PWD/profile" \
		--enable-logging=stderr --v=0 "$@" --screenshot="$PWD/$name.png" "file://$PWD/page.html" >"$name.log" 2>&1
	[ -s "$name.png" ]
	run ! grep -E 'CONSOLE|net::ERR' "$name.log"
}

# Colours of a picture: the first, how many there are, and which part of all is not the first.
colours() {
	python3 - "$1" <<'END'
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
assert depth == 8 and kind in (2, 6), (depth, kind)
at, packed = 8, b""
while at < len(data):
    n, name = struct.unpack(">I4s", data[at:at + 8])
    if name == b"IDAT": packed += data[at + 8:at + 8 + n]
    at += n + 12
raw, size = zlib.decompress(packed), 3 if kind == 2 else 4
row, before, seen = width * size, bytearray(width * size), {}
for y in range(height):
    how, line = raw[y * (row + 1)], bytearray(raw[y * (row + 1) + 1:(y + 1) * (row + 1)])
    if how == 1:
        for i in range(size, row): line[i] = (line[i] + line[i - size]) & 255
    elif how == 2:
        for i in range(row): line[i] = (line[i] + before[i]) & 255
    elif how:
        for i in range(row):
            a, b, c = line[i - size] if i >= size else 0, before[i], before[i - size] if i >= size else 0
            if how == 3: p = (a + b) // 2
            else:
                e = a + b - c
                p = min((a, b, c), key=lambda v: abs(e - v))
            line[i] = (line[i] + p) & 255
    before = line
    for x in range(0, row, size * 3):
        seen[bytes(line[x:x + 3])] = seen.get(bytes(line[x:x + 3]), 0) + 1
most = max(seen, key=seen.get)
print(most.hex(), len(seen), round(1 - seen[most] / sum(seen.values()), 3))
END
}

@test "light and dark: much to see, no complaint" {
	shot light
	shot dark --blink-settings=preferredColorScheme=0
	read -r back many share < <(colours light.png)
	[ "$back" = ffffff ] && [ "$many" -gt 100 ]
	awk -v share="$share" 'BEGIN { exit !(share > 0.05 && share < 0.6) }'
	read -r back many share < <(colours dark.png)
	[ "$back" = 111315 ] && [ "$many" -gt 100 ]
	awk -v share="$share" 'BEGIN { exit !(share > 0.05 && share < 0.6) }'
}

@test "the browser's document is the page: four pictures with their names, no words out of place" {
	timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$PWD/profile" --dump-dom "file://$PWD/page.html" 2>/dev/null >dom.html
	[ "$(grep -o '<svg [^>]*role="img"' dom.html | wc -l)" -eq 4 ]
	[ "$(grep -o '<tr>' dom.html | wc -l)" -gt 180 ]
	[ "$(sed -n '/<svg/,/<\/svg>/p' page.html | grep -oE '(x|y|x1|x2|y1|y2|width|height)="-[0-9]' | wc -l)" -eq 0 ]
}
