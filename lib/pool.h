/*
 * Bodies compressed on threads, so that the caller may do something else. All calls are for one thread, which waits with poll(2).
 */
#ifndef OG_POOL_H
#define OG_POOL_H

#include "buf.h"
#include "pack.h"

struct pool;

/* Not for PACK_NONE; at least one thread. No signal is delivered to the threads. NULL with errno. */
struct pool *pool_open(enum pack_form, int threads);
/*
 * Have `from` compressed and put behind what `to` holds. Never blocks; how much may be under way is the caller's to bound.
 *   tag      not NULL; comes back from pool_take(), until when both buffers belong to the pool
 *   return   0, or -1 with errno
 */
int pool_put(struct pool *, const struct buf *from, struct buf *to, void *tag);
/* Readable while pool_take() has something to give. */
int pool_fd(const struct pool *);
/*
 * What is done, in the order in which it was done.
 *   error    0, or the errno with which it failed
 *   return   its tag; NULL when nothing is done
 */
void *pool_take(struct pool *, int *error);
/* What is under way is waited for; what has not been begun is dropped. */
void pool_close(struct pool *);

#endif
