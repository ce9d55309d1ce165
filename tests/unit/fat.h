/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a FAT12 volume of 64 sectors, made by hand.
 *
 *	sector 0 boot, 1 and 2 FAT, 3 root folder; cluster n lies in sector n + 2
 *	/HELLO.PHP   clusters 20, 21, 600 bytes, "<?php" over the border of the sectors
 *	/DIR         cluster 2
 *	/DIR/LOOP    a folder that claims to be cluster 2 as well
 *	/?ONE.TXT    deleted, cluster 5, 5 bytes "gone\n"
 */
#ifndef UNIT_FAT_H
#define UNIT_FAT_H

#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

#define FAT_BYTES (64 * 512)

static inline uint8_t *fat_cluster(uint8_t *image, unsigned n)
{
	return image + (size_t)(n + 2) * 512;
}

static inline void fat_entry(uint8_t *at, const char *name, uint8_t attr, uint16_t cluster, uint32_t size)
{
	memcpy(at, name, 11);
	at[11] = attr;
	co_put_le16(at + 22, 10 << 11);                        /* 10:00:00 */
	co_put_le16(at + 24, (2020 - 1980) << 9 | 2 << 5 | 3); /* 2020-02-03 */
	co_put_le16(at + 26, cluster);
	co_put_le32(at + 28, size);
}

static inline void fat_set(uint8_t *image, unsigned cluster, unsigned value)
{
	for (unsigned copy = 0; copy < 2; copy++) {
		uint8_t *p = image + 512 + copy * 512 + cluster * 3 / 2;
		unsigned old = co_le16(p);
		unsigned now = cluster % 2 ? (old & 0x000f) | value << 4 : (old & 0xf000) | value;
		co_put_le16(p, (uint16_t)now);
	}
}

static inline void fat_make(uint8_t image[FAT_BYTES])
{
	memset(image, 0, FAT_BYTES);
	memcpy(image,
	       "\xeb\x3c\x90"
	       "MSDOS5.0",
	       11);
	co_put_le16(image + 11, 512);
	image[13] = 1;               /* sectors per cluster */
	co_put_le16(image + 14, 1);  /* reserved sectors */
	image[16] = 2;               /* FATs */
	co_put_le16(image + 17, 16); /* root entries */
	co_put_le16(image + 19, 64); /* sectors */
	image[21] = 0xf8;
	co_put_le16(image + 22, 1); /* sectors per FAT */
	image[38] = 0x29;
	co_put_le32(image + 39, 0xabcd1234);
	memcpy(image + 43, "UNIT       FAT12   ", 19);
	co_put_le16(image + 510, 0xaa55);
	fat_set(image, 0, 0xff8);
	fat_set(image, 1, 0xfff);
	fat_set(image, 2, 0xfff);
	fat_set(image, 20, 21);
	fat_set(image, 21, 0xfff);
	uint8_t *root = image + 3 * 512;
	fat_entry(root, "HELLO   PHP", 0x20, 20, 600);
	fat_entry(root + 32, "DIR        ", 0x10, 2, 0);
	fat_entry(root + 64, "\xe5ONE    TXT", 0x20, 5, 5);
	uint8_t *dir = fat_cluster(image, 2);
	fat_entry(dir, ".          ", 0x10, 2, 0);
	fat_entry(dir + 32, "..         ", 0x10, 0, 0);
	fat_entry(dir + 64, "LOOP       ", 0x10, 2, 0);
	memset(fat_cluster(image, 20), 'x', 600);
	memcpy(fat_cluster(image, 20) + 509, "<?php", 5);
	memcpy(fat_cluster(image, 5), "gone\n", 5);
}

#endif
