/*
 * og-events: make requests over time, in time order
 *
 * Standard input: a world, unless -w names one. Standard output: a record for each request, and for the start and the end of each rollout.
 * They depend on the world, its catalog and the options alone.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "help.h"
#include "num.h"
#include "out.h"
#include "render.h"
#include "sim.h"
#include "world.h"

#define ERROR_MAX 4096

static struct opts {
	const char *catalog, *world, *layout;
	int64_t begin, end; /* us; -1: the world's */
	uint64_t requests;  /* 0: the world's */
	uint64_t shard, shards;
	enum render_format format;
	int verbose;
} opts = { .layout = "wide", .begin = -1, .end = -1, .shard = 1, .shards = 1 };

/* The start or the end of a rollout. */
struct mark {
	int64_t time;
	int rollout, end;
};

static void
read_world(struct world *w)
{
	char text[ERROR_MAX];

	if (world_load(w, opts.world, opts.catalog, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	if (w->warning != NULL)
		warnx("%s", w->warning);
}

static int
by_time(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->end != y->end ? x->end - y->end : x->rollout < y->rollout ? -1 : x->rollout > y->rollout;
}

/* Marks in [from, to), in order of time; one more at the end that never comes. */
static struct mark *
find_marks(const struct world *w, int64_t from, int64_t to)
{
	struct mark *mark = calloc(2 * (size_t)w->nrollouts + 1, sizeof(*mark));
	size_t n = 0;

	if (mark == NULL)
		err(1, NULL);
	for (int i = 0; i < w->nrollouts; i++)
		for (int end = 0; end < 2; end++) {
			int64_t t = end ? w->rollout[i].end : w->rollout[i].start;

			if (t >= from && t < to)
				mark[n++] = (struct mark){ t, i, end };
		}
	qsort(mark, n, sizeof(*mark), by_time);
	mark[n].time = INT64_MAX;
	return mark;
}

static _Noreturn void
give_up(void)
{
	if (errno == EFBIG)
		errx(1, "more than 2000000 sessions at once: fewer requests, or a longer time");
	err(1, NULL);
}

static void
write_all(struct sim *s, struct render *d, struct out *out, int64_t from, int64_t to)
{
	struct sim_traffic *traffic = sim_traffic(s, from, to);
	struct mark *marks, *mark;
	size_t most = render_most(d);
	unsigned long long requests = 0, dropped = 0, events = 0;
	struct sim_request r;
	int more;

	if (traffic == NULL)
		give_up();
	mark = marks = find_marks(s->w, from, to);
	if (opts.shard == 1)
		out_took(out, render_head(d, out_room(out, most)));
	do {
		more = sim_next(traffic, &r);
		if (more == -1)
			give_up();
		for (; mark->time <= (more == 1 ? r.time : to); mark++, events++)
			out_took(out, render_rollout(d, out_room(out, most), mark->rollout, mark->end));
		if (more != 1)
			break;
		requests++;
		dropped += (unsigned)r.dropped;
		if (!r.dropped)
			out_took(out, render_span(d, out_room(out, most), &r, 0, NULL));
	} while (out->err == 0);
	if (opts.verbose)
		warnx("%llu requests, %llu of them not let through; %llu marks of rollouts", requests, dropped, events);
	sim_traffic_free(traffic);
	free(marks);
}

static void
run(const struct world *w)
{
	char text[ERROR_MAX];
	struct sim s;
	struct render *d;
	struct out out;
	int layout = catalog_layout(&w->cat, opts.layout, strlen(opts.layout));
	int64_t from = opts.begin > w->begin ? opts.begin : w->begin, to = opts.end != -1 && opts.end < w->end ? opts.end : w->end;

	if (layout < 0)
		errx(2, "no layout \"%s\" in catalog %s", opts.layout, w->cat.name);
	if (sim_open(&s, w, opts.requests, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	d = render_open(&s, layout, RENDER_SPANS, opts.format, text, sizeof(text));
	if (d == NULL)
		errx(2, "%s", text);
	s.whole = render_whole(d);
	if (out_open(&out, STDOUT_FILENO, 0) == -1)
		err(1, NULL);
	if (from < to) {
		int64_t first = sim_shard(&s, from, to, opts.shard - 1, opts.shards);

		write_all(&s, d, &out, first, sim_shard(&s, from, to, opts.shard, opts.shards));
	}
	if (out_close(&out) == -1)
		err(1, "<stdout>");
	render_free(d);
	sim_close(&s);
}

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr,
	    "usage: og-events [-v] [-b begin] [-c catalog] [-e end] [-f format] [-k shard]\n"
	    "                 [-l layout] [-n requests] [-w world]\n");
	if (status == 0)
		(void)fputs(HELP_OG_EVENTS, stdout);
	if (fflush(stdout) == EOF)
		err(1, "<stdout>");
	exit(status);
}

static int64_t
parse_time(const char *name, const char *text)
{
	int64_t us;

	if (clock_parse(text, strlen(text), &us) == -1)
		errx(2, "%s: \"%s\" is not a time such as 2025-12-03T12:20:00Z", name, text);
	return us;
}

static void
parse_shard(const char *text)
{
	const char *slash = strchr(text, '/'), *e = NULL;
	char first[32];

	if (slash == NULL || (size_t)(slash - text) >= sizeof(first))
		errx(2, "shard \"%s\" is not K/N", text);
	memcpy(first, text, (size_t)(slash - text));
	first[slash - text] = '\0';
	if (num_u64(slash + 1, 1, UINT32_MAX, &opts.shards, &e) == -1)
		errx(2, "number of shards is %s: %s", e, slash + 1);
	if (num_u64(first, 1, opts.shards, &opts.shard, &e) == -1)
		errx(2, "shard is %s: %s", e, text);
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "begin", required_argument, NULL, 'b' },
		{ "catalog", required_argument, NULL, 'c' },
		{ "end", required_argument, NULL, 'e' },
		{ "format", required_argument, NULL, 'f' },
		{ "shard", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ "layout", required_argument, NULL, 'l' },
		{ "requests", required_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "world", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	const char *e;
	int ch, format;

	while ((ch = getopt_long(argc, argv, "b:c:e:f:hk:l:n:Vvw:", longopts, NULL)) != -1) {
		switch (ch) {
		case 'b':
			opts.begin = parse_time("begin", optarg);
			break;
		case 'c':
			opts.catalog = optarg;
			break;
		case 'e':
			opts.end = parse_time("end", optarg);
			break;
		case 'f':
			if ((format = render_format(optarg)) == -1)
				errx(2, "no format \"%s\": json, csv or tsv", optarg);
			opts.format = (enum render_format)format;
			break;
		case 'h':
			usage(0);
		case 'k':
			parse_shard(optarg);
			break;
		case 'l':
			opts.layout = optarg;
			break;
		case 'n':
			if (num_u64(optarg, 1, WORLD_REQUESTS_MAX, &opts.requests, &e) == -1)
				errx(2, "number of requests is %s: %s", e, optarg);
			break;
		case 'V':
			(void)printf("og-events %s\n", OG_VERSION);
			if (fflush(stdout) == EOF)
				err(1, "<stdout>");
			exit(0);
		case 'v':
			opts.verbose = 1;
			break;
		case 'w':
			opts.world = optarg;
			break;
		default:
			usage(2);
		}
	}
	if (argc > optind)
		usage(2);
	if (opts.begin != -1 && opts.end != -1 && opts.begin >= opts.end)
		errx(2, "begin is not before end");
}

int
main(int argc, char *argv[])
{
	struct world w;

	parse(argc, argv);
	read_world(&w);
	if (opts.requests != 0 && opts.requests != w.requests)
		warnx("%llu requests instead of the world's %llu; og-spans needs the same -n", (unsigned long long)opts.requests,
		    (unsigned long long)w.requests);
	run(&w);
	world_free(&w);
	return 0;
}
