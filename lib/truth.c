#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "truth.h"

#define HOPS_MAX 255

struct count {
	uint64_t requests, spans, requests_failed, spans_failed;
};

/* What an incident did at a service. */
struct reach {
	uint64_t failed, slowed;
	int hops; /* least number of calls between it and where the incident struck */
};

/* What an incident did to requests for an operation. */
struct harm {
	uint64_t touched, failed, slowed;
};

struct incident {
	struct world calm; /* the world, but that this incident has no effect */
	struct sim *sim;   /* of it; NULL: not needed so far, or no longer */
	struct world_incident *list;
	struct harm all;
	uint64_t spans_failed, spans_slowed;
	struct reach *reach; /* one a service */
	struct harm *harm;   /* one an operation: requests that begin with it */
};

struct truth {
	const struct world *w;
	uint64_t requests;
	struct sim sim;
	struct count total, *op, *persona;
	uint64_t marks, self, rollouts;
	uint64_t *component, *callee; /* failed spans by what they name as source: components of the world, services */
	int64_t first, last;          /* of requests; first > last: none */
	struct incident *incident;
	uint8_t *hops; /* of the spans at hand: 1 and the hops from where the incident struck; 0: not met by it */
	struct json_reader *json;
};

enum key {
	KEY_KIND,
	KEY_SERVICE,
	KEY_ACTION,
	KEY_PERSONA,
	KEY_SOURCE,
	KEY_ID,
	KEY_INCIDENT,
	KEY_FIRST,
	KEY_LAST,
	KEY_HOPS,
	KEY_REQUESTS,
	KEY_SPANS,
	KEY_REQUESTS_FAILED,
	KEY_SPANS_FAILED,
	KEY_REQUESTS_SLOWED,
	KEY_SPANS_SLOWED,
	KEY_TOUCHED,
	KEY_MARKS,
	KEYS
};

static const char *const key_name[KEYS] = { "kind", "service", "action", "persona", "source", "id", "incident", "first", "last", "hops",
	"requests", "spans", "requests_failed", "spans_failed", "requests_slowed", "spans_slowed", "requests_touched", "rollout_records" };

/* ---- set up ---- */

static int
open_incidents(struct truth *t)
{
	const struct world *w = t->w;

	if ((t->incident = calloc((size_t)w->nincidents + 1, sizeof(*t->incident))) == NULL)
		return -1;
	for (int i = 0; i < w->nincidents; i++)
		if ((t->incident[i].reach = calloc((size_t)w->cat.nservices, sizeof(struct reach))) == NULL ||
		    (t->incident[i].harm = calloc((size_t)t->sim.nops + 1, sizeof(struct harm))) == NULL)
			return -1;
	return 0;
}

struct truth *
truth_open(const struct world *w, uint64_t requests, char *err, size_t errsize)
{
	struct truth *t = calloc(1, sizeof(*t));

	(void)snprintf(err, errsize, "out of memory");
	if (t == NULL)
		return NULL;
	if (sim_open(&t->sim, w, requests, err, errsize) == -1) {
		free(t);
		return NULL;
	}
	t->w = w;
	t->sim.spare = SIM_SPARE_SIZES | SIM_SPARE_RELEASE;
	t->requests = requests;
	t->first = INT64_MAX;
	t->last = INT64_MIN;
	t->op = calloc((size_t)t->sim.nops + 1, sizeof(*t->op));
	t->persona = calloc((size_t)w->cat.npersonas + 1, sizeof(*t->persona));
	t->component = calloc((size_t)w->ncomponents + 1, sizeof(*t->component));
	t->callee = calloc((size_t)w->cat.nservices + 1, sizeof(*t->callee));
	t->hops = calloc(SIM_SLOTS + 1, sizeof(*t->hops));
	t->json = json_reader(key_name, KEYS);
	if (t->op == NULL || t->persona == NULL || t->component == NULL || t->callee == NULL || t->hops == NULL || t->json == NULL ||
	    open_incidents(t) == -1) {
		truth_free(t);
		return NULL;
	}
	return t;
}

