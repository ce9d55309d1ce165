/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers of sandbox.h one by one: for sandbox.c, and for the tests that each of them denies something by itself.
 * Each needs co_sandbox_no_new_privs() before it, and leaves `applied` and `proof` in *ret.
 */
#ifndef CO_RUN_SANDBOX_LAYERS_H
#define CO_RUN_SANDBOX_LAYERS_H

#include "run/sandbox.h"

/* Sanitizers look at the process from within: at its end the leak check starts a thread-like process that traces all
 * others, reads /proc/self, and prints. Such a build is a test of memory, not a sandbox for evidence. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CO_SANDBOX_SANITIZER 1
#else
#define CO_SANDBOX_SANITIZER 0
#endif

/* From now on no program that is started gains rights. 0, or CO_ERR_FAILED. */
int co_sandbox_no_new_privs(struct co_err *err);

/* 0, whether applied or not; else as co_sandbox_enter(). */
int co_sandbox_landlock(struct co_sandbox_layer *ret, const struct co_sandbox_opts *opts, struct co_err *err);
int co_sandbox_capabilities(struct co_sandbox_layer *ret, const struct co_sandbox_opts *opts, struct co_err *err);
int co_sandbox_seccomp(struct co_sandbox_layer *ret, const struct co_sandbox_opts *opts, struct co_err *err);

/* Fills in a layer. */
int co_sandbox_report(struct co_sandbox_layer *ret, const char *name, bool applied, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
