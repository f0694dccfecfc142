/* What world promises: worlds read back as they were made, stay when they grow, and are refused when they are wrong. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "mix.h"
#include "tap.h"
#include "world.h"

#define ERROR_MAX 4096

/* Text as a stream; NULL reader: only to be called with text that has an end. */
static int
read_of(const char *catalog, struct world *w, const char *text, size_t n, char *err, size_t errsize)
{
	FILE *f = tmpfile();
	struct rec in;
	int r = -1;

	if (f == NULL || fwrite(text, 1, n, f) != n || fflush(f) != 0 || fseek(f, 0, SEEK_SET) != 0 ||
	    rec_open(&in, fileno(f), "w", NULL, 0) == -1)
		exit(2);
	r = world_read(w, &in, catalog, err, errsize);
	rec_close(&in);
	(void)fclose(f);
	return r;
}

static int
read_text(struct world *w, const char *text, size_t n, char *err, size_t errsize)
{
	return read_of("share/og/social", w, text, n, err, errsize);
}

/* A world of the catalog social as text, to be freed. */
static char *
make_text(int64_t begin, int64_t end, uint64_t seed, uint64_t users, size_t *n)
{
	char err[ERROR_MAX], *text;
	struct world w = { 0 };
	FILE *f = tmpfile();
	struct out o;
	long size;

	if (f == NULL || catalog_load(&w.cat, "share/og/social", err, sizeof(err), NULL, NULL) == -1)
		exit(2);
	w.begin = begin;
	w.end = w.until = end;
	w.seed = seed;
	w.users = users;
	w.requests = 1000;
	w.depth = 3;
	if (world_limits(&w) != NULL || out_open(&o, dup(fileno(f)), 0) == -1 || world_make(&w, &o, err, sizeof(err)) == -1 ||
	    out_close(&o) == -1)
		exit(2);
	world_free(&w);
	if (fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || (text = malloc((size_t)size + 1)) == NULL)
		exit(2);
	rewind(f);
	if (fread(text, 1, (size_t)size, f) != (size_t)size)
		exit(2);
	text[size] = '\0';
	(void)fclose(f);
	*n = (size_t)size;
	return text;
}

static int64_t
at(const char *time)
{
	int64_t us = 0;

	if (clock_parse(time, strlen(time), &us) == -1)
		exit(2);
	return us;
}

/* What world_load() opens it closes, whether it is a world or not. */
static void
test_load(struct tap *t, const char *text, size_t n)
{
	char path[] = "/tmp/og-world.XXXXXX", err[ERROR_MAX] = "", want[64];
	struct world w;
	int fd = mkstemp(path), next;

	if (fd == -1 || (next = dup(fd)) == -1 || write(fd, text, n) != (ssize_t)n || close(next) != 0)
		exit(2);
	if (tap(t, world_load(&w, path, "share/og/social", err, sizeof(err)) == 0 && w.seed == 42, "a file is read"))
		world_free(&w);
	if (ftruncate(fd, 0) != 0)
		exit(2);
	(void)snprintf(want, sizeof(want), "%s:1: no header: there is nothing to read", path);
	tap(t, world_load(&w, path, NULL, err, sizeof(err)) == -1 && strcmp(err, want) == 0, "and named where it is wrong");
	tap(t, dup(fd) == next, "and closed");
	(void)unlink(path);
	tap(t,
	    world_load(&w, "/nowhere/world", NULL, err, sizeof(err)) == -1 && strcmp(err, "/nowhere/world: No such file or directory") == 0,
	    "there is no such file");
	if (dup2(fd, STDIN_FILENO) == -1)
		exit(2);
	tap(t,
	    world_load(&w, NULL, NULL, err, sizeof(err)) == -1 && strcmp(err, "<stdin>:1: no header: there is nothing to read") == 0 &&
		fcntl(STDIN_FILENO, F_GETFD) != -1,
	    "standard input stays open");
}

static int
count_lines(const char *text, const char *kind)
{
	char head[64];
	int n = 0;

	(void)snprintf(head, sizeof(head), "{\"kind\":\"%s\",", kind);
	for (const char *p = text; *p != '\0'; p = strchr(p, '\n') + 1)
		n += strncmp(p, head, strlen(head)) == 0;
	return n;
}

/* Where a release of this number stands among those of a deployment; -1. */
static int
find_number(const struct world *w, int service, int place, uint64_t number)
{
	int n, first = world_releases(w, service, place, &n);

	for (int i = first; i < first + n; i++)
		if (w->release[i].number == number)
			return i;
	return -1;
}

static void
test_order(struct tap *t, const struct world *w)
{
	int sorted = 1, grouped = 1, five = 1, grows = 1, sum = 0;

	for (int s = 0; s < w->cat.nservices; s++)
		for (int p = 0; p < w->cat.nplaces; p++) {
			int n, first = world_releases(w, s, p, &n);

			five &= n >= 5;
			sum += n;
			for (int i = first; i < first + n; i++) {
				grouped &= w->release[i].service == s && w->release[i].place == p;
				sorted &= i == first || w->release[i - 1].from < w->release[i].from;
				grows &= i == first || w->release[i].number > w->release[i - 1].number;
			}
		}
	tap(t, sum == w->nreleases && grouped, "releases are found by service and place");
	tap(t, sorted, "in order of time");
	tap(t, grows, "their numbers grow");
	tap(t, five, "every deployment has five at least");
}

