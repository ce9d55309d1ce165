/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/compare.h"
#include "acquire/damage.h"
#include "acquire/events_read.h"
#include "acquire/verify.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "e01/reader.h"
#include "e01/segment.h"
#include "manifest/bag.h"
#include "run/pool.h"

struct check {
	struct im_check *result;
	const struct im_check_opts *opts;
	struct im_bag_files_found files; /* of the payload of a bag */
	bool no_memory;                  /* a problem or file could not be noted */
};

const char *im_check_result_name(enum im_check_result result)
{
	switch (result) {
	case IM_CHECK_MATCH:
		return "match";
	case IM_CHECK_MISMATCH:
		return "mismatch";
	default:
		return "no-digest";
	}
}

static void problem(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void problem(struct check *c, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text || co_vec_push(&c->result->problems, text) < 0) {
		free(text);
		c->no_memory = true;
	}
}

static void one_problem(void *arg, const char *sentence)
{
	problem(arg, "%s", sentence);
}

static void bag_done(void *arg, uint64_t bytes)
{
	const struct check *c = arg;

	co_progress_add(c->opts->progress, bytes);
}

static void bag_file(void *arg, const char *path, const char sha256[65])
{
	struct check *c = arg;

	if (im_bag_file_add(&c->files, path, sha256) < 0)
		c->no_memory = true;
}

static void compare_digests(struct check *c, const struct co_digests *computed, const struct co_digests *stated,
			    const char *who)
{
	unsigned differ = co_digests_differ(computed, stated);
	char is[2 * CO_HASH_MAX + 1], must[2 * CO_HASH_MAX + 1];

	for (int alg = 0; alg < CO_HASH_N; alg++) {
		if (!(differ & CO_HASH_BIT(alg)))
			continue;
		co_digests_hex(computed, (enum co_hash_alg)alg, is);
		co_digests_hex(stated, (enum co_hash_alg)alg, must);
		problem(c, "the %s of the medium is %s, but %s states %s", co_hash_name((enum co_hash_alg)alg), is, who,
			must);
	}
}

static int decode(struct check *c, const struct co_source *image, const struct im_recorded *rec, struct co_err *err)
{
	const struct co_e01_info *info = co_e01_info(image);
	IM_CLEANUP_DECODED struct im_decoded d = { 0 };
	struct im_decode_opts opts = { .image = image,
				       .bytes = rec && im_recorded_fits(rec, image->size, info->sector_size)
							? rec->media_bytes
							: 0,
				       .set = info->stored.set | CO_HASH_BIT(CO_HASH_SHA256),
				       .threads = c->opts->threads ? c->opts->threads : co_pool_cores(),
				       .blocks = rec ? rec->blocks : NULL,
				       .progress = c->opts->progress };
	struct im_check *result = c->result;
	int r;

	if (rec)
		opts.set |= rec->plain.set | rec->padded.set;
	r = im_decode(&d, &opts, err);
	if (r < 0)
		return r;
	result->decoded = true;
	result->computed = d.digests.padded;
	result->plain = d.digests.plain;
	result->damaged_chunks = d.damaged.total;
	result->differing_blocks = d.differing.total;
	im_tell_damaged(image, &d.damaged, one_problem, c);
	if (d.blocks.code)
		problem(c, "%s", d.blocks.msg);
	im_tell_differing(&d.differing, result->media_bytes, one_problem, c);
	compare_digests(c, &d.digests.padded, &info->stored, "the image");
	if (rec) {
		compare_digests(c, &d.digests.plain, &rec->plain, "the record");
		if (rec->padding_bytes)
			compare_digests(c, &d.digests.padded, &rec->padded, "the record (padded)");
	}
	return 0;
}

static int check_media(struct check *c, const struct co_source *image, const struct im_recorded *rec,
		       struct co_err *err)
{
	const struct co_e01_info *info = co_e01_info(image);
	struct im_check *result = c->result;

	result->stored = info->stored;
	result->media_bytes = rec ? rec->media_bytes : info->media_size;
	result->padding_bytes = rec ? rec->padding_bytes : 0;
	if (rec) {
		result->recorded = rec->padded;
		im_compare_header(info, rec, one_problem, c);
	}
	for (size_t i = 0; i < info->n_warnings; i++)
		problem(c, "%s", info->warnings[i]);
	return decode(c, image, rec, err);
}

static int conclude(struct check *c, struct co_err *err)
{
	struct im_check *r = c->result;

	if (c->no_memory)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the list of problems");
	if (r->problems.n)
		r->result = IM_CHECK_MISMATCH;
	else if (r->decoded && (r->stored.set || r->recorded.set))
		r->result = IM_CHECK_MATCH;
	else
		r->result = IM_CHECK_NO_DIGEST;
	return 0;
}

int im_open_recorded(struct co_source *ret, const struct im_recorded *rec, struct co_err *err)
{
	if (rec->segments.n == 0)
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s names no segments of an image", rec->file);
	return co_e01_open(ret, (const char *const *)rec->segments.at, rec->segments.n, NULL, err);
}

/* What keeps the image from being decoded is one more problem of a bag: the other checks stand. Memory and the user's
 * stop are not. */
