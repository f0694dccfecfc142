/*
 * What came of a batch; and whether what the server accepted has lasted, for it keeps it in memory first.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "push_impl.h"

#define DENIED_MS 5000 /* between tries with credentials that are not accepted any more */
#define SPLITS_MAX 8   /* after so many parts one by one, halves: many records are at fault */
#define ASK_MIN 500    /* ms between questions for the server's life */
#define ASK_MAX 3000
#define SECOND 1000 /* ms: what start times are told in */
#define UNTOLD 10   /* such answers in a row, ASK_MIN ms apart, and the server is not asked any more */

/* ---- settlement ---- */

static int
whole(const struct batch *b)
{
	return b->splits == 0 && b->nrec == b->last - b->from.line + 1;
}

/* What a file holds is not kept, nor line numbers that can be counted; others are in the order of the text, as they will be read again. */
static void
keep(struct push *p, struct batch *b)
{
	batch_unsort(b);
	batch_shrink(b);
	if (whole(b)) {
		free(b->rec);
		b->rec = NULL;
		if (p->origin != -1) {
			size_t head = p->set->head == NULL ? 0 : strlen(p->set->head);

			b->hash = batch_hash(b->text.p + head, b->text.n - head);
			free(b->text.p);
			b->text.p = NULL; /* its length stays */
			b->text.size = 0;
		}
	}
	b->when = push_now();
	push_last(b->life == p->nlife ? &p->kept : &p->lost, b);
}

static void
settled(struct push *p, struct batch *b)
{
	p->account->settled += b->nrec;
	batch_free(b);
}

static void
settle_until(struct push *p, int64_t when)
{
	while (p->kept.n > 0 && p->kept.first->when <= when)
		settled(p, push_take(&p->kept));
}

void
push_new_life(struct push *p)
{
	struct batch *b;
	uint64_t n = 0;
	char what[PUSH_WHY];

	p->nlife++;
	p->account->restarts++;
	while ((b = push_take(&p->kept)) != NULL) {
		n += b->nrec;
		push_last(&p->lost, b);
	}
	if (n == 0)
		return;
	(void)snprintf(what, sizeof(what), "the server was started anew: %" PRIu64 " records that it had accepted are sent again", n);
	p->user->note(p->user->arg, what);
}

/* A batch that waits for the server to be known has its deadline, too. */
static void
give_up_late(struct push *p, const char *why)
{
	if (p->set->deadline == 0)
		return;
	for (const struct batch *b = p->ready.first; b != NULL; b = b->next)
		if (b->since > 0 && push_now() - b->since > p->set->deadline)
			push_stop(p, why);
}

static int
is_another(const struct push *p, const struct push_life *life)
{
	return life->start < p->life.start || life->start > p->life.start || life->growth < p->life.growth;
}

/*
 * The server that answers from now on. Start times are whole seconds: one that is killed and started again within the second in which it
 * began could not be told from itself. So it gets no record in that second.
 */
static void
meet(struct push *p, const struct push_life *life)
{
	if (p->life.start > 0)
		push_new_life(p);
	p->grown = life->age >= 1 ? 0 : push_now() + SECOND;
}

/* One that has told who it is may be another when it does not any more. It is asked again before that is believed. */
static void
not_told(struct push *p, long status)
{
	char what[PUSH_WHY];

	if (p->life.start > 0 && ++p->untold < UNTOLD) {
		(void)snprintf(what, sizeof(what), "the server does not tell any more when it was started (%ld)", status);
		push_note(p, what, 1);
		give_up_late(p, what);
		p->unsure = 1;
		return;
	}
	p->mute = 1;
	(void)snprintf(what, sizeof(what),
	    "the server does not tell when it was started (%ld): a crash of it shows only when connections fail", status);
	p->user->note(p->user->arg, what);
	if (p->life.start > 0)
		push_new_life(p);
}

void
push_heard(struct push *p, const struct push_end *end, const struct push_answer *a)
{
	struct push_life life = { 0 };

	if (end->code != CURLE_OK || end->verdict == PUSH_AGAIN) {
		push_note(p, end->why, 1);
		give_up_late(p, end->why);
		return;
	}
	p->unsure = 0;
	if (end->status == 200)
		p->user->alive(p->user->arg, a, &life);
	if (life.start <= 0) {
		not_told(p, end->status);
		return;
	}
	p->untold = 0;
	if (is_another(p, &life))
		meet(p, &life);
	p->life = life;
	settle_until(p, p->asked_life - p->set->settle);
}

