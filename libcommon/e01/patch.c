/* SPDX-License-Identifier: Apache-2.0 */
#include "e01/patch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "e01/amend.h"
#include "e01/image.h"
#include "e01/segment.h"
#include "io/sink.h"

enum { SUM_SIZE = 4 };

struct co_e01_patch {
	struct co_source source;
	struct co_e01_image *img; /* inside of it */
	bool mend;
	int fd; /* of the segment that was written to last, or -1 */
	uint32_t file;
	uint8_t *stored, *again; /* a chunk and its checksum: as it is to be, and as it is in the file */
	unsigned *touched;       /* room for all segments */
	size_t n_touched;
	bool *unsynced; /* of each segment */
};

/* --- opening --- */

static int open_source(struct co_source *ret, const char *stem, unsigned segments, struct co_err *err)
{
	const struct co_e01_opts opts = { .cache_bytes = 1, .partial = true };
	struct co_e01_set set = { 0 };
	int r = co_vec_reserve(&set.names, segments);
	for (unsigned k = 1; r == 0 && k <= segments; k++) {
		char *name = co_e01_segment_name(stem, k);
		if (name)
			set.names.at[set.names.n++] = name;
		else
			r = -1;
	}
	if (r < 0)
		r = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the names of %u segments of %s", segments, stem);
	else
		r = co_e01_open(ret, (const char *const *)set.names.at, set.names.n, &opts, err);
	co_e01_set_free(&set);
	return r;
}

static void free_patch(struct co_e01_patch *p)
{
	if (p->fd >= 0)
		close(p->fd);
	co_source_close(&p->source);
	free(p->stored);
	free(p->again);
	free(p->touched);
	free(p->unsynced);
	free(p);
}

int co_e01_patch_open(struct co_e01_patch **ret, const char *stem, unsigned segments, bool mend, struct co_err *err)
{
	struct co_e01_patch *p = calloc(1, sizeof *p);
	if (!p)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory to change %s", stem);
	p->fd = -1;
	p->mend = mend;
	p->source = CO_SOURCE_NONE;
	int r = open_source(&p->source, stem, segments, err);
	if (r == 0) {
		p->img = p->source.self;
		size_t size = (size_t)p->img->info.chunk_size + SUM_SIZE;
		p->stored = malloc(size);
		p->again = malloc(size);
		p->touched = calloc(p->img->info.n_segments, sizeof *p->touched);
		p->unsynced = calloc(p->img->info.n_segments, sizeof *p->unsynced);
		if (!p->stored || !p->again || !p->touched || !p->unsynced)
			r = co_err_set(err, CO_ERR_NOMEM, 0, "no memory to change %s", stem);
	}
	if (r < 0) {
		free_patch(p);
		return r;
	}
	*ret = p;
	return 0;
}

/* --- writing --- */

/* Where a chunk lies, if it can be changed in place. */
static int find_chunk(const struct co_e01_patch *p, uint64_t chunk, struct co_e01_place *ret, struct co_err *err)
{
	const struct co_e01_image *img = p->img;
	if (co_e01_table_place(&img->table, chunk, ret))
		return co_err_set(err, CO_ERR_FAILED, 0,
				  "%s: chunk %" PRIu64 " is not in this image, so it can't be changed",
				  co_e01_files_name(img->files, img->info.n_segments - 1), chunk);
	const char *name = co_e01_files_name(img->files, ret->file);
	if (ret->compressed)
		return co_err_set(err, CO_ERR_FAILED, 0,
				  "%s: chunk %" PRIu64 " is compressed, so it can't be changed in place", name, chunk);
	if (ret->len < (uint64_t)co_e01_chunk_len(img, chunk) + SUM_SIZE)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s: chunk %" PRIu64 " is too short to be changed", name,
				  chunk);
	return 0;
}

static int check_range(const struct co_e01_patch *p, uint64_t off, size_t len, struct co_err *err)
{
	const struct co_e01_image *img = p->img;
	struct co_e01_place place;
	int r = 0;
	if (!co_in_range(off, len, img->info.media_size))
		return co_err_set(err, CO_ERR_FAILED, 0,
				  "%s: %zu bytes at %" PRIu64 " do not lie within the medium of %" PRIu64 " bytes",
				  co_e01_files_name(img->files, 0), len, off, img->info.media_size);
	if (len == 0)
		return 0;
	uint64_t last = (off + len - 1) / img->info.chunk_size;
	for (uint64_t chunk = off / img->info.chunk_size; r == 0 && chunk <= last; chunk++)
		r = find_chunk(p, chunk, &place, err);
	return r;
}

