/*
 * A catalog: a folder of TSV tables that describes one kind of system; og-catalog(5) is its format. Loaded once, checked whole, read only.
 * All indexes are into the arrays here; -1 means none or any, as said. Texts are NUL-terminated and live as long as the catalog.
 */
#ifndef OG_CATALOG_H
#define OG_CATALOG_H

#include <stddef.h>
#include <stdint.h>

/* A quantity to draw: "5", "2..8", "40~160", "10=0.7,20=0.3". */
enum catalog_dist_kind { DIST_NONE, DIST_FIXED, DIST_UNIFORM, DIST_LOGNORMAL, DIST_CHOICE };
struct catalog_dist {
	enum catalog_dist_kind kind; /* DIST_NONE: the cell was empty and has no default */
	double a, b;                 /* fixed: a; uniform: a..b, b may be below a; log-normal: median a, 99th percentile b */
	int whole; /* uniform or choice over whole numbers (both ends, or every value, written without a point), in columns that count */
	int n;     /* choice */
	double *value, *weight;
};
/* Infinity for a log-normal one. */
double catalog_dist_max(const struct catalog_dist *);
double catalog_dist_mean(const struct catalog_dist *);
/* One value from one 64-bit word (uniform whole: both ends included). */
double catalog_draw(const struct catalog_dist *, uint64_t word);
/* The same, not whole even where the bounds are. */
double catalog_draw_real(const struct catalog_dist *, uint64_t word);

