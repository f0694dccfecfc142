#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "num.h"
#include "render_impl.h"

int
render_format(const char *name)
{
	if (strcmp(name, "json") == 0)
		return RENDER_JSON;
	if (strcmp(name, "csv") == 0)
		return RENDER_CSV;
	return strcmp(name, "tsv") == 0 ? RENDER_TSV : -1;
}

/* The values that most lines have, without the detour. */
static inline char *
quick_value(struct render *d, const struct step *s, const struct context *c, char *to)
{
	const struct sim_span *x = c->x;

	switch ((enum catalog_source)s->source) {
	case SRC_SPAN_TIME:
		return render_time(d, to, x->start, s->arg);
	case SRC_LOG_TIME:
		return render_time(d, to, c->time, s->arg);
	case SRC_REQUEST_ID:
		return render_root_id(d, to, c->r);
	case SRC_PLACE_ID:
		return put_word(to, d->place[c->place]);
	case SRC_LOG_HOST:
		return put_word(to, c->host->name);
	case SRC_LOG_SPAN:
		return render_span_id(d, to, c->r, c->writer);
	case SRC_SPAN_REQUEST:
		return render_request_id(d, to, c->r, c->name);
	case SRC_SPAN_ID:
		return render_span_id(d, to, c->r, c->name);
	case SRC_RELEASE_ID:
		return x->release >= 0 ? put_release(to, d->release[x->release]) : NULL;
	case SRC_PERSONA_ID:
		return put_word(to, d->persona[c->r->persona]);
	case SRC_SPAN_DURATION:
		return put_ms(to, x->length, s->places);
	case SRC_SPAN_REQUEST_BYTES:
		return put_u64(to, x->request);
	case SRC_SPAN_RESPONSE_BYTES:
		return put_u64(to, x->response);
	case SRC_SPAN_DB:
		return put_u64(to, x->queries);
	case SRC_TRACE_ID:
		return render_trace_id(d, to, c->r->k, c->r->time);
	case SRC_SPAN_PARENT:
		return x->parent >= 0 ? render_span_id(d, to, c->r, sim_slot(c->r->k, c->r->plan, c->r->span[x->parent].node)) : NULL;
	case SRC_USER_ID:
		return render_who(d, to, c);
	case SRC_TARGET_ID:
		return c->r->has_target ? render_value(d, s, c, to) : NULL;
	case SRC_SPAN_CACHE:
		if (x->cache < 0)
			return NULL;
		memcpy(to, x->cache ? "true " : "false", 5);
		return to + 5 - x->cache;
	default:
		return render_value(d, s, c, to);
	}
}

/* Past eight bytes at a time that have nothing up to the comma in them. */
static char *
skip_high(char *p, const char *to)
{
	static const uint64_t ones = 0x0101010101010101ULL;
	uint64_t x;

	for (; to - p >= 8; p += 8) {
		memcpy(&x, p, 8);
		if (((x - ones * (',' + 1)) & ~x & ones << 7) != 0)
			break;
	}
	return p;
}

/* CSV: quotes around what has a comma, a quote or a line break; TSV: \t, \n, \\ for what would break the line. From the back, in place. */
char *
render_guard(enum render_format format, char *from, char *to)
{
	static const uint8_t guarded[256] = {
		['\n'] = 3, ['\r'] = 3, [','] = 1, ['"'] = 1, ['\t'] = 2, ['\\'] = 2
	}; /* 1: in CSV, 2: in TSV */
	int csv = format == RENDER_CSV, any = 0;
	char *p = csv ? skip_high(from, to) : from, *q, *end;

	for (; p < to; p++)
		any |= guarded[(unsigned char)*p];
	if ((any & (csv ? 1 : 2)) == 0)
		return to;
	for (p = from, end = to; p < to; p++)
		end += csv ? *p == '"' : (guarded[(unsigned char)*p] & 2) != 0;
	end += 2 * csv;
	q = end;
	if (csv)
		*--q = '"';
	while (p > from) {
		char x = *--p;
		const char *at = csv ? NULL : strchr("\tt\nn\rr\\\\", x);
		int letter = at != NULL && x != '\0' && (x < ' ' || x == '\\');

		*--q = letter ? at[1] : x;
		if (letter)
			*--q = '\\';
		else if (csv && x == '"')
			*--q = '"';
	}
	if (csv)
		*--q = '"';
	return end;
}

