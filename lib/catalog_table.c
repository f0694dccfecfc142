/* The tables of a catalog but its settings. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_impl.h"
#include "num.h"

#define MOST_CALLS 1000         /* calls of one row; far above any fan-out */
#define CELLS ((size_t)1 << 25) /* personas x (operations + places) */

/* The folder a table that is not merged is read from; 0 when there is no such table. */
static int
open_either(struct load *l, enum table table)
{
	return catalog_open_table(l, table, OWN) || catalog_open_table(l, table, DEFAULT);
}

static void
open_needed(struct load *l, enum table table)
{
	if (!open_either(l, table))
		catalog_fail_at(l, table, 0, "no such table");
	if (l->t->nrows == 0)
		catalog_fail(l, "no rows");
}

/* Rows of one name append; room: how many items each list can hold. */
static void
append(struct load *l, struct catalog_list *list, int *room, const struct catalog_mix *m)
{
	char **item;
	double *weight;

	if (m->n > INT32_MAX / 4 - list->n)
		catalog_fail(l, "too many items");
	if (list->n + m->n > *room) {
		*room = 2 * (list->n + m->n);
		item = catalog_get(l, (size_t)*room, sizeof(*item));
		weight = catalog_get(l, (size_t)*room, sizeof(*weight));
		memcpy(item, list->item, (size_t)list->n * sizeof(*item));
		memcpy(weight, list->weight, (size_t)list->n * sizeof(*weight));
		list->item = item;
		list->weight = weight;
	}
	memcpy(list->item + list->n, m->item, (size_t)m->n * sizeof(*item));
	memcpy(list->weight + list->n, m->weight, (size_t)m->n * sizeof(*weight));
	list->n += m->n;
}

/* Bounds of histograms ascend from above 0. */
static void
check_buckets(struct load *l, const struct catalog_list *list)
{
	double v, last = 0;
	int i;

	if (strncmp(list->name, "buckets_", 8) != 0)
		return;
	for (i = 0; i < list->n; i++) {
		if (num_decimal(list->item[i], strlen(list->item[i]), &v) == -1 || v <= last)
			catalog_fail(l, "list \"%s\" is not of ascending numbers above 0", list->name);
		last = v;
	}
}

static void
lists_of(struct load *l, int folder)
{
	enum { LIST, ITEMS };
	struct catalog *c = l->c;
	struct catalog_mix m;
	int k, own = c->nlists, *room;
	char *name;

	if (!catalog_open_table(l, T_LISTS, folder))
		return;
	room = catalog_get(l, catalog_rows_of(l, T_LISTS), sizeof(*room));
	while (catalog_next_row(l)) {
		name = catalog_name_of(l, catalog_cell(l, LIST));
		k = catalog_index_add(&l->a->list, name, 0, c->nlists);
		if (k != -1 && k < own)
			continue;
		catalog_mix_of(l, catalog_cell(l, ITEMS), &m);
		if (k == -1) {
			room[c->nlists] = m.n;
			c->list[c->nlists++] = (struct catalog_list){ name, m.n, m.item, m.weight };
		} else
			append(l, &c->list[k], &room[k], &m);
	}
	l->row = SIZE_MAX;
	for (k = own; k < c->nlists; k++)
		check_buckets(l, &c->list[k]);
}

/* The rows of ids, and where each came from. */
struct ids {
	int *folder, *state; /* state: 0 not seen, 1 on the way, 2 sound */
	size_t *row;
};

static void
ids_of(struct load *l, int folder, struct ids *ids)
{
	enum { ID, FORM };
	struct catalog *c = l->c;
	int k, own = c->nids;
	char *name;

	if (!catalog_open_table(l, T_IDS, folder))
		return;
	while (catalog_next_row(l)) {
		name = catalog_name_of(l, catalog_cell(l, ID));
		k = catalog_index_add(&l->a->id, name, 0, c->nids);
		if (k != -1 && k < own)
			continue;
		if (k != -1)
			catalog_fail(l, "duplicate id \"%s\"", name);
		c->id[c->nids].id = name;
		catalog_text_of(l, catalog_cell(l, FORM).s, IN_IDS, &c->id[c->nids].form);
		ids->folder[c->nids] = folder;
		ids->row[c->nids++] = l->row;
	}
}

static void
at_id(struct load *l, const struct ids *ids, int id)
{
	catalog_open_table(l, T_IDS, ids->folder[id]);
	l->row = ids->row[id];
}

