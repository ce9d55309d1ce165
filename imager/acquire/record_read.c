/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/record_read.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquire/json_read.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "e01/segment.h"
#include "io/source.h"

#define SUFFIX ".manifest.json"
#define SIZE_MAX_READ ((uint64_t)256 << 20) /* the list of unreadable sectors of a dying disk can be long */

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the record of a bag");
}

static int damaged(const struct im_recorded *r, const char *what, struct co_err *err)
{
	return co_err_set(err, CO_ERR_FORMAT, 0, "%s is no valid record: %s", r->file, what);
}

static int get_text(const struct im_recorded *r, const json_t *from, const char *key, char **ret, struct co_err *err)
{
	const json_t *v = json_object_get(from, key);

	if (!v || json_is_null(v))
		return 0;
	if (!json_is_string(v))
		return damaged(r, key, err);
	*ret = strdup(json_string_value(v));
	return *ret ? 0 : no_memory(err);
}

static int get_uint(const struct im_recorded *r, const json_t *from, const char *key, uint64_t *ret, struct co_err *err)
{
	const json_t *v = json_object_get(from, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return damaged(r, key, err);
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

static int get_digests(const struct im_recorded *r, const json_t *from, struct co_digests *ret, struct co_err *err)
{
	for (int alg = 0; alg < CO_HASH_N; alg++) {
		const json_t *v = json_object_get(from, co_hash_name((enum co_hash_alg)alg));

		if (!v)
			continue;
		if (!json_is_string(v) || json_string_length(v) != 2 * co_hash_size((enum co_hash_alg)alg) ||
		    co_unhex(json_string_value(v), co_hash_size((enum co_hash_alg)alg), ret->of[alg].bytes) < 0)
			return damaged(r, "digests", err);
		ret->of[alg].alg = (enum co_hash_alg)alg;
		ret->set |= CO_HASH_BIT(alg);
	}
	return 0;
}

static int in_data(const char *bag, const char *name, char **ret, struct co_err *err)
{
	char *s;

	if (asprintf(&s, "%s/data/%s", bag, name) < 0)
		return no_memory(err);
	*ret = s;
	return 0;
}

static int get_sha256(const struct im_recorded *r, const json_t *v, char ret[65], struct co_err *err)
{
	uint8_t bytes[32];

	if (json_is_null(v))
		return 0;
	if (json_string_length(v) != 64 || co_unhex(json_string_value(v), 32, bytes) < 0)
		return damaged(r, "a SHA-256", err);
	co_hex(bytes, 32, ret);
	return 0;
}

static int get_segment_facts(struct im_recorded *r, const json_t *from, struct co_err *err)
{
	struct im_recorded_segment s = { 0 };
	int code = get_uint(r, from, "bytes", &s.bytes, err);

	if (code == 0)
		code = get_sha256(r, json_object_get(from, "sha256"), s.sha256, err);
	if (code < 0)
		return code;
	return co_vec_push(&r->segment_facts, s) < 0 ? no_memory(err) : 0;
}

static int get_segments(struct im_recorded *r, const char *bag, const json_t *from, struct co_err *err)
{
	size_t n = json_array_size(from);

	if (!json_is_array(from) || n > CO_E01_SEGMENTS_MAX)
		return damaged(r, "segments", err);
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_object_get(json_array_get(from, i), "name"));
		char *file = NULL;
		int code;

		/* The name comes from the bag: it must not lead out of it. */
		if (!name || !name[0] || strchr(name, '/') || name[0] == '.')
			return damaged(r, "the name of a segment", err);
		code = in_data(bag, name, &file, err);
		if (code < 0)
			return code;
		if (co_vec_push(&r->segments, file) < 0) {
			free(file);
			return no_memory(err);
		}
		code = get_segment_facts(r, json_array_get(from, i), err);
		if (code < 0)
			return code;
	}
	return 0;
}

static int get_image(struct im_recorded *r, const char *bag, const json_t *root, struct co_err *err)
{
	const char *guid = json_string_value(json_object_get(json_object_get(root, "image"), "guid"));

	if (!guid || strlen(guid) != 32 || co_unhex(guid, 16, r->guid) < 0)
		return damaged(r, "image.guid", err);
	int code = get_text(r, json_object_get(root, "image"), "acquiry_date", &r->acquiry_date, err);

	return code < 0 ? code : get_segments(r, bag, json_object_get(root, "segments"), err);
}

