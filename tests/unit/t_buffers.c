/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdint.h>
#include <string.h>

#include "run/buffers.h"
#include "run/pool.h"

START_TEST(buffers_are_aligned_and_limited)
{
	struct co_bufs *bufs;
	struct co_buf *lent[3];
	ck_assert_int_eq(co_bufs_open(&bufs, 3, 8192, NULL), 0);
	for (int i = 0; i < 3; i++) {
		lent[i] = co_bufs_try_lend(bufs);
		ck_assert_ptr_nonnull(lent[i]);
		ck_assert_uint_eq((uintptr_t)lent[i]->data % 4096, 0);
		ck_assert_uint_eq(lent[i]->cap, 8192);
		ck_assert_uint_eq(lent[i]->len, 0);
		memset(lent[i]->data, i + 1, 8192);
	}
	ck_assert_ptr_null(co_bufs_try_lend(bufs));
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(lent[i]->data[0], (unsigned)i + 1);
		ck_assert_uint_eq(lent[i]->data[8191], (unsigned)i + 1);
		co_buf_unref(lent[i]);
	}
	co_bufs_close(bufs);
	co_bufs_close(NULL);
}
END_TEST

START_TEST(the_last_reference_returns_it)
{
	struct co_bufs *bufs;
	ck_assert_int_eq(co_bufs_open(&bufs, 1, 4096, NULL), 0);
	struct co_buf *buf = co_bufs_lend(bufs);
	buf->len = 7;
	buf->off = 9;
	buf->plain = true;
	co_buf_ref(buf);
	co_buf_ref(buf);
	co_buf_unref(buf);
	co_buf_unref(buf);
	ck_assert_ptr_null(co_bufs_try_lend(bufs));
	co_buf_unref(buf);
	ck_assert_ptr_eq(co_bufs_try_lend(bufs), buf);
	ck_assert_uint_eq(buf->len, 0);
	ck_assert_uint_eq(buf->off, 0);
	ck_assert(!buf->plain);
	co_buf_unref(buf);
	co_bufs_close(bufs);
}
END_TEST

START_TEST(impossible_rings_are_refused)
{
	struct co_bufs *bufs = NULL;
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_lt(co_bufs_open(&bufs, 0, 4096, &err), 0);
	ck_assert_int_lt(co_bufs_open(&bufs, 1, 0, &err), 0);
	ck_assert_int_lt(co_bufs_open(&bufs, 1, 4095, &err), 0);
	ck_assert_int_ne(err.msg[0], '\0');
	ck_assert_ptr_null(bufs);
}
END_TEST

static int sum_and_return(void *self, void *job, struct co_err *err)
{
	struct co_buf *buf = job;
	unsigned sum = 0;
	(void)self;
	for (size_t i = 0; i < buf->len; i++)
		sum += buf->data[i];
	int r = sum == buf->off % 251 * buf->len ? 0 : co_err_set(err, CO_ERR_MISMATCH, 0, "sum");
	co_buf_unref(buf);
	return r;
}

START_TEST(lend_waits_for_consumers)
{
	/* The producer waits in lend() while two threads use the same bytes: what acquisition does. */
	static const struct co_pool_ops ops = { .run = sum_and_return };
	struct co_bufs *bufs;
	struct co_pool *pools[2];
	int failed = 0;
	void *job;
	ck_assert_int_eq(co_bufs_open(&bufs, 2, 4096, NULL), 0);
	for (int p = 0; p < 2; p++)
		ck_assert_int_eq(co_pool_open(&pools[p], &ops, NULL, 1, 2, NULL), 0);
	for (unsigned i = 0; i < 500; i++) {
		struct co_buf *buf = co_bufs_lend(bufs);
		buf->off = i;
		buf->len = 4096 - i;
		memset(buf->data, (int)(i % 251), buf->len);
		for (int p = 0; p < 2; p++) {
			co_buf_ref(buf);
			while (co_pool_submit(pools[p], buf) > 0)
				failed += co_pool_take(pools[p], &job, NULL) < 0;
		}
		co_buf_unref(buf);
	}
	for (int p = 0; p < 2; p++) {
		int r;
		while ((r = co_pool_take(pools[p], &job, NULL)) <= 0)
			failed += r < 0;
		co_pool_close(pools[p]);
	}
	ck_assert_int_eq(failed, 0);
	co_bufs_close(bufs);
}
END_TEST

Suite *t_buffers_suite(void)
{
	Suite *suite = suite_create("buffers");
	TCase *tc = tcase_create("buffers");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, buffers_are_aligned_and_limited);
	tcase_add_test(tc, the_last_reference_returns_it);
	tcase_add_test(tc, impossible_rings_are_refused);
	tcase_add_test(tc, lend_waits_for_consumers);
	suite_add_tcase(suite, tc);
	return suite;
}
