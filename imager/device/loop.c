/* SPDX-License-Identifier: Apache-2.0 */
#include "device/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define ATTEMPTS 20 /* another process may take the free device before us */

/* 1: somebody else was faster. */
static int configure(struct im_loop *loop, int backing, uint32_t sector, bool direct, struct co_err *err)
{
	const uint32_t flags = LO_FLAGS_AUTOCLEAR | (direct ? LO_FLAGS_DIRECT_IO : 0);
	const struct loop_config config = { .fd = (uint32_t)backing, .block_size = sector, .info.lo_flags = flags };
	CO_CLEANUP_CLOSE int fd = open(loop->path, O_RDWR | O_CLOEXEC);
	int off = 0;

	if (fd < 0)
		return errno == ENXIO || errno == EBUSY ? 1
							: co_err_set(err, CO_ERR_FAILED, errno, "open %s", loop->path);
	if (ioctl(fd, LOOP_CONFIGURE, &config) < 0)
		return errno == EBUSY ? 1 : co_err_set(err, CO_ERR_FAILED, errno, "attach a file to %s", loop->path);
	/* The flag outlives the file that was attached before. */
	if (ioctl(fd, BLKROSET, &off) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "make %s writable", loop->path);
	loop->fd = fd;
	fd = -1;
	return 0;
}

int im_loop_attach(struct im_loop *ret, const char *file, uint32_t sector, bool direct, struct co_err *err)
{
	CO_CLEANUP_CLOSE int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	CO_CLEANUP_CLOSE int backing = open(file, O_RDWR | O_CLOEXEC);
	struct im_loop loop = IM_LOOP_NONE;

	if (control < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open /dev/loop-control");
	if (backing < 0)
		backing = open(file, O_RDONLY | O_CLOEXEC);
	if (backing < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", file);
	for (int i = 0; i < ATTEMPTS; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			return co_err_set(err, CO_ERR_FAILED, errno, "find a free loop device");
		snprintf(loop.path, sizeof loop.path, "/dev/loop%d", number);
		int r = configure(&loop, backing, sector, direct, err);
		if (r == 0)
			*ret = loop;
		if (r <= 0)
			return r;
	}
	return co_err_set(err, CO_ERR_FAILED, 0, "all free loop devices were taken by others");
}

static int change_partition(const struct im_loop *loop, int op, int number, uint64_t start, uint64_t size)
{
	struct blkpg_partition part = { .start = (long long)start, .length = (long long)size, .pno = number };
	struct blkpg_ioctl_arg arg = { .op = op, .datalen = sizeof part, .data = &part };

	return ioctl(loop->fd, BLKPG, &arg);
}

int im_loop_add_partition(struct im_loop *loop, int number, uint64_t start, uint64_t size, struct co_err *err)
{
	if (change_partition(loop, BLKPG_ADD_PARTITION, number, start, size) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "add a partition to %s", loop->path);
	if (number > loop->partitions)
		loop->partitions = number;
	return 0;
}

void im_loop_settle(const struct im_loop *loop)
{
	(void)fsync(loop->fd); /* fails where the file below is broken on purpose */
}

void im_loop_detach(struct im_loop *loop)
{
	if (loop->fd < 0)
		return;
	im_loop_settle(loop);
	for (int i = 1; i <= loop->partitions; i++)
		change_partition(loop, BLKPG_DEL_PARTITION, i, 0, 0);
	ioctl(loop->fd, LOOP_CLR_FD); /* now, and not when some onlooker has closed it, if that is possible */
	close(loop->fd);
	*loop = IM_LOOP_NONE;
}
