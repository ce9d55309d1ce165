/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The software write block: the only place that opens a source.
 *
 * open:   refuses a source that is in use; claims it (O_EXCL: no mount, swap, RAID or LVM can take the disk or its
 *         partitions meanwhile); sets the kernel's read-only flag on the whole disk and each partition; reads all of
 *         that back; takes the counters of the disk, and has the kernel trace the requests to it.
 * finish: closes, takes the counters again, ends the trace, and puts the flags back as they were: the kernel keeps them
 * otherwise, on a loop device even for the next file.
 *
 * That end needs rights which the rest of the program should not have, and must come even if the program is killed:
 * delegate leaves it to a process of its own, the guardian. Without one, flags stay set after SIGKILL (blockdev --setrw
 * clears them).
 *
 * A layer that can't be applied, e.g. for lack of privileges, is recorded as absent with the reason. The source is
 * never synced: an fsync would be sent to the disk as a flush. One thread at a time.
 */
#ifndef IM_DEVICE_GUARD_H
#define IM_DEVICE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/vec.h"
#include "device/identity.h"
#include "device/trace.h"
#include "run/sandbox.h"

struct im_layer {
	const char *name; /* literal */
	bool applied;
	char proof[1024]; /* what was read back, or why it is absent */
};

/* Of the whole disk, since boot. Source of the fields: Linux, Documentation/block/stat.rst. */
struct im_counters {
	bool valid; /* the kernel counts (queue/iostats) and all was read */
	uint64_t reads, writes, written_sectors, discards, discarded_sectors, flushes;
	uint64_t diskseq; /* 0: unknown */
};

struct im_flag {
	char name[64];
	dev_t dev;
	bool before; /* the flag as we found it */
	bool set;    /* it is set now; finish clears it unless it was set before */
};

struct im_guard {
	struct im_device device;
	int fd;          /* the source, read-only; -1 after finish */
	bool direct;     /* opened with O_DIRECT */
	uint64_t size;   /* bytes, from the open source */
	uint32_t sector; /* logical sector, bytes */
	CO_VEC(struct im_layer) layers;
	struct im_counters before, after;
	struct im_trace_result trace; /* of the disk, between open and finish */
	CO_VEC(struct im_flag) flags; /* private, as is all that follows */
	struct im_trace tracing;
	struct im_guardian *guardian; /* NULL: this process ends the protection itself */
	bool finished;
	bool abandoned; /* the guardian was gone before its time: flags may still be set */
};

#define IM_GUARD_NONE ((struct im_guard) { .fd = -1 })

/* CO_ERR_FAILED, and nothing has been changed, if the source is in use, busy, empty, or can't be opened. */
int im_guard_open(struct im_guard *ret, const char *path, struct co_err *err);
/* Standard input, which is read once; of its size nothing is known, and nothing protects what is behind it. */
int im_guard_open_stream(struct im_guard *ret, struct co_err *err);
/* Adds a layer of protection that others apply. @name is a literal. */
int im_guard_add_layer(struct im_guard *guard, const char *name, bool applied, const char *proof, struct co_err *err);
/* The first layer that is not applied, or NULL. */
const struct im_layer *im_guard_absent(const struct im_guard *guard);
/* Starts the guardian, before the program has threads; of a file there is nothing to end, and no guardian. How it is
 * confined comes in *ret; 1: there is none. */
int im_guard_delegate(struct im_guard *guard, struct co_sandbox *ret, struct co_err *err);
/* Closes the source here: other processes hold it now. */
void im_guard_release(struct im_guard *guard);
/* Ends the protection; `after` is filled. Twice is allowed. Layers whose end failed say so in their proof. */
void im_guard_finish(struct im_guard *guard);
/* Writes and discards of the disk between open and finish; flushes alone, which change no sector, are none. 1: it is
 * not known (a file, or no counters). */
int im_guard_writes_seen(const struct im_guard *guard, uint64_t *ret);
/* Why that is not known; NULL: it is. */
const char *im_guard_why_uncounted(const struct im_guard *guard);
/* Finishes and frees. */
void im_guard_close(struct im_guard *guard);
#define IM_CLEANUP_GUARD CO_CLEANUP(im_guard_close)

#endif
