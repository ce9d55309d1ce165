/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding a whole image: digests of its medium, comparison with the block digests, and a list of what is damaged.
 */
#ifndef IM_ACQUIRE_VERIFY_H
#define IM_ACQUIRE_VERIFY_H

#include "acquire/media.h"
#include "base/cleanup.h"
#include "io/source.h"
#include "read/reader.h"
#include "run/progress.h"

struct im_decode_opts {
	const struct co_source *image; /* an open E01 */
	uint64_t bytes;                /* the true size of the medium: see im_recorded_fits; 0: that of the image */
	unsigned set;                  /* digests */
	unsigned threads;
	const char *blocks;       /* NAME.blocks.sha256; NULL: not compared */
	co_lanes_block_fn *block; /* gets the digest of each IM_BLOCK_SIZE; NULL: nobody asks */
	void *block_arg;
	/* Called in order, by the thread that decodes, with each buffer of the medium as it is in the image. A negative
	 * result ends it all. NULL: nobody asks. */
	int (*each)(void *arg, const struct co_buf *buf, struct co_err *err);
	void *each_arg;
	const char *phase; /* for the progress; NULL: "verify" */
	struct co_progress *progress;
};

struct im_decoded {
	struct im_media_digests digests;
	struct im_ranges damaged;   /* chunks that can't be decoded; zeros were taken for them */
	struct im_ranges differing; /* blocks of IM_BLOCK_SIZE whose digest differs */
	struct co_err blocks;       /* why the file of block digests could not be compared; code 0: it was, or none */
};

/* 0: decoded from end to end; what was found is in *ret. < 0: CO_ERR_CANCELED, CO_ERR_NOMEM, or the image can't be
 * read any more. */
int im_decode(struct im_decoded *ret, const struct im_decode_opts *opts, struct co_err *err);
void im_decoded_free(struct im_decoded *d);
#define IM_CLEANUP_DECODED CO_CLEANUP(im_decoded_free)

/* Drops the cached pages of a file, so that what is read next is what is on the disk. Best effort. */
void im_drop_cache(const char *file);

#endif
