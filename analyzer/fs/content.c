/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/content.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "image/tsk.h"
#include "run/cancel.h"
#include "store/resolve.h"

#define PART_MAX ((size_t)1 << 20)
#define BELIEVED 4 /* times the volume: larger sizes are not believed */

struct reading {
	struct an_fs *fs;
	const TSK_FS_ATTR *attr;
	char *buf;
};

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
}

static bool read_exactly(const struct reading *r, uint64_t off, char *buf, size_t len)
{
	uint64_t bad = r->fs->image->n_bad;
	tsk_error_reset();
	ssize_t got = tsk_fs_attr_read(r->attr, (TSK_OFF_T)off, buf, len, TSK_FS_FILE_READ_FLAG_NONE);
	return got == (ssize_t)len && r->fs->image->n_bad == bad;
}

/* As much as can be read of @len bytes at @off. When the whole can't, block by block: libtsk does not say how many of
 * the bytes of a read that failed are good. */
static size_t read_good(const struct reading *r, uint64_t off, size_t len)
{
	if (read_exactly(r, off, r->buf, len))
		return len;
	size_t block = r->fs->fs->block_size ? r->fs->fs->block_size : 512;
	size_t good = 0;
	while (good < len) {
		size_t n = (size_t)co_min_u64(block - (off + good) % block, len - good);
		if (!read_exactly(r, off + good, r->buf + good, n))
			break;
		good += n;
	}
	return good;
}

/* Where the last stored byte of the attribute lies; 0: nothing is stored. */
static uint64_t stored_end(const struct reading *r)
{
	uint64_t end = 0;
	if (r->attr->flags & TSK_FS_ATTR_RES)
		return r->attr->rd.buf_size;
	for (const TSK_FS_ATTR_RUN *run = r->attr->nrd.run; run; run = run->next) {
		uint64_t at;
		if (run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER))
			continue;
		if (co_add(run->offset, run->len, &at) && co_mul(at, (uint64_t)r->fs->fs->block_size, &at))
			end = co_max_u64(end, at);
	}
	return end;
}

static int failure(const struct reading *r, uint64_t off, struct co_err *err)
{
	char reason[256];
	if (r->fs->image->lost.code < 0) {
		*err = r->fs->image->lost;
		return err->code;
	}
	co_err_set(err, CO_ERR_FORMAT, 0, "it can't be read from byte %" PRIu64 " on: %s", off, an_tsk_reason(reason));
	return 1;
}

static int read_all(const struct reading *r, uint64_t size, an_content_fn *fn, void *arg, struct co_err *err)
{
	uint64_t end = size, most;
	bool believed = co_mul(r->fs->length, (uint64_t)BELIEVED, &most) && size <= most;
	if (!believed)
		end = co_min_u64(size, co_min_u64(stored_end(r), most));
	for (uint64_t off = 0; off < end;) {
		size_t want = (size_t)co_min_u64(PART_MAX, end - off);
		size_t good = read_good(r, off, want);
		int code = good ? fn(arg, r->buf, good, err) : 0;
		if (code == 0)
			code = co_cancel_check(err);
		if (code != 0)
			return code;
		off += good;
		if (good < want)
			return failure(r, off, err);
	}
	if (believed)
		return 0;
	co_err_set(err, CO_ERR_FORMAT, 0, "its size of %" PRIu64 " bytes is not plausible; stored are %" PRIu64, size,
		   end);
	return 1;
}

static const TSK_FS_ATTR *attribute(TSK_FS_FILE *file, const struct an_file *row)
{
	if (row->attr_type == 0)
		return tsk_fs_file_attr_get(file);
	return tsk_fs_file_attr_get_type(file, (TSK_FS_ATTR_TYPE_ENUM)row->attr_type, row->attr_id, 1);
}

static int read_attribute(struct reading *r, an_content_fn *fn, void *arg, struct co_err *err)
{
	if (r->attr->size <= 0)
		return 0;
	uint64_t size = (uint64_t)r->attr->size;
	r->buf = malloc((size_t)co_min_u64(size, PART_MAX));
	if (!r->buf)
		return no_memory(err);
	int code = read_all(r, size, fn, arg, err);
	free(r->buf);
	return code;
}

