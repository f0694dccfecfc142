/* Shared by the files of rules only. */
#ifndef OG_RULES_IMPL_H
#define OG_RULES_IMPL_H

#include <sys/types.h>

#include "buf.h"
#include "hist.h"
#include "json.h"
#include "rec.h"
#include "rules.h"

#define RULES_TEXT 256
#define RULES_KEYS 8    /* columns of a key */
#define RULES_STEPS 64  /* values of an order */
#define RULES_RUN 65536 /* rows that stand together */
#define RULES_COLUMNS 256
#define RULES_GROUPS 256   /* of a statistic */
#define RULES_HOUR "@hour" /* groups by hour of the day */
#define RULES_END "end"    /* the last minute of the world, when clocks are turned back so that nothing comes after it */
#define RULES_CELL 60      /* bytes of a cell that messages show */
#define RULES_LATER 16     /* a power of two */

/* A table that is being read. */
struct csv {
	struct rec in;
	int fd, ncols;
	pid_t child; /* who unpacks it, or 0 */
	char *path;
	const char *id; /* what selections have as their file */
	char **name;
	struct cell {
		const char *p;
		size_t n;
	} * cell;
	struct known {
		uint64_t hash_row, hash, time_row;
		int64_t us;
		int is_time;
		size_t n; /* of the cell that was hashed last; rows below often have it again */
		char text[RULES_CELL];
	} * known;         /* what csv_hash() and csv_time() found, of which row */
	uint64_t row;      /* from 1 */
	int plain;         /* the line has no quotes */
	struct buf joined; /* a row that goes over several lines */
	uint64_t line;
	char why[RULES_TEXT];
};

/* 0, or -1 with errno or, if that is 0, c->why. */
int csv_open(struct csv *, const char *path);
/* 1, 0 at the end, or -1 as above. */
int csv_next(struct csv *);
void csv_close(struct csv *);
/* The key of a cell of the row, found out once. */
uint64_t csv_hash(const struct csv *, int column);
/* The time in a cell of the row, likewise. 0, or -1: there is none. */
int csv_time(const struct csv *, int column, int64_t *us);
/* -1: none of this name. */
int csv_column(const struct csv *, const char *name, size_t n);

/* One of several values, the text of which is known. */
struct value {
	char *p;
	size_t n;
};

enum relation { IS, IS_NOT, ABOVE, BELOW, DURING, NOT_DURING, AT, NOT_AT };
/* Selections of one table share what they have in common. */
struct condition {
	char *table, *text;
	uint64_t row; /* what follows is of this one; 0: none */
	int held;
	int time; /* column of when a row was */
	enum relation relation;
	char *column;
	int at; /* of the column; set when the table is opened */
	int n;
	struct value *value;
	int of_links; /* one of the links that the windows' incidents are about */
	double number;
	struct windows *windows;
};

/* When some incidents are: spans of time, sorted and apart; and of each incident, by its places and links. */
struct windows {
	char *name, *effect;  /* effect: those that have it, and as far as they have it; NULL: any */
	int n, nlinks, whole; /* whole: bursts or not */
	const struct world *w;
	int nincidents;
	const struct world_incident **incident;
	struct world_burst *span;
	struct value *link;
};

/* TABLE.COLUMN[CONDITION & CONDITION] */
struct selection {
	char *table;
	const char *file; /* where it is; NULL: nowhere */
	int ncolumns;
	char *column[RULES_KEYS];
	int at[RULES_KEYS], time;
	int nvalues; /* "column=a|b" counts rows of these values: 1 or 0 */
	struct value *value;
	int nconditions;
	struct condition **condition;
};

enum kind {
	K_ROWS,
	K_UNIQUE,
	K_EXISTS,
	K_MISSING,
	K_SUM,
	K_MEAN,
	K_MIN,
	K_MAX,
	K_P50,
	K_P95,
	K_P99,
	K_TAIL,
	K_DAY,
	K_SHARE,
	K_CORRELATION,
	K_ORDER,
	K_INSIDE,
	K_OFFSET,
	KINDS
};

/* What a selection added up to. */
struct sums {
	uint64_t rows, bad; /* bad: rows whose value is no number */
	double sum, squares, min, max;
	int timed; /* its values are times, in seconds */
	struct hist *hist;
	uint64_t hour[24]; /* of the day */
	struct minute {
		double sum;
		uint64_t n;
	} * minute;
};

/* Rows that a statistic is about: all, or those with the same value in a column. */
struct group {
	uint64_t key;
	char *name;
	struct sums sums[2];
	/* Findings. */
	int known;
	double value, low, high;
};

struct prints {
	uint64_t *print; /* by their highest bits, so that growing goes through both tables in order */
	int64_t *value;  /* NULL: none are kept */
	size_t n, size;
	int shift, full;
};

/* 1 if it is new, 0; *value: where its value is. Full: -1. */
int prints_put(struct prints *, uint64_t print, int64_t **value);
int prints_has(const struct prints *, uint64_t print, int64_t *value);
void prints_free(struct prints *);
/* It will be looked for: memory that far apart takes its time. */
static inline void
prints_expect(const struct prints *s, uint64_t print)
{
	if (s->size > 0)
		__builtin_prefetch(&s->print[print >> s->shift]);
}