static void
close_calm(struct incident *x)
{
	if (x->sim != NULL)
		sim_close(x->sim);
	free(x->sim);
	free(x->list);
	x->sim = NULL;
	x->list = NULL;
}

void
truth_free(struct truth *t)
{
	if (t == NULL)
		return;
	for (int i = 0; t->incident != NULL && i < t->w->nincidents; i++) {
		close_calm(&t->incident[i]);
		free(t->incident[i].reach);
		free(t->incident[i].harm);
	}
	sim_close(&t->sim);
	json_reader_free(t->json);
	free(t->incident);
	free(t->op);
	free(t->persona);
	free(t->component);
	free(t->callee);
	free(t->hops);
	free(t);
}

struct sim *
truth_sim(struct truth *t)
{
	return &t->sim;
}

/*
 * The world as if incident i had no effect, simulated. Requests come in order of time as a rule, so those of incidents that are over are
 * given back when another one begins.
 */
static struct sim *
open_calm(struct truth *t, int i, int64_t now, char *err, size_t errsize)
{
	struct incident *x = &t->incident[i];
	size_t size = (size_t)t->w->nincidents * sizeof(*x->list);

	if (x->sim != NULL)
		return x->sim;
	for (int j = 0; j < t->w->nincidents; j++)
		if (t->w->incident[j].end <= now)
			close_calm(&t->incident[j]);
	(void)snprintf(err, errsize, "out of memory");
	if ((x->list = malloc(size)) == NULL)
		return NULL;
	memcpy(x->list, t->w->incident, size);
	x->list[i].neffects = 0;
	x->calm = *t->w;
	x->calm.incident = x->list;
	if ((x->sim = calloc(1, sizeof(*x->sim))) != NULL && sim_open(x->sim, &x->calm, t->requests, err, errsize) == 0) {
		x->sim->spare = t->sim.spare;
		return x->sim;
	}
	free(x->sim);
	x->sim = NULL;
	close_calm(x);
	return NULL;
}

/* ---- counting ---- */

/* The incident that failed a span, through however many callees; -1: none. */
static int32_t
incident_of(const struct sim_request *r, const struct sim_span *x)
{
	return x->source != SIM_SUCCESS && x->origin >= 0 && r->span[x->origin].source == SIM_INFRASTRUCTURE ? x->cause : -1;
}

static void
count_source(struct truth *t, const struct sim_request *r, const struct sim_span *x)
{
	switch ((enum sim_source)x->source) {
	case SIM_INFRASTRUCTURE:
		for (int i = 0; i < t->w->ncomponents; i++)
			if (strcmp(t->w->component[i], t->w->incident[x->cause].component) == 0)
				t->component[i]++;
		break;
	case SIM_DEPENDENCY:
		t->callee[t->sim.op[r->span[x->blamed].node->op].service]++;
		break;
	case SIM_DEPLOYMENT:
		t->rollouts++;
		break;
	case SIM_SELF:
		t->self++;
		break;
	case SIM_SUCCESS:
		break;
	}
}

static void
count_tree(struct truth *t, const struct sim_request *r)
{
	uint64_t failed = 0;

	for (uint32_t i = 0; i < r->nspans; i++) {
		const struct sim_span *x = &r->span[i];
		struct count *op = &t->op[x->node->op];
		int bad = x->source != SIM_SUCCESS;

		op->spans++;
		op->spans_failed += (unsigned)bad;
		failed += (unsigned)bad;
		if (i == 0) {
			op->requests++;
			op->requests_failed += (unsigned)bad;
			t->total.requests_failed += (unsigned)bad;
			t->persona[r->persona].requests_failed += (unsigned)bad;
		}
		if (bad)
			count_source(t, r, x);
	}
	t->total.requests++;
	t->total.spans += r->nspans;
	t->total.spans_failed += failed;
	t->persona[r->persona].requests++;
	t->persona[r->persona].spans += r->nspans;
	t->persona[r->persona].spans_failed += failed;
	t->first = r->time < t->first ? r->time : t->first;
	t->last = r->time > t->last ? r->time : t->last;
}