int an_content_read(struct an_fs *fs, const struct an_file *file, an_content_fn *fn, void *arg, struct co_err *err)
{
	char reason[256];
	int code = 1;
	tsk_error_reset();
	TSK_FS_FILE *f = tsk_fs_file_open_meta(fs->fs, NULL, file->inode);
	if (f && f->meta && !an_tsk_is_plausible(fs, f->meta)) {
		co_err_set(err, CO_ERR_FORMAT, 0, "its size of %" PRId64 " bytes is not plausible",
			   (int64_t)f->meta->size);
		tsk_fs_file_close(f);
		return 1;
	}
	struct reading r = { .fs = fs, .attr = f ? attribute(f, file) : NULL };
	if (r.attr)
		code = read_attribute(&r, fn, arg, err);
	else if (f && f->meta && f->meta->size == 0 && file->attr_type == 0 &&
		 !(f->meta->flags & TSK_FS_META_FLAG_COMP))
		code = 0;
	else
		co_err_set(err, CO_ERR_FORMAT, 0, "its content can't be found: %s", an_tsk_reason(reason));
	tsk_fs_file_close(f);
	tsk_error_reset();
	return code;
}

static int reader_fs(struct an_reader *r, uint32_t volume, struct an_fs **ret, struct co_err *err)
{
	if (volume >= r->volumes->list.n)
		return co_err_set(err, CO_ERR_FORMAT, 0, "there is no volume %" PRIu32, volume);
	if (!r->open)
		r->open = calloc(r->volumes->list.n, sizeof(struct an_fs *));
	if (!r->open)
		return no_memory(err);
	if (!r->open[volume]) {
		int code = an_fs_open(&r->open[volume], r->evidence, &r->volumes->list.at[volume], err);
		if (code < 0)
			return code;
	}
	*ret = r->open[volume];
	return 0;
}

struct load {
	struct co_str text;
	size_t max;
};

#define LOAD_FULL 2 /* the code that ends the reading when enough is there */

static int keep(void *arg, const void *bytes, size_t len, struct co_err *err)
{
	struct load *l = arg;
	size_t n = (size_t)co_min_u64(len, l->max - l->text.n);
	co_str_add_n(&l->text, bytes, n);
	if (l->text.failed)
		return no_memory(err);
	return l->text.n == l->max ? LOAD_FULL : 0;
}

int an_reader_load(struct an_reader *r, const struct an_file *file, size_t max, char **ret_bytes, size_t *ret_len,
		   struct co_err *err)
{
	struct an_fs *fs = NULL;
	if (file->type != AN_TYPE_REGULAR && file->type != AN_TYPE_VIRTUAL) {
		co_err_set(err, CO_ERR_FORMAT, 0, "it is not a regular file");
		return 1;
	}
	int code = reader_fs(r, file->volume, &fs, err);
	if (code < 0)
		return code;
	struct load l = { .max = max };
	co_str_add(&l.text, "");
	if (max > 0)
		code = an_content_read(fs, file, keep, &l, err);
	if (l.text.failed)
		code = no_memory(err);
	if (code == 0 || code == LOAD_FULL) {
		*ret_len = l.text.n;
		*ret_bytes = CO_TAKE(l.text.s);
		code = 0;
	}
	co_str_free(&l.text);
	return code;
}

int an_reader_load_path(struct an_reader *r, struct an_files *files, const char *path, size_t max, char **ret_bytes,
			size_t *ret_len, struct co_err *err)
{
	struct an_file *file = NULL;
	int code = an_files_resolve(files, path, &file, err);
	if (code == 1)
		co_err_set(err, CO_ERR_FAILED, 0, "there is no %s in the image", path);
	return code == 0 ? an_reader_load(r, file, max, ret_bytes, ret_len, err) : code;
}

void an_reader_close(struct an_reader *r)
{
	for (size_t i = 0; r->open && i < r->volumes->list.n; i++)
		an_fs_close(r->open[i]);
	free(r->open);
	r->open = NULL;
}
