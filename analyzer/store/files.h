/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of an image: one row per name, as the walkers find them and as checks, exporters and the case use them.
 */
#ifndef AN_STORE_FILES_H
#define AN_STORE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"

enum an_file_type {
	AN_TYPE_UNKNOWN,
	AN_TYPE_REGULAR,
	AN_TYPE_FOLDER,
	AN_TYPE_LINK,
	AN_TYPE_CHAR_DEVICE,
	AN_TYPE_BLOCK_DEVICE,
	AN_TYPE_FIFO,
	AN_TYPE_SOCKET,
	AN_TYPE_SHADOW,
	AN_TYPE_WHITEOUT,
	AN_TYPE_VIRTUAL, /* a file that the reader makes up to show file system structures */
	AN_TYPE_VIRTUAL_FOLDER,
};

enum an_file_flags {
	AN_NAME_ALLOCATED = 1 << 0,  /* the directory entry is in use; else the name is deleted */
	AN_META_KNOWN = 1 << 1,      /* inode data (type, mode, times ...) could be read */
	AN_META_ALLOCATED = 1 << 2,  /* the inode is in use. Deleted name + allocated inode = inode used again */
	AN_ORPHAN = 1 << 3,          /* inode without any name; path is made up */
	AN_STREAM = 1 << 4,          /* NTFS alternate data stream; path ends in ":stream" */
	AN_NTFS_NAME_TIMES = 1 << 5, /* a second row for an NTFS name: times are those of $FILE_NAME */
	AN_HAS_DIGESTS = 1 << 6,     /* sha256 and md5 are set: all bytes were read */
	AN_CONTENT_DAMAGED = 1 << 7, /* content could not be read to its end */
	AN_CONTENT_SEEN = 1 << 8,    /* `content` is set */
};

/* What the content pass saw in the bytes of a regular file. */
enum an_content {
	AN_CONTENT_PHP = 1 << 0,     /* an opening tag <?php or <?= anywhere */
	AN_CONTENT_SHEBANG = 1 << 1, /* begins with #! */
	AN_CONTENT_ELF = 1 << 2,     /* begins with 7f 45 4c 46 */
	AN_CONTENT_JSP = 1 << 3,     /* <%@ or <%! or <%= anywhere, in a .jsp/.jspx/.asp/.aspx */
};

enum an_time {
	AN_ATIME,  /* last access */
	AN_MTIME,  /* content changed */
	AN_CTIME,  /* metadata changed */
	AN_CRTIME, /* born */
	AN_DTIME,  /* deleted */
	AN_TIME_N,
};

struct an_file {
	const char *path; /* absolute, as the server saw it; any bytes but NUL */
	const char *link; /* target of a symbolic link, or NULL */
	uint64_t inode;
	uint64_t size;           /* bytes */
	int64_t time[AN_TIME_N]; /* ns since 1970, CO_TIME_NONE where absent or not representable */
	uint32_t volume;         /* index in the evidence, from 0 */
	uint32_t uid, gid, nlink;
	uint32_t flags;              /* enum an_file_flags */
	uint32_t content;            /* enum an_content */
	uint16_t mode;               /* permission and set-id bits, 07777 */
	uint8_t type;                /* enum an_file_type of the inode */
	uint8_t name_type;           /* enum an_file_type that the directory entry states */
	uint16_t attr_type, attr_id; /* NTFS attribute of the row (body files print inode-type-id); type 0: none */
	uint8_t sha256[32], md5[16];
};

struct an_files {
	CO_VEC(struct an_file) rows;
	/* private */
	void *strings; /* blocks that hold the texts */
	void *index;   /* hash table over the paths */
};

/* Copies the row and its strings. */
int an_files_add(struct an_files *files, const struct an_file *row, struct co_err *err);
/* The live name with this path (AN_NAME_ALLOCATED, neither stream nor $FILE_NAME row), or NULL. The first call after
 * an add builds the index; one thread. With several of the same path, the first added. NULL also if memory ran out. */
struct an_file *an_files_find(struct an_files *files, const char *path);
void an_files_free(struct an_files *files);

/* "r/rrwxr-xr-x" as body files have it: type of the name, '/', type and permissions of the inode. */
void an_file_mode_text(const struct an_file *f, char ret[13]);
/* Is it a regular file that a server would see: live name, inode known and in use? */
bool an_file_is_live_regular(const struct an_file *f);

#endif
