/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdlib.h>
#include <string.h>

#include "hash/lanes.h"

#define ALL (CO_HASH_BIT(CO_HASH_MD5) | CO_HASH_BIT(CO_HASH_SHA1) | CO_HASH_BIT(CO_HASH_SHA256))

enum { CAP = 8192, BLOCK = 2048, SIZE = 40 * CAP + 5000, N_BLOCKS = (SIZE + BLOCK - 1) / BLOCK };

static uint8_t medium[SIZE];

/* What the block lane told. */
struct blocks {
	uint64_t n;
	int wrong; /* out of order, or another digest than that of the bytes */
};

static void on_block(void *arg, uint64_t index, const uint8_t sha256[32])
{
	struct blocks *b = arg;
	struct co_digests d;
	size_t off = (size_t)index * BLOCK, len = off + BLOCK <= SIZE ? BLOCK : SIZE - off;
	b->wrong += index != b->n || co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), medium + off, len, &d, NULL) < 0 ||
		    memcmp(d.of[CO_HASH_SHA256].bytes, sha256, 32) != 0;
	b->n++;
}

static void fill_medium(void)
{
	for (size_t i = 0; i < SIZE; i++)
		medium[i] = (uint8_t)(i * i >> 7);
	/* whole blocks of zeros, a short last one too, and one that is zero but for its last byte */
	memset(medium + 4 * BLOCK, 0, 8 * BLOCK);
	memset(medium + SIZE - 5000, 0, 5000);
	medium[8 * BLOCK - 1] = 1;
}

static void feed(struct co_lanes *lanes, struct co_bufs *bufs)
{
	for (size_t off = 0; off < SIZE; off += CAP) {
		struct co_buf *buf = co_bufs_lend(bufs);
		buf->off = off;
		buf->len = off + CAP <= SIZE ? CAP : SIZE - off;
		memcpy(buf->data, medium + off, buf->len);
		int r = co_lanes_add(lanes, buf, NULL);
		co_buf_unref(buf);
		ck_assert_int_eq(r, 0);
	}
}

/* With and without threads; each set; with and without blocks. */
START_TEST(the_same_as_in_one_piece)
{
	bool threads = _i & 1;
	unsigned set = (unsigned)_i >> 1 & ALL;
	bool with_blocks = _i >> 4;
	struct blocks blocks = { 0 };
	struct co_lanes_opts opts = { .set = set, .depth = 3, .threads = threads };
	struct co_bufs *bufs;
	struct co_lanes *lanes;
	struct co_digests got, want;
	if (with_blocks) {
		opts.block_size = BLOCK;
		opts.block = on_block;
		opts.block_arg = &blocks;
	}
	fill_medium();
	ck_assert_int_eq(co_digest_bytes(set, medium, SIZE, &want, NULL), 0);
	/* A ring of one: lend() would wait for ever if a lane kept the buffer. */
	ck_assert_int_eq(co_bufs_open(&bufs, threads ? 3 : 1, CAP, NULL), 0);
	ck_assert_int_eq(co_lanes_open(&lanes, &opts, NULL), 0);
	/* twice: finish() begins anew */
	for (int round = 0; round < 2; round++) {
		blocks = (struct blocks) { 0 };
		feed(lanes, bufs);
		ck_assert_int_eq(co_lanes_finish(lanes, &got, NULL), 0);
		ck_assert_uint_eq(got.set, set);
		ck_assert_uint_eq(co_digests_differ(&got, &want), 0);
		ck_assert_uint_eq(blocks.n, with_blocks ? N_BLOCKS : 0);
		ck_assert_int_eq(blocks.wrong, 0);
	}
	co_lanes_close(lanes);
	co_bufs_close(bufs);
}
END_TEST

START_TEST(close_gives_all_buffers_back)
{
	struct co_lanes_opts opts = { .set = ALL, .depth = 8, .threads = _i };
	struct co_bufs *bufs;
	struct co_lanes *lanes;
	struct co_buf *lent[8];
	ck_assert_int_eq(co_bufs_open(&bufs, 8, CAP, NULL), 0);
	ck_assert_int_eq(co_lanes_open(&lanes, &opts, NULL), 0);
	for (int i = 0; i < 8; i++) {
		struct co_buf *buf = co_bufs_lend(bufs);
		buf->len = CAP;
		memset(buf->data, i, CAP);
		ck_assert_int_eq(co_lanes_add(lanes, buf, NULL), 0);
		co_buf_unref(buf);
	}
	co_lanes_close(lanes);
	for (int i = 0; i < 8; i++) {
		lent[i] = co_bufs_try_lend(bufs);
		ck_assert_ptr_nonnull(lent[i]);
	}
	for (int i = 0; i < 8; i++)
		co_buf_unref(lent[i]);
	co_bufs_close(bufs);
	co_lanes_close(NULL);
}
END_TEST

Suite *t_lanes_suite(void)
{
	Suite *suite = suite_create("lanes");
	TCase *tc = tcase_create("lanes");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, the_same_as_in_one_piece, 0, 32);
	tcase_add_loop_test(tc, close_gives_all_buffers_back, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}
