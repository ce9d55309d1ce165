/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content pass: every wanted inode is read once, in the order of inodes, by several workers.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "fs/content.h"
#include "fs/marks.h"
#include "hash/digest.h"
#include "run/cancel.h"
#include "run/pool.h"

#define BATCH_BYTES ((uint64_t)8 << 20)
#define BATCH_FILES 512

/* One content: an inode, or one attribute of an NTFS inode; all its names. */
struct content {
	size_t first, n; /* in pass.rows */
	uint64_t size;
	struct co_digests digests;
	uint32_t marks;
	char *why; /* it could not be read to its end; NULL: it was */
};

struct pass {
	const struct an_evidence *evidence;
	const struct an_volumes *volumes;
	struct an_case *c;
	struct co_progress *progress;
	CO_VEC(size_t) rows; /* wanted ones, by content */
	CO_VEC(struct content) contents;
};

struct job {
	struct pass *pass;
	size_t begin, end; /* of pass.contents */
	uint64_t bytes;
};

struct worker {
	const struct pass *pass;
	struct an_fs **fs; /* per volume */
	struct co_hasher *hasher;
};

struct stream {
	struct co_hasher *hasher;
	struct an_marks marks;
};

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
}

static void worker_free(void *self)
{
	struct worker *w = self;
	for (size_t i = 0; w->fs && i < w->pass->volumes->list.n; i++)
		an_fs_close(w->fs[i]);
	free(w->fs);
	co_hasher_close(w->hasher);
	free(w);
}

static void *worker_init(void *arg, struct co_err *err)
{
	struct worker *w = calloc(1, sizeof *w);
	if (!w) {
		no_memory(err);
		return NULL;
	}
	w->pass = arg;
	w->fs = calloc(w->pass->volumes->list.n + 1, sizeof(struct an_fs *));
	int r = w->fs ? 0 : no_memory(err);
	if (r == 0)
		r = co_hasher_open(&w->hasher, CO_HASH_BIT(CO_HASH_SHA256) | CO_HASH_BIT(CO_HASH_MD5), err);
	if (r == 0)
		return w;
	worker_free(w);
	return NULL;
}

static int stream_add(void *arg, const void *bytes, size_t len, struct co_err *err)
{
	struct stream *s = arg;
	an_marks_add(&s->marks, bytes, len);
	return co_hasher_add(s->hasher, bytes, len, err);
}

static int read_one(struct worker *w, struct content *x, struct co_err *err)
{
	const struct an_file *file = &w->pass->c->files.rows.at[w->pass->rows.at[x->first]];
	struct stream s = { .hasher = w->hasher };
	struct an_fs **fs = &w->fs[file->volume];
	int r = 0;
	if (!*fs)
		r = an_fs_open(fs, w->pass->evidence, &w->pass->volumes->list.at[file->volume], err);
	if (r == 0)
		r = an_content_read(*fs, file, stream_add, &s, err);
	if (r < 0)
		return r;
	if (r > 0 && !(x->why = strdup(err->msg)))
		return no_memory(err);
	x->marks = s.marks.found;
	return co_hasher_finish(w->hasher, &x->digests, err);
}

static int run_job(void *self, void *job, struct co_err *err)
{
	struct job *j = job;
	int r = 0;
	for (size_t i = j->begin; r == 0 && i < j->end; i++)
		r = read_one(self, &j->pass->contents.at[i], err);
	return r;
}

static int by_content(const void *a, const void *b, void *arg)
{
	const struct an_case *c = arg;
	size_t i = *(const size_t *)a, k = *(const size_t *)b;
	const struct an_file *x = &c->files.rows.at[i], *y = &c->files.rows.at[k];
	if (x->volume != y->volume)
		return x->volume < y->volume ? -1 : 1;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->attr_type != y->attr_type)
		return x->attr_type < y->attr_type ? -1 : 1;
	if (x->attr_id != y->attr_id)
		return x->attr_id < y->attr_id ? -1 : 1;
	return (i > k) - (i < k);
}

static bool same_content(const struct an_file *x, const struct an_file *y)
{
	return x->volume == y->volume && x->inode == y->inode && x->attr_type == y->attr_type &&
	       x->attr_id == y->attr_id;
}

static int gather(struct pass *p, const struct an_content_opts *opts, struct co_err *err)
{
	struct an_case *c = p->c;
	for (size_t i = 0; i < c->files.rows.n; i++) {
		const struct an_file *f = &c->files.rows.at[i];
		if (!an_file_is_live_regular(f) || f->volume >= p->volumes->list.n)
			continue;
		if ((!opts->wanted || opts->wanted(opts->arg, f)) && co_vec_push(&p->rows, i) < 0)
			return no_memory(err);
	}
	if (p->rows.n > 1)
		qsort_r(p->rows.at, p->rows.n, sizeof *p->rows.at, by_content, c);
	for (size_t i = 0; i < p->rows.n; i++) {
		const struct an_file *f = &c->files.rows.at[p->rows.at[i]];
		struct content *last = p->contents.n ? &p->contents.at[p->contents.n - 1] : NULL;
		if (last && same_content(f, &c->files.rows.at[p->rows.at[last->first]]))
			last->n++;
		else if (co_vec_push(&p->contents, (struct content) { .first = i, .n = 1, .size = f->size }) < 0)
			return no_memory(err);
	}
	return 0;
}

