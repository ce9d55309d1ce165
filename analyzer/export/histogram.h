/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of time for the report, as inline SVG without scripts and styles of their own.
 */
#ifndef AN_EXPORT_HISTOGRAM_H
#define AN_EXPORT_HISTOGRAM_H

#include "base/text.h"
#include "store/case.h"

/* The time that the pictures show: from the first to the last time that the file systems themselves have set. */
struct an_span_of_time {
	int64_t from_ns, to_ns; /* from inclusive, to exclusive */
	int64_t bin_s;          /* width of a bar: hour, 6 hours, day, week, 30 days or 365 days */
	size_t n_bins;
};

/* 0, or 1: no file has such a time. */
int an_histogram_span(const struct an_case *c, struct an_span_of_time *ret);
/* Bars of all file times (logarithmic), and below them bars of the times of findings. 0 or CO_ERR_NOMEM. */
int an_histogram_add(const struct an_case *c, const struct an_span_of_time *span, struct co_str *page,
		     struct co_err *err);
/* A thin line with a mark for each time of one file; those outside the span stand at its ends, with < or >. */
void an_histogram_add_strip(const struct an_span_of_time *span, const int64_t times[AN_TIME_N], struct co_str *page);

#endif
