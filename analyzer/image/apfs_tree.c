/* SPDX-License-Identifier: Apache-2.0 */
#include "image/apfs_tree.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "run/cancel.h"

#define DEPTH_MAX 16                       /* levels; each has a hundred times the nodes of the one above */
#define ID_MAX ((uint64_t)1 << 60)         /* of objects and transactions: libtsk subtracts them as signed numbers */
#define OID_MASK (((uint64_t)1 << 60) - 1) /* in keys of files and folders, the type above it */

#define NODE_HEADER 56
#define ROOT_FOOTER 40
#define FLAG_ROOT 1
#define FLAG_LEAF 2
#define FLAG_FIXED 4

struct node {
	uint8_t bytes[AN_APFS_BLOCK];
	uint64_t block;
	unsigned level; /* 0: leaf */
	uint32_t n;
	size_t table, keys, values; /* where the table and the keys begin, and where the values end */
	bool fixed;
};

struct entry {
	const uint8_t *key, *value;
	size_t key_len, value_len;
};

/* A walk over one tree. */
struct tree {
	struct an_apfs_blocks *blocks;
	uint32_t subtype;
	const struct an_apfs_map *map; /* of files: how to find nodes; NULL: by block number */
	struct an_apfs_map *ret;       /* of an object map: what was read */
	struct an_apfs_mapping floor;  /* keys that come next are not lower than this */
	int (*leaf)(struct tree *t, const struct node *n, const struct entry *e, struct co_err *err);
	int (*branch)(struct tree *t, const struct node *n, const struct entry *e, uint64_t *ret, struct co_err *err);
};

__attribute__((format(printf, 2, 3))) static int damaged(struct co_err *err, const char *fmt, ...)
{
	char text[200];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	co_err_set(err, CO_ERR_FORMAT, 0, "%s", text);
	return 1;
}

static int bad_node(const struct node *n, const char *what, struct co_err *err)
{
	return damaged(err, "the index node in block %" PRIu64 " is damaged: %s", n->block, what);
}

bool an_apfs_block_is_sound(const uint8_t block[AN_APFS_BLOCK])
{
	uint64_t low = 0, high = 0, mod = UINT32_MAX;
	for (size_t i = 8; i < AN_APFS_BLOCK; i += 4) {
		low = (low + co_le32(block + i)) % mod;
		high = (high + low) % mod;
	}
	uint64_t check_low = mod - (low + high) % mod;
	uint64_t check_high = mod - (low + check_low) % mod;
	return co_le64(block) == (check_high << 32 | check_low);
}

int an_apfs_block_bytes(const struct an_apfs_blocks *b, uint64_t block, uint8_t ret[AN_APFS_BLOCK], struct co_err *err)
{
	size_t good = 0;
	if (block >= b->n)
		return damaged(err, "it refers to block %" PRIu64 ", and there are %" PRIu64, block, b->n);
	int r = co_source_read(b->source, ret, AN_APFS_BLOCK, b->offset + block * AN_APFS_BLOCK, &good, err);
	if (r < 0)
		return r;
	return good == AN_APFS_BLOCK ? 0 : damaged(err, "block %" PRIu64 " can't be read", block);
}

int an_apfs_block_read(const struct an_apfs_blocks *b, uint64_t block, enum an_apfs_type type,
		       uint8_t ret[AN_APFS_BLOCK], struct co_err *err)
{
	int r = an_apfs_block_bytes(b, block, ret, err);
	if (r == 0 && co_le16(ret + 24) != type)
		return damaged(err, "block %" PRIu64 " holds an object of type %u in place of %u", block,
			       (unsigned)co_le16(ret + 24), (unsigned)type);
	return r;
}

/* A block has one place: else a tree could lead back into itself. */
static bool claim(struct an_apfs_blocks *b, uint64_t block)
{
	uint8_t bit = (uint8_t)(1u << block % 8);
	if (b->seen[block / 8] & bit)
		return false;
	b->seen[block / 8] |= bit;
	return true;
}

