/*
 * og-incidents: append incidents to a world
 *
 * Standard input: a world. Standard output: the same lines, unchanged, and behind them a line for each new incident, in order of their starts.
 * They depend on the world's seed, begin and end, its catalog and the options alone.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog.h"
#include "clock.h"
#include "mix.h"
#include "num.h"
#include "out.h"
#include "rec.h"
#include "world.h"

#define ERROR_MAX 4096
#define ID_SIZE 256
#define FACTOR_PLACES 4 /* decimals */
#define ADD_PLACES 6
#define KEYS 13 /* of a specification, apart from the parts of places */

/* Words of an incident's key; from DRAW_ID on as many as it takes. */
enum { DRAW_ORDER, DRAW_LENGTH, DRAW_START, DRAW_RAMP, DRAW_PLACE, DRAW_SEVERITY, DRAW_TARGET, DRAW_ID = 8 };

static struct opts {
	const char *catalog, *level, *requests;
	char **spec; /* -a */
	int nspecs, norandom, verbose;
} opts;

/* An incident on its way into the world. */
struct fresh {
	struct world_incident x;
	uint64_t key;
	int row;     /* of the catalog's table; -1 */
	int ordered; /* -a */
};

struct maker {
	struct world *w;
	const char *level;
	uint64_t key;
	struct fresh *fresh;
	int n, max;
	char *lines; /* the world as it came */
	size_t len, size;
};

static void *
get(size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size);

	if (p == NULL)
		err(1, NULL);
	return p;
}

static char *
copy(const char *text)
{
	char *s = strdup(text);

	if (s == NULL)
		err(1, NULL);
	return s;
}

static double
fraction(uint64_t word)
{
	return (double)(word >> 11) * 0x1p-53;
}

static double
draw(const struct catalog_dist *dist, uint64_t word)
{
	struct catalog_dist d = *dist;

	/* What is counted in minutes or shares need not be whole, even where the bounds are. */
	d.whole = 0;
	return catalog_draw(&d, word);
}

static int64_t
draw_minutes(const struct catalog_dist *dist, uint64_t word)
{
	double minutes = dist->kind == DIST_NONE ? 0 : draw(dist, word);

	return minutes > 0 ? (int64_t)(minutes * (double)CLOCK_MINUTE) : 0;
}

/* As it will be written. */
static double
rounded(double x, double unit)
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
has_effects(const struct maker *m, int row)
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
	at = fraction(word) * sum;
	for (int i = 0; i < c->nplaces; i++) {
		if (c->place[i].weight <= 0)
			continue;
		last = i;
		if ((at -= c->place[i].weight) < 0)
			break;
	}
	return last;
}

static void
set_scope(const struct maker *m, struct fresh *f)
{
	const struct catalog_incident *row = &m->w->cat.incident[f->row];

	f->x.nplaces = row->scope_any ? 1 : row->nplaces;
	f->x.place = row->place;
	if (row->scope_any) {
		f->x.place = get(1, sizeof(*f->x.place));
		f->x.place[0] = draw_place(&m->w->cat, mix_at(f->key, DRAW_PLACE));
	}
}

static void
set_effect(const struct maker *m, const struct fresh *f, const struct catalog_effect *from, struct world_effect *to)
{
	const struct catalog *c = &m->w->cat;
	uint64_t severity = mix_at(f->key, DRAW_SEVERITY);

	*to = (struct world_effect){ .what = from->what, .when = from->when, .factor = 1, .ncodes = from->ncodes, .code = from->code };
	if (from->factor.kind != DIST_NONE)
		to->factor = rounded(draw(&from->factor, severity), 1e4);
	/* The body of a log-normal that slows things down reaches below 1; nothing gets faster by breaking. */
	if (from->factor.kind == DIST_LOGNORMAL && from->factor.a >= 1 && to->factor < 1)
		to->factor = 1;
	if (from->add.kind != DIST_NONE)
		to->add = rounded(draw(&from->add, severity), 1e6);
	if (to->what == EFFECT_ERRORS && to->add > 1)
		to->add = 1;
	if (from->target_any) {
		to->ntargets = 1;
		to->target = get(1, sizeof(*to->target));
		to->target[0].service = (int)mix_below((uint32_t)(mix_at(f->key, DRAW_TARGET) >> 32), (uint32_t)c->nservices);
	} else if (!from->target_all) {
		to->ntargets = from->ntargets;
		to->target = from->target;
	}
}

