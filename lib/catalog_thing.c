/* Lists, ids, places and services of a catalog. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_impl.h"
#include "num.h"

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
		/* Those of entities are made of their fields: catalog_entity.c reads them. */
		if (strncmp(name, "entity/", 7) != 0)
			catalog_text_of(l, catalog_cell(l, FORM).s, IN_IDS, &c->id[c->nids].form);
		else if (catalog_entity(c, name + 7, strlen(name + 7)) == -1)
			catalog_fail(l, "no entity \"%s\"", name + 7);
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
		    is_among(c->servicepart, c->nserviceparts, part) || catalog_index_find(&l->a->constant, part, strlen(part), 0) != -1 ||
		    strcmp(part, "release") == 0)
			continue;
		if ((k = catalog_id(c, part, strlen(part))) == -1)
			catalog_fail(l, "no part \"%s\"", part);
		check_id(l, ids, k, depth + 1);
		at_id(l, ids, id);
	}
	ids->state[id] = 2;
}

/* og-spans(1) has to read the name of the request out of it: all of it, and no more. */
static void
check_trace(struct load *l, const struct ids *ids)
{
	int id = catalog_id(l->c, "trace_id", 8), hex = 0, other = 0, i;
	const struct catalog_text *form = &l->c->id[id].form;

	for (i = 0; i < form->n; i++) {
		const struct catalog_piece *p = &form->piece[i];

		hex += p->src == SRC_HEX && (p->arg == 12 || p->arg == 16 || p->arg == 32);
		other += p->src != SRC_HEX && p->src != SRC_NONE;
		other += p->src == SRC_HEX && p->arg != 12 && p->arg != 16 && p->arg != 32;
	}
	at_id(l, ids, id);
	if (hex != 1 || other != 0)
		catalog_fail(l, "trace_id: neither {hex:32}, {hex:16} nor {hex:12} with text around it");
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
	catalog_open_either(l, T_IDS);
	if (l->t->text == NULL)
		catalog_fail_at(l, T_IDS, 0, "no such table");
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (catalog_id(c, needed[i], strlen(needed[i])) == -1)
			catalog_fail(l, "no id \"%s\"", needed[i]);
	c->placepart = parts_of(l, &ids, "places", &c->nplaceparts);
	catalog_open_either(l, T_IDS);
	c->servicepart = parts_of(l, &ids, "services", &c->nserviceparts);
	for (k = 0; k < c->nserviceparts; k++)
		if (is_among(c->placepart, c->nplaceparts, c->servicepart[k]))
			catalog_fail(l, "part \"%s\" is one of places and of services", c->servicepart[k]);
	for (k = 0; k < c->nids; k++)
		if (strncmp(c->id[k].id, "entity/", 7) != 0)
			check_id(l, &ids, k, 0);
	check_trace(l, &ids);
}

/* Cut a name into its parts, by the form that the ids row `what` gives. *group: bytes of the name up to the part before the last. */
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

	catalog_open_needed(l, T_PLACES);
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

	catalog_open_needed(l, T_SERVICES);
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

void
catalog_load_things(struct load *l)
{
	struct catalog *c = l->c;

	catalog_index_init(l, &l->a->list, catalog_rows_of(l, T_LISTS));
	c->list = catalog_get(l, catalog_rows_of(l, T_LISTS), sizeof(*c->list));
	lists_of(l, OWN);
	lists_of(l, DEFAULT);
	load_ids(l);
	load_places(l);
	load_services(l);
	catalog_find_pools(l);
}
