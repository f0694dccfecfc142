/*
 * og-report: a page about a data set
 *
 * Standard input: spans, or aggregates of og-metrics -d. Standard output: an HTML page that needs nothing else. It depends on the input,
 * the world, its catalog, the summary and the options alone.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "help.h"
#include "reader.h"
#include "report.h"

#define ERROR_MAX 4096

static struct opts {
	const char *summary;
	int64_t interval; /* us; 0: by what there is */
} opts;

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

static void
set_option(int letter)
{
	if (letter == 'S')
		opts.summary = optarg;
	else if (clock_duration(optarg, strlen(optarg), &opts.interval) == -1 || opts.interval < CLOCK_SECOND)
		errx(2, "interval is no duration from 1s on, such as 15s, 5m or 1h: %s", optarg);
}

static struct report *
open_report(struct reader *r)
{
	int64_t begin = r->begin == -1 ? INT64_MIN : r->begin, end = r->end == -1 ? INT64_MAX : r->end;
	char text[ERROR_MAX];
	struct report *report = report_open(&r->w, r->layout, opts.interval, begin, end, text, sizeof(text));

	if (report == NULL)
		errx(2, "%s", text);
	if (opts.summary != NULL)
		read_summary(report);
	return report;
}

int
main(int argc, char *argv[])
{
	static struct reader r = {
		.name = "og-report",
		.usage = "usage: og-report -w world [-b begin] [-c catalog] [-e end] [-i interval] [-l layout]\n"
			 "                 [-S summary]\n",
		.help = HELP_OG_REPORT,
		.layout = "wide",
	};
	static const struct option own[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "summary", required_argument, NULL, 'S' },
		{ NULL, 0, NULL, 0 },
	};
	struct report *report;
	const char *e;
	char *line;
	size_t len;
	int letter;

	while ((letter = reader_option(&r, argc, argv, "b:c:e:hi:l:S:Vw:", own)) != -1)
		set_option(letter);
	if (r.world == NULL)
		reader_usage(&r, 2);
	reader_load(&r);
	report = open_report(&r);
	reader_lines(&r);
	reader_output(&r);
	while (reader_line(&r, &line, &len))
		if (report_add(report, line, len, &e) == -1)
			reader_refuse(&r, e);
	if (report_put(report, &r.out, OG_VERSION) == -1)
		err(1, NULL);
	report_free(report);
	return reader_end(&r);
}
