/* What each source of a template says of a span. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "num.h"
#include "render_impl.h"

static const struct sim_span *
origin(const struct context *c)
{
	return c->x->origin >= 0 ? &c->r->span[c->x->origin] : c->x;
}

static const char *
error_type(const struct render *d, const struct sim_span *x)
{
	const char *type = x->source == SIM_INFRASTRUCTURE ? d->s->w->incident[x->cause].type : NULL;

	return type != NULL && *type != '\0' ? type : d->c->code[x->code].type;
}

/* The wording of a failure where it began. */
static const char *
own_message(const struct render *d, const struct sim_span *x)
{
	const char *text = x->source == SIM_INFRASTRUCTURE ? d->s->w->incident[x->cause].message : NULL;

	return text != NULL && *text != '\0' ? text : d->c->code[x->code].message;
}

static char *
put_error_message(struct render *d, char *to, const struct context *c)
{
	const struct catalog_text *t = &d->c->set.cascade_message;

	if (c->x->source != SIM_DEPENDENCY)
		return render_text(d, to, own_message(d, c->x));
	for (int i = 0; i < t->n; i++) {
		if (t->piece[i].src == SRC_CAUSE_SERVICE)
			to = put_word(to, d->service[d->s->op[c->r->span[c->x->blamed].node->op].service]);
		else if (t->piece[i].src == SRC_CAUSE_MESSAGE)
			to = render_text(d, to, own_message(d, origin(c)));
		else
			to = render_text(d, to, t->piece[i].text);
	}
	return to;
}

static char *
put_error_source(struct render *d, char *to, const struct sim_request *r, const struct sim_span *x)
{
	switch ((enum sim_source)x->source) {
	case SIM_INFRASTRUCTURE:
		to = render_text(d, to, "infrastructure:");
		return render_text(d, to, d->s->w->incident[x->cause].component);
	case SIM_DEPENDENCY:
		to = render_text(d, to, "dependency:");
		return put_word(to, d->service[d->s->op[r->span[x->blamed].node->op].service]);
	case SIM_DEPLOYMENT:
		to = render_text(d, to, "deployment:");
		return put_release(to, d->release[d->s->w->rollout[x->cause].release]);
	case SIM_SELF:
		return render_text(d, to, "self");
	case SIM_SUCCESS:
		break;
	}
	return NULL;
}

static char *
put_cause(struct render *d, char *to, const struct context *c)
{
	const struct sim_span *o = origin(c);

	if (c->x->source == SIM_SUCCESS || o->cause < 0)
		return NULL;
	if (o->source == SIM_INFRASTRUCTURE)
		return render_text(d, to, d->s->w->incident[o->cause].id);
	return render_text(d, to, d->s->w->rollout[o->cause].id);
}

/* By the code alone, so that it tells nothing of the cause: one of the wordings in words/CODE, by the span. */
static char *
put_status_message(struct render *d, char *to, const struct context *c)
{
	char name[64];
	int list;

	if (c->x->code < 0)
		return NULL;
	snprintf(name, sizeof(name), "words/%s", d->c->code[c->x->code].code);
	list = catalog_list(d->c, name, strlen(name));
	if (list >= 0)
		return render_pick(d, to, list, mix(sim_span_id(d->s, c->name)));
	return render_text(d, to, d->c->code[c->x->code].message);
}

static const char *
status_type(int http)
{
	if (http == 429)
		return "throttled";
	if (http == 504 || http == 408)
		return "timeout";
	return http >= 500 ? "server" : "client";
}

static int
status_http(const struct render *d, const struct sim_span *x)
{
	return x->code >= 0 ? d->c->code[x->code].http : d->plain >= 0 ? d->c->code[d->plain].http : 200;
}

static const char *
level(const struct render *d, const struct context *c, const struct catalog_log *row)
{
	int http = c->rollout != NULL ? 200 : status_http(d, c->x);

	/* How it will end is not known before. */
	if (row != NULL && row->at != AT_END)
		return "INFO";
	/* Where nothing may tell the cause, the code alone decides. */
	if (c->rollout == NULL && (http >= 500 || (c->x->source == SIM_INFRASTRUCTURE && !d->layout->blind)))
		return "ERROR";
	return http >= 400 ? "WARN" : "INFO";
}

