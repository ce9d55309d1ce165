/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "acquire/damage.h"
#include "acquire/verify.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "e01/reader.h"
#include "e01/segment.h"
#include "e01/tail.h"
#include "manifest/bag.h"
#include "version.h"

#define SAVE_NS CO_NS_PER_S /* between two records, at least */
#define SAVE_SHARE 20

/* --- beginning --- */

int im_output_create(struct im_output *o, const struct im_acquire_opts *opts, const struct im_record *rec,
		     struct im_bag_record *bag, struct co_err *err)
{
	struct stat st;
	int r;

	*o = (struct im_output) { .opts = opts, .rec = rec, .bag = bag };
	r = im_bag_files_init(&o->files, bag->path, rec->name, err);
	if (r < 0)
		return r;
	o->made = lstat(bag->path, &st) < 0 && errno == ENOENT;
	r = co_bag_create(bag->path, err);
	if (r < 0)
		im_bag_files_free(&o->files);
	return r;
}

void im_output_remove(struct im_output *o)
{
	if (rmdir(o->files.data) == 0 && o->made)
		rmdir(o->bag->path);
}

int im_output_reopen(struct im_output *o, const struct im_acquire_opts *opts, const struct im_record *rec,
		     struct im_bag_record *bag, struct im_earlier *earlier, struct co_err *err)
{
	int r;

	*o = (struct im_output) { .opts = opts, .rec = rec, .bag = bag };
	r = im_bag_files_init(&o->files, bag->path, rec->name, err);
	if (r < 0)
		return r;
	bag->earlier = o->kept = earlier;
	r = im_earlier_keep(earlier, &o->files, err);
	if (r < 0)
		im_bag_files_free(&o->files);
	return r;
}

static int begin_events(struct im_output *o, struct co_err *err)
{
	uint64_t cut = 0;
	int r;

	if (!o->kept)
		return im_events_open(&o->events, o->files.events, err);
	r = im_events_resume(&o->events, o->files.events, &cut, err);
	if (r == 0 && cut)
		im_events_add(o->events, "log-cut", "%" PRIu64 " bytes behind the last whole line were cut off", cut);
	return r;
}

static int clear(struct im_output *o, struct co_err *err)
{
	int r = co_unsign_bag(o->bag->path, err);

	if (r == 0)
		r = im_unseal_bag(&o->files, err);
	return r < 0 ? r : im_earlier_clear(o->kept, &o->files, err);
}

int im_output_begin(struct im_output *o, struct co_err *err)
{
	int r = o->kept ? clear(o, err) : 0;

	if (r == 0)
		r = im_output_save_now(o, err);
	return r < 0 ? r : begin_events(o, err);
}

/* What the writer has finished and the disk has, with its digest, takes the place of what was kept. */
static int replace_kept(struct im_output *o, struct co_err *err)
{
	int r = 0;

	for (size_t i = o->saved; r == 0 && o->kept && i < o->bag->segments.n; i++)
		r = im_earlier_replaced(o->kept, i, o->bag->segments.at[i].sha256, err);
	return r;
}

int im_output_save_now(struct im_output *o, struct co_err *err)
{
	int64_t began = co_clock_monotonic();
	int r = im_write_record(&o->files, o->rec, o->bag, err);

	if (r == 0)
		r = replace_kept(o, err);
	o->saved = o->bag->segments.n;
	o->saved_at = co_clock_monotonic();
	o->save_ns = o->saved_at - began;
	return r;
}

/* Long records, and slow disks, are not written so often that it takes more than a small part of the time. */
int im_output_save(struct im_output *o, struct co_err *err)
{
	if (o->bag->segments.n == o->saved || co_clock_monotonic() - o->saved_at < SAVE_NS + SAVE_SHARE * o->save_ns)
		return 0;
	return im_output_save_now(o, err);
}

static int segment_done(void *arg, unsigned number, struct co_err *err)
{
	struct im_output *o = arg;

	return im_segments_add(o->segments, number, err);
}

