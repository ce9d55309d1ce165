/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/vec.h"

START_TEST(reads_unaligned_little_and_big_endian)
{
	const uint8_t b[] = { 0xFF, 0x01, 0x02, 0x03, 0x04, 0x85, 0x06, 0x07, 0x88 };
	ck_assert_uint_eq(co_le16(b + 1), 0x0201);
	ck_assert_uint_eq(co_le32(b + 1), 0x04030201);
	ck_assert_uint_eq(co_le64(b + 1), UINT64_C(0x8807068504030201));
	ck_assert_uint_eq(co_be16(b + 1), 0x0102);
	ck_assert_uint_eq(co_be32(b + 1), 0x01020304);
	ck_assert_uint_eq(co_be64(b + 1), UINT64_C(0x0102030485060788));
}
END_TEST

START_TEST(writes_what_it_reads)
{
	uint8_t b[9];
	co_put_le16(b + 1, 0xF00D);
	ck_assert_uint_eq(b[1], 0x0D);
	ck_assert_uint_eq(co_le16(b + 1), 0xF00D);
	co_put_le32(b + 1, 0xDEADBEEF);
	ck_assert_uint_eq(co_le32(b + 1), 0xDEADBEEF);
	co_put_le64(b + 1, UINT64_C(0x0123456789ABCDEF));
	ck_assert_uint_eq(b[8], 0x01);
	ck_assert_uint_eq(co_le64(b + 1), UINT64_C(0x0123456789ABCDEF));
}
END_TEST

START_TEST(sums_tell_of_overflow)
{
	uint64_t u;
	uint32_t small;
	ck_assert(co_add(UINT64_MAX - 1, UINT64_C(1), &u) && u == UINT64_MAX);
	ck_assert(!co_add(UINT64_MAX, UINT64_C(1), &u));
	ck_assert(!co_sub(UINT64_C(1), UINT64_C(2), &u));
	ck_assert(!co_mul(UINT64_C(1) << 32, UINT64_C(1) << 32, &u));
	ck_assert(!co_mul(UINT64_C(65536), UINT64_C(65536), &small));
}
END_TEST

START_TEST(ranges_do_not_wrap)
{
	ck_assert(co_in_range(0, 10, 10));
	ck_assert(co_in_range(10, 0, 10));
	ck_assert(!co_in_range(10, 1, 10));
	ck_assert(!co_in_range(11, 0, 10));
	ck_assert(!co_in_range(5, UINT64_MAX - 2, 10));
	ck_assert(!co_in_range(UINT64_MAX, 2, 10));
}
END_TEST

START_TEST(zero_means_every_byte)
{
	uint8_t b[300] = { 0 };
	ck_assert(co_is_zero(b, 0));
	ck_assert(co_is_zero(b, sizeof b));
	for (size_t i = 0; i < sizeof b; i++) {
		b[i] = 0x80;
		ck_assert(!co_is_zero(b, sizeof b));
		ck_assert(co_is_zero(b, i));
		b[i] = 0;
	}
	/* all alike is not all zero */
	memset(b, 7, sizeof b);
	ck_assert(!co_is_zero(b, sizeof b));
}
END_TEST

START_TEST(vectors_grow_and_keep_their_elements)
{
	CO_VEC(int) v = { 0 };
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(co_vec_push(&v, i * 3), 0);
	ck_assert_uint_eq(v.n, 1000);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(v.at[i], i * 3);
	co_vec_free(&v);
	ck_assert_ptr_null(v.at);
	ck_assert_uint_eq(v.n, 0);
}
END_TEST

START_TEST(vectors_refuse_the_impossible)
{
	CO_VEC(uint64_t) v = { 0 };
	ck_assert_int_eq(co_vec_push(&v, 1), 0);
	ck_assert_int_lt(co_vec_reserve(&v, SIZE_MAX), 0);
	ck_assert_int_lt(co_vec_reserve(&v, SIZE_MAX / 8 + 2), 0);
	ck_assert_uint_eq(v.n, 1);
	ck_assert_uint_eq(v.at[0], 1);
	co_vec_free(&v);
}
END_TEST

START_TEST(take_leaves_nothing_behind)
{
	char *p = strdup("x");
	CO_CLEANUP_FREE char *q = CO_TAKE(p);
	ck_assert_ptr_null(p);
	ck_assert_str_eq(q, "x");
}
END_TEST

START_TEST(errors_are_built_from_the_inside_out)
{
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(co_err_set(&err, CO_ERR_OUTPUT, 28, "write %s", "a"), CO_ERR_OUTPUT);
	ck_assert_str_eq(err.msg, "write a: No space left on device");
	ck_assert_int_eq(err.sys, 28);
	ck_assert_int_eq(co_err_wrap(&err, "bag %d", 7), CO_ERR_OUTPUT);
	ck_assert_str_eq(err.msg, "bag 7: write a: No space left on device");
	ck_assert_int_eq(co_err_set(NULL, CO_ERR_LOST, 0, "x"), CO_ERR_LOST);
}
END_TEST

START_TEST(long_errors_are_cut)
{
	struct co_err err = CO_ERR_INIT;
	char text[2000];
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\0';
	co_err_set(&err, CO_ERR_FAILED, 5, "%s", text);
	ck_assert_uint_eq(strlen(err.msg), sizeof err.msg - 1);
	co_err_wrap(&err, "%s", "outer");
	ck_assert_uint_eq(strlen(err.msg), sizeof err.msg - 1);
	ck_assert_int_eq(strncmp(err.msg, "outer: aaa", 10), 0);
}
END_TEST

START_TEST(errors_have_exit_codes)
{
	ck_assert_int_eq(co_err_exit(0), 0);
	ck_assert_int_eq(co_err_exit(CO_ERR_FAILED), 1);
	ck_assert_int_eq(co_err_exit(CO_ERR_FORMAT), 1);
	ck_assert_int_eq(co_err_exit(CO_ERR_NOMEM), 1);
	ck_assert_int_eq(co_err_exit(CO_ERR_UNSUPPORTED), 1);
	ck_assert_int_eq(co_err_exit(CO_ERR_USAGE), 2);
	ck_assert_int_eq(co_err_exit(CO_ERR_MISMATCH), 4);
	ck_assert_int_eq(co_err_exit(CO_ERR_OUTPUT), 5);
	ck_assert_int_eq(co_err_exit(CO_ERR_LOST), 6);
	ck_assert_int_eq(co_err_exit(CO_ERR_CANCELED), 75);
}
END_TEST

Suite *t_bytes_suite(void)
{
	Suite *suite = suite_create("bytes");
	TCase *tc = tcase_create("bytes");
	tcase_add_test(tc, reads_unaligned_little_and_big_endian);
	tcase_add_test(tc, writes_what_it_reads);
	tcase_add_test(tc, sums_tell_of_overflow);
	tcase_add_test(tc, ranges_do_not_wrap);
	tcase_add_test(tc, zero_means_every_byte);
	tcase_add_test(tc, vectors_grow_and_keep_their_elements);
	tcase_add_test(tc, vectors_refuse_the_impossible);
	tcase_add_test(tc, take_leaves_nothing_behind);
	tcase_add_test(tc, errors_are_built_from_the_inside_out);
	tcase_add_test(tc, long_errors_are_cut);
	tcase_add_test(tc, errors_have_exit_codes);
	suite_add_tcase(suite, tc);
	return suite;
}
