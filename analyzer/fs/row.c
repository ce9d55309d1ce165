/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/row.h"

#include <string.h>

#include "base/clock.h"

static uint8_t type_of_inode(TSK_FS_META_TYPE_ENUM type)
{
	static const uint8_t types[] = {
		[TSK_FS_META_TYPE_REG] = AN_TYPE_REGULAR,
		[TSK_FS_META_TYPE_DIR] = AN_TYPE_FOLDER,
		[TSK_FS_META_TYPE_FIFO] = AN_TYPE_FIFO,
		[TSK_FS_META_TYPE_CHR] = AN_TYPE_CHAR_DEVICE,
		[TSK_FS_META_TYPE_BLK] = AN_TYPE_BLOCK_DEVICE,
		[TSK_FS_META_TYPE_LNK] = AN_TYPE_LINK,
		[TSK_FS_META_TYPE_SHAD] = AN_TYPE_SHADOW,
		[TSK_FS_META_TYPE_SOCK] = AN_TYPE_SOCKET,
		[TSK_FS_META_TYPE_WHT] = AN_TYPE_WHITEOUT,
		[TSK_FS_META_TYPE_VIRT] = AN_TYPE_VIRTUAL,
		[TSK_FS_META_TYPE_VIRT_DIR] = AN_TYPE_VIRTUAL_FOLDER,
	};
	return (size_t)type < sizeof types ? types[type] : AN_TYPE_UNKNOWN;
}

static uint8_t type_of_name(TSK_FS_NAME_TYPE_ENUM type)
{
	static const uint8_t types[] = {
		[TSK_FS_NAME_TYPE_FIFO] = AN_TYPE_FIFO,
		[TSK_FS_NAME_TYPE_CHR] = AN_TYPE_CHAR_DEVICE,
		[TSK_FS_NAME_TYPE_DIR] = AN_TYPE_FOLDER,
		[TSK_FS_NAME_TYPE_BLK] = AN_TYPE_BLOCK_DEVICE,
		[TSK_FS_NAME_TYPE_REG] = AN_TYPE_REGULAR,
		[TSK_FS_NAME_TYPE_LNK] = AN_TYPE_LINK,
		[TSK_FS_NAME_TYPE_SOCK] = AN_TYPE_SOCKET,
		[TSK_FS_NAME_TYPE_SHAD] = AN_TYPE_SHADOW,
		[TSK_FS_NAME_TYPE_WHT] = AN_TYPE_WHITEOUT,
		[TSK_FS_NAME_TYPE_VIRT] = AN_TYPE_VIRTUAL,
		[TSK_FS_NAME_TYPE_VIRT_DIR] = AN_TYPE_VIRTUAL_FOLDER,
	};
	return (size_t)type < sizeof types ? types[type] : AN_TYPE_UNKNOWN;
}

/* libtsk says 0 where a file system keeps no such time. Nanoseconds of damaged inodes can be more than a second: then
 * the seconds alone are kept. */
static int64_t time_of(int64_t sec, int64_t nsec)
{
	int64_t ns;
	if (nsec < 0 || nsec >= CO_NS_PER_S)
		nsec = 0;
	if ((sec == 0 && nsec == 0) || !co_time_make(sec, (uint32_t)nsec, &ns))
		return CO_TIME_NONE;
	return ns;
}

static void fill_times(struct an_file *ret, const TSK_FS_FILE *file)
{
	const TSK_FS_META *m = file->meta;
	ret->time[AN_ATIME] = time_of(m->atime, m->atime_nano);
	ret->time[AN_MTIME] = time_of(m->mtime, m->mtime_nano);
	ret->time[AN_CTIME] = time_of(m->ctime, m->ctime_nano);
	ret->time[AN_CRTIME] = time_of(m->crtime, m->crtime_nano);
	if (TSK_FS_TYPE_ISEXT(file->fs_info->ftype))
		ret->time[AN_DTIME] = time_of(m->time2.ext2.dtime, m->time2.ext2.dtime_nano);
}

static void fill_name_times(struct an_file *ret, const TSK_FS_META *m)
{
	ret->time[AN_ATIME] = time_of(m->time2.ntfs.fn_atime, m->time2.ntfs.fn_atime_nano);
	ret->time[AN_MTIME] = time_of(m->time2.ntfs.fn_mtime, m->time2.ntfs.fn_mtime_nano);
	ret->time[AN_CTIME] = time_of(m->time2.ntfs.fn_ctime, m->time2.ntfs.fn_ctime_nano);
	ret->time[AN_CRTIME] = time_of(m->time2.ntfs.fn_crtime, m->time2.ntfs.fn_crtime_nano);
}

static void fill_inode(struct an_file *ret, const TSK_FS_FILE *file)
{
	const TSK_FS_META *m = file->meta;
	ret->flags |= AN_META_KNOWN;
	if (m->flags & TSK_FS_META_FLAG_ALLOC)
		ret->flags |= AN_META_ALLOCATED;
	ret->type = type_of_inode(m->type);
	ret->mode = (uint16_t)((unsigned)m->mode & 07777);
	ret->uid = m->uid;
	ret->gid = m->gid;
	ret->nlink = m->nlink > 0 ? (uint32_t)m->nlink : 0;
	ret->size = m->size > 0 ? (uint64_t)m->size : 0;
	if (m->type == TSK_FS_META_TYPE_LNK)
		ret->link = m->link;
	fill_times(ret, file);
}

const char *an_row_stream(const TSK_FS_ATTR *attr)
{
	if (!attr || !attr->name || attr->type == TSK_FS_ATTR_TYPE_NTFS_FNAME)
		return NULL;
	if (attr->type == TSK_FS_ATTR_TYPE_NTFS_IDXROOT && strcmp(attr->name, "$I30") == 0)
		return NULL;
	return attr->name;
}

void an_row_fill(struct an_file *ret, const TSK_FS_FILE *file, const TSK_FS_ATTR *attr)
{
	*ret = (struct an_file) { .inode = file->name->meta_addr, .name_type = type_of_name(file->name->type) };
	for (size_t i = 0; i < AN_TIME_N; i++)
		ret->time[i] = CO_TIME_NONE;
	if (!(file->name->flags & TSK_FS_NAME_FLAG_UNALLOC))
		ret->flags |= AN_NAME_ALLOCATED;
	/* libtsk leaves an empty structure behind when it can't read an inode. */
	if (file->meta && (file->meta->type != TSK_FS_META_TYPE_UNDEF || file->meta->flags != 0))
		fill_inode(ret, file);
	if (!attr)
		return;
	ret->attr_type = (uint16_t)attr->type;
	ret->attr_id = attr->id;
	ret->size = attr->size > 0 ? (uint64_t)attr->size : 0;
	if (an_row_stream(attr))
		ret->flags |= AN_STREAM;
	if (attr->type == TSK_FS_ATTR_TYPE_NTFS_FNAME) {
		ret->flags |= AN_NTFS_NAME_TIMES;
		fill_name_times(ret, file->meta);
	}
}
