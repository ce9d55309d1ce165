/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source of an acquisition, read by processes of their own: they hold it and may do nothing but read it into
 * memory that they share with the program, which from then on does not hold it.
 *
 * A read that hangs in the kernel, as on a dying disk, hangs there; the program finds out and can save its state.
 */
#ifndef IM_READ_REMOTE_H
#define IM_READ_REMOTE_H

#include <stdbool.h>

#include "io/source.h"
#include "run/sandbox.h"

struct im_remote;

struct im_remote_opts {
	int fd;      /* the source; the caller's, who should close it once the processes run */
	bool direct; /* as for im_direct_open, as are the next three */
	const char *name;
	uint64_t size;
	uint32_t sector;
	unsigned readers;    /* processes, and so reads at the same time */
	size_t memory;       /* bytes of shared memory for the caller, a multiple of 4096 */
	int64_t patience_ns; /* for one read; whoever waits longer has lost the source */
	/* Called when a read has taken five seconds and goes on, once a minute at most. Any thread. NULL: nobody asks.
	 */
	void (*slow)(const char *name, uint64_t off);
};

/* Before the program has threads. */
int im_remote_open(struct im_remote **ret, const struct im_remote_opts *opts, struct co_err *err);
/* How the processes are confined; the same for all. */
const struct co_sandbox *im_remote_sandbox(const struct im_remote *r);
/* Reads into this memory are not copied. Borrowed until close. */
void *im_remote_memory(const struct im_remote *r);
/* Borrows @r. Reads as im_direct_open does; CO_ERR_LOST also if a read gets no answer in time. */
void im_remote_source(struct im_remote *r, struct co_source *ret);
/* Did a read get no answer in time? Then processes may still hang in it, holding the source. */
bool im_remote_hangs(const struct im_remote *r);
/* Ends the processes, so that the source is closed. NULL is allowed. */
void im_remote_close(struct im_remote *r);

#endif
