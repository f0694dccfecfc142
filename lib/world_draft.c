#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mix.h"
#include "world.h"
#include "world_impl.h"

#define ID_SIZE 256

int
world_draft_fail(struct world_draft *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(d->err, d->errsize, fmt, ap);
	va_end(ap);
	return -1;
}

void *
world_draft_get(struct world_draft *d, size_t n, size_t size)
{
	void *p = world_get(&d->w->arena, n * size + 1, _Alignof(max_align_t));

	if (p != NULL)
		memset(p, 0, n * size + 1);
	else
		(void)world_draft_fail(d, "%s", strerror(errno));
	return p;
}

char *
world_draft_text(struct world_draft *d, const char *text)
{
	char *p = world_draft_get(d, strlen(text), 1);

	return p == NULL ? NULL : memcpy(p, text, strlen(text));
}

int64_t
world_minutes(const struct catalog_dist *dist, uint64_t word)
{
	double minutes = dist->kind == DIST_NONE ? 0 : world_draw(dist, word);

	return minutes > 0 ? (int64_t)(minutes * (double)CLOCK_MINUTE) : 0;
}

double
world_rounded(double x, double unit)
{
	return (double)(uint64_t)(x * unit + 0.5) / unit;
}

static int
has_level(const struct catalog_effect *e, const char *level)
{
	for (int i = 0; i < e->nlevels; i++)
		if (strcmp(e->level[i], level) == 0)
			return 1;
	return e->nlevels == 0;
}

/* Does row i of the incidents do anything at this level? */
static int
has_effects(const struct world_draft *m, int row)
{
	const struct catalog *c = &m->w->cat;

	for (int i = 0; i < c->neffects; i++)
		if (c->effect[i].incident == row && has_level(&c->effect[i], m->level))
			return 1;
	return 0;
}

static int
in_world(const struct world *w, const char *component)
{
	for (int i = 0; i < w->ncomponents; i++)
		if (strcmp(w->component[i], component) == 0)
			return 1;
	return 0;
}

/* One place, by weight. */
static int
draw_place(const struct catalog *c, uint64_t word)
{
	double sum = 0, at;
	int last = 0;

	for (int i = 0; i < c->nplaces; i++)
		sum += c->place[i].weight;
	at = world_share(word) * sum;
	for (int i = 0; i < c->nplaces; i++) {
		if (c->place[i].weight <= 0)
			continue;
		last = i;
		if ((at -= c->place[i].weight) < 0)
			break;
	}
	return last;
}

static int
set_scope(struct world_draft *m, struct world_fresh *f)
{
	const struct catalog_incident *row = &m->w->cat.incident[f->row];

	f->x.nplaces = row->nplaces;
	f->x.place = row->place;
	if (!row->scope_any)
		return 0;
	f->x.nplaces = 1;
	if ((f->x.place = world_draft_get(m, 1, sizeof(*f->x.place))) == NULL)
		return -1;
	f->x.place[0] = draw_place(&m->w->cat, mix_at(f->key, DRAW_PLACE));
	return 0;
}

/* One link, service or place, within the scope; the same for all effects on its kind. */
static int
draw_thing(struct world_draft *m, const struct world_fresh *f, int of, struct world_effect *to)
{
	const struct catalog *c = &m->w->cat;
	int n = of == OF_LINK ? c->nlinks : of == OF_PLACE ? c->nplaces : c->nservices, count = 0;
	uint32_t pick;

	if ((to->thing = world_draft_get(m, (size_t)n, sizeof(*to->thing))) == NULL)
		return -1;
	for (int i = 0; i < n; i++)
		if ((of != OF_LINK && of != OF_PLACE) || world_reaches(&f->x, to, i, of == OF_LINK ? c->link[i].from : i))
			to->thing[count++] = i;
	if (count == 0)
		return world_draft_fail(m, "%s: no link begins in its scope", c->incident[f->row].id);
	pick = mix_below((uint32_t)(mix_at(f->key, DRAW_TARGET) >> 32), (uint32_t)count);
	to->thing[0] = to->thing[pick];
	to->nthings = 1;
	return 0;
}

