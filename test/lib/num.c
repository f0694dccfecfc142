/* lib/num: against the long double functions of libm, and the same bits from every compiler. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mix.h"
#include "num.h"
#include "tap.h"

#define ARGUMENTS 2000000

/* The bits of all results, folded; equal on every machine. */
#define GOLDEN_EXP 0x2e2602a680153090ULL
#define GOLDEN_LOG 0xe79988c6d25a72cbULL
#define GOLDEN_POW 0x3490e3de86c5ffc2ULL
#define GOLDEN_QUANTILE 0x08a473b51ed05ac1ULL

/* As a number in [0, 1). */
static double
unit(uint64_t key, uint64_t i)
{
	return (double)(mix_at(key, i) >> 11) * 0x1p-53;
}

static uint64_t
bits_of(double x)
{
	uint64_t b;

	memcpy(&b, &x, sizeof(b));
	return b;
}

static double
of_bits(uint64_t b)
{
	double x;

	memcpy(&x, &b, sizeof(x));
	return x;
}

/* Distance from the truth in units of the last place of a double. */
static double
ulps(double y, long double truth)
{
	int e;

	(void)frexpl(truth, &e);
	return (double)(fabsl(y - truth) / ldexpl(1, e - 53));
}

/* Is long double wider than double? It is not everywhere, nor under valgrind. */
static int
is_wide(void)
{
	volatile long double x;

	x = 1 + (long double)DBL_EPSILON / 1024;
	return x != 1;
}

/* An error against its limit; without long double there is nothing to judge it by. */
static void
accurate(struct tap *t, double error, double limit, const char *name)
{
	if (is_wide())
		tap(t, error < limit, "%s: %.3g at worst, allowed %g", name, error, limit);
	else
		tap(t, 1, "%s: not judged, as long double is no wider than double here", name);
}

static double
exp_argument(uint64_t i)
{
	switch (i % 4) {
	case 0:
		return (unit(1, i) - .5) * 1416; /* all results that are normal numbers */
	case 1:
		return (unit(1, i) - .5) * 4;
	case 2:
		return ((double)(i / 4 % 2000) - 1000 + (unit(1, i) - .5) * 1e-9) * (.5 * 0.6931471805599453); /* seams */
	default:
		return (unit(1, i) - .5) * ldexp(1, -(int)(i / 4 % 60));
	}
}

static double
log_argument(uint64_t i)
{
	switch (i % 4) {
	case 0:
		return of_bits(mix_at(2, i) % 0x7ff0000000000000ULL); /* any positive number */
	case 1:
		return unit(2, i) * 4 + 0x1p-60;
	case 2:
		return 1 + (unit(2, i) - .5) * ldexp(1, -(int)(i / 4 % 50)); /* around 1, where the result is small */
	default:
		return ldexp(sqrt(.5) + (unit(2, i) - .5) * 1e-9, (int)(i / 4 % 2000) - 1000); /* seams */
	}
}

static void
test_exp(struct tap *t)
{
	double x, y, u, worst;
	uint64_t i, h;
	int rises;

	worst = 0;
	rises = 1;
	h = 0;
	for (i = 0; i < ARGUMENTS; i++) {
		x = exp_argument(i);
		y = num_exp(x);
		h = mix(h ^ bits_of(y));
		rises &= num_exp(nextafter(x, INFINITY)) >= y;
		if (x < -708.3)
			continue;
		u = ulps(y, expl(x));
		worst = u > worst ? u : worst;
	}
	accurate(t, worst, 1, "exp, units of the last place");
	tap(t, rises, "exp does not fall from one number to the next");
	tap(t, h == GOLDEN_EXP, "exp: the same bits everywhere (%016" PRIx64 ")", h);
	tap(t, num_exp(0) == 1 && num_exp(-0.) == 1 && num_exp(0x1p-60) == 1, "e^0");
	tap(t, num_exp(-746) == 0 && num_exp(-1e308) == 0 && num_exp(-INFINITY) == 0, "below -745.14 it is 0");
	tap(t, num_exp(709.79) == INFINITY && num_exp(1e308) == INFINITY && num_exp(INFINITY) == INFINITY, "above 709.79 infinite");
	tap(t, isfinite(num_exp(709.782712893383)) && num_exp(-745.13) == 0x1p-1074, "its last finite value, its smallest above 0");
	tap(t, isnan(num_exp(NAN)), "NaN stays");
	worst = 0;
	for (i = 0; i < 10000; i++) {
		x = -708.4 - unit(3, i) * 36;
		u = (double)(fabsl(num_exp(x) - expl(x)) / 0x1p-1074L);
		worst = u > worst ? u : worst;
	}
	accurate(t, worst, 1, "exp where numbers thin out towards 0, in the smallest one");
}

