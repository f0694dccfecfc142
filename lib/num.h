/*
 * Numbers that are the same on every machine: own exp, log and normal quantile (only + - * / sqrt inside), decimals.
 */
#ifndef OG_NUM_H
#define OG_NUM_H

#include <stddef.h>
#include <stdint.h>

/* e^x; error below 1 ulp, of the smallest one where results are below 2^-1022; 0 below -745.14, infinity above 709.7827. */
double num_exp(double x);
/* Natural logarithm of x > 0, finite; error below 1 ulp. 0 gives -infinity, below 0 gives NaN. */
double num_log(double x);
/* x^y for x > 0; relative error below 2^-52 times 1 + |log result|, so no better than that of the exponent. */
double num_pow(double x, double y);
/* Standard normal quantile of 0 < p < 1, relative error below 1e-14. Source: Wichura, AS 241, Applied Statistics 37, 1988. */
double num_normal_quantile(double p);

/*
 * A decimal number "[-]digits[.digits]" of at most 18 digits in all, n bytes, nothing around it.
 *   return   0, or -1 when it is no such number
 */
int num_decimal(const char *s, size_t n, double *value);
/* The same as a whole number of 1 / 10^places; more places than that, or more than 64 bits, is an error. */
int num_scaled(const char *s, size_t n, int places, int64_t *value);
/* Unsigned whole number in [lo, hi]; else -1 and *errstr as strtonum(3) words it ("invalid", "too small", "too large"). */
int num_u64(const char *s, uint64_t lo, uint64_t hi, uint64_t *value, const char **errstr);

#endif
