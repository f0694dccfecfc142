/*
 * judge: do spans keep their promises?
 *
 *	judge [-pu] [-c CATALOG] WORLD <SPANS
 *
 * Standard input: what og-spans writes in layout wide. Standard output: one JSON object, counts and faults by kind. Each fault is named on
 * standard error as well, the first three of a kind. Exit 1 when there is one. -p: a part of the stream, records may be missing. -u: in any
 * order of trees.
 * Memory: a word for each id.
 */
#include <err.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "mix.h"
#include "rec.h"
#include "world.h"

#define TEXT 1024
#define TREE 4096 /* spans of one tree */
#define SHOWN 3

enum field {
	TIMESTAMP,
	LEVEL,
	SERVICE,
	STACK,
	ACTION,
	USER,
	REQUEST,
	SUCCESS,
	MESSAGE,
	RELEASE,
	TRACE,
	SPAN,
	PARENT,
	TARGET,
	OBJECT_KIND,
	OBJECT,
	CODE,
	ERROR_MESSAGE,
	SOURCE,
	ERROR_KIND,
	UPSTREAM,
	DURATION,
	PERSONA,
	WRITE,
	REQUEST_BYTES,
	RESPONSE_BYTES,
	QUERIES,
	CACHE,
	CAUSE,
	FIELDS
};
/* Types: s text, b bool, n number, i whole number; a capital may be null. */
static const struct {
	const char *name;
	char type;
} fields[FIELDS] = { { "timestamp", 's' }, { "level", 's' }, { "service", 's' }, { "stack", 's' }, { "action", 's' }, { "user_id", 's' },
	{ "request_id", 's' }, { "success", 'b' }, { "message", 's' }, { "release_id", 's' }, { "trace_id", 's' }, { "span_id", 's' },
	{ "parent_span_id", 'S' }, { "target_user_id", 'S' }, { "object_type", 'S' }, { "object_id", 'S' }, { "error_code", 'S' },
	{ "error_message", 'S' }, { "error_source", 'S' }, { "error_type", 'S' }, { "upstream_request_id", 'S' }, { "duration_ms", 'N' },
	{ "persona", 'S' }, { "is_write", 'b' }, { "request_bytes", 'I' }, { "response_bytes", 'I' }, { "db_queries", 'I' },
	{ "cache_hit", 'B' }, { "cause", 'S' } };

enum fault {
	F_JSON,
	F_KEYS,
	F_TYPE,
	F_ID,
	F_TREE,
	F_PARENT,
	F_INSIDE,
	F_SHARED,
	F_TIME,
	F_ORDER,
	F_LEVEL,
	F_NULLS,
	F_SOURCE,
	F_CAUSE,
	F_UPSTREAM,
	F_TRAVEL,
	F_RELEASE,
	F_ROLLOUT,
	F_OPERATION,
	F_MEASURE,
	FAULTS
};
static const char *const faults[FAULTS] = { "json", "keys", "type", "id", "tree", "parent", "inside", "shared", "time", "order", "level",
	"nulls", "source", "cause", "upstream", "travel", "release", "rollout", "operation", "measure" };

/* Names as 64-bit words; a name that is met twice is found but once in 2^64. */
struct set {
	uint64_t *key;
	int32_t *value;
	size_t n, size;
};

struct span {
	uint64_t id, request, user, persona;
	int64_t start, end;
	char parent[TEXT], code[64], kind[TEXT], cause[TEXT];
	int service, place, failed, up; /* up: parent's index in the tree */
};

struct judge {
	struct world w;
	struct rec in;
	struct set spans, requests, traces, releases, rollouts, incidents;
	uint8_t *marked; /* per rollout: 1 start seen, 2 end seen */
	int part, unordered;
	struct span tree[TREE];
	int n;
	uint64_t trace;
	int64_t last;
	uint64_t count[FAULTS], nspans, ntrees, nfailed, nmarks, by[4];
};

static void
fault(struct judge *j, enum fault kind, const char *fmt, ...)
{
	va_list ap;

	if (j->count[kind]++ >= SHOWN)
		return;
	va_start(ap, fmt);
	(void)fprintf(stderr, "judge: %s:%llu: %s: ", j->in.name, (unsigned long long)j->in.line, faults[kind]);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
}

