/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "check/backdate.h"

#define NEIGHBOURS 8 /* inodes in use that are looked at */
#define ENOUGH 5     /* fewer don't tell anything */
#define REACH 12     /* numbers below the file */
#define LATER_S 3600

static int no_memory(struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the times of files");
}

static int compare_instants(const void *pa, const void *pb)
{
	const struct an_instant *a = pa, *b = pb;
	if (a->volume != b->volume)
		return a->volume < b->volume ? -1 : 1;
	return (a->ns > b->ns) - (a->ns < b->ns);
}

int an_instants_make(const struct an_files *files, enum an_time which, struct an_instants *ret, struct co_err *err)
{
	struct an_instants all = { 0 };
	for (size_t i = 0; i < files->rows.n; i++) {
		const struct an_file *f = &files->rows.at[i];
		if (!an_file_is_live_regular(f) || f->time[which] == CO_TIME_NONE)
			continue;
		if (co_vec_push(&all.list, (struct an_instant) { f->volume, f->time[which] }) < 0) {
			an_instants_free(&all);
			return no_memory(err);
		}
	}
	if (all.list.n)
		qsort(all.list.at, all.list.n, sizeof *all.list.at, compare_instants);
	*ret = all;
	return 0;
}

/* Index of the first one that is not before @key. */
static size_t first_from(const struct an_instants *all, const struct an_instant *key)
{
	size_t low = 0, high = all->list.n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (compare_instants(&all->list.at[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t an_instants_near(const struct an_instants *all, uint32_t volume, int64_t ns, int64_t window_ns)
{
	struct an_instant from = { .volume = volume }, behind = { .volume = volume };
	if (!co_sub(ns, window_ns, &from.ns))
		from.ns = INT64_MIN;
	if (!co_add(ns, window_ns + 1, &behind.ns))
		behind.ns = INT64_MAX;
	return first_from(all, &behind) - first_from(all, &from);
}

void an_instants_free(struct an_instants *all)
{
	co_vec_free(&all->list);
}

static int compare_births(const void *pa, const void *pb)
{
	const struct an_birth *a = pa, *b = pb;
	if (a->volume != b->volume)
		return a->volume < b->volume ? -1 : 1;
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return (a->ns > b->ns) - (a->ns < b->ns);
}

int an_births_make(const struct an_files *files, struct an_births *ret, struct co_err *err)
{
	struct an_births all = { 0 };
	const uint32_t live = AN_NAME_ALLOCATED | AN_META_KNOWN | AN_META_ALLOCATED;
	for (size_t i = 0; i < files->rows.n; i++) {
		const struct an_file *f = &files->rows.at[i];
		if ((f->flags & live) != live || (f->flags & (AN_STREAM | AN_NTFS_NAME_TIMES)) ||
		    f->time[AN_CRTIME] == CO_TIME_NONE)
			continue;
		if (co_vec_push(&all.list, (struct an_birth) { f->volume, f->inode, f->time[AN_CRTIME] }) < 0) {
			an_births_free(&all);
			return no_memory(err);
		}
	}
	size_t n = 0;
	if (all.list.n)
		qsort(all.list.at, all.list.n, sizeof *all.list.at, compare_births);
	for (size_t i = 0; i < all.list.n; i++) {
		const struct an_birth *b = &all.list.at[i];
		if (n == 0 || all.list.at[n - 1].volume != b->volume || all.list.at[n - 1].inode != b->inode)
			all.list.at[n++] = *b;
	}
	all.list.n = n;
	*ret = all;
	return 0;
}

bool an_births_out_of_order(const struct an_births *all, const struct an_file *f)
{
	struct an_birth key = { f->volume, f->inode, INT64_MIN };
	size_t low = 0, high = all->list.n;
	int64_t limit;
	if (!co_add(f->time[AN_CRTIME], LATER_S * CO_NS_PER_S, &limit))
		return false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (compare_births(&all->list.at[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	size_t seen = 0, later = 0;
	for (size_t i = low; i-- > 0 && seen < NEIGHBOURS; seen++) {
		const struct an_birth *b = &all->list.at[i];
		if (b->volume != f->volume || f->inode - b->inode > REACH)
			break;
		later += b->ns > limit;
	}
	return seen >= ENOUGH && later * 4 >= seen * 3;
}

void an_births_free(struct an_births *all)
{
	co_vec_free(&all->list);
}
