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
	T_OPERATIONS,
	T_PERSONAS,
	T_CALLS,
	T_CODES,
	T_LOGS,
	T_LAYOUTS,
	T_INCIDENTS,
	T_EFFECTS,
	NTABLES
};
/* Where a table comes from: the catalog itself, or the folder `default`. */
enum { OWN, DEFAULT, NFOLDERS };

#define NCOLUMNS 11 /* of the widest table */
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
	struct index place, service, op, code, list, id, layout, persona, incident;
};

/* A cell and what messages call it. */
struct cell {
	const char *name;
	char *s;
};

/* A load under way. Any error goes to fail(), which jumps out; the arena owns all there is to free. */
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
void *arena_get(struct arena *, size_t n, size_t size);
void arena_free(struct arena *);
void *get(struct load *, size_t n, size_t size); /* zeroed; never NULL */
char *copy(struct load *, const char *s, size_t n);
_Noreturn void fail(struct load *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void fail_at(struct load *, enum table, size_t line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void warn_at(struct load *, enum table, size_t line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void index_init(struct load *, struct index *, size_t n);
/* The value that holds the name already, or -1: it was new. */
int index_add(struct index *, const char *key, int salt, int value);
int index_find(const struct index *, const char *key, size_t n, int salt);

/* Begin with a table; 0 when the folder has none. */
int open_table(struct load *, enum table, int folder);
int next_row(struct load *);
size_t row_line(const struct load *);                    /* of the row at hand */
size_t nth_line(const struct load *, enum table, int i); /* of row i of a table that is not merged */
size_t rows_of(const struct load *, enum table);         /* of both folders */
const char *table_name(enum table);
struct cell cell(const struct load *, int column);

int is_name(const char *s);
void check_name(struct load *, const char *s);
char *name_of(struct load *, struct cell);
double number(struct load *, struct cell, double empty, double lo, double hi);
double positive(struct load *, struct cell, double empty);
double share(struct load *, struct cell, double empty);
int whole(struct load *, struct cell, int empty, int lo, int hi);
int choice(struct load *, struct cell, const char *const *words, const char *expected);
void dist(struct load *, struct cell, const char *empty, struct catalog_dist *, double lo, double hi, int counts);
int parse_dist(struct arena *, const char *s, size_t n, struct catalog_dist *); /* 0, -1, or -2 without memory */
int64_t moment(struct load *, struct cell);
/* Next item of a list "a,b,c": *s moves on, the item is NUL-terminated in place; NULL at the end. */
char *next_item(struct load *, const char *name, char **s);
int count_items(const char *s);
void mix_of(struct load *, struct cell, struct catalog_mix *);
struct catalog_ref ref_of(struct load *, const char *s);

/* catalog_text.c: templates and conditions. Where a source may stand: */
enum {
	IN_IDS = 1,
	IN_HOST = 2,
	IN_CASCADE = 4,
	IN_OPERATION = 8,
	IN_LOG = 16,
	IN_RECORD = 32,
	IN_AGGREGATE = 64,
	IN_EARLY = 128 /* conditions of calls, codes, effects */
};
void text_of(struct load *, const char *s, unsigned where, struct catalog_text *);
/* decided: what the condition decides, for messages; said of early conditions only. */
void cond_of(struct load *, const char *s, unsigned where, const char *decided, struct catalog_cond *);
void blind_text(struct load *, struct catalog_text *);
void blind_cond(struct load *, struct catalog_cond *);

/* catalog_set.c */
void load_constants(struct load *);
void load_settings(struct load *);

/* catalog_table.c */
void load_tables(struct load *);

/* catalog_check.c */
void check_all(struct load *);

/*
 * As catalog_load(), but table `name` (NULL: none) has these bytes and not those of its file.
 */
struct catalog_bytes {
	const char *name, *data;
	size_t n;
};
int catalog_load_bytes(struct catalog *, const char *name, const struct catalog_bytes *, char *err, size_t errsize,
    void (*warn)(const char *, void *), void *arg);

#endif
