/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/earlier.h"

#include "folder.h"
#include "suites.h"
#include "version.h"

/* 64 MiB, a segment of 5 bytes that is listed, sectors of 512 bytes. */
static const char usual[] =
	"{\"schema\":\"exhibit.acquisition/"
	"1\",\"status\":\"running\",\"name\":\"ev\",\"tool\":{\"version\":\"" CO_VERSION
	"\"},\"clock\":{\"start_ns\":1000},\"session\":{\"start_ns\":1000,\"end_ns\":0},\"earlier_sessions\":[],"
	"\"case\":{},\"device\":{\"kind\":\"disk\",\"removable\":false,\"model\":\"M\",\"serial\":\"S1\",\"wwid\":null}"
	","
	"\"hashes\":[\"sha256\",\"md5\"],\"media\":{\"bytes\":67108864,\"sector_bytes\":512,\"padding_bytes\":0,"
	"\"read_bytes\":33554432},\"digests\":{},\"unreadable\":[],\"unreadable_sectors\":0,"
	"\"areas\":[[10,2,\"*\"],[30,4,\"?\"]],\"write_block\":{\"samples_before\":[{\"offset\":0,\"bytes\":4096,"
	"\"sha256\":null}]},\"image\":{\"compression\":\"fast\",\"guid\":\"000102030405060708090a0b0c0d0e0f\","
	"\"segment_bytes\":1048576,\"acquired_ns\":5,\"patched\":false,\"safe_bytes\":33554432,"
	"\"uncompressed_mib\":[[0,1],[7,2]]},\"blocks\":{},\"events\":{\"count\":0,\"head_sha256\":null},\"segments\":["
	"{\"name\":\"ev.E01\",\"bytes\":5,\"sha256\":"
	"\"0000000000000000000000000000000000000000000000000000000000000000\"}]}";

static struct folder dir;
static struct im_earlier e;
static struct co_err err;

static void set_up(void)
{
	folder_make(&dir);
	e = (struct im_earlier) { 0 };
	err = CO_ERR_INIT;
	ck_assert_int_eq(mkdir(in_folder(&dir, "data"), 0700), 0);
}

static void tear_down(void)
{
	im_earlier_free(&e);
	folder_remove(&dir);
}

/* The usual record, in which @new stands for @old. */
static int read_with(const char *old, const char *new)
{
	const char *at = strstr(usual, old);
	char *text = NULL;

	ck_assert_msg(at, "no %s in the record", old);
	ck_assert_int_gt(asprintf(&text, "%.*s%s%s", (int)(at - usual), usual, new, at + strlen(old)), 0);
	folder_write(&dir, "data/ev.manifest.json", text, strlen(text));
	free(text);
	im_earlier_free(&e);
	err = CO_ERR_INIT;
	return im_earlier_read(&e, dir.name, &err);
}

static void refused(const char *old, const char *new, const char *why)
{
	ck_assert_msg(read_with(old, new) < 0, "%s was taken", new);
	ck_assert_msg(strstr(err.msg, why), "%s: says %s", new, err.msg);
	ck_assert_ptr_null(e.recorded.file);
}

/* Bytes that are no UTF-8 stand in our records as lone surrogates. */
START_TEST(a_text_of_any_bytes)
{
	ck_assert_msg(read_with("\"M\"", "\"M\\udcff\"") == 0, "%s", err.msg);
	ck_assert_str_eq(e.model, "M\xef\xbf\xbd");
}
END_TEST

START_TEST(a_record)
{
	ck_assert_msg(read_with("running", "running") == 0, "%s", err.msg);
	ck_assert_str_eq(e.recorded.name, "ev");
	ck_assert_str_eq(e.kind, "disk");
	ck_assert_str_eq(e.model, "M");
	ck_assert_ptr_null(e.wwid);
	ck_assert_uint_eq(e.hashes, CO_HASH_BIT(CO_HASH_SHA256) | CO_HASH_BIT(CO_HASH_MD5));
	ck_assert_uint_eq(e.segment_limit, 1048576);
	ck_assert_uint_eq(e.safe_bytes, 33554432);
	ck_assert_uint_eq(e.areas.list.n, 2);
	ck_assert_uint_eq(im_areas_state(&e.areas, 33), IM_NON_TRIED);
	ck_assert_uint_eq(e.plain.total, 3);
	ck_assert_uint_eq(e.segments.n, 1);
	ck_assert_uint_eq(e.sessions.n, 1);
	ck_assert_int_eq(e.sessions.at[0].status, IM_STATUS_RUNNING);
	ck_assert(e.block_digests && !e.patched);
	ck_assert_uint_eq(e.samples.n, 1);
	ck_assert(!e.samples.at[0].readable);
}
END_TEST

