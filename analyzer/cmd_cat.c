/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "input.h"
#include "run/log.h"

struct opts {
	struct an_input_args input;
	const char *inode;
};

static const struct co_option options[] = {
	{ "inode", 'i', "N", CO_OPT_STRING, offsetof(struct opts, inode),
	  "the file with this inode, live or deleted, instead of a PATH; on NTFS also N-TYPE-ID" },
	AN_INPUT_OPTIONS(struct opts, input),
	{ 0 },
};

/* "8-128-3": inode, and on NTFS attribute type and id (0, 0 where not given: the unnamed data). */
static int parse_inode(const char *text, struct an_file *ret, struct co_err *err)
{
	char *end = NULL;
	unsigned long long inode = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
	unsigned long type = 0, id = 0;
	if (end && *end == '-')
		type = strtoul(end + 1, &end, 10);
	if (end && *end == '-')
		id = strtoul(end + 1, &end, 10);
	if (!end || *end || type > UINT16_MAX || id > UINT16_MAX)
		return co_err_set(err, CO_ERR_USAGE, 0, "--inode: '%s' is no inode number", text);
	*ret = (struct an_file) { .path = text, .inode = inode, .attr_type = (uint16_t)type, .attr_id = (uint16_t)id };
	return 0;
}

static int write_part(void *arg, const void *bytes, size_t len, struct co_err *err)
{
	return co_sink_write(arg, bytes, len, err);
}

/* 0, or CO_EXIT_DAMAGED: the file could not be read to its end, which is said; what is good before it was written. */
static int copy_file(const struct an_collection *x, const struct an_file *f, struct co_err *err)
{
	struct an_fs *fs = NULL;
	struct co_sink *sink = NULL;
	struct co_err why = CO_ERR_INIT;
	int r = an_fs_open(&fs, &x->evidence, &x->volumes.list.at[f->volume], err);
	if (r == 0)
		r = co_sink_open_stdout(&sink, err);
	if (r == 0) {
		r = an_content_read(fs, f, write_part, sink, &why);
		if (r < 0)
			*err = why;
	}
	an_fs_close(fs);
	r = co_sink_finish(sink, r, err);
	if (r == 1) {
		co_log_warn("%s", why.msg);
		return CO_EXIT_DAMAGED;
	}
	return r;
}

/* The volume that --volume names, or the first readable one. */
static int pick_volume(const struct an_collection *x, int wanted, uint32_t *ret, struct co_err *err)
{
	for (size_t i = 0; i < x->volumes.list.n; i++)
		if (x->volumes.list.at[i].readable && (wanted < 0 || (size_t)wanted == i)) {
			*ret = (uint32_t)i;
			return 0;
		}
	return co_err_set(err, CO_ERR_FAILED, 0, "%s has no such volume that can be read", x->evidence.name);
}

static int by_path(struct an_collection *x, const char *path, const struct an_collect_opts *collect, struct co_err *err)
{
	int r = an_collect_files(x, collect, err);
	if (r < 0)
		return r;
	const struct an_file *f = an_files_find(&x->c.files, path);
	/* deleted names and streams are not in the index */
	for (size_t i = 0; !f && i < x->c.files.rows.n; i++)
		if (strcmp(x->c.files.rows.at[i].path, path) == 0 &&
		    !(x->c.files.rows.at[i].flags & AN_NTFS_NAME_TIMES))
			f = &x->c.files.rows.at[i];
	if (!f)
		return co_err_set(err, CO_ERR_FAILED, 0, "there is no %s in %s", path, x->evidence.name);
	if (f->type == AN_TYPE_FOLDER)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s is a folder", path);
	return copy_file(x, f, err);
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	struct an_file wanted = { 0 };
	struct an_collect_opts collect;
	struct an_collection x = { 0 };
	if ((call->n_args == 2) == (o->inode != NULL))
		return co_err_set(err, CO_ERR_USAGE, 0, "name either a PATH or an --inode");
	int r = an_input_options(&collect, &o->input, AN_HASH_NONE, err);
	if (r == 0 && o->inode)
		r = parse_inode(o->inode, &wanted, err);
	if (r == 0)
		r = an_collect_open(&x, (const char *const *)call->args, 1, &collect, err);
	if (r < 0)
		return r;
	if (o->inode) {
		r = pick_volume(&x, collect.volume, &wanted.volume, err);
		if (r == 0)
			r = copy_file(&x, &wanted, err);
	} else {
		r = by_path(&x, call->args[1], &collect, err);
	}
	an_collect_close(&x);
	return r;
}

const struct co_command an_cmd_cat = {
	.name = "cat",
	.operands = "IMAGE PATH | IMAGE --inode N",
	.summary = "the content of one file, live or deleted, to standard output",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
