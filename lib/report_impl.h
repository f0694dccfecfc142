/* Shared by the files of report only. */
#ifndef OG_REPORT_IMPL_H
#define OG_REPORT_IMPL_H

#include "hist.h"
#include "json.h"
#include "report.h"
#include "svg.h"

#define REPORT_BOUNDS 64 /* of buckets of aggregates */
#define REPORT_WIDTH 960 /* of pictures, in their own units */

struct bucket {
	uint64_t requests, failed;
	struct hist *latency;          /* of spans; NULL: none so far */
	uint64_t below[REPORT_BOUNDS]; /* of aggregates: requests that took no longer than each bound */
};

/* A name of a service as it stands in the data. */
struct service {
	char *name;
	uint64_t spans, roots, failed;
	uint64_t passed; /* failed because a callee had */
	/* For the picture. */
	int layer, row, linked;
	double x, y, pull;
};

struct edge {
	int from, to;
	uint64_t calls, failed;
};

/* A table of 64-bit names that are as good as random. */
struct slots {
	uint64_t *key;
	int *value;
	size_t mask, n;
};

enum report_key {
	REPORT_TIME,
	REPORT_TRACE,
	REPORT_SPAN,
	REPORT_PARENT,
	REPORT_OK,
	REPORT_DURATION,
	REPORT_SERVICE,
	REPORT_GROUP,
	REPORT_SOURCE,
	REPORT_CAUSE,
	REPORT_METRIC,
	REPORT_TS,
	REPORT_VALUE,
	REPORT_TAGS,
	REPORT_KEYS
};

struct report {
	const struct world *w;
	int64_t begin, end, interval;
	int nbuckets;
	struct bucket *bucket;
	int nservices, nedges;
	struct service *service;
	struct edge *edge;
	struct slots by_name, by_pair, spans; /* services, edges, the spans of the trace at hand */
	size_t *used;                         /* places of those spans */
	uint64_t trace;                       /* at hand */
	struct json_reader *json, *tags;
	const char *key[REPORT_KEYS];
	int at[REPORT_KEYS]; /* index into what the reader gives; -1: not in the layout */
	int time_form;
	char *duration; /* metric whose buckets are latencies */
	int nbounds;
	double bound[REPORT_BOUNDS];
	uint64_t *cause_key, *caused; /* per incident of the world: name, spans that name it */
	uint64_t nspans, nfailed, nroots, naggregates, nmarks, norphans, noutside, nunnamed;
	uint64_t requests, failed;
	char *summary;
	struct json_value card[8]; /* of the summary, see report_page.c */
	char why[256];
};

/* Quantile of a bucket's latencies in ms; below 0: there are none. */
double report_quantile(const struct report *, const struct bucket *, double q);
int64_t report_bucket_start(const struct report *, int i);
int64_t report_bucket_end(const struct report *, int i);

/* "1.8 %", "< 0.1 %" */
void report_share(char label[SVG_LABEL], uint64_t n, uint64_t all);

void report_put_charts(const struct report *, struct out *);
/* 0, or -1 with errno. */
int report_put_graph(struct report *, struct out *);

#endif
