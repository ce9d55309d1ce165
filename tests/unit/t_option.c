/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "folder.h"
#include "run/option.h"

static struct folder dir;

struct opts {
	bool flag;
	const char *text;
	uint64_t number, size;
	int64_t time;
	struct co_option_list list;
	struct co_progress_args progress;
};

static const struct co_option options[] = {
	{ "flag", 'f', NULL, CO_OPT_FLAG, offsetof(struct opts, flag), "switch something on" },
	{ "text", 't', "TEXT", CO_OPT_STRING, offsetof(struct opts, text), "some text" },
	{ "number", 0, "N", CO_OPT_UINT, offsetof(struct opts, number), "a number" },
	{ "size", 's', "SIZE", CO_OPT_SIZE, offsetof(struct opts, size), "a size" },
	{ "time", 0, "TIME", CO_OPT_TIME, offsetof(struct opts, time),
	  "a time whose help is so long that it has to be broken into more than one line of eighty columns" },
	{ "list-of-values", 0, "VALUE-OF-LIST", CO_OPT_LIST, offsetof(struct opts, list), "may be repeated" },
	CO_PROGRESS_OPTIONS(struct opts, progress),
	{ 0 },
};

/* Prints what it was called with. */
static int run_show(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	(void)err;
	printf("flag %d text %s number %llu size %llu", o->flag, o->text ? o->text : "-", (unsigned long long)o->number,
	       (unsigned long long)o->size);
	if (o->time != CO_TIME_NONE)
		printf(" time %lld", (long long)o->time);
	for (size_t i = 0; i < o->list.n; i++)
		printf(" list %s", o->list.at[i]);
	if (o->progress.mode)
		printf(" progress %s", o->progress.mode);
	for (int i = 0; i < call->n_args; i++)
		printf(" [%s]", call->args[i]);
	printf("\n%s\n", call->command_line);
	return 0;
}

/* Fails as its operand says. */
static int run_fail(const struct co_call *call, struct co_err *err)
{
	if (call->n_args == 0)
		return CO_EXIT_DAMAGED;
	int code = -(int)strtol(call->args[0], NULL, 10);
	return co_err_set(err, code, 0, "it failed with %d", code);
}

/* More than the buffer of stdio holds. */
static int run_flood(const struct co_call *call, struct co_err *err)
{
	(void)call;
	(void)err;
	for (int i = 0; i < 100000; i++)
		puts("a line of output");
	return 0;
}

/* A failure to write that nobody looks at, long before the end. */
static int run_early(const struct co_call *call, struct co_err *err)
{
	(void)call;
	(void)err;
	puts("a line");
	fflush(stdout);
	return 0;
}

static const struct co_command commands[] = {
	{ "show", "SOURCE [TARGET]", "Show the words.", "More about it.", options, sizeof(struct opts), 1, 2,
	  run_show },
	{ "fail", "[CODE]", "Fail.", NULL, NULL, 0, 0, -1, run_fail },
	{ "flood", NULL, "Print much.", NULL, NULL, 0, 0, 0, run_flood },
	{ "early", NULL, "Print and flush.", NULL, NULL, 0, 0, 0, run_early },
	{ 0 },
};

static const struct co_program program = { "prog", "A program for tests.", "1.2.3", commands };

static char *out, *errors;

static void set_up(void)
{
	folder_make(&dir);
	out = errors = NULL;
}

static void tear_down(void)
{
	folder_remove(&dir);
	free(out);
	free(errors);
}

static int redirect(const char *name, int fd)
{
	int to = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return to >= 0 && dup2(to, fd) >= 0 ? 0 : -1;
}