static int open_file(struct co_e01_patch *p, uint32_t file, struct co_err *err)
{
	const char *name = co_e01_files_name(p->img->files, file);
	if (p->fd >= 0 && p->file == file)
		return 0;
	if (p->fd >= 0 && close(p->fd) < 0) {
		p->fd = -1;
		return co_err_set(err, CO_ERR_OUTPUT, errno, "close %s", co_e01_files_name(p->img->files, p->file));
	}
	p->file = file;
	p->fd = open(name, O_RDWR | O_CLOEXEC);
	return p->fd < 0 ? co_err_set(err, CO_ERR_OUTPUT, errno, "open %s", name) : 0;
}

static void note_touched(struct co_e01_patch *p, uint32_t file)
{
	unsigned number = file + 1;
	size_t i = p->n_touched;
	p->unsynced[file] = true;
	while (i && p->touched[i - 1] > number)
		i--;
	if (i && p->touched[i - 1] == number)
		return;
	memmove(p->touched + i + 1, p->touched + i, (p->n_touched - i) * sizeof *p->touched);
	p->touched[i] = number;
	p->n_touched++;
}

static int read_chunk(const struct co_e01_patch *p, uint64_t off, size_t len, uint8_t *to, struct co_err *err)
{
	int r = co_e01_pread(p->fd, to, len, off, err);
	const char *name = co_e01_files_name(p->img->files, p->file);
	if (r < 0)
		return co_err_wrap(err, "%s", name);
	return r ? co_err_set(err, CO_ERR_FAILED, 0, "%s is shorter than its tables say", name) : 0;
}

/* Replaces [at, at + len) of the chunk at @place, which has @size bytes of the medium. */
static int change_chunk(struct co_e01_patch *p, const struct co_e01_place *place, size_t size, size_t at,
			const uint8_t *data, size_t len, struct co_err *err)
{
	const char *name = co_e01_files_name(p->img->files, place->file);
	int r = open_file(p, place->file, err);
	if (r == 0)
		r = read_chunk(p, place->off, size + SUM_SIZE, p->stored, err);
	if (r < 0)
		return r;
	bool torn = co_le32(p->stored + size) != co_adler32(1, p->stored, size);
	if (torn && !p->mend)
		return co_err_set(err, CO_ERR_FAILED, 0,
				  "%s: the chunk at byte %" PRIu64 " can't be changed: its checksum is wrong", name,
				  place->off);
	memcpy(p->stored + at, data, len);
	co_put_le32(p->stored + size, co_adler32(1, p->stored, size));
	note_touched(p, place->file);
	r = co_e01_amend_write(p->fd, name, p->stored + at, len, place->off + at, err);
	if (r == 0)
		r = co_e01_amend_write(p->fd, name, p->stored + size, SUM_SIZE, place->off + size, err);
	if (r == 0)
		r = read_chunk(p, place->off, size + SUM_SIZE, p->again, err);
	if (r == 0 && memcmp(p->stored, p->again, size + SUM_SIZE) != 0)
		r = co_err_set(err, CO_ERR_OUTPUT, 0,
			       "%s: the chunk at byte %" PRIu64 " is not what was written when it is read back", name,
			       place->off);
	return r < 0 ? r : torn;
}

int co_e01_patch_write(struct co_e01_patch *p, uint64_t off, const void *data, size_t len, struct co_err *err)
{
	const uint8_t *bytes = data;
	size_t chunk_size = p->img->info.chunk_size;
	bool torn = false;
	int r = check_range(p, off, len, err);
	while (r == 0 && len) {
		uint64_t chunk = off / chunk_size;
		size_t at = (size_t)(off % chunk_size), size = co_e01_chunk_len(p->img, chunk);
		size_t n = (size_t)co_min_u64(size - at, len);
		struct co_e01_place place;
		r = find_chunk(p, chunk, &place, err);
		if (r == 0)
			r = change_chunk(p, &place, size, at, bytes, n, err);
		if (r < 0)
			return r;
		torn |= r > 0;
		r = 0;
		off += n;
		bytes += n;
		len -= n;
	}
	return r < 0 ? r : torn;
}

/* --- ending --- */

const unsigned *co_e01_patch_touched(const struct co_e01_patch *p, size_t *ret_n)
{
	*ret_n = p->n_touched;
	return p->touched;
}

int co_e01_patch_sync(struct co_e01_patch *p, struct co_err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < p->n_touched; i++) {
		unsigned file = p->touched[i] - 1;
		if (!p->unsynced[file])
			continue;
		r = co_sync_file(co_e01_files_name(p->img->files, file), err);
		p->unsynced[file] = r < 0;
	}
	return r;
}

int co_e01_patch_close(struct co_e01_patch *p, struct co_err *err)
{
	if (!p)
		return 0;
	int r = co_e01_patch_sync(p, err);
	if (p->fd >= 0 && close(p->fd) < 0 && r == 0)
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "close %s", co_e01_files_name(p->img->files, p->file));
	p->fd = -1;
	free_patch(p);
	return r;
}
