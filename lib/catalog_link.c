/* Links between places, and series of links, hosts, services and places. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_impl.h"
#include "clock.h"

#define MOST_LINKS 32767 /* a span remembers its link in 16 bits */
#define MOST_PLACES 1024 /* where there are links: each pair of places is looked at */

static int
place_named(struct load *l, struct cell x)
{
	int place = catalog_place(l->c, x.s, strlen(x.s));

	if (place == -1)
		catalog_fail(l, "%s: no place \"%s\"", x.name, x.s);
	return place;
}

static void
load_links(struct load *l)
{
	enum { LINK, FROM, TO, WEIGHT, RTT, LOSS };
	struct catalog *c = l->c;
	struct catalog_link *k;

	if (!catalog_open_either(l, T_LINKS))
		return;
	c->link = catalog_get(l, l->t->nrows, sizeof(*c->link));
	catalog_index_init(l, &l->a->link, l->t->nrows);
	while (catalog_next_row(l)) {
		k = &c->link[c->nlinks];
		if (c->nlinks == MOST_LINKS)
			catalog_fail(l, "more than %d links", MOST_LINKS);
		k->id = catalog_name_of(l, catalog_cell(l, LINK));
		if (strcmp(k->id, "any") == 0)
			catalog_fail(l, "bad name \"any\": effects mean something else by it");
		if (catalog_index_add(&l->a->link, k->id, 0, c->nlinks++) != -1)
			catalog_fail(l, "duplicate link \"%s\"", k->id);
		k->from = place_named(l, catalog_cell(l, FROM));
		k->to = place_named(l, catalog_cell(l, TO));
		if (k->from == k->to)
			catalog_fail(l, "a link from %s to itself", c->place[k->from].id);
		k->weight = catalog_number(l, catalog_cell(l, WEIGHT), 1, 0, MANY);
		k->rtt_ms = catalog_positive(l, catalog_cell(l, RTT), 0);
		k->loss_pct = catalog_number(l, catalog_cell(l, LOSS), 0, 0, 100);
	}
}

/* What the base is: a quantity, or one of the link's own numbers. */
static void
base_of(struct load *l, struct cell x, struct catalog_series *k)
{
	static const char *const word[] = { [BASE_RTT] = "{link.rtt_ms}", [BASE_LOSS] = "{link.loss_pct}" };

	for (k->from = BASE_RTT; k->from <= BASE_LOSS; k->from++)
		if (strcmp(x.s, word[k->from]) == 0) {
			if (k->of != OF_LINK)
				catalog_fail(l, "%s: \"%s\" is one of links", x.name, x.s);
			return;
		}
	k->from = BASE_DRAWN;
	if (x.s[0] == '{')
		catalog_fail(l, "%s: \"%s\" is neither {link.rtt_ms} nor {link.loss_pct}", x.name, x.s);
	catalog_quantity(l, x, NULL, &k->base, -MANY, MANY, 0);
}

static void
range_of(struct load *l, struct cell x, struct catalog_series *k)
{
	struct catalog_dist d;

	k->lo = 1;
	k->hi = 0;
	if (x.s[0] == '\0')
		return;
	catalog_quantity(l, x, NULL, &d, -MANY, MANY, 0);
	if (d.kind != DIST_UNIFORM || d.b <= d.a)
		catalog_fail(l, "%s: \"%s\" is no range such as 0..100", x.name, x.s);
	k->lo = d.a;
	k->hi = d.b;
}

static int64_t
every_of(struct load *l, struct cell x)
{
	int64_t us;

	if (clock_duration(x.s, strlen(x.s), &us) == -1)
		catalog_fail(l, "%s: \"%s\" is not a duration such as 1m", x.name, x.s);
	if (us < CLOCK_SECOND || us % CLOCK_SECOND != 0 || us > CLOCK_DAY)
		catalog_fail(l, "%s: \"%s\" is not whole seconds, from 1s to 1d", x.name, x.s);
	return us;
}

static void
load_series(struct load *l)
{
	enum { SERIES, OF, EVERY, BASE, SWING, NOISE, MEMORY, RANGE };
	static const char *const of[] = { "link", "host", "service", "place", NULL };
	static const char *const taken[] = { "latency", "errors", "traffic", "delay", "weight" };
	struct catalog *c = l->c;
	struct catalog_series *k;

	if (!catalog_open_either(l, T_SERIES))
		return;
	c->series = catalog_get(l, l->t->nrows, sizeof(*c->series));
	catalog_index_init(l, &l->a->series, l->t->nrows);
	while (catalog_next_row(l)) {
		k = &c->series[c->nseries];
		k->id = catalog_name_of(l, catalog_cell(l, SERIES));
		for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
			if (strcmp(k->id, taken[i]) == 0)
				catalog_fail(l, "bad name \"%s\": effects mean something else by it", k->id);
		if (catalog_index_add(&l->a->series, k->id, 0, c->nseries++) != -1)
			catalog_fail(l, "duplicate series \"%s\"", k->id);
		k->of = (enum catalog_of)catalog_choice(l, catalog_cell(l, OF), of, "link, host, service or place");
		if (k->of == OF_LINK && c->nlinks == 0)
			catalog_fail(l, "there are no links");
		k->every = every_of(l, catalog_cell(l, EVERY));
		base_of(l, catalog_cell(l, BASE), k);
		k->swing = catalog_number(l, catalog_cell(l, SWING), 0, 0, 1000);
		k->noise = catalog_number(l, catalog_cell(l, NOISE), 0, 0, 10);
		k->memory_min = catalog_number(l, catalog_cell(l, MEMORY), 0, 0, 1e6);
		range_of(l, catalog_cell(l, RANGE), k);
	}
}