static void
set_grow(struct set *s)
{
	struct set larger = { .size = s->size > 0 ? s->size * 2 : 1024 };

	larger.key = calloc(larger.size, sizeof(*larger.key));
	larger.value = calloc(larger.size, sizeof(*larger.value));
	if (larger.key == NULL || larger.value == NULL)
		err(1, NULL);
	for (size_t i = 0; i < s->size; i++) {
		size_t at = s->key[i] % larger.size;

		if (s->key[i] == 0)
			continue;
		while (larger.key[at] != 0)
			at = (at + 1) % larger.size;
		larger.key[at] = s->key[i];
		larger.value[at] = s->value[i];
	}
	larger.n = s->n;
	free(s->key);
	free(s->value);
	*s = larger;
}

/* Value of a key, or -1. */
static int32_t
set_find(const struct set *s, uint64_t key)
{
	if (s->size == 0)
		return -1;
	for (size_t at = key % s->size; s->key[at] != 0; at = (at + 1) % s->size)
		if (s->key[at] == key)
			return s->value[at];
	return -1;
}

/* 0; -1: it is there already. */
static int
set_add(struct set *s, uint64_t key, int32_t value)
{
	size_t at;

	if (s->n * 2 >= s->size)
		set_grow(s);
	for (at = key % s->size; s->key[at] != 0; at = (at + 1) % s->size)
		if (s->key[at] == key)
			return -1;
	s->key[at] = key;
	s->value[at] = value;
	s->n++;
	return 0;
}

static uint64_t
name_of(const char *text)
{
	uint64_t key = mix_name(text, strlen(text));

	return key != 0 ? key : 1;
}

static int32_t
find(const struct set *s, const char *text)
{
	return set_find(s, name_of(text));
}

static void
text_of(struct json_value v, char buf[TEXT])
{
	if (json_is_null(v) || json_text(v, buf, TEXT) == -1)
		buf[0] = '\0';
}

static int
is(struct json_value v, const char *text)
{
	return !json_is_null(v) && json_equals(v, text);
}

/* The line as 29 values; 0, or -1 with its fault told. */
static int
take(struct judge *j, struct json_reader *check, const char *line, size_t len, struct json_value v[FIELDS])
{
	struct json_value whole = { line, len }, key, unused;
	const char *e, *next = NULL;
	int n = 0;

	if (json_read(check, line, len, &unused, &e) == -1) {
		fault(j, F_JSON, "%s", e);
		return -1;
	}
	while (n < FIELDS && json_member(whole, &next, &key, &v[n]) == 1) {
		if (key.n != strlen(fields[n].name) || memcmp(key.p, fields[n].name, key.n) != 0) {
			fault(j, F_KEYS, "\"%.*s\" where \"%s\" should be", (int)key.n, key.p, fields[n].name);
			return -1;
		}
		n++;
	}
	if (n < FIELDS || json_member(whole, &next, &key, &unused) == 1) {
		fault(j, F_KEYS, n < FIELDS ? "no \"%s\"" : "more keys than \"%s\"", fields[n < FIELDS ? n : FIELDS - 1].name);
		return -1;
	}
	return 0;
}

static int
check_types(struct judge *j, const struct json_value v[FIELDS])
{
	for (int i = 0; i < FIELDS; i++) {
		int64_t x;
		uint64_t u;
		int b, ok;

		if (v[i].n == 4 && memcmp(v[i].p, "null", 4) == 0)
			ok = fields[i].type < 'a';
		else if ((fields[i].type | 32) == 's')
			ok = json_is_string(v[i]) && (v[i].n > 2 || i == STACK);
		else if ((fields[i].type | 32) == 'b')
			ok = json_bool(v[i], &b) == 0;
		else if ((fields[i].type | 32) == 'i')
			ok = json_u64(v[i], &u) == 0;
		else
			ok = json_scaled(v[i], 3, &x) == 0 && x >= 0;
		if (!ok) {
			fault(j, F_TYPE, "\"%s\": %.*s", fields[i].name, (int)v[i].n, v[i].p);
			return -1;
		}
	}
	return 0;
}

static int
find_service(const struct catalog *c, struct json_value stack, struct json_value name)
{
	char group[TEXT], own[TEXT];

	text_of(stack, group);
	text_of(name, own);
	for (int i = 0; i < c->nservices; i++)
		if (strcmp(c->service[i].group, group) == 0 && strcmp(c->service[i].name, own) == 0)
			return i;
	return -1;
}

