/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loop devices for the self-test: disks that are files of ours. Needs root.
 * The kernel removes such a device when its last user closes it, also if we are killed.
 * Source of the requests: Linux, include/uapi/linux/loop.h and blkpg.h, and loop(4). One thread at a time.
 */
#ifndef IM_DEVICE_LOOP_H
#define IM_DEVICE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct im_loop {
	int fd; /* keeps it attached; -1: none */
	int partitions;
	char path[32]; /* "/dev/loop7" */
};

#define IM_LOOP_NONE ((struct im_loop) { .fd = -1 })

/* The content of @file as a disk that can be written, with sectors of 512 or 4096 bytes. @direct: past the page cache
 * of the file. CO_ERR_FAILED: no rights, no loop devices, or not that file. */
int im_loop_attach(struct im_loop *ret, const char *file, uint32_t sector, bool direct, struct co_err *err);
/* Partition @number, /dev/loop7p1: the kernel is told, nothing is written. Bytes. */
int im_loop_add_partition(struct im_loop *loop, int number, uint64_t start, uint64_t size, struct co_err *err);
/* Whatever anybody has written to the device so far is in the file then; else it may be lost when the device goes. */
void im_loop_settle(const struct im_loop *loop);
/* Settles it, removes its partitions and lets it go; twice is allowed. */
void im_loop_detach(struct im_loop *loop);
#define IM_CLEANUP_LOOP CO_CLEANUP(im_loop_detach)

#endif
