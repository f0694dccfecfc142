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
#define DEEP 8       /* holes within holes */

/* Where a template stands: the entity at hand, and how many of its fields are known already. */
struct scope {
	struct load *l;
	int entity, known;
	size_t line; /* of layouts, or of ids: `table` */
	enum table table;
};

__attribute__((format(printf, 2, 3))) static _Noreturn void
refuse(const struct scope *s, const char *fmt, ...)
{
	char what[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	catalog_fail_at(s->l, s->table, s->line, "%s", what);
}

/* Bounds of an unsigned number in text; -1: none of these. */
static int
small(const char *s, int lo, int hi)
{
	int64_t v;

	return num_scaled(s, strlen(s), 0, &v) == 0 && v >= lo && v <= hi ? (int)v : -1;
}

static int
property_of(const struct catalog_entity *e, const char *name, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(e->property[i].name, name) == 0)
			return i;
	return -1;
}

/* Are there things of entity `of` among the ancestors of one of `entity`? */
static int
reaches(const struct catalog *c, int entity, int of, int depth)
{
	const struct catalog_entity *e = &c->entity[entity];
	const struct catalog_origin *o;

	for (o = c->origin + e->origin; o < c->origin + e->origin + e->norigins && depth <= c->nentities; o++) {
		if (o->per == of || (o->of == FROM_ENTITY && o->other == of))
			return 1;
		if ((o->per != -1 && reaches(c, o->per, of, depth + 1)) || (o->of == FROM_ENTITY && reaches(c, o->other, of, depth + 1)))
			return 1;
	}
	return 0;
}

/* "region.name", "region.id", "name": what it names. 0, or -1. */
static int
field_of(const struct scope *s, const char *name, int *entity, int *field)
{
	const struct catalog *c = s->l->c;
	const char *dot = strchr(name, '.');

	*entity = -1;
	if (dot == NULL) {
		*field = property_of(&c->entity[s->entity], name, s->known);
		return *field == -1 ? -1 : 0;
	}
	*entity = catalog_entity(c, name, (size_t)(dot - name));
	if (*entity == -1 || *entity == s->entity || !reaches(c, s->entity, *entity, 0))
		return -1;
	*field = strcmp(dot + 1, "item") == 0 ? FIELD_ITEM : FIELD_ID;
	if (*field == FIELD_ITEM || (strcmp(dot + 1, "id") == 0 && c->entity[*entity].form.n > 0))
		return 0;
	*field = property_of(&c->entity[*entity], dot + 1, c->entity[*entity].nproperties);
	return *field == -1 ? -1 : 0;
}

/* A list that is drawn from as a quantity: one item such as 2..8, or numbers with weights. */
static int
quantity_list(const struct scope *s, int list)
{
	struct catalog *c = s->l->c;
	struct catalog_dist *d = &c->quantity[list];
	const struct catalog_list *k = &c->list[list];
	int i, whole = 1;

	if (d->kind != DIST_NONE)
		return 0;
	if (k->n == 1)
		return catalog_quantity_of(s->l->a, k->item[0], strlen(k->item[0]), d);
	d->value = catalog_get(s->l, (size_t)k->n, sizeof(*d->value));
	d->weight = k->weight;
	d->n = k->n;
	for (i = 0; i < k->n; i++) {
		if (num_decimal(k->item[i], strlen(k->item[i]), &d->value[i]) == -1)
			return -1;
		whole &= strchr(k->item[i], '.') == NULL;
	}
	d->whole = whole;
	d->kind = DIST_CHOICE;
	return 0;
}

static void form_of(const struct scope *, const char *, size_t, int, struct catalog_form *);

