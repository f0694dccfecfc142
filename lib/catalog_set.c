/* The settings of a catalog. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_impl.h"
#include "clock.h"
#include "num.h"

enum { COL_KEY, COL_VALUE };

#define GRID (15 * CLOCK_MINUTE) /* begin and end stand on it, as the days of the timeline are cut there */
#define CAP 600000               /* ms: longest cap_ms */
#define SKEW 3600000             /* ms: most that a clock is off */

enum kind { K_TIME, K_U64, K_INT, K_NUMBER, K_SHARE, K_DIST, K_COUNT, K_NAME, K_MESSAGE, K_CODE, K_CODES, K_OP, K_OPS, K_SEASON, K_ENTITY };

#define AT(member) offsetof(struct catalog_settings, member)
static const struct key {
	const char *name;
	enum kind kind;
	size_t at, count; /* count: of the number of items of a list */
	double lo, hi;
	const char *standard; /* NULL: required */
} keys[] = {
	{ "begin", K_TIME, AT(begin), 0, 0, 0, NULL },
	{ "end", K_TIME, AT(end), 0, 0, 0, NULL },
	{ "seed", K_U64, AT(seed), 0, 0, 18446744073709551615.0, "42" },
	{ "users", K_U64, AT(users), 0, 1, 1e12, "1000" },
	{ "depth", K_INT, AT(depth), 0, 0, 64, "9" },
	{ "level", K_NAME, AT(level), 0, 0, 0, "" },
	{ "user_zipf", K_NUMBER, AT(user_zipf), 0, 0, 4, "0.7" },
	{ "object_zipf", K_NUMBER, AT(object_zipf), 0, 0, 4, "1" },
	{ "tail_share", K_SHARE, AT(tail_share), 0, 0, 1, "0.01" },
	{ "tail_alpha", K_NUMBER, AT(tail_alpha), 0, 1.01, 1000, "3" },
	{ "load_latency", K_NUMBER, AT(load_latency), 0, 0, 1000, "0.2" },
	{ "stagger", K_SHARE, AT(stagger), 0, 0, 1, "0" },
	{ "backoff_ms", K_NUMBER, AT(backoff_ms), 0, 0, CAP, "50" },
	{ "rto_ms", K_NUMBER, AT(rto_ms), 0, 0, CAP, "250" },
	{ "cache_hit", K_SHARE, AT(cache_hit), 0, 0, 1, "0.7" },
	{ "cap_ms", K_NUMBER, AT(cap_ms), 0, 1, CAP, "60000" },
	{ "timeout_code", K_CODE, AT(timeout_code), 0, 0, 0, "" },
	{ "db_queries", K_COUNT, AT(db_queries), 0, 0, 1e6, "1..5" },
	{ "exemplar_ms", K_NUMBER, AT(exemplar_ms), 0, 0, MANY, "500" },
	{ "exemplar_share", K_SHARE, AT(exemplar_share), 0, 0, 1, "0.01" },
	{ "cascade.factor", K_NUMBER, AT(cascade_factor), 0, 1, 1000, "1" },
	{ "cascade.message", K_MESSAGE, AT(cascade_message), 0, 0, 0, "upstream {cause.service} failed: {cause.message}" },
	{ "skew_ms", K_DIST, AT(skew_ms), 0, -SKEW, SKEW, "0" },
	{ "ticket.missing", K_SHARE, AT(ticket_missing), 0, 0, 1, "0" },
	{ "ticket.fabricated", K_SHARE, AT(ticket_fabricated), 0, 0, 1, "0" },
	{ "ticket.wrong", K_SHARE, AT(ticket_wrong), 0, 0, 1, "0" },
	{ "below", K_SHARE, AT(below), 0, 0, 1, "0.3" },
	{ "founders", K_NUMBER, AT(founders), 0, 0.125, 1, "0.5" },
	{ "join_days", K_NUMBER, AT(join_days), 0, 1, 100000, "365" },
	{ "growth", K_NUMBER, AT(growth), 0, -0.99, 1000, "0" },
	{ "season", K_SEASON, AT(season), 0, 0, MANY, "" },
	{ "session.gap_s", K_NUMBER, AT(session_gap_s), 0, 1, 12, "12" },
	{ "session.first", K_OPS, AT(first), AT(nfirst), 0, 0, "" },
	{ "session.last", K_OPS, AT(last), AT(nlast), 0, 0, "" },
	{ "session.once", K_OPS, AT(once), AT(nonce), 0, 0, "" },
	{ "rollout.delay_min", K_DIST, AT(rollout_delay_min), 0, 0, MANY, "3..10" },
	{ "rollout.length_min", K_DIST, AT(rollout_length_min), 0, 0, MANY, "5..15" },
	{ "rollout.stagger_min", K_DIST, AT(rollout_stagger_min), 0, 0, MANY, "30..60" },
	{ "rollout.traffic", K_DIST, AT(rollout_traffic), 0, 0, 1, "0.7..0.85" },
	{ "rollout.errors", K_DIST, AT(rollout_errors), 0, 0, 1, "0.02..0.05" },
	{ "rollout.latency", K_DIST, AT(rollout_latency), 0, 0, 1e6, "1.2..1.5" },
	{ "rollout.codes", K_CODES, AT(rollout_code), AT(nrollout_codes), 0, 0, "" },
	{ "rollout.bad_share", K_SHARE, AT(rollout_bad_share), 0, 0, 1, "0" },
	{ "rollout.start", K_OP, AT(rollout_start), 0, 0, 0, "" },
	{ "rollout.end", K_OP, AT(rollout_end), 0, 0, 0, "" },
	{ "rollout.user", K_NAME, AT(rollout_user), 0, 0, 0, "system" },
	{ "inventory.scale", K_ENTITY, AT(inventory_scale), 0, 0, 0, "" },
};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

