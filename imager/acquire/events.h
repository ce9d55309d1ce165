/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NAME.events.jsonl: what happened during an acquisition, one JSON object per line. Each carries "prev", the SHA-256
 * of the line before it without its newline (64 zeros in the first), so that no line can be changed or taken out
 * unseen; the digest of the last line is in the manifest.
 *
 * Each line is in the file NAME.part at once, so that also a crash leaves the log; the next session goes on with it.
 */
#ifndef IM_ACQUIRE_EVENTS_H
#define IM_ACQUIRE_EVENTS_H

#include <stdint.h>

#include "base/error.h"

struct im_events;

struct im_events_head {
	uint64_t count;
	char sha256[65]; /* of the last line; zeros if there is none */
};

int im_events_open(struct im_events **ret, const char *file, struct co_err *err);
/* Goes on with a log that was begun, whether it got its name or not. Lines behind the last one that is whole and in the
 * chain are cut off; *ret_cut: how many bytes. None at all is a new log. */
int im_events_resume(struct im_events **ret, const char *file, uint64_t *ret_cut, struct co_err *err);
/* @event: a fixed word, e.g. "source-opened"; then one sentence. A failure is kept for commit. */
void im_events_add(struct im_events *e, const char *event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The file under its name, or CO_ERR_OUTPUT. Frees in any case. */
int im_events_commit(struct im_events *e, struct im_events_head *ret, struct co_err *err);
/* Leaves the file as it is. NULL is allowed. */
void im_events_abort(struct im_events *e);

#endif
