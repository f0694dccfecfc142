# For tests of programs that read a world or what came of it, behind `load common`.
# shellcheck shell=bash
# shellcheck disable=SC2154 # status, output and stderr come from run

# refused STATUS MESSAGE COMMAND...: nothing on standard output, and one message, which begins so.
refused() {
	local want=$1 message=$2

	shift 2
	run --separate-stderr "$@"
	if [ "$status" -ne "$want" ] || [ -n "$output" ] || [ "${stderr#"$message"}" = "$stderr" ]; then
		printf '%s\nstatus %d, want %d\nstdout %.200s\nstderr %s\nwant   %s\n' "$*" "$status" "$want" "$output" "$stderr" "$message"
		return 1
	fi
}

# goldens DAYS REQUESTS COMMAND: small worlds whose every byte is known. The test's golden() has lines of CATALOG LAYOUT FORMAT SUM; COMMAND
# makes what has the sum of the world `small`, with $catalog, $layout and $format.
# When a change is meant, say so in NEWS.md and put in the sums that the failing test prints.
goldens() {
	local days=$1 requests=$2 command=$3 catalog layout format sum got begin end wrong=0

	while read -r catalog layout format sum; do
		catalog=$OG_ROOT/$catalog
		begin=$(sed -n $'s/^begin\t//p' "$catalog/settings.tsv")
		end=$(date -u -d "$begin + $days days" +%F)
		og-entities -c "$catalog" -n "$requests" -s 3 -b "$begin" -e "$end" | og-incidents -c "$catalog" >small
		got=$("$command" | md5sum)
		echo "${catalog#"$OG_ROOT/"} $layout $format ${got%% *}"
		[ "${got%% *}" = "$sum" ] || wrong=1
	done < <(golden)
	[ "$wrong" -eq 0 ]
}

# unwritten COMMAND: a full disk and a closed standard output are told, also to who asks for -h and -V.
unwritten() {
	local program=${1%% *} option

	run -1 --separate-stderr bash -c "$1 >/dev/full"
	[ "$stderr" = "$program: <stdout>: No space left on device" ]
	run -1 --separate-stderr bash -c "$1 >&-"
	[ "$stderr" = "$program: <stdout>: Bad file descriptor" ]
	for option in -h -V; do
		run -1 --separate-stderr bash -c "$program $option >/dev/full"
		[ "$stderr" = "$program: <stdout>: No space left on device" ]
	done
}

# unread STATUS COMMAND: so is a standard input that is closed or a folder.
unread() {
	local program=${2%% *}

	run "-$1" --separate-stderr bash -c "$2 <&-"
	[ "$stderr" = "$program: <stdin>: Bad file descriptor" ]
	run "-$1" --separate-stderr bash -c "$2 <."
	[ "$stderr" = "$program: <stdin>: Is a directory" ]
}