static int open_writer(struct im_output *o, struct co_err *err)
{
	const struct im_record *rec = o->rec;
	const struct im_device *d = &rec->guard->device;
	struct utsname u = { 0 };
	struct co_e01_writer_opts w = {
		.media_size = rec->media_bytes + rec->padding_bytes,
		.sector_size = rec->sector,
		.sectors_per_chunk = rec->chunk_bytes / rec->sector,
		.segment_size = rec->segment_limit,
		.compression = rec->compression,
		.physical = d->kind == IM_KIND_DISK,
		.removable = d->removable,
		.guid = rec->guid,
		.info = { .case_number = rec->info.case_number,
			  .evidence_number = rec->info.evidence_number,
			  .examiner = rec->info.examiner,
			  .description = rec->info.description,
			  .notes = rec->info.notes,
			  .model = d->model[0] ? d->model : NULL,
			  .serial = d->serial[0] ? d->serial : NULL,
			  .software_version = CO_VERSION,
			  .operating_system = "Linux",
			  /* not the clock of now: two images of one acquisition are the same bytes */
			  .acquiry_time_ns = rec->acquired_ns },
		.finished = o->files.parts,
		.workers = rec->compressors,
		.depth = rec->buffers,
		.buffer_size = rec->buffer_bytes,
		.segment_done = segment_done,
		.segment_done_arg = o,
	};

	if (uname(&u) == 0)
		w.info.operating_system = u.sysname;
	return co_e01_writer_open(&o->writer, o->files.stem, &w, err);
}

int im_output_open(struct im_output *o, struct co_err *err)
{
	const struct im_record *rec = o->rec;
	int r = im_segments_open(&o->segments, &o->files, rec->name, o->bag, err);

	if (r == 0 && rec->block_digests)
		r = im_blocks_begin(&o->blocks, o->files.blocks, rec->media_bytes ? rec->media_bytes : UINT64_MAX, err);
	return r < 0 ? r : open_writer(o, err);
}

/* --- the bytes --- */

void im_output_block(struct im_output *o, uint64_t index, const uint8_t sha256[32])
{
	if (o->blocks.sink)
		im_blocks_add(&o->blocks, index, sha256);
}

void im_output_sized(struct im_output *o)
{
	o->blocks.media = o->rec->media_bytes;
}

int im_output_put(struct im_output *o, struct co_buf *buf, struct co_err *err)
{
	co_buf_ref(buf);
	return co_e01_writer_put(o->writer, buf, err);
}

int im_output_pump(struct im_output *o, struct co_err *err)
{
	return co_e01_writer_pump(o->writer, err);
}

int im_output_finish(struct im_output *o, struct co_err *err)
{
	int r = co_e01_writer_finish(o->writer, &o->n_segments, err);

	if (r == 0)
		r = im_segments_finish(o->segments, o->n_segments - 1, err);
	if (r == 0 && o->rec->block_digests)
		r = im_blocks_commit(&o->blocks, err);
	im_output_stop(o);
	return r;
}

/* --- what is recovered later --- */

int im_output_patch(struct im_output *o, uint64_t off, const void *bytes, size_t len, struct co_err *err)
{
	int r = o->patch ? 0 : co_e01_patch_open(&o->patch, o->files.parts, o->n_segments, false, err);

	return r < 0 ? r : co_e01_patch_write(o->patch, off, bytes, len, err);
}

/* The last segment has no digest yet. */
static int renew_touched(struct im_output *o, const struct co_e01_patch *patch, struct co_err *err)
{
	size_t n = 0;
	const unsigned *touched = co_e01_patch_touched(patch, &n);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (touched[i] <= o->bag->segments.n)
			r = im_segment_renew(&o->files, &o->bag->segments.at[touched[i] - 1], err);
	return r;
}

