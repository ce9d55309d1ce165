/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "acquire/check.h"
#include "acquire/damage.h"
#include "acquire/export.h"
#include "acquire/record.h"
#include "acquire/record_read.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "commands.h"
#include "e01/reader.h"
#include "output.h"
#include "run/cancel.h"
#include "run/log.h"

#define THREADS_MAX 256

struct opts {
	const char *output, *hashes;
	uint64_t threads;
	bool overwrite_device, no_verify, json;
	struct co_progress_args progress;
};

static const struct co_option options[] = {
	{ "output", 'o', "FILE|DEVICE", CO_OPT_STRING, offsetof(struct opts, output), "new file, or block device" },
	{ "overwrite-device", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, overwrite_device),
	  "the output is a device, and all that is on it may be lost" },
	{ "hash", 0, "LIST", CO_OPT_STRING, offsetof(struct opts, hashes),
	  "digests to print besides sha256 and those that the image states" },
	{ "threads", 0, "N", CO_OPT_UINT, offsetof(struct opts, threads), "threads that decode (one per processor)" },
	{ "no-verify", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, no_verify), "don't read the output back" },
	{ "json", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, json), "print one JSON object" },
	CO_PROGRESS_OPTIONS(struct opts, progress),
	{ 0 },
};

struct request {
	const char *name; /* of the bag or image */
	bool is_bag;
	struct im_recorded rec;
	struct co_source image;
	enum co_progress_mode progress;
	struct im_export_opts export;
};

static const char *read_back_name(const struct im_exported *x)
{
	return x->read_back ? "done" : "skipped";
}

static void ranges_json(struct co_json *j, const struct request *q, const struct im_exported *x)
{
	const struct co_e01_info *i = co_e01_info(&q->image);

	co_json_array(j, "damaged");
	for (size_t n = 0; n < x->damaged.list.n; n++) {
		uint64_t from = x->damaged.list.at[n].first * i->chunk_size;
		uint64_t to = co_min_u64(from + x->damaged.list.at[n].count * i->chunk_size, i->media_size);

		co_json_array(j, NULL);
		co_json_uint(j, NULL, from / i->sector_size);
		co_json_uint(j, NULL, (to - from + i->sector_size - 1) / i->sector_size);
		co_json_end_array(j);
	}
	co_json_end_array(j);
	co_json_array(j, "unreadable");
	for (size_t n = 0; n < i->n_errors; n++) {
		co_json_array(j, NULL);
		co_json_uint(j, NULL, i->errors[n][0]);
		co_json_uint(j, NULL, i->errors[n][1]);
		co_json_end_array(j);
	}
	co_json_end_array(j);
}

static void texts_json(struct co_json *j, const struct request *q, const struct im_exported *x)
{
	const struct co_e01_info *i = co_e01_info(&q->image);

	co_json_array(j, "problems");
	for (size_t n = 0; n < x->problems.n; n++)
		co_json_str(j, NULL, x->problems.at[n]);
	co_json_end_array(j);
	co_json_array(j, "warnings");
	for (size_t n = 0; n < i->n_warnings; n++)
		co_json_str(j, NULL, i->warnings[n]);
	co_json_end_array(j);
}

static int result_json(const struct request *q, const struct im_exported *x, struct co_str *s, struct co_err *err)
{
	struct co_json j;

	co_json_to_str(&j, s, true);
	co_json_object(&j, NULL);
	co_json_str(&j, "schema", "exhibit.export/1");
	co_json_str(&j, "image", q->name);
	co_json_str(&j, "output", x->name);
	co_json_str(&j, "kind", x->device ? "device" : "file");
	co_json_str(&j, "result", im_export_result_name(x->result));
	co_json_str(&j, "read_back", read_back_name(x));
	co_json_uint(&j, "bytes", x->bytes);
	co_json_uint(&j, "untouched_bytes", x->untouched);
	co_json_uint(&j, "sector_bytes", co_e01_info(&q->image)->sector_size);
	im_digests_json(&j, "digests", &x->digests.plain);
	if (x->bytes != q->image.size)
		im_digests_json(&j, "padded_digests", &x->digests.padded);
	im_digests_json(&j, "stored_digests", &co_e01_info(&q->image)->stored);
	if (q->is_bag)
		im_digests_json(&j, "recorded_digests", &q->rec.plain);
	co_json_uint(&j, "damaged_chunks", x->damaged.total);
	ranges_json(&j, q, x);
	texts_json(&j, q, x);
	co_json_end_object(&j);
	co_json_newline(&j);
	return co_json_end(&j, err);
}

static void tell_damage(void *arg, const char *sentence)
{
	(void)arg;
	co_log_warn("%s: zeros in the output", sentence);
}

static void list_damage(const struct request *q, const struct im_exported *x)
{
	const struct co_e01_info *i = co_e01_info(&q->image);

	for (size_t n = 0; n < i->n_warnings; n++)
		co_log_warn("%s", i->warnings[n]);
	im_tell_damaged(&q->image, &x->damaged, tell_damage, NULL);
	if (i->n_errors)
		co_log_warn("%zu places could not be read when the image was made; they are zeros in it and in the "
			    "output (info lists them)",
			    i->n_errors);
}

