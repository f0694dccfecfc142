/*
 * The simulation: who asks for what and when (traffic), and what becomes of it (trees). A pure function of world, catalog and key.
 *
 * A request is named by K, 48 bits: class 6, session ordinal in the class 36, position in the session 6. A span is named by K and its slot,
 * the number of its place among all spans that its root operation could cause. All ids are bijections of these names.
 * The quiet baseline of a tree is divided from the root down; what goes wrong is carried from the leaves up.
 */
#ifndef OG_SIM_H
#define OG_SIM_H

#include <stddef.h>
#include <stdint.h>

#include "dist.h"
#include "mix.h"
#include "series.h"
#include "timeline.h"
#include "world.h"

#define SIM_SESSION_MAX (30 * 60 * 1000000LL) /* us; no session lasts longer */
#define SIM_SLOTS 65535                       /* spans that one request can have, at most */
#define SIM_POSITIONS 64                      /* requests of a session, at most */
#define SIM_CLASS_EVENT 63                    /* class of ids that no request has: rollout events, things from before the world */
#define SIM_CLASS_NONE 62                     /* likewise, and nothing else has them: for names that never were */
#define SIM_TOUCHED 8                         /* incidents of a request that are remembered */

/* What draws are for; a constant is never used for something else. */
enum sim_domain {
	SIM_D_SESSION = 1,
	SIM_D_REQUEST,
	SIM_D_SPAN_ID_A,
	SIM_D_TRACE,
	SIM_D_TRACE_LOW,
	SIM_D_REQUEST_ID,
	SIM_D_REQUEST_LOW,
	SIM_D_USER,
	SIM_D_USER_ID,
	SIM_D_OBJECT,
	SIM_D_TIMELINE,
	SIM_D_BLOCK,
	SIM_D_ACTION,
	SIM_D_FOLLOW,
	SIM_D_PLACE,
	SIM_D_CLOCK
};

/* Numbers of the draws of a request's key that are made outside of the simulation; the others are in sim_impl.h. */
enum sim_outside { SIM_DRAW_HOST = 44, SIM_DRAW_RECORD, SIM_DRAW_TICKET };

/* An operation as it occurs at a service: one name, one row. */
struct sim_op {
	int service, row;
	char *name;
	const char *category;
	int write;
	int latency, request, response; /* tables; -1: none */
	int object;                     /* enum catalog_object */
	int type;                       /* object type; -1 */
	int target;
	double error_rate;
};

/* A possible span of a root operation's tree; nodes stand in pre-order, siblings of one call next to each other. */
struct sim_node {
	uint32_t parent, end; /* end: behind the last descendant */
	uint32_t next;        /* of a first attempt: behind all attempts of the call */
	int32_t holds;        /* its call's condition by place of the caller, from here on in sim_plan.holds; -1: it says more */
	uint32_t op;          /* index into sim->op */
	int32_t call;         /* index into catalog calls; -1: root */
	int16_t stage;        /* -1: a consumer, later */
	uint16_t nth;         /* of `count` */
	uint8_t attempt;      /* from 0 */
	uint8_t level;        /* 0: root */
	uint8_t always;       /* whenever its caller runs */
};
struct sim_plan {
	int root; /* operation row */
	uint32_t n;
	struct sim_node *node;
	uint8_t *holds;
	uint64_t *services; /* bit set of the services it can reach */
	int queues;         /* it has consumers */
	int quick;          /* its root's end is known without growing the tree when nothing touches it */
};

/* Parts of spans that nobody asks for and that need not be found out. */
enum sim_spare {
	SIM_SPARE_SIZES = 1, /* bytes, cache and queries */
	SIM_SPARE_RELEASE = 2,
	SIM_SPARE_END = 4 /* of roots: how they end, and when; sim_root() and sim_next() tell only whether they are let through */
};

enum sim_source { SIM_SUCCESS, SIM_INFRASTRUCTURE, SIM_DEPENDENCY, SIM_DEPLOYMENT, SIM_SELF };

