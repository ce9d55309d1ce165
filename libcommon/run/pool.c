/* SPDX-License-Identifier: Apache-2.0 */
#include "run/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE_LAST 19

/* One job in flight. Between the hand-over points (submit, start, done, take) exactly one thread owns it, so that only
 * `done` needs the lock. */
struct slot {
	void *job;
	bool done;
	int code;
	struct co_err err;
};

struct worker {
	struct co_pool *pool;
	void *self; /* from worker_init */
	pthread_t thread;
};

struct co_pool {
	struct co_pool_ops ops;
	unsigned depth;
	struct slot *ring; /* depth slots; job i lies in slot i % depth */
	struct worker *workers;
	unsigned n_states;  /* workers that have a state; 1 for the serial reference */
	unsigned n_threads; /* threads that run */
	bool have_lock, have_work, have_done;
	pthread_mutex_t lock;
	pthread_cond_t work; /* a job was submitted, or the pool is closing */
	pthread_cond_t done; /* the oldest job is done */
	/* under the lock, but for the submitting thread's own reads of what it alone changes */
	uint64_t submitted, started, taken; /* counted since open; taken <= started <= submitted */
	bool closing;
};

static struct slot *slot_of(const struct co_pool *pool, uint64_t number)
{
	return &pool->ring[number % pool->depth];
}