/* Longest list that an origin may take things from; 0: it takes none. */
static int
longest_list(const struct catalog *c, const struct catalog_origin *o)
{
	const char *family = o->family.n > 0 && o->family.slot[0].hole == HOLE_NONE ? o->family.slot[0].text : "";
	int most = o->of == FROM_LIST && o->list != -1 ? c->list[o->list].n : 0, i;

	for (i = 0; o->of == FROM_LIST && o->list == -1 && i < c->nlists; i++)
		if (strncmp(c->list[i].name, family, strlen(family)) == 0 && c->list[i].n > most)
			most = c->list[i].n;
	return most;
}

int
catalog_list_bits(const struct catalog *c, int entity)
{
	const struct catalog_entity *e = &c->entity[entity];
	int most = 0, bits = 0, i;

	for (i = e->origin; i < e->origin + e->norigins; i++)
		if (longest_list(c, &c->origin[i]) > most)
			most = longest_list(c, &c->origin[i]);
	while (most > 1 << bits)
		bits++;
	return most == 0 ? -1 : bits;
}

/* A list by its name, or one of a family by a name with holes. What is drawn from it has to be quantities. */
static void
list_of(const struct scope *s, const char *name, int drawn, int depth, struct catalog_slot *p)
{
	const struct catalog *c = s->l->c;
	size_t n = strcspn(name, "{");
	int i, some = 0;

	p->list = -1;
	if (name[n] == '\0' && (p->list = catalog_list(c, name, n)) == -1)
		refuse(s, "no list \"%s\"", name);
	if (name[n] != '\0')
		form_of(s, name, strlen(name), depth + 1, &p->inner);
	for (i = 0; i < c->nlists; i++) {
		if (p->list == -1 ? n == 0 || strncmp(c->list[i].name, name, n) != 0 : i != p->list)
			continue;
		some = 1;
		if (drawn && quantity_list(s, i) != 0)
			refuse(s, "list \"%s\" is not a quantity: 5, 2..8, 40~160 or numbers with weights", c->list[i].name);
	}
	if (!some)
		refuse(s, "no list \"%s\"", name);
}

static void
quantity_of(const struct scope *s, const char *text, struct catalog_dist *d)
{
	if (catalog_quantity_of(s->l->a, text, strlen(text), d) != 0)
		refuse(s, "\"%s\" is not a distribution: 5, 2..8, 40~160 or 1=0.7,2=0.3", text);
}

/* "10.0.0.0/8"; 0 or -1. */
static int
block_of(const char *s, uint32_t *base, int *bits)
{
	char part[4];
	size_t n;
	int i, v;

	*base = 0;
	for (i = 0; i < 4; i++) {
		n = strspn(s, "0123456789");
		if (n == 0 || n >= sizeof(part) || s[n] != (i < 3 ? '.' : '/'))
			return -1;
		memcpy(part, s, n);
		part[n] = '\0';
		if ((v = small(part, 0, 255)) == -1)
			return -1;
		*base = *base << 8 | (uint32_t)v;
		s += n + 1;
	}
	if ((*bits = small(s, 1, 30)) == -1)
		return -1;
	return (*base & (UINT32_MAX >> *bits)) == 0 ? 0 : -1;
}

/* cidr:BLOCK:LEN, where the block may be that of a field of an ancestor, whose own length is known then. */
static void
cidr_of(const struct scope *s, char *text, struct catalog_slot *p)
{
	const struct catalog_entity *e;
	const struct catalog_form *f;
	char *colon = strrchr(text, ':'), *end;

	if (colon == NULL || (p->arg = small(colon + 1, 2, 32)) == -1)
		refuse(s, "\"cidr:%s\" is not BLOCK:LENGTH", text);
	*colon = '\0';
	p->entity = -1;
	if (text[0] != '{') {
		if (block_of(text, &p->base, &p->bits) == -1)
			refuse(s, "cidr: \"%s\" is not a block such as 10.0.0.0/8", text);
	} else {
		if ((end = strchr(text, '}')) == NULL || end[1] != '\0')
			refuse(s, "cidr: \"%s\" is not one field", text);
		*end = '\0';
		if (field_of(s, text + 1, &p->entity, &p->field) == -1 || p->entity == -1 || p->field < 0)
			refuse(s, "no source \"%s\"", text + 1);
		e = &s->l->c->entity[p->entity];
		f = &e->property[p->field].way[0].value;
		if (e->property[p->field].nways != 1 || f->n != 1 || f->slot[0].hole != HOLE_CIDR)
			refuse(s, "cidr: \"%s\" is not a block", text + 1);
		p->bits = f->slot[0].arg;
	}
	if (p->arg <= p->bits)
		refuse(s, "cidr: a block of /%d does not fit into one of /%d", p->arg, p->bits);
}

