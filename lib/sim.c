#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "num.h"
#include "sim_impl.h"

uint64_t
sim_bits(double share)
{
	if (share <= 0)
		return 0;
	return share >= 1 ? 1ULL << 32 : (uint64_t)(share * 4294967296.0);
}

/* Keys of the domains: of seed and catalog name only, so that growth keeps every id. */
static void
open_keys(struct sim *s)
{
	uint64_t base = mix(mix(s->w->seed + MIX_G) ^ mix_name(s->c->name, strlen(s->c->name)));

	for (uint64_t i = 0; i < sizeof(s->d) / sizeof(s->d[0]); i++)
		s->d[i] = mix(base + i * MIX_G);
	s->id_span = mix_id(s->d[SIM_D_SPAN_ID_A]);
	s->id_trace = mix_id(s->d[SIM_D_TRACE]);
	s->id_request = mix_id(s->d[SIM_D_REQUEST_ID]);
	s->id_user = mix_id(s->d[SIM_D_USER_ID]);
	s->id_object = mix_id(s->d[SIM_D_OBJECT]);
}

/* Homes: every clock of every place. */
static int
open_homes(struct sim *s)
{
	const struct catalog *c = s->c;
	double *weight;
	int n = 0;

	for (int p = 0; p < c->nplaces; p++)
		n += c->place[p].nclocks;
	s->nhomes = n;
	s->home = calloc((size_t)n, sizeof(*s->home));
	s->persona_home = calloc((size_t)c->npersonas, sizeof(*s->persona_home));
	weight = calloc((size_t)n, sizeof(*weight));
	if (s->home == NULL || s->persona_home == NULL || weight == NULL) {
		free(weight);
		return -1;
	}
	for (int p = 0, h = 0; p < c->nplaces; p++)
		for (int k = 0; k < c->place[p].nclocks; k++, h++)
			s->home[h] = (struct sim_home){ p, c->place[p].clock[k].utc };
	for (int i = 0; i < c->npersonas; i++) {
		for (int p = 0, h = 0; p < c->nplaces; p++) {
			double sum = 0;

			for (int k = 0; k < c->place[p].nclocks; k++)
				sum += c->place[p].clock[k].weight;
			for (int k = 0; k < c->place[p].nclocks; k++, h++)
				weight[h] = c->persona[i].place[p] * c->place[p].clock[k].weight / sum;
		}
		if (dist_alias(&s->persona_home[i], weight, (uint32_t)n) != 0) {
			free(weight);
			return -1;
		}
	}
	free(weight);
	return 0;
}

/*
 * Users per persona: the tree over personas splits the total so that the parts add up and none shrinks when the total grows.
 * floor(n p + offset) rises by 0 or 1 with n, and so does the rest.
 */
static void
split_users(struct sim *s, const double *cum, int from, int to, uint64_t n)
{
	uint64_t left;
	double p, offset;
	int mid;

	if (to - from == 1) {
		s->users[from] = n;
		return;
	}
	mid = (from + to) / 2;
	p = cum[to] > cum[from] ? (cum[mid] - cum[from]) / (cum[to] - cum[from]) : 0;
	offset =
	    (double)(mix_at(s->d[SIM_D_USER] ^ mix_name(s->c->persona[from].id, strlen(s->c->persona[from].id)), (uint64_t)(to - from)) >>
		11) *
	    0x1p-53;
	left = (uint64_t)((double)n * p + offset);
	if (left > n)
		left = n;
	split_users(s, cum, from, mid, left);
	split_users(s, cum, mid, to, n - left);
}

static int
open_users(struct sim *s)
{
	const struct catalog *c = s->c;
	size_t n = (size_t)c->npersonas;
	double *cum, *weight, activity;
	int r;

	s->users = calloc(n, sizeof(*s->users));
	s->persona_key = calloc(n, sizeof(*s->persona_key));
	cum = calloc(n + 1, sizeof(*cum));
	weight = calloc(n, sizeof(*weight));
	if (s->users == NULL || s->persona_key == NULL || cum == NULL || weight == NULL) {
		free(cum);
		free(weight);
		return -1;
	}
	for (size_t i = 0; i < n; i++) {
		const char *id = c->persona[i].id;

		s->persona_key[i] = mix(s->d[SIM_D_USER] ^ mix_name(id, strlen(id)));
		activity = catalog_draw(&c->persona[i].activity, mix_at(s->persona_key[i], ~0ULL));
		weight[i] = c->persona[i].users * activity;
		cum[i + 1] = cum[i] + c->persona[i].users;
	}
	split_users(s, cum, 0, (int)n, s->w->users);
	r = dist_alias(&s->popular, weight, (uint32_t)n);
	free(cum);
	free(weight);
	return r;
}

