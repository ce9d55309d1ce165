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
 *
 * With `skip` the reader does not stay at what can't be read: this is the first of several passes (read/rescue.h has
 * the others). A buffer whose read fails is read again in pieces of 64 KiB; pieces that fail become zeros and are
 * listed as non-trimmed. Once a buffer has cost more than `patience_ns`, the rest of it becomes zeros and is listed as
 * non-tried. Buffers behind one of which no piece could be read are skipped likewise, more and more of them
 * (read/skip.h). Buffers with any such place are `plain`: their bytes are to be amended later.
 * The areas are the same for any number of workers, and however fast buffers come back to the ring, as long as no
 * buffer reaches `patience_ns` and each place fails or succeeds each time it is read.
 */
#ifndef IM_READ_READER_H
#define IM_READ_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/source.h"
#include "read/areas.h"
#include "read/ranges.h"
#include "run/buffers.h"

struct im_reader;

struct im_reader_opts {
	const struct co_source *source; /* borrowed until close */
	struct co_bufs *bufs;           /* likewise; the cap of its buffers is the size of a read */
	uint32_t unit;                  /* bytes; divides the cap of the buffers */
	unsigned workers;               /* 0: reads in the calling thread */
	unsigned ahead;                 /* buffers read ahead at most, >= 1 */
	bool is_image;                  /* damage of an image is never taken for a lost medium */
	bool skip;                      /* leave what fails to later passes */
	int64_t patience_ns;            /* with skip: for one buffer; 0: two seconds */
	uint64_t begin;                 /* byte to begin at, a multiple of the cap of the buffers, within the source */
	int64_t (*clock)(void);         /* NULL: co_clock_monotonic. Called in workers */
};

int im_reader_open(struct im_reader **ret, const struct im_reader_opts *opts, struct co_err *err);
/* Starts as many reads as there are free buffers. The number of buffers it would have liked to get besides. */
unsigned im_reader_fill(struct im_reader *r);
/* 0: the next buffer, len bytes at off, the caller's. 1: the medium has ended. 2: nothing is being read, since the
 * ring had no free buffer. < 0: CO_ERR_LOST and other ends; nothing more can be read. */
int im_reader_next(struct im_reader *r, struct co_buf **ret, struct co_err *err);
/* Units that were not read, in the buffers handed out so far: zeros stand for them. Borrowed until close. */
const struct im_ranges *im_reader_bad(const struct im_reader *r);
/* The same with states: bad ones only, but with `skip` non-trimmed and non-tried ones. */
const struct im_areas *im_reader_areas(const struct im_reader *r);
/* Byte offset of a unit that was readable, for im_rescue(); UINT64_MAX: none was. Any thread. */
uint64_t im_reader_good(const struct im_reader *r);
/* Waits for reads in work and gives their buffers back. NULL is allowed. */
void im_reader_close(struct im_reader *r);

#endif
