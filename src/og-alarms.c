/*
 * og-alarms: what is known of the incidents of a world, by a layout
 *
 * Standard input: a world, unless -w names one. Standard output: a record for each incident, in order of their starts. They depend on the
 * world, its catalog and the options alone.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "help.h"
#include "out.h"
#include "render.h"
#include "sim.h"
#include "world.h"

#define ERROR_MAX 4096

static struct opts {
	const char *catalog, *world, *layout;
	enum render_format format;
} opts = { .layout = "alarms" };

static void
read_world(struct world *w)
{
	char text[ERROR_MAX];

	if (world_load(w, opts.world, opts.catalog, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	if (w->warning != NULL)
		warnx("%s", w->warning);
}

/* The first link that one of its effects is about; -1. */
static int
link_of(const struct world *w, const struct world_incident *x)
{
	for (int i = 0; i < x->neffects; i++)
		if (world_of(&w->cat, x->effect[i].what, x->effect[i].series) == OF_LINK && x->effect[i].nthings > 0)
			return x->effect[i].thing[0];
	return -1;
}

static void
run(const struct world *w)
{
	int layout = catalog_layout(&w->cat, opts.layout, strlen(opts.layout));
	char text[ERROR_MAX];
	struct render *d;
	struct sim s;
	struct out out;
	size_t most;

	if (layout < 0)
		errx(2, "no layout \"%s\" in catalog %s", opts.layout, w->cat.name);
	if (sim_open(&s, w, 0, text, sizeof(text)) == -1 ||
	    (d = render_open(&s, layout, RENDER_INCIDENTS, opts.format, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
	if (out_open(&out, STDOUT_FILENO, 0) == -1)
		err(1, NULL);
	most = render_most(d);
	out_took(&out, render_head(d, out_room(&out, most)));
	for (int i = 0; i < w->nincidents; i++) {
		const struct world_incident *x = &w->incident[i];

		out_took(&out,
		    render_thing(d, out_room(&out, most), &(struct render_thing){ x->start, x->end, link_of(w, x), -1, -1, -1, NULL, x }));
	}
	if (out_close(&out) == -1)
		err(1, "<stdout>");
	render_free(d);
	sim_close(&s);
}

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr, "usage: og-alarms [-c catalog] [-f format] [-l layout] [-w world]\n");
	if (status == 0)
		(void)fputs(HELP_OG_ALARMS, stdout);
	if (fflush(stdout) == EOF)
		err(1, "<stdout>");
	exit(status);
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
		{ "catalog", required_argument, NULL, 'c' },
		{ "format", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "layout", required_argument, NULL, 'l' },
		{ "version", no_argument, NULL, 'V' },
		{ "world", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "c:f:hl:Vw:", longopts, NULL)) != -1) {
		switch (ch) {
		case 'c':
			opts.catalog = optarg;
			break;
		case 'f':
			parse_format(optarg);
			break;
		case 'h':
			usage(0);
		case 'l':
			opts.layout = optarg;
			break;
		case 'V':
			(void)printf("og-alarms %s\n", OG_VERSION);
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

	parse(argc, argv);
	read_world(&w);
	run(&w);
	world_free(&w);
	return 0;
}
