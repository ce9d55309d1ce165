/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another program, run in a process group of its own: its output is kept in memory, it is ended when we are.
 * One thread at a time, in programs that have no other threads at that moment (it forks).
 */
#ifndef CO_RUN_CHILD_H
#define CO_RUN_CHILD_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

struct co_child_spec {
	const char *file;        /* to execute; not searched in PATH */
	const char *const *argv; /* ends with NULL */
	const char *input;       /* file that is its standard input; NULL: /dev/null */
	uint64_t file_limit;     /* largest file that it can write, bytes: beyond, writing fails with EFBIG; 0: any */
};

struct co_child;

/* CO_ERR_FAILED: it can't be executed. CO_ERR_NOMEM: nor can anything else. */
int co_child_start(struct co_child **ret, const struct co_child_spec *spec, struct co_err *err);

/* Waits until it ends, @timeout_ns at most, and collects its output meanwhile. 0: it has ended. 1: not yet.
 * CO_ERR_CANCELED: we have been asked to stop (run/cancel.h); it still runs. */
int co_child_wait(struct co_child *c, int64_t timeout_ns, struct co_err *err);

/* Of one that has ended: its exit code, or 128 and the number of the signal that ended it. */
int co_child_code(const struct co_child *c);
/* What it wrote so far, 64 MiB at most. Borrowed. */
const struct co_str *co_child_out(const struct co_child *c);
const struct co_str *co_child_err(const struct co_child *c);

/* Signals to it and to all processes it started that are still in its group. */
void co_child_pause(const struct co_child *c);
void co_child_go_on(const struct co_child *c);
void co_child_stop(const struct co_child *c); /* SIGTERM: it may end cleanly */
void co_child_kill(const struct co_child *c); /* SIGKILL */

/* Asks it to stop if it still runs, kills it when that takes longer than ten seconds, and frees. NULL is allowed. */
void co_child_close(struct co_child *c);
static inline void co_child_cleanup(struct co_child **c)
{
	co_child_close(*c);
}
#define CO_CLEANUP_CHILD CO_CLEANUP(co_child_cleanup)

#endif
