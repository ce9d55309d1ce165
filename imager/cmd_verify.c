/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "acquire/check.h"
#include "acquire/record.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "commands.h"
#include "output.h"
#include "run/cancel.h"

#define THREADS_MAX 256

struct opts {
	const char *certificate;
	uint64_t threads;
	bool json;
	struct co_progress_args progress;
};

static const struct co_option options[] = {
	{ "certificate", 0, "CA.pem", CO_OPT_STRING, offsetof(struct opts, certificate),
	  "certificates that are trusted: the bag must be signed, and signer and time stamp go back to one of them" },
	{ "threads", 0, "N", CO_OPT_UINT, offsetof(struct opts, threads), "threads that decode (one per processor)" },
	{ "json", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, json), "print one JSON object" },
	CO_PROGRESS_OPTIONS(struct opts, progress),
	{ 0 },
};

static void signature_json(struct co_json *j, const struct co_signature *s)
{
	co_json_object(j, "signature");
	co_json_bool(j, "present", s->present);
	co_json_str(j, "signer", s->signer);
	co_json_bool(j, "certificate_checked", s->certificate_checked);
	if (s->present)
		co_json_bool(j, "valid", s->valid);
	else
		co_json_null(j, "valid");
	co_json_time(j, "time_stamp", s->stamped ? s->time_ns : CO_TIME_NONE);
	co_json_end_object(j);
}

static int result_json(const struct im_check *c, const char *name, struct co_str *s, struct co_err *err)
{
	struct co_json j;

	co_json_to_str(&j, s, true);
	co_json_object(&j, NULL);
	co_json_str(&j, "schema", "exhibit.verification/1");
	co_json_str(&j, "name", name);
	co_json_str(&j, "result", im_check_result_name(c->result));
	co_json_array(&j, "problems");
	for (size_t i = 0; i < c->problems.n; i++)
		co_json_str(&j, NULL, c->problems.at[i]);
	co_json_end_array(&j);
	co_json_object(&j, "media");
	co_json_uint(&j, "bytes", c->media_bytes);
	co_json_uint(&j, "padding_bytes", c->padding_bytes);
	co_json_end_object(&j);
	im_digests_json(&j, "digests", &c->plain);
	if (c->padding_bytes)
		im_digests_json(&j, "padded_digests", &c->computed);
	im_digests_json(&j, "stored_digests", &c->stored);
	im_digests_json(&j, "recorded_digests", &c->recorded);
	co_json_uint(&j, "damaged_chunks", c->damaged_chunks);
	co_json_uint(&j, "differing_blocks", c->differing_blocks);
	signature_json(&j, &c->signature);
	co_json_end_object(&j);
	co_json_newline(&j);
	return co_json_end(&j, err);
}

static void signature_text(struct co_str *s, const struct co_signature *g)
{
	const char *checked = g->certificate_checked ? "" : ", certificate not checked";
	char time[40];

	if (!g->valid)
		return; /* not signed, or the problems say what is wrong */
	co_str_add(s, "signed by ");
	co_str_add_visible(s, g->signer, strlen(g->signer));
	co_str_addf(s, "%s\n", checked);
	if (!g->stamped)
		return;
	co_time_text(g->time_ns, time);
	co_str_addf(s, "time stamp %s%s\n", time, checked);
}

static void result_text(const struct im_check *c, const char *name, struct co_str *s)
{
	for (size_t i = 0; i < c->problems.n; i++) {
		co_str_add(s, "PROBLEM  ");
		co_str_add_visible(s, c->problems.at[i], strlen(c->problems.at[i]));
		co_str_add(s, "\n");
	}
	if (c->decoded) {
		im_digests_text(s, "medium   ", &c->plain);
		if (c->padding_bytes)
			im_digests_text(s, "padded   ", &c->computed);
		im_digests_text(s, "image    ", &c->stored);
		im_digests_text(s, "record   ", &c->recorded);
	}
	signature_text(s, &c->signature);
	co_str_add_visible(s, name, strlen(name));
	switch (c->result) {
	case IM_CHECK_MATCH:
		co_str_addf(s, ": match, %" PRIu64 " bytes verified\n", c->media_bytes);
		break;
	case IM_CHECK_MISMATCH:
		co_str_addf(s, ": MISMATCH, %zu problems\n", c->problems.n);
		break;
	default:
		co_str_add(s, ": no digest is stored in the image: only chunk checksums were checked\n");
		break;
	}
}

static int check(struct im_check *ret, const char *name, const struct opts *o, struct co_err *err)
{
	struct im_check_opts opts = { .threads = (unsigned)o->threads, .trusted = o->certificate };
	enum co_progress_mode mode;
	bool is_bag = false;
	int r;

	if (o->threads > THREADS_MAX)
		return co_err_set(err, CO_ERR_USAGE, 0, "--threads must be at most %d", THREADS_MAX);
	r = co_progress_mode_parse(o->progress.mode, &mode, err);
	if (r == 0)
		r = im_is_bag(name, &is_bag, err);
	if (r == 0 && o->certificate && !is_bag)
		r = co_err_set(err, CO_ERR_USAGE, 0, "--certificate is for bags: an image alone is not signed");
	if (r == 0)
		r = co_cancel_install(err);
	if (r == 0)
		r = co_progress_open(&opts.progress, mode, o->progress.status_file, err);
	if (r < 0)
		return r;
	r = is_bag ? im_check_bag(ret, name, &opts, err) : im_check_image(ret, name, &opts, err);
	co_progress_close(opts.progress);
	return r;
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	const char *name = call->args[0];
	IM_CLEANUP_CHECK struct im_check result = { 0 };
	CO_CLEANUP_STR struct co_str out = { 0 };
	int r = check(&result, name, o, err);

	if (r == 0 && o->json)
		r = result_json(&result, name, &out, err);
	else if (r == 0)
		result_text(&result, name, &out);
	if (r == 0)
		r = im_print(&out, err);
	if (r < 0)
		return r;
	return result.result == IM_CHECK_MISMATCH ? CO_EXIT_MISMATCH : CO_EXIT_OK;
}

const struct co_command im_cmd_verify = {
	.name = "verify",
	.operands = "BAG|IMAGE.E01",
	.summary = "check a bag or image from end to end: signature, files, chunks, digests, blocks, header against "
		   "record",
	.details = "A signature is checked if there is one; without --certificate it says only that the bag did not\n"
		   "change since somebody signed it, not who. Revocation is not checked. Exit status 4: there are\n"
		   "differences or damage, all of which are listed; 1: there is nothing that could be checked.",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
