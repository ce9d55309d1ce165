/* SPDX-License-Identifier: Apache-2.0 */
/* findings.json, schema exhibit.findings/1. */
#include "export/export.h"
#include "manifest/json.h"

static void write_reason(struct co_json *j, const struct an_reason *reason)
{
	co_json_object(j, NULL);
	co_json_str(j, "rule", reason->rule->id);
	co_json_str(j, "axis", an_axis_name(reason->rule->axis));
	co_json_uint(j, "score", reason->rule->score);
	co_json_str(j, "text", reason->text);
	if (reason->quote) {
		co_json_str(j, "quote", reason->quote);
		if (reason->offset >= 0)
			co_json_int(j, "offset", reason->offset);
	}
	co_json_str(j, "innocent", reason->rule->innocent);
	co_json_end_object(j);
}

static void write_finding(struct co_json *j, const struct an_finding *f)
{
	static const char *const names[AN_TIME_N] = { "atime", "mtime", "ctime", "crtime", "dtime" };
	co_json_object(j, NULL);
	co_json_str(j, "rule", f->rule->id);
	co_json_str(j, "axis", an_axis_name(f->rule->axis));
	co_json_uint(j, "score", f->score);
	co_json_str(j, "severity", an_severity_name(f->severity));
	co_json_str(j, "path", f->path);
	co_json_uint(j, "volume", f->volume);
	co_json_uint(j, "inode", f->inode);
	co_json_time(j, "time", f->time_ns);
	co_json_object(j, "times");
	for (int i = 0; i < AN_TIME_N; i++)
		co_json_time(j, names[i], f->times[i]);
	co_json_end_object(j);
	co_json_array(j, "reasons");
	for (size_t i = 0; i < f->reasons.n; i++)
		write_reason(j, &f->reasons.at[i]);
	co_json_end_array(j);
	co_json_end_object(j);
}

int an_export_findings(const struct an_case *c, unsigned min_score, struct co_sink *sink, struct co_err *err)
{
	struct co_json j;
	co_json_to_sink(&j, sink, true);
	co_json_object(&j, NULL);
	co_json_str(&j, "schema", "exhibit.findings/1");
	co_json_array(&j, "findings");
	for (size_t i = 0; i < c->findings.list.n; i++)
		if (c->findings.list.at[i].score >= min_score)
			write_finding(&j, &c->findings.list.at[i]);
	co_json_end_array(&j);
	co_json_end_object(&j);
	co_json_newline(&j);
	return co_json_end(&j, err);
}
