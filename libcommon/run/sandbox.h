/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes rights away from a process for good, by three means of the kernel that do not rely on each other:
 * Landlock (which files), capabilities (what root may), seccomp (which system calls, with which arguments).
 *
 * The profiles split the work so that no process can both reach the source and write:
 *   READER    holds the source; reads it, and talks over sockets it has already. Opens nothing, writes no file.
 *   WRITER    has no way to any device; makes files below some folders.
 *   GUARDIAN  keeps CAP_SYS_ADMIN; may open anything for reading and set a disk read-only. Writes no file.
 * In all of them: no program is started, no process forked, no socket made, nothing mounted, no device node made.
 * A system call that is not allowed fails with EPERM (clone3 with ENOSYS, for which the C library uses clone).
 */
#ifndef CO_RUN_SANDBOX_H
#define CO_RUN_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum co_sandbox_profile {
	CO_SANDBOX_READER,
	CO_SANDBOX_WRITER,
	CO_SANDBOX_GUARDIAN,
};

struct co_sandbox_opts {
	enum co_sandbox_profile profile;
	/* WRITER: existing folders below which files may be read, made, written, renamed and removed, but no folders
	 * made or removed. No device node may lie below them. GUARDIAN: existing folders whose own folders may be
	 * removed. */
	const char *const *writable;
	size_t n_writable;
	/* READER: may be read with pread and preadv, sought in, and asked for its size, sectors and read-only flag;
	 * -1: none */
	int source_fd;
	/* READER: further descriptors of the same source, such as one without O_DIRECT */
	const int *more_source_fds;
	size_t n_more_source_fds;
};

struct co_sandbox_layer {
	const char *name; /* literal: "Landlock", "capabilities", "seccomp" */
	bool applied;     /* and seen to work */
	char proof[256];  /* what the kernel answered, or why the layer is absent */
};

enum { CO_SANDBOX_LAYERS = 3 };

struct co_sandbox {
	struct co_sandbox_layer layers[CO_SANDBOX_LAYERS];
};

/* Confines the calling process, and what it starts later; there is no way back.
 *
 * Before it: no threads yet; memory to share is mapped (READER and GUARDIAN can't map any file writable afterwards);
 * folders are made, and those above them synced (only what lies below `writable` can be opened to sync it); the signal
 * for the death of the parent is set (PR_SET_PDEATHSIG), for no process can send a signal to another one. The source
 * must not be open in the WRITER.
 * Descriptors that are open stay so, and may be passed over sockets: nobody but the READER should hold the source.
 *
 * A layer that the kernel lacks or refuses is reported as not applied, and the others are applied nevertheless; the
 * caller decides whether that is enough.
 * 0; CO_ERR_USAGE (WRITER): a device node lies below a writable folder, or a block device is open; CO_ERR_FAILED: a
 * folder can't be opened or searched; CO_ERR_NOMEM. After an error the process may be confined in part: end it. */
int co_sandbox_enter(struct co_sandbox *ret, const struct co_sandbox_opts *opts, struct co_err *err);

#endif
