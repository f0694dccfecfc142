/* A line of a layout of spans or events. */
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "clock.h"

static int
is(struct json_value v, const char *text)
{
	return !json_is_null(v) && json_equals(v, text);
}

/* A moment of the world, in order. */
static void
check_moment(struct check *c, int64_t t)
{
	char text[64];

	if (c->at[R_TIME] < 0)
		return;
	if (c->world != NULL) {
		check_count(c, P_WINDOW);
		if (t < c->world->begin || t >= c->world->end)
			check_fault(c, P_WINDOW, c->line, "%s is outside the world", show(role(c, R_TIME), text));
	}
	if (!c->plan.unordered) {
		check_count(c, P_ORDER);
		if (t < c->last)
			check_fault(c, P_ORDER, c->line, "%s comes too late", show(role(c, R_TIME), text));
	}
	c->last = t;
}

/* ---- records of rollouts ---- */

static int
mark_of(const struct check *c)
{
	const struct catalog_settings *set = &c->cat->set;
	struct json_value v = role(c, R_ACTION);

	if (set->rollout_start >= 0 && is(v, c->cat->op[set->rollout_start].name))
		return 1;
	return set->rollout_end >= 0 && is(v, c->cat->op[set->rollout_end].name) ? 2 : 0;
}

static void
check_mark(struct check *c, int which, int64_t t)
{
	const uint64_t *at = keys_find(&c->rollouts, value_key(role(c, R_REQUEST)));
	const struct world_rollout *r;
	char text[64];

	if (!c->account[P_ROLLOUTS].applies)
		return;
	check_count(c, P_ROLLOUTS);
	if (at == NULL) {
		check_fault(c, P_ROLLOUTS, c->line, "no rollout %s in the world", show(role(c, R_REQUEST), text));
		return;
	}
	r = &c->world->rollout[*at];
	if (c->at[R_RELEASE] >= 0 && value_key(role(c, R_RELEASE)) != name_key(c->world->release[r->release].id))
		check_fault(c, P_ROLLOUTS, c->line, "rollout %s is of another release", r->id);
	if (c->at[R_TIME] >= 0 && t != (which == 1 ? r->start : r->end))
		check_fault(c, P_ROLLOUTS, c->line, "rollout %s not at its time", r->id);
	if (c->marked[*at] & which)
		check_fault(c, P_ROLLOUTS, c->line, "rollout %s %s twice", r->id, which == 1 ? "starts" : "ends");
	if (which == 2 && !(c->marked[*at] & 1) && r->start >= c->world->begin && !c->plan.part && !c->plan.unordered)
		check_fault(c, P_ROLLOUTS, c->line, "rollout %s ends before it started", r->id);
	c->marked[*at] |= (uint8_t)which;
	if ((c->at[R_LEVEL] >= 0 && !is(role(c, R_LEVEL), "INFO")) || (c->at[R_SUCCESS] >= 0 && role(c, R_SUCCESS).p[0] != 't') ||
	    !json_is_null(role(c, R_CAUSE)))
		check_fault(c, P_ROLLOUTS, c->line, "the record of rollout %s is no news but trouble", r->id);
}

/* Each end of a rollout that falls into the world has its record. */
void
rollouts_end(struct check *c)
{
	const struct catalog_settings *set = &c->cat->set;

	if (c->plan.part || !c->account[P_ROLLOUTS].applies)
		return;
	for (int i = 0; i < c->world->nrollouts; i++) {
		const struct world_rollout *r = &c->world->rollout[i];

		if (set->rollout_start >= 0 && r->start >= c->world->begin && r->start < c->world->end && !(c->marked[i] & 1))
			check_fault(c, P_ROLLOUTS, 0, "rollout %s never started", r->id);
		if (set->rollout_end >= 0 && r->end >= c->world->begin && r->end < c->world->end && !(c->marked[i] & 2))
			check_fault(c, P_ROLLOUTS, 0, "rollout %s never ended", r->id);
	}
}

/* ---- requests ---- */