/* All effects of an occurrence share one draw, so that a bad one is bad in all. */
static void
set_effects(const struct maker *m, struct fresh *f)
{
	const struct catalog *c = &m->w->cat;

	f->x.effect = get((size_t)c->neffects + 2, sizeof(*f->x.effect));
	for (int i = 0; i < c->neffects; i++)
		if (c->effect[i].incident == f->row && has_level(&c->effect[i], m->level))
			set_effect(m, f, &c->effect[i], &f->x.effect[f->x.neffects++]);
}

/* Everything but the times and the id. */
static struct fresh
from_row(const struct maker *m, int row, uint64_t key)
{
	const struct catalog_incident *i = &m->w->cat.incident[row];
	struct fresh f = { .row = row, .key = key };

	f.x.component = i->component;
	f.x.type = i->type == NULL ? copy("") : i->type;
	f.x.message = i->message == NULL ? copy("") : i->message;
	f.x.role = i->role;
	set_scope(m, &f);
	set_effects(m, &f);
	return f;
}

static void
set_ramp(const struct maker *m, struct fresh *f)
{
	f->x.ramp = draw_minutes(&m->w->cat.incident[f->row].ramp_min, mix_at(f->key, DRAW_RAMP));
	if (f->x.ramp > (f->x.end - f->x.start) / 2)
		f->x.ramp = (f->x.end - f->x.start) / 2;
	f->x.ramp -= f->x.ramp % 1000;
}

static void
add_fresh(struct maker *m, const struct fresh *f)
{
	if (m->n == m->max) {
		m->max = m->max == 0 ? 64 : m->max * 2;
		if ((m->fresh = reallocarray(m->fresh, (size_t)m->max, sizeof(*m->fresh))) == NULL)
			err(1, NULL);
	}
	m->fresh[m->n++] = *f;
}

