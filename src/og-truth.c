/*
 * og-truth: count what is in the data, and what each incident did to it
 *
 * Standard input: events, in any order; some may be missing; or with -M counts of shards. Standard output: counts, one JSON object a line.
 * They depend on the times and trace ids of the events, the world, its catalog and the options alone.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "num.h"
#include "out.h"
#include "rec.h"
#include "render.h"
#include "truth.h"
#include "world.h"

#define ERROR_MAX 4096

enum key { KEY_TIME, KEY_TRACE, KEY_PARENT, KEYS };

static struct opts {
	const char *catalog, *world, *layout;
	uint64_t requests;
	int merge;
} opts = { .layout = "wide" };

struct counter {
	struct world w;
	struct truth *truth;
	struct json_reader *json;
	const char *key[KEYS]; /* names in the layout */
	int has_parent, time_form;
	struct rec in;
	struct out out;
	int bad;
};

static void
refuse(struct counter *c, const char *what)
{
	warnx("%s:%llu: %s", c->in.name, (unsigned long long)c->in.line, what);
	c->bad = 1;
}

static int
find_time(const struct counter *c, struct json_value v, int64_t *us)
{
	char text[64];
	uint64_t ns;
	int n;

	if (c->time_form == TIME_NS) {
		if (json_u64(v, &ns) == -1)
			return -1;
		*us = (int64_t)(ns / 1000);
		return 0;
	}
	n = json_text(v, text, sizeof(text));
	return n < 0 ? -1 : clock_parse(text, (size_t)n, us);
}

static void
count_line(struct counter *c, const char *line, size_t len)
{
	struct json_value v[KEYS] = { { NULL, 0 } };
	char trace[128], text[ERROR_MAX];
	const char *e;
	uint64_t k;
	int64_t time;
	int n;

	if (json_read(c->json, line, len, v, &e) == -1) {
		refuse(c, e);
		return;
	}
	/* Spans below the root are those of a request that is counted by its root. */
	if (c->has_parent && !json_is_null(v[KEY_PARENT]))
		return;
	if ((n = json_text(v[KEY_TRACE], trace, sizeof(trace))) < 0) {
		refuse(c, "no trace id");
		return;
	}
	switch (render_trace(truth_sim(c->truth), trace, (size_t)n, &k)) {
	case 0:
		break;
	case -2:
		refuse(c, "an event of another world");
		return;
	default:
		refuse(c, "trace id is none of this catalog");
		return;
	}
	if (k >> 42 == SIM_CLASS_EVENT) {
		truth_mark(c->truth);
		return;
	}
	n = find_time(c, v[KEY_TIME], &time) == -1 ? 1 : truth_add(c->truth, k, time, text, sizeof(text));
	if (n == -1)
		errx(1, "%s", text);
	if (n == 1)
		refuse(c, "time is not that of the event");
}

static void
take_all(struct counter *c)
{
	enum rec_status status;
	const char *e;
	size_t len;
	char *line;

	while ((status = rec_next(&c->in, &line, &len)) > REC_END) {
		if (status == REC_LONG)
			refuse(c, "line too long");
		else if (!opts.merge)
			count_line(c, line, len);
		else if (truth_merge(c->truth, line, len, &e) == -1)
			refuse(c, e);
	}
	if (status == REC_ERROR) {
		warn("%s", c->in.name);
		c->bad = 1;
	}
}

/* Under which keys does the layout have what is needed? */
static void
open_keys(struct counter *c)
{
	const struct catalog *cat = &c->w.cat;
	int layout = catalog_layout(cat, opts.layout, strlen(opts.layout));

	if (layout < 0)
		errx(2, "no layout \"%s\" in catalog %s", opts.layout, cat->name);
	c->key[KEY_TIME] = render_key(cat, layout, SRC_SPAN_TIME);
	c->key[KEY_TRACE] = render_key(cat, layout, SRC_TRACE_ID);
	c->key[KEY_PARENT] = render_key(cat, layout, SRC_SPAN_PARENT);
	if (c->key[KEY_TIME] == NULL || c->key[KEY_TRACE] == NULL)
		errx(2, "layout \"%s\" has no time or no trace id", opts.layout);
	c->has_parent = c->key[KEY_PARENT] != NULL;
	for (int i = 0; i < cat->layout[layout].n; i++)
		if (cat->layout[layout].field[i].name == c->key[KEY_TIME])
			c->time_form = cat->layout[layout].field[i].value.piece[0].arg;
	if (c->time_form != TIME_RFC3339US && c->time_form != TIME_NS)
		errx(2, "layout \"%s\" has no time to the microsecond", opts.layout);
	if ((c->json = json_reader(c->key, c->has_parent ? KEYS : KEY_PARENT)) == NULL)
		err(1, NULL);
}

static void
load(struct counter *c)
{
	char text[ERROR_MAX];

	if (world_load(&c->w, opts.world, opts.catalog, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	if (c->w.warning != NULL)
		warnx("%s", c->w.warning);
	if ((c->truth = truth_open(&c->w, opts.requests, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
}

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr, "usage: og-truth -w world [-M] [-c catalog] [-l layout] [-n requests]\n");
	if (fflush(stdout) == EOF)
		err(1, "<stdout>");
	exit(status);
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "catalog", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "layout", required_argument, NULL, 'l' },
		{ "merge", no_argument, NULL, 'M' },
		{ "requests", required_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "world", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	const char *e;
	int ch;

	while ((ch = getopt_long(argc, argv, "c:hl:Mn:Vw:", longopts, NULL)) != -1) {
		switch (ch) {
		case 'c':
			opts.catalog = optarg;
			break;
		case 'h':
			usage(0);
		case 'l':
			opts.layout = optarg;
			break;
		case 'M':
			opts.merge = 1;
			break;
		case 'n':
			if (num_u64(optarg, 1, WORLD_REQUESTS_MAX, &opts.requests, &e) == -1)
				errx(2, "number of requests is %s: %s", e, optarg);
			break;
		case 'V':
			(void)printf("og-truth %s\n", OG_VERSION);
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
}

int
main(int argc, char *argv[])
{
	static struct counter c;

	parse(argc, argv);
	if (opts.world == NULL)
		usage(2);
	load(&c);
	open_keys(&c);
	if (out_open(&c.out, STDOUT_FILENO, 0) == -1 || rec_open(&c.in, STDIN_FILENO, "<stdin>", NULL, 0) == -1)
		err(1, NULL);
	take_all(&c);
	truth_put(c.truth, &c.out);
	if (out_close(&c.out) == -1)
		err(1, "<stdout>");
	return c.bad;
}
