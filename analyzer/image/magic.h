/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures: what lies in a volume that libtsk can't open, labels and identifiers, and containers of images.
 */
#ifndef AN_IMAGE_MAGIC_H
#define AN_IMAGE_MAGIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "io/source.h"

struct an_magic {
	const char *name;  /* "xfs", "luks", "swap" */
	const char *title; /* "XFS", "a LUKS encrypted volume" */
	bool data;         /* it holds files that this version can't show (swap space and the like: no) */
};

/* Recognises what libtsk does not open. NULL: nothing known. Unreadable bytes count as no signature. */
const struct an_magic *an_magic_find(const struct co_source *source, uint64_t offset, uint64_t length);

/* Is it an APFS container? */
bool an_magic_is_apfs(const struct co_source *source, uint64_t offset, uint64_t length);

struct an_identity {
	char label[64], uuid[40]; /* "" if none */
	bool needs_recovery;      /* ext3/4: the journal holds changes that were not written to their places */
};

/* 8-4-4-4-12 hexadecimal digits; all zeros: "". */
void an_magic_uuid_text(const uint8_t b[16], char ret[40]);

/* Label and identifier of a volume whose file system is called @fs; empty where none is known. */
void an_magic_identify(const struct co_source *source, uint64_t offset, uint64_t length, const char *fs,
		       struct an_identity *ret);

/* Is it an image container or a compressed file that must not be taken for a raw image? Its name, or NULL. */
const char *an_magic_container(const struct co_source *source);

#endif
