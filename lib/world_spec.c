#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mix.h"
#include "num.h"
#include "world.h"
#include "world_impl.h"

#define KEYS 16 /* apart from the parts of places, and series */

/* Specifications: KEY=VALUE,KEY=VALUE. What is left out comes from the catalog. */
enum {
	SPEC_BURST,
	SPEC_CODES,
	SPEC_COMPONENT,
	SPEC_DURATION,
	SPEC_ERRORS,
	SPEC_EVERY,
	SPEC_ID,
	SPEC_LATENCY,
	SPEC_LINKS,
	SPEC_MESSAGE,
	SPEC_PLACE,
	SPEC_RAMP,
	SPEC_ROLE,
	SPEC_SERVICES,
	SPEC_START,
	SPEC_TYPE
};
static const char *const spec_key[KEYS] = { "burst", "codes", "component", "duration", "errors", "every", "id", "latency", "links",
	"message", "place", "ramp", "role", "services", "start", "type" };

struct spec {
	struct world_draft *d;
	const struct catalog *c;
	char *value[KEYS]; /* NULL: not given */
	char **part;       /* of places, in the order of the catalog */
	char **series;     /* likewise */
	struct world_fresh f;
};

static int
bad(const struct spec *s, const char *what, const char *value)
{
	if (value == NULL)
		return world_draft_fail(s->d, "%s", what);
	return world_draft_fail(s->d, "%s \"%s\"", what, value);
}

static int
set_key(struct spec *s, const char *key, char *value)
{
	char **to = NULL;

	for (int i = 0; i < KEYS && to == NULL; i++)
		if (strcmp(spec_key[i], key) == 0)
			to = &s->value[i];
	for (int i = 0; i < s->c->nplaceparts && to == NULL; i++)
		if (strcmp(s->c->placepart[i], key) == 0)
			to = &s->part[i];
	for (int i = 0; i < s->c->nseries && to == NULL; i++)
		if (strcmp(s->c->series[i].id, key) == 0)
			to = &s->series[i];
	if (to == NULL)
		return bad(s, "no key", key);
	if (*to != NULL)
		return bad(s, "twice the key", key);
	*to = value;
	return 0;
}

/* Cuts the text up. */
static int
parse(struct spec *s, char *text)
{
	char *item, *value;

	if ((s->part = world_draft_get(s->d, (size_t)s->c->nplaceparts, sizeof(*s->part))) == NULL ||
	    (s->series = world_draft_get(s->d, (size_t)s->c->nseries, sizeof(*s->series))) == NULL)
		return -1;
	while ((item = strsep(&text, ",")) != NULL) {
		if ((value = strchr(item, '=')) == NULL)
			return bad(s, "no \"=\" in", item);
		*value++ = '\0';
		if (*value == '\0')
			return bad(s, "no value for", item);
		if (set_key(s, item, value) == -1)
			return -1;
	}
	return 0;
}

