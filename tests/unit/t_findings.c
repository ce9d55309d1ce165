/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/findings.h"

static const struct an_rule low = { "a-low", AN_AXIS_METADATA, 10, false, "x" };
static const struct an_rule high = { "z-high", AN_AXIS_METADATA, 40, false, "x" };
static const struct an_rule other_axis = { "m-content", AN_AXIS_CONTENT, 5, false, "x" };
static const struct an_rule sure = { "sure", AN_AXIS_INTEGRITY, 1, true, "x" };
static const struct an_rule zero = { "zero", AN_AXIS_CONTENT, 0, false, "x" };

static struct an_file file(const char *path)
{
	struct an_file f = { .path = path, .inode = 7 };
	for (int i = 0; i < AN_TIME_N; i++)
		f.time[i] = CO_TIME_NONE;
	return f;
}

static void add(struct an_findings *fs, const char *path, const struct an_rule *rule, const char *text)
{
	struct an_file f = file(path);
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(an_findings_add(fs, &f, rule, NULL, -1, &err, "%s", text), 0);
}

static void settle(struct an_findings *fs)
{
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(an_findings_settle(fs, &err), 0);
}

START_TEST(reasons_of_one_path_become_one_finding)
{
	struct an_findings fs = { 0 };
	add(&fs, "/b", &low, "two");
	add(&fs, "/a", &low, "one");
	add(&fs, "/b", &high, "three");
	settle(&fs);
	ck_assert_uint_eq(fs.list.n, 2);
	ck_assert_str_eq(fs.list.at[0].path, "/b");
	ck_assert_uint_eq(fs.list.at[0].score, 50);
	ck_assert_ptr_eq(fs.list.at[0].rule, &high);
	ck_assert_str_eq(fs.list.at[0].reasons.at[0].text, "three");
	ck_assert_str_eq(fs.list.at[1].path, "/a");
	an_findings_free(&fs);
}
END_TEST

START_TEST(a_rule_counts_once)
{
	struct an_findings fs = { 0 };
	add(&fs, "/a", &low, "line 1");
	add(&fs, "/a", &low, "line 2");
	add(&fs, "/a", &low, "line 2");
	settle(&fs);
	ck_assert_uint_eq(fs.list.at[0].score, 10);
	ck_assert_uint_eq(fs.list.at[0].reasons.n, 2); /* the same reason twice is one */
	an_findings_free(&fs);
}
END_TEST

static enum an_severity severity_of(const struct an_rule *a, const struct an_rule *b)
{
	struct an_findings fs = { 0 };
	add(&fs, "/a", a, "x");
	add(&fs, "/a", b, "x");
	settle(&fs);
	enum an_severity s = fs.list.at[0].severity;
	an_findings_free(&fs);
	return s;
}

START_TEST(severities)
{
	ck_assert_int_eq(severity_of(&low, &low), AN_NOTABLE);
	ck_assert_int_eq(severity_of(&low, &high), AN_NOTABLE); /* the same axis is not independent */
	ck_assert_int_eq(severity_of(&low, &other_axis), AN_STRONG);
	ck_assert_int_eq(severity_of(&low, &sure), AN_CONFIRMED);
	ck_assert_int_eq(severity_of(&zero, &zero), AN_UNKNOWN);
	ck_assert_int_eq(severity_of(&zero, &low), AN_NOTABLE); /* score 0 is no second axis */
}
END_TEST

START_TEST(order_does_not_depend_on_the_order_of_adding)
{
	static const char *const paths[] = { "/c", "/a", "/b", "/a", "/d" };
	struct an_findings one = { 0 }, two = { 0 };
	for (int i = 0; i < 5; i++) {
		add(&one, paths[i], i % 2 ? &low : &other_axis, "t");
		add(&two, paths[4 - i], (4 - i) % 2 ? &low : &other_axis, "t");
	}
	settle(&one);
	settle(&two);
	ck_assert_uint_eq(one.list.n, two.list.n);
	for (size_t i = 0; i < one.list.n; i++) {
		ck_assert_str_eq(one.list.at[i].path, two.list.at[i].path);
		ck_assert_ptr_eq(one.list.at[i].rule, two.list.at[i].rule);
		ck_assert_uint_eq(one.list.at[i].reasons.n, two.list.at[i].reasons.n);
	}
	ck_assert_str_eq(one.list.at[0].path, "/a"); /* the only one with both rules */
	an_findings_free(&one);
	an_findings_free(&two);
}
END_TEST

