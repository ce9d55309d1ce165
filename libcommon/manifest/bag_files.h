/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to manifest/: the files of a bag, reached without following a link out of it.
 */
#ifndef CO_MANIFEST_BAG_FILES_H
#define CO_MANIFEST_BAG_FILES_H

#include <dirent.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "manifest/bag.h"

#define CO_BAG_MANIFEST "manifest-sha256.txt"
#define CO_BAG_TAG_MANIFEST "tagmanifest-sha256.txt"
#define CO_BAG_DECLARATION "bagit.txt"
#define CO_BAG_INFO "bag-info.txt"
#define CO_BAG_DATA "data"

enum {
	CO_BAG_LINE_MAX = 4096, /* bytes of a line in a manifest */
	CO_BAG_READ_BYTES = 1024 * 1024,
};

/* A file of the bag. */
struct co_bag_entry {
	char *path; /* relative to the bag; owned */
	uint64_t size;
	char sha256[65]; /* as a manifest states it */
};

struct co_bag_entries {
	CO_VEC(struct co_bag_entry) list;
};

/* Takes @path over, also on failure. 0, or -1: no memory. */
int co_bag_entries_add(struct co_bag_entries *e, char *path, uint64_t size);
/* In byte order of the paths. */
void co_bag_entries_sort(struct co_bag_entries *e);
/* In a sorted list; NULL: not there. */
struct co_bag_entry *co_bag_entries_find(const struct co_bag_entries *e, const char *path);
void co_bag_entries_free(struct co_bag_entries *e);
#define CO_BAG_CLEANUP_ENTRIES CO_CLEANUP(co_bag_entries_free)

/* A bag that is being sealed or verified. */
struct co_bag_walk {
	int dir;
	const char *bag;                  /* its name, borrowed */
	const struct co_bag_watch *watch; /* NULL while sealing: what is wrong is then a failure */
	size_t problems;
	uint8_t *buf; /* CO_BAG_READ_BYTES */
};

/* close() is due also after a failure. */
int co_bag_walk_open(struct co_bag_walk *w, const char *bag, struct co_err *err);
void co_bag_walk_close(struct co_bag_walk *w);

/* Tells of something wrong with @name, which may come from a manifest and is made fit to show. Verification only. */
void co_bag_problem(struct co_bag_walk *w, const char *name, const char *text);
/* CO_ERR_NOMEM. */
int co_bag_no_memory(const char *bag, struct co_err *err);

/* A descriptor of a regular file; @path must be safe by its form. Messages begin behind the name: "is a link ..." */
int co_bag_open_file(int dir, const char *path, uint64_t *ret_size, struct co_err *err);
/* The digest of such a file, in hexadecimal. Messages as above. */
int co_bag_digest(const struct co_bag_walk *w, const char *path, char ret_hex[65], struct co_err *err);
/* NULL with errno. */
DIR *co_bag_open_folder(int dir, const char *path);
/* All files below data/, sorted. What is neither file nor folder, or can't be examined, is a problem while verifying
 * and a failure while sealing. Sealing also syncs the folders. */
int co_bag_list_payload(struct co_bag_walk *w, struct co_bag_entries *ret, struct co_err *err);
/* All other files, sorted; verification only. */
int co_bag_list_tags(struct co_bag_walk *w, struct co_bag_entries *ret, struct co_err *err);

#endif
