/*
 * og-metrics: the measurements each span carries, or exact aggregates of them
 *
 * Standard input: spans, or with -M aggregates of shards. Standard output: samples, one JSON object a line, or lines of a layout of
 * aggregates. They depend on the input, on the layouts, the bounds of buckets and the settings of the catalog, and on the options.
 */
#include <err.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agg.h"
#include "catalog.h"
#include "clock.h"
#include "help.h"
#include "measure.h"
#include "out.h"
#include "rec.h"
#include "rollup.h"
#include "say.h"

#define ERROR_MAX 4096

static struct opts {
	const char *catalog, *layout, *labels;
	int64_t interval; /* us; 0: a sample for each measurement */
	int deltas, merge;
	int format; /* -1: none was asked for */
} opts = { .catalog = "social", .layout = "wide", .format = -1 };

struct meter {
	struct catalog cat;
	struct measure *measure;
	int64_t hold;    /* us by which a span may begin after its root */
	struct agg *agg; /* NULL: samples */
	int layout;      /* of aggregates; -1: none */
	struct rollup *rollup;
	struct rec in;
	struct out out;
	int bad;
};

static void
refuse(struct meter *m, const char *what)
{
	warnx("%s:%llu: %s", m->in.name, (unsigned long long)m->in.line, what);
	m->bad = 1;
}

/*
 * Lines come a tree after the other, root first, and roots in order of time: nothing that follows begins before a root that was seen. What
 * is no root began at most so long after its own.
 */
static void
count(struct meter *m, const struct measured *r)
{
	const char *why;

	if (agg_pass(m->agg, r->root ? r->us : r->us - m->hold) == -1)
		err(1, NULL);
	/* The record of a rollout is no request. */
	if (!r->request)
		return;
	if (r->ntags > agg_labels_max(m->agg))
		refuse(m, "has labels longer than a line may be");
	else if (agg_add(m->agg, r->tags, r->ntags, r->us, r->failed, r->sorted, &why) == -1)
		refuse(m, why);
}

/* The same for a layout of aggregates. */
static void
roll_up(struct meter *m, const struct measured *r)
{
	const char *why;

	if (rollup_pass(m->rollup, r->root ? r->us : r->us - m->hold) == -1)
		err(1, NULL);
	if (r->request && rollup_add(m->rollup, r, &why) == -1)
		refuse(m, why);
}

static void
take_line(struct meter *m, const char *line, size_t len)
{
	struct measured r;
	const char *why;

	if (opts.merge) {
		if (agg_merge(m->agg, line, len, &why) == -1)
			refuse(m, why);
	} else if (measure_read(m->measure, line, len, &r, &why) == -1)
		refuse(m, why);
	else if (m->rollup != NULL)
		roll_up(m, &r);
	else if (m->agg != NULL)
		count(m, &r);
	else if (measure_put(m->measure, &r, &m->out) == -1)
		refuse(m, "gives a sample longer than a line may be");
}

static void
take_all(struct meter *m)
{
	enum rec_status status;
	size_t len;
	char *line;

	while ((status = rec_next(&m->in, &line, &len)) > REC_END) {
		if (status == REC_LONG)
			refuse(m, "line too long");
		else
			take_line(m, line, len);
	}
	if (status == REC_ERROR && m->out.err == 0) {
		warn("%s", m->in.name);
		m->bad = 1;
	}
	if ((m->agg != NULL && agg_finish(m->agg) == -1) || (m->rollup != NULL && rollup_finish(m->rollup) == -1))
		err(1, NULL);
}

static void
warn_text(const char *text, void *arg)
{
	(void)arg;
	warnx("%s", text);
}

/* What goes with a layout of aggregates, and what without. */
static void
check_layout(int table)
{
	if (table && opts.interval == 0)
		errx(2, "layout \"%s\" needs -i", opts.layout);
	if (table && (opts.deltas || opts.merge || opts.labels != NULL))
		errx(2, "layout \"%s\" goes without -%c", opts.layout, opts.deltas ? 'd' : opts.merge ? 'M' : 'g');
	if (!table && opts.format > RENDER_JSON)
		errx(2, "-f needs a layout of aggregates");
}

