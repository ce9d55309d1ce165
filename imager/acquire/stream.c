/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/stream.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "read/pipe.h"
#include "run/cancel.h"

struct stream {
	const struct im_stream_opts *opts;
	struct im_record *rec;
	struct im_outputs *outputs;
	struct co_bufs *bufs;
	struct im_media *media;
	struct im_reader *reader; /* of the kept part, then of the source */
	size_t plain;             /* of opts->kept_plain: the first that ends behind what was taken */
	size_t damage;            /* ranges of the kept part that are known to be damaged */
	uint64_t damaged;         /* units of them */
	size_t noted;             /* areas of the reader that are in the record */
	uint64_t joined;          /* as in struct im_areas, when they were noted */
	uint64_t unfinished;      /* units, likewise */
};

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the list of unreadable places");
}

static void add_block(void *arg, uint64_t index, const uint8_t sha256[32])
{
	struct stream *s = arg;

	for (size_t i = 0; i < s->outputs->n; i++)
		im_output_block(&s->outputs->at[i], index, sha256);
}

static int set_up(struct stream *s, struct co_err *err)
{
	const struct im_record *rec = s->rec;
	struct im_media_opts media = { .set = rec->hashes,
				       .depth = IM_STREAM_RING,
				       .buffer_size = IM_STREAM_BUFFER,
				       .bytes = s->opts->source ? rec->media_bytes : UINT64_MAX,
				       .padded_bytes = rec->media_bytes + rec->padding_bytes,
				       .block = rec->block_digests ? add_block : NULL,
				       .block_arg = s };
	int r = im_outputs_each(s->outputs, im_output_open, err);

	if (r == 0)
		r = co_bufs_open_at(&s->bufs, IM_STREAM_RING, IM_STREAM_BUFFER, s->opts->memory, err);
	return r < 0 ? r : im_media_open(&s->media, &media, err);
}

static void tear_down(struct stream *s)
{
	im_reader_close(CO_TAKE(s->reader));
	for (size_t i = 0; i < s->outputs->n; i++)
		im_output_stop(&s->outputs->at[i]);
	im_media_close(CO_TAKE(s->media));
	co_bufs_close(CO_TAKE(s->bufs));
}

/* Gets buffers for the reader back from the compressors, and if need be from the digest lanes. */
static int feed_reader(struct stream *s, struct co_err *err)
{
	while (im_reader_fill(s->reader) > 0) {
		int r = im_outputs_pump(s->outputs, err);

		if (r == 1)
			break;
		if (r < 0)
			return r;
	}
	return 0;
}

/* As im_reader_next, but never 2. */
static int next_buffer(struct stream *s, struct co_buf **ret, struct co_err *err)
{
	for (;;) {
		int r = feed_reader(s, err);

		if (r == 0)
			r = im_reader_next(s->reader, ret, err);
		if (r != 2)
			return r;
		co_buf_unref(co_bufs_lend(s->bufs));
	}
}

/* The next session must know which buffers were stored uncompressed. */
static int note_plain(struct stream *s, const struct co_buf *buf, struct co_err *err)
{
	if (buf->plain && im_ranges_add(&s->rec->plain, buf->off / IM_STREAM_BUFFER, 1) < 0)
		return no_memory(err);
	return 0;
}

static int take_buffer(struct stream *s, struct co_buf *buf, struct co_err *err)
{
	size_t len = buf->len, odd = len % s->rec->sector;
	int r;

	if (odd) {
		memset(buf->data + len, 0, s->rec->sector - odd);
		buf->len += s->rec->sector - odd;
	}
	r = note_plain(s, buf, err);
	if (r == 0)
		r = im_media_add(s->media, buf, err);
	if (r == 0)
		r = im_outputs_put(s->outputs, buf, err);
	co_buf_unref(buf);
	if (r < 0)
		return r;
	s->rec->read_bytes += len;
	co_progress_add(s->opts->progress, len);
	return 0;
}

