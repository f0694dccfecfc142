/* The texts of a thing. */
#include <string.h>

#include "inventory_impl.h"
#include "mix.h"

/* Characters that some format escapes. */
static const unsigned char odd_byte[256] = { ['"'] = 1, ['\\'] = 1, [','] = 1, ['\r'] = 1, [0x7f] = 1 };

uint32_t
inventory_odd(const char *s, size_t n)
{
	uint32_t odd = 0;

	for (size_t i = 0; i < n; i++)
		odd |= odd_byte[(unsigned char)s[i]] | (uint32_t)((unsigned char)s[i] < ' ');
	return odd;
}

char *
inventory_digits(char *to, uint64_t x)
{
	char text[20], *p = text + sizeof(text);
	size_t n;

	do
		*--p = (char)('0' + x % 10);
	while ((x /= 10) > 0);
	n = (size_t)(text + sizeof(text) - p);
	memcpy(to, p, n);
	return to + n;
}

static char *
put(char *to, const char *s, size_t n)
{
	memcpy(to, s, n);
	return to + n;
}

/* At most so many decimals, none of them a zero at the end. */
static char *
put_number(char *to, double x, int places)
{
	uint64_t unit = 1, scaled;
	char text[8] = "";
	int n = places;

	for (int i = 0; i < places; i++)
		unit *= 10;
	if (x < 0)
		*to++ = '-';
	scaled = (uint64_t)((x < 0 ? -x : x) * (double)unit + 0.5);
	to = inventory_digits(to, scaled / unit);
	scaled %= unit;
	for (int i = places; i-- > 0; scaled /= 10)
		text[i] = (char)('0' + scaled % 10);
	while (n > 0 && text[n - 1] == '0')
		n--;
	if (n > 0) {
		*to++ = '.';
		to = put(to, text, (size_t)n);
	}
	return to;
}

/* Part of an item at ":", from 1; 0: all of it. A number is its own item. */
static char *
put_item(const struct thing *t, int part, char *to)
{
	const char *s = t->item, *end, *colon;

	if (s == NULL)
		return t->number == 0 ? to : inventory_digits(to, t->number);
	end = s + t->nitem;
	for (; part > 1; part--) {
		if ((colon = memchr(s, ':', (size_t)(end - s))) == NULL)
			return to;
		s = colon + 1;
	}
	if (part == 1 && (colon = memchr(s, ':', (size_t)(end - s))) != NULL)
		end = colon;
	return put(to, s, (size_t)(end - s));
}

/* Address and length of the block of a thing: one of those of a base, by where it and its ancestors up to the base stand on their lists. */
static char *
put_block(struct inventory *v, struct thing *t, const struct catalog_slot *s, char *to)
{
	uint32_t base = s->base, nth = 0;
	int shift = 0;

	if (s->entity != -1) {
		struct thing *a = inventory_find(v, t, s->entity);
		const struct inventory_text *x = a == NULL ? NULL : inventory_texts(v, a);

		if (x == NULL)
			return to;
		x += v->kind[s->entity].text[s->field + 1];
		base = 0;
		for (uint32_t i = 0, part = 0; i < x->n; i++) {
			part = x->p[i] == '.' || x->p[i] == '/' ? 0 : part * 10 + (uint32_t)(x->p[i] - '0');
			if (i + 1 == x->n || x->p[i + 1] == '.' || x->p[i + 1] == '/') {
				base = base << 8 | part;
				if (i + 1 < x->n && x->p[i + 1] == '/')
					break;
			}
		}
	}
	for (; t != NULL && t->origin->entity != s->entity; t = t->per) {
		nth |= (uint32_t)t->nth << shift;
		shift += v->kind[t->origin->entity].bits;
	}
	base += nth << (32 - s->arg);
	for (int i = 24; i >= 0; i -= 8) {
		to = inventory_digits(to, base >> i & 255);
		*to++ = i > 0 ? '.' : '/';
	}
	return inventory_digits(to, (uint64_t)s->arg);
}

