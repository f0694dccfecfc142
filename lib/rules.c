#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "rules_impl.h"
#include "tsv.h"

enum { C_NAME, C_KIND, C_OF, C_AGAINST, C_BY, C_LOW, C_HIGH, C_LEVEL, C_SOURCE, COLUMNS };
static const char *const columns[COLUMNS] = { "check", "kind", "of", "against", "by", "low", "high", "level", "source" };

/* What a kind needs: columns in "of" at least; "against": 0 not, 1 must be there, 2 may; columns in "by" at most and at least. */
static const struct {
	const char *name;
	int columns, against, by, by_least;
} kinds[KINDS] = { [K_ROWS] = { "rows", 0, 0, 0, 0 },
	[K_UNIQUE] = { "unique", 1, 0, 0, 0 },
	[K_EXISTS] = { "exists", 1, 1, 0, 0 },
	[K_MISSING] = { "missing", 1, 1, 0, 0 },
	[K_SUM] = { "sum", 1, 2, 2, 0 },
	[K_MEAN] = { "mean", 1, 2, 2, 0 },
	[K_MIN] = { "min", 1, 2, 2, 0 },
	[K_MAX] = { "max", 1, 2, 2, 0 },
	[K_P50] = { "p50", 1, 2, 2, 0 },
	[K_P95] = { "p95", 1, 2, 2, 0 },
	[K_P99] = { "p99", 1, 2, 2, 0 },
	[K_TAIL] = { "tail", 1, 0, 1, 0 },
	[K_DAY] = { "day", 0, 0, 1, 0 },
	[K_SHARE] = { "share", 0, 1, 2, 0 },
	[K_CORRELATION] = { "correlation", 1, 1, 2, 0 },
	[K_ORDER] = { "order", 1, 2, 2, 1 },
	[K_INSIDE] = { "inside", 2, 0, 3, 3 },
	[K_OFFSET] = { "offset", 1, 1, 0, 0 } };

/* Do the columns of one side answer those of the other? */
static int
is_of_pairs(enum kind k)
{
	return k == K_EXISTS || k == K_MISSING || k == K_OFFSET;
}

int
rules_fail(struct rules *r, const char *path, size_t line, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tsv_error(r->err, r->errsize, path, line, "%s", text);
	return -1;
}

/* ---- the table of rules ---- */

static int
takes_level(const struct rules *r, const char *levels)
{
	const char *level = r->level;

	if (*levels == '\0' || level == NULL)
		return 1;
	while (*levels != '\0') {
		size_t n = strcspn(levels, ",");

		if (n == strlen(level) && memcmp(levels, level, n) == 0)
			return 1;
		levels += n + (levels[n] == ',');
	}
	return 0;
}

/* A level that effects have. */
static int
is_level(const struct catalog *c, const char *level, size_t n)
{
	for (int i = 0; i < c->neffects; i++)
		for (int k = 0; k < c->effect[i].nlevels; k++)
			if (strlen(c->effect[i].level[k]) == n && memcmp(c->effect[i].level[k], level, n) == 0)
				return 1;
	return 0;
}

/* "easy,hard": are there all of them? */
static int
are_levels(const struct catalog *c, const char *levels)
{
	while (*levels != '\0') {
		size_t n = strcspn(levels, ",");

		if (!is_level(c, levels, n))
			return 0;
		levels += n + (levels[n] == ',');
	}
	return 1;
}

static int
has_field(const struct catalog_layout *l, const char *name)
{
	for (int i = 0; i < l->n; i++)
		if (strcmp(l->field[i].name, name) == 0)
			return 1;
	return 0;
}

/* The columns of a table that the catalog lays out are known. NULL, or one that it does not have. */
static const char *
unknown_column(const struct catalog *c, const struct selection *s)
{
	int layout = catalog_layout(c, s->table, strlen(s->table));

	if (layout == -1)
		return NULL;
	for (int i = 0; i < s->ncolumns; i++)
		if (!has_field(&c->layout[layout], s->column[i]))
			return s->column[i];
	for (int i = 0; i < s->nconditions; i++)
		if (s->condition[i]->column != NULL && !has_field(&c->layout[layout], s->condition[i]->column))
			return s->condition[i]->column;
	return NULL;
}

/* "a/b/c" */
static int
parse_by(struct rule *x, const char *s)
{
	int n = 0;

	while (*s != '\0') {
		size_t len = strcspn(s, "/");

		if (n == 3 || len == 0 || (x->by[n++] = strndup(s, len)) == NULL)
			return -1;
		s += len + (s[len] == '/');
	}
	return n > kinds[x->kind].by || n < kinds[x->kind].by_least ? -1 : 0;
}

