/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/record_read.h"

#include "acquire/blocks.h"
#include "acquire/events.h"
#include "acquire/events_read.h"
#include "acquire/report.h"
#include "base/clock.h"
#include "folder.h"
#include "suites.h"

#define SOME_SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct folder *dir;
static struct im_guard guard;
static struct im_record rec;

static void set_up(void)
{
	static char path[] = "/dev/sdx\n\xff", segment[] = "ev.E01", part[] = "ev.E01.part";

	dir = calloc(1, sizeof *dir);
	ck_assert_ptr_nonnull(dir);
	folder_make(dir);
	ck_assert_int_eq(mkdir(in_folder(dir, "data"), 0700), 0);
	guard = IM_GUARD_NONE;
	guard.device.path = strdup(path);
	snprintf(guard.device.model, sizeof guard.device.model, "A disk");
	snprintf(guard.device.serial, sizeof guard.device.serial, "S-1");
	rec = (struct im_record) { .name = "ev",
				   .block_digests = true,
				   .command_line = "exhibit-imager acquire",
				   .info = { .case_number = "C-1", .examiner = "J\xc3\xbcrgen \"X\"\nY" },
				   .guard = &guard,
				   .acquired_ns = INT64_C(1600000000) * CO_NS_PER_S,
				   .media_bytes = 10000,
				   .padding_bytes = 240,
				   .sector = 512,
				   .read_bytes = 10000,
				   .have_digests = true,
				   .guid = { 1, 2, 3 },
				   .n_bags = 1,
				   .bags = { { .path = "bag-1",
					       .status = IM_STATUS_COMPLETE_WITH_ERRORS,
					       .published = true,
					       .verification = IM_VERIFICATION_MATCH } } };
	for (int alg = 0; alg < CO_HASH_N; alg++) {
		rec.digests.plain.set |= CO_HASH_BIT(alg);
		rec.digests.plain.of[alg].alg = (enum co_hash_alg)alg;
		rec.digests.plain.of[alg].bytes[0] = 0x5a;
	}
	rec.digests.padded = rec.digests.plain;
	rec.digests.padded.of[CO_HASH_MD5].bytes[0] = 0xa5;
	rec.bags[0].decoded = rec.digests;
	ck_assert_int_eq(im_ranges_add(&rec.bad, 2, 1), 0);
	ck_assert_int_eq(im_ranges_add(&rec.bad, 3, 1), 0);
	ck_assert_int_eq(im_ranges_add(&rec.bad, 19, 1), 0);
	ck_assert_int_eq(co_vec_push(&rec.bags[0].segments, (struct im_segment) { .name = strdup(segment),
										  .part = strdup(part),
										  .bytes = 7,
										  .sha256 = SOME_SHA256 }),
			 0);
	rec.bags[0].events = (struct im_events_head) { 9, SOME_SHA256 };
}

static void tear_down(void)
{
	im_record_free(&rec);
	im_guard_close(&guard);
	folder_remove(dir);
	free(dir);
}

static void write_record(void)
{
	struct co_str s = { 0 };
	struct co_err err = CO_ERR_INIT;

	ck_assert_int_eq(im_record_text(&rec, &rec.bags[0], &s, &err), 0);
	folder_puts(dir, "data/ev.manifest.json", co_str_get(&s));
	co_str_free(&s);
}

