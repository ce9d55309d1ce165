/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "acquire/acquire.h"
#include "acquire/earlier.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "commands.h"
#include "device/inherited.h"
#include "output.h"
#include "run/cancel.h"
#include "run/log.h"

#define SEGMENT_MIN (UINT64_C(1) << 20)
#define THREADS_MAX 256
#define READ_TIMEOUT 60 /* seconds: what kernels and drives give a command, with some tries */
#define AREA_TIMEOUT 300
#define RETRIES_MAX 1000
#define SECONDS_MAX 86400

struct opts {
	const char *output, *second_output, *name, *case_number, *evidence_number, *examiner, *description, *notes;
	const char *compression, *hashes, *guid, *sign_key, *sign_certificate;
	uint64_t segment_size, threads, retries, read_timeout, area_timeout;
	int64_t date;
	bool resume, resume_check_all, require_write_block, no_verify, no_block_digests, dry_run, json;
	struct co_progress_args progress;
};

static const struct co_option options[] = {
	{ "output", 'o', "BAG", CO_OPT_STRING, offsetof(struct opts, output), "new folder for the evidence bag" },
	{ "second-output", 0, "BAG2", CO_OPT_STRING, offsetof(struct opts, second_output),
	  "new folder for a second, equal bag, written in the same pass" },
	{ "name", 0, "NAME", CO_OPT_STRING, offsetof(struct opts, name), "name of the files in the bag (image)" },
	{ "case-number", 0, "TEXT", CO_OPT_STRING, offsetof(struct opts, case_number), "number of the case" },
	{ "evidence-number", 0, "TEXT", CO_OPT_STRING, offsetof(struct opts, evidence_number),
	  "number of this piece of evidence" },
	{ "examiner", 0, "TEXT", CO_OPT_STRING, offsetof(struct opts, examiner), "name of the examiner" },
	{ "description", 0, "TEXT", CO_OPT_STRING, offsetof(struct opts, description), "what the source is" },
	{ "notes", 0, "TEXT", CO_OPT_STRING, offsetof(struct opts, notes), "anything else for the record" },
	{ "compression", 0, "LEVEL", CO_OPT_STRING, offsetof(struct opts, compression), "none, fast or best (fast)" },
	{ "segment-size", 0, "SIZE", CO_OPT_SIZE, offsetof(struct opts, segment_size),
	  "largest size of a segment file (a 64th of the source, 64M to 1500M)" },
	{ "hash", 0, "LIST", CO_OPT_STRING, offsetof(struct opts, hashes),
	  "digests besides sha256, which is always made (md5,sha1)" },
	{ "threads", 0, "N", CO_OPT_UINT, offsetof(struct opts, threads),
	  "threads that compress, for each output (one per processor)" },
	{ "resume", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, resume),
	  "go on with the acquisition that BAG was begun for; what shapes the image comes from there" },
	{ "resume-check-all", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, resume_check_all),
	  "before, compare all that BAG holds with the source, not only samples" },
	{ "require-write-block", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, require_write_block),
	  "do nothing unless each layer of the write block holds" },
	{ "sector-retries", 0, "N", CO_OPT_UINT, offsetof(struct opts, retries),
	  "how often each bad sector is read again at the end (0)" },
	{ "read-timeout", 0, "S", CO_OPT_UINT, offsetof(struct opts, read_timeout),
	  "seconds after which a read that does not end is a source that hangs (60)" },
	{ "area-timeout", 0, "S", CO_OPT_UINT, offsetof(struct opts, area_timeout),
	  "seconds that failing reads of one bad area may take in each pass (300)" },
	{ "no-verify", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, no_verify), "don't read the image back" },
	{ "no-block-digests", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, no_block_digests),
	  "don't make the digests of each MiB, by which differences are located" },
	{ "dry-run", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, dry_run), "print what would be done; change nothing" },
	{ "guid", 0, "HEX", CO_OPT_STRING, offsetof(struct opts, guid),
	  "GUID of the image, 32 hexadecimal digits, for reproducible images (random)" },
	{ "date", 0, "TIME", CO_OPT_TIME, offsetof(struct opts, date),
	  "acquisition date in the image, for reproducible images (now)" },
	{ "sign-key", 0, "K.pem", CO_OPT_STRING, offsetof(struct opts, sign_key),
	  "sign the finished bag with this private key (ECDSA P-256 or P-384, or RSA)" },
	{ "sign-cert", 0, "C.pem", CO_OPT_STRING, offsetof(struct opts, sign_certificate),
	  "certificate of that key; others behind it in the file are put into the signature, too" },
	{ "json", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, json), "print the record as one JSON object" },
	CO_PROGRESS_OPTIONS(struct opts, progress),
	{ 0 },
};

