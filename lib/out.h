/*
 * Buffered output to a descriptor. The first failure sticks; out_close() reports it.
 */
#ifndef OG_OUT_H
#define OG_OUT_H

#include <stddef.h>
#include <string.h>

#define OUT_SIZE (128 * 1024)      /* bytes held before a write */
#define OUT_LINE_MAX (1024 * 1024) /* longest line that og reads or writes, newline included */

struct out {
	int fd;
	int err; /* errno of the first failed write, or 0 */
	char *buf;
	size_t len, size;
	unsigned long long written; /* bytes flushed; with len, all that was handed over */
};

/* Size 0: OUT_SIZE. A pipe is enlarged to 1 MiB where the system allows. 0, or -1 with errno. */
int out_open(struct out *, int fd, size_t size);
/* Write what is held. 0, or -1 (o->err). */
int out_flush(struct out *);
/*
 * Make room for n more bytes (any n); the place to write them. Then call out_took(). Never NULL after out_open() while n <= OUT_LINE_MAX.
 */
char *out_grow(struct out *, size_t n);
/* Flush, close the descriptor and free. 0, or -1 with errno of the first failure. */
int out_close(struct out *);

static inline char *
out_room(struct out *o, size_t n)
{
	return o->size - o->len >= n ? o->buf + o->len : out_grow(o, n);
}

/* `end` is behind the last byte written at the place that out_room() gave. */
static inline void
out_took(struct out *o, const char *end)
{
	o->len = (size_t)(end - o->buf);
}

static inline void
out_put(struct out *o, const void *p, size_t n)
{
	char *to = out_room(o, n);

	memcpy(to, p, n);
	out_took(o, to + n);
}

#endif
