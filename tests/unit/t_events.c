/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/events.h"

#include <stdbool.h>

#include "folder.h"
#include "suites.h"

static struct folder dir;
static struct co_err err;
static char text[4096]; /* of the log, after three lines and a commit */
static size_t length;
static size_t line_end[3];

static size_t load(const char *name, char *to, size_t cap)
{
	FILE *f = fopen(in_folder(&dir, name), "re");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(to, 1, cap - 1, f);
	fclose(f);
	to[n] = '\0';
	return n;
}

static void set_up(void)
{
	struct im_events *e = NULL;
	struct im_events_head head;

	folder_make(&dir);
	err = CO_ERR_INIT;
	ck_assert_int_eq(im_events_open(&e, in_folder(&dir, "log"), &err), 0);
	im_events_add(e, "one", "first");
	im_events_add(e, "two", "second\nline \"quoted\"");
	im_events_add(e, "three", "third");
	ck_assert_int_eq(im_events_commit(e, &head, &err), 0);
	ck_assert_uint_eq(head.count, 3);
	length = load("log", text, sizeof text);
	for (size_t i = 0, k = 0; i < length; i++)
		if (text[i] == '\n')
			line_end[k++] = i + 1;
}

static void tear_down(void)
{
	folder_remove(&dir);
}

/* With @n bytes of @log as the log of a session that was killed: how many are cut, and how many lines there are after
 * one more. */
static uint64_t resumed(const char *log, size_t n, uint64_t *ret_lines)
{
	struct im_events *e = NULL;
	struct im_events_head head;
	uint64_t cut = 77;
	char now[4096];

	folder_write(&dir, "log.part", log, n);
	ck_assert_msg(im_events_resume(&e, in_folder(&dir, "log"), &cut, &err) == 0, "%s", err.msg);
	im_events_add(e, "more", "of it");
	ck_assert_int_eq(im_events_commit(e, &head, &err), 0);
	*ret_lines = 0;
	for (size_t i = 0, len = load("log", now, sizeof now); i < len; i++) {
		ck_assert_int_ne(now[i], '\0');
		*ret_lines += now[i] == '\n';
	}
	ck_assert_uint_eq(*ret_lines, head.count); /* nothing else is in the file */
	return cut;
}

START_TEST(goes_on_after_a_commit)
{
	struct im_events *e = NULL;
	uint64_t cut = 77, lines;
	char now[4096];

	ck_assert_int_eq(im_events_resume(&e, in_folder(&dir, "log"), &cut, &err), 0);
	ck_assert_uint_eq(cut, 0);
	im_events_add(e, "four", "4");
	im_events_abort(e); /* killed */
	ck_assert(access(in_folder(&dir, "log"), F_OK) != 0);
	ck_assert_int_eq(im_events_resume(&e, in_folder(&dir, "log"), &cut, &err), 0);
	ck_assert_uint_eq(cut, 0);
	ck_assert_int_eq(im_events_commit(e, &(struct im_events_head) { 0 }, &err), 0);
	lines = load("log", now, sizeof now);
	ck_assert_uint_gt(lines, length);
	ck_assert_mem_eq(now, text, length); /* what was there has not changed */
	ck_assert_ptr_nonnull(strstr(now + length, "{\"seq\":3,"));
}
END_TEST

START_TEST(cut_anywhere)
{
	for (size_t n = 0; n <= length; n++) {
		bool near_end = n < 3 || length - n < 3;

		for (size_t i = 0; i < 3; i++)
			near_end |= n + 2 > line_end[i] && n < line_end[i] + 3;
		if (n % 41 && !near_end)
			continue; /* each takes an fsync */

		size_t whole = n >= line_end[2] ? 3 : n >= line_end[1] ? 2 : n >= line_end[0] ? 1 : 0;
		uint64_t lines = 0, cut;

		unlink(in_folder(&dir, "log"));
		cut = resumed(text, n, &lines);
		ck_assert_uint_eq(cut, n - (whole ? line_end[whole - 1] : 0));
		ck_assert_uint_eq(lines, whole + 1);
	}
}
END_TEST

START_TEST(a_broken_chain)
{
	char changed[4096];
	uint64_t lines = 0;

	/* a byte of the first line: the second no longer follows */
	memcpy(changed, text, length);
	memcpy(strstr(changed, "first"), "worst", 5);
	ck_assert_uint_eq(resumed(changed, length, &lines), length - line_end[0]);
	ck_assert_uint_eq(lines, 2);
	/* the second is taken out */
	memcpy(changed, text, line_end[0]);
	memcpy(changed + line_end[0], text + line_end[1], length - line_end[1]);
	ck_assert_uint_eq(resumed(changed, length - (line_end[1] - line_end[0]), &lines), length - line_end[1]);
	/* zeros, as a crash may leave behind the end of a file */
	memcpy(changed, text, length);
	memset(changed + length, 0, 100);
	ck_assert_uint_eq(resumed(changed, length + 100, &lines), 100);
	ck_assert_uint_eq(lines, 4);
	/* the first is not the first */
	ck_assert_uint_eq(resumed(text + line_end[0], length - line_end[0], &lines), length - line_end[0]);
	ck_assert_uint_eq(lines, 1);
}
END_TEST

START_TEST(no_log_at_all)
{
	struct im_events *e = NULL;
	uint64_t cut = 77;

	unlink(in_folder(&dir, "log"));
	ck_assert_int_eq(im_events_resume(&e, in_folder(&dir, "log"), &cut, &err), 0);
	ck_assert_uint_eq(cut, 0);
	im_events_abort(e);
}
END_TEST

Suite *t_events_suite(void)
{
	Suite *s = suite_create("events");
	TCase *t = tcase_create("events");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, goes_on_after_a_commit);
	tcase_add_test(t, cut_anywhere);
	tcase_add_test(t, a_broken_chain);
	tcase_add_test(t, no_log_at_all);
	suite_add_tcase(s, t);
	return s;
}
