#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mix.h"
#include "world.h"
#include "world_impl.h"

#define BEFORE 5              /* builds that are live already when the world begins */
#define FIRST_BUILD_YEAR 1970 /* builds are numbered from then on */
#define NUMBER_LOW 50         /* lowest number before the first build, and how many there are to draw from */
#define NUMBER_SPAN 151
#define BAD_LENGTH 3 /* a bad rollout lasts so many times as long */
#define BAD_HARM 3   /* and fails so many times as often */
#define BAD_LOSS 2   /* and drops so many times as much */
#define BAD_ERRORS_MAX 0.5
#define BAD_LOSS_MAX 0.6
#define PLACES 4         /* decimals of what rollouts do */
#define NUMBER_DIGITS 20 /* of a build, at most */
#define ID_MAX 4096      /* bytes */

/* Words of a rollout's key; from ROLL_ID on as many as it takes. */
enum { ROLL_LENGTH, ROLL_BAD, ROLL_TRAFFIC, ROLL_ERRORS, ROLL_LATENCY, ROLL_ID = 8 };

/* A build of a service, which visits one place after the other. */
struct build {
	uint64_t key, number;
	int64_t created, delay; /* us */
};

/* What happens at one place. */
struct release {
	char id[ID_MAX];
	int64_t created, start, end;
	uint64_t key; /* of the rollout's draws */
	int bad;
};

struct maker {
	const struct world *w;
	struct out *out;
	uint64_t builds, rollouts; /* keys */
	int release_id, deployment_id, rollout_id;
	struct build *build; /* of the service at hand */
	int nbuilds, maxbuilds;
	char *err;
	size_t errsize;
};

__attribute__((format(printf, 2, 3))) static int
fail(const struct maker *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(m->err, m->errsize, fmt, ap);
	va_end(ap);
	return -1;
}

/* Minutes as us, in whole seconds. */
static int64_t
draw_minutes(const struct catalog_dist *dist, uint64_t word)
{
	return (int64_t)(world_draw(dist, word) * 60) * CLOCK_SECOND;
}

/* The longest time from a build to the end of its last rollout. */
static int64_t
longest_visit(const struct catalog *c)
{
	double minutes = catalog_dist_max(&c->set.rollout_delay_min) + catalog_dist_max(&c->set.rollout_stagger_min) * (c->nplaces - 1) +
	    catalog_dist_max(&c->set.rollout_length_min) * BAD_LENGTH;

	return minutes < 1e6 ? (int64_t)(minutes * 60) * CLOCK_SECOND : CLOCK_DAY * 365;
}

static uint64_t
builds_in(const struct maker *m, int service, int year, uint64_t *key)
{
	const struct catalog_service *s = &m->w->cat.service[service];
	uint64_t n;

	*key = world_subkey(world_subkey(m->builds, mix_name(s->id, strlen(s->id))), (uint64_t)year);
	n = world_count(&s->releases, *key);
	return n > 0 ? n : 1;
}

/*
 * Build i of n in a year: one in each of n equal parts of it, early enough in its part, if that is long enough, to have left the last place
 * before the next one comes.
 */
static struct build
make_build(const struct maker *m, int year, uint64_t key, uint64_t i, uint64_t n, uint64_t number)
{
	const struct catalog *c = &m->w->cat;
	int64_t begin = world_year(year), part = (world_year(year + 1) - begin) / (int64_t)n, visit = longest_visit(c);
	struct build b = { .key = world_subkey(key, i), .number = number };

	if (visit > part / 2)
		visit = part / 2;
	b.created = begin + part * (int64_t)i + (int64_t)(world_share(mix_at(b.key, 0)) * (double)(part - visit));
	b.created -= b.created % CLOCK_SECOND;
	b.delay = draw_minutes(&c->set.rollout_delay_min, mix_at(b.key, 1));
	return b;
}

static int
add_build(struct maker *m, const struct build *b)
{
	if (m->nbuilds == m->maxbuilds) {
		int most = m->maxbuilds == 0 ? 256 : m->maxbuilds * 2;
		struct build *larger = reallocarray(m->build, (size_t)most, sizeof(*larger));

		if (larger == NULL)
			return fail(m, "%s", strerror(errno));
		m->build = larger;
		m->maxbuilds = most;
	}
	m->build[m->nbuilds++] = *b;
	return 0;
}

