/* Operations, personas, codes and calls of a catalog. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_impl.h"

#define MOST_CALLS 1000         /* calls of one row; far above any fan-out */
#define MOST_TRIPS 1000         /* round trips of a call */
#define CELLS ((size_t)1 << 25) /* personas x (operations + places) */

/* "id", "+id", "-id", "root" */
static void
object_of(struct load *l, struct cell x, struct catalog_op *op)
{
	struct catalog *c = l->c;
	char *type = x.s;

	op->type = -1;
	if (x.s[0] == '\0')
		return;
	if (strcmp(x.s, "root") == 0) {
		op->object = OBJECT_ROOT;
		return;
	}
	op->object = x.s[0] == '+' ? OBJECT_NEW : x.s[0] == '-' ? OBJECT_END : OBJECT_USE;
	type += op->object != OBJECT_USE;
	if (catalog_id(c, type, strlen(type)) == -1)
		catalog_fail(l, "%s: no id \"%s\"", x.name, type);
	op->type = catalog_index_add(&l->a->object, type, 0, c->nobjects);
	if (op->type == -1) {
		op->type = c->nobjects;
		c->object[c->nobjects++] = type;
	}
}

/* An operation's name, which may hold {root.operation} and no other source. */
static int
operation_name(struct load *l, const char *name)
{
	struct catalog_text t;
	char *rest = catalog_keep(l, name, strlen(name)), *p;
	int i, templated = 0;

	catalog_text_of(l, name, IN_OPERATION, &t);
	for (i = 0; i < t.n; i++)
		templated |= t.piece[i].src != SRC_NONE;
	/* What is left is a name when its holes are taken for letters. */
	for (p = rest; templated && (p = strpbrk(p, "{}")) != NULL; p++)
		*p = 'x';
	if (!catalog_is_name(rest) || strstr(name, "{}") != NULL)
		catalog_fail(l, "bad name \"%s\"", name);
	return templated;
}

static void
check_root(struct load *l, const struct catalog_op *op)
{
	if (op->service == -1)
		catalog_fail(l, "a root of every service");
	if (op->templated)
		catalog_fail(l, "a root named by the root");
	if (op->write == WRITE_ROOT || op->object == OBJECT_ROOT)
		catalog_fail(l, "a root has no root above it");
	if (op->latency.kind == DIST_NONE)
		catalog_fail(l, "root without latency_ms");
}

static void
load_operations(struct load *l)
{
	enum { SERVICE, OPERATION, CATEGORY, WEIGHT, WRITE, OBJECT, TARGET, LATENCY, REQUEST, RESPONSE, ERROR_RATE };
	static const char *const write[] = { "", "no", "yes", "root", NULL }, *const target[] = { "", "no", "yes", NULL };
	struct catalog *c = l->c;
	struct catalog_op *op;
	char *service;
	double sum = 0;
	int k;

	catalog_open_needed(l, T_OPERATIONS);
	c->op = catalog_get(l, l->t->nrows, sizeof(*c->op));
	c->object = catalog_get(l, l->t->nrows, sizeof(*c->object));
	catalog_index_init(l, &l->a->op, l->t->nrows);
	catalog_index_init(l, &l->a->object, l->t->nrows);
	while (catalog_next_row(l)) {
		op = &c->op[c->nops];
		service = catalog_cell(l, SERVICE).s;
		op->service = catalog_service(c, service, strlen(service));
		if (op->service == -1 && strcmp(service, "*") != 0)
			catalog_fail(l, "no service \"%s\"", service);
		op->name = catalog_cell(l, OPERATION).s;
		op->templated = operation_name(l, op->name);
		if (catalog_index_add(&l->a->op, op->name, op->service, c->nops) != -1)
			catalog_fail(l, "duplicate operation \"%s/%s\"", service, op->name);
		op->category = catalog_name_of(l, catalog_cell(l, CATEGORY));
		if (op->category[0] == '\0')
			op->category = op->name;
		op->weight = catalog_number(l, catalog_cell(l, WEIGHT), 0, 0, MANY);
		k = catalog_choice(l, catalog_cell(l, WRITE), write, "yes, no or root");
		op->write = k == 2 ? WRITE_YES : k == 3 ? WRITE_ROOT : WRITE_NO;
		object_of(l, catalog_cell(l, OBJECT), op);
		op->target = catalog_choice(l, catalog_cell(l, TARGET), target, "yes or no") == 2;
		catalog_quantity(l, catalog_cell(l, LATENCY), NULL, &op->latency, 0, MANY, 0);
		catalog_quantity(l, catalog_cell(l, REQUEST), "300~2000", &op->request_bytes, 0, MANY, 1);
		catalog_quantity(l, catalog_cell(l, RESPONSE), "1000~8000", &op->response_bytes, 0, MANY, 1);
		op->error_rate = catalog_share(l, catalog_cell(l, ERROR_RATE), 0);
		op->line = (int)catalog_row_line(l);
		if (op->weight > 0)
			check_root(l, op);
		sum += op->weight;
		c->nops++;
	}
	l->row = SIZE_MAX;
	if (sum <= 0)
		catalog_fail(l, "no root: every weight is 0");
}

