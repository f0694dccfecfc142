/*
 * og-series: what is measured of links, hosts, services and places over time
 *
 * Standard input: a world, unless -w names one. Standard output: samples, in order of time; or, by a layout, a record for each thing and
 * time. They depend on the world, its catalog and the options alone.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "help.h"
#include "json.h"
#include "num.h"
#include "out.h"
#include "render.h"
#include "series.h"
#include "sim.h"
#include "world.h"

#define ERROR_MAX 4096
#define HOST_MAX 1024 /* bytes of a name */
#define SAMPLE_MAX 64 /* bytes of a time and a value */

static struct opts {
	const char *catalog, *world, *layout;
	int64_t begin, end; /* us; -1: the world's */
	int64_t interval;   /* us; 0: that of each series */
	uint64_t shard, shards;
	enum render_format format;
} opts = { .begin = -1, .end = -1, .shard = 1, .shards = 1 };

/* A series as samples: what stands before the time and behind the value of each thing. */
struct samples {
	int series, n;
	int64_t every;
	char *head, **tail;
	size_t most; /* bytes of a line */
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

static int64_t
first_step(int64_t from, int64_t every)
{
	return from + (every - from % every) % every;
}

static char *
put(char *to, const char *text)
{
	size_t n = strlen(text);

	memcpy(to, text, n);
	return to + n;
}

/* `,"key":"value"`, with key and value quoted. */
static char *
put_tag(char *to, const char *key, const char *value)
{
	*to++ = ',';
	to = json_quote(to, key, strlen(key));
	*to++ = ':';
	return json_quote(to, value, strlen(value));
}

/* Names of parts; not that which the thing's own name has. */
static char *
put_parts(char *to, char *const *name, char *const *value, int n, const char *own)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name[i], own) != 0)
			to = put_tag(to, name[i], value[i]);
	return to;
}

/* Tags of a thing and the end of the line; how many bytes. */
static size_t
put_tail(char *to, const struct catalog *c, enum catalog_of of, const struct series_thing *x)
{
	char host[HOST_MAX] = "", *start = to;
	const struct catalog_place *p = &c->place[x->place];

	memcpy(to, ",\"tags\":", 8);
	to += 8; /* where the first comma will be is the brace */
	if (of == OF_LINK) {
		to = put_tag(to, "link", c->link[x->link].id);
		to = put_tag(to, "from", p->id);
		to = put_tag(to, "to", c->place[c->link[x->link].to].id);
	} else {
		if (of == OF_HOST && catalog_host(c, x->service, x->place, x->host, host, sizeof(host)) != -1)
			to = put_tag(to, "host", host);
		if (of == OF_SERVICE)
			to = put_parts(to, c->servicepart, c->service[x->service].part, c->nserviceparts, "");
		to = put_parts(to, c->placepart, p->part, c->nplaceparts, of == OF_HOST ? "host" : "");
	}
	start[8] = '{';
	memcpy(to, "}}\n", 3);
	return (size_t)(to + 3 - start);
}

static void
open_samples(struct samples *x, const struct catalog *c, const struct series *s, int series)
{
	const struct catalog_series *k = &c->series[series];
	const struct series_thing *thing = series_things(s, series, &x->n);
	char *buf = malloc(OUT_LINE_MAX), *end;

	x->series = series;
	x->every = opts.interval != 0 ? opts.interval : k->every;
	if (buf == NULL || (x->head = malloc(JSON_QUOTED(strlen(k->id)) + 32)) == NULL ||
	    (x->tail = calloc((size_t)x->n + 1, sizeof(*x->tail))) == NULL)
		err(1, NULL);
	memcpy(x->head, "{\"metric\":", 10);
	end = json_quote(x->head + 10, k->id, strlen(k->id));
	memcpy(end, ",\"ts\":", 7);
	for (int i = 0; i < x->n; i++) {
		size_t n = put_tail(buf, c, k->of, &thing[i]);

		if ((x->tail[i] = malloc(n + 1)) == NULL)
			err(1, NULL);
		memcpy(x->tail[i], buf, n);
		x->tail[i][n] = '\0';
		x->most = n > x->most ? n : x->most;
	}
	x->most += strlen(x->head) + SAMPLE_MAX;
	free(buf);
}

