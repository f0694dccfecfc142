#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "clock.h"
#include "mix.h"
#include "render.h"
#include "report_impl.h"

#define WANTED 200 /* intervals */
#define FULL_TREE 65536

static const enum catalog_source source_of[REPORT_KEYS] = { [REPORT_TIME] = SRC_SPAN_TIME,
	[REPORT_TRACE] = SRC_TRACE_ID,
	[REPORT_SPAN] = SRC_SPAN_ID,
	[REPORT_PARENT] = SRC_SPAN_PARENT,
	[REPORT_OK] = SRC_STATUS_OK,
	[REPORT_DURATION] = SRC_SPAN_DURATION,
	[REPORT_SERVICE] = SRC_SERVICE_NAME,
	[REPORT_GROUP] = SRC_SERVICE_GROUP,
	[REPORT_SOURCE] = SRC_ERROR_SOURCE,
	[REPORT_CAUSE] = SRC_ERROR_CAUSE };
static const char *const sample_key[] = { "metric", "ts", "value", "tags" }, *const tag_key[] = { "service", "stack", "le" };

static const struct json_value none = { NULL, 0 };

/* ---- tables of names ---- */

static int
slots_open(struct slots *t, size_t size)
{
	t->key = calloc(size, sizeof(*t->key));
	t->value = calloc(size, sizeof(*t->value));
	t->mask = size - 1;
	t->n = 0;
	return t->key == NULL || t->value == NULL ? -1 : 0;
}

static void
slots_free(struct slots *t)
{
	free(t->key);
	free(t->value);
}

/* Where a key is or would be; 0 stands for an empty place. */
static size_t
slots_find(const struct slots *t, uint64_t key)
{
	size_t at = mix(key) & t->mask;

	while (t->key[at] != 0 && t->key[at] != key)
		at = (at + 1) & t->mask;
	return at;
}

static void
slots_put(struct slots *t, size_t at, uint64_t key, int value)
{
	t->n += t->key[at] == 0;
	t->key[at] = key;
	t->value[at] = value;
}

static uint64_t
name_of(struct json_value v)
{
	return v.p == NULL ? 1 : mix_name(v.p, v.n) | 1;
}

/* ---- set up ---- */

/* A round interval that cuts the time into about as many parts as are wanted, or fewer. */
static int64_t
choose_interval(int64_t length)
{
	static const int64_t round[] = { 1, 5, 10, 15, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800,
		604800 };
	size_t i = 0;

	while (i + 1 < sizeof(round) / sizeof(*round) && length / (round[i] * CLOCK_SECOND) > WANTED)
		i++;
	return round[i] * CLOCK_SECOND;
}

static int
open_keys(struct report *r, const char *name)
{
	const struct catalog *c = &r->w->cat;
	int layout = catalog_layout(c, name, strlen(name)), n = 0;
	const char *list[REPORT_KEYS];

	if (layout < 0) {
		(void)snprintf(r->why, sizeof(r->why), "no layout \"%.100s\" in catalog %.100s", name, c->name);
		return -1;
	}
	for (int i = 0; i < REPORT_KEYS; i++) {
		r->key[i] = i < REPORT_METRIC ? render_key(c, layout, source_of[i]) : sample_key[i - REPORT_METRIC];
		if (i == REPORT_SERVICE && r->key[i] == NULL)
			r->key[i] = render_key(c, layout, SRC_SERVICE_ID);
		if (i <= REPORT_SERVICE && r->key[i] == NULL) {
			(void)snprintf(r->why, sizeof(r->why),
			    "layout \"%.100s\" lacks start, trace, span, parent, success, duration or service", name);
			return -1;
		}
		r->at[i] = r->key[i] == NULL ? -1 : n;
		if (r->key[i] != NULL)
			list[n++] = r->key[i];
	}
	for (int i = 0; i < c->layout[layout].n; i++)
		if (c->layout[layout].field[i].name == r->key[REPORT_TIME])
			r->time_form = c->layout[layout].field[i].value.piece[0].arg;
	if (r->time_form != TIME_RFC3339US && r->time_form != TIME_RFC3339 && r->time_form != TIME_NS) {
		(void)snprintf(r->why, sizeof(r->why), "layout \"%.100s\" has no time that is read here", name);
		return -1;
	}
	r->json = json_reader(list, n);
	r->tags = json_reader(tag_key, 3);
	return r->json == NULL || r->tags == NULL ? -1 : 0;
}

