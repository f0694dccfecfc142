/* What each kind of rule makes of rows. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mix.h"
#include "num.h"
#include "rules_impl.h"

enum { OF, AGAINST };

void
rule_fault(struct rule *x, const struct csv *c, uint64_t line, const char *fmt, ...)
{
	va_list ap;

	if (x->broken++ >= RULES_SHOWN)
		return;
	x->shown[x->broken - 1].file = x->of.file;
	x->shown[x->broken - 1].line = c == NULL ? line : c->line;
	va_start(ap, fmt);
	(void)vsnprintf(x->shown[x->broken - 1].text, RULES_TEXT, fmt, ap);
	va_end(ap);
	for (size_t n = strlen(x->shown[x->broken - 1].text); n > 0 && !utf8_valid(x->shown[x->broken - 1].text, n); n--)
		x->shown[x->broken - 1].text[n - 1] = '\0';
}

static void
unknown(struct rule *x, const char *why)
{
	x->known = 0;
	x->why = why;
}

/* ---- fingerprints ---- */

static size_t
slot_of(const struct prints *s, uint64_t print)
{
	size_t at = mix(print) & (s->size - 1);

	while (s->print[at] != 0 && s->print[at] != print)
		at = (at + 1) & (s->size - 1);
	return at;
}

static int
grow(struct prints *s, int values)
{
	struct prints larger = { .n = s->n, .size = s->size > 0 ? s->size * 2 : 1024 };

	if (larger.size * (values ? 16 : 8) > RULES_SET_MAX)
		return -1;
	larger.print = calloc(larger.size, sizeof(*larger.print));
	larger.value = values ? calloc(larger.size, sizeof(*larger.value)) : NULL;
	if (larger.print == NULL || (values && larger.value == NULL)) {
		free(larger.print);
		free(larger.value);
		return -1;
	}
	for (size_t i = 0; s->print != NULL && i < s->size; i++)
		if (s->print[i] != 0) {
			size_t at = slot_of(&larger, s->print[i]);

			larger.print[at] = s->print[i];
			if (values && s->value != NULL)
				larger.value[at] = s->value[i];
		}
	prints_free(s);
	*s = larger;
	return 0;
}

int
prints_put(struct prints *s, uint64_t print, int64_t **value)
{
	size_t at;

	if (s->full)
		return -1;
	/* Three quarters full at most. */
	if (s->n * 4 >= s->size * 3 && grow(s, value != NULL) == -1) {
		s->full = 1;
		return -1;
	}
	at = slot_of(s, print);
	if (value != NULL)
		*value = &s->value[at];
	if (s->print[at] != 0)
		return 0;
	s->print[at] = print;
	s->n++;
	return 1;
}

int
prints_has(const struct prints *s, uint64_t print, int64_t *value)
{
	size_t at;

	if (s->size == 0)
		return 0;
	at = slot_of(s, print);
	if (s->print[at] == 0)
		return 0;
	if (value != NULL)
		*value = s->value[at];
	return 1;
}

void
prints_free(struct prints *s)
{
	free(s->print);
	free(s->value);
	*s = (struct prints){ 0 };
}

/* ---- statistics ---- */

static int
is_quantile(enum kind k)
{
	return k == K_P50 || k == K_P95 || k == K_P99 || k == K_TAIL;
}

static int
is_of_hours(const struct rule *x)
{
	return x->by[0] != NULL && strcmp(x->by[0], RULES_HOUR) == 0;
}

/* A group of rows of this key, with room for what it adds up to. */
static struct group *
add_group(struct rules *r, struct rule *x, uint64_t key, const char *name, size_t n)
{
	struct group *g, *more = reallocarray(x->groups, (size_t)x->ngroups + 1, sizeof(*more));

	if (more == NULL)
		return NULL;
	x->groups = more;
	g = &more[x->ngroups];
	*g = (struct group){ .key = key, .name = strndup(name, n) };
	x->ngroups++;
	if (g->name == NULL)
		return NULL;
	for (int i = 0; i < 2; i++) {
		if (is_quantile(x->kind) && (g->sums[i].hist = calloc(1, sizeof(struct hist))) == NULL)
			return NULL;
		if (x->kind == K_CORRELATION && (g->sums[i].minute = calloc((size_t)r->minutes + 1, sizeof(struct minute))) == NULL)
			return NULL;
	}
	return g;
}

