/* Tables written as text. */
#include <stdlib.h>
#include <string.h>

#include "inventory_impl.h"
#include "json.h"

struct writer {
	const struct inventory_form *form;
	const struct catalog_entity *entity;
	const struct kind *kind;
	struct out *out;
	uint64_t unit, from, to; /* parents seen; those of this slice */
	int64_t rows;
	int started; /* a row stands before */
};

int
inventory_format(const char *name)
{
	static const char *const word[] = { [INVENTORY_JSON] = "json",
		[INVENTORY_CSV] = "csv",
		[INVENTORY_TSV] = "tsv",
		[INVENTORY_JSONAPI] = "jsonapi",
		[INVENTORY_COPY] = "copy" };

	for (int i = 0; i < 5; i++)
		if (strcmp(name, word[i]) == 0)
			return i;
	return -1;
}

void
inventory_name(const struct catalog *c, int entity, char *buf, size_t size)
{
	const char *title = c->entity[entity].title;
	size_t i;

	for (i = 0; title[i] != '\0' && i + 1 < size; i++)
		buf[i] = title[i] == ' ' ? '_' : title[i] >= 'A' && title[i] <= 'Z' ? (char)(title[i] - 'A' + 'a') : title[i];
	buf[i] = '\0';
}

int
inventory_table(const struct catalog *c, const char *name)
{
	char table[256];
	int e = catalog_entity(c, name, strlen(name));

	for (int i = 0; i < c->nentities && e == -1; i++) {
		inventory_name(c, i, table, sizeof(table));
		if (strcmp(table, name) == 0)
			e = i;
	}
	return e;
}

static char *
put(char *to, const char *s, size_t n)
{
	memcpy(to, s, n);
	return to + n;
}

static char *
put_word(char *to, const char *s)
{
	return put(to, s, strlen(s));
}

/* A field in quotes, with its quotes doubled. */
static char *
quote_csv(char *to, const char *s, size_t n)
{
	*to++ = '"';
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			*to++ = '"';
		*to++ = s[i];
	}
	*to++ = '"';
	return to;
}

static char *
escape_copy(char *to, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\\')
			*to++ = '\\';
		*to++ = s[i];
	}
	return to;
}

/* Tables: fields side by side. What is escaped is read from a copy. */
static char *
put_columns(struct inventory *v, struct writer *w, struct thing *t, char *to)
{
	enum inventory_format format = w->form->format;
	char mark = format == INVENTORY_CSV ? ',' : '\t';

	for (int f = 0; f < w->entity->nproperties; f++) {
		uint32_t odd = 0;
		char *from = to, *end = inventory_text_put(v, t, f, to, &odd);
		size_t n = (size_t)(end - from);

		if (n == 0 && format == INVENTORY_COPY)
			end = put(from, "\\N", 2);
		else if (odd && format != INVENTORY_TSV) {
			memcpy(v->raw, from, n);
			end = format == INVENTORY_CSV ? quote_csv(from, v->raw, n) : escape_copy(from, v->raw, n);
		}
		*end = mark;
		to = end + 1;
	}
	to[-1] = '\n';
	return to;
}

/* Documents leave out what is empty, and what is a column of tables alone; lines show it as null. */
static char *
put_members(struct inventory *v, struct writer *w, struct thing *t, int document, char *to)
{
	int n = 0;

	for (int f = 0; f < w->entity->nproperties; f++) {
		const struct catalog_property *p = &w->entity->property[f];
		char *from = to, *text, *end;
		uint32_t odd = 0;

		if (document && p->aside)
			continue;
		if (n > 0)
			*to++ = ',';
		*to++ = '"';
		to = put_word(to, p->name);
		to = put(to, "\":\"", 3);
		text = to - p->number;
		end = inventory_text_put(v, t, f, text, &odd);
		if (end == text && document) {
			to = from;
			continue;
		}
		n++;
		if (end == text)
			to = put(to - 1, "null", 4);
		else if (p->number)
			to = end;
		else if (odd) {
			memcpy(v->raw, text, (size_t)(end - text));
			to = json_quote(text - 1, v->raw, (size_t)(end - text));
		} else
			to = put(end, "\"", 1);
	}
	return to;
}

static char *
put_object(struct inventory *v, struct writer *w, struct thing *t, char *to)
{
	int document = w->form->format == INVENTORY_JSONAPI;

	if (w->form->array && w->started)
		to = put(to, ",\n", 2);
	if (document) {
		to = put_word(to, "{\"data\":{\"type\":\"");
		to = put_word(to, w->entity->id);
		to = put_word(to, "\",\"attributes\":");
	}
	*to++ = '{';
	to = put_members(v, w, t, document, to);
	to = put(to, "}}}", document ? 3 : 1);
	if (!w->form->array)
		*to++ = '\n';
	return to;
}