static int
same_class(const struct catalog *c, int a, int b)
{
	const struct catalog_persona *p = &c->persona[a], *q = &c->persona[b];

	return memcmp(p->op_weight, q->op_weight, (size_t)c->nops * sizeof(double)) == 0 && memcmp(p->day, q->day, sizeof(p->day)) == 0 &&
	    memcmp(p->week, q->week, sizeof(p->week)) == 0 && memcmp(p->place, q->place, (size_t)c->nplaces * sizeof(double)) == 0;
}

static int
class_actions(struct sim *s, struct sim_class *k, const double *weight)
{
	const struct catalog *c = s->c;
	double sum = 0, at = 0;
	int op = 0;

	k->cum = calloc((size_t)s->nroots + 1, sizeof(*k->cum));
	k->guide = calloc(4096, sizeof(*k->guide));
	k->made = calloc((size_t)c->nobjects + 1, sizeof(*k->made));
	k->nmade = calloc((size_t)c->nobjects + 1, sizeof(*k->nmade));
	if (k->cum == NULL || k->guide == NULL || k->made == NULL || k->nmade == NULL)
		return -1;
	for (int i = 0; i < s->nroots; i++)
		sum += weight[s->root[i]];
	for (int i = 0; i < s->nroots; i++) {
		double x;

		at += weight[s->root[i]] / sum;
		x = at * 4294967296.0;
		k->cum[i] = x >= 4294967295.0 || i == s->nroots - 1 ? UINT32_MAX : (uint32_t)x;
	}
	/* The last root with a weight takes what rounding leaves. */
	for (int i = s->nroots - 1; i > 0 && weight[s->root[i]] <= 0; i--)
		k->cum[i - 1] = UINT32_MAX;
	for (uint32_t j = 0; j < 4096; j++) {
		while (op < s->nroots - 1 && k->cum[op] <= j << 20)
			op++;
		k->guide[j] = (uint16_t)op;
	}
	for (int t = 0; t < c->nobjects; t++) {
		k->made[t] = calloc(4096, sizeof(**k->made));
		if (k->made[t] == NULL)
			return -1;
	}
	for (uint32_t j = 0; j < 4096; j++) {
		const struct catalog_op *o = &c->op[s->root[k->guide[j]]];

		if (o->object == OBJECT_NEW && k->cum[k->guide[j]] > (j << 20 | 0xfffff))
			k->made[o->type][k->nmade[o->type]++] = (uint16_t)j;
	}
	return 0;
}

/* How active people of each home are in each quarter hour, against the most active home. */
static int
class_homes(struct sim *s, struct sim_class *k, const struct catalog_persona *p)
{
	double *active = calloc((size_t)s->nhomes, sizeof(*active));

	k->home_ok = calloc((size_t)TIMELINE_WEEK * (size_t)s->nhomes, sizeof(*k->home_ok));
	if (k->home_ok == NULL || active == NULL) {
		free(active);
		return -1;
	}
	for (int q = 0; q < TIMELINE_WEEK; q++) {
		double top = 0;

		for (int h = 0; h < s->nhomes; h++) {
			active[h] = catalog_activity(p, q, s->home[h].utc);
			if (p->place[s->home[h].place] > 0 && active[h] > top)
				top = active[h];
		}
		for (int h = 0; h < s->nhomes; h++)
			k->home_ok[q * s->nhomes + h] = active[h] < top ? (uint16_t)(65535 * active[h] / top) : 65535;
	}
	free(active);
	return 0;
}

