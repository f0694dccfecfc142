/*
 * og-metrics: the measurements each span carries, or exact aggregates of them
 *
 * Standard input: spans, or with -M aggregates of shards. Standard output: samples, one JSON object a line. They depend on the input, on the layouts
 * "metrics" and "tags", the bounds of buckets and the settings of the catalog, and on the options.
 */
#include <err.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agg.h"
#include "catalog.h"
#include "clock.h"
#include "json.h"
#include "mix.h"
#include "num.h"
#include "out.h"
#include "rec.h"

#define ERROR_MAX 4096
#define LABELS "service,stack,success"
#define KEYS_MAX 64                    /* what a reader can find */
#define TIME_END (2932897 * CLOCK_DAY) /* 10000-01-01T00:00:00Z */
#define INTERVAL_MAX (10000 * CLOCK_DAY)
#define HOLD_MAX 1000000000000 /* ms */
#define TIME_ROOM 20           /* a time as agg_time() writes it */

static struct opts {
	const char *catalog, *layout, *labels;
	int64_t interval; /* us; 0: a sample for each measurement */
	int deltas, merge;
} opts = { .catalog = "social", .layout = "wide" };

/* A row of the layouts "metrics" or "tags". Of the rows of one field the first whose condition holds counts. */
struct row {
	const char *name;
	struct json_value fixed; /* its value where it is the same always; else p is NULL */
	int key;                 /* index of the value it has */
	int more;                /* the next row is of the same field */
	enum catalog_source source;
	const struct catalog_cond *when;
	int *term;  /* for each term of it, the key it looks at */
	char *head; /* what comes before its value, or before the time of its sample */
	size_t headlen;
};

struct table {
	int n;
	struct row *row;
};

/* A metric that the record has. */
struct measured {
	const struct row *row; /* NULL: it has not */
	struct json_value x;   /* a number */
	int64_t scaled;        /* of a duration in us, of a size in bytes */
};

struct meter {
	struct catalog cat;
	const struct catalog_layout *layout;
	struct table metrics, tags; /* with -i, tags are the labels */
	char *labels;               /* their names, one behind the other */
	struct json_reader *json;
	const char *key[KEYS_MAX];
	int nkeys, time, ok, parent, trace, span; /* keys; -1: not in the layout */
	int time_form;
	size_t most;                        /* bytes of the longest sample without value, tags and exemplar */
	int64_t slow;                       /* us: an exemplar is longer */
	uint64_t lucky;                     /* or its span id gives less, of 2^32 */
	int64_t hold;                       /* us by which a span may begin after its root */
	struct measured measured[KEYS_MAX]; /* of the record at hand */
	struct agg *agg;
	int nhistograms;
	int from[KEYS_MAX]; /* the metric of each histogram */
	struct agg_histogram histogram[KEYS_MAX];
	struct rec in;
	struct out out;
	char *text; /* the tags of a record */
	size_t text_max;
	int bad;
};

static void
refuse(struct meter *m, const char *name, const char *what)
{
	if (name == NULL)
		warnx("%s:%llu: %s", m->in.name, (unsigned long long)m->in.line, what);
	else
		warnx("%s:%llu: \"%s\" %s", m->in.name, (unsigned long long)m->in.line, name, what);
	m->bad = 1;
}

/* ---- what a record says ---- */

static int
find_time(const struct meter *m, struct json_value v, int64_t *us)
{
	static const int places[] = { [TIME_UNIX] = 6, [TIME_MS] = 3 };
	char text[64];
	uint64_t ns;
	int n, status;

	switch (m->time_form) {
	case TIME_NS:
		status = json_u64(v, &ns);
		*us = (int64_t)(ns / 1000);
		break;
	case TIME_UNIX:
	case TIME_MS:
		status = json_scaled(v, places[m->time_form], us);
		break;
	default:
		n = json_text(v, text, sizeof(text));
		status = n < 0 ? -1 : clock_parse(text, (size_t)n, us);
	}
	return status == -1 || *us < 0 || *us >= TIME_END ? -1 : 0;
}