static int
within(int64_t us, double lo, double hi)
{
	double minutes = (double)us / (double)CLOCK_MINUTE;

	return minutes >= lo && minutes <= hi;
}

/* The catalog social: 3 to 10 minutes after creation, 5 to 15 long, 30 to 60 between places; bad ones thrice as long. */
static void
test_rollouts(struct tap *t, const struct world *w)
{
	int delay = 1, length = 1, stagger = 1, strength = 1, release = 1, sorted = 1, within_world = 1, bad = 0, normal = 0;
	int pairs = 0;

	for (int i = 0; i < w->nrollouts; i++) {
		const struct world_rollout *r = &w->rollout[i];
		const struct world_release *l = &w->release[r->release];
		int before = r->place == 0 ? -1 : find_number(w, r->service, r->place - 1, l->number);

		release &= r->service == l->service && r->place == l->place && r->start == l->from && r->end == l->to;
		sorted &= i == 0 || w->rollout[i - 1].start <= r->start;
		within_world &= r->start >= w->begin && r->start < w->end;
		delay &= within(r->start - l->created, 3, 10);
		if (before != -1)
			stagger &= within(l->created - w->release[before].created, 30, 60);
		pairs += before != -1;
		if (r->errors > 0.05) {
			bad++;
			length &= within(r->end - r->start, 15, 45);
			strength &= r->traffic >= 0.4 && r->traffic <= 0.7 && r->errors >= 0.06 && r->errors <= 0.15 && r->latency >= 1.6 &&
			    r->latency <= 2.5;
		} else {
			normal++;
			length &= within(r->end - r->start, 5, 15);
			strength &= r->traffic >= 0.7 && r->traffic <= 0.85 && r->errors >= 0.02 && r->latency >= 1.2 && r->latency <= 1.5;
		}
	}
	tap(t, release, "a rollout is when traffic moves to its release");
	tap(t, sorted && within_world, "rollouts start within the world, in order");
	tap(t, delay, "3 to 10 minutes after the release");
	tap(t, length, "5 to 15 minutes long, bad ones thrice that");
	tap(t, stagger && pairs > 0, "30 to 60 minutes from place to place");
	tap(t, strength, "with losses, errors and delays within their bounds");
	/* 4 % of some 5,000: 200, and 14 the spread. */
	tap(t, bad > normal / 34 && bad < normal / 18, "%d bad ones among %d", bad, bad + normal);
}

/* Two builds of a service are never on their way at the same time. */
static void
test_overlap(struct tap *t, const struct world *w)
{
	int last = w->cat.nplaces - 1, overlap = 0;

	for (int s = 0; s < w->cat.nservices; s++) {
		int n, first = world_releases(w, s, last, &n);

		for (int i = first; i < first + n; i++) {
			int next = find_number(w, s, 0, w->release[i].number + 1);

			overlap += next != -1 && w->release[next].created < w->release[i].to;
		}
	}
	tap(t, overlap == 0, "one build has gone round before the next one comes");
}

static int
is_line_of(const char *text, const char *line, size_t n)
{
	const char *p = text;

	while ((p = strstr(p, "\n")) != NULL && *++p != '\0')
		if (strncmp(p, line, n) == 0)
			return 1;
	return 0;
}

/* All lines but the header are lines of the other text; looked for in order, as both have the same. */
static int
is_part(const char *text, const char *of)
{
	const char *from = strchr(of, '\n') + 1;

	for (const char *p = strchr(text, '\n') + 1, *end; *p != '\0'; p = end) {
		size_t n;

		end = strchr(p, '\n') + 1;
		n = (size_t)(end - p);
		while (*from != '\0' && strncmp(from, p, n) != 0)
			from = strchr(from, '\n') + 1;
		if (*from == '\0')
			return 0;
	}
	return 1;
}

static void
test_growth(struct tap *t)
{
	size_t n[5];
	char *week = make_text(at("2025-03-03"), at("2025-03-10"), 42, 1000, &n[0]);
	char *same = make_text(at("2025-03-03"), at("2025-03-10"), 42, 1000, &n[1]);
	char *longer = make_text(at("2025-03-03"), at("2025-07-01T06:15:00Z"), 42, 1000, &n[2]);
	char *users = make_text(at("2025-03-03"), at("2025-03-10"), 42, 70000, &n[3]);
	char *other = make_text(at("2025-03-03"), at("2025-03-10"), 43, 1000, &n[4]);

	tap(t, n[0] == n[1] && memcmp(week, same, n[0]) == 0, "same seed, same bytes");
	tap(t, strcmp(strchr(week, '\n'), strchr(other, '\n')) != 0, "another seed, other bytes");
	tap(t, is_part(week, longer) && n[2] > n[0], "a later end keeps every line");
	tap(t, strcmp(strchr(week, '\n'), strchr(users, '\n')) == 0 && strcmp(week, users) != 0, "more users change the header alone");
	tap(t, count_lines(week, "release") >= 5 * count_lines(week, "deployment"), "a week has five releases a deployment");
	free(week);
	free(same);
	free(longer);
	free(users);
	free(other);
}

