/* What measure promises: values, tags and samples of a line under the keys of its layout; and what is said of those that lack some. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "measure.h"
#include "tap.h"

#define ERROR_MAX 4096
#define MANY 100 /* metrics, more than keys */

/* A span of layout wide, to which a test adds. */
static const char span[] =
    "{\"timestamp\":\"2025-12-01T10:00:30.250000Z\",\"success\":true,\"service\":\"post\",\"stack\":\"content\","
    "\"action\":\"like_post\",\"duration_ms\":12.345,\"request_bytes\":300,\"response_bytes\":70000,\"db_queries\":2,"
    "\"is_write\":false,";

struct warnings {
	int n;
	char last[256];
};

static void
warn(const char *text, void *arg)
{
	struct warnings *w = arg;

	w->n++;
	(void)snprintf(w->last, sizeof(w->last), "%s", text);
}

static void
load(struct catalog *c, const char *path)
{
	char err[ERROR_MAX];

	if (catalog_load(c, path, err, sizeof(err), NULL, NULL) == -1) {
		(void)fprintf(stderr, "%s\n", err);
		exit(2);
	}
}

static struct measure *
open_wide(const struct catalog *c, const char *labels)
{
	char err[ERROR_MAX];
	struct measure *m = measure_open(c, "wide", labels, err, sizeof(err), NULL, NULL);

	if (m == NULL) {
		(void)fprintf(stderr, "%s\n", err);
		exit(2);
	}
	return m;
}

/* Is it refused to measure so, in these words? */
static int
refused(const struct catalog *c, const char *layout, const char *labels, const char *want)
{
	char err[ERROR_MAX] = "";
	struct measure *m = measure_open(c, layout, labels, err, sizeof(err), NULL, NULL);
	int good = m == NULL && strcmp(err, want) == 0;

	if (!good)
		printf("# %s\n", err);
	measure_free(m);
	return good;
}

static int
reads(struct measure *m, const char *line, struct measured *r)
{
	const char *why = "";

	if (measure_read(m, line, strlen(line), r, &why) == 0)
		return 1;
	printf("# %s\n", why);
	return 0;
}

/* The span, and this behind it. */
static int
spans(struct measure *m, const char *more, struct measured *r)
{
	static char line[1024];

	(void)snprintf(line, sizeof(line), "%s%s}", span, more);
	return reads(m, line, r);
}

static int
says(struct measure *m, const char *line, const char *want)
{
	const char *why = "nothing";
	struct measured r;

	if (measure_read(m, line, strlen(line), &r, &why) == -1 && strcmp(why, want) == 0)
		return 1;
	printf("# %s\n", why);
	return 0;
}

static int
is(struct json_value v, const char *want)
{
	return want == NULL ? v.p == NULL : v.p != NULL && v.n == strlen(want) && memcmp(v.p, want, v.n) == 0;
}

static int
tags_are(const struct measured *r, const char *want)
{
	if (r->ntags == strlen(want) && memcmp(r->tags, want, r->ntags) == 0)
		return 1;
	printf("# %.*s\n", (int)r->ntags, r->tags);
	return 0;
}

/* What is written of the line read last; -1 is the text "no". */
static int
writes(struct measure *m, const struct measured *r, const char *want)
{
	struct out o;
	int good;

	if (out_open(&o, -1, 4 * OUT_LINE_MAX) == -1)
		exit(2);
	if (measure_put(m, r, &o) == -1)
		good = strcmp(want, "no") == 0 && o.len == 0;
	else
		good = o.len == strlen(want) && memcmp(o.buf, want, o.len) == 0;
	if (!good)
		printf("# %.*s\n", o.len < 1000 ? (int)o.len : 1000, o.buf);
	free(o.buf);
	return good;
}

