#include <sys/signalfd.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "push_impl.h"

#define BACKOFF_FIRST 100 /* ms: upper end of the first wait; doubled with each try */
#define BACKOFF_MAX 30000
#define IDLE_MS 60000 /* longest sleep */

int64_t
push_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
push_backoff(unsigned tries)
{
	int64_t most = tries > 8 ? BACKOFF_MAX : BACKOFF_FIRST << tries;

	return 1 + (int64_t)arc4random_uniform((uint32_t)(most > BACKOFF_MAX ? BACKOFF_MAX : most));
}

enum push_verdict
push_verdict(long status)
{
	if (status >= 200 && status < 300)
		return PUSH_TAKEN;
	if (status == 408 || status == 425 || status == 429 || status >= 500)
		return PUSH_AGAIN;
	if (status == 413)
		return PUSH_SMALLER;
	if (status == 400 || status == 422)
		return PUSH_REFUSED;
	if (status == 401 || status == 403)
		return PUSH_DENIED;
	return PUSH_STOP;
}

/* ---- telling ---- */

void
push_stop(struct push *p, const char *why)
{
	if (p->halted)
		return;
	p->halted = 1;
	(void)snprintf(p->why, sizeof(p->why), "%s", why);
	push_auth_mask(p, p->why);
}

int
push_wrong(struct push *p, const char *name, const char *why)
{
	(void)snprintf(p->why, sizeof(p->why), "%s: %s", name, why == NULL ? strerror(errno) : why);
	return -1;
}

const char *
push_error(const struct push *p)
{
	return p->why;
}

const char *
push_mark(const struct push *p)
{
	return p->mark;
}

int
push_signals(const struct push *p)
{
	return p->signals;
}

void
push_note(struct push *p, const char *why, int again)
{
	int64_t now = push_now();
	char text[PUSH_WHY + 64];

	if (p->noted != 0 && now - p->noted < p->set->every)
		return;
	p->noted = now;
	(void)snprintf(text, sizeof(text), "%s; %s", why, again ? "still trying" : "trying again");
	p->user->note(p->user->arg, text);
}

void
push_lose(struct push *p, uint64_t n, uint64_t first, int doubtful)
{
	p->journal.frozen = 1;
	p->account->undelivered += n;
	if (doubtful)
		p->account->uncertain += n;
	if (first != 0 && (p->account->first == 0 || first < p->account->first))
		p->account->first = first;
}

/* ---- signals ---- */

static int
open_signals(struct push *p)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	return (p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) == -1 ? -1 : 0;
}

static void
give_up(struct push *p, const char *why)
{
	push_stop(p, why);
	p->aborted = 1;
}

