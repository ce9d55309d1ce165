/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/acquire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "acquire/outputs.h"
#include "acquire/recover.h"
#include "acquire/resume.h"
#include "acquire/split.h"
#include "acquire/stream.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "run/pool.h"
#include "version.h"

#define CHUNK 32768           /* what all programs write and read */
#define CHUNKS_MANY (8 << 20) /* libewf keeps 8 bytes for each */
#define SEGMENT_SMALLEST (UINT64_C(64) << 20)
#define SEGMENT_LARGEST (UINT64_C(1500) << 20)
#define SEGMENTS_USUAL 64
#define SEGMENTS_MANY 8192 /* well below the number that names can be given to */

struct acquire {
	const struct im_acquire_opts *opts;
	struct im_record *rec;
	struct im_outputs outputs;
	struct im_earlier *earlier; /* one for each bag; NULL: nothing is resumed */
	struct im_remote *remote;
	struct co_source source;
	struct co_progress *progress;
};

/* --- the middle --- */

/* Of two bags, the one that holds more. NULL: nothing is kept. */
static const struct im_earlier *longest(const struct acquire *a)
{
	const struct im_earlier *best = NULL;

	for (size_t i = 0; a->earlier && i < a->outputs.n; i++)
		if (a->earlier[i].bytes && (!best || a->earlier[i].bytes > best->bytes))
			best = &a->earlier[i];
	return best;
}

static int stream(struct acquire *a, struct co_err *err)
{
	const struct im_earlier *kept = longest(a);
	const struct im_stream_opts opts = {
		.rec = a->rec,
		.outputs = &a->outputs,
		.source = a->remote ? &a->source : NULL,
		.fd = a->rec->guard->fd,
		.memory = a->remote ? im_remote_memory(a->remote) : NULL,
		.kept = kept ? &kept->image : NULL,
		.kept_bytes = kept ? kept->bytes : 0,
		.kept_plain = kept ? &kept->plain : NULL,
		.progress = a->progress,
	};

	return im_stream(&opts, err);
}

static int recover(struct acquire *a, struct co_err *err)
{
	const struct im_recover_opts opts = {
		.rec = a->rec,
		.outputs = &a->outputs,
		.source = &a->source,
		.retries = a->opts->retries,
		.area_ns = a->opts->area_ns,
		.threads = a->rec->compressors,
		.progress = a->progress,
	};

	return im_recover(&opts, err);
}

/* Also what was found before an early end belongs into the record. */
static int record_bad(struct acquire *a, struct co_err *err)
{
	struct im_record *rec = a->rec;

	if (im_areas_ranges(&rec->areas, &rec->bad) < 0)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the list of unreadable sectors");
	for (size_t i = 0; i < rec->bad.list.n; i++) {
		const struct im_range *range = &rec->bad.list.at[i];

		im_outputs_tell(&a->outputs, "unreadable", "sectors %" PRIu64 " to %" PRIu64 " can't be read",
				range->first, range->first + range->count - 1);
	}
	return 0;
}

static int copy(struct acquire *a, struct co_err *err)
{
	struct co_err bad = CO_ERR_INIT;
	int r = stream(a, err);

	if (r == 0)
		r = recover(a, err);
	if (r == 0 && a->remote)
		r = im_samples_take(&a->rec->samples_after, &a->source, err);
	if (record_bad(a, &bad) < 0 && r == 0) {
		*err = bad;
		r = bad.code;
	}
	return r < 0 ? r : im_outputs_each(&a->outputs, im_output_complete, err);
}

static int skip_verification(struct im_output *o, struct co_err *err)
{
	(void)err;
	o->bag->verification = IM_VERIFICATION_SKIPPED;
	return 0;
}

/* Whether this is the same source, an acquisition that is resumed has looked at before. */
static int take_samples(struct acquire *a, struct co_err *err)
{
	int r = a->earlier || !a->remote ? 0 : im_samples_take(&a->rec->samples_before, &a->source, err);

	return r < 0 ? r : im_outputs_each(&a->outputs, im_output_save_now, err);
}

