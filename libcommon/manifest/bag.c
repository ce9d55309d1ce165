/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Format: RFC 8493, The BagIt File Packaging Format (V1.0): section 2.1 for the required files, 2.2 for the others.
 */
#include "manifest/bag.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "io/sink.h"
#include "manifest/bag_files.h"

/* Is there nothing in it but, perhaps, @but? A folder that is not there is empty. */
static bool folder_is_empty(const char *name, const char *but)
{
	CO_CLEANUP_CLOSEDIR DIR *d = opendir(name);
	const struct dirent *e;
	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    (!but || strcmp(e->d_name, but) != 0))
			return false;
	return d || errno == ENOENT;
}

int co_bag_create(const char *bag, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str name = { 0 };
	int made = mkdir(bag, 0700);
	if (made < 0 && errno != EEXIST)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "create the folder %s", bag);
	co_str_addf(&name, "%s/data", bag);
	int r = 0;
	if (name.failed)
		r = co_bag_no_memory(bag, err);
	else if (made < 0 && (!folder_is_empty(bag, "data") || !folder_is_empty(name.s, NULL)))
		r = co_err_set(err, CO_ERR_USAGE, 0, "%s exists and is not an empty folder", bag);
	else if (mkdir(name.s, 0700) < 0 && errno != EEXIST)
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "create the folder %s", name.s);
	if (r < 0) {
		if (made == 0)
			rmdir(bag);
		return r;
	}
	if ((r = co_sync_folder(bag, err)) < 0)
		return r;
	co_str_clear(&name);
	co_str_addf(&name, "%s/..", bag);
	return name.failed ? co_bag_no_memory(bag, err) : co_sync_folder(name.s, err);
}

/* One line of bag-info.txt, UTF-8 without control characters. */
static void add_field(struct co_str *s, const char *label, const char *value)
{
	size_t n = strlen(value);
	co_str_addf(s, "%s: ", label);
	for (size_t i = 0; i < n;) {
		size_t len = co_utf8_len(value + i, n - i, NULL);
		if (len == 0)
			co_str_addf(s, "\\x%02x", (uint8_t)value[i]);
		else if ((uint8_t)value[i] < 0x20 || value[i] == 0x7F)
			co_str_add(s, " ");
		else
			co_str_add_n(s, value + i, len);
		i += len ? len : 1;
	}
	co_str_add(s, "\n");
}

/* RFC 8493, 2.1.3: CR, LF and % are percent-encoded, and nothing else. */
static void add_line(struct co_str *s, const char *sha256, const char *path)
{
	co_str_addf(s, "%s  ", sha256);
	for (; *path; path++) {
		if (*path == '\r' || *path == '\n' || *path == '%')
			co_str_addf(s, "%%%02X", (unsigned)(uint8_t)*path);
		else
			co_str_add_n(s, path, 1);
	}
	co_str_add(s, "\n");
}

static int write_tag_file(const struct co_bag_walk *w, const char *name, const struct co_str *text, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str path = { 0 };
	co_str_addf(&path, "%s/%s", w->bag, name);
	if (path.failed || text->failed)
		return co_bag_no_memory(w->bag, err);
	return co_sink_write_file(path.s, co_str_get(text), text->n, err);
}

/* The digest of a file that is being sealed: the caller's, or from its bytes. */
static int digest_for_seal(const struct co_bag_walk *w, const char *path, const struct co_bag_known *known,
			   size_t n_known, char ret_hex[65], struct co_err *err)
{
	for (size_t i = 0; i < n_known; i++) {
		if (strcmp(known[i].path, path) == 0) {
			memcpy(ret_hex, known[i].sha256, 65);
			return 0;
		}
	}
	struct co_err why = CO_ERR_INIT;
	int r = co_bag_digest(w, path, ret_hex, &why);
	return r < 0 ? co_err_set(err, r, 0, "%s/%s %s", w->bag, path, why.msg) : 0;
}

