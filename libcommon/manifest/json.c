/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static void out(struct co_json *j, const char *text, size_t len)
{
	if (j->str)
		co_str_add_n(j->str, text, len);
	else if (j->err.code == 0)
		(void)co_sink_write(j->sink, text, len, &j->err); /* returned by end() */
}

static void puts_out(struct co_json *j, const char *text)
{
	out(j, text, strlen(text));
}

static void new_line(struct co_json *j)
{
	if (!j->pretty)
		return;
	puts_out(j, "\n");
	for (unsigned i = 0; i < j->depth; i++)
		puts_out(j, "  ");
}

/* The length of the sequence at @s and its escaped form in @ret; an empty form: it stands for itself. */
static size_t escape(const char *s, size_t len, char ret[8])
{
	static const char controls[] = "\b\t\n\f\r";
	static const char letters[] = "btnfr";
	uint32_t code;
	size_t n = co_utf8_len(s, len, &code);
	ret[0] = '\0';
	if (n == 0) {
		snprintf(ret, 8, "\\udc%02x", (uint8_t)*s);
		return 1;
	}
	const char *control = code > 0 && code < 0x20 ? strchr(controls, (int)code) : NULL;
	if (control)
		snprintf(ret, 8, "\\%c", letters[control - controls]);
	else if (code == '"' || code == '\\')
		snprintf(ret, 8, "\\%c", (int)code);
	else if (code < 0x20 || (code >= 0x7F && code < 0xA0))
		snprintf(ret, 8, "\\u%04x", (unsigned)code);
	return n;
}

static void quoted(struct co_json *j, const char *s, size_t len)
{
	size_t plain = 0; /* where the bytes begin that are not written yet */
	puts_out(j, "\"");
	for (size_t i = 0; i < len;) {
		char form[8];
		size_t n = escape(s + i, len - i, form);
		if (form[0]) {
			out(j, s + plain, i - plain);
			puts_out(j, form);
			plain = i + n;
		}
		i += n;
	}
	out(j, s + plain, len - plain);
	puts_out(j, "\"");
}

/* What stands before a value. */
static void lead(struct co_json *j, const char *key)
{
	if (j->comma)
		puts_out(j, ",");
	if (j->depth)
		new_line(j);
	if (key) {
		quoted(j, key, strlen(key));
		puts_out(j, j->pretty ? ": " : ":");
	}
	j->comma = true;
}

static void open_group(struct co_json *j, const char *key, const char *bracket)
{
	lead(j, key);
	puts_out(j, bracket);
	j->depth++;
	j->comma = false;
}

static void close_group(struct co_json *j, const char *bracket)
{
	bool empty = !j->comma;
	j->depth--;
	if (!empty)
		new_line(j);
	puts_out(j, bracket);
	j->comma = true;
}

static void value(struct co_json *j, const char *key, const char *text)
{
	lead(j, key);
	puts_out(j, text);
}

void co_json_to_sink(struct co_json *j, struct co_sink *sink, bool pretty)
{
	*j = (struct co_json) { .sink = sink, .pretty = pretty };
}

void co_json_to_str(struct co_json *j, struct co_str *str, bool pretty)
{
	*j = (struct co_json) { .str = str, .pretty = pretty };
}

void co_json_object(struct co_json *j, const char *key)
{
	open_group(j, key, "{");
}

void co_json_end_object(struct co_json *j)
{
	close_group(j, "}");
}

void co_json_array(struct co_json *j, const char *key)
{
	open_group(j, key, "[");
}

void co_json_end_array(struct co_json *j)
{
	close_group(j, "]");
}

void co_json_str_n(struct co_json *j, const char *key, const void *bytes, size_t len)
{
	lead(j, key);
	quoted(j, bytes, len);
}

void co_json_str(struct co_json *j, const char *key, const char *text)
{
	if (text)
		co_json_str_n(j, key, text, strlen(text));
	else
		co_json_null(j, key);
}

void co_json_int(struct co_json *j, const char *key, int64_t number)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRId64, number);
	value(j, key, text);
}

void co_json_uint(struct co_json *j, const char *key, uint64_t number)
{
	char text[24];
	snprintf(text, sizeof text, "%" PRIu64, number);
	value(j, key, text);
}

void co_json_real(struct co_json *j, const char *key, double number, int digits)
{
	char text[512]; /* the largest double has 309 digits before the point */
	if (!isfinite(number)) {
		co_json_null(j, key); /* JSON has no word for it */
		return;
	}
	snprintf(text, sizeof text, "%.*f", digits < 0 ? 0 : digits > 100 ? 100 : digits, number);
	value(j, key, text);
}

void co_json_bool(struct co_json *j, const char *key, bool yes)
{
	value(j, key, yes ? "true" : "false");
}

void co_json_null(struct co_json *j, const char *key)
{
	value(j, key, "null");
}

void co_json_time(struct co_json *j, const char *key, int64_t ns)
{
	char text[40];
	co_time_text(ns, text);
	co_json_str(j, key, text[0] ? text : NULL);
}

void co_json_newline(struct co_json *j)
{
	puts_out(j, "\n");
	j->comma = false;
}

int co_json_end(struct co_json *j, struct co_err *err)
{
	if (j->str && j->str->failed && j->err.code == 0)
		co_err_set(&j->err, CO_ERR_NOMEM, 0, "out of memory for a JSON text");
	if (j->err.code < 0 && err)
		*err = j->err;
	return j->err.code;
}
