/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case: everything that is known of one or more images, in memory and as CASE/case.db (SQLite, one writer).
 * No wall clock, host name or thread order goes into it: same image, options and version give the same bytes.
 */
#ifndef AN_STORE_CASE_H
#define AN_STORE_CASE_H

#include "store/files.h"
#include "store/findings.h"

struct an_case_volume {
	uint32_t evidence;       /* index */
	uint64_t offset, length; /* bytes within the medium */
	char *table;             /* "dos", "gpt", ..., "none" */
	char *description;       /* of the partition table: "Linux (0x83)" */
	char *fs;                /* "ext4", "ntfs", ...; "" if none was recognised */
	char *label, *uuid;      /* "" if none */
	char *mount;             /* where the server had it: "/", "/boot", "/vol2" (made up), "" if not walked */
	bool mount_known;        /* from the image's fstab or because it is the root */
	uint64_t n_files;
};

struct an_case_evidence {
	char *name;    /* base name of the first file */
	char *kind;    /* "e01", "raw", "split", "device" */
	uint64_t size; /* bytes of the medium */
	uint32_t sector_size;
	char *md5, *sha1, *sha256; /* stored in the image, hexadecimal, "" if none */
	char *case_number, *evidence_number, *examiner, *description, *notes, *acquired; /* from the E01 header, "" */
};

/* Something that could not be read or made sense of. */
struct an_problem {
	uint32_t volume; /* UINT32_MAX: of the whole image */
	char *path;      /* "" if not about a file */
	char *text;      /* one sentence */
};

/* What is known of the machine and its web applications. */
struct an_fact {
	char *kind;  /* "os", "hostname", "time-zone", "web-application", "web-root" ... */
	char *value; /* "Debian GNU/Linux 12 (bookworm)", "WordPress 6.1.9" */
	char *path;  /* where it was read */
};

struct an_case {
	CO_VEC(struct an_case_evidence) evidence;
	CO_VEC(struct an_case_volume) volumes;
	CO_VEC(struct an_problem) problems;
	CO_VEC(struct an_fact) facts;
	struct an_files files;
	struct an_findings findings;
};

int an_case_problem(struct an_case *c, uint32_t volume, const char *path, struct co_err *err, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
int an_case_fact(struct an_case *c, const char *kind, const char *value, const char *path, struct co_err *err);
void an_case_free(struct an_case *c);

/* Writes @file (CASE/case.db) under a .part name and renames it. Tables as docs/architecture.md and the design say:
 * evidence, volume, file, event, finding, reason, problem, fact. */
int an_case_save(const struct an_case *c, const char *file, struct co_err *err);
/* Reads CASE/case.db, read-only. 0, or CO_ERR_FORMAT with one sentence if @folder is no case. */
int an_case_load(struct an_case *ret, const char *folder, struct co_err *err);

#endif
