/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw copy of an image: decoded, written to a new file or over a block device, compared with the digests that the
 * image and its record state, and read back.
 *
 * A file is written as OUTPUT.part and gets its name when it is complete, on the disk, and not known to be wrong. Runs
 * of zeros become holes in it. On a device zeros are written as all else, and what lies behind the medium is left as it
 * is.
 */
#ifndef IM_ACQUIRE_EXPORT_H
#define IM_ACQUIRE_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "acquire/media.h"
#include "acquire/record_read.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/vec.h"
#include "io/source.h"
#include "read/reader.h"
#include "run/progress.h"

struct im_export_opts {
	const struct co_source *image;      /* an open E01 */
	const struct im_recorded *recorded; /* the record of its bag; NULL: a lone image */
	const char *output;                 /* a new file, or a block device */
	bool overwrite_device;              /* the user knows that it is a device, and that all on it will be lost */
	bool read_back;
	unsigned set; /* digests to make besides SHA-256 and those that are stored */
	unsigned threads;
	struct co_progress *progress;
};

enum im_export_result {
	IM_EXPORT_MATCH,
	IM_EXPORT_DAMAGED,   /* some chunks can't be decoded; they are zeros in the output */
	IM_EXPORT_MISMATCH,  /* there are problems */
	IM_EXPORT_NO_DIGEST, /* nothing wrong, but there is no digest to compare with */
};

/* A zeroed struct is empty. */
struct im_exported {
	enum im_export_result result;
	char *name; /* of what was written: the output; after a mismatch OUTPUT.part, unless it is a device */
	bool device, read_back;
	uint64_t bytes;     /* written: the medium without padding */
	uint64_t untouched; /* bytes of the device behind them */
	struct im_media_digests digests;
	struct im_ranges damaged; /* chunks; the digests can't match then, and are not compared */
	CO_VEC(char *) problems;  /* a sentence each: what is not as the image, its record, or the copy say */
};

/* 0: the output is complete, or kept under the name ret->name after a mismatch; what was found is in *ret.
 * < 0: CO_ERR_USAGE: there is such a file already, or the device can't take the medium; nothing was changed.
 * Else (CO_ERR_OUTPUT, CO_ERR_CANCELED, CO_ERR_NOMEM, or the image can't be read any more): the file is removed; what
 * is on a device is incomplete, and *err says so if anything was written. */
int im_export(struct im_exported *ret, const struct im_export_opts *opts, struct co_err *err);
void im_exported_free(struct im_exported *e);
#define IM_CLEANUP_EXPORTED CO_CLEANUP(im_exported_free)

const char *im_export_result_name(enum im_export_result result); /* "match", "damaged", "mismatch", "no-digest" */

#endif
