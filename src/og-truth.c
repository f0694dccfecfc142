/*
 * og-truth: count what is in the data, and what each incident did to it
 *
 * Standard input: events, in any order; some may be missing; or with -M counts of shards. Standard output: counts, one JSON object a line.
 * They depend on the times and trace ids of the events, the world, its catalog and the options alone.
 */
#include <err.h>

#include "help.h"
#include "reader.h"
#include "truth.h"

#define ERROR_MAX 4096

static struct opts {
	int merge;
} opts;

static void
count_line(struct reader *r, struct truth *truth, const char *line, size_t len)
{
	struct render_given given;
	struct sim_request request;
	char text[ERROR_MAX];
	const char *e;

	switch (event_read(r->events, line, len, &request, &given, &e)) {
	case EVENT_BAD:
		reader_refuse(r, e);
		break;
	case EVENT_MARK:
		truth_mark(truth);
		break;
	case EVENT_REQUEST:
		if (truth_add(truth, &request, text, sizeof(text)) == -1)
			errx(1, "%s", text);
		break;
	}
}

static void
count_all(struct reader *r, struct truth *truth)
{
	const char *e;
	size_t len;
	char *line;

	while (reader_line(r, &line, &len))
		if (!opts.merge)
			count_line(r, truth, line, len);
		else if (truth_merge(truth, line, len, &e) == -1)
			reader_refuse(r, e);
}

int
main(int argc, char *argv[])
{
	static struct reader r = {
		.name = "og-truth",
		.usage = "usage: og-truth -w world [-M] [-c catalog] [-n requests]\n",
		.help = HELP_OG_TRUTH,
	};
	static const struct option own[] = {
		{ "merge", no_argument, NULL, 'M' },
		{ NULL, 0, NULL, 0 },
	};
	struct truth *truth;
	char text[ERROR_MAX];

	while (reader_option(&r, argc, argv, "c:hMn:Vw:", own) != -1)
		opts.merge = 1;
	if (r.world == NULL)
		reader_usage(&r, 2);
	reader_load(&r);
	if ((truth = truth_open(&r.w, r.requests, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
	reader_events(&r, truth_sim(truth), -1);
	reader_output(&r);
	count_all(&r, truth);
	truth_put(truth, &r.out);
	truth_free(truth);
	return reader_end(&r);
}
