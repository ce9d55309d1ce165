/* SPDX-License-Identifier: Apache-2.0 */
#include "device/identity.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "device/probe.h"
#include "device/sysfs.h"

#define SYSFS_SECTOR 512 /* sysfs counts in these whatever the device's sectors are */

const char *im_kind_name(enum im_kind kind)
{
	switch (kind) {
	case IM_KIND_DISK:
		return "disk";
	case IM_KIND_PARTITION:
		return "partition";
	case IM_KIND_STREAM:
		return "stream";
	default:
		return "file";
	}
}

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the identity of a device");
}

static uint64_t sysfs_bytes(const char *folder, const char *attr)
{
	uint64_t sectors = 0, bytes;

	im_sysfs_uint(folder, attr, &sectors);
	return co_mul(sectors, (uint64_t)SYSFS_SECTOR, &bytes) ? bytes : 0;
}

static bool sysfs_bool(const char *folder, const char *attr)
{
	uint64_t v = 0;

	return im_sysfs_uint(folder, attr, &v) && v != 0;
}

/* Names of the kernel are short; a longer one is cut. */
static void copy_name(char ret[64], const char *name)
{
	size_t n = strnlen(name, 63);

	memcpy(ret, name, n);
	ret[n] = '\0';
}

/* Keeps the text only if it has any, so that a later place can be tried. */
static bool text_of(const char *folder, const char *attr, char *ret, size_t cap)
{
	return im_sysfs_text(folder, attr, ret, cap) && ret[0];
}

/* SCSI page 80h, "Unit Serial Number" (SPC-4, 7.8.18): the serial begins behind four bytes. */
static void scsi_serial(const char *folder, char *ret, size_t cap)
{
	char page[256];
	ssize_t n = im_sysfs_bytes(folder, "device/vpd_pg80", page, sizeof page);
	size_t from = 4, to = n > 4 ? (size_t)n : 4;

	while (from < to && page[from] == ' ')
		from++;
	while (to > from && (page[to - 1] == ' ' || page[to - 1] == '\0'))
		to--;
	to = from + co_min_u64(to - from, cap - 1);
	memcpy(ret, page + from, to - from);
	ret[to - from] = '\0';
}

static void transport_of(const char *folder, char ret[16])
{
	static const char *const words[][2] = {
		{ "/usb", "usb" },       { "/ata", "ata" }, { "/nvme", "nvme" },
		{ "/virtio", "virtio" }, { "/mmc", "mmc" }, { "/virtual/", "virtual" }
	};
	CO_CLEANUP_FREE char *real = realpath(folder, NULL);

	ret[0] = '\0';
	for (size_t i = 0; real && i < sizeof words / sizeof words[0]; i++) {
		if (strstr(real, words[i][0])) {
			snprintf(ret, 16, "%s", words[i][1]);
			return;
		}
	}
}

/* @folder is that of the whole disk. */
static void read_names(struct im_device *d, const char *folder)
{
	uint64_t v;

	text_of(folder, "device/model", d->model, sizeof d->model);
	text_of(folder, "device/vendor", d->vendor, sizeof d->vendor);
	if (!text_of(folder, "device/rev", d->revision, sizeof d->revision))
		text_of(folder, "device/firmware_rev", d->revision, sizeof d->revision);
	if (!text_of(folder, "serial", d->serial, sizeof d->serial) &&
	    !text_of(folder, "device/serial", d->serial, sizeof d->serial))
		scsi_serial(folder, d->serial, sizeof d->serial);
	if (!text_of(folder, "wwid", d->wwid, sizeof d->wwid))
		text_of(folder, "device/wwid", d->wwid, sizeof d->wwid);
	transport_of(folder, d->transport);
	d->removable = sysfs_bool(folder, "removable");
	d->rotational = sysfs_bool(folder, "queue/rotational");
	d->logical_sector = im_sysfs_uint(folder, "queue/logical_block_size", &v) ? (uint32_t)v : 512;
	d->physical_sector = im_sysfs_uint(folder, "queue/physical_block_size", &v) ? (uint32_t)v : 512;
	im_sysfs_uint(folder, "diskseq", &d->diskseq);
	im_drive_read_kept(&d->drive, folder);
}

