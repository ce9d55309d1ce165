/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "check/check.h"
#include "commands.h"
#include "export/export.h"
#include "hash/digest.h"
#include "input.h"
#include "manifest/json.h"
#include "run/cancel.h"
#include "run/log.h"

struct opts {
	struct an_input_args input;
	struct co_progress_args progress;
	const char *output, *hash;
	bool json;
};

static const struct co_option options[] = {
	{ "output", 'o', "CASE", CO_OPT_STRING, offsetof(struct opts, output), "new folder for the case" },
	{ "hash", 0, "WHAT", CO_OPT_STRING, offsetof(struct opts, hash),
	  "read the content of all files, of web files, or none (all)" },
	{ "json", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, json), "the summary as JSON on standard output" },
	AN_INPUT_OPTIONS(struct opts, input),
	CO_PROGRESS_OPTIONS(struct opts, progress),
	{ 0 },
};

static int write_findings(const struct an_case *c, struct co_sink *sink, struct co_err *err)
{
	return an_export_findings(c, 0, sink, err);
}

static int write_timeline(const struct an_case *c, struct co_sink *sink, struct co_err *err)
{
	const struct an_filter all = { .from_ns = CO_TIME_NONE, .to_ns = CO_TIME_NONE };
	return an_exporter_find(an_timeline_exporters, "mactime")->write(c, &all, sink, err);
}

static int write_hashes(const struct an_case *c, struct co_sink *sink, struct co_err *err)
{
	const struct an_filter all = { .from_ns = CO_TIME_NONE, .to_ns = CO_TIME_NONE };
	return an_exporter_find(an_hash_exporters, "sha256sum")->write(c, &all, sink, err);
}

#define DATABASE "case.db"
#define MANIFEST "manifest-sha256.txt"

/* The files of a case, in the order of writing; the manifest comes last. */
static const struct output {
	const char *name;
	int (*write)(const struct an_case *c, struct co_sink *sink, struct co_err *err); /* NULL: the database */
	bool needs_digests;
} outputs[] = {
	{ DATABASE, NULL, false },
	{ "findings.json", write_findings, false },
	{ "hashes.sha256", write_hashes, true },
	{ "report.html", an_export_report, false },
	{ "timeline.csv", write_timeline, false },
};
#define N_OUTPUTS (sizeof outputs / sizeof *outputs)

static bool is_written(const struct output *out, enum an_hash_mode hash)
{
	return hash != AN_HASH_NONE || !out->needs_digests;
}

static int parse_hash(const char *text, enum an_hash_mode *ret, struct co_err *err)
{
	static const char *const names[] = { [AN_HASH_ALL] = "all", [AN_HASH_WEB] = "web", [AN_HASH_NONE] = "none" };
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(text ? text : "all", names[i]) == 0) {
			*ret = (enum an_hash_mode)i;
			return 0;
		}
	}
	return co_err_set(err, CO_ERR_USAGE, 0, "--hash: '%s' is none of all, web, none", text);
}

