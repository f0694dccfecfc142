#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_impl.h"
#include "mix.h"
#include "num.h"

#define Z99 2.3263478740408408 /* standard normal quantile of 0.99 */

double
catalog_dist_max(const struct catalog_dist *d)
{
	double most;
	int i;

	switch (d->kind) {
	case DIST_LOGNORMAL:
		return (double)INFINITY;
	case DIST_CHOICE:
		most = -(double)INFINITY;
		for (i = 0; i < d->n; i++)
			if (d->weight[i] > 0 && d->value[i] > most)
				most = d->value[i];
		return most;
	default:
		return d->a > d->b ? d->a : d->b;
	}
}

double
catalog_dist_mean(const struct catalog_dist *d)
{
	double sum = 0, weights = 0, sigma;
	int i;

	switch (d->kind) {
	case DIST_LOGNORMAL:
		sigma = num_log(d->b / d->a) / Z99;
		return d->a * num_exp(sigma * sigma / 2);
	case DIST_CHOICE:
		for (i = 0; i < d->n; i++) {
			sum += d->value[i] * d->weight[i];
			weights += d->weight[i];
		}
		return sum / weights;
	default:
		return (d->a + d->b) / 2;
	}
}

static double
draw_choice(const struct catalog_dist *d, double u)
{
	double sum = 0;
	int i, last = 0;

	for (i = 0; i < d->n; i++)
		sum += d->weight[i];
	u *= sum;
	for (i = 0; i < d->n; i++) {
		if (d->weight[i] <= 0)
			continue;
		last = i;
		if (u < d->weight[i])
			break;
		u -= d->weight[i];
	}
	return d->value[last];
}

double
catalog_draw(const struct catalog_dist *d, uint64_t word)
{
	double u = ((double)(word >> 11) + 0.5) * 0x1p-53, steps;

	switch (d->kind) {
	case DIST_UNIFORM:
		if (!d->whole)
			return d->a + (d->b - d->a) * u;
		steps = d->b > d->a ? d->b - d->a : d->a - d->b;
		u = (double)(uint64_t)((steps + 1) * u);
		u = u > steps ? steps : u;
		return d->b > d->a ? d->a + u : d->a - u;
	case DIST_LOGNORMAL:
		return d->a * num_exp(num_log(d->b / d->a) / Z99 * num_normal_quantile(u));
	case DIST_CHOICE:
		return draw_choice(d, u);
	default:
		return d->a;
	}
}

double
catalog_activity(const struct catalog_persona *p, int quarter, double utc)
{
	/* Quarter minutes since Monday 00:00 on that clock, at the middle of the quarter hour. */
	int local = quarter * 60 + 30 + (int)(utc * 240), week = 7 * 24 * 240, day, hour;
	double at;

	local = (local % week + week) % week;
	day = local / (24 * 240);
	at = (local % (24 * 240) - 120) / 240.0;
	hour = at < 0 ? 23 : (int)at;
	at = at < 0 ? at + 1 : at - hour;
	return (p->day[hour] * (1 - at) + p->day[(hour + 1) % 24] * at) * p->week[day];
}

double
catalog_draw_real(const struct catalog_dist *dist, uint64_t word)
{
	struct catalog_dist d = *dist;

	d.whole = 0;
	return catalog_draw(&d, word);
}

static struct arena *
arena_of(const struct catalog *c)
{
	return c->arena;
}

int
catalog_place(const struct catalog *c, const char *id, size_t n)
{
	return catalog_index_find(&arena_of(c)->place, id, n, 0);
}

int
catalog_service(const struct catalog *c, const char *id, size_t n)
{
	return catalog_index_find(&arena_of(c)->service, id, n, 0);
}

int
catalog_code(const struct catalog *c, const char *code, size_t n)
{
	return catalog_index_find(&arena_of(c)->code, code, n, 0);
}

int
catalog_list(const struct catalog *c, const char *name, size_t n)
{
	return catalog_index_find(&arena_of(c)->list, name, n, 0);
}

int
catalog_layout(const struct catalog *c, const char *name, size_t n)
{
	return catalog_index_find(&arena_of(c)->layout, name, n, 0);
}

int
catalog_id(const struct catalog *c, const char *id, size_t n)
{
	return catalog_index_find(&arena_of(c)->id, id, n, 0);
}

int
catalog_link(const struct catalog *c, const char *id, size_t n)
{
	return catalog_index_find(&arena_of(c)->link, id, n, 0);
}

