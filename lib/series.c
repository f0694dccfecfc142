#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dist.h"
#include "mix.h"
#include "num.h"
#include "series.h"
#include "timeline.h"

#define OCTAVES 4
#define QUARTER (15 * CLOCK_MINUTE)
#define NAME_MAX_BYTES 2048

/* An effect on a series. */
struct touch {
	int incident, effect;
};
struct model {
	int n;
	struct series_thing *thing;
	int ntouches; /* sorted as the incidents of the world */
	struct touch *touch;
	int nnear; /* of them, by number, those that may meet a step in [lo, hi) */
	int *near;
};
struct series {
	const struct world *w;
	struct model *model;
	uint64_t minutes;              /* key of what a minute of an incident is like */
	double (*load)[TIMELINE_WEEK]; /* planned traffic of each place, mean 1 */
	int64_t lo, hi, reach;         /* of what is near: steps up to `reach` long */
};

/* Planned traffic: what the personas do by hour and weekday on the clocks of their homes. */
static void
plan_place(const struct catalog *c, int place, double load[TIMELINE_WEEK])
{
	const struct catalog_place *p = &c->place[place];
	double mean = 0, clocks = 0;

	for (int k = 0; k < p->nclocks; k++)
		clocks += p->clock[k].weight;
	for (int q = 0; q < TIMELINE_WEEK; q++) {
		load[q] = 0;
		for (int i = 0; i < c->npersonas; i++)
			for (int k = 0; k < p->nclocks; k++)
				load[q] += c->persona[i].users * catalog_dist_mean(&c->persona[i].activity) * c->persona[i].place[place] *
				    p->clock[k].weight / clocks * catalog_activity(&c->persona[i], q, p->clock[k].utc);
		mean += load[q] / TIMELINE_WEEK;
	}
	for (int q = 0; q < TIMELINE_WEEK; q++)
		load[q] = mean > 0 ? load[q] / mean : 1;
}

/* At a moment, straight between the middles of quarter hours. */
static double
load_at(const struct series *s, int place, int64_t t)
{
	int64_t week = TIMELINE_WEEK * QUARTER, at = (t + 3 * CLOCK_DAY - QUARTER / 2) % week; /* 1970-01-01 was a Thursday */
	int q;
	double part;

	at = at < 0 ? at + week : at;
	q = (int)(at / QUARTER);
	part = (double)(at % QUARTER) / (double)QUARTER;
	return s->load[place][q] * (1 - part) + s->load[place][(q + 1) % TIMELINE_WEEK] * part;
}

/* How many things a series is one of. */
static int64_t
count_things(const struct catalog *c, enum catalog_of of)
{
	int64_t n = 0;

	switch (of) {
	case OF_LINK:
		return c->nlinks;
	case OF_SERVICE:
		return (int64_t)c->nservices * c->nplaces;
	case OF_PLACE:
		return c->nplaces;
	case OF_HOST:
		for (int s = 0; s < c->nservices; s++)
			n += c->service[s].pool == s ? catalog_hosts(c, s) : 0;
	}
	return n * c->nplaces;
}

static void
list_hosts(const struct catalog *c, struct model *m)
{
	for (int place = 0; place < c->nplaces; place++)
		for (int s = 0; s < c->nservices; s++)
			for (int k = 1; c->service[s].pool == s && k <= catalog_hosts(c, s); k++)
				m->thing[m->n++] = (struct series_thing){ .link = -1, .place = place, .service = s, .host = k };
}

static void
list_things(const struct catalog *c, enum catalog_of of, struct model *m)
{
	switch (of) {
	case OF_LINK:
		for (; m->n < c->nlinks; m->n++)
			m->thing[m->n] = (struct series_thing){ .link = m->n, .place = c->link[m->n].from, .service = -1, .host = -1 };
		break;
	case OF_HOST:
		list_hosts(c, m);
		break;
	case OF_SERVICE:
		for (; m->n < c->nservices * c->nplaces; m->n++)
			m->thing[m->n] =
			    (struct series_thing){ .link = -1, .place = m->n % c->nplaces, .service = m->n / c->nplaces, .host = -1 };
		break;
	case OF_PLACE:
		for (; m->n < c->nplaces; m->n++)
			m->thing[m->n] = (struct series_thing){ .link = -1, .place = m->n, .service = -1, .host = -1 };
		break;
	}
}

