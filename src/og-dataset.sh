#!/bin/bash
#
# og-dataset: a whole data set by one command
#
# Strings the other programs together: a world, and the files that the catalog's table dataset.tsv lists, each by a chain of programs. All
# that is written depends on the options, the catalog and the world alone; this program computes nothing of it.
set -u -o pipefail
export LC_ALL=C TZ=UTC
trap '' XFSZ # a file that may grow no more is an error of who writes it
me=og-dataset
SAMPLE=100000 # requests that tell the ratio of rows to requests

# Letter, long name, and whether a value follows.
options='
a add value
A archive -
b begin value
c catalog value
d difficulty value
e end value
h help -
j jobs value
n requests value
N no-random -
o output value
r rows value
s seed value
t tier2 -
u users value
V version -
v verbose -
w world value
x scale value
z compression value
'

usage() {
	cat <<'END'
usage: og-dataset [-AhNtVv] [-a spec] [-b begin] [-c catalog] [-d difficulty]
                  [-e end] [-j jobs] [-n requests] [-r rows] [-s seed]
                  [-u users] [-w world] [-x scale] [-z compression] -o output
END
}

say() {
	printf '%s: %s\n' "$me" "$*" >&2
}

# The options, one a line; make puts them in.
help() {
	cat <<'END'

@HELP@
END
}

# The options cannot be used.
refuse() {
	say "$@"
	exit 2
}

fail() {
	say "$@"
	exit 1
}

# ---- options ----

catalog='' level='' output='' requests='' rows='' scale='' given=''
jobs=1 compression=none
archive=0 tier2=0 verbose=0
entities=()  # options of og-entities
incidents=() # and of og-incidents

# TEXT LEAST MOST
is_whole() {
	[[ $1 =~ ^[1-9][0-9]{0,14}$ ]] && (($1 >= $2 && $1 <= $3))
}

check_options() {
	[ -z "$given" ] || [ "${#entities[@]}${#incidents[@]}" = 00 ] ||
		refuse "-w takes the world as it is, without -a, -b, -d, -e, -N, -s and -u"
	[[ $level =~ ^[A-Za-z0-9_-]*$ ]] || refuse "difficulty is no name: $level"
	[ -z "$given" ] || [ -r "$given" ] || refuse "cannot read the world $given"
	[ -z "$requests" ] || [ -z "$rows" ] || refuse "-n and -r exclude each other"
	is_whole "$jobs" 1 1024 || refuse "number of jobs is not 1 to 1024: $jobs"
	[[ $requests =~ ^(|0|[1-9][0-9]*)$ ]] || refuse "number of requests is no whole number: $requests"
	[ -z "$given" ] || [ -z "$requests" ] || is_whole "$requests" 1 1000000000000 || refuse "number of requests is not 1 to 10^12: $requests"
	[ -z "$rows" ] || is_whole "$rows" 1 100000000000 || refuse "number of rows is not 1 to 10^11: $rows"
	[ -z "$scale" ] || [ -n "$rows" ] || refuse "-x is a factor on the rows of -r"
	scale=${scale:-1}
	[[ $scale =~ ^[0-9]{1,6}([.][0-9]{1,6})?$ && $scale =~ [1-9] ]] || refuse "scale is not 0.000001 to 999999.999999: $scale"
	case $compression in
	none | gzip | zstd) ;;
	*) refuse "compression is none, gzip or zstd: $compression" ;;
	esac
}

take() {
	case $1 in
	-a | --add) incidents+=(-a "$2") ;;
	-A | --archive) archive=1 ;;
	-b | --begin) entities+=(-b "$2") ;;
	-c | --catalog) catalog=$2 ;;
	-d | --difficulty) level=$2 incidents+=(-S "$2") ;;
	-e | --end) entities+=(-e "$2") ;;
	-h | --help)
		{ usage && help; } 2>/dev/null || fail "cannot write to the standard output"
		exit 0
		;;
	-j | --jobs) jobs=$2 ;;
	-n | --requests) requests=$2 ;;
	-N | --no-random) incidents+=(-N) ;;
	-o | --output) output=$2 ;;
	-r | --rows) rows=$2 ;;
	-s | --seed) entities+=(-s "$2") ;;
	-t | --tier2) tier2=1 ;;
	-u | --users) entities+=(-u "$2") ;;
	-V | --version)
		echo "$me $(version)" 2>/dev/null || fail "cannot write to the standard output"
		exit 0
		;;
	-v | --verbose) verbose=1 ;;
	-w | --world) given=$2 ;;
	-x | --scale) scale=$2 ;;
	-z | --compression) compression=$2 ;;
	esac
}