/* "event=a<b,c<d" */
static int
parse_steps(struct rule *x, const char *s)
{
	size_t n = strcspn(s, "=");
	int rank = 0;

	if (s[n] == '\0' || n == 0 || (x->step_column = strndup(s, n)) == NULL)
		return -1;
	for (s += n + 1; *s != '\0'; s += n + (s[n] != '\0')) {
		n = strcspn(s, "<,");
		if (x->nsteps == RULES_STEPS || (x->step[x->nsteps].p = strndup(s, n)) == NULL)
			return -1;
		x->step[x->nsteps].n = n;
		x->step_rank[x->nsteps++] = rank;
		rank += s[n] == '<';
	}
	return 0;
}

/* Columns that are not in their table. NULL, or the first one. */
static const char *
misspelt(const struct catalog *c, const struct rule *x)
{
	const char *name = unknown_column(c, &x->of);
	int of = catalog_layout(c, x->of.table, strlen(x->of.table)), to;

	if (name == NULL && x->has_against)
		name = unknown_column(c, &x->against);
	if (name == NULL && of != -1 && x->step_column != NULL && !has_field(&c->layout[of], x->step_column))
		name = x->step_column;
	for (int k = 0; k < 3 && name == NULL && x->by[k] != NULL && strcmp(x->by[k], RULES_HOUR) != 0; k++) {
		to = k == 1 && rule_has_groups(x) && x->has_against ? catalog_layout(c, x->against.table, strlen(x->against.table)) : of;
		if (to != -1 && !has_field(&c->layout[to], x->by[k]))
			name = x->by[k];
	}
	return name;
}

/* What can be said of bounds before anything is read. NULL, or what is wrong with them. */
static const char *
wrong_bounds(struct rules *r, struct rule *x)
{
	int low = rule_bound(r, x->low_text, 0, "", &x->low), high = rule_bound(r, x->high_text, 1, "", &x->high);
	int fixed = strpbrk(x->low_text, "=@") == NULL && strpbrk(x->high_text, "=@") == NULL;

	if (low == -1 || high == -1)
		return "a bound is no number";
	return fixed && x->low > x->high ? "\"low\" is above \"high\"" : NULL;
}

/* What can be read, and yet is no rule of this catalog. */
static int
check_rule(struct rules *r, struct rule *x, const char *levels, const char *path, size_t line)
{
	const char *why;

	if ((why = misspelt(&r->w->cat, x)) != NULL)
		return rules_fail(r, path, line, "the layout has no column \"%.64s\"", why);
	if ((why = wrong_bounds(r, x)) != NULL)
		return rules_fail(r, path, line, "check \"%.64s\": %s", x->name, why);
	if (!are_levels(&r->w->cat, levels))
		return rules_fail(r, path, line, "effects.tsv has no level \"%.64s\"", levels);
	return 0;
}

static int
parse_rule(struct rules *r, struct rule *x, char **cell, const char *path, size_t line)
{
	const char *why;
	int k = 0;

	while (k < KINDS && strcmp(kinds[k].name, cell[C_KIND]) != 0)
		k++;
	if (k == KINDS)
		return rules_fail(r, path, line, "no kind \"%.64s\"", cell[C_KIND]);
	x->kind = (enum kind)k;
	x->known = 1;
	x->off = !takes_level(r, cell[C_LEVEL]);
	if ((x->name = strdup(cell[C_NAME])) == NULL || (x->source = strdup(cell[C_SOURCE])) == NULL ||
	    (x->against_text = strdup(cell[C_AGAINST])) == NULL || (x->low_text = strdup(cell[C_LOW])) == NULL ||
	    (x->high_text = strdup(cell[C_HIGH])) == NULL)
		return rules_fail(r, path, 0, "%s", strerror(ENOMEM));
	if (x->name[0] == '\0')
		return rules_fail(r, path, line, "a check without a name");
	if (selection_parse(r, &x->of, cell[C_OF], &why) == -1)
		return rules_fail(r, path, line, "\"%.200s\" %s", cell[C_OF], why);
	x->has_against = cell[C_AGAINST][0] != '\0' && x->kind != K_ORDER;
	if (x->has_against && selection_parse(r, &x->against, cell[C_AGAINST], &why) == -1)
		return rules_fail(r, path, line, "\"%.200s\" %s", cell[C_AGAINST], why);
	if (x->kind == K_ORDER && cell[C_AGAINST][0] != '\0' && parse_steps(x, cell[C_AGAINST]) == -1)
		return rules_fail(r, path, line, "\"%.200s\" are no steps COLUMN=A<B,C<D", cell[C_AGAINST]);
	if (x->of.ncolumns < kinds[k].columns || (kinds[k].against == 1 && !x->has_against) || (kinds[k].against == 0 && x->has_against) ||
	    (x->has_against && x->against.ncolumns < (kinds[k].columns > 0)))
		return rules_fail(r, path, line, "\"%s\" needs other columns in \"of\" or \"against\"", kinds[k].name);
	if (is_of_pairs(x->kind) && x->of.ncolumns != x->against.ncolumns)
		return rules_fail(r, path, line, "\"%s\" needs as many columns in \"against\" as in \"of\"", kinds[k].name);
	if (parse_by(x, cell[C_BY]) == -1)
		return rules_fail(r, path, line, "\"%s\" needs other columns in \"by\"", kinds[k].name);
	return check_rule(r, x, cell[C_LEVEL], path, line);
}