/* What a thing is called, all told. */
static int
name_thing(const struct catalog *c, enum catalog_of of, const struct series_thing *x, char name[NAME_MAX_BYTES])
{
	char host[NAME_MAX_BYTES / 2];

	if (of == OF_LINK)
		return snprintf(name, NAME_MAX_BYTES, "%s", c->link[x->link].id);
	if (of == OF_PLACE)
		return snprintf(name, NAME_MAX_BYTES, "%s", c->place[x->place].id);
	if (of == OF_SERVICE)
		return snprintf(name, NAME_MAX_BYTES, "%s/%s", c->place[x->place].id, c->service[x->service].id);
	if (catalog_host(c, x->service, x->place, x->host, host, sizeof(host)) == -1)
		return -1;
	return snprintf(name, NAME_MAX_BYTES, "%s/%s", c->place[x->place].id, host);
}

static double
base_of(const struct catalog *c, const struct catalog_series *k, const struct series_thing *x)
{
	struct catalog_dist d = k->base;

	d.whole = 0;
	switch (k->from) {
	case BASE_RTT:
		return c->link[x->link].rtt_ms;
	case BASE_LOSS:
		return c->link[x->link].loss_pct;
	case BASE_DRAWN:
		break;
	}
	return catalog_draw(&d, mix_at(x->key, 0));
}

static int
open_model(const struct series *s, int i, uint64_t key)
{
	const struct catalog *c = &s->w->cat;
	const struct catalog_series *k = &c->series[i];
	struct model *m = &s->model[i];
	char name[NAME_MAX_BYTES];
	int n;

	if ((m->thing = calloc((size_t)count_things(c, k->of) + 1, sizeof(*m->thing))) == NULL)
		return -1;
	list_things(c, k->of, m);
	key = world_subkey(key, mix_name(k->id, strlen(k->id)));
	for (int t = 0; t < m->n; t++) {
		n = name_thing(c, k->of, &m->thing[t], name);
		if (n < 0 || n >= NAME_MAX_BYTES) {
			errno = ENAMETOOLONG;
			return -1;
		}
		m->thing[t].key = world_subkey(key, mix_name(name, (size_t)n));
		m->thing[t].base = base_of(c, k, &m->thing[t]);
	}
	return 0;
}

static int
open_touches(const struct series *s)
{
	const struct world *w = s->w;

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < w->nincidents; i++)
			for (int e = 0; e < w->incident[i].neffects; e++) {
				struct model *m = &s->model[w->incident[i].effect[e].series];

				if (w->incident[i].effect[e].what != EFFECT_SERIES)
					continue;
				if (pass == 1)
					m->touch[m->ntouches] = (struct touch){ i, e };
				m->ntouches++;
			}
		for (int i = 0; i < w->cat.nseries && pass == 0; i++) {
			s->model[i].touch = calloc((size_t)s->model[i].ntouches + 1, sizeof(struct touch));
			s->model[i].near = calloc((size_t)s->model[i].ntouches + 1, sizeof(int));
			if (s->model[i].touch == NULL || s->model[i].near == NULL)
				return -1;
			s->model[i].ntouches = 0;
		}
	}
	return 0;
}

static int
open_parts(struct series *s)
{
	const struct catalog *c = &s->w->cat;
	uint64_t key = world_key(s->w->seed, c->name, WORLD_SERIES);
	int64_t things = 0;

	s->minutes = world_key(s->w->seed, c->name, WORLD_MINUTES);
	s->model = calloc((size_t)c->nseries + 1, sizeof(*s->model));
	s->load = calloc((size_t)c->nplaces, sizeof(*s->load));
	if (s->model == NULL || s->load == NULL)
		return -1;
	for (int i = 0; i < c->nseries; i++)
		things += count_things(c, c->series[i].of);
	if (things > SERIES_THINGS_MAX) {
		errno = E2BIG;
		return -1;
	}
	for (int p = 0; p < c->nplaces && c->nseries > 0; p++)
		plan_place(c, p, s->load[p]);
	for (int i = 0; i < c->nseries; i++)
		if (open_model(s, i, key) == -1)
			return -1;
	return open_touches(s);
}

