#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "num.h"
#include "render.h"

#define PAD 32       /* literals are copied in pieces of this size */
#define GENERATED 64 /* longest piece of a generated id */

/* Text that is ready to be written. */
struct word {
	const char *p;
	uint32_t n;
};

enum step_kind { STEP_VALUE, STEP_TEXT, STEP_UNLESS, STEP_GOTO, STEP_FIELD };

/* Literal text, and then what the kind says. */
struct step {
	struct word word;
	uint8_t kind;
	uint8_t quote;  /* in quotes unless null */
	uint8_t bare;   /* alone in its field: null where there is nothing */
	uint8_t source; /* enum catalog_source */
	int16_t places;
	int32_t arg;                     /* of the source; where to go on for STEP_UNLESS and STEP_GOTO */
	const char *text;                /* of a constant */
	const struct catalog_cond *when; /* STEP_UNLESS: go on at arg unless it holds */
};

struct program {
	int n;
	struct step *step;
};

/* A generated id. */
struct form {
	const struct catalog_text *text;
	struct mix_id id;
	struct word before; /* literal, then `hex` digits and nothing else; hex 0: put together piece by piece */
	int hex;
};

struct render {
	const struct sim *s;
	const struct catalog *c;
	const struct catalog_layout *layout;
	enum render_format format;
	struct program *program; /* [operations + 2 * services][failed] */
	struct sim_op *event;    /* [2 * services]: rollout start and end */
	struct form request, trace, span, user, *object;
	struct word *release, *place, *service, *persona, *class;
	int partial;     /* the layout leaves records out */
	int plain;       /* code of a success that is nothing special: the first below 400; -1: 200 */
	uint64_t traced; /* request of which trace_text is the id */
	size_t trace_n;
	char trace_text[256];
	char *arena;
	size_t arena_n, arena_size;
	void **block;
	int nblocks;
	int64_t second; /* of what prefix says */
	char prefix[PAD];
	size_t most, longest;
};

/* What is being written. */
struct context {
	const struct sim_request *r;
	const struct sim_span *x;
	const struct sim_op *op;
	const struct render_given *given;
	const struct world_rollout *rollout; /* a rollout's record, not a span's */
	uint64_t name;                       /* of the span */
	int64_t time;
	int place;
};

static char *value(struct render *, const struct step *, const struct context *, char *);

int
render_format(const char *name)
{
	if (strcmp(name, "json") == 0)
		return RENDER_JSON;
	if (strcmp(name, "csv") == 0)
		return RENDER_CSV;
	return strcmp(name, "tsv") == 0 ? RENDER_TSV : -1;
}

/* Room that lives as long as the renderer, with a pad behind it. */
static char *
keep(struct render *d, size_t n)
{
	char *p;

	if (d->arena == NULL || d->arena_size - d->arena_n < n + PAD) {
		size_t size = n + PAD > 1 << 16 ? n + PAD : 1 << 16;
		void **more = reallocarray(d->block, (size_t)d->nblocks + 1, sizeof(*more));

		if (more == NULL)
			return NULL;
		d->block = more;
		d->arena = calloc(size, 1);
		if (d->arena == NULL)
			return NULL;
		d->block[d->nblocks++] = d->arena;
		d->arena_n = 0;
		d->arena_size = size;
	}
	p = d->arena + d->arena_n;
	d->arena_n += n + PAD;
	return p;
}

/* Text as it stands inside a field of the format, without quotes around it. */
static int
set_word(struct render *d, struct word *w, const char *text)
{
	size_t n = text == NULL ? 0 : strlen(text);
	char *to, *end;

	w->p = "";
	w->n = 0;
	if (text == NULL)
		return 0;
	to = keep(d, JSON_QUOTED(n));
	if (to == NULL)
		return -1;
	if (d->format == RENDER_JSON) {
		end = json_quote(to, text, n);
		w->p = to + 1;
		w->n = (uint32_t)(end - to - 2);
	} else {
		memcpy(to, text, n);
		w->p = to;
		w->n = (uint32_t)n;
	}
	return 0;
}

static char *
put_word(char *to, struct word w)
{
	memcpy(to, w.p, w.n);
	return to + w.n;
}

static char *
put_text(const struct render *d, char *to, const char *text)
{
	size_t n = strlen(text);
	char *end;

	if (d->format != RENDER_JSON) {
		memcpy(to, text, n);
		return to + n;
	}
	end = json_quote(to, text, n);
	memmove(to, to + 1, (size_t)(end - to - 2));
	return end - 2;
}