static int
is_true(struct json_value v)
{
	int b;

	return json_bool(v, &b) == 0 && b;
}

static int
compare(const struct catalog_term *t, struct json_value v)
{
	struct json_value text = v;
	double x;
	int hit = 0;

	if (t->relation == REL_GT || t->relation == REL_LT)
		return json_double(v, &x) == 0 && (t->relation == REL_GT ? x > t->number : x < t->number);
	if (json_is_null(v))
		text.n = 0;
	for (int i = 0; i < t->n && text.n > 0; i++)
		hit |= json_is_string(v) ? json_equals(v, t->value[i]) : strlen(t->value[i]) == v.n && memcmp(t->value[i], v.p, v.n) == 0;
	if (t->n == 0)
		hit = text.n == 0 || json_equals(v, "");
	return hit == (t->relation == REL_EQ);
}

static int
holds(const struct row *r, const struct json_value *v)
{
	for (int i = 0; r->when != NULL && i < r->when->n; i++) {
		const struct catalog_term *t = &r->when->term[i];
		struct json_value x = v[r->term[i]];
		int flag;

		if (t->flag == FLAG_NONE) {
			if (!compare(t, x))
				return 0;
			continue;
		}
		if (t->flag == FLAG_ROOT || t->flag == FLAG_CHILD)
			flag = json_is_null(x) == (t->flag == FLAG_ROOT);
		else
			flag = is_true(x) == (t->flag == FLAG_OK || t->flag == FLAG_WRITE);
		if (flag == t->negated)
			return 0;
	}
	return 1;
}

/* The value of the field whose first row is *i, and *i behind its rows. Null if it has none; the row that gave it in *from. */
static struct json_value
field(const struct table *t, int *i, const struct json_value *v, const struct row **from)
{
	struct json_value found = { NULL, 0 };

	for (int more = 1; more; ++*i) {
		const struct row *r = &t->row[*i];

		more = r->more;
		if (found.p != NULL || !holds(r, v))
			continue;
		*from = r;
		found = r->fixed.p != NULL ? r->fixed : v[r->key];
		if (json_is_null(found))
			found = (struct json_value){ "null", 4 };
	}
	return json_is_null(found) ? (struct json_value){ NULL, 0 } : found;
}

/* ---- tags ---- */

static char *
put(char *to, const void *p, size_t n)
{
	memcpy(to, p, n);
	return to + n;
}

/* A string with no more escapes than it needs: labels are told apart by their bytes. The end, or NULL. */
static char *
put_plain(char *to, struct json_value v)
{
	char text[1024], *plain = v.n <= sizeof(text) ? text : malloc(v.n);
	int n = plain == NULL ? -1 : json_text(v, plain, v.n);

	to = n < 0 ? NULL : json_quote(to, plain, (size_t)n);
	if (plain != text)
		free(plain);
	return to;
}

static void
reserve(struct meter *m, const struct json_value *v)
{
	size_t need = 1;

	for (int i = 0; i < m->tags.n; i++) {
		const struct row *r = &m->tags.row[i];

		need += r->headlen + 3 + (r->key < 0 ? r->fixed.n : v[r->key].n);
	}
	if (need <= m->text_max)
		return;
	free(m->text);
	if ((m->text = malloc(2 * need)) == NULL)
		err(1, NULL);
	m->text_max = 2 * need;
}

/* All tags of a record, as they stand between the brackets, into m->text. 0; or -1, and the record was refused. */
static int
put_tags(struct meter *m, const struct json_value *v, size_t *len)
{
	const struct table *t = &m->tags;
	const struct row *from = NULL;
	char *to;

	reserve(m, v);
	to = m->text;
	for (int i = 0; i < t->n;) {
		struct json_value x = field(t, &i, v, &from);

		if (x.p == NULL)
			continue;
		if (to > m->text)
			*to++ = ',';
		to = put(to, from->head, from->headlen);
		if (*x.p == '{' || *x.p == '[') {
			refuse(m, from->name, "is neither text nor number");
			return -1;
		}
		if (*x.p != '"') {
			*to++ = '"';
			to = put(to, x.p, x.n);
			*to++ = '"';
		} else if (memchr(x.p, '\\', x.n) == NULL)
			to = put(to, x.p, x.n);
		else if ((to = put_plain(to, x)) == NULL) {
			refuse(m, from->name, "holds a NUL");
			return -1;
		}
	}
	*len = (size_t)(to - m->text);
	return 0;
}

