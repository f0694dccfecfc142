/* What inventory promises, of all tables of the catalog social at full size: keys, counts, slices, growth, networks, watermarks. */
#include <sys/wait.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inventory.h"
#include "mix.h"
#include "rec.h"
#include "tap.h"

#define ERROR_MAX 4096
#define CELLS 16
#define MAX_ENTITIES 64

/* Ids as hashes, each with how many rows of the table at hand name it. */
struct set {
	uint64_t *key;
	uint32_t *count;
	size_t n, mask;
};

struct sums {
	int64_t rows, twice, dangling, wide; /* rows whose id was there; references to nothing; rows with other than so many cells */
	uint64_t bytes;                      /* hash of all bytes */
};

struct world_of {
	struct catalog c;
	int64_t begin, end;
	uint64_t seed;
};

static struct set ids[MAX_ENTITIES];
static struct sums sums[MAX_ENTITIES];

static size_t
slot_of(const struct set *s, uint64_t key)
{
	size_t i = (size_t)key & s->mask;

	while (s->key[i] != 0 && s->key[i] != key)
		i = (i + 1) & s->mask;
	return i;
}

static int
add(struct set *s, uint64_t key)
{
	size_t i;

	if (s->key == NULL || s->n * 2 > s->mask) {
		struct set old = *s;

		s->mask = old.key == NULL ? 1023 : old.mask * 2 + 1;
		s->key = calloc(s->mask + 1, sizeof(*s->key));
		s->count = calloc(s->mask + 1, sizeof(*s->count));
		if (s->key == NULL || s->count == NULL)
			exit(2);
		for (size_t k = 0; old.key != NULL && k <= old.mask; k++)
			if (old.key[k] != 0)
				s->key[slot_of(s, old.key[k])] = old.key[k];
		free(old.key);
		free(old.count);
	}
	i = slot_of(s, key);
	if (s->key[i] == key)
		return 0;
	s->key[i] = key;
	s->n++;
	return 1;
}

static uint64_t
name(const char *s, size_t n)
{
	uint64_t h = mix_name(s, n);

	return h == 0 ? 1 : h;
}

/* A table written by a child into a pipe; the process. */
static pid_t
start(const struct world_of *w, double factor, int entity, uint64_t part, uint64_t parts, int *fd)
{
	struct inventory_form form = { .format = INVENTORY_COPY, .part = part, .parts = parts };
	char text[ERROR_MAX];
	struct inventory *v;
	struct out out;
	int ends[2];
	pid_t pid;

	if (pipe(ends) == -1 || (pid = fork()) == -1)
		err(2, NULL);
	if (pid != 0) {
		(void)close(ends[1]);
		*fd = ends[0];
		return pid;
	}
	(void)close(ends[0]);
	if ((v = inventory_open(&w->c, w->seed, w->begin, w->end, factor, text, sizeof(text))) == NULL ||
	    out_open(&out, ends[1], 0) == -1 || inventory_put(v, entity, &form, &out, text, sizeof(text)) == -1 || out_close(&out) == -1)
		errx(2, "%s", text);
	inventory_free(v);
	_exit(0);
}

static void
finish(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) == -1 || status != 0)
		errx(2, "a table was not written");
}

/* Every line of a table. */
static void
each_line(
    const struct world_of *w, double factor, int entity, uint64_t part, uint64_t parts, void (*take)(char *, size_t, void *), void *arg)
{
	struct rec in;
	size_t len;
	char *line;
	pid_t pid;
	int fd;

	pid = start(w, factor, entity, part, parts, &fd);
	if (rec_open(&in, fd, "table", NULL, 0) == -1)
		err(2, NULL);
	while (rec_next(&in, &line, &len) == REC_LINE)
		take(line, len, arg);
	rec_close(&in);
	(void)close(fd);
	finish(pid);
}

/* The entity that a field such as "input_repo_id" names; -1. */
static int
names(const struct catalog *c, int entity, const char *field)
{
	size_t n = strlen(field);
	int best = -1;

	if (n < 4 || strcmp(field + n - 3, "_id") != 0)
		return -1;
	for (int e = 0; e < entity; e++) {
		size_t k = strlen(c->entity[e].id);

		if (k + 3 <= n && strncmp(field + n - 3 - k, c->entity[e].id, k) == 0 && (k + 3 == n || field[n - 4 - k] == '_') &&
		    (best == -1 || k > strlen(c->entity[best].id)))
			best = e;
	}
	return best;
}

