# The inventory: tables of all things, in all formats, slices and sizes; broken ones are refused. test/lib/inventory.c has its laws.
# shellcheck disable=SC2016 # dollars are for awk, jq and an inner shell
bats_require_minimum_version 1.5.0

load common

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	og-entities -c social -z 0.02 -T small -f tsv
	depot depot
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

# The order desk with an inventory, as a folder.
depot() {
	local table
	cp -r "$OG_ROOT/test/catalogs/orders" "$1"
	cp "$OG_ROOT/test/catalogs/depot/entities.tsv" "$1"
	for table in ids lists layouts settings; do
		cat "$OG_ROOT/test/catalogs/depot/$table.tsv" >>"$1/$table.tsv"
	done
}

# og-entities with these arguments ends with status 2, nothing on stdout and this message.
refused() {
	local message=$1
	shift
	run -2 --separate-stderr og-entities "$@"
	[ -z "$output" ]
	[ "$stderr" = "og-entities: $message" ] || {
		echo "$stderr"
		return 1
	}
}

# Rows of a table of the folder, without its head.
rows() {
	sed 1,4d "${2:-small}"/[0-9][0-9]_"$1".txt
}

@test "every broken inventory is refused with its message" {
	local name table edit message want changed count=0 wrong=0

	while IFS=$'\t' read -r name table edit message; do
		rm -rf broken
		cp -r depot broken
		sed -i "$edit" "broken/$table.tsv"
		changed=$(cmp "depot/$table.tsv" "broken/$table.tsv" | sed 's/.* line //')
		[ -n "$changed" ]
		[ "${message:0:1}" != : ] || message=$table.tsv$message
		want="og-entities: ./broken/${message/:@:/:$changed:}"
		run --separate-stderr og-entities -c ./broken -t hall
		if [ "$status" -ne 2 ] || [ -n "$output" ] || [ "$stderr" != "$want" ]; then
			printf '%s: status %d\n  want %s\n  got  %s\n' "$name" "$status" "$want" "$stderr"
			wrong=$((wrong + 1))
		fi
		count=$((count + 1))
	done < <(sed '/^#/d; /^name\t/d' "$OG_ROOT/test/catalogs/bad/entities.tsv")
	[ "$count" -gt 50 ]
	[ "$wrong" -eq 0 ]
}

# leaning N [twice]: fields f1 to fN of `spare`, of which each looks at the one before, and shows it if it is to be twice.
leaning() {
	depot leaning
	printf 'spare\tentity\tf1\tx\t\n' >fields
	for ((i = 2; i <= $1; i++)); do
		if [ "${2-}" = twice ]; then
			printf 'spare\tentity\tf%d\ty\tf%d=y\nspare\tentity\tf%d\t{f%d}\t\n' "$i" $((i - 1)) "$i" $((i - 1))
		else
			printf 'spare\tentity\tf%d\tx\tf%d=x\n' "$i" $((i - 1))
		fi
	done >>fields
	sed -i '/^spare\tentity\tmodel_id/r fields' leaning/layouts.tsv
}

@test "what would take all of the stack or of the time is refused" {
	rm -rf leaning
	leaning 20
	run -0 og-entities -c ./leaning -t spare
	[[ ${lines[0]} = *'"f20":"x"'* ]]
	rm -rf leaning
	leaning 300
	refused './leaning/layouts.tsv: f34 of entity "spare" leans on too many conditions, one upon the other' -c ./leaning -t spare
	rm -rf leaning
	leaning 40 twice
	refused './leaning/layouts.tsv: f14 of entity "spare" leans on too many conditions, one upon the other' -c ./leaning -t spare
	# Names of lists.
	long=$(printf '%01100d' 0)
	for edit in 's|@crew/{hall.id}|@crew/{hall.long}|' 's|@load/{item}|@load/{hall.long}|'; do
		rm -rf leaning
		depot leaning
		sed -i "s|^hall\tentity\tid\t|hall\tentity\tlong\t$long\t\n&|" leaning/layouts.tsv
		sed -i "$edit" leaning/entities.tsv leaning/layouts.tsv
		run -2 --separate-stderr og-entities -c ./leaning -t hall
		[[ $stderr = "og-entities: ./leaning/"*".tsv:"*": the name of a list can be longer than 1023 bytes" ]]
	done
	# More terms than are looked at.
	rm -rf leaning
	depot leaning
	sed -i "s/hall & !crew/hall$(printf ' \\& hall%.0s' $(seq 16))/" leaning/entities.tsv
	refused './leaning/entities.tsv:15: match: more than 16' -c ./leaning -t hall
}

