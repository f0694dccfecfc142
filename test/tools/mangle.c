/*
 * mangle: a network that fails, between a client and a server on loopback
 *
 *	mangle [-Hk] [-b bytes] [-C bytes] [-c bytes] [-d ms] [-e n] [-p port] [-R bytes] [-r bytes] [-s seed] [-t ms] server-port ...
 *
 * It prints its port and passes on what comes there until it is killed, to several servers in turn. When the server cannot be reached, the
 * client is reset.
 *
 *	-c n, -r n   cut by FIN, or reset, when n bytes came from the client; -C, -R: from the server
 *	-H           cut that direction alone
 *	-d ms        delay of each piece, in both directions
 *	-b n         bytes a second, in each direction
 *	-k           a black hole: takes what comes and never answers; with -t, resets after so many ms
 *	-e n         do so with every n-th connection alone
 *	-s seed      do with every connection one of these, or nothing, as the seed and its number say
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mix.h"

#define PIECE 65536
#define NEVER INT64_MAX
#define SERVERS 8

/* What becomes of one direction. */
struct fault {
	int64_t after; /* bytes until it is cut; NEVER */
	int reset;
};

struct plan {
	struct fault client, server;
	int half, hole;
	long delay, bandwidth, hole_ms;
};

struct options {
	struct plan plan;
	int every, random;
	uint64_t seed;
	in_port_t to[SERVERS];
	int nto;
};

struct conn {
	struct plan plan;
	in_port_t to;
	int fd[2];         /* of the client, of the server */
	atomic_int broken; /* by RST: no FIN before it */
};

/* One direction of a connection. */
struct way {
	struct conn *conn;
	int from; /* 0: what the client says */
};

static void
pause_us(int64_t us)
{
	struct timespec t = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	if (us > 0)
		(void)nanosleep(&t, NULL);
}

static void
reset(int fd)
{
	struct linger now = { .l_onoff = 1 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static int
send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = write(fd, p, n);

		if (sent <= 0)
			return -1;
		p += sent;
		n -= (size_t)sent;
	}
	return 0;
}

/* End both directions, so that the other thread ends as well; the descriptors are closed behind both. */
static void
end(struct conn *c, int with_reset)
{
	c->broken = with_reset;
	for (int i = 0; i < 2; i++) {
		if (with_reset)
			reset(c->fd[i]);
		(void)shutdown(c->fd[i], with_reset ? SHUT_RD : SHUT_RDWR);
	}
}

static void *
pass(void *arg)
{
	const struct way *w = arg;
	struct conn *c = w->conn;
	const struct fault *f = w->from == 0 ? &c->plan.client : &c->plan.server;
	int from = c->fd[w->from], to = c->fd[!w->from];
	int64_t left = f->after;
	char *piece = malloc(PIECE);

	if (piece == NULL)
		err(1, NULL);
	while (left > 0) {
		ssize_t got = read(from, piece, left < PIECE ? (size_t)left : PIECE);

		if (got <= 0)
			break;
		pause_us(c->plan.delay * 1000);
		if (c->plan.bandwidth > 0)
			pause_us((int64_t)got * 1000000 / c->plan.bandwidth);
		if (send_all(to, piece, (size_t)got) == -1)
			break;
		if (left != NEVER)
			left -= got;
	}
	free(piece);
	if (left == 0 && !c->plan.half)
		end(c, f->reset);
	else if (!c->broken)
		(void)shutdown(to, SHUT_WR); /* as it came, or alone */
	return NULL;
}

/* Take, and say nothing, until the client has gone. */
static void
swallow(const struct conn *c)
{
	struct pollfd p = { .fd = c->fd[0], .events = POLLIN };
	struct timespec now;
	int64_t until, ms;
	char *piece = malloc(PIECE);

	if (piece == NULL)
		err(1, NULL);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	until = c->plan.hole_ms > 0 ? ms + c->plan.hole_ms : NEVER;
	while (ms < until) {
		int64_t left = until - ms;

		if (poll(&p, 1, left > 1000 ? 1000 : (int)left) > 0 && read(c->fd[0], piece, PIECE) <= 0)
			break;
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	}
	free(piece);
	reset(c->fd[0]);
}

