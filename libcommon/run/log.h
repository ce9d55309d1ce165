/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to people, on standard error. Only commands call this; library code returns errors instead.
 * Names from disks pass through co_str_add_visible() before they get here.
 */
#ifndef CO_RUN_LOG_H
#define CO_RUN_LOG_H

/* "exhibit-imager: text\n". If a progress line stands on the terminal it is cleared first. */
void co_log_init(const char *program);
void co_log_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void co_log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void co_log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