static void list_digests(const struct im_exported *x)
{
	char hex[2 * CO_HASH_MAX + 1];

	for (int alg = CO_HASH_N - 1; alg >= 0; alg--) {
		co_digests_hex(&x->digests.plain, (enum co_hash_alg)alg, hex);
		if (hex[0])
			co_log_note("%s %s", co_hash_name((enum co_hash_alg)alg), hex);
	}
}

static void conclude(const struct im_exported *x)
{
	const char *back = x->read_back ? " and read back" : "";

	switch (x->result) {
	case IM_EXPORT_MATCH:
		co_log_note("%s: %" PRIu64 " bytes written%s, all digests match", x->name, x->bytes, back);
		break;
	case IM_EXPORT_DAMAGED:
		co_log_warn("%s: %" PRIu64 " bytes written%s, of which %" PRIu64
			    " chunks are zeros because they are damaged in the image",
			    x->name, x->bytes, back, x->damaged.total);
		break;
	case IM_EXPORT_MISMATCH:
		co_log_error("MISMATCH: %s is not a proven copy%s", x->name,
			     x->device ? "" : ", and was not given its final name");
		break;
	default:
		co_log_warn("%s: %" PRIu64
			    " bytes written%s, but the image states no digest: there was nothing to compare with",
			    x->name, x->bytes, back);
		break;
	}
	if (x->device && x->untouched)
		co_log_note("%s: the last %" PRIu64 " bytes of the device were left as they were", x->name,
			    x->untouched);
}

static int report(const struct request *q, const struct im_exported *x, bool json, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str out = { 0 };
	int r;

	list_damage(q, x);
	list_digests(x);
	for (size_t n = 0; n < x->problems.n; n++)
		co_log_error("PROBLEM  %s", x->problems.at[n]);
	conclude(x);
	if (json) {
		r = result_json(q, x, &out, err);
		if (r == 0)
			r = im_print(&out, err);
		if (r < 0)
			return r;
	}
	if (x->result == IM_EXPORT_MISMATCH)
		return CO_EXIT_MISMATCH;
	return x->damaged.total || co_e01_info(&q->image)->n_warnings ? CO_EXIT_DAMAGED : CO_EXIT_OK;
}

static int parse(const struct opts *o, struct request *q, struct co_err *err)
{
	int r;

	if (!o->output || !o->output[0])
		return co_err_set(err, CO_ERR_USAGE, 0, "--output FILE or DEVICE is missing");
	if (strcmp(o->output, "-") == 0)
		return co_err_set(err, CO_ERR_USAGE, 0, "--output must be a file or device, not standard output");
	if (o->threads > THREADS_MAX)
		return co_err_set(err, CO_ERR_USAGE, 0, "--threads must be at most %d", THREADS_MAX);
	q->export = (struct im_export_opts) { .output = o->output,
					      .overwrite_device = o->overwrite_device,
					      .read_back = !o->no_verify,
					      .threads = (unsigned)o->threads };
	r = o->hashes ? co_hash_parse(o->hashes, &q->export.set, err) : 0;
	return r < 0 ? r : co_progress_mode_parse(o->progress.mode, &q->progress, err);
}

static int open_image(struct request *q, struct co_err *err)
{
	int r = im_is_bag(q->name, &q->is_bag, err);

	if (r < 0)
		return r;
	q->export.image = &q->image;
	if (!q->is_bag)
		return co_e01_open(&q->image, &q->name, 1, NULL, err);
	r = im_record_read(&q->rec, q->name, err);
	q->export.recorded = &q->rec;
	return r < 0 ? r : im_open_recorded(&q->image, &q->rec, err);
}

static int export_image(struct request *q, const struct opts *o, struct co_err *err)
{
	IM_CLEANUP_EXPORTED struct im_exported result = { 0 };
	int r = co_cancel_install(err);

	if (r == 0)
		r = co_progress_open(&q->export.progress, q->progress, o->progress.status_file, err);
	if (r < 0)
		return r;
	r = im_export(&result, &q->export, err);
	co_progress_close(q->export.progress);
	return r < 0 ? r : report(q, &result, o->json, err);
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	struct request q = { .name = call->args[0], .image = CO_SOURCE_NONE };
	int r = parse(o, &q, err);

	if (r == 0)
		r = open_image(&q, err);
	if (r == 0)
		r = export_image(&q, o, err);
	co_source_close(&q.image);
	im_recorded_free(&q.rec);
	return r;
}

const struct co_command im_cmd_export = {
	.name = "export",
	.operands = "BAG|IMAGE.E01 --output FILE|DEVICE",
	.summary = "write the medium in an image as a raw copy, compare its digests, and read it back",
	.details =
		"A file is written as FILE.part, with holes where the medium is zero, and gets its name at the end. A\n"
		"device must not be in use, and needs --overwrite-device. Exit status 3: done, but parts of the image\n"
		"are damaged; they are zeros in the output and listed; 4: what was decoded is not what the image\n"
		"states, or what was read back not what was written: the file keeps the name FILE.part; 5: the output\n"
		"can't be written; 75: interrupted.",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
