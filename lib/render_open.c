/* Setting a renderer up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "num.h"
#include "render_impl.h"

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
		else if (render_word(d, &d->release[i], w->release[i].id) != 0)
			return -1;
	}
	for (int i = 0; i < c->nplaces; i++)
		if (render_word(d, &d->place[i], c->place[i].id) != 0)
			return -1;
	for (int i = 0; i < c->nservices; i++)
		if (render_word(d, &d->service[i], c->service[i].id) != 0)
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

/* A bound on the length of a line: every value as long as the longest text there is. */
static void
open_most(struct render *d)
{
	const struct catalog *c = d->c;
	size_t text = RENDER_GIVEN_MAX, most = 2, one;

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
