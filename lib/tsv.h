/*
 * A table of tab-separated values: head lines that begin with '#', a header row, rows. UTF-8 without control characters, lines that end
 * with LF (the last one may lack it), no quoting. Lines and cells of any length, any number of them.
 */
#ifndef OG_TSV_H
#define OG_TSV_H

#include <stddef.h>

struct tsv {
	char *text; /* owned; cells point into it, each ended by a NUL */
	size_t ncols, nrows;
	char **column; /* names in the header row */
	char **cell;   /* row by row, each of ncols cells */
	size_t line;   /* of the header row, from 1; row i stands on line + 1 + i */
};

/*
 * A whole regular file in memory of malloc(3), with a NUL behind it.
 *   return   NULL, and err holds "PATH: what", when it cannot be read
 */
char *tsv_slurp(const char *path, size_t *size, char *err, size_t errsize);
/*
 * Split size bytes with a NUL behind them, which the table owns from here on, also after an error.
 *   return   0; or -1, and err holds "PATH:LINE: what"
 */
int tsv_parse(struct tsv *, char *text, size_t size, const char *path, char *err, size_t errsize);
void tsv_free(struct tsv *);

/* "PATH:LINE: what" (line 0: "PATH: what") in err, never cut inside a character. */
void tsv_error(char *err, size_t errsize, const char *path, size_t line, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
