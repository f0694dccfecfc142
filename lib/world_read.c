#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "mix.h"
#include "world.h"
#include "world_impl.h"

#define KEYS_MAX 14
#define NAME_MAX_SHOWN 120 /* bytes of a name from the input that a message repeats */

struct entry {
	uint64_t hash; /* 0: free */
	const char *id;
	int value;
};

struct deployment {
	char *id;
	int service, place;
};

struct reader {
	struct world *w;
	const char *name;    /* of the stream */
	const char *catalog; /* asked for */
	uint64_t line;
	char *err;
	size_t errsize;
	const struct kind *kind; /* of the line at hand */
	struct json_value value[KEYS_MAX];
	struct json_value whole; /* the line */
	struct json_reader *json[8], *any, *effect;
	struct json_reader *place_parts, *service_parts; /* of the catalog, once that is known */
	struct json_value *part;
	char *text; /* the last string, unescaped */
	size_t textsize;
	struct entry *entry; /* ids by hash; size a power of two */
	size_t nentries, entries;
	struct deployment *deployment;
	int ndeployments;
	int maxcomponents, maxdeployments, maxreleases, maxrollouts, maxincidents;
	int last; /* deployment of the last release */
	int header;
};

struct kind {
	const char *name;
	int (*take)(struct reader *);
	const char *key[KEYS_MAX]; /* "kind" first; NULL behind the last */
};

/* No character of UTF-8 is left half at the end. */
static void
trim(char *s, size_t size)
{
	size_t n = strlen(s), k = n;

	if (n + 1 < size)
		return;
	while (k > 0 && ((unsigned char)s[k - 1] & 0xc0) == 0x80)
		k--;
	if (k > 0 && !utf8_valid(s + k - 1, n - k + 1))
		s[k - 1] = '\0';
}

__attribute__((format(printf, 2, 3))) static int
fail(struct reader *r, const char *fmt, ...)
{
	int n = snprintf(r->err, r->errsize, "%s:%llu: ", r->name, (unsigned long long)r->line);
	va_list ap;

	if (n < 0 || (size_t)n >= r->errsize)
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(r->err + n, r->errsize - (size_t)n, fmt, ap);
	va_end(ap);
	trim(r->err, r->errsize);
	return -1;
}

static int
fail_errno(struct reader *r)
{
	return fail(r, "%s", strerror(errno));
}

static int
fail_none(struct reader *r, const char *what, const char *name)
{
	char shown[NAME_MAX_SHOWN + 1];

	(void)snprintf(shown, sizeof(shown), "%s", name);
	trim(shown, sizeof(shown));
	return fail(r, "no %s \"%s\"", what, shown);
}

/* Room for one more element of an array; the array, or NULL with errno. */
static void *
room(void *array, int n, int *max, size_t size)
{
	int more = *max == 0 ? 64 : *max * 2;
	void *larger;

	if (n < *max)
		return array;
	if ((larger = reallocarray(array, (size_t)more, size)) != NULL)
		*max = more;
	return larger;
}

static char *
keep_text(struct reader *r, const char *s, size_t n)
{
	char *to = world_get(&r->w->arena, n + 1, 1);

	if (to == NULL)
		return NULL;
	memcpy(to, s, n);
	to[n] = '\0';
	return to;
}

static int
same_entry(const struct entry *e, uint64_t hash, const char *id)
{
	return e->hash == hash && strcmp(e->id, id) == 0;
}

static uint64_t
entry_hash(const struct kind *k, uint64_t name)
{
	/* A name may serve two kinds. */
	uint64_t h = mix(name + mix_name(k->name, strlen(k->name)));

	return h == 0 ? 1 : h;
}

/* Where the id stands or belongs. */
static struct entry *
entry_at(const struct reader *r, uint64_t hash, const char *id)
{
	size_t i = (size_t)hash & (r->entries - 1);

	while (r->entry[i].hash != 0 && !same_entry(&r->entry[i], hash, id))
		i = (i + 1) & (r->entries - 1);
	return &r->entry[i];
}

static int
more_entries(struct reader *r)
{
	struct entry *old = r->entry;
	size_t n = r->entries;
	struct entry *larger = calloc(n * 2, sizeof(*larger));

	if (larger == NULL)
		return -1;
	r->entry = larger;
	r->entries = n * 2;
	for (size_t i = 0; i < n; i++)
		if (old[i].hash != 0)
			*entry_at(r, old[i].hash, old[i].id) = old[i];
	free(old);
	return 0;
}

/* Number of the thing of this kind and id, or -1. */
static int
lookup(const struct reader *r, const struct kind *k, const char *id)
{
	const struct entry *e = entry_at(r, entry_hash(k, mix_name(id, strlen(id))), id);

	return e->hash == 0 ? -1 : e->value;
}

