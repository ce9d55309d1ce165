/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: an APFS container of 16 blocks, made by hand. Source: Apple File System Reference (2020-06-22).
 *
 *	block 0, 1   superblock, checkpoint (newer)
 *	block 2, 3   object map of the container and its tree: objects 1026, 1027 are the volumes
 *	block 4      volume "one", 5 and 6 its object map, 7 and 8 its tree of files (a root above one leaf), 9 content
 *	block 10     volume "two" alike, up to block 15
 *
 * Each volume holds one file, /hello.txt, inode 16, APFS_CONTENT bytes.
 */
#ifndef UNIT_APFS_H
#define UNIT_APFS_H

#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

#define APFS_BLOCK 4096
#define APFS_BYTES (16 * APFS_BLOCK)
#define APFS_CONTENT 3000
#define APFS_TIME (UINT64_C(1600000000) * 1000000000 + 5)

static inline uint8_t *apfs_block(uint8_t *image, unsigned n)
{
	return image + (size_t)n * APFS_BLOCK;
}

/* Makes the checksum of a block right. */
static inline void apfs_seal(uint8_t *b)
{
	uint64_t low = 0, high = 0, mod = UINT32_MAX;
	for (size_t i = 8; i < APFS_BLOCK; i += 4) {
		low = (low + co_le32(b + i)) % mod;
		high = (high + low) % mod;
	}
	uint64_t first = mod - (low + high) % mod;
	co_put_le64(b, (mod - (low + first) % mod) << 32 | first);
}

static inline void apfs_object(uint8_t *b, uint64_t oid, uint64_t xid, uint32_t type, uint32_t subtype)
{
	co_put_le64(b + 8, oid);
	co_put_le64(b + 16, xid);
	co_put_le32(b + 24, type);
	co_put_le32(b + 28, subtype);
}

static inline void apfs_superblock(uint8_t *b, uint64_t xid)
{
	apfs_object(b, 1, xid, 0x80000001, 0);
	memcpy(b + 32, "NXSB", 4);
	co_put_le32(b + 36, APFS_BLOCK);
	co_put_le64(b + 40, 16);
	co_put_le64(b + 64, 2);
	co_put_le32(b + 104, 1);
	co_put_le64(b + 112, 1);
	co_put_le64(b + 160, 2);
	apfs_seal(b);
}

/* A node that is root (@flags 1), leaf (2), of fixed sizes (4); its table has room for 8 records. */
static inline void apfs_node(uint8_t *b, uint64_t oid, uint32_t subtype, uint16_t flags, uint16_t level)
{
	apfs_object(b, oid, 2, flags & 1 ? 2 : 3, subtype);
	co_put_le16(b + 32, flags);
	co_put_le16(b + 34, level);
	co_put_le16(b + 42, 64);
}

/* Adds a record to it. */
static inline void apfs_record(uint8_t *b, const void *key, size_t key_len, const void *value, size_t value_len)
{
	uint32_t n = co_le32(b + 36);
	bool fixed = (co_le16(b + 32) & 4) != 0;
	uint8_t *entry = b + 56 + n * (fixed ? 4 : 8);
	uint16_t key_at = (uint16_t)(n * 64), back = (uint16_t)((n + 1) * 160);
	co_put_le32(b + 36, n + 1);
	co_put_le16(entry, key_at);
	co_put_le16(entry + (fixed ? 2 : 4), back);
	if (!fixed) {
		co_put_le16(entry + 2, (uint16_t)key_len);
		co_put_le16(entry + 6, (uint16_t)value_len);
	}
	memcpy(b + 56 + 64 + key_at, key, key_len);
	memcpy(b + APFS_BLOCK - (co_le16(b + 32) & 1 ? 40 : 0) - back, value, value_len);
}

static inline void apfs_mapping(uint8_t *b, uint64_t oid, uint64_t block)
{
	uint8_t key[16], value[16] = { 0 };
	co_put_le64(key, oid);
	co_put_le64(key + 8, 2);
	co_put_le32(value + 4, APFS_BLOCK);
	co_put_le64(value + 8, block);
	apfs_record(b, key, 16, value, 16);
	apfs_seal(b);
}

