/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of the examined server: symbolic links followed within the image, never on this machine.
 */
#ifndef AN_STORE_RESOLVE_H
#define AN_STORE_RESOLVE_H

#include "store/files.h"

/* The live name that @path leads to when symbolic links are followed (at most 8). 0, with *ret the row;
 * 1: there is none, or the links don't end; < 0: no memory. */
int an_files_resolve(struct an_files *files, const char *path, struct an_file **ret, struct co_err *err);

#endif