# That of the programs which make the data.
version() {
	local text

	text=$(og-events -V) || exit 1
	echo "${text##* }"
}

# Letters or long names as getopt(1) takes them: "a:b" or "add:,begin".
letters() {
	awk 'NF { printf "%s%s", $1, $3 == "value" ? ":" : "" }' <<<"$options"
}

names() {
	awk 'NF { printf "%s%s%s", sep, $2, $3 == "value" ? ":" : ""; sep = "," }' <<<"$options"
}

parse() {
	local parsed

	parsed=$(getopt -n "$me" -o "+$(letters)" -l "$(names)" -- "$@") || {
		usage >&2
		exit 2
	}
	eval set -- "$parsed"
	while [ "$1" != -- ]; do
		if grep -qE "^(${1#-} [a-z0-9-]+|. ${1#--}) value$" <<<"$options"; then
			take "$1" "$2"
			shift 2
		else
			take "$1" ''
			shift
		fi
	done
	shift
	if [ $# -gt 0 ] || [ -z "$output" ]; then
		usage >&2
		exit 2
	fi
	[[ $output != -* ]] || output=./$output # no option of what it is given to
	check_options
}

# ---- the table of files ----

columns=(file chain format interval tier audience rows)

# The folder of a catalog: a path, or a name that is looked up as all programs do.
folder_of() {
	local dir also=

	case $1 in
	*/*) dir=$1 ;;
	*)
		also=${OG_SHARE:+ or $OG_SHARE/$1, as OG_SHARE is $OG_SHARE}
		dir=${OG_SHARE-}/$1
		[ -n "${OG_SHARE-}" ] && [ -d "$dir" ] || dir=$(dirname "$(readlink -f "$0")")/../share/og/$1
		;;
	esac
	[ -d "$dir" ] || refuse "$1: no such catalog: no folder $dir$also"
	echo "$dir"
}

# Rows of the tier that is asked for, with a character between cells that, other than a tab, may stand twice.
read_table() {
	folder=$(folder_of "$catalog") || exit
	table=$folder/dataset.tsv
	[ -e "$table" ] || table=$(folder_of default)/dataset.tsv || exit
	where=$table
	[ "$(grep -v '^#' "$table" | head -n 1)" = "$(IFS=$'\t' && echo "${columns[*]}")" ] || refuse "$table: the columns are ${columns[*]}"
	check_table
	mapfile -t files < <(grep -v '^#' "$table" | sed 1d | tr '\t' '\037' | awk -F '\037' -v tier2="$tier2" '$5 != 2 || tier2')
	[ "${#files[@]}" -gt 0 ] || refuse "$table: no files"
}

# All rows, whether asked for or not.
check_table() {
	local line n=0 head=1 tier argument
	local -A formats=() named=()

	while IFS= read -r line || [ -n "$line" ]; do
		n=$((n + 1))
		[[ $line != '#'* ]] || continue
		[ "$head" = 0 ] || { head=0 && continue; }
		where=$table:$n
		split_row "${line//$'\t'/$'\037'}"
		tier=$(cut -f 5 <<<"$line")
		check_cells
		[ -z "${formats[$file]-}" ] || refuse "$where: a second row of $file"
		formats[$file]=$format
		argument=${chain#*:}
		case $chain in
		check:* | truth:*) named[$where]=$chain ;;
		copy:*) [ -f "${table%/*}/$argument" ] || refuse "$where: the catalog has no file $argument" ;;
		esac
	done <"$table"
	for where in "${!named[@]}"; do
		argument=${named[$where]#*:}
		[ -n "${formats[${argument%%=*}]-}" ] || refuse "$where: no row of ${argument%%=*}"
		[[ ${named[$where]} != truth:* ]] || [[ $argument = *=?* && ${formats[${argument%%=*}]} = csv ]] ||
			refuse "$where: truth is of a column of a CSV file: FILE=COLUMN"
	done
	where=$table
}

# Those of the row at hand, each for itself.
check_cells() {
	local rest=${file/'{k}'/}

	[[ $rest != *[{}]* ]] || refuse "$where: {k} stands in a file once: $file"
	[ "$rest" = "$file" ] || [[ $chain =~ ^events(:|\ |$) ]] || refuse "$where: only what begins with events has {k}"
	[[ $format =~ ^(json|csv|tsv)$ ]] || refuse "$where: format is json, csv or tsv: $format"
	[[ $interval =~ ^([0-9]+([.][0-9]+)?(us|ms|s|m|h|d|w))?$ ]] || refuse "$where: interval is no duration such as 1m: $interval"
	[[ $tier =~ ^[12]?$ ]] || refuse "$where: tier is 1 or 2: $tier"
	[[ $audience =~ ^(instructors)?$ ]] || refuse "$where: audience is instructors, or nothing: $audience"
	[[ $counted =~ ^(yes)?$ ]] || refuse "$where: rows is yes, or nothing: $counted"
}

# The cells of a row, each in a variable of all. Paths stay inside the output, and a chain is of known programs.
split_row() {
	local stage

	IFS=$'\037' read -r file chain format interval _ audience counted <<<"$1"
	[[ $chain != copy:* || $chain != */* ]] || refuse "$where: copies are of the catalog's own files: $chain"
	[[ $file =~ ^[A-Za-z0-9_][A-Za-z0-9_.{}-]*(/[A-Za-z0-9_][A-Za-z0-9_.{}-]*)*$ ]] ||
		refuse "$where: a file is a path below the output: $file"
	format=${format:-json}
	[ -n "${chain// /}" ] || refuse "$where: no chain"
	for stage in $chain; do
		case ${stage%%:*} in
		events | spans | metrics | tags | logs | tickets | series | alarms | entities | truth) ;;
		world | schedule | check | summary | sums | copy)
			[ "$stage" = "$chain" ] || refuse "$where: $stage stands alone"
			;;
		*) refuse "$where: no program $stage" ;;
		esac
	done
}

