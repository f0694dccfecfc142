/*
 * stats: does traffic follow its catalog?
 *
 *	stats [-c CATALOG] [-g GROUPS] WORLD <RECORDS
 *
 * Standard input: records in layout wide, requests as og-events writes them, or for the groups `spans` and `depth` what og-spans makes of
 * them. Standard output: TAP, a line a check with what was measured, what the tables ask for, and the bound. Exit 1 when a check failed.
 *
 * What is expected is computed here, from the tables as og-catalog(5) describes them. Only two things are asked of the simulation: what a
 * trace id says of the session, and how active a persona was drawn. The catalog may be another one than that of the data, if it has the
 * same name.
 *
 * Groups, separated by commas: traffic, who, actions, ends, latency, sizes, sessions, objects, joins, leaving; those are for requests
 * without rollouts and incidents, and `joins` and `leaving` ask for what their functions say. `levels` is for any records, `rollouts` for
 * requests of a world with rollouts, `spans` for spans of such a world.
 *
 * Deviations are measured in standard errors. What comes in clusters (sessions of one persona, sessions of one user) has the error of its
 * clusters. Of n cells the largest deviation is within what chance exceeds in 10^-6 of all runs, and so is the mean square; where a cluster
 * reaches several cells at once, which therefore go together, that is given more room.
 */
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/tap.h"
#include "catalog.h"
#include "clock.h"
#include "json.h"
#include "mix.h"
#include "num.h"
#include "rec.h"
#include "render.h"
#include "sim.h"
#include "world.h"

#define HOURS 24
#define CHANCE 1e-6 /* of a false alarm, a check */
#define QUARTER (15 * CLOCK_MINUTE)

enum key {
	K_TIME,
	K_LEVEL,
	K_SERVICE,
	K_STACK,
	K_ACTION,
	K_USER,
	K_OK,
	K_RELEASE,
	K_TRACE,
	K_PARENT,
	K_TARGET,
	K_OBJECT,
	K_CODE,
	K_SOURCE,
	K_DURATION,
	K_PERSONA,
	K_REQUEST,
	K_RESPONSE,
	K_QUERIES,
	K_CACHE,
	KEYS
};
static const char *const names[KEYS] = { "timestamp", "level", "service", "stack", "action", "user_id", "success", "release_id", "trace_id",
	"parent_span_id", "target_user_id", "object_id", "error_code", "error_source", "duration_ms", "persona", "request_bytes",
	"response_bytes", "db_queries", "cache_hit" };

enum source { FROM_NOTHING, FROM_INFRASTRUCTURE, FROM_DEPENDENCY, FROM_DEPLOYMENT, FROM_SELF };

/* A record. */
struct row {
	int64_t time, us;
	uint64_t k;                 /* name of the request */
	uint64_t what;              /* key of service and action */
	uint64_t release;           /* key of the release's id */
	uint32_t request, response; /* bytes */
	uint32_t user, target;      /* numbers among those seen; target UINT32_MAX: none */
	uint32_t object;            /* likewise */
	int16_t op, service, persona, place, code;
	int8_t cache; /* -1: does not apply */
	uint8_t ok, source, queries, child;
	char level;
};

struct session {
	uint64_t name;
	int64_t start;
	uint32_t first, n; /* among `byk` */
	uint32_t user;
	int16_t persona, place;
};

/* Texts seen, by their keys. */
struct seen {
	uint64_t *key;
	uint32_t *number;
	uint32_t n;
	size_t size;
};

struct stats {
	struct tap tap;
	struct world w;
	struct sim s;
	const struct catalog *c;
	struct row *row;
	size_t n, size;
	uint32_t *byk; /* rows in order of k */
	struct session *session;
	size_t nsessions;
	struct seen users, objects;
	double *weight;                                   /* per persona: requests, as drawn */
	double (*week)[TIMELINE_WEEK];                    /* per persona and place: intensity by quarter hour of the week, UTC */
	double total[TIMELINE_WEEK], load[TIMELINE_WEEK]; /* of all; factor on latency */
	double days[TIMELINE_WEEK];                       /* how much of each quarter hour the time has, by growth and season */
	double *persona_latency, *place_latency;          /* factors, mean 1 */
};

static void *
room(size_t n, size_t size)
{
	void *p = calloc(n + 1, size);

	if (p == NULL)
		err(2, NULL);
	return p;
}

static void
seen_grow(struct seen *x)
{
	struct seen old = *x;

	x->size = old.size == 0 ? 1 << 16 : old.size * 2;
	x->key = room(x->size, sizeof(*x->key));
	x->number = room(x->size, sizeof(*x->number));
	for (size_t i = 0; i < old.size; i++)
		if (old.key[i] != 0) {
			size_t at = old.key[i] & (x->size - 1);

			while (x->key[at] != 0)
				at = (at + 1) & (x->size - 1);
			x->key[at] = old.key[i];
			x->number[at] = old.number[i];
		}
	free(old.key);
	free(old.number);
}

/* Number of a text, from 0 in order of appearance; UINT32_MAX for null. */
static uint32_t
seen_number(struct seen *x, struct json_value v)
{
	uint64_t key;
	size_t at;

	if (json_is_null(v))
		return UINT32_MAX;
	if ((size_t)x->n * 2 >= x->size)
		seen_grow(x);
	key = mix_name(v.p, v.n) | 1;
	for (at = key & (x->size - 1); x->key[at] != 0; at = (at + 1) & (x->size - 1))
		if (x->key[at] == key)
			return x->number[at];
	x->key[at] = key;
	x->number[at] = x->n;
	return x->n++;
}

static _Noreturn void
bad(const struct rec *in, const char *what)
{
	errx(2, "%s:%llu: %s", in->name, (unsigned long long)in->line, what);
}

/* The text between the quotes; records of ours have no escapes in what is asked here. */
static const char *
text_of(const struct rec *in, struct json_value v, size_t *n)
{
	if (!json_is_string(v))
		bad(in, "not a string");
	*n = v.n - 2;
	return v.p + 1;
}

static int
place_of(const struct catalog *c, const char *release, size_t n)
{
	for (int i = 0; i < c->nplaces; i++) {
		size_t m = strlen(c->place[i].id);

		if (n > m && release[m] == ':' && memcmp(release, c->place[i].id, m) == 0)
			return i;
	}
	return -1;
}

static int
persona_of(const struct catalog *c, const char *id, size_t n)
{
	for (int i = 0; i < c->npersonas; i++)
		if (strlen(c->persona[i].id) == n && memcmp(c->persona[i].id, id, n) == 0)
			return i;
	return -1;
}

static uint8_t
source_of(const char *s, size_t n)
{
	static const char *const word[] = { "", "infrastructure:", "dependency:", "deployment:", "self" };

	for (int i = FROM_INFRASTRUCTURE; i <= FROM_SELF; i++)
		if (n >= strlen(word[i]) && memcmp(s, word[i], strlen(word[i])) == 0)
			return (uint8_t)i;
	return FROM_NOTHING;
}

static void
read_numbers(const struct rec *in, const struct json_value *v, struct row *r)
{
	uint64_t x;
	int flag;

	if (json_scaled(v[K_DURATION], 3, &r->us) == -1 || json_bool(v[K_OK], &flag) == -1)
		bad(in, "no duration_ms or no success");
	r->ok = (uint8_t)flag;
	if (json_u64(v[K_REQUEST], &x) == -1)
		bad(in, "no request_bytes");
	r->request = (uint32_t)x;
	if (json_u64(v[K_RESPONSE], &x) == -1)
		bad(in, "no response_bytes");
	r->response = (uint32_t)x;
	if (json_u64(v[K_QUERIES], &x) == -1 || x > 255)
		bad(in, "no db_queries");
	r->queries = (uint8_t)x;
	r->cache = -1;
	if (!json_is_null(v[K_CACHE]) && json_bool(v[K_CACHE], &flag) == 0)
		r->cache = (int8_t)flag;
}

