#include "hist.h"

#define HALF (1 << HIST_BITS) /* buckets for a doubling */

/* Up to 2 * HALF a value is its own bucket; above, its leading bit and the HIST_BITS behind it tell the bucket. */
static int
bucket_of(uint64_t us)
{
	int shift;

	if (us < 2 * HALF)
		return (int)us;
	shift = 63 - __builtin_clzll(us) - HIST_BITS;
	return shift * HALF + (int)(us >> shift);
}

/* The largest value of a bucket. */
static int64_t
upper_end(int bucket)
{
	int shift;

	if (bucket < 2 * HALF)
		return bucket;
	shift = bucket / HALF - 1;
	return ((int64_t)(bucket - shift * HALF + 1) << shift) - 1;
}

void
hist_add(struct hist *h, int64_t us)
{
	if (us < 0)
		us = 0;
	if (us > h->max)
		h->max = us;
	h->count[bucket_of((uint64_t)(us > HIST_LARGEST ? HIST_LARGEST : us))]++;
	h->total++;
}

uint64_t
hist_count(const struct hist *h)
{
	return h->total;
}

int64_t
hist_max(const struct hist *h)
{
	return h->max;
}

int64_t
hist_quantile(const struct hist *h, double q)
{
	double share = q * (double)h->total;
	uint64_t rank = share < 1 ? 1 : (uint64_t)share, seen = 0;

	if ((double)rank < share)
		rank++;
	for (int i = 0; i < HIST_BUCKETS - 1; i++) {
		seen += h->count[i];
		if (seen >= rank)
			return upper_end(i) < h->max ? upper_end(i) : h->max;
	}
	return h->max;
}
