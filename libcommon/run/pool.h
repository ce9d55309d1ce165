/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ordered worker pool: jobs end in any order and come back in the order of submission.
 *
 * Memory is bounded by @depth jobs in flight. Each worker owns a state made by worker_init; a job is touched by its
 * submitter before submit and after take, and by one worker in between. Workers do not wait for other jobs.
 * With 0 workers jobs run inside take(): the serial reference that gives the same results.
 * One thread submits and takes. No other place in the project creates threads.
 */
#ifndef CO_RUN_POOL_H
#define CO_RUN_POOL_H

#include <stdbool.h>

#include "base/error.h"

struct co_pool;

struct co_pool_ops {
	/* Makes the state of one worker, called in the submitting thread; NULL with *err set on failure.
	 * Both may be NULL if workers need no state. */
	void *(*worker_init)(void *arg, struct co_err *err);
	void (*worker_free)(void *self);
	/* Does one job. A negative code comes back from the take() of that job. */
	int (*run)(void *self, void *job, struct co_err *err);
	/* Its threads yield to all others of the program: for work that can wait until processors have nothing to do.
	 */
	bool background;
};

/* @workers: threads, 0 for the serial reference. @depth: jobs in flight at most (submitted and not yet taken), >= 1. */
int co_pool_open(struct co_pool **ret, const struct co_pool_ops *ops, void *arg, unsigned workers, unsigned depth,
		 struct co_err *err);

/* 0: queued. 1: @depth jobs are in flight, take one first. Never blocks. */
int co_pool_submit(struct co_pool *pool, void *job);

/* Waits for the oldest job. 0: *ret_job is done. 1: nothing is in flight. < 0: that job failed; *ret_job is set to it
 * (here alone a result is set on failure, since the caller must release the job), the pool goes on working. */
int co_pool_take(struct co_pool *pool, void **ret_job, struct co_err *err);

/* Like take, but never blocks: 1 also if the oldest job is not done yet. (With 0 workers: same as take.) */
int co_pool_poll(struct co_pool *pool, void **ret_job, struct co_err *err);

/* Number of jobs in flight. */
unsigned co_pool_in_flight(const struct co_pool *pool);

/* Ends the workers. Jobs still in flight are finished or dropped, without being handed back: take them before if
 * they own something. NULL is allowed. */
void co_pool_close(struct co_pool *pool);

/* Processors this process may run on, at least 1. */
unsigned co_pool_cores(void);

#endif
