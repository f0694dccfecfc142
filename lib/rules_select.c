/* Selections of rows: what stands in the columns "of" and "against". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mix.h"
#include "num.h"
#include "rules_impl.h"

static char *
copy(const char *s, size_t n)
{
	while (n > 0 && *s == ' ') {
		s++;
		n--;
	}
	while (n > 0 && s[n - 1] == ' ')
		n--;
	return strndup(s, n);
}

/* "a|b": how many; -1: no memory. */
static int
split_values(const char *s, size_t n, struct value **value)
{
	size_t count = 1, k = 0;

	for (size_t i = 0; i < n; i++)
		count += s[i] == '|';
	if ((*value = calloc(count, sizeof(**value))) == NULL)
		return -1;
	while (k < count) {
		const char *bar = memchr(s, '|', n);
		size_t len = bar == NULL ? n : (size_t)(bar - s);

		if (((*value)[k].p = copy(s, len)) == NULL)
			return -1;
		(*value)[k].n = strlen((*value)[k].p);
		k++;
		s += len + (bar != NULL);
		n -= len + (bar != NULL);
	}
	return (int)count;
}

int
cell_is(struct cell c, const struct value *value, int n)
{
	for (int i = 0; i < n; i++)
		if (value[i].n == c.n && memcmp(value[i].p, c.p, c.n) == 0)
			return 1;
	return 0;
}

/* ---- windows ---- */

static const char *const roles[] = { [ROLE_CAUSE] = "cause", [ROLE_CONFOUNDER] = "confounder", [ROLE_FIX] = "fix" };

