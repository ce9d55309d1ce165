/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rows of the matrix are made of: a trial is the run of one row, with a folder of its own, disks, programs and
 * what came of them. All that a trial makes is gone when it ends, whatever happened.
 *
 * Functions that return bool return false when the row has been decided (failed, or not run): the row then returns. A
 * row that gets to its end has passed. Paths and texts that are handed out belong to the trial. One thread.
 */
#ifndef IM_SELFTEST_TRIAL_H
#define IM_SELFTEST_TRIAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "base/vec.h"
#include "device/loop.h"
#include "run/child.h"
#include "selftest/disk.h"
#include "selftest/machine.h"

enum im_outcome {
	IM_PASSED,
	IM_FAILED,
	IM_NOT_RUN,        /* something that it needs is not there */
	IM_NOT_APPLICABLE, /* it says nothing about a program of this kind */
};
const char *im_outcome_name(enum im_outcome outcome); /* "passed", "failed", "not run", "not applicable" */

struct im_trial {
	struct im_machine *machine;
	enum im_outcome outcome;
	struct co_str reason;   /* why it did not pass */
	struct co_str facts;    /* what was seen: a line each */
	struct co_str commands; /* what was run: a line each */
	bool interrupted;       /* decided by nothing but a signal to us */
	/* private */
	char *folder;
	CO_VEC(char *) texts;
	CO_VEC(struct im_loop) loops;
	CO_VEC(struct co_child *) children;
	CO_VEC(char *) mounts;
	CO_VEC(json_t *) documents;
};

/* CO_ERR_OUTPUT: its folder can't be made. */
int im_trial_begin(struct im_trial *t, struct im_machine *machine, struct co_err *err);
/* Ends programs, mounts and devices, and removes the folder (unless machine->keep). What was found out stays. */
void im_trial_end(struct im_trial *t);
void im_trial_free(struct im_trial *t);

/* --- deciding --- */

bool im_expect(struct im_trial *t, bool ok, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool im_not_run(struct im_trial *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void im_fact(struct im_trial *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* @r and @err of a library call: only a code below 0 decides. */
bool im_worked(struct im_trial *t, int r, const struct co_err *err);
bool im_same_text(struct im_trial *t, const char *what, const char *got, const char *want); /* NULL is no text */

bool im_needs_root(struct im_trial *t);
/* The path of another program, or "not run". */
bool im_needs_tool(struct im_trial *t, const char *name, const char **ret);
/* Does `COMMAND --help` of the program under test know this option? Else "not run". */
bool im_needs_option(struct im_trial *t, const char *command, const char *option);

/* --- files --- */

const char *im_text(struct im_trial *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* In the folder of the trial. */
const char *im_path(struct im_trial *t, const char *name);
bool im_make_folder(struct im_trial *t, const char *path);
bool im_make_disk(struct im_trial *t, const struct im_disk *d, const char *path);
bool im_read(struct im_trial *t, const char *path, struct co_str *ret);
bool im_write(struct im_trial *t, const char *path, const void *bytes, size_t n);
bool im_copy_tree(struct im_trial *t, const char *from, const char *to);
/* Another byte at this place. */
bool im_flip(struct im_trial *t, const char *path, uint64_t at);
bool im_size(struct im_trial *t, const char *path, uint64_t *ret);
bool im_exists(const char *path);
/* SHA-256 of the content by the formula, in hexadecimal. */
bool im_sha256_of_disk(struct im_trial *t, const struct im_disk *d, char ret[65]);
bool im_sha256_of_file(struct im_trial *t, const char *path, char ret[65]);
bool im_holds_disk(struct im_trial *t, const struct im_disk *d, const char *path);
/* Nothing below the folder looks like a finished image or bag. */
bool im_nothing_final(struct im_trial *t, const char *bag);

/* --- devices --- */

bool im_attach(struct im_trial *t, const char *file, uint32_t sector, bool direct, struct im_loop **ret);
void im_detach_all(struct im_trial *t);
bool im_mount(struct im_trial *t, const char *source, const char *folder, const char *type, unsigned long flags,
	      const char *data);
void im_unmount_all(struct im_trial *t);

/* --- programs --- */

struct im_ran {
	int code;
	const char *out, *err;
};

#define IM_ARGS_MAX 32
#define IM_ANY_CODE (-1)

/* Runs the program under test; false unless it ends with @code. The last argument is NULL. */
bool im_imager(struct im_trial *t, int code, struct im_ran *ret, ...) __attribute__((sentinel));
/* The same with a limit to the size of files, or with a file as its standard input. */
struct im_how {
	uint64_t file_limit;
	const char *input;
};
bool im_imager_with(struct im_trial *t, const struct im_how *how, int code, struct im_ran *ret, ...)
	__attribute__((sentinel));
/* Another program, by its path. */
bool im_tool(struct im_trial *t, const char *path, int code, struct im_ran *ret, ...) __attribute__((sentinel));
/* Begins one and goes on; the child belongs to the trial. @path NULL: the program under test. */
bool im_start(struct im_trial *t, const char *path, struct co_child **ret, ...) __attribute__((sentinel));
bool im_finish(struct im_trial *t, struct co_child *child, int code, struct im_ran *ret);
/* Waits until the child has made this file or @seconds are over, or it has ended. */
bool im_wait_for_file(struct im_trial *t, struct co_child *child, const char *path, int seconds);

/* --- JSON --- */

bool im_parse(struct im_trial *t, const char *text, const json_t **ret);
/* The value at "media.bytes": texts as they are, others as JSON without blanks; NULL: there is none. */
const char *im_json(struct im_trial *t, const json_t *root, const char *place);
bool im_json_is(struct im_trial *t, const json_t *root, const char *place, const char *want);

#endif