/* Activity of a class over the week, all homes together; mean 1. */
static void
class_week(const struct sim *s, const struct catalog_persona *p, double *out)
{
	double mean = 0;

	for (int q = 0; q < TIMELINE_WEEK; q++) {
		out[q] = 0;
		for (int pl = 0, h = 0; pl < s->c->nplaces; pl++) {
			double sum = 0;

			for (int i = 0; i < s->c->place[pl].nclocks; i++)
				sum += s->c->place[pl].clock[i].weight;
			for (int i = 0; i < s->c->place[pl].nclocks; i++, h++)
				out[q] += p->place[pl] * s->c->place[pl].clock[i].weight / sum * catalog_activity(p, q, s->home[h].utc);
		}
		mean += out[q];
	}
	mean /= TIMELINE_WEEK;
	for (int q = 0; q < TIMELINE_WEEK; q++)
		out[q] = mean > 0 ? out[q] / mean : 1;
}

static int
add_class(struct sim *s, int *of, int lead)
{
	const struct catalog *c = s->c;
	struct sim_class *k = &s->class[s->nclasses];
	double *weight = calloc((size_t)c->npersonas, sizeof(*weight));
	int r;

	k->persona = calloc((size_t)c->npersonas, sizeof(*k->persona));
	if (weight == NULL || k->persona == NULL) {
		free(weight);
		return -1;
	}
	k->lead = lead;
	for (int i = lead; i < c->npersonas; i++) {
		if (of[i] >= 0 || !same_class(c, lead, i))
			continue;
		of[i] = s->nclasses;
		weight[k->npersonas] = c->persona[i].users * catalog_draw(&c->persona[i].activity, mix_at(s->persona_key[i], ~0ULL));
		k->weight += weight[k->npersonas];
		k->persona[k->npersonas++] = i;
	}
	r = k->weight > 0 ? dist_alias(&k->who, weight, (uint32_t)k->npersonas) : 0;
	free(weight);
	if (k->weight <= 0) { /* nobody: leave it out */
		free(k->persona);
		memset(k, 0, sizeof(*k));
		return 0;
	}
	s->nclasses++;
	if (r != 0 || class_actions(s, k, c->persona[lead].op_weight) != 0 || class_homes(s, k, &c->persona[lead]) != 0)
		return -1;
	return 0;
}

static int
open_classes(struct sim *s, char *err, size_t errsize)
{
	const struct catalog *c = s->c;
	double(*week)[TIMELINE_WEEK], top = 0;
	int *of = calloc((size_t)c->npersonas, sizeof(*of));

	s->class = calloc((size_t)c->npersonas + 1, sizeof(*s->class));
	if (of == NULL || s->class == NULL)
		goto fail;
	for (int i = 0; i < c->npersonas; i++)
		of[i] = -1;
	for (int i = 0; i < c->npersonas; i++)
		if (of[i] < 0 && add_class(s, of, i) != 0)
			goto fail;
	free(of);
	if (s->nclasses == 0 || s->nclasses >= SIM_CLASS_EVENT) {
		snprintf(err, errsize, "%s: %d distinct kinds of personas, not 1 to %d", c->name, s->nclasses, SIM_CLASS_EVENT - 1);
		return -1;
	}
	s->mass = calloc((size_t)s->nclasses, sizeof(*s->mass));
	week = calloc((size_t)s->nclasses, sizeof(*week));
	if (s->mass == NULL || week == NULL) {
		free(week);
		return -1;
	}
	for (int k = 0; k < s->nclasses; k++) {
		class_week(s, &c->persona[s->class[k].lead], week[k]);
		for (int q = 0; q < TIMELINE_WEEK; q++) {
			week[k][q] *= s->class[k].weight;
			top = week[k][q] > top ? week[k][q] : top;
		}
	}
	for (int k = 0; k < s->nclasses; k++)
		for (int q = 0; q < TIMELINE_WEEK; q++)
			s->mass[k][q] = (uint32_t)(week[k][q] / top * 16777215.0);
	free(week);
	return 0;
fail:
	free(of);
	return -1;
}