/* Does the operation exist at the service? A row of a template fits every name that begins and ends like it. */
static int
has_operation(const struct catalog *c, int service, const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < c->nops; i++) {
		const char *as = c->op[i].name, *hole = strchr(as, '{');
		const char *rest = hole != NULL ? strchr(hole, '}') : NULL;

		if (c->op[i].service != service && c->op[i].service != -1)
			continue;
		if (strcmp(as, name) == 0)
			return 1;
		if (rest != NULL && len > (size_t)(hole - as) + strlen(rest + 1) && strncmp(name, as, (size_t)(hole - as)) == 0 &&
		    strcmp(name + len - strlen(rest + 1), rest + 1) == 0)
			return 1;
	}
	return 0;
}

/* The calls from one service to another: may the callee begin later, does its failure surely travel? */
static void
find_calls(const struct catalog *c, int from, int to, int *any, int *async, int *travels)
{
	*any = *async = 0;
	*travels = 1;
	for (int i = 0; i < c->ncalls; i++) {
		if ((c->call[i].from.service != from && c->call[i].from.service != -1) || c->call[i].to_service != to)
			continue;
		*any = 1;
		*async |= c->call[i].stage == STAGE_ASYNC;
		*travels &= c->call[i].fails >= 1 && c->call[i].retries == 0;
	}
	*travels &= *any && !*async;
}

static void
check_release(struct judge *j, struct span *x, const char *id, int64_t t)
{
	const struct world_release *r;
	int32_t at = find(&j->releases, id);

	if (at == -1) {
		fault(j, F_RELEASE, "no release \"%s\" in the world", id);
		return;
	}
	r = &j->w.release[at];
	x->place = r->place;
	if (r->service != x->service)
		fault(j, F_RELEASE, "release \"%s\" of another service", id);
	if (r->created > t || r->from > t)
		fault(j, F_RELEASE, "release \"%s\" before its time", id);
	if (at + 1 < j->w.nreleases && r[1].service == r->service && r[1].place == r->place && r[1].to <= t)
		fault(j, F_RELEASE, "release \"%s\" is replaced by %llu", id, (unsigned long long)r[1].number);
}

static int
has_place(const struct world_incident *x, int place)
{
	for (int i = 0; i < x->nplaces; i++)
		if (x->place[i] == place)
			return 1;
	return x->nplaces == 0;
}

/* An incident that covers the span at the time of its root and gives this code. */
static void
check_incident(struct judge *j, const struct span *x, const struct json_value v[FIELDS], const char *component)
{
	const struct catalog *c = &j->w.cat;
	int32_t at = find(&j->incidents, x->cause);
	const struct world_incident *in;
	int64_t t = j->tree[0].start;
	char words[TEXT];
	int covers = 0, coded = 0;

	if (at == -1) {
		fault(j, F_CAUSE, "no incident \"%s\" in the world", x->cause);
		return;
	}
	in = &j->w.incident[at];
	if (strcmp(in->component, component) != 0)
		fault(j, F_CAUSE, "incident %s is of %s", x->cause, in->component);
	if (t < in->start || t >= in->end || !has_place(in, x->place))
		fault(j, F_CAUSE, "incident %s was not then and there", x->cause);
	for (int i = 0; i < in->neffects; i++) {
		if (!world_covers(c, in->effect[i].target, in->effect[i].ntargets, x->service) && in->effect[i].ntargets > 0)
			continue;
		covers = 1;
		if (in->effect[i].what == EFFECT_ERRORS)
			for (int k = 0; k < in->effect[i].ncodes; k++)
				coded |= strcmp(c->code[in->effect[i].code[k]].code, x->code) == 0;
		if (in->effect[i].what == EFFECT_LATENCY || in->effect[i].what == EFFECT_DELAY)
			coded |= strcmp(c->code[c->set.timeout_code].code, x->code) == 0 && c->set.timeout_code >= 0;
	}
	if (!covers)
		fault(j, F_CAUSE, "incident %s does not reach %s", x->cause, c->service[x->service].id);
	else if (!coded)
		fault(j, F_CAUSE, "incident %s does not give %s", x->cause, x->code);
	text_of(v[ERROR_MESSAGE], words);
	if (in->message != NULL && in->message[0] != '\0' && strcmp(words, in->message) != 0)
		fault(j, F_CAUSE, "the words of incident %s are \"%s\"", x->cause, in->message);
}

