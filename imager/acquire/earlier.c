/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/earlier.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acquire/acquire.h"
#include "acquire/stream.h"
#include "base/bytes.h"
#include "e01/reader.h"
#include "e01/segment.h"
#include "io/sink.h"
#include "version.h"

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for what an earlier session has left");
}

static int damaged(const struct im_earlier *e, const char *what, struct co_err *err)
{
	return co_err_set(err, CO_ERR_FORMAT, 0, "%s can't be used to resume: %s", e->recorded.file, what);
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n >= m && strcmp(name + n - m, end) == 0;
}

/* --- the record --- */

static int get_text(const struct im_earlier *e, const json_t *from, const char *key, char **ret, struct co_err *err)
{
	const json_t *v = json_object_get(from, key);

	if (!v || json_is_null(v))
		return 0;
	if (!json_is_string(v))
		return damaged(e, key, err);
	*ret = strdup(json_string_value(v));
	return *ret ? 0 : no_memory(err);
}

static int get_int(const struct im_earlier *e, const json_t *from, const char *key, int64_t least, int64_t most,
		   int64_t *ret, struct co_err *err)
{
	const json_t *v = json_object_get(from, key);

	if (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > most)
		return damaged(e, key, err);
	*ret = json_integer_value(v);
	return 0;
}

static int get_device(struct im_earlier *e, const json_t *root, struct co_err *err)
{
	const json_t *device = json_object_get(root, "device");
	int r = get_text(e, device, "kind", &e->kind, err);

	e->removable = json_is_true(json_object_get(device, "removable"));
	if (r == 0)
		r = get_text(e, device, "model", &e->model, err);

	if (r == 0)
		r = get_text(e, device, "serial", &e->serial, err);
	return r < 0 ? r : get_text(e, device, "wwid", &e->wwid, err);
}

static int get_hashes(struct im_earlier *e, const json_t *root, struct co_err *err)
{
	const json_t *list = json_object_get(root, "hashes");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		unsigned set;

		if (!name || co_hash_parse(name, &set, NULL) < 0)
			return damaged(e, "hashes", err);
		e->hashes |= set;
	}
	return e->hashes & CO_HASH_BIT(CO_HASH_SHA256) ? 0 : damaged(e, "hashes", err);
}

static int get_image(struct im_earlier *e, const json_t *root, struct co_err *err)
{
	const json_t *image = json_object_get(root, "image");
	const char *compression = json_string_value(json_object_get(image, "compression"));
	int64_t v = 0;
	int r;

	if (!compression || co_compression_parse(compression, &e->compression, NULL) < 0)
		return damaged(e, "image.compression", err);
	r = get_int(e, image, "acquired_ns", INT64_MIN, INT64_MAX, &e->acquired_ns, err);
	if (r == 0)
		r = get_int(e, image, "segment_bytes", 1, INT64_MAX, &v, err);
	e->segment_limit = (uint64_t)v;
	if (r == 0)
		r = get_int(e, image, "safe_bytes", 0, INT64_MAX, &v, err);
	e->safe_bytes = (uint64_t)v;
	e->patched = json_is_true(json_object_get(image, "patched"));
	e->block_digests = json_is_object(json_object_get(root, "blocks"));
	return r;
}

static int get_progress(struct im_earlier *e, const json_t *root, struct co_err *err)
{
	const json_t *media = json_object_get(root, "media");
	int64_t v = 0;
	int r = get_int(e, media, "sector_bytes", 512, 65536, &v, err);

	e->sector = (uint32_t)v;
	if (r == 0)
		r = get_int(e, media, "read_bytes", 0, INT64_MAX, &v, err);
	e->read_bytes = (uint64_t)v;
	return r < 0 ? r
		     : get_int(e, json_object_get(root, "clock"), "start_ns", INT64_MIN, INT64_MAX, &e->start_ns, err);
}

static bool is_state(char c)
{
	return c == IM_NON_TRIED || c == IM_NON_TRIMMED || c == IM_NON_SCRAPED || c == IM_BAD;
}