/* The id of the line at hand, in the arena, is now known as number `value`. */
static int
enter(struct reader *r, const char *id, uint64_t name, int value)
{
	uint64_t hash = entry_hash(r->kind, name);
	struct entry *e;

	if (r->nentries * 2 >= r->entries && more_entries(r) == -1)
		return fail_errno(r);
	e = entry_at(r, hash, id);
	if (e->hash != 0) {
		char shown[NAME_MAX_SHOWN + 1];

		(void)snprintf(shown, sizeof(shown), "%s", id);
		trim(shown, sizeof(shown));
		return fail(r, "duplicate id \"%s\"", shown);
	}
	*e = (struct entry){ .hash = hash, .id = id, .value = value };
	r->nentries++;
	return 0;
}

/* A string without escapes is what it stands for; nearly all are. */
static int
plain(struct json_value v)
{
	return v.n >= 2 && v.p[0] == '"' && memchr(v.p, '\\', v.n) == NULL;
}

/* A string of the line into r->text. */
static int
unquote(struct reader *r, struct json_value v, const char *key)
{
	if (v.p == NULL)
		return fail(r, "no \"%s\"", key);
	if (v.n > r->textsize) {
		char *larger = realloc(r->text, v.n);

		if (larger == NULL)
			return fail_errno(r);
		r->text = larger;
		r->textsize = v.n;
	}
	/* Without its quotes it is shorter than v.n, so there is room for the NUL. */
	if (plain(v)) {
		memcpy(r->text, v.p + 1, v.n - 2);
		r->text[v.n - 2] = '\0';
	} else if (!json_is_string(v) || json_text(v, r->text, r->textsize) == -1)
		return fail(r, "\"%s\" is not a string", key);
	return 0;
}

static int
get_text(struct reader *r, int i)
{
	if (unquote(r, r->value[i], r->kind->key[i]) == -1)
		return -1;
	return *r->text == '\0' ? fail(r, "\"%s\" is empty", r->kind->key[i]) : 0;
}

/* A text to keep; it may be empty. */
static int
get_words(struct reader *r, int i, char **to)
{
	if (unquote(r, r->value[i], r->kind->key[i]) == -1)
		return -1;
	*to = keep_text(r, r->text, strlen(r->text));
	return *to == NULL ? fail_errno(r) : 0;
}

static int
get_id(struct reader *r, int i, char **id, uint64_t *name)
{
	size_t n;

	if (get_text(r, i) == -1)
		return -1;
	n = strlen(r->text);
	if ((*id = keep_text(r, r->text, n)) == NULL)
		return fail_errno(r);
	*name = mix_name(*id, n);
	return 0;
}

static int
get_time(struct reader *r, int i, int64_t *us)
{
	struct json_value v = r->value[i];

	if (v.p == NULL)
		return fail(r, "no \"%s\"", r->kind->key[i]);
	if (v.n < 2 || v.p[0] != '"' || clock_parse(v.p + 1, v.n - 2, us) == -1)
		return fail(r, "\"%s\" is not a time such as 2025-12-03T12:20:00Z", r->kind->key[i]);
	return 0;
}

static int
get_whole(struct reader *r, int i, uint64_t *x)
{
	if (r->value[i].p == NULL)
		return fail(r, "no \"%s\"", r->kind->key[i]);
	if (json_u64(r->value[i], x) == -1)
		return fail(r, "\"%s\" is not a whole number", r->kind->key[i]);
	return 0;
}

/* A number in [0, most]. */
static int
check_number(struct reader *r, struct json_value v, const char *key, double most, double *x)
{
	if (v.p == NULL)
		return fail(r, "no \"%s\"", key);
	if (json_double(v, x) == -1)
		return fail(r, "\"%s\" is not a number", key);
	if (*x < 0)
		return fail(r, "\"%s\" is below 0", key);
	if (*x > most)
		return fail(r, "\"%s\" is above %s", key, most == 1 ? "1" : "1000000000");
	return 0;
}

static int
get_number(struct reader *r, int i, double most, double *x)
{
	return check_number(r, r->value[i], r->kind->key[i], most, x);
}

static int
get_place(struct reader *r, int i, int *place)
{
	if (get_text(r, i) == -1)
		return -1;
	*place = catalog_place(&r->w->cat, r->text, strlen(r->text));
	return *place == -1 ? fail_none(r, "place", r->text) : 0;
}

static int
get_service(struct reader *r, int i, int *service)
{
	if (get_text(r, i) == -1)
		return -1;
	*service = catalog_service(&r->w->cat, r->text, strlen(r->text));
	return *service == -1 ? fail_none(r, "service", r->text) : 0;
}

/* How many elements a list has; -1 when it is no list of strings. */
static int
count_list(struct reader *r, struct json_value v, const char *key)
{
	const char *next = NULL;
	struct json_value e;
	int n = 0, more;

	if (v.p == NULL)
		return fail(r, "no \"%s\"", key);
	while ((more = json_each(v, &next, &e)) == 1 && json_is_string(e))
		n++;
	return more == 0 ? n : fail(r, "\"%s\" is not a list of strings", key);
}

/*
 * A list of names as indexes in the catalog.
 *   find   catalog_place() and so on
 *   what   such a name is, for messages
 *   return how many, or -1; *to is NULL for an empty list
 */
