/* Failures: their codes and levels, what they say was the source, and whether that was then and there. */
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "clock.h"

/* The key of what follows a prefix of a source; 0: it has another one. */
static uint64_t
after(struct json_value v, const char *prefix, char text[CHECK_WORD])
{
	size_t n = strlen(prefix);

	if (json_text(v, text, CHECK_WORD) < (int)n || strncmp(text, prefix, n) != 0)
		return 0;
	memmove(text, text + n, strlen(text) - n + 1);
	return name_key(text);
}

static int
has_place(const struct world_incident *x, int place)
{
	for (int i = 0; i < x->nplaces; i++)
		if (x->place[i] == place)
			return 1;
	return x->nplaces == 0 || place < 0;
}

/* Is it about what calls meet on links? */
static int
is_of_links(const struct catalog *c, const struct world_effect *e)
{
	return e->what == EFFECT_SERIES && (e->series == c->rtt || e->series == c->loss);
}

static int
overlaps(const struct world_incident *x, int64_t from, int64_t to)
{
	int next = x->bursty ? world_next_burst(x, from) : 0;

	if (x->bursty)
		return next < x->nbursts && x->burst[next].start < to;
	return x->start < to && x->end > from;
}

/* Of a link a request meets the whole time step it falls into, and the place is where the link begins. */
static int
was_then(const struct catalog *c, const struct world_incident *x, int64_t t, int place)
{
	for (int i = 0; i < x->neffects; i++)
		if (is_of_links(c, &x->effect[i])) {
			int64_t every = c->series[x->effect[i].series].every;

			if (overlaps(x, t - t % every, t - t % every + every))
				return 1;
		}
	return overlaps(x, t, t + 1) && has_place(x, place);
}

/* An incident with these effects gives this code at the service? *covers: it reaches it at all. */
static int
gives(const struct catalog *c, const struct world_incident *in, int service, int code, int *covers)
{
	int coded = 0;

	for (int i = 0; i < in->neffects; i++) {
		const struct world_effect *e = &in->effect[i];

		if (world_of(c, e->what, e->series) != -1 && !is_of_links(c, e))
			continue;
		if (e->ntargets > 0 && !world_covers(c, e->target, e->ntargets, service))
			continue;
		*covers = 1;
		for (int k = 0; e->what == EFFECT_ERRORS && k < e->ncodes; k++)
			coded |= e->code[k] == code;
		/* What is too slow runs into a timeout. */
		coded |= e->what != EFFECT_ERRORS && e->what != EFFECT_TRAFFIC && c->set.timeout_code == code;
	}
	return coded;
}

static void
check_incident(struct check *c, const struct span *x, const char *component)
{
	const uint64_t *at = keys_find(&c->incidents, x->cause);
	struct json_value message = role(c, R_MESSAGE);
	const struct world_incident *in;
	int64_t t = c->tree[0].start;
	char text[64];
	int covers = 0, coded;

	if (at == NULL) {
		check_fault(c, P_CAUSES, c->line, "no incident %s in the world", show(role(c, R_CAUSE), text));
		return;
	}
	in = &c->world->incident[*at];
	if (strcmp(in->component, component) != 0)
		check_fault(c, P_CAUSES, c->line, "incident %s is of %.64s", in->id, in->component);
	if (!was_then(c->cat, in, t, x->place))
		check_fault(c, P_CAUSES, c->line, "incident %s was not then and there", in->id);
	coded = gives(c->cat, in, x->service, x->code, &covers);
	if (!covers && x->service >= 0)
		check_fault(c, P_CAUSES, c->line, "incident %s does not reach %.64s", in->id, c->cat->service[x->service].id);
	else if (!coded && x->code >= 0)
		check_fault(c, P_CAUSES, c->line, "incident %s does not give %.64s", in->id, c->cat->code[x->code].code);
	if (c->at[R_MESSAGE] >= 0 && in->message != NULL && in->message[0] != '\0' && value_key(message) != name_key(in->message))
		check_fault(c, P_CAUSES, c->line, "the words of incident %s are \"%.64s\"", in->id, in->message);
}

static void
check_rollout(struct check *c, const struct span *x, uint64_t release)
{
	const uint64_t *at = keys_find(&c->rollouts, x->cause);
	const struct world_rollout *r;
	int64_t t = c->tree[0].start;
	char text[64];

	if (at == NULL) {
		check_fault(c, P_CAUSES, c->line, "no rollout %s in the world", show(role(c, R_CAUSE), text));
		return;
	}
	r = &c->world->rollout[*at];
	if (name_key(c->world->release[r->release].id) != release)
		check_fault(c, P_CAUSES, c->line, "rollout %s is of another release", r->id);
	if (t < r->start || t >= r->end || (x->place >= 0 && r->place != x->place) || (x->service >= 0 && r->service != x->service))
		check_fault(c, P_CAUSES, c->line, "rollout %s was not then and there", r->id);
}

