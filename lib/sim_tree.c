/* What becomes of a request: durations from the root down, failures and delays from the leaves up. */
#include <string.h>

#include "clock.h"
#include "sim_impl.h"

/* A tree being grown. */
struct tree {
	struct sim *s;
	struct sim_request *r;
	const struct sim_plan *plan;
	int64_t cap;    /* no span ends later, us */
	uint32_t locus; /* node at which a failure of the request's own begins; UINT32_MAX: none */
	int calm;       /* no incident and no rollout can meet it */
	int16_t code;   /* of that failure */
};

#define ROUNDING 16 /* us that calls last longer than planned since no span takes none; their caller's own time makes up for it */
#define BRIEF 1000  /* us; shorter roots may have no time to make up for that */

/* The calls of one stage of a span, on their way. */
struct stage {
	int64_t end;    /* when the next may follow */
	int64_t last;   /* when the last call ended */
	int32_t failed; /* span of the mandatory call that failed first; -1 */
	int64_t failed_end;
};

static int
term_holds(const struct sim *s, const struct catalog_term *t, const struct sim_request *r, const struct sim_op *op, int place, int child)
{
	const char *x = NULL;
	int hit = 0;

	switch (t->flag) {
	case FLAG_READ:
		return (op->write == 0) != t->negated;
	case FLAG_WRITE:
		return (op->write != 0) != t->negated;
	case FLAG_ROOT:
		return (child == 0) != t->negated;
	case FLAG_CHILD:
		return (child != 0) != t->negated;
	case FLAG_REMOTE:
		return (place != r->place) != t->negated;
	default:
		break;
	}
	switch (t->src) {
	case SRC_PLACE_ID:
		x = s->c->place[place].id;
		break;
	case SRC_PLACE_PART:
		x = s->c->place[place].part[t->arg];
		break;
	case SRC_SERVICE_ID:
		x = s->c->service[op->service].id;
		break;
	case SRC_SERVICE_NAME:
		x = s->c->service[op->service].name;
		break;
	case SRC_SERVICE_GROUP:
		x = s->c->service[op->service].group;
		break;
	case SRC_SERVICE_PART:
		x = s->c->service[op->service].part[t->arg];
		break;
	case SRC_PERSONA_ID:
		x = s->c->persona[r->persona].id;
		break;
	case SRC_PERSONA_CLASS:
		x = s->c->persona[r->persona].class;
		break;
	case SRC_ROOT_OPERATION:
		x = s->c->op[r->plan->root].name;
		break;
	case SRC_ROOT_CATEGORY:
		x = s->c->op[r->plan->root].category;
		break;
	case SRC_OBJECT_TYPE:
		x = s->c->op[r->plan->root].type >= 0 ? s->c->object[s->c->op[r->plan->root].type] : NULL;
		break;
	default:
		break;
	}
	for (int i = 0; i < t->n && x != NULL; i++)
		hit |= strcmp(t->value[i], x) == 0;
	if (t->n == 0)
		hit = x == NULL || *x == '\0';
	return hit == (t->relation != REL_NE);
}

int
sim_holds(const struct sim *s, const struct catalog_cond *c, const struct sim_request *r, const struct sim_op *op, int place, int child)
{
	for (int i = 0; i < c->n; i++)
		if (!term_holds(s, &c->term[i], r, op, place, child))
			return 0;
	return 1;
}

/* A code among those that fit: failures of a span's own (ok 0) or successes other than the plain one (ok 1); -1: none. */
static int16_t
draw_code(const struct sim *s, int ok, uint64_t word, const struct sim_request *r, const struct sim_op *op, int place, int child)
{
	const struct catalog *c = s->c;
	double sum = 0, at;

	if (ok && s->success >= 0 && (double)(word >> 11) * 0x1p-53 >= s->success)
		return -1;
	for (int i = 0; i < c->ncodes; i++)
		if ((c->code[i].http < 400) == ok && sim_holds(s, &c->code[i].when, r, op, place, child))
			sum += c->code[i].weight;
	if (sum <= 0)
		return -1;
	at = (double)(word >> 11) * 0x1p-53 * (ok && sum < 1 ? 1 : sum);
	for (int i = 0; i < c->ncodes; i++) {
		if ((c->code[i].http < 400) != ok || !sim_holds(s, &c->code[i].when, r, op, place, child))
			continue;
		at -= c->code[i].weight;
		if (at < 0)
			return (int16_t)i;
	}
	return -1;
}

static void
fail(struct sim_span *x, enum sim_source source, int32_t cause, int32_t origin, int16_t code)
{
	x->source = (uint8_t)source;
	x->cause = cause;
	x->origin = origin;
	x->code = code;
}