struct request {
	struct im_acquire_opts acquire;
	struct im_earlier earlier[IM_BAGS_MAX];
	char *status_folder;
	uint8_t guid[16];
};

/* Before anything begins: a key that does not fit, found after hours, would cost the signature. */
static int load_signer(const struct opts *o, struct co_signer **ret, struct co_err *err)
{
	const struct co_signer_files files = { .key = o->sign_key, .certificate = o->sign_certificate };

	if (!o->sign_key != !o->sign_certificate)
		return co_err_set(err, CO_ERR_USAGE, 0, "--sign-key and --sign-cert need each other");
	return o->sign_key ? co_signer_open(ret, &files, err) : 0;
}

static void warn_of_slow(const char *name, uint64_t off)
{
	co_log_warn("%s has not answered for five seconds at byte %" PRIu64 ": waiting on", name, off);
}

/* What shapes the image can't be changed any more. */
static int check_resume(const struct opts *o, struct co_err *err)
{
	const struct {
		const char *option;
		bool given;
	} fixed[] = {
		{ "name", o->name },
		{ "case-number", o->case_number },
		{ "evidence-number", o->evidence_number },
		{ "examiner", o->examiner },
		{ "description", o->description },
		{ "notes", o->notes },
		{ "compression", o->compression },
		{ "segment-size", o->segment_size },
		{ "hash", o->hashes },
		{ "guid", o->guid },
		{ "date", o->date != CO_TIME_NONE },
		{ "no-block-digests", o->no_block_digests },
	};

	if (!o->resume && o->resume_check_all)
		return co_err_set(err, CO_ERR_USAGE, 0, "--resume-check-all needs --resume");
	for (size_t i = 0; o->resume && i < sizeof fixed / sizeof fixed[0]; i++)
		if (fixed[i].given)
			return co_err_set(err, CO_ERR_USAGE, 0,
					  "--%s can't be given with --resume: it stays what it was", fixed[i].option);
	return 0;
}

