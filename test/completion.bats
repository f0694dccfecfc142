# Completion in bash: of every option of every program, and of values that are known.
bats_require_minimum_version 1.5.0

load common

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	# Where nothing else is known of completion; read by a function, as the package bash-completion does it.
	cat >ask <<-END
		load() { . "$OG_ROOT/build/og.bash"; }
		load
		COMP_WORDS=("\$@") COMP_CWORD=\$((\$# - 1))
		[[ \$(complete -p "\$1") = *" -F _og "* ]] || exit 1
		_og "\$1" "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD - 1]}"
		[ "\${#COMPREPLY[@]}" -eq 0 ] || printf '%s\n' "\${COMPREPLY[@]}"
	END
}

# WORD...: what may stand for the last one, in one line.
ask() {
	bash --norc ask "$@" | sort | paste -s -d ' '
}

@test "each program completes its options, and those alone" {
	for program in "$OG_ROOT"/bin/og-*; do
		name=${program##*/}
		diff <(bash --norc ask "$name" - | sort) <("$program" -h | sed -nE 's/^  (-.), (--[a-z0-9-]+).*/\1\n\2/p' | sort) || {
			echo "$name: < completed, > -h"
			return 1
		}
		[ "$(ask "$name" --vers)" = --version ]
	done
}

@test "catalogs by name, or folders by path" {
	catalogs=$(cd "$OG_SHARE" && for file in */services.tsv; do dirname "$file"; done | paste -s -d ' ')
	[ "$(ask og-entities -c '')" = "$catalogs" ]
	[ "$(ask og-entities --catalog = so)" = social ]
	[ "$(ask og-entities --catalog =)" = "$catalogs" ]
	[ "$(ask og-events -vc sh)" = shop ]
	mkdir -p mine/services others
	[ "$(ask og-entities -c ./)" = "./mine ./others" ]
}

@test "formats, forms and inlets, as the page has them" {
	[ "$(ask og-events -f '')" = "csv json tsv" ]
	[ "$(ask og-spans --format = c)" = csv ]
	[ "$(ask og-vlpush -I '')" = "jsonline loki" ]
	[ "$(ask og-chpush -z g)" = gzip ]
	[ "$(ask og-dataset -z '')" = "gzip none zstd" ]
}

@test "layouts: of the catalog that is named, or of the world's" {
	[[ " $(ask og-events -l '') " = *" blind "*" log "*" wide "* ]]
	[ "$(ask og-events -c "$OG_SHARE/shop" -l s)" = "$(awk -F '\t' '$2 == "span" && $1 ~ /^s/ { print $1 }' "$OG_SHARE/shop/layouts.tsv" | sort -u | paste -s -d ' ')" ]
	mkdir -p share/own share/default
	printf 'layout\trecord\tfield\tvalue\twhen\nzebra\tspan\ta\tb\t\nzinc\tsample\ta\tb\t\n' >share/own/layouts.tsv
	echo '{"kind":"world","catalog":"own"}' >world
	[ "$(OG_SHARE=$PWD/share ask og-spans -w world -l z)" = zebra ]
	[ "$(OG_SHARE=$PWD/share ask og-spans --world = world -l z)" = zebra ]
	[ "$(OG_SHARE=$PWD/share ask og-spans -c social -l z)" = "" ]
}

@test "files where files are meant, also with blanks in their names; nothing where there is nothing to know" {
	mkdir run
	cd run || return 1
	cp ../ask .
	touch "a world.ndjson" wb
	[ "$(bash --norc ask og-events -w 'a ')" = "a world.ndjson" ]
	[ "$(ask og-vlpush -D w)" = wb ]
	[ "$(ask og-chpush --journal = w)" = wb ]
	[ "$(ask og-tags w)" = wb ]
	[ "$(ask og-events -n '')" = "" ]
}