int
catalog_series(const struct catalog *c, const char *id, size_t n)
{
	return catalog_index_find(&arena_of(c)->series, id, n, 0);
}

int
catalog_above(const struct catalog *c, int entity, int of)
{
	return c->above[entity * c->nentities + of];
}

int
catalog_entity(const struct catalog *c, const char *id, size_t n)
{
	return catalog_index_find(&arena_of(c)->entity, id, n, 0);
}

int
catalog_op(const struct catalog *c, int service, const char *name, size_t n)
{
	int op = catalog_index_find(&arena_of(c)->op, name, n, service);

	return op != -1 || service == -1 ? op : catalog_index_find(&arena_of(c)->op, name, n, -1);
}

int
catalog_covers(const struct catalog *c, const struct catalog_ref *r, int service, int op)
{
	const struct catalog_op *o = &c->op[op];

	return (o->service == -1 || o->service == service) && (r->service == -1 || r->service == service) &&
	    (r->op == NULL || strcmp(r->op, o->name) == 0);
}

/* The row of an operation that any service has. */
static int
op_anywhere(const struct catalog *c, const char *name, size_t n)
{
	int op = catalog_op(c, -1, name, n), s;

	for (s = 0; s < c->nservices && op == -1; s++)
		op = catalog_op(c, s, name, n);
	return op;
}

int
catalog_parse_ref(const struct catalog *c, const char *s, size_t n, struct catalog_ref *r)
{
	const char *end = s + n, *slash;
	int op;

	r->op = NULL;
	r->service = -1;
	if (n == 1 && *s == '*')
		return 0;
	if ((r->service = catalog_service(c, s, n)) != -1)
		return 0;
	/* Operations may hold a "/", and so may services. */
	for (slash = s; slash < end && (slash = memchr(slash, '/', (size_t)(end - slash))) != NULL; slash++) {
		n = (size_t)(end - slash - 1);
		if (slash == s + 1 && *s == '*')
			op = op_anywhere(c, slash + 1, n);
		else if ((r->service = catalog_service(c, s, (size_t)(slash - s))) != -1)
			op = catalog_op(c, r->service, slash + 1, n);
		else
			continue;
		if (op != -1) {
			r->op = c->op[op].name;
			return 0;
		}
	}
	return -1;
}

int
catalog_parse_dist(struct catalog *c, const char *s, size_t n, struct catalog_dist *d)
{
	return catalog_quantity_of(c->arena, s, n, d) == 0 ? 0 : -1;
}

/* The value of a bare part that is not an id; NULL: none. *known: the part has a meaning, but no value now. */
static const char *
part_value(const struct catalog *c, const char *part, int place, int service, const char *release, int *known)
{
	int i;

	*known = 1;
	for (i = 0; i < c->nplaceparts; i++)
		if (strcmp(part, c->placepart[i]) == 0)
			return place == -1 ? NULL : c->place[place].part[i];
	for (i = 0; i < c->nserviceparts; i++)
		if (strcmp(part, c->servicepart[i]) == 0)
			return service == -1 ? NULL : c->service[service].part[i];
	if ((i = catalog_index_find(&arena_of(c)->constant, part, strlen(part), 0)) != -1)
		return c->cvalue[i];
	*known = strcmp(part, "release") == 0;
	return *known ? release : NULL;
}

int
catalog_expand(const struct catalog *c, int id, int place, int service, const char *release, char *buf, size_t size, const char **missing)
{
	const struct catalog_piece *p;
	const char *value;
	size_t used = 0, n;
	int i, k, known;

	for (i = 0; i < c->id[id].form.n; i++) {
		p = &c->id[id].form.piece[i];
		*missing = p->text;
		value = p->text;
		if (p->src == SRC_PART) {
			value = part_value(c, p->text, place, service, release, &known);
			k = known ? -1 : catalog_id(c, p->text, strlen(p->text));
			if (k != -1) {
				k = catalog_expand(c, k, place, service, release, buf + used, size - used, missing);
				if (k == -1)
					return -1;
				used += (size_t)k;
				continue;
			}
		} else if (p->src != SRC_NONE && p->src != SRC_CONST)
			value = NULL;
		if (value == NULL)
			return -1;
		n = strlen(value);
		/* Too long is told from a part without a value by *missing. */
		*missing = NULL;
		if (n >= size - used)
			return -1;
		memcpy(buf + used, value, n);
		used += n;
	}
	*missing = NULL;
	if (used >= size)
		return -1;
	buf[used] = '\0';
	return (int)used;
}