static void
test_log(struct tap *t)
{
	double x, y, u, worst;
	uint64_t i, h;
	int rises;

	worst = 0;
	rises = 1;
	h = 0;
	for (i = 0; i < ARGUMENTS; i++) {
		x = log_argument(i);
		y = num_log(x);
		h = mix(h ^ bits_of(y));
		rises &= num_log(nextafter(x, INFINITY)) >= y;
		u = x == 1 ? y != 0 : ulps(y, logl(x));
		worst = u > worst ? u : worst;
	}
	accurate(t, worst, 1, "log, units of the last place");
	tap(t, rises, "log does not fall from one number to the next");
	tap(t, h == GOLDEN_LOG, "log: the same bits everywhere (%016" PRIx64 ")", h);
	tap(t, num_log(1) == 0 && num_log(2) == M_LN2 && num_log(0x1p-1074) == (double)logl(0x1p-1074L), "log of 1, 2 and the smallest");
	tap(t, num_log(0) == -INFINITY && num_log(-0.) == -INFINITY, "log of 0");
	tap(t, isnan(num_log(-1)) && isnan(num_log(-INFINITY)) && isnan(num_log(NAN)), "log below 0 and of NaN");
	tap(t, num_log(INFINITY) == INFINITY, "log of infinity");
}

static void
test_pow(struct tap *t)
{
	double x, y, p, error, worst;
	long double truth;
	uint64_t i, h;

	worst = 0;
	h = 0;
	for (i = 0; i < ARGUMENTS / 4; i++) {
		x = num_exp((unit(4, i) - .5) * 40);
		y = (unit(5, i) - .5) * 20;
		p = num_pow(x, y);
		h = mix(h ^ bits_of(p));
		truth = powl(x, y);
		/* The exponent is rounded twice, so that the error grows with it. */
		error = (double)(fabsl(p / truth - 1) / (DBL_EPSILON * (1 + fabsl(y * logl(x)))));
		worst = error > worst ? error : worst;
	}
	accurate(t, worst, 1, "pow, error by its bound");
	tap(t, h == GOLDEN_POW, "pow: the same bits everywhere (%016" PRIx64 ")", h);
	tap(t, num_pow(7, 0) == 1 && num_pow(1, 1e9) == 1, "pow: x^0 and 1^y");
}

/* Relative error of z as the quantile of p <= 1/2, by one step of Newton's from z. */
static double
quantile_error(double z, double p)
{
	long double tail, density;

	tail = .5L * erfcl(-z / sqrtl(2));
	density = expl(-(long double)z * z / 2) / sqrtl(2 * acosl(-1));
	return (double)fabsl((tail - p) / density / z);
}

static void
test_quantile(struct tap *t)
{
	double p, z, last, e, worst;
	uint64_t i, h;
	int rises, mirror;

	worst = 0;
	mirror = 1;
	h = 0;
	for (i = 0; i < ARGUMENTS; i++) {
		p = i % 2 == 0 ? .5 * unit(6, i) + 0x1p-60 : num_exp(-.7 - unit(6, i) * 700);
		z = num_normal_quantile(p);
		h = mix(h ^ bits_of(z));
		if (1 - (1 - p) == p)
			mirror &= num_normal_quantile(1 - p) == -z;
		e = quantile_error(z, p);
		worst = e > worst ? e : worst;
	}
	accurate(t, worst, 1e-14, "normal quantile, relative error");
	tap(t, mirror, "normal quantile: 1 - p gives the opposite");
	tap(t, h == GOLDEN_QUANTILE, "normal quantile: the same bits everywhere (%016" PRIx64 ")", h);
	rises = 1;
	last = -INFINITY;
	for (i = 1; i < 1 << 20; i++) {
		z = num_normal_quantile((double)i * 0x1p-20);
		rises &= z > last;
		last = z;
	}
	tap(t, rises, "normal quantile rises");
	tap(t,
	    num_normal_quantile(.5) == 0 && fabs(num_normal_quantile(.975) - 1.959963984540054) < 1e-14 &&
		fabs(num_normal_quantile(.99) - 2.3263478740408408) < 1e-14,
	    "normal quantile: the well-known ones");
	tap(t,
	    num_normal_quantile(0) == -INFINITY && num_normal_quantile(1) == INFINITY && isnan(num_normal_quantile(-.1)) &&
		isnan(num_normal_quantile(1.1)) && isnan(num_normal_quantile(NAN)),
	    "normal quantile: 0, 1 and beyond");
}

