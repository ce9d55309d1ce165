/* SPDX-License-Identifier: Apache-2.0 */
#include "attacks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/loop.h>
#include <pthread.h>
#include <sched.h>
#include <scsi/sg.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* Read-only, as everything else starts from it. A descriptor or -1. */
static int disk(void)
{
	return scene.fd >= 0 ? scene.fd : open(scene.source, O_RDONLY | O_CLOEXEC);
}

const char *in_folder(const char *name)
{
	static char path[4096];
	snprintf(path, sizeof path, "%s/%s", scene.folder, name);
	return path;
}

/* --- through a descriptor --- */

static char page[PAGE] __attribute__((aligned(PAGE))) = "changed";

static long do_write(void)
{
	int fd = disk();
	return fd < 0 ? -1 : write(fd, page, PAGE);
}

static long do_pwrite(void)
{
	int fd = disk();
	return fd < 0 ? -1 : pwrite(fd, page, PAGE, PAGE);
}

static long do_pwritev2(void)
{
	struct iovec v = { page, PAGE };
	int fd = disk();
	return fd < 0 ? -1 : pwritev2(fd, &v, 1, 0, RWF_DSYNC);
}

static long do_mmap(void)
{
	int fd = disk();
	char *p = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	p[0] ^= 1;
	return msync(p, PAGE, MS_SYNC);
}

static long do_mprotect(void)
{
	int fd = disk();
	char *p = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || mprotect(p, PAGE, PROT_READ | PROT_WRITE) < 0)
		return -1;
	p[0] ^= 1;
	return msync(p, PAGE, MS_SYNC);
}

static long range_ioctl(unsigned long request)
{
	uint64_t range[2] = { 0, PAGE };
	int fd = disk();
	return fd < 0 ? -1 : ioctl(fd, request, range);
}

static long do_discard(void)
{
	return range_ioctl(BLKDISCARD);
}

static long do_zeroout(void)
{
	return range_ioctl(BLKZEROOUT);
}

static long do_secdiscard(void)
{
	return range_ioctl(BLKSECDISCARD);
}

static long do_punch(void)
{
	int fd = disk();
	return fd < 0 ? -1 : fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE);
}

/* A flush is a request to the device, too. */
static long do_fsync(void)
{
	int fd = disk();
	return fd < 0 ? -1 : fsync(fd);
}

static long do_sg_io(void)
{
	unsigned char write_10[10] = { 0x2a, [8] = 1 };
	struct sg_io_hdr h = { .interface_id = 'S',
			       .dxfer_direction = SG_DXFER_TO_DEV,
			       .cmd_len = sizeof write_10,
			       .cmdp = write_10,
			       .dxfer_len = 512,
			       .dxferp = page,
			       .timeout = 1000 };
	int fd = disk();
	return fd < 0 ? -1 : ioctl(fd, SG_IO, &h);
}

static long do_roset(void)
{
	int off = 0, fd = disk();
	return fd < 0 ? -1 : ioctl(fd, BLKROSET, &off);
}

static long do_rrpart(void)
{
	int fd = disk();
	return fd < 0 ? -1 : ioctl(fd, BLKRRPART);
}

static long do_loop_status(void)
{
	struct loop_info64 info;
	int fd = disk();
	return fd < 0 || ioctl(fd, LOOP_GET_STATUS64, &info) < 0 ? -1 : ioctl(fd, LOOP_SET_STATUS64, &info);
}

static long do_loop_change(void)
{
	int fd = disk();
	return fd < 0 ? -1 : ioctl(fd, LOOP_CHANGE_FD, fd);
}

static long do_loop_clear(void)
{
	int fd = disk();
	return fd < 0 ? -1 : ioctl(fd, LOOP_CLR_FD, 0);
}

/* The writer was started with the source open, by mistake. */
static long do_held(void)
{
	return ioctl(scene.victim, BLKRRPART);
}

/* --- by a path --- */

static long open_and_write(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -1 : write(fd, page, PAGE);
}

static long do_reopen_rdwr(void)
{
	return open_and_write(scene.source, O_RDWR);
}

static long do_reopen_wronly(void)
{
	return open_and_write(scene.source, O_WRONLY);
}

static long do_reopen_own(void)
{
	char path[64];
	int fd = disk();
	if (fd < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open_and_write(path, O_RDWR);
}

static long do_reopen_other(void)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)scene.parent, scene.victim);
	return open_and_write(path, O_RDWR);
}

