/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and numbers of files as the Sleuth Kit's fls prints them, shared by the formats that follow it.
 */
#ifndef AN_EXPORT_NAME_H
#define AN_EXPORT_NAME_H

#include "base/text.h"
#include "store/files.h"

/* Path, " ($FILE_NAME)", " -> target" and " (deleted)", with control characters as ^. @escape: for body files, in which
 * '|' ends a field: it becomes %7C, and a '%' that mactime would take for such an escape becomes %25. */
void an_name_add(struct co_str *s, const struct an_file *f, bool escape);
/* "12", or "12-128-3" (inode, attribute type, attribute id) for rows about NTFS attributes. */
void an_inode_text(const struct an_file *f, char ret[48]);
/* Whole seconds; 0 where there is no such time. */
int64_t an_seconds(const struct an_file *f, enum an_time which);
/* "m.c." from bits 1 << enum an_time; the deletion time has no letter. */
void an_macb_text(unsigned macb, char ret[5]);

#endif