# ---- chains ----

# The smallest record of each request of a shard, which nearly every chain begins with, is made once. Prints the file's name.
make_keys() {
	local keys=$state/tmp/keys.${shard/\//-}

	(
		flock 8
		[ -e "$keys" ] || { og-events -c "$catalog" -w "$world" -k "$shard" -l keys >"$keys.new" && mv "$keys.new" "$keys"; }
	) 8>"$keys.lock" && echo "$keys"
}

# One program of a chain; the last one writes the format of the row. shard and last are those of the chain.
stage() {
	local program=${1%%:*} layout=${1#*:} args=(-c "$catalog")

	[ "$layout" = "$1" ] || args+=(-l "$layout")
	case $program in
	events) args+=(-w "$world" -k "$shard") ;;
	spans | logs | tickets | series | alarms | truth) args+=(-w "$world") ;;
	metrics) [ -z "$interval" ] || args+=(-i "$interval") ;;
	tags) args=() ;;
	esac
	[ -z "$last" ] || [ "$format" = json ] || args+=(-f "$format")
	"og-$program" ${args[@]+"${args[@]}"}
}

# The programs of a chain, each reading what the one before writes.
run_chain() {
	local first=$1 last='' keys

	shift
	if [ $# -eq 0 ]; then
		last=1
		stage "$first"
	elif [ "$first" = events:keys ]; then
		keys=$(make_keys) && run_chain "$@" <"$keys"
	else
		stage "$first" | run_chain "$@"
	fi
}

# The file of a row, without the line of field names behind the first shard.
make_rows() {
	# shellcheck disable=SC2086 # words
	if [ "$format" = json ] || [ "${shard%/*}" = 1 ] || [[ $chain != *\ * ]]; then
		run_chain $chain
	else
		run_chain $chain | tail -n +2
	fi
}

# ---- the world ----

# The header says at which level the effects of incidents are.
set_level() {
	if [ -n "$level" ]; then
		sed -E "1s/\"level\":\"[^\"]*\"/\"level\":\"$level\"/"
	else
		cat
	fi
}

# One that is given is read here, once, if it is no file; shown is what it is called.
accept_world() {
	local said

	[ -n "$given" ] || return 0
	if [ ! -f "$given" ]; then
		cat "$given" >"$scratch/given" || fail "cannot read the world $shown"
		given=$scratch/given
	fi
	said=$(og-events ${catalog:+-c "$catalog"} -w "$given" -n 1 2>&1 >/dev/null) &&
		said=$(og-check -v ${catalog:+-c "$catalog"} <"$given" 2>&1 >/dev/null) && return
	said=${said%%$'\n'*}
	said=${said#og-*: }
	said=${said/"$given"/"$shown"}
	refuse "${said/<stdin>/"$shown"}"
}

# With so many requests; "": as the options say.
make_world() {
	if [ -z "$given" ]; then
		og-entities -c "$catalog" ${entities[@]+"${entities[@]}"} ${1:+-n "$1"} >"$state/tmp/plain" &&
			set_level <"$state/tmp/plain" |
			og-incidents -c "$catalog" ${incidents[@]+"${incidents[@]}"}
	elif [ -z "$1" ]; then
		cat "$given"
	else
		sed -E "1s/\"requests\":[0-9]+/\"requests\":$1/" "$given"
	fi
}

# How many rows the file at hand has in a world of so many requests.
rows_at() {
	local world=$state/tmp/trial shard=1/1 n

	make_world "$1" >"$world" || exit
	n=$(make_rows | wc -l) || exit 1
	rm -f "$state"/tmp/keys.*
	[ "$format" = json ] || n=$((n - 1))
	echo "$n"
}

# The number of requests that gives the rows wished for. Many requests are measured by fewer, which have rows in the same ratio.
find_requests() {
	local wish n got off best='' least='' try tried=()

	wish=$(awk -v rows="$rows" -v scale="$scale" 'BEGIN { printf "%.0f", rows * scale }')
	[ "$wish" -ge 1 ] || refuse "no rows are left of $rows x $scale"
	n=$((wish < SAMPLE ? wish : SAMPLE))
	for ((try = 0; try < 60; try++)); do
		tried[n]=1
		got=$(rows_at "$n") || exit
		off=$((got > wish ? got - wish : wish - got))
		[ "$got" -gt 0 ] || got=1
		if ((n == SAMPLE && got <= wish)); then
			best=$(((wish * n + got / 2) / got))
			break
		fi
		if [ -z "$least" ] || ((off < least)); then
			least=$off
			best=$n
		fi
		((off * 200 > wish)) || break
		# Near the wish the numbers of rows scatter: one next to it that was not tried will do.
		((n > 1 || got < wish)) || break
		n=$(((wish * n + got / 2) / got))
		n=$((n < 1 ? 1 : n > SAMPLE ? SAMPLE : n))
		while [ -n "${tried[$n]-}" ]; do
			n=$((n + 1))
		done
	done
	echo "$best"
}

# ---- files ----

# A file is written under another name, then moved; what is written down of it, its sum, bytes and lines, says that it is whole.
note_of() {
	echo "$state/done/${1//\//%}"
}

is_done() {
	local note sum bytes lines

	note=$(note_of "$1")
	[ -f "$note" ] && [ -f "$output/$1" ] && read -r sum bytes lines <"$note" && [ -n "$lines" ] && [ "$(stat -c %s "$output/$1")" = "$bytes" ]
}

temporary() {
	echo "$state/tmp/${1//\//%}"
}

sum_of() {
	if command -v openssl >/dev/null; then
		openssl dgst -sha256 -r <"$1" | cut -d ' ' -f 1
	else
		sha256sum <"$1" | cut -d ' ' -f 1
	fi
}

squeeze() {
	case $compression in
	none) cat ;;
	gzip) gzip -n ;;
	zstd) zstd -q ;;
	esac
}