/* ---- measurements ---- */

/* What is sorted into which buckets, and of which unit its whole numbers are; NULL: nothing. */
static const char *
sort(enum catalog_source source, int *places)
{
	*places = source == SRC_SPAN_DURATION ? 3 : 0;
	if (source == SRC_SPAN_DURATION)
		return "buckets_ms";
	return source == SRC_SPAN_REQUEST_BYTES || source == SRC_SPAN_RESPONSE_BYTES ? "buckets_bytes" : NULL;
}

/* All metrics of a record, in order. Their number; or -1, and it was refused. */
static int
measure(struct meter *m, const struct json_value *v)
{
	int n = 0, b, places;

	for (int i = 0; i < m->metrics.n; n++) {
		struct measured *x = &m->measured[n];

		*x = (struct measured){ .scaled = 0 };
		x->x = field(&m->metrics, &i, v, &x->row);
		if (x->x.p == NULL) {
			x->row = NULL;
			continue;
		}
		if (json_bool(x->x, &b) == 0)
			x->x = (struct json_value){ b ? "1" : "0", 1 };
		if (*x->x.p != '-' && (*x->x.p < '0' || *x->x.p > '9')) {
			refuse(m, x->row->name, "is no number");
			return -1;
		}
		if (sort(x->row->source, &places) == NULL)
			continue;
		if (json_scaled(x->x, places, &x->scaled) == -1 || x->scaled < 0) {
			refuse(m, x->row->name, places == 0 ? "is no whole number" : "is no number of up to three decimals");
			return -1;
		}
	}
	return n;
}

/* Is the sample of a span one whose trace is worth a look? The chance comes from the span's own id, and is the same in every run. */
static int
is_exemplar(const struct meter *m, const struct json_value *v, const struct measured *x)
{
	const struct json_value id = m->span < 0 ? (struct json_value){ NULL, 0 } : v[m->span];

	if (!is_true(v[m->ok]) || (x->row->source == SRC_SPAN_DURATION && x->scaled > m->slow))
		return 1;
	return json_is_string(id) && mix_name(id.p + 1, id.n - 2) >> 32 < m->lucky;
}

static void
put_sample(struct meter *m, const struct measured *x, const char *time, size_t timelen, size_t tagslen, struct json_value trace)
{
	char *to = out_room(&m->out, m->most + x->x.n + tagslen + trace.n);

	to = put(to, x->row->head, x->row->headlen);
	to = put(to, time, timelen);
	to = put(to, ",\"value\":", 9);
	to = put(to, x->x.p, x->x.n);
	to = put(to, ",\"tags\":{", 9);
	to = put(to, m->text, tagslen);
	*to++ = '}';
	if (trace.p != NULL) {
		to = put(to, ",\"exemplar\":", 12);
		to = put(to, trace.p, trace.n);
	}
	out_took(&m->out, put(to, "}\n", 2));
}

static void
put_samples(struct meter *m, const struct json_value *v, int64_t us, int n, size_t tagslen)
{
	const struct measured *x = m->measured;
	struct json_value none = { NULL, 0 }, trace = none;
	char time[TIME_ROOM];
	size_t timelen = (size_t)(agg_time(time, us) - time);

	if (x[0].row != NULL && m->trace >= 0 && json_is_string(v[m->trace]) && is_exemplar(m, v, &x[0]))
		trace = v[m->trace];
	for (int i = 0; i < n; i++)
		if (x[i].row != NULL && m->most + x[i].x.n + tagslen + trace.n > OUT_LINE_MAX) {
			refuse(m, NULL, "gives a sample longer than a line may be");
			return;
		}
	for (int i = 0; i < n; i++)
		if (x[i].row != NULL)
			put_sample(m, &x[i], time, timelen, tagslen, i == 0 ? trace : none);
}

