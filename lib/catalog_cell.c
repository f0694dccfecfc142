/* Memory, rows and cells of tables while a catalog is loaded. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_impl.h"
#include "clock.h"
#include "mix.h"
#include "num.h"

#define BLOCK 65536 /* bytes */
#define DIST_FORMS "5, 2..8, 40~160 or 1=0.7,2=0.3"
#define MESSAGE 1024 /* bytes of a warning */

struct block {
	struct block *next;
	size_t size, used;
	max_align_t data[];
};

static const struct {
	const char *name;
	const char *column[NCOLUMNS];
	unsigned required; /* bit i: column i */
} spec[NTABLES] = {
	[T_SETTINGS] = { "settings", { "key", "value" }, 1 },
	[T_LISTS] = { "lists", { "list", "items" }, 3 },
	[T_IDS] = { "ids", { "id", "form" }, 3 },
	[T_PLACES] = { "places", { "place", "weight", "latency", "errors", "utc" }, 1 },
	[T_SERVICES] = { "services", { "service", "hosts", "host", "releases" }, 1 },
	[T_LINKS] = { "links", { "link", "from", "to", "weight", "rtt_ms", "loss_pct" }, 023 },
	[T_SERIES] = { "series", { "series", "of", "every", "base", "swing", "noise", "memory_min", "range" }, 017 },
	[T_OPERATIONS] = { "operations",
	    { "service", "operation", "category", "weight", "write", "object", "target", "latency_ms", "request_bytes", "response_bytes",
		"error_rate" },
	    3 },
	[T_PERSONAS] = { "personas", { "persona", "class", "users", "activity", "error_rate", "latency", "mix", "day", "week", "places" },
	    1 },
	[T_CALLS] = { "calls",
	    { "from", "to", "when", "count", "stage", "share", "place", "trips", "timeout_ms", "retries", "fails", "delay_ms" }, 3 },
	[T_CODES] = { "codes", { "code", "http", "type", "message", "weight", "latency", "when" }, 11 },
	[T_LOGS] = { "logs", { "operation", "at", "event", "level", "message", "when", "by" }, 17 },
	[T_TICKETS] = { "tickets", { "when", "rate", "delay_min", "repeat" }, 6 },
	[T_LAYOUTS] = { "layouts", { "layout", "record", "field", "value", "when" }, 7 },
	[T_INCIDENTS] = { "incidents",
	    { "incident", "component", "role", "type", "message", "start", "length_min", "per_year", "ramp_min", "every_min", "burst_min",
		"scope" },
	    1 },
	[T_EFFECTS] = { "effects", { "incident", "level", "what", "target", "when", "factor", "add", "code" }, 13 },
	[T_ENTITIES] = { "entities", { "entity", "title", "per", "of", "count", "match", "when" }, 25 },
};

