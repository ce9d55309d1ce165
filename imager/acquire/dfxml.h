/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NAME.dfxml: the acquisition as Digital Forensics XML, for other programs.
 *
 * Source: schema version 2.0.0-beta.0 of the DFXML working group, dfxml.xsd, elements dfxml, creator, source,
 * diskimageobject, byte_run and fileobject. What it has no words for stands in elements and attributes of a namespace
 * of our own, which the schema allows:
 *
 *	diskimageobject  the medium: status, case, device, image, verification, and its byte runs, each with a role:
 *	                 "medium" with the digests of the source, or "read" and "not-read" where it was not read to its
 *	                 end; "padded-medium" with the digests of the medium in the image, if it is longer;
 *	                 "unreadable", where the image holds zeros; "block" with one digest of NAME.blocks.sha256
 *	fileobject       a segment of the image, with its size and digest
 */
#ifndef IM_ACQUIRE_DFXML_H
#define IM_ACQUIRE_DFXML_H

#include "acquire/record.h"

/* Appends a text so that it holds characters of XML only: as co_str_add_visible, and U+FFFE and U+FFFF likewise.
 * Markup is left as it is. Source: Extensible Markup Language 1.0 (Fifth Edition), section 2.2, Char. */
void im_dfxml_visible(struct co_str *s, const char *text);

#define IM_DFXML_BLOCKS_MAX 4096 /* of a larger medium only the file with the digests of the blocks is named */

/* The document, also of an acquisition that did not complete: then it says so in an <error> of the schema.
 * @blocks: the full name of the file with the digests of the blocks; NULL: there is none.
 * CO_ERR_OUTPUT: that file can't be read or is not what was written a moment ago. CO_ERR_NOMEM. */
int im_dfxml_text(const struct im_record *rec, const struct im_bag_record *bag, const char *blocks, struct co_str *ret,
		  struct co_err *err);

#endif