/* ref:ENTITY/ANCESTOR */
static void
ref_of(const struct scope *s, const char *text, struct catalog_slot *p)
{
	const struct catalog *c = s->l->c;
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);

	p->entity = catalog_entity(c, text, n);
	if (p->entity == -1 || c->entity[p->entity].form.n == 0)
		refuse(s, "ref: no entity with an id \"%.*s\"", (int)n, text);
	p->under = -1;
	if (slash != NULL && (p->under = catalog_entity(c, slash + 1, strlen(slash + 1))) == -1)
		refuse(s, "ref: no entity \"%s\"", slash + 1);
}

/* "draw:1..9:.2": the format is cut off. */
static int
places_of(char *text)
{
	size_t n = strlen(text);
	int places;

	if (n < 3 || text[n - 3] != ':' || text[n - 2] != '.' || text[n - 1] < '0' || text[n - 1] > '9')
		return -1;
	places = text[n - 1] - '0';
	text[n - 3] = '\0';
	return places;
}

static void
draw_of(const struct scope *s, char *text, int depth, struct catalog_slot *p)
{
	p->places = places_of(text);
	if (p->places == -1 || p->places > 6)
		p->places = p->places == -1 ? 2 : 6;
	p->list = -1;
	if (text[0] == '@')
		list_of(s, text + 1, 1, depth, p);
	else
		quantity_of(s, text, &p->dist);
}

static void
hole_of(const struct scope *s, const char *from, size_t n, int depth, struct catalog_slot *p)
{
	const struct catalog *c = s->l->c;
	char *text = catalog_keep(s->l, from, n), *arg = strchr(text, ':');
	int k;

	p->text = catalog_keep(s->l, from, n);
	if (arg != NULL)
		*arg++ = '\0';
	if (arg == NULL && strncmp(text, "const.", 6) == 0) {
		if ((k = catalog_index_find(&s->l->a->constant, text + 6, n - 6, 0)) == -1)
			refuse(s, "no source \"%s\"", text);
		p->text = c->cvalue[k];
	} else if (arg == NULL && strcmp(text, "item") == 0)
		p->hole = HOLE_ITEM;
	else if (arg == NULL && strncmp(text, "item.", 5) == 0 && (p->arg = small(text + 5, 1, 9)) != -1)
		p->hole = HOLE_ITEM;
	else if (arg == NULL && strcmp(text, "copy") == 0)
		p->hole = HOLE_COPY;
	else if (arg == NULL && strcmp(text, "uuid") == 0)
		p->hole = HOLE_UUID;
	else if (arg == NULL) {
		if (field_of(s, text, &p->entity, &p->field) == -1)
			refuse(s, "no source \"%s\"", text);
		p->hole = HOLE_FIELD;
	} else if (strcmp(text, "hex") == 0 && (p->arg = small(arg, 1, 64)) != -1)
		p->hole = HOLE_HEX;
	else if (strcmp(text, "digits") == 0 && (p->arg = small(arg, 1, 18)) != -1)
		p->hole = HOLE_DIGITS;
	else if (strcmp(text, "count") == 0) {
		p->hole = HOLE_COUNT;
		quantity_of(s, arg, &p->dist);
	} else if (strcmp(text, "cidr") == 0) {
		p->hole = HOLE_CIDR;
		cidr_of(s, arg, p);
	} else if (strcmp(text, "ref") == 0) {
		p->hole = HOLE_REF;
		p->arg = s->l->c->nrefs++;
		ref_of(s, arg, p);
	} else if (strcmp(text, "pick") == 0) {
		p->hole = HOLE_PICK;
		list_of(s, arg, 0, depth, p);
	} else if (strcmp(text, "draw") == 0) {
		p->hole = HOLE_DRAW;
		draw_of(s, arg, depth, p);
	} else
		refuse(s, "no source \"%s\"", p->text);
}

