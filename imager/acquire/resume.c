/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/resume.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/stream.h"
#include "base/bytes.h"
#include "run/cancel.h"

#define PLACES 16

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory to resume");
}

static int take_lists(struct im_record *rec, const struct im_earlier *e, struct co_err *err)
{
	if (im_areas_copy(&rec->areas, &e->areas) < 0)
		return no_memory(err);
	for (size_t i = 0; i < e->sessions.n; i++)
		if (co_vec_push(&rec->sessions, e->sessions.at[i]) < 0)
			return no_memory(err);
	return 0;
}

static int fill_record(struct im_record *rec, const struct im_earlier *e, struct co_err *err)
{
	const struct im_recorded *r = &e->recorded;

	rec->name = r->name;
	rec->info = (struct im_case) { r->case_number, r->evidence_number, r->examiner, r->description, r->notes };
	rec->start_ns = e->start_ns;
	rec->acquired_ns = e->acquired_ns;
	rec->hashes = e->hashes;
	rec->block_digests = e->block_digests;
	rec->compression = e->compression;
	rec->segment_limit = e->segment_limit;
	rec->patched = e->patched;
	memcpy(rec->guid, r->guid, sizeof rec->guid);
	return take_lists(rec, e, err);
}

/* Of two bags, that with the most decides what is kept; they must be of one acquisition. */
static int check_pair(const struct im_earlier *a, const struct im_earlier *b, const struct im_acquire_opts *opts,
		      struct co_err *err)
{
	if (memcmp(a->recorded.guid, b->recorded.guid, 16) == 0 && strcmp(a->recorded.name, b->recorded.name) == 0)
		return 0;
	return co_err_set(err, CO_ERR_MISMATCH, 0, "%s and %s are not of the same acquisition", opts->bags[0],
			  opts->bags[1]);
}

int im_resume_read(struct im_earlier *ret, struct im_record *rec, const struct im_acquire_opts *opts,
		   const struct im_guard *guard, struct co_err *err)
{
	size_t most = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < opts->n_bags; i++) {
		r = im_earlier_read(&ret[i], opts->bags[i], err);
		if (r == 0)
			r = im_earlier_same_source(&ret[i], guard, err);
		if (r == 0 && i)
			r = check_pair(&ret[0], &ret[i], opts, err);
		if (r == 0 && ret[i].safe_bytes > ret[most].safe_bytes)
			most = i;
	}
	for (size_t i = 0; i < opts->n_bags; i++)
		ret[i].patched = ret[most].patched; /* both are made of what the longer one holds */
	return r < 0 ? r : fill_record(rec, &ret[most], err);
}

/* --- is it the same source? --- */

struct places {
	const struct im_earlier *kept;
	const struct co_source *source;
	uint8_t *then, *now;
	size_t area;
};

/* Places that could not be read prove nothing. Asked for in ascending order. */
static bool is_readable(struct places *p, uint64_t off, size_t len)
{
	const struct im_areas *areas = &p->kept->areas;
	uint64_t first = off / p->kept->sector, end = (off + len + p->kept->sector - 1) / p->kept->sector;

	while (p->area < areas->list.n && areas->list.at[p->area].first + areas->list.at[p->area].count <= first)
		p->area++;
	return p->area == areas->list.n || areas->list.at[p->area].first >= end;
}

static int compare_place(struct places *p, uint64_t off, struct co_err *err)
{
	size_t len = (size_t)co_min_u64(IM_STREAM_BUFFER, p->kept->bytes - off), good = 0;
	struct co_err why = CO_ERR_INIT;
	int r;

	if (!is_readable(p, off, len))
		return 0;
	r = co_source_read_full(&p->kept->image, p->then, len, off, err);
	if (r < 0)
		return r;
	r = co_source_read(p->source, p->now, len, off, &good, &why);
	if (r < 0) {
		*err = why;
		return r;
	}
	if (memcmp(p->then, p->now, good) == 0)
		return 0;
	return co_err_set(err, CO_ERR_MISMATCH, 0,
			  "this is not the source that the acquisition was begun with: what it holds at byte %" PRIu64
			  " is not what was stored",
			  off);
}

static int compare_places(struct places *p, bool all, struct co_err *err)
{
	uint64_t n = (p->kept->bytes + IM_STREAM_BUFFER - 1) / IM_STREAM_BUFFER;
	uint64_t count = all || n < PLACES ? n : PLACES;
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < count; i++) {
		uint64_t block = count == n ? i : (n - 1) / (count - 1) * i;

		r = compare_place(p, block * IM_STREAM_BUFFER, err);
		if (r == 0)
			r = co_cancel_check(err);
	}
	return r;
}

int im_resume_prove(const struct im_earlier *earlier, const struct im_earlier *kept, const struct im_samples *now,
		    const struct co_source *source, bool all, struct co_err *err)
{
	struct places p = { .kept = kept, .source = source };
	struct im_samples_difference d;
	int r;

	if (!kept && !earlier->samples.n)
		return 0; /* it was begun, no more */
	if (im_samples_differ(&earlier->samples, now, &d) > 0)
		return co_err_set(
			err, CO_ERR_MISMATCH, 0,
			"this is not the source that the acquisition was begun with: its sample at byte %" PRIu64
			" differs",
			d.first);
	if (d.compared == 0)
		return co_err_set(
			err, CO_ERR_MISMATCH, 0,
			"whether this is the source that the acquisition was begun with can't be proved: none of "
			"its samples could be read both then and now");
	if (!kept)
		return 0;
	p.then = malloc(IM_STREAM_BUFFER);
	p.now = malloc(IM_STREAM_BUFFER);
	r = p.then && p.now ? compare_places(&p, all, err) : no_memory(err);
	free(p.then);
	free(p.now);
	return r;
}