unsqueeze() {
	case $1 in
	*.gz) gzip -dc <"$1" ;;
	*.zst) zstd -qdc <"$1" ;;
	*) cat "$1" ;;
	esac
}

count_lines() {
	case $1 in
	*.gz | *.zst) unsqueeze "$1" | wc -l ;;
	*) wc -l <"$1" ;;
	esac
}

# The temporary file of this name is whole.
settle() {
	local tmp note sum bytes lines

	tmp=$(temporary "$1")
	note=$(note_of "$1")
	sum=$(sum_of "$tmp") && bytes=$(stat -c %s "$tmp") && lines=$(count_lines "$tmp") || return 1
	mkdir -p "$(dirname "$output/$1")" && mv -fT "$tmp" "$output/$1" || return 1
	echo "$sum $bytes $lines" >"$note.new" && mv -f "$note.new" "$note" || return 1
	[ "$verbose" = 0 ] || [[ $1 = .og-dataset/* ]] || say "$1: $lines lines, $bytes bytes"
}

# NAME COMMAND...: the file NAME of what the command writes.
make_file() {
	local name=$1

	shift
	is_done "$name" || { "$@" >"$(temporary "$name")" && settle "$name"; } || {
		say "cannot make $name"
		return 1
	}
}

# ---- data ----

# Name of the file of shard K, with as many digits as the last one has, so that names are in the order of shards.
shard_name() {
	local k

	printf -v k '%0*d' "${#jobs}" "$2"
	echo "${1/\{k\}/$k}$suffix"
}

part_name() {
	echo ".og-dataset/parts/$1.$2"
}

is_data() {
	[[ $1 =~ ^(events|series|alarms|entities)(:|\ |$) ]]
}

# Is there a file for each shard of the row at hand?
is_sharded() {
	[[ $file = *'{k}'* ]]
}

# Or one, made in shards that are put one behind the other?
is_joined() {
	[ "$jobs" -gt 1 ] && ! is_sharded && [[ $chain = events* && -z $interval ]]
}

add_job() {
	todo+=("$1"$'\037'"$2"$'\037'"$3")
}

has_documents() {
	local row

	for row in "${files[@]}"; do
		split_row "$row"
		is_data "$chain" || is_done "$file" || return
	done
}

# Jobs to do: name, shard and row, separated as the cells of a row are. What is counted for the documents comes in a part a shard.
plan() {
	local row k

	todo=()
	for row in "${files[@]}"; do
		split_row "$row"
		if ! is_data "$chain"; then
			continue
		elif ! is_sharded && ! is_joined; then
			add_job "$file$suffix" 1/1 "$row"
			continue
		fi
		for ((k = 1; k <= jobs; k++)); do
			if is_sharded; then
				add_job "$(shard_name "$file" "$k")" "$k/$jobs" "$row"
			elif ! is_done "$file$suffix"; then
				add_job "$(part_name "$file" "$k")" "$k/$jobs" "$row"
			fi
		done
	done
	for ((k = 1; k <= jobs; k++)); do
		has_documents || add_job "$(part_name counts "$k")" "$k/$jobs" $'counts\037events:keys truth\037\037\037\037\037'
	done
}

write_rows() {
	if [ "$compression" = none ] || [[ $1 = .og-dataset/* ]]; then
		make_rows
	else
		make_rows | squeeze
	fi
}

run_job() {
	local name row

	IFS=$'\037' read -r name shard row <<<"$1"
	split_row "$row"
	make_file "$name" write_rows "$name"
}

end_job() {
	local pid status=0

	wait -n -p pid "${!groups[@]}" || status=$?
	unset "groups[$pid]"
	return "$status"
}

# Every job has a process group of its own, so that it can be ended with all its programs.
run_jobs() {
	local job

	for job in "${todo[@]}"; do
		while [ "${#groups[@]}" -ge "$jobs" ]; do
			end_job || return
		done
		set -m
		run_job "$job" </dev/null &
		set +m
		groups[$!]=1
	done
	while [ "${#groups[@]}" -gt 0 ]; do
		end_job || return
	done
}

stop_jobs() {
	local pid

	disown -a # nobody wants to read how each of them ended
	for pid in "${!groups[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null
	done
	groups=()
}

put_parts() {
	local k

	for ((k = 1; k <= jobs; k++)); do
		cat "$output/$(part_name "$file" "$k")" || return
	done | squeeze
}

join_parts() {
	local row k

	for row in "${files[@]}"; do
		split_row "$row"
		is_joined || continue
		make_file "$file$suffix" put_parts || return
		for ((k = 1; k <= jobs; k++)); do
			rm -f "$output/$(part_name "$file" "$k")"
		done
	done
}

# ---- progress ----

# Bytes that are there.
written() {
	find "$output" -type f -printf '%s\n' 2>/dev/null | awk '{ n += $1 } END { printf "%.0f\n", n }'
}

# Bytes that there will be: a thin slice out of the middle of each file that has slices stands for all of it.
expect() {
	local row slices shard n sum=0

	slices=$(sed -nE '1s/.*"requests":([0-9]+).*/\1/p' "$world")
	slices=$((slices / 2000 + 1))
	shard=$(((slices + 1) / 2))/$slices
	for row in "${files[@]}"; do
		split_row "$row"
		[[ $chain = events* && -z $interval ]] || continue
		n=$(write_rows "$file" | wc -c)
		sum=$((sum + n * slices))
	done
	echo "$sum"
}

# A line that is written anew each second: what is done, how fast, and how long it will take. It ends with the program.
watch() {
	local all first began=$SECONDS now

	all=$(expect) 2>/dev/null
	first=$(written)
	while kill -0 $$ 2>/dev/null; do
		now=$(written)
		awk -v all="$all" -v first="$first" -v now="$now" -v took=$((SECONDS - began)) 'BEGIN {
			rate = took > 0 ? (now - first) / took : 0
			share = all > 0 && now < all ? now / all : 0.99
			rest = rate > 0 && all > now ? (all - now) / rate : 0
			left = rate == 0 ? "begins" : sprintf("%d:%02d left", rest / 60, rest % 60)
			printf "\r%2d %%, %.0f of about %.0f MB, %.0f MB/s, %s \033[K", share * 100, now / 1e6, all / 1e6, rate / 1e6, left
		}' >&2
		sleep 1
	done
}

start_watch() {
	[ -t 2 ] && [ "${TERM-}" != dumb ] || return
	watch {lock}>&- &
	watcher=$!
}

stop_watch() {
	[ -n "$watcher" ] || return
	kill "$watcher" 2>/dev/null
	wait "$watcher" 2>/dev/null
	watcher=
	printf '\r\033[K' >&2
}

# ---- documents ----

# Name, sum, bytes and lines of each file that is there, in order of names.
list_files() {
	local note name

	for note in "$state"/done/*; do
		name=${note##*/}
		case $name in
		.og-dataset%* | *.new) ;;
		*) echo "${name//\%//} $(cat "$note")" ;;
		esac
	done | grep -v "^$file " | sort
}

