/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 17 columns of log2timeline's CSV, one line per moment of a file. Readers split at every comma and know no quotes:
 * commas in fields become spaces. Source: plaso's documentation of the l2tcsv output module.
 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "export/event.h"
#include "export/name.h"

static void add_without_commas(struct co_str *s, const char *text)
{
	for (const char *p = text, *comma; *p; p = comma) {
		comma = strchrnul(p, ',');
		co_str_add_n(s, p, (size_t)(comma - p));
		if (*comma) {
			co_str_add(s, " ");
			comma++;
		}
	}
}

static void add_descs(struct co_str *s, unsigned macb)
{
	const char *between = "";
	for (unsigned t = 0; t < AN_TIME_N; t++) {
		if (!(macb & (1u << t)))
			continue;
		co_str_addf(s, "%s%s", between, an_event_desc((enum an_time)t));
		between = "; ";
	}
}

static void add_macb(struct co_str *s, unsigned macb)
{
	char text[5];
	an_macb_text(macb, text);
	for (char *p = text; *p; p++)
		if (*p != '.')
			*p = (char)(*p - 'a' + 'A');
	co_str_add(s, text);
}

static void add_moment(struct co_str *s, const struct an_moment *m)
{
	const struct an_file *f = m->file;
	CO_CLEANUP_STR struct co_str message = { 0 }, path = { 0 };
	char inode[48], mode[13];
	struct co_date d = co_date_of(co_time_sec(m->ns));
	an_event_message(&message, f);
	co_str_add_visible(&path, f->path, strlen(f->path));
	an_inode_text(f, inode);
	an_file_mode_text(f, mode);
	co_str_addf(s, "%02d/%02d/%04d,%02d:%02d:%02d,UTC,", d.month, d.day, d.year, d.hour, d.minute, d.second);
	add_macb(s, m->macb);
	co_str_add(s, ",FILE,File stat,");
	add_descs(s, m->macb);
	co_str_add(s, ",-,-,");
	add_without_commas(s, co_str_get(&path));
	co_str_add(s, ",");
	add_without_commas(s, co_str_get(&message));
	co_str_add(s, ",2,");
	add_without_commas(s, co_str_get(&path));
	co_str_addf(s,
		    ",%s,-,filestat,size: %" PRIu64 "; mode: %s; uid: %" PRIu32 "; gid: %" PRIu32 "; volume: %" PRIu32,
		    inode, f->size, mode, f->uid, f->gid, f->volume);
	if (f->flags & AN_HAS_DIGESTS) {
		char hex[65];
		co_hex(f->sha256, sizeof f->sha256, hex);
		co_str_addf(s, "; sha256_hash: %s", hex);
	}
	co_str_add(s, "\n");
	s->failed = s->failed || message.failed || path.failed;
}

static int write_l2tcsv(const struct an_case *c, const struct an_filter *filter, struct co_sink *sink,
			struct co_err *err)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	struct an_moments m = { 0 };
	int r = an_moments_make(c, filter, &m, err);
	if (r == 0)
		r = co_sink_puts(
			sink,
			"date,time,timezone,MACB,source,sourcetype,type,user,host,short,desc,version,filename,inode,"
			"notes,format,extra\n",
			err);
	for (size_t i = 0; r == 0 && i < m.list.n; i++) {
		co_str_clear(&text);
		add_moment(&text, &m.list.at[i]);
		r = text.failed ? co_err_set(err, CO_ERR_NOMEM, 0, "out of memory")
				: co_sink_write(sink, text.s, text.n, err);
	}
	an_moments_free(&m);
	return r;
}

const struct an_exporter an_export_l2tcsv = { "l2tcsv", "CSV of log2timeline, for SOF-ELK", write_l2tcsv };