void
push_interrupt(struct push *p)
{
	struct signalfd_siginfo info;

	if (read(p->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (p->interrupts++ > 0 || p->halted) {
		give_up(p, "interrupted twice");
		return;
	}
	if (!p->ended)
		(void)snprintf(p->why, sizeof(p->why), "interrupted");
	p->ended = 1;
	p->give_up = p->set->drain > 0 ? push_now() + p->set->drain : 0;
	p->user->note(p->user->arg, "interrupted: delivering what was read; once more gives up");
}

/* ---- questions ---- */

/* Sleep until then, or a signal. 0, or -1: interrupted */
static int
rest(struct push *p, int64_t until)
{
	int before = p->interrupts;

	while (p->interrupts == before) {
		struct curl_waitfd fd = { .fd = p->signals, .events = CURL_WAIT_POLLIN };
		int64_t left = until - push_now();

		if (left <= 0)
			return 0;
		(void)curl_multi_poll(p->multi, &fd, 1, left > IDLE_MS ? IDLE_MS : (int)left, NULL);
		if (fd.revents != 0)
			push_interrupt(p);
	}
	return -1;
}

/* One try. 0 when it ended, or -1: interrupted, or no memory */
static int
ask_once(struct push *p, const struct push_question *q)
{
	int before = p->interrupts;

	p->question_done = 0;
	if (push_http_ask(p, q) == -1)
		goto fail;
	for (;;) {
		struct curl_waitfd fd = { .fd = p->signals, .events = CURL_WAIT_POLLIN };

		if (push_http_turn(p) == -1)
			goto fail;
		if (p->question_done)
			return 0;
		if (p->interrupts != before || (p->give_up > 0 && push_now() >= p->give_up)) {
			push_http_drop(p, &p->request[p->set->connections]);
			push_stop(p, "interrupted");
			return -1;
		}
		if (curl_multi_poll(p->multi, &fd, 1, 1000, NULL) != CURLM_OK) {
			errno = ENOMEM;
			goto fail;
		}
		if (fd.revents != 0)
			push_interrupt(p);
	}
fail:
	push_stop(p, strerror(errno));
	return -1;
}

int
push_ask(struct push *p, const struct push_question *q, struct push_answer *a)
{
	int64_t since = push_now(), after;

	if (p->halted)
		return -1;
	/* There is one place for questions. */
	if (p->asking)
		push_http_drop(p, &p->request[p->set->connections]);
	p->asking = 0;
	p->asked_answer = a;
	p->question = q;
	for (unsigned tries = 0;; tries++) {
		if (ask_once(p, q) == -1)
			return -1;
		if (p->asked.code == CURLE_OK && p->asked.verdict != PUSH_AGAIN)
			return 0;
		if (p->asked.verdict == PUSH_STOP) {
			push_stop(p, p->asked.why);
			return -1;
		}
		p->account->retries++;
		after = push_backoff(tries);
		if (after < p->asked.after)
			after = p->asked.after;
		if (p->set->deadline > 0 && push_now() + after - since > p->set->deadline) {
			push_stop(p, p->asked.why);
			return -1;
		}
		push_note(p, p->asked.why, tries > 0);
		if (rest(p, push_now() + after) == -1) {
			push_stop(p, "interrupted");
			return -1;
		}
	}
}

/* ---- the loop ---- */

static int
begin(struct push *p)
{
	if (p->begun)
		return 0;
	p->begun = 1;
	if (p->set->settle > 0 && push_ask_life(p) == -1)
		return 0;
	if (p->user->begin == NULL || p->user->begin(p->user->arg, p) == 0)
		return 0;
	push_stop(p, "the server was not asked");
	return 0;
}

static int
may_send(const struct push *p)
{
	return p->busy < push_limit(&p->limit) && !p->unsure && push_now() >= p->grown;
}

/* 0; 1: not now, or not by us; -1 with errno. What is not sent is in front of the queue again, but for what the pool has. */
static int
start(struct push *p, struct batch *b)
{
	int got = 1;

	if (push_fit(p, b) == -1)
		got = -1;
	else if (p->pool == NULL || b->body.n > 0 || p->packing.n + p->packed.n <= p->threads) {
		if ((got = push_http_pack(p, b)) == 1)
			return 0;
		if (got == 0)
			got = !may_send(p) || !push_journal_reach(p, b) ? 1 : push_http_start(p, b);
	}
	if (got != 0)
		push_first(&p->ready, b);
	return got;
}

static int
start_requests(struct push *p)
{
	struct batch *b;
	int64_t now = push_now();
	int got = 0;

	if (p->pool != NULL && push_http_packed(p) == -1)
		return -1;
	while (!p->halted && got == 0 && p->busy < push_limit(&p->limit) && (b = push_take(&p->packed)) != NULL)
		got = start(p, b);
	while (!p->halted && got == 0) {
		if (p->ready.n == 0 && p->lost.n > 0 && p->busy < push_limit(&p->limit) && push_replay(p, push_take(&p->lost)) == -1)
			return -1;
		if ((b = push_due(p, now)) == NULL)
			return 0;
		got = start(p, b);
	}
	return got == -1 ? -1 : 0;
}

static void
earlier(int64_t *least, int64_t when)
{
	if (when < *least)
		*least = when;
}

/* When the next batch may go, if nothing else happens. */
static int64_t
start_when(const struct push *p)
{
	int64_t least = INT64_MAX;
	uint64_t stage = push_stage(p);

	if (p->busy >= push_limit(&p->limit) || p->unsure)
		return least;
	if (p->packed.n > 0 || (p->ready.n == 0 && p->lost.n > 0))
		least = 0;
	for (const struct batch *b = p->ready.first; b != NULL; b = b->next)
		if (!push_must_wait(p, b, stage))
			earlier(&least, b->when);
	if (least < p->grown)
		least = p->grown;
	/* The journal comes before the batch, and dead letters before the journal. */
	if (p->set->journal != NULL && least != INT64_MAX) {
		if (p->late.n > 0 && least < p->dead_when)
			least = p->dead_when;
		if (p->journal.failed > 0 && least < p->journal.when)
			least = p->journal.when;
	}
	return least;
}

/* How long nothing can happen by itself. libcurl shortens it for its own timers. */
static int
sleep_ms(const struct push *p)
{
	int64_t now = push_now(), least = now + IDLE_MS;

	if (p->tick > 0)
		earlier(&least, p->tick);
	if (p->give_up > 0)
		earlier(&least, p->give_up);
	earlier(&least, push_http_late(p));
	if (p->halted)
		return least <= now ? 0 : (int)(least - now);
	earlier(&least, start_when(p));
	if (push_may_close(p))
		earlier(&least, p->filling_since + p->set->wait);
	if (p->late.n > 0)
		earlier(&least, p->dead_when);
	if (p->set->journal != NULL)
		earlier(&least, p->journal.when > now ? p->journal.when : now + 1000);
	earlier(&least, push_settle_when(p));
	return least <= now ? 0 : (int)(least - now);
}

static int
is_over(const struct push *p)
{
	if (p->aborted)
		return 1;
	if (p->busy > 0)
		return 0;
	return p->halted ||
	    (p->ended && p->ready.n == 0 && p->packing.n == 0 && p->packed.n == 0 && p->kept.n == 0 && p->lost.n == 0 && p->late.n == 0 &&
		(p->filling == NULL || p->filling->nrec == 0));
}

static int
work(struct push *p, struct rec *in)
{
	if (!p->begun && (p->ended || !rec_ready(in)))
		return 0;
	if (!p->begun && in->eof && in->pos == in->end && !in->skipping) {
		p->ended = p->whole = 1; /* without a record there is nothing to ask the server for */
		return 0;
	}
	if (begin(p) == -1 || push_lines(p, in) == -1)
		return -1;
	push_close_late(p);
	if (start_requests(p) == -1 || push_http_turn(p) == -1 || push_settle(p) == -1)
		return -1;
	return 0;
}

/* What cannot be written now is written later; meanwhile no line is read. */
static void
write_files(struct push *p)
{
	push_dead_sync(p);
	push_journal_turn(p);
	push_stats_turn(p, 0);
	if (p->give_up > 0 && push_now() >= p->give_up && !is_over(p))
		give_up(p, "interrupted, and not done in time");
}

static int
turn(struct push *p, struct rec *in)
{
	struct curl_waitfd fd[3] = { { .fd = p->signals, .events = CURL_WAIT_POLLIN } };
	unsigned n = 1;
	int reads;

	if (work(p, in) == -1)
		return -1;
	write_files(p);
	if (is_over(p))
		return 0;
	reads = push_wants(p) && !rec_ready(in);
	if (reads)
		fd[n++] = (struct curl_waitfd){ .fd = in->fd, .events = CURL_WAIT_POLLIN };
	if (p->pool != NULL)
		fd[n++] = (struct curl_waitfd){ .fd = pool_fd(p->pool), .events = CURL_WAIT_POLLIN };
	if (curl_multi_poll(p->multi, fd, n, push_wants(p) && !reads ? 0 : sleep_ms(p), NULL) != CURLM_OK) {
		errno = ENOMEM;
		return -1;
	}
	if (fd[0].revents != 0)
		push_interrupt(p);
	if (reads && fd[1].revents != 0 && rec_fill(in) == -1) {
		char why[PUSH_WHY];

		(void)snprintf(why, sizeof(why), "%s: %s", in->name, strerror(errno));
		push_stop(p, why);
	}
	return 0;
}

static void
count_rest(struct push *p)
{
	const struct push_queue *queue[] = { &p->ready, &p->packing, &p->packed };

	for (size_t i = 0; i < sizeof(queue) / sizeof(queue[0]); i++)
		for (const struct batch *b = queue[i]->first; b != NULL; b = b->next)
			push_lose(p, b->nrec, batch_first(b), b->doubtful);
	for (const struct batch *b = p->lost.first; b != NULL; b = b->next) {
		p->account->accepted -= b->nrec;
		push_lose(p, b->nrec, b->rec == NULL ? b->from.line : batch_first(b), 1);
	}
	for (const struct batch *b = p->kept.first; b != NULL; b = b->next)
		p->account->unsettled += b->nrec;
	if (p->filling != NULL)
		push_lose(p, p->filling->nrec, batch_first(p->filling), 0);
	for (int i = 0; i < p->set->connections; i++)
		if (p->request[i].busy && p->request[i].batch != NULL)
			push_lose(p, p->request[i].batch->nrec, batch_first(p->request[i].batch), 1); /* on its way */
}

int
push_run(struct push *p, struct rec *in, struct push_account *account)
{
	*account = p->none; /* what was asked before */
	p->account = account;
	p->in = in;
	p->fd = in->fd;
	if (push_journal_skip(p) == -1)
		push_stop(p, "the journal cannot be written");
	while (!is_over(p)) {
		if (turn(p, in) == -1) {
			push_stop(p, strerror(errno));
			break;
		}
	}
	while (push_journal_end(p) == -1 && !p->halted && (p->give_up == 0 || push_now() < p->give_up) && rest(p, p->journal.when) == 0)
		;
	count_rest(p);
	push_dead_close(p);
	push_stats_turn(p, 1);
	return p->why[0] == '\0' ? 0 : -1;
}

struct push *
push_open(const struct push_settings *set, const struct push_user *user, char why[PUSH_WHY])
{
	struct push *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)snprintf(why, PUSH_WHY, "%s", strerror(errno));
		return NULL;
	}
	p->set = set;
	p->user = user;
	p->signals = p->dead = p->stats = p->journal.fd = -1;
	p->origin = -1;
	p->account = &p->none;
	p->began = push_now();
	p->ready.last = &p->ready.first;
	p->packing.last = &p->packing.first;
	p->packed.last = &p->packed.first;
	p->kept.last = &p->kept.first;
	p->lost.last = &p->lost.first;
	for (int i = 0; i < 32; i += 8)
		(void)snprintf(p->mark + i, 9, "%08" PRIx32, arc4random());
	push_limit_open(&p->limit, set->connections);
	/* Signals last: opening a pipe may wait for its reader. */
	if (push_http_open(p) == -1 || push_auth_open(p) == -1 || push_journal_open(p) == -1 || push_dead_open(p) == -1 ||
	    push_stats_open(p) == -1 || open_signals(p) == -1) {
		(void)snprintf(why, PUSH_WHY, "%.*s", PUSH_WHY - 1, p->why[0] == '\0' ? strerror(errno) : p->why);
		push_close(p);
		return NULL;
	}
	return p;
}

void
push_close(struct push *p)
{
	struct push_queue *queue[] = { &p->ready, &p->packing, &p->packed, &p->kept, &p->lost };
	struct batch *b;

	push_http_close(p);
	for (size_t i = 0; i < sizeof(queue) / sizeof(queue[0]); i++)
		while ((b = push_take(queue[i])) != NULL)
			batch_free(b);
	while ((b = p->spare) != NULL) {
		p->spare = b->next;
		batch_free(b);
	}
	batch_free(p->filling);
	push_auth_close(p);
	push_dead_close(p);
	push_journal_close(p);
	push_stats_close(p);
	if (p->signals != -1)
		(void)close(p->signals);
	free(p);
}