/* The metric that is a latency: the first of the catalog. */
static int
open_metric(struct report *r)
{
	const struct catalog *c = &r->w->cat;
	int layout = catalog_layout(c, "metrics", 7);
	const char *name = layout < 0 || c->layout[layout].n == 0 ? "" : c->layout[layout].field[0].name;
	size_t size = strlen(name) + sizeof("_bucket");

	if ((r->duration = malloc(size)) == NULL)
		return -1;
	(void)snprintf(r->duration, size, "%s_bucket", name);
	return 0;
}

static int
open_tables(struct report *r)
{
	const struct world *w = r->w;

	r->bucket = calloc((size_t)r->nbuckets, sizeof(*r->bucket));
	r->service = calloc(REPORT_SERVICES, sizeof(*r->service));
	r->edge = calloc(REPORT_EDGES, sizeof(*r->edge));
	r->cause_key = calloc((size_t)w->nincidents + 1, sizeof(*r->cause_key));
	r->caused = calloc((size_t)w->nincidents + 1, sizeof(*r->caused));
	if (r->bucket == NULL || r->service == NULL || r->edge == NULL || r->cause_key == NULL || r->caused == NULL)
		return -1;
	for (int i = 0; i < w->nincidents; i++)
		r->cause_key[i] = mix_name(w->incident[i].id, strlen(w->incident[i].id));
	if (slots_open(&r->by_name, 2 * REPORT_SERVICES) == -1 || slots_open(&r->by_pair, 2 * REPORT_EDGES) == -1)
		return -1;
	r->used = calloc(FULL_TREE, sizeof(*r->used));
	return r->used == NULL ? -1 : slots_open(&r->spans, 2 * FULL_TREE);
}

struct report *
report_open(const struct world *w, const char *layout, int64_t interval, int64_t begin, int64_t end, char *err, size_t errsize)
{
	struct report *r = calloc(1, sizeof(*r));
	int64_t n;

	(void)snprintf(err, errsize, "out of memory");
	if (r == NULL)
		return NULL;
	r->w = w;
	r->begin = begin > w->begin ? begin : w->begin;
	r->end = end < w->end ? end : w->end;
	if (r->end <= r->begin)
		(void)snprintf(r->why, sizeof(r->why), "the end is not after the beginning");
	r->interval = interval > 0 ? interval : choose_interval(r->end - r->begin);
	n = r->end > r->begin ? (r->end - 1) / r->interval - r->begin / r->interval + 1 : 1;
	if (n > REPORT_BUCKETS)
		(void)snprintf(r->why, sizeof(r->why), "more than %d intervals", REPORT_BUCKETS);
	r->nbuckets = n > REPORT_BUCKETS ? 1 : (int)n;
	if (r->why[0] == '\0' && open_tables(r) == 0 && open_metric(r) == 0 && open_keys(r, layout) == 0)
		return r;
	if (r->why[0] != '\0')
		(void)snprintf(err, errsize, "%s", r->why);
	report_free(r);
	return NULL;
}

void
report_free(struct report *r)
{
	if (r == NULL)
		return;
	for (int i = 0; r->bucket != NULL && i < r->nbuckets; i++)
		free(r->bucket[i].latency);
	for (int i = 0; i < r->nservices; i++)
		free(r->service[i].name);
	slots_free(&r->by_name);
	slots_free(&r->by_pair);
	slots_free(&r->spans);
	json_reader_free(r->json);
	json_reader_free(r->tags);
	free(r->bucket);
	free(r->service);
	free(r->edge);
	free(r->cause_key);
	free(r->caused);
	free(r->used);
	free(r->duration);
	free(r->summary);
	free(r);
}

/* ---- what lines say ---- */

int64_t
report_bucket_start(const struct report *r, int i)
{
	int64_t at = (r->begin / r->interval + i) * r->interval;

	return at > r->begin ? at : r->begin;
}

int64_t
report_bucket_end(const struct report *r, int i)
{
	int64_t at = (r->begin / r->interval + i + 1) * r->interval;

	return at < r->end ? at : r->end;
}

static struct bucket *
bucket_of(struct report *r, int64_t us)
{
	if (us < r->begin || us >= r->end)
		return NULL;
	return &r->bucket[us / r->interval - r->begin / r->interval];
}

