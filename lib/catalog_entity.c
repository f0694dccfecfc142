/* The inventory of a catalog: entities, what their rows are made of, and the texts of their fields. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_impl.h"
#include "mix.h"
#include "num.h"

enum { ENTITY, TITLE, PER, OF, COUNT, MATCH, WHEN };

#define MOST 1000000 /* things of one kind under one parent */
#define MATCHES 16   /* of one row */

void
catalog_refuse(const struct catalog_scope *s, const char *fmt, ...)
{
	char what[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	catalog_fail_at(s->l, s->table, s->line, "%s", what);
}

void
catalog_name_entities(struct load *l)
{
	struct catalog *c = l->c;
	struct catalog_entity *e;
	char *name;
	int k;

	c->set.inventory_scale = -1;
	if (!catalog_open_either(l, T_ENTITIES))
		return;
	catalog_index_init(l, &l->a->entity, l->t->nrows);
	c->entity = catalog_get(l, l->t->nrows, sizeof(*c->entity));
	c->origin = catalog_get(l, l->t->nrows, sizeof(*c->origin));
	while (catalog_next_row(l)) {
		name = catalog_name_of(l, catalog_cell(l, ENTITY));
		if (strpbrk(name, "./ ") != NULL)
			catalog_fail(l, "bad name \"%s\"", name);
		k = catalog_index_add(&l->a->entity, name, 0, c->nentities);
		if (k != -1 && k != c->nentities - 1)
			catalog_fail(l, "entity \"%s\" in two places", name);
		if (k == -1) {
			e = &c->entity[c->nentities++];
			e->id = name;
			e->title = catalog_cell(l, TITLE).s[0] == '\0' ? name : catalog_name_of(l, catalog_cell(l, TITLE));
			e->key = mix_name(name, strlen(name));
			e->origin = c->norigins;
			if (strchr(e->title, '/') != NULL)
				catalog_fail(l, "bad title \"%s\"", e->title);
		} else if (catalog_cell(l, TITLE).s[0] != '\0')
			catalog_fail(l, "title of a further row");
		c->entity[c->nentities - 1].norigins++;
		c->norigins++;
	}
}

static int
entity_named(struct load *l, const char *name)
{
	int k = catalog_entity(l->c, name, strlen(name));

	if (k == -1)
		catalog_fail(l, "no entity \"%s\"", name);
	return k;
}

/* "@list", "entity", "#"; "x,@list": each item of the list with each x. */
static void
made_of(struct load *l, const struct catalog_scope *s, char *of, struct catalog_origin *o)
{
	struct catalog_slot p = { 0 };
	char *comma = strstr(of, ",@");

	o->each = -1;
	if (comma != NULL) {
		*comma = '\0';
		if ((o->each = catalog_list(l->c, comma + 2, strlen(comma + 2))) == -1)
			catalog_fail(l, "no list \"%s\"", comma + 2);
	}
	o->list = o->other = -1;
	if (strcmp(of, "#") == 0)
		o->of = FROM_NUMBERS;
	else if (*of == '@') {
		o->of = FROM_LIST;
		catalog_family_of(s, of + 1, &p);
		o->list = p.list;
		o->family = p.inner;
	} else {
		o->of = FROM_ENTITY;
		o->other = entity_named(l, of);
		if (o->other == o->entity)
			catalog_fail(l, "an entity made of itself");
	}
}

/* all, 5, 2..8, 10=0.7,20=0.3, 70%, 5..70%, -5 */
static void
how_many(struct load *l, struct cell x, struct catalog_origin *o)
{
	size_t n = strlen(x.s);
	char *text = catalog_keep(l, x.s, n), *dots = strstr(text, "..");

	o->many = MANY_ALL;
	if (strcmp(text, "all") == 0) {
		if (o->of == FROM_NUMBERS)
			catalog_fail(l, "count: there is no end to numbers");
		return;
	}
	o->many = *text == '-' ? MANY_LAST : text[n - 1] == '%' ? MANY_SHARE : MANY_DRAWN;
	if (o->many == MANY_DRAWN) {
		catalog_quantity(l, x, NULL, &o->count, 0, MOST, 1);
		if (o->count.kind == DIST_LOGNORMAL || (o->count.kind != DIST_FIXED && !o->count.whole) ||
		    o->count.a != (double)(int)o->count.a)
			catalog_fail(l, "count: \"%s\" is not of whole numbers", x.s);
		return;
	}
	if (o->of == FROM_NUMBERS)
		catalog_fail(l, "count: there is no end to numbers");
	if (o->many == MANY_LAST) {
		if ((o->least = catalog_small(text + 1, 1, MOST)) == -1)
			catalog_fail(l, "count: \"%s\" is not all, 5, 2..8, 5=0.7,8=0.3, 70%%, 5..70%% or -5", x.s);
		return;
	}
	text[n - 1] = '\0';
	if (dots != NULL) {
		*dots = '\0';
		o->least = catalog_small(text, 0, MOST);
		text = dots + 2;
	}
	if (o->least == -1 || num_decimal(text, strlen(text), &o->share) == -1 || o->share < 0 || o->share > 100)
		catalog_fail(l, "count: \"%s\" is not all, 5, 2..8, 5=0.7,8=0.3, 70%%, 5..70%% or -5", x.s);
	o->share /= 100;
}

/* "service", "!target", joined by " & ". */
static void
matches(struct load *l, char *s, struct catalog_origin *o)
{
	char *amp;
	int n = 1;

	if (*s == '\0')
		return;
	if (o->of != FROM_ENTITY || o->per == -1)
		catalog_fail(l, "match: not for each of one entity, of another");
	for (amp = s; (amp = strstr(amp, " & ")) != NULL; amp += 3)
		n++;
	if (n > MATCHES)
		catalog_fail(l, "match: more than %d", MATCHES);
	o->match = catalog_get(l, (size_t)n, sizeof(*o->match));
	for (; s != NULL; s = amp) {
		if ((amp = strstr(s, " & ")) != NULL) {
			*amp = '\0';
			amp += 3;
		}
		o->match[o->nmatch].differs = *s == '!';
		o->match[o->nmatch++].entity = entity_named(l, s + (*s == '!'));
	}
}

static uint64_t
name_of(const char *entity, const char *of)
{
	return mix(mix_name(entity, strlen(entity)) ^ mix_name(of, strlen(of)));
}

static void
load_origins(struct load *l)
{
	struct catalog *c = l->c;
	struct catalog_origin *o;
	struct catalog_scope s = { .l = l, .table = T_ENTITIES };
	char *of, *per;

	catalog_open_either(l, T_ENTITIES);
	while (catalog_next_row(l)) {
		o = &c->origin[l->row];
		o->entity = entity_named(l, catalog_cell(l, ENTITY).s);
		o->line = (int)catalog_row_line(l);
		o->per = -1;
		per = catalog_cell(l, PER).s;
		if (*per != '\0' && (o->per = entity_named(l, per)) == o->entity)
			catalog_fail(l, "an entity made of itself");
		of = catalog_cell(l, OF).s;
		o->name = name_of(c->entity[o->entity].id, of);
		s.entity = o->entity;
		s.line = (size_t)o->line;
		/* What names a list may be of ancestors that rows further down make; those are known by their names. */
		o->of = FROM_LIST;
		if (*of != '@' || strchr(of, '{') == NULL)
			made_of(l, &s, of, o);
		how_many(l, catalog_cell(l, COUNT), o);
		matches(l, catalog_cell(l, MATCH).s, o);
	}
}

/* What conditions and names of lists refer to is known now. */
static void
finish_origins(struct load *l)
{
	struct catalog *c = l->c;
	struct catalog_origin *o;
	struct catalog_scope s = { .l = l, .table = T_ENTITIES };
	char *of;

	catalog_open_either(l, T_ENTITIES);
	while (catalog_next_row(l)) {
		o = &c->origin[l->row];
		s.entity = o->entity;
		s.line = (size_t)o->line;
		of = catalog_cell(l, OF).s;
		if (*of == '@' && strchr(of, '{') != NULL)
			made_of(l, &s, of, o);
		catalog_tests_of(&s, catalog_cell(l, WHEN).s, &o->when);
	}
}

/* The fields of an entity by its layout, without their texts. */
static void
properties_of(struct load *l, struct catalog_entity *e)
{
	const struct catalog *c = l->c;
	int k = catalog_layout(c, e->id, strlen(e->id)), i;
	struct catalog_property *p = NULL;
	const struct catalog_field *f;

	if (k == -1 || c->layout[k].record != RECORD_ENTITY)
		catalog_fail_at(l, T_ENTITIES, (size_t)c->origin[e->origin].line, "entity \"%s\" has no layout", e->id);
	e->property = catalog_get(l, (size_t)c->layout[k].n, sizeof(*e->property));
	for (i = 0; i < c->layout[k].n; i++) {
		f = &c->layout[k].field[i];
		if (i == 0 || strcmp(f->name, f[-1].name) != 0) {
			p = &e->property[e->nproperties++];
			p->aside = f->name[0] == '_';
			p->name = f->name + p->aside;
			p->line = f->line;
			p->way = catalog_get(l, (size_t)c->layout[k].n, sizeof(*p->way));
			p->key = mix_name(p->name, strlen(p->name));
			if (p->name[0] == '\0' || catalog_property_of(e, p->name, e->nproperties - 1) != -1)
				catalog_fail_at(l, T_LAYOUTS, (size_t)f->line, "bad name \"%s\"", f->name);
		}
		p->nways++;
	}
}

/* Is it a number in all its ways? A hole alone keeps its type. */
static int
is_number(const struct catalog *c, const struct catalog_entity *e, const struct catalog_property *p)
{
	const struct catalog_slot *s;
	int i;

	for (i = 0; i < p->nways; i++) {
		if (p->way[i].value.n != 1)
			return 0;
		s = p->way[i].value.slot;
		if (s->hole == HOLE_FIELD && s->field >= 0 && (s->entity == -1 ? e : &c->entity[s->entity])->property[s->field].number)
			continue;
		if (s->hole != HOLE_COUNT && s->hole != HOLE_DRAW)
			return 0;
	}
	return p->nways > 0;
}

static void
texts_of(struct load *l, int entity)
{
	struct catalog *c = l->c;
	struct catalog_entity *e = &c->entity[entity];
	const struct catalog_field *f = c->layout[catalog_layout(c, e->id, strlen(e->id))].field;
	struct catalog_scope s = { .l = l, .entity = entity, .table = T_LAYOUTS };
	struct catalog_property *p;
	int i;

	for (p = e->property; p < e->property + e->nproperties; p++) {
		s.known = (int)(p - e->property);
		for (i = 0; i < p->nways; i++, f++) {
			s.line = (size_t)f->line;
			catalog_form_of(&s, f->words[0], &p->way[i].value);
			catalog_tests_of(&s, f->words[1], &p->way[i].when);
		}
		p->number = is_number(c, e, p);
	}
}

/* The row "entity/NAME" of ids is made of fields of the entity. */
static void
id_form(struct load *l, int entity)
{
	struct catalog *c = l->c;
	struct catalog_entity *e = &c->entity[entity];
	struct catalog_scope s = { .l = l, .entity = entity, .known = e->nproperties, .table = T_IDS };
	const struct tsv *t = &l->a->tsv[OWN][T_IDS];
	size_t row;
	int k, column = -1;

	for (k = 0; t->text != NULL && k < (int)t->ncols; k++)
		if (strcmp(t->column[k], "id") == 0)
			column = k;
	for (row = 0; column != -1 && row < t->nrows; row++) {
		const char *name = t->cell[row * t->ncols + (size_t)column];

		if (strncmp(name, "entity/", 7) != 0 || strcmp(name + 7, e->id) != 0)
			continue;
		s.line = t->line + 1 + row;
		name = t->cell[row * t->ncols + (size_t)column + 1];
		catalog_form_of(&s, name, &e->form);
		for (k = 0; k < e->form.n; k++)
			if (e->form.slot[k].hole != HOLE_NONE && (e->form.slot[k].hole != HOLE_FIELD || e->form.slot[k].entity != -1))
				catalog_refuse(&s, "\"%s\" is not a field of entity \"%s\"", e->form.slot[k].text, e->id);
	}
}

/* Everything that a thing needs before it can be made, then its entity; the end of the order. */
static int *
follow(struct load *l, int entity, char *state, int *order)
{
	const struct catalog *c = l->c;
	const struct catalog_entity *e = &c->entity[entity];
	int i, k, way;

	state[entity] = 1;
	for (i = e->origin; i < e->origin + e->norigins; i++) {
		const int next[] = { c->origin[i].per, c->origin[i].of == FROM_ENTITY ? c->origin[i].other : -1 };

		for (k = 0; k < 2; k++) {
			if (next[k] == -1 || state[next[k]] == 2)
				continue;
			if (state[next[k]] == 1)
				catalog_fail_at(l, T_ENTITIES, (size_t)c->origin[i].line, "cycle of %s %s", e->id, c->entity[next[k]].id);
			order = follow(l, next[k], state, order);
		}
	}
	for (i = 0; i < e->nproperties; i++)
		for (way = 0; way < e->property[i].nways; way++)
			for (k = 0; k < e->property[i].way[way].value.n; k++) {
				const struct catalog_slot *s = &e->property[i].way[way].value.slot[k];

				if (s->hole != HOLE_REF || state[s->entity] == 2)
					continue;
				if (state[s->entity] == 1)
					catalog_fail_at(
					    l, T_LAYOUTS, (size_t)e->property[i].line, "cycle of %s %s", e->id, c->entity[s->entity].id);
				order = follow(l, s->entity, state, order);
			}
	state[entity] = 2;
	*order = entity;
	return order + 1;
}

static void
check_cycles(struct load *l, int *order)
{
	char *state = catalog_get(l, (size_t)l->c->nentities, 1);
	int i;

	for (i = 0; i < l->c->nentities; i++)
		if (state[i] == 0)
			order = follow(l, i, state, order);
}

/* What is above what: things come in an order in which all that is above them stands before. */
static void
find_above(struct load *l, const int *order)
{
	struct catalog *c = l->c;
	const struct catalog_origin *o;
	int i, k, side, e;

	c->above = catalog_get(l, (size_t)c->nentities, (size_t)c->nentities);
	for (i = 0; i < c->nentities; i++)
		for (o = c->origin + c->entity[order[i]].origin; o < c->origin + c->entity[order[i]].origin + c->entity[order[i]].norigins;
		     o++)
			for (side = 0; side < 2; side++) {
				char *ours = c->above + (size_t)order[i] * (size_t)c->nentities;

				e = side == 0 ? o->per : o->of == FROM_ENTITY ? o->other : -1;
				if (e == -1)
					continue;
				ours[e] = 1;
				for (k = 0; k < c->nentities; k++)
					ours[k] |= c->above[(size_t)e * (size_t)c->nentities + (size_t)k];
			}
}

/* Does the form of the things that a factor multiplies tell them apart? */
static void
check_scale(struct load *l)
{
	const struct catalog *c = l->c;
	const struct catalog_entity *e;
	int i, way, k, copies = 0;

	if (c->set.inventory_scale == -1)
		return;
	e = &c->entity[c->set.inventory_scale];
	for (i = 0; i < e->form.n; i++) {
		const struct catalog_slot *s = &e->form.slot[i];

		for (way = 0; s->hole == HOLE_FIELD && way < e->property[s->field].nways; way++)
			for (k = 0; k < e->property[s->field].way[way].value.n; k++)
				copies |= e->property[s->field].way[way].value.slot[k].hole == HOLE_COPY;
	}
	if (!copies)
		catalog_fail_at(l, T_ENTITIES, (size_t)c->origin[e->origin].line, "inventory.scale: no {copy} in the id of \"%s\"", e->id);
}

/* Is there a block for each thing on the way from a base to it? */
static void
check_block(struct load *l, int entity, const struct catalog_property *p, const struct catalog_slot *s)
{
	const struct catalog *c = l->c;
	int bits = 0, more, e = entity;

	while (e != -1 && e != s->entity) {
		more = catalog_list_bits(c, e);
		if (e == c->set.inventory_scale)
			catalog_fail_at(l, T_LAYOUTS, (size_t)p->line, "cidr: what a factor adds has no place on a list");
		if (more == -1 || c->entity[e].norigins != 1 || c->origin[c->entity[e].origin].each != -1)
			catalog_fail_at(l, T_LAYOUTS, (size_t)p->line, "cidr: \"%s\" is not taken from one list", c->entity[e].id);
		bits += more;
		e = c->origin[c->entity[e].origin].per;
	}
	if (e != s->entity)
		catalog_fail_at(
		    l, T_LAYOUTS, (size_t)p->line, "cidr: \"%s\" is not above \"%s\"", c->entity[s->entity].id, c->entity[entity].id);
	if (bits > s->arg - s->bits)
		catalog_fail_at(
		    l, T_LAYOUTS, (size_t)p->line, "cidr: blocks of %d bits do not fit between /%d and /%d", bits, s->bits, s->arg);
}

static void
check_blocks(struct load *l)
{
	const struct catalog *c = l->c;
	int e, i, way, k;

	for (e = 0; e < c->nentities; e++)
		for (i = 0; i < c->entity[e].nproperties; i++)
			for (way = 0; way < c->entity[e].property[i].nways; way++)
				for (k = 0; k < c->entity[e].property[i].way[way].value.n; k++)
					if (c->entity[e].property[i].way[way].value.slot[k].hole == HOLE_CIDR)
						check_block(
						    l, e, &c->entity[e].property[i], &c->entity[e].property[i].way[way].value.slot[k]);
}

/* Names of tables are in small letters and have no blanks. */
static char
table_letter(char of)
{
	return of == ' ' ? '_' : of >= 'A' && of <= 'Z' ? (char)(of - 'A' + 'a') : of;
}

static int
same_table(const char *title, const char *other)
{
	for (; *title != '\0' && table_letter(*title) == table_letter(*other); title++)
		other++;
	return *title == *other;
}

static int
names_table(const char *name, const char *title)
{
	for (; *title != '\0'; title++, name++)
		if (*name != table_letter(*title))
			return 0;
	return *name == '\0';
}

/* Who asks for a table, by the name of its entity or its own, gets no other one. */
static void
check_titles(struct load *l)
{
	const struct catalog *c = l->c;

	for (const struct catalog_entity *e = c->entity; e < c->entity + c->nentities; e++)
		for (const struct catalog_entity *other = c->entity; other < c->entity + c->nentities; other++)
			if (other != e && names_table(other->id, e->title))
				catalog_fail_at(l, T_ENTITIES, (size_t)c->origin[e->origin].line, "title \"%s\" names entity \"%s\"",
				    e->title, other->id);
			else if (other < e && same_table(other->title, e->title))
				catalog_fail_at(l, T_ENTITIES, (size_t)c->origin[e->origin].line, "title \"%s\" is that of entity \"%s\"",
				    e->title, other->id);
}

/* Layouts of entities that there are none of. */
static void
check_layouts(struct load *l)
{
	const struct catalog *c = l->c;
	int i;

	for (i = 0; i < c->nlayouts; i++)
		if (c->layout[i].record == RECORD_ENTITY && catalog_entity(c, c->layout[i].name, strlen(c->layout[i].name)) == -1)
			catalog_fail_at(l, T_LAYOUTS, (size_t)c->layout[i].field[0].line, "no entity \"%s\"", c->layout[i].name);
}

void
catalog_load_entities(struct load *l)
{
	struct catalog *c = l->c;
	int i, *order;

	check_layouts(l);
	if (c->nentities == 0)
		return;
	c->quantity = catalog_get(l, (size_t)c->nlists, sizeof(*c->quantity));
	load_origins(l);
	check_titles(l);
	for (i = 0; i < c->nentities; i++)
		properties_of(l, &c->entity[i]);
	/* A form of ids refers to fields alone, a field to ids of others; so ids come first, and then no text is missing. */
	order = catalog_get(l, (size_t)c->nentities, sizeof(*order));
	check_cycles(l, order);
	find_above(l, order);
	for (i = 0; i < c->nentities; i++)
		id_form(l, i);
	for (i = 0; i < c->nentities; i++)
		texts_of(l, order[i]);
	finish_origins(l);
	/* Once more, with what fields refer to. */
	check_cycles(l, order);
	check_scale(l);
	check_blocks(l);
}