static void
load(struct meter *m)
{
	const char *labels = opts.labels == NULL ? "service,stack,success" : opts.labels;
	char text[ERROR_MAX];

	if (catalog_load(&m->cat, opts.catalog, text, sizeof(text), NULL, NULL) == -1)
		errx(2, "%s", text);
	m->layout = catalog_layout(&m->cat, opts.layout, strlen(opts.layout));
	if (m->layout >= 0 && m->cat.layout[m->layout].record != RECORD_AGGREGATE)
		m->layout = -1;
	check_layout(m->layout >= 0);
	if (m->layout >= 0)
		m->measure = measure_open_table(&m->cat, m->layout, text, sizeof(text));
	else
		m->measure = measure_open(&m->cat, opts.layout, opts.interval == 0 ? NULL : labels, text, sizeof(text), warn_text, NULL);
	if (m->measure == NULL)
		errx(2, "%s", text);
	m->hold = measure_hold(&m->cat);
}

static void
open_rollup(struct meter *m)
{
	enum render_format format = opts.format == -1 ? RENDER_JSON : (enum render_format)opts.format;
	char text[ERROR_MAX];

	m->rollup = rollup_open(&m->cat, m->layout, format, opts.interval, &m->out, text, sizeof(text));
	if (m->rollup == NULL)
		errx(2, "%s", text);
}

static void
open_agg(struct meter *m)
{
	int n;
	const struct agg_histogram *histogram = measure_histograms(m->measure, &n);

	if ((m->agg = agg_open(&m->out, histogram, n, opts.interval, m->hold, !opts.deltas)) == NULL)
		err(1, NULL);
}

static _Noreturn void
usage(int status)
{
	say_usage("usage: og-metrics [-dM] [-c catalog] [-f format] [-g labels] [-i interval]\n"
		  "                  [-l layout]\n",
	    HELP_OG_METRICS, status);
}

static void
check_opts(void)
{
	if (opts.interval == 0 && (opts.deltas || opts.merge || opts.labels != NULL))
		errx(2, "-%c needs -i", opts.deltas ? 'd' : opts.merge ? 'M' : 'g');
	if (opts.merge && opts.labels != NULL)
		errx(2, "-M takes the labels as they are, without -g");
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "catalog", required_argument, NULL, 'c' },
		{ "deltas", no_argument, NULL, 'd' },
		{ "format", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "interval", required_argument, NULL, 'i' },
		{ "labels", required_argument, NULL, 'g' },
		{ "layout", required_argument, NULL, 'l' },
		{ "merge", no_argument, NULL, 'M' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "c:df:g:hi:l:MV", longopts, NULL)) != -1) {
		switch (ch) {
		case 'c':
			opts.catalog = optarg;
			break;
		case 'd':
			opts.deltas = 1;
			break;
		case 'f':
			if ((opts.format = render_format(optarg)) == -1)
				errx(2, "no format \"%s\": json, csv or tsv", optarg);
			break;
		case 'g':
			opts.labels = optarg;
			break;
		case 'h':
			usage(0);
		case 'i':
			if (clock_interval(optarg, &opts.interval) == -1)
				errx(2, "interval is no duration such as 15s, 5m or 1h: %s", optarg);
			break;
		case 'l':
			opts.layout = optarg;
			break;
		case 'M':
			opts.merge = 1;
			break;
		case 'V':
			say_version("og-metrics");
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
	static struct meter m;

	parse(argc, argv);
	check_opts();
	load(&m);
	if (out_open(&m.out, STDOUT_FILENO, 0) == -1 || rec_open(&m.in, STDIN_FILENO, "<stdin>", &m.out, 0) == -1)
		err(1, NULL);
	if (m.layout >= 0)
		open_rollup(&m);
	else if (opts.interval != 0)
		open_agg(&m);
	take_all(&m);
	if (out_close(&m.out) == -1)
		err(1, "<stdout>");
	return m.bad;
}
