/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attacks PROFILE LAYER SOURCE FOLDER: tries to change the block device SOURCE, or the machine, from within a sandbox.
 *
 * PROFILE: reader (holds SOURCE open for reading), writer (may write below FOLDER), guardian.
 * LAYER: all, none, or one of landlock, capabilities, seccomp.
 *
 * Each operation runs in a process of its own and makes one line of four fields, with tabs between them:
 * attack or work; its name; denied, possible or failed; what the kernel said. Denied is EPERM, EACCES, and EBADF (a
 * descriptor that is not open for writing). After any other error it has failed: nothing stopped it, but it did not
 * fit the device. Needs root. Without all layers SOURCE does change.
 */
#include "attacks.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/sandbox_layers.h"

struct scene scene;

enum { REFUSED = -1000, THROUGH = 0 };

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
	if (scene.fd < 0 && op->kind != HELD)
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
	if (op->kind == NODE && mknod(node, S_IFBLK | 0600, scene.source_stat.st_rdev) < 0)
		return -1;
	mkdir(in_folder("instance"), 0700);
	*shared = THROUGH;
	pid_t pid = fork();
	if (pid == 0)
		attack(op, shared);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || (WIFEXITED(status) && WEXITSTATUS(status) != 0))
		return -1;
	if (op->kind == NODE)
		unlink(node);
	umount2(in_folder("mnt"), MNT_DETACH);
	report(op, *shared, status);
	return 0;
}

/* Operations of the work of other profiles are neither. */
static bool concerns(const struct operation *op)
{
	return op->kind != WORK || op->works & 1U << scene.profile;
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
	    stat(scene.source, &scene.source_stat) < 0 || mkdir(in_folder("mnt"), 0700) < 0 ||
	    symlink(scene.source, in_folder("link")) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, scene.socket) < 0 || pipe2(scene.pipe, O_CLOEXEC) < 0)
		return -1;
	scene.victim = open(scene.source, O_RDONLY | O_CLOEXEC);
	return scene.victim;
}

int main(int argc, char **argv)
{
	int *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc != 5 || shared == MAP_FAILED || set_scene(argv) < 0) {
		fprintf(stderr,
			"usage: attacks reader|writer|guardian all|none|landlock|capabilities|seccomp SOURCE FOLDER: "
			"%s\n",
			strerror(errno));
		return EXIT_FAILURE;
	}
	setvbuf(stdout, NULL, _IONBF, 0); /* children must not print what was printed */
	for (unsigned i = 0; i < n_operations; i++) {
		/* only the reader is given the source, as in the imager */
		scene.fd = scene.profile == CO_SANDBOX_READER ? scene.victim : -1;
		if (concerns(&operations[i]) && run(&operations[i], shared) < 0) {
			fprintf(stderr, "attacks: '%s' could not be tried: %s\n", operations[i].name, strerror(errno));
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}
