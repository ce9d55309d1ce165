/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "hash/digest.h"
#include "io/sink.h"
#include "selftest/run.h"

#define SCHEMA "exhibit.validation/1"

static const char *const count_keys[] = { "passed", "failed", "not_run", "not_applicable" };

/* --- JSON --- */

static void lines_json(struct co_json *j, const char *key, const char *text)
{
	co_json_array(j, key);
	while (*text) {
		size_t n = strcspn(text, "\n");

		co_json_str_n(j, NULL, text, n);
		text += n + (text[n] == '\n');
	}
	co_json_end_array(j);
}

static void machine_json(struct co_json *j, const struct im_machine *m)
{
	struct utsname u;

	co_json_object(j, "program");
	co_json_str(j, "path", m->program);
	co_json_str(j, "version", m->program_version);
	co_json_str(j, "sha256", m->program_sha256);
	co_json_end_object(j);
	co_json_object(j, "machine");
	if (uname(&u) == 0) {
		co_json_str(j, "name", u.nodename);
		co_json_str(j, "system", u.sysname);
		co_json_str(j, "release", u.release);
		co_json_str(j, "version", u.version);
		co_json_str(j, "machine", u.machine);
	}
	co_json_int(j, "processors", sysconf(_SC_NPROCESSORS_ONLN));
	co_json_bool(j, "root", m->root);
	co_json_array(j, "witnesses");
	for (size_t i = 0; i < m->tools.n; i++) {
		co_json_object(j, NULL);
		co_json_str(j, "name", m->tools.at[i].name);
		co_json_str(j, "path", m->tools.at[i].path);
		co_json_str(j, "version", m->tools.at[i].path ? m->tools.at[i].version : NULL);
		co_json_end_object(j);
	}
	co_json_end_array(j);
	co_json_end_object(j);
}

static void result_json(struct co_json *j, const struct im_result *r)
{
	co_json_object(j, NULL);
	co_json_str(j, "id", r->row->id);
	co_json_str(j, "standard", im_standard_short(r->row->standard));
	co_json_str(j, "checked_against_source", im_checked_text(r->row->checked));
	co_json_str(j, "meaning", r->row->meaning);
	co_json_str(j, "does", r->row->does);
	co_json_str(j, "result", im_outcome_name(r->outcome));
	co_json_str(j, "reason", r->reason[0] ? r->reason : NULL);
	lines_json(j, "seen", r->facts);
	lines_json(j, "commands", r->commands);
	co_json_int(j, "duration_ns", r->duration_ns);
	co_json_end_object(j);
}

int im_validation_json(const struct im_validation *v, const struct im_machine *m, struct co_str *ret,
		       struct co_err *err)
{
	struct co_json j;

	co_json_to_str(&j, ret, true);
	co_json_object(&j, NULL);
	co_json_str(&j, "schema", SCHEMA);
	co_json_str(&j, "result", v->counts[IM_FAILED] ? "failed" : "passed");
	for (size_t i = 0; i < sizeof count_keys / sizeof count_keys[0]; i++)
		co_json_uint(&j, count_keys[i], v->counts[i]);
	co_json_str(&j, "command_line", v->command_line);
	co_json_time(&j, "start", v->start_ns);
	co_json_time(&j, "end", v->end_ns);
	machine_json(&j, m);
	co_json_array(&j, "rows");
	for (size_t i = 0; i < v->results.n; i++)
		result_json(&j, &v->results.at[i]);
	co_json_end_array(&j);
	co_json_end_object(&j);
	co_json_newline(&j);
	return co_json_end(&j, err);
}

/* --- text --- */

static void indented(struct co_str *s, const char *indent, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		co_str_add(s, indent);
		co_str_add_n(s, text, n);
		co_str_add(s, "\n");
		text += n + (text[n] == '\n');
	}
}

static void visible(struct co_str *s, const char *label, const char *text)
{
	co_str_addf(s, "%-14s", label);
	co_str_add_visible(s, text, strlen(text));
	co_str_add(s, "\n");
}

