/*
 * og-tickets: complaints of users, and which request they name
 *
 * Standard input: events, in any order and layout; some may be missing. Standard output: the tickets about each of them. They depend on the
 * event's time and trace id, the world, its catalog and the options alone.
 */
#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "event.h"
#include "help.h"
#include "mix.h"
#include "num.h"
#include "out.h"
#include "rec.h"
#include "render.h"
#include "sim.h"
#include "world.h"

#define ERROR_MAX 4096
#define TICKETS_MAX 8              /* about one request */
#define LOOK_BACK (2 * CLOCK_HOUR) /* a wrong request is one of the time before the ticket; */
#define LOOK_FAR CLOCK_DAY         /* if there is none, of that */

/* Numbers of the draws of a ticket's key. */
enum draw { DRAW_RATE, DRAW_DELAY, DRAW_MISSING, DRAW_FABRICATED, DRAW_WRONG, DRAW_NAME, DRAW_BACK, DRAW_REPEAT };

static struct opts {
	const char *catalog, *world, *layout;
	uint64_t requests;
	enum render_format format;
} opts = { .layout = "tickets" };

struct desk {
	struct sim s;
	struct render *d;
	struct event_reader *events;
	struct rec in;
	struct out out;
	size_t most;
	int status;
};

static void
read_world(struct world *w)
{
	char text[ERROR_MAX];

	if (world_load(w, opts.world, opts.catalog, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	if (w->warning != NULL)
		warnx("%s", w->warning);
}

/* About an event that cannot be read nobody complains, and the exit status tells. */
static void
refuse(struct desk *k, const char *what)
{
	warnx("%s:%llu: %s", k->in.name, (unsigned long long)k->in.line, what);
	k->status = 1;
}

static int
happens(double share, uint64_t word)
{
	return (double)(word >> 11) * 0x1p-53 < share;
}

/* Another request from before the ticket; 0 or -1. */
static int
find_other(struct desk *k, const struct sim_request *r, uint64_t word, int64_t before, struct sim_request *other)
{
	int64_t back = (int64_t)((double)(word >> 11) * 0x1p-53 * (double)LOOK_BACK);

	if (sim_other(&k->s, r, before - back, before, other) == 0 || sim_other(&k->s, r, before - LOOK_BACK, before, other) == 0)
		return 0;
	return sim_other(&k->s, r, before - LOOK_FAR, before, other);
}

/* Which request it names: none, one that never was, another user's or its own, in this order. */
static void
name_request(struct desk *k, struct sim_request *r, uint64_t key, struct render_ticket *t)
{
	const struct catalog_settings *set = &k->s.c->set;
	struct sim_request other;

	t->noise = NOISE_CLEAN;
	t->k = r->k;
	t->kth = r->number;
	t->named = r->time;
	if (happens(set->ticket_missing, mix_at(key, DRAW_MISSING))) {
		t->noise = NOISE_MISSING;
	} else if (happens(set->ticket_fabricated, mix_at(key, DRAW_FABRICATED))) {
		t->noise = NOISE_FABRICATED;
		t->k = (uint64_t)SIM_CLASS_NONE << 42 | mix_at(key, DRAW_NAME) >> 22;
		t->kth = r->number * TICKETS_MAX + t->number;
	} else if (happens(set->ticket_wrong, mix_at(key, DRAW_WRONG))) {
		if (find_other(k, r, mix_at(key, DRAW_BACK), t->time, &other) == 0) {
			t->noise = NOISE_WRONG;
			t->k = other.k;
			t->kth = other.number;
			t->named = other.time;
		}
		sim_root(&k->s, r);
	}
}

/* The user comes, and comes again. */
static void
complain(struct desk *k, struct sim_request *r, const struct catalog_ticket *row, const struct render_given *given)
{
	int64_t end = r->time + r->span[0].length;
	struct render_ticket t = { .time = end };
	uint64_t key = mix_at(r->key, SIM_DRAW_TICKET);
	char *to;

	if (!happens(row->rate, mix_at(key, DRAW_RATE)))
		return;
	do {
		t.time += (int64_t)(catalog_draw(&row->delay_min, mix_at(key, DRAW_DELAY)) * (double)CLOCK_MINUTE);
		if (t.time < end || t.time >= k->s.w->end)
			return;
		t.delay = t.time - end;
		name_request(k, r, key, &t);
		if ((to = render_ticket(k->d, out_room(&k->out, k->most), r, &t, given)) == NULL)
			err(1, NULL);
		out_took(&k->out, to);
		t.number++;
		key = mix(key);
	} while (t.number < TICKETS_MAX && happens(row->repeat, mix_at(key, DRAW_REPEAT)));
}

static void
answer(struct desk *k, const char *line, size_t len)
{
	const struct catalog *c = k->s.c;
	struct render_given given;
	struct sim_request r;
	const char *why;

	switch (event_read(k->events, line, len, &r, &given, &why)) {
	case EVENT_BAD:
		refuse(k, why);
		return;
	case EVENT_MARK:
		return;
	case EVENT_REQUEST:
		break;
	}
	sim_root(&k->s, &r);
	for (int i = 0; i < c->ntickets; i++)
		if (render_root_holds(k->d, &c->ticket[i].when, &r)) {
			complain(k, &r, &c->ticket[i], &given);
			return;
		}
}

static void
answer_all(struct desk *k)
{
	char *line;
	size_t len;

	for (;;) {
		switch (rec_next(&k->in, &line, &len)) {
		case REC_LINE:
			answer(k, line, len);
			break;
		case REC_LONG:
			refuse(k, "line too long");
			break;
		case REC_END:
			return;
		case REC_ERROR:
			if (k->out.err == 0)
				err(1, "%s", k->in.name);
			return;
		}
		if (k->out.err != 0)
			return;
	}
}

static int
run(const struct world *w)
{
	struct desk k = { .status = 0 };
	char text[ERROR_MAX];
	int layout = catalog_layout(&w->cat, opts.layout, strlen(opts.layout));

	if (layout < 0)
		errx(2, "no layout \"%s\" in catalog %s", opts.layout, w->cat.name);
	if (sim_open(&k.s, w, opts.requests, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	k.d = render_open(&k.s, layout, RENDER_TICKETS, opts.format, text, sizeof(text));
	if (k.d == NULL)
		errx(2, "%s", text);
	if (w->cat.ntickets == 0)
		errx(2, "catalog %s has no tickets", w->cat.name);
	k.s.whole = render_whole(k.d);
	k.most = render_most(k.d);
	if ((k.events = event_open(&k.s, -1, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
	if (out_open(&k.out, STDOUT_FILENO, 0) == -1 || rec_open(&k.in, STDIN_FILENO, "<stdin>", &k.out, 0) == -1)
		err(1, NULL);
	out_took(&k.out, render_head(k.d, out_room(&k.out, k.most)));
	answer_all(&k);
	if (out_close(&k.out) == -1)
		err(1, "<stdout>");
	rec_close(&k.in);
	event_free(k.events);
	render_free(k.d);
	sim_close(&k.s);
	return k.status;
}

static _Noreturn void
usage(int status)
{
	(void)fprintf(status == 0 ? stdout : stderr, "usage: og-tickets -w world [-c catalog] [-f format] [-l layout] [-n requests]\n");
	if (status == 0)
		(void)fputs(HELP_OG_TICKETS, stdout);
	if (fflush(stdout) == EOF)
		err(1, "<stdout>");
	exit(status);
}

static void
parse(int argc, char *argv[])
{
	static const struct option longopts[] = {
		{ "catalog", required_argument, NULL, 'c' },
		{ "format", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "layout", required_argument, NULL, 'l' },
		{ "requests", required_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "world", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	const char *e;
	int ch, format;

	while ((ch = getopt_long(argc, argv, "c:f:hl:n:Vw:", longopts, NULL)) != -1) {
		switch (ch) {
		case 'c':
			opts.catalog = optarg;
			break;
		case 'f':
			if ((format = render_format(optarg)) == -1)
				errx(2, "no format \"%s\": json, csv or tsv", optarg);
			opts.format = (enum render_format)format;
			break;
		case 'h':
			usage(0);
		case 'l':
			opts.layout = optarg;
			break;
		case 'n':
			if (num_u64(optarg, 1, WORLD_REQUESTS_MAX, &opts.requests, &e) == -1)
				errx(2, "number of requests is %s: %s", e, optarg);
			break;
		case 'V':
			(void)printf("og-tickets %s\n", OG_VERSION);
			if (fflush(stdout) == EOF)
				err(1, "<stdout>");
			exit(0);
		case 'w':
			opts.world = optarg;
			break;
		default:
			usage(2);
		}
	}
	if (argc > optind)
		usage(2);
}

int
main(int argc, char *argv[])
{
	struct world w;
	int status;

	parse(argc, argv);
	if (opts.world == NULL)
		usage(2);
	read_world(&w);
	status = run(&w);
	world_free(&w);
	return status;
}