static uint64_t add_capped(uint64_t a, uint64_t b)
{
	uint64_t sum;
	return co_add(a, b, &sum) ? sum : UINT64_MAX;
}

/* The contents from @begin on that make one job. */
static struct job *next_job(struct pass *p, size_t begin)
{
	struct job *j = calloc(1, sizeof *j);
	if (!j)
		return NULL;
	j->pass = p;
	j->begin = j->end = begin;
	while (j->end < p->contents.n && j->end - begin < BATCH_FILES && j->bytes < BATCH_BYTES)
		j->bytes = add_capped(j->bytes, p->contents.at[j->end++].size);
	return j;
}

static int apply_one(struct pass *p, const struct content *x, struct co_err *err)
{
	for (size_t i = x->first; i < x->first + x->n; i++) {
		struct an_file *f = &p->c->files.rows.at[p->rows.at[i]];
		f->content = an_marks_for_name(x->marks, f->path);
		f->flags |= AN_CONTENT_SEEN;
		if (x->why) {
			f->flags |= AN_CONTENT_DAMAGED;
			continue;
		}
		memcpy(f->sha256, x->digests.of[CO_HASH_SHA256].bytes, sizeof f->sha256);
		memcpy(f->md5, x->digests.of[CO_HASH_MD5].bytes, sizeof f->md5);
		f->flags |= AN_HAS_DIGESTS;
	}
	if (!x->why)
		return 0;
	const struct an_file *f = &p->c->files.rows.at[p->rows.at[x->first]];
	co_progress_errors(p->progress, 1);
	return an_case_problem(p->c, f->volume, f->path, err, "%s", x->why);
}

/* Waits for the oldest job and puts its results into the rows. 0; 1: none was in flight. */
static int finish_job(struct pass *p, struct co_pool *pool, bool apply, struct co_err *err)
{
	void *job = NULL;
	int r = co_pool_take(pool, &job, err);
	struct job *j = job;
	for (size_t i = j ? j->begin : 0; r == 0 && apply && i < j->end; i++)
		r = apply_one(p, &p->contents.at[i], err);
	if (r == 0 && j)
		co_progress_add(p->progress, j->bytes);
	free(j);
	return r;
}

static int run_all(struct pass *p, struct co_pool *pool, struct co_err *err)
{
	int r = 0;
	for (size_t at = 0; r == 0 && at < p->contents.n;) {
		r = co_cancel_check(err);
		struct job *j = r == 0 ? next_job(p, at) : NULL;
		if (!j)
			return r < 0 ? r : no_memory(err);
		at = j->end;
		while (r == 0 && co_pool_submit(pool, j) == 1) {
			r = finish_job(p, pool, true, err);
			if (r < 0)
				free(j);
		}
	}
	while (r == 0)
		r = finish_job(p, pool, true, err);
	return r == 1 ? 0 : r;
}

static int work(struct pass *p, unsigned threads, struct co_err *err)
{
	static const struct co_pool_ops ops = { .worker_init = worker_init,
						.worker_free = worker_free,
						.run = run_job };
	unsigned workers = threads ? threads : co_pool_cores();
	struct co_pool *pool;
	int r = co_pool_open(&pool, &ops, p, workers > 1 ? workers : 0, workers * 4, err);
	if (r < 0)
		return r;
	r = run_all(p, pool, err);
	while (co_pool_in_flight(pool) > 0)
		finish_job(p, pool, false, NULL);
	co_pool_close(pool);
	return r;
}

int an_content_digest(const struct an_evidence *e, const struct an_volumes *v, struct an_case *c,
		      const struct an_content_opts *opts, struct co_err *err)
{
	struct pass p = { .evidence = e, .volumes = v, .c = c, .progress = opts->progress };
	int r = gather(&p, opts, err);
	uint64_t total = 0;
	for (size_t i = 0; i < p.contents.n; i++)
		total = add_capped(total, p.contents.at[i].size);
	if (r == 0) {
		co_progress_phase(p.progress, "hash", total, "bytes");
		r = work(&p, opts->threads, err);
	}
	for (size_t i = 0; i < p.contents.n; i++)
		free(p.contents.at[i].why);
	co_vec_free(&p.contents);
	co_vec_free(&p.rows);
	return r;
}