/* Cut at any byte, it is no record, or none that can be used; nothing is read beyond it. */
START_TEST(cut_anywhere)
{
	for (size_t n = 0; n < sizeof usual - 1; n += 7) {
		folder_write(&dir, "data/ev.manifest.json", usual, n);
		ck_assert_int_lt(im_earlier_read(&e, dir.name, &err), 0);
	}
	ck_assert_int_eq(unlink(in_folder(&dir, "data/ev.manifest.json")), 0);
	ck_assert_int_lt(im_earlier_read(&e, dir.name, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "holds no record of an acquisition"));
}
END_TEST

START_TEST(hostile_values)
{
	static const struct {
		const char *old, *new, *why;
	} t[] = {
		{ "[10,2,", "[-1,2,", "areas" },
		{ "[10,2,", "[10,0,", "areas" },
		{ "[10,2,", "[10,-2,", "areas" },
		{ "[10,2,", "[10,1000000000000000000,", "areas" },
		{ "[10,2,", "[9223372036854775807,9223372036854775807,", "areas" },
		{ "[10,2,", "[10,21,", "areas" }, /* into the next one */
		{ "[10,2,", "[131071,2,", "areas" },
		{ "[30,4,", "[5,4,", "areas" }, /* descending */
		{ "\"*\"", "\"**\"", "areas" },
		{ "\"*\"", "\"+\"", "areas" },
		{ "\"*\"", "7", "areas" },
		{ "[[10,2,\"*\"],[30,4,\"?\"]]", "{}", "areas" },
		{ "[7,2]", "[0,2]", "uncompressed_mib" },
		{ "[7,2]", "[9223372036854775807,2]", "uncompressed_mib" },
		{ "[7,2]", "[7,-2]", "uncompressed_mib" },
		{ "\"segment_bytes\":1048576", "\"segment_bytes\":0", "segment_bytes" },
		{ "\"segment_bytes\":1048576", "\"segment_bytes\":-5", "segment_bytes" },
		{ "\"segment_bytes\":1048576", "\"segment_bytes\":1e30", "segment_bytes" },
		{ "\"safe_bytes\":33554432", "\"safe_bytes\":-1", "safe_bytes" },
		{ "\"safe_bytes\":33554432", "\"safe_bytes\":\"1\"", "safe_bytes" },
		{ "\"sector_bytes\":512", "\"sector_bytes\":0", "sector_bytes" },
		{ "\"sector_bytes\":512", "\"sector_bytes\":-512", "sector_bytes" },
		{ "\"sector_bytes\":512", "\"sector_bytes\":1000000", "sector_bytes" },
		{ "\"bytes\":67108864", "\"bytes\":-1", "bytes" },
		{ "\"bytes\":67108864", "\"bytes\":0", "areas" },
		{ "\"read_bytes\":33554432", "\"read_bytes\":null", "read_bytes" },
		{ "\"bytes\":5", "\"bytes\":0", "bytes" },
		{ "\"bytes\":5", "\"bytes\":-5", "bytes" },
		{ "ev.E01", "../../etc/passwd", "name of a segment" },
		{ "ev.E01", ".", "name of a segment" },
		{ "\"sha256\":\"00", "\"sha256\":\"0", "a SHA-256" },
		{ "\"offset\":0", "\"offset\":-1", "offset" },
		{ "\"bytes\":4096", "\"bytes\":0", "bytes" },
		{ "\"fast\"", "\"fastest\"", "compression" },
		{ "\"sha256\",\"md5\"", "\"md5\"", "hashes" },
		{ "\"sha256\",\"md5\"", "\"sha256\",\"crc\"", "hashes" },
		{ "0c0d0e0f", "0c0d0e0", "guid" },
		{ "\"model\":\"M\"", "\"model\":[]", "model" },
		{ "\"start_ns\":1000,\"end_ns\"", "\"start_ns\":\"\",\"end_ns\"", "start_ns" },
		{ "\"status\":\"running\"", "\"status\":\"running\",\"status\":\"failed\"", "duplicate" },
	};

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
		refused(t[i].old, t[i].new, t[i].why);
}
END_TEST

