/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/acquire.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>

#include "acquire/blocks.h"
#include "acquire/publish.h"
#include "acquire/verify.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "e01/reader.h"
#include "e01/writer.h"
#include "manifest/bag.h"
#include "read/direct.h"
#include "run/cancel.h"
#include "run/pool.h"
#include "version.h"

#define BUFFER ((size_t)IM_BLOCK_SIZE)
#define RING 24
#define READERS 2
#define AHEAD 6
#define CHUNK 32768
#define SEGMENT_DEFAULT (UINT64_C(1500) << 20)

struct acquire {
	const struct im_acquire_opts *opts;
	struct im_record *rec;
	struct im_bag_files files;
	struct im_events *events;
	struct im_blocks_writer blocks;
	/* while the source is read */
	struct co_source source;
	struct co_bufs *bufs;
	struct im_reader *reader;
	struct im_media *media;
	struct co_e01_writer *writer;
};

static int open_writer(struct acquire *a, struct co_err *err)
{
	const struct im_acquire_opts *o = a->opts;
	const struct im_record *rec = a->rec;
	const struct im_device *d = &rec->guard->device;
	struct utsname u = { 0 };
	struct co_e01_writer_opts w = {
		.media_size = rec->media_bytes + rec->padding_bytes,
		.sector_size = rec->sector,
		.segment_size = rec->segment_limit,
		.compression = o->compression,
		.physical = d->kind == IM_KIND_DISK,
		.removable = d->removable,
		.guid = rec->guid,
		.info = { .case_number = o->info.case_number,
			  .evidence_number = o->info.evidence_number,
			  .examiner = o->info.examiner,
			  .description = o->info.description,
			  .notes = o->info.notes,
			  .model = d->model[0] ? d->model : NULL,
			  .serial = d->serial[0] ? d->serial : NULL,
			  .software_version = CO_VERSION,
			  .operating_system = "Linux",
			  .acquiry_time_ns = o->date_ns == CO_TIME_NONE ? 0 : o->date_ns },
		.workers = rec->compressors,
		.depth = RING,
		.buffer_size = BUFFER,
	};

	if (uname(&u) == 0)
		w.info.operating_system = u.sysname;
	return co_e01_writer_open(&a->writer, a->files.stem, &w, err);
}

static int set_up(struct acquire *a, struct co_err *err)
{
	struct im_record *rec = a->rec;
	struct im_guard *g = rec->guard;
	struct im_media_opts media = { .set = rec->hashes,
				       .depth = RING,
				       .buffer_size = BUFFER,
				       .bytes = rec->media_bytes,
				       .padded_bytes = rec->media_bytes + rec->padding_bytes,
				       .block = im_blocks_add,
				       .block_arg = &a->blocks };
	struct im_reader_opts reader = {
		.source = &a->source, .unit = rec->sector, .workers = READERS, .ahead = AHEAD
	};
	int r = im_blocks_begin(&a->blocks, a->files.blocks, rec->media_bytes, err);

	if (r == 0)
		r = im_direct_open(&a->source, g->fd, g->direct, g->device.path, g->size, g->sector, err);
	if (r == 0)
		r = co_bufs_open(&a->bufs, RING, BUFFER, err);
	reader.bufs = a->bufs;
	if (r == 0)
		r = im_media_open(&a->media, &media, err);
	if (r == 0)
		r = open_writer(a, err);
	return r < 0 ? r : im_reader_open(&a->reader, &reader, err);
}

static void tear_down(struct acquire *a)
{
	im_reader_close(CO_TAKE(a->reader));
	co_e01_writer_close(CO_TAKE(a->writer));
	im_media_close(CO_TAKE(a->media));
	co_bufs_close(CO_TAKE(a->bufs));
	co_source_close(&a->source);
}

/* Gets buffers for the reader back from the compressors, and if need be from the digest lanes. */
static int feed_reader(struct acquire *a, struct co_err *err)
{
	while (im_reader_fill(a->reader) > 0) {
		int r = co_e01_writer_pump(a->writer, err);

		if (r == 1)
			break;
		if (r < 0)
			return r;
	}
	return 0;
}

