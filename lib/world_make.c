#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "inventory.h"
#include "mix.h"
#include "world.h"
#include "world_impl.h"

#define NUMBER_LOW 50 /* lowest number before the first build, and how many there are to draw from */
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

/* A build that comes to a place: its number there, and the id of the release, if the inventory says so. */
struct arrival {
	struct inventory_build build;
	uint64_t number;
	const char *id;
	size_t deployment; /* service x places + place */
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
	struct inventory_build *build; /* of the service at hand */
	int nbuilds, maxbuilds;
	struct arrival *arrival; /* those of the inventory, by deployment and time; NULL: it knows of none */
	size_t narrivals, maxarrivals, deployment;
	char **known; /* ids of deployments in order, and where each belongs */
	size_t nknown;
	void *arena;
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
make_release(const struct maker *m, int service, int place, const struct arrival *a, struct release *l)
{
	const struct catalog *c = &m->w->cat;
	char number[21];

	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)a->number);
	(void)expand(m, m->release_id, place, service, number, l->id);
	l->created = inventory_arrival(c, &a->build, place);
	l->key = world_subkey(m->rollouts, mix_name(l->id, strlen(l->id)));
	l->bad = world_share(mix_at(l->key, ROLL_BAD)) < c->set.rollout_bad_share;
	l->start = l->created + a->build.delay;
	l->end = l->start + inventory_minutes(&c->set.rollout_length_min, mix_at(l->key, ROLL_LENGTH)) * (l->bad ? BAD_LENGTH : 1);
}

static void
put_release(const struct maker *m, int service, int place, const struct arrival *a)
{
	const struct catalog *c = &m->w->cat;
	char deployment[ID_MAX];
	struct release l;

	(void)expand(m, m->deployment_id, place, service, NULL, deployment);
	make_release(m, service, place, a, &l);
	world_put_kind(m->out, "release");
	world_put_text(m->out, "id", l.id);
	world_put_text(m->out, "deployment", deployment);
	world_put_text(m->out, "service", c->service[service].id);
	world_put_text(m->out, "place", c->place[place].id);
	world_put_whole(m->out, "number", a->number);
	world_put_time(m->out, "created", l.created);
	world_put_time(m->out, "live_from", l.start);
	world_put_time(m->out, "live_to", l.end);
	world_put_end(m->out);
}

