/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "base/cleanup.h"
#include "e01/image.h"
#include "e01/segment.h"

enum {
	NOTES_MAX = 200,
	EXTENSION_LEN = 3,
};

/* What a segment file says about itself. */
struct candidate {
	char *name;
	unsigned number;
	enum co_e01_end end;
	bool explicit; /* named by the caller */
	uint8_t guid[16];
};

struct candidates {
	CO_VEC(struct candidate) list;
	char *foreign; /* a file with the right stem that belongs to another set, or NULL */
};

void co_e01_note(struct co_e01_notes *notes, const char *fmt, ...)
{
	if (notes->list.n >= NOTES_MAX) {
		notes->left_out++;
		return;
	}
	char *text;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		notes->failed = true;
	} else if (co_vec_push(&notes->list, text) < 0) {
		free(text);
		notes->failed = true;
	}
}

void co_e01_notes_free(struct co_e01_notes *notes)
{
	for (size_t i = 0; i < notes->list.n; i++)
		free(notes->list.at[i]);
	co_vec_free(&notes->list);
}

static void free_candidates(struct candidates *c)
{
	for (size_t i = 0; i < c->list.n; i++)
		free(c->list.at[i].name);
	co_vec_free(&c->list);
	free(c->foreign);
	c->foreign = NULL;
}

void co_e01_set_free(struct co_e01_set *set)
{
	for (size_t i = 0; i < set->names.n; i++)
		free(set->names.at[i]);
	co_vec_free(&set->names);
}

/* Notes the set identifier (volume, disk or data, whichever comes first) and how the chain ends. */
static int walk(struct candidate *c, struct co_e01_chain *chain, struct co_err *err)
{
	struct co_e01_section s;
	int r;
	bool seen = false;
	while ((r = co_e01_chain_next(chain, false, &s, err)) == 0) {
		if (seen ||
		    (strcmp(s.type, "volume") != 0 && strcmp(s.type, "disk") != 0 && strcmp(s.type, "data") != 0))
			continue;
		CO_CLEANUP_FREE uint8_t *bytes = NULL;
		size_t len;
		struct co_e01_volume v;
		r = co_e01_section_read(chain, &s, 4096, &bytes, &len, err);
		if (r < 0)
			return r;
		seen = r == 0 && co_e01_volume_parse(bytes, len, &v) == 0;
		if (seen)
			memcpy(c->guid, v.guid, sizeof c->guid);
	}
	c->end = chain->end;
	return r < 0 ? r : 0;
}

/* 0: *ret describes it (name not set). 1: it is not an E01 file. */
static int examine(struct candidate *ret, const char *name, struct co_err *err)
{
	struct candidate c = { 0 };
	struct co_e01_chain chain;
	CO_CLEANUP_CLOSE int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", name);
	int r = co_e01_chain_open(&chain, fd, &c.number, err);
	if (r == 0)
		r = walk(&c, &chain, err);
	if (r < 0)
		return co_err_wrap(err, "%s", name);
	if (r == 0)
		*ret = c;
	return r;
}

static int add(struct candidates *all, const struct candidate *c, const char *name, struct co_err *err)
{
	struct candidate copy = *c;
	copy.name = strdup(name);
	if (!copy.name || co_vec_push(&all->list, copy) < 0) {
		free(copy.name);
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the segments of %s", name);
	}
	return 0;
}

static struct candidate *find(struct candidates *all, unsigned number)
{
	for (size_t i = 0; i < all->list.n; i++)
		if (all->list.at[i].number == number)
			return &all->list.at[i];
	return NULL;
}

/* Is every segment from 1 to a last one there? */
static bool is_complete(struct candidates *all)
{
	unsigned last = 0;
	for (size_t i = 0; i < all->list.n; i++)
		if (all->list.at[i].end == CO_E01_END_DONE)
			last = all->list.at[i].number;
	for (unsigned k = 1; k <= last; k++)
		if (!find(all, k))
			return false;
	return last > 0;
}

static size_t stem_len(const char *file)
{
	const char *dot = strrchr(file, '.');
	return dot ? (size_t)(dot - file) : strlen(file);
}

static bool same_stem(const char *a, const char *b)
{
	size_t n = stem_len(b);
	return strncmp(a, b, n) == 0 && a[n] == '.' && strlen(a + n + 1) == EXTENSION_LEN;
}

/* Does the file carry the extension of segment @number, in either letter case? */
static bool has_expected_extension(const char *name, unsigned number)
{
	char want[EXTENSION_LEN + 1];
	size_t n = strlen(name);
	return n > EXTENSION_LEN && co_e01_extension(number, want) == 0 &&
	       strcasecmp(name + n - EXTENSION_LEN, want) == 0;
}

static bool guids_differ(const uint8_t a[16], const uint8_t b[16])
{
	return co_e01_guid_set(a) && co_e01_guid_set(b) && memcmp(a, b, 16) != 0;
}

/* Adds a file of the folder, unless its number is taken by a better one. */
static int consider(struct candidates *all, const struct candidate *c, const char *name, struct co_err *err)
{
	struct candidate *old = find(all, c->number);
	if (!old)
		return add(all, c, name, err);
	if (old->explicit || !has_expected_extension(name, c->number))
		return 0;
	/* Two with the right extension differ in letter case only; the one that sorts first is taken. */
	if (has_expected_extension(old->name, c->number) && strcmp(old->name, name) < 0)
		return 0;
	char *copy = strdup(name);
	if (!copy)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the segments of %s", name);
	free(old->name);
	*old = *c;
	old->name = copy;
	return 0;
}

