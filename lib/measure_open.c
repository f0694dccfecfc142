#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure_impl.h"
#include "num.h"

#define WARNING_MAX 4096

/* The first failure stays, and what comes after it does not count. */
struct opening {
	struct measure *m;
	char *err;
	size_t errsize;
	void (*warn)(const char *, void *);
	void *arg;
	int failed;
};

__attribute__((format(printf, 2, 3))) static void
fail(struct opening *o, const char *fmt, ...)
{
	va_list ap;

	if (o->failed)
		return;
	o->failed = 1;
	va_start(ap, fmt);
	(void)vsnprintf(o->err, o->errsize, fmt, ap);
	va_end(ap);
}

static void *
grab(struct opening *o, size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (p == NULL)
		fail(o, "out of memory");
	return p;
}

/* ---- keys ---- */

/* The place at which values of this key are found; -1 after a failure. */
static int
key_of(struct opening *o, const char *name)
{
	struct measure *m = o->m;

	for (int i = 0; i < m->nkeys; i++)
		if (strcmp(m->key[i], name) == 0)
			return i;
	if (m->nkeys == MEASURE_KEYS) {
		fail(o, "more than %d keys are read", MEASURE_KEYS);
		return -1;
	}
	m->key[m->nkeys] = name;
	return m->nkeys++;
}

/* The same for the key whose value is this source alone; -1. */
static int
source_key(struct opening *o, enum catalog_source source, int arg)
{
	const struct catalog_layout *l = o->m->layout;

	for (int i = 0; i < l->n; i++) {
		const struct catalog_text *t = &l->field[i].value;

		if (t->n == 1 && t->piece[0].src == source && t->piece[0].arg == arg)
			return key_of(o, l->field[i].name);
	}
	return -1;
}

static int
term_key(struct opening *o, const struct catalog_term *t)
{
	switch (t->flag) {
	case FLAG_NONE:
		return source_key(o, t->src, t->arg);
	case FLAG_OK:
	case FLAG_FAILED:
		return o->m->ok;
	case FLAG_READ:
	case FLAG_WRITE:
		return source_key(o, SRC_OP_WRITE, 0);
	case FLAG_ROOT:
	case FLAG_CHILD:
		return o->m->parent;
	default:
		return -1;
	}
}

/* Where the time, the outcome and the ids of a line stand. */
static void
find_keys(struct opening *o)
{
	static const enum catalog_time forms[] = { TIME_RFC3339US, TIME_RFC3339, TIME_UNIX, TIME_MS, TIME_NS };
	struct measure *m = o->m;

	m->time = -1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms) && m->time == -1; i++) {
		m->time_form = forms[i];
		m->time = source_key(o, SRC_SPAN_TIME, (int)forms[i]);
	}
	m->ok = source_key(o, SRC_STATUS_OK, 0);
	if (m->time == -1 || m->ok == -1)
		fail(o, "layout \"%s\" has no key for %s", m->layout->name, m->time == -1 ? "the time" : "success");
	m->parent = source_key(o, SRC_SPAN_PARENT, 0);
	m->trace = source_key(o, SRC_TRACE_ID, 0);
	m->span = source_key(o, SRC_SPAN_ID, 0);
}

/* ---- metrics and tags ---- */

static const struct catalog_layout *
find_layout(struct opening *o, const char *name)
{
	const struct catalog *c = o->m->cat;
	int i = catalog_layout(c, name, strlen(name));

	if (i >= 0)
		return &c->layout[i];
	fail(o, "no layout \"%s\" in catalog %s", name, c->name);
	return NULL;
}

/* Do the lines have what a row of the catalog needs? */
static int
make_row(struct opening *o, struct row *r, const struct catalog_field *f)
{
	const struct catalog_piece *p = f->value.piece;

	*r = (struct row){ .when = &f->when, .key = -1 };
	if ((r->term = grab(o, (size_t)f->when.n, sizeof(*r->term))) == NULL)
		return 0;
	for (int i = 0; i < f->when.n; i++)
		if ((r->term[i] = term_key(o, &f->when.term[i])) == -1)
			return 0;
	if (f->value.n == 0)
		return 1;
	if (f->value.n > 1)
		return 0;
	r->source = p->src;
	if (p->src != SRC_NONE && p->src != SRC_CONST) {
		r->key = source_key(o, p->src, p->arg);
		return r->key >= 0;
	}
	if ((r->fixed = grab(o, JSON_QUOTED(strlen(p->text)), 1)) == NULL)
		return 0;
	r->nfixed = (size_t)(json_quote(r->fixed, p->text, strlen(p->text)) - r->fixed);
	return 1;
}

