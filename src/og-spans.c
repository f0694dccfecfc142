/*
 * og-spans: grow each event into its whole tree of calls
 *
 * Standard input: events, in any order; some may be missing. Standard output: each of them, as it came, and behind it the spans below it.
 * They depend on the event's time and trace id, the world, its catalog and the options alone.
 */
#include <err.h>
#include <getopt.h>
#include <stdarg.h>
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
#include "sim.h"
#include "world.h"

#define ERROR_MAX 4096

enum key { KEY_TIME, KEY_TRACE, KEY_PARENT, KEY_USER, KEY_OBJECT, KEYS };

static struct opts {
	const char *catalog, *world, *layout;
	uint64_t requests;
	enum render_format format;
} opts = { .layout = "wide" };

struct grower {
	struct sim s;
	struct render *d;
	struct json_reader *json;
	struct rec in;
	struct out out;
	const char *key[KEYS]; /* names in the layout; NULL: not there */
	int at[KEYS];          /* index into what the reader gives; -1 */
	int time_form;
	size_t most;
	int status;
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

/* A line that cannot be grown goes on as it is, and the exit status tells. */
static void
refuse(struct grower *g, const char *line, size_t len, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	warnx("%s:%llu: %s", g->in.name, (unsigned long long)g->in.line, text);
	g->status = 1;
	if (line != NULL && opts.format == RENDER_JSON) {
		out_put(&g->out, line, len);
		out_put(&g->out, "\n", 1);
	}
}

/* A string as it stands, when it has no escapes; else unescaped into buf. NULL: no string. */
static const char *
plain(struct json_value v, char *buf, size_t size, size_t *n)
{
	int len;

	if (!json_is_string(v))
		return NULL;
	if (memchr(v.p, '\\', v.n) == NULL) {
		*n = v.n - 2;
		return v.p + 1;
	}
	len = json_text(v, buf, size);
	*n = (size_t)len;
	return len < 0 ? NULL : buf;
}

static int
find_time(const struct grower *g, struct json_value v, int64_t *us)
{
	char buf[64];
	const char *text;
	uint64_t ns;
	size_t n;

	if (g->time_form == TIME_NS) {
		if (json_u64(v, &ns) == -1)
			return -1;
		*us = (int64_t)(ns / 1000);
		return 0;
	}
	text = plain(v, buf, sizeof(buf), &n);
	return text == NULL ? -1 : clock_parse(text, n, us);
}

/* Which request is it? 1: a request; 0: a record without a tree; -1: refused. */
static int
find_request(struct grower *g, const char *line, size_t len, const struct json_value *v, struct sim_request *r)
{
	char buf[128];
	const char *text;
	uint64_t k;
	int64_t t;
	size_t n;

	if (json_is_null(v[g->at[KEY_TRACE]]) || json_is_null(v[g->at[KEY_TIME]])) {
		refuse(g, line, len, "no \"%s\"", g->key[json_is_null(v[g->at[KEY_TRACE]]) ? KEY_TRACE : KEY_TIME]);
		return -1;
	}
	text = plain(v[g->at[KEY_TRACE]], buf, sizeof(buf), &n);
	switch (text == NULL ? -1 : render_trace(&g->s, text, n, &k)) {
	case 0:
		break;
	case -2:
		refuse(g, line, len, "an event of another world");
		return -1;
	default:
		refuse(g, line, len, "\"%s\" is no trace id of this catalog", g->key[KEY_TRACE]);
		return -1;
	}
	if (k >> 42 == SIM_CLASS_EVENT)
		return 0;
	if (g->at[KEY_PARENT] >= 0 && !json_is_null(v[g->at[KEY_PARENT]])) {
		refuse(g, line, len, "a span below another, not an event");
		return -1;
	}
	if (find_time(g, v[g->at[KEY_TIME]], &t) == -1 || sim_request(&g->s, k, t, r) == -1) {
		refuse(g, line, len, "\"%s\" is not the event's time", g->key[KEY_TIME]);
		return -1;
	}
	return 1;
}

/* May the spans take the event's user and object over? */
static int
check_given(struct grower *g, const char *line, size_t len, const struct json_value *v)
{
	for (int i = KEY_USER; i <= KEY_OBJECT; i++) {
		if (g->at[i] < 0 || json_is_null(v[g->at[i]]))
			continue;
		if (!json_is_string(v[g->at[i]]) || v[g->at[i]].n > RENDER_GIVEN_MAX) {
			refuse(g, line, len, "\"%s\" is not text of at most %d bytes", g->key[i], RENDER_GIVEN_MAX - 2);
			return -1;
		}
	}
	return 0;
}

static void
grow_line(struct grower *g, char *line, size_t len)
{
	struct json_value v[KEYS], none = { NULL, 0 };
	struct render_given given;
	struct sim_request r;
	const char *e;
	int found;

	if (json_read(g->json, line, len, v, &e) == -1) {
		refuse(g, line, len, "%s", e);
		return;
	}
	found = find_request(g, line, len, v, &r);
	if (found == -1 || (found == 1 && check_given(g, line, len, v) == -1))
		return;
	if (found == 0 || opts.format == RENDER_JSON) {
		if (opts.format != RENDER_JSON)
			return; /* the record of a rollout has no columns of its own here; og-events writes it */
		line[len] = '\n';
		out_put(&g->out, line, len + 1);
	}
	if (found == 0)
		return;
	sim_grow(&g->s, &r);
	given.user = g->at[KEY_USER] >= 0 ? v[g->at[KEY_USER]] : none;
	given.object = g->at[KEY_OBJECT] >= 0 ? v[g->at[KEY_OBJECT]] : none;
	for (uint32_t i = opts.format == RENDER_JSON; i < r.nspans; i++)
		out_took(&g->out, render_span(g->d, out_room(&g->out, g->most), &r, i, &given));
}

static void
grow_all(struct grower *g)
{
	char *line;
	size_t len;

	for (;;) {
		switch (rec_next(&g->in, &line, &len)) {
		case REC_LINE:
			grow_line(g, line, len);
			break;
		case REC_LONG:
			refuse(g, NULL, 0, "longer than %d bytes: left out", OUT_LINE_MAX);
			break;
		case REC_END:
			return;
		case REC_ERROR:
			if (g->out.err == 0)
				err(1, "%s", g->in.name);
			return;
		}
		if (g->out.err != 0)
			return;
	}
}

/* Under which keys does the layout have what is needed? */
static void
open_keys(struct grower *g, int layout)
{
	static const enum catalog_source source[KEYS] = { SRC_SPAN_TIME, SRC_TRACE_ID, SRC_SPAN_PARENT, SRC_USER_ID, SRC_OBJECT_ID };
	const struct catalog *c = g->s.c;
	const char *name[KEYS];
	int n = 0;

	for (int i = 0; i < KEYS; i++) {
		g->key[i] = render_key(c, layout, source[i]);
		g->at[i] = g->key[i] == NULL ? -1 : n;
		if (g->key[i] != NULL)
			name[n++] = g->key[i];
	}
	if (g->at[KEY_TIME] == -1 || g->at[KEY_TRACE] == -1)
		errx(2, "layout \"%s\" has no time or no trace id", opts.layout);
	for (int i = 0; i < c->layout[layout].n; i++)
		if (c->layout[layout].field[i].name == g->key[KEY_TIME])
			g->time_form = c->layout[layout].field[i].value.piece[0].arg;
	if (g->time_form != TIME_RFC3339US && g->time_form != TIME_NS)
		errx(2, "layout \"%s\" has no time to the microsecond", opts.layout);
	g->json = json_reader(name, n);
	if (g->json == NULL)
		err(1, NULL);
}

static int
run(const struct world *w)
{
	struct grower g = { .status = 0 };
	char text[ERROR_MAX];
	int layout = catalog_layout(&w->cat, opts.layout, strlen(opts.layout));

	if (layout < 0)
		errx(2, "no layout \"%s\" in catalog %s", opts.layout, w->cat.name);
	if (sim_open(&g.s, w, opts.requests, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	g.d = render_open(&g.s, layout, opts.format, text, sizeof(text));
	if (g.d == NULL)
		errx(2, "%s", text);
	g.most = render_most(g.d);
	open_keys(&g, layout);
	if (out_open(&g.out, STDOUT_FILENO, 0) == -1 || rec_open(&g.in, STDIN_FILENO, "<stdin>", &g.out, 0) == -1)
		err(1, NULL);
	out_took(&g.out, render_head(g.d, out_room(&g.out, g.most)));
	grow_all(&g);
	if (out_close(&g.out) == -1)
		err(1, "<stdout>");
	rec_close(&g.in);
	json_reader_free(g.json);
	render_free(g.d);
	sim_close(&g.s);
	return g.status;
}

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr, "usage: og-spans -w world [-c catalog] [-f format] [-l layout] [-n requests]\n");
	if (fflush(stdout) == EOF)
		err(1, "<stdout>");
	exit(status);
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "catalog", required_argument, NULL, 'c' },
		{ "format", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "layout", required_argument, NULL, 'l' },
		{ "requests", required_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "world", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	const char *e;
	int ch, format;

	while ((ch = getopt_long(argc, argv, "c:f:hl:n:Vw:", longopts, NULL)) != -1) {
		switch (ch) {
		case 'c':
			opts.catalog = optarg;
			break;
		case 'f':
			if ((format = render_format(optarg)) == -1)
				errx(2, "no format \"%s\": json, csv or tsv", optarg);
			opts.format = (enum render_format)format;
			break;
		case 'h':
			usage(0);
		case 'l':
			opts.layout = optarg;
			break;
		case 'n':
			if (num_u64(optarg, 1, WORLD_REQUESTS_MAX, &opts.requests, &e) == -1)
				errx(2, "number of requests is %s: %s", e, optarg);
			break;
		case 'V':
			(void)printf("og-spans %s\n", OG_VERSION);
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
	struct world w;
	int status;

	parse(argc, argv);
	if (opts.world == NULL)
		usage(2);
	read_world(&w);
	status = run(&w);
	world_free(&w);
	return status;
}
