/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "folder.h"
#include "manifest/json.h"

static void check_string(const void *bytes, size_t len, const char *want)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	struct co_json j;
	co_json_to_str(&j, &s, false);
	co_json_str_n(&j, NULL, bytes, len);
	ck_assert_int_eq(co_json_end(&j, NULL), 0);
	ck_assert_str_eq(co_str_get(&s), want);
}

START_TEST(strings_are_escaped)
{
	check_string("", 0, "\"\"");
	check_string("plain /text/", 12, "\"plain /text/\"");
	check_string("\"\\", 2, "\"\\\"\\\\\"");
	check_string("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	check_string("\0a", 2, "\"\\u0000a\"");
	check_string("\x7f", 1, "\"\\u007f\"");
	check_string("\xC2\x80", 2, "\"\\u0080\"");
	check_string("\xC2\x9F", 2, "\"\\u009f\"");
	check_string("\xC2\xA0", 2, "\"\xC2\xA0\"");
	/* every other control character */
	for (int c = 1; c < 0x20; c++) {
		char byte = (char)c, want[16];
		if (strchr("\b\f\n\r\t", c))
			continue;
		snprintf(want, sizeof want, "\"\\u%04x\"", (unsigned)c);
		check_string(&byte, 1, want);
	}
}
END_TEST

START_TEST(utf8_is_kept_and_other_bytes_survive)
{
	check_string("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x92\xBE", 9, "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x92\xBE\"");
	check_string("a\xFFz", 3, "\"a\\udcffz\"");
	check_string("\x80", 1, "\"\\udc80\"");
	check_string("\xE2\x82", 2, "\"\\udce2\\udc82\"");
	/* a surrogate in UTF-8 is invalid: else it would be merged with the form of an invalid byte */
	check_string("\xED\xB3\xBF", 3, "\"\\udced\\udcb3\\udcbf\"");
	/* every invalid byte has a form of its own */
	for (int c = 0x80; c < 0x100; c++) {
		char byte = (char)c, want[16];
		snprintf(want, sizeof want, "\"\\udc%02x\"", (unsigned)c);
		check_string(&byte, 1, want);
	}
}
END_TEST

static void write_all(struct co_json *j)
{
	co_json_object(j, NULL);
	co_json_str(j, "text", "x");
	co_json_str(j, "none", NULL);
	co_json_int(j, "int", INT64_MIN);
	co_json_uint(j, "uint", UINT64_MAX);
	co_json_real(j, "real", -1.25, 3);
	co_json_real(j, "nan", NAN, 3);
	co_json_bool(j, "yes", true);
	co_json_bool(j, "no", false);
	co_json_null(j, "null");
	co_json_time(j, "time", 1);
	co_json_time(j, "never", CO_TIME_NONE);
	co_json_array(j, "array");
	co_json_int(j, NULL, 1);
	co_json_object(j, NULL);
	co_json_end_object(j);
	co_json_array(j, NULL);
	co_json_end_array(j);
	co_json_str(j, NULL, "z");
	co_json_end_array(j);
	co_json_object(j, "k\"ey");
	co_json_int(j, "a", -1);
	co_json_end_object(j);
	co_json_end_object(j);
}

START_TEST(one_line)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	struct co_json j;
	co_json_to_str(&j, &s, false);
	write_all(&j);
	ck_assert_int_eq(co_json_end(&j, NULL), 0);
	ck_assert_str_eq(co_str_get(&s),
			 "{\"text\":\"x\",\"none\":null,\"int\":-9223372036854775808,\"uint\":18446744073709551615,"
			 "\"real\":-1.250,\"nan\":null,\"yes\":true,\"no\":false,\"null\":null,"
			 "\"time\":\"1970-01-01T00:00:00.000000001Z\",\"never\":null,"
			 "\"array\":[1,{},[],\"z\"],\"k\\\"ey\":{\"a\":-1}}");
}
END_TEST