static void
check_deployment(struct judge *j, const struct span *x, const char *release)
{
	int32_t at = find(&j->rollouts, x->cause);
	const struct world_rollout *r;
	int64_t t = j->tree[0].start;

	if (at == -1) {
		fault(j, F_CAUSE, "no rollout \"%s\" in the world", x->cause);
		return;
	}
	r = &j->w.rollout[at];
	if (strcmp(j->w.release[r->release].id, release) != 0)
		fault(j, F_CAUSE, "rollout %s is of another release", x->cause);
	if (t < r->start || t >= r->end || r->place != x->place || r->service != x->service)
		fault(j, F_CAUSE, "rollout %s was not then and there", x->cause);
}

static void
check_source(struct judge *j, const struct span *x, const struct json_value v[FIELDS])
{
	char source[TEXT];

	text_of(v[SOURCE], source);
	if (!x->failed)
		return;
	if ((strncmp(source, "dependency:", 11) == 0) == json_is_null(v[UPSTREAM]))
		fault(j, F_NULLS, "\"%s\" and upstream_request_id %.*s", source, (int)v[UPSTREAM].n, v[UPSTREAM].p);
	if (strcmp(source, "self") == 0) {
		j->by[0]++;
		if (!json_is_null(v[CAUSE]))
			fault(j, F_CAUSE, "self, and a cause");
	} else if (strncmp(source, "infrastructure:", 15) == 0) {
		j->by[1]++;
		check_incident(j, x, v, source + 15);
	} else if (strncmp(source, "deployment:", 11) == 0) {
		j->by[2]++;
		check_deployment(j, x, source + 11);
	} else if (strncmp(source, "dependency:", 11) == 0) {
		j->by[3]++;
	} else {
		fault(j, F_SOURCE, "\"%s\"", source);
	}
}

/* Does the catalog say itself at which levels the service logs? */
static int
has_levels(const struct catalog *c, int service)
{
	for (int i = 0; i < c->nlogs; i++)
		if (c->log[i].level != NULL && (c->log[i].op.service == service || c->log[i].op.service == -1))
			return 1;
	return 0;
}

/* 5xx and what infrastructure does are errors, other failures warnings, all else is information. */
static void
check_level(struct judge *j, const struct span *x, const struct json_value v[FIELDS])
{
	char source[TEXT];
	int code = catalog_code(&j->w.cat, x->code, strlen(x->code));
	const char *want = "INFO";

	text_of(v[SOURCE], source);
	if (x->failed && code == -1) {
		fault(j, F_NULLS, "failed with \"%s\"", x->code);
		return;
	}
	if (x->failed)
		want = j->w.cat.code[code].http >= 500 || strncmp(source, "infrastructure:", 15) == 0 ? "ERROR" : "WARN";
	if (!is(v[LEVEL], want) && !has_levels(&j->w.cat, x->service))
		fault(j, F_LEVEL, "%.*s where %s should be", (int)v[LEVEL].n, v[LEVEL].p, want);
	for (int i = CODE; i <= ERROR_KIND; i++)
		if (json_is_null(v[i]) == x->failed)
			fault(j, F_NULLS, "success %d and %s %.*s", !x->failed, fields[i].name, (int)v[i].n, v[i].p);
	if (!x->failed && (!json_is_null(v[UPSTREAM]) || !json_is_null(v[CAUSE])))
		fault(j, F_NULLS, "a success with a cause");
}

