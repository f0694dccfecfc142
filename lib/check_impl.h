/* Shared by the files of check only. */
#ifndef OG_CHECK_IMPL_H
#define OG_CHECK_IMPL_H

#include "buf.h"
#include "check.h"
#include "hist.h"
#include "json.h"
#include "measure.h"
#include "pack.h"

#define CHECK_TEXT 256   /* of what is told of a fault */
#define CHECK_WORD 1024  /* longest text that is looked at */
#define CHECK_FIELDS 512 /* of a layout */

/* The promises. Their names stand in check.c. */
enum promise {
	P_JSON,
	P_KEYS,
	P_TYPES,
	P_IDS,
	P_TREES,
	P_PARENTS,
	P_INSIDE,
	P_SHARED,
	P_WINDOW,
	P_ORDER,
	P_LEVELS,
	P_OUTCOMES,
	P_SOURCES,
	P_CAUSES,
	P_UPSTREAM,
	P_TRAVELS,
	P_RELEASES,
	P_ROLLOUTS,
	P_NAMES,
	P_MEASUREMENTS,
	P_METRICS,
	P_TOTALS,
	P_SIGNALS,
	P_WORLD,
	P_DATES,
	P_REFERENCES,
	P_SHIPPING,
	P_INCIDENTS,
	PROMISES
};

struct fault {
	uint64_t line; /* 0: of no line */
	char text[CHECK_TEXT];
};

struct account {
	uint64_t counted, broken;
	int applies;
	const char *why; /* it does not apply */
	struct fault shown[CHECK_SHOWN];
};

/* What lines say that is looked at, by the sources of the layout. */
enum role {
	R_TIME,
	R_END,
	R_DURATION,
	R_TRACE,
	R_SPAN,
	R_PARENT,
	R_REQUEST,
	R_USER,
	R_TARGET,
	R_PERSONA,
	R_RELEASE,
	R_NUMBER,
	R_PLACE,
	R_SERVICE,
	R_NAME,
	R_GROUP,
	R_ACTION,
	R_OBJECT_TYPE,
	R_SUCCESS,
	R_HTTP,
	R_CODE,
	R_STATUS,
	R_MESSAGE,
	R_SOURCE,
	R_TYPE,
	R_UPSTREAM,
	R_CAUSE,
	R_LEVEL,
	R_WRITE,
	R_CACHE,
	ROLES
};

/* Keys of 64 bits with a value each. Two different names share a key but once in 2^64. */
struct keys {
	struct entry {
		uint64_t key, value;
	} * entry;
	size_t n, size, max; /* max: entries; 0: any number */
	int full;            /* it would have had to grow above that */
};

/* The value of a key, or NULL. */
uint64_t *keys_find(const struct keys *, uint64_t key);
/* The value of a key, 0 if it is new, and *fresh; NULL: no room. */
uint64_t *keys_put(struct keys *, uint64_t key, int *fresh);
void keys_free(struct keys *);

/* A session of which requests were met: which of them, and when the first one was. */
struct running {
	uint64_t session, met;
	int64_t seen;
};

struct span {
	uint64_t id, parent, request, user, persona, cause, type, upstream, line, action;
	int64_t start, end;
	int endless; /* when it ended is not known */
	int service, place, code, failed, up, source, blamed, release;
	uint32_t level, calls;
};

/* How one service calls another. */
enum { CALL_ANY = 1, CALL_ASYNC = 2, CALL_OPTIONAL = 4 };

enum { BY_NOBODY, BY_SELF, BY_INCIDENT, BY_ROLLOUT, BY_CALLEE, BY_UNKNOWN };

struct layout_field {
	char *name;
	size_t n;
	unsigned types;
	int failure; /* null if and only if the span succeeded */
};

struct latency {
	int service;
	char *action;
	struct hist hist;
};

/* Measures of how much data looks like that of production; their names stand in check_real.c. */
enum measure_of {
	M_DEPTH,
	M_DEPTH_MAX,
	M_SIZE,
	M_FANOUT,
	M_FANOUT_MAX,
	M_REPEATED,
	M_P99,
	M_P99_MAX,
	M_P95,
	M_PEAK_TROUGH,
	M_PEAK_MEAN,
	M_FAILED_ROOTS,
	M_FAILED_SPANS,
	M_COMPRESSION,
	MEASURES
};

struct band {
	double low, high;
	char *source;
};

struct real {
	struct hist depth, size, fanout;
	uint64_t calls, again, roots, failed_roots, spans, hours[24];
	int64_t first, last;
	struct latency *latency;
	int nlatency, maxlatency;
	struct keys latency_of;
	struct buf block;
	uint64_t bytes, raw, packed; /* of the input; of those samples of it that were compressed; into so many */
	struct pack *pack;
};

/* What is compared of samples, by metric. */
struct tally {
	char *metric;
	uint64_t n[2], sum[2];
	agg_int value[2];
};

struct signals {
	struct measure *measure;
	struct agg *agg;
	struct out out;
	int64_t hold, interval;
	int unread; /* lines that could not be measured */
	struct keys metric_of;
	struct tally *tally;
	int ntallies, maxtallies;
	struct json_reader *json;
};

