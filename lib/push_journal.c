/*
 * The journal: to what place of the input all is settled, so that the same command can go on there after a crash. It is text, written to
 * a new file that is synced and takes the place of the old one; whoever loads holds a lock on it.
 *
 *	og-journal 1
 *	target NAME      server and way of loading
 *	mark HEX         of the load, for records that carry one
 *	offset N         bytes of input that are settled
 *	line N           lines in them
 *	reach N          no line behind this one was ever sent
 *	refused N        records refused among them
 *	dead N           bytes that the dead-letter file had before the load
 *	tail HEX         hash of the input's last bytes before the offset; 0: unknown
 *	lines HEX        hash of all lines before it, of a pipe; 0: unknown
 *	head HEX         hash of the header before the records; 0: none
 *	cut N            last line of a batch that its size did not end; any number of these
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "mix.h"
#include "push_impl.h"

#define EVERY 250  /* ms: of input that is sent again after a crash */
#define TAIL 4096  /* bytes */
#define LEAST 1000 /* lines that may be sent before it is written again */

static const char head[] = "og-journal 1";

/* ---- reading ---- */

static int
add_cut(struct push_journal *j, uint64_t line)
{
	if (j->ncut == j->cuts) {
		size_t cuts = j->cuts == 0 ? 16 : j->cuts * 2;
		uint64_t *cut = reallocarray(j->cut, cuts, sizeof(*cut));

		if (cut == NULL)
			return -1;
		j->cut = cut;
		j->cuts = cuts;
	}
	j->cut[j->ncut++] = line;
	return 0;
}

static int
number(const char *text, int base, uint64_t *to)
{
	char *end;

	errno = 0;
	*to = strtoull(text, &end, base);
	return *text == '-' || *text == '\0' || *end != '\0' || errno != 0 ? -1 : 0;
}

/* NULL, or what is wrong. */
static const char *
read_word(struct push *p, const char *name, const char *value, unsigned *seen)
{
	struct push_journal *j = &p->journal;
	uint64_t n;
	struct {
		const char *name;
		uint64_t *to;
	} numbers[] = { { "offset", &j->place.offset }, { "line", &j->place.line }, { "reach", &j->reach }, { "refused", &p->none.earlier },
		{ "dead", &j->dead } };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(name, numbers[i].name) == 0) {
			*seen |= 1U << i;
			return number(value, 10, numbers[i].to) == -1 ? "the journal is damaged" : NULL;
		}
	}
	if (strcmp(name, "tail") == 0)
		return number(value, 16, &j->tail) == -1 ? "the journal is damaged" : NULL;
	if (strcmp(name, "lines") == 0)
		return number(value, 16, &j->place.hash) == -1 ? "the journal is damaged" : NULL;
	if (strcmp(name, "head") == 0)
		return number(value, 16, &n) == 0 && n == j->head ? NULL : "the journal is that of an input with another header";
	if (strcmp(name, "target") == 0) {
		*seen |= 32;
		return strcmp(value, p->set->target) == 0 ? NULL : "the journal is that of another load: other server, options or program";
	}
	if (strcmp(name, "mark") == 0 && strlen(value) == 32 && strspn(value, "0123456789abcdef") == 32) {
		*seen |= 64;
		memcpy(p->mark, value, 32);
		return NULL;
	}
	if (strcmp(name, "cut") == 0 && number(value, 10, &n) == 0)
		return add_cut(j, n) == -1 ? strerror(errno) : NULL;
	return "the journal is damaged";
}

static const char *
parse(struct push *p, char *text)
{
	unsigned seen = 0;
	char *line = strsep(&text, "\n");

	if (strcmp(line, head) != 0)
		return "the journal is a file of another kind";
	while ((line = strsep(&text, "\n")) != NULL && *line != '\0') {
		char *value = strchr(line, ' ');
		const char *why;

		if (value == NULL)
			return "the journal is damaged";
		*value++ = '\0';
		if ((why = read_word(p, line, value, &seen)) != NULL)
			return why;
	}
	return seen == 127 && line != NULL && p->journal.place.line <= p->journal.reach ? NULL : "the journal is damaged";
}

