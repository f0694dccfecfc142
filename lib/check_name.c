/* What lines refer to: services, operations, places, personas, releases. */
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "mix.h"

/* 0, or -1: no memory. Of two things of one name the first counts. */
static int
learn(struct keys *s, uint64_t key, int value)
{
	int fresh;
	uint64_t *at = keys_put(s, key, &fresh);

	if (at == NULL)
		return -1;
	if (fresh)
		*at = (uint64_t)value;
	return 0;
}

static int
find(const struct keys *s, uint64_t key)
{
	const uint64_t *at = keys_find(s, key);

	return at == NULL ? -1 : (int)*at;
}

/* The parts of a service's name under one key; parts that lines do not have are left out. */
static uint64_t
service_key(uint64_t id, uint64_t name, uint64_t group)
{
	return id != 0 ? id : mix(name + mix(group)) | 1;
}

static uint64_t
number_key(int service, int place, uint64_t number)
{
	return mix(mix(number) + ((uint64_t)service << 20 | (uint64_t)place)) | 1;
}

static int
learn_services(struct check *c)
{
	const struct catalog *cat = c->cat;

	for (int i = 0; i < cat->nservices; i++)
		if (learn(&c->services, name_key(cat->service[i].id), i) == -1 ||
		    learn(&c->services, service_key(0, name_key(cat->service[i].name), name_key(cat->service[i].group)), i) == -1 ||
		    learn(&c->services, service_key(0, name_key(cat->service[i].name), 0), i) == -1)
			return -1;
	for (int i = 0; i < cat->nplaces; i++)
		if (learn(&c->places, name_key(cat->place[i].id), i) == -1)
			return -1;
	for (int i = 0; i < cat->npersonas; i++)
		if (learn(&c->personas, name_key(cat->persona[i].id), i) == -1)
			return -1;
	for (int i = 0; i < cat->nobjects; i++)
		if (learn(&c->types, name_key(cat->object[i]), i) == -1)
			return -1;
	return 0;
}

static int
learn_world(struct check *c)
{
	const struct world *w = c->world;

	if (w == NULL)
		return 0;
	for (int i = 0; i < w->nreleases; i++)
		if (learn(&c->releases, name_key(w->release[i].id), i) == -1 ||
		    learn(&c->numbers, number_key(w->release[i].service, w->release[i].place, w->release[i].number), i) == -1)
			return -1;
	for (int i = 0; i < w->nrollouts; i++)
		if (learn(&c->rollouts, name_key(w->rollout[i].id), i) == -1)
			return -1;
	for (int i = 0; i < w->nincidents; i++)
		if (learn(&c->incidents, name_key(w->incident[i].id), i) == -1)
			return -1;
	return (c->marked = calloc((size_t)w->nrollouts + 1, 1)) == NULL ? -1 : 0;
}

/* Whether a failure surely reaches the caller: by every call there is from one service to the other. */
static int
learn_calls(struct check *c)
{
	const struct catalog *cat = c->cat;
	size_t n = (size_t)cat->nservices;

	if ((c->calls = calloc(n * n + 1, 1)) == NULL)
		return -1;
	for (int i = 0; i < cat->ncalls; i++) {
		const struct catalog_call *call = &cat->call[i];

		for (size_t from = 0; from < n; from++)
			if (call->from.service == (int)from || call->from.service == -1)
				c->calls[from * n + (size_t)call->to_service] |=
				    (uint8_t)(CALL_ANY | (call->stage == STAGE_ASYNC ? CALL_ASYNC : 0) |
					(call->fails < 1 || call->retries > 0 ? CALL_OPTIONAL : 0));
	}
	return 0;
}

int
names_open(struct check *c)
{
	return learn_services(c) == -1 || learn_world(c) == -1 || learn_calls(c) == -1 ? -1 : 0;
}

void
names_free(struct check *c)
{
	keys_free(&c->services);
	keys_free(&c->operations);
	keys_free(&c->releases);
	keys_free(&c->numbers);
	keys_free(&c->rollouts);
	keys_free(&c->incidents);
	keys_free(&c->places);
	keys_free(&c->personas);
	keys_free(&c->types);
	free(c->marked);
	free(c->calls);
}

/* A row of a template fits every name that begins and ends like it. */
static int
fits(const char *as, const char *name, size_t len)
{
	const char *hole = strchr(as, '{');
	const char *rest = hole != NULL ? strchr(hole, '}') : NULL;

	if (rest == NULL)
		return strlen(as) == len && memcmp(as, name, len) == 0;
	rest++;
	return len > (size_t)(hole - as) + strlen(rest) && memcmp(name, as, (size_t)(hole - as)) == 0 &&
	    memcmp(name + len - strlen(rest), rest, strlen(rest)) == 0;
}