static int check_header(const struct tree *t, struct node *n, int level, struct co_err *err)
{
	const uint8_t *b = n->bytes;
	unsigned type = co_le16(b + 24), flags = co_le16(b + 32);
	if ((type != AN_APFS_TREE_ROOT && type != AN_APFS_TREE_NODE) || co_le32(b + 28) != t->subtype)
		return bad_node(n, "it has another type", err);
	if (!an_apfs_block_is_sound(b))
		return bad_node(n, "its checksum is wrong", err);
	n->level = co_le16(b + 34);
	n->n = co_le32(b + 36);
	n->fixed = (flags & FLAG_FIXED) != 0;
	n->table = NODE_HEADER + (size_t)co_le16(b + 40);
	n->keys = n->table + co_le16(b + 42);
	n->values = AN_APFS_BLOCK - (flags & FLAG_ROOT ? ROOT_FOOTER : 0);
	if (level >= 0 ? n->level != (unsigned)level : n->level >= DEPTH_MAX)
		return bad_node(n, "it has another level", err);
	if (((flags & FLAG_LEAF) != 0) != (n->level == 0) || n->fixed != (t->map == NULL))
		return bad_node(n, "its flags are wrong", err);
	if (n->n == 0 && (level >= 0 || n->level > 0))
		return bad_node(n, "it is empty", err);
	size_t size = n->fixed ? 4 : 8;
	if (n->table > AN_APFS_BLOCK || n->n > (AN_APFS_BLOCK - n->table) / size)
		return bad_node(n, "its table does not fit", err);
	return 0;
}

/* @level: which it must have; -1: the root. */
static int read_node(struct tree *t, uint64_t block, int level, struct node *ret, struct co_err *err)
{
	ret->block = block;
	int r = an_apfs_block_bytes(t->blocks, block, ret->bytes, err);
	if (r == 0 && !claim(t->blocks, block))
		r = bad_node(ret, "it is used twice", err);
	return r == 0 ? check_header(t, ret, level, err) : r;
}

static int get_entry(const struct node *n, uint32_t i, struct entry *ret, struct co_err *err)
{
	const uint8_t *at = n->bytes + n->table + (size_t)i * (n->fixed ? 4 : 8);
	size_t key_at = n->keys + co_le16(at), back = co_le16(at + (n->fixed ? 2 : 4));
	ret->key_len = n->fixed ? 16 : co_le16(at + 2);
	ret->value_len = n->level > 0 ? 8 : n->fixed ? 16 : co_le16(at + 6);
	if (!co_in_range(key_at, ret->key_len, AN_APFS_BLOCK) || back > n->values || ret->value_len > back ||
	    ret->key_len < 8)
		return bad_node(n, "a record lies outside of it", err);
	ret->key = n->bytes + key_at;
	ret->value = n->bytes + n->values - back;
	return 0;
}

/* The nodes below @block, and each record in them. The depth is limited by DEPTH_MAX, since levels go down by one. */
static int walk(struct tree *t, uint64_t block, int level, struct co_err *err)
{
	struct node n;
	int r = co_cancel_check(err);
	if (r == 0)
		r = read_node(t, block, level, &n, err);
	for (uint32_t i = 0; r == 0 && i < n.n; i++) {
		struct entry e;
		uint64_t child = 0;
		r = get_entry(&n, i, &e, err);
		if (r != 0)
			break;
		if (n.level == 0) {
			r = t->leaf(t, &n, &e, err);
			continue;
		}
		r = t->branch(t, &n, &e, &child, err);
		if (r == 0)
			r = walk(t, child, (int)n.level - 1, err);
	}
	return r;
}

static int compare(const struct an_apfs_mapping *a, const struct an_apfs_mapping *b)
{
	if (a->oid != b->oid)
		return a->oid < b->oid ? -1 : 1;
	return (a->xid > b->xid) - (a->xid < b->xid);
}

/* libtsk's search and ours find the same only if all keys ascend. */
static int map_key(struct tree *t, const struct node *n, const struct entry *e, struct an_apfs_mapping *ret,
		   struct co_err *err)
{
	const struct an_apfs_map *m = t->ret;
	*ret = (struct an_apfs_mapping) { .oid = co_le64(e->key), .xid = co_le64(e->key + 8) };
	if (ret->oid >= ID_MAX || ret->xid >= ID_MAX || compare(ret, &t->floor) < 0 ||
	    (m->list.n > 0 && compare(ret, &m->list.at[m->list.n - 1]) <= 0))
		return bad_node(n, "its keys are not in order", err);
	return 0;
}

static int map_branch(struct tree *t, const struct node *n, const struct entry *e, uint64_t *ret, struct co_err *err)
{
	*ret = co_le64(e->value);
	return map_key(t, n, e, &t->floor, err);
}

static int map_leaf(struct tree *t, const struct node *n, const struct entry *e, struct co_err *err)
{
	struct an_apfs_mapping m;
	int r = map_key(t, n, e, &m, err);
	if (r != 0)
		return r;
	m.flags = co_le32(e->value);
	m.block = co_le64(e->value + 8);
	if (m.block >= t->blocks->n)
		return bad_node(n, "it refers to a block behind the end", err);
	if (co_vec_push(&t->ret->list, m) < 0)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	return 0;
}

