/* Lines, layouts, incidents and effects of a catalog. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_impl.h"

static void
load_logs(struct load *l)
{
	enum { OPERATION, AT, EVENT, LEVEL, MESSAGE, WHEN, BY };
	static const char *const at[] = { "start", "call", "end", NULL };
	static const char *const level[] = { "", "DEBUG", "INFO", "WARN", "ERROR", NULL };
	struct catalog *c = l->c;
	struct catalog_log *k;

	if (!catalog_open_either(l, T_LOGS))
		return;
	c->log = catalog_get(l, l->t->nrows, sizeof(*c->log));
	while (catalog_next_row(l)) {
		k = &c->log[c->nlogs++];
		k->op = catalog_ref_of(l, catalog_cell(l, OPERATION).s);
		k->at = AT_END;
		if (catalog_cell(l, AT).s[0] != '\0')
			k->at = (enum catalog_moment)catalog_choice(l, catalog_cell(l, AT), at, "start, call or end");
		k->event = catalog_name_of(l, catalog_cell(l, EVENT));
		k->level =
		    catalog_choice(l, catalog_cell(l, LEVEL), level, "DEBUG, INFO, WARN or ERROR") == 0 ? NULL : catalog_cell(l, LEVEL).s;
		catalog_text_of(l, catalog_cell(l, MESSAGE).s, IN_LOG, &k->message);
		catalog_cond_of(l, catalog_cell(l, WHEN).s, IN_LOG, NULL, &k->when);
		k->by = catalog_name_of(l, catalog_cell(l, BY));
		k->by_caller = strcmp(k->by, "caller") == 0;
		if (k->by_caller || k->by[0] == '\0')
			k->by = NULL;
	}
}

/* Tickets of tickets would not end: nine more of ten. */
#define REPEAT_MAX 0.9

static void
load_tickets(struct load *l)
{
	enum { WHEN, RATE, DELAY, REPEAT };
	struct catalog *c = l->c;
	struct catalog_ticket *k;

	if (!catalog_open_either(l, T_TICKETS))
		return;
	c->ticket = catalog_get(l, l->t->nrows, sizeof(*c->ticket));
	while (catalog_next_row(l)) {
		k = &c->ticket[c->ntickets];
		if (c->ntickets > 0 && k[-1].when.n == 0)
			catalog_fail(l, "row after the one without condition");
		c->ntickets++;
		catalog_cond_of(l, catalog_cell(l, WHEN).s, IN_LOG, NULL, &k->when);
		k->rate = catalog_share(l, catalog_cell(l, RATE), 0);
		catalog_quantity(l, catalog_cell(l, DELAY), "0", &k->delay_min, 0, MANY, 0);
		k->repeat = catalog_number(l, catalog_cell(l, REPEAT), 0, 0, REPEAT_MAX);
	}
}

/* The layout of the row at hand: the last one, or a new one. NULL: one of default that the catalog has itself. */
static struct catalog_layout *
layout_of(struct load *l, int own, char *name, enum catalog_record record)
{
	struct catalog *c = l->c;
	struct catalog_layout *k;
	int i = catalog_index_add(&l->a->layout, name, 0, c->nlayouts);

	if (i != -1 && i < own)
		return NULL;
	if (i != -1) {
		if (i != c->nlayouts - 1)
			catalog_fail(l, "layout \"%s\" in two places", name);
		if (c->layout[i].record != record)
			catalog_fail(l, "layout \"%s\" of two records", name);
		return &c->layout[i];
	}
	k = &c->layout[c->nlayouts++];
	k->name = name;
	k->record = record;
	k->blind = strncmp(name, "blind", 5) == 0;
	return k;
}

static void
check_field(struct load *l, const struct index *fields, const struct catalog_layout *k, const struct catalog_field *f, int layout)
{
	const struct catalog_field *last = f - 1;
	int seen = catalog_index_find(fields, f->name, strlen(f->name), layout) != -1;

	if (seen && strcmp(last->name, f->name) != 0)
		catalog_fail(l, "field \"%s\" in two places", f->name);
	if (seen && k->n > 0 && last->words[1][0] == '\0')
		catalog_fail(l, "row after the default of field \"%s\"", f->name);
}

