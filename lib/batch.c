#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "mix.h"

#define RECS_FIRST 1024
#define SLOTS_FIRST 64

struct batch *
batch_new(void)
{
	return calloc(1, sizeof(struct batch));
}

void
batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	buf_free(&b->text);
	buf_free(&b->form);
	buf_free(&b->keys);
	buf_free(&b->body);
	buf_free(&b->query);
	buf_free(&b->known);
	buf_free(&b->plain);
	free(b->rec);
	free(b->spare);
	free(b->group);
	free(b->slot);
	free(b);
}

void
batch_clear(struct batch *b)
{
	b->next = NULL;
	b->text.n = b->form.n = b->keys.n = 0;
	batch_undo(b);
	b->nrec = b->ngroup = 0;
	if (b->slots > 0)
		memset(b->slot, 0, b->slots * sizeof(*b->slot));
	b->from = (struct batch_place){ 0 };
	b->last = 0;
	b->since = b->when = 0;
	b->tries = b->splits = b->life = 0;
	b->doubtful = b->replayed = 0;
	b->lane = b->stage = 0;
}

void
batch_undo(struct batch *b)
{
	b->body.n = b->query.n = b->known.n = b->plain.n = 0;
	b->method = NULL;
	b->step = 0;
}

static int
grow_slots(struct batch *b)
{
	uint32_t slots = b->slots == 0 ? SLOTS_FIRST : b->slots * 2;
	uint32_t *slot = calloc(slots, sizeof(*slot));

	if (slot == NULL)
		return -1;
	for (uint32_t g = 0; g < b->ngroup; g++) {
		uint32_t i = (uint32_t)b->group[g].hash & (slots - 1);

		while (slot[i] != 0)
			i = (i + 1) & (slots - 1);
		slot[i] = g + 1;
	}
	free(b->slot);
	b->slot = slot;
	b->slots = slots;
	return 0;
}

static int
add_group(struct batch *b, const char *key, size_t n, uint64_t hash, uint32_t *slot)
{
	size_t at = b->keys.n;

	if (b->ngroup == b->groups) {
		uint32_t groups = b->groups == 0 ? SLOTS_FIRST : b->groups * 2;
		struct batch_group *group = reallocarray(b->group, groups, sizeof(*group));

		if (group == NULL)
			return -1;
		b->group = group;
		b->groups = groups;
	}
	if (buf_put(&b->keys, key, n) == -1)
		return -1;
	b->group[b->ngroup] = (struct batch_group){ .at = (uint32_t)at, .len = (uint32_t)n, .hash = hash };
	*slot = ++b->ngroup;
	return 0;
}

/* Good enough for a table; two halves at a time, so that one need not wait for the other. The last bytes may be taken twice. */
uint64_t
batch_hash(const char *key, size_t n)
{
	uint64_t a = n * MIX_G, b = MIX_G, word[2];

	if (n < sizeof(word))
		return mix_name(key, n);
	for (size_t i = 0; i < n; i += sizeof(word)) {
		memcpy(word, key + (n - i < sizeof(word) ? n - sizeof(word) : i), sizeof(word));
		a = (a ^ word[0]) * MIX_G;
		b = (b ^ word[1]) * MIX_G;
		a ^= a >> 32;
		b ^= b >> 32;
	}
	return mix(a) ^ b;
}

static int
is_key(const struct batch *b, const struct batch_group *g, const char *key, size_t n)
{
	return g->len == n && (n == 0 || memcmp(b->keys.p + g->at, key, n) == 0);
}

/* The group of a key, made if it is new. */
static int
find_group(struct batch *b, const char *key, size_t n, uint32_t *found)
{
	uint64_t hash;
	uint32_t i;

	/* Often the one of the last record. */
	if (b->nrec > 0 && is_key(b, &b->group[b->rec[b->nrec - 1].group], key, n)) {
		*found = b->rec[b->nrec - 1].group;
		return 0;
	}
	hash = batch_hash(key, n);

	if (b->ngroup >= b->slots / 2 && grow_slots(b) == -1)
		return -1;
	for (i = (uint32_t)hash & (b->slots - 1); b->slot[i] != 0; i = (i + 1) & (b->slots - 1)) {
		const struct batch_group *g = &b->group[b->slot[i] - 1];

		if (g->hash == hash && is_key(b, g, key, n))
			break;
	}
	if (b->slot[i] == 0 && add_group(b, key, n, hash, &b->slot[i]) == -1)
		return -1;
	*found = b->slot[i] - 1;
	return 0;
}

