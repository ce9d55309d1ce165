/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of an acquisition: NAME.manifest.json, schema exhibit.acquisition/1.
 */
#ifndef IM_ACQUIRE_RECORD_H
#define IM_ACQUIRE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "acquire/events.h"
#include "acquire/media.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/vec.h"
#include "device/guard.h"
#include "device/samples.h"
#include "e01/codec.h"
#include "manifest/json.h"
#include "read/areas.h"
#include "read/ranges.h"

enum im_status {
	IM_STATUS_FAILED, /* by what none of the others says, e.g. memory ran out */
	IM_STATUS_COMPLETE,
	IM_STATUS_COMPLETE_WITH_ERRORS,
	IM_STATUS_SOURCE_LOST,
	IM_STATUS_OUTPUT_FAILED,
	IM_STATUS_MISMATCH,
	IM_STATUS_INTERRUPTED,
	IM_STATUS_RUNNING, /* not ended yet, or ended by a crash */
};

enum im_verification {
	IM_VERIFICATION_NOT_REACHED,
	IM_VERIFICATION_MATCH,
	IM_VERIFICATION_MISMATCH,
	IM_VERIFICATION_SKIPPED,
};

/* What the examiner states; NULL: nothing. */
struct im_case {
	const char *case_number, *evidence_number, *examiner, *description, *notes;
};

struct im_segment {
	char *name; /* within data/, final */
	char *part; /* within data/, while it is not verified */
	uint64_t bytes;
	char sha256[65]; /* "" until it is known */
};

/* One run of the program; more than one if the acquisition was resumed. */
struct im_session {
	int64_t start_ns, end_ns; /* wall clock; end 0: it did not end by itself */
	uint64_t read_bytes;      /* of the source, and of what earlier sessions had stored */
	enum im_status status;
};

#define IM_BAGS_MAX 2

struct im_earlier;

/* What is so of one of the bags that are made of the source in the same pass. */
struct im_bag_record {
	const char *path; /* borrowed */
	enum im_status status;
	struct co_err error; /* why it is not complete; code 0: nothing went wrong so far */
	bool published;      /* the segments have their final names */
	CO_VEC(struct im_segment) segments;
	const struct im_earlier *earlier; /* what earlier sessions have left of this bag; NULL: nothing */
	enum im_verification verification;
	struct im_media_digests decoded; /* valid unless verification is NOT_REACHED or SKIPPED */
	struct im_events_head events;
};

struct im_record {
	const char *name; /* of the files of the bag; borrowed, as are all pointers here that are const */
	const char *command_line;
	struct im_case info;
	struct im_guard *guard;
	int64_t start_ns, end_ns; /* wall clock; of the first session, and of the last one */
	int64_t session_ns;       /* begin of this session */
	int64_t duration_ns;      /* by the monotonic clock */
	uint64_t media_bytes;     /* the true size of the source */
	uint64_t padding_bytes;   /* zeros behind it in the image, up to a whole sector */
	uint32_t sector;          /* bytes */
	uint64_t read_bytes;      /* of the source, in order, with the unreadable ones */
	unsigned hashes;          /* the set asked for */
	bool block_digests;       /* NAME.blocks.sha256 is made */
	bool have_digests;        /* the source was read to its end */
	struct im_media_digests digests;
	struct im_areas areas;  /* what was not read well so far, and how far the attempts have come */
	struct im_ranges bad;   /* unreadable sectors, once the end is known */
	struct im_ranges plain; /* buffers that are stored uncompressed, by number */
	uint64_t good;          /* byte of a sector that was readable; UINT64_MAX: none is known */
	bool patched;           /* sectors were recovered after their place had been written */
	int64_t acquired_ns;    /* the date in the image */
	struct im_samples samples_before, samples_after; /* of the source */
	CO_VEC(struct im_session) sessions;              /* the earlier ones */
	enum co_compression compression;
	uint8_t guid[16];
	uint32_t chunk_bytes;
	uint64_t segment_limit;
	unsigned buffers, readers, compressors; /* the read plan; compressors of each bag */
	uint64_t buffer_bytes;
	struct im_bag_record bags[IM_BAGS_MAX];
	size_t n_bags;
};

const char *im_status_name(enum im_status status);             /* "complete-with-errors", ... */
const char *im_verification_name(enum im_verification result); /* "match", ... */
/* {"sha256":..,"sha1":..,"md5":..} with those that are in the set. */
void im_digests_json(struct co_json *j, const char *key, const struct co_digests *d);
void im_guid_text(const uint8_t guid[16], char ret[33]);

/* The whole object as it is in @bag, one of those of @rec: indented, with a newline at its end. */
int im_record_text(const struct im_record *rec, const struct im_bag_record *bag, struct co_str *ret,
		   struct co_err *err);
/* Frees what the record owns. */
void im_record_free(struct im_record *rec);
#define IM_CLEANUP_RECORD CO_CLEANUP(im_record_free)

#endif