/* Names of the parts of places or services, which have text between them. */
static char **
parts_of(struct load *l, const struct ids *ids, const char *name, int *n)
{
	const struct catalog_text *form;
	int id = catalog_id(l->c, name, strlen(name)), i, k;
	char **part;

	if (id == -1)
		catalog_fail(l, "no id \"%s\"", name);
	at_id(l, ids, id);
	form = &l->c->id[id].form;
	part = catalog_get(l, (size_t)form->n, sizeof(*part));
	for (i = 0, *n = 0; i < form->n; i++) {
		if (form->piece[i].src == SRC_NONE)
			continue;
		if (form->piece[i].src != SRC_PART)
			catalog_fail(l, "\"%s\" is not a part of a name", form->piece[i].text);
		if (i > 0 && form->piece[i - 1].src != SRC_NONE)
			catalog_fail(l, "nothing stands between \"%s\" and \"%s\"", form->piece[i - 1].text, form->piece[i].text);
		for (k = 0; k < *n; k++)
			if (strcmp(part[k], form->piece[i].text) == 0)
				catalog_fail(l, "part \"%s\" twice", part[k]);
		part[(*n)++] = form->piece[i].text;
	}
	if (*n == 0)
		catalog_fail(l, "no part in \"%s\"", name);
	return part;
}

static int
is_among(char *const *word, int n, const char *s)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(word[i], s) == 0)
			return 1;
	return 0;
}

/* Every bare part has a meaning, and ids made of ids end. */
static void
check_id(struct load *l, struct ids *ids, int id, int depth)
{
	const struct catalog *c = l->c;
	const struct catalog_text *form = &c->id[id].form;
	const char *part;
	int i, k;

	if (ids->state[id] == 2)
		return;
	at_id(l, ids, id);
	if (ids->state[id] == 1)
		catalog_fail(l, "id \"%s\" is made of itself", c->id[id].id);
	if (depth == 16)
		catalog_fail(l, "ids within ids deeper than 16");
	ids->state[id] = 1;
	for (i = 0; i < form->n; i++) {
		part = form->piece[i].text;
		if (form->piece[i].src != SRC_PART || is_among(c->placepart, c->nplaceparts, part) ||
		    is_among(c->servicepart, c->nserviceparts, part) || is_among(c->cname, c->nconsts, part) ||
		    strcmp(part, "release") == 0)
			continue;
		if ((k = catalog_id(c, part, strlen(part))) == -1)
			catalog_fail(l, "no part \"%s\"", part);
		check_id(l, ids, k, depth + 1);
		at_id(l, ids, id);
	}
	ids->state[id] = 2;
}

static void
load_ids(struct load *l)
{
	static const char *const needed[] = { "request_id", "trace_id", "span_id", "user_id", "rollout_id", "incident_id", "release_id" };
	struct catalog *c = l->c;
	size_t n = catalog_rows_of(l, T_IDS), i;
	struct ids ids = { catalog_get(l, n, sizeof(int)), catalog_get(l, n, sizeof(int)), catalog_get(l, n, sizeof(size_t)) };
	int k;

	catalog_index_init(l, &l->a->id, n);
	c->id = catalog_get(l, n, sizeof(*c->id));
	ids_of(l, OWN, &ids);
	ids_of(l, DEFAULT, &ids);
	open_either(l, T_IDS);
	if (l->t->text == NULL)
		catalog_fail_at(l, T_IDS, 0, "no such table");
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (catalog_id(c, needed[i], strlen(needed[i])) == -1)
			catalog_fail(l, "no id \"%s\"", needed[i]);
	c->placepart = parts_of(l, &ids, "places", &c->nplaceparts);
	open_either(l, T_IDS);
	c->servicepart = parts_of(l, &ids, "services", &c->nserviceparts);
	for (k = 0; k < c->nserviceparts; k++)
		if (is_among(c->placepart, c->nplaceparts, c->servicepart[k]))
			catalog_fail(l, "part \"%s\" is one of places and of services", c->servicepart[k]);
	for (k = 0; k < c->nids; k++)
		check_id(l, &ids, k, 0);
}