static int as_problem(struct check *c, int code, const struct co_err *err)
{
	if (code == CO_ERR_NOMEM || code == CO_ERR_CANCELED || code >= 0)
		return code;
	problem(c, "%s", err->msg);
	return 0;
}

static bool is_complete(const struct im_recorded *rec)
{
	return strcmp(rec->status, "complete") == 0 || strcmp(rec->status, "complete-with-errors") == 0;
}

/* A bag without its tag files may be one of an acquisition that ended early: its record says so. */
static int explain_bag(const char *bag, int code, struct co_err *err)
{
	IM_CLEANUP_RECORDED struct im_recorded rec = { 0 };

	if (code != CO_ERR_NOMEM && code != CO_ERR_CANCELED && im_record_read(&rec, bag, NULL) == 0 &&
	    !is_complete(&rec))
		return co_err_set(err, code, 0, "%s is no complete evidence bag: its acquisition ended with status %s",
				  bag, rec.status);
	return code;
}

static int check_against_record(struct check *c, const char *bag, const struct im_recorded *rec, struct co_err *err)
{
	CO_CLEANUP_SOURCE struct co_source image = CO_SOURCE_NONE;
	int r;

	if (!is_complete(rec))
		problem(c, "the record says that the acquisition did not complete: its status is %s", rec->status);
	im_compare_segments(bag, &c->files, rec, one_problem, c);
	r = im_events_check(rec->events, &rec->events_head, one_problem, c, err);
	r = as_problem(c, r, err);
	if (r < 0)
		return r;
	r = im_open_recorded(&image, rec, err);
	if (r == 0)
		r = check_media(c, &image, rec, err);
	return as_problem(c, r, err);
}

static int check_bag(struct check *c, const char *bag, struct co_err *err)
{
	IM_CLEANUP_RECORDED struct im_recorded rec = { 0 };
	const struct co_bag_watch watch = { .problem = one_problem, .done = bag_done, .payload = bag_file, .arg = c };
	int r;

	co_progress_phase(c->opts->progress, "bag", 0, "bytes");
	r = co_signature_verify(&c->result->signature, bag, c->opts->trusted, one_problem, c, err);
	if (r < 0)
		return r;
	r = co_bag_verify(bag, &watch, err);
	if (r < 0)
		return explain_bag(bag, r, err);
	r = im_record_read(&rec, bag, err);
	return r < 0 ? as_problem(c, r, err) : check_against_record(c, bag, &rec, err);
}

/* Of files beside @name that have its stem and the extension of a segment, those that are none: that may be why one is
 * missing. */
static void tell_foreign(struct check *c, const char *name)
{
	const char *dot = strrchr(name, '.');
	char extension[4];

	if (!dot || strchr(dot, '/'))
		return;
	for (unsigned n = 1; co_e01_extension(n, extension) == 0; n++) {
		CO_CLEANUP_STR struct co_str other = { 0 };
		int r;

		co_str_addf(&other, "%.*s.%s", (int)(dot - name), name, extension);
		r = co_e01_probe(co_str_get(&other), NULL);
		if (r < 0)
			return;
		if (r == 0)
			problem(c, "%s is not an E01 file, though it has the name of a segment", co_str_get(&other));
	}
}

static int check_image(struct check *c, const char *name, struct co_err *err)
{
	CO_CLEANUP_SOURCE struct co_source image = CO_SOURCE_NONE;
	int r = co_e01_open(&image, &name, 1, NULL, err);

	/* An image that is damaged, cut or not all there does not match. What never was one is another matter. */
	if (r == CO_ERR_FORMAT && co_e01_probe(name, NULL) == 1) {
		problem(c, "%s", err->msg);
		tell_foreign(c, name);
		return 0;
	}
	if (r < 0)
		return r;
	/* What counts is what is on the disk. (Those of a bag were read from there when its files were checked.) */
	for (unsigned i = 0; i < co_e01_info(&image)->n_segments; i++)
		im_drop_cache(co_e01_info(&image)->segment_names[i]);
	return check_media(c, &image, NULL, err);
}

static int check(struct im_check *ret, const char *name, const struct im_check_opts *opts,
		 int (*how)(struct check *c, const char *name, struct co_err *err), struct co_err *err)
{
	IM_CLEANUP_CHECK struct im_check result = { 0 };
	struct check c = { .result = &result, .opts = opts };
	int r = how(&c, name, err);

	im_bag_files_found_free(&c.files);
	if (r == 0)
		r = conclude(&c, err);
	if (r < 0)
		return r;
	*ret = result;
	result = (struct im_check) { 0 };
	return 0;
}

int im_check_bag(struct im_check *ret, const char *bag, const struct im_check_opts *opts, struct co_err *err)
{
	return check(ret, bag, opts, check_bag, err);
}

int im_check_image(struct im_check *ret, const char *image, const struct im_check_opts *opts, struct co_err *err)
{
	return check(ret, image, opts, check_image, err);
}

void im_check_free(struct im_check *c)
{
	for (size_t i = 0; i < c->problems.n; i++)
		free(c->problems.at[i]);
	co_vec_free(&c->problems);
	co_signature_free(&c->signature);
}