/* [[first, count, "state"], ...] */
static int get_areas(struct im_earlier *e, const json_t *root, struct co_err *err)
{
	const json_t *list = json_object_get(root, "areas");
	uint64_t units = (e->recorded.media_bytes + e->sector - 1) / e->sector, end = 0;

	if (!json_is_array(list))
		return damaged(e, "areas", err);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *a = json_array_get(list, i);
		json_int_t first = json_integer_value(json_array_get(a, 0)),
			   count = json_integer_value(json_array_get(a, 1));
		const char *state = json_string_value(json_array_get(a, 2));

		if (first < 0 || count <= 0 || !state || !is_state(state[0]) || state[1] || (uint64_t)first < end ||
		    !co_in_range((uint64_t)first, (uint64_t)count, units))
			return damaged(e, "areas", err);
		if (im_areas_add(&e->areas, (uint64_t)first, (uint64_t)count, (enum im_state)state[0]) < 0)
			return no_memory(err);
		end = (uint64_t)first + (uint64_t)count;
	}
	return 0;
}

/* [[first, count], ...] */
static int get_plain(struct im_earlier *e, const json_t *root, struct co_err *err)
{
	const json_t *list = json_object_get(json_object_get(root, "image"), "uncompressed_mib");
	uint64_t end = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *range = json_array_get(list, i);
		json_int_t first = json_integer_value(json_array_get(range, 0)),
			   count = json_integer_value(json_array_get(range, 1));

		if (first < 0 || count <= 0 || (uint64_t)first < end || count > INT64_MAX - first)
			return damaged(e, "image.uncompressed_mib", err);
		if (im_ranges_add(&e->plain, (uint64_t)first, (uint64_t)count) < 0)
			return no_memory(err);
		end = (uint64_t)first + (uint64_t)count;
	}
	return 0;
}

static int get_segments(struct im_earlier *e, const json_t *root, struct co_err *err)
{
	const json_t *list = json_object_get(root, "segments");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);
		const char *sha256 = json_string_value(json_object_get(s, "sha256"));
		struct im_kept_segment kept = { 0 };
		int64_t bytes = 0;
		int r = get_int(e, s, "bytes", 1, INT64_MAX, &bytes, err);

		if (r < 0)
			return r;
		if (!sha256 || strlen(sha256) != 64)
			return damaged(e, "segments", err);
		kept.bytes = (uint64_t)bytes;
		memcpy(kept.sha256, sha256, sizeof kept.sha256);
		if (co_vec_push(&e->segments, kept) < 0)
			return no_memory(err);
	}
	return 0;
}

/* As im_samples_json() writes them. */
static int get_samples(struct im_earlier *e, const json_t *root, struct co_err *err)
{
	const json_t *list = json_object_get(json_object_get(root, "write_block"), "samples_before");
	size_t n = json_array_size(list);

	if (n > IM_SAMPLES)
		return damaged(e, "samples_before", err);
	e->samples.size = e->recorded.media_bytes;
	for (; e->samples.n < n; e->samples.n++) {
		const json_t *from = json_array_get(list, e->samples.n);
		const char *sha256 = json_string_value(json_object_get(from, "sha256"));
		struct im_sample *to = &e->samples.at[e->samples.n];
		int64_t offset = 0, length = 0;
		int r = get_int(e, from, "offset", 0, INT64_MAX, &offset, err);

		if (r == 0)
			r = get_int(e, from, "bytes", 1, INT64_MAX, &length, err);
		if (r < 0)
			return r;
		to->offset = (uint64_t)offset;
		to->length = (uint64_t)length;
		to->readable = sha256 && strlen(sha256) == 64 && co_unhex(sha256, 32, to->sha256) == 0;
	}
	return 0;
}

static enum im_status status_of(const char *name)
{
	for (enum im_status s = IM_STATUS_FAILED; s <= IM_STATUS_RUNNING; s++)
		if (name && strcmp(name, im_status_name(s)) == 0)
			return s;
	return IM_STATUS_FAILED;
}

static int add_session(struct im_earlier *e, const json_t *s, const char *status, uint64_t read_bytes,
		       struct co_err *err)
{
	struct im_session session = { .status = status_of(status), .read_bytes = read_bytes };
	int r = get_int(e, s, "start_ns", INT64_MIN, INT64_MAX, &session.start_ns, err);