/* What a hole of a template or the left side of a condition names. arg is said behind each. */
enum catalog_source {
	SRC_NONE,
	SRC_SPAN_TIME,  /* enum catalog_time */
	SRC_SPAN_END,   /* enum catalog_time */
	SRC_REQUEST_ID, /* request_id of the root */
	SRC_TRACE_ID,
	SRC_USER_ID,
	SRC_PERSONA_ID,
	SRC_PERSONA_CLASS,
	SRC_TARGET_ID,
	SRC_OBJECT_TYPE,
	SRC_OBJECT_ID,
	SRC_ROOT_OPERATION,
	SRC_ROOT_CATEGORY,
	SRC_ROOT_DURATION, /* ms */
	SRC_ROOT_RETRIES,  /* attempts in the tree that were not the first */
	SRC_REMOTE_LINK,   /* of the first call in the tree that left its place */
	SRC_REMOTE_PLACE,
	SRC_REMOTE_SERVICE,
	SRC_REMOTE_DURATION, /* ms */
	SRC_PLACE_ID,
	SRC_PLACE_PART, /* part number of the ids row "places" */
	SRC_SERVICE_ID,
	SRC_SERVICE_PART,  /* part number of the ids row "services" */
	SRC_SERVICE_NAME,  /* the last part */
	SRC_SERVICE_GROUP, /* the parts before it, with their separators */
	SRC_HOST_ID,
	SRC_RELEASE_ID,
	SRC_RELEASE_NUMBER,
	SRC_SPAN_ID,
	SRC_SPAN_PARENT,
	SRC_SPAN_REQUEST,  /* request_id of the span itself */
	SRC_SPAN_KIND,     /* server, consumer */
	SRC_SPAN_ATTEMPT,  /* from 1 */
	SRC_SPAN_DURATION, /* ms */
	SRC_SPAN_REQUEST_BYTES,
	SRC_SPAN_RESPONSE_BYTES,
	SRC_SPAN_DB,
	SRC_SPAN_CACHE, /* true, false, or null for writes */
	SRC_CALL_LINK,  /* over which the span was called */
	SRC_CALL_PLACE, /* where its caller ran */
	SRC_OP_NAME,
	SRC_OP_WRITE,
	SRC_OP_CATEGORY,
	SRC_STATUS_OK,
	SRC_STATUS_CODE,
	SRC_STATUS_HTTP,
	SRC_STATUS_MESSAGE, /* by the code alone, from the list words/CODE where there is one */
	SRC_STATUS_TYPE,    /* by the code alone: client, throttled, timeout, server */
	SRC_ERROR_CODE,
	SRC_ERROR_TYPE,
	SRC_ERROR_MESSAGE,
	SRC_ERROR_SOURCE,
	SRC_ERROR_REQUEST, /* request_id of the callee that failed first */
	SRC_ERROR_CAUSE,   /* id of the incident or rollout */
	SRC_LOG_LEVEL,     /* of a line; of a span: of its last one */
	SRC_LOG_MESSAGE,
	SRC_LOG_TIME, /* enum catalog_time; this and the rest of a line only */
	SRC_LOG_EVENT,
	SRC_LOG_SERVICE,
	SRC_LOG_HOST,
	SRC_LOG_SPAN,
	SRC_TICKET_TIME, /* enum catalog_time */
	SRC_TICKET_ID,
	SRC_TICKET_REQUEST, /* as the ticket names it */
	SRC_TICKET_DELAY,   /* minutes */
	SRC_INCIDENT_TIME,  /* enum catalog_time */
	SRC_INCIDENT_END,   /* enum catalog_time */
	SRC_INCIDENT_ID,
	SRC_INCIDENT_TYPE,
	SRC_INCIDENT_MESSAGE,
	SRC_INCIDENT_LINK,
	SRC_INCIDENT_COMPONENT,
	SRC_INCIDENT_ROLE,
	SRC_LINK_ID,
	SRC_LINK_FROM,
	SRC_LINK_TO,
	SRC_LINK_RTT,  /* ms */
	SRC_LINK_LOSS, /* % */
	SRC_SERIES,    /* text holds the name */
	SRC_AGG_COUNT,
	SRC_AGG_FAILED,
	SRC_AGG_RATE,        /* a second */
	SRC_AGG_ERROR_RATE,  /* share */
	SRC_AGG_MEAN,        /* ms */
	SRC_AGG_QUANTILE,    /* ms; arg: percent */
	SRC_AGG_SATURATION,  /* share */
	SRC_AGG_HISTOGRAM,   /* list index */
	SRC_AGG_BYTES,       /* list index */
	SRC_TRUTH_INCIDENTS, /* ids of those that slowed or failed a span of the request */
	SRC_TRUTH_SOURCE,    /* what the failure of the request began with */
	SRC_TRUTH_SKEW,      /* ms */
	SRC_TRUTH_NOISE,     /* clean, missing, fabricated, wrong */
	SRC_CAUSE_SERVICE,   /* in cascade.message: the service that failed */
	SRC_CAUSE_MESSAGE,   /* in cascade.message: its message, innermost */
	SRC_CONST,           /* arg: none; text holds the value */
	SRC_PICK,            /* list index */
	SRC_DRAW,            /* from dist */
	SRC_HEX,             /* digits */
	SRC_DIGITS,          /* digits */
	SRC_UUID,
	SRC_N,
	SRC_TIME, /* enum catalog_time */
	SRC_PART  /* a bare name in ids: text holds it; see catalog_expand() */
};
enum catalog_time { TIME_RFC3339US, TIME_RFC3339, TIME_UNIX, TIME_MS, TIME_NS, TIME_COMPACT, TIME_DATE };

/* Text with holes. */
struct catalog_piece {
	enum catalog_source src; /* SRC_NONE: literal text */
	int arg;
	int places; /* ":.2": 2 places at most, trailing zeros dropped; -1: none given */
	int width;  /* ":02": zero-padded to 2; 0: none given */
	char *text; /* literal, constant, or name of a part or a series */
	const struct catalog_dist *dist;
};
struct catalog_text {
	int n;
	struct catalog_piece *piece; /* n == 0: empty */
};

/* Terms joined by "&". */
enum catalog_flag {
	FLAG_NONE,
	FLAG_OK,
	FLAG_FAILED,
	FLAG_READ,
	FLAG_WRITE,
	FLAG_ROOT,
	FLAG_CHILD,
	FLAG_RETRIED,
	FLAG_RETRY,
	FLAG_REMOTE,
	FLAG_EXEMPLAR
};
enum catalog_relation { REL_EQ, REL_NE, REL_GT, REL_LT };
struct catalog_term {
	enum catalog_flag flag; /* FLAG_NONE: a comparison */
	int negated;            /* of a flag */
	enum catalog_source src;
	int arg;
	enum catalog_relation relation;
	int n; /* values, "a|b"; 0: the empty value (absent) */
	char **value;
	double number; /* REL_GT, REL_LT */
};
struct catalog_cond {
	int n;      /* 0: always */
	char *text; /* as written; NULL: always */
	struct catalog_term *term;
};