START_TEST(the_record_is_read_back)
{
	struct im_recorded r = { 0 };
	struct co_err err = CO_ERR_INIT;
	char expected[512];

	write_record();
	ck_assert_int_eq(im_record_read(&r, dir->name, &err), 0);
	ck_assert_str_eq(r.name, "ev");
	ck_assert_str_eq(r.status, "complete-with-errors");
	ck_assert_str_eq(r.case_number, "C-1");
	ck_assert_ptr_null(r.evidence_number);
	ck_assert_str_eq(r.examiner, rec.info.examiner);
	ck_assert_uint_eq(r.media_bytes, 10000);
	ck_assert_uint_eq(r.padding_bytes, 240);
	ck_assert_uint_eq(r.unreadable_sectors, 3);
	ck_assert_mem_eq(r.guid, rec.guid, 16);
	ck_assert_uint_eq(r.plain.set, rec.digests.plain.set);
	ck_assert_uint_eq(co_digests_differ(&r.plain, &rec.digests.plain), 0);
	ck_assert_uint_eq(co_digests_differ(&r.padded, &rec.digests.padded), 0);
	ck_assert_uint_eq(co_digests_differ(&r.padded, &r.plain), CO_HASH_BIT(CO_HASH_MD5));
	ck_assert_uint_eq(r.segments.n, 1);
	snprintf(expected, sizeof expected, "%s/data/ev.E01", dir->name);
	ck_assert_str_eq(r.segments.at[0], expected);
	snprintf(expected, sizeof expected, "%s/data/ev.blocks.sha256", dir->name);
	ck_assert_str_eq(r.blocks, expected);
	snprintf(expected, sizeof expected, "%s/data/ev.events.jsonl", dir->name);
	ck_assert_str_eq(r.events, expected);
	ck_assert_uint_eq(r.events_head.count, 9);
	ck_assert_str_eq(r.events_head.sha256, SOME_SHA256);
	ck_assert_uint_eq(r.segment_facts.n, 1);
	ck_assert_uint_eq(r.segment_facts.at[0].bytes, 7);
	ck_assert_str_eq(r.segment_facts.at[0].sha256, SOME_SHA256);
	ck_assert_uint_eq(r.unreadable.list.n, 2);
	ck_assert_uint_eq(r.unreadable.list.at[1].first, 19);
	ck_assert_str_eq(r.model, "A disk");
	ck_assert_str_eq(r.serial, "S-1");
	ck_assert_str_eq(r.acquiry_date, "2020-09-13T12:26:40Z");
	im_recorded_free(&r);
	rec.block_digests = false;
	write_record();
	ck_assert_int_eq(im_record_read(&r, dir->name, &err), 0);
	ck_assert_ptr_null(r.blocks);
	im_recorded_free(&r);
}
END_TEST

static void refused(int code, const char *text)
{
	struct im_recorded r = { 0 };
	struct co_err err = CO_ERR_INIT;

	folder_puts(dir, "data/ev.manifest.json", text);
	ck_assert_int_eq(im_record_read(&r, dir->name, &err), code);
	ck_assert_ptr_nonnull(strstr(err.msg, "ev.manifest.json"));
	ck_assert_ptr_null(r.file);
}

/* The record with one text of it replaced. */
static char *changed(const char *from, const char *to)
{
	struct co_str s = { 0 }, out = { 0 };
	struct co_err err = CO_ERR_INIT;
	const char *at;

	ck_assert_int_eq(im_record_text(&rec, &rec.bags[0], &s, &err), 0);
	at = strstr(co_str_get(&s), from);
	ck_assert_ptr_nonnull(at);
	co_str_add_n(&out, s.s, (size_t)(at - s.s));
	co_str_add(&out, to);
	co_str_add(&out, at + strlen(from));
	co_str_free(&s);
	return out.s;
}

