/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "run/process.h"
#include "suites.h"

#define LONG (30 * CO_NS_PER_S)

/* Answers each message with the same; "die", "sleep" and "fds" are special. */
static void echo(void *arg, int channel)
{
	char buf[64];
	size_t len = 0;

	while (co_process_receive(channel, buf, sizeof buf, &len) == 0) {
		if (len == 3 && memcmp(buf, "die", 3) == 0)
			_exit(1);
		if (len == 5 && memcmp(buf, "sleep", 5) == 0)
			for (;;)
				pause();
		if (len == 3 && memcmp(buf, "fds", 3) == 0) {
			const int *kept = arg;
			int open_ones = 0;

			for (int fd = 3; fd < 256; fd++)
				open_ones += fd != channel && fcntl(fd, F_GETFD) >= 0;
			buf[0] = fcntl(*kept, F_GETFD) >= 0 ? 'k' : '-';
			buf[1] = (char)('0' + open_ones);
			buf[2] = (char)(isatty(1) ? 't' : 'n');
		}
		co_process_send(channel, buf, len);
	}
}

static struct co_process *start(int *keep)
{
	const struct co_process_opts opts = {
		.name = "echo", .body = echo, .arg = keep, .keep = keep, .n_keep = keep ? 1 : 0
	};
	struct co_process *p = NULL;

	ck_assert_int_eq(co_process_start(&p, &opts, NULL), 0);
	return p;
}

static int ask(struct co_process *p, const char *text, char ret[64], int64_t patience, struct co_err *err)
{
	size_t len = 0;
	int r = co_process_ask(p, text, strlen(text), ret, 63, &len, patience, err);

	ret[r == 0 ? len : 0] = '\0';
	return r;
}

START_TEST(answers)
{
	struct co_process *p = start(NULL);
	char got[64];

	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(ask(p, "hello", got, LONG, NULL), 0);
		ck_assert_str_eq(got, "hello");
	}
	co_process_end(p);
	co_process_end(NULL);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* none is left */
}
END_TEST

START_TEST(only_what_is_kept_stays_open)
{
	int ends[2], other[2];
	struct co_process *p;
	char got[64];

	ck_assert_int_eq(pipe(other), 0);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(other[1], 200), 200); /* above all others */
	p = start(&ends[0]);
	close(200);
	ck_assert_int_eq(ask(p, "fds", got, LONG, NULL), 0);
	ck_assert_str_eq(got, "k1n");
	/* the reader of a pipe sees its end though the child lives */
	close(other[1]);
	ck_assert_int_eq(read(other[0], got, 1), 0);
	co_process_end(p);
	close(ends[0]);
	close(ends[1]);
	close(other[0]);
}
END_TEST

START_TEST(a_child_that_dies_is_told)
{
	struct co_process *p = start(NULL);
	struct co_err err = CO_ERR_INIT;
	char got[64];

	ck_assert_int_eq(ask(p, "die", got, LONG, &err), CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "has ended unexpectedly"));
	ck_assert_int_eq(ask(p, "hello", got, LONG, &err), CO_ERR_FAILED);
	co_process_end(p);
}
END_TEST

START_TEST(no_answer_in_time)
{
	struct co_process *p = start(NULL);
	int64_t began = co_clock_monotonic(), took;
	char got[64];

	ck_assert_int_eq(ask(p, "sleep", got, CO_NS_PER_S / 5, NULL), 1);
	took = co_clock_monotonic() - began;
	ck_assert_int_ge(took, CO_NS_PER_S / 5);
	ck_assert_int_lt(took, 10 * CO_NS_PER_S);
	/* a late answer must not be taken for that of another question: none is asked any more */
	began = co_clock_monotonic();
	ck_assert_int_eq(ask(p, "hello", got, LONG, NULL), 1);
	co_process_end(p); /* kills it */
	ck_assert_int_lt(co_clock_monotonic() - began, 10 * CO_NS_PER_S);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* A program whose child tells through a pipe when it has ended. */
static void last_words(void *arg, int channel)
{
	const int *out = arg;
	char buf[8];
	size_t len;

	co_process_send(channel, "ready", 5);
	while (co_process_receive(channel, buf, sizeof buf, &len) == 0)
		;
	if (write(*out, "end", 3) != 3)
		_exit(1);
}

START_TEST(the_parent_is_killed)
{
	int ends[2];
	char got[8] = "";
	pid_t program;

	ck_assert_int_eq(pipe(ends), 0);
	program = fork();
	if (program == 0) {
		const struct co_process_opts opts = {
			.name = "last", .body = last_words, .arg = &ends[1], .keep = &ends[1], .n_keep = 1
		};
		struct co_process *p = NULL;
		size_t len = 0;

		if (co_process_start(&p, &opts, NULL) < 0 ||
		    co_process_ask(p, NULL, 0, got, sizeof got, &len, LONG, NULL) != 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], got, sizeof got), 3);
	ck_assert_mem_eq(got, "end", 3);
	ck_assert_int_eq(read(ends[0], got, sizeof got), 0); /* it is gone */
	ck_assert_int_eq(waitpid(program, NULL, 0), program);
	close(ends[0]);
}
END_TEST

Suite *t_process_suite(void)
{
	Suite *s = suite_create("process");
	TCase *t = tcase_create("process");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, answers);
	tcase_add_test(t, only_what_is_kept_stays_open);
	tcase_add_test(t, a_child_that_dies_is_told);
	tcase_add_test(t, no_answer_in_time);
	tcase_add_test(t, the_parent_is_killed);
	suite_add_tcase(s, t);
	return s;
}