static int acquire(struct acquire *a, struct co_err *err)
{
	int r = take_samples(a, err);

	if (r == 0)
		r = copy(a, err);
	if (r == 0)
		r = im_outputs_each(&a->outputs, a->opts->verify ? im_output_verify : skip_verification, err);
	return r < 0 ? r : im_outputs_each(&a->outputs, im_output_publish, err);
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

	while (size < IM_STREAM_BUFFER && media / size > CHUNKS_MANY)
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
		.session_ns = co_clock_now(),
		.acquired_ns = o->date_ns,
		.good = UINT64_MAX,
		.media_bytes = g->size,
		.padding_bytes = (g->sector - g->size % g->sector) % g->sector,
		.sector = g->sector,
		.hashes = o->hashes | CO_HASH_BIT(CO_HASH_SHA256),
		.block_digests = o->block_digests,
		.compression = o->compression,
		.chunk_bytes = im_usual_chunk(g->size),
		.segment_limit = o->segment_size ? o->segment_size
				 : g->size       ? im_usual_segment(g->size)
						 : SEGMENT_LARGEST,
		.buffers = IM_STREAM_RING,
		.readers = IM_STREAM_READERS,
		.compressors = o->threads ? o->threads : co_pool_cores(),
		.buffer_bytes = IM_STREAM_BUFFER,
		.n_bags = o->n_bags,
	};
	for (size_t i = 0; i < o->n_bags; i++) {
		rec->bags[i].path = o->bags[i];
		rec->bags[i].status = IM_STATUS_RUNNING;
	}
	if (rec->acquired_ns == CO_TIME_NONE)
		rec->acquired_ns = rec->start_ns;
	if (o->guid)
		memcpy(rec->guid, o->guid, sizeof rec->guid);
	else if (getrandom(rec->guid, sizeof rec->guid, 0) != (ssize_t)sizeof rec->guid)
		return co_err_set(err, CO_ERR_FAILED, 0, "no random number for the image's GUID");
	return 0;
}

static int add_output(struct acquire *a, struct co_err *err)
{
	size_t i = a->outputs.n;
	int r;

	if (a->earlier)
		r = im_output_reopen(&a->outputs.at[i], a->opts, a->rec, &a->rec->bags[i], &a->earlier[i], err);
	else
		r = im_output_create(&a->outputs.at[i], a->opts, a->rec, &a->rec->bags[i], err);
	if (r == 0)
		a->outputs.n++;
	return r;
}

/* What was made and holds nothing yet goes again. */
static void remove_outputs(struct acquire *a)
{
	for (size_t i = 0; i < a->outputs.n; i++) {
		if (!a->earlier)
			im_output_remove(&a->outputs.at[i]);
		im_output_free(&a->outputs.at[i]);
	}
	a->outputs.n = 0;
}

/* All or none. */
static int add_outputs(struct acquire *a, struct co_err *err)
{
	int r = im_check_bags(a->opts->bags, a->opts->n_bags, err);

	while (r == 0 && a->outputs.n < a->opts->n_bags)
		r = add_output(a, err);
	return r;
}

static bool is_stream(const struct im_record *rec)
{
	return rec->guard->device.kind == IM_KIND_STREAM;
}

static int split(struct acquire *a, struct co_err *err)
{
	struct im_split_opts opts = { .readers = is_stream(a->rec) ? 0 : IM_STREAM_READERS,
				      .memory = IM_STREAM_RING * IM_STREAM_BUFFER,
				      .patience_ns = a->opts->patience_ns,
				      .slow = a->opts->slow,
				      .all_or_nothing = a->opts->require_write_block };
	int r;

	for (size_t i = 0; i < a->opts->n_bags; i++)
		opts.writable[opts.n_writable++] = a->opts->bags[i];
	if (a->opts->status_folder)
		opts.writable[opts.n_writable++] = a->opts->status_folder;
	r = im_split(&a->remote, a->rec->guard, &opts, err);
	if (r < 0)
		return r;
	if (a->remote)
		im_remote_source(a->remote, &a->source);
	r = co_progress_open(&a->progress, a->opts->progress, a->opts->status_file, err);
	for (size_t i = 0; i < a->outputs.n; i++)
		a->outputs.at[i].progress = a->progress;
	return r;
}

/* Before anything of what earlier sessions have left is changed for good. */
static int prove(struct acquire *a, struct co_err *err)
{
	struct im_samples *now = &a->rec->samples_before;
	int r;

	if (!a->earlier)
		return 0;
	r = im_samples_take(now, &a->source, err);
	return r < 0 ? r : im_resume_prove(&a->earlier[0], longest(a), now, &a->source, a->opts->check_all, err);
}

static int prepare(struct acquire *a, struct im_guard *guard, struct co_err *err)
{
	int r = begin_record(a->rec, a->opts, guard, err);

	if (r == 0 && a->earlier)
		r = im_resume_read(a->earlier, a->rec, a->opts, guard, err);
	if (r == 0)
		r = add_outputs(a, err);
	if (r == 0)
		r = split(a, err);
	if (r == 0)
		r = prove(a, err);
	if (r < 0)
		remove_outputs(a);
	return r;
}

