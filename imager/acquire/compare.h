/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing what an image says about itself, and which files a bag holds, with the record of the acquisition.
 */
#ifndef IM_ACQUIRE_COMPARE_H
#define IM_ACQUIRE_COMPARE_H

#include "acquire/damage.h"
#include "acquire/record_read.h"
#include "base/vec.h"
#include "e01/reader.h"

/* A sentence for each thing that is not as recorded: GUID, size, segments and their order, unreadable sectors, texts of
 * the header. */
void im_compare_header(const struct co_e01_info *info, const struct im_recorded *rec, im_damage_fn *tell, void *arg);

/* A file of a bag, as its check found it. */
struct im_bag_file {
	char *path; /* within the bag */
	char sha256[65];
};
struct im_bag_files_found {
	CO_VEC(struct im_bag_file) list;
};
/* 0, or -1: no memory. */
int im_bag_file_add(struct im_bag_files_found *files, const char *path, const char sha256[65]);
void im_bag_files_found_free(struct im_bag_files_found *files);
#define IM_CLEANUP_BAG_FILES CO_CLEANUP(im_bag_files_found_free)

/* A sentence for each segment whose bytes are not those that were recorded, and for each E01 file of @bag that the
 * record does not name. Segments that are not in @files are left out: that they are missing is told elsewhere. */
void im_compare_segments(const char *bag, const struct im_bag_files_found *files, const struct im_recorded *rec,
			 im_damage_fn *tell, void *arg);

#endif
