/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open source of an acquisition as a co_source: past the page cache wherever alignment allows it, so that one bad
 * sector costs one sector and not a whole read-ahead window.
 */
#ifndef IM_READ_DIRECT_H
#define IM_READ_DIRECT_H

#include <stdbool.h>

#include "io/source.h"

/* @fd stays the caller's and must outlive the source. @direct: it was opened with O_DIRECT; reads that are not aligned,
 * and all reads once the kernel refused O_DIRECT with EINVAL, go through the page cache. @name is copied.
 * read: EIO and the like give 1. A device that is gone (ENXIO, ENODEV, ENOMEDIUM), shrank, or ends before its size is
 * CO_ERR_LOST. */
int im_direct_open(struct co_source *ret, int fd, bool direct, const char *name, uint64_t size, uint32_t sector_size,
		   struct co_err *err);
/* The descriptors that such a source reads from: 1 or 2 of them. */
size_t im_direct_fds(const struct co_source *src, int ret[2]);

#endif
