/* What rules come to when all rows are read. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "num.h"
#include "rules_impl.h"

#define CHANCE 4 /* standard errors, beyond which nothing is chance */

enum { OF, AGAINST };

static void
unknown(struct rule *x, const char *why)
{
	x->known = 0;
	x->why = why;
}

/* The fullest hour of the day against the emptiest one, which counts as one row at least. */
static double
peak(const struct sums *s)
{
	uint64_t least = s->hour[0], most = s->hour[0];

	for (int h = 1; h < 24; h++) {
		least = s->hour[h] < least ? s->hour[h] : least;
		most = s->hour[h] > most ? s->hour[h] : most;
	}
	return (double)most / (double)(least > 0 ? least : 1);
}

/* ---- statistics, and between what they would lie if other rows had come by chance ---- */

struct estimate {
	double value, least, most;
};

static struct estimate
exactly(double v)
{
	return (struct estimate){ v, v, v };
}

/* Wilson's interval of a share. */
static struct estimate
share_of(double hits, double n)
{
	double p = n > 0 ? hits / n : 0, z = (double)CHANCE * CHANCE, middle, half;

	if (n <= 0 || p > 1)
		return exactly(p);
	middle = (p + z / (2 * n)) / (1 + z / n);
	half = CHANCE * sqrt(p * (1 - p) / n + z / (4 * n * n)) / (1 + z / n);
	return (struct estimate){ p, middle - half > 0 ? middle - half : 0, middle + half };
}

static struct estimate
mean_of(const struct sums *s)
{
	double n = (double)(s->rows - s->bad), mean = n > 0 ? s->sum / n : 0, var = n > 0 ? s->squares / n - mean * mean : 0;
	double chance = n > 0 && var > 0 ? CHANCE * sqrt(var / n) : 0;

	return (struct estimate){ mean, mean - chance, mean + chance };
}

static double
quantile(const struct sums *s, double q)
{
	return (double)hist_quantile(s->hist, q < 0 ? 0 : q > 1 ? 1 : q) / 1000;
}

/* By ranks: so many rows more or less may lie below it. */
static struct estimate
quantile_of(const struct sums *s, double q)
{
	double n = (double)hist_count(s->hist), off = n > 0 ? CHANCE * sqrt(q * (1 - q) / n) : 0;

	return (struct estimate){ quantile(s, q), quantile(s, q - off), quantile(s, q + off) };
}

static struct estimate
quotient(struct estimate a, struct estimate b)
{
	struct estimate q = { a.value / b.value, a.least / b.most, HUGE_VAL };

	if (b.least > 0)
		q.most = a.most / b.least;
	return q;
}

static struct estimate
statistic(const struct rule *x, const struct sums *s, int side)
{
	const struct selection *of = side == OF ? &x->of : &x->against;

	switch (x->kind) {
	case K_SUM:
		return exactly(s->sum);
	case K_MEAN:
		return of->nvalues > 0 ? share_of(s->sum, (double)(s->rows - s->bad)) : mean_of(s);
	case K_MIN:
		return exactly(s->min);
	case K_MAX:
		return exactly(s->max);
	case K_P50:
		return quantile_of(s, 0.5);
	case K_P95:
		return quantile_of(s, 0.95);
	case K_P99:
		return quantile_of(s, 0.99);
	case K_TAIL:
		return quotient(quantile_of(s, 0.99), quantile_of(s, 0.5));
	case K_DAY:
		return exactly(peak(s));
	default:
		return exactly((double)s->rows);
	}
}

/* Pearson's, of the means of minutes that have rows on both sides. NULL, or why not. */
static const char *
correlate(const struct rules *r, const struct group *g, struct estimate *e)
{
	double n = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0, va, vb, c, chance;

	for (int64_t m = 0; m < r->minutes; m++) {
		const struct minute *p = &g->sums[OF].minute[m], *q = &g->sums[AGAINST].minute[m];
		double u, v;

		if (p->n == 0 || q->n == 0)
			continue;
		u = p->sum / (double)p->n;
		v = q->sum / (double)q->n;
		n++;
		a += u;
		b += v;
		aa += u * u;
		bb += v * v;
		ab += u * v;
	}
	va = aa - a * a / (n > 0 ? n : 1);
	vb = bb - b * b / (n > 0 ? n : 1);
	if (n < 30 || va <= 0 || vb <= 0)
		return "fewer than 30 minutes with rows on both sides";
	/* Of two square roots, as their product may be out of range. */
	c = (ab - a * b / n) / (num_pow(va, 0.5) * num_pow(vb, 0.5));
	chance = CHANCE * (1 - c * c) / sqrt(n - 1);
	*e = (struct estimate){ c, c - chance, c + chance };
	return NULL;
}

/* Are there too few rows? The ends of a distribution need more than its middle, and people who come in bursts make hours uneven. */
static int
too_few(enum kind kind, uint64_t rows)
{
	switch (kind) {
	case K_MIN:
	case K_MAX:
		return 0;
	case K_P99:
	case K_TAIL:
		return rows < 4 * RULES_ENOUGH;
	case K_DAY:
		return rows < 480 * RULES_ENOUGH;
	default:
		return rows < RULES_ENOUGH;
	}
}