	if (r < 0)
		return r;
	session.end_ns = json_integer_value(json_object_get(s, "end_ns"));
	return co_vec_push(&e->sessions, session) < 0 ? no_memory(err) : 0;
}

/* The last one is told of by the record as a whole. */
static int get_sessions(struct im_earlier *e, const json_t *root, struct co_err *err)
{
	const json_t *list = json_object_get(root, "earlier_sessions");
	const json_t *last = json_object_get(root, "session");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);
		const json_t *read_bytes = json_object_get(s, "read_bytes");
		int r = add_session(e, s, json_string_value(json_object_get(s, "status")),
				    (uint64_t)json_integer_value(read_bytes), err);

		if (r < 0)
			return r;
	}
	return add_session(e, last, e->recorded.status, e->read_bytes, err);
}

static int get_all(struct im_earlier *e, const json_t *root, struct co_err *err)
{
	static int (*const parts[])(struct im_earlier * e, const json_t *root, struct co_err *err) = {
		get_device, get_hashes,   get_image,   get_progress, get_areas,
		get_plain,  get_segments, get_samples, get_sessions,
	};
	int r = get_text(e, json_object_get(root, "tool"), "version", &e->version, err);

	for (size_t i = 0; r == 0 && i < sizeof parts / sizeof parts[0]; i++)
		r = parts[i](e, root, err);
	return r;
}

static int check_state(const struct im_earlier *e, const char *bag, struct co_err *err)
{
	CO_CLEANUP_FREE char *seal = NULL;
	const char *status = e->recorded.status;

	if (asprintf(&seal, "%s/tagmanifest-sha256.txt", bag) < 0) {
		seal = NULL;
		return no_memory(err);
	}
	if (strncmp(status, "complete", strlen("complete")) == 0 && access(seal, F_OK) == 0)
		return co_err_set(err, CO_ERR_USAGE, 0, "%s is complete: there is nothing to resume", bag);
	if (strcmp(status, im_status_name(IM_STATUS_MISMATCH)) == 0)
		return co_err_set(err, CO_ERR_FAILED, 0,
				  "the image in %s did not hold what had been read: acquire the source anew", bag);
	if (!e->version || strcmp(e->version, CO_VERSION) != 0)
		return co_err_set(err, CO_ERR_FAILED, 0,
				  "%s was begun by version %s; only that version makes the same image", bag,
				  e->version ? e->version : "(unknown)");
	return 0;
}

/* A session whose last record could not be written has taken the name from the one before (im_disown_record). */
static void own_record(const char *bag)
{
	static const char ending[] = ".manifest.json.unsealed";
	CO_CLEANUP_FREE char *folder = NULL;
	CO_CLEANUP_CLOSEDIR DIR *dir = NULL;

	if (asprintf(&folder, "%s/data", bag) < 0)
		folder = NULL;
	dir = folder ? opendir(folder) : NULL;
	for (const struct dirent *d = dir ? readdir(dir) : NULL; d; d = readdir(dir)) {
		CO_CLEANUP_FREE char *name = ends_in(d->d_name, ending) ? strdup(d->d_name) : NULL;

		if (!name)
			continue;
		name[strlen(name) - strlen(".unsealed")] = '\0';
		renameat2(dirfd(dir), d->d_name, dirfd(dir), name, RENAME_NOREPLACE);
	}
}

int im_earlier_read(struct im_earlier *ret, const char *bag, struct co_err *err)
{
	IM_CLEANUP_EARLIER struct im_earlier e = { 0 };
	json_t *root = NULL;
	int r;

	own_record(bag);
	r = im_record_read(&e.recorded, bag, err);
	if (r < 0)
		return co_err_wrap(err, "there is nothing to resume in %s", bag);
	r = im_record_load(&e.recorded, &root, err);
	if (r == 0)
		r = get_all(&e, root, err);
	json_decref(root);
	if (r == 0)
		r = check_state(&e, bag, err);
	if (r < 0)
		return r;
	*ret = e;
	e = (struct im_earlier) { 0 };
	return 0;
}

/* --- the segments --- */

