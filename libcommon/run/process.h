/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process of this program that does one kind of work for it: work that must not share memory, rights or open files
 * with the rest of the program, or that may hang in the kernel where nothing can end it.
 *
 * They talk over a channel (AF_UNIX, SOCK_SEQPACKET: whole messages). The child ignores the signals that ask the
 * program to stop; it ends when the parent's end of the channel is closed, also because the parent was killed.
 * Children are made before the program has threads.
 */
#ifndef CO_RUN_PROCESS_H
#define CO_RUN_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct co_process;

struct co_process_opts {
	const char *name; /* of the process, as ps shows it: 15 bytes at most */
	/* Runs in the child; it returns when co_process_receive says 1. */
	void (*body)(void *arg, int channel);
	void *arg;
	const int *keep; /* descriptors that the child keeps; all others are closed, 0 to 2 are /dev/null */
	size_t n_keep;
};

int co_process_start(struct co_process **ret, const struct co_process_opts *opts, struct co_err *err);

/* Sends @request, if there is one, and waits for a message of at most @cap bytes. 0: *ret_len bytes came. 1: there was
 * no answer within @patience_ns, or within a second after the program was asked to stop; until it comes nothing more
 * can be asked, but without a request one can wait on. CO_ERR_FAILED: the child has ended. One thread at a time. */
int co_process_ask(struct co_process *c, const void *request, size_t len, void *reply, size_t cap, size_t *ret_len,
		   int64_t patience_ns, struct co_err *err);
/* Closes the channel and waits for the end of the child, a few seconds at most: one that hangs in the kernel is sent
 * SIGKILL and left to it. NULL is allowed. */
void co_process_end(struct co_process *c);

/* For the child. 0: a message of *ret_len bytes. 1: the parent has no more. */
int co_process_receive(int channel, void *buf, size_t cap, size_t *ret_len);
/* 0, or -1: nobody hears it. */
int co_process_send(int channel, const void *bytes, size_t len);

#endif