static void
test_open(struct tap *t, const struct catalog *c, const struct catalog *orders)
{
	static const char *const names[] = { "request_duration_ms", "request_size_bytes", "response_size_bytes", "db_query_count",
		"cache_hit" };
	struct warnings w = { 0 };
	char err[ERROR_MAX], many[8 * MANY] = "";
	struct measure *m = measure_open(c, "wide", NULL, err, sizeof(err), warn, &w);
	int n, same = m != NULL;

	for (int i = 0; same && i < 5; i++)
		same = measure_metric(m, i) != NULL && strcmp(measure_metric(m, i), names[i]) == 0;
	tap(t, same && measure_metric(m, 5) == NULL && w.n == 0, "all metrics, in order of the catalog");
	tap(t, m != NULL && measure_histograms(m, &n) == NULL && n == 0, "no histograms without labels");
	measure_free(m);
	m = measure_open(c, "log", NULL, err, sizeof(err), warn, &w);
	tap(t, m == NULL && strcmp(err, "layout \"log\" has no key for \"request_duration_ms\"") == 0, "the first metric is needed");
	tap(t, w.n == 5 && strcmp(w.last, "layout \"log\" has no key for \"cache_hit\" of layout \"metrics\": left out") == 0,
	    "what the lines do not have is said");
	tap(t, refused(c, "none", NULL, "no layout \"none\" in catalog social"), "no such layout");
	tap(t, refused(orders, "traces", NULL, "layout \"traces\" has no key for success"), "no outcome");
	tap(t, refused(orders, "metrics", NULL, "layout \"metrics\" has no key for the time"), "no time");
	tap(t, refused(c, "wide", "a,b,a", "label \"a\" twice") && refused(c, "wide", "stack,stack", "label \"stack\" twice"),
	    "labels twice");
	tap(t,
	    refused(c, "wide", "a,", "\"\" cannot be a label") && refused(c, "wide", ",", "\"\" cannot be a label") &&
		refused(c, "wide", "le", "\"le\" cannot be a label") && refused(c, "wide", "a\"b", "\"a\"b\" cannot be a label") &&
		refused(c, "wide", "a\tb", "\"a\tb\" cannot be a label") && refused(c, "wide", "\xff", "\"\xff\" cannot be a label"),
	    "what cannot be a label");
	for (int i = 0; i < MANY; i++)
		(void)snprintf(many + strlen(many), sizeof(many) - strlen(many), "%sk%d", i == 0 ? "" : ",", i);
	tap(t, refused(c, "wide", many, "more than 64 keys are read"), "too many keys");
	measure_free(NULL);
}

static void
test_values(struct tap *t, const struct catalog *c)
{
	struct measure *m = open_wide(c, NULL);
	struct measured r;

	tap(t, spans(m, "\"cache_hit\":true,\"parent_span_id\":null", &r) && r.us == 1764583230250000 && !r.failed && r.root && r.request,
	    "time, outcome, root, request");
	tap(t,
	    is(r.value[0], "12.345") && is(r.value[1], "300") && is(r.value[2], "70000") && is(r.value[3], "2") && is(r.value[4], "1") &&
		r.exemplar.p == NULL,
	    "values as they stand, true as 1");
	tap(t,
	    tags_are(&r, "\"service\":\"post\",\"stack\":\"content\",\"action\":\"like_post\",\"success\":\"true\",\"is_write\":\"false\""),
	    "tags as text, null left out");
	tap(t,
	    spans(m, "\"cache_hit\":false,\"parent_span_id\":\"b\",\"persona\":7,\"object_type\":\"p\\u00e9\\/\\\"\"", &r) && !r.root &&
		is(r.value[4], "0"),
	    "a child, false as 0");
	tap(t,
	    tags_are(&r,
		"\"service\":\"post\",\"stack\":\"content\",\"action\":\"like_post\",\"success\":\"true\",\"is_write\":\"false\","
		"\"persona\":\"7\",\"object_type\":\"p\xc3\xa9/\\\"\""),
	    "no escapes but those that are needed");
	tap(t,
	    reads(m, "{\"success\":false,\"cache_hit\":true,\"duration_ms\":1,\"timestamp\":\"1970-01-01\"}", &r) && r.us == 0 &&
		r.failed && is(r.value[4], NULL) && is(r.value[1], NULL),
	    "a condition that does not hold, a key that is not there");
	tap(t,
	    reads(m, "{\"success\":true,\"timestamp\":\"1970-01-01\",\"duration_ms\":null}", &r) && !r.request &&
		tags_are(&r, "\"success\":\"true\""),
	    "the record of a rollout is no request");
	measure_free(m);
}