static long do_steal(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, scene.parent, 0);
	int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, scene.victim, 0);
	return fd < 0 ? -1 : fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE);
}

static long do_mknod(void)
{
	const char *path = in_folder("made");
	if (mknod(path, S_IFBLK | 0600, scene.source_stat.st_rdev) < 0)
		return -1;
	long r = open_and_write(path, O_RDWR);
	unlink(path);
	return r;
}

static long do_node(void)
{
	return open_and_write(in_folder("node"), O_RDWR);
}

static long do_link(void)
{
	return open_and_write(in_folder("link"), O_RDWR);
}

static long do_handle(void)
{
	struct file_handle h = { .handle_bytes = 0 };
	return open_by_handle_at(AT_FDCWD, &h, O_RDWR);
}

static long do_chmod(void)
{
	return chmod(scene.source, scene.source_stat.st_mode & 07777);
}

static long do_outside(void)
{
	int fd = open("/tmp/exhibit-attack", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		unlink("/tmp/exhibit-attack");
	return fd;
}

static long do_sysfs(void)
{
	char path[128];
	snprintf(path, sizeof path, "/sys/dev/block/%u:%u/queue/read_ahead_kb", major(scene.source_stat.st_rdev),
		 minor(scene.source_stat.st_rdev));
	return open(path, O_WRONLY | O_CLOEXEC);
}

static long do_core_pattern(void)
{
	return open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC);
}

static long do_loop_control(void)
{
	return open("/dev/loop-control", O_RDWR | O_CLOEXEC);
}

/* --- by the kernel, or by others --- */

static long do_mount(void)
{
	return mount(scene.source, in_folder("mnt"), "ext4", 0, NULL);
}

static long do_bind(void)
{
	return mount("/dev", in_folder("mnt"), NULL, MS_BIND, NULL);
}

static long do_swapon(void)
{
	return swapon(scene.source, 0);
}

static long do_io_uring(void)
{
	struct io_uring_params p = { 0 };
	return syscall(SYS_io_uring_setup, 8, &p);
}

static long do_bpf(void)
{
	union bpf_attr a = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };
	return syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof a);
}

static long do_module(void)
{
	return syscall(SYS_init_module, NULL, 0UL, "");
}

static long do_ptrace(void)
{
	return ptrace(PTRACE_SEIZE, scene.parent, NULL, NULL);
}

static long do_memory_of_other(void)
{
	struct iovec v = { page, 1 };
	return process_vm_writev(scene.parent, &v, 1, &v, 1, 0);
}

static long do_signal(void)
{
	return kill(scene.parent, 0);
}

static long do_user_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static long do_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long do_fork(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);
	if (pid == 0)
		_exit(0);
	return pid;
}

static long do_execve(void)
{
	char name[] = "true";
	char *const argv[] = { name, NULL };
	return execve("/bin/true", argv, NULL);
}

/* --- what must work --- */

static long work_read(void)
{
	return pread(scene.fd, page, PAGE, 0);
}

static long work_mmap(void)
{
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, scene.fd, 0);
	if (p == MAP_FAILED)
		return -1;
	memcpy(page, p, PAGE);
	return munmap(p, PAGE);
}

static long work_seek(void)
{
	return lseek(scene.fd, 0, SEEK_END);
}

static long work_size(void)
{
	uint64_t size;
	int fd = disk();
	return fd < 0 ? -1 : ioctl(fd, BLKGETSIZE64, &size);
}

static long work_send(void)
{
	char c = 0;
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	return send(scene.socket[0], "x", 1, 0) < 0 || recv(scene.socket[1], &c, 1, 0) != 1 || c != 'x' ||
			       sendmsg(scene.socket[1], &m, 0) < 0
		       ? -1
		       : recvmsg(scene.socket[0], &m, 0);
}

static void *thread_main(void *arg)
{
	return arg;
}

static long work_thread(void)
{
	pthread_t t;
	errno = pthread_create(&t, NULL, thread_main, NULL);
	return errno ? -1 : pthread_join(t, NULL);
}

static long work_image(void)
{
	char final[4096];
	snprintf(final, sizeof final, "%s/image", scene.folder);
	const char *path = in_folder("image.part");
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, page, PAGE) != PAGE || pread(fd, page, PAGE, 0) != PAGE || fsync(fd) < 0 ||
	    close(fd) < 0 || rename(path, final) < 0 || unlink(final) < 0)
		return -1;
	fd = open(scene.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -1 : fsync(fd);
}

static long work_print(void)
{
	return write(scene.pipe[1], "x", 1);
}