static void
read_names(struct stats *x, const struct rec *in, const struct json_value *v, struct row *r)
{
	const struct catalog *c = x->c;
	const char *s, *t;
	char service[256];
	size_t n, m;

	s = text_of(in, v[K_STACK], &n);
	t = text_of(in, v[K_SERVICE], &m);
	(void)snprintf(service, sizeof(service), "%.*s:%.*s", (int)n, s, (int)m, t);
	r->service = (int16_t)catalog_service(c, service, strlen(service));
	s = text_of(in, v[K_ACTION], &n);
	r->op = (int16_t)catalog_op(c, r->service, s, n);
	r->what = mix_name(s, n) ^ mix((uint64_t)r->service);
	s = text_of(in, v[K_RELEASE], &n);
	r->release = mix_name(s, n);
	r->place = (int16_t)place_of(c, s, n);
	s = text_of(in, v[K_PERSONA], &n);
	r->persona = (int16_t)persona_of(c, s, n);
	if (r->service < 0 || r->place < 0 || r->persona < 0)
		bad(in, "unknown service, place or persona");
	s = text_of(in, v[K_LEVEL], &n);
	r->level = *s;
	r->code = -1;
	if (!json_is_null(v[K_CODE])) {
		if (json_is_string(v[K_CODE])) {
			s = text_of(in, v[K_CODE], &n);
			r->code = (int16_t)catalog_code(c, s, n);
		} else {
			r->code = (int16_t)catalog_code(c, v[K_CODE].p, v[K_CODE].n);
		}
	}
	if (!json_is_null(v[K_SOURCE])) {
		s = text_of(in, v[K_SOURCE], &n);
		r->source = source_of(s, n);
	}
}

/* One record; marks of rollouts have no persona and are passed over. */
static void
read_row(struct stats *x, const struct rec *in, const struct json_value *v)
{
	const char *s;
	struct row *r;
	size_t n;

	if (json_is_null(v[K_PERSONA]))
		return;
	if (x->n == x->size) {
		x->size = x->size * 2 + 65536;
		x->row = reallocarray(x->row, x->size, sizeof(*x->row));
		if (x->row == NULL)
			err(2, NULL);
	}
	r = &x->row[x->n++];
	memset(r, 0, sizeof(*r));
	s = text_of(in, v[K_TIME], &n);
	if (clock_parse(s, n, &r->time) == -1)
		bad(in, "no time");
	s = text_of(in, v[K_TRACE], &n);
	if (render_trace(&x->s, s, n, &r->k) != 0)
		bad(in, "a trace of another world");
	r->child = !json_is_null(v[K_PARENT]);
	read_names(x, in, v, r);
	read_numbers(in, v, r);
	r->user = seen_number(&x->users, v[K_USER]);
	r->target = seen_number(&x->users, v[K_TARGET]);
	r->object = seen_number(&x->objects, v[K_OBJECT]);
}

static void
read_rows(struct stats *x)
{
	struct json_reader *reader = json_reader(names, KEYS);
	struct json_value v[KEYS];
	enum rec_status status;
	const char *errstr;
	struct rec in;
	char *line;
	size_t len;

	if (reader == NULL || rec_open(&in, STDIN_FILENO, "<stdin>", NULL, 0) == -1)
		err(2, NULL);
	while ((status = rec_next(&in, &line, &len)) == REC_LINE) {
		if (json_read(reader, line, len, v, &errstr) == -1)
			bad(&in, errstr);
		read_row(x, &in, v);
	}
	if (status != REC_END)
		bad(&in, "cannot be read");
	rec_close(&in);
	json_reader_free(reader);
	if (x->n == 0)
		errx(2, "<stdin>: no records");
}

static int
by_k(const void *a, const void *b, void *arg)
{
	const struct row *row = arg, *p = &row[*(const uint32_t *)a], *q = &row[*(const uint32_t *)b];

	return p->k != q->k ? (p->k < q->k ? -1 : 1) : 0;
}

static void
find_sessions(struct stats *x)
{
	x->byk = room(x->n, sizeof(*x->byk));
	x->session = room(x->n, sizeof(*x->session));
	for (size_t i = 0; i < x->n; i++)
		x->byk[i] = (uint32_t)i;
	qsort_r(x->byk, x->n, sizeof(*x->byk), by_k, x->row);
	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[x->byk[i]];
		struct session *s = &x->session[x->nsessions];

		if (x->nsessions > 0 && s[-1].name == r->k >> 6) {
			s[-1].n++;
			continue;
		}
		*s = (struct session){ r->k >> 6, r->time, (uint32_t)i, 1, r->user, r->persona, r->place };
		x->nsessions++;
	}
}

/* Quarter hour of the week, Monday first. */
static int
quarter_of(int64_t t)
{
	return (int)(clock_weekday(clock_day(t)) * 96 + (t - clock_day(t) * CLOCK_DAY) / QUARTER);
}

/* How active a persona is at an hour of the week on its own clock: values stand at the middle of their hour, straight lines between. */
static double
activity_at(const struct catalog_persona *p, double hour)
{
	double at;
	int h, day;

	hour += hour < 0 ? 168 : hour >= 168 ? -168 : 0;
	day = (int)(hour / 24);
	at = hour - day * 24 - 0.5;
	h = at < 0 ? 23 : (int)at;
	at -= at < 0 ? -1 : h;
	return (p->day[h] * (1 - at) + p->day[(h + 1) % 24] * at) * p->week[day];
}

static void
model_persona(struct stats *x, int i)
{
	const struct catalog_persona *p = &x->c->persona[i];
	double mean = 0;

	x->weight[i] = p->users * catalog_draw(&p->activity, mix_at(x->s.persona_key[i], ~0ULL));
	for (int pl = 0; pl < x->c->nplaces; pl++) {
		const struct catalog_place *place = &x->c->place[pl];
		double *week = x->week[i * x->c->nplaces + pl], sum = 0;

		for (int k = 0; k < place->nclocks; k++)
			sum += place->clock[k].weight;
		for (int q = 0; q < TIMELINE_WEEK; q++) {
			for (int k = 0; k < place->nclocks; k++)
				week[q] +=
				    p->place[pl] * place->clock[k].weight / sum * activity_at(p, (q + 0.5) / 4 + place->clock[k].utc);
			mean += week[q] / TIMELINE_WEEK;
		}
	}
	for (int pl = 0; pl < x->c->nplaces; pl++)
		for (int q = 0; q < TIMELINE_WEEK; q++)
			x->week[i * x->c->nplaces + pl][q] *= x->weight[i] / mean;
}

/* Season between the middles of months, and steady growth. */
static double
day_factor(const struct stats *x, int64_t day)
{
	const struct catalog_settings *set = &x->c->set;
	int64_t before, after;
	int y, m, md;
	double at;

	clock_civil(day, &y, &m, &md);
	if (md < 16) {
		m = m == 1 ? 12 : m - 1;
		y -= m == 12;
	}
	before = clock_from_civil(y, m, 1) + 15;
	after = m == 12 ? clock_from_civil(y + 1, 1, 1) + 15 : clock_from_civil(y, m + 1, 1) + 15;
	at = (double)(day - before) / (double)(after - before);
	return (set->season[m - 1] * (1 - at) + set->season[m % 12] * at) *
	    num_pow(1 + set->growth, (double)(day - clock_day(x->w.begin)) / 365);
}

