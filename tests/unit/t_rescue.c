/* SPDX-License-Identifier: Apache-2.0 */
#include "read/rescue.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "read/reader.h"
#include "run/cancel.h"

#include "folder.h"
#include "sick_disk.h"
#include "suites.h"

#define PIECE 128            /* sectors */
#define SECTORS (64 * PIECE) /* of most disks here */
#define SIZE (SECTORS * SECTOR)

static uint8_t image[SIZE];

/* What the callbacks see and do. */
struct watch {
	struct sick_disk *disk;
	char passes[256];          /* names, each followed by a blank */
	const char *vanish_at;     /* the pass in whose beginning the disk vanishes */
	unsigned vanish_after;     /* so many reads */
	struct im_areas before;    /* the areas then */
	int fail_found, fail_pass; /* codes */
	unsigned found;
	uint64_t last_found; /* byte */
	unsigned reads_before_trim;
};

static int on_found(void *arg, uint64_t off, const void *data, size_t len, struct co_err *err)
{
	struct watch *w = arg;

	w->found++;
	w->last_found = off;
	if (w->fail_found)
		return co_err_set(err, w->fail_found, 0, "the image can't be written");
	ck_assert_uint_le(off + len, SIZE);
	ck_assert_uint_gt(len, 0);
	ck_assert_uint_le(len, PIECE * SECTOR);
	memcpy(image + off, data, len);
	return 0;
}

static int on_pass(void *arg, const char *name, const struct im_areas *areas, struct co_err *err)
{
	struct watch *w = arg;

	ck_assert_uint_lt(strlen(w->passes) + strlen(name) + 2, sizeof w->passes);
	strncat(w->passes, name, sizeof w->passes - strlen(w->passes) - 1);
	strncat(w->passes, " ", sizeof w->passes - strlen(w->passes) - 1);
	if (strcmp(name, "trim") == 0)
		w->reads_before_trim = w->disk->reads;
	if (w->fail_pass)
		return co_err_set(err, w->fail_pass, 0, "the state can't be saved");
	if (w->vanish_at && strcmp(name, w->vanish_at) == 0) {
		w->disk->vanish = w->vanish_after;
		ck_assert_int_eq(im_areas_copy(&w->before, areas), 0);
	}
	return 0;
}

static struct im_rescue_opts options(struct sick_disk *d, struct watch *w)
{
	w->disk = d;
	return (struct im_rescue_opts) { .source = &d->source,
					 .unit = SECTOR,
					 .found = on_found,
					 .pass = on_pass,
					 .arg = w,
					 .good = UINT64_MAX,
					 .clock = sick_clock };
}

/* Everything was skipped but the first sector. */
static void all_skipped(struct im_areas *areas)
{
	*areas = (struct im_areas) { 0 };
	ck_assert_int_eq(im_areas_add(areas, 1, SECTORS - 1, IM_NON_TRIED), 0);
	memset(image, 0, SIZE);
	sick_fill(image, SECTOR, 0);
}

/* The image is that of the disk, with zeros in what is not finished. */
static void check_image(const struct im_areas *areas)
{
	for (uint64_t u = 0; u < SECTORS; u++) {
		bool read = im_areas_state(areas, u) == IM_FINISHED;

		if (!sick_is_sector(image + u * SECTOR, u * SECTOR, read))
			ck_abort_msg("sector %llu", (unsigned long long)u);
	}
}

/* Exactly these sectors are bad, and nothing else is left. */
static void only_bad(const struct im_areas *areas, const struct sick_sectors *bad, size_t n)
{
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++) {
		for (uint64_t u = 0; u < bad[i].count; u++)
			ck_assert_int_eq((char)im_areas_state(areas, bad[i].first + u), IM_BAD);
		total += bad[i].count;
	}
	ck_assert_uint_eq(im_areas_unfinished(areas), total);
}

