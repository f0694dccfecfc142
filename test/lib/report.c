/* lib/report: what it refuses, and that nothing more than its bounds is held, whatever comes. */
#include <err.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "out.h"
#include "report.h"
#include "tap.h"

#define ROOM ((size_t)64 << 20)

static struct report *
open_report(struct world *w, int64_t interval)
{
	char text[512];
	struct report *r = report_open(w, "wide", interval, w->begin, w->end, text, sizeof(text));

	if (r == NULL)
		errx(1, "%s", text);
	return r;
}

static void
make_world(struct world *w)
{
	char text[512];

	*w = (struct world){ .seed = 7, .users = 500, .requests = 1000, .depth = 9 };
	if (catalog_load(&w->cat, "share/og/social", text, sizeof(text), NULL, NULL) == -1)
		errx(1, "%s", text);
	w->begin = clock_from_civil(2025, 12, 1) * CLOCK_DAY;
	w->until = w->end = w->begin + 3 * CLOCK_DAY;
}

/* A span; parent NULL: a root. */
static int
add(struct report *r, int trace, int span, const char *parent, const char *service, const char *took)
{
	char line[512];
	const char *e;
	int n = snprintf(line, sizeof(line),
	    "{\"timestamp\":\"2025-12-01T10:00:00.000000Z\",\"service\":\"%s\",\"stack\":null,\"success\":true,\"trace_id\":\"%d\",\"span_id\":"
	    "\"%d\",\"parent_span_id\":%s,\"error_source\":null,\"duration_ms\":%s,\"cause\":null}",
	    service, trace, span, parent == NULL ? "null" : parent, took);

	return report_add(r, line, (size_t)n, &e);
}

static void
test_open(struct tap *t, struct world *w)
{
	char text[512];

	tap(t, report_open(w, "none", 0, w->begin, w->end, text, sizeof(text)) == NULL && strstr(text, "no layout \"none\"") != NULL,
	    "no such layout");
	tap(t, report_open(w, "log", 0, w->begin, w->end, text, sizeof(text)) == NULL && strstr(text, "lacks") != NULL,
	    "a layout without durations");
	tap(t, report_open(w, "wide", CLOCK_SECOND, w->begin, w->end, text, sizeof(text)) == NULL && strstr(text, "intervals") != NULL,
	    "too many intervals");
	tap(t, report_open(w, "wide", 0, w->end, w->begin, text, sizeof(text)) == NULL, "an end before the beginning");
}

static void
test_summary(struct tap *t, struct world *w)
{
	static const char *const bad[] = { "", "[]", "{", "{} {}", "{\"files\":[}" };
	static const char *const odd[] = { "{}", "{\"files\":7}", "{\"files\":[7,null,{\"file\":3}]}", "{\"options\":\"x\",\"files\":{}}",
		"{\n \"version\" : null }" };
	struct report *r = open_report(w, 0);
	struct out o;
	const char *e;
	int wrong = 0, put = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		e = NULL;
		wrong += report_summary(r, bad[i], strlen(bad[i]), &e) != -1 || e == NULL || *e == '\0';
	}
	tap(t, wrong == 0, "what is no summary is refused");
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		if (out_open(&o, -1, ROOM) == -1)
			err(1, NULL);
		put += report_summary(r, odd[i], strlen(odd[i]), &e) == 0 && report_put(r, &o, "1") == 0 && o.len > 1000;
		free(o.buf);
	}
	tap(t, put == sizeof(odd) / sizeof(*odd), "what is odd in one is left out");
	report_free(r);
}

/* Traces of 100,000 spans, names that the world does not have without number, calls of each to each. */
static void
test_bounds(struct tap *t, struct world *w)
{
	struct report *r = open_report(w, 0);
	char name[32], parent[32];
	size_t before;
	struct out o;
	int bad = 0;

	for (int i = 0; i < 2 * REPORT_SERVICES; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		bad += add(r, i, i, NULL, name, "1.5") == 0;
	}
	for (int i = 0; i < w->cat.nservices; i++)
		bad += add(r, i, i, NULL, w->cat.service[i].name, "1.5") == -1;
	for (int i = 0; i < 100; i++)
		bad += add(r, -1, i, NULL, w->cat.service[0].name, "1") == -1;
	before = mallinfo2().uordblks;
	for (int trace = 0; trace < 3; trace++)
		for (int i = 0; i < 100000; i++) {
			const char *service = w->cat.service[i * 7 % w->cat.nservices].name;

			(void)snprintf(parent, sizeof(parent), "\"%d\"", i / 2);
			bad += add(r, trace, i, i == 0 ? NULL : parent, service, "1.5") == -1;
		}
	tap(t, bad == 0 && mallinfo2().uordblks <= before + 4096, "nothing more is held than was");
	if (out_open(&o, -1, ROOM) == -1)
		err(1, NULL);
	tap(t, report_put(r, &o, "1") == 0 && o.len < (size_t)8 << 20, "and the page has an end");
	free(o.buf);
	report_free(r);
}

static void
test_values(struct tap *t, struct world *w)
{
	struct report *r = open_report(w, 0);

	tap(t,
	    add(r, 1, 1, NULL, w->cat.service[0].name, "1e999") == -1 && add(r, 1, 1, NULL, w->cat.service[0].name, "\"1\"") == -1 &&
		add(r, 1, 1, NULL, w->cat.service[0].name, "-0.001") == -1,
	    "durations that are none");
	tap(t,
	    add(r, 1, 1, NULL, w->cat.service[0].name, "0") == 0 && add(r, 1, 2, NULL, w->cat.service[0].name, "1e9") == 0 &&
		add(r, 1, 3, NULL, w->cat.service[0].name, "0.0001") == 0,
	    "the shortest and the longest");
	tap(t, add(r, 1, 1, NULL, w->cat.service[0].name, "null") == 0, "the record of a rollout");
	tap(t, add(r, 1, 4, NULL, "\\u0000", "1") == -1, "a name with a NUL");
	report_free(r);
}

int
main(void)
{
	struct tap t = { 0, 0 };
	struct world w;

	setenv("OG_SHARE", "share/og", 1);
	make_world(&w);
	test_open(&t, &w);
	test_summary(&t, &w);
	test_values(&t, &w);
	test_bounds(&t, &w);
	world_free(&w);
	return tap_end(&t);
}