/*
 * Lines come a tree after the other, root first, and roots in order of time: nothing that follows begins before a root that was seen. What is no
 * root began at most so long after its own.
 */
static void
count(struct meter *m, const struct json_value *v, int64_t us, size_t tagslen)
{
	const struct measured *x = m->measured;
	int root = m->parent >= 0 && json_is_null(v[m->parent]);
	int64_t value[KEYS_MAX];
	const char *why;

	if (agg_pass(m->agg, root ? us : us - m->hold) == -1)
		err(1, NULL);
	/* The record of a rollout is no request. */
	if (x[0].row == NULL)
		return;
	if (tagslen > agg_labels_max(m->agg)) {
		refuse(m, NULL, "has labels longer than a line may be");
		return;
	}
	for (int i = 0; i < m->nhistograms; i++)
		value[i] = x[m->from[i]].row == NULL ? -1 : x[m->from[i]].scaled;
	if (agg_add(m->agg, m->text, tagslen, us, !is_true(v[m->ok]), value, &why) == -1)
		refuse(m, NULL, why);
}

static void
take_span(struct meter *m, const char *line, size_t len)
{
	struct json_value v[KEYS_MAX];
	const char *why;
	int64_t us;
	size_t tagslen;
	int n, b;

	if (json_read(m->json, line, len, v, &why) == -1)
		refuse(m, NULL, why);
	else if (json_is_null(v[m->time]))
		refuse(m, m->key[m->time], "is not there");
	else if (find_time(m, v[m->time], &us) == -1)
		refuse(m, m->key[m->time], "is no time");
	else if (json_bool(v[m->ok], &b) == -1)
		refuse(m, m->key[m->ok], "is neither true nor false");
	else if ((n = measure(m, v)) != -1 && put_tags(m, v, &tagslen) != -1) {
		if (opts.interval == 0)
			put_samples(m, v, us, n, tagslen);
		else
			count(m, v, us, tagslen);
	}
}

static void
take_sample(struct meter *m, const char *line, size_t len)
{
	const char *why;

	if (agg_merge(m->agg, line, len, &why) == -1)
		refuse(m, NULL, why);
}

/* ---- set up ---- */

static void *
must(void *p)
{
	if (p == NULL)
		err(1, NULL);
	return p;
}

/* The place at which values of this key are found. */
static int
key_of(struct meter *m, const char *name)
{
	for (int i = 0; i < m->nkeys; i++)
		if (strcmp(m->key[i], name) == 0)
			return i;
	if (m->nkeys == KEYS_MAX)
		errx(2, "more than %d keys are read", KEYS_MAX);
	m->key[m->nkeys] = name;
	return m->nkeys++;
}

/* The same for the key whose value is this source alone; -1. */
static int
source_key(struct meter *m, enum catalog_source source, int arg)
{
	for (int i = 0; i < m->layout->n; i++) {
		const struct catalog_text *t = &m->layout->field[i].value;

		if (t->n == 1 && t->piece[0].src == source && t->piece[0].arg == arg)
			return key_of(m, m->layout->field[i].name);
	}
	return -1;
}

static int
term_key(struct meter *m, const struct catalog_term *t)
{
	switch (t->flag) {
	case FLAG_NONE:
		return source_key(m, t->src, t->arg);
	case FLAG_OK:
	case FLAG_FAILED:
		return m->ok;
	case FLAG_READ:
	case FLAG_WRITE:
		return source_key(m, SRC_OP_WRITE, 0);
	case FLAG_ROOT:
	case FLAG_CHILD:
		return m->parent;
	default:
		return -1;
	}
}

