# What every program says of its options: usage, page and program agree.
bats_require_minimum_version 1.5.0

load common

setup() {
	cd "$OG_ROOT" || return 1
	mapfile -t programs < <(find bin -name 'og-*' -printf '%f\n' | sort)
	[ "${#programs[@]}" -gt 0 ]
}

# One line, single blanks.
squeeze() {
	tr -s ' \n\t' ' ' | sed -e 's/^ //' -e 's/ $//'
}

# The SYNOPSIS as a reader sees it.
synopsis() {
	mandoc -T ascii -O width=200 "man/$1.1" | sed 's/.\x08//g' | sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | sed -e 1d -e '$d' | squeeze
}

# Options as "letter long value" or "letter long -", sorted, as the page and as the source list them; those of og(7) left out.
page_options() {
	sed -nE 's/^\.It Fl ([A-Za-z])( Ar [^,]*)? , Fl -([a-z0-9-]+)( Ar (.*))?$/\1 \3 \5/p' "$1" | awk '{ print $1, $2, (NF > 2 ? "value" : "-") }' | sort
}

source_options() {
	local files=("src/$1.c")
	if is_shell "$1"; then
		shell_options "$1"
		return
	fi
	! is_pusher "$1" || files+=(src/pusher.h)
	{
		table_of "${files[@]}"
		! is_reader "$1" || table_of src/reader.h | grep "^[$(letters_of "$1" | tr -d :)] "
	} | sort
}

# Options of tables of C.
table_of() {
	cat "$@" | sed -nE "s/.*\{ *\"([a-z-]+)\", (no|required)_argument, NULL, '(.)' *\}.*/\3 \1 \2/p" |
		sed -e 's/ required$/ value/' -e 's/ no$/ -/'
}

# Letters as a program of C gives them to getopt_long.
letters_of() {
	grep -oE '(getopt_long|reader_options?)\(.*argc, argv, "[^"]*"' "src/$1.c" | cut -d '"' -f 2
}

# A program takes those of the options of reader.h whose letters it names.
is_reader() {
	! is_shell "$1" && grep -q '^#include "reader.h"' "src/$1.c"
}

# A program of shell has its options in a table.
is_shell() {
	[ -e "src/$1.sh" ]
}

shell_options() {
	sed -n "/^options='$/,/^'$/p" "src/$1.sh" | sed -e 1d -e '$d' | sort
}

# The options that pushers share are in a header and a page of their own.
is_pusher() {
	! is_shell "$1" && grep -q '^#include "pusher.h"' "src/$1.c"
}

pages_of() {
	echo "man/$1.1"
	! is_pusher "$1" || echo man/og-push.7
}

common_options() {
	grep -v -e '^h help -$' -e '^V version -$'
}

# What -h prints before and behind the empty line.
usage_of() {
	"$1" -h | sed '/^$/,$d'
}

lines_of() {
	"$1" -h | sed '1,/^$/d'
}

@test "-h and --help print the usage, which is the SYNOPSIS" {
	for program in "${programs[@]}"; do
		for option in -h --help; do
			run -0 --separate-stderr "$program" "$option"
			[ -z "$stderr" ]
			[ "$(sed '/^$/,$d' <<<"$output" | squeeze)" = "usage: $(synopsis "$program")" ] || {
				echo "$program: $output"
				echo "page: $(synopsis "$program")"
				return 1
			}
		done
	done
}

@test "-h tells each option in a line or two of 80 columns, as the page does" {
	for program in "${programs[@]}"; do
		[ -n "$(lines_of "$program")" ] || {
			echo "$program: -h has no options; usage() prints what help.h has for it"
			return 1
		}
		diff <(lines_of "$program" | sed -nE 's/^  -([A-Za-z]), --([a-z0-9-]+)( [^ ]+)?  +[^ ].*/\1 \2 \3/p' | awk '{ print $1, $2, (NF > 2 ? "value" : "-") }' | sort) \
			<(source_options "$program") || {
			echo "$program: < -h, > program"
			return 1
		}
		lines_of "$program" | awk -v program="$program" '
			length > 80 || (!/^  -[A-Za-z], --/ && !/^            /) { print program ": " $0; bad = 1 }
			END { exit bad }'
		[ "$(lines_of "$program" | wc -l)" -le $((2 * $(source_options "$program" | wc -l))) ]
		# The words are the page's, as a reader sees it.
		page=$(pages_of "$program" | xargs -n 1 mandoc -T ascii -O width=500 | sed 's/.\x08//g' | squeeze | tr -d "\`'\"")
		while read -r words; do
			[[ $page = *" $words"* ]] || {
				echo "$program: not on its page: $words"
				return 1
			}
		done < <(lines_of "$program" | grep -v -e --help -e --version | sed -nE "s/^  -., --[a-z0-9-]+( [^ ]+)?  +//p" | tr -d "\`'\"")
	done
}

