/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes, walk and content of a small FAT image. */
#include "suites.h"

#include <string.h>

#include "base/clock.h"
#include "fat.h"
#include "fs/content.h"
#include "fs/marks.h"
#include "fs/walk.h"
#include "hash/digest.h"
#include "image/magic.h"

static uint8_t bytes[4 * FAT_BYTES];
static struct an_evidence evidence;
static struct an_volumes volumes;
static struct an_case c;

static void open_image(size_t len)
{
	struct co_err err = CO_ERR_INIT;
	evidence = (struct an_evidence) { .kind = "raw" };
	ck_assert_int_eq(co_source_open_memory(&evidence.source, bytes, len, &err), 0);
	ck_assert_int_eq(an_volumes_open(&volumes, &evidence, &c, &err), 0);
	ck_assert_int_eq(an_volumes_mount(&volumes, &evidence, -1, &c, &err), 0);
}

static void walk(uint32_t volume)
{
	struct an_fs *fs;
	struct co_err err = CO_ERR_INIT;
	struct an_sink sink = an_sink_to_case(&c);
	ck_assert_int_eq(an_fs_open(&fs, &evidence, &volumes.list.at[volume], &err), 0);
	ck_assert_int_eq(an_walk(fs, volume, volumes.list.at[volume].mount, &sink, &err), 0);
	an_fs_close(fs);
}

static void set_up(void)
{
	memset(bytes, 0, sizeof bytes);
	fat_make(bytes);
}

static void tear_down(void)
{
	an_volumes_free(&volumes);
	co_source_close(&evidence.source);
	an_case_free(&c);
}

static const struct an_file *row(const char *path)
{
	for (size_t i = 0; i < c.files.rows.n; i++)
		if (strcmp(c.files.rows.at[i].path, path) == 0)
			return &c.files.rows.at[i];
	ck_abort_msg("no row %s", path);
}

START_TEST(names_live_and_deleted)
{
	open_image(FAT_BYTES);
	ck_assert_uint_eq(volumes.list.n, 1);
	ck_assert_str_eq(volumes.list.at[0].fs, "fat12");
	ck_assert_str_eq(volumes.list.at[0].uuid, "ABCD-1234");
	ck_assert_str_eq(volumes.list.at[0].label, "UNIT");
	ck_assert_str_eq(volumes.list.at[0].mount, "/");
	walk(0);
	const struct an_file *f = row("/HELLO.PHP");
	ck_assert(an_file_is_live_regular(f));
	ck_assert_uint_eq(f->size, 600);
	ck_assert_int_eq(f->time[AN_MTIME], co_date_sec(2020, 2, 3, 10, 0, 0) * CO_NS_PER_S);
	ck_assert_int_eq(f->time[AN_CTIME], CO_TIME_NONE);
	ck_assert_ptr_eq(an_files_find(&c.files, "/HELLO.PHP"), f);
	f = row("/_ONE.TXT");
	ck_assert_uint_eq(f->flags & (AN_NAME_ALLOCATED | AN_META_ALLOCATED | AN_META_KNOWN), AN_META_KNOWN);
	ck_assert_uint_eq(row("/$OrphanFiles")->type, AN_TYPE_VIRTUAL_FOLDER);
}
END_TEST

START_TEST(a_folder_inside_itself_ends)
{
	open_image(FAT_BYTES);
	walk(0);
	row("/DIR/LOOP");
	ck_assert_uint_lt(c.files.rows.n, 16);
	ck_assert_uint_eq(c.problems.n, 1);
	ck_assert_str_eq(c.problems.at[0].path, "/DIR/LOOP/LOOP");
}
END_TEST

/* The partition table of a DOS disk: two volumes, the second cut off by the end of the image. */
START_TEST(partitions)
{
	memset(bytes, 0, sizeof bytes);
	co_put_le16(bytes + 510, 0xaa55);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *entry = bytes + 446 + i * 16;
		entry[4] = 1;
		co_put_le32(entry + 8, 1 + i * 64);
		co_put_le32(entry + 12, 64);
		fat_make(bytes + (1 + i * 64) * 512);
	}
	open_image((1 + 64 + 60) * 512);
	ck_assert_uint_eq(volumes.list.n, 2);
	ck_assert_str_eq(volumes.list.at[0].table, "dos");
	ck_assert_uint_eq(volumes.list.at[1].offset, 65 * 512);
	ck_assert_uint_eq(volumes.list.at[1].length, 60 * 512);
	ck_assert_uint_eq(volumes.list.at[1].number, 2);
	ck_assert_str_eq(volumes.list.at[1].mount, "/vol1");
	ck_assert_uint_eq(c.problems.n, 1);
	walk(1);
	row("/vol1/HELLO.PHP");
	ck_assert_uint_eq(row("/vol1/DIR")->volume, 1);
}
END_TEST

