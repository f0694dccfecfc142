/* lib/grammar: ids split and put together again, tables that cannot serve. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grammar.h"
#include "tap.h"

static char path[] = "/tmp/og-grammar-XXXXXX";

static int
load(struct grammar *g, const char *table, const char *id, char *err, size_t size)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(table, f) == EOF || fclose(f) == EOF)
		abort();
	return grammar_load(g, path, id, err, size);
}

/* "name=text " for each tag, or what is wrong. */
static const char *
spell(const struct grammar *g, const char *id)
{
	static char got[2000];
	struct grammar_word word[GRAMMAR_TAGS];
	char *to = got;

	if (grammar_split(g, id, strlen(id), word, got, sizeof(got)) == -1)
		return got;
	for (int i = 0; i < g->ntags; i++) {
		char *from;

		to += sprintf(to, "%s=", g->tag[i].name);
		from = to;
		to = grammar_put(g, i, word, to);
		if ((size_t)(to - from) != grammar_length(g, i, word))
			return "wrong length";
		*to++ = ' ';
	}
	*to = '\0';
	return got;
}

static void
check(struct tap *t, const struct grammar *g, const char *id, const char *want)
{
	const char *got = spell(g, id);

	tap(t, strcmp(got, want) == 0, "%s: %s", id, got);
}

static void
test_ids(struct tap *t)
{
	struct grammar g;
	char err[200];

	if (load(&g,
		"# head\nid\tform\nbefore\t{a}:{b}\nx\t{a}:{b}-{c}\nuser\tuser_{hex:12}\nlater_id\t{ab_id}/{c}\n"
		"ab_id\t{a}:{b}\nalias\t{ab_id}\n"
		"other\t{a}:{d}\nlit\tv{c}\nplain\tabc\nback\t{c}{b}{a}\n",
		"x", err, sizeof(err)) == -1) {
		tap(t, 0, "%s", err);
		return;
	}
	tap(t, g.nwords == 3 && g.ntags == 7, "3 words, 4 composites: %d, %d", g.nwords, g.ntags);
	check(t, &g, "1:2-3", "a=1 b=2 c=3 ab_id=1:2 lit=v3 back=321 later_id=1:2/3 ");
	check(t, &g, "\xc3\xa9: -\x01", "a=\xc3\xa9 b=  c=\x01 ab_id=\xc3\xa9:  lit=v\x01 back=\x01 \xc3\xa9 later_id=\xc3\xa9: /\x01 ");
	check(t, &g, "1:2", "has 2 fields, not 3");
	check(t, &g, "", "has 1 field, not 3");
	check(t, &g, "1:2-3-4", "has 4 fields, not 3");
	check(t, &g, "1:2-3:", "has 4 fields, not 3");
	check(t, &g, ":2-3", "has an empty a");
	check(t, &g, "1:-3", "has an empty b");
	check(t, &g, "1:2-", "has an empty c");
	check(t, &g, "1-2:3", "has no \":\" behind its a");
	check(t, &g, "1:2:3", "has no \"-\" behind its b");
	grammar_free(&g);
	if (load(&g, "id\tform\nx\t{a}\n", "x", err, sizeof(err)) == -1)
		abort();
	check(t, &g, "1:2-3", "a=1:2-3 ");
	check(t, &g, "", "has an empty a");
	grammar_free(&g);
}

static void
test_tables(struct tap *t)
{
	static const struct {
		const char *table, *why;
	} bad[] = {
		{ "id\tform\ny\t{a}\n", "no id \"x\"" },
		{ "id\tform\nx\t{a}\nx\t{b}\n", ":3: id \"x\" twice" },
		{ "name\tform\nx\t{a}\n", ":1: columns \"id\" and \"form\" expected" },
		{ "# head\nid\tform\nx\tv{a}\n", ":3: a form that can be split begins and ends with a word" },
		{ "id\tform\nx\t{a}v\n", ":2: a form that can be split has one mark" },
		{ "id\tform\nx\t{a}{b}\n", ":2: a form that can be split has one mark" },
		{ "id\tform\nx\t{a}::{b}\n", ":2: a form that can be split begins and ends" },
		{ "id\tform\nx\t{a}:\n", ":2: a form that can be split begins and ends" },
		{ "id\tform\nx\t\n", ":2: a form" },
		{ "id\tform\nx\t{hex:12}\n", ":2: a form that can be split has only plain words" },
		{ "id\tform\nx\t{a\n", ":2: a form" },
		{ "id\tform\nx\t{}\n", ":2: a form" },
		{ "id\tform\nx\t{a}:{a}\n", ":2: a word twice" },
		{ "id\tform\nx\t{a}:{x}\n", ":2: the id is one of its own words" },
		{ "id\tform\nx\t{a}:{b}\ny\"\t{a}-{b}\n", ":3: a name with a quote" },
		{ "id\tform\nx\n", ":2: " },
		{ "", "" },
	};
	char err[200], table[8000];
	struct grammar g;
	size_t n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		err[0] = '\0';
		tap(t, load(&g, bad[i].table, "x", err, sizeof(err)) == -1 && strstr(err, bad[i].why) != NULL && strstr(err, path) == err,
		    "refused: %s", err);
	}
	tap(t, grammar_load(&g, "/nonexistent", "x", err, sizeof(err)) == -1 && strstr(err, "/nonexistent") == err, "no table: %s", err);
	n = (size_t)sprintf(table, "id\tform\nx\t");
	for (int i = 0; i <= GRAMMAR_TAGS; i++)
		n += (size_t)sprintf(table + n, "%s{w%d}", i == 0 ? "" : ":", i);
	(void)sprintf(table + n, "\n");
	tap(t, load(&g, table, "x", err, sizeof(err)) == -1 && strstr(err, "too many words") != NULL, "too many words");
	n = (size_t)sprintf(table, "id\tform\nx\t{a}:{b}\n");
	for (int i = 0; i < GRAMMAR_TAGS; i++)
		n += (size_t)sprintf(table + n, "c%d\t{a}-{b}\n", i);
	tap(t, load(&g, table, "x", err, sizeof(err)) == -1 && strstr(err, "too many composites") != NULL, "too many composites");
	/* Each row doubles the one before: those that grow too long are no composites. */
	n = (size_t)sprintf(table, "id\tform\nx\t{a}:{b}\nc0\t{a}{b}\n");
	for (int i = 1; i < 40; i++)
		n += (size_t)sprintf(table + n, "c%d\t{c%d}{c%d}\n", i, i - 1, i - 1);
	tap(t, load(&g, table, "x", err, sizeof(err)) == 0 && g.ntags < 15, "rows that double");
	grammar_free(&g);
}

int
main(void)
{
	struct tap t = { 0 };
	int fd = mkstemp(path);

	if (fd == -1 || close(fd) == -1)
		abort();
	test_ids(&t);
	test_tables(&t);
	(void)unlink(path);
	return tap_end(&t);
}
