/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "io/source.h"

struct file {
	int fd;
	bool owned; /* fd is closed with the source */
	char name[];
};

/* What an errno of pread() says: 1, this place can't be read; < 0, the whole source can't. */
static int outcome_of(int sys)
{
	switch (sys) {
	case ENODEV:
	case ENXIO:
	case ENOMEDIUM:
	case ESTALE:
	case ESHUTDOWN:
		return CO_ERR_LOST;
	case EBADF:
	case EFAULT:
	case EINVAL:
	case EISDIR:
		return CO_ERR_FAILED;
	case ENOMEM:
		return CO_ERR_NOMEM;
	default:
		/* EIO through the page cache; ENODATA, EILSEQ, EREMOTEIO, ETIMEDOUT and more from the block layer */
		return 1;
	}
}

static int file_read(void *self, void *buf, size_t len, uint64_t off, size_t *ret_good, struct co_err *err)
{
	const struct file *f = self;
	size_t good = 0;
	while (good < len) {
		uint64_t at = off + good;
		ssize_t n = pread(f->fd, (uint8_t *)buf + good, len - good, (off_t)at);
		if (n > 0) {
			good += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		int r = 1;
		if (n == 0) {
			co_err_set(err, CO_ERR_FAILED, 0,
				   "%s ends at byte %" PRIu64 ": it became shorter since it was opened", f->name, at);
		} else {
			r = outcome_of(errno);
			co_err_set(err, r < 0 ? r : CO_ERR_FAILED, errno, "read %s at byte %" PRIu64, f->name, at);
		}
		if (r > 0)
			*ret_good = good;
		return r;
	}
	*ret_good = good;
	return 0;
}

static void file_close(void *self)
{
	struct file *f = self;
	if (f->owned)
		close(f->fd); /* nothing was written, so nothing can be lost */
	free(f);
}

static const struct co_source_ops file_ops = { "file", file_read, file_close };

int co_source_open_fd(struct co_source *ret, int fd, const char *name, uint64_t size, uint32_t sector_size,
		      struct co_err *err)
{
	if (size > INT64_MAX)
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s: a size of %" PRIu64 " bytes is impossible", name, size);
	size_t n = strlen(name) + 1;
	struct file *f = malloc(sizeof *f + n);
	if (!f)
		return co_err_set(err, CO_ERR_NOMEM, 0, "%s: out of memory", name);
	f->fd = fd;
	f->owned = false;
	memcpy(f->name, name, n);
	*ret = (struct co_source) { &file_ops, f, size, sector_size ? sector_size : 512 };
	return 0;
}

static int check_kind(mode_t mode, const char *name, struct co_err *err)
{
	if (S_ISDIR(mode))
		return co_err_set(err, CO_ERR_FAILED, 0, "%s is a folder, not a disk or image", name);
	if (!S_ISREG(mode) && !S_ISBLK(mode))
		return co_err_set(err, CO_ERR_FAILED, 0, "%s is neither a file nor a block device", name);
	return 0;
}

int co_source_open_file(struct co_source *ret, const char *name, struct co_err *err)
{
	struct stat st;
	int r;
	/* Looked at before it is opened, since opening a pipe would wait for its writer ... */
	if (stat(name, &st) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", name);
	if ((r = check_kind(st.st_mode, name, err)) < 0)
		return r;
	CO_CLEANUP_CLOSE int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", name);
	/* ... and afterwards, in case the name was given to something else. */
	if ((r = check_kind(st.st_mode, name, err)) < 0)
		return r;
	off_t size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "find the size of %s", name);
	if (size == 0)
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s is empty", name);
	struct co_source src;
	if ((r = co_source_open_fd(&src, fd, name, (uint64_t)size, 0, err)) < 0)
		return r;
	((struct file *)src.self)->owned = true;
	fd = -1;
	*ret = src;
	return 0;
}
