/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "commands.h"
#include "export/export.h"
#include "input.h"

struct opts {
	uint64_t min_score;
	bool json;
};

static const struct co_option options[] = {
	{ "min-score", 0, "N", CO_OPT_UINT, offsetof(struct opts, min_score),
	  "only findings with at least this score" },
	{ "json", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, json), "as findings.json" },
	{ 0 },
};

/* Two lines each: severity, score and path, then the first reason. */
static int write_text(const struct an_case *c, unsigned min_score, struct co_sink *sink, struct co_err *err)
{
	size_t n = 0;
	int r = 0;
	for (size_t i = 0; r == 0 && i < c->findings.list.n; i++) {
		const struct an_finding *f = &c->findings.list.at[i];
		CO_CLEANUP_STR struct co_str path = { 0 }, reason = { 0 };
		if (f->score < min_score)
			continue;
		n++;
		co_str_add_visible(&path, f->path, strlen(f->path));
		/* visible already when we made it; a case may come from others */
		for (const char *s = f->reasons.at[0].text; *s; s++)
			co_str_add_n(&reason, (unsigned char)*s < 0x20 || *s == 0x7F ? "?" : s, 1);
		if (path.failed || reason.failed)
			return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the table of findings");
		r = co_sink_printf(sink, err, "%-9s  %4u  %s\n                 %s", an_severity_name(f->severity),
				   f->score, co_str_get(&path), co_str_get(&reason));
		if (r == 0 && f->reasons.n > 1)
			r = co_sink_printf(sink, err, " (and %zu more)", f->reasons.n - 1);
		if (r == 0)
			r = co_sink_puts(sink, "\n", err);
	}
	return r == 0 && n == 0 ? co_sink_puts(sink, "no findings\n", err) : r;
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	struct an_case c = { 0 };
	struct co_sink *sink = NULL;
	unsigned min_score = o->min_score > UINT_MAX ? UINT_MAX : (unsigned)o->min_score;
	int r = an_case_load(&c, call->args[0], err);
	if (r < 0)
		return r;
	r = co_sink_open_stdout(&sink, err);
	if (r == 0) {
		r = o->json ? an_export_findings(&c, min_score, sink, err) : write_text(&c, min_score, sink, err);
		r = co_sink_finish(sink, r, err);
	}
	an_case_free(&c);
	return r;
}

const struct co_command an_cmd_findings = {
	.name = "findings",
	.operands = "CASE",
	.summary = "what should be looked at, and why",
	.details = "Severities:\n"
		   "  confirmed  the content differs from a named baseline\n"
		   "  strong     reasons on two independent axes\n"
		   "  notable    reasons on one axis\n"
		   "  unknown    reasons that can't be judged",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