/* Categories of roots: the weight of all roots in each, and the category of each operation. */
struct categories {
	struct index name;
	double *sum;
	int *of;
};

static void
find_categories(struct load *l, struct categories *k)
{
	const struct catalog *c = l->c;
	int i, n = 0;

	catalog_index_init(l, &k->name, (size_t)c->nops);
	k->sum = catalog_get(l, (size_t)c->nops, sizeof(*k->sum));
	k->of = catalog_get(l, (size_t)c->nops, sizeof(*k->of));
	for (i = 0; i < c->nops; i++) {
		k->of[i] = -1;
		if (c->op[i].weight <= 0)
			continue;
		k->of[i] = catalog_index_add(&k->name, c->op[i].category, 0, n);
		if (k->of[i] == -1)
			k->of[i] = n++;
		k->sum[k->of[i]] += c->op[i].weight;
	}
}

/* The root an item of a mix names; -1: none. */
static int
root_named(const struct catalog *c, const char *name)
{
	struct catalog_ref r;
	int i;

	if (catalog_parse_ref(c, name, strlen(name), &r) == 0 && r.service != -1 && r.op != NULL) {
		i = catalog_op(c, r.service, r.op, strlen(r.op));
		return i != -1 && c->op[i].weight > 0 ? i : -1;
	}
	for (i = 0; i < c->nops; i++)
		if (c->op[i].weight > 0 && strcmp(c->op[i].name, name) == 0)
			return i;
	return -1;
}

/* What share of a persona's requests each root is. */
static void
weigh_roots(struct load *l, const struct categories *k, struct catalog_persona *p)
{
	const struct catalog *c = l->c;
	double sum = 0, *part = catalog_get(l, (size_t)c->nops, sizeof(*part));
	int i, j, op;

	p->op_weight = catalog_get(l, (size_t)c->nops, sizeof(*p->op_weight));
	for (i = 0; i < p->mix.n; i++) {
		j = catalog_index_find(&k->name, p->mix.item[i], strlen(p->mix.item[i]), 0);
		if (j != -1)
			part[j] += p->mix.weight[i] / k->sum[j];
		else if ((op = root_named(c, p->mix.item[i])) != -1)
			p->op_weight[op] += p->mix.weight[i];
		else
			catalog_fail(l, "mix: no category \"%s\"", p->mix.item[i]);
	}
	for (i = 0; i < c->nops; i++) {
		if (c->op[i].weight > 0)
			p->op_weight[i] += c->op[i].weight * (p->mix.n == 0 ? 1 : part[k->of[i]]);
		sum += p->op_weight[i];
	}
	for (i = 0; i < c->nops; i++)
		p->op_weight[i] /= sum;
}

static void
weigh_places(struct load *l, struct cell x, struct catalog_persona *p)
{
	const struct catalog *c = l->c;
	struct catalog_mix m;
	double sum = 0;
	int i, place;

	catalog_mix_of(l, x, &m);
	p->place = catalog_get(l, (size_t)c->nplaces, sizeof(*p->place));
	for (i = 0; i < m.n; i++) {
		place = catalog_place(c, m.item[i], strlen(m.item[i]));
		if (place == -1)
			catalog_fail(l, "%s: no place \"%s\"", x.name, m.item[i]);
		p->place[place] += m.weight[i];
	}
	for (i = 0; i < c->nplaces; i++) {
		if (m.n == 0)
			p->place[i] = c->place[i].weight;
		sum += p->place[i];
	}
	for (i = 0; i < c->nplaces; i++)
		p->place[i] /= sum;
}

