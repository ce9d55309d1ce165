/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine that the self-test runs on: the program under test, other programs that serve as witnesses, rights, and
 * the bag that many rows examine. One thread.
 */
#ifndef IM_SELFTEST_MACHINE_H
#define IM_SELFTEST_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "selftest/disk.h"

struct im_tool {
	const char *name;  /* literal */
	char *path;        /* NULL: not installed */
	char version[128]; /* its first line about itself */
};

struct im_machine {
	char *program; /* full path of the program under test */
	char program_sha256[65];
	char program_version[128];
	char *work;                              /* full path of the folder for all that is temporary */
	const char *sign_key, *sign_certificate; /* NULL: none. Borrowed */
	bool root, keep;
	bool own_mounts; /* mounts are in a namespace of ours, which ends with us */
	CO_VEC(struct im_tool) tools;
	unsigned trials;
	/* The bag that many rows examine: made once. */
	int base_state; /* 0: not yet; 1: made; -1: failed */
	char *base_bag, *base_record;
	struct im_disk base_disk;
};

struct im_machine_opts {
	const char *folder;  /* new or empty */
	const char *program; /* NULL: ourselves */
	const char *sign_key, *sign_certificate;
	bool keep;
};

/* CO_ERR_USAGE: the folder is not empty. CO_ERR_OUTPUT: it can't be made. CO_ERR_FAILED: the program can't be run. */
int im_machine_open(struct im_machine *ret, const struct im_machine_opts *opts, struct co_err *err);
/* Removes the work folder (unless keep). */
void im_machine_close(struct im_machine *m);

/* NULL: not installed. Borrowed. */
const struct im_tool *im_machine_tool(const struct im_machine *m, const char *name);
/* Removes a folder with all below it, but nothing on other file systems. */
void im_remove_tree(const char *path);

#endif