static bool same(const struct im_areas *a, const struct im_areas *b)
{
	if (a->list.n != b->list.n)
		return false;
	for (size_t i = 0; i < a->list.n; i++)
		if (a->list.at[i].first != b->list.at[i].first || a->list.at[i].count != b->list.at[i].count ||
		    a->list.at[i].state != b->list.at[i].state)
			return false;
	return true;
}

/* First the reader, as in an acquisition. */
static void skim(struct sick_disk *d, struct im_areas *ret)
{
	struct co_err err = CO_ERR_INIT;
	struct co_bufs *bufs = NULL;
	struct im_reader *r = NULL;
	struct co_buf *buf;
	struct im_reader_opts opts = {
		.source = &d->source, .unit = SECTOR, .workers = 0, .ahead = 4, .skip = true, .clock = sick_clock
	};

	ck_assert_int_eq(co_bufs_open(&bufs, 8, 4 * PIECE * SECTOR, &err), 0);
	opts.bufs = bufs;
	ck_assert_int_eq(im_reader_open(&r, &opts, &err), 0);
	while (im_reader_fill(r), im_reader_next(r, &buf, &err) == 0) {
		memcpy(image + buf->off, buf->data, buf->len);
		co_buf_unref(buf);
	}
	ck_assert_int_eq(im_areas_copy(ret, im_reader_areas(r)), 0);
	im_reader_close(r);
	co_bufs_close(bufs);
}

START_TEST(exactly_the_bad_sectors_are_lost)
{
	/* The first, the last, alone, in rows across pieces and buffers, two in a piece, a dead region. */
	static const struct sick_sectors bad[] = {
		{ 0, 1, 0 },    { 200, 1, 0 },  { 383, 2, 0 },    { 511, 1, 0 },     { 512, 1, 0 },
		{ 1000, 1, 0 }, { 1010, 3, 0 }, { 1100, 300, 0 }, { 2048, 2600, 0 }, { SECTORS - 1, 1, 0 },
	};
	size_t n = sizeof bad / sizeof bad[0];
	struct sick_disk d;
	struct watch w = { 0 };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;
	struct im_areas areas;

	sick_open(&d, bad, n, SIZE);
	skim(&d, &areas);
	ck_assert_uint_gt(im_areas_total(&areas, IM_NON_TRIED), 0);
	opts.retries = 2;
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
	only_bad(&areas, bad, n);
	check_image(&areas);
	ck_assert_str_eq(w.passes, "copy copy backward trim scrape retry 1 retry 2 ");
	im_areas_free(&areas);
}
END_TEST

START_TEST(random_bad_sectors_are_found_exactly)
{
	uint32_t seed = 1;

	for (int round = 0; round < 30; round++) {
		struct sick_sectors bad[20];
		struct sick_disk d;
		struct watch w = { 0 };
		struct im_rescue_opts opts = options(&d, &w);
		struct co_err err = CO_ERR_INIT;
		struct im_areas areas;
		uint64_t at = 1; /* the first sector is readable */
		size_t n = 0;

		while (n < 20) {
			seed = seed * 1664525 + 1013904223;
			at += 1 + (seed >> 16) % (round % 2 ? 1000 : 100);
			seed = seed * 1664525 + 1013904223;
			bad[n] = (struct sick_sectors) { at, 1 + (seed >> 16) % (round % 3 ? 3 : 400), 0 };
			at += bad[n].count;
			if (at > SECTORS)
				break;
			n++;
		}
		sick_open(&d, bad, n, SIZE);
		if (round % 2)
			skim(&d, &areas);
		else
			all_skipped(&areas);
		opts.retries = 1;
		ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
		only_bad(&areas, bad, n);
		check_image(&areas);
		im_areas_free(&areas);
	}
}
END_TEST