START_TEST(states_that_can_not_be_resumed)
{
	refused("running", "mismatch", "acquire the source anew");
	refused("\"version\":\"" CO_VERSION, "\"version\":\"9.9.9", "was begun by version 9.9.9");
	folder_write(&dir, "tagmanifest-sha256.txt", "", 0);
	refused("running", "complete", "is complete: there is nothing to resume");
	refused("running", "complete-with-errors", "is complete: there is nothing to resume");
	/* sealed, but not complete; and complete, but not sealed */
	ck_assert_int_eq(read_with("running", "interrupted"), 0);
	ck_assert_int_eq(unlink(in_folder(&dir, "tagmanifest-sha256.txt")), 0);
	ck_assert_int_eq(read_with("running", "complete"), 0);
}
END_TEST

#define set(to, text) snprintf(to, sizeof(to), "%s", text)

START_TEST(the_same_source)
{
	struct im_guard g = IM_GUARD_NONE;

	ck_assert_int_eq(read_with("running", "running"), 0);
	g.device.kind = IM_KIND_DISK;
	set(g.device.model, "M");
	set(g.device.serial, "S1");
	set(g.device.wwid, "");
	g.size = 67108864;
	g.sector = 512;
	ck_assert_msg(im_earlier_same_source(&e, &g, &err) == 0, "%s", err.msg);
	set(g.device.serial, "S2");
	ck_assert_int_eq(im_earlier_same_source(&e, &g, &err), CO_ERR_MISMATCH);
	ck_assert_ptr_nonnull(strstr(err.msg, "its serial number was S1, and is S2 now"));
	set(g.device.serial, "S1");
	set(g.device.model, "");
	ck_assert_int_eq(im_earlier_same_source(&e, &g, &err), CO_ERR_MISMATCH);
	ck_assert_ptr_nonnull(strstr(err.msg, "its model was M, and is unknown now"));
	set(g.device.model, "M");
	set(g.device.wwid, "naa.5");
	ck_assert_int_eq(im_earlier_same_source(&e, &g, &err), CO_ERR_MISMATCH);
	set(g.device.wwid, "");
	g.device.removable = true;
	ck_assert_int_eq(im_earlier_same_source(&e, &g, &err), CO_ERR_MISMATCH);
	g.device.removable = false;
	g.device.kind = IM_KIND_FILE;
	ck_assert_int_eq(im_earlier_same_source(&e, &g, &err), CO_ERR_MISMATCH);
	g.device.kind = IM_KIND_DISK;
	g.sector = 4096;
	ck_assert_int_eq(im_earlier_same_source(&e, &g, &err), CO_ERR_MISMATCH);
	g.sector = 512;
	g.size += 512;
	ck_assert_int_eq(im_earlier_same_source(&e, &g, &err), CO_ERR_MISMATCH);
	ck_assert_ptr_nonnull(strstr(err.msg, "its size in bytes was 67108864, and is 67109376 now"));
}
END_TEST

static bool is_there(const char *name)
{
	return access(in_folder(&dir, name), F_OK) == 0;
}

/* Of the three names the segment may have, and of others' files. Five bytes are no segment: keep says so once it was
 * put aside. */