struct reading {
	const struct world_of *w;
	int entity;
	int foreign[CELLS];
};

static void
cut(char *line, size_t len, char *cell[CELLS], size_t n[CELLS], int *cells)
{
	char *p = line, *end = line + len, *tab;

	for (*cells = 0; *cells < CELLS; p = tab + 1) {
		tab = memchr(p, '\t', (size_t)(end - p));
		cell[*cells] = p;
		n[(*cells)++] = (size_t)((tab == NULL ? end : tab) - p);
		if (tab == NULL)
			return;
	}
}

static void
take_row(char *line, size_t len, void *arg)
{
	struct reading *r = arg;
	const struct catalog_entity *e = &r->w->c.entity[r->entity];
	struct sums *s = &sums[r->entity];
	char *cell[CELLS], id[4096];
	size_t n[CELLS], used = 0;
	int cells;

	s->rows++;
	s->bytes = mix(s->bytes ^ mix_name(line, len));
	cut(line, len, cell, n, &cells);
	s->wide += cells != e->nproperties;
	if (cells != e->nproperties)
		return;
	for (int i = 0; i < e->form.n; i++) {
		const struct catalog_slot *k = &e->form.slot[i];
		const char *text = k->hole == HOLE_NONE ? k->text : cell[k->field];
		size_t size = k->hole == HOLE_NONE ? strlen(k->text) : n[k->field];

		memcpy(id + used, text, size);
		used += size;
	}
	s->twice += !add(&ids[r->entity], e->form.n == 0 ? name(line, len) : name(id, used));
	for (int i = 0; i < cells; i++) {
		const struct set *of = r->foreign[i] == -1 ? NULL : &ids[r->foreign[i]];
		size_t at = of == NULL ? 0 : slot_of(of, name(cell[i], n[i]));

		if (of == NULL)
			continue;
		s->dangling += of->key[at] == 0;
		of->count[at]++;
	}
}

/* How many of the rows of one table name a row of another, at least, at most and in the mean. */
struct spread {
	uint32_t least, most;
	double mean;
};

static struct spread
spread_of(const struct set *s)
{
	struct spread x = { .least = UINT32_MAX };
	double sum = 0;

	for (size_t i = 0; i <= s->mask; i++) {
		if (s->key[i] == 0)
			continue;
		x.least = s->count[i] < x.least ? s->count[i] : x.least;
		x.most = s->count[i] > x.most ? s->count[i] : x.most;
		sum += s->count[i];
	}
	x.mean = sum / (double)s->n;
	return x;
}

static int
entity_of(const struct world_of *w, const char *id)
{
	int e = catalog_entity(&w->c, id, strlen(id));

	if (e == -1)
		errx(2, "no entity %s", id);
	return e;
}

/* Tables, what each of their rows is counted by, and the rule: so many, and the mean within 1 % where there are a thousand or more. */
static const struct rule {
	const char *entity, *per;
	uint32_t least, most;
	double mean;
} rules[] = {
	{ "provider", "environment", 5, 7, 0 },
	{ "region", "provider", 5, 7, 0 },
	{ "zone", "region", 5, 7, 0 },
	{ "partition", "region", 5, 7, 0 },
	{ "network", "partition", 5, 7, 6 },
	{ "subnet", "network", 5, 7, 6 },
	{ "deployment_target", "partition", 5, 7, 0 },
	{ "fleet", "deployment_target", 5, 7, 6 },
	{ "capacity", "fleet", 5, 7, 6 },
	{ "proc", "service", 5, 7, 0 },
	{ "build", "service", 10, 41, 0 },
	{ "deployment", "deployment_target", 5, 102, 0 },
	{ "deployment_proc", "deployment", 5, 7, 0 },
	{ "release", "deployment", 5, 41, 0 },
	{ "allocation", "deployment_proc", 10, 16, 12 },
	{ "build_artifact", "build", 5, 7, 6 },
	{ "release_artifact", "release", 5, 7, 6 },
	{ "deployment_config", "deployment", 5, 7, 6 },
	{ "service_config", "service", 5, 7, 0 },
	{ "stack_config", "stack", 13, 13, 13 },
	{ "deployments_zones", "deployment", 5, 7, 0 },
	{ "subnets_fleets", "fleet", 5, 5, 5 },
	{ "deployment_targets_fleets", "deployment_target", 9, 11, 10 },
};