START_TEST(a_short_last_sector_is_read)
{
	static const struct sick_sectors bad[] = { { 1, 1, 0 } };
	struct sick_disk d;
	struct watch w = { 0 };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;

	for (int state = 0; state < 5; state++) {
		struct im_areas areas = { 0 };

		sick_open(&d, bad, 1, 4 * SECTOR + 100);
		memset(image, 0, SIZE);
		ck_assert_int_eq(im_areas_add(&areas, 1, 4, (enum im_state) "?*/--"[state]), 0);
		opts.retries = state < 4 ? 1 : 2;
		ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
		only_bad(&areas, bad, 1);
		for (uint64_t off = 2 * SECTOR; off < 4 * SECTOR + 100; off++)
			ck_assert_uint_eq(image[off], *sick_bytes(off));
		ck_assert_uint_eq(image[4 * SECTOR + 100], 0);
		im_areas_free(&areas);
	}
}
END_TEST

START_TEST(retries_recover_what_fails_for_a_while)
{
	/* Each place fails in the copy of its piece, when it is trimmed, and then as often as is told. */
	static const struct sick_sectors bad[] = { { 10, 1, 3 }, { 300, 1, 4 }, { 1000, 1, 5 } };

	for (unsigned retries = 0; retries <= 4; retries++) {
		struct sick_disk d;
		struct watch w = { 0 };
		struct im_rescue_opts opts = options(&d, &w);
		struct co_err err = CO_ERR_INIT;
		struct im_areas areas;

		sick_open(&d, bad, 3, SIZE);
		all_skipped(&areas);
		opts.retries = retries;
		ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
		ck_assert_uint_eq(im_areas_total(&areas, IM_BAD), retries < 4 ? (retries ? 4 - retries : 3) : 0);
		check_image(&areas);
		/* A retry with nothing left to read is none. */
		if (retries == 4)
			ck_assert_ptr_nonnull(strstr(w.passes, "retry 4"));
		im_areas_free(&areas);
	}
}
END_TEST

START_TEST(dead_regions_cost_few_reads_before_the_rest_is_read)
{
	/* All but the first sector and the last 12 pieces. */
	static const struct sick_sectors bad[] = { { 1, 52 * PIECE - 1, 0 } };
	struct sick_disk d;
	struct watch w = { 0 };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;
	struct im_areas areas;

	sick_open(&d, bad, 1, SIZE);
	all_skipped(&areas);
	opts.area_ns = 1; /* one failing read for each area in each pass */
	d.bad_ns = 2;
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
	check_image(&areas);
	ck_assert_str_eq(w.passes, "copy copy backward copy rest trim ");
	/* An area at the beginning; what is left, backward, first reads the good end; one more; two at its edges. */
	ck_assert_uint_le(d.failures, 1 + 1 + 1 + 4 + 2);
	ck_assert_uint_gt(im_areas_total(&areas, IM_NON_TRIED), 40 * PIECE);
	ck_assert_uint_le(im_areas_unfinished(&areas), 53 * PIECE);
	im_areas_free(&areas);

	/* Without a bound each piece is read once until "trim", with at most one question to the disk for each. */
	w = (struct watch) { 0 };
	opts = options(&d, &w);
	sick_open(&d, bad, 1, SIZE);
	all_skipped(&areas);
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
	only_bad(&areas, bad, 1);
	ck_assert_uint_le(w.reads_before_trim, 2 * (SECTORS / PIECE + 1));
	/* And each sector of them once. */
	ck_assert_uint_le(d.failures, 54 + 52 * PIECE);
	im_areas_free(&areas);
}
END_TEST

START_TEST(skips_double_until_something_is_readable)
{
	static const struct sick_sectors bad[] = { { 1, 40 * PIECE, 0 } };
	struct sick_disk d;
	struct watch w = { .fail_pass = 0 };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;
	struct im_areas areas;

	sick_open(&d, bad, 1, SIZE);
	all_skipped(&areas);
	d.bad_ns = 1;
	opts.total_ns = 5; /* exactly the forward copy, and one read that is too late */
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), 1);
	/* Pieces 0, 2, 5, 10, 19, 36 fail; behind the last one 32 are left out. */
	for (uint64_t piece = 0; piece < 63; piece++) {
		bool read = piece == 0 || piece == 2 || piece == 5 || piece == 10 || piece == 19 || piece == 36;

		ck_assert_int_eq((char)im_areas_state(&areas, 1 + piece * PIECE), read ? IM_NON_TRIMMED : IM_NON_TRIED);
	}
	ck_assert_uint_eq(d.failures, 6);
	im_areas_free(&areas);
}
END_TEST