static char *mount_text(const struct im_uses *uses, dev_t dev)
{
	const struct im_use *use = im_uses_find(uses, dev);

	return use ? strdup(use->kind == IM_USE_SWAP ? "swap" : use->where) : NULL;
}

static int add_holders(struct im_device *d, const char *folder, struct co_err *err)
{
	char name[PATH_MAX];
	CO_CLEANUP_CLOSEDIR DIR *dir = NULL;

	snprintf(name, sizeof name, "%s/holders", folder);
	dir = opendir(name);
	for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
		CO_CLEANUP_FREE char *copy = NULL;

		if (e->d_name[0] == '.')
			continue;
		copy = strdup(e->d_name);
		if (!copy || co_vec_push(&d->holders, copy) < 0)
			return no_memory(err);
		(void)CO_TAKE(copy);
	}
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct im_partition *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int add_partitions(struct im_device *d, const char *folder, const struct im_uses *uses, struct co_err *err)
{
	CO_CLEANUP_CLOSEDIR DIR *dir = opendir(folder);

	for (const struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
		struct im_partition p = { 0 };
		char sub[PATH_MAX];
		uint64_t number;
		int r;

		snprintf(sub, sizeof sub, "%s/%s", folder, e->d_name);
		if (e->d_name[0] == '.' || !im_sysfs_uint(sub, "partition", &number))
			continue;
		copy_name(p.name, e->d_name);
		p.dev = im_sysfs_dev(sub);
		p.start = sysfs_bytes(sub, "start");
		p.size = sysfs_bytes(sub, "size");
		p.read_only = sysfs_bool(sub, "ro");
		p.mount = mount_text(uses, p.dev);
		if (co_vec_push(&d->partitions, p) < 0) {
			free(p.mount);
			return no_memory(err);
		}
		r = add_holders(d, sub, err);
		if (r < 0)
			return r;
	}
	if (d->partitions.n)
		qsort(d->partitions.at, d->partitions.n, sizeof d->partitions.at[0], by_start);
	return 0;
}

static void use_sentence(struct co_str *s, const char *device, const struct im_use *use)
{
	co_str_add(s, "/dev/");
	co_str_add_visible(s, device, strlen(device));
	if (use->kind == IM_USE_SWAP) {
		co_str_add(s, " is used as swap: swapoff it first");
		return;
	}
	co_str_add(s, " is mounted at ");
	co_str_add_visible(s, use->where, strlen(use->where));
	co_str_add(s, ": unmount it first");
}

/* Whole disk and all partitions: a mounted neighbour also writes to the disk. */
static int find_use(struct im_device *d, const struct im_uses *uses, struct co_err *err)
{
	struct co_str s = { 0 };
	const struct im_use *use = im_uses_find(uses, d->disk_dev);

	if (use)
		use_sentence(&s, d->disk, use);
	for (size_t i = 0; s.n == 0 && i < d->partitions.n; i++) {
		use = im_uses_find(uses, d->partitions.at[i].dev);
		if (use)
			use_sentence(&s, d->partitions.at[i].name, use);
	}
	if (s.n == 0 && d->holders.n)
		co_str_addf(&s, "/dev/%s is in use by %s (LVM, RAID or encryption): release it first", d->disk,
			    d->holders.at[0]);
	if (s.failed) {
		co_str_free(&s);
		return no_memory(err);
	}
	d->in_use = s.s;
	return 0;
}

static int read_block(struct im_device *d, dev_t dev, const struct im_uses *uses, struct co_err *err)
{
	char folder[64];
	CO_CLEANUP_FREE char *real = NULL, *disk = NULL;
	uint64_t number;
	int r;

	im_sysfs_folder(dev, folder);
	real = realpath(folder, NULL);
	if (!real)
		return co_err_set(err, CO_ERR_FAILED, errno, "%s: the kernel knows no such block device", d->path);
	d->kind = im_sysfs_uint(real, "partition", &number) ? IM_KIND_PARTITION : IM_KIND_DISK;
	disk = strdup(real);
	if (!disk)
		return no_memory(err);
	if (d->kind == IM_KIND_PARTITION)
		*strrchr(disk, '/') = '\0';
	copy_name(d->name, strrchr(real, '/') + 1);
	copy_name(d->disk, strrchr(disk, '/') + 1);
	d->dev = dev;
	d->disk_dev = im_sysfs_dev(disk);
	d->size = sysfs_bytes(real, "size");
	d->read_only = sysfs_bool(real, "ro");
	d->mount = mount_text(uses, dev);
	read_names(d, disk);
	r = add_holders(d, disk, err);
	if (r == 0)
		r = add_partitions(d, disk, uses, err);
	return r < 0 ? r : find_use(d, uses, err);
}