int an_apfs_map_read(struct an_apfs_blocks *b, uint64_t block, struct an_apfs_map *ret, struct co_err *err)
{
	uint8_t bytes[AN_APFS_BLOCK], root[AN_APFS_BLOCK];
	struct an_apfs_map map = { 0 };
	struct tree t = {
		.blocks = b, .subtype = AN_APFS_OBJECT_MAP, .ret = &map, .leaf = map_leaf, .branch = map_branch
	};
	int r = an_apfs_block_read(b, block, AN_APFS_OBJECT_MAP, bytes, err);
	if (r == 0)
		r = walk(&t, co_le64(bytes + 48), -1, err);
	if (r == 0)
		r = an_apfs_block_bytes(b, co_le64(bytes + 48), root, err);
	if (r != 0) {
		an_apfs_map_free(&map);
		return r;
	}
	map.xid = co_le64(root + 16);
	*ret = map;
	return 0;
}

void an_apfs_map_free(struct an_apfs_map *map)
{
	co_vec_free(&map->list);
}

/* The newest mapping of @oid; NULL: none. */
static const struct an_apfs_mapping *look_up(const struct an_apfs_map *map, uint64_t oid)
{
	struct an_apfs_mapping wanted = { .oid = oid, .xid = map->xid };
	size_t low = 0, high = map->list.n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&map->list.at[middle], &wanted) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && map->list.at[low - 1].oid == oid ? &map->list.at[low - 1] : NULL;
}

/* Where the node with number @oid lies. */
static int find_node(const struct tree *t, uint64_t oid, uint64_t *ret, struct co_err *err)
{
	const struct an_apfs_mapping *m = look_up(t->map, oid);
	if (!m)
		return damaged(err, "its index node %" PRIu64 " is not in the object map", oid);
	*ret = m->block;
	return 0;
}

static int file_branch(struct tree *t, const struct node *n, const struct entry *e, uint64_t *ret, struct co_err *err)
{
	(void)n;
	return find_node(t, co_le64(e->value), ret, err);
}

/* An inode, and the fields behind it ("Extended Fields"). libtsk reads size and stored size of a data stream. */
static bool is_inode_sound(const struct entry *e)
{
	enum { INODE = 92, FIELDS = INODE + 4, STREAM = 8 };
	if (e->value_len < INODE)
		return false;
	if (e->value_len <= FIELDS)
		return true;
	size_t count = co_le16(e->value + INODE);
	if (count >= (e->value_len - FIELDS) / 4)
		return true; /* libtsk leaves them out */
	size_t at = FIELDS + 4 * count;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *field = e->value + FIELDS + 4 * i;
		size_t len = co_le16(field + 2);
		if (!co_in_range(at, len, e->value_len) || (field[0] == STREAM && len < 16))
			return false;
		at += (len + 7) & ~(size_t)7;
	}
	return true;
}

static bool is_attribute_sound(const struct entry *e)
{
	enum { EMBEDDED = 2 };
	if (e->key_len < 10 || e->value_len < 4)
		return false;
	size_t name = co_le16(e->key + 8);
	if (name == 0 || name > e->key_len - 10)
		return false;
	if (co_le16(e->value) & EMBEDDED)
		return co_le16(e->value + 2) <= e->value_len - 4;
	return e->value_len >= 52;
}

static bool is_name_sound(const struct entry *e)
{
	if (e->key_len < 12 || e->value_len < 18)
		return false;
	size_t name = co_le32(e->key + 8) & 0x3ff;
	return name > 0 && name <= e->key_len - 12;
}

static int file_leaf(struct tree *t, const struct node *n, const struct entry *e, struct co_err *err)
{
	enum { INODE = 3, ATTRIBUTE = 4, EXTENT = 8, NAME = 9 };
	bool sound = true;
	(void)t;
	switch (co_le64(e->key) >> 60) {
	case INODE:
		sound = is_inode_sound(e);
		break;
	case ATTRIBUTE:
		sound = is_attribute_sound(e);
		break;
	case EXTENT:
		sound = e->key_len >= 16 && e->value_len >= 24;
		break;
	case NAME:
		sound = is_name_sound(e);
		break;
	default:
		break;
	}
	if (sound)
		return 0;
	return damaged(err,
		       "the index node in block %" PRIu64 " is damaged: the record of inode %" PRIu64 " is too short",
		       n->block, co_le64(e->key) & OID_MASK);
}

int an_apfs_files_check(struct an_apfs_blocks *b, const struct an_apfs_map *map, uint64_t root, struct co_err *err)
{
	struct tree t = { .blocks = b, .subtype = AN_APFS_FILES, .map = map, .leaf = file_leaf, .branch = file_branch };
	uint64_t block = 0;
	int r = find_node(&t, root, &block, err);
	return r == 0 ? walk(&t, block, -1, err) : r;
}
