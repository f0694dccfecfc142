/* lib/truth: requests in any order and in parts give the same lines; what is merged comes out again; bad lines add nothing. */
#include <err.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "mix.h"
#include "out.h"
#include "rec.h"
#include "tap.h"
#include "truth.h"

#define ROOM ((size_t)1 << 22)
#define REQUESTS 3000
#define PARTS 3

static const char *const spec[] = { "component=redis_feed,start=2025-12-01T06:00:00Z,duration=30h,errors=0.1,latency=3",
	"component=aurora_primary,start=2025-12-01T20:00:00Z,duration=5h,errors=0.1,latency=2",
	"component=media_processing,start=2025-12-02T08:00:00Z,duration=8h,latency=40" };

struct name {
	uint64_t k;
	int64_t time;
};

static void
make_world(struct world *w)
{
	char path[] = "/tmp/og-truth.XXXXXX", text[1024];
	struct world v = { .seed = 7, .users = 500, .requests = REQUESTS, .depth = 9 };
	struct world_draft d;
	struct out out;
	struct rec in;
	int fd = mkstemp(path), back = fd == -1 ? -1 : open(path, O_RDONLY);

	if (back == -1 || unlink(path) == -1 || out_open(&out, fd, 0) == -1)
		err(1, "%s", path);
	if (catalog_load(&v.cat, "share/og/social", text, sizeof(text), NULL, NULL) == -1)
		errx(1, "%s", text);
	v.begin = clock_from_civil(2025, 12, 1) * CLOCK_DAY;
	v.end = v.until = v.begin + 3 * CLOCK_DAY;
	if (world_make(&v, &out, text, sizeof(text)) == -1)
		errx(1, "%s", text);
	if (out_close(&out) == -1 || rec_open(&in, back, "world", NULL, 0) == -1)
		err(1, NULL);
	world_free(&v);
	if (world_read(w, &in, "share/og/social", text, sizeof(text)) == -1 || world_draft(&d, w, NULL, text, sizeof(text)) == -1)
		errx(1, "%s", text);
	rec_close(&in);
	for (size_t i = 0; i < sizeof(spec) / sizeof(*spec); i++)
		if (world_draft_spec(&d, spec[i]) == -1)
			errx(1, "%s", text);
	if (world_draft_name(&d) == -1 || world_draft_join(&d) == -1)
		errx(1, "%s", text);
	world_draft_free(&d);
}

static size_t
list_requests(const struct world *w, struct name *name)
{
	char text[1024];
	struct sim_traffic *traffic;
	struct sim_request r;
	struct sim s;
	size_t n = 0;

	if (sim_open(&s, w, 0, text, sizeof(text)) == -1 || (traffic = sim_traffic(&s, w->begin, w->end)) == NULL)
		errx(1, "%s", text);
	while (sim_next(traffic, &r) == 1)
		if (!r.dropped && n < 2 * (size_t)REQUESTS)
			name[n++] = (struct name){ r.k, r.time };
	sim_traffic_free(traffic);
	sim_close(&s);
	return n;
}

static struct truth *
open_truth(const struct world *w)
{
	char text[1024];
	struct truth *t = truth_open(w, 0, text, sizeof(text));

	if (t == NULL)
		errx(1, "%s", text);
	return t;
}

/* The lines of it, which is freed. */
static void
put(struct truth *t, struct out *o)
{
	if (out_open(o, -1, ROOM) == -1)
		err(1, NULL);
	truth_put(t, o);
	truth_free(t);
}

static void
count(struct truth *t, const struct name *name, size_t n)
{
	char text[1024];
	struct sim_request r;

	for (size_t i = 0; i < n; i++)
		if (sim_request(truth_sim(t), name[i].k, name[i].time, &r) == -1 || truth_add(t, &r, text, sizeof(text)) == -1)
			errx(1, "%s", text);
}

static void
merge(struct truth *t, const struct out *o)
{
	const char *e;

	for (const char *p = o->buf, *end; p < o->buf + o->len; p = end + 1) {
		end = memchr(p, '\n', (size_t)(o->buf + o->len - p));
		if (truth_merge(t, p, (size_t)(end - p), &e) == -1)
			errx(1, "%s", e);
	}
}

