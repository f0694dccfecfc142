#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

#define SMALLEST 4096

char *
buf_room(struct buf *b, size_t n)
{
	size_t size = b->size == 0 ? SMALLEST : b->size;
	char *p;

	if (b->size - b->n >= n && b->p != NULL)
		return b->p + b->n;
	if (n > SIZE_MAX / 2 - b->n) {
		errno = ENOMEM;
		return NULL;
	}
	while (size - b->n < n)
		size *= 2;
	if ((p = realloc(b->p, size)) == NULL)
		return NULL;
	b->p = p;
	b->size = size;
	return b->p + b->n;
}

int
buf_put(struct buf *b, const void *p, size_t n)
{
	char *to = buf_room(b, n);

	if (to == NULL)
		return -1;
	if (n > 0)
		memcpy(to, p, n);
	b->n += n;
	return 0;
}

int
buf_puts(struct buf *b, const char *s)
{
	return buf_put(b, s, strlen(s));
}

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}