struct sim_span {
	const struct sim_node *node;
	int64_t start, length; /* us */
	int32_t parent;        /* index in the request's spans; -1 */
	int32_t blamed;        /* the callee that failed; -1 */
	int32_t origin;        /* the span where the failure began; -1 */
	int32_t cause;         /* world incident or rollout, by source of the origin; -1 */
	int32_t release;       /* world release; -1 */
	int16_t place, code;   /* code: index into codes; -1: the plain success 200 */
	int16_t link;          /* over which it was called; -1: none */
	uint8_t source;        /* enum sim_source */
	int8_t cache;          /* 1 hit, 0 miss, -1 does not apply */
	uint16_t queries;
	uint32_t request, response; /* bytes */
	uint32_t rank;              /* of its latency among its like, 2^-32; also the key of what goes along with it */
};

struct sim_request {
	uint64_t k;      /* name */
	uint64_t number; /* within its class: no two are equal, and they are dense */
	uint64_t key;    /* of its draws */
	int64_t time;    /* us */
	const struct sim_plan *plan;
	int class, persona, place;
	uint64_t user;       /* 48-bit id */
	uint64_t target;     /* 48-bit id; meaningful when has_target */
	uint64_t object;     /* 64-bit value; see has_object */
	uint64_t object_key; /* for forms that pick from a list */
	int has_target, has_object;
	uint32_t nspans;
	struct sim_span *span; /* span[0]: the root */
	int dropped;           /* a rollout or incident let it not through */
	int ntouched;          /* incidents of the world that slowed or failed a span, in order of first effect */
	int touched[SIM_TOUCHED];
};

struct sim_quantity {
	struct catalog_dist d;
	int time;
};

struct sim_home {
	int place;
	double utc;
};

struct sim_class {
	int lead; /* the first of its personas */
	int npersonas;
	int *persona;
	struct dist_alias who;
	double weight;
	uint32_t *cum;     /* cumulative share of the roots in 2^-32, nroots entries */
	uint16_t *guide;   /* first root of each of 4096 strata */
	uint16_t *home_ok; /* [TIMELINE_WEEK][nhomes]: chance of activity, 2^-16 of the most active home */
	uint16_t **made;   /* per object type: strata that surely create one */
	int *nmade;
};

struct session;
struct sim_links;  /* what calls meet between places */
struct sim_active; /* incidents and rollouts of a moment */
struct sim_slow {  /* what slowed a span or its callees most */
	int64_t excess;
	int32_t cause;
	uint8_t source;
};

struct sim {
	const struct world *w;
	const struct catalog *c;
	uint64_t d[32]; /* keys of the domains */
	int trace_form; /* row of the catalog's ids; -1 */
	struct mix_id id_span, id_trace, id_request, id_user, id_object;
	int nroots;
	int *root;             /* operation rows with weight > 0 */
	struct sim_plan *plan; /* per root */
	int nops;
	struct sim_op *op;
	struct dist_table *table;
	int ntables;
	struct sim_quantity *table_of; /* what each is the table of */
	int nclasses;
	struct sim_class *class;
	uint32_t (*mass)[TIMELINE_WEEK];
	uint32_t *growth;
	int nhomes;
	struct sim_home *home;
	struct dist_alias *persona_home; /* per persona, over homes */
	uint64_t *users;                 /* per persona */
	uint64_t *persona_key;
	struct dist_alias popular; /* personas by users and activity */
	struct dist_alias *maker;  /* per object type: classes by how much they create; n == 0: nobody */
	struct dist_zipf user_zipf, follow_zipf;
	struct dist_table gap;
	uint32_t *persona_factor, *place_factor; /* latency, 2^-16, traffic mean 1 */
	uint32_t load[TIMELINE_WEEK];            /* latency, 2^-16 */
	uint64_t *failure;                       /* per persona x place: own failures of a root, 2^-32 */
	uint8_t *role;                           /* per operation row: which place in a session it must have */
	int has_roles;                           /* any operation */
	int words;                               /* of a bit set of services */
	uint64_t requests, sessions;             /* in [begin, until) */
	struct timeline *timeline;
	uint64_t full[TIMELINE_CLASSES]; /* sessions per class before until */
	int last_class;                  /* class of the session that takes the rest of the requests */
	int64_t until;
	uint64_t hit;                /* chance of a cache hit, 2^-32 */
	uint32_t queries, queries_n; /* of a miss: so many choices from the first on; 0: drawn from the setting */
	uint32_t cascade;            /* uses that one call stands for */
	struct sim_active *active;
	struct sim_links *links;  /* NULL: the catalog has none */
	struct sim_span *spans;   /* room for the largest plan */
	struct sim_slow *slow;    /* beside it */
	int64_t *planned;         /* length of each node that is a share of its caller; -1: it is not called */
	struct session *recent;   /* sessions met last by sim_request() */
	double object_weight[66]; /* of the lowest levels, cumulative */
	int32_t *map;             /* beside it */
	uint8_t *loose;           /* beside it */
	int whole;                /* sim_root() and sim_next() grow the whole tree, always; the caller may set it */
	int spare;                /* enum sim_spare; likewise */
	double success;           /* weight of the successes other than the plain one; below 0: it depends */
	int remote, has_success;  /* calls can leave their place; codes below 400 other than the plain one exist */
	int32_t *release_now;     /* cache per service x place */
	int64_t *release_lo, *release_hi;
};