/* Which of the four sources it is; with the world also whether it was one then. */
static void
check_source(struct check *c, struct span *x)
{
	struct json_value v = role(c, R_SOURCE);
	char text[CHECK_WORD], shown[64];
	const uint64_t *service;
	uint64_t key;
	int causes = c->account[P_CAUSES].applies;

	check_count(c, P_SOURCES);
	if (causes)
		check_count(c, P_CAUSES);
	if (json_equals(v, "self")) {
		x->source = BY_SELF;
		if (causes && x->cause != 0)
			check_fault(c, P_CAUSES, c->line, "\"self\", and a cause");
	} else if (after(v, "infrastructure:", text) != 0) {
		x->source = BY_INCIDENT;
		if (causes)
			check_incident(c, x, text);
	} else if ((key = after(v, "deployment:", text)) != 0) {
		x->source = BY_ROLLOUT;
		if (causes)
			check_rollout(c, x, key);
	} else if ((key = after(v, "dependency:", text)) != 0) {
		x->source = BY_CALLEE;
		service = keys_find(&c->services, key);
		x->blamed = service == NULL ? -1 : (int)*service;
		if (service == NULL)
			check_fault(c, P_SOURCES, c->line, "no service %s", show(v, shown));
	} else {
		x->source = BY_UNKNOWN;
		check_fault(c, P_SOURCES, c->line, "%s is no source of a failure", show(v, shown));
	}
	if (c->at[R_UPSTREAM] >= 0 && (x->source == BY_CALLEE) != (x->upstream != 0))
		check_fault(c, P_SOURCES, c->line, "source %s, and upstream request %s", show(v, text), show(role(c, R_UPSTREAM), shown));
	c->by[x->source]++;
}

/* Does the catalog say itself at which levels the service logs? */
static int
has_levels(const struct catalog *c, int service)
{
	for (int i = 0; i < c->nlogs; i++)
		if (c->log[i].level != NULL && (c->log[i].op.service == service || c->log[i].op.service == -1 || service < 0))
			return 1;
	return 0;
}

/* 5xx and what infrastructure does are errors, other failures warnings, all else is information; in a blind layout the code decides. */
static void
check_level(struct check *c, const struct span *x)
{
	const char *want = "INFO";
	uint64_t http = 0;
	char text[64];

	if (c->at[R_LEVEL] < 0 || has_levels(c->cat, x->service))
		return;
	if (x->code >= 0)
		http = (uint64_t)c->cat->code[x->code].http;
	else if (json_u64(role(c, R_HTTP), &http) == -1 && x->failed)
		return;
	check_count(c, P_LEVELS);
	if (x->failed)
		want = http >= 500 || (x->source == BY_INCIDENT && !c->cat->layout[c->plan.layout].blind) ? "ERROR" : "WARN";
	if (!json_equals(role(c, R_LEVEL), want))
		check_fault(c, P_LEVELS, c->line, "%s where %s should be", show(role(c, R_LEVEL), text), want);
}

/* What tells of a failure is there when there is one, and only then. */
static void
check_outcome(struct check *c, const struct span *x)
{
	char text[64];

	if (!c->account[P_OUTCOMES].applies)
		return;
	check_count(c, P_OUTCOMES);
	for (int i = 0; i < c->nfields; i++)
		if (c->field[i].failure && json_is_null(c->v[i]) == x->failed)
			check_fault(c, P_OUTCOMES, c->line, "%s, and \"%s\" %s", x->failed ? "a failure" : "a success", c->field[i].name,
			    show(c->v[i], text));
	if (!x->failed && (x->upstream != 0 || x->cause != 0))
		check_fault(c, P_OUTCOMES, c->line, "a success, and a cause of failure");
	if (x->failed && x->code == -1 && c->at[R_CODE] >= 0 && !json_is_null(role(c, R_CODE)))
		check_fault(c, P_OUTCOMES, c->line, "no code %s in the catalog", show(role(c, R_CODE), text));
}

void
cause_check(struct check *c, struct span *x)
{
	x->code = names_code(c, x);
	check_outcome(c, x);
	if (x->failed && !json_is_null(role(c, R_SOURCE)))
		check_source(c, x);
	check_level(c, x);
}
