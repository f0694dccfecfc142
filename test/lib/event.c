/* Events read back: each layout gives the request that it was written of. */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "rec.h"
#include "tap.h"
#include "world.h"

#define REQUESTS 2000

/* A small world of a catalog. */
static void
make_world(struct world *w, const char *catalog)
{
	char text[1024], path[] = "/tmp/event.XXXXXX";
	struct world made = { .seed = 5, .requests = REQUESTS, .users = 300, .depth = 9 };
	struct out out;
	int fd = mkstemp(path);

	if (fd == -1 || catalog_load(&made.cat, catalog, text, sizeof(text), NULL, NULL) == -1)
		errx(1, "%s: %s", catalog, text);
	made.begin = made.cat.set.begin;
	made.end = made.until = made.begin + 7 * CLOCK_DAY;
	if (out_open(&out, fd, 0) == -1 || world_make(&made, &out, text, sizeof(text)) == -1 || out_close(&out) == -1 ||
	    world_load(w, path, catalog, text, sizeof(text)) == -1)
		errx(1, "%s: %s", catalog, text);
	catalog_free(&made.cat);
	(void)remove(path);
}

static int
has_keys(const struct catalog *c, int layout)
{
	const struct catalog_layout *l = &c->layout[layout];
	int time = 0;

	if (l->record != RECORD_EVENT && l->record != RECORD_SPAN)
		return 0;
	for (int i = 0; i < l->n; i++)
		time |= l->field[i].value.n == 1 && l->field[i].value.piece[0].src == SRC_SPAN_TIME &&
		    (l->field[i].value.piece[0].arg == TIME_RFC3339US || l->field[i].value.piece[0].arg == TIME_NS);
	return time && render_key(c, layout, SRC_TRACE_ID) != NULL;
}

struct tally {
	unsigned long long roots, children, wrong, passed, users;
};

/* A request written by one layout, its root and one span below, and read by whoever takes any. */
static void
check_request(struct tally *t, struct render *d, struct event_reader *e, struct sim_request *r, int parent, int user)
{
	static char line[OUT_LINE_MAX];
	struct render_given given;
	struct sim_request again;
	const char *why;
	char *end = render_span(d, line, r, 0, NULL);

	if (end == line)
		return;
	t->roots++;
	t->wrong += event_read(e, line, (size_t)(end - line) - 1, &again, &given, &why) != EVENT_REQUEST || again.k != r->k ||
	    again.time != r->time || again.user != r->user || again.number != r->number || again.plan->root != r->plan->root;
	t->users += user != (given.user.p != NULL);
	if (!parent || r->nspans < 2 || (end = render_span(d, line, r, 1, NULL)) == line)
		return;
	t->children++;
	t->passed += event_read(e, line, (size_t)(end - line) - 1, &again, &given, &why) != EVENT_BAD;
}

static void
check_catalog(struct tap *tap_of, const char *catalog)
{
	struct sim_traffic *traffic;
	struct sim_request r;
	struct tally t = { 0 };
	struct event_reader *any;
	struct world w;
	struct sim s, other;
	char text[1024];
	int layouts = 0;

	make_world(&w, catalog);
	if (sim_open(&s, &w, 0, text, sizeof(text)) == -1 || sim_open(&other, &w, 0, text, sizeof(text)) == -1 ||
	    (any = event_open(&other, -1, text, sizeof(text))) == NULL)
		errx(1, "%s", text);
	for (int i = 0; i < s.c->nlayouts; i++) {
		struct render *d;
		int n = 0;

		if (!has_keys(s.c, i))
			continue;
		if ((d = render_open(&s, i, RENDER_SPANS, RENDER_JSON, text, sizeof(text))) == NULL)
			errx(1, "%s", text);
		s.whole = 1;
		if ((traffic = sim_traffic(&s, w.begin, w.end)) == NULL)
			err(1, NULL);
		while (n++ < 300 && sim_next(traffic, &r) == 1)
			check_request(&t, d, any, &r, render_key(s.c, i, SRC_SPAN_PARENT) != NULL, render_key(s.c, i, SRC_USER_ID) != NULL);
		sim_traffic_free(traffic);
		render_free(d);
		layouts++;
	}
	tap(tap_of, t.roots > 290ULL * (unsigned)layouts && layouts > 2, "%s: %d layouts, %llu events", catalog, layouts, t.roots);
	tap(tap_of, t.wrong == 0, "%s: each is read as the request that it was written of (%llu are not)", catalog, t.wrong);
	tap(tap_of, t.users == 0, "%s: users come from where they stand (%llu)", catalog, t.users);
	tap(tap_of, t.children > 100 && t.passed == 0, "%s: no span below is taken for an event (%llu of %llu)", catalog, t.passed,
	    t.children);
	event_free(any);
	sim_close(&s);
	sim_close(&other);
	world_free(&w);
}

/* What is said of a line that ends so; else "other". */
static const char *
said(struct event_reader *e, const char *line, enum event_found want)
{
	struct render_given given;
	struct sim_request r;
	const char *why = "fine";

	return event_read(e, line, strlen(line), &r, &given, &why) == want ? why : "other";
}

static void
check_words(struct tap *t)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{ "{\"trace_id\":\"x\"}", "no \"timestamp\"" },
		{ "{\"timestamp\":\"2025-01-02T00:00:00Z\"}", "no \"trace_id\"" },
		{ "{\"timestamp\":null,\"trace_id\":\"x\"}", "no \"timestamp\"" },
		{ "{\"timestamp\":\"2025-01-02T00:00:00Z\",\"trace_id\":\"x\"}", "\"trace_id\" is no trace id of this catalog" },
		{ "{\"timestamp\":\"2025-01-02T00:00:00Z\",\"trace_id\":7}", "\"trace_id\" is no trace id of this catalog" },
		{ "{\"timestamp\":\"2025-01-02T00:00:00Z\",\"trace_id\":\"00000000000000000000000000000000\"}",
		    "an event of another world" },
		{ "[]", "not a JSON object" },
	};
	struct event_reader *wide, *any, *none;
	struct world w;
	struct sim s;
	char text[1024];
	int good = 1;

	make_world(&w, "social");
	if (sim_open(&s, &w, 0, text, sizeof(text)) == -1)
		errx(1, "%s", text);
	wide = event_open(&s, catalog_layout(s.c, "wide", 4), text, sizeof(text));
	any = event_open(&s, -1, text, sizeof(text));
	if (wide == NULL || any == NULL)
		errx(1, "%s", text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		good &= strcmp(said(wide, bad[i].line, EVENT_BAD), bad[i].why) == 0 &&
		    strcmp(said(any, bad[i].line, EVENT_BAD), bad[i].why) == 0;
	tap(t, good, "what is wrong with a line is said");
	none = event_open(&s, catalog_layout(s.c, "metrics", 7), text, sizeof(text));
	tap(t, none == NULL && strcmp(text, "layout \"metrics\" has no time or no trace id") == 0, "a layout without time or trace id: %s",
	    text);
	event_free(wide);
	event_free(any);
	sim_close(&s);
	world_free(&w);
}

int
main(void)
{
	struct tap t = { 0 };

	(void)setenv("OG_SHARE", "share/og", 1);
	check_catalog(&t, "social");
	check_catalog(&t, "shop");
	check_catalog(&t, "fibersqs");
	check_words(&t);
	return tap_end(&t);
}