static int parse(const struct opts *o, const struct co_call *call, struct request *ret, struct co_err *err)
{
	struct im_acquire_opts *a = &ret->acquire;
	int r;

	if (!o->output || !o->output[0])
		return co_err_set(err, CO_ERR_USAGE, 0, "--output BAG is missing");
	if (o->second_output && !o->second_output[0])
		return co_err_set(err, CO_ERR_USAGE, 0, "--second-output needs the name of a folder");
	if (strcmp(call->args[0], "-") == 0 && (o->resume || o->dry_run))
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "standard input can't be read twice: no --resume, no --dry-run");
	*a = (struct im_acquire_opts) {
		.bags = { o->output, o->second_output },
		.n_bags = o->second_output ? 2 : 1,
		.name = o->name ? o->name : "image",
		.info = { o->case_number, o->evidence_number, o->examiner, o->description, o->notes },
		.command_line = call->command_line,
		.segment_size = o->segment_size,
		.threads = (unsigned)o->threads,
		.verify = !o->no_verify,
		.block_digests = !o->no_block_digests,
		.date_ns = o->date,
		.retries = (unsigned)o->retries,
		.patience_ns = (int64_t)(o->read_timeout ? o->read_timeout : READ_TIMEOUT) * CO_NS_PER_S,
		.area_ns = (int64_t)(o->area_timeout ? o->area_timeout : AREA_TIMEOUT) * CO_NS_PER_S,
		.slow = warn_of_slow,
		.require_write_block = o->require_write_block,
		.check_all = o->resume_check_all,
		.status_file = o->progress.status_file,
	};
	if (o->retries > RETRIES_MAX || o->read_timeout > SECONDS_MAX || o->area_timeout > SECONDS_MAX)
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "--sector-retries must be at most %d, --read-timeout and --area-timeout %d seconds",
				  RETRIES_MAX, SECONDS_MAX);
	if (o->threads > THREADS_MAX)
		return co_err_set(err, CO_ERR_USAGE, 0, "--threads must be at most %d", THREADS_MAX);
	if (o->segment_size && o->segment_size < SEGMENT_MIN)
		return co_err_set(err, CO_ERR_USAGE, 0, "--segment-size must be at least 1 MiB");
	r = check_resume(o, err);
	if (r == 0)
		r = im_check_name(a->name, err);
	if (r == 0)
		r = im_check_bags(a->bags, a->n_bags, err);
	if (r == 0)
		r = co_compression_parse(o->compression ? o->compression : "fast", &a->compression, err);
	if (r == 0)
		r = co_hash_parse(o->hashes ? o->hashes : "md5,sha1", &a->hashes, err);
	if (r == 0)
		r = co_progress_mode_parse(o->progress.mode, &a->progress, err);
	if (r < 0)
		return r;
	a->hashes |= CO_HASH_BIT(CO_HASH_SHA256);
	if (o->guid) {
		if (strlen(o->guid) != 32 || co_unhex(o->guid, 16, ret->guid) < 0)
			return co_err_set(err, CO_ERR_USAGE, 0, "--guid must have 32 hexadecimal digits");
		a->guid = ret->guid;
	}
	return 0;
}

/* Refuses a full file system; a tight one may do, since images are compressed. */
static int check_space(const char *bag, uint64_t media, uint64_t *ret_free, struct co_err *err)
{
	char have[16], need[16];
	int r = im_free_space(bag, ret_free, err);

	if (r < 0)
		return r;
	if (*ret_free == 0)
		return co_err_set(err, CO_ERR_OUTPUT, 0, "the file system of %s is full", bag);
	co_size_text(*ret_free, have);
	co_size_text(media, need);
	if (*ret_free < media)
		co_log_warn("the file system of %s has %s free, less than the source's %s: the image fits only if it "
			    "can be compressed",
			    bag, have, need);
	return 0;
}

/* Free bytes for each bag. */
static int check_spaces(const struct im_acquire_opts *a, uint64_t media, uint64_t ret_free[IM_BAGS_MAX],
			struct co_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n_bags; i++)
		r = check_space(a->bags[i], media, &ret_free[i], err);
	return r;
}

static void dry_run_text(const struct im_device *d, const struct im_acquire_opts *a, const uint64_t space[IM_BAGS_MAX],
			 struct co_str *s)
{
	char size[16], have[16];

	co_size_text(d->size, size);
	co_str_add(s, "source:      ");
	co_str_add_visible(s, d->path, strlen(d->path));
	co_str_addf(s, " (%s)\nsize:        %" PRIu64 " bytes (%s), sectors of %" PRIu32 " bytes\n",
		    im_kind_name(d->kind), d->size, size, d->logical_sector);
	co_str_add(s, "model:       ");
	co_str_add_visible(s, d->model, strlen(d->model));
	co_str_add(s, "\nserial:      ");
	co_str_add_visible(s, d->serial, strlen(d->serial));
	co_str_addf(s, "\npartitions:  %zu\nin use:      %s\n", d->partitions.n, d->in_use ? d->in_use : "no");
	for (size_t i = 0; i < a->n_bags; i++) {
		co_size_text(space[i], have);
		co_str_add(s, i ? "2nd output:  " : "output:      ");
		co_str_add_visible(s, a->bags[i], strlen(a->bags[i]));
		co_str_addf(s, ", %s free; at most %s are needed\n", have, size);
	}
	co_str_add(s, "nothing was changed (dry run)\n");
}

