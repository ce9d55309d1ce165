/* SPDX-License-Identifier: Apache-2.0 */
/* The first segments of images whose writing was interrupted. */
#include <check.h>
#include <fcntl.h>

#include "e01/image.h"
#include "e01/segment.h"
#include "e01_image.h"
#include "suites.h"

enum { CHUNK = 8192, MANY = 20 };

static struct folder dir;

static void setup(void)
{
	folder_make(&dir);
}

static void teardown(void)
{
	folder_remove(&dir);
}

static int open_first(struct co_source *src, const char *stem, unsigned n, bool partial, struct co_err *err)
{
	const struct co_e01_opts opts = { .partial = partial };
	char *names[MANY];
	ck_assert_uint_le(n, MANY);
	for (unsigned k = 0; k < n; k++)
		names[k] = co_e01_segment_name(in_folder(&dir, stem), k + 1);
	int r = co_e01_open(src, (const char *const *)names, n, &opts, err);
	for (unsigned k = 0; k < n; k++)
		free(names[k]);
	return r;
}

/* All of what is present can be read, and nothing behind it. */
static void check_present(const struct co_source *src, const struct image *im)
{
	uint64_t present = co_e01_info(src)->present;
	struct co_err err;
	size_t good = 99;
	CO_CLEANUP_FREE uint8_t *b = malloc(im->len + 1);
	ck_assert_uint_eq(src->size, im->len);
	if (present % CHUNK)
		ck_assert_uint_eq(present, im->len);
	for (size_t step = 5000; step < 200000; step += 70000) {
		for (uint64_t off = 0; off < present; off += step)
			ck_assert_int_eq(
				co_source_read_full(src, b + off, (size_t)co_min_u64(step, present - off), off, &err),
				0);
		ck_assert_mem_eq(b, im->medium, present);
	}
	for (uint64_t off = present; off < im->len; off += CHUNK) {
		ck_assert_int_eq(co_source_read(src, b, 512, off, &good, &err), 1);
		ck_assert_uint_eq(good, 0);
		ck_assert_msg(strstr(err.msg, "no valid table"), "%s", err.msg);
	}
	if (present < im->len) {
		ck_assert_int_eq(co_source_read(src, b, im->len, 0, &good, &err), 1);
		ck_assert_uint_eq(good, present);
	}
}

static void make_image(struct image *im, const char *stem)
{
	image_init(im, (1 << 20) + 512 * 5);
	im->opts.segment_size = 150000;
	im->opts.compression = CO_COMPRESSION_NONE;
	CO_CLEANUP_FREE char *copy = strdup(in_folder(&dir, stem));
	image_write(im, copy);
	ck_assert_uint_ge(im->n_segments, 5);
	ck_assert_uint_le(im->n_segments, MANY);
}

static void rename_segment(const char *from, unsigned from_number, const char *to, unsigned to_number)
{
	CO_CLEANUP_FREE char *old = co_e01_segment_name(in_folder(&dir, from), from_number);
	CO_CLEANUP_FREE char *new = co_e01_segment_name(in_folder(&dir, to), to_number);
	ck_assert_int_eq(rename(old, new), 0);
}

