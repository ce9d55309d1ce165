/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc/fstab as text: which device a server mounted where. Format: fstab(5) of util-linux.
 */
#ifndef AN_IMAGE_FSTAB_H
#define AN_IMAGE_FSTAB_H

#include <stddef.h>

#include "base/error.h"
#include "base/vec.h"

struct an_fstab_entry {
	char *device; /* "UUID=...", "LABEL=...", "/dev/sda1" */
	char *folder; /* "/", "/boot"; without slash at the end */
	char *type;   /* "ext4" */
};

struct an_fstab {
	CO_VEC(struct an_fstab_entry) list;
};

/* Lines that mount nothing into the tree (swap, "none", comments, fewer than three fields) are left out; octal escapes
 * such as \040 are undone. 0, or CO_ERR_NOMEM. */
int an_fstab_parse(struct an_fstab *ret, const char *text, size_t len, struct co_err *err);
void an_fstab_free(struct an_fstab *t);

#endif
