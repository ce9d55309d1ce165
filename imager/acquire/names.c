/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that are asked for: of the files of a bag, of bags, and of the place where they will be.
 */
#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "acquire/acquire.h"
#include "base/cleanup.h"

int im_check_name(const char *name, struct co_err *err)
{
	size_t n = strlen(name);

	if (n == 0 || n > 100 || name[0] == '.' || name[0] == '-')
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "--name must have 1 to 100 characters and not begin with a dot or dash");
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return co_err_set(err, CO_ERR_USAGE, 0,
					  "--name may hold letters, digits, dot, dash and underscore only");
	return 0;
}

int im_free_space(const char *bag, uint64_t *ret_bytes, struct co_err *err)
{
	CO_CLEANUP_FREE char *copy = strdup(bag);
	const char *folder = copy;
	struct statvfs fs;

	if (!copy)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a name");
	if (statvfs(folder, &fs) < 0)
		folder = dirname(copy);
	if (statvfs(folder, &fs) < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "%s: no such place to write to", folder);
	*ret_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}

/* Cuts the last part off *at and puts it before *rest. False: there is no part left, or no memory, then NULL. */
static bool move_last_part(char **at, char **rest)
{
	CO_CLEANUP_FREE char *for_folder = strdup(*at), *for_last = strdup(*at), *old_rest = *rest;
	char *folder = for_folder ? strdup(dirname(for_folder)) : NULL;
	bool moved = folder && strcmp(folder, *at) != 0;

	if (!for_last || asprintf(rest, "/%s%s", basename(for_last), old_rest) < 0)
		*rest = NULL;
	free(*at);
	*at = folder;
	return moved && *rest;
}

/* The absolute name without links; of what is not there yet, that of the nearest folder that is, and the rest as it
 * was given. NULL: no memory. */
static char *canonical(const char *name)
{
	CO_CLEANUP_FREE char *rest = strdup(""), *at = strdup(name), *found = NULL;
	char *whole = NULL;

	while (rest && at && !(found = realpath(at, NULL)) && move_last_part(&at, &rest))
		;
	if (!rest || !at)
		return NULL;
	if (asprintf(&whole, "%s%s", found && strcmp(found, "/") != 0 ? found : "", rest) < 0)
		return NULL;
	return whole;
}

static bool is_in(const char *name, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(name, folder, n) == 0 && (name[n] == '/' || name[n] == '\0');
}

static bool is_same(const char *one, const char *two)
{
	struct stat a, b;

	return stat(one, &a) == 0 && stat(two, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int check_pair(const char *one, const char *two, struct co_err *err)
{
	CO_CLEANUP_FREE char *first = canonical(one), *second = canonical(two);

	if (!first || !second)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the names of the bags");
	if (strcmp(first, second) == 0 || is_same(one, two))
		return co_err_set(err, CO_ERR_USAGE, 0, "%s and %s are the same folder: two outputs need two", one,
				  two);
	if (is_in(first, second) || is_in(second, first))
		return co_err_set(err, CO_ERR_USAGE, 0, "%s and %s: one bag can't be within the other", one, two);
	return 0;
}

int im_check_bags(const char *const *bags, size_t n, struct co_err *err)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			int r = check_pair(bags[k], bags[i], err);

			if (r < 0)
				return r;
		}
	}
	return 0;
}
