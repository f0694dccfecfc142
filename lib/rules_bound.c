/* Bounds of rules: what stands in the columns "low" and "high". */
#include <math.h>
#include <string.h>

#include "clock.h"
#include "num.h"
#include "rules_impl.h"

/* A member of an object. 0, or -1: it has none of this name. */
static int
member(struct json_value object, const char *name, size_t n, struct json_value *v)
{
	const char *next = NULL;
	struct json_value key;

	if (object.p[0] != '{')
		return -1;
	while (json_member(object, &next, &key, v) == 1)
		if (key.n == n && memcmp(key.p, name, n) == 0)
			return 0;
	return -1;
}

/* "a.b.c" in ground_truth.json. */
static int
truth_number(const struct rules *r, const char *path, size_t n, double *x)
{
	struct json_value at = { r->truth, r->truth_n };

	for (;;) {
		const char *dot = memchr(path, '.', n);

		if (member(at, path, dot == NULL ? n : (size_t)(dot - path), &at) == -1)
			return -1;
		if (dot == NULL)
			return json_double(at, x);
		n -= (size_t)(dot + 1 - path);
		path = dot + 1;
	}
}

/* "PATH+PATH" */
static int
truth_sum(const struct rules *r, const char *s, size_t n, double *x)
{
	double part;

	*x = 0;
	for (;;) {
		const char *plus = memchr(s, '+', n);
		size_t len = plus == NULL ? n : (size_t)(plus - s);

		if (r->truth == NULL || truth_number(r, s, len, &part) == -1)
			return 1;
		*x += part;
		if (plus == NULL)
			return 0;
		s += len + 1;
		n -= len + 1;
	}
}

/* ---- effects ---- */

static double
least_of(const struct catalog_dist *d)
{
	double least = d->kind == DIST_CHOICE ? HUGE_VAL : d->kind == DIST_UNIFORM && d->b < d->a ? d->b : d->a;

	for (int i = 0; d->kind == DIST_CHOICE && i < d->n; i++)
		least = d->weight[i] > 0 && d->value[i] < least ? d->value[i] : least;
	return d->kind == DIST_LOGNORMAL ? 0 : least;
}

static double
factor_of(const struct world_effect *e, int high)
{
	if (e->what != EFFECT_SERIES)
		return e->factor;
	/* What is added says nothing of factors. */
	if (e->adds.kind != DIST_NONE && (e->adds.kind != DIST_FIXED || e->adds.a != 0))
		return (double)NAN;
	if (e->factors.kind == DIST_NONE)
		return 1;
	return high ? catalog_dist_max(&e->factors) : least_of(&e->factors);
}

/* The factor of one incident, on a link or, -1, on anything; NAN: none. */
static double
incident_factor(const struct windows *w, const struct world_incident *in, int link, int high)
{
	double factor = (double)NAN;

	if (link >= 0 && !windows_on_link(w, in, link))
		return factor;
	for (int i = 0; i < in->neffects; i++) {
		const struct world_effect *e = &in->effect[i];
		double f = factor_of(e, high);

		if (!isnan(f) && windows_take(w, e) && (link < 0 || world_reaches(in, e, link, w->w->cat.link[link].from)))
			factor = isnan(factor) || (high ? f > factor : f < factor) ? f : factor;
	}
	return factor;
}

/* "ROLE.EFFECT*NUMBER": what happens to one link at the same time is multiplied. */
static int
effect_bound(struct rules *r, const char *s, size_t n, int high, const char *name, double *x)
{
	const char *star = memchr(s, '*', n);
	struct windows *w = windows_of(r, s, star == NULL ? n : (size_t)(star - s));
	double times = 1;
	int link = -1, found = 0;

	if (w == NULL || w->effect == NULL || (star != NULL && num_decimal(star + 1, (size_t)(s + n - star - 1), &times) == -1))
		return -1;
	for (int i = 0; i < r->w->cat.nlinks; i++)
		if (strcmp(r->w->cat.link[i].id, name) == 0)
			link = i;
	for (int i = 0; i < w->nincidents; i++) {
		const struct world_incident *in = w->incident[i];
		double f = incident_factor(w, in, link, high);

		for (int k = 0; k < w->nincidents && link >= 0 && !isnan(f); k++) {
			double other = incident_factor(w, w->incident[k], link, high);

			if (k != i && w->incident[k]->start < in->end && w->incident[k]->end > in->start && !isnan(other))
				f *= high ? (other > 1 ? other : 1) : (other < 1 ? other : 1);
		}
		if (isnan(f))
			continue;
		*x = found++ == 0 || (high ? f > *x : f < *x) ? f : *x;
	}
	*x *= times;
	return found > 0 ? 0 : 1;
}

/* ---- one of several ---- */

static int
one_bound(struct rules *r, const char *s, size_t n, int high, const char *name, double *x)
{
	if ((n == 5 && memcmp(s, "begin", 5) == 0) || (n == 3 && memcmp(s, "end", 3) == 0)) {
		*x = (double)(n == 5 ? r->w->begin : r->w->end) / CLOCK_SECOND;
		return 0;
	}
	if (n > 1 && *s == '=')
		return truth_sum(r, s + 1, n - 1, x);
	if (n > 1 && *s == '@')
		return effect_bound(r, s + 1, n - 1, high, name, x);
	return num_decimal(s, n, x);
}

int
rule_bound(struct rules *r, const char *text, int high, const char *name, double *x)
{
	int found = 0;

	*x = high ? HUGE_VAL : -HUGE_VAL;
	if (*text == '\0')
		return 0;
	for (;;) {
		size_t n = strcspn(text, "|");
		double one = 0;
		int got = one_bound(r, text, n, high, name, &one);

		if (got == -1)
			return -1;
		if (got == 0)
			*x = found++ == 0 || (high ? one > *x : one < *x) ? one : *x;
		if (text[n] == '\0')
			break;
		text += n + 1;
	}
	return found > 0 ? 0 : 1;
}
