/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A time of a file in the words of plaso (data_type fs:stat), shared by the table formats.
 * Source: log2timeline/plaso, definitions of timestamp_desc; Timesketch's import documentation for the mandatory
 * fields.
 */
#ifndef AN_EXPORT_EVENT_H
#define AN_EXPORT_EVENT_H

#include "base/text.h"
#include "export/formats.h"

#define AN_EVENT_DATA_TYPE "fs:stat"

const char *an_event_desc(enum an_time which);      /* "Content Modification Time" */
const char *an_event_type(const struct an_file *f); /* "file", "directory", "link" ... */
/* One line: name, type, and what is particular about it; unsafe bytes as \xNN. */
void an_event_message(struct co_str *s, const struct an_file *f);
int64_t an_event_microseconds(int64_t ns);
/* "2026-09-01T02:54:20.123456+00:00" */
void an_event_datetime(int64_t ns, char ret[40]);

#endif