/* Latency factors are scaled to mean 1 over the traffic, so that the table's latencies are what is met. */
static int
open_factors(struct sim *s)
{
	const struct catalog *c = s->c;
	double sum = 0, mean = 0, *place, load[TIMELINE_WEEK], top = 0, area = 0, weighted = 0;

	s->persona_factor = calloc((size_t)c->npersonas, sizeof(*s->persona_factor));
	s->place_factor = calloc((size_t)c->nplaces, sizeof(*s->place_factor));
	s->failure = calloc((size_t)c->npersonas * (size_t)c->nplaces, sizeof(*s->failure));
	place = calloc((size_t)c->nplaces, sizeof(*place));
	if (s->persona_factor == NULL || s->place_factor == NULL || s->failure == NULL || place == NULL) {
		free(place);
		return -1;
	}
	for (int k = 0; k < s->nclasses; k++)
		for (int j = 0; j < s->class[k].npersonas; j++) {
			int i = s->class[k].persona[j];
			double w = c->persona[i].users * catalog_draw(&c->persona[i].activity, mix_at(s->persona_key[i], ~0ULL));

			sum += w;
			mean += w * c->persona[i].latency;
			for (int p = 0; p < c->nplaces; p++)
				place[p] += w * c->persona[i].place[p];
		}
	mean /= sum;
	for (int i = 0; i < c->npersonas; i++) {
		s->persona_factor[i] = (uint32_t)(c->persona[i].latency / mean * 65536);
		for (int p = 0; p < c->nplaces; p++)
			s->failure[i * c->nplaces + p] = sim_bits(c->persona[i].error_rate * c->place[p].errors);
	}
	mean = 0;
	for (int p = 0; p < c->nplaces; p++)
		mean += place[p] / sum * c->place[p].latency;
	for (int p = 0; p < c->nplaces; p++)
		s->place_factor[p] = (uint32_t)(c->place[p].latency / mean * 65536);
	free(place);
	for (int q = 0; q < TIMELINE_WEEK; q++) {
		load[q] = 0;
		for (int k = 0; k < s->nclasses; k++)
			load[q] += s->mass[k][q];
		top = load[q] > top ? load[q] : top;
		area += load[q];
	}
	for (int q = 0; q < TIMELINE_WEEK; q++)
		weighted += load[q] / area * (1 + c->set.load_latency * load[q] / top * (load[q] / top));
	for (int q = 0; q < TIMELINE_WEEK; q++)
		s->load[q] = (uint32_t)((1 + c->set.load_latency * load[q] / top * (load[q] / top)) / weighted * 65536);
	return 0;
}

/* Season by month, straight between the middles of months, and steady growth a year. */
static int
open_growth(struct sim *s)
{
	const struct catalog_settings *set = &s->c->set;
	int64_t first = clock_day(s->w->begin), last = clock_day(s->w->end > s->until ? s->w->end : s->until) + 1;
	double top = 0, *g = calloc((size_t)(last - first + 1), sizeof(*g)), year;

	s->growth = calloc((size_t)(last - first + 1), sizeof(*s->growth));
	if (g == NULL || s->growth == NULL) {
		free(g);
		return -1;
	}
	year = num_log(1 + set->growth) / 365;
	for (int64_t d = first; d <= last; d++) {
		int y, m, md, other;
		double at;

		clock_civil(d, &y, &m, &md);
		at = (md - 15.5) / 30.5;
		other = at < 0 ? (m + 10) % 12 : m % 12;
		at = at < 0 ? -at : at;
		g[d - first] = (set->season[m - 1] * (1 - at) + set->season[other] * at) * num_exp(year * (double)(d - first));
	}
	/* A fixed scale, so that a later end leaves the earlier days as they are; clipped where growth is absurd. */
	top = 1024;
	for (int64_t d = 0; d <= last - first; d++) {
		double x = g[d] * top;

		s->growth[d] = x < 1 ? 1 : x > 1048576 ? 1048576 : (uint32_t)x;
	}
	free(g);
	return 0;
}

static double
gap_quantile(double u, void *arg)
{
	const double *cut = arg; /* median in us, chance below the cut */

	return cut[0] * num_exp(0.8 * num_normal_quantile(u * cut[1]));
}

/* Pauses inside a session: log-normal, without those over 28 s, so that 63 of them stay below half an hour. */
static void
open_gap(struct sim *s)
{
	double lo = 0, hi = 1, arg[2], want;

	/* The chance that a pause is below 28 s, found by halving: the quantile function is all there is. */
	arg[0] = s->c->set.session_gap_s * 1e6;
	want = num_log(28e6 / arg[0]) / 0.8;
	for (int i = 0; i < 50; i++) {
		double mid = (lo + hi) / 2;

		if (num_normal_quantile(mid) < want)
			lo = mid;
		else
			hi = mid;
	}
	arg[1] = lo;
	dist_table(&s->gap, gap_quantile, arg, 50000, 28e6);
}

