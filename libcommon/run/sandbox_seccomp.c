/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run/sandbox_layers.h"

#ifndef BLKGETDISKSEQ
#define BLKGETDISKSEQ _IOR(0x12, 128, uint64_t)
#endif

/* The kernel looks at the lower half only of an argument that it takes as an int. */
#define INT_MASK 0xffffffffULL
#define IS(arg, value) ((struct scmp_arg_cmp) { (arg), SCMP_CMP_EQ, (scmp_datum_t)(value), 0 })
#define IS_INT(arg, value) \
	((struct scmp_arg_cmp) { (arg), SCMP_CMP_MASKED_EQ, INT_MASK, (scmp_datum_t)(value)&INT_MASK })
#define HAS(arg, bits) ((struct scmp_arg_cmp) { (arg), SCMP_CMP_MASKED_EQ, (scmp_datum_t)(bits), (scmp_datum_t)(bits) })
#define HAS_NONE(arg, bits) ((struct scmp_arg_cmp) { (arg), SCMP_CMP_MASKED_EQ, (scmp_datum_t)(bits), 0 })

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Lists of names of system calls; those that an architecture does not have are left out there. */

/* Threads, memory, time, signals to oneself: nothing here reaches a file or another process. */
static const char basics[] =
	"brk clock_getres clock_gettime clock_nanosleep close exit exit_group futex futex_waitv getegid "
	"geteuid getgid getpid getppid getrandom getrusage gettid gettimeofday getuid madvise mremap munmap "
	"nanosleep poll ppoll restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn "
	"rt_sigsuspend rt_sigtimedwait sched_getaffinity sched_yield set_robust_list setpriority sigaltstack "
	"time";

/* Over sockets that are connected; to no address. */
static const char messages[] = "recvfrom recvmsg sendmsg shutdown";

/* None that changes a file by its name in a way that Landlock does not see: chmod, chown, utimensat, truncate before
 * its ABI 3. */
static const char writer_calls[] =
	"access close_range dup dup3 eventfd2 faccessat faccessat2 fadvise64 fdatasync fstat fstatfs fsync "
	"ftruncate getcwd getdents64 lseek lstat mlock munlock newfstatat open openat pipe2 pread64 preadv "
	"pwrite64 pwritev read readlink readlinkat readv rename renameat renameat2 stat statfs statx "
	"sync_file_range sysinfo umask uname unlink unlinkat wait4 waitid write writev";
static const unsigned long writer_ioctls[] = { TCGETS, TIOCGWINSZ };

static const char guardian_calls[] =
	"access faccessat faccessat2 fstat fstatfs getcwd getdents64 lseek lstat newfstatat pread64 read "
	"readlink readlinkat readv rmdir stat statfs statx uname";
static const unsigned long guardian_ioctls[] = {
	BLKROSET, BLKROGET, BLKGETSIZE64, BLKGETDISKSEQ, BLKSSZGET, BLKPBSZGET
};

static const char source_calls[] = "fstat lseek pread64 preadv";
static const unsigned long reader_ioctls[] = { BLKROGET, BLKGETSIZE64, BLKGETDISKSEQ, BLKSSZGET, BLKPBSZGET };

#if CO_SANDBOX_SANITIZER
static const char sanitizer_calls[] =
	"clone fstat getcwd getdents getdents64 getrlimit lseek mmap mprotect newfstatat open openat personality prctl "
	"prlimit64 ptrace read readlink readlinkat stat sysinfo tgkill wait4 write";
#endif

/* A filter being made; the first failure stays. */
struct filter {
	scmp_filter_ctx context;
	int failed; /* negative errno, as libseccomp returns it */
};

static void keep_failure(struct filter *f, int r)
{
	if (r < 0 && f->failed == 0)
		f->failed = r;
}

static void add(struct filter *f, uint32_t action, const char *call, unsigned n, const struct scmp_arg_cmp *conditions)
{
	int number = seccomp_syscall_resolve_name(call);
	if (number >= 0)
		keep_failure(f, seccomp_rule_add_array(f->context, action, number, n, conditions));
}

static void allow_each(struct filter *f, const char *calls, unsigned n, const struct scmp_arg_cmp *conditions)
{
	char name[32];
	for (size_t len; *calls; calls += len + strspn(calls + len, " ")) {
		len = strcspn(calls, " ");
		snprintf(name, sizeof name, "%.*s", (int)len, calls);
		add(f, SCMP_ACT_ALLOW, name, n, conditions);
	}
}

static void allow(struct filter *f, const char *calls)
{
	allow_each(f, calls, 0, NULL);
}

/* With all of these conditions. */
#define allow_if(f, call, ...) \
	allow_each((f), (call), sizeof(const struct scmp_arg_cmp[]) { __VA_ARGS__ } / sizeof(struct scmp_arg_cmp), \
		   (const struct scmp_arg_cmp[]) { __VA_ARGS__ })

static void allow_ioctls(struct filter *f, const unsigned long *requests, size_t n)
{
	for (size_t i = 0; i < n; i++)
		allow_if(f, "ioctl", IS_INT(1, requests[i]));
}

