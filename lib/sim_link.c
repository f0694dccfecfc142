/* Links: which one a call takes, and what it meets there. */
#include <stdlib.h>
#include <string.h>

#include "num.h"
#include "sim_impl.h"

#define CELLS 4096 /* a power of two */

/* What a link is like for a while. */
struct cell {
	int64_t from, to; /* us */
	int link;
	int cause;               /* the incident that changes it most; -1 */
	int64_t rtt, quiet_rtt;  /* us; quiet: without any incident */
	double loss, quiet_loss; /* share of trips */
	int n;
	int incident[SERIES_INCIDENTS];
};
struct sim_links {
	struct series *series;
	int *first, *of_pair; /* links of each pair of places: of_pair[first[pair]] .. of_pair[first[pair + 1]] */
	uint64_t *name;
	struct cell *cell; /* direct-mapped */
};

static int
open_pairs(const struct sim *s, struct sim_links *l)
{
	const struct catalog *c = s->c;
	size_t pairs = (size_t)c->nplaces * (size_t)c->nplaces, at = 0;

	l->first = calloc(pairs + 2, sizeof(*l->first));
	l->of_pair = calloc((size_t)c->nlinks, sizeof(*l->of_pair));
	l->name = calloc((size_t)c->nlinks, sizeof(*l->name));
	if (l->first == NULL || l->of_pair == NULL || l->name == NULL)
		return -1;
	/* Counted two further on, so that first[pair + 1] is where the next of a pair goes, and in the end where the next pair begins. */
	for (int i = 0; i < c->nlinks; i++) {
		l->first[(size_t)c->link[i].from * (size_t)c->nplaces + (size_t)c->link[i].to + 2]++;
		l->name[i] = mix_name(c->link[i].id, strlen(c->link[i].id));
	}
	for (at = 1; at < pairs + 2; at++)
		l->first[at] += l->first[at - 1];
	for (int i = 0; i < c->nlinks; i++)
		l->of_pair[l->first[(size_t)c->link[i].from * (size_t)c->nplaces + (size_t)c->link[i].to + 1]++] = i;
	return 0;
}

int
sim_links_open(struct sim *s, char *err, size_t errsize)
{
	struct sim_links *l;

	if (s->c->nlinks == 0)
		return 0;
	if ((l = s->links = calloc(1, sizeof(*l))) == NULL || open_pairs(s, l) == -1 || (l->cell = calloc(CELLS, sizeof(*l->cell))) == NULL)
		return -1;
	return (l->series = series_open(s->w, err, errsize)) == NULL ? -1 : 0;
}

void
sim_links_free(struct sim *s)
{
	if (s->links == NULL)
		return;
	series_free(s->links->series);
	free(s->links->first);
	free(s->links->of_pair);
	free(s->links->name);
	free(s->links->cell);
	free(s->links);
}

/* One of the series that calls meet, into a cell: the time in which it stays the same, and who changes it. */
static void
meet(const struct sim *s, int series, int64_t t, struct cell *x, struct series_value *v)
{
	int64_t every = s->c->series[series].every, from = t - t % every;

	series_at(s->links->series, series, x->link, t, every, v);
	x->from = from > x->from ? from : x->from;
	x->to = from + every < x->to ? from + every : x->to;
	for (int i = 0; i < v->n; i++) {
		int k = 0;

		while (k < x->n && x->incident[k] != v->incident[i])
			k++;
		if (k == x->n && x->n < SERIES_INCIDENTS)
			x->incident[x->n++] = v->incident[i];
	}
}

