/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An acquisition: source -> digests and E01 segments -> read back and compared -> published -> recorded -> sealed bag.
 *
 * A segment is data/NAME.writing.E01 while it is written, and data/NAME.E01.part when it is complete, until the whole
 * is verified; only then they get their final names. When it ends early they keep such names, the manifest and report
 * say how it ended, and the bag is not sealed. A sealed bag is signed if there is a signer; one that can't be signed is
 * not left sealed.
 *
 * Two bags can be filled in one pass over the source; each has its own writer, files, verification and end. One that
 * can't be written any more is given up and the work goes on with the other, whose record says so.
 */
#ifndef IM_ACQUIRE_ACQUIRE_H
#define IM_ACQUIRE_ACQUIRE_H

#include "acquire/record.h"
#include "manifest/sign.h"
#include "run/progress.h"

struct im_acquire_opts {
	const char *bags[IM_BAGS_MAX]; /* new folders; see im_check_bags */
	size_t n_bags;                 /* 1 or 2 */
	const char *name;              /* of the files in them; see im_check_name */
	struct im_case info;
	const char *command_line;
	enum co_compression compression;
	uint64_t segment_size; /* bytes; 0: a 64th of the source, 64 to 1500 MiB */
	unsigned hashes;       /* set; SHA-256 must be in it */
	unsigned threads;      /* compressors of each bag; 0: one per processor */
	bool verify;
	bool block_digests;
	const uint8_t *guid;                          /* 16 bytes; NULL: random */
	int64_t date_ns;                              /* acquisition date in the image; CO_TIME_NONE: now */
	const struct co_signer *signer;               /* signs each bag once it is sealed; NULL: they are not signed */
	unsigned retries;                             /* of each bad sector */
	int64_t area_ns;                              /* time bound for a bad area in one pass */
	int64_t patience_ns;                          /* for one read; what takes longer is a source that hangs */
	void (*slow)(const char *name, uint64_t off); /* a read takes long: as in struct im_remote_opts */
	bool require_write_block;                     /* each layer of it, or nothing is done */
	struct im_earlier *earlier; /* IM_BAGS_MAX empty ones: the bags are there, and are to be gone on with; they
				       must outlive the record. Then name, info, compression, segment_size, hashes,
				       block_digests, guid and date_ns come from there. NULL: a new acquisition */
	bool check_all;             /* of what is there, all is compared with the source, not only samples */
	enum co_progress_mode progress;
	const char *status_file, *status_folder; /* of the progress; NULL: none */
};

/* A name that can stand in file names and line-based files: CO_ERR_USAGE if not. */
int im_check_name(const char *name, struct co_err *err);

/* The bags must be different folders, none within another: CO_ERR_USAGE if not. They need not exist. */
int im_check_bags(const char *const *bags, size_t n, struct co_err *err);

/* Bytes of a chunk of the image of so large a source: 32 KiB up to 256 GiB, then as much as it takes to have at most
 * 8 million, which bounds the memory that the list of chunks takes; at most 1 MiB. */
uint32_t im_usual_chunk(uint64_t media);
/* Largest size of a segment file, if none is asked for. A segment is read back when it is finished, while the next one
 * is written: of many, little is left at the end. */
uint64_t im_usual_segment(uint64_t media);

/* Space on the file system that will hold @bag. CO_ERR_OUTPUT if there is none such. */
int im_free_space(const char *bag, uint64_t *ret_bytes, struct co_err *err);

/* Acquires the guarded source; ends the protection of @guard, which must outlive *ret. Confines the calling process for
 * good (acquire/split.h): afterwards it can write in the bags and the folder of the status file alone.
 * 0: all bags are sealed; their status is complete or complete-with-errors.
 * < 0: *err tells why. ret->name NULL: nothing was created, or changed in what earlier sessions have left. Else the
 * bags were begun and ret->bags say how each ended; CO_ERR_OUTPUT and CO_ERR_MISMATCH may concern one of them, while
 * the other is complete and sealed. Free *ret in all cases. */
int im_acquire(struct im_record *ret, const struct im_acquire_opts *opts, struct im_guard *guard, struct co_err *err);

#endif
