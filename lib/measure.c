#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "measure_impl.h"
#include "mix.h"

#define TIME_END (2932897 * CLOCK_DAY) /* 10000-01-01T00:00:00Z */
#define HOLD_MAX 1000000000000         /* ms */

static const struct json_value none = { NULL, 0 };

static int
refuse(struct measure *m, const char *name, const char *what, const char **errstr)
{
	(void)snprintf(m->why, m->whysize, "\"%s\" %s", name, what);
	*errstr = m->why;
	return -1;
}

static int
is_true(struct json_value v)
{
	int b;

	return json_bool(v, &b) == 0 && b;
}

static int
find_time(const struct measure *m, struct json_value v, int64_t *us)
{
	char text[64];
	uint64_t ns;
	int n, status;

	switch (m->time_form) {
	case TIME_NS:
		status = json_u64(v, &ns);
		*us = status == -1 ? -1 : (int64_t)(ns / 1000);
		break;
	case TIME_UNIX:
	case TIME_MS:
		status = json_scaled(v, m->time_form == TIME_MS ? 3 : 6, us);
		break;
	default:
		n = json_text(v, text, sizeof(text));
		status = n < 0 ? -1 : clock_parse(text, (size_t)n, us);
	}
	return status == -1 || *us < 0 || *us >= TIME_END ? -1 : 0;
}

/* ---- which row of a field counts ---- */

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

