/* Which things there are: what is taken of what for each parent, and what is held of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inventory_impl.h"
#include "mix.h"

#define SHORT 64 /* candidates that are put in order by insertion */

/* Words of the key of a choice and of a thing. */
enum { WORD_COUNT, WORD_RANK, WORD_THIN };

static uint64_t
key_of(const struct inventory *v, const struct thing *per)
{
	return per == NULL ? v->key : per->key;
}

/* Room for more candidates of an entity. */
static struct candidate *
add_candidate(struct inventory *v, struct kind *k)
{
	if (k->ncandidates == k->room_candidates) {
		size_t most = k->room_candidates == 0 ? 64 : k->room_candidates * 2;
		void *larger = reallocarray(k->candidate, most, sizeof(*k->candidate));

		if (larger != NULL) {
			k->candidate = larger;
			larger = reallocarray(k->order, most, sizeof(struct candidate *));
		}
		if (larger == NULL) {
			(void)inventory_fail(v, "%s", strerror(errno));
			return NULL;
		}
		k->order = larger;
		k->room_candidates = most;
	}
	k->candidate[k->ncandidates] = (struct candidate){ 0 };
	return &k->candidate[k->ncandidates++];
}

static int
list_items(struct inventory *v, const struct catalog_origin *o, struct thing *per, struct kind *k)
{
	const struct catalog *c = v->c;
	const struct catalog_list *list;
	char name[INVENTORY_LIST_MAX + 1];
	uint32_t odd = 0;
	int at = o->list;

	if (at == -1) {
		size_t n = (size_t)(inventory_form_put(v, per, &o->family, 0, name, &odd) - name);

		if ((at = catalog_list(c, name, n)) == -1)
			return inventory_fail(v, "%s/entities.tsv:%d: no list \"%.*s\"", c->dir, o->line, (int)n, name);
	}
	list = &c->list[at];
	for (int i = 0; i < list->n; i++) {
		struct candidate *x = add_candidate(v, k);

		if (x == NULL)
			return -1;
		x->item = list->item[i];
		x->key = mix_name(x->item, strlen(x->item));
		x->nth = i;
	}
	return 0;
}

/* Those of another entity, under the same ancestors or under others. */
static int
others(struct inventory *v, const struct catalog_origin *o, struct thing *per, int round, struct kind *k)
{
	struct groups *g = &v->by_origin[o - v->c->origin];
	struct kind *of = &v->kind[o->other];
	const struct group_entry *e;
	uint64_t key = 0, part;
	int under[16], nunder = 0;
	size_t n;

	for (int i = 0; i < o->nmatch && nunder < 16; i++)
		if (!o->match[i].differs) {
			under[nunder++] = o->match[i].entity;
			if ((part = inventory_under(v, per, o->match[i].entity)) == 0)
				return 0;
			key = mix(key + part);
		}
	if ((e = inventory_group(v, g, o->other, under, nunder, key, &n)) == NULL)
		return v->failed ? -1 : 0;
	for (size_t i = 0; i < n; i++) {
		struct thing *t = &of->held[e[i].thing];
		struct candidate *x;
		int good = t->round <= round;

		for (int m = 0; m < o->nmatch && good; m++)
			if (o->match[m].differs)
				good = inventory_under(v, t, o->match[m].entity) != inventory_under(v, per, o->match[m].entity);
		if (!good || !inventory_holds(v, &o->when, t, o, VIA_OF))
			continue;
		if ((x = add_candidate(v, k)) == NULL)
			return -1;
		x->of = t;
		x->key = t->key;
	}
	return 0;
}

/* Numbers from 1 on; or, where they are builds, those of the time. */
static int
numbers(struct inventory *v, const struct catalog_origin *o, struct thing *per, struct kind *k)
{
	uint64_t key = mix(key_of(v, per) ^ o->name), n = 0;

	if (k->built) {
		if (inventory_builds(v->c, key, &o->count, v->begin, v->end, 1, &v->build, &v->nbuilds, &v->maxbuilds) == -1)
			return inventory_fail(v, "%s", strerror(errno));
		n = (uint64_t)v->nbuilds;
	} else
		n = (uint64_t)catalog_draw(&o->count, mix_at(key, WORD_COUNT));
	for (uint64_t i = 0; i < n; i++) {
		struct candidate *x = add_candidate(v, k);

		if (x == NULL)
			return -1;
		x->build = k->built ? &v->build[i] : NULL;
		x->number = k->built ? x->build->number : i + 1;
		x->key = k->built ? x->build->key : mix(i + 1);
		x->taken = 1;
	}
	return 0;
}

