/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace, by the kernel, of every request to a disk that does not only read: who wrote, discarded or flushed while it
 * was acquired? Seen on Linux 6.18; needs root, a mounted tracefs and a kernel with CONFIG_BLK_DEV_IO_TRACE.
 *
 * An instance of our own below tracefs (Linux, Documentation/trace/ftrace.rst, "Instances") records the events
 * block_bio_queue (what programs and file systems ask for; of the disk and its partitions) and block_rq_issue (what
 * the driver of the disk is handed). Requests whose flags begin with R are dropped in the kernel, by the filter of the
 * events (Documentation/trace/events.rst), so that an acquisition, which reads, does not fill the buffer.
 *
 * The meaning of the flags (rwbs): Linux, blk_fill_rwbs(). W write, D discard or secure erase, F flush (in front of
 * another letter: a flush before that request), Z zones, N none of these: with sectors, a write of zeros, without, a
 * command to the drive as by SG_IO. The latter need not change anything: the kernel itself asks removable drives
 * whether the medium is still there.
 */
#ifndef IM_DEVICE_TRACE_H
#define IM_DEVICE_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "manifest/json.h"

enum { IM_TRACE_NAMES = 8 };

struct im_trace_counts {
	uint64_t writes; /* writes of zeros and of zones among them */
	uint64_t discards;
	uint64_t flushes;
	uint64_t commands; /* neither data nor flush: sent past the reads and writes of the block layer */
};

/* A zeroed struct: nothing was traced. */
struct im_trace_result {
	bool complete; /* recorded without a gap, from begin to end: what is not counted did not happen */
	char why[256]; /* why not; "" if complete */
	struct im_trace_counts queued; /* block_bio_queue */
	struct im_trace_counts issued; /* block_rq_issue; a device without a request queue (zram, dm) has none */
	uint64_t unreadable; /* lines that are no such event: not ours, or torn by a process name with a line break */
	uint64_t lost;       /* events that the kernel could not record */
	char names[IM_TRACE_NAMES][16]; /* processes behind the non-reads, any bytes, in order of appearance */
	unsigned n_names;
	bool more_names;
};

struct im_trace {
	char folder[320];     /* the instance, "" if there is none */
	char tracefs[256];    /* where tracefs is mounted */
	char filter[2][4096]; /* as they were set: block_bio_queue, block_rq_issue */
	char why[256];        /* after the outcome 1: why there is no trace */
};

/* Begins. 0: it records. 1: it is not available here, *err and ret->why say why, nothing is left.
 * @disk: the whole disk. Its partitions, as of now, are traced too; requests to later ones are seen as issued. */
int im_trace_begin(struct im_trace *ret, dev_t disk, struct co_err *err);
/* Reads what was recorded and removes the instance. Opens files for reading only and removes one folder, both below
 * tracefs, so that it can be called with few rights. A result is always filled in; also without a begin (not complete).
 * Twice is allowed: the second has no result. */
void im_trace_end(struct im_trace *trace, struct im_trace_result *ret);
/* Requests that did not only read: the greater of queued and issued, as the same request is seen twice; `commands` and
 * `unreadable` included, as nobody knows what they did, and those that got lost. */
uint64_t im_trace_non_reads(const struct im_trace_result *r);
void im_trace_json(struct co_json *j, const char *key, const struct im_trace_result *r);

/* Counts one line of a trace (without line break); lines of comment are passed over. For im_trace_end() and tests. */
void im_trace_count(struct im_trace_result *r, const char *line);
/* Where tracefs is mounted, according to @mountinfo (NULL: /proc/self/mountinfo). 0, or 1: nowhere. */
int im_trace_find(char ret[256], const char *mountinfo);

#endif
