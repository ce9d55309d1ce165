/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/verify.h"
#include "base/bytes.h"
#include "device/identity.h"
#include "e01/reader.h"
#include "hash/digest.h"
#include "io/sink.h"
#include "run/cancel.h"
#include "run/pool.h"

#define BUFFER ((size_t)1 << 20)
#define ZERO_RUN ((size_t)64 << 10) /* zeros that are worth a hole: a multiple of the blocks of all file systems */

/* What is written to. */
struct target {
	int fd;
	bool device;
	bool begun;       /* bytes of a device were changed */
	const char *name; /* borrowed */
	char *part;       /* NAME.part; NULL for a device */
	uint64_t size;    /* of the device */
};

struct export
{
	const struct im_export_opts *opts;
	const struct co_e01_info *info;
	struct im_exported *result;
	struct target to;
};

const char *im_export_result_name(enum im_export_result result)
{
	switch (result) {
	case IM_EXPORT_MATCH:
		return "match";
	case IM_EXPORT_DAMAGED:
		return "damaged";
	case IM_EXPORT_MISMATCH:
		return "mismatch";
	default:
		return "no-digest";
	}
}

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the export");
}

static int problem(struct export *e, struct co_err *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int problem(struct export *e, struct co_err *err, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text && co_vec_push(&e->result->problems, text) == 0)
		return 0;
	free(text);
	return no_memory(err);
}

/* --- the target --- */

/* Why the device can't be taken, as far as the kernel's tables tell. A mounted neighbour of a partition is in no
 * danger. */
static int check_free(const struct im_device *d, struct co_err *err)
{
	if (d->kind == IM_KIND_PARTITION && d->mount && strcmp(d->mount, "swap") == 0)
		return co_err_set(err, CO_ERR_USAGE, 0, "%s is used as swap: swapoff it first", d->path);
	if (d->kind == IM_KIND_PARTITION && d->mount)
		return co_err_set(err, CO_ERR_USAGE, 0, "%s is mounted: unmount it first", d->path);
	if (d->kind != IM_KIND_PARTITION && d->in_use)
		return co_err_set(err, CO_ERR_USAGE, 0, "%s", d->in_use);
	if (d->read_only)
		return co_err_set(err, CO_ERR_USAGE, 0, "%s is write-protected", d->path);
	return 0;
}

/* @sys: why it could not be opened, or 0. */
static int check_device(const struct target *t, int sys, struct co_err *err)
{
	IM_CLEANUP_DEVICE struct im_device d = { 0 };
	IM_CLEANUP_USES struct im_uses uses = { 0 };
	struct stat st;
	int r = im_uses_load(&uses, NULL, NULL, err);

	if (r == 0)
		r = im_device_identify(&d, t->name, &uses, err);
	if (r == 0)
		r = check_free(&d, err);
	if (r < 0)
		return r;
	if (sys == EBUSY)
		return co_err_set(err, CO_ERR_USAGE, 0, "%s is in use by another program", t->name);
	if (sys)
		return co_err_set(err, CO_ERR_OUTPUT, sys, "open %s", t->name);
	if (fstat(t->fd, &st) < 0 || !S_ISBLK(st.st_mode) || st.st_rdev != d.dev)
		return co_err_set(err, CO_ERR_OUTPUT, 0, "%s became another device while it was opened", t->name);
	return 0;
}

static int open_device(struct target *t, uint64_t bytes, struct co_err *err)
{
	off_t size;

	t->device = true;
	/* O_EXCL: no mount, swap, RAID or LVM has it, or can take it meanwhile. */
	t->fd = open(t->name, O_RDWR | O_EXCL | O_CLOEXEC | O_NOCTTY);
	if (t->fd < 0)
		return check_device(t, errno, err);
	size = lseek(t->fd, 0, SEEK_END);
	if (size < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "find the size of %s", t->name);
	t->size = (uint64_t)size;
	if (t->size < bytes)
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "%s is too small: it has %" PRIu64 " bytes, the medium %" PRIu64, t->name, t->size,
				  bytes);
	return check_device(t, 0, err);
}

