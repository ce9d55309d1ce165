/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of a medium in the format of GNU ddrescue: what was read, and how far attempts on the rest have come.
 * Source: GNU ddrescue manual 1.27, chapter "Mapfile structure".
 */
#ifndef IM_READ_MAP_H
#define IM_READ_MAP_H

#include <stdint.h>

#include "base/text.h"
#include "read/areas.h"

struct im_map {
	const struct im_areas *areas;
	uint32_t unit;  /* bytes */
	uint64_t bytes; /* of the medium */
	uint64_t read;  /* bytes of the first pass so far; all behind is non-tried, whatever the areas say */
	/* What goes on: '?' copying, '*' trimming, '/' scraping, '-' retrying, '+' nothing any more; where (in bytes),
	 * and in the how manieth pass of that kind. */
	char status;
	uint64_t position;
	unsigned pass; /* from 1 */
};

/* Appends the map; the one who hands the text on checks ret->failed. The lines are in order, leave no gap, and
 * neighbours differ in state. */
void im_map_write(const struct im_map *map, struct co_str *ret);

/* The status letter of a pass of im_rescue() by its name; '?' for other names. */
char im_map_status(const char *pass);

#endif
