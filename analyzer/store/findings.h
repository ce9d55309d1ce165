/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings: what an examiner should look at, and why.
 *
 * A check adds reasons; the reasons about one path become one finding when they are settled. Scores only add: nothing
 * that looks harmless lowers one. Severity:
 *   confirmed  the content differs from a named baseline
 *   strong     reasons on two independent axes
 *   notable    one axis
 *   unknown    reasons that can't be judged (score 0)
 */
#ifndef AN_STORE_FINDINGS_H
#define AN_STORE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "store/files.h"

enum an_axis {
	AN_AXIS_INTEGRITY,
	AN_AXIS_METADATA,
	AN_AXIS_CONTENT,
	AN_AXIS_LOG,
	AN_AXIS_PERSISTENCE,
	AN_AXIS_N,
};

enum an_severity {
	AN_CONFIRMED,
	AN_STRONG,
	AN_NOTABLE,
	AN_UNKNOWN,
};

/* A rule is a constant of its check. */
struct an_rule {
	const char *id; /* "dpkg-modified" */
	enum an_axis axis;
	unsigned score;       /* weight, 0 to 100 */
	bool confirms;        /* this reason alone makes the finding confirmed */
	const char *innocent; /* the harmless explanation that must be excluded, one sentence */
};

struct an_reason {
	const struct an_rule *rule; /* rules loaded from a case are owned by the findings */
	const char *text;           /* one sentence: what was seen, with raw values */
	const char *quote;          /* evidence as it stands in the file, or NULL; any bytes but NUL */
	int64_t offset;             /* byte offset of the quote in the file, -1: none */
};

struct an_finding {
	const char *path;
	uint32_t volume;
	uint64_t inode;
	int64_t time_ns; /* the time that matters most: ctime, else crtime, else mtime */
	int64_t times[AN_TIME_N];
	unsigned score; /* sum over rules, each rule once */
	enum an_severity severity;
	const struct an_rule *rule;       /* the one with the highest score (first in rule id order among equals) */
	CO_VEC(struct an_reason) reasons; /* highest score first, then rule id, then text */
};

struct an_findings {
	CO_VEC(struct an_finding) list;
	bool settled;
	/* private */
	void *pending;
	void *strings;
};

/* Strings are copied, @rule is borrowed for good. @quote may be NULL, with @offset -1. The text may hold names from the
 * disk: it is made visible (co_str_add_visible) here. 0 or CO_ERR_NOMEM. One thread, as all below. */
int an_findings_add(struct an_findings *fs, const struct an_file *file, const struct an_rule *rule, const char *quote,
		    int64_t offset, struct co_err *err, const char *fmt, ...) __attribute__((format(printf, 7, 8)));
/* The same with a text that is visible already: for reading a case. */
int an_findings_restore(struct an_findings *fs, const struct an_file *file, const struct an_rule *rule,
			const char *text, const char *quote, int64_t offset, struct co_err *err);
/* A copy of the rule that lives as long as @fs. 0 or CO_ERR_NOMEM. */
int an_findings_own_rule(struct an_findings *fs, const struct an_rule *like, const struct an_rule **ret,
			 struct co_err *err);
/* Groups by (volume, path), computes scores and severities, sorts by score (highest first), then path. May be called
 * again after more adds. 0 or CO_ERR_NOMEM. */
int an_findings_settle(struct an_findings *fs, struct co_err *err);
void an_findings_free(struct an_findings *fs);

const char *an_axis_name(enum an_axis axis);
const char *an_severity_name(enum an_severity severity);

#endif