static int
load(struct push *p, const char **errstr)
{
	struct buf b = { 0 };
	ssize_t got = 0;
	char *to;

	while ((to = buf_room(&b, 65536)) != NULL && (got = read(p->journal.fd, to, 65535)) > 0)
		b.n += (size_t)got;
	if (to == NULL || got == -1) {
		buf_free(&b);
		return -1;
	}
	if (b.n > 0) {
		b.p[b.n] = '\0';
		*errstr = strlen(b.p) == b.n ? parse(p, b.p) : "the journal is damaged";
		p->journal.old = 1;
	}
	buf_free(&b);
	return *errstr == NULL ? 0 : -1;
}

/* ---- writing ---- */

static void
least(struct batch_place *place, const struct batch *b)
{
	for (; b != NULL; b = b->next)
		if (b->from.offset < place->offset)
			*place = b->from;
}

/* What is before it is settled, or refused and written down. */
static struct batch_place
low(const struct push *p)
{
	struct batch_place place = { p->in->offset, p->in->line + 1, p->hash };

	least(&place, p->ready.first);
	least(&place, p->packing.first);
	least(&place, p->packed.first);
	least(&place, p->kept.first);
	least(&place, p->lost.first);
	if (p->filling != NULL && p->filling->nrec > 0 && p->filling->from.offset < place.offset)
		place = p->filling->from;
	if (p->open.line > 0 && p->open.offset < place.offset)
		place = p->open;
	for (int i = 0; i < p->set->connections; i++) {
		const struct push_request *r = &p->request[i];

		if (r->busy && r->batch != NULL && r->batch->from.offset < place.offset)
			place = r->batch->from;
	}
	place.line--; /* lines before it */
	return place;
}

static uint64_t
tail_of(const char *from, size_t n)
{
	uint64_t hash = mix_name(from, n);

	return hash == 0 ? 1 : hash;
}

uint64_t
push_journal_hash(uint64_t hash, const char *line, size_t len)
{
	hash = mix(hash ^ batch_hash(line, len));
	return hash == 0 ? 1 : hash;
}

/* From the file itself. 0: unknown */
static uint64_t
file_tail(const struct push *p, uint64_t offset)
{
	char bytes[TAIL];
	size_t n = offset < TAIL ? (size_t)offset : TAIL;

	if (p->origin == -1 || pread(p->fd, bytes, n, (off_t)((uint64_t)p->origin + offset - n)) != (ssize_t)n)
		return 0;
	return tail_of(bytes, n);
}

static int
compose(const struct push *p, const struct batch_place *place, uint64_t reach, struct buf *b)
{
	const struct push_journal *j = &p->journal;
	char text[512];
	int n = snprintf(text, sizeof(text),
	    "%s\nmark %s\noffset %" PRIu64 "\nline %" PRIu64 "\nreach %" PRIu64 "\nrefused %" PRIu64 "\ndead %" PRIu64 "\ntail %" PRIx64
	    "\nlines %" PRIx64 "\nhead %" PRIx64 "\ntarget ",
	    head, p->mark, place->offset, place->line, reach, p->account->earlier + j->refused, j->dead, file_tail(p, place->offset),
	    place->hash, j->head);

	if (buf_put(b, text, (size_t)n) == -1 || buf_puts(b, p->set->target) == -1 || buf_puts(b, "\n") == -1)
		return -1;
	for (size_t i = 0; i < j->ncut; i++) {
		n = snprintf(text, sizeof(text), "cut %" PRIu64 "\n", j->cut[i]);
		if (buf_put(b, text, (size_t)n) == -1)
			return -1;
	}
	return 0;
}

