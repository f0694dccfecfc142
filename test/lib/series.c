/* What series promise: a spread, a memory, a shape of day, random access, effects in proportion to the time they cover, ranges. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mix.h"
#include "series.h"
#include "tap.h"

#define MINUTE CLOCK_MINUTE

static struct tap t;

/* The library with its cables, with or without what goes wrong. */
static void
open_world(struct world *w, uint64_t seed, int incidents)
{
	char err[4096] = "";
	struct world_draft d;

	*w = (struct world){ 0 };
	if (catalog_load(&w->cat, "test/catalogs/cables", err, sizeof(err), NULL, NULL) == -1) {
		printf("# %s\n", err);
		exit(2);
	}
	w->seed = seed;
	w->users = w->requests = 10;
	w->begin = w->cat.set.begin;
	w->end = w->until = w->cat.set.end;
	if (!incidents)
		return;
	w->component = calloc((size_t)w->cat.nincidents, sizeof(*w->component));
	for (int i = 0; w->component != NULL && i < w->cat.nincidents; i++)
		w->component[w->ncomponents++] = w->cat.incident[i].component;
	if (world_draft(&d, w, "hard", err, sizeof(err)) == -1 || world_draft_rates(&d) == -1 || world_draft_name(&d) == -1 ||
	    world_draft_join(&d) == -1) {
		printf("# %s\n", err);
		exit(2);
	}
	world_draft_free(&d);
}

static struct series *
open_series(const struct world *w)
{
	char err[256];
	struct series *s = series_open(w, err, sizeof(err));

	if (s == NULL)
		exit(2);
	return s;
}

static int
named(const struct world *w, const char *series)
{
	return catalog_series(&w->cat, series, strlen(series));
}

static double
value_at(struct series *s, int i, int thing, int64_t at)
{
	struct series_value v;

	series_at(s, i, thing, at, MINUTE, &v);
	return v.value;
}

/* Noise alone: its mean, its spread and its memory. */
static void
test_noise(struct series *s, const struct world *w, int i, double lag)
{
	enum { N = 400000 };
	double *z = malloc(N * sizeof(*z)), mean = 0, spread = 0, with = 0, half = 0;
	const struct catalog_series *k = &w->cat.series[i];
	int n, far = (int)k->memory_min, near = far / 2;

	if (z == NULL)
		exit(2);
	for (int j = 0; j < N; j++) {
		/* A week at a time, so that the day's swing is taken out by what comes a week later. */
		z[j] = log(value_at(s, i, 1, w->begin + j * MINUTE) / series_things(s, i, &n)[1].base);
		mean += z[j] / N;
	}
	for (int j = 0; j < N; j++)
		spread += (z[j] - mean) * (z[j] - mean) / N;
	for (int j = 0; j + far < N; j++) {
		with += (z[j] - mean) * (z[j + far] - mean) / (N - far);
		half += (z[j] - mean) * (z[j + near] - mean) / (N - near);
	}
	if (!tap(&t,
		fabs(sqrt(spread) / k->noise - 1) < 0.05 && fabs(with / spread - exp(-1)) < lag && fabs(half / spread - exp(-0.5)) < lag &&
		    fabs(mean + k->noise * k->noise / 2) < 0.02,
		"%s: spread %g, memory %g minutes", k->id, k->noise, k->memory_min))
		printf("# mean %g, spread %g, correlation %g after the memory, %g after half of it\n", mean, sqrt(spread), with / spread,
		    half / spread);
	free(z);
}

static void
test_swing(struct series *s, const struct world *w)
{
	double hour[24] = { 0 };
	int i = named(w, "traffic_mbps"), n;

	for (int j = 0; j < 52 * 7 * 24 * 4; j++)
		hour[j / 4 % 24] += value_at(s, i, 0, w->begin + j * 15 * MINUTE) / (52 * 7 * 4) / series_things(s, i, &n)[0].base;
	if (!tap(&t, fabs(hour[10] - (1 + .5 * (6 / 3.583 - 1))) < .06 && fabs(hour[2] - (1 + .5 * (1 / 3.583 - 1))) < .06,
		"the day's swing"))
		printf("# %g at 10, %g at 2\n", hour[10], hour[2]);
}

