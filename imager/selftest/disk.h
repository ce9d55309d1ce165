/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks whose every byte is known from a formula, so that what an image must hold is computed and not read from
 * anywhere: the reference is independent of the program under test, of the kernel and of the disk.
 *
 * Of four MiB in turn, two are pseudo-random (which no compression makes smaller), one repeats the number of its sector
 * as text (so that a sector in the wrong place shows), one is zeros. Any thread.
 */
#ifndef IM_SELFTEST_DISK_H
#define IM_SELFTEST_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "hash/digest.h"

struct im_span {
	uint64_t start, size; /* bytes */
};

struct im_disk {
	uint64_t seed;           /* another seed, another content */
	uint64_t size;           /* bytes */
	struct im_span holes[4]; /* zeros in the image, for they can't be read; size 0: unused */
	uint64_t content; /* bytes from the start that have content, what is behind them is zeros but for the last 512
			   * bytes; 0: all */
};

/* The bytes at @off, both within the size, as an image must have them (with the holes). */
void im_disk_bytes(const struct im_disk *d, uint64_t off, void *buf, size_t len);
/* A new file with the content, without the holes: sparse where it is zeros. CO_ERR_OUTPUT. */
int im_disk_write(const struct im_disk *d, const char *file, struct co_err *err);
/* Of the content with the holes. */
int im_disk_digests(const struct im_disk *d, unsigned set, struct co_digests *ret, struct co_err *err);
/* Digest of a part, in hexadecimal. */
int im_disk_part_sha256(const struct im_disk *d, uint64_t off, size_t len, char ret[65], struct co_err *err);
/* Compares a file with the content (with the holes), size and all. 0: the same. 1: not, and *ret_at is the first byte
 * that differs. */
int im_disk_compare(const struct im_disk *d, const char *file, uint64_t *ret_at, struct co_err *err);

#endif
