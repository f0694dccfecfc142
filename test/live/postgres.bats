# The recipe load-postgresql against Debian's PostgreSQL, with the social network at a tenth of its size.
# shellcheck disable=SC2016,SC2154 # dollars are for an inner shell; stderr and stderr_lines come from run
bats_require_minimum_version 1.5.0

load ../common

setup_file() {
	# The server is somebody else where tests are run by root, and has to get there.
	DIR=$(mktemp -d /tmp/og-postgres.XXXXXX)
	chmod 755 "$DIR"
	PGPORT=$(free_port)
	PGHOST=127.0.0.1 PGUSER=postgres PGDATABASE=postgres
	export DIR PGHOST PGPORT PGUSER PGDATABASE
	"$OG_ROOT/test/live/postgres.sh" start "$DIR/pg" "$PGPORT" 3>&- 4>&-
}

teardown_file() {
	"$OG_ROOT/test/live/postgres.sh" stop "$DIR/pg" || true
	rm -rf "$DIR"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	PATH=$OG_SHARE/recipes:$PATH
}

ask() {
	psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1"
}

@test "all tables load, every key holds, and what is held is what was written" {
	run -0 --separate-stderr load-postgresql -v -z 0.1
	[[ ${lines[-1]} =~ ^"36 tables, "[0-9]+" rows, 48 foreign keys hold"$ ]]
	[ "$(grep -c ' rows$' <<<"$stderr")" -eq 36 ]
	og-entities -c social -z 0.1 -f copy -T files
	for file in files/*.copy; do
		table=${file#files/??_} table=${table%.copy}
		[ "$(ask "SELECT count(*) FROM social.$table")" -eq "$(wc -l <"$file")" ]
	done
	# Not only as many: the same, as far as text does not change by its type.
	for table in releases subnets allocations services_repos; do
		psql -X -q -c "SET search_path = social" -c "\\copy $table TO 'held'"
		cmp <(sort held) <(sort files/??_"$table".copy)
	done
	[ "$(ask "SELECT count(*) FROM pg_constraint WHERE connamespace = 'social'::regnamespace AND contype = 'f' AND convalidated")" -eq 48 ]
}

@test "questions to it: five releases, watermarks, networks" {
	[ "$(ask "SELECT count(*) FROM (SELECT 1 FROM social.deployments d LEFT JOIN social.releases r ON r.deployment_id = d.id
		GROUP BY d.id HAVING count(r.build_id) < 5) few")" -eq 0 ]
	[ "$(ask "SELECT count(*) FROM social.allocations h JOIN social.allocations l USING (deployment_proc_id, allocation_type_id)
		WHERE h.watermark = 'HIGH' AND l.watermark = 'LOW' AND l.value > h.value")" -eq 0 ]
	[ "$(ask "SELECT count(*) FROM social.subnets s JOIN social.networks n ON n.id = s.network_id WHERE NOT s.cidr << n.cidr")" -eq 0 ]
	[ "$(ask "SELECT count(*) FROM social.networks WHERE NOT cidr << '10.0.0.0/8'")" -eq 0 ]
	[ "$(ask "SELECT count(*) FROM social.releases r JOIN social.builds b ON b.id = r.build_id JOIN social.deployments d ON d.id = r.deployment_id
		WHERE b.service_id <> d.service_id OR b.build_num <> r.build_num")" -eq 0 ]
}

@test "the same again takes the place of what was there, and only of that" {
	before=$(ask "SELECT count(*) FROM social.fleets")
	run -0 --separate-stderr load-postgresql -z 0.002
	[ -z "$stderr" ]
	[ "$(ask "SELECT count(*) FROM social.fleets")" -lt "$before" ]
	ask "CREATE SCHEMA theirs; CREATE TABLE theirs.fleets (id text)"
	run -1 --separate-stderr load-postgresql -z 0.002 -n theirs
	[ "$stderr" = "load-postgresql: namespace theirs is somebody else's: it stays, and nothing was loaded" ]
	[ "$(ask "SELECT count(*) FROM theirs.fleets")" -eq 0 ]
	run -0 load-postgresql -z 0.002 -n other_one -s 7
	[ "$(ask "SELECT count(*) FROM other_one.services")" -eq 102 ]
}

@test "a row that breaks a key, or a table that does not come: nothing is loaded, and what was there stays" {
	before=$(ask "SELECT count(*) FROM social.fleets")
	mkdir -p broken bin
	cp -r "$OG_SHARE/social" broken
	# A template of a language that there is not.
	sed -i 's/^config_template	entity	language_id	.*/config_template	entity	language_id	cobol	/' broken/social/layouts.tsv
	run -1 --separate-stderr load-postgresql -z 0.002 -c ./broken/social
	[[ $stderr = *'violates foreign key constraint "config_templates_language_id_fkey"'*"Key (language_id)=(cobol) is not present"* ]]
	[[ ${stderr_lines[-1]} = "load-postgresql: keys: nothing was loaded, and what was there is there still" ]]
	[ "$(ask "SELECT count(*) FROM social.fleets")" -eq "$before" ]
	# Two rows of one id.
	cp "$OG_SHARE/social/layouts.tsv" broken/social
	sed -i 's/^zone	entity	name	.*/zone	entity	name	z	/' broken/social/layouts.tsv
	run -1 --separate-stderr load-postgresql -z 0.002 -c ./broken/social
	[[ $stderr = *'could not create unique index "zones_pkey"'* ]]
	# A program that ends in the middle.
	printf '#!/bin/sh\nfor last; do :; done\n[ "$last" != fleets ] || { %s "$@" | head -n 3; exit 1; }\nexec %s "$@"\n' \
		"$OG_ROOT/bin/og-entities" "$OG_ROOT/bin/og-entities" >bin/og-entities
	chmod +x bin/og-entities
	PATH=$PWD/bin:$PATH run -1 --separate-stderr load-postgresql -z 0.002
	[[ ${stderr_lines[-1]} = "load-postgresql: fleets: nothing was loaded, and what was there is there still" ]]
	[ "$(ask "SELECT count(*) FROM social.fleets")" -eq "$before" ]
}

