/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of the source, once, in order: read ahead, digested and put into all outputs. What an earlier session has
 * stored is read from there, the rest from the source.
 */
#ifndef IM_ACQUIRE_STREAM_H
#define IM_ACQUIRE_STREAM_H

#include "acquire/outputs.h"
#include "read/areas.h"
#include "run/progress.h"

#define IM_STREAM_BUFFER ((size_t)IM_BLOCK_SIZE) /* bytes of a read */
#define IM_STREAM_RING 16                        /* buffers */
#define IM_STREAM_READERS 2                      /* reads at the same time */
#define IM_STREAM_AHEAD 4                        /* buffers that are read before the oldest is taken */

struct im_stream_opts {
	struct im_record *rec;              /* read_bytes, areas and digests are kept up to date in it */
	struct im_outputs *outputs;         /* opened, with nothing put yet */
	const struct co_source *source;     /* NULL: a stream whose size is not known, */
	int fd;                             /* read from here */
	void *memory;                       /* of the ring; reads into it are the fastest */
	const struct co_source *kept;       /* the beginning of the medium, from an earlier session; NULL: none */
	uint64_t kept_bytes;                /* of it are used: a multiple of the buffer */
	const struct im_ranges *kept_plain; /* buffers of it that were stored plain, by number; NULL: none */
	struct co_progress *progress;
};

/* 0: everything was put, the digests are in the record, and rec->areas lists what was not read well: zeros so far,
 * in plain buffers, which rec->plain lists, stored so that they can be patched. < 0: why it ended; the record says how
 * far it came. */
int im_stream(const struct im_stream_opts *opts, struct co_err *err);

#endif
