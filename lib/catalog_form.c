/* Templates and conditions of entities, which show what other things have. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_impl.h"
#include "num.h"

#define DEEP 8 /* holes within holes */

int
catalog_small(const char *s, int lo, int hi)
{
	int64_t v;

	return num_scaled(s, strlen(s), 0, &v) == 0 && v >= lo && v <= hi ? (int)v : -1;
}

int
catalog_property_of(const struct catalog_entity *e, const char *name, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(e->property[i].name, name) == 0)
			return i;
	return -1;
}

/* "region.name", "region.id", "name": what it names. 0, or -1. */
static int
field_of(const struct catalog_scope *s, const char *name, int *entity, int *field)
{
	const struct catalog *c = s->l->c;
	const char *dot = strchr(name, '.');

	*entity = -1;
	if (dot == NULL) {
		*field = catalog_property_of(&c->entity[s->entity], name, s->known);
		return *field == -1 ? -1 : 0;
	}
	*entity = catalog_entity(c, name, (size_t)(dot - name));
	if (*entity == -1 || *entity == s->entity || !catalog_above(c, s->entity, *entity))
		return -1;
	*field = strcmp(dot + 1, "item") == 0 ? FIELD_ITEM : FIELD_ID;
	if (*field == FIELD_ITEM || (strcmp(dot + 1, "id") == 0 && c->entity[*entity].form.n > 0))
		return 0;
	*field = catalog_property_of(&c->entity[*entity], dot + 1, c->entity[*entity].nproperties);
	return *field == -1 ? -1 : 0;
}

/* A list that is drawn from as a quantity: one item such as 2..8, or numbers with weights. */
static int
quantity_list(const struct catalog_scope *s, int list)
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

static void form_of(const struct catalog_scope *, const char *, size_t, int, struct catalog_form *);

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
list_of(const struct catalog_scope *s, const char *name, int drawn, int depth, struct catalog_slot *p)
{
	const struct catalog *c = s->l->c;
	size_t n = strcspn(name, "{");
	int i, some = 0;

	p->list = -1;
	if (name[n] == '\0' && (p->list = catalog_list(c, name, n)) == -1)
		catalog_refuse(s, "no list \"%s\"", name);
	if (name[n] != '\0')
		form_of(s, name, strlen(name), depth + 1, &p->inner);
	for (i = 0; i < c->nlists; i++) {
		if (p->list == -1 ? n == 0 || strncmp(c->list[i].name, name, n) != 0 : i != p->list)
			continue;
		some = 1;
		if (drawn && quantity_list(s, i) != 0)
			catalog_refuse(s, "list \"%s\" is not a quantity: 5, 2..8, 40~160 or numbers with weights", c->list[i].name);
	}
	if (!some)
		catalog_refuse(s, "no list \"%s\"", name);
}

static void
quantity_of(const struct catalog_scope *s, const char *text, struct catalog_dist *d)
{
	if (catalog_quantity_of(s->l->a, text, strlen(text), d) != 0)
		catalog_refuse(s, "\"%s\" is not a distribution: 5, 2..8, 40~160 or 1=0.7,2=0.3", text);
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
		if ((v = catalog_small(part, 0, 255)) == -1)
			return -1;
		*base = *base << 8 | (uint32_t)v;
		s += n + 1;
	}
	if ((*bits = catalog_small(s, 1, 30)) == -1)
		return -1;
	return (*base & (UINT32_MAX >> *bits)) == 0 ? 0 : -1;
}

/* cidr:BLOCK:LEN, where the block may be that of a field of an ancestor, whose own length is known then. */
static void
cidr_of(const struct catalog_scope *s, char *text, struct catalog_slot *p)
{
	const struct catalog_entity *e;
	const struct catalog_form *f;
	size_t n = strlen(text);

	while (n > 0 && text[n] != ':')
		n--;
	if (text[n] != ':' || (p->arg = catalog_small(text + n + 1, 2, 32)) == -1)
		catalog_refuse(s, "\"cidr:%s\" is not BLOCK:LENGTH", text);
	text[n] = '\0';
	p->entity = -1;
	if (text[0] != '{') {
		if (block_of(text, &p->base, &p->bits) == -1)
			catalog_refuse(s, "cidr: \"%s\" is not a block such as 10.0.0.0/8", text);
	} else {
		n = strcspn(text, "}");
		if (text[n] == '\0' || text[n + 1] != '\0')
			catalog_refuse(s, "cidr: \"%s\" is not one field", text);
		text[n] = '\0';
		if (field_of(s, text + 1, &p->entity, &p->field) == -1 || p->entity == -1 || p->field < 0)
			catalog_refuse(s, "no source \"%s\"", text + 1);
		e = &s->l->c->entity[p->entity];
		f = &e->property[p->field].way[0].value;
		if (e->property[p->field].nways != 1 || f->n != 1 || f->slot[0].hole != HOLE_CIDR)
			catalog_refuse(s, "cidr: \"%s\" is not a block", text + 1);
		p->bits = f->slot[0].arg;
	}
	if (p->arg <= p->bits)
		catalog_refuse(s, "cidr: a block of /%d does not fit into one of /%d", p->arg, p->bits);
}