static int
get_list(struct reader *r, struct json_value v, const char *key, const char *what,
    int (*find)(const struct catalog *, const char *, size_t), int **to)
{
	const char *next = NULL;
	struct json_value e;
	int n, k = 0;

	*to = NULL;
	if ((n = count_list(r, v, key)) <= 0)
		return n;
	if ((*to = world_get(&r->w->arena, (size_t)n * sizeof(**to), sizeof(**to))) == NULL)
		return fail_errno(r);
	while (json_each(v, &next, &e) == 1) {
		if (unquote(r, e, key) == -1)
			return -1;
		if (((*to)[k++] = find(&r->w->cat, r->text, strlen(r->text))) == -1)
			return fail_none(r, what, r->text);
	}
	return n;
}

static int take_world(struct reader *);
static int take_place(struct reader *);
static int take_service(struct reader *);
static int take_component(struct reader *);
static int take_deployment(struct reader *);
static int take_release(struct reader *);
static int take_rollout(struct reader *);
static int take_incident(struct reader *);

enum { KIND_WORLD, KIND_PLACE, KIND_SERVICE, KIND_COMPONENT, KIND_DEPLOYMENT, KIND_RELEASE, KIND_ROLLOUT, KIND_INCIDENT, KINDS };
static const struct kind kinds[KINDS] = {
	{ "world", take_world,
	    { "kind", "format", "catalog", "catalog_digest", "seed", "begin", "end", "users", "requests", "requests_until", "depth",
		"level" } },
	{ "place", take_place, { "kind", "id", "weight" } },
	{ "service", take_service, { "kind", "id" } },
	{ "component", take_component, { "kind", "id", "services", "type" } },
	{ "deployment", take_deployment, { "kind", "id", "service", "place" } },
	{ "release", take_release, { "kind", "id", "deployment", "service", "place", "number", "created", "live_from", "live_to" } },
	{ "rollout", take_rollout,
	    { "kind", "id", "release", "deployment", "service", "place", "start", "end", "throughput", "errors", "latency" } },
	{ "incident", take_incident,
	    { "kind", "id", "component", "role", "type", "message", "start", "end", "ramp_s", "places", "effects", "services", "bursts" } },
};

enum {
	HEAD_FORMAT = 1,
	HEAD_CATALOG,
	HEAD_DIGEST,
	HEAD_SEED,
	HEAD_BEGIN,
	HEAD_END,
	HEAD_USERS,
	HEAD_REQUESTS,
	HEAD_UNTIL,
	HEAD_DEPTH,
	HEAD_LEVEL
};

/* The catalog that the header names, or the one asked for. */
static int
load_catalog(struct reader *r)
{
	const char *wanted = r->catalog;
	struct catalog *c = &r->w->cat;

	if (get_text(r, HEAD_CATALOG) == -1)
		return -1;
	if (strchr(r->text, '/') != NULL)
		return fail(r, "\"catalog\" is a name, not a path");
	if (catalog_load(c, wanted == NULL ? r->text : wanted, r->err, r->errsize, NULL, NULL) == -1) {
		memset(c, 0, sizeof(*c));
		return -1;
	}
	if (strcmp(c->name, r->text) != 0)
		return fail(r, "a world of catalog \"%.*s\", not \"%.*s\"", NAME_MAX_SHOWN, r->text, NAME_MAX_SHOWN, c->name);
	return 0;
}

static int
check_digest(struct reader *r)
{
	char digest[17];
	size_t most = strlen(r->name) + 160;
	char *text;

	if (get_text(r, HEAD_DIGEST) == -1)
		return -1;
	(void)snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)r->w->cat.digest);
	if (strcmp(digest, r->text) == 0)
		return 0;
	if ((text = world_get(&r->w->arena, most, 1)) == NULL)
		return fail_errno(r);
	(void)snprintf(
	    text, most, "%s:%llu: the tables of the catalog have changed since this world was made", r->name, (unsigned long long)r->line);
	r->w->warning = text;
	return 0;
}

/* Readers of the keys that the catalog names. */
static int
open_parts(struct reader *r)
{
	const struct catalog *c = &r->w->cat;
	int most = c->nplaceparts > c->nserviceparts ? c->nplaceparts : c->nserviceparts;

	r->place_parts = json_reader((const char *const *)c->placepart, c->nplaceparts);
	r->service_parts = json_reader((const char *const *)c->servicepart, c->nserviceparts);
	r->part = calloc((size_t)most + 1, sizeof(*r->part));
	return r->place_parts == NULL || r->service_parts == NULL || r->part == NULL ? fail_errno(r) : 0;
}

