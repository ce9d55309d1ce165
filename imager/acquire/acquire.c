/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/acquire.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "acquire/output.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "read/direct.h"
#include "run/cancel.h"
#include "run/pool.h"
#include "version.h"

#define BUFFER ((size_t)IM_BLOCK_SIZE)
#define RING 16
#define READERS 2
#define AHEAD 4
#define CHUNK 32768           /* what all programs write and read */
#define CHUNKS_MANY (8 << 20) /* libewf keeps 8 bytes for each */
#define SEGMENT_SMALLEST (UINT64_C(64) << 20)
#define SEGMENT_LARGEST (UINT64_C(1500) << 20)
#define SEGMENTS_USUAL 64
#define SEGMENTS_MANY 8192 /* well below the number that names can be given to */

struct acquire {
	const struct im_acquire_opts *opts;
	struct im_record *rec;
	struct im_output outputs[IM_BAGS_MAX];
	size_t n; /* outputs that were created */
	/* while the source is read */
	struct co_source source;
	struct co_bufs *bufs;
	struct im_reader *reader;
	struct im_media *media;
};

/* --- the outputs as one --- */

static bool is_left(const struct im_output *o)
{
	return o->bag->error.code == 0;
}

static size_t count_left(const struct acquire *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += is_left(&a->outputs[i]);
	return n;
}

static void tell(struct acquire *a, const char *event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* An event of the acquisition stands in all bags. */
static void tell(struct acquire *a, const char *event, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < a->n; i++)
		im_events_add(a->outputs[i].events, event, "%s", text);
}

/* libewf does not say why it could not write. */
static void explain(const struct im_output *o, struct co_err *err)
{
	uint64_t space;

	if (err->code == CO_ERR_OUTPUT && err->sys == 0 && im_free_space(o->bag->path, &space, NULL) == 0 &&
	    space < BUFFER)
		co_err_wrap(err, "the file system of %s is full", o->bag->path);
}

/* The work goes on without this one. */
static void give_up(struct acquire *a, struct im_output *o, struct co_err *why)
{
	explain(o, why);
	o->bag->error = *why;
	im_output_close(o);
	tell(a, "output-ended", "%s: %s", o->bag->path, why->msg);
}

/* 0: there is an output to go on with. < 0: why there is none. */
static int is_any_left(const struct acquire *a, struct co_err *err)
{
	if (count_left(a))
		return 0;
	*err = a->outputs[0].bag->error;
	return err->code;
}

/* Lets each output that is left do a step; those that fail are given up. */
static int each(struct acquire *a, int (*step)(struct im_output *o, struct co_err *err), struct co_err *err)
{
	for (size_t i = 0; i < a->n; i++) {
		struct co_err why = CO_ERR_INIT;

		if (is_left(&a->outputs[i]) && step(&a->outputs[i], &why) < 0)
			give_up(a, &a->outputs[i], &why);
	}
	return is_any_left(a, err);
}

/* --- reading the source --- */

static void add_block(void *arg, uint64_t index, const uint8_t sha256[32])
{
	struct acquire *a = arg;

	for (size_t i = 0; i < a->n; i++)
		im_output_block(&a->outputs[i], index, sha256);
}

static int set_up(struct acquire *a, struct co_err *err)
{
	const struct im_record *rec = a->rec;
	const struct im_guard *g = rec->guard;
	struct im_media_opts media = { .set = rec->hashes,
				       .depth = RING,
				       .buffer_size = BUFFER,
				       .bytes = rec->media_bytes,
				       .padded_bytes = rec->media_bytes + rec->padding_bytes,
				       .block = rec->block_digests ? add_block : NULL,
				       .block_arg = a };
	struct im_reader_opts reader = {
		.source = &a->source, .unit = rec->sector, .workers = READERS, .ahead = AHEAD
	};
	int r = each(a, im_output_open, err);

	if (r == 0)
		r = im_direct_open(&a->source, g->fd, g->direct, g->device.path, g->size, g->sector, err);
	if (r == 0)
		r = co_bufs_open(&a->bufs, RING, BUFFER, err);
	reader.bufs = a->bufs;
	if (r == 0)
		r = im_media_open(&a->media, &media, err);
	return r < 0 ? r : im_reader_open(&a->reader, &reader, err);
}