@test "an unknown option is a usage error: status 2, usage on stderr" {
	for program in "${programs[@]}"; do
		for option in -@ --no-such-option; do
			run -2 --separate-stderr "$program" "$option" </dev/null
			[ -z "$output" ]
			[[ $stderr = *"usage: $program"* ]]
			# The short text alone.
			[[ $stderr != *$'\n\n'* ]]
		done
	done
}

# ESC stands in no answer to a terminal, whoever asks for colours.
@test "nothing is coloured on a terminal" {
	for program in "${programs[@]}"; do
		for option in -h -@; do
			for colour in CLICOLOR_FORCE=1 NO_COLOR=1; do
				run script -qec "env TERM=xterm-256color $colour $program $option" /dev/null
				[[ $output = *"usage: $program"* ]]
				[[ $output != *$'\e'* ]]
			done
		done
	done
}

@test "-V and --version print name and version" {
	for program in "${programs[@]}"; do
		for option in -V --version; do
			run -0 --separate-stderr "$program" "$option"
			[ -z "$stderr" ]
			[[ $output =~ ^"$program "[0-9]+\.[0-9]+$ ]]
		done
	done
}

@test "page and program list the same options" {
	for program in "${programs[@]}"; do
		source_options "$program" | grep -q '^h help -$'
		source_options "$program" | grep -q '^V version -$'
		diff <(pages_of "$program" | while read -r page; do page_options "$page"; done | sort | common_options) <(source_options "$program" | common_options) || {
			echo "$program: < page, > program"
			return 1
		}
	done
}

@test "each option has a letter, a long name and a place in the usage" {
	for program in "${programs[@]}"; do
		if is_shell "$program"; then
			letters=$(shell_options "$program" | awk '{ printf "%s%s", $1, $3 == "value" ? ":" : "" }')
		else
			letters=$(letters_of "$program")
		fi
		! is_pusher "$program" || letters+=$(sed -n 's/^#define PUSHER_LETTERS "\(.*\)"/\1/p' src/pusher.h)
		listed=$(source_options "$program" | awk '{ printf "%s%s", $1, $3 == "value" ? ":" : "" }')
		[ "$(fold -w 1 <<<"${letters//:/}" | sort)" = "$(source_options "$program" | cut -c 1)" ]
		[ "${#letters}" -eq "${#listed}" ]
		# -a, or a letter among -abc; a value's name never follows a "-".
		used=$(usage_of "$program" | grep -oE '(^|[][ |])-[A-Za-z]+' | tr -dc 'A-Za-z\n' | fold -w 1 | sort -u)
		diff <(source_options "$program" | common_options | cut -c 1 | sort -u) <(grep -vx '[hV]' <<<"$used") || {
			echo "$program: < program, > usage"
			return 1
		}
	done
}

@test "long names are taken" {
	for program in "${programs[@]}"; do
		while read -r _ long value; do
			if [ "$value" = value ]; then
				run --separate-stderr "$program" "--$long"
				[ "$status" -eq 2 ]
				[[ $stderr = *"requires an argument"* ]]
			else
				run --separate-stderr "$program" "--$long=x"
				[ "$status" -eq 2 ]
				[[ $stderr = *"doesn't allow an argument"* ]]
			fi
		done < <(source_options "$program")
	done
}

# Shards are of time; a filter of records takes what comes, and there -k is a key of the record. Files have no rate, but rows.
@test "a letter of og(7) means the same in every program" {
	[ "$(page_options man/og.7 | wc -l)" -ge 10 ]
	for program in "${programs[@]}"; do
		while read -r letter long value; do
			[ "$letter $long" != "k key" ] && [ "$letter $long" != "r rows" ] || continue
			meant=$(page_options man/og.7 | sed -n "s/^$letter //p")
			[ -z "$meant" ] || [ "$meant" = "$long $value" ] || {
				echo "$program: -$letter is --$long $value, in og(7) --$meant"
				return 1
			}
		done < <(source_options "$program")
	done
}
