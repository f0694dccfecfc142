/*
 * Batches, and how lines become batches.
 */
#include <errno.h>
#include <string.h>

#include "push_impl.h"

struct batch *
push_spare(struct push *p)
{
	struct batch *b = p->spare;

	if (b == NULL)
		b = batch_new();
	else {
		p->spare = b->next;
		batch_clear(b);
	}
	if (b != NULL && p->set->head != NULL && buf_puts(&b->text, p->set->head) == -1) {
		batch_free(b);
		b = NULL;
	}
	return b;
}

void
push_give(struct push *p, struct batch *b)
{
	b->next = p->spare;
	p->spare = b;
}

void
push_last(struct push_queue *q, struct batch *b)
{
	b->next = NULL;
	*q->last = b;
	q->last = &b->next;
	q->n++;
	q->bytes += b->text.size;
}

void
push_first(struct push_queue *q, struct batch *b)
{
	if ((b->next = q->first) == NULL)
		q->last = &b->next;
	q->first = b;
	q->n++;
	q->bytes += b->text.size;
}

static struct batch *
take_at(struct push_queue *q, struct batch **at)
{
	struct batch *b = *at;

	if ((*at = b->next) == NULL)
		q->last = at;
	q->n--;
	q->bytes -= b->text.size;
	return b;
}

struct batch *
push_take(struct push_queue *q)
{
	return q->first == NULL ? NULL : take_at(q, &q->first);
}

static uint64_t
earliest(const struct push_queue *q, uint64_t stage)
{
	for (const struct batch *b = q->first; b != NULL; b = b->next)
		if (b->stage < stage)
			stage = b->stage;
	return stage;
}

uint64_t
push_stage(const struct push *p)
{
	uint64_t stage = p->stages;

	if (stage == 0)
		return 0;
	stage = earliest(&p->lost, earliest(&p->packed, earliest(&p->packing, earliest(&p->ready, stage))));
	for (int i = 0; i < p->set->connections; i++)
		if (p->request[i].busy && p->request[i].batch->stage < stage)
			stage = p->request[i].batch->stage;
	return stage;
}

static int
has_lane(const struct push_queue *q, uint64_t lane)
{
	for (const struct batch *b = q->first; b != NULL; b = b->next)
		if (b->lane == lane)
			return 1;
	return 0;
}

/* One between two steps is in front of the others that are ready. */
int
push_must_wait(const struct push *p, const struct batch *b, uint64_t stage)
{
	if (b->stage > stage)
		return 1;
	if (b->lane == 0)
		return 0;
	for (int i = 0; i < p->set->connections; i++)
		if (p->request[i].busy && p->request[i].batch->lane == b->lane)
			return 1;
	return has_lane(&p->packing, b->lane) || has_lane(&p->packed, b->lane);
}

/* The first batch whose time has come. */
struct batch *
push_due(struct push *p, int64_t now)
{
	uint64_t stage = push_stage(p);

	for (struct batch **at = &p->ready.first; *at != NULL; at = &(*at)->next)
		if ((*at)->when <= now && !push_must_wait(p, *at, stage))
			return take_at(&p->ready, at);
	return NULL;
}

void
push_take_out(struct push_queue *q, const struct batch *b)
{
	for (struct batch **at = &q->first; *at != NULL; at = &(*at)->next) {
		if (*at == b) {
			(void)take_at(q, at);
			return;
		}
	}
}

void
push_refuse(struct push *p, uint64_t line, long status, const char *why, const char *text, size_t len)
{
	p->user->refused(p->user->arg, line, why);
	if (push_dead_put(p, line, status, why, text, len) == -1 || push_journal_refused(p, line) == -1) {
		push_stop(p, strerror(errno));
		push_lose(p, 1, line, 0);
		return;
	}
	p->account->refused++;
	if (p->set->max_dead > 0 && p->account->refused > p->set->max_dead)
		push_stop(p, "too many records were refused");
}

static void
close_batch(struct push *p)
{
	push_last(&p->ready, p->filling);
	p->filling = NULL;
}