static void
put_samples(const struct samples *x, struct series *s, int64_t t, struct out *out)
{
	struct series_value v;

	for (int i = 0; i < x->n; i++) {
		char *to = out_room(out, x->most);
		int64_t second = t / CLOCK_SECOND;

		series_at(s, x->series, i, t, x->every, &v);
		to = put(to, x->head);
		to = render_number(to, (double)second, 0);
		to = put(to, ",\"value\":");
		to = render_number(to, v.value, RENDER_PLACES);
		to = put(to, x->tail[i]);
		out_took(out, to);
	}
}

/* All series, at each moment in order of the table. */
static void
write_samples(const struct world *w, struct series *s, struct out *out, int64_t from, int64_t to)
{
	int n = w->cat.nseries;
	struct samples *all = calloc((size_t)n + 1, sizeof(*all));

	if (all == NULL)
		err(1, NULL);
	for (int i = 0; i < n; i++)
		open_samples(&all[i], &w->cat, s, i);
	for (int64_t t = from, next; t < to && out->err == 0; t = next) {
		next = to;
		for (int i = 0; i < n; i++) {
			int64_t at = first_step(t, all[i].every);

			if (at == t)
				put_samples(&all[i], s, t, out);
			at = first_step(t + 1, all[i].every);
			next = at < next ? at : next;
		}
	}
	for (int i = 0; i < n; i++) {
		for (int k = 0; k < all[i].n; k++)
			free(all[i].tail[k]);
		free(all[i].head);
		free(all[i].tail);
	}
	free(all);
}

static int
uses(const struct catalog_layout *l, int series)
{
	for (int i = 0; i < l->n; i++) {
		for (int k = 0; k < l->field[i].value.n; k++)
			if (l->field[i].value.piece[k].src == SRC_SERIES && l->field[i].value.piece[k].arg == series)
				return 1;
		for (int k = 0; k < l->field[i].when.n; k++)
			if (l->field[i].when.term[k].src == SRC_SERIES && l->field[i].when.term[k].arg == series)
				return 1;
	}
	return 0;
}

/* The series that a layout shows, and how often the most frequent one comes. */
static int *
find_used(const struct catalog *c, const struct catalog_layout *l, int *n, int64_t *every)
{
	int *used = calloc((size_t)c->nseries + 1, sizeof(*used));

	if (used == NULL)
		err(1, NULL);
	*n = 0;
	*every = 0;
	for (int i = 0; i < c->nseries; i++)
		if (uses(l, i)) {
			used[(*n)++] = i;
			*every = *every == 0 || c->series[i].every < *every ? c->series[i].every : *every;
		}
	if (*n == 0)
		errx(2, "no series in layout \"%s\"", l->name);
	*every = opts.interval != 0 ? opts.interval : *every;
	return used;
}

/* A record for each thing and time. */
static void
write_records(
    const struct catalog *c, struct series *s, const struct catalog_layout *l, struct render *d, struct out *out, int64_t from, int64_t to)
{
	double *value = calloc((size_t)c->nseries + 1, sizeof(*value));
	size_t most = render_most(d);
	const struct series_thing *thing;
	struct series_value v;
	int64_t every;
	int n, things, *used = find_used(c, l, &n, &every);

	if (value == NULL)
		err(1, NULL);
	thing = series_things(s, used[0], &things);
	if (opts.shard == 1)
		out_took(out, render_head(d, out_room(out, most)));
	for (int64_t t = first_step(from, every); t < to && out->err == 0; t += every)
		for (int k = 0; k < things; k++) {
			struct render_thing x = { t, t + every, thing[k].link, thing[k].place, thing[k].service, thing[k].host, value,
				NULL };

			for (int i = 0; i < n; i++) {
				series_at(s, used[i], k, t, every, &v);
				value[used[i]] = v.value;
			}
			out_took(out, render_thing(d, out_room(out, most), &x));
		}
	free(value);
	free(used);
}

