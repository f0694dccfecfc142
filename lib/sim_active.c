/* What is wrong, and which release runs, at a moment. */
#include <stdlib.h>
#include <string.h>

#include "sim_impl.h"

static int
open_effect(const struct sim *s, struct sim_effect *x, const struct world_effect *e)
{
	x->e = e;
	x->services = calloc((size_t)s->words, sizeof(*x->services));
	if (x->services == NULL)
		return -1;
	x->whole = 1;
	if (world_of(s->c, e->what, e->series) != -1) /* no service is met by it */
		return 0;
	for (int i = 0; i < e->ntargets; i++) {
		if (e->target[i].op != NULL)
			x->whole = 0;
		if (e->target[i].service >= 0)
			x->services[e->target[i].service >> 6] |= 1ULL << (e->target[i].service & 63);
		else
			memset(x->services, 0xff, (size_t)s->words * sizeof(*x->services));
	}
	if (e->ntargets == 0)
		memset(x->services, 0xff, (size_t)s->words * sizeof(*x->services));
	switch (e->what) {
	case EFFECT_ERRORS:
		x->rate = (uint32_t)(sim_bits(e->add) - (e->add >= 1));
		break;
	case EFFECT_TRAFFIC:
		x->rate = (uint32_t)(sim_bits(1 - e->factor) - (e->factor <= 0));
		break;
	case EFFECT_LATENCY:
	case EFFECT_DELAY:
		x->excess = (int64_t)((e->factor - 1) * 65536);
		x->add = (int64_t)(e->add * 1000);
		break;
	case EFFECT_WEIGHT:
	case EFFECT_SERIES:
		break;
	}
	return 0;
}

static int
open_incident(const struct sim *s, struct sim_incident *x, const struct world_incident *w)
{
	size_t places = (size_t)(s->c->nplaces + 63) / 64;

	x->services = calloc((size_t)s->words, sizeof(*x->services));
	x->effect = calloc((size_t)w->neffects + 1, sizeof(*x->effect));
	if (x->services == NULL || x->effect == NULL)
		return -1;
	if (w->nplaces > 0) {
		x->places = calloc(places, sizeof(*x->places));
		if (x->places == NULL)
			return -1;
		for (int i = 0; i < w->nplaces; i++)
			x->places[w->place[i] >> 6] |= 1ULL << (w->place[i] & 63);
	}
	for (; x->neffects < w->neffects; x->neffects++) {
		if (open_effect(s, &x->effect[x->neffects], &w->effect[x->neffects]) != 0)
			return -1;
		for (int i = 0; i < s->words; i++)
			x->services[i] |= x->effect[x->neffects].services[i];
	}
	return 0;
}

int
sim_active_open(struct sim *s)
{
	const struct world *w = s->w;
	struct sim_active *a = calloc(1, sizeof(*a));

	s->active = a;
	if (a == NULL)
		return -1;
	a->incident = calloc((size_t)w->nincidents + 1, sizeof(*a->incident));
	a->now_incident = calloc((size_t)w->nincidents + 1, sizeof(*a->now_incident));
	a->now_rollout = calloc((size_t)w->nrollouts + 1, sizeof(*a->now_rollout));
	a->mask = calloc((size_t)(s->c->nplaces + 1) * (size_t)s->words, sizeof(*a->mask));
	a->weight = calloc((size_t)s->c->nlinks + 1, sizeof(*a->weight));
	if (a->incident == NULL || a->now_incident == NULL || a->now_rollout == NULL || a->mask == NULL || a->weight == NULL)
		return -1;
	for (int i = 0; i < w->nincidents; i++) {
		if (w->incident[i].end - w->incident[i].start > a->longest_incident)
			a->longest_incident = w->incident[i].end - w->incident[i].start;
		if (open_incident(s, &a->incident[i], &w->incident[i]) != 0)
			return -1;
	}
	for (int i = 0; i < w->nrollouts; i++)
		if (w->rollout[i].end - w->rollout[i].start > a->longest_rollout)
			a->longest_rollout = w->rollout[i].end - w->rollout[i].start;
	return 0;
}

void
sim_active_free(struct sim *s)
{
	struct sim_active *a = s->active;

	if (a == NULL)
		return;
	for (int i = 0; a->incident != NULL && i < s->w->nincidents; i++) {
		for (int j = 0; a->incident[i].effect != NULL && j < s->w->incident[i].neffects; j++)
			free(a->incident[i].effect[j].services);
		free(a->incident[i].effect);
		free(a->incident[i].services);
		free(a->incident[i].places);
	}
	free(a->incident);
	free(a->now_incident);
	free(a->now_rollout);
	free(a->mask);
	free(a->weight);
	free(a);
	s->active = NULL;
}

static void
touch(struct sim *s, int place, const uint64_t *services)
{
	uint64_t *row = s->active->mask + (size_t)place * (size_t)s->words,
		 *any = s->active->mask + (size_t)s->c->nplaces * (size_t)s->words;

	for (int i = 0; i < s->words; i++) {
		row[i] |= services[i];
		any[i] |= services[i];
	}
}

