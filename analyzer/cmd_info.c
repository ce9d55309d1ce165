/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "commands.h"
#include "input.h"
#include "manifest/json.h"

struct opts {
	struct an_input_args input;
	bool json;
};

static const struct co_option options[] = {
	{ "json", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, json), "one JSON object" },
	AN_INPUT_OPTIONS(struct opts, input),
	{ 0 },
};

static void add_evidence_json(struct co_json *j, const struct an_case_evidence *e)
{
	co_json_object(j, NULL);
	co_json_str(j, "name", e->name);
	co_json_str(j, "kind", e->kind);
	co_json_uint(j, "size", e->size);
	co_json_uint(j, "sector_size", e->sector_size);
	const struct {
		const char *key, *value;
	} texts[] = {
		{ "md5", e->md5 },
		{ "sha1", e->sha1 },
		{ "sha256", e->sha256 },
		{ "case_number", e->case_number },
		{ "evidence_number", e->evidence_number },
		{ "examiner", e->examiner },
		{ "description", e->description },
		{ "notes", e->notes },
		{ "acquired", e->acquired },
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].value && texts[i].value[0])
			co_json_str(j, texts[i].key, texts[i].value);
	co_json_end_object(j);
}

static void add_volume_json(struct co_json *j, size_t index, const struct an_case_volume *v)
{
	co_json_object(j, NULL);
	co_json_uint(j, "volume", index);
	co_json_uint(j, "offset", v->offset);
	co_json_uint(j, "length", v->length);
	co_json_str(j, "table", v->table);
	co_json_str(j, "description", v->description);
	co_json_str(j, "file_system", v->fs);
	co_json_str(j, "label", v->label);
	co_json_str(j, "uuid", v->uuid);
	co_json_str(j, "mount", v->mount);
	co_json_bool(j, "mount_known", v->mount_known);
	co_json_uint(j, "names", v->n_files);
	co_json_end_object(j);
}

static void add_problem_json(struct co_json *j, const struct an_problem *p)
{
	co_json_object(j, NULL);
	if (p->volume != UINT32_MAX)
		co_json_uint(j, "volume", p->volume);
	if (p->path[0])
		co_json_str(j, "path", p->path);
	co_json_str(j, "text", p->text);
	co_json_end_object(j);
}

static int write_json(const struct an_case *c, struct co_sink *sink, struct co_err *err)
{
	struct co_json j;
	co_json_to_sink(&j, sink, true);
	co_json_object(&j, NULL);
	co_json_str(&j, "schema", "exhibit.image-info/1");
	co_json_array(&j, "evidence");
	for (size_t i = 0; i < c->evidence.n; i++)
		add_evidence_json(&j, &c->evidence.at[i]);
	co_json_end_array(&j);
	co_json_array(&j, "volumes");
	for (size_t i = 0; i < c->volumes.n; i++)
		add_volume_json(&j, i, &c->volumes.at[i]);
	co_json_end_array(&j);
	co_json_array(&j, "facts");
	for (size_t i = 0; i < c->facts.n; i++) {
		co_json_object(&j, NULL);
		co_json_str(&j, "kind", c->facts.at[i].kind);
		co_json_str(&j, "value", c->facts.at[i].value);
		co_json_str(&j, "path", c->facts.at[i].path);
		co_json_end_object(&j);
	}
	co_json_end_array(&j);
	co_json_array(&j, "problems");
	for (size_t i = 0; i < c->problems.n; i++)
		add_problem_json(&j, &c->problems.at[i]);
	co_json_end_array(&j);
	co_json_end_object(&j);
	co_json_newline(&j);
	return co_json_end(&j, err);
}

/* "Label:      text\n", or nothing if there is no text. */
static void add_line(struct co_str *s, const char *label, const char *text)
{
	if (!text || !*text)
		return;
	co_str_addf(s, "%-18s", label);
	co_str_add_visible(s, text, strlen(text));
	co_str_add(s, "\n");
}