/* "DIR/NAME", or NULL when it is no folder. */
static char *
folder_in(struct load *l, const char *dir, const char *name)
{
	char path[4096];
	struct stat st;
	int n;

	if (dir == NULL || *dir == '\0')
		return NULL;
	n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(path) || stat(path, &st) == -1 || !S_ISDIR(st.st_mode))
		return NULL;
	return catalog_keep(l, path, (size_t)n);
}

static char *
shared_folder(struct load *l, const char *name)
{
	char *dir = folder_in(l, getenv("OG_SHARE"), name);

	return dir != NULL ? dir : folder_in(l, OG_SHARE_DIR, name);
}

/* That of the folder, whatever way the path goes to it. */
static char *
name_of(struct load *l, const char *dir)
{
	char whole[PATH_MAX];
	const char *last = strrchr(dir, '/');

	last = last == NULL ? dir : last + 1;
	if (*last == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
		if (realpath(dir, whole) == NULL) {
			tsv_error(l->err, l->errsize, dir, 0, "%s", strerror(errno));
			longjmp(l->out, 1);
		}
		last = strrchr(whole, '/') + 1;
	}
	return catalog_keep(l, last, strlen(last));
}

/* What was asked for is nowhere: where it was looked for. */
static void
not_found(struct load *l, const char *name)
{
	const char *share = getenv("OG_SHARE");

	if (strchr(name, '/') != NULL)
		tsv_error(l->err, l->errsize, name, 0, "no such catalog: there is no folder of this path");
	else if (share == NULL || *share == '\0')
		tsv_error(l->err, l->errsize, name, 0, "no such catalog in " OG_SHARE_DIR ", nor does OG_SHARE name a folder");
	else
		tsv_error(l->err, l->errsize, name, 0, "no such catalog in %.200s, which is OG_SHARE, or in " OG_SHARE_DIR, share);
	longjmp(l->out, 1);
}

static void
find_folders(struct load *l, const char *name)
{
	size_t n = strlen(name);
	struct stat st;

	if (strchr(name, '/') == NULL)
		l->dir[OWN] = n == 0 || name[0] == '.' ? NULL : shared_folder(l, name);
	else {
		while (n > 1 && name[n - 1] == '/')
			n--;
		l->dir[OWN] = catalog_keep(l, name, n);
		if (stat(l->dir[OWN], &st) == -1 || !S_ISDIR(st.st_mode))
			l->dir[OWN] = NULL;
	}
	if (l->dir[OWN] == NULL)
		not_found(l, name);
	l->dir[DEFAULT] = shared_folder(l, "default");
	l->c->dir = l->dir[OWN];
	l->c->defaults = l->dir[DEFAULT];
	l->c->name = name_of(l, l->c->dir);
}

static int
is_table(const char *file, enum table *table)
{
	size_t n = strlen(file) - 4;
	int t;

	for (t = 0; t < NTABLES; t++)
		if (strlen(catalog_table_name((enum table)t)) == n && strncmp(file, catalog_table_name((enum table)t), n) == 0) {
			*table = (enum table)t;
			return 1;
		}
	return 0;
}

/* Tables beside those of the catalog, which og-check, og-dataset and og-apipush read: catalog_beside(). */
static int
is_beside(const char *file)
{
	return strcmp(file, "bands.tsv") == 0 || strcmp(file, "checks.tsv") == 0 || strcmp(file, "dataset.tsv") == 0 ||
	    strcmp(file, "pairs.tsv") == 0;
}

/* Which tables a folder has. Of several unknown ones the first by name is reported, as folders have no order. */
static void
list_folder(struct load *l, const char *dir, int has[NTABLES])
{
	char unknown[NAME_MAX + 1] = "", path[4096];
	struct dirent *e;
	enum table table;
	size_t n;
	DIR *d = opendir(dir);

	if (d == NULL) {
		tsv_error(l->err, l->errsize, dir, 0, "%s", strerror(errno));
		longjmp(l->out, 1);
	}
	while ((e = readdir(d)) != NULL) {
		n = strlen(e->d_name);
		if (e->d_name[0] == '.' || n < 4 || strcmp(e->d_name + n - 4, ".tsv") != 0)
			continue;
		if (is_table(e->d_name, &table))
			has[table] = 1;
		else if (!is_beside(e->d_name) && n < sizeof(unknown) && (unknown[0] == '\0' || strcmp(e->d_name, unknown) < 0))
			memcpy(unknown, e->d_name, n + 1);
	}
	closedir(d);
	if (unknown[0] != '\0') {
		snprintf(path, sizeof(path), "%s/%s", dir, unknown);
		tsv_error(l->err, l->errsize, path, 0, "unknown table");
		longjmp(l->out, 1);
	}
}

