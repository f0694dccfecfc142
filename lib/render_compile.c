/* Layouts made ready: what is certain for an operation is put together once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "num.h"
#include "render_impl.h"

static int
is_number(enum catalog_source s, int arg)
{
	switch (s) {
	case SRC_SPAN_TIME:
	case SRC_SPAN_END:
	case SRC_LOG_TIME:
	case SRC_TICKET_TIME:
	case SRC_TIME:
	case SRC_INCIDENT_TIME:
	case SRC_INCIDENT_END:
		return arg == TIME_UNIX || arg == TIME_MS || arg == TIME_NS;
	case SRC_ROOT_DURATION:
	case SRC_ROOT_RETRIES:
	case SRC_REMOTE_DURATION:
	case SRC_TICKET_DELAY:
	case SRC_TRUTH_SKEW:
	case SRC_DRAW:
	case SRC_SERIES:
	case SRC_LINK_RTT:
	case SRC_LINK_LOSS:
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

/* Names of the catalog, which have neither commas nor quotes in them. */
static int
is_name(enum catalog_source s)
{
	switch (s) {
	case SRC_PERSONA_ID:
	case SRC_PERSONA_CLASS:
	case SRC_ROOT_OPERATION:
	case SRC_ROOT_CATEGORY:
	case SRC_REMOTE_LINK:
	case SRC_REMOTE_PLACE:
	case SRC_REMOTE_SERVICE:
	case SRC_PLACE_ID:
	case SRC_PLACE_PART:
	case SRC_SERVICE_ID:
	case SRC_SERVICE_PART:
	case SRC_SERVICE_NAME:
	case SRC_SERVICE_GROUP:
	case SRC_SPAN_KIND:
	case SRC_CALL_LINK:
	case SRC_CALL_PLACE:
	case SRC_OP_NAME:
	case SRC_OP_CATEGORY:
	case SRC_STATUS_CODE:
	case SRC_STATUS_TYPE:
	case SRC_ERROR_CODE:
	case SRC_LINK_ID:
	case SRC_LINK_FROM:
	case SRC_LINK_TO:
	case SRC_INCIDENT_LINK:
		return 1;
	default:
		return 0;
	}
}

int
render_tame(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (memchr(",\"\n\r\t\\", text[i], 6) != NULL)
			return 0;
	return 1;
}

static int
is_tame(const char *text)
{
	return text == NULL || render_tame(text, strlen(text));
}

static int
is_tame_form(const struct form *f)
{
	for (int i = 0; i < f->text->n; i++) {
		const struct catalog_piece *p = &f->text->piece[i];

		if (p->src == SRC_NONE ? !is_tame(p->text)
				       : p->src != SRC_HEX && p->src != SRC_DIGITS && p->src != SRC_UUID && p->src != SRC_TIME)
			return 0;
	}
	return 1;
}

/* Do the rows of a field, whatever their values, never need a guard? */
static int
is_tame_field(const struct render *d, int from, int to)
{
	for (int i = from; i < to; i++)
		for (int k = 0; k < d->layout->field[i].value.n; k++) {
			const struct catalog_piece *p = &d->layout->field[i].value.piece[k];
			int tame = is_number(p->src, TIME_UNIX) || is_name(p->src);

			if (p->src == SRC_NONE)
				tame = is_tame(p->text);
			else if (p->src == SRC_REQUEST_ID || p->src == SRC_SPAN_REQUEST)
				tame = is_tame_form(&d->request);
			else if (p->src == SRC_SPAN_ID || p->src == SRC_SPAN_PARENT || p->src == SRC_LOG_SPAN)
				tame = is_tame_form(&d->span);
			else if (p->src == SRC_TRACE_ID)
				tame = is_tame_form(&d->trace);
			else if (p->src == SRC_HOST_ID || p->src == SRC_LOG_HOST)
				tame = !d->wild;
			if (!tame)
				return 0;
		}
	return 1;
}