static int
open_makers(struct sim *s)
{
	int n = s->c->nobjects;
	double *weight = calloc((size_t)s->nclasses, sizeof(*weight));

	s->maker = calloc((size_t)n + 1, sizeof(*s->maker));
	if (weight == NULL || s->maker == NULL) {
		free(weight);
		return -1;
	}
	for (int t = 0; t < n; t++) {
		double sum = 0;

		for (int k = 0; k < s->nclasses; k++)
			sum += weight[k] = s->class[k].weight * s->class[k].nmade[t];
		if (sum > 0 && dist_alias(&s->maker[t], weight, (uint32_t)s->nclasses) != 0) {
			free(weight);
			return -1;
		}
	}
	free(weight);
	return 0;
}

static int
open_timeline(struct sim *s)
{
	struct timeline_model m = { .key = s->d[SIM_D_TIMELINE],
		.classes = s->nclasses,
		.mass = (const uint32_t(*)[TIMELINE_WEEK])s->mass,
		.growth = s->growth,
		.begin = s->w->begin,
		.until = s->until,
		.end = s->w->end > s->until ? s->w->end : s->until, /* how the last block ends decides what an earlier end shows, too */
		.sessions = s->sessions };
	uint64_t most = 0;

	s->timeline = timeline_new(&m);
	if (s->timeline == NULL)
		return -1;
	for (int k = 0; k < s->nclasses; k++) {
		s->full[k] = timeline_before(s->timeline, k, s->until);
		if (s->full[k] > most) {
			most = s->full[k];
			s->last_class = k;
		}
	}
	return 0;
}

static void
open_roles(struct sim *s)
{
	const struct catalog_settings *set = &s->c->set;

	for (int i = 0; i < set->nfirst; i++)
		s->role[set->first[i]] |= ROLE_FIRST;
	for (int i = 0; i < set->nlast; i++)
		s->role[set->last[i]] |= ROLE_LAST;
	for (int i = 0; i < set->nonce; i++)
		s->role[set->once[i]] |= ROLE_ONCE | ROLE_LAST;
	s->has_roles = set->nfirst + set->nlast + set->nonce > 0;
}

static int
open_parts(struct sim *s, char *err, size_t errsize)
{
	const struct catalog *c = s->c;

	s->words = (c->nservices + 63) / 64;
	s->root = calloc((size_t)c->nops, sizeof(*s->root));
	s->role = calloc((size_t)c->nops, 1);
	if (s->root == NULL || s->role == NULL)
		return -1;
	for (int i = 0; i < c->nops; i++)
		if (c->op[i].weight > 0 && c->op[i].service >= 0)
			s->root[s->nroots++] = i;
	if (s->nroots > 65535) {
		snprintf(err, errsize, "%s: more than 65535 root operations", c->name);
		return -1;
	}
	open_roles(s);
	dist_zipf(&s->user_zipf, c->set.user_zipf);
	dist_zipf(&s->follow_zipf, 0.7);
	open_gap(s);
	for (int i = 0; i < 65; i++)
		s->object_weight[i + 1] = s->object_weight[i] + num_exp(i * (c->set.object_zipf - 1) * 0.69314718055994530942);
	s->hit = sim_bits(c->set.cache_hit);
	if (c->set.db_queries.kind == DIST_UNIFORM && c->set.db_queries.whole && c->set.db_queries.a >= 0 &&
	    c->set.db_queries.b >= c->set.db_queries.a) {
		s->queries = (uint32_t)c->set.db_queries.a;
		s->queries_n = (uint32_t)(c->set.db_queries.b - c->set.db_queries.a) + 1;
	}
	s->trace_form = catalog_id(c, "trace_id", 8);
	s->cascade = (uint32_t)(c->set.cascade_factor + 0.5);
	if (open_homes(s) != 0 || open_users(s) != 0 || open_classes(s, err, errsize) != 0 || open_factors(s) != 0 || open_growth(s) != 0 ||
	    open_makers(s) != 0 || sim_plans(s, err, errsize) != 0 || open_timeline(s) != 0 || sim_links_open(s, err, errsize) != 0 ||
	    sim_active_open(s) != 0)
		return -1;
	return 0;
}

