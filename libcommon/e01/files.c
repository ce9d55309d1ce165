/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "e01/image.h"

enum { OPEN_MAX_FILES = 64 };

struct file {
	char *name;
	int fd; /* -1: not open */
	unsigned users;
	uint64_t used; /* stamp of the last use */
};

struct co_e01_files {
	pthread_mutex_t lock;
	struct file *at;
	size_t n;
	size_t n_open;
	uint64_t stamp;
};

int co_e01_files_open(struct co_e01_files **ret, const char *const *names, size_t n, struct co_err *err)
{
	struct co_e01_files *files = calloc(1, sizeof *files);
	if (files) {
		pthread_mutex_init(&files->lock, NULL);
		files->at = calloc(n, sizeof *files->at);
	}
	bool ok = files && files->at;
	for (size_t i = 0; ok && i < n; i++) {
		files->at[i].fd = -1;
		files->at[i].name = strdup(names[i]);
		files->n++;
		ok = files->at[i].name;
	}
	if (!ok) {
		co_e01_files_close(files);
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for %zu segments", n);
	}
	*ret = files;
	return 0;
}

void co_e01_files_close(struct co_e01_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->n; i++) {
		if (files->at[i].fd >= 0)
			close(files->at[i].fd);
		free(files->at[i].name);
	}
	free(files->at);
	pthread_mutex_destroy(&files->lock);
	free(files);
}

const char *co_e01_files_name(const struct co_e01_files *files, size_t i)
{
	return files->at[i].name;
}

static void close_file(struct co_e01_files *files, struct file *f)
{
	close(f->fd);
	f->fd = -1;
	files->n_open--;
}

/* Closes the file that has not been used for longest. If all are in use the limit is passed: there are then more
 * threads than the limit, and each of them holds one file. */
static void make_room(struct co_e01_files *files)
{
	struct file *oldest = NULL;
	if (files->n_open < OPEN_MAX_FILES)
		return;
	for (size_t i = 0; i < files->n; i++) {
		struct file *f = &files->at[i];
		if (f->fd >= 0 && !f->users && (!oldest || f->used < oldest->used))
			oldest = f;
	}
	if (oldest)
		close_file(files, oldest);
}

int co_e01_files_acquire(struct co_e01_files *files, size_t i, int *ret_fd, struct co_err *err)
{
	struct file *f = &files->at[i];
	int r = 0;
	pthread_mutex_lock(&files->lock);
	if (f->fd < 0) {
		make_room(files);
		f->fd = open(f->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (f->fd < 0)
			r = co_err_set(err, CO_ERR_FAILED, errno, "open %s", f->name);
		else
			files->n_open++;
	}
	if (r == 0) {
		f->users++;
		f->used = ++files->stamp;
		*ret_fd = f->fd;
	}
	pthread_mutex_unlock(&files->lock);
	return r;
}

void co_e01_files_release(struct co_e01_files *files, size_t i)
{
	pthread_mutex_lock(&files->lock);
	struct file *f = &files->at[i];
	f->users--;
	if (!f->users && files->n_open > OPEN_MAX_FILES)
		close_file(files, f);
	pthread_mutex_unlock(&files->lock);
}
