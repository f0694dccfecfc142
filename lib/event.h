/*
 * Events read back: which request a line is of. A line of any layout of events or spans will do that has the start of the root span and its
 * trace id, under the keys that the layout has for them.
 */
#ifndef OG_EVENT_H
#define OG_EVENT_H

#include <stddef.h>

#include "render.h"
#include "sim.h"

struct event_reader;

/*
 *   layout   by its index in the catalog: lines are of it. -1: lines are of any layout of the catalog; which one, their keys say
 *   return   NULL and err. The simulation must outlive it
 */
struct event_reader *event_open(struct sim *, int layout, char *err, size_t errsize);
void event_free(struct event_reader *);

/* The record of a rollout is no request. */
enum event_found { EVENT_BAD = -1, EVENT_MARK, EVENT_REQUEST };
/*
 * Read one line: a request, by sim_request(), and what its spans take over from the line, which points into it. What a line of a given
 * layout lacks is null. EVENT_BAD and *errstr, good until the next call.
 */
enum event_found event_read(
    struct event_reader *, const char *line, size_t len, struct sim_request *, struct render_given *, const char **errstr);

#endif
