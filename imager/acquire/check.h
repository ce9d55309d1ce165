/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking a finished bag or a lone image from end to end.
 */
#ifndef IM_ACQUIRE_CHECK_H
#define IM_ACQUIRE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "acquire/record_read.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/vec.h"
#include "hash/digest.h"
#include "io/source.h"
#include "manifest/sign.h"
#include "run/progress.h"

enum im_check_result {
	IM_CHECK_MATCH,
	IM_CHECK_MISMATCH,  /* there are problems */
	IM_CHECK_NO_DIGEST, /* nothing wrong, but the image states no digest to compare with */
};

/* A zeroed struct is empty. */
struct im_check {
	enum im_check_result result;
	CO_VEC(char *) problems;    /* a sentence each, in the order of the check */
	struct co_digests computed; /* of the medium in the image */
	struct co_digests stored;   /* what the image states */
	struct co_digests recorded; /* what the record of the bag states, for the medium as it is in the image */
	struct co_digests plain;    /* computed, without the padding; the same as computed if there is none */
	uint64_t media_bytes, padding_bytes;
	uint64_t damaged_chunks, differing_blocks;
	bool decoded;                  /* digests were computed */
	struct co_signature signature; /* of the bag */
};

struct im_check_opts {
	unsigned threads;
	const char *trusted; /* certificates (PEM) that the signature of a bag must go back to; NULL: they are not
				checked */
	struct co_progress *progress;
};

/* 0: *ret says what was found; damage, also such that nothing can be decoded, is a list of problems. < 0: nothing could
 * be checked: not a bag, not an E01, no such file, or opts->trusted can't be read. */
int im_check_bag(struct im_check *ret, const char *bag, const struct im_check_opts *opts, struct co_err *err);
int im_check_image(struct im_check *ret, const char *image, const struct im_check_opts *opts, struct co_err *err);
void im_check_free(struct im_check *c);
#define IM_CLEANUP_CHECK CO_CLEANUP(im_check_free)

const char *im_check_result_name(enum im_check_result result); /* "match", "mismatch", "no-digest" */

/* Opens the image of a bag as its record names it. */
int im_open_recorded(struct co_source *ret, const struct im_recorded *rec, struct co_err *err);

#endif