START_TEST(first_segments)
{
	struct image im;
	struct co_source src;
	struct co_err err;
	uint64_t before = 0;
	make_image(&im, "image.part");
	for (unsigned n = 1; n <= im.n_segments; n++) {
		rename_segment("image.part", n, "image.kept", n);
		if (n < im.n_segments) {
			ck_assert_int_eq(open_first(&src, "image.kept", n, false, &err), n > 1 ? CO_ERR_FORMAT : 0);
			if (n == 1)
				co_source_close(&src);
		}
		ck_assert_msg(open_first(&src, "image.kept", n, true, &err) == 0, "%s", err.msg);
		const struct co_e01_info *info = co_e01_info(&src);
		ck_assert_uint_eq(info->n_warnings, 0);
		ck_assert_uint_eq(info->n_segments, n);
		ck_assert_uint_eq(info->media_size, im.len);
		ck_assert_uint_eq(info->stored.set, n < im.n_segments ? 0 : im.digests.set);
		ck_assert_uint_gt(info->present, before);
		ck_assert_uint_eq(info->present == im.len, n == im.n_segments);
		before = info->present;
		check_present(&src, &im);
		co_source_close(&src);
	}
	open_e01(&src, in_folder(&dir, "image.kept.E01"));
	ck_assert_uint_eq(co_e01_info(&src)->present, im.len);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

/* The tables are there; the last sections are not, or in part. */
START_TEST(without_its_end)
{
	struct image im;
	struct co_source src;
	struct co_err err;
	make_image(&im, "cut");
	CO_CLEANUP_FREE char *last = co_e01_segment_name(in_folder(&dir, "cut"), im.n_segments);
	struct stat st;
	ck_assert_int_eq(stat(last, &st), 0);
	uint64_t tail = 156 + 112 + 200; /* digest, hash, and some of the other two */
	for (off_t len = st.st_size - 1; len > st.st_size - (off_t)tail; len -= 29) {
		ck_assert_int_eq(truncate(last, len), 0);
		ck_assert_int_eq(open_first(&src, "cut", im.n_segments, false, &err), CO_ERR_FORMAT);
		ck_assert_msg(open_first(&src, "cut", im.n_segments, true, &err) == 0, "%s", err.msg);
		ck_assert_uint_eq(co_e01_info(&src)->present, im.len);
		check_present(&src, &im);
		co_source_close(&src);
	}
	ck_assert_int_eq(truncate(last, st.st_size / 2), 0); /* within the chunks */
	ck_assert_int_eq(open_first(&src, "cut", im.n_segments, true, &err), CO_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.msg, "truncated"));
	ck_assert_msg(open_first(&src, "cut", im.n_segments - 1, true, &err) == 0, "%s", err.msg);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

static void hurt(const char *stem, unsigned number, uint64_t at)
{
	CO_CLEANUP_FREE char *name = co_e01_segment_name(in_folder(&dir, stem), number);
	int fd = open(name, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "?", 1, (off_t)at), 1);
	close(fd);
}

/* What comes behind lost tables can't be placed. */
START_TEST(ends_where_tables_are_lost)
{
	struct image im;
	struct co_source src;
	struct co_err err;
	make_image(&im, "lost");
	ck_assert_int_eq(open_first(&src, "lost", 3, true, &err), 0);
	const struct co_e01_image *inside = src.self;
	ck_assert_uint_eq(inside->table.groups.n, 4); /* the last of them stands for what is missing */
	uint64_t first_two = inside->table.groups.at[1].first * CHUNK, end = inside->table.groups.at[1].end;
	uint64_t size = CO_E01_DESCRIPTOR_SIZE + 28 + inside->table.groups.at[1].n * 4;
	co_source_close(&src);
	hurt("lost", 2, end + CO_E01_DESCRIPTOR_SIZE);
	hurt("lost", 2, end + size + CO_E01_DESCRIPTOR_SIZE);
	ck_assert_int_eq(open_first(&src, "lost", 3, true, &err), 0);
	ck_assert_uint_eq(co_e01_info(&src)->present, first_two);
	ck_assert_uint_gt(co_e01_info(&src)->n_warnings, 0);
	check_present(&src, &im);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

START_TEST(not_without_the_first)
{
	struct image im;
	struct co_source src;
	struct co_err err;
	make_image(&im, "first");
	const struct co_e01_opts opts = { .partial = true };
	CO_CLEANUP_FREE char *one = co_e01_segment_name(in_folder(&dir, "first"), 1);
	CO_CLEANUP_FREE char *two = co_e01_segment_name(in_folder(&dir, "first"), 2);
	CO_CLEANUP_FREE char *three = co_e01_segment_name(in_folder(&dir, "first"), 3);
	ck_assert_int_eq(co_e01_open(&src, (const char *const[]) { two }, 1, &opts, &err), CO_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.msg, "segment 1"));
	ck_assert_int_eq(co_e01_open(&src, (const char *const[]) { one, three }, 2, &opts, &err), CO_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.msg, "segment 2"));
	ck_assert_int_eq(co_e01_open(&src, (const char *const[]) { two, one }, 2, &opts, &err), 0);
	co_source_close(&src);
	image_free(&im);
}
END_TEST

Suite *t_e01_partial_suite(void)
{
	Suite *s = suite_create("e01_partial");
	TCase *t = tcase_create("partial");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, first_segments);
	tcase_add_test(t, without_its_end);
	tcase_add_test(t, ends_where_tables_are_lost);
	tcase_add_test(t, not_without_the_first);
	suite_add_tcase(s, t);
	return s;
}