/* A hole begins with a brace and a letter, and ends with the brace that belongs to it; all other braces are text. */
static const char *
hole_at(const char *p, const char *end)
{
	while (p + 1 < end && !(p[0] == '{' && p[1] >= 'a' && p[1] <= 'z'))
		p++;
	return p + 1 < end ? p : end;
}

static const char *
hole_end(const char *open, const char *end)
{
	const char *p;
	int depth = 0;

	for (p = open; p < end; p++) {
		depth += *p == '{';
		depth -= *p == '}';
		if (depth == 0)
			return p;
	}
	return NULL;
}

static void
form_of(const struct scope *s, const char *text, size_t n, int depth, struct catalog_form *f)
{
	const char *p, *open, *close, *end = text + n;
	int room = 1;

	f->n = 0;
	if (depth == DEEP)
		refuse(s, "holes within holes deeper than %d", DEEP);
	for (p = text; p < end; p++)
		room += 2 * (*p == '{');
	f->slot = catalog_get(s->l, (size_t)room, sizeof(*f->slot));
	for (p = text; p < end; p = close + 1) {
		open = hole_at(p, end);
		if (open > p)
			f->slot[f->n++].text = catalog_keep(s->l, p, (size_t)(open - p));
		if (open == end)
			return;
		if ((close = hole_end(open, end)) == NULL)
			refuse(s, "unbalanced braces");
		hole_of(s, open + 1, (size_t)(close - open - 1), depth, &f->slot[f->n++]);
	}
}

/* The cells of a column of a table: "places.place". */
static void
column_values(const struct scope *s, const char *name, struct catalog_test *t)
{
	const char *dot = strchr(name, '.');
	const struct tsv *table = NULL;
	size_t column = 0, row;
	int k;

	for (k = 0; k < NTABLES && table == NULL; k++)
		if (strlen(catalog_table_name((enum table)k)) == (size_t)(dot - name) &&
		    strncmp(name, catalog_table_name((enum table)k), (size_t)(dot - name)) == 0)
			table = &s->l->a->tsv[OWN][k];
	while (table != NULL && column < table->ncols && strcmp(table->column[column], dot + 1) != 0)
		column++;
	if (table == NULL || table->text == NULL || column == table->ncols)
		refuse(s, "no list \"%s\"", name);
	t->value = catalog_get(s->l, table->nrows, sizeof(*t->value));
	for (row = 0; row < table->nrows; row++)
		t->value[t->n++] = table->cell[row * table->ncols + column];
}

static void
values_of(const struct scope *s, char *text, struct catalog_test *t)
{
	const struct catalog *c = s->l->c;
	char *next;
	int k;

	if (*text == '\0')
		return;
	if (*text == '@') {
		if ((k = catalog_list(c, text + 1, strlen(text + 1))) != -1) {
			t->n = c->list[k].n;
			t->value = c->list[k].item;
		} else if (strchr(text, '.') != NULL)
			column_values(s, text + 1, t);
		else
			refuse(s, "no list \"%s\"", text + 1);
		return;
	}
	for (next = text, k = 1; *next != '\0'; next++)
		k += *next == '|';
	t->value = catalog_get(s->l, (size_t)k, sizeof(*t->value));
	for (; text != NULL; text = next) {
		if ((next = strchr(text, '|')) != NULL)
			*next++ = '\0';
		if (*text == '\0')
			refuse(s, "empty value among those of a condition");
		t->value[t->n++] = text;
	}
}