/* An object map in block @n, its tree in the next. */
static inline void apfs_map(uint8_t *image, unsigned n, const uint64_t oid[2], const uint64_t block[2])
{
	apfs_object(apfs_block(image, n), n, 2, 0x4000000b, 0);
	co_put_le64(apfs_block(image, n) + 48, n + 1);
	apfs_seal(apfs_block(image, n));
	apfs_node(apfs_block(image, n + 1), n + 1, 11, 1 | 2 | 4, 0);
	for (int i = 0; i < 2; i++)
		apfs_mapping(apfs_block(image, n + 1), oid[i], block[i]);
}

static inline void apfs_inode(uint8_t *leaf, uint64_t inode, uint16_t mode, uint64_t size)
{
	uint8_t key[8], value[144] = { 0 };
	co_put_le64(key, UINT64_C(3) << 60 | inode);
	co_put_le64(value, inode == 2 ? 1 : 2);
	co_put_le64(value + 8, inode);
	for (size_t i = 16; i < 48; i += 8)
		co_put_le64(value + i, APFS_TIME);
	co_put_le32(value + 56, 1);
	co_put_le16(value + 80, mode);
	co_put_le16(value + 92, 1); /* one more field: the size */
	co_put_le16(value + 94, 40);
	value[96] = 8;
	co_put_le16(value + 98, 40);
	co_put_le64(value + 100, size);
	co_put_le64(value + 108, APFS_BLOCK);
	apfs_record(leaf, key, 8, value, size ? 140 : 92);
}

static inline void apfs_leaf(uint8_t *leaf, uint64_t content)
{
	uint8_t key[32] = { 0 }, value[24] = { 0 };
	apfs_node(leaf, 501, 14, 2, 0);
	apfs_inode(leaf, 2, 040755, 0);
	co_put_le64(key, UINT64_C(9) << 60 | 2);
	co_put_le32(key + 8, 10);
	memcpy(key + 12, "hello.txt", 10);
	co_put_le64(value, 16);
	co_put_le16(value + 16, 8);
	apfs_record(leaf, key, 22, value, 18);
	apfs_inode(leaf, 16, 0100644, APFS_CONTENT);
	co_put_le64(key, UINT64_C(8) << 60 | 16);
	co_put_le64(key + 8, 0);
	co_put_le64(value, APFS_BLOCK);
	co_put_le64(value + 8, content);
	co_put_le64(value + 16, 0);
	apfs_record(leaf, key, 16, value, 24);
	apfs_seal(leaf);
}

static inline void apfs_volume(uint8_t *image, unsigned n, const char *name, uint8_t fill)
{
	uint8_t *b = apfs_block(image, n), *root = apfs_block(image, n + 3), key[8], child[8];
	apfs_object(b, 1026, 2, 13, 0);
	memcpy(b + 32, "APSB", 4);
	co_put_le64(b + 56, 1);
	co_put_le64(b + 128, n + 1);
	co_put_le64(b + 136, 500);
	memset(b + 240, fill, 16);
	co_put_le64(b + 264, 1);
	memcpy(b + 704, name, strlen(name));
	apfs_seal(b);
	apfs_map(image, n + 1, (const uint64_t[]) { 500, 501 }, (const uint64_t[]) { n + 3, n + 4 });
	apfs_node(root, 500, 14, 1, 1);
	co_put_le64(key, UINT64_C(3) << 60 | 2);
	co_put_le64(child, 501);
	apfs_record(root, key, 8, child, 8);
	apfs_seal(root);
	apfs_leaf(apfs_block(image, n + 4), n + 5);
	memset(apfs_block(image, n + 5), fill, APFS_BLOCK);
}

static inline void apfs_make(uint8_t *image)
{
	memset(image, 0, APFS_BYTES);
	apfs_superblock(apfs_block(image, 0), 1);
	apfs_superblock(apfs_block(image, 1), 2);
	apfs_map(image, 2, (const uint64_t[]) { 1026, 1027 }, (const uint64_t[]) { 4, 10 });
	apfs_volume(image, 4, "one", 0x31);
	apfs_volume(image, 10, "two", 0x32);
}

#endif
