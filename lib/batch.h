/*
 * The records of one request, until the server has taken them: lines as they were read, a newline behind each, and the forms in which they
 * will be sent. A batch is a stretch of the input; lines of it that were refused are left out.
 * Records may carry a key; batch_sort() brings those of one key together.
 */
#ifndef OG_BATCH_H
#define OG_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct batch_rec {
	uint64_t line;           /* its number in the input */
	uint32_t at, len;        /* the line, in text */
	uint32_t form_at, nform; /* what is sent of it, in form; nform 0: the line itself */
	uint32_t group;
};

struct batch_group {
	uint32_t at, len; /* the key, in keys */
	uint64_t hash;
	uint32_t first; /* while sorting */
};

/* A place in the input. */
struct batch_place {
	uint64_t offset, line; /* bytes before it; number of the line that begins there */
	uint64_t hash;         /* of the lines before it; 0: not known */
};

struct batch {
	struct batch *next; /* for whoever keeps a list */
	struct buf text, form, keys, body;
	struct buf plain; /* the body before it is compressed */
	struct buf query; /* what its URL has behind that of the others, "&name=value" or "/path" */
	struct buf known; /* for whoever sends it in steps: what the answer to the step before said */
	struct batch_rec *rec, *spare;
	size_t nrec, recs;
	struct batch_group *group;
	uint32_t ngroup, groups;
	uint32_t *slot; /* hash table of group numbers + 1 */
	uint32_t slots;
	struct batch_place from; /* of the batch as it was cut, also in parts of it */
	uint64_t last;           /* number of the last line of that */
	int64_t since, when;     /* first sending, next try, or acceptance: ms of the caller's clock; since 0: not sent yet */
	unsigned tries, splits;
	const char *method; /* of the request; NULL: POST */
	uint64_t lane;      /* not 0: batches of one lane go one after the other */
	uint64_t stage;     /* none goes before those of earlier stages have gone */
	int step;           /* of its sending, from 0 */
	unsigned life;      /* the server's, when it was sent */
	int doubtful;       /* the server may hold some of it already; or BATCH_DIVIDED: of what it was a part of */
	int replayed;       /* it was accepted once */
	uint64_t hash;      /* of lines that are not kept */
};

#define BATCH_DIVIDED 2
#define BATCH_MAX (1U << 30) /* bytes of text */

struct batch *batch_new(void);
void batch_free(struct batch *);
void batch_clear(struct batch *);
/* What was made of the records for sending is made anew, from the first step on. */
void batch_undo(struct batch *);
/*
 * Add a record whose form, if it has one, the caller has put at the end of b->form, from form_at on.
 *   return   0, or -1 with errno
 */
int batch_add(struct batch *, uint64_t line, const char *text, size_t len, size_t form_at, const char *key, size_t nkey);
/* Records by group, in the order in which each group was first seen; within a group in the order of the input. */
void batch_sort(struct batch *);
/* Records in the order of the input again. */
void batch_unsort(struct batch *);
/* Move the records from the n-th of the input's order on to `to`, an empty batch. 0, or -1 with errno and both as they were. */
int batch_split(struct batch *, size_t n, struct batch *to);
/* A hash of bytes, good enough to tell that they have changed. */
uint64_t batch_hash(const char *, size_t n);
/* The smallest line number; 0 when there is none. */
uint64_t batch_first(const struct batch *);
/* Give back the memory of all but the lines. */
void batch_shrink(struct batch *);

/* What is sent of a record. */
static inline const char *
batch_form(const struct batch *b, const struct batch_rec *r, size_t *n)
{
	*n = r->nform == 0 ? r->len : r->nform;
	return r->nform == 0 ? b->text.p + r->at : b->form.p + r->form_at;
}

#endif
