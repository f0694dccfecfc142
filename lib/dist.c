#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "dist.h"
#include "mix.h"
#include "num.h"

#define TWO32 0x1p32

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
		if (num_log(v * alpha / (a / (us * us) + b)) <=
		    (k + 1 - m) - (k + .5) * log_1p((k + 1 - m) / m) - half - stirling_rest(k))
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