static int write_manifest(const struct co_bag_walk *w, const char *name, const struct co_bag_entries *files,
			  const struct co_bag_known *known, size_t n_known, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	for (size_t i = 0; i < files->list.n; i++) {
		char hex[65];
		int r = digest_for_seal(w, files->list.at[i].path, known, n_known, hex, err);
		if (r < 0)
			return r;
		size_t before = text.n;
		add_line(&text, hex, files->list.at[i].path);
		if (text.n - before > CO_BAG_LINE_MAX)
			return co_err_set(err, CO_ERR_FAILED, 0, "%s/%s: the name is too long", w->bag,
					  files->list.at[i].path);
	}
	return write_tag_file(w, name, &text, err);
}

/* The files in the root of the bag, but for the tag manifest and what signs it. */
static int list_tag_files(const struct co_bag_walk *w, struct co_bag_entries *ret, struct co_err *err)
{
	CO_CLEANUP_CLOSEDIR DIR *d = co_bag_open_folder(w->dir, ".");
	if (!d)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", w->bag);
	for (;;) {
		struct stat st;
		errno = 0;
		const struct dirent *e = readdir(d);
		if (!e && errno)
			return co_err_set(err, CO_ERR_FAILED, errno, "read %s", w->bag);
		if (!e)
			break;
		if (strncmp(e->d_name, CO_BAG_TAG_MANIFEST, strlen(CO_BAG_TAG_MANIFEST)) == 0)
			continue;
		if (fstatat(w->dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    co_bag_entries_add(ret, strdup(e->d_name), (uint64_t)st.st_size) < 0)
			return co_bag_no_memory(w->bag, err);
	}
	co_bag_entries_sort(ret);
	return 0;
}

static int write_declaration_and_info(const struct co_bag_walk *w, const struct co_bag_entries *payload,
				      const struct co_bag_field *fields, size_t n_fields, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	uint64_t octets = 0;
	co_str_add(&text, "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
	int r = write_tag_file(w, CO_BAG_DECLARATION, &text, err);
	if (r < 0)
		return r;
	co_str_clear(&text);
	for (size_t i = 0; i < n_fields; i++)
		if (fields[i].value)
			add_field(&text, fields[i].label, fields[i].value);
	for (size_t i = 0; i < payload->list.n; i++)
		octets += payload->list.at[i].size;
	co_str_addf(&text, "Payload-Oxum: %" PRIu64 ".%zu\n", octets, payload->list.n);
	return write_tag_file(w, CO_BAG_INFO, &text, err);
}

static int seal(struct co_bag_walk *w, const struct co_bag_field *fields, size_t n_fields,
		const struct co_bag_known *known, size_t n_known, struct co_err *err)
{
	CO_BAG_CLEANUP_ENTRIES struct co_bag_entries payload = { 0 };
	CO_BAG_CLEANUP_ENTRIES struct co_bag_entries tags = { 0 };
	int r = co_bag_list_payload(w, &payload, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_known; i++)
		if (!co_bag_entries_find(&payload, known[i].path))
			return co_err_set(err, CO_ERR_FAILED, 0, "%s/%s is gone", w->bag, known[i].path);
	if ((r = write_declaration_and_info(w, &payload, fields, n_fields, err)) < 0 ||
	    (r = write_manifest(w, CO_BAG_MANIFEST, &payload, known, n_known, err)) < 0 ||
	    (r = list_tag_files(w, &tags, err)) < 0)
		return r;
	return write_manifest(w, CO_BAG_TAG_MANIFEST, &tags, NULL, 0, err);
}

int co_bag_seal(const char *bag, const struct co_bag_field *fields, size_t n_fields, const struct co_bag_known *known,
		size_t n_known, struct co_err *err)
{
	struct co_bag_walk w;
	int r = co_bag_walk_open(&w, bag, err);
	if (r == 0)
		r = seal(&w, fields, n_fields, known, n_known, err);
	co_bag_walk_close(&w);
	return r;
}
