#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mix.h"
#include "num.h"
#include "rollup.h"

#define PLACES 6        /* decimals of a number that names none */
#define COUNT_DIGITS 24 /* room for a count and what is between two */
#define DIGITS 48       /* of any number */

struct group {
	int64_t window; /* when it begins, us */
	uint64_t hash;
	char *tags; /* text of the object, with its brackets */
	size_t ntags, room;
	uint64_t n, failed;
	int64_t *value, *bytes; /* n each: us; bytes may be NULL */
	size_t nvalues, nbytes; /* room */
	agg_int sum;            /* us */
};

struct rollup {
	const struct catalog *cat;
	const struct catalog_layout *layout;
	enum render_format format;
	int64_t interval, written; /* windows before it are written */
	struct out *out;
	int bytes;
	size_t fixed, lists;   /* bytes of a line besides tags; of all lists of counts */
	struct group *group;   /* all that were ever open, for use again */
	size_t ngroups, nopen; /* the first nopen are open */
	size_t *slot, nslots;  /* by hash: number of a group plus 1 */
	struct group **sorted; /* room for ngroups */
	int64_t first;         /* least window of those that are open */
};

/* What a line can need besides its tags, at most. */
static void
count_room(struct rollup *r)
{
	const struct catalog_layout *l = r->layout;

	r->fixed = 8;
	for (int i = 0; i < l->n; i++) {
		r->fixed += JSON_QUOTED(strlen(l->field[i].name)) + 64 + DIGITS;
		for (int k = 0; k < l->field[i].value.n; k++) {
			const struct catalog_piece *p = &l->field[i].value.piece[k];

			if (p->src == SRC_AGG_HISTOGRAM || p->src == SRC_AGG_BYTES)
				r->lists += ((size_t)r->cat->list[p->arg].n + 2) * COUNT_DIGITS;
			else if (p->text != NULL)
				r->fixed += JSON_QUOTED(strlen(p->text));
			r->bytes |= p->src == SRC_AGG_BYTES;
		}
	}
	r->fixed += r->lists;
}

struct rollup *
rollup_open(const struct catalog *c, int layout, enum render_format format, int64_t interval, struct out *out, char *err, size_t errsize)
{
	struct rollup *r = calloc(1, sizeof(*r));

	(void)snprintf(err, errsize, "out of memory");
	if (r == NULL)
		return NULL;
	*r = (struct rollup){ .cat = c, .layout = &c->layout[layout], .format = format, .interval = interval, .out = out };
	r->written = INT64_MIN;
	r->first = INT64_MAX;
	r->nslots = 1024;
	count_room(r);
	if (r->fixed > OUT_LINE_MAX / 2) {
		(void)snprintf(err, errsize, "%s: lines of layout \"%s\" can be too long", c->name, r->layout->name);
		rollup_free(r);
		return NULL;
	}
	r->slot = calloc(r->nslots, sizeof(*r->slot));
	if (r->slot == NULL) {
		rollup_free(r);
		return NULL;
	}
	out_took(out, render_names(r->layout, format, out_room(out, r->fixed)));
	return r;
}

void
rollup_free(struct rollup *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->ngroups; i++) {
		free(r->group[i].tags);
		free(r->group[i].value);
		free(r->group[i].bytes);
	}
	free(r->group);
	free(r->slot);
	free(r->sorted);
	free(r);
}

/* Where a group is or would be. */
static size_t
find_slot(const struct rollup *r, uint64_t hash, int64_t window, const char *tags, size_t n)
{
	size_t at = (size_t)hash & (r->nslots - 1);

	for (; r->slot[at] != 0; at = (at + 1) & (r->nslots - 1)) {
		const struct group *g = &r->group[r->slot[at] - 1];

		if (g->hash == hash && g->window == window && g->ntags == n + 2 && memcmp(g->tags + 1, tags, n) == 0)
			break;
	}
	return at;
}

static void
fill_slots(struct rollup *r)
{
	memset(r->slot, 0, r->nslots * sizeof(*r->slot));
	for (size_t i = 0; i < r->nopen; i++) {
		const struct group *g = &r->group[i];

		r->slot[find_slot(r, g->hash, g->window, g->tags + 1, g->ntags - 2)] = i + 1;
	}
}