static int
room_for_rec(struct batch *b)
{
	size_t recs = b->recs == 0 ? RECS_FIRST : b->recs * 2;
	struct batch_rec *rec, *spare;

	if (b->nrec < b->recs)
		return 0;
	if ((rec = reallocarray(b->rec, recs, sizeof(*rec))) == NULL)
		return -1;
	b->rec = rec;
	if ((spare = reallocarray(b->spare, recs, sizeof(*spare))) == NULL)
		return -1;
	b->spare = spare;
	b->recs = recs;
	return 0;
}

int
batch_add(struct batch *b, uint64_t line, const char *text, size_t len, size_t form_at, const char *key, size_t nkey)
{
	size_t at = b->text.n;
	uint32_t group;
	char *to;

	if (len >= BATCH_MAX - at || b->form.n > UINT32_MAX || nkey > BATCH_MAX - b->keys.n) {
		errno = EFBIG;
		return -1;
	}
	if (room_for_rec(b) == -1 || find_group(b, key, nkey, &group) == -1 || (to = buf_room(&b->text, len + 1)) == NULL)
		return -1;
	memcpy(to, text, len);
	to[len] = '\n';
	b->text.n += len + 1;
	b->rec[b->nrec++] = (struct batch_rec){
		.line = line,
		.at = (uint32_t)at,
		.len = (uint32_t)len,
		.form_at = (uint32_t)form_at,
		.nform = (uint32_t)(b->form.n - form_at),
		.group = group,
	};
	return 0;
}

void
batch_sort(struct batch *b)
{
	struct batch_rec *sorted = b->spare;
	uint32_t at = 0;

	if (b->ngroup < 2)
		return;
	for (uint32_t g = 0; g < b->ngroup; g++)
		b->group[g].first = 0;
	for (size_t i = 0; i < b->nrec; i++)
		b->group[b->rec[i].group].first++;
	for (uint32_t g = 0; g < b->ngroup; g++) {
		uint32_t n = b->group[g].first;

		b->group[g].first = at;
		at += n;
	}
	for (size_t i = 0; i < b->nrec; i++)
		sorted[b->group[b->rec[i].group].first++] = b->rec[i];
	b->spare = b->rec;
	b->rec = sorted;
}

static int
by_line(const void *a, const void *b)
{
	const struct batch_rec *x = a, *y = b;

	return x->line < y->line ? -1 : x->line > y->line;
}

void
batch_unsort(struct batch *b)
{
	if (b->ngroup > 1)
		qsort(b->rec, b->nrec, sizeof(*b->rec), by_line);
}

int
batch_split(struct batch *b, size_t n, struct batch *to)
{
	batch_unsort(b);
	for (size_t i = n; i < b->nrec; i++) {
		const struct batch_rec *r = &b->rec[i];
		const struct batch_group *g = &b->group[r->group];
		size_t form_at = to->form.n;

		if (buf_put(&to->form, b->form.p == NULL ? "" : b->form.p + r->form_at, r->nform) == -1 ||
		    batch_add(to, r->line, b->text.p + r->at, r->len, form_at, b->keys.p + g->at, g->len) == -1) {
			batch_clear(to);
			return -1;
		}
	}
	if (n < b->nrec)
		b->text.n = b->rec[n].at;
	b->nrec = n;
	batch_undo(b);
	to->lane = b->lane;
	to->stage = b->stage;
	to->from = b->from;
	to->last = b->last;
	to->doubtful = b->doubtful;
	to->replayed = b->replayed;
	to->splits = ++b->splits;
	return 0;
}

uint64_t
batch_first(const struct batch *b)
{
	uint64_t first = 0;

	for (size_t i = 0; i < b->nrec; i++)
		if (first == 0 || b->rec[i].line < first)
			first = b->rec[i].line;
	return first;
}

void
batch_shrink(struct batch *b)
{
	buf_free(&b->form);
	buf_free(&b->keys);
	buf_free(&b->body);
	buf_free(&b->query);
	buf_free(&b->known);
	buf_free(&b->plain);
	free(b->spare);
	free(b->group);
	free(b->slot);
	b->spare = NULL;
	b->group = NULL;
	b->slot = NULL;
	b->ngroup = b->groups = b->slots = 0;
	b->recs = 0; /* what was shrunk is not added to */
}
