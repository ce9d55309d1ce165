/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a temporary folder, small files in it, and errors as test failures. */
#ifndef UNIT_FOLDER_H
#define UNIT_FOLDER_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
	char *name;
	char *path[4]; /* of the last calls of in_folder() */
	unsigned next;
};

static inline void folder_make(struct folder *f)
{
	const char *tmp = getenv("TMPDIR");
	*f = (struct folder) { 0 };
	ck_assert_int_gt(asprintf(&f->name, "%s/exhibit-unit-XXXXXX", tmp ? tmp : "/tmp"), 0);
	ck_assert_ptr_nonnull(mkdtemp(f->name));
}

static inline int folder_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline void folder_remove(struct folder *f)
{
	nftw(f->name, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f->name);
	for (int i = 0; i < 4; i++)
		free(f->path[i]);
}

/* The path of a name in the folder, valid for four calls. */
static inline const char *in_folder(struct folder *f, const char *name)
{
	char **path = &f->path[f->next++ % 4];
	free(*path);
	ck_assert_int_gt(asprintf(path, "%s/%s", f->name, name), 0);
	return *path;
}

static inline void folder_write(struct folder *f, const char *name, const void *bytes, size_t len)
{
	FILE *file = fopen(in_folder(f, name), "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

static inline void folder_puts(struct folder *f, const char *name, const char *text)
{
	folder_write(f, name, text, strlen(text));
}

/* The content of a file as text, allocated; NULL if there is none. */
static inline char *folder_read(struct folder *f, const char *name)
{
	FILE *file = fopen(in_folder(f, name), "re");
	char *text = NULL;
	size_t cap = 0;
	if (!file)
		return NULL;
	if (getdelim(&text, &cap, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

static inline int folder_has(struct folder *f, const char *name)
{
	return access(in_folder(f, name), F_OK) == 0;
}

#endif