/* As im_reader_next, but never 2. */
static int next_buffer(struct acquire *a, struct co_buf **ret, struct co_err *err)
{
	for (;;) {
		int r = feed_reader(a, err);

		if (r == 0)
			r = im_reader_next(a->reader, ret, err);
		if (r != 2)
			return r;
		co_buf_unref(co_bufs_lend(a->bufs));
	}
}

static int take_buffer(struct acquire *a, struct co_buf *buf, struct co_err *err)
{
	size_t len = buf->len, odd = len % a->rec->sector;
	int r;

	if (odd) {
		memset(buf->data + len, 0, a->rec->sector - odd);
		buf->len += a->rec->sector - odd;
	}
	r = im_media_add(a->media, buf, err);
	if (r < 0) {
		co_buf_unref(buf);
		return r;
	}
	r = co_e01_writer_put(a->writer, buf, err);
	a->rec->read_bytes += len;
	co_progress_add(a->opts->progress, len);
	return r;
}

static int read_source(struct acquire *a, struct co_err *err)
{
	uint64_t bad = 0;
	struct co_buf *buf;
	int r;

	for (;;) {
		r = next_buffer(a, &buf, err);
		if (r != 0)
			return r < 0 ? r : 0;
		r = take_buffer(a, buf, err);
		if (r == 0)
			r = co_cancel_check(err);
		if (r < 0)
			return r;
		co_progress_errors(a->opts->progress, im_reader_bad(a->reader)->total - bad);
		bad = im_reader_bad(a->reader)->total;
	}
}

static int record_bad(struct acquire *a, struct co_err *err)
{
	const struct im_ranges *bad = im_reader_bad(a->reader);

	for (size_t i = 0; i < bad->list.n; i++) {
		const struct im_range *range = &bad->list.at[i];

		if (im_ranges_add(&a->rec->bad, range->first, range->count) < 0)
			return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the list of unreadable sectors");
		im_events_add(a->events, "unreadable", "sectors %" PRIu64 " to %" PRIu64 " can't be read", range->first,
			      range->first + range->count - 1);
	}
	return 0;
}

static int finish_image(struct acquire *a, unsigned *ret_segments, struct co_err *err)
{
	struct im_record *rec = a->rec;
	int r = im_media_finish(a->media, &rec->digests, err);

	if (r < 0)
		return r;
	rec->have_digests = true;
	im_events_add(a->events, "source-read", "the source was read to its end, %" PRIu64 " bytes", rec->read_bytes);
	for (size_t i = 0; i < rec->bad.list.n; i++) {
		r = co_e01_writer_mark_bad(a->writer, rec->bad.list.at[i].first, rec->bad.list.at[i].count, err);
		if (r < 0)
			return r;
	}
	r = co_e01_writer_finish(a->writer, &rec->digests.padded, ret_segments, err);
	return r < 0 ? r : im_blocks_commit(&a->blocks, err);
}

static int copy(struct acquire *a, unsigned *ret_segments, struct co_err *err)
{
	struct co_err bad = CO_ERR_INIT;
	int r = set_up(a, err);

	if (r == 0) {
		co_progress_phase(a->opts->progress, "acquire", a->rec->media_bytes, "bytes");
		r = read_source(a, err);
		/* Also what was found before an early end belongs into the record. */
		if (record_bad(a, &bad) < 0 && r == 0) {
			*err = bad;
			r = bad.code;
		}
	}
	if (r == 0)
		r = finish_image(a, ret_segments, err);
	tear_down(a);
	im_blocks_abort(&a->blocks);
	return r;
}