static void
set_size(const struct world_fresh *f, const struct catalog_effect *from, struct world_effect *to)
{
	uint64_t severity = mix_at(f->key, DRAW_SEVERITY);

	if (from->what == EFFECT_SERIES) {
		to->factors = from->factor;
		to->adds = from->add;
		to->factors_text = from->factor_text;
		to->adds_text = from->add_text;
		return;
	}
	if (from->factor.kind != DIST_NONE)
		to->factor = world_rounded(world_draw(&from->factor, severity), WORLD_FACTOR_UNIT);
	/* The body of a log-normal that slows things down reaches below 1; nothing gets faster by breaking. */
	if (from->factor.kind == DIST_LOGNORMAL && from->factor.a >= 1 && to->factor < 1)
		to->factor = 1;
	if (from->add.kind != DIST_NONE)
		to->add = world_rounded(world_draw(&from->add, severity), WORLD_ADD_UNIT);
	if (to->what == EFFECT_ERRORS && to->add > 1)
		to->add = 1;
}

static int
set_effect(struct world_draft *m, const struct world_fresh *f, const struct catalog_effect *from, struct world_effect *to)
{
	const struct catalog *c = &m->w->cat;
	int of = world_of(c, from->what, from->series);

	*to = (struct world_effect){
		.what = from->what, .series = from->series, .when = from->when, .factor = 1, .ncodes = from->ncodes, .code = from->code
	};
	set_size(f, from, to);
	if (from->target_any && of != -1)
		return draw_thing(m, f, of, to);
	if (from->target_any) {
		to->ntargets = 1;
		if ((to->target = world_draft_get(m, 1, sizeof(*to->target))) == NULL)
			return -1;
		to->target[0].service = (int)mix_below((uint32_t)(mix_at(f->key, DRAW_TARGET) >> 32), (uint32_t)c->nservices);
	} else if (!from->target_all) {
		to->ntargets = from->ntargets;
		to->target = from->target;
		to->nthings = from->nthings;
		to->thing = from->thing;
	}
	return 0;
}

/* All effects of an occurrence share one draw, so that a bad one is bad in all. */
static int
set_effects(struct world_draft *m, struct world_fresh *f)
{
	const struct catalog *c = &m->w->cat;

	/* More than there are: a specification may add some. */
	if ((f->x.effect = world_draft_get(m, (size_t)c->neffects + 2 + (size_t)c->nseries, sizeof(*f->x.effect))) == NULL)
		return -1;
	for (int i = 0; i < c->neffects; i++)
		if (c->effect[i].incident == f->row && has_level(&c->effect[i], m->level) &&
		    set_effect(m, f, &c->effect[i], &f->x.effect[f->x.neffects++]) == -1)
			return -1;
	return 0;
}

int
world_draft_row(struct world_draft *m, int row, uint64_t key, struct world_fresh *f)
{
	static char none[] = "";
	const struct catalog_incident *i = &m->w->cat.incident[row];

	*f = (struct world_fresh){ .row = row, .key = key };
	f->x.component = i->component;
	f->x.type = i->type == NULL ? none : i->type;
	f->x.message = i->message == NULL ? none : i->message;
	f->x.role = i->role;
	return set_scope(m, f) == -1 || set_effects(m, f) == -1 ? -1 : 0;
}

void
world_draft_ramp(const struct world_draft *m, struct world_fresh *f)
{
	f->x.ramp = world_minutes(&m->w->cat.incident[f->row].ramp_min, mix_at(f->key, DRAW_RAMP));
	if (f->x.ramp > (f->x.end - f->x.start) / 2)
		f->x.ramp = (f->x.end - f->x.start) / 2;
	f->x.ramp -= f->x.ramp % 1000;
}