/* Does the world have it? Lines that do not say its group may mean any. */
static int
in_world(const struct report *r, struct json_value name, struct json_value group)
{
	const struct catalog *c = &r->w->cat;

	for (int i = 0; i < c->nservices; i++)
		if (json_equals(name, c->service[i].id) ||
		    (json_equals(name, c->service[i].name) && (json_is_null(group) || json_equals(group, c->service[i].group))))
			return 1;
	return 0;
}

/* The whole name of a service from its last part and those before it; -1 with r->why. */
static int
service_named(struct report *r, struct json_value name, struct json_value group)
{
	uint64_t key = (mix(name_of(name)) ^ name_of(json_is_null(group) ? none : group)) | 1;
	size_t at = slots_find(&r->by_name, key), n;
	struct service *s;
	char *text;

	if (r->by_name.key[at] != 0)
		return r->by_name.value[at];
	if (!in_world(r, name, group)) {
		(void)snprintf(r->why, sizeof(r->why), "no service %.*s in the world", name.n < 100 ? (int)name.n : 100, name.p);
		return -1;
	}
	if (r->nservices >= REPORT_SERVICES - 1) {
		r->nunnamed++;
		return REPORT_SERVICES - 1; /* all others */
	}
	if ((text = malloc(name.n + group.n + 2)) == NULL) {
		(void)snprintf(r->why, sizeof(r->why), "out of memory");
		return -1;
	}
	n = 0;
	if (json_is_string(group)) {
		int got = json_text(group, text, group.n);

		n = got > 0 ? (size_t)got : 0;
		if (n > 0)
			text[n++] = ':';
	}
	if (json_text(name, text + n, name.n) < 0) {
		free(text);
		(void)snprintf(r->why, sizeof(r->why), "\"%.100s\" is no text", r->key[REPORT_SERVICE]);
		return -1;
	}
	s = &r->service[r->nservices];
	s->name = text;
	slots_put(&r->by_name, at, key, r->nservices);
	return r->nservices++;
}

/* A call from one service to another. */
static void
count_call(struct report *r, int from, int to, int failed)
{
	uint64_t key = ((uint64_t)(unsigned)from << 32 | (unsigned)to) + 1;
	size_t at = slots_find(&r->by_pair, key);
	struct edge *e;

	if (r->by_pair.key[at] == 0) {
		if (r->nedges == REPORT_EDGES)
			return;
		r->edge[r->nedges] = (struct edge){ .from = from, .to = to };
		slots_put(&r->by_pair, at, key, r->nedges++);
	}
	e = &r->edge[r->by_pair.value[at]];
	e->calls++;
	e->failed += (unsigned)failed;
}

/* Lines come a tree after the other, so that only the spans of one trace are held. */
static void
count_in_tree(struct report *r, const struct json_value *v, int service, int failed)
{
	uint64_t trace = name_of(v[REPORT_TRACE]), span = name_of(v[REPORT_SPAN]);
	size_t at;

	if (trace != r->trace) {
		while (r->spans.n > 0)
			r->spans.key[r->used[--r->spans.n]] = 0;
		r->trace = trace;
	}
	at = slots_find(&r->spans, span);
	if (r->spans.n < FULL_TREE && r->spans.key[at] == 0) {
		r->used[r->spans.n] = at;
		slots_put(&r->spans, at, span, service);
	}
	if (json_is_null(v[REPORT_PARENT]))
		return;
	at = slots_find(&r->spans, name_of(v[REPORT_PARENT]));
	if (r->spans.key[at] == 0)
		r->norphans++;
	else
		count_call(r, r->spans.value[at], service, failed);
}

static int
find_time(const struct report *r, struct json_value v, int64_t *us)
{
	char text[64];
	uint64_t ns;
	int n;

	if (r->time_form == TIME_NS) {
		if (json_u64(v, &ns) == -1)
			return -1;
		*us = (int64_t)(ns / 1000);
		return 0;
	}
	n = json_text(v, text, sizeof(text));
	return n < 0 ? -1 : clock_parse(text, (size_t)n, us);
}

static int
refuse(struct report *r, enum report_key key, const char *what, const char **errstr)
{
	(void)snprintf(r->why, sizeof(r->why), "\"%.100s\" %s", r->key[key], what);
	*errstr = r->why;
	return -1;
}

static void
count_cause(struct report *r, struct json_value cause)
{
	uint64_t key;

	if (!json_is_string(cause))
		return;
	key = mix_name(cause.p + 1, cause.n - 2);
	for (int i = 0; i < r->w->nincidents; i++)
		if (r->cause_key[i] == key) {
			r->caused[i]++;
			return;
		}
}