/* Every name of a list "a|b" as an index; how many, or -1. */
static int
find_all(struct spec *s, int key, const char *what, int (*find)(const struct catalog *, const char *, size_t), int **to)
{
	char *list, *name;
	int n = 0;

	*to = NULL;
	if (s->value[key] == NULL)
		return 0;
	if ((list = world_draft_text(s->d, s->value[key])) == NULL ||
	    (*to = world_draft_get(s->d, strlen(list) / 2 + 1, sizeof(**to))) == NULL)
		return -1;
	for (; (name = strsep(&list, "|")) != NULL; n++)
		if (((*to)[n] = find(s->c, name, strlen(name))) == -1)
			return bad(s, what, name);
	return n;
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
place_matches(const struct spec *s, int place)
{
	if (s->value[SPEC_PLACE] != NULL && !is_listed(s->value[SPEC_PLACE], s->c->place[place].id))
		return 0;
	for (int i = 0; i < s->c->nplaceparts; i++)
		if (s->part[i] != NULL && !is_listed(s->part[i], s->c->place[place].part[i]))
			return 0;
	return 1;
}

static int
set_places(struct spec *s)
{
	int given = s->value[SPEC_PLACE] != NULL, *known;

	for (int i = 0; i < s->c->nplaceparts; i++)
		given |= s->part[i] != NULL;
	if (!given)
		return 0;
	if (find_all(s, SPEC_PLACE, "no place", catalog_place, &known) == -1)
		return -1;
	s->f.x.nplaces = 0;
	if ((s->f.x.place = world_draft_get(s->d, (size_t)s->c->nplaces, sizeof(*s->f.x.place))) == NULL)
		return -1;
	for (int i = 0; i < s->c->nplaces; i++)
		if (place_matches(s, i))
			s->f.x.place[s->f.x.nplaces++] = i;
	return s->f.x.nplaces == 0 ? bad(s, "no place is all of that", NULL) : 0;
}

static int
set_duration(const struct spec *s, int key, const char *what, int64_t *us)
{
	const char *text = s->value[key];

	return clock_duration(text, strlen(text), us) == -1 || *us < 0 ? bad(s, what, text) : 0;
}

static int
set_start(struct spec *s, const struct catalog_incident *row)
{
	const char *start = s->value[SPEC_START];

	if (start == NULL && (row == NULL || !row->scripted))
		return bad(s, "no start", NULL);
	if (start == NULL)
		s->f.x.start = row->start;
	else if (clock_parse(start, strlen(start), &s->f.x.start) == -1)
		return bad(s, "no time such as 2025-12-03T12:20:00Z:", start);
	if (s->f.x.start < s->d->w->begin || s->f.x.start >= s->d->w->end)
		return bad(s, "start is not within the world", NULL);
	return 0;
}

static int
set_end(struct spec *s, const struct catalog_incident *row)
{
	int64_t length;

	if (s->value[SPEC_DURATION] == NULL && row == NULL)
		return bad(s, "no duration", NULL);
	if (s->value[SPEC_DURATION] != NULL) {
		if (set_duration(s, SPEC_DURATION, "no duration such as 90m:", &length) == -1)
			return -1;
	} else if (row->length_min.kind == DIST_NONE)
		length = s->d->w->end - s->f.x.start;
	else
		length = world_minutes(&row->length_min, mix_at(s->f.key, DRAW_LENGTH));
	if (length == 0)
		return bad(s, "the duration is 0", NULL);
	if (length > WORLD_YEARS * 366LL * CLOCK_DAY)
		return bad(s, "the duration is more than 100 years", NULL);
	s->f.x.end = s->f.x.start + length;
	return 0;
}

/* A quantity of minutes, or what the row says. */
static int
set_minutes(struct spec *s, int key, const struct catalog_dist *row, struct catalog_dist *d)
{
	const char *text = s->value[key];

	*d = (struct catalog_dist){ .kind = DIST_NONE };
	if (text == NULL && row != NULL)
		*d = *row;
	if (text != NULL && (catalog_parse_dist(&s->d->w->cat, text, strlen(text), d) == -1 || d->a < 0 || d->b < d->a))
		return bad(s, "no minutes such as 4..7:", text);
	return 0;
}

static int
set_bursts(struct spec *s, const struct catalog_incident *row)
{
	struct catalog_dist every, length;

	if (set_minutes(s, SPEC_EVERY, row == NULL ? NULL : &row->every_min, &every) == -1 ||
	    set_minutes(s, SPEC_BURST, row == NULL ? NULL : &row->burst_min, &length) == -1)
		return -1;
	if ((every.kind == DIST_NONE) != (length.kind == DIST_NONE))
		return bad(s, every.kind == DIST_NONE ? "burst without every" : "every without burst", NULL);
	if (every.kind == DIST_NONE)
		return 0;
	if (catalog_dist_mean(&every) <= 0)
		return bad(s, "no time between bursts:", s->value[SPEC_EVERY]);
	return world_draft_bursts(s->d, &s->f, &every, &length);
}

static int
set_times(struct spec *s)
{
	const struct catalog_incident *row = s->f.row == -1 ? NULL : &s->c->incident[s->f.row];

	if (set_start(s, row) == -1 || set_end(s, row) == -1)
		return -1;
	if (s->value[SPEC_RAMP] != NULL) {
		if (set_duration(s, SPEC_RAMP, "no ramp such as 5m:", &s->f.x.ramp) == -1)
			return -1;
	} else if (row != NULL)
		world_draft_ramp(s->d, &s->f);
	if (set_bursts(s, row) == -1)
		return -1;
	return s->f.x.ramp > (s->f.x.end - s->f.x.start) / 2 ? bad(s, "the ramp is more than half of the duration", NULL) : 0;
}

/* A number in [0, most] in units of 1 / unit. */
static int
set_number(const struct spec *s, int key, const char *what, double most, double unit, double *x)
{
	const char *text = s->value[key];

	if (num_decimal(text, strlen(text), x) == -1 || *x < 0 || *x > most)
		return bad(s, what, text);
	*x = world_rounded(*x, unit);
	return 0;
}

static int
set_role(struct spec *s)
{
	static const char *const name[] = { [ROLE_CAUSE] = "cause", [ROLE_CONFOUNDER] = "confounder", [ROLE_FIX] = "fix" };

	if (s->value[SPEC_ROLE] == NULL)
		return 0;
	for (int i = 0; i < 3; i++)
		if (strcmp(s->value[SPEC_ROLE], name[i]) == 0) {
			s->f.x.role = (enum catalog_role)i;
			return 0;
		}
	return bad(s, "no role", s->value[SPEC_ROLE]);
}

/* What failures look like where nobody says: overload. -1: the catalog has no code of a server that fails. */
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
	return code;
}

