/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

START_TEST(strings_grow)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	ck_assert_str_eq(co_str_get(&s), "");
	for (int i = 0; i < 1000; i++)
		co_str_addf(&s, "%d,", i % 10);
	ck_assert_uint_eq(s.n, 2000);
	ck_assert_int_eq(strncmp(co_str_get(&s), "0,1,2,", 6), 0);
	co_str_clear(&s);
	ck_assert_str_eq(co_str_get(&s), "");
	co_str_add_n(&s, "a\0b", 3);
	ck_assert_uint_eq(s.n, 3);
	ck_assert_int_eq(memcmp(s.s, "a\0b", 4), 0);
	ck_assert(!s.failed);
}
END_TEST

START_TEST(a_failed_string_stays_failed)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	co_str_add(&s, "kept");
	co_str_add_n(&s, "x", SIZE_MAX);
	ck_assert(s.failed);
	co_str_add(&s, "y");
	ck_assert_str_eq(co_str_get(&s), "kept");
	co_str_clear(&s);
	ck_assert(s.failed);
}
END_TEST

START_TEST(hexadecimal_both_ways)
{
	const uint8_t b[] = { 0x00, 0x9F, 0xFF };
	uint8_t back[3];
	char text[7];
	co_hex(b, 3, text);
	ck_assert_str_eq(text, "009fff");
	ck_assert_int_eq(co_unhex("009FfF", 3, back), 0);
	ck_assert_mem_eq(b, back, 3);
	ck_assert_int_eq(co_unhex("009Ff", 3, back), -1);
	ck_assert_int_eq(co_unhex("", 3, back), -1);
	ck_assert_int_eq(co_unhex("00 fff", 3, back), -1);
	ck_assert_int_eq(co_unhex("0g9fff", 3, back), -1);
}
END_TEST

static const struct {
	const char *text;
	uint64_t bytes;
} sizes[] = {
	{ "0", 0 },
	{ "4096", 4096 },
	{ "4096b", 4096 },
	{ "64K", 65536 },
	{ "64k", 65536 },
	{ "64KiB", 65536 },
	{ "64kB", 64000 },
	{ "1.5G", 1610612736 },
	{ "1.5GB", 1500000000 },
	{ "0.001kB", 1 },
	{ "2TiB", UINT64_C(2199023255552) },
	{ "3P", UINT64_C(3377699720527872) },
	/* more digits than a double has */
	{ "9007199254740993", UINT64_C(9007199254740993) },
	{ "9223372036854775807", INT64_MAX },
};

START_TEST(sizes_are_read_to_the_byte)
{
	uint64_t got = 1;
	ck_assert_int_eq(co_parse_size(sizes[_i].text, "size", &got, NULL), 0);
	ck_assert_uint_eq(got, sizes[_i].bytes);
}
END_TEST

static const char *const no_sizes[] = {
	"",
	"-1",
	" 1",
	"1 K",
	"K",
	"1.",
	"1.K",
	".5K",
	"0x10",
	"1e3",
	"1KiBs",
	"1BB",
	"1Q",
	"nan",
	"inf",
	"+1",
	"9223372036854775808",
	"8192P",
	"99999999999999999999",
};

START_TEST(what_is_no_size)
{
	struct co_err err = CO_ERR_INIT;
	uint64_t got = 7;
	ck_assert_int_eq(co_parse_size(no_sizes[_i], "--segment-size", &got, &err), CO_ERR_USAGE);
	ck_assert_int_eq(strncmp(err.msg, "--segment-size: '", 17), 0);
	ck_assert_uint_eq(got, 7);
}
END_TEST

START_TEST(numbers_have_bounds)
{
	struct co_err err = CO_ERR_INIT;
	uint64_t got = 0;
	ck_assert_int_eq(co_parse_uint("18446744073709551615", "n", 0, UINT64_MAX, &got, &err), 0);
	ck_assert_uint_eq(got, UINT64_MAX);
	ck_assert_int_eq(co_parse_uint("18446744073709551616", "n", 0, UINT64_MAX, &got, &err), CO_ERR_USAGE);
	ck_assert_int_eq(co_parse_uint("2", "n", 2, 8, &got, &err), 0);
	ck_assert_int_eq(co_parse_uint("8", "n", 2, 8, &got, &err), 0);
	ck_assert_int_eq(co_parse_uint("9", "threads", 2, 8, &got, &err), CO_ERR_USAGE);
	ck_assert_str_eq(err.msg, "threads: '9' is not a number from 2 to 8");
	ck_assert_uint_eq(got, 8);
	ck_assert_int_eq(co_parse_uint("1", "n", 2, 8, &got, &err), CO_ERR_USAGE);
	ck_assert_int_eq(co_parse_uint("", "n", 0, 8, &got, &err), CO_ERR_USAGE);
	ck_assert_int_eq(co_parse_uint("-1", "n", 0, UINT64_MAX, &got, &err), CO_ERR_USAGE);
	ck_assert_int_eq(co_parse_uint("3x", "n", 0, 8, &got, &err), CO_ERR_USAGE);
}
END_TEST

