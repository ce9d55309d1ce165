/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the matrix and states what came of it. One thread.
 *
 * Files in the folder: validation.txt for people; validation.json, schema exhibit.validation/1; validation.sha256, the
 * digests of both as sha256sum writes them; with a signer validation.sha256.p7s, a detached CMS signature over that
 * list, as the one of a bag (manifest/sign.h).
 */
#ifndef IM_SELFTEST_RUN_H
#define IM_SELFTEST_RUN_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "base/vec.h"
#include "manifest/sign.h"
#include "run/option.h"
#include "selftest/machine.h"
#include "selftest/matrix.h"

struct im_result {
	const struct im_row *row;
	enum im_outcome outcome;
	char *reason, *facts, *commands; /* "" if there are none */
	int64_t duration_ns;
};

/* A zeroed struct is empty. */
struct im_validation {
	const char *command_line; /* borrowed */
	int64_t start_ns, end_ns;
	CO_VEC(struct im_result) results;
	size_t counts[4]; /* by outcome */
};

/* Runs the rows that are wanted (none named: all); @tell hears of each as soon as it is decided (may be NULL).
 * CO_ERR_USAGE: there is no such row. CO_ERR_CANCELED. A row that fails is a result and no error. */
int im_validate(struct im_validation *ret, struct im_machine *m, const struct co_option_list *only,
		void (*tell)(const struct im_result *result), struct co_err *err);
void im_validation_free(struct im_validation *v);
#define IM_CLEANUP_VALIDATION CO_CLEANUP(im_validation_free)

int im_validation_json(const struct im_validation *v, const struct im_machine *m, struct co_str *ret,
		       struct co_err *err);
void im_validation_text(const struct im_validation *v, const struct im_machine *m, struct co_str *ret);
/* Writes all files into @folder. @signer NULL: not signed. CO_ERR_OUTPUT. */
int im_validation_write(const struct im_validation *v, const struct im_machine *m, const char *folder,
			const struct co_signer *signer, struct co_err *err);

#endif