static uint32_t
slot_of(const struct sim_request *r, const struct sim_span *x)
{
	return (uint32_t)(x->node - r->plan->node);
}

/* Do both runs say the same of a span? */
static int
is_same(const struct sim_request *r, const struct sim_span *x, const struct sim_request *calm, const struct sim_span *y)
{
	if (x->start != y->start || x->length != y->length || x->source != y->source || x->code != y->code || x->cause != y->cause)
		return 0;
	return x->blamed < 0 || slot_of(r, &r->span[x->blamed]) == slot_of(calm, &calm->span[y->blamed]);
}

/* Count what incident i did to a span; y is the same span without it, NULL if there is none then. 1: it did something. */
static int
compare_span(struct truth *t, int32_t i, const struct sim_request *r, const struct sim_span *x, const struct sim_span *y)
{
	struct incident *in = &t->incident[i];
	struct reach *reach = &in->reach[t->sim.op[x->node->op].service];
	int failed = incident_of(r, x) == i;
	int slowed = !failed && y != NULL && x->source == SIM_SUCCESS && y->source == SIM_SUCCESS && x->length > y->length;
	uint8_t *hops = &t->hops[x - r->span];

	if (!failed && !slowed) {
		*hops = 0; /* what its callees gave does not travel through it */
		return 0;
	}
	if (*hops == 0 || (failed && x->source == SIM_INFRASTRUCTURE))
		*hops = 1;
	if ((reach->failed == 0 && reach->slowed == 0) || *hops - 1 < reach->hops)
		reach->hops = *hops - 1;
	reach->failed += (unsigned)failed;
	reach->slowed += (unsigned)slowed;
	in->spans_failed += (unsigned)failed;
	in->spans_slowed += (unsigned)slowed;
	if (x->parent < 0) {
		in->all.failed += (unsigned)failed;
		in->all.slowed += (unsigned)slowed;
		in->harm[x->node->op].failed += (unsigned)failed;
		in->harm[x->node->op].slowed += (unsigned)slowed;
	}
	if (x->parent >= 0 && x->node->stage != STAGE_ASYNC && *hops < HOPS_MAX) {
		uint8_t *above = &t->hops[x->parent];

		*above = *above == 0 || *hops + 1 < *above ? *hops + 1 : *above;
	}
	return 1;
}

/* From the last span to the first, so that callees come before their callers. */
static void
compare(struct truth *t, int32_t i, const struct sim_request *r, const struct sim_request *calm)
{
	uint32_t n = calm->nspans;
	int touched = r->nspans != calm->nspans;

	memset(t->hops, 0, r->nspans);
	for (uint32_t at = r->nspans; at-- > 0;) {
		const struct sim_span *x = &r->span[at], *y = NULL;

		while (n > 0 && slot_of(calm, &calm->span[n - 1]) > slot_of(r, x))
			n--;
		if (n > 0 && slot_of(calm, &calm->span[n - 1]) == slot_of(r, x))
			y = &calm->span[n - 1];
		touched |= y == NULL || !is_same(r, x, calm, y);
		touched |= compare_span(t, i, r, x, y);
	}
	t->incident[i].all.touched += (unsigned)touched;
	t->incident[i].harm[r->span[0].node->op].touched += (unsigned)touched;
}

int
truth_add(struct truth *t, struct sim_request *r, char *err, size_t errsize)
{
	struct sim_request calm;

	sim_grow(&t->sim, r);
	count_tree(t, r);
	for (int i = 0; i < t->w->nincidents && t->w->incident[i].start <= r->time; i++) {
		struct sim *s;

		if (t->w->incident[i].end <= r->time)
			continue;
		if ((s = open_calm(t, i, r->time, err, errsize)) == NULL)
			return -1;
		(void)snprintf(err, errsize, "out of memory");
		if (sim_request(s, r->k, r->time, &calm) == -1)
			return -1;
		sim_grow(s, &calm);
		compare(t, i, r, &calm);
	}
	return 0;
}