merge_counts() {
	local k

	for ((k = 1; k <= jobs; k++)); do
		cat "$output/$(part_name counts "$k")" || return
	done | og-truth -c "$catalog" -w "$world" -M
}

put_summary() {
	merge_counts | jq -n --slurpfile header <(head -n 1 "$world") --rawfile files <(list_files) --arg version "$(version)" \
		--argjson shards "$jobs" --arg compression "$compression" --argjson tier2 "$tier2" '
		[inputs] as $counts | ($counts[] | select(.kind == "total")) as $total |
		{program: "og-dataset", version: $version, world: ($header[0] | del(.kind)),
		 options: {shards: $shards, compression: $compression, tier2: ($tier2 == 1)},
		 time_range: {first: $total.first, last: $total.last},
		 users: $header[0].users} + ($total | {requests, requests_failed, spans, spans_failed, rollout_records}) +
		{personas: ([$counts[] | select(.kind == "persona") | {(.persona): {requests, requests_failed, spans, spans_failed}}] | add // {}),
		 actions: (reduce ($counts[] | select(.kind == "operation")) as $c ({};
			.[$c.service][$c.action] = ($c | {requests, requests_failed, spans, spans_failed}))),
		 sources: ([$counts[] | select(.kind == "source") | {(.source): .spans_failed}] | add // {}),
		 files: [$files / "\n" | .[] | select(. != "") | . / " " |
			{file: .[0], lines: (.[3] | tonumber), bytes: (.[2] | tonumber), sha256: .[1]}]}'
}

# The files of the row at hand.
files_of() {
	local k

	if is_sharded; then
		for ((k = 1; k <= jobs; k++)); do
			shard_name "$file" "$k"
		done
	elif is_data "$chain"; then
		echo "$file$suffix"
	else
		echo "$file"
	fi
}

# Rows of each table: file and number, without the line of field names.
count_rows() {
	local row name _ lines total

	for row in "${files[@]}"; do
		split_row "$row"
		is_data "$chain" || continue
		total=0
		while read -r name; do
			read -r _ _ lines <"$(note_of "$name")"
			total=$((total + lines))
		done < <(files_of)
		[ "$format" = json ] || total=$((total - 1))
		echo "$file$suffix $total"
	done
}

# FILE=COLUMN: how often each value of a column of a CSV file comes: "VALUE NUMBER".
count_values() {
	[ -n "$1" ] || return 0
	unsqueeze "$output/${1%=*}$suffix" | awk -F , -v column="${1#*=}" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i; next }
		at { n[$at]++ }
		END { for (v in n) print v, n[v] }' | sort
}

# A table of the catalog, if it has it: a row of names, then rows, cells between tabs.
table_of() {
	[ ! -e "$folder/$1.tsv" ] || grep -v '^#' "$folder/$1.tsv"
}

# ARGUMENT: a column of a file whose values are counted, or nothing. A catalog may have its own form of the truth.
put_truth() {
	merge_counts | jq -n --slurpfile header <(head -n 1 "$world") --slurpfile incidents <(grep '"kind":"incident"' "$world") \
		--rawfile rows <(count_rows) --rawfile values <(count_values "$1") \
		--rawfile settings <(table_of settings) --rawfile links <(table_of links) '
		def lines($separator): [. / "\n" | .[] | select(. != "") | . / $separator];
		def numbers: lines(" ") | map({(.[0]): (.[1] | tonumber)}) | add // {};
		def table: lines("\t") | .[0] as $names | .[1:] | map([$names, .] | transpose | map({(.[0]): .[1]}) | add);
		[inputs] as $counts |
		def of($kind; $id): [$counts[] | select(.kind == $kind and .incident == $id) | del(.kind, .incident)];
		($counts | map(select(.kind == "incident") | {(.id): del(.kind, .id)}) | add // {}) as $did |
		{world: ($header[0] | del(.kind)),
		 incidents: [$incidents[] | select(.kind == "incident") | del(.kind) +
			{counted: $did[.id], harmed: of("harm"; .id), reached: of("reach"; .id)}],
		 sources: ($counts | map(select(.kind == "source") | {(.source): .spans_failed}) | add // {}),
		 rows: ($rows | numbers), values: ($values | numbers),
		 settings: ($settings | table | map({(.key): .value}) | add), links: ($links | table)}' |
		if [ -e "$folder/truth.jq" ]; then jq --arg suffix "$suffix" -f "$folder/truth.jq"; else cat; fi
}

# The verdict on the output, or on the lines of one of its files. A promise that is broken is told at the end.
put_check() {
	local row name

	if [ -z "$1" ]; then
		og-check -c "$catalog" -w "$world" "$output"
	else
		for row in "${files[@]}"; do
			split_row "$row"
			[ "$file" != "$1" ] || while read -r name; do
				unsqueeze "$output/$name"
			done < <(files_of)
		done | og-check -c "$catalog" -w "$world"
	fi || [ $? -eq 1 ]
}

put_sums() {
	list_files | awk '{ print $2 "  " $1 }'
}

# Of the world's seed and time.
put_schedule() {
	local seed

	seed=$(sed -nE '1s/.*"seed":([0-9]+).*/\1/p' "$world")
	og-entities -c "$catalog" -s "$seed" -b "$(jq -r .begin <(head -n 1 "$world"))" -e "$(jq -r .end <(head -n 1 "$world"))" -f schedule
}

put_document() {
	local argument=''

	[[ $chain != *:* ]] || argument=${chain#*:}
	case ${chain%%:*} in
	world) cat "$world" ;;
	schedule) put_schedule ;;
	summary) put_summary ;;
	truth) put_truth "$argument" ;;
	check) put_check "$argument" ;;
	sums) put_sums ;;
	copy) cat "${table%/*}/$argument" ;;
	esac
}