static void machine_text(struct co_str *s, const struct im_machine *m)
{
	struct utsname u;

	visible(s, "program:", m->program);
	visible(s, "version:", m->program_version);
	visible(s, "SHA-256:", m->program_sha256);
	if (uname(&u) == 0)
		co_str_addf(s, "%-14s%s, %s %s %s %s, %ld processors\n", "machine:", u.nodename, u.sysname, u.release,
			    u.version, u.machine, sysconf(_SC_NPROCESSORS_ONLN));
	co_str_addf(s, "%-14s%s\n", "rights:", m->root ? "root" : "a user without rights to make devices");
	for (size_t i = 0; i < m->tools.n; i++) {
		const struct im_tool *tool = &m->tools.at[i];

		co_str_addf(s, "%-14s%s: %s\n", i ? "" : "witnesses:", tool->name,
			    tool->path ? tool->version : "not installed");
	}
}

static void result_text(struct co_str *s, const struct im_result *r)
{
	co_str_addf(s, "\n%-15s%s (%s; %s)\n", im_outcome_name(r->outcome), r->row->id,
		    im_standard_short(r->row->standard), im_checked_text(r->row->checked));
	co_str_addf(s, "    means:   %s\n", r->row->meaning);
	if (r->row->run)
		co_str_addf(s, "    does:    %s\n", r->row->does);
	if (r->reason[0])
		co_str_addf(s, "    reason:  %s\n", r->reason);
	indented(s, "    seen:    ", r->facts);
	indented(s, "    ran:     ", r->commands);
}

void im_validation_text(const struct im_validation *v, const struct im_machine *m, struct co_str *ret)
{
	char start[40], end[40];

	co_time_text_sec(v->start_ns, start);
	co_time_text_sec(v->end_ns, end);
	co_str_add(ret, "VALIDATION REPORT of exhibit-imager on this machine\n\n");
	co_str_addf(ret, "%-14s%s: %zu passed, %zu failed, %zu not run, %zu not applicable\n",
		    "result:", v->counts[IM_FAILED] ? "FAILED" : "passed", v->counts[IM_PASSED], v->counts[IM_FAILED],
		    v->counts[IM_NOT_RUN], v->counts[IM_NOT_APPLICABLE]);
	co_str_addf(ret, "%-14s%s to %s\n", "time:", start, end);
	visible(ret, "command:", v->command_line);
	machine_text(ret, m);
	co_str_add(ret, "\nRows that are not run or not applicable are not counted as passed. Contents of disks are "
			"computed from a\nformula; their digests do not come from the program under test. $WORK is "
			"the folder for temporary data.\n\nSources:\n");
	for (int i = 0; i <= IM_STANDARD_EXHIBIT; i++)
		co_str_addf(ret, "  %-12s %s\n", im_standard_short((enum im_standard)i),
			    im_standard_long((enum im_standard)i));
	for (size_t i = 0; i < v->results.n; i++)
		result_text(ret, &v->results.at[i]);
}

/* --- files --- */

static int write_one(const char *folder, const char *name, const struct co_str *text, struct co_str *list,
		     struct co_err *err)
{
	CO_CLEANUP_STR struct co_str path = { 0 };
	struct co_digests digests;
	char hex[65];
	int r;

	co_str_addf(&path, "%s/%s", folder, name);
	if (path.failed || text->failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the report");
	r = co_sink_write_file(path.s, co_str_get(text), text->n, err);
	if (r == 0 && list)
		r = co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), co_str_get(text), text->n, &digests, err);
	if (r < 0 || !list)
		return r;
	co_digests_hex(&digests, CO_HASH_SHA256, hex);
	co_str_addf(list, "%s  %s\n", hex, name);
	return 0;
}

int im_validation_write(const struct im_validation *v, const struct im_machine *m, const char *folder,
			const struct co_signer *signer, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str json = { 0 }, text = { 0 }, list = { 0 }, name = { 0 };
	int r = im_validation_json(v, m, &json, err);

	im_validation_text(v, m, &text);
	if (r == 0)
		r = write_one(folder, "validation.json", &json, &list, err);
	if (r == 0)
		r = write_one(folder, "validation.txt", &text, &list, err);
	if (r == 0)
		r = write_one(folder, "validation.sha256", &list, NULL, err);
	if (r < 0 || !signer)
		return r;
	co_str_addf(&name, "%s/validation.sha256", folder);
	return name.failed ? co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the report")
			   : co_sign_file(signer, name.s, err);
}
