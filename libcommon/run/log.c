/* SPDX-License-Identifier: Apache-2.0 */
#include "run/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "run/progress.h"

static const char *program_name = "exhibit";

void co_log_init(const char *program)
{
	program_name = program;
}

static void __attribute__((format(printf, 2, 0))) say(const char *kind, const char *fmt, va_list ap)
{
	co_progress_clear_line();
	/* Lines of several threads do not mix. */
	flockfile(stderr);
	fprintf(stderr, "%s: %s", program_name, kind);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

void co_log_note(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

void co_log_warn(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say("warning: ", fmt, ap);
	va_end(ap);
}

void co_log_error(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}
