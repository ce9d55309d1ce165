/* SPDX-License-Identifier: Apache-2.0 */
#include "run/buffers.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define ALIGNMENT 4096

struct co_bufs {
	unsigned n;
	struct co_buf *bufs;
	struct co_buf **idle; /* stack of the buffers that are not lent */
	unsigned n_idle;
	bool have_lock, have_returned;
	pthread_mutex_t lock;
	pthread_cond_t returned;
};

static int make_locks(struct co_bufs *bufs, struct co_err *err)
{
	int sys = pthread_mutex_init(&bufs->lock, NULL);
	bufs->have_lock = sys == 0;
	if (sys == 0) {
		sys = pthread_cond_init(&bufs->returned, NULL);
		bufs->have_returned = sys == 0;
	}
	return sys ? co_err_set(err, CO_ERR_NOMEM, sys, "make the lock of a buffer ring") : 0;
}

/* One allocation per buffer, so that a tool that checks memory sees an overrun into the next. */
static int make_buffers(struct co_bufs *bufs, unsigned n, size_t cap, struct co_err *err)
{
	for (; bufs->n < n; bufs->n++) {
		struct co_buf *buf = &bufs->bufs[bufs->n];
		buf->data = aligned_alloc(ALIGNMENT, cap);
		if (!buf->data)
			return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for %u buffers of %zu bytes", n, cap);
		buf->cap = cap;
		buf->owner = bufs;
		atomic_init(&buf->refs, 0);
		bufs->idle[bufs->n_idle++] = buf;
	}
	return 0;
}

int co_bufs_open(struct co_bufs **ret, unsigned n, size_t cap, struct co_err *err)
{
	int r;
	if (n == 0 || cap == 0 || cap % ALIGNMENT)
		return co_err_set(err, CO_ERR_USAGE, 0, "a ring of %u buffers of %zu bytes can't be made", n, cap);
	struct co_bufs *bufs = calloc(1, sizeof *bufs);
	if (!bufs)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for a buffer ring");
	bufs->bufs = calloc(n, sizeof *bufs->bufs);
	bufs->idle = calloc(n, sizeof *bufs->idle);
	if (!bufs->bufs || !bufs->idle) {
		r = co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for a buffer ring");
		goto fail;
	}
	if ((r = make_locks(bufs, err)) < 0 || (r = make_buffers(bufs, n, cap, err)) < 0)
		goto fail;
	*ret = bufs;
	return 0;
fail:
	co_bufs_close(bufs);
	return r;
}

static struct co_buf *lend(struct co_bufs *bufs, bool wait)
{
	struct co_buf *buf = NULL;
	pthread_mutex_lock(&bufs->lock);
	while (wait && bufs->n_idle == 0)
		pthread_cond_wait(&bufs->returned, &bufs->lock);
	if (bufs->n_idle)
		buf = bufs->idle[--bufs->n_idle];
	pthread_mutex_unlock(&bufs->lock);
	if (buf) {
		buf->len = 0;
		buf->off = 0;
		buf->plain = false;
		atomic_store(&buf->refs, 1);
	}
	return buf;
}

struct co_buf *co_bufs_try_lend(struct co_bufs *bufs)
{
	return lend(bufs, false);
}

struct co_buf *co_bufs_lend(struct co_bufs *bufs)
{
	return lend(bufs, true);
}

void co_buf_ref(struct co_buf *buf)
{
	unsigned before = atomic_fetch_add_explicit(&buf->refs, 1, memory_order_relaxed);
	assert(before > 0);
	(void)before;
}

void co_buf_unref(struct co_buf *buf)
{
	/* Release: what this thread read or wrote is over. Acquire: the next borrower sees that of all threads. */
	unsigned before = atomic_fetch_sub_explicit(&buf->refs, 1, memory_order_acq_rel);
	assert(before > 0);
	if (before != 1)
		return;
	struct co_bufs *bufs = buf->owner;
	pthread_mutex_lock(&bufs->lock);
	bufs->idle[bufs->n_idle++] = buf;
	pthread_cond_signal(&bufs->returned);
	pthread_mutex_unlock(&bufs->lock);
}

void co_bufs_close(struct co_bufs *bufs)
{
	if (!bufs)
		return;
	assert(bufs->n_idle == bufs->n);
	for (unsigned i = 0; i < bufs->n; i++)
		free(bufs->bufs[i].data);
	if (bufs->have_returned)
		pthread_cond_destroy(&bufs->returned);
	if (bufs->have_lock)
		pthread_mutex_destroy(&bufs->lock);
	free(bufs->idle);
	free(bufs->bufs);
	free(bufs);
}