@test "the id of a thing may show what is under another field of it" {
	local order
	for order in right wrong; do
		rm -rf tools
		depot tools
		printf 'tool\tTools\t\t#\t20\t\t\nbox\tBoxes\ttool\t#\t2\t\t\n' >>tools/entities.tsv
		{
			printf 'tool\tentity\thall_id\t{ref:hall}\t\n'
			printf 'tool\tentity\tcrew\t{ref:crew/hall}\t\n'
		} >fields
		[ "$order" = right ] || sed -i 's/{ref:hall}/{ref:hall\/hall}/' fields
		cat fields - >>tools/layouts.tsv <<<$'tool\tentity\tn\t{item}\t\nbox\tentity\ttool\t{tool.id}\t\nbox\tentity\tn\t{item}\t'
		printf 'entity/tool\t{crew}#{n}\nentity/box\t{tool}:{n}\n' >>tools/ids.tsv
		[ "$order" = right ] || refused './tools/layouts.tsv: "tool" names what is under a field of its own or of a later row' -c ./tools -t tool
	done
	sed -i 's/{ref:hall\/hall}/{ref:hall}/' tools/layouts.tsv
	og-entities -c ./tools -t tool >tool.ndjson
	[ "$(jq -r 'select(.crew | startswith("\(.hall_id):") | not) | .n' tool.ndjson)" = "" ]
	[ "$(jq -r .hall_id tool.ndjson | sort -u | wc -l)" -eq 3 ]
	og-entities -c ./tools -t box | jq -r .tool | uniq | cmp - <(jq -r '"\(.crew)#\(.n)"' tool.ndjson)
}