void
catalog_load_constants(struct load *l)
{
	struct catalog *c = l->c;
	struct index seen = { 0 };
	const char *key;

	if (!catalog_open_either(l, T_SETTINGS))
		catalog_fail_at(l, T_SETTINGS, 0, "no such table");
	catalog_index_init(l, &seen, l->t->nrows);
	catalog_index_init(l, &l->a->constant, l->t->nrows);
	c->cname = catalog_get(l, l->t->nrows + 1, sizeof(*c->cname));
	c->cvalue = catalog_get(l, l->t->nrows + 1, sizeof(*c->cvalue));
	while (catalog_next_row(l)) {
		key = catalog_cell(l, COL_KEY).s;
		if (catalog_index_add(&seen, key, 0, 0) != -1)
			catalog_fail(l, "duplicate key \"%s\"", key);
		if (strncmp(key, "const.", 6) != 0)
			continue;
		catalog_check_name(l, key + 6);
		if (catalog_cell(l, COL_VALUE).s[0] == '\0')
			catalog_fail(l, "%s: empty", key);
		c->cname[c->nconsts] = catalog_cell(l, COL_KEY).s + 6;
		catalog_index_add(&l->a->constant, key + 6, 0, c->nconsts);
		c->cvalue[c->nconsts++] = catalog_cell(l, COL_VALUE).s;
	}
}

/* Operations by "service/operation", or by the operation's name alone; each row once. */
static int
ops_named(struct load *l, const char *key, const char *name, int *op)
{
	const struct catalog *c = l->c;
	struct catalog_ref r;
	int i, n = 0;

	if (catalog_parse_ref(c, name, strlen(name), &r) == -1 || r.op == NULL) {
		r.service = -1;
		r.op = catalog_keep(l, name, strlen(name));
	}
	for (i = 0; i < c->nops; i++)
		if (r.service == -1 ? strcmp(c->op[i].name, r.op) == 0 : i == catalog_op(c, r.service, r.op, strlen(r.op)))
			op[n++] = i;
	if (n == 0)
		catalog_fail(l, "%s: no operation \"%s\"", key, name);
	return n;
}

