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
	size_t n = text == NULL ? 0 : strlen(text);
	char *to, *end;

	w->p = "";
	w->n = 0;
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

char *
render_time(struct render *d, char *to, int64_t us, int form)
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

/* A generated id: of two words, or of `narrow`, which is of 48 bits, where the form has less room than 64. */
char *
render_id(struct render *d, char *to, const struct form *f, const uint64_t id[2], uint64_t narrow, uint64_t key, int64_t time)
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
			to = render_text(d, to, p->text);
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
			to = render_pick(d, to, p->arg, key);
			break;
		case SRC_TIME:
			to = render_time(d, to, time, p->arg);
			break;
		default:
			break;
		}
	}
	return to;
}

char *
render_span_id(struct render *d, char *to, uint64_t name, int64_t time)
{
	uint64_t id[2];

	id[0] = sim_span_id(d->s, name);
	if (d->span.hex == 16 && d->span.before.n == 0)
		return put_hex16(to, id[0]);
	id[1] = mix(id[0]);
	return render_id(d, to, &d->span, id, id[0], name, time);
}

char *
render_request_id(struct render *d, char *to, uint64_t name, int64_t time)
{
	uint64_t id[2];

	sim_request_id(d->s, name, id);
	if (d->request.hex == 32 && d->request.before.n == 0)
		return put_hex16(put_hex16(to, id[0]), id[1]);
	return render_id(d, to, &d->request, id, id[0], name, time);
}

/* All spans of a request share it. */
char *
render_trace_id(struct render *d, char *to, uint64_t k, int64_t time)
{
	uint64_t id[2];

	if (k != d->traced) {
		sim_trace_id(d->s, k, id);
		d->trace_n =
		    (size_t)(render_id(d, d->trace_text, &d->trace, id, d->trace.hex < 16 ? mix_seal48(d->s->id_trace, k) : 0, k, time) -
			d->trace_text);
		d->traced = k;
	}
	if (d->trace_n == 32)
		memcpy(to, d->trace_text, 32);
	else
		memcpy(to, d->trace_text, d->trace_n);
	return to + d->trace_n;
}

char *
render_user(struct render *d, char *to, uint64_t user, int64_t time)
{
	uint64_t id[2];

	if (d->user.hex > 0 && d->user.hex < 16)
		return put_narrow(to, &d->user, user);
	id[0] = mix_seal(d->s->id_user, user);
	id[1] = mix(user ^ d->s->id_user.a);
	return render_id(d, to, &d->user, id, user, user, time);
}

char *
render_object(struct render *d, char *to, const struct context *c)
{
	int type = c->op->type;
	struct form *f = &d->object[type];
	uint64_t id[2];

	if (f->hex > 0 && f->hex < 16)
		return put_narrow(to, f, mix_seal48(f->id, c->r->object));
	id[0] = mix_seal(f->id, c->r->object);
	id[1] = mix(id[0]);
	return render_id(d, to, f, id, f->hex == 0 ? mix_seal48(f->id, c->r->object) : 0, c->r->object_key, c->time);
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
