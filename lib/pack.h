/*
 * Compression of one body at a time, as HTTP's Content-Encoding names it.
 */
#ifndef OG_PACK_H
#define OG_PACK_H

#include "buf.h"

enum pack_form { PACK_NONE, PACK_GZIP, PACK_ZSTD };

struct pack;

/* "none" "gzip" "zstd"; -1 when it is none of them. */
int pack_form(const char *name);
/* The name for the header. */
const char *pack_name(enum pack_form);
/* Fastest level: the server pays for a body once, the pusher as often as it sends. NULL with errno. Not for PACK_NONE. */
struct pack *pack_open(enum pack_form);
/* Put the compressed form of n bytes behind what `to` holds. 0, or -1 with errno. */
int pack_put(struct pack *, const void *from, size_t n, struct buf *to);
void pack_close(struct pack *);

#endif