/* Is it the same for every span of an operation that ends well, or for every one that fails? Of lines: of one row? */
static int
is_constant(enum catalog_source s, const struct context *c)
{
	const struct catalog_log *row = c->line == NULL ? NULL : c->line->row->row;
	int failed = render_failed(c);

	if (c->thing != NULL)
		return s == SRC_CONST;
	switch (s) {
	case SRC_LOG_EVENT:
		return 1;
	case SRC_LOG_SERVICE:
		return row != NULL && (row->by != NULL || !row->by_caller);
	case SRC_LOG_LEVEL:
		return row != NULL && (row->level != NULL || row->at != AT_END || !failed);
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
known(struct render *d, const struct catalog_cond *when, const struct context *c)
{
	int all = 1;

	for (int i = 0; i < when->n; i++) {
		const struct catalog_term *t = &when->term[i];
		enum catalog_flag f = t->flag;

		if (f != FLAG_OK && f != FLAG_FAILED && f != FLAG_READ && f != FLAG_WRITE &&
		    (f != FLAG_NONE || c->line == NULL || t->src < SRC_LOG_LEVEL || !is_constant(t->src, c)))
			return -1;
	}
	for (int i = 0; i < when->n; i++)
		all &= render_term(d, &when->term[i], c);
	return all;
}

struct compiler {
	struct render *d;
	struct program *p;
	struct context c; /* an example: failed or not, of the operation */
	uint32_t salt;    /* of the field at hand */
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
	char *p = render_keep(b->d, b->n);

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

	if (render_word(b->d, &w, text) != 0)
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
		.text = p->text,
		.dist = p->dist,
		.salt = b->salt },
		    *to;
	int json = b->d->format == RENDER_JSON;
	char buf[4096], *end;

	if (b->d->layout->blind && p->src == SRC_ERROR_MESSAGE)
		s.source = SRC_STATUS_MESSAGE;
	if (is_constant(p->src, &b->c)) {
		end =
		    render_failed(&b->c) || p->src < SRC_ERROR_CODE || p->src > SRC_ERROR_CAUSE ? render_value(b->d, &s, &b->c, buf) : NULL;
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

/* The row that a span's last line is certainly of; NULL: none is certain. */
static const struct catalog_log *
certain_row(struct compiler *b)
{
	const struct log_rows *rows = render_rows(b->d, &b->c);
	const struct catalog_log *last = NULL;
	int won = -1;

	if (b->c.line != NULL)
		return b->c.line->row->row;
	for (int k = rows->first[AT_END]; k < rows->n; k++) {
		int sure = known(b->d, &rows->row[k].row->when, &b->c);

		if (sure < 0)
			return NULL;
		if (!sure || rows->row[k].group == won)
			continue;
		won = rows->row[k].group;
		last = last == NULL || rows->row[k].row > last ? rows->row[k].row : last;
	}
	return last;
}

/* The message of a span whose line is certain is put together here; else span by span. */
static int
add_message(struct compiler *b, const struct catalog_text *t)
{
	const struct catalog_log *l;

	if (t->n != 1 || t->piece[0].src != SRC_LOG_MESSAGE)
		return 0;
	l = certain_row(b);
	if (l == NULL || l->message.n == 0)
		return 0;
	if (b->d->format == RENDER_JSON)
		add_text(b, "\"", 1);
	for (int i = 0; i < l->message.n; i++)
		if (l->message.piece[i].src == SRC_NONE) {
			add_escaped(b, l->message.piece[i].text);
		} else {
			b->salt = (uint32_t)i;
			add_value(b, &l->message.piece[i], 0);
		}
	if (b->d->format == RENDER_JSON)
		add_text(b, "\"", 1);
	return 1;
}

/* The level is certain where no log line names one and the span ends well. */
static int
add_level(struct compiler *b, const struct catalog_text *t)
{
	if (t->n != 1 || t->piece[0].src != SRC_LOG_LEVEL || render_failed(&b->c) || b->c.line != NULL)
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

	b->salt = (uint32_t)mix_name(name, strlen(name));
	for (i = at; i < l->n && strcmp(l->field[i].name, name) == 0; i++) {
		int k = sure ? 0 : known(b->d, &l->field[i].when, &b->c);
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

int
render_compile(struct render *d, struct program *p, const struct example *e)
{
	const struct catalog_layout *l = d->layout;
	struct compiler *b = calloc(1, sizeof(*b));
	struct sim_span x = { .source = e->failed ? SIM_SELF : SIM_SUCCESS,
		.origin = -1,
		.blamed = -1,
		.parent = -1,
		.code = e->failed ? 0 : -1,
		.release = -1 };
	struct render_line line = { .row = e->row };
	struct sim_request r = { 0 };
	struct step *s;
	int r_ok;

	if (b == NULL)
		return -1;
	b->d = d;
	b->p = p;
	r.span = &x;
	b->c = (struct context){
		.r = &r, .x = &x, .op = e->op, .rollout = e->rollout, .line = e->row != NULL ? &line : NULL, .thing = e->thing
	};
	if (d->format == RENDER_JSON)
		add_text(b, "{", 1);
	for (int i = 0, first = 1, from = 0, steps; i < l->n;) {
		if (strcmp(l->field[i].name, "*") == 0) {
			i++;
			continue;
		}
		if (d->format == RENDER_JSON) {
			add_text(b, ",\"", first ? 0 : 1);
			add_text(b, "\"", 1);
			add_escaped(b, l->field[i].name);
			add_text(b, "\":", 2);
		} else if (!first && (s = add_step(b, STEP_FIELD)) != NULL) {
			s->tame = (uint8_t)p->tame;
		}
		first = 0;
		from = i;
		steps = p->n;
		i = add_field(b, i);
		/* Text alone is seen here. The record of a rollout has other ids. */
		p->tame = p->n == steps ? render_tame(b->text, b->n) : e->rollout == NULL && is_tame_field(d, from, i);
	}
	if (d->format == RENDER_JSON)
		add_text(b, "}\n", 2);
	end_literal(b);
	r_ok = b->error ? -1 : 0;
	free(b);
	return r_ok;
}
