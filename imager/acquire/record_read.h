/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the record of a bag back (schema exhibit.acquisition/1): what verification compares the image with.
 */
#ifndef IM_ACQUIRE_RECORD_READ_H
#define IM_ACQUIRE_RECORD_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "acquire/events.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/vec.h"
#include "hash/digest.h"
#include "read/reader.h"

struct im_recorded_segment {
	uint64_t bytes;
	char sha256[65]; /* empty: it was not computed */
};

/* A zeroed struct is empty. Strings are NULL where the record has null. */
struct im_recorded {
	char *file; /* full name of the record */
	char *name, *status;
	char *case_number, *evidence_number, *examiner, *description, *notes;
	char *model, *serial; /* of the device */
	char *version;        /* of the program */
	char *acquiry_date;   /* as struct co_e01_info has it */
	uint64_t media_bytes, padding_bytes, unreadable_sectors;
	uint8_t guid[16];
	struct co_digests plain, padded;                  /* the same when nothing is padded */
	CO_VEC(char *) segments;                          /* full names, in order */
	CO_VEC(struct im_recorded_segment) segment_facts; /* of each of them */
	struct im_ranges unreadable;                      /* sectors */
	char *blocks;                                     /* full name of the block digests; NULL: none were made */
	char *events;                                     /* full name of the log of events */
	struct im_events_head events_head;
};

/* Finds the one data/NAME.manifest.json of @bag and reads it. CO_ERR_FAILED: there is none, or it can't be read.
 * CO_ERR_FORMAT: it is not what it must be. */
int im_record_read(struct im_recorded *ret, const char *bag, struct co_err *err);
/* The whole of the record that was read, for more than is in *@r. The caller drops the reference. Errors as above. */
struct json_t;
int im_record_load(const struct im_recorded *r, struct json_t **ret, struct co_err *err);
/* Do the sizes that it states fit an image of @size bytes? Padding fills up the last sector, no more. */
bool im_recorded_fits(const struct im_recorded *r, uint64_t size, uint32_t sector);
void im_recorded_free(struct im_recorded *r);
#define IM_CLEANUP_RECORDED CO_CLEANUP(im_recorded_free)

#endif