static void tear_down(struct acquire *a)
{
	im_reader_close(CO_TAKE(a->reader));
	for (size_t i = 0; i < a->n; i++)
		im_output_close(&a->outputs[i]);
	im_media_close(CO_TAKE(a->media));
	co_bufs_close(CO_TAKE(a->bufs));
	co_source_close(&a->source);
}

/* Each output gives a buffer back, since only what all have written is free. 0: done; 1: they hold none. */
static int pump(struct acquire *a, struct co_err *err)
{
	int outcome = 1, r;

	for (size_t i = 0; i < a->n; i++) {
		struct co_err why = CO_ERR_INIT;

		if (!is_left(&a->outputs[i]))
			continue;
		r = im_output_pump(&a->outputs[i], &why);
		if (r < 0)
			give_up(a, &a->outputs[i], &why);
		if (r <= 0)
			outcome = 0;
	}
	r = is_any_left(a, err);
	return r < 0 ? r : outcome;
}

/* Gets buffers for the reader back from the compressors, and if need be from the digest lanes. */
static int feed_reader(struct acquire *a, struct co_err *err)
{
	while (im_reader_fill(a->reader) > 0) {
		int r = pump(a, err);

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

static int put(struct acquire *a, struct co_buf *buf, struct co_err *err)
{
	for (size_t i = 0; i < a->n; i++) {
		struct co_err why = CO_ERR_INIT;

		if (is_left(&a->outputs[i]) && im_output_put(&a->outputs[i], buf, &why) < 0)
			give_up(a, &a->outputs[i], &why);
	}
	return is_any_left(a, err);
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
	if (r == 0)
		r = put(a, buf, err);
	co_buf_unref(buf);
	if (r < 0)
		return r;
	a->rec->read_bytes += len;
	co_progress_add(a->opts->progress, len);
	return 0;
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
		tell(a, "unreadable", "sectors %" PRIu64 " to %" PRIu64 " can't be read", range->first,
		     range->first + range->count - 1);
	}
	return 0;
}

static int take_digests(struct acquire *a, struct co_err *err)
{
	struct im_record *rec = a->rec;
	int r = im_media_finish(a->media, &rec->digests, err);

	if (r < 0)
		return r;
	rec->have_digests = true;
	tell(a, "source-read", "the source was read to its end, %" PRIu64 " bytes", rec->read_bytes);
	return 0;
}

static int copy(struct acquire *a, struct co_err *err)
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
		r = take_digests(a, err);
	if (r == 0)
		r = each(a, im_output_finish, err);
	tear_down(a);
	return r;
}

static int skip_verification(struct im_output *o, struct co_err *err)
{
	(void)err;
	o->bag->verification = IM_VERIFICATION_SKIPPED;
	return 0;
}

static int acquire(struct acquire *a, struct co_err *err)
{
	int r = copy(a, err);

	if (r == 0)
		r = each(a, a->opts->verify ? im_output_verify : skip_verification, err);
	return r < 0 ? r : each(a, im_output_publish, err);
}

/* --- beginning and end --- */

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

uint32_t im_usual_chunk(uint64_t media)
{
	uint32_t size = CHUNK;

	while (size < BUFFER && media / size > CHUNKS_MANY)
		size *= 2;
	return size;
}

uint64_t im_usual_segment(uint64_t media)
{
	uint64_t size = media / SEGMENTS_USUAL;

	size = size < SEGMENT_SMALLEST ? SEGMENT_SMALLEST : size > SEGMENT_LARGEST ? SEGMENT_LARGEST : size;
	size = co_max_u64(size, media / SEGMENTS_MANY);
	return size >> 20 << 20;
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
		.block_digests = o->block_digests,
		.compression = o->compression,
		.chunk_bytes = im_usual_chunk(g->size),
		.segment_limit = o->segment_size ? o->segment_size : im_usual_segment(g->size),
		.buffers = RING,
		.readers = READERS,
		.compressors = o->threads ? o->threads : co_pool_cores(),
		.buffer_bytes = BUFFER,
		.n_bags = o->n_bags,
	};
	for (size_t i = 0; i < o->n_bags; i++)
		rec->bags[i].path = o->bags[i];
	if (o->guid)
		memcpy(rec->guid, o->guid, sizeof rec->guid);
	else if (getrandom(rec->guid, sizeof rec->guid, 0) != (ssize_t)sizeof rec->guid)
		return co_err_set(err, CO_ERR_FAILED, 0, "no random number for the image's GUID");
	return 0;
}