static int dry_run_json(const struct im_device *d, const struct im_acquire_opts *a, const uint64_t space[IM_BAGS_MAX],
			struct co_str *s, struct co_err *err)
{
	static const char *const keys[IM_BAGS_MAX] = { "output", "second_output" };
	struct co_json j;

	co_json_to_str(&j, s, true);
	co_json_object(&j, NULL);
	co_json_str(&j, "schema", "exhibit.plan/1");
	co_json_bool(&j, "possible", !d->in_use);
	im_device_json(&j, "device", d);
	co_json_uint(&j, "chunk_bytes", im_usual_chunk(d->size));
	co_json_uint(&j, "segment_bytes", a->segment_size ? a->segment_size : im_usual_segment(d->size));
	for (size_t i = 0; i < a->n_bags; i++) {
		co_json_object(&j, keys[i]);
		co_json_str(&j, "bag", a->bags[i]);
		co_json_uint(&j, "free_bytes", space[i]);
		co_json_uint(&j, "needed_bytes_at_most", d->size);
		co_json_end_object(&j);
	}
	co_json_end_object(&j);
	co_json_newline(&j);
	return co_json_end(&j, err);
}

static int dry_run(const char *source, const struct im_acquire_opts *a, bool json, struct co_err *err)
{
	IM_CLEANUP_DEVICE struct im_device device = { 0 };
	IM_CLEANUP_USES struct im_uses uses = { 0 };
	CO_CLEANUP_STR struct co_str s = { 0 };
	uint64_t space[IM_BAGS_MAX] = { 0 };
	int r = im_uses_load(&uses, NULL, NULL, err);

	if (r == 0)
		r = im_device_identify(&device, source, &uses, err);
	if (r == 0)
		r = check_spaces(a, device.size, space, err);
	if (r == 0 && json)
		r = dry_run_json(&device, a, space, &s, err);
	if (r < 0)
		return r;
	if (!json)
		dry_run_text(&device, a, space, &s);
	r = im_print(&s, err);
	if (r == 0 && device.in_use)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s", device.in_use);
	return r;
}

static void warn_of_guard(const struct im_guard *g)
{
	for (size_t i = 0; i < g->layers.n; i++)
		if (!g->layers.at[i].applied)
			co_log_warn("the write block has no %s: %s", g->layers.at[i].name, g->layers.at[i].proof);
}

static bool is_complete(const struct im_bag_record *bag)
{
	return bag->status == IM_STATUS_COMPLETE || bag->status == IM_STATUS_COMPLETE_WITH_ERRORS;
}

static void summarize_bag(const struct im_record *rec, const struct im_bag_record *bag)
{
	char size[16];

	co_size_text(rec->read_bytes, size);
	co_log_note("%s: %" PRIu64 " bytes (%s) read, verification: %s", im_status_name(bag->status), rec->read_bytes,
		    size, im_verification_name(bag->verification));
	if (is_complete(bag))
		co_log_note("evidence bag: %s", bag->path);
	else
		co_log_warn("%s is not a complete evidence bag; its record says why", bag->path);
}

static void summarize(const struct im_record *rec)
{
	struct im_samples_difference samples;
	char hex[2 * CO_HASH_MAX + 1];
	uint64_t writes = 0;

	for (int alg = CO_HASH_N - 1; rec->have_digests && alg >= 0; alg--) {
		co_digests_hex(&rec->digests.plain, (enum co_hash_alg)alg, hex);
		if (hex[0])
			co_log_note("%s %s", co_hash_name((enum co_hash_alg)alg), hex);
	}
	if (rec->bad.total)
		co_log_warn("%" PRIu64
			    " sectors in %zu places can't be read; they are zeros in the image and listed in "
			    "the record",
			    rec->bad.total, rec->bad.list.n);
	if (im_guard_writes_seen(rec->guard, &writes) == 0 && writes > 0)
		co_log_warn("the kernel counted %" PRIu64 " writes or discards on the source's disk", writes);
	if (rec->guard->trace.complete && im_trace_non_reads(&rec->guard->trace) > 0)
		co_log_warn("the kernel saw %" PRIu64
			    " requests to the source's disk that did not only read; the record says whose",
			    im_trace_non_reads(&rec->guard->trace));
	if (im_samples_differ(&rec->samples_before, &rec->samples_after, &samples) > 0 && rec->samples_after.n)
		co_log_warn("the source has changed while it was read: its sample at byte %" PRIu64 " differs",
			    samples.first);
	for (size_t i = 0; i < rec->n_bags; i++)
		summarize_bag(rec, &rec->bags[i]);
}

