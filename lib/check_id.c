/*
 * Ids. With the world they are decoded to the names of requests and spans. A request is met once if its session's bit for it is; sessions
 * of a class begin in the order of their numbers and last 30 minutes at most, so only those of the last half hour need be known.
 */
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "mix.h"
#include "render.h"

#define CLASS_OF(k) ((int)((k) >> 42))

/* Can the ids of this form be turned back into what they were made of? */
static int
decodes(const struct check *c, const char *id)
{
	int i = catalog_id(c->cat, id, strlen(id));
	const struct catalog_text *t = i < 0 ? NULL : &c->cat->id[i].form;

	if (c->plan.sim == NULL || t == NULL || t->n < 1 || t->n > 2 || (t->n == 2 && t->piece[0].src != SRC_NONE))
		return 0;
	return t->piece[t->n - 1].src == SRC_UUID ||
	    (t->piece[t->n - 1].src == SRC_HEX && (t->piece[t->n - 1].arg == 16 || t->piece[t->n - 1].arg == 32));
}

int
ids_open(struct check *c)
{
	c->opaque_span = c->at[R_SPAN] >= 0 && !decodes(c, "span_id");
	c->opaque_request = c->at[R_REQUEST] >= 0 && !decodes(c, "request_id");
	c->ids.max = CHECK_SET_MAX / 64; /* with room to grow: two tables of two words, half full */
	return 0;
}

void
ids_free(struct check *c)
{
	free(c->running);
	keys_free(&c->ids);
}

