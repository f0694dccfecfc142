/*
 * What the server says: errors of two dialects, and statements to be said to it one at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ch.h"

#define WORDS 200 /* bytes of the server's text that are passed on */
#define CODE_MAX 99999

static const short refused[] = { 6, 25, 26, 27, 38, 41, 53, 69, 70, 72, 117, 128, 130, 131, 190, 349, 376, 395, 407, 441, 467, 469, 675,
	676, 691, 0 };
static const short denied[] = { 192, 193, 194, 195, 291, 497, 516, 0 };
static const short stopping[] = { 1, 10, 15, 16, 20, 36, 42, 43, 44, 46, 47, 48, 50, 57, 60, 62, 63, 73, 78, 80, 81, 82, 89, 115, 164, 181,
	452, 0 };

static int
among(const short *codes, int code)
{
	while (*codes != 0)
		if (*codes++ == code)
			return 1;
	return 0;
}

/* "Code: 27, e.displayText() = ..." or "Code: 27. DB::Exception: ..."; *text is the message. 0: no such thing. */
static int
read_code(const char *body, const char **text)
{
	static const char *const fill[] = { " e.displayText() = ", " ", "DB::Exception: " };
	char *end;
	long code;

	*text = body;
	if (strncmp(body, "Code: ", 6) != 0 || body[6] < '0' || body[6] > '9')
		return 0;
	code = strtol(body + 6, &end, 10);
	if (code <= 0 || code > CODE_MAX || (*end != ',' && *end != '.'))
		return 0;
	end++;
	for (size_t i = 0; i < sizeof(fill) / sizeof(fill[0]); i++)
		if (strncmp(end, fill[i], strlen(fill[i])) == 0)
			end += strlen(fill[i]);
	*text = end;
	return (int)code;
}

/* A number from 1 on, and what stands behind it; NULL: it is none. */
static const char *
read_row(const char *p, uint64_t *row)
{
	uint64_t n = 0;
	const char *start = p;

	while (*p >= '0' && *p <= '9' && p - start < 18)
		n = n * 10 + (uint64_t)(*p++ - '0');
	if (p == start || n == 0 || (*p >= '0' && *p <= '9'))
		return NULL;
	*row = n;
	return p;
}

/*
 * The server ends its message with "(at row N)" and a newline, then says where it was and what it had read. Text of the records stands
 * before that in every form; behind it they have no newlines. So the last such line is the server's own.
 */
static uint64_t
find_row(const char *text, int code, const char **end_of_words)
{
	static const char mark[] = "(at row ", violated[] = " is violated at row ";
	uint64_t row = 0, n;

	*end_of_words = NULL;
	for (const char *p = text; (p = strstr(p, mark)) != NULL; p += sizeof(mark) - 1) {
		const char *end = read_row(p + sizeof(mark) - 1, &n);

		if (end != NULL && end[0] == ')' && (end[1] == '\n' || end[1] == '\0')) {
			row = n;
			*end_of_words = p;
		}
	}
	if (row == 0 && code == 469 && (text = strstr(text, violated)) != NULL)
		(void)read_row(text + sizeof(violated) - 1, &row);
	return row;
}

static int
has(const char *text, const char *what)
{
	return strstr(text, what) != NULL;
}

static enum push_verdict
by_code(long status, int code, uint64_t row, const char *text)
{
	enum push_verdict verdict = push_verdict(status);

	/* The header of a table is the same in every batch. */
	if (row == 0 && has(text, "(while reading header)"))
		return PUSH_STOP;
	if (row != 0 || among(refused, code) || (code == 49 && has(text, "Unknown element")))
		return PUSH_REFUSED;
	if (among(denied, code))
		return PUSH_DENIED;
	if (among(stopping, code))
		return PUSH_STOP;
	/* Which no waiting mends. */
	if ((code == 252 && has(text, "partitions for single INSERT block")) ||
	    (code == 241 && (has(text, "(for query)") || has(text, "uery memory limit"))))
		return PUSH_SMALLER;
	/* Most of the rest is trouble of the server's own. */
	return verdict == PUSH_REFUSED || verdict == PUSH_TAKEN ? PUSH_STOP : verdict;
}

