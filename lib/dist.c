#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "dist.h"
#include "mix.h"
#include "num.h"

#define TWO32 0x1p32

/* The equal steps of a quantile table end at u = 63/64; above it come 8 steps for each of 8 halvings of 1 - u. */
#define EQUAL_STEPS 448
#define EQUAL_END (63. / 64)
#define HALVINGS 8
#define STEPS_PER_HALVING 8
#define TAIL_WORDS (1u << 26) /* 2^32 / 64 */

#define NORMAL_P99 2.3263478740408408 /* quantile of the normal distribution at .99 */
#define LN2 0.6931471805599453

/* Below this mean counts are found by inversion, from it on by rejection. */
#define INVERSION_MEAN 10

/* 53 bits of a word as a number strictly between 0 and 1. */
static double
unit(uint64_t word)
{
	return ((double)(word >> 12) + .5) * 0x1p-52;
}

/* log(1 + f): the rounding of 1 + f is put right to first order. */
static double
log_1p(double f)
{
	double y;

	y = 1 + f;
	return num_log(y) + (f - (y - 1)) / y;
}

/* What the formula ln k! = (k + 1/2) ln(k + 1) - (k + 1) + ln(2 pi) / 2 leaves out (Stirling's series in k + 1). */
static double
stirling_rest(double k)
{
	static const double small[10] = { .0810614667953272582, .0413406959554092941, .0276779256849983391, .0207906721037650931,
		.0166446911898211922, .013876128823070748, .0118967099458917701, .0104112652619720965, .00925546218271273292,
		.00833056343336287126 };
	double z, z2;

	if (k < 10)
		return small[(int)k];
	z = k + 1;
	z2 = z * z;
	return (1. / 12 - (1. / 360 - (1. / 1260 - 1. / 1680 / z2) / z2) / z2) / z;
}

static double
cut(double x, double lo, double hi)
{
	return x < lo ? lo : x > hi ? hi : x;
}

/* The u of point i of a quantile table. */
static double
point(int i)
{
	double below; /* 1 - u where the halving begins */
	int j;

	if (i <= EQUAL_STEPS)
		return i * (EQUAL_END / EQUAL_STEPS);
	j = i - EQUAL_STEPS;
	below = 1. / (64 << j / STEPS_PER_HALVING);
	return 1 - below * (1 - (double)(j % STEPS_PER_HALVING) / (2 * STEPS_PER_HALVING));
}

/* The point at u = 0 is placed such that the middle of the first step is right: a quantile there may be 0 or none. */
void
dist_table(struct dist_table *t, double (*quantile)(double u, void *arg), void *arg, double lo, double hi)
{
	double x, top;
	int i;

	top = cut(hi, 0, UINT32_MAX);
	for (i = DIST_STEPS; i >= 0; i--) {
		if (i > 0)
			x = quantile(point(i), arg);
		else
			x = 2 * quantile(point(1) / 2, arg) - quantile(point(1), arg);
		x = cut(x, cut(lo, 0, UINT32_MAX), top);
		t->q[i] = (uint32_t)(x + .5);
		top = x;
	}
}

struct lognormal {
	double middle, spread; /* of the logarithm */
	double tail, start, power;
};

static double
lognormal_quantile(double u, void *arg)
{
	const struct lognormal *l = arg;

	if (1 - u < l->tail)
		return l->start * num_pow(l->tail / (1 - u), l->power);
	return num_exp(l->middle + l->spread * num_normal_quantile(u));
}

void
dist_table_lognormal(struct dist_table *t, double p50, double p99, double tail, double alpha, double lo, double hi)
{
	struct lognormal l = { 0 };

	l.middle = num_log(p50);
	l.spread = num_log(p99 / p50) / NORMAL_P99;
	if (tail > 0) {
		l.start = lognormal_quantile(1 - tail, &l);
		l.tail = tail;
		l.power = 1 / alpha;
	}
	dist_table(t, lognormal_quantile, &l, lo, hi);
}

