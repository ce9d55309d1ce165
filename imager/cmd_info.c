/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "acquire/check.h"
#include "acquire/record.h"
#include "acquire/record_read.h"
#include "base/cleanup.h"
#include "commands.h"
#include "e01/reader.h"
#include "output.h"

struct opts {
	bool json;
};

static const struct co_option options[] = {
	{ "json", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, json), "print one JSON object" },
	{ 0 },
};

struct text_field {
	const char *key, *label, *value;
};

enum { FIELDS = 11 };

static void list_fields(const struct co_e01_info *i, struct text_field ret[FIELDS])
{
	const struct text_field fields[FIELDS] = {
		{ "case_number", "case number", i->case_number },
		{ "evidence_number", "evidence number", i->evidence_number },
		{ "examiner", "examiner", i->examiner },
		{ "description", "description", i->description },
		{ "notes", "notes", i->notes },
		{ "acquiry_date", "acquisition date", i->acquiry_date },
		{ "system_date", "system date", i->system_date },
		{ "software_version", "software version", i->software_version },
		{ "operating_system", "operating system", i->operating_system },
		{ "model", "model", i->model },
		{ "serial", "serial number", i->serial },
	};

	memcpy(ret, fields, sizeof fields);
}

static void segments_json(struct co_json *j, const struct co_e01_info *i)
{
	co_json_array(j, "segments");
	for (unsigned n = 0; n < i->n_segments; n++)
		co_json_str(j, NULL, i->segment_names[n]);
	co_json_end_array(j);
	co_json_array(j, "unreadable");
	for (size_t n = 0; n < i->n_errors; n++) {
		co_json_array(j, NULL);
		co_json_uint(j, NULL, i->errors[n][0]);
		co_json_uint(j, NULL, i->errors[n][1]);
		co_json_end_array(j);
	}
	co_json_end_array(j);
	co_json_array(j, "warnings");
	for (size_t n = 0; n < i->n_warnings; n++)
		co_json_str(j, NULL, i->warnings[n]);
	co_json_end_array(j);
}

static int image_json(const struct co_e01_info *i, const struct im_recorded *rec, struct co_str *s, struct co_err *err)
{
	struct text_field fields[FIELDS];
	char guid[33];
	struct co_json j;

	list_fields(i, fields);
	im_guid_text(i->guid, guid);
	co_json_to_str(&j, s, true);
	co_json_object(&j, NULL);
	co_json_str(&j, "schema", "exhibit.image/1");
	co_json_uint(&j, "media_bytes", i->media_size);
	co_json_uint(&j, "sector_bytes", i->sector_size);
	co_json_uint(&j, "chunk_bytes", i->chunk_size);
	co_json_uint(&j, "chunks", i->n_chunks);
	co_json_str(&j, "guid", guid);
	im_digests_json(&j, "digests", &i->stored);
	co_json_object(&j, "header");
	for (int n = 0; n < FIELDS; n++)
		co_json_str(&j, fields[n].key, fields[n].value);
	co_json_end_object(&j);
	segments_json(&j, i);
	if (rec) {
		co_json_object(&j, "record");
		co_json_str(&j, "name", rec->name);
		co_json_str(&j, "status", rec->status);
		co_json_uint(&j, "media_bytes", rec->media_bytes);
		co_json_uint(&j, "padding_bytes", rec->padding_bytes);
		co_json_uint(&j, "unreadable_sectors", rec->unreadable_sectors);
		im_digests_json(&j, "digests", &rec->plain);
		co_json_end_object(&j);
	}
	co_json_end_object(&j);
	co_json_newline(&j);
	return co_json_end(&j, err);
}

static void line(struct co_str *s, const char *label, const char *value)
{
	if (!value || !value[0])
		return;
	co_str_addf(s, "%-17s ", label);
	co_str_add_visible(s, value, strlen(value));
	co_str_add(s, "\n");
}

static void record_text(const struct im_recorded *rec, struct co_str *s)
{
	line(s, "record", rec->file);
	line(s, "status", rec->status);
	co_str_addf(s, "%-17s %" PRIu64 " bytes, %" PRIu64 " unreadable sectors\n", "source", rec->media_bytes,
		    rec->unreadable_sectors);
	im_digests_text(s, "source            ", &rec->plain);
}

static void image_text(const struct co_e01_info *i, struct co_str *s)
{
	struct text_field fields[FIELDS];
	char guid[33], size[16];

	list_fields(i, fields);
	im_guid_text(i->guid, guid);
	co_size_text(i->media_size, size);
	co_str_addf(s, "%-17s %" PRIu64 " bytes (%s)\n", "medium", i->media_size, size);
	co_str_addf(s, "%-17s %" PRIu32 " bytes\n", "sector", i->sector_size);
	co_str_addf(s, "%-17s %" PRIu64 " of %" PRIu32 " bytes\n", "chunks", i->n_chunks, i->chunk_size);
	line(s, "GUID", guid);
	for (int n = 0; n < FIELDS; n++)
		line(s, fields[n].label, fields[n].value);
	im_digests_text(s, "digest            ", &i->stored);
	for (unsigned n = 0; n < i->n_segments; n++)
		line(s, "segment", i->segment_names[n]);
	for (size_t n = 0; n < i->n_errors; n++)
		co_str_addf(s, "%-17s %" PRIu64 " to %" PRIu64 "\n", "unreadable", i->errors[n][0],
			    i->errors[n][0] + i->errors[n][1] - 1);
	for (size_t n = 0; n < i->n_warnings; n++)
		line(s, "warning", i->warnings[n]);
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	const char *name = call->args[0];
	IM_CLEANUP_RECORDED struct im_recorded rec = { 0 };
	CO_CLEANUP_SOURCE struct co_source image = CO_SOURCE_NONE;
	CO_CLEANUP_STR struct co_str out = { 0 };
	bool is_bag;
	int r = im_is_bag(name, &is_bag, err);

	if (r == 0 && is_bag)
		r = im_record_read(&rec, name, err);
	if (r < 0)
		return r;
	r = is_bag ? im_open_recorded(&image, &rec, err) : co_e01_open(&image, &name, 1, NULL, err);
	if (r < 0)
		return r;
	if (o->json) {
		r = image_json(co_e01_info(&image), is_bag ? &rec : NULL, &out, err);
		if (r < 0)
			return r;
	} else {
		if (is_bag)
			record_text(&rec, &out);
		image_text(co_e01_info(&image), &out);
	}
	return im_print(&out, err);
}

const struct co_command im_cmd_info = {
	.name = "info",
	.operands = "BAG|IMAGE.E01",
	.summary = "what a bag or image says about itself (nothing is verified)",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