/* Chance that a call fails, which stands for m uses of what is broken: 1 - (1 - p)^m, in 2^-32. */
static uint64_t
compound(uint64_t p, uint32_t m)
{
	uint64_t keep = (1ULL << 32) - p, all = 1ULL << 32;

	for (uint32_t i = 0; i < m; i++)
		all = (all * keep) >> 32;
	return (1ULL << 32) - all;
}

/* An incident did something to the request. */
static void
note(struct sim_request *r, int incident)
{
	for (int i = 0; i < r->ntouched; i++)
		if (r->touched[i] == incident)
			return;
	if (r->ntouched < SIM_TOUCHED)
		r->touched[r->ntouched++] = incident;
}

/* Incidents at a span: slow it, and fail it perhaps. Each draws for itself, whatever the others do; the first in order is named. */
static void
apply_incidents(struct tree *t, int32_t at, uint64_t key, const struct sim_op *op, int64_t base, int64_t *slow)
{
	struct sim *s = t->s;
	const struct sim_active *a = s->active;
	struct sim_span *x = &s->spans[at];

	for (int i = 0; i < a->nincidents; i++) {
		const struct sim_incident *in = &a->incident[a->now_incident[i]];
		const struct world_incident *w = &s->w->incident[a->now_incident[i]];
		uint32_t k;

		if ((in->places != NULL && !bit(in->places, x->place)) || !bit(in->services, op->service))
			continue;
		k = sim_strength(w, t->r->time);
		for (int j = 0; j < in->neffects; j++) {
			const struct sim_effect *e = &in->effect[j];
			uint64_t word = mix_at(key ^ w->name, (uint64_t)j);

			if (!sim_covers(s, e, op->service, op->row) || !sim_holds(s, &e->e->when, t->r, op, x->place, x->parent >= 0))
				continue;
			if (e->e->what == EFFECT_LATENCY) {
				int64_t more = (int64_t)(((wide)base * e->excess) >> 16) + e->add;

				/* Between 70 and 130 % of it, so that slow requests differ. */
				more = (int64_t)((((wide)more * k) >> 16) * (45875 + (int64_t)((word >> 32) * 39321 >> 32)) >> 16);
				*slow += more;
				if (more != 0)
					note(t->r, a->now_incident[i]);
				if (more > s->slow[at].excess)
					s->slow[at] = (struct sim_slow){ more, a->now_incident[i], SIM_INFRASTRUCTURE };
			} else if (e->e->what == EFFECT_ERRORS) {
				uint64_t p = ((uint64_t)e->rate * k) >> 16;

				if ((uint32_t)word >= compound(p, x->parent >= 0 ? s->cascade : 1))
					continue;
				note(t->r, a->now_incident[i]);
				if (x->source == SIM_SUCCESS)
					fail(x, SIM_INFRASTRUCTURE, a->now_incident[i], at,
					    (int16_t)(e->e->ncodes > 0
						    ? e->e->code[mix_below((uint32_t)(word >> 32), (uint32_t)e->e->ncodes)]
						    : s->c->set.timeout_code));
			}
		}
	}
}

static const struct world_rollout *
rollout_at(const struct sim *s, int service, int place, int *index)
{
	const struct sim_active *a = s->active;

	for (int i = 0; i < a->nrollouts; i++) {
		const struct world_rollout *w = &s->w->rollout[a->now_rollout[i]];

		if (w->service == service && w->place == place) {
			*index = a->now_rollout[i];
			return w;
		}
	}
	return NULL;
}

static void
apply_rollout(struct tree *t, int32_t at, uint64_t key, const struct sim_op *op, int64_t base, int64_t *slow)
{
	struct sim *s = t->s;
	struct sim_span *x = &s->spans[at];
	const struct catalog_settings *set = &s->c->set;
	int index;
	const struct world_rollout *w = rollout_at(s, op->service, x->place, &index);
	uint64_t word;
	int64_t more;

	if (w == NULL)
		return;
	word = mix_at(key ^ w->name, 0);
	more = (int64_t)((double)base * (w->latency - 1));
	*slow += more;
	if (more > s->slow[at].excess)
		s->slow[at] = (struct sim_slow){ more, index, SIM_DEPLOYMENT };
	if (x->source == SIM_SUCCESS && (uint32_t)word < sim_bits(w->errors) && set->nrollout_codes > 0)
		fail(x, SIM_DEPLOYMENT, index, at,
		    (int16_t)set->rollout_code[mix_below((uint32_t)(word >> 32), (uint32_t)set->nrollout_codes)]);
}