void
truth_mark(struct truth *t)
{
	t->marks++;
}

/* ---- lines in ---- */

static int
find_op(const struct truth *t, struct json_value service, struct json_value action)
{
	for (int i = 0; i < t->sim.nops; i++)
		if (json_equals(service, t->w->cat.service[t->sim.op[i].service].id) && json_equals(action, t->sim.op[i].name))
			return i;
	return -1;
}

static int
find_persona(const struct truth *t, struct json_value id)
{
	for (int i = 0; i < t->w->cat.npersonas; i++)
		if (json_equals(id, t->w->cat.persona[i].id))
			return i;
	return -1;
}

static int
find_service(const struct truth *t, struct json_value id)
{
	for (int i = 0; i < t->w->cat.nservices; i++)
		if (json_equals(id, t->w->cat.service[i].id))
			return i;
	return -1;
}

static int
find_incident(const struct truth *t, struct json_value id)
{
	for (int i = 0; i < t->w->nincidents; i++)
		if (json_equals(id, t->w->incident[i].id))
			return i;
	return -1;
}

/* Where failures of a source are counted; NULL: no such source. */
static uint64_t *
find_source(struct truth *t, struct json_value source)
{
	char text[1024];

	if (json_text(source, text, sizeof(text)) < 0)
		return NULL;
	if (strcmp(text, "self") == 0)
		return &t->self;
	if (strcmp(text, "deployment") == 0)
		return &t->rollouts;
	for (int i = 0; i < t->w->ncomponents; i++)
		if (strncmp(text, "infrastructure:", 15) == 0 && strcmp(text + 15, t->w->component[i]) == 0)
			return &t->component[i];
	for (int i = 0; i < t->w->cat.nservices; i++)
		if (strncmp(text, "dependency:", 11) == 0 && strcmp(text + 11, t->w->cat.service[i].id) == 0)
			return &t->callee[i];
	return NULL;
}

static int
find_time(struct json_value v, int64_t *us)
{
	char text[64];
	int n = json_text(v, text, sizeof(text));

	return n < 0 ? -1 : clock_parse(text, (size_t)n, us);
}

/* The counts of a line, by key; what a kind has not is 0. */
static int
take_numbers(const struct json_value *v, uint64_t *number)
{
	for (int i = KEY_HOPS; i < KEYS; i++) {
		number[i] = 0;
		if (v[i].p != NULL && json_u64(v[i], &number[i]) == -1)
			return -1;
	}
	return 0;
}

/* 0; or -1 when the sum is too large to be counted, and stays as it was. */
static int
add(uint64_t *to, uint64_t n)
{
	if (n > UINT64_MAX - *to)
		return -1;
	*to += n;
	return 0;
}

static int
merge_count(struct count *c, const uint64_t *number)
{
	struct count sum = *c;

	if (add(&sum.requests, number[KEY_REQUESTS]) == -1 || add(&sum.spans, number[KEY_SPANS]) == -1 ||
	    add(&sum.requests_failed, number[KEY_REQUESTS_FAILED]) == -1 || add(&sum.spans_failed, number[KEY_SPANS_FAILED]) == -1)
		return -1;
	*c = sum;
	return 0;
}

static int
merge_total(struct truth *t, const struct json_value *v, const uint64_t *number, const char **errstr)
{
	int64_t first = t->first, last = t->last;
	uint64_t marks = t->marks;

	if (number[KEY_REQUESTS] > 0 && (find_time(v[KEY_FIRST], &first) == -1 || find_time(v[KEY_LAST], &last) == -1)) {
		*errstr = "no time of the first or last request";
		return -1;
	}
	if (add(&marks, number[KEY_MARKS]) == -1 || merge_count(&t->total, number) == -1)
		return -1;
	t->first = first < t->first ? first : t->first;
	t->last = last > t->last ? last : t->last;
	t->marks = marks;
	return 0;
}

