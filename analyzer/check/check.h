/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks: each looks at the files of a case from one side and adds reasons. One file = one check = one table row.
 * Checks don't know each other; they meet in store/.
 */
#ifndef AN_CHECK_CHECK_H
#define AN_CHECK_CHECK_H

#include "fs/content.h"
#include "store/case.h"

struct an_check_context {
	struct an_case *c;	 /* files, facts; checks add to findings and problems */
	struct an_reader *reader; /* content of single files */
};

struct an_check {
	const char *name;
	enum an_axis axis;
	const char *summary; /* one line for help and report */
	int (*run)(struct an_check_context *x, struct co_err *err);
};

/* All checks, ended by a NULL name. */
extern const struct an_check *const an_checks[];
extern const struct an_check an_check_dpkg, an_check_upload, an_check_backdate, an_check_setuid, an_check_handler;

/* Runs all and settles the findings. */
int an_check_run_all(struct an_check_context *x, struct co_err *err);

#endif
