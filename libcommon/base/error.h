/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error object: one message per failure, built from the inside out, owned by the caller and passed by pointer.
 *
 * Contract of every function that takes a struct co_err:
 *   0     done
 *   > 0   a documented outcome of that one function; its direct caller handles it
 *   < 0   enum co_err_code; passed up unchanged. *err is complete, results (ret_*) are untouched.
 * Library code never prints. The object needs no memory, so it also works when memory has run out.
 * Threads: one object belongs to one thread at a time; copy it by value to hand it on.
 */
#ifndef CO_BASE_ERROR_H
#define CO_BASE_ERROR_H

enum co_err_code {
	CO_ERR_FAILED = -1,      /* the input can't be read, or another plain failure */
	CO_ERR_FORMAT = -2,      /* the bytes are damaged or not what they claim to be */
	CO_ERR_NOMEM = -3,       /* memory or threads ran out */
	CO_ERR_USAGE = -4,       /* the user asked for something that makes no sense */
	CO_ERR_MISMATCH = -5,    /* verification found a difference */
	CO_ERR_CANCELED = -6,    /* SIGINT or SIGTERM */
	CO_ERR_OUTPUT = -7,      /* a result could not be written, synced, closed or renamed */
	CO_ERR_LOST = -8,        /* the source vanished in mid-work */
	CO_ERR_UNSUPPORTED = -9, /* recognised, but this version can't read it */
};

/* Exit codes of both programs (design, section 1). */
enum co_exit {
	CO_EXIT_OK = 0,
	CO_EXIT_FAILED = 1,
	CO_EXIT_USAGE = 2,
	CO_EXIT_DAMAGED = 3, /* done, but parts of the input are unreadable or damaged (they are listed) */
	CO_EXIT_MISMATCH = 4,
	CO_EXIT_OUTPUT = 5,
	CO_EXIT_LOST = 6,
	CO_EXIT_INTERRUPTED = 75,
};

struct co_err {
	int code;      /* enum co_err_code, 0 while nothing failed */
	int sys;       /* errno at the failure, 0 if none */
	char msg[496]; /* "open /dev/sdx: Permission denied"; cut at the end if too long */
};

#define CO_ERR_INIT ((struct co_err) { 0 })

/* Fills *err (a NULL err is allowed) and returns @code, so that `return co_err_set(...)` is one statement.
 * @sys: an errno whose text is appended after ": ", or 0. */
int co_err_set(struct co_err *err, int code, int sys, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Puts "text: " before the message that is there and returns its code. */
int co_err_wrap(struct co_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The exit code for a negative code; CO_EXIT_OK for 0. */
enum co_exit co_err_exit(int code);

#endif
