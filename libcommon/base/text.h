/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: a growing string, hexadecimal, sizes with units, and names from disks made safe to show.
 */
#ifndef CO_BASE_TEXT_H
#define CO_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A growing string. A zeroed struct is empty. After a failed allocation `failed` stays set, later appends do nothing,
 * and the one who hands the text on checks it once: no error return per append. */
struct co_str {
	char *s; /* NUL-terminated once anything was appended, else NULL */
	size_t n;
	size_t cap;
	bool failed;
};

void co_str_add(struct co_str *s, const char *text);
void co_str_add_n(struct co_str *s, const void *bytes, size_t n);
void co_str_addf(struct co_str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void co_str_clear(struct co_str *s); /* length 0, keeps the memory and the failed mark */
void co_str_free(struct co_str *s);
const char *co_str_get(const struct co_str *s); /* "" when empty; borrowed until the next change */
#define CO_CLEANUP_STR CO_CLEANUP(co_str_free)

/* Lower-case hexadecimal; @ret holds 2 * n + 1 bytes. */
void co_hex(const uint8_t *bytes, size_t n, char *ret);
/* 0: exactly 2 * n hexadecimal digits of either case were read; -1: not so (ret is undefined). */
int co_unhex(const char *text, size_t n, uint8_t *ret);

/* "4096", "64K", "1.5G", "2TiB" (1024), "2GB" (1000). 0, or CO_ERR_USAGE naming @what. */
int co_parse_size(const char *text, const char *what, uint64_t *ret, struct co_err *err);
/* A whole decimal number within [min, max]. 0, or CO_ERR_USAGE naming @what. */
int co_parse_uint(const char *text, const char *what, uint64_t min, uint64_t max, uint64_t *ret, struct co_err *err);
/* "1.86 GB" (powers of 1000, three digits); @ret holds 16 bytes. */
void co_size_text(uint64_t bytes, char ret[16]);

/* Length of the valid UTF-8 sequence at @s (1 to 4, RFC 3629: no surrogates, no overlong forms), or 0 if the byte
 * there starts none within @n bytes. *ret_code (may be NULL) gets the code point. */
size_t co_utf8_len(const char *s, size_t n, uint32_t *ret_code);

/* Appends a name from a disk or log so that it can't disturb a terminal, a report or a line-based file: control
 * characters, DEL, invalid UTF-8, backslash, and the invisible and direction-changing code points (U+200B-200F,
 * U+2028-202E, U+2060-206F, U+FEFF) become \xNN per byte. */
void co_str_add_visible(struct co_str *s, const char *text, size_t n);

#endif
