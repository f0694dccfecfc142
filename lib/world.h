/*
 * The world: everything that is decided before traffic starts, one JSON object a line; og-record(5) is its format.
 */
#ifndef OG_WORLD_H
#define OG_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "catalog.h"
#include "rec.h"

#define WORLD_FORMAT 1
#define WORLD_REQUESTS_MAX 1000000000000ULL /* -n */
#define WORLD_USERS_MAX 1000000000ULL       /* -u */

struct world_release {
	char *id;
	int service, place;
	uint64_t number;
	int64_t created;
	int64_t from, to; /* traffic moves to it between these, evenly */
};
struct world_rollout {
	char *id;
	uint64_t name; /* mix_name(id) */
	int release;
	int service, place;
	int64_t start, end;
	double traffic, errors, latency; /* share of requests let through; extra error rate; factor */
};
struct world_effect {
	enum catalog_what what;
	int ntargets; /* 0: everything */
	struct catalog_ref *target;
	struct catalog_cond when; /* copied from the catalog by the text in the line */
	double factor, add;
	int ncodes;
	int *code;
};
struct world_incident {
	char *id;
	uint64_t name; /* mix_name(id) */
	char *component, *type, *message;
	enum catalog_role role;
	int64_t start, end, ramp; /* us; onset and recovery take `ramp` each, inside the length */
	int nplaces;              /* 0: everywhere */
	int *place;
	int neffects;
	struct world_effect *effect;
};
struct world {
	struct catalog cat;
	uint64_t seed, users, requests;
	int64_t begin, end, until; /* us; until: the end to which `requests` counts */
	int depth;
	int nreleases, nrollouts, nincidents;
	struct world_release *release; /* sorted by service, place, from */
	struct world_rollout *rollout; /* sorted by start, then id */
	struct world_incident *incident; /* sorted by start, then id */
	void *arena;
};

/*
 * Read a world and the catalog its header names.
 *   catalog   looked up instead of the header's, or NULL; its name must be the same
 *   return    0; or -1 and err holds "NAME:LINE: what" (name: that of the reader) or the catalog's message
 */
int world_read(struct world *, struct rec *, const char *catalog, char *err, size_t errsize);
void world_free(struct world *);
/* Releases of a service at a place: index of the first and how many. */
int world_releases(const struct world *, int service, int place, int *n);

/* The header line, with newline, and its reading back: what og-entities writes. */
int world_header(char *buf, size_t size, const struct world *);

#endif
