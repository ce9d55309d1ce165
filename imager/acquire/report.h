/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a bag that people and other tools read: report, ddrescue map, and how to verify the bag.
 */
#ifndef IM_ACQUIRE_REPORT_H
#define IM_ACQUIRE_REPORT_H

#include "acquire/record.h"

/* NAME.report.txt: the text an examiner files. */
int im_report_text(const struct im_record *rec, const struct im_bag_record *bag, struct co_str *ret,
		   struct co_err *err);

/* NAME.map: what was read ('+'), what could not be ('-'), what was not tried ('?'), in bytes.
 * Source: GNU ddrescue manual 1.27, chapter "Mapfile structure". */
int im_map_text(const struct im_record *rec, struct co_str *ret, struct co_err *err);

/* VERIFY.txt: how to check the bag with common tools alone. */
int im_verify_text(const struct im_record *rec, struct co_str *ret, struct co_err *err);

#endif