static int
reach(in_port_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd != -1 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

static void *
serve(void *arg)
{
	struct conn *c = arg;
	struct way ways[2] = { { c, 0 }, { c, 1 } };
	pthread_t thread;

	if (c->plan.hole)
		swallow(c);
	else if ((c->fd[1] = reach(c->to)) == -1)
		reset(c->fd[0]);
	else {
		if (pthread_create(&thread, NULL, pass, &ways[1]) != 0)
			err(1, "thread");
		(void)pass(&ways[0]);
		(void)pthread_join(thread, NULL);
		(void)close(c->fd[1]);
	}
	(void)close(c->fd[0]);
	free(c);
	return NULL;
}

static const struct plan none = { .client.after = NEVER, .server.after = NEVER };

/* Half of the connections have nothing; bytes are spread over orders of magnitude. */
static struct plan
chance(uint64_t seed, int number)
{
	uint64_t word = mix_at(mix(seed), (uint64_t)number);
	int64_t bytes = (int64_t)((word >> 32) % (UINT64_C(1) << (4 + word % 17))) + 1;
	struct plan p = none;

	switch (word >> 8 & 15) {
	case 0:
	case 1:
		p.client = (struct fault){ bytes, 0 };
		break;
	case 2:
		p.client = (struct fault){ bytes, 1 };
		break;
	case 3:
		p.server = (struct fault){ bytes % 400 + 1, 0 };
		break;
	case 4:
		p.server = (struct fault){ bytes % 400 + 1, 1 };
		break;
	case 5:
		p.delay = 1 + (long)(word >> 16 & 15);
		break;
	case 6:
		p.bandwidth = 200000 + (long)(word >> 16 & 0xfffff);
		break;
	case 7:
		p.hole = 1;
		p.hole_ms = 50 + (long)(word >> 16 & 255);
		break;
	default:
		break;
	}
	p.half = word >> 12 & 1;
	return p;
}

static int
listen_on(in_port_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 || bind(fd, (struct sockaddr *)&to, size) == -1 ||
	    listen(fd, 64) == -1 || getsockname(fd, (struct sockaddr *)&to, &size) == -1)
		err(1, "port %d", port);
	(void)printf("%d\n", ntohs(to.sin_port));
	if (fclose(stdout) != 0)
		err(1, "<stdout>");
	return fd;
}

static int64_t
number(const char *text, int64_t most)
{
	const char *errstr;
	int64_t n = strtonum(text, 0, most, &errstr);

	if (errstr != NULL)
		errx(2, "%s: %s", text, errstr);
	return n;
}

/* An option of the plan. 1, or 0. */
static int
parse_plan(struct plan *p, int c)
{
	struct fault *f = c == 'c' || c == 'r' ? &p->client : &p->server;

	switch (c) {
	case 'c':
	case 'r':
	case 'C':
	case 'R':
		*f = (struct fault){ number(optarg, NEVER - 1), c == 'r' || c == 'R' };
		return 1;
	case 'H':
		p->half = 1;
		return 1;
	case 'k':
		p->hole = 1;
		return 1;
	case 'b':
		p->bandwidth = number(optarg, 1000000000);
		return 1;
	case 'd':
		p->delay = number(optarg, 60000);
		return 1;
	case 't':
		p->hole_ms = number(optarg, 3600000);
		return 1;
	default:
		return 0;
	}
}

static in_port_t
parse(struct options *o, int argc, char *argv[])
{
	in_port_t port = 0;
	int c;

	while ((c = getopt(argc, argv, "HkC:R:b:c:d:e:p:r:s:t:")) != -1) {
		if (parse_plan(&o->plan, c))
			continue;
		switch (c) {
		case 'e':
			o->every = (int)number(optarg, 1000000);
			break;
		case 'p':
			port = (in_port_t)number(optarg, 65535);
			break;
		case 's':
			o->random = 1;
			o->seed = (uint64_t)number(optarg, INT64_MAX);
			break;
		default:
			exit(2);
		}
	}
	for (; optind < argc && o->nto < SERVERS; optind++)
		o->to[o->nto++] = (in_port_t)number(argv[optind], 65535);
	if (o->nto == 0 || optind < argc)
		errx(2, "which port?");
	return port;
}

int
main(int argc, char *argv[])
{
	struct options o = { .plan = none, .every = 1 };
	in_port_t port = parse(&o, argc, argv);
	int fd, nto = o.nto > 0 ? o.nto : 1;

	(void)signal(SIGPIPE, SIG_IGN);
	fd = listen_on(port);
	for (int count = 1;; count++) {
		struct conn *c = calloc(1, sizeof(*c));
		pthread_t thread;

		if (c == NULL)
			err(1, NULL);
		c->to = o.to[count % nto];
		c->fd[1] = -1;
		if ((c->fd[0] = accept(fd, NULL, NULL)) == -1)
			err(1, "accept");
		c->plan = o.random ? chance(o.seed, count) : o.every > 0 && count % o.every == 0 ? o.plan : none;
		if (pthread_create(&thread, NULL, serve, c) != 0)
			err(1, "thread");
		(void)pthread_detach(thread);
	}
}
