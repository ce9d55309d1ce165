/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places of a medium that were not read well (yet), and how far each attempt to read them has come.
 *
 * The states are those of the map of GNU ddrescue (manual of 1.27, chapter "Mapfile structure"). What is not listed
 * is finished. One thread at a time; a zeroed struct is an empty list.
 */
#ifndef IM_READ_AREAS_H
#define IM_READ_AREAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "read/ranges.h"

enum im_state {
	IM_NON_TRIED = '?',   /* skipped */
	IM_NON_TRIMMED = '*', /* read in one large piece, which failed */
	IM_NON_SCRAPED = '/', /* its edges are known to be unreadable; what lies between was not tried unit by unit */
	IM_BAD = '-',         /* tried alone, and failed */
	IM_FINISHED = '+',    /* readable; never in the list */
};

struct im_area {
	uint64_t first, count; /* in units, count > 0 */
	enum im_state state;
};

/* So many areas (24 MB) are kept apart. */
#define IM_AREAS_MAX ((size_t)1000000)

struct im_areas {
	CO_VEC(struct im_area) list; /* ascending, disjoint; those that touch each other differ in state */
	size_t max;                  /* 0: IM_AREAS_MAX */
	/* So often there were more than max areas. Then those next to each other are joined, the nearest first, until
	 * half of that number is left. A joined area has the state that is least far along ('?' before '*' before
	 * '/'), and '/' instead of '-' if readable units lay between: so it claims never more than is known, may be
	 * read again as a whole, and lists readable units as unfinished until then. */
	uint64_t joined;
};

/* Appends an area that lies behind all others; merged with the last if it touches it and has the same state. A @count
 * of 0 and IM_FINISHED add nothing. 0, or -1: no memory (nothing changed). */
int im_areas_add(struct im_areas *a, uint64_t first, uint64_t count, enum im_state state);

/* Gives a range another state, whatever its units had before, listed or not. 0, or -1: no memory (nothing changed). */
int im_areas_set(struct im_areas *a, uint64_t first, uint64_t count, enum im_state state);

/* The first area of @state that ends behind @from (forward), cut so that it begins at @from at the earliest; or the
 * last one that begins before @from (backward), cut to end at @from at the latest. false: there is none. */
bool im_areas_next(const struct im_areas *a, enum im_state state, uint64_t from, struct im_area *ret);
bool im_areas_previous(const struct im_areas *a, enum im_state state, uint64_t from, struct im_area *ret);

/* The state of one unit. */
enum im_state im_areas_state(const struct im_areas *a, uint64_t unit);

/* Units in this state; that of IM_FINISHED is not known here and 0. */
uint64_t im_areas_total(const struct im_areas *a, enum im_state state);
/* Units that are not finished. */
uint64_t im_areas_unfinished(const struct im_areas *a);

/* All that is not finished, appended to @ret, all of which must lie before. 0, or -1: no memory (@ret is incomplete).
 */
int im_areas_ranges(const struct im_areas *a, struct im_ranges *ret);

/* @ret, which is overwritten, gets the same areas. 0, or -1: no memory. */
int im_areas_copy(struct im_areas *ret, const struct im_areas *a);

/* Empties the list. */
void im_areas_free(struct im_areas *a);

#endif
