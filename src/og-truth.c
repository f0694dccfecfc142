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

#include "event.h"
#include "help.h"
#include "num.h"
#include "out.h"
#include "rec.h"
#include "truth.h"
#include "world.h"

#define ERROR_MAX 4096

static struct opts {
	const char *catalog, *world;
	uint64_t requests;
	int merge;
} opts;

struct counter {
	struct world w;
	struct truth *truth;
	struct event_reader *events;
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

static void
count_line(struct counter *c, const char *line, size_t len)
{
	struct render_given given;
	struct sim_request r;
	char text[ERROR_MAX];
	const char *e;

	switch (event_read(c->events, line, len, &r, &given, &e)) {
	case EVENT_BAD:
		refuse(c, e);
		break;
	case EVENT_MARK:
		truth_mark(c->truth);
		break;
	case EVENT_REQUEST:
		if (truth_add(c->truth, &r, text, sizeof(text)) == -1)
			errx(1, "%s", text);
		break;
	}
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

static void
load(struct counter *c)
{
	char text[ERROR_MAX];

	if (world_load(&c->w, opts.world, opts.catalog, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	if (c->w.warning != NULL)
		warnx("%s", c->w.warning);
	if ((c->truth = truth_open(&c->w, opts.requests, text, sizeof(text))) == NULL ||
	    (c->events = event_open(truth_sim(c->truth), -1, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
}

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr, "usage: og-truth -w world [-M] [-c catalog] [-n requests]\n");
	if (status == 0)
		(void)fputs(HELP_OG_TRUTH, stdout);
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
		{ "merge", no_argument, NULL, 'M' },
		{ "requests", required_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "world", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	const char *e;
	int ch;

	while ((ch = getopt_long(argc, argv, "c:hMn:Vw:", longopts, NULL)) != -1) {
		switch (ch) {
		case 'c':
			opts.catalog = optarg;
			break;
		case 'h':
			usage(0);
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
	if (out_open(&c.out, STDOUT_FILENO, 0) == -1 || rec_open(&c.in, STDIN_FILENO, "<stdin>", NULL, 0) == -1)
		err(1, NULL);
	take_all(&c);
	truth_put(c.truth, &c.out);
	if (out_close(&c.out) == -1)
		err(1, "<stdout>");
	return c.bad;
}
