/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to the report: its larger sections.
 */
#ifndef AN_EXPORT_REPORT_PARTS_H
#define AN_EXPORT_REPORT_PARTS_H

#include "export/histogram.h"

#define AN_REPORT_MAX_FINDINGS 5000 /* rows of the table; a browser stays usable, the rest is in findings.json */

/* Counts, the most severe findings, when it happened. */
void an_report_summary(const struct an_case *c, struct co_str *page);
/* The table of findings with their reasons. @span NULL: no strips of times. */
void an_report_findings(const struct an_case *c, const struct an_span_of_time *span, struct co_str *page);

#endif
