/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking NAME.events.jsonl: is the chain whole, and does it end where the record says?
 */
#ifndef IM_ACQUIRE_EVENTS_READ_H
#define IM_ACQUIRE_EVENTS_READ_H

#include "acquire/damage.h"
#include "acquire/events.h"

/* @stated: what the record says. One sentence for each kind of thing that is wrong, with the first place of it.
 * 0: the log was read, whatever was told. < 0: it can't be read (CO_ERR_FAILED), or CO_ERR_NOMEM. */
int im_events_check(const char *file, const struct im_events_head *stated, im_damage_fn *tell, void *arg,
		    struct co_err *err);

#endif
