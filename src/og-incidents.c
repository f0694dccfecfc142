/*
 * og-incidents: append incidents to a world
 *
 * Standard input: a world. Standard output: the same lines, unchanged, and behind them a line for each new incident, in order of their
 * starts.
 * They depend on the world's seed, begin and end, its catalog and the options alone.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "help.h"
#include "num.h"
#include "out.h"
#include "rec.h"
#include "say.h"
#include "sim.h"
#include "world.h"

#define ERROR_MAX 4096

static struct opts {
	const char *catalog, *level, *requests;
	char **spec; /* -a */
	int nspecs, norandom, verbose;
} opts;

/* The world as it came. */
struct kept {
	char *lines;
	size_t len, size;
};

/* Nothing is written before the whole world has been read: half a world is none. */
static int
keep_line(const char *line, size_t len, void *arg)
{
	struct kept *m = arg;

	if (m->size - m->len < len + 1) {
		size_t size = (m->size + len + 1) * 2;
		char *larger = realloc(m->lines, size);

		if (larger == NULL)
			return -1;
		m->lines = larger;
		m->size = size;
	}
	memcpy(m->lines + m->len, line, len);
	m->lines[m->len + len] = '\n';
	m->len += len + 1;
	return 0;
}

static void
add_all(struct world_draft *draft, struct world *w, char text[ERROR_MAX])
{
	if (world_draft(draft, w, opts.level, text, ERROR_MAX) == -1)
		errx(2, "-S: %s", text);
	if (!opts.norandom && world_draft_rates(draft) == -1)
		errx(2, "%s", text);
	for (int i = 0; i < opts.nspecs; i++)
		if (world_draft_spec(draft, opts.spec[i]) == -1)
			errx(2, "-a: %s", text);
	if (world_draft_name(draft) == -1)
		errx(2, "%s", text);
}

static int
is_fresh(const struct world_draft *draft, int n, const struct world_incident *x)
{
	for (int i = 0; i < n; i++)
		if (draft->fresh[i].x.id == x->id)
			return 1;
	return 0;
}

/* What each new incident is expected to do. */
static void
tell(struct world_draft *draft, struct world *w, uint64_t requests, char text[ERROR_MAX])
{
	int n = draft->n;
	struct sim sim;

	if (n == 0)
		return;
	if (world_draft_join(draft) == -1 || sim_open(&sim, w, requests, text, ERROR_MAX) == -1)
		errx(1, "%s", text);
	for (int i = 0; i < w->nincidents; i++) {
		const struct world_incident *x = &w->incident[i];
		double touched, failed;

		if (!is_fresh(draft, n, x))
			continue;
		sim_expect(&sim, i, &touched, &failed);
		warnx("%s: %s: about %llu of %llu requests reached, %llu failed", x->id, x->component, (unsigned long long)(touched + 0.5),
		    (unsigned long long)(requests == 0 ? w->requests : requests), (unsigned long long)(failed + 0.5));
	}
	sim_close(&sim);
}

static _Noreturn void
usage(int status)
{
	say_usage("usage: og-incidents [-Nv] [-a spec] [-c catalog] [-n requests] [-S level]\n", HELP_OG_INCIDENTS, status);
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "add", required_argument, NULL, 'a' },
		{ "catalog", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "no-random", no_argument, NULL, 'N' },
		{ "requests", required_argument, NULL, 'n' },
		{ "level", required_argument, NULL, 'S' },
		{ "version", no_argument, NULL, 'V' },
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	if ((opts.spec = calloc((size_t)argc, sizeof(*opts.spec))) == NULL)
		err(1, NULL);
	while ((ch = getopt_long(argc, argv, "a:c:hNn:S:Vv", longopts, NULL)) != -1) {
		switch (ch) {
		case 'a':
			opts.spec[opts.nspecs++] = optarg;
			break;
		case 'c':
			opts.catalog = optarg;
			break;
		case 'h':
			usage(0);
		case 'N':
			opts.norandom = 1;
			break;
		case 'n':
			opts.requests = optarg;
			break;
		case 'S':
			opts.level = optarg;
			break;
		case 'V':
			say_version("og-incidents");
		case 'v':
			opts.verbose = 1;
			break;
		default:
			usage(2);
		}
	}
	if (argc > optind)
		usage(2);
}

int
main(int argc, char *argv[])
{
	char text[ERROR_MAX];
	uint64_t requests = 0;
	const char *what;
	struct world_draft draft;
	struct kept kept = { 0 };
	struct world w;
	struct rec in;
	struct out out;

	parse(argc, argv);
	if (opts.requests != NULL && num_u64(opts.requests, 1, WORLD_REQUESTS_MAX, &requests, &what) == -1)
		errx(2, "requests \"%s\" is %s", opts.requests, what);
	if (out_open(&out, STDOUT_FILENO, 0) == -1 || rec_open(&in, STDIN_FILENO, "<stdin>", NULL, 0) == -1)
		err(1, NULL);
	if (world_read_each(&w, &in, opts.catalog, keep_line, &kept, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	if (w.warning != NULL)
		warnx("%s", w.warning);
	add_all(&draft, &w, text);
	for (size_t at = 0; at < kept.len; at += OUT_SIZE)
		out_put(&out, kept.lines + at, kept.len - at < OUT_SIZE ? kept.len - at : OUT_SIZE);
	world_draft_put(&draft, &out);
	if (out_close(&out) == -1)
		err(1, "<stdout>");
	if (opts.verbose)
		tell(&draft, &w, requests, text);
	world_draft_free(&draft);
	world_free(&w);
	return 0;
}
