/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads that go through the image in order are streams. What lies ahead of a stream is inflated into the cache by the
 * workers of a pool, chunk by chunk, but for those that cost no more to load than to copy. The pool is served by one
 * thread at a time, which is the one that holds the lock.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "e01/image.h"
#include "run/pool.h"

enum {
	STREAMS = 16,     /* followed at a time */
	PATIENCE = 3,     /* reads that went on where one before ended, until it is called a stream */
	WINDOW = 16,      /* chunks ahead of one stream */
	WINDOW_FIRST = 4, /* ... when it has just begun; doubled with each read */
	JOBS = 32,
};

struct stream {
	uint64_t next;     /* where the last read ended */
	uint64_t frontier; /* chunks before this one have been asked for */
	uint64_t used;     /* stamp; 0: no stream */
	unsigned reads;    /* that went on in order */
};

struct job {
	struct co_e01_ahead *ahead;
	uint64_t chunk;
	enum { IDLE, QUEUED, RUNNING } state;
};

struct co_e01_ahead {
	struct co_e01_image *img;
	unsigned window;
	struct co_pool *pool;
	pthread_mutex_t lock; /* of all below, and of submitting to the pool */
	pthread_cond_t done;  /* a job has ended */
	uint64_t stamp, submitted;
	struct stream streams[STREAMS];
	struct job jobs[JOBS]; /* job i of the pool is jobs[i % JOBS] */
};

/* A chunk that can't be read is left to the read that needs it, which tells why. */
static void load(struct co_e01_image *img, uint64_t chunk)
{
	size_t got, size = img->info.chunk_size;
	struct co_e01_scratch *s = co_e01_scratch_borrow(img, NULL);
	if (!s)
		return;
	if (!s->inflated)
		s->inflated = malloc(size);
	if (s->inflated &&
	    co_e01_chunk_load(img, s, chunk, co_e01_chunk_len(img, chunk), s->inflated, size, &got, NULL) == 0)
		co_e01_cache_put(img->cache, chunk, &s->inflated);
	co_e01_scratch_return(img, s);
}

/* Under the lock, which is given up meanwhile. */
static void do_job(struct co_e01_ahead *ahead, struct job *j)
{
	uint64_t chunk = j->chunk;
	j->state = RUNNING;
	pthread_mutex_unlock(&ahead->lock);
	load(ahead->img, chunk);
	pthread_mutex_lock(&ahead->lock);
	j->state = IDLE;
	pthread_cond_broadcast(&ahead->done);
}

static int run_job(void *self, void *job, struct co_err *err)
{
	struct job *j = job;
	struct co_e01_ahead *ahead = j->ahead;
	(void)self;
	(void)err;
	pthread_mutex_lock(&ahead->lock);
	if (j->state == QUEUED)
		do_job(ahead, j);
	pthread_mutex_unlock(&ahead->lock);
	return 0;
}

int co_e01_ahead_open(struct co_e01_ahead **ret, struct co_e01_image *img, unsigned threads, struct co_err *err)
{
	static const struct co_pool_ops ops = { .run = run_job };
	/* All streams together get a quarter of the cache. */
	size_t window = co_e01_cache_chunks(img->cache) / 4 / STREAMS;
	struct co_e01_ahead *ahead = NULL;
	if (threads && window) {
		ahead = calloc(1, sizeof *ahead);
		if (!ahead)
			return co_err_set(err, CO_ERR_NOMEM, 0, "no memory to read ahead");
		ahead->img = img;
		ahead->window = window < WINDOW ? (unsigned)window : WINDOW;
		pthread_mutex_init(&ahead->lock, NULL);
		pthread_cond_init(&ahead->done, NULL);
		int r = co_pool_open(&ahead->pool, &ops, NULL, threads, JOBS, err);
		if (r < 0) {
			co_e01_ahead_close(ahead);
			return r;
		}
	}
	*ret = ahead;
	return 0;
}

void co_e01_ahead_close(struct co_e01_ahead *ahead)
{
	if (!ahead)
		return;
	co_pool_close(ahead->pool);
	pthread_cond_destroy(&ahead->done);
	pthread_mutex_destroy(&ahead->lock);
	free(ahead);
}

