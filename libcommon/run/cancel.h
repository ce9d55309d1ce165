/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGINT and SIGTERM ask the program to stop at the next safe point; one more, at least half a second later, ends it at
 * once (timeout(1) sends each signal twice).
 */
#ifndef CO_RUN_CANCEL_H
#define CO_RUN_CANCEL_H

#include <stdbool.h>

#include "base/error.h"

/* Installs the handlers (without SA_RESTART: blocking calls return EINTR) and ignores SIGPIPE. Once, in main. */
int co_cancel_install(struct co_err *err);
/* Has a stop been asked for? Any thread, async-signal-safe. */
bool co_cancel_requested(void);
/* CO_ERR_CANCELED with a message if so, else 0. */
int co_cancel_check(struct co_err *err);

#endif