int im_output_settle(struct im_output *o, struct co_err *err)
{
	struct co_e01_patch *patch = CO_TAKE(o->patch);
	int r = patch ? co_e01_patch_sync(patch, err) : 0;

	if (r == 0 && patch)
		r = renew_touched(o, patch, err);
	if (r == 0)
		return co_e01_patch_close(patch, err);
	co_e01_patch_close(patch, NULL);
	return r;
}

static int write_tail(const struct im_output *o, struct co_err *err)
{
	const struct im_record *rec = o->rec;
	size_t n = rec->bad.list.n;
	CO_CLEANUP_FREE uint64_t(*ranges)[2] = calloc(n + 1, sizeof *ranges);
	struct co_e01_bad bad = { ranges, n };

	if (!ranges)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the list of unreadable sectors");
	for (size_t i = 0; i < n; i++) {
		ranges[i][0] = rec->bad.list.at[i].first;
		ranges[i][1] = rec->bad.list.at[i].count;
	}
	return co_e01_write_tail(o->files.parts, o->n_segments, &rec->digests.padded, &bad, NULL, err);
}

int im_output_complete(struct im_output *o, struct co_err *err)
{
	int r = write_tail(o, err);

	if (r == 0)
		r = im_segments_finish(o->segments, o->n_segments, err);
	if (r == 0)
		r = im_output_save_now(o, err);
	im_output_close(o);
	if (r == 0)
		im_events_add(o->events, "image-written", "%u segments are complete and synced", o->n_segments);
	return r;
}

int im_output_image(const struct im_output *o, struct co_source *ret, struct co_err *err)
{
	const struct co_e01_opts opts = { .partial = true };
	size_t n = o->n_segments, made = 0;
	char **names = calloc(n, sizeof *names);
	int r = 0;

	while (names && made < n && (names[made] = co_e01_segment_name(o->files.parts, (unsigned)made + 1)))
		made++;
	if (made < n)
		r = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the names of the segments");
	if (r == 0)
		r = co_e01_open(ret, (const char *const *)names, n, &opts, err);
	while (made)
		free(names[--made]);
	free(names);
	return r;
}

/* --- reading back --- */

/* What differs, for the log of events; the first sentence for the error. */
struct differences {
	struct im_events *events;
	char first[512];
};

static void note_difference(void *arg, const char *sentence)
{
	struct differences *d = arg;

	im_events_add(d->events, "difference", "%s", sentence);
	if (!d->first[0])
		snprintf(d->first, sizeof d->first, "%s", sentence);
}

static bool is_match(const struct im_record *rec, const struct im_decoded *d)
{
	return d->damaged.total == 0 && !co_digests_differ(&rec->digests.plain, &d->digests.plain) &&
	       !co_digests_differ(&rec->digests.padded, &d->digests.padded);
}

static int compare(struct im_output *o, const struct co_source *image, const struct im_decoded *d, struct co_err *err)
{
	const struct im_record *rec = o->rec;
	struct differences found = { .events = o->events };

	o->bag->decoded = d->digests;
	if (is_match(rec, d)) {
		o->bag->verification = IM_VERIFICATION_MATCH;
		return 0;
	}
	im_tell_damaged(image, &d->damaged, note_difference, &found);
	im_tell_differing(&d->differing, rec->media_bytes, note_difference, &found);
	return co_err_set(err, CO_ERR_MISMATCH, 0, "the image does not hold what was read: %s",
			  found.first[0] ? found.first : "its digests are not those of the source");
}

/* What the image itself states must be what we computed, too. */
static int compare_stored(const struct im_output *o, const struct co_e01_info *info, struct co_err *err)
{
	const struct im_record *rec = o->rec;

	if (info->media_size != rec->media_bytes + rec->padding_bytes || info->n_segments != o->bag->segments.n)
		return co_err_set(err, CO_ERR_MISMATCH, 0, "the image states another size than it was given");
	if (co_digests_differ(&info->stored, &rec->digests.padded))
		return co_err_set(err, CO_ERR_MISMATCH, 0, "the image states other digests than it was given");
	return 0;
}

