/* Shared by the files of the catalog only. */
#ifndef OG_CATALOG_IMPL_H
#define OG_CATALOG_IMPL_H

#include <setjmp.h>

#include "catalog.h"
#include "tsv.h"

enum table {
	T_SETTINGS,
	T_LISTS,
	T_IDS,
	T_PLACES,
	T_SERVICES,
	T_LINKS,
	T_SERIES,
	T_OPERATIONS,
	T_PERSONAS,
	T_CALLS,
	T_CODES,
	T_LOGS,
	T_TICKETS,
	T_LAYOUTS,
	T_INCIDENTS,
	T_EFFECTS,
	T_ENTITIES,
	NTABLES
};
/* Where a table comes from: the catalog itself, or the folder `default`. */
enum { OWN, DEFAULT, NFOLDERS };

#define NCOLUMNS 12 /* of the widest table */
#define MANY 1e9    /* upper bound of numbers that have no other */

/* Names to numbers. */
struct index_slot {
	const char *key;
	int salt, value;
};
struct index {
	struct index_slot *slot;
	size_t mask; /* slots - 1; a power of two */
};

/* All memory of a catalog. */
struct block;
struct arena {
	struct block *block;
	struct tsv tsv[NFOLDERS][NTABLES];
	struct index place, service, op, code, list, id, layout, persona, incident, object, constant, link, series, entity;
};

/* A cell and what messages call it. */
struct cell {
	const char *name;
	char *s;
};

/* A load under way. Any error goes to catalog_fail(), which jumps out; the arena owns all there is to free. */
struct load {
	struct catalog *c;
	struct arena *a;
	char *err;
	size_t errsize;
	void (*warn)(const char *, void *);
	void *arg;
	jmp_buf out;
	char *dir[NFOLDERS]; /* NULL: none */
	/* The row at hand. */
	enum table table;
	int folder;
	const struct tsv *t;
	size_t row;
	int at[NCOLUMNS]; /* cell of each column; -1: the table lacks it */
	char *none;       /* what an absent cell holds: "" */
};

