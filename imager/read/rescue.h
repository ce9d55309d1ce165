/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The later passes over a medium: what the first one skipped (read/reader.h) is read again, in smaller and smaller
 * parts, the most promising first. The order is that of GNU ddrescue (manual of 1.27, chapter "Algorithm").
 *
 *	copy    non-tried areas in pieces of 64 KiB: forward, leaving out 64, 128, 256 KiB ... (64 MiB at most) of an
 *	        area behind pieces that fail one after the other; then what was left out, likewise but backward; then
 *	        all the rest. A piece that fails is non-trimmed.
 *	trim    non-trimmed areas unit by unit from the front, and then from the end, each up to the first that fails.
 *	        The failing units are bad, what lies between them is non-scraped.
 *	scrape  non-scraped areas unit by unit. What fails is bad.
 *	retry   the bad units again, as often as asked for, forward and backward in turn.
 *
 * A failing read says nothing about its place as long as the medium may be gone. So what failed is entered only when
 * something else could be read after it: the next place, or else a place that was readable before (the canary), which
 *is asked at the end of an area, after 64 failures in a row, and when a second has gone by since anything was readable.
 */
#ifndef IM_READ_RESCUE_H
#define IM_READ_RESCUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/source.h"
#include "read/areas.h"

struct im_rescue_opts {
	const struct co_source *source; /* borrowed */
	uint32_t unit;                  /* bytes */
	unsigned retries;
	/* Bounds in ns; 0: none. Reads that have begun are not cut short. */
	int64_t area_ns;  /* for reads that fail in one area in one pass; the rest of the area keeps its state then */
	int64_t total_ns; /* for everything */
	/* Bytes that could be read, in whole units but at the end of the medium, 64 KiB (or one unit) at most; called
	 * before they are entered as finished. A negative code ends the rescue. */
	int (*found)(void *arg, uint64_t off, const void *data, size_t len, struct co_err *err);
	/* A pass begins in which there is something to do: "copy", "copy backward", "copy rest", "trim", "scrape",
	 * "retry 1", "retry 2" ... A negative code ends the rescue. NULL is allowed. */
	int (*pass)(void *arg, const char *name, const struct im_areas *areas, struct co_err *err);
	void *arg;
	uint64_t good;          /* byte offset of a unit that was readable; UINT64_MAX: none is known */
	int64_t (*clock)(void); /* NULL: co_clock_monotonic */
};

/* Reads in the calling thread. @areas always says what is known: also in the callbacks and after a failure, but for at
 * most 64 KiB that were read and not yet handed to found().
 * 0: all passes are done. 1: total_ns is over. < 0: CO_ERR_LOST (the medium is gone: even what was readable before
 * fails), CO_ERR_CANCELED, CO_ERR_NOMEM, or what a callback returned.
 * If no unit of the medium is known to be readable, neither from @good nor from @areas, a medium that is gone without
 * saying so can't be told from a bad one. */
int im_rescue(struct im_areas *areas, const struct im_rescue_opts *opts, struct co_err *err);

#endif