static void
layouts_of(struct load *l, int folder, struct catalog_field *field)
{
	enum { LAYOUT, RECORD, FIELD, VALUE, WHEN };
	static const char *const word[] = { "event", "span", "sample", "aggregate", "log", "ticket", "incident", "series:link",
		"series:host", "series:service", "series:place", "entity", NULL };
	static const unsigned of[] = { IN_SPAN, IN_SPAN, IN_SPAN, IN_AGGREGATE, IN_LINE, IN_TICKET, IN_INCIDENT, IN_OF_LINK, IN_OF_HOST,
		IN_OF_SERVICE, IN_OF_PLACE, 0 };
	struct catalog *c = l->c;
	struct catalog_layout *k;
	struct catalog_field *f = field;
	struct index fields = { 0 };
	int own = c->nlayouts;
	unsigned where;
	enum catalog_record record;
	char *name;

	if (!catalog_open_table(l, T_LAYOUTS, folder))
		return;
	catalog_index_init(l, &fields, l->t->nrows);
	while (catalog_next_row(l)) {
		name = catalog_name_of(l, catalog_cell(l, LAYOUT));
		record = (enum catalog_record)catalog_choice(l, catalog_cell(l, RECORD), word,
		    "event, span, log, sample, aggregate, ticket, incident, entity or series:link, host, service or place");
		if ((k = layout_of(l, own, name, record)) == NULL)
			continue;
		if (k->n == 0)
			k->field = f;
		f->name = catalog_cell(l, FIELD).s;
		if (strcmp(f->name, "*") != 0)
			catalog_check_name(l, f->name);
		else if (catalog_cell(l, VALUE).s[0] != '\0')
			catalog_fail(l, "field \"*\" has no value");
		f->line = (int)catalog_row_line(l);
		f->words[0] = catalog_cell(l, VALUE).s;
		f->words[1] = catalog_cell(l, WHEN).s;
		where = of[record];
		if (record != RECORD_ENTITY) {
			catalog_text_of(l, f->words[0], where, &f->value);
			catalog_cond_of(l, f->words[1], where, NULL, &f->when);
		} else if (strcmp(f->name, "*") == 0)
			catalog_fail(l, "field \"*\" of an entity");
		if (k->blind) {
			catalog_blind_text(l, &f->value);
			catalog_blind_cond(l, &f->when);
		}
		check_field(l, &fields, k, f, (int)(k - c->layout));
		catalog_index_add(&fields, f->name, (int)(k - c->layout), 0);
		k->n++;
		f++;
	}
}

static void
scope_of(struct load *l, struct cell x, struct catalog_incident *k)
{
	char *s = x.s, *item;
	int place;

	k->scope_any = strcmp(s, "any") == 0;
	if (k->scope_any || s[0] == '\0')
		return;
	k->place = catalog_get(l, (size_t)catalog_count_items(s), sizeof(*k->place));
	while ((item = catalog_next_item(l, x.name, &s)) != NULL) {
		if ((place = catalog_place(l->c, item, strlen(item))) == -1)
			catalog_fail(l, "%s: no place \"%s\"", x.name, item);
		k->place[k->nplaces++] = place;
	}
}

static void
bursts_of(struct load *l, struct cell every, struct cell burst, struct catalog_incident *k)
{
	catalog_quantity(l, every, NULL, &k->every_min, 0, MANY, 0);
	catalog_quantity(l, burst, NULL, &k->burst_min, 0, MANY, 0);
	if ((k->every_min.kind == DIST_NONE) != (k->burst_min.kind == DIST_NONE))
		catalog_fail(
		    l, "%s without %s", every.s[0] == '\0' ? burst.name : every.name, every.s[0] == '\0' ? every.name : burst.name);
	if (k->every_min.kind != DIST_NONE && catalog_dist_mean(&k->every_min) <= 0)
		catalog_fail(l, "%s: \"%s\" is no time between bursts", every.name, every.s);
}

