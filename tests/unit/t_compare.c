/* SPDX-License-Identifier: Apache-2.0 */
/* An image and the files of a bag against the record of the acquisition. */
#include "acquire/compare.h"

#include "base/text.h"
#include "folder.h"
#include "suites.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define OTHER "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static char s1[] = "bag/data/ev.E01", s2[] = "bag/data/ev.E02", text[] = "text", other_text[] = "another";
static const char *names[2];
static char *recorded_names[2];
static uint64_t errors[8][2];
static struct co_e01_info info;
static struct im_recorded rec;
static struct co_str told; /* one sentence per line */

static void on_sentence(void *arg, const char *sentence)
{
	ck_assert_ptr_eq(arg, &told);
	co_str_addf(&told, "%s\n", sentence);
}

/* Nothing differs. */
static void set_up(void)
{
	names[0] = recorded_names[0] = s1;
	names[1] = recorded_names[1] = s2;
	memset(errors, 0, sizeof errors);
	info = (struct co_e01_info) { .media_size = 10240,
				      .sector_size = 512,
				      .n_segments = 2,
				      .guid = { 1, 2 },
				      .segment_names = names,
				      .errors = (const uint64_t(*)[2])errors };
	rec = (struct im_recorded) {
		.media_bytes = 10000, .padding_bytes = 240, .guid = { 1, 2 }, .segments = { recorded_names, 2, 2 }
	};
	told = (struct co_str) { 0 };
}

static void tear_down(void)
{
	im_ranges_free(&rec.unreadable);
	co_str_free(&told);
}

static void check(const char *want)
{
	co_str_clear(&told);
	im_compare_header(&info, &rec, on_sentence, &told);
	ck_assert_str_eq(co_str_get(&told), want);
}

START_TEST(the_same_is_the_same)
{
	check("");
	rec.examiner = rec.notes = text;
	info.examiner = info.notes = text;
	check("");
}
END_TEST

START_TEST(identity_and_size_are_compared)
{
	rec.guid[15] = 1;
	check("the GUID of the image is not the one in the record: it belongs to another acquisition\n");
	rec.guid[15] = 0;
	rec.media_bytes = 9999;
	check("the image holds 10240 bytes, but the record states 9999 and a padding of 240\n");
	rec.media_bytes = 10000;
	rec.segments.n = 1;
	check("the image has 2 segments, but the record states 1\n");
	rec.segments.n = 2;
	names[0] = s2;
	names[1] = s1;
	check("bag/data/ev.E02 holds segment 1, which the record names bag/data/ev.E01: the names were exchanged\n"
	      "bag/data/ev.E01 holds segment 2, which the record names bag/data/ev.E02: the names were exchanged\n");
}
END_TEST

static const struct {
	const char *what;
	size_t recorded, stored;
} texts[] = {
#define TEXT(what, field) \
	{ \
		what, offsetof(struct im_recorded, field), offsetof(struct co_e01_info, field) \
	}
	TEXT("case number", case_number),
	TEXT("evidence number", evidence_number),
	TEXT("examiner", examiner),
	TEXT("description", description),
	TEXT("notes", notes),
	TEXT("model", model),
	TEXT("serial number", serial),
	TEXT("date", acquiry_date),
};

START_TEST(texts_are_compared)
{
	char want[256];

	*(char **)((char *)&rec + texts[_i].recorded) = text;
	snprintf(want, sizeof want, "the header of the image states another %s than the record: \"\", not \"text\"\n",
		 texts[_i].what);
	check(want);
	*(const char **)((char *)&info + texts[_i].stored) = other_text;
	snprintf(want, sizeof want,
		 "the header of the image states another %s than the record: \"another\", not \"text\"\n",
		 texts[_i].what);
	check(want);
	*(const char **)((char *)&info + texts[_i].stored) = text;
	check("");
}
END_TEST

static void range(unsigned i, uint64_t first, uint64_t n)
{
	errors[i][0] = first;
	errors[i][1] = n;
	info.n_errors = i + 1;
}

