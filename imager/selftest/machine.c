/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest/machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "hash/digest.h"
#include "run/child.h"

#define TOOL_TIME_NS (20 * CO_NS_PER_S)

/* Programs that the matrix can use, and how they tell their version. */
static const struct {
	const char *name, *argument;
} witnesses[] = {
	{ "sha256sum", "--version" }, { "openssl", "version" },   { "ewfverify", "-V" }, { "ewfinfo", "-V" },
	{ "nbdkit", "--version" },    { "nbdfuse", "--version" }, { "mkfs.ext4", "-V" }, { "ddrescuelog", "--version" },
};

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the self-test");
}

/* --- folders --- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	remove(path);
	return 0;
}

void im_remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* 0: it is there and empty. */
static int empty_folder(const char *path, struct co_err *err)
{
	CO_CLEANUP_CLOSEDIR DIR *dir = NULL;

	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "create the folder %s", path);
	dir = opendir(path);
	if (!dir)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "open the folder %s", path);
	for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return co_err_set(err, CO_ERR_USAGE, 0,
					  "%s is not empty: the self-test needs a new or empty folder", path);
	return 0;
}

static int make_work(struct im_machine *m, const char *folder, struct co_err *err)
{
	CO_CLEANUP_FREE char *full = NULL;
	int r = empty_folder(folder, err);

	if (r < 0)
		return r;
	full = realpath(folder, NULL);
	if (!full)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "find the full name of %s", folder);
	if (asprintf(&m->work, "%s/work", full) < 0) {
		m->work = NULL;
		return no_memory(err);
	}
	if (mkdir(m->work, 0700) < 0) {
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "create %s", m->work);
		free(CO_TAKE(m->work)); /* not ours to remove */
	}
	return r;
}

/* --- programs --- */

static char *find_program(const char *name)
{
	const char *path = getenv("PATH");
	CO_CLEANUP_STR struct co_str places = { 0 };
	char *found = NULL;

	co_str_addf(&places, "%s:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin", path ? path : "");
	for (const char *at = co_str_get(&places); *at && !found; at += *at == ':') {
		size_t n = strcspn(at, ":");
		char file[PATH_MAX];

		snprintf(file, sizeof file, "%.*s/%s", (int)n, at, name);
		if (n > 0 && file[0] == '/' && access(file, X_OK) == 0)
			found = strdup(file);
		at += n;
	}
	return found;
}

static void first_line(const char *text, char ret[128])
{
	CO_CLEANUP_STR struct co_str s = { 0 };

	while (*text == '\n')
		text++;
	co_str_add_visible(&s, text, strcspn(text, "\n"));
	snprintf(ret, 128, "%s", co_str_get(&s));
}

/* The first line that it prints when asked. */
static int ask_version(const char *path, const char *argument, char ret[128], struct co_err *err)
{
	const char *const argv[] = { path, argument, NULL };
	const struct co_child_spec spec = { .file = path, .argv = argv };
	CO_CLEANUP_CHILD struct co_child *child = NULL;
	int r = co_child_start(&child, &spec, err);

	if (r == 0)
		r = co_child_wait(child, TOOL_TIME_NS, err);
	if (r < 0)
		return r;
	first_line(co_str_get(co_child_out(child)), ret);
	if (!ret[0])
		first_line(co_str_get(co_child_err(child)), ret);
	return r == 1 || co_child_code(child) == 127 ? 1 : 0;
}

static int find_tools(struct im_machine *m, struct co_err *err)
{
	for (size_t i = 0; i < sizeof witnesses / sizeof witnesses[0]; i++) {
		struct im_tool tool = { .name = witnesses[i].name, .path = find_program(witnesses[i].name) };

		if (tool.path)
			ask_version(tool.path, witnesses[i].argument, tool.version, NULL);
		if (co_vec_push(&m->tools, tool) < 0) {
			free(tool.path);
			return no_memory(err);
		}
	}
	return 0;
}

const struct im_tool *im_machine_tool(const struct im_machine *m, const char *name)
{
	for (size_t i = 0; i < m->tools.n; i++)
		if (strcmp(m->tools.at[i].name, name) == 0)
			return m->tools.at[i].path ? &m->tools.at[i] : NULL;
	return NULL;
}

static int find_subject(struct im_machine *m, const char *program, struct co_err *err)
{
	struct co_digests digests;
	int r;

	m->program = realpath(program ? program : "/proc/self/exe", NULL);
	if (!m->program)
		return co_err_set(err, CO_ERR_FAILED, errno, "find the program %s", program ? program : "itself");
	r = co_digest_file(CO_HASH_BIT(CO_HASH_SHA256), m->program, &digests, err);
	if (r == 0)
		r = ask_version(m->program, "--version", m->program_version, err);
	if (r < 0)
		return r;
	co_digests_hex(&digests, CO_HASH_SHA256, m->program_sha256);
	return r == 1 ? co_err_set(err, CO_ERR_FAILED, 0, "%s does not tell its version", m->program) : 0;
}

/* Mounts that nobody else sees, and that end with us whatever happens. */
static bool own_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

int im_machine_open(struct im_machine *ret, const struct im_machine_opts *opts, struct co_err *err)
{
	struct im_machine m = { .keep = opts->keep, .root = geteuid() == 0 };
	int r;

	m.sign_key = opts->sign_key;
	m.sign_certificate = opts->sign_certificate;
	r = find_subject(&m, opts->program, err);
	if (r == 0)
		r = find_tools(&m, err);
	if (r == 0)
		r = make_work(&m, opts->folder, err);
	if (r < 0) {
		im_machine_close(&m);
		return r;
	}
	m.own_mounts = m.root && own_mounts();
	*ret = m;
	return 0;
}

void im_machine_close(struct im_machine *m)
{
	if (m->work && !m->keep)
		im_remove_tree(m->work);
	for (size_t i = 0; i < m->tools.n; i++)
		free(m->tools.at[i].path);
	co_vec_free(&m->tools);
	free(m->program);
	free(m->work);
	free(m->base_bag);
	free(m->base_record);
	*m = (struct im_machine) { 0 };
}
