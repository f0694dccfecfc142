/* Samples are what series_at() says, one for each thing and step, in order; ranges join; records need a series. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "sampler.h"
#include "tap.h"

static struct tap t;

static void
open_world(struct world *w, const char *catalog)
{
	char err[4096] = "";

	*w = (struct world){ .seed = 8, .users = 10, .requests = 10 };
	if (catalog_load(&w->cat, catalog, err, sizeof(err), NULL, NULL) == -1) {
		printf("# %s\n", err);
		exit(2);
	}
	w->begin = w->cat.set.begin;
	w->end = w->until = w->cat.set.end;
}

/* What was written, as a text; to be freed. */
static char *
text_of(FILE *f)
{
	char *text;
	long n;

	(void)fseek(f, 0, SEEK_END);
	n = ftell(f);
	rewind(f);
	if (n < 0 || (text = malloc((size_t)n + 1)) == NULL || fread(text, 1, (size_t)n, f) != (size_t)n)
		exit(2);
	text[n] = '\0';
	(void)fclose(f);
	return text;
}

static char *
samples(struct series *s, const struct catalog *c, int64_t every, int64_t from, int64_t to)
{
	FILE *f = tmpfile();
	struct out out;

	if (f == NULL || out_open(&out, dup(fileno(f)), 0) == -1 || sampler_samples(s, c, every, from, to, &out) == -1 ||
	    out_close(&out) == -1)
		exit(2);
	return text_of(f);
}

static int
lines_of(const char *text)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static void
test_values(struct series *s, const struct catalog *c, int64_t from)
{
	char *text = samples(s, c, CLOCK_HOUR, from, from + 3 * CLOCK_HOUR), *line = text, want[512], number[32];
	int bad = 0, n = 0, things;
	struct series_value v;

	for (int64_t at = from; at < from + 3 * CLOCK_HOUR; at += CLOCK_HOUR)
		for (int i = 0; i < c->nseries; i++) {
			(void)series_things(s, i, &things);
			for (int k = 0; k < things; k++, n++) {
				series_at(s, i, k, at, CLOCK_HOUR, &v);
				*render_number(number, v.value, RENDER_PLACES) = '\0';
				(void)snprintf(want, sizeof(want), "{\"metric\":\"%s\",\"ts\":%lld,\"value\":%s,\"tags\":{\"",
				    c->series[i].id, (long long)(at / CLOCK_SECOND), number);
				bad += strncmp(line, want, strlen(want)) != 0;
				line += strcspn(line, "\n");
				line += *line == '\n';
			}
		}
	tap(&t, bad == 0 && *line == '\0' && n > 0, "%d samples are those of the series, in order", n);
	free(text);
}

static void
test_ranges(struct series *s, const struct catalog *c, int64_t from)
{
	char *all = samples(s, c, 0, from, from + CLOCK_HOUR), *first, *second;
	int64_t cut = from + 17 * CLOCK_MINUTE + 5;
	int want = 0, things;

	first = samples(s, c, 0, from, cut);
	second = samples(s, c, 0, cut, from + CLOCK_HOUR);
	tap(&t, strncmp(all, first, strlen(first)) == 0 && strcmp(all + strlen(first), second) == 0, "ranges join");
	for (int i = 0; i < c->nseries; i++) {
		(void)series_things(s, i, &things);
		want += things * (int)(CLOCK_HOUR / c->series[i].every);
	}
	tap(&t, lines_of(all) == want, "each series at its own steps: %d samples an hour", want);
	free(all);
	free(first);
	free(second);
	all = samples(s, c, 0, from, from);
	tap(&t, *all == '\0', "no time, no sample");
	free(all);
}

/* A record for each link and minute; none of a layout that shows of links only their names. */
static void
test_records(struct series *s, struct world *w)
{
	int layout = catalog_layout(&w->cat, "network_circuit_metrics", 23), links = w->cat.nlinks;
	FILE *f = tmpfile();
	char err[4096] = "", *text;
	struct sim sim;
	struct render *d;
	struct out out;

	if (layout < 0 || f == NULL || sim_open(&sim, w, 0, err, sizeof(err)) == -1 ||
	    (d = render_open(&sim, layout, RENDER_THINGS, RENDER_CSV, err, sizeof(err))) == NULL ||
	    out_open(&out, dup(fileno(f)), 0) == -1) {
		printf("# %s\n", err);
		exit(2);
	}
	tap(&t, sampler_records(s, &w->cat, layout, d, CLOCK_MINUTE, w->begin, w->begin + 5 * CLOCK_MINUTE, &out) == 0, "records");
	w->cat.layout[layout].n = 4;
	errno = 0;
	tap(&t, sampler_records(s, &w->cat, layout, d, 0, w->begin, w->end, &out) == -1 && errno == EINVAL, "none without a series");
	(void)out_close(&out);
	text = text_of(f);
	tap(&t, lines_of(text) == 5 * links && links > 0, "one for each of %d links and 5 minutes", links);
	free(text);
	render_free(d);
	sim_close(&sim);
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

int
main(void)
{
	struct world w;
	struct series *s;

	setenv("OG_SHARE", "share/og", 1);
	open_world(&w, "test/catalogs/cables");
	s = open_series(&w);
	test_values(s, &w.cat, w.begin);
	test_ranges(s, &w.cat, w.begin);
	series_free(s);
	world_free(&w);
	open_world(&w, "fibersqs");
	s = open_series(&w);
	test_records(s, &w);
	series_free(s);
	world_free(&w);
	return tap_end(&t);
}