/* The batch that a line goes into whose form is in the one that was filling. */
static struct batch *
batch_for(struct push *p, const struct push_line *l, const struct batch_place *place, size_t *form_at)
{
	struct batch *b = p->filling, *old = b;
	size_t more = old->form.n - *form_at; /* not every pusher has forms */

	if (b->nrec > 0 && (l->first || l->behind)) {
		if ((b = push_spare(p)) == NULL || (more > 0 && buf_put(&b->form, old->form.p + *form_at, more) == -1)) {
			batch_free(b);
			return NULL;
		}
		old->form.n = *form_at;
		*form_at = 0;
		close_batch(p);
		p->filling = b;
	}
	if (b->nrec == 0) {
		b->from = *place;
		p->stages += l->behind != 0;
		b->stage = p->stages;
		b->lane = l->lane;
		b->doubtful = p->set->once && l->number <= p->journal.sent;
	}
	return b;
}

/* A line, and where it begins. */
static int
add_line(struct push *p, struct push_line *l, const struct batch_place *place)
{
	struct batch *b = p->filling;
	size_t form_at;
	int refused;

	if (b != NULL && b->nrec > 0 && b->text.n + l->len + 1 > p->set->bytes)
		close_batch(p);
	if (p->filling == NULL && (p->filling = push_spare(p)) == NULL)
		return -1;
	b = p->filling;
	form_at = b->form.n;
	l->form = &b->form;
	refused = p->user->check(p->user->arg, l) == -1;
	if (!l->open)
		p->open.line = 0;
	else if (p->open.line == 0)
		p->open = *place;
	if (refused) {
		b->form.n = form_at;
		push_refuse(p, l->number, 0, l->why, l->text, l->len);
		return 0;
	}
	if ((b = batch_for(p, l, place, &form_at)) == NULL || batch_add(b, l->number, l->text, l->len, form_at, l->key, l->nkey) == -1)
		return -1;
	b->last = l->number;
	if (b->nrec == 1)
		p->filling_since = push_now();
	if (l->last || (p->set->records > 0 && b->nrec >= p->set->records) || push_journal_is_cut(p, l->number))
		close_batch(p);
	return 0;
}

int
push_wants(const struct push *p)
{
	size_t all = p->kept.bytes;

	return !p->ended && !p->halted && p->ready.n + p->busy + p->packing.n + p->packed.n <= push_limit(&p->limit) + p->threads &&
	    p->lost.n == 0 && p->late.n == 0 && (all == 0 || all < p->set->memory);
}

int
push_lines(struct push *p, struct rec *in)
{
	int before = p->ready.n;

	while (push_wants(p) && p->ready.n == before && rec_ready(in)) {
		struct push_line l = { .key = "" };
		struct batch_place place = { .offset = in->offset, .line = in->line + 1, .hash = p->hash };
		char *text;
		enum rec_status got = rec_next(in, &text, &l.len);

		if (got == REC_END || got == REC_ERROR) {
			p->ended = p->whole = 1;
			return 0;
		}
		p->account->read++;
		if (p->origin == -1)
			p->hash = push_journal_hash(p->hash, text, got == REC_LONG ? 0 : l.len);
		l.text = text;
		l.number = in->line;
		if (got == REC_LONG)
			push_refuse(p, in->line, 0, "line too long", "", 0);
		else if (add_line(p, &l, &place) == -1) {
			push_lose(p, 1, in->line, 0);
			return -1;
		}
	}
	return 0;
}

/* An earlier run may have sent more lines in this batch. */
static int
was_longer(const struct push *p)
{
	return p->set->once && p->filling->last < p->journal.sent;
}

/*
 * A record waits for others only so long. While all connections are taken closing would only make batches small; and the lines of a file
 * are all there, so that its batches are the same in every run.
 */
int
push_may_close(const struct push *p)
{
	return p->filling != NULL && p->filling->nrec > 0 && p->origin == -1 && !was_longer(p) && p->busy < push_limit(&p->limit);
}

void
push_close_late(struct push *p)
{
	struct batch *b = p->filling;
	int late = push_may_close(p) && push_now() - p->filling_since >= p->set->wait;

	if (b == NULL || b->nrec == 0 || (!p->ended && !late && p->dead_failed == 0))
		return;
	if (!p->ended || !p->whole || p->set->once)
		push_journal_cut(p, b->last);
	if (!p->whole && was_longer(p))
		b->doubtful = BATCH_DIVIDED;
	close_batch(p);
}
