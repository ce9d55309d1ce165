/* SPDX-License-Identifier: Apache-2.0 */
/* The reader with `skip`: the first pass over a bad disk. */
#include "read/reader.h"

#include "folder.h"
#include "sick_disk.h"
#include "suites.h"

/* Buffers enough, so that there is something to skip. */
#define BUFFERS 64
#define SMALL 262144 /* bytes of one: 512 sectors, 4 pieces */
#define PIECES 4
#define PER_PIECE 128 /* sectors */
#define PER_BUFFER (PIECES * PER_PIECE)
#define AHEAD 4

struct skipped {
	int code;
	uint64_t begin, bytes; /* handed out */
	bool plain[BUFFERS];
	struct im_areas areas;
	uint64_t not_read; /* im_reader_bad() */
	uint64_t good;
};

/* Each byte handed out is that of the disk, or zero within the areas. */
static void check_bytes(const struct co_buf *buf, const struct im_areas *areas)
{
	for (size_t at = 0; at < buf->len; at += SECTOR) {
		bool read = im_areas_state(areas, (buf->off + at) / SECTOR) == IM_FINISHED;

		if (!sick_is_sector(buf->data + at, buf->off + at, read))
			ck_abort_msg("sector %llu", (unsigned long long)(buf->off + at) / SECTOR);
	}
}

static struct skipped skim(struct sick_disk *d, unsigned workers, unsigned ring, uint64_t begin)
{
	struct skipped ret = { .begin = begin };
	struct co_err err = CO_ERR_INIT;
	struct co_bufs *bufs = NULL;
	struct im_reader *r = NULL;
	struct co_buf *buf;
	struct im_reader_opts opts = { .source = &d->source,
				       .unit = SECTOR,
				       .workers = workers,
				       .ahead = AHEAD,
				       .skip = true,
				       .begin = begin,
				       .clock = sick_clock };

	ck_assert_int_eq(co_bufs_open(&bufs, ring, SMALL, &err), 0);
	opts.bufs = bufs;
	ck_assert_int_eq(im_reader_open(&r, &opts, &err), 0);
	for (;;) {
		im_reader_fill(r);
		ret.code = im_reader_next(r, &buf, &err);
		if (ret.code != 0)
			break;
		ck_assert_uint_eq(buf->off, begin + ret.bytes);
		check_bytes(buf, im_reader_areas(r));
		ret.plain[buf->off / SMALL] = buf->plain;
		ret.bytes += buf->len;
		co_buf_unref(buf);
	}
	ck_assert_int_eq(im_areas_copy(&ret.areas, im_reader_areas(r)), 0);
	ret.not_read = im_reader_bad(r)->total;
	ret.good = im_reader_good(r);
	im_reader_close(r);
	co_bufs_close(bufs);
	return ret;
}

static void areas_are(const struct im_areas *areas, const struct im_area *expected, size_t n)
{
	ck_assert_uint_eq(areas->list.n, n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(areas->list.at[i].first, expected[i].first);
		ck_assert_uint_eq(areas->list.at[i].count, expected[i].count);
		ck_assert_int_eq((char)areas->list.at[i].state, (char)expected[i].state);
	}
}

START_TEST(pieces_with_bad_sectors_are_left_out)
{
	/* The first sector; one in each of two pieces that touch, in two buffers; a run over the edge of pieces. */
	static const struct sick_sectors bad[] = { { 0, 1, 0 }, { 1023, 1, 0 }, { 1030, 1, 0 }, { 2170, 10, 0 } };
	static const struct im_area expected[] = { { 0, 128, IM_NON_TRIMMED },
						   { 896, 256, IM_NON_TRIMMED },
						   { 2048, 256, IM_NON_TRIMMED } };

	for (unsigned workers = 0; workers <= 2; workers++) {
		struct sick_disk d;
		struct skipped out;

		sick_open(&d, bad, 4, BUFFERS * SMALL);
		out = skim(&d, workers, 5, 0);
		ck_assert_int_eq(out.code, 1);
		ck_assert_uint_eq(out.bytes, BUFFERS * SMALL);
		areas_are(&out.areas, expected, 3);
		ck_assert_uint_eq(out.not_read, 640);
		for (unsigned i = 0; i < BUFFERS; i++)
			ck_assert_int_eq(out.plain[i], i == 0 || i == 1 || i == 2 || i == 4);
		im_areas_free(&out.areas);
	}
}
END_TEST