/* The request's own failure, or the operation's. */
static void
apply_self(struct tree *t, int32_t at, uint32_t node, uint64_t key, const struct sim_op *op)
{
	struct sim_span *x = &t->s->spans[at];

	if (x->source != SIM_SUCCESS)
		return;
	if (node == t->locus)
		fail(x, SIM_SELF, -1, at, t->code);
	else if (x->parent >= 0 && op->error_rate > 0 &&
	    (uint32_t)mix_at(key, SPAN_FAIL) < sim_bits(op->error_rate * t->s->c->place[x->place].errors))
		fail(x, SIM_SELF, -1, at, draw_code(t->s, 0, mix_at(key, SPAN_CODE), t->r, op, x->place, 1));
	if (x->source != SIM_SUCCESS && x->code < 0)
		x->code = (int16_t)t->s->c->set.timeout_code;
}

static int
place_of(const struct tree *t, const struct sim_span *caller, const struct catalog_call *c, uint64_t key)
{
	const struct catalog *cat = t->s->c;
	double sum = 0, at;

	switch (c->where) {
	case WHERE_SAME:
		return caller->place;
	case WHERE_HOME:
		return t->r->place;
	case WHERE_PLACE:
		return c->place;
	case WHERE_OTHER:
		break;
	}
	for (int i = 0; i < cat->nplaces; i++)
		sum += i == caller->place ? 0 : cat->place[i].weight;
	at = (double)(mix_at(key, SPAN_PLACE) >> 11) * 0x1p-53 * sum;
	for (int i = 0; i < cat->nplaces; i++) {
		if (i == caller->place || cat->place[i].weight <= 0)
			continue;
		at -= cat->place[i].weight;
		if (at < 0)
			return i;
	}
	return caller->place;
}

/* Sizes, cache and queries go along with the latency's rank: a miss and many queries are slow, yet each keeps its own distribution. */
static void
add_sizes(const struct tree *t, struct sim_span *x, const struct sim_op *op, uint64_t key)
{
	const struct sim *s = t->s;
	uint64_t bytes = mix_at(key, x->parent < 0 ? DRAW_BYTES : SPAN_BYTES), word = mix_at(key, x->parent < 0 ? DRAW_CACHE : SPAN_CACHE);
	uint32_t u = word & 1 ? x->rank : (uint32_t)(word >> 32);

	x->request = op->request >= 0 ? dist_draw(&s->table[op->request], (uint32_t)bytes) : 0;
	x->cache = -1;
	if (x->source != SIM_SUCCESS) {
		x->response = 128 + mix_below((uint32_t)(bytes >> 32), 385);
		x->queries = (uint16_t)mix_below((uint32_t)(word >> 32), 3);
		return;
	}
	x->response = op->response >= 0 ? dist_draw(&s->table[op->response], (uint32_t)(bytes >> 32)) : 0;
	if (op->write == 0) {
		x->cache = u < s->hit;
		if (x->cache == 1) {
			x->queries = 0;
			return;
		}
		/* What is left of u above the share of hits, stretched to all of it. */
		u = (uint32_t)(((uint64_t)(u - s->hit) << 32) / ((1ULL << 32) - s->hit));
	}
	if (s->queries_n > 0)
		x->queries = (uint16_t)(s->queries + mix_below(u, s->queries_n));
	else
		x->queries = (uint16_t)catalog_draw(&s->c->set.db_queries, (uint64_t)u << 32 | (uint32_t)word);
}

/* What a span has besides its time and its end. */
static void
finish(const struct tree *t, struct sim_span *x, const struct sim_op *op, uint64_t key)
{
	struct sim *s = t->s;

	if (!(s->spare & SIM_SPARE_SIZES))
		add_sizes(t, x, op, key);
	if (!(s->spare & SIM_SPARE_RELEASE))
		x->release =
		    sim_release(s, op->service, x->place, t->r->time, (uint32_t)mix_at(key, x->parent < 0 ? DRAW_RELEASE : SPAN_RELEASE));
}

/* What was cut short has failed by the clock: because of what slowed it most, if that is known. */
static void
cut_short(struct sim *s, int32_t at, int64_t end)
{
	struct sim_span *x = &s->spans[at];
	enum sim_source source = (enum sim_source)x->source;
	int32_t cause = x->cause;

	if (source != SIM_INFRASTRUCTURE && source != SIM_DEPLOYMENT) {
		source = s->slow[at].excess > 0 ? (enum sim_source)s->slow[at].source : SIM_SELF;
		cause = s->slow[at].excess > 0 ? s->slow[at].cause : -1;
	}
	x->length = end - x->start;
	x->blamed = -1;
	x->cache = -1;
	fail(x, source, cause, at, (int16_t)s->c->set.timeout_code);
}

