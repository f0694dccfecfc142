/*
 * What spans measure. The layouts "metrics" and "tags" of a catalog say it by sources; here it is found under which keys the lines of a layout
 * have these sources, and then read line by line.
 */
#ifndef OG_MEASURE_H
#define OG_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "agg.h"
#include "catalog.h"
#include "json.h"
#include "out.h"

#define MEASURE_KEYS 64 /* of a line that can be looked at */

struct measure;

/* What one line says; good until the next call. */
struct measured {
	int64_t us; /* when the span began, 1970 to 9999 */
	int failed;
	int root;                       /* it has a key for its parent, and no parent */
	int request;                    /* it has the first metric; the record of a rollout has not */
	const char *tags;               /* as they stand inside "tags": `"service":"post","action":"like"` */
	size_t ntags;                   /* bytes */
	const struct json_value *value; /* a number for each metric of measure_metric(), p == NULL: none */
	const int64_t *sorted;          /* the same for each histogram of measure_histograms(), in its unit; -1: none */
	const int64_t *scaled;          /* a duration in us, a size in bytes, for each metric that is there */
	struct json_value exemplar;     /* the trace id, if it is worth a look: of all failures, slow spans and a share; else p == NULL */
};

/*
 *   layout   whose lines are read
 *   labels   NULL: samples are to be made, and the tags of a line are all that layout "tags" has. Else aggregates: the tags are these,
 *            names between commas, each of layout "tags" or, if there is none that the lines can fill, a key of theirs; "" is none
 *   warn     called with a text for each metric or tag that the lines cannot fill; may be NULL
 *   return   NULL and err. The catalog must outlive it
 */
struct measure *measure_open(const struct catalog *, const char *layout, const char *labels, char *err, size_t errsize,
    void (*warn)(const char *text, void *), void *arg);
/*
 * For a layout of aggregates: lines of whichever layout of events or spans has all that its fields and conditions ask for. The tags are the
 * fields that it groups by, the metrics duration and, if it asks for them, bytes of the response; `request` is also 0 where it leaves the
 * line out.
 */
struct measure *measure_open_table(const struct catalog *, int layout, char *err, size_t errsize);
/* Is a field of such a layout what it groups by? */
int measure_is_tag(const struct catalog_field *);
void measure_free(struct measure *);
/* Name of metric number i, in order of the catalog; NULL behind the last. */
const char *measure_metric(const struct measure *, int i);
/* Buckets for durations and sizes, as the catalog's lists "buckets_ms" and "buckets_bytes" say; none without labels. */
const struct agg_histogram *measure_histograms(const struct measure *, int *n);

/* Read one line. 0; or -1 and *errstr, good until the next call. */
int measure_read(struct measure *, const char *line, size_t len, struct measured *, const char **errstr);
/* Write a sample for each metric that the line read last has. 0; or -1 when one were longer than OUT_LINE_MAX, and none is written. */
int measure_put(const struct measure *, const struct measured *, struct out *);

/* So many us after its root may a span of this catalog begin, at most 10^15. */
int64_t measure_hold(const struct catalog *);

#endif
