/*
 * Tables of the inventory as files or on the standard output. A failure ends the program.
 */
#ifndef OG_TABLES_H
#define OG_TABLES_H

#include "inventory.h"

struct tables {
	struct inventory *inventory;
	const struct catalog *catalog;
	struct inventory_form form;
	int schedule; /* not the tables, but when what was released */
	int verbose;  /* say how many rows */
};

/* The one of this name, or the schedule, to the standard output. */
void tables_print(const struct tables *, const char *name);
/* All of them, or the schedule, each a file of a folder, which is made if it is not there; a file is complete or not there. */
void tables_save(const struct tables *, const char *dir);

#endif