/* The first effect on operations, or NULL. */
static struct world_effect *
first_on_operations(struct world_incident *x)
{
	for (int i = 0; i < x->neffects; i++)
		if (x->effect[i].what != EFFECT_WEIGHT && x->effect[i].what != EFFECT_SERIES)
			return &x->effect[i];
	return NULL;
}

/* One more effect, on what the first one is about. */
static int
add_effect(struct spec *s, enum catalog_what what)
{
	struct world_incident *x = &s->f.x;
	struct world_effect *e = &x->effect[x->neffects], *first = first_on_operations(x);

	*e = (struct world_effect){ .what = what, .factor = 1 };
	if (first == NULL && s->value[SPEC_SERVICES] == NULL)
		return bad(s, "no services", NULL);
	if (first != NULL) {
		e->target = first->target;
		e->ntargets = first->ntargets;
		e->when = first->when;
	}
	x->neffects++;
	if (what != EFFECT_ERRORS)
		return 0;
	if ((e->code = world_draft_get(s->d, 1, sizeof(*e->code))) == NULL)
		return -1;
	e->ncodes = 1;
	return (e->code[0] = usual_code(s->c)) == -1 ? bad(s, "no codes", NULL) : 0;
}

/* All effects of a kind get this strength; when there are none, there is one now. */
static int
strengthen(struct spec *s, enum catalog_what what, double factor, double add)
{
	struct world_incident *x = &s->f.x;
	int n = 0;

	for (int i = 0; i < x->neffects; i++)
		n += x->effect[i].what == what;
	if (n == 0 && add_effect(s, what) == -1)
		return -1;
	for (int i = 0; i < x->neffects; i++)
		if (x->effect[i].what == what) {
			x->effect[i].factor = factor;
			x->effect[i].add = add;
		}
	return 0;
}

/* Values of a series are multiplied by this quantity, whatever the catalog says. */
static int
set_series(struct spec *s, int series)
{
	struct world_incident *x = &s->f.x;
	struct world_effect e = { .what = EFFECT_SERIES, .series = series, .factor = 1 }, *to = &x->effect[x->neffects];
	char *text = s->series[series];

	if (text == NULL)
		return 0;
	for (int i = 0; i < x->neffects; i++)
		if (x->effect[i].what == EFFECT_SERIES && x->effect[i].series == series) {
			e = x->effect[i];
			to = &x->effect[i];
		}
	if (catalog_parse_dist(&s->d->w->cat, text, strlen(text), &e.factors) == -1 || e.factors.a < 0 || e.factors.b < 0)
		return bad(s, "no factor such as 2..8:", text);
	e.factors.whole = 0;
	e.factors_text = text;
	e.adds = (struct catalog_dist){ .kind = DIST_FIXED };
	e.adds_text = NULL;
	x->neffects += to == &x->effect[x->neffects];
	*to = e;
	return s->c->series[series].of == OF_LINK && e.nthings == 0 && s->value[SPEC_LINKS] == NULL ? bad(s, "no links", NULL) : 0;
}

static int
set_strength(struct spec *s)
{
	double x;

	if (s->value[SPEC_ERRORS] != NULL)
		if (set_number(s, SPEC_ERRORS, "no share between 0 and 1:", 1, WORLD_ADD_UNIT, &x) == -1 ||
		    strengthen(s, EFFECT_ERRORS, 1, x) == -1)
			return -1;
	if (s->value[SPEC_LATENCY] != NULL)
		if (set_number(s, SPEC_LATENCY, "no factor such as 2.5:", 1e6, WORLD_FACTOR_UNIT, &x) == -1 ||
		    strengthen(s, EFFECT_LATENCY, x, 0) == -1)
			return -1;
	for (int i = 0; i < s->c->nseries; i++)
		if (set_series(s, i) == -1)
			return -1;
	return 0;
}

