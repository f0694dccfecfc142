/* Samples on their own: their shape, and counters that belong together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "clock.h"
#include "mix.h"

const char *const sample_keys[S_KEYS] = { "metric", "ts", "value", "tags", "exemplar" };

static int
layout_of(const struct catalog *c, const char *name)
{
	return catalog_layout(c, name, strlen(name));
}

int
sample_open(struct check *c)
{
	static const char no_world[] = "needs the world";

	if ((c->json = json_reader(sample_keys, S_KEYS)) == NULL || tags_open(c) == -1)
		return -1;
	check_applies(c, P_JSON, 1, NULL);
	check_applies(c, P_KEYS, 1, NULL);
	check_applies(c, P_TYPES, 1, NULL);
	check_applies(c, P_WINDOW, c->world != NULL, no_world);
	check_applies(c, P_NAMES, 1, NULL);
	check_applies(
	    c, P_METRICS, layout_of(c->cat, "metrics") >= 0 || c->cat->nseries > 0, "the catalog has no layout \"metrics\" and no series");
	check_applies(c, P_TOTALS, 1, NULL);
	return 0;
}

/* A metric of the catalog's layout, or an aggregate of one, or a series. */
static enum tags_kind
kind_of(const struct catalog *c, const char *name)
{
	static const char *const ends[] = { "", "_bucket", "_sum", "_count" };
	int metrics = layout_of(c, "metrics");
	const struct catalog_layout *l = metrics < 0 ? NULL : &c->layout[metrics];
	size_t n = strlen(name);

	if (strcmp(name, "requests_total") == 0 || strcmp(name, "request_errors_total") == 0)
		return TAGS_AGGREGATE;
	for (int i = 0; i < c->nseries; i++)
		if (strcmp(name, c->series[i].id) == 0)
			return TAGS_SERIES + c->series[i].of;
	for (int i = 0; l != NULL && i < l->n; i++)
		for (size_t k = 0; k < sizeof(ends) / sizeof(*ends); k++) {
			size_t field = strlen(l->field[i].name);

			if (n == field + strlen(ends[k]) && memcmp(name, l->field[i].name, field) == 0 &&
			    strcmp(name + field, ends[k]) == 0)
				return k == 0 ? TAGS_SAMPLE : TAGS_AGGREGATE;
		}
	return TAGS_NONE;
}

static int
check_types(struct check *c, const struct json_value v[S_KEYS], int64_t *us, agg_int *value)
{
	struct json_value key, tag;
	const char *next = NULL;
	char text[64];
	int more;

	check_count(c, P_TYPES);
	if (!json_is_string(v[S_METRIC]) || v[S_METRIC].n <= 2)
		check_fault(c, P_TYPES, c->line, "\"metric\": %s", show(v[S_METRIC], text));
	else if (json_scaled(v[S_TS], 6, us) == -1 || *us < 0)
		check_fault(c, P_TYPES, c->line, "\"ts\": %s", show(v[S_TS], text));
	else if (agg_number(v[S_VALUE].p, v[S_VALUE].n, S_PLACES, value) == -1)
		check_fault(c, P_TYPES, c->line, "\"value\": %s", show(v[S_VALUE], text));
	else if (v[S_TAGS].p[0] != '{')
		check_fault(c, P_TYPES, c->line, "\"tags\": %s", show(v[S_TAGS], text));
	else if (v[S_EXEMPLAR].p != NULL && !json_is_string(v[S_EXEMPLAR]))
		check_fault(c, P_TYPES, c->line, "\"exemplar\": %s", show(v[S_EXEMPLAR], text));
	else {
		while ((more = json_member(v[S_TAGS], &next, &key, &tag)) == 1 && json_is_string(tag))
			;
		if (more == 0)
			return 0;
		check_fault(c, P_TYPES, c->line, "a tag that is no text: %s", show(tag, text));
	}
	return -1;
}

