/* SPDX-License-Identifier: Apache-2.0 */
#include "export/export.h"

#include <fnmatch.h>
#include <string.h>

#include "base/clock.h"
#include "export/formats.h"

const struct an_exporter *const an_timeline_exporters[] = {
	&an_export_body, &an_export_mactime, &an_export_csv, &an_export_jsonl, &an_export_l2tcsv, NULL,
};

const struct an_exporter *const an_hash_exporters[] = {
	&an_export_sha256sum,
	&an_export_hashdeep,
	&an_export_dfxml,
	NULL,
};

const struct an_exporter *an_exporter_find(const struct an_exporter *const *table, const char *name)
{
	for (; *table; table++)
		if (strcmp((*table)->name, name) == 0)
			return *table;
	return NULL;
}

static int compare_place(uint32_t volume_a, const char *path_a, uint32_t volume_b, const char *path_b)
{
	if (volume_a != volume_b)
		return volume_a < volume_b ? -1 : 1;
	return strcmp(path_a, path_b);
}

static int compare_findings(const void *a, const void *b)
{
	const struct an_finding *x = *(const struct an_finding *const *)a, *y = *(const struct an_finding *const *)b;
	return compare_place(x->volume, x->path, y->volume, y->path);
}

static int compare_file(const void *key, const void *item)
{
	const struct an_file *f = key;
	const struct an_finding *x = *(const struct an_finding *const *)item;
	return compare_place(f->volume, f->path, x->volume, x->path);
}

int an_filter_prepare(struct an_filter *filter, const struct an_case *c, struct co_err *err)
{
	size_t n = filter->notable ? c->findings.list.n : 0;
	filter->findings = calloc(n + 1, sizeof *filter->findings);
	if (!filter->findings)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	for (size_t i = 0; i < n; i++)
		filter->findings[i] = &c->findings.list.at[i];
	filter->n_findings = n;
	if (n > 1)
		qsort(filter->findings, n, sizeof *filter->findings, compare_findings);
	return 0;
}

void an_filter_free(struct an_filter *filter)
{
	free(filter->findings);
	filter->findings = NULL;
	filter->n_findings = 0;
}

bool an_filter_path(const struct an_filter *filter, const struct an_file *file)
{
	if (!filter)
		return true;
	if (filter->path_glob && fnmatch(filter->path_glob, file->path, 0) != 0)
		return false;
	if (!filter->notable)
		return true;
	return filter->n_findings > 0 &&
	       bsearch(file, filter->findings, filter->n_findings, sizeof *filter->findings, compare_file) != NULL;
}

bool an_filter_time(const struct an_filter *filter, int64_t ns)
{
	if (!filter)
		return true;
	if (filter->from_ns != CO_TIME_NONE && (ns == CO_TIME_NONE || ns < filter->from_ns))
		return false;
	return filter->to_ns == CO_TIME_NONE || (ns != CO_TIME_NONE && ns < filter->to_ns);
}

static int compare(const void *a, const void *b)
{
	const struct an_moment *x = a, *y = b;
	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	int r = strcmp(x->file->path, y->file->path);
	if (r != 0)
		return r;
	if (x->file->inode != y->file->inode)
		return x->file->inode < y->file->inode ? -1 : 1;
	return (x->file > y->file) - (x->file < y->file);
}

/* One moment per different time of the file. */
static int add_file(struct an_moments *m, const struct an_file *f, const struct an_filter *filter)
{
	unsigned done = 0;
	for (unsigned i = 0; i < AN_TIME_N; i++) {
		if (done & (1u << i) || f->time[i] == CO_TIME_NONE || !an_filter_time(filter, f->time[i]))
			continue;
		unsigned same = 0;
		for (unsigned k = i; k < AN_TIME_N; k++)
			if (f->time[k] == f->time[i])
				same |= 1u << k;
		done |= same;
		if (co_vec_push(&m->list, (struct an_moment) { f->time[i], f, (uint8_t)same }) < 0)
			return -1;
	}
	return 0;
}

int an_moments_make(const struct an_case *c, const struct an_filter *filter, struct an_moments *ret, struct co_err *err)
{
	struct an_moments m = { 0 };
	for (size_t i = 0; i < c->files.rows.n; i++) {
		const struct an_file *f = &c->files.rows.at[i];
		if (an_filter_path(filter, f) && add_file(&m, f, filter) < 0) {
			an_moments_free(&m);
			return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for the timeline");
		}
	}
	if (m.list.n > 1)
		qsort(m.list.at, m.list.n, sizeof *m.list.at, compare);
	*ret = m;
	return 0;
}

void an_moments_free(struct an_moments *m)
{
	co_vec_free(&m->list);
}
