/* SPDX-License-Identifier: Apache-2.0 */
#include "read/reader.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "run/pool.h"

#define FAILURES_IN_A_ROW 64
#define NONE UINT64_MAX

struct job {
	struct im_reader *r;
	struct co_buf *buf;
	struct im_ranges bad;
};

struct im_reader {
	struct im_reader_opts opts;
	struct co_pool *pool;
	struct job *jobs; /* ring of `ahead` jobs */
	unsigned next_job;
	uint64_t submitted;    /* bytes of the medium for which a read was started */
	_Atomic uint64_t lost; /* the place of a read that ended for good, or NONE */
	_Atomic uint64_t good; /* a place where a unit was readable, or NONE */
	struct im_ranges bad;
	bool over;
};

int im_ranges_add(struct im_ranges *r, uint64_t first, uint64_t count)
{
	struct im_range *last = r->list.n ? &r->list.at[r->list.n - 1] : NULL;

	if (last && last->first + last->count == first)
		last->count += count;
	else if (co_vec_push(&r->list, (struct im_range) { .first = first, .count = count }) < 0)
		return -1;
	r->total += count;
	return 0;
}

void im_ranges_free(struct im_ranges *r)
{
	co_vec_free(&r->list);
	r->total = 0;
}

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory to read the source");
}

/* @scratch: one unit of aligned memory. 0: readable. 1: not. < 0: lost. */
static int try_unit(struct im_reader *r, void *scratch, uint64_t off, struct co_err *err)
{
	const struct co_source *src = r->opts.source;
	size_t len = (size_t)co_min_u64(r->opts.unit, src->size - off), got = 0;
	int code = co_source_read(src, scratch, len, off, &got, err);

	if (code == 0)
		atomic_store(&r->good, off);
	return code;
}

/* Does the medium still answer? If nothing was readable so far, its middle and its end are asked. */
static int check_alive(struct im_reader *r, void *scratch, struct co_err *err)
{
	uint64_t unit = r->opts.unit, units = (r->opts.source->size + unit - 1) / unit;
	uint64_t good = atomic_load(&r->good);
	uint64_t places[2] = { units / 2 * unit, (units - 1) * unit };
	struct co_err why = CO_ERR_INIT;
	int code;

	if (r->opts.is_image)
		return 0;
	if (good != NONE) {
		code = try_unit(r, scratch, good, &why);
	} else {
		code = try_unit(r, scratch, places[0], &why);
		if (code == 1)
			code = try_unit(r, scratch, places[1], &why);
	}
	if (code == 1)
		return co_err_set(err, CO_ERR_LOST, 0,
				  "the source is gone: even what could be read before fails now (%s)", why.msg);
	if (code < 0)
		*err = why;
	return code;
}

/* Reads the rest of a buffer unit by unit from @from on. */
static int narrow(struct job *job, void *scratch, size_t from, struct co_err *err)
{
	struct im_reader *r = job->r;
	struct co_buf *buf = job->buf;
	unsigned failures = 0;
	size_t len;

	for (size_t at = from; at < buf->len; at += len) {
		size_t got = 0;
		int code;

		len = (size_t)co_min_u64(r->opts.unit, buf->len - at);
		code = co_source_read(r->opts.source, buf->data + at, len, buf->off + at, &got, err);
		if (code < 0)
			return code;
		if (code == 0) {
			failures = 0;
			atomic_store(&r->good, buf->off + at);
			continue;
		}
		memset(buf->data + at, 0, len);
		if (im_ranges_add(&job->bad, (buf->off + at) / r->opts.unit, 1) < 0)
			return no_memory(err);
		if (++failures % FAILURES_IN_A_ROW == 0 || at + len == buf->len) {
			code = check_alive(r, scratch, err);
			if (code < 0)
				return code;
		}
	}
	return 0;
}

