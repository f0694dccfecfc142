/* Checks across the tables of a catalog. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_impl.h"

#define NODES ((size_t)1 << 26) /* services x operations */
#define PLANNED 0.9             /* share of a caller's time that its calls may plan */

/*
 * The graph of what calls what. A node is an operation row at a service: service x nops + row.
 * Calls are chained by what they say of their caller, so that a node finds its own without trying all.
 */
struct graph {
	struct load *l;
	const struct catalog *c;
	char *state;     /* of a node: 0 not reached, 1 on the way, 2 done */
	int *of_op;      /* first call from one operation of one service, by row; -1: none */
	int *of_service; /* from all operations of a service */
	int of_any;      /* from more than one service */
	int *next;
	int *found, nfound; /* calls of the node at hand, in file order */
};

static void
chain_calls(struct graph *g)
{
	const struct catalog *c = g->c;
	const struct catalog_ref *from;
	int i, *head;

	g->of_op = catalog_get(g->l, (size_t)c->nops, sizeof(int));
	g->of_service = catalog_get(g->l, (size_t)c->nservices, sizeof(int));
	g->next = catalog_get(g->l, (size_t)c->ncalls, sizeof(int));
	g->found = catalog_get(g->l, (size_t)c->ncalls, sizeof(int));
	for (i = 0; i < c->nops; i++)
		g->of_op[i] = -1;
	for (i = 0; i < c->nservices; i++)
		g->of_service[i] = -1;
	g->of_any = -1;
	for (i = 0; i < c->ncalls; i++) {
		from = &c->call[i].from;
		head = from->service == -1 ? &g->of_any
		    : from->op == NULL     ? &g->of_service[from->service]
					   : &g->of_op[catalog_op(c, from->service, from->op, strlen(from->op))];
		g->next[i] = *head;
		*head = i;
	}
}

