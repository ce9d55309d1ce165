/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to e01/: compresses the chunks of one buffer, as a job of the worker pool. What comes out depends on the
 * bytes of the buffer alone, so images are the same with any number of workers.
 */
#ifndef CO_E01_PACK_H
#define CO_E01_PACK_H

#include <stdbool.h>

#include "e01/codec.h"
#include "run/buffers.h"
#include "run/pool.h"

/* Shared by all workers, not changed after open. */
struct co_pack {
	enum co_compression compression;
	uint32_t chunk_size;
	size_t buffer_size;
	uint8_t *zero; /* the stream of a chunk of zeros, zero_len bytes */
	size_t zero_len;
};

int co_pack_open(struct co_pack *p, enum co_compression c, uint32_t chunk_size, size_t buffer_size, struct co_err *err);
void co_pack_close(struct co_pack *p);

struct co_packed {
	const uint8_t *bytes; /* to store: in the output of the job, or raw in its buffer */
	uint32_t len;
	bool compressed;
	uint32_t adler;      /* of a raw chunk */
	uint8_t checksum[4]; /* the same as it stands behind it */
};

struct co_pack_job {
	struct co_buf *buf; /* in; the reference is its owner's business */
	size_t n;           /* out: chunks */
	struct co_packed *chunks;
	const struct co_pack *pack;
	uint8_t *out; /* for compressed chunks; NULL where nothing is compressed */
	struct co_pack_job *next;
};

int co_pack_job_open(struct co_pack_job **ret, const struct co_pack *p, struct co_err *err);
void co_pack_job_close(struct co_pack_job *job); /* NULL is allowed */

/* Workers: the arg of the pool is the struct co_pack, a job is a struct co_pack_job. */
extern const struct co_pool_ops co_pack_ops;

#endif
