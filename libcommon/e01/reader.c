/* SPDX-License-Identifier: Apache-2.0 */
#include "e01/reader.h"

#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "e01/image.h"

/* Longer reads than this many chunks are of programs that go through the image once: they are not kept. Nor are chunks
 * that are read whole and cost no more to load than to copy. */
enum { KEPT_CHUNKS = 4 };

/* [off, off + len) of a chunk, through the cache. */
static int read_part(struct co_e01_image *img, struct co_e01_scratch *s, uint64_t chunk, size_t off, size_t len,
		     void *buf, struct co_err *err)
{
	size_t got;
	if (co_e01_cache_get(img->cache, chunk, off, len, buf))
		return 0;
	if (img->ahead && co_e01_ahead_wait(img->ahead, chunk) && co_e01_cache_get(img->cache, chunk, off, len, buf))
		return 0;
	if (!s->inflated)
		s->inflated = malloc(img->info.chunk_size);
	if (!s->inflated)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a chunk of %u bytes", img->info.chunk_size);
	int r = co_e01_chunk_load(img, s, chunk, co_e01_chunk_len(img, chunk), s->inflated, img->info.chunk_size, &got,
				  err);
	if (r)
		return r;
	memcpy(buf, s->inflated + off, len);
	co_e01_cache_put(img->cache, chunk, &s->inflated);
	return 0;
}

/* How many of @n chunks come before the first that read ahead has, or will have, in the cache. */
static size_t count_cold(const struct co_e01_image *img, uint64_t chunk, size_t n)
{
	size_t k = 0;
	if (!img->ahead)
		return n;
	while (k < n && !co_e01_ahead_has(img->ahead, chunk + k) && !co_e01_cache_has(img->cache, chunk + k))
		k++;
	return k;
}

static int read_e01(void *self, void *buf, size_t len, uint64_t off, size_t *ret_good, struct co_err *err)
{
	struct co_e01_image *img = self;
	size_t chunk_size = img->info.chunk_size, good = 0;
	int r = 0;
	struct co_e01_scratch *s = co_e01_scratch_borrow(img, err);
	if (!s)
		return CO_ERR_NOMEM;
	if (img->ahead)
		co_e01_ahead_note(img->ahead, off, len);
	while (r == 0 && good < len) {
		uint64_t chunk = (off + good) / chunk_size;
		size_t in_chunk = (size_t)((off + good) % chunk_size), whole = 0;
		size_t n = (size_t)co_min_u64(chunk_size - in_chunk, len - good);
		uint8_t *to = (uint8_t *)buf + good;
		if (n == chunk_size && len / chunk_size > KEPT_CHUNKS)
			whole = count_cold(img, chunk, (len - good) / chunk_size);
		else if (n == chunk_size)
			whole = !co_e01_chunk_is_costly(img, chunk);
		if (whole) {
			r = co_e01_chunk_load_whole(img, s, chunk, whole, to, &whole, err);
			good += whole * chunk_size;
		} else {
			r = read_part(img, s, chunk, in_chunk, n, to, err);
			good += r == 0 ? n : 0;
		}
	}
	co_e01_scratch_return(img, s);
	if (r >= 0)
		*ret_good = good;
	return r;
}

static void close_e01(void *self)
{
	struct co_e01_image *img = self;
	co_e01_ahead_close(img->ahead);
	co_e01_scratch_free(img);
	for (size_t i = 0; i < CO_E01_TEXT_N; i++)
		free(img->texts[i]);
	co_e01_cache_close(img->cache);
	co_e01_table_free(&img->table);
	co_e01_files_close(img->files);
	co_e01_set_free(&img->set);
	co_e01_notes_free(&img->notes);
	co_vec_free(&img->errors);
	pthread_mutex_destroy(&img->lock);
	free(img);
}

static const struct co_source_ops ops = { "e01", read_e01, close_e01 };

static uint64_t chunks_in(const struct co_e01_info *info)
{
	return info->media_size / info->chunk_size + (info->media_size % info->chunk_size != 0);
}

/*
 * Media that are not a multiple of the sector size: ewfacquire stores all bytes in the last chunk and digests all of
 * them, but counts whole sectors only (and one chunk more, if the tail is all that chunk holds). So the size is what
 * the last chunk really holds, when that is less than one sector more than the sectors say.
 */
static int find_tail(struct co_e01_image *img, struct co_err *err)
{
	struct co_e01_info *info = &img->info;
	uint64_t sectors_size = info->media_size, n = chunks_in(info);
	if (sectors_size % info->chunk_size == 0 && img->table.n == n + 1 && img->volume.n_chunks == n + 1)
		n++;
	if (n == 0)
		return 0;
	uint64_t last = n - 1;
	struct co_e01_scratch *s = co_e01_scratch_borrow(img, err);
	if (!s)
		return CO_ERR_NOMEM;
	if (!s->inflated)
		s->inflated = malloc(info->chunk_size);
	int r = s->inflated ? 0
			    : co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a chunk of %u bytes", info->chunk_size);
	uint64_t first = last * info->chunk_size;
	size_t got = 0, expect = first < sectors_size ? (size_t)(sectors_size - first) : 0;
	if (r == 0 && expect < info->chunk_size) {
		struct co_e01_place p;
		if (co_e01_table_place(&img->table, last, &p) == 0 && !p.compressed && p.len > (uint64_t)expect + 4 &&
		    p.len - 4 <= info->chunk_size)
			expect = (size_t)p.len -
				 4; /* raw: its length is stored, and the checksum tells if it is right */
		if (co_e01_chunk_load(img, s, last, expect, s->inflated, info->chunk_size, &got, NULL) == 0 &&
		    first + got > sectors_size && first + got - sectors_size < info->sector_size)
			info->media_size = first + got;
	}
	co_e01_scratch_return(img, s);
	return r;
}