@test "36 files, numbered and named as fixture files are" {
	[ "$(find small -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')" = "01_environments.txt 02_provider_types.txt 03_deployment_target_types.txt \
04_allocation_types.txt 05_repo_types.txt 06_languages.txt 07_providers.txt 08_regions.txt 09_zones.txt 10_partitions.txt 11_networks.txt \
12_subnets.txt 13_fleet_types.txt 14_deployment_targets.txt 15_fleets.txt 16_capacities.txt 17_repos.txt 18_applications.txt 19_stacks.txt \
20_services.txt 21_procs.txt 22_config_templates.txt 23_builds.txt 24_deployments.txt 25_deployment_procs.txt 26_releases.txt \
27_allocations.txt 28_build_artifacts.txt 29_release_artifacts.txt 30_deployment_configs.txt 31_service_configs.txt 32_stack_configs.txt \
33_services_repos.txt 34_deployments_zones.txt 35_subnets_fleets.txt 36_target_fleets.txt " ]
	run -0 head -n 4 small/04_allocation_types.txt
	[ "$output" = "# Allocation Types
# Format: id	unit
# Generated by og-entities, seed 42" ]
	[ -z "$(sed -n 4p small/04_allocation_types.txt)" ]
	[ "$(sed -n 5p small/04_allocation_types.txt)" = "cpu	cores" ]
}

@test "columns are those of the fixture files" {
	[ "$(sed -n 's/^# Format: //p' small/*.txt | tr '\t\n' ', ')" = "id id id id,unit id id environment_id,provider_type_id,native_id provider_id,name \
region_id,name,native_id region_id,name,native_id partition_id,name,cidr network_id,name,cidr,native_id provider_type_id,name \
partition_id,deployment_target_type_id,name deployment_target_id,fleet_type_id,name allocation_type_id,fleet_id,value repo_type_id,name,url \
id,defaults application_id,name,defaults stack_id,name,artifact_name,defaults service_id,name,defaults id,language_id,doc \
service_id,build_num,vcs_ref,defaults deployment_target_id,service_id,tag,defaults deployment_id,proc_id,defaults \
deployment_id,build_id,build_num,defaults deployment_proc_id,allocation_type_id,watermark,value,defaults \
build_id,input_repo_id,output_repo_id,name,upload_path,data release_id,input_repo_id,output_repo_id,name,upload_path,data \
deployment_id,config_template_id,name,tag,config,defaults service_id,config_template_id,name,tag,config,defaults \
stack_id,config_template_id,name,tag,config,defaults service_id,repo_id deployment_id,zone_id subnet_id,fleet_id deployment_target_id,fleet_id " ]
	# No row has more or fewer tabs than its head.
	run -0 awk -F '\t' 'FNR == 2 { n = NF } FNR > 4 && NF != n { print FILENAME; exit 1 }' small/*.txt
}

@test "a table by its name or the entity's is the file, alone or among all" {
	for pair in "release releases 26" "deployment_targets_fleets target_fleets 36" "allocation allocations 27" "environment environments 01"; do
		read -r entity table number <<<"$pair"
		og-entities -c social -z 0.02 -t "$entity" -f tsv | cmp - "small/${number}_$table.txt"
		og-entities -c social -z 0.02 -t "$table" -f tsv | cmp - "small/${number}_$table.txt"
	done
	og-entities -c social -z 0.02 -T again -f tsv
	diff -r small again
	og-entities --catalog social --factor 0.02 --folder again --format tsv
	diff -r small again
}

@test "slices one after the other are the table, in each format" {
	for format in csv tsv json jsonapi copy "json -A" "jsonapi -A"; do
		for table in fleets releases subnets_fleets applications; do
			# shellcheck disable=SC2086 # options
			og-entities -c social -z 0.02 -t "$table" -f $format >whole
			for n in 1 2 7; do
				for ((k = 1; k <= n; k++)); do
					# shellcheck disable=SC2086 # options
					og-entities -c social -z 0.02 -t "$table" -f $format -k "$k/$n" || return 1
				done | cmp - whole
			done
		done
	done
}

@test "formats say the same" {
	cat >same.py <<-'EOF'
		import csv, json, sys
		name = sys.argv[1]
		tsv = open(name + ".tsv", newline="").read().split("\n")
		columns = tsv[1][len("# Format: "):].split("\t")
		rows = [line.split("\t") for line in tsv[4:-1]]
		assert len(rows) > 1
		assert [columns] + rows == list(csv.reader(open(name + ".csv", newline="")))
		lines = [json.loads(line) for line in open(name + ".json")]
		assert [list(line) for line in lines] == [columns] * len(rows)
		text = lambda v: "" if v is None else str(v)
		assert [[text(v) for v in line.values()] for line in lines] == rows, name
		assert json.load(open(name + ".array")) == lines
		unescape = lambda v: "" if v == "\\N" else v.replace("\\\\", "\\")
		assert [[unescape(v) for v in line[:-1].split("\t")] for line in open(name + ".copy")] == rows
		documents = [json.loads(line) for line in open(name + ".jsonapi")]
		for line, document in zip(lines, documents):
		    assert list(document) == ["data"] and list(document["data"]) == ["type", "attributes"]
		    assert document["data"]["type"] == sys.argv[2]
		    aside = sys.argv[3:]
		    assert document["data"]["attributes"] == {k: v for k, v in line.items() if v is not None and k not in aside}
		assert json.load(open(name + ".documents")) == documents
	EOF
	while read -r catalog entity aside; do
		for format in tsv csv json copy jsonapi; do
			og-entities -c "$catalog" -t "$entity" -f "$format" >"$entity.$format"
		done
		og-entities -c "$catalog" -t "$entity" -A >"$entity.array"
		og-entities -c "$catalog" -t "$entity" -A -f jsonapi >"$entity.documents"
		# shellcheck disable=SC2086 # none, or one
		python3 same.py "$entity" "$entity" $aside
	done <<-'EOF'
		./depot model
		./depot crew
		./depot robot
		./depot mark note
		./depot spare
		social service artifact_name
		social build
		social build_artifact
		social zone
		social provider
	EOF
	grep -q '"build_num":[0-9]' build.jsonapi
	grep -q 'back\\\\slash' robot.copy
	grep -q '""one""' crew.csv
}

@test "a tenth is a tenth, and all of it is in the whole" {
	og-entities -c social -T all -f tsv
	og-entities -c social -z 0.1 -T tenth -f tsv
	total=$(cat all/*.txt | wc -l)
	part=$(cat tenth/*.txt | wc -l)
	[ "$total" -gt 5000000 ]
	[ $((part * 12)) -gt "$total" ] && [ $((part * 7)) -lt "$total" ]
	for file in 14_deployment_targets 24_deployments 36_target_fleets; do
		[ -z "$(comm -23 <(sort "tenth/$file.txt") <(sort "all/$file.txt"))" ]
	done
	rm -r all tenth
}

@test "the primary targets are always there" {
	for seed in 1 2 3; do
		for factor in 0.001 1; do
			og-entities -c social -s "$seed" -z "$factor" -t deployment -f copy | cut -f 1 | uniq | sort -u >targets
			[ -z "$(comm -23 <(grep -vE '^#|^place' "$OG_SHARE/social/places.tsv" | cut -f 1 | sort) targets)" ]
		done
	done
}

@test "every deployment has five releases or more, and each of a primary target may have more" {
	rows releases | cut -f 1 | uniq -c | awk '{ print $1 }' | sort -n | uniq -c >counts
	[ "$(awk 'NR == 1 { print $2 }' counts)" = 5 ]
	[ "$(tail -n 1 counts | awk '{ print $2 }')" -gt 20 ]
	[ "$(rows releases | cut -f 1 | sort -u | wc -l)" -eq "$(rows deployments | wc -l)" ]
}

@test "what one table gains changes no other, and in it adds or takes little" {
	mkdir more
	cp -r "$OG_SHARE/social" more
	sed -i -e 's/^partition	.*/&,lab/' -e 's/^proc	.*/&,shell/' -e 's/^subnet	.*/&,cache-az2/' more/social/lists.tsv
	og-entities -c ./more/social -z 0.02 -T grown -f tsv
	for table in 07_providers 08_regions 09_zones 20_services 23_builds 28_build_artifacts 31_service_configs 33_services_repos; do
		cmp <(sed 1,4d "small/$table.txt") <(sed 1,4d "grown/$table.txt")
	done
	# Of seven partitions, processes and subnets there are eight now: about one in eight draws goes to the new one; all others stay.
	for table in 10_partitions 21_procs; do
		lost=$(comm -23 <(sort "small/$table.txt") <(sort "grown/$table.txt") | wc -l)
		all=$(wc -l <"small/$table.txt")
		[ "$lost" -gt 0 ]
		[ $((lost * 6)) -lt "$all" ]
	done
	# Networks of partitions that are still there keep their addresses.
	join -t '	' <(rows networks | cut -f 1,2 --output-delimiter=: | paste - <(rows networks | cut -f 3) | sort) \
		<(rows networks grown | cut -f 1,2 --output-delimiter=: | paste - <(rows networks grown | cut -f 3) | sort) >both
	[ "$(wc -l <both)" -gt 5000 ]
	run -0 awk -F '\t' '$2 != $3 { print; exit 1 }' both
}

@test "a later end takes no row of a table, but where the last ones are asked for" {
	og-entities -c social -z 0.005 -e 2025-07-01 -f tsv -T sooner
	og-entities -c social -z 0.005 -e 2025-09-01 -f tsv -T later
	for file in sooner/*; do
		comm -23 <(sort "$file") <(sort "later/${file#*/}") >lost
		case $file in
		*_releases.txt | *_release_artifacts.txt)
			[ -s lost ]
			# Where there is traffic, all are taken.
			run ! grep -qFf <(grep -vE '^#|^place	' "$OG_SHARE/social/places.tsv" | cut -f 1) lost
			;;
		*) [ ! -s lost ] ;;
		esac
	done
	[ "$(wc -l <later/23_builds.txt)" -gt "$(wc -l <sooner/23_builds.txt)" ]
}

