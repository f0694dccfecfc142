/*
 * lib/sim: the root by the short way is that of the whole tree, in any order of asking; trees are sound; names lead back. In worlds full of
 * incidents and rollouts, of catalogs that are bent at random. OG_LONG=1: ten times as many requests.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "mix.h"
#include "out.h"
#include "rec.h"
#include "sim.h"
#include "tap.h"
#include "world.h"

#define BATCH 4096
#define INCIDENTS 60

/* What one pass over a world found. */
struct tally {
	uint64_t requests, dropped, failed, dependency, quick, spans;
	uint64_t roots, spared, asked, order, tree, blame, names; /* wrong */
};

struct seen {
	uint64_t k, user;
	int64_t time;
	struct sim_span root;
	uint64_t blamed; /* name of the callee; 0: none */
	int persona, place, class, dropped;
	const struct sim_plan *plan;
	int ntouched, touched[SIM_TOUCHED];
};

struct random {
	uint64_t key, i;
};

static uint32_t
below(struct random *r, uint32_t n)
{
	return mix_below((uint32_t)mix_at(r->key, r->i++), n);
}

/* In [a, b). */
static double
between(struct random *r, double a, double b)
{
	return a + (b - a) * ((double)(mix_at(r->key, r->i++) >> 11) * 0x1p-53);
}

/* A week, with many rollouts. */
static void
make_world(struct world *w, const char *catalog, uint64_t seed, uint64_t requests)
{
	char path[] = "/tmp/og-sim.XXXXXX", text[1024];
	struct world v = { .seed = seed, .users = 500, .requests = requests, .depth = 9 };
	struct out out;
	struct rec in;
	int fd = mkstemp(path), back = fd == -1 ? -1 : open(path, O_RDONLY);

	if (back == -1 || unlink(path) == -1 || out_open(&out, fd, 0) == -1)
		err(1, "%s", path);
	if (catalog_load(&v.cat, catalog, text, sizeof(text), NULL, NULL) == -1)
		errx(1, "%s", text);
	for (int i = 0; i < v.cat.nservices; i++)
		v.cat.service[i].releases = (struct catalog_dist){ .kind = DIST_FIXED, .a = 700, .b = 700, .whole = 1 };
	v.begin = v.cat.set.begin;
	v.end = v.until = v.begin + 7 * CLOCK_DAY;
	if (world_make(&v, &out, text, sizeof(text)) == -1)
		errx(1, "%s", text);
	if (out_close(&out) == -1 || rec_open(&in, back, "world", NULL, 0) == -1)
		err(1, NULL);
	world_free(&v);
	if (world_read(w, &in, catalog, text, sizeof(text)) == -1)
		errx(1, "%s", text);
	rec_close(&in);
}

/* Incidents at random: some short, some with onset, in one place or everywhere, some hold requests back. */
static void
add_incidents(struct world *w, struct random *r)
{
	char text[1024], spec[512], start[CLOCK_LEN + 1];
	struct world_draft d;

	if (world_draft(&d, w, NULL, text, sizeof(text)) == -1)
		errx(1, "%s", text);
	for (int i = 0; i < INCIDENTS; i++) {
		int minutes = 1 + (int)below(r, 600), a = (int)below(r, (uint32_t)w->cat.nservices),
		    b = (int)below(r, (uint32_t)w->cat.nservices);
		int64_t at = w->begin + (int64_t)between(r, 0, (double)(w->end - w->begin) - 1);

		clock_text(start, at);
		(void)snprintf(spec, sizeof(spec), "component=c%d,start=%s,duration=%dm,errors=%.3f,latency=%.2f,services=%s|%s,ramp=%ds",
		    i, start, minutes, between(r, 0, 0.6), between(r, 0.6, 5), w->cat.service[a].id, w->cat.service[b].id,
		    (int)below(r, 30) * minutes);
		if (below(r, 2) == 0)
			(void)snprintf(spec + strlen(spec), sizeof(spec) - strlen(spec), ",place=%s",
			    w->cat.place[below(r, (uint32_t)w->cat.nplaces)].id);
		else if (w->cat.rtt != -1)
			(void)snprintf(spec + strlen(spec), sizeof(spec) - strlen(spec),
			    ",links=%s,rtt_ms=%.1f..9,loss_pct=30,every=5..20,burst=1..9",
			    w->cat.link[below(r, (uint32_t)w->cat.nlinks)].id, between(r, 1, 9));
		if (world_draft_spec(&d, spec) == -1)
			errx(1, "%s: %s", spec, text);
	}
	if (world_draft_name(&d) == -1 || world_draft_join(&d) == -1)
		errx(1, "%s", text);
	world_draft_free(&d);
	for (int i = 0; i < w->nincidents; i++)
		for (int j = 0; j < w->incident[i].neffects; j++) {
			struct world_effect *e = &w->incident[i].effect[j];

			if (e->what == EFFECT_LATENCY && below(r, 4) == 0) {
				e->what = EFFECT_DELAY;
				e->add = between(r, 0, 50);
			} else if (e->what == EFFECT_LATENCY && below(r, 4) == 0) {
				e->what = EFFECT_TRAFFIC;
				e->factor = between(r, 0, 1);
			} else if (e->what == EFFECT_LATENCY) {
				e->add = between(r, 0, 300);
			}
		}
}