static long work_guard(void)
{
	int on, fd = disk();
	return fd < 0 ? -1 : ioctl(fd, BLKROGET, &on);
}

static long work_rmdir(void)
{
	return rmdir(in_folder("instance"));
}

enum { R = 1 << CO_SANDBOX_READER, W = 1 << CO_SANDBOX_WRITER, G = 1 << CO_SANDBOX_GUARDIAN };

const struct operation operations[] = {
	{ WORK, "read the source", work_read, R },
	{ WORK, "map the source for reading", work_mmap, R },
	{ WORK, "seek to the end of the source", work_seek, R },
	{ WORK, "BLKGETSIZE64", work_size, R | G },
	{ WORK, "BLKROGET", work_guard, R | G },
	{ WORK, "send and receive", work_send, R | W | G },
	{ WORK, "start a thread", work_thread, R | W | G },
	{ WORK, "make an image in the folder", work_image, W },
	{ WORK, "print", work_print, W },
	{ WORK, "remove a folder in the folder", work_rmdir, G },
	{ HOSTILE, "write", do_write, 0 },
	{ HOSTILE, "pwrite", do_pwrite, 0 },
	{ HOSTILE, "pwritev2", do_pwritev2, 0 },
	{ HOSTILE, "mmap shared, writable", do_mmap, 0 },
	{ HOSTILE, "mmap, mprotect writable", do_mprotect, 0 },
	{ HOSTILE, "BLKDISCARD", do_discard, 0 },
	{ HOSTILE, "BLKZEROOUT", do_zeroout, 0 },
	{ HOSTILE, "BLKSECDISCARD", do_secdiscard, 0 },
	{ HOSTILE, "fallocate, punch a hole", do_punch, 0 },
	{ HOSTILE, "fsync (flush)", do_fsync, 0 },
	{ HOSTILE, "SG_IO, WRITE(10)", do_sg_io, 0 },
	{ HOSTILE, "BLKROSET off", do_roset, G },
	{ HOSTILE, "BLKRRPART", do_rrpart, 0 },
	{ HOSTILE, "LOOP_SET_STATUS64", do_loop_status, 0 },
	{ HOSTILE, "LOOP_CHANGE_FD", do_loop_change, 0 },
	{ HOSTILE, "open by path, O_RDWR", do_reopen_rdwr, 0 },
	{ HOSTILE, "open by path, O_WRONLY", do_reopen_wronly, 0 },
	{ HOSTILE, "open /proc/self/fd/N", do_reopen_own, 0 },
	{ HOSTILE, "open /proc/PID/fd/N of another", do_reopen_other, 0 },
	{ HOSTILE, "take the descriptor of another", do_steal, 0 },
	{ HELD, "use a descriptor left open", do_held, 0 },
	{ HOSTILE, "mknod and open", do_mknod, 0 },
	{ NODE, "open a node in the folder", do_node, 0 },
	{ HOSTILE, "open through a link in the folder", do_link, 0 },
	{ HOSTILE, "open_by_handle_at", do_handle, 0 },
	{ HOSTILE, "chmod of the device", do_chmod, 0 },
	{ HOSTILE, "create a file elsewhere", do_outside, 0 },
	{ HOSTILE, "write to sysfs", do_sysfs, 0 },
	{ HOSTILE, "write to core_pattern", do_core_pattern, 0 },
	{ HOSTILE, "open loop-control", do_loop_control, 0 },
	{ HOSTILE, "mount the source", do_mount, 0 },
	{ HOSTILE, "mount --bind /dev", do_bind, 0 },
	{ HOSTILE, "swapon", do_swapon, 0 },
	{ HOSTILE, "io_uring", do_io_uring, 0 },
	{ HOSTILE, "bpf", do_bpf, 0 },
	{ HOSTILE, "init_module", do_module, 0 },
	{ HOSTILE, "ptrace another", do_ptrace, 0 },
	{ HOSTILE, "write memory of another", do_memory_of_other, 0 },
	{ HOSTILE, "signal another", do_signal, 0 },
	{ HOSTILE, "new user namespace", do_user_namespace, 0 },
	{ HOSTILE, "socket", do_socket, 0 },
	{ HOSTILE, "fork", do_fork, 0 },
	{ HOSTILE, "execve", do_execve, 0 },
	{ HOSTILE, "LOOP_CLR_FD", do_loop_clear, 0 },
};
const unsigned n_operations = sizeof operations / sizeof *operations;