START_TEST(nothing_to_read)
{
	static const struct {
		size_t at;
		const char *bytes, *name;
	} cases[] = {
		{ 0, "XFSB", "xfs" }, { 512, "LABELONE", "lvm" }, { 4086, "SWAPSPACE2", "swap" }, { 0, "", "zeros" }
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		memset(bytes, 0, sizeof bytes);
		memcpy(bytes + cases[i].at, cases[i].bytes, strlen(cases[i].bytes));
		open_image(sizeof bytes);
		ck_assert_uint_eq(volumes.list.n, 1);
		ck_assert(!volumes.list.at[0].readable);
		ck_assert_str_eq(volumes.list.at[0].fs, cases[i].name);
		ck_assert_str_eq(volumes.list.at[0].mount, "");
		tear_down();
	}
}
END_TEST

struct text {
	char bytes[1024];
	size_t n;
};

static int keep(void *arg, const void *part, size_t len, struct co_err *err)
{
	struct text *t = arg;
	(void)err;
	ck_assert_uint_le(len, sizeof t->bytes - t->n);
	memcpy(t->bytes + t->n, part, len);
	t->n += len;
	return 0;
}

START_TEST(content_of_one_file)
{
	struct an_fs *fs;
	struct text t = { 0 };
	open_image(FAT_BYTES);
	walk(0);
	ck_assert_int_eq(an_fs_open(&fs, &evidence, &volumes.list.at[0], NULL), 0);
	ck_assert_int_eq(an_content_read(fs, row("/_ONE.TXT"), keep, &t, NULL), 0);
	ck_assert_uint_eq(t.n, 5);
	ck_assert_mem_eq(t.bytes, "gone\n", 5);
	struct an_file none = { .inode = 99999999 };
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(an_content_read(fs, &none, keep, &t, &err), 1);
	ck_assert_str_ne(err.msg, "");
	an_fs_close(fs);
}
END_TEST

static void digest(unsigned threads)
{
	struct an_content_opts opts = { .threads = threads };
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(an_content_digest(&evidence, &volumes, &c, &opts, &err), 0);
}

START_TEST(digests_and_marks)
{
	struct co_digests want;
	open_image(FAT_BYTES);
	walk(0);
	size_t n_problems = c.problems.n;
	digest(_i ? 3 : 1);
	const struct an_file *f = row("/HELLO.PHP");
	ck_assert_int_eq(co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256) | CO_HASH_BIT(CO_HASH_MD5), fat_cluster(bytes, 20),
					 600, &want, NULL),
			 0);
	ck_assert_uint_ne(f->flags & AN_HAS_DIGESTS, 0);
	ck_assert_mem_eq(f->sha256, want.of[CO_HASH_SHA256].bytes, 32);
	ck_assert_mem_eq(f->md5, want.of[CO_HASH_MD5].bytes, 16);
	ck_assert_uint_eq(f->content, AN_CONTENT_PHP);
	ck_assert_uint_eq(row("/_ONE.TXT")->flags & (AN_HAS_DIGESTS | AN_CONTENT_SEEN), 0);
	ck_assert_uint_eq(c.problems.n, n_problems);
}
END_TEST

/* A bad sector in a file: its digests stay unknown, and that is said. */
START_TEST(damaged_content)
{
	uint64_t bad[][2] = { { 23, 1 } };
	struct co_source_fault fault = { bad, 1, UINT64_MAX };
	struct text t = { 0 };
	struct co_err err = CO_ERR_INIT;
	open_image(FAT_BYTES);
	struct co_source whole = evidence.source;
	ck_assert_int_eq(co_source_open_fault(&evidence.source, &whole, &fault, &err), 0);
	walk(0);
	size_t n_problems = c.problems.n;
	digest(1);
	const struct an_file *f = row("/HELLO.PHP");
	ck_assert_uint_eq(f->flags & (AN_HAS_DIGESTS | AN_CONTENT_DAMAGED), AN_CONTENT_DAMAGED);
	ck_assert_uint_eq(c.problems.n, n_problems + 1);
	ck_assert_str_eq(c.problems.at[n_problems].path, "/HELLO.PHP");
	struct an_fs *fs;
	ck_assert_int_eq(an_fs_open(&fs, &evidence, &volumes.list.at[0], &err), 0);
	ck_assert_int_eq(an_content_read(fs, f, keep, &t, &err), 1);
	ck_assert_uint_eq(t.n, 512);
	an_fs_close(fs);
	co_source_close(&whole);
}
END_TEST