static int
merge_harm(struct harm *h, const uint64_t *number)
{
	struct harm sum = *h;

	if (add(&sum.touched, number[KEY_TOUCHED]) == -1 || add(&sum.failed, number[KEY_REQUESTS_FAILED]) == -1 ||
	    add(&sum.slowed, number[KEY_REQUESTS_SLOWED]) == -1)
		return -1;
	*h = sum;
	return 0;
}

static int
merge_incident(struct incident *in, const uint64_t *number)
{
	uint64_t failed = in->spans_failed, slowed = in->spans_slowed;

	if (add(&failed, number[KEY_SPANS_FAILED]) == -1 || add(&slowed, number[KEY_SPANS_SLOWED]) == -1 ||
	    merge_harm(&in->all, number) == -1)
		return -1;
	in->spans_failed = failed;
	in->spans_slowed = slowed;
	return 0;
}

static int
merge_reach(struct reach *r, const uint64_t *number)
{
	int hops = (int)number[KEY_HOPS];
	struct reach sum = *r;

	if (number[KEY_SPANS_FAILED] == 0 && number[KEY_SPANS_SLOWED] == 0)
		return 0;
	sum.hops = (r->failed == 0 && r->slowed == 0) || hops < r->hops ? hops : r->hops;
	if (add(&sum.failed, number[KEY_SPANS_FAILED]) == -1 || add(&sum.slowed, number[KEY_SPANS_SLOWED]) == -1)
		return -1;
	*r = sum;
	return 0;
}

