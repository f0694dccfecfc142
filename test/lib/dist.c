/* lib/dist: every distribution against its theory, with bounds that a model slightly off does not keep. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dist.h"
#include "mix.h"
#include "tap.h"

#define DRAWS 1000000
#define COUNTS 100000

/* Beyond 1.95 a Kolmogorov-Smirnov statistic comes once in 1000, beyond 5 deviations a chi-square never. */
#define KS_LIMIT 1.95
#define CHI_LIMIT 5

static double
unit(uint64_t key, uint64_t i)
{
	return (double)(mix_at(key, i) >> 11) * 0x1p-53;
}

static double
normal_cdf(double z)
{
	return .5 * erfc(-z / sqrt(2));
}

/* How far a chi-square of that many free cells is from what chance gives, in standard deviations. */
static double
surprise(double chi, double cells)
{
	return (chi - cells) / sqrt(2 * cells);
}

static int
by_value(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov statistic times sqrt(n) of sorted values. */
static double
ks(const double *v, int n, double (*cdf)(double x, double arg), double arg)
{
	double f, d, worst;
	int i;

	worst = 0;
	for (i = 0; i < n; i++) {
		f = cdf(v[i], arg);
		d = fmax(fabs(f - (double)i / n), fabs(f - (double)(i + 1) / n));
		worst = fmax(d, worst);
	}
	return worst * sqrt(n);
}

static double
cdf_normal(double x, double arg)
{
	return normal_cdf(x / arg);
}

static double
cdf_exponential(double x, double arg)
{
	return -expm1(-x / arg);
}

static double
cdf_pareto(double x, double arg)
{
	return 1 - pow(x, -arg);
}

/* Log-normal with median 80,000 and 99th percentile 240,000; arg is a factor of its spread. */
static double
cdf_lognormal(double x, double arg)
{
	return normal_cdf(log(x / 80000) / (arg * log(3) / 2.3263478740408408));
}

/* Both ways: the values follow cdf(x, 1), and would not be taken for cdf(x, arg) with arg 1 % away. */
static void
test_ks(struct tap *t, const char *name, double *v, double (*cdf)(double x, double arg), double arg)
{
	double right, wrong;

	qsort(v, DRAWS, sizeof(*v), by_value);
	right = ks(v, DRAWS, cdf, arg);
	wrong = ks(v, DRAWS, cdf, arg * 1.01);
	tap(t, right < KS_LIMIT && wrong > KS_LIMIT, "%s: Kolmogorov-Smirnov %.2f; %.2f if it were 1 %% off", name, right, wrong);
}

static void
test_words(struct tap *t, double *v)
{
	double sum, square;
	uint64_t i;
	int finite;

	sum = 0;
	square = 0;
	for (i = 0; i < DRAWS; i++) {
		v[i] = dist_normal(mix_at(1, i));
		sum += v[i];
		square += v[i] * v[i];
	}
	tap(t, fabs(sum) / sqrt(DRAWS) < 4 && fabs(square / DRAWS - 1) < 4 * sqrt(2. / DRAWS), "normal: mean %.4f, variance %.4f",
	    sum / DRAWS, square / DRAWS);
	test_ks(t, "normal", v, cdf_normal, 1);
	sum = 0;
	for (i = 0; i < DRAWS; i++) {
		v[i] = dist_exponential(mix_at(2, i));
		sum += v[i];
	}
	tap(t, fabs(sum / DRAWS - 1) < 4 / sqrt(DRAWS), "exponential: mean %.4f", sum / DRAWS);
	test_ks(t, "exponential", v, cdf_exponential, 1);
	for (i = 0; i < DRAWS; i++)
		v[i] = dist_pareto(mix_at(3, i), 2.5);
	test_ks(t, "Pareto", v, cdf_pareto, 2.5);
	finite = dist_pareto(0, 1) < 1e16 && dist_pareto(UINT64_MAX, 1) >= 1;
	finite &= dist_normal(0) > -9 && dist_normal(UINT64_MAX) < 9 && dist_exponential(0) < 40 && dist_exponential(UINT64_MAX) >= 0;
	tap(t, finite, "the first and the last word give finite numbers");
}

/* The word for 1 - u = x. */
static uint32_t
word_of(double x)
{
	return (uint32_t)((1 - x) * 0x1p32);
}

static void
test_table_shape(struct tap *t, const struct dist_table *d, const char *name, double lo, double hi)
{
	uint32_t last, x, u;
	uint64_t i;
	int rises;

	rises = 1;
	last = 0;
	for (i = 0; i < 1 << 22; i++) {
		/* Every 1024th word, and all near the seams. */
		x = dist_draw(d, (uint32_t)(i << 10));
		rises &= x >= last;
		last = x;
	}
	for (i = 6; i <= 14; i++) {
		last = 0;
		for (u = word_of(ldexp(1, -(int)i)) - 1000; u != word_of(ldexp(1, -(int)i)) + 1000; u++) {
			x = dist_draw(d, u);
			rises &= x >= last;
			last = x;
		}
	}
	tap(t, rises && dist_draw(d, 0) >= lo && dist_draw(d, UINT32_MAX) <= hi, "%s: draws rise with the word, inside the bounds", name);
}

static double
grid_mean(const struct dist_table *d)
{
	double sum;
	uint64_t i;

	sum = 0;
	for (i = 0; i < 1 << 24; i++)
		sum += dist_draw(d, (uint32_t)(i << 8 | 128));
	return sum / (1 << 24);
}

static double
exponential_quantile(double u, void *arg)
{
	return -1e6 * log1p(-u) + *(double *)arg;
}

static void
test_tables(struct tap *t, double *v)
{
	struct dist_table d;
	double spread, mean, shift, q, worst, z;
	uint64_t i;

	spread = log(3) / 2.3263478740408408;
	dist_table_lognormal(&d, 80000, 240000, 0, 0, 1, 1e9);
	test_table_shape(t, &d, "log-normal table", 1, 1e9);
	for (i = 0; i < DRAWS; i++)
		v[i] = dist_draw(&d, (uint32_t)mix_at(4, i));
	test_ks(t, "log-normal table", v, cdf_lognormal, 1);
	mean = 80000 * exp(spread * spread / 2);
	tap(t, fabs(dist_table_mean(&d) / mean - 1) < .001, "log-normal table: mean %.0f, by theory %.0f", dist_table_mean(&d), mean);
	tap(t, fabs(grid_mean(&d) / dist_table_mean(&d) - 1) < 1e-7, "log-normal table: its mean is the mean of its draws");
	worst = 0;
	for (i = 1; i < 10000; i++) {
		q = (double)i / 10000;
		z = (log(dist_draw(&d, (uint32_t)(q * 0x1p32))) - log(80000)) / spread;
		if (q > .0025)
			worst = fmax(worst, fabs(normal_cdf(z) - q) / (1 - q));
	}
	tap(t, worst < .005, "log-normal table: the share above each quantile is right to %.2f %%", worst * 100);
	shift = 0;
	dist_table(&d, exponential_quantile, &shift, 0, 4e9);
	test_table_shape(t, &d, "exponential table", 0, 4e9);
	for (i = 0; i < DRAWS; i++)
		v[i] = dist_draw(&d, (uint32_t)mix_at(5, i));
	test_ks(t, "exponential table", v, cdf_exponential, 1e6);
	shift = -2e6;
	dist_table(&d, exponential_quantile, &shift, 5e5, 2e6);
	test_table_shape(t, &d, "table cut on both sides", 5e5, 2e6);
	tap(t, dist_draw(&d, 1u << 31) == 500000 && dist_draw(&d, UINT32_MAX) == 2000000, "values outside the bounds are cut to them");
	dist_table(&d, exponential_quantile, &shift, 0, 1e300);
	tap(t, dist_draw(&d, 0) == 0, "a negative quantile is cut to 0");
	shift = 1e12;
	dist_table(&d, exponential_quantile, &shift, 0, 1e300);
	tap(t, dist_draw(&d, 0) == UINT32_MAX && dist_draw(&d, UINT32_MAX) == UINT32_MAX, "one beyond 32 bits is cut to 2^32 - 1");
}

static void
test_tail(struct tap *t)
{
	struct dist_table d;
	double start, index, hill, n, x;
	uint64_t i;

	dist_table_lognormal(&d, 80000, 160000, .02, 2.5, 1, 4e9);
	test_table_shape(t, &d, "log-normal table with a tail", 1, 4e9);
	start = 80000 * exp(log(2) / 2.3263478740408408 * 2.0537489106318225);
	tap(t, fabs(dist_draw(&d, word_of(.02)) / start - 1) < .002, "the tail begins where the body has 1 - tail");
	tap(t, dist_draw(&d, 1u << 31) - 79950u < 100, "the median stays");
	index = log(64) / log((double)dist_draw(&d, word_of(0x1p-13)) / dist_draw(&d, word_of(0x1p-7)));
	tap(t, fabs(index / 2.5 - 1) < .002, "the tail index between 2^-7 and 2^-13 is %.4f, not 2.5", index);
	/* Hill's estimator over all draws above the start, with what the cut at 2^-14 takes away added to it. */
	hill = 0;
	n = 0;
	for (i = 0; i < 1 << 24; i++) {
		x = dist_draw(&d, (uint32_t)(i << 8 | 128));
		if (x > start) {
			hill += log(x / start);
			n++;
		}
	}
	index = (n - 0x1p-14 * (1 << 24)) / hill;
	tap(t, fabs(n / (.02 * (1 << 24)) - 1) < .005, "the share of the tail is %.4f", n / (1 << 24));
	tap(t, fabs(index / 2.5 - 1) < .01, "Hill's estimate of the tail index is %.3f", index);
	tap(t, fabs(grid_mean(&d) / dist_table_mean(&d) - 1) < 1e-7, "the mean of the table is the mean of its draws");
}

static void
test_uniform(struct tap *t)
{
	struct dist_table d;
	double worst, x;
	uint64_t i;

	dist_table_uniform(&d, 1000, 9001000);
	test_table_shape(t, &d, "uniform table", 1000, 9001000);
	worst = 0;
	for (i = 0; i < 1 << 20; i++) {
		x = dist_draw(&d, (uint32_t)(i << 12));
		if (i < (1 << 20) - 64)
			worst = fmax(worst, fabs(x - (1000 + 9e6 * (double)i / (1 << 20))));
	}
	tap(t, worst < 1.5, "uniform table: off by %.2f at most", worst);
	tap(t, fabs(dist_table_mean(&d) - 4501000) < 1, "uniform table: mean %.2f", dist_table_mean(&d));
	dist_table_uniform(&d, 7, 7);
	tap(t, dist_draw(&d, 0) == 7 && dist_draw(&d, 12345678) == 7 && dist_draw(&d, UINT32_MAX) == 7 && dist_table_mean(&d) == 7,
	    "a uniform table of one value");
}

/* Shares by counting the columns: within rounding of the weights, nothing for 0. And the draws by chi-square. */
static void
test_alias_of(struct tap *t, const char *name, const double *weight, uint32_t n)
{
	struct dist_alias a;
	double *share, sum, worst, chi, cells, expected;
	uint32_t i, *count;
	uint64_t j;
	int none;

	share = calloc(n, sizeof(*share));
	count = calloc(n, sizeof(*count));
	if (share == NULL || count == NULL || dist_alias(&a, weight, n) == -1)
		abort();
	sum = 0;
	for (i = 0; i < n; i++) {
		sum += weight[i];
		share[i] += (a.other[i] == i ? 1 : a.keep[i] * 0x1p-32) / n;
		if (a.other[i] != i)
			share[a.other[i]] += (1 - a.keep[i] * 0x1p-32) / n;
	}
	worst = 0;
	none = 1;
	for (i = 0; i < n; i++) {
		worst = fmax(worst, fabs(share[i] - weight[i] / sum));
		none &= weight[i] > 0 || share[i] == 0;
	}
	tap(t, worst < 0x1p-32, "alias, %s: shares are right to %.2g", name, worst);
	for (j = 0; j < DRAWS; j++)
		count[dist_pick(&a, mix_at(6, j))]++;
	chi = 0;
	cells = -1;
	for (i = 0; i < n; i++) {
		expected = weight[i] / sum * DRAWS;
		none &= weight[i] > 0 || count[i] == 0;
		if (expected < 5)
			continue;
		chi += (count[i] - expected) * (count[i] - expected) / expected;
		cells++;
	}
	tap(t, none, "alias, %s: what weighs nothing is never picked", name);
	if (cells > 0)
		tap(t, fabs(surprise(chi, cells)) < CHI_LIMIT, "alias, %s: chi-square %.0f of %.0f cells", name, chi, cells);
	free(share);
	free(count);
	dist_alias_free(&a);
}

static void
test_alias(struct tap *t)
{
	static double weight[100000];
	struct dist_alias a;
	double bad[3];
	uint32_t i;

	weight[0] = 3;
	test_alias_of(t, "one", weight, 1);
	for (i = 0; i < 5; i++)
		weight[i] = i % 2 == 0 ? 0 : i;
	test_alias_of(t, "zeros between", weight, 5);
	for (i = 0; i < 1000; i++)
		weight[i] = .1;
	test_alias_of(t, "equal weights", weight, 1000);
	for (i = 0; i < 1000; i++)
		weight[i] = 1. / (i + 1) * 1e-300;
	test_alias_of(t, "falling, tiny", weight, 1000);
	for (i = 0; i < 300; i++)
		weight[i] = i % 3 == 0 ? 0 : pow(10, (double)(i % 17) - 8);
	test_alias_of(t, "17 magnitudes", weight, 300);
	for (i = 0; i < 100000; i++)
		weight[i] = unit(7, i) < .3 ? 0 : unit(8, i);
	test_alias_of(t, "many", weight, 100000);
	bad[0] = 1;
	bad[1] = -1e-9;
	bad[2] = 2;
	errno = 0;
	tap(t, dist_alias(&a, bad, 3) == -1 && errno == EINVAL, "alias: a negative weight is refused");
	bad[1] = NAN;
	errno = 0;
	tap(t, dist_alias(&a, bad, 3) == -1 && errno == EINVAL, "alias: NaN is refused");
	bad[1] = INFINITY;
	errno = 0;
	tap(t, dist_alias(&a, bad, 3) == -1 && errno == EINVAL, "alias: infinity is refused");
	bad[0] = bad[1] = bad[2] = 0;
	errno = 0;
	tap(t, dist_alias(&a, bad, 3) == -1 && errno == EINVAL, "alias: no weight at all is refused");
	errno = 0;
	tap(t, dist_alias(&a, bad, 0) == -1 && errno == EINVAL, "alias: no choice at all is refused");
}

/* A law of counts: f(k + 1) / f(k), where it starts, and its first two moments. */
struct law {
	double n, p; /* trials and chance; n = 0: Poisson of mean p */
	double mean, sd;
};

static double
log_chance(const struct law *l, double k)
{
	long double n, p;

	n = l->n;
	p = l->p;
	if (l->n > 0)
		return (double)(lgammal(n + 1) - lgammal(k + 1) - lgammal(n - k + 1) + k * logl(p) + (n - k) * log1pl(-p));
	return (double)(k * logl(p) - p - lgammal(k + 1));
}

static double
ratio(const struct law *l, double k)
{
	return l->n > 0 ? (l->n - k) / (k + 1) * l->p / (1 - l->p) : l->p / (k + 1);
}

/* Chi-square of counts against the law, in cells of at least a fiftieth. */
static double
chi_counts(const struct law *l, double *v, double *cells)
{
	double k, f, cell, chi, below;
	int i, seen;

	qsort(v, COUNTS, sizeof(*v), by_value);
	k = floor(fmax(0, l->mean - 9 * l->sd - 9));
	f = exp(log_chance(l, k));
	cell = below = chi = 0;
	*cells = -1;
	i = seen = 0;
	for (;;) {
		cell += f;
		for (; i < COUNTS && v[i] <= k; i++)
			seen++;
		below += f;
		if (cell >= .02 || k > l->mean + 9 * l->sd + 9 || (l->n > 0 && k >= l->n)) {
			if (1 - below < .005) { /* the rest goes with this cell */
				cell += 1 - below;
				seen += COUNTS - i;
				chi += (seen - cell * COUNTS) * (seen - cell * COUNTS) / (cell * COUNTS);
				++*cells;
				return chi;
			}
			chi += (seen - cell * COUNTS) * (seen - cell * COUNTS) / (cell * COUNTS);
			++*cells;
			cell = 0;
			seen = 0;
		}
		f *= ratio(l, k);
		k++;
	}
}

static void
test_law(struct tap *t, const struct law *l, double *v, uint64_t seed, const char *name)
{
	double sum, square, chi, cells, z, spread, excess;
	uint64_t i;
	int inside;

	sum = 0;
	square = 0;
	inside = 1;
	for (i = 0; i < COUNTS; i++) {
		v[i] =
		    l->n > 0 ? (double)dist_binomial(mix_at(seed, i), (uint64_t)l->n, l->p) : (double)dist_poisson(mix_at(seed, i), l->p);
		inside &= l->n <= 0 || v[i] <= l->n;
		sum += v[i] - l->mean;
		square += (v[i] - l->mean) * (v[i] - l->mean);
	}
	z = sum / l->sd / sqrt(COUNTS);
	/* The variance of a squared deviation, in variances: 2 plus the excess. */
	excess = (l->n > 0 ? 1 - 6 * l->p * (1 - l->p) : 1) / (l->sd * l->sd);
	spread = (square / (l->sd * l->sd) / COUNTS - 1) / sqrt((2 + excess) / COUNTS + 1e-12);
	tap(t, inside && fabs(z) < 4 && fabs(spread) < 4, "%s %g %g: mean %.1f, variance %.1f deviations off", name, l->n, l->p, z, spread);
	if (l->sd > 1e6)
		return;
	chi = chi_counts(l, v, &cells);
	if (cells > 0)
		tap(t, fabs(surprise(chi, cells)) < CHI_LIMIT, "%s %g %g: chi-square %.1f of %.0f cells", name, l->n, l->p, chi, cells);
}

static void
test_binomial(struct tap *t, double *v)
{
	static const struct {
		uint64_t n;
		double p;
	} cases[] = { { 1, .3 }, { 1, .5 }, { 1, .999 }, { 2, .5 }, { 7, .2 }, { 16, .5 }, { 23, .5 }, { 24, .4 }, { 24, .9 }, { 24, 1e-3 },
		{ 24, 2e-4 }, { 25, .01 }, { 25, .39 }, { 25, .41 }, { 25, .99 }, { 63, .5 }, { 64, .5 }, { 65, .5 }, { 1000, .5 },
		{ 1024, .5 }, { 1025, .5 }, { 100, .099 }, { 100, .101 }, { 100, .9 }, { 1000, .003 }, { 1000, .03 }, { 1000, .7 },
		{ 100000, 1e-5 }, { 100000, 1e-3 }, { 100000, .25 }, { 1000000, .5 }, { 1000000, 1 - 0x1p-20 }, { 1000000, 1 - 0x1p-10 },
		{ 1ULL << 36, 1e-10 }, { 1ULL << 36, 1e-9 }, { 1ULL << 36, 1e-5 }, { 1ULL << 36, .3 }, { 1ULL << 36, .5 },
		{ 1ULL << 36, 1 - 0x1p-30 }, { 1ULL << 50, .4 } };
	struct law l;
	uint64_t k, i;
	size_t j;
	int exact, mirror;

	for (j = 0; j < sizeof(cases) / sizeof(cases[0]); j++) {
		l.n = (double)cases[j].n;
		l.p = cases[j].p;
		l.mean = l.n * l.p;
		l.sd = sqrt(l.n * l.p * (1 - l.p));
		test_law(t, &l, v, 100 + j, "binomial");
	}
	exact = 1;
	mirror = 1;
	for (i = 0; i < 2000; i++) {
		k = mix_at(9, i) >> (14 + i % 50);
		exact &= dist_binomial(i, k, 0) == 0 && dist_binomial(i, k, 1) == k && dist_binomial(i, 0, unit(10, i)) == 0;
		exact &= dist_binomial(i, k, -.1) == 0 && dist_binomial(i, k, 1.1) == k && dist_binomial(i, k, NAN) == 0;
		exact &= dist_binomial(i, k, 1e-300) == 0 && dist_binomial(i, 1, .5) <= 1 && dist_binomial(i, k, unit(10, i)) <= k;
		mirror &= dist_binomial(i, k, .25) + dist_binomial(i, k, .75) == k;
	}
	tap(t, exact, "binomial: n = 0, p = 0 and p = 1 are exact, the count is at most n");
	tap(t, mirror, "binomial: successes and failures add up");
}

static void
test_poisson(struct tap *t, double *v)
{
	static const double means[] = { .01, .5, 1, 3.3, 9.99, 10, 10.5, 15, 40, 123.4, 1000, 98765, 1e9, 1e14 };
	struct law l;
	size_t j;

	for (j = 0; j < sizeof(means) / sizeof(means[0]); j++) {
		l.n = 0;
		l.p = l.mean = means[j];
		l.sd = sqrt(l.p);
		test_law(t, &l, v, 200 + j, "Poisson");
	}
	tap(t, dist_poisson(1, 0) == 0 && dist_poisson(1, -1) == 0 && dist_poisson(1, NAN) == 0, "Poisson: nothing for mean 0 and below");
}

/* Takes three candidates of four, or none but those above *arg. */
static int
most(uint64_t c, void *arg)
{
	(void)arg;
	return (mix_at(77, c) & 3) != 0;
}

static int
above(uint64_t c, void *arg)
{
	uint64_t limit;

	memcpy(&limit, arg, sizeof(limit));
	return c > limit;
}

static int
never(uint64_t c, void *arg)
{
	(void)c;
	(void)arg;
	return 0;
}

/* From n to m > n a pick stays or moves to one of [n, m). */
static int
stays(const struct dist_zipf *z, uint64_t key, uint64_t n, uint64_t m, int tries, int (*ok)(uint64_t, void *))
{
	uint64_t a, b;

	a = dist_zipf_pick(z, key, n, tries, ok, NULL);
	b = dist_zipf_pick(z, key, m, tries, ok, NULL);
	if (a == n)
		return b == m || b >= n;
	return a < n && b < m && (b == a || b >= n) && (ok == NULL || (ok(a, NULL) && ok(b, NULL)));
}

static void
test_zipf_growth(struct tap *t)
{
	struct dist_zipf z;
	uint64_t key, n, m, moved;
	int good, good_ok;

	dist_zipf(&z, .7);
	good = 1;
	good_ok = 1;
	for (key = 0; key < 2000; key++) {
		for (n = 1; n < 300; n++) {
			good &= stays(&z, mix(key), n, n + 1, 8, NULL);
			good_ok &= stays(&z, mix(key), n, n + 1, 1 + (int)(key % 16), most);
		}
	}
	for (key = 0; key < 1000000; key++) {
		n = 1 + (mix_at(11, key) >> (24 + key % 40));
		m = n + 1 + (mix_at(12, key) >> (24 + key / 40 % 40));
		good &= stays(&z, mix(key), n, m, 8, NULL);
		good_ok &= stays(&z, mix(key), n, m, 16, most);
	}
	tap(t, good, "popular pick: with more things it stays or moves to a new one");
	tap(t, good_ok, "popular pick: the same where not all are taken");
	moved = 0;
	for (key = 0; key < 100000; key++)
		moved += dist_zipf_pick(&z, mix(key), 1000000, 16, NULL, NULL) != dist_zipf_pick(&z, mix(key), 1300000, 16, NULL, NULL);
	tap(t, moved > 10000 && moved < 40000, "popular pick: 30 %% more things draw %.1f %% of the picks", (double)moved / 1000);
}

/* Chi-square over the indexes [0, 2^levels), all levels full. */
static void
test_zipf_shares(struct tap *t, double s, int levels)
{
	static uint32_t count[1 << 12];
	struct dist_zipf z;
	double weight[DIST_LEVELS + 1] = { 0 }, sum, chi, expected, high, low;
	uint64_t i, n;
	int k;

	dist_zipf(&z, s);
	n = 1ULL << levels;
	sum = 0;
	for (k = 0; k <= levels; k++) {
		weight[k] = k == 0 ? 1 : pow(ldexp(1, k - 1), 1 - s);
		sum += weight[k];
	}
	memset(count, 0, sizeof(count));
	for (i = 0; i < DRAWS; i++)
		count[dist_zipf_pick(&z, mix_at(13, i), n, 16, NULL, NULL)]++;
	chi = 0;
	for (i = 0; i < n; i++) {
		k = i == 0 ? 0 : 64 - __builtin_clzll(i);
		expected = weight[k] / sum / ldexp(1, k > 0 ? k - 1 : 0) * DRAWS;
		chi += (count[i] - expected) * (count[i] - expected) / expected;
	}
	tap(t, fabs(surprise(chi, (double)n - 1)) < CHI_LIMIT, "popular pick, exponent %g of %.0f: chi-square %.0f", s, (double)n, chi);
	if (levels < 8)
		return;
	/* Hits of an index at level 7 against level 3: 16 times as far. */
	high = low = 0;
	for (i = 4; i < 8; i++)
		high += count[i] / 4.;
	for (i = 64; i < 128; i++)
		low += count[i] / 64.;
	tap(t, fabs(log(high / low) / log(16) - s) < .02, "popular pick: hits fall with exponent %.3f, not %g", log(high / low) / log(16),
	    s);
}

static void
test_zipf(struct tap *t)
{
	struct dist_zipf z;
	uint64_t i, n, limit, sum;
	clock_t began;
	double took;
	int inside;

	test_zipf_growth(t);
	test_zipf_shares(t, .7, 1);
	test_zipf_shares(t, .7, 8);
	test_zipf_shares(t, .5, 12);
	test_zipf_shares(t, 1, 12);
	test_zipf_shares(t, 1.5, 10);
	dist_zipf(&z, .7);
	tap(t,
	    dist_zipf_pick(&z, 1, 0, 16, NULL, NULL) == 0 && dist_zipf_pick(&z, 1, 1, 16, NULL, NULL) == 0 &&
		dist_zipf_pick(&z, 1, 1, 16, never, NULL) == 1 && dist_zipf_pick(&z, 1, 1000, 16, never, NULL) == 1000 &&
		dist_zipf_pick(&z, 1, 1000, 0, NULL, NULL) == 0,
	    "popular pick: n when there is none to take");
	inside = 1;
	limit = 1000;
	for (i = 0; i < 200000; i++) {
		n = 1 + (mix_at(14, i) >> (i % 64));
		inside &= dist_zipf_pick(&z, mix(i), n, 4, NULL, NULL) < n;
		n = dist_zipf_pick(&z, mix(i), 100000, 63, above, &limit);
		inside &= n > limit;
	}
	tap(t, inside, "popular pick: below n for any n, and only what is taken");
	sum = 0;
	began = clock();
	for (i = 0; i < DRAWS; i++)
		sum += dist_zipf_pick(&z, mix(i), 1000000, 16, NULL, NULL);
	took = (double)(clock() - began) / CLOCKS_PER_SEC * 1e9 / DRAWS;
	tap(t, took < 3000 && sum > 0, "popular pick: some ten nanoseconds, or thousands under a checker (%.0f)", took);
}

/* All of the above as bits, without libm. */
static void
test_golden(struct tap *t)
{
	struct dist_table d;
	struct dist_alias a;
	struct dist_zipf z;
	double weight[1000], x[3];
	uint64_t h, i, b[3], key;

	dist_table_lognormal(&d, 81234, 251234, .02, 2.5, 100, 3000000);
	dist_zipf(&z, .65);
	for (i = 0; i < 1000; i++)
		weight[i] = unit(15, i);
	if (dist_alias(&a, weight, 1000) == -1)
		abort();
	h = 0;
	for (i = 0; i <= DIST_STEPS; i++)
		h = mix(h ^ d.q[i]);
	for (i = 0; i < 200000; i++) {
		key = mix_at(16, i);
		x[0] = dist_normal(key);
		x[1] = dist_exponential(key);
		x[2] = dist_pareto(key, 1.7);
		memcpy(b, x, sizeof(b));
		h = mix(h ^ b[0]) + mix(b[1]) + b[2];
		h = mix(h ^ dist_draw(&d, (uint32_t)key)) + dist_pick(&a, key) + dist_zipf_pick(&z, key, 1 + i, 16, most, NULL);
		h = mix(h ^ dist_binomial(key, mix(key) >> (28 + i % 36), unit(17, i))) + dist_poisson(key, unit(18, i) * (double)(i % 50));
	}
	x[0] = dist_table_mean(&d);
	memcpy(b, x, sizeof(b));
	h = mix(h ^ b[0]);
	dist_alias_free(&a);
	tap(t, h == 0x046ad03871e541bf, "the same draws everywhere (%016" PRIx64 ")", h);
}

int
main(void)
{
	struct tap t = { 0 };
	double *v;

	v = malloc(DRAWS * sizeof(*v));
	if (v == NULL)
		abort();
	test_words(&t, v);
	test_tables(&t, v);
	test_tail(&t);
	test_uniform(&t);
	test_alias(&t);
	test_binomial(&t, v);
	test_poisson(&t, v);
	test_zipf(&t);
	test_golden(&t);
	free(v);
	return tap_end(&t);
}
