/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After the stream: what was skipped is read in several passes (read/rescue.h), and what is recovered is put into the
 * finished images.
 */
#ifndef IM_ACQUIRE_RECOVER_H
#define IM_ACQUIRE_RECOVER_H

#include "acquire/outputs.h"
#include "run/progress.h"

struct im_recover_opts {
	struct im_record *rec;      /* areas, digests and patched are kept up to date in it */
	struct im_outputs *outputs; /* finished, but not complete */
	const struct co_source *source;
	unsigned retries; /* of each bad sector */
	int64_t area_ns;  /* time bound for an area in one pass */
	unsigned threads; /* to decode */
	struct co_progress *progress;
};

/* 0: done; what is left is in rec->areas, and rec->digests are those of what is stored now. < 0: also CO_ERR_MISMATCH,
 * if anything else than what was patched has changed in an image. */
int im_recover(const struct im_recover_opts *opts, struct co_err *err);

#endif