/* Without "by" all rows are of one group. */
int
rule_prepare(struct rules *r, struct rule *x)
{
	return rule_has_groups(x) || add_group(r, x, 0, "", 0) != NULL ? 0 : -1;
}

/* The group of a row; NULL: it cannot be counted. */
static struct group *
group_of(struct rules *r, struct rule *x, int side, const struct csv *c, int64_t *us)
{
	struct cell cell = { "", 0 };
	char hour[8];
	uint64_t key;

	if (!rule_has_groups(x))
		return &x->groups[0];
	if (is_of_hours(x)) {
		if (*us == INT64_MIN && cell_time(c->cell[side == OF ? x->of.time : x->against.time], us) == -1) {
			rule_fault(x, c, 0, "no time");
			return NULL;
		}
		key = (uint64_t)(*us / CLOCK_HOUR % 24);
		cell.n = (size_t)snprintf(hour, sizeof(hour), "%02d:00", (int)key);
		cell.p = hour;
	} else {
		cell = c->cell[x->by_at[side]];
		key = csv_hash(c, x->by_at[side]);
	}
	for (int i = x->ngroups - 1; i >= 0; i--)
		if (x->groups[i].key == key)
			return &x->groups[i];
	if (x->ngroups < RULES_GROUPS)
		return add_group(r, x, key, cell.p, cell.n);
	unknown(x, "more groups than are kept apart");
	return NULL;
}

void
rule_free(struct rule *x)
{
	for (int k = 0; k < x->ngroups; k++) {
		for (int i = 0; i < 2; i++) {
			free(x->groups[k].sums[i].hist);
			free(x->groups[k].sums[i].minute);
		}
		free(x->groups[k].name);
	}
	free(x->groups);
	for (int i = 0; i < 3; i++)
		free(x->by[i]);
	for (int i = 0; i < x->nsteps; i++)
		free(x->step[i]);
	free(x->step_column);
	prints_free(&x->prints);
	selection_free(&x->of);
	selection_free(&x->against);
	free(x->seen);
	free(x->name);
	free(x->source);
	free(x->against_text);
	free(x->low_text);
	free(x->high_text);
}

/* The number a row gives: 1 or 0, that of its cell, or a time in seconds. */
static int
row_number(struct sums *t, const struct selection *s, const struct csv *c, double *x)
{
	struct cell cell = c->cell[s->at[0]];
	int64_t us;

	if (s->nvalues > 0) {
		*x = 0;
		for (int i = 0; i < s->nvalues; i++)
			if (strlen(s->value[i]) == cell.n && memcmp(s->value[i], cell.p, cell.n) == 0)
				*x = 1;
		return 0;
	}
	if (cell_number(cell, x) == 0)
		return 0;
	if (cell_time(cell, &us) == -1)
		return -1;
	t->timed = 1;
	*x = (double)us / CLOCK_SECOND;
	return 0;
}

static void
add(struct rules *r, struct rule *x, int side, const struct csv *c, int64_t us)
{
	const struct selection *s = side == OF ? &x->of : &x->against;
	struct group *g = group_of(r, x, side, c, &us);
	struct sums *t;
	double v = 0;

	x->sums[side].rows++;
	if (g == NULL)
		return;
	t = &g->sums[side];
	t->rows++;
	if (x->kind == K_ROWS || x->kind == K_SHARE)
		return;
	if (x->kind == K_DAY) {
		if (us == INT64_MIN && cell_time(c->cell[s->time], &us) == -1)
			rule_fault(x, c, 0, "no time");
		else
			t->hour[us / CLOCK_HOUR % 24]++;
		return;
	}
	if (row_number(t, s, c, &v) == -1) {
		t->bad++;
		rule_fault(x, c, 0, "\"%s\" is no number: %.*s", s->column[0], (int)(c->cell[s->at[0]].n > 60 ? 60 : c->cell[s->at[0]].n),
		    c->cell[s->at[0]].p);
		return;
	}
	t->min = t->rows - t->bad == 1 || v < t->min ? v : t->min;
	t->max = t->rows - t->bad == 1 || v > t->max ? v : t->max;
	t->sum += v;
	t->squares += v * v;
	x->sums[side].timed |= t->timed;
	/* In thousandths, as durations in ms have them. */
	if (t->hist != NULL)
		hist_add(t->hist, v > 0 && v < 4e6 ? (int64_t)(v * 1000) : v > 0 ? HIST_LARGEST : 0);
	if (t->minute != NULL) {
		int64_t m;

		if (us == INT64_MIN && cell_time(c->cell[s->time], &us) == -1)
			return;
		m = (us - r->w->begin) / CLOCK_MINUTE;
		if (us >= r->w->begin && m < r->minutes) {
			t->minute[m].sum += v;
			t->minute[m].n++;
		}
	}
}