START_TEST(dead_regions_are_skipped_in_growing_steps)
{
	/* Buffers 8 to 47. Four reads are ahead; then come 12, 14 to 15, 17 to 20, 22 to 29, 31 to 46, 48 to 62. */
	static const struct sick_sectors bad[] = { { 8 * PER_BUFFER, 40 * PER_BUFFER, 0 } };
	static const unsigned edges[] = { 8, 12, 13, 14, 16, 17, 21, 22, 30, 31, 47, 48, 63 };
	static const unsigned rings[] = { 1, 3, AHEAD, 16 };

	for (unsigned run = 0; run < 12; run++) {
		struct sick_disk d;
		struct skipped out;
		struct im_area expected[12];

		for (unsigned i = 0; i < 12; i++)
			expected[i] = (struct im_area) { edges[i] * PER_BUFFER, (edges[i + 1] - edges[i]) * PER_BUFFER,
							 i % 2 ? IM_NON_TRIED : IM_NON_TRIMMED };
		sick_open(&d, bad, 1, BUFFERS * SMALL);
		out = skim(&d, run / 4, rings[run % 4], 0);
		ck_assert_int_eq(out.code, 1);
		areas_are(&out.areas, expected, 12);
		/* Nine dead buffers, each read as a whole, in pieces, and followed by a question to the disk. */
		ck_assert_uint_eq(d.reads, 8 + 9 * (1 + PIECES + 1) + 1);
		ck_assert_uint_eq(d.failures, 9 * (1 + PIECES));
		ck_assert_uint_lt(out.good, BUFFERS * SMALL);
		for (unsigned i = 0; i < BUFFERS; i++)
			ck_assert_int_eq(out.plain[i], i >= 8 && i < 63);
		im_areas_free(&out.areas);
	}
}
END_TEST

START_TEST(a_readable_piece_ends_the_skipping)
{
	/* Buffers 8 to 14 but for the last piece of 13, which is the probe. */
	static const struct sick_sectors bad[] = { { 8 * PER_BUFFER, 6 * PER_BUFFER - PER_PIECE, 0 },
						   { 14 * PER_BUFFER, PER_BUFFER, 0 } };
	static const struct im_area expected[] = {
		{ 8 * PER_BUFFER, 4 * PER_BUFFER, IM_NON_TRIMMED },
		{ 12 * PER_BUFFER, PER_BUFFER, IM_NON_TRIED },
		{ 13 * PER_BUFFER, PER_BUFFER - PER_PIECE, IM_NON_TRIMMED },
		{ 14 * PER_BUFFER, PER_BUFFER, IM_NON_TRIMMED },
	};

	for (unsigned workers = 0; workers <= 2; workers++) {
		struct sick_disk d;
		struct skipped out;

		sick_open(&d, bad, 2, BUFFERS * SMALL);
		out = skim(&d, workers, 16, 0);
		areas_are(&out.areas, expected, 4);
		im_areas_free(&out.areas);
	}
}
END_TEST

START_TEST(each_dead_region_begins_with_a_small_skip)
{
	/* 12, 14 to 15 and 17 to 20 are skipped, 21 is good. The second begins again with one, 34, and two. */
	static const struct sick_sectors bad[] = { { 8 * PER_BUFFER, 9 * PER_BUFFER, 0 },
						   { 30 * PER_BUFFER, 6 * PER_BUFFER, 0 } };
	struct sick_disk d;
	struct skipped out;

	sick_open(&d, bad, 2, BUFFERS * SMALL);
	out = skim(&d, 0, 16, 0);
	for (unsigned i = 0; i < BUFFERS; i++) {
		bool skipped = i == 12 || i == 14 || i == 15 || (i >= 17 && i < 21) || i == 34 || i == 36 || i == 37;

		ck_assert_msg((im_areas_state(&out.areas, i * PER_BUFFER) == IM_NON_TRIED) == skipped, "buffer %u", i);
	}
	im_areas_free(&out.areas);
}
END_TEST

START_TEST(a_slow_buffer_is_given_up)
{
	/* Two reads of one second each, and one more, are all that a buffer gets. */
	static const struct sick_sectors bad[] = { { PER_BUFFER, 2 * PER_PIECE, 0 } };
	static const struct im_area expected[] = { { PER_BUFFER, 2 * PER_PIECE, IM_NON_TRIMMED },
						   { PER_BUFFER + 2 * PER_PIECE, 2 * PER_PIECE, IM_NON_TRIED } };
	struct sick_disk d;
	struct skipped out;

	sick_open(&d, bad, 1, BUFFERS * SMALL);
	d.bad_ns = 1000000000;
	out = skim(&d, 0, 16, 0);
	ck_assert_int_eq(out.code, 1);
	areas_are(&out.areas, expected, 2);
	im_areas_free(&out.areas);
	/* Time that good reads take is no matter. */
	sick_open(&d, NULL, 0, BUFFERS * SMALL);
	d.good_ns = 10000000000;
	out = skim(&d, 0, 16, 0);
	ck_assert_uint_eq(out.areas.list.n, 0);
	im_areas_free(&out.areas);
}
END_TEST

