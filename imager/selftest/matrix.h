/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The acceptance matrix: each assertion of the standards that an imager is measured by, what it means in our words, and
 * the row of the self-test that proves it. docs/validation.md is this table. Read-only; any thread.
 */
#ifndef IM_SELFTEST_MATRIX_H
#define IM_SELFTEST_MATRIX_H

#include <stddef.h>

#include "base/text.h"
#include "manifest/json.h"
#include "selftest/trial.h"

enum im_standard {
	IM_STANDARD_DDA,
	IM_STANDARD_SWB,
	IM_STANDARD_SOLVE_IT,
	IM_STANDARD_GAPS,
	IM_STANDARD_EXHIBIT,
};
const char *im_standard_short(enum im_standard standard); /* "NIST DDA" */
const char *im_standard_long(enum im_standard standard);  /* the document and its version */

/* Was the row compared with the document itself? */
enum im_checked {
	IM_CHECKED_NO,      /* paraphrase; id not checked against the source */
	IM_CHECKED_MEANING, /* the meaning was, by a text about the document; the id was not */
	IM_CHECKED_YES,
	IM_CHECKED_OWN, /* there is no other source: a demand of ours */
};
const char *im_checked_text(enum im_checked checked);

struct im_row {
	const char *id; /* "DA-AM-01/disk": the assertion, and which of its rows */
	enum im_standard standard;
	enum im_checked checked;
	const char *meaning;             /* in our words */
	const char *does;                /* what the row does, or why it does not apply */
	const char *tests;               /* of the project's own suite (ctest), that test the same */
	void (*run)(struct im_trial *t); /* NULL: not applicable */
};

extern const struct im_row im_matrix[];
extern const size_t im_matrix_n;

/* Is the row what @name names: its id, or the part of it before the slash? */
bool im_row_is(const struct im_row *row, const char *name);

/* The table of docs/validation.md, in Markdown. */
void im_matrix_text(struct co_str *s);
void im_matrix_json(struct co_json *j); /* one object */

#endif