static void add_evidence(struct co_str *s, const struct an_case_evidence *e)
{
	char size[16];
	co_size_text(e->size, size);
	add_line(s, "Image:", e->name);
	co_str_addf(s, "%-18s%s, %" PRIu64 " bytes (%s), sectors of %" PRIu32 " bytes\n", "Medium:", e->kind, e->size,
		    size, e->sector_size);
	add_line(s, "Stored MD5:", e->md5);
	add_line(s, "Stored SHA-1:", e->sha1);
	add_line(s, "Stored SHA-256:", e->sha256);
	add_line(s, "Case number:", e->case_number);
	add_line(s, "Evidence number:", e->evidence_number);
	add_line(s, "Examiner:", e->examiner);
	add_line(s, "Description:", e->description);
	add_line(s, "Notes:", e->notes);
	add_line(s, "Acquired:", e->acquired);
}

static void add_volume(struct co_str *s, size_t index, const struct an_case_volume *v)
{
	char size[16];
	co_size_text(v->length, size);
	co_str_addf(s, "\nVolume %-11zuoffset %" PRIu64 ", %" PRIu64 " bytes (%s), table: %s\n", index, v->offset,
		    v->length, size, v->table);
	add_line(s, "  Partition:", v->description);
	add_line(s, "  File system:", v->fs[0] ? v->fs : "not recognised");
	add_line(s, "  Label:", v->label);
	add_line(s, "  UUID:", v->uuid);
	if (!v->mount[0])
		return;
	co_str_addf(s, "%-18s", "  Shown as:");
	co_str_add_visible(s, v->mount, strlen(v->mount));
	co_str_addf(s, "%s\n%-18s%" PRIu64 "\n", v->mount_known ? "" : " (the server's place is not known)",
		    "  Names:", v->n_files);
}

static void add_fact(struct co_str *s, const struct an_fact *f)
{
	static const struct {
		const char *kind, *label;
	} labels[] = {
		{ "os", "System:" },           { "hostname", "Host name:" },
		{ "time-zone", "Time zone:" }, { "web-application", "Application:" },
		{ "web-root", "Web root:" },
	};
	const char *label = f->kind;
	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (strcmp(labels[i].kind, f->kind) == 0)
			label = labels[i].label;
	co_str_addf(s, "%-18s", label);
	co_str_add_visible(s, f->value, strlen(f->value));
	if (strcmp(f->value, f->path) != 0) {
		co_str_add(s, " (");
		co_str_add_visible(s, f->path, strlen(f->path));
		co_str_add(s, ")");
	}
	co_str_add(s, "\n");
}

static int write_text(const struct an_case *c, struct co_sink *sink, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	for (size_t i = 0; i < c->evidence.n; i++)
		add_evidence(&s, &c->evidence.at[i]);
	for (size_t i = 0; i < c->volumes.n; i++)
		add_volume(&s, i, &c->volumes.at[i]);
	if (c->facts.n > 0)
		co_str_add(&s, "\n");
	for (size_t i = 0; i < c->facts.n; i++)
		add_fact(&s, &c->facts.at[i]);
	if (s.failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	return co_sink_write(sink, co_str_get(&s), s.n, err);
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	struct an_collect_opts collect;
	struct an_collection x = { 0 };
	struct co_sink *sink = NULL;
	int r = an_input_options(&collect, &o->input, AN_HASH_NONE, err);
	if (r == 0)
		r = an_input_open(&x, call->args, call->n_args, &collect, err);
	if (r < 0)
		return r;
	r = co_sink_open_stdout(&sink, err);
	if (r == 0)
		r = co_sink_finish(sink, o->json ? write_json(&x.c, sink, err) : write_text(&x.c, sink, err), err);
	if (r == 0)
		r = an_input_problems(&x.c);
	an_collect_close(&x);
	return r;
}

const struct co_command an_cmd_info = {
	.name = "info",
	.operands = "IMAGE|CASE",
	.summary = "volumes, file systems, operating system, web applications",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