START_TEST(a_disk_that_vanishes_is_not_skipped)
{
	for (unsigned run = 0; run < 12; run++) {
		struct sick_disk d;
		struct skipped out;
		unsigned after = run < 6 ? 10 : 0; /* good reads */

		sick_open(&d, NULL, 0, BUFFERS * SMALL);
		d.vanish = after;
		d.silent = run % 2;
		out = skim(&d, run / 2 % 3, 16, 0);
		ck_assert_int_eq(out.code, CO_ERR_LOST);
		ck_assert_uint_le(out.bytes, after * SMALL);
		ck_assert_uint_eq(out.areas.list.n, 0);
		/* What was being read ahead fails as well, each with its pieces and at most five questions. */
		ck_assert_uint_le(d.reads, after + AHEAD * (1 + PIECES + 5));
		im_areas_free(&out.areas);
	}
}
END_TEST

START_TEST(a_disk_that_vanishes_in_a_dead_region_is_found_out)
{
	static const struct sick_sectors bad[] = { { 8 * PER_BUFFER, 40 * PER_BUFFER, 0 } };

	for (unsigned after = 9; after < 8 + 9 * (1 + PIECES + 1) + 1; after++) {
		struct sick_disk d;
		struct skipped out;

		sick_open(&d, bad, 1, BUFFERS * SMALL);
		d.vanish = after;
		d.silent = true;
		out = skim(&d, 0, 16, 0);
		ck_assert_int_eq(out.code, CO_ERR_LOST);
		im_areas_free(&out.areas);
	}
}
END_TEST

START_TEST(reading_can_begin_in_the_middle)
{
	static const struct sick_sectors bad[] = { { 5, 1, 0 }, { 40 * PER_BUFFER + 5, 1, 0 } };
	static const struct im_area expected[] = { { 40 * PER_BUFFER, PER_PIECE, IM_NON_TRIMMED } };
	uint64_t begins[] = { 0, SMALL, 40 * SMALL, 63 * SMALL, BUFFERS * SMALL };

	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
		struct sick_disk d;
		struct skipped out;

		sick_open(&d, bad, 2, BUFFERS * SMALL);
		out = skim(&d, 2, 16, begins[i]);
		ck_assert_int_eq(out.code, 1);
		ck_assert_uint_eq(out.bytes, BUFFERS * SMALL - begins[i]);
		if (i == 1 || i == 2)
			areas_are(&out.areas, expected, 1);
		ck_assert_uint_eq(out.areas.list.n, i == 0 ? 2 : i < 3);
		im_areas_free(&out.areas);
	}
}
END_TEST

START_TEST(there_is_nothing_to_begin_at_behind_the_end)
{
	struct sick_disk d;
	struct im_reader *r = NULL;
	struct co_err err = CO_ERR_INIT;
	struct im_reader_opts opts = { .source = &d.source, .unit = SECTOR, .ahead = 1, .begin = 2 * SMALL };

	sick_open(&d, NULL, 0, SMALL);
	ck_assert_int_eq(im_reader_open(&r, &opts, &err), CO_ERR_USAGE);
	ck_assert_ptr_null(r);
}
END_TEST

START_TEST(a_dead_beginning_is_skipped_too)
{
	/* Behind it the disk is good, and its middle is asked as long as nothing else is known. */
	static const struct sick_sectors bad[] = { { 0, 6 * PER_BUFFER, 0 } };
	static const struct im_area expected[] = { { 0, 4 * PER_BUFFER, IM_NON_TRIMMED },
						   { 4 * PER_BUFFER, PER_BUFFER, IM_NON_TRIED },
						   { 5 * PER_BUFFER, PER_BUFFER, IM_NON_TRIMMED },
						   { 6 * PER_BUFFER, 2 * PER_BUFFER, IM_NON_TRIED } };

	for (unsigned workers = 0; workers <= 2; workers++) {
		struct sick_disk d;
		struct skipped out;

		sick_open(&d, bad, 1, BUFFERS * SMALL);
		out = skim(&d, workers, 16, 0);
		ck_assert_int_eq(out.code, 1);
		areas_are(&out.areas, expected, 4);
		im_areas_free(&out.areas);
	}
}
END_TEST

Suite *t_skip_suite(void)
{
	Suite *s = suite_create("skip");
	TCase *c = tcase_create("skip");

	tcase_add_test(c, pieces_with_bad_sectors_are_left_out);
	tcase_add_test(c, dead_regions_are_skipped_in_growing_steps);
	tcase_add_test(c, a_readable_piece_ends_the_skipping);
	tcase_add_test(c, each_dead_region_begins_with_a_small_skip);
	tcase_add_test(c, a_slow_buffer_is_given_up);
	tcase_add_test(c, a_disk_that_vanishes_is_not_skipped);
	tcase_add_test(c, a_disk_that_vanishes_in_a_dead_region_is_found_out);
	tcase_add_test(c, reading_can_begin_in_the_middle);
	tcase_add_test(c, there_is_nothing_to_begin_at_behind_the_end);
	tcase_add_test(c, a_dead_beginning_is_skipped_too);
	suite_add_tcase(s, c);
	return s;
}