static double
uniform_quantile(double u, void *arg)
{
	const double *range = arg;

	return range[0] + u * (range[1] - range[0]);
}

void
dist_table_uniform(struct dist_table *t, double lo, double hi)
{
	double range[2] = { lo, hi };

	dist_table(t, uniform_quantile, range, lo, hi);
}

double
dist_table_mean(const struct dist_table *t)
{
	double sum;
	int i;

	sum = (1 - point(DIST_STEPS)) * t->q[DIST_STEPS];
	for (i = 0; i < DIST_STEPS; i++)
		sum += (point(i + 1) - point(i)) * .5 * ((double)t->q[i] + t->q[i + 1]);
	return sum;
}

uint32_t
dist_draw(const struct dist_table *t, uint32_t u)
{
	uint64_t y;
	uint32_t left, z, i, part;
	int halving;

	left = UINT32_MAX - u;
	if (left >= TAIL_WORDS) {
		/* u 448 / (63 / 64) = u 4096 / 9: the step above bit 52, the part of it in the 32 bits below. */
		y = (uint64_t)u * 477218588;
		i = (uint32_t)(y >> 52);
		part = (uint32_t)(y >> 20);
	} else if (left >= TAIL_WORDS >> HALVINGS) {
		halving = __builtin_clz(left) - 6;
		z = TAIL_WORDS - 1 - (left << halving);
		i = EQUAL_STEPS + STEPS_PER_HALVING * (uint32_t)halving + (z >> 22);
		part = z << 10;
	} else
		return t->q[DIST_STEPS];
	return t->q[i] + (uint32_t)(((uint64_t)(t->q[i + 1] - t->q[i]) * part + (1u << 31)) >> 32);
}

/* Columns with less than their share are filled up, one after the other, from one that has more. */
static void
vose(struct dist_alias *a, double *share, uint32_t *list)
{
	uint32_t i, small, large, nsmall, nlarge;

	nsmall = 0;
	nlarge = 0;
	for (i = 0; i < a->n; i++) {
		/* Until a column is filled it is all its own. */
		a->keep[i] = UINT32_MAX;
		a->other[i] = i;
		if (share[i] < 1)
			list[nsmall++] = i;
		else
			list[a->n - ++nlarge] = i;
	}
	while (nsmall > 0 && nlarge > 0) {
		small = list[--nsmall];
		large = list[a->n - nlarge];
		a->keep[small] = (uint32_t)cut(share[small] * TWO32 + .5, 0, UINT32_MAX);
		a->other[small] = large;
		share[large] = share[large] + share[small] - 1;
		if (share[large] < 1) {
			nlarge--;
			list[nsmall++] = large;
		}
	}
}

int
dist_alias(struct dist_alias *a, const double *weight, uint32_t n)
{
	double sum, *share;
	uint32_t i, *list;

	a->n = n;
	a->keep = NULL;
	a->other = NULL;
	sum = 0;
	for (i = 0; i < n; i++) {
		if (!(weight[i] >= 0))
			sum = NAN;
		sum += weight[i];
	}
	if (!(sum > 0 && sum < INFINITY)) {
		errno = EINVAL;
		return -1;
	}
	share = calloc(n, sizeof(*share));
	list = calloc(n, sizeof(*list));
	a->keep = calloc(n, sizeof(*a->keep));
	a->other = calloc(n, sizeof(*a->other));
	if (share == NULL || list == NULL || a->keep == NULL || a->other == NULL) {
		dist_alias_free(a);
		free(share);
		free(list);
		errno = ENOMEM;
		return -1;
	}
	for (i = 0; i < n; i++)
		share[i] = weight[i] / sum * n;
	vose(a, share, list);
	free(share);
	free(list);
	return 0;
}

void
dist_alias_free(struct dist_alias *a)
{
	free(a->keep);
	free(a->other);
	a->keep = NULL;
	a->other = NULL;
	a->n = 0;
}

