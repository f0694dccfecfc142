/* lib/timeline: counts, order, ways in, growth, shape, cost. */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mix.h"
#include "timeline.h"

#define QUARTER INT64_C(900000000)
#define DAY (96 * QUARTER)
#define DAYS 4000
#define MODELS 150

__extension__ typedef unsigned __int128 u128;

struct random {
	uint64_t key, i;
};

struct model {
	struct timeline_model m;
	uint32_t mass[TIMELINE_CLASSES][TIMELINE_WEEK];
	uint32_t growth[DAYS + 2];
};

static int tests, failed;

/* One line of TAP; `bad` counts what went wrong. */
static void
ok(uint64_t bad, const char *what)
{
	tests++;
	failed += bad != 0;
	printf("%sok %d - %s\n", bad == 0 ? "" : "not ", tests, what);
	if (bad != 0)
		printf("# %" PRIu64 " wrong\n", bad);
}

/* In [lo, hi], both ends included. */
static uint64_t
below(struct random *r, uint64_t lo, uint64_t hi)
{
	return lo + mix_at(r->key, r->i++) % (hi - lo + 1);
}

static int64_t
moment(struct random *r, int64_t lo, int64_t hi)
{
	return lo + (int64_t)below(r, 0, (uint64_t)(hi - lo));
}

static int64_t
day_of(int64_t us)
{
	return us / DAY - (us % DAY < 0);
}

static int
quarter_of_week(int64_t us)
{
	int64_t week = 7 * DAY, monday = 4 * DAY; /* 1970-01-05 */

	return (int)((((us - monday) % week + week) % week) / QUARTER);
}

/* Any model with few sessions: short and long ranges, before and after 1970, many zeros or none, `end` on both sides of `until`. */
static void
any_model(struct model *x, uint64_t seed)
{
	struct random r = { mix(seed), 0 };
	uint64_t zeros = below(&r, 0, 3) * 25, scale = below(&r, 0, 1) ? 1 << 24 : 5;
	int64_t most = below(&r, 0, 2) == 0 ? 96 * 700 : below(&r, 0, 1) ? 96 * 9 : 200;

	x->m.key = mix_at(r.key, r.i++);
	x->m.classes = (int)below(&r, 1, below(&r, 0, 1) ? TIMELINE_CLASSES : 6);
	x->m.begin = moment(&r, -3000, below(&r, 0, 3) == 0 ? 0 : 2200000) * QUARTER;
	x->m.until = x->m.begin + moment(&r, 1, most) * QUARTER;
	x->m.end = x->m.begin + moment(&r, 1, most) * QUARTER;
	x->m.sessions = below(&r, 0, 1) ? below(&r, 0, 20) : below(&r, 0, 20000);
	x->m.mass = (const uint32_t(*)[TIMELINE_WEEK])x->mass;
	x->m.growth = x->growth;
	for (int c = 0; c < TIMELINE_CLASSES; c++)
		for (int q = 0; q < TIMELINE_WEEK; q++)
			x->mass[c][q] = below(&r, 0, 99) < zeros ? 0 : (uint32_t)below(&r, 1, scale);
	/* So that no range is without mass. */
	for (int q = 0; q < TIMELINE_WEEK; q++)
		x->mass[0][q] |= 1;
	for (int d = 0; d < DAYS + 2; d++)
		x->growth[d] = (uint32_t)below(&r, 1, scale == 5 ? 3 : 1 << 20);
}

static struct timeline *
must(const struct timeline_model *m)
{
	struct timeline *t = timeline_new(m);

	if (t == NULL) {
		printf("Bail out! timeline_new: %s\n", strerror(errno));
		exit(1);
	}
	return t;
}

static struct timeline_walk *
must_walk(const struct timeline *t, int64_t from)
{
	struct timeline_walk *w = timeline_walk(t, from);

	if (w == NULL) {
		printf("Bail out! timeline_walk: %s\n", strerror(errno));
		exit(1);
	}
	return w;
}

static struct timeline_session *
grow(struct timeline_session *s, size_t n)
{
	struct timeline_session *more = reallocarray(s, n, sizeof *s);

	if (more == NULL) {
		printf("Bail out! out of memory\n");
		exit(1);
	}
	return more;
}

/* All sessions from a moment on; *n is their number. There is always room for one more. */
static struct timeline_session *
all_from(const struct timeline *t, int64_t from, size_t *n)
{
	struct timeline_walk *w = must_walk(t, from);
	struct timeline_session *s = NULL;
	size_t size = 0;

	for (*n = 0;; ++*n) {
		if (*n == size)
			s = grow(s, size = size * 2 + 64);
		if (timeline_next(w, &s[*n]) != 1)
			break;
	}
	timeline_walk_free(w);
	return s;
}