static void
model(struct stats *x)
{
	const struct catalog *c = x->c;
	double sum = 0, persona = 0, place = 0, top = 0, load = 0;

	x->weight = room((size_t)c->npersonas, sizeof(*x->weight));
	x->week = room((size_t)c->npersonas * (size_t)c->nplaces, sizeof(*x->week));
	x->persona_latency = room((size_t)c->npersonas, sizeof(*x->persona_latency));
	x->place_latency = room((size_t)c->nplaces, sizeof(*x->place_latency));
	for (int i = 0; i < c->npersonas; i++) {
		model_persona(x, i);
		sum += x->weight[i];
		persona += x->weight[i] * c->persona[i].latency;
		for (int p = 0; p < c->nplaces; p++) {
			place += x->weight[i] * c->persona[i].place[p] * c->place[p].latency;
			for (int q = 0; q < TIMELINE_WEEK; q++)
				x->total[q] += x->week[i * c->nplaces + p][q];
		}
	}
	for (int i = 0; i < c->npersonas; i++)
		x->persona_latency[i] = c->persona[i].latency * sum / persona;
	for (int p = 0; p < c->nplaces; p++)
		x->place_latency[p] = c->place[p].latency * sum / place;
	for (int q = 0; q < TIMELINE_WEEK; q++)
		top = x->total[q] > top ? x->total[q] : top;
	for (int q = 0; q < TIMELINE_WEEK; q++) {
		x->load[q] = 1 + c->set.load_latency * x->total[q] / top * (x->total[q] / top);
		load += x->load[q] * x->total[q] / sum / TIMELINE_WEEK;
	}
	for (int q = 0; q < TIMELINE_WEEK; q++)
		x->load[q] /= load;
	for (int64_t t = x->w.begin; t < x->w.end; t += QUARTER)
		x->days[quarter_of(t)] += day_factor(x, clock_day(t));
}

/* n counts o against what is expected, e, with variance v; where too little is expected nothing is said. */
struct cells {
	int n, linked; /* linked: cells that go together, by clusters of several */
	double *o, *e, *v;
};

static struct cells
cells(int n)
{
	struct cells x = { n, 0, room((size_t)n, sizeof(double)), room((size_t)n, sizeof(double)), room((size_t)n, sizeof(double)) };

	return x;
}

static void
check_cells(struct stats *x, const char *what, struct cells *c)
{
	const double slack = c->linked ? 12 : 5;
	double z = 0, worst = 0, square = 0, bound, mean;
	int n = 0, at = -1;

	for (int i = 0; i < c->n; i++) {
		if (c->e[i] < 10 || c->v[i] <= 0)
			continue;
		n++;
		z = (c->o[i] - c->e[i]) / sqrt(c->v[i]);
		square += z * z;
		if (fabs(z) > fabs(worst)) {
			worst = z;
			at = i;
		}
	}
	bound = n > 0 ? -num_normal_quantile(CHANCE / 2 / n) : 0;
	mean = n > 0 ? 1 - 2.0 / 9 / n + slack * sqrt(2.0 / 9 / n) : 0;
	mean *= mean * mean; /* of a sum of squares; Wilson and Hilferty 1931 */
	tap(&x->tap, n > 0 && fabs(worst) <= bound && square / n <= mean,
	    "%s: %d cells, largest deviation %.2f (bound %.2f; cell %d: %.0f, expected %.0f), mean square %.2f (bound %.2f)", what, n,
	    worst, bound, at, at < 0 ? 0 : c->o[at], at < 0 ? 0 : c->e[at], n > 0 ? square / n : 0, mean);
	free(c->o);
	free(c->e);
	free(c->v);
}

/* Shares of a whole: e holds weights, and the items of a cell come one by one. */
static void
set_shares(struct cells *c)
{
	double n = 0, sum = 0;

	for (int i = 0; i < c->n; i++) {
		n += c->o[i];
		sum += c->e[i];
	}
	for (int i = 0; i < c->n; i++) {
		double p = sum > 0 ? c->e[i] / sum : 0;

		c->e[i] = n * p;
		c->v[i] = n * p * (1 - p);
	}
}

/* One more of which a share is expected to be in a cell. */
static void
add(struct cells *c, int cell, int in, double share)
{
	c->o[cell] += in;
	c->e[cell] += share;
	c->v[cell] += share * (1 - share);
}

/* A value that stays between two others. */
static void
check_between(struct stats *x, const char *what, double value, double lo, double hi)
{
	tap(&x->tap, value >= lo && value <= hi, "%s: %.4g (between %.4g and %.4g)", what, value, lo, hi);
}

static void
check_none(struct stats *x, const char *what, size_t faults, size_t of)
{
	tap(&x->tap, faults == 0 && of > 0, "%s: %zu of %zu", what, faults, of);
}

/* ---- traffic: how much, when ---- */

static void
check_total(struct stats *x)
{
	size_t faults = 0;

	for (size_t i = 0; i < x->n; i++)
		faults += x->row[i].time < x->w.begin || x->row[i].time >= x->w.end || (i > 0 && x->row[i].time < x->row[i - 1].time);
	check_none(x, "outside of the time or out of order", faults, x->n);
	check_between(x, "requests of each that was asked for", (double)x->n / (double)x->w.requests, 1, 1);
}

/* Days have fixed quotas, so there is little chance in them: each `step` of days is within 0.5 % and three sessions. */
static void
check_days(struct stats *x, const char *what, int64_t step)
{
	int64_t first = clock_day(x->w.begin), days = clock_day(x->w.end - 1) - first + 1, at = 0;
	double *o = room((size_t)days, sizeof(*o)), *e = room((size_t)days, sizeof(*e)), sum = 0, worst = 0;

	for (size_t i = 0; i < x->nsessions; i++)
		o[(clock_day(x->session[i].start) - first) / step]++;
	for (int64_t d = 0; d < days; d++)
		for (int q = 0; q < 96; q++) {
			double one = x->total[clock_weekday(first + d) * 96 + q] * day_factor(x, first + d);

			e[d / step] += one;
			sum += one;
		}
	for (int64_t d = 0; d * step < days; d++) {
		double away;

		e[d] *= (double)x->nsessions / sum;
		away = (fabs(o[d] - e[d]) - 3) / e[d];
		if (away > worst) {
			worst = away;
			at = d;
		}
	}
	tap(&x->tap, worst < 0.005, "%s: largest deviation %.3f %% (bound 0.5 %%; number %lld: %.0f, expected %.0f)", what, worst * 100,
	    (long long)at, o[at], e[at]);
	free(o);
	free(e);
}

static void
check_peak(struct stats *x)
{
	double hour[HOURS] = { 0 }, low, high;

	for (size_t i = 0; i < x->n; i++)
		hour[x->row[i].time / CLOCK_HOUR % 24]++;
	low = high = hour[0];
	for (int h = 1; h < HOURS; h++) {
		low = hour[h] < low ? hour[h] : low;
		high = hour[h] > high ? hour[h] : high;
	}
	check_between(x, "busiest hour of the day to quietest", high / low, 3, 5);
}

/* Variance to mean of counts a minute, around the mean of their hour: 1 for requests that know nothing of each other. */
static void
check_bursts(struct stats *x)
{
	double square = 0;
	size_t i = 0;

	while (i < x->n) {
		int64_t hour = x->row[i].time / CLOCK_HOUR;
		double count[60] = { 0 }, mean = 0;

		for (; i < x->n && x->row[i].time / CLOCK_HOUR == hour; i++) {
			mean += 1.0 / 60;
			count[x->row[i].time / CLOCK_MINUTE % 60]++;
		}
		for (int m = 0; m < 60; m++)
			square += (count[m] - mean) * (count[m] - mean) * 60 / 59;
	}
	check_between(x, "variance to mean of requests a minute", square / (double)x->n, 2, 10);
}

static void
traffic(struct stats *x)
{
	check_total(x);
	check_days(x, "sessions a day", 1);
	check_days(x, "sessions in thirty days", 30);
	check_peak(x);
	check_bursts(x);
}

/* ---- who: personas, homes, clocks ---- */

static void
check_personas(struct stats *x)
{
	struct cells c = cells(x->c->npersonas);

	for (size_t i = 0; i < x->nsessions; i++)
		c.o[x->session[i].persona]++;
	for (int i = 0; i < c.n * x->c->nplaces; i++)
		for (int q = 0; q < TIMELINE_WEEK; q++)
			c.e[i / x->c->nplaces] += x->week[i][q] * x->days[q];
	set_shares(&c);
	check_cells(x, "personas by users and activity", &c);
}

static int
by_user(const void *a, const void *b)
{
	const struct session *p = a, *q = b;

	return p->user != q->user ? (p->user < q->user ? -1 : 1) : p->start < q->start ? -1 : p->start > q->start;
}

