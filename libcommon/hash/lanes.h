/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digest lanes: each algorithm works in a thread of its own through the same buffers, in order, so that the slowest
 * algorithm and not their sum bounds the speed. One more lane can make a digest of each block of the medium.
 */
#ifndef CO_HASH_LANES_H
#define CO_HASH_LANES_H

#include "hash/digest.h"
#include "run/buffers.h"

struct co_lanes;

/* Called by the block lane, in order, in its thread: @index counts blocks from 0. */
typedef void co_lanes_block_fn(void *arg, uint64_t index, const uint8_t sha256[32]);

struct co_lanes_opts {
	unsigned set;      /* algorithms */
	unsigned depth;    /* buffers that can be in flight: the size of the ring */
	bool threads;      /* false: everything in the calling thread */
	size_t block_size; /* bytes per block digest, divides each buffer but the last; 0: none */
	co_lanes_block_fn *block;
	void *block_arg;
};

int co_lanes_open(struct co_lanes **ret, const struct co_lanes_opts *opts, struct co_err *err);
/* Adds the next buffer (in medium order). Takes own references; the caller keeps its own. */
int co_lanes_add(struct co_lanes *l, struct co_buf *buf, struct co_err *err);
/* Waits for all lanes. */
int co_lanes_finish(struct co_lanes *l, struct co_digests *ret, struct co_err *err);
/* All references are dropped. NULL is allowed. */
void co_lanes_close(struct co_lanes *l);

#endif