static bool has_size(const char *file, uint64_t bytes)
{
	struct stat st;

	return lstat(file, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == bytes;
}

/* A segment may have been put aside, or be as it was written, or have its final name. */
static int keep_one(struct im_earlier *e, size_t i, const struct im_bag_files *files, struct co_err *err)
{
	static const char *const forms[] = { ".kept", ".part", "" };
	struct im_kept_segment *s = &e->segments.at[i];
	char extension[4];

	if (co_e01_extension((unsigned)i + 1, extension) < 0)
		return damaged(e, "segments", err);
	for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
		CO_CLEANUP_FREE char *kept = NULL, *found = NULL;
		const char *name = e->recorded.name;

		if (asprintf(&kept, "%s/%s.%s.kept", files->data, name, extension) < 0)
			kept = NULL;
		if (asprintf(&found, "%s/%s.%s%s", files->data, name, extension, forms[f]) < 0)
			found = NULL;
		if (!kept || !found)
			return no_memory(err);
		if (!has_size(found, s->bytes))
			continue;
		if (f > 0 && rename(found, kept) < 0)
			return co_err_set(err, CO_ERR_OUTPUT, errno, "rename %s", found);
		s->file = CO_TAKE(kept);
		return 0;
	}
	return 1;
}

/* Bytes that are taken of the first @blocks buffers. What the reader skips depends on the last buffers before: the same
 * is skipped again if it begins where none of them was bad. What was recovered since is worth more than that. */
static uint64_t before_plain(const struct im_earlier *e, uint64_t blocks)
{
	if (!e->patched &&
	    e->recorded.media_bytes - co_min_u64(blocks * IM_STREAM_BUFFER, e->recorded.media_bytes) > IM_STREAM_BUFFER)
		for (size_t i = e->plain.list.n; i-- > 0;) {
			const struct im_range *p = &e->plain.list.at[i];

			if (p->first < blocks && p->first + p->count + IM_STREAM_AHEAD > blocks)
				blocks = p->first;
		}
	return blocks * IM_STREAM_BUFFER;
}

/* Segments that hold anything behind what is taken. */
static void mark_cut(struct im_earlier *e, size_t n)
{
	const char *file;
	uint64_t first, length;

	if (e->bytes >= co_e01_info(&e->image)->present ||
	    co_e01_locate(&e->image, e->bytes, &file, &first, &length) != 0)
		return;
	for (size_t i = n; i-- > 0;) {
		e->segments.at[i].cut = true;
		if (strcmp(e->segments.at[i].file, file) == 0)
			return;
	}
}

static int open_kept(struct im_earlier *e, size_t n, struct co_err *err)
{
	const struct co_e01_opts opts = { .partial = true };
	CO_CLEANUP_FREE const char **names = calloc(n, sizeof *names);
	uint64_t present;
	int r;

	if (!names)
		return no_memory(err);
	for (size_t i = 0; i < n; i++)
		names[i] = e->segments.at[i].file;
	r = co_e01_open(&e->image, names, n, &opts, err);
	if (r < 0)
		return co_err_wrap(err, "what an earlier session has stored");
	present = co_min_u64(co_e01_info(&e->image)->present, e->safe_bytes);
	e->bytes = before_plain(e, present / IM_STREAM_BUFFER);
	mark_cut(e, n);
	return memcmp(co_e01_info(&e->image)->guid, e->recorded.guid, 16) == 0
		       ? 0
		       : damaged(e, "the segments are of another image", err);
}

/* What lies behind the kept part is read again. */
static int cut_areas(struct im_earlier *e, struct co_err *err)
{
	uint64_t units = (e->recorded.media_bytes + e->sector - 1) / e->sector, kept = e->bytes / e->sector;

	if (kept < units && im_areas_set(&e->areas, kept, units - kept, IM_FINISHED) < 0)
		return no_memory(err);
	return 0;
}

int im_earlier_keep(struct im_earlier *e, const struct im_bag_files *files, struct co_err *err)
{
	size_t n = 0;
	int r = 0;

	while (n < e->segments.n && (r = keep_one(e, n, files, err)) == 0)
		n++;
	if (r < 0)
		return r;
	e->segments.n = n;
	r = co_sync_folder(files->data, err);
	if (r == 0 && n)
		r = open_kept(e, n, err);
	return r < 0 ? r : cut_areas(e, err);
}