/* One of those under the same ancestor: the one that this word likes best, which a new one changes only if it is the new one. */
static char *
put_ref(struct inventory *v, struct thing *t, const struct catalog_slot *s, uint64_t word, char *to, uint32_t *odd)
{
	const struct kind *k = &v->kind[s->entity];
	const struct inventory_text *x;
	const struct group_entry *e;
	const struct thing *best = NULL;
	uint64_t key = s->under == -1 ? 0 : inventory_under(v, t, s->under), most = 0;
	size_t n;

	if (s->under != -1 && key == 0)
		return to;
	e = inventory_group(v, &v->by_ref[s->arg], s->entity, &s->under, s->under != -1, s->under == -1 ? 0 : mix(key), &n);
	for (size_t i = 0; e != NULL && i < n; i++) {
		const struct thing *a = &k->held[e[i].thing];
		uint64_t rank = mix(word ^ a->key);

		if (a->round <= t->round && (best == NULL || rank > most)) {
			best = a;
			most = rank;
		}
	}
	if (best == NULL)
		return to;
	x = &best->text[k->text[0]];
	*odd |= x->odd;
	return put(to, x->p, x->n);
}

int
inventory_list(struct inventory *v, struct thing *t, const struct catalog_slot *s)
{
	char name[INVENTORY_LIST_MAX + 1];
	uint32_t odd = 0;
	size_t n;
	int list = s->list;

	if (list != -1)
		return list;
	n = (size_t)(inventory_form_put(v, t, &s->inner, 0, name, &odd) - name);
	if ((list = catalog_list(v->c, name, n)) == -1)
		(void)inventory_fail(v, "%s/layouts.tsv: %s: no list \"%.*s\"", v->c->dir, s->text, (int)n, name);
	return list;
}

static char *
put_pick(struct inventory *v, struct thing *t, const struct catalog_slot *s, uint64_t word, char *to, uint32_t *odd)
{
	int at = inventory_list(v, t, s), i = 0;
	const struct catalog_list *list = at == -1 ? NULL : &v->c->list[at];
	double sum = 0, u;

	if (list == NULL)
		return to;
	for (int k = 0; k < list->n; k++)
		sum += list->weight[k];
	for (u = mix_share(word) * sum; i + 1 < list->n && u >= list->weight[i]; i++)
		u -= list->weight[i];
	*odd |= inventory_odd(list->item[i], strlen(list->item[i]));
	return put(to, list->item[i], strlen(list->item[i]));
}

static char *
put_draw(struct inventory *v, struct thing *t, const struct catalog_slot *s, uint64_t word, char *to)
{
	const struct catalog_dist *d = &s->dist;
	int list;
	double x;

	if (d->kind == DIST_NONE) {
		if ((list = inventory_list(v, t, s)) == -1)
			return to;
		d = &v->c->quantity[list];
	}
	x = catalog_draw(d, word);
	return put_number(to, x, d->whole || d->kind == DIST_FIXED ? (d->whole ? 0 : 6) : s->places);
}

static char *
put_random(int n, uint32_t base, uint64_t key, char *to)
{
	for (int i = 0; i < n; i++)
		*to++ = "0123456789abcdef"[mix_below((uint32_t)(mix_at(key, (uint64_t)i) >> 32), base)];
	return to;
}

/* RFC 9562, section 5.4. */
static char *
put_uuid(uint64_t key, char *to)
{
	char *from = to;

	to = put_random(36, 16, key, to);
	from[8] = from[13] = from[18] = from[23] = '-';
	from[14] = '4';
	from[19] = "89ab"[mix_at(key, 36) >> 62];
	return to;
}