static void allow_threads(struct filter *f)
{
	/* Its flags lie in memory, where a filter can't look. */
	add(f, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
	allow_if(f, "clone", HAS(0, CLONE_VM | CLONE_THREAD));
	allow_if(f, "tgkill", IS(0, getpid())); /* raise(), abort() */
	allow_if(f, "prctl", IS_INT(0, PR_SET_NAME));
	allow_if(f, "prctl", IS_INT(0, PR_GET_NAME));
	allow_if(f, "prctl", IS_INT(0, PR_GET_SECCOMP));
	allow_if(f, "prlimit64", IS(2, 0)); /* to ask, not to set */
}

static void allow_messages(struct filter *f)
{
	allow(f, messages);
	allow_if(f, "sendto", IS(4, 0)); /* names no receiver */
}

/* No code is made at run time; only memory of its own is mapped writable. */
static void allow_memory(struct filter *f)
{
	allow_if(f, "mmap", HAS_NONE(2, PROT_EXEC | PROT_WRITE));
	allow_if(f, "mmap", HAS_NONE(2, PROT_EXEC), HAS(3, MAP_ANONYMOUS));
	allow_if(f, "mprotect", HAS_NONE(2, PROT_EXEC));
}

/* Libraries that are loaded later need pages that are mapped from files and run, or written before they are read. */
static void allow_memory_of_libraries(struct filter *f)
{
	allow_if(f, "mmap", HAS_NONE(2, PROT_EXEC));
	allow_if(f, "mmap", HAS_NONE(2, PROT_WRITE));
	allow_if(f, "mprotect", HAS_NONE(2, PROT_EXEC));
	allow_if(f, "mprotect", HAS_NONE(2, PROT_WRITE));
}

static void allow_source(struct filter *f, int fd)
{
	if (fd < 0)
		return;
	allow_if(f, source_calls, IS(0, fd));
	allow_if(f, "newfstatat", IS(0, fd), HAS(3, AT_EMPTY_PATH)); /* what the C library makes of fstat */
	for (size_t i = 0; i < COUNT(reader_ioctls); i++)
		allow_if(f, "ioctl", IS(0, fd), IS_INT(1, reader_ioctls[i]));
}

static void allow_descriptor_flags(struct filter *f)
{
	static const int commands[] = { F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL };
	for (size_t i = 0; i < COUNT(commands); i++)
		allow_if(f, "fcntl", IS_INT(1, commands[i]));
}

static void allow_reader(struct filter *f, const struct co_sandbox_opts *opts)
{
	allow_memory(f);
	allow_source(f, opts->source_fd);
	for (size_t i = 0; i < opts->n_more_source_fds; i++)
		allow_source(f, opts->more_source_fds[i]);
}

static void allow_writer(struct filter *f)
{
	allow_memory_of_libraries(f);
	allow(f, writer_calls);
	allow_descriptor_flags(f);
	allow_if(f, "fcntl", IS_INT(1, F_SETFL));
	allow_ioctls(f, writer_ioctls, COUNT(writer_ioctls));
}

static void allow_guardian(struct filter *f)
{
	const int writes = O_ACCMODE | O_CREAT | O_TRUNC;
	allow_memory(f);
	allow(f, guardian_calls);
	allow_descriptor_flags(f);
	allow_ioctls(f, guardian_ioctls, COUNT(guardian_ioctls));
	allow_if(f, "open", HAS_NONE(1, writes));
	allow_if(f, "openat", HAS_NONE(2, writes));
	allow_if(f, "unlinkat", IS_INT(2, AT_REMOVEDIR));
}

static void fill(struct filter *f, const struct co_sandbox_opts *opts)
{
	/* Calls by the numbers of another architecture (32 bits) */
	keep_failure(f, seccomp_attr_set(f->context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
	keep_failure(f, seccomp_attr_set(f->context, SCMP_FLTATR_CTL_TSYNC, 1));
	allow(f, basics);
	allow_threads(f);
	allow_messages(f);
	switch (opts->profile) {
	case CO_SANDBOX_READER:
		allow_reader(f, opts);
		break;
	case CO_SANDBOX_WRITER:
		allow_writer(f);
		break;
	case CO_SANDBOX_GUARDIAN:
		allow_guardian(f);
		break;
	}
#if CO_SANDBOX_SANITIZER
	allow(f, sanitizer_calls);
#endif
}

/* The errno of a call that no profile allows, and that does nothing: EFAULT comes from the call itself. */
static int probe(void)
{
	return syscall(SYS_execve, NULL, NULL, NULL) < 0 ? errno : 0;
}

int co_sandbox_seccomp(struct co_sandbox_layer *ret, const struct co_sandbox_opts *opts, struct co_err *err)
{
	static const char name[] = "seccomp";
	struct filter f = { .context = seccomp_init(SCMP_ACT_ERRNO(EPERM)) };
	if (!f.context)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for a filter of system calls");
	fill(&f, opts);
	if (f.failed) {
		seccomp_release(f.context);
		return co_sandbox_report(ret, name, false, "no filter could be made: %s", strerror(-f.failed));
	}
	int before = probe();
	int r = seccomp_load(f.context);
	seccomp_release(f.context);
	if (r < 0) /* libseccomp does not hand on the errno of the kernel in a way that could be relied on */
		return co_sandbox_report(ret, name, false, "absent: the kernel did not take the filter");
	int mode = prctl(PR_GET_SECCOMP, 0L, 0L, 0L, 0L);
	int after = probe();
	return co_sandbox_report(ret, name, mode == 2 && before == EFAULT && after == EPERM,
				 "mode %d; execve without a name: %s before, %s after", mode, strerror(before),
				 strerror(after));
}