START_TEST(the_time_of_an_area_is_bounded)
{
	static const struct sick_sectors bad[] = { { 100, 100, 0 }, { 400, 100, 0 } };
	static const char states[] = "*/-";

	for (int i = 0; i < 3; i++) {
		struct sick_disk d;
		struct watch w = { 0 };
		struct im_rescue_opts opts = options(&d, &w);
		struct co_err err = CO_ERR_INIT;
		struct im_areas areas = { 0 };

		sick_open(&d, bad, 2, SIZE);
		memset(image, 0, SIZE);
		for (int k = 0; k < 2; k++)
			ck_assert_int_eq(im_areas_add(&areas, bad[k].first, 100, (enum im_state)states[i]), 0);
		opts.retries = 1;
		opts.area_ns = 49;
		d.bad_ns = 10;
		ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
		/* Five failing reads in each area and pass; a trim has but two. */
		if (states[i] == '/') {
			ck_assert_uint_eq(d.failures, 20);
			ck_assert_uint_eq(im_areas_total(&areas, IM_BAD), 10);
			ck_assert_uint_eq(im_areas_total(&areas, IM_NON_SCRAPED), 190);
		} else if (states[i] == '-') {
			ck_assert_uint_eq(d.failures, 10);
			ck_assert_uint_eq(im_areas_total(&areas, IM_BAD), 200);
		} else {
			/* The two edges and five more units, which are three areas for the retry. */
			ck_assert_uint_eq(im_areas_total(&areas, IM_BAD), 14);
			ck_assert_uint_eq(im_areas_total(&areas, IM_NON_SCRAPED), 186);
		}
		im_areas_free(&areas);
	}
}
END_TEST

START_TEST(an_interrupted_trim_keeps_its_state)
{
	static const struct sick_sectors bad[] = { { 100, 100, 0 } };
	struct sick_disk d;
	struct watch w = { 0 };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;
	struct im_areas areas = { 0 };

	sick_open(&d, bad, 1, SIZE);
	memset(image, 0, SIZE);
	ck_assert_int_eq(im_areas_add(&areas, 90, 120, IM_NON_TRIMMED), 0);
	opts.area_ns = 1;
	d.bad_ns = 10;
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
	ck_assert_uint_eq(areas.list.n, 2);
	ck_assert_uint_eq(im_areas_total(&areas, IM_BAD), 1);
	ck_assert_uint_eq(im_areas_total(&areas, IM_NON_TRIMMED), 109);
	for (uint64_t off = 90 * SECTOR; off < 100 * SECTOR; off++)
		ck_assert_uint_eq(image[off], *sick_bytes(off));
	im_areas_free(&areas);
}
END_TEST

START_TEST(the_whole_time_is_bounded)
{
	static const struct sick_sectors bad[] = { { 1, SECTORS / 2, 0 } };
	struct sick_disk d;
	struct watch w = { 0 };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;
	struct im_areas areas;

	sick_open(&d, bad, 1, SIZE);
	all_skipped(&areas);
	d.bad_ns = 1000;
	d.good_ns = 1;
	opts.total_ns = 100000;
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), 1);
	ck_assert_uint_le(d.failures, 101);
	ck_assert_uint_ge(d.failures, 98);
	check_image(&areas);
	im_areas_free(&areas);
}
END_TEST