void *
catalog_arena_get(struct arena *a, size_t n, size_t size)
{
	struct block *b = a->block;
	size_t need, room;
	void *p;

	if (size != 0 && n > (SIZE_MAX / 2 - sizeof(*b)) / size)
		return NULL;
	need = (n * size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (b == NULL || b->size - b->used < need) {
		room = need > BLOCK ? need : BLOCK;
		if ((b = calloc(1, sizeof(*b) + room)) == NULL)
			return NULL;
		b->size = room;
		b->next = a->block;
		a->block = b;
	}
	p = (char *)b->data + b->used;
	b->used += need;
	return p;
}

void
catalog_arena_free(struct arena *a)
{
	struct block *b;
	int folder, t;

	for (folder = 0; folder < NFOLDERS; folder++)
		for (t = 0; t < NTABLES; t++)
			tsv_free(&a->tsv[folder][t]);
	while ((b = a->block) != NULL) {
		a->block = b->next;
		free(b);
	}
	free(a);
}

void *
catalog_get(struct load *l, size_t n, size_t size)
{
	void *p = catalog_arena_get(l->a, n, size);

	if (p == NULL)
		catalog_fail(l, "out of memory");
	return p;
}

char *
catalog_keep(struct load *l, const char *s, size_t n)
{
	char *p = catalog_get(l, n + 1, 1);

	memcpy(p, s, n);
	return p;
}

const char *
catalog_table_name(enum table t)
{
	return spec[t].name;
}

size_t
catalog_row_line(const struct load *l)
{
	return l->t->line + 1 + l->row;
}

size_t
catalog_nth_line(const struct load *l, enum table table, int i)
{
	const struct tsv *t = &l->a->tsv[OWN][table];

	if (t->text == NULL)
		t = &l->a->tsv[DEFAULT][table];
	return t->line + 1 + (size_t)i;
}

size_t
catalog_rows_of(const struct load *l, enum table table)
{
	return l->a->tsv[OWN][table].nrows + l->a->tsv[DEFAULT][table].nrows;
}

/* "PATH:LINE: what" by a message already formed. */
static void
say(const struct load *l, char *buf, size_t size, enum table table, int folder, size_t line, const char *what)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.tsv", l->dir[folder] == NULL ? l->dir[OWN] : l->dir[folder], spec[table].name);
	tsv_error(buf, size, path, line, "%s", what);
}

static int
folder_of(const struct load *l, enum table table)
{
	return l->a->tsv[OWN][table].text == NULL && l->a->tsv[DEFAULT][table].text != NULL ? DEFAULT : OWN;
}