static char *
run_json(struct render *d, const struct program *p, const struct context *c, char *to)
{
	const struct step *s = p->step, *last = s + p->n;

	while (s < last) {
		char *end;

		memcpy(to, s->word.p, PAD);
		if (s->word.n > PAD)
			memcpy(to + PAD, s->word.p + PAD, s->word.n - PAD);
		to += s->word.n;
		switch ((enum step_kind)s->kind) {
		case STEP_VALUE:
			*to = '"';
			end = c->rollout == NULL && c->thing == NULL ? quick_value(d, s, c, to + s->quote)
								     : render_value(d, s, c, to + s->quote);
			if (end == NULL) {
				memcpy(to, "null", 4);
				to += s->bare * 4;
			} else {
				*end = '"';
				to = end + s->quote;
			}
			break;
		case STEP_UNLESS:
			if (!render_holds(d, s->when, c)) {
				s = p->step + s->arg;
				continue;
			}
			break;
		case STEP_GOTO:
			s = p->step + s->arg;
			continue;
		case STEP_TEXT:
		case STEP_FIELD:
			break;
		}
		s++;
	}
	return to;
}

/* CSV and TSV: each field is guarded when it ends. */
static char *
run_fields(struct render *d, const struct program *p, const struct context *c, char *to)
{
	char *field = to, *end;

	for (int i = 0; i < p->n; i++) {
		const struct step *s = &p->step[i];

		memcpy(to, s->word.p, PAD);
		if (s->word.n > PAD)
			memcpy(to + PAD, s->word.p + PAD, s->word.n - PAD);
		to += s->word.n;
		switch ((enum step_kind)s->kind) {
		case STEP_FIELD:
			to = s->tame ? to : render_guard(d->format, field, to);
			*to++ = d->format == RENDER_CSV ? ',' : '\t';
			field = to;
			break;
		case STEP_VALUE:
			end = c->rollout == NULL && c->thing == NULL ? quick_value(d, s, c, to) : render_value(d, s, c, to);
			to = end == NULL ? to : end;
			break;
		case STEP_UNLESS:
			if (!render_holds(d, s->when, c))
				i = s->arg - 1;
			break;
		case STEP_GOTO:
			i = s->arg - 1;
			break;
		case STEP_TEXT:
			break;
		}
	}
	to = p->tame ? to : render_guard(d->format, field, to);
	*to++ = '\n';
	return to;
}

char *
render_run(struct render *d, const struct program *p, const struct context *c, char *to)
{
	return d->format == RENDER_JSON ? run_json(d, p, c, to) : run_fields(d, p, c, to);
}

int
render_is_left_out(struct render *d, const struct context *c)
{
	for (int i = 0; d->partial && i < d->layout->n; i++)
		if (strcmp(d->layout->field[i].name, "*") == 0 && !render_holds(d, &d->layout->field[i].when, c))
			return 1;
	return 0;
}

char *
render_names(const struct catalog_layout *l, enum render_format format, char *to)
{
	int first = 1;

	if (format == RENDER_JSON)
		return to;
	for (int i = 0; i < l->n; i++) {
		char *from;

		if (strcmp(l->field[i].name, "*") == 0 || (i > 0 && strcmp(l->field[i].name, l->field[i - 1].name) == 0))
			continue;
		if (!first)
			*to++ = format == RENDER_CSV ? ',' : '\t';
		first = 0;
		from = to;
		memcpy(to, l->field[i].name, strlen(l->field[i].name));
		to = render_guard(format, from, to + strlen(l->field[i].name));
	}
	*to++ = '\n';
	return to;
}

char *
render_head(const struct render *d, char *to)
{
	return render_names(d->layout, d->format, to);
}

char *
render_span(struct render *d, char *to, const struct sim_request *r, uint32_t span, const struct render_given *given)
{
	const struct sim_span *x = &r->span[span];
	int failed = x->source != SIM_SUCCESS;
	struct program *p = &d->program[x->node->op * 2 + (uint32_t)failed];
	struct context c = { .r = r,
		.x = x,
		.op = &d->s->op[x->node->op],
		.given = given,
		.name = sim_slot(r->k, r->plan, x->node),
		.time = x->start,
		.place = x->place };

	if (p->step == NULL && render_compile(d, p, &(struct example){ .op = c.op, .failed = failed }) != 0)
		return NULL;
	if (render_is_left_out(d, &c))
		return to;
	return render_run(d, p, &c, to);
}

static struct context
root_context(const struct render *d, const struct sim_request *r, const struct render_given *given)
{
	return (struct context){ .r = r,
		.x = r->span,
		.op = &d->s->op[r->span->node->op],
		.given = given,
		.name = r->k << 16,
		.time = r->time,
		.place = r->span->place };
}

int
render_root_holds(struct render *d, const struct catalog_cond *when, const struct sim_request *r)
{
	struct context c = root_context(d, r, NULL);

	return render_holds(d, when, &c);
}