static int
take_world(struct reader *r)
{
	struct world *w = r->w;
	uint64_t format = 0, depth = 0;
	const char *what;

	if (r->header)
		return fail(r, "two headers");
	if (get_whole(r, HEAD_FORMAT, &format) == -1)
		return -1;
	if (format != WORLD_FORMAT)
		return fail(r, "format %llu, not %d", (unsigned long long)format, WORLD_FORMAT);
	if (load_catalog(r) == -1 || check_digest(r) == -1 || open_parts(r) == -1)
		return -1;
	if (get_whole(r, HEAD_SEED, &w->seed) == -1 || get_time(r, HEAD_BEGIN, &w->begin) == -1 || get_time(r, HEAD_END, &w->end) == -1 ||
	    get_whole(r, HEAD_USERS, &w->users) == -1 || get_whole(r, HEAD_REQUESTS, &w->requests) == -1 ||
	    get_time(r, HEAD_UNTIL, &w->until) == -1 || get_whole(r, HEAD_DEPTH, &depth) == -1 ||
	    get_words(r, HEAD_LEVEL, &w->cat.set.level) == -1)
		return -1;
	w->depth = depth > WORLD_DEPTH_MAX ? -1 : (int)depth;
	if ((what = world_limits(w)) != NULL)
		return fail(r, "%s", what);
	r->header = 1;
	return 0;
}

/* A world tells what the catalog decides, and it is told in vain when it differs: then something else was meant. */
static int
told(struct reader *r, const char *key, int same)
{
	/* That the tables have changed is said already. */
	return same || r->w->warning != NULL ? 0 : fail(r, "\"%s\" is not that of the catalog, which decides it", key);
}

static int
check_parts(struct reader *r, struct json_reader *json, char *const *name, char *const *part, int n)
{
	const char *what;

	if (json_read(json, r->whole.p, r->whole.n, r->part, &what) == -1)
		return fail(r, "%s", what);
	for (int i = 0; i < n; i++) {
		if (!world_tells(name[i]))
			continue;
		if (unquote(r, r->part[i], name[i]) == -1 || told(r, name[i], strcmp(r->text, part[i]) == 0) == -1)
			return -1;
	}
	return 0;
}

/* As it is written: with so many decimals. */
static int
check_weight(struct reader *r, double weight)
{
	double x;

	if (get_number(r, 2, 1e9, &x) == -1)
		return -1;
	return told(r, "weight", x - weight <= WORLD_WEIGHT_NEAR && weight - x <= WORLD_WEIGHT_NEAR);
}

static int
take_place(struct reader *r)
{
	const struct catalog *c = &r->w->cat;
	int place;

	if (get_place(r, 1, &place) == -1 || check_weight(r, c->place[place].weight) == -1 ||
	    check_parts(r, r->place_parts, c->placepart, c->place[place].part, c->nplaceparts) == -1)
		return -1;
	return enter(r, c->place[place].id, mix_name(c->place[place].id, strlen(c->place[place].id)), place);
}

static int
take_service(struct reader *r)
{
	const struct catalog *c = &r->w->cat;
	int service;

	if (get_service(r, 1, &service) == -1 ||
	    check_parts(r, r->service_parts, c->servicepart, c->service[service].part, c->nserviceparts) == -1)
		return -1;
	return enter(r, c->service[service].id, mix_name(c->service[service].id, strlen(c->service[service].id)), service);
}

/* The type is that of the first incident of the catalog which is about the component; of others any. */
static int
check_type(struct reader *r, const char *component)
{
	const struct catalog *c = &r->w->cat;

	if (unquote(r, r->value[3], "type") == -1)
		return -1;
	for (int i = 0; i < c->nincidents; i++)
		if (strcmp(c->incident[i].component, component) == 0)
			return told(r, "type", strcmp(r->text, c->incident[i].type == NULL ? "" : c->incident[i].type) == 0);
	return 0;
}

static int
take_component(struct reader *r)
{
	char *id = NULL, **all;
	uint64_t name = 0;
	int *services;

	if (get_id(r, 1, &id, &name) == -1 || get_list(r, r->value[2], "services", "service", catalog_service, &services) == -1 ||
	    check_type(r, id) == -1)
		return -1;
	if ((all = room(r->w->component, r->w->ncomponents, &r->maxcomponents, sizeof(*all))) == NULL)
		return fail_errno(r);
	r->w->component = all;
	all[r->w->ncomponents] = id;
	return enter(r, id, name, r->w->ncomponents++);
}

static int
take_deployment(struct reader *r)
{
	struct deployment d = { 0 }, *all;
	uint64_t name = 0;

	if (get_id(r, 1, &d.id, &name) == -1 || get_service(r, 2, &d.service) == -1)
		return -1;
	if (lookup(r, &kinds[KIND_SERVICE], r->text) == -1)
		return fail_none(r, "service", r->text);
	if (get_place(r, 3, &d.place) == -1)
		return -1;
	if (lookup(r, &kinds[KIND_PLACE], r->text) == -1)
		return fail_none(r, "place", r->text);
	if ((all = room(r->deployment, r->ndeployments, &r->maxdeployments, sizeof(*all))) == NULL)
		return fail_errno(r);
	r->deployment = all;
	all[r->ndeployments] = d;
	return enter(r, d.id, name, r->ndeployments++);
}

/* Is value i of the line this name? What it is said to be is said twice, and must be the same. */
static int
agrees(struct reader *r, int i, const char *name, const char *with)
{
	size_t n = strlen(name);

	if (r->value[i].p == NULL)
		return fail(r, "no \"%s\"", r->kind->key[i]);
	if (plain(r->value[i]) ? r->value[i].n != n + 2 || memcmp(r->value[i].p + 1, name, n) != 0 : !json_equals(r->value[i], name))
		return fail(r, "\"%s\" is not that of the %s", r->kind->key[i], with);
	return 0;
}

