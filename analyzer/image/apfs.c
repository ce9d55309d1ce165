/* SPDX-License-Identifier: Apache-2.0 */
#include "image/apfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "image/apfs_tree.h"
#include "image/magic.h"

#define CHECKPOINTS_MAX 65536 /* blocks of the ring of checkpoints */
#define VOLUMES_MAX 400       /* a container has up to 100, of which it may keep older versions */

/* Fields of nx_superblock_t */
#define NX_MAGIC 32
#define NX_BLOCK_SIZE 36
#define NX_INCOMPATIBLE 64
#define INCOMPATIBLE_VERSION_1 1
#define INCOMPATIBLE_FUSION 0x100
#define NX_RING_LEN 104
#define NX_RING 112
#define NX_OBJECT_MAP 160
/* Fields of apfs_superblock_t */
#define VOLUME_MAGIC 32
#define VOLUME_INCOMPATIBLE 56
#define VOLUME_OBJECT_MAP 128
#define VOLUME_ROOT 136
#define VOLUME_UUID 240
#define VOLUME_FLAGS 264
#define VOLUME_NAME 704
#define VOLUME_NAME_MAX 256

struct container {
	struct an_apfs_blocks blocks;
	struct an_apfs_map map;
	struct an_apfs *ret;
};

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
}

static int refuse(struct co_err *err, const char *why)
{
	co_err_set(err, CO_ERR_UNSUPPORTED, 0, "%s", why);
	return 1;
}

/* What libtsk asks of a superblock. */
static int check_superblock(const uint8_t *b, struct co_err *err)
{
	if (memcmp(b + NX_MAGIC, "NXSB", 4) != 0 || !an_apfs_block_is_sound(b))
		return refuse(err, "its superblock is damaged");
	if (co_le32(b + NX_BLOCK_SIZE) != AN_APFS_BLOCK)
		return refuse(err, "its blocks are not of 4096 bytes");
	if (co_le64(b + NX_INCOMPATIBLE) & INCOMPATIBLE_VERSION_1)
		return refuse(err, "it has the format that came before the first release of APFS");
	return 0;
}

/* @ret: the superblock at the begin of the container. It becomes that of the newest checkpoint, if there is another
 * one. This must choose what libtsk (APFSPool) chooses: the other would be checked in vain. */
static int find_newest(const struct an_apfs_blocks *blocks, uint8_t ret[AN_APFS_BLOCK], struct co_err *err)
{
	uint8_t b[AN_APFS_BLOCK], newest[AN_APFS_BLOCK];
	struct co_err unused = CO_ERR_INIT;
	uint64_t len = co_le32(ret + NX_RING_LEN), first = co_le64(ret + NX_RING), xid = co_le64(ret + 16);
	bool found = false;
	if (len > CHECKPOINTS_MAX || !co_in_range(first, len, blocks->n))
		return refuse(err, "its list of checkpoints is damaged or in pieces");
	for (uint64_t i = first; i < first + len; i++) {
		int r = an_apfs_block_bytes(blocks, i, b, err);
		if (r != 0)
			return r;
		if (co_le16(b + 24) == AN_APFS_CONTAINER && co_le64(b + 8) == co_le64(ret + 8) &&
		    (!found || co_le64(b + 16) > co_le64(newest + 16)) && an_apfs_block_is_sound(b)) {
			found = true;
			memcpy(newest, b, sizeof newest);
		}
	}
	if (found && co_le64(newest + 16) != xid && check_superblock(newest, &unused) == 0)
		memcpy(ret, newest, sizeof newest);
	return 0;
}

/* A name of up to 255 bytes, ended by NUL; what does not fit is cut off in front of a character. */
static void copy_label(char ret[64], const uint8_t *name)
{
	size_t n = strnlen((const char *)name, 64);
	if (n > 63)
		for (n = 63; n > 0 && (name[n] & 0xc0) == 0x80; n--)
			;
	memcpy(ret, name, n);
	ret[n] = '\0';
}

/* Properties that libtsk 4.11.1 can't read, or misreads. */
static const char *refusal(const uint8_t *b)
{
	enum { UNENCRYPTED = 1, CASE_INSENSITIVE = 1, NORMALIZATION_INSENSITIVE = 8, SEALED = 0x20 };
	uint64_t incompatible = co_le64(b + VOLUME_INCOMPATIBLE);
	if (!(co_le64(b + VOLUME_FLAGS) & UNENCRYPTED))
		return "it is encrypted";
	if (incompatible & SEALED)
		return "it is a sealed system volume, which this version can't read";
	if (!(incompatible & (CASE_INSENSITIVE | NORMALIZATION_INSENSITIVE)))
		return "its names are stored without hashes, which this version can't read";
	return NULL;
}