/*
 * Incidents.
 */
static void
test_random(struct tap *t, struct world *w)
{
	char err[ERROR_MAX];
	struct world_draft d;
	int per[64] = { 0 }, length = 1, inside = 1, ramp = 1, counts = 1, overlap = 0, shared = 1, places[16] = { 0 };

	tap(t, world_draft(&d, w, NULL, err, sizeof(err)) == 0 && world_draft_rates(&d) == 0 && world_draft_name(&d) == 0,
	    "incidents are drafted");
	for (int i = 0; i < d.n; i++) {
		const struct world_incident *x = &d.fresh[i].x;

		for (int k = 0; k < w->ncomponents; k++)
			per[k] += strcmp(w->component[k], x->component) == 0;
		length &= within(x->end - x->start, 5, 240);
		inside &= x->start >= w->begin && x->start < w->end;
		ramp &= x->ramp >= 0 && x->ramp <= (x->end - x->start) / 2;
		shared &=
		    x->neffects >= 1 && x->neffects <= 2 && x->effect[0].what == EFFECT_ERRORS && x->effect[0].add > 0 && x->nplaces == 1;
		shared &= x->neffects == 1 || (x->effect[1].what == EFFECT_LATENCY && x->effect[1].factor > 1);
		places[x->place[0]]++;
		for (int k = 0; k < i; k++)
			overlap += strcmp(d.fresh[k].x.component, x->component) == 0 && d.fresh[k].x.end > x->start;
	}
	for (int k = 0; k < w->ncomponents; k++)
		counts &= per[k] >= 2 && per[k] <= 8;
	tap(t, counts, "2 to 8 for a component and year");
	tap(t, length, "5 minutes to 4 hours long");
	tap(t, inside, "within the world");
	tap(t, ramp, "with ramps of half their length at most");
	tap(t, shared, "in one place each, with errors and delays");
	tap(t, overlap == 0, "none of a component overlap");
	tap(t, places[0] + places[1] + places[2] + places[3] + places[4] + places[5] == d.n && d.n > 12, "%d in all", d.n);
	world_draft_free(&d);
}

/* Of two effects of an occurrence, the one is as bad as the other: ranks agree wholly. */
static void
test_severity(struct tap *t, struct world *w)
{
	char err[ERROR_MAX];
	struct world_draft d;
	int same = 0, other = 0;

	if (world_draft(&d, w, "default", err, sizeof(err)) == -1 || world_draft_rates(&d) == -1)
		exit(2);
	for (int i = 0; i < d.n; i++)
		for (int k = 0; k < i; k++) {
			const struct world_effect *a = d.fresh[i].x.effect, *b = d.fresh[k].x.effect;

			if (strcmp(d.fresh[i].x.component, d.fresh[k].x.component) == 0 && d.fresh[i].x.neffects == 2 &&
			    d.fresh[k].x.neffects == 2) {
				same += (a[0].add - b[0].add) * (a[1].factor - b[1].factor) >= 0;
				other += (a[0].add - b[0].add) * (a[1].factor - b[1].factor) < 0;
			}
		}
	tap(t, same > 20 && other == 0, "a bad one is bad in all: %d pairs agree, %d do not", same, other);
	world_draft_free(&d);
	tap(t,
	    world_draft(&d, w, "spec", err, sizeof(err)) == 0 && world_draft_rates(&d) == 0 && d.n > 12 &&
		d.fresh[0].x.effect[0].add <= 0.004,
	    "level spec has rates of a few in a thousand");
	world_draft_free(&d);
	tap(t, world_draft(&d, w, "mild", err, sizeof(err)) == -1 && strcmp(err, "no level \"mild\"") == 0, "an unknown level is refused");
}

static void
test_join(struct tap *t, struct world *w)
{
	char err[ERROR_MAX];
	struct world_draft d;
	int sorted = 1, n;

	if (world_draft(&d, w, NULL, err, sizeof(err)) == -1 || world_draft_rates(&d) == -1 || world_draft_name(&d) == -1)
		exit(2);
	n = d.n;
	tap(t, world_draft_join(&d) == 0 && w->nincidents == n, "a draft joins the world");
	for (int i = 1; i < w->nincidents; i++)
		sorted &= w->incident[i - 1].start <= w->incident[i].start;
	tap(t, sorted && w->incident[0].name == mix_name(w->incident[0].id, strlen(w->incident[0].id)), "in order, by name");
	world_draft_free(&d);
	if (world_draft(&d, w, NULL, err, sizeof(err)) == -1 || world_draft_rates(&d) == -1)
		exit(2);
	tap(t, world_draft_name(&d) == -1 && strstr(err, "is in the world already") != NULL, "and cannot join twice");
	world_draft_free(&d);
}

/*
 * What is refused.
 */