static int
keeps_rule(const struct world_of *w, int entity, struct tap *t)
{
	int good = 1;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *r = &rules[i];
		struct spread x;

		if (entity_of(w, r->entity) != entity)
			continue;
		x = spread_of(&ids[entity_of(w, r->per)]);
		good = x.least >= r->least && x.most <= r->most && (r->mean == 0 || (x.mean > r->mean * 0.99 && x.mean < r->mean * 1.01));
		if (!good)
			printf("# %s of a %s: %u to %u, mean %.3f\n", r->entity, r->per, x.least, x.most, x.mean);
		tap(t, good, "%s", r->entity);
	}
	return good;
}

static void
read_all(const struct world_of *w, struct tap *t)
{
	const struct catalog *c = &w->c;
	int64_t twice = 0, dangling = 0, wide = 0, rows = 0;

	for (int e = 0; e < c->nentities; e++) {
		struct reading r = { .w = w, .entity = e };

		for (int i = 0; i < c->entity[e].nproperties && i < CELLS; i++)
			r.foreign[i] = names(c, e, c->entity[e].property[i].name);
		for (int k = 0; k < e; k++)
			if (ids[k].count != NULL)
				memset(ids[k].count, 0, (ids[k].mask + 1) * sizeof(*ids[k].count));
		each_line(w, 1, e, 1, 1, take_row, &r);
		twice += sums[e].twice;
		dangling += sums[e].dangling;
		wide += sums[e].wide;
		rows += sums[e].rows;
		(void)keeps_rule(w, e, t);
	}
	printf("# %lld rows\n", (long long)rows);
	tap(t, c->nentities == 36 && rows > 5000000 && rows < 5600000, "36 tables, 5.3 million rows");
	tap(t, twice == 0, "every primary key is unique");
	tap(t, dangling == 0, "every foreign key resolves");
	tap(t, wide == 0, "every row has its columns");
}

/* Tables whose number of rows follows from others exactly. */
static void
test_counts(const struct world_of *w, struct tap *t)
{
	static const struct {
		const char *entity;
		int64_t rows;
	} fixed[] = { { "environment", 6 }, { "provider_type", 4 }, { "allocation_type", 8 }, { "repo_type", 8 }, { "language", 8 },
		{ "fleet_type", 31 }, { "repo", 115 }, { "application", 2 }, { "stack", 20 }, { "service", 102 }, { "config_template", 50 },
		{ "stack_config", 260 }, { "services_repos", 585 } };
	int64_t targets = sums[entity_of(w, "deployment_target")].rows, fleets = sums[entity_of(w, "fleet")].rows;
	int64_t deployments = sums[entity_of(w, "deployment")].rows, releases = sums[entity_of(w, "release")].rows;
	int64_t builds = sums[entity_of(w, "build")].rows;
	int good = 1;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		good &= sums[entity_of(w, fixed[i].entity)].rows == fixed[i].rows;
	tap(t, good, "fixed tables");
	tap(t, deployments == 6 * 102 + 5 * (targets - 6), "all services on six targets, five on the others");
	tap(t, sums[entity_of(w, "subnets_fleets")].rows == 5 * fleets, "five subnets a fleet");
	tap(t, sums[entity_of(w, "deployment_targets_fleets")].rows == fleets + 4 * targets, "own fleets and four of the neighbours");
	/* 40 of six services; of 96 others 20 with a chance of 0.3, else 10: three standard deviations. */
	tap(t, builds >= 240 + 1248 - 135 && builds <= 240 + 1248 + 135 + 6, "builds");
	/* On primary targets the first five and 70 % of the others; five elsewhere. */
	tap(t, releases > 5 * (deployments - 612) + 612 * 10 && releases < 5 * (deployments - 612) + 612 * 14, "releases");
}

struct joined {
	uint64_t bytes;
	int64_t rows;
};

static void
take_bytes(char *line, size_t len, void *arg)
{
	struct joined *j = arg;

	j->rows++;
	j->bytes = mix(j->bytes ^ mix_name(line, len));
}