static const char digits[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
			     "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

static const char hexes[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
			    "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
			    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
			    "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
			    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
			    "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

static inline char *
put_u64(char *to, uint64_t x)
{
	char buf[40];
	int n = 20;

	if (x < 10) {
		*to = (char)('0' + x);
		return to + 1;
	}
	for (; x >= 100; x /= 100)
		memcpy(buf + (n -= 2), digits + 2 * (x % 100), 2);
	if (x >= 10)
		memcpy(buf + (n -= 2), digits + 2 * x, 2);
	else
		buf[--n] = (char)('0' + x);
	memcpy(to, buf + n, 20); /* one length, whatever n; what is behind is written over */
	return to + 20 - n;
}

/* Microseconds as milliseconds with at most `places` decimals, rounded, no zeros at the end. */
static char *
put_ms(char *to, int64_t us, int places)
{
	static const uint32_t unit[] = { 1000, 100, 10, 1 };
	uint64_t x = (uint64_t)us;
	uint32_t frac;

	if (places >= 0 && places < 3)
		x = (x + unit[places] / 2) / unit[places] * unit[places];
	to = put_u64(to, x / 1000);
	frac = (uint32_t)(x % 1000);
	if (frac == 0)
		return to;
	to[0] = '.';
	to[1] = (char)('0' + frac / 100);
	memcpy(to + 2, digits + 2 * (frac % 100), 2);
	return to + (frac % 10 != 0 ? 4 : frac % 100 != 0 ? 3 : 2);
}

static inline char *
put_hex16(char *to, uint64_t x)
{
	memcpy(to, hexes + 2 * (x >> 56), 2);
	memcpy(to + 2, hexes + 2 * (x >> 48 & 0xff), 2);
	memcpy(to + 4, hexes + 2 * (x >> 40 & 0xff), 2);
	memcpy(to + 6, hexes + 2 * (x >> 32 & 0xff), 2);
	memcpy(to + 8, hexes + 2 * (x >> 24 & 0xff), 2);
	memcpy(to + 10, hexes + 2 * (x >> 16 & 0xff), 2);
	memcpy(to + 12, hexes + 2 * (x >> 8 & 0xff), 2);
	memcpy(to + 14, hexes + 2 * (x & 0xff), 2);
	return to + 16;
}

static char *
put_hex(char *to, uint64_t x, int n)
{
	char buf[16];

	put_hex16(buf, x);
	memcpy(to, buf + 16 - n, (size_t)n);
	return to + n;
}

static char *
put_time(struct render *d, char *to, int64_t us, int form)
{
	char buf[CLOCK_LEN + 1];
	int64_t second = us / CLOCK_SECOND;
	uint32_t frac = (uint32_t)(us - second * CLOCK_SECOND);

	if (second != d->second) {
		clock_format(d->prefix, second * CLOCK_SECOND);
		d->second = second;
	}
	switch ((enum catalog_time)form) {
	case TIME_RFC3339US:
		memcpy(to, d->prefix, 20);
		memcpy(to + 20, digits + 2 * (frac / 10000), 2);
		memcpy(to + 22, digits + 2 * (frac / 100 % 100), 2);
		memcpy(to + 24, digits + 2 * (frac % 100), 2);
		to[26] = 'Z';
		return to + CLOCK_LEN;
	case TIME_RFC3339:
		memcpy(to, d->prefix, 19);
		to[19] = 'Z';
		return to + 20;
	case TIME_DATE:
		memcpy(to, d->prefix, 10);
		return to + 10;
	case TIME_COMPACT:
		memcpy(buf, d->prefix, 20);
		for (int i = 0; i < 19; i++)
			if (buf[i] >= '0' && buf[i] <= '9')
				*to++ = buf[i];
		return to;
	case TIME_UNIX:
		to = put_u64(to, (uint64_t)second);
		*to++ = '.';
		for (int i = 5; i >= 0; i--, frac /= 10)
			to[i] = (char)('0' + frac % 10);
		return to + 6;
	case TIME_MS:
		return put_u64(to, (uint64_t)(us / 1000));
	case TIME_NS:
		to = put_u64(to, (uint64_t)us);
		memcpy(to, "000", 3);
		return to + 3;
	}
	return to;
}

static char *
put_pick(const struct render *d, char *to, int list, uint64_t word)
{
	const struct catalog_list *l = &d->c->list[list];
	double sum = 0, at;
	int i;

	for (i = 0; i < l->n; i++)
		sum += l->weight[i];
	at = (double)(word >> 11) * 0x1p-53 * sum;
	for (i = 0; i < l->n - 1 && at >= l->weight[i]; i++)
		at -= l->weight[i];
	return put_text(d, to, l->item[i]);
}

/* An id of less than 16 hexadecimal digits. */
static inline char *
put_narrow(char *to, const struct form *f, uint64_t narrow)
{
	memcpy(to, f->before.p, PAD);
	return put_hex(to + f->before.n, narrow, f->hex);
}

/* A generated id: of two words, or of `narrow`, which is of 48 bits, where the form has less room than 64. */
static char *
put_form(struct render *d, char *to, const struct form *f, const uint64_t id[2], uint64_t narrow, uint64_t key, int64_t time)
{
	uint64_t x;

	if (f->hex > 0) {
		if (f->hex < 16)
			return put_narrow(to, f, narrow);
		memcpy(to, f->before.p, PAD);
		to = put_hex16(to + f->before.n, id[0]);
		return f->hex == 32 ? put_hex16(to, id[1]) : to;
	}
	for (int i = 0; i < f->text->n; i++) {
		const struct catalog_piece *p = &f->text->piece[i];

		switch (p->src) {
		case SRC_NONE:
		case SRC_CONST:
			to = put_text(d, to, p->text);
			break;
		case SRC_HEX:
			if (p->arg > 16)
				to = put_hex(put_hex(to, id[0], 16), id[1], p->arg - 16 > 16 ? 16 : p->arg - 16);
			else
				to = put_hex(to, p->arg >= 16 ? id[0] : narrow, p->arg);
			break;
		case SRC_UUID:
			to = put_hex(to, id[0] >> 32, 8);
			*to++ = '-';
			to = put_hex(to, id[0] >> 16 & 0xffff, 4);
			*to++ = '-';
			to = put_hex(to, 0x4000 | (id[0] >> 4 & 0xfff), 4);
			*to++ = '-';
			to = put_hex(to, 0x8000 | (id[0] & 0xf) << 10 | (id[1] & 0x3ff), 4);
			*to++ = '-';
			to = put_hex(to, id[1] >> 16, 12);
			break;
		case SRC_DIGITS:
		case SRC_N:
			x = narrow;
			for (int k = (p->src == SRC_N ? 12 : p->arg) - 1; k >= 0; k--, x /= 10)
				to[k] = (char)('0' + x % 10);
			to += p->src == SRC_N ? 12 : p->arg;
			break;
		case SRC_PICK:
			to = put_pick(d, to, p->arg, key);
			break;
		case SRC_TIME:
			to = put_time(d, to, time, p->arg);
			break;
		default:
			break;
		}
	}
	return to;
}

static char *
put_span_id(struct render *d, char *to, uint64_t name, int64_t time)
{
	uint64_t id[2];

	id[0] = sim_span_id(d->s, name);
	if (d->span.hex == 16 && d->span.before.n == 0)
		return put_hex16(to, id[0]);
	id[1] = mix(id[0]);
	return put_form(d, to, &d->span, id, id[0], name, time);
}

static char *
put_request_id(struct render *d, char *to, uint64_t name, int64_t time)
{
	uint64_t id[2];

	sim_request_id(d->s, name, id);
	if (d->request.hex == 32 && d->request.before.n == 0)
		return put_hex16(put_hex16(to, id[0]), id[1]);
	return put_form(d, to, &d->request, id, id[0], name, time);
}

/* All spans of a request share it. */
static char *
put_trace_id(struct render *d, char *to, uint64_t k, int64_t time)
{
	uint64_t id[2];

	if (k != d->traced) {
		sim_trace_id(d->s, k, id);
		d->trace_n =
		    (size_t)(put_form(d, d->trace_text, &d->trace, id, d->trace.hex < 16 ? mix_seal48(d->s->id_trace, k) : 0, k, time) -
			d->trace_text);
		d->traced = k;
	}
	if (d->trace_n == 32)
		memcpy(to, d->trace_text, 32);
	else
		memcpy(to, d->trace_text, d->trace_n);
	return to + d->trace_n;
}

static char *
put_user(struct render *d, char *to, uint64_t user, int64_t time)
{
	uint64_t id[2];

	if (d->user.hex > 0 && d->user.hex < 16)
		return put_narrow(to, &d->user, user);
	id[0] = mix_seal(d->s->id_user, user);
	id[1] = mix(user ^ d->s->id_user.a);
	return put_form(d, to, &d->user, id, user, user, time);
}

static char *
put_object(struct render *d, char *to, const struct context *c)
{
	int type = c->op->type;
	struct form *f = &d->object[type];
	uint64_t id[2];

	if (f->hex > 0 && f->hex < 16)
		return put_narrow(to, f, mix_seal48(f->id, c->r->object));
	id[0] = mix_seal(f->id, c->r->object);
	id[1] = mix(id[0]);
	return put_form(d, to, f, id, f->hex == 0 ? mix_seal48(f->id, c->r->object) : 0, c->r->object_key, c->time);
}

/* A value of another line: with quotes in JSON, without in the others. */
static char *
put_given(const struct render *d, char *to, struct json_value v)
{
	int n;

	if (json_is_null(v))
		return NULL;
	if (d->format == RENDER_JSON) {
		int string = json_is_string(v);

		memcpy(to, v.p + string, v.n - 2 * (size_t)string);
		return to + v.n - 2 * (size_t)string;
	}
	n = json_is_string(v) ? json_text(v, to, v.n + 1) : -1;
	if (n < 0) {
		memcpy(to, v.p, v.n);
		n = (int)v.n;
	}
	return to + n;
}

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
		return put_text(d, to, own_message(d, c->x));
	for (int i = 0; i < t->n; i++) {
		if (t->piece[i].src == SRC_CAUSE_SERVICE)
			to = put_word(to, d->service[d->s->op[c->r->span[c->x->blamed].node->op].service]);
		else if (t->piece[i].src == SRC_CAUSE_MESSAGE)
			to = put_text(d, to, own_message(d, origin(c)));
		else
			to = put_text(d, to, t->piece[i].text);
	}
	return to;
}

static char *
put_error_source(struct render *d, char *to, const struct context *c)
{
	switch ((enum sim_source)c->x->source) {
	case SIM_INFRASTRUCTURE:
		to = put_text(d, to, "infrastructure:");
		return put_text(d, to, d->s->w->incident[c->x->cause].component);
	case SIM_DEPENDENCY:
		to = put_text(d, to, "dependency:");
		return put_word(to, d->service[d->s->op[c->r->span[c->x->blamed].node->op].service]);
	case SIM_DEPLOYMENT:
		to = put_text(d, to, "deployment:");
		return put_word(to, d->release[d->s->w->rollout[c->x->cause].release]);
	case SIM_SELF:
		return put_text(d, to, "self");
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
		return put_text(d, to, d->s->w->incident[o->cause].id);
	return put_text(d, to, d->s->w->rollout[o->cause].id);
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
		return put_pick(d, to, list, mix(sim_span_id(d->s, c->name)));
	return put_text(d, to, d->c->code[c->x->code].message);
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
level(const struct render *d, const struct context *c)
{
	int http = c->rollout != NULL ? 200 : status_http(d, c->x);

	if (c->rollout == NULL && (http >= 500 || c->x->source == SIM_INFRASTRUCTURE))
		return "ERROR";
	return http >= 400 ? "WARN" : "INFO";
}

static int
is_failed(const struct context *c)
{
	return c->rollout == NULL && c->x->source != SIM_SUCCESS;
}

static int
flag_holds(const struct catalog_term *t, const struct context *c)
{
	switch (t->flag) {
	case FLAG_OK:
		return !is_failed(c);
	case FLAG_FAILED:
		return is_failed(c);
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

static int
term_holds(struct render *d, const struct catalog_term *t, const struct context *c)
{
	char buf[4096], *end;
	struct step p = { .source = (uint8_t)t->src, .arg = t->arg, .places = -1 };
	double x;
	int hit = 0;

	if (t->flag != FLAG_NONE)
		return flag_holds(t, c) != t->negated;
	end = value(d, &p, c, buf);
	if (t->relation == REL_GT || t->relation == REL_LT)
		return end != NULL && num_decimal(buf, (size_t)(end - buf), &x) == 0 &&
		    (t->relation == REL_GT ? x > t->number : x < t->number);
	for (int i = 0; i < t->n && end != NULL; i++)
		hit |= strlen(t->value[i]) == (size_t)(end - buf) && memcmp(t->value[i], buf, (size_t)(end - buf)) == 0;
	if (t->n == 0)
		hit = end == NULL || end == buf;
	return hit == (t->relation == REL_EQ);
}

static int
holds(struct render *d, const struct catalog_cond *when, const struct context *c)
{
	for (int i = 0; i < when->n; i++)
		if (!term_holds(d, &when->term[i], c))
			return 0;
	return 1;
}

/* The line a span writes: of the rows with the most particular reference, the first whose condition holds. */
static const struct catalog_log *
find_log(struct render *d, const struct context *c)
{
	for (int rank = 0; rank < 3; rank++) {
		int any = 0;

		for (int i = 0; i < d->c->nlogs; i++) {
			const struct catalog_log *l = &d->c->log[i];
			int its = l->op.op != NULL ? 0 : l->op.service >= 0 ? 1 : 2;

			if (its != rank || !catalog_covers(d->c, &l->op, c->op->service, c->op->row))
				continue;
			any = 1;
			if (holds(d, &l->when, c))
				return l;
		}
		if (any)
			return NULL;
	}
	return NULL;
}

static char *
put_message(struct render *d, char *to, const struct context *c)
{
	const struct catalog_log *l = find_log(d, c);

	if (l == NULL)
		return NULL;
	for (int i = 0; i < l->message.n; i++) {
		const struct catalog_piece *p = &l->message.piece[i];
		/* A blind layout's lines tell of an error what its code tells. */
		int src = p->src == SRC_ERROR_MESSAGE && d->layout->blind ? SRC_STATUS_MESSAGE : (int)p->src;
		struct step step = { .source = (uint8_t)src, .arg = p->arg, .places = (int16_t)p->places, .text = p->text };
		char *end = p->src == SRC_NONE ? put_text(d, to, p->text) : value(d, &step, c, to);

		to = end == NULL ? to : end;
	}
	return to;
}

static char *
put_host(struct render *d, char *to, const struct context *c)
{
	const struct catalog_service *sv = &d->c->service[c->op->service];
	uint64_t key = c->rollout != NULL ? mix(c->rollout->name) : c->r->key;
	uint32_t n = 1 + mix_below((uint32_t)mix(key ^ (uint64_t)c->place), (uint32_t)sv->hosts);

	for (int i = 0; i < sv->host.n; i++) {
		const struct catalog_piece *p = &sv->host.piece[i];
		struct step step = { .source = (uint8_t)p->src, .arg = p->arg, .places = -1 };

		if (p->src == SRC_NONE) {
			to = put_text(d, to, p->text);
		} else if (p->src == SRC_N) {
			for (uint32_t w = 10; p->width > 1 && w > n && w < 1000000000; w *= 10)
				;
			for (int w = p->width, x = (int)n; w > 1; w--)
				if (x < 10)
					*to++ = '0';
				else
					x /= 10;
			to = put_u64(to, n);
		} else {
			char *end = value(d, &step, c, to);

			to = end == NULL ? to : end;
		}
	}
	return to;
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
		return put_text(d, to, w->id);
	case SRC_USER_ID:
		return put_text(d, to, d->c->set.rollout_user);
	case SRC_OBJECT_ID:
		if (c->op->type < 0)
			return NULL;
		id = catalog_id(d->c, d->c->object[c->op->type], strlen(d->c->object[c->op->type]));
		if (id < 0 || catalog_expand(d->c, id, w->place, w->service, NULL, buf, sizeof(buf), &missing) < 0)
			return NULL;
		return put_text(d, to, buf);
	case SRC_STATUS_OK:
		memcpy(to, "true", 4);
		return to + 4;
	case SRC_RELEASE_ID:
		return put_word(to, d->release[w->release]);
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
	case SRC_CONST:
	case SRC_NONE:
		*done = 0;
		return NULL;
	default:
		return NULL;
	}
}

/* Raw text of a value (escaped for JSON, without quotes); the end, or NULL for null. */
static char *
value(struct render *d, const struct step *p, const struct context *c, char *to)
{
	const struct sim_span *x = c->x;
	const struct sim_request *r = c->r;
	char *end;
	int done;

	if (c->rollout != NULL) {
		end = rollout_value(d, p, c, to, &done);
		if (done)
			return end;
	}
	switch ((enum catalog_source)p->source) {
	case SRC_SPAN_TIME:
		return put_time(d, to, c->time, p->arg);
	case SRC_SPAN_END:
		return put_time(d, to, c->time + (c->rollout != NULL ? 0 : x->length), p->arg);
	case SRC_REQUEST_ID:
		return put_request_id(d, to, r->k << 16, r->time);
	case SRC_TRACE_ID:
		return put_trace_id(d, to, r->k, r->time);
	case SRC_USER_ID:
		return c->given != NULL ? put_given(d, to, c->given->user) : put_user(d, to, r->user, c->time);
	case SRC_PERSONA_ID:
		return put_word(to, d->persona[r->persona]);
	case SRC_PERSONA_CLASS:
		return put_word(to, d->class[r->persona]);
	case SRC_TARGET_ID:
		return r->has_target && x->parent < 0 ? put_user(d, to, r->target, c->time) : NULL;
	case SRC_OBJECT_TYPE:
		return c->op->type >= 0 ? put_text(d, to, d->c->object[c->op->type]) : NULL;
	case SRC_OBJECT_ID:
		if (x->parent >= 0 && c->op->object == OBJECT_NONE)
			return NULL;
		if (c->given != NULL)
			return put_given(d, to, c->given->object);
		return r->has_object && c->op->type >= 0 ? put_object(d, to, c) : NULL;
	case SRC_ROOT_OPERATION:
		return put_text(d, to, d->c->op[r->plan->root].name);
	case SRC_ROOT_CATEGORY:
		return put_text(d, to, d->c->op[r->plan->root].category);
	case SRC_ROOT_DURATION:
		return put_ms(to, r->span[0].length, p->places);
	case SRC_PLACE_ID:
		return put_word(to, d->place[c->place]);
	case SRC_PLACE_PART:
		return put_text(d, to, d->c->place[c->place].part[p->arg]);
	case SRC_SERVICE_ID:
		return put_word(to, d->service[c->op->service]);
	case SRC_SERVICE_PART:
		return put_text(d, to, d->c->service[c->op->service].part[p->arg]);
	case SRC_SERVICE_NAME:
		return put_text(d, to, d->c->service[c->op->service].name);
	case SRC_SERVICE_GROUP:
		return put_text(d, to, d->c->service[c->op->service].group);
	case SRC_HOST_ID:
		return put_host(d, to, c);
	case SRC_RELEASE_ID:
		return x->release >= 0 ? put_word(to, d->release[x->release]) : NULL;
	case SRC_RELEASE_NUMBER:
		return x->release >= 0 ? put_u64(to, d->s->w->release[x->release].number) : NULL;
	case SRC_SPAN_ID:
		return put_span_id(d, to, c->name, r->time);
	case SRC_SPAN_PARENT:
		return x->parent >= 0 ? put_span_id(d, to, sim_slot(r->k, r->plan, r->span[x->parent].node), r->time) : NULL;
	case SRC_SPAN_REQUEST:
		return put_request_id(d, to, c->name, r->time);
	case SRC_SPAN_KIND:
		return put_text(d, to, x->node->stage == STAGE_ASYNC ? "consumer" : "server");
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
	case SRC_OP_NAME:
		return put_text(d, to, c->op->name);
	case SRC_OP_WRITE:
		return put_text(d, to, c->op->write ? "true" : "false");
	case SRC_OP_CATEGORY:
		return put_text(d, to, c->op->category);
	case SRC_STATUS_OK:
		return put_text(d, to, is_failed(c) ? "false" : "true");
	case SRC_STATUS_CODE:
		return put_text(d, to, x->code >= 0 ? d->c->code[x->code].code : d->plain >= 0 ? d->c->code[d->plain].code : "200");
	case SRC_STATUS_HTTP:
		return put_u64(to, (uint64_t)status_http(d, x));
	case SRC_STATUS_MESSAGE:
		return is_failed(c) ? put_status_message(d, to, c) : NULL;
	case SRC_STATUS_TYPE:
		return is_failed(c) ? put_text(d, to, status_type(status_http(d, x))) : NULL;
	case SRC_ERROR_CODE:
		return is_failed(c) ? put_text(d, to, d->c->code[x->code].code) : NULL;
	case SRC_ERROR_TYPE:
		return is_failed(c) ? put_text(d, to, error_type(d, origin(c))) : NULL;
	case SRC_ERROR_MESSAGE:
		return is_failed(c) ? put_error_message(d, to, c) : NULL;
	case SRC_ERROR_SOURCE:
		return is_failed(c) ? put_error_source(d, to, c) : NULL;
	case SRC_ERROR_REQUEST:
		return is_failed(c) && x->blamed >= 0 ? put_request_id(d, to, sim_slot(r->k, r->plan, r->span[x->blamed].node), r->time)
						      : NULL;
	case SRC_ERROR_CAUSE:
		return put_cause(d, to, c);
	case SRC_LOG_LEVEL: {
		const struct catalog_log *l = find_log(d, c);

		return put_text(d, to, l != NULL && l->level != NULL ? l->level : level(d, c));
	}
	case SRC_LOG_MESSAGE:
		return put_message(d, to, c);
	case SRC_PICK:
		return put_pick(d, to, p->arg, mix(c->name ^ (uint64_t)p->arg));
	case SRC_CONST:
	case SRC_NONE:
		return put_text(d, to, p->text);
	default:
		return NULL;
	}
}

/* ---- compiling ---- */

static int
is_number(enum catalog_source s, int arg)
{
	switch (s) {
	case SRC_SPAN_TIME:
	case SRC_SPAN_END:
		return arg == TIME_UNIX || arg == TIME_MS || arg == TIME_NS;
	case SRC_ROOT_DURATION:
	case SRC_RELEASE_NUMBER:
	case SRC_SPAN_ATTEMPT:
	case SRC_SPAN_DURATION:
	case SRC_SPAN_REQUEST_BYTES:
	case SRC_SPAN_RESPONSE_BYTES:
	case SRC_SPAN_DB:
	case SRC_SPAN_CACHE:
	case SRC_OP_WRITE:
	case SRC_STATUS_OK:
	case SRC_STATUS_HTTP:
		return 1;
	default:
		return 0;
	}
}

/* Is it the same for every span of an operation that ends well, or for every one that fails? */
static int
is_constant(enum catalog_source s, int failed)
{
	switch (s) {
	case SRC_SERVICE_ID:
	case SRC_SERVICE_PART:
	case SRC_SERVICE_NAME:
	case SRC_SERVICE_GROUP:
	case SRC_OP_NAME:
	case SRC_OP_WRITE:
	case SRC_OP_CATEGORY:
	case SRC_OBJECT_TYPE:
	case SRC_STATUS_OK:
	case SRC_CONST:
		return 1;
	case SRC_ERROR_CODE:
	case SRC_ERROR_TYPE:
	case SRC_ERROR_MESSAGE:
	case SRC_ERROR_SOURCE:
	case SRC_ERROR_REQUEST:
	case SRC_ERROR_CAUSE:
	case SRC_STATUS_MESSAGE:
	case SRC_STATUS_TYPE:
		return !failed;
	default:
		return 0;
	}
}

/* -1: known only span by span; else whether it holds for this operation, failed or not. */
static int
known(const struct catalog_cond *when, const struct context *c)
{
	int all = 1;

	for (int i = 0; i < when->n; i++) {
		enum catalog_flag f = when->term[i].flag;

		if (f != FLAG_OK && f != FLAG_FAILED && f != FLAG_READ && f != FLAG_WRITE)
			return -1;
		all &= flag_holds(&when->term[i], c) != when->term[i].negated;
	}
	return all;
}

struct compiler {
	struct render *d;
	struct program *p;
	struct context c; /* an example: failed or not, of the operation */
	int size;
	char text[65536]; /* literal not yet put into a step */
	size_t n;
	int error;
};

/* A step that begins with the literal text so far. */
static struct step *
add_step(struct compiler *b, enum step_kind kind)
{
	struct step *s;
	char *p = keep(b->d, b->n);

	if (b->p->n == b->size) {
		struct step *more = reallocarray(b->p->step, (size_t)b->size * 2 + 32, sizeof(*more));

		if (more == NULL) {
			b->error = 1;
			return NULL;
		}
		b->p->step = more;
		b->size = b->size * 2 + 32;
	}
	if (p == NULL) {
		b->error = 1;
		return NULL;
	}
	s = &b->p->step[b->p->n++];
	memset(s, 0, sizeof(*s));
	memcpy(p, b->text, b->n);
	s->word = (struct word){ p, (uint32_t)b->n };
	s->kind = (uint8_t)kind;
	b->n = 0;
	return s;
}

static void
end_literal(struct compiler *b)
{
	if (b->n > 0)
		(void)add_step(b, STEP_TEXT);
}

static void
add_text(struct compiler *b, const char *text, size_t n)
{
	if (n > sizeof(b->text) - b->n)
		end_literal(b);
	if (n > sizeof(b->text)) {
		b->error = 1;
		return;
	}
	memcpy(b->text + b->n, text, n);
	b->n += n;
}

static void
add_escaped(struct compiler *b, const char *text)
{
	struct word w;

	if (set_word(b->d, &w, text) != 0)
		b->error = 1;
	else
		add_text(b, w.p, w.n);
}

static void
add_value(struct compiler *b, const struct catalog_piece *p, int alone)
{
	struct step s = { .kind = STEP_VALUE,
		.source = (uint8_t)p->src,
		.arg = p->arg,
		.places = (int16_t)p->places,
		.word = { p->text, 0 } },
		    *to;
	int json = b->d->format == RENDER_JSON;
	char buf[4096], *end;

	if (b->d->layout->blind && p->src == SRC_ERROR_MESSAGE)
		s.source = SRC_STATUS_MESSAGE;
	if (is_constant(p->src, is_failed(&b->c))) {
		end = is_failed(&b->c) || p->src < SRC_ERROR_CODE || p->src > SRC_ERROR_CAUSE ? value(b->d, &s, &b->c, buf) : NULL;
		if (end == NULL) {
			if (alone && json)
				add_text(b, "null", 4);
			return;
		}
		if (alone && json && !is_number(p->src, p->arg))
			add_text(b, "\"", 1);
		add_text(b, buf, (size_t)(end - buf));
		if (alone && json && !is_number(p->src, p->arg))
			add_text(b, "\"", 1);
		return;
	}
	to = add_step(b, STEP_VALUE);
	if (to == NULL)
		return;
	s.word = to->word;
	s.quote = alone && json && !is_number(p->src, p->arg);
	s.bare = alone && json;
	*to = s;
}

/* The message of a span whose log line is certain is put together here; else span by span. */
static int
add_message(struct compiler *b, const struct catalog_text *t)
{
	const struct catalog_log *l = NULL;

	if (t->n != 1 || t->piece[0].src != SRC_LOG_MESSAGE)
		return 0;
	for (int rank = 0; rank < 3 && l == NULL; rank++) {
		int any = 0;

		for (int i = 0; i < b->d->c->nlogs && l == NULL; i++) {
			const struct catalog_log *row = &b->d->c->log[i];
			int k;

			if ((row->op.op != NULL            ? 0
				    : row->op.service >= 0 ? 1
							   : 2) != rank ||
			    !catalog_covers(b->d->c, &row->op, b->c.op->service, b->c.op->row))
				continue;
			any = 1;
			k = known(&row->when, &b->c);
			if (k < 0)
				return 0;
			if (k)
				l = row;
		}
		if (any)
			break;
	}
	if (l == NULL || l->message.n == 0)
		return 0;
	if (b->d->format == RENDER_JSON)
		add_text(b, "\"", 1);
	for (int i = 0; i < l->message.n; i++)
		if (l->message.piece[i].src == SRC_NONE)
			add_escaped(b, l->message.piece[i].text);
		else
			add_value(b, &l->message.piece[i], 0);
	if (b->d->format == RENDER_JSON)
		add_text(b, "\"", 1);
	return 1;
}

/* The level is certain where no log line names one and the span ends well. */
static int
add_level(struct compiler *b, const struct catalog_text *t)
{
	if (t->n != 1 || t->piece[0].src != SRC_LOG_LEVEL || is_failed(&b->c))
		return 0;
	for (int i = 0; i < b->d->c->nlogs; i++)
		if (b->d->c->log[i].level != NULL)
			return 0;
	add_text(b, b->d->format == RENDER_JSON ? "\"INFO\"" : "INFO", b->d->format == RENDER_JSON ? 6 : 4);
	return 1;
}

static void
add_template(struct compiler *b, const struct catalog_text *t)
{
	int json = b->d->format == RENDER_JSON;

	if (t->n == 0) {
		add_text(b, json ? "null" : "", json ? 4 : 0);
		return;
	}
	if (t->n == 1 && t->piece[0].src != SRC_NONE) {
		if (!add_message(b, t) && !add_level(b, t))
			add_value(b, &t->piece[0], 1);
		return;
	}
	if (json)
		add_text(b, "\"", 1);
	for (int i = 0; i < t->n; i++)
		if (t->piece[i].src == SRC_NONE)
			add_escaped(b, t->piece[i].text);
		else
			add_value(b, &t->piece[i], 0);
	if (json)
		add_text(b, "\"", 1);
}

/* All rows of one field, the first that holds; returns the row behind them. */
static int
add_field(struct compiler *b, int at)
{
	const struct catalog_layout *l = b->d->layout;
	const char *name = l->field[at].name;
	int jumps[256], njumps = 0, sure = 0, i;

	for (i = at; i < l->n && strcmp(l->field[i].name, name) == 0; i++) {
		int k = sure ? 0 : known(&l->field[i].when, &b->c);
		struct step *s;
		int unless;

		if (k == 0)
			continue;
		if (k == 1) {
			add_template(b, &l->field[i].value);
			sure = 1;
			continue;
		}
		s = add_step(b, STEP_UNLESS);
		if (s == NULL)
			return l->n;
		s->when = &l->field[i].when;
		unless = b->p->n - 1;
		add_template(b, &l->field[i].value);
		s = add_step(b, STEP_GOTO);
		if (s == NULL || njumps == 256) {
			b->error = 1;
			return l->n;
		}
		jumps[njumps++] = b->p->n - 1;
		b->p->step[unless].arg = b->p->n;
	}
	if (!sure) {
		add_text(b, "null", b->d->format == RENDER_JSON ? 4 : 0);
	}
	if (njumps > 0)
		end_literal(b);
	for (int j = 0; j < njumps; j++)
		b->p->step[jumps[j]].arg = b->p->n;
	return i;
}

static int
compile(struct render *d, struct program *p, const struct sim_op *op, int failed, const struct world_rollout *rollout)
{
	const struct catalog_layout *l = d->layout;
	struct compiler *b = calloc(1, sizeof(*b));
	struct sim_span x = {
		.source = failed ? SIM_SELF : SIM_SUCCESS, .origin = -1, .blamed = -1, .parent = -1, .code = failed ? 0 : -1, .release = -1
	};
	struct sim_request r = { 0 };
	int r_ok;

	if (b == NULL)
		return -1;
	b->d = d;
	b->p = p;
	r.span = &x;
	b->c = (struct context){ .r = &r, .x = &x, .op = op, .rollout = rollout };
	if (d->format == RENDER_JSON)
		add_text(b, "{", 1);
	for (int i = 0, first = 1; i < l->n;) {
		if (strcmp(l->field[i].name, "*") == 0) {
			i++;
			continue;
		}
		if (d->format == RENDER_JSON) {
			add_text(b, ",\"", first ? 0 : 1);
			add_text(b, "\"", 1);
			add_escaped(b, l->field[i].name);
			add_text(b, "\":", 2);
		} else if (!first) {
			(void)add_step(b, STEP_FIELD);
		}
		first = 0;
		i = add_field(b, i);
	}
	if (d->format == RENDER_JSON)
		add_text(b, "}\n", 2);
	end_literal(b);
	r_ok = b->error ? -1 : 0;
	free(b);
	return r_ok;
}

/* ---- writing ---- */

/* The values that most lines have, without the detour. */
static inline char *
quick_value(struct render *d, const struct step *s, const struct context *c, char *to)
{
	const struct sim_span *x = c->x;

	switch ((enum catalog_source)s->source) {
	case SRC_SPAN_TIME:
		return put_time(d, to, c->time, s->arg);
	case SRC_SPAN_REQUEST:
		return put_request_id(d, to, c->name, c->r->time);
	case SRC_SPAN_ID:
		return put_span_id(d, to, c->name, c->r->time);
	case SRC_RELEASE_ID:
		return x->release >= 0 ? put_word(to, d->release[x->release]) : NULL;
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
		return put_trace_id(d, to, c->r->k, c->r->time);
	case SRC_SPAN_PARENT:
		return x->parent >= 0 ? put_span_id(d, to, sim_slot(c->r->k, c->r->plan, c->r->span[x->parent].node), c->r->time) : NULL;
	case SRC_USER_ID:
		return c->given != NULL ? put_given(d, to, c->given->user) : put_user(d, to, c->r->user, c->time);
	case SRC_TARGET_ID:
		return c->r->has_target ? value(d, s, c, to) : NULL;
	case SRC_SPAN_CACHE:
		if (x->cache < 0)
			return NULL;
		memcpy(to, x->cache ? "true " : "false", 5);
		return to + 5 - x->cache;
	default:
		return value(d, s, c, to);
	}
}

/* CSV: quotes around what has a comma, a quote or a line break; TSV: \t, \n, \\ for what would break the line. */
static char *
guard(const struct render *d, char *from, char *to)
{
	char *p, copy[8192];
	size_t n = (size_t)(to - from), i;

	for (p = from; p < to; p++)
		if (d->format == RENDER_CSV ? *p == ',' || *p == '"' || *p == '\n' || *p == '\r'
					    : *p == '\t' || *p == '\n' || *p == '\\' || *p == '\r')
			break;
	if (p == to || n > sizeof(copy))
		return to;
	memcpy(copy, from, n);
	p = from;
	if (d->format == RENDER_CSV) {
		*p++ = '"';
		for (i = 0; i < n; i++) {
			if (copy[i] == '"')
				*p++ = '"';
			*p++ = copy[i];
		}
		*p++ = '"';
		return p;
	}
	for (i = 0; i < n; i++) {
		const char *at = strchr("\tt\nn\rr\\\\", copy[i]);

		if (copy[i] != '\0' && at != NULL && (copy[i] < ' ' || copy[i] == '\\')) {
			*p++ = '\\';
			*p++ = at[1];
		} else {
			*p++ = copy[i];
		}
	}
	return p;
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
			end = c->rollout == NULL ? quick_value(d, s, c, to + s->quote) : value(d, s, c, to + s->quote);
			if (end == NULL) {
				memcpy(to, "null", 4);
				to += s->bare * 4;
			} else {
				*end = '"';
				to = end + s->quote;
			}
			break;
		case STEP_UNLESS:
			if (!holds(d, s->when, c)) {
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

		to = put_word(to, s->word);
		switch ((enum step_kind)s->kind) {
		case STEP_FIELD:
			to = guard(d, field, to);
			*to++ = d->format == RENDER_CSV ? ',' : '\t';
			field = to;
			break;
		case STEP_VALUE:
			end = value(d, s, c, to);
			to = end == NULL ? to : end;
			break;
		case STEP_UNLESS:
			if (!holds(d, s->when, c))
				i = s->arg - 1;
			break;
		case STEP_GOTO:
			i = s->arg - 1;
			break;
		case STEP_TEXT:
			break;
		}
	}
	to = guard(d, field, to);
	*to++ = '\n';
	return to;
}

static char *
run(struct render *d, const struct program *p, const struct context *c, char *to)
{
	return d->format == RENDER_JSON ? run_json(d, p, c, to) : run_fields(d, p, c, to);
}

static int
is_left_out(struct render *d, const struct context *c)
{
	for (int i = 0; d->partial && i < d->layout->n; i++)
		if (strcmp(d->layout->field[i].name, "*") == 0 && !holds(d, &d->layout->field[i].when, c))
			return 1;
	return 0;
}

char *
render_head(const struct render *d, char *to)
{
	const struct catalog_layout *l = d->layout;
	int first = 1;

	if (d->format == RENDER_JSON)
		return to;
	for (int i = 0; i < l->n; i++) {
		char *from;

		if (strcmp(l->field[i].name, "*") == 0 || (i > 0 && strcmp(l->field[i].name, l->field[i - 1].name) == 0))
			continue;
		if (!first)
			*to++ = d->format == RENDER_CSV ? ',' : '\t';
		first = 0;
		from = to;
		memcpy(to, l->field[i].name, strlen(l->field[i].name));
		to = guard(d, from, to + strlen(l->field[i].name));
	}
	*to++ = '\n';
	return to;
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

	if (p->step == NULL && compile(d, p, c.op, failed, NULL) != 0)
		return NULL;
	if (is_left_out(d, &c))
		return to;
	return run(d, p, &c, to);
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
	struct sim_request r = { .k = rollout_name(d, w, end), .time = end ? w->end : w->start };
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
		if (compile(d, p, op, 0, w) != 0)
			return NULL;
	}
	return is_left_out(d, &c) ? to : run(d, p, &c, to);
}

/* ---- opening ---- */

static int
open_form(struct render *d, struct form *f, const char *name, struct mix_id id, char *err, size_t errsize)
{
	int i = catalog_id(d->c, name, strlen(name));

	f->id = id;
	if (i < 0) {
		snprintf(err, errsize, "%s: ids.tsv: no id \"%s\"", d->c->name, name);
		return -1;
	}
	f->text = &d->c->id[i].form;
	i = f->text->n - 1;
	if (i < 0 || i > 1 || f->text->piece[i].src != SRC_HEX || (f->text->piece[i].arg > 16 && f->text->piece[i].arg != 32) ||
	    (i == 1 && (f->text->piece[0].src != SRC_NONE || strlen(f->text->piece[0].text) > PAD)))
		return 0;
	f->hex = f->text->piece[i].arg;
	return set_word(d, &f->before, i == 1 ? f->text->piece[0].text : "");
}

static int
open_forms(struct render *d, char *err, size_t errsize)
{
	d->object = calloc((size_t)d->c->nobjects + 1, sizeof(*d->object));
	if (d->object == NULL || open_form(d, &d->request, "request_id", d->s->id_request, err, errsize) != 0 ||
	    open_form(d, &d->trace, "trace_id", d->s->id_trace, err, errsize) != 0 ||
	    open_form(d, &d->span, "span_id", d->s->id_span, err, errsize) != 0 ||
	    open_form(d, &d->user, "user_id", d->s->id_user, err, errsize) != 0)
		return -1;
	for (int i = 0; i < d->c->nobjects; i++)
		if (open_form(d, &d->object[i], d->c->object[i],
			mix_id(mix(d->s->id_object.a ^ mix_name(d->c->object[i], strlen(d->c->object[i])))), err, errsize) != 0)
			return -1;
	return 0;
}

static int
open_words(struct render *d)
{
	const struct catalog *c = d->c;
	const struct world *w = d->s->w;

	d->release = calloc((size_t)w->nreleases + 1, sizeof(*d->release));
	d->place = calloc((size_t)c->nplaces, sizeof(*d->place));
	d->service = calloc((size_t)c->nservices, sizeof(*d->service));
	d->persona = calloc((size_t)c->npersonas, sizeof(*d->persona));
	d->class = calloc((size_t)c->npersonas, sizeof(*d->class));
	if (d->release == NULL || d->place == NULL || d->service == NULL || d->persona == NULL || d->class == NULL)
		return -1;
	for (int i = 0; i < w->nreleases; i++) {
		size_t n = strlen(w->release[i].id);

		d->longest = n > d->longest ? n : d->longest;
		/* Most ids need no escape: they are used where they are. */
		if (strcspn(w->release[i].id, "\"\\\n\t\r") == n)
			d->release[i] = (struct word){ w->release[i].id, (uint32_t)n };
		else if (set_word(d, &d->release[i], w->release[i].id) != 0)
			return -1;
	}
	for (int i = 0; i < c->nplaces; i++)
		if (set_word(d, &d->place[i], c->place[i].id) != 0)
			return -1;
	for (int i = 0; i < c->nservices; i++)
		if (set_word(d, &d->service[i], c->service[i].id) != 0)
			return -1;
	for (int i = 0; i < c->npersonas; i++)
		if (set_word(d, &d->persona[i], c->persona[i].id) != 0 || set_word(d, &d->class[i], c -> persona[i].class) != 0)
			return -1;
	return 0;
}

static size_t
longer(size_t a, const char *text)
{
	size_t n = text == NULL ? 0 : strlen(text);

	return n > a ? n : a;
}

static size_t
longer_form(size_t a, const struct form *f)
{
	size_t n = 0;

	for (int k = 0; k < f->text->n; k++)
		n += longer(f->text->piece[k].src == SRC_PICK ? a : GENERATED, f->text->piece[k].text);
	return n > a ? n : a;
}

/* A bound on the length of a line: every value as long as the longest text there is. */
static void
open_most(struct render *d)
{
	const struct catalog *c = d->c;
	size_t text = 64, most = 2, one;

	for (int i = 0; i < d->s->w->nincidents; i++) {
		text = longer(text, d->s->w->incident[i].message);
		text = longer(text, d->s->w->incident[i].type);
		text = longer(text, d->s->w->incident[i].component);
		text = longer(text, d->s->w->incident[i].id);
	}
	for (int i = 0; i < d->s->w->nrollouts; i++)
		text = longer(text, d->s->w->rollout[i].id);
	text = d->longest > text ? d->longest : text;
	for (int i = 0; i < c->nplaces; i++)
		text = longer(text, c->place[i].id);
	for (int i = 0; i < c->nservices; i++)
		text = longer(text, c->service[i].id);
	for (int i = 0; i < c->npersonas; i++)
		text = longer(longer(text, c->persona[i].id), c->persona[i].class);
	for (int i = 0; i < d->s->nops; i++)
		text = longer(longer(text, d->s->op[i].name), d->s->op[i].category);
	for (int i = 0; i < c->ncodes; i++)
		text = longer(longer(longer(text, c->code[i].code), c->code[i].message), c->code[i].type);
	for (int i = 0; i < c->nlists; i++)
		for (int k = 0; k < c->list[i].n; k++)
			text = longer(text, c->list[i].item[k]);
	text = longer_form(longer_form(longer_form(longer_form(text, &d->request), &d->trace), &d->span), &d->user);
	for (int i = 0; i < c->nobjects; i++)
		text = longer_form(text, &d->object[i]);
	one = text;
	for (int i = 0; i < c->set.cascade_message.n; i++)
		one += longer(text, c->set.cascade_message.piece[i].text);
	for (int i = 0; i < c->nlogs; i++) {
		size_t line = one;

		for (int k = 0; k < c->log[i].message.n; k++)
			line += longer(text, c->log[i].message.piece[k].text);
		one = line > one ? line : one;
	}
	for (int i = 0; i < d->layout->n; i++) {
		most += strlen(d->layout->field[i].name) * 6 + 8;
		for (int k = 0; k < d->layout->field[i].value.n; k++) {
			const struct catalog_piece *p = &d->layout->field[i].value.piece[k];
			int message = p->src == SRC_LOG_MESSAGE || p->src == SRC_ERROR_MESSAGE || p->src == SRC_HOST_ID;

			most += longer(message ? one : text, p->text) * 6;
		}
	}
	d->most = most + 8 * (size_t)PAD;
}

/* What a renderer of spans cannot fill in is an error now, not an empty field later. */
static int
check_layout(const struct render *d, char *err, size_t errsize)
{
	if (d->layout->record != RECORD_SPAN && d->layout->record != RECORD_EVENT) {
		snprintf(err, errsize, "%s: layout \"%s\" is not of spans", d->c->name, d->layout->name);
		return -1;
	}
	if (d->most > OUT_LINE_MAX) {
		snprintf(err, errsize, "%s: lines of layout \"%s\" can be longer than %d bytes", d->c->name, d->layout->name, OUT_LINE_MAX);
		return -1;
	}
	return 0;
}

struct render *
render_open(const struct sim *s, int layout, enum render_format format, char *err, size_t errsize)
{
	struct render *d = calloc(1, sizeof(*d));

	snprintf(err, errsize, "out of memory");
	if (d == NULL)
		return NULL;
	d->s = s;
	d->c = s->c;
	d->layout = &s->c->layout[layout];
	d->format = format;
	d->second = INT64_MIN;
	d->traced = UINT64_MAX;
	d->plain = -1;
	for (int i = s->c->ncodes - 1; i >= 0; i--)
		d->plain = s->c->code[i].http < 400 ? i : d->plain;
	for (int i = 0; i < d->layout->n; i++)
		d->partial |= strcmp(d->layout->field[i].name, "*") == 0;
	d->program = calloc(((size_t)s->nops + 2 * (size_t)s->c->nservices) * 2, sizeof(*d->program));
	d->event = calloc(2 * (size_t)s->c->nservices, sizeof(*d->event));
	if (d->program == NULL || d->event == NULL || open_words(d) != 0 || open_forms(d, err, errsize) != 0)
		goto fail;
	open_most(d);
	if (check_layout(d, err, errsize) != 0)
		goto fail;
	return d;
fail:
	render_free(d);
	return NULL;
}

void
render_free(struct render *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; d->program != NULL && i < ((size_t)d->s->nops + 2 * (size_t)d->c->nservices) * 2; i++)
		free(d->program[i].step);
	for (int i = 0; i < d->nblocks; i++)
		free(d->block[i]);
	free(d->block);
	free(d->program);
	free(d->event);
	free(d->object);
	free(d->release);
	free(d->place);
	free(d->service);
	free(d->persona);
	free(d->class);
	free(d);
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
	uint64_t y = 0, bad = 0;

	for (int i = 0; i < n; i++) {
		unsigned c = (unsigned char)p[i], digit = c - '0', letter = c - 'a';

		bad |= digit > 9 && letter > 5;
		y = y << 4 | (digit <= 9 ? digit : letter + 10);
	}
	*x = y;
	return bad != 0 ? -1 : 0;
}

int
render_trace(const struct sim *s, const char *text, size_t n, uint64_t *k)
{
	int form = s->trace_form;
	uint64_t id[2] = { 0, 0 };

	for (int i = 0; form >= 0 && i < s->c->id[form].form.n; i++) {
		const struct catalog_piece *p = &s->c->id[form].form.piece[i];
		size_t len = p->src == SRC_HEX ? (size_t)p->arg : p->text == NULL ? 0 : strlen(p->text);

		if (len > n || (p->src != SRC_HEX && memcmp(text, p->text, len) != 0))
			return -1;
		if (p->src == SRC_HEX &&
		    (take_hex(text, p->arg > 16 ? 16 : p->arg, &id[0]) != 0 || (p->arg == 32 && take_hex(text + 16, 16, &id[1]) != 0)))
			return -1;
		if (p->src == SRC_HEX && p->arg == 32)
			form = -1;
		else if (p->src == SRC_HEX)
			*k = p->arg == 16 ? mix_open(s->id_trace, id[0]) : p->arg == 12 ? mix_open48(s->id_trace, id[0]) : UINT64_MAX;
		text += len;
		n -= len;
	}
	if (n != 0)
		return -1;
	if (form < 0)
		return sim_trace_open(s, id, k) == 0 ? 0 : -2;
	return *k >> 48 == 0 ? 0 : -2;
}
