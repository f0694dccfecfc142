#!/bin/sh
#
# What can be held without running a program: format, analysers, manual pages, and the rules of CONTRIBUTING.md. Prints TAP.
# It reads objects in build/, so make comes first.
#
# shellcheck disable=SC2317 # check() is given the names of functions
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.." || exit 1

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
number=0 failed=0

# A check passes when the function of that name says nothing.
check() {
	number=$((number + 1))
	if "$1" >"$tmp/said" 2>&1 && [ ! -s "$tmp/said" ]; then
		echo "ok $number - $2"
	else
		failed=1
		sed -e 's/^/# /' -e 200q "$tmp/said"
		echo "not ok $number - $2"
	fi
}

# Our files, and what make builds not among them; tests of find(1) may choose.
files() {
	find . \( -path ./.git -o -path ./build -o -path ./bin -o -path ./out \) -prune -o -type f "$@" -print
}

c_files() {
	find src lib test/lib test/fuzz test/tools -name '*.[ch]' | sort
}

c_format() {
	c_files | xargs clang-format --dry-run -Werror
	c_files | while read -r file; do
		# It breaks neither comments nor strings.
		expand "$file" | awk -v file="$file" 'length > 140 && !/".*"/ { print file ":" NR ": more than 140 columns" }'
	done
}

# shellcheck disable=SC2046,SC2086 # words
c_cppcheck() {
	cppcheck -q --std=c11 --enable=warning,style,performance,portability --inline-suppr --error-exitcode=1 -j 2 -Ilib -Ibuild \
		--library=posix,bsd,gnu --suppress=missingIncludeSystem --suppress=unusedStructMember --suppress=variableScope \
		--suppress=redundantContinue --suppress=shadowFunction --suppress=readdirCalled \
		-D_GNU_SOURCE -DOG_SHARE_DIR='""' -DOG_VERSION='""' $(c_files)
}

# build/flags holds the compiler and, a line each, what it is given.
c_tidy() {
	# shellcheck disable=SC2016 # for the inner shell
	c_files | grep '\.c$' | xargs -P 2 -n 1 sh -c 'sed 1d build/flags | xargs -d "\n" clang-tidy --quiet "$0" --' 2>&1 |
		grep -vE '^[0-9]+ warnings? (and [0-9]+ errors? )?generated\.$'
	true
}

scripts() {
	for file in $(files ! -name '*.bats'); do
		case $(head -n 1 "$file" | tr -d '\0') in
		'#!'*sh | '#!'*bats) echo "$file" ;;
		esac
	done | xargs shellcheck -x
	# bats assigns what 2154 misses: status, output, stderr and their lines.
	files -name '*.bats' | xargs -r shellcheck -s bats -x -e SC2154
	shellcheck -s bash test/common.bash test/reader.bash src/completion.bash
}

# References to our own pages are looked up; others are not on every machine.
man_mandoc() {
	mkdir "$tmp/man" "$tmp/man/man1" "$tmp/man/man5" "$tmp/man/man7"
	for page in man/*.[157]; do
		cp "$page" "$tmp/man/man${page##*.}/"
	done
	makewhatis "$tmp/man"
	MANPATH="$tmp/man" mandoc -T lint -W style man/*.[157] | grep -vE 'referenced manual not found: Xr ([^o]|o[^g])|longer than 80 bytes'
	true
}

man_groff() {
	for page in man/*.[157]; do
		groff -mdoc -ww -Tutf8 -z "$page"
	done
}

# A file's module is its name up to the first "_".
module_of() {
	part=$(basename "${1%.*}")
	echo "${part%%_*}"
}

companions() {
	for file in src/og-*; do
		name=$(basename "${file%.*}")
		[ -f "man/$name.1" ] || echo "$file: no man/$name.1"
		[ -f "test/$name.bats" ] || echo "$file: no test/$name.bats"
	done
	for file in man/og-*.1; do
		name=$(basename "$file" .1)
		[ -n "$(find src -name "$name.*")" ] || echo "$file: no such program"
	done
	for file in lib/*.c; do
		name=$(module_of "$file")
		[ -f "lib/$name.h" ] || echo "$file: no lib/$name.h"
		[ -f "test/lib/$name.c" ] || [ -f "test/$name.bats" ] || echo "$file: no test/lib/$name.c"
	done
}

# In a table of tabs, one at the end is an empty cell.
blanks() {
	files ! -name '*.tsv' ! -path './test/fuzz/*/*' | xargs grep -nIE '[[:blank:]]+$'
	files -size +0 ! -path './test/fuzz/*/*' | while read -r file; do
		[ -z "$(tail -c 1 "$file")" ] || echo "$file: no newline at the end"
	done
}

# NAME: the undefined symbols of objects "FILE symbol".
symbols() {
	for object in "$@"; do
		nm -u "$object" | awk -v object="$object" 'NF { print object, $NF }'
	done
}