int
render_failed(const struct context *c)
{
	return c->rollout == NULL && c->x->source != SIM_SUCCESS;
}

int
render_flag(const struct catalog_term *t, const struct context *c)
{
	switch (t->flag) {
	case FLAG_OK:
		return !render_failed(c);
	case FLAG_FAILED:
		return render_failed(c);
	case FLAG_READ:
		return !c->op->write;
	case FLAG_WRITE:
		return c->op->write;
	case FLAG_ROOT:
		return c->rollout != NULL || c->x->parent < 0;
	case FLAG_CHILD:
		return c->rollout == NULL && c->x->parent >= 0;
	case FLAG_RETRY:
		return c->rollout == NULL && c->x->node->attempt > 0;
	case FLAG_RETRIED: /* the next span of the same call is a later attempt */
		for (uint32_t i = (uint32_t)(c->x - c->r->span) + 1; c->rollout == NULL && i < c->r->nspans; i++)
			if (c->r->span[i].parent == c->x->parent && c->r->span[i].node->call == c->x->node->call &&
			    c->r->span[i].node->nth == c->x->node->nth)
				return 1;
		return 0;
	case FLAG_REMOTE:
		return c->rollout == NULL && c->place != c->r->place;
	case FLAG_EXEMPLAR:
	case FLAG_NONE:
		break;
	}
	return 0;
}

/* Sources of numbers that conditions ask for on every line: times in ms. 0, or -1 for the others. */
static int
number_of(struct render *d, const struct catalog_term *t, const struct context *c, double *x)
{
	const struct sim_span *remote;

	if (c->rollout != NULL)
		return -1;
	switch (t->src) {
	case SRC_SPAN_DURATION:
		*x = (double)c->x->length / 1000;
		return 0;
	case SRC_ROOT_DURATION:
		*x = (double)c->r->span[0].length / 1000;
		return 0;
	case SRC_ROOT_RETRIES:
		render_look(d, c->r);
		*x = d->retries;
		return 0;
	case SRC_REMOTE_DURATION:
		render_look(d, c->r);
		remote = d->remote < 0 ? NULL : &c->r->span[d->remote];
		*x = remote == NULL ? 0 : (double)remote->length / 1000;
		return remote == NULL ? -1 : 0;
	default:
		return -1;
	}
}

int
render_term(struct render *d, const struct catalog_term *t, const struct context *c)
{
	char buf[4096], *end;
	struct step p = { .source = (uint8_t)t->src, .arg = t->arg, .places = -1 };
	double x;
	int hit = 0;

	if (t->flag != FLAG_NONE)
		return render_flag(t, c) != t->negated;
	if ((t->relation == REL_GT || t->relation == REL_LT) && number_of(d, t, c, &x) == 0)
		return t->relation == REL_GT ? x > t->number : x < t->number;
	end = render_value(d, &p, c, buf);
	if (t->relation == REL_GT || t->relation == REL_LT)
		return end != NULL && num_decimal(buf, (size_t)(end - buf), &x) == 0 &&
		    (t->relation == REL_GT ? x > t->number : x < t->number);
	for (int i = 0; i < t->n && end != NULL; i++)
		hit |= strlen(t->value[i]) == (size_t)(end - buf) && memcmp(t->value[i], buf, (size_t)(end - buf)) == 0;
	if (t->n == 0)
		hit = end == NULL || end == buf;
	return hit == (t->relation == REL_EQ);
}

int
render_holds(struct render *d, const struct catalog_cond *when, const struct context *c)
{
	for (int i = 0; i < when->n; i++)
		if (!render_term(d, &when->term[i], c))
			return 0;
	return 1;
}

/* Of its line; of a span: of its last one. */
static const struct catalog_log *
row_of(struct render *d, const struct context *c)
{
	return c->line != NULL ? c->line->row->row : render_last_line(d, c);
}