/* Make a row of the layout's field. 0 if the records do not have what it needs. */
static int
make_row(struct meter *m, struct row *r, const struct catalog_field *f)
{
	const struct catalog_piece *p = f->value.piece;

	*r = (struct row){ .name = f->name, .when = &f->when, .key = -1 };
	r->term = must(calloc((size_t)f->when.n + 1, sizeof(*r->term)));
	for (int i = 0; i < f->when.n; i++)
		if ((r->term[i] = term_key(m, &f->when.term[i])) == -1)
			return 0;
	if (f->value.n == 0) {
		r->fixed = (struct json_value){ "null", 4 };
		return 1;
	}
	r->source = p->src;
	if (f->value.n > 1)
		return 0;
	if (p->src == SRC_NONE || p->src == SRC_CONST) {
		char *quoted = must(malloc(JSON_QUOTED(strlen(p->text))));

		r->fixed = (struct json_value){ quoted, (size_t)(json_quote(quoted, p->text, strlen(p->text)) - quoted) };
		return 1;
	}
	r->key = source_key(m, p->src, p->arg);
	return r->key >= 0;
}

/* The rows of field number i, to the end of the table. The number of the field behind it; 0 in *ok if the records do not have what it needs. */
static int
make_field(struct meter *m, struct table *t, const struct catalog_layout *l, int i, int *ok)
{
	int from = t->n;
	const char *name = l->field[i].name;

	for (*ok = 1; i < l->n && strcmp(l->field[i].name, name) == 0; i++) {
		*ok &= make_row(m, &t->row[t->n++], &l->field[i]);
		t->row[t->n - 1].more = 1;
	}
	t->row[t->n - 1].more = 0;
	if (!*ok)
		t->n = from;
	return i;
}

static const struct catalog_layout *
find_layout(const struct catalog *c, const char *name)
{
	int i = catalog_layout(c, name, strlen(name));

	if (i < 0)
		errx(2, "no layout \"%s\" in catalog %s", name, c->name);
	return &c->layout[i];
}

/* All metrics or tags that the records can fill; a warning for each other. */
static void
make_table(struct meter *m, struct table *t, const char *name)
{
	const struct catalog_layout *l = find_layout(&m->cat, name);
	int ok;

	*t = (struct table){ 0, must(calloc((size_t)l->n, sizeof(*t->row))) };
	for (int i = 0, next; i < l->n; i = next) {
		next = make_field(m, t, l, i, &ok);
		if (!ok)
			warnx("layout \"%s\" has no key for \"%s\" of layout \"%s\": left out", opts.layout, l->field[i].name, name);
	}
}

/* A label is a field of layout "tags" or, if there is none that the records can fill, any key of theirs. */
static void
add_label(struct meter *m, const struct catalog_layout *l, const char *name)
{
	struct table *t = &m->tags;
	int ok = 0;

	t->row = must(reallocarray(t->row, (size_t)t->n + (size_t)l->n + 1, sizeof(*t->row)));
	for (int i = 0; i < t->n; i++)
		if (strcmp(t->row[i].name, name) == 0)
			errx(2, "label \"%s\" twice", name);
	if (*name == '\0' || strcmp(name, "le") == 0 || strpbrk(name, "\"\\") != NULL || !utf8_valid(name, strlen(name)))
		errx(2, "\"%s\" cannot be a label", name);
	for (const char *p = name; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20)
			errx(2, "\"%s\" cannot be a label", name);
	for (int i = 0; i < l->n; i++)
		if (strcmp(l->field[i].name, name) == 0) {
			(void)make_field(m, t, l, i, &ok);
			break;
		}
	if (!ok)
		t->row[t->n++] = (struct row){ .name = name, .key = key_of(m, name) };
}

static void
make_labels(struct meter *m)
{
	const struct catalog_layout *l = find_layout(&m->cat, "tags");
	char *p = m->labels = must(strdup(opts.labels == NULL ? LABELS : opts.labels)), *name;

	/* No label at all is one set. */
	while (p != NULL && (*p != '\0' || m->tags.n > 0)) {
		name = strsep(&p, ",");
		add_label(m, l, name);
	}
}