static void check_errors(uint64_t from)
{
	char want[160];

	snprintf(want, sizeof want,
		 "the list of unreadable sectors in the image is not the one in the record: they differ from sector "
		 "%llu on\n",
		 (unsigned long long)from);
	check(want);
}

START_TEST(unreadable_sectors_are_compared)
{
	range(0, 5, 1);
	check_errors(5);
	info.n_errors = 0;
	ck_assert_int_eq(im_ranges_add(&rec.unreadable, 2, 3), 0);
	check_errors(2);
	/* in other pieces and another order: the same */
	range(0, 4, 1);
	range(1, 2, 2);
	check("");
	range(1, 2, 1);
	check_errors(3);
	range(1, 2, 3);
	check("");
	range(1, 1, 3);
	check_errors(1);
	range(1, 2, 4);
	check_errors(5);
	range(1, 2, 2);
	ck_assert_int_eq(im_ranges_add(&rec.unreadable, 100, 1), 0);
	check_errors(100);
	range(2, 100, 1);
	check("");
	/* what the list of an image can't hold is not missed in it */
	ck_assert_int_eq(im_ranges_add(&rec.unreadable, UINT64_C(0xFFFFFFFE), 4), 0);
	ck_assert_int_eq(im_ranges_add(&rec.unreadable, UINT64_C(0x100000010), 1), 0);
	check_errors(UINT64_C(0xFFFFFFFE));
	range(3, UINT64_C(0xFFFFFFFE), 2);
	check("");
}
END_TEST

START_TEST(segments_are_compared_with_their_digests)
{
	IM_CLEANUP_BAG_FILES struct im_bag_files_found files = { 0 };
	struct im_recorded_segment facts[2] = { { 1, ABC }, { 2, ABC } };
	char bag[600], first[700], second[700], want[2000];
	struct folder dir;

	folder_make(&dir);
	ck_assert_int_eq(mkdir(in_folder(&dir, "data"), 0700), 0);
	snprintf(bag, sizeof bag, "%s", dir.name);
	snprintf(first, sizeof first, "%s/data/ev.E01", bag);
	snprintf(second, sizeof second, "%s/data/ev.E02", bag);
	recorded_names[0] = first;
	recorded_names[1] = second;
	rec.segment_facts.at = facts;
	rec.segment_facts.n = 2;
	folder_write(&dir, "data/foreign", "EVF\t\r\n\xff\0\1\1\0\0\0", 13);
	folder_puts(&dir, "data/other", "no segment, and not in the record either");
	ck_assert_int_eq(im_bag_file_add(&files, "data/ev.E01", ABC), 0);
	ck_assert_int_eq(im_bag_file_add(&files, "data/ev.E02", OTHER), 0);
	ck_assert_int_eq(im_bag_file_add(&files, "data/foreign", ABC), 0);
	ck_assert_int_eq(im_bag_file_add(&files, "data/other", ABC), 0);
	im_compare_segments(bag, &files, &rec, on_sentence, &told);
	snprintf(want, sizeof want,
		 "%s is not the segment that was recorded: its SHA-256 is " OTHER ", not " ABC "\n"
		 "%s/data/foreign is a segment of an image that the record does not name\n",
		 second, bag);
	ck_assert_str_eq(co_str_get(&told), want);
	folder_remove(&dir);
}
END_TEST

Suite *t_compare_suite(void)
{
	Suite *suite = suite_create("compare");
	TCase *tc = tcase_create("compare");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, the_same_is_the_same);
	tcase_add_test(tc, identity_and_size_are_compared);
	tcase_add_loop_test(tc, texts_are_compared, 0, (int)(sizeof texts / sizeof texts[0]));
	tcase_add_test(tc, unreadable_sectors_are_compared);
	tcase_add_test(tc, segments_are_compared_with_their_digests);
	suite_add_tcase(suite, tc);
	return suite;
}
