/* What each kind of rule makes of rows. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

#define LARGE_PAGE (2 << 20)

/* n bytes of zeros. Large sets lie in large pages where the system has them: they are looked into all over. */
static void *
zeros(size_t n)
{
	void *p;

	if (n < LARGE_PAGE)
		return calloc(1, n);
	if ((p = aligned_alloc(LARGE_PAGE, n)) == NULL)
		return NULL;
#ifdef MADV_HUGEPAGE
	(void)madvise(p, n, MADV_HUGEPAGE);
#endif
	return memset(p, 0, n);
}

static size_t
slot_of(const struct prints *s, uint64_t print)
{
	size_t at = print >> s->shift;

	while (s->print[at] != 0 && s->print[at] != print)
		at = (at + 1) & (s->size - 1);
	return at;
}

static int
grow(struct prints *s, int values)
{
	struct prints larger = { .n = s->n, .size = s->size > 0 ? s->size * 2 : 1024, .shift = s->size > 0 ? s->shift - 1 : 54 };

	if (larger.size * (values ? 16 : 8) > RULES_SET_MAX)
		return -1;
	larger.print = zeros(larger.size * sizeof(*larger.print));
	larger.value = values ? zeros(larger.size * sizeof(*larger.value)) : NULL;
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
group_of(struct rules *r, struct rule *x, int side, const struct csv *c)
{
	struct cell cell = { "", 0 };
	char hour[8];
	uint64_t key;
	int64_t us;

	if (!rule_has_groups(x))
		return &x->groups[0];
	if (is_of_hours(x)) {
		if (csv_time(c, side == OF ? x->of.time : x->against.time, &us) == -1) {
			rule_fault(x, c, 0, "no time");
			return NULL;
		}
		key = (uint64_t)(us / CLOCK_HOUR % 24);
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
		free(x->step[i].p);
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
		*x = cell_is(cell, s->value, s->nvalues);
		return 0;
	}
	if (cell_number(cell, x) == 0)
		return 0;
	if (csv_time(c, s->at[0], &us) == -1)
		return -1;
	t->timed = 1;
	*x = (double)us / CLOCK_SECOND;
	return 0;
}

static void
add(struct rules *r, struct rule *x, int side, const struct csv *c)
{
	const struct selection *s = side == OF ? &x->of : &x->against;
	struct group *g = group_of(r, x, side, c);
	struct sums *t;
	double v = 0;
	int64_t us;

	x->sums[side].rows++;
	if (g == NULL)
		return;
	t = &g->sums[side];
	t->rows++;
	if (x->kind == K_ROWS || x->kind == K_SHARE)
		return;
	if (x->kind == K_DAY) {
		if (csv_time(c, s->time, &us) == -1)
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

		if (csv_time(c, s->time, &us) == -1)
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

/*
 * The rows of a group that stand together: steps follow each other, and no clock goes backwards, or on by less than "low".
 * by: group, clock.
 */
static void
row_order(struct rule *x, const struct csv *c)
{
	uint64_t clock = x->by[1] == NULL ? 1 : cell_key(c, x->by_at[1]);
	struct seen *s = NULL;
	int64_t us;
	int i = 0, rank;

	begin_group(x, c, cell_key(c, x->by_at[0]));
	if (x->step_column != NULL) {
		struct cell step = c->cell[x->step_at];

		while (i < x->nsteps && !cell_is(step, &x->step[i], 1))
			i++;
		rank = i < x->nsteps ? x->step_rank[i] : RULES_STEPS;
		if (i == x->nsteps)
			rule_fault(
			    x, c, 0, "\"%s\" is no step: %.*s", x->step_column, (int)(step.n > RULES_CELL ? RULES_CELL : step.n), step.p);
		else if (rank < x->rank)
			rule_fault(x, c, 0, "%.*s after a later step", (int)step.n, step.p);
		x->rank = rank;
	}
	if (csv_time(c, x->of.at[0], &us) == -1) {
		rule_fault(x, c, 0, "\"%s\" is no time", x->of.column[0]);
		return;
	}
	for (i = 0; i < x->nseen && s == NULL; i++)
		if (x->seen[i].key == clock)
			s = &x->seen[i];
	if (s == NULL && (s = see(x)) != NULL)
		*s = (struct seen){ clock, us, us, c->line };
	else if (s != NULL && us < s->end)
		rule_fault(x, c, 0, "%lld us before line %llu", (long long)(s->end - us), (unsigned long long)s->line);
	else if (s != NULL && (double)(us - s->end) < x->low * 1000)
		rule_fault(x, c, 0, "%lld us after line %llu", (long long)(us - s->end), (unsigned long long)s->line);
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
	uint64_t above = cell_key(c, x->by_at[2]);
	const struct seen *up = NULL;
	struct seen *s;
	int64_t us, ns, end;

	begin_group(x, c, cell_key(c, x->by_at[0]));
	if (csv_time(c, x->of.at[0], &us) == -1 || num_scaled(length.p, length.n, 6, &ns) == -1) {
		rule_fault(x, c, 0, "no time, or no length");
		return;
	}
	end = us + ns / 1000;
	for (int i = x->nseen - 1; i >= 0 && up == NULL && parent.n > 0; i--)
		if (x->seen[i].key == above)
			up = &x->seen[i];
	if (parent.n > 0 && up == NULL)
		rule_fault(x, c, 0, "no parent %.*s above it", (int)(parent.n > RULES_CELL ? RULES_CELL : parent.n), parent.p);
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
look_unique(struct rule *x, const struct later *l)
{
	if (prints_put(&x->prints, l->key, NULL) == 0)
		rule_fault(x, NULL, l->line, "a second %.*s", l->n, l->text);
}

static void
look_offset(struct rule *x, const struct later *l)
{
	int64_t other;
	double ms;

	if (!prints_has(&x->prints, l->key, &other))
		return;
	ms = (double)(l->us - other) / 1000;
	x->least = x->sums[OF].bad == 0 || ms < x->least ? ms : x->least;
	x->most = x->sums[OF].bad == 0 || ms > x->most ? ms : x->most;
	x->sums[OF].bad++;
	if (ms < x->low || ms > x->high)
		rule_fault(x, NULL, l->line, "%.3f ms apart", ms);
}

/* Is there what the row names? */
static void
look_exists(struct rule *x, const struct later *l)
{
	if (l->key != x->last) {
		x->last = l->key;
		x->last_found = prints_has(&x->set->prints, l->key, NULL);
	}
	if (x->last_found)
		return;
	x->sums[OF].bad++;
	/* Where some may be missing, which ones they are is no fault. */
	if (x->high <= 0)
		rule_fault(x, NULL, l->line, "there is no %.*s", l->n, l->text);
}

static void
look(struct rule *x, int side, const struct later *l)
{
	int64_t *value;

	if (x->kind == K_UNIQUE)
		look_unique(x, l);
	else if (side == OF && x->kind == K_OFFSET)
		look_offset(x, l);
	else if (side == OF)
		look_exists(x, l);
	else if (x->kind != K_OFFSET)
		(void)prints_put(&x->prints, l->key, NULL);
	else if (prints_put(&x->prints, l->key, &value) >= 0)
		*value = l->us;
}

/* A row with a key. Memory that far apart takes its time: some more rows are read before the key is looked for. */
static void
row_key(struct part *p, const struct csv *c)
{
	struct rule *x = p->rule;
	const struct selection *s = p->side == OF ? &x->of : &x->against;
	struct later *l = &p->later[p->nlater % RULES_LATER];
	uint64_t key = cells_key(s, c);
	struct cell cell = c->cell[s->at[0]];
	int64_t us = 0;

	if (p->side == OF)
		x->sums[OF].rows++;
	else if (x->kind != K_OFFSET && p->nlater > 0 && p->later[(p->nlater - 1) % RULES_LATER].key == key)
		return;
	if (x->kind == K_OFFSET && csv_time(c, s->time, &us) == -1)
		return;
	if (p->nlater >= RULES_LATER)
		look(x, p->side, l);
	l->us = us;
	l->key = key;
	l->line = c->line;
	l->n = (int)(cell.n > RULES_CELL ? RULES_CELL : cell.n);
	if (p->side == OF)
		memcpy(l->text, cell.p, (size_t)l->n);
	prints_expect(x->kind == K_UNIQUE || x->kind == K_OFFSET ? &x->prints : &x->set->prints, key);
	p->nlater++;
}

/* ---- rows ---- */

static int
is_join(enum kind k)
{
	return k == K_EXISTS || k == K_MISSING;
}

int
rule_needs(const struct rule *x, int side, const char *file, int pass)
{
	if (x->off || file != (side == OF ? x->of.file : x->against.file))
		return 0;
	/* Others may need the keys of a rule that is not known. */
	if (side == AGAINST)
		return pass == 0 && (is_join(x->kind) ? x->set == x : x->known);
	return x->known && pass == ((is_join(x->kind) || x->kind == K_OFFSET) && !x->early);
}

void
rules_row(struct rules *r, struct part *part, int n, const struct csv *c)
{
	for (int i = 0; i < n; i++) {
		struct rule *x = part[i].rule;

		if ((part[i].side == OF && !x->known) || !selection_holds(part[i].side == OF ? &x->of : &x->against, c))
			continue;
		switch (x->kind) {
		case K_UNIQUE:
		case K_EXISTS:
		case K_MISSING:
		case K_OFFSET:
			row_key(&part[i], c);
			break;
		case K_ORDER:
			x->sums[OF].rows++;
			row_order(x, c);
			break;
		case K_INSIDE:
			x->sums[OF].rows++;
			row_inside(x, c);
			break;
		default:
			add(r, x, part[i].side, c);
		}
	}
}

void
rules_rest(struct part *part, int n)
{
	for (int i = 0; i < n; i++)
		for (uint64_t k = part[i].nlater > RULES_LATER ? part[i].nlater - RULES_LATER : 0; k < part[i].nlater; k++)
			look(part[i].rule, part[i].side, &part[i].later[k % RULES_LATER]);
}
