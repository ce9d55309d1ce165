/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tsk.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "image/apfs.h"

static ssize_t image_read(TSK_IMG_INFO *img, TSK_OFF_T off, char *buf, size_t len)
{
	struct an_tsk_image *i = (struct an_tsk_image *)img;
	struct co_err err = CO_ERR_INIT;
	size_t good = 0;
	int r = off < 0 ? CO_ERR_FORMAT : co_source_read(&i->source, buf, len, (uint64_t)off, &good, &err);
	if (r >= 0 && (good > 0 || len == 0)) {
		an_apfs_patch(i->apfs, (uint64_t)off, buf, good);
		return (ssize_t)good;
	}
	/* libtsk takes some failed reads for zeros: who needs to know looks at the count. */
	if ((uint64_t)off < i->source.size) {
		if (i->n_bad++ == 0)
			i->first = err;
		if (r < 0 && off >= 0)
			i->lost = err;
	}
	tsk_error_reset();
	tsk_error_set_errno(TSK_ERR_IMG_READ);
	tsk_error_set_errstr("%s", err.msg);
	return -1;
}

static void image_close(TSK_IMG_INFO *img)
{
	free(img);
}

static void image_describe(TSK_IMG_INFO *img, FILE *out)
{
	(void)img;
	(void)out;
}

int an_tsk_image_open(struct an_tsk_image **ret, const struct co_source *source, struct co_err *err)
{
	if (source->size > INT64_MAX)
		return co_err_set(err, CO_ERR_UNSUPPORTED, 0, "the image is larger than 8 EiB");
	struct an_tsk_image *i = calloc(1, sizeof *i);
	if (!i)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	i->source = *source;
	unsigned sector = source->sector_size >= 512 && source->sector_size % 512 == 0 ? source->sector_size : 512;
	if (!tsk_img_open_external(i, (TSK_OFF_T)source->size, sector, image_read, image_close, image_describe)) {
		char reason[256];
		int r = co_err_set(err, CO_ERR_FAILED, 0, "libtsk does not open the image: %s", an_tsk_reason(reason));
		free(i);
		return r;
	}
	*ret = i;
	return 0;
}

/* What libtsk reads, but APFS (whose volumes lie in a pool: see open_in_pool()) and YAFFS2 (which has no signature:
 * libtsk guesses it from numbers that come again at the distance of its pages). */
static const TSK_FS_TYPE_ENUM detectable[] = {
	TSK_FS_TYPE_NTFS_DETECT, TSK_FS_TYPE_FAT_DETECT, TSK_FS_TYPE_EXT_DETECT,
	TSK_FS_TYPE_FFS_DETECT,  TSK_FS_TYPE_HFS_DETECT, TSK_FS_TYPE_ISO9660_DETECT,
};

int an_tsk_fs_detect(struct an_tsk_image *image, uint64_t offset, TSK_FS_INFO **ret, struct co_err *err)
{
	TSK_FS_INFO *found = NULL;
	for (size_t i = 0; i < sizeof detectable / sizeof *detectable; i++) {
		TSK_FS_INFO *fs = tsk_fs_open_img(&image->img, (TSK_OFF_T)offset, detectable[i]);
		tsk_error_reset();
		if (image->lost.code < 0) {
			tsk_fs_close(fs);
			tsk_fs_close(found);
			*err = image->lost;
			return err->code;
		}
		if (fs && found) {
			co_err_set(err, CO_ERR_FORMAT, 0, "it looks like both %s and %s", an_tsk_fs_name(found->ftype),
				   an_tsk_fs_name(fs->ftype));
			tsk_fs_close(fs);
			tsk_fs_close(found);
			return 1;
		}
		if (fs)
			found = fs;
	}
	if (!found) {
		co_err_set(err, CO_ERR_FORMAT, 0, "no file system was recognised");
		return 1;
	}
	*ret = found;
	return 0;
}

const char *an_tsk_fs_name(TSK_FS_TYPE_ENUM type)
{
	static const struct {
		TSK_FS_TYPE_ENUM type;
		const char *name;
	} names[] = {
		{ TSK_FS_TYPE_NTFS, "ntfs" },   { TSK_FS_TYPE_FAT12, "fat12" },    { TSK_FS_TYPE_FAT16, "fat16" },
		{ TSK_FS_TYPE_FAT32, "fat32" }, { TSK_FS_TYPE_EXFAT, "exfat" },    { TSK_FS_TYPE_FFS1, "ufs1" },
		{ TSK_FS_TYPE_FFS1B, "ufs1b" }, { TSK_FS_TYPE_FFS2, "ufs2" },      { TSK_FS_TYPE_EXT2, "ext2" },
		{ TSK_FS_TYPE_EXT3, "ext3" },   { TSK_FS_TYPE_EXT4, "ext4" },      { TSK_FS_TYPE_ISO9660, "iso9660" },
		{ TSK_FS_TYPE_HFS, "hfsplus" }, { TSK_FS_TYPE_HFS_LEGACY, "hfs" }, { TSK_FS_TYPE_APFS, "apfs" },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].type == type)
			return names[i].name;
	return "unknown";
}

