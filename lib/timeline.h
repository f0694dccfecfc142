/*
 * When sessions start: a counted point process that can be entered anywhere.
 *
 * Sessions belong to classes. The number of sessions of a frame (a UTC day, or a part of one) is a quota of the total, split over classes
 * and then over the frame by binomial draws keyed by place in the tree, in proportion to the mass of each class and quarter hour; so any
 * count is found by descent.
 * Within a class, sessions are numbered from 0 in order of time: the ordinal. All sessions are ordered by (start, class, ordinal).
 * Source: hierarchical binomial splitting of a conditioned Poisson process; Kingman, Poisson Processes, 1993.
 */
#ifndef OG_TIMELINE_H
#define OG_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#define TIMELINE_CLASSES 64
#define TIMELINE_WEEK 672 /* quarter hours, the first begins on Monday 00:00 UTC */

struct timeline_model {
	uint64_t key;                          /* everything is keyed by it, the class number and the time */
	int classes;                           /* 1 .. TIMELINE_CLASSES */
	const uint32_t (*mass)[TIMELINE_WEEK]; /* per class; at most 2^24 each */
	const uint32_t *growth;                /* per UTC day, from that of begin to that of end or until, whichever is later; 1 .. 2^20 */
	int64_t begin, until, end;             /* us, multiples of a quarter hour; begin < until, begin < end */
	uint64_t sessions;                     /* in [begin, until); at most 2^36 */
};

struct timeline; /* opaque; memory grows with days x classes only */

struct timeline_session {
	int64_t start; /* us */
	uint64_t ordinal;
	int class;
};

/*
 * NULL with errno: ENOMEM; EINVAL when the model leaves its bounds or spans 2^57 us; EDOM when [begin, until) has no mass; ERANGE when with
 * those after `until` there were more than 2^48. Sessions after `until` go on at the same rate; none starts at or after `end`. The model is
 * copied.
 */
struct timeline *timeline_new(const struct timeline_model *);
void timeline_free(struct timeline *);
/* Sessions of a class that start before a moment; all classes for class -1. Moments outside are cut to [begin, end]. */
uint64_t timeline_before(const struct timeline *, int class, int64_t us);
/* Start of the session with this rank (from 0) in the order of all; `end` when there is none. */
int64_t timeline_at_rank(const struct timeline *, uint64_t rank);
/* Share of all mass in [begin, until) that lies in [from, to), classes one by one: share[class], sums to at most 1. For expectations. */
void timeline_share(const struct timeline *, int64_t from, int64_t to, double *share);

struct timeline_walk; /* one reader; several may be open */
/* NULL with ENOMEM. */
struct timeline_walk *timeline_walk(const struct timeline *, int64_t from);
/* The next session with start >= from, in order. 1, or 0 at the end. */
int timeline_next(struct timeline_walk *, struct timeline_session *);
void timeline_walk_free(struct timeline_walk *);

#endif