struct series *
series_open(const struct world *w, char *err, size_t errsize)
{
	struct series *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->w = w;
	if (s != NULL && open_parts(s) == 0)
		return s;
	if (errno == E2BIG)
		(void)snprintf(err, errsize, "%s: series of more than %d things", w->cat.name, SERIES_THINGS_MAX);
	else
		(void)snprintf(err, errsize, "%s: %s", w->cat.name, strerror(errno));
	series_free(s);
	return NULL;
}

void
series_free(struct series *s)
{
	if (s == NULL)
		return;
	for (int i = 0; s->model != NULL && i < s->w->cat.nseries; i++) {
		free(s->model[i].thing);
		free(s->model[i].touch);
		free(s->model[i].near);
	}
	free(s->model);
	free(s->load);
	free(s);
}

const struct series_thing *
series_things(const struct series *s, int i, int *n)
{
	*n = s->model[i].n;
	return s->model[i].thing;
}

/*
 * Noise of mean 0 and spread 1 whose autocorrelation is within .03 of e^-(lag / memory): octaves of keyed normals at knots, straight
 * between them and scaled back to the spread they lose there. Each thing has its knots elsewhere.
 */
static double
noise_at(uint64_t key, int64_t t, int64_t memory, int64_t every)
{
	static const struct {
		int period;    /* hundredths of the memory */
		double weight; /* root of the share of the variance: .125, .3, .475, .1 */
	} octave[OCTAVES] = { { 15, 0.35355339059327379 }, { 50, 0.54772255750516607 }, { 150, 0.68920243760451105 },
		{ 450, 0.31622776601683794 } };
	double sum = 0;

	if (memory <= 0)
		return dist_normal(mix_at(key, (uint64_t)(t / every)));
	for (int o = 0; o < OCTAVES; o++) {
		uint64_t own = world_subkey(key, (uint64_t)o);
		int64_t period = memory * octave[o].period / 100, at = t + (int64_t)(mix_at(own, ~0ULL) % (uint64_t)period);
		double right = (double)(at % period) / (double)period, left = 1 - right;

		sum += octave[o].weight *
		    (left * dist_normal(mix_at(own, (uint64_t)(at / period))) +
			right * dist_normal(mix_at(own, (uint64_t)(at / period) + 1))) /
		    sqrt(left * left + right * right);
	}
	return sum;
}

/* Strength of a window with ramps, summed up from its start to a moment, in us at full strength. */
static double
strength_before(int64_t start, int64_t end, int64_t ramp, int64_t t)
{
	double length = (double)(end - start), r = (double)ramp, x = (double)(t - start);

	if (x <= 0)
		return 0;
	if (x >= length)
		return length - r;
	if (x < r)
		return x * x / (2 * r);
	if (x <= length - r)
		return x - r / 2;
	return length - r - (length - x) * (length - x) / (2 * r);
}

static double
window_share(int64_t start, int64_t end, int64_t ramp, int64_t from, int64_t to)
{
	if (ramp > (end - start) / 2)
		ramp = (end - start) / 2;
	return (strength_before(start, end, ramp, to) - strength_before(start, end, ramp, from)) / (double)(to - from);
}

/* Mean strength of an incident over a span of time. */
static double
incident_share(const struct world_incident *x, int64_t from, int64_t to)
{
	double sum = 0;

	if (x->end <= from || x->start >= to)
		return 0;
	if (!x->bursty)
		return window_share(x->start, x->end, x->ramp, from, to);
	for (int i = world_next_burst(x, from); i < x->nbursts && x->burst[i].start < to; i++)
		sum += window_share(x->burst[i].start, x->burst[i].end, x->ramp, from, to);
	return sum;
}

