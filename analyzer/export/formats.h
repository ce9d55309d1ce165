/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the exporter tables, one per format; put together in export.c.
 */
#ifndef AN_EXPORT_FORMATS_H
#define AN_EXPORT_FORMATS_H

#include "export/export.h"

extern const struct an_exporter an_export_body, an_export_mactime, an_export_csv, an_export_jsonl, an_export_l2tcsv,
	an_export_sha256sum, an_export_hashdeep, an_export_dfxml;

/* Is the time within the bounds? A time that is not recorded is only if there are none. @filter may be NULL. */
bool an_filter_time(const struct an_filter *filter, int64_t ns);

#endif