uint32_t
dist_pick(const struct dist_alias *a, uint64_t word)
{
	uint32_t i;

	i = mix_below((uint32_t)(word >> 32), a->n);
	return (uint32_t)word < a->keep[i] ? i : a->other[i];
}

double
dist_normal(uint64_t word)
{
	return num_normal_quantile(unit(word));
}

double
dist_exponential(uint64_t word)
{
	return -num_log(unit(word));
}

double
dist_pareto(uint64_t word, double alpha)
{
	return num_pow(unit(word), -1 / alpha);
}

static unsigned int
ones(uint64_t w)
{
	w -= w >> 1 & 0x5555555555555555ULL;
	w = (w & 0x3333333333333333ULL) + (w >> 2 & 0x3333333333333333ULL);
	w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (unsigned int)(w * 0x0101010101010101ULL >> 56);
}

/* n trials of chance 1/2: n bits. */
static uint64_t
binomial_bits(uint64_t key, uint64_t n)
{
	uint64_t i, k;

	k = 0;
	for (i = 0; i < n / 64; i++)
		k += ones(mix_at(key, i));
	if ((n & 63) != 0)
		k += ones(mix_at(key, i) >> (64 - (n & 63)));
	return k;
}

/* A few trials of a chance p <= 1/2: half a word each. */
static uint64_t
binomial_trials(uint64_t key, uint64_t n, double p)
{
	uint64_t i, k, w;
	uint32_t limit;

	limit = (uint32_t)(p * TWO32 + .5);
	k = 0;
	for (i = 0; i < n / 2; i++) {
		w = mix_at(key, i);
		k += (uint64_t)((uint32_t)w < limit) + (uint64_t)((uint32_t)(w >> 32) < limit);
	}
	if ((n & 1) != 0)
		k += (uint32_t)mix_at(key, i) < limit;
	return k;
}

/*
 * Count whose chances obey f(0) = first, f(k) = f(k - 1) (a / k - b), at most `most`: goes up from 0 until the chances add up to
 * the uniform. Beyond 200 with a mean below 10 there is only the rounding of the sum: another word.
 */
static uint64_t
inversion(uint64_t key, double first, double a, double b, uint64_t most)
{
	uint64_t i, k;
	double f, u;

	if (most > 200)
		most = 200;
	for (i = 0;; i++) {
		u = unit(mix_at(key, i));
		f = first;
		for (k = 0; k <= most; k++) {
			if (u < f)
				return k;
			u -= f;
			f *= a / (double)(k + 1) - b;
		}
	}
}

/*
 * Rejection from a table mountain, n p >= 10 and p <= 1/2. Source: Hoermann 1993, algorithm BTRS. The logarithm of f(k) / f(m) is
 * written in terms of k - m, so that nothing large is cancelled.
 */
static uint64_t
binomial_btrs(uint64_t key, double n, double p)
{
	double spread, a, b, alpha, centre, ratio, m, rest, u, v, us, k, d;
	uint64_t i;

	spread = sqrt(n * p * (1 - p));
	b = 1.15 + 2.53 * spread;
	a = -.0873 + .0248 * b + .01 * p;
	alpha = (2.83 + 5.1 / b) * spread;
	centre = n * p + .5;
	ratio = p / (1 - p);
	m = (double)(uint64_t)((n + 1) * p);
	rest = stirling_rest(m) + stirling_rest(n - m);
	for (i = 0;; i += 2) {
		u = unit(mix_at(key, i)) - .5;
		v = unit(mix_at(key, i + 1));
		us = .5 - (u < 0 ? -u : u);
		k = (2 * a / us + b) * u + centre;
		if (k < 0 || k >= n + 1)
			continue;
		k = (double)(uint64_t)k;
		if (us >= .07 && v <= .92 - 4.2 / b)
			return (uint64_t)k;
		v *= alpha / (a / (us * us) + b);
		d = k - m;
		if (num_log(v) <= rest - stirling_rest(k) - stirling_rest(n - k) - (m + .5) * log_1p(d / (m + 1)) -
			(n - m + .5) * log_1p(-d / (n - m + 1)) + d * num_log(ratio * (n - k + 1) / (k + 1)))
			return (uint64_t)k;
	}
}

