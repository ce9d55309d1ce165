/* SPDX-License-Identifier: Apache-2.0 */
#include "read/reader.h"

#include "folder.h"
#include "suites.h"

#define SECTOR 512
#define CAP 65536 /* bytes of a buffer: 128 sectors */
#define MEDIA (5 * CAP + 3 * SECTOR)

static uint8_t media[MEDIA];

static void fill(void)
{
	for (size_t i = 0; i < MEDIA; i++)
		media[i] = (uint8_t)(1 + i * 7 % 251); /* never zero */
}

struct outcome {
	int code;
	uint64_t bytes; /* handed out */
	struct im_ranges bad;
	uint8_t copy[MEDIA];
};

static struct outcome out;

static void read_all(const struct co_source *src, unsigned workers, bool is_image)
{
	struct co_err err = CO_ERR_INIT;
	struct co_bufs *bufs = NULL;
	struct im_reader *r = NULL;
	struct co_buf *buf;

	memset(&out, 0, sizeof out);
	ck_assert_int_eq(co_bufs_open(&bufs, 3, CAP, &err), 0);
	struct im_reader_opts opts = {
		.source = src, .bufs = bufs, .unit = SECTOR, .workers = workers, .ahead = 2, .is_image = is_image
	};
	ck_assert_int_eq(im_reader_open(&r, &opts, &err), 0);
	for (;;) {
		im_reader_fill(r);
		out.code = im_reader_next(r, &buf, &err);
		if (out.code != 0)
			break;
		ck_assert_uint_eq(buf->off, out.bytes);
		memcpy(out.copy + buf->off, buf->data, buf->len);
		out.bytes += buf->len;
		co_buf_unref(buf);
	}
	for (size_t i = 0; i < im_reader_bad(r)->list.n; i++)
		ck_assert_int_eq(
			im_ranges_add(&out.bad, im_reader_bad(r)->list.at[i].first, im_reader_bad(r)->list.at[i].count),
			0);
	im_reader_close(r);
	co_bufs_close(bufs);
}

static void with_faults(uint64_t (*bad)[2], size_t n_bad, uint64_t lost_at, size_t size, unsigned workers,
			bool is_image)
{
	struct co_source base, faulty;
	struct co_err err = CO_ERR_INIT;
	struct co_source_fault fault = { .bad = bad, .n_bad = n_bad, .lost_at = lost_at };

	fill();
	ck_assert_int_eq(co_source_open_memory(&base, media, size, &err), 0);
	ck_assert_int_eq(co_source_open_fault(&faulty, &base, &fault, &err), 0);
	read_all(&faulty, workers, is_image);
	co_source_close(&faulty);
	co_source_close(&base);
}

START_TEST(good_media_are_read_whole)
{
	for (unsigned workers = 0; workers <= 2; workers++) {
		with_faults(NULL, 0, UINT64_MAX, MEDIA, workers, false);
		ck_assert_int_eq(out.code, 1);
		ck_assert_uint_eq(out.bytes, MEDIA);
		ck_assert_uint_eq(out.bad.total, 0);
		ck_assert_mem_eq(out.copy, media, MEDIA);
	}
}
END_TEST

START_TEST(exactly_the_bad_sectors_are_lost)
{
	/* One alone, one at each side of a buffer's edge (merged), a run, and the last sector of the medium. */
	uint64_t bad[][2] = { { 3, 1 }, { 127, 2 }, { 300, 8 }, { MEDIA / SECTOR - 1, 1 } };

	for (unsigned workers = 0; workers <= 2; workers++) {
		with_faults(bad, 4, UINT64_MAX, MEDIA, workers, false);
		ck_assert_int_eq(out.code, 1);
		ck_assert_uint_eq(out.bad.total, 12);
		ck_assert_uint_eq(out.bad.list.n, 4);
		for (size_t i = 0; i < 4; i++) {
			ck_assert_uint_eq(out.bad.list.at[i].first, bad[i][0]);
			ck_assert_uint_eq(out.bad.list.at[i].count, bad[i][1]);
			memset(media + bad[i][0] * SECTOR, 0, bad[i][1] * SECTOR);
		}
		ck_assert_mem_eq(out.copy, media, MEDIA);
		im_ranges_free(&out.bad);
	}
}
END_TEST

START_TEST(a_large_bad_area_is_not_a_lost_disk)
{
	uint64_t bad[][2] = { { 128, 256 } }; /* two whole buffers */

	with_faults(bad, 1, UINT64_MAX, MEDIA, 2, false);
	ck_assert_int_eq(out.code, 1);
	ck_assert_uint_eq(out.bad.total, 256);
	ck_assert_uint_eq(out.bad.list.n, 1);
	im_ranges_free(&out.bad);
}
END_TEST

START_TEST(a_bad_beginning_is_not_a_lost_disk)
{
	uint64_t bad[][2] = { { 0, 130 } };

	with_faults(bad, 1, UINT64_MAX, MEDIA, 0, false);
	ck_assert_int_eq(out.code, 1);
	ck_assert_uint_eq(out.bad.total, 130);
	im_ranges_free(&out.bad);
}
END_TEST

