/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/files.h"
#include "store/resolve.h"

static struct an_files files;

static void set_up(void)
{
	files = (struct an_files) { 0 };
}

static void tear_down(void)
{
	an_files_free(&files);
}

static void add(const char *path, uint8_t type, const char *link, uint32_t flags, uint64_t inode)
{
	struct an_file row = {
		.path = path, .link = link, .type = type, .name_type = type, .flags = flags, .inode = inode
	};
	ck_assert_int_eq(an_files_add(&files, &row, NULL), 0);
}

#define LIVE (AN_NAME_ALLOCATED | AN_META_KNOWN | AN_META_ALLOCATED)

START_TEST(strings_are_copied)
{
	char path[] = "/etc/passwd", target[] = "/x";
	add(path, AN_TYPE_LINK, target, LIVE, 12);
	path[1] = target[1] = '!';
	ck_assert_str_eq(files.rows.at[0].path, "/etc/passwd");
	ck_assert_str_eq(files.rows.at[0].link, "/x");
}
END_TEST

START_TEST(find_sees_live_names_only)
{
	add("/a", AN_TYPE_REGULAR, NULL, AN_META_KNOWN, 1); /* deleted */
	add("/a", AN_TYPE_REGULAR, NULL, LIVE | AN_NTFS_NAME_TIMES, 2);
	add("/a:s", AN_TYPE_REGULAR, NULL, LIVE | AN_STREAM, 3);
	ck_assert_ptr_null(an_files_find(&files, "/a"));
	ck_assert_ptr_null(an_files_find(&files, "/a:s"));
	add("/a", AN_TYPE_REGULAR, NULL, LIVE, 4);
	add("/a", AN_TYPE_REGULAR, NULL, LIVE, 5);
	struct an_file *f = an_files_find(&files, "/a");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(f->inode, 4);
	ck_assert_ptr_null(an_files_find(&files, "/"));
}
END_TEST

START_TEST(find_among_many)
{
	char path[32];
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(path, sizeof path, "/f%u", i);
		add(path, AN_TYPE_REGULAR, NULL, LIVE, i);
	}
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(path, sizeof path, "/f%u", i);
		ck_assert_ptr_nonnull(an_files_find(&files, path));
		ck_assert_uint_eq(an_files_find(&files, path)->inode, i);
	}
	ck_assert_ptr_null(an_files_find(&files, "/f5000"));
}
END_TEST

START_TEST(mode_text)
{
	static const struct {
		uint8_t name_type, type;
		uint16_t mode;
		uint32_t flags;
		const char *want;
	} cases[] = {
		{ AN_TYPE_REGULAR, AN_TYPE_REGULAR, 0755, AN_META_KNOWN, "r/rrwxr-xr-x" },
		{ AN_TYPE_FOLDER, AN_TYPE_FOLDER, 01777, AN_META_KNOWN, "d/drwxrwxrwt" },
		{ AN_TYPE_REGULAR, AN_TYPE_REGULAR, 06644, AN_META_KNOWN, "r/rrwSr-Sr--" },
		{ AN_TYPE_REGULAR, AN_TYPE_REGULAR, 07711, AN_META_KNOWN, "r/rrws--s--t" },
		{ AN_TYPE_UNKNOWN, AN_TYPE_FIFO, 0, AN_META_KNOWN, "-/p---------" },
		{ AN_TYPE_SOCKET, AN_TYPE_SOCKET, 0600, AN_META_KNOWN, "s/hrw-------" },
		{ AN_TYPE_VIRTUAL_FOLDER, AN_TYPE_VIRTUAL_FOLDER, 0, AN_META_KNOWN, "V/V---------" },
		{ AN_TYPE_REGULAR, AN_TYPE_REGULAR, 0777, 0, "r/----------" },
		{ 200, 200, 0, AN_META_KNOWN, "-/----------" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct an_file f = { .name_type = cases[i].name_type,
				     .type = cases[i].type,
				     .mode = cases[i].mode,
				     .flags = cases[i].flags };
		char text[13];
		an_file_mode_text(&f, text);
		ck_assert_str_eq(text, cases[i].want);
	}
}
END_TEST

START_TEST(live_regular)
{
	struct an_file f = { .type = AN_TYPE_REGULAR, .flags = LIVE };
	ck_assert(an_file_is_live_regular(&f));
	f.flags = LIVE | AN_STREAM;
	ck_assert(!an_file_is_live_regular(&f));
	f.flags = AN_NAME_ALLOCATED | AN_META_KNOWN;
	ck_assert(!an_file_is_live_regular(&f));
	f = (struct an_file) { .type = AN_TYPE_FOLDER, .flags = LIVE };
	ck_assert(!an_file_is_live_regular(&f));
}
END_TEST

static void check_resolves(const char *path, const char *want)
{
	struct an_file *f = NULL;
	int r = an_files_resolve(&files, path, &f, NULL);
	ck_assert_int_eq(r, want ? 0 : 1);
	if (want)
		ck_assert_str_eq(f->path, want);
}

START_TEST(links_are_followed_inside_the_image)
{
	add("/usr/bin/sh", AN_TYPE_LINK, "dash", LIVE, 1);
	add("/usr/bin/dash", AN_TYPE_REGULAR, NULL, LIVE, 2);
	add("/bin", AN_TYPE_LINK, "usr/bin", LIVE, 3);
	add("/etc/alternatives/up", AN_TYPE_LINK, "../../../../../usr/bin/./dash", LIVE, 4);
	add("/loop", AN_TYPE_LINK, "/loop", LIVE, 5);
	add("/gone", AN_TYPE_LINK, "/nowhere", LIVE, 6);
	add("/absolute", AN_TYPE_LINK, "/bin/sh", LIVE, 7);
	check_resolves("/bin/sh", "/usr/bin/dash");
	check_resolves("/absolute", "/usr/bin/dash");
	check_resolves("//usr//bin/../bin/dash", "/usr/bin/dash");
	check_resolves("/etc/alternatives/up", "/usr/bin/dash");
	check_resolves("/loop", NULL);
	check_resolves("/gone", NULL);
	check_resolves("/", NULL);
}
END_TEST

START_TEST(at_most_eight_links)
{
	char path[16], target[16];
	for (int i = 0; i < 9; i++) {
		snprintf(path, sizeof path, "/l%d", i);
		snprintf(target, sizeof target, "/l%d", i + 1);
		add(path, AN_TYPE_LINK, target, LIVE, 1);
	}
	add("/l9", AN_TYPE_REGULAR, NULL, LIVE, 2);
	check_resolves("/l1", "/l9");
	check_resolves("/l0", NULL);
}
END_TEST

Suite *t_files_suite(void)
{
	Suite *s = suite_create("files");
	TCase *tc = tcase_create("files");
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, strings_are_copied);
	tcase_add_test(tc, find_sees_live_names_only);
	tcase_add_test(tc, find_among_many);
	tcase_add_test(tc, mode_text);
	tcase_add_test(tc, live_regular);
	tcase_add_test(tc, links_are_followed_inside_the_image);
	tcase_add_test(tc, at_most_eight_links);
	suite_add_tcase(s, tc);
	return s;
}