/*
 * End span `at`, the last that was grown with all below it, early. What it began later never was; what still ran ends with it, failed.
 * Consumers of what was published before go on.
 */
static void
cut(struct tree *t, int32_t at, int64_t end)
{
	struct sim *s = t->s;
	int32_t *map = s->map, keep = at, n = (int32_t)t->r->nspans; /* map[i]: where span i goes; -1: nowhere */

	for (int32_t i = at; i < n; i++) {
		struct sim_span *x = &s->spans[i];
		int below = i != at, gone = below && map[x->parent] < 0;

		s->loose[i] = below && (s->loose[x->parent] || x->node->stage == STAGE_ASYNC);
		if (s->loose[i])
			gone |= x->start >= end && x->node->stage == STAGE_ASYNC && s->spans[x->parent].source != SIM_SUCCESS;
		else
			gone |= below && x->start >= end;
		map[i] = gone ? -1 : keep++;
		if (!gone && !s->loose[i] && x->start + x->length > end)
			cut_short(s, i, end);
	}
	for (int32_t i = at; i < n; i++) {
		struct sim_span *x = &s->spans[i];

		if (map[i] < 0)
			continue;
		if (i != at)
			x->parent = map[x->parent];
		if (x->blamed >= at)
			x->blamed = map[x->blamed];
		if (x->origin >= at)
			x->origin = map[x->origin] >= 0 ? map[x->origin] : map[i];
		s->spans[map[i]] = *x;
		s->slow[map[i]] = s->slow[i];
	}
	t->r->nspans = (uint32_t)keep;
}

static int32_t grow(struct tree *, uint32_t, int64_t, int64_t, int32_t, int, uint64_t, const struct sim_trip *);

/* Is the i-th of a call's `count` made? A fraction is a chance. */
static int
is_made(const struct catalog_call *c, uint32_t nth, uint64_t word)
{
	double count = catalog_draw(&c->count, word), whole = (double)(uint32_t)count;

	if ((double)nth < whole)
		return 1;
	return (double)nth == whole && (double)(uint32_t)mix(word) < (count - whole) * 4294967296.0;
}

/* How long a call waits before it starts, with what incidents do to that; *late: the one that did most. */
static int64_t
delay_of(const struct tree *t, const struct catalog_call *c, const struct sim_op *op, int place, uint64_t key, struct sim_slow *late)
{
	const struct sim *s = t->s;
	const struct sim_active *a = s->active;
	int64_t delay = 0, more = 0;

	*late = (struct sim_slow){ 0, -1, SIM_SELF };
	if (c->delay_ms.kind != DIST_NONE)
		delay = (int64_t)(catalog_draw(&c->delay_ms, mix_at(key, SPAN_DELAY)) * 1000);
	for (int i = 0; i < a->nincidents; i++) {
		const struct sim_incident *in = &a->incident[a->now_incident[i]];

		if ((in->places != NULL && !bit(in->places, place)) || !bit(in->services, op->service))
			continue;
		for (int j = 0; j < in->neffects; j++) {
			const struct sim_effect *e = &in->effect[j];
			int64_t by;

			if (e->e->what != EFFECT_DELAY || !sim_covers(s, e, op->service, op->row) ||
			    !sim_holds(s, &e->e->when, t->r, op, place, 1))
				continue;
			by = (int64_t)((((wide)delay * e->excess >> 16) + e->add) *
				sim_strength(&s->w->incident[a->now_incident[i]], t->r->time) >>
			    16);
			more += by;
			if (by != 0)
				note(t->r, a->now_incident[i]);
			if (by > late->excess)
				*late = (struct sim_slow){ by, a->now_incident[i], SIM_INFRASTRUCTURE };
		}
	}
	return delay + more < 0 ? 0 : delay + more;
}

