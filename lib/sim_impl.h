/* Shared by the files of the simulation only. */
#ifndef OG_SIM_IMPL_H
#define OG_SIM_IMPL_H

#include "clock.h"
#include "sim.h"

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

/* Numbers of the draws of a request's key; a number is never used for something else. */
enum sim_draw {
	DRAW_LATENCY = 0,
	DRAW_BYTES,
	DRAW_CACHE,
	DRAW_FAIL,
	DRAW_CODE,
	DRAW_BELOW, /* one for each level: up to 9 more */
	DRAW_TARGET = 20,
	DRAW_OBJECT = 24,
	DRAW_RELEASE = 40,
	DRAW_SUCCESS,
	/* 44 on: enum sim_outside */
	DRAW_SPAN = 256 /* plus slot: key of a span */
};
/* Of a span's key; `attempts` and incidents have keys derived from it. */
enum sim_span_draw {
	SPAN_SHARE = 0,
	SPAN_LATENCY,
	SPAN_BYTES,
	SPAN_CACHE,
	SPAN_FAIL,
	SPAN_CODE,
	SPAN_PLACE,
	SPAN_RELEASE,
	SPAN_DELAY,
	SPAN_COUNT,
	SPAN_SUCCESS,
	SPAN_TRAVEL,
	SPAN_LINK,
	SPAN_LOST
};

enum sim_role { ROLE_FIRST = 1, ROLE_LAST = 2, ROLE_ONCE = 4 };

/* An effect of an incident, ready for use. */
struct sim_effect {
	const struct world_effect *e;
	uint64_t *services; /* bit set: covered whole */
	int whole;          /* no operation is named: the bit set decides */
	uint32_t rate;      /* of errors: share, 2^-32; of traffic: share dropped */
	int64_t excess;     /* of latency and delay: factor - 1, 2^-16 */
	int64_t add;        /* us */
};
struct sim_incident {
	int neffects;
	struct sim_effect *effect;
	uint64_t *services; /* any effect */
	uint64_t *places;   /* bit set; NULL: all */
};
struct sim_active {
	struct sim_incident *incident; /* per world incident */
	int64_t longest_rollout, longest_incident;
	int64_t lo, hi; /* what follows holds for lo <= t < hi */
	int nincidents, nrollouts;
	int *now_incident, *now_rollout;
	double *weight; /* of each link */
	uint64_t *mask; /* [nplaces + 1][words]: services touched; the last row: at any place */
};

/* What the trips of a call take. */
struct sim_trip {
	int link;       /* -1: it stays in its place */
	int64_t time;   /* us, of all trips */
	int64_t usual;  /* when all is well, without noise */
	int64_t excess; /* of the time, because of incidents */
	int cause;      /* that which changed the link most */
	int n;          /* of them, all */
	const int *incident;
};

static inline int
bit(const uint64_t *set, int i)
{
	return (int)(set[i >> 6] >> (i & 63) & 1);
}

/* a * b / 2^16 for 0 <= a < 2^40. */
static inline int64_t
scale16(int64_t a, uint32_t b)
{
	return (int64_t)(((uint64_t)a * b) >> 16);
}

/* Quarter hour of the week, from Monday 00:00 UTC; 1970-01-01 was a Thursday. */
static inline int
sim_quarter(int64_t t)
{
	return (int)((t / (15 * CLOCK_MINUTE) + 3 * 96) % TIMELINE_WEEK);
}

int sim_plans(struct sim *, char *err, size_t errsize);
void sim_plans_free(struct sim *);
int sim_active_open(struct sim *);
void sim_active_free(struct sim *);
/* Bring s->active to the moment t. */
void sim_active_at(struct sim *, int64_t t);
/* Strength of an incident at t, 0 .. 65536. */
uint32_t sim_strength(const struct world_incident *, int64_t t);
int sim_covers(const struct sim *, const struct sim_effect *, int service, int row);
/* Release of a service at a place; `word` decides during a rollout. */
int32_t sim_release(struct sim *, int service, int place, int64_t t, uint32_t word);
/* 0, or -1 and err, which is empty when there was no memory. */
int sim_links_open(struct sim *, char *err, size_t errsize);
void sim_links_free(struct sim *);
/* The trips of an attempt at the moment t, by the keys of its call and its own; whether there are any. */
int sim_trips(const struct sim *, const struct catalog_call *, int from, int to, int64_t t, uint64_t call, uint64_t key, struct sim_trip *);
static inline int
sim_trip(const struct sim *s, const struct catalog_call *c, int from, int to, int64_t t, uint64_t call, uint64_t key, struct sim_trip *trip)
{
	return from != to && s->links != NULL && sim_trips(s, c, from, to, t, call, key, trip);
}
/* Fill class, persona, place, user, plan of a request from its name; sets key. 0 or -1. */
int sim_who(struct sim *, struct sim_request *);
/* Does a condition that is known early hold? */
int sim_holds(const struct sim *, const struct catalog_cond *, const struct sim_request *, const struct sim_op *, int place, int child);
uint64_t sim_bits(double share); /* a share as 2^-32, 0 .. 2^32 */

#endif