/*
 * Sessions in groups (a user's are all in one), each over the cells of its group; e holds weights. The error is that of clusters by user.
 */
static void
check_shape(struct stats *x, const char *what, int groups, int each,
    void (*where)(const struct stats *, const struct session *, int *, int *), struct cells *c)
{
	double *mine = room((size_t)each, sizeof(*mine));
	int group = 0, cell = 0;

	for (int g = 0; g < groups; g++) {
		double sum = 0;

		for (int i = 0; i < each; i++)
			sum += c->e[g * each + i];
		for (int i = 0; i < each && sum > 0; i++)
			c->e[g * each + i] /= sum;
	}
	for (size_t i = 0, j; i < x->nsessions; i = j) {
		double n = 0;

		memset(mine, 0, (size_t)each * sizeof(*mine));
		for (j = i; j < x->nsessions && x->session[j].user == x->session[i].user; j++) {
			where(x, &x->session[j], &group, &cell);
			mine[cell]++;
			n++;
		}
		for (int k = 0; k < each; k++) {
			double away = mine[k] - n * c->e[group * each + k];

			c->o[group * each + k] += mine[k];
			c->v[group * each + k] += away * away;
		}
	}
	for (int g = 0; g < groups; g++) {
		double n = 0;

		for (int i = 0; i < each; i++)
			n += c->o[g * each + i];
		for (int i = 0; i < each; i++)
			c->e[g * each + i] *= n;
	}
	free(mine);
	c->linked = 1;
	check_cells(x, what, c);
}

/* The first persona with the same list. */
static int
same_day(const struct catalog *c, int persona)
{
	int i = 0;

	while (memcmp(c->persona[i].day, c->persona[persona].day, sizeof(c->persona[i].day)) != 0)
		i++;
	return i;
}

static int
same_week(const struct catalog *c, int persona)
{
	int i = 0;

	while (memcmp(c->persona[i].week, c->persona[persona].week, sizeof(c->persona[i].week)) != 0)
		i++;
	return i;
}

static void
where_hour(const struct stats *x, const struct session *s, int *group, int *cell)
{
	*group = same_day(x->c, s->persona) * x->c->nplaces + s->place;
	*cell = (int)(s->start / CLOCK_HOUR % 24);
}

static void
where_weekday(const struct stats *x, const struct session *s, int *group, int *cell)
{
	*group = same_week(x->c, s->persona);
	*cell = clock_weekday(clock_day(s->start));
}

static void
where_place(const struct stats *x, const struct session *s, int *group, int *cell)
{
	(void)x;
	*group = 0;
	*cell = s->place;
}

static void
check_shapes(struct stats *x)
{
	const struct catalog *c = x->c;
	struct cells hours = cells(c->npersonas * c->nplaces * HOURS), weekdays = cells(c->npersonas * 7), places = cells(c->nplaces);

	for (int i = 0; i < c->npersonas; i++)
		for (int p = 0; p < c->nplaces; p++) {
			places.e[p] += x->weight[i] * c->persona[i].place[p];
			for (int q = 0; q < TIMELINE_WEEK; q++) {
				double e = x->week[i * c->nplaces + p][q] * x->days[q];

				hours.e[(same_day(c, i) * c->nplaces + p) * HOURS + q / 4 % 24] += e;
				weekdays.e[same_week(c, i) * 7 + q / 96] += e;
			}
		}
	qsort(x->session, x->nsessions, sizeof(*x->session), by_user);
	check_shape(x, "hours of the day on the clocks at home, by list and place", c->npersonas * c->nplaces, HOURS, where_hour, &hours);
	check_shape(x, "weekdays, by list", c->npersonas, 7, where_weekday, &weekdays);
	check_shape(x, "places where users are at home", 1, c->nplaces, where_place, &places);
}

static void
check_home(struct stats *x)
{
	int16_t *place = room(x->users.n, sizeof(*place)), *persona = room(x->users.n, sizeof(*persona));
	size_t moved = 0, changed = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];

		moved += place[r->user] != 0 && place[r->user] != r->place + 1;
		changed += persona[r->user] != 0 && persona[r->user] != r->persona + 1;
		place[r->user] = (int16_t)(r->place + 1);
		persona[r->user] = (int16_t)(r->persona + 1);
	}
	check_none(x, "requests of a user from elsewhere than before", moved, x->n);
	check_none(x, "requests of a user as another persona than before", changed, x->n);
	free(place);
	free(persona);
}

static int
descending(const void *a, const void *b)
{
	double p = *(const double *)a, q = *(const double *)b;

	return p < q ? 1 : p > q ? -1 : 0;
}

/*
 * Slope of log frequency over log rank: means of octaves of ranks, added to sums over x, y, xx, xy and how many. The last octaves have few
 * to a rank.
 */
static void
add_slope(double *count, size_t n, double least, double *sum)
{
	double mx = 0, my = 0, xx = 0, xy = 0;
	int k = 0;

	qsort(count, n, sizeof(*count), descending);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t r = 1, o = 0; r * 2 <= n + 1; r *= 2, o++) {
			double mean = 0, y;

			for (size_t i = r; i < 2 * r; i++)
				mean += count[i - 1] / (double)r;
			if (mean < least)
				break;
			y = num_log(mean) / num_log(2);
			if (pass == 0) {
				mx += (double)o;
				my += y;
				k++;
			} else {
				xx += ((double)o - mx / k) * ((double)o - mx / k);
				xy += ((double)o - mx / k) * (y - my / k);
			}
		}
	}
	sum[0] += xx;
	sum[1] += xy;
}

/* Popularity of a persona's users, among all of them. Users who joined late and what chance does to rare ones steepen it a little. */
static void
check_zipf(struct stats *x)
{
	double *count = room(x->users.n, sizeof(*count)), *mine = room(x->users.n, sizeof(*mine)), sum[2] = { 0 };
	int *persona = room(x->users.n, sizeof(*persona));

	for (size_t i = 0; i < x->nsessions; i++) {
		count[x->session[i].user]++;
		persona[x->session[i].user] = x->session[i].persona + 1;
	}
	for (int p = 0; p < x->c->npersonas; p++) {
		size_t n = 0;

		for (uint32_t u = 0; u < x->users.n; u++)
			if (persona[u] == p + 1)
				mine[n++] = count[u];
		add_slope(mine, n, 5, sum);
	}
	check_between(
	    x, "slope of users' activity over their rank, less that of the catalog", -sum[1] / sum[0] - x->c->set.user_zipf, -0.15, 0.15);
	free(count);
	free(mine);
	free(persona);
}

static void
check_targets(struct stats *x)
{
	double *count = room(x->users.n, sizeof(*count)), top = 0;
	size_t self = 0, all = 0, n = 0, best;

	for (size_t i = 0; i < x->n; i++)
		if (x->row[i].target != UINT32_MAX) {
			all++;
			self += x->row[i].target == x->row[i].user;
			count[x->row[i].target]++;
		}
	check_none(x, "users who are their own target", self, all);
	qsort(count, x->users.n, sizeof(*count), descending);
	while (n < x->users.n && count[n] > 0)
		n++;
	best = n / 100;
	for (size_t i = 0; i < best; i++)
		top += count[i] / (double)best;
	check_between(x, "the top 1 % of targets to the median one", n < 200 ? 0 : top / count[n / 2], 10, 200);
	free(count);
}

static void
who(struct stats *x)
{
	check_personas(x);
	check_shapes(x);
	check_home(x);
	check_zipf(x);
	check_targets(x);
}

/* ---- actions ---- */

enum { FIRST = 1, LAST = 2, ONCE = 4 };

static int
role_of(const struct catalog *c, int op)
{
	int role = 0;

	for (int i = 0; i < c->set.nfirst; i++)
		role |= c->set.first[i] == op ? FIRST : 0;
	for (int i = 0; i < c->set.nlast; i++)
		role |= c->set.last[i] == op ? LAST : 0;
	for (int i = 0; i < c->set.nonce; i++)
		role |= c->set.once[i] == op ? ONCE | LAST : 0;
	return role;
}

