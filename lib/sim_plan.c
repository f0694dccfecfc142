/* Plans: all spans that a root operation can cause, laid out once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_impl.h"

/* Where a plan is being built. */
struct builder {
	struct sim *s;
	struct sim_plan *plan;
	const char *root; /* name of the root operation */
	uint32_t size;
	int32_t nholds;
};

/* Name of an operation under a root: {root.operation} filled in. */
static char *
op_name(const struct catalog_op *o, const char *root)
{
	static const char hole[] = "{root.operation}";
	const char *at = strstr(o->name, hole);
	size_t n, m;
	char *name;

	if (at == NULL)
		return strdup(o->name);
	n = strlen(o->name);
	m = strlen(root);
	name = malloc(n + m + 1);
	if (name == NULL)
		return NULL;
	memcpy(name, o->name, (size_t)(at - o->name));
	memcpy(name + (at - o->name), root, m);
	memcpy(name + (at - o->name) + m, at + sizeof(hole) - 1, n - (size_t)(at - o->name) - (sizeof(hole) - 1) + 1);
	return name;
}

/* A choice: steps in proportion to the weights. */
static void
fill_choice(struct dist_table *t, const struct catalog_dist *d, double unit)
{
	double sum = 0, all = 0;
	int at = 0;

	for (int i = 0; i < d->n; i++)
		all += d->weight[i];
	for (int i = 0; i < d->n; i++) {
		sum += d->weight[i];
		for (; at <= DIST_STEPS && (i == d->n - 1 || at < sum / all * DIST_STEPS); at++)
			t->q[at] = (uint32_t)(d->value[i] * unit);
	}
}

/* Times in us, sizes in bytes. */
static void
fill_table(const struct sim *s, struct dist_table *t, const struct catalog_dist *d, int time)
{
	double unit = time ? 1000 : 1, hi = time ? s->c->set.cap_ms * 1000 : 4e9;

	switch (d->kind) {
	case DIST_NONE:
		break;
	case DIST_FIXED:
		dist_table_uniform(t, d->a * unit, d->a * unit);
		break;
	case DIST_UNIFORM:
		dist_table_uniform(t, (d->a < d->b ? d->a : d->b) * unit, (d->a < d->b ? d->b : d->a) * unit);
		break;
	case DIST_LOGNORMAL:
		dist_table_lognormal(t, d->a * unit, d->b * unit, time ? s->c->set.tail_share : 0, s->c->set.tail_alpha, 1,
		    d->a * unit * 40 < hi ? d->a * unit * 40 : hi);
		break;
	case DIST_CHOICE:
		fill_choice(t, d, unit);
		break;
	}
}

/* Table of a quantity, shared by all that are the same; -1: none, -2: no memory. */
static int
add_table(struct sim *s, const struct catalog_dist *d, int time)
{
	if (d->kind == DIST_NONE)
		return -1;
	for (int i = 0; i < s->ntables && d->kind != DIST_CHOICE; i++)
		if (s->table_of[i].time == time && s->table_of[i].d.kind == d->kind &&
		    memcmp(&s->table_of[i].d.a, &d->a, sizeof(d->a)) == 0 && memcmp(&s->table_of[i].d.b, &d->b, sizeof(d->b)) == 0)
			return i;
	if ((s->ntables & (s->ntables + 1)) == 0) {
		struct dist_table *more = reallocarray(s->table, (size_t)s->ntables * 2 + 1, sizeof(*more));
		struct sim_quantity *of;

		if (more == NULL)
			return -2;
		s->table = more;
		of = reallocarray(s->table_of, (size_t)s->ntables * 2 + 1, sizeof(*of));
		if (of == NULL)
			return -2;
		s->table_of = of;
	}
	fill_table(s, &s->table[s->ntables], d, time);
	s->table_of[s->ntables] = (struct sim_quantity){ *d, time };
	return s->ntables++;
}