/* The record of the whole bag tells what became of the other one, but is otherwise that of a whole bag. */
START_TEST(a_lost_output_is_named_in_the_other_bag)
{
	struct co_str s = { 0 };
	struct co_err err = CO_ERR_INIT;

	rec.n_bags = 2;
	rec.bags[1] = (struct im_bag_record) { .path = "bag-2",
					       .status = IM_STATUS_OUTPUT_FAILED,
					       .error = { .code = CO_ERR_OUTPUT, .msg = "no space" } };
	ck_assert_int_eq(im_record_text(&rec, &rec.bags[0], &s, &err), 0);
	ck_assert_ptr_nonnull(strstr(co_str_get(&s), "\"status\": \"complete-with-errors\",\n  \"error\": null"));
	ck_assert_ptr_nonnull(strstr(co_str_get(&s), "\"name\": \"ev.E01\""));
	ck_assert_ptr_nonnull(strstr(co_str_get(&s), "\"path\": \"bag-1\""));
	ck_assert_ptr_nonnull(strstr(strstr(co_str_get(&s), "\"path\": \"bag-2\""), "\"error\": \"no space\""));
	co_str_clear(&s);
	ck_assert_int_eq(im_record_text(&rec, &rec.bags[1], &s, &err), 0);
	ck_assert_ptr_nonnull(strstr(co_str_get(&s), "\"status\": \"output-failed\",\n  \"error\": \"no space\""));
	ck_assert_ptr_null(strstr(co_str_get(&s), "\"name\": \"ev.E01\""));
	co_str_clear(&s);
	ck_assert_int_eq(im_report_text(&rec, &rec.bags[0], &s, &err), 0);
	ck_assert_ptr_nonnull(strstr(co_str_get(&s), "bag-2\n"));
	ck_assert_ptr_nonnull(strstr(co_str_get(&s), "no space\n"));
	co_str_free(&s);
}
END_TEST

START_TEST(damaged_records_are_refused)
{
	static const char *const changes[][2] = {
		{ "exhibit.acquisition/1", "exhibit.acquisition/2" },
		{ "\"name\": \"ev.E01\"", "\"name\": \"../../ev.E01\"" },
		{ "\"name\": \"ev.E01\"", "\"name\": \"\"" },
		{ "\"padding_bytes\": 240", "\"padding_bytes\": -240" },
		{ "\"bytes\": 10000", "\"bytes\": \"10000\"" },
		{ "\"guid\": \"0102", "\"guid\": \"01" },
		{ "\"md5\": \"5a", "\"md5\": \"5" },
		{ "\"status\": \"complete-with-errors\"", "\"status\": null" },
		{ "\"unreadable_sectors\": 3", "\"unreadable_sectors\": 4" },
		{ "\"unreadable\": [", "\"unreadable\": [[1, 0]," },
		{ "\"unreadable\": [", "\"unreadable\": [[9223372036854775807, 9223372036854775807]," },
		{ "\"unreadable\": [", "\"unreadable\": [[20, 1]," },
		{ "\"unreadable\": [", "\"unreadable\": [[-1, 1]," },
		{ "\"unreadable\": [", "\"unreadable\": [{}," },
		{ "\"head_sha256\": \"" SOME_SHA256 "\"", "\"head_sha256\": null" },
		{ "\"head_sha256\": \"", "\"head_sha256\": \"x" },
		{ "\"count\": 9", "\"count\": \"9\"" },
		{ "\"sha256\": \"" SOME_SHA256 "\"", "\"sha256\": \"00\"" },
	};
	refused(CO_ERR_FORMAT, " ");
	refused(CO_ERR_FORMAT, "[]");
	refused(CO_ERR_FORMAT, "{\"schema\":");
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		char *text = changed(changes[i][0], changes[i][1]);

		refused(CO_ERR_FORMAT, text);
		free(text);
	}
}
END_TEST

START_TEST(a_bag_must_hold_one_record)
{
	struct im_recorded r = { 0 };
	struct co_err err = CO_ERR_INIT;

	ck_assert_int_eq(im_record_read(&r, dir->name, &err), CO_ERR_FAILED);
	write_record();
	folder_puts(dir, "data/other.manifest.json", "{}");
	ck_assert_int_eq(im_record_read(&r, dir->name, &err), CO_ERR_FORMAT);
}
END_TEST

