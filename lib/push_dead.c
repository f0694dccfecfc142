/*
 * The dead-letter file: a line for each refused record, with its number, the server's status (0: it was never sent), the reason,
 * and the record itself, between tabs. What is behind the third tab is the record, byte for byte.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "push_impl.h"

int
push_may_pass(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO || error == EAGAIN || error == EINTR || error == ENOMEM;
}

static int
by_number(const void *a, const void *b)
{
	const struct push_known *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->hash < y->hash ? -1 : x->hash > y->hash;
}

/* A line of the file, n bytes with its newline. Another load may have a record of the same number there. */
static int
know(struct push *p, const char *line, size_t n, size_t *room)
{
	const char *end = line + n - 1, *record = line;

	for (int tabs = 0; tabs < 3; tabs++) {
		if ((record = memchr(record, '\t', (size_t)(end - record))) == NULL)
			return 0;
		record++;
	}
	if (p->nknown == *room) {
		struct push_known *known = reallocarray(p->known, *room = *room == 0 ? 64 : *room * 2, sizeof(*known));

		if (known == NULL)
			return -1;
		p->known = known;
	}
	p->known[p->nknown++] = (struct push_known){ .line = strtoull(line, NULL, 10), .hash = batch_hash(record, (size_t)(end - record)) };
	return 0;
}

/* What an earlier run of the journal put there; a line that it could not finish is taken away. */
static int
read_known(struct push *p, const char *name)
{
	FILE *f = fopen(name, "re");
	char *line = NULL;
	size_t size = 0, room = 0;
	off_t whole = (off_t)p->journal.dead;
	ssize_t n;
	int failed = f == NULL || fseeko(f, whole, SEEK_SET) == -1;

	while (!failed && (n = getline(&line, &size, f)) > 0 && line[n - 1] == '\n') {
		whole += n;
		failed = know(p, line, (size_t)n, &room) == -1;
	}
	free(line);
	if (f != NULL && fclose(f) != 0)
		failed = 1;
	if (p->nknown > 0)
		qsort(p->known, p->nknown, sizeof(*p->known), by_number);
	return failed || ftruncate(p->dead, whole) == -1 ? -1 : 0;
}

/* A line that an earlier run did not finish is ended. */
static int
end_line(struct push *p, off_t size)
{
	int fd = open(p->set->dead, O_RDONLY | O_CLOEXEC);
	char last = '\n';

	if (fd == -1)
		return 0; /* it may be written, but not be read */
	(void)!pread(fd, &last, 1, size - 1);
	(void)close(fd);
	return last == '\n' ? 0 : buf_puts(&p->late, "\n");
}

int
push_dead_open(struct push *p)
{
	const char *name = p->set->dead;
	struct stat st;

	if (name == NULL)
		return 0;
	if ((p->dead = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) == -1 || fstat(p->dead, &st) == -1)
		return push_wrong(p, name, NULL);
	/* A pipe that nobody reads is as a full disk. */
	if (!S_ISREG(st.st_mode) && fcntl(p->dead, F_SETFL, O_APPEND | O_NONBLOCK) == -1)
		return push_wrong(p, name, NULL);
	p->dead_size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return 0;
	if (p->journal.old)
		return st.st_size < (off_t)p->journal.dead || read_known(p, name) == 0 ? 0 : push_wrong(p, name, NULL);
	return end_line(p, st.st_size);
}

int
push_dead_put(struct push *p, uint64_t line, long status, const char *why, const char *text, size_t len)
{
	char head[64];
	int n = snprintf(head, sizeof(head), "%" PRIu64 "\t%ld\t", line, status);
	size_t before = p->late.n;
	struct push_known key = { .line = line };

	if (p->dead == -1)
		return 0;
	if (p->nknown > 0) {
		key.hash = batch_hash(text, len);
		if (bsearch(&key, p->known, p->nknown, sizeof(key), by_number) != NULL)
			return 0;
	}
	if (buf_put(&p->late, head, (size_t)n) == -1 || buf_puts(&p->late, why) == -1 || buf_puts(&p->late, "\t") == -1 ||
	    buf_put(&p->late, text, len) == -1 || buf_puts(&p->late, "\n") == -1) {
		p->late.n = before;
		return -1;
	}
	return 0;
}

static void
fail(struct push *p)
{
	int error = errno;
	int64_t now = push_now();
	char why[PUSH_WHY];

	(void)snprintf(why, sizeof(why), "%s: %s", p->set->dead, strerror(error));
	if (p->dead_failed == 0)
		p->dead_since = now;
	if (!push_may_pass(error) || (p->set->deadline > 0 && now - p->dead_since > p->set->deadline)) {
		push_stop(p, why);
		return;
	}
	push_note(p, why, p->dead_failed > 0);
	p->dead_when = now + push_backoff(p->dead_failed++);
}

void
push_dead_sync(struct push *p)
{
	if ((p->late.n == 0 && !p->dead_dirty) || push_now() < p->dead_when)
		return;
	while (p->late_done < p->late.n) {
		ssize_t put = write(p->dead, p->late.p + p->late_done, p->late.n - p->late_done);

		if (put == -1 && errno != EINTR) {
			fail(p);
			return;
		}
		if (put > 0)
			p->late_done += (size_t)put;
	}
	p->dead_dirty = 1;
	p->late.n = p->late_done = 0;
	/* A pipe or a device cannot be synced, and says so. */
	if (fsync(p->dead) == -1 && errno != EINVAL && errno != EROFS) {
		fail(p);
		return;
	}
	p->dead_dirty = 0;
	p->dead_failed = 0;
	p->dead_when = 0;
}

/* Lines that could not be written are not refused but lost. */
static void
lose_late(struct push *p)
{
	const char *at = p->late.p, *end = p->late.p + p->late.n, *nl;

	for (; at < end && (nl = memchr(at, '\n', (size_t)(end - at))) != NULL; at = nl + 1) {
		uint64_t line = strtoull(at, NULL, 10);

		if (line == 0 || nl < p->late.p + p->late_done)
			continue;
		p->account->refused--;
		push_lose(p, 1, line, 0);
	}
	p->late.n = 0;
}

void
push_dead_close(struct push *p)
{
	if (p->late.n > 0)
		lose_late(p);
	buf_free(&p->late);
	free(p->known);
	p->known = NULL;
	p->nknown = 0;
	if (p->dead != -1)
		(void)close(p->dead);
	p->dead = -1;
}
