/* SPDX-License-Identifier: Apache-2.0 */
#include "read/reader.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "read/skip.h"
#include "run/pool.h"

#define FAILURES_IN_A_ROW 64
#define PIECE 65536
#define PATIENCE_NS (2 * CO_NS_PER_S)
#define NONE UINT64_MAX

struct job {
	struct im_reader *r;
	struct co_buf *buf;
	uint64_t number;
	struct im_areas areas; /* what was not read */
	bool skipped;          /* is not to be read */
	bool dead;             /* no piece of it was readable */
};

struct im_reader {
	struct im_reader_opts opts;
	size_t piece; /* bytes */
	struct co_pool *pool;
	struct job *jobs; /* ring of `ahead` jobs */
	unsigned next_job;
	struct im_skip skip;
	uint64_t begun;        /* buffers */
	uint64_t submitted;    /* bytes of the medium for which a read was started */
	_Atomic uint64_t lost; /* the place of a read that ended for good, or NONE */
	_Atomic uint64_t good; /* a place where a unit was readable, or NONE */
	struct im_ranges bad;
	struct im_areas areas;
	bool over;
};

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

/* Does the medium still answer? If nothing was readable so far, five places all over it are asked. */
static int check_alive(struct im_reader *r, void *scratch, struct co_err *err)
{
	uint64_t unit = r->opts.unit, units = (r->opts.source->size + unit - 1) / unit;
	uint64_t good = atomic_load(&r->good);
	uint64_t places[5] = { units / 2, units - 1, 0, units / 4, (units - 1) / 4 * 3 };
	struct co_err why = CO_ERR_INIT;
	int code = 1;

	if (r->opts.is_image)
		return 0;
	if (good != NONE)
		code = try_unit(r, scratch, good, &why);
	for (int i = 0; good == NONE && code == 1 && i < 5; i++)
		code = try_unit(r, scratch, places[i] * unit, &why);
	if (code == 1)
		return co_err_set(err, CO_ERR_LOST, 0,
				  "the source is gone: even what could be read before fails now (%s)", why.msg);
	if (code < 0)
		*err = why;
	return code;
}

/* Zeros for part of a buffer. */
static int leave_out(struct job *job, size_t at, size_t len, enum im_state state, struct co_err *err)
{
	uint64_t unit = job->r->opts.unit;

	memset(job->buf->data + at, 0, len);
	if (im_areas_add(&job->areas, (job->buf->off + at) / unit, (len + unit - 1) / unit, state) < 0)
		return no_memory(err);
	job->buf->plain = job->r->opts.skip;
	return 0;
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
		code = leave_out(job, at, len, IM_BAD, err);
		if (code < 0)
			return code;
		if (++failures % FAILURES_IN_A_ROW == 0 || at + len == buf->len) {
			code = check_alive(r, scratch, err);
			if (code < 0)
				return code;
		}
	}
	return 0;
}

static int64_t now(const struct im_reader *r)
{
	return r->opts.clock ? r->opts.clock() : co_clock_monotonic();
}

/* Reads the rest of a buffer in pieces from @from on, as long as that does not cost too much. */
static int read_pieces(struct job *job, void *scratch, size_t from, int64_t start, struct co_err *err)
{
	struct im_reader *r = job->r;
	struct co_buf *buf = job->buf;
	unsigned failures = 0;
	size_t len;

	job->dead = from == 0;
	for (size_t at = from; at < buf->len; at += len) {
		bool in_time = now(r) - start <= r->opts.patience_ns;
		int code = 1;

		len = in_time ? co_min_u64(r->piece, buf->len - at) : buf->len - at;
		if (in_time)
			code = co_source_read(r->opts.source, buf->data + at, len, buf->off + at, NULL, err);
		if (code < 0)
			return code;
		if (code == 0) {
			failures = 0;
			job->dead = false;
			atomic_store(&r->good, buf->off + at);
			continue;
		}
		code = leave_out(job, at, len, in_time ? IM_NON_TRIMMED : IM_NON_TRIED, err);
		if (code == 0 && (++failures % FAILURES_IN_A_ROW == 0 || at + len == buf->len))
			code = check_alive(r, scratch, err);
		if (code < 0)
			return code;
	}
	return 0;
}