const char *an_tsk_reason(char ret[256])
{
	const char *text = tsk_error_get_errno() ? tsk_error_get() : NULL;
	snprintf(ret, 256, "%s", text ? text : "the structure is damaged");
	for (char *p = ret; *p; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	for (size_t n = strlen(ret); n > 0 && ret[n - 1] == ' '; n--)
		ret[n - 1] = '\0';
	tsk_error_reset();
	return ret;
}

bool an_tsk_is_plausible(const struct an_fs *fs, const TSK_FS_META *meta)
{
	if (meta->size < 0)
		return false;
	if ((uint64_t)meta->size <= fs->length)
		return true;
	bool block_by_block = (TSK_FS_TYPE_ISEXT(fs->fs->ftype) || TSK_FS_TYPE_ISFFS(fs->fs->ftype)) &&
			      meta->content_type == TSK_FS_META_CONTENT_TYPE_DEFAULT;
	return !TSK_FS_IS_DIR_META(meta->type) && !block_by_block;
}

/* Looks for a live name in a folder. 0, or 1: not there. */
static int find_in_folder(const struct an_fs *fs, TSK_INUM_T folder, const char *name, size_t len, TSK_INUM_T *ret)
{
	TSK_FS_FILE *file = tsk_fs_file_open_meta(fs->fs, NULL, folder);
	bool is_folder =
		file && file->meta && TSK_FS_IS_DIR_META(file->meta->type) && an_tsk_is_plausible(fs, file->meta);
	tsk_fs_file_close(file);
	TSK_FS_DIR *dir = is_folder ? tsk_fs_dir_open_meta(fs->fs, folder) : NULL;
	int r = 1;
	for (size_t i = 0; dir && r == 1 && i < dir->names_used; i++) {
		const TSK_FS_NAME *n = &dir->names[i];
		if ((n->flags & TSK_FS_NAME_FLAG_ALLOC) && n->name && strlen(n->name) == len &&
		    memcmp(n->name, name, len) == 0) {
			*ret = n->meta_addr;
			r = 0;
		}
	}
	tsk_fs_dir_close(dir);
	return r;
}

int an_tsk_find(const struct an_fs *fs, const char *path, TSK_INUM_T *ret)
{
	TSK_INUM_T inode = fs->fs->root_inum;
	int r = 0;
	for (const char *p = path; r == 0;) {
		p += strspn(p, "/");
		size_t len = strcspn(p, "/");
		if (len == 0)
			break;
		r = find_in_folder(fs, inode, p, len, &inode);
		p += len;
	}
	tsk_error_reset();
	if (r == 0)
		*ret = inode;
	return r;
}

int an_tsk_load(const struct an_fs *fs, const char *path, size_t max, struct co_str *ret)
{
	TSK_INUM_T inode;
	TSK_FS_FILE *file = NULL;
	if (an_tsk_find(fs, path, &inode) == 0)
		file = tsk_fs_file_open_meta(fs->fs, NULL, inode);
	int r = 1;
	if (file && file->meta && file->meta->type == TSK_FS_META_TYPE_REG && an_tsk_is_plausible(fs, file->meta)) {
		size_t want = (size_t)co_min_u64((uint64_t)file->meta->size, max);
		CO_CLEANUP_FREE char *buf = malloc(want + 1);
		ssize_t got = buf && want ? tsk_fs_file_read(file, 0, buf, want, TSK_FS_FILE_READ_FLAG_NONE) : 0;
		if (buf && got >= 0) {
			co_str_add_n(ret, buf, (size_t)got);
			r = 0;
		}
	}
	tsk_fs_file_close(file);
	tsk_error_reset();
	return r;
}

/* A volume of an APFS container. 0; 1: libtsk does not open it. */
static int open_in_pool(struct an_fs *fs, const struct an_volume *v, struct co_err *err)
{
	char reason[256];
	fs->image->apfs = v->container;
	tsk_error_reset();
	fs->pool = tsk_pool_open_img_sing(&fs->image->img, (TSK_OFF_T)v->offset, TSK_POOL_TYPE_APFS);
	if (fs->pool)
		fs->pool_image = fs->pool->get_img_info(fs->pool, v->block);
	if (fs->pool_image)
		fs->fs = tsk_fs_open_img(fs->pool_image, (TSK_OFF_T)v->offset, TSK_FS_TYPE_APFS);
	if (fs->fs)
		return 0;
	if (fs->image->lost.code < 0) {
		*err = fs->image->lost;
		return err->code;
	}
	co_err_set(err, CO_ERR_FORMAT, 0, "%s", an_tsk_reason(reason));
	return 1;
}

int an_fs_open(struct an_fs **ret, const struct an_evidence *e, const struct an_volume *v, struct co_err *err)
{
	struct an_fs *fs = calloc(1, sizeof *fs);
	if (!fs)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	fs->length = v->length;
	int r = an_tsk_image_open(&fs->image, &e->source, err);
	if (r == 0)
		r = v->container ? open_in_pool(fs, v, err) : an_tsk_fs_detect(fs->image, v->offset, &fs->fs, err);
	if (r == 0) {
		*ret = fs;
		return 0;
	}
	an_fs_close(fs);
	return r > 0 ? err->code : r;
}

void an_fs_close(struct an_fs *fs)
{
	if (!fs)
		return;
	tsk_fs_close(fs->fs);
	if (fs->pool_image)
		fs->pool_image->close(fs->pool_image); /* destroys its lock, as tsk_img_close() would too */
	tsk_pool_close(fs->pool);
	if (fs->image)
		tsk_img_close(&fs->image->img);
	free(fs);
}
