/*
 * Bytes that grow. All members 0 is an empty buffer.
 */
#ifndef OG_BUF_H
#define OG_BUF_H

#include <stddef.h>

struct buf {
	char *p;
	size_t n, size;
};

/* Where n more bytes may be written; add them to b->n afterwards. NULL with errno, and the buffer as it was. */
char *buf_room(struct buf *b, size_t n);
/* 0, or -1 with errno. */
int buf_put(struct buf *b, const void *p, size_t n);
int buf_puts(struct buf *b, const char *s);
void buf_free(struct buf *b);

#endif