static int
take_release(struct reader *r)
{
	struct world_release l = { 0 }, *all;
	const struct deployment *d;
	uint64_t name = 0;

	if (get_text(r, 2) == -1)
		return -1;
	/* Those of one deployment mostly follow each other. */
	if (r->last >= r->ndeployments || strcmp(r->deployment[r->last].id, r->text) != 0)
		if ((r->last = lookup(r, &kinds[KIND_DEPLOYMENT], r->text)) == -1)
			return fail_none(r, "deployment", r->text);
	d = &r->deployment[r->last];
	l.service = d->service;
	l.place = d->place;
	if (agrees(r, 3, r->w->cat.service[d->service].id, "deployment") == -1 ||
	    agrees(r, 4, r->w->cat.place[d->place].id, "deployment") == -1)
		return -1;
	if (get_id(r, 1, &l.id, &name) == -1 || get_whole(r, 5, &l.number) == -1 || get_time(r, 6, &l.created) == -1 ||
	    get_time(r, 7, &l.from) == -1 || get_time(r, 8, &l.to) == -1)
		return -1;
	if (l.created > l.from)
		return fail(r, "\"live_from\" is before \"created\"");
	if (l.from > l.to)
		return fail(r, "\"live_to\" is before \"live_from\"");
	if ((all = room(r->w->release, r->w->nreleases, &r->maxreleases, sizeof(*all))) == NULL)
		return fail_errno(r);
	r->w->release = all;
	all[r->w->nreleases] = l;
	return enter(r, l.id, name, r->w->nreleases++);
}

static int
take_rollout(struct reader *r)
{
	const struct world_release *l;
	struct world_rollout o = { 0 }, *all;

	if (get_text(r, 2) == -1)
		return -1;
	if ((o.release = lookup(r, &kinds[KIND_RELEASE], r->text)) == -1)
		return fail_none(r, "release", r->text);
	l = &r->w->release[o.release];
	o.service = l->service;
	o.place = l->place;
	if (agrees(r, 4, r->w->cat.service[o.service].id, "release") == -1 || agrees(r, 5, r->w->cat.place[o.place].id, "release") == -1)
		return -1;
	if (get_text(r, 3) == -1)
		return -1;
	if (lookup(r, &kinds[KIND_DEPLOYMENT], r->text) == -1)
		return fail_none(r, "deployment", r->text);
	if (get_id(r, 1, &o.id, &o.name) == -1 || get_time(r, 6, &o.start) == -1 || get_time(r, 7, &o.end) == -1 ||
	    get_number(r, 8, 1, &o.traffic) == -1 || get_number(r, 9, 1, &o.errors) == -1 || get_number(r, 10, 1e9, &o.latency) == -1)
		return -1;
	if (o.start > o.end)
		return fail(r, "\"end\" is before \"start\"");
	if ((all = room(r->w->rollout, r->w->nrollouts, &r->maxrollouts, sizeof(*all))) == NULL)
		return fail_errno(r);
	r->w->rollout = all;
	all[r->w->nrollouts] = o;
	return enter(r, o.id, o.name, r->w->nrollouts++);
}

static const char *const effect_key[] = { "what", "targets", "when", "factor", "add", "codes" };
enum { EFF_WHAT, EFF_TARGETS, EFF_WHEN, EFF_FACTOR, EFF_ADD, EFF_CODES, EFF_KEYS };

static int
effect_what(struct reader *r, struct json_value v, struct world_effect *e)
{
	static const char *const name[] = { [EFFECT_LATENCY] = "latency",
		[EFFECT_ERRORS] = "errors",
		[EFFECT_TRAFFIC] = "traffic",
		[EFFECT_DELAY] = "delay",
		[EFFECT_WEIGHT] = "weight" };

	if (unquote(r, v, "what") == -1)
		return -1;
	for (int i = 0; i < 5; i++)
		if (strcmp(r->text, name[i]) == 0) {
			e->what = (enum catalog_what)i;
			return 0;
		}
	e->what = EFFECT_SERIES;
	e->series = catalog_series(&r->w->cat, r->text, strlen(r->text));
	return e->series == -1 ? fail_none(r, "effect", r->text) : 0;
}

/* Links, services or places; "*" stands for all. */
static int
effect_things(struct reader *r, struct json_value v, int of, struct world_effect *e)
{
	static const char *const what[] = { [OF_LINK] = "link", [OF_HOST] = "service", [OF_SERVICE] = "service", [OF_PLACE] = "place" };
	int (*const find[])(const struct catalog *, const char *,
	    size_t) = { [OF_LINK] = catalog_link, [OF_HOST] = catalog_service, [OF_SERVICE] = catalog_service, [OF_PLACE] = catalog_place };
	const char *next = NULL;
	struct json_value first;

	if (json_each(v, &next, &first) == 1 && json_equals(first, "*"))
		return 0;
	e->nthings = get_list(r, v, "targets", what[of], find[of], &e->thing);
	return e->nthings == -1 ? -1 : 0;
}

