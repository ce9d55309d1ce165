/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "run/pool.h"

static const unsigned worker_counts[] = { 0, 1, 2, 7 };
enum { N_COUNTS = 4 };

struct job {
	unsigned number;
	unsigned fail; /* 1: fails */
	unsigned result;
};

/* What worker_init and worker_free did. */
struct states {
	atomic_int made, freed;
	int fail_at; /* the state that can't be made; 0: none */
};

struct state {
	struct states *all;
	unsigned jobs; /* unprotected: two threads in one state would be a race */
};

static void *make_state(void *arg, struct co_err *err)
{
	struct states *all = arg;
	if (atomic_load(&all->made) + 1 == all->fail_at) {
		co_err_set(err, CO_ERR_UNSUPPORTED, 0, "no state");
		return NULL;
	}
	struct state *s = calloc(1, sizeof *s);
	s->all = all;
	atomic_fetch_add(&all->made, 1);
	return s;
}

static void free_state(void *self)
{
	struct state *s = self;
	if (s)
		atomic_fetch_add(&s->all->freed, 1);
	free(s);
}

/* Later jobs tend to end before earlier ones. */
static int run_job(void *self, void *job, struct co_err *err)
{
	struct state *s = self;
	struct job *j = job;
	struct timespec t = { 0, (long)((7 - j->number % 8) * 100000) };
	nanosleep(&t, NULL);
	s->jobs++;
	j->result = j->number * j->number;
	return j->fail ? co_err_set(err, CO_ERR_FORMAT, 0, "job %u", j->number) : 0;
}

static const struct co_pool_ops ops = { .worker_init = make_state, .worker_free = free_state, .run = run_job };

START_TEST(jobs_come_back_in_order)
{
	enum { N = 200 };
	struct states all = { 0 };
	static struct job jobs[N];
	struct co_pool *pool;
	struct co_err err = CO_ERR_INIT;
	unsigned workers = worker_counts[_i], submitted = 0, taken = 0;
	ck_assert_int_eq(co_pool_open(&pool, &ops, &all, workers, 5, &err), 0);
	ck_assert_int_eq(atomic_load(&all.made), workers ? (int)workers : 1);
	for (unsigned i = 0; i < N; i++)
		jobs[i] = (struct job) { .number = i };
	while (taken < N) {
		while (submitted < N && co_pool_submit(pool, &jobs[submitted]) == 0)
			submitted++;
		ck_assert_uint_eq(co_pool_in_flight(pool), submitted - taken);
		ck_assert_uint_le(co_pool_in_flight(pool), 5);
		void *job = NULL;
		ck_assert_int_eq(co_pool_take(pool, &job, &err), 0);
		ck_assert_ptr_eq(job, &jobs[taken]);
		ck_assert_uint_eq(jobs[taken].result, taken * taken);
		taken++;
	}
	ck_assert_uint_eq(co_pool_in_flight(pool), 0);
	co_pool_close(pool);
	ck_assert_int_eq(atomic_load(&all.freed), atomic_load(&all.made));
}
END_TEST

START_TEST(depth_is_back_pressure)
{
	struct states all = { 0 };
	struct job jobs[3] = { { 0 }, { .number = 1 }, { .number = 2 } };
	struct co_pool *pool;
	void *job = NULL;
	ck_assert_int_eq(co_pool_open(&pool, &ops, &all, worker_counts[_i], 2, NULL), 0);
	ck_assert_int_eq(co_pool_take(pool, &job, NULL), 1);
	ck_assert_int_eq(co_pool_submit(pool, &jobs[0]), 0);
	ck_assert_int_eq(co_pool_submit(pool, &jobs[1]), 0);
	ck_assert_int_eq(co_pool_submit(pool, &jobs[2]), 1);
	ck_assert_uint_eq(co_pool_in_flight(pool), 2);
	ck_assert_int_eq(co_pool_take(pool, &job, NULL), 0);
	ck_assert_ptr_eq(job, &jobs[0]);
	ck_assert_int_eq(co_pool_submit(pool, &jobs[2]), 0);
	ck_assert_int_eq(co_pool_take(pool, &job, NULL), 0);
	ck_assert_int_eq(co_pool_take(pool, &job, NULL), 0);
	ck_assert_ptr_eq(job, &jobs[2]);
	ck_assert_int_eq(co_pool_take(pool, &job, NULL), 1);
	co_pool_close(pool);
}
END_TEST

START_TEST(an_error_comes_back_with_its_job)
{
	struct states all = { 0 };
	struct job jobs[9] = { 0 };
	struct co_pool *pool;
	ck_assert_int_eq(co_pool_open(&pool, &ops, &all, worker_counts[_i], 9, NULL), 0);
	for (unsigned i = 0; i < 9; i++) {
		jobs[i] = (struct job) { .number = i, .fail = i == 3 || i == 8 };
		ck_assert_int_eq(co_pool_submit(pool, &jobs[i]), 0);
	}
	for (unsigned i = 0; i < 9; i++) {
		struct co_err err = CO_ERR_INIT;
		char text[16];
		void *job = NULL;
		int r = co_pool_take(pool, &job, &err);
		ck_assert_ptr_eq(job, &jobs[i]);
		ck_assert_int_eq(r, jobs[i].fail ? CO_ERR_FORMAT : 0);
		snprintf(text, sizeof text, "job %u", i);
		ck_assert_str_eq(err.msg, jobs[i].fail ? text : "");
	}
	co_pool_close(pool);
}
END_TEST

