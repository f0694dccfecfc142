# bash completion for the programs of og. The tables at the end are made from their pages by src/help.awk.
# shellcheck shell=bash

# Options of a program, "letter:long:argument" with blanks between; values of one of its options that its page names. A function may read this
# file, so they are declared for all.
declare -gA _og_options _og_values

# The catalogs that can be named.
_og_catalogs() {
	local file

	for file in "${OG_SHARE:-/nowhere}"/*/services.tsv @SHARE@/*/services.tsv; do
		[ ! -e "$file" ] || basename "${file%/*}"
	done
}

# The catalog that the command line names, or that of its world; none: all.
_og_catalog() {
	local i word catalog=

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i + 1]}
		[ "$word" != = ] || word=${COMP_WORDS[i + 2]}
		case ${COMP_WORDS[i]} in
		-c | --catalog) catalog=$word ;;
		-w | --world) [ -n "$catalog" ] || catalog=$(sed -n '1s/.*"catalog":"\([^"]*\)".*/\1/p' "$word" 2>/dev/null) ;;
		esac
	done
	echo "${catalog:-*}"
}

# Layouts of records that a program writes or reads.
_og_layouts() {
	local records='span|event' catalog file
	local -a files

	case $1 in
	og-logs) records=log ;;
	og-tickets) records=ticket ;;
	og-alarms) records=incident ;;
	og-series) records='series:.*' ;;
	og-metrics) records='span|event|aggregate' ;;
	esac
	catalog=$(_og_catalog)
	case $catalog in
	*/*) files=("$catalog/layouts.tsv") ;;
	*)
		# shellcheck disable=SC2206 # a pattern when all catalogs are meant
		files=("${OG_SHARE:-/nowhere}"/$catalog/layouts.tsv @SHARE@/$catalog/layouts.tsv)
		;;
	esac
	for file in "${files[@]}" "${OG_SHARE:-/nowhere}/default/layouts.tsv" @SHARE@/default/layouts.tsv; do
		[ ! -e "$file" ] || awk -F '\t' -v records="^($records)\$" '!/^#/ && $2 ~ records { print $1 }' "$file"
	done
}

# PROGRAM OPTION: "letter argument" of an option as it was typed; nothing for one without an argument.
_og_option() {
	local entry letter long argument typed=$2

	case $typed in
	--*) ;;
	-*) typed=-${typed: -1} ;;
	*) return ;;
	esac
	for entry in ${_og_options[$1]}; do
		IFS=: read -r letter long argument <<<"$entry"
		if [ -n "$argument" ] && { [ "$typed" = "-$letter" ] || [ "$typed" = "--$long" ]; }; then
			echo "$letter $argument"
			return
		fi
	done
}

# Words that begin as the last one does.
_og_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur" | sort -u)
}

_og_files() {
	mapfile -t COMPREPLY < <(compgen "${1:--f}" -- "$cur")
	compopt -o filenames 2>/dev/null
}

_og_value() {
	local letter=$2 argument=$3

	case $argument in
	catalog) if [[ $cur = */* ]]; then _og_files -d; else _og_words "$(_og_catalogs)"; fi ;;
	layout) _og_words "${_og_values[$1 $letter]} $(_og_layouts "$1")" ;;
	output | folder) _og_files -d ;;
	file | world | journal | summary | answers | truth) _og_files ;;
	*) [ -z "${_og_values[$1 $letter]}" ] || _og_words "${_og_values[$1 $letter]}" ;;
	esac
}

_og() {
	local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} program=${1##*/} letter argument entry words=

	# "=" is a word of its own.
	if [ "$cur" = = ]; then
		cur=
	elif [ "$option" = = ] && [ "$COMP_CWORD" -gt 2 ]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	COMPREPLY=()
	read -r letter argument < <(_og_option "$program" "$option")
	if [ -n "$letter" ]; then
		_og_value "$program" "$letter" "$argument"
		return
	fi
	case $cur in
	-*)
		for entry in ${_og_options[$program]}; do
			IFS=: read -r letter entry argument <<<"$entry"
			words+=" -$letter --$entry"
		done
		_og_words "$words"
		;;
	*) _og_files ;;
	esac
}