static int
replace(struct push *p, const struct buf *b)
{
	struct push_journal *j = &p->journal;
	int fd = open(j->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t done = 0;

	if (fd == -1)
		return -1;
	while (done < b->n) {
		ssize_t put = write(fd, b->p + done, b->n - done);

		if (put == -1 && errno != EINTR)
			break;
		if (put > 0)
			done += (size_t)put;
	}
	if (done < b->n || flock(fd, LOCK_EX | LOCK_NB) == -1 || fsync(fd) == -1 || rename(j->fresh, j->name) == -1 ||
	    file_sync_folder(j->name) == -1) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
		return -1;
	}
	if (j->fd != -1)
		(void)close(j->fd);
	j->fd = fd;
	return 0;
}

static void
forget_cuts(struct push_journal *j, uint64_t line)
{
	size_t n = 0;

	while (n < j->ncut && j->cut[n] <= line)
		n++;
	memmove(j->cut, j->cut + n, (j->ncut - n) * sizeof(*j->cut));
	j->ncut -= n;
}

/* What was refused before the place is counted in it; what is behind it will be refused again. */
static void
forget_bad(struct push_journal *j, uint64_t line)
{
	size_t n = 0;

	for (size_t i = 0; i < j->nbad; i++) {
		if (j->bad[i] <= line)
			j->refused++;
		else
			j->bad[n++] = j->bad[i];
	}
	j->nbad = n;
}

static void
failed(struct push *p)
{
	struct push_journal *j = &p->journal;
	int error = errno;
	char why[PUSH_WHY];

	(void)snprintf(why, sizeof(why), "%s: %s", p->set->journal, strerror(error));
	if (j->failed == 0)
		j->since = push_now();
	j->when = push_now() + push_backoff(j->failed++);
	if (!push_may_pass(error) || (p->set->deadline > 0 && push_now() - j->since > p->set->deadline))
		push_stop(p, why);
	else
		push_note(p, why, j->failed > 1);
}

/* 0; or -1: later */
static int
put(struct push *p, uint64_t reach)
{
	struct push_journal *j = &p->journal;
	struct batch_place place = low(p);
	struct buf b = { 0 };
	int done;

	if (j->ncut > 0)
		forget_cuts(j, place.line);
	forget_bad(j, place.line);
	if (reach < place.line)
		reach = place.line;
	done = compose(p, &place, reach, &b) == 0 && replace(p, &b) == 0;
	if (!done)
		failed(p);
	buf_free(&b);
	if (!done)
		return -1;
	j->place = place;
	j->reach = reach;
	j->read = p->in->line;
	j->stale = 0;
	j->failed = 0;
	j->when = push_now() + EVERY;
	return 0;
}

/* Twice what was read since it was written; or no more than is sent, when a later run has to know how far batches must be the same. */
static uint64_t
next_reach(const struct push *p, uint64_t last)
{
	uint64_t ahead = 2 * (p->in->line - p->journal.read), from = p->in->line > last ? p->in->line : last;

	if (p->set->once && p->origin == -1)
		return last > p->journal.reach ? last : p->journal.reach;
	from += ahead < LEAST ? LEAST : ahead;
	return from > p->journal.reach ? from : p->journal.reach;
}

/* May this batch, which is in no list at the moment, be sent? */
int
push_journal_reach(struct push *p, struct batch *b)
{
	struct push_journal *j = &p->journal;
	int done;

	if (p->set->journal == NULL || (b->last <= j->reach && !j->stale))
		return 1;
	push_dead_sync(p);
	if (p->late.n > 0 || p->dead_dirty || (j->failed > 0 && push_now() < j->when))
		return 0;
	push_first(&p->ready, b);
	done = put(p, next_reach(p, b->last)) == 0;
	(void)push_take(&p->ready);
	return done;
}

int
push_journal_refused(struct push *p, uint64_t line)
{
	struct push_journal *j = &p->journal;

	if (p->set->journal == NULL)
		return 0;
	if (j->nbad == j->bads) {
		size_t bads = j->bads == 0 ? 64 : j->bads * 2;
		uint64_t *bad = reallocarray(j->bad, bads, sizeof(*bad));

		if (bad == NULL)
			return -1;
		j->bad = bad;
		j->bads = bads;
	}
	j->bad[j->nbad++] = line;
	return 0;
}