static void
test_refused(struct tap *t, const struct catalog *c)
{
	struct measure *m = open_wide(c, NULL);
	struct measured r;

	tap(t, says(m, "[]", "not a JSON object"), "no object");
	tap(t, says(m, "{\"success\":true}", "\"timestamp\" is not there"), "no time");
	tap(t,
	    says(m, "{\"timestamp\":\"10000-01-01\",\"success\":true}", "\"timestamp\" is no time") &&
		says(m, "{\"timestamp\":1,\"success\":true}", "\"timestamp\" is no time"),
	    "bad times");
	tap(t, says(m, "{\"timestamp\":\"2025-12-01\",\"success\":1}", "\"success\" is neither true nor false"), "no outcome");
	tap(t, says(m, "{\"timestamp\":\"2025-12-01\",\"success\":true,\"duration_ms\":\"1\"}", "\"request_duration_ms\" is no number"),
	    "no number");
	tap(t,
	    says(m, "{\"timestamp\":\"2025-12-01\",\"success\":true,\"duration_ms\":1.0005}",
		"\"request_duration_ms\" is no number of up to three decimals") &&
		says(m, "{\"timestamp\":\"2025-12-01\",\"success\":true,\"duration_ms\":-1}",
		    "\"request_duration_ms\" is no number of up to three decimals"),
	    "bad durations");
	tap(t,
	    says(m, "{\"timestamp\":\"2025-12-01\",\"success\":true,\"request_bytes\":1.5}", "\"request_size_bytes\" is no whole number"),
	    "half a byte");
	tap(t,
	    says(m, "{\"timestamp\":\"2025-12-01\",\"success\":true,\"service\":[]}", "\"service\" is neither text nor number") &&
		says(m, "{\"timestamp\":\"2025-12-01\",\"success\":true,\"service\":\"\\u0000\"}", "\"service\" holds a NUL"),
	    "bad tags");
	tap(t, spans(m, "\"persona\":\"x\"", &r) && is(r.value[0], "12.345"), "the next line is read all the same");
	measure_free(m);
}

static void
test_samples(struct tap *t, const struct catalog *c)
{
	struct measure *m = open_wide(c, NULL);
	static char line[OUT_LINE_MAX + 1];
	struct measured r;
	size_t n;

	tap(t,
	    reads(m, "{\"timestamp\":\"1970-01-01T00:00:01.5Z\",\"success\":true,\"duration_ms\":2.50,\"db_queries\":1}", &r) &&
		writes(m, &r,
		    "{\"metric\":\"request_duration_ms\",\"ts\":1.500000,\"value\":2.50,\"tags\":{\"success\":\"true\"}}\n"
		    "{\"metric\":\"db_query_count\",\"ts\":1.500000,\"value\":1,\"tags\":{\"success\":\"true\"}}\n"),
	    "a sample a metric");
	tap(t,
	    reads(m, "{\"timestamp\":\"1970-01-01\",\"success\":false,\"duration_ms\":1,\"db_queries\":1,\"trace_id\":\"t\"}", &r) &&
		is(r.exemplar, "\"t\"") &&
		writes(m, &r,
		    "{\"metric\":\"request_duration_ms\",\"ts\":0.000000,\"value\":1,\"tags\":{\"success\":\"false\"},\"exemplar\":\"t\"}\n"
		    "{\"metric\":\"db_query_count\",\"ts\":0.000000,\"value\":1,\"tags\":{\"success\":\"false\"}}\n"),
	    "a failure is an exemplar, in the sample of the first metric");
	tap(t,
	    spans(m, "\"trace_id\":\"t\",\"span_id\":\"00000000000000aa\"", &r) && r.exemplar.p == NULL &&
		reads(m, "{\"timestamp\":\"1970-01-01\",\"success\":true,\"duration_ms\":500.001,\"trace_id\":\"t\"}", &r) &&
		is(r.exemplar, "\"t\"") &&
		reads(m, "{\"timestamp\":\"1970-01-01\",\"success\":true,\"duration_ms\":500,\"trace_id\":\"t\"}", &r) &&
		r.exemplar.p == NULL,
	    "so is what lasts longer than the catalog says, and no other span");
	n = (size_t)snprintf(line, sizeof(line), "{\"timestamp\":\"1970-01-01\",\"success\":true,\"duration_ms\":1,\"service\":\"");
	memset(line + n, 'a', OUT_LINE_MAX - 4 - n);
	memcpy(line + OUT_LINE_MAX - 4, "\"}", 3);
	tap(t, reads(m, line, &r) && writes(m, &r, "no"), "tags too long for a line: nothing is written");
	measure_free(m);
}