/* The keys in their order, and no others. */
static int
check_keys(struct check *c, const char *line, size_t len)
{
	struct json_value whole = { line, len }, key, v;
	const char *next = NULL;
	char text[64];
	int n = 0;

	check_count(c, P_KEYS);
	while (json_member(whole, &next, &key, &v) == 1) {
		if (n == S_KEYS || key.n != strlen(sample_keys[n]) || memcmp(key.p, sample_keys[n], key.n) != 0) {
			key.p--;
			key.n += 2;
			check_fault(c, P_KEYS, c->line, "%s where %s%s%s should be", show(key, text), n < S_EXEMPLAR ? "\"" : "",
			    n < S_EXEMPLAR ? sample_keys[n] : "nothing", n < S_EXEMPLAR ? "\"" : "");
			return -1;
		}
		n++;
	}
	if (n >= S_EXEMPLAR)
		return 0;
	check_fault(c, P_KEYS, c->line, "no \"%s\"", sample_keys[n]);
	return -1;
}

static int
ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n > m && strcmp(name + n - m, with) == 0;
}

/*
 * Lines that stand together: no more errors than requests, buckets that hold at least what smaller ones do, a count that is that of the
 * last bucket. `labels` is the key of all tags but "le".
 */
static void
check_totals(struct check *c, const char *metric, uint64_t labels, agg_int value)
{
	int same = labels == c->together.labels;
	struct together *t = &c->together;

	if (strcmp(metric, "requests_total") == 0) {
		t->requests = value;
		t->has_requests = 1;
	} else if (strcmp(metric, "request_errors_total") == 0 && same && t->has_requests) {
		check_count(c, P_TOTALS);
		if (value > t->requests)
			check_fault(c, P_TOTALS, c->line, "more errors than requests");
	} else if (ends(metric, "_bucket")) {
		check_count(c, P_TOTALS);
		if (same && t->has_bucket && value < t->bucket)
			check_fault(c, P_TOTALS, c->line, "a bucket with less than a smaller one");
		t->bucket = value;
	} else if (ends(metric, "_count") && same && t->has_bucket) {
		check_count(c, P_TOTALS);
		if (value != t->bucket)
			check_fault(c, P_TOTALS, c->line, "a count that is not that of the largest bucket");
	}
	/* The sum comes between buckets and count. */
	t->has_bucket = ends(metric, "_bucket") || (ends(metric, "_sum") && same && t->has_bucket);
	t->has_requests = strcmp(metric, "requests_total") == 0;
	t->labels = labels;
}

void
sample_check(struct check *c, const char *line, size_t len)
{
	struct json_value v[S_KEYS] = { { NULL, 0 } }, key, tag;
	char metric[CHECK_WORD], text[64];
	const char *e, *next = NULL;
	uint64_t set = 0;
	enum tags_kind kind;
	int64_t us, late = measure_hold(c->cat) + 400 * CLOCK_DAY;
	agg_int value;

	if (json_read(c->json, line, len, v, &e) == -1) {
		check_fault(c, P_JSON, c->line, "%s", e);
		return;
	}
	if (check_keys(c, line, len) == -1 || check_types(c, v, &us, &value) == -1)
		return;
	/* An aggregate stands at the end of its interval, however long that is. */
	if (c->world != NULL) {
		check_count(c, P_WINDOW);
		if (us < c->world->begin || us > c->world->end + late)
			check_fault(c, P_WINDOW, c->line, "%s is outside the world", show(v[S_TS], text));
	}
	if (json_text(v[S_METRIC], metric, sizeof(metric)) < 0)
		metric[0] = '\0';
	kind = kind_of(c->cat, metric);
	check_count(c, P_METRICS);
	if (c->account[P_METRICS].applies && kind == TAGS_NONE)
		check_fault(c, P_METRICS, c->line, "no metric %s in the catalog", show(v[S_METRIC], text));
	while (json_member(v[S_TAGS], &next, &key, &tag) == 1)
		if (key.n != 2 || memcmp(key.p, "le", 2) != 0)
			set += mix(mix_name(key.p, key.n) ^ mix(value_key(tag)));
	check_count(c, P_NAMES);
	if (kind != TAGS_NONE)
		tags_check(c, kind, set, v[S_TAGS]);
	check_totals(c, metric, set + mix((uint64_t)us), value);
}