int
world_draft_bursts(struct world_draft *m, struct world_fresh *f, const struct catalog_dist *every, const struct catalog_dist *length)
{
	uint64_t key = world_subkey(f->key, DRAW_BURSTS);
	struct world_incident *x = &f->x;
	int64_t next;

	x->bursty = 1;
	if ((x->burst = world_draft_get(m, WORLD_BURSTS_MAX, sizeof(*x->burst))) == NULL)
		return -1;
	/* The first one comes somewhere in a pause that may have begun before. */
	next = x->start + (int64_t)(world_share(mix_at(key, 0)) * (double)world_minutes(every, mix_at(key, 1)));
	for (uint64_t i = 1; next < x->end; i++) {
		struct world_burst b = { .start = next - next % 1000 };

		b.start = b.start < x->start ? x->start : b.start;
		b.end = b.start + world_minutes(length, mix_at(key, 2 * i)) / 1000 * 1000;
		next = b.start + world_minutes(every, mix_at(key, 2 * i + 1)) / 1000 * 1000;
		next = next > b.start + 1000 ? next : b.start + 1000;
		b.end = b.end > next ? next : b.end;
		b.end = b.end > x->end ? x->end : b.end;
		if (b.end <= b.start)
			continue;
		if (x->nbursts == WORLD_BURSTS_MAX)
			return world_draft_fail(m, "more than %d bursts of \"%s\"", WORLD_BURSTS_MAX, x->component);
		x->burst[x->nbursts++] = b;
	}
	return 0;
}

/* As the row of the catalog says. */
static int
set_bursts(struct world_draft *m, struct world_fresh *f)
{
	const struct catalog_incident *row = &m->w->cat.incident[f->row];

	return row->every_min.kind == DIST_NONE ? 0 : world_draft_bursts(m, f, &row->every_min, &row->burst_min);
}

static int
is_idle(const struct world_effect *e)
{
	if (e->what == EFFECT_SERIES)
		return e->factors.kind == DIST_FIXED && e->factors.a == 1 && e->adds.kind == DIST_FIXED && e->adds.a == 0;
	return e->add == 0 && (e->what == EFFECT_ERRORS || e->factor == 1);
}

/* Effects that were drawn or set to do nothing are none. */
static void
drop_idle(struct world_incident *x)
{
	int n = 0;

	for (int i = 0; i < x->neffects; i++)
		if (!is_idle(&x->effect[i]))
			x->effect[n++] = x->effect[i];
	x->neffects = n;
}

int
world_draft_add(struct world_draft *m, const struct world_fresh *f)
{
	if (m->n == m->max) {
		int most = m->max == 0 ? 64 : m->max * 2;
		struct world_fresh *larger = reallocarray(m->fresh, (size_t)most, sizeof(*larger));

		if (larger == NULL)
			return world_draft_fail(m, "%s", strerror(errno));
		m->fresh = larger;
		m->max = most;
	}
	m->fresh[m->n] = *f;
	drop_idle(&m->fresh[m->n++].x);
	return 0;
}

/* An occurrence in its own part of a year. */
static int
add_random(struct world_draft *m, int row, uint64_t key, int64_t begin, int64_t part)
{
	const struct catalog_incident *i = &m->w->cat.incident[row];
	int64_t length = i->length_min.kind == DIST_NONE ? part : world_minutes(&i->length_min, mix_at(key, DRAW_LENGTH)), start;
	struct world_fresh f;

	if (length > part)
		length = part;
	if (length < 1)
		length = 1;
	start = begin + (int64_t)(world_share(mix_at(key, DRAW_START)) * (double)(part - length));
	if (start < m->w->begin || start >= m->w->end)
		return 0;
	if (world_draft_row(m, row, key, &f) == -1)
		return -1;
	f.x.start = start;
	f.x.end = start + length;
	world_draft_ramp(m, &f);
	return set_bursts(m, &f) == -1 ? -1 : world_draft_add(m, &f);
}

struct occurrence {
	uint64_t order, key;
	int row;
};

