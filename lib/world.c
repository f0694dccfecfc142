#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mix.h"
#include "world.h"
#include "world_impl.h"

#define CHUNK (64 * 1024)

/* Texts and lists live as long as the world: chunks in a list, freed together. */
struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

void *
world_get(void **arena, size_t n, size_t align)
{
	struct chunk *c = *arena;
	size_t at = c == NULL ? 0 : (c->used + align - 1) & ~(align - 1);

	if (c == NULL || at > c->size || c->size - at < n) {
		size_t size = n > CHUNK ? n : CHUNK;

		if ((c = malloc(sizeof(*c) + size)) == NULL)
			return NULL;
		*c = (struct chunk){ .next = *arena, .size = size };
		*arena = c;
		at = 0;
	}
	c->used = at + n;
	return c->data + at;
}

void
world_drop(void *arena)
{
	for (struct chunk *c = arena, *next; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
}

uint64_t
world_key(uint64_t seed, const char *catalog, enum world_domain domain)
{
	return mix(mix(mix(seed + MIX_G) + (uint64_t)domain * MIX_G) ^ mix_name(catalog, strlen(catalog)));
}

uint64_t
world_subkey(uint64_t key, uint64_t part)
{
	return mix_part(key, part);
}

uint64_t
world_count(const struct catalog_dist *d, uint64_t key)
{
	double x = catalog_draw(d, mix_at(key, 0));
	uint64_t whole = x > 0 ? (uint64_t)x : 0;

	return whole + (x > 0 && world_share(mix_at(key, 1)) < x - (double)whole);
}

double
world_draw(const struct catalog_dist *dist, uint64_t word)
{
	return catalog_draw_real(dist, word);
}

/* Digit i of a UUID of version 4: RFC 9562, section 5.4. */
static char
uuid_digit(int i, uint32_t bits)
{
	if (i == 8 || i == 13 || i == 18 || i == 23)
		return '-';
	if (i == 14)
		return '4';
	return "0123456789abcdef"[i == 19 ? 8 + mix_below(bits, 4) : mix_below(bits, 16)];
}

int
world_spell(const struct catalog_text *form, uint64_t key, uint64_t draw, char *buf, size_t size)
{
	size_t len = 0;

	for (const struct catalog_piece *p = form->piece; p < form->piece + form->n; p++) {
		size_t n = p->src == SRC_NONE ? strlen(p->text) : p->src == SRC_UUID ? 36 : (size_t)p->arg;

		if ((p->src != SRC_NONE && p->src != SRC_UUID && p->src != SRC_HEX && p->src != SRC_DIGITS) || n >= size - len)
			return -1;
		if (p->src == SRC_NONE)
			memcpy(buf + len, p->text, n);
		for (size_t i = 0; i < n && p->src != SRC_NONE; i++) {
			uint32_t bits = (uint32_t)(mix_at(key, draw++) >> 32);

			if (p->src == SRC_UUID)
				buf[len + i] = uuid_digit((int)i, bits);
			else
				buf[len + i] = "0123456789abcdef"[mix_below(bits, p->src == SRC_HEX ? 16 : 10)];
		}
		len += n;
	}
	buf[len] = '\0';
	return (int)len;
}

int64_t
world_year(int year)
{
	return clock_from_civil(year, 1, 1) * CLOCK_DAY;
}

int
world_year_of(int64_t us)
{
	int year, month, mday;

	clock_civil(clock_day(us), &year, &month, &mday);
	return year;
}

static const char *
limits_of_time(int64_t begin, int64_t end, const char *const what[4])
{
	if (end % WORLD_STEP != 0)
		return what[0];
	if (begin >= end)
		return what[1];
	if (end > world_year(WORLD_LAST_YEAR + 1))
		return what[2];
	if (end - begin > WORLD_YEARS * 366LL * CLOCK_DAY)
		return what[3];
	return NULL;
}

const char *
world_limits(const struct world *w)
{
	static const char *const end[] = { "end is not a multiple of 15 minutes", "begin is not before end", "end is after 9998",
		"more than 100 years from begin to end" };
	static const char *const until[] = { "requests_until is not a multiple of 15 minutes", "begin is not before requests_until",
		"requests_until is after 9998", "more than 100 years from begin to requests_until" };
	const char *what;

	if (w->begin % WORLD_STEP != 0)
		return "begin is not a multiple of 15 minutes";
	if (w->begin < world_year(WORLD_FIRST_YEAR))
		return "begin is before 1980";
	if ((what = limits_of_time(w->begin, w->end, end)) != NULL)
		return what;
	if ((what = limits_of_time(w->begin, w->until, until)) != NULL)
		return what;
	if (w->users < 1 || w->users > WORLD_USERS_MAX)
		return "users is not between 1 and 1000000000";
	if (w->requests < 1 || w->requests > WORLD_REQUESTS_MAX)
		return "requests is not between 1 and 500000000000";
	if (w->depth < 0 || w->depth > WORLD_DEPTH_MAX)
		return "depth is not between 0 and 64";
	return NULL;
}

int
world_covers(const struct catalog *c, const struct catalog_ref *ref, int n, int service)
{
	for (int i = 0; i < n; i++)
		if (ref[i].service == service ||
		    (ref[i].service == -1 && (ref[i].op == NULL || catalog_op(c, service, ref[i].op, strlen(ref[i].op)) != -1)))
			return 1;
	return 0;
}

int
world_of(const struct catalog *c, enum catalog_what what, int series)
{
	return what == EFFECT_SERIES ? (int)c->series[series].of : what == EFFECT_WEIGHT ? OF_LINK : -1;
}

static int
is_among(const int *list, int n, int x)
{
	for (int i = 0; i < n; i++)
		if (list[i] == x)
			return 1;
	return n == 0;
}

int
world_reaches(const struct world_incident *x, const struct world_effect *e, int thing, int place)
{
	return is_among(x->place, x->nplaces, place) && is_among(e->thing, e->nthings, thing);
}

int
world_next_burst(const struct world_incident *x, int64_t t)
{
	int lo = 0, hi = x->nbursts;

	while (lo < hi) {
		int mid = lo + (hi - lo) / 2;

		if (x->burst[mid].end <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

double
world_strength(const struct world_incident *x, int64_t t)
{
	struct world_burst b = { x->start, x->end };
	int64_t edge, ramp = x->ramp;
	int next;

	if (x->bursty) {
		next = world_next_burst(x, t);
		b = next < x->nbursts ? x->burst[next] : (struct world_burst){ 0 };
	}
	if (t < b.start || t >= b.end)
		return 0;
	edge = t - b.start < b.end - t ? t - b.start : b.end - t;
	ramp = ramp > (b.end - b.start) / 2 ? (b.end - b.start) / 2 : ramp;
	return edge >= ramp ? 1 : (double)edge / (double)ramp;
}

int
world_covers_effect(const struct catalog *c, const struct catalog_effect *e, int service)
{
	int of = world_of(c, e->what, e->series);

	if (of == OF_LINK || of == OF_PLACE)
		return 0;
	if (of != -1)
		return e->target_all || e->target_any || is_among(e->thing, e->nthings, service);
	return e->target_all || e->target_any || world_covers(c, e->target, e->ntargets, service);
}

static int
order_releases(const void *one, const void *two)
{
	const struct world_release *a = *(struct world_release *const *)one, *b = *(struct world_release *const *)two;

	if (a->service != b->service)
		return a->service < b->service ? -1 : 1;
	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return strcmp(a->id, b->id);
}

/* Rollouts refer to releases by number, so these move along. */
static int
sort_releases(struct world *w)
{
	size_t n = (size_t)w->nreleases;
	struct world_release **order = reallocarray(NULL, n + 1, sizeof(struct world_release *));
	struct world_release *sorted = reallocarray(NULL, n + 1, sizeof(*sorted));
	int *to = reallocarray(NULL, n + 1, sizeof(*to));
	int failed = order == NULL || sorted == NULL || to == NULL;

	if (!failed) {
		for (size_t i = 0; i < n; i++)
			order[i] = &w->release[i];
		qsort(order, n, sizeof(struct world_release *), order_releases);
		for (size_t i = 0; i < n; i++) {
			sorted[i] = *order[i];
			to[order[i] - w->release] = (int)i;
		}
		for (int i = 0; i < w->nrollouts; i++)
			w->rollout[i].release = to[w->rollout[i].release];
		free(w->release);
		w->release = sorted;
	} else
		free(sorted);
	free(order);
	free(to);
	return failed ? -1 : 0;
}

static int
order_rollouts(const void *one, const void *two)
{
	const struct world_rollout *a = one, *b = two;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return strcmp(a->id, b->id);
}

static int
order_incidents(const void *one, const void *two)
{
	const struct world_incident *a = one, *b = two;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return strcmp(a->id, b->id);
}

int
world_sort(struct world *w)
{
	if (w->nrollouts > 0)
		qsort(w->rollout, (size_t)w->nrollouts, sizeof(*w->rollout), order_rollouts);
	if (w->nincidents > 0)
		qsort(w->incident, (size_t)w->nincidents, sizeof(*w->incident), order_incidents);
	for (int i = 1; i < w->nreleases; i++) {
		const struct world_release *pair[] = { &w->release[i - 1], &w->release[i] };

		/* As og-entities writes them they are in order already. */
		if (order_releases(&pair[0], &pair[1]) > 0)
			return sort_releases(w);
	}
	return 0;
}

void
world_free(struct world *w)
{
	catalog_free(&w->cat);
	free(w->component);
	free(w->release);
	free(w->rollout);
	free(w->incident);
	world_drop(w->arena);
	*w = (struct world){ 0 };
}

/* Index of the first release that is not before this service and place. */
static int
first_release(const struct world *w, int service, int place)
{
	int lo = 0, hi = w->nreleases;

	while (lo < hi) {
		int mid = lo + (hi - lo) / 2;
		const struct world_release *l = &w->release[mid];

		if (l->service < service || (l->service == service && l->place < place))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
world_releases(const struct world *w, int service, int place, int *n)
{
	int first = first_release(w, service, place);

	*n = first_release(w, service, place + 1) - first;
	return first;
}
