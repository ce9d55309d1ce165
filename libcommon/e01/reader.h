/* SPDX-License-Identifier: Apache-2.0 */
/*
 * E01 reader: our own decoder of EWF version 1 (EnCase 1 to 6, linen, FTK Imager, ewfacquire), so that what libewf
 * wrote is checked by other code than libewf. Segments are found by the number in their header, whatever their names.
 *
 * Opening checks: signature, section chain, checksums of headers and tables (table2 where table is damaged), that
 * segments 1..n are all there and belong to one set, that the last ends with "done". Each failure is one sentence
 * that names the file.
 * Reading: any thread, at the same time. Long reads (more than 4 whole chunks) get their chunks straight into their
 * buffer, raw ones without a copy; others go through a cache that all threads share, and into which reads that go
 * through the image in order have the next chunks put in advance (see co_e01_opts). A damaged chunk (bad Adler-32, bad
 * stream, outside its file) is unreadable, not fatal: read returns 1 with the good bytes before it.
 */
#ifndef CO_E01_READER_H
#define CO_E01_READER_H

#include "hash/digest.h"
#include "io/source.h"

/* What the image says about itself. Strings are valid until the source is closed, NULL where absent. */
struct co_e01_info {
	uint64_t media_size; /* bytes: sectors x bytes per sector, and the tail (less than a sector) that ewfacquire
			      * puts into the last chunk of media that end within a sector */
	uint32_t sector_size;
	uint32_t chunk_size; /* bytes */
	uint64_t n_chunks;
	uint64_t present; /* bytes of the medium from its begin that the tables of the segments tell the places of, with
			   * nothing missing between: whole chunks, or all of it */
	unsigned n_segments;
	uint8_t media_type, media_flags, compression;
	uint8_t guid[16];
	struct co_digests stored; /* MD5, SHA-1 from hash and digest; SHA-256 from xheader or xhash */
	/* Dates: ISO 8601 in UTC ("2023-11-14T22:13:20Z"), or without Z where only local time of an unknown zone is
	 * stored. */
	const char *case_number, *evidence_number, *examiner, *description, *notes, *acquiry_date, *system_date,
		*software_version, *operating_system, *model, *serial;
	const char *const *segment_names; /* n_segments, in order */
	const uint64_t (*errors)[2];      /* error2: first sector, sectors */
	size_t n_errors;
	size_t n_warnings; /* damage that was worked around, e.g. "table of segment 2 is damaged, table2 used" */
	const char *const *warnings;
};

struct co_e01_opts {
	size_t cache_bytes; /* inflated chunks kept; 0: 64 MiB */
	unsigned ahead;     /* threads that inflate what lies ahead of sequential reads; 0: none */
	/* What there is of an image that was not written to its end: the files named, and no others, are its first
	 * segments. The last of them may end with "next", or anywhere behind its last table (e01/tail.h). What
	 * lies behind info.present is unreadable. */
	bool partial;
};

/* @names: one or more files. With one, the others of its set are looked for beside it (same stem, then any file of
 * the folder with the same set identifier). @opts: NULL is all zero. */
int co_e01_open(struct co_source *ret, const char *const *names, size_t n, const struct co_e01_opts *opts,
		struct co_err *err);
/* Borrowed until @src is closed; @src must be an open E01 source. */
const struct co_e01_info *co_e01_info(const struct co_source *src);
/* Where a chunk lies, for reports of damage: file name, and the media range it covers. 0, or 1: no such chunk. */
int co_e01_locate(const struct co_source *src, uint64_t media_off, const char **ret_file, uint64_t *ret_first,
		  uint64_t *ret_len);

#endif
