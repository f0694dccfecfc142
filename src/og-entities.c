/*
 * og-entities: write the world of a catalog
 *
 * Standard output: a world, one JSON object a line: header, places, services, components, deployments, releases, rollouts.
 * It depends on the catalog and the options alone. A later end adds lines; more users or requests change only the header.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catalog.h"
#include "clock.h"
#include "mix.h"
#include "num.h"
#include "out.h"
#include "world.h"

#define BEFORE 5              /* builds that are live already when the world begins */
#define FIRST_BUILD_YEAR 1970 /* builds are numbered from then on */
#define NUMBER_LOW 50         /* lowest number before the first build, and how many there are to draw from */
#define NUMBER_SPAN 151
#define REQUESTS 1000000
#define BAD_LENGTH 3 /* a bad rollout lasts so many times as long */
#define BAD_HARM 3   /* and fails so many times as often */
#define BAD_LOSS 2   /* and drops so many times as much */
#define BAD_ERRORS_MAX 0.5
#define BAD_LOSS_MAX 0.6
#define PLACES 4    /* decimals of what rollouts do */
#define ID_MAX 4096 /* bytes */
#define ERROR_MAX 4096

/* Words of a rollout's key; from DRAW_ID on as many as it takes. */
enum { DRAW_LENGTH, DRAW_BAD, DRAW_TRAFFIC, DRAW_ERRORS, DRAW_LATENCY, DRAW_ID = 8 };

static struct opts {
	const char *catalog, *begin, *end, *until;
	const char *seed, *users, *requests, *depth;
	int verbose;
} opts;

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
};

static double
fraction(uint64_t word)
{
	return (double)(word >> 11) * 0x1p-53;
}

/* Minutes need not be whole, even where their bounds are: us, in whole seconds. */
static int64_t
draw_minutes(const struct catalog_dist *dist, uint64_t word)
{
	struct catalog_dist d = *dist;

	d.whole = 0;
	return (int64_t)(catalog_draw(&d, word) * 60) * CLOCK_SECOND;
}

static double
draw_share(const struct catalog_dist *dist, uint64_t word)
{
	struct catalog_dist d = *dist;

	d.whole = 0;
	return catalog_draw(&d, word);
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
 * Build i of n in a year: one in each of n equal parts of it, early enough in its part, if that is long enough, to have left the last place before
 * the next one comes.
 */
static struct build
make_build(const struct maker *m, int year, uint64_t key, uint64_t i, uint64_t n, uint64_t number)
{
	const struct catalog *c = &m->w->cat;
	int64_t begin = world_year(year), part = (world_year(year + 1) - begin) / (int64_t)n, visit = longest_visit(c);
	struct build b = { .key = world_subkey(key, i), .number = number };

	if (visit > part / 2)
		visit = part / 2;
	b.created = begin + part * (int64_t)i + (int64_t)(fraction(mix_at(b.key, 0)) * (double)(part - visit));
	b.created -= b.created % CLOCK_SECOND;
	b.delay = draw_minutes(&c->set.rollout_delay_min, mix_at(b.key, 1));
	return b;
}

static void
add_build(struct maker *m, const struct build *b)
{
	if (m->nbuilds == m->maxbuilds) {
		m->maxbuilds = m->maxbuilds == 0 ? 256 : m->maxbuilds * 2;
		if ((m->build = reallocarray(m->build, (size_t)m->maxbuilds, sizeof(*m->build))) == NULL)
			err(1, NULL);
	}
	m->build[m->nbuilds++] = *b;
}

/* The builds that matter to the world: those within it and the last ones before. */
static void
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
			add_build(m, &b);
		}
		number += n;
	}
	if (early > BEFORE) {
		memmove(m->build, m->build + early - BEFORE, (size_t)(m->nbuilds - early + BEFORE) * sizeof(*m->build));
		m->nbuilds -= early - BEFORE;
	}
}

/* Spell an id of bare parts; the loader has seen to it that all of them have a value where the form is used. */
static void
expand(const struct maker *m, int id, int place, int service, const char *number, char buf[ID_MAX])
{
	const struct catalog *c = &m->w->cat;
	const char *missing = NULL;

	if (id == -1 && snprintf(buf, ID_MAX, "%s/%s", c->place[place].id, c->service[service].id) < ID_MAX)
		return;
	if (id == -1 || catalog_expand(c, id, place, service, number, buf, ID_MAX, &missing) == -1)
		errx(2, "%s/ids.tsv: %s: %s%s", c->dir, id == -1 ? "deployment_id" : c->id[id].id,
		    missing == NULL ? "too long" : "no value for ", missing == NULL ? "" : missing);
}