static int
effect_targets(struct reader *r, struct json_value v, struct world_effect *e)
{
	int of = world_of(&r->w->cat, e->what, e->series), n;
	const char *next = NULL;
	struct json_value t;

	if ((n = count_list(r, v, "targets")) == -1)
		return -1;
	if (n == 0)
		return fail(r, "\"targets\" is empty");
	if (of != -1)
		return effect_things(r, v, of, e);
	if ((e->target = world_get(&r->w->arena, (size_t)n * sizeof(*e->target), _Alignof(struct catalog_ref))) == NULL)
		return fail_errno(r);
	e->ntargets = n;
	for (int i = 0; json_each(v, &next, &t) == 1; i++) {
		if (unquote(r, t, "targets") == -1)
			return -1;
		if (catalog_parse_ref(&r->w->cat, r->text, strlen(r->text), &e->target[i]) == -1)
			return fail_none(r, "operation or service", r->text);
		if (e->target[i].service == -1 && e->target[i].op == NULL)
			n = 0;
		else if (e->target[i].op != NULL && (e->target[i].op = keep_text(r, e->target[i].op, strlen(e->target[i].op))) == NULL)
			return fail_errno(r);
	}
	if (n == 0) {
		e->ntargets = 0;
		e->target = NULL;
	}
	return 0;
}

/* Conditions are the catalog's: the text finds the one that was read there. */
static int
effect_when(struct reader *r, struct json_value v, struct world_effect *e)
{
	const struct catalog *c = &r->w->cat;

	if (json_is_null(v))
		return 0;
	if (unquote(r, v, "when") == -1)
		return -1;
	for (int i = 0; i < c->neffects; i++)
		if (c->effect[i].when.text != NULL && strcmp(c->effect[i].when.text, r->text) == 0) {
			e->when = c->effect[i].when;
			return 0;
		}
	return fail_none(r, "such condition in the catalog:", r->text);
}

/* A quantity as a cell of the catalog has it, or a number. */
static int
effect_quantity(struct reader *r, struct json_value v, const char *key, const char *empty, double lo, struct catalog_dist *d, char **text)
{
	size_t n = v.n;
	int good;

	if (v.p != NULL && json_is_string(v)) {
		if (unquote(r, v, key) == -1)
			return -1;
		n = strlen(r->text);
		*text = keep_text(r, r->text, n);
	} else
		*text = v.p == NULL ? keep_text(r, "", 0) : keep_text(r, v.p, n);
	if (*text == NULL)
		return fail_errno(r);
	if (catalog_parse_dist(&r->w->cat, v.p == NULL ? empty : *text, v.p == NULL ? strlen(empty) : n, d) == -1)
		return fail(r, "\"%s\" is not a quantity such as 2..8", key);
	d->whole = 0;
	good = d->kind == DIST_CHOICE || (d->a >= lo && d->a <= 1e9 && d->b >= lo && d->b <= 1e9);
	for (int i = 0; i < d->n; i++)
		good &= d->value[i] >= lo && d->value[i] <= 1e9;
	return good ? 0 : fail(r, "\"%s\" is not between %g and 1000000000", key, lo);
}

static int
effect_codes(struct reader *r, struct json_value v, struct world_effect *e)
{
	if ((e->ncodes = get_list(r, v, "codes", "code", catalog_code, &e->code)) == -1)
		return -1;
	for (int i = 0; i < e->ncodes; i++)
		if (r->w->cat.code[e->code[i]].http < 400)
			return fail(r, "code \"%s\" is no failure", r->w->cat.code[e->code[i]].code);
	return e->ncodes == 0 ? fail(r, "\"codes\" is empty") : 0;
}

static int
take_effect(struct reader *r, struct json_value object, struct world_effect *e)
{
	struct json_value v[EFF_KEYS];
	const char *what;

	*e = (struct world_effect){ .factor = 1 };
	if (json_read(r->effect, object.p, object.n, v, &what) == -1)
		return fail(r, "\"effects\": %s", what);
	if (effect_what(r, v[EFF_WHAT], e) == -1 || effect_targets(r, v[EFF_TARGETS], e) == -1)
		return -1;
	if (e->what == EFFECT_SERIES)
		return effect_quantity(r, v[EFF_FACTOR], "factor", "1", 0, &e->factors, &e->factors_text) == -1 ||
			effect_quantity(r, v[EFF_ADD], "add", "0", -1e9, &e->adds, &e->adds_text) == -1
		    ? -1
		    : 0;
	if (effect_when(r, v[EFF_WHEN], e) == -1)
		return -1;
	if (v[EFF_FACTOR].p != NULL && check_number(r, v[EFF_FACTOR], "factor", e->what == EFFECT_TRAFFIC ? 1 : 1e9, &e->factor) == -1)
		return -1;
	if (v[EFF_ADD].p != NULL && check_number(r, v[EFF_ADD], "add", e->what == EFFECT_ERRORS ? 1 : 1e9, &e->add) == -1)
		return -1;
	return e->what == EFFECT_ERRORS ? effect_codes(r, v[EFF_CODES], e) : 0;
}