/* A list of n numbers by name; 1 each where none is named. */
static void
shape(struct load *l, struct cell x, double *v, int n)
{
	const struct catalog *c = l->c;
	int list, i;
	double sum = 0;

	for (i = 0; i < n; i++)
		v[i] = 1;
	if (x.s[0] == '\0')
		return;
	if ((list = catalog_list(c, x.s, strlen(x.s))) == -1)
		catalog_fail(l, "%s: no list \"%s\"", x.name, x.s);
	if (c->list[list].n != n)
		catalog_fail(l, "%s: list \"%s\" has %d items instead of %d numbers", x.name, x.s, c->list[list].n, n);
	for (i = 0; i < n; i++) {
		v[i] = catalog_number(l, (struct cell){ x.name, c->list[list].item[i] }, 0, 0, MANY);
		sum += v[i];
	}
	if (sum <= 0)
		catalog_fail(l, "%s: weights of list \"%s\" sum to 0", x.name, x.s);
}

static void
load_personas(struct load *l)
{
	enum { PERSONA, CLASS, USERS, ACTIVITY, ERROR_RATE, LATENCY, MIX, DAY, WEEK, PLACES };
	struct catalog *c = l->c;
	struct catalog_persona *p;
	struct categories categories;
	double sum = 0;

	catalog_open_needed(l, T_PERSONAS);
	if (l->t->nrows > CELLS / (size_t)(c->nops + c->nplaces))
		catalog_fail(l, "too many personas for so many operations and places");
	find_categories(l, &categories);
	c->persona = catalog_get(l, l->t->nrows, sizeof(*c->persona));
	catalog_index_init(l, &l->a->persona, l->t->nrows);
	while (catalog_next_row(l)) {
		p = &c->persona[c->npersonas];
		p->id = catalog_name_of(l, catalog_cell(l, PERSONA));
		if (catalog_index_add(&l->a->persona, p->id, 0, c->npersonas) != -1)
			catalog_fail(l, "duplicate persona \"%s\"", p->id);
		p->class = catalog_name_of(l, catalog_cell(l, CLASS));
		if (p->class[0] == '\0')
			p->class = p->id;
		p->users = catalog_number(l, catalog_cell(l, USERS), 1, 0, MANY);
		catalog_quantity(l, catalog_cell(l, ACTIVITY), "1", &p->activity, 0, MANY, 0);
		p->error_rate = catalog_share(l, catalog_cell(l, ERROR_RATE), 0);
		p->latency = catalog_positive(l, catalog_cell(l, LATENCY), 1);
		catalog_mix_of(l, catalog_cell(l, MIX), &p->mix);
		weigh_roots(l, &categories, p);
		shape(l, catalog_cell(l, DAY), p->day, 24);
		shape(l, catalog_cell(l, WEEK), p->week, 7);
		weigh_places(l, catalog_cell(l, PLACES), p);
		sum += p->users * catalog_dist_max(&p->activity);
		c->npersonas++;
	}
	l->row = SIZE_MAX;
	if (sum <= 0)
		catalog_fail(l, "weights sum to 0: no persona makes requests");
}

/* "service/operation" of one service. */
static void
callee_of(struct load *l, struct cell x, struct catalog_call *call)
{
	struct catalog_ref r = catalog_ref_of(l, x.s);

	if (r.service == -1 || r.op == NULL)
		catalog_fail(l, "%s: \"%s\" is not one operation of one service", x.name, x.s);
	call->to_service = r.service;
	call->to_op = r.op;
}

static void
where_of(struct load *l, struct cell x, struct catalog_call *call)
{
	static const char *const word[] = { "same", "other", "home" };
	int i;

	call->place = -1;
	for (i = 0; i < 3; i++)
		if (strcmp(x.s, word[i]) == 0)
			break;
	call->where = x.s[0] == '\0' ? WHERE_SAME : i == 0 ? WHERE_SAME : i == 1 ? WHERE_OTHER : i == 2 ? WHERE_HOME : WHERE_PLACE;
	if (call->where == WHERE_PLACE && (call->place = catalog_place(l->c, x.s, strlen(x.s))) == -1)
		catalog_fail(l, "no place \"%s\"", x.s);
	if (call->where == WHERE_OTHER && l->c->nplaces == 1)
		catalog_fail(l, "%s: there is no other place", x.name);
}

