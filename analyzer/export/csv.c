/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV (RFC 4180) with the columns that Timesketch demands first: one line per time.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/event.h"
#include "export/name.h"

static void add_field(struct co_str *s, const char *text)
{
	co_str_add(s, ",");
	if (!strpbrk(text, ",\"\r\n")) {
		co_str_add(s, text);
		return;
	}
	co_str_add(s, "\"");
	for (const char *p = text; *p; p++) {
		if (*p == '"')
			co_str_add(s, "\"");
		co_str_add_n(s, p, 1);
	}
	co_str_add(s, "\"");
}

static void add_visible_field(struct co_str *s, const char *text)
{
	CO_CLEANUP_STR struct co_str visible = { 0 };
	co_str_add_visible(&visible, text, strlen(text));
	add_field(s, co_str_get(&visible));
	s->failed = s->failed || visible.failed;
}

static void add_event(struct co_str *s, const struct an_file *f, int64_t ns, enum an_time which)
{
	CO_CLEANUP_STR struct co_str message = { 0 };
	char datetime[40], inode[48], mode[13], sha256[65] = "";
	an_event_message(&message, f);
	an_event_datetime(ns, datetime);
	an_inode_text(f, inode);
	an_file_mode_text(f, mode);
	if (f->flags & AN_HAS_DIGESTS)
		co_hex(f->sha256, sizeof f->sha256, sha256);
	co_str_addf(s, "%s,%s,%" PRId64, datetime, an_event_desc(which), an_event_microseconds(ns));
	add_field(s, co_str_get(&message));
	co_str_addf(s, ",%s,%" PRId64, AN_EVENT_DATA_TYPE, ns);
	add_visible_field(s, f->path);
	co_str_addf(s, ",%s,%" PRIu32 ",%" PRIu64 ",%s,%" PRIu32 ",%" PRIu32 ",%s,%s,%s\n", inode, f->volume, f->size,
		    mode, f->uid, f->gid, an_event_type(f), f->flags & AN_NAME_ALLOCATED ? "true" : "false", sha256);
	s->failed = s->failed || message.failed;
}

static int write_csv(const struct an_case *c, const struct an_filter *filter, struct co_sink *sink, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	struct an_moments m = { 0 };
	int r = an_moments_make(c, filter, &m, err);
	if (r == 0)
		r = co_sink_puts(
			sink,
			"datetime,timestamp_desc,timestamp,message,data_type,timestamp_ns,filename,inode,volume,"
			"file_size,mode,uid,gid,file_entry_type,is_allocated,sha256_hash\n",
			err);
	for (size_t i = 0; r == 0 && i < m.list.n; i++) {
		co_str_clear(&text);
		for (unsigned t = 0; t < AN_TIME_N; t++)
			if (m.list.at[i].macb & (1u << t))
				add_event(&text, m.list.at[i].file, m.list.at[i].ns, (enum an_time)t);
		r = text.failed ? co_err_set(err, CO_ERR_NOMEM, 0, "out of memory")
				: co_sink_write(sink, text.s, text.n, err);
	}
	an_moments_free(&m);
	return r;
}

const struct an_exporter an_export_csv = { "csv", "CSV for Timesketch and spreadsheets", write_csv };
