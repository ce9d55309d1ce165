/* SPDX-License-Identifier: Apache-2.0 */
#include "device/samples.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hash/digest.h"
#include "suites.h"

enum { BIG = 24 << 20 };

static uint8_t *medium(size_t size)
{
	uint8_t *bytes = malloc(size);
	uint32_t x = 1;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(x >> 24);
	}
	return bytes;
}

static struct im_samples take(const uint8_t *bytes, size_t size)
{
	struct co_source src;
	struct im_samples s;
	struct co_err err = CO_ERR_INIT;

	ck_assert_int_eq(co_source_open_memory(&src, bytes, size, &err), 0);
	ck_assert_int_eq(im_samples_take(&s, &src, &err), 0);
	co_source_close(&src);
	return s;
}

START_TEST(samples_lie_at_both_ends_and_between)
{
	uint8_t *bytes = medium(BIG);
	struct im_samples s = take(bytes, BIG);
	struct co_digests d;
	struct co_err err = CO_ERR_INIT;

	ck_assert_uint_eq(s.n, 16);
	ck_assert_uint_eq(s.at[0].offset, 0);
	ck_assert_uint_eq(s.at[0].length, 1 << 20);
	ck_assert_uint_eq(s.at[15].offset, BIG - (1 << 20));
	ck_assert_uint_eq(s.at[15].offset + s.at[15].length, BIG);
	for (unsigned i = 1; i < 15; i++) {
		ck_assert_uint_eq(s.at[i].offset, (uint64_t)BIG / 15 * i / 4096 * 4096);
		ck_assert_uint_eq(s.at[i].length, 65536);
	}
	for (unsigned i = 0; i < 16; i++) {
		ck_assert(s.at[i].readable);
		ck_assert_int_eq(
			co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), bytes + s.at[i].offset, s.at[i].length, &d, &err),
			0);
		ck_assert_mem_eq(s.at[i].sha256, d.of[CO_HASH_SHA256].bytes, 32);
	}
	free(bytes);
}
END_TEST

START_TEST(odd_and_tiny_media_have_samples_within)
{
	static const size_t sizes[] = {
		1, 512, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (1 << 20) + 5000, 3000001
	};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		uint8_t *bytes = medium(sizes[i]);
		struct im_samples s = take(bytes, sizes[i]);

		ck_assert_uint_eq(s.n, sizes[i] > 1 << 20 ? 16 : 1);
		ck_assert_uint_eq(s.at[0].offset, 0);
		ck_assert_uint_eq(s.at[s.n - 1].offset + s.at[s.n - 1].length, sizes[i]);
		for (unsigned k = 0; k < s.n; k++) {
			ck_assert_uint_gt(s.at[k].length, 0);
			ck_assert_uint_eq(s.at[k].offset % 4096, 0);
			ck_assert_uint_le(s.at[k].offset + s.at[k].length, sizes[i]);
		}
		free(bytes);
	}
}
END_TEST

START_TEST(a_changed_byte_in_a_sample_is_found)
{
	uint8_t *bytes = medium(BIG);
	struct im_samples before = take(bytes, BIG), after;
	struct im_samples_difference d;

	after = take(bytes, BIG);
	ck_assert_int_eq(im_samples_differ(&before, &after, &d), 0);
	ck_assert_uint_eq(d.compared, 16);
	bytes[BIG - 1] ^= 1;
	bytes[before.at[7].offset + 100] ^= 1;
	after = take(bytes, BIG);
	ck_assert_int_eq(im_samples_differ(&before, &after, &d), 1);
	ck_assert_uint_eq(d.differ, 2);
	ck_assert_uint_eq(d.first, before.at[7].offset);
	after = take(bytes, BIG - 4096);
	ck_assert_int_eq(im_samples_differ(&before, &after, &d), 1);
	ck_assert_uint_eq(d.compared, 0);
	free(bytes);
}
END_TEST

START_TEST(unreadable_samples_are_marked_and_say_nothing)
{
	uint8_t *bytes = medium(BIG);
	struct im_samples before = take(bytes, BIG), after;
	uint64_t bad[1][2] = { { before.at[3].offset / 512 + 9, 1 } };
	struct co_source_fault fault = { .bad = bad, .n_bad = 1, .lost_at = UINT64_MAX };
	struct co_source base, src;
	struct im_samples_difference d;
	struct co_err err = CO_ERR_INIT;
	struct co_str out = { 0 };
	struct co_json j;

	ck_assert_int_eq(co_source_open_memory(&base, bytes, BIG, &err), 0);
	ck_assert_int_eq(co_source_open_fault(&src, &base, &fault, &err), 0);
	ck_assert_int_eq(im_samples_take(&after, &src, &err), 0);
	co_source_close(&src);
	ck_assert(!after.at[3].readable && after.at[2].readable && after.at[4].readable);
	ck_assert_int_eq(im_samples_differ(&before, &after, &d), 0);
	ck_assert_uint_eq(d.compared, 15);
	ck_assert_uint_eq(d.unreadable, 1);
	co_json_to_str(&j, &out, false);
	im_samples_json(&j, NULL, &after);
	ck_assert_int_eq(co_json_end(&j, &err), 0);
	ck_assert_ptr_nonnull(strstr(co_str_get(&out), "\"bytes\":65536,\"sha256\":null}"));
	co_str_free(&out);
	fault.lost_at = 10 << 20;
	ck_assert_int_eq(co_source_open_fault(&src, &base, &fault, &err), 0);
	ck_assert_int_eq(im_samples_take(&after, &src, &err), CO_ERR_LOST);
	co_source_close(&src);
	co_source_close(&base);
	free(bytes);
}
END_TEST

Suite *t_samples_suite(void)
{
	Suite *s = suite_create("samples");
	TCase *t = tcase_create("samples");

	tcase_add_test(t, samples_lie_at_both_ends_and_between);
	tcase_add_test(t, odd_and_tiny_media_have_samples_within);
	tcase_add_test(t, a_changed_byte_in_a_sample_is_found);
	tcase_add_test(t, unreadable_samples_are_marked_and_say_nothing);
	suite_add_tcase(s, t);
	return s;
}