START_TEST(kept_segments_are_found)
{
	static const char *const forms[] = { "data/ev.E01", "data/ev.E01.part", "data/ev.E01.kept" };

	for (size_t i = 0; i < 3; i++) {
		struct im_bag_files files = { 0 };

		ck_assert_int_eq(read_with("running", "running"), 0);
		ck_assert_int_eq(im_bag_files_init(&files, dir.name, "ev", &err), 0);
		for (size_t k = 0; k < 3; k++)
			folder_write(&dir, forms[k], "1234", k == i ? 0 : 4); /* of another size */
		folder_write(&dir, forms[i], "12345", 5);
		ck_assert_int_lt(im_earlier_keep(&e, &files, &err), 0);
		ck_assert_ptr_nonnull(strstr(err.msg, "what an earlier session has stored"));
		ck_assert(is_there("data/ev.E01.kept"));
		ck_assert(i == 2 || !is_there(forms[i]));
		im_bag_files_free(&files);
	}
}
END_TEST

START_TEST(only_what_is_needed_stays)
{
	static const char *const gone[] = { "data/ev.E01.part", "data/ev.E02", "data/ev.E09.kept", "data/ev.report.txt",
					    "data/ev.blocks.sha256.part" };
	static const char *const stay[] = { "data/ev.manifest.json",     "data/ev.events.jsonl",
					    "data/ev.events.jsonl.part", "data/ev.E01.kept",
					    "data/evidence.txt",         "data/other" };
	struct im_bag_files files = { 0 };

	ck_assert_int_eq(read_with("running", "running"), 0);
	ck_assert_int_eq(im_bag_files_init(&files, dir.name, "ev", &err), 0);
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
		folder_write(&dir, gone[i], "x", 1);
	for (size_t i = 1; i < sizeof stay / sizeof stay[0]; i++)
		folder_write(&dir, stay[i], "x", 1);
	e.segments.at[0].file = strdup(in_folder(&dir, "data/ev.E01.kept"));
	ck_assert_int_eq(im_earlier_clear(&e, &files, &err), 0);
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
		ck_assert_msg(!is_there(gone[i]), "%s is still there", gone[i]);
	for (size_t i = 0; i < sizeof stay / sizeof stay[0]; i++)
		ck_assert_msg(is_there(stay[i]), "%s is gone", stay[i]);
	im_bag_files_free(&files);
}
END_TEST

START_TEST(a_segment_is_replaced)
{
	char same[65], other[65];

	memset(same, '0', 64);
	memset(other, '1', 64);
	same[64] = other[64] = '\0';
	ck_assert_int_eq(read_with("running", "running"), 0);
	folder_write(&dir, "data/ev.E01.kept", "x", 1);
	e.segments.at[0].file = strdup(in_folder(&dir, "data/ev.E01.kept"));
	ck_assert_int_eq(im_earlier_replaced(&e, 0, other, &err), CO_ERR_MISMATCH);
	ck_assert_ptr_nonnull(strstr(err.msg, "another segment than in an earlier session"));
	ck_assert(is_there("data/ev.E01.kept"));
	ck_assert_int_eq(im_earlier_replaced(&e, 0, same, &err), 0);
	ck_assert(!is_there("data/ev.E01.kept"));
	ck_assert_int_eq(im_earlier_replaced(&e, 0, other, &err), 0); /* there is none any more */
	ck_assert_int_eq(im_earlier_replaced(&e, 7, other, &err), 0);
	/* what it holds could have changed */
	e.segments.at[0].file = strdup(in_folder(&dir, "data/ev.E01.kept"));
	e.segments.at[0].cut = true;
	ck_assert_int_eq(im_earlier_replaced(&e, 0, other, &err), 0);
}
END_TEST

Suite *t_earlier_suite(void)
{
	Suite *s = suite_create("earlier");
	TCase *t = tcase_create("earlier");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_record);
	tcase_add_test(t, a_text_of_any_bytes);
	tcase_add_test(t, cut_anywhere);
	tcase_add_test(t, hostile_values);
	tcase_add_test(t, states_that_can_not_be_resumed);
	tcase_add_test(t, the_same_source);
	tcase_add_test(t, kept_segments_are_found);
	tcase_add_test(t, only_what_is_needed_stays);
	tcase_add_test(t, a_segment_is_replaced);
	suite_add_tcase(s, t);
	return s;
}