static int compare(struct acquire *a, const struct im_decoded *d, struct co_err *err)
{
	struct im_record *rec = a->rec;

	rec->decoded = d->digests;
	rec->verification = IM_VERIFICATION_MISMATCH;
	if (d->blocks.code)
		return co_err_set(err, CO_ERR_MISMATCH, 0, "the image can't be compared by blocks: %s", d->blocks.msg);
	if (d->damaged.total)
		return co_err_set(err, CO_ERR_MISMATCH, 0, "%" PRIu64 " chunks of the image can't be read back",
				  d->damaged.total);
	if (d->differing.total)
		return co_err_set(err, CO_ERR_MISMATCH, 0,
				  "%" PRIu64 " blocks of the image differ from the source, the first at byte %" PRIu64,
				  d->differing.total, d->differing.list.at[0].first * IM_BLOCK_SIZE);
	if (co_digests_differ(&rec->digests.plain, &d->digests.plain) ||
	    co_digests_differ(&rec->digests.padded, &d->digests.padded))
		return co_err_set(err, CO_ERR_MISMATCH, 0, "the digests of the image are not those of the source");
	rec->verification = IM_VERIFICATION_MATCH;
	return 0;
}

/* What the image itself states must be what we computed, too. */
static int compare_stored(const struct im_record *rec, const struct co_e01_info *info, struct co_err *err)
{
	if (info->media_size != rec->media_bytes + rec->padding_bytes || info->n_segments != rec->segments.n)
		return co_err_set(err, CO_ERR_MISMATCH, 0, "the image states another size than it was given");
	if (co_digests_differ(&info->stored, &rec->digests.padded))
		return co_err_set(err, CO_ERR_MISMATCH, 0, "the image states other digests than it was given");
	return 0;
}

static int verify(struct acquire *a, struct co_err *err)
{
	struct im_record *rec = a->rec;
	IM_CLEANUP_DECODED struct im_decoded decoded = { 0 };
	CO_CLEANUP_SOURCE struct co_source image = CO_SOURCE_NONE;
	struct im_decode_opts opts = { .image = &image,
				       .bytes = rec->media_bytes,
				       .set = rec->hashes,
				       .threads = rec->compressors,
				       .blocks = a->files.blocks,
				       .progress = a->opts->progress };
	int r;

	im_events_add(a->events, "verification-started", "%zu segments are read back", rec->segments.n);
	r = im_open_parts(&a->files, rec, &image, err);
	if (r == 0)
		r = compare_stored(rec, co_e01_info(&image), err);
	if (r == 0)
		r = im_decode(&decoded, &opts, err);
	if (r == 0)
		r = compare(a, &decoded, err);
	if (r == CO_ERR_FAILED || r == CO_ERR_FORMAT || r == CO_ERR_LOST || r == CO_ERR_UNSUPPORTED) {
		/* An image that we wrote a moment ago and can't read is not the source's fault. */
		err->code = r = CO_ERR_MISMATCH;
		co_err_wrap(err, "verify the image");
	}
	if (r == CO_ERR_MISMATCH)
		rec->verification = IM_VERIFICATION_MISMATCH;
	if (r == 0)
		im_events_add(a->events, "verified", "the image holds what was read from the source");
	return r;
}

static int acquire(struct acquire *a, struct co_err *err)
{
	struct im_record *rec = a->rec;
	unsigned segments = 0;
	int r = copy(a, &segments, err);

	if (r == 0)
		r = im_list_segments(&a->files, rec, segments, err);
	if (r == 0)
		im_events_add(a->events, "image-written", "%u segments are complete and synced", segments);
	if (r == 0 && a->opts->verify)
		r = verify(a, err);
	else if (r == 0)
		rec->verification = IM_VERIFICATION_SKIPPED;
	if (r == 0)
		r = im_publish_segments(&a->files, rec, err);
	return r;
}

static enum im_status status_of(int code, const struct im_record *rec)
{
	switch (code) {
	case 0:
		return rec->bad.total ? IM_STATUS_COMPLETE_WITH_ERRORS : IM_STATUS_COMPLETE;
	case CO_ERR_LOST:
		return IM_STATUS_SOURCE_LOST;
	case CO_ERR_OUTPUT:
		return IM_STATUS_OUTPUT_FAILED;
	case CO_ERR_MISMATCH:
		return IM_STATUS_MISMATCH;
	case CO_ERR_CANCELED:
		return IM_STATUS_INTERRUPTED;
	default:
		return IM_STATUS_FAILED;
	}
}