/* The operation `row` at a service under a root; the same one each time. -1: no memory. */
static int
add_op(struct sim *s, int service, int row, const char *root, int rootrow)
{
	const struct catalog_op *o = &s->c->op[row];
	char *name = op_name(o, root);
	struct sim_op *x;
	int type = o->object == OBJECT_ROOT ? s->c->op[rootrow].type : o->type;

	if (name == NULL)
		return -1;
	for (int i = s->nops - 1; i >= 0; i--)
		if (s->op[i].row == row && s->op[i].service == service && s->op[i].type == type && strcmp(s->op[i].name, name) == 0 &&
		    (s->op[i].write != 0) == (o->write == WRITE_ROOT ? s->c->op[rootrow].write == WRITE_YES : o->write == WRITE_YES)) {
			free(name);
			return i;
		}
	if ((s->nops & (s->nops + 1)) == 0) {
		struct sim_op *more = reallocarray(s->op, (size_t)s->nops * 2 + 1, sizeof(*more));

		if (more == NULL) {
			free(name);
			return -1;
		}
		s->op = more;
	}
	x = &s->op[s->nops];
	*x = (struct sim_op){ .service = service,
		.row = row,
		.name = name,
		.category = o->category,
		.object = (int)o->object,
		.type = type,
		.target = o->target,
		.error_rate = o->error_rate };
	x->write = o->write == WRITE_ROOT ? s->c->op[rootrow].write == WRITE_YES : o->write == WRITE_YES;
	s->nops++;
	x->latency = add_table(s, &o->latency, 1);
	x->request = add_table(s, &o->request_bytes, 0);
	x->response = add_table(s, &o->response_bytes, 0);
	return x->latency == -2 || x->request == -2 || x->response == -2 ? -1 : s->nops - 1;
}

static struct sim_node *
add_node(struct builder *b)
{
	struct sim_plan *p = b->plan;

	if (p->n == SIM_SLOTS) {
		errno = E2BIG;
		return NULL;
	}
	if (p->n == b->size) {
		struct sim_node *more = reallocarray(p->node, (size_t)b->size * 2 + 16, sizeof(*more));

		if (more == NULL)
			return NULL;
		p->node = more;
		b->size = b->size * 2 + 16;
	}
	memset(&p->node[p->n], 0, sizeof(p->node[p->n]));
	return &p->node[p->n++];
}

static int build(struct builder *, uint32_t, int);

/* Does a condition say anything of the request but its root, and of the caller but its place and what it is? */
static int
is_of_place(const struct catalog_cond *when)
{
	for (int i = 0; i < when->n; i++)
		if (when->term[i].flag == FLAG_REMOTE || when->term[i].src == SRC_PERSONA_ID || when->term[i].src == SRC_PERSONA_CLASS)
			return 0;
	return 1;
}

/* For each place of the caller, whether the condition of a call holds: 0 or -1. */
static int
hold(struct builder *b, struct sim_node *n, const struct catalog_cond *when)
{
	const struct sim *s = b->s;
	struct sim_plan *p = b->plan;
	const struct sim_node *caller = &p->node[n->parent];
	struct sim_request r = { .plan = p };
	uint8_t *more;

	n->holds = -1;
	if (when->n == 0 || !is_of_place(when) || b->nholds > INT32_MAX / 2 - s->c->nplaces)
		return 0;
	if ((more = realloc(p->holds, (size_t)b->nholds + (size_t)s->c->nplaces)) == NULL)
		return -1;
	p->holds = more;
	n->holds = b->nholds;
	for (int i = 0; i < s->c->nplaces; i++)
		p->holds[b->nholds++] = (uint8_t)sim_holds(s, when, &r, &s->op[caller->op], i, n->parent != 0);
	return 0;
}

/* Every attempt of every one of `count` is a node with a tree of its own. */
static int
build_call(struct builder *b, uint32_t parent, int row, int call)
{
	const struct catalog_call *c = &b->s->c->call[call];
	const struct catalog_op *o = &b->s->c->op[row];
	double most = catalog_dist_max(&c->count);
	uint32_t count = (uint32_t)most + ((double)(uint32_t)most < most);

	b->plan->queues |= c->stage == STAGE_ASYNC;
	if (c->stage != STAGE_ASYNC &&
	    (c->share.kind == DIST_NONE || catalog_dist_max(&c->delay_ms) > 0 || c->timeout_ms > 0 || o->error_rate > 0))
		b->plan->quick = 0;
	if (b->s->c->nlinks > 0 && c->where != WHERE_SAME && c->trips > 0)
		b->plan->quick = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t first = b->plan->n;

		for (int a = 0; a <= c->retries; a++) {
			uint32_t at = b->plan->n;
			struct sim_node *n = add_node(b);

			if (n == NULL)
				return -1;
			n->parent = parent;
			n->call = call;
			n->stage = (int16_t)c->stage;
			n->nth = (uint16_t)i;
			n->attempt = (uint8_t)a;
			n->always = c->when.n == 0 && c->count.kind == DIST_FIXED && (double)i + 1 <= c->count.a;
			n->level = (uint8_t)(b->plan->node[parent].level + 1);
			if (hold(b, n, &c->when) != 0 || build(b, at, row) != 0)
				return -1;
		}
		b->plan->node[first].next = b->plan->n;
	}
	return 0;
}