static int
failed(const struct check *c)
{
	uint64_t http;
	int ok;

	if (c->at[R_SUCCESS] >= 0)
		return json_bool(role(c, R_SUCCESS), &ok) == 0 && !ok;
	if (c->at[R_HTTP] >= 0)
		return json_u64(role(c, R_HTTP), &http) == 0 && http >= 400;
	return !json_is_null(role(c, R_CODE)) || !json_is_null(role(c, R_TYPE));
}

/* How long it took, and what goes with it. */
static void
take_length(struct check *c, struct span *x)
{
	struct json_value length = role(c, R_DURATION), cache = role(c, R_CACHE);
	int64_t us = 0;
	int write = 0;
	char one[64], two[64];

	x->end = x->start;
	x->endless = c->at[R_DURATION] < 0 && c->at[R_END] < 0;
	check_count(c, P_MEASUREMENTS);
	if (c->at[R_DURATION] >= 0) {
		if (json_is_null(length) || json_scaled(length, 3, &us) == -1 || us < 0 || us > 400 * CLOCK_DAY) {
			x->endless = 1;
			check_fault(c, P_MEASUREMENTS, c->line, "\"%s\" is %s", c->field[c->at[R_DURATION]].name, show(length, one));
		} else
			x->end += us;
	}
	if (c->at[R_END] >= 0) {
		(void)shape_time(c, R_END, &us);
		if (c->at[R_TIME] >= 0 && us < x->start)
			check_fault(c, P_MEASUREMENTS, c->line, "ends before it begins");
		else if (c->at[R_DURATION] >= 0 && llabs(us - x->end) > c->slack && c->at[R_TIME] >= 0 && c->form[R_TIME] == c->form[R_END])
			check_fault(c, P_MEASUREMENTS, c->line, "\"%s\" is not that from begin to end", c->field[c->at[R_DURATION]].name);
		x->end = c->at[R_TIME] >= 0 ? us : x->end;
		x->start = c->at[R_TIME] >= 0 ? x->start : us;
	}
	if (c->at[R_CACHE] < 0 || c->at[R_WRITE] < 0)
		return;
	(void)json_bool(role(c, R_WRITE), &write);
	if (json_is_null(cache) != (write || x->failed))
		check_fault(c, P_MEASUREMENTS, c->line, "\"%s\" %s of a %s", c->field[c->at[R_CACHE]].name, show(cache, two),
		    x->failed   ? "failure"
			: write ? "write"
				: "read");
}

static void
check_request(struct check *c, int64_t t)
{
	struct span x = { .start = t, .line = c->line, .place = -1, .service = -1, .blamed = -1, .release = -1, .code = -1 };
	int is_root = json_is_null(role(c, R_PARENT));

	x.failed = failed(c);
	x.id = value_key(role(c, R_SPAN));
	x.parent = value_key(role(c, R_PARENT));
	x.request = value_key(role(c, R_REQUEST));
	x.user = value_key(role(c, R_USER));
	x.persona = value_key(role(c, R_PERSONA));
	x.cause = value_key(role(c, R_CAUSE));
	x.type = value_key(role(c, R_TYPE));
	x.upstream = value_key(role(c, R_UPSTREAM));
	take_length(c, &x);
	names_check(c, &x);
	if (is_root && c->at[R_TIME] >= 0)
		check_moment(c, t);
	tree_join(c, &x, value_key(role(c, R_TRACE)), is_root);
	if (c->n == 0)
		return;
	names_release(c, &x, c->tree[0].start);
	cause_check(c, &x);
	/* What was found out since it joined. */
	x.up = c->tree[c->n - 1].up;
	x.level = c->tree[c->n - 1].level;
	c->tree[c->n - 1] = x;
	c->nfailed += (uint64_t)x.failed;
	if (is_root)
		real_root(c, &x);
}

void
span_check(struct check *c)
{
	int64_t t = 0;
	int which = mark_of(c);

	if (c->at[R_TIME] >= 0)
		(void)shape_time(c, R_TIME, &t);
	if (which == 0) {
		check_request(c, t);
		return;
	}
	tree_end(c);
	c->nmarks++;
	check_moment(c, t);
	check_mark(c, which, t);
}