static void
test_shards(const struct world_of *w, struct tap *t)
{
	static const uint64_t parts[] = { 2, 7 };

	for (size_t i = 0; i < 2; i++) {
		int same = 1, even = 1;

		for (int e = 0; e < w->c.nentities; e++) {
			struct joined all = { 0 };
			int64_t most = 0;

			for (uint64_t part = 1; part <= parts[i]; part++) {
				int64_t before = all.rows;

				each_line(w, 1, e, part, parts[i], take_bytes, &all);
				most = all.rows - before > most ? all.rows - before : most;
			}
			same &= all.bytes == sums[e].bytes && all.rows == sums[e].rows;
			/* The first deployments have more releases. */
			even &= all.rows < 100000 || (double)most * (double)parts[i] < 1.35 * (double)all.rows;
		}
		tap(t, same, parts[i] == 2 ? "two shards are the whole" : "seven shards are the whole");
		tap(t, even, "and much alike");
	}
}

struct subset {
	const struct set *of;
	int64_t rows, missing;
};

static void
take_subset(char *line, size_t len, void *arg)
{
	struct subset *s = arg;

	s->rows++;
	s->missing += s->of->key[slot_of(s->of, name(line, len))] == 0;
}

static void
take_set(char *line, size_t len, void *arg)
{
	(void)add(arg, name(line, len));
}

/* What a factor takes away or adds leaves the others as they are. */
static void
test_factor(const struct world_of *w, struct tap *t)
{
	int64_t missing = 0, more[2] = { 0 };

	for (int e = 0; e < w->c.nentities; e++) {
		static const double factor[] = { 0.02, 0.1 };
		struct set larger = { 0 };

		for (int i = 1; i >= 0; i--) {
			struct subset s = { .of = &larger };
			struct set next = { 0 };

			if (larger.key != NULL)
				each_line(w, factor[i], e, 1, 1, take_subset, &s);
			each_line(w, factor[i], e, 1, 1, take_set, &next);
			missing += s.missing;
			more[i] += (int64_t)next.n;
			free(larger.key);
			free(larger.count);
			larger = next;
		}
		free(larger.key);
		free(larger.count);
	}
	tap(t, missing == 0 && more[1] > more[0], "a smaller factor gives some of the same rows");
}

struct above {
	const struct set *whole;
	int64_t missing, rows;
	struct set seen;
};

static void
take_above(char *line, size_t len, void *arg)
{
	struct above *a = arg;

	a->rows++;
	if (a->whole->key[slot_of(a->whole, name(line, len))] != 0)
		(void)add(&a->seen, name(line, len));
}

static void
test_above(const struct world_of *w, struct tap *t)
{
	static const char *const table[] = { "deployment_target", "fleet", "deployment", "deployment_targets_fleets", "subnets_fleets" };
	int good = 1;

	for (size_t i = 0; i < 5; i++) {
		int e = entity_of(w, table[i]);
		struct set whole = { 0 };
		struct above a = { .whole = &whole };

		each_line(w, 1, e, 1, 1, take_set, &whole);
		each_line(w, 2.5, e, 1, 1, take_above, &a);
		good &= a.seen.n == whole.n && (double)a.rows > 2.2 * (double)whole.n && (double)a.rows < 2.8 * (double)whole.n;
		free(whole.key);
		free(whole.count);
		free(a.seen.key);
		free(a.seen.count);
	}
	tap(t, good, "a larger factor adds rows and keeps those it had");
}

/* Blocks of addresses, as first and last. */
struct block {
	uint32_t from, to;
};
struct blocks {
	struct block *block;
	size_t n;
	int cell, private, bits;
};

static uint32_t
number(const char **p)
{
	uint32_t x = 0;

	for (; **p >= '0' && **p <= '9'; ++*p)
		x = x * 10 + (uint32_t)(**p - '0');
	++*p;
	return x;
}

static void
take_block(char *line, size_t len, void *arg)
{
	struct blocks *b = arg;
	char *cell[CELLS], text[32] = "";
	size_t n[CELLS];
	const char *p = text;
	uint32_t base = 0, bits;
	int cells;

	cut(line, len, cell, n, &cells);
	memcpy(text, cell[b->cell], n[b->cell]);
	b->private &= strncmp(text, "10.", 3) == 0;
	for (int i = 0; i < 4; i++)
		base = base << 8 | number(&p);
	bits = number(&p);
	b->bits = (int)bits;
	if (b->n % 65536 == 0 && (b->block = realloc(b->block, (b->n + 65536) * sizeof(*b->block))) == NULL)
		exit(2);
	b->block[b->n++] = (struct block){ base, base | UINT32_MAX >> bits };
}