/* Cut a name into its parts, by the form that the ids row `what` gives. *group: bytes of the name before the last part and what parts it. */
static char **
cut_name(struct load *l, const char *what, const char *name, int nparts, size_t *group)
{
	const struct catalog *c = l->c;
	const struct catalog_text *form = &c->id[catalog_id(c, what, strlen(what))].form;
	char **part = catalog_get(l, (size_t)nparts, sizeof(*part));
	const char *s = name, *end, *last = name;
	int i, n = 0;

	*group = 0;
	for (i = 0; i < form->n; i++) {
		if (form->piece[i].src == SRC_NONE) {
			if (strncmp(s, form->piece[i].text, strlen(form->piece[i].text)) != 0)
				break;
			s += strlen(form->piece[i].text);
			continue;
		}
		end = i + 1 < form->n ? strstr(s, form->piece[i + 1].text) : s + strlen(s);
		if (end == NULL || end == s)
			break;
		part[n++] = catalog_keep(l, s, (size_t)(end - s));
		*group = (size_t)(last - name);
		last = s = end;
	}
	if (i < form->n || *s != '\0')
		catalog_fail(l, "\"%s\" has not the form of id \"%s\"", name, what);
	return part;
}

static void
clocks_of(struct load *l, struct cell x, struct catalog_place *p)
{
	struct catalog_dist d;
	double quarters;
	int i;

	catalog_quantity(l, x, "0", &d, -12, 14, 0);
	if (d.kind != DIST_FIXED && d.kind != DIST_CHOICE)
		catalog_fail(l, "%s: \"%s\" is neither a clock such as -5 nor several such as -5=0.8,-8=0.2", x.name, x.s);
	p->nclocks = d.kind == DIST_FIXED ? 1 : d.n;
	p->clock = catalog_get(l, (size_t)p->nclocks, sizeof(*p->clock));
	for (i = 0; i < p->nclocks; i++) {
		p->clock[i].utc = d.kind == DIST_FIXED ? d.a : d.value[i];
		p->clock[i].weight = d.kind == DIST_FIXED ? 1 : d.weight[i];
		quarters = 4 * p->clock[i].utc;
		if (quarters != (double)(int)quarters)
			catalog_fail(l, "%s: \"%s\" is not a multiple of a quarter of an hour", x.name, x.s);
	}
}

static void
load_places(struct load *l)
{
	enum { PLACE, WEIGHT, LATENCY, ERRORS, UTC };
	static const char *const taken[] = { "any", "same", "other", "home" };
	struct catalog *c = l->c;
	struct catalog_place *p;
	double sum = 0;
	size_t i, group;

	open_needed(l, T_PLACES);
	c->place = catalog_get(l, l->t->nrows, sizeof(*c->place));
	catalog_index_init(l, &l->a->place, l->t->nrows);
	while (catalog_next_row(l)) {
		p = &c->place[c->nplaces];
		p->id = catalog_name_of(l, catalog_cell(l, PLACE));
		for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
			if (strcmp(p->id, taken[i]) == 0)
				catalog_fail(l, "bad name \"%s\": calls and incidents mean something else by it", p->id);
		if (catalog_index_add(&l->a->place, p->id, 0, c->nplaces) != -1)
			catalog_fail(l, "duplicate place \"%s\"", p->id);
		p->weight = catalog_number(l, catalog_cell(l, WEIGHT), 1, 0, MANY);
		p->latency = catalog_positive(l, catalog_cell(l, LATENCY), 1);
		p->errors = catalog_positive(l, catalog_cell(l, ERRORS), 1);
		clocks_of(l, catalog_cell(l, UTC), p);
		p->part = cut_name(l, "places", p->id, c->nplaceparts, &group);
		sum += p->weight;
		c->nplaces++;
	}
	l->row = SIZE_MAX;
	if (sum <= 0)
		catalog_fail(l, "weights sum to 0");
}

