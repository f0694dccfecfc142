# What the tests of the laws share: worlds in which much goes wrong, and trees by their trace_id.
# shellcheck shell=bash

COST=$OG_ROOT/build/test/tools/cost
export COST

# Catalogs of the same names, in which incidents and rollouts are a hundred times as many; for the rest of the file.
troubled() {
	local share=$BATS_FILE_TMPDIR/share

	mkdir -p "$share"
	cp -r "$OG_SHARE"/* "$share"
	cp -r "$OG_ROOT/test/catalogs/orders" "$OG_ROOT/test/catalogs/cables" "$share"
	sed -i $'s/\t2\\.\\.8\t/\t300..600\t/' "$share/social/incidents.tsv"
	sed -i -e $'s/\t35\t/\t300..400\t/' -e $'s/\t5=0.7,15=0.3\t/\t300..400\t/' "$share/social/entities.tsv"
	grep -q $'\t300..600\t' "$share/social/incidents.tsv"
	[ "$(grep -c $'\t300\.\.400\t' "$share/social/entities.tsv")" -eq 2 ]
	OG_SHARE=$share
	export OG_SHARE
}

# A seed nobody has chosen; OG_SEED repeats a run.
seed() {
	local s=${OG_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}

	echo "seed $s: OG_SEED=$s repeats it" >&2
	echo "$s"
}

# world CATALOG SEED REQUESTS DAYS [OPTION...]: with the incidents of the catalog.
world() {
	local catalog=$1 seed=$2 requests=$3 days=$4 begin

	shift 4
	begin=$(sed -n $'s/^begin\t//p' "$OG_SHARE/$catalog/settings.tsv")
	og-entities -c "$catalog" -s "$seed" -n "$requests" -b "$begin" -e "$(later "$begin" "$days")" "$@" | og-incidents
}

# later DATE DAYS
later() {
	date -u -d "$1 + $2 days" +%Y-%m-%d
}

# field NAME: that of each record; for texts and numbers. Slow.
field() {
	sed -nE "s/.*\"$1\":\"?([^\",}]*).*/\\1/p"
}

# traces: trace_id of each record of a request, each once.
traces() {
	awk -F'"' '$20 !~ /^deployment_/ && $42 != last { print last = $42 }' | sort -u
}

# changed A B: trace_id of each tree that is another in B, or only in one of them.
changed() {
	# The records of one tree stand together; two 31-bit sums of its text stand for it.
	awk -F'"' '
	BEGIN { for (i = 1; i < 256; i++) ord[sprintf("%c", i)] = i }
	$20 ~ /^deployment_/ { next }
	{
		id = $42
		seen[id] = 1
		text[FILENAME, id] = text[FILENAME, id] $0 "\n"
	}
	END {
		for (id in seen)
			if (text[ARGV[1], id] != text[ARGV[2], id])
				print id
	}' "$1" "$2" | sort
}

# touched SPANS START END PLACES SERVICES: trace_id of each tree that began in [START, END) and has a span at one of the services in one of the places;
# lists are separated by blanks, none is any.
touched() {
	awk -F'"' -v start="$2" -v end="$3" -v places="$4" -v services="$5" '
	# Times of one length compare as text does.
	function moment(t) {
		if (t !~ /[.]/)
			sub(/Z$/, ".000000Z", t)
		return t
	}
	BEGIN {
		start = moment(start)
		end = moment(end)
		np = split(places, place, " ")
		n = split(services, list, " ")
		for (i = 1; i <= n; i++)
			service[list[i]] = 1
	}
	$20 ~ /^deployment_/ { next }
	$42 != id { id = $42; in_time = $4 >= start && $4 < end; told = 0 }
	!in_time || told || !(($16 ":" $12) in service) { next }
	{
		here = np == 0
		for (i = 1; i <= np; i++)
			here = here || index($38, place[i] ":") == 1
		if (here) {
			print id
			told = 1
		}
	}' "$1" | sort
}

# take_out KIND ID: w and s are a world and its spans; without the incident or rollout only trees that it touched may be others, and all that it
# decided must be. Leaves the lists `changed`, `touched` and the spans `without.s`.
# shellcheck disable=SC2094 # files have the names of what makes them
take_out() {
	local start end places services

	grep -v "\"kind\":\"$1\",\"id\":\"$2\"" w >without
	[ "$(wc -l <without)" -eq "$(($(wc -l <w) - 1))" ]
	og-events -w without | og-spans -w without >without.s
	read -r start end < <(jq -r "select(.kind == \"$1\" and .id == \"$2\") | .start + \" \" + .end" w)
	places=$(jq -r "select(.kind == \"$1\" and .id == \"$2\") | (.places // [.place // empty]) | join(\" \")" w)
	services=$(jq -r "select(.kind == \"$1\" and .id == \"$2\") | (.services // [.service]) | join(\" \")" w)
	changed s without.s >changed
	sort -u <(touched s "$start" "$end" "$places" "$services") <(touched without.s "$start" "$end" "$places" "$services") >touched
	echo "$1 $2: $(wc -l <touched) touched, $(wc -l <changed) changed"
	[ -z "$(comm -23 changed touched)" ] || return 1
	[ -z "$(grep "\"cause\":\"$2\"" s | traces | comm -23 - changed)" ] || return 1
	! grep -q "\"$2\"" without.s
}

# held_back SERVICE: nobody is missing in without.s, and those that came back are roots of this service.
held_back() {
	traces <s >before
	traces <without.s >after
	comm -13 before after >back
	[ -z "$(comm -23 before after)" ] || return 1
	grep '"parent_span_id":null' without.s | grep -F -f back >roots || true
	[ "$(grep -c "\"service\":\"${1#*:}\",\"stack\":\"${1%:*}\"" roots || true)" -eq "$(wc -l <back)" ]
}