static int open_file(struct target *t, struct co_err *err)
{
	if (asprintf(&t->part, "%s.part", t->name) < 0) {
		t->part = NULL;
		return no_memory(err);
	}
	t->fd = open(t->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644);
	if (t->fd >= 0)
		return 0;
	if (errno == EEXIST)
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "%s exists already, left by an export that did not succeed: remove it first",
				  t->part);
	return co_err_set(err, CO_ERR_OUTPUT, errno, "create %s", t->part);
}

static int open_target(struct target *t, const struct im_export_opts *o, uint64_t bytes, struct co_err *err)
{
	struct stat st;

	t->name = o->output;
	if (stat(t->name, &st) == 0 && S_ISBLK(st.st_mode)) {
		if (!o->overwrite_device)
			return co_err_set(err, CO_ERR_USAGE, 0,
					  "%s is a block device: all on it would be lost; say --overwrite-device if "
					  "that is meant",
					  t->name);
		return open_device(t, bytes, err);
	}
	if (o->overwrite_device)
		return co_err_set(err, CO_ERR_USAGE, 0, "%s is not a block device, but --overwrite-device was given",
				  t->name);
	if (lstat(t->name, &st) == 0)
		return co_err_set(err, CO_ERR_USAGE, 0, "%s exists already", t->name);
	return open_file(t, err);
}

static const char *written_name(const struct target *t)
{
	return t->part ? t->part : t->name;
}

