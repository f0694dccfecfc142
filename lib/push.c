#include <sys/signalfd.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
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
	return PUSH_STOP;
}

/* ---- batches ---- */

static struct batch *
take_spare(struct push *p)
{
	struct batch *b = p->spare;

	if (b == NULL)
		return batch_new();
	p->spare = b->next;
	batch_clear(b);
	return b;
}

static void
give_spare(struct push *p, struct batch *b)
{
	b->next = p->spare;
	p->spare = b;
}

static void
put_last(struct push_queue *q, struct batch *b)
{
	b->next = NULL;
	*q->last = b;
	q->last = &b->next;
	q->n++;
}

static void
put_first(struct push_queue *q, struct batch *b)
{
	if ((b->next = q->first) == NULL)
		q->last = &b->next;
	q->first = b;
	q->n++;
}

/* The first batch whose time has come, taken out of the queue; NULL when there is none. */
static struct batch *
take_due(struct push_queue *q, int64_t now)
{
	for (struct batch **at = &q->first; *at != NULL; at = &(*at)->next) {
		struct batch *b = *at;

		if (b->when > now)
			continue;
		if ((*at = b->next) == NULL)
			q->last = at;
		q->n--;
		return b;
	}
	return NULL;
}

static void
lose(struct push *p, uint64_t n, uint64_t first, int doubtful)
{
	p->account->undelivered += n;
	if (doubtful)
		p->account->uncertain += n;
	if (first != 0 && (p->account->first == 0 || first < p->account->first))
		p->account->first = first;
}

/* ---- what came of a request ---- */

void
push_halt(struct push *p, const char *why)
{
	if (p->halted)
		return;
	p->halted = 1;
	(void)snprintf(p->why, sizeof(p->why), "%s", why);
}

static void
halt_for(struct push *p, const char *what)
{
	char why[PUSH_WHY + 64];

	(void)snprintf(why, sizeof(why), "%s: %s", what, strerror(errno));
	push_halt(p, why);
}

static void
tell(struct push *p, const char *why, int again)
{
	int64_t now = push_now();
	char text[PUSH_WHY + 64];

	if (p->noted != 0 && now - p->noted < p->set->every)
		return;
	p->noted = now;
	(void)snprintf(text, sizeof(text), "%s; %s", why, again ? "still trying" : "trying again");
	p->user->note(p->user->arg, text);
}

/* Exponential backoff with full jitter; not before the server wishes. */
static int64_t
next_try(unsigned tries, int64_t after)
{
	int64_t most = tries > 8 ? BACKOFF_MAX : BACKOFF_FIRST << tries;
	int64_t wait;

	if (most > BACKOFF_MAX)
		most = BACKOFF_MAX;
	wait = 1 + (int64_t)arc4random_uniform((uint32_t)most);
	return push_now() + (wait < after ? after : wait);
}

static void
try_again(struct push *p, struct batch *b, int64_t after, const char *why)
{
	int64_t *since = b == NULL ? &p->probe_since : &b->since, *when = b == NULL ? &p->probe_when : &b->when;
	unsigned *tries = b == NULL ? &p->probe_tries : &b->tries;

	*when = next_try((*tries)++, after);
	if (p->set->deadline > 0 && *when - *since > p->set->deadline)
		push_halt(p, why);
	if (!p->halted) {
		tell(p, why, *tries > 1);
		p->account->retries++;
	}
	if (b != NULL)
		put_first(&p->ready, b);
}

static void
refuse(struct push *p, uint64_t line, long status, const char *why, const char *text, size_t len)
{
	p->user->refused(p->user->arg, line, why);
	if (push_dead_put(p, line, status, why, text, len) == -1) {
		halt_for(p, p->set->dead_name);
		lose(p, 1, line, 0);
		return;
	}
	p->account->refused++;
}

static void
halve(struct push *p, struct batch *b, long status, const char *why)
{
	struct batch *rest;

	if (b->nrec == 1) {
		refuse(p, b->rec->line, status, why, b->text.p + b->rec->at, b->rec->len);
		give_spare(p, b);
		return;
	}
	if ((rest = take_spare(p)) == NULL || batch_split(b, rest) == -1) {
		push_halt(p, strerror(errno));
		if (rest != NULL)
			give_spare(p, rest);
		put_first(&p->ready, b);
		return;
	}
	/* These are requests of their own, and the server answers. */
	b->since = 0;
	b->tries = 0;
	put_first(&p->ready, rest);
	put_first(&p->ready, b);
}

