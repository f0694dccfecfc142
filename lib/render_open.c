/* Setting a renderer up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "num.h"
#include "render_impl.h"

#define HOST_NAME 1024 /* bytes of the longest name of a host */

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
	return render_word(d, &f->before, i == 1 ? f->text->piece[0].text : "");
}

static int
open_forms(struct render *d, char *err, size_t errsize)
{
	struct mix_id ticket = mix_id(mix(d->s->id_request.a ^ SIM_DRAW_TICKET));

	d->object = calloc((size_t)d->c->nobjects + 1, sizeof(*d->object));
	if (d->object == NULL || open_form(d, &d->request, "request_id", d->s->id_request, err, errsize) != 0 ||
	    open_form(d, &d->trace, "trace_id", d->s->id_trace, err, errsize) != 0 ||
	    open_form(d, &d->span, "span_id", d->s->id_span, err, errsize) != 0 ||
	    open_form(d, &d->user, "user_id", d->s->id_user, err, errsize) != 0)
		return -1;
	if (d->kind == RENDER_TICKETS && open_form(d, &d->ticket_form, "ticket_id", ticket, err, errsize) != 0)
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
	d->op = calloc((size_t)c->nops + 1, sizeof(*d->op));
	d->name = calloc((size_t)c->nservices + 1, sizeof(*d->name));
	d->link = calloc((size_t)c->nlinks + 1, sizeof(*d->link));
	if (d->op == NULL || d->name == NULL || d->link == NULL)
		return -1;
	if (d->release == NULL || d->place == NULL || d->service == NULL || d->persona == NULL || d->class == NULL)
		return -1;
	for (int i = 0; i < w->nreleases; i++) {
		size_t n = strlen(w->release[i].id);

		d->longest = n > d->longest ? n : d->longest;
		/* Most ids need no escape: they are used where they are, without a pad. */
		if (strcspn(w->release[i].id, "\"\\\n\t\r") == n)
			d->release[i] = (struct word){ w->release[i].id, (uint32_t)n };
		else if (render_word(d, &d->release[i], w->release[i].id) != 0)
			return -1;
	}
	for (int i = 0; i < c->nplaces; i++)
		if (render_word(d, &d->place[i], c->place[i].id) != 0)
			return -1;
	for (int i = 0; i < c->nservices; i++)
		if (render_word(d, &d->service[i], c->service[i].id) != 0)
			return -1;
	for (int i = 0; i < c->nops; i++)
		if (render_word(d, &d->op[i], c->op[i].name) != 0)
			return -1;
	for (int i = 0; i < c->nservices; i++)
		if (render_word(d, &d->name[i], c->service[i].name) != 0)
			return -1;
	for (int i = 0; i < c->nlinks; i++)
		if (render_word(d, &d->link[i], c->link[i].id) != 0)
			return -1;
	for (int i = 0; i < c->npersonas; i++)
		if (render_word(d, &d->persona[i], c->persona[i].id) != 0 || render_word(d, &d->class[i], c -> persona[i].class) != 0)
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

static int
open_text(struct render *d, struct text *t, const struct form *f)
{
	t->p = render_keep(d, longer_form(0, f) * 6 + 2 * PAD);
	return t->p == NULL ? -1 : 0;
}

/* The least number above n that divides powers of ten. */
static uint32_t
stride_above(uint32_t n)
{
	uint32_t best = 1000000000;

	for (uint32_t two = 1; two <= best; two *= 2)
		for (uint32_t five = two; five <= best; five *= 5)
			best = five > n && five < best ? five : best;
	return best;
}

/* A bound on the length of a line: every value as long as the longest text there is. */
static void
open_most(struct render *d)
{
	const struct catalog *c = d->c;
	size_t text = d->kind == RENDER_THINGS ? HOST_NAME : RENDER_GIVEN_MAX, most = 2, one;

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
	if (d->kind == RENDER_TICKETS)
		text = longer_form(text, &d->ticket_form);
	for (int i = 0; i < c->nlogs; i++)
		text = longer(longer(text, c->log[i].event), c->log[i].by);
	for (int i = 0; i < c->nlinks; i++)
		text = longer(text, c->link[i].id);
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
			int message = p->src == SRC_LOG_MESSAGE || p->src == SRC_ERROR_MESSAGE || p->src == SRC_ERROR_SOURCE;

			most += longer(message ? one : text, p->text) * 6 * (p->src == SRC_TRUTH_INCIDENTS ? SIM_TOUCHED + 1 : 1);
		}
	}
	d->most = most + 8 * (size_t)PAD;
}

/* What a renderer cannot fill in is an error now, not an empty field later. */
static int
check_layout(const struct render *d, char *err, size_t errsize)
{
	static const char *const of[] = { "spans", "lines", "tickets", "series", "incidents" };
	enum catalog_record record = d->layout->record;

	if (d->kind == RENDER_SPANS           ? record != RECORD_SPAN && record != RECORD_EVENT
		: d->kind == RENDER_LINES     ? record != RECORD_LOG
		: d->kind == RENDER_TICKETS   ? record != RECORD_TICKET
		: d->kind == RENDER_INCIDENTS ? record != RECORD_INCIDENT
					      : record < RECORD_LINK) {
		snprintf(err, errsize, "%s: layout \"%s\" is not of %s", d->c->name, d->layout->name, of[d->kind]);
		return -1;
	}
	return 0;
}

