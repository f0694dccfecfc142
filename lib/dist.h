/*
 * Distributions: quantile tables for the hot path, alias tables for choices, counts for the timeline.
 * Every draw is a function of the words given; results are equal on every machine.
 */
#ifndef OG_DIST_H
#define OG_DIST_H

#include <stddef.h>
#include <stdint.h>

/*
 * Quantile table of a positive quantity, in whole units (microseconds, bytes).
 * 448 equal steps for u < 63/64, then 8 steps per halving of 1 - u down to 2^-14; linear between.
 */
#define DIST_STEPS 512
struct dist_table {
	uint32_t q[DIST_STEPS + 1];
};

/* Fill from quantile(u, arg), 0 < u < 1; values are cut to [lo, hi]. */
void dist_table(struct dist_table *, double (*quantile)(double u, void *arg), void *arg, double lo, double hi);
/*
 * Log-normal body given by median and 99th percentile, the share `tail` of it (0: none) on a Pareto tail of index alpha
 * that begins where the body has 1 - tail; cut to [lo, hi].
 */
void dist_table_lognormal(struct dist_table *, double p50, double p99, double tail, double alpha, double lo, double hi);
void dist_table_uniform(struct dist_table *, double lo, double hi);
/* Mean of what dist_draw() gives over all 2^32 words, exact for the table. */
double dist_table_mean(const struct dist_table *);
uint32_t dist_draw(const struct dist_table *, uint32_t u);

/* Weighted choice among n in constant time. Source: Walker 1977, built as Vose 1991. Free with dist_alias_free(). */
struct dist_alias {
	uint32_t n;
	uint32_t *keep; /* below it: the column's own index */
	uint32_t *other;
};

/* 0, or -1 with errno: EINVAL when no weight is above 0 or one is negative or not finite; ENOMEM. */
int dist_alias(struct dist_alias *, const double *weight, uint32_t n);
void dist_alias_free(struct dist_alias *);
/* Index in [0, n), from one 64-bit word. */
uint32_t dist_pick(const struct dist_alias *, uint64_t word);

/* Normal with mean 0 and spread 1; exponential with mean 1; Pareto x >= 1 with index alpha. From one word each. */
double dist_normal(uint64_t word);
double dist_exponential(uint64_t word);
double dist_pareto(uint64_t word, double alpha);
/* Number of successes in n < 2^53 trials of chance p; and events of a Poisson process of mean m < 10^15. Words mix_at(key, 0), ... */
uint64_t dist_binomial(uint64_t key, uint64_t n, double p);
uint64_t dist_poisson(uint64_t key, double m);

/*
 * Popular pick: a chain of candidates in [0, n), weight falling as a power law with exponent s (0 < s <= 1.5).
 * The candidates of a key are one fixed sequence, from which those >= n are left out: with more things, a pick stays or moves to a new one.
 */
#define DIST_LEVELS 40
struct dist_zipf {
	uint32_t q[DIST_LEVELS + 1]; /* chance, in 2^-32, that a pick among levels 0..k falls in level k */
};
void dist_zipf(struct dist_zipf *, double s);
/* The first candidate below n that ok(candidate, arg) takes, at most `tries` (below 64) a level; or n when none. ok may be NULL. */
uint64_t dist_zipf_pick(const struct dist_zipf *, uint64_t key, uint64_t n, int tries, int (*ok)(uint64_t, void *), void *arg);

#endif