/* Room for one group more. */
static int
grow(struct rollup *r)
{
	size_t *slot, size = r->ngroups * 2 + 64;
	struct group *group, **sorted;

	if (r->nopen * 2 >= r->nslots) {
		slot = reallocarray(r->slot, r->nslots * 2, sizeof(*slot));
		if (slot == NULL)
			return -1;
		r->slot = slot;
		r->nslots *= 2;
		fill_slots(r);
	}
	if (r->nopen < r->ngroups)
		return 0;
	group = reallocarray(r->group, size, sizeof(*group));
	if (group == NULL)
		return -1;
	r->group = group;
	sorted = reallocarray(r->sorted, size, sizeof(struct group *));
	if (sorted == NULL)
		return -1;
	r->sorted = sorted;
	memset(r->group + r->ngroups, 0, (size - r->ngroups) * sizeof(*group));
	r->ngroups = size;
	return 0;
}

/* The group of a window and these tags; NULL with errno. */
static struct group *
find_group(struct rollup *r, int64_t window, const char *tags, size_t n)
{
	uint64_t hash = mix(mix_name(tags, n) + (uint64_t)window);
	size_t at = find_slot(r, hash, window, tags, n);
	struct group *g;

	if (r->slot[at] != 0)
		return &r->group[r->slot[at] - 1];
	if (grow(r) == -1)
		return NULL;
	g = &r->group[r->nopen];
	if (g->room < n + 2) {
		free(g->tags);
		g->room = 0;
		if ((g->tags = malloc(2 * n + 64)) == NULL)
			return NULL;
		g->room = 2 * n + 64;
	}
	g->tags[0] = '{';
	memcpy(g->tags + 1, tags, n);
	g->tags[n + 1] = '}';
	g->ntags = n + 2;
	g->window = window;
	g->hash = hash;
	g->n = g->failed = 0;
	g->sum = 0;
	r->slot[find_slot(r, hash, window, tags, n)] = ++r->nopen;
	r->first = window < r->first ? window : r->first;
	return g;
}

/* Room for value number n. */
static int
make_room(int64_t **value, size_t *size, size_t n)
{
	int64_t *more;

	if (n < *size)
		return 0;
	more = reallocarray(*value, n * 2 + 16, sizeof(*more));
	if (more == NULL)
		return -1;
	*value = more;
	*size = n * 2 + 16;
	return 0;
}

/* Most bytes of a line whose tags have so many. */
static size_t
line_most(const struct rollup *r, size_t ntags)
{
	return r->fixed + 3 * ntags + 64;
}

int
rollup_add(struct rollup *r, const struct measured *m, const char **errstr)
{
	int64_t window = m->us - m->us % r->interval;
	struct group *g;

	*errstr = "is of an interval that is written already: lines have to come in order of time";
	if (window < r->written)
		return -1;
	*errstr = "has labels longer than a line may be";
	if (line_most(r, m->ntags + 2) > OUT_LINE_MAX)
		return -1;
	*errstr = "out of memory";
	g = find_group(r, window, m->tags, m->ntags);
	if (g == NULL || make_room(&g->value, &g->nvalues, g->n) == -1 || (r->bytes && make_room(&g->bytes, &g->nbytes, g->n) == -1))
		return -1;
	g->value[g->n] = m->scaled[0];
	g->sum += (uint64_t)m->scaled[0];
	if (r->bytes)
		g->bytes[g->n] = m->value[1].p == NULL ? 0 : m->scaled[1];
	g->n++;
	g->failed += (uint64_t)m->failed;
	return 0;
}

/* ---- figures ---- */

static char *
put_whole(char *to, agg_int x)
{
	char back[DIGITS];
	int n = 0;

	for (; x > 0 || n == 0; x /= 10)
		back[n++] = (char)('0' + (int)(x % 10));
	while (n > 0)
		*to++ = back[--n];
	return to;
}

/* a / b, rounded to so many decimals, without zeros at the end. */
static char *
put_ratio(char *to, agg_int a, agg_int b, int places)
{
	agg_int unit = 1, x;

	for (int i = 0; i < places; i++)
		unit *= 10;
	x = (a * unit * 2 + b) / (2 * b);
	to = put_whole(to, x / unit);
	if (x % unit == 0)
		return to;
	*to++ = '.';
	for (x %= unit; x > 0; x %= unit) {
		unit /= 10;
		*to++ = (char)('0' + (int)(x / unit));
	}
	return to;
}

static int
ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* How many of the sorted values are at or below each bound of the list. */
static char *
put_counts(const struct rollup *r, char *to, int list, int places, const int64_t *value, uint64_t n)
{
	const struct catalog_list *l = &r->cat->list[list];
	uint64_t k = 0;
	int64_t bound;

	*to++ = '[';
	for (int i = 0; i < l->n; i++) {
		if (num_scaled(l->item[i], strlen(l->item[i]), places, &bound) == -1)
			bound = INT64_MAX;
		while (k < n && value[k] <= bound)
			k++;
		to = put_whole(to, k);
		*to++ = ',';
	}
	to = put_whole(to, n);
	*to++ = ']';
	return to;
}