START_TEST(the_map_names_what_was_read)
{
	struct co_str s = { 0 };
	struct co_err err = CO_ERR_INIT;

	rec.read_bytes = 10000;
	ck_assert_int_eq(im_areas_add(&rec.areas, 2, 2, IM_BAD), 0);
	ck_assert_int_eq(im_areas_add(&rec.areas, 19, 1, IM_BAD), 0);
	ck_assert_int_eq(im_map_text(&rec, &s, &err), 0);
	ck_assert_ptr_nonnull(strstr(co_str_get(&s), "0x00000000  0x00000400  +\n"
						     "0x00000400  0x00000400  -\n"
						     "0x00000800  0x00001E00  +\n"
						     "0x00002600  0x00000110  -\n"));
	co_str_clear(&s);
	ck_assert_int_eq(im_areas_set(&rec.areas, 19, 1, IM_FINISHED), 0);
	rec.read_bytes = 4096;
	ck_assert_int_eq(im_map_text(&rec, &s, &err), 0);
	ck_assert_ptr_nonnull(strstr(co_str_get(&s), "0x00000800  0x00000800  +\n"
						     "0x00001000  0x00001710  ?\n"));
	co_str_free(&s);
}
END_TEST

START_TEST(the_report_has_all_headings)
{
	static const char *const headings[] = { "Case\n----\n",
						"Tool\n----\n",
						"Source\n------\n",
						"Write block\n-----------\n",
						"Acquisition\n-----------\n",
						"Digests\n-------\n",
						"Image segments\n--------------\n",
						"Unreadable sectors\n------------------\n",
						"Verification\n------------\n",
						"Times\n-----\n" };
	struct co_str s = { 0 };
	struct co_err err = CO_ERR_INIT;
	const char *at;

	ck_assert_int_eq(im_report_text(&rec, &rec.bags[0], &s, &err), 0);
	at = co_str_get(&s);
	for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
		at = strstr(at, headings[i]);
		ck_assert_msg(at, "%s", headings[i]);
	}
	ck_assert_ptr_nonnull(strstr(co_str_get(&s), "/dev/sdx\\x0a\\xff\n"));
	ck_assert_ptr_nonnull(strstr(co_str_get(&s), "2 to 3 (2)\n19 to 19 (1)\n"));
	co_str_free(&s);
}
END_TEST

START_TEST(events_are_a_chain)
{
	struct im_events *e = NULL;
	struct im_events_head head;
	struct co_err err = CO_ERR_INIT;
	char line[2048], prev[65], key[80];
	unsigned lines = 0;
	struct co_digests d;
	FILE *f;

	memset(prev, '0', 64);
	prev[64] = '\0';
	ck_assert_int_eq(im_events_open(&e, in_folder(dir, "events"), &err), 0);
	im_events_add(e, "one", "first \"%d\"", 1);
	im_events_add(e, "two", "second");
	im_events_add(e, "three", "third");
	ck_assert_int_eq(im_events_commit(e, &head, &err), 0);
	ck_assert_uint_eq(head.count, 3);
	f = fopen(in_folder(dir, "events"), "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(key, sizeof key, "\"prev\":\"%s\"", prev);
		ck_assert_ptr_nonnull(strstr(line, key));
		ck_assert_int_eq(co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), line, strlen(line), &d, &err), 0);
		co_digests_hex(&d, CO_HASH_SHA256, prev);
		lines++;
	}
	fclose(f);
	ck_assert_uint_eq(lines, 3);
	ck_assert_str_eq(prev, head.sha256);
}
END_TEST

static struct co_str told; /* one sentence per line, without the name of the folder */

static void on_sentence(void *arg, const char *sentence)
{
	const char *slash = strrchr(sentence, '/');

	ck_assert_ptr_eq(arg, &told);
	co_str_addf(&told, "%s\n", slash ? slash + 1 : sentence);
}

static void check_events(const char *text, const struct im_events_head *head, const char *want)
{
	struct co_err err = CO_ERR_INIT;

	folder_puts(dir, "events", text);
	co_str_clear(&told);
	ck_assert_int_eq(im_events_check(in_folder(dir, "events"), head, on_sentence, &told, &err), 0);
	ck_assert_str_eq(co_str_get(&told), want);
}

