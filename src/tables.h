/*
 * Tables of the inventory as files or on the standard output. A failure ends the program.
 */
#ifndef OG_TABLES_H
#define OG_TABLES_H

#include "inventory.h"

/* What options say; NULL: nothing. */
struct tables_asked {
	const char *format, *factor, *shard;
	int array;
};

struct tables {
	struct inventory *inventory;
	const struct catalog *catalog;
	struct inventory_form form;
	int schedule; /* not the tables, but when what was released */
	int verbose;  /* say how many rows */
};

/* By the options; `table` is what is asked for alone, or NULL. What does not go together is refused. */
void tables_open(struct tables *, const struct tables_asked *, const char *table, uint64_t seed, int64_t begin, int64_t end);
/* The one of this name, or the schedule, to the standard output. */
void tables_print(const struct tables *, const char *name);
/* All of them, or the schedule, each a file of a folder, which is made if it is not there; a file is complete or not there. */
void tables_save(const struct tables *, const char *dir);

#endif
