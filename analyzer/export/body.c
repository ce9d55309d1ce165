/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Body file 3.x, as `fls -m` writes it, in the order of the walk.
 * Source: The Sleuth Kit wiki, "Body file"; fields MD5|name|inode|mode|UID|GID|size|atime|mtime|ctime|crtime.
 */
#include <inttypes.h>

#include "base/cleanup.h"
#include "export/formats.h"
#include "export/name.h"

static void add_row(struct co_str *line, const struct an_file *f)
{
	char md5[33] = "0", inode[48], mode[13];
	if (f->flags & AN_HAS_DIGESTS)
		co_hex(f->md5, sizeof f->md5, md5);
	an_inode_text(f, inode);
	an_file_mode_text(f, mode);
	co_str_addf(line, "%s|", md5);
	an_name_add(line, f, true);
	co_str_addf(line,
		    "|%s|%s|%" PRIu32 "|%" PRIu32 "|%" PRIu64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId64 "\n",
		    inode, mode, f->uid, f->gid, f->size, an_seconds(f, AN_ATIME), an_seconds(f, AN_MTIME),
		    an_seconds(f, AN_CTIME), an_seconds(f, AN_CRTIME));
}

/* A line has all times of a file: it stays if one of them is within the bounds. */
static bool is_wanted(const struct an_filter *filter, const struct an_file *f)
{
	if (!an_filter_path(filter, f))
		return false;
	for (size_t i = 0; i < AN_TIME_N; i++)
		if (an_filter_time(filter, f->time[i]))
			return true;
	return false;
}

static int write_body(const struct an_case *c, const struct an_filter *filter, struct co_sink *sink, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str line = { 0 };
	for (size_t i = 0; i < c->files.rows.n; i++) {
		const struct an_file *f = &c->files.rows.at[i];
		if (!is_wanted(filter, f))
			continue;
		co_str_clear(&line);
		add_row(&line, f);
		if (line.failed)
			return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
		int r = co_sink_write(sink, line.s, line.n, err);
		if (r < 0)
			return r;
	}
	return 0;
}

const struct an_exporter an_export_body = { "body", "body file of The Sleuth Kit (fls -m)", write_body };