/* "service/operation"; "service"; "*" and so on. */
struct catalog_ref {
	int service; /* -1: any */
	char *op;    /* as written in operations.operation; NULL: any */
};

struct catalog_clock {
	double utc; /* hours, multiple of 0.25, -12 .. 14 */
	double weight;
};
struct catalog_place {
	char *id;
	double weight, latency, errors;
	int nclocks; /* clocks of the people whose home it is: "utc" may be a choice, "-5=0.8,-8=0.2" */
	struct catalog_clock *clock;
	char **part; /* by the ids row "places" */
};
/* A one-way circuit between places. */
struct catalog_link {
	char *id;
	int from, to;            /* places */
	double weight;           /* among those of the pair */
	double rtt_ms, loss_pct; /* of a round trip, when all is well */
};
struct catalog_service {
	char *id;
	int hosts;
	struct catalog_text host;
	int pool;                     /* the first service whose hosts have the same names: those are one pool */
	struct catalog_dist releases; /* builds a year */
	char **part;                  /* by the ids row "services" */
	char *name, *group;
};
struct catalog_mix {
	int n;
	char **item;
	double *weight;
};
struct catalog_persona {
	char *id, *class;
	double users;
	struct catalog_dist activity;
	double error_rate, latency;
	struct catalog_mix mix;  /* n == 0: every root by its weight */
	double *op_weight;       /* per operation: chance that a request of this persona is that root; sums to 1 */
	double day[24], week[7]; /* at full hours; Monday first; 1 where not given */
	double *place;           /* per place, sums to 1 */
};
enum catalog_object { OBJECT_NONE, OBJECT_USE, OBJECT_NEW, OBJECT_END, OBJECT_ROOT };
enum catalog_write { WRITE_NO, WRITE_YES, WRITE_ROOT };
struct catalog_op {
	int service;   /* -1: exists at every service */
	char *name;    /* as written; may hold {root.operation} */
	int templated; /* it does */
	char *category;
	double weight; /* > 0: a root */
	enum catalog_write write;
	enum catalog_object object;
	int type; /* object type, index into objects; -1 */
	int target;
	struct catalog_dist latency; /* ms */
	struct catalog_dist request_bytes, response_bytes;
	double error_rate;
	int line;
};
enum catalog_where { WHERE_SAME, WHERE_OTHER, WHERE_HOME, WHERE_PLACE };
#define STAGE_ASYNC (-1)
struct catalog_call {
	struct catalog_ref from;
	int to_service;
	char *to_op; /* as written in operations */
	struct catalog_cond when;
	struct catalog_dist count;
	int stage;                 /* >= 0, or STAGE_ASYNC */
	struct catalog_dist share; /* DIST_NONE: the callee's own latency is added */
	enum catalog_where where;
	int place;         /* WHERE_PLACE */
	double trips;      /* round trips over the link, when it leaves its place */
	double timeout_ms; /* 0: never */
	int retries;
	double fails;
	struct catalog_dist delay_ms;
	int line;
};
struct catalog_code {
	char *code;
	int http; /* one code at least is below 400: "200" is added when the table has none */
	char *type, *message;
	double weight, latency;
	struct catalog_cond when;
};
/* Of the rows with one operation, moment and event the first that holds is a line. */
enum catalog_moment { AT_START, AT_CALL, AT_END };
struct catalog_log {
	struct catalog_ref op;
	enum catalog_moment at;
	char *event; /* "": none */
	char *level; /* NULL: by the rule */
	struct catalog_text message;
	struct catalog_cond when;
	int by_caller;
	char *by; /* printed as the service; NULL: that of the span, or of its caller */
};
/* Of the rows the first that holds decides whether a request brings a ticket. */
struct catalog_ticket {
	struct catalog_cond when;
	double rate;
	struct catalog_dist delay_min;
	double repeat; /* chance of one more, again and again; below 1 */
};
struct catalog_field {
	char *name; /* "*": which records are lines at all */
	struct catalog_text value;
	struct catalog_cond when;
	char *words[2]; /* of an entity: value and condition as written; see struct catalog_entity */
	int line;
};
enum catalog_record {
	RECORD_EVENT,
	RECORD_SPAN,
	RECORD_SAMPLE,
	RECORD_AGGREGATE,
	RECORD_LOG,
	RECORD_TICKET,
	RECORD_INCIDENT,
	RECORD_LINK, /* series:link and so on */
	RECORD_HOST,
	RECORD_SERVICE,
	RECORD_PLACE,
	RECORD_ENTITY
};
struct catalog_layout {
	char *name;
	enum catalog_record record;
	int n;
	struct catalog_field *field; /* rows of one field follow each other: the first that holds */
	int blind;                   /* name begins with "blind" */
};
struct catalog_id {
	char *id;
	struct catalog_text form;
};
struct catalog_list {
	char *name;
	int n;
	char **item;
	double *weight; /* 1 where not given */
};
enum catalog_role { ROLE_CAUSE, ROLE_CONFOUNDER, ROLE_FIX };
struct catalog_incident {
	char *id, *component;
	enum catalog_role role;
	char *type, *message;
	int scripted;                   /* it has a start */
	int64_t start;                  /* us */
	struct catalog_dist length_min; /* DIST_NONE: to the end of the world */
	struct catalog_dist per_year;
	struct catalog_dist ramp_min;
	struct catalog_dist every_min, burst_min; /* DIST_NONE: it does not come in bursts */
	int scope_any;                            /* one place per occurrence, by weight */
	int nplaces;                              /* 0 and not scope_any: everywhere */
	int *place;
	int line;
};
/* What a series is a metric of. */
enum catalog_of { OF_LINK, OF_HOST, OF_SERVICE, OF_PLACE };
enum catalog_base { BASE_DRAWN, BASE_RTT, BASE_LOSS };
struct catalog_series {
	char *id;
	enum catalog_of of;
	int64_t every;            /* us */
	enum catalog_base from;   /* of the link itself, or else: */
	struct catalog_dist base; /* drawn once for each thing */
	double swing, noise;      /* shares of the base */
	double memory_min;
	double lo, hi; /* hi below lo: no bounds */
};
enum catalog_what { EFFECT_LATENCY, EFFECT_ERRORS, EFFECT_TRAFFIC, EFFECT_DELAY, EFFECT_WEIGHT, EFFECT_SERIES };
struct catalog_effect {
	int incident;
	int nlevels; /* 0: all */
	char **level;
	enum catalog_what what;
	int series;                 /* EFFECT_SERIES */
	int target_all, target_any; /* "*", "any" */
	int ntargets;
	struct catalog_ref *target;
	int nthings;
	int *thing; /* of weights and series, instead of targets: links, services (also for hosts) or places */
	struct catalog_cond when;
	struct catalog_dist factor, add;
	char *factor_text, *add_text; /* as written */
	int ncodes;
	int *code;
};