static char *
put_message(struct render *d, char *to, const struct context *c)
{
	const struct catalog_log *l = row_of(d, c);

	if (l == NULL)
		return NULL;
	for (int i = 0; i < l->message.n; i++) {
		const struct catalog_piece *p = &l->message.piece[i];
		/* A blind layout's lines tell of an error what its code tells. */
		int src = p->src == SRC_ERROR_MESSAGE && d->layout->blind ? SRC_STATUS_MESSAGE : (int)p->src;
		struct step step = { .source = (uint8_t)src,
			.arg = p->arg,
			.places = (int16_t)p->places,
			.text = p->text,
			.dist = p->dist,
			.salt = (uint32_t)i };
		char *end = p->src == SRC_NONE ? render_text(d, to, p->text) : render_value(d, &step, c, to);

		to = end == NULL ? to : end;
	}
	return to;
}

/* The key of what is drawn for a record: each span, line and ticket has its own, and each field a word of it. */
static uint64_t
drawn(const struct render *d, const struct step *p, const struct context *c)
{
	uint64_t key;

	if (c->thing != NULL)
		key = mix_at(SIM_DRAW_RECORD, c->name);
	else if (c->rollout != NULL)
		key = mix(c->rollout->name);
	else
		key = mix_at(mix_at(c->r->key, SIM_DRAW_RECORD), c->name & 0xffff);
	if (c->line != NULL)
		key = mix_at(key, 1 + (uint64_t)(c->line->row->row - d->c->log));
	if (c->ticket != NULL)
		key = mix_at(key, ~c->ticket->number);
	return mix_at(key, (uint64_t)p->source << 32 | p->salt);
}

/* A number of at most three decimals. */
static char *
put_number(char *to, double x, int places)
{
	if (x < 0)
		*to++ = '-';
	return put_ms(to, (int64_t)((x < 0 ? -x : x) * 1000 + 0.5), places);
}

char *
render_drawn(struct render *d, char *to, const struct step *p, const struct context *c)
{
	uint64_t key = drawn(d, p, c), word = mix_at(key, 1);

	switch ((enum catalog_source)p->source) {
	case SRC_PICK:
		return render_pick(d, to, p->arg, key);
	case SRC_DRAW:
		return put_number(to, catalog_draw(p->dist, key), p->places);
	case SRC_HEX:
		for (int left = p->arg; left > 0; left -= 16, word = mix(word))
			to = put_hex(to, word, left > 16 ? 16 : left);
		return to;
	case SRC_DIGITS:
		for (int i = p->arg - 1; i >= 0; i--, word = (word << 32 | word >> 32) * MIX_G)
			to[i] = (char)('0' + mix_below((uint32_t)(word >> 32), 10));
		return to + p->arg;
	default: /* uuid */
		to = put_hex(to, key >> 32, 8);
		*to++ = '-';
		to = put_hex(to, key & 0xffff, 4);
		*to++ = '-';
		to = put_hex(to, 0x4000 | (word & 0xfff), 4);
		*to++ = '-';
		to = put_hex(to, 0x8000 | (word >> 12 & 0x3fff), 4);
		*to++ = '-';
		return put_hex(to, mix(word), 12);
	}
}

/* What a rollout's record says other than a span. */
static char *
rollout_value(struct render *d, const struct step *p, const struct context *c, char *to, int *done)
{
	const struct world_rollout *w = c->rollout;
	const char *missing;
	char buf[4096];
	int id;

	*done = 1;
	switch ((enum catalog_source)p->source) {
	case SRC_REQUEST_ID:
	case SRC_SPAN_REQUEST:
		return render_text(d, to, w->id);
	case SRC_USER_ID:
		return render_text(d, to, d->c->set.rollout_user);
	case SRC_OBJECT_ID:
		if (c->op->type < 0)
			return NULL;
		id = catalog_id(d->c, d->c->object[c->op->type], strlen(d->c->object[c->op->type]));
		if (id < 0 || catalog_expand(d->c, id, w->place, w->service, NULL, buf, sizeof(buf), &missing) < 0)
			return NULL;
		return render_text(d, to, buf);
	case SRC_STATUS_OK:
		memcpy(to, "true", 4);
		return to + 4;
	case SRC_RELEASE_ID:
		return put_release(to, d->release[w->release]);
	case SRC_RELEASE_NUMBER:
		return put_u64(to, d->s->w->release[w->release].number);
	case SRC_SPAN_TIME:
	case SRC_SPAN_END:
	case SRC_TRACE_ID:
	case SRC_SPAN_ID:
	case SRC_OBJECT_TYPE:
	case SRC_PLACE_ID:
	case SRC_PLACE_PART:
	case SRC_SERVICE_ID:
	case SRC_SERVICE_PART:
	case SRC_SERVICE_NAME:
	case SRC_SERVICE_GROUP:
	case SRC_HOST_ID:
	case SRC_OP_NAME:
	case SRC_OP_WRITE:
	case SRC_OP_CATEGORY:
	case SRC_LOG_LEVEL:
	case SRC_LOG_MESSAGE:
	case SRC_TIME:
	case SRC_PICK:
	case SRC_DRAW:
	case SRC_HEX:
	case SRC_DIGITS:
	case SRC_UUID:
	case SRC_CONST:
	case SRC_NONE:
		*done = 0;
		return NULL;
	default:
		return NULL;
	}
}

