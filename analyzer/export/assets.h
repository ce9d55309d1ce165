/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.css and report.js as bytes; the source file is made from them by cmake/embed.cmake.
 */
#ifndef AN_EXPORT_ASSETS_H
#define AN_EXPORT_ASSETS_H

#include <stddef.h>

extern const char an_report_css[], an_report_js[];
extern const size_t an_report_css_size, an_report_js_size; /* bytes, without the NUL behind them */

#endif
