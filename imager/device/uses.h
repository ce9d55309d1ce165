/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What on this machine uses which block device: mounted file systems and swap.
 */
#ifndef IM_DEVICE_USES_H
#define IM_DEVICE_USES_H

#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/vec.h"

enum im_use_kind {
	IM_USE_MOUNT, /* where: the mount point */
	IM_USE_SWAP,  /* where: the name of the swap device */
};

struct im_use {
	dev_t dev;
	enum im_use_kind kind;
	char *where;
};

/* A zeroed struct is empty. One thread at a time. */
struct im_uses {
	CO_VEC(struct im_use) list;
};

/* Reads the tables of the kernel: @mountinfo as /proc/self/mountinfo (proc(5): fields 3 and 5 and, behind the "-", the
 * mounted device, which for btrfs alone tells the disk), @swaps as /proc/swaps. NULL: those two. A missing swap table
 * means no swap. */
int im_uses_load(struct im_uses *ret, const char *mountinfo, const char *swaps, struct co_err *err);
/* The first use of @dev, or NULL. Borrowed until free. */
const struct im_use *im_uses_find(const struct im_uses *uses, dev_t dev);
void im_uses_free(struct im_uses *uses);
#define IM_CLEANUP_USES CO_CLEANUP(im_uses_free)

#endif
