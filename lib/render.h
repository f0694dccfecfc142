/*
 * Records as text: a layout of the catalog, compiled for every operation, filled in from the simulation.
 */
#ifndef OG_RENDER_H
#define OG_RENDER_H

#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "sim.h"

enum render_format { RENDER_JSON, RENDER_CSV, RENDER_TSV };

/* What a record is about. */
enum render_kind { RENDER_SPANS, RENDER_LINES, RENDER_TICKETS, RENDER_THINGS, RENDER_INCIDENTS };

/* What an event says that its spans take over instead of what the simulation has: text of at most RENDER_GIVEN_MAX bytes, or null. */
#define RENDER_GIVEN_MAX 256
struct render_given {
	struct json_value user, object; /* as they stand in the event, with quotes; p == NULL: the event says nothing of it */
};

/* A line of a request. */
struct log_row;
struct render_line {
	const struct log_row *row;
	int64_t time;   /* us, true; no two lines of a request have the same */
	uint32_t span;  /* that writes it */
	uint32_t order; /* of cause */
};

/* Which request a ticket names. */
enum render_noise { NOISE_CLEAN, NOISE_MISSING, NOISE_FABRICATED, NOISE_WRONG };
struct render_ticket {
	int64_t time;    /* us */
	int64_t delay;   /* us, from the end of the request */
	uint64_t number; /* of the ticket among those of its request, from 0 */
	enum render_noise noise;
	uint64_t k, kth; /* name and number of the request it names */
	int64_t named;   /* and its time */
};

/* A thing at a time, with its series; or an incident. What does not apply is -1 or NULL. */
struct render_thing {
	int64_t time, end; /* us */
	int link, place, service, host;
	const double *value; /* for each series of the catalog */
	const struct world_incident *incident;
};

struct render;

/* `json`, `csv`, `tsv`; -1: none of them. */
int render_format(const char *name);
/* A layout of this kind, by its index in the catalog. NULL and err. The simulation must outlive it. */
struct render *render_open(const struct sim *, int layout, enum render_kind, enum render_format, char *err, size_t errsize);
void render_free(struct render *);
/* Does it tell of more of the tree than the span itself? Then roots need it, too: set the simulation's `whole`. */
int render_whole(const struct render *);
/* What of spans does it not tell? For the simulation's `spare`. */
int render_spare(const struct render *);
/* Most bytes that a line can have, newline included. */
size_t render_most(const struct render *);
/* The line of field names that CSV and TSV begin with; the end. JSON has none. */
char *render_head(const struct render *, char *to);
/* One span of a request, with newline; the end, or `to` when the layout leaves it out. `given` may be NULL. */
char *render_span(struct render *, char *to, const struct sim_request *, uint32_t span, const struct render_given *given);
/*
 * The lines of a request whose tree is grown, in order of time, which is one of cause: what comes of something comes after it, and what
 * starts within a span is written between its first line and its last. How many; -1 with errno. They are good until the next call.
 */
int render_lines(struct render *, const struct sim_request *, const struct render_line **);
/* One of them, with newline, at the time that the clock of its host shows; the end, or `to` when the layout leaves it out. */
char *render_line(struct render *, char *to, const struct sim_request *, const struct render_line *, const struct render_given *given);
/* A ticket about a request, whose root is there. */
char *render_ticket(struct render *, char *to, const struct sim_request *, const struct render_ticket *, const struct render_given *given);
/* A thing at a time or an incident; the end, or `to` when the layout leaves it out. */
char *render_thing(struct render *, char *to, const struct render_thing *);
/* A number of at most 10^9 with at most so many decimals, rounded, without zeros at the end: at most 24 bytes; the end. */
#define RENDER_PLACES 6 /* of series, where a layout asks for none */
char *render_number(char *to, double, int places);
/* Does a condition hold for the root of a request? */
int render_root_holds(struct render *, const struct catalog_cond *, const struct sim_request *);
/* The record of a rollout's start (end 0) or end (end 1). */
char *render_rollout(struct render *, char *to, int rollout, int end);

/* Shared with what writes records of other kinds by a layout. The line of field names; the end. JSON has none. */
char *render_names(const struct catalog_layout *, enum render_format, char *to);
/* Guard what stands from..to for its format, in place: at most twice as long and two bytes more; the end. */
char *render_guard(enum render_format, char *from, char *to);
/* A time, enum catalog_time: at most 32 bytes; the end. */
char *render_moment(char *to, int64_t us, int form);

/* Field of the layout whose value is this source alone, or NULL: the key under which it is found in a line. */
const char *render_key(const struct catalog *, int layout, enum catalog_source);
/* Read a trace id as the catalog writes it. 0; -1: not of its form; -2: of another world. *k: the request, or SIM_CLASS_EVENT's. */
int render_trace(const struct sim *, const char *text, size_t n, uint64_t *k);

#endif
