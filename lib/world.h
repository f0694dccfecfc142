/*
 * The world: everything that is decided before traffic starts, one JSON object a line; og-record(5) is its format.
 */
#ifndef OG_WORLD_H
#define OG_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "catalog.h"
#include "clock.h"
#include "out.h"
#include "rec.h"

#define WORLD_FORMAT 1
#define WORLD_REQUESTS_MAX 500000000000ULL /* -n; eight of them are a session, and 2^36 sessions can be told apart */
#define WORLD_USERS_MAX 1000000000ULL      /* -u */
#define WORLD_DEPTH_MAX 64                 /* -d */
#define WORLD_STEP (15 * CLOCK_MINUTE)     /* begin, end and requests_until are multiples of it */
#define WORLD_YEARS 100                    /* from begin to end or to requests_until, at most */
#define WORLD_BURSTS_MAX 10000             /* of an incident */
#define WORLD_FIRST_YEAR 1980              /* of begin, so that there are earlier builds; and the last one of end */
#define WORLD_LAST_YEAR 9998

/* What draws of the world are for; a constant is never used for something else. */
enum world_domain { WORLD_BUILDS = 101, WORLD_ROLLOUTS, WORLD_INCIDENTS, WORLD_SCOPE, WORLD_SERIES = 121, WORLD_MINUTES };

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
	int series;   /* EFFECT_SERIES */
	int ntargets; /* 0: everything */
	struct catalog_ref *target;
	int nthings; /* of weights and series: links, services or places; 0: all */
	int *thing;
	struct catalog_cond when; /* copied from the catalog by the text in the line */
	double factor, add;
	/* Of series, instead of these two: drawn for each minute; and as they are written. */
	struct catalog_dist factors, adds;
	char *factors_text, *adds_text;
	int ncodes;
	int *code;
};
struct world_burst {
	int64_t start, end; /* us */
};
struct world_incident {
	char *id;
	uint64_t name; /* mix_name(id) */
	char *component, *type, *message;
	enum catalog_role role;
	int64_t start, end, ramp; /* us; onset and recovery take `ramp` each, inside the length; of one in bursts, inside each */
	int bursty, nbursts;      /* bursty: outside of its bursts it does nothing */
	struct world_burst *burst;
	int nplaces; /* 0: everywhere */
	int *place;
	int neffects;
	struct world_effect *effect;
};
struct world {
	struct catalog cat; /* its set.level is the header's */
	uint64_t seed, users, requests;
	int64_t begin, end, until; /* us; until: the end to which `requests` counts */
	int depth;
	int ncomponents, nreleases, nrollouts, nincidents;
	char **component;                /* names, as they come */
	struct world_release *release;   /* sorted by service, place, from */
	struct world_rollout *rollout;   /* sorted by start, then id */
	struct world_incident *incident; /* sorted by start, then id */
	const char *warning;             /* the world was made with other tables than these; NULL: all is well */
	void *arena;
};

/*
 * Read a world and the catalog its header names. A line may refer to lines above it only.
 *   catalog   looked up instead of the header's, or NULL; its name must be the same
 *   return    0; or -1 and err holds "NAME:LINE: what" (name: that of the reader) or the catalog's message; nothing is left to free then
 */
int world_read(struct world *, struct rec *, const char *catalog, char *err, size_t errsize);
/* The same; each(), unless NULL, sees every line that was accepted. It returns 0, or -1 with errno, which ends the reading. */
int world_read_each(struct world *, struct rec *, const char *catalog, int (*each)(const char *line, size_t len, void *), void *arg,
    char *err, size_t errsize);
/* The same as world_read(), of a file that is opened and closed; NULL: standard input. */
int world_load(struct world *, const char *path, const char *catalog, char *err, size_t errsize);
void world_free(struct world *);
/* Releases of a service at a place: index of the first and how many. */
int world_releases(const struct world *, int service, int place, int *n);

/* Key of a domain: by seed and catalog, not by begin, end, users or requests, so that what grows keeps its draws. */
uint64_t world_key(uint64_t seed, const char *catalog, enum world_domain);
/* Key of a part of what `key` is the key of. */
uint64_t world_subkey(uint64_t key, uint64_t part);
/* The whole number of things that a draw of "so many a year" gives: a fraction is a chance. Words 0 and 1 of the key. */
uint64_t world_count(const struct catalog_dist *, uint64_t key);

