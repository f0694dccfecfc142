#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar.h"

#define PIECES_MAX 512 /* composites made of composites could double in size with every row */

struct form {
	int n;
	struct grammar_piece piece[PIECES_MAX];
};

static int
find_tag(const struct grammar *g, const char *name, size_t n)
{
	for (int i = 0; i < g->ntags; i++)
		if (strncmp(g->tag[i].name, name, n) == 0 && g->tag[i].name[n] == '\0')
			return i;
	return -1;
}

static int
add_piece(struct form *f, struct grammar_piece piece)
{
	if (f->n == PIECES_MAX)
		return -1;
	f->piece[f->n++] = piece;
	return 0;
}

/* The next hole or literal of a form: 1 and whether it is a hole, 0 at the end, -1 when the braces do not match. */
static int
next_part(const char **p, const char **text, size_t *n, int *hole)
{
	const char *from = *p;

	if (*from == '\0')
		return 0;
	*hole = *from == '{';
	*text = from + *hole;
	*n = strcspn(*text, "{}");
	if (*hole ? (*text)[*n] != '}' || *n == 0 : (*text)[*n] == '}')
		return -1;
	*p = *text + *n + *hole;
	return 1;
}

/* A form in words, composites in it resolved. 0, or -1 when it is not made of them alone, or of one alone: another name is no composite. */
static int
resolve(const struct grammar *g, const char *form, struct form *f)
{
	const char *text;
	size_t n;
	int hole, more, parts = 0;

	f->n = 0;
	while ((more = next_part(&form, &text, &n, &hole)) == 1) {
		int tag;

		parts++;
		if (!hole) {
			if (strpbrk(text, "\"\\") != NULL || add_piece(f, (struct grammar_piece){ .text = text, .n = n }) == -1)
				return -1;
			continue;
		}
		if ((tag = find_tag(g, text, n)) == -1)
			return -1;
		for (int i = 0; i < g->tag[tag].npieces; i++)
			if (add_piece(f, g->tag[tag].piece[i]) == -1)
				return -1;
	}
	return more == -1 || parts < 2 ? -1 : 0;
}

static int
add_tag(struct grammar *g, const char *name, const struct form *f)
{
	struct grammar_tag *tag = &g->tag[g->ntags];

	if ((tag->piece = calloc((size_t)f->n, sizeof(*tag->piece))) == NULL)
		return -1;
	memcpy(tag->piece, f->piece, (size_t)f->n * sizeof(*tag->piece));
	tag->npieces = f->n;
	tag->name = name;
	g->ntags++;
	return 0;
}

/* The words and marks of the id's own form, which is cut up: each word gets its NUL. */
static const char *
read_words(struct grammar *g, const char *id, char *form)
{
	for (char *p = form;;) {
		struct form f = { .n = 1, .piece = { { .word = g->nwords } } };
		size_t n;
		char *close;

		if (*p != '{')
			return "a form that can be split begins and ends with a word, and has one mark between two";
		n = strcspn(++p, "{}:\"\\");
		close = p + n;
		if (n == 0 || *close != '}')
			return "a form that can be split has only plain words in its braces";
		if (find_tag(g, p, n) != -1)
			return "a word twice";
		if (strncmp(id, p, n) == 0 && id[n] == '\0')
			return "the id is one of its own words";
		if (g->ntags == GRAMMAR_TAGS)
			return "too many words";
		if (add_tag(g, p, &f) == -1)
			return "out of memory";
		*close = '\0';
		p = close + 1;
		if (*p == '\0') {
			g->nwords = g->ntags;
			return NULL;
		}
		if (!ispunct((unsigned char)*p) || strchr("{}\"\\", *p) != NULL)
			return "a form that can be split has one mark of punctuation between two words";
		g->mark[g->nwords++] = *p++;
	}
}

/* Rows below the id's own. One may use another that stands further down, so they are gone over until no more is found. */
static const char *
read_composites(struct grammar *g, const char *id, size_t row, size_t idcol, size_t formcol, size_t *line)
{
	const struct tsv *t = &g->table;
	struct form f;
	int found = 1;

	while (found) {
		found = 0;
		for (size_t i = row + 1; i < t->nrows; i++) {
			const char *name = t->cell[i * t->ncols + idcol], *form = t->cell[i * t->ncols + formcol];

			if (find_tag(g, name, strlen(name)) != -1 || strcmp(name, id) == 0 || resolve(g, form, &f) == -1)
				continue;
			*line = t->line + 1 + i;
			if (strpbrk(name, "\"\\") != NULL)
				return "a name with a quote or backslash";
			if (g->ntags == GRAMMAR_TAGS)
				return "too many composites";
			if (add_tag(g, name, &f) == -1)
				return "out of memory";
			found = 1;
		}
	}
	return NULL;
}