#define PLACE "prod:aws:111111111111:us-east-1:platform:eks:main"
#define OTHER "prod:aws:111111111111:us-west-2:platform:eks:main"
#define PARTS_OF(region)                                                                                \
	"\"environment\":\"prod\",\"provider\":\"aws\",\"account\":\"111111111111\",\"region\":" region \
	",\"partition\":\"platform\",\"target_type\":\"eks\",\"target\":\"main\""
#define EAST "{\"kind\":\"place\",\"id\":\"" PLACE "\"," PARTS_OF("\"us-east-1\"") ",\"weight\":0.51}\n"
#define WEST(region, weight) "{\"kind\":\"place\",\"id\":\"" OTHER "\"," PARTS_OF(region) weight "}\n"
#define DEPLOYMENT "{\"kind\":\"deployment\",\"id\":\"d\",\"service\":\"user:profile\",\"place\":\"" PLACE "\"}\n"
#define THINGS                                                                                             \
	EAST "{\"kind\":\"service\",\"id\":\"user:profile\",\"stack\":\"user\",\"service\":\"profile\"}\n" \
	     "{\"kind\":\"component\",\"id\":\"disk\",\"type\":\"\",\"services\":[\"user:profile\"]}\n" DEPLOYMENT
#define OF_D "\"deployment\":\"d\",\"service\":\"user:profile\",\"place\":\"" PLACE "\""
#define RELEASE(id, from, to)                                                                                            \
	"{\"kind\":\"release\",\"id\":\"" id "\"," OF_D ",\"number\":7,\"created\":\"2025-01-01\",\"live_from\":\"" from \
	"\",\"live_to\":\"" to "\"}\n"
#define GOOD_RELEASE RELEASE("r", "2025-01-01T00:05:00Z", "2025-01-01T00:10:00Z")
#define ROLLOUT(id, release, end, more)                                                                                                  \
	"{\"kind\":\"rollout\",\"id\":\"" id "\",\"release\":\"" release "\"," OF_D ",\"start\":\"2025-01-01T00:05:00Z\",\"end\":\"" end \
	"\"," more "}\n"
#define MILD "\"throughput\":0.8,\"errors\":0.03,\"latency\":1.3"
#define INCIDENT(component, times, places, effects)                                                                                      \
	"{\"kind\":\"incident\",\"id\":\"i\",\"component\":\"" component "\",\"role\":\"cause\",\"type\":\"t\",\"message\":\"m\"," times \
	",\"places\":[" places "],\"effects\":[" effects "],\"services\":[]}\n"
#define HOUR "\"start\":\"2025-01-01T10:00:00Z\",\"end\":\"2025-01-01T11:00:00.000001Z\",\"ramp_s\":60.5"
#define SLOW "{\"what\":\"latency\",\"targets\":[\"user:profile\"],\"factor\":2.5}"
#define FAIL(add, codes) "{\"what\":\"errors\",\"targets\":[\"user:profile\"],\"add\":" add ",\"codes\":[" codes "]}"

