/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "commands.h"
#include "export/export.h"
#include "input.h"

struct opts {
	struct an_input_args input;
	struct co_progress_args progress;
	const char *format, *output;
};

static const struct co_option options[] = {
	{ "format", 'f', "FORMAT", CO_OPT_STRING, offsetof(struct opts, format),
	  "sha256sum, hashdeep or dfxml (sha256sum)" },
	{ "output", 'o', "FILE", CO_OPT_STRING, offsetof(struct opts, output), "write to this file (standard output)" },
	AN_INPUT_OPTIONS(struct opts, input),
	CO_PROGRESS_OPTIONS(struct opts, progress),
	{ 0 },
};

static int write_list(const struct an_exporter *e, const struct an_case *c, const char *output, struct co_err *err)
{
	static const struct an_filter all = { .from_ns = CO_TIME_NONE, .to_ns = CO_TIME_NONE };
	struct co_sink *sink = NULL;
	int r = an_output_open(&sink, output, err);
	return r < 0 ? r : co_sink_finish(sink, e->write(c, &all, sink, err), err);
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	const char *format = o->format ? o->format : "sha256sum";
	const struct an_exporter *e = an_exporter_find(an_hash_exporters, format);
	if (!e)
		return co_err_set(err, CO_ERR_USAGE, 0, "--format: '%s' is none of sha256sum, hashdeep, dfxml", format);
	struct an_collect_opts collect;
	enum co_progress_mode mode;
	int r = an_input_options(&collect, &o->input, AN_HASH_ALL, err);
	if (r == 0)
		r = co_progress_mode_parse(o->progress.mode, &mode, err);
	if (r == 0)
		r = co_progress_open(&collect.progress, mode, o->progress.status_file, err);
	if (r < 0)
		return r;
	struct an_collection x = { 0 };
	r = an_input_open(&x, call->args, call->n_args, &collect, err);
	co_progress_close(collect.progress);
	if (r < 0)
		return r;
	r = write_list(e, &x.c, o->output, err);
	if (r == 0)
		r = an_input_problems(&x.c);
	an_collect_close(&x);
	return r;
}

const struct co_command an_cmd_hashes = {
	.name = "hashes",
	.operands = "IMAGE|CASE",
	.summary = "digests of every file",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