/* The places of the five passes that have something to do, and the disk is gone in the beginning of each. */
START_TEST(a_disk_that_vanishes_is_lost_and_the_areas_stay)
{
	static const struct sick_sectors bad[] = { { 10, 1, 0 }, { 20, 3, 0 }, { 200, 300, 0 }, { 600, 1, 0 } };
	static const char *const passes[] = { "copy",   "copy backward", "copy rest", "trim",
					      "scrape", "retry 1",       "retry 2" };

	for (unsigned i = 0; i < 14; i++) {
		struct sick_disk d;
		struct watch w = { .vanish_at = passes[i / 2] };
		struct im_rescue_opts opts = options(&d, &w);
		struct co_err err = CO_ERR_INIT;
		struct im_areas areas;

		sick_open(&d, bad, 4, SIZE);
		d.silent = i % 2;
		all_skipped(&areas);
		opts.retries = 2;
		opts.good = 0;
		ck_assert_int_eq(im_rescue(&areas, &opts, &err), CO_ERR_LOST);
		ck_assert_msg(same(&areas, &w.before), "areas changed in %s", passes[i / 2]);
		ck_assert_str_ne(err.msg, "");
		im_areas_free(&areas);
		im_areas_free(&w.before);
	}
}
END_TEST

/* However many reads went well in a pass: nothing readable is called bad, and nothing that was read is thrown away. */
START_TEST(what_was_read_before_a_loss_is_kept)
{
	static const struct sick_sectors bad[] = { { 10, 1, 0 }, { 20, 3, 0 }, { 200, 300, 0 }, { 600, 1, 0 } };

	unsigned lost = 0;

	for (unsigned after = 0; after < 900; after += 17) {
		struct sick_disk d;
		struct watch w = { .vanish_at = "trim", .vanish_after = after };
		struct im_rescue_opts opts = options(&d, &w);
		struct co_err err = CO_ERR_INIT;
		struct im_areas areas;
		unsigned good, bad_units = 0;
		int code;

		sick_open(&d, bad, 4, SIZE);
		d.silent = after % 2;
		all_skipped(&areas);
		code = im_rescue(&areas, &opts, &err);
		/* It ends well only if the disk was there to the last read. */
		ck_assert(code == CO_ERR_LOST || d.reads <= w.reads_before_trim + after);
		lost += code == CO_ERR_LOST;
		check_image(&areas);
		for (uint64_t u = 0; u < SECTORS; u++) {
			bool is_bad = false;

			for (int k = 0; k < 4; k++)
				is_bad |= u >= bad[k].first && u < bad[k].first + bad[k].count;
			bad_units += is_bad;
			ck_assert(is_bad || im_areas_state(&areas, u) != IM_BAD);
		}
		good = d.reads - d.failures;
		ck_assert_uint_ge(good, 1);
		ck_assert_uint_ge(im_areas_unfinished(&areas), bad_units);
		im_areas_free(&areas);
		im_areas_free(&w.before);
	}
	ck_assert_uint_gt(lost, 30);
}
END_TEST

START_TEST(the_last_units_before_a_loss_are_handed_over)
{
	struct sick_disk d;
	struct watch w = { .vanish_at = "trim", .vanish_after = 50 };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;
	struct im_areas areas = { 0 };

	sick_open(&d, NULL, 0, SIZE);
	ck_assert_int_eq(im_areas_add(&areas, 128, 128, IM_NON_TRIMMED), 0);
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), CO_ERR_LOST);
	ck_assert_uint_eq(im_areas_total(&areas, IM_NON_TRIMMED), 78);
	ck_assert_uint_eq(im_areas_unfinished(&areas), 78);
	ck_assert_uint_eq(w.found, 1);
	im_areas_free(&areas);
	im_areas_free(&w.before);
}
END_TEST

/* Whether each read of the dead disk fails slowly or at once. */
START_TEST(a_loss_is_found_within_seconds)
{
	for (int slow = 0; slow < 2; slow++) {
		struct sick_disk d;
		struct watch w = { .vanish_at = "scrape" };
		struct im_rescue_opts opts = options(&d, &w);
		struct co_err err = CO_ERR_INIT;
		struct im_areas areas = { 0 };
		int64_t start = sick_clock();

		sick_open(&d, NULL, 0, SIZE);
		d.silent = true;
		d.bad_ns = slow ? 1500000000 : 1000000;
		ck_assert_int_eq(im_areas_add(&areas, 1000, 5000, IM_NON_SCRAPED), 0);
		opts.good = 0;
		ck_assert_int_eq(im_rescue(&areas, &opts, &err), CO_ERR_LOST);
		ck_assert_uint_le(d.reads, slow ? 1 + 3 : 64 + 3);
		ck_assert_int_le(sick_clock() - start, 6 * CO_NS_PER_S);
		ck_assert_uint_eq(im_areas_total(&areas, IM_NON_SCRAPED), 5000);
		im_areas_free(&areas);
		im_areas_free(&w.before);
	}
}
END_TEST

