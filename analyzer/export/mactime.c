/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CSV that `mactime -b BODY -d -y` prints: one line per file and second, with the letters of the times that lie in
 * that second; files that have a time at all also get a line 0000-00-00 for those they have not.
 * Sorted as mactime sorts: by second, then by the texts of inode and name.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "export/formats.h"
#include "export/name.h"
#include "store/strings.h"

struct line {
	int64_t sec;
	const char *inode, *name; /* of the arena */
	const struct an_file *file;
	unsigned macb;
};

struct lines {
	CO_VEC(struct line) list;
	struct an_strings *strings;
};

/* mactime compares "second,inode,name". */
static int compare(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	if (x->sec != y->sec)
		return x->sec < y->sec ? -1 : 1;
	size_t n = strlen(x->inode), m = strlen(y->inode);
	int r = strncmp(x->inode, y->inode, n < m ? n : m);
	if (r != 0)
		return r;
	if (n != m) /* a comma stands behind the shorter one: '-' and digits are greater */
		return n < m ? -1 : 1;
	r = strcmp(x->name, y->name);
	return r != 0 ? r : (x->file > y->file) - (x->file < y->file);
}

static int add_file(struct lines *l, const struct an_file *f, const struct an_filter *filter, struct co_str *text)
{
	static const enum an_time four[] = { AN_ATIME, AN_MTIME, AN_CTIME, AN_CRTIME };
	bool any = false;
	for (size_t i = 0; i < 4; i++)
		any = any || an_seconds(f, four[i]) != 0;
	if (!any)
		return 0;
	char inode[48];
	an_inode_text(f, inode);
	co_str_clear(text);
	an_name_add(text, f, false);
	struct line line = { .file = f, .inode = an_strings_add(l->strings, inode, strlen(inode)) };
	line.name = text->failed ? NULL : an_strings_add(l->strings, text->s, text->n);
	if (!line.inode || !line.name)
		return -1;
	unsigned done = 0;
	for (size_t i = 0; i < 4; i++) {
		if (done & (1u << four[i]) || !an_filter_time(filter, f->time[four[i]]))
			continue;
		line.sec = an_seconds(f, four[i]);
		line.macb = 0;
		for (size_t k = i; k < 4; k++)
			if (an_seconds(f, four[k]) == line.sec && an_filter_time(filter, f->time[four[k]]))
				line.macb |= 1u << four[k];
		done |= line.macb;
		if (co_vec_push(&l->list, line) < 0)
			return -1;
	}
	return 0;
}

static void add_name(struct co_str *s, const char *name)
{
	co_str_add(s, "\"");
	for (const char *p = name, *quote; *p; p = quote) {
		quote = strchrnul(p, '"');
		co_str_add_n(s, p, (size_t)(quote - p));
		if (*quote) {
			co_str_add(s, "\"\"");
			quote++;
		}
	}
	co_str_add(s, "\"\n");
}

static void add_line(struct co_str *s, const struct line *l)
{
	char time[40] = "0000-00-00T00:00:00Z", macb[5], mode[13];
	int64_t ns;
	if (l->sec != 0 && co_time_make(l->sec, 0, &ns))
		co_time_text_sec(ns, time);
	an_macb_text(l->macb, macb);
	an_file_mode_text(l->file, mode);
	co_str_addf(s, "%s,%" PRIu64 ",%s,%s,%" PRIu32 ",%" PRIu32 ",%s,", time, l->file->size, macb, mode,
		    l->file->uid, l->file->gid, l->inode);
	add_name(s, l->name);
}

static bool same_key(const struct line *x, const struct line *y)
{
	return x->sec == y->sec && strcmp(x->inode, y->inode) == 0 && strcmp(x->name, y->name) == 0;
}

static int write_lines(struct lines *l, struct co_str *text, struct co_sink *sink, struct co_err *err)
{
	int r = co_sink_puts(sink, "Date,Size,Type,Mode,UID,GID,Meta,File Name\n", err);
	for (size_t i = 0, next; r == 0 && i < l->list.n; i = next) {
		struct line line = l->list.at[i];
		for (next = i + 1; next < l->list.n && same_key(&line, &l->list.at[next]); next++)
			line.macb |= l->list.at[next].macb;
		line.file = l->list.at[next - 1].file;
		co_str_clear(text);
		add_line(text, &line);
		r = text->failed ? co_err_set(err, CO_ERR_NOMEM, 0, "out of memory")
				 : co_sink_write(sink, text->s, text->n, err);
	}
	return r;
}

static int write_mactime(const struct an_case *c, const struct an_filter *filter, struct co_sink *sink,
			 struct co_err *err)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	struct lines l = { .strings = an_strings_open() };
	int r = l.strings ? 0 : -1;
	for (size_t i = 0; r == 0 && i < c->files.rows.n; i++)
		if (an_filter_path(filter, &c->files.rows.at[i]))
			r = add_file(&l, &c->files.rows.at[i], filter, &text);
	if (r < 0) {
		r = co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for the timeline");
	} else {
		if (l.list.n > 1)
			qsort(l.list.at, l.list.n, sizeof *l.list.at, compare);
		r = write_lines(&l, &text, sink, err);
	}
	co_vec_free(&l.list);
	an_strings_free(l.strings);
	return r;
}

const struct an_exporter an_export_mactime = { "mactime", "CSV of The Sleuth Kit's mactime -d -y", write_mactime };