void
push_journal_turn(struct push *p)
{
	struct push_journal *j = &p->journal;

	if (p->set->journal == NULL || j->frozen || push_now() < j->when || p->late.n > 0 || p->dead_dirty)
		return;
	if (p->in->line == j->read && low(p).line == j->place.line) {
		j->when = push_now() + EVERY;
		return;
	}
	(void)put(p, next_reach(p, 0));
}

int
push_journal_end(struct push *p)
{
	int all = p->ready.n == 0 && p->packing.n == 0 && p->packed.n == 0 && p->kept.n == 0 && p->lost.n == 0 && p->busy == 0;

	if (p->set->journal == NULL || p->journal.frozen || p->late.n > 0 || p->dead_dirty)
		return 0;
	return put(p, all ? 0 : p->journal.reach);
}

void
push_journal_cut(struct push *p, uint64_t line)
{
	struct push_journal *j = &p->journal;

	if (p->set->journal == NULL || push_journal_is_cut(p, line))
		return;
	if (add_cut(j, line) == -1)
		push_stop(p, strerror(errno));
	for (size_t i = j->ncut - 1; i > 0 && j->cut[i] < j->cut[i - 1]; i--) {
		uint64_t other = j->cut[i];

		j->cut[i] = j->cut[i - 1];
		j->cut[i - 1] = other;
	}
	j->stale = 1;
}

int
push_journal_is_cut(const struct push *p, uint64_t line)
{
	const struct push_journal *j = &p->journal;

	for (size_t i = 0; i < j->ncut && j->cut[i] <= line; i++)
		if (j->cut[i] == line)
			return 1;
	return 0;
}

/* ---- setting up ---- */

int
push_journal_open(struct push *p)
{
	struct push_journal *j = &p->journal;
	const char *name = p->set->journal, *why = NULL;
	struct stat of_fd, of_name;

	if (name == NULL)
		return 0;
	/* Of a symbolic link, the file behind it is the journal. */
	if ((j->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) == -1 || fstat(j->fd, &of_fd) == -1 ||
	    (j->name = realpath(name, NULL)) == NULL || asprintf(&j->fresh, "%s.new", j->name) == -1)
		return push_wrong(p, name, NULL);
	if (!S_ISREG(of_fd.st_mode))
		return push_wrong(p, name, "not a regular file");
	if (flock(j->fd, LOCK_EX | LOCK_NB) == -1 || stat(name, &of_name) == -1 || of_name.st_ino != of_fd.st_ino)
		return push_wrong(p, name, "in use by another load");
	if (p->set->head != NULL)
		j->head = batch_hash(p->set->head, strlen(p->set->head));
	return load(p, &why) == 0 ? 0 : push_wrong(p, name, why);
}

/* The last bytes that were passed over; enough of them, or all. */
struct passed {
	struct buf last;
	int unknown; /* a line was too long to be seen */
};

static int
pass(struct push *p, struct passed *passed, const char *line, size_t len, size_t all)
{
	struct buf *last = &passed->last;

	p->hash = push_journal_hash(p->hash, line, len);
	if (last->n > 64 * TAIL) {
		memmove(last->p, last->p + last->n - TAIL, TAIL);
		last->n = TAIL;
	}
	return buf_put(last, line, len) == -1 || (all > len && buf_put(last, "\n", 1) == -1) ? -1 : 0;
}

/* A line can be had, or the input is at its end. 0, or -1 */
static int
await(struct push *p)
{
	while (!rec_ready(p->in)) {
		struct pollfd ready[2] = { { .fd = p->fd, .events = POLLIN }, { .fd = p->signals, .events = POLLIN } };

		if (poll(ready, 2, -1) > 0 && ready[1].revents != 0)
			push_interrupt(p);
		if (p->ended || (ready[0].revents != 0 && rec_fill(p->in) == -1))
			return -1;
	}
	return 0;
}