/* Other calls than the tables have, within what the loader would let pass. */
static void
bend(struct catalog *c, struct random *r)
{
	for (int i = 0; i < c->ncalls; i++) {
		struct catalog_call *x = &c->call[i];
		int row = catalog_op(c, x->to_service, x->to_op, strlen(x->to_op));

		if (x->stage == STAGE_ASYNC)
			continue;
		x->share.kind = DIST_NONE;
		if (below(r, 2) == 0 || c->op[row].latency.kind == DIST_NONE)
			x->share = (struct catalog_dist){ .kind = DIST_UNIFORM, .a = 0.01, .b = 0.08 };
		x->timeout_ms = below(r, 3) == 0 ? between(r, 5, 400) : 0;
		x->retries = (int)below(r, 3);
		x->trips = c->nlinks > 0 ? between(r, 0, 9) : 1;
		x->fails = below(r, 3) == 0 ? between(r, 0, 1) : 1;
		if (below(r, 4) == 0)
			x->delay_ms = (struct catalog_dist){ .kind = DIST_UNIFORM, .a = 0, .b = between(r, 0, 20) };
		if (below(r, 3) == 0)
			x->count = (struct catalog_dist){ .kind = DIST_FIXED, .a = between(r, 0.1, 2.5) };
	}
	for (int i = 0; i < c->nops; i++)
		if (c->op[i].weight <= 0 && below(r, 4) == 0)
			c->op[i].error_rate = between(r, 0, 0.1);
	for (int i = 0; i < c->npersonas; i++)
		c->persona[i].error_rate = between(r, 0, 0.2);
	c->set.cap_ms = below(r, 2) == 0 ? between(r, 20, 500) : 60000;
	c->set.below = between(r, 0, 1);
	c->set.stagger = between(r, 0, 0.03);
}

static uint64_t
blamed_name(const struct sim_request *r, const struct sim_span *x)
{
	return x->blamed < 0 ? 0 : sim_slot(r->k, r->plan, r->span[x->blamed].node);
}

static int
is_same(const struct seen *a, const struct sim_request *r)
{
	const struct sim_span *x = &a->root, *y = &r->span[0];

	return x->node - a->plan->node == y->node - r->plan->node && x->start == y->start && x->length == y->length &&
	    x->place == y->place && x->code == y->code && x->source == y->source && x->cause == y->cause && x->release == y->release &&
	    x->cache == y->cache && x->queries == y->queries && x->request == y->request && x->response == y->response &&
	    x->rank == y->rank && x->parent == -1 && y->parent == -1 && a->blamed == blamed_name(r, y) && a->ntouched == r->ntouched &&
	    memcmp(a->touched, r->touched, (size_t)r->ntouched * sizeof(r->touched[0])) == 0;
}