static void
tests_of(const struct scope *s, const char *text, struct catalog_tests *t)
{
	char *p, *amp, *eq;
	struct catalog_test *k;
	int n = 1;

	t->n = 0;
	if (*text == '\0')
		return;
	p = catalog_keep(s->l, text, strlen(text));
	for (amp = p; (amp = strstr(amp, " & ")) != NULL; amp += 3)
		n++;
	t->test = catalog_get(s->l, (size_t)n, sizeof(*t->test));
	for (; p != NULL; p = amp) {
		if ((amp = strstr(p, " & ")) != NULL) {
			*amp = '\0';
			amp += 3;
		}
		k = &t->test[t->n++];
		if ((eq = strchr(p, '=')) == NULL)
			refuse(s, "no condition \"%s\"", p);
		k->differs = eq > p && eq[-1] == '!';
		*(eq - k->differs) = '\0';
		k->entity = -1;
		k->field = FIELD_ITEM;
		if ((s->table == T_ENTITIES || strcmp(p, "item") != 0) && field_of(s, p, &k->entity, &k->field) == -1)
			refuse(s, "no source \"%s\"", p);
		values_of(s, eq + 1, k);
	}
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
made_of(struct load *l, const struct scope *s, char *of, struct catalog_origin *o)
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
		list_of(s, of + 1, 0, 0, &p);
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
		if ((o->least = small(text + 1, 1, MOST)) == -1)
			catalog_fail(l, "count: \"%s\" is not all, 5, 2..8, 5=0.7,8=0.3, 70%%, 5..70%% or -5", x.s);
		return;
	}
	text[n - 1] = '\0';
	if (dots != NULL) {
		*dots = '\0';
		o->least = small(text, 0, MOST);
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
	struct scope s = { .l = l, .table = T_ENTITIES };
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
	struct scope s = { .l = l, .table = T_ENTITIES };
	char *of;

	catalog_open_either(l, T_ENTITIES);
	while (catalog_next_row(l)) {
		o = &c->origin[l->row];
		s.entity = o->entity;
		s.line = (size_t)o->line;
		of = catalog_cell(l, OF).s;
		if (*of == '@' && strchr(of, '{') != NULL)
			made_of(l, &s, of, o);
		tests_of(&s, catalog_cell(l, WHEN).s, &o->when);
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
			if (p->name[0] == '\0' || property_of(e, p->name, e->nproperties - 1) != -1)
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
	struct scope s = { .l = l, .entity = entity, .table = T_LAYOUTS };
	struct catalog_property *p;
	int i;

	for (p = e->property; p < e->property + e->nproperties; p++) {
		s.known = (int)(p - e->property);
		for (i = 0; i < p->nways; i++, f++) {
			s.line = (size_t)f->line;
			form_of(&s, f->words[0], strlen(f->words[0]), 0, &p->way[i].value);
			tests_of(&s, f->words[1], &p->way[i].when);
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
	struct scope s = { .l = l, .entity = entity, .known = e->nproperties, .table = T_IDS };
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
		form_of(&s, name, strlen(name), 0, &e->form);
		for (k = 0; k < e->form.n; k++)
			if (e->form.slot[k].hole != HOLE_NONE && (e->form.slot[k].hole != HOLE_FIELD || e->form.slot[k].entity != -1))
				refuse(&s, "\"%s\" is not a field of entity \"%s\"", e->form.slot[k].text, e->id);
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
	for (i = 0; i < c->nentities; i++)
		properties_of(l, &c->entity[i]);
	/* A form of ids refers to fields alone, a field to ids of others; so ids come first, and then no text is missing. */
	order = catalog_get(l, (size_t)c->nentities, sizeof(*order));
	check_cycles(l, order);
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
