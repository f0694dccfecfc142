/* CSV as RFC 4180 has it: cells between commas, in quotes where they hold commas, quotes or line ends. LF or CRLF. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "mix.h"
#include "rules_impl.h"

static int
fail(struct csv *c, const char *what)
{
	errno = 0;
	(void)snprintf(c->why, sizeof(c->why), "%s", what);
	return -1;
}

/* A quoted cell from its quote on, unescaped in place; the end of it in *end; 0, 1: the line ends inside, -1. */
static int
quoted(char *p, const char *limit, struct cell *cell, char **end)
{
	char *to = p;
	char *from = p + 1;

	for (; from < limit; from++) {
		if (*from == '"') {
			if (from + 1 == limit || from[1] != '"')
				break;
			from++;
		}
		*to++ = *from;
	}
	if (from >= limit)
		return 1;
	cell->p = p;
	cell->n = (size_t)(to - p);
	*end = from + 1;
	return *end == limit || **end == ',' ? 0 : -1;
}

/* Is the line over, or does a quoted cell go on behind it? */
static int
is_whole(struct csv *c, const char *line, size_t len)
{
	int inside = 0;

	if ((c->plain = memchr(line, '"', len) == NULL))
		return 1;
	for (size_t i = 0; i < len; i++)
		inside ^= line[i] == '"';
	return !inside;
}

#ifdef __SSE2__
typedef char wide __attribute__((vector_size(16)));
#endif

/* Bit i: byte i of the 64 from p on is a comma; of those at `end` and behind it none is. */
static uint64_t
commas(const char *p, const char *end)
{
	static const uint64_t ones = 0x0101010101010101ULL, low = 0x7f7f7f7f7f7f7f7fULL;
	uint64_t found = 0;
	size_t n = end - p < 64 ? (size_t)(end - p) : 64, i = 0;

#ifdef __SSE2__
	for (; n - i >= sizeof(wide); i += sizeof(wide)) {
		wide w;

		memcpy(&w, p + i, sizeof(w));
		found |= (uint64_t)(unsigned)__builtin_ia32_pmovmskb128((wide)(w == ',')) << i;
	}
#endif
	for (; i < n; i += 8) {
		uint64_t x = 0;

		memcpy(&x, p + i, n - i < 8 ? n - i : 8);
		x = le64toh(x) ^ ones * ',';
		/* The highest bit of each byte that is 0, then all of them next to each other. Source: Warren, Hacker's Delight, 6-1 */
		x = ~(((x & low) + low) | x | low);
		found |= ((x >> 7) * 0x0102040810204080ULL >> 56) << i;
	}
	return found;
}

/* A line without quotes. How many cells, max + 1 when there are more. */
static int
split_plain(const char *line, size_t len, struct cell *cell, int max)
{
	const char *from = line, *end = line + len;
	int n = 0;

	for (const char *p = line; p < end; p += 64)
		for (uint64_t x = commas(p, end); x != 0; x &= x - 1) {
			const char *comma = p + __builtin_ctzll(x);

			if (n == max)
				return max + 1;
			cell[n++] = (struct cell){ from, (size_t)(comma - from) };
			from = comma + 1;
		}
	if (n < max)
		cell[n] = (struct cell){ from, (size_t)(end - from) };
	return n + 1;
}

/* How many cells, or -1. */
static int
split(struct csv *c, char *line, size_t len, struct cell *cell, int max)
{
	char *p = line, *limit = line + len, *end;
	int n = 0;

	if (len > 0 && limit[-1] == '\r')
		limit--;
	if (c->plain) {
		n = split_plain(line, (size_t)(limit - line), cell, max);
		return n > max ? fail(c, "more cells than columns") : n;
	}
	for (;;) {
		if (n == max)
			return fail(c, "more cells than columns");
		if (p < limit && *p == '"') {
			if (quoted(p, limit, &cell[n], &end) != 0)
				return fail(c, "a quote where none may be");
		} else {
			end = memchr(p, ',', (size_t)(limit - p));
			end = end == NULL ? limit : end;
			cell[n].p = p;
			cell[n].n = (size_t)(end - p);
		}
		n++;
		if (end == limit)
			return n;
		p = end + 1;
	}
}

/* ---- compressed tables ---- */

/* The program that unpacks a file of this name; NULL: it is not packed. */
static const char *
unpacker(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot == NULL)
		return NULL;
	return strcmp(dot, ".gz") == 0 ? "gzip" : strcmp(dot, ".zst") == 0 ? "zstd" : NULL;
}