static int
check_most(const struct render *d, char *err, size_t errsize)
{
	if (d->most <= OUT_LINE_MAX)
		return 0;
	snprintf(err, errsize, "%s: lines of layout \"%s\" can be longer than %d bytes", d->c->name, d->layout->name, OUT_LINE_MAX);
	return -1;
}

static int
uses_text(const struct catalog_text *t, int (*is)(enum catalog_source))
{
	int any = 0;

	for (int i = 0; i < t->n; i++)
		any |= is(t->piece[i].src);
	return any;
}

static int
uses_cond(const struct catalog_cond *when, int (*is)(enum catalog_source))
{
	int any = 0;

	for (int i = 0; i < when->n; i++)
		any |= when->term[i].flag == FLAG_NONE && is(when->term[i].src);
	return any;
}

static int
is_of_line(enum catalog_source s)
{
	return s == SRC_LOG_LEVEL || s == SRC_LOG_MESSAGE;
}

static int
is_of_host(enum catalog_source s)
{
	return s == SRC_HOST_ID || s == SRC_TRUTH_SKEW;
}

static int
is_of_tree(enum catalog_source s)
{
	return (s >= SRC_ROOT_RETRIES && s <= SRC_REMOTE_DURATION) || (s >= SRC_TRUTH_INCIDENTS && s <= SRC_TRUTH_SKEW);
}

int
render_uses(const struct render *d, int (*is)(enum catalog_source))
{
	int any = 0, lines = d->kind == RENDER_LINES;

	for (int i = 0; i < d->layout->n; i++) {
		any |= uses_text(&d->layout->field[i].value, is) || uses_cond(&d->layout->field[i].when, is);
		lines |= uses_text(&d->layout->field[i].value, is_of_line) || uses_cond(&d->layout->field[i].when, is_of_line);
	}
	for (int i = 0; lines && i < d->c->nlogs; i++)
		any |= uses_text(&d->c->log[i].message, is) || uses_cond(&d->c->log[i].when, is);
	for (int i = 0; d->kind == RENDER_TICKETS && i < d->c->ntickets; i++)
		any |= uses_cond(&d->c->ticket[i].when, is);
	return any;
}

int
render_whole(const struct render *d)
{
	return render_uses(d, is_of_tree);
}

static int
is_of_size(enum catalog_source s)
{
	return s >= SRC_SPAN_REQUEST_BYTES && s <= SRC_SPAN_CACHE;
}

static int
is_of_release(enum catalog_source s)
{
	return s == SRC_RELEASE_ID || s == SRC_RELEASE_NUMBER;
}

/* All but what a request is from its start on. */
static int
is_of_end(enum catalog_source s)
{
	return s != SRC_NONE && s != SRC_CONST && s != SRC_SPAN_TIME && (s < SRC_REQUEST_ID || s > SRC_ROOT_CATEGORY);
}

int
render_spare(const struct render *d)
{
	int spare = (render_uses(d, is_of_size) ? 0 : SIM_SPARE_SIZES) | (render_uses(d, is_of_release) ? 0 : SIM_SPARE_RELEASE);

	for (int i = 0; i < d->layout->n; i++)
		if (d->kind != RENDER_SPANS || d->layout->field[i].when.n > 0)
			return spare;
	return spare | (render_uses(d, is_of_end) ? 0 : SIM_SPARE_END);
}

static int
open_all(struct render *d, char *err, size_t errsize)
{
	const struct sim *s = d->s;

	d->program = calloc(((size_t)s->nops + 2 * (size_t)s->c->nservices) * 2, sizeof(*d->program));
	d->event = calloc(2 * (size_t)s->c->nservices, sizeof(*d->event));
	if (d->program == NULL || d->event == NULL || check_layout(d, err, errsize) != 0 || open_words(d) != 0 ||
	    open_forms(d, err, errsize) != 0 || render_open_lines(d) != 0)
		return -1;
	if ((d->kind == RENDER_LINES || (d->kind != RENDER_THINGS && render_uses(d, is_of_host))) &&
	    render_open_hosts(d, err, errsize) != 0)
		return -1;
	if (open_text(d, &d->trace_text, &d->trace) != 0 || open_text(d, &d->request_text, &d->request) != 0 ||
	    open_text(d, &d->user_text, &d->user) != 0)
		return -1;
	open_most(d);
	return check_most(d, err, errsize);
}

struct render *
render_open(const struct sim *s, int layout, enum render_kind kind, enum render_format format, char *err, size_t errsize)
{
	struct render *d = calloc(1, sizeof(*d));

	snprintf(err, errsize, "out of memory");
	if (d == NULL)
		return NULL;
	d->s = s;
	d->c = s->c;
	d->layout = &s->c->layout[layout];
	d->kind = kind;
	d->format = format;
	d->second = INT64_MIN;
	d->now = UINT64_MAX;
	d->plain = -1;
	d->stride = stride_above((uint32_t)s->nclasses);
	d->user_stride = stride_above((uint32_t)s->c->npersonas - 1);
	for (int i = s->c->ncodes - 1; i >= 0; i--)
		d->plain = s->c->code[i].http < 400 ? i : d->plain;
	for (int i = 0; i < d->layout->n; i++)
		d->partial |= strcmp(d->layout->field[i].name, "*") == 0;
	if (open_all(d, err, errsize) == 0)
		return d;
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
	render_close_lines(d);
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
	free(d->op);
	free(d->name);
	free(d->link);
	free(d);
}