/* ---- rows that stand together ---- */

static struct seen *
see(struct rule *x)
{
	if (x->nseen == x->maxseen) {
		int max = x->maxseen > 0 ? x->maxseen * 2 : 64;
		struct seen *more = max > RULES_RUN ? NULL : reallocarray(x->seen, (size_t)max, sizeof(*more));

		if (more == NULL) {
			unknown(x, "more rows stand together than fit into memory");
			return NULL;
		}
		x->seen = more;
		x->maxseen = max;
	}
	return &x->seen[x->nseen++];
}

static uint64_t
cell_key(const struct csv *c, int column)
{
	return csv_hash(c, column) | 1;
}

/* Rows that do not stand with the others of their group could not be compared with them. */
static void
begin_group(struct rule *x, const struct csv *c, uint64_t key)
{
	if (key == x->group)
		return;
	x->group = key;
	x->rank = 0;
	x->nseen = 0;
	if (prints_put(&x->prints, key, NULL) == 0)
		rule_fault(x, c, 0, "others of its group stand elsewhere");
}

/* A value of the list "a,b"? */
static int
is_listed(const char *list, struct cell c)
{
	for (const char *p = list; *p != '\0';) {
		size_t n = strcspn(p, ",");

		if (n == c.n && memcmp(p, c.p, n) == 0)
			return 1;
		p += n + (p[n] == ',');
	}
	return 0;
}

/*
 * The rows of a group that stand together: steps follow each other, and no clock goes backwards. by: group, clock.
 */
static void
row_order(struct rule *x, const struct csv *c)
{
	uint64_t key = cell_key(c, x->by_at[0]), clock = x->by[1] == NULL ? 1 : cell_key(c, x->by_at[1]);
	struct seen *s = NULL;
	int64_t us;
	int rank = 0;

	begin_group(x, c, key);
	if (x->step_column != NULL) {
		struct cell step = c->cell[x->step_at];

		while (rank < x->nsteps && !is_listed(x->step[rank], step))
			rank++;
		if (rank == x->nsteps)
			rule_fault(x, c, 0, "\"%s\" is no step: %.*s", x->step_column, (int)(step.n > 60 ? 60 : step.n), step.p);
		else if (rank < x->rank)
			rule_fault(x, c, 0, "%.*s after a later step", (int)step.n, step.p);
		x->rank = rank;
	}
	if (cell_time(c->cell[x->of.at[0]], &us) == -1) {
		rule_fault(x, c, 0, "\"%s\" is no time", x->of.column[0]);
		return;
	}
	for (int i = 0; i < x->nseen && s == NULL; i++)
		if (x->seen[i].key == clock)
			s = &x->seen[i];
	if (s == NULL && (s = see(x)) != NULL)
		*s = (struct seen){ clock, us, us, c->line };
	else if (s != NULL && us < s->end)
		rule_fault(x, c, 0, "%lld us before line %llu", (long long)(s->end - us), (unsigned long long)s->line);
	if (s != NULL) {
		s->end = us;
		s->line = c->line;
	}
}

