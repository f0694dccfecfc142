/*
 * og-logs: the lines that each request writes
 *
 * Standard input: events, in any order and layout; some may be missing. Standard output: for each, what its spans log, in order of cause.
 * They depend on the event's time and trace id, the world, its catalog and the options alone.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event.h"
#include "help.h"
#include "num.h"
#include "out.h"
#include "rec.h"
#include "render.h"
#include "sim.h"
#include "world.h"

#define ERROR_MAX 4096

static struct opts {
	const char *catalog, *world, *layout;
	uint64_t requests;
	enum render_format format;
} opts = { .layout = "lines" };

struct logger {
	struct sim s;
	struct render *d;
	struct event_reader *events;
	struct rec in;
	struct out out;
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

/* Of an event that cannot be read nothing is written, and the exit status tells. */
static void
refuse(struct logger *g, const char *what)
{
	warnx("%s:%llu: %s", g->in.name, (unsigned long long)g->in.line, what);
	g->status = 1;
}

static void
log_event(struct logger *g, const char *line, size_t len)
{
	const struct render_line *lines;
	struct render_given given;
	struct sim_request r;
	const char *why;
	char *end;
	int n;

	switch (event_read(g->events, line, len, &r, &given, &why)) {
	case EVENT_BAD:
		refuse(g, why);
		return;
	case EVENT_MARK:
		return;
	case EVENT_REQUEST:
		break;
	}
	sim_grow(&g->s, &r);
	if ((n = render_lines(g->d, &r, &lines)) == -1)
		err(1, NULL);
	for (int i = 0; i < n; i++) {
		if ((end = render_line(g->d, out_room(&g->out, g->most), &r, &lines[i], &given)) == NULL)
			err(1, NULL);
		out_took(&g->out, end);
	}
}

static void
log_all(struct logger *g)
{
	char *line;
	size_t len;

	for (;;) {
		switch (rec_next(&g->in, &line, &len)) {
		case REC_LINE:
			log_event(g, line, len);
			break;
		case REC_LONG:
			refuse(g, "line too long");
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

static int
run(const struct world *w)
{
	struct logger g = { .status = 0 };
	char text[ERROR_MAX];
	int layout = catalog_layout(&w->cat, opts.layout, strlen(opts.layout));

	if (layout < 0)
		errx(2, "no layout \"%s\" in catalog %s", opts.layout, w->cat.name);
	if (sim_open(&g.s, w, opts.requests, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	g.d = render_open(&g.s, layout, RENDER_LINES, opts.format, text, sizeof(text));
	if (g.d == NULL)
		errx(2, "%s", text);
	g.most = render_most(g.d);
	if ((g.events = event_open(&g.s, -1, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
	if (out_open(&g.out, STDOUT_FILENO, 0) == -1 || rec_open(&g.in, STDIN_FILENO, "<stdin>", &g.out, 0) == -1)
		err(1, NULL);
	out_took(&g.out, render_head(g.d, out_room(&g.out, g.most)));
	log_all(&g);
	if (out_close(&g.out) == -1)
		err(1, "<stdout>");
	rec_close(&g.in);
	event_free(g.events);
	render_free(g.d);
	sim_close(&g.s);
	return g.status;
}

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr, "usage: og-logs -w world [-c catalog] [-f format] [-l layout] [-n requests]\n");
	if (status == 0)
		(void)fputs(HELP_OG_LOGS, stdout);
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
			(void)printf("og-logs %s\n", OG_VERSION);
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
