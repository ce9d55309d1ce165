/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guardian: a process that keeps the rights it takes to end the protection of a source, holds the source until
 * then, and does nothing else. It ends the protection when it is told to, and also if the program is killed.
 */
#ifndef IM_DEVICE_GUARDIAN_H
#define IM_DEVICE_GUARDIAN_H

#include "device/guard.h"

struct im_guardian;

/* @guard is as it was opened; its own process has no guardian. *ret_sandbox: how the new process is confined. */
int im_guardian_start(struct im_guardian **ret, struct im_guard *guard, struct co_sandbox *ret_sandbox,
		      struct co_err *err);
/* Lets it end the protection and fills in what it found; the layers say so if it can't. Frees @guardian. */
void im_guardian_finish(struct im_guardian *guardian, struct im_guard *guard);

#endif