/* All or none. */
static int create_bags(struct acquire *a, struct co_err *err)
{
	int r = im_check_bags(a->opts->bags, a->opts->n_bags, err);

	while (r == 0 && a->n < a->opts->n_bags) {
		r = im_output_create(&a->outputs[a->n], a->opts, a->rec, &a->rec->bags[a->n], err);
		if (r == 0)
			a->n++;
	}
	for (size_t i = 0; r < 0 && i < a->n; i++)
		im_output_remove(&a->outputs[i]);
	return r;
}

static void first_events(struct acquire *a)
{
	const struct im_guard *g = a->rec->guard;

	tell(a, "started", "exhibit-imager %s acquires %s", CO_VERSION, g->device.path);
	for (size_t i = 0; i < g->layers.n; i++)
		tell(a, g->layers.at[i].applied ? "write-block" : "write-block-absent", "%s: %s", g->layers.at[i].name,
		     g->layers.at[i].proof);
	tell(a, "source-opened", "%s: %" PRIu64 " bytes, sectors of %" PRIu32 " bytes", g->device.path, g->size,
	     g->sector);
}

static void set_status(struct acquire *a)
{
	for (size_t i = 0; i < a->n; i++)
		a->rec->bags[i].status = status_of(a->rec->bags[i].error.code, a->rec);
}

/* Writes the records and seals the bags. If one fails here, the others state its end, so they are recorded anew. */
static void seal_bags(struct acquire *a)
{
	struct co_err none;
	size_t before;

	do {
		before = count_left(a);
		set_status(a);
		each(a, im_output_record, &none);
		if (count_left(a) == before)
			each(a, im_output_seal, &none);
	} while (count_left(a) != before);
	for (size_t i = 0; i < a->n; i++)
		if (!is_left(&a->outputs[i]))
			im_output_record(&a->outputs[i], &none);
}

/* What ended the whole comes before what ended one output; of those, a difference before a lost one. */
static int rank(int code)
{
	return code == 0 ? 0 : code == CO_ERR_OUTPUT ? 1 : code == CO_ERR_MISMATCH ? 2 : 3;
}

static int worst(const struct acquire *a, struct co_err *err)
{
	const struct co_err *found = &a->rec->bags[0].error;

	for (size_t i = 1; i < a->n; i++)
		if (rank(a->rec->bags[i].error.code) > rank(found->code))
			found = &a->rec->bags[i].error;
	if (found->code)
		*err = *found;
	return found->code;
}

/* @r and @why: how the acquisition ended for those outputs that are left. */
static int conclude(struct acquire *a, int r, const struct co_err *why, int64_t began, struct co_err *err)
{
	struct im_record *rec = a->rec;

	for (size_t i = 0; r < 0 && i < a->n; i++)
		if (is_left(&a->outputs[i]))
			rec->bags[i].error = *why;
	im_guard_finish(rec->guard);
	tell(a, "guard-ended", "the write block ended and the counters were read");
	rec->end_ns = co_clock_now();
	rec->duration_ns = co_clock_monotonic() - began;
	set_status(a);
	for (size_t i = 0; i < a->n; i++)
		im_events_add(a->outputs[i].events, "ended", "%s%s%s", im_status_name(rec->bags[i].status),
			      rec->bags[i].error.code ? ": " : "",
			      rec->bags[i].error.code ? rec->bags[i].error.msg : "");
	seal_bags(a);
	return worst(a, err);
}

int im_acquire(struct im_record *ret, const struct im_acquire_opts *opts, struct im_guard *guard, struct co_err *err)
{
	struct acquire a = { .opts = opts, .rec = ret };
	struct co_err why = CO_ERR_INIT;
	int64_t began = co_clock_monotonic();
	int r = begin_record(ret, opts, guard, err);

	if (r == 0)
		r = create_bags(&a, err);
	if (r < 0) {
		ret->name = NULL;
	} else {
		r = each(&a, im_output_begin, &why);
		first_events(&a);
		if (r == 0)
			r = acquire(&a, &why);
		r = conclude(&a, r, &why, began, err);
	}
	for (size_t i = 0; i < a.n; i++)
		im_output_free(&a.outputs[i]);
	return r;
}