static void
load_services(struct load *l)
{
	enum { SERVICE, HOSTS, HOST, RELEASES };
	struct catalog *c = l->c;
	struct catalog_service *s;
	char *host;
	size_t group;

	open_needed(l, T_SERVICES);
	c->service = catalog_get(l, l->t->nrows, sizeof(*c->service));
	catalog_index_init(l, &l->a->service, l->t->nrows);
	while (catalog_next_row(l)) {
		s = &c->service[c->nservices];
		s->id = catalog_name_of(l, catalog_cell(l, SERVICE));
		if (catalog_index_add(&l->a->service, s->id, 0, c->nservices) != -1)
			catalog_fail(l, "duplicate service \"%s\"", s->id);
		s->hosts = catalog_whole(l, catalog_cell(l, HOSTS), 3, 1, 100000);
		host = catalog_cell(l, HOST).s;
		catalog_text_of(l, host[0] == '\0' ? "{service.id}-{n:02}" : host, IN_HOST, &s->host);
		catalog_quantity(l, catalog_cell(l, RELEASES), "5..20", &s->releases, 1, 100000, 1);
		s->part = cut_name(l, "services", s->id, c->nserviceparts, &group);
		s->name = s->part[c->nserviceparts - 1];
		s->group = catalog_keep(l, s->id, group);
		c->nservices++;
	}
}

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
	for (op->type = 0; op->type < c->nobjects && strcmp(c->object[op->type], type) != 0; op->type++)
		;
	if (op->type == c->nobjects)
		c->object[c->nobjects++] = type;
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

	open_needed(l, T_OPERATIONS);
	c->op = catalog_get(l, l->t->nrows, sizeof(*c->op));
	c->object = catalog_get(l, l->t->nrows, sizeof(*c->object));
	catalog_index_init(l, &l->a->op, l->t->nrows);
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

	open_needed(l, T_PERSONAS);
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
	enum { FROM, TO, WHEN, COUNT, STAGE, SHARE, PLACE, TIMEOUT, RETRIES, FAILS, DELAY };
	struct catalog *c = l->c;
	struct catalog_call *k;

	if (!open_either(l, T_CALLS))
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

	open_needed(l, T_CODES);
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

static void
load_logs(struct load *l)
{
	enum { OPERATION, LEVEL, MESSAGE, WHEN };
	static const char *const level[] = { "", "DEBUG", "INFO", "WARN", "ERROR", NULL };
	struct catalog *c = l->c;
	struct catalog_log *k;

	if (!open_either(l, T_LOGS))
		return;
	c->log = catalog_get(l, l->t->nrows, sizeof(*c->log));
	while (catalog_next_row(l)) {
		k = &c->log[c->nlogs++];
		k->op = catalog_ref_of(l, catalog_cell(l, OPERATION).s);
		k->level =
		    catalog_choice(l, catalog_cell(l, LEVEL), level, "DEBUG, INFO, WARN or ERROR") == 0 ? NULL : catalog_cell(l, LEVEL).s;
		catalog_text_of(l, catalog_cell(l, MESSAGE).s, IN_LOG, &k->message);
		catalog_cond_of(l, catalog_cell(l, WHEN).s, IN_LOG, NULL, &k->when);
	}
}

/* The layout of the row at hand: the last one, or a new one. NULL: one of default that the catalog has itself. */
static struct catalog_layout *
layout_of(struct load *l, int own, char *name, enum catalog_record record)
{
	struct catalog *c = l->c;
	struct catalog_layout *k;
	int i = catalog_index_add(&l->a->layout, name, 0, c->nlayouts);

	if (i != -1 && i < own)
		return NULL;
	if (i != -1) {
		if (i != c->nlayouts - 1)
			catalog_fail(l, "layout \"%s\" in two places", name);
		if (c->layout[i].record != record)
			catalog_fail(l, "layout \"%s\" of two records", name);
		return &c->layout[i];
	}
	k = &c->layout[c->nlayouts++];
	k->name = name;
	k->record = record;
	k->blind = strncmp(name, "blind", 5) == 0;
	return k;
}

static void
check_field(struct load *l, const struct index *fields, const struct catalog_layout *k, const struct catalog_field *f, int layout)
{
	const struct catalog_field *last = f - 1;
	int seen = catalog_index_find(fields, f->name, strlen(f->name), layout) != -1;

	if (seen && strcmp(last->name, f->name) != 0)
		catalog_fail(l, "field \"%s\" in two places", f->name);
	if (seen && k->n > 0 && last->when.n == 0)
		catalog_fail(l, "row after the default of field \"%s\"", f->name);
}