static int
order_spans(const void *one, const void *two)
{
	const struct world_burst *a = one, *b = two;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* Those that overlap become one. */
static void
merge(struct windows *x)
{
	int n = 0;

	qsort(x->span, (size_t)x->n, sizeof(*x->span), order_spans);
	for (int i = 0; i < x->n; i++) {
		if (n > 0 && x->span[i].start <= x->span[n - 1].end)
			x->span[n - 1].end = x->span[i].end > x->span[n - 1].end ? x->span[i].end : x->span[n - 1].end;
		else
			x->span[n++] = x->span[i];
	}
	x->n = n;
}

/* What an effect is on, as effects.tsv has it. */
static const char *
effect_name(const struct catalog *c, const struct world_effect *e)
{
	static const char *const names[] = { [EFFECT_LATENCY] = "latency",
		[EFFECT_ERRORS] = "errors",
		[EFFECT_TRAFFIC] = "traffic",
		[EFFECT_DELAY] = "delay",
		[EFFECT_WEIGHT] = "weight" };

	return e->what == EFFECT_SERIES ? c->series[e->series].id : names[e->what];
}

int
windows_take(const struct windows *x, const struct world_effect *e)
{
	return x->effect == NULL || strcmp(effect_name(&x->w->cat, e), x->effect) == 0;
}

/* Weights choose between links from one place to another: of a single one they do nothing. */
static int
has_choice(const struct catalog *c, int link)
{
	for (int i = 0; i < c->nlinks; i++)
		if (i != link && c->link[i].from == c->link[link].from && c->link[i].to == c->link[link].to)
			return 1;
	return 0;
}

int
windows_on_link(const struct windows *x, const struct world_incident *in, int link)
{
	const struct catalog *c = &x->w->cat;

	for (int i = 0; i < in->neffects; i++) {
		const struct world_effect *e = &in->effect[i];

		if (e->what == EFFECT_WEIGHT && !has_choice(c, link))
			continue;
		if (world_of(c, e->what, e->series) == OF_LINK && windows_take(x, e) && world_reaches(in, e, link, c->link[link].from))
			return 1;
	}
	return 0;
}

static int
add_links(struct windows *x, const struct world_incident *in)
{
	const struct catalog *c = &x->w->cat;
	struct value *more = reallocarray(x->link, (size_t)x->nlinks + (size_t)c->nlinks + 1, sizeof(*more));

	if (more == NULL)
		return -1;
	x->link = more;
	for (int i = 0; i < c->nlinks; i++)
		if (windows_on_link(x, in, i))
			x->link[x->nlinks++] = (struct value){ c->link[i].id, strlen(c->link[i].id) };
	return 0;
}

/* Is the incident of this role and component, with such an effect? */
static int
is_meant(const struct windows *x, const struct world_incident *in)
{
	size_t n = strcspn(x->name, ":.*"), of;
	const char *component = x->name[n] == ':' ? x->name + n + 1 : NULL;

	if (strlen(roles[in->role]) != n || memcmp(roles[in->role], x->name, n) != 0)
		return 0;
	of = component == NULL ? 0 : strcspn(component, ".*");
	if (component != NULL && (strlen(in->component) != of || memcmp(in->component, component, of) != 0))
		return 0;
	for (int i = 0; i < in->neffects && x->effect != NULL; i++)
		if (windows_take(x, &in->effect[i]))
			return 1;
	return x->effect == NULL;
}

static int
fill_windows(const struct world *w, struct windows *x)
{
	const char *dot = strchr(x->name, '.');
	size_t max = 0;

	for (int i = 0; i < w->nincidents; i++)
		max += 1 + (size_t)w->incident[i].nbursts;
	x->w = w;
	x->whole = strchr(x->name, '*') != NULL;
	x->effect = dot == NULL ? NULL : strndup(dot + 1, strcspn(dot + 1, "*"));
	x->span = calloc(max + 1, sizeof(*x->span));
	x->incident = calloc((size_t)w->nincidents + 1, sizeof(*x->incident));
	if (x->span == NULL || x->incident == NULL || (dot != NULL && x->effect == NULL))
		return -1;
	if (strcmp(x->name, RULES_END) == 0)
		x->span[x->n++] = (struct world_burst){ w->end - CLOCK_MINUTE, w->end };
	for (int i = 0; i < w->nincidents; i++) {
		const struct world_incident *in = &w->incident[i];

		if (!is_meant(x, in))
			continue;
		if (add_links(x, in) == -1)
			return -1;
		x->incident[x->nincidents++] = in;
		if (!in->bursty || x->whole)
			x->span[x->n++] = (struct world_burst){ in->start, in->end };
		for (int k = 0; in->bursty && !x->whole && k < in->nbursts; k++)
			x->span[x->n++] = in->burst[k];
	}
	merge(x);
	return 0;
}

/* "end", or ROLE[:COMPONENT][.EFFECT][*]: a role that there is, an effect of the catalog, and nothing behind the star. */
static int
is_windows(const struct rules *r, const char *name, size_t n)
{
	static const char *const effects[] = { "latency", "errors", "traffic", "delay", "weight" };
	const char *dot = memchr(name, '.', n);
	size_t role = 0, star = n > 0 && name[n - 1] == '*';
	int known = dot == NULL;

	if (strlen(RULES_END) == n && memcmp(name, RULES_END, n) == 0)
		return 1;
	while (role < n && strchr(":.*", name[role]) == NULL)
		role++;
	if (memchr(name, '*', n - star) != NULL)
		return 0;
	n = dot == NULL ? 0 : n - star - (size_t)(dot + 1 - name);
	for (size_t i = 0; dot != NULL && i < sizeof(effects) / sizeof(*effects); i++)
		known |= strlen(effects[i]) == n && memcmp(effects[i], dot + 1, n) == 0;
	for (int i = 0; dot != NULL && i < r->w->cat.nseries; i++)
		known |= strlen(r->w->cat.series[i].id) == n && memcmp(r->w->cat.series[i].id, dot + 1, n) == 0;
	for (size_t i = 0; known && i < sizeof(roles) / sizeof(*roles); i++)
		if (strlen(roles[i]) == role && memcmp(roles[i], name, role) == 0)
			return 1;
	return 0;
}

struct windows *
windows_of(struct rules *r, const char *name, size_t n)
{
	struct windows **more, *x;

	if (!is_windows(r, name, n))
		return NULL;
	for (int i = 0; i < r->nwindows; i++)
		if (strlen(r->windows[i]->name) == n && memcmp(r->windows[i]->name, name, n) == 0)
			return r->windows[i];
	if ((more = reallocarray(r->windows, (size_t)r->nwindows + 1, sizeof(*more))) == NULL)
		return NULL;
	r->windows = more;
	if ((x = calloc(1, sizeof(*x))) == NULL)
		return NULL;
	r->windows[r->nwindows++] = x;
	if ((x->name = strndup(name, n)) == NULL || fill_windows(r->w, x) == -1)
		return NULL;
	return x;
}

static int
is_during(const struct windows *w, int64_t us)
{
	int lo = 0, hi = w->n;

	while (lo < hi) {
		int mid = lo + (hi - lo) / 2;

		if (w->span[mid].end <= us)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->n && us >= w->span[lo].start;
}

static int
is_id(const char *id, struct cell c)
{
	return strlen(id) == c.n && memcmp(id, c.p, c.n) == 0;
}

/* Does the incident reach the place or the link of this name? */
static int
is_here(const struct windows *w, const struct world_incident *in, struct cell cell)
{
	const struct catalog *c = &w->w->cat;

	for (int i = 0; i < c->nlinks; i++)
		if (is_id(c->link[i].id, cell))
			return windows_on_link(w, in, i);
	for (int i = 0; i < in->nplaces; i++)
		if (is_id(c->place[in->place[i]].id, cell))
			return 1;
	return in->nplaces == 0 && cell.n > 0;
}

/* Is there one at this place, or on this link, then? */
static int
is_at(const struct windows *w, int64_t us, struct cell cell)
{
	for (int i = 0; i < w->nincidents && is_during(w, us); i++) {
		const struct world_incident *in = w->incident[i];
		int next = in->bursty && !w->whole ? world_next_burst(in, us) : -1;

		if (us < in->start || us >= in->end || (next >= 0 && (next == in->nbursts || in->burst[next].start > us)))
			continue;
		if (is_here(w, in, cell))
			return 1;
	}
	return 0;
}

/* ---- parsing ---- */

/* What stands behind the relation. */
static int
parse_value(struct rules *r, struct condition *c, const char *s, size_t n)
{
	char *number;
	int bad;

	switch (c->relation) {
	case ABOVE:
	case BELOW:
		if ((number = copy(s, n)) == NULL)
			return -1;
		bad = num_decimal(number, strlen(number), &c->number);
		free(number);
		return bad;
	case IS:
	case IS_NOT:
		if (n == 0 || s[0] != '@')
			return (c->n = split_values(s, n, &c->value)) == -1 ? -1 : 0;
		c->of_links = 1;
		s++;
		n--;
		break;
	default:
		break;
	}
	return n == 0 || (c->windows = windows_of(r, s, n)) == NULL ? -1 : 0;
}

/* "[COLUMN]RELATION VALUE": = != > < @ !@ */
static int
parse_condition(struct rules *r, struct condition *c, const char *s, size_t n)
{
	size_t at = 0, more;

	while (n > 0 && *s == ' ') {
		s++;
		n--;
	}
	while (n > 0 && s[n - 1] == ' ')
		n--;
	while (at < n && strchr("=!<>@", s[at]) == NULL)
		at++;
	more = at < n && s[at] == '!';
	c->at = -1;
	if (at + more >= n || (more && s[at + 1] != '=' && s[at + 1] != '@'))
		return -1;
	if (at > 0 && (c->column = copy(s, at)) == NULL)
		return -1;
	switch (s[at + more]) {
	case '@':
		c->relation = at == 0 ? (more ? NOT_DURING : DURING) : more ? NOT_AT : AT;
		break;
	case '=':
		c->relation = more ? IS_NOT : IS;
		break;
	default:
		c->relation = s[at] == '>' ? ABOVE : BELOW;
	}
	if (at == 0 && c->relation != DURING && c->relation != NOT_DURING)
		return -1;
	return parse_value(r, c, s + at + more + 1, n - at - more - 1);
}

/* The condition of a table, made when it is met first. NULL: it is none, or there is no memory. */
static struct condition *
condition_of(struct rules *r, const char *table, const char *s, size_t n)
{
	struct condition **more, *c;

	for (int i = 0; i < r->nconditions; i++) {
		c = r->condition[i];
		if (strcmp(c->table, table) == 0 && strlen(c->text) == n && memcmp(c->text, s, n) == 0)
			return c;
	}
	if ((more = reallocarray(r->condition, (size_t)r->nconditions + 1, sizeof(*more))) == NULL)
		return NULL;
	r->condition = more;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	r->condition[r->nconditions++] = c;
	if ((c->table = strdup(table)) == NULL || (c->text = strndup(s, n)) == NULL)
		return NULL;
	return parse_condition(r, c, s, n) == 0 ? c : NULL;
}

void
condition_free(struct condition *c)
{
	for (int k = 0; k < c->n; k++)
		free(c->value[k].p);
	free(c->value);
	free(c->column);
	free(c->table);
	free(c->text);
	free(c);
}

static int
parse_conditions(struct rules *r, struct selection *x, const char *s, size_t n)
{
	size_t count = 1;

	for (size_t i = 0; i < n; i++)
		count += s[i] == '&';
	if ((x->condition = calloc(count, sizeof(*x->condition))) == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const char *and = memchr(s, '&', n);
		size_t len = and == NULL ? n : (size_t)(and-s);

		if ((x->condition[x->nconditions] = condition_of(r, x->table, s, len)) == NULL)
			return -1;
		x->nconditions++;
		s += len + (and != NULL);
		n -= len + (and != NULL);
	}
	return 0;
}

int
selection_parse(struct rules *r, struct selection *x, const char *text, const char **why)
{
	const char *bracket = strchr(text, '['), *dot = strchr(text, '.'), *equal;
	size_t n = bracket == NULL ? strlen(text) : (size_t)(bracket - text);

	*why = "is no selection TABLE.COLUMN[CONDITION & CONDITION]";
	if (bracket != NULL && text[strlen(text) - 1] != ']')
		return -1;
	if (dot == NULL || dot >= text + n)
		dot = text + n;
	if ((x->table = copy(text, (size_t)(dot - text))) == NULL || x->table[0] == '\0')
		return -1;
	if (bracket != NULL && parse_conditions(r, x, bracket + 1, strlen(bracket) - 2) == -1) {
		*why = "has what is no condition";
		return -1;
	}
	text += n;
	n = (size_t)(text - dot);
	if (n <= 1)
		return 0;
	dot++;
	n--;
	if ((equal = memchr(dot, '=', n)) != NULL) {
		if ((x->nvalues = split_values(equal + 1, (size_t)(dot + n - equal - 1), &x->value)) == -1)
			return -1;
		n = (size_t)(equal - dot);
	}
	while (n > 0) {
		const char *plus = memchr(dot, '+', n);
		size_t len = plus == NULL ? n : (size_t)(plus - dot);

		if (x->ncolumns == RULES_KEYS || (x->column[x->ncolumns++] = copy(dot, len)) == NULL)
			return -1;
		dot += len + (plus != NULL);
		n -= len + (plus != NULL);
	}
	return x->nvalues > 0 && x->ncolumns != 1 ? -1 : 0;
}

void
selection_free(struct selection *x)
{
	for (int i = 0; i < x->nvalues; i++)
		free(x->value[i].p);
	for (int i = 0; i < x->ncolumns; i++)
		free(x->column[i]);
	free(x->condition);
	free(x->value);
	free(x->table);
}

/* ---- rows ---- */

int
selection_bind(struct selection *x, const struct csv *c, const char **missing)
{
	for (int i = 0; i < x->ncolumns; i++)
		if ((x->at[i] = csv_column(c, x->column[i], strlen(x->column[i]))) == -1) {
			*missing = x->column[i];
			return -1;
		}
	/* When a row was. */
	if ((x->time = csv_column(c, "timestamp", 9)) == -1 && (x->time = csv_column(c, "start_ts", 8)) == -1)
		x->time = 0;
	for (int i = 0; i < x->nconditions; i++) {
		struct condition *d = x->condition[i];

		d->row = 0;
		d->time = x->time;
		if (d->column != NULL && (d->at = csv_column(c, d->column, strlen(d->column))) == -1) {
			*missing = d->column;
			return -1;
		}
	}
	return 0;
}

int
cell_number(struct cell c, double *x)
{
	return num_decimal(c.p, c.n, x);
}

static int
condition_holds(const struct condition *d, const struct csv *c)
{
	double number;
	int64_t us;

	switch (d->relation) {
	case DURING:
	case NOT_DURING:
		return csv_time(c, d->time, &us) == 0 && is_during(d->windows, us) == (d->relation == DURING);
	case AT:
	case NOT_AT:
		return csv_time(c, d->time, &us) == 0 && is_at(d->windows, us, c->cell[d->at]) == (d->relation == AT);
	case ABOVE:
	case BELOW:
		if (cell_number(c->cell[d->at], &number) == -1)
			return 0;
		return d->relation == ABOVE ? number > d->number : number < d->number;
	case IS:
	case IS_NOT:
		break;
	}
	if (d->of_links)
		return cell_is(c->cell[d->at], d->windows->link, d->windows->nlinks) == (d->relation == IS);
	return cell_is(c->cell[d->at], d->value, d->n) == (d->relation == IS);
}

int
selection_holds(const struct selection *x, const struct csv *c)
{
	for (int i = 0; i < x->nconditions; i++) {
		struct condition *d = x->condition[i];

		if (d->row != c->row) {
			d->row = c->row;
			d->held = condition_holds(d, c);
		}
		if (!d->held)
			return 0;
	}
	return 1;
}

uint64_t
cells_key(const struct selection *x, const struct csv *c)
{
	uint64_t key = 0;

	for (int i = 0; i < x->ncolumns; i++)
		key = mix(key + csv_hash(c, x->at[i]));
	return key != 0 ? key : 1;
}