/* Fill the node `at`, which is operation `row` at its call's service, and what lies below it. */
static int
build(struct builder *b, uint32_t at, int row)
{
	struct sim *s = b->s;
	int call = b->plan->node[at].call, service = call < 0 ? s->c->op[row].service : s->c->call[call].to_service;
	int op = add_op(s, service, row, b->root, b->plan->root);

	if (op < 0)
		return -1;
	b->plan->node[at].op = (uint32_t)op;
	b->plan->services[service >> 6] |= 1ULL << (service & 63);
	if (b->plan->node[at].level < s->w->depth)
		for (int i = 0; i < s->c->ncalls; i++) {
			const struct catalog_call *c = &s->c->call[i];

			if (!catalog_covers(s->c, &c->from, service, row))
				continue;
			if (build_call(b, at, catalog_op(s->c, c->to_service, c->to_op, strlen(c->to_op)), i) != 0)
				return -1;
		}
	b->plan->node[at].end = b->plan->n;
	return 0;
}

int
sim_plans(struct sim *s, char *err, size_t errsize)
{
	uint32_t most = 1;

	s->plan = calloc((size_t)s->nroots + 1, sizeof(*s->plan));
	if (s->plan == NULL)
		return -1;
	for (int i = 0; i < s->nroots; i++) {
		struct sim_plan *p = &s->plan[i];
		struct builder b = { s, p, s->c->op[s->root[i]].name, 0, 0 };
		struct sim_node *n;

		p->root = s->root[i];
		p->quick = 1;
		p->services = calloc((size_t)s->words, sizeof(*p->services));
		n = p->services == NULL ? NULL : add_node(&b);
		if (n == NULL)
			return -1;
		n->call = -1;
		if (build(&b, 0, p->root) != 0) {
			if (errno == E2BIG)
				snprintf(err, errsize, "%s: calls of %s reach more than %d spans", s->c->name, s->c->op[p->root].name,
				    SIM_SLOTS);
			return -1;
		}
		most = p->n > most ? p->n : most;
	}
	s->spans = calloc(most, sizeof(*s->spans));
	s->slow = calloc(most, sizeof(*s->slow));
	s->map = calloc(most, sizeof(*s->map));
	s->planned = calloc(most, sizeof(*s->planned));
	s->loose = calloc(most, sizeof(*s->loose));
	for (int i = 0; i < s->c->ncalls; i++)
		s->remote |= s->c->call[i].where != WHERE_SAME;
	for (int i = 0; i < s->c->ncodes; i++) {
		if (s->c->code[i].http >= 400)
			continue;
		s->has_success |= s->c->code[i].weight > 0;
		s->success = s->c->code[i].when.n > 0 || s->success < 0 ? -1 : s->success + s->c->code[i].weight;
	}
	return s->spans == NULL || s->slow == NULL || s->map == NULL || s->loose == NULL || s->planned == NULL ? -1 : 0;
}

void
sim_plans_free(struct sim *s)
{
	for (int i = 0; s->plan != NULL && i < s->nroots; i++) {
		free(s->plan[i].node);
		free(s->plan[i].holds);
		free(s->plan[i].services);
	}
	for (int i = 0; i < s->nops; i++)
		free(s->op[i].name);
	free(s->plan);
	free(s->op);
	free(s->table);
	free(s->table_of);
	free(s->spans);
	free(s->slow);
	free(s->map);
	free(s->planned);
	free(s->loose);
}