/* An occurrence in its own part of a year. */
static void
add_random(struct maker *m, int row, uint64_t key, int64_t begin, int64_t part)
{
	const struct catalog_incident *i = &m->w->cat.incident[row];
	int64_t length = i->length_min.kind == DIST_NONE ? part : draw_minutes(&i->length_min, mix_at(key, DRAW_LENGTH)), start;
	struct fresh f;

	if (length > part)
		length = part;
	if (length < 1)
		length = 1;
	start = begin + (int64_t)(fraction(mix_at(key, DRAW_START)) * (double)(part - length));
	if (start < m->w->begin || start >= m->w->end)
		return;
	f = from_row(m, row, key);
	f.x.start = start;
	f.x.end = start + length;
	set_ramp(m, &f);
	add_fresh(m, &f);
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

/* All that a component has in one year: the year in equal parts, one for each, so that no two of them overlap. */
static void
add_year(struct maker *m, const char *component, int year)
{
	const struct catalog *c = &m->w->cat;
	struct occurrence *all = NULL;
	size_t n = 0;
	int64_t begin = world_year(year), part;

	for (int row = 0; row < c->nincidents; row++) {
		const struct catalog_incident *i = &c->incident[row];
		uint64_t key = world_subkey(world_subkey(m->key, mix_name(i->id, strlen(i->id))), (uint64_t)year), more;

		if (i->scripted || strcmp(i->component, component) != 0 || !has_effects(m, row))
			continue;
		more = world_count(&i->per_year, key);
		if ((all = reallocarray(all, n + more + 1, sizeof(*all))) == NULL)
			err(1, NULL);
		for (uint64_t k = 0; k < more; k++) {
			uint64_t own = world_subkey(key, k);

			all[n++] = (struct occurrence){ .order = mix_at(own, DRAW_ORDER), .key = own, .row = row };
		}
	}
	if (n > 0)
		qsort(all, n, sizeof(*all), order_occurrences);
	part = n > 0 ? (world_year(year + 1) - begin) / (int64_t)n : 0;
	for (size_t k = 0; k < n; k++)
		add_random(m, all[k].row, all[k].key, begin + part * (int64_t)k, part);
	free(all);
}

static void
add_scripted(struct maker *m, int row)
{
	const struct catalog_incident *i = &m->w->cat.incident[row];
	uint64_t key = world_subkey(m->key, mix_name(i->id, strlen(i->id)));
	struct fresh f;

	if (i->start < m->w->begin || i->start >= m->w->end || !has_effects(m, row))
		return;
	f = from_row(m, row, key);
	f.x.start = i->start;
	f.x.end = i->length_min.kind == DIST_NONE ? m->w->end : i->start + draw_minutes(&i->length_min, mix_at(key, DRAW_LENGTH));
	if (f.x.end <= f.x.start)
		f.x.end = f.x.start + 1;
	set_ramp(m, &f);
	add_fresh(m, &f);
}

/* What the catalog's table says; only components that the world still has. */
static void
add_by_rates(struct maker *m)
{
	const struct catalog *c = &m->w->cat;

	for (int row = 0; row < c->nincidents; row++) {
		const char *component = c->incident[row].component;
		int first = 0;

		if (!in_world(m->w, component))
			continue;
		if (c->incident[row].scripted)
			add_scripted(m, row);
		while (strcmp(c->incident[first].component, component) != 0)
			first++;
		for (int year = world_year_of(m->w->begin); first == row && year <= world_year_of(m->w->end - 1); year++)
			add_year(m, component, year);
	}
}

/*
 * Specifications: KEY=VALUE,KEY=VALUE. What is left out comes from the catalog.
 */
enum {
	SPEC_CODES,
	SPEC_COMPONENT,
	SPEC_DURATION,
	SPEC_ERRORS,
	SPEC_ID,
	SPEC_LATENCY,
	SPEC_MESSAGE,
	SPEC_PLACE,
	SPEC_RAMP,
	SPEC_ROLE,
	SPEC_SERVICES,
	SPEC_START,
	SPEC_TYPE
};
static const char *const spec_key[KEYS] = { "codes", "component", "duration", "errors", "id", "latency", "message", "place", "ramp", "role",
	"services", "start", "type" };

struct spec {
	char *value[KEYS]; /* NULL: not given */
	char **part;       /* of places, in the order of the catalog */
};

static _Noreturn void
bad_spec(const char *what, const char *value)
{
	if (value == NULL)
		errx(2, "-a: %s", what);
	errx(2, "-a: %s \"%s\"", what, value);
}

static void
set_key(const struct catalog *c, struct spec *s, const char *key, char *value)
{
	char **to = NULL;

	for (int i = 0; i < KEYS && to == NULL; i++)
		if (strcmp(spec_key[i], key) == 0)
			to = &s->value[i];
	for (int i = 0; i < c->nplaceparts && to == NULL; i++)
		if (strcmp(c->placepart[i], key) == 0)
			to = &s->part[i];
	if (to == NULL)
		bad_spec("no key", key);
	if (*to != NULL)
		bad_spec("twice the key", key);
	*to = value;
}

static struct spec
parse_spec(const struct catalog *c, char *text)
{
	struct spec s = { .part = get((size_t)c->nplaceparts, sizeof(*s.part)) };
	char *item, *value;

	while ((item = strsep(&text, ",")) != NULL) {
		if ((value = strchr(item, '=')) == NULL)
			bad_spec("no \"=\" in", item);
		*value++ = '\0';
		if (*value == '\0')
			bad_spec("no value for", item);
		set_key(c, &s, item, value);
	}
	return s;
}

/* Is `name` one of those in a list "a|b"? */
static int
is_listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; p != NULL; p = strchr(p, '|') == NULL ? NULL : strchr(p, '|') + 1)
		if (strncmp(p, name, n) == 0 && (p[n] == '|' || p[n] == '\0'))
			return 1;
	return 0;
}