/* Effects are about these services, and those on links about these links. -1: there are links, but no effects on any. */
static int
set_targets(struct spec *s, int *service, int nservices, struct catalog_ref *target, int *link, int nlinks)
{
	int used = 0;

	for (int i = 0; i < s->f.x.neffects; i++) {
		struct world_effect *e = &s->f.x.effect[i];
		int of = world_of(s->c, e->what, e->series);

		if (of == -1 && nservices > 0) {
			e->target = target;
			e->ntargets = nservices;
		}
		if ((of == OF_HOST || of == OF_SERVICE) && nservices > 0) {
			e->thing = service;
			e->nthings = nservices;
		}
		if (of == OF_LINK && nlinks > 0) {
			e->thing = link;
			e->nthings = nlinks;
			used = 1;
		}
	}
	return nlinks > 0 && !used ? bad(s, "no effects on links", NULL) : 0;
}

static int
set_effects(struct spec *s)
{
	struct catalog_ref *target = NULL;
	int *service, *code, *link, nservices = find_all(s, SPEC_SERVICES, "no service", catalog_service, &service), ncodes, nlinks;

	if (nservices == -1 || (ncodes = find_all(s, SPEC_CODES, "no code", catalog_code, &code)) == -1 ||
	    (nlinks = find_all(s, SPEC_LINKS, "no link", catalog_link, &link)) == -1 || set_strength(s) == -1)
		return -1;
	if (nservices > 0 && (target = world_draft_get(s->d, (size_t)nservices, sizeof(*target))) == NULL)
		return -1;
	for (int i = 0; i < nservices; i++)
		target[i].service = service[i];
	for (int i = 0; i < ncodes; i++)
		if (s->d->w->cat.code[code[i]].http < 400)
			return bad(s, "no failure:", s->d->w->cat.code[code[i]].code);
	if (set_targets(s, service, nservices, target, link, nlinks) == -1)
		return -1;
	for (int i = 0; i < s->f.x.neffects; i++)
		if (ncodes > 0 && s->f.x.effect[i].what == EFFECT_ERRORS) {
			s->f.x.effect[i].code = code;
			s->f.x.effect[i].ncodes = ncodes;
		}
	return 0;
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

/* What the catalog says of the component, if it knows it. */
static int
set_row(struct spec *s, uint64_t key)
{
	static char none[] = "";
	char *component = s->value[SPEC_COMPONENT];
	int row, series = 0;

	if (component == NULL)
		return bad(s, "no component", NULL);
	if ((row = find_row(s->c, component)) != -1)
		return world_draft_row(s->d, row, key, &s->f);
	for (int i = 0; i < s->c->nseries; i++)
		series |= s->series[i] != NULL;
	if (!series && (s->value[SPEC_SERVICES] == NULL || (s->value[SPEC_ERRORS] == NULL && s->value[SPEC_LATENCY] == NULL)))
		return bad(s, "services, and errors or latency, or a series have to be given for the unknown component", component);
	s->f = (struct world_fresh){ .row = -1, .key = key, .x = { .component = component, .type = none, .message = none } };
	return (s->f.x.effect = world_draft_get(s->d, 2 + (size_t)s->c->nseries, sizeof(*s->f.x.effect))) == NULL ? -1 : 0;
}

int
world_draft_spec(struct world_draft *d, const char *spec)
{
	struct spec s = { .d = d, .c = &d->w->cat };
	char *text = world_draft_text(d, spec);

	if (text == NULL || parse(&s, text) == -1 || set_row(&s, world_subkey(d->key, mix_name(spec, strlen(spec)))) == -1)
		return -1;
	s.f.x.id = s.value[SPEC_ID];
	if (s.value[SPEC_TYPE] != NULL)
		s.f.x.type = s.value[SPEC_TYPE];
	if (s.value[SPEC_MESSAGE] != NULL)
		s.f.x.message = s.value[SPEC_MESSAGE];
	if (set_role(&s) == -1 || set_places(&s) == -1 || set_times(&s) == -1 || set_effects(&s) == -1)
		return -1;
	return world_draft_add(d, &s.f);
}