static int run_job(void *self, void *item, struct co_err *err)
{
	struct job *job = item;
	struct im_reader *r = job->r;
	struct co_buf *buf = job->buf;
	size_t got = 0;
	int code;

	/* What lies before the place of the loss may have been read in time, and is tried. */
	if (buf->off > atomic_load(&r->lost))
		return co_err_set(err, CO_ERR_LOST, 0, "the source is gone");
	code = co_source_read(r->opts.source, buf->data, buf->len, buf->off, &got, err);
	if (code == 0)
		atomic_store(&r->good, buf->off);
	if (code == 1)
		code = narrow(job, self, got - got % r->opts.unit, err);
	if (code < 0)
		atomic_store(&r->lost, buf->off);
	return code;
}

/* The state of a worker is memory for one unit. */
static void *make_scratch(void *arg, struct co_err *err)
{
	const struct im_reader *r = arg;
	void *p = aligned_alloc(4096, (r->opts.unit + (size_t)4095) / 4096 * 4096);

	if (!p)
		no_memory(err);
	return p;
}

static const struct co_pool_ops pool_ops = { .worker_init = make_scratch, .worker_free = free, .run = run_job };

int im_reader_open(struct im_reader **ret, const struct im_reader_opts *opts, struct co_err *err)
{
	struct im_reader *r = calloc(1, sizeof *r);
	int code = 0;

	if (!r)
		return no_memory(err);
	r->opts = *opts;
	atomic_init(&r->good, NONE);
	atomic_init(&r->lost, NONE);
	r->jobs = calloc(opts->ahead, sizeof *r->jobs);
	if (!r->jobs)
		code = no_memory(err);
	if (code == 0)
		code = co_pool_open(&r->pool, &pool_ops, r, opts->workers, opts->ahead, err);
	if (code < 0) {
		im_reader_close(r);
		return code;
	}
	*ret = r;
	return 0;
}

unsigned im_reader_fill(struct im_reader *r)
{
	uint64_t left = r->opts.source->size - r->submitted;
	unsigned room = r->opts.ahead - co_pool_in_flight(r->pool);

	while (left && room && !r->over) {
		struct job *job = &r->jobs[r->next_job];
		struct co_buf *buf = co_bufs_try_lend(r->opts.bufs);

		if (!buf)
			return room;
		buf->len = (size_t)co_min_u64(buf->cap, left);
		buf->off = r->submitted;
		*job = (struct job) { .r = r, .buf = buf };
		if (co_pool_submit(r->pool, job) != 0) {
			co_buf_unref(buf);
			return 0;
		}
		r->next_job = (r->next_job + 1) % r->opts.ahead;
		r->submitted += buf->len;
		left -= buf->len;
		room--;
	}
	return 0;
}

static int collect(struct im_reader *r, struct job *job, struct co_err *err)
{
	for (size_t i = 0; i < job->bad.list.n; i++)
		if (im_ranges_add(&r->bad, job->bad.list.at[i].first, job->bad.list.at[i].count) < 0)
			return no_memory(err);
	return 0;
}

int im_reader_next(struct im_reader *r, struct co_buf **ret, struct co_err *err)
{
	void *item = NULL;
	struct job *job;
	int code;

	if (r->over)
		return co_err_set(err, CO_ERR_FAILED, 0, "the source can't be read any more");
	code = co_pool_take(r->pool, &item, err);
	if (code == 1)
		return r->submitted == r->opts.source->size ? 1 : 2;
	job = item;
	if (code == 0)
		code = collect(r, job, err);
	im_ranges_free(&job->bad);
	if (code < 0) {
		r->over = true;
		co_buf_unref(job->buf);
		return code;
	}
	*ret = job->buf;
	return 0;
}

const struct im_ranges *im_reader_bad(const struct im_reader *r)
{
	return &r->bad;
}

void im_reader_close(struct im_reader *r)
{
	struct co_err ignored = CO_ERR_INIT;
	void *item = NULL;

	if (!r)
		return;
	while (r->pool && co_pool_take(r->pool, &item, &ignored) != 1) {
		struct job *job = item;

		im_ranges_free(&job->bad);
		co_buf_unref(job->buf);
	}
	co_pool_close(r->pool);
	free(r->jobs);
	im_ranges_free(&r->bad);
	free(r);
}