static int
same(const struct timeline_session *a, const struct timeline_session *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].start != b[i].start || a[i].class != b[i].class || a[i].ordinal != b[i].ordinal)
			return 0;
	return 1;
}

/* Mass of a quarter hour over all classes. */
static u128
mass_at(const struct timeline_model *m, int64_t at)
{
	u128 sum = 0;

	for (int c = 0; c < m->classes; c++)
		sum += m->mass[c][quarter_of_week(at)];
	return sum * m->growth[day_of(at) - day_of(m->begin)];
}

struct wrong {
	uint64_t quota, order, ordinal, range, zero, tail, before, rank, later, sooner;
};

static void
check_quota(const struct model *x, const struct timeline *t, struct wrong *bad)
{
	const struct timeline_model *m = &x->m;
	u128 all = 0, sum = 0;

	for (int64_t at = m->begin; at < m->until; at += QUARTER)
		all += mass_at(m, at);
	if (all == 0) {
		bad->quota++;
		return;
	}
	/* `until` and all midnights are cuts. */
	for (int64_t at = m->begin; at < m->end; at += QUARTER) {
		if (at == m->until || at % DAY == 0)
			bad->quota += timeline_before(t, -1, at) != (uint64_t)(m->sessions * sum / all);
		sum += mass_at(m, at);
	}
	if (m->until <= m->end)
		bad->quota += timeline_before(t, -1, m->until) != m->sessions;
	bad->quota += timeline_before(t, -1, INT64_MIN) != 0;
	bad->quota += timeline_before(t, -1, INT64_MAX) != timeline_before(t, -1, m->end);
}

static void
check_walk(const struct model *x, const struct timeline_session *s, size_t n, struct wrong *bad)
{
	uint64_t next[TIMELINE_CLASSES] = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (s[i].start < s[i - 1].start || (s[i].start == s[i - 1].start && s[i].class < s[i - 1].class)))
			bad->order++;
		if (s[i].class < 0 || s[i].class >= x->m.classes || s[i].start < x->m.begin || s[i].start >= x->m.end) {
			bad->range++;
			continue;
		}
		bad->ordinal += s[i].ordinal != next[s[i].class]++;
		bad->zero += x->mass[s[i].class][quarter_of_week(s[i].start)] == 0;
	}
}

/* Enter at random moments, at those of sessions and around them, and by rank. */
static void
check_entry(
    const struct model *x, const struct timeline *t, const struct timeline_session *s, size_t n, struct random *r, struct wrong *bad)
{
	for (int i = 0; i < 12; i++) {
		uint64_t of[TIMELINE_CLASSES] = { 0 };
		int64_t at = moment(r, x->m.begin - QUARTER, x->m.end + QUARTER);
		struct timeline_session *tail;
		size_t k, ntail, rank = (size_t)below(r, 0, n);

		if (i % 3 == 0)
			at -= (at % QUARTER + QUARTER) % QUARTER;
		else if (i % 3 == 1 && n > 0)
			at = s[below(r, 0, n - 1)].start + (int64_t)below(r, 0, 2) - 1;
		for (k = 0; k < n && s[k].start < at; k++)
			of[s[k].class]++;
		tail = all_from(t, at, &ntail);
		bad->tail += ntail != n - k || !same(s + k, tail, ntail);
		free(tail);
		bad->before += timeline_before(t, -1, at) != k;
		for (int c = 0; c < x->m.classes; c++)
			bad->before += timeline_before(t, c, at) != of[c];
		bad->rank += timeline_at_rank(t, rank) != (rank < n ? s[rank].start : x->m.end);
	}
	bad->rank += timeline_at_rank(t, n) != x->m.end || timeline_at_rank(t, UINT64_MAX) != x->m.end;
}

/* The same with another `end`. */
static void
check_end(struct model *x, const struct timeline_session *s, size_t n, struct random *r, struct wrong *bad)
{
	struct timeline_session *other;
	struct timeline *t;
	int64_t end = x->m.end;
	size_t k, nother;

	x->m.end = end + (int64_t)below(r, 1, 96 * 9) * QUARTER;
	t = must(&x->m);
	other = all_from(t, x->m.begin, &nother);
	bad->later += nother < n || !same(s, other, n) || (nother > n && other[n].start < end);
	free(other);
	timeline_free(t);
	x->m.end = x->m.begin + (int64_t)below(r, 1, (uint64_t)((end - x->m.begin) / QUARTER)) * QUARTER;
	t = must(&x->m);
	other = all_from(t, x->m.begin, &nother);
	k = 0;
	while (k < n && s[k].start < x->m.end)
		k++;
	bad->sooner += nother != k || !same(s, other, k);
	free(other);
	timeline_free(t);
	x->m.end = end;
}