@test "the world is a view of the inventory" {
	og-entities -c social >world.ndjson
	jq -r 'select(.kind == "release") | [.deployment, .number, .id] | @tsv' world.ndjson | sort >world.releases
	[ "$(wc -l <world.releases)" -gt 2500 ]
	rows releases | awk -F '\t' '{ print $1 "\t" $3 "\t" $1 ":" $3 }' | sort >all.releases
	[ -z "$(comm -23 world.releases all.releases)" ]
	jq -r 'select(.kind == "deployment") | .id' world.ndjson | sort >world.deployments
	rows deployments | cut -f 1-3 --output-delimiter=: | sort >all.deployments
	[ -z "$(comm -23 world.deployments all.deployments)" ]
	# All releases of those deployments are in the world.
	cut -f 1 world.releases | sort -u | cmp - world.deployments
	[ "$(join -t '	' world.deployments all.releases | wc -l)" -eq "$(wc -l <world.releases)" ]
	# What traffic names is there, too.
	og-incidents <world.ndjson | og-events -n 3000 | jq -r .release_id | sort -u >seen
	[ "$(wc -l <seen)" -gt 100 ]
	[ -z "$(comm -23 seen <(cut -f 3 world.releases | sort))" ]
	jq -r 'select(.kind == "service") | "social:\(.id)"' world.ndjson | sort >world.services
	[ -z "$(comm -23 world.services <(rows services | cut -f 1,2 --output-delimiter=: | sort))" ]
}

