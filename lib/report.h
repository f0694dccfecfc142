/*
 * A page about a data set: what its spans, or their aggregates, say per interval, per service and per call, drawn as HTML that needs
 * nothing else. What is held depends on the world, the number of intervals and the names of services.
 */
#ifndef OG_REPORT_H
#define OG_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "out.h"
#include "world.h"

#define REPORT_BUCKETS 2000  /* intervals, at most */
#define REPORT_SERVICES 4096 /* names that are told apart */
#define REPORT_EDGES 65536   /* calls from one service to another, likewise */
#define REPORT_SUMMARY_MAX (16 << 20)

struct report;

/*
 *   layout    of the spans; it must have start, trace, span, parent, service, duration and success
 *   interval  us; 0: one that gives about 200
 *   begin, end  of what is drawn, within the world
 *   return    NULL and err. The world must outlive it
 */
struct report *report_open(
    const struct world *, const char *layout, int64_t interval, int64_t begin, int64_t end, char *err, size_t errsize);
void report_free(struct report *);

/* A span, or an aggregate as og-metrics writes it with -d. 0; or -1 and *errstr, good until the next call. */
int report_add(struct report *, const char *line, size_t len, const char **errstr);
/* The text of a summary.json of og-dataset. 0, or -1 and *errstr. */
int report_summary(struct report *, const char *text, size_t len, const char **errstr);
/* The page. 0, or -1 with errno. */
int report_put(struct report *, struct out *, const char *version);

#endif