static void
test_decimal(struct tap *t)
{
	static const struct {
		const char *s;
		int places;
		int64_t want;
	} good[] = {
		{ "0", 0, 0 },
		{ "-0", 3, 0 },
		{ "12", 0, 12 },
		{ "12", 3, 12000 },
		{ "-12.5", 3, -12500 },
		{ "0.001", 3, 1 },
		{ "007.10", 2, 710 },
		{ "999999999999999999", 0, 999999999999999999 },
		{ "-0.99999999999999999", 17, -99999999999999999 },
		{ "9.22", 18, 9220000000000000000 },
		{ "-9.22", 18, -9220000000000000000 },
	};
	static const char *const bad[] = { "", "-", ".", "-.", ".5", "5.", "-.5", "1.2.3", "+1", " 1", "1 ", "1e3", "--1", "1-", "0x1",
		"1,5", "nan", "inf", "1234567890123456789", "0.123456789012345678", "0000000000000000000" };
	char text[32];
	double x, y;
	int64_t v;
	uint64_t w;
	size_t i;
	int n, k, same, close;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		v = -7;
		tap(t, num_scaled(good[i].s, strlen(good[i].s), good[i].places, &v) == 0 && v == good[i].want, "\"%s\" with %d places",
		    good[i].s, good[i].places);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		tap(t, num_scaled(bad[i], strlen(bad[i]), 18, &v) == -1 && num_decimal(bad[i], strlen(bad[i]), &x) == -1,
		    "\"%s\" is no decimal", bad[i]);
	tap(t, num_scaled("1.234", 5, 2, &v) == -1 && num_scaled("1.230", 5, 2, &v) == -1, "more places than asked for are refused");
	tap(t, num_scaled("9.3", 3, 18, &v) == -1 && num_scaled("-9.3", 4, 18, &v) == -1 && num_scaled("100", 3, 17, &v) == -1,
	    "what is beyond 64 bits is refused");
	tap(t, num_scaled("12x", 2, 0, &v) == 0 && v == 12 && num_decimal("1\0", 2, &x) == -1, "n bytes are read, neither more nor fewer");
	same = 1;
	close = 1;
	for (w = 0; w < 200000; w++) {
		n = 1 + (int)(mix_at(7, w) % 18);
		k = (int)(mix_at(8, w) % (uint64_t)n);
		v = (int64_t)(mix_at(9, w) % 1000000000000000000ULL);
		snprintf(text, sizeof(text), "%018" PRId64, v);
		/* n digits, the point before the last k. */
		memmove(text + n - k + 1, text + n - k, (size_t)k);
		text[n - k] = '.';
		n += k > 0;
		text[n] = '\0';
		close &= num_decimal(text, (size_t)n, &x) == 0;
		y = strtod(text, NULL);
		close &= fabs(x - y) <= DBL_EPSILON * y;
		if (n <= 16)
			same &= x == y;
	}
	tap(t, same, "decimals of up to 15 digits are the nearest number");
	tap(t, close, "longer ones are it or its neighbour");
}

static void
test_u64(struct tap *t)
{
	static const struct {
		const char *s;
		uint64_t lo, hi;
		const char *error;
		uint64_t want;
	} cases[] = {
		{ "0", 0, 10, NULL, 0 },
		{ "10", 0, 10, NULL, 10 },
		{ "010", 0, 10, NULL, 10 },
		{ "11", 0, 10, "too large", 0 },
		{ "4", 5, 10, "too small", 0 },
		{ "-4", 0, 10, "too small", 0 },
		{ "18446744073709551615", 0, UINT64_MAX, NULL, UINT64_MAX },
		{ "18446744073709551616", 0, UINT64_MAX, "too large", 0 },
		{ "99999999999999999999999999999999", 5, 10, "too large", 0 },
		{ "184467440737095516150", 5, UINT64_MAX, "too large", 0 },
		{ "", 0, 10, "invalid", 0 },
		{ "-", 0, 10, "invalid", 0 },
		{ "+1", 0, 10, "invalid", 0 },
		{ " 1", 0, 10, "invalid", 0 },
		{ "1 ", 0, 10, "invalid", 0 },
		{ "1k", 0, 10, "invalid", 0 },
		{ "1.0", 0, 10, "invalid", 0 },
		{ "0x1", 0, 10, "invalid", 0 },
	};
	const char *error;
	uint64_t v;
	size_t i;
	int r;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		v = 77;
		error = "unset";
		r = num_u64(cases[i].s, cases[i].lo, cases[i].hi, &v, &error);
		if (cases[i].error == NULL)
			tap(t, r == 0 && v == cases[i].want && error == NULL, "whole number \"%s\"", cases[i].s);
		else
			tap(t, r == -1 && v == 77 && strcmp(error, cases[i].error) == 0, "whole number \"%s\" is %s", cases[i].s,
			    cases[i].error);
	}
}

int
main(void)
{
	struct tap t = { 0 };

	test_exp(&t);
	test_log(&t);
	test_pow(&t);
	test_quantile(&t);
	test_decimal(&t);
	test_u64(&t);
	return tap_end(&t);
}
