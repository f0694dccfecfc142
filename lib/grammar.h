/*
 * Composite ids, such as a release's: how they are split into words, and which other ids are made of the words.
 *
 * A grammar is a row of a table ids.tsv, whose form is words in braces with one mark of punctuation between two of them:
 *     release_id    {region}:{service}:{release}
 * Rows below it that are made of several of its words, or of one another, are its composites; a row that only names another anew is none.
 */
#ifndef OG_GRAMMAR_H
#define OG_GRAMMAR_H

#include <stddef.h>

#include "tsv.h"

#define GRAMMAR_TAGS 60 /* at most */

struct grammar_piece {
	const char *text; /* literal, n bytes; or NULL */
	size_t n;
	int word;
};

struct grammar_tag {
	const char *name;
	int npieces;
	struct grammar_piece *piece; /* of a word: itself */
};

struct grammar {
	int nwords, ntags; /* the words are the first tags; the id itself is none of them */
	struct grammar_tag
	    tag[GRAMMAR_TAGS];   /* words in the order of the id, then composites in that of the table, each behind what it is made of */
	char mark[GRAMMAR_TAGS]; /* mark[i]: between word i and the next */
	struct tsv table;        /* owns the texts */
};

struct grammar_word {
	const char *p; /* in the id */
	size_t n;
};

/*
 * The row `id` of the table at `path`.
 *   return   0; or -1, and err holds "PATH:LINE: what"
 */
int grammar_load(struct grammar *, const char *path, const char *id, char *err, size_t errsize);
void grammar_free(struct grammar *);

/*
 * Split n bytes into words, none of them empty or with a mark in it.
 *   word     g->nwords of them
 *   return   0; or -1, and err holds what is wrong, worded to follow the id's name ("has 11 fields, not 12")
 */
int grammar_split(const struct grammar *, const char *id, size_t n, struct grammar_word *word, char *err, size_t errsize);
/* Length of a tag's text, and the text written; its end. */
size_t grammar_length(const struct grammar *, int tag, const struct grammar_word *word);
char *grammar_put(const struct grammar *, int tag, const struct grammar_word *word, char *to);

#endif
