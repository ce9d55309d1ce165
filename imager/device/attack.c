/* SPDX-License-Identifier: Apache-2.0 */
#include "device/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "base/cleanup.h"

static const uint64_t first_mib[2] = { 0, 1024 * 1024 };

int im_attack_write(int fd)
{
	char bytes[4096];

	memset(bytes, 0xa5, sizeof bytes);
	return pwrite(fd, bytes, sizeof bytes, 0) < 0 || fsync(fd) < 0 ? errno : 0;
}

int im_attack_open_and_write(const char *path)
{
	CO_CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? errno : im_attack_write(fd);
}

int im_attack_discard(int fd)
{
	return ioctl(fd, BLKDISCARD, first_mib) < 0 ? errno : 0;
}

int im_attack_zero_out(int fd)
{
	return ioctl(fd, BLKZEROOUT, first_mib) < 0 ? errno : 0;
}

int im_attack_mount(const char *path, const char *folder, const char *type)
{
	if (mount(path, folder, type, 0, NULL) < 0)
		return errno;
	umount2(folder, MNT_DETACH);
	return 0;
}

int im_attack_claim(const char *path)
{
	CO_CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

int im_attack_ask(const char *path, uint64_t *ret_size, uint32_t *ret_sector)
{
	CO_CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	int sector = 0;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, ret_size) < 0 || ioctl(fd, BLKSSZGET, &sector) < 0)
		return errno;
	*ret_sector = (uint32_t)sector;
	return 0;
}