/* False: enough is under way. */
static bool submit(struct co_e01_ahead *ahead, uint64_t chunk)
{
	void *ended;
	while (co_pool_poll(ahead->pool, &ended, NULL) == 0)
		;
	if (co_pool_in_flight(ahead->pool) == JOBS)
		return false;
	struct job *j = &ahead->jobs[ahead->submitted % JOBS];
	if (j->state != IDLE)
		return false; /* the reader that does it has not ended yet, though the pool is done with it */
	ahead->submitted++;
	*j = (struct job) { ahead, chunk, QUEUED };
	return co_pool_submit(ahead->pool, j) == 0;
}

static unsigned window_of(const struct co_e01_ahead *ahead, const struct stream *s)
{
	unsigned n = WINDOW_FIRST << co_min_u64(s->reads - PATIENCE, 4);
	return n < ahead->window ? n : ahead->window;
}

static void look_ahead(struct co_e01_ahead *ahead, struct stream *s)
{
	uint64_t size = ahead->img->info.chunk_size;
	uint64_t first = s->next / size + (s->next % size != 0), window = window_of(ahead, s);
	uint64_t end = co_min_u64(first + window, ahead->img->info.n_chunks);
	if (s->frontier > first + window / 2)
		return; /* asking for several at a time costs less than waking a worker for each */
	for (s->frontier = co_max_u64(s->frontier, first); s->frontier < end; s->frontier++)
		if (co_e01_chunk_is_costly(ahead->img, s->frontier) &&
		    !co_e01_cache_has(ahead->img->cache, s->frontier) && !submit(ahead, s->frontier))
			break;
}

/* The stream that a read at @off goes on, give or take a chunk; NULL: none. */
static struct stream *find_stream(struct co_e01_ahead *ahead, uint64_t off)
{
	uint64_t slack = ahead->img->info.chunk_size;
	for (size_t i = 0; i < STREAMS; i++) {
		struct stream *s = &ahead->streams[i];
		if (s->used && off <= s->next + slack && s->next <= off + slack)
			return s;
	}
	return NULL;
}

static struct stream *oldest(struct co_e01_ahead *ahead)
{
	struct stream *s = &ahead->streams[0];
	for (size_t i = 1; i < STREAMS; i++)
		if (ahead->streams[i].used < s->used)
			s = &ahead->streams[i];
	return s;
}

void co_e01_ahead_note(struct co_e01_ahead *ahead, uint64_t off, size_t len)
{
	uint64_t end = off + len;
	pthread_mutex_lock(&ahead->lock);
	struct stream *s = find_stream(ahead, off);
	if (!s) {
		s = oldest(ahead);
		*s = (struct stream) { .next = end };
	} else if (end > s->next) {
		s->next = end;
		s->reads++;
		if (s->reads >= PATIENCE)
			look_ahead(ahead, s);
	}
	s->used = ++ahead->stamp;
	pthread_mutex_unlock(&ahead->lock);
}

static struct job *find_job(struct co_e01_ahead *ahead, uint64_t chunk)
{
	for (size_t i = 0; i < JOBS; i++)
		if (ahead->jobs[i].state != IDLE && ahead->jobs[i].chunk == chunk)
			return &ahead->jobs[i];
	return NULL;
}

bool co_e01_ahead_has(struct co_e01_ahead *ahead, uint64_t chunk)
{
	pthread_mutex_lock(&ahead->lock);
	bool has = find_job(ahead, chunk);
	pthread_mutex_unlock(&ahead->lock);
	return has;
}

/* The job that will be run next of those behind @j; NULL: none. */
static struct job *next_queued(struct co_e01_ahead *ahead, const struct job *j)
{
	size_t at = (size_t)(j - ahead->jobs);
	for (size_t i = 1; i < JOBS; i++) {
		struct job *other = &ahead->jobs[(at + i) % JOBS];
		if (other->state == QUEUED)
			return other;
	}
	return NULL;
}

/* Waiting without working would let reader and worker go through the image in lockstep, one core idle: so the reader
 * does what is queued next meanwhile. */
bool co_e01_ahead_wait(struct co_e01_ahead *ahead, uint64_t chunk)
{
	pthread_mutex_lock(&ahead->lock);
	struct job *j = find_job(ahead, chunk), *other;
	bool running = j && j->state == RUNNING;
	if (j && !running)
		j->state = IDLE; /* the caller is faster than the queue */
	else if (j && (other = next_queued(ahead, j)))
		do_job(ahead, other);
	while (running && j->state == RUNNING && j->chunk == chunk)
		pthread_cond_wait(&ahead->done, &ahead->lock);
	pthread_mutex_unlock(&ahead->lock);
	return running;
}