/* A loop device whose file this is, and that is in use, would change the file under us. */
static int find_loop_use(struct im_device *d, const struct stat *file, const struct im_uses *uses, struct co_err *err)
{
	CO_CLEANUP_CLOSEDIR DIR *dir = opendir("/sys/block");
	int r = 0;

	for (const struct dirent *e = dir ? readdir(dir) : NULL; e && !d->in_use && r == 0; e = readdir(dir)) {
		IM_CLEANUP_DEVICE struct im_device loop = { 0 };
		char folder[PATH_MAX], backing[PATH_MAX];
		struct stat st;

		snprintf(folder, sizeof folder, "/sys/block/%s", e->d_name);
		if (!text_of(folder, "loop/backing_file", backing, sizeof backing) || stat(backing, &st) < 0 ||
		    st.st_dev != file->st_dev || st.st_ino != file->st_ino)
			continue;
		loop.path = strdup(e->d_name);
		r = loop.path ? read_block(&loop, im_sysfs_dev(folder), uses, err) : no_memory(err);
		d->in_use = CO_TAKE(loop.in_use);
	}
	return r;
}

static int identify(struct im_device *d, const char *path, const struct im_uses *uses, struct co_err *err)
{
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", path);
	if (S_ISDIR(st.st_mode))
		return co_err_set(err, CO_ERR_FAILED, 0, "%s is a folder, not a disk or image", path);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return co_err_set(err, CO_ERR_FAILED, 0, "%s is neither a block device nor a regular file", path);
	d->path = strdup(path);
	if (!d->path)
		return no_memory(err);
	if (S_ISBLK(st.st_mode)) {
		r = read_block(d, st.st_rdev, uses, err);
	} else {
		d->kind = IM_KIND_FILE;
		d->size = (uint64_t)st.st_size;
		d->logical_sector = d->physical_sector = 512;
		d->read_only = !(st.st_mode & 0222);
		r = find_loop_use(d, &st, uses, err);
	}
	if (r == 0 && d->size == 0)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s is empty: there is nothing to acquire", path);
	return r;
}

int im_device_identify(struct im_device *ret, const char *path, const struct im_uses *uses, struct co_err *err)
{
	struct im_device d = { 0 };
	int r = identify(&d, path, uses, err);

	if (r < 0) {
		im_device_free(&d);
		return r;
	}
	*ret = d;
	return 0;
}

void im_device_free(struct im_device *d)
{
	for (size_t i = 0; i < d->partitions.n; i++)
		free(d->partitions.at[i].mount);
	for (size_t i = 0; i < d->holders.n; i++)
		free(d->holders.at[i]);
	co_vec_free(&d->partitions);
	co_vec_free(&d->holders);
	free(d->path);
	free(d->mount);
	free(d->in_use);
	*d = (struct im_device) { 0 };
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct im_device *)a)->name, ((const struct im_device *)b)->name);
}

static int add_disk(struct im_devices *all, const char *name, const struct im_uses *uses, struct co_err *err)
{
	struct im_device d = { 0 };
	char folder[PATH_MAX], path[PATH_MAX];
	dev_t dev;
	int r;

	snprintf(folder, sizeof folder, "/sys/block/%s", name);
	snprintf(path, sizeof path, "/dev/%s", name);
	dev = im_sysfs_dev(folder);
	if (!dev || sysfs_bytes(folder, "size") == 0)
		return 0;
	d.path = strdup(path);
	r = d.path ? read_block(&d, dev, uses, err) : no_memory(err);
	if (r == 0 && co_vec_push(&all->list, d) < 0)
		r = no_memory(err);
	if (r < 0)
		im_device_free(&d);
	return r;
}