void
push_settle(struct push *p, struct push_request *r, enum push_verdict verdict, long status, int64_t after, const char *why)
{
	struct batch *b = r->batch;

	switch (verdict) {
	case PUSH_TAKEN:
		if (b == NULL) {
			p->probes++;
			p->probe_since = p->probe_tries = 0;
			break;
		}
		p->account->accepted += b->nrec;
		if (b->doubtful)
			p->account->doubtful += b->nrec;
		give_spare(p, b);
		break;
	case PUSH_AGAIN:
		try_again(p, b, after, why);
		break;
	case PUSH_SMALLER:
		if (b != NULL && p->bytes > batch_bytes(b) / 2)
			p->bytes = batch_bytes(b) / 2 + 1;
		/* FALLTHROUGH */
	case PUSH_REFUSED:
		if (b != NULL) {
			halve(p, b, status, why);
			break;
		}
		/* FALLTHROUGH */
	case PUSH_STOP:
		push_halt(p, why);
		if (b != NULL)
			put_first(&p->ready, b);
		break;
	}
}

/* ---- input ---- */

static void
close_batch(struct push *p)
{
	put_last(&p->ready, p->filling);
	p->filling = NULL;
}

static int
add_line(struct push *p, uint64_t number, struct push_line *l)
{
	struct batch *b;
	size_t form_at;

	if (p->filling != NULL && p->filling->text.n + p->filling->nrec + l->len + 1 > p->bytes)
		close_batch(p);
	if (p->filling == NULL) {
		if ((p->filling = take_spare(p)) == NULL)
			return -1;
		p->filling_since = 0;
	}
	b = p->filling;
	form_at = b->form.n;
	l->form = &b->form;
	if (p->user->check(p->user->arg, l) == -1) {
		b->form.n = form_at;
		refuse(p, number, 0, l->why, l->text, l->len);
		return 0;
	}
	if (batch_add(b, number, l->text, l->len, form_at, l->key, l->nkey) == -1)
		return -1;
	if (p->filling_since == 0)
		p->filling_since = push_now();
	if (p->set->records > 0 && b->nrec >= p->set->records)
		close_batch(p);
	return 0;
}

static int
probing(const struct push *p)
{
	return p->probes < p->set->nprobe;
}

static int
wants_input(const struct push *p)
{
	return !p->ended && !p->halted && !probing(p) && p->ready.n + p->busy <= p->set->connections;
}

/* Lines that are here, until a batch is full or the next one would have to be waited for. */
static int
take_lines(struct push *p, struct rec *in)
{
	int before = p->ready.n;

	/* Without a record there is nothing to ask the server for. */
	if (probing(p) && in->eof && in->pos == in->end && !in->skipping)
		p->ended = 1;
	while (wants_input(p) && p->ready.n == before && rec_ready(in)) {
		struct push_line l = { .key = "" };
		char *text;
		enum rec_status got = rec_next(in, &text, &l.len);

		if (got == REC_END || got == REC_ERROR) {
			p->ended = 1;
			return 0;
		}
		p->account->read++;
		l.text = text;
		if (got == REC_LONG)
			refuse(p, in->line, 0, "line too long", "", 0);
		else if (add_line(p, in->line, &l) == -1) {
			lose(p, 1, in->line, 0);
			return -1;
		}
	}
	return 0;
}

/* What is ready is taken first; a hang-up or an error is found by reading, too. */
static int
wants_read(struct push *p, struct rec *in)
{
	return !p->ended && !p->halted && (probing(p) || wants_input(p)) && !rec_ready(in);
}

static void
close_late(struct push *p)
{
	if (p->filling == NULL || p->filling->nrec == 0)
		return;
	if (p->ended || push_now() - p->filling_since >= p->set->wait)
		close_batch(p);
}

/* ---- the loop ---- */

static void
interrupt(struct push *p, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (p->interrupted || p->halted) {
		push_halt(p, "interrupted twice");
		p->aborted = 1;
		return;
	}
	p->interrupted = 1;
	if (!p->ended)
		(void)snprintf(p->why, sizeof(p->why), "interrupted");
	p->ended = 1;
	p->user->note(p->user->arg, "interrupted: delivering what was read; once more gives up");
}