/* What an effect does in a step, minute by minute: the value is multiplied and added to. */
static void
effect_in(const struct series *s, const struct world_incident *x, const struct world_effect *e, int64_t from, int64_t to, double *factor,
    double *add)
{
	uint64_t key = world_subkey(s->minutes, x->name);

	*factor = 1;
	*add = 0;
	for (int64_t at = from; at < to;) {
		int64_t minute = at / CLOCK_MINUTE, next = (minute + 1) * CLOCK_MINUTE < to ? (minute + 1) * CLOCK_MINUTE : to;
		double share = incident_share(x, at, next) * ((double)(next - at) / (double)(to - from));
		uint64_t word = mix_at(key, (uint64_t)minute);

		if (share > 0) {
			*factor += share * (catalog_draw(&e->factors, word) - 1);
			*add += share * catalog_draw(&e->adds, word);
		}
		at = next;
	}
}

/* Which effects may meet steps around t: for an hour, or a longer step. */
static void
look_around(struct series *s, int64_t t, int64_t every)
{
	const struct world *w = s->w;

	if (t >= s->lo && t < s->hi && every <= s->reach)
		return;
	s->reach = every > CLOCK_HOUR ? every : CLOCK_HOUR;
	s->lo = t - t % CLOCK_HOUR;
	s->hi = s->lo + CLOCK_HOUR;
	for (int i = 0; i < w->cat.nseries; i++) {
		struct model *m = &s->model[i];

		m->nnear = 0;
		for (int j = 0; j < m->ntouches; j++) {
			const struct world_incident *x = &w->incident[m->touch[j].incident];

			if (x->start < s->hi + s->reach && x->end > s->lo)
				m->near[m->nnear++] = j;
		}
	}
}

static int
meets(
    const struct catalog *c, enum catalog_of of, const struct world_incident *x, const struct world_effect *e, const struct series_thing *t)
{
	if (of == OF_LINK)
		return world_reaches(x, e, t->link, t->place);
	if (of == OF_PLACE)
		return world_reaches(x, e, t->place, t->place);
	if (of == OF_SERVICE)
		return world_reaches(x, e, t->service, t->place);
	/* A host is met by what is about any service that runs there. */
	for (int i = 0; i < c->nservices; i++)
		if (c->service[i].pool == t->service && world_reaches(x, e, i, t->place))
			return 1;
	return 0;
}

static double
clamp(const struct catalog_series *k, double x)
{
	if (k->hi < k->lo)
		return x;
	return x < k->lo ? k->lo : x > k->hi ? k->hi : x;
}

static void
apply(struct series *s, const struct model *m, const struct catalog_series *k, const struct series_thing *x, int64_t from, int64_t every,
    struct series_value *v)
{
	const struct world *w = s->w;
	double value = v->quiet, factor, add, most = 0, change;

	for (int j = 0; j < m->nnear; j++) {
		const struct touch *touch = &m->touch[m->near[j]];
		const struct world_incident *in = &w->incident[touch->incident];
		const struct world_effect *e = &in->effect[touch->effect];

		if (in->start >= from + every || in->end <= from || !meets(&w->cat, k->of, in, e, x))
			continue;
		effect_in(s, in, e, from, from + every, &factor, &add);
		change = value * factor + add - value;
		if (change == 0)
			continue;
		value += change;
		if (v->n < SERIES_INCIDENTS && (v->n == 0 || v->incident[v->n - 1] != touch->incident))
			v->incident[v->n++] = touch->incident;
		change = change < 0 ? -change : change;
		if (change > most) {
			most = change;
			v->most = touch->incident;
		}
	}
	v->value = clamp(k, value);
}

void
series_at(struct series *s, int i, int thing, int64_t t, int64_t every, struct series_value *v)
{
	const struct model *m = &s->model[i];
	const struct catalog_series *k = &s->w->cat.series[i];
	const struct series_thing *x = &m->thing[thing];
	int64_t from = t - t % every;
	double quiet = x->base;

	if (k->swing > 0)
		quiet *= 1 + k->swing * (load_at(s, x->place, from) - 1);
	/* The mean stays that of the base, and no value changes its sign. */
	if (k->noise > 0)
		quiet *= num_exp(
		    k->noise * noise_at(x->key, from, (int64_t)(k->memory_min * (double)CLOCK_MINUTE), every) - k->noise * k->noise / 2);
	*v = (struct series_value){ .quiet = quiet, .most = -1 };
	look_around(s, from, every);
	apply(s, m, k, x, from, every, v);
	v->quiet = clamp(k, v->quiet);
}
