/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evidence bag: a BagIt 1.0 folder (RFC 8493) that sha256sum alone can check.
 *
 * Order of writing: create() makes BAG/ and BAG/data/ -> payload files -> seal() writes bagit.txt, bag-info.txt,
 * manifest-sha256.txt and tagmanifest-sha256.txt, the last one last: a folder without it is not a complete bag.
 */
#ifndef CO_MANIFEST_BAG_H
#define CO_MANIFEST_BAG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A "Label: value" line of bag-info.txt. */
struct co_bag_field {
	const char *label, *value; /* value NULL: line left out; newlines become spaces */
};

/* Makes the folders, mode 0700. CO_ERR_USAGE if BAG exists and is not an empty folder, or one that holds
 * an empty data/ alone. */
int co_bag_create(const char *bag, struct co_err *err);

/* Digests all files below data/ in byte order of their names and writes the tag files. @known: files (relative to the
 * bag, "data/x.E01") whose digest the caller computed while verifying; their bytes are not read again. */
struct co_bag_known {
	const char *path;
	char sha256[65];
};
int co_bag_seal(const char *bag, const struct co_bag_field *fields, size_t n_fields, const struct co_bag_known *known,
		size_t n_known, struct co_err *err);

/* What verification found wrong; one sentence each. Called in the order of the check. */
typedef void co_bag_problem_fn(void *arg, const char *sentence);

struct co_bag_watch {
	co_bag_problem_fn *problem;
	void (*done)(void *arg, uint64_t bytes); /* bytes read, for progress; may be NULL */
	/* The digest of each file of the payload manifest that could be read, as it is now; may be NULL. */
	void (*payload)(void *arg, const char *path, const char sha256[65]);
	void *arg;
};

/* Checks declaration, tag manifest, payload manifest and completeness: each listed file is there and unchanged, and
 * there is no other file or empty folder, but for the tag manifest and its signature. 0: all is well. 1: problems were
 * reported. < 0: BAG is no bag (it has no declaration and no manifest) or can't be read. */
int co_bag_verify(const char *bag, const struct co_bag_watch *watch, struct co_err *err);

#endif