/* Behind a good header and the lines above; `what` is the message without "w:LINE: ", NULL: it is taken. */
static const struct {
	const char *text, *what;
} cases[] = {
	{ "", NULL },
	{ GOOD_RELEASE ROLLOUT("o", "r", "2025-01-01T00:10:00Z", MILD), NULL },
	{ INCIDENT("disk", HOUR, "", SLOW "," FAIL("0.5", "\"503\",\"500\"")), NULL },
	{ INCIDENT("disk", HOUR, "\"" PLACE "\"", ""), NULL },
	{ INCIDENT("disk", HOUR, "", "{\"what\":\"latency\",\"targets\":[\"*\"],\"add\":30}"), NULL },
	{ "{ \"id\" : \"x\", \"note\": [1, {}], \"services\": [ ], \"type\":\"t\", \"kind\" : \"component\" }\n", NULL },
	{ "{\"kind\":\"component\",\"id\":\"\\u0064isc\",\"type\":\"\",\"services\":[]}\n", NULL },
	{ "{\"kind\":\"component\",\"id\":\"\\u0064isk\",\"type\":\"\",\"services\":[]}\n", "duplicate id \"disk\"" },
	{ "{\"kind\":\"planet\",\"id\":\"x\"}\n", "unknown kind \"planet\"" },
	{ "{\"id\":\"x\"}\n", "no \"kind\"" },
	{ "{\"kind\":7}\n", "\"kind\" is not a string" },
	{ "{\"kind\":\"place\"}\n", "no \"id\"" },
	{ "{\"kind\":\"place\",\"id\":7}\n", "\"id\" is not a string" },
	{ "{\"kind\":\"component\",\"id\":\"\",\"services\":[]}\n", "\"id\" is empty" },
	{ "{\"kind\":\"place\",\"id\":\"mars\"}\n", "no place \"mars\"" },
	{ EAST, "duplicate id \"" PLACE "\"" },
	{ "{\"kind\":\"service\",\"id\":\"user:x\"}\n", "no service \"user:x\"" },
	{ "{\"kind\":\"component\",\"id\":\"x\",\"services\":[\"y\"]}\n", "no service \"y\"" },
	{ "{\"kind\":\"component\",\"id\":\"x\",\"services\":\"y\"}\n", "\"services\" is not a list of strings" },
	{ "{\"kind\":\"component\",\"id\":\"x\",\"services\":[1]}\n", "\"services\" is not a list of strings" },
	{ "{\"kind\":\"deployment\",\"id\":\"e\",\"service\":\"user:account\",\"place\":\"" PLACE "\"}\n", "no service \"user:account\"" },
	{ DEPLOYMENT, "duplicate id \"d\"" },
	{ "{\"kind\":\"release\",\"id\":\"r\",\"deployment\":\"e\"}\n", "no deployment \"e\"" },
	{ "{\"kind\":\"release\",\"id\":\"r\",\"deployment\":\"d\",\"service\":\"user:account\"}\n",
	    "\"service\" is not that of the deployment" },
	{ "{\"kind\":\"release\",\"id\":\"r\"," OF_D ",\"number\":-1}\n", "\"number\" is not a whole number" },
	{ "{\"kind\":\"release\",\"id\":\"r\"," OF_D ",\"number\":1,\"created\":\"soon\"}\n",
	    "\"created\" is not a time such as 2025-12-03T12:20:00Z" },
	{ RELEASE("r", "2024-12-31", "2025-01-02"), "\"live_from\" is before \"created\"" },
	{ RELEASE("r", "2025-01-03", "2025-01-02"), "\"live_to\" is before \"live_from\"" },
	{ GOOD_RELEASE GOOD_RELEASE, "duplicate id \"r\"" },
	{ ROLLOUT("o", "r", "2025-01-02", MILD), "no release \"r\"" },
	{ GOOD_RELEASE ROLLOUT("o", "r", "2024-01-01", MILD), "\"end\" is before \"start\"" },
	{ GOOD_RELEASE ROLLOUT("o", "r", "2025-01-02", "\"throughput\":1.1,\"errors\":0,\"latency\":1"), "\"throughput\" is above 1" },
	{ GOOD_RELEASE ROLLOUT("o", "r", "2025-01-02", "\"throughput\":1,\"errors\":-0.1,\"latency\":1"), "\"errors\" is below 0" },
	{ GOOD_RELEASE ROLLOUT("o", "r", "2025-01-02", "\"throughput\":1,\"errors\":0,\"latency\":\"1\""), "\"latency\" is not a number" },
	{ GOOD_RELEASE ROLLOUT("o", "r", "2025-01-02", "\"throughput\":1,\"errors\":0"), "no \"latency\"" },
	{ GOOD_RELEASE ROLLOUT("o", "r", "2025-01-02", MILD) ROLLOUT("o", "r", "2025-01-02", MILD), "duplicate id \"o\"" },
	{ INCIDENT("tape", HOUR, "", SLOW), "no component \"tape\"" },
	{ INCIDENT("disk", HOUR, "\"mars\"", SLOW), "no place \"mars\"" },
	{ INCIDENT("disk", "\"start\":\"2025-01-01\",\"end\":\"2025-01-01\",\"ramp_s\":0", "", SLOW), "\"end\" is not after \"start\"" },
	{ INCIDENT("disk", "\"start\":\"2025-01-01\",\"end\":\"2025-01-02\",\"ramp_s\":43201", "", SLOW),
	    "\"ramp_s\" is more than half of the incident" },
	{ INCIDENT("disk", "\"start\":\"2025-01-01\",\"end\":\"2025-01-02\",\"ramp_s\":-1", "", SLOW),
	    "\"ramp_s\" is not a number of seconds" },
	{ INCIDENT("disk", HOUR, "", "7"), "\"effects\" is not a list of objects" },
	{ INCIDENT("disk", HOUR, "", "{\"what\":\"colour\"}"), "no effect \"colour\"" },
	{ INCIDENT("disk", HOUR, "", "{\"what\":\"errors\",\"what\":\"errors\"}"), "\"effects\": key \"what\" twice" },
	{ INCIDENT("disk", HOUR, "", "{\"what\":\"latency\",\"targets\":[]}"), "\"targets\" is empty" },
	{ INCIDENT("disk", HOUR, "", "{\"what\":\"latency\",\"targets\":[\"user:x\"]}"), "no operation or service \"user:x\"" },
	{ INCIDENT("disk", HOUR, "", "{\"what\":\"latency\",\"targets\":[\"*\"],\"factor\":-1}"), "\"factor\" is below 0" },
	{ INCIDENT("disk", HOUR, "", "{\"what\":\"traffic\",\"targets\":[\"*\"],\"factor\":1.5}"), "\"factor\" is above 1" },
	{ INCIDENT("disk", HOUR, "", "{\"what\":\"latency\",\"targets\":[\"*\"],\"when\":\"maybe\"}"),
	    "no such condition in the catalog: \"maybe\"" },
	{ INCIDENT("disk", HOUR, "", FAIL("1.01", "\"503\"")), "\"add\" is above 1" },
	{ INCIDENT("disk", HOUR, "", FAIL("0.5", "\"999\"")), "no code \"999\"" },
	{ INCIDENT("disk", HOUR, "", FAIL("0.5", "\"503\",\"200\"")), "code \"200\" is no failure" },
	{ INCIDENT("disk", HOUR, "", FAIL("0.5", "")), "\"codes\" is empty" },
	{ INCIDENT("disk", HOUR, "", SLOW) INCIDENT("disk", HOUR, "", SLOW), "duplicate id \"i\"" },
	{ WEST("\"us-west-2\"", ",\"weight\":0.34"), NULL },
	{ WEST("\"us-west-2\"", ",\"weight\":5"), "\"weight\" is not that of the catalog, which decides it" },
	{ WEST("\"us-west-2\"", ",\"weight\":-1"), "\"weight\" is below 0" },
	{ WEST("\"us-west-2\"", ",\"weight\":\"x\""), "\"weight\" is not a number" },
	{ WEST("\"us-west-2\"", ""), "no \"weight\"" },
	{ WEST("\"us-west-3\"", ",\"weight\":0.34"), "\"region\" is not that of the catalog, which decides it" },
	{ WEST("0", ",\"weight\":0.34"), "\"region\" is not a string" },
	{ WEST("null", ",\"weight\":0.34"), "\"region\" is not a string" },
	{ "{\"kind\":\"place\",\"id\":\"" OTHER "\",\"weight\":0.34}\n", "no \"environment\"" },
	{ "{\"kind\":\"service\",\"id\":\"user:account\",\"stack\":\"user\",\"service\":\"account\"}\n", NULL },
	{ "{\"kind\":\"service\",\"id\":\"user:account\",\"stack\":{},\"service\":\"account\"}\n", "\"stack\" is not a string" },
	{ "{\"kind\":\"service\",\"id\":\"user:account\",\"stack\":\"user\"}\n", "no \"service\"" },
	{ "{\"kind\":\"service\",\"id\":\"user:account\",\"stack\":\"x\",\"service\":\"account\"}\n",
	    "\"stack\" is not that of the catalog, which decides it" },
	{ "{\"kind\":\"component\",\"id\":\"x\",\"services\":[]}\n", "no \"type\"" },
	{ "{\"kind\":\"component\",\"id\":\"x\",\"type\":[],\"services\":[]}\n", "\"type\" is not a string" },
	{ "{\"kind\":\"component\",\"id\":\"aurora_primary\",\"type\":\"moon\",\"services\":[]}\n",
	    "\"type\" is not that of the catalog, which decides it" },
	{ "\n", "not a JSON object" },
	{ "{\"kind\":\"place\",\"id\":\"" PLACE "\"", "not a JSON object" },
	{ "{\"kind\":\"component\",\"id\":\"\xff\",\"services\":[]}\n", "invalid UTF-8" },
	{ "{\"kind\":\"component\",\"id\":\"a\",\"id\":\"b\",\"services\":[]}\n", "key \"id\" twice" },
};