static void
load_incidents(struct load *l)
{
	enum { INCIDENT, COMPONENT, ROLE, TYPE, MESSAGE, START, LENGTH, PER_YEAR, RAMP, EVERY, BURST, SCOPE };
	static const char *const role[] = { "cause", "confounder", "fix", NULL };
	struct catalog *c = l->c;
	struct catalog_incident *k;

	if (!catalog_open_either(l, T_INCIDENTS))
		return;
	c->incident = catalog_get(l, l->t->nrows, sizeof(*c->incident));
	catalog_index_init(l, &l->a->incident, l->t->nrows);
	while (catalog_next_row(l)) {
		k = &c->incident[c->nincidents];
		k->id = catalog_name_of(l, catalog_cell(l, INCIDENT));
		if (catalog_index_add(&l->a->incident, k->id, 0, c->nincidents++) != -1)
			catalog_fail(l, "duplicate incident \"%s\"", k->id);
		k->component = catalog_name_of(l, catalog_cell(l, COMPONENT));
		if (k->component[0] == '\0')
			k->component = k->id;
		k->role = catalog_cell(l, ROLE).s[0] == '\0'
		    ? ROLE_CAUSE
		    : (enum catalog_role)catalog_choice(l, catalog_cell(l, ROLE), role, "cause, confounder or fix");
		k->type = catalog_name_of(l, catalog_cell(l, TYPE));
		k->message = catalog_cell(l, MESSAGE).s;
		k->scripted = catalog_cell(l, START).s[0] != '\0';
		if (k->scripted)
			k->start = catalog_moment(l, catalog_cell(l, START));
		catalog_quantity(l, catalog_cell(l, LENGTH), NULL, &k->length_min, 0, MANY, 0);
		catalog_quantity(l, catalog_cell(l, PER_YEAR), NULL, &k->per_year, 0, 1e6, 1);
		catalog_quantity(l, catalog_cell(l, RAMP), "0", &k->ramp_min, 0, MANY, 0);
		bursts_of(l, catalog_cell(l, EVERY), catalog_cell(l, BURST), k);
		if (!k->scripted && k->per_year.kind == DIST_NONE)
			catalog_fail(l, "neither start nor per_year");
		if (k->scripted && k->per_year.kind != DIST_NONE)
			catalog_fail(l, "both start and per_year");
		scope_of(l, catalog_cell(l, SCOPE), k);
		k->line = (int)catalog_row_line(l);
	}
}

/* What the effects of a row can be about: operations; or links, services or places. */
static int
is_of_things(const struct catalog_effect *e)
{
	return e->what == EFFECT_WEIGHT || e->what == EFFECT_SERIES;
}

static enum catalog_of
kind_of(const struct catalog *c, const struct catalog_effect *e)
{
	return e->what == EFFECT_SERIES ? c->series[e->series].of : OF_LINK;
}

static int
thing_of(struct load *l, enum catalog_of of, const char *name)
{
	static const char *const what[] = { [OF_LINK] = "link", [OF_HOST] = "service", [OF_SERVICE] = "service", [OF_PLACE] = "place" };
	int (*const find[])(const struct catalog *, const char *,
	    size_t) = { [OF_LINK] = catalog_link, [OF_HOST] = catalog_service, [OF_SERVICE] = catalog_service, [OF_PLACE] = catalog_place };
	int thing = find[of](l->c, name, strlen(name));

	if (thing == -1)
		catalog_fail(l, "no %s \"%s\"", what[of], name);
	return thing;
}

static void
targets_of(struct load *l, struct cell x, struct catalog_effect *e)
{
	size_t n = (size_t)catalog_count_items(x.s);
	char *s = x.s, *item;

	e->target_all = strcmp(s, "*") == 0;
	e->target_any = strcmp(s, "any") == 0;
	if (is_of_things(e) && kind_of(l->c, e) == OF_LINK && l->c->nlinks == 0)
		catalog_fail(l, "there are no links");
	if (e->target_all || e->target_any)
		return;
	if (is_of_things(e))
		e->thing = catalog_get(l, n, sizeof(*e->thing));
	else
		e->target = catalog_get(l, n, sizeof(*e->target));
	while ((item = catalog_next_item(l, x.name, &s)) != NULL)
		if (is_of_things(e))
			e->thing[e->nthings++] = thing_of(l, kind_of(l->c, e), item);
		else
			e->target[e->ntargets++] = catalog_ref_of(l, item);
}