/* The builds that matter to the world: those within it and the last ones before. */
static int
make_builds(struct maker *m, int service)
{
	const struct world *w = m->w;
	const struct catalog_service *s = &w->cat.service[service];
	int last = world_year_of(w->end - 1), early = 0;
	uint64_t key = world_subkey(m->builds, mix_name(s->id, strlen(s->id)));
	uint64_t number = NUMBER_LOW + mix_below((uint32_t)(mix_at(key, 0) >> 32), NUMBER_SPAN);

	m->nbuilds = 0;
	for (int year = FIRST_BUILD_YEAR; year <= last; year++) {
		uint64_t n = builds_in(m, service, year, &key);

		/* A year has one build at least, so older years are only counted. */
		for (uint64_t i = 0; i < n && year >= world_year_of(w->begin) - BEFORE; i++) {
			struct build b = make_build(m, year, key, i, n, number + i + 1);

			if (b.created >= w->end)
				break;
			early += b.created < w->begin;
			if (add_build(m, &b) == -1)
				return -1;
		}
		number += n;
	}
	if (early > BEFORE) {
		memmove(m->build, m->build + early - BEFORE, (size_t)(m->nbuilds - early + BEFORE) * sizeof(*m->build));
		m->nbuilds -= early - BEFORE;
	}
	return 0;
}

/* Spell an id of bare parts; form -1: place and service. check_forms() has seen that it can be done. */
static int
expand(const struct maker *m, int form, int place, int service, const char *number, char buf[ID_MAX])
{
	const struct catalog *c = &m->w->cat;
	const char *missing = NULL;
	int n;

	if (form != -1)
		return catalog_expand(c, form, place, service, number, buf, ID_MAX, &missing);
	n = snprintf(buf, ID_MAX, "%s/%s", c->place[place].id, c->service[service].id);
	return n < ID_MAX ? n : -1;
}

static void
make_release(const struct maker *m, int service, int place, const struct build *b, struct release *l)
{
	const struct catalog *c = &m->w->cat;
	char number[21];

	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)b->number);
	(void)expand(m, m->release_id, place, service, number, l->id);
	l->created = b->created;
	for (int k = 1; k <= place; k++) {
		const char *id = c->place[k].id;

		l->created += draw_minutes(&c->set.rollout_stagger_min, mix_at(world_subkey(b->key, mix_name(id, strlen(id))), 0));
	}
	l->key = world_subkey(m->rollouts, mix_name(l->id, strlen(l->id)));
	l->bad = world_share(mix_at(l->key, ROLL_BAD)) < c->set.rollout_bad_share;
	l->start = l->created + b->delay;
	l->end = l->start + draw_minutes(&c->set.rollout_length_min, mix_at(l->key, ROLL_LENGTH)) * (l->bad ? BAD_LENGTH : 1);
}

static void
put_release(const struct maker *m, int service, int place, const struct build *b)
{
	const struct catalog *c = &m->w->cat;
	char deployment[ID_MAX];
	struct release l;

	(void)expand(m, m->deployment_id, place, service, NULL, deployment);
	make_release(m, service, place, b, &l);
	world_put_kind(m->out, "release");
	world_put_text(m->out, "id", l.id);
	world_put_text(m->out, "deployment", deployment);
	world_put_text(m->out, "service", c->service[service].id);
	world_put_text(m->out, "place", c->place[place].id);
	world_put_whole(m->out, "number", b->number);
	world_put_time(m->out, "created", l.created);
	world_put_time(m->out, "live_from", l.start);
	world_put_time(m->out, "live_to", l.end);
	world_put_end(m->out);
}