static void
test_refusals(struct tap *t, const char *header)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[16384], err[ERROR_MAX] = "";
		struct world w;
		int n = snprintf(text, sizeof(text), "%s%s%s", header, THINGS, cases[i].text), r;
		const char *what = err;

		r = read_text(&w, text, (size_t)n, err, sizeof(err));
		if (strncmp(err, "w:", 2) == 0 && strchr(err + 2, ' ') != NULL)
			what = strchr(err + 2, ' ') + 1;
		if (!tap(t, cases[i].what == NULL ? r == 0 : r == -1 && strcmp(what, cases[i].what) == 0, "%s: %zu",
			cases[i].what == NULL ? "taken" : cases[i].what, i))
			printf("# %d %s\n", r, err);
		if (r == 0)
			world_free(&w);
	}
}

/* Replace the first `old` in the header; the message that comes of it. */
static int
header_says(const char *header, const char *old, const char *new, const char *what)
{
	const char *p = strstr(header, old);
	char text[4096], err[ERROR_MAX] = "";
	struct world w;
	int n;

	if (p == NULL)
		return 0;
	n = snprintf(text, sizeof(text), "%.*s%s%s", (int)(p - header), header, new, p + strlen(old));
	if (read_text(&w, text, (size_t)n, err, sizeof(err)) == 0) {
		int warned = w.warning != NULL && strcmp(w.warning, what) == 0;

		world_free(&w);
		return warned;
	}
	if (strcmp(err, what) != 0)
		printf("# %s\n", err);
	return strcmp(err, what) == 0;
}