static int read_buffer(struct job *job, void *scratch, struct co_err *err)
{
	struct im_reader *r = job->r;
	struct co_buf *buf = job->buf;
	int64_t start = r->opts.skip ? now(r) : 0;
	size_t got = 0;
	int code = co_source_read(r->opts.source, buf->data, buf->len, buf->off, &got, err);

	if (code == 0)
		atomic_store(&r->good, buf->off);
	if (code == 1 && r->opts.skip)
		return read_pieces(job, scratch, got - got % r->piece, start, err);
	if (code == 1)
		return narrow(job, scratch, got - got % r->opts.unit, err);
	return code;
}

static int run_job(void *self, void *item, struct co_err *err)
{
	struct job *job = item;
	struct im_reader *r = job->r;
	struct co_buf *buf = job->buf;
	int code;

	/* What lies before the place of the loss may have been read in time, and is tried. */
	if (buf->off > atomic_load(&r->lost))
		return co_err_set(err, CO_ERR_LOST, 0, "the source is gone");
	if (job->skipped)
		return leave_out(job, 0, buf->len, IM_NON_TRIED, err);
	code = read_buffer(job, self, err);
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
	if (opts->begin > opts->source->size) {
		free(r);
		return co_err_set(err, CO_ERR_USAGE, 0, "the source has no byte %llu to begin at",
				  (unsigned long long)opts->begin);
	}
	r->opts = *opts;
	im_skip_init(&r->skip, opts->ahead);
	atomic_init(&r->good, NONE);
	atomic_init(&r->lost, NONE);
	if (!r->opts.patience_ns)
		r->opts.patience_ns = PATIENCE_NS;
	r->piece = opts->unit < PIECE ? PIECE - PIECE % opts->unit : opts->unit;
	r->submitted = opts->begin;
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

/* Is the next buffer to be read, or skipped? false: that is not known before all in work are done. */
static bool decide(struct im_reader *r, struct job *job, uint64_t left)
{
	uint64_t behind = (left - job->buf->len + job->buf->cap - 1) / job->buf->cap;
	enum im_skip_what what = IM_SKIP_READ;

	if (r->opts.skip)
		what = im_skip_ask(&r->skip, job->number, behind, co_pool_in_flight(r->pool));
	job->skipped = what == IM_SKIP_SKIP;
	return what != IM_SKIP_WAIT;
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
		*job = (struct job) { .r = r, .buf = buf, .number = r->begun };
		if (!decide(r, job, left) || co_pool_submit(r->pool, job) != 0) {
			co_buf_unref(buf);
			return 0;
		}
		r->next_job = (r->next_job + 1) % r->opts.ahead;
		r->submitted += buf->len;
		r->begun++;
		left -= buf->len;
		room--;
	}
	return 0;
}

static int collect(struct im_reader *r, struct job *job, struct co_err *err)
{
	for (size_t i = 0; i < job->areas.list.n; i++) {
		const struct im_area *area = &job->areas.list.at[i];

		if (im_areas_add(&r->areas, area->first, area->count, area->state) < 0)
			return no_memory(err);
	}
	if (im_areas_ranges(&job->areas, &r->bad) < 0)
		return no_memory(err);
	if (!job->skipped)
		im_skip_tell(&r->skip, job->number, job->dead);
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
	im_areas_free(&job->areas);
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

const struct im_areas *im_reader_areas(const struct im_reader *r)
{
	return &r->areas;
}

uint64_t im_reader_good(const struct im_reader *r)
{
	return atomic_load(&r->good);
}

void im_reader_close(struct im_reader *r)
{
	struct co_err ignored = CO_ERR_INIT;
	void *item = NULL;

	if (!r)
		return;
	while (r->pool && co_pool_take(r->pool, &item, &ignored) != 1) {
		struct job *job = item;

		im_areas_free(&job->areas);
		co_buf_unref(job->buf);
	}
	co_pool_close(r->pool);
	free(r->jobs);
	im_ranges_free(&r->bad);
	im_areas_free(&r->areas);
	free(r);
}