/* A range [first sector, sectors] behind all before it. */
static int get_range(struct im_recorded *r, const json_t *range, struct co_err *err)
{
	json_int_t first = json_integer_value(json_array_get(range, 0)),
		   n = json_integer_value(json_array_get(range, 1));
	const struct im_range *last = r->unreadable.list.n ? &r->unreadable.list.at[r->unreadable.list.n - 1] : NULL;
	uint64_t end;

	if (json_array_size(range) != 2 || !json_is_integer(json_array_get(range, 0)) || first < 0 || n <= 0 ||
	    !co_add((uint64_t)first, (uint64_t)n, &end) || (last && (uint64_t)first < last->first + last->count))
		return damaged(r, "unreadable", err);
	return im_ranges_add(&r->unreadable, (uint64_t)first, (uint64_t)n) < 0 ? no_memory(err) : 0;
}

static int get_unreadable(struct im_recorded *r, const json_t *root, struct co_err *err)
{
	const json_t *list = json_object_get(root, "unreadable");
	int code = get_uint(r, root, "unreadable_sectors", &r->unreadable_sectors, err);

	if (code == 0 && !json_is_array(list))
		code = damaged(r, "unreadable", err);
	for (size_t i = 0; code == 0 && i < json_array_size(list); i++)
		code = get_range(r, json_array_get(list, i), err);
	if (code == 0 && r->unreadable.total != r->unreadable_sectors)
		code = damaged(r, "unreadable_sectors is not the number of those in unreadable", err);
	return code;
}

static int get_events(struct im_recorded *r, const char *bag, const json_t *root, struct co_err *err)
{
	CO_CLEANUP_FREE char *file = NULL;
	const json_t *events = json_object_get(root, "events");
	int code = get_uint(r, events, "count", &r->events_head.count, err);

	if (code == 0)
		code = get_sha256(r, json_object_get(events, "head_sha256"), r->events_head.sha256, err);
	if (code == 0 && r->events_head.count && !r->events_head.sha256[0])
		code = damaged(r, "events.head_sha256", err);
	if (code < 0)
		return code;
	if (asprintf(&file, "%s.events.jsonl", r->name) < 0) {
		file = NULL;
		return no_memory(err);
	}
	return in_data(bag, file, &r->events, err);
}

static int get_origin(struct im_recorded *r, const json_t *root, struct co_err *err)
{
	int code = get_text(r, json_object_get(root, "device"), "model", &r->model, err);

	if (code == 0)
		code = get_text(r, json_object_get(root, "device"), "serial", &r->serial, err);
	return code < 0 ? code : get_text(r, json_object_get(root, "tool"), "version", &r->version, err);
}

static int get_media(struct im_recorded *r, const json_t *root, struct co_err *err)
{
	const json_t *media = json_object_get(root, "media");
	int code = get_uint(r, media, "bytes", &r->media_bytes, err);

	if (code == 0)
		code = get_uint(r, media, "padding_bytes", &r->padding_bytes, err);
	if (code == 0)
		code = get_digests(r, json_object_get(root, "digests"), &r->plain, err);
	r->padded = r->plain;
	if (code == 0 && r->padding_bytes)
		code = get_digests(r, json_object_get(root, "padded_digests"), &r->padded, err);
	return code;
}

static int get_case(struct im_recorded *r, const json_t *root, struct co_err *err)
{
	const json_t *c = json_object_get(root, "case");
	int code = get_text(r, c, "case_number", &r->case_number, err);

	if (code == 0)
		code = get_text(r, c, "evidence_number", &r->evidence_number, err);
	if (code == 0)
		code = get_text(r, c, "examiner", &r->examiner, err);
	if (code == 0)
		code = get_text(r, c, "description", &r->description, err);
	return code < 0 ? code : get_text(r, c, "notes", &r->notes, err);
}

static int get_blocks(struct im_recorded *r, const char *bag, const json_t *root, struct co_err *err)
{
	CO_CLEANUP_FREE char *file = NULL;

	if (json_is_null(json_object_get(root, "blocks")))
		return 0;
	if (asprintf(&file, "%s.blocks.sha256", r->name) < 0) {
		file = NULL;
		return no_memory(err);
	}
	return in_data(bag, file, &r->blocks, err);
}

