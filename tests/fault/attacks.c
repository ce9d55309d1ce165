/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attacks PROFILE LAYER SOURCE FOLDER: tries to change the block device SOURCE, or the machine, from within a sandbox.
 *
 * PROFILE: reader (holds SOURCE open for reading), writer (may write below FOLDER), guardian. LAYER: all, none, or one
 *of landlock, capabilities, seccomp. Each operation runs in a process of its own. One line for each: attack|work TAB
 *operation TAB denied|possible|failed TAB what the kernel said "denied" is EPERM, EACCES, or EBADF (a descriptor that
 *is not open for writing); any other error is "failed": the operation was not stopped, but did not fit the device.
 *Needs root. Without all layers SOURCE does change.
 */
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/sandbox_layers.h"

enum { PAGE = 4096 };

struct scene {
	enum co_sandbox_profile profile;
	const char *layer;
	const char *source, *folder;
	int fd;     /* the source, open for reading; -1 in the writer */
	int victim; /* the same descriptor in the process that started this one */
	pid_t parent;
	struct stat source_stat;
	int socket[2], pipe[2];
	char path[4096];
};

static struct scene scene;

/* Read-only, as everything else starts from it. A descriptor or -1. */
static int disk(void)
{
	return scene.fd >= 0 ? scene.fd : open(scene.source, O_RDONLY | O_CLOEXEC);
}

static const char *below(const char *folder, const char *name)
{
	snprintf(scene.path, sizeof scene.path, "%s/%s", folder, name);
	return scene.path;
}

/* Each operation returns a negative number with errno when it fails. */

/* --- through a descriptor --- */

static char page[PAGE] __attribute__((aligned(PAGE)));

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
	const char *path = below(scene.folder, "made");
	if (mknod(path, S_IFBLK | 0600, scene.source_stat.st_rdev) < 0)
		return -1;
	long r = open_and_write(path, O_RDWR);
	unlink(path);
	return r;
}

static long do_node(void)
{
	return open_and_write(below(scene.folder, "node"), O_RDWR);
}

static long do_link(void)
{
	return open_and_write(below(scene.folder, "link"), O_RDWR);
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
	return mount(scene.source, below(scene.folder, "mnt"), "ext4", 0, NULL);
}

static long do_bind(void)
{
	return mount("/dev", below(scene.folder, "mnt"), NULL, MS_BIND, NULL);
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
	const char *path = below(scene.folder, "image.part");
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
	return rmdir(below(scene.folder, "instance"));
}

/* --- all of them --- */

enum { R = 1 << CO_SANDBOX_READER, W = 1 << CO_SANDBOX_WRITER, G = 1 << CO_SANDBOX_GUARDIAN };