static void
test_models(struct model *x)
{
	struct wrong bad = { 0 };
	uint64_t sum = 0;

	for (uint64_t seed = 1; seed <= MODELS; seed++) {
		struct random r = { mix(seed + 1000000), 0 };
		struct timeline_session *s;
		struct timeline *t;
		size_t n;

		any_model(x, seed);
		t = must(&x->m);
		s = all_from(t, x->m.begin, &n);
		sum += n;
		bad.quota += n != timeline_before(t, -1, x->m.end);
		check_quota(x, t, &bad);
		check_walk(x, s, n, &bad);
		check_entry(x, t, s, n, &r, &bad);
		check_end(x, s, n, &r, &bad);
		free(s);
		timeline_free(t);
	}
	ok(sum < 100000, "the models have sessions");
	ok(bad.quota, "before `until`, a midnight, `end`: the quota, S in all");
	ok(bad.order, "sessions are ordered by start and class");
	ok(bad.ordinal, "ordinals of a class run from 0 without gaps");
	ok(bad.range, "sessions start in [begin, end)");
	ok(bad.zero, "a quarter hour without mass gets nothing");
	ok(bad.tail, "a walk from anywhere is the tail of the whole");
	ok(bad.before, "timeline_before agrees with the walk");
	ok(bad.rank, "timeline_at_rank agrees with the walk");
	ok(bad.later, "a later end changes nothing before");
	ok(bad.sooner, "a sooner end only cuts");
}

/* A week and a half from a Tuesday noon, six classes, classes and hours very different, days growing. */
static void
plain_model(struct model *x, int classes)
{
	memset(x, 0, sizeof *x);
	x->m.key = 12345;
	x->m.classes = classes;
	x->m.mass = (const uint32_t(*)[TIMELINE_WEEK])x->mass;
	x->m.growth = x->growth;
	x->m.begin = 20000 * DAY + 48 * QUARTER;
	x->m.until = x->m.begin + 10 * DAY + 30 * QUARTER;
	x->m.end = x->m.until;
	x->m.sessions = 1000000;
	for (int c = 0; c < classes; c++)
		for (int q = 0; q < TIMELINE_WEEK; q++)
			x->mass[c][q] = (uint32_t)((c + 1) * (1000 + (q * (c + 3)) % 96 * 40 + (q / 96 > 4 ? 900 : 0)));
	for (int d = 0; d < DAYS + 2; d++)
		x->growth[d] = (uint32_t)(100000 + d * 300);
}

/* Is chi-square within 5 of its spreads? */
static uint64_t
far(double chi, double freedom, const char *what)
{
	double z2 = (chi - freedom) * (chi - freedom) / (2 * freedom);

	printf("# %s: chi-square %.1f, %.0f degrees of freedom\n", what, chi, freedom);
	return z2 > 25;
}

enum { CLASSES = 6, QUARTERS = 10 * 96 + 30, PARTS = 900 };

struct shape {
	double got[CLASSES][QUARTERS], part[PARTS], share[CLASSES][QUARTERS];
};

/* Sessions by class and quarter hour, and by place within the quarter hour: the number of all. */
static double
tally(const struct timeline_model *m, struct shape *to)
{
	struct timeline *t = must(m);
	struct timeline_walk *w = must_walk(t, m->begin);
	struct timeline_session s;
	double n = 0;

	while (timeline_next(w, &s)) {
		to->got[s.class][(s.start - m->begin) / QUARTER]++;
		to->part[(s.start - m->begin) % QUARTER * PARTS / QUARTER]++;
		n++;
	}
	timeline_walk_free(w);
	for (int q = 0; q < QUARTERS; q++) {
		double share[TIMELINE_CLASSES];

		timeline_share(t, m->begin + q * QUARTER, m->begin + (q + 1) * QUARTER, share);
		for (int c = 0; c < CLASSES; c++)
			to->share[c][q] = share[c];
	}
	timeline_free(t);
	return n;
}

