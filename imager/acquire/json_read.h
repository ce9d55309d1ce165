/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading back the JSON that our own writer (manifest/json.h) made; the bytes are taken for hostile all the same.
 */
#ifndef IM_ACQUIRE_JSON_READ_H
#define IM_ACQUIRE_JSON_READ_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

/* Parses @n bytes, which it may change: our writer keeps a byte that is no UTF-8 as the lone surrogate \udcXX, which
 * jansson refuses, and such a byte is read as U+FFFD. The caller drops the reference. CO_ERR_FORMAT: not one value of
 * JSON, or a key twice in an object; the message tells what is wrong. */
int im_json_parse(char *text, size_t n, json_t **ret, struct co_err *err);

#endif