static int
count_root(struct report *r, struct bucket *b, int failed, int64_t took)
{
	b->requests++;
	b->failed += (unsigned)failed;
	r->nroots++;
	r->requests++;
	r->failed += (unsigned)failed;
	if (b->latency == NULL && (b->latency = calloc(1, sizeof(*b->latency))) == NULL) {
		(void)snprintf(r->why, sizeof(r->why), "out of memory");
		return -1;
	}
	hist_add(b->latency, took);
	return 0;
}

/* A number of ms with any decimals, as us. */
static int
find_duration(struct json_value v, int64_t *us)
{
	double ms;

	if (json_scaled(v, 3, us) == 0)
		return *us < 0 ? -1 : 0;
	if (json_double(v, &ms) == -1 || ms < 0 || ms > 1e12)
		return -1;
	*us = (int64_t)(ms * 1000);
	return 0;
}

static int
add_span(struct report *r, const struct json_value *v, const char **errstr)
{
	static const char passed[] = "\"dependency:";
	struct service *s;
	struct bucket *b;
	int64_t us, took;
	int ok, i;

	if (find_time(r, v[REPORT_TIME], &us) == -1)
		return refuse(r, REPORT_TIME, "is no time", errstr);
	if (json_bool(v[REPORT_OK], &ok) == -1)
		return refuse(r, REPORT_OK, "is neither true nor false", errstr);
	if (json_is_null(v[REPORT_DURATION])) {
		r->nmarks++; /* the record of a rollout */
		return 0;
	}
	if (find_duration(v[REPORT_DURATION], &took) == -1)
		return refuse(r, REPORT_DURATION, "is no duration", errstr);
	if (!json_is_string(v[REPORT_TRACE]) || !json_is_string(v[REPORT_SPAN]) || !json_is_string(v[REPORT_SERVICE]))
		return refuse(r, REPORT_SERVICE, "or an id is no text", errstr);
	if ((b = bucket_of(r, us)) == NULL) {
		r->noutside++;
		return 0;
	}
	*errstr = r->why;
	if ((i = service_named(r, v[REPORT_SERVICE], v[REPORT_GROUP])) == -1)
		return -1;
	s = &r->service[i];
	r->nspans++;
	r->nfailed += (unsigned)!ok;
	s->spans++;
	s->failed += (unsigned)!ok;
	s->roots += (unsigned)json_is_null(v[REPORT_PARENT]);
	s->passed += !ok && v[REPORT_SOURCE].n >= sizeof(passed) && memcmp(v[REPORT_SOURCE].p, passed, sizeof(passed) - 1) == 0;
	if (!ok)
		count_cause(r, v[REPORT_CAUSE]);
	count_in_tree(r, v, i, !ok);
	return json_is_null(v[REPORT_PARENT]) ? count_root(r, b, !ok, took) : 0;
}

/* Which bound is it? One that is new finds its place among the others, and their counts move. */
static int
bound_of(struct report *r, double le)
{
	int at = 0;

	while (at < r->nbounds && r->bound[at] < le)
		at++;
	if (at < r->nbounds && r->bound[at] <= le)
		return at;
	if (r->nbounds == REPORT_BOUNDS)
		return -1;
	memmove(&r->bound[at + 1], &r->bound[at], (size_t)(r->nbounds - at) * sizeof(*r->bound));
	r->bound[at] = le;
	r->nbounds++;
	for (int i = 0; i < r->nbuckets; i++) {
		uint64_t *below = r->bucket[i].below;

		memmove(&below[at + 1], &below[at], (size_t)(r->nbounds - 1 - at) * sizeof(*below));
		below[at] = 0;
	}
	return at;
}

static int
add_latency(struct report *r, struct bucket *b, struct json_value le, uint64_t n, const char **errstr)
{
	struct json_value number = { le.p + 1, le.n - 2 };
	double bound;
	int i;

	if (json_equals(le, "+Inf"))
		return 0; /* all of them: counted already */
	*errstr = "\"le\" is no bound";
	if (!json_is_string(le) || json_double(number, &bound) == -1 || (i = bound_of(r, bound)) == -1)
		return -1;
	b->below[i] += n;
	return 0;
}