static int
order_blocks(const void *one, const void *two)
{
	const struct block *a = one, *b = two;

	return a->from < b->from ? -1 : a->from > b->from;
}

static int
disjoint(struct blocks *b)
{
	qsort(b->block, b->n, sizeof(*b->block), order_blocks);
	for (size_t i = 1; i < b->n; i++)
		if (b->block[i - 1].to >= b->block[i].from)
			return 0;
	return b->n > 0;
}

static void
test_networks(const struct world_of *w, struct tap *t)
{
	struct blocks networks = { .cell = 2, .private = 1 }, subnets = { .cell = 2, .private = 1 };
	int inside = 1;
	size_t k = 0;

	each_line(w, 1, entity_of(w, "network"), 1, 1, take_block, &networks);
	each_line(w, 1, entity_of(w, "subnet"), 1, 1, take_block, &subnets);
	tap(t, disjoint(&networks) && disjoint(&subnets), "no two networks, and no two subnets, overlap");
	tap(t, networks.private && subnets.private, "all are of 10.0.0.0/8");
	for (size_t i = 0; i < subnets.n && inside; i++) {
		while (k < networks.n && networks.block[k].to < subnets.block[i].from)
			k++;
		inside = k < networks.n && networks.block[k].from <= subnets.block[i].from && networks.block[k].to >= subnets.block[i].to;
	}
	tap(t, inside && subnets.bits > networks.bits, "subnets lie in networks");
	free(networks.block);
	free(subnets.block);
}

/* HIGH stands above LOW of the same allocation. */
struct marks {
	char high[4096];
	double above;
	int64_t pairs, wrong, equal;
};

static double
decimal(const char *s, size_t n)
{
	double x = 0, unit = 0;

	for (size_t i = 0; i < n; i++)
		if (s[i] == '.')
			unit = 1;
		else {
			x = x * 10 + (s[i] - '0');
			unit *= 10;
		}
	return unit == 0 ? x : x / unit;
}

static void
take_mark(char *line, size_t len, void *arg)
{
	struct marks *m = arg;
	char *cell[CELLS];
	size_t n[CELLS], key;
	double value;
	int cells;

	cut(line, len, cell, n, &cells);
	key = n[0] + 1 + n[1];
	value = decimal(cell[3], n[3]);
	if (n[2] == 4) {
		memcpy(m->high, line, key);
		m->high[key] = '\0';
		m->above = value;
		return;
	}
	m->pairs++;
	m->wrong += strncmp(m->high, line, key) != 0 || m->high[key] != '\0' || value > m->above || value <= 0;
	m->equal += value == m->above;
}

static void
test_marks(const struct world_of *w, struct tap *t)
{
	struct marks m = { 0 };

	each_line(w, 1, entity_of(w, "allocation"), 1, 1, take_mark, &m);
	printf("# %lld pairs, %lld of them equal\n", (long long)m.pairs, (long long)m.equal);
	tap(t, m.pairs * 2 == sums[entity_of(w, "allocation")].rows && m.wrong == 0 && m.equal * 10 < m.pairs, "no LOW is above its HIGH");
}

int
main(void)
{
	struct world_of w = { .seed = 42 };
	struct tap t = { 0 };
	char text[ERROR_MAX];

	if (catalog_load(&w.c, "share/og/social", text, sizeof(text), NULL, NULL) == -1)
		errx(2, "%s", text);
	w.begin = w.c.set.begin;
	w.end = w.c.set.end;
	if (w.c.nentities > MAX_ENTITIES)
		errx(2, "too many entities");
	read_all(&w, &t);
	test_counts(&w, &t);
	test_networks(&w, &t);
	test_marks(&w, &t);
	test_above(&w, &t);
	test_factor(&w, &t);
	test_shards(&w, &t);
	for (int e = 0; e < w.c.nentities; e++) {
		free(ids[e].key);
		free(ids[e].count);
	}
	catalog_free(&w.c);
	return tap_end(&t);
}
