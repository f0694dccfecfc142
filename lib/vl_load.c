/*
 * What is sent to VictoriaLogs, and what it holds then.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vl.h"

#define STILL 10   /* tries without anything new, twice a second, after which nothing more is expected */
#define COUNTS 600 /* and in all */
#define NAMED 20   /* stretches of missing lines that are named */

/* ---- batches ---- */

int
vl_encode_lines(const struct batch *b, struct buf *to)
{
	for (size_t i = 0; i < b->nrec; i++) {
		size_t n;
		const char *form = batch_form(b, &b->rec[i], &n);

		if (buf_put(to, form, n) == -1 || buf_put(to, "\n", 1) == -1)
			return -1;
	}
	return 0;
}

int
vl_encode_loki(const struct batch *b, struct buf *to)
{
	int failed = 0;

	if (buf_puts(to, "{\"streams\":[") == -1)
		return -1;
	for (size_t i = 0; i < b->nrec && !failed; i++) {
		const struct batch_rec *r = &b->rec[i];
		const struct batch_group *g = &b->group[r->group];
		size_t n;
		const char *form = batch_form(b, r, &n);

		if (i > 0 && r[-1].group == r->group)
			failed = buf_puts(to, ",");
		else
			failed = buf_puts(to, i == 0 ? "{\"stream\":{" : "]},{\"stream\":{") == -1 ||
			    buf_put(to, b->keys.p + g->at, g->len) == -1 || buf_puts(to, "},\"values\":[") == -1;
		failed = failed || buf_put(to, form, n) == -1;
	}
	return failed || buf_puts(to, "]}]}") == -1 ? -1 : 0;
}

/* ---- asking what is there ---- */

static void __attribute__((format(printf, 2, 3))) say(const struct vl_ask *v, const char *fmt, ...)
{
	char text[2 * PUSH_WHY];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v->say(v->arg, text);
}

int
vl_ask_refused(struct vl_ask *v, uint64_t line)
{
	if (v->nrefused == v->room) {
		size_t room = v->room == 0 ? 1024 : v->room * 2;
		uint64_t *lines = reallocarray(v->refused, room, sizeof(*lines));

		if (lines == NULL)
			return -1;
		v->refused = lines;
		v->room = room;
	}
	v->refused[v->nrefused++] = line;
	return 0;
}

/* Lines accepted among those from `from` to `to`. */
static uint64_t
wanted(const struct vl_ask *v, uint64_t from, uint64_t to)
{
	uint64_t n = to - from + 1;

	for (size_t i = 0; i < v->nrefused; i++)
		n -= v->refused[i] >= from && v->refused[i] <= to;
	return n;
}

static uint64_t
number_of(const char *answer, const char *key)
{
	const char *at = strstr(answer, key);

	return at == NULL ? 0 : strtoull(at + strlen(key), NULL, 10);
}

/* Rows there of these lines, and how many lines they are of. 0, or -1 */
static int
count(struct vl_ask *v, uint64_t from, uint64_t to, uint64_t *rows, uint64_t *lines)
{
	char body[256];
	int n = snprintf(body, sizeof(body),
	    "query=og_batch%%3A%%3D%%22%s%%22+og_seq%%3Arange%%5B%" PRIu64 "%%2C%" PRIu64 "%%5D+%%7C+stats+count%%28%%29+n%%2C"
	    "+count_uniq%%28og_seq%%29+u",
	    push_mark(v->push), from, to);
	const struct push_question q = { .url = v->url, .body = body, .len = (size_t)n, .type = "application/x-www-form-urlencoded" };
	struct push_answer a;

	if (push_ask(v->push, &q, &a) == -1) {
		say(v, "cannot verify: %s", push_error(v->push));
		return -1;
	}
	if (a.status != 200) {
		char why[PUSH_WHY];

		push_says(v->push, &a, why);
		say(v, "cannot verify: %s", why);
		return -1;
	}
	if (strstr(a.body, "\"n\":\"") == NULL || strstr(a.body, "\"u\":\"") == NULL) {
		say(v, "cannot verify: %ld %s: not the answer to a query", a.status, a.type);
		return -1;
	}
	*rows = number_of(a.body, "\"n\":\"");
	*lines = number_of(a.body, "\"u\":\"");
	return 0;
}

static void
name_gap(struct vl_ask *v)
{
	if (v->gap[0] == 0)
		return;
	if (v->gap[0] == v->gap[1])
		say(v, "line %" PRIu64 " was accepted and is not there", v->gap[0]);
	else
		say(v, "lines %" PRIu64 " to %" PRIu64 ": %" PRIu64 " records were accepted and are not there", v->gap[0], v->gap[1],
		    wanted(v, v->gap[0], v->gap[1]));
	v->gap[0] = 0;
	v->named++;
}

/* Find the lines that are not there, of which there are some. 0, or -1 */
static int
find_missing(struct vl_ask *v, uint64_t from, uint64_t to, uint64_t lines)
{
	uint64_t middle = from + (to - from) / 2, rows, half;

	if (lines == wanted(v, from, to) || v->named == NAMED)
		return 0;
	if (lines == 0) {
		if (v->gap[0] != 0 && v->gap[1] + 1 != from)
			name_gap(v);
		if (v->gap[0] == 0)
			v->gap[0] = from;
		v->gap[1] = to;
		return 0;
	}
	if (from == to) {
		v->named++;
		say(v, "line %" PRIu64 " is there more often than it was accepted", from);
		return 0;
	}
	if (count(v, from, middle, &rows, &half) == -1 || find_missing(v, from, middle, half) == -1)
		return -1;
	return find_missing(v, middle + 1, to, lines > half ? lines - half : 0);
}

struct found {
	uint64_t want; /* lines that were accepted */
	uint64_t rows, lines;
};

/* Rows of the lines from .. to, and of how many lines they are, when no more of them come. 0; -1: it was said why not. */
static int
find(struct vl_ask *v, uint64_t from, uint64_t to, struct found *found)
{
	*found = (struct found){ .want = wanted(v, from, to) };
	for (int still = 0, all = 0; still < STILL && all < COUNTS; still++, all++) {
		const struct timespec pause = { .tv_nsec = 500000000 };
		uint64_t before = found->lines;

		if (count(v, from, to, &found->rows, &found->lines) == -1)
			return -1;
		if (found->lines == found->want)
			break;
		if (found->lines > before)
			still = 0;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

int
vl_ask_lines(struct vl_ask *v, uint64_t from, uint64_t to, int verbose)
{
	struct found found;

	if (find(v, from, to, &found) == -1)
		return -1;
	if (verbose || found.lines != found.want || found.rows > found.lines)
		say(v, "verified: of %" PRIu64 " records accepted %" PRIu64 " are there, %" PRIu64 " rows of them more than once",
		    found.want, found.lines, found.rows > found.lines ? found.rows - found.lines : 0);
	if (found.lines == found.want)
		return 0;
	(void)find_missing(v, from, to, found.lines);
	if (v->named == NAMED)
		say(v, "and more");
	else
		name_gap(v);
	return -1;
}