/* One line of text, up to `end`, cut where a character ends. The row is left out: it is that of a request, not of the input. */
static void
put_words(struct ch_told *t, long status, const char *text, const char *end)
{
	static const char *const tail[] = { ", e.what() =", " (version " };
	size_t n = end == NULL ? strlen(text) : (size_t)(end - text);
	char *to;
	int head;

	for (size_t i = 0; end == NULL && i < sizeof(tail) / sizeof(tail[0]); i++)
		if (has(text, tail[i]))
			n = (size_t)(strstr(text, tail[i]) - text);
	while (n > 0 && strchr(": \n", text[n - 1]) != NULL)
		n--;
	while (n > 0 && strchr(" \n", *text) != NULL) {
		text++;
		n--;
	}
	if (n > WORDS)
		for (n = WORDS; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			continue;
	head = t->code != 0 ? snprintf(t->why, sizeof(t->why), "%ld, code %d: ", status, t->code)
			    : snprintf(t->why, sizeof(t->why), "%ld: ", status);
	(void)snprintf(t->why + head, sizeof(t->why) - (size_t)head, "%.*s", (int)n, n == 0 ? "" : text);
	for (to = t->why; *to != '\0'; to++)
		if ((unsigned char)*to < ' ' || *to == 0x7f)
			*to = ' ';
	if (n == 0)
		(void)snprintf(t->why + head, sizeof(t->why) - (size_t)head, "no reason given");
}

void
ch_judge(long status, const char *exception, const char *body, size_t len, struct ch_told *t)
{
	const char *text, *end = NULL;

	*t = (struct ch_told){ .verdict = push_verdict(status) };
	t->code = read_code(body, &text);
	/* One that was passed on says its code twice. */
	if (t->code != 0 && read_code(text, &end) == t->code)
		text = end;
	end = NULL;
	if (t->code == 0 && exception != NULL) {
		long code = strtol(exception, NULL, 10);

		t->code = code > 0 && code <= CODE_MAX ? (int)code : 0;
	}
	if (t->code != 0) {
		t->row = find_row(text, t->code, &end);
		t->verdict = by_code(status, t->code, t->row, text);
		if (t->verdict != PUSH_REFUSED)
			t->row = 0;
		put_words(t, status, text, end);
		return;
	}
	/* Whoever answers without a code has not looked at the records; an INSERT that was done is answered with nothing. */
	put_words(t, status, text, NULL);
	if (t->verdict == PUSH_REFUSED)
		t->verdict = PUSH_STOP;
	if (t->verdict == PUSH_TAKEN && (status != 200 || len > 0)) {
		t->verdict = PUSH_STOP;
		(void)snprintf(t->why, sizeof(t->why), "%ld: this is not ClickHouse's answer to an INSERT", status);
	}
}

int64_t
ch_written(const char *summary)
{
	static const char name[] = "\"written_rows\":\"";
	const char *p = summary == NULL ? NULL : strstr(summary, name);
	char *end;
	long long n;

	if (p == NULL || p[sizeof(name) - 1] < '0' || p[sizeof(name) - 1] > '9')
		return -1;
	n = strtoll(p + sizeof(name) - 1, &end, 10);
	return *end == '"' ? n : -1;
}

/* ---- statements ---- */

/* Behind the text that begins at p and ends with `close`; a backslash hides what follows it. NULL: it does not end. */
static const char *
quote_end(const char *p, const char *end, char close)
{
	for (p++; p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == close)
			return p + 1;
	}
	return NULL;
}

/* $tag$ text $tag$; or p + 1 when it is none. */
static const char *
heredoc_end(const char *p, const char *end)
{
	const char *tag = p + 1, *found;
	size_t n;

	while (tag < end && (*tag == '_' || (*tag >= '0' && *tag <= '9') || (*tag >= 'A' && *tag <= 'Z') || (*tag >= 'a' && *tag <= 'z')))
		tag++;
	if (tag == end || *tag != '$')
		return p + 1;
	n = (size_t)(tag + 1 - p);
	found = memmem(tag + 1, (size_t)(end - tag - 1), p, n);
	return found == NULL ? NULL : found + n;
}

/* Behind what begins at p: a comment (then *blank), quoted text, or one byte. NULL and *errstr when it does not end. */
static const char *
lexeme(const char *p, const char *end, int *blank, const char **errstr)
{
	char next = p + 1 < end ? p[1] : '\0';
	const char *stop;

	*blank = 1;
	if ((*p == '-' && next == '-') || (*p == '#' && (next == ' ' || next == '!'))) {
		stop = memchr(p, '\n', (size_t)(end - p));
		return stop == NULL ? end : stop;
	}
	if (*p == '/' && next == '*') {
		*errstr = "a comment is not closed";
		stop = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);
		return stop == NULL ? NULL : stop + 2;
	}
	*blank = strchr(" \t\r\n\f\v", *p) != NULL && *p != '\0';
	*errstr = "a quote is not closed";
	if (*p == '\'' || *p == '"' || *p == '`')
		return quote_end(p, end, *p);
	return *p == '$' ? heredoc_end(p, end) : p + 1;
}

int
ch_statement(const char **at, const char *end, const char **statement, size_t *len, const char **errstr)
{
	const char *p = *at, *first = NULL, *last = NULL;
	int blank;

	while (p < end) {
		const char *stop;

		if (*p == ';') {
			p++;
			if (first != NULL)
				break;
			continue;
		}
		if ((stop = lexeme(p, end, &blank, errstr)) == NULL)
			return -1;
		if (!blank) {
			if (first == NULL)
				first = p;
			last = stop;
		}
		p = stop;
	}
	*at = p;
	*statement = first;
	*len = first == NULL ? 0 : (size_t)(last - first);
	return first != NULL;
}
