/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An acquisition in separate processes, each confined by the kernel to what it does:
 *
 *	readers    hold the source; can write nothing but memory that they share, and open nothing
 *	guardian   holds the source and the right to end its protection (device/guardian.h)
 *	writer     the program itself: writes in the bags alone, has neither the source nor a way to open it
 */
#ifndef IM_ACQUIRE_SPLIT_H
#define IM_ACQUIRE_SPLIT_H

#include "device/guard.h"
#include "read/remote.h"

struct im_split_opts {
	unsigned readers; /* 0: the source is a stream, which the writer itself reads */
	size_t memory;    /* as in struct im_remote_opts, as are the next two */
	int64_t patience_ns;
	void (*slow)(const char *name, uint64_t off);
	const char *writable[4]; /* folders in which this process may write */
	size_t n_writable;
	bool all_or_nothing; /* a layer that the kernel lacks is a failure */
};

/* Starts the processes and confines this one for good; @guard gets the layers with their proof, and no longer holds
 * the source. *ret is NULL without readers. Before the program has threads. CO_ERR_FAILED with all_or_nothing: the
 * first layer that is absent. */
int im_split(struct im_remote **ret, struct im_guard *guard, const struct im_split_opts *opts, struct co_err *err);

#endif
