/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress of long work, on standard error and in a status file.
 *
 * auto   tty if standard error is a terminal, else plain
 * tty    one line, rewritten at most 5 times a second: phase, percent, done/total, MB/s now and average, ETA, errors
 * plain  such a line each 30 s, and one at the end of each phase
 * json   one JSON object per line, each second and at the end of each phase:
 *        {"schema":"exhibit.progress/1","phase":..,"done":..,"total":..,"unit":..,"rate":..,"rate_average":..,
 *         "eta_s":..,"errors":..,"elapsed_s":..}
 * none   nothing
 *
 * One thread calls these; all accept a NULL progress. Output errors are ignored: progress is not evidence.
 */
#ifndef CO_RUN_PROGRESS_H
#define CO_RUN_PROGRESS_H

#include <stdint.h>

#include "base/error.h"

struct co_progress;

enum co_progress_mode {
	CO_PROGRESS_AUTO,
	CO_PROGRESS_TTY,
	CO_PROGRESS_PLAIN,
	CO_PROGRESS_JSON,
	CO_PROGRESS_NONE,
};

/* "auto", "tty", "plain", "json", "none"; NULL is auto. 0 or CO_ERR_USAGE. */
int co_progress_mode_parse(const char *text, enum co_progress_mode *ret, struct co_err *err);

/* @status_file (NULL: none) holds the json record, replaced atomically each second. Borrowed until close. */
int co_progress_open(struct co_progress **ret, enum co_progress_mode mode, const char *status_file, struct co_err *err);
/* Begins a phase ("acquire", "verify", ...), ending the one before. @total 0: unknown. @unit: "bytes" or e.g. "files".
 * Strings are literals. */
void co_progress_phase(struct co_progress *p, const char *phase, uint64_t total, const char *unit);
void co_progress_add(struct co_progress *p, uint64_t done);
void co_progress_errors(struct co_progress *p, uint64_t more);
/* Ends the last phase and removes the line. NULL is allowed. */
void co_progress_close(struct co_progress *p);

/* For run/log: clears the line that stands on the terminal, if any. */
void co_progress_clear_line(void);

#endif