/* Set up; requests 0: those of the world. 0, or -1 and err. The world stays the caller's and must outlive it. */
int sim_open(struct sim *, const struct world *, uint64_t requests, char *err, size_t errsize);
void sim_close(struct sim *);

/* Requests in order of (time, K). */
struct sim_traffic;
/* Those with from <= time < to. NULL with errno (EFBIG: more than 2,000,000 sessions run at once). */
struct sim_traffic *sim_traffic(struct sim *, int64_t from, int64_t to);
/* The next one, its root simulated as far as needed to know how it ends. 1, or 0 at the end. Dropped requests are given too. */
int sim_next(struct sim_traffic *, struct sim_request *);
void sim_traffic_free(struct sim_traffic *);
/* Where slice k of n of [from, to) begins, by numbers of sessions (k from 0; k == n: to). */
int64_t sim_shard(const struct sim *, int64_t from, int64_t to, uint64_t k, uint64_t n);

/* The request named K at a moment, as og-events saw it; objects and targets are left out. 0, or -1 when there is no such request. */
int sim_request(struct sim *, uint64_t k, int64_t time, struct sim_request *);
/* Grow its whole tree: r->span[0 .. r->nspans), in pre-order, in sim's own memory until the next call. */
void sim_grow(struct sim *, struct sim_request *);
/* Root only, by the short way where that is exact; else the same as sim_grow(). */
void sim_root(struct sim *, struct sim_request *);

/*
 * Another request that was let through, of another user at home in the same place, which begins between the moments given: the first one of
 * a session. Its tree is grown at the place of the last one. 0; or -1: none among the sessions that are looked at.
 */
int sim_other(struct sim *, const struct sim_request *, int64_t from, int64_t to, struct sim_request *other);

/* By how much the clock of a host is ahead, us: by seed and name. */
int64_t sim_skew(const struct sim *, const char *host, size_t n);
/* Which of n hosts of a pool, from 1, a request meets at a place; pool: the key of its name. */
static inline uint32_t
sim_host(uint64_t key, uint64_t pool, int place, uint32_t n)
{
	return 1 + mix_below((uint32_t)(mix(key ^ mix_at(pool, (uint64_t)place)) >> 32), n);
}

/* Names. */
static inline uint64_t
sim_slot(uint64_t k, const struct sim_plan *p, const struct sim_node *n)
{
	return k << 16 | (uint64_t)(n - p->node);
}
uint64_t sim_span_id(const struct sim *, uint64_t span);
void sim_trace_id(const struct sim *, uint64_t k, uint64_t id[2]);
/* 0, or -1 when the id is of another world. */
int sim_trace_open(const struct sim *, const uint64_t id[2], uint64_t *k);
void sim_request_id(const struct sim *, uint64_t span, uint64_t id[2]);

/* Requests that an incident of the world is expected to reach and to fail at the world's number of requests. */
void sim_expect(struct sim *, int incident, double *touched, double *failed);

#endif