/* The sizes, the tables against them, and the strings of the image. */
static int fill_info(struct co_e01_image *img, const struct co_e01_opts *opts, struct co_err *err)
{
	struct co_e01_info *info = &img->info;
	const struct co_e01_volume *v = &img->volume;
	info->sector_size = v->sector_size;
	info->chunk_size = v->sectors_per_chunk * v->sector_size;
	info->media_size = v->sectors * v->sector_size;
	info->n_segments = (unsigned)img->set.names.n;
	info->media_type = v->media_type;
	info->media_flags = v->media_flags;
	info->compression = v->compression;
	memcpy(info->guid, v->guid, sizeof info->guid);
	img->in_cap = (size_t)info->chunk_size + info->chunk_size / 8 + 1024;
	uint64_t lost = 0, n = chunks_in(info);
	uint64_t behind = img->partial && n > img->table.n ? n - img->table.n : 0; /* in segments that are not there */
	int r = behind ? co_e01_table_add_gap(&img->table, info->n_segments - 1, err) : 0;
	if (r == 0)
		r = co_e01_table_finish(&img->table, n, &lost, err);
	if (r < 0)
		return r;
	if (img->table.n > n + 1)
		co_e01_note(&img->notes, "%s: its tables list %llu chunks, but the medium has %llu",
			    img->set.names.at[0], (unsigned long long)img->table.n, (unsigned long long)n);
	if (lost > behind)
		co_e01_note(&img->notes, "%s: %llu of %llu chunks are unreadable: no valid table lists them",
			    img->set.names.at[0], (unsigned long long)lost, (unsigned long long)n);
	r = find_tail(img, err);
	info->n_chunks = chunks_in(info);
	info->present = co_min_u64(co_e01_table_unbroken(&img->table) * info->chunk_size, info->media_size);
	if (r == 0 && info->media_size == 0)
		r = co_err_set(err, CO_ERR_FORMAT, 0, "%s describes an empty medium", img->set.names.at[0]);
	if (r == 0)
		r = co_e01_cache_open(&img->cache, opts->cache_bytes, info->chunk_size, info->n_chunks, err);
	return r;
}

static void fill_strings(struct co_e01_image *img)
{
	struct co_e01_info *info = &img->info;
	if (img->notes.left_out)
		co_e01_note(&img->notes, "and %zu more", img->notes.left_out);
	info->case_number = img->texts[CO_E01_CASE_NUMBER];
	info->evidence_number = img->texts[CO_E01_EVIDENCE_NUMBER];
	info->examiner = img->texts[CO_E01_EXAMINER];
	info->description = img->texts[CO_E01_DESCRIPTION];
	info->notes = img->texts[CO_E01_NOTES];
	info->acquiry_date = img->texts[CO_E01_ACQUIRY_DATE];
	info->system_date = img->texts[CO_E01_SYSTEM_DATE];
	info->software_version = img->texts[CO_E01_SOFTWARE_VERSION];
	info->operating_system = img->texts[CO_E01_OPERATING_SYSTEM];
	info->model = img->texts[CO_E01_MODEL];
	info->serial = img->texts[CO_E01_SERIAL];
	info->segment_names = (const char *const *)img->set.names.at;
	info->errors = (const uint64_t(*)[2])img->errors.at;
	info->n_errors = img->errors.n;
	info->warnings = (const char *const *)img->notes.list.at;
	info->n_warnings = img->notes.list.n;
}

static int open_image(struct co_e01_image *img, const char *const *names, size_t n, const struct co_e01_opts *opts,
		      struct co_err *err)
{
	img->partial = opts->partial;
	int r = co_e01_set_find(&img->set, names, n, opts->partial, &img->notes, err);
	if (r == 0)
		r = co_e01_files_open(&img->files, (const char *const *)img->set.names.at, img->set.names.n, err);
	if (r == 0)
		r = co_e01_image_scan(img, err);
	if (r == 0)
		r = fill_info(img, opts, err);
	if (r == 0)
		fill_strings(img);
	if (r == 0 && img->notes.failed)
		r = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the warnings about %s", names[0]);
	if (r == 0)
		r = co_e01_ahead_open(&img->ahead, img, opts->ahead, err);
	return r;
}

int co_e01_open(struct co_source *ret, const char *const *names, size_t n, const struct co_e01_opts *opts,
		struct co_err *err)
{
	if (n == 0)
		return co_err_set(err, CO_ERR_USAGE, 0, "no E01 file was named");
	struct co_e01_image *img = calloc(1, sizeof *img);
	if (!img)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory to open %s", names[0]);
	pthread_mutex_init(&img->lock, NULL);
	int r = open_image(img, names, n, opts ? opts : &(struct co_e01_opts) { 0 }, err);
	if (r < 0) {
		close_e01(img);
		return r;
	}
	*ret = (struct co_source) { &ops, img, img->info.media_size, img->info.sector_size };
	return 0;
}

const struct co_e01_info *co_e01_info(const struct co_source *src)
{
	return &((const struct co_e01_image *)src->self)->info;
}

int co_e01_locate(const struct co_source *src, uint64_t media_off, const char **ret_file, uint64_t *ret_first,
		  uint64_t *ret_len)
{
	const struct co_e01_image *img = src->self;
	if (media_off >= img->info.media_size)
		return 1;
	uint64_t chunk = media_off / img->info.chunk_size;
	const struct co_e01_group *g = co_e01_table_group(&img->table, chunk);
	*ret_file = co_e01_files_name(img->files, g ? g->file : 0);
	*ret_first = chunk * img->info.chunk_size;
	*ret_len = co_e01_chunk_len(img, chunk);
	return 0;
}