START_TEST(indented)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	struct co_json j;
	co_json_to_str(&j, &s, true);
	co_json_object(&j, NULL);
	co_json_int(&j, "a", 1);
	co_json_array(&j, "b");
	co_json_int(&j, NULL, 2);
	co_json_object(&j, NULL);
	co_json_end_object(&j);
	co_json_end_array(&j);
	co_json_end_object(&j);
	co_json_newline(&j);
	ck_assert_int_eq(co_json_end(&j, NULL), 0);
	ck_assert_str_eq(co_str_get(&s), "{\n  \"a\": 1,\n  \"b\": [\n    2,\n    {}\n  ]\n}\n");
}
END_TEST

START_TEST(records_of_jsonl)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	struct co_json j;
	co_json_to_str(&j, &s, false);
	for (int i = 0; i < 3; i++) {
		co_json_object(&j, NULL);
		co_json_int(&j, "i", i);
		co_json_end_object(&j);
		co_json_newline(&j);
	}
	ck_assert_str_eq(co_str_get(&s), "{\"i\":0}\n{\"i\":1}\n{\"i\":2}\n");
}
END_TEST

START_TEST(large_reals)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	struct co_json j;
	co_json_to_str(&j, &s, false);
	co_json_array(&j, NULL);
	co_json_real(&j, NULL, 1e308, 1000);
	co_json_real(&j, NULL, HUGE_VAL, 1);
	co_json_real(&j, NULL, 0.5, -3);
	co_json_end_array(&j);
	ck_assert_int_eq(co_json_end(&j, NULL), 0);
	ck_assert_uint_eq(strcspn(s.s, "."), 310);
	ck_assert_ptr_nonnull(strstr(s.s, ",null,0]"));
}
END_TEST

START_TEST(into_a_sink)
{
	struct folder dir;
	struct co_sink *sink;
	struct co_json j;
	folder_make(&dir);
	ck_assert_int_eq(co_sink_open(&sink, in_folder(&dir, "out"), NULL), 0);
	co_json_to_sink(&j, sink, false);
	co_json_array(&j, NULL);
	co_json_str(&j, NULL, "x");
	co_json_end_array(&j);
	ck_assert_int_eq(co_json_end(&j, NULL), 0);
	ck_assert_int_eq(co_sink_commit(sink, NULL), 0);
	char *got = folder_read(&dir, "out");
	ck_assert_str_eq(got, "[\"x\"]");
	free(got);
	folder_remove(&dir);
}
END_TEST

/* In a process of its own, standard output at /dev/full. */
static int fill_the_device(void)
{
	struct co_sink *sink;
	struct co_json j;
	struct co_err err = CO_ERR_INIT;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || co_sink_open_stdout(&sink, NULL) < 0)
		return 1;
	co_json_to_sink(&j, sink, false);
	co_json_array(&j, NULL);
	for (int i = 0; i < 100000; i++)
		co_json_int(&j, NULL, i);
	co_json_end_array(&j);
	int r = co_json_end(&j, &err);
	co_sink_abort(sink);
	return r == CO_ERR_OUTPUT && strstr(err.msg, "No space left") ? 0 : 2;
}

START_TEST(a_failure_comes_back_from_end)
{
	int status;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(fill_the_device());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	/* no memory */
	struct co_str s = { .failed = true };
	struct co_json j;
	struct co_err err = CO_ERR_INIT;
	co_json_to_str(&j, &s, false);
	co_json_int(&j, NULL, 1);
	ck_assert_int_eq(co_json_end(&j, &err), CO_ERR_NOMEM);
	ck_assert_int_eq(err.code, CO_ERR_NOMEM);
}
END_TEST

Suite *t_json_suite(void)
{
	Suite *suite = suite_create("json");
	TCase *tc = tcase_create("json");
	tcase_add_test(tc, strings_are_escaped);
	tcase_add_test(tc, utf8_is_kept_and_other_bytes_survive);
	tcase_add_test(tc, one_line);
	tcase_add_test(tc, indented);
	tcase_add_test(tc, records_of_jsonl);
	tcase_add_test(tc, large_reals);
	tcase_add_test(tc, into_a_sink);
	tcase_add_test(tc, a_failure_comes_back_from_end);
	suite_add_tcase(suite, tc);
	return suite;
}