int
push_ask_life(struct push *p)
{
	const struct push_question q = { .url = p->set->health };
	struct push_answer a;

	p->asked_life = push_now();
	if (push_ask(p, &q, &a) == -1)
		return -1;
	push_heard(p, &p->asked, &a);
	return 0;
}

/* All of it is on disk, if the server is still the same. */
static int
pass_barrier(struct push *p)
{
	unsigned nlife = p->nlife;

	if (p->user->barrier(p->user->arg, p) == -1) {
		p->barrier_off = 1;
		return 0;
	}
	if (p->halted || push_ask_life(p) == -1)
		return 0;
	if (!p->mute && !p->unsure && nlife == p->nlife)
		settle_until(p, INT64_MAX);
	return 0;
}

static int
wants_barrier(const struct push *p)
{
	if (p->user->barrier == NULL || p->barrier_off || p->mute || p->unsure || p->asking || p->busy > 0 || p->ready.n > 0 ||
	    p->packing.n > 0 || p->packed.n > 0 || p->lost.n > 0)
		return 0;
	return p->kept.bytes >= p->set->memory || (p->ended && (p->filling == NULL || p->filling->nrec == 0));
}

static int64_t
ask_when(const struct push *p)
{
	int64_t late = p->asked_life + ASK_MAX, soon = p->asked_life + ASK_MIN, ripe;

	if (p->unsure)
		return soon;
	ripe = p->kept.first->when + p->set->settle;
	if (ripe < late)
		late = ripe;
	return late < soon ? soon : late;
}

int
push_settle(struct push *p)
{
	const struct push_question q = { .url = p->set->health };
	int64_t now = push_now();

	if ((p->kept.n == 0 && !p->unsure) || p->halted)
		return 0;
	if (wants_barrier(p))
		return pass_barrier(p);
	if (p->mute) {
		settle_until(p, now - p->set->settle);
		return 0;
	}
	if (p->asking || ask_when(p) > now)
		return 0;
	if (p->set->deadline > 0 && p->kept.n > 0 && now - p->kept.first->when - p->set->settle > p->set->deadline) {
		push_stop(p, "the server cannot be asked whether what it accepted has lasted");
		return 0;
	}
	p->asked_life = now;
	p->asking = 1;
	return push_http_ask(p, &q);
}

int64_t
push_settle_when(const struct push *p)
{
	if ((p->kept.n == 0 && !p->unsure) || p->asking)
		return INT64_MAX;
	return p->mute ? p->kept.first->when + p->set->settle : ask_when(p);
}

/* ---- what was lost, again ---- */

/* Where records are told apart, that does not help when a batch that may be there was divided. */
static int
may_double(const struct push *p, const struct batch *b)
{
	return b->doubtful && (!p->set->once || b->doubtful == BATCH_DIVIDED);
}

/* The lines of a batch, from the file when they were not kept. */
static const char *
lines_of(struct push *p, struct batch *b, size_t head)
{
	size_t n = b->text.n - head, done = 0;
	char *to;

	if (b->text.p != NULL)
		return b->text.p + head;
	b->text.n = 0;
	if ((to = buf_room(&b->text, n)) == NULL)
		return NULL;
	while (done < n) {
		ssize_t got = pread(p->fd, to + done, n - done, (off_t)(p->origin + (int64_t)b->from.offset + (int64_t)done));

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return NULL;
		if (got == 0 && done == n - 1) {
			to[done++] = '\n'; /* the last line had none */
			continue;
		}
		if (got == 0) {
			push_stop(p, "the input is shorter than it was");
			errno = EIO;
			return NULL;
		}
		done += (size_t)got;
	}
	b->text.n = n;
	if (batch_hash(to, n) != b->hash) {
		push_stop(p, "the input is not what it was");
		errno = EIO;
		return NULL;
	}
	return to;
}

static int
add_again(struct push *p, struct batch *b, uint64_t number, const char *text, size_t len)
{
	struct push_line l = { .text = text, .len = len, .number = number, .form = &b->form, .key = "" };
	size_t form_at = b->form.n;

	if (p->user->check(p->user->arg, &l) == -1) {
		b->form.n = form_at;
		push_refuse(p, number, 0, l.why, text, len);
		return 0;
	}
	return batch_add(b, number, text, len, form_at, l.key, l.nkey);
}