static int
add_aggregate(struct report *r, const struct json_value *v, const char **errstr)
{
	enum { SERVICE, STACK, LE };
	struct json_value tag[3];
	struct bucket *b;
	uint64_t n;
	int64_t end;
	int i = -1, errors = json_equals(v[REPORT_METRIC], "request_errors_total");

	if (!errors && !json_equals(v[REPORT_METRIC], "requests_total") && !json_equals(v[REPORT_METRIC], r->duration))
		return 0;
	if (json_scaled(v[REPORT_TS], 6, &end) == -1)
		return refuse(r, REPORT_TS, "is no time", errstr);
	if (json_u64(v[REPORT_VALUE], &n) == -1)
		return refuse(r, REPORT_VALUE, "is no count", errstr);
	if (json_is_null(v[REPORT_TAGS]) || json_read(r->tags, v[REPORT_TAGS].p, v[REPORT_TAGS].n, tag, errstr) == -1)
		return refuse(r, REPORT_TAGS, "is no object", errstr);
	r->naggregates++;
	/* It stands for what began before its time. */
	if ((b = bucket_of(r, end - 1)) == NULL) {
		r->noutside++;
		return 0;
	}
	if (json_equals(v[REPORT_METRIC], r->duration))
		return add_latency(r, b, tag[LE], n, errstr);
	*errstr = r->why;
	if (json_is_string(tag[SERVICE]) && (i = service_named(r, tag[SERVICE], tag[STACK])) == -1)
		return -1;
	if (errors) {
		b->failed += n;
		r->failed += n;
	} else {
		b->requests += n;
		r->requests += n;
	}
	if (i >= 0 && errors)
		r->service[i].failed += n;
	else if (i >= 0)
		r->service[i].spans += n;
	return 0;
}

int
report_add(struct report *r, const char *line, size_t len, const char **errstr)
{
	struct json_value read[REPORT_KEYS], v[REPORT_KEYS];

	if (json_read(r->json, line, len, read, errstr) == -1)
		return -1;
	for (int i = 0; i < REPORT_KEYS; i++)
		v[i] = r->at[i] < 0 ? none : read[r->at[i]];
	if (json_is_null(v[REPORT_METRIC]) || json_is_null(v[REPORT_TAGS]))
		return add_span(r, v, errstr);
	if (r->nspans + r->nmarks > 0) {
		*errstr = "an aggregate among spans";
		return -1;
	}
	return add_aggregate(r, v, errstr);
}

/* ---- latencies ---- */

/* Within a bucket of aggregates values are taken to lie evenly; those beyond the last bound are said to be there. */
static double
bucket_quantile(const struct report *r, const struct bucket *b, double q)
{
	double rank = q * (double)b->requests, lower = 0, seen = 0;

	for (int i = 0; i < r->nbounds; i++) {
		double here = (double)b->below[i];

		if (here >= rank)
			return here > seen ? lower + (r->bound[i] - lower) * (rank - seen) / (here - seen) : r->bound[i];
		lower = r->bound[i];
		seen = here;
	}
	return lower;
}

double
report_quantile(const struct report *r, const struct bucket *b, double q)
{
	if (b->latency != NULL)
		return (double)hist_quantile(b->latency, q) / 1000;
	return b->requests == 0 || r->nbounds == 0 || r->naggregates == 0 ? -1 : bucket_quantile(r, b, q);
}

void
report_share(char label[SVG_LABEL], uint64_t n, uint64_t all)
{
	double share = all > 0 ? 100 * (double)n / (double)all : 0;

	if (n > 0 && share < 0.1)
		(void)snprintf(label, SVG_LABEL, "&lt; 0.1 %%");
	else
		(void)snprintf(label, SVG_LABEL, "%.*f %%", n == 0 || share >= 99.95 ? 0 : 1, share);
}

/* ---- the summary ---- */

int
report_summary(struct report *r, const char *text, size_t len, const char **errstr)
{
	static const char *const key[] = { "program", "version", "options", "time_range", "requests", "spans", "files", "world" };
	struct json_reader *json = json_reader(key, sizeof(key) / sizeof(*key));
	int status;

	*errstr = "out of memory";
	free(r->summary);
	if (json == NULL || (r->summary = malloc(len + 1)) == NULL) {
		json_reader_free(json);
		r->summary = NULL;
		return -1;
	}
	memcpy(r->summary, text, len);
	r->summary[len] = '\0';
	status = json_read(json, r->summary, len, r->card, errstr);
	if (status == -1) {
		(void)snprintf(r->why, sizeof(r->why), "%s", *errstr);
		*errstr = r->why;
		memset(r->card, 0, sizeof(r->card));
	}
	json_reader_free(json);
	return status;
}
