/*
 * Exact figures per window of time and group, written by a layout of aggregates. A window is [k interval, (k + 1) interval) since 1970. All
 * durations of the windows that are open are held; what is written does not depend on the order in which they came.
 */
#ifndef OG_ROLLUP_H
#define OG_ROLLUP_H

#include <stddef.h>
#include <stdint.h>

#include "catalog.h"
#include "measure.h"
#include "out.h"
#include "render.h"

struct rollup;

/* Lines go to `out`, a line of names before them where the format has one. NULL and err. Catalog and output must outlive it. */
struct rollup *rollup_open(
    const struct catalog *, int layout, enum render_format, int64_t interval, struct out *, char *err, size_t errsize);
void rollup_free(struct rollup *);
/* Count a line of measure_open_table(). 0; or -1 and *errstr: out of memory, or its window is written already. */
int rollup_add(struct rollup *, const struct measured *, const char **errstr);
/* Nothing from before `us` is to be expected: windows that end by then are written. 0, or -1 with errno. */
int rollup_pass(struct rollup *, int64_t us);
/* Write all that is held. 0, or -1 with errno. */
int rollup_finish(struct rollup *);

#endif