int
push_replay(struct push *p, struct batch *old)
{
	const char *at = lines_of(p, old, p->set->head == NULL ? 0 : strlen(p->set->head)), *end = old->text.p + old->text.n, *nl;
	struct batch *b = at == NULL ? NULL : push_spare(p);

	p->account->accepted -= old->nrec;
	p->account->replayed += old->nrec;
	if (may_double(p, old))
		p->account->doubtful -= old->nrec;
	if (b == NULL) {
		push_lose(p, old->nrec, old->rec == NULL ? old->from.line : batch_first(old), 1);
		batch_free(old);
		return -1;
	}
	b->from = old->from;
	b->last = old->last;
	b->splits = old->splits;
	b->lane = old->lane;
	b->stage = old->stage;
	b->doubtful = b->replayed = 1;
	for (size_t i = 0; i < old->nrec; i++, at = nl + 1) {
		nl = memchr(at, '\n', (size_t)(end - at));
		if (nl == NULL || add_again(p, b, old->rec == NULL ? old->from.line + i : old->rec[i].line, at, (size_t)(nl - at)) == -1) {
			push_lose(p, old->nrec - i, old->rec == NULL ? old->from.line + i : old->rec[i].line, 1);
			push_stop(p, "the input is not what it was");
			break;
		}
	}
	batch_free(old);
	if (b->nrec > 0)
		push_first(&p->ready, b);
	else
		push_give(p, b);
	return 0;
}

/* ---- outcomes ---- */

static void
taken(struct push *p, struct batch *b)
{
	p->trusted = 1;
	if (b->text.n > p->took)
		p->took = b->text.n;
	p->account->accepted += b->nrec;
	if (may_double(p, b))
		p->account->doubtful += b->nrec;
	if (p->set->settle > 0) {
		keep(p, b);
		return;
	}
	p->account->settled += b->nrec;
	push_give(p, b);
}

static void
try_again(struct push *p, struct batch *b, int64_t after, const char *why)
{
	int64_t wait = push_backoff(b->tries++);

	b->when = push_now() + (wait < after ? after : wait);
	if (b->step > 0)
		batch_undo(b);
	if (p->set->deadline > 0 && b->when - b->since > p->set->deadline)
		push_stop(p, why);
	if (!p->halted) {
		push_note(p, why, b->tries > 1);
		p->account->retries++;
	}
	push_first(&p->ready, b);
}

/* These are requests of their own, and the server answers. */
static void
anew(struct push *p, struct batch *b)
{
	if (b->nrec == 0) {
		push_give(p, b);
		return;
	}
	b->since = b->when = 0;
	b->tries = 0;
	if (b->step > 0)
		batch_undo(b);
	push_first(&p->ready, b);
}

/* The records from the n-th on, as a batch of their own in front of the others. */
static int
part(struct push *p, struct batch *b, size_t n)
{
	struct batch *rest;

	if (n >= b->nrec)
		return 0;
	if ((rest = push_spare(p)) == NULL)
		return -1;
	if (batch_split(b, n, rest) == -1) {
		push_give(p, rest);
		return -1;
	}
	/* After a crash it is divided at the same place again, whatever the server thinks of the whole then, and ends where it ended. */
	if (p->set->once && n > 0) {
		push_journal_cut(p, b->rec[n - 1].line);
		push_journal_cut(p, b->last);
	}
	anew(p, rest);
	return 0;
}

int
push_fit(struct push *p, struct batch *b)
{
	size_t too_much = p->set->once ? p->too_much : p->too_much - p->too_much / 8; /* or every batch would try a little less */

	/* What may be there already is sent as it was. */
	while (p->too_much > 0 && b->text.n >= too_much && b->nrec > 1 && !b->doubtful)
		if (part(p, b, b->nrec - b->nrec / 2) == -1)
			return -1;
	return 0;
}

/*
 * A row that the server names is sent alone, and so are those before it, which it could read, and those behind it. When this happens again
 * and again in one batch, what is behind is halved, too.
 */
