/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to image/ and fs/: libtsk's handles over our source of bytes, and its error texts.
 */
#ifndef AN_IMAGE_TSK_H
#define AN_IMAGE_TSK_H

#include <tsk/libtsk.h>

#include "base/text.h"
#include "image/volumes.h"

/* The image as libtsk sees it: one per thread over the shared source. */
struct an_tsk_image {
	TSK_IMG_INFO img; /* first: libtsk knows this part only */
	struct co_source source;
	const struct an_apfs *apfs; /* whose patches go into what is read; NULL: none */
	uint64_t n_bad;             /* reads of which not even the first sector was good */
	struct co_err first;        /* why the first of them failed */
	struct co_err lost;         /* code < 0: the source as a whole failed, and will go on failing */
};

struct an_fs {
	struct an_tsk_image *image;
	const TSK_POOL_INFO *pool; /* of an APFS volume, with its view of the image; else NULL */
	TSK_IMG_INFO *pool_image;
	TSK_FS_INFO *fs;
	uint64_t length; /* bytes of the volume */
};

/* @source is borrowed (its bytes, not the struct). Close with tsk_img_close(&i->img). */
int an_tsk_image_open(struct an_tsk_image **ret, const struct co_source *source, struct co_err *err);

/* The file system at @offset, whichever libtsk finds there. 0; 1: none; or several, then *err names them;
 * < 0: the source failed. */
int an_tsk_fs_detect(struct an_tsk_image *image, uint64_t offset, TSK_FS_INFO **ret, struct co_err *err);

/* "ext4", "ntfs", ... */
const char *an_tsk_fs_name(TSK_FS_TYPE_ENUM type);

/* What libtsk complained about last in this thread, as part of a sentence; the complaint is forgotten. */
const char *an_tsk_reason(char ret[256]);

/* Can the content have the size that the inode states? A folder, and a file that ext2, ext3 or UFS map block by block,
 * is not larger than the volume: libtsk would work for hours, and take all memory, to find out. */
bool an_tsk_is_plausible(const struct an_fs *fs, const TSK_FS_META *meta);

/* The inode of a live name, symbolic links not followed. 0, or 1: there is none or a folder can't be read. */
int an_tsk_find(const struct an_fs *fs, const char *path, TSK_INUM_T *ret);

/* The first @max bytes of the file at @path. 0, or 1: there is none or it can't be read. */
int an_tsk_load(const struct an_fs *fs, const char *path, size_t max, struct co_str *ret);

#endif
