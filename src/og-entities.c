/*
 * og-entities: write the world of a catalog, or the tables of its inventory
 *
 * Standard output: a world, one JSON object a line: header, places, services, components, deployments, releases, rollouts. Or, with -t, a
 * table; with -T nothing, and a folder has all of them. All depends on the catalog and the options alone. A later end adds lines; more
 * users or requests change only the header.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog.h"
#include "clock.h"
#include "help.h"
#include "num.h"
#include "out.h"
#include "say.h"
#include "tables.h"
#include "world.h"

#define REQUESTS 1000000
#define ERROR_MAX 4096

static struct opts {
	const char *catalog, *begin, *end, *until;
	const char *seed, *users, *requests, *depth;
	const char *table, *dir;
	struct tables_asked tables;
	int verbose;
} opts;

static void
warn_text(const char *text, void *arg)
{
	(void)arg;
	warnx("%s", text);
}

/* An option's whole number, or the default where it was not given. */
static uint64_t
whole(const char *option, const char *text, uint64_t lo, uint64_t hi, uint64_t otherwise)
{
	const char *what;
	uint64_t x;

	if (text == NULL)
		return otherwise;
	if (num_u64(text, lo, hi, &x, &what) == -1)
		errx(2, "%s \"%s\" is %s", option, text, what);
	return x;
}

static int64_t
moment(const char *option, const char *text, int64_t otherwise)
{
	int64_t us;

	if (text == NULL)
		return otherwise;
	if (clock_parse(text, strlen(text), &us) == -1)
		errx(2, "%s \"%s\" is not a time such as 2025-12-03T12:20:00Z", option, text);
	return us;
}

static void
set_world(struct world *w)
{
	const struct catalog_settings *set = &w->cat.set;
	const char *what;

	w->seed = whole("seed", opts.seed, 0, UINT64_MAX, set->seed);
	w->users = whole("users", opts.users, 1, WORLD_USERS_MAX, set->users);
	w->requests = whole("requests", opts.requests, 1, WORLD_REQUESTS_MAX, REQUESTS);
	w->depth = (int)whole("depth", opts.depth, 0, WORLD_DEPTH_MAX, (uint64_t)set->depth);
	w->begin = moment("begin", opts.begin, set->begin);
	w->end = moment("end", opts.end, set->end);
	w->until = moment("until", opts.until, w->end);
	if ((what = world_limits(w)) != NULL)
		errx(2, "%s", what);
}

static void
write_tables(const struct world *w)
{
	struct tables t = { .catalog = &w->cat, .verbose = opts.verbose };

	tables_open(&t, &opts.tables, opts.table, w->seed, w->begin, w->end);
	if (opts.dir != NULL)
		tables_save(&t, opts.dir);
	else
		tables_print(&t, opts.table);
	inventory_free(t.inventory);
}

static void
write_world(const struct world *w)
{
	char text[ERROR_MAX];
	struct out out;

	if (out_open(&out, STDOUT_FILENO, 0) == -1)
		err(1, NULL);
	if (world_make(w, &out, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	if (out_close(&out) == -1)
		err(1, "<stdout>");
}

static _Noreturn void
usage(int status)
{
	say_usage("usage: og-entities [-v] [-b begin] -c catalog [-d depth] [-e end] [-n requests]\n"
		  "                   [-s seed] [-U until] [-u users]\n"
		  "       og-entities [-Av] [-b begin] -c catalog [-e end] [-f format] [-k shard]\n"
		  "                   [-s seed] [-z factor] -T folder | -t table | -f schedule\n",
	    HELP_OG_ENTITIES, status);
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "array", no_argument, NULL, 'A' },
		{ "begin", required_argument, NULL, 'b' },
		{ "catalog", required_argument, NULL, 'c' },
		{ "depth", required_argument, NULL, 'd' },
		{ "end", required_argument, NULL, 'e' },
		{ "format", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "shard", required_argument, NULL, 'k' },
		{ "requests", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "folder", required_argument, NULL, 'T' },
		{ "table", required_argument, NULL, 't' },
		{ "until", required_argument, NULL, 'U' },
		{ "users", required_argument, NULL, 'u' },
		{ "version", no_argument, NULL, 'V' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "factor", required_argument, NULL, 'z' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "Ab:c:d:e:f:hk:n:s:T:t:U:u:Vvz:", longopts, NULL)) != -1) {
		switch (ch) {
		case 'A':
			opts.tables.array = 1;
			break;
		case 'b':
			opts.begin = optarg;
			break;
		case 'c':
			opts.catalog = optarg;
			break;
		case 'd':
			opts.depth = optarg;
			break;
		case 'e':
			opts.end = optarg;
			break;
		case 'f':
			opts.tables.format = optarg;
			break;
		case 'h':
			usage(0);
		case 'k':
			opts.tables.shard = optarg;
			break;
		case 'n':
			opts.requests = optarg;
			break;
		case 's':
			opts.seed = optarg;
			break;
		case 'T':
			opts.dir = optarg;
			break;
		case 't':
			opts.table = optarg;
			break;
		case 'U':
			opts.until = optarg;
			break;
		case 'u':
			opts.users = optarg;
			break;
		case 'V':
			say_version("og-entities");
		case 'v':
			opts.verbose = 1;
			break;
		case 'z':
			opts.tables.factor = optarg;
			break;
		default:
			usage(2);
		}
	}
	if (argc > optind || opts.catalog == NULL || (opts.dir != NULL && opts.table != NULL))
		usage(2);
}

/* Are tables asked for, and not the world? */
static int
wants_tables(void)
{
	int some = opts.dir != NULL || opts.table != NULL || (opts.tables.format != NULL && strcmp(opts.tables.format, "schedule") == 0);

	if (some ? opts.users != NULL || opts.requests != NULL || opts.depth != NULL || opts.until != NULL
		 : opts.tables.array || opts.tables.format != NULL || opts.tables.factor != NULL || opts.tables.shard != NULL)
		usage(2);
	return some;
}

int
main(int argc, char *argv[])
{
	char text[ERROR_MAX];
	struct world w = { 0 };
	int tables;

	parse(argc, argv);
	tables = wants_tables();
	if (catalog_load(&w.cat, opts.catalog, text, sizeof(text), opts.verbose ? warn_text : NULL, NULL) == -1)
		errx(2, "%s", text);
	set_world(&w);
	if (tables)
		write_tables(&w);
	else
		write_world(&w);
	world_free(&w);
	return 0;
}
