/* When builds are made, and when they come to a place. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "inventory_impl.h"
#include "mix.h"

#define BEFORE 5              /* builds that are live already when the world begins */
#define FIRST_BUILD_YEAR 1970 /* builds are numbered from then on */
#define BAD_LENGTH 3          /* a bad rollout lasts so many times as long */

int64_t
inventory_minutes(const struct catalog_dist *dist, uint64_t word)
{
	return (int64_t)(catalog_draw_real(dist, word) * 60) * CLOCK_SECOND;
}

/* The longest time from a build to the end of its last rollout. */
static int64_t
longest_visit(const struct catalog *c)
{
	double minutes = catalog_dist_max(&c->set.rollout_delay_min) + catalog_dist_max(&c->set.rollout_stagger_min) * (c->nplaces - 1) +
	    catalog_dist_max(&c->set.rollout_length_min) * BAD_LENGTH;

	return minutes < 1e6 ? (int64_t)(minutes * 60) * CLOCK_SECOND : CLOCK_DAY * 365;
}

static int64_t
year_begin(int year)
{
	return clock_from_civil(year, 1, 1) * CLOCK_DAY;
}

static int
year_of(int64_t us)
{
	int year, month, mday;

	clock_civil(clock_day(us), &year, &month, &mday);
	return year;
}

/* A fraction of a build is a chance; one a year at least. */
static uint64_t
builds_in(const struct catalog_dist *a_year, uint64_t key)
{
	double x = catalog_draw(a_year, mix_at(key, 0));
	uint64_t n = x > 0 ? (uint64_t)x : 0;

	n += x > 0 && mix_share(mix_at(key, 1)) < x - (double)n;
	return n > 0 ? n : 1;
}

/*
 * Build i of n in a year: one in each of n equal parts of it, early enough in its part, if that is long enough, to have left the last place
 * before the next one comes.
 */
static struct inventory_build
make_build(const struct catalog *c, int year, uint64_t key, uint64_t i, uint64_t n, uint64_t number)
{
	int64_t begin = year_begin(year), part = (year_begin(year + 1) - begin) / (int64_t)n, visit = longest_visit(c);
	struct inventory_build b = { .key = mix_part(key, i), .number = number };

	if (visit > part / 2)
		visit = part / 2;
	b.created = begin + part * (int64_t)i + (int64_t)(mix_share(mix_at(b.key, 0)) * (double)(part - visit));
	b.created -= b.created % CLOCK_SECOND;
	b.delay = inventory_minutes(&c->set.rollout_delay_min, mix_at(b.key, 1));
	return b;
}

static int
add_build(struct inventory_build **build, int *n, int *room, const struct inventory_build *b)
{
	if (*n == *room) {
		int most = *room == 0 ? 256 : *room * 2;
		struct inventory_build *larger = reallocarray(*build, (size_t)most, sizeof(*larger));

		if (larger == NULL)
			return -1;
		*build = larger;
		*room = most;
	}
	(*build)[(*n)++] = *b;
	return 0;
}

int
inventory_builds(const struct catalog *c, uint64_t service, const struct catalog_dist *a_year, int64_t begin, int64_t end, int settled,
    struct inventory_build **build, int *n, int *room)
{
	int64_t before = settled ? begin - longest_visit(c) : begin;
	int last = year_of(end - 1), early = 0;
	uint64_t number = 0;

	*n = 0;
	for (int year = FIRST_BUILD_YEAR; year <= last; year++) {
		uint64_t key = mix_part(service, (uint64_t)year), some = builds_in(a_year, key);

		/* A year has one build at least, so older years are only counted. */
		for (uint64_t i = 0; i < some && year >= year_of(before) - BEFORE; i++) {
			struct inventory_build b = make_build(c, year, key, i, some, number + i + 1);

			if (b.created >= end)
				break;
			early += b.created < before;
			if (add_build(build, n, room, &b) == -1)
				return -1;
		}
		number += some;
	}
	if (early > BEFORE) {
		memmove(*build, *build + early - BEFORE, (size_t)(*n - early + BEFORE) * sizeof(**build));
		*n -= early - BEFORE;
	}
	return 0;
}

static int64_t
pause(const struct catalog *c, const struct inventory_build *b, uint64_t name)
{
	return inventory_minutes(&c->set.rollout_stagger_min, mix_at(mix_part(b->key, name), 0));
}

int64_t
inventory_arrival(const struct catalog *c, const struct inventory_build *b, int place)
{
	int64_t at = b->created;

	for (int k = 1; k <= place; k++)
		at += pause(c, b, mix_name(c->place[k].id, strlen(c->place[k].id)));
	return at;
}

int64_t
inventory_late_arrival(const struct catalog *c, const struct inventory_build *b, uint64_t deployment)
{
	return inventory_arrival(c, b, c->nplaces - 1) + pause(c, b, deployment);
}