static char *
put_shown(struct inventory *v, struct thing *t, const struct catalog_slot *s, char *to, uint32_t *odd)
{
	const struct inventory_text *x;
	struct thing *a;

	if (s->entity == -1)
		return inventory_text_put(v, t, s->field, to, odd);
	if ((a = inventory_find(v, t, s->entity)) == NULL)
		return to;
	if (s->field == FIELD_ITEM) {
		char *end = put_item(a, 0, to);

		*odd |= inventory_odd(to, (size_t)(end - to));
		return end;
	}
	if ((x = inventory_texts(v, a)) == NULL)
		return to;
	x += v->kind[s->entity].text[s->field + 1];
	*odd |= x->odd;
	return put(to, x->p, x->n);
}

uint64_t
inventory_count(const struct catalog_slot *s, const struct thing *per, uint64_t key, uint64_t i)
{
	double start = catalog_draw(&s->dist, mix_at(mix((per == NULL ? 0 : per->key) ^ key), i));

	return start > 0 ? (uint64_t)start : 0;
}

static char *
put_slot(struct inventory *v, struct thing *t, const struct catalog_slot *s, uint64_t key, uint64_t i, char *to, uint32_t *odd)
{
	uint64_t word = mix_at(mix(t->draw ^ key), i);
	char *from = to;

	switch (s->hole) {
	case HOLE_NONE:
		to = put(to, s->text, strlen(s->text));
		break;
	case HOLE_ITEM:
		to = put_item(t, s->arg, to);
		break;
	case HOLE_FIELD:
		return put_shown(v, t, s, to, odd);
	case HOLE_COPY:
		if (t->round == 0)
			return to;
		*to++ = '-';
		return inventory_digits(to, (uint64_t)t->round + 1);
	case HOLE_COUNT:
		return inventory_digits(to, inventory_count(s, t->per, key, i) + (t->number > 0 ? t->number - 1 : (uint64_t)t->nth));
	case HOLE_CIDR:
		return put_block(v, t, s, to);
	case HOLE_REF:
		return put_ref(v, t, s, word, to, odd);
	case HOLE_PICK:
		return put_pick(v, t, s, word, to, odd);
	case HOLE_DRAW:
		return put_draw(v, t, s, word, to);
	case HOLE_HEX:
	case HOLE_DIGITS:
		return put_random(s->arg, s->hole == HOLE_HEX ? 16 : 10, word, to);
	case HOLE_UUID:
		return put_uuid(word, to);
	}
	*odd |= inventory_odd(from, (size_t)(to - from));
	return to;
}

char *
inventory_form_put(struct inventory *v, struct thing *t, const struct catalog_form *f, uint64_t key, char *to, uint32_t *odd)
{
	for (int i = 0; i < f->n; i++)
		to = put_slot(v, t, &f->slot[i], key, (uint64_t)i, to, odd);
	return to;
}

char *
inventory_text_put(struct inventory *v, struct thing *t, int field, char *to, uint32_t *odd)
{
	const struct catalog_entity *e = &v->c->entity[t->origin->entity];
	const struct catalog_property *p = &e->property[field];

	if (field == FIELD_ID)
		return inventory_form_put(v, t, &e->form, 0, to, odd);
	for (int i = 0; i < p->nways; i++)
		if (inventory_holds(v, &p->way[i].when, t, NULL, 0))
			return inventory_form_put(v, t, &p->way[i].value, p->key, to, odd);
	return to;
}

const struct inventory_text *
inventory_texts(struct inventory *v, struct thing *t)
{
	const struct catalog_entity *e = &v->c->entity[t->origin->entity];
	const struct kind *k = &v->kind[t->origin->entity];
	char *to = k->buf;

	if (t->ready)
		return t->text;
	if (t->made > 0) {
		(void)inventory_fail(
		    v, "%s/layouts.tsv: \"%s\" names what is under a field of its own or of a later row", v->c->dir, e->id);
		return NULL;
	}
	/* The id comes last: it shows fields. */
	for (int i = 0; i <= e->nproperties; i++) {
		int f = i == e->nproperties ? FIELD_ID : i;
		struct inventory_text *x = &t->text[k->text[f + 1] == -1 ? k->ntexts : k->text[f + 1]];

		t->made = i + 1;
		if (k->text[f + 1] == -1)
			continue;
		x->p = to;
		x->odd = 0;
		to = inventory_text_put(v, t, f, to, &x->odd);
		x->n = (uint32_t)(to - x->p);
	}
	t->made = 0;
	t->ready = 1;
	return v->failed ? NULL : t->text;
}