static int
order_occurrences(const void *one, const void *two)
{
	const struct occurrence *a = one, *b = two;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

/* Append the occurrences of one row in one year. */
static int
add_occurrences(struct world_draft *m, int row, int year, struct occurrence **all, size_t *n)
{
	const struct catalog_incident *i = &m->w->cat.incident[row];
	uint64_t key = world_subkey(world_subkey(m->key, mix_name(i->id, strlen(i->id))), (uint64_t)year);
	uint64_t more = world_count(&i->per_year, key);
	struct occurrence *larger = reallocarray(*all, *n + more + 1, sizeof(*larger));

	if (larger == NULL)
		return world_draft_fail(m, "%s", strerror(errno));
	*all = larger;
	for (uint64_t k = 0; k < more; k++) {
		uint64_t own = world_subkey(key, k);

		larger[(*n)++] = (struct occurrence){ .order = mix_at(own, DRAW_ORDER), .key = own, .row = row };
	}
	return 0;
}

/* All that a component has in one year: the year in equal parts, one for each, so that no two of them overlap. */
static int
add_year(struct world_draft *m, const char *component, int year)
{
	const struct catalog *c = &m->w->cat;
	struct occurrence *all = NULL;
	int64_t begin = world_year(year), part = 0;
	int failed = 0;
	size_t n = 0;

	for (int row = 0; row < c->nincidents && failed == 0; row++)
		if (!c->incident[row].scripted && strcmp(c->incident[row].component, component) == 0 && has_effects(m, row))
			failed = add_occurrences(m, row, year, &all, &n);
	if (n > 0) {
		qsort(all, n, sizeof(*all), order_occurrences);
		part = (world_year(year + 1) - begin) / (int64_t)n;
	}
	for (size_t k = 0; k < n && failed == 0; k++)
		failed = add_random(m, all[k].row, all[k].key, begin + part * (int64_t)k, part);
	free(all);
	return failed;
}

static int
add_scripted(struct world_draft *m, int row)
{
	const struct catalog_incident *i = &m->w->cat.incident[row];
	uint64_t key = world_subkey(m->key, mix_name(i->id, strlen(i->id)));
	struct world_fresh f;

	if (i->start < m->w->begin || i->start >= m->w->end || !has_effects(m, row))
		return 0;
	if (world_draft_row(m, row, key, &f) == -1)
		return -1;
	f.x.start = i->start;
	f.x.end = i->length_min.kind == DIST_NONE ? m->w->end : i->start + world_minutes(&i->length_min, mix_at(key, DRAW_LENGTH));
	if (f.x.end <= f.x.start)
		f.x.end = f.x.start + 1;
	world_draft_ramp(m, &f);
	return set_bursts(m, &f) == -1 ? -1 : world_draft_add(m, &f);
}

static int
first_row(const struct catalog *c, const char *component)
{
	int row = 0;

	while (strcmp(c->incident[row].component, component) != 0)
		row++;
	return row;
}

int
world_draft_rates(struct world_draft *m)
{
	const struct catalog *c = &m->w->cat;
	int first = world_year_of(m->w->begin), last = world_year_of(m->w->end - 1);

	for (int row = 0; row < c->nincidents; row++) {
		const char *component = c->incident[row].component;

		if (!in_world(m->w, component))
			continue;
		if (c->incident[row].scripted && add_scripted(m, row) == -1)
			return -1;
		for (int year = first; first_row(c, component) == row && year <= last; year++)
			if (add_year(m, component, year) == -1)
				return -1;
	}
	return 0;
}

int
world_draft(struct world_draft *m, struct world *w, const char *level, char *err, size_t errsize)
{
	const struct catalog *c = &w->cat;

	*m = (struct world_draft){ .w = w, .level = level == NULL ? c->set.level : level, .errsize = errsize };
	m->err = err;
	m->key = world_key(w->seed, c->name, WORLD_INCIDENTS);
	for (int i = 0; i < c->neffects; i++)
		for (int k = 0; k < c->effect[i].nlevels; k++)
			if (level != NULL && strcmp(c->effect[i].level[k], level) == 0)
				return 0;
	return level == NULL ? 0 : world_draft_fail(m, "no level \"%s\"", level);
}

static int
order_fresh(const void *one, const void *two)
{
	const struct world_fresh *a = one, *b = two;

	if (a->x.start != b->x.start)
		return a->x.start < b->x.start ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

/* The new incident before number `before` that has this id, or NULL. */
static const struct world_fresh *
taken(const struct world_draft *m, const char *id, int before)
{
	for (int i = 0; i < before; i++)
		if (strcmp(m->fresh[i].x.id, id) == 0)
			return &m->fresh[i];
	return NULL;
}

/* A number in a form, "{n:06}": text around it and nothing else. 0 or -1. */
static int
spell_number(const struct catalog_text *form, unsigned long long number, char *id)
{
	size_t used = 0;
	int n;

	for (const struct catalog_piece *p = form->piece; p < form->piece + form->n; p++) {
		if (p->src != SRC_NONE && p->src != SRC_N)
			return -1;
		n = p->src == SRC_NONE ? snprintf(id + used, ID_SIZE - used, "%s", p->text)
				       : snprintf(id + used, ID_SIZE - used, "%0*llu", p->width, number);
		if (n < 0 || (size_t)n >= ID_SIZE - used)
			return -1;
		used += (size_t)n;
	}
	return 0;
}

/*
 * By the catalog's form where it has one that can be spelled from a key or counted. The number counts what is in the world, in order of
 * time.
 */
static void
spell_id(const struct world_draft *m, uint64_t key, uint64_t draw, uint64_t number, char *id)
{
	const struct catalog *c = &m->w->cat;
	int form = catalog_id(c, "incident_id", 11);

	if (form == -1 ||
	    (world_spell(&c->id[form].form, key, draw, id, ID_SIZE) == -1 && spell_number(&c->id[form].form, number, id) == -1))
		(void)snprintf(id, ID_SIZE, "INC-%08llx", (unsigned long long)(mix_at(key, draw) >> 32));
}

static int
name_one(struct world_draft *m, int i)
{
	struct world_fresh *f = &m->fresh[i];
	const struct world_fresh *other = NULL;
	int given = f->x.id != NULL;

	if (!given && (f->x.id = world_draft_get(m, ID_SIZE, 1)) == NULL)
		return -1;
	for (uint64_t draw = DRAW_ID; draw == DRAW_ID || other != NULL; draw++) {
		if (!given)
			spell_id(m, f->key, draw, (uint64_t)(m->w->nincidents + i + 1) + draw - DRAW_ID, f->x.id);
		if ((other = taken(m, f->x.id, i)) != NULL && (given || other->key == f->key))
			return world_draft_fail(m, "two incidents are \"%s\"", f->x.id);
	}
	for (int k = 0; k < m->w->nincidents; k++)
		if (strcmp(m->w->incident[k].id, f->x.id) == 0)
			return world_draft_fail(m, "incident \"%s\" is in the world already", f->x.id);
	f->x.name = mix_name(f->x.id, strlen(f->x.id));
	return 0;
}

/* In order of time, so that a later end leaves the ids of those before it alone. */
int
world_draft_name(struct world_draft *m)
{
	if (m->n > 0)
		qsort(m->fresh, (size_t)m->n, sizeof(*m->fresh), order_fresh);
	for (int i = 0; i < m->n; i++)
		if (name_one(m, i) == -1)
			return -1;
	return 0;
}

int
world_draft_join(struct world_draft *m)
{
	struct world *w = m->w;
	struct world_incident *larger = reallocarray(w->incident, (size_t)w->nincidents + (size_t)m->n + 1, sizeof(*larger));

	if (larger == NULL)
		return world_draft_fail(m, "%s", strerror(errno));
	w->incident = larger;
	for (int i = 0; i < m->n; i++)
		larger[w->nincidents++] = m->fresh[i].x;
	m->n = 0;
	return world_sort(w) == -1 ? world_draft_fail(m, "%s", strerror(errno)) : 0;
}

void
world_draft_free(struct world_draft *m)
{
	free(m->fresh);
	m->fresh = NULL;
	m->n = m->max = 0;
}