/* Against the masses; and one class against the next, one day against the next. */
static void
test_shape(struct model *x)
{
	static struct shape sum;
	static double off[CLASSES][QUARTERS];
	double chi = 0, parts = 0, days = 0, all = 0, classes = 0, next = 0;
	double nclasses = (CLASSES - 1) * QUARTERS, nnext = CLASSES * (QUARTERS - 96);

	plain_model(x, CLASSES);
	for (x->m.key = 1; x->m.key <= 4; x->m.key++)
		all += tally(&x->m, &sum);
	for (int q = 0; q < QUARTERS; q++) {
		days += q == 0 || (x->m.begin + q * QUARTER) % DAY == 0;
		for (int c = 0; c < CLASSES; c++) {
			off[c][q] = (sum.got[c][q] - all * sum.share[c][q]) / sqrt(all * sum.share[c][q]);
			chi += off[c][q] * off[c][q];
			if (c > 0)
				classes += off[c][q] * off[c - 1][q];
			if (q >= 96)
				next += off[c][q] * off[c][q - 96];
		}
	}
	for (int i = 0; i < PARTS; i++)
		parts += (sum.part[i] - all / PARTS) * (sum.part[i] - all / PARTS) / (all / PARTS);
	ok(far(chi, CLASSES * QUARTERS - days, "class and quarter hour"), "counts follow the masses, no less scattered than chance");
	ok(far(parts, PARTS - 1, "within the quarter hour"), "starts are even within a quarter hour");
	printf("# correlation of classes %.4f, of days %.4f\n", classes / nclasses, next / nnext);
	ok(classes * classes > 25 * nclasses, "classes do not follow one another");
	ok(next * next > 25 * nnext, "days do not follow one another");
}

/* Counts of one quarter hour and of two over many keys: the day's total is fixed, so they are multinomial. */
static void
test_scatter(struct model *x)
{
	enum { KEYS = 4000 };
	double n = 300, share[2], p, q, a1 = 0, a2 = 0, b1 = 0, ab = 0, mean, var, cov;
	int64_t at;

	plain_model(x, 2);
	x->m.begin = 20000 * DAY;
	x->m.until = x->m.end = x->m.begin + DAY;
	x->m.sessions = (uint64_t)n;
	for (int i = 0; i < TIMELINE_WEEK; i++)
		x->mass[0][i] = i % 96 == 40 ? 60000 : 300;
	at = x->m.begin + 40 * QUARTER;
	for (x->m.key = 1; x->m.key <= KEYS; x->m.key++) {
		struct timeline *t = must(&x->m);
		double a = (double)(timeline_before(t, 0, at + QUARTER) - timeline_before(t, 0, at));
		double b = (double)timeline_before(t, 1, x->m.end);

		timeline_share(t, at, at + QUARTER, share);
		p = share[0];
		timeline_share(t, x->m.begin, x->m.end, share);
		q = share[1];
		a1 += a;
		a2 += a * a;
		b1 += b;
		ab += a * b;
		timeline_free(t);
	}
	mean = a1 / KEYS;
	var = a2 / KEYS - mean * mean;
	cov = ab / KEYS - mean * b1 / KEYS;
	printf("# mean %.3f (%.3f), variance %.3f (%.3f), covariance %.3f (%.3f)\n", mean, n * p, var, n * p * (1 - p), cov, -n * p * q);
	/* The mean of so many spreads by 1/63 of a deviation, the variance by 1/45 of itself. */
	ok((mean - n * p) * (mean - n * p) > 25 * n * p * (1 - p) / KEYS, "mean of a quarter hour over worlds");
	ok(var < .89 * n * p * (1 - p) || var > 1.11 * n * p * (1 - p), "variance of a quarter hour is binomial");
	ok((cov + n * p * q) * (cov + n * p * q) > 25 * n * p * n * q * (1 - q) / KEYS, "classes share a day as chance has it");
}