/* Runs the program in a process of its own with standard output at @stdout_name; its exit code. */
static int run_at(const char *stdout_name, char **argv)
{
	const char *err_name = in_folder(&dir, "err");
	int argc = 0, status;
	while (argv[argc])
		argc++;
	fflush(stdout);
	fflush(stderr);
	pid_t pid = fork();
	if (pid == 0) {
		if (redirect(stdout_name, STDOUT_FILENO) < 0 || redirect(err_name, STDERR_FILENO) < 0)
			_exit(120);
		_exit(co_program_main(&program, argc, argv));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	free(errors);
	errors = folder_read(&dir, "err");
	return WEXITSTATUS(status);
}

/* run("show", "x", NULL) */
static int __attribute__((sentinel)) run(const char *first, ...)
{
	char *argv[64] = { strdup("prog") };
	int n = 1;
	va_list ap;
	va_start(ap, first);
	for (const char *word = first; word && n < 63; word = va_arg(ap, const char *))
		argv[n++] = strdup(word);
	va_end(ap);
	int code = run_at(in_folder(&dir, "out"), argv);
	free(out);
	out = folder_read(&dir, "out");
	for (int i = 0; i < n; i++)
		free(argv[i]);
	return code;
}

static void check_out(const char *begin)
{
	ck_assert_msg(strncmp(out, begin, strlen(begin)) == 0, "'%s' does not begin with '%s'", out, begin);
	ck_assert_str_eq(errors, "");
}

/* A misuse is one line on standard error and nothing else. */
static void check_misuse(int code, const char *line)
{
	ck_assert_int_eq(code, 2);
	ck_assert_str_eq(out, "");
	ck_assert_uint_eq(strlen(errors), strlen(line) + 1);
	ck_assert_int_eq(strncmp(errors, line, strlen(line)), 0);
	ck_assert_int_eq(errors[strlen(line)], '\n');
}

START_TEST(each_kind_fills_its_field)
{
	ck_assert_int_eq(run("show", "SRC", NULL), 0);
	check_out("flag 0 text - number 0 size 0 [SRC]\nprog show SRC\n");
	ck_assert_int_eq(run("show", "-f", "--text=a b", "--number", "7", "-s4K", "--time", "1970-01-02", "SRC", NULL),
			 0);
	check_out("flag 1 text a b number 7 size 4096 time 86400000000000 [SRC]\n");
	ck_assert_int_eq(run("show", "--list-of-values", "a,b", "SRC", "--list-of-values=c", "DST", NULL), 0);
	check_out("flag 0 text - number 0 size 0 list a,b list c [SRC] [DST]\n");
	ck_assert_int_eq(run("show", "--progress", "json", "x", NULL), 0);
	check_out("flag 0 text - number 0 size 0 progress json [x]\n");
}
END_TEST

START_TEST(options_and_operands_mix)
{
	ck_assert_int_eq(run("show", "SRC", "--text", "x", "DST", "-f", NULL), 0);
	check_out("flag 1 text x number 0 size 0 [SRC] [DST]\n");
	setenv("POSIXLY_CORRECT", "1", 1);
	int code = run("show", "SRC", "--text", "x", "DST", "-f", NULL);
	unsetenv("POSIXLY_CORRECT");
	ck_assert_int_eq(code, 0);
	check_out("flag 1 text x number 0 size 0 [SRC] [DST]\n");
	ck_assert_int_eq(run("show", "-", "-ft", "-", NULL), 0);
	check_out("flag 1 text - number 0 size 0 [-]\n");
	ck_assert_int_eq(run("show", "a", "--", "--text", NULL), 0);
	check_out("flag 0 text - number 0 size 0 [a] [--text]\n");
	ck_assert_int_eq(run("show", "x", "--text", "--flag", NULL), 0);
	check_out("flag 0 text --flag number 0 size 0 [x]\n");
}
END_TEST

START_TEST(the_last_of_a_scalar_wins)
{
	ck_assert_int_eq(run("show", "x", "--number", "1", "--number=2", NULL), 0);
	check_out("flag 0 text - number 2 size 0 [x]\n");
}
END_TEST

START_TEST(misuse_is_one_sentence)
{
	check_misuse(run("show", "x", "--foo", NULL), "prog: show: unknown option --foo (see 'prog show --help')");
	check_misuse(run("show", "x", "--foo=1", NULL), "prog: show: unknown option --foo (see 'prog show --help')");
	check_misuse(run("show", "-x", "y", NULL), "prog: show: unknown option -x (see 'prog show --help')");
	check_misuse(run("show", "-fx", "y", NULL), "prog: show: unknown option -x (see 'prog show --help')");
	check_misuse(run("show", "x", "--text", NULL),
		     "prog: show: option --text needs a value (see 'prog show --help')");
	check_misuse(run("show", "x", "-t", NULL), "prog: show: option -t needs a value (see 'prog show --help')");
	check_misuse(run("show", "x", "--flag=1", NULL),
		     "prog: show: option --flag takes no value (see 'prog show --help')");
	check_misuse(run("show", "x", "--help=1", NULL),
		     "prog: show: option --help takes no value (see 'prog show --help')");
	check_misuse(
		run("show", "x", "--number", "-1", NULL),
		"prog: show: --number: '-1' is not a number from 0 to 18446744073709551615 (see 'prog show --help')");
	check_misuse(run("show", "x", "--size", "big", NULL),
		     "prog: show: --size: 'big' is not a size such as 650M, 2GiB or 4096 (see 'prog show --help')");
	check_misuse(run("show", "x", "--time", "noon", NULL),
		     "prog: show: --time: 'noon' is not a time such as 2026-09-01T02:54:20Z (see 'prog show --help')");
	check_misuse(run("show", NULL),
		     "prog: show: an operand is missing; usage: prog show SOURCE [TARGET] (see 'prog show --help')");
	check_misuse(run("show", "a", "b", "c", NULL), "prog: show: too many operands: 'c' (see 'prog show --help')");
	check_misuse(run("shaw", NULL), "prog: unknown command 'shaw' (see 'prog --help')");
	check_misuse(run("sho", NULL), "prog: unknown command 'sho' (see 'prog --help')");
	check_misuse(run("--verbose", NULL), "prog: unknown option '--verbose' (see 'prog --help')");
	check_misuse(run("help", "shaw", NULL), "prog: unknown command 'shaw' (see 'prog --help')");
}
END_TEST

START_TEST(abbreviations_are_refused)
{
	check_misuse(run("show", "x", "--tex", "y", NULL), "prog: show: unknown option --tex (see 'prog show --help')");
	check_misuse(run("show", "x", "--tex=y", NULL), "prog: show: unknown option --tex (see 'prog show --help')");
	check_misuse(run("show", "x", "--tex", NULL), "prog: show: unknown option --tex (see 'prog show --help')");
	check_misuse(run("show", "x", "--fla", NULL), "prog: show: unknown option --fla (see 'prog show --help')");
	check_misuse(run("show", "x", "--fla=1", NULL), "prog: show: unknown option --fla (see 'prog show --help')");
	check_misuse(run("show", "x", "--hel", NULL), "prog: show: unknown option --hel (see 'prog show --help')");
	/* ambiguous */
	check_misuse(run("show", "x", "--t", "y", NULL), "prog: show: unknown option --t (see 'prog show --help')");
}
END_TEST

START_TEST(a_list_has_an_end)
{
	char *argv[140] = { strdup("prog"), strdup("show"), strdup("x") };
	int n = 3;
	for (int i = 0; i < 65; i++)
		argv[n++] = strdup("--list-of-values=1");
	ck_assert_int_eq(run_at(in_folder(&dir, "out"), argv), 2);
	ck_assert_ptr_nonnull(strstr(errors, "--list-of-values is given more than 64 times"));
	free(argv[n - 1]);
	argv[n - 1] = NULL;
	ck_assert_int_eq(run_at(in_folder(&dir, "out"), argv), 0);
	for (int i = 0; i < n; i++)
		free(argv[i]);
}
END_TEST

START_TEST(help_is_output)
{
	ck_assert_int_eq(run("--version", NULL), 0);
	check_out("prog 1.2.3\n");
	ck_assert_int_eq(run("--help", NULL), 0);
	check_out("Usage: prog COMMAND");
	ck_assert_ptr_nonnull(strstr(out, "\n  show         Show the words.\n"));
	ck_assert_int_eq(run("help", NULL), 0);
	check_out("Usage: prog COMMAND");
	ck_assert_int_eq(run("help", "show", NULL), 0);
	check_out("Usage: prog show SOURCE [TARGET] [OPTION...]\n\nShow the words.\n\nMore about it.\n\nOptions:\n");
	/* also where the other words would be misuse before it */
	ck_assert_int_eq(run("show", "--help", NULL), 0);
	check_out("Usage: prog show");
	ck_assert_int_eq(run("show", "a", "-h", NULL), 0);
	ck_assert_ptr_nonnull(strstr(out, "\n  -t, --text TEXT           some text\n"));
	ck_assert_ptr_nonnull(strstr(out, "\n      --number N            a number\n"));
	ck_assert_ptr_nonnull(
		strstr(out, "\n      --list-of-values VALUE-OF-LIST\n                            may be repeated\n"));
	ck_assert_ptr_nonnull(strstr(out, "\n  -h, --help                show this help\n"));
	for (const char *line = out; *line; line += strcspn(line, "\n") + 1)
		ck_assert_uint_lt(strcspn(line, "\n"), 80);
	ck_assert_int_eq(run("fail", "--help", NULL), 0);
	check_out("Usage: prog fail [CODE] [OPTION...]\n");
}
END_TEST

START_TEST(without_a_command_usage_is_an_error)
{
	ck_assert_int_eq(run(NULL, NULL), 2);
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(strncmp(errors, "Usage: prog COMMAND", 19), 0);
}
END_TEST

START_TEST(words_are_quoted_for_a_shell)
{
	ck_assert_int_eq(run("show", "a b", "--text=it's", "", NULL), 0);
	ck_assert_ptr_nonnull(strstr(out, "\nprog show 'a b' '--text=it'\\''s' ''\n"));
	ck_assert_int_eq(run("show", "$x", "/dev/sda1", NULL), 0);
	ck_assert_ptr_nonnull(strstr(out, "\nprog show '$x' /dev/sda1\n"));
}
END_TEST

START_TEST(errors_become_exit_codes)
{
	static const int codes[][2] = { { -CO_ERR_FAILED, 1 },    { -CO_ERR_MISMATCH, 4 }, { -CO_ERR_USAGE, 2 },
					{ -CO_ERR_CANCELED, 75 }, { -CO_ERR_OUTPUT, 5 },   { -CO_ERR_LOST, 6 } };
	ck_assert_int_eq(run("fail", NULL), 3);
	ck_assert_str_eq(errors, "");
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		char word[8], line[64];
		snprintf(word, sizeof word, "%d", codes[i][0]);
		snprintf(line, sizeof line, "prog: fail: it failed with -%d\n", codes[i][0]);
		ck_assert_int_eq(run("fail", word, NULL), codes[i][1]);
		ck_assert_str_eq(errors, line);
	}
}
END_TEST

