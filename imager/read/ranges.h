/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plain ascending list of ranges of units: sectors that could not be read, damaged chunks, differing blocks.
 */
#ifndef IM_READ_RANGES_H
#define IM_READ_RANGES_H

#include <stdint.h>

#include "base/vec.h"

struct im_range {
	uint64_t first, count; /* in units */
};

struct im_ranges {
	CO_VEC(struct im_range) list; /* ascending, never touching each other */
	uint64_t total;               /* sum of the counts */
};

/* Appends a range that lies behind all others; merged with the last if it touches it. 0, or -1: no memory. */
int im_ranges_add(struct im_ranges *r, uint64_t first, uint64_t count);
void im_ranges_free(struct im_ranges *r);

#endif