static void
test_share(struct model *x)
{
	uint64_t bad = 0;

	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct random r = { mix(seed + 77), 0 };
		double whole[TIMELINE_CLASSES], a[TIMELINE_CLASSES], b[TIMELINE_CLASSES], sum = 0;
		struct timeline *t;
		int64_t at;

		any_model(x, seed);
		t = must(&x->m);
		at = moment(&r, x->m.begin, x->m.until);
		timeline_share(t, INT64_MIN, INT64_MAX, whole);
		timeline_share(t, INT64_MIN, at, a);
		timeline_share(t, at, INT64_MAX, b);
		for (int c = 0; c < x->m.classes; c++) {
			sum += whole[c];
			bad += a[c] + b[c] < whole[c] - 1e-12 || a[c] + b[c] > whole[c] + 1e-12;
		}
		bad += sum < 1 - 1e-12 || sum > 1 + 1e-12;
		/* A moment inside a quarter hour takes that part of it. */
		timeline_share(t, x->m.begin, x->m.begin + QUARTER, whole);
		timeline_share(t, x->m.begin, x->m.begin + QUARTER / 4, a);
		timeline_share(t, x->m.begin + QUARTER, x->m.begin, b);
		for (int c = 0; c < x->m.classes; c++)
			bad += a[c] < whole[c] / 4 - 1e-12 || a[c] > whole[c] / 4 + 1e-12 || b[c] != 0;
		timeline_free(t);
	}
	ok(bad, "shares add up");
}

/* As many sessions as there may be in very little time: some at every microsecond. */
static void
test_crowd(struct model *x)
{
	struct timeline_session s, last = { 0, 0, 0 };
	struct timeline_walk *w;
	struct timeline *t;
	uint64_t bad = 0, n;
	int64_t at;

	plain_model(x, 3);
	x->m.end = x->m.begin + QUARTER;
	x->m.until = x->m.end + QUARTER;
	x->m.sessions = UINT64_C(1) << 36;
	t = must(&x->m);
	at = x->m.begin + 123456789;
	n = timeline_before(t, -1, at);
	bad += timeline_at_rank(t, n) < at || timeline_at_rank(t, n - 1) >= at;
	w = must_walk(t, at);
	for (int i = 0; i < 20000; i++) {
		bad += timeline_next(w, &s) != 1 || s.start < at || s.start > at + 2000;
		bad += i > 0 && (s.start < last.start || (s.start == last.start && s.class < last.class));
		last = s;
		if (i % 100 == 0) {
			bad += timeline_at_rank(t, n + (uint64_t)i) != s.start;
			bad += timeline_before(t, s.class, s.start) > s.ordinal || timeline_before(t, s.class, s.start + 1) <= s.ordinal;
		}
	}
	timeline_walk_free(w);
	ok(bad, "2^36 sessions in half an hour");
	at = x->m.end - 3;
	n = timeline_before(t, -1, x->m.end) - timeline_before(t, -1, at);
	w = must_walk(t, at);
	bad = n < 10;
	while (n > 0 && timeline_next(w, &s)) {
		n--;
		bad += s.start >= x->m.end;
	}
	bad += n > 0 || timeline_next(w, &s) != 0;
	timeline_walk_free(w);
	timeline_free(t);
	ok(bad, "none starts at `end`, all those before it do");
}

static int
refuses(const struct timeline_model *m, int error)
{
	struct timeline *t;

	errno = 0;
	t = timeline_new(m);
	timeline_free(t);
	return t == NULL && errno == error;
}

static void
test_refusal(struct model *x)
{
	struct timeline_model m[8];
	struct timeline *t;
	uint64_t bad = 0;
	size_t n;

	plain_model(x, 2);
	for (int i = 0; i < 8; i++)
		m[i] = x->m;
	m[0].classes = 0;
	m[1].classes = TIMELINE_CLASSES + 1;
	m[2].begin++;
	m[3].until++;
	m[4].end--;
	m[5].until = m[5].begin;
	m[6].end = m[6].begin;
	m[7].sessions = (UINT64_C(1) << 36) + 1;
	for (int i = 0; i < 8; i++)
		bad += !refuses(&m[i], EINVAL);
	x->mass[1][TIMELINE_WEEK - 1] = (1 << 24) + 1;
	bad += !refuses(&x->m, EINVAL);
	x->mass[1][TIMELINE_WEEK - 1] = 1 << 24;
	bad += refuses(&x->m, EINVAL) ? 1 : 0;
	for (int i = 0; i < 2; i++) {
		x->growth[2] = i == 0 ? 0 : (1 << 20) + 1;
		bad += !refuses(&x->m, EINVAL);
	}
	x->growth[2] = 1 << 20;
	bad += refuses(&x->m, EINVAL) ? 1 : 0;
	ok(bad, "a model outside its bounds: EINVAL");
	/* A quarter hour of the least mass to count by, then days of the most. */
	m[0] = x->m;
	m[0].sessions = UINT64_C(1) << 36;
	m[0].until = m[0].begin + QUARTER;
	m[0].end = m[0].begin + 4 * DAY;
	for (int q = 0; q < TIMELINE_WEEK; q++)
		x->mass[0][q] = x->mass[1][q] = q == quarter_of_week(m[0].begin) ? 1 : 1 << 24;
	ok(!refuses(&m[0], ERANGE), "too many sessions after `until`: ERANGE");
	for (int q = 0; q < TIMELINE_WEEK; q++)
		x->mass[0][q] = x->mass[1][q] = q != quarter_of_week(m[0].begin);
	ok(!refuses(&m[0], EDOM), "no mass in [begin, until): EDOM");
	memset(x->mass, 0, sizeof x->mass);
	ok(!refuses(&x->m, EDOM), "no mass at all: EDOM");
	plain_model(x, 2);
	x->m.sessions = 0;
	t = must(&x->m);
	free(all_from(t, x->m.begin, &n));
	ok(n != 0 || timeline_at_rank(t, 0) != x->m.end, "no sessions wanted, none given");
	timeline_free(t);
}

