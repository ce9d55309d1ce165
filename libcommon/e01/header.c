/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inflated texts of "header" and "header2": a line "main", a line of tab-separated identifiers, a line of values
 * in the same order. Lines end with LF or CR LF.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "e01/image.h"

static const struct {
	const char *id;
	enum co_e01_text text;
} ids[] = {
	{ "c", CO_E01_CASE_NUMBER },
	{ "n", CO_E01_EVIDENCE_NUMBER },
	{ "a", CO_E01_DESCRIPTION },
	{ "e", CO_E01_EXAMINER },
	{ "t", CO_E01_NOTES },
	{ "av", CO_E01_SOFTWARE_VERSION },
	{ "ov", CO_E01_OPERATING_SYSTEM },
	{ "m", CO_E01_ACQUIRY_DATE },
	{ "u", CO_E01_SYSTEM_DATE },
	{ "md", CO_E01_MODEL },
	{ "sn", CO_E01_SERIAL },
};

static void add_code(struct co_str *s, uint32_t c)
{
	if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		c = 0xFFFD;
	uint8_t b[4];
	size_t n = 0;
	if (c < 0x80) {
		b[n++] = (uint8_t)c;
	} else if (c < 0x800) {
		b[n++] = (uint8_t)(0xC0 | c >> 6);
	} else if (c < 0x10000) {
		b[n++] = (uint8_t)(0xE0 | c >> 12);
		b[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
	} else {
		b[n++] = (uint8_t)(0xF0 | c >> 18);
		b[n++] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
		b[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
	}
	if (c >= 0x80)
		b[n++] = (uint8_t)(0x80 | (c & 0x3F));
	co_str_add_n(s, b, n);
}

static void decode_utf16(struct co_str *s, const uint8_t *text, size_t len, bool big)
{
	for (size_t i = 0; i + 2 <= len; i += 2) {
		uint32_t c = big ? co_be16(text + i) : co_le16(text + i);
		uint32_t low = i + 4 <= len ? (big ? co_be16(text + i + 2) : co_le16(text + i + 2)) : 0;
		if (c >= 0xD800 && c < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
			c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
			i += 2;
		}
		add_code(s, c);
	}
}

static bool is_utf8(const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = co_utf8_len(s + i, len - i, NULL);
		if (n == 0 || s[i] == '\0')
			return false;
	}
	return true;
}

/* To UTF-8, from UTF-16 with a byte order mark, UTF-8, or else Latin-1. */
static void decode(struct co_str *s, const uint8_t *text, size_t len)
{
	if (len >= 2 && text[0] == 0xFF && text[1] == 0xFE)
		decode_utf16(s, text + 2, len - 2, false);
	else if (len >= 2 && text[0] == 0xFE && text[1] == 0xFF)
		decode_utf16(s, text + 2, len - 2, true);
	else if (is_utf8((const char *)text, len))
		co_str_add_n(s, text, len);
	else
		for (size_t i = 0; i < len; i++)
			add_code(s, text[i]);
}

/* Cuts the next field off *rest, which ends at one of @ends. NULL: nothing is left. */
static char *cut(char **rest, const char *ends)
{
	char *field = *rest;
	if (!field)
		return NULL;
	char *end = strpbrk(field, ends);
	*rest = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return field;
}

static char *cut_line(char **rest)
{
	char *line = cut(rest, "\n");
	size_t n = line ? strlen(line) : 0;
	if (n && line[n - 1] == '\r')
		line[n - 1] = '\0';
	return line;
}

/* Year, month, day, hour, minute, second, with a blank between them and nothing behind. */
static bool six_numbers(const char *text, long ret[6])
{
	for (int i = 0; i < 6; i++) {
		char *end;
		if (!isdigit((unsigned char)*text))
			return false;
		ret[i] = strtol(text, &end, 10);
		if (end - text > 4 || *end != (i < 5 ? ' ' : '\0'))
			return false;
		text = end + 1;
	}
	return true;
}

/* "1142163845" or "2006 3 12 11 44 5" to ISO 8601; anything else stays as it is. */
static char *date_text(const char *value)
{
	char text[40];
	long at[6];
	size_t digits = strspn(value, "0123456789");
	int64_t ns;
	if (digits && digits < 12 && value[digits] == '\0' && co_time_make(strtoll(value, NULL, 10), 0, &ns)) {
		co_time_text_sec(ns, text);
		return strdup(text);
	}
	if (six_numbers(value, at)) {
		snprintf(text, sizeof text, "%04ld-%02ld-%02ldT%02ld:%02ld:%02ld", at[0], at[1], at[2], at[3], at[4],
			 at[5]);
		return strdup(text);
	}
	return strdup(value);
}

static int keep(char *texts[CO_E01_TEXT_N], const char *id, const char *value, struct co_err *err)
{
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		enum co_e01_text t = ids[i].text;
		if (strcmp(ids[i].id, id) != 0 || texts[t] || !*value)
			continue;
		bool date = t == CO_E01_ACQUIRY_DATE || t == CO_E01_SYSTEM_DATE;
		texts[t] = date ? date_text(value) : strdup(value);
		if (!texts[t])
			return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the header of an image");
	}
	return 0;
}

int co_e01_header_parse(const uint8_t *text, size_t len, char *texts[CO_E01_TEXT_N], struct co_err *err)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	decode(&s, text, len);
	if (s.failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the header of an image");
	char *rest = s.s, *line;
	while ((line = cut_line(&rest)) && strcmp(line, "main") != 0)
		;
	char *names = cut_line(&rest);
	char *values = cut_line(&rest);
	if (!names || !values)
		return 1;
	for (char *id, *value; (id = cut(&names, "\t")) && (value = cut(&values, "\t"));) {
		int r = keep(texts, id, value, err);
		if (r < 0)
			return r;
	}
	return 0;
}