START_TEST(a_disk_of_which_nothing_is_readable_is_lost)
{
	uint64_t bad[][2] = { { 0, MEDIA / SECTOR } };

	with_faults(bad, 1, UINT64_MAX, MEDIA, 0, false);
	ck_assert_int_eq(out.code, CO_ERR_LOST);
	ck_assert_uint_eq(out.bytes, 0);
}
END_TEST

START_TEST(a_wholly_damaged_image_is_reported_as_damage)
{
	uint64_t bad[][2] = { { 0, MEDIA / SECTOR } };

	with_faults(bad, 1, UINT64_MAX, MEDIA, 0, true);
	ck_assert_int_eq(out.code, 1);
	ck_assert_uint_eq(out.bad.total, MEDIA / SECTOR);
	im_ranges_free(&out.bad);
}
END_TEST

START_TEST(a_lost_source_ends_the_work_in_order)
{
	with_faults(NULL, 0, 2 * CAP + 5 * SECTOR, MEDIA, 2, false);
	ck_assert_int_eq(out.code, CO_ERR_LOST);
	ck_assert_uint_eq(out.bytes, 2 * CAP);
	ck_assert_mem_eq(out.copy, media, 2 * CAP);
}
END_TEST

START_TEST(odd_sizes_end_with_a_short_sector)
{
	uint64_t bad[][2] = { { 128, 1 } }; /* the short one */
	size_t size = CAP + 100;

	with_faults(NULL, 0, UINT64_MAX, size, 2, false);
	ck_assert_uint_eq(out.bytes, size);
	ck_assert_mem_eq(out.copy, media, size);
	with_faults(bad, 1, UINT64_MAX, size, 2, false);
	ck_assert_int_eq(out.code, 1);
	ck_assert_uint_eq(out.bad.total, 1);
	ck_assert_mem_eq(out.copy, media, CAP);
	im_ranges_free(&out.bad);
}
END_TEST

static int dying_calls;

/* Good for three reads, then every read fails without saying that the device is gone. */
static int read_dying(void *self, void *buf, size_t len, uint64_t off, size_t *ret_good, struct co_err *err)
{
	(void)self;
	if (dying_calls++ >= 3) {
		*ret_good = 0;
		co_err_set(err, CO_ERR_FAILED, 0, "input/output error");
		return 1;
	}
	memcpy(buf, media + off, len);
	*ret_good = len;
	return 0;
}

static void close_nothing(void *self)
{
	(void)self;
}

START_TEST(a_silently_dead_disk_is_told_from_bad_sectors)
{
	static const struct co_source_ops ops = { .kind = "dying", .read = read_dying, .close = close_nothing };
	struct co_source src = { .ops = &ops, .size = MEDIA, .sector_size = SECTOR };

	fill();
	dying_calls = 0;
	read_all(&src, 0, false);
	ck_assert_int_eq(out.code, CO_ERR_LOST);
	ck_assert_uint_eq(out.bytes, 3 * CAP);
	ck_assert_uint_eq(out.bad.total, 0);
	ck_assert_int_le(dying_calls, 3 + 1 + 64 + 1);
}
END_TEST

START_TEST(an_empty_ring_is_told)
{
	struct co_err err = CO_ERR_INIT;
	struct co_source src;
	struct co_bufs *bufs = NULL;
	struct im_reader *r = NULL;
	struct co_buf *held, *buf;

	fill();
	ck_assert_int_eq(co_source_open_memory(&src, media, CAP, &err), 0);
	ck_assert_int_eq(co_bufs_open(&bufs, 1, CAP, &err), 0);
	held = co_bufs_lend(bufs);
	struct im_reader_opts opts = { .source = &src, .bufs = bufs, .unit = SECTOR, .workers = 1, .ahead = 2 };
	ck_assert_int_eq(im_reader_open(&r, &opts, &err), 0);
	ck_assert_uint_eq(im_reader_fill(r), 2);
	ck_assert_int_eq(im_reader_next(r, &buf, &err), 2);
	co_buf_unref(held);
	ck_assert_uint_eq(im_reader_fill(r), 0);
	ck_assert_int_eq(im_reader_next(r, &buf, &err), 0);
	co_buf_unref(buf);
	ck_assert_int_eq(im_reader_next(r, &buf, &err), 1);
	im_reader_close(r);
	co_bufs_close(bufs);
	co_source_close(&src);
}
END_TEST

Suite *t_reader_suite(void)
{
	Suite *s = suite_create("reader");
	TCase *c = tcase_create("reader");

	tcase_add_test(c, good_media_are_read_whole);
	tcase_add_test(c, exactly_the_bad_sectors_are_lost);
	tcase_add_test(c, a_large_bad_area_is_not_a_lost_disk);
	tcase_add_test(c, a_bad_beginning_is_not_a_lost_disk);
	tcase_add_test(c, a_disk_of_which_nothing_is_readable_is_lost);
	tcase_add_test(c, a_wholly_damaged_image_is_reported_as_damage);
	tcase_add_test(c, a_lost_source_ends_the_work_in_order);
	tcase_add_test(c, odd_sizes_end_with_a_short_sector);
	tcase_add_test(c, a_silently_dead_disk_is_told_from_bad_sectors);
	tcase_add_test(c, an_empty_ring_is_told);
	suite_add_tcase(s, c);
	return s;
}