/* catalog_cell.c: memory, rows, cells */
void *catalog_arena_get(struct arena *, size_t n, size_t size);
void catalog_arena_free(struct arena *);
void *catalog_get(struct load *, size_t n, size_t size); /* zeroed; never NULL */
char *catalog_keep(struct load *, const char *s, size_t n);
_Noreturn void catalog_fail(struct load *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void catalog_fail_at(struct load *, enum table, size_t line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void catalog_warn_at(struct load *, enum table, size_t line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void catalog_index_init(struct load *, struct index *, size_t n);
/* The value that holds the name already, or -1: it was new. */
int catalog_index_add(struct index *, const char *key, int salt, int value);
int catalog_index_find(const struct index *, const char *key, size_t n, int salt);

/* Begin with a table; 0 when the folder has none. */
int catalog_open_table(struct load *, enum table, int folder);
int catalog_open_either(struct load *, enum table);  /* its own before that of default: tables that are not merged */
void catalog_open_needed(struct load *, enum table); /* it has to be there, with rows */
int catalog_next_row(struct load *);
size_t catalog_row_line(const struct load *);                    /* of the row at hand */
size_t catalog_nth_line(const struct load *, enum table, int i); /* of row i of a table that is not merged */
size_t catalog_rows_of(const struct load *, enum table);         /* of both folders */
const char *catalog_table_name(enum table);
struct cell catalog_cell(const struct load *, int column);

int catalog_is_name(const char *s);
void catalog_check_name(struct load *, const char *s);
char *catalog_name_of(struct load *, struct cell);
double catalog_number(struct load *, struct cell, double empty, double lo, double hi);
double catalog_positive(struct load *, struct cell, double empty);
double catalog_share(struct load *, struct cell, double empty);
int catalog_whole(struct load *, struct cell, int empty, int lo, int hi);
int catalog_choice(struct load *, struct cell, const char *const *words, const char *expected);
void catalog_quantity(struct load *, struct cell, const char *empty, struct catalog_dist *, double lo, double hi, int counts);
int catalog_quantity_of(struct arena *, const char *s, size_t n, struct catalog_dist *); /* 0, -1, or -2 without memory */
int64_t catalog_moment(struct load *, struct cell);
/* Next item of a list "a,b,c": *s moves on, the item is NUL-terminated in place; NULL at the end. */
char *catalog_next_item(struct load *, const char *name, char **s);
int catalog_count_items(const char *s);
void catalog_mix_of(struct load *, struct cell, struct catalog_mix *);
struct catalog_ref catalog_ref_of(struct load *, const char *s);

/* catalog_text.c: templates and conditions. Where a source may stand: */
enum {
	IN_IDS = 1,
	IN_HOST = 2,
	IN_CASCADE = 4,
	IN_OPERATION = 8,
	IN_LOG = 16,  /* messages of lines; conditions of lines and tickets */
	IN_SPAN = 32, /* layouts, by record: event, span and sample; the others have their own */
	IN_AGGREGATE = 64,
	IN_EARLY = 128, /* conditions of calls, codes, effects */
	IN_LINE = 256,
	IN_TICKET = 512,
	IN_INCIDENT = 1024,
	IN_OF_LINK = 2048, /* series:link and so on */
	IN_OF_HOST = 4096,
	IN_OF_SERVICE = 8192,
	IN_OF_PLACE = 16384
};
void catalog_text_of(struct load *, const char *s, unsigned where, struct catalog_text *);
/* decided: what the condition decides, for messages; said of early conditions only. */
void catalog_cond_of(struct load *, const char *s, unsigned where, const char *decided, struct catalog_cond *);
void catalog_blind_text(struct load *, struct catalog_text *);
void catalog_blind_cond(struct load *, struct catalog_cond *);

/* catalog_set.c */
void catalog_load_constants(struct load *);
void catalog_load_settings(struct load *);

/* catalog_thing.c, catalog_link.c, catalog_traffic.c, catalog_record.c; in this order, each refers to those before */
void catalog_load_things(struct load *);
void catalog_load_links(struct load *);
void catalog_load_traffic(struct load *);
void catalog_load_records(struct load *);

/* catalog_form.c: texts of entities. Where one stands: the entity, and how many of its fields are known already. */
struct catalog_scope {
	struct load *l;
	int entity, known;
	size_t line; /* of this table */
	enum table table;
};
_Noreturn void catalog_refuse(const struct catalog_scope *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void catalog_form_of(const struct catalog_scope *, const char *text, struct catalog_form *);
void catalog_tests_of(const struct catalog_scope *, const char *text, struct catalog_tests *);
/* A list by its name, or one of a family by a name with holes. */
void catalog_family_of(const struct catalog_scope *, const char *name, struct catalog_slot *);
/* Number of a field among the first n; -1. */
int catalog_property_of(const struct catalog_entity *, const char *name, int n);
/* A whole number within bounds; -1: no such. */
int catalog_small(const char *s, int lo, int hi);

/* catalog_entity.c: names before ids, which may be theirs; the rest behind layouts and lists */
void catalog_name_entities(struct load *);
void catalog_load_entities(struct load *);

/* catalog_host.c: when there are places and services */
void catalog_find_pools(struct load *);

/* catalog_check.c, catalog_link.c */
void catalog_check_all(struct load *);
void catalog_check_links(struct load *);

/* As catalog_load(), but table `name` has these bytes and not those of its file; NULL: none has. */
struct catalog_bytes {
	const char *name, *data;
	size_t n;
};
int catalog_load_bytes(struct catalog *, const char *name, const struct catalog_bytes *, char *err, size_t errsize,
    void (*warn)(const char *, void *), void *arg);

#endif
