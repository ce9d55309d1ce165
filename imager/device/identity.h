/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a source is: size, sectors, names, partitions and users, from sysfs. Nothing is opened and nothing is changed.
 */
#ifndef IM_DEVICE_IDENTITY_H
#define IM_DEVICE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/vec.h"
#include "device/hidden.h"
#include "device/uses.h"
#include "manifest/json.h"

enum im_kind {
	IM_KIND_DISK,
	IM_KIND_PARTITION,
	IM_KIND_FILE,
	IM_KIND_STREAM, /* standard input: its size is known at its end */
};

struct im_partition {
	char name[64]; /* kernel name */
	dev_t dev;
	uint64_t start, size; /* bytes */
	bool read_only;
	char *mount; /* mount point, "swap", or NULL */
};

/* What the drive says of itself: behind a USB bridge that is more, and other, than the kernel tells. */
struct im_drive {
	bool known; /* else all is empty */
	char model[41], serial[21], firmware[9];
	char wwn[40];          /* world wide name, or NGUID or EUI-64 of an NVMe namespace; hexadecimal, "" if none */
	const char *transport; /* literal: "serial", "parallel", "PCIe", "nvme", "" */
	bool trim;             /* it can be told that blocks are unused, after which it may wipe them by itself */
	bool rotation_known;
	uint16_t rpm; /* 0: it does not rotate */
	bool ata;     /* it is an ATA drive: the rest has a meaning */
	bool smart;
	bool security, security_enabled, security_locked, security_frozen;
};

/* Texts are as the device gave them, which may be any bytes: they are shown through co_str_add_visible() only.
 * A zeroed struct is empty. One thread at a time. */
struct im_device {
	char *path; /* as given */
	enum im_kind kind;
	dev_t dev;                                /* of the block device; 0 for a file */
	dev_t disk_dev;                           /* of the whole disk: the same, or the parent of a partition */
	char name[64];                            /* kernel name, e.g. "sda1" */
	char disk[64];                            /* kernel name of the whole disk */
	uint64_t size;                            /* bytes */
	uint32_t logical_sector, physical_sector; /* bytes; 512 for a file */
	char model[128], serial[128], vendor[64], revision[64], wwid[256];
	char transport[16]; /* usb, ata, nvme, virtio, mmc, virtual, or "" if unknown */
	bool removable, rotational, read_only;
	struct im_drive drive;                  /* from what the kernel kept, or asked by im_device_probe_hidden() */
	struct im_hidden hidden;                /* zeroed until asked */
	uint64_t diskseq;                       /* number of this attachment since boot; 0: unknown */
	CO_VEC(struct im_partition) partitions; /* of the whole disk, by start */
	CO_VEC(char *) holders; /* kernel names of devices built upon the disk or a partition (dm, md) */
	char *mount;            /* as for a partition */
	char *in_use; /* "/dev/sda1 is mounted at /mnt: unmount it first", or NULL: disk and partitions are free */
};

/* A block device or regular file. Folders, other kinds of files, and empty ones are CO_ERR_FAILED. */
int im_device_identify(struct im_device *ret, const char *path, const struct im_uses *uses, struct co_err *err);
void im_device_free(struct im_device *device);
#define IM_CLEANUP_DEVICE CO_CLEANUP(im_device_free)

/* Asks the drive what it is and what it hides (ata.h, nvme.h: commands that only read) and fills `drive` and `hidden`.
 * What could not be learnt is said there. @fd: the disk or partition, open for reading. To be called before the process
 * gives up its rights, and before a trace of requests begins: the commands are requests themselves. Some seconds at
 * worst: 10 for each command that the drive does not answer. */
void im_device_probe_hidden(struct im_device *device, int fd);

struct im_devices {
	CO_VEC(struct im_device) list;
};

/* All disks of the machine by name, but those of size 0 (unused loop devices, empty card readers). */
int im_devices_list(struct im_devices *ret, const struct im_uses *uses, struct co_err *err);
void im_devices_free(struct im_devices *devices);
#define IM_CLEANUP_DEVICES CO_CLEANUP(im_devices_free)

const char *im_kind_name(enum im_kind kind); /* "disk", "partition", "file", "stream" */
void im_device_json(struct co_json *j, const char *key, const struct im_device *device);

#endif
