#!/bin/sh
#
# Make from the pages what -h says below the usage, and completion for bash. Both go to standard output.
#
#	help.sh header PROGRAM...              HELP_OG_EVENTS and the like, for C
#	help.sh text PROGRAM                   the same lines as text
#	help.sh completion SHARE PROGRAM...    SHARE is the folder of catalogs
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.."

usage() {
	sed -n 's/^#	//p' src/help.sh >&2
	exit 2
}

# A program's options, as src/help.awk has them. Pages need not list those that all programs have.
options() {
	pages=man/$1.1
	! grep -qs '^#include "pusher.h"' "src/$1.c" || pages="$pages man/og-push.7"
	for page in $pages; do
		awk -f src/help.awk "$page"
	done >"$tmp"
	{
		grep -v -e '^h	' -e '^V	' "$tmp"
		printf 'h\thelp\t\tPrint this and exit\t\nV\tversion\t\tPrint the version and exit\t\n'
	} | sort -f
}

# A line an option, of at most 80 columns. Long words end at a comma or colon, if what is before it says enough; if not, they go on below.
text() {
	options "$1" | awk -F '\t' '
	{
		left[NR] = "  -" $1 ", --" $2 ($3 == "" ? "" : " " $3)
		words[NR] = $4
		if (length(left[NR]) > wide)
			wide = length(left[NR])
	}
	function shorten(s, most,	cut) {
		if (length(s) <= most)
			return s
		for (cut = most; cut > most / 2; cut--)
			if (substr(s, cut) ~ /^[,:] /)
				return substr(s, 1, cut - 1)
		return s
	}
	END {
		for (i = 1; i <= NR; i++) {
			line = sprintf("%-*s  ", wide, left[i])
			n = split(shorten(words[i], 78 - wide), word, " ")
			for (j = 1; j <= n; j++) {
				if (j > 1 && length(line) + 1 + length(word[j]) > 80) {
					print line
					line = sprintf("%*s  ", wide, "")
				}
				line = line (line ~ /  $/ ? "" : " ") word[j]
			}
			print line
		}
	}'
}

header() {
	echo '/* Made by src/help.sh from the pages. */'
	for program; do
		printf '#define HELP_%s "\\n"' "$(echo "$program" | tr 'a-z-' 'A-Z_')"
		text "$program" | sed 's/[\\"]/\\&/g' | awk '{ printf " \\\n\t\"%s\\n\"", $0 }'
		echo
	done
}

completion() {
	sed "s|@SHARE@|$1|g" src/completion.bash
	shift
	for program; do
		options "$program" | awk -F '\t' -v program="$program" '
		{
			list = list " " $1 ":" $2 ":" $3
			if ($5 != "")
				print "_og_values[\"" program " " $1 "\"]=\"" $5 "\""
		}
		END { print "_og_options[" program "]=\"" substr(list, 2) "\"" }'
	done
	echo "complete -F _og $*"
}

tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
case $#:${1-} in
2:text) text "$2" ;;
[1-9]*:header | [3-9]*:completion | [1-9][0-9]*:completion)
	what=$1
	shift
	"$what" "$@"
	;;
*) usage ;;
esac
