#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ch.h"

#define HEAD_MAX (1024 * 1024)

/* ---- formats ---- */

static const struct ch_format formats[] = {
	{ "JSONEachRow", CH_OBJECT, 0 },
	{ "JSONCompactEachRow", CH_ARRAY, 0 },
	{ "JSONCompactEachRowWithNames", CH_ARRAY, 1 },
	{ "JSONCompactEachRowWithNamesAndTypes", CH_ARRAY, 2 },
	{ "CSV", CH_CSV, 0 },
	{ "CSVWithNames", CH_CSV, 1 },
	{ "CSVWithNamesAndTypes", CH_CSV, 2 },
	{ "TSV", CH_TSV, 0 },
	{ "TSVWithNames", CH_TSV, 1 },
	{ "TSVWithNamesAndTypes", CH_TSV, 2 },
	{ "TabSeparated", CH_TSV, 0 },
	{ "TabSeparatedWithNames", CH_TSV, 1 },
	{ "TabSeparatedWithNamesAndTypes", CH_TSV, 2 },
	{ "TSKV", CH_TSV, 0 },
};

const struct ch_format *
ch_format(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

const char *
ch_format_names(void)
{
	return "JSONEachRow, JSONCompactEachRow, CSV, TSV, TabSeparated, all but the first also WithNames or WithNamesAndTypes, or TSKV";
}

int
ch_open(struct ch *c, const struct ch_format *format)
{
	static const char *const key[] = { "a" };

	*c = (struct ch){ .format = format, .delimiter = ',' };
	if (format->kind != CH_OBJECT && format->kind != CH_ARRAY)
		return 0;
	return (c->reader = json_reader(key, format->kind == CH_ARRAY)) == NULL ? -1 : 0;
}

void
ch_close(struct ch *c)
{
	json_reader_free(c->reader);
	buf_free(&c->wrap);
}

/* ---- lines ---- */

static int
refuse(struct ch *c, const char *why)
{
	c->why = why;
	return -1;
}

/* An array is looked at as the only member of an object. */
static int
check_array(struct ch *c, const char *line, size_t len)
{
	struct json_value value;
	struct buf *b = &c->wrap;

	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL && line[len - 1] != '\0')
		len--;
	if (len == 0 || *line != '[')
		return refuse(c, "not a JSON array");
	b->n = 0;
	if (buf_puts(b, "{\"a\":") == -1 || buf_put(b, line, len) == -1 || buf_put(b, "}", 1) == -1)
		return refuse(c, strerror(errno));
	if (json_read(c->reader, b->p, b->n, &value, &c->why) == -1)
		return -1;
	/* More than one value would be more than one member. */
	return value.n == len ? 0 : refuse(c, "not a JSON array");
}

/* Behind the quoted field that p stands in; NULL: it does not end on this line. */
static const char *
quoted_end(const char *p, const char *end)
{
	while ((p = memchr(p, '"', (size_t)(end - p))) != NULL) {
		if (p + 1 == end || p[1] != '"')
			return p + 1;
		p += 2;
	}
	return NULL;
}

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* Does the line end inside a quoted field? The server takes a quote for one only where a field begins. */
static int
ends_quoted(const char *p, const char *end, char delimiter)
{
	for (;;) {
		p = delimiter == '\t' ? p : skip_blanks(p, end);
		if (p < end && *p == '"' && (p = quoted_end(p + 1, end)) == NULL)
			return 1;
		if ((p = memchr(p, delimiter, (size_t)(end - p))) == NULL)
			return 0;
		p++;
	}
}

/* Is p, on a line behind that of an unclosed quote, inside the field, in its end, or is the quote a stray one? */
static int
goes_on(struct ch *c, const char *line, const char *end)
{
	const char *p = quoted_end(line, end);
	uint64_t began = c->began;

	if (p != NULL) {
		c->began = 0;
		p = skip_blanks(p, end);
		if (p < end && *p != c->delimiter && *p != '\r')
			return 0; /* nothing ends there: this line is a record of its own */
		if (p < end && *p == c->delimiter && ends_quoted(p + 1, end, c->delimiter))
			c->began = began;
	}
	(void)snprintf(c->text, sizeof(c->text), "inside the quoted field that began on line %llu", (unsigned long long)began);
	c->why = c->text;
	return 1;
}