make_documents() {
	local row

	for row in "${files[@]}"; do
		split_row "$row"
		is_data "$chain" || make_file "$file" put_document || return
		split_row "$row"
		if [[ $chain = check* ]] && ! jq -e .ok "$output/$file" >/dev/null; then
			say "the data breaks a promise; $output/$file tells which"
			broken=1
		fi
	done
}

# Without what is for instructors; names in order and all of one time, so that the same files give the same bytes.
put_archive() {
	local row

	for row in "${files[@]}"; do
		split_row "$row"
		[ "$audience" != instructors ] || continue
		files_of
	done | sort |
		tar -c -C "$output" --format=gnu --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rw,go=r -T - | zstd -q
}

# ---- all of it ----

# Whose files are these? A folder that holds something else is left alone.
enter() {
	local others

	mkdir -p "$output" || fail "cannot make $output"
	state=$output/.og-dataset
	others=$(find "$output" -mindepth 1 -maxdepth 1 ! -name .og-dataset -print -quit)
	[ -z "$others" ] || [ -d "$state" ] || refuse "$output holds files that are not of a data set; give another -o"
	mkdir -p "$state/done" || fail "cannot write into $output"
	exec {lock}>"$state/lock" || exit 1
	flock -n "$lock" || {
		say "waits until an earlier run has left $output"
		flock "$lock"
	}
	rm -rf "$state/tmp"
	mkdir -p "$state/tmp" "$state/parts" || exit 1
	world=$state/tmp/world
	cat "$scratch/world" >"$world" || fail "cannot write $world"
	rm -rf "$scratch"
}