static void
free_field(struct field *f)
{
	for (int i = 0; i < f->n; i++) {
		free(f->row[i].term);
		free(f->row[i].fixed);
	}
	free(f->row);
	free(f->head);
}

/* Add the field of the layout whose n rows begin at `from` to the table, if the lines have all that it needs. */
static int
add_field(struct opening *o, struct table *t, const struct catalog_field *from, int n)
{
	struct field f = { .name = from->name };
	int ok;

	ok = (f.row = grab(o, (size_t)n, sizeof(*f.row))) != NULL;
	while (f.row != NULL && f.n < n) {
		ok &= make_row(o, &f.row[f.n], &from[f.n]);
		f.n++;
	}
	if (ok)
		t->field[t->n++] = f;
	else
		free_field(&f);
	return ok;
}

/* How many rows the field has that begins with row i. */
static int
count_rows(const struct catalog_layout *l, int i)
{
	int n = 1;

	while (i + n < l->n && strcmp(l->field[i + n].name, l->field[i].name) == 0)
		n++;
	return n;
}

/* All metrics or tags that the lines can fill; a warning for each other. */
static void
make_table(struct opening *o, struct table *t, const char *name)
{
	const struct catalog_layout *l = find_layout(o, name);
	char text[WARNING_MAX];

	if (l == NULL || (t->field = grab(o, (size_t)l->n, sizeof(*t->field))) == NULL)
		return;
	for (int i = 0, n; i < l->n && !o->failed; i += n) {
		n = count_rows(l, i);
		if (add_field(o, t, &l->field[i], n) || o->failed || o->warn == NULL)
			continue;
		(void)snprintf(text, sizeof(text), "layout \"%s\" has no key for \"%s\" of layout \"%s\": left out", o->m->layout->name,
		    l->field[i].name, name);
		o->warn(text, o->arg);
	}
}

/* ---- labels ---- */

static int
is_label(const char *name)
{
	if (*name == '\0' || strcmp(name, "le") == 0 || strpbrk(name, "\"\\") != NULL || !utf8_valid(name, strlen(name)))
		return 0;
	while ((unsigned char)*name >= 0x20)
		name++;
	return *name == '\0';
}

/* A label is a field of layout "tags" or, if there is none that the lines can fill, any key of theirs. */
static void
add_label(struct opening *o, const struct catalog_layout *l, const char *name)
{
	struct table *t = &o->m->tags;
	struct field *f = &t->field[t->n];
	int i = 0;

	for (int k = 0; k < t->n; k++)
		if (strcmp(t->field[k].name, name) == 0)
			fail(o, "label \"%s\" twice", name);
	if (!is_label(name))
		fail(o, "\"%s\" cannot be a label", name);
	while (i < l->n && strcmp(l->field[i].name, name) != 0)
		i++;
	if (i < l->n && add_field(o, t, &l->field[i], count_rows(l, i)))
		return;
	*f = (struct field){ .name = name, .row = grab(o, 1, sizeof(*f->row)) };
	t->n++;
	if (f->row == NULL)
		return;
	f->n = 1;
	*f->row = (struct row){ .key = key_of(o, name) };
}

static void
make_labels(struct opening *o, const char *labels)
{
	const struct catalog_layout *l = find_layout(o, "tags");
	struct measure *m = o->m;
	size_t n = 1;
	char *p, *name;

	for (const char *s = labels; *s != '\0'; s++)
		n += *s == ',';
	if (l == NULL || (m->labels = grab(o, strlen(labels), 1)) == NULL)
		return;
	m->tags = (struct table){ 0, grab(o, n, sizeof(*m->tags.field)) };
	if (m->tags.field == NULL)
		return;
	p = memcpy(m->labels, labels, strlen(labels));
	/* No label at all is one set. */
	while (p != NULL && (*p != '\0' || m->tags.n > 0) && !o->failed) {
		name = strsep(&p, ",");
		add_label(o, l, name);
	}
}

/* ---- what is written ---- */

/* What comes before each value: the name as JSON, between these. */
static void
make_heads(struct opening *o, struct table *t, const char *before, const char *behind)
{
	for (struct field *f = t->field; f < t->field + t->n && !o->failed; f++) {
		size_t n = strlen(f->name);

		if ((f->head = grab(o, strlen(before) + JSON_QUOTED(n) + strlen(behind), 1)) == NULL)
			return;
		memcpy(f->head, before, strlen(before));
		f->nhead = (size_t)(json_quote(f->head + strlen(before), f->name, n) - f->head);
		memcpy(f->head + f->nhead, behind, strlen(behind));
		f->nhead += strlen(behind);
	}
}