static int
parse_rules(struct rules *r, const struct tsv *t, const char *path)
{
	for (size_t i = 0; i < COLUMNS; i++)
		if (t->ncols != COLUMNS || strcmp(t->column[i], columns[i]) != 0)
			return rules_fail(r, path, t->line, "the columns are check, kind, of, against, by, low, high, level, source");
	if ((r->rule = calloc(t->nrows + 1, sizeof(*r->rule))) == NULL)
		return rules_fail(r, path, 0, "%s", strerror(errno));
	for (size_t i = 0; i < t->nrows; i++) {
		for (int k = 0; k < r->n; k++)
			if (strcmp(r->rule[k].name, t->cell[i * COLUMNS]) == 0 && !r->rule[k].off &&
			    takes_level(r, t->cell[i * COLUMNS + C_LEVEL]))
				return rules_fail(r, path, t->line + 1 + i, "a second check \"%.64s\"", r->rule[k].name);
		r->n++;
		if (parse_rule(r, &r->rule[i], t->cell + i * COLUMNS, path, t->line + 1 + i) == -1)
			return -1;
	}
	return 0;
}

struct rules *
rules_open(const char *path, const struct world *world, const char *level, char *err, size_t errsize)
{
	struct rules *r = calloc(1, sizeof(*r));
	struct tsv t = { 0 };
	size_t size;
	char *text;
	int failed;

	(void)snprintf(err, errsize, "%s", strerror(ENOMEM));
	if (r == NULL)
		return NULL;
	r->w = world;
	r->path = path;
	r->level = level != NULL ? level : world->cat.set.level;
	r->err = err;
	r->errsize = errsize;
	r->minutes = (world->end - world->begin) / CLOCK_MINUTE;
	if (level != NULL && !is_level(&world->cat, level, strlen(level))) {
		(void)snprintf(err, errsize, "no level \"%s\"", level);
		rules_free(r);
		return NULL;
	}
	text = tsv_slurp(path, &size, err, errsize);
	failed = text == NULL || tsv_parse(&t, text, size, path, err, errsize) == -1 ? -1 : parse_rules(r, &t, path);
	tsv_free(&t);
	for (int i = 0; i < r->n && failed == 0; i++)
		if (!r->rule[i].off && rule_prepare(r, &r->rule[i]) == -1)
			failed = rules_fail(r, path, 0, "%s", strerror(ENOMEM));
	if (failed == 0)
		return r;
	rules_free(r);
	return NULL;
}

void
rules_free(struct rules *r)
{
	if (r == NULL)
		return;
	for (int i = 0; i < r->n; i++)
		rule_free(&r->rule[i]);
	for (int i = 0; i < r->nwindows; i++) {
		free(r->windows[i]->name);
		free(r->windows[i]->span);
		free(r->windows[i]->incident);
		free(r->windows[i]->link);
		free(r->windows[i]->effect);
		free(r->windows[i]);
	}
	for (int i = 0; i < r->nconditions; i++)
		condition_free(r->condition[i]);
	free(r->condition);
	for (int i = 0; i < r->nfiles; i++)
		free(r->file[i].path);
	free(r->file);
	free(r->order);
	free(r->windows);
	free(r->rule);
	free(r->truth);
	free(r);
}

/* ---- the tables ---- */

