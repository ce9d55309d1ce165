/* SPDX-License-Identifier: Apache-2.0 */
#include "hash/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "run/pool.h"

/* One algorithm over everything, or the digests of the blocks. Between add() and the end of finish() all but `pool`
 * belongs to the worker. */
struct lane {
	struct co_pool *pool; /* one worker, so that buffers are digested in order */
	struct co_hasher *hasher;
	bool broken; /* a buffer failed: those behind it are only given back */
	/* the block lane only */
	size_t block_size;
	uint64_t index; /* of the next block */
	co_lanes_block_fn *block;
	void *block_arg;
	uint8_t zero_digest[32]; /* of a whole block of zeros */
};

struct co_lanes {
	bool threads;
	struct co_err err; /* the first failure of a lane */
	unsigned n;
	struct lane lane[CO_HASH_N + 1];
};

static int digest_block(struct lane *lane, const uint8_t *bytes, size_t len, uint8_t ret[32], struct co_err *err)
{
	struct co_digests d;
	int r = co_hasher_add(lane->hasher, bytes, len, err);
	if (r == 0)
		r = co_hasher_finish(lane->hasher, &d, err);
	if (r == 0)
		memcpy(ret, d.of[CO_HASH_SHA256].bytes, 32);
	return r;
}

static int add_blocks(struct lane *lane, const uint8_t *bytes, size_t len, struct co_err *err)
{
	for (size_t off = 0; off < len; off += lane->block_size) {
		size_t n = len - off < lane->block_size ? len - off : lane->block_size;
		uint8_t digest[32];
		const uint8_t *result = digest;
		if (n == lane->block_size && co_is_zero(bytes + off, n)) {
			result = lane->zero_digest;
		} else {
			int r = digest_block(lane, bytes + off, n, digest, err);
			if (r < 0)
				return r;
		}
		lane->block(lane->block_arg, lane->index++, result);
	}
	return 0;
}

static void *lane_state(void *arg, struct co_err *err)
{
	(void)err;
	return arg;
}

/* The buffer is given back here and not after take(): whoever fills buffers may be waiting for one in the very thread
 * that takes. */
static int lane_run(void *self, void *job, struct co_err *err)
{
	struct lane *lane = self;
	struct co_buf *buf = job;
	int r = 0;
	if (!lane->broken) {
		r = lane->block_size ? add_blocks(lane, buf->data, buf->len, err)
				     : co_hasher_add(lane->hasher, buf->data, buf->len, err);
		lane->broken = r < 0;
	}
	co_buf_unref(buf);
	return r;
}

static const struct co_pool_ops lane_ops = { .worker_init = lane_state, .run = lane_run };

static int open_lane(struct co_lanes *l, const struct co_lanes_opts *opts, unsigned set, size_t block_size,
		     struct co_err *err)
{
	struct lane *lane = &l->lane[l->n++];
	int r = co_hasher_open(&lane->hasher, set, err);
	if (r == 0 && block_size) {
		lane->block = opts->block;
		lane->block_arg = opts->block_arg;
		lane->block_size = block_size;
		uint8_t *zeros = calloc(1, block_size);
		if (!zeros)
			return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for a block of %zu bytes", block_size);
		r = digest_block(lane, zeros, block_size, lane->zero_digest, err);
		free(zeros);
	}
	if (r == 0)
		r = co_pool_open(&lane->pool, &lane_ops, lane, opts->threads ? 1 : 0, opts->depth, err);
	return r;
}

int co_lanes_open(struct co_lanes **ret, const struct co_lanes_opts *opts, struct co_err *err)
{
	int r = 0;
	struct co_lanes *l = calloc(1, sizeof *l);
	if (!l)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for digests");
	l->threads = opts->threads;
	for (int i = 0; r == 0 && i < CO_HASH_N; i++)
		if (opts->set & CO_HASH_BIT(i))
			r = open_lane(l, opts, CO_HASH_BIT(i), 0, err);
	if (r == 0 && opts->block_size)
		r = open_lane(l, opts, CO_HASH_BIT(CO_HASH_SHA256), opts->block_size, err);
	if (r < 0) {
		co_lanes_close(l);
		return r;
	}
	*ret = l;
	return 0;
}

/* Takes what is done, or everything; keeps the first failure. */
static void drain(struct co_lanes *l, struct lane *lane, bool wait)
{
	void *job;
	for (;;) {
		struct co_err err = CO_ERR_INIT;
		int r = wait ? co_pool_take(lane->pool, &job, &err) : co_pool_poll(lane->pool, &job, &err);
		if (r > 0)
			return;
		if (r < 0 && l->err.code == 0)
			l->err = err;
	}
}

static int kept(const struct co_lanes *l, struct co_err *err)
{
	if (l->err.code < 0 && err)
		*err = l->err;
	return l->err.code;
}

int co_lanes_add(struct co_lanes *l, struct co_buf *buf, struct co_err *err)
{
	for (unsigned i = 0; i < l->n && l->err.code == 0; i++) {
		struct lane *lane = &l->lane[i];
		drain(l, lane, false);
		co_buf_ref(buf);
		while (co_pool_submit(lane->pool, buf) > 0) {
			void *job;
			struct co_err why = CO_ERR_INIT;
			if (co_pool_take(lane->pool, &job, &why) < 0 && l->err.code == 0)
				l->err = why;
		}
		/* Without a thread, nobody else would ever give the buffer back. */
		if (!l->threads)
			drain(l, lane, true);
	}
	return kept(l, err);
}

int co_lanes_finish(struct co_lanes *l, struct co_digests *ret, struct co_err *err)
{
	struct co_digests all = { 0 };
	for (unsigned i = 0; i < l->n; i++)
		drain(l, &l->lane[i], true);
	int r = kept(l, err);
	for (unsigned i = 0; r == 0 && i < l->n; i++) {
		struct lane *lane = &l->lane[i];
		struct co_digests one;
		lane->index = 0;
		if (lane->block_size)
			continue;
		r = co_hasher_finish(lane->hasher, &one, err);
		for (int k = 0; r == 0 && k < CO_HASH_N; k++)
			if (one.set & CO_HASH_BIT(k))
				all.of[k] = one.of[k];
		if (r == 0)
			all.set |= one.set;
	}
	if (r == 0)
		*ret = all;
	return r;
}

void co_lanes_close(struct co_lanes *l)
{
	if (!l)
		return;
	for (unsigned i = 0; i < l->n; i++) {
		struct lane *lane = &l->lane[i];
		/* Jobs that are dropped would keep their buffers. */
		if (lane->pool)
			drain(l, lane, true);
		co_pool_close(lane->pool);
		co_hasher_close(lane->hasher);
	}
	free(l);
}