static void
divide(struct push *p, struct batch *b, long status, uint64_t row, const char *why)
{
	int failed;

	if (b->nrec == 1) {
		push_refuse(p, b->rec->line, status, why, b->text.p + b->rec->at, b->rec->len);
		push_give(p, b);
		return;
	}
	if (row == 0 || row > b->nrec || b->ngroup > 1)
		failed = part(p, b, b->nrec - b->nrec / 2);
	else {
		size_t at = (size_t)row, middle = at + (b->nrec - at) / 2;

		failed = (b->splits > SPLITS_MAX && middle > at ? part(p, b, middle) : 0) == -1 || part(p, b, at) == -1 ||
		    (at > 1 && part(p, b, at - 1) == -1);
	}
	if (failed)
		push_stop(p, strerror(errno));
	anew(p, b);
}

static void
next_step(struct push *p, struct batch *b)
{
	b->step++;
	b->body.n = 0;
	b->when = 0;
	b->tries = 0;
	push_first(&p->ready, b);
}

static void
denied(struct push *p, struct batch *b, int64_t after, const char *why)
{
	if (!p->trusted) {
		push_stop(p, why);
		push_first(&p->ready, b);
		return;
	}
	push_auth_again(p);
	try_again(p, b, after < DENIED_MS ? DENIED_MS : after, why);
}

static void
follow(struct push *p, struct batch *b, const struct push_reply *reply, const struct push_end *end)
{
	switch (reply->verdict) {
	case PUSH_TAKEN:
		taken(p, b);
		break;
	case PUSH_NEXT:
		next_step(p, b);
		break;
	case PUSH_AGAIN:
		try_again(p, b, end->after, reply->why);
		break;
	case PUSH_SMALLER:
		/* One record that is refused though more was taken at once is at fault by itself, and so was what held it. */
		if (b->nrec == 1 && b->text.n < p->took)
			p->too_much = 0;
		else if (p->too_much == 0 || b->text.n < p->too_much)
			p->too_much = b->text.n;
		if (b->doubtful && b->nrec > 1)
			b->doubtful = BATCH_DIVIDED;
		divide(p, b, end->status, 0, reply->why);
		break;
	case PUSH_REFUSED:
		divide(p, b, end->status, reply->row, reply->why);
		break;
	case PUSH_DENIED:
		denied(p, b, end->after, reply->why);
		break;
	case PUSH_STOP:
		push_stop(p, reply->why);
		push_first(&p->ready, b);
		break;
	}
}

/* A connection that fails may be that of a server that died. */
static void
suspect(struct push *p)
{
	push_limit_lost(&p->limit);
	if (p->mute && p->kept.n > 0)
		push_new_life(p);
	else if (!p->mute && p->set->settle > 0) {
		p->unsure = 1;
		p->asked_life = 0;
	}
}

void
push_judge(struct push *p, struct push_request *r, const struct push_end *end, const struct push_answer *a)
{
	struct batch *b = r->batch;
	struct push_reply reply = { .verdict = end->verdict, .known = &b->known };

	(void)snprintf(reply.why, sizeof(reply.why), "%s", end->why);
	if (a != NULL) {
		/* Such answers come from who has stored nothing. */
		reply.untouched = (end->verdict == PUSH_AGAIN && (end->status == 429 || end->status == 503)) ||
		    ((end->verdict == PUSH_STOP || end->verdict == PUSH_DENIED) && end->status >= 300) || end->verdict == PUSH_SMALLER;
		p->user->answer(p->user->arg, b, a, &reply);
		push_auth_mask(p, reply.why);
		push_clean(reply.why);
		hist_add(&p->times, end->took);
	} else
		suspect(p);
	if (reply.untouched && reply.verdict == PUSH_TAKEN)
		b->doubtful = 0;
	else if (b->doubtful == 0 && (r->sendings > 1 || (r->sendings > 0 && reply.verdict != PUSH_TAKEN && !reply.untouched)))
		b->doubtful = 1; /* not by libcurl's count of bytes: that is 0 again when its own second try finds nobody */
	if (reply.verdict == PUSH_TAKEN || reply.verdict == PUSH_NEXT)
		push_limit_answer(&p->limit, (double)end->took, p->busy + 1);
	else if (reply.verdict == PUSH_AGAIN && a != NULL)
		push_limit_refused(&p->limit);
	follow(p, b, &reply, end);
}