/* When a tree is whole: who failed because of whom. Sources that name a callee stand in `kind`. */
static void
end_tree(struct judge *j)
{
	const struct catalog *c = &j->w.cat;

	for (int i = 0; i < j->n; i++) {
		struct span *x = &j->tree[i];
		const char *tab = strchr(x->kind, '\t'); /* SERVICE tab upstream_request_id tab type */
		int any, async, travels, k;

		if (i > 0 && x->failed && !j->tree[x->up].failed) {
			find_calls(c, j->tree[x->up].service, x->service, &any, &async, &travels);
			if (travels)
				fault(j, F_TRAVEL, "a failed %s, and its caller knows nothing (tree before this line)",
				    c->service[x->service].id);
		}
		if (x->kind[0] == '\t' || tab == NULL)
			continue;
		for (k = i + 1; k < j->n; k++)
			if (j->tree[k].up == i && j->tree[k].request == mix_name(tab + 1, strcspn(tab + 1, "\t")))
				break;
		if (k == j->n) {
			fault(j, F_UPSTREAM, "no call with the request_id of the symptom (tree before this line)");
			continue;
		}
		if (!j->tree[k].failed || strcmp(j->tree[k].code, x->code) != 0 ||
		    strcmp(strrchr(j->tree[k].kind, '\t'), strrchr(x->kind, '\t')) != 0)
			fault(j, F_UPSTREAM, "the call that failed has another code or type (tree before this line)");
		if (strcmp(j->tree[k].cause, x->cause) != 0)
			fault(j, F_UPSTREAM, "cause \"%s\", that of the callee \"%s\" (tree before this line)", x->cause, j->tree[k].cause);
		if (strncmp(c->service[j->tree[k].service].id, x->kind, (size_t)(tab - x->kind)) != 0 ||
		    c->service[j->tree[k].service].id[tab - x->kind] != '\0')
			fault(j, F_UPSTREAM, "the call that failed is of %s (tree before this line)", c->service[j->tree[k].service].id);
	}
	j->ntrees += j->n > 0;
	j->n = 0;
}

/* The record of a rollout's start or end; 0 when it is none. */
static int
check_mark(struct judge *j, const struct json_value v[FIELDS], int64_t t)
{
	const struct catalog_settings *set = &j->w.cat.set;
	int start = set->rollout_start >= 0 && is(v[ACTION], j->w.cat.op[set->rollout_start].name);
	int end = set->rollout_end >= 0 && is(v[ACTION], j->w.cat.op[set->rollout_end].name);
	char id[TEXT], release[TEXT];
	const struct world_rollout *r;
	int32_t at;

	if (!start && !end)
		return 0;
	j->nmarks++;
	text_of(v[REQUEST], id);
	text_of(v[RELEASE], release);
	at = find(&j->rollouts, id);
	if (at == -1) {
		fault(j, F_ROLLOUT, "no rollout \"%s\" in the world", id);
		return 1;
	}
	r = &j->w.rollout[at];
	if (strcmp(j->w.release[r->release].id, release) != 0)
		fault(j, F_ROLLOUT, "rollout %s is of another release", id);
	if (t != (start ? r->start : r->end))
		fault(j, F_ROLLOUT, "rollout %s not at its time", id);
	if (j->marked[at] & (start ? 1 : 2))
		fault(j, F_ROLLOUT, "rollout %s twice", id);
	if (end && !(j->marked[at] & 1) && r->start >= j->w.begin && !j->part && !j->unordered)
		fault(j, F_ROLLOUT, "rollout %s ends before it started", id);
	j->marked[at] |= start ? 1 : 2;
	if (!is(v[LEVEL], "INFO") || v[SUCCESS].p[0] != 't' || !json_is_null(v[CAUSE]))
		fault(j, F_ROLLOUT, "the record of rollout %s is no news but trouble", id);
	return 1;
}

/* Its place in the tree. */
static void
join_tree(struct judge *j, struct span *x, uint64_t trace, int is_root)
{
	struct span *up;
	int any, async, travels;

	if (j->n == 0 || trace != j->trace) {
		end_tree(j);
		j->trace = trace;
		if (set_add(&j->traces, trace, 0) == -1)
			fault(j, F_TREE, "a tree in two pieces, or two of one trace_id");
		if (!is_root)
			fault(j, F_TREE, "a tree without its root first");
	} else if (is_root) {
		fault(j, F_TREE, "two roots in one tree");
	}
	if (j->n == TREE)
		errx(1, "%s:%llu: a tree of more than %d spans", j->in.name, (unsigned long long)j->in.line, TREE);
	x->up = 0;
	if (!is_root && j->n > 0) {
		for (x->up = j->n - 1; x->up >= 0; x->up--)
			if (j->tree[x->up].id == name_of(x->parent))
				break;
		if (x->up < 0) {
			fault(j, F_PARENT, "no span %s above it in its tree", x->parent);
			x->up = 0;
		}
		up = &j->tree[x->up];
		find_calls(&j->w.cat, up->service, x->service, &any, &async, &travels);
		if (!any)
			fault(j, F_OPERATION, "no call from %s to %s", j->w.cat.service[up->service].id, j->w.cat.service[x->service].id);
		if (x->start < up->start || (x->end > up->end && !async))
			fault(j, F_INSIDE, "span outside its parent");
		if (x->user != j->tree[0].user || x->persona != j->tree[0].persona)
			fault(j, F_SHARED, "another user or persona than the root's");
	}
	j->tree[j->n++] = *x;
}

