/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "io/sink.h"

static struct folder dir;

static void set_up(void)
{
	folder_make(&dir);
}

static void tear_down(void)
{
	folder_remove(&dir);
}

static void check_content(const char *name, const char *want)
{
	char *got = folder_read(&dir, name);
	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got, want);
	free(got);
}

START_TEST(a_file_appears_at_commit)
{
	struct co_sink *sink;
	struct stat st;
	mode_t mask = umask(022);
	ck_assert_int_eq(co_sink_open(&sink, in_folder(&dir, "out"), NULL), 0);
	ck_assert_int_eq(co_sink_puts(sink, "one ", NULL), 0);
	ck_assert_int_eq(co_sink_printf(sink, NULL, "%d %s", 2, "three"), 0);
	ck_assert_int_eq(co_sink_write(sink, "", 0, NULL), 0);
	ck_assert(!folder_has(&dir, "out"));
	ck_assert(folder_has(&dir, "out.part"));
	ck_assert_int_eq(co_sink_commit(sink, NULL), 0);
	umask(mask);
	ck_assert(!folder_has(&dir, "out.part"));
	check_content("out", "one 2 three");
	ck_assert_int_eq(stat(in_folder(&dir, "out"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
}
END_TEST

START_TEST(sizes_around_the_buffer)
{
	static const size_t steps[] = { 1, 4095, 65535, 65536, 65537, 200000 };
	size_t step = steps[_i], total = 0;
	struct co_sink *sink;
	struct stat st;
	char *text = malloc(step);
	memset(text, 'x', step);
	ck_assert_int_eq(co_sink_open(&sink, in_folder(&dir, "out"), NULL), 0);
	while (total < 300000) {
		text[0] = (char)('a' + total % 26);
		if (co_sink_write(sink, text, step, NULL) != 0)
			ck_abort();
		total += step;
	}
	ck_assert_int_eq(co_sink_commit(sink, NULL), 0);
	ck_assert_int_eq(stat(in_folder(&dir, "out"), &st), 0);
	ck_assert_uint_eq((size_t)st.st_size, total);
	char *got = folder_read(&dir, "out");
	int wrong = 0;
	for (size_t i = 0; i < total; i++)
		wrong += got[i] != (i % step == 0 ? (char)('a' + i % 26) : 'x');
	ck_assert_int_eq(wrong, 0);
	free(got);
	free(text);
}
END_TEST

START_TEST(abort_leaves_nothing)
{
	struct co_sink *sink;
	ck_assert_int_eq(co_sink_open(&sink, in_folder(&dir, "out"), NULL), 0);
	ck_assert_int_eq(co_sink_puts(sink, "x", NULL), 0);
	co_sink_abort(sink);
	ck_assert(!folder_has(&dir, "out.part"));
	ck_assert(!folder_has(&dir, "out"));
	co_sink_abort(NULL);
}
END_TEST

START_TEST(an_old_file_is_replaced_as_a_whole)
{
	struct co_sink *sink;
	folder_puts(&dir, "out", "old");
	folder_puts(&dir, "out.part", "left by a crash, longer than the new one");
	ck_assert_int_eq(co_sink_open(&sink, in_folder(&dir, "out"), NULL), 0);
	ck_assert_int_eq(co_sink_puts(sink, "new", NULL), 0);
	check_content("out", "old");
	ck_assert_int_eq(co_sink_commit(sink, NULL), 0);
	check_content("out", "new");
}
END_TEST

START_TEST(a_planted_link_is_not_followed)
{
	struct co_sink *sink = NULL;
	struct co_err err = CO_ERR_INIT;
	folder_puts(&dir, "victim", "precious");
	ck_assert_int_eq(symlink("victim", in_folder(&dir, "out.part")), 0);
	ck_assert_int_eq(co_sink_open(&sink, in_folder(&dir, "out"), &err), CO_ERR_OUTPUT);
	ck_assert_int_eq(err.sys, ELOOP);
	ck_assert_ptr_nonnull(strstr(err.msg, "out.part"));
	check_content("victim", "precious");
}
END_TEST

START_TEST(no_folder_no_file)
{
	struct co_sink *sink = NULL;
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(co_sink_open(&sink, in_folder(&dir, "absent/out"), &err), CO_ERR_OUTPUT);
	ck_assert_int_eq(err.sys, ENOENT);
	ck_assert_ptr_null(sink);
}
END_TEST

START_TEST(a_failed_rename_leaves_nothing)
{
	struct co_sink *sink;
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(mkdir(in_folder(&dir, "out"), 0700), 0);
	ck_assert_int_eq(co_sink_open(&sink, in_folder(&dir, "out"), NULL), 0);
	ck_assert_int_eq(co_sink_commit(sink, &err), CO_ERR_OUTPUT);
	ck_assert_ptr_nonnull(strstr(err.msg, "rename "));
	ck_assert(!folder_has(&dir, "out.part"));
}
END_TEST

/* In a process of its own: files may grow to 100000 bytes there. Exit code: which check failed. */
static int write_beyond_the_limit(const char *name)
{
	static char block[50000];
	struct rlimit limit = { 100000, 100000 };
	struct co_sink *sink;
	struct co_err err = CO_ERR_INIT;
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || co_sink_open(&sink, name, NULL) < 0)
		return 1;
	int r = 0;
	for (int i = 0; i < 5 && r == 0; i++)
		r = co_sink_write(sink, block, sizeof block, &err);
	if (r != CO_ERR_OUTPUT || err.sys != EFBIG)
		return 2;
	struct co_err again = CO_ERR_INIT;
	if (co_sink_puts(sink, "x", &again) != CO_ERR_OUTPUT || strcmp(again.msg, err.msg) != 0)
		return 3;
	if (co_sink_commit(sink, &again) != CO_ERR_OUTPUT || strcmp(again.msg, err.msg) != 0)
		return 4;
	return 0;
}

START_TEST(a_failure_is_kept)
{
	const char *name = in_folder(&dir, "out");
	pid_t pid = fork();
	if (pid == 0)
		_exit(write_beyond_the_limit(name));
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(!folder_has(&dir, "out"));
	ck_assert(!folder_has(&dir, "out.part"));
}
END_TEST

START_TEST(whole_files_in_one_call)
{
	ck_assert_int_eq(co_sink_write_file(in_folder(&dir, "out"), "abc", 3, NULL), 0);
	check_content("out", "abc");
	ck_assert_int_eq(co_sink_write_file(in_folder(&dir, "out"), "", 0, NULL), 0);
	check_content("out", "");
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(co_sink_write_file(in_folder(&dir, "no/out"), "abc", 3, &err), CO_ERR_OUTPUT);
}
END_TEST

START_TEST(rename_new_never_replaces)
{
	struct co_err err = CO_ERR_INIT;
	folder_puts(&dir, "a", "A");
	folder_puts(&dir, "b", "B");
	ck_assert_int_eq(co_rename_new(in_folder(&dir, "a"), in_folder(&dir, "b"), &err), CO_ERR_OUTPUT);
	ck_assert_int_eq(err.sys, EEXIST);
	check_content("a", "A");
	check_content("b", "B");
	ck_assert_int_eq(co_rename_new(in_folder(&dir, "a"), in_folder(&dir, "c"), &err), 0);
	check_content("c", "A");
	ck_assert(!folder_has(&dir, "a"));
	/* an empty folder would be replaced by plain rename() */
	ck_assert_int_eq(mkdir(in_folder(&dir, "d"), 0700), 0);
	ck_assert_int_eq(mkdir(in_folder(&dir, "e"), 0700), 0);
	ck_assert_int_eq(co_rename_new(in_folder(&dir, "d"), in_folder(&dir, "e"), &err), CO_ERR_OUTPUT);
	ck_assert_int_eq(co_rename_new(in_folder(&dir, "none"), in_folder(&dir, "f"), &err), CO_ERR_OUTPUT);
	ck_assert_int_eq(err.sys, ENOENT);
}
END_TEST

START_TEST(sync_names_what_it_can_not)
{
	struct co_err err = CO_ERR_INIT;
	folder_puts(&dir, "a", "A");
	ck_assert_int_eq(co_sync_folder(dir.name, &err), 0);
	ck_assert_int_eq(co_sync_file(in_folder(&dir, "a"), &err), 0);
	ck_assert_int_eq(co_sync_folder(in_folder(&dir, "a"), &err), CO_ERR_OUTPUT);
	ck_assert_int_eq(co_sync_file(in_folder(&dir, "b"), &err), CO_ERR_OUTPUT);
	ck_assert_ptr_nonnull(strstr(err.msg, "/b: No such file"));
}
END_TEST

/* In a process of its own, with standard output at @name. */
static int write_to_stdout(const char *name)
{
	struct co_sink *sink;
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || co_sink_open_stdout(&sink, NULL) < 0)
		return 99;
	if (co_sink_printf(sink, NULL, "%s\n", "to standard output") < 0)
		return 98;
	struct co_err err = CO_ERR_INIT;
	int r = co_sink_commit(sink, &err);
	return r == 0 ? 0 : r == CO_ERR_OUTPUT ? err.sys : 97;
}

static int exit_of_stdout_at(const char *name)
{
	int status;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(write_to_stdout(name));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

START_TEST(standard_output_is_flushed_and_checked)
{
	ck_assert_int_eq(exit_of_stdout_at(in_folder(&dir, "out")), 0);
	check_content("out", "to standard output\n");
	ck_assert_int_eq(exit_of_stdout_at("/dev/full"), ENOSPC);
}
END_TEST

Suite *t_sink_suite(void)
{
	Suite *suite = suite_create("sink");
	TCase *tc = tcase_create("sink");
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_file_appears_at_commit);
	tcase_add_loop_test(tc, sizes_around_the_buffer, 0, 6);
	tcase_add_test(tc, abort_leaves_nothing);
	tcase_add_test(tc, an_old_file_is_replaced_as_a_whole);
	tcase_add_test(tc, a_planted_link_is_not_followed);
	tcase_add_test(tc, no_folder_no_file);
	tcase_add_test(tc, a_failed_rename_leaves_nothing);
	tcase_add_test(tc, a_failure_is_kept);
	tcase_add_test(tc, whole_files_in_one_call);
	tcase_add_test(tc, rename_new_never_replaces);
	tcase_add_test(tc, sync_names_what_it_can_not);
	tcase_add_test(tc, standard_output_is_flushed_and_checked);
	suite_add_tcase(suite, tc);
	return suite;
}
