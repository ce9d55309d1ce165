/* SPDX-License-Identifier: Apache-2.0 */
#include "read/remote.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "read/direct.h"
#include "run/cancel.h"
#include "run/process.h"

#define OWN ((size_t)64 << 10)               /* of the shared memory, per process: for reads into other memory */
#define START_NS (INT64_C(20) * CO_NS_PER_S) /* for a process to be ready */

#define SLOW_NS (5 * CO_NS_PER_S)
#define SLOW_AGAIN_NS (60 * CO_NS_PER_S)

struct request {
	uint64_t off; /* in the source */
	uint64_t at;  /* in the shared memory */
	uint64_t len;
};

struct reply {
	int code;
	uint64_t good;
	struct co_err err;
};

struct hello {
	int code;
	struct co_err err;
	struct co_sandbox sandbox;
};

struct process {
	struct co_process *child;
	bool busy;
};

struct im_remote {
	struct im_remote_opts opts;
	uint8_t *memory;
	size_t size; /* of the memory: the caller's, then OWN for each process */
	struct co_sandbox sandbox;
	unsigned n;
	struct process *processes;
	atomic_bool hangs;
	_Atomic int64_t slow_at; /* when that was told last; 0: never */
	pthread_mutex_t lock;    /* of busy */
	pthread_cond_t idle;
};

/* --- in the process that reads --- */

/* The requests are the parent's, but a process with no rights is no place for trust either. */
static void answer(const struct im_remote *r, const struct co_source *src, const struct request *q, struct reply *a)
{
	size_t good = 0;

	*a = (struct reply) { .err = CO_ERR_INIT };
	if (!co_in_range(q->at, q->len, r->size) || !co_in_range(q->off, q->len, src->size)) {
		a->code = co_err_set(&a->err, CO_ERR_FAILED, 0, "a read beyond the end was asked for");
		return;
	}
	a->code = co_source_read(src, r->memory + q->at, (size_t)q->len, q->off, &good, &a->err);
	a->good = good;
}

static void serve(void *arg, int channel)
{
	const struct im_remote *r = arg;
	const struct im_remote_opts *o = &r->opts;
	struct co_source src = CO_SOURCE_NONE;
	struct hello hello = { .err = CO_ERR_INIT };
	struct request q;
	struct reply a;
	size_t len;
	int fds[2] = { -1, -1 };

	hello.code = im_direct_open(&src, o->fd, o->direct, o->name, o->size, o->sector, &hello.err);
	if (hello.code == 0) {
		struct co_sandbox_opts confined = { .profile = CO_SANDBOX_READER };

		confined.n_more_source_fds = im_direct_fds(&src, fds) - 1;
		confined.source_fd = fds[0];
		confined.more_source_fds = &fds[1];
		hello.code = co_sandbox_enter(&hello.sandbox, &confined, &hello.err);
	}
	if (co_process_send(channel, &hello, sizeof hello) < 0 || hello.code < 0)
		return;
	while (co_process_receive(channel, &q, sizeof q, &len) == 0 && len == sizeof q) {
		answer(r, &src, &q, &a);
		if (co_process_send(channel, &a, sizeof a) < 0)
			return;
	}
}

/* --- in the program --- */

static int start_one(struct im_remote *r, struct process *p, struct co_err *err)
{
	const struct co_process_opts child = {
		.name = "exhibit-reader", .body = serve, .arg = r, .keep = &r->opts.fd, .n_keep = 1
	};
	struct hello hello;
	size_t len = 0;
	int code = co_process_start(&p->child, &child, err);

	if (code == 0)
		code = co_process_ask(p->child, NULL, 0, &hello, sizeof hello, &len, START_NS, err);
	if (code < 0)
		return code;
	if (code == 1 || len != sizeof hello)
		return co_err_set(err, CO_ERR_FAILED, 0, "the process that reads %s does not start", r->opts.name);
	if (hello.code < 0 && err)
		*err = hello.err;
	if (hello.code == 0)
		r->sandbox = hello.sandbox;
	return hello.code;
}

int im_remote_open(struct im_remote **ret, const struct im_remote_opts *opts, struct co_err *err)
{
	struct im_remote *r = calloc(1, sizeof *r);
	int code = 0;

	if (!r)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory to read %s", opts->name);
	r->opts = *opts;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->idle, NULL);
	r->size = opts->memory + opts->readers * OWN;
	r->memory = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	r->processes = calloc(opts->readers, sizeof *r->processes);
	if (r->memory == MAP_FAILED || !r->processes)
		code = co_err_set(err, CO_ERR_NOMEM, 0, "no memory to read %s", opts->name);
	while (code == 0 && r->n < opts->readers)
		code = start_one(r, &r->processes[r->n++], err);
	if (code < 0) {
		im_remote_close(r);
		return code;
	}
	*ret = r;
	return 0;
}

const struct co_sandbox *im_remote_sandbox(const struct im_remote *r)
{
	return &r->sandbox;
}

