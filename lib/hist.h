/*
 * Durations counted by size, for quantiles that are never too small and less than 1 % too large. All members 0 is an empty one.
 */
#ifndef OG_HIST_H
#define OG_HIST_H

#include <stdint.h>

#define HIST_BITS 7                                        /* a bucket is at most 1/128 of its values wide */
#define HIST_LARGEST ((1LL << 32) - 1)                     /* us, a little over an hour; what is above counts as this */
#define HIST_BUCKETS ((33 - HIST_BITS) * (1 << HIST_BITS)) /* up to 255 one for each value, then 128 for each doubling */

struct hist {
	uint64_t count[HIST_BUCKETS];
	uint64_t total;
	int64_t max;
};

/* A duration in microseconds; less than 0 counts as 0. */
void hist_add(struct hist *, int64_t us);
uint64_t hist_count(const struct hist *);
/* The largest of all, exactly; 0 when there is none. */
int64_t hist_max(const struct hist *);
/*
 * The duration that a share q (0 to 1) of all does not exceed: the upper end of its bucket, at most the largest of all.
 *   return   0 when there is none
 */
int64_t hist_quantile(const struct hist *, double q);

#endif
