/*
 * Does data keep its promises? Records of any catalog are read one after the other; each promise is a check with a name, which counts
 * what it looked at and what was broken, and keeps the first places where it was.
 *
 * Memory: of a world and a layout, the tree at hand, and the sessions that run at a moment. Where ids cannot be decoded or trees come in
 * any order, a word or two for each of them, up to CHECK_SET_MAX; what lies beyond that is said to be unknown.
 */
#ifndef OG_CHECK_H
#define OG_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "agg.h"
#include "catalog.h"
#include "out.h"
#include "rec.h"
#include "sim.h"
#include "world.h"

#define CHECK_SET_MAX (1ULL << 30) /* bytes of a set of ids */
#define CHECK_SHOWN 3              /* places that are told of each check */

enum check_kind { CHECK_SPANS, CHECK_SAMPLES, CHECK_WORLD };

struct check_plan {
	const struct catalog *cat;
	const struct world *world; /* NULL: what needs one is not checked */
	const struct sim *sim;     /* of that world; NULL without */
	enum check_kind kind;
	int layout;    /* of spans or events */
	int part;      /* records may be missing */
	int unordered; /* trees, each whole, in any order */
	int strict;    /* a measure out of its band breaks a promise */
	/* called for each fault that is kept: its line (0: none), the check, what is wrong; may be NULL */
	void (*told)(uint64_t line, const char *check, const char *what, void *arg);
	void *arg;
};

struct check;

/* NULL and err. What the plan points to must outlive it. */
struct check *check_open(const struct check_plan *, char *err, size_t errsize);
void check_free(struct check *);

/* `world`, `samples` or `spans`, by what a first line looks like. */
enum check_kind check_guess(const char *line, size_t len);
/* The layout of spans or events that has the keys of this line or, if there is none, the most of them; -1: none has any. */
int check_layout(const struct catalog *, const char *line, size_t len);

/* One line of the input. */
void check_line(struct check *, uint64_t number, const char *line, size_t len);
/* A line that is longer than lines may be. */
void check_long(struct check *, uint64_t number);
/* A world that was read, and what else is wrong with it, or NULL; or NULL and why it could not be, which begins with "NAME:LINE: ". */
void check_world(struct check *, const struct world *, const char *why);

/*
 * Signals: every line of the input is measured as og-metrics measures it, to be compared with samples by check_samples().
 *   labels     with an interval: as the option of og-metrics
 *   interval   us; 0: samples of spans, else aggregates
 *   return     0, or -1 and err
 */
int check_measure(struct check *, const char *labels, int64_t interval, int deltas, char *err, size_t errsize);
/* The samples to the end. 0, or -1 with errno. */
int check_samples(struct check *, struct rec *samples);

/*
 * The bands of measures, a table: measure, low, high, source. 0, or -1 and err.
 */
int check_bands(struct check *, const char *path, char *err, size_t errsize);

/* When all lines are read: the verdict, one JSON object and a newline. 1 if a promise is broken, 0, or -1 with errno. */
int check_verdict(struct check *, struct out *);

#endif
