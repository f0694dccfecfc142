#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rec.h"

#define CHUNK (256 * 1024)
#define PIPE_SIZE (1024 * 1024) /* what an unprivileged process may ask for on Linux */

int
rec_open(struct rec *r, int fd, const char *name, struct out *before, size_t max)
{
	*r = (struct rec){ .fd = fd, .name = name, .before = before, .max = max == 0 ? OUT_LINE_MAX - 1 : max, .size = CHUNK };
	/* One byte more than is ever read, so that the byte behind an unterminated line may be written. */
	if ((r->buf = malloc(r->size + 1)) == NULL)
		return -1;
#ifdef F_SETPIPE_SZ
	int saved = errno;

	(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
	errno = saved;
#endif
	return 0;
}

/* What has been written goes out before the process sleeps, and only then: prompt behind a slow producer, in bulk behind a fast one. */
static int
flush_before(struct rec *r)
{
	struct pollfd ready = { .fd = r->fd, .events = POLLIN };

	if (r->before == NULL)
		return 0;
	if (r->before->len > 0 && poll(&ready, 1, 0) == 0)
		(void)out_flush(r->before);
	if (r->before->err != 0) {
		errno = r->before->err;
		return -1;
	}
	return 0;
}

/* Bytes read, 0 at the end, -1 with errno. There is room. */
static ssize_t
fill(struct rec *r)
{
	ssize_t got;

	if (flush_before(r) == -1)
		return -1;
	while ((got = read(r->fd, r->buf + r->end, r->size - r->end)) == -1) {
		if (errno == EAGAIN || errno == EWOULDBLOCK) {
			struct pollfd wait = { .fd = r->fd, .events = POLLIN };

			if (poll(&wait, 1, -1) == -1 && errno != EINTR)
				return -1;
		} else if (errno != EINTR)
			return -1;
	}
	r->end += (size_t)got;
	return got;
}

/* The buffer holds no whole line: make room behind what it holds. */
static int
make_room(struct rec *r)
{
	if (r->skipping || r->pos == r->end) {
		r->passed += r->end - r->pos;
		r->pos = r->end = 0;
	}
	if (r->pos > 0) {
		memmove(r->buf, r->buf + r->pos, r->end - r->pos);
		r->end -= r->pos;
		r->pos = 0;
	}
	if (r->end > r->max) {
		/* No newline within the bound; what follows up to the next one belongs to this line. */
		r->skipping = 1;
		r->passed += r->end;
		r->end = 0;
	}
	if (r->end == r->size) {
		size_t size = r->size * 2 < r->max + 1 ? r->size * 2 : r->max + 1;
		char *larger = realloc(r->buf, size + 1);

		if (larger == NULL)
			return -1;
		r->buf = larger;
		r->size = size;
	}
	return 0;
}

/* The line of n bytes at pos, with `past` bytes behind it that belong to no line. */
static enum rec_status
deliver(struct rec *r, size_t n, size_t past, char **line, size_t *len)
{
	int skipped = r->skipping;

	r->seen = 0;
	*line = r->buf + r->pos;
	*len = n;
	r->pos += n + past;
	r->offset += r->passed + n + past;
	r->passed = 0;
	r->line++;
	r->skipping = 0;
	return skipped || n > r->max ? REC_LONG : REC_LINE;
}

int
rec_fill(struct rec *r)
{
	ssize_t got;

	if (make_room(r) == -1)
		return -1;
	r->seen = r->end - r->pos;
	if ((got = fill(r)) == -1)
		return -1;
	if (got == 0)
		r->eof = 1;
	return 0;
}

/* The newline that ends the next line, or NULL when the buffer does not hold it. */
static const char *
find_end(struct rec *r)
{
	const char *from = r->buf + r->pos;
	const char *nl = memchr(from + r->seen, '\n', r->end - r->pos - r->seen);

	r->seen = nl == NULL ? r->end - r->pos : (size_t)(nl - from);
	return nl;
}

int
rec_ready(struct rec *r)
{
	return r->eof || find_end(r) != NULL;
}

enum rec_status
rec_next(struct rec *r, char **line, size_t *len)
{
	const char *nl;

	while ((nl = find_end(r)) == NULL && !r->eof)
		if (rec_fill(r) == -1)
			return REC_ERROR;
	if (nl != NULL)
		return deliver(r, (size_t)(nl - (r->buf + r->pos)), 1, line, len);
	if (r->pos == r->end && !r->skipping)
		return REC_END;
	return deliver(r, r->end - r->pos, 0, line, len);
}

int
rec_wait(struct rec *r, int64_t ns)
{
	struct timespec limit = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };
	struct pollfd ready = { .fd = r->fd, .events = POLLIN };
	size_t seen;
	int n;

	if (r->eof || memchr(r->buf + r->pos, '\n', r->end - r->pos) != NULL)
		return 1;
	if (make_room(r) == -1)
		return -1;
	if ((n = poll(&ready, 1, 0)) == 0) {
		if (r->before != NULL)
			(void)out_flush(r->before);
		n = ppoll(&ready, 1, ns < 0 ? NULL : &limit, NULL);
	}
	if (n <= 0)
		return n == 0 || errno == EINTR ? 0 : -1;
	seen = r->end;
	switch (fill(r)) {
	case -1:
		return -1;
	case 0:
		r->eof = 1;
		return 1;
	default:
		return memchr(r->buf + seen, '\n', r->end - seen) != NULL;
	}
}

void
rec_close(struct rec *r)
{
	free(r->buf);
	r->buf = NULL;
	r->pos = r->end = r->size = 0;
}