/* Let a program read what c->fd is; c->fd is what it writes then. 0, or -1 with errno or c->why. */
static int
unpack(struct csv *c, const char *program)
{
	char name[8];
	posix_spawn_file_actions_t actions;
	int ends[2], error;

	(void)snprintf(name, sizeof(name), "%s", program);
	if (pipe(ends) == -1)
		return -1;
	(void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	if ((error = posix_spawn_file_actions_init(&actions)) == 0) {
		if ((error = posix_spawn_file_actions_adddup2(&actions, c->fd, STDIN_FILENO)) == 0 &&
		    (error = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)) == 0)
			error = posix_spawnp(&c->child, program, &actions, NULL, (char *[]){ name, (char[]){ "-dqc" }, NULL }, environ);
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	(void)close(ends[1]);
	(void)close(c->fd);
	c->fd = ends[0];
	if (error == 0)
		return 0;
	c->child = 0;
	(void)snprintf(c->why, sizeof(c->why), "%s: %s", program, strerror(error));
	errno = 0;
	return -1;
}

/* At the end of what it writes: did the program come to its own? 0, or -1. */
static int
unpacked(struct csv *c)
{
	pid_t child = c->child, ended;
	int status;

	if (child == 0)
		return 0;
	c->child = 0;
	do
		ended = waitpid(child, &status, 0);
	while (ended == -1 && errno == EINTR);
	return ended == child && status == 0 ? 0 : fail(c, "cannot be unpacked to its end");
}

/* As rec_next(); a last line that is but a part of one, since the program failed, is none. */
static enum rec_status
take_line(struct csv *c, char **line, size_t *len)
{
	enum rec_status status = rec_next(&c->in, line, len);

	return c->in.eof && unpacked(c) == -1 ? REC_ERROR : status;
}

/* One row as one text. 1, 0, -1. */
static int
next_line(struct csv *c, char **line, size_t *len)
{
	enum rec_status status = take_line(c, line, len);

	if (status == REC_ERROR)
		return -1;
	if (status == REC_LONG)
		return fail(c, "a line longer than lines may be");
	if (status == REC_END)
		return 0;
	c->line = c->in.line;
	if (is_whole(c, *line, *len))
		return 1;
	c->joined.n = 0;
	for (;;) {
		if (buf_put(&c->joined, *line, *len) == -1 || buf_put(&c->joined, "\n", 1) == -1)
			return -1;
		if (is_whole(c, c->joined.p, c->joined.n))
			break;
		if (c->joined.n > OUT_LINE_MAX || (status = take_line(c, line, len)) != REC_LINE)
			return status == REC_ERROR ? -1 : fail(c, "a quoted cell without an end");
	}
	*line = c->joined.p;
	*len = c->joined.n - 1;
	return 1;
}

int
csv_open(struct csv *c, const char *path)
{
	const char *program = unpacker(path);
	struct cell head[RULES_COLUMNS];
	char *line;
	size_t len;
	int got;

	*c = (struct csv){ .fd = open(path, O_RDONLY) };
	if (c->fd == -1 || (program != NULL && unpack(c, program) == -1))
		return -1;
	if ((c->path = strdup(path)) == NULL || rec_open(&c->in, c->fd, path, NULL, 0) == -1)
		return -1;
	if ((got = next_line(c, &line, &len)) <= 0)
		return got == 0 ? fail(c, "no row of names") : -1;
	if ((c->ncols = split(c, line, len, head, RULES_COLUMNS)) == -1)
		return -1;
	c->name = calloc((size_t)c->ncols, sizeof(*c->name));
	c->cell = calloc((size_t)c->ncols, sizeof(*c->cell));
	c->known = calloc((size_t)c->ncols, sizeof(*c->known));
	for (int i = 0; c->name != NULL && i < c->ncols; i++)
		if ((c->name[i] = strndup(head[i].p, head[i].n)) == NULL)
			return -1;
	return c->name == NULL || c->cell == NULL || c->known == NULL ? -1 : 0;
}

int
csv_next(struct csv *c)
{
	char *line;
	size_t len;
	int got = next_line(c, &line, &len), n;

	if (got <= 0)
		return got;
	if ((n = split(c, line, len, c->cell, c->ncols)) == -1)
		return -1;
	c->row++;
	return n < c->ncols ? fail(c, "fewer cells than columns") : 1;
}

void
csv_close(struct csv *c)
{
	for (int i = 0; c->name != NULL && i < c->ncols; i++)
		free(c->name[i]);
	free(c->name);
	free(c->cell);
	free(c->known);
	free(c->path);
	buf_free(&c->joined);
	rec_close(&c->in);
	if (c->fd != -1)
		(void)close(c->fd);
	c->fd = -1;
	if (c->child > 0)
		(void)kill(c->child, SIGTERM);
	(void)unpacked(c);
}

uint64_t
csv_hash(const struct csv *c, int column)
{
	struct known *k = &c->known[column];

	const struct cell *x = &c->cell[column];

	if (k->hash_row == c->row)
		return k->hash;
	if (k->hash_row == 0 || k->n != x->n || x->n > sizeof(k->text) || memcmp(k->text, x->p, x->n) != 0) {
		k->hash = mix_name(x->p, x->n);
		k->n = x->n;
		memcpy(k->text, x->p, x->n < sizeof(k->text) ? x->n : sizeof(k->text));
	}
	k->hash_row = c->row;
	return k->hash;
}

int
csv_time(const struct csv *c, int column, int64_t *us)
{
	struct known *k = &c->known[column];

	if (k->time_row != c->row) {
		k->time_row = c->row;
		k->is_time = clock_parse(c->cell[column].p, c->cell[column].n, &k->us) == 0;
	}
	*us = k->us;
	return k->is_time ? 0 : -1;
}

int
csv_column(const struct csv *c, const char *name, size_t n)
{
	for (int i = 0; i < c->ncols; i++)
		if (strlen(c->name[i]) == n && memcmp(c->name[i], name, n) == 0)
			return i;
	return -1;
}