static int
same_mix(const struct catalog *c, int persona)
{
	int i = 0;

	while (memcmp(c->persona[i].op_weight, c->persona[persona].op_weight, (size_t)c->nops * sizeof(double)) != 0)
		i++;
	return i;
}

/*
 * What a session of n requests is expected to hold of each action: what stands only first or last comes once at most, as often as a
 * session would have one at all; the others share the rest.
 */
static void
expect_actions(const struct stats *x, int mix, uint32_t n, double *e)
{
	const double *weight = x->c->persona[mix].op_weight;
	double share[3] = { 0 }, want[3] = { 0 }, none[3] = { 1, 1, 1 };

	for (int o = 0; o < x->c->nops; o++)
		share[role_of(x->c, o) & 3] += weight[o];
	for (int k = FIRST; k <= LAST; k++) {
		for (uint32_t i = 0; i < n; i++)
			none[k] *= 1 - share[k];
		want[k] = 1 - none[k];
	}
	want[0] = n - want[FIRST] - want[LAST];
	for (int o = 0; o < x->c->nops; o++)
		if (weight[o] > 0)
			e[o] += want[role_of(x->c, o) & 3] * weight[o] / share[role_of(x->c, o) & 3];
}

/* What the sessions of each mix are expected to hold; n: their requests. */
static void
expect_mixes(const struct stats *x, double *e, double *n)
{
	const struct catalog *c = x->c;
	double(*length)[SIM_POSITIONS] = room((size_t)c->npersonas, sizeof(*length)), *one = room((size_t)c->nops, sizeof(*one));

	for (size_t i = 0; i < x->nsessions; i++)
		length[same_mix(c, x->session[i].persona)][(x->session[i].n - 1) % SIM_POSITIONS]++;
	for (int m = 0; m < c->npersonas; m++)
		for (uint32_t k = 0; k < SIM_POSITIONS; k++) {
			if (length[m][k] == 0)
				continue;
			memset(one, 0, (size_t)c->nops * sizeof(*one));
			expect_actions(x, m, k + 1, one);
			for (int o = 0; o < c->nops; o++)
				e[m * c->nops + o] += one[o] * length[m][k];
			n[m] += (k + 1) * length[m][k];
		}
	free(length);
	free(one);
}

static void
actions(struct stats *x)
{
	const struct catalog *c = x->c;
	struct cells each = cells(c->npersonas * c->nops), groups = cells(c->npersonas * c->nops), all = cells(c->nops);
	double *n = room((size_t)c->npersonas, sizeof(*n));

	for (size_t i = 0; i < x->n; i++)
		each.o[same_mix(c, x->row[i].persona) * c->nops + x->row[i].op]++;
	expect_mixes(x, each.e, n);
	for (int i = 0; i < each.n; i++) {
		int m = i / c->nops, o = i % c->nops, first = 0;

		while (strcmp(c->op[first].category, c->op[o].category) != 0)
			first++;
		each.v[i] = n[m] > 0 ? each.e[i] * (1 - each.e[i] / n[m]) : 0;
		groups.o[m * c->nops + first] += each.o[i];
		groups.e[m * c->nops + first] += each.e[i];
		all.o[o] += each.o[i];
		all.e[o] += each.e[i];
		all.v[o] += each.v[i];
	}
	for (int i = 0; i < groups.n; i++)
		groups.v[i] = n[i / c->nops] > 0 ? groups.e[i] * (1 - groups.e[i] / n[i / c->nops]) : 0;
	check_cells(x, "actions", &all);
	check_cells(x, "categories by mix of the persona", &groups);
	check_cells(x, "actions by mix of the persona", &each);
	free(n);
}

/* ---- ends: success, codes, levels ---- */

/* The longest a request can take is rare and no failure of the catalog's rates. */
static int
is_capped(const struct stats *x, const struct row *r)
{
	return (double)r->us >= x->c->set.cap_ms * 1000;
}

/* The first persona of the same class. */
static int
same_class(const struct catalog *c, int persona)
{
	int i = 0;

	while (strcmp(c->persona[i].class, c->persona[persona].class) != 0)
		i++;
	return i;
}

static void
check_success(struct stats *x)
{
	const struct catalog *c = x->c;
	struct cells personas = cells(c->npersonas), classes = cells(c->npersonas), places = cells(c->nplaces);
	size_t capped = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];
		double p = c->persona[r->persona].error_rate * c->place[r->place].errors;

		if (is_capped(x, r)) {
			capped++;
			continue;
		}
		add(&personas, r->persona, !r->ok, p);
		add(&classes, same_class(c, r->persona), !r->ok, p);
		add(&places, r->place, !r->ok, p);
	}
	check_cells(x, "failures by persona", &personas);
	check_cells(x, "failures by class of persona", &classes);
	check_cells(x, "failures by place", &places);
	check_between(x, "share of requests that reached the longest time", (double)capped / (double)x->n, 0, 0.0005);
}

/* Can a code end a request that reads, or writes? Other conditions than these are not expected here. */
static int
code_fits(const struct catalog_code *c, int write)
{
	for (int i = 0; i < c->when.n; i++) {
		const struct catalog_term *t = &c->when.term[i];

		if (t->flag != FLAG_READ && t->flag != FLAG_WRITE)
			errx(2, "code %s: condition other than read or write", c->code);
		if ((t->flag == FLAG_WRITE) == t->negated ? write : !write)
			return 0;
	}
	return c->http >= 400;
}

static void
check_codes(struct stats *x)
{
	const struct catalog *c = x->c;
	struct cells k = cells(2 * c->ncodes);

	for (int w = 0; w < 2; w++) {
		struct cells half = { c->ncodes, 0, k.o + w * c->ncodes, k.e + w * c->ncodes, k.v + w * c->ncodes };

		for (size_t i = 0; i < x->n; i++) {
			const struct row *r = &x->row[i];

			if (!r->ok && r->code >= 0 && !is_capped(x, r) && (c->op[r->op].write == WRITE_YES) == w)
				half.o[r->code]++;
		}
		for (int i = 0; i < c->ncodes; i++)
			half.e[i] = code_fits(&c->code[i], w) ? c->code[i].weight : 0;
		set_shares(&half);
	}
	check_cells(x, "codes of failures, of reads and of writes", &k);
}

static void
levels(struct stats *x)
{
	size_t wrong = 0, failed = 0, other = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];
		int http = r->code < 0 ? 0 : x->c->code[r->code].http, is_error = http >= 500 || r->source == FROM_INFRASTRUCTURE;

		failed += !r->ok;
		wrong += r->ok ? r->level != 'I' || r->code >= 0 || r->source != FROM_NOTHING : r->level != (is_error ? 'E' : 'W');
		other += !r->ok && (http < 400 || r->source == FROM_NOTHING);
	}
	check_none(x, "5xx and infrastructure ERROR, 4xx WARN, success INFO: others", wrong, failed);
	check_none(x, "failures without code or source", other, failed);
}

static void
ends(struct stats *x)
{
	check_success(x);
	check_codes(x);
}

/* ---- latency ---- */

/* Duration as a multiple of the median that it should have, all factors known. */
static double
relative(const struct stats *x, const struct row *r)
{
	return (double)r->us /
	    (x->c->op[r->op].latency.a * 1000 * x->persona_latency[r->persona] * x->place_latency[r->place] * x->load[quarter_of(r->time)]);
}

