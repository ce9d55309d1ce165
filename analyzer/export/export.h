/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exporters: one file = one format = one table row.
 */
#ifndef AN_EXPORT_EXPORT_H
#define AN_EXPORT_EXPORT_H

#include "io/sink.h"
#include "store/case.h"

/* What of a timeline is wanted. */
struct an_filter {
	int64_t from_ns, to_ns; /* CO_TIME_NONE: no bound; from inclusive, to exclusive */
	const char *path_glob;  /* fnmatch pattern without special slashes, or NULL */
	bool notable;           /* only files that have a finding */
	/* private, of an_filter_prepare */
	const struct an_finding **findings;
	size_t n_findings;
};

/* To be called once before a filter with `notable` is used; the case must stay as it is until free. */
int an_filter_prepare(struct an_filter *filter, const struct an_case *c, struct co_err *err);
void an_filter_free(struct an_filter *filter);

struct an_exporter {
	const char *name; /* as --format has it */
	const char *summary;
	int (*write)(const struct an_case *c, const struct an_filter *filter, struct co_sink *sink, struct co_err *err);
};

/* Tables ended by a NULL name. */
extern const struct an_exporter *const an_timeline_exporters[]; /* body mactime csv jsonl l2tcsv */
extern const struct an_exporter *const an_hash_exporters[];     /* sha256sum hashdeep dfxml */
const struct an_exporter *an_exporter_find(const struct an_exporter *const *table, const char *name);

/* findings.json as the design has it. */
int an_export_findings(const struct an_case *c, unsigned min_score, struct co_sink *sink, struct co_err *err);
/* report.html: one file, no network, strict CSP. */
int an_export_report(const struct an_case *c, struct co_sink *sink, struct co_err *err);

/* One time of one file: what all time-ordered formats print. */
struct an_moment {
	int64_t ns;
	const struct an_file *file;
	uint8_t macb; /* bits 1 << enum an_time that have this very time */
};
struct an_moments {
	CO_VEC(struct an_moment) list; /* by time, then path, then inode, then order in the files */
};
/* Filtered and sorted. */
int an_moments_make(const struct an_case *c, const struct an_filter *filter, struct an_moments *ret,
		    struct co_err *err);
void an_moments_free(struct an_moments *m);
/* @filter may be NULL. */
bool an_filter_path(const struct an_filter *filter, const struct an_file *file);

#endif