/* Read and forget what was delivered before. 0, or -1 */
static int
skip_lines(struct push *p, const struct push_journal *j)
{
	struct passed passed = { 0 };
	const struct buf *last = &passed.last;
	struct rec *in = p->in;
	int failed = 0;

	while (!failed && in->offset < j->place.offset) {
		uint64_t before = in->offset;
		enum rec_status got = REC_END;
		char *line;
		size_t len;

		failed = await(p) == -1 || (got = rec_next(in, &line, &len)) <= REC_END;
		if (got == REC_LONG)
			passed.unknown = 1;
		if (!failed)
			failed = pass(p, &passed, line, got == REC_LONG ? 0 : len, (size_t)(in->offset - before)) == -1;
	}
	if (!failed)
		failed = in->offset != j->place.offset || in->line != j->place.line || (j->place.hash != 0 && j->place.hash != p->hash);
	if (!failed && j->tail != 0 && !passed.unknown)
		failed = tail_of(last->p + last->n - (last->n < TAIL ? last->n : TAIL), last->n < TAIL ? last->n : TAIL) != j->tail;
	buf_free(&passed.last);
	return failed ? -1 : 0;
}

static int
skip_file(struct push *p, const struct push_journal *j)
{
	off_t at = (off_t)((uint64_t)p->origin + j->place.offset);
	struct stat st;
	char last;

	if (j->tail == 0 && j->place.hash != 0)
		return skip_lines(p, j); /* it was a pipe then */
	if (fstat(p->fd, &st) == -1 || st.st_size < at || (j->tail != 0 && file_tail(p, j->place.offset) != j->tail))
		return -1;
	if (st.st_size > at && (pread(p->fd, &last, 1, at - 1) != 1 || last != '\n')) {
		push_stop(p, "the last line that was delivered had no newline, and the input goes on in it now");
		return -1;
	}
	return lseek(p->fd, at, SEEK_SET) == -1 ? -1 : 0;
}

static void
tell_place(struct push *p)
{
	char what[PUSH_WHY];
	int n = snprintf(what, sizeof(what), "going on behind line %" PRIu64, p->account->skipped);

	if (p->account->again > 0 && p->set->once)
		(void)snprintf(what + n, sizeof(what) - (size_t)n,
		    "; %" PRIu64 " lines there may have been sent before, and are known there if so", p->account->again);
	else if (p->account->again > 0)
		(void)snprintf(
		    what + n, sizeof(what) - (size_t)n, "; at most %" PRIu64 " lines there may be stored twice", p->account->again);
	if (p->account->skipped > p->set->ahead || p->account->again > 0)
		p->user->note(p->user->arg, what);
}

int
push_journal_skip(struct push *p)
{
	struct push_journal *j = &p->journal;
	struct rec *in = p->in;
	uint64_t offset = j->place.offset;
	struct stat st;

	if (fstat(p->fd, &st) == 0 && S_ISREG(st.st_mode))
		p->origin = lseek(p->fd, 0, SEEK_CUR);
	in->line = p->set->ahead;
	if (p->set->journal == NULL)
		return 0;
	j->frozen = 1;
	if (offset > 0 && (p->origin == -1 ? skip_lines(p, j) : skip_file(p, j)) == -1) {
		in->line = p->set->ahead; /* what was passed over is no line of this load */
		push_stop(p, p->ended ? "interrupted" : "the input is not the one of the journal, or shorter");
		return -1;
	}
	j->frozen = 0;
	if (p->origin != -1)
		p->hash = 0;
	if (!j->old)
		j->dead = p->dead_size;
	if (offset > 0) {
		in->offset = offset;
		in->line = j->place.line;
	}
	p->account->skipped = j->place.line;
	p->account->again = j->reach - j->place.line;
	j->sent = j->old ? j->reach : 0;
	tell_place(p);
	j->read = in->line;
	return put(p, j->reach);
}

void
push_journal_close(struct push *p)
{
	if (p->journal.fd != -1)
		(void)close(p->journal.fd);
	free(p->journal.cut);
	free(p->journal.bad);
	free(p->journal.name);
	free(p->journal.fresh);
}