static void
put_rollout(const struct maker *m, int service, int place, const struct arrival *a)
{
	const struct catalog *c = &m->w->cat;
	const struct catalog_settings *set = &c->set;
	char deployment[ID_MAX], id[ID_MAX];
	double traffic, errors, latency;
	struct release l;

	make_release(m, service, place, a, &l);
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

/* The builds of a service that the inventory does not know; how its numbers begin. */
static int
make_builds(struct maker *m, int service, uint64_t *number)
{
	const struct world *w = m->w;
	const struct catalog_service *s = &w->cat.service[service];
	uint64_t key = world_subkey(m->builds, mix_name(s->id, strlen(s->id)));

	*number = NUMBER_LOW + mix_below((uint32_t)(mix_at(key, 0) >> 32), NUMBER_SPAN);
	if (inventory_builds(&w->cat, key, &s->releases, w->begin, w->end, 0, &m->build, &m->nbuilds, &m->maxbuilds) == -1)
		return fail(m, "%s", strerror(errno));
	return 0;
}

typedef void put_arrival(const struct maker *, int service, int place, const struct arrival *);

/* One function for each release, service by service and place by place. */
static int
put_all(struct maker *m, put_arrival *put)
{
	const struct catalog *c = &m->w->cat;
	uint64_t number = 0;

	for (size_t i = 0; i < m->narrivals; i++) {
		size_t at = m->arrival[i].deployment, places = (size_t)c->nplaces;

		put(m, (int)(at / places), (int)(at % places), &m->arrival[i]);
	}
	for (int service = 0; service < c->nservices && m->arrival == NULL; service++) {
		if (make_builds(m, service, &number) == -1)
			return -1;
		for (int place = 0; place < c->nplaces; place++)
			for (int i = 0; i < m->nbuilds; i++) {
				struct arrival a = { .build = m->build[i], .number = number + m->build[i].number };

				put(m, service, place, &a);
			}
	}
	return 0;
}

/* What the line has anyway is not said twice. */
int
world_tells(const char *part)
{
	return strcmp(part, "kind") != 0 && strcmp(part, "id") != 0 && strcmp(part, "weight") != 0;
}

/* The parts of a composite id. */
static void
put_parts(struct out *out, char *const *name, char *const *value, int n)
{
	for (int i = 0; i < n; i++)
		if (world_tells(name[i]))
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
		world_put_number(m->out, "weight", c->place[i].weight, WORLD_WEIGHT_PLACES);
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
order_arrivals(const void *one, const void *two)
{
	const struct arrival *a = one, *b = two;

	if (a->deployment != b->deployment)
		return a->deployment < b->deployment ? -1 : 1;
	return a->build.number < b->build.number ? -1 : a->build.number > b->build.number;
}

/* A deployment of the world, by its id; others are of services without traffic, or elsewhere. */
static int
is_ours(const char *deployment, void *arg)
{
	struct maker *m = arg;
	char *const *found = bsearch(&deployment, m->known, m->nknown, sizeof(*m->known), order_texts);

	/* Behind its NUL each id has its number. */
	if (found != NULL)
		memcpy(&m->deployment, *found + strlen(*found) + 1, sizeof(m->deployment));
	return found != NULL;
}

static int
add_arrival(const struct inventory_release *l, void *arg)
{
	struct maker *m = arg;
	struct arrival *a;
	size_t n = strlen(l->id) + 1;
	char *id = world_get(&m->arena, n, 1);

	if (m->narrivals == m->maxarrivals) {
		size_t most = m->maxarrivals == 0 ? 256 : m->maxarrivals * 2;

		if ((a = reallocarray(m->arrival, most, sizeof(*a))) == NULL)
			return fail(m, "%s", strerror(errno));
		m->arrival = a;
		m->maxarrivals = most;
	}
	if (id == NULL)
		return fail(m, "%s", strerror(errno));
	a = &m->arrival[m->narrivals++];
	*a = (struct arrival){ .build = *l->build, .number = l->number, .id = memcpy(id, l->id, n), .deployment = m->deployment };
	return 0;
}

/* Every deployment has releases, and they are named as the world names them. */
static int
check_arrivals(const struct maker *m)
{
	const struct catalog *c = &m->w->cat;
	char number[21], id[ID_MAX];
	size_t next = 0;

	for (size_t i = 0; i < m->narrivals; i++) {
		const struct arrival *a = &m->arrival[i];

		if (a->deployment > next)
			break;
		next = a->deployment + 1;
		(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)a->number);
		(void)expand(
		    m, m->release_id, (int)(a->deployment % (size_t)c->nplaces), (int)(a->deployment / (size_t)c->nplaces), number, id);
		if (strcmp(id, a->id) != 0)
			return fail(m, "%s/ids.tsv: release_id and entity/release differ: \"%.120s\" and \"%.120s\"", c->dir, id, a->id);
	}
	if (next == m->nknown)
		return 0;
	(void)expand(m, m->deployment_id, (int)(next % (size_t)c->nplaces), (int)(next / (size_t)c->nplaces), NULL, id);
	return fail(m, "%s/entities.tsv: no deployment \"%.200s\" with releases", c->dir, id);
}

/* The ids of the world's deployments, sorted. */
static int
know_deployments(struct maker *m)
{
	const struct catalog *c = &m->w->cat;
	size_t n = (size_t)c->nservices * (size_t)c->nplaces;
	char id[ID_MAX];

	if ((m->known = world_get(&m->arena, n * sizeof(*m->known), _Alignof(max_align_t))) == NULL)
		return fail(m, "%s", strerror(errno));
	for (size_t i = 0; i < n; i++) {
		int length = expand(m, m->deployment_id, (int)(i % (size_t)c->nplaces), (int)(i / (size_t)c->nplaces), NULL, id);
		size_t size = (size_t)length + 1;

		if ((m->known[i] = world_get(&m->arena, size + sizeof(i), 1)) == NULL)
			return fail(m, "%s", strerror(errno));
		memcpy(m->known[i], id, size);
		memcpy(m->known[i] + size, &i, sizeof(i));
	}
	m->nknown = n;
	qsort(m->known, n, sizeof(*m->known), order_texts);
	return 0;
}

/* The world shows the part of the inventory where there is traffic. */
static int
look_up(struct maker *m)
{
	const struct world *w = m->w;
	struct inventory *v;
	int failed;

	if (!inventory_has_releases(&w->cat))
		return 0;
	if (know_deployments(m) == -1 || (v = inventory_open(&w->cat, w->seed, w->begin, w->end, 1, m->err, m->errsize)) == NULL)
		return -1;
	failed = inventory_releases(v, is_ours, add_arrival, m, m->err, m->errsize);
	inventory_free(v);
	if (failed != 0)
		return -1;
	if (m->narrivals > 0)
		qsort(m->arrival, m->narrivals, sizeof(*m->arrival), order_arrivals);
	return check_arrivals(m);
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
	failed = check_forms(&m) == -1 || look_up(&m) == -1 || put_header(&m) == -1;
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
	free(m.arrival);
	world_drop(m.arena);
	return failed ? -1 : 0;
}
