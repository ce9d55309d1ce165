/* SPDX-License-Identifier: Apache-2.0 */
#include "device/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "device/ata.h"
#include "device/nvme.h"
#include "device/sysfs.h"

#define SYSFS_SECTOR 512

static void fill_ata(struct im_drive *ret, const struct im_ata_identity *id)
{
	struct im_drive d = { .known = true };

	memcpy(d.model, id->model, sizeof id->model);
	memcpy(d.serial, id->serial, sizeof id->serial);
	memcpy(d.firmware, id->firmware, sizeof id->firmware);
	if (id->wwn)
		snprintf(d.wwn, sizeof d.wwn, "%016" PRIx64, id->wwn);
	d.transport = id->transport;
	d.trim = id->trim;
	d.rotation_known = id->rotation_known;
	d.rpm = id->rpm;
	d.smart = id->smart;
	d.ata = true;
	d.security = id->security;
	d.security_enabled = id->security_enabled;
	d.security_locked = id->security_locked;
	d.security_frozen = id->security_frozen;
	*ret = d;
}

static void fill_nvme(struct im_drive *ret, const struct im_nvme *nvme)
{
	struct im_drive d = { .known = true, .transport = "nvme", .rotation_known = true };

	memcpy(d.model, nvme->controller.model, sizeof nvme->controller.model);
	memcpy(d.serial, nvme->controller.serial, sizeof nvme->controller.serial);
	memcpy(d.firmware, nvme->controller.firmware, sizeof nvme->controller.firmware);
	snprintf(d.wwn, sizeof d.wwn, "%s", nvme->ns.nguid[0] ? nvme->ns.nguid : nvme->ns.eui64);
	d.trim = nvme->controller.trim;
	*ret = d;
}

void im_drive_read_kept(struct im_drive *ret, const char *folder)
{
	uint8_t page[60 + IM_ATA_BLOCK];
	struct im_ata_identity id;
	struct co_err ignored = CO_ERR_INIT;

	if (im_sysfs_bytes(folder, "device/vpd_pg89", page, sizeof page) != (ssize_t)sizeof page || page[1] != 0x89)
		return;
	if (im_ata_parse_identify(&id, page + 60, &ignored) == 0)
		fill_ata(ret, &id);
}

/* Of the whole disk, also when a partition is the source; 0 if the kernel doesn't say. */
static uint64_t visible_bytes(dev_t disk)
{
	uint64_t sectors = 0, bytes;
	char folder[64];

	im_sysfs_folder(disk, folder);
	im_sysfs_uint(folder, "size", &sectors);
	return co_mul(sectors, (uint64_t)SYSFS_SECTOR, &bytes) ? bytes : 0;
}

void im_device_probe_hidden(struct im_device *d, int fd)
{
	if (d->kind == IM_KIND_FILE) {
		d->hidden = (struct im_hidden) { .state = IM_HIDDEN_NONE };
		im_hidden_say(&d->hidden, "none: the source is a file");
	} else if (strncmp(d->disk, "nvme", 4) == 0) {
		struct im_nvme nvme;

		im_nvme_query(&nvme, fd);
		im_nvme_compare(&d->hidden, &nvme, visible_bytes(d->disk_dev));
		if (nvme.known)
			fill_nvme(&d->drive, &nvme);
	} else if (d->removable && strcmp(d->transport, "usb") == 0) {
		/* As udev does: such sticks and card readers hold no ATA drive, and some hang at a command they don't
		 * know. */
		im_hidden_unknown(&d->hidden, "a removable medium behind USB is not asked");
	} else {
		struct im_ata ata;

		im_ata_query(&ata, fd);
		im_ata_compare(&d->hidden, &ata, visible_bytes(d->disk_dev));
		if (ata.known)
			fill_ata(&d->drive, &ata.identity);
	}
}