static int get_all(struct im_recorded *r, const char *bag, const json_t *root, struct co_err *err)
{
	const char *schema = json_string_value(json_object_get(root, "schema"));
	int code;

	if (!schema || strcmp(schema, "exhibit.acquisition/1") != 0)
		return damaged(r, "its schema is not exhibit.acquisition/1", err);
	code = get_text(r, root, "status", &r->status, err);
	if (code == 0 && !r->status)
		code = damaged(r, "status", err);
	if (code == 0)
		code = get_media(r, root, err);
	if (code == 0)
		code = get_image(r, bag, root, err);
	if (code == 0)
		code = get_blocks(r, bag, root, err);
	if (code == 0)
		code = get_unreadable(r, root, err);
	if (code == 0)
		code = get_events(r, bag, root, err);
	if (code == 0)
		code = get_origin(r, root, err);
	return code < 0 ? code : get_case(r, root, err);
}

/* The first name of data/ that ends in SUFFIX, and whether there are more. */
static int find_record(const char *bag, char **ret_name, struct co_err *err)
{
	CO_CLEANUP_FREE char *folder = NULL, *found = NULL;
	CO_CLEANUP_CLOSEDIR DIR *dir = NULL;
	int r = in_data(bag, "", &folder, err);

	if (r < 0)
		return r;
	dir = opendir(folder);
	if (!dir)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", folder);
	for (const struct dirent *e = readdir(dir); e; e = readdir(dir)) {
		size_t n = strlen(e->d_name);

		if (n <= strlen(SUFFIX) || strcmp(e->d_name + n - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		if (found)
			return co_err_set(err, CO_ERR_FORMAT, 0, "%s holds more than one record", folder);
		found = strdup(e->d_name);
		if (!found)
			return no_memory(err);
	}
	if (!found)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s holds no record of an acquisition (*%s)", folder, SUFFIX);
	*ret_name = CO_TAKE(found);
	return 0;
}

static int read_file(const struct im_recorded *r, char **ret, size_t *ret_n, struct co_err *err)
{
	CO_CLEANUP_SOURCE struct co_source src = CO_SOURCE_NONE;
	CO_CLEANUP_FREE char *text = NULL;
	int code = co_source_open_file(&src, r->file, err);

	if (code < 0)
		return code;
	if (src.size > SIZE_MAX_READ)
		return damaged(r, "it is too large", err);
	text = malloc(src.size);
	if (!text)
		return no_memory(err);
	code = co_source_read_full(&src, text, src.size, 0, err);
	if (code < 0)
		return code;
	*ret_n = src.size;
	*ret = CO_TAKE(text);
	return 0;
}

int im_record_load(const struct im_recorded *r, json_t **ret, struct co_err *err)
{
	CO_CLEANUP_FREE char *text = NULL;
	struct co_err why = CO_ERR_INIT;
	size_t n = 0;
	int code = read_file(r, &text, &n, err);

	if (code < 0)
		return code;
	return im_json_parse(text, n, ret, &why) < 0 ? damaged(r, why.msg, err) : 0;
}

int im_record_read(struct im_recorded *ret, const char *bag, struct co_err *err)
{
	IM_CLEANUP_RECORDED struct im_recorded r = { 0 };
	json_t *root = NULL;
	char *name = NULL;
	int code = find_record(bag, &name, err);

	if (code < 0)
		return code;
	r.name = name;
	code = in_data(bag, name, &r.file, err);
	name[strlen(name) - strlen(SUFFIX)] = '\0';
	if (code == 0)
		code = im_record_load(&r, &root, err);
	if (code == 0)
		code = get_all(&r, bag, root, err);
	json_decref(root);
	if (code < 0)
		return code;
	*ret = r;
	r = (struct im_recorded) { 0 };
	return 0;
}

bool im_recorded_fits(const struct im_recorded *r, uint64_t size, uint32_t sector)
{
	return r->media_bytes <= size && r->padding_bytes == size - r->media_bytes && r->padding_bytes < sector;
}

void im_recorded_free(struct im_recorded *r)
{
	for (size_t i = 0; i < r->segments.n; i++)
		free(r->segments.at[i]);
	co_vec_free(&r->segments);
	co_vec_free(&r->segment_facts);
	im_ranges_free(&r->unreadable);
	free(r->file);
	free(r->name);
	free(r->status);
	free(r->case_number);
	free(r->evidence_number);
	free(r->examiner);
	free(r->description);
	free(r->notes);
	free(r->model);
	free(r->serial);
	free(r->version);
	free(r->acquiry_date);
	free(r->blocks);
	free(r->events);
	*r = (struct im_recorded) { 0 };
}
