/* lib/rec: lines of every length around the bounds, however they arrive; when the output is flushed; errors. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rec.h"
#include "tap.h"

static void
nothing(int sig)
{
	(void)sig;
}

static void
pause_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* SIGALRM so soon, and again so often; 0: never. */
static void
alarm_us(long first, long again)
{
	struct itimerval timer = { .it_value.tv_usec = first, .it_interval.tv_usec = again };

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* A child that writes the text in pieces; the end to read from. */
static int
pipe_from(const char *text, size_t n, size_t piece)
{
	int fd[2];

	if (pipe(fd) == -1)
		abort();
	(void)fflush(stdout);
	switch (fork()) {
	case -1:
		abort();
	case 0:
		(void)close(fd[0]);
		while (n > 0) {
			size_t now = piece < n ? piece : n;

			if (write(fd[1], text, now) != (ssize_t)now)
				_exit(1);
			text += now;
			n -= now;
		}
		_exit(0);
	default:
		(void)close(fd[1]);
		return fd[0];
	}
}

static int
file_of(const char *text, size_t n)
{
	char name[] = "/tmp/og-rec-XXXXXX";
	int fd = mkstemp(name);

	if (fd == -1 || unlink(name) == -1 || write(fd, text, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

/* What came, spelt: "3:abc " for a line, "LONG " for one that is too long; long lines as their length alone. */
static void
spell(int fd, size_t max, char *got, size_t size)
{
	enum rec_status status;
	uint64_t number = 0;
	struct rec r;
	size_t len;
	char *line;

	if (rec_open(&r, fd, "<test>", NULL, max) == -1)
		abort();
	got[0] = '\0';
	while ((status = rec_next(&r, &line, &len)) > REC_END) {
		size_t have = strlen(got);

		if (status == REC_LONG)
			(void)snprintf(got + have, size - have, "LONG ");
		else if (len > 8)
			(void)snprintf(got + have, size - have, "%zu%c%c ", len, line[0], line[len - 1]);
		else {
			have += (size_t)snprintf(got + have, size - have, "%zu:", len);
			for (size_t i = 0; i < len; i++)
				got[have + i] = line[i] == '\0' ? '0' : line[i];
			memcpy(got + have + len, " ", 2);
		}
		if (status == REC_LINE)
			line[len] = '\n';
		if (r.line != ++number)
			(void)snprintf(got, size, "line %llu", (unsigned long long)r.line);
	}
	if (status == REC_ERROR)
		(void)snprintf(got + strlen(got), size - strlen(got), "ERROR %d", errno);
	else if (rec_next(&r, &line, &len) != REC_END)
		(void)snprintf(got, size, "more behind the end");
	rec_close(&r);
	(void)close(fd);
}

static void
check(struct tap *t, const char *text, size_t n, size_t max, const char *want, const char *name)
{
	char got[4096];

	spell(file_of(text, n), max, got, sizeof(got));
	tap(t, strcmp(got, want) == 0, "%s: %s", name, got);
	for (size_t piece = 1; piece < 8; piece += 3) {
		if (n > 100000)
			piece = piece * 3777;
		spell(pipe_from(text, n, piece), max, got, sizeof(got));
		(void)wait(NULL);
		tap(t, strcmp(got, want) == 0, "%s, in pieces of %zu", name, piece);
	}
}

/* A place that is taken in the middle of a line that is passed over would not be one where a line begins. */
static void
test_offset(struct tap *t)
{
	static char text[300000];
	struct rec r;
	size_t len;
	char *line;
	int fd, reads = 0, same = 1;

	memset(text, 'x', sizeof(text));
	memcpy(text, "one\n", 4);
	memcpy(text + sizeof(text) - 5, "\ntwo\n", 5);
	fd = file_of(text, sizeof(text));
	if (rec_open(&r, fd, "<test>", NULL, 100) == -1)
		abort();
	tap(t, rec_next(&r, &line, &len) == REC_LINE && r.offset == 4, "the offset behind a line");
	for (; !rec_ready(&r) && rec_fill(&r) == 0; reads++)
		same = same && r.offset == 4;
	tap(t, reads > 0 && r.skipping && same, "it stays while a line is passed over: %d reads", reads);
	tap(t, rec_next(&r, &line, &len) == REC_LONG && r.offset == sizeof(text) - 4, "behind that: %llu", (unsigned long long)r.offset);
	tap(t, rec_next(&r, &line, &len) == REC_LINE && r.offset == sizeof(text), "and behind the last");
	rec_close(&r);
	(void)close(fd);
}

static void
test_lines(struct tap *t)
{
	char want[200];
	char *big = malloc(4 * OUT_LINE_MAX);
	size_t n = 0;

	if (big == NULL)
		abort();
	check(t, "", 0, 0, "", "nothing");
	check(t, "\n", 1, 0, "0: ", "an empty line");
	check(t, "a\n\nbc", 5, 0, "1:a 0: 2:bc ", "no newline at the end");
	check(t, "a\0b\n\0\n", 6, 0, "3:a0b 1:0 ", "NUL is data");
	check(t, "123456\n1234567\n12345678\n1\n", 26, 7, "6:123456 7:1234567 LONG 1:1 ", "a bound of 7");
	check(t, "12345678", 8, 7, "LONG ", "too long without a newline");
	check(t, "1234567", 7, 7, "7:1234567 ", "as long as may be without a newline");
	for (size_t len = OUT_LINE_MAX - 2; len <= OUT_LINE_MAX; len++) {
		memset(big, 'x', len);
		big[0] = 'a';
		big[len - 1] = 'z';
		memcpy(big + len, "\nb\n", 3);
		(void)snprintf(want, sizeof(want), len < OUT_LINE_MAX ? "%zuaz 1:b " : "LONG 1:b ", len);
		check(t, big, len + 3, 0, want, "around a MiB");
	}
	memset(big, 'y', 3 * OUT_LINE_MAX);
	memcpy(big + 3 * OUT_LINE_MAX, "\n1\n", 3);
	check(t, big, 3 * OUT_LINE_MAX + 3, 0, "LONG 1:1 ", "three MiB passed over");
	check(t, big, 3 * OUT_LINE_MAX, 0, "LONG ", "three MiB and the end");
	want[0] = '\0';
	for (size_t len = 100000; len < 100020; len++) {
		memset(big + n, 'm', len);
		big[n] = 'f';
		big[n + len - 1] = 'l';
		n += len;
		big[n++] = '\n';
		(void)snprintf(want + strlen(want), sizeof(want) - strlen(want), "%zufl ", len);
	}
	check(t, big, n, 0, want, "lines that straddle reads");
	free(big);
}

static int
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void
test_flush(struct tap *t)
{
	int in[2], to[2], both;
	struct out o;
	struct rec r;
	size_t len;
	char *line, buf[64];

	if (pipe(in) == -1 || pipe(to) == -1 || out_open(&o, to[1], 0) == -1 || rec_open(&r, in[0], "<test>", &o, 0) == -1)
		abort();
	if (write(in[1], "a\nb\n", 4) != 4)
		abort();
	both = rec_next(&r, &line, &len) == REC_LINE;
	out_put(&o, "a\n", 2);
	both &= rec_next(&r, &line, &len) == REC_LINE;
	out_put(&o, "b\n", 2);
	tap(t, both && !readable(to[0]), "nothing goes out while lines are at hand");
	if (write(in[1], "c\n", 2) != 2)
		abort();
	tap(t, rec_next(&r, &line, &len) == REC_LINE && !readable(to[0]), "nor when a read would give more");
	tap(t, rec_wait(&r, 0) == 0 && read(to[0], buf, sizeof(buf)) == 4, "all goes out before a wait");
	if (write(in[1], "d", 1) != 1)
		abort();
	tap(t, rec_wait(&r, 0) == 0 && rec_wait(&r, 1000000) == 0, "a part of a line is none");
	if (write(in[1], "e\nf", 3) != 3)
		abort();
	tap(t, rec_wait(&r, -1) == 1 && rec_wait(&r, 0) == 1 && rec_next(&r, &line, &len) == REC_LINE && len == 2, "the rest of it");
	tap(t, rec_wait(&r, 0) == 0, "the next has no end yet");
	(void)close(in[1]);
	tap(t, rec_wait(&r, -1) == 1 && rec_next(&r, &line, &len) == REC_LINE && len == 1, "the end of the input is its end");
	tap(t, rec_wait(&r, -1) == 1 && rec_next(&r, &line, &len) == REC_END, "and then there is no more");
	rec_close(&r);
	(void)out_close(&o);
	(void)close(in[0]);
	(void)close(to[0]);
}

/* A blocking read: the child answers only when it has seen what was put out. */
static void
test_prompt(struct tap *t)
{
	int in[2], to[2];
	struct out o;
	struct rec r;
	size_t len;
	char *line, c;

	if (pipe(in) == -1 || pipe(to) == -1)
		abort();
	(void)fflush(stdout);
	if (fork() == 0) {
		if (write(in[1], "1\n", 2) != 2 || read(to[0], &c, 1) != 1 || write(in[1], "2\n", 2) != 2)
			_exit(1);
		_exit(0);
	}
	(void)close(in[1]);
	(void)close(to[0]);
	if (out_open(&o, to[1], 0) == -1 || rec_open(&r, in[0], "<test>", &o, 0) == -1)
		abort();
	(void)alarm(20);
	tap(t, rec_next(&r, &line, &len) == REC_LINE && (out_put(&o, line, 1), rec_next(&r, &line, &len)) == REC_LINE,
	    "a slow producer's line comes through at once");
	(void)alarm(0);
	rec_close(&r);
	(void)out_close(&o);
	(void)close(in[0]);
	(void)wait(NULL);
}

static void
test_errors(struct tap *t)
{
	struct sigaction on = { .sa_handler = nothing };
	struct out full = { 0 };
	struct rec r;
	size_t len;
	char *line, got[64];
	int fd[2], status;

	spell(-1, 0, got, sizeof(got));
	(void)snprintf(got + 32, 32, "ERROR %d", EBADF);
	tap(t, strcmp(got, got + 32) == 0, "a closed descriptor");
	if (out_open(&full, open("/dev/full", O_WRONLY), 0) == -1 || rec_open(&r, file_of("a\n", 2), "<test>", &full, 0) == -1)
		abort();
	status = rec_next(&r, &line, &len) == REC_LINE;
	out_put(&full, "x", 1);
	(void)out_flush(&full);
	status &= rec_next(&r, &line, &len) == REC_ERROR && errno == ENOSPC;
	tap(t, status, "reading ends when the output has failed");
	(void)close(r.fd);
	rec_close(&r);
	(void)out_close(&full);

	/* The reader waits until the signal, and then for the line. */
	if (sigaction(SIGALRM, &on, NULL) == -1 || pipe(fd) == -1)
		abort();
	(void)fflush(stdout);
	if (fork() == 0) {
		pause_ms(150);
		_exit(write(fd[1], "late\n", 5) == 5 ? 0 : 1);
	}
	if (fcntl(fd[0], F_SETFL, O_NONBLOCK) == -1 || rec_open(&r, fd[0], "<test>", NULL, 0) == -1)
		abort();
	alarm_us(50000, 0);
	tap(t, rec_next(&r, &line, &len) == REC_LINE && len == 4, "signals, and a descriptor that does not block");
	rec_close(&r);
	(void)close(fd[0]);
	(void)close(fd[1]);
	(void)wait(NULL);
}

int
main(void)
{
	struct tap t = { 0 };

	test_lines(&t);
	test_offset(&t);
	test_flush(&t);
	test_prompt(&t);
	test_errors(&t);
	return tap_end(&t);
}