static int
check_csv(struct ch *c, uint64_t number, const char *line, size_t len)
{
	const char *end = line + len, *cr;
	int plain = memchr(line, '"', len) == NULL;

	if (c->began != 0 && goes_on(c, line, end))
		return refuse(c, c->why);
	if (len == 0)
		return refuse(c, "an empty line");
	if (!plain && ends_quoted(line, end, c->delimiter)) {
		c->began = number;
		return refuse(c, "a quoted field does not end on its line");
	}
	/* Outside quotes it would end a line; inside them it is left to the server, which tells the same. */
	if (plain && (cr = memchr(line, '\r', len)) != NULL && cr + 1 != end)
		return refuse(c, "a carriage return inside the line");
	return *line == '\r' ? refuse(c, "an empty line") : 0;
}

static int
check_tsv(struct ch *c, const char *line, size_t len)
{
	size_t n = 0;

	if (len == 0)
		return refuse(c, "an empty line");
	if (line[len - 1] == '\r')
		return refuse(c, "a carriage return at the end of the line");
	while (n < len && line[len - 1 - n] == '\\')
		n++;
	return n % 2 == 0 ? 0 : refuse(c, "a backslash at the end of the line, which would join it with the next one");
}

int
ch_line(struct ch *c, uint64_t number, const char *line, size_t len)
{
	struct json_value none[1];

	switch (c->format->kind) {
	case CH_OBJECT:
		return ch_plain_object(line, len) ? 0 : json_read(c->reader, line, len, none, &c->why);
	case CH_ARRAY:
		return check_array(c, line, len);
	case CH_CSV:
	case CH_TSV:
		break;
	}
	if (c->format->kind == CH_CSV && c->began == 0 && ch_plain_csv(line, len, c->delimiter))
		return 0;
	if (memchr(line, '\0', len) != NULL)
		return refuse(c, "a NUL byte");
	return c->format->kind == CH_CSV ? check_csv(c, number, line, len) : check_tsv(c, line, len);
}

/* ---- lines before the records ---- */

/* A name between backticks. */
static int
put_name(struct ch *c, const char *name, size_t n, struct buf *list)
{
	if (n == 0 || memchr(name, '`', n) != NULL || memchr(name, '\\', n) != NULL)
		return refuse(c, "a column without a name, or with a backtick or backslash in it");
	if (buf_put(list, list->n == 0 ? "(`" : ",`", 2) == -1 || buf_put(list, name, n) == -1 || buf_put(list, "`", 1) == -1)
		return refuse(c, strerror(errno));
	return 0;
}

/* The names of a header in CSV or TSV as an SQL list. */
static int
put_columns(struct ch *c, const char *line, size_t len, struct buf *list)
{
	const char *end = line + len, *p = line, *stop;
	char delimiter = c->format->kind == CH_CSV ? c->delimiter : '\t';

	if (len > 0 && end[-1] == '\r')
		end--;
	list->n = 0;
	for (;; p = stop + 1) {
		int quoted = delimiter != '\t' && p < end && *p == '"';

		stop = quoted ? quoted_end(p + 1, end) : memchr(p, delimiter, (size_t)(end - p));
		if (quoted && stop == NULL)
			return refuse(c, "a quoted field does not end on its line");
		if (stop == NULL)
			stop = end;
		if (quoted && memchr(p + 1, '"', (size_t)(stop - p - 2)) != NULL)
			return refuse(c, "a column with a quote in its name");
		if (put_name(c, p + quoted, (size_t)(stop - p) - 2 * (size_t)quoted, list) == -1)
			return -1;
		if (stop == end)
			break;
		if (*stop != delimiter)
			return refuse(c, "no delimiter behind a quoted column");
	}
	return buf_puts(list, ")") == -1 ? refuse(c, strerror(errno)) : 0;
}

int
ch_read_head(struct ch *c, int fd, struct buf *head, struct buf *columns)
{
	for (int i = 0; i < c->format->heads; i++) {
		size_t from = head->n;
		ssize_t got = -1;
		char byte = '\0';

		if (buf_room(head, 1) == NULL)
			return refuse(c, strerror(errno));
		while ((got = read(fd, &byte, 1)) == 1 && byte != '\n' && head->n < HEAD_MAX)
			if (buf_put(head, &byte, 1) == -1)
				return refuse(c, strerror(errno));
		if (got == -1)
			return refuse(c, strerror(errno));
		if (got == 0 && head->n == 0)
			return 0;
		if (head->n == HEAD_MAX)
			return refuse(c, "the names of the columns are too long");
		if (ch_line(c, 1, head->p + from, head->n - from) == -1 ||
		    (i == 0 && c->format->kind != CH_ARRAY && put_columns(c, head->p, head->n, columns) == -1))
			return -1;
		if (buf_put(head, "\n", 1) == -1)
			return refuse(c, strerror(errno));
	}
	return c->format->heads > 0 && buf_put(head, "", 1) == -1 ? refuse(c, strerror(errno)) : 0;
}
