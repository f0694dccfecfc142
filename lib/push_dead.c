/*
 * The dead-letter file: a line for each refused record, with its number, the server's status (0: it was never sent), the reason,
 * and the record itself, between tabs. What is behind the third tab is the record, byte for byte.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "push_impl.h"

static int
write_all(int fd, const char *from, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, from, n);

		if (put == -1 && errno != EINTR)
			return -1;
		if (put > 0) {
			from += put;
			n -= (size_t)put;
		}
	}
	return 0;
}

int
push_dead_put(struct push *p, uint64_t line, long status, const char *why, const char *text, size_t len)
{
	struct buf b = { 0 };
	char head[64];
	int n = snprintf(head, sizeof(head), "%" PRIu64 "\t%ld\t", line, status), failed;

	if (p->set->dead == -1)
		return 0;
	failed = buf_put(&b, head, (size_t)n) == -1 || buf_puts(&b, why) == -1 || buf_puts(&b, "\t") == -1 ||
	    buf_put(&b, text, len) == -1 || buf_puts(&b, "\n") == -1 || write_all(p->set->dead, b.p, b.n) == -1;
	buf_free(&b);
	p->dead_dirty = 1;
	return failed ? -1 : 0;
}

int
push_dead_sync(struct push *p)
{
	if (!p->dead_dirty)
		return 0;
	p->dead_dirty = 0;
	/* A pipe or a device cannot be synced, and says so. */
	if (fsync(p->set->dead) == -1 && errno != EINVAL && errno != EROFS)
		return -1;
	return 0;
}