/* What a group is grouped by in the field of this name; 0, or -1: it has none there. */
static int
find_tag(const struct group *g, const struct catalog_field *f, struct json_value *value)
{
	struct json_value tags = { g->tags, g->ntags }, key;
	const char *next = NULL;

	while (json_member(tags, &next, &key, value) == 1)
		if (json_equals((struct json_value){ key.p - 1, key.n + 2 }, f->name)) /* with its quotes */
			return 0;
	return -1;
}

static int
is_named(const struct group *g, const struct catalog_field *f, const char *text)
{
	struct json_value value;

	return find_tag(g, f, &value) == 0 && json_equals(value, text);
}

static int
is_here(const struct rollup *r, const struct group *g, int place)
{
	const struct catalog_place *p = &r->cat->place[place];

	for (int i = 0; i < r->layout->n; i++) {
		const struct catalog_field *f = &r->layout->field[i];

		if (f->value.n != 1)
			continue;
		if ((f->value.piece[0].src == SRC_PLACE_ID && !is_named(g, f, p->id)) ||
		    (f->value.piece[0].src == SRC_PLACE_PART && !is_named(g, f, p->part[f->value.piece[0].arg])))
			return 0;
	}
	return 1;
}

static int
is_served(const struct rollup *r, const struct group *g, int service)
{
	const struct catalog_service *s = &r->cat->service[service];

	for (int i = 0; i < r->layout->n; i++) {
		const struct catalog_field *f = &r->layout->field[i];
		enum catalog_source src = f->value.n == 1 ? f->value.piece[0].src : SRC_NONE;

		if ((src == SRC_SERVICE_ID && !is_named(g, f, s->id)) || (src == SRC_SERVICE_NAME && !is_named(g, f, s->name)) ||
		    (src == SRC_SERVICE_GROUP && !is_named(g, f, s->group)) ||
		    (src == SRC_SERVICE_PART && !is_named(g, f, s->part[f->value.piece[0].arg])))
			return 0;
	}
	return 1;
}

/* Hosts that a group can have run on: of each pool with a service of its labels, at each of its places. */
static uint64_t
hosts_of(const struct rollup *r, const struct group *g)
{
	uint64_t pools = 0, places = 0;

	for (int p = 0; p < r->cat->nservices; p++) {
		int any = 0;

		for (int s = p; s < r->cat->nservices && !any; s++)
			any = r->cat->service[s].pool == p && is_served(r, g, s);
		pools += any ? (uint64_t)catalog_hosts(r->cat, p) : 0;
	}
	for (int p = 0; p < r->cat->nplaces; p++)
		places += (uint64_t)is_here(r, g, p);
	return pools * places;
}

static char *
put_saturation(const struct rollup *r, char *to, const struct group *g, int places)
{
	agg_int all = (agg_int)hosts_of(r, g) * (agg_int)r->interval;

	if (g->sum >= all) {
		*to = '1';
		return to + 1;
	}
	return put_ratio(to, g->sum, all, places);
}

/* A figure of a group, whose values are sorted. */
static char *
put_figure(const struct rollup *r, char *to, const struct group *g, const struct catalog_piece *p)
{
	int places = p->places < 0 ? PLACES : p->places;

	switch (p->src) {
	case SRC_AGG_COUNT:
		return put_whole(to, g->n);
	case SRC_AGG_FAILED:
		return put_whole(to, g->failed);
	case SRC_AGG_RATE:
		return put_ratio(to, (agg_int)g->n * (agg_int)CLOCK_SECOND, (agg_int)r->interval, places);
	case SRC_AGG_ERROR_RATE:
		return put_ratio(to, g->failed, g->n, places);
	case SRC_AGG_MEAN:
		return put_ratio(to, g->sum, (agg_int)g->n * 1000, places);
	case SRC_AGG_QUANTILE:
		return put_ratio(to, (agg_int)g->value[(g->n * (uint64_t)p->arg + 99) / 100 - 1], 1000, places);
	case SRC_AGG_SATURATION:
		return put_saturation(r, to, g, places);
	case SRC_AGG_HISTOGRAM:
		return put_counts(r, to, p->arg, 3, g->value, g->n);
	case SRC_AGG_BYTES:
		return put_counts(r, to, p->arg, 0, g->bytes, g->n);
	default:
		return render_moment(to, g->window, p->arg);
	}
}

