/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What machine an image comes from: read out of its files, nothing is executed.
 *
 * Facts: "os", "hostname", "time-zone", "web-application" (value "WordPress 6.1.9", path of its version file) and
 * "web-root" (value: the folder, path: where that is written, or the folder itself).
 */
#ifndef AN_FACTS_H
#define AN_FACTS_H

#include "fs/content.h"

/* Adds the facts to @c, whose files must be there. What can't be read is left out. 0, or a negative code. */
int an_facts_find(struct an_case *c, struct an_reader *reader, struct co_err *err);

/* Does @path lie in (or is it) one of the web roots among the facts of @c? */
bool an_facts_in_web_root(const struct an_case *c, const char *path);

#endif
