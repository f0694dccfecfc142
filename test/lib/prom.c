/* prom: series, flags and what the Victoria family keeps, from a page. */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "prom.h"
#include "tap.h"

#define SECOND 1000000000LL
#define DAY (86400 * SECOND)

static const char page[] = "# HELP rows rows of a thing 7\n"
			   "# TYPE rows counter\n"
			   "rows_total 5\n"
			   "rows{type=\"a\"} 12\n"
			   "rows{type=\"b\", path=\"/x{}\\\",type=\\\"a\\\"\"} 30 1764764400000\n"
			   "rows{path=\"y\",type=\"a\"}\t1.5e2\n"
			   "rows{type=\"nan\"} NaN\n"
			   "rows{type=\"ab\"} 1000\n"
			   "rows{type=\"cut\n"
			   "free 70289088512.25\r\n"
			   "process_start_time_seconds 1795264151.5\n"
			   "vm_app_start_timestamp 1795264152\n"
			   "flag{name=\"retentionPeriodX\", value=\"9d\", is_set=\"true\"} 1\n"
			   "flag{name=\"relabel\", value=\"a\\\"b\\\\c\\nd\", is_set=\"true\"} 1\n"
			   "flag{name=\"empty\", value=\"\", is_set=\"false\"} 1\n"
			   "flag{name=\"cut\", value=\"abc\n"
			   "last 4";

static const struct {
	const char *series;
	double want; /* -1: not there */
} series[] = {
	{ "rows_total", 5 },
	{ "rows{type=\"a\"}", 12 },
	{ "rows{type=\"b\", path=\"/x{}\\\",type=\\\"a\\\"\"}", 30 },
	{ "rows{path=\"y\",type=\"a\"}", 150 },
	{ "rows{type=\"nan\"}", -1 },
	{ "free", 70289088512.25 },
	{ "last", 4 },
	{ "rows", -1 },
	{ "ows_total", -1 },
	{ "HELP", -1 },
	{ "# HELP", -1 },
	{ "", -1 },
};

static const struct {
	const char *name, *label;
	double want; /* NAN: none */
} sums[] = {
	{ "rows", "type=\"a\"", 162 },
	{ "rows", "type=\"b\"", 30 },
	{ "rows", "path=\"y\"", 150 },
	{ "rows", "type=\"ab\"", 1000 },
	{ "rows", "ype=\"a\"", NAN },
	{ "rows", "type=\"nan\"", NAN },
	{ "rows", NULL, 1192 },
	{ "rows_total", NULL, 5 },
	{ "rows_total", "type=\"a\"", NAN },
	{ "row", NULL, NAN },
};

static const struct {
	const char *past, *future, *age; /* NULL: no such flag */
	int64_t oldest, newest;          /* from now; 0, 0: not told */
} terms[] = {
	{ "7d", "2d", NULL, -7 * DAY, 2 * DAY },
	{ "1", NULL, NULL, -31 * DAY, 2 * DAY },
	{ "1", "1d", "0", -31 * DAY, DAY },
	{ "0.5", "1d", "", -31 * DAY / 2, DAY },
	{ "36h", "0h", NULL, -36 * DAY / 24, 0 },
	{ "1.5w", "1w", NULL, -21 * DAY / 2, 7 * DAY },
	{ "1y", "1y", "0s", -365 * DAY, 365 * DAY },
	{ "1d12h30m", "90s", NULL, -(36 * 3600 + 1800) * SECOND, 90 * SECOND },
	{ "2M", "1d", NULL, -62 * DAY, DAY },
	{ "1y", "2d", "3d", -3 * DAY, 2 * DAY },
	{ "1d", "2d", "3d", -DAY, 2 * DAY },
	{ "x", "1d", NULL, 0, 0 },
	{ "", "1d", NULL, 0, 0 },
	{ "-1", "1d", NULL, 0, 0 },
	{ "7d1", "1d", NULL, 0, 0 },
	{ "7d", "later", NULL, 0, 0 },
	{ NULL, "1d", NULL, 0, 0 },
};

static void
put_flag(char *to, size_t size, const char *name, const char *value)
{
	size_t n = strlen(to);

	if (value != NULL)
		(void)snprintf(to + n, size - n, "flag{name=\"%s\", value=\"%s\", is_set=\"true\"} 1\n", name, value);
}

static void
test_window(struct tap *t)
{
	const int64_t now = 1764764400 * SECOND;
	int64_t oldest = 0, newest = 0;
	char text[512];

	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		int told = terms[i].oldest != 0;

		(void)snprintf(text, sizeof(text), "a 1\n");
		put_flag(text, sizeof(text), "retentionPeriod", terms[i].past);
		put_flag(text, sizeof(text), "futureRetention", terms[i].future);
		put_flag(text, sizeof(text), "maxBackfillAge", terms[i].age);
		tap(t,
		    prom_window(text, now, &oldest, &newest) == (told ? 0 : -1) &&
			(!told || (oldest == now + terms[i].oldest && newest == now + terms[i].newest)),
		    "keeps %s, %s, %s: %" PRId64 " %" PRId64, terms[i].past == NULL ? "-" : terms[i].past,
		    terms[i].future == NULL ? "-" : terms[i].future, terms[i].age == NULL ? "-" : terms[i].age, oldest - now, newest - now);
	}
	*text = '\0';
	put_flag(text, sizeof(text), "retentionPeriod", "300y");
	put_flag(text, sizeof(text), "futureRetention", "300y");
	tap(t, prom_window(text, now, &oldest, &newest) == 0 && oldest == 1 && newest == INT64_MAX, "for ever");
}

static void
test_flags(struct tap *t)
{
	char text[16];

	tap(t, prom_flag(page, "relabel", text, sizeof(text)) == 0 && strcmp(text, "a\"b\\c\nd") == 0, "a flag's escapes");
	tap(t, prom_flag(page, "relabel", text, 8) == 0 && strcmp(text, "a\"b\\c\nd") == 0, "a flag that just fits");
	tap(t, prom_flag(page, "relabel", text, 7) == -1, "a flag that does not fit");
	tap(t, prom_flag(page, "empty", text, sizeof(text)) == 0 && *text == '\0', "an empty flag");
	tap(t, prom_flag(page, "empty", text, 0) == -1, "no room at all");
	tap(t, prom_flag(page, "cut", text, sizeof(text)) == -1, "a flag that is cut");
	tap(t, prom_flag(page, "retentionPeriod", text, sizeof(text)) == -1, "a flag that is not there");
}

static void
test_start(struct tap *t)
{
	double s = 0;

	tap(t, prom_start(page, &s) == 0 && s == 1795264152, "start: %g", s);
	tap(t, prom_start("process_start_time_seconds 1795264151.5\n", &s) == 0 && s == 1795264151.5, "start of any process: %g", s);
	tap(t, prom_start("vm_app_start_timestamps 1\n", &s) == -1, "no start");
}

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++) {
		double v = -1;

		if (prom_value(page, series[i].series, &v) == -1)
			v = -1;
		tap(&t, v == series[i].want, "%s: %g", series[i].series, v);
	}
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		double v = prom_sum(page, sums[i].name, sums[i].label);

		tap(&t, v == sums[i].want || (isnan(v) && isnan(sums[i].want)), "sum of %s, %s: %g", sums[i].name,
		    sums[i].label == NULL ? "all" : sums[i].label, v);
	}
	test_flags(&t);
	test_start(&t);
	test_window(&t);
	return tap_end(&t);
}