/* What comes before each value. */
static void
make_heads(struct meter *m)
{
	for (int i = 0; i < m->tags.n; i++) {
		struct row *r = &m->tags.row[i];
		char *to = r->head = must(malloc(JSON_QUOTED(strlen(r->name)) + 1));

		to = json_quote(to, r->name, strlen(r->name));
		*to++ = ':';
		r->headlen = (size_t)(to - r->head);
	}
	for (int i = 0; i < m->metrics.n; i++) {
		struct row *r = &m->metrics.row[i];
		char *to = r->head = must(malloc(JSON_QUOTED(strlen(r->name)) + 16));

		to = put(to, "{\"metric\":", 10);
		to = json_quote(to, r->name, strlen(r->name));
		to = put(to, ",\"ts\":", 6);
		r->headlen = (size_t)(to - r->head);
		if (m->most < r->headlen)
			m->most = r->headlen;
	}
	m->most += TIME_ROOM + strlen(",\"value\":,\"tags\":{},\"exemplar\":}\n");
}

/* Where the time, the outcome and the ids of a record stand. */
static void
find_keys(struct meter *m)
{
	static const int forms[] = { TIME_RFC3339US, TIME_RFC3339, TIME_UNIX, TIME_MS, TIME_NS };

	m->time = -1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms) && m->time == -1; i++) {
		m->time_form = forms[i];
		m->time = source_key(m, SRC_SPAN_TIME, forms[i]);
	}
	m->ok = source_key(m, SRC_STATUS_OK, 0);
	if (m->time == -1 || m->ok == -1)
		errx(2, "layout \"%s\" has no key for %s", opts.layout, m->time == -1 ? "the time" : "success");
	m->parent = source_key(m, SRC_SPAN_PARENT, 0);
	m->trace = source_key(m, SRC_TRACE_ID, 0);
	m->span = source_key(m, SRC_SPAN_ID, 0);
}

static void
add_histogram(struct meter *m, const struct row *r, int metric)
{
	int places, k;
	const char *name = sort(r->source, &places);
	const struct catalog_list *l;
	int64_t *bound;

	if (name == NULL)
		return;
	if ((k = catalog_list(&m->cat, name, strlen(name))) < 0)
		errx(2, "no list \"%s\" in catalog %s", name, m->cat.name);
	l = &m->cat.list[k];
	bound = must(calloc((size_t)l->n + 1, sizeof(*bound)));
	for (int i = 0; i < l->n; i++)
		if (num_scaled(l->item[i], strlen(l->item[i]), places, &bound[i]) == -1)
			errx(2, "list \"%s\" of catalog %s: \"%s\" has more than %d decimals", name, m->cat.name, l->item[i], places);
	m->from[m->nhistograms] = metric;
	m->histogram[m->nhistograms++] =
	    (struct agg_histogram){ .name = r->name, .places = places, .n = l->n, .bound = bound, .le = (const char *const *)l->item };
}

/* Requests may last so long; and who reads a queue may come later by all delays there are. */
static int64_t
longest(const struct catalog *c)
{
	double ms = c->set.cap_ms, factor = 1, add = 0;

	for (int i = 0; i < c->neffects; i++) {
		const struct catalog_effect *e = &c->effect[i];

		if (e->what != EFFECT_DELAY)
			continue;
		if (e->factor.kind != DIST_NONE && catalog_dist_max(&e->factor) > factor)
			factor = catalog_dist_max(&e->factor);
		if (e->add.kind != DIST_NONE && catalog_dist_max(&e->add) > add)
			add = catalog_dist_max(&e->add);
	}
	for (int i = 0; i < c->ncalls; i++)
		if (c->call[i].stage == STAGE_ASYNC)
			ms += c->set.cap_ms + add +
			    (c->call[i].delay_ms.kind == DIST_NONE ? 0 : catalog_dist_max(&c->call[i].delay_ms) * factor);
	return ms < (double)HOLD_MAX ? (int64_t)(ms * 1000) : HOLD_MAX * 1000;
}

static void
make_aggregate(struct meter *m)
{
	for (int i = 0, metric = 0; i < m->metrics.n; metric++) {
		add_histogram(m, &m->metrics.row[i], metric);
		while (m->metrics.row[i++].more)
			continue;
	}
	m->hold = longest(&m->cat);
	m->agg = must(agg_open(&m->out, m->histogram, m->nhistograms, opts.interval, m->hold, !opts.deltas));
}