/* Parents before children, children inside parents, and who fails through a callee names one that failed in the same way. */
static void
check_tree(const struct sim *s, const struct sim_request *r, struct tally *t)
{
	t->spans += r->nspans;
	for (uint32_t i = 0; i < r->nspans; i++) {
		const struct sim_span *x = &r->span[i], *up = i == 0 ? NULL : &r->span[x->parent];
		int async = x->node->call >= 0 && s->c->call[x->node->call].stage == STAGE_ASYNC;

		t->tree += x->length < 1 || (i == 0) != (x->parent < 0) || x->parent >= (int32_t)i || (i > 0 && x->node <= x[-1].node);
		if (up != NULL && x->parent < (int32_t)i)
			t->tree += x->start < up->start || (!async && x->start + x->length > up->start + up->length) ||
			    x->node->parent != (uint32_t)(up->node - r->plan->node);
		t->blame += (x->source == SIM_DEPENDENCY) != (x->blamed >= 0) || (x->source == SIM_SUCCESS) != (x->origin < 0);
		if (x->blamed >= 0 && x->blamed < (int32_t)r->nspans) {
			const struct sim_span *y = &r->span[x->blamed];

			t->blame += y->parent != (int32_t)i || y->source == SIM_SUCCESS || y->code != x->code || y->cause != x->cause;
		}
		t->blame += x->blamed >= (int32_t)r->nspans || x->origin >= (int32_t)r->nspans;
		t->blame += (x->source == SIM_INFRASTRUCTURE || x->source == SIM_DEPLOYMENT) && x->cause < 0;
		t->blame += x->source != SIM_SUCCESS && x->code < 0;
	}
}

/* The same request by its name, from the other simulation. */
static int
is_alike(const struct sim_request *a, const struct sim_span *x, const struct sim_request *b, const struct sim_span *y)
{
	return x->node - a->plan->node == y->node - b->plan->node && x->start == y->start && x->length == y->length &&
	    x->parent == y->parent && x->blamed == y->blamed && x->origin == y->origin && x->cause == y->cause && x->place == y->place &&
	    x->code == y->code && x->link == y->link && x->source == y->source && x->rank == y->rank;
}

/* What is left of a request when all is spared that may be: the same but for that. */
static int
is_spared(struct sim *less, const struct sim_request *r)
{
	struct sim_request q;
	int same;

	if (sim_request(less, r->k, r->time, &q) == -1)
		return 0;
	sim_grow(less, &q);
	same = q.nspans == r->nspans && q.dropped == r->dropped && q.ntouched == r->ntouched;
	for (uint32_t i = 0; same && i < q.nspans; i++) {
		const struct sim_span *x = &q.span[i];

		same = is_alike(r, &r->span[i], &q, x) && x->release == -1 && x->cache == -1 && x->queries == 0 && x->response == 0;
	}
	sim_root(less, &q);
	return same && q.dropped == r->dropped && q.nspans == 1 && q.span[0].start == r->time && q.span[0].place == r->place;
}

static void
ask(struct sim *s, struct sim *less, const struct seen *a, struct tally *t)
{
	struct sim_request r;
	uint64_t id[2], k;

	sim_trace_id(s, a->k, id);
	t->names += sim_trace_open(s, id, &k) == -1 || k != a->k;
	id[1] ^= 1;
	t->names += sim_trace_open(s, id, &k) != -1;
	if (sim_request(s, a->k, a->time, &r) == -1) {
		t->asked++;
		return;
	}
	t->asked +=
	    r.persona != a->persona || r.place != a->place || r.class != a->class || r.user != a->user || r.plan->root != a->plan->root;
	sim_grow(s, &r);
	t->asked += r.dropped != a->dropped;
	t->roots += !is_same(a, &r);
	t->spared += !is_spared(less, &r);
	check_tree(s, &r, t);
}

/* All requests of a world, in batches that are asked for in another order. */
static void
go_through(struct sim *fast, struct sim *whole, struct sim *less, struct random *rnd, struct tally *t)
{
	static struct seen batch[BATCH];
	struct sim_traffic *traffic = sim_traffic(fast, fast->w->begin, fast->w->end);
	struct sim_request r;
	int64_t last = 0;
	uint64_t last_k = 0;
	int more = 1;

	if (traffic == NULL)
		err(1, NULL);
	while (more == 1) {
		uint32_t n = 0;

		while (n < BATCH && (more = sim_next(traffic, &r)) == 1) {
			t->order += r.time < last || (r.time == last && r.k <= last_k) || r.time < fast->w->begin || r.time >= fast->w->end;
			last = r.time;
			last_k = r.k;
			t->requests++;
			t->dropped += (uint64_t)r.dropped;
			t->failed += r.span[0].source != SIM_SUCCESS;
			t->dependency += r.span[0].source == SIM_DEPENDENCY;
			t->quick += (uint64_t)r.plan->quick;
			batch[n++] = (struct seen){ r.k, r.user, r.time, r.span[0], blamed_name(&r, &r.span[0]), r.persona, r.place,
				r.class, r.dropped, r.plan, r.ntouched, { 0 } };
			memcpy(batch[n - 1].touched, r.touched, sizeof(r.touched));
		}
		for (uint32_t i = n; i > 0; i--) {
			uint32_t j = below(rnd, i);

			ask(whole, less, &batch[j], t);
			batch[j] = batch[i - 1];
		}
	}
	sim_traffic_free(traffic);
}

