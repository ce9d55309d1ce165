/* SPDX-License-Identifier: Apache-2.0 */
#include "read/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define MEMORY_ALIGN 512 /* what O_DIRECT asks of memory at most, unless sectors are larger */

struct direct {
	int fd;     /* borrowed */
	int cached; /* the same file without O_DIRECT, own; -1: fd has none either */
	uint32_t sector;
	uint64_t size;
	atomic_bool refused;
	char *name;
};

static bool is_aligned(const struct direct *d, const void *buf, size_t len, uint64_t off)
{
	uint32_t align = d->sector > MEMORY_ALIGN ? d->sector : MEMORY_ALIGN;

	return (uintptr_t)buf % align == 0 && len % align == 0 && off % align == 0;
}

/* An I/O error alone does not say whether the place is bad or the device gone. */
static int judge(const struct direct *d, uint64_t off, int sys, struct co_err *err)
{
	off_t end = lseek(d->fd, 0, SEEK_END);

	if (sys == ENXIO || sys == ENODEV || sys == ENOMEDIUM)
		return co_err_set(err, CO_ERR_LOST, sys, "%s is gone at byte %llu", d->name, (unsigned long long)off);
	if (end < 0 || (uint64_t)end < d->size)
		return co_err_set(err, CO_ERR_LOST, 0, "%s is gone: it has %lld bytes now instead of %llu", d->name,
				  (long long)end, (unsigned long long)d->size);
	co_err_set(err, CO_ERR_FAILED, sys, "read %s at byte %llu", d->name, (unsigned long long)off);
	return 1;
}

static int read_direct(void *self, void *buf, size_t len, uint64_t off, size_t *ret_good, struct co_err *err)
{
	struct direct *d = self;
	size_t done = 0;

	while (done < len) {
		char *to = (char *)buf + done;
		bool past_cache = d->cached >= 0 && !d->refused && is_aligned(d, to, len - done, off + done);
		ssize_t n = pread(past_cache || d->cached < 0 ? d->fd : d->cached, to, len - done, (off_t)(off + done));

		if (n > 0) {
			done += (size_t)n;
		} else if (n == 0) {
			return co_err_set(err, CO_ERR_LOST, 0, "%s ends at byte %llu instead of %llu", d->name,
					  (unsigned long long)(off + done), (unsigned long long)d->size);
		} else if (errno == EINVAL && past_cache) {
			d->refused = true;
		} else if (errno != EINTR) {
			*ret_good = done;
			return judge(d, off + done, errno, err);
		}
	}
	*ret_good = len;
	return 0;
}

static void close_direct(void *self)
{
	struct direct *d = self;

	if (d->cached >= 0)
		close(d->cached);
	free(d->name);
	free(d);
}

static const struct co_source_ops ops = { .kind = "direct", .read = read_direct, .close = close_direct };

int im_direct_open(struct co_source *ret, int fd, bool direct, const char *name, uint64_t size, uint32_t sector_size,
		   struct co_err *err)
{
	struct direct *d = calloc(1, sizeof *d);
	char again[40];

	if (!d)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory to read %s", name);
	*d = (struct direct) { .fd = fd, .cached = -1, .sector = sector_size, .size = size, .name = strdup(name) };
	if (!d->name) {
		close_direct(d);
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory to read %s", name);
	}
	snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
	if (direct) {
		d->cached = open(again, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (d->cached < 0) {
			close_direct(d);
			return co_err_set(err, CO_ERR_FAILED, errno, "open %s a second time", name);
		}
	}
	*ret = (struct co_source) { .ops = &ops, .self = d, .size = size, .sector_size = sector_size };
	return 0;
}

size_t im_direct_fds(const struct co_source *src, int ret[2])
{
	const struct direct *d = src->self;

	ret[0] = d->fd;
	ret[1] = d->cached;
	return d->cached >= 0 ? 2 : 1;
}