/* One call with its attempts: from node `n` on, at `start`. Returns the last attempt's span. */
static int32_t
attempt(struct tree *t, uint32_t n, int64_t start, int64_t share, int32_t caller)
{
	struct sim *s = t->s;
	const struct catalog_call *c = &s->c->call[t->plan->node[n].call];
	int64_t pause = (int64_t)(s->c->set.backoff_ms * 1000);
	uint64_t call = mix_at(t->r->key, DRAW_SPAN + n);
	int32_t x = -1;

	for (int a = 0; a <= c->retries; a++, n = t->plan->node[n].end) {
		const struct sim_op *op = &s->op[t->plan->node[n].op];
		uint64_t key = mix_at(t->r->key, DRAW_SPAN + n);
		int place = place_of(t, &s->spans[caller], c, key);
		struct sim_slow late;
		struct sim_trip trip;
		int over;
		int64_t length = share, delay = delay_of(t, c, op, place, key, &late);
		int64_t limit = (int64_t)(c->timeout_ms * 1000);

		if (c->share.kind == DIST_NONE)
			length =
			    scale16(scale16(dist_draw(&s->table[op->latency], (uint32_t)mix_at(key, SPAN_LATENCY)), s->place_factor[place]),
				s->load[sim_quarter(t->r->time)]);
		over = sim_trip(s, c, s->spans[caller].place, place, t->r->time, call, key, &trip);
		/* A share of the caller's time has the usual trips in it. */
		if (over && c->share.kind != DIST_NONE)
			trip.time -= trip.usual;
		x = grow(t, n, length < 1 ? 1 : length, start + delay, caller, place, key, over ? &trip : NULL);
		if (limit > 0 && s->spans[x].length > limit)
			cut(t, x, s->spans[x].start + limit);
		/* Whoever waits for it was slowed by that; its own timeout counts from its start. */
		if (late.excess > s->slow[x].excess)
			s->slow[x] = late;
		if (s->spans[x].source == SIM_SUCCESS)
			break;
		start = s->spans[x].start + s->spans[x].length + pause;
		pause *= 2;
	}
	return x;
}

/* Planned length of a call of a span with baseline T, when it is a share of it. */
static int64_t
share_of(const struct catalog_call *c, uint64_t request, uint32_t n, int64_t T)
{
	uint64_t word;
	double x;

	if (c->share.kind == DIST_NONE)
		return 0;
	word = mix_at(mix_at(request, DRAW_SPAN + n), SPAN_SHARE);
	x = c->share.kind == DIST_UNIFORM ? c->share.a + (c->share.b - c->share.a) * ((double)(word >> 11) * 0x1p-53)
					  : catalog_draw(&c->share, word);
	return (int64_t)((double)T * x);
}

static int
wanted(const struct tree *t, uint32_t n, const struct sim_span *caller)
{
	const struct sim_node *node = &t->plan->node[n];
	const struct catalog_call *c = &t->s->c->call[node->call];
	uint64_t word;

	if (node->always)
		return 1;
	if (node->holds >= 0 && !t->plan->holds[node->holds + caller->place])
		return 0;
	if (node->holds < 0 && c->when.n > 0 &&
	    !sim_holds(t->s, &c->when, t->r, &t->s->op[caller->node->op], caller->place, caller->parent >= 0))
		return 0;
	/* One word for all `nth` of a call, so that they agree on how many there are. */
	word = mix_at(mix_at(t->r->key, DRAW_SPAN + node->parent), SPAN_COUNT + ((uint64_t)node->call << 8));
	return is_made(c, node->nth, word);
}

/* The calls of one stage; `stagger` between their starts. */
static void
run_stage(struct tree *t, uint32_t node, int stage, int32_t at, int64_t T, int64_t start, struct stage *g)
{
	struct sim *s = t->s;
	int64_t stagger = (int64_t)((double)T * s->c->set.stagger);
	int k = 0;

	g->end = g->last = start;
	g->failed = -1;
	for (uint32_t n = node + 1; n < t->plan->node[node].end; n = t->plan->node[n].next) {
		const struct catalog_call *c = &s->c->call[t->plan->node[n].call];
		int64_t end, plan;
		int32_t x;

		if (c->stage != stage || s->planned[n] < 0)
			continue;
		x = attempt(t, n, start + stagger * k, s->planned[n], at);
		end = s->spans[x].start + s->spans[x].length;
		g->last = end > g->last ? end : g->last;
		plan = start + stagger * k++ + s->planned[n];
		if (c->share.kind != DIST_NONE && end > plan && end - plan <= ROUNDING)
			end = plan;
		g->end = end > g->end ? end : g->end;
		if (s->slow[x].excess > s->slow[at].excess)
			s->slow[at] = s->slow[x];
		if (s->spans[x].source == SIM_SUCCESS ||
		    (c->fails < 1 && (uint32_t)mix_at(mix_at(t->r->key, DRAW_SPAN + n), SPAN_TRAVEL) >= sim_bits(c->fails)))
			continue;
		if (g->failed < 0 || s->spans[x].start + s->spans[x].length < g->failed_end) {
			g->failed = x;
			g->failed_end = s->spans[x].start + s->spans[x].length;
		}
	}
}