static void
fill(const struct sim *s, int link, int64_t t, struct cell *x)
{
	const struct catalog *c = s->c;
	struct series_value rtt = { c->link[link].rtt_ms, c->link[link].rtt_ms, 0, { 0 }, -1 };
	struct series_value loss = { c->link[link].loss_pct, c->link[link].loss_pct, 0, { 0 }, -1 };

	*x = (struct cell){ .from = INT64_MIN, .to = INT64_MAX, .link = link };
	if (c->rtt != -1)
		meet(s, c->rtt, t, x, &rtt);
	if (c->loss != -1)
		meet(s, c->loss, t, x, &loss);
	x->rtt = rtt.value > 0 ? (int64_t)(rtt.value * 1000 + 0.5) : 0;
	x->quiet_rtt = rtt.quiet > 0 ? (int64_t)(rtt.quiet * 1000 + 0.5) : 0;
	x->loss = loss.value < 0 ? 0 : loss.value > 100 ? 1 : loss.value / 100;
	x->quiet_loss = loss.quiet < 0 ? 0 : loss.quiet > 100 ? 1 : loss.quiet / 100;
	/* Whichever costs a round trip more. */
	x->cause = (x->loss - x->quiet_loss) * c->set.rto_ms * 1000 > (double)(x->rtt - x->quiet_rtt) ? loss.most : rtt.most;
	x->cause = x->cause == -1 ? (rtt.most == -1 ? loss.most : rtt.most) : x->cause;
}

static const struct cell *
cell_at(const struct sim *s, int link, int64_t t)
{
	struct cell *x = &s->links->cell[((uint64_t)link * 61 + (uint64_t)(t / CLOCK_MINUTE)) % CELLS];

	if (x->link != link || t < x->from || t >= x->to)
		fill(s, link, t, x);
	return x;
}

/*
 * The link of a call: each of the pair draws a time, -log(u) / weight, and the earliest is taken. So one whose weight changes wins or loses
 * calls, and the others keep theirs. Source: weighted rendezvous hashing, Schindelhauer and Schomaker, SPAA 2005.
 */
static int
pick_link(const struct sim *s, int from, int to, uint64_t key)
{
	const struct sim_links *l = s->links;
	size_t pair = (size_t)from * (size_t)s->c->nplaces + (size_t)to;
	const int *link = l->of_pair + l->first[pair];
	int n = l->first[pair + 1] - l->first[pair], best = -1;
	double least = 0;

	if (n <= 1)
		return n == 1 ? link[0] : -1;
	/* Where every weight is 0, traffic has nowhere else to go. */
	for (int pass = 0; pass < 2 && best == -1; pass++)
		for (int i = 0; i < n; i++) {
			double weight = pass == 0 ? s->active->weight[link[i]] : s->c->link[link[i]].weight, time;

			if (weight <= 0)
				continue;
			time = -num_log(((double)(mix(key ^ l->name[link[i]]) >> 11) + 0.5) * 0x1p-53) / weight;
			if (best == -1 || time < least) {
				best = link[i];
				least = time;
			}
		}
	return best;
}

/* How many of n trips are lost, each with chance p: for one u, never fewer when p is larger. */
static int
count_lost(double u, double p, int n)
{
	double keep = 1, chance, below;
	int k = 0;

	if (p >= 1)
		return n;
	for (int i = 0; i < n; i++)
		keep *= 1 - p;
	for (chance = below = keep; u >= below && k < n; below += chance, k++)
		chance *= p / (1 - p) * (n - k) / (k + 1);
	return k;
}

int
sim_trips(const struct sim *s, const struct catalog_call *c, int from, int to, int64_t t, uint64_t call, uint64_t key, struct sim_trip *x)
{
	const struct cell *now;
	int lost, quiet, n, link;
	uint64_t word;
	double u;

	if (c->trips <= 0 || (link = pick_link(s, from, to, mix_at(call, SPAN_LINK))) == -1)
		return 0;
	now = cell_at(s, link, t);
	word = mix_at(key, SPAN_LOST);
	u = (double)(word >> 11) * 0x1p-53;
	n = (int)c->trips + ((double)(uint32_t)mix(word) * 0x1p-32 < c->trips - (double)(int)c->trips);
	lost = count_lost(u, now->loss, n);
	quiet = now->n > 0 ? count_lost(u, now->quiet_loss, n) : lost;
	*x = (struct sim_trip){ .link = link, .cause = now->cause, .n = now->n, .incident = now->incident };
	x->time = (int64_t)(c->trips * (double)now->rtt + (double)lost * s->c->set.rto_ms * 1000);
	x->usual = (int64_t)(c->trips * s->c->link[link].rtt_ms * 1000);
	x->excess = x->time - (int64_t)(c->trips * (double)now->quiet_rtt + (double)quiet * s->c->set.rto_ms * 1000);
	return 1;
}
