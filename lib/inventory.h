/*
 * The inventory: the tables of all things that a catalog's entities make, row by row, without holding the rows. Every draw is keyed by
 * the names of what it is about: a table is the same whichever others are written, and what grows keeps the rows it has.
 */
#ifndef OG_INVENTORY_H
#define OG_INVENTORY_H

#include <stddef.h>
#include <stdint.h>

#include "catalog.h"
#include "out.h"

#define INVENTORY_FACTOR_MIN 0.001
#define INVENTORY_FACTOR_MAX 100

enum inventory_format { INVENTORY_JSON, INVENTORY_CSV, INVENTORY_TSV, INVENTORY_JSONAPI, INVENTORY_COPY };

/* A build of a service, which visits one place after the other. */
struct inventory_build {
	uint64_t key, number;   /* number: of all builds of the service, the first is 1 */
	int64_t created, delay; /* us; delay: until its first rollout begins */
};

struct inventory;

/*
 * The things of a catalog in a world from begin to end, `factor` times as many of what setting inventory.scale names.
 * NULL and err; the catalog must outlive it.
 */
struct inventory *inventory_open(
    const struct catalog *, uint64_t seed, int64_t begin, int64_t end, double factor, char *err, size_t errsize);
void inventory_free(struct inventory *);
/* Is there a list for everything that names one? What this finds would else end a table in its middle. 0, or -1 and err. */
int inventory_check(struct inventory *, char *err, size_t errsize);

/* `json`, `csv`, `tsv`, `jsonapi`, `copy`; -1: none of them. */
int inventory_format(const char *name);
/* The entity of that name, or whose table has that name: "release", "releases"; -1. */
int inventory_table(const struct catalog *, const char *name);
/* The name of an entity's table: its title in small letters, "_" for blanks. */
void inventory_name(const struct catalog *, int entity, char *buf, size_t size);

/* How a table is written: slice `part` of `parts`, from 1; in one array (INVENTORY_JSON, INVENTORY_JSONAPI). */
struct inventory_form {
	enum inventory_format format;
	uint64_t part, parts;
	int array;
};
/*
 * The table of an entity. Errors of `out` stay with it and end the writing.
 *   return   rows; or -1 and err
 */
int64_t inventory_put(struct inventory *, int entity, const struct inventory_form *, struct out *, char *err, size_t errsize);

/* Has the catalog the entity "release", by which the releases of a world are known? */
int inventory_has_releases(const struct catalog *);
/* deployment_schedule.json: releases of each deployment in order of time. 0, or -1 and err. */
int inventory_schedule(struct inventory *, struct out *, char *err, size_t errsize);

/* A release of a deployment. Texts live until the next one. */
struct inventory_release {
	const char *deployment, *id;
	uint64_t number; /* as the id has it */
	const struct inventory_build *build;
};
/* Every release of each deployment whose id is wanted, deployment by deployment. A result other than 0 ends it. 0, or -1 and err. */
int inventory_releases(struct inventory *, int (*wanted)(const char *deployment, void *),
    int (*each)(const struct inventory_release *, void *), void *arg, char *err, size_t errsize);

/*
 * The builds of a service that matter from begin to end: those within, and five before, which are live in every place at begin when
 * `settled`, else only made. *build grows as needed, *n are taken.
 *   service  its key
 *   a_year   how many, drawn for each calendar year
 *   return   0, or -1 with errno
 */
int inventory_builds(const struct catalog *, uint64_t service, const struct catalog_dist *a_year, int64_t begin, int64_t end, int settled,
    struct inventory_build **build, int *n, int *room);
/* When it comes to place number `place`; behind the last one to all other deployments, each keyed by its own name. */
int64_t inventory_arrival(const struct catalog *, const struct inventory_build *, int place);
int64_t inventory_late_arrival(const struct catalog *, const struct inventory_build *, uint64_t deployment);
/* Minutes as us, in whole seconds. */
int64_t inventory_minutes(const struct catalog_dist *, uint64_t word);

#endif