/* Takes the buffer if what was noted about it went well (@noted is 0), and lets the outputs save how far that is. */
static int go_on(struct stream *s, struct co_buf *buf, int noted, struct co_err *err)
{
	int r = noted;

	if (r == 0)
		r = take_buffer(s, buf, err);
	else
		co_buf_unref(buf);
	if (r == 0)
		r = im_outputs_each(s->outputs, im_output_save, err);
	return r < 0 ? r : co_cancel_check(err);
}

/* --- the part that an earlier session has stored --- */

/* Stored again as it was: what was to be patched still can be. Buffers come in order. */
static bool was_plain(struct stream *s, const struct co_buf *buf)
{
	const struct im_ranges *plain = s->opts->kept_plain;
	uint64_t block = buf->off / IM_STREAM_BUFFER;

	while (plain && s->plain < plain->list.n &&
	       plain->list.at[s->plain].first + plain->list.at[s->plain].count <= block)
		s->plain++;
	return plain && s->plain < plain->list.n && plain->list.at[s->plain].first <= block;
}

/* A crash may have torn a chunk that was just patched: what it held is read from the source once more. */
static int take_damage(struct stream *s, const struct co_buf *buf, struct co_err *err)
{
	const struct im_ranges *bad = im_reader_bad(s->reader);

	if (bad->total != s->damaged && !buf->plain)
		return co_err_set(err, CO_ERR_FAILED, 0,
				  "what an earlier session has stored is damaged at byte %" PRIu64, buf->off);
	s->damaged = bad->total;
	for (; s->damage < bad->list.n; s->damage++)
		if (im_areas_set(&s->rec->areas, bad->list.at[s->damage].first, bad->list.at[s->damage].count,
				 IM_NON_TRIED) < 0)
			return no_memory(err);
	return 0;
}

