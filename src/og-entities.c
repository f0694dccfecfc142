/*
 * og-entities: write the world of a catalog
 *
 * Standard output: a world, one JSON object a line: header, places, services, components, deployments, releases, rollouts.
 * It depends on the catalog and the options alone. A later end adds lines; more users or requests change only the header.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog.h"
#include "clock.h"
#include "num.h"
#include "out.h"
#include "world.h"

#define REQUESTS 1000000
#define ERROR_MAX 4096

static struct opts {
	const char *catalog, *begin, *end, *until;
	const char *seed, *users, *requests, *depth;
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

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr,
	    "usage: og-entities [-v] [-b begin] -c catalog [-d depth] [-e end] [-n requests]\n"
	    "                   [-s seed] [-U until] [-u users]\n");
	if (fflush(stdout) == EOF)
		err(1, "<stdout>");
	exit(status);
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "begin", required_argument, NULL, 'b' },
		{ "catalog", required_argument, NULL, 'c' },
		{ "depth", required_argument, NULL, 'd' },
		{ "end", required_argument, NULL, 'e' },
		{ "help", no_argument, NULL, 'h' },
		{ "requests", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'U' },
		{ "users", required_argument, NULL, 'u' },
		{ "version", no_argument, NULL, 'V' },
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "b:c:d:e:hn:s:U:u:Vv", longopts, NULL)) != -1) {
		switch (ch) {
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
		case 'h':
			usage(0);
		case 'n':
			opts.requests = optarg;
			break;
		case 's':
			opts.seed = optarg;
			break;
		case 'U':
			opts.until = optarg;
			break;
		case 'u':
			opts.users = optarg;
			break;
		case 'V':
			(void)printf("og-entities %s\n", OG_VERSION);
			if (fflush(stdout) == EOF)
				err(1, "<stdout>");
			exit(0);
		case 'v':
			opts.verbose = 1;
			break;
		default:
			usage(2);
		}
	}
	if (argc > optind || opts.catalog == NULL)
		usage(2);
}

int
main(int argc, char *argv[])
{
	char text[ERROR_MAX];
	struct world w = { 0 };
	struct out out;

	parse(argc, argv);
	if (catalog_load(&w.cat, opts.catalog, text, sizeof(text), opts.verbose ? warn_text : NULL, NULL) == -1)
		errx(2, "%s", text);
	set_world(&w);
	if (out_open(&out, STDOUT_FILENO, 0) == -1)
		err(1, NULL);
	if (world_make(&w, &out, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	if (out_close(&out) == -1)
		err(1, "<stdout>");
	world_free(&w);
	return 0;
}