static void
open_sim(struct sim *s, const struct world *w)
{
	char text[1024];

	if (sim_open(s, w, 0, text, sizeof(text)) == -1)
		errx(1, "%s", text);
}

static void
test_world(struct tap *tap_, const char *catalog, uint64_t seed, uint64_t requests, int bent)
{
	struct random r = { mix(seed), 0 };
	struct tally t = { 0 };
	struct world w;
	struct sim fast, whole, less;
	const char *name = strrchr(catalog, '/') + 1;

	make_world(&w, catalog, seed, requests);
	if (bent)
		bend(&w.cat, &r);
	add_incidents(&w, &r);
	open_sim(&fast, &w);
	open_sim(&whole, &w);
	open_sim(&less, &w);
	less.spare = SIM_SPARE_SIZES | SIM_SPARE_RELEASE | SIM_SPARE_END;
	go_through(&fast, &whole, &less, &r, &t);
	printf("# %s%s, seed %llu: %llu requests, %llu dropped, %llu failed, %llu through a callee, %llu quick, %llu spans\n", name,
	    bent ? ", bent" : "", (unsigned long long)seed, (unsigned long long)t.requests, (unsigned long long)t.dropped,
	    (unsigned long long)t.failed, (unsigned long long)t.dependency, (unsigned long long)t.quick, (unsigned long long)t.spans);
	tap(tap_, t.requests == requests, "%s: as many requests as asked for", name);
	tap(tap_, t.failed > 0 && t.dropped > 0 && (bent || t.dependency > 0), "%s: enough goes wrong", name);
	tap(tap_, t.roots == 0, "%s: %llu roots differ between the short way and the whole tree", name, (unsigned long long)t.roots);
	tap(tap_, t.spared == 0, "%s: %llu trees differ when what nobody asks for is spared", name, (unsigned long long)t.spared);
	tap(tap_, t.asked == 0, "%s: %llu requests are others when asked for by name", name, (unsigned long long)t.asked);
	tap(tap_, t.order == 0, "%s: %llu out of order", name, (unsigned long long)t.order);
	tap(tap_, t.tree == 0, "%s: %llu spans out of place", name, (unsigned long long)t.tree);
	tap(tap_, t.blame == 0, "%s: %llu failures with a wrong origin", name, (unsigned long long)t.blame);
	tap(tap_, t.names == 0, "%s: %llu trace ids that do not lead back", name, (unsigned long long)t.names);
	sim_close(&fast);
	sim_close(&whole);
	sim_close(&less);
	world_free(&w);
}

/* Slices begin one after another, and have nearly equal numbers of requests. */
static void
test_shards(struct tap *tap_)
{
	struct random r = { 7, 0 };
	struct world w;
	struct sim s;
	int wrong = 0;

	make_world(&w, "share/og/social", 7, 100000);
	open_sim(&s, &w);
	for (int i = 0; i < 200; i++) {
		int64_t from = w.begin + (int64_t)between(&r, 0, 6e11), to = from + 1 + (int64_t)between(&r, 0, (double)(w.end - from - 1));
		uint64_t n = 1 + below(&r, 70);
		int64_t last = from;

		for (uint64_t k = 0; k <= n; k++) {
			int64_t at = sim_shard(&s, from, to, k, n);

			wrong += at < last || at > to || (k == 0 && at != from) || (k == n && at != to);
			last = at;
		}
	}
	tap(tap_, wrong == 0, "slices begin one after another, the first and the last where the whole does");
	sim_close(&s);
	world_free(&w);
}