/* Make the thing of a candidate and of an item of a second list. */
static struct thing *
fill(struct inventory *v, const struct catalog_origin *o, struct thing *per, const struct candidate *x, int each, int round)
{
	const struct catalog_list *list = o->each == -1 ? NULL : &v->c->list[o->each];
	struct thing *t = &v->kind[o->entity].frame;
	uint64_t part = round == 0 ? x->key : mix(x->key + (uint64_t)round);

	t->origin = o;
	t->per = per;
	t->of = x->of;
	t->draw = t->key = mix(key_of(v, per) ^ mix(part + v->c->entity[o->entity].key));
	t->item = list == NULL ? x->item : list->item[each];
	t->nitem = t->item == NULL ? 0 : (uint32_t)strlen(t->item);
	if (list != NULL)
		t->key = mix(t->key + mix_name(t->item, t->nitem));
	t->nth = x->nth;
	t->number = x->number;
	t->build = x->build;
	t->round = round;
	t->absent = (per != NULL && per->absent) || (x->of != NULL && x->of->absent);
	if (per != NULL && per->round > t->round)
		t->round = per->round;
	if (x->of != NULL && x->of->round > t->round)
		t->round = x->of->round;
	t->ready = t->made = 0;
	return t;
}

/* Does a place need it? */
static int
is_wanted(struct inventory *v, struct thing *t)
{
	const struct kind *k = &v->kind[t->origin->entity];
	const struct inventory_text *x;
	uint64_t name;
	size_t i;

	if (!k->forced || k->text[0] == -1 || (x = inventory_texts(v, t)) == NULL)
		return 0;
	x += k->text[0];
	name = mix_name(x->p, x->n);
	for (i = (size_t)name & v->mask; v->wanted[i] != 0; i = (i + 1) & v->mask)
		if (v->wanted[i] == name)
			return 1;
	return 0;
}