static int
read_truth(struct rules *r, const char *folder)
{
	static const char *const none = "";
	struct json_reader *check;
	struct json_value unused;
	const char *why;
	char path[4096];
	struct stat st;
	int failed;

	(void)snprintf(path, sizeof(path), "%s/instructors/ground_truth.json", folder);
	if (stat(path, &st) == -1)
		(void)snprintf(path, sizeof(path), "%s/ground_truth.json", folder);
	if (stat(path, &st) == -1)
		return 0;
	if ((r->truth = tsv_slurp(path, &r->truth_n, r->err, r->errsize)) == NULL)
		return -1;
	while (r->truth_n > 0 && strchr(" \t\r\n", r->truth[r->truth_n - 1]) != NULL)
		r->truth_n--;
	if ((check = json_reader(&none, 0)) == NULL)
		return rules_fail(r, path, 0, "%s", strerror(errno));
	failed = json_read(check, r->truth, r->truth_n, &unused, &why) == -1 ? rules_fail(r, path, 0, "%s", why) : 0;
	json_reader_free(check);
	return failed;
}

/* Where a table is, packed or not. 0, or -1: nowhere. */
static int
find_table(const char *folder, const char *table, char *path, size_t size)
{
	static const char *const places[] = { "/data/clickhouse-", "/data/", "/instructors/", "/" };
	static const char *const ends[] = { "", ".gz", ".zst" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places) * 3; i++) {
		struct stat st;
		int n = snprintf(path, size, "%s%s%s.csv%s", folder, places[i / 3], table, ends[i % 3]);

		if (n > 0 && (size_t)n < size && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			return 0;
	}
	return -1;
}

/* Each table once: its number, or -1 without memory. */
static int
file_of(struct rules *r, const char *table, const char *folder)
{
	char path[4096];
	struct stat st;
	int k = 0;

	for (; k < r->nfiles; k++)
		if (r->file[k].table != NULL && strcmp(r->file[k].table, table) == 0)
			return k;
	r->file[k].table = table;
	if (find_table(folder, table, path, sizeof(path)) == 0) {
		if ((r->file[k].path = strdup(path)) == NULL)
			return -1;
		r->file[k].size = stat(path, &st) == 0 ? st.st_size : 0;
	}
	r->nfiles++;
	return k;
}

/* Where the tables of a rule are. */
static int
name_tables(struct rules *r, struct rule *x, const char *folder)
{
	for (int side = 0; side < 2 && !x->off; side++) {
		struct selection *s = side == 0 ? &x->of : &x->against;
		int k;

		if (s->table == NULL)
			continue;
		if ((k = file_of(r, s->table, folder)) == -1)
			return rules_fail(r, folder, 0, "%s", strerror(errno));
		s->file = r->file[k].path;
		if (s->file == NULL && x->kind != K_ROWS && x->known) {
			x->known = 0;
			(void)snprintf(x->why_text, sizeof(x->why_text), "there is no table \"%.64s\"", s->table);
			x->why = x->why_text;
		}
	}
	return 0;
}

static int
bind_column(const struct csv *c, const char *name, int *at, const char **missing)
{
	if (name == NULL || (*at = csv_column(c, name, strlen(name))) != -1)
		return 0;
	*missing = name;
	return -1;
}

/* The columns of all rules about this table. */
static void
bind_rules(struct rules *r, const struct csv *c, const char *file)
{
	for (int i = 0; i < r->n; i++) {
		struct rule *x = &r->rule[i];
		const char *missing = NULL;
		int bad = 0;

		x->last = 0;
		for (int side = 0; side < 2 && !x->off; side++) {
			struct selection *s = side == 0 ? &x->of : &x->against;

			if (s->file == file && selection_bind(s, c, &missing) == -1) {
				bad = 1;
				s->file = NULL;
			}
			for (int k = 0; k < 3 && side == 0 && s->file == file && !rule_has_groups(x); k++)
				bad |= bind_column(c, x->by[k], &x->by_at[k], &missing) == -1;
			if (s->file == file && rule_has_groups(x) && strcmp(x->by[0], RULES_HOUR) != 0)
				bad |= bind_column(c, x->by[x->by[side] != NULL ? side : 0], &x->by_at[side], &missing) == -1;
			if (side == 0 && s->file == file)
				bad |= bind_column(c, x->step_column, &x->step_at, &missing) == -1;
		}
		if (bad && x->known) {
			x->known = 0;
			rule_fault(x, c, 0, "there is no column \"%.64s\"", missing);
		}
	}
}

