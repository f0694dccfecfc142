/*
 * Statistics: a line of JSON a second, the last one with totals and the times of requests.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "push_impl.h"

#define EVERY 1000 /* ms */

int
push_stats_open(struct push *p)
{
	struct stat st;

	if (p->set->stats != NULL && (p->stats = open(p->set->stats, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) == -1)
		return push_wrong(p, p->set->stats, NULL);
	/* A pipe that nobody reads loses lines, and stops nothing. */
	if (p->stats != -1 && fstat(p->stats, &st) == 0 && S_ISFIFO(st.st_mode))
		(void)fcntl(p->stats, F_SETFL, O_NONBLOCK);
	if (p->set->stats != NULL || p->user->progress != NULL)
		p->tick = push_now() + EVERY;
	return 0;
}

static int
in_flight(const struct push *p)
{
	return p->busy;
}

static double
ms(const struct push *p, double q)
{
	return (double)hist_quantile(&p->times, q) / 1000;
}

static int
compose(const struct push *p, int last, char *to, size_t size)
{
	const struct push_account *a = p->account;
	double t = (double)(push_now() - p->began) / 1000;
	int n = snprintf(to, size,
	    "{\"t\":%.3f,\"read\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"accepted\":%" PRIu64 ",\"settled\":%" PRIu64 ",\"retried\":%" PRIu64
	    ",\"refused\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"in_flight\":%d",
	    t, a->read, a->sent, a->accepted, a->settled, a->retries, a->refused, a->bytes, in_flight(p));

	if (last)
		n += snprintf(to + n, size - (size_t)n,
		    ",\"totals\":true,\"requests\":%" PRIu64 ",\"undelivered\":%" PRIu64 ",\"doubtful\":%" PRIu64 ",\"restarts\":%" PRIu64
		    ",\"replayed\":%" PRIu64
		    ",\"records_per_s\":%.0f,\"latency_ms\":{\"p50\":%.3f,\"p90\":%.3f,\"p95\":%.3f,\"p99\":%.3f,\"max\":%.3f}",
		    a->requests, a->undelivered, a->doubtful, a->restarts, a->replayed, t > 0 ? (double)a->accepted / t : 0, ms(p, .5),
		    ms(p, .9), ms(p, .95), ms(p, .99), (double)hist_max(&p->times) / 1000);
	return n + snprintf(to + n, size - (size_t)n, "}\n");
}

/* Nobody reads them, or the disk is full: what was read is delivered, and the load ends as after a signal. */
static void
failed(struct push *p)
{
	char why[PUSH_WHY];

	(void)snprintf(why, sizeof(why), "%s: %s", p->set->stats, strerror(errno));
	p->user->note(p->user->arg, why);
	if (p->why[0] == '\0')
		(void)snprintf(p->why, sizeof(p->why), "%s", why);
	p->ended = 1;
	(void)close(p->stats);
	p->stats = -1;
}

void
push_stats_turn(struct push *p, int last)
{
	char line[1024];

	if (p->tick == 0 || (!last && push_now() < p->tick))
		return;
	p->tick = push_now() + EVERY;
	if (p->user->progress != NULL)
		p->user->progress(p->user->arg, p->account, in_flight(p), last);
	if (p->stats != -1) {
		int n = compose(p, last, line, sizeof(line));

		if (write(p->stats, line, (size_t)n) != n && errno != EAGAIN)
			failed(p);
	}
}

void
push_stats_close(struct push *p)
{
	if (p->stats != -1)
		(void)close(p->stats);
	p->stats = -1;
}