char *
render_who(struct render *d, char *to, const struct context *c)
{
	if (c->given != NULL && c->given->user.p != NULL)
		return render_taken(d, to, c->given->user);
	return render_user(d, to, c->r->user, c->r->time);
}

static const struct host *
host_of(const struct render *d, const struct context *c)
{
	return render_host(d, c, c->op->service, c->place);
}

static char *
put_skew(char *to, int64_t us, int places)
{
	if (us < 0)
		*to++ = '-';
	return put_ms(to, us < 0 ? -us : us, places);
}

/* What is known of the request as a whole, which was looked at. */
static char *
of_request(struct render *d, char *to, const struct step *p, const struct context *c)
{
	const struct sim_request *r = c->r;
	const struct sim_span *x = d->remote < 0 ? NULL : &r->span[d->remote], *root = r->span;

	switch ((enum catalog_source)p->source) {
	case SRC_ROOT_RETRIES:
		return put_u64(to, d->retries);
	case SRC_TRUTH_INCIDENTS:
		for (int i = 0; i < r->ntouched; i++) {
			if (i > 0)
				*to++ = '|';
			to = render_text(d, to, d->s->w->incident[r->touched[i]].id);
		}
		return r->ntouched > 0 ? to : NULL;
	case SRC_TRUTH_SOURCE:
		if (root->source == SIM_SUCCESS)
			return NULL;
		return put_error_source(d, to, r, root->origin >= 0 ? &r->span[root->origin] : root);
	default:
		break;
	}
	if (x == NULL)
		return NULL;
	switch ((enum catalog_source)p->source) {
	case SRC_REMOTE_LINK:
		return x->link >= 0 ? put_word(to, d->link[x->link]) : NULL;
	case SRC_REMOTE_PLACE:
		return put_word(to, d->place[x->place]);
	case SRC_REMOTE_SERVICE:
		return put_word(to, d->name[d->s->op[x->node->op].service]);
	default:
		return put_ms(to, x->length, p->places);
	}
}

/* The name of the service that a line is said to be of. */
static char *
put_line_service(struct render *d, char *to, const struct context *c)
{
	const struct catalog_log *row = c->line->row->row;
	const struct sim_op *op = c->op;

	if (row->by != NULL)
		return render_text(d, to, row->by);
	if (row->by_caller && c->x->parent >= 0)
		op = &d->s->op[c->r->span[c->x->parent].node->op];
	return put_word(to, d->name[op->service]);
}

static char *
of_ticket(struct render *d, char *to, const struct step *p, const struct context *c)
{
	static const char *const noise[] = { "clean", "missing", "fabricated", "wrong" };
	const struct render_ticket *t = c->ticket;
	struct sim_request named = { .k = t->k, .number = t->kth, .time = t->named };

	switch ((enum catalog_source)p->source) {
	case SRC_TICKET_ID:
		return render_ticket_id(d, to, c);
	case SRC_TICKET_REQUEST:
		return t->noise == NOISE_MISSING ? NULL : render_request_id(d, to, &named, t->k << 16);
	case SRC_TICKET_DELAY:
		return put_ms(to, t->delay / 60000, p->places);
	default:
		return render_text(d, to, noise[t->noise]);
	}
}