static void
check_span(struct judge *j, const struct json_value v[FIELDS], int64_t t)
{
	char text[TEXT], source[TEXT];
	struct span x = { .start = t, .place = -1 };
	int64_t length = 0;
	int ok = 0;

	if (json_is_null(v[DURATION]) || json_is_null(v[PERSONA]) || json_is_null(v[REQUEST_BYTES]) || json_is_null(v[QUERIES]) ||
	    json_scaled(v[DURATION], 3, &length) == -1 || length <= 0 ||
	    json_is_null(v[CACHE]) != (v[WRITE].p[0] == 't' || v[SUCCESS].p[0] == 'f'))
		fault(j, F_MEASURE, "duration %.*s, cache_hit %.*s", (int)v[DURATION].n, v[DURATION].p, (int)v[CACHE].n, v[CACHE].p);
	x.end = t + length;
	x.service = find_service(&j->w.cat, v[STACK], v[SERVICE]);
	text_of(v[ACTION], text);
	if (x.service == -1 || !has_operation(&j->w.cat, x.service, text)) {
		fault(j, F_OPERATION, "no \"%s\" at %.*s %.*s", text, (int)v[STACK].n, v[STACK].p, (int)v[SERVICE].n, v[SERVICE].p);
		return;
	}
	(void)json_bool(v[SUCCESS], &ok);
	x.failed = !ok;
	text_of(v[SPAN], text);
	x.id = name_of(text);
	if (set_add(&j->spans, x.id, 0) == -1)
		fault(j, F_ID, "span_id %s twice", text);
	text_of(v[REQUEST], text);
	x.request = mix_name(text, strlen(text));
	if (set_add(&j->requests, x.request, 0) == -1)
		fault(j, F_ID, "request_id %s twice", text);
	text_of(v[USER], text);
	x.user = name_of(text);
	if (is(v[TARGET], text))
		fault(j, F_SHARED, "a user who is his own target");
	text_of(v[PERSONA], text);
	x.persona = name_of(text);
	text_of(v[PARENT], x.parent);
	text_of(v[CAUSE], x.cause);
	text_of(v[CODE], text);
	(void)snprintf(x.code, sizeof(x.code), "%s", text);
	text_of(v[SOURCE], source);
	if (strncmp(source, "dependency:", 11) == 0) {
		(void)snprintf(x.kind, sizeof(x.kind), "%s\t", source + 11);
		text_of(v[UPSTREAM], text);
		(void)strlcat(x.kind, text, sizeof(x.kind));
	} else {
		(void)snprintf(x.kind, sizeof(x.kind), "\t");
	}
	text_of(v[ERROR_KIND], text);
	(void)strlcat(x.kind, "\t", sizeof(x.kind));
	(void)strlcat(x.kind, text, sizeof(x.kind));
	text_of(v[TRACE], text);
	join_tree(j, &x, name_of(text), json_is_null(v[PARENT]));
	text_of(v[RELEASE], text);
	check_release(j, &x, text, j->tree[0].start);
	check_level(j, &x, v);
	check_source(j, &x, v);
	j->nfailed += (uint64_t)x.failed;
	j->nspans++;
}

static void
check_line(struct judge *j, struct json_reader *check, const char *line, size_t len)
{
	struct json_value v[FIELDS];
	char text[TEXT];
	int64_t t;
	int is_mark;

	if (take(j, check, line, len, v) == -1 || check_types(j, v) == -1)
		return;
	text_of(v[TIMESTAMP], text);
	if (strlen(text) != CLOCK_LEN || clock_parse(text, CLOCK_LEN, &t) == -1) {
		fault(j, F_TYPE, "timestamp %s", text);
		return;
	}
	is_mark = check_mark(j, v, t);
	if (is_mark || json_is_null(v[PARENT])) {
		if (t < j->w.begin || t >= j->w.end)
			fault(j, F_TIME, "%s is outside the world", text);
		if (t < j->last && !j->unordered)
			fault(j, F_ORDER, "%s comes too late", text);
		j->last = t;
	}
	if (is_mark)
		end_tree(j);
	else
		check_span(j, v, t);
}