START_TEST(output_that_does_not_arrive_is_a_failure)
{
	static const char *const words[] = { "--version", "flood", "early" };
	for (int i = 0; i < 3; i++) {
		char *argv[] = { strdup("prog"), strdup(words[i]), NULL };
		ck_assert_int_eq(run_at("/dev/full", argv), 5);
		ck_assert_int_eq(strncmp(errors, "prog: standard output could not be written", 42), 0);
		free(argv[0]);
		free(argv[1]);
	}
}
END_TEST

/* `prog flood | true`, or with standard output closed. */
static int run_without_reader(char **argv, bool closed)
{
	int ends[2], status;
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	const char *err_name = in_folder(&dir, "err");
	fflush(stdout);
	fflush(stderr);
	pid_t pid = fork();
	if (pid == 0) {
		if (dup2(ends[1], STDOUT_FILENO) < 0 || redirect(err_name, STDERR_FILENO) < 0)
			_exit(120);
		if (closed)
			close(STDOUT_FILENO);
		_exit(co_program_main(&program, 2, argv));
	}
	close(ends[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	free(errors);
	errors = folder_read(&dir, "err");
	return WEXITSTATUS(status);
}

START_TEST(a_reader_that_went_away_is_no_reason_to_complain)
{
	char *argv[] = { strdup("prog"), strdup("flood"), NULL };
	ck_assert_int_eq(run_without_reader(argv, false), 5);
	ck_assert_str_eq(errors, "");
	/* a closed descriptor is: what was to be printed is lost */
	ck_assert_int_eq(run_without_reader(argv, true), 5);
	ck_assert_int_eq(strncmp(errors, "prog: standard output could not be written", 42), 0);
	free(argv[0]);
	free(argv[1]);
}
END_TEST

Suite *t_option_suite(void)
{
	Suite *suite = suite_create("option");
	TCase *tc = tcase_create("option");
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, each_kind_fills_its_field);
	tcase_add_test(tc, options_and_operands_mix);
	tcase_add_test(tc, the_last_of_a_scalar_wins);
	tcase_add_test(tc, misuse_is_one_sentence);
	tcase_add_test(tc, abbreviations_are_refused);
	tcase_add_test(tc, a_list_has_an_end);
	tcase_add_test(tc, help_is_output);
	tcase_add_test(tc, without_a_command_usage_is_an_error);
	tcase_add_test(tc, words_are_quoted_for_a_shell);
	tcase_add_test(tc, errors_become_exit_codes);
	tcase_add_test(tc, output_that_does_not_arrive_is_a_failure);
	tcase_add_test(tc, a_reader_that_went_away_is_no_reason_to_complain);
	suite_add_tcase(suite, tc);
	return suite;
}
