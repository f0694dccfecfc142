/*
 * og-events: make requests over time, in time order
 *
 * Standard input: a world, unless -w names one. Standard output: a record for each request, and for the start and the end of each rollout.
 * They depend on the world, its catalog and the options alone.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>

#include "help.h"
#include "reader.h"

static struct opts {
	int verbose;
} opts;

/* The start or the end of a rollout. */
struct mark {
	int64_t time;
	int rollout, end;
};

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
write_all(struct reader *r, int64_t from, int64_t to)
{
	struct sim_traffic *traffic = sim_traffic(&r->s, from, to);
	struct mark *marks, *mark;
	struct out *out = &r->out;
	unsigned long long requests = 0, dropped = 0, events = 0;
	struct sim_request request;
	int more;

	if (traffic == NULL)
		give_up();
	mark = marks = find_marks(&r->w, from, to);
	if (r->shard == 1)
		reader_head(r);
	do {
		more = sim_next(traffic, &request);
		if (more == -1)
			give_up();
		for (; mark->time <= (more == 1 ? request.time : to); mark++, events++)
			out_took(out, render_rollout(r->d, out_room(out, r->most), mark->rollout, mark->end));
		if (more != 1)
			break;
		requests++;
		dropped += (unsigned)request.dropped;
		if (!request.dropped)
			out_took(out, render_span(r->d, out_room(out, r->most), &request, 0, NULL));
	} while (out->err == 0);
	if (opts.verbose)
		warnx("%llu requests, %llu of them not let through; %llu marks of rollouts", requests, dropped, events);
	sim_traffic_free(traffic);
	free(marks);
}

int
main(int argc, char *argv[])
{
	static struct reader r = {
		.name = "og-events",
		.usage = "usage: og-events [-v] [-b begin] [-c catalog] [-e end] [-f format] [-k shard]\n"
			 "                 [-l layout] [-n requests] [-w world]\n",
		.help = HELP_OG_EVENTS,
		.layout = "wide",
	};
	static const struct option own[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int64_t from, to;

	while (reader_option(&r, argc, argv, "b:c:e:f:hk:l:n:Vvw:", own) != -1)
		opts.verbose = 1;
	reader_load(&r);
	if (r.requests != 0 && r.requests != r.w.requests)
		warnx("%llu requests instead of the world's %llu; og-spans needs the same -n", (unsigned long long)r.requests,
		    (unsigned long long)r.w.requests);
	reader_render(&r, RENDER_SPANS);
	reader_output(&r);
	reader_time(&r, &from, &to);
	if (from < to)
		write_all(&r, sim_shard(&r.s, from, to, r.shard - 1, r.shards), sim_shard(&r.s, from, to, r.shard, r.shards));
	return reader_end(&r);
}
