/*
 * leak: does any single column tell what it should not?
 *
 *	leak LIMIT <ROWS
 *
 * Rows are of tab-separated values under a line of names. The first column is "train" or "test", the second 1 where the row is of the
 * kind to be told, else 0. Each other column is looked at alone, in four ways: by value, by the last two bytes, by length, and by one cut
 * in the order of bytes. What was learned of the training rows is tried on the others, and written: the area under the curve of hits
 * against false alarms, 0.5 for a guess, 1 for certainty. A value that was never seen is a guess. Exits 1 when any reaches the limit.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRIOR 8 /* rows that a value is believed to have had besides those that were seen */

struct row {
	int test, label;
	char **cell;
};

struct value {
	const char *key;
	size_t n;        /* bytes of it that count */
	double yes, all; /* rows that have it */
};

struct guess {
	double score;
	int label;
};

enum way { BY_VALUE, BY_END, BY_LENGTH, BY_ORDER, WAYS };

static struct value
key_of(const struct row *r, int column, enum way way, char length[24])
{
	const char *s = r->cell[column];
	size_t n = strlen(s);

	if (way == BY_END && n > 2)
		return (struct value){ s + n - 2, 2, r->label, 1 };
	if (way != BY_LENGTH)
		return (struct value){ s, n, r->label, 1 };
	(void)snprintf(length, 24, "%zu", n);
	return (struct value){ length, strlen(length), r->label, 1 };
}

static int
compare(const struct value *a, const struct value *b)
{
	int c = memcmp(a->key, b->key, a->n < b->n ? a->n : b->n);

	return c != 0 ? c : (a->n > b->n) - (a->n < b->n);
}

static int
by_key(const void *a, const void *b)
{
	return compare(a, b);
}

static int
by_score(const void *a, const void *b)
{
	const struct guess *x = a, *y = b;

	return (x->score > y->score) - (x->score < y->score);
}

/* Chance that a row of the kind has a higher score than one of the others; equal ones count half. */
static double
area(struct guess *g, size_t n)
{
	double sum = 0, yes = 0, no = 0;

	qsort(g, n, sizeof(*g), by_score);
	for (size_t i = 0, k; i < n; i = k) {
		double here[2] = { 0, 0 };

		for (k = i; k < n && g[k].score <= g[i].score; k++)
			here[g[k].label]++;
		sum += here[1] * (no + here[0] / 2);
		yes += here[1];
		no += here[0];
	}
	return sum / (yes * no);
}

/* Equal keys are one, with all their rows; how many are left. */
static size_t
gather(struct value *seen, size_t n)
{
	size_t k = 0;

	qsort(seen, n, sizeof(*seen), by_key);
	for (size_t i = 0; i < n; i++) {
		if (k > 0 && compare(&seen[k - 1], &seen[i]) == 0) {
			seen[k - 1].yes += seen[i].yes;
			seen[k - 1].all += seen[i].all;
		} else {
			seen[k++] = seen[i];
		}
	}
	return k;
}

/* Share of the kind among training rows with this key; a few more are believed to be as all are. */
static double
share(const struct value *seen, size_t n, const struct value *key, double base)
{
	const struct value *v = bsearch(key, seen, n, sizeof(*seen), by_key);

	return v == NULL ? base : (v->yes + PRIOR * base) / (v->all + PRIOR);
}

/* The key up to which training rows are most unlike those behind it; *sign: which side has more of the kind. */
static const struct value *
best_cut(const struct value *seen, size_t n, double yes, double all, double *sign)
{
	const struct value *best = seen;
	double most = -1, a = 0, b = 0;

	for (size_t i = 0; i < n; i++) {
		double d;

		a += seen[i].yes;
		b += seen[i].all - seen[i].yes;
		d = a / yes - b / (all - yes);
		if ((d < 0 ? -d : d) > most) {
			most = d < 0 ? -d : d;
			*sign = d < 0 ? -1 : 1;
			best = &seen[i];
		}
	}
	return best;
}

static double
judge(const struct row *row, size_t rows, int column, enum way way)
{
	struct value *seen = calloc(rows, sizeof(*seen)), key;
	struct guess *g = calloc(rows, sizeof(*g));
	char(*text)[24] = calloc(rows, sizeof(*text)), here[24];
	double yes = 0, all = 0, sign = 1, result;
	const struct value *cut;
	size_t n = 0, m = 0;

	if (seen == NULL || g == NULL || text == NULL)
		err(2, NULL);
	for (size_t i = 0; i < rows; i++)
		if (!row[i].test) {
			seen[n] = key_of(&row[i], column, way, text[i]);
			yes += seen[n].yes;
			all += seen[n++].all;
		}
	n = gather(seen, n);
	cut = best_cut(seen, n, yes, all, &sign);
	for (size_t i = 0; i < rows; i++)
		if (row[i].test) {
			key = key_of(&row[i], column, way, here);
			g[m].label = row[i].label;
			g[m++].score = way == BY_ORDER ? (compare(&key, cut) <= 0 ? sign : -sign) : share(seen, n, &key, yes / all);
		}
	result = area(g, m);
	free(seen);
	free(g);
	free(text);
	return result;
}

/* Cut a line at its tabs; how many cells it has. */
static int
cut_line(char *line, char **cell, int most)
{
	int n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (n < most && (cell[n] = strsep(&line, "\t")) != NULL)
		n++;
	return n;
}

static char *
next_line(void)
{
	char *line = NULL;
	size_t size = 0;

	return getline(&line, &size, stdin) == -1 ? NULL : line;
}

int
main(int argc, char *argv[])
{
	static const char *const word[] = { "value", "end", "length", "order" };
	char *line, *name[64];
	struct row *row = NULL;
	size_t rows = 0, room = 0, kinds[2][2] = { { 0 } };
	double limit = argc == 2 ? strtod(argv[1], NULL) : 0;
	int columns, bad = 0;

	if (limit <= 0.5 || (line = next_line()) == NULL || (columns = cut_line(line, name, 64)) < 3)
		errx(2, "usage: leak LIMIT, above 0.5, and rows with names");
	while ((line = next_line()) != NULL) {
		if (rows == room) {
			struct row *more = reallocarray(row, room = room * 2 + 1024, sizeof(*row));

			if (more == NULL)
				err(2, NULL);
			row = more;
		}
		row[rows].cell = calloc((size_t)columns, sizeof(*row->cell));
		if (row[rows].cell == NULL || cut_line(line, row[rows].cell, columns) != columns)
			errx(2, "row %zu has not %d cells", rows + 1, columns);
		row[rows].test = strcmp(row[rows].cell[0], "test") == 0;
		row[rows].label = row[rows].cell[1][0] == '1';
		kinds[row[rows].test][row[rows].label]++;
		rows++;
	}
	for (int i = 0; i < 4; i++)
		if (kinds[i / 2][i % 2] < 500)
			errx(2, "only %zu %s rows of kind %d: too few to tell", kinds[i / 2][i % 2], i < 2 ? "training" : "test", i % 2);
	for (int c = 2; c < columns; c++)
		for (int way = 0; way < WAYS; way++) {
			double auc = judge(row, rows, c, (enum way)way);

			(void)printf("%s by %s: %.3f\n", name[c], word[way], auc);
			bad |= auc >= limit;
		}
	return bad;
}