static int take_kept(struct stream *s, struct co_err *err)
{
	struct co_buf *buf;
	int r;

	while ((r = next_buffer(s, &buf, err)) == 0) {
		buf->plain = was_plain(s, buf);
		r = go_on(s, buf, take_damage(s, buf, err), err);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : 0;
}

static int copy_kept(struct stream *s, struct co_err *err)
{
	CO_CLEANUP_SOURCE struct co_source part = CO_SOURCE_NONE;
	struct im_reader_opts reader = { .source = &part,
					 .bufs = s->bufs,
					 .unit = s->rec->sector,
					 .workers = IM_STREAM_READERS,
					 .ahead = IM_STREAM_AHEAD,
					 .is_image = true };
	int r;

	if (!s->opts->kept_bytes)
		return 0;
	r = co_source_open_slice(&part, s->opts->kept, 0, s->opts->kept_bytes, err);
	if (r == 0)
		r = im_reader_open(&s->reader, &reader, err);
	if (r == 0)
		r = take_kept(s, err);
	im_reader_close(CO_TAKE(s->reader));
	return r;
}

/* --- the rest --- */

/* Adds to the record what the reader has skipped since. The last area that was noted may have grown. */
static int note_areas(struct stream *s, struct co_err *err)
{
	const struct im_areas *found = im_reader_areas(s->reader);
	uint64_t unfinished = im_areas_unfinished(found);

	if (unfinished == s->unfinished)
		return 0;
	if (found->joined != s->joined)
		s->noted = 0;
	for (size_t i = s->noted ? s->noted - 1 : 0; i < found->list.n; i++)
		if (im_areas_set(&s->rec->areas, found->list.at[i].first, found->list.at[i].count,
				 found->list.at[i].state) < 0)
			return no_memory(err);
	co_progress_errors(s->opts->progress, unfinished - s->unfinished);
	s->noted = found->list.n;
	s->joined = found->joined;
	s->unfinished = unfinished;
	return 0;
}

static int take_source(struct stream *s, struct co_err *err)
{
	struct co_buf *buf;
	int r;

	for (;;) {
		r = next_buffer(s, &buf, err);
		if (r != 0)
			return r < 0 ? r : 0;
		buf->plain |= was_plain(s, buf);
		r = go_on(s, buf, note_areas(s, err), err);
		if (r < 0)
			return r;
	}
}

/* What an earlier session found behind the kept part may be otherwise now, and is stored anew. */
static int forget_areas(struct stream *s, struct co_err *err)
{
	uint64_t units = (s->rec->media_bytes + s->rec->sector - 1) / s->rec->sector;
	uint64_t kept = s->opts->kept_bytes / s->rec->sector;

	return kept < units && im_areas_set(&s->rec->areas, kept, units - kept, IM_FINISHED) < 0 ? no_memory(err) : 0;
}

static int copy_source(struct stream *s, struct co_err *err)
{
	struct im_reader_opts reader = { .source = s->opts->source,
					 .bufs = s->bufs,
					 .unit = s->rec->sector,
					 .workers = IM_STREAM_READERS,
					 .ahead = IM_STREAM_AHEAD,
					 .begin = s->opts->kept_bytes,
					 .skip = true };
	int r = forget_areas(s, err);

	if (r == 0)
		r = im_reader_open(&s->reader, &reader, err);
	if (r == 0)
		r = take_source(s, err);
	if (s->reader)
		s->rec->good = im_reader_good(s->reader);
	return r;
}

/* --- a stream --- */

/* A buffer of the ring; the outputs and the digests have to give one back if there is none. */
static int lend(struct stream *s, struct co_buf **ret, struct co_err *err)
{
	int r = 0;

	while (r == 0 && !(*ret = co_bufs_try_lend(s->bufs)))
		r = im_outputs_pump(s->outputs, err);
	if (r == 1)
		*ret = co_bufs_lend(s->bufs);
	return r < 0 ? r : 0;
}

/* The end has been seen at @end. */
static void set_size(struct stream *s, uint64_t end)
{
	struct im_record *rec = s->rec;

	rec->media_bytes = rec->guard->device.size = end;
	rec->padding_bytes = (rec->sector - end % rec->sector) % rec->sector;
	im_media_set_size(s->media, end);
	for (size_t i = 0; i < s->outputs->n; i++)
		im_output_sized(&s->outputs->at[i]);
}

static int copy_stream(struct stream *s, struct co_err *err)
{
	struct co_buf *buf = NULL;
	int r;

	for (;;) {
		r = lend(s, &buf, err);
		if (r < 0)
			return r;
		buf->off = s->rec->read_bytes;
		r = im_pipe_read(s->opts->fd, buf->data, buf->cap, &buf->len, err);
		if (r == 0 && buf->off + buf->len == 0)
			r = co_err_set(err, CO_ERR_FAILED, 0, "standard input is empty");
		if (r == 0 && buf->len < buf->cap)
			set_size(s, buf->off + buf->len);
		if (r < 0 || buf->len == 0) {
			co_buf_unref(buf);
			return r;
		}
		r = take_buffer(s, buf, err);
		if (r < 0 || s->rec->media_bytes)
			return r;
	}
}

static int finish(struct stream *s, struct co_err *err)
{
	struct im_record *rec = s->rec;
	int r = im_media_finish(s->media, &rec->digests, err);

	if (r < 0)
		return r;
	rec->have_digests = true;
	im_outputs_tell(s->outputs, "source-read", "the source was read to its end, %" PRIu64 " bytes",
			rec->read_bytes);
	return im_outputs_each(s->outputs, im_output_finish, err);
}

int im_stream(const struct im_stream_opts *opts, struct co_err *err)
{
	struct stream s = { .opts = opts, .rec = opts->rec, .outputs = opts->outputs };
	int r = set_up(&s, err);

	if (r == 0) {
		co_progress_phase(opts->progress, "acquire", opts->rec->media_bytes, "bytes");
		r = copy_kept(&s, err);
	}
	if (r == 0)
		r = opts->source ? copy_source(&s, err) : copy_stream(&s, err);
	if (r == 0)
		r = finish(&s, err);
	tear_down(&s);
	return r;
}