static void
load_calls(struct load *l)
{
	enum { FROM, TO, WHEN, COUNT, STAGE, SHARE, PLACE, TRIPS, TIMEOUT, RETRIES, FAILS, DELAY };
	struct catalog *c = l->c;
	struct catalog_call *k;

	if (!catalog_open_either(l, T_CALLS))
		return;
	c->call = catalog_get(l, l->t->nrows, sizeof(*c->call));
	while (catalog_next_row(l)) {
		k = &c->call[c->ncalls++];
		k->from = catalog_ref_of(l, catalog_cell(l, FROM).s);
		callee_of(l, catalog_cell(l, TO), k);
		catalog_cond_of(l, catalog_cell(l, WHEN).s, IN_EARLY, "a call", &k->when);
		catalog_quantity(l, catalog_cell(l, COUNT), "1", &k->count, 0, MOST_CALLS, 1);
		if (k->count.kind == DIST_LOGNORMAL)
			catalog_fail(l, "count: \"%s\" has no upper end", catalog_cell(l, COUNT).s);
		k->stage =
		    strcmp(catalog_cell(l, STAGE).s, "async") == 0 ? STAGE_ASYNC : catalog_whole(l, catalog_cell(l, STAGE), 1, 0, 1000);
		catalog_quantity(l, catalog_cell(l, SHARE), NULL, &k->share, 0, 1, 0);
		if (k->share.kind == DIST_LOGNORMAL)
			catalog_fail(l, "share: \"%s\" has no upper end", catalog_cell(l, SHARE).s);
		if (k->share.kind != DIST_NONE && k->stage == STAGE_ASYNC)
			catalog_fail(l, "share: an async callee takes none of its caller's time");
		where_of(l, catalog_cell(l, PLACE), k);
		k->trips = catalog_number(l, catalog_cell(l, TRIPS), 1, 0, MOST_TRIPS);
		k->timeout_ms = catalog_cell(l, TIMEOUT).s[0] == '\0' ? 0 : catalog_positive(l, catalog_cell(l, TIMEOUT), 0);
		k->retries = catalog_whole(l, catalog_cell(l, RETRIES), 0, 0, 9);
		k->fails = catalog_share(l, catalog_cell(l, FAILS), 1);
		catalog_quantity(l, catalog_cell(l, DELAY), "0", &k->delay_ms, 0, MANY, 0);
		k->line = (int)catalog_row_line(l);
	}
}

static void
load_codes(struct load *l)
{
	enum { CODE, HTTP, TYPE, MESSAGE, WEIGHT, LATENCY, WHEN };
	struct catalog *c = l->c;
	struct catalog_code *k;
	double sum = 0;
	int good = 0;

	catalog_open_needed(l, T_CODES);
	c->code = catalog_get(l, l->t->nrows + 1, sizeof(*c->code));
	catalog_index_init(l, &l->a->code, l->t->nrows + 1);
	while (catalog_next_row(l)) {
		k = &c->code[c->ncodes];
		k->code = catalog_name_of(l, catalog_cell(l, CODE));
		if (catalog_index_add(&l->a->code, k->code, 0, c->ncodes++) != -1)
			catalog_fail(l, "duplicate code \"%s\"", k->code);
		k->http = catalog_whole(l, catalog_cell(l, HTTP), 0, 100, 599);
		k->type = catalog_name_of(l, catalog_cell(l, TYPE));
		k->message = catalog_cell(l, MESSAGE).s;
		k->weight = catalog_number(l, catalog_cell(l, WEIGHT), 0, 0, MANY);
		k->latency = catalog_positive(l, catalog_cell(l, LATENCY), 1);
		catalog_cond_of(l, catalog_cell(l, WHEN).s, IN_EARLY, "a code", &k->when);
		good |= k->http < 400;
		sum += k->http < 400 ? 0 : k->weight;
	}
	l->row = SIZE_MAX;
	if (sum <= 0)
		catalog_fail(l, "weights of the codes from 400 on sum to 0");
	if (good)
		return;
	k = &c->code[c->ncodes];
	*k = (struct catalog_code){
		.code = catalog_keep(l, "200", 3), .http = 200, .type = l->none, .message = catalog_keep(l, "OK", 2), .latency = 1
	};
	if (catalog_index_add(&l->a->code, k->code, 0, c->ncodes++) != -1)
		catalog_fail(l, "no code below 400 in HTTP, and \"200\" is taken");
}

void
catalog_load_traffic(struct load *l)
{
	load_operations(l);
	load_personas(l);
	load_codes(l);
	load_calls(l);
}