char *
render_ticket(struct render *d, char *to, const struct sim_request *r, const struct render_ticket *t, const struct render_given *given)
{
	struct context c = root_context(d, r, given);
	int failed = render_failed(&c);
	struct program *p = &d->program[r->span->node->op * 2 + (uint32_t)failed];

	c.ticket = t;
	c.time = t->time;
	if (p->step == NULL && render_compile(d, p, &(struct example){ .op = c.op, .failed = failed }) != 0)
		return NULL;
	return render_is_left_out(d, &c) ? to : render_run(d, p, &c, to);
}

/*
 * Ids of rollout records: class 63, then service, place, build number and phase, so that no request has them and none depends on another
 * rollout.
 */
static uint64_t
rollout_name(const struct render *d, const struct world_rollout *w, int end)
{
	uint64_t number = d->s->w->release[w->release].number & 0x3fffff;

	return (uint64_t)SIM_CLASS_EVENT << 42 | ((uint64_t)w->service & 0x3ff) << 31 | ((uint64_t)w->place & 0xff) << 23 | number << 1 |
	    (uint64_t)end;
}

char *
render_rollout(struct render *d, char *to, int rollout, int end)
{
	const struct world_rollout *w = &d->s->w->rollout[rollout];
	int row = end ? d->c->set.rollout_end : d->c->set.rollout_start, at = w->service * 2 + end;
	struct sim_op *op = &d->event[at];
	struct program *p = &d->program[(d->s->nops + at) * 2];
	struct sim_request r = { .k = rollout_name(d, w, end), .number = rollout_name(d, w, end), .time = end ? w->end : w->start };
	struct sim_span x = { .origin = -1, .blamed = -1, .parent = -1, .code = -1, .release = w->release };
	struct context c = { .r = &r, .x = &x, .op = op, .rollout = w, .name = r.k << 16, .time = r.time, .place = w->place };

	if (row < 0)
		return to;
	r.span = &x;
	r.nspans = 1;
	if (p->step == NULL) {
		*op = (struct sim_op){ .service = w->service,
			.row = row,
			.name = d->c->op[row].name,
			.category = d->c->op[row].category,
			.type = d->c->op[row].type };
		if (render_compile(d, p, &(struct example){ .op = op, .rollout = w }) != 0)
			return NULL;
	}
	return render_is_left_out(d, &c) ? to : render_run(d, p, &c, to);
}

size_t
render_most(const struct render *d)
{
	return d->most;
}

const char *
render_key(const struct catalog *c, int layout, enum catalog_source source)
{
	const struct catalog_layout *l = &c->layout[layout];

	for (int i = 0; i < l->n; i++)
		if (l->field[i].value.n == 1 && l->field[i].value.piece[0].src == source)
			return l->field[i].name;
	return NULL;
}

static int
take_hex(const char *p, int n, uint64_t *x)
{
	static const uint8_t value[256] = { ['0'] = 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, ['a'] = 26, 27, 28, 29, 30, 31 };
	uint64_t y = 0;
	unsigned bad = 0;

	for (int i = 0; i < n; i++) {
		unsigned v = value[(unsigned char)p[i]]; /* 16 more, so that nothing is 0 */

		bad |= v < 16;
		y = y << 4 | (v & 15);
	}
	*x = y;
	return bad != 0 ? -1 : 0;
}

int
render_trace(const struct sim *s, const char *text, size_t n, uint64_t *k)
{
	const struct catalog_text *form = s->trace_form < 0 ? NULL : &s->c->id[s->trace_form].form;
	uint64_t id[2] = { 0, 0 };
	int digits_read = 0;

	for (int i = 0; form != NULL && i < form->n; i++) {
		const struct catalog_piece *p = &form->piece[i];
		size_t len = p->src == SRC_HEX ? (size_t)p->arg : p->text != NULL ? strlen(p->text) : 0;

		if (len == 0 || len > n)
			return -1;
		if (p->src != SRC_HEX && memcmp(text, p->text, len) != 0)
			return -1;
		if (p->src == SRC_HEX) {
			digits_read = p->arg;
			if (take_hex(text, p->arg > 16 ? 16 : p->arg, &id[0]) != 0 ||
			    (p->arg == 32 && take_hex(text + 16, 16, &id[1]) != 0))
				return -1;
		}
		text += len;
		n -= len;
	}
	if (n != 0)
		return -1;
	switch (digits_read) {
	case 32:
		return sim_trace_open(s, id, k) == 0 ? 0 : -2;
	case 16:
		*k = mix_open(s->id_trace, id[0]);
		return *k >> 48 == 0 ? 0 : -2;
	case 12:
		*k = mix_open48(s->id_trace, id[0]);
		return 0;
	default:
		return -1;
	}
}