/* In any order, the same bits; and the same as ever, on every machine. */
static void
test_access(struct series *s, const struct world *w)
{
	enum { N = 20000 };
	uint64_t sum[2] = { 0, 0 }, bits;
	double v;

	for (int pass = 0; pass < 2; pass++)
		for (int j = 0; j < N; j++) {
			int at = pass == 0 ? j : (int)((uint64_t)j * 7919 % N), i = at % w->cat.nseries, n;

			(void)series_things(s, i, &n);
			v = value_at(s, i, at % n, w->begin + at * (int64_t)30250000);
			memcpy(&bits, &v, sizeof(bits));
			sum[pass] += mix(bits + (uint64_t)at);
		}
	if (!tap(&t, sum[0] == sum[1] && sum[0] == 0x59a9b5263abd563aULL, "in any order, on every machine"))
		printf("# %016llx %016llx\n", (unsigned long long)sum[0], (unsigned long long)sum[1]);
}

static const struct world_incident *
find(const struct world *w, const char *type)
{
	for (int i = 0; i < w->nincidents; i++)
		if (strcmp(w->incident[i].type, type) == 0)
			return &w->incident[i];
	exit(2);
}

/* Minutes of a burst: one draw for all effects, which the last runs against; a minute that it covers in part shows as much. */
static void
test_bursts(struct series *s, const struct world *w)
{
	const struct world_incident *x = find(w, "loss");
	int rtt = named(w, "rtt_ms"), loss = named(w, "loss_pct"), traffic = named(w, "traffic_mbps"), joint = 1, inside = 1, part = 1,
	    n = 0;

	for (int b = 0; b < x->nbursts; b++) {
		int64_t from = x->burst[b].start, first = from - from % MINUTE;
		struct series_value v, quiet;

		for (int64_t m = first + MINUTE; m + 2 * MINUTE < x->burst[b].end; m += MINUTE) {
			double u;

			series_at(s, rtt, 0, m, MINUTE, &v);
			if (v.n != 1 || m - from < x->ramp) /* another incident at the same time; the onset */
				continue;
			u = (v.value / v.quiet - 4) / 8;
			inside &= (u >= -1e-9 && u <= 1 + 1e-9);
			series_at(s, loss, 0, m, MINUTE, &v);
			joint &= fabs((v.value - v.quiet - 1) / 5 - u) < 1e-9;
			series_at(s, traffic, 0, m, MINUTE, &v);
			joint &= fabs((0.4 - v.value / v.quiet) / .3 - u) < 1e-9;
			n++;
		}
		series_at(s, rtt, 0, from, MINUTE, &v);
		series_at(s, rtt, 1, from, MINUTE, &quiet);
		part &= v.value / v.quiet <= 1 + 11 * (1 - (double)(from - first) / (double)MINUTE) &&
		    (quiet.n > 0 || quiet.value == quiet.quiet);
		series_at(s, rtt, 0, x->burst[b].end + MINUTE, MINUTE, &v);
		part &= v.n > 0 ? v.most != x - w->incident : v.value == v.quiet && v.most == -1;
	}
	tap(&t, n > 150 && inside, "in %d minutes of bursts the value is what the effect says", n);
	tap(&t, joint, "a bad minute is bad in all");
	tap(&t, part, "only there, and a part of a minute in part");
}

/* A step is the mean of its minutes. */
static void
test_steps(struct series *s, const struct world *w)
{
	const struct world_incident *x = find(w, "loss");
	int rtt = named(w, "rtt_ms"), good = 1;

	for (int b = 0; b < 20; b++) {
		int64_t from = x->burst[b].start - x->burst[b].start % (5 * MINUTE);
		struct series_value v;
		double sum = 0;

		for (int m = 0; m < 5; m++) {
			series_at(s, rtt, 0, from + m * MINUTE, MINUTE, &v);
			sum += v.value / v.quiet / 5;
		}
		series_at(s, rtt, 0, from + 17, 5 * MINUTE, &v);
		good &= fabs(v.value / v.quiet - sum) < 1e-9 && v.n == 1 && v.most == x - w->incident;
	}
	tap(&t, good, "a longer step is the mean of its minutes, and says who changed it");
}