static int
incident_effects(struct reader *r, struct json_value list, struct world_incident *x)
{
	struct json_value object;
	const char *next = NULL;
	int n = 0, more;

	if (list.p == NULL)
		return fail(r, "no \"effects\"");
	while ((more = json_each(list, &next, &object)) == 1 && object.p[0] == '{')
		n++;
	if (more != 0)
		return fail(r, "\"effects\" is not a list of objects");
	if ((x->effect = world_get(&r->w->arena, (size_t)(n + 1) * sizeof(*x->effect), _Alignof(struct world_effect))) == NULL)
		return fail_errno(r);
	next = NULL;
	for (x->neffects = 0; json_each(list, &next, &object) == 1; x->neffects++)
		if (take_effect(r, object, &x->effect[x->neffects]) == -1)
			return -1;
	return 0;
}

static int
incident_role(struct reader *r, enum catalog_role *role)
{
	static const char *const name[] = { [ROLE_CAUSE] = "cause", [ROLE_CONFOUNDER] = "confounder", [ROLE_FIX] = "fix" };

	if (get_text(r, 3) == -1)
		return -1;
	for (int i = 0; i < 3; i++)
		if (strcmp(r->text, name[i]) == 0) {
			*role = (enum catalog_role)i;
			return 0;
		}
	return fail_none(r, "role", r->text);
}

static int
incident_times(struct reader *r, struct world_incident *x)
{
	if (get_time(r, 6, &x->start) == -1 || get_time(r, 7, &x->end) == -1)
		return -1;
	if (x->start >= x->end)
		return fail(r, "\"end\" is not after \"start\"");
	if (r->value[8].p == NULL)
		return fail(r, "no \"ramp_s\"");
	if (json_scaled(r->value[8], 6, &x->ramp) == -1 || x->ramp < 0)
		return fail(r, "\"ramp_s\" is not a number of seconds");
	if (x->ramp > (x->end - x->start) / 2)
		return fail(r, "\"ramp_s\" is more than half of the incident");
	return 0;
}

/* "START/END" */
static int
take_burst(struct reader *r, struct json_value v, struct world_burst *b)
{
	const char *slash;

	if (unquote(r, v, "bursts") == -1)
		return -1;
	slash = strchr(r->text, '/');
	if (slash == NULL || clock_parse(r->text, (size_t)(slash - r->text), &b->start) == -1 ||
	    clock_parse(slash + 1, strlen(slash + 1), &b->end) == -1)
		return fail(r, "\"bursts\": \"%.*s\" is not START/END", NAME_MAX_SHOWN, r->text);
	return 0;
}

/* In order, within the incident, one after the other. */
static int
incident_bursts(struct reader *r, struct json_value list, struct world_incident *x)
{
	int64_t last = x->start;
	const char *next = NULL;
	struct json_value v;
	int n;

	if (list.p == NULL)
		return 0;
	if ((n = count_list(r, list, "bursts")) == -1)
		return -1;
	if (n > WORLD_BURSTS_MAX)
		return fail(r, "more than %d bursts", WORLD_BURSTS_MAX);
	x->bursty = 1;
	if ((x->burst = world_get(&r->w->arena, (size_t)(n + 1) * sizeof(*x->burst), _Alignof(struct world_burst))) == NULL)
		return fail_errno(r);
	for (; json_each(list, &next, &v) == 1; x->nbursts++) {
		struct world_burst *b = &x->burst[x->nbursts];

		if (take_burst(r, v, b) == -1)
			return -1;
		if (b->start < last || b->end <= b->start || b->end > x->end)
			return fail(r, "\"bursts\": number %d is not after the one before, within the incident", x->nbursts + 1);
		last = b->end;
	}
	return 0;
}

static int
take_incident(struct reader *r)
{
	struct world_incident x = { 0 }, *all;
	int *services;

	if (get_id(r, 1, &x.id, &x.name) == -1 || get_text(r, 2) == -1)
		return -1;
	if (lookup(r, &kinds[KIND_COMPONENT], r->text) == -1)
		return fail_none(r, "component", r->text);
	if ((x.component = keep_text(r, r->text, strlen(r->text))) == NULL)
		return fail_errno(r);
	if (incident_role(r, &x.role) == -1 || get_words(r, 4, &x.type) == -1 || get_words(r, 5, &x.message) == -1 ||
	    incident_times(r, &x) == -1 || incident_bursts(r, r->value[12], &x) == -1)
		return -1;
	if ((x.nplaces = get_list(r, r->value[9], "places", "place", catalog_place, &x.place)) == -1 ||
	    incident_effects(r, r->value[10], &x) == -1 ||
	    get_list(r, r->value[11], "services", "service", catalog_service, &services) == -1)
		return -1;
	if ((all = room(r->w->incident, r->w->nincidents, &r->maxincidents, sizeof(*all))) == NULL)
		return fail_errno(r);
	r->w->incident = all;
	all[r->w->nincidents] = x;
	return enter(r, x.id, x.name, r->w->nincidents++);
}