static void
test_header(struct tap *t, const char *header)
{
	static const struct {
		const char *old, *new, *what;
	} change[] = {
		{ "\"format\":1", "\"format\":2", "w:1: format 2, not 1" },
		{ "\"social\"", "\"shop\"", "w:1: a world of catalog \"shop\", not \"social\"" },
		{ "\"social\"", "\"../social\"", "w:1: \"catalog\" is a name, not a path" },
		{ "\"seed\":42,", "", "w:1: no \"seed\"" },
		{ "\"seed\":42", "\"seed\":18446744073709551616", "w:1: \"seed\" is not a whole number" },
		{ "2025-03-03T00:00:00Z", "2025-03-03T00:10:00Z", "w:1: begin is not a multiple of 15 minutes" },
		{ "2025-03-03T00:00:00Z", "2025-03-10T00:00:00Z", "w:1: begin is not before end" },
		{ "2025-03-03T00:00:00Z", "1979-12-31T23:45:00Z", "w:1: begin is before 1980" },
		{ "\"end\":\"2025-03-10T00:00:00Z\"", "\"end\":\"2025-03-10T00:00:01Z\"", "w:1: end is not a multiple of 15 minutes" },
		{ "\"end\":\"2025-03-10T00:00:00Z\"", "\"end\":\"2225-03-10T00:00:00Z\"", "w:1: more than 100 years from begin to end" },
		{ "\"requests_until\":\"2025-03-10", "\"requests_until\":\"2025-03-03", "w:1: begin is not before requests_until" },
		{ "\"users\":1000", "\"users\":0", "w:1: users is not between 1 and 1000000000" },
		{ "\"requests\":1000", "\"requests\":500000000001", "w:1: requests is not between 1 and 500000000000" },
		{ "\"depth\":3", "\"depth\":65", "w:1: depth is not between 0 and 64" },
		{ "\"depth\":3", "\"depth\":3.5", "w:1: \"depth\" is not a whole number" },
		{ "\"catalog_digest\":\"", "\"catalog_digest\":\"x",
		    "w:1: the tables of the catalog have changed since this world was made" },
		{ "\"kind\":\"world\"", "\"kind\":\"place\"", "w:1: no header: the first line must be of kind \"world\"" },
	};
	char twice[4096], err[ERROR_MAX];
	struct world w;
	int n = snprintf(twice, sizeof(twice), "%s%s", header, header);

	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++)
		tap(t, header_says(header, change[i].old, change[i].new, change[i].what), "%s", change[i].what);
	tap(t, read_text(&w, twice, (size_t)n, err, sizeof(err)) == -1 && strcmp(err, "w:2: two headers") == 0, "two headers");
	tap(t, read_text(&w, "", 0, err, sizeof(err)) == -1 && strcmp(err, "w:1: no header: there is nothing to read") == 0,
	    "an empty world");
}

/* A message is cut between characters, never within one. */
static void
test_cut(struct tap *t, const char *header)
{
	char text[4096], err[64];
	struct world w;
	int n, whole = 1;

	for (int lead = 0; lead < 3; lead++) {
		n = snprintf(text, sizeof(text), "%s{\"kind\":\"place\",\"id\":\"%.*s", header, lead, "xx");
		for (int i = 0; i < 60; i++)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "\xe2\x82\xac");
		n += snprintf(text + n, sizeof(text) - (size_t)n, "\"}\n");
		if (read_text(&w, text, (size_t)n, err, sizeof(err)) != -1)
			exit(2);
		whole &= (strlen(err) - strlen("w:2: no place \"") - (size_t)lead) % 3 == 0 && strlen(err) > 55;
	}
	tap(t, whole, "a long message ends with a whole character");
}

static void
test_numbers(struct tap *t)
{
	static const struct {
		double value;
		int places;
		const char *text;
	} number[] = {
		{ 0, 4, "0" },
		{ 1, 4, "1" },
		{ 0.85, 4, "0.85" },
		{ 0.00015, 6, "0.00015" },
		{ 2.00004, 4, "2" },
		{ 1.99996, 4, "2" },
		{ 12345.6789, 3, "12345.679" },
		{ -0.5, 2, "-0.5" },
		{ 10, 0, "10" },
	};
	int good = 1;

	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
		char got[64] = "", want[64];
		FILE *f = tmpfile();
		struct out o;

		if (f == NULL || out_open(&o, dup(fileno(f)), 0) == -1)
			exit(2);
		world_put_number(&o, "x", number[i].value, number[i].places);
		out_put(&o, "\n", 1);
		if (out_close(&o) == -1)
			exit(2);
		rewind(f);
		(void)snprintf(want, sizeof(want), ",\"x\":%s\n", number[i].text);
		good &= fgets(got, sizeof(got), f) != NULL && strcmp(got, want) == 0;
		if (strcmp(got, want) != 0)
			printf("# got %s# want %s", got, want);
		(void)fclose(f);
	}
	tap(t, good, "numbers are written without zeros at the end");
}

#define CABLES "test/catalogs/cables"

/* A header of the library, and incident lines behind it; its length. */
static size_t
put_world(char *text, size_t size, struct world *w, const struct world_incident *x, int n)
{
	struct out o = { .fd = -1, .buf = text, .size = size };
	int len = world_header(text, size, w);

	if (len < 0)
		exit(2);
	o.len = (size_t)len;
	for (int i = 0; i < w->cat.nincidents; i++) {
		world_put_kind(&o, "component");
		world_put_text(&o, "id", w->cat.incident[i].component);
		world_put_text(&o, "type", w->cat.incident[i].type == NULL ? "" : w->cat.incident[i].type);
		world_put_open(&o, "services");
		world_put_close(&o);
		world_put_end(&o);
		i += i == 0; /* the second row is about the same one */
	}
	for (int i = 0; i < n; i++)
		world_put_incident(&o, &w->cat, &x[i]);
	return o.len;
}