/*
 * Spell a made id, of literal text, hex, digits and uuid, from the words of a key from number `draw` on. Its length; or -1 when something
 * else stands in the form or it does not fit.
 */
int world_spell(const struct catalog_text *form, uint64_t key, uint64_t draw, char *buf, size_t size);

/* When a calendar year of UTC begins. */
int64_t world_year(int year);
int world_year_of(int64_t us);

/* What is wrong with these limits, as the end of a message; NULL: nothing. */
const char *world_limits(const struct world *);

/* Is there an operation at the service that one of n references names? */
int world_covers(const struct catalog *, const struct catalog_ref *, int n, int service);
/* The same for an effect of the catalog; "any" may be each service. */
int world_covers_effect(const struct catalog *, const struct catalog_effect *, int service);
/* What an effect on weights or a series is about; -1: on neither, but on operations. */
int world_of(const struct catalog *, enum catalog_what, int series);
/* Does an effect on weights or a series reach a thing: a link, a service (of hosts too) or a place? Scope included. */
int world_reaches(const struct world_incident *, const struct world_effect *, int thing, int place);
/* The first burst that ends after a moment; nbursts: none. */
int world_next_burst(const struct world_incident *, int64_t t);
/* How strong an incident is at a moment, 0 to 1: all but its ramps is 1. */
double world_strength(const struct world_incident *, int64_t t);

/* The header line, with newline, as og-entities writes it. Its length, or -1 when it does not fit. */
int world_header(char *buf, size_t size, const struct world *);

/*
 * The whole world as text: header, places, services, components, deployments, releases, rollouts. Of *w it takes the catalog and the
 * header's values, which must be within world_limits().
 *   return   0; or -1 and err: a form of ids that does not fit, or memory
 */
int world_make(const struct world *, struct out *, char *err, size_t errsize);

/*
 * New incidents, before they are in the world. What returns a number gives 0, or -1 and d->err.
 */
struct world_fresh {
	struct world_incident x;
	uint64_t key;
	int row; /* of the catalog's incidents; -1 */
};
struct world_draft {
	struct world *w;
	const char *level; /* which effects count */
	uint64_t key;
	int n, max;
	struct world_fresh *fresh;
	char *err;
	size_t errsize;
};
/* Level NULL: that of the world. 0, or -1 and err: no effect has this level. */
int world_draft(struct world_draft *, struct world *, const char *level, char *err, size_t errsize);
/*
 * Those of the catalog's table, for the components that the world has: scripted ones and random ones, which do not overlap within a
 * component.
 */
int world_draft_rates(struct world_draft *);
/* One that is asked for: "KEY=VALUE,KEY=VALUE"; og-incidents(1) lists the keys. What is left out comes from the catalog. */
int world_draft_spec(struct world_draft *, const char *spec);
/* When there will be no more: order them by time and give each an id that neither the world nor another one has. */
int world_draft_name(struct world_draft *);
/* Their lines, and before them those of components that the world does not know. */
void world_draft_put(const struct world_draft *, struct out *);
/* Make them part of the world in memory; the draft is empty then. */
int world_draft_join(struct world_draft *);
void world_draft_free(struct world_draft *);

/* Parts of a line: `,"key":"text"` and so on; first a line begins with world_put_kind(). */
void world_put_kind(struct out *, const char *kind);
void world_put_text(struct out *, const char *key, const char *text);
void world_put_time(struct out *, const char *key, int64_t us);
void world_put_whole(struct out *, const char *key, uint64_t);
/* At most so many decimals, without zeros at the end. */
void world_put_number(struct out *, const char *key, double value, int places);
/* `,"key":[`, then texts, counted by *n from 0, then `]`. */
void world_put_open(struct out *, const char *key);
void world_put_item(struct out *, int *n, const char *text);
void world_put_close(struct out *);
void world_put_end(struct out *);
/* A whole line. */
void world_put_incident(struct out *, const struct catalog *, const struct world_incident *);

#endif
