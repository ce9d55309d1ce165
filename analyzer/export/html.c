/* SPDX-License-Identifier: Apache-2.0 */
#include "export/html.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

static void escape(struct co_str *page, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		switch (text[i]) {
		case '&':
			co_str_add(page, "&amp;");
			break;
		case '<':
			co_str_add(page, "&lt;");
			break;
		case '>':
			co_str_add(page, "&gt;");
			break;
		case '"':
			co_str_add(page, "&quot;");
			break;
		case '\'':
			co_str_add(page, "&#39;");
			break;
		default:
			co_str_add_n(page, &text[i], 1);
		}
	}
}

static void add_n(struct co_str *page, const char *text, size_t n)
{
	CO_CLEANUP_STR struct co_str visible = { 0 };
	co_str_add_visible(&visible, text, n);
	page->failed |= visible.failed;
	escape(page, co_str_get(&visible), visible.n);
}

void an_html_add(struct co_str *page, const char *text)
{
	if (text)
		add_n(page, text, strlen(text));
}

void an_html_add_path(struct co_str *page, const char *path)
{
	for (const char *s = path; *s;) {
		size_t n = strcspn(s, " ");
		add_n(page, s, n);
		s += n;
		if (*s != ' ')
			break;
		bool hides = s == path || s[-1] == '/' || s[-1] == ' ' || s[1] == '/' || s[1] == '\0';
		co_str_add(page, hides ? "\\x20" : " ");
		s++;
	}
}

void an_html_add_block(struct co_str *page, const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n\t");
		add_n(page, text, n);
		text += n;
		if (*text)
			co_str_add_n(page, text++, 1);
	}
}

/* With a space for the T and without the Z. */
static void add_date(struct co_str *page, char text[40])
{
	char *t = strchr(text, 'T'), *z = strchr(text, 'Z');
	if (t)
		*t = ' ';
	if (z)
		*z = '\0';
	co_str_add(page, *text ? text : "&ndash;");
}

void an_html_add_time(struct co_str *page, int64_t ns)
{
	char text[40];
	co_time_text(ns, text);
	add_date(page, text);
}

void an_html_add_second(struct co_str *page, int64_t ns)
{
	char text[40];
	co_time_text_sec(ns, text);
	add_date(page, text);
}

void an_html_add_base64(struct co_str *page, const uint8_t *bytes, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)bytes[i] << 16;
		v |= i + 1 < n ? (uint32_t)bytes[i + 1] << 8 : 0;
		v |= i + 2 < n ? bytes[i + 2] : 0;
		char four[4] = { digits[v >> 18], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
				 i + 2 < n ? digits[v & 63] : '=' };
		co_str_add_n(page, four, 4);
	}
}
