/*
 * og-check: does this data keep its promises?
 *
 * Standard input: events, spans, samples or a world; or a folder of tables. Standard output: one JSON object, the verdict. It depends on
 * the input, on the world and the catalog, on the samples of -m and on the options.
 */
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog.h"
#include "check.h"
#include "clock.h"
#include "help.h"
#include "out.h"
#include "rec.h"
#include "render.h"
#include "rules.h"
#include "say.h"
#include "sim.h"
#include "world.h"

#define ERROR_MAX 4096

static struct opts {
	const char *catalog, *labels, *layout, *level, *samples, *world, *folder;
	int64_t interval; /* us; 0: samples of spans */
	int deltas, part, strict, unordered, verbose;
} opts = { .labels = "service,stack,success" };

struct checker {
	struct world w;
	struct catalog cat; /* without a world */
	struct sim sim;
	struct check_plan plan;
	struct check *check;
	struct rec in;
	struct out out;
};

static void
told(uint64_t line, const char *check, const char *what, void *arg)
{
	const struct checker *k = arg;

	if (line > 0)
		warnx("%s:%llu: %s: %s", k->in.name, (unsigned long long)line, check, what);
	else
		warnx("%s: %s: %s", k->in.name, check, what);
}

/* The first line of the input, without reading it. */
static size_t
peek(struct rec *in, const char **line)
{
	const char *nl;

	while (!rec_ready(in))
		if (rec_fill(in) == -1)
			err(1, "%s", in->name);
	*line = in->buf + in->pos;
	nl = memchr(*line, '\n', in->end - in->pos);
	return nl != NULL ? (size_t)(nl - *line) : in->end - in->pos;
}