static void
make_release(const struct maker *m, int service, int place, const struct build *b, struct release *l)
{
	const struct catalog *c = &m->w->cat;
	char number[21];

	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)b->number);
	expand(m, m->release_id, place, service, number, l->id);
	l->created = b->created;
	for (int k = 1; k <= place; k++) {
		const char *id = c->place[k].id;

		l->created += draw_minutes(&c->set.rollout_stagger_min, mix_at(world_subkey(b->key, mix_name(id, strlen(id))), 0));
	}
	l->key = world_subkey(m->rollouts, mix_name(l->id, strlen(l->id)));
	l->bad = fraction(mix_at(l->key, DRAW_BAD)) < c->set.rollout_bad_share;
	l->start = l->created + b->delay;
	l->end = l->start + draw_minutes(&c->set.rollout_length_min, mix_at(l->key, DRAW_LENGTH)) * (l->bad ? BAD_LENGTH : 1);
}

static void
put_release(const struct maker *m, int service, int place, const struct build *b)
{
	const struct catalog *c = &m->w->cat;
	char deployment[ID_MAX];
	struct release l;

	expand(m, m->deployment_id, place, service, NULL, deployment);
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
	expand(m, m->deployment_id, place, service, NULL, deployment);
	if (world_spell(&c->id[m->rollout_id].form, l.key, DRAW_ID, id, sizeof(id)) == -1)
		errx(2, "%s/ids.tsv: rollout_id: made of more than text, hex, digits and uuid, or too long", c->dir);
	traffic = draw_share(&set->rollout_traffic, mix_at(l.key, DRAW_TRAFFIC));
	errors = draw_share(&set->rollout_errors, mix_at(l.key, DRAW_ERRORS));
	latency = draw_share(&set->rollout_latency, mix_at(l.key, DRAW_LATENCY));
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
static void
put_all(struct maker *m, void (*put)(const struct maker *, int, int, const struct build *))
{
	const struct catalog *c = &m->w->cat;

	for (int service = 0; service < c->nservices; service++) {
		make_builds(m, service);
		for (int place = 0; place < c->nplaces; place++)
			for (int i = 0; i < m->nbuilds; i++)
				put(m, service, place, &m->build[i]);
	}
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

/* The things that can break: several rows of the table may be about one. */
static void
put_components(const struct maker *m)
{
	const struct catalog *c = &m->w->cat;
	char *covered = malloc((size_t)c->nservices);

	if (covered == NULL)
		err(1, NULL);
	for (int i = 0; i < c->nincidents; i++) {
		const char *component = c->incident[i].component;
		int first = 0;

		while (strcmp(c->incident[first].component, component) != 0)
			first++;
		if (first < i)
			continue;
		memset(covered, 0, (size_t)c->nservices);
		for (int k = 0; k < c->neffects; k++)
			if (strcmp(c->incident[c->effect[k].incident].component, component) == 0)
				world_cover_effect(c, &c->effect[k], covered);
		world_put_kind(m->out, "component");
		world_put_text(m->out, "id", component);
		world_put_text(m->out, "type", c->incident[i].type == NULL ? "" : c->incident[i].type);
		world_put_services(m->out, "services", c, covered);
		world_put_end(m->out);
	}
	free(covered);
}

static void
put_deployments(const struct maker *m)
{
	const struct catalog *c = &m->w->cat;
	char id[ID_MAX];

	for (int service = 0; service < c->nservices; service++)
		for (int place = 0; place < c->nplaces; place++) {
			expand(m, m->deployment_id, place, service, NULL, id);
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

/* A form that leaves out a part may give two things one name: better said here than by whoever reads the world. */
static void
check_unique(const struct maker *m, int form, const char *number)
{
	const struct catalog *c = &m->w->cat;
	size_t n = (size_t)c->nservices * (size_t)c->nplaces;
	char **all = reallocarray(NULL, n, sizeof(*all)), buf[ID_MAX];

	if (all == NULL)
		err(1, NULL);
	for (size_t i = 0; i < n; i++) {
		expand(m, form, (int)(i % (size_t)c->nplaces), (int)(i / (size_t)c->nplaces), number, buf);
		if ((all[i] = strdup(buf)) == NULL)
			err(1, NULL);
	}
	qsort(all, n, sizeof(*all), order_texts);
	for (size_t i = 1; i < n; i++)
		if (strcmp(all[i - 1], all[i]) == 0)
			errx(2, "%s/ids.tsv: %s: two things are named \"%s\"", c->dir, c->id[form].id, all[i]);
	for (size_t i = 0; i < n; i++)
		free(all[i]);
	free(all);
}

static void
check_forms(const struct maker *m)
{
	const struct catalog *c = &m->w->cat;

	if (m->release_id == -1 || m->rollout_id == -1)
		errx(2, "%s/ids.tsv: no row \"%s\"", c->dir, m->release_id == -1 ? "release_id" : "rollout_id");
	check_unique(m, m->release_id, "1");
	if (m->deployment_id != -1)
		check_unique(m, m->deployment_id, NULL);
}

static void
put_world(const struct world *w, struct out *out)
{
	struct maker m = { .w = w, .out = out };
	size_t size = OUT_LINE_MAX;
	char *header = malloc(size);
	int n;

	m.builds = world_key(w->seed, w->cat.name, WORLD_BUILDS);
	m.rollouts = world_key(w->seed, w->cat.name, WORLD_ROLLOUTS);
	m.release_id = catalog_id(&w->cat, "release_id", 10);
	m.deployment_id = catalog_id(&w->cat, "deployment_id", 13);
	m.rollout_id = catalog_id(&w->cat, "rollout_id", 10);
	check_forms(&m);
	if (header == NULL || (n = world_header(header, size, w)) == -1)
		err(1, "header");
	out_put(out, header, (size_t)n);
	put_places(&m);
	put_services(&m);
	put_components(&m);
	put_deployments(&m);
	put_all(&m, put_release);
	if (catalog_dist_max(&w->cat.set.rollout_length_min) > 0)
		put_all(&m, put_rollout);
	free(m.build);
	free(header);
}

static void
warn_text(const char *text, void *arg)
{
	(void)arg;
	warnx("%s", text);
}

/* An option's whole number, or the default where it was not given. */
static uint64_t
whole(const char *option, const char *text, uint64_t lo, uint64_t hi, uint64_t otherwise)
{
	const char *what;
	uint64_t x;

	if (text == NULL)
		return otherwise;
	if (num_u64(text, lo, hi, &x, &what) == -1)
		errx(2, "%s \"%s\" is %s", option, text, what);
	return x;
}

static int64_t
moment(const char *option, const char *text, int64_t otherwise)
{
	int64_t us;

	if (text == NULL)
		return otherwise;
	if (clock_parse(text, strlen(text), &us) == -1)
		errx(2, "%s \"%s\" is not a time such as 2025-12-03T12:20:00Z", option, text);
	return us;
}

static void
set_world(struct world *w)
{
	const struct catalog_settings *set = &w->cat.set;
	const char *what;

	w->seed = whole("seed", opts.seed, 0, UINT64_MAX, set->seed);
	w->users = whole("users", opts.users, 1, WORLD_USERS_MAX, set->users);
	w->requests = whole("requests", opts.requests, 1, WORLD_REQUESTS_MAX, REQUESTS);
	w->depth = (int)whole("depth", opts.depth, 0, WORLD_DEPTH_MAX, (uint64_t)set->depth);
	w->begin = moment("begin", opts.begin, set->begin);
	w->end = moment("end", opts.end, set->end);
	w->until = moment("until", opts.until, w->end);
	if ((what = world_limits(w)) != NULL)
		errx(2, "%s", what);
}

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr,
	    "usage: og-entities -c catalog [-v] [-b begin] [-d depth] [-e end] [-n requests]\n"
	    "                   [-s seed] [-U until] [-u users]\n");
	if (fflush(stdout) == EOF)
		err(1, "<stdout>");
	exit(status);
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "begin", required_argument, NULL, 'b' },
		{ "catalog", required_argument, NULL, 'c' },
		{ "depth", required_argument, NULL, 'd' },
		{ "end", required_argument, NULL, 'e' },
		{ "help", no_argument, NULL, 'h' },
		{ "requests", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'U' },
		{ "users", required_argument, NULL, 'u' },
		{ "version", no_argument, NULL, 'V' },
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int ch;

	while ((ch = getopt_long(argc, argv, "b:c:d:e:hn:s:U:u:Vv", longopts, NULL)) != -1) {
		switch (ch) {
		case 'b':
			opts.begin = optarg;
			break;
		case 'c':
			opts.catalog = optarg;
			break;
		case 'd':
			opts.depth = optarg;
			break;
		case 'e':
			opts.end = optarg;
			break;
		case 'h':
			usage(0);
		case 'n':
			opts.requests = optarg;
			break;
		case 's':
			opts.seed = optarg;
			break;
		case 'U':
			opts.until = optarg;
			break;
		case 'u':
			opts.users = optarg;
			break;
		case 'V':
			(void)printf("og-entities %s\n", OG_VERSION);
			if (fflush(stdout) == EOF)
				err(1, "<stdout>");
			exit(0);
		case 'v':
			opts.verbose = 1;
			break;
		default:
			usage(2);
		}
	}
	if (argc > optind || opts.catalog == NULL)
		usage(2);
}

int
main(int argc, char *argv[])
{
	char text[ERROR_MAX];
	struct world w = { 0 };
	struct out out;

	parse(argc, argv);
	if (catalog_load(&w.cat, opts.catalog, text, sizeof(text), opts.verbose ? warn_text : NULL, NULL) == -1)
		errx(2, "%s", text);
	set_world(&w);
	if (out_open(&out, STDOUT_FILENO, 0) == -1)
		err(1, NULL);
	put_world(&w, &out);
	if (out_close(&out) == -1)
		err(1, "<stdout>");
	world_free(&w);
	return 0;
}
