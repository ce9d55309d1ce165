/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"

/* Seconds from GNU date -u -d ... +%s. */
static const struct {
	int64_t sec;
	const char *text;
	int weekday;
} moments[] = {
	{ 0, "1970-01-01T00:00:00Z", 4 },           { -1, "1969-12-31T23:59:59Z", 3 },
	{ 951782400, "2000-02-29T00:00:00Z", 2 },   { 951868799, "2000-02-29T23:59:59Z", 2 },
	{ 951868800, "2000-03-01T00:00:00Z", 3 },   { 1709164800, "2024-02-29T00:00:00Z", 4 },
	{ 4107542400, "2100-03-01T00:00:00Z", 1 },  { 2147483648, "2038-01-19T03:14:08Z", 2 },
	{ -2208988800, "1900-01-01T00:00:00Z", 1 }, { 9214646399, "2261-12-31T23:59:59Z", 2 },
	{ 1788231260, "2026-09-01T02:54:20Z", 2 },
};

START_TEST(seconds_and_dates_agree)
{
	char text[40];
	int64_t ns, back;
	ck_assert(co_time_make(moments[_i].sec, 0, &ns));
	co_time_text_sec(ns, text);
	ck_assert_str_eq(text, moments[_i].text);
	ck_assert_int_eq(co_time_parse(text, &back), 0);
	ck_assert_int_eq(back, ns);
	struct co_date d = co_date_of(moments[_i].sec);
	ck_assert_int_eq(d.weekday, moments[_i].weekday);
	ck_assert_int_eq(co_date_sec(d.year, d.month, d.day, d.hour, d.minute, d.second), moments[_i].sec);
}
END_TEST

static int is_next_day(struct co_date a, struct co_date b)
{
	if (b.weekday != (a.weekday + 1) % 7)
		return 0;
	if (b.day == 1)
		return b.month == a.month % 12 + 1 && a.day >= 28 && a.day <= 31;
	return b.day == a.day + 1 && b.month == a.month && b.year == a.year;
}

START_TEST(every_day_follows_the_one_before)
{
	/* 1600 to 2400: all leap year rules, both sides of 1970. One assertion, since each costs a write. */
	int64_t sec = co_date_sec(1600, 1, 1, 0, 0, 0);
	struct co_date before = co_date_of(sec);
	int days = 0, wrong = 0;
	while (before.year < 2400) {
		sec += 86400;
		struct co_date d = co_date_of(sec);
		wrong += !is_next_day(before, d) || co_date_sec(d.year, d.month, d.day, 0, 0, 0) != sec;
		before = d;
		days++;
	}
	ck_assert_int_eq(wrong, 0);
	ck_assert_int_eq(days, 2 * 146097);
}
END_TEST

START_TEST(times_before_1970_are_floored)
{
	int64_t ns;
	char text[40];
	ck_assert(co_time_make(-1, 999999999, &ns));
	ck_assert_int_eq(ns, -1);
	ck_assert_int_eq(co_time_sec(ns), -1);
	ck_assert_uint_eq(co_time_nsec(ns), 999999999);
	co_time_text(ns, text);
	ck_assert_str_eq(text, "1969-12-31T23:59:59.999999999Z");
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	int64_t ns = 5;
	ck_assert(!co_time_make(0, 1000000000, &ns));
	ck_assert(!co_time_make(INT64_MAX, 0, &ns));
	ck_assert(!co_time_make(INT64_MIN, 0, &ns));
	ck_assert(!co_time_make(9223372036, 854775808, &ns));
	ck_assert_int_eq(ns, 5);
	ck_assert(co_time_make(9223372036, 854775807, &ns));
	ck_assert_int_eq(ns, INT64_MAX);
}
END_TEST

START_TEST(no_time_has_no_text)
{
	char text[40] = "x";
	co_time_text(CO_TIME_NONE, text);
	ck_assert_str_eq(text, "");
	text[0] = 'x';
	co_time_text_sec(CO_TIME_NONE, text);
	ck_assert_str_eq(text, "");
}
END_TEST

static const struct {
	const char *text;
	int64_t ns;
} texts[] = {
	{ "1970-01-02", INT64_C(86400000000000) },
	{ "1970-01-01T00:01", INT64_C(60000000000) },
	{ "1970-01-01 00:00:01", INT64_C(1000000000) },
	{ "1970-01-01T00:00:00.5Z", INT64_C(500000000) },
	{ "1970-01-01T00:00:00.0000000019Z", 1 },
	{ "1970-01-01T01:00:00+01:00", 0 },
	{ "1970-01-01T01:00:00+0100", 0 },
	{ "1969-12-31T19:00:00-05:00", 0 },
	{ "1970-01-01T05:30+05:30", 0 },
	{ "2016-12-31T23:59:60Z", INT64_C(1483228800000000000) },
};

START_TEST(iso_texts_are_read)
{
	int64_t ns = -7;
	ck_assert_int_eq(co_time_parse(texts[_i].text, &ns), 0);
	ck_assert_int_eq(ns, texts[_i].ns);
}
END_TEST

static const char *const no_times[] = {
	"",
	"1970",
	"1970-01",
	"70-01-01",
	"1970-1-1",
	"1970-13-01",
	"1970-00-10",
	"1970-01-00",
	"1970-04-31",
	"1971-02-29",
	"1900-02-29",
	"1970-01-01T",
	"1970-01-01T10",
	"1970-01-01T24:00",
	"1970-01-01T10:60",
	"1970-01-01T10:00:61",
	"1970-01-01T10:00:",
	"1970-01-01T10:00:00.",
	"1970-01-01T10:00.5",
	"1970-01-01T10:00:00X",
	"1970-01-01T10:00:00Z ",
	"1970-01-01T10:00:00+1",
	"1970-01-01T10:00:00+99:00",
	"1970-01-01T10:00:00+01:60",
	"1500-01-01",
	"9999-01-01",
	" 1970-01-01",
};

START_TEST(other_texts_are_not)
{
	int64_t ns = -7;
	ck_assert_int_eq(co_time_parse(no_times[_i], &ns), -1);
	ck_assert_int_eq(ns, -7);
}
END_TEST

START_TEST(clocks_run)
{
	int64_t a = co_clock_monotonic(), b = co_clock_monotonic();
	ck_assert_int_le(a, b);
	/* after 2020 */
	ck_assert_int_gt(co_clock_now(), INT64_C(1577836800) * CO_NS_PER_S);
}
END_TEST

Suite *t_clock_suite(void)
{
	Suite *suite = suite_create("clock");
	TCase *tc = tcase_create("clock");
	tcase_add_loop_test(tc, seconds_and_dates_agree, 0, (int)(sizeof moments / sizeof *moments));
	tcase_add_test(tc, every_day_follows_the_one_before);
	tcase_add_test(tc, times_before_1970_are_floored);
	tcase_add_test(tc, what_does_not_fit_is_refused);
	tcase_add_test(tc, no_time_has_no_text);
	tcase_add_loop_test(tc, iso_texts_are_read, 0, (int)(sizeof texts / sizeof *texts));
	tcase_add_loop_test(tc, other_texts_are_not, 0, (int)(sizeof no_times / sizeof *no_times));
	tcase_add_test(tc, clocks_run);
	suite_add_tcase(suite, tc);
	return suite;
}