/* The series that calls meet. */
static int
met(const struct catalog *c, const char *name)
{
	int i = catalog_series(c, name, strlen(name));

	return i != -1 && c->series[i].of == OF_LINK ? i : -1;
}

void
catalog_load_links(struct load *l)
{
	load_links(l);
	load_series(l);
	l->c->rtt = met(l->c, "rtt_ms");
	l->c->loss = met(l->c, "loss_pct");
}

/* Where each service can run: one byte for each service and place. */
struct spread {
	struct load *l;
	const struct catalog *c;
	char *runs;
};

static int
runs_at(const struct spread *x, int service, int place)
{
	return x->runs[(size_t)service * (size_t)x->c->nplaces + (size_t)place];
}

/* Can the condition of a call hold for a caller at this place? What it says of anything else is taken to hold. */
static int
may_hold(const struct catalog *c, const struct catalog_cond *when, int place)
{
	for (int i = 0; i < when->n; i++) {
		const struct catalog_term *t = &when->term[i];
		const char *is = t->src == SRC_PLACE_ID ? c->place[place].id
		    : t->src == SRC_PLACE_PART          ? c->place[place].part[t->arg]
							: NULL;
		int hit = 0;

		if (t->flag != FLAG_NONE || is == NULL)
			continue;
		for (int k = 0; k < t->n; k++)
			hit |= strcmp(t->value[k], is) == 0;
		if (hit == (t->relation == REL_NE))
			return 0;
	}
	return 1;
}

/* Can a call from one place go to another? */
static int
may_go(const struct catalog *c, const struct catalog_call *call, int from, int to)
{
	switch (call->where) {
	case WHERE_SAME:
		return from == to;
	case WHERE_PLACE:
		return to == call->place;
	case WHERE_OTHER:
		return from != to && c->place[to].weight > 0;
	case WHERE_HOME:
		for (int i = 0; i < c->npersonas; i++)
			if (c->persona[i].users > 0 && c->persona[i].place[to] > 0)
				return 1;
	}
	return 0;
}

/* Mark where the callee of a call runs when its caller runs at a place; whether that is news. */
static int
spread_call(struct spread *x, const struct catalog_call *call, int service, int place)
{
	const struct catalog *c = x->c;
	int news = 0;

	if (!runs_at(x, service, place) || !may_hold(c, &call->when, place))
		return 0;
	for (int to = 0; to < c->nplaces; to++)
		if (may_go(c, call, place, to) && !runs_at(x, call->to_service, to)) {
			x->runs[(size_t)call->to_service * (size_t)c->nplaces + (size_t)to] = 1;
			news = 1;
		}
	return news;
}

static void
spread_all(struct spread *x)
{
	const struct catalog *c = x->c;
	int news = 1;

	for (int i = 0; i < c->npersonas; i++)
		for (int k = 0; k < c->nops; k++)
			for (int p = 0; p < c->nplaces && c->op[k].weight > 0; p++)
				if (c->persona[i].users > 0 && c->persona[i].place[p] > 0 && c->persona[i].op_weight[k] > 0)
					x->runs[(size_t)c->op[k].service * (size_t)c->nplaces + (size_t)p] = 1;
	while (news) {
		news = 0;
		for (int i = 0; i < c->ncalls; i++)
			for (int s = 0; s < c->nservices; s++)
				for (int p = 0; p < c->nplaces && (c->call[i].from.service == -1 || c->call[i].from.service == s); p++)
					news |= spread_call(x, &c->call[i], s, p);
	}
}

/* Weights of the links of each pair of places; below 0: it has none. */
static double *
weigh_pairs(struct load *l)
{
	const struct catalog *c = l->c;
	size_t n = (size_t)c->nplaces;
	double *pair = catalog_get(l, n * n, sizeof(*pair));

	for (size_t i = 0; i < n * n; i++)
		pair[i] = -1;
	for (int i = 0; i < c->nlinks; i++) {
		double *p = &pair[(size_t)c->link[i].from * n + (size_t)c->link[i].to];

		*p = (*p < 0 ? 0 : *p) + c->link[i].weight;
	}
	return pair;
}

/* A call from one place to another takes a link. */
static void
check_call(const struct spread *x, const struct catalog_call *call, int service, const double *pair)
{
	const struct catalog *c = x->c;

	for (int from = 0; from < c->nplaces; from++) {
		if (!runs_at(x, service, from) || !may_hold(c, &call->when, from))
			continue;
		for (int to = 0; to < c->nplaces; to++) {
			double weight = pair[(size_t)from * (size_t)c->nplaces + (size_t)to];

			if (from == to || weight > 0 || !may_go(c, call, from, to))
				continue;
			if (weight < 0)
				catalog_fail_at(
				    x->l, T_CALLS, (size_t)call->line, "no link from %s to %s", c->place[from].id, c->place[to].id);
			catalog_fail_at(x->l, T_LINKS, 0, "weights from %s to %s sum to 0", c->place[from].id, c->place[to].id);
		}
	}
}

void
catalog_check_links(struct load *l)
{
	const struct catalog *c = l->c;
	struct spread x = { .l = l, .c = c };
	const double *pair;

	if (c->nlinks == 0)
		return;
	if (c->nplaces > MOST_PLACES)
		catalog_fail_at(l, T_PLACES, 0, "more than %d places, with links between them", MOST_PLACES);
	x.runs = catalog_get(l, (size_t)c->nservices * (size_t)c->nplaces, 1);
	spread_all(&x);
	pair = weigh_pairs(l);
	for (int i = 0; i < c->ncalls; i++)
		for (int s = 0; s < c->nservices && c->call[i].trips > 0; s++)
			if (c->call[i].from.service == -1 || c->call[i].from.service == s)
				check_call(&x, &c->call[i], s, pair);
}