/* The digests of the blocks are compared only to find the place of a difference: where there is none, they would say
 * the same a second time. */
static int decode(struct im_output *o, const struct co_source *image, struct im_decoded *ret, struct co_err *err)
{
	const struct im_record *rec = o->rec;
	struct im_decode_opts opts = { .image = image,
				       .bytes = rec->media_bytes,
				       .set = rec->hashes,
				       .threads = rec->compressors,
				       .progress = o->progress };
	int r = im_decode(ret, &opts, err);

	if (r < 0 || is_match(rec, ret) || !rec->block_digests)
		return r;
	im_decoded_free(ret);
	*ret = (struct im_decoded) { 0 };
	opts.blocks = o->files.blocks;
	return im_decode(ret, &opts, err);
}

int im_output_verify(struct im_output *o, struct co_err *err)
{
	IM_CLEANUP_DECODED struct im_decoded decoded = { 0 };
	CO_CLEANUP_SOURCE struct co_source image = CO_SOURCE_NONE;
	int r;

	im_events_add(o->events, "verification-started", "%zu segments are read back", o->bag->segments.n);
	r = im_open_parts(&o->files, o->bag, &image, err);
	if (r == 0)
		r = compare_stored(o, co_e01_info(&image), err);
	if (r == 0)
		r = decode(o, &image, &decoded, err);
	if (r == 0)
		r = compare(o, &image, &decoded, err);
	if (r == CO_ERR_FAILED || r == CO_ERR_FORMAT || r == CO_ERR_LOST || r == CO_ERR_UNSUPPORTED)
		err->code = r = CO_ERR_MISMATCH; /* an image that we wrote a moment ago and can't read */
	if (r == CO_ERR_MISMATCH) {
		o->bag->verification = IM_VERIFICATION_MISMATCH;
		co_err_wrap(err, "verify the image in %s", o->bag->path);
	}
	if (r == 0)
		im_events_add(o->events, "verified", "the image holds what was read from the source");
	return r;
}

int im_output_publish(struct im_output *o, struct co_err *err)
{
	return im_publish_segments(&o->files, o->bag, err);
}

/* --- ending --- */

int im_output_record(struct im_output *o, struct co_err *err)
{
	int r = co_unsign_bag(o->bag->path, err);
	struct co_err late = CO_ERR_INIT;

	if (r == 0)
		r = im_unseal_bag(&o->files, err);
	o->claims |= o->bag->error.code == 0;
	if (im_write_sidecars(&o->files, o->rec, o->bag, CO_TAKE(o->events), &late) == 0 || r < 0)
		return r;
	*err = late;
	return late.code;
}

void im_output_record_end(struct im_output *o)
{
	struct co_err none;

	if (im_output_record(o, &none) < 0 && im_write_record(&o->files, o->rec, o->bag, &none) < 0 && o->claims)
		im_disown_record(&o->files);
}

int im_output_seal(struct im_output *o, struct co_err *err)
{
	const struct co_signer *signer = o->opts->signer;
	int r = im_seal_bag(&o->files, o->rec, o->bag, err);

	if (r == 0 && signer && co_sign_bag(signer, o->bag->path, true, err) < 0) {
		r = err->code = CO_ERR_OUTPUT; /* what was asked for is a signed bag */
		co_err_wrap(err, "the bag can't be signed");
	}
	return r;
}

void im_output_stop(struct im_output *o)
{
	co_e01_writer_close(CO_TAKE(o->writer));
}

void im_output_close(struct im_output *o)
{
	im_output_stop(o);
	co_e01_patch_close(CO_TAKE(o->patch), NULL);
	im_segments_close(CO_TAKE(o->segments));
}

void im_output_free(struct im_output *o)
{
	im_output_close(o);
	im_blocks_abort(&o->blocks);
	im_events_abort(CO_TAKE(o->events));
	im_bag_files_free(&o->files);
}