/* Length of what the stages of a span are planned to take, and how many there are. */
static int64_t
plan_stages(const struct tree *t, uint32_t node, int32_t at, int64_t T, int *stages)
{
	int64_t stagger = (int64_t)((double)T * t->s->c->set.stagger), sum = 0, longest = 0;
	int last = STAGE_ASYNC, k = 0;

	*stages = 0;
	for (uint32_t n = node + 1; n < t->plan->node[node].end; n = t->plan->node[n].next) {
		const struct catalog_call *c = &t->s->c->call[t->plan->node[n].call];
		int64_t end;

		if (c->stage == STAGE_ASYNC)
			continue;
		t->s->planned[n] = -1;
		if (!wanted(t, n, &t->s->spans[at]))
			continue;
		if (c->stage != last) {
			sum += longest;
			longest = 0;
			k = 0;
			last = c->stage;
			++*stages;
		}
		t->s->planned[n] = share_of(c, t->r->key, n, T);
		end = stagger * k++ + t->s->planned[n];
		longest = end > longest ? end : longest;
	}
	return sum + longest;
}

static int
next_stage(const struct tree *t, uint32_t node, int after)
{
	int next = STAGE_ASYNC;

	for (uint32_t n = node + 1; n < t->plan->node[node].end; n = t->plan->node[n].next) {
		int stage = t->s->c->call[t->plan->node[n].call].stage;

		if (stage > after && (next == STAGE_ASYNC || stage < next))
			next = stage;
	}
	return next;
}

/* Run all stages; returns when the last ended. A failure that the span cannot live with ends it after the stage. */
static int64_t
run_stages(struct tree *t, uint32_t node, int32_t at, int64_t T, int64_t start)
{
	struct sim *s = t->s;
	int stages, stage = STAGE_ASYNC;
	int64_t own = T - plan_stages(t, node, at, T, &stages), gap = own / (stages + 1), now = start, last = start;

	for (int i = 0; i < stages;) {
		struct stage g;
		uint32_t before = t->r->nspans;

		stage = next_stage(t, node, stage);
		if (stage == STAGE_ASYNC)
			break;
		run_stage(t, node, stage, at, T, now + gap, &g);
		if (t->r->nspans == before)
			continue;
		i++;
		now = g.end;
		last = g.last > last ? g.last : last;
		if (g.failed >= 0 && s->spans[at].source != SIM_INFRASTRUCTURE) {
			const struct sim_span *x = &s->spans[g.failed];

			fail(&s->spans[at], SIM_DEPENDENCY, x->cause, x->origin, x->code);
			s->spans[at].blamed = g.failed;
			return now + gap > last ? now + gap : last;
		}
	}
	now += own - gap * stages;
	return now > last ? now : last;
}

/* Consumers read the queue after the span has ended well. */
static void
run_consumers(struct tree *t, uint32_t node, int32_t at)
{
	struct sim *s = t->s;

	if (s->spans[at].source != SIM_SUCCESS || !t->plan->queues)
		return;
	for (uint32_t n = node + 1; n < t->plan->node[node].end; n = t->plan->node[n].next) {
		const struct catalog_call *c = &s->c->call[t->plan->node[n].call];

		if (c->stage == STAGE_ASYNC && wanted(t, n, &s->spans[at]))
			attempt(t, n, s->spans[at].start + s->spans[at].length, share_of(c, t->r->key, n, s->spans[at].length), at);
	}
}

/* How a span of its own failure or success goes on: returns its length without what slowed it. */
static int64_t
run(struct tree *t, uint32_t node, int32_t at, int64_t T, int64_t start)
{
	struct sim *s = t->s;
	struct sim_span *x = &s->spans[at];
	double factor = x->source == SIM_SUCCESS || x->code < 0 ? 1 : s->c->code[x->code].latency;
	int64_t end;

	/* A quick failure comes before anybody is called, a slow one after. */
	if (factor < 1)
		return (int64_t)((double)T * factor);
	if (t->plan->node[node].end == node + 1)
		return factor > 1 ? (int64_t)((double)T * factor) : T;
	end = run_stages(t, node, at, T, start);
	return end - start + (s->spans[at].source == SIM_DEPENDENCY ? 0 : (int64_t)((double)T * (factor - 1)));
}

/* Length of a span that an incident made quicker: not below what it waited for. */
static int64_t
hold(const struct tree *t, int32_t at)
{
	const struct sim_span *x = &t->s->spans[at];
	int64_t length = x->length;

	for (uint32_t i = (uint32_t)at + 1; i < t->r->nspans; i++) {
		const struct sim_span *y = &t->s->spans[i];

		if (y->parent == at && y->node->stage != STAGE_ASYNC && y->start + y->length - x->start > length)
			length = y->start + y->length - x->start;
	}
	return length;
}

