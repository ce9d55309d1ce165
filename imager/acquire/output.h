/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of the outputs of an acquisition: a bag that is being filled, with its writer and its files.
 *
 *	create or reopen -> begin -> open -> put, pump, save ... -> finish -> (patch ... -> settle) -> complete
 *	-> verify -> publish -> record -> seal -> free
 *
 * After a failure of any of these the output is given up: im_output_close, then only record. All are called by the
 * thread that acquires; im_output_block alone is called by the thread that digests.
 */
#ifndef IM_ACQUIRE_OUTPUT_H
#define IM_ACQUIRE_OUTPUT_H

#include "acquire/acquire.h"
#include "acquire/blocks.h"
#include "acquire/earlier.h"
#include "acquire/segments.h"
#include "e01/patch.h"
#include "e01/writer.h"

/* A zeroed struct is empty. */
struct im_output {
	const struct im_acquire_opts *opts; /* borrowed */
	const struct im_record *rec;        /* likewise, as is the next one, which is in it */
	struct im_bag_record *bag;
	struct co_progress *progress; /* likewise; NULL: none */
	struct im_bag_files files;
	bool made;               /* the folder was not there before */
	struct im_earlier *kept; /* borrowed; NULL: a new bag */
	struct im_events *events;
	struct im_blocks_writer blocks;
	struct co_e01_writer *writer;
	struct im_segments *segments;
	unsigned n_segments; /* once the image is finished */
	struct co_e01_patch *patch;
	bool claims;               /* the record on the disk may say that the bag is complete */
	size_t saved;              /* segments that the record on the disk knows of */
	int64_t saved_at, save_ns; /* monotonic: when it was written, and how long that took */
};

/* Makes the folders of the bag. CO_ERR_USAGE: there is something in it. */
int im_output_create(struct im_output *o, const struct im_acquire_opts *opts, const struct im_record *rec,
		     struct im_bag_record *bag, struct co_err *err);
/* The bag is there: the segments that earlier sessions have finished are put aside; nothing is lost. @earlier outlives
 * the output. */
int im_output_reopen(struct im_output *o, const struct im_acquire_opts *opts, const struct im_record *rec,
		     struct im_bag_record *bag, struct im_earlier *earlier, struct co_err *err);
/* Takes them away again, while nothing is in them. */
void im_output_remove(struct im_output *o);
/* Removes what earlier sessions have left and is not needed any more, writes the record for the first time, and opens
 * the log of events. */
int im_output_begin(struct im_output *o, struct co_err *err);
/* Opens the image and, if there are to be block digests, their file. */
int im_output_open(struct im_output *o, struct co_err *err);
/* For im_media_opts.block: from before the first byte until the media has finished. */
void im_output_block(struct im_output *o, uint64_t index, const uint8_t sha256[32]);
/* The size of the medium, which was not known, is in the record now: before the last buffer. */
void im_output_sized(struct im_output *o);
/* The next buffer. The caller keeps its reference. */
int im_output_put(struct im_output *o, struct co_buf *buf, struct co_err *err);
/* As co_e01_writer_pump: gives one buffer back; 1: it holds none. */
int im_output_pump(struct im_output *o, struct co_err *err);
/* Writes the record if segments were finished and it is time to: so far the acquisition can be resumed. */
int im_output_save(struct im_output *o, struct co_err *err);
/* The same at once. */
int im_output_save_now(struct im_output *o, struct co_err *err);
/* The whole source was put: completes the segments, all but the tail of the last one. */
int im_output_finish(struct im_output *o, struct co_err *err);
/* Replaces bytes of the medium, in buffers that were plain. */
int im_output_patch(struct im_output *o, uint64_t off, const void *bytes, size_t len, struct co_err *err);
/* What was patched is synced, and the digests of its segments are made anew. */
int im_output_settle(struct im_output *o, struct co_err *err);
/* The digests and bad sectors are in the record: completes the image, and lists all segments, each with the digest of
 * what is on the disk. */
int im_output_complete(struct im_output *o, struct co_err *err);
/* Opens the finished image, complete or not. */
int im_output_image(const struct im_output *o, struct co_source *ret, struct co_err *err);
/* Reads the image back. CO_ERR_MISMATCH: it is not what was read from the source, or can't be read. */
int im_output_verify(struct im_output *o, struct co_err *err);
/* The segments get their final names. */
int im_output_publish(struct im_output *o, struct co_err *err);
/* Writes all files beside the image, with the record as it is now; the bag is not sealed afterwards. May be called
 * again. */
int im_output_record(struct im_output *o, struct co_err *err);
/* The same for an output that was given up, whose record must not claim more than is so. */
void im_output_record_end(struct im_output *o);
/* Seals the bag and, if there is a signer, signs it: CO_ERR_OUTPUT if it can't be signed. */
int im_output_seal(struct im_output *o, struct co_err *err);
/* Ends the writer alone; buffers in work are given back. */
void im_output_stop(struct im_output *o);
/* Ends the writer; buffers in work are given back. */
void im_output_close(struct im_output *o);
/* After the media has finished. */
void im_output_free(struct im_output *o);

#endif
