/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/verify.h"

#include <fcntl.h>
#include <unistd.h>

#include "acquire/blocks.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "e01/reader.h"
#include "run/cancel.h"

#define BUFFER ((size_t)IM_BLOCK_SIZE)
#define BUFFER_MAX ((size_t)64 << 20)
#define RING_BYTES ((size_t)24 << 20)
#define RING_MIN 4

struct decode {
	const struct im_decode_opts *opts;
	struct co_bufs *bufs;
	struct im_reader *reader;
	struct im_media *media;
	struct im_blocks_checker blocks;
	bool compare; /* the file of block digests could be opened */
};

/* Reads go through whole buffers. They consist of whole chunks, so that a damaged one has one number, and of whole
 * pages. Our own images have chunks of 32 KiB; foreign ones may have any number of sectors. 0: more than we take. */
static size_t buffer_size(uint32_t chunk)
{
	size_t size = chunk % 4096 == 0 ? chunk : (size_t)chunk * 8;

	if (chunk == 0)
		return 0;
	if (BUFFER % chunk == 0)
		return BUFFER;
	while (size * 2 <= BUFFER)
		size *= 2;
	return size <= BUFFER_MAX ? size : 0;
}

static int open_blocks(struct decode *d, size_t buffer, uint64_t bytes, struct co_err *ret)
{
	if (buffer % IM_BLOCK_SIZE != 0)
		return co_err_set(ret, CO_ERR_UNSUPPORTED, 0, "chunks of this size can't be compared with %s",
				  d->opts->blocks);
	return im_blocks_open(&d->blocks, d->opts->blocks, bytes, ret);
}

static void take_block(void *arg, uint64_t index, const uint8_t sha256[32])
{
	struct decode *d = arg;

	if (d->compare)
		im_blocks_check(&d->blocks, index, sha256);
	if (d->opts->block)
		d->opts->block(d->opts->block_arg, index, sha256);
}

static int set_up(struct decode *d, struct im_decoded *ret, struct co_err *err)
{
	const struct im_decode_opts *o = d->opts;
	uint32_t chunk = co_e01_info(o->image)->chunk_size;
	uint64_t bytes = o->bytes ? o->bytes : o->image->size;
	size_t buffer = buffer_size(chunk);
	unsigned ring = (unsigned)co_max_u64(RING_MIN, buffer ? RING_BYTES / buffer : 0);
	struct im_reader_opts reader = {
		.source = o->image, .unit = chunk, .workers = o->threads, .ahead = ring / 2, .is_image = true
	};
	struct im_media_opts media = {
		.set = o->set, .depth = ring, .buffer_size = buffer, .bytes = bytes, .padded_bytes = o->image->size
	};
	int r;

	if (!buffer)
		return co_err_set(err, CO_ERR_UNSUPPORTED, 0, "chunks of %u bytes can't be decoded", chunk);
	d->compare = o->blocks && open_blocks(d, buffer, bytes, &ret->blocks) == 0;
	if (d->compare || o->block) {
		media.block = take_block;
		media.block_arg = d;
	}
	r = co_bufs_open(&d->bufs, ring, buffer, err);
	reader.bufs = d->bufs;
	if (r == 0)
		r = im_media_open(&d->media, &media, err);
	return r < 0 ? r : im_reader_open(&d->reader, &reader, err);
}

static int run(struct decode *d, struct co_err *err)
{
	uint64_t bad = 0;
	struct co_buf *buf;
	int r;

	for (;;) {
		im_reader_fill(d->reader);
		r = im_reader_next(d->reader, &buf, err);
		if (r == 2) {
			co_buf_unref(co_bufs_lend(d->bufs));
			continue;
		}
		if (r != 0)
			return r < 0 ? r : 0;
		r = im_media_add(d->media, buf, err);
		if (r == 0 && d->opts->each)
			r = d->opts->each(d->opts->each_arg, buf, err);
		co_progress_add(d->opts->progress, buf->len);
		co_buf_unref(buf);
		co_progress_errors(d->opts->progress, im_reader_bad(d->reader)->total - bad);
		bad = im_reader_bad(d->reader)->total;
		if (r == 0)
			r = co_cancel_check(err);
		if (r < 0)
			return r;
	}
}

static int copy_ranges(struct im_ranges *to, const struct im_ranges *from, struct co_err *err)
{
	for (size_t i = 0; i < from->list.n; i++)
		if (im_ranges_add(to, from->list.at[i].first, from->list.at[i].count) < 0)
			return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the list of damaged places");
	return 0;
}

static int collect(struct decode *d, struct im_decoded *ret, struct co_err *err)
{
	int r = im_media_finish(d->media, &ret->digests, err);

	if (r == 0)
		r = copy_ranges(&ret->damaged, im_reader_bad(d->reader), err);
	if (r == 0 && d->compare) {
		im_blocks_end(&d->blocks, &ret->blocks);
		r = copy_ranges(&ret->differing, &d->blocks.differing, err);
	}
	return r;
}

int im_decode(struct im_decoded *ret, const struct im_decode_opts *opts, struct co_err *err)
{
	struct decode d = { .opts = opts };
	struct im_decoded result = { 0 };
	int r;

	co_progress_phase(opts->progress, opts->phase ? opts->phase : "verify", opts->image->size, "bytes");
	r = set_up(&d, &result, err);
	if (r == 0)
		r = run(&d, err);
	if (r == 0)
		r = collect(&d, &result, err);
	im_reader_close(d.reader);
	im_media_close(d.media);
	co_bufs_close(d.bufs);
	im_blocks_close(&d.blocks);
	if (r < 0) {
		im_decoded_free(&result);
		return r;
	}
	*ret = result;
	return 0;
}

void im_decoded_free(struct im_decoded *d)
{
	im_ranges_free(&d->damaged);
	im_ranges_free(&d->differing);
}

void im_drop_cache(const char *file)
{
	CO_CLEANUP_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}