START_TEST(poll_does_not_lose_or_reorder)
{
	struct states all = { 0 };
	struct job jobs[20] = { 0 };
	struct co_pool *pool;
	unsigned taken = 0;
	ck_assert_int_eq(co_pool_open(&pool, &ops, &all, worker_counts[_i], 20, NULL), 0);
	for (unsigned i = 0; i < 20; i++) {
		jobs[i].number = i;
		ck_assert_int_eq(co_pool_submit(pool, &jobs[i]), 0);
	}
	while (taken < 20) {
		void *job = NULL;
		if (co_pool_poll(pool, &job, NULL) == 0) {
			ck_assert_ptr_eq(job, &jobs[taken]);
			taken++;
		} else {
			nanosleep(&(struct timespec) { 0, 1000000 }, NULL);
		}
	}
	co_pool_close(pool);
}
END_TEST

START_TEST(close_drops_what_is_in_flight)
{
	struct states all = { 0 };
	struct job jobs[50] = { 0 };
	struct co_pool *pool;
	ck_assert_int_eq(co_pool_open(&pool, &ops, &all, worker_counts[_i], 50, NULL), 0);
	for (unsigned i = 0; i < 50; i++)
		ck_assert_int_eq(co_pool_submit(pool, &jobs[i]), 0);
	co_pool_close(pool);
	ck_assert_int_eq(atomic_load(&all.freed), atomic_load(&all.made));
	co_pool_close(NULL);
}
END_TEST

START_TEST(a_state_that_fails_is_the_error_of_open)
{
	struct states all = { .fail_at = 3 };
	struct co_pool *pool = NULL;
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(co_pool_open(&pool, &ops, &all, 7, 8, &err), CO_ERR_UNSUPPORTED);
	ck_assert_str_eq(err.msg, "no state");
	ck_assert_ptr_null(pool);
	ck_assert_int_eq(atomic_load(&all.made), 2);
	ck_assert_int_eq(atomic_load(&all.freed), 2);
}
END_TEST

static int add_one(void *self, void *job, struct co_err *err)
{
	(void)err;
	ck_assert_ptr_null(self);
	++*(int *)job;
	return 0;
}

START_TEST(workers_need_no_state)
{
	static const struct co_pool_ops plain = { .run = add_one };
	struct co_pool *pool;
	int n = 41;
	void *job = NULL;
	ck_assert_int_eq(co_pool_open(&pool, &plain, NULL, worker_counts[_i], 1, NULL), 0);
	ck_assert_int_eq(co_pool_submit(pool, &n), 0);
	ck_assert_int_eq(co_pool_take(pool, &job, NULL), 0);
	ck_assert_int_eq(n, 42);
	co_pool_close(pool);
}
END_TEST

static int note_priority(void *self, void *job, struct co_err *err)
{
	(void)self;
	(void)err;
	*(int *)job = getpriority(PRIO_PROCESS, (id_t)gettid());
	return 0;
}

START_TEST(background_threads_yield)
{
	static const struct co_pool_ops back = { .run = note_priority, .background = true };
	struct co_pool *pool;
	int priority = 0, before = getpriority(PRIO_PROCESS, (id_t)gettid());
	void *job = NULL;
	ck_assert_int_eq(co_pool_open(&pool, &back, NULL, 1, 1, NULL), 0);
	ck_assert_int_eq(co_pool_submit(pool, &priority), 0);
	ck_assert_int_eq(co_pool_take(pool, &job, NULL), 0);
	co_pool_close(pool);
	ck_assert_int_eq(priority, 19);
	ck_assert_int_eq(getpriority(PRIO_PROCESS, (id_t)gettid()), before);
}
END_TEST

START_TEST(there_is_a_core)
{
	ck_assert_uint_ge(co_pool_cores(), 1);
}
END_TEST

Suite *t_pool_suite(void)
{
	Suite *suite = suite_create("pool");
	TCase *tc = tcase_create("pool");
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, jobs_come_back_in_order, 0, N_COUNTS);
	tcase_add_loop_test(tc, depth_is_back_pressure, 0, N_COUNTS);
	tcase_add_loop_test(tc, an_error_comes_back_with_its_job, 0, N_COUNTS);
	tcase_add_loop_test(tc, poll_does_not_lose_or_reorder, 0, N_COUNTS);
	tcase_add_loop_test(tc, close_drops_what_is_in_flight, 0, N_COUNTS);
	tcase_add_test(tc, a_state_that_fails_is_the_error_of_open);
	tcase_add_loop_test(tc, workers_need_no_state, 0, N_COUNTS);
	tcase_add_test(tc, background_threads_yield);
	tcase_add_test(tc, there_is_a_core);
	suite_add_tcase(suite, tc);
	return suite;
}