/* A statistic, divided by that of the other rows. NULL, or why not. */
static const char *
divide(const struct rule *x, const struct group *g, struct estimate *e)
{
	const struct sums *of = &g->sums[OF], *against = &g->sums[AGAINST];
	struct estimate other = exactly(1);

	if (x->kind == K_SHARE) {
		*e = share_of((double)of->rows, (double)against->rows);
		return against->rows < RULES_ENOUGH ? "fewer than 100 rows" : NULL;
	}
	if (too_few(x->kind, of->rows) || (x->has_against && too_few(x->kind, against->rows)))
		return "too few rows";
	if (x->has_against)
		other = statistic(x, against, AGAINST);
	if (of->rows == 0 || (x->has_against && (against->rows == 0 || other.value == 0)))
		return "no rows, or nothing to divide by";
	*e = quotient(statistic(x, of, OF), other);
	return NULL;
}

/* ---- bounds ---- */

const char *
rule_number(const struct rule *x, double v, char buf[32])
{
	if (x->sums[OF].timed && !x->has_against && v >= 0 && v < 2.5e11)
		(void)clock_text(buf, (int64_t)(v * CLOCK_SECOND + 0.5));
	else if (v > -1e15 && v < 1e15 && v == (double)(int64_t)v)
		(void)snprintf(buf, 32, "%lld", (long long)v);
	else
		(void)snprintf(buf, 32, "%.6g", v);
	return buf;
}

/* How far out of its bounds, or near to them: the larger, the worse. */
static double
badness(double value, double low, double high)
{
	double under = low > -HUGE_VAL ? low - value : -HUGE_VAL, over = high < HUGE_VAL ? value - high : -HUGE_VAL;
	double worse = under > over ? under : over, size = value < 0 ? -value : value;

	return size > 0 ? worse / size : worse;
}

static void
compare_bounds(struct rule *x, const char *group, const struct estimate *e, double low, double high)
{
	int timed = x->sums[OF].timed && !x->has_against;
	const char *colon = *group != '\0' ? ": " : "";
	char one[32], two[32];

	if (e->most < low)
		rule_fault(x, NULL, 0, "%.64s%s%s is %s %s", group, colon, rule_number(x, e->value, one), timed ? "before" : "below",
		    rule_number(x, low, two));
	else if (e->least > high)
		rule_fault(x, NULL, 0, "%.64s%s%s is %s %s", group, colon, rule_number(x, e->value, one), timed ? "after" : "above",
		    rule_number(x, high, two));
}

/* Of each group that has enough rows; the rule's value and bounds are those of the worst. */
static void
end_groups(struct rules *r, struct rule *x)
{
	const char *why = "no rows";
	double worst = -HUGE_VAL;
	int faulty = x->broken > 0; /* values that are none: the rest says nothing */

	for (int i = 0; i < x->ngroups; i++) {
		struct group *g = &x->groups[i];
		struct estimate e = exactly(0);
		const char *lack = x->kind == K_CORRELATION ? correlate(r, g, &e) : divide(x, g, &e);

		if (lack == NULL &&
		    (rule_bound(r, x->low_text, 0, g->name, &g->low) != 0 || rule_bound(r, x->high_text, 1, g->name, &g->high) != 0))
			lack = "the world does not say its bounds";
		if (lack != NULL) {
			why = lack;
			continue;
		}
		g->known = 1;
		g->value = e.value;
		if (!faulty)
			compare_bounds(x, g->name, &e, g->low, g->high);
		if (x->worst == NULL || badness(g->value, g->low, g->high) > worst) {
			x->worst = g;
			worst = badness(g->value, g->low, g->high);
		}
	}
	if (x->worst == NULL) {
		unknown(x, why);
		return;
	}
	x->value = x->worst->value;
	x->low = x->worst->low;
	x->high = x->worst->high;
}

void
rule_end(struct rules *r, struct rule *x)
{
	const struct sums *of = &x->sums[OF];
	struct estimate e = exactly(0);

	if (x->prints.full || x->set->prints.full) {
		unknown(x, "more keys than fit into 1 GiB");
		/* What was not found may only not have been kept. */
		if (x->kind == K_EXISTS || x->kind == K_MISSING)
			x->broken = 0;
	}
	if (!x->known)
		return;
	switch (x->kind) {
	case K_ORDER:
	case K_UNIQUE:
		x->value = (double)x->broken;
		return;
	case K_INSIDE:
		x->value = x->most;
		return;
	case K_OFFSET:
		x->value = x->most;
		if (of->bad == 0)
			unknown(x, "no row has its like");
		return;
	case K_EXISTS:
		e = exactly(of->rows > 0 ? (double)of->bad / (double)of->rows : 0);
		/* None and all are no matter of chance. */
		if (of->rows > 0 && x->high > 0 && x->low < 1)
			e = share_of((double)of->bad, (double)of->rows);
		if (of->rows == 0)
			unknown(x, "no rows");
		break;
	case K_MISSING:
		e = exactly((double)of->bad);
		break;
	case K_ROWS:
		e = exactly((double)of->rows);
		break;
	default:
		end_groups(r, x);
		return;
	}
	x->value = e.value;
	if (x->known && x->broken == 0)
		compare_bounds(x, "", &e, x->low, x->high);
}