/* An incident that makes a queue slow: every consumer begins so much later, and nothing else is another. */
static void
test_delay(struct tap *tap_)
{
	char text[1024];
	struct world calm, slow;
	struct world_draft d;
	struct sim a, b;
	struct sim_traffic *traffic;
	struct sim_request r, q;
	int later = 0, wrong = 0;

	make_world(&calm, "test/catalogs/orders", 3, 5000);
	make_world(&slow, "test/catalogs/orders", 3, 5000);
	if (world_draft(&d, &slow, NULL, text, sizeof(text)) == -1 ||
	    world_draft_spec(&d, "component=lag,start=2026-03-02,duration=10000h,latency=2,services=packing") == -1 ||
	    world_draft_name(&d) == -1 || world_draft_join(&d) == -1)
		errx(1, "%s", text);
	world_draft_free(&d);
	slow.incident[0].effect[0].what = EFFECT_DELAY;
	slow.incident[0].effect[0].factor = 1;
	slow.incident[0].effect[0].add = 1500;
	slow.incident[0].start = slow.begin;
	open_sim(&a, &calm);
	open_sim(&b, &slow);
	traffic = sim_traffic(&a, calm.begin, calm.end);
	if (traffic == NULL)
		err(1, NULL);
	while (sim_next(traffic, &r) == 1) {
		wrong += sim_request(&b, r.k, r.time, &q);
		sim_grow(&a, &r);
		sim_grow(&b, &q);
		wrong += r.nspans != q.nspans;
		for (uint32_t i = 0; i < r.nspans && i < q.nspans; i++) {
			int async = r.span[i].node->call >= 0 && calm.cat.call[r.span[i].node->call].stage == STAGE_ASYNC;
			int64_t by = i > 0 ? q.span[q.span[i].parent].start - r.span[r.span[i].parent].start : 0;

			by += async ? 1500000 : 0;
			later += async;
			wrong += q.span[i].start != r.span[i].start + by || q.span[i].length != r.span[i].length;
		}
	}
	tap(tap_, later > 100 && wrong == 0, "an incident's delay: %d consumers begin later by just that, %d do not", later, wrong);
	sim_traffic_free(traffic);
	sim_close(&a);
	sim_close(&b);
	world_free(&calm);
	world_free(&slow);
}

/* A request that waits for delayed calls until it is cut fails because of what delayed them. */
static void
test_cut(struct tap *tap_)
{
	char text[1024];
	struct world w;
	struct world_draft d;
	struct sim s;
	struct sim_traffic *traffic;
	struct sim_request r;
	int cut = 0, named = 0;

	make_world(&w, "share/og/social", 3, 2000);
	if (world_draft(&d, &w, NULL, text, sizeof(text)) == -1 ||
	    world_draft_spec(&d, "component=lag,start=2025-01-02,duration=10000h,latency=2,services=feed:ranking") == -1 ||
	    world_draft_name(&d) == -1 || world_draft_join(&d) == -1)
		errx(1, "%s", text);
	world_draft_free(&d);
	w.incident[0].effect[0].what = EFFECT_DELAY;
	w.incident[0].effect[0].factor = 1;
	w.incident[0].effect[0].add = 100000;
	w.incident[0].start = w.begin;
	open_sim(&s, &w);
	traffic = sim_traffic(&s, w.begin, w.end);
	if (traffic == NULL)
		err(1, NULL);
	while (sim_next(traffic, &r) == 1) {
		if (r.dropped || r.span[0].length != 60000000 || r.span[0].source == SIM_DEPLOYMENT)
			continue;
		cut++;
		named += r.span[0].source == SIM_INFRASTRUCTURE && r.span[0].cause == 0;
	}
	tap(tap_, cut > 100 && named == cut, "cut while it waited for a delayed call: %d of %d name the incident", named, cut);
	sim_traffic_free(traffic);
	sim_close(&s);
	world_free(&w);
}

/* Do the same request's trees differ in anything that is seen? */
static int
differ(const struct sim_request *a, const struct sim_request *b)
{
	if (a->nspans != b->nspans || a->dropped != b->dropped)
		return 1;
	for (uint32_t i = 0; i < a->nspans; i++) {
		const struct sim_span *x = &a->span[i], *y = &b->span[i];

		if (x->node - a->plan->node != y->node - b->plan->node || x->start != y->start || x->length != y->length ||
		    x->place != y->place || x->code != y->code || x->source != y->source || x->link != y->link ||
		    x->request != y->request || x->response != y->response || x->queries != y->queries || x->cache != y->cache ||
		    (x->cause < 0) != (y->cause < 0))
			return 1;
	}
	return 0;
}

static int
uses(const struct sim_request *r, int link)
{
	for (uint32_t i = 0; i < r->nspans; i++)
		if (r->span[i].link == link)
			return 1;
	return 0;
}

static int
is_named(const struct sim_request *r, int incident)
{
	for (int i = 0; i < r->ntouched; i++)
		if (r->touched[i] == incident)
			return 1;
	return 0;
}

/* What a world is like without one of its incidents: requests that are others, that named it, that took another way; and what is not so. */
struct lack {
	uint64_t changed, touched, moved, unmet;
};

