/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <string.h>
#include <sys/stat.h>

#include "folder.h"
#include "image/evidence.h"

static struct folder dir;
static struct an_evidence e;
static struct co_err err;

static void set_up(void)
{
	folder_make(&dir);
	e = (struct an_evidence) { 0 };
	err = CO_ERR_INIT;
}

static void tear_down(void)
{
	an_evidence_close(&e);
	folder_remove(&dir);
}

static int open_one(const char *name)
{
	const char *names[] = { in_folder(&dir, name) };
	return an_evidence_open(&e, names, 1, NULL, &err);
}

static void check_bytes(const char *kind, const char *want)
{
	char got[64];
	size_t n = strlen(want);
	ck_assert_str_eq(e.kind, kind);
	ck_assert_uint_eq(e.source.size, n);
	ck_assert_int_eq(co_source_read_full(&e.source, got, n, 0, &err), 0);
	ck_assert_mem_eq(got, want, n);
}

START_TEST(raw)
{
	folder_puts(&dir, "disk.raw", "abc");
	ck_assert_int_eq(open_one("disk.raw"), 0);
	check_bytes("raw", "abc");
	struct an_case_evidence row;
	ck_assert_int_eq(an_evidence_describe(&e, &row, &err), 0);
	ck_assert_str_eq(row.name, "disk.raw");
	ck_assert_str_eq(row.sha256, "");
	struct an_case c = { 0 };
	ck_assert_int_eq(co_vec_push(&c.evidence, row), 0);
	an_case_free(&c);
}
END_TEST

START_TEST(split_by_any_part)
{
	static const char *const names[][4] = {
		{ "x.000", "x.001", "x.002", "x.001" },
		{ "x.01", "x.02", "x.03", "x.03" },
		{ "x.aa", "x.ab", "x.ac", "x.aa" },
	};
	for (int i = 0; i < 3; i++)
		folder_puts(&dir, names[_i][i], i == 0 ? "one" : i == 1 ? "two" : "3");
	folder_puts(&dir, "y.002", "no");
	folder_puts(&dir, "x.0001", "no");
	ck_assert_int_eq(open_one(names[_i][3]), 0);
	check_bytes("split", "onetwo3");
}
END_TEST

START_TEST(a_missing_part)
{
	folder_puts(&dir, "x.001", "1");
	folder_puts(&dir, "x.003", "3");
	ck_assert_int_eq(open_one("x.001"), CO_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(err.msg, "missing"));
	folder_puts(&dir, "z.002", "2");
	folder_puts(&dir, "z.003", "3");
	ck_assert_int_eq(open_one("z.003"), CO_ERR_FORMAT);
}
END_TEST

START_TEST(parts_by_name)
{
	folder_puts(&dir, "b", "one");
	folder_puts(&dir, "a", "two");
	const char *names[] = { in_folder(&dir, "b"), in_folder(&dir, "a") };
	ck_assert_int_eq(an_evidence_open(&e, names, 2, NULL, &err), 0);
	check_bytes("split", "onetwo");
}
END_TEST

START_TEST(containers_are_refused)
{
	static const char *const begins[] = { "QFI\xfb",   "KDMV",         "vhdxfile",  "conectix",
					      "AFF10\r\n", "EVF2\r\n\x81", "PK\x03\x04" };
	folder_puts(&dir, "image", begins[_i]);
	ck_assert_int_eq(open_one("image"), CO_ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.msg, "can't read"));
	ck_assert_ptr_null(e.kind);
}
END_TEST

START_TEST(folders)
{
	ck_assert_int_eq(open_one("nothing"), CO_ERR_FAILED);
	ck_assert_int_eq(open_one("."), CO_ERR_FORMAT);
	ck_assert_int_eq(mkdir(in_folder(&dir, "data"), 0700), 0);
	ck_assert_int_eq(open_one("."), CO_ERR_FORMAT);
	folder_puts(&dir, "data/a.E01", "x");
	folder_puts(&dir, "data/b.e01", "x");
	ck_assert_int_eq(open_one("."), CO_ERR_USAGE);
}
END_TEST

Suite *t_evidence_suite(void)
{
	Suite *s = suite_create("evidence");
	TCase *tc = tcase_create("evidence");
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, raw);
	tcase_add_loop_test(tc, split_by_any_part, 0, 3);
	tcase_add_test(tc, a_missing_part);
	tcase_add_test(tc, parts_by_name);
	tcase_add_loop_test(tc, containers_are_refused, 0, 7);
	tcase_add_test(tc, folders);
	suite_add_tcase(s, tc);
	return s;
}
