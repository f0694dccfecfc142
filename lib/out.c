#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "out.h"

#define PIPE_SIZE (1024 * 1024) /* what an unprivileged process may ask for on Linux */

/*
 * The memory is never smaller than OUT_LINE_MAX, whatever `size` says, so that room for a line cannot be refused; pages not used cost
 * nothing.
 */
static size_t
capacity(size_t size)
{
	return size < OUT_LINE_MAX ? OUT_LINE_MAX : size;
}

int
out_open(struct out *o, int fd, size_t size)
{
	*o = (struct out){ .fd = fd, .size = size == 0 ? OUT_SIZE : size };
	if ((o->buf = malloc(capacity(o->size))) == NULL)
		return -1;
#ifdef F_SETPIPE_SZ
	int saved = errno;

	/* Fails on anything that is no pipe, and where the system allows less. */
	(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
	errno = saved;
#endif
	return 0;
}

static int
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w >= 0) {
			p += w;
			n -= (size_t)w;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			if (poll(&wait, 1, -1) == -1 && errno != EINTR)
				return -1;
		} else if (errno != EINTR)
			return -1;
	}
	return 0;
}

int
out_flush(struct out *o)
{
	if (o->err == 0 && write_all(o->fd, o->buf, o->len) == -1)
		o->err = errno;
	o->written += o->len;
	o->len = 0;
	return o->err == 0 ? 0 : -1;
}

char *
out_grow(struct out *o, size_t n)
{
	if (o->len > 0)
		(void)out_flush(o);
	if (n <= o->size)
		return o->buf;
	if (n > capacity(o->size)) {
		char *larger = realloc(o->buf, n);

		if (larger == NULL) {
			if (o->err == 0)
				o->err = ENOMEM;
			return NULL;
		}
		o->buf = larger;
	}
	o->size = n;
	return o->buf;
}

int
out_close(struct out *o)
{
	(void)out_flush(o);
	/* An interrupted close has closed the descriptor all the same. */
	if (close(o->fd) == -1 && errno != EINTR && o->err == 0)
		o->err = errno;
	free(o->buf);
	o->buf = NULL;
	o->len = o->size = 0;
	o->fd = -1;
	if (o->err != 0) {
		errno = o->err;
		return -1;
	}
	return 0;
}
