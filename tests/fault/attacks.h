/* SPDX-License-Identifier: Apache-2.0 */
/* Between attacks.c, which sets the scene, and attacks_operations.c, which holds what is tried there. */
#ifndef FAULT_ATTACKS_H
#define FAULT_ATTACKS_H

#include <sys/stat.h>
#include <sys/types.h>

#include "run/sandbox.h"

struct scene {
	enum co_sandbox_profile profile;
	const char *layer;
	const char *source, *folder;
	int fd;     /* the source, open for reading; -1 in the writer */
	int victim; /* the same descriptor in the process that started this one */
	pid_t parent;
	struct stat source_stat;
	int socket[2], pipe[2];
};

extern struct scene scene;

enum kind {
	WORK,    /* of some profiles; nothing to the others */
	HOSTILE, /* but to those whose work it is */
	NODE,    /* hostile; a device node of the source lies in the folder as "node" */
	HELD,    /* hostile; the victim's descriptor was inherited */
};

struct operation {
	enum kind kind;
	const char *name;
	long (*run)(void); /* negative, with errno, when it fails */
	unsigned works;    /* 1 << profile, for each whose work it is */
};

extern const struct operation operations[];
extern const unsigned n_operations;

/* The path of a name in the folder, valid until the next call. */
const char *in_folder(const char *name);

#endif
