/* SPDX-License-Identifier: Apache-2.0 */
#include "image/evidence.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "e01/segment.h"
#include "image/magic.h"
#include "image/split.h"

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
}

static int open_e01(struct an_evidence *e, const char *const *names, size_t n, const struct co_e01_opts *opts,
		    struct co_err *err)
{
	int r = co_e01_open(&e->source, names, n, opts, err);
	if (r < 0)
		return r;
	e->kind = "e01";
	const struct co_e01_info *info = co_e01_info(&e->source);
	e->first_file = strdup(info && info->n_segments > 0 ? info->segment_names[0] : names[0]);
	return e->first_file ? 0 : no_memory(err);
}

/* Parts of a raw image, one behind the other. */
static int open_parts(struct an_evidence *e, const char *const *names, size_t n, struct co_err *err)
{
	CO_VEC(struct co_source) parts = { 0 };
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct co_source part = CO_SOURCE_NONE;
		r = co_source_open_file(&part, names[i], err);
		if (r == 0 && co_vec_push(&parts, part) < 0) {
			co_source_close(&part);
			r = no_memory(err);
		}
	}
	if (r == 0)
		r = co_source_open_concat(&e->source, parts.at, parts.n, err);
	else
		for (size_t i = 0; i < parts.n; i++)
			co_source_close(&parts.at[i]);
	co_vec_free(&parts);
	if (r < 0)
		return r;
	e->kind = "split";
	e->first_file = strdup(names[0]);
	return e->first_file ? 0 : no_memory(err);
}

static int open_raw(struct an_evidence *e, const char *name, bool device, struct co_err *err)
{
	struct an_split parts = { 0 };
	int r = device ? 0 : an_split_find(&parts, name, err);
	if (r < 0)
		return r;
	if (parts.names.n > 1) {
		r = open_parts(e, (const char *const *)parts.names.at, parts.names.n, err);
	} else {
		r = co_source_open_file(&e->source, name, err);
		e->kind = device ? "device" : "raw";
		e->first_file = strdup(name);
		if (r == 0 && !e->first_file)
			r = no_memory(err);
	}
	an_split_free(&parts);
	return r;
}

static bool ends_with_e01(const char *name)
{
	size_t n = strlen(name);
	return n > 4 && strcasecmp(name + n - 4, ".E01") == 0;
}

/* The image in an evidence bag: the one data/NAME.E01. */
static int find_in_bag(const char *bag, char **ret, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str folder = { 0 };
	co_str_addf(&folder, "%s/data", bag);
	CO_CLEANUP_CLOSEDIR DIR *d = opendir(co_str_get(&folder));
	if (!d)
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s is a folder, but no evidence bag: it holds no folder data",
				  bag);
	CO_CLEANUP_FREE char *found = NULL;
	for (struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
		if (!ends_with_e01(entry->d_name))
			continue;
		if (found)
			return co_err_set(err, CO_ERR_USAGE, 0,
					  "%s holds more than one image: name one of %s/data/*.E01", bag, bag);
		if (asprintf(&found, "%s/%s", co_str_get(&folder), entry->d_name) < 0) {
			found = NULL;
			return no_memory(err);
		}
	}
	if (!found)
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s holds no image: there is no %s/data/*.E01", bag, bag);
	*ret = CO_TAKE(found);
	return 0;
}

static int open_one(struct an_evidence *e, const char *name, const struct co_e01_opts *e01, struct co_err *err)
{
	struct stat st;
	if (stat(name, &st) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", name);
	if (S_ISDIR(st.st_mode)) {
		CO_CLEANUP_FREE char *inner = NULL;
		int r = find_in_bag(name, &inner, err);
		if (r < 0)
			return r;
		const char *names[] = { inner };
		return open_e01(e, names, 1, e01, err);
	}
	if (S_ISREG(st.st_mode)) {
		int r = co_e01_probe(name, err);
		if (r < 0)
			return r;
		if (r == 1)
			return open_e01(e, &name, 1, e01, err);
	}
	return open_raw(e, name, S_ISBLK(st.st_mode), err);
}

static int open_any(struct an_evidence *e, const char *const *names, size_t n, const struct co_e01_opts *e01,
		    struct co_err *err)
{
	if (n == 1)
		return open_one(e, names[0], e01, err);
	int r = co_e01_probe(names[0], err);
	if (r < 0)
		return r;
	return r == 1 ? open_e01(e, names, n, e01, err) : open_parts(e, names, n, err);
}

int an_evidence_open(struct an_evidence *ret, const char *const *names, size_t n, const struct co_e01_opts *e01,
		     struct co_err *err)
{
	struct an_evidence e = { 0 };
	if (n == 0)
		return co_err_set(err, CO_ERR_USAGE, 0, "no image is given");
	e.name = strdup(names[0]);
	int r = e.name ? open_any(&e, names, n, e01, err) : no_memory(err);
	const char *container = r == 0 && strcmp(e.kind, "e01") != 0 ? an_magic_container(&e.source) : NULL;
	if (container)
		r = co_err_set(err, CO_ERR_UNSUPPORTED, 0, "%s is %s, which this version can't read", names[0],
			       container);
	if (r < 0) {
		an_evidence_close(&e);
		return r;
	}
	*ret = e;
	return 0;
}

void an_evidence_close(struct an_evidence *e)
{
	co_source_close(&e->source);
	free(e->name);
	free(e->first_file);
	*e = (struct an_evidence) { 0 };
}

static char *digest_text(const struct co_digests *d, enum co_hash_alg alg)
{
	char hex[2 * CO_HASH_MAX + 1];
	co_digests_hex(d, alg, hex);
	return strdup(hex);
}

static char *text_or_empty(const char *text)
{
	return strdup(text ? text : "");
}

int an_evidence_describe(const struct an_evidence *e, struct an_case_evidence *ret, struct co_err *err)
{
	static const struct co_e01_info nothing;
	bool is_e01 = strcmp(e->kind, "e01") == 0;
	const struct co_e01_info *info = is_e01 ? co_e01_info(&e->source) : NULL;
	if (!info)
		info = &nothing;
	const char *slash = strrchr(e->first_file, '/');
	struct an_case_evidence row = {
		.name = strdup(slash ? slash + 1 : e->first_file),
		.kind = strdup(e->kind),
		.size = e->source.size,
		.sector_size = e->source.sector_size,
		.md5 = digest_text(&info->stored, CO_HASH_MD5),
		.sha1 = digest_text(&info->stored, CO_HASH_SHA1),
		.sha256 = digest_text(&info->stored, CO_HASH_SHA256),
		.case_number = text_or_empty(info->case_number),
		.evidence_number = text_or_empty(info->evidence_number),
		.examiner = text_or_empty(info->examiner),
		.description = text_or_empty(info->description),
		.notes = text_or_empty(info->notes),
		.acquired = text_or_empty(info->acquiry_date),
	};
	char *const all[] = {
		row.name,     row.kind,        row.md5,   row.sha1,    row.sha256, row.case_number, row.evidence_number,
		row.examiner, row.description, row.notes, row.acquired
	};
	bool failed = false;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		failed = failed || !all[i];
	for (size_t i = 0; failed && i < sizeof all / sizeof *all; i++)
		free(all[i]);
	if (failed)
		return no_memory(err);
	*ret = row;
	return 0;
}
