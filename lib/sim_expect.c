/* What an incident is expected to do, from the model alone. */
#include <string.h>

#include "sim_impl.h"

/* Chance that a request of a plan meets the incident, and that it fails by it, at full strength. */
static void
expect_plan(
    const struct sim *s, const struct sim_incident *in, const struct sim_request *r, double strength, double *touched, double *failed)
{
	const struct sim_plan *p = r->plan;
	double pass = 1;

	*touched = 0;
	for (uint32_t n = 0; n < p->n; n++) {
		const struct sim_node *node = &p->node[n];
		const struct sim_op *op = &s->op[node->op];
		uint32_t up = n;

		if (node->attempt > 0 || !bit(in->services, op->service))
			continue;
		/* Only what the root cannot do without. */
		while (up != 0 && s->c->call[p->node[up].call].stage != STAGE_ASYNC && s->c->call[p->node[up].call].fails > 0)
			up = p->node[up].parent;
		for (int j = 0; j < in->neffects; j++) {
			const struct sim_effect *e = &in->effect[j];
			double rate = (double)e->rate * 0x1p-32 * strength, keep = 1;

			if (!sim_covers(s, e, op->service, op->row) || !sim_holds(s, &e->e->when, r, op, r->place, n != 0))
				continue;
			*touched = 1;
			if (e->e->what != EFFECT_ERRORS || up != 0)
				continue;
			for (uint32_t i = 0; i < (n == 0 ? 1 : s->cascade); i++)
				keep *= 1 - rate;
			pass *= keep;
		}
	}
	*failed = 1 - pass;
}

/* Share of the calls from one place to another that take a link which the incident changes, or moves traffic from. */
static double
link_share(const struct sim *s, const struct world_incident *w, int from, int to)
{
	const struct catalog *c = s->c;
	double all = 0, hit = 0;

	for (int i = 0; i < c->nlinks; i++) {
		int met = 0;

		if (c->link[i].from != from || c->link[i].to != to)
			continue;
		for (int j = 0; j < w->neffects && !met; j++)
			met = (w->effect[j].what == EFFECT_WEIGHT ||
				  (w->effect[j].what == EFFECT_SERIES &&
				      (w->effect[j].series == c->rtt || w->effect[j].series == c->loss))) &&
			    world_reaches(w, &w->effect[j], i, from);
		all += c->link[i].weight;
		hit += met ? c->link[i].weight : 0;
	}
	return all > 0 ? hit / all : 0;
}

/* Where the caller of a node runs, for a request from a place: -1 when that is drawn. */
static int
caller_place(const struct sim *s, const struct sim_plan *p, uint32_t n, int home)
{
	for (n = p->node[n].parent; n != 0; n = p->node[n].parent) {
		const struct catalog_call *c = &s->c->call[p->node[n].call];

		if (c->where != WHERE_SAME)
			return c->where == WHERE_HOME ? home : c->where == WHERE_PLACE ? c->place : -1;
	}
	return home;
}

/* Chance that a call goes from a place over such a link. */
static double
call_share(const struct sim *s, const struct world_incident *w, const struct catalog_call *c, int from, int home)
{
	double all = 0, hit = 0;

	if (c->where == WHERE_SAME || c->trips <= 0)
		return 0;
	if (c->where != WHERE_OTHER)
		return link_share(s, w, from, c->where == WHERE_HOME ? home : c->place);
	for (int to = 0; to < s->c->nplaces; to++) {
		all += to == from ? 0 : s->c->place[to].weight;
		hit += to == from ? 0 : s->c->place[to].weight * link_share(s, w, from, to);
	}
	return all > 0 ? hit / all : 0;
}

/* Chance that a request of a plan has a call over a link that the incident changes. */
static double
expect_links(const struct sim *s, const struct world_incident *w, const struct sim_request *r)
{
	const struct sim_plan *p = r->plan;
	double none = 1;

	for (uint32_t n = 1; n < p->n && s->links != NULL; n++) {
		const struct catalog_call *c = &s->c->call[p->node[n].call];
		int from = caller_place(s, p, n, r->place);
		double made = catalog_dist_mean(&c->count) - p->node[n].nth;

		if (p->node[n].attempt > 0 || from == -1 || made <= 0)
			continue;
		if (c->when.n > 0 && !sim_holds(s, &c->when, r, &s->op[p->node[p->node[n].parent].op], from, p->node[n].parent != 0))
			continue;
		none *= 1 - call_share(s, w, c, from, r->place) * (made < 1 ? made : 1);
	}
	return 1 - none;
}

/* Share of its time in which it is on, ramps by half. */
static double
time_on(const struct world_incident *w)
{
	double sum = 0, length = (double)(w->end - w->start);

	for (int i = 0; i < w->nbursts; i++) {
		double burst = (double)(w->burst[i].end - w->burst[i].start), ramp = (double)w->ramp;

		sum += burst - (ramp > burst / 2 ? burst / 2 : ramp);
	}
	return w->bursty ? sum / length : (length - (double)w->ramp) / length;
}

void
sim_expect(struct sim *s, int incident, double *touched, double *failed)
{
	const struct world_incident *w = &s->w->incident[incident];
	const struct sim_incident *in = &s->active->incident[incident];
	double share[TIMELINE_CLASSES], on = time_on(w), bursts = w->bursty ? on : 1;

	*touched = *failed = 0;
	timeline_share(s->timeline, w->start, w->end, share);
	for (int k = 0; k < s->nclasses; k++) {
		const struct catalog_persona *p = &s->c->persona[s->class[k].lead];
		double n = share[k] * (double)s->requests * bursts;

		for (int i = 0; i < s->c->nplaces; i++) {
			struct sim_request r = { .class = k, .persona = s->class[k].lead, .place = i };

			for (int j = 0; j < s->nroots; j++) {
				double t = 0, f = 0, here = n * p->place[i] * p->op_weight[s->root[j]];

				if (here <= 0)
					continue;
				r.plan = &s->plan[j];
				if (in->places == NULL || bit(in->places, i))
					expect_plan(s, in, &r, on / bursts, &t, &f);
				if (t < 1)
					t = expect_links(s, w, &r);
				*touched += here * t;
				*failed += here * f;
			}
		}
	}
}
