/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int co_err_set(struct co_err *err, int code, int sys, const char *fmt, ...)
{
	if (!err)
		return code;
	err->code = code;
	err->sys = sys;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	if (sys && n >= 0 && (size_t)n < sizeof err->msg) {
		char text[128];
		/* GNU strerror_r: thread-safe, may return a constant string instead of @text */
		snprintf(err->msg + n, sizeof err->msg - (size_t)n, ": %s", strerror_r(sys, text, sizeof text));
	}
	return code;
}

int co_err_wrap(struct co_err *err, const char *fmt, ...)
{
	if (!err)
		return CO_ERR_FAILED;
	char inner[sizeof err->msg];
	memcpy(inner, err->msg, sizeof inner);
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof err->msg) {
		size_t at = (size_t)n;
		size_t room = sizeof err->msg - at;
		snprintf(err->msg + at, room, ": %.*s", (int)room, inner);
	}
	return err->code;
}

enum co_exit co_err_exit(int code)
{
	switch (code) {
	case 0:
		return CO_EXIT_OK;
	case CO_ERR_USAGE:
		return CO_EXIT_USAGE;
	case CO_ERR_MISMATCH:
		return CO_EXIT_MISMATCH;
	case CO_ERR_CANCELED:
		return CO_EXIT_INTERRUPTED;
	case CO_ERR_OUTPUT:
		return CO_EXIT_OUTPUT;
	case CO_ERR_LOST:
		return CO_EXIT_LOST;
	default:
		return CO_EXIT_FAILED;
	}
}