static void
layouts_of(struct load *l, int folder, struct catalog_field *field)
{
	enum { LAYOUT, RECORD, FIELD, VALUE, WHEN };
	static const char *const word[] = { "event", "span", "sample", "aggregate", NULL };
	struct catalog *c = l->c;
	struct catalog_layout *k;
	struct catalog_field *f = field;
	struct index fields = { 0 };
	int own = c->nlayouts;
	unsigned where;
	enum catalog_record record;
	char *name;

	if (!catalog_open_table(l, T_LAYOUTS, folder))
		return;
	catalog_index_init(l, &fields, l->t->nrows);
	while (catalog_next_row(l)) {
		name = catalog_name_of(l, catalog_cell(l, LAYOUT));
		record = (enum catalog_record)catalog_choice(l, catalog_cell(l, RECORD), word, "event, span, sample or aggregate");
		if ((k = layout_of(l, own, name, record)) == NULL)
			continue;
		if (k->n == 0)
			k->field = f;
		f->name = catalog_cell(l, FIELD).s;
		if (strcmp(f->name, "*") != 0)
			catalog_check_name(l, f->name);
		else if (catalog_cell(l, VALUE).s[0] != '\0')
			catalog_fail(l, "field \"*\" has no value");
		where = record == RECORD_AGGREGATE ? IN_AGGREGATE : IN_RECORD;
		catalog_text_of(l, catalog_cell(l, VALUE).s, where, &f->value);
		catalog_cond_of(l, catalog_cell(l, WHEN).s, where, NULL, &f->when);
		if (k->blind) {
			catalog_blind_text(l, &f->value);
			catalog_blind_cond(l, &f->when);
		}
		check_field(l, &fields, k, f, (int)(k - c->layout));
		catalog_index_add(&fields, f->name, (int)(k - c->layout), 0);
		k->n++;
		f++;
	}
}

static void
scope_of(struct load *l, struct cell x, struct catalog_incident *k)
{
	char *s = x.s, *item;
	int place;

	k->scope_any = strcmp(s, "any") == 0;
	if (k->scope_any || s[0] == '\0')
		return;
	k->place = catalog_get(l, (size_t)catalog_count_items(s), sizeof(*k->place));
	while ((item = catalog_next_item(l, x.name, &s)) != NULL) {
		if ((place = catalog_place(l->c, item, strlen(item))) == -1)
			catalog_fail(l, "%s: no place \"%s\"", x.name, item);
		k->place[k->nplaces++] = place;
	}
}

static void
load_incidents(struct load *l)
{
	enum { INCIDENT, COMPONENT, ROLE, TYPE, MESSAGE, START, LENGTH, PER_YEAR, RAMP, SCOPE };
	static const char *const role[] = { "cause", "confounder", "fix", NULL };
	struct catalog *c = l->c;
	struct catalog_incident *k;

	if (!open_either(l, T_INCIDENTS))
		return;
	c->incident = catalog_get(l, l->t->nrows, sizeof(*c->incident));
	catalog_index_init(l, &l->a->incident, l->t->nrows);
	while (catalog_next_row(l)) {
		k = &c->incident[c->nincidents];
		k->id = catalog_name_of(l, catalog_cell(l, INCIDENT));
		if (catalog_index_add(&l->a->incident, k->id, 0, c->nincidents++) != -1)
			catalog_fail(l, "duplicate incident \"%s\"", k->id);
		k->component = catalog_name_of(l, catalog_cell(l, COMPONENT));
		if (k->component[0] == '\0')
			k->component = k->id;
		k->role = catalog_cell(l, ROLE).s[0] == '\0'
		    ? ROLE_CAUSE
		    : (enum catalog_role)catalog_choice(l, catalog_cell(l, ROLE), role, "cause, confounder or fix");
		k->type = catalog_name_of(l, catalog_cell(l, TYPE));
		k->message = catalog_cell(l, MESSAGE).s;
		k->scripted = catalog_cell(l, START).s[0] != '\0';
		if (k->scripted)
			k->start = catalog_moment(l, catalog_cell(l, START));
		catalog_quantity(l, catalog_cell(l, LENGTH), NULL, &k->length_min, 0, MANY, 0);
		catalog_quantity(l, catalog_cell(l, PER_YEAR), NULL, &k->per_year, 0, 1e6, 1);
		catalog_quantity(l, catalog_cell(l, RAMP), "0", &k->ramp_min, 0, MANY, 0);
		if (!k->scripted && k->per_year.kind == DIST_NONE)
			catalog_fail(l, "neither start nor per_year");
		if (k->scripted && k->per_year.kind != DIST_NONE)
			catalog_fail(l, "both start and per_year");
		scope_of(l, catalog_cell(l, SCOPE), k);
		k->line = (int)catalog_row_line(l);
	}
}