static void
longest(size_t *most, size_t n)
{
	if (*most < n)
		*most = n;
}

/* Room for what is said of a line. */
static void
make_room(struct opening *o)
{
	struct measure *m = o->m;

	make_heads(o, &m->metrics, "{\"metric\":", ",\"ts\":");
	make_heads(o, &m->tags, "", ":");
	for (int i = 0; i < m->metrics.n; i++)
		longest(&m->most, m->metrics.field[i].nhead);
	m->whysize = m->most;
	for (int i = 0; i < m->tags.n; i++)
		longest(&m->whysize, m->tags.field[i].nhead);
	for (int i = 0; i < m->nkeys; i++)
		longest(&m->whysize, strlen(m->key[i]));
	m->whysize += 64;
	m->most += MEASURE_TIME + strlen(",\"value\":,\"tags\":{},\"exemplar\":}\n");
	m->why = grab(o, m->whysize, 1);
	m->value = grab(o, (size_t)m->metrics.n, sizeof(*m->value));
	m->scaled = grab(o, (size_t)m->metrics.n, sizeof(*m->scaled));
}

/* Metric number i, if its values are sorted into buckets. */
static void
add_histogram(struct opening *o, int i)
{
	struct measure *m = o->m;
	const struct field *f = &m->metrics.field[i];
	int places, k;
	const char *name = measure_bounds(f->row[0].source, &places);
	const struct catalog_list *l;
	int64_t *bound;

	if (name == NULL)
		return;
	if ((k = catalog_list(m->cat, name, strlen(name))) < 0) {
		fail(o, "no list \"%s\" in catalog %s", name, m->cat->name);
		return;
	}
	l = &m->cat->list[k];
	if ((bound = grab(o, (size_t)l->n, sizeof(*bound))) == NULL)
		return;
	m->metric[m->nhistograms] = i;
	m->bound[m->nhistograms] = bound;
	m->histogram[m->nhistograms++] =
	    (struct agg_histogram){ .name = f->name, .places = places, .n = l->n, .bound = bound, .le = (const char *const *)l->item };
	for (k = 0; k < l->n; k++)
		if (num_scaled(l->item[k], strlen(l->item[k]), places, &bound[k]) == -1)
			fail(o, "list \"%s\" of catalog %s: \"%s\" has more than %d decimals", name, m->cat->name, l->item[k], places);
}

static void
make_histograms(struct opening *o)
{
	struct measure *m = o->m;
	size_t n = (size_t)m->metrics.n;

	m->metric = grab(o, n, sizeof(*m->metric));
	m->bound = grab(o, n, sizeof(*m->bound));
	m->histogram = grab(o, n, sizeof(*m->histogram));
	m->sorted = grab(o, n, sizeof(*m->sorted));
	for (int i = 0; i < m->metrics.n && !o->failed; i++)
		add_histogram(o, i);
}

/* ---- aggregates by a layout ---- */

static int
is_agg(enum catalog_source s)
{
	return (s >= SRC_AGG_COUNT && s <= SRC_AGG_BYTES) || s == SRC_TIME;
}

int
measure_is_tag(const struct catalog_field *f)
{
	int agg = strcmp(f->name, "*") == 0;

	for (int i = 0; i < f->value.n; i++)
		agg |= is_agg(f->value.piece[i].src);
	return !agg;
}

static int
asks_for_bytes(const struct catalog_layout *l)
{
	int any = 0;

	for (int i = 0; i < l->n; i++)
		for (int k = 0; k < l->field[i].value.n; k++)
			any |= l->field[i].value.piece[k].src == SRC_AGG_BYTES;
	return any;
}

/* What is measured: a field of a source alone, which the lines must have. */
static void
add_measured(struct opening *o, const char *name, enum catalog_source source)
{
	struct field *f = &o->m->metrics.field[o->m->metrics.n++];

	*f = (struct field){ .name = name, .n = 1, .row = grab(o, 1, sizeof(*f->row)) };
	if (f->row == NULL)
		return;
	*f->row = (struct row){ .source = source, .key = source_key(o, source, 0) };
	if (f->row->key == -1)
		fail(o, "no %s", name);
}

