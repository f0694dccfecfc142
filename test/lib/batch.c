/* batch: lines kept as they were read, records of one key together, halves that lose nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "tap.h"

#define RECORDS 5000

/* Records 1 to n; the key of i is i % keys, its form "<i>", none for every fifth. */
static int
fill(struct batch *b, int n, int keys)
{
	char line[32], key[32], form[32];

	for (int i = 1; i <= n; i++) {
		size_t at = b->form.n;
		int len = snprintf(line, sizeof(line), "line %d", i), nkey = snprintf(key, sizeof(key), "key %d", i % keys);

		(void)snprintf(form, sizeof(form), "<%d>", i);
		if (i % 5 != 0 && buf_puts(&b->form, form) == -1)
			return -1;
		if (batch_add(b, (uint64_t)i, line, (size_t)len, at, key, (size_t)nkey) == -1)
			return -1;
	}
	return 0;
}

/* Is each record whole? Counts those seen by line. */
static int
intact(const struct batch *b, int keys, int seen[RECORDS + 1])
{
	char want[32];

	for (size_t i = 0; i < b->nrec; i++) {
		const struct batch_rec *r = &b->rec[i];
		const struct batch_group *g = &b->group[r->group];
		size_t n;
		const char *form = batch_form(b, r, &n);
		int line = (int)r->line;

		(void)snprintf(want, sizeof(want), line % 5 != 0 ? "<%d>" : "line %d", line);
		if (n != strlen(want) || memcmp(form, want, n) != 0)
			return 0;
		(void)snprintf(want, sizeof(want), "line %d", line);
		if (r->len != strlen(want) || memcmp(b->text.p + r->at, want, r->len) != 0)
			return 0;
		(void)snprintf(want, sizeof(want), "key %d", line % keys);
		if (g->len != strlen(want) || memcmp(b->keys.p + g->at, want, g->len) != 0)
			return 0;
		seen[line]++;
	}
	return 1;
}

static int
sorted(const struct batch *b)
{
	for (size_t i = 1; i < b->nrec; i++)
		if (b->rec[i].group < b->rec[i - 1].group ||
		    (b->rec[i].group == b->rec[i - 1].group && b->rec[i].line <= b->rec[i - 1].line))
			return 0;
	return 1;
}

/* Halve until every record is alone; the number of batches, or -1. */
static int
scatter(struct batch *b, int keys, int seen[RECORDS + 1])
{
	struct batch *rest;
	int n = 0, more;

	if (b->nrec == 1)
		return intact(b, keys, seen) ? 1 : -1;
	if ((rest = batch_new()) == NULL || batch_split(b, b->nrec / 2, rest) == -1)
		return -1;
	for (int i = 0; i < 2; i++) {
		more = scatter(i == 0 ? b : rest, keys, seen);
		n = n == -1 || more == -1 ? -1 : n + more;
	}
	batch_free(rest);
	return n;
}

int
main(void)
{
	static const int keys[] = { 1, 2, 7, 1000, RECORDS };
	struct tap t = { 0 };
	struct batch *b = batch_new();

	if (b == NULL)
		return 1;
	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		int seen[RECORDS + 1] = { 0 }, again[RECORDS + 1] = { 0 }, once = 1, ordered = 1;

		batch_clear(b);
		tap(&t, fill(b, RECORDS, keys[k]) == 0 && b->ngroup == (uint32_t)keys[k], "%d keys", keys[k]);
		batch_sort(b);
		tap(&t, sorted(b) && intact(b, keys[k], seen), "sorted and intact");
		tap(&t, batch_first(b) == 1, "first line");
		batch_unsort(b);
		for (size_t i = 0; i < b->nrec; i++)
			ordered = ordered && b->rec[i].line == i + 1;
		tap(&t, ordered, "in the order of the input again");
		batch_sort(b);
		tap(&t, scatter(b, keys[k], again) == RECORDS, "halved until alone");
		for (int i = 1; i <= RECORDS; i++)
			once = once && seen[i] == 1 && again[i] == 1;
		tap(&t, once, "each record once");
	}
	batch_clear(b);
	tap(&t, b->nrec == 0 && batch_first(b) == 0 && b->text.n == 0, "cleared");
	batch_free(b);
	return tap_end(&t);
}
