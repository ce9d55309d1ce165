/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of packaged software: when a folder of the server holds most files of a package at the same places with the
 * same content, the digests of that package are a baseline for the rest of the folder too.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "check/check.h"
#include "check/paths.h"

#define MIN_SAME 40       /* equal files that make a folder a copy */
#define MIN_SAME_INSIDE 3 /* the same inside a copy: parts of it may come from another package */
#define MAX_DIFFERENT 10  /* percent; more of them make it another version */
#define MAX_TWINS 64      /* packaged files with the same content that are looked at */

static const struct an_rule rule_modified = {
	"copy-modified",
	AN_AXIS_INTEGRITY,
	80,
	true,
	"An administrator or an update may have changed this file of the copied application.",
};

/* Two folders, as the begin of two paths: @to is the copy of @from. */
struct pair {
	const char *from, *to;
	size_t from_len, to_len;
};

/* A file of the copy that differs. */
struct difference {
	struct an_file *file;
	const struct an_packaged *original;
};

struct copies {
	struct an_check_context *x;
	CO_VEC(struct pair) found;
	const struct an_packaged **by_md5; /* sorted by digest, then path */
	CO_VEC(struct pair) votes;
};

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the search for copies");
}

static const char *path_of(const struct an_check_context *x, const struct an_packaged *p)
{
	return x->c->files.rows.at[p->row].path;
}

static int compare_digests(const void *pa, const void *pb)
{
	const struct an_packaged *const *a = pa, *const *b = pb;
	int r = memcmp((*a)->md5, (*b)->md5, sizeof(*a)->md5);
	return r ? r : (*a > *b) - (*a < *b);
}

/* Length of the longest common end of two paths that begins with a slash; 0 if not even the names agree. */
static size_t common_end(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), best = 0;
	for (size_t n = 1; n <= na && n <= nb && a[na - n] == b[nb - n]; n++)
		if (a[na - n] == '/')
			best = n;
	return best;
}

/* Of the packaged files with the content of @f, the one whose place is most like its own votes for a pair of folders.
 */
