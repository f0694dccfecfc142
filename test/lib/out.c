/* lib/out: what is put comes out, whatever its size and whoever reads; the first failure sticks. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mix.h"
#include "out.h"
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

/* A child that reads slowly and hashes; exits 0 if the bytes are those of put_all(). */
static void
check_all(int fd, int pieces)
{
	static unsigned char buf[30000];
	uint64_t at = 0, want = 0;
	ssize_t n;

	for (int i = 0; i < pieces; i++)
		want += mix_at(3, (uint64_t)i) % 5000 + (i % 50 == 0 ? 400000 : 0);
	pause_ms(100);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++, at++)
			if (buf[i] != (unsigned char)(at * 7 + at / 1000))
				_exit(2);
	_exit(at == want ? 0 : 3);
}

static void
put_all(struct out *o, int pieces)
{
	static char buf[500000];
	uint64_t at = 0;

	for (int i = 0; i < pieces; i++) {
		size_t n = mix_at(3, (uint64_t)i) % 5000 + (i % 50 == 0 ? 400000 : 0);

		for (size_t k = 0; k < n; k++, at++)
			buf[k] = (char)(at * 7 + at / 1000);
		out_put(o, buf, n);
	}
}

static void
test_pipe(struct tap *t, size_t size, int flags, const char *name)
{
	struct sigaction on = { .sa_handler = nothing };
	struct out o;
	int fd[2], status = -1, closed;

	if (pipe(fd) == -1 || sigaction(SIGALRM, &on, NULL) == -1)
		abort();
	(void)fflush(stdout);
	if (fork() == 0) {
		(void)close(fd[1]);
		check_all(fd[0], 200);
	}
	(void)close(fd[0]);
	if (fcntl(fd[1], F_SETFL, flags) == -1 || out_open(&o, fd[1], size) == -1)
		abort();
	alarm_us(2000, 2000);
	put_all(&o, 200);
	closed = out_close(&o);
	alarm_us(0, 0);
	while (wait(&status) == -1 && errno == EINTR)
		continue;
	tap(t, closed == 0 && status == 0, "%s", name);
}

static void
test_errors(struct tap *t)
{
	struct out o;
	int fd[2];

	if (out_open(&o, open("/dev/full", O_WRONLY), 0) == -1)
		abort();
	out_put(&o, "x", 1);
	tap(t, o.err == 0, "no error before anything is written");
	tap(t, out_flush(&o) == -1 && o.err == ENOSPC, "a full disk");
	put_all(&o, 20);
	tap(t, out_close(&o) == -1 && errno == ENOSPC, "sticks until the end");
	if (out_open(&o, open("/dev/full", O_WRONLY), 0) == -1)
		abort();
	out_put(&o, "x", 1);
	tap(t, out_close(&o) == -1 && errno == ENOSPC, "a full disk found at the end");
	if (out_open(&o, open("/dev/full", O_WRONLY), 0) == -1)
		abort();
	tap(t, out_close(&o) == 0, "nothing written, nothing lost");
	if (out_open(&o, -1, 0) == -1)
		abort();
	tap(t, out_close(&o) == -1 && errno == EBADF, "a closed descriptor, though nothing was written");
	(void)signal(SIGPIPE, SIG_IGN);
	if (pipe(fd) == -1 || out_open(&o, fd[1], 0) == -1)
		abort();
	(void)close(fd[0]);
	out_put(&o, "x", 1);
	tap(t, out_flush(&o) == -1 && o.err == EPIPE, "nobody reads");
	(void)out_close(&o);
}

static void
test_room(struct tap *t)
{
	struct out o;
	char *to;
	int good = 1;

	if (out_open(&o, open("/dev/null", O_WRONLY), 64) == -1)
		abort();
	out_put(&o, "0123456789", 10);
	tap(t, o.len == 10 && o.written == 0, "held until it is full");
	tap(t, out_flush(&o) == 0 && o.len == 0 && o.written == 10, "counted when it is written");
	for (size_t n = 1; n <= 4 * OUT_LINE_MAX; n = n * 3 + 1) {
		to = out_room(&o, n);
		if (to == NULL) {
			good = 0;
			break;
		}
		memset(to, 'x', n);
		out_took(&o, to + n);
	}
	tap(t, good, "room for anything");
	tap(t, out_close(&o) == 0, "closed");
}

int
main(void)
{
	struct tap t = { 0 };

	test_pipe(&t, 0, 0, "through a pipe, with signals");
	test_pipe(&t, 100, 0, "with a small buffer");
	test_pipe(&t, 0, O_NONBLOCK, "through a pipe that does not block");
	test_room(&t);
	test_errors(&t);
	return tap_end(&t);
}