static void
check_medians(struct stats *x)
{
	const struct catalog *c = x->c;
	struct cells ops = cells(c->nops), tails = cells(c->nops), codes = cells(c->ncodes), hours = cells(HOURS);
	struct cells personas = cells(c->npersonas), classes = cells(c->npersonas), places = cells(c->nplaces);

	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];
		double v = relative(x, r);

		if (r->code >= 0 && c->code[r->code].http < 500)
			add(&codes, r->code, v < c->code[r->code].latency, 0.5);
		if (!r->ok)
			continue;
		add(&ops, r->op, v < 1, 0.5);
		add(&tails, r->op, v > c->op[r->op].latency.b / c->op[r->op].latency.a, 0.01);
		add(&personas, r->persona, v < 1, 0.5);
		add(&classes, same_class(c, r->persona), v < 1, 0.5);
		add(&places, r->place, v < 1, 0.5);
		add(&hours, (int)(r->time / CLOCK_HOUR % 24), v < 1, 0.5);
	}
	check_cells(x, "below the median of their action", &ops);
	check_cells(x, "above the 99th percentile of their action", &tails);
	check_cells(x, "below the median, by persona", &personas);
	check_cells(x, "below the median, by class of persona", &classes);
	check_cells(x, "below the median, by place", &places);
	check_cells(x, "below the median, by hour and so by load", &hours);
	check_cells(x, "4xx below the median, by code", &codes);
}

static int
by_length(const void *a, const void *b)
{
	const struct row *p = *(const struct row *const *)a, *q = *(const struct row *const *)b;

	return p->op != q->op ? p->op - q->op : p->us < q->us ? -1 : p->us > q->us;
}

/* As they stand in the data, without dividing by anything. */
static void
check_spread(struct stats *x)
{
	const struct row **r = room(x->n, sizeof(*r));
	double low = 100, high = 0;

	for (size_t i = 0; i < x->n; i++)
		r[i] = &x->row[i];
	qsort(r, x->n, sizeof(*r), by_length);
	for (size_t i = 0, j; i < x->n; i = j) {
		size_t high_at, half_at;
		double ratio;

		for (j = i; j < x->n && r[j]->op == r[i]->op; j++)
			;
		if (j - i < 1000)
			continue;
		high_at = i + (j - i) * 99 / 100;
		half_at = i + (j - i) / 2;
		ratio = (double)r[high_at]->us / (double)r[half_at]->us;
		low = ratio < low ? ratio : low;
		high = ratio > high ? ratio : high;
	}
	tap(&x->tap, low >= 2 && high <= 10, "99th percentile to median of an action: %.2f to %.2f (between 2 and 10)", low, high);
	free(r);
}

static int
busiest(const struct stats *x)
{
	size_t *n = room((size_t)x->c->nops, sizeof(*n));
	int best = 0;

	for (size_t i = 0; i < x->n; i++)
		n[x->row[i].op] += x->row[i].ok;
	for (int o = 1; o < x->c->nops; o++)
		best = n[o] > n[best] ? o : best;
	free(n);
	return best;
}

/* Kolmogorov and Smirnov's distance at the percentiles of a log-normal body. */
static void
check_body(struct stats *x)
{
	int op = busiest(x);
	double sd = num_log(x->c->op[op].latency.b / x->c->op[op].latency.a) / num_normal_quantile(0.99), edge[100], count[101] = { 0 },
	       n = 0, sum = 0, worst = 0, bound;

	for (int i = 1; i < 100; i++)
		edge[i] = num_exp(sd * num_normal_quantile(i / 100.0));
	for (size_t i = 0; i < x->n; i++) {
		int at = 1;
		double v;

		if (!x->row[i].ok || x->row[i].op != op)
			continue;
		v = relative(x, &x->row[i]);
		while (at < 100 && v >= edge[at])
			at++;
		count[at]++;
		n++;
	}
	for (int i = 1; i < 100; i++) {
		sum += count[i];
		worst = fabs(sum / n - i / 100.0) > worst ? fabs(sum / n - i / 100.0) : worst;
	}
	bound = 2.7 / sqrt(n); /* of n draws chance exceeds it once in a million times */
	tap(&x->tap, worst <= bound, "body of %s as a log-normal: largest distance %.5f (bound %.5f)", x->c->op[op].name, worst, bound);
}

/*
 * Hill's estimator above the 99th percentiles; what lies above four times them counts as such, so the longest time allowed does not
 * matter.
 */
static void
check_tail(struct stats *x)
{
	double sum = 0, n = 0, alpha = x->c->set.tail_alpha, found, bound;

	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];
		double b = x->c->op[r->op].latency.b, v = relative(x, r) * x->c->op[r->op].latency.a / b;

		if (!r->ok || b * 8 > x->c->set.cap_ms || v <= 1)
			continue;
		sum += num_log(v < 4 ? v : 4);
		n += v < 4;
	}
	found = n / sum;
	bound = 4.5 * alpha / sqrt(n) + 0.03 * alpha;
	tap(&x->tap, n > 0 && fabs(found - alpha) <= bound, "index of the tail: %.3f of %.0f (expected %.3f, bound %.3f)", found, n, alpha,
	    bound);
}

static void
latency(struct stats *x)
{
	check_medians(x);
	check_spread(x);
	check_body(x);
	check_tail(x);
}

/* ---- sizes, cache, queries ---- */

/* Sizes are whole bytes, so half of them lie below the median give or take one byte. */
static void
check_bytes(struct stats *x, int response)
{
	const struct catalog *c = x->c;
	struct cells down = cells(c->nops), up = cells(c->nops);

	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];
		const struct catalog_dist *d = response ? &c->op[r->op].response_bytes : &c->op[r->op].request_bytes;
		double bytes = response ? r->response : r->request;

		if (d->kind != DIST_LOGNORMAL || (response && !r->ok))
			continue;
		add(&down, r->op, bytes < d->a - 1, 0.5);
		add(&up, r->op, bytes < d->a + 1, 0.5);
	}
	for (int i = 0; i < c->nops; i++) {
		if (down.o[i] < down.e[i])
			down.o[i] = up.o[i] > up.e[i] ? up.e[i] : up.o[i];
	}
	check_cells(x, response ? "responses below the median of bytes" : "requests below the median of bytes", &down);
	free(up.o);
	free(up.e);
	free(up.v);
}

static void
check_cache(struct stats *x)
{
	struct cells hits = cells(x->c->nops + 1), queries = cells(8);
	double n[2] = { 0 }, quick[2] = { 0 };
	size_t wrong = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];
		int write = x->c->op[r->op].write == WRITE_YES;

		if (!r->ok)
			continue;
		wrong += write ? r->cache != -1 : r->cache == -1 || (r->cache == 1) != (r->queries == 0);
		if (r->cache >= 0) {
			add(&hits, r->op, r->cache, x->c->set.cache_hit);
			add(&hits, x->c->nops, r->cache, x->c->set.cache_hit);
			n[r->cache]++;
			quick[r->cache] += relative(x, r) < 1;
		}
		if (r->cache != 1)
			queries.o[r->queries < 8 ? r->queries : 7]++;
	}
	check_cells(x, "hits of the cache, by action and of all", &hits);
	check_none(x, "hits with queries, misses without, writes with a cache", wrong, x->n);
	check_between(x, "share of hits below the median latency, less that of misses", quick[1] / n[1] - quick[0] / n[0], 0.2, 0.6);
	for (int i = 0; i < 8; i++)
		queries.e[i] = i >= x->c->set.db_queries.a && i <= x->c->set.db_queries.b;
	set_shares(&queries);
	check_cells(x, "queries that the cache did not spare", &queries);
}

static void
sizes(struct stats *x)
{
	check_bytes(x, 0);
	check_bytes(x, 1);
	check_cache(x);
}

/* ---- sessions ---- */

/* Every session has one user, persona and place; lengths have mean 8. */
static void
check_lengths(struct stats *x)
{
	size_t mixed = 0, longest = 0;

	for (size_t i = 0; i < x->nsessions; i++) {
		const struct session *s = &x->session[i];

		for (uint32_t j = 0; j < s->n; j++) {
			const struct row *r = &x->row[x->byk[s->first + j]];

			mixed += r->user != s->user || r->place != s->place || r->persona != s->persona;
		}
		longest = s->n > longest ? s->n : longest;
	}
	check_none(x, "requests of a session by another user, persona or place", mixed, x->n);
	check_between(x, "requests of a session", (double)x->n / (double)x->nsessions, 7.95, 8.01);
	check_between(x, "requests of the longest session", (double)longest, 30, 57);
}

