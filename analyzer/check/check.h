/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks: each looks at the files of a case from one side and adds reasons. One file = one check = one table row.
 * Checks don't know each other; they meet in store/ and in what the context says about packaged files.
 */
#ifndef AN_CHECK_CHECK_H
#define AN_CHECK_CHECK_H

#include "fs/content.h"
#include "store/case.h"
#include "store/strings.h"

/* What the checks that compare with a baseline found out about a file, for the checks behind them. */
enum an_known {
	AN_KNOWN_PACKAGED = 1 << 0, /* a package lists it */
	AN_KNOWN_SAME = 1 << 1,     /* its content equals a named baseline: nothing but this clears a file */
	AN_KNOWN_CHANGED = 1 << 2,  /* its content differs from a named baseline */
};

/* A packaged file and what its package says about it. */
struct an_packaged {
	size_t row; /* index in the files */
	uint8_t md5[16];
	const char *package; /* "wordpress" */
};

struct an_check_context {
	struct an_case *c;        /* files, facts; checks add to findings and problems */
	struct an_reader *reader; /* content of single files */
	/* Reads the begin of a file as an_reader_load does; NULL: that one. Tests put their own here. */
	int (*load)(struct an_check_context *x, const struct an_file *f, size_t max, char **ret_bytes, size_t *ret_len,
		    struct co_err *err);
	/* filled by the first checks; freed by an_check_run_all or an_check_context_free */
	uint8_t *known;                      /* enum an_known per row */
	CO_VEC(struct an_packaged) packaged; /* in the order of package lists */
	struct an_strings *strings;
};

struct an_check {
	const char *name;
	enum an_axis axis;
	const char *summary; /* one line for help and report */
	int (*run)(struct an_check_context *x, struct co_err *err);
};

/* All checks in the order in which they run, ended by NULL. Those that compare with baselines come first. */
extern const struct an_check *const an_checks[];
extern const struct an_check an_check_dpkg, an_check_copy, an_check_extra, an_check_upload, an_check_backdate,
	an_check_setuid, an_check_handler;

/* Runs all, settles the findings and frees what the context gathered. 0, CO_ERR_CANCELED, or the code of a check. */
int an_check_run_all(struct an_check_context *x, struct co_err *err);
/* For one check alone (tests): what run_all does before and after. */
int an_check_context_prepare(struct an_check_context *x, struct co_err *err);
void an_check_context_free(struct an_check_context *x);

/* For checks. @f must be a row of the case. */
bool an_check_knows(const struct an_check_context *x, const struct an_file *f, enum an_known what);
void an_check_mark(struct an_check_context *x, const struct an_file *f, enum an_known what);
/* The first @max bytes with a NUL behind them (caller frees). 0, or 1: unreadable, which has become a problem of the
 * case; < 0: fatal. */
int an_check_load(struct an_check_context *x, const struct an_file *f, size_t max, char **ret_bytes, size_t *ret_len,
		  struct co_err *err);

#endif