/* A child inside its parent, which stands above it in the group. of: begin and length in ms; by: group, own id, parent's id. */
static void
row_inside(struct rule *x, const struct csv *c)
{
	struct cell parent = c->cell[x->by_at[2]], length = c->cell[x->of.at[1]];
	uint64_t key = cell_key(c, x->by_at[0]), above = cell_key(c, x->by_at[2]);
	const struct seen *up = NULL;
	struct seen *s;
	int64_t us, ns, end;

	begin_group(x, c, key);
	if (cell_time(c->cell[x->of.at[0]], &us) == -1 || num_scaled(length.p, length.n, 6, &ns) == -1) {
		rule_fault(x, c, 0, "no time, or no length");
		return;
	}
	end = us + ns / 1000;
	for (int i = x->nseen - 1; i >= 0 && up == NULL && parent.n > 0; i--)
		if (x->seen[i].key == above)
			up = &x->seen[i];
	if (parent.n > 0 && up == NULL)
		rule_fault(x, c, 0, "no parent %.*s above it", (int)(parent.n > 60 ? 60 : parent.n), parent.p);
	else if (up == NULL && x->nseen > 0)
		rule_fault(x, c, 0, "a second root");
	if (up != NULL) {
		int64_t over = end - up->end > up->start - us ? end - up->end : up->start - us;
		double ms = (double)over / 1000;

		if (ms > x->high)
			rule_fault(x, c, 0, "%.3f ms outside its parent in line %llu", ms, (unsigned long long)up->line);
		x->most = x->sums[OF].bad == 0 || ms > x->most ? ms : x->most;
		x->sums[OF].bad = 1;
	}
	if ((s = see(x)) != NULL)
		*s = (struct seen){ cell_key(c, x->by_at[1]), us, end, c->line };
}

/* ---- keys ---- */

static void
row_key(struct rule *x, const struct csv *c, int side, int pass)
{
	const struct selection *s = side == OF ? &x->of : &x->against;
	uint64_t key = cells_key(s, c);
	struct cell cell = c->cell[s->at[0]];
	int64_t us, *value, other;

	if (x->kind == K_UNIQUE && pass == 0) {
		x->sums[OF].rows++;
		if (prints_put(&x->prints, key, NULL) == 0)
			rule_fault(x, c, 0, "a second %.*s", (int)(cell.n > 60 ? 60 : cell.n), cell.p);
		return;
	}
	if (side == AGAINST && pass == 0) {
		if (x->kind == K_OFFSET) {
			if (cell_time(c->cell[s->time], &us) == 0 && prints_put(&x->prints, key, &value) >= 0)
				*value = us;
		} else if (x->set == x && key != x->last) {
			x->last = key;
			(void)prints_put(&x->prints, key, NULL);
		}
	}
	if (side != OF || pass != 1 || x->kind == K_UNIQUE)
		return;
	x->sums[OF].rows++;
	if (x->kind != K_OFFSET) {
		if (key != x->last) {
			x->last = key;
			x->last_found = prints_has(&x->set->prints, key, NULL);
		}
		if (x->last_found)
			return;
		x->sums[OF].bad++;
		/* Where some may be missing, which ones they are is no fault. */
		if (x->high <= 0)
			rule_fault(x, c, 0, "there is no %.*s", (int)(cell.n > 60 ? 60 : cell.n), cell.p);
	} else if (prints_has(&x->prints, key, &other) && cell_time(c->cell[s->time], &us) == 0) {
		double ms = (double)(us - other) / 1000;

		x->least = x->sums[OF].bad == 0 || ms < x->least ? ms : x->least;
		x->most = x->sums[OF].bad == 0 || ms > x->most ? ms : x->most;
		x->sums[OF].bad++;
		if (ms < x->low || ms > x->high)
			rule_fault(x, c, 0, "%.3f ms apart", ms);
	}
}

static int
is_of_keys(enum kind k)
{
	return k == K_UNIQUE || k == K_EXISTS || k == K_MISSING || k == K_OFFSET;
}

void
rule_row(struct rules *r, struct rule *x, const struct csv *c, int pass)
{
	for (int side = OF; side <= AGAINST; side++) {
		struct selection *s = side == OF ? &x->of : &x->against;
		int64_t us;

		if (s->file == NULL || s->file != c->id || (side == OF && !x->known) || !selection_holds(s, c, &us))
			continue;
		if (is_of_keys(x->kind))
			row_key(x, c, side, pass);
		else if (pass == 0 && x->kind == K_ORDER && side == OF) {
			x->sums[OF].rows++;
			row_order(x, c);
		} else if (pass == 0 && x->kind == K_INSIDE && side == OF) {
			x->sums[OF].rows++;
			row_inside(x, c);
		} else if (pass == 0)
			add(r, x, side, c, us);
	}
}
