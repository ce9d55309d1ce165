/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From images to a case in memory: open the evidence, find and join the volumes, walk them, learn what machine it is.
 */
#ifndef AN_COLLECT_H
#define AN_COLLECT_H

#include "fs/content.h"
#include "run/progress.h"
#include "store/case.h"

enum an_hash_mode {
	AN_HASH_ALL,
	AN_HASH_WEB, /* files below web roots, and packaged files that a check needs */
	AN_HASH_NONE,
};

struct an_collect_opts {
	int volume;            /* -1: all */
	const char *time_zone; /* for file systems that store local time; NULL: UTC */
	enum an_hash_mode hash;
	unsigned threads; /* 0: one per processor */
	size_t cache;     /* bytes for inflated chunks of an E01 image; 0: what the reader takes for itself */
	struct co_progress *progress;
};

/* An opened image with its volumes, and the case that was filled from it. Not to be copied: the reader points into it.
 */
struct an_collection {
	struct an_evidence evidence;
	struct an_volumes volumes;
	struct an_reader reader;
	struct an_case c;
};

/* @names is one image (its segments). 0, or 1: done, but the image has problems (c.problems: exit code 3), < 0. */
int an_collect_open(struct an_collection *ret, const char *const *names, size_t n, const struct an_collect_opts *opts,
		    struct co_err *err);
/* Walks the volumes into c.files, and digests what opts->hash asks for. 0 or 1 as above. */
int an_collect_files(struct an_collection *x, const struct an_collect_opts *opts, struct co_err *err);
void an_collect_close(struct an_collection *x);

/* Is @path a folder with a case.db? */
bool an_is_case(const char *path);

#endif
