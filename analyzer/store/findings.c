/* SPDX-License-Identifier: Apache-2.0 */
#include "store/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/strings.h"

/* One reason with the file that it is about, in the order of the adds. */
struct pending {
	const char *path;
	uint32_t volume;
	uint64_t inode;
	int64_t times[AN_TIME_N];
	size_t number;
	struct an_reason reason;
};

/* What an_findings.pending points to. */
struct all {
	CO_VEC(struct pending) list;
	CO_VEC(struct an_rule *) rules; /* owned: rules that came out of a case */
};

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for findings");
}

const char *an_axis_name(enum an_axis axis)
{
	static const char *const names[AN_AXIS_N] = { "integrity", "metadata", "content", "log", "persistence" };
	return (unsigned)axis < AN_AXIS_N ? names[axis] : "";
}

const char *an_severity_name(enum an_severity severity)
{
	static const char *const names[] = { "confirmed", "strong", "notable", "unknown" };
	return (unsigned)severity <= AN_UNKNOWN ? names[severity] : "";
}

static int make_ready(struct an_findings *fs, struct co_err *err)
{
	if (!fs->pending)
		fs->pending = calloc(1, sizeof(struct all));
	if (!fs->strings)
		fs->strings = an_strings_open();
	return fs->pending && fs->strings ? 0 : no_memory(err);
}

int an_findings_restore(struct an_findings *fs, const struct an_file *file, const struct an_rule *rule,
			const char *text, const char *quote, int64_t offset, struct co_err *err)
{
	int r = make_ready(fs, err);
	if (r < 0)
		return r;
	struct all *all = fs->pending;
	struct pending p = { .volume = file->volume, .inode = file->inode, .number = all->list.n };
	p.path = an_strings_add(fs->strings, file->path, strlen(file->path));
	p.reason.rule = rule;
	p.reason.text = an_strings_add(fs->strings, text, strlen(text));
	p.reason.quote = quote ? an_strings_add(fs->strings, quote, strlen(quote)) : NULL;
	p.reason.offset = offset;
	memcpy(p.times, file->time, sizeof p.times);
	if (!p.path || !p.reason.text || (quote && !p.reason.quote) || co_vec_push(&all->list, p) < 0)
		return no_memory(err);
	fs->settled = false;
	return 0;
}

int an_findings_add(struct an_findings *fs, const struct an_file *file, const struct an_rule *rule, const char *quote,
		    int64_t offset, struct co_err *err, const char *fmt, ...)
{
	CO_CLEANUP_FREE char *raw = NULL;
	CO_CLEANUP_STR struct co_str text = { 0 };
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&raw, fmt, ap);
	va_end(ap);
	if (n < 0) {
		raw = NULL;
		return no_memory(err);
	}
	co_str_add_visible(&text, raw, (size_t)n);
	if (text.failed)
		return no_memory(err);
	return an_findings_restore(fs, file, rule, co_str_get(&text), quote, offset, err);
}

static bool same_rule(const struct an_rule *a, const struct an_rule *b)
{
	return a->axis == b->axis && a->score == b->score && a->confirms == b->confirms && strcmp(a->id, b->id) == 0 &&
	       strcmp(a->innocent, b->innocent) == 0;
}

int an_findings_own_rule(struct an_findings *fs, const struct an_rule *like, const struct an_rule **ret,
			 struct co_err *err)
{
	int r = make_ready(fs, err);
	if (r < 0)
		return r;
	struct all *all = fs->pending;
	for (size_t i = 0; i < all->rules.n; i++) {
		if (same_rule(all->rules.at[i], like)) {
			*ret = all->rules.at[i];
			return 0;
		}
	}
	CO_CLEANUP_FREE struct an_rule *rule = malloc(sizeof *rule);
	if (!rule)
		return no_memory(err);
	*rule = *like;
	rule->id = an_strings_add(fs->strings, like->id, strlen(like->id));
	rule->innocent = an_strings_add(fs->strings, like->innocent, strlen(like->innocent));
	if (!rule->id || !rule->innocent || co_vec_push(&all->rules, rule) < 0)
		return no_memory(err);
	*ret = CO_TAKE(rule);
	return 0;
}

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* Highest score first, then rule id, then text. */
static int compare_reasons(const struct an_reason *a, const struct an_reason *b)
{
	if (a->rule->score != b->rule->score)
		return a->rule->score > b->rule->score ? -1 : 1;
	int r = strcmp(a->rule->id, b->rule->id);
	r = r ? r : strcmp(a->text, b->text);
	r = r ? r : (a->offset > b->offset) - (a->offset < b->offset);
	return r ? r : compare_texts(a->quote, b->quote);
}

