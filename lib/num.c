#include <float.h>
#include <math.h>
#include <string.h>

#include "num.h"

#ifdef __FAST_MATH__
#error "results must not depend on the compiler: no -ffast-math"
#endif
_Static_assert(FLT_EVAL_METHOD == 0, "doubles must be computed as doubles");

/* ln 2 in two parts: the upper one has 20 bits to spare, so that its multiples by whole numbers below 2^20 are exact. */
#define LN2_UPPER 0x1.62e42fefp-1
#define LN2_LOWER 0x1.473de6af278edp-34
#define LOG2_E 0x1.71547652b82fep+0

#define EXP_MAX 709.782712893384     /* above it the result is no finite number */
#define EXP_MIN (-745.1332191019412) /* below it the result rounds to 0 */

#define DIGITS_MAX 18

static const double ten[DIGITS_MAX + 1] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
	1e17, 1e18 };

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

/* 2^k for -1022 <= k <= 1023. */
static double
two_to(int k)
{
	return of_bits((uint64_t)(1023 + k) << 52);
}

/*
 * x = k ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite 1980), then e^r = 1 + r + r^2 p(r), where p is the Taylor series to r^11:
 * the first term left out is below 2^-58. What the rounding of r lost comes back with the sum.
 */
double
num_exp(double x)
{
	double r, upper, lower, r2, r4, p, y;
	int k;

	if (x != x)
		return x;
	if (x > EXP_MAX)
		return INFINITY;
	if (x < EXP_MIN)
		return 0;
	k = (int)(x * LOG2_E + (x < 0 ? -.5 : .5));
	upper = x - k * LN2_UPPER;
	lower = k * LN2_LOWER;
	r = upper - lower;
	r2 = r * r;
	r4 = r2 * r2;
	p = ((1. / 2 + r * (1. / 6)) + r2 * (1. / 24 + r * (1. / 120))) +
	    r4 *
		(((1. / 720 + r * (1. / 5040)) + r2 * (1. / 40320 + r * (1. / 362880))) +
		    r4 * ((1. / 3628800 + r * (1. / 39916800)) + r2 * (1. / 479001600 + r * (1. / 6227020800.))));
	y = 1 + (upper - (lower - r2 * p));
	if (k < -1022)
		return y * two_to(k + 60) * two_to(-60);
	if (k > 1023)
		return y * 2 * two_to(k - 1);
	return y * two_to(k);
}

/*
 * x = 2^k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2), and with s = f / (2 + f)
 * log(1 + f) = 2 atanh(s) = 2 s + s t, t = 2 (s^2 / 3 + s^4 / 5 + ...). As 2 s = f - f^2 / 2 + s f^2 / 2,
 * all but the exact f is small and its rounding with it.
 */
double
num_log(double x)
{
	double f, s, z, w, t, half;
	uint64_t b;
	int k;

	if (!(x > 0))
		return x == 0 ? -INFINITY : NAN;
	if (x == INFINITY)
		return x;
	k = 0;
	if (x < 0x1p-1022) {
		x *= 0x1p54;
		k = -54;
	}
	/* The exponent steps where the mantissa passes sqrt(2). */
	b = bits_of(x) + (0x3ff0000000000000ULL - 0x3fe6a09e667f3bcdULL);
	k += (int)(b >> 52) - 1023;
	f = of_bits((b & 0xfffffffffffffULL) + 0x3fe6a09e667f3bcdULL) - 1;
	s = f / (2 + f);
	z = s * s;
	w = z * z;
	t = z * (2. / 3 + w * (2. / 7 + w * (2. / 11 + w * (2. / 15 + w * (2. / 19))))) +
	    w * (2. / 5 + w * (2. / 9 + w * (2. / 13 + w * (2. / 17 + w * (2. / 21)))));
	half = .5 * f * f;
	return k * LN2_UPPER - ((half - (s * (half + t) + k * LN2_LOWER)) - f);
}

double
num_pow(double x, double y)
{
	return num_exp(y * num_log(x));
}

/* Value at x of a polynomial of degree 7, lowest coefficient first. */
static double
degree7(const double c[8], double x)
{
	double y;
	int i;

	y = c[7];
	for (i = 6; i >= 0; i--)
		y = y * x + c[i];
	return y;
}

/* The three ranges of AS 241, PPND16, each a quotient of polynomials: the middle, the tails, the far tails. */
double
num_normal_quantile(double p)
{
	static const double middle[2][8] = {
		{ 3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
		    4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3 },
		{ 1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
		    3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3 },
	};
	static const double tail[2][8] = {
		{ 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
		    1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4 },
		{ 1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
		    1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9 },
	};
	static const double far[2][8] = {
		{ 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
		    2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7 },
		{ 1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
		    1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15 },
	};
	double q, r, y;

	if (!(p > 0 && p < 1))
		return p == 0 ? -INFINITY : p == 1 ? INFINITY : NAN;
	q = p - .5;
	if (q >= -.425 && q <= .425) {
		r = .180625 - q * q;
		return q * degree7(middle[0], r) / degree7(middle[1], r);
	}
	r = sqrt(-num_log(q < 0 ? p : 1 - p));
	if (r <= 5)
		y = degree7(tail[0], r - 1.6) / degree7(tail[1], r - 1.6);
	else
		y = degree7(far[0], r - 5) / degree7(far[1], r - 5);
	return q < 0 ? -y : y;
}

/* Reads "[-]digits[.digits]" as value / 10^places. 0 or -1. */
static int
scan(const char *s, size_t n, int64_t *value, int *places)
{
	int64_t v;
	size_t i;
	int digits, point;

	v = 0;
	digits = 0;
	point = -1;
	i = n > 0 && s[0] == '-' ? 1 : 0;
	for (; i < n; i++) {
		if (s[i] == '.' && point == -1 && digits > 0)
			point = digits;
		else if (s[i] >= '0' && s[i] <= '9' && digits < DIGITS_MAX) {
			v = v * 10 + (s[i] - '0');
			digits++;
		} else
			return -1;
	}
	if (digits == 0 || digits == point)
		return -1;
	*value = s[0] == '-' ? -v : v;
	*places = point == -1 ? 0 : digits - point;
	return 0;
}

int
num_decimal(const char *s, size_t n, double *value)
{
	int64_t v;
	int places;

	if (scan(s, n, &v, &places) == -1)
		return -1;
	*value = (double)v / ten[places];
	return 0;
}

int
num_scaled(const char *s, size_t n, int places, int64_t *value)
{
	int64_t v;
	int have;

	if (scan(s, n, &v, &have) == -1 || have > places)
		return -1;
	for (; have < places; have++) {
		if (v > INT64_MAX / 10 || v < INT64_MIN / 10)
			return -1;
		v *= 10;
	}
	*value = v;
	return 0;
}

int
num_u64(const char *s, uint64_t lo, uint64_t hi, uint64_t *value, const char **errstr)
{
	uint64_t v;
	size_t i, sign;
	unsigned int d;
	int over;

	sign = s[0] == '-' ? 1 : 0;
	*errstr = "invalid";
	v = 0;
	over = 0;
	for (i = sign; s[i] >= '0' && s[i] <= '9'; i++) {
		d = (unsigned int)(s[i] - '0');
		if (v > (UINT64_MAX - d) / 10)
			over = 1;
		else
			v = v * 10 + d;
	}
	if (i == sign || s[i] != '\0')
		return -1;
	if (sign == 1 || (v < lo && !over)) {
		*errstr = "too small";
		return -1;
	}
	if (over || v > hi) {
		*errstr = "too large";
		return -1;
	}
	*errstr = NULL;
	*value = v;
	return 0;
}
