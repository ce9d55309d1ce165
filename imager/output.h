/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands share: printing a finished text on standard output, and digests as text.
 */
#ifndef IM_OUTPUT_H
#define IM_OUTPUT_H

#include <stdbool.h>

#include "base/text.h"
#include "hash/digest.h"

/* Standard output. 0, CO_ERR_NOMEM if the text is incomplete, or CO_ERR_OUTPUT. */
int im_print(const struct co_str *text, struct co_err *err);

/* A line "PREFIX sha256 HEX" for each. */
void im_digests_text(struct co_str *s, const char *prefix, const struct co_digests *d);

/* Is it a folder, i.e. a bag and not an image? CO_ERR_FAILED if it does not exist. */
int im_is_bag(const char *name, bool *ret, struct co_err *err);

#endif
