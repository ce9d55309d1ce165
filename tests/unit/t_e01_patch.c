/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that are changed in finished images: the same files as if they had been there from the beginning. */
#include "e01/patch.h"

#include <check.h>
#include <fcntl.h>

#include "e01/image.h"
#include "e01/segment.h"
#include "e01_image.h"
#include "suites.h"

enum { CHUNK = 8192 };

static struct folder dir;

static void setup(void)
{
	folder_make(&dir);
}

static void teardown(void)
{
	folder_remove(&dir);
}

static void make_image(struct image *im, const char *name, size_t len, uint64_t segment_size)
{
	image_init(im, len);
	im->opts.compression = CO_COMPRESSION_NONE;
	im->opts.segment_size = segment_size;
	CO_CLEANUP_FREE char *stem = strdup(in_folder(&dir, name));
	image_write(im, stem);
}

static struct co_e01_patch *open_patch(const struct image *im, const char *name, bool mend)
{
	struct co_e01_patch *p;
	struct co_err err;
	ck_assert_msg(co_e01_patch_open(&p, in_folder(&dir, name), im->n_segments, mend, &err) == 0, "%s", err.msg);
	return p;
}

static void close_patch(struct co_e01_patch *p)
{
	struct co_err err;
	ck_assert_msg(co_e01_patch_close(p, &err) == 0, "%s", err.msg);
}

static uint8_t *read_segment(const char *stem, unsigned number, size_t *ret_len)
{
	CO_CLEANUP_FREE char *name = co_e01_segment_name(in_folder(&dir, stem), number);
	return read_all(name, ret_len);
}

static bool same_segment(const char *a, const char *b, unsigned number)
{
	size_t a_len, b_len;
	CO_CLEANUP_FREE uint8_t *in_a = read_segment(a, number, &a_len), *in_b = read_segment(b, number, &b_len);
	return a_len == b_len && memcmp(in_a, in_b, a_len) == 0;
}

static void change(struct image *im, struct co_e01_patch *p, uint64_t off, size_t len, uint8_t by)
{
	struct co_err err;
	for (size_t i = 0; i < len; i++)
		im->medium[off + i] ^= by;
	ck_assert_msg(co_e01_patch_write(p, off, im->medium + off, len, &err) == 0, "%s", err.msg);
}

/* @whole is the image of the changed medium, written at once. */
static void check_like_whole(struct image *im, const char *patched, const char *whole)
{
	struct co_err err;
	CO_CLEANUP_FREE char *stem = strdup(in_folder(&dir, patched)), *other = strdup(in_folder(&dir, whole));
	ck_assert_int_eq(co_digest_bytes(im->digests.set, im->medium, im->len, &im->digests, &err), 0);
	ck_assert_int_eq(co_e01_write_tail(stem, im->n_segments, &im->digests, NULL, NULL, &err), 0);
	image_write(im, other);
	for (unsigned k = 1; k <= im->n_segments; k++)
		ck_assert_msg(same_segment(patched, whole, k), "segment %u", k);
}

START_TEST(as_if_written_so)
{
	struct image im;
	uint64_t x = 88172645463325252;
	make_image(&im, "p", (1 << 20) + 512 * 9, 200000);
	ck_assert_uint_gt(im.n_segments, 5);
	struct co_e01_patch *p = open_patch(&im, "p", false);
	for (int i = 0; i < 200; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		size_t len = i % 3 ? 512 : x >> 20 & 0xFFFF;
		uint64_t off = (x >> 8) % (im.len - len);
		change(&im, p, off, len, (uint8_t)(i + 1));
	}
	change(&im, p, im.len - 512, 512, 7);
	change(&im, p, 0, 512, 7);
	change(&im, p, 0, 0, 7);
	change(&im, p, 0, im.len, 1);
	close_patch(p);
	check_like_whole(&im, "p", "whole");
	image_free(&im);
}
END_TEST

START_TEST(touched_segments_are_told)
{
	struct image im;
	struct co_source src;
	struct co_err err;
	size_t n;
	make_image(&im, "before", 1 << 20, 200000);
	CO_CLEANUP_FREE char *stem = strdup(in_folder(&dir, "t"));
	image_write(&im, stem);
	open_e01(&src, in_folder(&dir, "t.E01"));
	const struct co_e01_table *table = &((const struct co_e01_image *)src.self)->table;
	uint64_t fourth = table->groups.at[3].first * CHUNK, second = table->groups.at[1].first * CHUNK;
	co_source_close(&src);
	struct co_e01_patch *p = open_patch(&im, "t", false);
	co_e01_patch_touched(p, &n);
	ck_assert_uint_eq(n, 0);
	change(&im, p, fourth, 1, 1);
	change(&im, p, second - 1, 2, 1); /* in two segments */
	ck_assert_int_eq(co_e01_patch_sync(p, &err), 0);
	change(&im, p, fourth + 1, 1, 1);
	const unsigned *touched = co_e01_patch_touched(p, &n);
	ck_assert_uint_eq(n, 3);
	for (unsigned k = 1, i = 0; k <= im.n_segments; k++) {
		bool is = i < n && touched[i] == k;
		ck_assert_int_eq(same_segment("before", "t", k), !is);
		i += is;
	}
	close_patch(p);
	ck_assert_int_eq(co_e01_patch_close(NULL, &err), 0);
	image_free(&im);
}
END_TEST