static int
place_matches(const struct catalog *c, const struct spec *s, int place)
{
	if (s->value[SPEC_PLACE] != NULL && !is_listed(s->value[SPEC_PLACE], c->place[place].id))
		return 0;
	for (int i = 0; i < c->nplaceparts; i++)
		if (s->part[i] != NULL && !is_listed(s->part[i], c->place[place].part[i]))
			return 0;
	return 1;
}

/* Every name of a list "a|b" as an index. */
static int
find_all(const struct catalog *c, char *list, const char *what, int (*find)(const struct catalog *, const char *, size_t), int **to)
{
	int n = 0;

	*to = get(strlen(list) / 2 + 1, sizeof(**to));
	for (char *name; (name = strsep(&list, "|")) != NULL; n++)
		if (((*to)[n] = find(c, name, strlen(name))) == -1)
			bad_spec(what, name);
	return n;
}

static void
spec_places(const struct catalog *c, const struct spec *s, struct fresh *f)
{
	int given = s->value[SPEC_PLACE] != NULL, *unused;

	for (int i = 0; i < c->nplaceparts; i++)
		given |= s->part[i] != NULL;
	if (!given)
		return;
	if (s->value[SPEC_PLACE] != NULL) {
		char *list = copy(s->value[SPEC_PLACE]);

		(void)find_all(c, list, "no place", catalog_place, &unused);
		free(unused);
		free(list);
	}
	f->x.nplaces = 0;
	f->x.place = get((size_t)c->nplaces, sizeof(*f->x.place));
	for (int i = 0; i < c->nplaces; i++)
		if (place_matches(c, s, i))
			f->x.place[f->x.nplaces++] = i;
	if (f->x.nplaces == 0)
		bad_spec("no place is all of that", NULL);
}

static int64_t
spec_duration(const char *text, const char *what)
{
	int64_t us;

	if (clock_duration(text, strlen(text), &us) == -1 || us < 0)
		bad_spec(what, text);
	return us;
}

static void
spec_times(const struct maker *m, const struct spec *s, struct fresh *f)
{
	const struct catalog_incident *row = f->row == -1 ? NULL : &m->w->cat.incident[f->row];
	const char *start = s->value[SPEC_START], *duration = s->value[SPEC_DURATION], *ramp = s->value[SPEC_RAMP];

	if (start == NULL && (row == NULL || !row->scripted))
		bad_spec("no start", NULL);
	if (start == NULL)
		f->x.start = row->start;
	else if (clock_parse(start, strlen(start), &f->x.start) == -1)
		bad_spec("no time such as 2025-12-03T12:20:00Z:", start);
	if (f->x.start < m->w->begin || f->x.start >= m->w->end)
		bad_spec("start is not within the world", NULL);
	if (duration == NULL && row == NULL)
		bad_spec("no duration", NULL);
	if (duration != NULL)
		f->x.end = f->x.start + spec_duration(duration, "no duration such as 90m:");
	else if (row->length_min.kind == DIST_NONE)
		f->x.end = m->w->end;
	else
		f->x.end = f->x.start + draw_minutes(&row->length_min, mix_at(f->key, DRAW_LENGTH));
	if (f->x.end <= f->x.start)
		bad_spec("the duration is 0", NULL);
	if (f->x.end > world_year(WORLD_LAST_YEAR + 2))
		bad_spec("the end is too far away", NULL);
	if (ramp != NULL)
		f->x.ramp = spec_duration(ramp, "no ramp such as 5m:");
	else if (row != NULL)
		set_ramp(m, f);
	if (f->x.ramp > (f->x.end - f->x.start) / 2)
		bad_spec("the ramp is more than half of the duration", NULL);
}

static double
spec_number(const char *text, const char *what, double most)
{
	double x;

	if (num_decimal(text, strlen(text), &x) == -1 || x < 0 || x > most)
		bad_spec(what, text);
	return x;
}

static enum catalog_role
spec_role(const char *text)
{
	static const char *const name[] = { [ROLE_CAUSE] = "cause", [ROLE_CONFOUNDER] = "confounder", [ROLE_FIX] = "fix" };

	for (int i = 0; i < 3; i++)
		if (strcmp(text, name[i]) == 0)
			return (enum catalog_role)i;
	bad_spec("no role", text);
}

