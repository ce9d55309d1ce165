/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program: the n-th system call of one kind on a file below a folder fails; or, with lie, the n-th
 * write of at least 32768 bytes (chunks, not records) succeeds, but one bit of it arrives changed.
 *
 *	LD_PRELOAD=... FAIL_CALL=write|lie|sync|rename|create|close FAIL_UNDER=/folder FAIL_N=3 FAIL_ERRNO=28 program
 *
 * With FAIL_LOG=file the number of calls of that kind is written there at the end, so that a test knows where to stop.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long count;

static int is_below(const char *path)
{
	const char *under = getenv("FAIL_UNDER");
	return under && strncmp(path, under, strlen(under)) == 0;
}

static int fd_is_below(int fd)
{
	char link[64], path[4096];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	if (n < 0)
		return 0;
	path[n] = '\0';
	return is_below(path);
}

/* Is this the call that fails? */
static int hit(const char *kind)
{
	const char *call = getenv("FAIL_CALL"), *n = getenv("FAIL_N"), *code = getenv("FAIL_ERRNO");
	if (!call || strcmp(call, kind) != 0 || !n)
		return 0;
	if (atomic_fetch_add(&count, 1) + 1 != strtol(n, NULL, 10))
		return 0;
	errno = code ? (int)strtol(code, NULL, 10) : EIO;
	return 1;
}

static int log_fd = -1;

/* Opened early: at its end the program may not be allowed to any more. */
__attribute__((constructor)) static void open_log(void)
{
	const char *log = getenv("FAIL_LOG");
	if (log)
		log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

__attribute__((destructor)) static void report(void)
{
	if (log_fd >= 0)
		dprintf(log_fd, "%ld\n", atomic_load(&count));
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static ssize_t write_changed(int fd, const unsigned char *buf, size_t n)
{
	unsigned char *copy = malloc(n);
	if (!copy)
		return -1;
	memcpy(copy, buf, n);
	copy[n / 2] ^= 1;
	ssize_t done = REAL(write)(fd, copy, n);
	free(copy);
	return done;
}

ssize_t write(int fd, const void *buf, size_t n)
{
	if (!fd_is_below(fd))
		return REAL(write)(fd, buf, n);
	if (n >= 32768 && hit("lie"))
		return write_changed(fd, buf, n);
	return hit("write") ? -1 : REAL(write)(fd, buf, n);
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t off)
{
	return fd_is_below(fd) && hit("write") ? -1 : REAL(pwrite64)(fd, buf, n, off);
}

int fsync(int fd)
{
	return fd_is_below(fd) && hit("sync") ? -1 : REAL(fsync)(fd);
}

int rename(const char *from, const char *to)
{
	return is_below(to) && hit("rename") ? -1 : REAL(rename)(from, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return is_below(to) && hit("rename") ? -1 : REAL(renameat2)(from_dir, from, to_dir, to, flags);
}

int close(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	int writable =
		flags >= 0 && (flags & O_ACCMODE) != O_RDONLY; /* closing what was only read can't lose anything */
	int fails = writable && fd_is_below(fd) && hit("close");
	int kept = errno;
	int result = REAL(close)(fd);
	if (!fails)
		return result;
	errno = kept;
	return -1;
}

/* open(), open64() and openat() take their mode only when they create. */
#define CREATING(flags) (((flags) & (O_CREAT | O_WRONLY | O_RDWR)) != 0)
#define OPEN_BODY(call) \
	va_list ap; \
	va_start(ap, flags); \
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0; \
	va_end(ap); \
	return CREATING(flags) && is_below(path) && hit("create") ? -1 : (call)

int open(const char *path, int flags, ...)
{
	OPEN_BODY(REAL(open)(path, flags, mode));
}

int open64(const char *path, int flags, ...)
{
	OPEN_BODY(REAL(open64)(path, flags, mode));
}

int openat(int dir, const char *path, int flags, ...)
{
	OPEN_BODY(REAL(openat)(dir, path, flags, mode));
}

int openat64(int dir, const char *path, int flags, ...)
{
	OPEN_BODY(REAL(openat64)(dir, path, flags, mode));
}
