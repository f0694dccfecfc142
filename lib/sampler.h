/*
 * Series over time as lines: samples as og-record(5) has them, or by a layout a record for each thing. Both go through the steps that
 * begin in [from, to), until the output fails.
 *   every    us, whole seconds: length of a step; 0: what each series has, or for records the shortest of those that are shown
 *   return   0, or -1 with errno
 */
#ifndef OG_SAMPLER_H
#define OG_SAMPLER_H

#include <stdint.h>

#include "out.h"
#include "render.h"
#include "series.h"

/* All series of the catalog; at each moment in order of its table, and of the things of each. */
int sampler_samples(struct series *, const struct catalog *, int64_t every, int64_t from, int64_t to, struct out *);
/* At each moment the things of the series that this layout shows. errno is EINVAL when it shows none. */
int sampler_records(
    struct series *, const struct catalog *, int layout, struct render *, int64_t every, int64_t from, int64_t to, struct out *);

#endif