/* What failures look like where nobody says: overload. */
static int
usual_code(const struct catalog *c)
{
	int code = -1;

	for (int i = 0; i < c->ncodes; i++) {
		if (c->code[i].http == 503)
			return i;
		if (c->code[i].http >= 500 && code == -1)
			code = i;
	}
	if (code == -1)
		bad_spec("no codes", NULL);
	return code;
}

static int
effects_of(const struct fresh *f, enum catalog_what what)
{
	int n = 0;

	for (int i = 0; i < f->x.neffects; i++)
		n += f->x.effect[i].what == what;
	return n;
}

/* Effects of a kind get this strength; when there are none, there is one now. */
static void
strengthen(const struct catalog *c, struct fresh *f, enum catalog_what what, double factor, double add)
{
	if (effects_of(f, what) == 0) {
		struct world_effect *e = &f->x.effect[f->x.neffects++];

		*e = (struct world_effect){ .what = what, .factor = 1 };
		if (f->x.neffects > 1) {
			e->target = f->x.effect[0].target;
			e->ntargets = f->x.effect[0].ntargets;
			e->when = f->x.effect[0].when;
		}
		if (what == EFFECT_ERRORS) {
			e->code = get(1, sizeof(*e->code));
			e->code[0] = usual_code(c);
			e->ncodes = 1;
		}
	}
	for (int i = 0; i < f->x.neffects; i++)
		if (f->x.effect[i].what == what) {
			f->x.effect[i].factor = factor;
			f->x.effect[i].add = add;
		}
}

/* Effects that were set to do nothing are none. */
static void
drop_idle(struct world_incident *x)
{
	int n = 0;

	for (int i = 0; i < x->neffects; i++)
		if (x->effect[i].add != 0 || (x->effect[i].what != EFFECT_ERRORS && x->effect[i].factor != 1))
			x->effect[n++] = x->effect[i];
	x->neffects = n;
}

static void
spec_effects(const struct catalog *c, struct spec *s, struct fresh *f)
{
	int *service = NULL, *code = NULL, nservices = 0, ncodes = 0;

	if (s->value[SPEC_SERVICES] != NULL)
		nservices = find_all(c, s->value[SPEC_SERVICES], "no service", catalog_service, &service);
	if (s->value[SPEC_CODES] != NULL)
		ncodes = find_all(c, s->value[SPEC_CODES], "no code", catalog_code, &code);
	if (s->value[SPEC_ERRORS] != NULL)
		strengthen(c, f, EFFECT_ERRORS, 1, rounded(spec_number(s->value[SPEC_ERRORS], "no share between 0 and 1:", 1), 1e6));
	if (s->value[SPEC_LATENCY] != NULL)
		strengthen(c, f, EFFECT_LATENCY, rounded(spec_number(s->value[SPEC_LATENCY], "no factor such as 2.5:", 1e6), 1e4), 0);
	for (int i = 0; i < f->x.neffects; i++) {
		struct world_effect *e = &f->x.effect[i];

		if (nservices > 0) {
			e->target = get((size_t)nservices, sizeof(*e->target));
			e->ntargets = nservices;
			for (int k = 0; k < nservices; k++)
				e->target[k].service = service[k];
		}
		if (ncodes > 0 && e->what == EFFECT_ERRORS) {
			e->code = code;
			e->ncodes = ncodes;
		}
	}
	free(service);
	drop_idle(&f->x);
}

/* The row of that name, or the first about that component; -1. */
static int
find_row(const struct catalog *c, const char *name)
{
	for (int i = 0; i < c->nincidents; i++)
		if (strcmp(c->incident[i].id, name) == 0)
			return i;
	for (int i = 0; i < c->nincidents; i++)
		if (strcmp(c->incident[i].component, name) == 0)
			return i;
	return -1;
}

