/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes bytes of the medium in an E01 image that is written: for sectors that could be read only later. Chunks must
 * be stored raw (see plain in run/buffers.h); their bytes and their checksums are changed in place, so no other byte of
 * the image changes. The digests in the tail no longer fit then: write it anew (e01/tail.h). One thread.
 *
 * A crash in mid-write may leave chunks whose checksum is wrong. They are made right by opening with mend and writing
 * once more what was, or was not yet, written there.
 */
#ifndef CO_E01_PATCH_H
#define CO_E01_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct co_e01_patch;

/* The segments are STEM.E01 to the one of number @segments; a tail may be missing, and so may segments behind. @mend:
 * chunks whose checksum is wrong may be written to. */
int co_e01_patch_open(struct co_e01_patch **ret, const char *stem, unsigned segments, bool mend, struct co_err *err);
/*
 * Replaces [off, off + len) of the medium, and reads back what the files hold then. 0; 1: done, but the checksum of a
 * chunk was wrong before (with mend only; what lies in that chunk around the range is as it was).
 * CO_ERR_FAILED, and nothing is changed: the range is not in these segments, or a chunk of it is compressed.
 * CO_ERR_FAILED, and chunks before it may be changed: the checksum of a chunk is wrong. CO_ERR_OUTPUT: it can't be
 * written, or is not what was written when it is read back.
 */
int co_e01_patch_write(struct co_e01_patch *p, uint64_t off, const void *data, size_t len, struct co_err *err);
/* Numbers of the segments that were written to since open, ascending; valid until the next call. */
const unsigned *co_e01_patch_touched(const struct co_e01_patch *p, size_t *ret_n);
/* fsyncs the segments that were written to since the last time. */
int co_e01_patch_sync(struct co_e01_patch *p, struct co_err *err);
/* Syncs and frees; it is freed on failure as well. NULL is allowed. */
int co_e01_patch_close(struct co_e01_patch *p, struct co_err *err);

#endif
