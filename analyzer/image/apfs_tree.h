/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to image/: blocks and B-trees of an APFS container, checked.
 *
 * libtsk 4.11.1 believes every offset, count and reference in a B-tree: one damaged node makes it read outside its
 * buffers, recurse without end or end the program. So each tree is walked here first, to its last record, and what
 * does not hold is not given to libtsk.
 *
 * Source: Apple File System Reference (2020-06-22): "Objects", "Object Maps", "B-Trees", "File-System Objects".
 */
#ifndef AN_IMAGE_APFS_TREE_H
#define AN_IMAGE_APFS_TREE_H

#include "base/error.h"
#include "base/vec.h"
#include "io/source.h"

#define AN_APFS_BLOCK 4096 /* bytes; the size that libtsk opens */

enum an_apfs_type { /* of objects: o_type without its flags, and o_subtype */
		    AN_APFS_CONTAINER = 1,
		    AN_APFS_TREE_ROOT = 2,
		    AN_APFS_TREE_NODE = 3,
		    AN_APFS_OBJECT_MAP = 11,
		    AN_APFS_VOLUME = 13,
		    AN_APFS_FILES = 14,
};

/* The blocks of a container. Zeroed but for the first three; free @seen at the end. */
struct an_apfs_blocks {
	const struct co_source *source;
	uint64_t offset; /* of the container, bytes */
	uint64_t n;      /* blocks that are there */
	uint8_t *seen;   /* a bit for each block: it is a node of a tree. No block is in two places. */
};

/* Where the newest versions of objects lie. */
struct an_apfs_mapping {
	uint64_t oid, xid;
	uint64_t block;
	uint32_t flags;
};
struct an_apfs_map {
	CO_VEC(struct an_apfs_mapping) list; /* by oid, then xid */
	uint64_t xid;                        /* of the map: newer mappings don't count */
};

/* All of these: 0; 1: damaged or unreadable, *err tells in part of a sentence; < 0: the source failed, no memory,
 * canceled. */

/* Reads block @block into @ret. */
int an_apfs_block_bytes(const struct an_apfs_blocks *b, uint64_t block, uint8_t ret[AN_APFS_BLOCK], struct co_err *err);
/* The same, and checks that it is an object of type @type. */
int an_apfs_block_read(const struct an_apfs_blocks *b, uint64_t block, enum an_apfs_type type,
		       uint8_t ret[AN_APFS_BLOCK], struct co_err *err);
/* Is its checksum (Fletcher 64) right? */
bool an_apfs_block_is_sound(const uint8_t block[AN_APFS_BLOCK]);
/* The object map in block @block, with its whole tree. */
int an_apfs_map_read(struct an_apfs_blocks *b, uint64_t block, struct an_apfs_map *ret, struct co_err *err);
void an_apfs_map_free(struct an_apfs_map *map);
/* Walks the tree of files and folders whose root is the object @root of @map. */
int an_apfs_files_check(struct an_apfs_blocks *b, const struct an_apfs_map *map, uint64_t root, struct co_err *err);

#endif
