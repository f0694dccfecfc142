# The recipe load-clickhouse before it asks a server, and the SQL of the catalog fibersqs as it stands; test/live/fibersqs.bats has the rest.
# shellcheck disable=SC2154 # stderr and stderr_lines come from run
bats_require_minimum_version 1.5.0

load common

SQL=$OG_SHARE/fibersqs

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	PATH=$OG_SHARE/recipes:$PATH
	URL=http://127.0.0.1:1
	SET=$PWD/set
	unset CLICKHOUSE_URL CLICKHOUSE_USER CLICKHOUSE_PASSWORD
	mkdir -p "$SET/data"
	awk -v n=20 -v dir="$SET/data" -f "$OG_ROOT/test/live/fibersqs.awk"
}

# FILE: TABLE and column, a line each, of what an INSERT fills.
columns() {
	awk '/^CREATE TABLE/ { sub(/.*[.]/, ""); table = $1 } /^\t[a-z]/ && !/MATERIALIZED/ { print table, $1 }' "$1"
}

@test "both dialects have the same tables and columns, and these are those of the layouts" {
	columns "$SQL/schema.sql" >new
	[ "$(cut -d ' ' -f 1 new | uniq | wc -l)" -eq 8 ]
	columns "$SQL/schema-18.sql" | diff new -
	for dialect in schema schema-18; do
		[ "$(grep -c 'made by og: fibersqs' "$SQL/$dialect.sql")" -eq 8 ]
		[ "$(grep -c MATERIALIZED "$SQL/$dialect.sql")" -eq 10 ]
	done
	for table in $(cut -d ' ' -f 1 new | uniq); do
		awk -F '\t' -v table="$table" '$1 == table && $3 != "*" && !seen[$3]++ { print table, $3 }' "$SQL/layouts.tsv" >layout
		diff layout <(grep "^$table " new)
	done
}

@test "trainees are told nothing of what went wrong" {
	run -1 grep -nE 'CKT-|2025-12|central|provision_fiber|modify_service|incident|confound|deploy' "$SQL/TRAINEE.md"
	# But the name of every table.
	for table in $(columns "$SQL/schema.sql" | cut -d ' ' -f 1 | uniq); do
		grep -q "^| $table |" "$SQL/TRAINEE.md"
	done
}

@test "what is missing or misspelt is said before anything is touched" {
	refused() {
		local status=$1 said=$2
		shift 2
		run "-$status" --separate-stderr "$@"
		[[ ${stderr_lines[0]} = "load-clickhouse: $said"* ]] || {
			echo "$stderr"
			return 1
		}
	}
	run -0 load-clickhouse --help
	[ "$output" = "usage: load-clickhouse [-av] [-c catalog] [-g file] [-m database] [-o folder] [-P file] [-T deadline] -d dataset [url]" ]
	refused 2 "no dataset (-d)" load-clickhouse "$URL"
	refused 2 "no option --nosuch" load-clickhouse --nosuch
	refused 2 "--append takes no value" load-clickhouse --append=1
	refused 2 "--dataset wants a value" load-clickhouse --dataset
	refused 2 "one URL, not 2" load-clickhouse -d "$SET" "$URL" "$URL"
	refused 2 "soon: no span of time" load-clickhouse -T soon -d "$SET" "$URL"
	refused 2 "a.b: no name of a database" load-clickhouse -m a.b -d "$SET" "$URL"
	run -2 load-clickhouse -x -d "$SET" "$URL"
	# From here on it would ask the server, which is not there.
	refused 1 "nowhere/data/clickhouse-app_logs.csv: cannot be read" load-clickhouse -d nowhere "$URL"
	refused 1 "./mine/schema.sql: cannot be read" load-clickhouse -c ./mine -d "$SET" "$URL"
	refused 1 "none: cannot be read" load-clickhouse -g none -d "$SET" "$URL"
	refused 1 "none: cannot be read" load-clickhouse -P none -d "$SET" "$URL"
	echo '[]' >truth
	refused 1 "truth: not a JSON object" load-clickhouse -g truth -d "$SET" "$URL"
	echo '{}' >truth
	refused 1 "truth: neither tso_noise.noise_counts in it nor tso_truth.csv beside it" load-clickhouse -g truth -d "$SET" "$URL"
	jq '.primary_incident.src_region = "a\u0027; DROP TABLE x"' "$SET/ground_truth.json" >truth
	refused 1 "truth: incident: no name: a'" load-clickhouse -g truth -d "$SET" "$URL"
	mkdir -p odd
	cp -r "$SET/data" odd
	echo a >odd/data/clickhouse-nosuch.csv
	refused 1 "odd/data/clickhouse-nosuch.csv: there is no table nosuch" load-clickhouse -d odd "$URL"
	rm odd/data/clickhouse-nosuch.csv odd/data/clickhouse-tso_calls.csv
	refused 1 "odd/data/clickhouse-tso_calls.csv: cannot be read" load-clickhouse -d odd "$URL"
}

@test "packed tables will do, when they are whole and there but once" {
	gzip "$SET"/data/clickhouse-t*.csv
	zstd -q --rm "$SET"/data/clickhouse-[!t]*.csv
	run -1 --separate-stderr load-clickhouse -d "$SET" "$URL"
	[[ $stderr = "load-clickhouse: $URL/ping: no answer: "* ]]
	gzip -dc "$SET/data/clickhouse-tso_calls.csv.gz" >"$SET/data/clickhouse-tso_calls.csv"
	run -1 --separate-stderr load-clickhouse -d "$SET" "$URL"
	[ "$stderr" = "load-clickhouse: $SET/data/clickhouse-tso_calls.csv.gz: there is $SET/data/clickhouse-tso_calls.csv, too" ]
	rm "$SET/data/clickhouse-tso_calls.csv"
	head -c 100 "$SET/data/clickhouse-app_logs.csv.zst" >part
	mv part "$SET/data/clickhouse-app_logs.csv.zst"
	run -1 --separate-stderr load-clickhouse -d "$SET" "$URL"
	[[ $stderr = *"load-clickhouse: $SET/data/clickhouse-app_logs.csv.zst: cannot be unpacked" ]]
}

@test "it finds what it needs from wherever it is called" {
	ln -s "$OG_SHARE/recipes/load-clickhouse" load
	OG_SHARE=$PWD/nowhere PATH=/usr/bin:/bin run -1 --separate-stderr ./load -d "$SET" "$URL"
	[[ $stderr = "load-clickhouse: $URL/ping: no answer: "* ]]
}