static const struct operation {
	const char *name;
	long (*run)(void);
	unsigned works; /* the profiles that are made for it */
} operations[] = {
	{ "read the source", work_read, R },
	{ "map the source for reading", work_mmap, R },
	{ "seek to the end of the source", work_seek, R },
	{ "BLKGETSIZE64", work_size, R | G },
	{ "BLKROGET", work_guard, R | G },
	{ "send and receive", work_send, R | W | G },
	{ "start a thread", work_thread, R | W | G },
	{ "make an image in the folder", work_image, W },
	{ "print", work_print, W },
	{ "remove a folder in the folder", work_rmdir, G },
	{ "write", do_write, 0 },
	{ "pwrite", do_pwrite, 0 },
	{ "pwritev2", do_pwritev2, 0 },
	{ "mmap shared, writable", do_mmap, 0 },
	{ "mmap, mprotect writable", do_mprotect, 0 },
	{ "BLKDISCARD", do_discard, 0 },
	{ "BLKZEROOUT", do_zeroout, 0 },
	{ "BLKSECDISCARD", do_secdiscard, 0 },
	{ "fallocate, punch a hole", do_punch, 0 },
	{ "fsync (flush)", do_fsync, 0 },
	{ "SG_IO, WRITE(10)", do_sg_io, 0 },
	{ "BLKROSET off", do_roset, G },
	{ "BLKRRPART", do_rrpart, 0 },
	{ "LOOP_SET_STATUS64", do_loop_status, 0 },
	{ "LOOP_CHANGE_FD", do_loop_change, 0 },
	{ "open by path, O_RDWR", do_reopen_rdwr, 0 },
	{ "open by path, O_WRONLY", do_reopen_wronly, 0 },
	{ "open /proc/self/fd/N", do_reopen_own, 0 },
	{ "open /proc/PID/fd/N of another", do_reopen_other, 0 },
	{ "take the descriptor of another", do_steal, 0 },
	{ "mknod and open", do_mknod, 0 },
	{ "open a node in the folder", do_node, 0 },
	{ "open through a link in the folder", do_link, 0 },
	{ "open_by_handle_at", do_handle, 0 },
	{ "chmod of the device", do_chmod, 0 },
	{ "create a file elsewhere", do_outside, 0 },
	{ "write to sysfs", do_sysfs, 0 },
	{ "write to core_pattern", do_core_pattern, 0 },
	{ "open loop-control", do_loop_control, 0 },
	{ "mount the source", do_mount, 0 },
	{ "mount --bind /dev", do_bind, 0 },
	{ "swapon", do_swapon, 0 },
	{ "io_uring", do_io_uring, 0 },
	{ "bpf", do_bpf, 0 },
	{ "init_module", do_module, 0 },
	{ "ptrace another", do_ptrace, 0 },
	{ "write memory of another", do_memory_of_other, 0 },
	{ "signal another", do_signal, 0 },
	{ "new user namespace", do_user_namespace, 0 },
	{ "socket", do_socket, 0 },
	{ "fork", do_fork, 0 },
	{ "execve", do_execve, 0 },
	{ "LOOP_CLR_FD", do_loop_clear, 0 },
};

enum { N_OPERATIONS = sizeof operations / sizeof *operations, REFUSED = -1000, THROUGH = 0 };

static int confine(struct co_err *err)
{
	const char *const writable[] = { scene.folder };
	struct co_sandbox_opts o = { .profile = scene.profile,
				     .writable = writable,
				     .n_writable = scene.profile == CO_SANDBOX_READER ? 0 : 1,
				     .source_fd = scene.fd };
	struct co_sandbox all;
	struct co_sandbox_layer one = { .applied = true };
	if (strcmp(scene.layer, "all") == 0) {
		int r = co_sandbox_enter(&all, &o, err);
		for (int i = 0; r == 0 && i < CO_SANDBOX_LAYERS; i++)
			if (!all.layers[i].applied)
				r = co_err_set(err, CO_ERR_FAILED, 0, "%s: %s", all.layers[i].name,
					       all.layers[i].proof);
		return r;
	}
	int r = co_sandbox_no_new_privs(err);
	if (r == 0 && strcmp(scene.layer, "landlock") == 0)
		r = co_sandbox_landlock(&one, &o, err);
	if (r == 0 && strcmp(scene.layer, "capabilities") == 0)
		r = co_sandbox_capabilities(&one, &o, err);
	if (r == 0 && strcmp(scene.layer, "seccomp") == 0)
		r = co_sandbox_seccomp(&one, &o, err);
	return r < 0 || one.applied ? r : co_err_set(err, CO_ERR_FAILED, 0, "%s: %s", one.name, one.proof);
}

/* Runs in a process of its own; @ret is shared with the parent. */
static void attack(const struct operation *op, int *ret)
{
	struct co_err err = CO_ERR_INIT;
	if (scene.fd < 0)
		close(scene.victim);
	int r = confine(&err);
	if (r == CO_ERR_USAGE) {
		*ret = REFUSED;
		_exit(0);
	}
	if (r < 0) {
		fprintf(stderr, "attacks: %s\n", err.msg);
		_exit(1);
	}
	*ret = THROUGH; /* stays so if a program takes the place of this process */
	errno = 0;
	if (op->run() < 0)
		*ret = errno;
	_exit(0);
}

