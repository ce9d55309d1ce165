/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What earlier sessions have left of an acquisition that is to be resumed.
 *
 * The record of the bag (NAME.manifest.json) is kept up to date while segments are finished. A finished segment, synced
 * and listed there with its digest, is kept as NAME.EXT.kept while the acquisition that goes on stores the same chunks
 * again: libewf can't go on with an image, but the same chunks make the same bytes. A kept segment is removed when
 * the new one is synced and has the same digest; so at any time there is one of each.
 */
#ifndef IM_ACQUIRE_EARLIER_H
#define IM_ACQUIRE_EARLIER_H

#include "acquire/publish.h"
#include "acquire/record_read.h"

struct im_kept_segment {
	char *file; /* full name; NULL: it is not needed any more, or not there */
	uint64_t bytes;
	bool cut; /* part of what it holds is read from the source again, and may be otherwise now */
	char sha256[65];
};

/* A zeroed struct is empty. */
struct im_earlier {
	struct im_recorded recorded;
	char *version;                      /* of the program */
	char *kind, *model, *serial, *wwid; /* of the device; NULL: none */
	bool removable;
	unsigned hashes;
	bool block_digests, patched;
	enum co_compression compression;
	int64_t start_ns, acquired_ns;
	uint64_t read_bytes, segment_limit;
	uint64_t safe_bytes;    /* of the medium: so far the lists of areas and plain buffers are complete */
	struct im_ranges plain; /* buffers stored uncompressed, by number */
	uint32_t sector;
	struct im_areas areas;
	struct im_samples samples;
	CO_VEC(struct im_session) sessions; /* all of them */
	CO_VEC(struct im_kept_segment) segments;
	struct co_source image; /* of what is kept */
	uint64_t bytes;         /* of the medium, from its begin, that it holds */
};

/* Reads the record of an acquisition that did not come to its end; nothing is changed. CO_ERR_USAGE: it is complete.
 * Others: there is no record, or it can't be used. */
int im_earlier_read(struct im_earlier *ret, const char *bag, struct co_err *err);
/* Puts the segments that are whole aside, and opens them. */
int im_earlier_keep(struct im_earlier *e, const struct im_bag_files *files, struct co_err *err);
/* Takes away all other files that earlier sessions have made, but for the events. */
int im_earlier_clear(const struct im_earlier *e, const struct im_bag_files *files, struct co_err *err);
/* Segment @i has been written anew and synced, with the digest @sha256: the kept one goes. CO_ERR_MISMATCH: they
 * differ. */
int im_earlier_replaced(struct im_earlier *e, size_t i, const char *sha256, struct co_err *err);
/* Is this the same source? CO_ERR_MISMATCH: why not. */
int im_earlier_same_source(const struct im_earlier *e, const struct im_guard *guard, struct co_err *err);
void im_earlier_free(struct im_earlier *e);
#define IM_CLEANUP_EARLIER CO_CLEANUP(im_earlier_free)

#endif