/* Those that were found are remembered: there are no more than the catalog has. */
int
names_operation(struct check *c, int service, struct json_value v)
{
	uint64_t both = mix(value_key(v) ^ mix((uint64_t)service + 1)) | 1;
	char text[CHECK_WORD];
	int n;

	if (keys_find(&c->operations, both) != NULL)
		return 1;
	if ((n = json_text(v, text, sizeof(text))) < 0)
		return 0;
	for (int i = 0; i < c->cat->nops; i++)
		if ((service == -1 || c->cat->op[i].service == service || c->cat->op[i].service == -1) &&
		    fits(c->cat->op[i].name, text, (size_t)n))
			return learn(&c->operations, both, 0) == 0;
	return 0;
}

static void
check_listed(struct check *c, enum role r, const struct keys *all, const char *what)
{
	struct json_value v = role(c, r);
	char text[64];

	if (!json_is_null(v) && keys_find(all, value_key(v)) == NULL)
		check_fault(c, P_NAMES, c->line, "no %s %s in the catalog", what, show(v, text));
}

int
names_service(const struct check *c, struct json_value id, struct json_value name, struct json_value group)
{
	return find(&c->services, service_key(value_key(id), value_key(name), value_key(group)));
}

void
names_check(struct check *c, struct span *x)
{
	struct json_value id = role(c, R_SERVICE), name = role(c, R_NAME), group = role(c, R_GROUP), action = role(c, R_ACTION);
	char one[64], two[64];

	check_count(c, P_NAMES);
	x->action = value_key(action);
	x->place = find(&c->places, value_key(role(c, R_PLACE)));
	if (c->at[R_SERVICE] >= 0 || c->at[R_NAME] >= 0) {
		x->service = names_service(c, id, name, group);
		if (x->service == -1)
			check_fault(c, P_NAMES, c->line, "no service %s in the catalog", show(c->at[R_SERVICE] >= 0 ? id : name, one));
		else if (c->at[R_ACTION] >= 0 && !names_operation(c, x->service, action))
			check_fault(
			    c, P_NAMES, c->line, "no operation %s at %s", show(action, one), show(c->at[R_SERVICE] >= 0 ? id : name, two));
	}
	check_listed(c, R_PLACE, &c->places, "place");
	check_listed(c, R_PERSONA, &c->personas, "persona");
	check_listed(c, R_OBJECT_TYPE, &c->types, "object type");
	if (!json_is_null(role(c, R_TARGET)) && value_key(role(c, R_TARGET)) == x->user)
		check_fault(c, P_NAMES, c->line, "a user who is his own target");
}

/* The code of a failure as a row of the catalog; -1. */
int
names_code(const struct check *c, const struct span *x)
{
	struct json_value v = role(c, c->at[R_CODE] >= 0 ? R_CODE : R_STATUS);
	char text[64];
	int n = json_is_null(v) || !x->failed ? -1 : json_text(v, text, sizeof(text));

	return n < 0 ? -1 : catalog_code(c->cat, text, (size_t)n);
}

/* `time`: when the request began; all of it runs on the releases of that moment. */
void
names_release(struct check *c, struct span *x, int64_t time)
{
	const struct world *w = c->world;
	struct json_value v = role(c, c->at[R_RELEASE] >= 0 ? R_RELEASE : R_NUMBER);
	const struct world_release *r;
	char text[64];
	uint64_t n = 0;

	x->release = -1;
	if (!c->account[P_RELEASES].applies || x->service < 0)
		return;
	check_count(c, P_RELEASES);
	if (c->at[R_RELEASE] >= 0)
		x->release = find(&c->releases, value_key(v));
	else if (json_u64(v, &n) == 0)
		x->release = find(&c->numbers, number_key(x->service, x->place, n));
	if (x->release == -1) {
		check_fault(c, P_RELEASES, c->line, "no release %s in the world", show(v, text));
		return;
	}
	r = &w->release[x->release];
	if (c->at[R_PLACE] >= 0 && r->place != x->place)
		check_fault(c, P_RELEASES, c->line, "release %s is of another place", show(v, text));
	x->place = r->place;
	if (r->service != x->service)
		check_fault(c, P_RELEASES, c->line, "release %s is of another service", show(v, text));
	else if (r->created > time || r->from > time)
		check_fault(c, P_RELEASES, c->line, "release %s before its time", show(v, text));
	else if (x->release + 1 < w->nreleases && r[1].service == r->service && r[1].place == r->place && r[1].to <= time)
		check_fault(c, P_RELEASES, c->line, "release %s is replaced by %llu", show(v, text), (unsigned long long)r[1].number);
}

unsigned
names_calls(const struct check *c, int from, int to)
{
	return from < 0 || to < 0 ? CALL_ANY | CALL_OPTIONAL : c->calls[(size_t)from * (size_t)c->cat->nservices + (size_t)to];
}
