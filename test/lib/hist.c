/* hist: quantiles against those of the sorted durations. */
#include <inttypes.h>
#include <stdlib.h>

#include "hist.h"
#include "mix.h"
#include "tap.h"

#define MOST 20000

static int64_t value[MOST];
static const double shares[] = { 0, 0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1 };

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The q-th of n sorted values: the smallest that q * n of them do not exceed. */
static int64_t
sorted_quantile(size_t n, double q)
{
	size_t i = 0;

	while (i + 1 < n && (double)(i + 1) < q * (double)n)
		i++;
	return value[i];
}

/* Are all quantiles at least the true ones, and less than 1 % above? */
static int
compare(const struct hist *h, size_t n)
{
	qsort(value, n, sizeof(*value), by_size);
	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		int64_t want = sorted_quantile(n, shares[i]), got = hist_quantile(h, shares[i]);

		if (got < want || (double)(got - want) >= 0.01 * (double)want + 1e-9) {
			printf("# %g of %zu: %" PRId64 ", not %" PRId64 "\n", shares[i], n, got, want);
			return 0;
		}
	}
	return hist_max(h) == value[n - 1] && hist_count(h) == n;
}

/* Every size of duration is met: up to 2^bits us, evenly in its logarithm. */
static void
test_random(struct tap *t)
{
	static const size_t many[] = { 1, 2, 3, 10, 99, 100, 1000, MOST };

	for (unsigned bits = 1; bits <= 31; bits += 5)
		for (size_t k = 0; k < sizeof(many) / sizeof(*many); k++) {
			struct hist h = { 0 };

			for (size_t i = 0; i < many[k]; i++) {
				uint64_t word = mix_at(bits, i);

				value[i] = (int64_t)((word >> 32) >> (32 - bits + word % bits));
				hist_add(&h, value[i]);
			}
			tap(t, compare(&h, many[k]), "%zu values up to 2^%u", many[k], bits);
		}
}

/* One value alone, at and around every power of two: no bucket is wider than it may be. */
static void
test_edges(struct tap *t)
{
	int right = 1;

	for (int64_t base = 1; base <= HIST_LARGEST; base *= 2)
		for (int64_t us = base - 1; us <= base + 1; us++) {
			struct hist h = { 0 };
			int64_t got;

			hist_add(&h, us);
			hist_add(&h, HIST_LARGEST);
			got = hist_quantile(&h, 0.5);
			right &= got >= us && (double)(got - us) <= 0.008 * (double)us;
		}
	tap(t, right, "around powers of two");
}

static void
test_ends(struct tap *t)
{
	struct hist h = { 0 };

	tap(t, hist_count(&h) == 0 && hist_max(&h) == 0 && hist_quantile(&h, 0.5) == 0 && hist_quantile(&h, 1) == 0, "empty");
	hist_add(&h, -5);
	tap(t, hist_count(&h) == 1 && hist_quantile(&h, 1) == 0, "below 0");
	hist_add(&h, 10 * HIST_LARGEST);
	tap(t, hist_max(&h) == 10 * HIST_LARGEST && hist_quantile(&h, 1) == 10 * HIST_LARGEST && hist_quantile(&h, 0.5) == 0,
	    "longer than an hour");
	hist_add(&h, INT64_MAX);
	tap(t, hist_max(&h) == INT64_MAX && hist_count(&h) == 3, "longest");
	h = (struct hist){ 0 };
	hist_add(&h, 1000);
	tap(t, hist_quantile(&h, 0.5) == 1000, "not above the largest");
	hist_add(&h, 1003);
	hist_add(&h, 1004);
	tap(t, hist_quantile(&h, 0.3) == 1003 && hist_quantile(&h, 1) == 1004, "the upper end of 1000 to 1003");
}

int
main(void)
{
	struct tap t = { 0 };

	test_random(&t);
	test_edges(&t);
	test_ends(&t);
	return tap_end(&t);
}
