/* SPDX-License-Identifier: Apache-2.0 */
#include "run/sandbox.h"

#include <errno.h>
#include <fts.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "run/sandbox_layers.h"

int co_sandbox_report(struct co_sandbox_layer *ret, const char *name, bool applied, const char *fmt, ...)
{
	va_list ap;
	ret->name = name;
	ret->applied = applied;
	va_start(ap, fmt);
	vsnprintf(ret->proof, sizeof ret->proof, fmt, ap);
	va_end(ap);
	return 0;
}

int co_sandbox_no_new_privs(struct co_err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "give up new privileges");
	return 0;
}

static void close_walk(FTS **walk)
{
	if (*walk)
		fts_close(*walk);
}

static int check_entry(const FTSENT *e, const char *folder, struct co_err *err)
{
	if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
		return co_err_set(err, CO_ERR_FAILED, e->fts_errno, "search %s for device nodes", folder);
	if (e->fts_info == FTS_DEFAULT && (S_ISBLK(e->fts_statp->st_mode) || S_ISCHR(e->fts_statp->st_mode)))
		return co_err_set(err, CO_ERR_USAGE, 0, "a device node lies below %s, where files will be written",
				  folder);
	return 0;
}

/* No layer keeps a file apart from a node that lies there under some name: the right to write below a folder is the
 * right to write to it. Nodes can't get there later: nobody inside can make, link or move one. */
static int refuse_nodes(const char *folder, struct co_err *err)
{
	char *const roots[] = { (char *)(uintptr_t)folder, NULL };
	CO_CLEANUP(close_walk) FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;
	if (!walk)
		return co_err_set(err, CO_ERR_FAILED, errno, "search %s for device nodes", folder);
	while (errno = 0, (e = fts_read(walk)) != NULL) {
		int r = check_entry(e, folder, err);
		if (r < 0)
			return r;
	}
	return errno ? co_err_set(err, CO_ERR_FAILED, errno, "search %s for device nodes", folder) : 0;
}

/* An open descriptor is a right that no later layer takes back. */
static int refuse_devices_held(struct co_err *err)
{
	CO_CLEANUP_CLOSEDIR DIR *held = opendir("/proc/self/fd");
	struct dirent *e;
	if (!held)
		return co_err_set(err, CO_ERR_FAILED, errno, "list the open descriptors");
	while (errno = 0, (e = readdir(held)) != NULL) {
		struct stat st;
		if (fstatat(dirfd(held), e->d_name, &st, 0) == 0 && S_ISBLK(st.st_mode))
			return co_err_set(err, CO_ERR_USAGE, 0,
					  "descriptor %s of a block device is open in the process that writes",
					  e->d_name);
	}
	return errno ? co_err_set(err, CO_ERR_FAILED, errno, "list the open descriptors") : 0;
}

static int check_writer(const struct co_sandbox_opts *opts, struct co_err *err)
{
	int r = refuse_devices_held(err);
	for (size_t i = 0; r == 0 && i < opts->n_writable; i++)
		r = refuse_nodes(opts->writable[i], err);
	return r;
}

int co_sandbox_enter(struct co_sandbox *ret, const struct co_sandbox_opts *opts, struct co_err *err)
{
	struct co_sandbox made = { 0 };
	int r = opts->profile == CO_SANDBOX_WRITER ? check_writer(opts, err) : 0;
	if (r < 0 || (r = co_sandbox_no_new_privs(err)) < 0 ||
	    /* in this order, for the last one forbids what the others need */
	    (r = co_sandbox_landlock(&made.layers[0], opts, err)) < 0 ||
	    (r = co_sandbox_capabilities(&made.layers[1], opts, err)) < 0 ||
	    (r = co_sandbox_seccomp(&made.layers[2], opts, err)) < 0)
		return r;
	*ret = made;
	return 0;
}