static void
add_spec(struct maker *m, char *text)
{
	const struct catalog *c = &m->w->cat;
	uint64_t key = world_subkey(m->key, mix_name(text, strlen(text)));
	struct spec s = parse_spec(c, text);
	struct fresh f = { .row = -1, .key = key };

	if (s.value[SPEC_COMPONENT] == NULL)
		bad_spec("no component", NULL);
	if ((f.row = find_row(c, s.value[SPEC_COMPONENT])) != -1)
		f = from_row(m, f.row, key);
	else if (s.value[SPEC_SERVICES] == NULL || (s.value[SPEC_ERRORS] == NULL && s.value[SPEC_LATENCY] == NULL))
		bad_spec("services, and errors or latency, have to be given for the unknown component", s.value[SPEC_COMPONENT]);
	else {
		f.x.component = s.value[SPEC_COMPONENT];
		f.x.type = f.x.message = copy("");
		f.x.effect = get(2, sizeof(*f.x.effect));
	}
	f.ordered = 1;
	f.x.id = s.value[SPEC_ID];
	if (s.value[SPEC_ROLE] != NULL)
		f.x.role = spec_role(s.value[SPEC_ROLE]);
	if (s.value[SPEC_TYPE] != NULL)
		f.x.type = s.value[SPEC_TYPE];
	if (s.value[SPEC_MESSAGE] != NULL)
		f.x.message = s.value[SPEC_MESSAGE];
	spec_places(c, &s, &f);
	spec_times(m, &s, &f);
	spec_effects(c, &s, &f);
	free(s.part);
	add_fresh(m, &f);
}

/*
 * Ids and lines.
 */