static int
order_ranks(const void *one, const void *two)
{
	const struct candidate *a = *(struct candidate *const *)one, *b = *(struct candidate *const *)two;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* Take the n of lowest rank. */
static void
take_lowest(struct kind *k, size_t n)
{
	for (size_t i = 0; i < k->ncandidates; i++) {
		size_t at = i;

		if (k->ncandidates <= SHORT)
			for (; at > 0 && k->order[at - 1]->rank > k->candidate[i].rank; at--)
				k->order[at] = k->order[at - 1];
		k->order[at] = &k->candidate[i];
	}
	if (k->ncandidates > SHORT)
		qsort(k->order, k->ncandidates, sizeof(struct candidate *), order_ranks);
	for (size_t i = 0; i < n && i < k->ncandidates; i++)
		k->order[i]->taken = 1;
}

/* What is taken of the candidates: each by its own word, so that no other one, and none that comes later, decides about it. */
static int
choose(struct inventory *v, const struct catalog_origin *o, struct thing *per, int round, struct kind *k)
{
	uint64_t key = mix_part(mix(key_of(v, per) ^ o->name), (uint64_t)round);
	size_t n = k->ncandidates;

	if (o->many == MANY_ALL || o->of == FROM_NUMBERS) {
		for (size_t i = 0; i < n; i++)
			k->candidate[i].taken = 1;
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		struct candidate *x = &k->candidate[i];

		x->rank = mix_at(mix_part(key, x->key), WORD_RANK);
		if (k->forced && round == 0 && is_wanted(v, fill(v, o, per, x, 0, round)))
			x->rank = 0;
		x->taken = o->many == MANY_SHARE ? i < (size_t)o->least || x->rank == 0 || mix_share(x->rank) < o->share
						 : o->many == MANY_LAST && i + (size_t)o->least >= n;
	}
	if (o->many == MANY_DRAWN)
		take_lowest(k, (size_t)catalog_draw(&o->count, mix_at(key, WORD_COUNT)));
	return v->failed ? -1 : 0;
}

/* Of the last round of what a factor multiplies only a share is there. */
static int
thin(struct inventory *v, struct thing *t, int round)
{
	return v->thinned < 1 && round == v->rounds - 1 && mix_share(mix_at(t->key, WORD_THIN)) >= v->thinned && !is_wanted(v, t);
}

static int
grow_round(struct inventory *v, const struct catalog_origin *o, struct thing *per, int round, inventory_visit *visit, void *arg)
{
	struct kind *k = &v->kind[o->entity];
	int scaled = o->entity == v->c->set.inventory_scale, each = o->each == -1 ? 1 : v->c->list[o->each].n, stop;
	int seen = per == NULL || per->round < round ? round : per->round;

	k->ncandidates = 0;
	stop = o->of == FROM_LIST ? list_items(v, o, per, k) : o->of == FROM_ENTITY ? others(v, o, per, seen, k) : numbers(v, o, per, k);
	if (stop != 0 || choose(v, o, per, round, k) == -1)
		return -1;
	for (size_t i = 0; i < k->ncandidates; i++)
		for (int e = 0; e < each && k->candidate[i].taken; e++) {
			struct thing *t = fill(v, o, per, &k->candidate[i], e, round);

			t->absent |= scaled && thin(v, t, round);
			if (t->absent && !v->whole)
				continue;
			if ((stop = visit(v, t, arg)) != 0)
				return stop;
		}
	return 0;
}

int
inventory_grow(struct inventory *v, const struct catalog_origin *o, struct thing *per, inventory_visit *visit, void *arg)
{
	int rounds = o->entity == v->c->set.inventory_scale ? v->rounds : 1, stop = 0;

	if (per != NULL && !inventory_holds(v, &o->when, per, o, VIA_PER))
		return v->failed ? -1 : 0;
	for (int round = 0; round < rounds && stop == 0; round++)
		stop = grow_round(v, o, per, round, visit, arg);
	return stop;
}

struct growing {
	const struct catalog_origin *origin;
	inventory_visit *visit;
	void *arg;
};

static int
grow_child(struct inventory *v, struct thing *per, void *arg)
{
	const struct growing *g = arg;

	return inventory_grow(v, g->origin, per, g->visit, g->arg);
}

int
inventory_each(struct inventory *v, int entity, inventory_visit *visit, void *arg)
{
	const struct catalog_entity *e = &v->c->entity[entity];
	struct kind *k = &v->kind[entity];
	int stop = 0;

	for (size_t i = 0; k->is_held && i < k->nheld && stop == 0; i++)
		if (!k->held[i].absent || v->whole)
			stop = visit(v, &k->held[i], arg);
	for (int i = 0; !k->is_held && i < e->norigins && stop == 0; i++) {
		struct growing g = { &v->c->origin[e->origin + i], visit, arg };

		stop =
		    g.origin->per == -1 ? inventory_grow(v, g.origin, NULL, visit, arg) : inventory_each(v, g.origin->per, grow_child, &g);
	}
	return stop;
}

struct holding {
	struct kind *kind;
	size_t room;
};

static int
hold_thing(struct inventory *v, struct thing *t, void *arg)
{
	struct holding *h = arg;
	struct kind *k = h->kind;
	const struct inventory_text *text = inventory_texts(v, t);
	struct thing *to;
	size_t n = 0;
	char *p;

	if (text == NULL)
		return -1;
	if (k->nheld == h->room) {
		size_t most = h->room == 0 ? 64 : h->room * 2;

		if ((to = reallocarray(k->held, most, sizeof(*to))) == NULL)
			return inventory_fail(v, "%s", strerror(errno));
		k->held = to;
		h->room = most;
	}
	for (int i = 0; i < k->ntexts; i++)
		n += text[i].n;
	to = &k->held[k->nheld];
	*to = *t;
	to->text = inventory_get(v, (size_t)k->ntexts * sizeof(*text) + n + 1, 1);
	if (to->text == NULL)
		return -1;
	p = (char *)(to->text + k->ntexts);
	for (int i = 0; i < k->ntexts; i++) {
		to->text[i] = text[i];
		to->text[i].p = memcpy(p, text[i].p, text[i].n);
		p += text[i].n;
	}
	if (t->build != NULL) {
		struct inventory_build *b = inventory_get(v, 1, sizeof(*b));

		if (b == NULL)
			return -1;
		*b = *t->build;
		to->build = b;
	}
	k->nheld++;
	return 0;
}

/* Things that others refer to are held, and so are those that they are made of. */
static int
hold(struct inventory *v, int entity)
{
	const struct catalog_entity *e = &v->c->entity[entity];
	struct kind *k = &v->kind[entity];
	struct holding h = { .kind = k };

	if (k->is_held)
		return 0;
	for (int i = e->origin; i < e->origin + e->norigins; i++)
		if (v->c->origin[i].per != -1 && hold(v, v->c->origin[i].per) == -1)
			return -1;
	if (inventory_prepare(v, entity) == -1)
		return -1;
	v->whole++;
	if (inventory_each(v, entity, hold_thing, &h) != 0)
		return -1;
	v->whole--;
	k->is_held = 1;
	return 0;
}

int
inventory_prepare(struct inventory *v, int entity)
{
	const struct catalog_entity *e = &v->c->entity[entity];

	if (v->kind[entity].prepared)
		return 0;
	v->kind[entity].prepared = 1;
	for (int i = e->origin; i < e->origin + e->norigins; i++) {
		const struct catalog_origin *o = &v->c->origin[i];

		if (o->per != -1 && inventory_prepare(v, o->per) == -1)
			return -1;
		if (o->of == FROM_ENTITY && hold(v, o->other) == -1)
			return -1;
	}
	for (int i = 0; i < e->nproperties; i++)
		for (int w = 0; w < e->property[i].nways; w++)
			for (int s = 0; s < e->property[i].way[w].value.n; s++) {
				const struct catalog_slot *p = &e->property[i].way[w].value.slot[s];

				if (p->hole == HOLE_REF && hold(v, p->entity) == -1)
					return -1;
			}
	return 0;
}

static int
order_entries(const void *one, const void *two)
{
	const struct group_entry *a = one, *b = two;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->thing < b->thing ? -1 : a->thing > b->thing;
}

/* A group with name 0 is that of things without such an ancestor. */
static int
make_groups(struct inventory *v, struct groups *g, int entity, const int *under, int nunder)
{
	struct kind *k = &v->kind[entity];

	if ((g->entry = reallocarray(NULL, k->nheld + 1, sizeof(*g->entry))) == NULL)
		return inventory_fail(v, "%s", strerror(errno));
	for (size_t i = 0; i < k->nheld; i++) {
		uint64_t key = 0, part = 1;

		for (int u = 0; u < nunder && part != 0; u++)
			if ((part = inventory_under(v, &k->held[i], under[u])) != 0)
				key = mix(key + part);
		if (part != 0)
			g->entry[g->n++] = (struct group_entry){ key, (uint32_t)i };
	}
	if (nunder > 0)
		qsort(g->entry, g->n, sizeof(*g->entry), order_entries);
	return 0;
}

const struct group_entry *
inventory_group(struct inventory *v, struct groups *g, int entity, const int *under, int nunder, uint64_t key, size_t *n)
{
	size_t lo = 0, hi, end;

	*n = 0;
	if (g->entry == NULL && make_groups(v, g, entity, under, nunder) == -1)
		return NULL;
	for (hi = g->n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;

		if (g->entry[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (end = lo; end < g->n && g->entry[end].key == key;)
		end++;
	*n = end - lo;
	return g->entry + lo;
}

/* Things pass by, and with them what names their lists. */
static int
find_list(struct inventory *v, struct thing *t, void *arg)
{
	return arg != NULL && inventory_list(v, t, arg) == -1 ? -1 : 0;
}

/* A hole that names a list by what one entity has is tried with all of that, by its own item with all of its own. */
static int
check_slot(struct inventory *v, int entity, struct catalog_slot *s)
{
	int of = -1;

	if (s->list != -1 || s->inner.n == 0)
		return 0;
	for (int i = 0; i < s->inner.n; i++) {
		const struct catalog_slot *inner = &s->inner.slot[i];
		int e = inner->hole == HOLE_FIELD && inner->entity != -1 ? inner->entity : entity;

		if (inner->hole != HOLE_NONE)
			of = of == -1 || of == e ? e : entity;
	}
	return of == -1 ? 0 : inventory_prepare(v, of) == -1 ? -1 : inventory_each(v, of, find_list, s);
}

int
inventory_check(struct inventory *v, char *err, size_t errsize)
{
	const struct catalog *c = v->c;

	v->err = err;
	v->errsize = errsize;
	for (const struct catalog_origin *o = c->origin; o < c->origin + c->norigins; o++)
		if (o->of == FROM_LIST && o->list == -1 &&
		    (inventory_prepare(v, o->entity) == -1 || inventory_each(v, o->entity, find_list, NULL) == -1))
			return -1;
	for (int e = 0; e < c->nentities; e++)
		for (int i = 0; i < c->entity[e].nproperties; i++)
			for (int w = 0; w < c->entity[e].property[i].nways; w++) {
				const struct catalog_form *f = &c->entity[e].property[i].way[w].value;

				for (int k = 0; k < f->n; k++)
					if ((f->slot[k].hole == HOLE_PICK || f->slot[k].hole == HOLE_DRAW) &&
					    check_slot(v, e, &f->slot[k]) == -1)
						return -1;
			}
	return 0;
}
