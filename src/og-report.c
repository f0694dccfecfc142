/*
 * og-report: a page about a data set
 *
 * Standard input: spans, or aggregates of og-metrics -d. Standard output: an HTML page that needs nothing else. It depends on the input,
 * the world, its catalog, the summary and the options alone.
 */
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "help.h"
#include "out.h"
#include "rec.h"
#include "report.h"
#include "world.h"

#define ERROR_MAX 4096

static struct opts {
	const char *catalog, *world, *layout, *summary;
	int64_t begin, end, interval;
} opts = { .layout = "wide", .begin = INT64_MIN, .end = INT64_MAX };

/* The whole file; longer ones are no summaries. */
static void
read_summary(struct report *r)
{
	char *text = malloc(REPORT_SUMMARY_MAX);
	const char *e;
	size_t n;
	FILE *f;

	if (text == NULL || (f = fopen(opts.summary, "r")) == NULL)
		err(2, "%s", opts.summary);
	n = fread(text, 1, REPORT_SUMMARY_MAX, f);
	if (ferror(f))
		err(2, "%s", opts.summary);
	if (n == REPORT_SUMMARY_MAX)
		errx(2, "%s: longer than %d bytes", opts.summary, REPORT_SUMMARY_MAX);
	while (n > 0 && strchr(" \n\r\t", text[n - 1]) != NULL)
		n--;
	if (report_summary(r, text, n, &e) == -1)
		errx(2, "%s: %s", opts.summary, e);
	(void)fclose(f);
	free(text);
}

/* 0; or 1: something was reported. */
static int
take_all(struct report *r)
{
	enum rec_status status;
	struct rec in;
	const char *e;
	size_t len;
	char *line;
	int bad = 0;

	if (rec_open(&in, STDIN_FILENO, "<stdin>", NULL, 0) == -1)
		err(1, NULL);
	while ((status = rec_next(&in, &line, &len)) > REC_END) {
		if (status == REC_LONG)
			e = "line too long";
		else if (report_add(r, line, len, &e) == 0)
			continue;
		warnx("%s:%llu: %s", in.name, (unsigned long long)in.line, e);
		bad = 1;
	}
	if (status == REC_ERROR) {
		warn("%s", in.name);
		bad = 1;
	}
	rec_close(&in);
	return bad;
}

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr,
	    "usage: og-report -w world [-b begin] [-c catalog] [-e end] [-i interval] [-l layout]\n"
	    "                 [-S summary]\n");
	if (status == 0)
		(void)fputs(HELP_OG_REPORT, stdout);
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
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "begin", required_argument, NULL, 'b' },
		{ "catalog", required_argument, NULL, 'c' },
		{ "end", required_argument, NULL, 'e' },
		{ "help", no_argument, NULL, 'h' },
		{ "interval", required_argument, NULL, 'i' },
		{ "layout", required_argument, NULL, 'l' },
		{ "summary", required_argument, NULL, 'S' },
		{ "version", no_argument, NULL, 'V' },
		{ "world", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "b:c:e:hi:l:S:Vw:", longopts, NULL)) != -1) {
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
		case 'h':
			usage(0);
		case 'i':
			if (clock_duration(optarg, strlen(optarg), &opts.interval) == -1 || opts.interval < CLOCK_SECOND)
				errx(2, "interval is no duration such as 15s, 5m or 1h: %s", optarg);
			break;
		case 'l':
			opts.layout = optarg;
			break;
		case 'S':
			opts.summary = optarg;
			break;
		case 'V':
			(void)printf("og-report %s\n", OG_VERSION);
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
	char text[ERROR_MAX];
	struct report *r;
	struct world w;
	struct out out;
	int bad;

	parse(argc, argv);
	if (opts.world == NULL)
		usage(2);
	if (world_load(&w, opts.world, opts.catalog, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	if (w.warning != NULL)
		warnx("%s", w.warning);
	if ((r = report_open(&w, opts.layout, opts.interval, opts.begin, opts.end, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
	if (opts.summary != NULL)
		read_summary(r);
	bad = take_all(r);
	if (out_open(&out, STDOUT_FILENO, 0) == -1 || report_put(r, &out, OG_VERSION) == -1)
		err(1, NULL);
	if (out_close(&out) == -1)
		err(1, "<stdout>");
	report_free(r);
	world_free(&w);
	return bad;
}