@test "the schedule agrees with the releases and with the world" {
	og-entities -c social -z 0.02 -f schedule >schedule.json
	[ "$(jq -r 'keys_unsorted | join(" ")' schedule.json)" = "generated_at deployments primary_deployment_targets stack_region_groups" ]
	[ "$(jq -r .generated_at schedule.json)" = 2026-01-01T00:00:00 ]
	jq . schedule.json | cmp - schedule.json
	jq -r '.deployments | to_entries[] | .key as $d | .value.releases[] | [$d, .build_num, .release_id] | @tsv' schedule.json | sort |
		cmp - <(rows releases | awk -F '\t' '{ print $1 "\t" $3 "\t" $1 ":" $3 }' | sort)
	[ "$(jq '[.deployments[].releases | map(.created_at) == (map(.created_at) | sort)] | all' schedule.json)" = true ]
	[ "$(jq '[.deployments[].releases[] | .created_at < "2026-01-02T00:00:00" and .created_at > "2020-01-01T00:00:00"] | all' schedule.json)" = true ]
	jq -r '.primary_deployment_targets[]' schedule.json | cmp - <(grep -vE '^#|^place	' "$OG_SHARE/social/places.tsv" | cut -f 1)
	[ "$(jq -r '.stack_region_groups | length' schedule.json)" = 20 ]
	[ "$(jq -r '.stack_region_groups["social:user"].prod | join(" ")' schedule.json)" = \
		"prod:aws:111111111111:us-east-1:platform:eks:main prod:aws:111111111111:us-west-2:platform:eks:main" ]
	og-entities -c social | jq -r 'select(.kind == "release") | [.id, (.created | rtrimstr("Z"))] | @tsv' | sort >world.times
	[ -z "$(comm -23 world.times <(jq -r '.deployments[].releases[] | [.release_id, .created_at] | @tsv' schedule.json | sort))" ]
}