void
catalog_fail(struct load *l, const char *fmt, ...)
{
	char what[MESSAGE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (l->t != NULL)
		say(l, l->err, l->errsize, l->table, l->folder, l->row == SIZE_MAX ? l->t->line : catalog_row_line(l), what);
	else
		tsv_error(l->err, l->errsize, l->dir[OWN], 0, "%s", what);
	longjmp(l->out, 1);
}

void
catalog_fail_at(struct load *l, enum table table, size_t line, const char *fmt, ...)
{
	char what[MESSAGE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	say(l, l->err, l->errsize, table, folder_of(l, table), line, what);
	longjmp(l->out, 1);
}

void
catalog_warn_at(struct load *l, enum table table, size_t line, const char *fmt, ...)
{
	char what[MESSAGE], text[MESSAGE + 1024];
	va_list ap;

	if (l->warn == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	say(l, text, sizeof(text), table, folder_of(l, table), line, what);
	l->warn(text, l->arg);
}

void
catalog_index_init(struct load *l, struct index *ix, size_t n)
{
	size_t slots = 16;

	while (slots < 2 * n + 2)
		slots *= 2;
	ix->slot = catalog_get(l, slots, sizeof(*ix->slot));
	ix->mask = slots - 1;
}

static struct index_slot *
index_slot(const struct index *ix, const char *key, size_t n, int salt)
{
	size_t i = (size_t)mix_at(mix_name(key, n), (uint64_t)salt) & ix->mask;
	struct index_slot *s;

	for (;; i = (i + 1) & ix->mask) {
		s = &ix->slot[i];
		if (s->key == NULL || (s->salt == salt && strlen(s->key) == n && memcmp(s->key, key, n) == 0))
			return s;
	}
}

int
catalog_index_add(struct index *ix, const char *key, int salt, int value)
{
	struct index_slot *s = index_slot(ix, key, strlen(key), salt);

	if (s->key != NULL)
		return s->value;
	s->key = key;
	s->salt = salt;
	s->value = value;
	return -1;
}

int
catalog_index_find(const struct index *ix, const char *key, size_t n, int salt)
{
	struct index_slot *s;

	if (ix->slot == NULL)
		return -1;
	s = index_slot(ix, key, n, salt);
	return s->key == NULL ? -1 : s->value;
}

/* Match the header row with the columns the table may have, which come in order. */
static void
match_columns(struct load *l)
{
	size_t i;
	int column, next = 0;

	for (column = 0; column < NCOLUMNS; column++)
		l->at[column] = -1;
	for (i = 0; i < l->t->ncols; i++) {
		for (column = 0; column < NCOLUMNS && spec[l->table].column[column] != NULL; column++)
			if (strcmp(l->t->column[i], spec[l->table].column[column]) == 0)
				break;
		if (column == NCOLUMNS || spec[l->table].column[column] == NULL)
			catalog_fail(l, "unknown column \"%s\"", l->t->column[i]);
		if (l->at[column] != -1)
			catalog_fail(l, "column \"%s\" twice", l->t->column[i]);
		if (column < next)
			catalog_fail(l, "column \"%s\" stands after \"%s\"", l->t->column[i], l->t->column[i - 1]);
		l->at[column] = (int)i;
		next = column + 1;
	}
	for (column = 0; column < NCOLUMNS; column++)
		if ((spec[l->table].required >> column & 1) != 0 && l->at[column] == -1)
			catalog_fail(l, "no column \"%s\"", spec[l->table].column[column]);
}

int
catalog_open_table(struct load *l, enum table table, int folder)
{
	l->table = table;
	l->folder = folder;
	l->t = &l->a->tsv[folder][table];
	l->row = SIZE_MAX;
	if (l->t->text == NULL)
		return 0;
	match_columns(l);
	return 1;
}

int
catalog_open_either(struct load *l, enum table table)
{
	return catalog_open_table(l, table, OWN) || catalog_open_table(l, table, DEFAULT);
}

void
catalog_open_needed(struct load *l, enum table table)
{
	if (!catalog_open_either(l, table))
		catalog_fail_at(l, table, 0, "no such table");
	if (l->t->nrows == 0)
		catalog_fail(l, "no rows");
}

int
catalog_next_row(struct load *l)
{
	int column;

	l->row++;
	if (l->row == l->t->nrows)
		return 0;
	for (column = 0; column < NCOLUMNS; column++)
		if ((spec[l->table].required >> column & 1) != 0 && catalog_cell(l, column).s[0] == '\0')
			catalog_fail(l, "%s is empty", spec[l->table].column[column]);
	return 1;
}

struct cell
catalog_cell(const struct load *l, int column)
{
	struct cell x = { spec[l->table].column[column], l->none };

	if (l->at[column] != -1)
		x.s = l->t->cell[l->row * l->t->ncols + (size_t)l->at[column]];
	return x;
}

int
catalog_is_name(const char *s)
{
	size_t i, n = strlen(s);
	int good = n > 0 && s[0] != ' ' && s[n - 1] != ' ';

	for (i = 0; good && i < n; i++)
		good = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9') ||
		    (unsigned char)s[i] >= 0x80 || strchr("_.:/- ", s[i]) != NULL;
	return good;
}

void
catalog_check_name(struct load *l, const char *s)
{
	if (!catalog_is_name(s))
		catalog_fail(l, "bad name \"%s\"", s);
}

char *
catalog_name_of(struct load *l, struct cell x)
{
	if (x.s[0] != '\0')
		catalog_check_name(l, x.s);
	return x.s;
}

double
catalog_number(struct load *l, struct cell x, double empty, double lo, double hi)
{
	double v;

	if (x.s[0] == '\0')
		return empty;
	if (num_decimal(x.s, strlen(x.s), &v) == -1)
		catalog_fail(l, "%s: \"%s\" is not a number", x.name, x.s);
	if (lo == 0 && v < 0)
		catalog_fail(l, "%s: \"%s\" is below 0", x.name, x.s);
	if (v < lo || v > hi)
		catalog_fail(l, "%s: \"%s\" is not between %g and %g", x.name, x.s, lo, hi);
	return v;
}

double
catalog_positive(struct load *l, struct cell x, double empty)
{
	double v = catalog_number(l, x, empty, -MANY, MANY);

	if (v <= 0)
		catalog_fail(l, "%s: \"%s\" is not above 0", x.name, x.s);
	return v;
}

double
catalog_share(struct load *l, struct cell x, double empty)
{
	double v = catalog_number(l, x, empty, -MANY, MANY);

	if (v < 0 || v > 1)
		catalog_fail(l, "%s: \"%s\" is not a share between 0 and 1", x.name, x.s);
	return v;
}

int
catalog_whole(struct load *l, struct cell x, int empty, int lo, int hi)
{
	int64_t v;

	if (x.s[0] == '\0')
		return empty;
	if (num_scaled(x.s, strlen(x.s), 0, &v) == -1)
		catalog_fail(l, "%s: \"%s\" is not a whole number", x.name, x.s);
	if (v < lo || v > hi)
		catalog_fail(l, "%s: \"%s\" is not between %d and %d", x.name, x.s, lo, hi);
	return (int)v;
}

int
catalog_choice(struct load *l, struct cell x, const char *const *words, const char *expected)
{
	int i;

	for (i = 0; words[i] != NULL; i++)
		if (strcmp(x.s, words[i]) == 0)
			return i;
	catalog_fail(l, "%s: \"%s\" is not %s", x.name, x.s, expected);
}

static const char *
find(const char *s, size_t n, const char *what)
{
	size_t i, k = strlen(what);

	for (i = 0; i + k <= n; i++)
		if (memcmp(s + i, what, k) == 0)
			return s + i;
	return NULL;
}

static int
is_whole(const char *s, size_t n)
{
	return memchr(s, '.', n) == NULL;
}

static int
parse_choice(struct arena *a, const char *s, size_t n, struct catalog_dist *d)
{
	const char *end = s + n, *item, *comma, *eq;
	double sum = 0;
	int i = 0;

	d->n = 1;
	for (item = s; item < end; item++)
		d->n += *item == ',';
	d->value = catalog_arena_get(a, (size_t)d->n, sizeof(*d->value));
	d->weight = catalog_arena_get(a, (size_t)d->n, sizeof(*d->weight));
	if (d->value == NULL || d->weight == NULL)
		return -2;
	d->whole = 1;
	for (item = s; i < d->n; item = comma + 1, i++) {
		comma = memchr(item, ',', (size_t)(end - item));
		if (comma == NULL)
			comma = end;
		eq = memchr(item, '=', (size_t)(comma - item));
		if (eq == NULL || num_decimal(item, (size_t)(eq - item), &d->value[i]) == -1 ||
		    num_decimal(eq + 1, (size_t)(comma - eq - 1), &d->weight[i]) == -1 || d->weight[i] < 0)
			return -1;
		d->whole &= is_whole(item, (size_t)(eq - item));
		sum += d->weight[i];
	}
	d->kind = DIST_CHOICE;
	return sum > 0 ? 0 : -1;
}

int
catalog_quantity_of(struct arena *a, const char *s, size_t n, struct catalog_dist *d)
{
	const char *mid;
	size_t skip;

	memset(d, 0, sizeof(*d));
	if (memchr(s, '=', n) != NULL)
		return parse_choice(a, s, n, d);
	if ((mid = find(s, n, "~")) != NULL) {
		d->kind = DIST_LOGNORMAL;
		skip = 1;
	} else if ((mid = find(s, n, "..")) != NULL) {
		d->kind = DIST_UNIFORM;
		skip = 2;
	} else {
		d->kind = DIST_FIXED;
		if (num_decimal(s, n, &d->a) == -1)
			return -1;
		d->b = d->a;
		return 0;
	}
	if (num_decimal(s, (size_t)(mid - s), &d->a) == -1 || num_decimal(mid + skip, n - (size_t)(mid - s) - skip, &d->b) == -1)
		return -1;
	if (d->kind == DIST_LOGNORMAL)
		return d->a > 0 && d->b > d->a ? 0 : -1;
	d->whole = is_whole(s, (size_t)(mid - s)) && is_whole(mid + skip, n - (size_t)(mid - s) - skip);
	return 0;
}

void
catalog_quantity(struct load *l, struct cell x, const char *empty, struct catalog_dist *d, double lo, double hi, int counts)
{
	const char *s = x.s[0] == '\0' ? empty : x.s;
	int i, good;

	memset(d, 0, sizeof(*d));
	if (s == NULL)
		return;
	switch (catalog_quantity_of(l->a, s, strlen(s), d)) {
	case -2:
		catalog_fail(l, "out of memory");
	case -1:
		catalog_fail(l, "%s: \"%s\" is not a distribution: " DIST_FORMS, x.name, s);
	}
	good = d->kind == DIST_CHOICE || (d->a >= lo && d->a <= hi && d->b >= lo && d->b <= hi);
	for (i = 0; i < d->n; i++)
		good &= d->value[i] >= lo && d->value[i] <= hi;
	if (!good && lo == 0 && hi == 1)
		catalog_fail(l, "%s: \"%s\" is not within shares of 0 to 1", x.name, s);
	if (!good)
		catalog_fail(l, "%s: \"%s\" is not within %g and %g", x.name, s, lo, hi);
	d->whole &= counts;
}

int64_t
catalog_moment(struct load *l, struct cell x)
{
	int64_t t;

	if (clock_parse(x.s, strlen(x.s), &t) == -1)
		catalog_fail(l, "%s: \"%s\" is not a time such as 2025-12-03T12:20:00Z", x.name, x.s);
	return t;
}

int
catalog_count_items(const char *s)
{
	int n = 1;

	for (; *s != '\0'; s++)
		n += *s == ',';
	return n;
}

char *
catalog_next_item(struct load *l, const char *name, char **s)
{
	char *item = *s, *comma;

	if (item == NULL)
		return NULL;
	comma = strchr(item, ',');
	if (comma != NULL)
		*comma = '\0';
	if (*item == '\0')
		catalog_fail(l, "%s: empty item", name);
	*s = comma == NULL ? NULL : comma + 1;
	return item;
}

void
catalog_mix_of(struct load *l, struct cell x, struct catalog_mix *m)
{
	char *s = x.s, *item, *eq;
	double sum = 0;
	int n, i;

	m->n = 0;
	if (x.s[0] == '\0')
		return;
	n = catalog_count_items(s);
	m->item = catalog_get(l, (size_t)n, sizeof(*m->item));
	m->weight = catalog_get(l, (size_t)n, sizeof(*m->weight));
	for (i = 0; (item = catalog_next_item(l, x.name, &s)) != NULL; i++) {
		m->item[i] = item;
		m->weight[i] = 1;
		if ((eq = strrchr(item, '=')) != NULL) {
			*eq = '\0';
			if (eq[1] == '\0')
				catalog_fail(l, "%s: \"%s\" has no weight", x.name, item);
			m->weight[i] = catalog_number(l, (struct cell){ x.name, eq + 1 }, 0, 0, MANY);
		}
		sum += m->weight[i];
	}
	m->n = n;
	if (sum <= 0)
		catalog_fail(l, "%s: weights sum to 0", x.name);
}

struct catalog_ref
catalog_ref_of(struct load *l, const char *s)
{
	struct catalog_ref r;
	const char *slash;

	if (catalog_parse_ref(l->c, s, strlen(s), &r) == 0)
		return r;
	slash = strchr(s, '/');
	if (slash == NULL || (strncmp(s, "*/", 2) != 0 && catalog_service(l->c, s, (size_t)(slash - s)) == -1))
		catalog_fail(l, "no service \"%.*s\"", slash == NULL ? (int)strlen(s) : (int)(slash - s), s);
	catalog_fail(l, "no operation \"%s\"", s);
}
