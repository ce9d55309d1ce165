/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "commands.h"
#include "input.h"
#include "manifest/json.h"

struct opts {
	struct an_input_args input;
	bool deleted, details, json;
};

static const struct co_option options[] = {
	{ "deleted", 'd', NULL, CO_OPT_FLAG, offsetof(struct opts, deleted), "deleted names instead of live ones" },
	{ "long", 'l', NULL, CO_OPT_FLAG, offsetof(struct opts, details), "with inode, mode, owner, size and mtime" },
	{ "json", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, json), "one JSON object per name" },
	AN_INPUT_OPTIONS(struct opts, input),
	{ 0 },
};

/* Is @path the folder @top or below it? */
static bool is_below(const char *path, const char *top)
{
	size_t n = strlen(top);
	while (n && top[n - 1] == '/')
		n--;
	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static void add_json(struct co_json *j, const struct an_file *f)
{
	static const char *const keys[AN_TIME_N] = { "atime", "mtime", "ctime", "crtime", "dtime" };
	char mode[13];
	an_file_mode_text(f, mode);
	co_json_object(j, NULL);
	co_json_str(j, "schema", "exhibit.name/1");
	co_json_str(j, "path", f->path);
	co_json_uint(j, "volume", f->volume);
	co_json_uint(j, "inode", f->inode);
	co_json_str(j, "mode", mode);
	co_json_uint(j, "uid", f->uid);
	co_json_uint(j, "gid", f->gid);
	co_json_uint(j, "size", f->size);
	co_json_bool(j, "allocated", f->flags & AN_NAME_ALLOCATED);
	if (f->link)
		co_json_str(j, "link", f->link);
	for (int t = 0; t < AN_TIME_N; t++)
		if (f->time[t] != CO_TIME_NONE)
			co_json_time(j, keys[t], f->time[t]);
	co_json_end_object(j);
	co_json_newline(j);
}

static void add_text(struct co_str *s, const struct an_file *f, bool details)
{
	if (details) {
		char mode[13], time[40];
		an_file_mode_text(f, mode);
		co_time_text_sec(f->time[AN_MTIME], time);
		co_str_addf(s, "%8" PRIu64 " %s %5" PRIu32 " %5" PRIu32 " %12" PRIu64 " %-20s ", f->inode, mode, f->uid,
			    f->gid, f->size, time);
	}
	co_str_add_visible(s, f->path, strlen(f->path));
	if (details && f->link) {
		co_str_add(s, " -> ");
		co_str_add_visible(s, f->link, strlen(f->link));
	}
	co_str_add(s, "\n");
}

static int list(const struct an_case *c, const struct opts *o, const char *top, struct co_err *err)
{
	size_t n = 0;
	struct co_sink *sink = NULL;
	CO_CLEANUP_STR struct co_str line = { 0 };
	int r = co_sink_open_stdout(&sink, err);
	for (size_t i = 0; r == 0 && i < c->files.rows.n; i++) {
		const struct an_file *f = &c->files.rows.at[i];
		if ((f->flags & AN_NTFS_NAME_TIMES) || !(f->flags & AN_NAME_ALLOCATED) != o->deleted ||
		    (top && !is_below(f->path, top)))
			continue;
		n++;
		co_str_clear(&line);
		if (o->json) {
			struct co_json j;
			co_json_to_str(&j, &line, false);
			add_json(&j, f);
			r = co_json_end(&j, err);
		} else {
			add_text(&line, f, o->details);
		}
		if (r == 0)
			r = co_sink_write(sink, co_str_get(&line), line.n, err);
	}
	if (r == 0 && top && n == 0 && !o->deleted)
		r = co_err_set(err, CO_ERR_FAILED, 0, "there is no %s in the image", top);
	return co_sink_finish(sink, r, err);
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	const char *top = call->n_args > 1 ? call->args[call->n_args - 1] : NULL;
	struct an_collect_opts collect;
	struct an_collection x = { 0 };
	if (top && top[0] != '/')
		return co_err_set(err, CO_ERR_USAGE, 0, "'%s' is not a path from the root of the image", top);
	int r = an_input_options(&collect, &o->input, AN_HASH_NONE, err);
	if (r == 0)
		r = an_input_open(&x, call->args, 1, &collect, err);
	if (r < 0)
		return r;
	r = list(&x.c, o, top, err);
	if (r == 0)
		r = an_input_problems(&x.c);
	an_collect_close(&x);
	return r;
}

const struct co_command an_cmd_ls = {
	.name = "ls",
	.operands = "IMAGE|CASE [PATH]",
	.summary = "names in the image, below PATH if it is given",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
