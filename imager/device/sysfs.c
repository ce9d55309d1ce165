/* SPDX-License-Identifier: Apache-2.0 */
#include "device/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"

void im_sysfs_folder(dev_t dev, char ret[64])
{
	snprintf(ret, 64, "/sys/dev/block/%u:%u", major(dev), minor(dev));
}

ssize_t im_sysfs_bytes(const char *folder, const char *attr, void *ret, size_t cap)
{
	char name[PATH_MAX];
	CO_CLEANUP_CLOSE int fd = -1;
	ssize_t n;

	if (snprintf(name, sizeof name, "%s/%s", folder, attr) >= (int)sizeof name)
		return -1;
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	do
		n = read(fd, ret, cap);
	while (n < 0 && errno == EINTR);
	return n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\0';
}

bool im_sysfs_text(const char *folder, const char *attr, char *ret, size_t cap)
{
	ssize_t n = im_sysfs_bytes(folder, attr, ret, cap - 1);
	size_t from = 0, to = n > 0 ? (size_t)n : 0;

	while (to > 0 && is_blank(ret[to - 1]))
		to--;
	while (from < to && is_blank(ret[from]))
		from++;
	memmove(ret, ret + from, to - from);
	ret[to - from] = '\0';
	return n >= 0;
}

bool im_sysfs_uint(const char *folder, const char *attr, uint64_t *ret)
{
	char text[32], *end;
	unsigned long long v;

	if (!im_sysfs_text(folder, attr, text, sizeof text) || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || *end)
		return false;
	*ret = v;
	return true;
}

dev_t im_sysfs_dev(const char *folder)
{
	char text[32];
	unsigned maj, min;

	if (!im_sysfs_text(folder, "dev", text, sizeof text) || sscanf(text, "%u:%u", &maj, &min) != 2)
		return 0;
	return makedev(maj, min);
}