@test "builds come before releases, and releases before rollouts" {
	og-entities -c social >world.ndjson
	# No place has a build before the first place to which it comes; a rollout starts after its release.
	run -0 jq -rs '
		(map(select(.kind == "release")) | INDEX(.id)) as $r
		| ([.[] | select(.kind == "release")] | group_by("\(.service) \(.number)")
			| map(sort_by(.created) | map(.place) | . == (. as $p | ["dev", "int", "infra", "stg", "prod"] | map(. as $e | $p[] | select(startswith($e)))
				| .[:($p | length)])) | map(select(. == false)) | length),
		  ([.[] | select(.kind == "rollout") | select(.start <= $r[.release].created)] | length),
		  ([.[] | select(.kind == "release")] | group_by(.deployment) | map(sort_by(.number) | map(.created) | . == sort) | all)' world.ndjson
	[ "$output" = "0
0
true" ]
}

@test "watermarks: LOW is never above HIGH" {
	run -0 awk -F '\t' '
		$3 == "HIGH" { high = $4; key = $1 FS $2 }
		$3 == "LOW" { n++; if (key != $1 FS $2 || $4 > high) { print; exit 1 } }
		END { if (n < 20000) exit 1 }' <(rows allocations)
}

@test "memory: 128 MiB are enough for all of it" {
	local limit=131072 scale=1
	[ -z "${OG_SANITIZED-}" ] || limit=unlimited scale=0.1 # a sanitizer takes time and address space
	run -0 bash -c "ulimit -v $limit; og-entities -c social -z $scale -f tsv -T full && rm -r full"
	run -0 bash -c "ulimit -v $limit; og-entities -c social -z $scale -f schedule | tail -n 1"
	[ "$output" = "}" ]
}

@test "speed: all rows of all tables in less than ten seconds of a processor" {
	local table scale=1 TIMEFORMAT='%U %S'
	[ -z "${OG_SANITIZED-}" ] || scale=0.1 # a sanitizer takes time
	find small -name '*.txt' -printf '%f\n' | sed 's/^.._//; s/[.]txt$//' >tables
	[ "$(wc -l <tables)" -eq 36 ]
	{ time while read -r table; do
		og-entities -c social -z "$scale" -f tsv -t "$table" >/dev/null || return 1
	done <tables; } 2>cost
	cat cost
	awk '{ exit $1 + $2 >= 10 }' cost
}

@test "unknown tables, formats, factors and shards" {
	refused 'no table "sheep" in catalog social' -c social -t sheep
	refused 'no table "" in catalog social' -c social -t ""
	refused 'catalog shop has no entities' -c shop -t service
	refused 'format "xml" is none of json, csv, tsv, jsonapi, copy and schedule' -c social -t zone -f xml
	for factor in 0 1000000000 -1 abc 1e3 0.0001 ""; do
		refused "factor \"$factor\" is not a number from 0.001 to 100" -c social -t zone -z "$factor"
	done
	refused 'shard "3" is not K/N' -c social -t zone -k 3
	refused 'shard "3" is too large' -c social -t zone -k 3/2
	refused 'shard "0" is too small' -c social -t zone -k 0/2
	refused 'number of shards "0" is too small' -c social -t zone -k 1/0
	refused 'an array is of format json or jsonapi' -c social -t zone -A -f tsv
	refused 'a schedule is no table, and has no shards' -c social -t zone -f schedule
	refused 'a schedule is no table, and has no shards' -c social -f schedule -k 1/2
	sed -i '/^inventory.scale/d' depot/settings.tsv
	refused 'catalog depot has no setting inventory.scale' -c ./depot -t hall -z 2
	og-entities -c ./depot -t hall -z 1 >/dev/null
	printf 'inventory.scale\trobot\n' >>depot/settings.tsv
}

@test "options of a world and of tables do not mix" {
	for options in "-t zone -n 5" "-t zone -u 5" "-T x -d 1" "-f schedule -U 2026-01-01" "-t zone -T x" "-A" "-k 1/2" "-z 2" "-f tsv"; do
		# shellcheck disable=SC2086 # options
		run -2 --separate-stderr og-entities -c social $options
		[ -z "$output" ]
		[[ $stderr = usage:* ]]
	done
	[ ! -e x ]
}

@test "a full disk, a folder that cannot be written, a closed stdout: a file is complete or not there" {
	run -1 --separate-stderr bash -c 'og-entities -c social -t allocation >/dev/full'
	[ "$stderr" = "og-entities: <stdout>: No space left on device" ]
	run -1 --separate-stderr bash -c 'og-entities -c social -t zone >&-'
	[ "$stderr" = "og-entities: <stdout>: Bad file descriptor" ]
	run -0 bash -c 'og-entities -c social -t allocation | head -n 1 | wc -l; [ "${PIPESTATUS[0]}" -eq 141 ]'
	run -1 --separate-stderr og-entities -c social -T no/such/folder
	[ "$stderr" = "og-entities: no/such/folder: No such file or directory" ]
	run -2 --separate-stderr og-entities -c social -T ''
	[ "$stderr" = "og-entities: the name of the folder is empty" ]
	: >file
	run -1 --separate-stderr og-entities -c social -T file
	[[ $stderr = "og-entities: file/01_environments.ndjson: Not a directory" ]]
	mkdir -p taken/07_providers.txt
	run -1 --separate-stderr og-entities -c social -T taken -f tsv
	[[ $stderr = "og-entities: taken/07_providers.txt: Is a directory" ]]
	[ "$(find taken -name '.*' -type f | wc -l)" -eq 0 ]
	# Files of at most a megabyte: all that fit are there, whole, and nothing else is.
	run --separate-stderr bash -c 'trap "" XFSZ; ulimit -f 1024; og-entities -c social -z 0.02 -f tsv -T limited'
	[ "$status" -eq 1 ]
	[ "$stderr" = "og-entities: limited/12_subnets.txt: File too large" ]
	[ "$(find limited -mindepth 1 | wc -l)" -eq 11 ]
	for file in limited/*; do
		cmp "$file" "small/${file#*/}"
	done
}

