/*
 * What the parts of world share.
 */
#ifndef OG_WORLD_IMPL_H
#define OG_WORLD_IMPL_H

#include "mix.h"
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
	return mix_share(word);
}
/* A draw that need not be whole even where its bounds are. */
double world_draw(const struct catalog_dist *, uint64_t word);

/* For drafts: the message and -1; memory of the world, zeroed, or NULL with the message. */
__attribute__((format(printf, 2, 3))) int world_draft_fail(struct world_draft *, const char *fmt, ...);
void *world_draft_get(struct world_draft *, size_t n, size_t size);
char *world_draft_text(struct world_draft *, const char *text);
/* An incident by a row of the catalog: everything but its times and its id. */
int world_draft_row(struct world_draft *, int row, uint64_t key, struct world_fresh *);
int world_draft_add(struct world_draft *, const struct world_fresh *);
void world_draft_ramp(const struct world_draft *, struct world_fresh *);
/* Bursts within the times of an incident, by two quantities of minutes. */
int world_draft_bursts(struct world_draft *, struct world_fresh *, const struct catalog_dist *every, const struct catalog_dist *length);
/* Minutes as us. */
int64_t world_minutes(const struct catalog_dist *, uint64_t word);
/* As it will be written: in units of 1 / unit. */
double world_rounded(double x, double unit);

/* Does the line of a place or service say this part of its name under a key of its own? */
int world_tells(const char *part);

#define WORLD_WEIGHT_PLACES 6 /* decimals of a place's weight */
#define WORLD_WEIGHT_NEAR 5.001e-7
#define WORLD_FACTOR_PLACES 4 /* decimals of effects */
#define WORLD_FACTOR_UNIT 1e4
#define WORLD_ADD_PLACES 6
#define WORLD_ADD_UNIT 1e6

/* Words of an incident's key; from DRAW_ID on as many as it takes. */
enum { DRAW_ORDER, DRAW_LENGTH, DRAW_START, DRAW_RAMP, DRAW_PLACE, DRAW_SEVERITY, DRAW_TARGET, DRAW_BURSTS, DRAW_ID = 8 };

#endif