static void first_events(struct acquire *a)
{
	const struct im_guard *g = a->rec->guard;

	im_outputs_tell(&a->outputs, a->earlier ? "resumed" : "started", "exhibit-imager %s acquires %s", CO_VERSION,
			g->device.path);
	for (size_t i = 0; i < g->layers.n; i++)
		im_outputs_tell(&a->outputs, g->layers.at[i].applied ? "write-block" : "write-block-absent", "%s: %s",
				g->layers.at[i].name, g->layers.at[i].proof);
	im_outputs_tell(&a->outputs, "source-opened", "%s: %" PRIu64 " bytes, sectors of %" PRIu32 " bytes",
			g->device.path, g->size, g->sector);
}

static void set_status(struct acquire *a)
{
	for (size_t i = 0; i < a->outputs.n; i++)
		a->rec->bags[i].status = status_of(a->rec->bags[i].error.code, a->rec);
}

/* Writes the records and seals the bags. If one fails here, the others state its end, so they are recorded anew. */
static void seal_bags(struct acquire *a)
{
	struct co_err none;
	size_t before;

	do {
		before = im_outputs_left(&a->outputs);
		set_status(a);
		im_outputs_each(&a->outputs, im_output_record, &none);
		if (im_outputs_left(&a->outputs) == before)
			im_outputs_each(&a->outputs, im_output_seal, &none);
	} while (im_outputs_left(&a->outputs) != before);
	for (size_t i = 0; i < a->outputs.n; i++)
		if (!im_output_is_left(&a->outputs.at[i]))
			im_output_record_end(&a->outputs.at[i]);
}

/* What ended the whole comes before what ended one output; of those, a difference before a lost one. */
static int rank(int code)
{
	return code == 0 ? 0 : code == CO_ERR_OUTPUT ? 1 : code == CO_ERR_MISMATCH ? 2 : 3;
}

static int worst(const struct acquire *a, struct co_err *err)
{
	const struct co_err *found = &a->rec->bags[0].error;

	for (size_t i = 1; i < a->outputs.n; i++)
		if (rank(a->rec->bags[i].error.code) > rank(found->code))
			found = &a->rec->bags[i].error;
	if (found->code)
		*err = *found;
	return found->code;
}

/* Nobody can say then whether the source was protected to the end. */
static void end_guard(struct acquire *a)
{
	const struct im_guard *g = a->rec->guard;

	im_guard_finish(a->rec->guard);
	for (size_t i = 0; g->abandoned && i < a->outputs.n; i++)
		if (im_output_is_left(&a->outputs.at[i]))
			co_err_set(&a->rec->bags[i].error, CO_ERR_FAILED, 0,
				   "the process that guards %s has ended before its time: whether the write block held "
				   "to the end is not known, and the disk may still be read-only",
				   g->device.path);
}

/* @r and @why: how the acquisition ended for those outputs that are left. */
static int conclude(struct acquire *a, int r, const struct co_err *why, int64_t began, struct co_err *err)
{
	struct im_record *rec = a->rec;

	for (size_t i = 0; r < 0 && i < a->outputs.n; i++)
		if (im_output_is_left(&a->outputs.at[i]))
			rec->bags[i].error = *why;
	im_remote_close(CO_TAKE(a->remote)); /* the last that hold the source */
	end_guard(a);
	im_outputs_tell(&a->outputs, "guard-ended",
			rec->guard->abandoned ? "the process that guards the source was gone"
					      : "the write block ended and the counters were read");
	rec->end_ns = co_clock_now();
	rec->duration_ns = co_clock_monotonic() - began;
	set_status(a);
	for (size_t i = 0; i < a->outputs.n; i++)
		im_events_add(a->outputs.at[i].events, "ended", "%s%s%s", im_status_name(rec->bags[i].status),
			      rec->bags[i].error.code ? ": " : "",
			      rec->bags[i].error.code ? rec->bags[i].error.msg : "");
	seal_bags(a);
	return worst(a, err);
}

static int run(struct acquire *a, struct co_err *err)
{
	struct co_err why = CO_ERR_INIT;
	int64_t began = co_clock_monotonic();
	int r = im_outputs_each(&a->outputs, im_output_begin, &why);

	first_events(a);
	if (r == 0)
		r = acquire(a, &why);
	r = conclude(a, r, &why, began, err);
	for (size_t i = 0; i < a->outputs.n; i++)
		im_output_free(&a->outputs.at[i]);
	return r;
}

int im_acquire(struct im_record *ret, const struct im_acquire_opts *opts, struct im_guard *guard, struct co_err *err)
{
	struct acquire a = { .opts = opts, .rec = ret, .earlier = opts->earlier };
	int r = prepare(&a, guard, err);

	if (r < 0)
		ret->name = NULL;
	else
		r = run(&a, err);
	co_progress_close(a.progress);
	im_remote_close(a.remote);
	return r;
}
