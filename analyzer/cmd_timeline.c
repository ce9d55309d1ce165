/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "commands.h"
#include "export/export.h"
#include "input.h"

struct opts {
	struct an_input_args input;
	const char *format, *output, *path;
	int64_t from, to;
	bool notable;
};

static const struct co_option options[] = {
	{ "format", 'f', "FORMAT", CO_OPT_STRING, offsetof(struct opts, format),
	  "body, mactime, csv, jsonl or l2tcsv" },
	{ "output", 'o', "FILE", CO_OPT_STRING, offsetof(struct opts, output), "write to this file (standard output)" },
	{ "from", 0, "TIME", CO_OPT_TIME, offsetof(struct opts, from), "nothing before this time (ISO 8601)" },
	{ "to", 0, "TIME", CO_OPT_TIME, offsetof(struct opts, to), "nothing at or after this time" },
	{ "path", 0, "GLOB", CO_OPT_STRING, offsetof(struct opts, path), "only paths that match, e.g. '*/uploads/*'" },
	{ "notable", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, notable),
	  "only files that have a finding (needs a case)" },
	AN_INPUT_OPTIONS(struct opts, input),
	{ 0 },
};

static int write_timeline(const struct an_exporter *e, const struct an_case *c, const struct an_filter *filter,
			  const char *output, struct co_err *err)
{
	struct co_sink *sink = NULL;
	int r = an_output_open(&sink, output, err);
	return r < 0 ? r : co_sink_finish(sink, e->write(c, filter, sink, err), err);
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	const struct an_exporter *e = o->format ? an_exporter_find(an_timeline_exporters, o->format) : NULL;
	if (!e)
		return co_err_set(err, CO_ERR_USAGE, 0, "--format: '%s' is none of body, mactime, csv, jsonl, l2tcsv",
				  o->format ? o->format : "");
	if (o->notable && !(call->n_args == 1 && an_is_case(call->args[0])))
		return co_err_set(err, CO_ERR_USAGE, 0, "--notable needs a case, made by run");
	struct an_filter filter = { .from_ns = o->from, .to_ns = o->to, .path_glob = o->path, .notable = o->notable };
	struct an_collect_opts collect;
	struct an_collection x = { 0 };
	int r = an_input_options(&collect, &o->input, AN_HASH_NONE, err);
	if (r == 0)
		r = an_input_open(&x, call->args, call->n_args, &collect, err);
	if (r < 0)
		return r;
	r = an_filter_prepare(&filter, &x.c, err);
	if (r == 0)
		r = write_timeline(e, &x.c, &filter, o->output, err);
	an_filter_free(&filter);
	if (r == 0)
		r = an_input_problems(&x.c);
	an_collect_close(&x);
	return r;
}

const struct co_command an_cmd_timeline = {
	.name = "timeline",
	.operands = "IMAGE|CASE --format FORMAT",
	.summary = "all times of all names, live and deleted",
	.details = "Formats:\n"
		   "  body     body file 3.x, as fls -r -m makes it (in the order of the walk)\n"
		   "  mactime  the table that mactime -d -y makes of it\n"
		   "  csv      for Timesketch and spreadsheets, nanoseconds\n"
		   "  jsonl    the same, an object per line\n"
		   "  l2tcsv   log2timeline's 17 columns",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