void *im_remote_memory(const struct im_remote *r)
{
	return r->memory;
}

bool im_remote_hangs(const struct im_remote *r)
{
	return r->hangs;
}

static unsigned take_process(struct im_remote *r)
{
	unsigned i = 0;

	pthread_mutex_lock(&r->lock);
	while (r->processes[i].busy) {
		if (++i < r->n)
			continue;
		pthread_cond_wait(&r->idle, &r->lock);
		i = 0;
	}
	r->processes[i].busy = true;
	pthread_mutex_unlock(&r->lock);
	return i;
}

static void give_process(struct im_remote *r, unsigned i)
{
	pthread_mutex_lock(&r->lock);
	r->processes[i].busy = false;
	pthread_cond_signal(&r->idle);
	pthread_mutex_unlock(&r->lock);
}

static int no_answer(struct im_remote *r, uint64_t off, struct co_err *err)
{
	r->hangs = true;
	if (co_cancel_check(err) < 0)
		return CO_ERR_CANCELED;
	return co_err_set(err, CO_ERR_LOST, 0, "%s hangs: no answer within %lld s at byte %llu", r->opts.name,
			  (long long)(r->opts.patience_ns / CO_NS_PER_S), (unsigned long long)off);
}

static void tell_slow(struct im_remote *r, uint64_t off)
{
	int64_t now = co_clock_monotonic(), before = r->slow_at;

	if (!r->opts.slow || (before && now - before < SLOW_AGAIN_NS))
		return;
	if (atomic_compare_exchange_strong(&r->slow_at, &before, now))
		r->opts.slow(r->opts.name, off);
}

/* One read by process @i into the shared memory at @at. */
static int ask(struct im_remote *r, unsigned i, uint64_t at, size_t len, uint64_t off, size_t *ret_good,
	       struct co_err *err)
{
	const struct request q = { .off = off, .at = at, .len = len };
	struct reply a;
	size_t got = 0;
	int64_t first;
	int code;

	if (r->hangs)
		return no_answer(r, off, err);
	first = r->opts.patience_ns < SLOW_NS ? r->opts.patience_ns : SLOW_NS;
	code = co_process_ask(r->processes[i].child, &q, sizeof q, &a, sizeof a, &got, first, err);
	if (code == 1 && first < r->opts.patience_ns && !co_cancel_requested()) {
		tell_slow(r, off);
		code = co_process_ask(r->processes[i].child, NULL, 0, &a, sizeof a, &got, r->opts.patience_ns - first,
				      err);
	}
	if (code == 1)
		return no_answer(r, off, err);
	if (code < 0 || got != sizeof a)
		return co_err_set(err, CO_ERR_FAILED, 0, "the process that reads %s has ended", r->opts.name);
	if (a.code != 0 && err)
		*err = a.err;
	*ret_good = (size_t)co_min_u64(a.good, len);
	return a.code;
}

static bool is_shared(const struct im_remote *r, const uint8_t *buf, size_t len)
{
	return buf >= r->memory && buf < r->memory + r->opts.memory &&
	       len <= (size_t)(r->memory + r->opts.memory - buf);
}

/* Through the memory of the process. */
static int ask_and_copy(struct im_remote *r, unsigned i, uint8_t *buf, size_t len, uint64_t off, size_t *ret_good,
			struct co_err *err)
{
	size_t at = r->opts.memory + i * OWN, done = 0;
	int code = 0;

	while (code == 0 && done < len) {
		size_t n = (size_t)co_min_u64(OWN, len - done), good = 0;

		code = ask(r, i, at, n, off + done, &good, err);
		if (code < 0)
			return code;
		memcpy(buf + done, r->memory + at, good);
		done += good;
	}
	*ret_good = done;
	return code;
}

static int read_remote(void *self, void *buf, size_t len, uint64_t off, size_t *ret_good, struct co_err *err)
{
	struct im_remote *r = self;
	uint8_t *to = buf;
	unsigned i = take_process(r);
	int code;

	if (is_shared(r, to, len))
		code = ask(r, i, (uint64_t)(to - r->memory), len, off, ret_good, err);
	else
		code = ask_and_copy(r, i, to, len, off, ret_good, err);
	give_process(r, i);
	return code;
}

static const struct co_source_ops ops = { .kind = "remote", .read = read_remote };

void im_remote_source(struct im_remote *r, struct co_source *ret)
{
	*ret = (struct co_source) { .ops = &ops, .self = r, .size = r->opts.size, .sector_size = r->opts.sector };
}

void im_remote_close(struct im_remote *r)
{
	if (!r)
		return;
	for (unsigned i = 0; r->processes && i < r->n; i++)
		co_process_end(r->processes[i].child);
	if (r->memory != MAP_FAILED)
		munmap(r->memory, r->size);
	pthread_cond_destroy(&r->idle);
	pthread_mutex_destroy(&r->lock);
	free(r->processes);
	free(r);
}
