/*
 * Series: what is measured of links, hosts, services and places, by random access; og-catalog(5) is the model.
 *
 * A series has a value in each of its time steps, which are counted from 1970 on: base, following the planned traffic, with noise that
 * remembers, changed by the incidents of the world in proportion to how much of the step they cover. It is a function of the world, the
 * series, the thing and the time.
 */
#ifndef OG_SERIES_H
#define OG_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "world.h"

#define SERIES_INCIDENTS 8        /* of those that change a value so many are named */
#define SERIES_THINGS_MAX 4000000 /* of all series together */

/* What a series is one of; -1: does not apply. A host is number `host`, from 1, of the pool of a service. */
struct series_thing {
	int link, place, service, host;
	uint64_t key;
	double base;
};
struct series_value {
	double value, quiet; /* quiet: without any incident */
	int n;               /* incidents of the world that change it */
	int incident[SERIES_INCIDENTS];
	int most; /* the one that changes it most; -1: none does */
};

struct series;

/* The world must outlive it. NULL and err: memory, or more than SERIES_THINGS_MAX things. */
struct series *series_open(const struct world *, char *err, size_t errsize);
void series_free(struct series *);
/* The things that series i is one of: links and places as in the catalog; hosts by place, pool, number; services by service and place. */
const struct series_thing *series_things(const struct series *, int i, int *n);
/* In the step of `every` us that holds the moment t. */
void series_at(struct series *, int i, int thing, int64_t t, int64_t every, struct series_value *);

#endif