static void
compare(struct sim *all, struct sim *less, int gone, int link, struct lack *n)
{
	struct sim_traffic *traffic = sim_traffic(all, all->w->begin, all->w->end);
	struct sim_request r, other;

	if (traffic == NULL)
		err(1, NULL);
	while (sim_next(traffic, &r) == 1) {
		int changed, touched, moved;

		sim_grow(all, &r);
		if (sim_request(less, r.k, r.time, &other) == -1)
			errx(1, "no such request");
		sim_grow(less, &other);
		changed = differ(&r, &other);
		touched = is_named(&r, gone);
		moved = link != -1 && uses(&r, link) != uses(&other, link);
		n->changed += (uint64_t)changed;
		n->touched += (uint64_t)touched;
		n->moved += (uint64_t)moved;
		n->unmet += (uint64_t)(changed && !touched && !moved);
	}
	sim_traffic_free(traffic);
}

/* The number of requests that are others without it. */
static uint64_t
take_out(struct tap *tap_, struct sim *all, const char *type)
{
	const struct world *w = all->w;
	struct world without = *w;
	struct lack n = { 0 };
	struct sim less;
	int gone = 0, fix;

	while (gone < w->nincidents - 1 && strcmp(w->incident[gone].type, type) != 0)
		gone++;
	fix = w->incident[gone].role == ROLE_FIX;
	without.incident = calloc((size_t)w->nincidents, sizeof(*w->incident));
	if (without.incident == NULL)
		err(1, NULL);
	for (int i = 0, to = 0; i < w->nincidents; i++)
		if (i != gone)
			without.incident[to++] = w->incident[i];
	without.nincidents--;
	open_sim(&less, &without);
	compare(all, &less, gone, fix ? w->incident[gone].effect[0].thing[0] : -1, &n);
	printf("# without %s: %llu are others, %llu named it, %llu took another way\n", type, (unsigned long long)n.changed,
	    (unsigned long long)n.touched, (unsigned long long)n.moved);
	tap(tap_, n.unmet == 0, "without %s: %llu requests are others that it never met", type, (unsigned long long)n.unmet);
	tap(tap_, fix ? n.moved > 500 : n.touched < n.changed * 11 / 10 + 5, "without %s: those it met are others", type);
	sim_close(&less);
	free(without.incident);
	return n.changed;
}

/* Without an incident of links only those requests are others that name it, and with a fix those that took the link it is about. */
static void
test_causes(struct tap *tap_, uint64_t seed, uint64_t requests)
{
	static const char *const type[] = { "loss", "weather", "reroute", "swell" };
	struct world w;
	struct world_draft d;
	struct sim all;
	char text[1024];
	uint64_t changed = 0;

	make_world(&w, "test/catalogs/cables", seed, requests);
	if (world_draft(&d, &w, "hard", text, sizeof(text)) == -1 || world_draft_rates(&d) == -1 || world_draft_name(&d) == -1 ||
	    world_draft_join(&d) == -1)
		errx(1, "%s", text);
	world_draft_free(&d);
	open_sim(&all, &w);
	for (size_t k = 0; k < sizeof(type) / sizeof(type[0]); k++)
		changed += take_out(tap_, &all, type[k]);
	tap(tap_, changed > 500, "without any of them: enough are others");
	sim_close(&all);
	world_free(&w);
}

int
main(void)
{
	struct tap t = { 0, 0 };
	uint64_t many = getenv("OG_LONG") != NULL ? 10 : 1;

	setenv("OG_SHARE", "share/og", 1);
	test_shards(&t);
	test_delay(&t);
	test_cut(&t);
	for (uint64_t i = 0; i < 2 * many; i++)
		test_causes(&t, 60 + i, 60000);
	test_world(&t, "share/og/social", 11, 150000 * many, 0);
	test_world(&t, "share/og/shop", 12, 30000 * many, 0);
	test_world(&t, "test/catalogs/orders", 13, 30000 * many, 0);
	test_world(&t, "test/catalogs/cables", 14, 30000 * many, 0);
	for (uint64_t i = 0; i < 4; i++) {
		test_world(&t, "share/og/shop", 20 + i, 8000 * many, 1);
		test_world(&t, "test/catalogs/orders", 30 + i, 8000 * many, 1);
		test_world(&t, "share/og/social", 40 + i, 4000 * many, 1);
		test_world(&t, "test/catalogs/cables", 50 + i, 8000 * many, 1);
	}
	return tap_end(&t);
}