static void run_job(const struct co_pool *pool, void *self, struct slot *slot)
{
	slot->code = pool->ops.run(self, slot->job, &slot->err);
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct co_pool *pool = worker->pool;
	if (pool->ops.background)
		setpriority(PRIO_PROCESS, (id_t)gettid(), NICE_LAST); /* at worst it does not yield */
	pthread_mutex_lock(&pool->lock);
	for (;;) {
		while (pool->started == pool->submitted && !pool->closing)
			pthread_cond_wait(&pool->work, &pool->lock);
		if (pool->closing)
			break;
		struct slot *slot = slot_of(pool, pool->started++);
		pthread_mutex_unlock(&pool->lock);
		run_job(pool, worker->self, slot);
		pthread_mutex_lock(&pool->lock);
		slot->done = true;
		if (slot == slot_of(pool, pool->taken))
			pthread_cond_signal(&pool->done);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static int make_locks(struct co_pool *pool, struct co_err *err)
{
	int sys = pthread_mutex_init(&pool->lock, NULL);
	pool->have_lock = sys == 0;
	if (sys == 0) {
		sys = pthread_cond_init(&pool->work, NULL);
		pool->have_work = sys == 0;
	}
	if (sys == 0) {
		sys = pthread_cond_init(&pool->done, NULL);
		pool->have_done = sys == 0;
	}
	return sys ? co_err_set(err, CO_ERR_NOMEM, sys, "make the locks of a worker pool") : 0;
}

static int make_states(struct co_pool *pool, void *arg, unsigned n, struct co_err *err)
{
	for (; pool->n_states < n; pool->n_states++) {
		struct worker *worker = &pool->workers[pool->n_states];
		worker->pool = pool;
		if (!pool->ops.worker_init)
			continue;
		struct co_err why = CO_ERR_INIT;
		worker->self = pool->ops.worker_init(arg, &why);
		if (!worker->self) {
			if (!why.code)
				co_err_set(&why, CO_ERR_NOMEM, 0, "out of memory for a worker");
			if (err)
				*err = why;
			return why.code;
		}
	}
	return 0;
}

static int start_threads(struct co_pool *pool, unsigned n, struct co_err *err)
{
	/* Signals go to the submitting thread, whose blocking calls they are to interrupt. */
	sigset_t all, before;
	sigfillset(&all);
	int sys = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (sys)
		return co_err_set(err, CO_ERR_FAILED, sys, "block signals for worker threads");
	for (; sys == 0 && pool->n_threads < n; pool->n_threads += sys == 0) {
		struct worker *worker = &pool->workers[pool->n_threads];
		sys = pthread_create(&worker->thread, NULL, worker_main, worker);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return sys ? co_err_set(err, CO_ERR_NOMEM, sys, "start worker thread %u of %u", pool->n_threads + 1, n) : 0;
}

int co_pool_open(struct co_pool **ret, const struct co_pool_ops *ops, void *arg, unsigned workers, unsigned depth,
		 struct co_err *err)
{
	int r;
	unsigned states = workers ? workers : 1;
	struct co_pool *pool = calloc(1, sizeof *pool);
	if (!pool)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for a worker pool");
	pool->ops = *ops;
	pool->depth = depth ? depth : 1;
	pool->ring = calloc(pool->depth, sizeof *pool->ring);
	pool->workers = calloc(states, sizeof *pool->workers);
	if (!pool->ring || !pool->workers) {
		r = co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for a worker pool");
		goto fail;
	}
	if ((r = make_locks(pool, err)) < 0 || (r = make_states(pool, arg, states, err)) < 0 ||
	    (r = start_threads(pool, workers, err)) < 0)
		goto fail;
	*ret = pool;
	return 0;
fail:
	co_pool_close(pool);
	return r;
}

int co_pool_submit(struct co_pool *pool, void *job)
{
	if (co_pool_in_flight(pool) >= pool->depth)
		return 1;
	struct slot *slot = slot_of(pool, pool->submitted);
	*slot = (struct slot) { .job = job };
	pthread_mutex_lock(&pool->lock);
	pool->submitted++;
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	return 0;
}

/* The oldest job once it is done; NULL: not done yet, and @wait is false. */
static struct slot *oldest_done(struct co_pool *pool, bool wait)
{
	struct slot *slot = slot_of(pool, pool->taken);
	if (pool->n_threads == 0) {
		run_job(pool, pool->workers[0].self, slot);
		pool->started++;
		slot->done = true;
		return slot;
	}
	pthread_mutex_lock(&pool->lock);
	while (wait && !slot->done)
		pthread_cond_wait(&pool->done, &pool->lock);
	bool done = slot->done;
	pthread_mutex_unlock(&pool->lock);
	return done ? slot : NULL;
}

static int take(struct co_pool *pool, bool wait, void **ret_job, struct co_err *err)
{
	if (co_pool_in_flight(pool) == 0)
		return 1;
	struct slot *slot = oldest_done(pool, wait);
	if (!slot)
		return 1;
	*ret_job = slot->job;
	int code = slot->code < 0 ? slot->code : 0;
	if (code < 0 && err)
		*err = slot->err;
	pthread_mutex_lock(&pool->lock);
	pool->taken++;
	pthread_mutex_unlock(&pool->lock);
	return code;
}

int co_pool_take(struct co_pool *pool, void **ret_job, struct co_err *err)
{
	return take(pool, true, ret_job, err);
}

int co_pool_poll(struct co_pool *pool, void **ret_job, struct co_err *err)
{
	return take(pool, false, ret_job, err);
}

unsigned co_pool_in_flight(const struct co_pool *pool)
{
	return (unsigned)(pool->submitted - pool->taken);
}

void co_pool_close(struct co_pool *pool)
{
	if (!pool)
		return;
	if (pool->n_threads) {
		pthread_mutex_lock(&pool->lock);
		pool->closing = true;
		pthread_cond_broadcast(&pool->work);
		pthread_mutex_unlock(&pool->lock);
	}
	for (unsigned i = 0; i < pool->n_threads; i++)
		pthread_join(pool->workers[i].thread, NULL);
	for (unsigned i = 0; i < pool->n_states && pool->ops.worker_free; i++)
		pool->ops.worker_free(pool->workers[i].self);
	if (pool->have_done)
		pthread_cond_destroy(&pool->done);
	if (pool->have_work)
		pthread_cond_destroy(&pool->work);
	if (pool->have_lock)
		pthread_mutex_destroy(&pool->lock);
	free(pool->workers);
	free(pool->ring);
	free(pool);
}

unsigned co_pool_cores(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
		return (unsigned)CPU_COUNT(&set);
	/* More processors than a cpu_set_t holds. */
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (unsigned)n : 1;
}