static void
load(struct checker *k)
{
	const char *catalog = opts.catalog == NULL ? "social" : opts.catalog;
	char text[ERROR_MAX];

	k->plan.cat = &k->cat;
	if (opts.world == NULL) {
		if (catalog_load(&k->cat, catalog, text, sizeof(text), NULL, NULL) == -1)
			errx(2, "%s", text);
		return;
	}
	if (world_load(&k->w, opts.world, opts.catalog, text, sizeof(text)) == -1 ||
	    sim_open(&k->sim, &k->w, k->w.requests, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	if (k->w.warning != NULL)
		warnx("%s", k->w.warning);
	k->plan.cat = &k->w.cat;
	k->plan.world = &k->w;
	k->plan.sim = &k->sim;
}

/* Which layout the records have: that of the option, or that of the first line. */
static void
find_layout(struct checker *k, const char *line, size_t len)
{
	const struct catalog *c = k->plan.cat;
	const char *name = opts.layout == NULL ? "wide" : opts.layout;

	if (opts.layout == NULL && (k->plan.layout = check_layout(c, line, len)) >= 0)
		return;
	k->plan.layout = catalog_layout(c, name, strlen(name));
	if (k->plan.layout == -1)
		errx(2, "%s: no layout \"%s\"", c->name, name);
}

static void
open_check(struct checker *k)
{
	char text[ERROR_MAX], path[ERROR_MAX];

	if ((k->check = check_open(&k->plan, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
	if (k->plan.kind != CHECK_SPANS)
		return;
	if (catalog_beside(k->plan.cat, "bands", path, sizeof(path)) == 0 && check_bands(k->check, path, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	if (opts.samples != NULL && check_measure(k->check, opts.labels, opts.interval, opts.deltas, text, sizeof(text)) == -1)
		errx(2, "%s", text);
}

static void
take_all(struct checker *k)
{
	enum rec_status status;
	size_t len;
	char *line;

	while ((status = rec_next(&k->in, &line, &len)) > REC_END) {
		if (status == REC_LONG)
			check_long(k->check, k->in.line);
		else
			check_line(k->check, k->in.line, line, len);
	}
	if (status == REC_ERROR)
		err(1, "%s", k->in.name);
}

/* Can spans be made from the world? Ids in it may be too long for a line. 0, or -1 and why. */
static int
can_serve(struct checker *k, char text[ERROR_MAX])
{
	int wide = catalog_layout(&k->w.cat, "wide", 4);
	struct render *d = NULL;

	if (sim_open(&k->sim, &k->w, k->w.requests, text, ERROR_MAX) == -1)
		return -1;
	if (wide >= 0 && (d = render_open(&k->sim, wide, RENDER_SPANS, RENDER_JSON, text, ERROR_MAX)) == NULL)
		return -1;
	render_free(d);
	return 0;
}

static void
take_world(struct checker *k)
{
	char text[ERROR_MAX];

	if (world_read(&k->w, &k->in, opts.catalog, text, sizeof(text)) == -1)
		check_world(k->check, NULL, text);
	else
		check_world(k->check, &k->w, can_serve(k, text) == -1 ? text : NULL);
}

static void
take_samples(struct checker *k)
{
	struct rec samples;
	int fd = open(opts.samples, O_RDONLY);

	if (fd == -1 || rec_open(&samples, fd, opts.samples, NULL, 0) == -1)
		err(2, "%s", opts.samples);
	if (check_samples(k->check, &samples) == -1)
		err(1, "%s", opts.samples);
	rec_close(&samples);
	(void)close(fd);
}

static int
run(struct checker *k)
{
	const char *line;
	size_t len;
	int broken;

	if (rec_open(&k->in, STDIN_FILENO, "<stdin>", NULL, 0) == -1 || out_open(&k->out, STDOUT_FILENO, 0) == -1)
		err(1, NULL);
	len = peek(&k->in, &line);
	k->plan.kind = opts.layout == NULL ? check_guess(line, len) : CHECK_SPANS;
	if (opts.samples != NULL && k->plan.kind != CHECK_SPANS)
		errx(2, "-m compares samples with spans or events, and these are none");
	if (k->plan.kind != CHECK_WORLD)
		load(k);
	if (k->plan.kind == CHECK_SPANS)
		find_layout(k, line, len);
	open_check(k);
	if (k->plan.kind == CHECK_WORLD)
		take_world(k);
	else
		take_all(k);
	if (opts.samples != NULL)
		take_samples(k);
	if ((broken = check_verdict(k->check, &k->out)) == -1)
		err(1, NULL);
	if (out_close(&k->out) == -1)
		err(1, "<stdout>");
	return broken;
}

/* ---- tables ---- */

static void
told_table(const char *file, uint64_t line, const char *check, const char *what, void *arg)
{
	(void)arg;
	if (line > 0)
		warnx("%s:%llu: %s: %s", file, (unsigned long long)line, check, what);
	else
		warnx("%s: %s: %s", file, check, what);
}

/* The world of a folder: that of the option, or that which lies there. */
static void
load_folder(struct checker *k, const char *folder)
{
	char text[ERROR_MAX], path[ERROR_MAX];
	struct stat st;

	if (stat(folder, &st) == -1)
		err(2, "%s", folder);
	if (!S_ISDIR(st.st_mode))
		errx(2, "%s: no folder; records are read from standard input", folder);
	(void)snprintf(path, sizeof(path), "%s/instructors/world.ndjson", folder);
	if (access(path, F_OK) == -1)
		(void)snprintf(path, sizeof(path), "%s/world.ndjson", folder);
	if (opts.world == NULL && access(path, F_OK) == -1)
		errx(2, "%s: neither instructors/world.ndjson nor world.ndjson is there; -w names the world", folder);
	if (world_load(&k->w, opts.world == NULL ? path : opts.world, opts.catalog, text, sizeof(text)) == -1)
		errx(2, "%s", text);
}

/* A folder, by the rules of the catalog. */
static int
run_folder(struct checker *k, const char *folder)
{
	char text[ERROR_MAX], path[ERROR_MAX];
	struct rules *rules;
	int broken;

	load_folder(k, folder);
	if (catalog_beside(&k->w.cat, "checks", path, sizeof(path)) == -1)
		errx(2, "%s: the catalog has no rules for tables: no checks.tsv in %s", k->w.cat.name, k->w.cat.dir);
	if ((rules = rules_open(path, &k->w, opts.level, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
	if (rules_run(rules, folder, text, sizeof(text)) == -1)
		errx(1, "%s", text);
	if (opts.verbose)
		rules_tell(rules, told_table, NULL);
	if (out_open(&k->out, STDOUT_FILENO, 0) == -1)
		err(1, NULL);
	broken = rules_verdict(rules, &k->out);
	if (out_close(&k->out) == -1)
		err(1, "<stdout>");
	return broken;
}

static _Noreturn void
usage(int status)
{
	say_usage("usage: og-check [-Bdpuv] [-c catalog] [-g labels] [-i interval] [-l layout]\n"
		  "                [-m samples] [-S level] [-w world] [folder]\n",
	    HELP_OG_CHECK, status);
}

static void
take_option(int ch)
{
	switch (ch) {
	case 'B':
		opts.strict = 1;
		break;
	case 'c':
		opts.catalog = optarg;
		break;
	case 'd':
		opts.deltas = 1;
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
	case 'm':
		opts.samples = optarg;
		break;
	case 'p':
		opts.part = 1;
		break;
	case 'S':
		opts.level = optarg;
		break;
	case 'u':
		opts.unordered = 1;
		break;
	case 'V':
		say_version("og-check");
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

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "bands", no_argument, NULL, 'B' },
		{ "catalog", required_argument, NULL, 'c' },
		{ "deltas", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "interval", required_argument, NULL, 'i' },
		{ "labels", required_argument, NULL, 'g' },
		{ "layout", required_argument, NULL, 'l' },
		{ "level", required_argument, NULL, 'S' },
		{ "part", no_argument, NULL, 'p' },
		{ "samples", required_argument, NULL, 'm' },
		{ "unordered", no_argument, NULL, 'u' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "version", no_argument, NULL, 'V' },
		{ "world", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "Bc:dg:hi:l:m:pS:uVvw:", longopts, NULL)) != -1)
		take_option(ch);
	if (argc > optind + 1)
		usage(2);
	opts.folder = argv[optind];
	if (opts.folder != NULL && (opts.samples != NULL || opts.layout != NULL))
		errx(2, "-%c is not for a folder", opts.samples != NULL ? 'm' : 'l');
	if (opts.samples == NULL && (opts.interval != 0 || opts.deltas))
		errx(2, "-%c needs -m", opts.interval != 0 ? 'i' : 'd');
}

int
main(int argc, char *argv[])
{
	static struct checker k;

	parse(argc, argv);
	k.plan = (struct check_plan){ .part = opts.part, .unordered = opts.unordered, .strict = opts.strict };
	k.plan.told = opts.verbose ? told : NULL;
	k.plan.arg = &k;
	return opts.folder != NULL ? run_folder(&k, opts.folder) : run(&k);
}
