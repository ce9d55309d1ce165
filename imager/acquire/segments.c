/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/segments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "acquire/verify.h"
#include "base/cleanup.h"
#include "e01/segment.h"
#include "io/sink.h"
#include "run/pool.h"

#define DEPTH 16  /* finished segments that wait for their digest; more hold up the writer */
#define WORKERS 2 /* what is left when the source has been read should not wait for one thread */

struct job {
	char *file; /* full name */
	struct im_segment segment;
};

struct im_segments {
	const struct im_bag_files *files;
	const char *name;
	struct im_bag_record *bag;
	struct co_pool *pool;
	unsigned added;
};

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the list of segments");
}

static void free_job(struct job *job)
{
	free(job->file);
	free(job->segment.name);
	free(job->segment.part);
	free(job);
}

/* What is read is what is on the disk: synced, and its cached pages dropped. */
static int read_back(void *self, void *item, struct co_err *err)
{
	struct job *job = item;
	struct co_digests d;
	struct stat st;
	int r = co_sync_file(job->file, err);

	(void)self;
	if (r < 0)
		return r;
	im_drop_cache(job->file);
	r = co_digest_file(CO_HASH_BIT(CO_HASH_SHA256), job->file, &d, err);
	if (r == CO_ERR_NOMEM || r == CO_ERR_CANCELED)
		return r;
	if (r < 0)
		return co_err_set(err, CO_ERR_OUTPUT, 0, "read %s back: %s", job->file, err->msg);
	if (stat(job->file, &st) < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "read %s back", job->file);
	job->segment.bytes = (uint64_t)st.st_size;
	co_digests_hex(&d, CO_HASH_SHA256, job->segment.sha256);
	return 0;
}

int im_segment_renew(const struct im_bag_files *files, struct im_segment *segment, struct co_err *err)
{
	struct job job = { 0 };
	int r;

	if (asprintf(&job.file, "%s/%s", files->data, segment->part) < 0)
		return no_memory(err);
	r = read_back(NULL, &job, err);
	free(job.file);
	if (r < 0)
		return r;
	segment->bytes = job.segment.bytes;
	memcpy(segment->sha256, job.segment.sha256, sizeof segment->sha256);
	return 0;
}

int im_segments_open(struct im_segments **ret, const struct im_bag_files *files, const char *name,
		     struct im_bag_record *bag, struct co_err *err)
{
	static const struct co_pool_ops ops = { .run = read_back, .background = true };
	struct im_segments *s = calloc(1, sizeof *s);
	int r;

	if (!s)
		return no_memory(err);
	*s = (struct im_segments) { .files = files, .name = name, .bag = bag };
	r = co_pool_open(&s->pool, &ops, NULL, WORKERS, DEPTH, err);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

static struct job *make_job(const struct im_segments *s, const char *extension)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job)
		return NULL;
	if (asprintf(&job->segment.name, "%s.%s", s->name, extension) < 0)
		job->segment.name = NULL;
	if (asprintf(&job->segment.part, "%s.%s.part", s->name, extension) < 0)
		job->segment.part = NULL;
	if (!job->segment.part || asprintf(&job->file, "%s/%s", s->files->data, job->segment.part) < 0)
		job->file = NULL;
	if (job->segment.name && job->file)
		return job;
	free_job(job);
	return NULL;
}

/* Takes the oldest job, which is done or waited for, into the list. 1: there is none. */
static int collect(struct im_segments *s, int (*take)(struct co_pool *pool, void **ret, struct co_err *err),
		   struct co_err *err)
{
	void *item;
	struct job *job;
	int r = take(s->pool, &item, err);

	if (r > 0)
		return 1;
	job = item;
	if (r == 0) {
		r = co_vec_push(&s->bag->segments, job->segment) < 0 ? no_memory(err) : 0;
		if (r == 0)
			job->segment = (struct im_segment) { 0 };
	}
	free_job(job);
	return r;
}

int im_segments_add(struct im_segments *s, unsigned number, struct co_err *err)
{
	char extension[4];
	struct job *job;
	int r;

	if (co_e01_extension(number, extension) < 0)
		return co_err_set(err, CO_ERR_OUTPUT, 0, "the image has too many segments");
	do
		r = collect(s, co_pool_poll, err);
	while (r == 0);
	if (r < 0)
		return r;
	job = make_job(s, extension);
	if (!job)
		return no_memory(err);
	while (co_pool_submit(s->pool, job) > 0) {
		r = collect(s, co_pool_take, err);
		if (r < 0) {
			free_job(job);
			return r;
		}
	}
	s->added = number;
	return 0;
}

int im_segments_finish(struct im_segments *s, unsigned n, struct co_err *err)
{
	int r = 0;

	while (r == 0 && s->added < n)
		r = im_segments_add(s, s->added + 1, err);
	while (r == 0)
		r = collect(s, co_pool_take, err);
	return r < 0 ? r : 0;
}

void im_segments_close(struct im_segments *s)
{
	void *item;

	if (!s)
		return;
	/* What is finished counts, also if the rest will never be: an acquisition may be resumed from there. */
	while (collect(s, co_pool_take, NULL) == 0)
		;
	while (co_pool_take(s->pool, &item, NULL) <= 0)
		free_job(item);
	co_pool_close(s->pool);
	free(s);
}
