/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/recover.h"

#include <inttypes.h>

#include "acquire/verify.h"
#include "base/cleanup.h"
#include "read/rescue.h"

struct recover {
	const struct im_recover_opts *opts;
	struct im_record *rec;
	struct im_outputs *outputs;
	struct im_areas before; /* of the stream: no other place may change */
	bool found;
};

/* --- the passes --- */

static int on_found(void *arg, uint64_t off, const void *bytes, size_t len, struct co_err *err)
{
	struct recover *c = arg;

	c->found = true;
	co_progress_add(c->opts->progress, len);
	return im_outputs_patch(c->outputs, off, bytes, len, err);
}

/* What the record says is readable must be on the disk before. */
static int save(struct recover *c, struct co_err *err)
{
	int r = im_outputs_each(c->outputs, im_output_settle, err);

	return r < 0 ? r : im_outputs_each(c->outputs, im_output_save_now, err);
}

static int on_pass(void *arg, const char *name, const struct im_areas *areas, struct co_err *err)
{
	struct recover *c = arg;

	im_outputs_tell(c->outputs, "pass", "%s: %" PRIu64 " sectors are not read yet", name,
			im_areas_unfinished(areas));
	return save(c, err);
}

static int run_passes(struct recover *c, struct co_err *err)
{
	struct im_rescue_opts opts = {
		.source = c->opts->source,
		.unit = c->rec->sector,
		.retries = c->opts->retries,
		.area_ns = c->opts->area_ns,
		.found = on_found,
		.pass = on_pass,
		.arg = c,
		.good = c->rec->good,
	};

	co_progress_phase(c->opts->progress, "rescue", im_areas_unfinished(&c->rec->areas) * c->rec->sector, "bytes");
	c->rec->patched = true;
	return im_rescue(&c->rec->areas, &opts, err);
}

/* --- the digests --- */

static bool is_expected(const struct recover *c, uint64_t block)
{
	uint64_t first = block * IM_BLOCK_SIZE / c->rec->sector, end = (block + 1) * IM_BLOCK_SIZE / c->rec->sector;

	for (size_t i = 0; i < c->before.list.n; i++)
		if (c->before.list.at[i].first < end && c->before.list.at[i].first + c->before.list.at[i].count > first)
			return true;
	return false;
}

/* All blocks but the patched ones must be as they were read from the source. */
static int check_blocks(const struct recover *c, const struct im_output *o, const struct im_decoded *d,
			struct co_err *err)
{
	if (d->damaged.total)
		return co_err_set(err, CO_ERR_MISMATCH, 0, "the image in %s can't be read back", o->bag->path);
	if (d->blocks.code) {
		*err = d->blocks;
		return err->code;
	}
	for (size_t i = 0; i < d->differing.list.n; i++)
		for (uint64_t k = 0; k < d->differing.list.at[i].count; k++)
			if (!is_expected(c, d->differing.list.at[i].first + k))
				return co_err_set(err, CO_ERR_MISMATCH, 0,
						  "the image in %s does not hold what was read at MiB %" PRIu64,
						  o->bag->path, d->differing.list.at[i].first + k);
	return 0;
}

/* The image is read back: the digests of the medium, and those of its blocks, which are written anew. */
static int redigest_one(struct recover *c, struct im_output *o, struct co_err *err)
{
	const struct im_record *rec = c->rec;
	IM_CLEANUP_DECODED struct im_decoded d = { 0 };
	CO_CLEANUP_SOURCE struct co_source image = CO_SOURCE_NONE;
	struct im_blocks_writer blocks = { 0 };
	struct im_decode_opts opts = { .image = &image,
				       .bytes = rec->media_bytes,
				       .set = rec->hashes,
				       .threads = c->opts->threads,
				       .blocks = rec->block_digests ? o->files.blocks : NULL,
				       .block = rec->block_digests ? im_blocks_add : NULL,
				       .block_arg = &blocks,
				       .phase = "digest",
				       .progress = c->opts->progress };
	int r = im_output_image(o, &image, err);

	if (r == 0 && rec->block_digests)
		r = im_blocks_begin(&blocks, o->files.blocks, rec->media_bytes, err);
	if (r == 0)
		r = im_decode(&d, &opts, err);
	if (r == 0)
		r = check_blocks(c, o, &d, err);
	if (r == 0 && rec->block_digests)
		r = im_blocks_commit(&blocks, err);
	im_blocks_abort(&blocks);
	if (r == 0)
		c->rec->digests = d.digests;
	return r;
}

/* Each image is read, since each has block digests of its own; they hold the same. */
static int redigest(struct recover *c, struct co_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->outputs->n; i++)
		if (im_output_is_left(&c->outputs->at[i]))
			r = redigest_one(c, &c->outputs->at[i], err);
	return r;
}

static int recover(struct recover *c, struct co_err *err)
{
	int r = run_passes(c, err);

	if (r == 0)
		r = save(c, err);
	return r == 0 && c->found ? redigest(c, err) : r;
}

int im_recover(const struct im_recover_opts *opts, struct co_err *err)
{
	struct recover c = { .opts = opts, .rec = opts->rec, .outputs = opts->outputs };
	int r = 0;

	if (im_areas_unfinished(&c.rec->areas) == 0)
		return 0;
	if (im_areas_copy(&c.before, &c.rec->areas) < 0)
		r = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the list of unreadable places");
	if (r == 0)
		r = recover(&c, err);
	im_areas_free(&c.before);
	return r;
}
