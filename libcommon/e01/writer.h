/* SPDX-License-Identifier: Apache-2.0 */
/*
 * E01 writer: EnCase 6 layout through libewf, chunks compressed by workers, written in order.
 *
 *	lend a buffer from the ring -> fill it -> put it -> ... -> finish -> co_e01_write_tail
 *
 * put() takes over the caller's reference and hands the buffer to the compress workers. Whoever finds the ring empty
 * calls pump(), which waits for the oldest buffer in work, writes its chunks and gives it back. One thread calls all
 * of these; it alone touches libewf. While segment 1 is being written its signature is wrong, so that nothing takes it
 * for an image. Segments are STEM.E01, STEM.E02 ...; they must not exist (the caller makes a
 * fresh folder). Any failure to write is CO_ERR_OUTPUT and final.
 */
#ifndef CO_E01_WRITER_H
#define CO_E01_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "e01/codec.h"
#include "run/buffers.h"

struct co_e01_writer;

/* What an examiner types and what the tool says, for the header of the image. Tab, CR and LF become spaces and
 * control characters are dropped (they would shift the fields behind); lengths are cut to what EnCase bears
 * (2999 bytes; version 11, operating system 23). NULL: left out. */
struct co_e01_case {
	const char *case_number, *evidence_number, *examiner, *description, *notes;
	const char *model, *serial;   /* of the device */
	const char *software_version; /* of this program */
	const char *operating_system;
	int64_t acquiry_time_ns; /* 0: now */
};

struct co_e01_writer_opts {
	/* Bytes; a multiple of sector_size. 0: not known, all that is put until finish. The image is the same then, but
	 * each segment states the size of the medium, so libewf changes all of them at finish; and until then none can
	 * be read. */
	uint64_t media_size;
	uint32_t sector_size;       /* bytes */
	uint32_t sectors_per_chunk; /* 0: as many as make 32 KiB */
	uint64_t segment_size;      /* bytes, at most; a chunk and 128 KiB at least; 0: 1500 MiB */
	enum co_compression compression;
	const char
		*finished; /* another stem, for segments once they are complete; in the same folder. NULL: the same */
	bool physical;     /* a whole disk, not a file or partition */
	bool removable;
	const uint8_t *guid;     /* 16 bytes; NULL: random */
	struct co_e01_case info; /* strings borrowed until open returns */
	unsigned workers;        /* compress threads; 0: in the calling thread */
	unsigned depth;          /* buffers in work at most: the size of the ring */
	size_t buffer_size;      /* cap of the ring's buffers: a multiple of the chunk size */
	/* Called by pump, put and finish (if media_size is not known: by finish only) for each segment but the last, in
	 * order from 1: it is complete and will not be touched again. A negative result is a failure to write. NULL:
	 * nobody asks. */
	int (*segment_done)(void *arg, unsigned number, struct co_err *err);
	void *segment_done_arg;
};

int co_e01_writer_open(struct co_e01_writer **ret, const char *stem, const struct co_e01_writer_opts *opts,
		       struct co_err *err);
/* @buf->len is a multiple of the chunk size, but for the last, where it is one of the sector size. Chunks of a plain
 * buffer are stored raw, whatever they hold, so that co_e01_patch_write can change them later. On failure the reference
 * is dropped as well. */
int co_e01_writer_put(struct co_e01_writer *w, struct co_buf *buf, struct co_err *err);
/* 0: one buffer was written. 1: none is in work. */
int co_e01_writer_pump(struct co_e01_writer *w, struct co_err *err);
/* Writes what is in work and closes. All media bytes must have been put. fsyncs every segment and the folder. The image
 * can be read then, but has no digests and no list of unreadable sectors: see e01/tail.h. *ret_segments: number of
 * segment files. */
int co_e01_writer_finish(struct co_e01_writer *w, unsigned *ret_segments, struct co_err *err);
/* After a failure or after finish. Buffers in work are given back. Files stay. NULL is allowed. */
void co_e01_writer_close(struct co_e01_writer *w);

#endif
