/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to the check of times: when files came into being, so that one that came alone can be told from one that
 * was unpacked among many.
 */
#ifndef AN_CHECK_BACKDATE_H
#define AN_CHECK_BACKDATE_H

#include "store/case.h"

/* One known time of a regular file. */
struct an_instant {
	uint32_t volume;
	int64_t ns;
};
struct an_instants {
	CO_VEC(struct an_instant) list; /* by volume, then time */
};
/* Gathers one of the times of all live regular files. 0 or CO_ERR_NOMEM. */
int an_instants_make(const struct an_files *files, enum an_time which, struct an_instants *ret, struct co_err *err);
/* How many lie within @window_ns of @ns on the volume, both ends included. */
size_t an_instants_near(const struct an_instants *all, uint32_t volume, int64_t ns, int64_t window_ns);
void an_instants_free(struct an_instants *all);

/* The inodes in use of a volume whose birth is known, by volume and number; each once. */
struct an_birth {
	uint32_t volume;
	uint64_t inode;
	int64_t ns;
};
struct an_births {
	CO_VEC(struct an_birth) list;
};
int an_births_make(const struct an_files *files, struct an_births *ret, struct co_err *err);
/* ext4 gives a new file the lowest free inode of its folder's group. Were most of the inodes right below @f's born
 * more than an hour after @f? Then @f claims to be older than it is, or all of those were deleted and used again. */
bool an_births_out_of_order(const struct an_births *all, const struct an_file *f);
void an_births_free(struct an_births *all);

#endif
