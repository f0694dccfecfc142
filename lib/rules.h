/*
 * Checks of the tables of a data set, as a table of rules says them. A rule is of a kind and about a selection of rows, sometimes against a
 * second one; it gives a number, which must lie between two bounds. og-check(1) lists the kinds.
 *
 * Tables are CSV files with a row of names. Each is read twice at most. Memory: for rules that compare keys 64-bit fingerprints of them,
 * RULES_SET_MAX bytes a rule at most; for the others none that grows with the tables.
 */
#ifndef OG_RULES_H
#define OG_RULES_H

#include <stddef.h>
#include <stdint.h>

#include "out.h"
#include "world.h"

#define RULES_SET_MAX (1ULL << 30) /* bytes of the fingerprints of one rule */
#define RULES_SHOWN 3              /* places that are told of a rule */
#define RULES_ENOUGH 100           /* rows that a statistic needs */

struct rules;

/*
 *   path     the table of rules: check, kind, of, against, by, low, high, level, source
 *   world    whose incidents conditions may name; must outlive them
 *   level    of difficulty, which chooses rules; NULL: that of the world
 *   return   NULL and err
 */
struct rules *rules_open(const char *path, const struct world *world, const char *level, char *err, size_t errsize);
void rules_free(struct rules *);

/*
 * Read the tables of a folder: NAME is data/clickhouse-NAME.csv and so on, see og-check(1). ground_truth.json is read for bounds that are
 * written there.
 *   return   0; or -1 and err: a file that cannot be read, or is no table
 */
int rules_run(struct rules *, const char *folder, char *err, size_t errsize);
/* The verdict, one JSON object and a newline. 1 if a rule is broken, or 0. */
int rules_verdict(const struct rules *, struct out *);
/* The faults that were kept, in the order of rules: file, line (0: none), check, what. */
void rules_tell(
    const struct rules *, void (*told)(const char *file, uint64_t line, const char *check, const char *what, void *), void *arg);

#endif