/* Take a window into account: is it open at t, and until when does that hold? */
static int
open_at(struct sim_active *a, int64_t start, int64_t end, int64_t t)
{
	if (start > t && start < a->hi)
		a->hi = start;
	if (end > t && end < a->hi)
		a->hi = end;
	return start <= t && t < end;
}

/* Traffic moves to other links. */
static void
weigh_links(struct sim *s, const struct world_incident *w)
{
	for (int j = 0; j < w->neffects; j++)
		for (int i = 0; i < s->c->nlinks && w->effect[j].what == EFFECT_WEIGHT; i++)
			if (world_reaches(w, &w->effect[j], i, s->c->link[i].from))
				s->active->weight[i] *= w->effect[j].factor;
}

/* The same for the bursts of an incident. */
static int
is_on(struct sim_active *a, const struct world_incident *w, int64_t t)
{
	int next = world_next_burst(w, t);

	return !w->bursty || (next < w->nbursts && open_at(a, w->burst[next].start, w->burst[next].end, t));
}

static void
find_incidents(struct sim *s, int64_t t)
{
	const struct world *w = s->w;
	struct sim_active *a = s->active;

	a->nincidents = 0;
	for (int i = 0; i < s->c->nlinks; i++)
		a->weight[i] = s->c->link[i].weight;
	for (int i = 0; i < w->nincidents; i++) {
		const struct sim_incident *x = &a->incident[i];

		if (!open_at(a, w->incident[i].start, w->incident[i].end, t) || !is_on(a, &w->incident[i], t))
			continue;
		a->now_incident[a->nincidents++] = i;
		weigh_links(s, &w->incident[i]);
		for (int p = 0; p < s->c->nplaces; p++)
			if (x->places == NULL || bit(x->places, p))
				touch(s, p, x->services);
	}
}

static void
find_rollouts(struct sim *s, int64_t t)
{
	const struct world *w = s->w;
	struct sim_active *a = s->active;
	int lo = 0, hi = w->nrollouts;

	a->nrollouts = 0;
	while (lo < hi) { /* the first that starts after t */
		int mid = lo + (hi - lo) / 2;

		if (w->rollout[mid].start <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < w->nrollouts && w->rollout[lo].start < a->hi)
		a->hi = w->rollout[lo].start;
	for (int i = lo - 1; i >= 0 && w->rollout[i].start > t - a->longest_rollout - 1; i--) {
		const struct world_rollout *r = &w->rollout[i];
		uint64_t *row = a->mask + (size_t)r->place * (size_t)s->words, *any = a->mask + (size_t)s->c->nplaces * (size_t)s->words;

		if (!open_at(a, r->start, r->end, t))
			continue;
		a->now_rollout[a->nrollouts++] = i;
		row[r->service >> 6] |= 1ULL << (r->service & 63);
		any[r->service >> 6] |= 1ULL << (r->service & 63);
	}
}

void
sim_active_at(struct sim *s, int64_t t)
{
	struct sim_active *a = s->active;

	if (t >= a->lo && t < a->hi)
		return;
	a->lo = t; /* what held before t is not looked into */
	a->hi = INT64_MAX;
	memset(a->mask, 0, (size_t)(s->c->nplaces + 1) * (size_t)s->words * sizeof(*a->mask));
	find_incidents(s, t);
	find_rollouts(s, t);
}

uint32_t
sim_strength(const struct world_incident *i, int64_t t)
{
	return (uint32_t)(world_strength(i, t) * 65536);
}

int
sim_covers(const struct sim *s, const struct sim_effect *x, int service, int row)
{
	if (!bit(x->services, service))
		return 0;
	if (x->whole)
		return 1;
	for (int i = 0; i < x->e->ntargets; i++)
		if (catalog_covers(s->c, &x->e->target[i], service, row))
			return 1;
	return 0;
}

/* The release that is being rolled out takes traffic over evenly; before and after there is one. */
int32_t
sim_release(struct sim *s, int service, int place, int64_t t, uint32_t word)
{
	size_t at = (size_t)service * (size_t)s->c->nplaces + (size_t)place;
	const struct world_release *r;
	int n, first, lo = 0, hi;

	if (t >= s->release_lo[at] && t < s->release_hi[at])
		return s->release_now[at];
	first = world_releases(s->w, service, place, &n);
	if (n == 0)
		return -1;
	hi = n;
	while (lo < hi) { /* how many have begun */
		int mid = lo + (hi - lo) / 2;

		if (s->w->release[first + mid].from <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return first;
	r = &s->w->release[first + lo - 1];
	if (t < r->to && lo > 1)
		return (int64_t)(((uint64_t)word * (uint64_t)(r->to - r->from)) >> 32) < t - r->from ? first + lo - 1 : first + lo - 2;
	s->release_now[at] = first + lo - 1;
	s->release_lo[at] = r->to;
	s->release_hi[at] = lo < n ? s->w->release[first + lo].from : INT64_MAX;
	if (s->release_lo[at] < r->from)
		s->release_lo[at] = r->from;
	return first + lo - 1;
}
