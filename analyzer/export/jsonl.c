/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON lines for Timesketch and OpenSearch: one object per time, always the same keys.
 */
#include "base/cleanup.h"
#include "export/event.h"
#include "export/name.h"
#include "manifest/json.h"

static void add_digests(struct co_json *j, const struct an_file *f)
{
	char sha256[65], md5[33];
	if (!(f->flags & AN_HAS_DIGESTS))
		return;
	co_hex(f->sha256, sizeof f->sha256, sha256);
	co_hex(f->md5, sizeof f->md5, md5);
	co_json_str(j, "sha256_hash", sha256);
	co_json_str(j, "md5_hash", md5);
}

static void add_event(struct co_json *j, const char *message, const struct an_file *f, int64_t ns, enum an_time which)
{
	char datetime[40], inode[48], mode[13];
	an_event_datetime(ns, datetime);
	an_inode_text(f, inode);
	an_file_mode_text(f, mode);
	co_json_object(j, NULL);
	co_json_str(j, "datetime", datetime);
	co_json_str(j, "timestamp_desc", an_event_desc(which));
	co_json_int(j, "timestamp", an_event_microseconds(ns));
	co_json_str(j, "message", message);
	co_json_str(j, "data_type", AN_EVENT_DATA_TYPE);
	co_json_int(j, "timestamp_ns", ns);
	co_json_str(j, "filename", f->path);
	co_json_str(j, "inode", inode);
	co_json_uint(j, "volume", f->volume);
	co_json_uint(j, "file_size", f->size);
	co_json_str(j, "mode", mode);
	co_json_uint(j, "uid", f->uid);
	co_json_uint(j, "gid", f->gid);
	co_json_str(j, "file_entry_type", an_event_type(f));
	co_json_bool(j, "is_allocated", (f->flags & AN_NAME_ALLOCATED) != 0);
	if (f->link)
		co_json_str(j, "symbolic_link_target", f->link);
	add_digests(j, f);
	co_json_end_object(j);
	co_json_newline(j);
}

static int write_jsonl(const struct an_case *c, const struct an_filter *filter, struct co_sink *sink,
		       struct co_err *err)
{
	CO_CLEANUP_STR struct co_str message = { 0 };
	struct an_moments m = { 0 };
	struct co_json j;
	int r = an_moments_make(c, filter, &m, err);
	if (r < 0)
		return r;
	co_json_to_sink(&j, sink, false);
	for (size_t i = 0; i < m.list.n && !message.failed; i++) {
		co_str_clear(&message);
		an_event_message(&message, m.list.at[i].file);
		for (unsigned t = 0; t < AN_TIME_N; t++)
			if (m.list.at[i].macb & (1u << t))
				add_event(&j, co_str_get(&message), m.list.at[i].file, m.list.at[i].ns,
					  (enum an_time)t);
	}
	an_moments_free(&m);
	r = co_json_end(&j, err);
	return r == 0 && message.failed ? co_err_set(err, CO_ERR_NOMEM, 0, "out of memory") : r;
}

const struct an_exporter an_export_jsonl = { "jsonl", "JSON lines for Timesketch and OpenSearch", write_jsonl };