struct seen {
	uint64_t key; /* of the clock, or of the span */
	int64_t start, end;
	uint64_t line;
};

struct rule {
	char *name, *source, *low_text, *high_text;
	enum kind kind;
	struct selection of, against;
	int has_against, off; /* off: not at this level */
	int early;            /* the other table is read first, so that rows can be looked for at once */
	char *by[3];          /* names of columns */
	int by_at[3];
	int nsteps; /* of an order: values of `step_column`, each with its rank */
	char *step_column;
	struct value step[RULES_STEPS];
	int step_rank[RULES_STEPS];
	int step_at;
	double low, high;
	struct sums sums[2]; /* of all groups: rows, bad and timed alone */
	struct group *groups;
	int ngroups;
	struct prints prints;
	char *against_text;
	struct rule *set; /* whose prints are those of "against": of several rules about the same rows, the first's */
	uint64_t last;    /* key looked for last: neighbours often have the same one */
	int last_found;
	/* Rows that stand together. */
	uint64_t group;
	int rank, nseen, maxseen;
	struct seen *seen;
	/* Findings. */
	double value, least, most;
	int known;
	const struct group *worst; /* of several, whose value and bounds are those of the rule; NULL: there is one */
	const char *why;           /* it is not known */
	char why_text[RULES_TEXT];
	uint64_t broken;
	struct {
		const char *file;
		uint64_t line;
		char text[RULES_TEXT];
	} shown[RULES_SHOWN];
};

struct rules {
	const struct world *w;
	const char *path, *level;
	struct file {
		const char *table;
		char *path; /* NULL: there is none */
		int64_t size;
	} * file, **order; /* order: in which they are read */
	int nfiles;
	char *truth; /* ground_truth.json */
	size_t truth_n;
	int n;
	struct rule *rule;
	struct windows **windows;
	int nwindows;
	struct condition **condition;
	int nconditions;
	int64_t minutes; /* of the world */
	char *err;
	size_t errsize;
};

/* "cause", "confounder:infra", "cause.rtt_ms": when such incidents are; "cause*": from their beginning to their end, bursts or not. NULL. */
struct windows *windows_of(struct rules *, const char *name, size_t n);
/* Is an effect one of those that are meant? And on this link, by such an effect? */
int windows_take(const struct windows *, const struct world_effect *);
int windows_on_link(const struct windows *, const struct world_incident *, int link);

int rules_fail(struct rules *, const char *path, size_t line, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
__attribute__((format(printf, 4, 5))) void rule_fault(struct rule *, const struct csv *, uint64_t line, const char *fmt, ...);

/* Parse "TABLE.COLUMN[...]". 0, or -1 and *why. */
int selection_parse(struct rules *, struct selection *, const char *text, const char **why);
void selection_free(struct selection *);
/* Find the columns in an open table. 0, or -1 with *missing. */
int selection_bind(struct selection *, const struct csv *, const char **missing);
void condition_free(struct condition *);
/* Does the row belong to it? */
int selection_holds(const struct selection *, const struct csv *);
int cell_is(struct cell, const struct value *, int n);
int cell_number(struct cell, double *);
uint64_t cells_key(const struct selection *, const struct csv *);

/* Is the statistic one of each group apart? */
static inline int
rule_has_groups(const struct rule *x)
{
	return x->by[0] != NULL && x->kind != K_ORDER && x->kind != K_INSIDE;
}
int rule_prepare(struct rules *, struct rule *);
void rule_free(struct rule *);
/* A rule as far as it is about a table: rows of one side. */
struct part {
	struct rule *rule;
	int side; /* 0: "of", 1: "against" */
	uint64_t nlater;
	struct later {
		uint64_t key, line;
		int64_t us;
		int n;
		char text[RULES_CELL];
	} later[RULES_LATER]; /* keys of rows that are not looked for yet; a ring */
};
/* Is there something to do for these rows in this pass over the tables, 0 or 1? */
int rule_needs(const struct rule *, int side, const char *file, int pass);
/* One row, for all that its table is needed for. */
void rules_row(struct rules *, struct part *, int n, const struct csv *);
/* When the table has been read. */
void rules_rest(struct part *, int n);
/* A number as it is told: counts whole, times as such, all else in six digits. */
const char *rule_number(const struct rule *, double, char buf[32]);
/* When all tables are read. */
void rule_end(struct rules *, struct rule *);

/*
 * A bound: alternatives between "|", of which a lower bound is the least, an upper one the greatest. A number; "begin" or "end" of the
 * world, in seconds; "=PATH+PATH", numbers of the ground truth; "@ROLE.EFFECT*NUMBER", the least or greatest factor of such effects.
 *   high     0: it is a lower one
 *   name     of the group, which may be a link: the effects on that alone
 *   return   0; -1: it cannot be read; 1: the ground truth, or the world, does not say it
 */
int rule_bound(struct rules *, const char *text, int high, const char *name, double *);

#endif