static void
read_table(struct load *l, int folder, enum table table, const struct catalog_bytes *bytes)
{
	const char *name = catalog_table_name(table);
	char path[4096], *text;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s.tsv", l->dir[folder], name);
	if (bytes == NULL)
		text = tsv_slurp(path, &n, l->err, l->errsize);
	else {
		n = bytes->n;
		if ((text = malloc(n + 1)) != NULL) {
			memcpy(text, bytes->data, n);
			text[n] = '\0';
		}
	}
	if (text == NULL)
		longjmp(l->out, 1);
	l->c->digest = mix(l->c->digest ^ mix_name(name, strlen(name)));
	l->c->digest = mix(l->c->digest ^ mix_name(text, n));
	if (tsv_parse(&l->a->tsv[folder][table], text, n, path, l->err, l->errsize) == -1)
		longjmp(l->out, 1);
}

static void
read_tables(struct load *l, const struct catalog_bytes *bytes)
{
	static const int merged[NTABLES] = { [T_LISTS] = 1, [T_IDS] = 1, [T_LAYOUTS] = 1 };
	int has[NFOLDERS][NTABLES] = { { 0 } }, t;
	const struct catalog_bytes *given;

	list_folder(l, l->dir[OWN], has[OWN]);
	if (l->dir[DEFAULT] != NULL)
		list_folder(l, l->dir[DEFAULT], has[DEFAULT]);
	for (t = 0; t < NTABLES; t++) {
		given = bytes != NULL && strcmp(bytes->name, catalog_table_name((enum table)t)) == 0 ? bytes : NULL;
		if (has[OWN][t] || given != NULL)
			read_table(l, OWN, (enum table)t, given);
		if (has[DEFAULT][t] && (merged[t] || !has[OWN][t]))
			read_table(l, DEFAULT, (enum table)t, NULL);
	}
}

static int
load(struct load *l, const char *name, const struct catalog_bytes *bytes)
{
	if (setjmp(l->out) != 0)
		return -1;
	l->none = catalog_keep(l, "", 0);
	find_folders(l, name);
	read_tables(l, bytes);
	catalog_load_constants(l);
	catalog_name_entities(l);
	catalog_load_things(l);
	catalog_load_links(l);
	catalog_load_traffic(l);
	catalog_load_records(l);
	catalog_load_settings(l);
	catalog_load_entities(l);
	catalog_check_all(l);
	return 0;
}

int
catalog_load_bytes(struct catalog *c, const char *name, const struct catalog_bytes *bytes, char *err, size_t errsize,
    void (*warn)(const char *, void *), void *arg)
{
	struct load l = { .c = c, .err = err, .errsize = errsize, .warn = warn, .arg = arg };

	memset(c, 0, sizeof(*c));
	if ((l.a = calloc(1, sizeof(*l.a))) == NULL) {
		tsv_error(err, errsize, name, 0, "%s", strerror(errno));
		return -1;
	}
	c->arena = l.a;
	if (load(&l, name, bytes) == 0)
		return 0;
	catalog_free(c);
	return -1;
}

int
catalog_load(struct catalog *c, const char *name, char *err, size_t errsize, void (*warn)(const char *, void *), void *arg)
{
	return catalog_load_bytes(c, name, NULL, err, errsize, warn, arg);
}

void
catalog_free(struct catalog *c)
{
	if (c->arena != NULL)
		catalog_arena_free(c->arena);
	memset(c, 0, sizeof(*c));
}

int
catalog_beside(const struct catalog *c, const char *name, char *path, size_t size)
{
	const char *dir[] = { c->dir, c->defaults };

	for (size_t i = 0; i < sizeof(dir) / sizeof(*dir); i++) {
		struct stat st;
		int n = dir[i] == NULL ? -1 : snprintf(path, size, "%s/%s.tsv", dir[i], name);

		if (n > 0 && (size_t)n < size && stat(path, &st) == 0)
			return 0;
	}
	return -1;
}