static void report(const struct operation *op, int result, int status)
{
	const char *kind = op->works & 1U << scene.profile ? "work" : "attack";
	bool denied = result == REFUSED || result == EPERM || result == EACCES || result == EBADF;
	if (WIFSIGNALED(status))
		printf("%s\t%s\tdenied\tkilled by signal %d\n", kind, op->name, WTERMSIG(status));
	else
		printf("%s\t%s\t%s\t%s\n", kind, op->name,
		       result == THROUGH ? "possible"
		       : denied          ? "denied"
					 : "failed",
		       result == THROUGH   ? "-"
		       : result == REFUSED ? "refused at entry"
					   : strerrorname_np(result));
}

static int run(const struct operation *op, int *shared)
{
	int status;
	char node[4096];
	snprintf(node, sizeof node, "%s/node", scene.folder);
	if (op->run == do_node && mknod(node, S_IFBLK | 0600, scene.source_stat.st_rdev) < 0)
		return -1;
	mkdir(below(scene.folder, "instance"), 0700);
	*shared = THROUGH;
	pid_t pid = fork();
	if (pid == 0)
		attack(op, shared);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || (WIFEXITED(status) && WEXITSTATUS(status) != 0))
		return -1;
	if (op->run == do_node)
		unlink(node);
	umount2(below(scene.folder, "mnt"), MNT_DETACH);
	report(op, *shared, status);
	return 0;
}

/* Operations of the work of other profiles are neither. */
static bool concerns(const struct operation *op)
{
	return op->works == 0 || op->works & 1U << scene.profile || op->run == do_roset;
}

static int profile_of(const char *name)
{
	return strcmp(name, "reader") == 0     ? CO_SANDBOX_READER
	       : strcmp(name, "writer") == 0   ? CO_SANDBOX_WRITER
	       : strcmp(name, "guardian") == 0 ? CO_SANDBOX_GUARDIAN
					       : -1;
}

/* Mounts that succeed are to end with this program. */
static int set_scene(char **argv)
{
	int profile = profile_of(argv[1]);
	scene = (struct scene) { .layer = argv[2], .source = argv[3], .folder = argv[4], .fd = -1, .parent = getpid() };
	if (profile < 0)
		return -1;
	scene.profile = (enum co_sandbox_profile)profile;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    stat(scene.source, &scene.source_stat) < 0 || mkdir(below(scene.folder, "mnt"), 0700) < 0 ||
	    symlink(scene.source, below(scene.folder, "link")) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, scene.socket) < 0 || pipe2(scene.pipe, O_CLOEXEC) < 0)
		return -1;
	scene.victim = open(scene.source, O_RDONLY | O_CLOEXEC);
	return scene.victim;
}

int main(int argc, char **argv)
{
	int *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc != 5 || shared == MAP_FAILED || set_scene(argv) < 0) {
		fprintf(stderr,
			"usage: attacks reader|writer|guardian all|none|landlock|capabilities|seccomp SOURCE FOLDER: "
			"%s\n",
			strerror(errno));
		return EXIT_FAILURE;
	}
	setvbuf(stdout, NULL, _IONBF, 0); /* children must not print what was printed */
	memset(page, 0xa5, sizeof page);
	for (size_t i = 0; i < N_OPERATIONS; i++) {
		/* only the reader is given the source, as in the imager */
		scene.fd = scene.profile == CO_SANDBOX_READER ? scene.victim : -1;
		if (concerns(&operations[i]) && run(&operations[i], shared) < 0) {
			fprintf(stderr, "attacks: '%s' could not be tried: %s\n", operations[i].name, strerror(errno));
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}
