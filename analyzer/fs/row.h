/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to fs/: a row of our table out of libtsk's view of a name and its inode.
 */
#ifndef AN_FS_ROW_H
#define AN_FS_ROW_H

#include <tsk/libtsk.h>

#include "base/text.h"
#include "store/files.h"

/* @attr: the NTFS attribute that this row is about, or NULL. All but path and volume; strings are borrowed. */
void an_row_fill(struct an_file *ret, const TSK_FS_FILE *file, const TSK_FS_ATTR *attr);

/* The stream that a row of this attribute has in its path ("stream" in "/x:stream"), or NULL. */
const char *an_row_stream(const TSK_FS_ATTR *attr);

#endif
