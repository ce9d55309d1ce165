/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of kernel devices, read from sysfs. Any thread.
 */
#ifndef IM_DEVICE_SYSFS_H
#define IM_DEVICE_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* "/sys/dev/block/8:1", the folder of a block device; @ret holds 64 bytes. */
void im_sysfs_folder(dev_t dev, char ret[64]);
/* The text of FOLDER/ATTR without surrounding blanks, cut to fit; false and "" if it can't be read. */
bool im_sysfs_text(const char *folder, const char *attr, char *ret, size_t cap);
/* The number in FOLDER/ATTR; false (and *ret untouched) if there is none. */
bool im_sysfs_uint(const char *folder, const char *attr, uint64_t *ret);
/* The raw bytes of FOLDER/ATTR; -1 if it can't be read. */
ssize_t im_sysfs_bytes(const char *folder, const char *attr, void *ret, size_t cap);
/* The device number in FOLDER/dev, or 0. */
dev_t im_sysfs_dev(const char *folder);

#endif