static int write_run(struct target *t, const uint8_t *bytes, size_t len, uint64_t off, struct co_err *err)
{
	t->begun = t->begun || (t->device && len);
	while (len) {
		ssize_t n = pwrite(t->fd, bytes, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return co_err_set(err, CO_ERR_OUTPUT, n < 0 ? errno : ENOSPC, "write %s", written_name(t));
		bytes += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

static int write_sparse(struct target *t, const uint8_t *bytes, size_t len, uint64_t off, struct co_err *err)
{
	size_t from = 0, n;
	int r = 0;

	for (size_t at = 0; r == 0 && at < len; at += n) {
		n = (size_t)co_min_u64(ZERO_RUN, len - at);
		if (!co_is_zero(bytes + at, n))
			continue;
		r = write_run(t, bytes + from, at - from, off + from, err);
		from = at + n;
	}
	return r < 0 ? r : write_run(t, bytes + from, len - from, off + from, err);
}

/* All is on the disk, also a hole at the end. */
static int settle(const struct target *t, uint64_t bytes, struct co_err *err)
{
	if (!t->device && ftruncate(t->fd, (off_t)bytes) < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "write %s", t->part);
	if (fsync(t->fd) < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "sync %s", written_name(t));
	return 0;
}

static int hash_target(const struct target *t, uint64_t bytes, struct co_hasher *h, uint8_t *buf,
		       struct co_progress *progress, struct co_err *err)
{
	for (uint64_t off = 0; off < bytes;) {
		ssize_t n = pread(t->fd, buf, (size_t)co_min_u64(BUFFER, bytes - off), (off_t)off);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return co_err_set(err, CO_ERR_OUTPUT, errno, "read back %s at byte %" PRIu64, written_name(t),
					  off);
		if (n == 0)
			return co_err_set(err, CO_ERR_OUTPUT, 0, "%s ends at byte %" PRIu64 " instead of %" PRIu64,
					  written_name(t), off, bytes);
		r = co_hasher_add(h, buf, (size_t)n, err);
		if (r == 0)
			r = co_cancel_check(err);
		if (r < 0)
			return r;
		co_progress_add(progress, (uint64_t)n);
		off += (uint64_t)n;
	}
	return 0;
}

static int digest_target(const struct target *t, uint64_t bytes, struct co_progress *progress, struct co_digests *ret,
			 struct co_err *err)
{
	CO_CLEANUP_FREE uint8_t *buf = malloc(BUFFER);
	struct co_hasher *h = NULL;
	int r;

	if (!buf)
		return no_memory(err);
	co_progress_phase(progress, "read back", bytes, "bytes");
	(void)!posix_fadvise(t->fd, 0, 0, POSIX_FADV_DONTNEED);
	r = co_hasher_open(&h, CO_HASH_BIT(CO_HASH_SHA256), err);
	if (r < 0)
		return r;
	r = hash_target(t, bytes, h, buf, progress, err);
	if (r == 0)
		r = co_hasher_finish(h, ret, err);
	co_hasher_close(h);
	return r;
}

static int close_target(struct target *t, struct co_err *err)
{
	int r = close(t->fd);

	t->fd = -1;
	return r < 0 ? co_err_set(err, CO_ERR_OUTPUT, errno, "close %s", written_name(t)) : 0;
}

/* A name that might be gone after a power cut is taken away: it must not be relied on. */
static int publish(const struct target *t, struct co_err *err)
{
	int r = co_rename_new(t->part, t->name, err);

	if (r < 0 && unlink(t->part) < 0 && errno == ENOENT)
		unlink(t->name);
	return r;
}

/* Ends what failed: a file goes, a device can't be brought back. */
static int give_up(struct target *t, int code, struct co_err *err)
{
	if (t->part && t->fd >= 0)
		unlink(t->part);
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	return t->begun ? co_err_wrap(err, "the copy on %s is incomplete", t->name) : code;
}

/* --- decoding --- */

/* The record tells where the medium ends if it did not end with a sector. */
static int find_size(struct export *e, struct co_err *err)
{
	const struct im_recorded *rec = e->opts->recorded;
	uint64_t size = e->opts->image->size;

	e->result->bytes = size;
	if (!rec)
		return 0;
	if (memcmp(e->info->guid, rec->guid, sizeof rec->guid) != 0)
		return problem(e, err,
			       "the GUID of the image is not the one in the record: it belongs to another acquisition");
	if (!im_recorded_fits(rec, size, e->info->sector_size))
		return problem(e, err,
			       "the image holds %" PRIu64 " bytes, but the record states %" PRIu64
			       " and a padding of %" PRIu64,
			       size, rec->media_bytes, rec->padding_bytes);
	e->result->bytes = rec->media_bytes;
	return 0;
}

static unsigned digest_set(const struct export *e)
{
	const struct im_recorded *rec = e->opts->recorded;

	return e->opts->set | e->info->stored.set | CO_HASH_BIT(CO_HASH_SHA256) |
	       (rec ? rec->plain.set | rec->padded.set : 0);
}

static int write_buffer(void *arg, const struct co_buf *buf, struct co_err *err)
{
	struct export *e = arg;
	struct target *t = &e->to;
	size_t len = (size_t)co_min_u64(buf->len, e->result->bytes - buf->off);

	return t->device ? write_run(t, buf->data, len, buf->off, err) : write_sparse(t, buf->data, len, buf->off, err);
}

static int decode(struct export *e, struct co_err *err)
{
	const struct im_export_opts *o = e->opts;
	struct im_decode_opts opts = { .image = o->image,
				       .bytes = e->result->bytes,
				       .set = digest_set(e),
				       .threads = o->threads ? o->threads : co_pool_cores(),
				       .each = write_buffer,
				       .each_arg = e,
				       .phase = "export",
				       .progress = o->progress };
	struct im_decoded decoded;
	int r = im_decode(&decoded, &opts, err);

	if (r < 0)
		return r;
	e->result->digests = decoded.digests;
	e->result->damaged = decoded.damaged;
	decoded.damaged = (struct im_ranges) { 0 };
	im_decoded_free(&decoded);
	return 0;
}

/* --- judging --- */

static int compare(struct export *e, const struct co_digests *computed, const struct co_digests *stated,
		   const char *who, struct co_err *err)
{
	unsigned differ = co_digests_differ(computed, stated);
	char is[2 * CO_HASH_MAX + 1], must[2 * CO_HASH_MAX + 1];
	int r = 0;

	for (enum co_hash_alg alg = 0; r == 0 && alg < CO_HASH_N; alg++) {
		if (!(differ & CO_HASH_BIT(alg)))
			continue;
		co_digests_hex(computed, alg, is);
		co_digests_hex(stated, alg, must);
		r = problem(e, err, "the %s of the medium is %s, but %s states %s", co_hash_name(alg), is, who, must);
	}
	return r;
}

static int compare_all(struct export *e, struct co_err *err)
{
	const struct im_media_digests *d = &e->result->digests;
	const struct im_recorded *rec = e->opts->recorded;
	int r = compare(e, &d->padded, &e->info->stored, "the image", err);

	if (r == 0 && rec)
		r = compare(e, &d->plain, &rec->plain, "the record", err);
	if (r == 0 && rec && rec->padding_bytes)
		r = compare(e, &d->padded, &rec->padded, "the record (padded)", err);
	return r;
}

static int read_back(struct export *e, struct co_err *err)
{
	struct im_exported *result = e->result;
	char is[2 * CO_HASH_MAX + 1], must[2 * CO_HASH_MAX + 1];
	struct co_digests back;
	int r = digest_target(&e->to, result->bytes, e->opts->progress, &back, err);

	if (r < 0)
		return r;
	result->read_back = true;
	if (!co_digests_differ(&back, &result->digests.plain))
		return 0;
	co_digests_hex(&back, CO_HASH_SHA256, is);
	co_digests_hex(&result->digests.plain, CO_HASH_SHA256, must);
	return problem(e, err, "%s does not hold what was written to it: its sha256 read back is %s, not %s",
		       written_name(&e->to), is, must);
}

static enum im_export_result conclude(const struct export *e)
{
	const struct im_recorded *rec = e->opts->recorded;

	if (e->result->problems.n)
		return IM_EXPORT_MISMATCH;
	if (e->result->damaged.total)
		return IM_EXPORT_DAMAGED;
	return e->info->stored.set || (rec && rec->plain.set) ? IM_EXPORT_MATCH : IM_EXPORT_NO_DIGEST;
}

static int finish(struct export *e, struct co_err *err)
{
	struct im_exported *result = e->result;
	struct target *t = &e->to;
	bool rename;
	int r;

	result->result = conclude(e);
	rename = t->part && result->result != IM_EXPORT_MISMATCH;
	result->name = strdup(rename ? t->name : written_name(t));
	if (!result->name)
		return no_memory(err);
	result->device = t->device;
	result->untouched = t->device ? t->size - result->bytes : 0;
	r = close_target(t, err);
	if (r < 0) {
		if (t->part)
			unlink(t->part);
		return r;
	}
	return rename ? publish(t, err) : 0;
}

static int export_all(struct export *e, struct co_err *err)
{
	int r = find_size(e, err);

	if (r == 0)
		r = open_target(&e->to, e->opts, e->result->bytes, err);
	if (r == 0)
		r = decode(e, err);
	if (r == 0)
		r = settle(&e->to, e->result->bytes, err);
	if (r == 0 && e->result->damaged.total == 0)
		r = compare_all(e, err);
	if (r == 0 && e->opts->read_back)
		r = read_back(e, err);
	return r < 0 ? r : finish(e, err);
}

int im_export(struct im_exported *ret, const struct im_export_opts *opts, struct co_err *err)
{
	IM_CLEANUP_EXPORTED struct im_exported result = { 0 };
	struct export e = { .opts = opts, .info = co_e01_info(opts->image), .result = &result, .to = { .fd = -1 } };
	int r = export_all(&e, err);

	if (r < 0)
		r = give_up(&e.to, r, err);
	free(e.to.part);
	if (r < 0)
		return r;
	*ret = result;
	result = (struct im_exported) { 0 };
	return 0;
}

void im_exported_free(struct im_exported *e)
{
	for (size_t i = 0; i < e->problems.n; i++)
		free(e->problems.at[i]);
	co_vec_free(&e->problems);
	im_ranges_free(&e->damaged);
	free(e->name);
	*e = (struct im_exported) { 0 };
}
