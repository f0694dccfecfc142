#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inventory_impl.h"
#include "mix.h"

#define CHUNK (64 * 1024)
#define WORK_MAX 10000 /* texts that are made for one */
#define DEEP_MAX 32    /* conditions and names of lists that are looked at for each other */
#define DOMAIN 120     /* what these draws are for; the world's are other numbers */

/* What is held lives as long as the inventory: chunks in a list. */
struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

int
inventory_fail(struct inventory *v, const char *fmt, ...)
{
	va_list ap;

	if (v->failed)
		return -1;
	v->failed = 1;
	va_start(ap, fmt);
	(void)vsnprintf(v->err, v->errsize, fmt, ap);
	va_end(ap);
	return -1;
}

/* Zeroed; NULL with the message. */
void *
inventory_get(struct inventory *v, size_t n, size_t size)
{
	struct chunk *k = v->arena;
	size_t need = (n * size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	void *p;

	if (k == NULL || k->size - k->used < need) {
		size_t most = need > CHUNK ? need : CHUNK;

		if ((k = malloc(sizeof(*k) + most)) == NULL) {
			(void)inventory_fail(v, "%s", strerror(errno));
			return NULL;
		}
		*k = (struct chunk){ .next = v->arena, .size = most };
		v->arena = k;
	}
	p = k->data + k->used;
	k->used += need;
	return memset(p, 0, need);
}

struct thing *
inventory_find(const struct inventory *v, struct thing *t, int entity)
{
	while (t != NULL && t->origin->entity != entity)
		switch (v->via[(size_t)(t->origin - v->c->origin) * (size_t)v->c->nentities + (size_t)entity]) {
		case VIA_PER:
			t = t->per;
			break;
		case VIA_OF:
			t = t->of;
			break;
		default:
			t = NULL;
		}
	return t;
}

static uint64_t
text_name(const struct inventory_text *x)
{
	return mix_name(x->p, x->n);
}

/* The nearest field that names one of the entity. */
static uint64_t
foreign_name(struct inventory *v, struct thing *t, int entity)
{
	const struct inventory_text *x;
	uint64_t name;
	int field;

	if (t == NULL)
		return 0;
	field = v->foreign[t->origin->entity * v->c->nentities + entity];
	if (field != -1) {
		x = field < t->made - 1 ? t->text : inventory_texts(v, t);
		return x == NULL ? 0 : text_name(&x[v->kind[t->origin->entity].text[field + 1]]);
	}
	name = foreign_name(v, t->per, entity);
	return name != 0 ? name : foreign_name(v, t->of, entity);
}

uint64_t
inventory_under(struct inventory *v, struct thing *t, int entity)
{
	struct thing *a = inventory_find(v, t, entity);
	const struct inventory_text *x;

	if (a == NULL)
		return foreign_name(v, t, entity);
	x = inventory_texts(v, a);
	return x == NULL ? 0 : text_name(&x[v->kind[entity].text[0]]);
}

/* From an origin to an entity: the side on which it is found. */
static int
way_to(const struct catalog *c, const struct catalog_origin *o, int entity)
{
	const int side[] = { o->per, o->of == FROM_ENTITY ? o->other : -1 };

	for (int k = 0; k < 2; k++)
		if (side[k] == entity)
			return k == 0 ? VIA_PER : VIA_OF;
	for (int k = 0; k < 2; k++)
		if (side[k] != -1 && catalog_above(c, side[k], entity))
			return k == 0 ? VIA_PER : VIA_OF;
	return VIA_NONE;
}

static void
keep_text(struct kind *k, int field)
{
	if (k->text != NULL && k->text[field + 1] == -1)
		k->text[field + 1] = k->ntexts++;
}

/* Which texts do others show? */
static void
keep_shown(struct inventory *v, const struct catalog_form *f)
{
	for (int i = 0; i < f->n; i++) {
		const struct catalog_slot *s = &f->slot[i];

		if ((s->hole == HOLE_FIELD || s->hole == HOLE_CIDR) && s->entity != -1 && s->field != FIELD_ITEM)
			keep_text(&v->kind[s->entity], s->field);
		keep_shown(v, &s->inner);
	}
}

static void
keep_tested(struct inventory *v, const struct catalog_tests *t)
{
	for (int i = 0; i < t->n; i++)
		if (t->test[i].entity != -1 && t->test[i].field != FIELD_ITEM)
			keep_text(&v->kind[t->test[i].entity], t->test[i].field);
}

/* Fields that stand for an ancestor which is none by origin: "provider_type_id". */
static void
keep_foreign(struct inventory *v, int entity)
{
	const struct catalog *c = v->c;
	size_t n = strlen(c->entity[entity].id);

	for (int e = 0; e < c->nentities; e++) {
		const struct catalog_entity *x = &c->entity[e];

		if (e == entity || way_to(c, &c->origin[x->origin], entity) != VIA_NONE)
			continue;
		for (int i = 0; i < x->nproperties; i++) {
			const char *name = x->property[i].name;

			if (strncmp(name, c->entity[entity].id, n) != 0 || strcmp(name + n, "_id") != 0)
				continue;
			v->foreign[e * c->nentities + entity] = (short)i;
			keep_text(&v->kind[e], i);
		}
	}
}

static void
keep_texts(struct inventory *v)
{
	const struct catalog *c = v->c;

	for (int e = 0; e < c->nentities; e++) {
		const struct catalog_entity *x = &c->entity[e];

		if (x->form.n > 0)
			keep_text(&v->kind[e], FIELD_ID);
		for (int i = 0; i < x->nproperties; i++)
			for (int w = 0; w < x->property[i].nways; w++) {
				const struct catalog_way *way = &x->property[i].way[w];

				keep_shown(v, &way->value);
				keep_tested(v, &way->when);
				for (int k = 0; k < way->value.n; k++)
					if (way->value.slot[k].hole == HOLE_REF && way->value.slot[k].under != -1)
						keep_foreign(v, way->value.slot[k].under);
			}
	}
	for (const struct catalog_origin *o = c->origin; o < c->origin + c->norigins; o++) {
		keep_shown(v, &o->family);
		keep_tested(v, &o->when);
		for (int i = 0; i < o->nmatch; i++)
			keep_foreign(v, o->match[i].entity);
	}
}

/* The entities of which places need some: what a deployment is made of. */
static void
force(struct inventory *v, int entity)
{
	const struct catalog *c = v->c;

	if (entity == -1 || v->kind[entity].forced)
		return;
	v->kind[entity].forced = 1;
	for (int i = 0; i < c->entity[entity].norigins; i++) {
		const struct catalog_origin *o = &c->origin[c->entity[entity].origin + i];

		force(v, o->per);
		force(v, o->of == FROM_ENTITY ? o->other : -1);
	}
}

static void
add_wanted(struct inventory *v, const char *s, size_t n)
{
	uint64_t name = mix_name(s, n);
	size_t i = (size_t)name & v->mask;

	while (v->wanted[i] != 0 && v->wanted[i] != name)
		i = (i + 1) & v->mask;
	v->wanted[i] = name;
}

/* A place's id and all that its parts, from the first on, spell. */
static int
want_places(struct inventory *v)
{
	const struct catalog *c = v->c;
	const struct catalog_text *form = &c->id[catalog_id(c, "places", 6)].form;
	size_t slots = 16;

	while (slots < 2 * (size_t)c->nplaces * (size_t)(form->n + 1))
		slots *= 2;
	if ((v->wanted = inventory_get(v, slots, sizeof(*v->wanted))) == NULL)
		return -1;
	v->mask = slots - 1;
	for (int p = 0; p < c->nplaces; p++) {
		size_t n = 0;
		int part = 0;

		for (int i = 0; i < form->n; i++) {
			n += strlen(form->piece[i].src == SRC_NONE ? form->piece[i].text : c->place[p].part[part]);
			part += form->piece[i].src != SRC_NONE;
			if (form->piece[i].src != SRC_NONE)
				add_wanted(v, c->place[p].id, n);
		}
	}
	return 0;
}

static void
measure_lists(struct inventory *v)
{
	const struct catalog *c = v->c;

	v->longest = 20;
	for (int i = 0; i < c->nlists; i++)
		for (int k = 0; k < c->list[i].n; k++) {
			size_t n = strlen(c->list[i].item[k]);

			v->longest = n > v->longest ? n : v->longest;
		}
	for (int e = 0; e < c->nentities; e++)
		v->kind[e].bits = catalog_list_bits(c, e);
}

/* All rows of an entity are made for, and of, the same entities. */
static int
has_one_way(const struct catalog *c, int entity)
{
	const struct catalog_entity *e = &c->entity[entity];

	for (int i = 1; i < e->norigins; i++) {
		const struct catalog_origin *o = &c->origin[e->origin + i];

		if (o->per != o[-1].per || o->of != o[-1].of || o->other != o[-1].other)
			return 0;
	}
	return 1;
}

int
inventory_has_releases(const struct catalog *c)
{
	int e = catalog_entity(c, "release", 7);
	const struct catalog_origin *o, *b;

	if (e == -1)
		return 0;
	o = &c->origin[c->entity[e].origin];
	if (o->per == -1 || o->of != FROM_ENTITY || c->entity[e].form.n == 0 || c->entity[o->per].form.n == 0)
		return 0;
	b = &c->origin[c->entity[o->other].origin];
	return b->of == FROM_NUMBERS && b->per != -1 && has_one_way(c, e) && has_one_way(c, o->other);
}

/* A part of a field is as deep and as much work as what it shows, looks at and names lists by. */
static void
weigh_part(struct inventory *v, int entity, int of, int field, struct weight *w)
{
	const struct weight *x;

	if (field == FIELD_ITEM)
		return;
	x = &v->kind[of == -1 ? entity : of].weight[field + 1];
	w->work += of == -1 ? x->work : 1;
	w->deep = x->deep > w->deep ? x->deep : w->deep;
}

static void
weigh_form(struct inventory *v, int entity, const struct catalog_form *f, struct weight *w)
{
	for (int i = 0; i < f->n; i++) {
		const struct catalog_slot *s = &f->slot[i];
		struct weight inner = { 0 };

		if (s->hole == HOLE_FIELD || (s->hole == HOLE_CIDR && s->entity != -1))
			weigh_part(v, entity, s->entity, s->field, w);
		weigh_form(v, entity, &s->inner, &inner);
		w->work += inner.work;
		w->deep = inner.deep + (s->inner.n > 0) > w->deep ? inner.deep + (s->inner.n > 0) : w->deep;
	}
}

/* What is above an entity, its fields, and last its id, which shows them. */
static int
weigh(struct inventory *v, int entity)
{
	const struct catalog_entity *e = &v->c->entity[entity];

	if (v->kind[entity].weight != NULL)
		return 0;
	if ((v->kind[entity].weight = inventory_get(v, (size_t)e->nproperties + 1, sizeof(struct weight))) == NULL)
		return -1;
	for (int a = 0; a < v->c->nentities; a++)
		if (catalog_above(v->c, entity, a) && weigh(v, a) == -1)
			return -1;

	for (int i = 0; i <= e->nproperties; i++) {
		struct weight *w = &v->kind[entity].weight[(i + 1) % (e->nproperties + 1)], tests = { 0 };

		w->work = 1;
		if (i == e->nproperties)
			weigh_form(v, entity, &e->form, w);
		for (int k = 0; i < e->nproperties && k < e->property[i].nways; k++) {
			const struct catalog_tests *when = &e->property[i].way[k].when;

			for (int t = 0; t < when->n; t++)
				weigh_part(v, entity, when->test[t].entity, when->test[t].field, &tests);
			tests.deep += when->n > 0;
			weigh_form(v, entity, &e->property[i].way[k].value, w);
		}
		w->work += tests.work;
		w->deep = tests.deep > w->deep ? tests.deep : w->deep;
		if (w->work > WORK_MAX || w->deep > DEEP_MAX)
			return inventory_fail(v, "%s/layouts.tsv: %s of entity \"%s\" leans on too many conditions, one upon the other",
			    v->c->dir, i == e->nproperties ? "the id" : e->property[i].name, e->id);
	}
	return 0;
}

/* The names of lists of an entity are no longer than they may be. */
static int
names_fit(struct inventory *v, int entity)
{
	const struct catalog *c = v->c;
	const struct catalog_entity *e = &c->entity[entity];

	for (const struct catalog_origin *o = c->origin + e->origin; o < c->origin + e->origin + e->norigins; o++)
		if (inventory_form_most(v, entity, &o->family) > INVENTORY_LIST_MAX)
			return inventory_fail(
			    v, "%s/entities.tsv:%d: the name of a list can be longer than %d bytes", c->dir, o->line, INVENTORY_LIST_MAX);
	for (const struct catalog_property *p = e->property; p < e->property + e->nproperties; p++)
		for (int w = 0; w < p->nways; w++)
			for (int i = 0; i < p->way[w].value.n; i++)
				if (inventory_form_most(v, entity, &p->way[w].value.slot[i].inner) > INVENTORY_LIST_MAX)
					return inventory_fail(v, "%s/layouts.tsv:%d: the name of a list can be longer than %d bytes",
					    c->dir, p->line, INVENTORY_LIST_MAX);
	return 0;
}

/* The kept texts of a thing fit into its frame, and a row into a line. */
static int
make_rooms(struct inventory *v)
{
	const struct catalog *c = v->c;

	for (int e = 0; e < c->nentities; e++)
		if (weigh(v, e) == -1 || names_fit(v, e) == -1)
			return -1;
	for (int e = 0; e < c->nentities; e++) {
		struct kind *k = &v->kind[e];
		size_t row = strlen(c->entity[e].id) + 64;

		for (int f = FIELD_ID; f < c->entity[e].nproperties; f++) {
			size_t n = f == FIELD_ID && c->entity[e].form.n == 0 ? 0 : inventory_most(v, e, f);

			if (n > INVENTORY_TEXT_MAX)
				return inventory_fail(v, "%s/layouts.tsv: %s of entity \"%s\" can be longer than %d bytes", c->dir,
				    f == FIELD_ID ? "the id" : c->entity[e].property[f].name, c->entity[e].id, INVENTORY_TEXT_MAX);
			k->room += k->text[f + 1] == -1 ? 0 : n;
			row += f == FIELD_ID ? 0 : 6 * n + strlen(c->entity[e].property[f].name) + 16;
		}
		if (row > OUT_LINE_MAX)
			return inventory_fail(v, "%s/layouts.tsv: a row of \"%s\" can be longer than 1 MiB", c->dir, c->entity[e].id);
		k->line = row;
		k->frame.text = inventory_get(v, (size_t)k->ntexts + 1, sizeof(*k->frame.text));
		if (k->frame.text == NULL || (k->buf = inventory_get(v, k->room + 1, 1)) == NULL)
			return -1;
	}
	return 0;
}

static int
set_up(struct inventory *v)
{
	const struct catalog *c = v->c;
	size_t n = (size_t)c->nentities;

	v->kind = inventory_get(v, n, sizeof(*v->kind));
	v->via = inventory_get(v, (size_t)c->norigins * n, 1);
	v->foreign = inventory_get(v, n * n, sizeof(*v->foreign));
	v->by_origin = inventory_get(v, (size_t)c->norigins, sizeof(*v->by_origin));
	v->by_ref = inventory_get(v, (size_t)c->nrefs + 1, sizeof(*v->by_ref));
	v->raw = inventory_get(v, INVENTORY_TEXT_MAX + 1, 1);
	if (v->failed)
		return -1;
	for (size_t i = 0; i < n * n; i++)
		v->foreign[i] = -1;
	for (int o = 0; o < c->norigins; o++)
		for (int e = 0; e < c->nentities; e++)
			v->via[(size_t)o * n + (size_t)e] = (signed char)way_to(c, &c->origin[o], e);
	for (int e = 0; e < c->nentities; e++) {
		size_t texts = (size_t)c->entity[e].nproperties + 2;

		v->kind[e].text = inventory_get(v, texts, sizeof(*v->kind[e].text));
		v->kind[e].most = inventory_get(v, texts, sizeof(*v->kind[e].most));
		if (v->kind[e].text == NULL || v->kind[e].most == NULL)
			return -1;
		for (size_t i = 0; i < texts; i++)
			v->kind[e].text[i] = -1;
	}
	keep_texts(v);
	measure_lists(v);
	v->release = inventory_has_releases(c) ? catalog_entity(c, "release", 7) : -1;
	for (int i = 0; v->release != -1 && i < c->entity[v->release].norigins; i++) {
		const struct catalog_origin *o = &c->origin[c->entity[v->release].origin + i];

		force(v, o->per);
		v->kind[o->other].built = 1;
	}
	return want_places(v) == -1 || make_rooms(v) == -1 ? -1 : 0;
}

struct inventory *
inventory_open(const struct catalog *c, uint64_t seed, int64_t begin, int64_t end, double factor, char *err, size_t errsize)
{
	struct inventory *v = calloc(1, sizeof(*v));

	if (v == NULL) {
		(void)snprintf(err, errsize, "%s", strerror(errno));
		return NULL;
	}
	v->c = c;
	v->seed = seed;
	v->key = mix(mix(mix(seed + MIX_G) + DOMAIN * MIX_G) ^ mix_name(c->name, strlen(c->name)));
	v->begin = begin;
	v->end = end;
	v->factor = factor;
	v->rounds = (int)factor + (factor > (double)(int)factor);
	v->thinned = factor - (double)(v->rounds - 1);
	v->err = err;
	v->errsize = errsize;
	if (set_up(v) == 0)
		return v;
	inventory_free(v);
	return NULL;
}

void
inventory_free(struct inventory *v)
{
	if (v == NULL)
		return;
	for (int e = 0; v->kind != NULL && e < v->c->nentities; e++) {
		free(v->kind[e].held);
		free(v->kind[e].candidate);
		free(v->kind[e].order);
	}
	for (int i = 0; v->by_origin != NULL && i < v->c->norigins; i++)
		free(v->by_origin[i].entry);
	for (int i = 0; v->by_ref != NULL && i < v->c->nrefs; i++)
		free(v->by_ref[i].entry);
	free(v->build);
	for (struct chunk *k = v->arena, *next; k != NULL; k = next) {
		next = k->next;
		free(k);
	}
	free(v);
}
