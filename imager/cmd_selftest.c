/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "commands.h"
#include "manifest/sign.h"
#include "output.h"
#include "run/cancel.h"
#include "run/log.h"
#include "selftest/run.h"

struct opts {
	const char *output, *program, *sign_key, *sign_certificate;
	struct co_option_list only;
	bool list, json, keep;
};

static const struct co_option options[] = {
	{ "output", 'o', "DIR", CO_OPT_STRING, offsetof(struct opts, output), "new or empty folder for the report" },
	{ "only", 0, "ID", CO_OPT_LIST, offsetof(struct opts, only),
	  "only this row, or all rows of this assertion (\"DA-AM-01\"); can be given several times" },
	{ "list", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, list), "print the matrix and do nothing else" },
	{ "program", 0, "PATH", CO_OPT_STRING, offsetof(struct opts, program),
	  "validate this build of exhibit-imager instead of the one that runs" },
	{ "keep", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, keep), "keep disks and images, in DIR/work" },
	{ "sign-key", 0, "K.pem", CO_OPT_STRING, offsetof(struct opts, sign_key),
	  "sign the report with this private key (ECDSA P-256 or P-384, or RSA)" },
	{ "sign-cert", 0, "C.pem", CO_OPT_STRING, offsetof(struct opts, sign_certificate), "certificate of that key" },
	{ "json", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, json),
	  "print the report (or the matrix) as one JSON object" },
	{ 0 },
};

static int list(bool json, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	struct co_json j;
	int r = 0;

	if (json) {
		co_json_to_str(&j, &s, true);
		im_matrix_json(&j);
		co_json_newline(&j);
		r = co_json_end(&j, err);
	} else {
		im_matrix_text(&s);
	}
	return r < 0 ? r : im_print(&s, err);
}

static void tell(const struct im_result *r)
{
	if (r->outcome == IM_FAILED)
		co_log_warn("%s: FAILED: %s", r->row->id, r->reason);
	else if (r->outcome != IM_NOT_APPLICABLE)
		co_log_note("%s: %s%s%s", r->row->id, im_outcome_name(r->outcome), r->reason[0] ? ": " : "", r->reason);
}

/* Full names: commands may be run from other folders. */
static int full_name(const char *name, char **ret, struct co_err *err)
{
	*ret = name ? realpath(name, NULL) : NULL;
	return name && !*ret ? co_err_set(err, CO_ERR_FAILED, 0, "%s can't be found", name) : 0;
}

static int report(const struct im_validation *v, const struct im_machine *m, const struct opts *o,
		  const struct co_signer *signer, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	int r = im_validation_write(v, m, o->output, signer, err);

	if (r == 0 && o->json)
		r = im_validation_json(v, m, &s, err);
	if (r == 0 && o->json)
		r = im_print(&s, err);
	if (r < 0)
		return r;
	co_log_note("%zu passed, %zu failed, %zu not run, %zu not applicable: %s/validation.txt", v->counts[IM_PASSED],
		    v->counts[IM_FAILED], v->counts[IM_NOT_RUN], v->counts[IM_NOT_APPLICABLE], o->output);
	return v->counts[IM_FAILED] ? CO_EXIT_MISMATCH : CO_EXIT_OK;
}

static int validate(const struct opts *o, const char *command_line, const struct co_signer *signer, struct co_err *err)
{
	CO_CLEANUP_FREE char *key = NULL, *certificate = NULL;
	IM_CLEANUP_VALIDATION struct im_validation v = { 0 };
	struct im_machine m = { 0 };
	int r = full_name(o->sign_key, &key, err);

	if (r == 0)
		r = full_name(o->sign_certificate, &certificate, err);
	const struct im_machine_opts opts = { .folder = o->output,
					      .program = o->program,
					      .sign_key = key,
					      .sign_certificate = certificate,
					      .keep = o->keep };
	if (r == 0)
		r = im_machine_open(&m, &opts, err);
	if (r < 0)
		return r;
	r = im_validate(&v, &m, &o->only, tell, err);
	v.command_line = command_line;
	if (r == 0)
		r = report(&v, &m, o, signer, err);
	im_machine_close(&m);
	return r;
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	const struct co_signer_files files = { .key = o->sign_key, .certificate = o->sign_certificate };
	CO_CLEANUP_SIGNER struct co_signer *signer = NULL;
	int r;

	if (o->list)
		return list(o->json, err);
	if (!o->output || !o->output[0])
		return co_err_set(err, CO_ERR_USAGE, 0, "--output DIR is missing");
	if (!o->sign_key != !o->sign_certificate)
		return co_err_set(err, CO_ERR_USAGE, 0, "--sign-key and --sign-cert need each other");
	r = o->sign_key ? co_signer_open(&signer, &files, err) : 0;
	if (r == 0)
		r = co_cancel_install(err);
	return r < 0 ? r : validate(o, call->command_line, signer, err);
}

const struct co_command im_cmd_selftest = {
	.name = "selftest",
	.operands = "--output DIR",
	.summary = "run the acceptance matrix on this machine, and write a validation report",
	.details =
		"The rows (docs/validation.md) run the installed program itself on disks of known content: loop\n"
		"devices, which need root, and files. DIR gets validation.txt, validation.json and validation.sha256,\n"
		"which --sign-key and --sign-cert sign (validation.sha256.p7s). What can't be run here is listed with\n"
		"the reason and does not count as passed. Exit status 0: all that could run passed; 4: a row failed;\n"
		"75: interrupted, there is no report.",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