/* Prints the record as it is in the first bag that is complete; it names the other one, too. */
static int report(const struct im_record *rec, bool json, struct co_err *err)
{
	const struct im_bag_record *bag = &rec->bags[0];
	CO_CLEANUP_STR struct co_str text = { 0 };
	int r;

	summarize(rec);
	if (!json)
		return 0;
	for (size_t i = rec->n_bags; i-- > 0;)
		if (is_complete(&rec->bags[i]))
			bag = &rec->bags[i];
	r = im_record_text(rec, bag, &text, err);
	return r < 0 ? r : im_print(&text, err);
}

/* The folder of the status file, which must stay writable. */
static int find_status_folder(struct request *q, struct co_err *err)
{
	CO_CLEANUP_FREE char *copy = NULL;

	if (!q->acquire.status_file)
		return 0;
	copy = strdup(q->acquire.status_file);
	q->status_folder = copy ? strdup(dirname(copy)) : NULL;
	q->acquire.status_folder = q->status_folder;
	return q->status_folder ? 0 : co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a name");
}

static int acquire(const char *source, const struct opts *o, struct request *q, struct co_err *err)
{
	IM_CLEANUP_GUARD struct im_guard guard = IM_GUARD_NONE;
	IM_CLEANUP_RECORD struct im_record rec = { 0 };
	struct co_err late = CO_ERR_INIT;
	uint64_t space[IM_BAGS_MAX];
	int r, printed;

	im_inherited_close();
	r = strcmp(source, "-") == 0 ? im_guard_open_stream(&guard, err) : im_guard_open(&guard, source, err);
	if (r == 0)
		r = check_spaces(&q->acquire, guard.size, space, err);
	if (r == 0)
		r = find_status_folder(q, err);
	if (r < 0)
		return r;
	r = im_acquire(&rec, &q->acquire, &guard, err);
	if (!rec.name)
		return r;
	warn_of_guard(&guard);
	printed = report(&rec, o->json, &late);
	if (r < 0)
		return r;
	if (printed < 0) {
		*err = late;
		return printed;
	}
	return rec.bad.total ? CO_EXIT_DAMAGED : CO_EXIT_OK;
}

static void free_request(struct request *q)
{
	for (size_t i = 0; i < IM_BAGS_MAX; i++)
		im_earlier_free(&q->earlier[i]);
	free(q->status_folder);
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	CO_CLEANUP_SIGNER struct co_signer *signer = NULL;
	struct request q = { 0 };
	int r = parse(o, call, &q, err);

	if (r == 0)
		r = load_signer(o, &signer, err);
	if (r < 0)
		return r;
	q.acquire.signer = signer;
	if (o->resume)
		q.acquire.earlier = q.earlier;
	if (o->dry_run)
		return dry_run(call->args[0], &q.acquire, o->json, err);
	r = co_cancel_install(err);
	if (r == 0)
		r = acquire(call->args[0], o, &q, err);
	free_request(&q);
	return r;
}

const struct co_command im_cmd_acquire = {
	.name = "acquire",
	.operands = "SOURCE --output BAG",
	.summary = "image a disk, partition or raw file into a new evidence bag",
	.details =
		"The source is claimed exclusively, set read-only in the kernel for the time of the acquisition, and\n"
		"read once past the page cache. The image (E01, EnCase 6 layout) is read back and compared before it\n"
		"gets its final name. With --sign-key and --sign-cert the finished bag is signed as by \"sign\".\n"
		"Exit status 3: done, but some sectors can't be read; 4: what was written is not\n"
		"what was read; 5: a bag can't be written (of two, the other one is complete); 6: the source is gone;\n"
		"75: interrupted.",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