static void
targets_of(struct load *l, struct cell x, struct catalog_effect *e)
{
	char *s = x.s, *item;

	e->target_all = strcmp(s, "*") == 0;
	e->target_any = strcmp(s, "any") == 0;
	if (e->target_all || e->target_any)
		return;
	e->target = catalog_get(l, (size_t)catalog_count_items(s), sizeof(*e->target));
	while ((item = catalog_next_item(l, x.name, &s)) != NULL)
		e->target[e->ntargets++] = catalog_ref_of(l, item);
}

static void
effect_codes(struct load *l, struct cell x, struct catalog_effect *e)
{
	char *s = x.s, *item;

	if (s[0] == '\0' && e->what == EFFECT_ERRORS)
		catalog_fail(l, "errors without code");
	if (s[0] == '\0')
		return;
	e->code = catalog_get(l, (size_t)catalog_count_items(s), sizeof(*e->code));
	while ((item = catalog_next_item(l, x.name, &s)) != NULL) {
		e->code[e->ncodes] = catalog_code(l->c, item, strlen(item));
		if (e->code[e->ncodes] == -1)
			catalog_fail(l, "%s: no code \"%s\"", x.name, item);
		if (l->c->code[e->code[e->ncodes++]].http < 400)
			catalog_fail(l, "%s: \"%s\" is no failure", x.name, item);
	}
}

static void
load_effects(struct load *l)
{
	enum { INCIDENT, LEVEL, WHAT, TARGET, WHEN, FACTOR, ADD, CODE };
	static const char *const what[] = { "latency", "errors", "traffic", "delay", NULL };
	struct catalog *c = l->c;
	struct catalog_effect *e;
	char *s, *item;

	if (!open_either(l, T_EFFECTS))
		return;
	c->effect = catalog_get(l, l->t->nrows, sizeof(*c->effect));
	while (catalog_next_row(l)) {
		e = &c->effect[c->neffects++];
		s = catalog_cell(l, INCIDENT).s;
		if ((e->incident = catalog_index_find(&l->a->incident, s, strlen(s), 0)) == -1)
			catalog_fail(l, "no incident \"%s\"", s);
		s = catalog_cell(l, LEVEL).s;
		if (s[0] != '\0') {
			e->level = catalog_get(l, (size_t)catalog_count_items(s), sizeof(*e->level));
			while ((item = catalog_next_item(l, "level", &s)) != NULL)
				e->level[e->nlevels++] = item;
		}
		e->what = (enum catalog_what)catalog_choice(l, catalog_cell(l, WHAT), what, "latency, errors, traffic or delay");
		targets_of(l, catalog_cell(l, TARGET), e);
		catalog_cond_of(l, catalog_cell(l, WHEN).s, IN_EARLY, "an effect", &e->when);
		catalog_quantity(l, catalog_cell(l, FACTOR), "1", &e->factor, 0, MANY, 0);
		if (e->what == EFFECT_TRAFFIC && catalog_dist_max(&e->factor) > 1)
			catalog_fail(l, "factor: \"%s\" would add traffic; it can only be taken away, by a factor of 0 to 1",
			    catalog_cell(l, FACTOR).s);
		if (e->what == EFFECT_ERRORS)
			catalog_quantity(l, catalog_cell(l, ADD), "0", &e->add, 0, 1, 0);
		else
			catalog_quantity(l, catalog_cell(l, ADD), "0", &e->add, -MANY, MANY, 0);
		effect_codes(l, catalog_cell(l, CODE), e);
	}
}

void
catalog_load_tables(struct load *l)
{
	struct catalog *c = l->c;
	struct catalog_field *field;

	catalog_index_init(l, &l->a->list, catalog_rows_of(l, T_LISTS));
	c->list = catalog_get(l, catalog_rows_of(l, T_LISTS), sizeof(*c->list));
	lists_of(l, OWN);
	lists_of(l, DEFAULT);
	load_ids(l);
	load_places(l);
	load_services(l);
	load_operations(l);
	load_personas(l);
	load_codes(l);
	load_calls(l);
	load_logs(l);
	catalog_index_init(l, &l->a->layout, catalog_rows_of(l, T_LAYOUTS));
	c->layout = catalog_get(l, catalog_rows_of(l, T_LAYOUTS), sizeof(*c->layout));
	field = catalog_get(l, catalog_rows_of(l, T_LAYOUTS), sizeof(*field));
	layouts_of(l, OWN, field);
	layouts_of(l, DEFAULT, field + l->a->tsv[OWN][T_LAYOUTS].nrows);
	load_incidents(l);
	load_effects(l);
}
