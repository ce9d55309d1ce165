/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attempts to change a block device, for the self-test: what a write block must refuse. Only for devices whose content
 * nobody needs. Each: 0 if the kernel let it through, else the errno. One thread at a time.
 */
#ifndef IM_DEVICE_ATTACK_H
#define IM_DEVICE_ATTACK_H

#include <stdbool.h>
#include <stdint.h>

/* Through a descriptor: writes 4096 bytes over the start of the device and has them sent to it. */
int im_attack_write(int fd);
/* By name: opens the device for writing, then the same. */
int im_attack_open_and_write(const char *path);
int im_attack_discard(int fd);                                               /* BLKDISCARD of the first MiB */
int im_attack_zero_out(int fd);                                              /* BLKZEROOUT of the first MiB */
int im_attack_mount(const char *path, const char *folder, const char *type); /* writable; unmounted again */
int im_attack_claim(const char *path); /* exclusively, as md, LVM or mkfs do; released again */

/* Asks for information, which must not be refused: size and sectors. 0 or errno. */
int im_attack_ask(const char *path, uint64_t *ret_size, uint32_t *ret_sector);

#endif