START_TEST(retries_change_the_direction)
{
	for (unsigned fails = 0; fails < 3; fails++) {
		struct sick_sectors bad[] = { { 10, 1, fails }, { 300, 1, fails } };
		struct sick_disk d;
		struct watch w = { 0 };
		struct im_rescue_opts opts = options(&d, &w);
		struct co_err err = CO_ERR_INIT;
		struct im_areas areas = { 0 };

		sick_open(&d, bad, fails ? 2 : 0, SIZE);
		ck_assert_int_eq(im_areas_add(&areas, 10, 1, IM_BAD), 0);
		ck_assert_int_eq(im_areas_add(&areas, 300, 1, IM_BAD), 0);
		opts.retries = fails + 1;
		ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
		ck_assert_uint_eq(areas.list.n, 0);
		ck_assert_uint_eq(w.last_found, (fails % 2 ? 10 : 300) * SECTOR);
		im_areas_free(&areas);
	}
}
END_TEST

START_TEST(a_wholly_bad_disk_without_a_known_good_place_ends)
{
	static const struct sick_sectors bad[] = { { 0, 300, 0 } };
	struct sick_disk d;
	struct watch w = { 0 };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;
	struct im_areas areas = { 0 };

	sick_open(&d, bad, 1, 300 * SECTOR);
	ck_assert_int_eq(im_areas_add(&areas, 0, 300, IM_NON_TRIED), 0);
	opts.retries = 1;
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
	only_bad(&areas, bad, 1);
	im_areas_free(&areas);
}
END_TEST

START_TEST(callbacks_can_end_it)
{
	static const struct sick_sectors bad[] = { { 10, 1, 0 } };
	struct sick_disk d;
	struct watch w = { .fail_found = CO_ERR_OUTPUT };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;
	struct im_areas areas, before;

	sick_open(&d, bad, 1, SIZE);
	all_skipped(&areas);
	ck_assert_int_eq(im_areas_copy(&before, &areas), 0);
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), CO_ERR_OUTPUT);
	ck_assert_uint_eq(w.found, 1);
	/* The piece that failed is entered; what could not be handed over is not finished. */
	ck_assert_uint_eq(im_areas_unfinished(&areas), im_areas_unfinished(&before));
	w.fail_found = 0;
	w.fail_pass = CO_ERR_OUTPUT;
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), CO_ERR_OUTPUT);
	ck_assert_uint_eq(w.found, 1);
	ck_assert_uint_eq(im_areas_unfinished(&areas), im_areas_unfinished(&before));
	/* And it goes on from there. */
	w.fail_pass = 0;
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
	only_bad(&areas, bad, 1);
	check_image(&areas);
	im_areas_free(&areas);
	im_areas_free(&before);
}
END_TEST

START_TEST(nothing_to_do_is_no_pass)
{
	struct sick_disk d;
	struct watch w = { 0 };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;
	struct im_areas areas = { 0 };

	sick_open(&d, NULL, 0, SIZE);
	opts.retries = 3;
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
	ck_assert_str_eq(w.passes, "");
	ck_assert_uint_eq(d.reads, 0);
}
END_TEST

START_TEST(readable_units_are_handed_over_together)
{
	static const struct sick_sectors bad[] = { { 200, 1, 0 } };
	struct sick_disk d;
	struct watch w = { 0 };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;
	struct im_areas areas = { 0 };

	sick_open(&d, bad, 1, SIZE);
	ck_assert_int_eq(im_areas_add(&areas, 128, 128, IM_NON_TRIMMED), 0);
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
	only_bad(&areas, bad, 1);
	ck_assert_uint_eq(w.found, 2);
	/* The units of the piece once each, and the question after each failing one. */
	ck_assert_uint_le(d.reads, 128 + 1);
	im_areas_free(&areas);
}
END_TEST

