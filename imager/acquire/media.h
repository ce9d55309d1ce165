/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of a medium. An image holds whole sectors; a raw file whose size is no multiple of 512 is padded with zeros
 * in it. Then there are two sets of digests: of the true bytes, equal to what sha256sum says of the source, and of the
 * padded medium, which other programs compute from the image. Without padding both are the same.
 */
#ifndef IM_ACQUIRE_MEDIA_H
#define IM_ACQUIRE_MEDIA_H

#include "hash/lanes.h"

struct im_media;

struct im_media_opts {
	unsigned set;             /* algorithms */
	unsigned depth;           /* buffers of the ring */
	size_t buffer_size;       /* bytes of each of them */
	uint64_t bytes;           /* the true size; UINT64_MAX: not known yet */
	uint64_t padded_bytes;    /* the size in the image; nothing, if the true one is not known */
	co_lanes_block_fn *block; /* digest of each IM_BLOCK_SIZE of the true bytes; NULL: none */
	void *block_arg;
};

struct im_media_digests {
	struct co_digests plain;  /* of the true bytes */
	struct co_digests padded; /* of the medium in the image */
};

int im_media_open(struct im_media **ret, const struct im_media_opts *opts, struct co_err *err);
/* For a size that was not known: before the buffer that holds the last byte is added. */
void im_media_set_size(struct im_media *m, uint64_t bytes);
/* Adds the next buffer, the last one padded. The caller keeps its reference. */
int im_media_add(struct im_media *m, struct co_buf *buf, struct co_err *err);
/* Waits for all. */
int im_media_finish(struct im_media *m, struct im_media_digests *ret, struct co_err *err);
/* NULL is allowed. */
void im_media_close(struct im_media *m);

#endif