int im_devices_list(struct im_devices *ret, const struct im_uses *uses, struct co_err *err)
{
	IM_CLEANUP_DEVICES struct im_devices all = { 0 };
	CO_CLEANUP_CLOSEDIR DIR *dir = opendir("/sys/block");
	int r = 0;

	if (!dir)
		return co_err_set(err, CO_ERR_FAILED, errno, "open /sys/block");
	for (const struct dirent *e = readdir(dir); e && r == 0; e = readdir(dir))
		if (e->d_name[0] != '.')
			r = add_disk(&all, e->d_name, uses, err);
	if (r < 0)
		return r;
	if (all.list.n)
		qsort(all.list.at, all.list.n, sizeof all.list.at[0], by_name);
	*ret = all;
	all = (struct im_devices) { 0 };
	return 0;
}

void im_devices_free(struct im_devices *devices)
{
	for (size_t i = 0; i < devices->list.n; i++)
		im_device_free(&devices->list.at[i]);
	co_vec_free(&devices->list);
}

static void text_json(struct co_json *j, const char *key, const char *text)
{
	co_json_str(j, key, text && text[0] ? text : NULL);
}

static void partitions_json(struct co_json *j, const struct im_device *d)
{
	co_json_array(j, "partitions");
	for (size_t i = 0; i < d->partitions.n; i++) {
		const struct im_partition *p = &d->partitions.at[i];

		co_json_object(j, NULL);
		co_json_str(j, "name", p->name);
		co_json_uint(j, "start", p->start);
		co_json_uint(j, "bytes", p->size);
		co_json_bool(j, "read_only", p->read_only);
		text_json(j, "mounted_at", p->mount);
		co_json_end_object(j);
	}
	co_json_end_array(j);
	co_json_array(j, "holders");
	for (size_t i = 0; i < d->holders.n; i++)
		co_json_str(j, NULL, d->holders.at[i]);
	co_json_end_array(j);
}

static void security_json(struct co_json *j, const struct im_drive *v)
{
	if (!v->ata) {
		co_json_null(j, "security");
		return;
	}
	co_json_object(j, "security");
	co_json_bool(j, "supported", v->security);
	co_json_bool(j, "enabled", v->security_enabled);
	co_json_bool(j, "locked", v->security_locked);
	co_json_bool(j, "frozen", v->security_frozen);
	co_json_end_object(j);
}

/* All keys are always there; null is what is not known. */
static void drive_json(struct co_json *j, const struct im_drive *v)
{
	text_json(j, "drive_model", v->model);
	text_json(j, "drive_serial", v->serial);
	text_json(j, "firmware", v->firmware);
	text_json(j, "wwn", v->wwn);
	text_json(j, "drive_transport", v->transport);
	if (v->known)
		co_json_bool(j, "trim", v->trim);
	else
		co_json_null(j, "trim");
	if (v->rotation_known)
		co_json_uint(j, "rotation_rpm", v->rpm);
	else
		co_json_null(j, "rotation_rpm");
	if (v->ata)
		co_json_bool(j, "smart", v->smart);
	else
		co_json_null(j, "smart");
	security_json(j, v);
}

void im_device_json(struct co_json *j, const char *key, const struct im_device *d)
{
	co_json_object(j, key);
	co_json_str(j, "path", d->path);
	co_json_str(j, "kind", im_kind_name(d->kind));
	text_json(j, "name", d->name);
	text_json(j, "disk", d->disk);
	co_json_uint(j, "bytes", d->size);
	co_json_uint(j, "logical_sector_bytes", d->logical_sector);
	co_json_uint(j, "physical_sector_bytes", d->physical_sector);
	text_json(j, "vendor", d->vendor);
	text_json(j, "model", d->model);
	text_json(j, "serial", d->serial);
	text_json(j, "revision", d->revision);
	text_json(j, "wwid", d->wwid);
	text_json(j, "transport", d->transport);
	drive_json(j, &d->drive);
	co_json_bool(j, "removable", d->removable);
	co_json_bool(j, "rotational", d->rotational);
	co_json_bool(j, "read_only", d->read_only);
	if (d->diskseq)
		co_json_uint(j, "diskseq", d->diskseq);
	else
		co_json_null(j, "diskseq");
	text_json(j, "mounted_at", d->mount);
	text_json(j, "in_use", d->in_use);
	im_hidden_json(j, "hidden_area", &d->hidden);
	partitions_json(j, d);
	co_json_end_object(j);
}
