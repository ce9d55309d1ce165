/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a drive itself says, beyond what the kernel tells of it: asked on an open disk, or read from what the kernel
 * kept.
 */
#ifndef IM_DEVICE_PROBE_H
#define IM_DEVICE_PROBE_H

#include "device/identity.h"

/* From the ATA Information VPD page (SAT-3: 89h, IDENTIFY DEVICE data at byte 60), which newer kernels keep in
 * FOLDER/device/vpd_pg89. Nothing is opened on the drive. Untouched if there is none, or it can't be relied upon. */
void im_drive_read_kept(struct im_drive *ret, const char *folder);

#endif
