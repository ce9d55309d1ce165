/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/bag_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "hash/digest.h"
#include "run/cancel.h"

#define DEPTH_MAX 32 /* folders below data/ in one another */

void co_bag_entries_free(struct co_bag_entries *e)
{
	for (size_t i = 0; i < e->list.n; i++)
		free(e->list.at[i].path);
	co_vec_free(&e->list);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct co_bag_entry *)a)->path, ((const struct co_bag_entry *)b)->path);
}

void co_bag_entries_sort(struct co_bag_entries *e)
{
	if (e->list.n)
		qsort(e->list.at, e->list.n, sizeof *e->list.at, by_path);
}

struct co_bag_entry *co_bag_entries_find(const struct co_bag_entries *e, const char *path)
{
	struct co_bag_entry key = { .path = (char *)(uintptr_t)path };
	return e->list.n ? bsearch(&key, e->list.at, e->list.n, sizeof *e->list.at, by_path) : NULL;
}

int co_bag_no_memory(const char *bag, struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "%s: out of memory", bag);
}

/* Takes @path over, also on failure. */
int co_bag_entries_add(struct co_bag_entries *e, char *path, uint64_t size)
{
	if (!path || co_vec_push(&e->list, (struct co_bag_entry) { .path = path, .size = size }) < 0) {
		free(path);
		return -1;
	}
	return 0;
}

/* Tells of something wrong with @name, which may come from a manifest and is made fit to show. */
void co_bag_problem(struct co_bag_walk *w, const char *name, const char *text)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	co_str_add_visible(&s, name, strlen(name));
	co_str_addf(&s, " %s", text);
	w->watch->problem(w->watch->arg, s.failed ? "a problem could not be told for lack of memory" : co_str_get(&s));
	w->problems++;
}

/* Opens a file without following a link in any component. -1 with errno. */
static int open_within(int dir, const char *path)
{
	int at = dir;
	for (;;) {
		size_t len = strcspn(path, "/");
		char name[NAME_MAX + 1];
		int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | (path[len] ? O_DIRECTORY : O_NONBLOCK);
		int next = -1;
		if (len > NAME_MAX) {
			errno = ENAMETOOLONG;
		} else {
			memcpy(name, path, len);
			name[len] = '\0';
			next = openat(at, name, flags);
		}
		int sys = errno;
		if (at != dir)
			close(at);
		errno = sys;
		if (next < 0 || !path[len])
			return next;
		at = next;
		path += len + 1;
	}
}

int co_bag_open_file(int dir, const char *path, uint64_t *ret_size, struct co_err *err)
{
	struct stat st;
	CO_CLEANUP_CLOSE int fd = open_within(dir, path);
	if (fd < 0 && errno == ELOOP)
		return co_err_set(err, CO_ERR_FAILED, 0, "is a link, not a file");
	if (fd < 0 || fstat(fd, &st) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "can't be opened");
	if (!S_ISREG(st.st_mode))
		return co_err_set(err, CO_ERR_FAILED, 0, "is not a file");
	*ret_size = (uint64_t)st.st_size;
	int result = fd;
	fd = -1;
	return result;
}

/* The digest of a file in the bag. The message begins behind its name: "can't be read: ..." */
int co_bag_digest(const struct co_bag_walk *w, const char *path, char ret_hex[65], struct co_err *err)
{
	uint64_t size;
	struct co_hasher *h;
	struct co_digests d;
	CO_CLEANUP_CLOSE int fd = co_bag_open_file(w->dir, path, &size, err);
	if (fd < 0)
		return fd;
	/* What counts is what is on the disk. Pages that were not written out yet stay. */
	(void)!posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	int r = co_hasher_open(&h, CO_HASH_BIT(CO_HASH_SHA256), err);
	if (r < 0)
		return r;
	while ((r = co_cancel_check(err)) == 0) {
		ssize_t n = read(fd, w->buf, CO_BAG_READ_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = co_err_set(err, CO_ERR_FAILED, errno, "can't be read");
		if (n <= 0)
			break;
		if ((r = co_hasher_add(h, w->buf, (size_t)n, err)) < 0)
			break;
		if (w->watch && w->watch->done)
			w->watch->done(w->watch->arg, (uint64_t)n);
	}
	if (r == 0)
		r = co_hasher_finish(h, &d, err);
	if (r == 0)
		co_digests_hex(&d, CO_HASH_SHA256, ret_hex);
	co_hasher_close(h);
	return r;
}

/* Opens a folder of the bag for reading its names; takes no link. */
DIR *co_bag_open_folder(int dir, const char *path)
{
	int fd = open_within(dir, path);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d && fd >= 0) {
		int sys = errno;
		close(fd);
		errno = sys;
	}
	return d;
}