static int
same(const struct out *a, const struct out *b)
{
	return a->len > 1000 && a->len == b->len && memcmp(a->buf, b->buf, a->len) == 0;
}

static void
test_order(struct tap *t, const struct world *w, struct name *name, size_t n, const struct out *whole)
{
	struct truth *x = open_truth(w);
	struct out o;

	for (size_t i = n; i > 1; i--) {
		size_t j = mix_below((uint32_t)mix_at(1, i), (uint32_t)i);
		struct name swap = name[i - 1];

		name[i - 1] = name[j];
		name[j] = swap;
	}
	count(x, name, n);
	put(x, &o);
	tap(t, same(&o, whole), "in another order, in which incidents come and go, the same");
	free(o.buf);
}

static void
test_parts(struct tap *t, const struct world *w, const struct name *name, size_t n, const struct out *whole)
{
	struct truth *sum = open_truth(w);
	struct out o;

	for (size_t i = PARTS; i-- > 0;) {
		size_t from = n * i / PARTS, to = n * (i + 1) / PARTS;
		struct truth *part = open_truth(w);

		count(part, name + from, to - from);
		put(part, &o);
		merge(sum, &o);
		free(o.buf);
	}
	put(sum, &o);
	tap(t, same(&o, whole), "the parts add up to the whole");
	free(o.buf);
}

static void
test_bad(struct tap *t, const struct world *w, const struct out *whole)
{
	static const char *const line[] = { "", "[]", "{}", "{\"kind\":7}", "{\"kind\":\"total\",\"requests\":1}",
		"{\"kind\":\"total\",\"requests\":1,\"first\":\"2025-12-01T00:00:00Z\",\"last\":\"soon\"}",
		"{\"kind\":\"total\",\"spans\":1.5}",
		"{\"kind\":\"operation\",\"service\":\"feed:timeline\",\"action\":\"none\",\"spans\":1}",
		"{\"kind\":\"persona\",\"persona\":null,\"spans\":1}", "{\"kind\":\"source\",\"source\":\"selfish\",\"spans_failed\":1}",
		"{\"kind\":\"source\",\"source\":\"dependency:\",\"spans_failed\":1}",
		"{\"kind\":\"incident\",\"id\":\"\",\"spans_failed\":1}",
		"{\"kind\":\"reach\",\"incident\":\"x\",\"service\":\"feed:timeline\",\"hops\":0,\"spans_failed\":1}" };
	struct truth *x = open_truth(w);
	struct out o;
	int refused = 0, n = sizeof(line) / sizeof(*line);
	const char *e;

	merge(x, whole);
	for (int i = 0; i < n; i++) {
		e = NULL;
		refused += truth_merge(x, line[i], strlen(line[i]), &e) == -1 && e != NULL;
	}
	put(x, &o);
	tap(t, refused == n, "lines that are no counts of this world are refused");
	tap(t, same(&o, whole), "and add nothing");
	free(o.buf);
}

/* Again and again through all that incidents met: what is opened for them stays or is given back. */
static void
test_memory(struct tap *t, const struct world *w, const struct name *name, size_t n)
{
	struct truth *x = open_truth(w);
	size_t before;

	for (int i = 0; i < 2; i++)
		count(x, name, n);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 3; i++)
		count(x, name, n);
	tap(t, mallinfo2().uordblks <= before + (1 << 16), "memory stays as it is");
	truth_free(x);
}

int
main(void)
{
	static struct name name[2 * REQUESTS];
	struct tap t = { 0, 0 };
	struct world w;
	struct truth *x;
	struct out whole;
	size_t n;

	setenv("OG_SHARE", "share/og", 1);
	make_world(&w);
	n = list_requests(&w, name);
	tap(&t, n > REQUESTS * 9 / 10 && w.nincidents == 3, "a world of %zu requests", n);
	x = open_truth(&w);
	count(x, name, n);
	put(x, &whole);
	tap(&t, memmem(whole.buf, whole.len, "\"kind\":\"reach\"", 14) != NULL, "incidents reach services");
	test_memory(&t, &w, name, n);
	test_parts(&t, &w, name, n, &whole);
	test_bad(&t, &w, &whole);
	test_order(&t, &w, name, n, &whole);
	free(whole.buf);
	world_free(&w);
	return tap_end(&t);
}