static void
put_rollout(const struct maker *m, int service, int place, const struct build *b)
{
	const struct catalog *c = &m->w->cat;
	const struct catalog_settings *set = &c->set;
	char deployment[ID_MAX], id[ID_MAX];
	double traffic, errors, latency;
	struct release l;

	make_release(m, service, place, b, &l);
	if (l.start < m->w->begin || l.start >= m->w->end)
		return;
	(void)expand(m, m->deployment_id, place, service, NULL, deployment);
	(void)world_spell(&c->id[m->rollout_id].form, l.key, ROLL_ID, id, sizeof(id));
	traffic = world_draw(&set->rollout_traffic, mix_at(l.key, ROLL_TRAFFIC));
	errors = world_draw(&set->rollout_errors, mix_at(l.key, ROLL_ERRORS));
	latency = world_draw(&set->rollout_latency, mix_at(l.key, ROLL_LATENCY));
	if (l.bad) {
		traffic = (1 - traffic) * BAD_LOSS < BAD_LOSS_MAX ? 1 - (1 - traffic) * BAD_LOSS : 1 - BAD_LOSS_MAX;
		errors = errors * BAD_HARM < BAD_ERRORS_MAX ? errors * BAD_HARM : BAD_ERRORS_MAX;
		latency = 1 + (latency - 1) * BAD_HARM;
	}
	world_put_kind(m->out, "rollout");
	world_put_text(m->out, "id", id);
	world_put_text(m->out, "release", l.id);
	world_put_text(m->out, "deployment", deployment);
	world_put_text(m->out, "service", c->service[service].id);
	world_put_text(m->out, "place", c->place[place].id);
	world_put_time(m->out, "start", l.start);
	world_put_time(m->out, "end", l.end);
	world_put_number(m->out, "throughput", traffic, PLACES);
	world_put_number(m->out, "errors", errors, PLACES);
	world_put_number(m->out, "latency", latency, PLACES);
	world_put_end(m->out);
}

/* One function for each release, service by service and place by place. */
static int
put_all(struct maker *m, void (*put)(const struct maker *, int, int, const struct build *))
{
	const struct catalog *c = &m->w->cat;

	for (int service = 0; service < c->nservices; service++) {
		if (make_builds(m, service) == -1)
			return -1;
		for (int place = 0; place < c->nplaces; place++)
			for (int i = 0; i < m->nbuilds; i++)
				put(m, service, place, &m->build[i]);
	}
	return 0;
}

/* The parts of a composite id; what the line has anyway is not said twice. */
static void
put_parts(struct out *out, char *const *name, char *const *value, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name[i], "kind") != 0 && strcmp(name[i], "id") != 0 && strcmp(name[i], "weight") != 0)
			world_put_text(out, name[i], value[i]);
}

static void
put_places(const struct maker *m)
{
	const struct catalog *c = &m->w->cat;

	for (int i = 0; i < c->nplaces; i++) {
		world_put_kind(m->out, "place");
		world_put_text(m->out, "id", c->place[i].id);
		put_parts(m->out, c->placepart, c->place[i].part, c->nplaceparts);
		world_put_number(m->out, "weight", c->place[i].weight, 6);
		world_put_end(m->out);
	}
}

static void
put_services(const struct maker *m)
{
	const struct catalog *c = &m->w->cat;

	for (int i = 0; i < c->nservices; i++) {
		world_put_kind(m->out, "service");
		world_put_text(m->out, "id", c->service[i].id);
		put_parts(m->out, c->servicepart, c->service[i].part, c->nserviceparts);
		world_put_end(m->out);
	}
}

static int
breaks(const struct catalog *c, const char *component, int service)
{
	for (int i = 0; i < c->neffects; i++)
		if (strcmp(c->incident[c->effect[i].incident].component, component) == 0 && world_covers_effect(c, &c->effect[i], service))
			return 1;
	return 0;
}

/* The things that can break: several rows of the table may be about one. */
static void
put_components(const struct maker *m)
{
	const struct catalog *c = &m->w->cat;

	for (int i = 0; i < c->nincidents; i++) {
		const char *component = c->incident[i].component;
		int first = 0, n = 0;

		while (strcmp(c->incident[first].component, component) != 0)
			first++;
		if (first < i)
			continue;
		world_put_kind(m->out, "component");
		world_put_text(m->out, "id", component);
		world_put_text(m->out, "type", c->incident[i].type == NULL ? "" : c->incident[i].type);
		world_put_open(m->out, "services");
		for (int service = 0; service < c->nservices; service++)
			if (breaks(c, component, service))
				world_put_item(m->out, &n, c->service[service].id);
		world_put_close(m->out);
		world_put_end(m->out);
	}
}

