/* pool: each body comes back once, compressed, with its tag; the descriptor tells when; signals go elsewhere; closing drops what waits. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "pool.h"
#include "tap.h"

#define JOBS 200
#define SIZE 20000 /* of the largest body */

struct body {
	struct buf from, to;
	int taken;
};

static volatile sig_atomic_t caught;

static void catch (int signo)
{
	caught = signo;
}

/* Bodies that are told apart by what they hold, with something in their outputs already. */
static struct body *
bodies(int n)
{
	struct body *b = calloc((size_t)n, sizeof(*b));

	if (b == NULL)
		abort();
	for (int i = 0; i < n; i++) {
		size_t size = (size_t)i * SIZE / (size_t)n;
		char *text = buf_room(&b[i].from, size + 1);

		if (text == NULL || buf_puts(&b[i].to, "before") == -1)
			abort();
		for (size_t k = 0; k < size; k++)
			text[k] = (char)('a' + (k * k + (size_t)i) % 17);
		b[i].from.n = size;
	}
	return b;
}

static void
free_bodies(struct body *b, int n)
{
	for (int i = 0; i < n; i++) {
		buf_free(&b[i].from);
		buf_free(&b[i].to);
	}
	free(b);
}

static int
is_packed(enum pack_form form, const struct body *b)
{
	static char back[SIZE];
	z_stream z = { .next_out = (Bytef *)back, .avail_out = sizeof(back) };
	size_t n;
	int ended;

	if (b->to.n < 6 || memcmp(b->to.p, "before", 6) != 0)
		return 0;
	if (form == PACK_ZSTD) {
		n = ZSTD_decompress(back, sizeof(back), b->to.p + 6, b->to.n - 6);
		return n == b->from.n && memcmp(back, b->from.p, n) == 0;
	}
	z.next_in = (Bytef *)b->to.p + 6;
	z.avail_in = (uInt)(b->to.n - 6);
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return 0;
	ended = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0;
	n = sizeof(back) - z.avail_out;
	return inflateEnd(&z) == Z_OK && ended && n == b->from.n && memcmp(back, b->from.p, n) == 0;
}

static int
readable(const struct pool *p, int ms)
{
	struct pollfd ready = { .fd = pool_fd(p), .events = POLLIN };

	return poll(&ready, 1, ms);
}

/* Take until `n` have come; how many were right. */
static int
take_all(struct pool *p, enum pack_form form, int n)
{
	int right = 0, error = -1;

	while (n > 0) {
		struct body *b;

		if (readable(p, 10000) != 1)
			return -1;
		/* What the descriptor promises is there. */
		if ((b = pool_take(p, &error)) == NULL)
			return -1;
		for (; b != NULL; n--, b = pool_take(p, &error))
			right += error == 0 && b->taken++ == 0 && is_packed(form, b);
	}
	return right;
}

static void
test_bodies(struct tap *t, enum pack_form form, int threads)
{
	struct pool *p = pool_open(form, threads);
	struct body *b = bodies(JOBS);
	int error, right = 1;

	if (!tap(t, p != NULL, "%s on %d threads", pack_name(form), threads))
		return;
	tap(t, readable(p, 0) == 0 && pool_take(p, &error) == NULL, "nothing done");
	for (int i = 0; i < JOBS / 2; i++)
		right &= pool_put(p, &b[i].from, &b[i].to, &b[i]) == 0;
	tap(t, right && take_all(p, form, JOBS / 2) == JOBS / 2, "each body once");
	tap(t, readable(p, 0) == 0 && pool_take(p, &error) == NULL, "nothing left");
	for (int i = JOBS / 2; i < JOBS; i++) {
		struct body *done;

		right &= pool_put(p, &b[i].from, &b[i].to, &b[i]) == 0;
		if (i % 3 == 0)
			right &=
			    readable(p, 10000) == 1 && (done = pool_take(p, &error)) != NULL && done->taken++ == 0 && is_packed(form, done);
	}
	tap(t, right, "some taken while others are put");
	pool_close(p);
	free_bodies(b, JOBS);
}

/* Two seconds of work: only the beginning of it is done. */
static void
test_close(struct tap *t)
{
	static char text[8 << 20];
	struct pool *p = pool_open(PACK_GZIP, 1);
	const struct buf from = { .p = text, .n = sizeof(text) };
	struct buf to[20] = { { 0 } };

	if (p == NULL)
		abort();
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)("0123456789abcdef\n"[(i * i >> 3) % 17]);
	for (int i = 0; i < 20; i++)
		(void)pool_put(p, &from, &to[i], &to[i]);
	pool_close(p);
	tap(t, to[19].n == 0, "closing drops what has not been begun");
	for (int i = 0; i < 20; i++)
		buf_free(&to[i]);
}

static void
test_failure(struct tap *t)
{
	struct pool *p = pool_open(PACK_GZIP, 1);
	struct body *b = bodies(2);
	struct buf huge = { .p = b[1].from.p, .n = UINT_MAX }; /* more than zlib takes at a time */
	int error = 0;

	if (p == NULL)
		abort();
	tap(t, pool_put(p, &huge, &b[0].to, &b[0]) == 0 && readable(p, 10000) == 1, "a body that cannot be compressed");
	tap(t, pool_take(p, &error) == &b[0] && error == EINVAL && b[0].to.n == 6, "comes back with the reason");
	tap(t, pool_put(p, &b[1].from, &b[1].to, &b[1]) == 0 && take_all(p, PACK_GZIP, 1) == 1, "and the next one is taken");
	pool_close(p);
	errno = 0;
	tap(t, pool_open(PACK_NONE, 1) == NULL && errno == EINVAL, "nothing to do");
	errno = 0;
	tap(t, pool_open(PACK_ZSTD, 0) == NULL && errno == EINVAL, "nobody to do it");
	pool_close(NULL);
	free_bodies(b, 2);
}

/* A signal for the process that this thread holds back must stay pending, though the workers run. */
static void
test_signals(struct tap *t)
{
	struct sigaction act = { .sa_handler = catch };
	struct pool *p = pool_open(PACK_ZSTD, 2);
	struct body *b = bodies(2);
	sigset_t block, pending;

	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGUSR1);
	tap(t, p != NULL && sigaction(SIGUSR1, &act, NULL) == 0, "a handler");
	if (p == NULL)
		return;
	(void)pthread_sigmask(SIG_BLOCK, NULL, &pending);
	tap(t, sigismember(&pending, SIGUSR1) == 0, "the caller's own mask is as it was");
	(void)pthread_sigmask(SIG_BLOCK, &block, NULL);
	(void)kill(getpid(), SIGUSR1);
	for (int i = 0; i < 2; i++)
		(void)pool_put(p, &b[i].from, &b[i].to, &b[i]);
	tap(t, take_all(p, PACK_ZSTD, 2) == 2, "bodies behind a signal");
	(void)sigpending(&pending);
	tap(t, caught == 0 && sigismember(&pending, SIGUSR1) == 1, "no worker caught it");
	(void)pthread_sigmask(SIG_UNBLOCK, &block, NULL);
	tap(t, caught == SIGUSR1, "the caller did");
	pool_close(p);
	free_bodies(b, 2);
}

int
main(void)
{
	struct tap t = { 0 };

	for (int threads = 1; threads <= 4; threads += 3)
		for (enum pack_form form = PACK_GZIP; form <= PACK_ZSTD; form++)
			test_bodies(&t, form, threads);
	test_close(&t);
	test_failure(&t);
	test_signals(&t);
	return tap_end(&t);
}