# Unbounded writes, silent conversions, private state, the locale; and what libm rounds in its own way.
banned_everywhere='v?sprintf|strcpy|stpcpy|strcat|gets|s?rand|s?random|[del]rand48|atoi|atoll?|atof|strto(d|f|ld)|(__isoc.*_)?v?f?s?scanf|setlocale|
strtok|localtime|gmtime|mktime|ctime|asctime|tmpnam|tempnam|mktemp|system|popen|alloca|exp[2m1]*|log|log2|log10|log1p|pow|sin|cos|tan|atan2?|sinh|cosh|tanh|cbrt|
erfc?|[lt]gamma|hypot|fma'
# A library that prints or ends the program takes the decision from its caller.
banned_in_lib='v?f?d?printf|f?put(s|c|char)|putchar|perror|_?exit|abort|__assert_fail|v?errx?|v?errc|v?warnx?|v?warnc'
# Data depends neither on the clock nor on chance; what talks to servers may wait for them.
banned_in_data='time|clock|clock_gettime|gettimeofday|clock_nanosleep|nanosleep|usleep|sleep|arc4random.*|getrandom|getentropy|getpid'
# Nobody sets a locale, so strtod() reads as C does, and it rounds to nearest on every machine.
excused='^build/lib/json[.]o strtod$'

banned() {
	everywhere=$(echo "$banned_everywhere" | tr -d '\n')
	symbols build/lib/*.o build/src/*.o | grep -E " ($everywhere)$" | grep -vE "$excused"
	symbols build/lib/*.o | grep -E " ($banned_in_lib)$"
	symbols build/lib/*.o build/src/*.o | grep -vE '^build/(lib/(push[a-z_]*|vl_load|vm_ask)|src/(og-(pace|[a-z]*push)|pusher))[.]o' | grep -E " ($banned_in_data)$"
	symbols build/lib/*.o build/src/*.o | grep -vE '^build/lib/(push[a-z_]*|pack)[.]o' | grep -E ' (curl_|ZSTD_|deflate)'
	true
}

# A list of the Makefile.
list_of() {
	sed -n "s/^$1 = //p" Makefile
}

order() {
	listed=$(sed -n 's/^[0-9]*\. \*\*\([a-z]*\)\*\*.*/\1/p' lib/README.md | tr '\n' ' ')
	made=$(list_of MODULES)
	[ "$listed" = "$made " ] || echo "lib/README.md lists $listed, the Makefile $made"
	for file in lib/*.c lib/*.h; do
		own=$(module_of "$file")
		padded=" $listed"
		case $padded in
		*" $own "*) before="${padded%%" $own "*} $own " ;;
		*)
			echo "$file: $own is not in lib/README.md"
			continue
			;;
		esac
		sed -n 's/^#include "\(.*\)"$/\1/p' "$file" | while read -r used; do
			case $before in
			*" $(module_of "$used") "*) ;;
			*) echo "$file: includes $used, which lib/README.md does not list before it" ;;
			esac
			case $used in
			*_*) [ "$(module_of "$used")" = "$own" ] || echo "$file: includes $used, which is not its own part" ;;
			esac
		done
	done
}

# LISTS FILE...: the Makefile's lists hold these files, and no others.
holds() {
	lists=$1
	shift
	want=$(for list in $lists; do list_of "$list"; done | tr ' ' '\n' | sort)
	have=$(for file; do basename "${file%.*}"; done | sort)
	[ "$want" = "$have" ] || {
		echo "Makefile: $lists"
		printf '%s\n' "$want" >"$tmp/want"
		printf '%s\n' "$have" | diff "$tmp/want" -
	}
}

lists() {
	holds "MODULES PARTS" lib/*.c
	holds PROGRAMS src/og-*.c
	holds SCRIPTS src/og-*.sh
	holds TESTS test/lib/*.c
	holds TOOLS test/tools/*.c
	holds FUZZERS test/fuzz/*.c
}

linked() {
	for program in src/og-*.c; do
		program=bin/$(basename "$program" .c)
		case $program in
		*push) ;;
		*-check) readelf -d "$program" | grep -E 'NEEDED.*(curl|pthread)' | sed "s|^|$program: |" ;;
		*) readelf -d "$program" | grep -E 'NEEDED.*(curl|zstd|pthread)' | sed "s|^|$program: |" ;;
		esac
	done
}

echo 1..12
check c_format "C as clang-format has it"
check c_cppcheck "cppcheck"
check c_tidy "clang-tidy"
check scripts "shellcheck"
check man_mandoc "manual pages: mandoc"
check man_groff "manual pages: groff"
check companions "a page and a test for each program and module"
check blanks "no blanks at the end of a line, a newline at the end of a file"
check banned "no banned function"
check order "modules use only those before them"
check lists "the lists of the Makefile"
check linked "only pushers link libcurl, only og-check compresses besides"
exit "$failed"