static void
load(struct meter *m)
{
	char text[ERROR_MAX];
	const struct catalog_layout *l;

	if (catalog_load(&m->cat, opts.catalog, text, sizeof(text), NULL, NULL) == -1)
		errx(2, "%s", text);
	l = find_layout(&m->cat, "metrics");
	m->layout = find_layout(&m->cat, opts.layout);
	find_keys(m);
	make_table(m, &m->metrics, "metrics");
	if (m->metrics.n == 0 || strcmp(m->metrics.row[0].name, l->field[0].name) != 0)
		errx(2, "layout \"%s\" has no key for \"%s\"", opts.layout, l->field[0].name);
	if (opts.interval == 0)
		make_table(m, &m->tags, "tags");
	else
		make_labels(m);
	make_heads(m);
	m->slow = (int64_t)(m->cat.set.exemplar_ms * 1000);
	m->lucky = (uint64_t)(m->cat.set.exemplar_share * 4294967296.0);
	m->json = must(json_reader(m->key, m->nkeys));
}

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr, "usage: og-metrics [-dM] [-c catalog] [-g labels] [-i interval] [-l layout]\n");
	if (fflush(stdout) == EOF)
		err(1, "<stdout>");
	exit(status);
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "catalog", required_argument, NULL, 'c' },
		{ "deltas", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "interval", required_argument, NULL, 'i' },
		{ "labels", required_argument, NULL, 'g' },
		{ "layout", required_argument, NULL, 'l' },
		{ "merge", no_argument, NULL, 'M' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "c:dg:hi:l:MV", longopts, NULL)) != -1) {
		switch (ch) {
		case 'c':
			opts.catalog = optarg;
			break;
		case 'd':
			opts.deltas = 1;
			break;
		case 'g':
			opts.labels = optarg;
			break;
		case 'h':
			usage(0);
		case 'i':
			if (clock_duration(optarg, strlen(optarg), &opts.interval) == -1 || opts.interval < 1 ||
			    opts.interval > INTERVAL_MAX)
				errx(2, "interval is no duration such as 15s, 5m or 1h: %s", optarg);
			break;
		case 'l':
			opts.layout = optarg;
			break;
		case 'M':
			opts.merge = 1;
			break;
		case 'V':
			(void)printf("og-metrics %s\n", OG_VERSION);
			if (fflush(stdout) == EOF)
				err(1, "<stdout>");
			exit(0);
		default:
			usage(2);
		}
	}
	if (argc > optind)
		usage(2);
	if (opts.interval == 0 && (opts.deltas || opts.merge || opts.labels != NULL))
		errx(2, "-%c needs -i", opts.deltas ? 'd' : opts.merge ? 'M' : 'g');
	if (opts.merge && opts.labels != NULL)
		errx(2, "-M takes the labels as they are, without -g");
}

static void
take_all(struct meter *m)
{
	enum rec_status status;
	size_t len;
	char *line;

	while ((status = rec_next(&m->in, &line, &len)) > REC_END) {
		if (status == REC_LONG)
			refuse(m, NULL, "line too long");
		else if (opts.merge)
			take_sample(m, line, len);
		else
			take_span(m, line, len);
	}
	if (status == REC_ERROR && m->out.err == 0) {
		warn("%s", m->in.name);
		m->bad = 1;
	}
	if (m->agg != NULL && agg_finish(m->agg) == -1)
		err(1, NULL);
}

int
main(int argc, char *argv[])
{
	static struct meter m;

	parse(argc, argv);
	load(&m);
	if (out_open(&m.out, STDOUT_FILENO, 0) == -1 || rec_open(&m.in, STDIN_FILENO, "<stdin>", &m.out, 0) == -1)
		err(1, NULL);
	if (opts.interval != 0)
		make_aggregate(&m);
	take_all(&m);
	if (out_close(&m.out) == -1)
		err(1, "<stdout>");
	return m.bad;
}
