/* Figures of a layout of aggregates, against the plainest way to find them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "mix.h"
#include "rec.h"
#include "rollup.h"
#include "tap.h"

#define LINES 5000
#define GROUPS 3
#define WINDOWS 40

struct line {
	int64_t us, length; /* length: multiples of 10 us */
	int group, failed;
};

static struct line line[LINES];

static void
write_table(const char *dir, const char *name, const char *text)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s.tsv", dir, name);
	if ((f = fopen(path, "w")) == NULL || fputs(text, f) == EOF || fclose(f) == EOF)
		abort();
}

static void
make_catalog(const char *dir)
{
	write_table(dir, "settings", "key\tvalue\nbegin\t2026-01-01\nend\t2026-01-02\n");
	write_table(dir, "places", "place\nnorth\nsouth\nmiddle\n");
	write_table(dir, "services", "service\thosts\napi\t4\ndb\t2\n");
	write_table(dir, "personas", "persona\nall\n");
	write_table(dir, "operations", "service\toperation\tweight\tlatency_ms\napi\task\t1\t5\n");
	write_table(dir, "ids",
	    "id\tform\nrequest_id\t{hex:32}\ntrace_id\t{hex:32}\nspan_id\t{hex:16}\nuser_id\t{hex:12}\nrollout_id\t{hex:16}\n"
	    "incident_id\t{hex:12}\nplaces\t{place}\nservices\t{service}\nrelease_id\t{place}:{service}:{release}\n");
	write_table(dir, "codes", "code\thttp\tmessage\tweight\n500\t500\tbroken\t1\n");
	write_table(dir, "lists", "list\titems\nbuckets_ms\t1,2.5,1000\nbuckets_bytes\t100\n");
	write_table(dir, "layouts",
	    "layout\trecord\tfield\tvalue\twhen\n"
	    "facts\tevent\tat\t{span.time.rfc3339us}\t\n"
	    "facts\tevent\twhere\t{place.id}\t\n"
	    "facts\tevent\tgood\t{status.ok}\t\n"
	    "facts\tevent\ttook\t{span.duration_ms}\t\n"
	    "table\taggregate\t*\t\tplace!=middle\n"
	    "table\taggregate\tfrom\t{time.rfc3339}\t\n"
	    "table\taggregate\tplace\t{place.id}\t\n"
	    "table\taggregate\tn\t{agg.count}\t\n"
	    "table\taggregate\tbad\t{agg.failed}\t\n"
	    "table\taggregate\tmean\t{agg.mean_ms:.3}\t\n"
	    "table\taggregate\tp50\t{agg.p50_ms}\t\n"
	    "table\taggregate\tp95\t{agg.p95_ms}\t\n"
	    "table\taggregate\tp99\t{agg.p99_ms:.2}\t\n"
	    "table\taggregate\tbusy\t{agg.saturation:.4}\t\n"
	    "table\taggregate\tcounts\t{agg.histogram:buckets_ms}\t\n");
}

static void
make_lines(void)
{
	static const int64_t length[] = { 10, 990, 1000, 2500, 30000, 5000000 };

	for (int i = 0; i < LINES; i++) {
		uint64_t word = mix((uint64_t)i + 77);

		line[i].us = (int64_t)(word % (WINDOWS * 60 * (uint64_t)CLOCK_SECOND));
		line[i].length = length[mix(word) % 6] + (int64_t)(mix(word + 1) % 50) * 10;
		line[i].group = (int)(mix(word + 2) % GROUPS);
		line[i].failed = mix(word + 3) % 7 == 0;
	}
}

static int
by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return (x->us > y->us) - (x->us < y->us);
}

static int
by_length(const void *a, const void *b)
{
	const struct line *x = *(const struct line *const *)a, *y = *(const struct line *const *)b;

	return (x->length > y->length) - (x->length < y->length);
}

static const char *const place[GROUPS] = { "north", "south", "middle" };

/* The same table, found by looking at all lines for each of its rows. */
static void
expect(FILE *f)
{
	static struct line *in[LINES];

	(void)fputs("from,place,n,bad,mean,p50,p95,p99,busy,counts\n", f);
	for (int w = 0; w < WINDOWS; w++)
		for (int g = 0; g < 2; g++) {
			int64_t sum = 0, rounded;
			int n = 0, bad = 0, below[3] = { 0 };
			char text[4][32];

			for (int i = 0; i < LINES; i++)
				if (line[i].us / CLOCK_MINUTE == w && line[i].group == g) {
					in[n++] = &line[i];
					bad += line[i].failed;
					sum += line[i].length;
					below[0] += line[i].length <= 1000;
					below[1] += line[i].length <= 2500;
					below[2] += line[i].length <= 1000000;
				}
			if (n == 0)
				continue;
			rounded = (sum * 2 + n) / (2 * n);
			qsort(in, (size_t)n, sizeof(in[0]), by_length);
			(void)snprintf(text[0], 32, "%.10g", (double)rounded / 1000);
			for (int k = 0; k < 3; k++) {
				int p = k == 0 ? 50 : k == 1 ? 95 : 99, rank = 1;

				while (rank * 100 < p * n)
					rank++;
				(void)snprintf(text[k + 1], 32, "%.10g", (double)in[rank - 1]->length / 1000);
			}
			(void)fprintf(f, "1970-01-01T00:%02d:00Z,%s,%d,%d,%s,%s,%s,%s,%.10g,\"[%d,%d,%d,%d]\"\n", w, place[g], n, bad,
			    text[0], text[1], text[2], text[3], (double)(int64_t)((double)sum / (6 * 60e6) * 1e4 + 0.5) / 1e4, below[0],
			    below[1], below[2], n);
		}
}