# The same data set as before, if there was one?
identify() {
	local key

	key=$({ cat "$world" "$table" && echo "$(version) $jobs $compression $tier2"; } | sha256sum) || exit 1
	if [ ! -e "$state/key" ]; then
		echo "$key" >"$state/key.new" && mv "$state/key.new" "$state/key"
	elif [ "$(cat "$state/key")" != "$key" ]; then
		rm -rf "$state/tmp"
		refuse "$output holds a data set of other options; give another -o, or remove it"
	fi
}

choose_catalog() {
	[ -n "$catalog" ] || [ -z "$given" ] || catalog=$(sed -nE '1s/.*"catalog":"([^"]*)".*/\1/p' "$given")
	[ -n "$catalog" ] || refuse "give a catalog with -c"
	read_table
}

# What a row needs -r for is the first that counts.
choose_requests() {
	local row

	[ -n "$rows" ] || return 0
	for row in "${files[@]}"; do
		split_row "$row"
		[ "$counted" != yes ] || break
	done
	[ "$counted" = yes ] || refuse "$table: no file counts for -r"
	requests=$(find_requests) || exit
}

# Layouts and intervals of all rows: a program that is told one it does not know says so before it reads anything.
try_stages() {
	local row word last status shard
	local -A tried=()

	shard=1/$(sed -nE '1s/.*"requests":([0-9]+).*/\1/p' "$world")
	for row in "${files[@]}"; do
		split_row "$row"
		is_data "$chain" || continue
		for word in $chain; do
			last=''
			[ "$word" != "${chain##* }" ] || last=1
			[ -z "${tried[$word $last$format$interval]-}" ] || continue
			tried[$word $last$format$interval]=1
			stage "$word" </dev/null 2>"$scratch/said" | head -c 1 >/dev/null
			status=${PIPESTATUS[0]}
			[ "$status" != 2 ] || refuse "$table: $file: $word: $(head -n 1 "$scratch/said")"
		done
	done
}