# Until something is written.
started() {
	until [ -n "$(find "$1" -name '.*.part' -size +0 2>/dev/null)" ]; do
		kill -0 "$2"
		sleep 0.05
	done
}

@test "a signal leaves nothing behind, and what a crash left goes with the next table" {
	local writer

	for signal in TERM INT; do
		env --default-signal=INT og-entities -c social -z 10 -f tsv -T stopped &
		writer=$!
		started stopped "$writer"
		kill -"$signal" "$writer"
		status=0
		wait "$writer" || status=$?
		[ "$status" -gt 128 ]
		[ -z "$(find stopped -name '.*' -type f)" ]
	done
	og-entities -c social -z 10 -f tsv -T crashed &
	writer=$!
	started crashed "$writer"
	kill -KILL "$writer"
	wait "$writer" || [ $? -eq 137 ]
	[ -n "$(find crashed -name '.*' -type f)" ]
	og-entities -c social -z 0.02 -f tsv -T crashed
	diff -r small crashed
}

@test "two programs do not write one file" {
	mkdir shared
	run -1 --separate-stderr flock shared/.01_environments.txt.part og-entities -c social -z 0.02 -f tsv -T shared
	[ "$stderr" = "og-entities: shared/01_environments.txt: another program is writing it" ]
}

@test "a new table takes the place of an old one" {
	mkdir old
	echo old >old/01_environments.csv
	umask 027
	og-entities -c social -z 0.001 -f csv -T old
	[ "$(head -n 1 old/01_environments.csv)" = id ]
	[ "$(stat -c %a old/01_environments.csv)" = 640 ]
}

@test "another seed, another inventory of the same kind" {
	og-entities -c social -s 43 -z 0.02 -T other -f tsv
	run ! cmp -s small/08_regions.txt other/08_regions.txt
	cmp small/20_services.txt <(sed 's/seed 43/seed 42/' other/20_services.txt)
	[ "$(comm -12 <(rows builds | cut -f 3 | sort) <(rows builds other | cut -f 3 | sort) | wc -l)" -le 2 ]
}

@test "how many rows, with -v" {
	run -0 --separate-stderr bash -c 'og-entities -v -c social -t language 2>&1 >/dev/null | tail -n 1'
	[ "$output" = "og-entities: language: 8 rows" ]
}
