/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "export/export.h"
#include "input.h"

struct opts {
	const char *output;
};

static const struct co_option options[] = {
	{ "output", 'o', "FILE", CO_OPT_STRING, offsetof(struct opts, output), "write to this file (standard output)" },
	{ 0 },
};

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	struct an_case c = { 0 };
	struct co_sink *sink = NULL;
	int r = an_case_load(&c, call->args[0], err);
	if (r < 0)
		return r;
	r = an_output_open(&sink, o->output, err);
	if (r == 0)
		r = co_sink_finish(sink, an_export_report(&c, sink, err), err);
	an_case_free(&c);
	return r;
}

const struct co_command an_cmd_report = {
	.name = "report",
	.operands = "CASE --output FILE",
	.summary = "the findings of a case as one HTML file",
	.details = "The page needs no network and no other file, and can be read without JavaScript.",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