START_TEST(joined_areas_lose_no_data)
{
	struct sick_sectors bad[60];
	struct sick_disk d;
	struct watch w = { 0 };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;
	struct im_areas areas;

	for (unsigned i = 0; i < 60; i++)
		bad[i] = (struct sick_sectors) { 5 + 100 * i, 1, 0 };
	sick_open(&d, bad, 60, SIZE);
	all_skipped(&areas);
	areas.max = 10;
	opts.retries = 1;
	ck_assert_int_eq(im_rescue(&areas, &opts, &err), 0);
	ck_assert_uint_gt(areas.joined, 0);
	ck_assert_uint_le(areas.list.n, 10);
	for (unsigned i = 0; i < 60; i++)
		ck_assert_int_ne((char)im_areas_state(&areas, bad[i].first), IM_FINISHED);
	for (uint64_t off = 0; off < SIZE; off += SECTOR)
		if (im_areas_state(&areas, off / SECTOR) == IM_FINISHED && !sick_is_sector(image + off, off, true))
			ck_abort_msg("sector %llu", (unsigned long long)off / SECTOR);
	im_areas_free(&areas);
}
END_TEST

static int stop_at_third(void *arg, uint64_t off, const void *data, size_t len, struct co_err *err)
{
	struct watch *w = arg;

	(void)off, (void)data, (void)len, (void)err;
	if (++w->found == 3)
		raise(SIGINT);
	return 0;
}

/* In a process of its own, since a request to stop is never taken back. */
START_TEST(it_can_be_interrupted)
{
	struct sick_disk d;
	struct watch w = { 0 };
	struct im_rescue_opts opts = options(&d, &w);
	struct co_err err = CO_ERR_INIT;
	struct im_areas areas;
	int status;
	pid_t pid;

	sick_open(&d, NULL, 0, SIZE);
	all_skipped(&areas);
	opts.found = stop_at_third;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		bool ok = co_cancel_install(&err) == 0 && im_rescue(&areas, &opts, &err) == CO_ERR_CANCELED &&
			  w.found <= 4 && im_areas_unfinished(&areas) == SECTORS - 1 - w.found * PIECE;

		_exit(ok ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	im_areas_free(&areas);
}
END_TEST

Suite *t_rescue_suite(void)
{
	Suite *s = suite_create("rescue");
	TCase *c = tcase_create("rescue");

	tcase_add_test(c, exactly_the_bad_sectors_are_lost);
	tcase_add_test(c, random_bad_sectors_are_found_exactly);
	tcase_add_test(c, a_short_last_sector_is_read);
	tcase_add_test(c, retries_recover_what_fails_for_a_while);
	tcase_add_test(c, dead_regions_cost_few_reads_before_the_rest_is_read);
	tcase_add_test(c, skips_double_until_something_is_readable);
	tcase_add_test(c, the_time_of_an_area_is_bounded);
	tcase_add_test(c, an_interrupted_trim_keeps_its_state);
	tcase_add_test(c, the_whole_time_is_bounded);
	tcase_add_test(c, a_disk_that_vanishes_is_lost_and_the_areas_stay);
	tcase_add_test(c, what_was_read_before_a_loss_is_kept);
	tcase_add_test(c, the_last_units_before_a_loss_are_handed_over);
	tcase_add_test(c, a_loss_is_found_within_seconds);
	tcase_add_test(c, retries_change_the_direction);
	tcase_add_test(c, a_wholly_bad_disk_without_a_known_good_place_ends);
	tcase_add_test(c, callbacks_can_end_it);
	tcase_add_test(c, nothing_to_do_is_no_pass);
	tcase_add_test(c, readable_units_are_handed_over_together);
	tcase_add_test(c, joined_areas_lose_no_data);
	tcase_add_test(c, it_can_be_interrupted);
	suite_add_tcase(s, c);
	return s;
}