/* Something below data/ that has no place in a bag or can't be examined: told, or for seal() the end. */
static int trouble(struct co_bag_walk *w, const char *path, int sys, const char *text, struct co_err *err)
{
	struct co_err why = CO_ERR_INIT;
	co_err_set(&why, CO_ERR_FAILED, sys, "%s", text);
	if (!w->watch)
		return co_err_set(err, CO_ERR_FAILED, sys, "%s/%s %s", w->bag, path, text);
	co_bag_problem(w, path, why.msg);
	return 0;
}

static int list_folder(struct co_bag_walk *w, const char *folder, unsigned depth, struct co_bag_entries *ret,
		       struct co_err *err);

/* @folder NULL: that of the bag. */
static int list_name(struct co_bag_walk *w, const char *folder, int dir, const char *name, unsigned depth,
		     struct co_bag_entries *ret, struct co_err *err)
{
	struct stat st;
	CO_CLEANUP_FREE char *path = NULL;
	if (asprintf(&path, "%s%s%s", folder ? folder : "", folder ? "/" : "", name) < 0) {
		path = NULL;
		return co_bag_no_memory(w->bag, err);
	}
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return trouble(w, path, errno, "can't be examined", err);
	if (strchr(name, '\\'))
		return trouble(w, path, 0, "has a backslash in its name", err);
	if (S_ISDIR(st.st_mode))
		return list_folder(w, path, depth + 1, ret, err);
	if (!S_ISREG(st.st_mode))
		return trouble(w, path, 0, "is neither a file nor a folder", err);
	return co_bag_entries_add(ret, CO_TAKE(path), (uint64_t)st.st_size) < 0 ? co_bag_no_memory(w->bag, err) : 0;
}

/* All files below @folder (relative to the bag), in no order. */
static int list_folder(struct co_bag_walk *w, const char *folder, unsigned depth, struct co_bag_entries *ret,
		       struct co_err *err)
{
	size_t names = 0;
	if (depth > DEPTH_MAX)
		return trouble(w, folder, 0, "lies too deep", err);
	CO_CLEANUP_CLOSEDIR DIR *d = co_bag_open_folder(w->dir, folder);
	if (!d)
		return trouble(w, folder, errno, "can't be opened", err);
	if (!w->watch && fsync(dirfd(d)) < 0 && errno != EINVAL)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "sync %s/%s", w->bag, folder);
	for (;;) {
		errno = 0;
		const struct dirent *e = readdir(d);
		if (!e && errno)
			return trouble(w, folder, errno, "can't be read", err);
		if (!e)
			break;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		names++;
		int r = list_name(w, folder, dirfd(d), e->d_name, depth, ret, err);
		if (r < 0)
			return r;
	}
	/* Sealing passes over it: no manifest can list a folder. */
	return names || !w->watch ? 0 : trouble(w, folder, 0, "is an empty folder", err);
}

int co_bag_list_payload(struct co_bag_walk *w, struct co_bag_entries *ret, struct co_err *err)
{
	int r = list_folder(w, CO_BAG_DATA, 0, ret, err);
	co_bag_entries_sort(ret);
	return r;
}

int co_bag_list_tags(struct co_bag_walk *w, struct co_bag_entries *ret, struct co_err *err)
{
	CO_CLEANUP_CLOSEDIR DIR *d = co_bag_open_folder(w->dir, ".");
	if (!d)
		return trouble(w, ".", errno, "can't be opened", err);
	for (;;) {
		errno = 0;
		const struct dirent *e = readdir(d);
		if (!e && errno)
			return trouble(w, ".", errno, "can't be read", err);
		if (!e)
			break;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, CO_BAG_DATA) == 0)
			continue;
		int r = list_name(w, NULL, dirfd(d), e->d_name, 0, ret, err);
		if (r < 0)
			return r;
	}
	co_bag_entries_sort(ret);
	return 0;
}

int co_bag_walk_open(struct co_bag_walk *w, const char *bag, struct co_err *err)
{
	*w = (struct co_bag_walk) { .dir = -1, .bag = bag };
	w->buf = malloc(CO_BAG_READ_BYTES);
	if (!w->buf)
		return co_bag_no_memory(bag, err);
	w->dir = open(bag, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return w->dir < 0 ? co_err_set(err, CO_ERR_FAILED, errno, "open the bag %s", bag) : 0;
}

void co_bag_walk_close(struct co_bag_walk *w)
{
	if (w->dir >= 0)
		close(w->dir);
	free(w->buf);
}
