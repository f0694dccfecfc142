/* Shared by the files of the inventory only. */
#ifndef OG_INVENTORY_IMPL_H
#define OG_INVENTORY_IMPL_H

#include "buf.h"
#include "inventory.h"

#define INVENTORY_TEXT_MAX 65536 /* bytes of a field, at most */
#define INVENTORY_LIST_MAX 1023  /* of the name of a list */

/* A text of a thing that others show: a field or the id. */
struct inventory_text {
	const char *p;
	uint32_t n;
	uint32_t odd; /* it has characters that some format escapes */
};

/* A row of a table that is being made, or is held because others refer to it. */
struct thing {
	const struct catalog_origin *origin;
	struct thing *per, *of;
	uint64_t key;  /* by the names of all it is made of */
	uint64_t draw; /* the same without the item of a second list */
	const char *item;
	uint32_t nitem;
	int nth;         /* of the list, for blocks of addresses */
	uint64_t number; /* of "#" */
	const struct inventory_build *build;
	int round;  /* 0: without a factor */
	int absent; /* a factor below 1 leaves it out, and all that is made of it */
	int ready;  /* its texts are there */
	int made;   /* while they are made: the fields that are */
	struct inventory_text *text;
};

struct candidate {
	struct thing *of;
	const char *item;
	uint64_t key, rank, number;
	const struct inventory_build *build;
	int nth, taken;
};

/* Things by the id of an ancestor. */
struct group_entry {
	uint64_t key;
	uint32_t thing;
};
struct groups {
	size_t n;
	struct group_entry *entry; /* by key, then as the table has them; NULL: not made */
};

/* Of a text: texts that are made for it, and how deep in each other. */
struct weight {
	size_t work;
	int deep;
};

struct kind {
	int ntexts, *text;     /* of field i + 1 (0: the id): its number among the texts that are kept; -1: it is not */
	size_t *most;          /* bytes, likewise; 0: not known yet */
	struct weight *weight; /* likewise */
	size_t room;           /* of all texts that are kept */
	size_t line;           /* bytes of a row, at most */
	int forced;            /* places need some of these */
	int built;             /* its numbers are builds, which have dates */
	struct thing frame;    /* the one at hand */
	char *buf;             /* and its texts */
	struct thing *held;
	size_t nheld;
	int is_held, prepared;
	int bits; /* of the place on a list */
	struct candidate *candidate;
	struct candidate **order; /* by rank */
	size_t ncandidates, room_candidates;
};

struct inventory {
	const struct catalog *c;
	uint64_t key, seed;
	int64_t begin, end;
	double factor, thinned; /* share of the last round that is there */
	int rounds;
	int whole; /* things that are absent are made, too */
	struct kind *kind;
	signed char *via; /* from an origin to an entity: VIA_* */
	short *foreign;   /* field of an entity that names one of another, by both; -1 */
	struct groups *by_origin, *by_ref;
	size_t longest;   /* item of a list */
	int release;      /* the entity, or -1 */
	uint64_t *wanted; /* beginnings of places' ids, as names; open addressing, 0 is free */
	size_t mask;
	struct inventory_build *build; /* of the service at hand */
	int nbuilds, maxbuilds;
	char *raw; /* a field before it is escaped */
	void *arena;
	int failed;
	char *err;
	size_t errsize;
};

enum { VIA_NONE, VIA_PER, VIA_OF };

/* 0 to go on. */
typedef int inventory_visit(struct inventory *, struct thing *, void *arg);

/* The message, kept if it is the first; -1. */
__attribute__((format(printf, 2, 3))) int inventory_fail(struct inventory *, const char *fmt, ...);
void *inventory_get(struct inventory *, size_t n, size_t size);

/* The ancestor of this entity; NULL: none. */
struct thing *inventory_find(const struct inventory *, struct thing *, int entity);
/* A name for "under the same": that of an ancestor's id, or of the field that refers to one. 0: none. */
uint64_t inventory_under(struct inventory *, struct thing *, int entity);
/* What has to be held to make things of this entity. 0 or -1. */
int inventory_prepare(struct inventory *, int entity);
/* Each thing of an entity, in the order of its table; of an origin alone; of one parent. */
int inventory_each(struct inventory *, int entity, inventory_visit *visit, void *arg);
int inventory_grow(struct inventory *, const struct catalog_origin *, struct thing *per, inventory_visit *visit, void *arg);
/* The things that share an ancestor, for a hole or for an origin. */
const struct group_entry *inventory_group(
    struct inventory *, struct groups *, int entity, const int *under, int nunder, uint64_t key, size_t *n);

/* Texts: a field (-1: the id) at the end of what is written; where it ends. *odd: it may need escapes. */
char *inventory_text_put(struct inventory *, struct thing *, int field, char *to, uint32_t *odd);
char *inventory_form_put(struct inventory *, struct thing *, const struct catalog_form *, uint64_t key, char *to, uint32_t *odd);
/* The list of a hole, by its name; -1 with the message. */
int inventory_list(struct inventory *, struct thing *, const struct catalog_slot *);
/* Bytes that a field can have at most. */
size_t inventory_most(struct inventory *, int entity, int field);
size_t inventory_form_most(struct inventory *, int entity, const struct catalog_form *);
/* The texts that are kept. */
const struct inventory_text *inventory_texts(struct inventory *, struct thing *);
/* Do all terms hold? Of an origin (NULL: of a field): those about this side alone, of which the thing is. */
int inventory_holds(struct inventory *, const struct catalog_tests *, struct thing *, const struct catalog_origin *, int side);
uint32_t inventory_odd(const char *s, size_t n);
char *inventory_digits(char *to, uint64_t);
/* Where the numbers of a parent start: hole number i of a field. */
uint64_t inventory_count(const struct catalog_slot *, const struct thing *per, uint64_t key, uint64_t i);

#endif