static int
order_fresh(const void *one, const void *two)
{
	const struct fresh *a = one, *b = two;

	if (a->x.start != b->x.start)
		return a->x.start < b->x.start ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

/* The new incident before number `before` that has this id, or NULL. */
static const struct fresh *
taken(const struct maker *m, const char *id, int before)
{
	for (int i = 0; i < before; i++)
		if (strcmp(m->fresh[i].x.id, id) == 0)
			return &m->fresh[i];
	return NULL;
}

/* By the catalog's form where it has one that can be spelled from a key. */
static void
spell_id(const struct maker *m, uint64_t key, uint64_t draw, char *id)
{
	const struct catalog *c = &m->w->cat;
	int form = catalog_id(c, "incident_id", 11);

	if (form == -1 || world_spell(&c->id[form].form, key, draw, id, ID_SIZE) == -1)
		(void)snprintf(id, ID_SIZE, "INC-%08llx", (unsigned long long)(mix_at(key, draw) >> 32));
}

static void
name_one(struct maker *m, int i)
{
	struct fresh *f = &m->fresh[i];
	const struct fresh *other = NULL;
	int given = f->x.id != NULL;

	if (!given)
		f->x.id = get(ID_SIZE, 1);
	for (uint64_t draw = DRAW_ID; draw == DRAW_ID || other != NULL; draw++) {
		if (!given)
			spell_id(m, f->key, draw, f->x.id);
		if ((other = taken(m, f->x.id, i)) != NULL && (given || other->key == f->key))
			errx(2, "two incidents are \"%s\"", f->x.id);
	}
	for (int k = 0; k < m->w->nincidents; k++)
		if (strcmp(m->w->incident[k].id, f->x.id) == 0)
			errx(1, "incident \"%s\" is in the world already", f->x.id);
}

/* In order of time, so that a later end leaves the ids of those before it alone. */
static void
name_all(struct maker *m)
{
	for (int i = 0; i < m->n; i++)
		name_one(m, i);
}

static void
put_refs(struct out *out, const struct catalog *c, const struct world_effect *e)
{
	const char **text = get((size_t)e->ntargets + 1, sizeof(*text));
	char **own = get((size_t)e->ntargets + 1, sizeof(*own));

	text[0] = "*";
	for (int i = 0; i < e->ntargets; i++) {
		const char *service = e->target[i].service == -1 ? "*" : c->service[e->target[i].service].id;

		text[i] = service;
		if (e->target[i].op != NULL) {
			if (asprintf(&own[i], "%s/%s", service, e->target[i].op) == -1)
				err(1, NULL);
			text[i] = own[i];
		}
	}
	world_put_list(out, "targets", text, e->ntargets == 0 ? 1 : e->ntargets);
	for (int i = 0; i < e->ntargets; i++)
		free(own[i]);
	free(own);
	free(text);
}

static void
put_effect(struct out *out, const struct catalog *c, const struct world_effect *e)
{
	static const char *const what[] = {
		[EFFECT_LATENCY] = "latency", [EFFECT_ERRORS] = "errors", [EFFECT_TRAFFIC] = "traffic", [EFFECT_DELAY] = "delay"
	};
	const char **code;

	out_put(out, "{\"what\":\"", 9);
	out_put(out, what[e->what], strlen(what[e->what]));
	out_put(out, "\"", 1);
	put_refs(out, c, e);
	if (e->when.n > 0)
		world_put_text(out, "when", e->when.text);
	if (e->factor != 1 || (e->add == 0 && e->what != EFFECT_ERRORS))
		world_put_number(out, "factor", e->factor, FACTOR_PLACES);
	if (e->add != 0 || e->what == EFFECT_ERRORS)
		world_put_number(out, "add", e->add, ADD_PLACES);
	if (e->what == EFFECT_ERRORS) {
		code = get((size_t)e->ncodes, sizeof(*code));
		for (int i = 0; i < e->ncodes; i++)
			code[i] = c->code[e->code[i]].code;
		world_put_list(out, "codes", code, e->ncodes);
		free(code);
	}
	out_put(out, "}", 1);
}

/* The services at which it does something. */
static void
cover(const struct catalog *c, const struct world_incident *x, char *covered)
{
	static const struct catalog_ref all = { .service = -1 };

	for (int i = 0; i < x->neffects; i++)
		if (x->effect[i].ntargets == 0)
			world_cover(c, &all, 1, covered);
		else
			world_cover(c, x->effect[i].target, x->effect[i].ntargets, covered);
}

static void
put_incident(struct out *out, const struct catalog *c, const struct world_incident *x)
{
	static const char *const role[] = { [ROLE_CAUSE] = "cause", [ROLE_CONFOUNDER] = "confounder", [ROLE_FIX] = "fix" };
	const char **place = get((size_t)x->nplaces, sizeof(*place));
	char *covered = get((size_t)c->nservices, 1);

	for (int i = 0; i < x->nplaces; i++)
		place[i] = c->place[x->place[i]].id;
	world_put_kind(out, "incident");
	world_put_text(out, "id", x->id);
	world_put_text(out, "component", x->component);
	world_put_text(out, "role", role[x->role]);
	world_put_text(out, "type", x->type);
	world_put_text(out, "message", x->message);
	world_put_time(out, "start", x->start);
	world_put_time(out, "end", x->end);
	world_put_number(out, "ramp_s", (double)x->ramp / (double)CLOCK_SECOND, 6);
	world_put_list(out, "places", place, x->nplaces);
	out_put(out, ",\"effects\":[", 12);
	for (int i = 0; i < x->neffects; i++) {
		out_put(out, ",", i > 0);
		put_effect(out, c, &x->effect[i]);
	}
	out_put(out, "]", 1);
	cover(c, x, covered);
	world_put_services(out, "services", c, covered);
	world_put_end(out);
	free(covered);
	free(place);
}

/* A component that the world does not know yet. */
static void
put_component(struct out *out, const struct catalog *c, const struct world_incident *x)
{
	char *covered = get((size_t)c->nservices, 1);

	cover(c, x, covered);
	world_put_kind(out, "component");
	world_put_text(out, "id", x->component);
	world_put_text(out, "type", x->type);
	world_put_services(out, "services", c, covered);
	world_put_end(out);
	free(covered);
}

static void
put_fresh(const struct maker *m, struct out *out)
{
	const struct catalog *c = &m->w->cat;

	for (int i = 0; i < m->n; i++) {
		int first = 0;

		while (strcmp(m->fresh[first].x.component, m->fresh[i].x.component) != 0)
			first++;
		if (first == i && !in_world(m->w, m->fresh[i].x.component))
			put_component(out, c, &m->fresh[i].x);
	}
	for (int i = 0; i < m->n; i++)
		put_incident(out, c, &m->fresh[i].x);
}

/* Nothing is written before the whole world has been read: half a world is none. */
static int
keep_line(const char *line, size_t len, void *arg)
{
	struct maker *m = arg;

	if (m->size - m->len < len + 1) {
		size_t size = (m->size + len + 1) * 2;
		char *larger = realloc(m->lines, size);

		if (larger == NULL)
			return -1;
		m->lines = larger;
		m->size = size;
	}
	memcpy(m->lines + m->len, line, len);
	m->lines[m->len + len] = '\n';
	m->len += len + 1;
	return 0;
}

static void
set_level(struct maker *m)
{
	const struct catalog *c = &m->w->cat;

	m->level = c->set.level;
	if (opts.level == NULL)
		return;
	m->level = opts.level;
	for (int i = 0; i < c->neffects; i++)
		for (int k = 0; k < c->effect[i].nlevels; k++)
			if (strcmp(c->effect[i].level[k], opts.level) == 0)
				return;
	errx(2, "-S: no level \"%s\"", opts.level);
}

static void
add_all(struct maker *m)
{
	m->key = world_key(m->w->seed, m->w->cat.name, WORLD_INCIDENTS);
	set_level(m);
	if (!opts.norandom)
		add_by_rates(m);
	for (int i = 0; i < opts.nspecs; i++)
		add_spec(m, opts.spec[i]);
	if (m->n > 0)
		qsort(m->fresh, (size_t)m->n, sizeof(*m->fresh), order_fresh);
	name_all(m);
}

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr, "usage: og-incidents [-Nv] [-a spec] [-c catalog] [-n requests] [-S level]\n");
	if (fflush(stdout) == EOF)
		err(1, "<stdout>");
	exit(status);
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "add", required_argument, NULL, 'a' },
		{ "catalog", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "no-random", no_argument, NULL, 'N' },
		{ "requests", required_argument, NULL, 'n' },
		{ "level", required_argument, NULL, 'S' },
		{ "version", no_argument, NULL, 'V' },
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	opts.spec = get((size_t)argc, sizeof(*opts.spec));
	while ((ch = getopt_long(argc, argv, "a:c:hNn:S:Vv", longopts, NULL)) != -1) {
		switch (ch) {
		case 'a':
			opts.spec[opts.nspecs++] = optarg;
			break;
		case 'c':
			opts.catalog = optarg;
			break;
		case 'h':
			usage(0);
		case 'N':
			opts.norandom = 1;
			break;
		case 'n':
			opts.requests = optarg;
			break;
		case 'S':
			opts.level = optarg;
			break;
		case 'V':
			(void)printf("og-incidents %s\n", OG_VERSION);
			if (fflush(stdout) == EOF)
				err(1, "<stdout>");
			exit(0);
		case 'v':
			opts.verbose = 1;
			break;
		default:
			usage(2);
		}
	}
	if (argc > optind)
		usage(2);
}

int
main(int argc, char *argv[])
{
	char text[ERROR_MAX];
	uint64_t requests = 0;
	const char *what;
	struct world w;
	struct maker m = { .w = &w };
	struct rec in;
	struct out out;

	parse(argc, argv);
	if (opts.requests != NULL && num_u64(opts.requests, 1, WORLD_REQUESTS_MAX, &requests, &what) == -1)
		errx(2, "requests \"%s\" is %s", opts.requests, what);
	if (out_open(&out, STDOUT_FILENO, 0) == -1 || rec_open(&in, STDIN_FILENO, "<stdin>", NULL, 0) == -1)
		err(1, NULL);
	if (world_read_each(&w, &in, opts.catalog, keep_line, &m, text, sizeof(text)) == -1)
		errx(1, "%s", text);
	if (w.warning != NULL)
		warnx("%s", w.warning);
	add_all(&m);
	for (size_t at = 0; at < m.len; at += OUT_SIZE)
		out_put(&out, m.lines + at, m.len - at < OUT_SIZE ? m.len - at : OUT_SIZE);
	put_fresh(&m, &out);
	if (out_close(&out) == -1)
		err(1, "<stdout>");
	world_free(&w);
	return 0;
}