static void
effect_codes(struct load *l, struct cell x, struct catalog_effect *e)
{
	char *s = x.s, *item;

	if (s[0] == '\0' && e->what == EFFECT_ERRORS)
		catalog_fail(l, "errors without code");
	if (s[0] == '\0')
		return;
	if (is_of_things(e))
		catalog_fail(l, "%s: \"%s\" fails no request", x.name, s);
	e->code = catalog_get(l, (size_t)catalog_count_items(s), sizeof(*e->code));
	while ((item = catalog_next_item(l, x.name, &s)) != NULL) {
		e->code[e->ncodes] = catalog_code(l->c, item, strlen(item));
		if (e->code[e->ncodes] == -1)
			catalog_fail(l, "%s: no code \"%s\"", x.name, item);
		if (l->c->code[e->code[e->ncodes++]].http < 400)
			catalog_fail(l, "%s: \"%s\" is no failure", x.name, item);
	}
}

static void
what_of(struct load *l, struct cell x, struct catalog_effect *e)
{
	static const char *const what[] = { "latency", "errors", "traffic", "delay", "weight" };

	for (int i = 0; i < 5; i++)
		if (strcmp(x.s, what[i]) == 0) {
			e->what = (enum catalog_what)i;
			return;
		}
	e->what = EFFECT_SERIES;
	if ((e->series = catalog_series(l->c, x.s, strlen(x.s))) == -1)
		catalog_fail(l, "%s: \"%s\" is not latency, errors, traffic, delay, weight or a series", x.name, x.s);
}

static void
effect_size(struct load *l, struct cell factor, struct cell add, struct catalog_effect *e)
{
	e->factor_text = factor.s;
	e->add_text = add.s;
	catalog_quantity(l, factor, "1", &e->factor, 0, MANY, 0);
	if (e->what == EFFECT_TRAFFIC && catalog_dist_max(&e->factor) > 1)
		catalog_fail(l, "factor: \"%s\" would add traffic; it can only be taken away, by a factor of 0 to 1", factor.s);
	if (e->what == EFFECT_ERRORS)
		catalog_quantity(l, add, "0", &e->add, 0, 1, 0);
	else
		catalog_quantity(l, add, "0", &e->add, -MANY, MANY, 0);
	if (e->what == EFFECT_WEIGHT && add.s[0] != '\0')
		catalog_fail(l, "add: a weight has a factor only");
}

static void
effect_levels(struct load *l, char *s, struct catalog_effect *e)
{
	char *item;

	if (s[0] == '\0')
		return;
	e->level = catalog_get(l, (size_t)catalog_count_items(s), sizeof(*e->level));
	while ((item = catalog_next_item(l, "level", &s)) != NULL)
		e->level[e->nlevels++] = item;
}

static void
load_effects(struct load *l)
{
	enum { INCIDENT, LEVEL, WHAT, TARGET, WHEN, FACTOR, ADD, CODE };
	struct catalog *c = l->c;
	struct catalog_effect *e;
	char *s;

	if (!catalog_open_either(l, T_EFFECTS))
		return;
	c->effect = catalog_get(l, l->t->nrows, sizeof(*c->effect));
	while (catalog_next_row(l)) {
		e = &c->effect[c->neffects++];
		s = catalog_cell(l, INCIDENT).s;
		if ((e->incident = catalog_index_find(&l->a->incident, s, strlen(s), 0)) == -1)
			catalog_fail(l, "no incident \"%s\"", s);
		effect_levels(l, catalog_cell(l, LEVEL).s, e);
		what_of(l, catalog_cell(l, WHAT), e);
		targets_of(l, catalog_cell(l, TARGET), e);
		s = catalog_cell(l, WHEN).s;
		if (s[0] != '\0' && is_of_things(e))
			catalog_fail(l, "when: \"%s\" is asked of requests, and this effect is on none", s);
		catalog_cond_of(l, s, IN_EARLY, "an effect", &e->when);
		effect_size(l, catalog_cell(l, FACTOR), catalog_cell(l, ADD), e);
		effect_codes(l, catalog_cell(l, CODE), e);
	}
}

void
catalog_load_records(struct load *l)
{
	struct catalog *c = l->c;
	struct catalog_field *field;

	load_logs(l);
	load_tickets(l);
	catalog_index_init(l, &l->a->layout, catalog_rows_of(l, T_LAYOUTS));
	c->layout = catalog_get(l, catalog_rows_of(l, T_LAYOUTS), sizeof(*c->layout));
	field = catalog_get(l, catalog_rows_of(l, T_LAYOUTS), sizeof(*field));
	layouts_of(l, OWN, field);
	layouts_of(l, DEFAULT, field + l->a->tsv[OWN][T_LAYOUTS].nrows);
	load_incidents(l);
	load_effects(l);
}