/* Makes the folder. 0: it is new; 1: it was there, empty. */
static int make_folder(const char *folder, struct co_err *err)
{
	if (mkdir(folder, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "make the folder %s", folder);
	CO_CLEANUP_CLOSEDIR DIR *d = opendir(folder);
	if (!d)
		return co_err_set(err, CO_ERR_USAGE, errno, "--output: %s is no folder that can be used", folder);
	errno = 0;
	for (const struct dirent *e = readdir(d); e; e = readdir(d))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return co_err_set(err, CO_ERR_USAGE, 0, "--output: the folder %s is not empty", folder);
	return errno ? co_err_set(err, CO_ERR_OUTPUT, errno, "read the folder %s", folder) : 1;
}

static int path_in(struct co_str *ret, const char *folder, const char *name, struct co_err *err)
{
	co_str_clear(ret);
	co_str_addf(ret, "%s/%s", folder, name);
	return ret->failed ? co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the name of %s", name) : 0;
}

/* After a failure: what was written, and the folder if it was ours. */
static void remove_all(const char *folder, bool made)
{
	CO_CLEANUP_STR struct co_str path = { 0 };
	for (size_t i = 0; i <= N_OUTPUTS; i++)
		if (path_in(&path, folder, i < N_OUTPUTS ? outputs[i].name : MANIFEST, NULL) == 0)
			unlink(co_str_get(&path));
	if (made)
		rmdir(folder);
}

static int write_output(const struct output *out, const struct an_case *c, const char *path, struct co_err *err)
{
	struct co_sink *sink = NULL;
	if (!out->write)
		return an_case_save(c, path, err);
	int r = co_sink_open(&sink, path, err);
	return r < 0 ? r : co_sink_finish(sink, out->write(c, sink, err), err);
}

/* Lines for sha256sum -c. */
static int write_manifest(const char *folder, enum an_hash_mode hash, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str text = { 0 }, path = { 0 };
	int r = 0;
	for (size_t i = 0; r == 0 && i < N_OUTPUTS; i++) {
		struct co_digests d;
		char hex[2 * CO_HASH_MAX + 1];
		if (!is_written(&outputs[i], hash))
			continue;
		r = path_in(&path, folder, outputs[i].name, err);
		if (r == 0)
			r = co_digest_file(CO_HASH_BIT(CO_HASH_SHA256), co_str_get(&path), &d, err);
		if (r == 0) {
			co_digests_hex(&d, CO_HASH_SHA256, hex);
			co_str_addf(&text, "%s  %s\n", hex, outputs[i].name);
		}
	}
	if (r == 0)
		r = path_in(&path, folder, MANIFEST, err);
	if (r == 0 && text.failed)
		r = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for %s", MANIFEST);
	return r == 0 ? co_sink_write_file(co_str_get(&path), text.s, text.n, err) : r;
}

static int write_all(const struct an_case *c, const char *folder, enum an_hash_mode hash, struct co_progress *progress,
		     struct co_err *err)
{
	CO_CLEANUP_STR struct co_str path = { 0 };
	int r = 0;
	co_progress_phase(progress, "write", N_OUTPUTS, "files");
	for (size_t i = 0; r == 0 && i < N_OUTPUTS; i++) {
		if (!is_written(&outputs[i], hash))
			continue;
		r = path_in(&path, folder, outputs[i].name, err);
		if (r == 0)
			r = write_output(&outputs[i], c, co_str_get(&path), err);
		co_progress_add(progress, 1);
	}
	return r == 0 ? write_manifest(folder, hash, err) : r;
}

/* Are these the names of parts: one stem, and extensions (.001, .002 ... or aa, ab ...) that differ? */
static bool are_parts(const char *a, const char *b)
{
	const char *sa = strrchr(a, '/'), *sb = strrchr(b, '/');
	a = sa ? sa + 1 : a;
	b = sb ? sb + 1 : b;
	size_t same = 0, na = strlen(a);
	while (a[same] && a[same] == b[same])
		same++;
	return na == strlen(b) && same < na && na - same <= 3;
}

/* Raw files have nothing that says what they belong to: only their names can tell parts from several disks. */
static int check_parts(const struct an_evidence *e, const struct co_call *call, struct co_err *err)
{
	for (int i = 1; i < call->n_args && strcmp(e->kind, "split") == 0; i++)
		if (!are_parts(call->args[0], call->args[i]))
			return co_err_set(err, CO_ERR_USAGE, 0, "one image at a time: %s and %s are not parts of one",
					  call->args[0], call->args[i]);
	return 0;
}

/* From the image to a case in memory. 0, 1: with problems, < 0. */
static int examine(struct an_collection *x, const struct co_call *call, const struct an_collect_opts *collect,
		   struct co_err *err)
{
	int r = an_collect_open(x, (const char *const *)call->args, (size_t)call->n_args, collect, err);
	if (r >= 0)
		r = check_parts(&x->evidence, call, err);
	if (r >= 0)
		r = an_collect_files(x, collect, err);
	if (r < 0)
		return r;
	co_progress_phase(collect->progress, "check", 0, "files");
	struct an_check_context context = { .c = &x->c, .reader = &x->reader };
	r = an_check_run_all(&context, err);
	return r < 0 ? r : x->c.problems.n > 0;
}

static void count(const struct an_case *c, uint64_t ret[AN_UNKNOWN + 1])
{
	memset(ret, 0, (AN_UNKNOWN + 1) * sizeof *ret);
	for (size_t i = 0; i < c->findings.list.n; i++)
		ret[c->findings.list.at[i].severity]++;
}

static int print_json(const struct an_case *c, const struct opts *o, enum an_hash_mode hash, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str path = { 0 };
	uint64_t n[AN_UNKNOWN + 1];
	struct co_sink *sink = NULL;
	struct co_json j;
	int r = co_sink_open_stdout(&sink, err);
	if (r < 0)
		return r;
	count(c, n);
	co_json_to_sink(&j, sink, true);
	co_json_object(&j, NULL);
	co_json_str(&j, "schema", "exhibit.run/1");
	co_json_str(&j, "case", o->output);
	co_json_object(&j, "counts");
	co_json_uint(&j, "evidence", c->evidence.n);
	co_json_uint(&j, "volumes", c->volumes.n);
	co_json_uint(&j, "files", c->files.rows.n);
	co_json_uint(&j, "findings", c->findings.list.n);
	co_json_uint(&j, "problems", c->problems.n);
	co_json_end_object(&j);
	co_json_object(&j, "findings");
	for (unsigned s = 0; s <= AN_UNKNOWN; s++)
		co_json_uint(&j, an_severity_name((enum an_severity)s), n[s]);
	co_json_end_object(&j);
	co_json_array(&j, "outputs");
	for (size_t i = 0; i <= N_OUTPUTS; i++) {
		if (i < N_OUTPUTS && !is_written(&outputs[i], hash))
			continue;
		if (path_in(&path, o->output, i < N_OUTPUTS ? outputs[i].name : MANIFEST, err) < 0) {
			co_sink_abort(sink);
			return CO_ERR_NOMEM;
		}
		co_json_str(&j, NULL, co_str_get(&path));
	}
	co_json_end_array(&j);
	co_json_end_object(&j);
	co_json_newline(&j);
	return co_sink_finish(sink, co_json_end(&j, err), err);
}

static void print_summary(const struct an_case *c, const char *folder)
{
	uint64_t n[AN_UNKNOWN + 1];
	count(c, n);
	co_log_note("%zu names on %zu volumes; findings: %llu confirmed, %llu strong, %llu notable, %llu unknown; case "
		    "in %s",
		    c->files.rows.n, c->volumes.n, (unsigned long long)n[AN_CONFIRMED],
		    (unsigned long long)n[AN_STRONG], (unsigned long long)n[AN_NOTABLE],
		    (unsigned long long)n[AN_UNKNOWN], folder);
}

/* Examines, and writes everything into @folder or leaves nothing there. */
static int make_case(const struct co_call *call, struct an_collect_opts *collect, struct co_err *err)
{
	const struct opts *o = call->opts;
	struct an_collection x = { 0 };
	int made = make_folder(o->output, err);
	if (made < 0)
		return made;
	int r = examine(&x, call, collect, err);
	if (r >= 0) {
		int written = write_all(&x.c, o->output, collect->hash, collect->progress, err);
		r = written < 0 ? written : r;
	}
	co_progress_close(collect->progress);
	collect->progress = NULL;
	if (r < 0) {
		remove_all(o->output, made == 0);
	} else {
		int code = an_input_problems(&x.c);
		print_summary(&x.c, o->output);
		r = o->json ? print_json(&x.c, o, collect->hash, err) : 0;
		r = r == 0 ? code : r;
	}
	an_collect_close(&x);
	return r;
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	struct an_collect_opts collect;
	enum an_hash_mode hash = AN_HASH_ALL;
	enum co_progress_mode mode = CO_PROGRESS_AUTO;
	if (!o->output)
		return co_err_set(err, CO_ERR_USAGE, 0, "--output: the folder for the case is missing");
	int r = parse_hash(o->hash, &hash, err);
	if (r == 0)
		r = co_cancel_install(err);
	if (r == 0)
		r = co_progress_mode_parse(o->progress.mode, &mode, err);
	if (r == 0)
		r = an_input_options(&collect, &o->input, hash, err);
	if (r == 0)
		r = co_progress_open(&collect.progress, mode, o->progress.status_file, err);
	if (r < 0)
		return r;
	r = make_case(call, &collect, err);
	co_progress_close(collect.progress);
	return r;
}

const struct co_command an_cmd_run = {
	.name = "run",
	.operands = "IMAGE... --output CASE",
	.summary = "examine an image: all of it, into a case folder",
	.details =
		"IMAGE is one image: an E01 (one segment is enough), a raw or split raw image, a device, or an "
		"evidence\n"
		"bag. Several operands are the segments of one image. CASE gets case.db, findings.json, report.html,\n"
		"timeline.csv, hashes.sha256 and, last, manifest-sha256.txt over all of these.",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