static bool is_kept(const struct im_earlier *e, const char *name)
{
	for (size_t i = 0; i < e->segments.n; i++) {
		const char *file = e->segments.at[i].file, *slash = file ? strrchr(file, '/') : NULL;

		if (slash && strcmp(slash + 1, name) == 0)
			return true;
	}
	return false;
}

static bool is_to_stay(const struct im_earlier *e, const char *name)
{
	const char *own = e->recorded.name, *rest = name + strlen(own);

	if (strncmp(name, own, strlen(own)) != 0 || *rest != '.')
		return true; /* not ours */
	return (ends_in(rest, ".kept") && is_kept(e, name)) || strncmp(rest, ".events.", 8) == 0 ||
	       strcmp(rest, ".manifest.json") == 0;
}

int im_earlier_clear(const struct im_earlier *e, const struct im_bag_files *files, struct co_err *err)
{
	CO_CLEANUP_CLOSEDIR DIR *dir = opendir(files->data);

	if (!dir)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "open %s", files->data);
	for (const struct dirent *d = readdir(dir); d; d = readdir(dir))
		if (d->d_type != DT_DIR && !is_to_stay(e, d->d_name) && unlinkat(dirfd(dir), d->d_name, 0) < 0)
			return co_err_set(err, CO_ERR_OUTPUT, errno, "remove %s/%s", files->data, d->d_name);
	return 0;
}

int im_earlier_replaced(struct im_earlier *e, size_t i, const char *sha256, struct co_err *err)
{
	struct im_kept_segment *s;

	if (i >= e->segments.n || !e->segments.at[i].file)
		return 0;
	s = &e->segments.at[i];
	if (!e->patched && !s->cut && strcmp(s->sha256, sha256) != 0)
		return co_err_set(err, CO_ERR_MISMATCH, 0,
				  "%s: the same chunks gave another segment than in an earlier session", s->file);
	if (unlink(s->file) < 0 && errno != ENOENT)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "remove %s", s->file);
	free(CO_TAKE(s->file));
	return 0;
}

/* --- the source --- */

static int differs(const char *what, const char *then, const char *now, struct co_err *err)
{
	return co_err_set(
		err, CO_ERR_MISMATCH, 0,
		"this is not the source that the acquisition was begun with: its %s was %.100s, and is %.100s "
		"now",
		what, then && then[0] ? then : "unknown", now && now[0] ? now : "unknown");
}

static bool is_same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

int im_earlier_same_source(const struct im_earlier *e, const struct im_guard *g, struct co_err *err)
{
	char then[24], now[24];

	snprintf(then, sizeof then, "%" PRIu64, e->recorded.media_bytes);
	snprintf(now, sizeof now, "%" PRIu64, g->size);
	if (strcmp(then, now) != 0)
		return differs("size in bytes", then, now, err);
	snprintf(then, sizeof then, "%" PRIu32, e->sector);
	snprintf(now, sizeof now, "%" PRIu32, g->sector);
	if (strcmp(then, now) != 0)
		return differs("sector size", then, now, err);
	/* The image tells of these two, so its bytes would differ. */
	if (!is_same_text(e->kind, im_kind_name(g->device.kind)))
		return differs("kind", e->kind, im_kind_name(g->device.kind), err);
	if (e->removable != g->device.removable)
		return differs("removable flag", e->removable ? "set" : "clear", g->device.removable ? "set" : "clear",
			       err);
	if (!is_same_text(e->model, g->device.model))
		return differs("model", e->model, g->device.model, err);
	if (!is_same_text(e->serial, g->device.serial))
		return differs("serial number", e->serial, g->device.serial, err);
	if (!is_same_text(e->wwid, g->device.wwid))
		return differs("world wide name", e->wwid, g->device.wwid, err);
	return 0;
}

void im_earlier_free(struct im_earlier *e)
{
	co_source_close(&e->image);
	for (size_t i = 0; i < e->segments.n; i++)
		free(e->segments.at[i].file);
	co_vec_free(&e->segments);
	co_vec_free(&e->sessions);
	im_areas_free(&e->areas);
	im_ranges_free(&e->plain);
	im_recorded_free(&e->recorded);
	free(e->version);
	free(e->kind);
	free(e->model);
	free(e->serial);
	free(e->wwid);
	*e = (struct im_earlier) { 0 };
}
