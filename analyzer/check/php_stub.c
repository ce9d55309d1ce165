/* SPDX-License-Identifier: Apache-2.0 */
#include "check/php_stub.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* What is left of the file. */
struct rest {
	const char *s;
	size_t n;
};

static void skip(struct rest *r, size_t n)
{
	n = n < r->n ? n : r->n;
	r->s += n;
	r->n -= n;
}

static bool take(struct rest *r, const char *word)
{
	size_t n = strlen(word);
	if (r->n < n || strncasecmp(r->s, word, n) != 0)
		return false;
	skip(r, n);
	return true;
}

static void skip_space(struct rest *r)
{
	while (r->n && isspace((unsigned char)*r->s))
		skip(r, 1);
}

/* To the end of the line or to the closing tag, which ends a comment too. */
static void skip_line(struct rest *r)
{
	while (r->n && *r->s != '\n' && !(r->n > 1 && r->s[0] == '?' && r->s[1] == '>'))
		skip(r, 1);
}

static void skip_comments(struct rest *r)
{
	for (;;) {
		skip_space(r);
		if (take(r, "/*")) {
			const char *end = memmem(r->s, r->n, "*/", 2);
			skip(r, end ? (size_t)(end - r->s) + 2 : r->n);
		} else if (take(r, "//") || (r->n && *r->s == '#' && !(r->n > 1 && r->s[1] == '['))) {
			skip_line(r);
		} else {
			return;
		}
	}
}

bool an_php_is_stub(const char *bytes, size_t len)
{
	static const char *const ends[] = { "exit", "die", "return" };
	struct rest r = { bytes, len };
	take(&r, "\xEF\xBB\xBF");
	skip_space(&r);
	if (r.n == 0)
		return true;
	if (!take(&r, "<?php") || (r.n && !isspace((unsigned char)*r.s)))
		return false;
	skip_comments(&r);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		if (take(&r, ends[i])) {
			skip_comments(&r);
			if (take(&r, "(")) {
				skip_comments(&r);
				if (!take(&r, ")"))
					return false;
			}
			skip_comments(&r);
			if (r.n && !take(&r, ";") && !(r.n > 1 && memcmp(r.s, "?>", 2) == 0))
				return false;
			break;
		}
	}
	skip_comments(&r);
	if (take(&r, "?>"))
		skip_space(&r);
	return r.n == 0;
}

static bool is_text(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isprint((unsigned char)s[i]) && !isspace((unsigned char)s[i]))
			return false;
	return true;
}

long an_php_tag(const char *bytes, size_t len)
{
	const char *at = bytes;
	size_t left = len;
	while ((at = memmem(at, left, "<?", 2))) {
		left = len - (size_t)(at - bytes);
		if (left > 5 && strncasecmp(at, "<?php", 5) == 0 && isspace((unsigned char)at[5]))
			return at - bytes;
		if (left > 12 && at[2] == '=' && is_text(at + 3, 9))
			return at - bytes;
		at += 2;
		left -= 2;
	}
	return -1;
}
