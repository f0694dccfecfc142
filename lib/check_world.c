/* Worlds: what reading one cannot know before its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "clock.h"

/* What reading found, under the name of the promise that it breaks. */
static enum promise
promise_of(const char *why)
{
	static const struct {
		const char *words;
		enum promise promise;
	} known[] = { { "\"live_", P_DATES }, { "\"end\" is", P_DATES }, { "\"ramp_s\" is more", P_DATES }, { ": no place", P_REFERENCES },
		{ ": no service", P_REFERENCES }, { ": no deployment", P_REFERENCES }, { ": no release", P_SHIPPING },
		{ ": no component", P_INCIDENTS }, { "is not that of the release", P_SHIPPING },
		{ "is not that of the deployment", P_REFERENCES }, { ": no code", P_INCIDENTS }, { ": no role", P_INCIDENTS },
		{ ": no effect", P_INCIDENTS }, { "effects", P_INCIDENTS }, { "targets", P_INCIDENTS }, { "codes", P_INCIDENTS },
		{ "is no failure", P_INCIDENTS }, { "no operation or service", P_INCIDENTS }, { "no such condition", P_INCIDENTS } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strstr(why, known[i].words) != NULL)
			return known[i].promise;
	return P_WORLD;
}

/* "NAME:LINE: what", where the name may have colons of its own. */
static void
take_reason(struct check *c, const char *why)
{
	uint64_t line = 0;
	const char *what = why;

	for (const char *p = strchr(why, ':'); p != NULL; p = strchr(p + 1, ':')) {
		size_t n = strspn(p + 1, "0123456789");

		if (n > 0 && n < 19 && p[1 + n] == ':' && p[2 + n] == ' ') {
			line = strtoull(p + 1, NULL, 10);
			what = p + 3 + n;
			break;
		}
	}
	check_fault(c, promise_of(why), line, "%s", what);
}

static const char *
when(int64_t us, char text[CLOCK_LEN + 1])
{
	(void)clock_text(text, us);
	return text;
}

/* Releases of a deployment follow each other: newer numbers later, and one is live when the world begins. */
static void
check_releases(struct check *c, const struct world *w)
{
	char one[CLOCK_LEN + 1];

	for (int i = 0; i < w->nreleases; i++) {
		const struct world_release *r = &w->release[i], *before = i > 0 ? r - 1 : NULL;
		int first = before == NULL || before->service != r->service || before->place != r->place;

		check_count(c, P_DATES);
		if (first && r->from > w->begin)
			check_fault(c, P_DATES, 0, "release %s is the first of its deployment, and live only from %s on", r->id,
			    when(r->from, one));
		if (!first && r->number <= before->number)
			check_fault(c, P_DATES, 0, "release %s follows %s", r->id, before->id);
		else if (!first && r->created < before->created)
			check_fault(c, P_DATES, 0, "release %s was created before %s", r->id, before->id);
	}
}

/* A rollout brings its release: traffic moves to it as long as the rollout lasts. */
static void
check_rollouts(struct check *c, const struct world *w)
{
	for (int i = 0; i < w->nrollouts; i++) {
		const struct world_rollout *o = &w->rollout[i];
		const struct world_release *r = &w->release[o->release];

		check_count(c, P_SHIPPING);
		if (o->start != r->from || o->end != r->to)
			check_fault(c, P_SHIPPING, 0, "rollout %s is not when release %s goes live", o->id, r->id);
		if (o->start < w->begin || o->start >= w->end)
			check_fault(c, P_DATES, 0, "rollout %s is outside the world", o->id);
		if (o->latency <= 0)
			check_fault(c, P_SHIPPING, 0, "rollout %s has latency 0", o->id);
	}
}

static int
same(const struct world_incident *a, const struct world_incident *b)
{
	if (strcmp(a->component, b->component) != 0 || a->end != b->end || a->role != b->role || a->nplaces != b->nplaces ||
	    a->neffects != b->neffects)
		return 0;
	for (int i = 0; i < a->nplaces; i++)
		if (a->place[i] != b->place[i])
			return 0;
	for (int i = 0; i < a->neffects; i++) {
		const struct world_effect *x = &a->effect[i], *y = &b->effect[i];

		if (x->what != y->what || x->series != y->series || x->nthings != y->nthings ||
		    (x->nthings > 0 && x->thing[0] != y->thing[0]))
			return 0;
	}
	return 1;
}

/* Any number may happen at once, but none twice. */
static void
check_incidents(struct check *c, const struct world *w)
{
	for (int i = 0; i < w->nincidents; i++) {
		const struct world_incident *x = &w->incident[i];

		check_count(c, P_INCIDENTS);
		if (x->neffects == 0)
			check_fault(c, P_INCIDENTS, 0, "incident %s has no effect", x->id);
		if (x->end <= w->begin || x->start >= w->end)
			check_fault(c, P_DATES, 0, "incident %s is outside the world", x->id);
		/* Sorted by their start. */
		for (int k = i + 1; k < w->nincidents && w->incident[k].start == x->start; k++)
			if (same(x, &w->incident[k]))
				check_fault(c, P_INCIDENTS, 0, "incidents %s and %s are one", x->id, w->incident[k].id);
	}
}

void
check_world(struct check *c, const struct world *w, const char *why)
{
	static const enum promise all[] = { P_WORLD, P_DATES, P_REFERENCES, P_SHIPPING, P_INCIDENTS };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		check_applies(c, all[i], w != NULL, "reading ended before");
	if (w == NULL) {
		take_reason(c, why);
		return;
	}
	c->cat = &w->cat;
	c->account[P_WORLD].counted = 1;
	c->account[P_REFERENCES].counted = (uint64_t)w->nreleases + (uint64_t)w->nrollouts + (uint64_t)w->nincidents;
	c->records = (uint64_t)w->nreleases + (uint64_t)w->nrollouts + (uint64_t)w->nincidents;
	if (w->warning != NULL)
		check_fault(c, P_WORLD, 1, "the tables of the catalog have changed since this world was made");
	if (why != NULL)
		check_fault(c, P_WORLD, 0, "%s", why);
	check_releases(c, w);
	check_rollouts(c, w);
	check_incidents(c, w);
}
