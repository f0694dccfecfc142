#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "tsv.h"

#define SIZE_LIMIT ((off_t)1 << 30) /* bytes of a file; far above any table, far below what memory may lack */

/* Where the last whole character of s, which was cut after n bytes, ends. */
static size_t
whole_chars(const char *s, size_t n)
{
	size_t i = n, need;
	unsigned char c;

	while (i > 0 && n - i < 4) {
		c = (unsigned char)s[--i];
		if ((c & 0xc0) == 0x80)
			continue;
		need = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		return n - i < need ? i : n;
	}
	return i;
}

static void
put(char *err, size_t errsize, size_t *used, const char *fmt, va_list ap)
{
	int n;

	if (*used + 1 >= errsize)
		return;
	n = vsnprintf(err + *used, errsize - *used, fmt, ap);
	if (n < 0)
		err[*used] = '\0';
	else if ((size_t)n < errsize - *used)
		*used += (size_t)n;
	else {
		*used = whole_chars(err, errsize - 1);
		err[*used] = '\0';
		/* Nothing may follow a cut. */
		*used = errsize;
	}
}

static void __attribute__((format(printf, 4, 5))) putf(char *err, size_t errsize, size_t *used, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(err, errsize, used, fmt, ap);
	va_end(ap);
}

void
tsv_error(char *err, size_t errsize, const char *path, size_t line, const char *fmt, ...)
{
	size_t used = 0;
	va_list ap;

	if (errsize > 0)
		err[0] = '\0';
	putf(err, errsize, &used, "%s:", path);
	if (line != 0)
		putf(err, errsize, &used, "%zu:", line);
	putf(err, errsize, &used, " ");
	va_start(ap, fmt);
	put(err, errsize, &used, fmt, ap);
	va_end(ap);
}

/* What is wrong with the bytes of a line, or NULL. */
static const char *
line_fault(const char *s, size_t n)
{
	unsigned char c, last = 0;
	size_t i;

	for (i = 0; i < n; i++, last = c) {
		c = (unsigned char)s[i];
		if (c == '\0')
			return "NUL byte";
		if (c == '\r' && i + 1 == n)
			return "the line ends with CR LF, not with LF alone";
		/* The controls of U+0080 to U+009F can steer a terminal too, once a message quotes them. */
		if ((c < 0x20 && c != '\t') || c == 0x7f || (last == 0xc2 && c >= 0x80 && c < 0xa0))
			return "control character";
	}
	return utf8_valid(s, n) ? NULL : "not UTF-8";
}

char *
tsv_slurp(const char *path, size_t *size, char *err, size_t errsize)
{
	struct stat st;
	char *buf = NULL, *more;
	size_t used = 0, room = 0;
	ssize_t n = 0;
	int fd;

	/* A FIFO must not hold us up before it is found to be none of ours. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1 || fstat(fd, &st) == -1) {
		tsv_error(err, errsize, path, 0, "%s", strerror(errno));
		goto bad;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > SIZE_LIMIT) {
		tsv_error(err, errsize, path, 0, "%s",
		    S_ISDIR(st.st_mode)       ? "is a directory"
			: S_ISREG(st.st_mode) ? "too large"
					      : "not a regular file");
		goto bad;
	}
	do {
		used += (size_t)n;
		if (room - used < 2) {
			room = room == 0 ? (size_t)st.st_size + 2 : room * 2;
			if ((more = realloc(buf, room)) == NULL) {
				tsv_error(err, errsize, path, 0, "%s", strerror(errno));
				goto bad;
			}
			buf = more;
		}
		n = read(fd, buf + used, room - used - 1);
	} while (n > 0);
	if (n == -1) {
		tsv_error(err, errsize, path, 0, "%s", strerror(errno));
		goto bad;
	}
	close(fd);
	buf[used] = '\0';
	*size = used;
	return buf;
bad:
	free(buf);
	if (fd != -1)
		close(fd);
	return NULL;
}

/* Cut a line at its tabs into at most max cells; how many it has. */
static size_t
split(char *s, size_t n, char **cell, size_t max)
{
	char *end = s + n, *tab;
	size_t i = 0;

	for (;;) {
		tab = memchr(s, '\t', (size_t)(end - s));
		if (i < max)
			cell[i] = s;
		i++;
		if (tab == NULL)
			return i;
		if (i <= max)
			*tab = '\0';
		s = tab + 1;
	}
}

static size_t
count_tabs(const char *s, size_t n)
{
	size_t i, tabs = 0;

	for (i = 0; i < n; i++)
		tabs += s[i] == '\t';
	return tabs;
}

static int
add_header(struct tsv *t, char *s, size_t n, size_t line)
{
	t->ncols = count_tabs(s, n) + 1;
	t->column = reallocarray(NULL, t->ncols, sizeof(*t->column));
	if (t->column == NULL)
		return -1;
	split(s, n, t->column, t->ncols);
	t->line = line;
	return 0;
}

/* 0, or -1 without memory; *got: how many cells the line has. */
static int
add_row(struct tsv *t, char *s, size_t n, size_t *room, size_t *got)
{
	char **more;

	if (t->nrows == *room) {
		*room = *room == 0 ? 64 : *room * 2;
		if (*room > SIZE_MAX / t->ncols || (more = reallocarray(t->cell, *room * t->ncols, sizeof(*more))) == NULL)
			return -1;
		t->cell = more;
	}
	*got = split(s, n, t->cell + t->nrows * t->ncols, t->ncols);
	t->nrows++;
	return 0;
}

int
tsv_parse(struct tsv *t, char *text, size_t size, const char *path, char *err, size_t errsize)
{
	char *s, *end = text + size, *lf;
	size_t n, line = 0, room = 0, got;
	const char *fault;

	memset(t, 0, sizeof(*t));
	t->text = text;
	for (s = text; s < end; s = lf + 1) {
		line++;
		lf = memchr(s, '\n', (size_t)(end - s));
		if (lf == NULL)
			lf = end;
		n = (size_t)(lf - s);
		if ((fault = line_fault(s, n)) != NULL) {
			tsv_error(err, errsize, path, line, "%s", fault);
			return -1;
		}
		*lf = '\0';
		if (t->column == NULL && n > 0 && s[0] == '#')
			continue;
		got = t->ncols;
		if (t->column == NULL ? add_header(t, s, n, line) : add_row(t, s, n, &room, &got)) {
			tsv_error(err, errsize, path, line, "%s", strerror(errno));
			return -1;
		}
		if (t->nrows > 0 && got != t->ncols) {
			tsv_error(err, errsize, path, line, "%s row: %zu cell%s instead of %zu", got < t->ncols ? "short" : "long", got,
			    got == 1 ? "" : "s", t->ncols);
			return -1;
		}
	}
	if (t->column == NULL) {
		tsv_error(err, errsize, path, 0, "no header row");
		return -1;
	}
	return 0;
}

void
tsv_free(struct tsv *t)
{
	free(t->text);
	free(t->column);
	free(t->cell);
	memset(t, 0, sizeof(*t));
}
