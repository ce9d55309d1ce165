/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streaming JSON writer (RFC 8259). Keys come out in the order of the calls, so same input gives same bytes.
 *
 * Strings may hold any bytes: valid UTF-8 is kept, control characters are escaped, each invalid byte b becomes the
 * lone surrogate U+DC00+b as \udcXX (Python's "surrogateescape"), so that no name is lost or merged with another.
 * Errors of the sink are kept and returned by end().
 */
#ifndef CO_MANIFEST_JSON_H
#define CO_MANIFEST_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "io/sink.h"

struct co_json {
	struct co_sink *sink; /* one of sink and str */
	struct co_str *str;
	bool pretty; /* indented by two spaces, else one line */
	/* private */
	unsigned depth;
	bool comma; /* the next value is not the first of its group */
	struct co_err err;
};

/* Borrow the sink or string until end(). */
void co_json_to_sink(struct co_json *j, struct co_sink *sink, bool pretty);
void co_json_to_str(struct co_json *j, struct co_str *str, bool pretty);

void co_json_object(struct co_json *j, const char *key); /* key NULL: element of an array or the top */
void co_json_end_object(struct co_json *j);
void co_json_array(struct co_json *j, const char *key);
void co_json_end_array(struct co_json *j);

void co_json_str(struct co_json *j, const char *key, const char *value); /* value NULL: null */
void co_json_str_n(struct co_json *j, const char *key, const void *value, size_t len);
void co_json_int(struct co_json *j, const char *key, int64_t value);
void co_json_uint(struct co_json *j, const char *key, uint64_t value);
void co_json_real(struct co_json *j, const char *key, double value, int digits); /* digits behind the point */
void co_json_bool(struct co_json *j, const char *key, bool value);
void co_json_null(struct co_json *j, const char *key);
void co_json_time(struct co_json *j, const char *key, int64_t ns); /* ISO 8601 text; CO_TIME_NONE: null */

/* A newline between the records of JSONL, and at the end of a file. */
void co_json_newline(struct co_json *j);
/* The first failure, or 0. */
int co_json_end(struct co_json *j, struct co_err *err);

#endif
