/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pieces of HTML out of untrusted text. Whatever comes from a disk goes through these.
 */
#ifndef AN_EXPORT_HTML_H
#define AN_EXPORT_HTML_H

#include "base/text.h"

/* Appends the text made visible (co_str_add_visible), with & < > " and ' as entities: right in text and in quoted
 * attributes. NULL appends nothing. */
void an_html_add(struct co_str *page, const char *text);
/* The same for a path: a space at the begin or end of a name, which hides in a page, becomes \x20. */
void an_html_add_path(struct co_str *page, const char *path);
/* The same, but line feeds and tabs stay: for quotations in <pre>. */
void an_html_add_block(struct co_str *page, const char *text);
/* "2026-09-01 02:54:20.000000000", or a dash for CO_TIME_NONE. */
void an_html_add_time(struct co_str *page, int64_t ns);
/* The same to the second. */
void an_html_add_second(struct co_str *page, int64_t ns);
/* Base64 (RFC 4648, section 4), as hashes in a content security policy need it. */
void an_html_add_base64(struct co_str *page, const uint8_t *bytes, size_t n);

#endif