int
sim_open(struct sim *s, const struct world *w, uint64_t requests, char *err, size_t errsize)
{
	size_t n;

	memset(s, 0, sizeof(*s));
	s->w = w;
	s->c = &w->cat;
	s->until = w->until;
	s->requests = requests != 0 ? requests : w->requests;
	s->sessions = (s->requests + 7) / 8;
	open_keys(s);
	if (errsize > 0)
		err[0] = '\0';
	errno = 0;
	if (open_parts(s, err, errsize) != 0) {
		if (err[0] == '\0')
			snprintf(err, errsize, "%s: %s", s->c->name,
			    errno == EDOM         ? "nobody is ever active"
				: errno == ERANGE ? "more requests until the end than can be counted"
						  : strerror(errno != 0 ? errno : ENOMEM));
		sim_close(s);
		return -1;
	}
	n = (size_t)s->c->nservices * (size_t)s->c->nplaces;
	s->release_now = calloc(n, sizeof(*s->release_now));
	s->release_lo = calloc(n, sizeof(*s->release_lo));
	s->release_hi = calloc(n, sizeof(*s->release_hi)); /* lo == hi: nothing known yet */
	if (s->release_now == NULL || s->release_lo == NULL || s->release_hi == NULL) {
		snprintf(err, errsize, "%s: %s", s->c->name, strerror(ENOMEM));
		sim_close(s);
		return -1;
	}
	return 0;
}

static void
close_classes(struct sim *s)
{
	for (int k = 0; s->class != NULL && k < s->nclasses; k++) {
		struct sim_class *c = &s->class[k];

		for (int t = 0; c->made != NULL && t < s->c->nobjects; t++)
			free(c->made[t]);
		free(c->made);
		free(c->nmade);
		free(c->persona);
		free(c->cum);
		free(c->guide);
		free(c->home_ok);
		dist_alias_free(&c->who);
	}
	free(s->class);
}

void
sim_close(struct sim *s)
{
	close_classes(s);
	for (int i = 0; s->persona_home != NULL && i < s->c->npersonas; i++)
		dist_alias_free(&s->persona_home[i]);
	for (int t = 0; s->maker != NULL && t < s->c->nobjects; t++)
		dist_alias_free(&s->maker[t]);
	dist_alias_free(&s->popular);
	sim_plans_free(s);
	sim_active_free(s);
	sim_links_free(s);
	timeline_free(s->timeline);
	free(s->persona_home);
	free(s->maker);
	free(s->mass);
	free(s->growth);
	free(s->home);
	free(s->users);
	free(s->persona_key);
	free(s->persona_factor);
	free(s->place_factor);
	free(s->failure);
	free(s->role);
	free(s->root);
	free(s->recent);
	free(s->release_now);
	free(s->release_lo);
	free(s->release_hi);
	memset(s, 0, sizeof(*s));
}

int64_t
sim_skew(const struct sim *s, const char *host, size_t n)
{
	double us = catalog_draw(&s->c->set.skew_ms, mix(s->d[SIM_D_CLOCK] ^ mix_name(host, n))) * 1000;

	/* A log-normal one has no end. */
	return (int64_t)(us > CLOCK_HOUR ? CLOCK_HOUR : us);
}

uint64_t
sim_span_id(const struct sim *s, uint64_t span)
{
	uint64_t id = mix_seal(s->id_span, span);

	/* 0 is no valid span id; the one name that gives it takes the id of a name that is never used. */
	return id != 0 ? id : mix_seal(s->id_span, UINT64_MAX);
}

void
sim_trace_id(const struct sim *s, uint64_t k, uint64_t id[2])
{
	id[0] = mix_seal(s->id_trace, k);
	id[1] = mix(k * MIX_G + s->d[SIM_D_TRACE_LOW]);
}

int
sim_trace_open(const struct sim *s, const uint64_t id[2], uint64_t *k)
{
	*k = mix_open(s->id_trace, id[0]);
	return *k >> 48 == 0 && mix(*k * MIX_G + s->d[SIM_D_TRACE_LOW]) == id[1] ? 0 : -1;
}

void
sim_request_id(const struct sim *s, uint64_t span, uint64_t id[2])
{
	id[0] = mix_seal(s->id_request, span);
	id[1] = mix(span + s->d[SIM_D_REQUEST_LOW]);
}