/* The value of a field, p == NULL for null, and the source it comes from. */
static struct json_value
field(const struct field *f, const struct json_value *v, enum catalog_source *source)
{
	for (const struct row *r = f->row; r < f->row + f->n; r++)
		if (holds(r, v)) {
			struct json_value x = r->key >= 0 ? v[r->key] : (struct json_value){ r->fixed, r->nfixed };

			*source = r->source;
			return json_is_null(x) ? none : x;
		}
	return none;
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

/* Room for all tags, whichever row gives them. 0, or -1 with errno. */
static int
reserve(struct measure *m)
{
	size_t need = 1;

	for (const struct field *f = m->tags.field; f < m->tags.field + m->tags.n; f++) {
		need += f->nhead + 3;
		for (const struct row *r = f->row; r < f->row + f->n; r++)
			need += r->key >= 0 ? m->v[r->key].n : r->nfixed;
	}
	if (need <= m->textsize)
		return 0;
	free(m->text);
	m->textsize = 0;
	if ((m->text = malloc(2 * need)) == NULL)
		return -1;
	m->textsize = 2 * need;
	return 0;
}

/* All tags of the line, as they stand between the brackets. */
static int
put_tags(struct measure *m, size_t *n, const char **errstr)
{
	enum catalog_source source;
	char *to;

	*errstr = "out of memory";
	if (reserve(m) == -1)
		return -1;
	to = m->text;
	for (const struct field *f = m->tags.field; f < m->tags.field + m->tags.n; f++) {
		struct json_value x = field(f, m->v, &source);

		if (x.p == NULL)
			continue;
		if (to > m->text)
			*to++ = ',';
		to = put(to, f->head, f->nhead);
		if (*x.p == '{' || *x.p == '[')
			return refuse(m, f->name, "is neither text nor number", errstr);
		if (*x.p != '"') {
			*to++ = '"';
			to = put(to, x.p, x.n);
			*to++ = '"';
		} else if (memchr(x.p, '\\', x.n) == NULL)
			to = put(to, x.p, x.n);
		else if ((to = put_plain(to, x)) == NULL)
			return refuse(m, f->name, "holds a NUL", errstr);
	}
	*n = (size_t)(to - m->text);
	return 0;
}

/* ---- metrics ---- */

const char *
measure_bounds(enum catalog_source source, int *places)
{
	*places = source == SRC_SPAN_DURATION ? 3 : 0;
	if (source == SRC_SPAN_DURATION)
		return "buckets_ms";
	return source == SRC_SPAN_REQUEST_BYTES || source == SRC_SPAN_RESPONSE_BYTES ? "buckets_bytes" : NULL;
}

/* Metric number i of the line, into m->value and m->scaled. */
static int
take_metric(struct measure *m, int i, enum catalog_source *source, const char **errstr)
{
	const struct field *f = &m->metrics.field[i];
	struct json_value *x = &m->value[i];
	int b, places;

	m->scaled[i] = 0;
	*x = field(f, m->v, source);
	if (x->p == NULL)
		return 0;
	if (json_bool(*x, &b) == 0)
		*x = (struct json_value){ b ? "1" : "0", 1 };
	if (*x->p != '-' && (*x->p < '0' || *x->p > '9'))
		return refuse(m, f->name, "is no number", errstr);
	if (measure_bounds(*source, &places) == NULL)
		return 0;
	if (json_scaled(*x, places, &m->scaled[i]) == -1 || m->scaled[i] < 0)
		return refuse(m, f->name, places == 0 ? "is no whole number" : "is no number of up to three decimals", errstr);
	return 0;
}

/* Is the trace worth a look? The chance comes from the span's own id, and is the same in every run. */
static int
is_exemplar(const struct measure *m, int failed, enum catalog_source first)
{
	const struct json_value id = m->span < 0 ? none : m->v[m->span];

	if (m->trace < 0 || m->value[0].p == NULL || !json_is_string(m->v[m->trace]))
		return 0;
	if (failed || (first == SRC_SPAN_DURATION && m->scaled[0] > m->slow))
		return 1;
	return json_is_string(id) && mix_name(id.p + 1, id.n - 2) >> 32 < m->lucky;
}

static int
take_metrics(struct measure *m, struct measured *r, const char **errstr)
{
	enum catalog_source source = SRC_NONE, first = SRC_NONE;

	for (int i = 0; i < m->metrics.n; i++) {
		if (take_metric(m, i, &source, errstr) == -1)
			return -1;
		if (i == 0)
			first = source;
	}
	for (int i = 0; i < m->nhistograms; i++)
		m->sorted[i] = m->value[m->metric[i]].p == NULL ? -1 : m->scaled[m->metric[i]];
	r->request = m->value[0].p != NULL;
	r->exemplar = is_exemplar(m, r->failed, first) ? m->v[m->trace] : none;
	return 0;
}

/* ---- lines ---- */

static int
passes(const struct measure *m)
{
	for (int i = 0; i < m->filter.n; i++)
		for (int k = 0; k < m->filter.field[i].n; k++)
			if (!holds(&m->filter.field[i].row[k], m->v))
				return 0;
	return 1;
}

int
measure_read(struct measure *m, const char *line, size_t len, struct measured *r, const char **errstr)
{
	const struct json_value *v = m->v;
	int ok;

	if (json_read(m->json, line, len, m->v, errstr) == -1)
		return -1;
	if (json_is_null(v[m->time]))
		return refuse(m, m->key[m->time], "is not there", errstr);
	if (find_time(m, v[m->time], &r->us) == -1)
		return refuse(m, m->key[m->time], "is no time", errstr);
	if (json_bool(v[m->ok], &ok) == -1)
		return refuse(m, m->key[m->ok], "is neither true nor false", errstr);
	r->failed = !ok;
	r->root = m->parent >= 0 && json_is_null(v[m->parent]);
	if (take_metrics(m, r, errstr) == -1 || put_tags(m, &r->ntags, errstr) == -1)
		return -1;
	r->request &= passes(m);
	r->scaled = m->scaled;
	r->tags = m->text;
	r->value = m->value;
	r->sorted = m->sorted;
	return 0;
}

int
measure_put(const struct measure *m, const struct measured *r, struct out *out)
{
	char time[MEASURE_TIME];
	size_t ntime = (size_t)(agg_time(time, r->us) - time), fixed = m->most + r->ntags + r->exemplar.n;

	for (int i = 0; i < m->metrics.n; i++)
		if (r->value[i].p != NULL && fixed + r->value[i].n > OUT_LINE_MAX)
			return -1;
	for (int i = 0; i < m->metrics.n; i++) {
		const struct field *f = &m->metrics.field[i];
		char *to;

		if (r->value[i].p == NULL)
			continue;
		to = out_room(out, fixed + r->value[i].n);
		to = put(put(to, f->head, f->nhead), time, ntime);
		to = put(put(to, ",\"value\":", 9), r->value[i].p, r->value[i].n);
		to = put(put(to, ",\"tags\":{", 9), r->tags, r->ntags);
		*to++ = '}';
		if (i == 0 && r->exemplar.p != NULL)
			to = put(put(to, ",\"exemplar\":", 12), r->exemplar.p, r->exemplar.n);
		out_took(out, put(to, "}\n", 2));
	}
	return 0;
}

/* ---- how late spans are ---- */

static double
larger(const struct catalog_dist *d, double than)
{
	double most = d->kind == DIST_NONE ? 0 : catalog_dist_max(d);

	return most > than ? most : than;
}

/* Requests may last so long; and who reads a queue may come later by all delays there are. */
int64_t
measure_hold(const struct catalog *c)
{
	double ms = c->set.cap_ms, factor = 1, add = 0;

	for (int i = 0; i < c->neffects; i++)
		if (c->effect[i].what == EFFECT_DELAY) {
			factor = larger(&c->effect[i].factor, factor);
			add = larger(&c->effect[i].add, add);
		}
	for (int i = 0; i < c->ncalls; i++)
		if (c->call[i].stage == STAGE_ASYNC)
			ms += c->set.cap_ms + add + larger(&c->call[i].delay_ms, 0) * factor;
	return ms < (double)HOLD_MAX ? (int64_t)(ms * 1000) : HOLD_MAX * 1000;
}