/* A success of another kind than the plain one may take more of the span's own time or less. */
static void
other_success(struct tree *t, int32_t at, int64_t T, uint64_t key, const struct sim_op *op)
{
	struct sim *s = t->s;
	struct sim_span *x = &s->spans[at];

	x->code = draw_code(s, 1, mix_at(key, x->parent < 0 ? DRAW_SUCCESS : SPAN_SUCCESS), t->r, op, x->place, x->parent >= 0);
	if (x->code < 0)
		return;
	x->length += (int64_t)((double)T * (s->c->code[x->code].latency - 1));
	x->length = hold(t, at);
}

/* The way to a span and back, in which incidents may have a part. */
static void
apply_trip(struct tree *t, int32_t at, const struct sim_trip *trip, int64_t *slow)
{
	struct sim *s = t->s;

	s->spans[at].link = (int16_t)trip->link;
	*slow += trip->time;
	if (trip->excess == 0)
		return;
	for (int i = 0; i < trip->n; i++)
		note(t->r, trip->incident[i]);
	if (trip->excess > s->slow[at].excess)
		s->slow[at] = (struct sim_slow){ trip->excess, trip->cause, SIM_INFRASTRUCTURE };
}

/* Node n as a span: at `start`, with baseline T, called by span `caller`, over `trip` unless NULL. Returns its index. */
static int32_t
grow(struct tree *t, uint32_t n, int64_t T, int64_t start, int32_t caller, int place, uint64_t key, const struct sim_trip *trip)
{
	struct sim *s = t->s;
	const struct sim_node *node = &t->plan->node[n];
	const struct sim_op *op = &s->op[node->op];
	int32_t at = (int32_t)t->r->nspans++;
	struct sim_span *x = &s->spans[at];
	int64_t slow = 0;

	*x = (struct sim_span){ .node = node,
		.start = start,
		.parent = caller,
		.blamed = -1,
		.origin = -1,
		.cause = -1,
		.place = (int16_t)place,
		.code = -1,
		.link = -1,
		.release = -1,
		.cache = -1 };
	s->slow[at] = (struct sim_slow){ 0, -1, SIM_SELF };
	if (trip != NULL)
		apply_trip(t, at, trip, &slow);
	if (caller < 0)
		x->rank = (uint32_t)mix_at(key, DRAW_LATENCY);
	else if (s->c->call[node->call].share.kind == DIST_NONE)
		x->rank = (uint32_t)mix_at(key, SPAN_LATENCY);
	else
		x->rank = (uint32_t)(mix_at(key, SPAN_SHARE) >> 32);
	if (!t->calm) {
		apply_incidents(t, at, key, op, T, &slow);
		apply_rollout(t, at, key, op, T, &slow);
	}
	apply_self(t, at, n, key, op);
	x->length = run(t, n, at, T, start) + slow;
	if (slow < 0)
		x->length = hold(t, at);
	if (x->source == SIM_SUCCESS && s->has_success)
		other_success(t, at, T, key, op);
	if (x->length < 1)
		x->length = 1;
	if (x->start + x->length > t->cap && x->start < t->cap)
		cut(t, at, t->cap);
	finish(t, x, op, key);
	if (node->end > n + 1)
		run_consumers(t, n, at);
	return at;
}

/* Is it always made, and its failure always its caller's? */
static int
is_vital(const struct catalog_call *c)
{
	return c->stage != STAGE_ASYNC && c->when.n == 0 && c->fails >= 1 && c->retries == 0 && c->count.kind == DIST_FIXED &&
	    c->count.a >= 1;
}

/* Where a failure of the request's own begins: at the root, or down a path of calls that it cannot do without. */
static uint32_t
find_locus(const struct tree *t)
{
	const struct sim *s = t->s;
	uint32_t at = 0;

	for (uint32_t level = 0; level < 9; level++) {
		uint64_t word = mix_at(t->r->key, DRAW_BELOW + level);
		uint32_t count = 0, pick, n;

		for (n = at + 1; n < t->plan->node[at].end; n = t->plan->node[n].next)
			count += (uint32_t)is_vital(&s->c->call[t->plan->node[n].call]);
		if (count == 0 || (uint32_t)word >= sim_bits(s->c->set.below))
			break;
		pick = mix_below((uint32_t)(word >> 32), count);
		for (n = at + 1; !is_vital(&s->c->call[t->plan->node[n].call]) || pick-- > 0; n = t->plan->node[n].next)
			;
		at = n;
	}
	return at;
}