START_TEST(a_lost_source_ends_the_walk)
{
	struct co_source_fault fault = { NULL, 0, 5 * 512 };
	struct co_err err = CO_ERR_INIT;
	struct an_sink sink = an_sink_to_case(&c);
	struct an_fs *fs;
	open_image(FAT_BYTES);
	struct co_source whole = evidence.source;
	ck_assert_int_eq(co_source_open_fault(&evidence.source, &whole, &fault, &err), 0);
	int r = an_fs_open(&fs, &evidence, &volumes.list.at[0], &err);
	if (r == 0) {
		r = an_walk(fs, 0, "/", &sink, &err);
		an_fs_close(fs);
	}
	ck_assert_int_eq(r, CO_ERR_LOST);
	co_source_close(&whole);
}
END_TEST

START_TEST(load_by_path)
{
	char *text;
	size_t len;
	struct co_err err = CO_ERR_INIT;
	open_image(FAT_BYTES);
	walk(0);
	struct an_reader reader = { &evidence, &volumes, NULL };
	ck_assert_int_eq(an_reader_load_path(&reader, &c.files, "/DIR/../HELLO.PHP", 4, &text, &len, &err), 0);
	ck_assert_uint_eq(len, 4);
	ck_assert_str_eq(text, "xxxx");
	free(text);
	ck_assert_int_eq(an_reader_load_path(&reader, &c.files, "/HELLO.PHP", 4096, &text, &len, &err), 0);
	ck_assert_uint_eq(len, 600);
	free(text);
	ck_assert_int_eq(an_reader_load_path(&reader, &c.files, "/DIR", 4, &text, &len, &err), 1);
	ck_assert_int_eq(an_reader_load_path(&reader, &c.files, "/none", 4, &text, &len, &err), 1);
	an_reader_close(&reader);
}
END_TEST

/* Each tag is found however the text is cut into two or three parts. */
START_TEST(marks_across_parts)
{
	static const struct {
		const char *text;
		uint32_t want;
	} cases[] = {
		{ "abc<?php x", AN_CONTENT_PHP },
		{ "abc<?pHp", AN_CONTENT_PHP },
		{ "ab<?=1", AN_CONTENT_PHP },
		{ "abc<?ph", 0 },
		{ "x<%@ page", AN_CONTENT_JSP },
		{ "a<%=b", AN_CONTENT_JSP },
		{ "a<%!b", AN_CONTENT_JSP },
		{ "a<% b", 0 },
		{ "#! <?xml", AN_CONTENT_SHEBANG },
		{ "\x7f"
		  "ELF",
		  AN_CONTENT_ELF },
		{ "x\x7f"
		  "ELF#!",
		  0 },
		{ "<<<?php", AN_CONTENT_PHP },
	};
	const char *text = cases[_i].text;
	size_t n = strlen(text);
	for (size_t i = n < 4 ? n : 4; i <= n; i++)
		for (size_t k = i; k <= n; k++) {
			struct an_marks m = { 0 };
			an_marks_add(&m, text, i);
			an_marks_add(&m, text + i, k - i);
			an_marks_add(&m, text + k, n - k);
			ck_assert_uint_eq(m.found, cases[_i].want);
		}
}
END_TEST

START_TEST(marks_of_server_pages)
{
	uint32_t all = AN_CONTENT_JSP | AN_CONTENT_PHP;
	ck_assert_uint_eq(an_marks_for_name(all, "/x/a.JSP"), all);
	ck_assert_uint_eq(an_marks_for_name(all, "/x.jsp/a"), AN_CONTENT_PHP);
	ck_assert_uint_eq(an_marks_for_name(all, "/x/a.html"), AN_CONTENT_PHP);
}
END_TEST

Suite *t_walk_suite(void)
{
	Suite *s = suite_create("walk");
	TCase *tc = tcase_create("walk");
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, names_live_and_deleted);
	tcase_add_test(tc, a_folder_inside_itself_ends);
	tcase_add_test(tc, partitions);
	tcase_add_test(tc, nothing_to_read);
	tcase_add_test(tc, content_of_one_file);
	tcase_add_loop_test(tc, digests_and_marks, 0, 2);
	tcase_add_test(tc, damaged_content);
	tcase_add_test(tc, a_lost_source_ends_the_walk);
	tcase_add_test(tc, load_by_path);
	tcase_add_loop_test(tc, marks_across_parts, 0, 12);
	tcase_add_test(tc, marks_of_server_pages);
	suite_add_tcase(s, tc);
	return s;
}
