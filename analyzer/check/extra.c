/* SPDX-License-Identifier: Apache-2.0 */
/* Code in folders of installed software that no baseline knows. */
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "check/check.h"
#include "check/paths.h"

#define MIN_KNOWN 5 /* files of the folder that equal their baseline */

static const struct an_rule rule_extra = {
	"extra-code",
	AN_AXIS_INTEGRITY,
	40,
	false,
	"An administrator may have added this script to the folder of the application.",
};

/* Files of one folder, not of those below it. */
struct folder {
	const char *path; /* of any of its files */
	size_t len;       /* without the last slash */
	size_t known, unknown_code;
};
struct folders {
	CO_VEC(struct folder) list;
};

static size_t folder_length(const char *path)
{
	return (size_t)(an_path_base(path) - path) - 1;
}

static int compare_folders(const void *pa, const void *pb)
{
	const struct folder *a = pa, *b = pb;
	int r = memcmp(a->path, b->path, a->len < b->len ? a->len : b->len);
	return r ? r : (a->len > b->len) - (a->len < b->len);
}

static bool is_extra(const struct an_check_context *x, const struct an_file *f)
{
	return an_path_is_web_code(f) && !an_check_knows(x, f, AN_KNOWN_PACKAGED | AN_KNOWN_SAME | AN_KNOWN_CHANGED);
}

/* One row per folder, sorted. */
static int count(const struct an_check_context *x, struct folders *ret)
{
	for (size_t i = 0; i < x->c->files.rows.n; i++) {
		const struct an_file *f = &x->c->files.rows.at[i];
		if (!an_file_is_live_regular(f) || f->path[0] != '/')
			continue;
		struct folder one = { f->path, folder_length(f->path), 0, 0 };
		one.known = an_check_knows(x, f, AN_KNOWN_SAME);
		one.unknown_code = !one.known && is_extra(x, f);
		if ((one.known || one.unknown_code) && co_vec_push(&ret->list, one) < 0)
			return -1;
	}
	size_t n = 0;
	if (ret->list.n)
		qsort(ret->list.at, ret->list.n, sizeof *ret->list.at, compare_folders);
	for (size_t i = 0; i < ret->list.n; i++) {
		struct folder *last = n ? &ret->list.at[n - 1] : NULL;
		if (last && compare_folders(last, &ret->list.at[i]) == 0) {
			last->known += ret->list.at[i].known;
			last->unknown_code += ret->list.at[i].unknown_code;
		} else {
			ret->list.at[n++] = ret->list.at[i];
		}
	}
	ret->list.n = n;
	return 0;
}

static const struct folder *find(const struct folders *all, const char *path, size_t len)
{
	struct folder key = { .path = path, .len = len };
	return all->list.n ? bsearch(&key, all->list.at, all->list.n, sizeof key, compare_folders) : NULL;
}

/* A folder whose files come from a baseline, below another such folder: the topmost one is where settings are put. */
static const struct folder *owned_folder(const struct folders *all, const char *path)
{
	size_t len = folder_length(path);
	const struct folder *own = find(all, path, len);
	if (!own || own->known < MIN_KNOWN || own->unknown_code * 4 > own->known || len == 0)
		return NULL;
	size_t up = len;
	while (up > 0) {
		while (up > 0 && path[--up] != '/')
			;
		const struct folder *above = find(all, path, up);
		if (above && above->known > 0)
			return own;
	}
	return NULL;
}

static int run(struct an_check_context *x, struct co_err *err)
{
	struct folders all = { 0 };
	int r = count(x, &all) < 0 ? co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the folders") : 0;
	for (size_t i = 0; r == 0 && i < x->c->files.rows.n; i++) {
		const struct an_file *f = &x->c->files.rows.at[i];
		if (!an_file_is_live_regular(f) || f->path[0] != '/' || !is_extra(x, f) || f->size == 0)
			continue;
		const struct folder *own = owned_folder(&all, f->path);
		if (own)
			r = an_findings_add(
				&x->c->findings, f, &rule_extra, NULL, -1, err,
				"This script belongs to no package, but %zu other files of its folder equal "
				"the files of an installed package.",
				own->known);
	}
	co_vec_free(&all.list);
	return r;
}

const struct an_check an_check_extra = { "extra", AN_AXIS_INTEGRITY, "unknown code in folders of installed software",
					 run };
