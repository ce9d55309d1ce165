/* SPDX-License-Identifier: Apache-2.0 */
/*
 * APFS containers: which volumes lie in one, and which of them libtsk may open.
 *
 * Source: Apple File System Reference (2020-06-22): "Container", "Volumes".
 */
#ifndef AN_IMAGE_APFS_H
#define AN_IMAGE_APFS_H

#include "base/error.h"
#include "base/vec.h"
#include "io/source.h"

struct an_apfs_volume {
	uint64_t block; /* of its superblock, counted from the begin of the container */
	char label[64], uuid[40];
	char why[512]; /* why it can't be read, in part of a sentence; "": it can */
};

/* Eight bytes that libtsk sees in place of those in the image. */
struct an_apfs_patch {
	uint64_t offset; /* in the image */
	uint8_t bytes[8];
};

struct an_apfs {
	CO_VEC(struct an_apfs_volume) volumes; /* in the order of their numbers */
	/* As soon as libtsk sees one encrypted volume, it unpacks the container's keys, without checking a length
	 * (CVE-2026-40025). It is told that there is none; such a volume is never opened. */
	CO_VEC(struct an_apfs_patch) patches;
};

/* The container in @length bytes at @offset, its newest checkpoint. All index nodes of the volumes are read and
 * checked. 0; 1: it can't be read, *err tells in part of a sentence; < 0: the source failed, no memory, canceled. */
int an_apfs_open(struct an_apfs **ret, const struct co_source *source, uint64_t offset, uint64_t length,
		 struct co_err *err);
void an_apfs_close(struct an_apfs *a);
/* Puts the patches into @len bytes that were read at @offset of the image. NULL: none. Any thread. */
void an_apfs_patch(const struct an_apfs *a, uint64_t offset, void *bytes, size_t len);

#endif