static int
ascending(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* The calls a node makes, in file order. */
static void
find_calls(struct graph *g, int service, int op)
{
	const int head[] = { g->of_op[op], g->of_service[service], g->of_any };
	int i, k;

	g->nfound = 0;
	for (k = 0; k < 3; k++)
		for (i = head[k]; i != -1; i = g->next[i])
			if (catalog_covers(g->c, &g->c->call[i].from, service, op))
				g->found[g->nfound++] = i;
	if (g->nfound > 1)
		qsort(g->found, (size_t)g->nfound, sizeof(*g->found), ascending);
}

static size_t
callee(const struct graph *g, const struct catalog_call *call)
{
	return (size_t)call->to_service * (size_t)g->c->nops + (size_t)catalog_op(g->c, call->to_service, call->to_op, strlen(call->to_op));
}

static int
by_stage(const struct catalog *c, const int *calls, int n, int above)
{
	int i, stage = INT32_MAX;

	for (i = 0; i < n; i++)
		if (c->call[calls[i]].stage > above && c->call[calls[i]].stage < stage)
			stage = c->call[calls[i]].stage;
	return stage;
}

/*
 * What the calls of a node may plan of its time, at most. Of a stage: the latest end, as its calls start staggered; a call made
 * several times starts as often.
 */
static void
check_shares(struct graph *g, int service, int op)
{
	const struct catalog *c = g->c;
	const struct catalog_call *call;
	double sum = 0, plan, end, starts, most;
	int i, stage, line = 0;

	for (stage = by_stage(c, g->found, g->nfound, STAGE_ASYNC); stage != INT32_MAX; stage = by_stage(c, g->found, g->nfound, stage)) {
		starts = 0;
		plan = 0;
		for (i = 0; i < g->nfound; i++) {
			call = &c->call[g->found[i]];
			most = catalog_dist_max(&call->count);
			if (call->stage != stage || most <= 0)
				continue;
			starts += (double)(int)most + (most > (double)(int)most);
			end = (starts - 1) * c->set.stagger + (call->share.kind == DIST_NONE ? 0 : catalog_dist_max(&call->share));
			if (end <= plan)
				continue;
			plan = end;
			line = call->line;
		}
		sum += plan;
	}
	/* Decimals such as 0.3 + 0.6 are not exact. */
	if (sum > PLANNED + 1e-9)
		catalog_fail_at(g->l, T_CALLS, (size_t)line, "shares of %s/%s exceed its time: %.3g of it, 0.9 at most",
		    c->service[service].id, c->op[op].name, sum);
}

struct step {
	size_t node;
	int *calls, ncalls, at; /* calls of the node; the one followed now */
};

static _Noreturn void
cycle(struct graph *g, const struct step *path, size_t depth, size_t node, int line)
{
	const struct catalog *c = g->c;
	char text[512];
	size_t used = 0, from = 0, k, n, nops = (size_t)c->nops;
	const char *part[3];
	int j;

	while (path[from].node != node)
		from++;
	for (k = from; k <= depth + 1 && used < sizeof(text) - 1; k++) {
		n = k <= depth ? path[k].node : node;
		part[0] = c->service[n / nops].id;
		part[1] = "/";
		part[2] = c->op[n % nops].name;
		text[used++] = ' ';
		for (j = 0; j < 3; j++) {
			n = strlen(part[j]);
			n = n < sizeof(text) - 1 - used ? n : sizeof(text) - 1 - used;
			memcpy(text + used, part[j], n);
			used += n;
		}
	}
	text[used] = '\0';
	catalog_fail_at(g->l, T_CALLS, (size_t)line, "call cycle%s", text);
}

static void
enter(struct graph *g, struct step *s, size_t node)
{
	int service = (int)(node / (size_t)g->c->nops), op = (int)(node % (size_t)g->c->nops);

	g->state[node] = 1;
	find_calls(g, service, op);
	check_shares(g, service, op);
	s->node = node;
	s->ncalls = g->nfound;
	s->at = 0;
	s->calls = catalog_get(g->l, (size_t)g->nfound, sizeof(int));
	memcpy(s->calls, g->found, (size_t)g->nfound * sizeof(int));
}

/* Follow all calls from a node, without recursion: a chain may be as long as the table. */
static void
walk(struct graph *g, struct step **path, size_t *room, size_t root)
{
	const struct catalog_call *call;
	struct step *s, *more;
	size_t depth = 0, node;

	if (g->state[root] == 2)
		return;
	enter(g, &(*path)[0], root);
	for (;;) {
		s = &(*path)[depth];
		if (s->at == s->ncalls) {
			g->state[s->node] = 2;
			if (depth-- == 0)
				return;
			continue;
		}
		call = &g->c->call[s->calls[s->at++]];
		node = callee(g, call);
		if (g->state[node] == 1)
			cycle(g, *path, depth, node, call->line);
		if (call->share.kind == DIST_NONE && g->c->op[node % (size_t)g->c->nops].latency.kind == DIST_NONE)
			catalog_fail_at(g->l, T_CALLS, (size_t)call->line, "no latency and no share: \"%s/%s\"",
			    g->c->service[call->to_service].id, call->to_op);
		if (g->state[node] == 2)
			continue;
		if (++depth == *room) {
			more = catalog_get(g->l, *room * 2, sizeof(*more));
			memcpy(more, *path, *room * sizeof(*more));
			*path = more;
			*room *= 2;
		}
		enter(g, &(*path)[depth], node);
	}
}

static void
walk_all(struct graph *g)
{
	const struct catalog *c = g->c;
	size_t room = 16;
	struct step *path = catalog_get(g->l, room, sizeof(*path));
	int i;

	if ((size_t)c->nservices > NODES / (size_t)c->nops)
		catalog_fail_at(g->l, T_OPERATIONS, 0, "too many operations for so many services");
	g->state = catalog_get(g->l, (size_t)c->nservices * (size_t)c->nops, 1);
	chain_calls(g);
	for (i = 0; i < c->nops; i++)
		if (c->op[i].weight > 0)
			walk(g, &path, &room, (size_t)c->op[i].service * (size_t)c->nops + (size_t)i);
}

static int
reached(const struct graph *g, const struct catalog_ref *r)
{
	const struct catalog *c = g->c;
	int s, op;

	for (s = 0; s < c->nservices; s++) {
		if (r->service != -1 && r->service != s)
			continue;
		for (op = 0; op < c->nops; op++)
			if (g->state[(size_t)s * (size_t)c->nops + (size_t)op] != 0 && catalog_covers(c, r, s, op))
				return 1;
	}
	return 0;
}

static void
warn_all(const struct graph *g)
{
	const struct catalog *c = g->c;
	const struct catalog_effect *e;
	int i, k, touched;

	if (g->l->warn == NULL)
		return;
	for (i = 0; i < c->nservices; i++)
		if (!reached(g, &(struct catalog_ref){ i, NULL }))
			catalog_warn_at(
			    g->l, T_SERVICES, catalog_nth_line(g->l, T_SERVICES, i), "service \"%s\" is never reached", c->service[i].id);
	for (i = 0; i < c->npersonas; i++)
		if (c->persona[i].users <= 0 || catalog_dist_max(&c->persona[i].activity) <= 0)
			catalog_warn_at(
			    g->l, T_PERSONAS, catalog_nth_line(g->l, T_PERSONAS, i), "persona \"%s\" makes no requests", c->persona[i].id);
	for (i = 0; i < c->neffects; i++) {
		e = &c->effect[i];
		touched = e->target_all || e->target_any || e->nthings > 0;
		for (k = 0; k < e->ntargets && !touched; k++)
			touched = reached(g, &e->target[k]);
		if (!touched)
			catalog_warn_at(g->l, T_EFFECTS, catalog_nth_line(g->l, T_EFFECTS, i), "an effect that touches nothing");
	}
}

static void
check_incidents(struct load *l)
{
	const struct catalog *c = l->c;
	char *has = catalog_get(l, (size_t)c->nincidents, 1);
	int i;

	for (i = 0; i < c->neffects; i++)
		has[c->effect[i].incident] = 1;
	for (i = 0; i < c->nincidents; i++)
		if (!has[i])
			catalog_fail_at(l, T_INCIDENTS, (size_t)c->incident[i].line, "incident \"%s\" has no effects", c->incident[i].id);
}

/* What a request that is cut at cap_ms shows where nothing stands for a timeout. */
static int
last_resort(const struct catalog *c)
{
	int code = -1;

	for (int i = 0; i < c->ncodes; i++) {
		if (c->code[i].http >= 500)
			return i;
		if (c->code[i].http >= 400 && code == -1)
			code = i;
	}
	return code;
}

void
catalog_check_all(struct load *l)
{
	const struct catalog *c = l->c;
	struct graph g = { .l = l, .c = c };
	int i;

	check_incidents(l);
	for (i = 0; i < c->ncalls; i++)
		if (c->call[i].timeout_ms > 0 && c->set.timeout_code == -1)
			catalog_fail_at(
			    l, T_CALLS, (size_t)c->call[i].line, "timeout_ms: no code 504, and setting timeout_code names none");
	if (c->set.timeout_code == -1)
		l->c->set.timeout_code = last_resort(c);
	catalog_check_links(l);
	walk_all(&g);
	warn_all(&g);
}
