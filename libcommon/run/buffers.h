/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fixed number of large aligned buffers, lent out and counted back: bounded memory and back pressure for pipelines
 * in which several consumers (digest lanes, compressors, writers) use the same bytes without copying them.
 *
 * lend() gives a buffer with one reference. Each consumer takes one more with ref() and drops it with unref() when it
 * has finished, from any thread; with the last one the buffer returns to the ring. The bytes may be written only
 * while there is a single reference.
 */
#ifndef CO_RUN_BUFFERS_H
#define CO_RUN_BUFFERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct co_bufs;

struct co_buf {
	uint8_t *data; /* aligned to 4096, cap bytes */
	size_t cap;
	size_t len;   /* valid bytes; set by the producer before the first ref() */
	uint64_t off; /* place of the first byte in the medium; likewise */
	bool plain;   /* is to be stored without compression, since it will be amended; likewise, false when lent */
	/* private to run/buffers.c */
	atomic_uint refs;
	struct co_bufs *owner;
};

/* @n buffers of @cap bytes each (a multiple of 4096), all allocated at once. */
int co_bufs_open(struct co_bufs **ret, unsigned n, size_t cap, struct co_err *err);
/* The same in memory of the caller's, @n * @cap bytes aligned to 4096, which outlives the ring: such as processes
 * share. */
int co_bufs_open_at(struct co_bufs **ret, unsigned n, size_t cap, void *memory, struct co_err *err);
/* A free buffer with one reference, or NULL if none is free now. Any thread. */
struct co_buf *co_bufs_try_lend(struct co_bufs *bufs);
/* Like try_lend, but waits until a consumer returns one. The caller must know that one will. */
struct co_buf *co_bufs_lend(struct co_bufs *bufs);
void co_buf_ref(struct co_buf *buf);
void co_buf_unref(struct co_buf *buf);
/* All buffers must have come back. NULL is allowed. */
void co_bufs_close(struct co_bufs *bufs);

#endif