static int
column(const struct tsv *t, const char *name, size_t *at)
{
	for (*at = 0; *at < t->ncols; ++*at)
		if (strcmp(t->column[*at], name) == 0)
			return 0;
	return -1;
}

/* The one row of that name; t->nrows when there is none, and *again a second one. */
static size_t
find_row(const struct tsv *t, size_t idcol, const char *id, size_t *again)
{
	size_t found = t->nrows;

	*again = t->nrows;
	for (size_t i = 0; i < t->nrows; i++) {
		if (strcmp(t->cell[i * t->ncols + idcol], id) != 0)
			continue;
		if (found != t->nrows)
			*again = i;
		else
			found = i;
	}
	return found;
}

int
grammar_load(struct grammar *g, const char *path, const char *id, char *err, size_t errsize)
{
	size_t size, row, again, idcol, formcol, line;
	const char *what;
	char *text;

	*g = (struct grammar){ 0 };
	if ((text = tsv_slurp(path, &size, err, errsize)) == NULL)
		return -1;
	if (tsv_parse(&g->table, text, size, path, err, errsize) == -1)
		goto fail;
	line = g->table.line;
	if (column(&g->table, "id", &idcol) == -1 || column(&g->table, "form", &formcol) == -1) {
		tsv_error(err, errsize, path, line, "columns \"id\" and \"form\" expected");
		goto fail;
	}
	if ((row = find_row(&g->table, idcol, id, &again)) == g->table.nrows) {
		tsv_error(err, errsize, path, 0, "no id \"%s\"", id);
		goto fail;
	}
	if (again != g->table.nrows) {
		tsv_error(err, errsize, path, line + 1 + again, "id \"%s\" twice", id);
		goto fail;
	}
	line += 1 + row;
	if ((what = read_words(g, id, g->table.cell[row * g->table.ncols + formcol])) != NULL ||
	    (what = read_composites(g, id, row, idcol, formcol, &line)) != NULL) {
		tsv_error(err, errsize, path, line, "%s", what);
		goto fail;
	}
	return 0;
fail:
	grammar_free(g);
	return -1;
}

void
grammar_free(struct grammar *g)
{
	for (int i = 0; i < g->ntags; i++)
		free(g->tag[i].piece);
	tsv_free(&g->table);
	*g = (struct grammar){ 0 };
}

int
grammar_split(const struct grammar *g, const char *id, size_t n, struct grammar_word *word, char *err, size_t errsize)
{
	const char *end = id + n, *from = id;
	int fields = 0, empty = -1, wrong = -1;

	for (const char *p = id;; p++) {
		if (p < end && memchr(g->mark, *p, (size_t)g->nwords - 1) == NULL)
			continue;
		if (fields < g->nwords)
			word[fields] = (struct grammar_word){ from, (size_t)(p - from) };
		if (p == from && empty == -1)
			empty = fields;
		if (p < end && fields < g->nwords - 1 && *p != g->mark[fields] && wrong == -1)
			wrong = fields;
		fields++;
		if (p == end)
			break;
		from = p + 1;
	}
	if (fields != g->nwords)
		(void)snprintf(err, errsize, "has %d field%s, not %d", fields, fields == 1 ? "" : "s", g->nwords);
	else if (empty != -1)
		(void)snprintf(err, errsize, "has an empty %s", g->tag[empty].name);
	else if (wrong != -1)
		(void)snprintf(err, errsize, "has no \"%c\" behind its %s", g->mark[wrong], g->tag[wrong].name);
	else
		return 0;
	return -1;
}

size_t
grammar_length(const struct grammar *g, int tag, const struct grammar_word *word)
{
	const struct grammar_tag *t = &g->tag[tag];
	size_t n = 0;

	for (int i = 0; i < t->npieces; i++)
		n += t->piece[i].text != NULL ? t->piece[i].n : word[t->piece[i].word].n;
	return n;
}

char *
grammar_put(const struct grammar *g, int tag, const struct grammar_word *word, char *to)
{
	const struct grammar_tag *t = &g->tag[tag];

	for (int i = 0; i < t->npieces; i++) {
		const struct grammar_piece *p = &t->piece[i];
		const char *from = p->text != NULL ? p->text : word[p->word].p;
		size_t n = p->text != NULL ? p->n : word[p->word].n;

		memcpy(to, from, n);
		to += n;
	}
	return to;
}
