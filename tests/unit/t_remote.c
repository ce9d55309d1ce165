/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "read/remote.h"
#include "suites.h"

#define SIZE 1000000 /* no multiple of anything */
#define MEMORY ((size_t)256 << 10)

static uint8_t content[SIZE];
static struct im_remote *remote;
static struct co_source src;

static void set_up(void)
{
	char name[] = "/tmp/exhibit-remote.XXXXXX";
	int fd = mkstemp(name);
	struct im_remote_opts opts = { .fd = fd,
				       .name = "the disk",
				       .size = SIZE,
				       .sector = 512,
				       .readers = 2,
				       .memory = MEMORY,
				       .patience_ns = 2 * CO_NS_PER_S };
	struct co_err err = CO_ERR_INIT;

	for (size_t i = 0; i < SIZE; i++)
		content[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16) * 3);
	ck_assert_int_ge(fd, 0);
	unlink(name);
	ck_assert_int_eq(write(fd, content, SIZE), SIZE);
	ck_assert_msg(im_remote_open(&remote, &opts, &err) == 0, "%s", err.msg);
	close(fd);
	im_remote_source(remote, &src);
}

static void tear_down(void)
{
	im_remote_close(remote);
	im_remote_close(NULL);
}

static void reads(void *buf, size_t len, uint64_t off)
{
	size_t good = 0;

	memset(buf, 0xee, len);
	ck_assert_int_eq(co_source_read(&src, buf, len, off, &good, NULL), 0);
	ck_assert_uint_eq(good, len);
	ck_assert_mem_eq(buf, content + off, len);
}

START_TEST(into_shared_memory)
{
	uint8_t *memory = im_remote_memory(remote);

	ck_assert_uint_eq(src.size, SIZE);
	reads(memory, MEMORY, 0);
	reads(memory, 4096, SIZE - 4096);
	reads(memory + MEMORY - 1, 1, 77);
	reads(memory + 13, 1001, 12345); /* no multiples */
}
END_TEST

START_TEST(into_other_memory)
{
	uint8_t *own = malloc(SIZE + 1);

	reads(own, SIZE, 0); /* more than goes through at once */
	reads(own + 1, 65537, 511);
	reads(own, 1, SIZE - 1);
	free(own);
}
END_TEST

/* Shared at its begin alone: the rest must not run over what belongs to the readers. */
START_TEST(not_wholly_in_shared_memory)
{
	uint8_t *memory = im_remote_memory(remote);
	size_t good = 0;

	memset(memory, 1, MEMORY);
	ck_assert_int_eq(co_source_read(&src, memory + MEMORY - 512, 512, 0, &good, NULL), 0);
	ck_assert_mem_eq(memory + MEMORY - 512, content, 512);
	ck_assert_uint_eq(memory[MEMORY - 513], 1);
}
END_TEST

START_TEST(beyond_the_end)
{
	struct co_err err = CO_ERR_INIT;
	uint8_t buf[512];
	size_t good = 0;

	ck_assert_int_lt(src.ops->read(src.self, buf, sizeof buf, SIZE - 511, &good, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.msg, "beyond the end"));
	ck_assert_int_lt(src.ops->read(src.self, buf, sizeof buf, UINT64_MAX - 10, &good, &err), 0);
	reads(buf, sizeof buf, SIZE - 512); /* it is still there */
}
END_TEST

/* Numbers of our processes of this name, from /proc. */
static pid_t a_child(const char *name)
{
	char file[64], children[256] = "", comm[32];
	FILE *f;

	snprintf(file, sizeof file, "/proc/%d/task/%d/children", getpid(), getpid());
	f = fopen(file, "r");
	if (!f)
		return -1;
	if (!fgets(children, sizeof children, f))
		children[0] = '\0';
	fclose(f);
	for (char *at = children, *end; *at; at = end + 1) {
		pid_t pid = (pid_t)strtol(at, &end, 10);

		if (end == at)
			break;
		snprintf(file, sizeof file, "/proc/%d/comm", pid);
		f = fopen(file, "r");
		if (!f)
			continue;
		if (!fgets(comm, sizeof comm, f))
			comm[0] = '\0';
		fclose(f);
		if (strncmp(comm, name, strlen(name)) == 0)
			return pid;
	}
	return -1;
}

START_TEST(a_reader_is_killed)
{
	pid_t pid = a_child("exhibit-reader");
	struct co_err err = CO_ERR_INIT;
	uint8_t buf[512];
	size_t good = 0;

	ck_assert_int_gt(pid, 0);
	kill(pid, SIGKILL);
	ck_assert_int_eq(co_source_read(&src, buf, sizeof buf, 0, &good, &err), CO_ERR_FAILED);
	ck_assert_ptr_nonnull(strstr(err.msg, "the process that reads the disk has ended"));
	ck_assert(!im_remote_hangs(remote));
}
END_TEST

START_TEST(a_reader_hangs)
{
	pid_t pid = a_child("exhibit-reader");
	struct co_err err = CO_ERR_INIT;
	int64_t began;
	uint8_t buf[512];
	size_t good = 0;

	ck_assert_int_gt(pid, 0);
	kill(pid, SIGSTOP);
	began = co_clock_monotonic();
	ck_assert_int_eq(co_source_read(&src, buf, sizeof buf, 1024, &good, &err), CO_ERR_LOST);
	ck_assert_str_eq(err.msg, "the disk hangs: no answer within 2 s at byte 1024");
	ck_assert(im_remote_hangs(remote));
	/* no other read is begun */
	ck_assert_int_eq(co_source_read(&src, buf, sizeof buf, 0, &good, &err), CO_ERR_LOST);
	ck_assert_int_lt(co_clock_monotonic() - began, 10 * CO_NS_PER_S);
}
END_TEST

Suite *t_remote_suite(void)
{
	Suite *s = suite_create("remote");
	TCase *t = tcase_create("remote");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, into_shared_memory);
	tcase_add_test(t, into_other_memory);
	tcase_add_test(t, not_wholly_in_shared_memory);
	tcase_add_test(t, beyond_the_end);
	tcase_add_test(t, a_reader_is_killed);
	tcase_add_test(t, a_reader_hangs);
	suite_add_tcase(s, t);
	return s;
}