@test "the schema by itself, in an empty namespace" {
	ask "CREATE SCHEMA plain"
	PGOPTIONS='-c search_path=plain' psql -X -q -v ON_ERROR_STOP=1 -f "$OG_SHARE/social/schema.sql"
	[ "$(ask "SELECT count(*) FROM pg_tables WHERE schemaname = 'plain'")" -eq 36 ]
	run -1 psql -X -v ON_ERROR_STOP=1 -c "INSERT INTO plain.regions VALUES ('nobody', 'nowhere')"
	run ! grep -c . <(ask "SELECT 1 FROM plain.regions")
}

@test "what is missing or misspelt is said before anything is touched" {
	run -0 load-postgresql -h
	[ "$output" = "usage: load-postgresql [-v] [-c catalog] [-n namespace] [-s seed] [-z factor] [database]" ]
	run -2 --separate-stderr load-postgresql --nosuch
	[ "${stderr_lines[0]}" = "load-postgresql: no option --nosuch" ]
	run -2 --separate-stderr load-postgresql postgres://me:secret@localhost/x
	[[ ${stderr_lines[0]} = "load-postgresql: a password belongs into PGPASSFILE"* ]]
	run -2 --separate-stderr load-postgresql -n 'public; DROP'
	run -2 --separate-stderr load-postgresql -n public
	run -1 --separate-stderr load-postgresql -c shop
	[[ $stderr = *"shop/schema.sql: cannot be read" ]]
	run -1 --separate-stderr load-postgresql -z 0
	[[ $stderr = *'factor "0" is not a number from 0.001 to 100'* ]]
	PGPORT=1 run -1 --separate-stderr load-postgresql
	[ "${stderr_lines[-1]}" = "load-postgresql: no answer of the server" ]
}
