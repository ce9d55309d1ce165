/* SPDX-License-Identifier: Apache-2.0 */
#include "image/split.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

struct part {
	uint64_t number;
	char *path;
};

struct parts {
	CO_VEC(struct part) list;
};

/* The number that an extension stands for, in @base 10 or 26 (aa = 0); false if it has other characters. */
static bool number_of(const char *ext, unsigned base, uint64_t *ret)
{
	uint64_t n = 0;
	char first = base == 10 ? '0' : 'a';
	for (const char *p = ext; *p; p++) {
		if (*p < first || *p >= first + (char)base)
			return false;
		n = n * base + (uint64_t)(*p - first);
	}
	*ret = n;
	return true;
}

/* 10 or 26, or 0 if the extension is not of a part: two to five digits, or two or three lower-case letters that begin
 * with a (others are words like "img"). */
static unsigned base_of(const char *ext)
{
	uint64_t n;
	size_t len = strlen(ext);
	if (len >= 2 && len <= 5 && number_of(ext, 10, &n))
		return 10;
	if (len >= 2 && len <= 3 && ext[0] == 'a' && number_of(ext, 26, &n))
		return 26;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = ((const struct part *)a)->number, y = ((const struct part *)b)->number;
	return (x > y) - (x < y);
}

/* All files of @folder called STEM.EXT with an extension of the same kind and length. */
static int collect(struct parts *parts, const char *folder, const char *stem, size_t stem_len, size_t ext_len,
		   unsigned base, struct co_err *err)
{
	CO_CLEANUP_CLOSEDIR DIR *d = opendir(folder);
	if (!d)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", folder);
	for (struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
		struct part part;
		if (strlen(entry->d_name) != stem_len + 1 + ext_len || memcmp(entry->d_name, stem, stem_len) != 0 ||
		    entry->d_name[stem_len] != '.' || !number_of(entry->d_name + stem_len + 1, base, &part.number))
			continue;
		if (asprintf(&part.path, "%s/%s", folder, entry->d_name) < 0)
			return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
		if (co_vec_push(&parts->list, part) < 0) {
			free(part.path);
			return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
		}
	}
	if (parts->list.n > 1)
		qsort(parts->list.at, parts->list.n, sizeof *parts->list.at, by_number);
	return 0;
}

static int check_complete(const struct parts *parts, const char *name, struct co_err *err)
{
	if (parts->list.n < 2)
		return 0;
	if (parts->list.at[0].number > 1)
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s is part of a split image whose first part is missing",
				  name);
	for (size_t i = 1; i < parts->list.n; i++)
		if (parts->list.at[i].number != parts->list.at[i - 1].number + 1)
			return co_err_set(err, CO_ERR_FORMAT, 0,
					  "%s is part of a split image: the part between %s and %s is missing", name,
					  parts->list.at[i - 1].path, parts->list.at[i].path);
	return 0;
}

int an_split_find(struct an_split *ret, const char *name, struct co_err *err)
{
	const char *slash = strrchr(name, '/');
	const char *file = slash ? slash + 1 : name;
	const char *dot = strrchr(file, '.');
	unsigned base = dot && dot > file ? base_of(dot + 1) : 0;
	*ret = (struct an_split) { 0 };
	if (base == 0)
		return 0;
	CO_CLEANUP_FREE char *folder = slash ? strndup(name, slash == name ? 1 : (size_t)(slash - name)) : strdup(".");
	if (!folder)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	struct parts parts = { 0 };
	int r = collect(&parts, folder, file, (size_t)(dot - file), strlen(dot + 1), base, err);
	if (r == 0)
		r = check_complete(&parts, name, err);
	for (size_t i = 0; i < parts.list.n; i++) {
		if (r == 0 && co_vec_push(&ret->names, parts.list.at[i].path) < 0)
			r = co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
		else if (r == 0)
			parts.list.at[i].path = NULL;
		free(parts.list.at[i].path);
	}
	co_vec_free(&parts.list);
	if (r < 0)
		an_split_free(ret);
	return r;
}

void an_split_free(struct an_split *s)
{
	for (size_t i = 0; i < s->names.n; i++)
		free(s->names.at[i]);
	co_vec_free(&s->names);
}