/*
 * The inventory. A thing is a row of an entity's table; its ancestors are what it was made for and of, and theirs. The texts of a thing are
 * templates of their own, as other things stand in them.
 */
enum catalog_hole {
	HOLE_NONE,  /* literal text */
	HOLE_ITEM,  /* of the list, or the number; arg: part at ":" from 1, 0: all */
	HOLE_FIELD, /* entity (-1: own), field (-1: its id, FIELD_ITEM: its item) */
	HOLE_COPY,  /* "", or "-2" and so on for what a factor adds */
	HOLE_COUNT, /* number behind a start drawn from dist once for all of a parent */
	HOLE_CIDR,  /* arg: length of the prefix; base, or that of a field */
	HOLE_REF,   /* id of one of entity, under the same `under` (-1: any); arg: number of the hole */
	HOLE_PICK,  /* of list, or of that named by inner */
	HOLE_DRAW,  /* from dist, or from the list as a quantity */
	HOLE_HEX,   /* arg: digits */
	HOLE_DIGITS,
	HOLE_UUID
};
#define FIELD_ID (-1)
#define FIELD_ITEM (-2)
struct catalog_form {
	int n;
	struct catalog_slot *slot; /* n == 0: empty */
};
struct catalog_slot {
	enum catalog_hole hole;
	char *text; /* literal, or as written */
	int arg, entity, field, under, list, places;
	uint32_t base; /* of a block of addresses */
	int bits;      /* length of its prefix */
	struct catalog_dist dist;
	struct catalog_form inner;
};
struct catalog_test {
	int entity, field; /* as HOLE_FIELD */
	int differs;
	int n; /* 0: the empty value */
	char **value;
};
struct catalog_tests {
	int n; /* all must hold; 0: always */
	struct catalog_test *test;
};
struct catalog_way {
	struct catalog_form value;
	struct catalog_tests when;
};
struct catalog_property {
	char *name;
	int aside;  /* written "_NAME": a column of tables, no attribute of documents */
	int number; /* a number, not text */
	uint64_t key;
	int nways; /* the first that holds */
	struct catalog_way *way;
	int line;
};
enum catalog_origins { FROM_NUMBERS, FROM_LIST, FROM_ENTITY };
enum catalog_many { MANY_ALL, MANY_DRAWN, MANY_SHARE, MANY_LAST };
/* A row of the table: for each of `per`, take some of `of`. */
struct catalog_origin {
	int entity, per; /* -1: once */
	enum catalog_origins of;
	int other, list;            /* FROM_ENTITY; FROM_LIST, -1: that named by family */
	struct catalog_form family; /* of one way to name it */
	int each;                   /* list that goes with each; -1: none */
	enum catalog_many many;
	struct catalog_dist count; /* MANY_DRAWN */
	int least;                 /* MANY_SHARE: the first so many always; MANY_LAST: the last so many */
	double share;
	int nmatch;
	struct catalog_match {
		int entity, differs;
	} * match;
	struct catalog_tests when;
	uint64_t name; /* key of what is made of what */
	int line;
};
struct catalog_entity {
	char *id, *title;
	uint64_t key;
	struct catalog_form form; /* of ids; n == 0: none */
	int origin, norigins;
	int nproperties;
	struct catalog_property *property;
};