/* Keys of a sample; sample_keys are their names. */
enum { S_METRIC, S_TS, S_VALUE, S_TAGS, S_EXEMPLAR, S_KEYS };
extern const char *const sample_keys[S_KEYS];
#define S_PLACES 9 /* decimals of a value that count */

/* What the sample before said. */
struct together {
	uint64_t labels;
	agg_int requests, bucket;
	int has_requests, has_bucket;
};

/* Kinds of samples: those of spans, aggregates, and series by what they are of. */
enum tags_kind { TAGS_SAMPLE, TAGS_AGGREGATE, TAGS_SERIES, TAGS_NONE = TAGS_SERIES + 4 };
#define CHECK_TAGS 64 /* of a kind: a bit each */

struct tagset {
	struct tag {
		const char *name;
		size_t len;
		enum catalog_source source;
		int arg;
	} tag[CHECK_TAGS];
	int n;
	uint64_t always, met; /* those that depend on nothing; which of these lines so far had */
};

struct check {
	struct check_plan plan;
	const struct catalog *cat;
	const struct world *world;
	struct account account[PROMISES];
	uint64_t records, line;
	int failed; /* errno */
	/* The layout. */
	struct layout_field *field;
	int nfields, at[ROLES], form[ROLES];
	int64_t slack; /* us by which ends may differ, as they are rounded */
	struct json_reader *json;
	struct json_value v[CHECK_FIELDS];
	struct {
		uint64_t id;
		int ok;
	} shape[JSON_SLOTS];
	/* Names. */
	struct keys services, operations, releases, numbers, rollouts, incidents, places, personas, types;
	uint8_t *marked; /* per rollout: 1 start seen, 2 end seen */
	uint8_t *calls;  /* [from][to] */
	/* Ids. */
	struct running *running;
	size_t nrunning, maxrunning;
	uint64_t over[64]; /* per class: sessions up to this one are over */
	struct keys ids;
	int opaque_span, opaque_request; /* their ids do not decode */
	/* The tree at hand. */
	struct span *tree;
	int n, maxtree;
	int torn, torn_next; /* a line that could not be read was of this tree, or of the next */
	uint64_t trace, children, single, lonely;
	int64_t last;
	uint64_t ntrees, nfailed, nmarks, by[6];
	struct real real;
	struct band band[MEASURES];
	struct signals signals;
	/* Of samples. */
	struct together together;
	struct {
		struct tagset of[TAGS_NONE];
		struct keys words; /* values by source */
		uint64_t *lines;   /* what the lines of a layout have of the tags that samples always have */
		int nlines, failed;
		uint64_t good; /* the last tags that were in order */
	} tags;
};

__attribute__((format(printf, 4, 5))) void check_fault(struct check *, enum promise, uint64_t line, const char *fmt, ...);
static inline void
check_count(struct check *c, enum promise p)
{
	c->account[p].counted++;
}
void check_applies(struct check *, enum promise, int applies, const char *why);

/* Parts of the verdict: at most CHECK_TEXT bytes; a text with quotes around it. */
__attribute__((format(printf, 2, 3))) void check_put(struct out *, const char *fmt, ...);
void check_put_text(struct out *, const char *text);

/* The key of a name; of a text in a line; 0: null. */
uint64_t name_key(const char *text);
uint64_t value_key(struct json_value);
static inline struct json_value
role(const struct check *c, enum role r)
{
	return c->at[r] < 0 ? (struct json_value){ NULL, 0 } : c->v[c->at[r]];
}
/* Text for messages, cut. */
const char *show(struct json_value, char buf[64]);

int shape_open(struct check *, char *err, size_t errsize);
/* The values of a line in c->v. 0, or -1: its faults are told. */
int shape_read(struct check *, const char *line, size_t len);
/* The time that a role has. 0 or -1. */
int shape_time(const struct check *, enum role, int64_t *us);

int ids_open(struct check *);
/* The ids of a span, of a request if it is the first of its tree. */
void ids_check(struct check *, const struct span *, int first);
void ids_free(struct check *);

int names_open(struct check *);
void names_check(struct check *, struct span *);
void names_release(struct check *, struct span *, int64_t time);
void names_free(struct check *);
int names_code(const struct check *, const struct span *);
unsigned names_calls(const struct check *, int from, int to);

/* Number of the service with this id, or with this name and group where they are there; -1. */
int names_service(const struct check *, struct json_value id, struct json_value name, struct json_value group);
/* Is there such an operation at a service; -1: at any? */
int names_operation(struct check *, int service, struct json_value);

void cause_check(struct check *, struct span *);

void span_check(struct check *);
/* When a tree is whole. */
void tree_end(struct check *);
/* Its place in the tree. */
void tree_join(struct check *, struct span *, uint64_t trace, int is_root);
void rollouts_end(struct check *);

int real_open(struct check *);
void real_line(struct check *, const char *line, size_t len);
void real_root(struct check *, const struct span *);
void real_tree(struct check *);
void real_put(struct check *, struct out *, int *broken);
void real_free(struct check *);

int sample_open(struct check *);
void sample_check(struct check *, const char *line, size_t len);
/* The tags of a sample; `set` is their key, without "le". */
int tags_open(struct check *);
void tags_check(struct check *, enum tags_kind, uint64_t set, struct json_value tags);
void tags_free(struct check *);
void signals_line(struct check *, const char *line, size_t len);
void signals_free(struct check *);

#endif
