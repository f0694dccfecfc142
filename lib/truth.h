/*
 * What is in the data and what incidents did to it: requests counted one by one, grown anew from their names, and once more without each
 * incident that could have met them.
 */
#ifndef OG_TRUTH_H
#define OG_TRUTH_H

#include <stddef.h>
#include <stdint.h>

#include "out.h"
#include "sim.h"
#include "world.h"

struct truth;

/* requests 0: those of the world, which must outlive it. NULL and err. */
struct truth *truth_open(const struct world *, uint64_t requests, char *err, size_t errsize);
void truth_free(struct truth *);
/* By which the requests to count are found. */
struct sim *truth_sim(struct truth *);

/* Count a request that was found there, in any order, each once. 0; or -1 and err. */
int truth_add(struct truth *, struct sim_request *, char *err, size_t errsize);
/* The record of a rollout's start or end. */
void truth_mark(struct truth *);

/* Add a line that truth_put() wrote of other requests of the same world. 0; or -1 and *errstr, and nothing is added. */
int truth_merge(struct truth *, const char *line, size_t len, const char **errstr);
/* Lines of counts; og-truth(1) describes them. */
void truth_put(const struct truth *, struct out *);

#endif
