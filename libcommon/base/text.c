/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/vec.h"

static bool str_room(struct co_str *s, size_t more)
{
	size_t want;
	void *p = s->s;
	if (s->failed || !co_add(s->n, more, &want) || !co_add(want, (size_t)1, &want) ||
	    (want > s->cap && co_vec_grow(&p, &s->cap, want, 1) < 0)) {
		s->failed = true;
		return false;
	}
	s->s = p;
	return true;
}

void co_str_add_n(struct co_str *s, const void *bytes, size_t n)
{
	if (!str_room(s, n))
		return;
	if (n)
		memcpy(s->s + s->n, bytes, n);
	s->n += n;
	s->s[s->n] = '\0';
}

void co_str_add(struct co_str *s, const char *text)
{
	co_str_add_n(s, text, strlen(text));
}

void co_str_addf(struct co_str *s, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		s->failed = true;
		return;
	}
	if (!str_room(s, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(s->s + s->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	s->n += (size_t)n;
}

void co_str_clear(struct co_str *s)
{
	s->n = 0;
	if (s->s)
		s->s[0] = '\0';
}

void co_str_free(struct co_str *s)
{
	free(s->s);
	*s = (struct co_str) { 0 };
}

const char *co_str_get(const struct co_str *s)
{
	return s->s ? s->s : "";
}

void co_hex(const uint8_t *bytes, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[2 * n] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int co_unhex(const char *text, size_t n, uint8_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(text[2 * i]);
		int lo = hi < 0 ? -1 : hex_digit(text[2 * i + 1]);
		if (lo < 0)
			return -1;
		ret[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}

int co_parse_uint(const char *text, const char *what, uint64_t min, uint64_t max, uint64_t *ret, struct co_err *err)
{
	char *end = NULL;
	errno = 0;
	unsigned long long v = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
	if (!end || *end || errno || v < min || v > max)
		return co_err_set(err, CO_ERR_USAGE, 0, "%s: '%s' is not a number from %llu to %llu", what, text,
				  (unsigned long long)min, (unsigned long long)max);
	*ret = v;
	return 0;
}

/* "", "K", "KiB": powers of 1024; "KB": powers of 1000, as GNU tools have it. 0: no such unit. */
static uint64_t unit_of(const char *text)
{
	static const char letters[] = "kmgtp";
	uint64_t unit = 1;
	if (*text == '\0' || strcasecmp(text, "b") == 0)
		return 1;
	const char *letter = strchr(letters, tolower((unsigned char)*text));
	bool decimal = strcasecmp(text + 1, "b") == 0;
	if (!letter || !(text[1] == '\0' || decimal || strcasecmp(text + 1, "ib") == 0))
		return 0;
	for (const char *l = letters; l <= letter; l++)
		unit *= decimal ? 1000 : 1024;
	return unit;
}

/* The digits behind a point as *ret_part of *ret_scale; those past the ninth are cut off. */
static const char *parse_part(const char *s, uint64_t *ret_part, uint64_t *ret_scale)
{
	for (; isdigit((unsigned char)*s); s++) {
		if (*ret_scale >= 1000000000)
			continue;
		*ret_part = *ret_part * 10 + (uint64_t)(*s - '0');
		*ret_scale *= 10;
	}
	return s;
}

/* No floating point: sizes above 2^53 must come out to the byte. */
static bool parse_size(const char *text, uint64_t *ret)
{
	char *end;
	uint64_t part = 0, scale = 1, bytes;
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	unsigned long long whole = strtoull(text, &end, 10);
	const char *rest = end;
	if (errno || (*rest == '.' && !isdigit((unsigned char)rest[1])))
		return false;
	if (*rest == '.')
		rest = parse_part(rest + 1, &part, &scale);
	uint64_t unit = unit_of(rest);
	if (unit == 0 || !co_mul(whole, unit, &bytes) ||
	    !co_add(bytes, unit / scale * part + unit % scale * part / scale, &bytes) || bytes > INT64_MAX)
		return false;
	*ret = bytes;
	return true;
}

int co_parse_size(const char *text, const char *what, uint64_t *ret, struct co_err *err)
{
	if (!parse_size(text, ret))
		return co_err_set(err, CO_ERR_USAGE, 0, "%s: '%s' is not a size such as 650M, 2GiB or 4096", what,
				  text);
	return 0;
}

void co_size_text(uint64_t bytes, char ret[16])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = (double)bytes;
	size_t u = 0;
	while (v >= 999.5 && u + 1 < sizeof units / sizeof *units) {
		v /= 1000;
		u++;
	}
	int digits = u == 0 || v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
	snprintf(ret, 16, "%.*f %s", digits, v, units[u]);
}

size_t co_utf8_len(const char *s, size_t n, uint32_t *ret_code)
{
	const uint8_t *b = (const uint8_t *)s;
	if (n == 0)
		return 0;
	uint32_t code = b[0];
	size_t len;
	uint32_t min;
	if (code < 0x80) {
		len = 1, min = 0;
	} else if (code >= 0xC2 && code < 0xE0) {
		len = 2, min = 0x80, code &= 0x1F;
	} else if (code >= 0xE0 && code < 0xF0) {
		len = 3, min = 0x800, code &= 0x0F;
	} else if (code >= 0xF0 && code < 0xF5) {
		len = 4, min = 0x10000, code &= 0x07;
	} else {
		return 0;
	}
	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((b[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (b[i] & 0x3F);
	}
	if (code < min || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	if (ret_code)
		*ret_code = code;
	return len;
}

static bool is_invisible(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
	       (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

void co_str_add_visible(struct co_str *s, const char *text, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t code = 0;
		size_t len = co_utf8_len(text + i, n - i, &code);
		if (len && !is_invisible(code) && code != '\\') {
			co_str_add_n(s, text + i, len);
		} else {
			len = len ? len : 1;
			for (size_t k = 0; k < len; k++)
				co_str_addf(s, "\\x%02x", (uint8_t)text[i + k]);
		}
		i += len;
	}
}
