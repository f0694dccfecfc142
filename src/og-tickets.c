/*
 * og-tickets: complaints of users, and which request they name
 *
 * Standard input: events, in any order and layout; some may be missing. Standard output: the tickets about each of them. They depend on the
 * event's time and trace id, the world, its catalog and the options alone.
 */
#include <err.h>

#include "clock.h"
#include "help.h"
#include "mix.h"
#include "reader.h"

#define TICKETS_MAX 8              /* about one request */
#define LOOK_BACK (2 * CLOCK_HOUR) /* a wrong request is one of the time before the ticket; */
#define LOOK_FAR CLOCK_DAY         /* if there is none, of that */

/* Numbers of the draws of a ticket's key. */
enum draw { DRAW_RATE, DRAW_DELAY, DRAW_MISSING, DRAW_FABRICATED, DRAW_WRONG, DRAW_NAME, DRAW_BACK, DRAW_REPEAT };

static int
happens(double share, uint64_t word)
{
	return (double)(word >> 11) * 0x1p-53 < share;
}

/* Another request from before the ticket; 0 or -1. */
static int
find_other(struct reader *r, const struct sim_request *request, uint64_t word, int64_t before, struct sim_request *other)
{
	int64_t back = (int64_t)((double)(word >> 11) * 0x1p-53 * (double)LOOK_BACK);

	if (sim_other(&r->s, request, before - back, before, other) == 0 ||
	    sim_other(&r->s, request, before - LOOK_BACK, before, other) == 0)
		return 0;
	return sim_other(&r->s, request, before - LOOK_FAR, before, other);
}

/* Which request it names: none, one that never was, another user's or its own, in this order. */
static void
name_request(struct reader *r, struct sim_request *request, uint64_t key, struct render_ticket *t)
{
	const struct catalog_settings *set = &r->s.c->set;
	struct sim_request other;

	t->noise = NOISE_CLEAN;
	t->k = request->k;
	t->kth = request->number;
	t->named = request->time;
	if (happens(set->ticket_missing, mix_at(key, DRAW_MISSING))) {
		t->noise = NOISE_MISSING;
	} else if (happens(set->ticket_fabricated, mix_at(key, DRAW_FABRICATED))) {
		t->noise = NOISE_FABRICATED;
		t->k = (uint64_t)SIM_CLASS_NONE << 42 | mix_at(key, DRAW_NAME) >> 22;
		t->kth = request->number * TICKETS_MAX + t->number;
	} else if (happens(set->ticket_wrong, mix_at(key, DRAW_WRONG))) {
		if (find_other(r, request, mix_at(key, DRAW_BACK), t->time, &other) == 0) {
			t->noise = NOISE_WRONG;
			t->k = other.k;
			t->kth = other.number;
			t->named = other.time;
		}
		sim_root(&r->s, request);
	}
}

/* The user comes, and comes again. */
static void
complain(struct reader *r, struct sim_request *request, const struct catalog_ticket *row, const struct render_given *given)
{
	int64_t end = request->time + request->span[0].length;
	struct render_ticket t = { .time = end };
	uint64_t key = mix_at(request->key, SIM_DRAW_TICKET);
	char *to;

	if (!happens(row->rate, mix_at(key, DRAW_RATE)))
		return;
	do {
		t.time += (int64_t)(catalog_draw(&row->delay_min, mix_at(key, DRAW_DELAY)) * (double)CLOCK_MINUTE);
		if (t.time < end || t.time >= r->s.w->end)
			return;
		t.delay = t.time - end;
		name_request(r, request, key, &t);
		if ((to = render_ticket(r->d, out_room(&r->out, r->most), request, &t, given)) == NULL)
			err(1, NULL);
		out_took(&r->out, to);
		t.number++;
		key = mix(key);
	} while (t.number < TICKETS_MAX && happens(row->repeat, mix_at(key, DRAW_REPEAT)));
}

/* Can it be one of those who complain, whatever came of the request? The draw is the same for all rows. */
static int
is_likely(const struct catalog *c, const struct sim_request *request)
{
	uint64_t word = mix_at(mix_at(request->key, SIM_DRAW_TICKET), DRAW_RATE);

	for (int i = 0; i < c->ntickets; i++)
		if (happens(c->ticket[i].rate, word))
			return 1;
	return 0;
}

/* The first row that its root fits. */
static void
answer(struct reader *r, struct sim_request *request, const struct render_given *given)
{
	const struct catalog *c = r->s.c;

	if (!is_likely(c, request))
		return;
	sim_root(&r->s, request);
	for (int i = 0; i < c->ntickets; i++)
		if (render_root_holds(r->d, &c->ticket[i].when, request)) {
			complain(r, request, &c->ticket[i], given);
			return;
		}
}

int
main(int argc, char *argv[])
{
	static struct reader r = {
		.name = "og-tickets",
		.usage = "usage: og-tickets -w world [-c catalog] [-f format] [-l layout] [-n requests]\n",
		.help = HELP_OG_TICKETS,
		.layout = "tickets",
	};
	struct sim_request request;
	struct render_given given;

	reader_options(&r, argc, argv, "c:f:hl:n:Vw:");
	reader_filter(&r, RENDER_TICKETS, 0);
	if (r.w.cat.ntickets == 0)
		errx(2, "catalog %s has no tickets", r.w.cat.name);
	while (reader_request(&r, &request, &given))
		answer(&r, &request, &given);
	return reader_end(&r);
}