/* One span in a hundred is an exemplar by its id: about 1000 of these. */
static void
test_share(struct tap *t, const struct catalog *c)
{
	struct measure *m = open_wide(c, NULL);
	struct measured r;
	char line[256];
	int n = 0, good = 1;

	for (int i = 0; i < 100000; i++) {
		(void)snprintf(line, sizeof(line),
		    "{\"timestamp\":\"1970-01-01\",\"success\":true,\"duration_ms\":1,\"trace_id\":\"t\",\"span_id\":\"%016x\"}",
		    (unsigned)i);
		good &= reads(m, line, &r);
		n += r.exemplar.p != NULL;
	}
	tap(t, good && n > 850 && n < 1150, "%d of 100000 spans are exemplars by chance", n);
	measure_free(m);
}

static void
test_labels(struct tap *t, const struct catalog *c)
{
	struct measure *m = open_wide(c, "cause,service,success");
	int n, k = catalog_list(c, "buckets_ms", 10);
	const struct agg_histogram *h = measure_histograms(m, &n);
	struct measured r;

	tap(t,
	    n == 3 && strcmp(h[0].name, "request_duration_ms") == 0 && strcmp(h[1].name, "request_size_bytes") == 0 &&
		strcmp(h[2].name, "response_size_bytes") == 0 && h[0].places == 3 && h[1].places == 0 && h[2].places == 0,
	    "histograms of durations and sizes");
	tap(t,
	    k >= 0 && h[0].n == c->list[k].n && h[0].bound[0] == 1000 * strtoll(h[0].le[0], NULL, 10) &&
		strcmp(h[0].le[0], c->list[k].item[0]) == 0,
	    "their bounds are those of the catalog, in their unit");
	tap(t, spans(m, "\"cause\":\"x\"", &r) && tags_are(&r, "\"cause\":\"x\",\"service\":\"post\",\"success\":\"true\""),
	    "labels are tags or keys, as they are named");
	tap(t, r.sorted[0] == 12345 && r.sorted[1] == 300 && r.sorted[2] == 70000, "what is sorted, in whole units");
	tap(t,
	    reads(m, "{\"timestamp\":\"1970-01-01\",\"success\":true,\"response_bytes\":0}", &r) && r.sorted[0] == -1 &&
		r.sorted[1] == -1 && r.sorted[2] == 0,
	    "nothing is not 0");
	measure_free(m);
	m = open_wide(c, "");
	tap(t, spans(m, "\"cause\":\"x\"", &r) && r.ntags == 0, "no label at all");
	measure_free(m);
}

static struct catalog_field *
find_field(const struct catalog *c, const char *layout, const char *name)
{
	int i = catalog_layout(c, layout, strlen(layout)), k = 0;

	if (i < 0)
		exit(2);
	while (k < c->layout[i].n && strcmp(c->layout[i].field[k].name, name) != 0)
		k++;
	if (k == c->layout[i].n)
		exit(2);
	return &c->layout[i].field[k];
}

static void
test_times(struct tap *t, const struct catalog *c)
{
	static const struct {
		int form;
		const char *line, *bad;
	} cases[] = {
		{ TIME_RFC3339, "{\"timestamp\":\"1970-01-01T00:00:01.500000Z\",\"success\":true}",
		    "{\"timestamp\":1.5,\"success\":true}" },
		{ TIME_UNIX, "{\"timestamp\":1.500000,\"success\":true}", "{\"timestamp\":-1,\"success\":true}" },
		{ TIME_MS, "{\"timestamp\":1500,\"success\":true}", "{\"timestamp\":253402300800000,\"success\":true}" },
		{ TIME_NS, "{\"timestamp\":1500000999,\"success\":true}", "{\"timestamp\":-1,\"success\":true}" },
	};
	int *form = &find_field(c, "wide", "timestamp")->value.piece[0].arg, saved = *form;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct measure *m;
		struct measured r;

		*form = cases[i].form;
		m = open_wide(c, NULL);
		tap(t, reads(m, cases[i].line, &r) && r.us == 1500000 && says(m, cases[i].bad, "\"timestamp\" is no time"),
		    "form %d of times", cases[i].form);
		measure_free(m);
	}
	*form = saved;
}