START_TEST(volumes_are_kept_apart)
{
	struct an_findings fs = { 0 };
	struct co_err err = CO_ERR_INIT;
	struct an_file f = file("/a");
	for (f.volume = 0; f.volume < 2; f.volume++)
		ck_assert_int_eq(an_findings_add(&fs, &f, &low, NULL, -1, &err, "x"), 0);
	settle(&fs);
	ck_assert_uint_eq(fs.list.n, 2);
	ck_assert_uint_eq(fs.list.at[0].volume, 0);
	an_findings_free(&fs);
}
END_TEST

START_TEST(the_time_that_matters)
{
	struct an_findings fs = { 0 };
	struct co_err err = CO_ERR_INIT;
	struct an_file f = file("/a-changed");
	f.time[AN_CRTIME] = 3, f.time[AN_CTIME] = 2, f.time[AN_MTIME] = 1;
	ck_assert_int_eq(an_findings_add(&fs, &f, &low, NULL, -1, &err, "x"), 0);
	f.path = "/b-born";
	f.time[AN_CTIME] = CO_TIME_NONE;
	ck_assert_int_eq(an_findings_add(&fs, &f, &low, NULL, -1, &err, "x"), 0);
	f.path = "/c-modified";
	f.time[AN_CRTIME] = CO_TIME_NONE;
	ck_assert_int_eq(an_findings_add(&fs, &f, &low, NULL, -1, &err, "x"), 0);
	settle(&fs);
	ck_assert_int_eq(fs.list.at[0].time_ns, 2);
	ck_assert_int_eq(fs.list.at[1].time_ns, 3);
	ck_assert_int_eq(fs.list.at[2].time_ns, 1);
	an_findings_free(&fs);
}
END_TEST

START_TEST(texts_are_made_visible_and_quotes_are_not)
{
	struct an_findings fs = { 0 };
	struct co_err err = CO_ERR_INIT;
	struct an_file f = file("/a\033[2J");
	ck_assert_int_eq(an_findings_add(&fs, &f, &low, "raw\033", 5, &err, "see %s", f.path), 0);
	settle(&fs);
	ck_assert_str_eq(fs.list.at[0].path, "/a\033[2J");
	ck_assert_str_eq(fs.list.at[0].reasons.at[0].text, "see /a\\x1b[2J");
	ck_assert_str_eq(fs.list.at[0].reasons.at[0].quote, "raw\033");
	ck_assert_int_eq(fs.list.at[0].reasons.at[0].offset, 5);
	an_findings_free(&fs);
}
END_TEST

START_TEST(may_be_settled_again)
{
	struct an_findings fs = { 0 };
	settle(&fs);
	ck_assert_uint_eq(fs.list.n, 0);
	add(&fs, "/a", &low, "x");
	ck_assert(!fs.settled);
	settle(&fs);
	add(&fs, "/b", &high, "x");
	settle(&fs);
	ck_assert_uint_eq(fs.list.n, 2);
	ck_assert_str_eq(fs.list.at[0].path, "/b");
	an_findings_free(&fs);
	an_findings_free(&fs);
}
END_TEST

Suite *t_findings_suite(void)
{
	Suite *s = suite_create("findings");
	TCase *t = tcase_create("findings");
	tcase_add_test(t, reasons_of_one_path_become_one_finding);
	tcase_add_test(t, a_rule_counts_once);
	tcase_add_test(t, severities);
	tcase_add_test(t, order_does_not_depend_on_the_order_of_adding);
	tcase_add_test(t, volumes_are_kept_apart);
	tcase_add_test(t, the_time_that_matters);
	tcase_add_test(t, texts_are_made_visible_and_quotes_are_not);
	tcase_add_test(t, may_be_settled_again);
	suite_add_tcase(s, t);
	return s;
}
