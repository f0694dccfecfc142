/*
 * How many requests may be under way at a time. Source: Chiu and Jain, Analysis of the increase and decrease algorithms for congestion
 * avoidance in computer networks, 1989: add one, or take away a share.
 */
#include <math.h>

#include "push_impl.h"

#define LESS 0.8    /* what remains when the server slows down or refuses */
#define WEIGHT 0.4  /* of the newest times in their mean */
#define SPREADS 2.5 /* slower than usual by so many deviations is slow */
#define NOISE 0.1   /* and by this share at least */

void
push_limit_open(struct push_limit *l, int most)
{
	*l = (struct push_limit){ .allowed = 1, .most = most };
}

int
push_limit(const struct push_limit *l)
{
	return (int)l->allowed;
}

static void
begin(struct push_limit *l)
{
	l->n = l->reached = l->refused = 0;
	l->sum = 0;
}

static void
fewer(struct push_limit *l, double share)
{
	l->allowed *= share;
	if (l->allowed < 1)
		l->allowed = 1;
	begin(l);
}

void
push_limit_answer(struct push_limit *l, double us, int under_way)
{
	double mean, slow;

	if (under_way >= (int)l->allowed)
		l->reached = 1;
	l->sum += us;
	if (++l->n < (int)l->allowed)
		return;
	mean = l->sum / l->n;
	slow = l->mean + fmax(SPREADS * l->spread, NOISE * l->mean);
	if (l->mean > 0 && mean > slow)
		fewer(l, LESS);
	else if (l->reached && l->allowed < l->most)
		l->allowed = fmin(l->allowed + 1, l->most);
	l->spread = l->mean > 0 ? (1 - WEIGHT) * l->spread + WEIGHT * fabs(mean - l->mean) : mean / 2;
	l->mean = l->mean > 0 ? (1 - WEIGHT) * l->mean + WEIGHT * mean : mean;
	begin(l);
}

void
push_limit_refused(struct push_limit *l)
{
	fewer(l, LESS);
}

void
push_limit_lost(struct push_limit *l)
{
	l->mean = l->spread = 0;
	fewer(l, 0);
}