/* Half of the pauses that are not above 28 s, of a log-normal with spread 0.8, lie below this. */
static double
middle_pause(const struct stats *x)
{
	double lo = 0, hi = 1, median = x->c->set.session_gap_s;

	for (int i = 0; i < 60; i++) {
		double mid = (lo + hi) / 2;

		if (num_normal_quantile(mid) < num_log(28 / median) / 0.8)
			lo = mid;
		else
			hi = mid;
	}
	return median * num_exp(0.8 * num_normal_quantile(lo / 2));
}

static void
check_pauses(struct stats *x)
{
	double middle = middle_pause(x) * (double)CLOCK_SECOND;
	struct cells c = cells(1);
	size_t wrong = 0, n = 0;

	for (size_t i = 1; i < x->n; i++) {
		const struct row *a = &x->row[x->byk[i - 1]], *b = &x->row[x->byk[i]];

		if (a->k >> 6 != b->k >> 6)
			continue;
		n++;
		wrong += b->time <= a->time || b->time - a->time > 28 * CLOCK_SECOND;
		if (a->time < x->w.end - 2 * SIM_SESSION_MAX) /* later ones are pressed together, to end in time */
			add(&c, 0, (double)(b->time - a->time) < middle, 0.5);
	}
	check_none(x, "pauses in sessions of nothing or above 28 s", wrong, n);
	check_cells(x, "pauses in sessions below their median", &c);
}

static void
check_roles(struct stats *x)
{
	size_t late = 0, early = 0, n[2] = { 0 };

	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[x->byk[i]];
		int role = role_of(x->c, r->op), first = i == 0 || x->row[x->byk[i - 1]].k >> 6 != r->k >> 6,
		    end = i + 1 == x->n || x->row[x->byk[i + 1]].k >> 6 != r->k >> 6;

		n[0] += (role & FIRST) != 0;
		n[1] += (role & LAST) != 0;
		late += (role & FIRST) != 0 && !first;
		early += (role & LAST) != 0 && !end;
	}
	check_none(x, "actions that open a session elsewhere in one", late, n[0]);
	check_none(x, "actions that end a session before its end", early, n[1]);
}

/* Needs a catalog in which that is not as rare as it should be. */
static void
leaving(struct stats *x)
{
	uint8_t *left = room(x->users.n, sizeof(*left));
	size_t again = 0, n = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];

		again += left[r->user];
		if (role_of(x->c, r->op) & ONCE) {
			left[r->user] = 1;
			n++;
		}
	}
	check_none(x, "requests of users who had left", again, n);
	free(left);
}

static void
sessions(struct stats *x)
{
	check_lengths(x);
	check_pauses(x);
	check_roles(x);
}

/* ---- objects ---- */

struct object {
	uint32_t uses, ends, maker;
	uint8_t made;
};

static void
check_lives(struct stats *x, struct object *thing)
{
	size_t early = 0, made = 0, ends = 0, shared = 0;
	int *makers = room((size_t)x->c->nobjects, sizeof(*makers));
	double uses[2] = { 0 }, known[2] = { 0 };

	for (int o = 0; o < x->c->nops; o++)
		if (x->c->op[o].object == OBJECT_NEW)
			makers[x->c->op[o].type] = 1;
	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];
		enum catalog_object kind = x->c->op[r->op].object;
		int late = i >= x->n / 2;
		struct object *p;

		if (r->object == UINT32_MAX)
			continue;
		p = &thing[r->object];
		if (kind == OBJECT_NEW) {
			early += p->uses > 0 || p->made;
			made++;
			p->made = 1;
		} else if (kind == OBJECT_USE) {
			if (makers[x->c->op[r->op].type] && (late || i < x->n / 100)) {
				uses[late]++;
				known[late] += p->made;
			}
		} else {
			p->ends++;
			ends++;
		}
		p->uses++;
	}
	for (uint32_t i = 0; i < x->objects.n; i++)
		shared += thing[i].ends > 0 && thing[i].uses > 1;
	check_none(x, "things that were named before they were made", early, made);
	check_none(x, "things that were deleted and named by another request", shared, ends);
	check_between(x, "uses of things made in the data, second half", known[1] / uses[1], 0.9, 1);
	check_between(x, "the same, less that of the first hundredth", known[1] / uses[1] - known[0] / uses[0], 0.05, 1);
	free(makers);
}

/* Popularity of the things of the most used kind; picked evenly from all that were made, they would have a slope below 0.3. */
static void
check_popular(struct stats *x, const struct object *o)
{
	int type = 0, *of = room(x->objects.n, sizeof(*of));
	double *count = room(x->objects.n, sizeof(*count)), sum[2] = { 0 }, *uses = room((size_t)x->c->nobjects, sizeof(*uses));
	size_t n = 0;

	for (size_t i = 0; i < x->n; i++)
		if (x->row[i].object != UINT32_MAX) {
			of[x->row[i].object] = x->c->op[x->row[i].op].type;
			uses[x->c->op[x->row[i].op].type]++;
		}
	for (int t = 1; t < x->c->nobjects; t++)
		type = uses[t] > uses[type] ? t : type;
	for (uint32_t i = 0; i < x->objects.n; i++)
		if (of[i] == type)
			count[n++] = o[i].uses;
	add_slope(count, n, 5, sum);
	check_between(x, "slope of the popularity of things over their rank", -sum[1] / sum[0], 0.5, 1.1);
	free(of);
	free(count);
	free(uses);
}

static void
objects(struct stats *x)
{
	struct object *o = room(x->objects.n, sizeof(*o));

	check_lives(x, o);
	check_popular(x, o);
	free(o);
}

/* ---- joins: needs a year of many requests of few users ---- */

/*
 * First sessions of users who come often, 80 times a year or more. Before 4 % of the time come those who were there from the beginning and
 * a few others; then as many at any time. Who joins in the last fifth may not have been seen often enough.
 */
static void
joins(struct stats *x)
{
	const double soon = 0.04, late = 0.8;
	double *first = room(x->users.n, sizeof(*first)), *count = room(x->users.n, sizeof(*count)), n = 0, there = 0, came = 0, before = 0,
	       share, p;

	for (size_t i = 0; i < x->nsessions; i++) {
		uint32_t u = x->session[i].user;
		double at = (double)(x->session[i].start - x->w.begin) / (double)(x->w.end - x->w.begin);

		if (count[u]++ == 0 || at < first[u])
			first[u] = at;
	}
	for (uint32_t u = 0; u < x->users.n; u++) {
		if (count[u] == 0 || first[u] >= late || count[u] / (1 - first[u]) < 80)
			continue;
		n++;
		there += first[u] < soon;
		came += first[u] >= soon;
		before += first[u] >= soon && first[u] < (soon + late) / 2;
	}
	share = x->c->set.founders + (1 - x->c->set.founders) * soon;
	share /= x->c->set.founders + (1 - x->c->set.founders) * late;
	p = 4.5 * sqrt(share * (1 - share) / n);
	check_between(x, "share of users who were there from the beginning", there / n, share - p, share + p);
	p = 2.25 / sqrt(came);
	check_between(x, "of those who joined later, share in the first half", came > 0 ? before / came : 0, 0.5 - p, 0.5 + p);
	free(first);
	free(count);
}

/* ---- rollouts ---- */

struct window {
	const struct world_rollout *r;
	double in, around, errors;
};

struct windows {
	struct window *w;
	int n;
	int64_t longest;
};

static int
by_deployment(const void *a, const void *b)
{
	const struct world_rollout *p = ((const struct window *)a)->r, *q = ((const struct window *)b)->r;

	if (p->service != q->service || p->place != q->place)
		return p->service != q->service ? p->service - q->service : p->place - q->place;
	return p->start < q->start ? -1 : p->start > q->start;
}