/* Bursts do not overlap, stay inside, begin as often and last as long as the catalog says, and not by the clock. */
static void
test_bursts(struct tap *t, const struct world_incident *x)
{
	double pause = 0, length = 0, least = 1e9, most = 0;
	int apart = 1, n = x->nbursts;

	for (int i = 0; i < n; i++) {
		double gap = i == 0 ? 25 : (double)(x->burst[i].start - x->burst[i - 1].start) / (double)CLOCK_MINUTE;

		apart &= x->burst[i].start < x->burst[i].end && x->burst[i].end <= x->end &&
		    x->burst[i].start >= (i == 0 ? x->start : x->burst[i - 1].end);
		pause += gap / n;
		length += (double)(x->burst[i].end - x->burst[i].start) / (double)CLOCK_MINUTE / n;
		least = gap < least ? gap : least;
		most = gap > most ? gap : most;
	}
	tap(t, x->bursty && n > 60 && n < 90 && apart, "bursts, one after the other");
	tap(t, pause > 22 && pause < 28 && length > 5 && length < 6 && least < 14 && most > 36,
	    "as often and as long as they should, unevenly");
	tap(t,
	    world_next_burst(x, x->burst[3].start) == 3 && world_next_burst(x, x->burst[3].end) == 4 &&
		world_next_burst(x, x->start - 1) == 0 && world_next_burst(x, x->burst[n - 1].end - 1) == n - 1 &&
		world_next_burst(x, x->end) == n,
	    "found by time");
	tap(t,
	    world_strength(x, x->burst[0].start - 1) == 0 && world_strength(x, x->burst[0].start + x->ramp / 2) == 0.5 &&
		world_strength(x, x->burst[0].start + x->ramp) == 1 && world_strength(x, x->burst[0].end) == 0,
	    "each with its ramps");
}

static void
test_cables(struct tap *t)
{
	static char one[1 << 20], two[1 << 20];
	char err[ERROR_MAX] = "";
	struct world w = { 0 }, back;
	struct world_draft d;
	size_t n, m;

	if (catalog_load(&w.cat, CABLES, err, sizeof(err), NULL, NULL) == -1)
		exit(2);
	w.seed = 5;
	w.users = w.requests = 10;
	w.begin = w.cat.set.begin;
	w.end = w.until = w.cat.set.end;
	n = put_world(one, sizeof(one), &w, NULL, 0);
	world_free(&w);
	if (!tap(t, read_of(CABLES, &w, one, n, err, sizeof(err)) == 0, "a world with links")) {
		printf("# %s\n", err);
		return;
	}
	if (world_draft(&d, &w, "easy", err, sizeof(err)) == -1 || world_draft_rates(&d) == -1 || world_draft_name(&d) == -1 ||
	    world_draft_join(&d) == -1)
		printf("# %s\n", err);
	tap(t, w.nincidents > 8, "incidents of links");
	n = put_world(one, sizeof(one), &w, w.incident, w.nincidents);
	tap(t, read_of(CABLES, &back, one, n, err, sizeof(err)) == 0 && back.nincidents == w.nincidents, "are read back");
	m = put_world(two, sizeof(two), &back, back.incident, back.nincidents);
	tap(t, n == m && memcmp(one, two, n) == 0, "as they were written");
	for (int i = 0; i < back.nincidents; i++)
		if (back.incident[i].bursty)
			test_bursts(t, &back.incident[i]);
	world_draft_free(&d);
	world_free(&w);
	world_free(&back);
}

int
main(void)
{
	struct tap t = { 0 };
	char err[ERROR_MAX] = "", header[4096];
	struct world w;
	size_t n;
	char *year, *week;

	setenv("OG_SHARE", "share/og", 1);
	year = make_text(at("2025-01-01"), at("2026-01-01"), 42, 1000, &n);
	if (!tap(&t, read_text(&w, year, n, err, sizeof(err)) == 0, "a year of social is read")) {
		printf("# %s\n", err);
		return tap_end(&t);
	}
	tap(&t, w.nreleases == count_lines(year, "release") && w.nrollouts == count_lines(year, "rollout"), "whole");
	tap(&t, w.seed == 42 && w.users == 1000 && w.requests == 1000 && w.depth == 3 && w.until == w.end && w.warning == NULL,
	    "as the header says");
	tap(&t, world_header(header, sizeof(header), &w) > 0 && strncmp(header, year, strlen(header)) == 0,
	    "and the header comes out again");
	tap(&t, world_header(header, 100, &w) == -1, "unless there is no room");
	tap(&t, is_line_of(year, "{\"kind\":\"component\",\"id\":\"aurora_primary\"", 40), "components are there");
	test_order(&t, &w);
	test_rollouts(&t, &w);
	test_overlap(&t, &w);
	test_random(&t, &w);
	test_severity(&t, &w);
	test_join(&t, &w);
	world_free(&w);
	free(year);
	test_growth(&t);
	week = make_text(at("2025-03-03"), at("2025-03-10"), 42, 1000, &n);
	test_load(&t, week, n);
	(void)snprintf(header, sizeof(header), "%.*s", (int)(strchr(week, '\n') - week) + 1, week);
	free(week);
	test_header(&t, header);
	test_refusals(&t, header);
	test_cut(&t, header);
	test_numbers(&t);
	test_cables(&t);
	return tap_end(&t);
}
