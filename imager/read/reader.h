/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a whole medium in order, ahead of its consumer, around places that can't be read.
 *
 *	for (;;) {
 *		while (im_reader_fill(reader)) ...give back a buffer of the ring...
 *		if (im_reader_next(reader, &buf, err) != 0) break;
 *		...
 *	}
 *
 * A buffer whose read fails is read again unit by unit (a sector of a disk, a chunk of an image): exactly the units
 * that fail are filled with zeros and listed. To tell a bad place from a disk that is gone, a unit that was readable
 * before is read again after 64 failures in a row and at the end of a buffer that ends unreadable: if that fails too,
 * the medium is lost (CO_ERR_LOST). One thread calls these; reads run in a pool.
 */
#ifndef IM_READ_READER_H
#define IM_READ_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "io/source.h"
#include "run/buffers.h"

struct im_reader;

struct im_range {
	uint64_t first, count; /* in units */
};

struct im_ranges {
	CO_VEC(struct im_range) list; /* ascending, never touching each other */
	uint64_t total;               /* sum of the counts */
};

/* Appends a range that lies behind all others; merged with the last if it touches it. 0, or -1: no memory. */
int im_ranges_add(struct im_ranges *r, uint64_t first, uint64_t count);
void im_ranges_free(struct im_ranges *r);

struct im_reader_opts {
	const struct co_source *source; /* borrowed until close */
	struct co_bufs *bufs;           /* likewise; the cap of its buffers is the size of a read */
	uint32_t unit;                  /* bytes; divides the cap of the buffers */
	unsigned workers;               /* 0: reads in the calling thread */
	unsigned ahead;                 /* buffers read ahead at most, >= 1 */
	bool is_image;                  /* damage of an image is never taken for a lost medium */
};

int im_reader_open(struct im_reader **ret, const struct im_reader_opts *opts, struct co_err *err);
/* Starts as many reads as there are free buffers. The number of buffers it would have liked to get besides. */
unsigned im_reader_fill(struct im_reader *r);
/* 0: the next buffer, len bytes at off, the caller's. 1: the medium has ended. 2: nothing is being read, since the
 * ring had no free buffer. < 0: CO_ERR_LOST and other ends; nothing more can be read. */
int im_reader_next(struct im_reader *r, struct co_buf **ret, struct co_err *err);
/* Units that could not be read, in the buffers handed out so far. Borrowed until close. */
const struct im_ranges *im_reader_bad(const struct im_reader *r);
/* Waits for reads in work and gives their buffers back. NULL is allowed. */
void im_reader_close(struct im_reader *r);

#endif