START_TEST(a_broken_log_of_events_is_told)
{
	static char lines[3][512], text[2048];
	struct im_events *e = NULL;
	struct im_events_head head, other;
	struct co_err err = CO_ERR_INIT;
	FILE *f;

	ck_assert_int_eq(im_events_open(&e, in_folder(dir, "log"), &err), 0);
	im_events_add(e, "one", "a byte that is no character: \xff");
	im_events_add(e, "two", "second");
	im_events_add(e, "three", "third");
	ck_assert_int_eq(im_events_commit(e, &head, &err), 0);
	f = fopen(in_folder(dir, "log"), "re");
	ck_assert_ptr_nonnull(f);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_nonnull(fgets(lines[i], sizeof lines[i], f));
	fclose(f);

	snprintf(text, sizeof text, "%s%s%s", lines[0], lines[1], lines[2]);
	check_events(text, &head, "");
	snprintf(text, sizeof text, "%s%s", lines[0], lines[1]);
	check_events(text, &head, "events holds 2 events, but the record states 3: it was cut\n");
	snprintf(text, sizeof text, "%s%s", lines[0], lines[2]);
	check_events(text, &head,
		     "events: the chain of events is broken at line 2: it or a line before it was changed, added or "
		     "taken out\n"
		     "events holds 2 events, but the record states 3: it was cut\n");
	snprintf(text, sizeof text, "%s%s%s%s", lines[0], lines[1], lines[2], lines[2]);
	check_events(text, &head,
		     "events: the chain of events is broken at line 4: it or a line before it was changed, added or "
		     "taken out\n"
		     "events holds 4 events, but the record states 3: some were added\n");
	snprintf(text, sizeof text, "%snothing\n%s", lines[0], lines[2]);
	check_events(text, &head,
		     "events: line 2 is not an event\n"
		     "events: the chain of events is broken at line 3: it or a line before it was changed, added or "
		     "taken out\n");
	snprintf(text, sizeof text, "%s%s%s", lines[0], lines[1], lines[2]);
	*strstr(text, "third") = 'T';
	check_events(text, &head, "events: its last line is not the one whose digest the record states\n");
	*strstr(text, "second") = 'S';
	check_events(text, &head,
		     "events: the chain of events is broken at line 3: it or a line before it was changed, added or "
		     "taken out\n"
		     "events: its last line is not the one whose digest the record states\n");
	other = head;
	other.count = 2;
	snprintf(text, sizeof text, "%s%s%s", lines[0], lines[1], lines[2]);
	check_events(text, &other, "events holds 3 events, but the record states 2: some were added\n");
	ck_assert_int_eq(im_events_check(in_folder(dir, "none"), &head, on_sentence, &told, &err), CO_ERR_FAILED);
	co_str_free(&told);
}
END_TEST

START_TEST(blocks_are_compared_with_their_file)
{
	struct im_blocks_writer w;
	struct im_blocks_checker c;
	struct co_err err = CO_ERR_INIT;
	uint64_t media = 3 * (uint64_t)IM_BLOCK_SIZE + 10;
	uint8_t digest[4][32];
	char file[512];

	snprintf(file, sizeof file, "%s", in_folder(dir, "blocks"));
	for (int i = 0; i < 4; i++)
		memset(digest[i], i + 1, 32);
	ck_assert_int_eq(im_blocks_begin(&w, file, media, &err), 0);
	for (unsigned i = 0; i < 4; i++)
		im_blocks_add(&w, i, digest[i]);
	ck_assert_int_eq(im_blocks_commit(&w, &err), 0);

	digest[1][5] ^= 1;
	digest[2][31] ^= 1;
	ck_assert_int_eq(im_blocks_open(&c, file, media, &err), 0);
	for (unsigned i = 0; i < 4; i++)
		im_blocks_check(&c, i, digest[i]);
	ck_assert_int_eq(im_blocks_end(&c, &err), 0);
	ck_assert_uint_eq(c.differing.list.n, 1);
	ck_assert_uint_eq(c.differing.list.at[0].first, 1);
	ck_assert_uint_eq(c.differing.list.at[0].count, 2);
	im_blocks_close(&c);

	/* Lines left over, lines missing, and the lines of another medium. */
	ck_assert_int_eq(im_blocks_open(&c, file, media, &err), 0);
	for (unsigned i = 0; i < 3; i++)
		im_blocks_check(&c, i, digest[i]);
	ck_assert_int_eq(im_blocks_end(&c, &err), CO_ERR_FORMAT);
	im_blocks_close(&c);
	ck_assert_int_eq(im_blocks_open(&c, file, media + IM_BLOCK_SIZE, &err), 0);
	for (unsigned i = 0; i < 5; i++)
		im_blocks_check(&c, i, digest[i % 4]);
	ck_assert_int_eq(im_blocks_end(&c, &err), CO_ERR_FORMAT);
	im_blocks_close(&c);
}
END_TEST

