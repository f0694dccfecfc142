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

void
sim_expect(struct sim *s, int incident, double *touched, double *failed)
{
	const struct world_incident *w = &s->w->incident[incident];
	const struct sim_incident *in = &s->active->incident[incident];
	double share[TIMELINE_CLASSES], length = (double)(w->end - w->start);
	/* Onset and recovery take half their time from it. */
	double strength = length > 0 ? (length - (double)w->ramp) / length : 0;

	*touched = *failed = 0;
	timeline_share(s->timeline, w->start, w->end, share);
	for (int k = 0; k < s->nclasses; k++) {
		const struct catalog_persona *p = &s->c->persona[s->class[k].lead];
		double n = share[k] * (double)s->requests;

		for (int i = 0; i < s->c->nplaces; i++) {
			struct sim_request r = { .class = k, .persona = s->class[k].lead, .place = i };

			if (in->places != NULL && !bit(in->places, i))
				continue;
			for (int j = 0; j < s->nroots; j++) {
				double t, f, here = n * p->place[i] * p->op_weight[s->root[j]];

				if (here <= 0)
					continue;
				r.plan = &s->plan[j];
				expect_plan(s, in, &r, strength < 0 ? 0 : strength, &t, &f);
				*touched += here * t;
				*failed += here * f;
			}
		}
	}
}