struct catalog_settings {
	int64_t begin, end; /* us */
	uint64_t seed, users;
	int depth; /* levels of calls below the root */
	char *level;
	double user_zipf, object_zipf, tail_share, tail_alpha, load_latency, stagger;
	double backoff_ms, cache_hit;
	double rto_ms;    /* what a lost round trip costs */
	double cap_ms;    /* no request lasts longer */
	int timeout_code; /* code index, that of a failure */
	struct catalog_dist db_queries;
	double exemplar_ms, exemplar_share;
	double cascade_factor; /* >= 1 */
	struct catalog_text cascade_message;
	struct catalog_dist skew_ms;                            /* of a host's clock */
	double ticket_missing, ticket_fabricated, ticket_wrong; /* shares of tickets that name no request, none that exists, another */
	double below;             /* share of failures of a span's own that begin in a callee instead, level by level */
	double founders;          /* share of users who joined before begin, at least 1/8 */
	double join_days;         /* the others join within so many days after begin */
	double growth;            /* of traffic a year: 0.3 is 30 % */
	double season[12];        /* factor a month, at mid-month */
	double session_gap_s;     /* median pause between requests of a session, at most 12 */
	int nfirst, nlast, nonce; /* operations: first in a session, last, and of users who come only once */
	int *first, *last, *once;
	struct catalog_dist rollout_delay_min, rollout_length_min, rollout_stagger_min, rollout_traffic, rollout_errors, rollout_latency;
	int nrollout_codes;
	int *rollout_code;
	double rollout_bad_share;
	int rollout_start, rollout_end; /* operations, or -1 */
	char *rollout_user;
	int inventory_scale; /* entity that a factor multiplies; -1 */
};