/* 6 TiB in sectors of 512: bad ones just before, over and far past the 32-bit limit. */
START_TEST(sectors_and_bytes_have_64_bits)
{
	const uint64_t limit = UINT64_C(1) << 32, bytes = UINT64_C(6) << 40;
	struct co_str manifest = { 0 }, map = { 0 };
	struct im_recorded r = { 0 };
	struct co_err err = CO_ERR_INIT;

	rec.media_bytes = rec.read_bytes = bytes;
	rec.padding_bytes = 0;
	rec.bad.list.n = 0;
	rec.bad.total = 0;
	ck_assert_int_eq(im_ranges_add(&rec.bad, limit - 1, 2), 0);
	ck_assert_int_eq(im_ranges_add(&rec.bad, UINT64_C(5000000000), 1), 0);
	ck_assert_int_eq(im_ranges_add(&rec.bad, bytes / 512 - 1, 1), 0);
	ck_assert_uint_eq(rec.bad.list.n, 3);
	for (size_t i = 0; i < rec.bad.list.n; i++)
		ck_assert_int_eq(im_areas_add(&rec.areas, rec.bad.list.at[i].first, rec.bad.list.at[i].count, IM_BAD),
				 0);
	ck_assert_int_eq(im_record_text(&rec, &rec.bags[0], &manifest, &err), 0);
	ck_assert_ptr_nonnull(strstr(co_str_get(&manifest), "\"bytes\": 6597069766656"));
	for (const char *const *text = (const char *const[]) { "4294967295", "5000000000", "12884901887", NULL }; *text;
	     text++)
		ck_assert_msg(strstr(co_str_get(&manifest), *text), "no sector %s in the record", *text);
	folder_puts(dir, "data/ev.manifest.json", co_str_get(&manifest));
	ck_assert_int_eq(im_record_read(&r, dir->name, &err), 0);
	ck_assert_uint_eq(r.media_bytes, bytes);
	ck_assert_uint_eq(r.unreadable_sectors, 4);
	im_recorded_free(&r);
	ck_assert_int_eq(im_map_text(&rec, &map, &err), 0);
	ck_assert_ptr_nonnull(strstr(co_str_get(&map), "\n0x1FFFFFFFE00  0x00000400  -\n"));
	ck_assert_ptr_nonnull(strstr(co_str_get(&map), "\n0x2540BE40000  0x00000200  -\n"));
	ck_assert_ptr_nonnull(strstr(co_str_get(&map), "\n0x5FFFFFFFE00  0x00000200  -\n"));
	co_str_free(&manifest);
	co_str_free(&map);
}
END_TEST

Suite *t_record_suite(void)
{
	Suite *s = suite_create("record");
	TCase *c = tcase_create("record");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, the_record_is_read_back);
	tcase_add_test(c, sectors_and_bytes_have_64_bits);
	tcase_add_test(c, a_lost_output_is_named_in_the_other_bag);
	tcase_add_test(c, damaged_records_are_refused);
	tcase_add_test(c, a_bag_must_hold_one_record);
	tcase_add_test(c, the_map_names_what_was_read);
	tcase_add_test(c, the_report_has_all_headings);
	tcase_add_test(c, events_are_a_chain);
	tcase_add_test(c, a_broken_log_of_events_is_told);
	tcase_add_test(c, blocks_are_compared_with_their_file);
	suite_add_tcase(s, c);
	return s;
}