static int
is_kind(struct json_value v)
{
	static const char *const kinds[] = { "operation", "persona", "source", "incident", "reach", "harm" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (json_equals(v, kinds[i]))
			return 1;
	return 0;
}

/* Add the counts to those of what the line is about. */
static int
merge_line(struct truth *t, const struct json_value *v, const uint64_t *number, const char **errstr)
{
	static const char large[] = "a sum of counts is above 18446744073709551615";
	int op = find_op(t, v[KEY_SERVICE], v[KEY_ACTION]), persona = find_persona(t, v[KEY_PERSONA]);
	int service = find_service(t, v[KEY_SERVICE]), id = find_incident(t, v[KEY_ID]), of = find_incident(t, v[KEY_INCIDENT]);
	struct json_value kind = v[KEY_KIND];
	uint64_t *source;

	*errstr = large;
	if (json_equals(kind, "total"))
		return merge_total(t, v, number, errstr);
	if (json_equals(kind, "operation") && op != -1)
		return merge_count(&t->op[op], number);
	if (json_equals(kind, "persona") && persona != -1)
		return merge_count(&t->persona[persona], number);
	if (json_equals(kind, "source") && (source = find_source(t, v[KEY_SOURCE])) != NULL)
		return add(source, number[KEY_SPANS_FAILED]);
	if (json_equals(kind, "incident") && id != -1)
		return merge_incident(&t->incident[id], number);
	if (json_equals(kind, "reach") && of != -1 && service != -1)
		return merge_reach(&t->incident[of].reach[service], number);
	if (json_equals(kind, "harm") && of != -1 && op != -1)
		return merge_harm(&t->incident[of].harm[op], number);
	*errstr = is_kind(kind) ? "of something that is not in the world" : "no line of counts";
	return -1;
}

int
truth_merge(struct truth *t, const char *line, size_t len, const char **errstr)
{
	struct json_value v[KEYS];
	uint64_t number[KEYS];

	if (json_read(t->json, line, len, v, errstr) == -1)
		return -1;
	*errstr = "a count is no whole number";
	if (take_numbers(v, number) == -1 || number[KEY_HOPS] > HOPS_MAX)
		return -1;
	return merge_line(t, v, number, errstr);
}

/* ---- lines out ---- */

static void
put_count(struct out *o, const struct count *c)
{
	world_put_whole(o, "requests", c->requests);
	world_put_whole(o, "spans", c->spans);
	world_put_whole(o, "requests_failed", c->requests_failed);
	world_put_whole(o, "spans_failed", c->spans_failed);
	world_put_end(o);
}

static void
put_source(struct out *o, const char *kind, const char *of, uint64_t n)
{
	char text[1024];

	if (n == 0)
		return;
	(void)snprintf(text, sizeof(text), "%s%s", kind, of);
	world_put_kind(o, "source");
	world_put_text(o, "source", text);
	world_put_whole(o, "spans_failed", n);
	world_put_end(o);
}

static void
put_sources(const struct truth *t, struct out *o)
{
	for (int i = 0; i < t->w->ncomponents; i++)
		put_source(o, "infrastructure:", t->w->component[i], t->component[i]);
	for (int i = 0; i < t->w->cat.nservices; i++)
		put_source(o, "dependency:", t->w->cat.service[i].id, t->callee[i]);
	put_source(o, "deployment", "", t->rollouts);
	put_source(o, "self", "", t->self);
}

static void
put_harm(struct out *o, const struct harm *h)
{
	world_put_whole(o, "requests_touched", h->touched);
	world_put_whole(o, "requests_failed", h->failed);
	world_put_whole(o, "requests_slowed", h->slowed);
}

static void
put_incident(const struct truth *t, struct out *o, int i)
{
	const struct world_incident *w = &t->w->incident[i];
	const struct incident *in = &t->incident[i];

	world_put_kind(o, "incident");
	world_put_text(o, "id", w->id);
	put_harm(o, &in->all);
	world_put_whole(o, "spans_failed", in->spans_failed);
	world_put_whole(o, "spans_slowed", in->spans_slowed);
	world_put_end(o);
	for (int k = 0; k < t->sim.nops; k++)
		if (in->harm[k].touched > 0) {
			world_put_kind(o, "harm");
			world_put_text(o, "incident", w->id);
			world_put_text(o, "service", t->w->cat.service[t->sim.op[k].service].id);
			world_put_text(o, "action", t->sim.op[k].name);
			put_harm(o, &in->harm[k]);
			world_put_end(o);
		}
	for (int hops = 0; hops <= HOPS_MAX; hops++)
		for (int s = 0; s < t->w->cat.nservices; s++) {
			const struct reach *r = &in->reach[s];

			if (r->hops != hops || (r->failed == 0 && r->slowed == 0))
				continue;
			world_put_kind(o, "reach");
			world_put_text(o, "incident", w->id);
			world_put_text(o, "service", t->w->cat.service[s].id);
			world_put_whole(o, "hops", (uint64_t)hops);
			world_put_whole(o, "spans_failed", r->failed);
			world_put_whole(o, "spans_slowed", r->slowed);
			world_put_end(o);
		}
}

void
truth_put(const struct truth *t, struct out *o)
{
	world_put_kind(o, "total");
	if (t->first <= t->last) {
		world_put_time(o, "first", t->first);
		world_put_time(o, "last", t->last);
	}
	world_put_whole(o, "rollout_records", t->marks);
	put_count(o, &t->total);
	for (int i = 0; i < t->sim.nops; i++)
		if (t->op[i].spans > 0) {
			world_put_kind(o, "operation");
			world_put_text(o, "service", t->w->cat.service[t->sim.op[i].service].id);
			world_put_text(o, "action", t->sim.op[i].name);
			put_count(o, &t->op[i]);
		}
	for (int i = 0; i < t->w->cat.npersonas; i++)
		if (t->persona[i].requests > 0) {
			world_put_kind(o, "persona");
			world_put_text(o, "persona", t->w->cat.persona[i].id);
			put_count(o, &t->persona[i]);
		}
	put_sources(t, o);
	for (int i = 0; i < t->w->nincidents; i++)
		put_incident(t, o, i);
}
