/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source: bytes that can be read at any place. Disk, raw file, split raw, E01, memory, part of another source.
 * Passed by value; whoever opened it closes it. There is no way to write through a source.
 */
#ifndef CO_IO_SOURCE_H
#define CO_IO_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct co_source_ops {
	const char *kind; /* "file", "memory", "slice", "split", "e01", ... */
	/* Reads @len bytes at @off, both within the size.
	 * 0: all of them. 1: only the first *ret_good bytes are good, *err tells why, the rest of @buf is undefined.
	 * < 0: the source is unusable from now on (CO_ERR_LOST, CO_ERR_NOMEM ...). Any thread, at the same time. */
	int (*read)(void *self, void *buf, size_t len, uint64_t off, size_t *ret_good, struct co_err *err);
	void (*close)(void *self);
};

struct co_source {
	const struct co_source_ops *ops;
	void *self;
	uint64_t size;        /* bytes */
	uint32_t sector_size; /* bytes, logical sector of the medium (512 where unknown) */
};

#define CO_SOURCE_NONE ((struct co_source) { 0 })

/* As ops->read; also 1 (with *ret_good short) for what lies beyond the end. */
int co_source_read(const struct co_source *src, void *buf, size_t len, uint64_t off, size_t *ret_good,
		   struct co_err *err);
/* All or nothing: 0, or a negative code also for unreadable bytes. */
int co_source_read_full(const struct co_source *src, void *buf, size_t len, uint64_t off, struct co_err *err);
/* Closes and empties it; an empty source is allowed. */
void co_source_close(struct co_source *src);
#define CO_CLEANUP_SOURCE CO_CLEANUP(co_source_close)

/* A regular file or block device, read-only, through the page cache. @name is copied. Folders and empty files are
 * refused with one sentence (CO_ERR_FAILED, CO_ERR_FORMAT). */
int co_source_open_file(struct co_source *ret, const char *name, struct co_err *err);
/* An open descriptor; @fd stays the caller's. @name is for messages and copied. */
int co_source_open_fd(struct co_source *ret, int fd, const char *name, uint64_t size, uint32_t sector_size,
		      struct co_err *err);
/* Borrows @bytes until close. */
int co_source_open_memory(struct co_source *ret, const void *bytes, size_t len, struct co_err *err);
/* Part of another source, which must outlive it and is not closed by it. */
int co_source_open_slice(struct co_source *ret, const struct co_source *base, uint64_t off, uint64_t len,
			 struct co_err *err);
/* Several sources one behind the other; takes them over (also on failure). */
int co_source_open_concat(struct co_source *ret, const struct co_source *parts, size_t n, struct co_err *err);

/* For tests: reads of @base that touch a sector in the list [first, count]... fail there, as a disk with bad sectors.
 * From byte @lost_at on, every read fails with CO_ERR_LOST (UINT64_MAX: never). Borrows both until close. */
struct co_source_fault {
	uint64_t (*bad)[2]; /* first sector, sectors */
	size_t n_bad;
	uint64_t lost_at;
};
int co_source_open_fault(struct co_source *ret, const struct co_source *base, const struct co_source_fault *fault,
			 struct co_err *err);

#endif