/* The first 16 hexadecimal digits behind what is literal, dashes left out. */
static int
open_word(struct json_value v, uint64_t *x)
{
	const char *end = v.p + v.n - 1, *p = end;
	int digits = 0;

	/* The last 32 or 16 digits are the id; what comes before them is literal. */
	while (p > v.p + 1 && (strchr("0123456789abcdef-", p[-1]) != NULL && p[-1] != '\0'))
		p--;
	for (const char *q = p; q < end; q++)
		digits += *q != '-';
	for (; digits > 32 || (digits > 16 && digits < 32); digits--, p++)
		while (*p == '-')
			p++;
	if (digits != 16 && digits != 32)
		return -1;
	*x = 0;
	for (int n = 0; n < 16; p++) {
		if (*p == '-')
			continue;
		*x = *x << 4 | (uint64_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
		n++;
	}
	return 0;
}

/* A uuid has six bits of its own among those of the first word. */
static int
open_uuid(struct json_value v, uint64_t *x)
{
	uint64_t low = 0;

	if (v.n < 38 || open_word((struct json_value){ v.p + v.n - 38, 38 }, x) == -1)
		return -1;
	for (const char *p = v.p + v.n - 18; p < v.p + v.n - 14; p++)
		low = low << 4 | (uint64_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
	/* Behind the version stand 12 bits, behind the variant the last 4. */
	*x = (*x & ~0xffffULL) | (*x & 0xfffULL) << 4 | (low >> 10 & 0xf);
	return 0;
}

static int
open_name(const struct check *c, const char *id, struct mix_id key, struct json_value v, uint64_t *name)
{
	const struct catalog_text *t = &c->cat->id[catalog_id(c->cat, id, strlen(id))].form;
	uint64_t x;

	if (!json_is_string(v) || (t->piece[t->n - 1].src == SRC_UUID ? open_uuid(v, &x) : open_word(v, &x)) == -1)
		return -1;
	*name = mix_open(key, x);
	return 0;
}

/* Sessions that can have no more requests are forgotten. */
static void
sweep(struct check *c, int64_t now)
{
	struct running *old = c->running;
	size_t size = c->maxrunning, alive = 0;

	for (size_t i = 0; i < size; i++)
		alive += old[i].met != 0 && (c->plan.unordered || old[i].seen + SIM_SESSION_MAX >= now);
	while (c->maxrunning < 1024 || alive * 4 > c->maxrunning)
		c->maxrunning = c->maxrunning == 0 ? 1024 : c->maxrunning * 2;
	if ((c->running = calloc(c->maxrunning, sizeof(*c->running))) == NULL) {
		c->running = old;
		c->maxrunning = size;
		c->ids.full = 1;
		return;
	}
	c->nrunning = 0;
	for (size_t i = 0; i < size; i++) {
		size_t at;

		if (old[i].met == 0)
			continue;
		if (!c->plan.unordered && old[i].seen + SIM_SESSION_MAX < now) {
			uint64_t *over = &c->over[old[i].session >> 36 & 63], ordinal = old[i].session & ((1ULL << 36) - 1);

			*over = ordinal + 1 > *over ? ordinal + 1 : *over;
			continue;
		}
		for (at = mix(old[i].session) & (c->maxrunning - 1); c->running[at].met != 0;)
			at = (at + 1) & (c->maxrunning - 1);
		c->running[at] = old[i];
		c->nrunning++;
	}
	free(old);
}

/* A request that was not met before? */
static void
check_request(struct check *c, uint64_t k, int64_t now)
{
	uint64_t session = k >> 6, bit = 1ULL << (k & 63);
	size_t at;

	if (c->nrunning * 2 >= c->maxrunning) {
		if (c->maxrunning * sizeof(*c->running) * 2 > CHECK_SET_MAX && c->plan.unordered) {
			c->ids.full = 1;
			return;
		}
		sweep(c, now);
	}
	for (at = mix(session) & (c->maxrunning - 1); c->running[at].met != 0; at = (at + 1) & (c->maxrunning - 1))
		if (c->running[at].session == session) {
			if (c->running[at].met & bit)
				check_fault(c, P_IDS, c->line, "a second tree of this trace id");
			c->running[at].met |= bit;
			return;
		}
	if (!c->plan.unordered && (session & ((1ULL << 36) - 1)) < c->over[session >> 36 & 63]) {
		check_fault(c, P_IDS, c->line, "a trace id whose session was over half an hour ago");
		return;
	}
	if (c->nrunning + 1 < c->maxrunning) {
		c->running[at] = (struct running){ session, bit, now };
		c->nrunning++;
	}
}

/* An id that cannot be decoded: as a fingerprint, of its role. */
static void
check_opaque(struct check *c, uint64_t key, enum role r)
{
	char text[64];
	int fresh;

	if (keys_put(&c->ids, mix(key + (uint64_t)r), &fresh) != NULL && !fresh)
		check_fault(c, P_IDS, c->line, "\"%s\" %s twice", c->field[c->at[r]].name, show(role(c, r), text));
}

/* An id that is that of a span of request k. */
static void
check_decoded(struct check *c, uint64_t k, enum role r)
{
	const struct sim *s = c->plan.sim;
	uint64_t name;
	char text[64];

	if (open_name(c, r == R_SPAN ? "span_id" : "request_id", r == R_SPAN ? s->id_span : s->id_request, role(c, r), &name) == -1 ||
	    name >> 16 != k || (name & 0xffff) == SIM_SLOTS)
		check_fault(c, P_IDS, c->line, "\"%s\" %s is not of this request", c->field[c->at[r]].name, show(role(c, r), text));
}

void
ids_check(struct check *c, const struct span *x, int first)
{
	struct json_value trace = role(c, R_TRACE);
	uint64_t k = 0;
	int decoded = 0, status;
	char text[64];

	check_count(c, P_IDS);
	if (c->at[R_TRACE] >= 0 && c->plan.sim != NULL && c->plan.sim->trace_form >= 0) {
		status = json_is_string(trace) ? render_trace(c->plan.sim, trace.p + 1, trace.n - 2, &k) : -1;
		/* Nothing else tells the record of a rollout when the layout has no actions. */
		if (status == 0 && CLASS_OF(k) == SIM_CLASS_EVENT && c->at[R_ACTION] < 0) {
			check_opaque(c, value_key(trace), R_TRACE);
			return;
		}
		if (status == 0 && CLASS_OF(k) >= SIM_CLASS_EVENT)
			status = -2;
		if (status != 0)
			check_fault(c, P_IDS, c->line, "\"%s\" %s is %s", c->field[c->at[R_TRACE]].name, show(trace, text),
			    status == -1 ? "no trace id" : "of another world");
		decoded = status == 0;
	}
	if (first && decoded)
		check_request(c, k, x->start);
	else if (first && c->at[R_TRACE] >= 0)
		check_opaque(c, value_key(trace), R_TRACE);
	for (int i = 0; i < 2; i++) {
		enum role r = i == 0 ? R_SPAN : R_REQUEST;
		uint64_t key = i == 0 ? x->id : x->request;

		if (c->at[r] < 0 || key == 0)
			continue;
		if (decoded && !(i == 0 ? c->opaque_span : c->opaque_request))
			check_decoded(c, k, r);
		else
			check_opaque(c, key, r);
	}
}
