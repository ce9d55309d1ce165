/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content of files: one file on demand, or all of them in one pass.
 */
#ifndef AN_FS_CONTENT_H
#define AN_FS_CONTENT_H

#include "image/volumes.h"
#include "run/progress.h"
#include "store/case.h"

/* Called with consecutive parts; holes are zeros. A code other than 0 ends the reading and is returned. */
typedef int an_content_fn(void *arg, const void *bytes, size_t len, struct co_err *err);

/* Reads a file (inode and, for NTFS, its attribute) from begin to end.
 * 0, or 1: its end could not be reached, *err tells why and the parts before were delivered; < 0: fatal. A size that
 * is more than four times that of the volume is not believed: reading ends behind the last byte that is stored. Where
 * blocks are mapped one by one (ext2, ext3, UFS), a size larger than the volume is refused. */
int an_content_read(struct an_fs *fs, const struct an_file *file, an_content_fn *fn, void *arg, struct co_err *err);

/* Opened file systems of an image, opened on first use; for checks that read single files. One thread. */
struct an_reader {
	const struct an_evidence *evidence;
	const struct an_volumes *volumes;
	struct an_fs **open; /* per volume, private */
};
/* The first @max bytes of the file with a NUL behind them in *ret_bytes (caller frees).
 * 0, or 1: unreadable or not a regular file (*err tells); < 0: fatal. */
int an_reader_load(struct an_reader *r, const struct an_file *file, size_t max, char **ret_bytes, size_t *ret_len,
		   struct co_err *err);
/* The same by path, symbolic links (at most 8, inside the image) followed. 1 also if there is none. */
int an_reader_load_path(struct an_reader *r, struct an_files *files, const char *path, size_t max, char **ret_bytes,
			size_t *ret_len, struct co_err *err);
void an_reader_close(struct an_reader *r);

struct an_content_opts {
	bool (*wanted)(void *arg, const struct an_file *file); /* of the live regular files; NULL: all */
	void *arg;
	unsigned threads;             /* 0: one per processor */
	struct co_progress *progress; /* may be NULL; phase "hash", bytes */
};
/* SHA-256, MD5 and the an_content marks of all wanted files: each inode once, in the order of inodes, by workers that
 * each open their own handles. Unreadable ones become AN_CONTENT_DAMAGED and problems of @c. */
int an_content_digest(const struct an_evidence *e, const struct an_volumes *v, struct an_case *c,
		      const struct an_content_opts *opts, struct co_err *err);

#endif