/* ref:ENTITY/ANCESTOR */
static void
ref_of(const struct catalog_scope *s, const char *text, struct catalog_slot *p)
{
	const struct catalog *c = s->l->c;
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);

	p->entity = catalog_entity(c, text, n);
	if (p->entity == -1 || c->entity[p->entity].form.n == 0)
		catalog_refuse(s, "ref: no entity with an id \"%.*s\"", (int)n, text);
	p->under = -1;
	if (slash != NULL && (p->under = catalog_entity(c, slash + 1, strlen(slash + 1))) == -1)
		catalog_refuse(s, "ref: no entity \"%s\"", slash + 1);
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
draw_of(const struct catalog_scope *s, char *text, int depth, struct catalog_slot *p)
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
hole_of(const struct catalog_scope *s, const char *from, size_t n, int depth, struct catalog_slot *p)
{
	const struct catalog *c = s->l->c;
	char *text = catalog_keep(s->l, from, n), *arg = strchr(text, ':');
	int k;

	p->text = catalog_keep(s->l, from, n);
	if (arg != NULL)
		*arg++ = '\0';
	if (arg == NULL && strncmp(text, "const.", 6) == 0) {
		if ((k = catalog_index_find(&s->l->a->constant, text + 6, n - 6, 0)) == -1)
			catalog_refuse(s, "no source \"%s\"", text);
		p->text = c->cvalue[k];
	} else if (arg == NULL &&
	    (strcmp(text, "item") == 0 || (strncmp(text, "item.", 5) == 0 && (p->arg = catalog_small(text + 5, 1, 9)) != -1)))
		p->hole = HOLE_ITEM;
	else if (arg == NULL && strcmp(text, "copy") == 0)
		p->hole = HOLE_COPY;
	else if (arg == NULL && strcmp(text, "uuid") == 0)
		p->hole = HOLE_UUID;
	else if (arg == NULL) {
		if (field_of(s, text, &p->entity, &p->field) == -1)
			catalog_refuse(s, "no source \"%s\"", text);
		p->hole = HOLE_FIELD;
	} else if (strcmp(text, "hex") == 0 && (p->arg = catalog_small(arg, 1, 64)) != -1)
		p->hole = HOLE_HEX;
	else if (strcmp(text, "digits") == 0 && (p->arg = catalog_small(arg, 1, 18)) != -1)
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
		catalog_refuse(s, "no source \"%s\"", p->text);
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
	return end;
}

static void
form_of(const struct catalog_scope *s, const char *text, size_t n, int depth, struct catalog_form *f)
{
	const char *p, *open, *close, *end = text + n;
	int room = 1;

	f->n = 0;
	if (depth == DEEP)
		catalog_refuse(s, "holes within holes deeper than %d", DEEP);
	for (p = text; p < end; p++)
		room += 2 * (*p == '{');
	f->slot = catalog_get(s->l, (size_t)room, sizeof(*f->slot));
	for (p = text; p < end; p = close + 1) {
		open = hole_at(p, end);
		if (open > p)
			f->slot[f->n++].text = catalog_keep(s->l, p, (size_t)(open - p));
		if (open == end)
			return;
		if ((close = hole_end(open, end)) == end)
			catalog_refuse(s, "unbalanced braces");
		hole_of(s, open + 1, (size_t)(close - open - 1), depth, &f->slot[f->n++]);
	}
}

/* The cells of a column of a table: "places.place". */
static void
column_values(const struct catalog_scope *s, const char *name, struct catalog_test *t)
{
	size_t n = strcspn(name, "."), column = 0, row;
	const struct tsv *table;
	int k = 0;

	while (k < NTABLES && (strlen(catalog_table_name((enum table)k)) != n || strncmp(name, catalog_table_name((enum table)k), n) != 0))
		k++;
	table = &s->l->a->tsv[OWN][k < NTABLES ? k : 0];
	while (column < table->ncols && strcmp(table->column[column], name + n + 1) != 0)
		column++;
	if (k == NTABLES || column == table->ncols)
		catalog_refuse(s, "no list \"%s\"", name);
	t->value = catalog_get(s->l, table->nrows, sizeof(*t->value));
	for (row = 0; row < table->nrows; row++)
		t->value[t->n++] = table->cell[row * table->ncols + column];
}

static void
values_of(const struct catalog_scope *s, char *text, struct catalog_test *t)
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
			catalog_refuse(s, "no list \"%s\"", text + 1);
		return;
	}
	for (next = text, k = 1; *next != '\0'; next++)
		k += *next == '|';
	t->value = catalog_get(s->l, (size_t)k, sizeof(*t->value));
	for (; text != NULL; text = next) {
		if ((next = strchr(text, '|')) != NULL)
			*next++ = '\0';
		if (*text == '\0')
			catalog_refuse(s, "empty value among those of a condition");
		t->value[t->n++] = text;
	}
}

void
catalog_tests_of(const struct catalog_scope *s, const char *text, struct catalog_tests *t)
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
			catalog_refuse(s, "no condition \"%s\"", p);
		k->differs = eq > p && eq[-1] == '!';
		*(eq - k->differs) = '\0';
		k->entity = -1;
		k->field = FIELD_ITEM;
		if ((s->table == T_ENTITIES || strcmp(p, "item") != 0) && field_of(s, p, &k->entity, &k->field) == -1)
			catalog_refuse(s, "no source \"%s\"", p);
		values_of(s, eq + 1, k);
	}
}

void
catalog_form_of(const struct catalog_scope *s, const char *text, struct catalog_form *f)
{
	form_of(s, text, strlen(text), 0, f);
}

void
catalog_family_of(const struct catalog_scope *s, const char *name, struct catalog_slot *p)
{
	list_of(s, name, 0, 0, p);
}