static int begin_record(struct im_record *rec, const struct im_acquire_opts *o, struct im_guard *g, struct co_err *err)
{
	*rec = (struct im_record) {
		.name = o->name,
		.command_line = o->command_line,
		.info = o->info,
		.guard = g,
		.start_ns = co_clock_now(),
		.media_bytes = g->size,
		.padding_bytes = (g->sector - g->size % g->sector) % g->sector,
		.sector = g->sector,
		.hashes = o->hashes | CO_HASH_BIT(CO_HASH_SHA256),
		.compression = o->compression,
		.chunk_bytes = CHUNK,
		.segment_limit = o->segment_size ? o->segment_size : SEGMENT_DEFAULT,
		.buffers = RING,
		.readers = READERS,
		.compressors = o->threads ? o->threads : co_pool_cores(),
		.buffer_bytes = BUFFER,
	};
	if (o->guid)
		memcpy(rec->guid, o->guid, sizeof rec->guid);
	else if (getrandom(rec->guid, sizeof rec->guid, 0) != (ssize_t)sizeof rec->guid)
		return co_err_set(err, CO_ERR_FAILED, 0, "no random number for the image's GUID");
	return 0;
}

static void first_events(struct acquire *a)
{
	const struct im_guard *g = a->rec->guard;

	im_events_add(a->events, "started", "exhibit-imager %s acquires %s", CO_VERSION, g->device.path);
	for (size_t i = 0; i < g->layers.n; i++)
		im_events_add(a->events, g->layers.at[i].applied ? "write-block" : "write-block-absent", "%s: %s",
			      g->layers.at[i].name, g->layers.at[i].proof);
	im_events_add(a->events, "source-opened", "%s: %" PRIu64 " bytes, sectors of %" PRIu32 " bytes", g->device.path,
		      g->size, g->sector);
}

/* libewf does not say why it could not write. */
static void explain_output(const struct acquire *a, struct co_err *err)
{
	uint64_t space;

	if (err->code == CO_ERR_OUTPUT && err->sys == 0 && im_output_free(a->opts->bag, &space, NULL) == 0 &&
	    space < BUFFER)
		co_err_wrap(err, "the file system of %s is full", a->opts->bag);
}

/* The guard's end and all files beside the image; their failure counts if nothing failed before. */
static int conclude(struct acquire *a, int r, int64_t began, struct co_err *err)
{
	struct im_record *rec = a->rec;
	struct co_err late = CO_ERR_INIT;

	im_guard_finish(rec->guard);
	im_events_add(a->events, "guard-ended", "the write block ended and the counters were read");
	rec->end_ns = co_clock_now();
	rec->duration_ns = co_clock_monotonic() - began;
	rec->status = status_of(r, rec);
	if (r < 0)
		rec->error = *err;
	im_events_add(a->events, "ended", "%s%s%s", im_status_name(rec->status), r < 0 ? ": " : "",
		      r < 0 ? err->msg : "");
	im_write_sidecars(&a->files, rec, CO_TAKE(a->events), &late);
	if (r == 0 && late.code == 0)
		im_seal_bag(&a->files, rec, &late);
	if (r < 0 || late.code == 0)
		return r;
	*err = late;
	rec->status = status_of(late.code, rec);
	rec->error = late;
	im_write_manifest(&a->files, rec, &(struct co_err) { 0 });
	return late.code;
}

int im_acquire(struct im_record *ret, const struct im_acquire_opts *opts, struct im_guard *guard, struct co_err *err)
{
	struct acquire a = { .opts = opts, .rec = ret };
	int64_t began = co_clock_monotonic();
	int r = begin_record(ret, opts, guard, err);

	if (r == 0)
		r = im_bag_files_init(&a.files, opts->bag, opts->name, err);
	if (r == 0)
		r = co_bag_create(opts->bag, err);
	if (r < 0) {
		ret->name = NULL;
		im_bag_files_free(&a.files);
		return r;
	}
	r = im_events_open(&a.events, a.files.events, err);
	if (r == 0) {
		first_events(&a);
		r = acquire(&a, err);
	}
	if (r < 0)
		explain_output(&a, err);
	r = conclude(&a, r, began, err);
	im_bag_files_free(&a.files);
	return r;
}
