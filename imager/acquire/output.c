/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/output.h"

#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
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
#include "e01/tail.h"
#include "manifest/bag.h"
#include "version.h"

/* --- names --- */

/* Cuts the last part off *at and puts it before *rest. False: there is no part left, or no memory, then NULL. */
static bool move_last_part(char **at, char **rest)
{
	CO_CLEANUP_FREE char *for_folder = strdup(*at), *for_last = strdup(*at), *old_rest = *rest;
	char *folder = for_folder ? strdup(dirname(for_folder)) : NULL;
	bool moved = folder && strcmp(folder, *at) != 0;

	if (!for_last || asprintf(rest, "/%s%s", basename(for_last), old_rest) < 0)
		*rest = NULL;
	free(*at);
	*at = folder;
	return moved && *rest;
}

/* The absolute name without links; of what is not there yet, that of the nearest folder that is, and the rest as it
 * was given. NULL: no memory. */
static char *canonical(const char *name)
{
	CO_CLEANUP_FREE char *rest = strdup(""), *at = strdup(name), *found = NULL;
	char *whole = NULL;

	while (rest && at && !(found = realpath(at, NULL)) && move_last_part(&at, &rest))
		;
	if (!rest || !at)
		return NULL;
	if (asprintf(&whole, "%s%s", found && strcmp(found, "/") != 0 ? found : "", rest) < 0)
		return NULL;
	return whole;
}

static bool is_in(const char *name, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(name, folder, n) == 0 && (name[n] == '/' || name[n] == '\0');
}

static bool is_same(const char *one, const char *two)
{
	struct stat a, b;

	return stat(one, &a) == 0 && stat(two, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int check_pair(const char *one, const char *two, struct co_err *err)
{
	CO_CLEANUP_FREE char *first = canonical(one), *second = canonical(two);

	if (!first || !second)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the names of the bags");
	if (strcmp(first, second) == 0 || is_same(one, two))
		return co_err_set(err, CO_ERR_USAGE, 0, "%s and %s are the same folder: two outputs need two", one,
				  two);
	if (is_in(first, second) || is_in(second, first))
		return co_err_set(err, CO_ERR_USAGE, 0, "%s and %s: one bag can't be within the other", one, two);
	return 0;
}

int im_check_bags(const char *const *bags, size_t n, struct co_err *err)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			int r = check_pair(bags[k], bags[i], err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

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

int im_output_begin(struct im_output *o, struct co_err *err)
{
	return im_events_open(&o->events, o->files.events, err);
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
			  .acquiry_time_ns = o->opts->date_ns == CO_TIME_NONE ? rec->start_ns : o->opts->date_ns },
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
		r = im_blocks_begin(&o->blocks, o->files.blocks, rec->media_bytes, err);
	return r < 0 ? r : open_writer(o, err);
}

/* --- the bytes --- */

void im_output_block(struct im_output *o, uint64_t index, const uint8_t sha256[32])
{
	if (o->blocks.sink)
		im_blocks_add(&o->blocks, index, sha256);
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

static int write_tail(const struct im_output *o, unsigned segments, struct co_err *err)
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
	return co_e01_write_tail(o->files.stem, segments, &rec->digests.padded, &bad, NULL, err);
}

int im_output_finish(struct im_output *o, struct co_err *err)
{
	const struct im_record *rec = o->rec;
	unsigned segments = 0;
	int r = co_e01_writer_finish(o->writer, &segments, err);

	if (r == 0)
		r = write_tail(o, segments, err);
	if (r == 0)
		r = im_segments_finish(o->segments, segments, err);
	if (r == 0 && rec->block_digests)
		r = im_blocks_commit(&o->blocks, err);
	im_output_close(o);
	if (r == 0)
		im_events_add(o->events, "image-written", "%u segments are complete and synced", segments);
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
				       .progress = o->opts->progress };
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
	if (im_write_sidecars(&o->files, o->rec, o->bag, CO_TAKE(o->events), &late) == 0 || r < 0)
		return r;
	*err = late;
	return late.code;
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

void im_output_close(struct im_output *o)
{
	co_e01_writer_close(CO_TAKE(o->writer));
	im_segments_close(CO_TAKE(o->segments));
}

void im_output_free(struct im_output *o)
{
	im_output_close(o);
	im_blocks_abort(&o->blocks);
	im_events_abort(CO_TAKE(o->events));
	im_bag_files_free(&o->files);
}
