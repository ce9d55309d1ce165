/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a bag: names, segments from .part to final, the files beside the image, and the seal.
 */
#ifndef IM_ACQUIRE_PUBLISH_H
#define IM_ACQUIRE_PUBLISH_H

#include "acquire/record.h"
#include "io/source.h"

/* Full names. */
struct im_bag_files {
	const char *bag; /* borrowed */
	char *data;      /* BAG/data */
	char *stem;      /* BAG/data/NAME.writing: of the segment that is being written (NAME.writing.E01 ...) */
	char *parts;     /* BAG/data/NAME.%.part: of those that are complete, as in co_e01_segment_name */
	char *manifest, *report, *map, *blocks, *events, *dfxml, *case_uco, *certificate;
	char *verify;                         /* BAG/VERIFY.txt */
	char *bag_manifest, *bag_tagmanifest; /* BAG/manifest-sha256.txt, BAG/tagmanifest-sha256.txt */
};

/* CO_ERR_NOMEM only. */
int im_bag_files_init(struct im_bag_files *ret, const char *bag, const char *name, struct co_err *err);
void im_bag_files_free(struct im_bag_files *f);

/* Opens the segments under their .part names. */
int im_open_parts(const struct im_bag_files *f, const struct im_bag_record *bag, struct co_source *ret,
		  struct co_err *err);
/* Gives them their final names. */
int im_publish_segments(const struct im_bag_files *f, struct im_bag_record *bag, struct co_err *err);

/* The record alone, e.g. while the acquisition is running. */
int im_write_record(const struct im_bag_files *f, const struct im_record *rec, const struct im_bag_record *bag,
		    struct co_err *err);
/* The record on the disk says what is not so, and can't be written anew: it loses its name. */
void im_disown_record(const struct im_bag_files *f);
/* Events (taken over; NULL: they are written already), map, manifest, report, DFXML, CASE/UCO and, of a complete
 * acquisition only, the form of a certificate. All are tried; the first failure is returned. */
int im_write_sidecars(const struct im_bag_files *f, const struct im_record *rec, struct im_bag_record *bag,
		      struct im_events *events, struct co_err *err);
/* VERIFY.txt and the tag files of the bag. */
int im_seal_bag(const struct im_bag_files *f, const struct im_record *rec, const struct im_bag_record *bag,
		struct co_err *err);
/* Takes the manifests of the bag away: it is not complete any more, and its record may be written anew. Also where
 * there are none. */
int im_unseal_bag(const struct im_bag_files *f, struct co_err *err);

#endif