static void
put_deployments(const struct maker *m)
{
	const struct catalog *c = &m->w->cat;
	char id[ID_MAX];

	for (int service = 0; service < c->nservices; service++)
		for (int place = 0; place < c->nplaces; place++) {
			(void)expand(m, m->deployment_id, place, service, NULL, id);
			world_put_kind(m->out, "deployment");
			world_put_text(m->out, "id", id);
			world_put_text(m->out, "service", c->service[service].id);
			world_put_text(m->out, "place", c->place[place].id);
			world_put_end(m->out);
		}
}

static int
order_texts(const void *one, const void *two)
{
	return strcmp(*(char *const *)one, *(char *const *)two);
}

/* All ids of a form, one for each deployment, sorted, so that equal ones stand side by side. */
static int
check_unique(const struct maker *m, const char *form, char **all, size_t n)
{
	qsort(all, n, sizeof(*all), order_texts);
	for (size_t i = 1; i < n; i++)
		if (strcmp(all[i - 1], all[i]) == 0)
			return fail(m, "%s/ids.tsv: %s: two things are named \"%s\"", m->w->cat.dir, form, all[i]);
	return 0;
}

/* A form that leaves out a part may give two things one name: better said here than by whoever reads the world. */
static int
check_form(const struct maker *m, int form, const char *number)
{
	const struct catalog *c = &m->w->cat;
	const char *name = form == -1 ? "deployment_id" : c->id[form].id;
	size_t n = (size_t)c->nservices * (size_t)c->nplaces, k = 0;
	char **all = reallocarray(NULL, n, sizeof(*all)), buf[ID_MAX];
	int failed = 0;

	if (all == NULL)
		return fail(m, "%s", strerror(errno));
	for (; k < n && failed == 0; k++) {
		int place = (int)(k % (size_t)c->nplaces), service = (int)(k / (size_t)c->nplaces);
		int length = expand(m, form, place, service, number, buf);

		if (length == -1 || length >= ID_MAX - NUMBER_DIGITS)
			failed = fail(m, "%s/ids.tsv: %s: a part without a value, or too long", c->dir, name);
		else if ((all[k] = strdup(buf)) == NULL)
			failed = fail(m, "%s", strerror(errno));
		if (failed != 0)
			break;
	}
	if (failed == 0)
		failed = check_unique(m, name, all, n);
	while (k > 0)
		free(all[--k]);
	free(all);
	return failed;
}

static int
check_forms(const struct maker *m)
{
	const struct catalog *c = &m->w->cat;
	char id[ID_MAX];

	if (check_form(m, m->release_id, "1") == -1 || check_form(m, m->deployment_id, NULL) == -1)
		return -1;
	if (world_spell(&c->id[m->rollout_id].form, 0, 0, id, sizeof(id)) == -1)
		return fail(m, "%s/ids.tsv: rollout_id: more than text, hex, digits and uuid, or too long", c->dir);
	return 0;
}

static int
put_header(const struct maker *m)
{
	char *line = malloc(OUT_LINE_MAX);
	int n = line == NULL ? -1 : world_header(line, OUT_LINE_MAX, m->w);

	if (n != -1)
		out_put(m->out, line, (size_t)n);
	else
		(void)fail(m, "%s", strerror(errno));
	free(line);
	return n == -1 ? -1 : 0;
}

int
world_make(const struct world *w, struct out *out, char *err, size_t errsize)
{
	const struct catalog *c = &w->cat;
	struct maker m = { .w = w, .out = out, .errsize = errsize };
	int failed;

	m.err = err;
	m.builds = world_key(w->seed, c->name, WORLD_BUILDS);
	m.rollouts = world_key(w->seed, c->name, WORLD_ROLLOUTS);
	m.release_id = catalog_id(c, "release_id", 10);
	m.deployment_id = catalog_id(c, "deployment_id", 13);
	m.rollout_id = catalog_id(c, "rollout_id", 10);
	failed = check_forms(&m) == -1 || put_header(&m) == -1;
	if (!failed) {
		put_places(&m);
		put_services(&m);
		put_components(&m);
		put_deployments(&m);
		failed = put_all(&m, put_release) == -1;
	}
	if (!failed && catalog_dist_max(&c->set.rollout_length_min) > 0)
		failed = put_all(&m, put_rollout) == -1;
	free(m.build);
	return failed ? -1 : 0;
}