static double
cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static size_t
held(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* A year of 10^9 requests: what a reader pays for any minute, and what is held. The bounds leave room for slow machines and valgrind. */
static void
test_cost(struct model *x)
{
	struct timeline_session s = { 0, 0, 0 };
	struct timeline_walk *w;
	struct timeline *t;
	size_t memory = held();
	double start = cpu_ms(), worst = 0, dense, sparse;
	struct random r = { 5, 0 };
	int64_t minute = 60000000;
	uint64_t n = 0;
	int end;

	plain_model(x, 18);
	x->m.begin = 20000 * DAY;
	x->m.until = x->m.end = x->m.begin + 365 * DAY;
	x->m.sessions = 125000000;
	t = must(&x->m);
	start = cpu_ms() - start;
	memory = held() - memory;
	for (int i = 0; i < 50; i++) {
		int64_t from = moment(&r, x->m.begin, x->m.end - 31 * minute);
		double open = cpu_ms();

		w = must_walk(t, from);
		while (timeline_next(w, &s) && s.start < from + 31 * minute)
			n++;
		timeline_walk_free(w);
		open = cpu_ms() - open;
		worst = open > worst ? open : worst;
	}
	printf("# start-up %.2f ms, %zu bytes; %" PRIu64 " sessions in 31 minutes, worst %.2f ms\n", start, memory, n / 50, worst);
	ok(start > 60, "year of 10^9 requests, 18 classes: start-up below 60 ms");
	ok(memory > 4 << 20, "less than 4 MiB held");
	ok(worst > 20 || n < 50 * 3000, "a minute with the 30 before in less than 20 ms");
	dense = cpu_ms();
	w = must_walk(t, x->m.begin + 100 * DAY);
	for (int i = 0; i < 500000; i++)
		timeline_next(w, &s);
	dense = cpu_ms() - dense;
	timeline_walk_free(w);
	timeline_free(t);
	x->m.sessions = 1000;
	t = must(&x->m);
	sparse = cpu_ms();
	w = must_walk(t, x->m.begin);
	n = 0;
	while (timeline_next(w, &s))
		n++;
	sparse = cpu_ms() - sparse;
	end = timeline_next(w, &s);
	timeline_walk_free(w);
	timeline_free(t);
	printf("# walk %.1f ns a session; a year of %" PRIu64 " in %.2f ms\n", dense * 2, n, sparse);
	ok(n != 1000 || end != 0 || sparse > 20, "a year of 1000 sessions is walked in less than 20 ms");
}

/* Fixed bytes: any compiler, any optimisation. */
static void
test_golden(struct model *x)
{
	struct timeline_session s;
	struct timeline_walk *w;
	struct timeline *t;
	uint64_t hash = 0;

	plain_model(x, 7);
	x->m.end = x->m.until + 3 * DAY;
	x->m.sessions = 300000;
	t = must(&x->m);
	w = must_walk(t, x->m.begin);
	while (timeline_next(w, &s))
		hash = mix(hash ^ mix((uint64_t)s.start) ^ (s.ordinal << 6 | (uint64_t)s.class));
	timeline_walk_free(w);
	timeline_free(t);
	printf("# %016" PRIx64 "\n", hash);
	ok(hash != UINT64_C(0x6de1752f761f631e), "golden");
}

int
main(void)
{
	static struct model x;

	/* Lines must be out before a crash. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_models(&x);
	test_shape(&x);
	test_scatter(&x);
	test_share(&x);
	test_crowd(&x);
	test_refusal(&x);
	test_cost(&x);
	test_golden(&x);
	printf("1..%d\n", tests);
	return failed != 0;
}
