# og-dataset killed at 50 random moments, alone or with all it started, ends with the bytes of a run that nobody disturbed.
bats_require_minimum_version 1.5.0

load ../common

options=(-c social -s 3 -b 2025-12-01 -e 2025-12-08 -n 9000 -u 500 -t -j 3 -z zstd -A)

sums() {
	(cd "$1" && find . -path ./.og-dataset -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
}

@test "50 kills at random moments" {
	cd "$BATS_TEST_TMPDIR"
	RANDOM=${OG_SEED:-$((BASHPID % 32768))}
	echo "# OG_SEED=$RANDOM"
	began=$(date +%s%N)
	og-dataset "${options[@]}" -o calm
	took=$((($(date +%s%N) - began) / 1000000))
	sums calm >want
	kills=0 ends=0
	while [ "$kills" -lt 50 ]; do
		setsid og-dataset "${options[@]}" -o killed 2>/dev/null &
		leader=$!
		# Later and later in the work that is left, for what is done is not done again.
		sleep "$(awk -v ms="$((took * RANDOM / 32768 + 20))" 'BEGIN { print ms / 1000 }')"
		if ! kill -0 "$leader" 2>/dev/null; then
			wait "$leader" || true
			ends=$((ends + 1))
			sums killed | cmp - want
			rm -rf killed
			continue
		fi
		case $((RANDOM % 3)) in
		0) kill -KILL "$leader" ;;                # what it started goes on
		1) kill -KILL -- "-$leader" ;;            # with all in its own group
		2) pkill -KILL -s "$leader" || true ;;    # everything
		esac 2>/dev/null || true
		wait "$leader" 2>/dev/null || true
		kills=$((kills + 1))
		# What has its name is whole, at any time.
		for file in killed/*; do
			[ ! -f "$file" ] || [ "$(sha256sum <"$file")" = "$(sha256sum <"calm/${file#killed/}")" ]
		done
	done
	og-dataset "${options[@]}" -o killed
	sums killed | cmp - want
	[ -z "$(find killed/.og-dataset -name tmp -o -name parts)" ]
}