# The world, away from the output, which is not touched before it is there.
prepare() {
	local status

	mkdir -p "$scratch/tmp"
	state=$scratch
	choose_requests
	make_world "$requests" >"$scratch/world" || {
		status=$?
		[ "$status" = 2 ] || say "cannot make the world, $scratch/world"
		exit "$status"
	}
	world=$scratch/world
	try_stages
}

stop() {
	stop_watch
	rm -rf "$scratch"
	stop_jobs
	say "stopped; the same command goes on where this one was"
	trap - "$1"
	kill "-$1" $$
}

declare -A groups=()
todo=() files=()
broken=0 where='' shown='' scratch='' lock='' watcher='' state='' folder='' table='' suffix='' shard=''
file='' chain='' format='' interval='' audience='' counted=''

parse "$@"
shown=$given
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
for signal in HUP INT TERM; do
	# shellcheck disable=SC2064 # the signal of now
	trap "stop $signal" "$signal"
done
accept_world
choose_catalog
case $compression in
gzip) suffix=.gz ;;
zstd) suffix=.zst ;;
esac
prepare
enter
identify
plan
start_watch
run_jobs || {
	stop_watch
	stop_jobs
	exit 1
}
stop_watch
join_parts && make_documents || exit 1
[ "$archive" = 0 ] || make_file "$(basename "$catalog").tar.zst" put_archive || exit 1
rm -rf "$state/tmp" "$state/parts"
[ "$broken" = 0 ]
