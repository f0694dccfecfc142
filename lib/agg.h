/*
 * Exact aggregates: counters and classic histograms per window of time and label set, in integers, so that no order changes a sum.
 * A window is [k interval, (k + 1) interval) since 1970, and is known by its end.
 */
#ifndef OG_AGG_H
#define OG_AGG_H

#include <stddef.h>
#include <stdint.h>

#include "out.h"

/* Counts and sums, of 128 bits: nothing that can be read in a lifetime overflows them. */
__extension__ typedef unsigned __int128 agg_int;

#define AGG_DIGITS 42 /* longest number that agg_print() writes */

/* What is sorted into buckets; all of it must live as long as the aggregate. */
struct agg_histogram {
	const char *name;
	int places; /* values, bounds and the sum are whole multiples of 10^-places; at most 18 */
	int n;
	const int64_t *bound;  /* ascending */
	const char *const *le; /* the same as text */
};

struct agg;

/*
 *   out         where lines go, at the latest with agg_finish()
 *   interval    us, 1 to 10^15
 *   hold        us by which a span may begin after its root; see agg_merge()
 *   cumulative  running totals of every label set met, for every window from the first to the last; else what each window adds, for the
 *               label sets that it touches
 *   return      NULL with errno
 */
struct agg *agg_open(struct out *out, const struct agg_histogram *, int n, int64_t interval, int64_t hold, int cumulative);
void agg_free(struct agg *);
/* Most bytes that the text of a label set may have. */
size_t agg_labels_max(const struct agg *);

/*
 * Count one record. Times are from 1970 to 9999.
 *   labels   as they stand inside "tags": `"service":"post","action":"like"`
 *   value    one for each histogram; below 0: none
 *   return   0; or -1 and *errstr: out of memory or, for running totals, of a window that is written already (others are written once more)
 */
int agg_add(struct agg *, const char *labels, size_t n, int64_t us, int failed, const int64_t *value, const char **errstr);
/* No record from before `us` is to be expected: windows that end by then are written. 0, or -1 with errno. */
int agg_pass(struct agg *, int64_t us);
/*
 * Add a line that an aggregate without running totals wrote, of the same histograms and interval. Windows are held until no shard that
 * follows can add to them: those that end `hold` before the newest one begins are written.
 *   return   0; or -1 and *errstr
 */
int agg_merge(struct agg *, const char *line, size_t len, const char **errstr);
/* Write all that is held. 0, or -1 with errno. */
int agg_finish(struct agg *);

/* A decimal number as a whole multiple of 10^-places, not below 0, without exponent. 0, or -1 when it is none, finer, or too large. */
int agg_number(const char *s, size_t n, int places, agg_int *);
/* The reverse, with all places; the end. */
char *agg_print(char *to, agg_int, int places);
/* A time in us, not below 0, as seconds with six decimals: at most 20 bytes; the end. */
char *agg_time(char *to, int64_t us);

#endif