struct place {
	const char *given; /* file name as the caller wrote it */
	size_t folder_len; /* bytes of it up to the last slash, with the slash */
};

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Looks at the files of the folder: those of the same stem, or with @by_guid all others that have the identifier. */
static int look_at(struct candidates *all, const struct place *p, const char *file, bool by_guid, struct co_err *err)
{
	struct candidate c;
	const char *given = p->given + p->folder_len;
	const uint8_t *guid = all->list.at[0].guid;
	if (strcmp(file, given) == 0 || same_stem(file, given) == by_guid)
		return 0;
	CO_CLEANUP_STR struct co_str name = { 0 };
	co_str_add_n(&name, p->given, p->folder_len);
	co_str_add(&name, file);
	if (name.failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the segments of %s", p->given);
	/* A neighbour that can't be read is no reason to fail: if it was a segment, it will be missing. */
	if (examine(&c, co_str_get(&name), NULL) != 0)
		return 0;
	if (!by_guid && guids_differ(c.guid, guid)) {
		if (!all->foreign)
			all->foreign = strdup(co_str_get(&name));
		return 0;
	}
	if (by_guid && (!co_e01_guid_set(c.guid) || memcmp(c.guid, guid, 16) != 0))
		return 0;
	return consider(all, &c, co_str_get(&name), err);
}

static int scan_folder(struct candidates *all, const char *given, struct co_err *err)
{
	const char *slash = strrchr(given, '/');
	struct place p = { given, slash ? (size_t)(slash - given) + 1 : 0 };
	CO_CLEANUP_FREE char *folder = p.folder_len ? strndup(given, p.folder_len) : strdup(".");
	if (!folder)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the segments of %s", given);
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, compare_names);
	if (n < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "list %s", folder);
	int r = 0;
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; r == 0 && i < n && !(pass == 1 && is_complete(all)); i++)
			r = look_at(all, &p, entries[i]->d_name, pass == 1, err);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	return r;
}

static int compare_numbers(const void *a, const void *b)
{
	unsigned x = ((const struct candidate *)a)->number, y = ((const struct candidate *)b)->number;
	return (x > y) - (x < y);
}

static int missing(const struct candidates *all, size_t number, const char *given, struct co_err *err)
{
	if (all->foreign)
		return co_err_set(err, CO_ERR_FORMAT, 0, "segment %zu of %s is missing (%s belongs to another image)",
				  number, given, all->foreign);
	return co_err_set(err, CO_ERR_FORMAT, 0, "segment %zu of %s is missing", number, given);
}

/* Segments in order, each once, none missing (but for the end of a partial set), nothing behind the last. */
static int check_order(struct candidates *all, const char *given, bool partial, struct co_e01_notes *notes,
		       struct co_err *err)
{
	qsort(all->list.at, all->list.n, sizeof *all->list.at, compare_numbers);
	for (size_t i = 0; i < all->list.n; i++) {
		const struct candidate *c = &all->list.at[i];
		if (i && c->number == all->list.at[i - 1].number)
			return co_err_set(err, CO_ERR_FORMAT, 0, "%s and %s both are segment %u",
					  all->list.at[i - 1].name, c->name, c->number);
		if (i && guids_differ(c->guid, all->list.at[0].guid))
			return co_err_set(err, CO_ERR_FORMAT, 0,
					  "%s belongs to another image than %s: their set identifiers differ", c->name,
					  all->list.at[0].name);
		if (c->number != i + 1)
			return missing(all, i + 1, given, err);
		if (c->end != CO_E01_END_DONE || i + 1 == all->list.n)
			continue;
		co_e01_note(notes, "%s is the last segment; %zu files with higher numbers are left out", c->name,
			    all->list.n - i - 1);
		while (all->list.n > i + 1)
			free(all->list.at[--all->list.n].name);
	}
	const struct candidate *last = &all->list.at[all->list.n - 1];
	if (last->end == CO_E01_END_NEXT && !partial)
		return missing(all, (size_t)last->number + 1, given, err);
	return 0;
}

int co_e01_set_find(struct co_e01_set *ret, const char *const *names, size_t n, bool partial,
		    struct co_e01_notes *notes, struct co_err *err)
{
	struct candidates all = { 0 };
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct candidate c;
		r = examine(&c, names[i], err);
		c.explicit = true;
		if (r == 0)
			r = add(&all, &c, names[i], err);
		else if (r > 0)
			r = co_err_set(err, CO_ERR_FORMAT, 0, "%s is not an E01 file", names[i]);
	}
	if (r == 0 && n == 1 && !partial && !is_complete(&all))
		r = scan_folder(&all, names[0], err);
	if (r == 0)
		r = check_order(&all, names[0], partial, notes, err);
	struct co_e01_set set = { 0 };
	if (r == 0 && co_vec_reserve(&set.names, all.list.n) < 0)
		r = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the segments of %s", names[0]);
	for (size_t i = 0; r == 0 && i < all.list.n; i++)
		set.names.at[set.names.n++] = CO_TAKE(all.list.at[i].name);
	free_candidates(&all);
	if (r == 0)
		*ret = set;
	return r;
}