static void
set_ops(struct load *l, const struct key *k, char *s, int **list, int *n)
{
	char *item;
	int *found = catalog_get(l, (size_t)l->c->nops, sizeof(*found)), i, m;

	*n = 0;
	*list = catalog_get(l, (size_t)l->c->nops, sizeof(**list));
	while ((item = catalog_next_item(l, k->name, &s)) != NULL) {
		m = ops_named(l, k->name, item, found);
		for (i = 0; i < m; i++) {
			if (l->c->op[found[i]].weight <= 0)
				catalog_fail(l, "%s: \"%s\" is not asked for by people", k->name, item);
			if (*n == l->c->nops)
				catalog_fail(l, "%s: more items than operations", k->name);
			(*list)[(*n)++] = found[i];
		}
	}
}

static void
set_codes(struct load *l, const struct key *k, char *s, int **list, int *n)
{
	char *item;

	*n = 0;
	*list = catalog_get(l, (size_t)catalog_count_items(s), sizeof(**list));
	while ((item = catalog_next_item(l, k->name, &s)) != NULL) {
		(*list)[*n] = catalog_code(l->c, item, strlen(item));
		if ((*list)[*n] == -1)
			catalog_fail(l, "%s: no code \"%s\"", k->name, item);
		if (l->c->code[(*list)[(*n)++]].http < 400)
			catalog_fail(l, "%s: \"%s\" is no failure", k->name, item);
	}
}

/* The code of attempts that time out: as given, or "504", or the first that is 504 in HTTP. */
static int
timeout_code(struct load *l, const char *name)
{
	const struct catalog *c = l->c;
	int i, code = catalog_code(c, *name == '\0' ? "504" : name, *name == '\0' ? 3 : strlen(name));

	if (*name != '\0' && code == -1)
		catalog_fail(l, "timeout_code: no code \"%s\"", name);
	if (*name != '\0' && c->code[code].http < 400)
		catalog_fail(l, "timeout_code: \"%s\" is no failure", name);
	for (i = 0; i < c->ncodes && code == -1; i++)
		if (c->code[i].http == 504)
			code = i;
	return code;
}

/* Twelve numbers, or the name of a list of them. */
static void
set_season(struct load *l, const struct key *k, char *s, double *month)
{
	const struct catalog *c = l->c;
	int list = catalog_list(c, s, strlen(s)), i = 0;
	char *item;

	if (list == -1 && strchr(s, ',') == NULL)
		catalog_fail(l, "season: no list \"%s\"", s);
	if (list != -1)
		for (; i < 12 && i < c->list[list].n; i++)
			month[i] = catalog_number(l, (struct cell){ k->name, c->list[list].item[i] }, 0, 0, k->hi);
	else
		while ((item = catalog_next_item(l, k->name, &s)) != NULL) {
			if (i < 12)
				month[i] = catalog_number(l, (struct cell){ k->name, item }, 0, 0, k->hi);
			i++;
		}
	if (i != 12 || (list != -1 && c->list[list].n != 12))
		catalog_fail(l, "season: %d numbers instead of 12", list == -1 ? i : c->list[list].n);
	for (i = 0; i < 12; i++)
		if (month[i] <= 0)
			catalog_fail(l, "season: a month without traffic");
}

static int64_t
grid_time(struct load *l, struct cell x)
{
	int64_t t = catalog_moment(l, x);

	if (t % GRID != 0)
		catalog_fail(l, "%s: \"%s\" is not a multiple of 15 minutes", x.name, x.s);
	return t;
}