static struct windows
open_windows(const struct stats *x)
{
	struct windows w = { room((size_t)x->w.nrollouts, sizeof(*w.w)), x->w.nrollouts, 0 };

	for (int i = 0; i < w.n; i++) {
		w.w[i].r = &x->w.rollout[i];
		if (w.w[i].r->end - w.w[i].r->start > w.longest)
			w.longest = w.w[i].r->end - w.w[i].r->start;
	}
	qsort(w.w, (size_t)w.n, sizeof(*w.w), by_deployment);
	return w;
}

/* The first window of a deployment that starts after a moment. */
static int
window_after(const struct windows *w, int service, int place, int64_t t)
{
	struct world_rollout r = { .service = service, .place = place, .start = t + 1 };
	struct window key = { .r = &r };
	int lo = 0, hi = w->n;

	while (lo < hi) {
		int mid = lo + (hi - lo) / 2;

		if (by_deployment(&w->w[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The window that a moment lies in; NULL. *around: the one that it lies just outside of, by at most its length. */
static struct window *
window_at(const struct windows *w, int service, int place, int64_t t, struct window **around)
{
	*around = NULL;
	for (int i = window_after(w, service, place, t + w->longest) - 1; i >= 0; i--) {
		struct window *x = &w->w[i];
		int64_t length = x->r->end - x->r->start;

		if (x->r->service != service || x->r->place != place || x->r->start < t - 2 * w->longest)
			break;
		if (t >= x->r->start && t < x->r->end)
			return x;
		if (t >= x->r->start - length && t < x->r->end + length)
			*around = x;
	}
	return NULL;
}

/* A sum over windows against what it should be, in standard errors of windows. */
static void
check_windows(struct stats *x, const char *what, double o, double e, double v, double raw)
{
	double z = v > 0 ? (o - e) / sqrt(v) : 1e9;

	tap(&x->tap, fabs(z) < 4.9 && e > 100, "%s: %.3f of what is expected from %.0f, %.2f standard errors (bound 4.90); ratio %.4f",
	    what, o / e, e, z, raw);
}

static void
check_throughput(struct stats *x, const struct windows *w)
{
	double o = 0, e = 0, v = 0, around = 0, failed = 0, expected = 0;

	for (int i = 0; i < w->n; i++) {
		const struct window *y = &w->w[i];
		double away = y->in - y->around / 2 * y->r->traffic;

		o += y->in;
		e += y->around / 2 * y->r->traffic;
		around += y->around / 2;
		v += away * away;
		failed += y->errors;
		expected += y->in * y->r->errors;
	}
	check_windows(x, "throughput in rollouts", o, e, v, o / around);
	check_windows(x, "failures in rollouts", failed, expected, expected, failed / o);
}

static void
rollouts(struct stats *x)
{
	struct windows w = open_windows(x);
	struct cells c = cells(1);
	size_t strays = 0, deployment = 0;
	double in[2] = { 0 };

	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];
		struct window *around, *y = window_at(&w, r->service, r->place, r->time, &around);

		deployment += r->source == FROM_DEPLOYMENT;
		strays += r->source == FROM_DEPLOYMENT && y == NULL;
		if (y != NULL) {
			y->in++;
			y->errors += r->source == FROM_DEPLOYMENT;
			in[0] += r->ok && relative(x, r) < 1;
			in[1] += r->ok;
			if (r->ok)
				add(&c, 0, relative(x, r) < y->r->latency, 0.5);
		} else if (around != NULL) {
			around->around++;
		}
	}
	check_throughput(x, &w);
	check_none(x, "failures by rollouts outside of any", strays, deployment);
	check_cells(x, "requests in rollouts below the median times the rollout's factor", &c);
	check_between(x, "requests in rollouts below the median without", in[0] / in[1], 0.15, 0.4);
	free(w.w);
}

/* ---- spans ---- */

struct span {
	uint64_t what;
	int64_t us;
	double factor; /* of the rollout it is in; 0: none */
};

static int
by_what(const void *a, const void *b)
{
	const struct span *p = a, *q = b;

	if (p->what != q->what)
		return p->what < q->what ? -1 : 1;
	if ((p->factor != 0) != (q->factor != 0))
		return p->factor != 0 ? 1 : -1;
	return p->us < q->us ? -1 : p->us > q->us;
}

/* Spans of a service that is being rolled out against others of the same name, as multiples of the median of these. */
static void
spans(struct stats *x)
{
	struct windows w = open_windows(x);
	struct span *s = room(x->n, sizeof(*s));
	double *ratio = room(x->n, sizeof(*ratio)), *factor = room(x->n, sizeof(*factor));
	size_t n = 0, k = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct row *r = &x->row[i];
		struct window *around, *y = window_at(&w, r->service, r->place, r->time, &around);

		if (r->ok)
			s[n++] = (struct span){ r->what, r->us, y != NULL ? y->r->latency : 0 };
	}
	qsort(s, n, sizeof(*s), by_what);
	for (size_t i = 0, j; i < n; i = j) {
		size_t out = i, half;

		for (j = i; j < n && s[j].what == s[i].what; j++)
			out += s[j].factor == 0;
		half = i + (out - i) / 2;
		for (size_t m = out; m < j && out - i >= 100; m++) {
			ratio[k] = (double)s[m].us / (double)s[half].us;
			factor[k++] = s[m].factor;
		}
	}
	qsort(ratio, k, sizeof(*ratio), descending);
	qsort(factor, k, sizeof(*factor), descending);
	if (k > 0)
		check_between(x, "median slowness of spans in rollouts", ratio[k / 2], factor[k / 2] * (1 - 4.5 / sqrt((double)k)),
		    factor[k / 2] * (1 + 4.5 / sqrt((double)k)) + 0.02);
	free(w.w);
	free(s);
	free(ratio);
	free(factor);
}

static void
depth(struct stats *x)
{
	size_t roots = 0;

	for (size_t i = 0; i < x->n; i++)
		roots += !x->row[i].child;
	check_between(x, "spans of a request", (double)x->n / (double)roots, 2.67, 2.71);
}

static _Noreturn void
usage(void)
{
	(void)fprintf(stderr, "usage: stats [-c catalog] [-g groups] world\n");
	exit(2);
}

static void
open_world(struct stats *x, const char *path, const char *catalog)
{
	char text[4096];
	struct rec in;
	int fd = open(path, O_RDONLY);

	if (fd == -1)
		err(2, "%s", path);
	if (rec_open(&in, fd, path, NULL, 0) == -1)
		err(2, NULL);
	if (world_read(&x->w, &in, catalog, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	rec_close(&in);
	x->c = &x->w.cat;
	if (sim_open(&x->s, &x->w, 0, text, sizeof(text)) == -1)
		errx(2, "%s", text);
}

static void
run(struct stats *x, char *groups)
{
	static const struct {
		const char *name;
		void (*run)(struct stats *);
	} group[] = { { "traffic", traffic }, { "who", who }, { "actions", actions }, { "ends", ends }, { "levels", levels },
		{ "latency", latency }, { "sizes", sizes }, { "sessions", sessions }, { "objects", objects }, { "joins", joins },
		{ "leaving", leaving }, { "rollouts", rollouts }, { "spans", spans }, { "depth", depth } };
	const int n = (int)(sizeof(group) / sizeof(group[0]));

	for (char *name; (name = strsep(&groups, ",")) != NULL;) {
		int i = 0;

		while (i < n && strcmp(group[i].name, name) != 0)
			i++;
		if (i == n)
			errx(2, "no group %s", name);
		group[i].run(x);
	}
}

int
main(int argc, char **argv)
{
	static char all[] = "traffic,who,actions,ends,levels,latency,sizes,sessions,objects";
	struct stats x = { 0 };
	const char *catalog = NULL;
	char *groups = all;
	int ch;

	while ((ch = getopt(argc, argv, "c:g:")) != -1)
		switch (ch) {
		case 'c':
			catalog = optarg;
			break;
		case 'g':
			groups = optarg;
			break;
		default:
			usage();
		}
	if (argc - optind != 1)
		usage();
	open_world(&x, argv[optind], catalog);
	read_rows(&x);
	find_sessions(&x);
	model(&x);
	run(&x, groups);
	return tap_end(&x.tap);
}
