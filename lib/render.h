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

/* What a line says that its children take over instead of what the simulation has: text of at most RENDER_GIVEN_MAX bytes, or null. */
#define RENDER_GIVEN_MAX 256
struct render_given {
	struct json_value user, object; /* as they stand in the line, with quotes; p == NULL: null */
};

struct render;

/* `json`, `csv`, `tsv`; -1: none of them. */
int render_format(const char *name);
/* A layout of spans or events, by its index in the catalog. NULL and err. The simulation must outlive it. */
struct render *render_open(const struct sim *, int layout, enum render_format, char *err, size_t errsize);
void render_free(struct render *);
/* Most bytes that a line can have, newline included. */
size_t render_most(const struct render *);
/* The line of field names that CSV and TSV begin with; the end. JSON has none. */
char *render_head(const struct render *, char *to);
/* One span of a request, with newline; the end, or `to` when the layout leaves it out. `given` may be NULL. */
char *render_span(struct render *, char *to, const struct sim_request *, uint32_t span, const struct render_given *given);
/* The record of a rollout's start (end 0) or end (end 1). */
char *render_rollout(struct render *, char *to, int rollout, int end);

/* Field of the layout whose value is this source alone, or NULL: the key under which it is found in a line. */
const char *render_key(const struct catalog *, int layout, enum catalog_source);
/* Read a trace id as the catalog writes it. 0; -1: not of its form; -2: of another world. *k: the request, or SIM_CLASS_EVENT's. */
int render_trace(const struct sim *, const char *text, size_t n, uint64_t *k);

#endif