static int check_files(struct container *c, const uint8_t *b, struct an_apfs_volume *v, struct co_err *err)
{
	struct an_apfs_map map = { 0 };
	struct co_err why = CO_ERR_INIT;
	int r = an_apfs_map_read(&c->blocks, co_le64(b + VOLUME_OBJECT_MAP), &map, &why);
	if (r == 0)
		r = an_apfs_files_check(&c->blocks, &map, co_le64(b + VOLUME_ROOT), &why);
	an_apfs_map_free(&map);
	if (r < 0)
		*err = why;
	else if (r > 0)
		snprintf(v->why, sizeof v->why, "%s", why.msg);
	return r < 0 ? r : 0;
}

static int hide_encryption(struct container *c, uint64_t block, const uint8_t *b, struct co_err *err)
{
	struct an_apfs_patch p = { .offset = c->blocks.offset + block * AN_APFS_BLOCK + VOLUME_FLAGS };
	uint64_t flags = co_le64(b + VOLUME_FLAGS);
	if (flags & 1)
		return 0;
	co_put_le64(p.bytes, flags | 1);
	return co_vec_push(&c->ret->patches, p) < 0 ? no_memory(err) : 0;
}

/* @newest: there is no later version of this volume. */
static int add_volume(struct container *c, uint64_t block, bool newest, struct co_err *err)
{
	uint8_t b[AN_APFS_BLOCK];
	struct an_apfs_volume v = { .block = block };
	int r = an_apfs_block_read(&c->blocks, block, AN_APFS_VOLUME, b, err);
	if (r != 0)
		return r;
	if (memcmp(b + VOLUME_MAGIC, "APSB", 4) != 0 || !memchr(b + VOLUME_NAME, 0, VOLUME_NAME_MAX) ||
	    !an_apfs_block_is_sound(b))
		return refuse(err, "the superblock of a volume is damaged");
	r = hide_encryption(c, block, b, err);
	if (r < 0 || !newest)
		return r;
	copy_label(v.label, b + VOLUME_NAME);
	an_magic_uuid_text(b + VOLUME_UUID, v.uuid);
	const char *why = refusal(b);
	if (why)
		snprintf(v.why, sizeof v.why, "%s", why);
	else
		r = check_files(c, b, &v, err);
	if (r == 0 && co_vec_push(&c->ret->volumes, v) < 0)
		r = no_memory(err);
	return r;
}

static int fill(struct container *c, struct co_err *err)
{
	uint8_t b[AN_APFS_BLOCK];
	int r = an_apfs_block_read(&c->blocks, 0, AN_APFS_CONTAINER, b, err);
	if (r == 0)
		r = check_superblock(b, err);
	if (r == 0)
		r = find_newest(&c->blocks, b, err);
	if (r == 0 && (co_le64(b + NX_INCOMPATIBLE) & INCOMPATIBLE_FUSION))
		r = refuse(err, "it is one half of a Fusion drive");
	if (r == 0)
		r = an_apfs_map_read(&c->blocks, co_le64(b + NX_OBJECT_MAP), &c->map, err);
	if (r == 0 && (c->map.list.n == 0 || c->map.list.n > VOLUMES_MAX))
		r = refuse(err, c->map.list.n ? "it has too many volumes" : "it has no volume");
	for (size_t i = 0; r == 0 && i < c->map.list.n; i++) {
		const struct an_apfs_mapping *m = &c->map.list.at[i];
		r = add_volume(c, m->block, i + 1 == c->map.list.n || m[1].oid != m->oid, err);
	}
	return r;
}

int an_apfs_open(struct an_apfs **ret, const struct co_source *source, uint64_t offset, uint64_t length,
		 struct co_err *err)
{
	struct container c = { .blocks = { .source = source, .offset = offset, .n = length / AN_APFS_BLOCK } };
	c.blocks.seen = calloc(c.blocks.n / 8 + 1, 1);
	c.ret = calloc(1, sizeof *c.ret);
	int r = c.blocks.seen && c.ret ? fill(&c, err) : no_memory(err);
	an_apfs_map_free(&c.map);
	free(c.blocks.seen);
	if (r == 0)
		*ret = c.ret;
	else
		an_apfs_close(c.ret);
	return r;
}

void an_apfs_close(struct an_apfs *a)
{
	if (!a)
		return;
	co_vec_free(&a->volumes);
	co_vec_free(&a->patches);
	free(a);
}

void an_apfs_patch(const struct an_apfs *a, uint64_t offset, void *bytes, size_t len)
{
	for (size_t i = 0; a && i < a->patches.n; i++) {
		const struct an_apfs_patch *p = &a->patches.at[i];
		for (size_t k = 0; k < sizeof p->bytes; k++)
			if (p->offset + k >= offset && p->offset + k - offset < len)
				((uint8_t *)bytes)[p->offset + k - offset] = p->bytes[k];
	}
}