/* What a condition looks at; its length. */
static size_t
looked_at(struct inventory *v, struct thing *t, const struct catalog_test *x, const char **s, char *buf)
{
	struct thing *a = x->entity == -1 ? t : inventory_find(v, t, x->entity);
	uint32_t odd = 0;

	*s = buf;
	if (a == NULL)
		return 0;
	if (x->field == FIELD_ITEM && a->item != NULL) {
		*s = a->item;
		return a->nitem;
	}
	if (x->field == FIELD_ITEM)
		return (size_t)(put_item(a, 0, buf) - buf);
	if (x->entity != -1) {
		const struct inventory_text *text = inventory_texts(v, a);

		text += text == NULL ? 0 : v->kind[x->entity].text[x->field + 1];
		*s = text == NULL ? buf : text->p;
		return text == NULL ? 0 : text->n;
	}
	return (size_t)(inventory_text_put(v, a, x->field, buf, &odd) - buf);
}

static int
test_holds(struct inventory *v, struct thing *t, const struct catalog_test *x)
{
	char buf[INVENTORY_TEXT_MAX];
	const char *s;
	size_t n = looked_at(v, t, x, &s, buf);

	if (x->n == 0)
		return (n == 0) != x->differs;
	for (int i = 0; i < x->n; i++)
		if (strncmp(x->value[i], s, n) == 0 && x->value[i][n] == '\0')
			return !x->differs;
	return x->differs;
}

int
inventory_holds(struct inventory *v, const struct catalog_tests *tests, struct thing *t, const struct catalog_origin *o, int side)
{
	const signed char *via = o == NULL ? NULL : v->via + (size_t)(o - v->c->origin) * (size_t)v->c->nentities;

	for (int i = 0; i < tests->n; i++)
		if ((via == NULL || via[tests->test[i].entity] == side) && !test_holds(v, t, &tests->test[i]))
			return 0;
	return 1;
}

static size_t
slot_most(struct inventory *v, int entity, const struct catalog_slot *s)
{
	switch (s->hole) {
	case HOLE_NONE:
		return strlen(s->text);
	case HOLE_FIELD:
		return s->field == FIELD_ITEM ? v->longest : inventory_most(v, s->entity == -1 ? entity : s->entity, s->field);
	case HOLE_REF:
		return inventory_most(v, s->entity, FIELD_ID);
	case HOLE_ITEM:
	case HOLE_PICK:
		return v->longest;
	case HOLE_HEX:
	case HOLE_DIGITS:
		return (size_t)s->arg;
	default:
		return 40;
	}
}

size_t
inventory_form_most(struct inventory *v, int entity, const struct catalog_form *f)
{
	size_t n = 0;

	for (int i = 0; i < f->n && n <= INVENTORY_TEXT_MAX; i++)
		n += slot_most(v, entity, &f->slot[i]);
	return n;
}

size_t
inventory_most(struct inventory *v, int entity, int field)
{
	const struct catalog_entity *e = &v->c->entity[entity];
	size_t *most = &v->kind[entity].most[field + 1], n = field == FIELD_ID ? inventory_form_most(v, entity, &e->form) : 0;

	for (int i = 0; *most == 0 && field != FIELD_ID && i < e->property[field].nways; i++) {
		size_t way = inventory_form_most(v, entity, &e->property[field].way[i].value);

		n = way > n ? way : n;
	}
	if (*most == 0)
		*most = n + 1;
	return *most;
}
