/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

struct co_sink {
	int fd;            /* -1: standard output */
	char *name, *part; /* NULL for standard output */
	struct co_err err; /* the first failure */
	size_t n;          /* bytes in buf */
	uint8_t buf[64 * 1024];
};

/* "a/b" -> "a", "/b" -> "/", "b" -> ".". Allocated. */
static char *folder_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	if (!slash)
		return strdup(".");
	return strndup(name, slash == name ? 1 : (size_t)(slash - name));
}

static int sync_open_fd(int fd, const char *name, struct co_err *err)
{
	/* EINVAL: some network file systems can't sync a folder; there is nothing more to be done there. */
	if (fsync(fd) < 0 && errno != EINVAL)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "sync %s", name);
	return 0;
}

static int sync_name(const char *name, int flags, struct co_err *err)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | flags);
	if (fd < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "open %s", name);
	int r = sync_open_fd(fd, name, err);
	if (close(fd) < 0 && r == 0)
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "close %s", name);
	return r;
}

int co_sync_folder(const char *folder, struct co_err *err)
{
	return sync_name(folder, O_DIRECTORY, err);
}

int co_sync_file(const char *name, struct co_err *err)
{
	return sync_name(name, 0, err);
}

int co_sync_folder_of(const char *name, struct co_err *err)
{
	CO_CLEANUP_FREE char *folder = folder_of(name);
	if (!folder)
		return co_err_set(err, CO_ERR_OUTPUT, ENOMEM, "write %s", name);
	return co_sync_folder(folder, err);
}

int co_rename_new(const char *from, const char *to, struct co_err *err)
{
	int r = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
	if (r < 0 && (errno == ENOSYS || errno == EINVAL)) {
		/* A file system without that flag: two steps, which is as good unless another program interferes. */
		struct stat st;
		if (lstat(to, &st) == 0)
			errno = EEXIST;
		else if (errno == ENOENT)
			r = rename(from, to);
	}
	if (r < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "rename %s to %s", from, to);
	return co_sync_folder_of(to, err);
}

static void sink_free(struct co_sink *sink)
{
	free(sink->name);
	free(sink->part);
	free(sink);
}

int co_sink_open(struct co_sink **ret, const char *name, struct co_err *err)
{
	struct co_sink *sink = malloc(sizeof *sink);
	if (!sink)
		return co_err_set(err, CO_ERR_OUTPUT, ENOMEM, "write %s", name);
	sink->err = CO_ERR_INIT;
	sink->n = 0;
	sink->part = NULL;
	sink->name = strdup(name);
	int r;
	if (!sink->name || asprintf(&sink->part, "%s.part", name) < 0) {
		sink->part = NULL;
		r = co_err_set(err, CO_ERR_OUTPUT, ENOMEM, "write %s", name);
		goto fail;
	}
	/* O_NOFOLLOW: a planted link must not send the bytes elsewhere. */
	sink->fd = open(sink->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0644);
	if (sink->fd < 0) {
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "create %s", sink->part);
		goto fail;
	}
	*ret = sink;
	return 0;
fail:
	sink_free(sink);
	return r;
}

int co_sink_open_stdout(struct co_sink **ret, struct co_err *err)
{
	struct co_sink *sink = malloc(sizeof *sink);
	if (!sink)
		return co_err_set(err, CO_ERR_OUTPUT, ENOMEM, "write standard output");
	sink->fd = -1;
	sink->name = sink->part = NULL;
	sink->err = CO_ERR_INIT;
	sink->n = 0;
	*ret = sink;
	return 0;
}

/* The kept failure, if there is one. */
static int kept(const struct co_sink *sink, struct co_err *err)
{
	if (sink->err.code < 0 && err)
		*err = sink->err;
	return sink->err.code;
}

static void write_fd(struct co_sink *sink, const uint8_t *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(sink->fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			co_err_set(&sink->err, CO_ERR_OUTPUT, errno, "write %s", sink->part);
			return;
		}
		bytes += n;
		len -= (size_t)n;
	}
}

static void write_out(struct co_sink *sink, const void *bytes, size_t len)
{
	if (sink->err.code < 0 || len == 0)
		return;
	if (sink->fd >= 0)
		write_fd(sink, bytes, len);
	else if (fwrite(bytes, 1, len, stdout) != len)
		co_err_set(&sink->err, CO_ERR_OUTPUT, errno, "write standard output");
}

static void flush(struct co_sink *sink)
{
	write_out(sink, sink->buf, sink->n);
	sink->n = 0;
}

int co_sink_write(struct co_sink *sink, const void *bytes, size_t len, struct co_err *err)
{
	if (len > sizeof sink->buf - sink->n)
		flush(sink);
	if (len > sizeof sink->buf) {
		write_out(sink, bytes, len);
	} else if (len && sink->err.code == 0) {
		memcpy(sink->buf + sink->n, bytes, len);
		sink->n += len;
	}
	return kept(sink, err);
}

int co_sink_puts(struct co_sink *sink, const char *text, struct co_err *err)
{
	return co_sink_write(sink, text, strlen(text), err);
}

int co_sink_printf(struct co_sink *sink, struct co_err *err, const char *fmt, ...)
{
	CO_CLEANUP_FREE char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		if (sink->err.code == 0)
			co_err_set(&sink->err, CO_ERR_OUTPUT, ENOMEM, "write %s",
				   sink->part ? sink->part : "standard output");
		return kept(sink, err);
	}
	return co_sink_write(sink, text, (size_t)n, err);
}

static void commit_stdout(struct co_sink *sink)
{
	if (sink->err.code == 0 && fflush(stdout) != 0)
		co_err_set(&sink->err, CO_ERR_OUTPUT, errno, "write standard output");
}

static void commit_file(struct co_sink *sink)
{
	struct co_err *err = &sink->err;
	if (err->code == 0)
		sync_open_fd(sink->fd, sink->part, err);
	if (close(sink->fd) < 0 && err->code == 0)
		co_err_set(err, CO_ERR_OUTPUT, errno, "close %s", sink->part);
	if (err->code == 0 && rename(sink->part, sink->name) < 0)
		co_err_set(err, CO_ERR_OUTPUT, errno, "rename %s to %s", sink->part, sink->name);
	if (err->code < 0)
		unlink(sink->part);
	else if (co_sync_folder_of(sink->name, err) < 0)
		unlink(sink->name); /* it might be gone after a power cut: do not pretend that it is there */
}

int co_sink_commit(struct co_sink *sink, struct co_err *err)
{
	flush(sink);
	if (sink->fd >= 0)
		commit_file(sink);
	else
		commit_stdout(sink);
	int r = kept(sink, err);
	sink_free(sink);
	return r;
}

void co_sink_abort(struct co_sink *sink)
{
	if (!sink)
		return;
	if (sink->fd >= 0) {
		close(sink->fd);
		unlink(sink->part);
	}
	sink_free(sink);
}

int co_sink_finish(struct co_sink *sink, int r, struct co_err *err)
{
	if (r < 0) {
		co_sink_abort(sink);
		return r;
	}
	int committed = co_sink_commit(sink, err);
	return committed < 0 ? committed : r;
}

int co_sink_write_file(const char *name, const void *bytes, size_t len, struct co_err *err)
{
	struct co_sink *sink;
	int r = co_sink_open(&sink, name, err);
	if (r < 0)
		return r;
	(void)co_sink_write(sink, bytes, len, NULL); /* kept, and returned by commit */
	return co_sink_commit(sink, err);
}
