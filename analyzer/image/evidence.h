/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence: an image as a source of bytes, whatever it is stored in.
 *
 * E01 (one segment is enough, or all of them in any order), raw, split raw (.000/.001 ..., .aa/.ab ...), a block
 * device, or an evidence bag. Containers that would be misread as raw (qcow2, VMDK, VHD, VHDX, VDI, AFF, Ex01) are
 * told apart by their magic and refused by name.
 */
#ifndef AN_IMAGE_EVIDENCE_H
#define AN_IMAGE_EVIDENCE_H

#include "e01/reader.h"
#include "io/source.h"
#include "store/case.h"

struct an_evidence {
	struct co_source source;
	const char *kind; /* "e01", "raw", "split", "device" */
	char *name;       /* as given, for messages */
	char *first_file; /* path of the first file */
};

/* @e01: how to read, if it is an E01 image; NULL is all zero. */
int an_evidence_open(struct an_evidence *ret, const char *const *names, size_t n, const struct co_e01_opts *e01,
		     struct co_err *err);
void an_evidence_close(struct an_evidence *e);
/* Fills the row for the case: header fields and stored digests. */
int an_evidence_describe(const struct an_evidence *e, struct an_case_evidence *ret, struct co_err *err);

#endif