static void check_refused(struct co_e01_patch *p, uint64_t off, size_t len, const char *why)
{
	struct co_err err = CO_ERR_INIT;
	size_t n;
	CO_CLEANUP_FREE uint8_t *data = calloc(1, len);
	ck_assert_int_eq(co_e01_patch_write(p, off, data, len, &err), CO_ERR_FAILED);
	ck_assert_msg(strstr(err.msg, why), "%s", err.msg);
	co_e01_patch_touched(p, &n);
	ck_assert_uint_eq(n, 0);
}

START_TEST(refusals)
{
	struct image im;
	struct co_err err;
	size_t n;
	image_init(&im, 1 << 20);
	memset(im.medium + 100 * CHUNK, 0, CHUNK);
	im.opts.segment_size = 0;
	CO_CLEANUP_FREE char *stem = strdup(in_folder(&dir, "no"));
	image_write(&im, stem);
	CO_CLEANUP_FREE uint8_t *before = read_segment("no", 1, &n);
	struct co_e01_patch *p = open_patch(&im, "no", true);
	check_refused(p, 100 * CHUNK + 512, 512, "is compressed");
	check_refused(p, 0, 1 << 20, "is compressed"); /* the first chunk is raw */
	check_refused(p, 1 << 20, 1, "do not lie within");
	check_refused(p, (1 << 20) - 1, 2, "do not lie within");
	check_refused(p, UINT64_MAX, 2, "do not lie within");
	close_patch(p);
	CO_CLEANUP_FREE uint8_t *after = read_segment("no", 1, &n);
	ck_assert_mem_eq(before, after, n);
	ck_assert_int_lt(co_e01_patch_open(&p, stem, 2, false, &err), 0);
	image_free(&im);
}
END_TEST

START_TEST(raw_among_compressed)
{
	struct image im;
	struct co_source src;
	image_init(&im, 1 << 20);
	im.opts.segment_size = 0;
	CO_CLEANUP_FREE char *stem = strdup(in_folder(&dir, "mixed"));
	image_write(&im, stem);
	struct co_e01_patch *p = open_patch(&im, "mixed", false);
	change(&im, p, 512, 1024, 0x55); /* noise */
	close_patch(p);
	open_e01(&src, in_folder(&dir, "mixed.E01"));
	check_content(&src, &im, 5000);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

/* Without a tail, and with a part of the segments. */
START_TEST(unfinished_images)
{
	struct image im;
	size_t len;
	make_image(&im, "u", 1 << 20, 200000);
	CO_CLEANUP_FREE char *last = co_e01_segment_name(in_folder(&dir, "u"), im.n_segments);
	free(read_all(last, &len));
	ck_assert_int_eq(truncate(last, (off_t)len - 300), 0);
	struct co_e01_patch *p = open_patch(&im, "u", false);
	change(&im, p, im.len - 5000, 5000, 3);
	close_patch(p);
	struct image first = im;
	first.n_segments = 2;
	p = open_patch(&first, "u", false);
	change(&first, p, 100, 200000, 3);
	close_patch(p);
	p = open_patch(&first, "u", false);
	check_refused(p, im.len - 5000, 10, "not in this image");
	close_patch(p);
	check_like_whole(&im, "u", "whole");
	image_free(&im);
}
END_TEST

START_TEST(torn_chunks_are_mended)
{
	struct image im;
	struct co_source src;
	struct co_err err;
	struct co_e01_place place;
	make_image(&im, "torn", 1 << 20, 0);
	open_e01(&src, in_folder(&dir, "torn.E01"));
	ck_assert_int_eq(co_e01_table_place(&((const struct co_e01_image *)src.self)->table, 50, &place), 0);
	co_source_close(&src);
	int fd = open(in_folder(&dir, "torn.E01"), O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "half a sector", 13, (off_t)place.off + 1024), 13);
	close(fd);
	struct co_e01_patch *p = open_patch(&im, "torn", false);
	check_refused(p, 50 * CHUNK + 1024, 512, "its checksum is wrong");
	close_patch(p);
	p = open_patch(&im, "torn", true);
	ck_assert_int_eq(co_e01_patch_write(p, 49 * CHUNK, im.medium + 49 * CHUNK, 3 * CHUNK, &err), 1);
	ck_assert_int_eq(co_e01_patch_write(p, 49 * CHUNK, im.medium + 49 * CHUNK, 3 * CHUNK, &err), 0);
	close_patch(p);
	check_like_whole(&im, "torn", "whole");
	image_free(&im);
}
END_TEST

Suite *t_e01_patch_suite(void)
{
	Suite *s = suite_create("e01_patch");
	TCase *t = tcase_create("patch");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, as_if_written_so);
	tcase_add_test(t, touched_segments_are_told);
	tcase_add_test(t, refusals);
	tcase_add_test(t, raw_among_compressed);
	tcase_add_test(t, unfinished_images);
	tcase_add_test(t, torn_chunks_are_mended);
	suite_add_tcase(s, t);
	return s;
}
