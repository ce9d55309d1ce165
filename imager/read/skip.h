/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which buffers of a medium are not worth reading at first: those behind a buffer of which nothing could be read.
 *
 * After such a buffer 1, 2, 4 ... up to IM_SKIP_MAX buffers are skipped, with one that is read between the skips as a
 * probe; the first in which anything is readable ends it. The last buffer is always read.
 *
 * Which buffers are skipped depends on the outcomes of reads alone, not on when they arrive: an outcome counts as soon
 * as `ahead` more reads have begun, which is as late as it can come in, and then nothing is begun until all outcomes
 * are there. Buffers have numbers in the order in which they are begun.
 */
#ifndef IM_READ_SKIP_H
#define IM_READ_SKIP_H

#include <stdbool.h>
#include <stdint.h>

#define IM_SKIP_MAX 1024

enum im_skip_what {
	IM_SKIP_READ, /* read the next buffer */
	IM_SKIP_SKIP, /* do not */
	IM_SKIP_WAIT, /* first wait for all outcomes of reads that have begun */
};

struct im_skip {
	unsigned ahead;  /* reads in work at most */
	uint64_t decide; /* number of the buffer before which all outcomes must be there; UINT64_MAX: none is */
	uint64_t left;   /* buffers still to be skipped */
	uint64_t stride; /* of the last skip; 0: none */
	bool dead;       /* nothing was readable in the last buffer whose outcome is there */
};

void im_skip_init(struct im_skip *s, unsigned ahead);
/* What to do with buffer @number, behind which @behind more lie; asked again only after WAIT. @in_work: buffers that
 * have begun and whose outcome is not there yet, the skipped ones included. */
enum im_skip_what im_skip_ask(struct im_skip *s, uint64_t number, uint64_t behind, unsigned in_work);
/* The outcome of a buffer that was read, in order of numbers. @dead: no part of it was readable. */
void im_skip_tell(struct im_skip *s, uint64_t number, bool dead);

#endif