/* Of one layout of lines; the first thing that it lacks is the failure. */
static void
make_grouped(struct opening *o, const struct catalog_layout *l)
{
	struct measure *m = o->m;

	m->metrics.field = grab(o, 2, sizeof(*m->metrics.field));
	m->tags.field = grab(o, (size_t)l->n, sizeof(*m->tags.field));
	m->filter.field = grab(o, (size_t)l->n, sizeof(*m->filter.field));
	if (!o->failed)
		find_keys(o);
	if (!o->failed)
		add_measured(o, "span.duration_ms", SRC_SPAN_DURATION);
	if (!o->failed && asks_for_bytes(l))
		add_measured(o, "span.response_bytes", SRC_SPAN_RESPONSE_BYTES);
	for (int i = 0, n; i < l->n && !o->failed; i += n) {
		int filter = strcmp(l->field[i].name, "*") == 0;

		n = count_rows(l, i);
		if ((filter || measure_is_tag(&l->field[i])) && !add_field(o, filter ? &m->filter : &m->tags, &l->field[i], n))
			fail(o, "nothing for \"%s\"", l->field[i].name);
	}
	if (!o->failed)
		make_room(o);
	if (!o->failed && (m->json = json_reader(m->key, m->nkeys)) == NULL)
		fail(o, "out of memory");
}

struct measure *
measure_open_table(const struct catalog *c, int layout, char *err, size_t errsize)
{
	char why[256] = "";

	for (int i = 0; i < c->nlayouts; i++) {
		struct opening o = { .err = why, .errsize = sizeof(why) };

		if (c->layout[i].record != RECORD_EVENT && c->layout[i].record != RECORD_SPAN)
			continue;
		if ((o.m = grab(&o, 1, sizeof(*o.m))) == NULL)
			break;
		o.m->cat = c;
		o.m->layout = &c->layout[i];
		make_grouped(&o, &c->layout[layout]);
		if (!o.failed)
			return o.m;
		measure_free(o.m);
	}
	(void)snprintf(err, errsize, "no layout of events or spans has all that layout \"%s\" of catalog %s groups by and measures",
	    c->layout[layout].name, c->name);
	return NULL;
}

/* ---- */

static void
make_all(struct opening *o, const char *layout, const char *labels)
{
	struct measure *m = o->m;
	const struct catalog_layout *l = find_layout(o, "metrics");

	m->layout = find_layout(o, layout);
	if (!o->failed)
		find_keys(o);
	if (!o->failed)
		make_table(o, &m->metrics, "metrics");
	/* A request is a line that has the first. */
	if (!o->failed && (m->metrics.n == 0 || strcmp(m->metrics.field[0].name, l->field[0].name) != 0))
		fail(o, "layout \"%s\" has no key for \"%s\"", layout, l->field[0].name);
	if (!o->failed && labels == NULL)
		make_table(o, &m->tags, "tags");
	if (!o->failed && labels != NULL)
		make_labels(o, labels);
	if (!o->failed && labels != NULL)
		make_histograms(o);
	if (!o->failed)
		make_room(o);
	if (!o->failed && (m->json = json_reader(m->key, m->nkeys)) == NULL)
		fail(o, "out of memory");
}

struct measure *
measure_open(const struct catalog *c, const char *layout, const char *labels, char *err, size_t errsize, void (*warn)(const char *, void *),
    void *arg)
{
	struct opening o = { .errsize = errsize, .warn = warn, .arg = arg };

	o.err = err;
	if ((o.m = grab(&o, 1, sizeof(*o.m))) == NULL)
		return NULL;
	o.m->cat = c;
	o.m->slow = (int64_t)(c->set.exemplar_ms * 1000);
	o.m->lucky = (uint64_t)(c->set.exemplar_share * 4294967296.0);
	make_all(&o, layout, labels);
	if (!o.failed)
		return o.m;
	measure_free(o.m);
	return NULL;
}

static void
free_table(struct table *t)
{
	for (int i = 0; i < t->n; i++)
		free_field(&t->field[i]);
	free(t->field);
}

void
measure_free(struct measure *m)
{
	if (m == NULL)
		return;
	for (int i = 0; i < m->nhistograms; i++)
		free(m->bound[i]);
	free_table(&m->metrics);
	free_table(&m->tags);
	free_table(&m->filter);
	json_reader_free(m->json);
	free(m->labels);
	free(m->metric);
	free(m->bound);
	free(m->histogram);
	free(m->value);
	free(m->scaled);
	free(m->sorted);
	free(m->text);
	free(m->why);
	free(m);
}

const char *
measure_metric(const struct measure *m, int i)
{
	return i >= 0 && i < m->metrics.n ? m->metrics.field[i].name : NULL;
}

const struct agg_histogram *
measure_histograms(const struct measure *m, int *n)
{
	*n = m->nhistograms;
	return m->histogram;
}