static void
test_scope(struct series *s, const struct world *w)
{
	const struct world_incident *x = find(w, "weather");
	int cpu = named(w, "cpu_pct"), queue = named(w, "queue_depth"), wind = named(w, "wind_mps"), n, good = 1, hosts = 0;
	int64_t at = x->start + 30 * MINUTE;
	const struct series_thing *thing = series_things(s, cpu, &n);
	struct series_value v;

	tap(&t, n == 15 && thing[4].place == 0 && thing[4].service == 2 && thing[4].host == 2 && thing[5].place == 1,
	    "hosts by place and pool");
	for (int i = 0; i < n; i++) {
		series_at(s, cpu, i, at, 5 * MINUTE, &v);
		good &= thing[i].place == 0 ? v.value > v.quiet + 29.9 && v.value < v.quiet + 40.1 : v.value == v.quiet;
		hosts += v.n;
	}
	tap(&t, good && hosts == 5, "hosts of the place it happens in");
	for (int i = 0; i < 9; i++) {
		series_at(s, queue, i, at, 2 * MINUTE, &v);
		good &= i == 0 ? fabs(v.value / v.quiet - 3) < 1e-9 : v.value == v.quiet;
	}
	series_at(s, wind, 0, at, 10 * MINUTE, &v);
	tap(&t, good && fabs(v.value / v.quiet - 2) < 1e-9, "its services, the place itself");
	series_at(s, wind, 1, at, 10 * MINUTE, &v);
	tap(&t, v.value == v.quiet, "and no other");
}

static void
test_range(const struct world *w)
{
	struct world narrow = *w;
	struct series *s;
	double least = 1e9, most = 0, v;
	int i = named(w, "rtt_ms");

	narrow.cat.series[i].lo = 19.5;
	narrow.cat.series[i].hi = 21;
	s = open_series(&narrow);
	for (int j = 0; j < 10000; j++) {
		v = value_at(s, i, 0, w->begin + j * MINUTE);
		least = v < least ? v : least;
		most = v > most ? v : most;
	}
	tap(&t, least == 19.5 && most == 21, "values beyond the range are cut");
	series_free(s);
	narrow.cat.series[i].lo = 1;
	narrow.cat.series[i].hi = 10000;
}

/* Without one incident, other values are the same. */
static void
test_causes(struct series *s, const struct world *w)
{
	struct world less = *w;
	struct series *other;
	int gone = (int)(find(w, "loss") - w->incident), good = 1, changed = 0;

	less.incident = calloc((size_t)w->nincidents, sizeof(*less.incident));
	if (less.incident == NULL)
		exit(2);
	for (int i = 0, k = 0; i < w->nincidents; i++)
		if (i != gone)
			less.incident[k++] = w->incident[i];
	less.nincidents--;
	other = open_series(&less);
	for (int j = 0; j < 7 * 1440; j++)
		for (int i = 0; i < 3; i++) {
			struct series_value a, b;
			int touched = 0;

			series_at(s, i, 0, w->begin + j * MINUTE, MINUTE, &a);
			series_at(other, i, 0, w->begin + j * MINUTE, MINUTE, &b);
			for (int k = 0; k < a.n; k++)
				touched |= a.incident[k] == gone;
			good &= touched || a.value == b.value;
			changed += touched && a.value != b.value;
		}
	tap(&t, good && changed > 1000, "without an incident nothing else changes");
	series_free(other);
	free(less.incident);
}

int
main(void)
{
	struct world calm, w;
	struct series *s;

	setenv("OG_SHARE", "share/og", 1);
	open_world(&calm, 5, 0);
	s = open_series(&calm);
	test_noise(s, &calm, named(&calm, "wind_mps"), 0.06);
	calm.cat.series[0].swing = calm.cat.series[1].swing = 0;
	test_noise(s, &calm, 0, 0.05);
	calm.cat.series[1].memory_min = 60;
	test_noise(s, &calm, 1, 0.05);
	test_swing(s, &calm);
	series_free(s);
	world_free(&calm);
	open_world(&w, 6, 1);
	s = open_series(&w);
	test_access(s, &w);
	test_bursts(s, &w);
	test_steps(s, &w);
	test_scope(s, &w);
	test_causes(s, &w);
	test_range(&w);
	series_free(s);
	world_free(&w);
	return tap_end(&t);
}