static int
start_requests(struct push *p)
{
	struct batch *b;
	int64_t now = push_now();

	if (p->halted)
		return 0;
	if (probing(p))
		return p->busy > 0 || p->probe_when > now ? 0 : push_http_start(p, NULL);
	while (p->busy < p->set->connections && (b = take_due(&p->ready, now)) != NULL) {
		if (push_http_start(p, b) == -1) {
			put_first(&p->ready, b);
			return -1;
		}
	}
	return 0;
}

/* How long nothing can happen by itself. libcurl shortens it for its own timers. */
static int
sleep_ms(const struct push *p)
{
	int64_t now = push_now(), least = now + IDLE_MS;

	if (p->halted)
		return IDLE_MS;
	if (probing(p) && p->busy == 0 && p->probe_when < least)
		least = p->probe_when;
	if (p->busy < p->set->connections)
		for (const struct batch *b = p->ready.first; b != NULL; b = b->next)
			if (b->when < least)
				least = b->when;
	if (p->filling != NULL && p->filling->nrec > 0 && p->filling_since + p->set->wait < least)
		least = p->filling_since + p->set->wait;
	return least <= now ? 0 : (int)(least - now);
}

static int
is_over(const struct push *p)
{
	if (p->aborted)
		return 1;
	if (p->busy > 0)
		return 0;
	return p->halted || (p->ended && p->ready.n == 0 && (p->filling == NULL || p->filling->nrec == 0));
}

static int
turn(struct push *p, struct rec *in, int signals)
{
	struct curl_waitfd fd[2] = { { .fd = signals, .events = CURL_WAIT_POLLIN }, { .fd = in->fd, .events = CURL_WAIT_POLLIN } };
	int reads, ms;

	if (take_lines(p, in) == -1)
		return -1;
	close_late(p);
	if (start_requests(p) == -1 || push_http_turn(p) == -1)
		return -1;
	if (push_dead_sync(p) == -1)
		halt_for(p, p->set->dead_name);
	if (is_over(p))
		return 0;
	reads = wants_read(p, in);
	ms = wants_input(p) && !reads ? 0 : sleep_ms(p);
	if (curl_multi_poll(p->multi, fd, reads ? 2 : 1, ms, NULL) != CURLM_OK) {
		errno = ENOMEM;
		return -1;
	}
	if (fd[0].revents != 0)
		interrupt(p, signals);
	if (reads && fd[1].revents != 0 && rec_fill(in) == -1)
		halt_for(p, in->name);
	return 0;
}

static void
count_rest(struct push *p)
{
	for (const struct batch *b = p->ready.first; b != NULL; b = b->next)
		lose(p, b->nrec, batch_first(b), b->doubtful);
	if (p->filling != NULL)
		lose(p, p->filling->nrec, batch_first(p->filling), 0);
	for (int i = 0; i < p->set->connections; i++)
		if (p->request[i].busy && p->request[i].batch != NULL)
			lose(p, p->request[i].batch->nrec, batch_first(p->request[i].batch), 1); /* on its way */
}

int
push_run(struct push *p, struct rec *in, struct push_account *account, const char **errstr)
{
	sigset_t set;
	int signals;

	*account = (struct push_account){ 0 };
	p->account = account;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1 || (signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) == -1) {
		*errstr = strerror(errno);
		return -1;
	}
	while (!is_over(p)) {
		if (turn(p, in, signals) == -1) {
			push_halt(p, strerror(errno));
			break;
		}
	}
	count_rest(p);
	(void)close(signals);
	if (p->why[0] == '\0')
		return 0;
	*errstr = p->why;
	return -1;
}

struct push *
push_open(const struct push_settings *set, const struct push_user *user, const char **errstr)
{
	struct push *p = calloc(1, sizeof(*p));

	if (p != NULL) {
		p->set = set;
		p->user = user;
		p->bytes = set->bytes;
		p->ready.last = &p->ready.first;
		if (push_http_open(p) == 0)
			return p;
	}
	*errstr = strerror(errno);
	if (p != NULL)
		push_close(p);
	return NULL;
}

void
push_close(struct push *p)
{
	struct batch *b;

	push_http_close(p);
	while ((b = p->ready.first) != NULL) {
		p->ready.first = b->next;
		batch_free(b);
	}
	while ((b = p->spare) != NULL) {
		p->spare = b->next;
		batch_free(b);
	}
	batch_free(p->filling);
	free(p);
}