/* What a table is needed for in a pass: how many parts. */
static int
find_parts(struct rules *r, const char *file, int pass, struct part *part)
{
	int n = 0;

	for (int i = 0; i < r->n; i++)
		for (int side = 0; side < 2; side++)
			if (rule_needs(&r->rule[i], side, file, pass))
				part[n++] = (struct part){ .rule = &r->rule[i], .side = side };
	return n;
}

static int
read_table(struct rules *r, const char *file, int pass, struct part *part)
{
	int n = find_parts(r, file, pass, part), got = 0;
	struct csv c;

	if (n == 0)
		return 0;
	errno = 0;
	if (csv_open(&c, file) == -1)
		got = -1;
	else {
		c.id = file;
		bind_rules(r, &c, file);
		n = find_parts(r, file, pass, part);
		while ((got = csv_next(&c)) == 1)
			rules_row(r, part, n, &c);
		rules_rest(part, n);
	}
	if (got == -1)
		(void)rules_fail(r, file, c.line, "%s", errno != 0 ? strerror(errno) : c.why);
	csv_close(&c);
	return got;
}

static int
read_tables(struct rules *r)
{
	struct part *part = calloc((size_t)r->n * 2 + 1, sizeof(*part));
	int failed = 0;

	if (part == NULL)
		return rules_fail(r, r->path, 0, "%s", strerror(errno));
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < r->nfiles && failed == 0; i++)
			if (r->order[i]->path != NULL)
				failed = read_table(r, r->order[i]->path, pass, part);
	free(part);
	return failed;
}

static int
file_order(const void *one, const void *two)
{
	const struct file *a = *(struct file *const *)one, *b = *(struct file *const *)two;

	return a->size != b->size ? (a->size > b->size) - (a->size < b->size) : (a > b) - (a < b);
}

/* The largest table comes last: what its rows are looked for in is known by then, and it need not be read again. */
static int
order_files(struct rules *r)
{
	if ((r->order = calloc((size_t)r->nfiles + 1, sizeof(struct file *))) == NULL)
		return rules_fail(r, r->path, 0, "%s", strerror(errno));
	for (int k = 0; k < r->nfiles; k++)
		r->order[k] = &r->file[k];
	qsort(r->order, (size_t)r->nfiles, sizeof(struct file *), file_order);
	for (int i = 0; i < r->n; i++) {
		struct rule *x = &r->rule[i];

		for (int k = 0; k < r->nfiles && x->against.file != NULL && r->order[k]->path != x->of.file; k++)
			x->early |= r->order[k]->path == x->against.file;
	}
	return 0;
}

/* Rules that look for rows among the same ones need their keys but once. */
static void
share_sets(struct rules *r)
{
	for (int i = 0; i < r->n; i++) {
		struct rule *x = &r->rule[i];

		x->set = x;
		for (int k = 0; k < i && x->set == x && (x->kind == K_EXISTS || x->kind == K_MISSING); k++)
			if ((r->rule[k].kind == K_EXISTS || r->rule[k].kind == K_MISSING) && !r->rule[k].off &&
			    strcmp(r->rule[k].against_text, x->against_text) == 0)
				x->set = r->rule[k].set;
	}
}

static void
set_bounds(struct rules *r)
{
	for (int i = 0; i < r->n; i++) {
		struct rule *x = &r->rule[i];
		int low = rule_bound(r, x->low_text, 0, "", &x->low), high = rule_bound(r, x->high_text, 1, "", &x->high);

		/* Those of groups are found when these are known. */
		if ((low == 0 && high == 0) || rule_has_groups(x))
			continue;
		if (x->known)
			x->why = strchr(low == 0 ? x->high_text : x->low_text, '@') != NULL ? "the world does not say its bounds"
											    : "ground_truth.json does not say it";
		x->known = 0;
		x->low = -HUGE_VAL;
		x->high = HUGE_VAL;
	}
}

int
rules_run(struct rules *r, const char *folder, char *err, size_t errsize)
{
	r->err = err;
	r->errsize = errsize;
	if ((r->file = calloc((size_t)r->n * 2 + 1, sizeof(*r->file))) == NULL)
		return rules_fail(r, folder, 0, "%s", strerror(errno));
	for (int i = 0; i < r->n; i++)
		if (name_tables(r, &r->rule[i], folder) == -1)
			return -1;
	if (read_truth(r, folder) == -1)
		return -1;
	set_bounds(r);
	share_sets(r);
	if (order_files(r) == -1 || read_tables(r) == -1)
		return -1;
	for (int i = 0; i < r->n; i++)
		if (!r->rule[i].off)
			rule_end(r, &r->rule[i]);
	return 0;
}

