/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bytes of a file look like (enum an_content), found while they pass by in parts.
 */
#ifndef AN_FS_MARKS_H
#define AN_FS_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/files.h"

struct an_marks {
	uint32_t found; /* enum an_content; AN_CONTENT_JSP whatever the name */
	/* private; zeroed is the beginning of a file */
	bool begun;
	size_t n_tail;
	uint8_t tail[4];
};

/* The first part must hold four bytes if the file does. */
void an_marks_add(struct an_marks *m, const void *bytes, size_t len);

/* What of @found counts for a file of this name: AN_CONTENT_JSP only with an extension of server pages. */
uint32_t an_marks_for_name(uint32_t found, const char *path);

#endif
