/*
 * og-series: what is measured of links, hosts, services and places over time
 *
 * Standard input: a world, unless -w names one. Standard output: samples, in order of time; or, by a layout, a record for each thing and
 * time. They depend on the world, its catalog and the options alone.
 */
#include <err.h>
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "help.h"
#include "reader.h"
#include "sampler.h"
#include "series.h"

#define ERROR_MAX 4096

static struct opts {
	int64_t interval; /* us; 0: that of each series */
} opts;

static void
set_interval(const char *text)
{
	if (clock_duration(text, strlen(text), &opts.interval) == -1 || opts.interval < CLOCK_SECOND || opts.interval > CLOCK_DAY ||
	    opts.interval % CLOCK_SECOND != 0)
		errx(2, "interval is not whole seconds from 1s to 1d: %s", text);
}

static void
write_all(struct reader *r, struct series *s, int64_t from, int64_t to)
{
	const struct catalog *c = &r->w.cat;
	int failed;

	if (r->layout == NULL) {
		failed = sampler_samples(s, c, opts.interval, from, to, &r->out);
	} else {
		if (r->shard == 1)
			reader_head(r);
		failed = sampler_records(s, c, reader_layout(r), r->d, opts.interval, from, to, &r->out);
	}
	if (failed == -1 && errno == EINVAL)
		errx(2, "no series in layout \"%s\"", r->layout);
	if (failed == -1)
		err(1, NULL);
}

int
main(int argc, char *argv[])
{
	static struct reader r = {
		.name = "og-series",
		.usage = "usage: og-series [-b begin] [-c catalog] [-e end] [-f format] [-i interval] [-k shard]\n"
			 "                 [-l layout] [-w world]\n",
		.help = HELP_OG_SERIES,
	};
	static const struct option own[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ NULL, 0, NULL, 0 },
	};
	char text[ERROR_MAX];
	struct series *s;
	int64_t from, to;
	double all;

	while (reader_option(&r, argc, argv, "b:c:e:f:hi:k:l:Vw:", own) != -1)
		set_interval(optarg);
	if (r.layout == NULL && r.format != RENDER_JSON)
		errx(2, "samples are JSON: another format needs a layout");
	reader_load(&r);
	if (r.w.cat.nseries == 0)
		errx(2, "catalog %s has no series", r.w.cat.name);
	if (r.layout != NULL)
		reader_render(&r, RENDER_THINGS);
	if ((s = series_open(&r.w, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
	reader_output(&r);
	reader_time(&r, &from, &to);
	/* Slices of time, each cut where the next begins. */
	all = (double)(to - from);
	to = from + (int64_t)(all * ((double)r.shard / (double)r.shards));
	from += (int64_t)(all * ((double)(r.shard - 1) / (double)r.shards));
	write_all(&r, s, from, to);
	series_free(s);
	return reader_end(&r);
}