static uint64_t
set_u64(struct load *l, const struct key *k, const char *s)
{
	uint64_t v, hi = k->hi > 1.8e19 ? UINT64_MAX : (uint64_t)k->hi;
	const char *errstr;

	if (num_u64(s, (uint64_t)k->lo, hi, &v, &errstr) == -1)
		catalog_fail(l, "%s: \"%s\" is %s", k->name, s, errstr);
	return v;
}

/* s is the value, its default where the cell is empty. */
static void
set(struct load *l, const struct key *k, char *s)
{
	struct catalog_settings *set = &l->c->set;
	struct cell x = { k->name, s };
	void *at = (char *)set + k->at;
	int *n = (int *)(void *)((char *)set + k->count), op, i;

	switch (k->kind) {
	case K_TIME:
		*(int64_t *)at = grid_time(l, x);
		break;
	case K_U64:
		*(uint64_t *)at = set_u64(l, k, s);
		break;
	case K_INT:
		*(int *)at = catalog_whole(l, x, 0, (int)k->lo, (int)k->hi);
		break;
	case K_NUMBER:
		*(double *)at = catalog_number(l, x, 0, k->lo, k->hi);
		break;
	case K_SHARE:
		*(double *)at = catalog_share(l, x, 0);
		break;
	case K_DIST:
	case K_COUNT:
		catalog_quantity(l, x, NULL, at, k->lo, k->hi, k->kind == K_COUNT);
		break;
	case K_NAME:
		*(char **)at = catalog_name_of(l, x);
		break;
	case K_MESSAGE:
		catalog_text_of(l, s, IN_CASCADE, at);
		break;
	case K_CODE:
		*(int *)at = timeout_code(l, s);
		break;
	case K_CODES:
		if (*s != '\0')
			set_codes(l, k, s, at, n);
		break;
	case K_OP:
		op = -1;
		if (*s != '\0') {
			int *found = catalog_get(l, (size_t)l->c->nops, sizeof(*found));

			ops_named(l, k->name, s, found);
			op = found[0];
		}
		*(int *)at = op;
		break;
	case K_OPS:
		if (*s != '\0')
			set_ops(l, k, s, at, n);
		break;
	case K_SEASON:
		for (i = 0; i < 12; i++)
			set->season[i] = 1;
		if (*s != '\0')
			set_season(l, k, s, at);
		break;
	case K_ENTITY:
		*(int *)at = *s == '\0' ? -1 : catalog_entity(l->c, s, strlen(s));
		if (*s != '\0' && *(int *)at == -1)
			catalog_fail(l, "%s: no entity \"%s\"", k->name, s);
		break;
	}
}

void
catalog_load_settings(struct load *l)
{
	int given[NKEYS] = { 0 };
	const char *key;
	char *value;
	size_t i;

	catalog_open_either(l, T_SETTINGS);
	while (catalog_next_row(l)) {
		key = catalog_cell(l, COL_KEY).s;
		value = catalog_cell(l, COL_VALUE).s;
		if (strncmp(key, "const.", 6) == 0)
			continue;
		for (i = 0; i < NKEYS && strcmp(key, keys[i].name) != 0; i++)
			;
		if (i == NKEYS)
			catalog_fail(l, "unknown key \"%s\"", key);
		if (*value == '\0')
			continue;
		given[i] = 1;
		set(l, &keys[i], value);
		if (keys[i].at == AT(end) && given[0] && l->c->set.end <= l->c->set.begin)
			catalog_fail(l, "begin is not before end");
	}
	/* A default never fails, but a key without one is missed at the head of the table. */
	l->row = SIZE_MAX;
	for (i = 0; i < NKEYS; i++) {
		if (given[i])
			continue;
		if (keys[i].standard == NULL)
			catalog_fail(l, "no key \"%s\"", keys[i].name);
		set(l, &keys[i], catalog_keep(l, keys[i].standard, strlen(keys[i].standard)));
	}
	if (l->c->set.end <= l->c->set.begin)
		catalog_fail(l, "begin is not before end");
}