/* All lines, passing on at each or not at all; what is written goes to the file. */
static int
run(const struct catalog *c, const char *path, int pass)
{
	char text[512];
	struct measure *m = measure_open_table(c, catalog_layout(c, "table", 5), text, sizeof(text));
	struct measured r;
	struct rollup *roll;
	struct out out;
	const char *why;
	FILE *f = fopen(path, "w");
	int bad = 0;

	if (m == NULL || f == NULL || out_open(&out, dup(fileno(f)), 0) == -1)
		abort();
	roll = rollup_open(c, catalog_layout(c, "table", 5), RENDER_CSV, CLOCK_MINUTE, &out, text, sizeof(text));
	if (roll == NULL)
		abort();
	for (int i = 0; i < LINES; i++) {
		char at[CLOCK_LEN], one[256];
		int n;

		clock_format(at, line[i].us);
		n = snprintf(one, sizeof(one), "{\"at\":\"%.*s\",\"where\":\"%s\",\"good\":%s,\"took\":%" PRId64 ".%03d}", CLOCK_LEN, at,
		    place[line[i].group], line[i].failed ? "false" : "true", line[i].length / 1000, (int)(line[i].length % 1000));
		bad |= measure_read(m, one, (size_t)n, &r, &why) == -1;
		if (pass)
			bad |= rollup_pass(roll, r.us) == -1;
		if (r.request)
			bad |= rollup_add(roll, &r, &why) == -1;
	}
	bad |= rollup_finish(roll) == -1 || out_close(&out) == -1;
	rollup_free(roll);
	measure_free(m);
	return fclose(f) == EOF || bad ? -1 : 0;
}

static int
same(const char *a, const char *b)
{
	FILE *f = fopen(a, "r"), *g = fopen(b, "r");
	char x[512], y[512];
	int good = f != NULL && g != NULL, more = 1, lines = 0;

	while (good && more) {
		more = fgets(x, sizeof(x), f) != NULL;
		good = (fgets(y, sizeof(y), g) != NULL) == more && (!more || strcmp(x, y) == 0);
		if (!good)
			(void)printf("# got %s# want %s", x, y);
		lines++;
	}
	if (f != NULL)
		(void)fclose(f);
	if (g != NULL)
		(void)fclose(g);
	return good && lines > WINDOWS;
}

/* A line from before what was written is refused. */
static int
is_late(const struct catalog *c)
{
	char text[512];
	struct measured r = { .us = 5 * CLOCK_MINUTE, .tags = "\"place\":\"north\"", .ntags = 15 };
	int64_t scaled[2] = { 1000, 0 };
	struct rollup *roll;
	struct out out;
	const char *why = "";
	int good;

	if (out_open(&out, dup(STDERR_FILENO), 0) == -1)
		return 0;
	roll = rollup_open(c, catalog_layout(c, "table", 5), RENDER_JSON, CLOCK_MINUTE, &out, text, sizeof(text));
	r.scaled = scaled;
	good = roll != NULL && rollup_pass(roll, 5 * CLOCK_MINUTE + 59999999) == 0 && rollup_add(roll, &r, &why) == 0 &&
	    rollup_pass(roll, 6 * CLOCK_MINUTE) == 0 && rollup_add(roll, &r, &why) == -1 && strstr(why, "written already") != NULL;
	rollup_free(roll);
	return out_close(&out) == 0 && good;
}

int
main(void)
{
	static const char *const made[] = { "settings.tsv", "places.tsv", "services.tsv", "personas.tsv", "operations.tsv", "ids.tsv",
		"codes.tsv", "lists.tsv", "layouts.tsv", "got", "want" };
	struct tap t = { 0 };
	struct catalog c;
	char dir[] = "/tmp/rollup.XXXXXX", text[4096], got[64], want[64];
	FILE *f;

	if (mkdtemp(dir) == NULL)
		return 1;
	make_catalog(dir);
	if (catalog_load(&c, dir, text, sizeof(text), NULL, NULL) == -1) {
		(void)printf("# %s\n", text);
		return 1;
	}
	make_lines();
	(void)snprintf(got, sizeof(got), "%s/got", dir);
	(void)snprintf(want, sizeof(want), "%s/want", dir);
	if ((f = fopen(want, "w")) == NULL)
		return 1;
	expect(f);
	(void)fclose(f);
	tap(&t, run(&c, got, 0) == 0 && same(got, want), "lines in any order");
	qsort(line, LINES, sizeof(line[0]), by_time);
	tap(&t, run(&c, got, 1) == 0 && same(got, want), "lines in order of time, each window written when it is over");
	tap(&t, is_late(&c), "a line of a window that is written is refused");
	catalog_free(&c);
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s/%s", dir, made[i]);
		(void)unlink(text);
	}
	(void)rmdir(dir);
	return tap_end(&t);
}