static void
open_world(struct judge *j, const char *path, const char *catalog)
{
	char text[4096];
	struct rec in;
	int fd = open(path, O_RDONLY);

	if (fd == -1)
		err(2, "%s", path);
	if (rec_open(&in, fd, path, NULL, 0) == -1)
		err(1, NULL);
	if (world_read(&j->w, &in, catalog, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	rec_close(&in);
	for (int i = 0; i < j->w.nreleases; i++)
		(void)set_add(&j->releases, name_of(j->w.release[i].id), i);
	for (int i = 0; i < j->w.nrollouts; i++)
		(void)set_add(&j->rollouts, name_of(j->w.rollout[i].id), i);
	for (int i = 0; i < j->w.nincidents; i++)
		(void)set_add(&j->incidents, name_of(j->w.incident[i].id), i);
	j->marked = calloc((size_t)j->w.nrollouts + 1, 1);
	if (j->marked == NULL)
		err(1, NULL);
}

/* Each end of a rollout that falls into the world has its record. */
static void
check_marks(struct judge *j)
{
	const struct catalog_settings *set = &j->w.cat.set;

	for (int i = 0; i < j->w.nrollouts; i++) {
		const struct world_rollout *r = &j->w.rollout[i];

		if (set->rollout_start >= 0 && r->start >= j->w.begin && r->start < j->w.end && !(j->marked[i] & 1))
			fault(j, F_ROLLOUT, "rollout %s never started", r->id);
		if (set->rollout_end >= 0 && r->end >= j->w.begin && r->end < j->w.end && !(j->marked[i] & 2))
			fault(j, F_ROLLOUT, "rollout %s never ended", r->id);
	}
}

static int
verdict(const struct judge *j)
{
	uint64_t sum = 0;

	for (int i = 0; i < FAULTS; i++)
		sum += j->count[i];
	(void)printf(
	    "{\"sound\":%s,\"spans\":%llu,\"trees\":%llu,\"rollout_records\":%llu,\"failed\":%llu,\"self\":%llu,\"infrastructure\":%llu,"
	    "\"deployment\":%llu,\"dependency\":%llu,\"faults\":{",
	    sum == 0 ? "true" : "false", (unsigned long long)j->nspans, (unsigned long long)j->ntrees, (unsigned long long)j->nmarks,
	    (unsigned long long)j->nfailed, (unsigned long long)j->by[0], (unsigned long long)j->by[1], (unsigned long long)j->by[2],
	    (unsigned long long)j->by[3]);
	sum = 0;
	for (int i = 0; i < FAULTS; i++)
		if (j->count[i] > 0)
			(void)printf("%s\"%s\":%llu", sum++ > 0 ? "," : "", faults[i], (unsigned long long)j->count[i]);
	(void)printf("}}\n");
	return sum > 0;
}

int
main(int argc, char *argv[])
{
	static struct judge j;
	const char *key = fields[0].name, *catalog = NULL;
	struct json_reader *check = json_reader(&key, 1);
	enum rec_status status;
	char *line;
	size_t len;
	int ch;

	while ((ch = getopt(argc, argv, "c:pu")) != -1) {
		if (ch == '?')
			return 2;
		if (ch == 'c')
			catalog = optarg;
		j.part |= ch == 'p';
		j.unordered |= ch == 'u';
	}
	if (argc - optind != 1 || check == NULL)
		errx(2, "usage: judge [-pu] [-c catalog] world <spans");
	open_world(&j, argv[optind], catalog);
	if (rec_open(&j.in, STDIN_FILENO, "<stdin>", NULL, 0) == -1)
		err(1, NULL);
	while ((status = rec_next(&j.in, &line, &len)) != REC_END) {
		if (status == REC_ERROR)
			err(1, "<stdin>");
		if (status == REC_LONG)
			fault(&j, F_JSON, "too long");
		else
			check_line(&j, check, line, len);
	}
	end_tree(&j);
	if (!j.part)
		check_marks(&j);
	return verdict(&j);
}
