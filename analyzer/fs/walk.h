/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks every name of a volume: live, deleted, orphaned, to a depth of 4096 folders and paths of 64 KiB; what lies
 * behind these limits is a problem, never silent. Loops are cut by inode.
 * Agrees with `fls -r -m` of The Sleuth Kit 4.11.1 where that is right; docs/filesystems.md lists the differences.
 */
#ifndef AN_FS_WALK_H
#define AN_FS_WALK_H

#include "image/volumes.h"
#include "store/files.h"

/* Where rows go. Strings are borrowed until the call returns. A negative code stops the walk. */
struct an_sink {
	int (*file)(void *arg, const struct an_file *row, struct co_err *err);
	int (*problem)(void *arg, uint32_t volume, const char *path, const char *text, struct co_err *err);
	void *arg;
};

/* A sink that appends to @c->files and @c->problems. */
struct an_sink an_sink_to_case(struct an_case *c);

/* Rows in the order of the walk: folder by folder, as fls prints them. @volume is its index, @mount its place in the
 * tree ("/" or "/boot"). Damage goes to sink->problem and the walk goes on. 0, or CO_ERR_CANCELED, or the sink's code.
 */
int an_walk(struct an_fs *fs, uint32_t volume, const char *mount, const struct an_sink *sink, struct co_err *err);

#endif