/* The kind of a line that begins as og writes it, without reading the line; or NULL. */
static const struct kind *
guess_kind(const char *line, size_t len)
{
	static const char head[] = "{\"kind\":\"";
	const char *name = line + sizeof(head) - 1;

	if (len < sizeof(head) || memcmp(line, head, sizeof(head) - 1) != 0)
		return NULL;
	len -= sizeof(head) - 1;
	for (const struct kind *k = kinds; k < kinds + KINDS; k++) {
		size_t n = strlen(k->name);

		if (len > n && name[n] == '"' && memcmp(name, k->name, n) == 0)
			return k;
	}
	return NULL;
}

static int
read_kind(struct reader *r, const char *line, size_t len)
{
	struct json_value v;
	const char *what;

	if (json_read(r->any, line, len, &v, &what) == -1)
		return fail(r, "%s", what);
	if (unquote(r, v, "kind") == -1)
		return -1;
	for (r->kind = kinds; r->kind < kinds + KINDS; r->kind++)
		if (strcmp(r->kind->name, r->text) == 0)
			return 0;
	return fail(r, "unknown kind \"%.*s\"", NAME_MAX_SHOWN, r->text);
}

static int
take_line(struct reader *r, const char *line, size_t len)
{
	const char *what;

	if ((r->kind = guess_kind(line, len)) == NULL && read_kind(r, line, len) == -1)
		return -1;
	if (!r->header && r->kind != &kinds[KIND_WORLD])
		return fail(r, "no header: the first line must be of kind \"world\"");
	if (json_read(r->json[r->kind - kinds], line, len, r->value, &what) == -1)
		return fail(r, "%s", what);
	r->whole = (struct json_value){ line, len };
	return r->kind->take(r);
}

static int
reader_open(struct reader *r)
{
	static const char *const any[] = { "kind" };
	int failed = 0;

	r->entries = 1024;
	r->entry = calloc(r->entries, sizeof(*r->entry));
	r->any = json_reader(any, 1);
	r->effect = json_reader(effect_key, EFF_KEYS);
	for (int i = 0; i < KINDS; i++) {
		int n = 0;

		while (n < KEYS_MAX && kinds[i].key[n] != NULL)
			n++;
		r->json[i] = json_reader(kinds[i].key, n);
		failed |= r->json[i] == NULL;
	}
	return failed || r->entry == NULL || r->any == NULL || r->effect == NULL ? -1 : 0;
}

static void
reader_free(struct reader *r)
{
	for (int i = 0; i < KINDS; i++)
		json_reader_free(r->json[i]);
	json_reader_free(r->any);
	json_reader_free(r->effect);
	json_reader_free(r->place_parts);
	json_reader_free(r->service_parts);
	free(r->part);
	free(r->text);
	free(r->entry);
	free(r->deployment);
}

/* Line by line to the end. */
static int
read_lines(struct reader *r, struct rec *in, int (*each)(const char *, size_t, void *), void *arg)
{
	enum rec_status got;
	char *line;
	size_t len;

	while ((got = rec_next(in, &line, &len)) != REC_END) {
		r->line = in->line;
		if (got == REC_ERROR) {
			(void)snprintf(r->err, r->errsize, "%s: %s", r->name, strerror(errno));
			return -1;
		}
		if (got == REC_LONG)
			return fail(r, "line longer than %zu bytes", in->max);
		if (take_line(r, line, len) == -1)
			return -1;
		if (each != NULL && each(line, len, arg) == -1)
			return fail_errno(r);
	}
	if (!r->header) {
		r->line = 1;
		return fail(r, "no header: there is nothing to read");
	}
	return 0;
}

int
world_read_each(
    struct world *w, struct rec *in, const char *catalog, int (*each)(const char *, size_t, void *), void *arg, char *err, size_t errsize)
{
	struct reader r = { .w = w, .name = in->name, .catalog = catalog, .errsize = errsize };
	int failed;

	r.err = err;
	*w = (struct world){ 0 };
	failed = reader_open(&r) == -1 ? fail_errno(&r) : read_lines(&r, in, each, arg);
	if (failed == 0 && world_sort(w) == -1)
		failed = fail_errno(&r);
	reader_free(&r);
	if (failed == -1)
		world_free(w);
	return failed;
}

int
world_read(struct world *w, struct rec *in, const char *catalog, char *err, size_t errsize)
{
	return world_read_each(w, in, catalog, NULL, NULL, err, errsize);
}

int
world_load(struct world *w, const char *path, const char *catalog, char *err, size_t errsize)
{
	const char *name = path == NULL ? "<stdin>" : path;
	int fd = path == NULL ? STDIN_FILENO : open(path, O_RDONLY), status = -1;
	struct rec in;

	if (fd == -1 || rec_open(&in, fd, name, NULL, 0) == -1)
		(void)snprintf(err, errsize, "%s: %s", name, strerror(errno));
	else {
		status = world_read(w, &in, catalog, err, errsize);
		rec_close(&in);
	}
	/* Left open in the place of a closed stream, it would be read as that stream. */
	if (fd != -1 && path != NULL)
		(void)close(fd);
	return status;
}