struct catalog {
	char *name; /* last part of the folder's path */
	char *dir;
	char *defaults;  /* folder of the tables it lacks; NULL */
	uint64_t digest; /* of all bytes read */
	struct catalog_settings set;
	int nplaces, nservices, npersonas, nops, ncalls, ncodes, nlogs, ntickets, nlayouts, nids, nlists, nincidents, neffects, nobjects,
	    nconsts;
	int nlinks, nseries, nentities, norigins, nrefs;
	struct catalog_place *place;
	struct catalog_service *service;
	struct catalog_persona *persona;
	struct catalog_op *op;
	struct catalog_call *call;
	struct catalog_code *code;
	struct catalog_log *log;
	struct catalog_ticket *ticket;
	struct catalog_layout *layout;
	struct catalog_id *id;
	struct catalog_list *list;
	struct catalog_dist *quantity; /* of lists that are drawn from; DIST_NONE: of others */
	struct catalog_entity *entity;
	struct catalog_origin *origin;
	char *above; /* see catalog_above() */
	struct catalog_incident *incident;
	struct catalog_effect *effect;
	struct catalog_link *link;
	struct catalog_series *series;
	int rtt, loss;          /* the series of links that calls meet, "rtt_ms" and "loss_pct"; -1: none */
	char **object;          /* type names */
	char **cname, **cvalue; /* const.NAME of the settings */
	int nplaceparts, nserviceparts;
	char **placepart, **servicepart; /* part names */
	void *arena;                     /* owns everything */
};

/*
 * Load a catalog by name (folder NAME in $OG_SHARE, then in OG_SHARE_DIR) or, if it holds a "/", by path.
 *   return   0; or -1, and err holds "DIR/TABLE.tsv:LINE: what" or "NAME: what", never truncated in the middle of a character
 *   warn     called with such a text for each warning (service never reached, effect that touches nothing, ...); may be NULL
 */
int catalog_load(struct catalog *, const char *name, char *err, size_t errsize, void (*warn)(const char *text, void *), void *arg);
void catalog_free(struct catalog *);

/*
 * Path of a table that another program reads, "bands", "checks" or "pairs": in the catalog's folder or, if it has none, in that of defaults.
 *   return   0, or -1 when there is none
 */
int catalog_beside(const struct catalog *, const char *name, char *path, size_t size);

/* Activity of a persona in a quarter hour of the week, UTC, on a clock; straight lines between the middles of hours. */
double catalog_activity(const struct catalog_persona *, int quarter, double utc);

/* Look-ups by name; -1 when there is none. */
int catalog_place(const struct catalog *, const char *id, size_t n);
int catalog_service(const struct catalog *, const char *id, size_t n);
int catalog_code(const struct catalog *, const char *code, size_t n);
int catalog_list(const struct catalog *, const char *name, size_t n);
int catalog_layout(const struct catalog *, const char *name, size_t n);
int catalog_id(const struct catalog *, const char *id, size_t n);
int catalog_link(const struct catalog *, const char *id, size_t n);
int catalog_series(const struct catalog *, const char *id, size_t n);
int catalog_entity(const struct catalog *, const char *id, size_t n);
/* Is there one of entity `of` among what things of an entity are made for and of, and what these are? */
int catalog_above(const struct catalog *, int entity, int of);
/* Bits that tell the items of the longest list apart from which things of an entity are taken; -1: they are from no list. */
int catalog_list_bits(const struct catalog *, int entity);
/* Operation row that `name` at `service` is: its own row before that of "*"; `name` as written in the tables. */
int catalog_op(const struct catalog *, int service, const char *name, size_t n);
/* Does the reference cover operation row `op` at `service`? */
int catalog_covers(const struct catalog *, const struct catalog_ref *, int service, int op);
/* "service/operation" or "service", "*", "*"/operation. 0, or -1 when there is no such thing. */
int catalog_parse_ref(const struct catalog *, const char *s, size_t n, struct catalog_ref *);
/* Parse a quantity as a cell would be. 0 or -1. For choices memory comes from the catalog. */
int catalog_parse_dist(struct catalog *, const char *s, size_t n, struct catalog_dist *);

/*
 * Spell an id made of bare parts (release_id, deployment_id, ...) at a place and service; `release` stands for {release}; -1 and NULL leave
 * parts unknown. The text with a NUL, its length; or -1 with a part that has no value in *missing, which is NULL when there was no room.
 */
int catalog_expand(
    const struct catalog *, int id, int place, int service, const char *release, char *buf, size_t size, const char **missing);

/*
 * Hosts. Services whose hosts have the same names share them: a pool, named by its first service. It has as many hosts at each place as the
 * service of it that asks for most.
 */
int catalog_hosts(const struct catalog *, int pool);
/* Name of host n, from 1, of a service at a place; its length, or -1 when it does not fit. */
int catalog_host(const struct catalog *, int service, int place, int n, char *buf, size_t size);

#endif
