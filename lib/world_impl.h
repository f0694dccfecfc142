/*
 * What the parts of world share.
 */
#ifndef OG_WORLD_IMPL_H
#define OG_WORLD_IMPL_H

#include "world.h"

/* n bytes that live as long as the arena, or NULL with errno. */
void *world_get(void **arena, size_t n, size_t align);
void world_drop(void *arena);
/* Put releases, rollouts and incidents in order. 0, or -1 with errno. */
int world_sort(struct world *);

/* A share in [0, 1) from a word. */
static inline double
world_share(uint64_t word)
{
	return (double)(word >> 11) * 0x1p-53;
}
/* A draw that need not be whole even where its bounds are. */
double world_draw(const struct catalog_dist *, uint64_t word);

#endif