static int vote(struct copies *s, const struct an_file *f)
{
	size_t n = s->x->packaged.n, low = 0, high = n, best = 0;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (memcmp(s->by_md5[mid]->md5, f->md5, sizeof f->md5) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	const char *from = NULL;
	for (size_t i = low; i < n && i < low + MAX_TWINS && memcmp(s->by_md5[i]->md5, f->md5, sizeof f->md5) == 0;
	     i++) {
		const char *path = path_of(s->x, s->by_md5[i]);
		size_t end = common_end(path, f->path);
		if (end > best) {
			best = end;
			from = path;
		}
	}
	if (!from)
		return 0;
	return co_vec_push(&s->votes, (struct pair) { from, f->path, strlen(from) - best, strlen(f->path) - best });
}

static int compare_folders(const char *a, size_t na, const char *b, size_t nb)
{
	int r = memcmp(a, b, na < nb ? na : nb);
	return r ? r : (na > nb) - (na < nb);
}

static int compare_pairs(const void *pa, const void *pb)
{
	const struct pair *a = pa, *b = pb;
	int r = compare_folders(a->to, a->to_len, b->to, b->to_len);
	return r ? r : compare_folders(a->from, a->from_len, b->from, b->from_len);
}

static bool may_be_copy(const struct an_check_context *x, const struct an_file *f)
{
	return an_file_is_live_regular(f) && (f->flags & AN_HAS_DIGESTS) && f->size > 0 &&
	       !an_check_knows(x, f, AN_KNOWN_PACKAGED);
}

static int collect_votes(struct copies *s, struct co_err *err)
{
	struct an_check_context *x = s->x;
	s->by_md5 = malloc((x->packaged.n + 1) * sizeof(*s->by_md5));
	if (!s->by_md5)
		return no_memory(err);
	for (size_t i = 0; i < x->packaged.n; i++)
		s->by_md5[i] = &x->packaged.at[i];
	qsort(s->by_md5, x->packaged.n, sizeof(*s->by_md5), compare_digests);
	for (size_t i = 0; i < x->c->files.rows.n; i++) {
		const struct an_file *f = &x->c->files.rows.at[i];
		if (may_be_copy(x, f) && vote(s, f) < 0)
			return no_memory(err);
	}
	if (s->votes.n)
		qsort(s->votes.at, s->votes.n, sizeof *s->votes.at, compare_pairs);
	return 0;
}

static int report(struct an_check_context *x, const struct pair *pair, const struct difference *d, size_t same,
		  struct co_err *err)
{
	char want[33], found[33], mtime[40], ctime[40];
	co_hex(d->original->md5, 16, want);
	co_hex(d->file->md5, 16, found);
	co_time_text(d->file->time[AN_MTIME], mtime);
	co_time_text(d->file->time[AN_CTIME], ctime);
	return an_findings_add(
		&x->c->findings, d->file, &rule_modified, NULL, -1, err,
		"%.*s is a copy of %.*s (%zu files are equal), but this file differs: MD5 is %s, package %s "
		"says %s for %s; content changed %s, metadata changed %s.",
		(int)pair->to_len, pair->to, (int)pair->from_len, pair->from, same, found, d->original->package, want,
		path_of(x, d->original), mtime, ctime);
}

/* Compares the whole pair of folders; a copy is only what differs in few places. 1: it is none. */
static int compare_pair(struct an_check_context *x, const struct pair *pair, size_t min_same, struct co_err *err)
{
	CO_VEC(struct difference) same = { 0 }, different = { 0 };
	CO_CLEANUP_STR struct co_str path = { 0 };
	int r = 0;
	for (size_t i = 0; r == 0 && i < x->packaged.n; i++) {
		const struct an_packaged *p = &x->packaged.at[i];
		const char *from = path_of(x, p);
		if (strncmp(from, pair->from, pair->from_len) != 0 || from[pair->from_len] != '/')
			continue;
		co_str_clear(&path);
		co_str_add_n(&path, pair->to, pair->to_len);
		co_str_add(&path, from + pair->from_len);
		struct an_file *f = path.failed ? NULL : an_files_find(&x->c->files, co_str_get(&path));
		if (path.failed)
			r = -1;
		if (!f || !may_be_copy(x, f))
			continue;
		struct difference d = { f, p };
		bool equal = memcmp(f->md5, p->md5, sizeof f->md5) == 0;
		r = equal ? co_vec_push(&same, d) : co_vec_push(&different, d);
	}
	if (r < 0)
		r = no_memory(err);
	bool is_copy = same.n >= min_same && different.n * 100 <= same.n * MAX_DIFFERENT;
	for (size_t i = 0; r == 0 && is_copy && i < same.n; i++)
		an_check_mark(x, same.at[i].file, AN_KNOWN_SAME);
	for (size_t i = 0; r == 0 && is_copy && i < different.n; i++) {
		an_check_mark(x, different.at[i].file, AN_KNOWN_CHANGED);
		r = report(x, pair, &different.at[i], same.n, err);
	}
	co_vec_free(&same);
	co_vec_free(&different);
	return r < 0 || is_copy ? r : 1;
}

/* Is the folder below one that was found to be a copy? */
static bool is_inside(const struct copies *s, const struct pair *pair)
{
	for (size_t i = 0; i < s->found.n; i++) {
		const struct pair *f = &s->found.at[i];
		if (pair->to_len > f->to_len && memcmp(pair->to, f->to, f->to_len) == 0 && pair->to[f->to_len] == '/')
			return true;
	}
	return false;
}

/* Goes through the pairs with enough votes: those for whole copies first, then those for parts of the copies. */
static int compare_pairs_with(struct copies *s, size_t min_same, bool inside, struct co_err *err)
{
	for (size_t i = 0, n; i < s->votes.n; i += n) {
		const struct pair *pair = &s->votes.at[i];
		for (n = 1; i + n < s->votes.n && compare_pairs(pair, &s->votes.at[i + n]) == 0; n++)
			;
		if (n < min_same || (inside && (n >= MIN_SAME || !is_inside(s, pair))))
			continue;
		int r = compare_pair(s->x, pair, min_same, err);
		if (r < 0)
			return r;
		if (r == 0 && !inside && co_vec_push(&s->found, *pair) < 0)
			return no_memory(err);
	}
	return 0;
}

static int run(struct an_check_context *x, struct co_err *err)
{
	struct copies s = { .x = x };
	int r = x->packaged.n ? collect_votes(&s, err) : 0;
	if (r == 0)
		r = compare_pairs_with(&s, MIN_SAME, false, err);
	if (r == 0)
		r = compare_pairs_with(&s, MIN_SAME_INSIDE, true, err);
	co_vec_free(&s.votes);
	co_vec_free(&s.found);
	free(s.by_md5);
	return r;
}

const struct an_check an_check_copy = { "copy", AN_AXIS_INTEGRITY, "files that differ in a copy of packaged software",
					run };