/* Raw text of a value (escaped for JSON, without quotes); the end, or NULL for null. */
char *
render_value(struct render *d, const struct step *p, const struct context *c, char *to)
{
	const struct sim_span *x = c->x;
	const struct sim_request *r = c->r;
	char *end;
	int done;

	if (c->thing != NULL)
		return render_thing_value(d, p, c, to);
	if (c->rollout != NULL) {
		end = rollout_value(d, p, c, to, &done);
		if (done)
			return end;
	}
	switch ((enum catalog_source)p->source) {
	case SRC_SPAN_TIME:
		return render_time(d, to, c->rollout != NULL ? c->time : x->start, p->arg);
	case SRC_SPAN_END:
		return render_time(d, to, c->rollout != NULL ? c->time : x->start + x->length, p->arg);
	case SRC_TIME:
		return render_time(d, to, c->time, p->arg);
	case SRC_REQUEST_ID:
		return render_root_id(d, to, r);
	case SRC_TRACE_ID:
		return render_trace_id(d, to, r->k, r->time);
	case SRC_USER_ID:
		return render_who(d, to, c);
	case SRC_PERSONA_ID:
		return put_word(to, d->persona[r->persona]);
	case SRC_PERSONA_CLASS:
		return put_word(to, d->class[r->persona]);
	case SRC_TARGET_ID:
		return r->has_target && x->parent < 0 ? render_user(d, to, r->target, c->time) : NULL;
	case SRC_OBJECT_TYPE:
		return c->op->type >= 0 ? render_text(d, to, d->c->object[c->op->type]) : NULL;
	case SRC_OBJECT_ID:
		if (x->parent >= 0 && c->op->object == OBJECT_NONE)
			return NULL;
		if (c->given != NULL && c->given->object.p != NULL)
			return render_taken(d, to, c->given->object);
		return r->has_object && c->op->type >= 0 ? render_object(d, to, c) : NULL;
	case SRC_ROOT_OPERATION:
		return put_word(to, d->op[r->plan->root]);
	case SRC_ROOT_CATEGORY:
		return render_text(d, to, d->c->op[r->plan->root].category);
	case SRC_ROOT_DURATION:
		return put_ms(to, r->span[0].length, p->places);
	case SRC_ROOT_RETRIES:
	case SRC_REMOTE_LINK:
	case SRC_REMOTE_PLACE:
	case SRC_REMOTE_SERVICE:
	case SRC_REMOTE_DURATION:
	case SRC_TRUTH_INCIDENTS:
	case SRC_TRUTH_SOURCE:
		render_look(d, r);
		return of_request(d, to, p, c);
	case SRC_PLACE_ID:
		return put_word(to, d->place[c->place]);
	case SRC_PLACE_PART:
		return render_text(d, to, d->c->place[c->place].part[p->arg]);
	case SRC_SERVICE_ID:
		return put_word(to, d->service[c->op->service]);
	case SRC_SERVICE_PART:
		return render_text(d, to, d->c->service[c->op->service].part[p->arg]);
	case SRC_SERVICE_NAME:
		return put_word(to, d->name[c->op->service]);
	case SRC_SERVICE_GROUP:
		return render_text(d, to, d->c->service[c->op->service].group);
	case SRC_HOST_ID:
		return put_word(to, host_of(d, c)->name);
	case SRC_RELEASE_ID:
		return x->release >= 0 ? put_release(to, d->release[x->release]) : NULL;
	case SRC_RELEASE_NUMBER:
		return x->release >= 0 ? put_u64(to, d->s->w->release[x->release].number) : NULL;
	case SRC_SPAN_ID:
		return render_span_id(d, to, r, c->name);
	case SRC_SPAN_PARENT:
		return x->parent >= 0 ? render_span_id(d, to, r, sim_slot(r->k, r->plan, r->span[x->parent].node)) : NULL;
	case SRC_SPAN_REQUEST:
		return render_request_id(d, to, r, c->name);
	case SRC_SPAN_KIND:
		return render_text(d, to, x->node->stage == STAGE_ASYNC ? "consumer" : "server");
	case SRC_SPAN_ATTEMPT:
		return put_u64(to, x->node->attempt + 1U);
	case SRC_SPAN_DURATION:
		return put_ms(to, x->length, p->places);
	case SRC_SPAN_REQUEST_BYTES:
		return put_u64(to, x->request);
	case SRC_SPAN_RESPONSE_BYTES:
		return put_u64(to, x->response);
	case SRC_SPAN_DB:
		return put_u64(to, x->queries);
	case SRC_SPAN_CACHE:
		if (x->cache < 0)
			return NULL;
		memcpy(to, x->cache ? "true " : "false", 5);
		return to + 5 - x->cache;
	case SRC_CALL_LINK:
		return x->link >= 0 ? put_word(to, d->link[x->link]) : NULL;
	case SRC_CALL_PLACE:
		return x->parent >= 0 ? put_word(to, d->place[r->span[x->parent].place]) : NULL;
	case SRC_OP_NAME:
		return render_text(d, to, c->op->name);
	case SRC_OP_WRITE:
		return render_text(d, to, c->op->write ? "true" : "false");
	case SRC_OP_CATEGORY:
		return render_text(d, to, c->op->category);
	case SRC_STATUS_OK:
		return render_text(d, to, render_failed(c) ? "false" : "true");
	case SRC_STATUS_CODE:
		return render_text(d, to, x->code >= 0 ? d->c->code[x->code].code : d->plain >= 0 ? d->c->code[d->plain].code : "200");
	case SRC_STATUS_HTTP:
		return put_u64(to, (uint64_t)status_http(d, x));
	case SRC_STATUS_MESSAGE:
		return render_failed(c) ? put_status_message(d, to, c) : NULL;
	case SRC_STATUS_TYPE:
		return render_failed(c) ? render_text(d, to, status_type(status_http(d, x))) : NULL;
	case SRC_ERROR_CODE:
		return render_failed(c) ? render_text(d, to, d->c->code[x->code].code) : NULL;
	case SRC_ERROR_TYPE:
		return render_failed(c) ? render_text(d, to, error_type(d, origin(c))) : NULL;
	case SRC_ERROR_MESSAGE:
		return render_failed(c) ? put_error_message(d, to, c) : NULL;
	case SRC_ERROR_SOURCE:
		return render_failed(c) ? put_error_source(d, to, r, x) : NULL;
	case SRC_ERROR_REQUEST:
		return render_failed(c) && x->blamed >= 0 ? render_request_id(d, to, r, sim_slot(r->k, r->plan, r->span[x->blamed].node))
							  : NULL;
	case SRC_ERROR_CAUSE:
		return put_cause(d, to, c);
	case SRC_LOG_LEVEL: {
		const struct catalog_log *l = row_of(d, c);

		return render_text(d, to, l != NULL && l->level != NULL ? l->level : level(d, c, l));
	}
	case SRC_LOG_MESSAGE:
		return put_message(d, to, c);
	case SRC_LOG_TIME:
	case SRC_TICKET_TIME:
		return render_time(d, to, c->time, p->arg);
	case SRC_LOG_EVENT:
		return *c->line->row->row->event == '\0' ? NULL : render_text(d, to, c->line->row->row->event);
	case SRC_LOG_SERVICE:
		return put_line_service(d, to, c);
	case SRC_LOG_HOST:
		return put_word(to, c->host->name);
	case SRC_LOG_SPAN:
		return render_span_id(d, to, r, c->writer);
	case SRC_TICKET_ID:
	case SRC_TICKET_REQUEST:
	case SRC_TICKET_DELAY:
	case SRC_TRUTH_NOISE:
		return of_ticket(d, to, p, c);
	case SRC_TRUTH_SKEW:
		return put_skew(to, render_skew(d, r, c->line != NULL ? c->host : host_of(d, c)), p->places);
	case SRC_PICK:
	case SRC_DRAW:
	case SRC_HEX:
	case SRC_DIGITS:
	case SRC_UUID:
		return render_drawn(d, to, p, c);
	case SRC_CONST:
	case SRC_NONE:
		return render_text(d, to, p->text);
	default:
		return NULL;
	}
}