static int compare_pending(const void *pa, const void *pb)
{
	const struct pending *a = pa, *b = pb;
	if (a->volume != b->volume)
		return a->volume < b->volume ? -1 : 1;
	int r = strcmp(a->path, b->path);
	r = r ? r : compare_reasons(&a->reason, &b->reason);
	return r ? r : (a->number > b->number) - (a->number < b->number);
}

static int compare_findings(const void *pa, const void *pb)
{
	const struct an_finding *a = pa, *b = pb;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	int r = strcmp(a->path, b->path);
	return r ? r : (a->volume > b->volume) - (a->volume < b->volume);
}

/* ctime: a file that was changed was born long before, and of these times no program can choose this one. */
static int64_t time_that_matters(const int64_t t[AN_TIME_N])
{
	if (t[AN_CTIME] != CO_TIME_NONE)
		return t[AN_CTIME];
	return t[AN_CRTIME] != CO_TIME_NONE ? t[AN_CRTIME] : t[AN_MTIME];
}

/* Score, severity and leading rule out of the sorted reasons. */
static void judge(struct an_finding *f)
{
	unsigned axes = 0;
	bool confirmed = false;
	f->score = 0;
	for (size_t i = 0; i < f->reasons.n; i++) {
		const struct an_rule *rule = f->reasons.at[i].rule;
		bool seen = i > 0 && strcmp(f->reasons.at[i - 1].rule->id, rule->id) == 0;
		f->score += seen ? 0 : rule->score;
		if (rule->score > 0)
			axes |= 1u << rule->axis;
		confirmed |= rule->confirms;
	}
	f->rule = f->reasons.at[0].rule;
	if (confirmed)
		f->severity = AN_CONFIRMED;
	else if (axes & (axes - 1))
		f->severity = AN_STRONG;
	else
		f->severity = axes ? AN_NOTABLE : AN_UNKNOWN;
}

static void free_list(struct an_findings *fs)
{
	for (size_t i = 0; i < fs->list.n; i++)
		co_vec_free(&fs->list.at[i].reasons);
	co_vec_free(&fs->list);
}

/* Puts @p into the last finding if it is of the same file, else into a new one. Of the inodes and times that go with
 * one path, those of the reason with the highest score count. */
static int put(struct an_findings *fs, const struct pending *p)
{
	struct an_finding *f = fs->list.n ? &fs->list.at[fs->list.n - 1] : NULL;
	if (!f || f->volume != p->volume || strcmp(f->path, p->path) != 0) {
		struct an_finding new = { .path = p->path, .volume = p->volume, .inode = p->inode };
		memcpy(new.times, p->times, sizeof new.times);
		new.time_ns = time_that_matters(new.times);
		if (co_vec_push(&fs->list, new) < 0)
			return -1;
		f = &fs->list.at[fs->list.n - 1];
	}
	bool repeated = f->reasons.n > 0 && compare_reasons(&f->reasons.at[f->reasons.n - 1], &p->reason) == 0;
	return repeated ? 0 : co_vec_push(&f->reasons, p->reason);
}

int an_findings_settle(struct an_findings *fs, struct co_err *err)
{
	int r = make_ready(fs, err);
	if (r < 0)
		return r;
	struct all *all = fs->pending;
	free_list(fs);
	if (all->list.n)
		qsort(all->list.at, all->list.n, sizeof *all->list.at, compare_pending);
	for (size_t i = 0; i < all->list.n; i++)
		if (put(fs, &all->list.at[i]) < 0)
			return no_memory(err);
	for (size_t i = 0; i < fs->list.n; i++)
		judge(&fs->list.at[i]);
	if (fs->list.n)
		qsort(fs->list.at, fs->list.n, sizeof *fs->list.at, compare_findings);
	fs->settled = true;
	return 0;
}

void an_findings_free(struct an_findings *fs)
{
	struct all *all = fs->pending;
	free_list(fs);
	if (all) {
		for (size_t i = 0; i < all->rules.n; i++)
			free(all->rules.at[i]);
		co_vec_free(&all->rules);
		co_vec_free(&all->list);
		free(all);
	}
	an_strings_free(fs->strings);
	*fs = (struct an_findings) { 0 };
}