/* Does the request fail by itself? Then with which code, and where does it begin? */
static void
own_failure(struct tree *t)
{
	const struct sim *s = t->s;
	const struct sim_op *op = &s->op[t->plan->node[0].op];
	uint64_t p = s->failure[t->r->persona * s->c->nplaces + t->r->place];
	uint32_t word = (uint32_t)mix_at(t->r->key, DRAW_FAIL);

	t->locus = UINT32_MAX;
	t->code = -1;
	if (word >= p &&
	    !(op->error_rate > 0 &&
		(uint32_t)(mix_at(t->r->key, DRAW_FAIL) >> 32) < sim_bits(op->error_rate * s->c->place[t->r->place].errors)))
		return;
	t->code = draw_code(s, 0, mix_at(t->r->key, DRAW_CODE), t->r, op, t->r->place, 0);
	if (t->code < 0)
		t->code = (int16_t)s->c->set.timeout_code;
	t->locus = s->c->code[t->code].http >= 500 ? find_locus(t) : 0;
}

static int64_t
root_length(const struct sim *s, const struct sim_request *r)
{
	const struct sim_op *op = &s->op[r->plan->node[0].op];
	int64_t T = dist_draw(&s->table[op->latency], (uint32_t)mix_at(r->key, DRAW_LATENCY));

	T = scale16(scale16(scale16(T, s->persona_factor[r->persona]), s->place_factor[r->place]), s->load[sim_quarter(r->time)]);
	return T < 1 ? 1 : T;
}

/* Requests that a rollout or an incident does not let through. */
static int
is_dropped(const struct sim *s, const struct sim_request *r)
{
	const struct sim_active *a = s->active;
	const struct sim_op *op = &s->op[r->plan->node[0].op];
	int index;
	const struct world_rollout *w = rollout_at(s, op->service, r->place, &index);

	if (w != NULL && (uint32_t)(mix_at(r->key ^ w->name, 1) >> 32) >= sim_bits(w->traffic))
		return 1;
	for (int i = 0; i < a->nincidents; i++) {
		const struct sim_incident *in = &a->incident[a->now_incident[i]];
		const struct world_incident *wi = &s->w->incident[a->now_incident[i]];

		if (in->places != NULL && !bit(in->places, r->place))
			continue;
		for (int j = 0; j < in->neffects; j++)
			if (in->effect[j].e->what == EFFECT_TRAFFIC && sim_covers(s, &in->effect[j], op->service, op->row) &&
			    sim_holds(s, &in->effect[j].e->when, r, op, r->place, 0) &&
			    (uint32_t)(mix_at(r->key ^ wi->name, 64 + (uint64_t)j) >> 32) <
				((uint64_t)in->effect[j].rate * sim_strength(wi, r->time)) >> 16)
				return 1;
	}
	return 0;
}

static int
is_touched(const struct sim *s, const struct sim_request *r)
{
	const uint64_t *now = s->active->mask + (size_t)(s->remote ? s->c->nplaces : r->place) * (size_t)s->words;
	uint64_t any = 0;

	for (int i = 0; i < s->words; i++)
		any |= r->plan->services[i] & now[i];
	return any != 0;
}

static void
start(struct tree *t, struct sim *s, struct sim_request *r)
{
	*t = (struct tree){ .s = s, .r = r, .plan = r->plan, .cap = r->time + (int64_t)(s->c->set.cap_ms * 1000) };
	sim_active_at(s, r->time);
	own_failure(t);
	t->calm = !is_touched(s, r);
	r->dropped = !t->calm && is_dropped(s, r);
	r->span = s->spans;
	r->nspans = 0;
	r->ntouched = 0;
}

void
sim_grow(struct sim *s, struct sim_request *r)
{
	struct tree t;

	start(&t, s, r);
	grow(&t, 0, root_length(s, r), r->time, -1, r->place, r->key, NULL);
}

/* Is all that is asked of the root known without its tree? */
static int
is_sure(const struct tree *t, int64_t T)
{
	const struct sim *s = t->s;

	if (s->whole)
		return 0;
	if (s->spare & SIM_SPARE_END)
		return 1;
	return t->plan->quick && !s->has_success && t->locus == UINT32_MAX && t->calm && T >= BRIEF && t->r->time + T <= t->cap;
}

void
sim_root(struct sim *s, struct sim_request *r)
{
	const struct sim_op *op = &s->op[r->plan->node[0].op];
	struct sim_span *x = s->spans;
	struct tree t;
	int64_t T;

	start(&t, s, r);
	T = root_length(s, r);
	if (!is_sure(&t, T)) {
		grow(&t, 0, T, r->time, -1, r->place, r->key, NULL);
		return;
	}
	*x = (struct sim_span){ .node = r->plan->node,
		.start = r->time,
		.length = T,
		.parent = -1,
		.blamed = -1,
		.origin = -1,
		.cause = -1,
		.place = (int16_t)r->place,
		.code = -1,
		.link = -1,
		.release = -1,
		.cache = -1,
		.rank = (uint32_t)mix_at(r->key, DRAW_LATENCY) };
	r->nspans = 1;
	finish(&t, x, op, r->key);
}
