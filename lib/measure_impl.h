/* Shared by the files of measure only. */
#ifndef OG_MEASURE_IMPL_H
#define OG_MEASURE_IMPL_H

#include "measure.h"

#define MEASURE_TIME 20 /* a time as agg_time() writes it */

/* A row of the layouts "metrics" or "tags", by the keys of a line. */
struct row {
	const struct catalog_cond *when; /* NULL: always */
	int *term;                       /* for each term of it, the key it looks at */
	enum catalog_source source;
	int key;     /* -1: it has the same value always */
	char *fixed; /* this one, as it stands in JSON; NULL: null */
	size_t nfixed;
};

/* A metric or tag: of its rows the first whose condition holds counts. */
struct field {
	const char *name;
	int n;
	struct row *row;
	char *head; /* what comes before its value or, of a metric, before the time */
	size_t nhead;
};

struct table {
	int n;
	struct field *field;
};

struct measure {
	const struct catalog *cat;
	const struct catalog_layout *layout;
	struct table metrics, tags;
	struct table filter; /* a line counts if all of these hold */
	char *labels;        /* names of tags, each with a NUL behind it; NULL: those of the layout */
	struct json_reader *json;
	const char *key[MEASURE_KEYS];
	int nkeys, time, ok, parent, trace, span; /* keys; -1: not in the layout */
	enum catalog_time time_form;
	size_t most;    /* bytes of the longest sample without value, tags and exemplar */
	int64_t slow;   /* us: a span that lasts longer is an exemplar */
	uint64_t lucky; /* or its id gives less, of 2^32 */
	int nhistograms;
	int *metric;     /* of each histogram */
	int64_t **bound; /* likewise */
	struct agg_histogram *histogram;
	/* Of the line at hand. */
	struct json_value v[MEASURE_KEYS]; /* one a key */
	struct json_value *value;          /* one a metric */
	int64_t *scaled;                   /* likewise: of a duration in us, of a size in bytes */
	int64_t *sorted;                   /* one a histogram */
	char *text;                        /* tags */
	size_t textsize;
	char *why; /* what is wrong with it */
	size_t whysize;
};

/* The list of bounds by which values of this source are sorted, and which decimals of them count; NULL: they are not sorted. */
const char *measure_bounds(enum catalog_source, int *places);

#endif