static int
put_row(struct inventory *v, struct thing *t, void *arg)
{
	struct writer *w = arg;
	char *to = out_room(w->out, w->kind->line);

	if (to == NULL || w->out->err != 0)
		return -1;
	if (w->form->format == INVENTORY_JSON || w->form->format == INVENTORY_JSONAPI)
		to = put_object(v, w, t, to);
	else
		to = put_columns(v, w, t, to);
	out_took(w->out, to);
	w->rows++;
	w->started = 1;
	return v->failed ? -1 : 0;
}

/* Is there a row at all before this slice? One is enough. */
static int
see_row(struct inventory *v, struct thing *t, void *arg)
{
	(void)v;
	(void)t;
	*(int *)arg = 1;
	return 1;
}

struct unit {
	struct writer *writer;
	const struct catalog_origin *origin;
};

/* Those that have nothing of this origin are no units, or slices would differ much. */
static int
is_unit(struct inventory *v, const struct unit *u, struct thing *per)
{
	return per == NULL || inventory_holds(v, &u->origin->when, per, u->origin, VIA_PER);
}

static int
count_unit(struct inventory *v, struct thing *per, void *arg)
{
	const struct unit *u = arg;

	u->writer->unit += (uint64_t)is_unit(v, u, per);
	return 0;
}

/* What one parent has, if that falls into the slice. */
static int
put_unit(struct inventory *v, struct thing *per, void *arg)
{
	const struct unit *u = arg;
	struct writer *w = u->writer;
	uint64_t at;

	if (!is_unit(v, u, per))
		return v->failed ? -1 : 0;
	at = w->unit++;
	if (at >= w->to)
		return 1;
	if (at >= w->from)
		return inventory_grow(v, u->origin, per, put_row, w);
	if (w->form->array && !w->started && inventory_grow(v, u->origin, per, see_row, &w->started) == -1)
		return -1;
	return 0;
}

/* Every parent of an entity, origin by origin; a table without is its own. */
static int
each_unit(struct inventory *v, const struct catalog_entity *e, struct writer *w, inventory_visit *visit)
{
	int stop = 0;

	for (int i = e->origin; i < e->origin + e->norigins && stop == 0; i++) {
		struct unit u = { w, &v->c->origin[i] };

		stop = u.origin->per == -1 ? visit(v, NULL, &u) : inventory_each(v, u.origin->per, visit, &u);
	}
	return stop;
}

static uint64_t
share_of(uint64_t n, uint64_t part, uint64_t parts)
{
	return n / parts * part + n % parts * part / parts;
}

/* What fixture files begin with; CSV has its row of names, the others nothing. */
static void
put_head(const struct inventory *v, const struct writer *w)
{
	enum inventory_format format = w->form->format;
	struct out *o = w->out;

	if (format == INVENTORY_TSV) {
		out_put(o, "# ", 2);
		out_put(o, w->entity->title, strlen(w->entity->title));
		out_put(o, "\n# Format: ", 11);
	}
	for (int i = 0; i < w->entity->nproperties && (format == INVENTORY_TSV || format == INVENTORY_CSV); i++) {
		if (i > 0)
			out_put(o, format == INVENTORY_CSV ? "," : "\t", 1);
		out_put(o, w->entity->property[i].name, strlen(w->entity->property[i].name));
	}
	if (format == INVENTORY_TSV || format == INVENTORY_CSV)
		out_put(o, "\n", 1);
	if (format == INVENTORY_TSV) {
		char seed[20] = "";

		out_put(o, "# Generated by og-entities, seed ", 33);
		out_put(o, seed, (size_t)(inventory_digits(seed, v->seed) - seed));
		out_put(o, "\n\n", 2);
	}
	if (w->form->array)
		out_put(o, "[\n", 2);
}

int64_t
inventory_put(struct inventory *v, int entity, const struct inventory_form *form, struct out *out, char *err, size_t errsize)
{
	const struct catalog_entity *e = &v->c->entity[entity];
	struct writer w = { .form = form, .entity = e, .kind = &v->kind[entity], .out = out, .to = UINT64_MAX };

	v->err = err;
	v->errsize = errsize;
	if (inventory_prepare(v, entity) == -1)
		return -1;
	if (form->parts > 1) {
		if (each_unit(v, e, &w, count_unit) != 0)
			return -1;
		w.from = share_of(w.unit, form->part - 1, form->parts);
		w.to = share_of(w.unit, form->part, form->parts);
		w.unit = 0;
	}
	if (form->part == 1)
		put_head(v, &w);
	(void)each_unit(v, e, &w, put_unit);
	if (form->array && form->part == form->parts)
		out_put(out, w.started ? "\n]\n" : "]\n", w.started ? 3 : 2);
	return v->failed ? -1 : w.rows;
}
