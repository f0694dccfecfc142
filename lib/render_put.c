/* Text, numbers, times and ids. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "num.h"
#include "render_impl.h"

/* Room that lives as long as the renderer, with a pad behind it. */
char *
render_keep(struct render *d, size_t n)
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
int
render_word(struct render *d, struct word *w, const char *text)
{
	static const char nothing[PAD] = "";
	size_t n = text == NULL ? 0 : strlen(text);
	char *to, *end;

	*w = (struct word){ nothing, 0 };
	if (text == NULL)
		return 0;
	to = render_keep(d, JSON_QUOTED(n));
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

char *
render_text(const struct render *d, char *to, const char *text)
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

/* The text of a second; within a day only the time of it changes. */
static void
set_second(struct render *d, int64_t second)
{
	static const int64_t day = CLOCK_DAY / CLOCK_SECOND;
	uint32_t of_day = (uint32_t)(second % day);

	if (second < 0 || d->second < 0 || second / day != d->second / day) {
		clock_format(d->prefix, second * CLOCK_SECOND);
	} else {
		memcpy(d->prefix + 11, digits + 2 * (of_day / 3600), 2);
		memcpy(d->prefix + 14, digits + 2 * (of_day / 60 % 60), 2);
		memcpy(d->prefix + 17, digits + 2 * (of_day % 60), 2);
	}
	d->second = second;
}

char *
render_time(struct render *d, char *to, int64_t us, int form)
{
	static const uint8_t part[] = { 2, 5, 8, 11, 14, 17 }; /* two digits each of the text, the first two apart */
	int64_t second = us / CLOCK_SECOND;
	uint32_t frac = (uint32_t)(us - second * CLOCK_SECOND);

	if (second != d->second)
		set_second(d, second);
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
		memcpy(to, d->prefix, 2);
		for (size_t i = 0; i < sizeof(part); i++)
			memcpy(to + 2 + 2 * i, d->prefix + part[i], 2);
		return to + 14;
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

char *
render_moment(char *to, int64_t us, int form)
{
	struct render d = { .second = INT64_MIN };

	return render_time(&d, to, us, form);
}

char *
render_pick(const struct render *d, char *to, int list, uint64_t word)
{
	const struct catalog_list *l = &d->c->list[list];
	double sum = 0, at;
	int i;

	for (i = 0; i < l->n; i++)
		sum += l->weight[i];
	at = (double)(word >> 11) * 0x1p-53 * sum;
	for (i = 0; i < l->n - 1 && at >= l->weight[i]; i++)
		at -= l->weight[i];
	return render_text(d, to, l->item[i]);
}

/* A piece of a generated id. */
static char *
put_piece(struct render *d, char *to, const struct form *f, int i, const struct name *x)
{
	const struct catalog_piece *p = &f->text->piece[i];
	uint64_t left;
	int digits_here;

	switch (p->src) {
	case SRC_NONE:
	case SRC_CONST:
		return render_text(d, to, p->text);
	case SRC_HEX:
		if (p->arg > 16)
			return put_hex(put_hex(to, x->id[0], 16), x->id[1], p->arg - 16 > 16 ? 16 : p->arg - 16);
		return put_hex(to, p->arg >= 16 ? x->id[0] : x->narrow, p->arg);
	case SRC_UUID:
		to = put_hex(to, x->id[0] >> 32, 8);
		*to++ = '-';
		to = put_hex(to, x->id[0] >> 16 & 0xffff, 4);
		*to++ = '-';
		to = put_hex(to, 0x4000 | (x->id[0] >> 4 & 0xfff), 4);
		*to++ = '-';
		to = put_hex(to, 0x8000 | (x->id[0] & 0xf) << 10 | (x->id[1] & 0x3ff), 4);
		*to++ = '-';
		return put_hex(to, x->id[1] >> 16, 12);
	case SRC_DIGITS:
	case SRC_N:
		digits_here = p->src == SRC_N ? 12 : p->arg;
		left = mix_seal10(f->id.a + (uint64_t)i, digits_here, x->number);
		return put_digits(to, left, digits_here);
	case SRC_PICK:
		return render_pick(d, to, p->arg, x->key);
	case SRC_TIME:
		return render_time(d, to, x->time, p->arg);
	default:
		return to;
	}
}

char *
render_id(struct render *d, char *to, const struct form *f, const struct name *x)
{
	if (f->hex > 0) {
		if (f->hex < 16)
			return put_narrow(to, f, x->narrow);
		memcpy(to, f->before.p, PAD);
		to = put_hex16(to + f->before.n, x->id[0]);
		return f->hex == 32 ? put_hex16(to, x->id[1]) : to;
	}
	for (int i = 0; i < f->text->n; i++)
		to = put_piece(d, to, f, i, x);
	return to;
}

/*
 * Requests by dense numbers: those of one class have one remainder by the stride, and the greatest remainder is of names that are no
 * request's. As the stride divides the powers of ten, no number of digits mixes them.
 */
static uint64_t
dense(const struct render *d, uint64_t k, uint64_t number)
{
	uint64_t class = k >> 42;

	return number * d->stride + (class < d->stride - 1 ? class : d->stride - 1);
}

/* A span's name in 48 bits: shorter ids are cut from it. */
static uint64_t
narrow(const struct render *d, struct mix_id id, const struct sim_request *r, uint64_t name)
{
	return mix_seal48(id, (dense(d, r->k, r->number) << 16 | (name & 0xffff)) & ((1ULL << 48) - 1));
}

/* That of a span, which its lines and its callees name again. */
static uint64_t
narrow_span(struct render *d, const struct sim_request *r, uint64_t name)
{
	struct sealed *x = &d->sealed[name % SEALED];

	if (x->of != name + 1)
		*x = (struct sealed){ name + 1, narrow(d, d->s->id_span, r, name) };
	return x->id;
}

char *
render_span_id(struct render *d, char *to, const struct sim_request *r, uint64_t name)
{
	struct name x = { .key = name, .time = r->time };

	if (d->span.hex > 0 && d->span.hex < 16)
		return put_narrow(to, &d->span, narrow_span(d, r, name));
	x.id[0] = sim_span_id(d->s, name);
	if (d->span.hex == 16 && d->span.before.n == 0)
		return put_hex16(to, x.id[0]);
	x.id[1] = mix(x.id[0]);
	if (d->span.hex == 0)
		x.number = x.narrow = narrow(d, d->s->id_span, r, name);
	return render_id(d, to, &d->span, &x);
}

/* Below the root digits cannot be told apart by the request's number. */
char *
render_request_id(struct render *d, char *to, const struct sim_request *r, uint64_t name)
{
	struct name x = { .key = name, .time = r->time };

	sim_request_id(d->s, name, x.id);
	if (d->request.hex == 32 && d->request.before.n == 0)
		return put_hex16(put_hex16(to, x.id[0]), x.id[1]);
	if (d->request.hex < 16) {
		x.narrow = narrow(d, d->s->id_request, r, name);
		x.number = (name & 0xffff) == 0 ? dense(d, r->k, r->number) : x.narrow;
	}
	return render_id(d, to, &d->request, &x);
}

static int
is_written(const struct text *t, uint64_t of, int64_t time)
{
	return t->n > 0 && t->of == of && t->time == time;
}

static char *
copy(char *to, const struct text *t)
{
	if (t->n == 32)
		memcpy(to, t->p, 32);
	else
		memcpy(to, t->p, t->n);
	return to + t->n;
}

/* All spans of a request share it. */
char *
render_trace_id(struct render *d, char *to, uint64_t k, int64_t time)
{
	struct text *t = &d->trace_text;
	struct name x = { .key = k, .time = time };

	if (!is_written(t, k, time)) {
		sim_trace_id(d->s, k, x.id);
		x.narrow = d->trace.hex < 16 ? mix_seal48(d->s->id_trace, k) : 0;
		*t = (struct text){ k, time, (size_t)(render_id(d, t->p, &d->trace, &x) - t->p), t->p };
	}
	return copy(to, t);
}

char *
render_root_id(struct render *d, char *to, const struct sim_request *r)
{
	struct text *t = &d->request_text;

	if (!is_written(t, r->k, r->time))
		*t = (struct text){ r->k, r->time, (size_t)(render_request_id(d, t->p, r, r->k << 16) - t->p), t->p };
	return copy(to, t);
}

char *
render_user(struct render *d, char *to, uint64_t user, int64_t time)
{
	struct text *t = &d->user_text;
	struct name x = { .narrow = user, .key = user, .time = time };
	uint64_t who;

	if (d->user.hex > 0 && d->user.hex < 16)
		return put_narrow(to, &d->user, user);
	if (!is_written(t, user, time)) {
		who = mix_open48(d->s->id_user, user);
		x.id[0] = mix_seal(d->s->id_user, user);
		x.id[1] = mix(user ^ d->s->id_user.a);
		x.number = (who & 0xffffffff) * d->user_stride + (who >> 32);
		*t = (struct text){ user, time, (size_t)(render_id(d, t->p, &d->user, &x) - t->p), t->p };
	}
	return copy(to, t);
}

/* By the request's number, and that of the ticket among those about it. */
char *
render_ticket_id(struct render *d, char *to, const struct context *c)
{
	struct name x = { .key = mix_at(c->r->key, SIM_DRAW_TICKET), .time = c->time };

	x.number = dense(d, c->r->k, c->r->number) << 3 | (c->ticket->number & 7);
	x.id[0] = mix_seal(d->ticket_form.id, x.number);
	x.id[1] = mix(x.id[0]);
	x.narrow = mix_seal48(d->ticket_form.id, x.number & ((1ULL << 48) - 1));
	return render_id(d, to, &d->ticket_form, &x);
}

char *
render_object(struct render *d, char *to, const struct context *c)
{
	struct form *f = &d->object[c->op->type];
	struct name x = { .key = c->r->object_key, .time = c->time };

	if (f->hex > 0 && f->hex < 16)
		return put_narrow(to, f, mix_seal48(f->id, c->r->object));
	x.id[0] = mix_seal(f->id, c->r->object);
	x.id[1] = mix(x.id[0]);
	if (f->hex == 0)
		x.number = x.narrow = mix_seal48(f->id, c->r->object);
	return render_id(d, to, f, &x);
}

/* The text of another line, as it stands there in JSON; in the others unescaped, but for what has a NUL. */
char *
render_taken(const struct render *d, char *to, struct json_value v)
{
	int n;

	if (json_is_null(v))
		return NULL;
	if (d->format != RENDER_JSON && (n = json_text(v, to, v.n + 1)) >= 0)
		return to + n;
	memcpy(to, v.p + 1, v.n - 2);
	return to + v.n - 2;
}
