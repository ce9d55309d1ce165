/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes: the partitions of an image, the file systems in them, and how the server had them mounted.
 */
#ifndef AN_IMAGE_VOLUMES_H
#define AN_IMAGE_VOLUMES_H

#include "image/evidence.h"

struct an_apfs;
struct an_fs; /* an open file system: libtsk's handles over the shared source; one thread at a time */

struct an_volume {
	uint64_t offset, length;  /* bytes */
	char table[8];            /* "dos", "gpt", "bsd", "mac", "sun", "none" (whole image) */
	char description[64];     /* of the partition table */
	char fs[16];              /* "ext4", "ntfs", "fat16", "swap", "lvm", "luks", ...; "" unknown */
	char label[64], uuid[40]; /* "" if none */
	char mount[256];          /* "/" or "/boot" or, where the server's place is unknown, "/vol3" */
	bool mount_known;
	bool readable;   /* a file system that an_fs_open() opens */
	unsigned number; /* position in the partition table from 1, for /dev/sdaN; 0: none */
	/* APFS: the container, of which offset and length tell, and where in it the volume's superblock lies. Else
	 * NULL. */
	const struct an_apfs *container;
	uint64_t block;
};

struct an_volumes {
	CO_VEC(struct an_volume) list; /* in the order of their offsets; index = volume number everywhere */
	CO_VEC(struct an_apfs *) containers;
};

/* Reads partition tables and recognises file systems. 0 also if nothing was recognised (the list may be empty).
 * Damage becomes @c->problems. */
int an_volumes_open(struct an_volumes *ret, const struct an_evidence *e, struct an_case *c, struct co_err *err);
/* Finds the root (a volume with /etc/fstab or /etc/os-release) and gives every readable volume its mount point through
 * the root's /etc/fstab (UUID, LABEL, PARTUUID-less /dev/...N by partition number). With exactly one readable volume
 * (or @only >= 0) that one is "/" unless fstab says better. Others: "/volN". */
int an_volumes_mount(struct an_volumes *v, const struct an_evidence *e, int only, struct an_case *c,
		     struct co_err *err);
void an_volumes_free(struct an_volumes *v);

/* Several threads may each open their own. Borrow @e. */
int an_fs_open(struct an_fs **ret, const struct an_evidence *e, const struct an_volume *v, struct co_err *err);
void an_fs_close(struct an_fs *fs);

#endif