uint64_t
dist_binomial(uint64_t key, uint64_t n, double p)
{
	if (n == 0 || !(p > 0))
		return 0;
	if (p >= 1)
		return n;
	if (p > .5)
		return n - dist_binomial(key, n, 1 - p);
	if (p == .5 && n <= 1024)
		return binomial_bits(key, n);
	/* Below 2^-12 the grain of 2^-32 would show. */
	if (n <= 24 && p >= 0x1p-12)
		return binomial_trials(key, n, p);
	if ((double)n * p < INVERSION_MEAN)
		return inversion(key, num_exp((double)n * log_1p(-p)), ((double)n + 1) * (p / (1 - p)), p / (1 - p), n);
	return binomial_btrs(key, (double)n, p);
}

/* Rejection from a table mountain, m >= 10. Source: Hoermann 1993, algorithm PTRS. */
static uint64_t
poisson_ptrs(uint64_t key, double m)
{
	double a, b, alpha, half, u, v, us, k;
	uint64_t i;

	b = .931 + 2.53 * sqrt(m);
	a = -.059 + .02483 * b;
	alpha = 1.1239 + 1.1328 / (b - 3.4);
	half = .5 * num_log(6.283185307179586 * m);
	for (i = 0;; i += 2) {
		u = unit(mix_at(key, i)) - .5;
		v = unit(mix_at(key, i + 1));
		us = .5 - (u < 0 ? -u : u);
		k = (2 * a / us + b) * u + m + .43;
		if (k < 0 || k >= 0x1p62)
			continue;
		k = (double)(uint64_t)k;
		if (us >= .07 && v <= .9277 - 3.6224 / (b - 2))
			return (uint64_t)k;
		if (us < .013 && v > us)
			continue;
		if (num_log(v * alpha / (a / (us * us) + b)) <= (k + 1 - m) - (k + .5) * log_1p((k + 1 - m) / m) - half - stirling_rest(k))
			return (uint64_t)k;
	}
}

uint64_t
dist_poisson(uint64_t key, double m)
{
	if (!(m > 0))
		return 0;
	if (m < INVERSION_MEAN)
		return inversion(key, num_exp(-m), m, 0, UINT64_MAX);
	return poisson_ptrs(key, m);
}

/* Level 0 is index 0, level k the indexes [2^(k-1), 2^k); weight: size^(1-s). */
void
dist_zipf(struct dist_zipf *z, double s)
{
	double weight, sum;
	int k;

	z->q[0] = UINT32_MAX;
	sum = 1;
	for (k = 1; k <= DIST_LEVELS; k++) {
		weight = num_exp((k - 1) * (1 - s) * LN2);
		sum += weight;
		z->q[k] = (uint32_t)(weight / sum * TWO32 + .5);
	}
}

/*
 * From the highest level that begins below n down. Words of level k: mix_at(key, 64 k) decides whether the level is tried,
 * mix_at(key, 64 k + 1 + j) is candidate j; neither depends on n, and nothing old is passed over for something old.
 */
uint64_t
dist_zipf_pick(const struct dist_zipf *z, uint64_t key, uint64_t n, int tries, int (*ok)(uint64_t, void *), void *arg)
{
	uint64_t begin, c, i;
	int k, j;

	if (n == 0)
		return n;
	k = n == 1 ? 0 : 64 - __builtin_clzll(n - 1);
	if (k > DIST_LEVELS)
		k = DIST_LEVELS;
	for (; k > 0; k--) {
		i = 64 * (uint64_t)k;
		if (mix_at(key, i) >> 32 >= z->q[k])
			continue;
		begin = 1ULL << (k - 1);
		for (j = 0; j < tries; j++) {
			c = begin + (mix_at(key, ++i) & (begin - 1));
			if (c < n && (ok == NULL || ok(c, arg)))
				return c;
		}
	}
	return ok == NULL || ok(0, arg) ? 0 : n;
}