/* ---- the verdict ---- */

__attribute__((format(printf, 2, 3))) static void
put(struct out *o, const char *fmt, ...)
{
	char *to = out_room(o, RULES_TEXT);
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(to, RULES_TEXT, fmt, ap);
	va_end(ap);
	out_took(o, to + (n < RULES_TEXT ? n : RULES_TEXT - 1));
}

static void
put_text(struct out *o, const char *key, const char *text)
{
	size_t n = strlen(text);

	put(o, ",\"%s\":", key);
	out_took(o, json_quote(out_room(o, JSON_QUOTED(n)), text, n));
}

static void
put_number(struct out *o, const struct rule *x, const char *key, double v)
{
	const char *quote = x->sums[0].timed && !x->has_against ? "\"" : "";
	char buf[32];

	put(o, ",\"%s\":%s%s%s", key, quote, rule_number(x, v, buf), quote);
}

/* The name without its folder. */
static const char *
base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Those that have a value. */
static void
put_groups(struct out *o, const struct rule *x)
{
	int n = 0;

	for (int i = 0; i < x->ngroups && x->known && rule_has_groups(x); i++) {
		const struct group *g = &x->groups[i];

		if (!g->known)
			continue;
		put(o, "%s{\"rows\":%llu", n++ > 0 ? "," : ",\"groups\":[", (unsigned long long)g->sums[0].rows);
		put_text(o, "name", g->name);
		put_number(o, x, "value", g->value);
		put(o, "}");
	}
	put(o, n > 0 ? "]" : "");
}

static void
put_rule(struct out *o, const struct rule *x)
{
	put(o, "{\"ok\":%s", x->broken == 0 ? "true" : "false");
	put_text(o, "name", x->name);
	if (x->known)
		put_number(o, x, "value", x->value);
	else if (x->why != NULL)
		put_text(o, "unknown", x->why);
	if (x->low > -HUGE_VAL)
		put_number(o, x, "low", x->low);
	if (x->high < HUGE_VAL)
		put_number(o, x, "high", x->high);
	put(o, ",\"rows\":%llu", (unsigned long long)x->sums[0].rows);
	put_groups(o, x);
	for (uint64_t i = 0; i < x->broken && i < RULES_SHOWN; i++) {
		put(o, i == 0 ? ",\"broken\":%llu,\"first\":[{" : ",{", (unsigned long long)x->broken);
		if (x->shown[i].line > 0)
			put(o, "\"line\":%llu,", (unsigned long long)x->shown[i].line);
		put(o, "\"table\":\"%.64s\"", x->of.table);
		put_text(o, "what", x->shown[i].text);
		put(o, "}");
	}
	put(o, x->broken > 0 ? "]" : "");
	if (x->source[0] != '\0')
		put_text(o, "source", x->source);
	put(o, "}");
}

int
rules_verdict(const struct rules *r, struct out *o)
{
	int broken = 0, n = 0;

	for (int i = 0; i < r->n; i++)
		broken |= r->rule[i].broken > 0;
	put(o, "{\"ok\":%s,\"kind\":\"tables\"", broken ? "false" : "true");
	put_text(o, "catalog", r->w->cat.name);
	put_text(o, "level", r->level == NULL ? "" : r->level);
	put(o, ",\"checks\":[");
	for (int i = 0; i < r->n; i++)
		if (!r->rule[i].off) {
			put(o, n++ > 0 ? "," : "");
			put_rule(o, &r->rule[i]);
		}
	put(o, "],\"tables\":{");
	n = 0;
	for (int i = 0; i < r->nfiles; i++)
		if (r->file[i].path != NULL)
			put(o, "%s\"%.64s\":\"%.128s\"", n++ > 0 ? "," : "", r->file[i].table, base(r->file[i].path));
	put(o, "},\"approximated\":[\"keys are compared by fingerprints of 64 bits\",\"quantiles are less than 1 %% too large\"]}\n");
	return broken;
}

void
rules_tell(const struct rules *r, void (*told)(const char *, uint64_t, const char *, const char *, void *), void *arg)
{
	for (int i = 0; i < r->n; i++)
		for (uint64_t k = 0; k < r->rule[i].broken && k < RULES_SHOWN; k++)
			told(r->rule[i].shown[k].file != NULL ? r->rule[i].shown[k].file : r->rule[i].of.table, r->rule[i].shown[k].line,
			    r->rule[i].name, r->rule[i].shown[k].text, arg);
}