/* Of the rows of one field the first that holds counts, even if it has nothing. */
static void
test_rows(struct tap *t, const struct catalog *c)
{
	struct catalog_term failed = { .flag = FLAG_FAILED };
	struct catalog_field *first = find_field(c, "metrics", "request_duration_ms"), *second = first + 1;
	const struct catalog_field saved[2] = { *first, *second };
	struct measure *m;
	struct measured r;

	first->when = (struct catalog_cond){ 1, NULL, &failed };
	second->name = first->name;
	m = open_wide(c, NULL);
	tap(t, strcmp(measure_metric(m, 1), "response_size_bytes") == 0, "rows of one name are one metric");
	tap(t,
	    spans(m, "\"cause\":null", &r) && is(r.value[0], "300") &&
		reads(m, "{\"timestamp\":\"1970-01-01\",\"success\":false,\"duration_ms\":2,\"request_bytes\":3}", &r) &&
		is(r.value[0], "2"),
	    "the first row that holds counts");
	tap(t, reads(m, "{\"timestamp\":\"1970-01-01\",\"success\":false,\"request_bytes\":3}", &r) && is(r.value[0], NULL) && !r.request,
	    "even if it has nothing");
	measure_free(m);
	*first = saved[0];
	*second = saved[1];
}

/* What a layout says by itself, and what it does not say. */
static void
test_fixed(struct tap *t, const struct catalog *c)
{
	char text[] = "a \"b\"";
	struct catalog_piece fixed = { .src = SRC_CONST, .text = text }, *parent = find_field(c, "wide", "parent_span_id")->value.piece;
	struct catalog_text *value = &find_field(c, "tags", "stack")->value;
	const struct catalog_text saved = *value;
	struct measure *m;
	struct measured r;

	*value = (struct catalog_text){ 1, &fixed };
	parent->src = SRC_SPAN_END;
	m = open_wide(c, "stack");
	tap(t, spans(m, "\"parent_span_id\":null", &r) && tags_are(&r, "\"stack\":\"a \\\"b\\\"\""), "a tag that is the same always");
	tap(t, !r.root, "without a key for parents nothing is a root");
	measure_free(m);
	*value = saved;
	parent->src = SRC_SPAN_PARENT;
}

/* Metrics may be more than keys. */
static void
test_many(struct tap *t, const struct catalog *c)
{
	static struct catalog_field field[MANY];
	static char name[MANY][16];
	struct catalog_layout *l = &c->layout[catalog_layout(c, "metrics", 7)], saved = *l;
	struct measure *m;
	struct measured r;
	int n, good = 1;

	for (int i = 0; i < MANY; i++) {
		field[i] = l->field[0];
		(void)snprintf(name[i], sizeof(name[i]), "m%d", i);
		field[i].name = name[i];
	}
	l->field = field;
	l->n = MANY;
	m = open_wide(c, "");
	good &= spans(m, "\"cause\":null", &r);
	for (int i = 0; good && i < MANY; i++)
		good = is(r.value[i], "12.345") && r.sorted[i] == 12345;
	tap(t, measure_histograms(m, &n) != NULL && n == MANY && good, "%d metrics of one key", MANY);
	measure_free(m);
	*l = saved;
}

static void
test_hold(struct tap *t, struct catalog *c)
{
	int ncalls = c->ncalls;
	double cap = c->set.cap_ms;

	tap(t, measure_hold(c) > (int64_t)(cap * 1000), "readers of queues begin after the longest request");
	c->ncalls = 0;
	tap(t, measure_hold(c) == (int64_t)(cap * 1000), "without queues nothing begins later than the longest request");
	c->set.cap_ms = 1e300;
	tap(t, measure_hold(c) == 1000000000000000, "the wait has a bound");
	c->set.cap_ms = cap;
	c->ncalls = ncalls;
}

int
main(void)
{
	struct catalog social, orders;
	struct tap t = { 0 };

	(void)setenv("OG_SHARE", "share/og", 1);
	load(&social, "social");
	load(&orders, "test/catalogs/orders");
	test_open(&t, &social, &orders);
	test_values(&t, &social);
	test_refused(&t, &social);
	test_samples(&t, &social);
	test_share(&t, &social);
	test_labels(&t, &social);
	test_times(&t, &social);
	test_rows(&t, &social);
	test_fixed(&t, &social);
	test_many(&t, &social);
	test_hold(&t, &orders);
	catalog_free(&social);
	catalog_free(&orders);
	return tap_end(&t);
}
