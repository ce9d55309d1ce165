/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finished segments of an image: each is synced, dropped from the page cache, read back from the disk and digested in
 * the background, when processors have nothing else to do, while later ones are written. So little is left to do when
 * the source has been read.
 */
#ifndef IM_ACQUIRE_SEGMENTS_H
#define IM_ACQUIRE_SEGMENTS_H

#include "acquire/publish.h"

struct im_segments;

/* @files, @name (of the files of the bag) and @bag are borrowed until close. */
int im_segments_open(struct im_segments **ret, const struct im_bag_files *files, const char *name,
		     struct im_bag_record *bag, struct co_err *err);
/* Segment @number (1, 2, ... in order) will not be written to any more. < 0: it or an earlier one can't be synced or
 * read back (CO_ERR_OUTPUT). */
int im_segments_add(struct im_segments *s, unsigned number, struct co_err *err);
/* Adds those up to @n and waits: bag->segments is complete, with the size and digest of each as it is on the disk. */
int im_segments_finish(struct im_segments *s, unsigned n, struct co_err *err);
/* A segment was changed: its size and digest are read from the disk again. Not in the background. */
int im_segment_renew(const struct im_bag_files *files, struct im_segment *segment, struct co_err *err);
/* Waits for what was added, and lists it up to the first that failed. NULL is allowed. */
void im_segments_close(struct im_segments *s);

#endif