static void
run(const struct world *w)
{
	int64_t from = opts.begin > w->begin ? opts.begin : w->begin, to = opts.end != -1 && opts.end < w->end ? opts.end : w->end,
		all = to - from;
	int layout = opts.layout == NULL ? -1 : catalog_layout(&w->cat, opts.layout, strlen(opts.layout));
	char text[ERROR_MAX];
	struct series *s;
	struct render *d;
	struct sim sim;
	struct out out;

	if (opts.layout != NULL && layout < 0)
		errx(2, "no layout \"%s\" in catalog %s", opts.layout, w->cat.name);
	if ((s = series_open(w, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
	if (out_open(&out, STDOUT_FILENO, 0) == -1)
		err(1, NULL);
	/* Slices of time, each cut where the next begins. */
	to = from + (int64_t)((double)all * ((double)opts.shard / (double)opts.shards));
	from += (int64_t)((double)all * ((double)(opts.shard - 1) / (double)opts.shards));
	if (layout < 0) {
		write_samples(w, s, &out, from, to);
	} else {
		if (sim_open(&sim, w, 0, text, sizeof(text)) == -1 ||
		    (d = render_open(&sim, layout, RENDER_THINGS, opts.format, text, sizeof(text))) == NULL)
			errx(2, "%s", text);
		write_records(&w->cat, s, &w->cat.layout[layout], d, &out, from, to);
		render_free(d);
		sim_close(&sim);
	}
	if (out_close(&out) == -1)
		err(1, "<stdout>");
	series_free(s);
}

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr,
	    "usage: og-series [-b begin] [-c catalog] [-e end] [-f format] [-i interval] [-k shard]\n"
	    "                 [-l layout] [-w world]\n");
	if (status == 0)
		(void)fputs(HELP_OG_SERIES, stdout);
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
parse_interval(const char *text)
{
	if (clock_duration(text, strlen(text), &opts.interval) == -1 || opts.interval < CLOCK_SECOND || opts.interval > CLOCK_DAY ||
	    opts.interval % CLOCK_SECOND != 0)
		errx(2, "interval is not whole seconds from 1s to 1d: %s", text);
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
parse_format(const char *text)
{
	int format = render_format(text);

	if (format == -1)
		errx(2, "no format \"%s\": json, csv or tsv", text);
	opts.format = (enum render_format)format;
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "begin", required_argument, NULL, 'b' },
		{ "catalog", required_argument, NULL, 'c' },
		{ "end", required_argument, NULL, 'e' },
		{ "format", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "interval", required_argument, NULL, 'i' },
		{ "shard", required_argument, NULL, 'k' },
		{ "layout", required_argument, NULL, 'l' },
		{ "version", no_argument, NULL, 'V' },
		{ "world", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "b:c:e:f:hi:k:l:Vw:", longopts, NULL)) != -1) {
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
			parse_format(optarg);
			break;
		case 'h':
			usage(0);
		case 'i':
			parse_interval(optarg);
			break;
		case 'k':
			parse_shard(optarg);
			break;
		case 'l':
			opts.layout = optarg;
			break;
		case 'V':
			(void)printf("og-series %s\n", OG_VERSION);
			if (fflush(stdout) == EOF)
				err(1, "<stdout>");
			exit(0);
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
	if (opts.layout == NULL && opts.format != RENDER_JSON)
		errx(2, "samples are JSON: another format needs a layout");
}

int
main(int argc, char *argv[])
{
	struct world w;

	parse(argc, argv);
	read_world(&w);
	run(&w);
	world_free(&w);
	return 0;
}