START_TEST(sizes_are_shown_in_three_digits)
{
	char text[16];
	co_size_text(0, text);
	ck_assert_str_eq(text, "0 B");
	co_size_text(999, text);
	ck_assert_str_eq(text, "999 B");
	co_size_text(1000, text);
	ck_assert_str_eq(text, "1.00 kB");
	co_size_text(999999, text);
	ck_assert_str_eq(text, "1.00 MB");
	co_size_text(99960, text);
	ck_assert_str_eq(text, "100 kB");
	co_size_text(1860000000, text);
	ck_assert_str_eq(text, "1.86 GB");
	co_size_text(UINT64_MAX, text);
	ck_assert_str_eq(text, "18.4 EB");
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
	uint32_t code;
} sequences[] = {
	{ "a", 1, 'a' },
	{ "\xC2\x80", 2, 0x80 },
	{ "\xC3\xA4", 2, 0xE4 },
	{ "\xE0\xA0\x80", 3, 0x800 },
	{ "\xE2\x82\xAC", 3, 0x20AC },
	{ "\xED\x9F\xBF", 3, 0xD7FF },
	{ "\xF0\x9F\x92\xBE", 4, 0x1F4BE },
	{ "\xF4\x8F\xBF\xBF", 4, 0x10FFFF },
	/* overlong */
	{ "\xC0\x80", 0, 0 },
	{ "\xC1\xBF", 0, 0 },
	{ "\xE0\x9F\xBF", 0, 0 },
	{ "\xF0\x8F\xBF\xBF", 0, 0 },
	/* surrogate, too large, lone continuation, cut off, broken */
	{ "\xED\xA0\x80", 0, 0 },
	{ "\xF4\x90\x80\x80", 0, 0 },
	{ "\xF5\x80\x80\x80", 0, 0 },
	{ "\x80", 0, 0 },
	{ "\xE2\x82", 0, 0 },
	{ "\xE2\x28\xA1", 0, 0 },
	{ "\xFF", 0, 0 },
};

START_TEST(utf8_is_strict)
{
	uint32_t code = 0;
	size_t len = co_utf8_len(sequences[_i].bytes, strlen(sequences[_i].bytes), &code);
	ck_assert_uint_eq(len, sequences[_i].len);
	if (len) {
		ck_assert_uint_eq(code, sequences[_i].code);
		/* never beyond the bytes that are there */
		ck_assert_uint_eq(co_utf8_len(sequences[_i].bytes, len - 1, NULL), 0);
	}
}
END_TEST

START_TEST(names_are_made_visible)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	static const char name[] = "a\n\x1b[2J\x7f\\\xFF\xC3\xA4\xE2\x80\xAE\xEF\xBB\xBF\xC2\x9B.";
	co_str_add_visible(&s, name, sizeof name - 1);
	ck_assert_str_eq(co_str_get(&s),
			 "a\\x0a\\x1b[2J\\x7f\\x5c\\xff\xC3\xA4\\xe2\\x80\\xae\\xef\\xbb\\xbf\\xc2\\x9b.");
	co_str_clear(&s);
	co_str_add_visible(&s, "\0x", 2);
	ck_assert_str_eq(co_str_get(&s), "\\x00x");
}
END_TEST

Suite *t_text_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *tc = tcase_create("text");
	tcase_add_test(tc, strings_grow);
	tcase_add_test(tc, a_failed_string_stays_failed);
	tcase_add_test(tc, hexadecimal_both_ways);
	tcase_add_loop_test(tc, sizes_are_read_to_the_byte, 0, (int)(sizeof sizes / sizeof *sizes));
	tcase_add_loop_test(tc, what_is_no_size, 0, (int)(sizeof no_sizes / sizeof *no_sizes));
	tcase_add_test(tc, numbers_have_bounds);
	tcase_add_test(tc, sizes_are_shown_in_three_digits);
	tcase_add_loop_test(tc, utf8_is_strict, 0, (int)(sizeof sequences / sizeof *sequences));
	tcase_add_test(tc, names_are_made_visible);
	suite_add_tcase(suite, tc);
	return suite;
}
