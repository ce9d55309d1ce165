/* SPDX-License-Identifier: Apache-2.0 */
#include "export/name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static void add_text(struct co_str *s, const char *text, bool escape)
{
	const char *run = text;
	for (const char *p = text;; p++) {
		const char *instead = NULL;
		if ((unsigned char)*p < ' ' && *p)
			instead = "^";
		else if (escape && *p == '|')
			instead = "%7C";
		else if (escape && *p == '%' && is_hex(p[1]) && is_hex(p[2]))
			instead = "%25";
		if (!instead && *p)
			continue;
		co_str_add_n(s, run, (size_t)(p - run));
		if (!*p)
			return;
		co_str_add(s, instead);
		run = p + 1;
	}
}

void an_name_add(struct co_str *s, const struct an_file *f, bool escape)
{
	add_text(s, f->path, escape);
	if (f->flags & AN_NTFS_NAME_TIMES)
		co_str_add(s, " ($FILE_NAME)");
	if (f->type == AN_TYPE_LINK && f->link) {
		co_str_add(s, " -> ");
		add_text(s, f->link, escape);
	}
	if (!(f->flags & AN_NAME_ALLOCATED))
		co_str_add(s, f->flags & AN_META_ALLOCATED ? " (deleted-realloc)" : " (deleted)");
}

void an_inode_text(const struct an_file *f, char ret[48])
{
	if (f->attr_type)
		snprintf(ret, 48, "%" PRIu64 "-%u-%u", f->inode, f->attr_type, f->attr_id);
	else
		snprintf(ret, 48, "%" PRIu64, f->inode);
}

int64_t an_seconds(const struct an_file *f, enum an_time which)
{
	return f->time[which] == CO_TIME_NONE ? 0 : co_time_sec(f->time[which]);
}

void an_macb_text(unsigned macb, char ret[5])
{
	static const enum an_time order[] = { AN_MTIME, AN_ATIME, AN_CTIME, AN_CRTIME };
	static const char letters[] = "macb";
	for (size_t i = 0; i < 4; i++)
		ret[i] = macb & (1u << order[i]) ? letters[i] : '.';
	ret[4] = '\0';
}
