/* SPDX-License-Identifier: Apache-2.0 */
/* What is denied is tried as any user; tests/fault/attacks.c does the same as root, with a device. */
#include "folder.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "run/sandbox.h"

static struct folder dir;
static int source, other, sockets[2];
static struct co_sandbox *seen; /* shared with the child */

static void set_up(void)
{
	folder_make(&dir);
	folder_puts(&dir, "source", "what was found");
	folder_puts(&dir, "other", "something else");
	ck_assert_int_eq(mkdir(in_folder(&dir, "bag"), 0700), 0);
	source = open(in_folder(&dir, "source"), O_RDONLY | O_CLOEXEC);
	other = open(in_folder(&dir, "other"), O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(source, 0);
	ck_assert_int_ge(other, 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(seen, MAP_FAILED);
}

static void tear_down(void)
{
	munmap(seen, sizeof *seen);
	close(source);
	close(other);
	close(sockets[0]);
	close(sockets[1]);
	folder_remove(&dir);
}

/* Runs @body confined, in a process of its own; the line at which it gave up, 0: it did not. */
static int confined(enum co_sandbox_profile profile, int (*body)(void))
{
	const char *const writable[] = { in_folder(&dir, "bag") };
	const struct co_sandbox_opts o = { .profile = profile,
					   .writable = writable,
					   .n_writable = profile == CO_SANDBOX_READER ? 0 : 1,
					   .source_fd = source };
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		struct co_err err = CO_ERR_INIT;
		_exit(co_sandbox_enter(seen, &o, &err) < 0 ? 255 : body() % 255);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* In a body, where nothing can be printed: the line number is the message. */
#define NEED(what) \
	do { \
		if (!(what)) \
			return __LINE__; \
	} while (0)
#define DENIED(what) NEED((what) < 0 && (errno == EPERM || errno == EACCES))

/* --- what is in no profile --- */

static void *thread_main(void *arg)
{
	return arg;
}

static int no_way_out(void)
{
	char name[] = "true";
	char *const argv[] = { name, NULL };
	pthread_t thread;
	DENIED(execve("/bin/true", argv, NULL));
	DENIED(socket(AF_UNIX, SOCK_STREAM, 0));
	DENIED(kill(getppid(), 0));
	DENIED(mkdir(in_folder(&dir, "bag/more"), 0700));
	DENIED(mknod(in_folder(&dir, "bag/fifo"), S_IFIFO | 0600, 0));
	DENIED(symlink("/dev", in_folder(&dir, "bag/link")));
	DENIED(chmod(in_folder(&dir, "other"), 0600));
	DENIED(truncate(in_folder(&dir, "other"), 0));
	DENIED(syscall(SYS_io_uring_setup, 1, NULL));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	DENIED(fork());
	DENIED(prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L));
	NEED(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
#endif
	NEED(send(sockets[0], "x", 1, 0) == 1);
	NEED(pthread_create(&thread, NULL, thread_main, NULL) == 0 && pthread_join(thread, NULL) == 0);
	return 0;
}

START_TEST(keeps_in)
{
	ck_assert_int_eq(confined((enum co_sandbox_profile)_i, no_way_out), 0);
	for (int i = 0; i < CO_SANDBOX_LAYERS; i++) {
		const struct co_sandbox_layer *l = &seen->layers[i];
		ck_assert_msg(l->applied || strncmp(l->proof, "absent", 6) == 0, "%s: %s", l->name, l->proof);
	}
	ck_assert_str_eq(seen->layers[0].name, "Landlock");
	ck_assert_str_eq(seen->layers[1].name, "capabilities");
	ck_assert_str_eq(seen->layers[2].name, "seccomp");
	ck_assert_ptr_nonnull(strstr(seen->layers[1].proof, "NoNewPrivs=1"));
	ck_assert_ptr_nonnull(strstr(seen->layers[2].proof, "mode 2; execve without a name: Bad address before, "
							    "Operation not permitted after"));
}
END_TEST

/* --- profiles --- */

static int read_only(void)
{
	char c = 0;
	NEED(pread(source, &c, 1, 0) == 1 && c == 'w');
	NEED(lseek(source, 0, SEEK_END) == 14);
	NEED(mmap(NULL, 4096, PROT_READ, MAP_SHARED, source, 0) != MAP_FAILED);
	DENIED(pread(other, &c, 1, 0));
	DENIED(pwrite(other, &c, 1, 0));
	DENIED(fsync(source));
	DENIED(ftruncate(other, 0));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	DENIED(write(other, &c, 1));
	NEED(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0) == MAP_FAILED);
#endif
	DENIED(open(in_folder(&dir, "source"), O_RDONLY | O_CLOEXEC));
	DENIED(open(in_folder(&dir, "bag/new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	return 0;
}

START_TEST(reader_reads_the_source_alone)
{
	ck_assert_int_eq(confined(CO_SANDBOX_READER, read_only), 0);
}
END_TEST

static int write_below(void)
{
	int fd = open(in_folder(&dir, "bag/a.part"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	NEED(fd >= 0 && write(fd, "text", 4) == 4 && fsync(fd) == 0 && ftruncate(fd, 2) == 0 && close(fd) == 0);
	NEED(rename(in_folder(&dir, "bag/a.part"), in_folder(&dir, "bag/a")) == 0);
	NEED(open(in_folder(&dir, "bag/a"), O_RDONLY | O_CLOEXEC) >= 0);
	fd = open(in_folder(&dir, "bag/b"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	NEED(fd >= 0 && unlink(in_folder(&dir, "bag/b")) == 0);
	NEED(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0);
	NEED(open("/dev/null", O_WRONLY | O_CLOEXEC) >= 0);
	return 0;
}

/* Users of a home folder above the bag, and of a file system that gives all files to one of them. */
START_TEST(writer_keeps_what_its_folder_needs)
{
	if (geteuid() != 0) /* nobody else has capabilities to keep, or can give folders away */
		return;
	ck_assert_int_eq(confined(CO_SANDBOX_WRITER, write_below), 0);
	ck_assert_ptr_nonnull(strstr(seen->layers[1].proof, "CapEff=0000000000000000 CapPrm=0000000000000000"));
	ck_assert_int_eq(chown(dir.name, 65534, 65534), 0); /* made by mkdtemp: 0700 */
	ck_assert_int_eq(confined(CO_SANDBOX_WRITER, write_below), 0);
	ck_assert_ptr_nonnull(strstr(seen->layers[1].proof, "CapEff=0000000000000004 CapPrm=0000000000000004"));
	ck_assert_int_eq(chown(in_folder(&dir, "bag"), 65534, 65534), 0);
	ck_assert_int_eq(confined(CO_SANDBOX_WRITER, write_below), 0);
	ck_assert_ptr_nonnull(strstr(seen->layers[1].proof, "CapEff=0000000000000002 CapPrm=0000000000000002"));
}
END_TEST

static int write_elsewhere(void)
{
	DENIED(open(in_folder(&dir, "source"), O_RDONLY | O_CLOEXEC));
	DENIED(open(in_folder(&dir, "other"), O_WRONLY | O_CLOEXEC));
	DENIED(open(in_folder(&dir, "new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	DENIED(open("/dev/zero", O_RDONLY | O_CLOEXEC));
	DENIED(open("/proc/self/comm", O_WRONLY | O_CLOEXEC));
	DENIED(unlink(in_folder(&dir, "other")));
	DENIED(rename(in_folder(&dir, "bag/a"), in_folder(&dir, "a")));
	return 0;
}

START_TEST(writer_writes_below_its_folder)
{
	ck_assert_int_eq(confined(CO_SANDBOX_WRITER, write_below), 0);
	char *text = folder_read(&dir, "bag/a");
	ck_assert_str_eq(text, "te");
	free(text);
}
END_TEST

START_TEST(writer_writes_nowhere_else)
{
	folder_puts(&dir, "bag/a", "");
	int line = confined(CO_SANDBOX_WRITER, write_elsewhere);
	if (seen->layers[0].applied) /* paths are the business of Landlock alone */
		ck_assert_int_eq(line, 0);
}
END_TEST

static int guard(void)
{
	char c = 0;
	int fd = open(in_folder(&dir, "source"), O_RDONLY | O_CLOEXEC);
	NEED(fd >= 0 && read(fd, &c, 1) == 1 && c == 'w');
	NEED(rmdir(in_folder(&dir, "bag/instance")) == 0);
	DENIED(open(in_folder(&dir, "other"), O_RDWR | O_CLOEXEC));
	DENIED(open(in_folder(&dir, "bag/new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	DENIED(open(in_folder(&dir, "bag"), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
	DENIED(unlink(in_folder(&dir, "other")));
	DENIED(rename(in_folder(&dir, "other"), in_folder(&dir, "bag/other")));
	return 0;
}

START_TEST(guardian_reads_and_removes_folders)
{
	ck_assert_int_eq(mkdir(in_folder(&dir, "bag/instance"), 0700), 0);
	ck_assert_int_eq(confined(CO_SANDBOX_GUARDIAN, guard), 0);
}
END_TEST

/* With the leak check of a sanitizer, if there is one. */
static int end_in_order(void)
{
	exit(0);
}

START_TEST(ends_in_order)
{
	ck_assert_int_eq(confined((enum co_sandbox_profile)_i, end_in_order), 0);
}
END_TEST

/* --- what goes wrong --- */

static int enter_with(const char *folder)
{
	const struct co_sandbox_opts o = {
		.profile = CO_SANDBOX_WRITER, .writable = &folder, .n_writable = 1, .source_fd = -1
	};
	struct co_err err = CO_ERR_INIT;
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(-co_sandbox_enter(seen, &o, &err));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

START_TEST(refuses_bad_folders)
{
	ck_assert_int_eq(enter_with(in_folder(&dir, "bag")), 0);
	ck_assert_int_eq(enter_with(in_folder(&dir, "none")), CO_ERR_FAILED);
	ck_assert_int_eq(enter_with("/dev"), CO_ERR_USAGE); /* /dev/null is a device node */
}
END_TEST

/* From now on these system calls fail as on a kernel that lacks them. */
static void take_away(int call, int sys)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)sys), call, 0);
	seccomp_load(filter);
	seccomp_release(filter);
}

/* Enters as a WRITER on a kernel without @call. */
static void enter_without(int call, int sys)
{
	const char *folder = in_folder(&dir, "bag");
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		take_away(call, sys);
		const struct co_sandbox_opts o = {
			.profile = CO_SANDBOX_WRITER, .writable = &folder, .n_writable = 1, .source_fd = -1
		};
		struct co_err err = CO_ERR_INIT;
		_exit(-co_sandbox_enter(seen, &o, &err));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

START_TEST(says_which_layer_is_absent)
{
	enter_without(SCMP_SYS(landlock_create_ruleset), EOPNOTSUPP);
	ck_assert(!seen->layers[0].applied);
	ck_assert_str_eq(seen->layers[0].proof, "absent: Operation not supported");
	ck_assert(seen->layers[1].applied);
	ck_assert(seen->layers[2].applied);

	enter_without(SCMP_SYS(landlock_restrict_self), E2BIG);
	ck_assert(!seen->layers[0].applied);
	ck_assert(seen->layers[1].applied);
	ck_assert(seen->layers[2].applied);

	enter_without(SCMP_SYS(capset), EPERM);
	ck_assert(!seen->layers[1].applied);
	ck_assert(seen->layers[2].applied);

	enter_without(SCMP_SYS(seccomp), ENOSYS);
	ck_assert(seen->layers[1].applied);
	ck_assert(!seen->layers[2].applied);
	ck_assert_str_eq(seen->layers[2].proof, "absent: the kernel did not take the filter");
}
END_TEST

Suite *t_sandbox_suite(void)
{
	Suite *s = suite_create("sandbox");
	TCase *t = tcase_create("sandbox");
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, keeps_in, CO_SANDBOX_READER, CO_SANDBOX_GUARDIAN + 1);
	tcase_add_test(t, reader_reads_the_source_alone);
	tcase_add_test(t, writer_writes_below_its_folder);
	tcase_add_test(t, writer_keeps_what_its_folder_needs);
	tcase_add_test(t, writer_writes_nowhere_else);
	tcase_add_test(t, guardian_reads_and_removes_folders);
	tcase_add_loop_test(t, ends_in_order, CO_SANDBOX_READER, CO_SANDBOX_GUARDIAN + 1);
	tcase_add_test(t, refuses_bad_folders);
	tcase_add_test(t, says_which_layer_is_absent);
	suite_add_tcase(s, t);
	return s;
}