static int
is_number(const struct catalog_piece *p)
{
	if (p->src == SRC_TIME)
		return p->arg == TIME_UNIX || p->arg == TIME_MS || p->arg == TIME_NS;
	return 1;
}

/* ---- lines ---- */

/* As JSON it stands there already. */
static char *
put_tag(const struct rollup *r, char *to, const struct group *g, const struct catalog_field *f)
{
	struct json_value value;
	int found = find_tag(g, f, &value) == 0, n;

	if (r->format != RENDER_JSON) {
		n = found ? json_text(value, to, value.n + 1) : 0;
		return to + (n < 0 ? 0 : n);
	}
	if (!found)
		value = (struct json_value){ "null", 4 };
	memcpy(to, value.p, value.n);
	return to + value.n;
}

/* Figures and text; a figure alone keeps its type. */
static char *
put_value(const struct rollup *r, char *to, const struct group *g, const struct catalog_text *t)
{
	int json = r->format == RENDER_JSON, quoted = json && !(t->n == 1 && t->piece[0].src != SRC_NONE && is_number(&t->piece[0]));

	if (quoted)
		*to++ = '"';
	for (int i = 0; i < t->n; i++) {
		const struct catalog_piece *p = &t->piece[i];
		char *end;

		if (p->src != SRC_NONE && p->src != SRC_CONST) {
			to = put_figure(r, to, g, p);
		} else if (json) {
			end = json_quote(to, p->text, strlen(p->text));
			memmove(to, to + 1, (size_t)(end - to - 2));
			to = end - 2;
		} else {
			memcpy(to, p->text, strlen(p->text));
			to += strlen(p->text);
		}
	}
	if (quoted)
		*to++ = '"';
	return to;
}

static void
put_group(struct rollup *r, struct group *g)
{
	const struct catalog_layout *l = r->layout;
	char *to = out_room(r->out, line_most(r, g->ntags)), *from;
	int json = r->format == RENDER_JSON, first = 1;

	qsort(g->value, g->n, sizeof(*g->value), ascending);
	if (r->bytes)
		qsort(g->bytes, g->n, sizeof(*g->bytes), ascending);
	for (int i = 0; i < l->n; i++) {
		const struct catalog_field *f = &l->field[i];

		if (strcmp(f->name, "*") == 0 || (i > 0 && strcmp(f->name, f[-1].name) == 0))
			continue;
		*to++ = json ? (first ? '{' : ',') : r->format == RENDER_CSV ? ',' : '\t';
		to -= !json && first;
		first = 0;
		if (json) {
			to = json_quote(to, f->name, strlen(f->name));
			*to++ = ':';
		}
		from = to;
		to = measure_is_tag(f) ? put_tag(r, to, g, f) : put_value(r, to, g, &f->value);
		to = json ? to : render_guard(r->format, from, to);
	}
	if (json)
		*to++ = '}';
	*to++ = '\n';
	out_took(r->out, to);
}

static int
by_window(const void *a, const void *b)
{
	const struct group *x = *(struct group *const *)a, *y = *(struct group *const *)b;
	size_t n = x->ntags < y->ntags ? x->ntags : y->ntags;
	int c;

	if (x->window != y->window)
		return x->window < y->window ? -1 : 1;
	c = memcmp(x->tags, y->tags, n);
	return c != 0 ? c : (x->ntags > y->ntags) - (x->ntags < y->ntags);
}

/* Write the groups of windows that begin before `end`; those that stay come first. */
static int
write_before(struct rollup *r, int64_t end)
{
	size_t n = 0;

	r->first = INT64_MAX;
	for (size_t i = 0; i < r->nopen; i++) {
		if (r->group[i].window < end)
			r->sorted[n++] = &r->group[i];
		else if (r->group[i].window < r->first)
			r->first = r->group[i].window;
	}
	qsort(r->sorted, n, sizeof(struct group *), by_window);
	for (size_t i = 0; i < n; i++)
		put_group(r, r->sorted[i]);
	for (size_t i = 0; i < r->nopen;) {
		struct group g = r->group[i];

		if (g.window >= end) {
			i++;
			continue;
		}
		r->group[i] = r->group[--r->nopen];
		r->group[r->nopen] = g;
	}
	fill_slots(r);
	return 0;
}

int
rollup_pass(struct rollup *r, int64_t us)
{
	int64_t end = us - (us % r->interval + r->interval) % r->interval;

	if (end <= r->written)
		return 0;
	r->written = end;
	return r->first < end ? write_before(r, end) : 0;
}

int
rollup_finish(struct rollup *r)
{
	return write_before(r, INT64_MAX);
}
