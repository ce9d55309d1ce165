/* SPDX-License-Identifier: Apache-2.0 */
#include "store/resolve.h"

#include <string.h>

#include "base/text.h"

#define LINKS_MAX 8

static void cut(struct co_str *s, size_t len)
{
	if (s->s && len < s->n) {
		s->n = len;
		s->s[len] = '\0';
	}
}

/* Appends the components of @path to the absolute path @to, with "." and ".." worked out. "/" itself is "". */
static void append(struct co_str *to, const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			const char *slash = to->n ? strrchr(to->s, '/') : NULL;
			cut(to, slash ? (size_t)(slash - to->s) : 0);
		} else if (n > 0 && !(n == 1 && path[0] == '.')) {
			co_str_add(to, "/");
			co_str_add_n(to, path, n);
		}
		path += n;
		while (*path == '/')
			path++;
	}
}

/* If a component of @path is a symbolic link, the path with its target in place goes to @ret. 1: so it was. */
static int follow_first(struct an_files *files, const char *path, struct co_str *ret)
{
	struct co_str prefix = { 0 };
	int r = 0;
	for (const char *p = path; r == 0 && *p;) {
		size_t n = 1 + strcspn(p + 1, "/");
		co_str_add_n(&prefix, p, n);
		p += n;
		const struct an_file *f = prefix.failed ? NULL : an_files_find(files, prefix.s);
		if (!f || f->type != AN_TYPE_LINK || !f->link)
			continue;
		cut(&prefix, (size_t)(strrchr(prefix.s, '/') - prefix.s));
		if (f->link[0] != '/')
			append(ret, co_str_get(&prefix));
		append(ret, f->link);
		append(ret, p);
		r = 1;
	}
	ret->failed = ret->failed || prefix.failed;
	co_str_free(&prefix);
	return r;
}

int an_files_resolve(struct an_files *files, const char *path, struct an_file **ret, struct co_err *err)
{
	struct co_str now = { 0 }, next = { 0 };
	append(&now, path);
	int links = 0, more = 1;
	while (more && links <= LINKS_MAX && !now.failed) {
		co_str_clear(&next);
		more = follow_first(files, co_str_get(&now), &next);
		now.failed = now.failed || next.failed;
		if (!more)
			break;
		links++;
		struct co_str swap = now;
		now = next;
		next = swap;
	}
	struct an_file *f = more || now.failed ? NULL : an_files_find(files, co_str_get(&now));
	bool failed = now.failed;
	co_str_free(&now);
	co_str_free(&next);
	if (failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	if (!f)
		return 1;
	*ret = f;
	return 0;
}
