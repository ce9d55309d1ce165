/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sections "table" and "table2": number of entries (4), padding (4), base offset (8), padding (4), checksum (4), then
 * the entries (4 each: bit 31 says compressed, the others are the offset from base), then their checksum (4).
 * In the oldest layouts the chunks themselves follow in the same section, without (SMART) or with (EnCase 1) the last
 * checksum before them, and there is no table2.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "e01/image.h"

enum {
	HEADER_SIZE = 24,
	ENTRY_SIZE = 4,
};
#define OFFSET_MASK 0x7FFFFFFFu

/* Do all entries point behind the table, into the same section? */
static bool holds_its_chunks(const uint8_t *entries, uint64_t n, uint64_t base, uint64_t first, uint64_t end)
{
	uint64_t last = first;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t off;
		if (!co_add(base, (uint64_t)(co_le32(entries + i * ENTRY_SIZE) & OFFSET_MASK), &off) || off < last ||
		    off >= end)
			return false;
		last = off;
	}
	return n > 0;
}

int co_e01_table_parse(struct co_e01_table_part *ret, const uint8_t *bytes, size_t len,
		       const struct co_e01_section *section, struct co_err *err)
{
	*ret = (struct co_e01_table_part) { .present = true, .end = section->off };
	if (len < HEADER_SIZE || co_le32(bytes + 20) != co_adler32(1, bytes, 20))
		return 0;
	ret->n = co_le32(bytes);
	ret->base = co_le64(bytes + 8);
	if (ret->n > (len - HEADER_SIZE) / ENTRY_SIZE)
		return 0;
	ret->header_ok = true;
	const uint8_t *entries = bytes + HEADER_SIZE;
	size_t size = (size_t)ret->n * ENTRY_SIZE;
	uint64_t content = section->off + CO_E01_DESCRIPTOR_SIZE;
	ret->entries_ok = len - HEADER_SIZE - size >= 4 && co_le32(entries + size) == co_adler32(1, entries, size);
	if (holds_its_chunks(entries, ret->n, ret->base, content + HEADER_SIZE + size, content + section->len)) {
		ret->entries_ok = true;
		ret->end = content + section->len;
	}
	if (!ret->entries_ok)
		return 0;
	ret->entries = malloc(size + 1);
	if (!ret->entries)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a table of %llu chunks",
				  (unsigned long long)ret->n);
	for (size_t i = 0; i < ret->n; i++)
		ret->entries[i] = co_le32(entries + i * ENTRY_SIZE);
	return 0;
}

static int add_group(struct co_e01_table *t, struct co_e01_group g, struct co_err *err)
{
	g.first = t->n;
	if (co_vec_push(&t->groups, g) < 0) {
		free(g.entries);
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the tables of an image");
	}
	t->n += g.n;
	return 0;
}

int co_e01_table_add_gap(struct co_e01_table *t, uint32_t file, struct co_err *err)
{
	return add_group(t, (struct co_e01_group) { .file = file, .gap = true }, err);
}

int co_e01_table_add(struct co_e01_table *t, uint32_t file, struct co_e01_table_part *table,
		     struct co_e01_table_part *table2, struct co_err *err)
{
	bool mirror = !table->entries_ok && (table2->entries_ok || !table->header_ok);
	struct co_e01_table_part *good = mirror ? table2 : table;
	free(CO_TAKE(*(mirror ? &table->entries : &table2->entries)));
	if (!good->header_ok)
		return co_e01_table_add_gap(t, file, err);
	struct co_e01_group g = {
		.n = good->n,
		.base = good->base,
		.end = mirror && table->present ? table->end : good->end, /* the chunks end before the first of both */
		.file = file,
		.entries = CO_TAKE(good->entries),
	};
	return add_group(t, g, err);
}

void co_e01_table_free(struct co_e01_table *t)
{
	for (size_t i = 0; i < t->groups.n; i++)
		free(t->groups.at[i].entries);
	co_vec_free(&t->groups);
}

/* Replaces groups [from, to] by the single gap at @from that holds @n chunks. */
static void merge(struct co_e01_table *t, size_t from, size_t to, uint64_t n)
{
	for (size_t i = from + 1; i <= to; i++)
		free(t->groups.at[i].entries);
	memmove(t->groups.at + from + 1, t->groups.at + to + 1, (t->groups.n - to - 1) * sizeof *t->groups.at);
	t->groups.n -= to - from;
	t->groups.at[from].n = n;
}

int co_e01_table_finish(struct co_e01_table *t, uint64_t n_chunks, uint64_t *ret_lost, struct co_err *err)
{
	size_t from = SIZE_MAX, to = 0;
	uint64_t lost = n_chunks > t->n ? n_chunks - t->n : 0;
	for (size_t i = 0; i < t->groups.n; i++) {
		if (!t->groups.at[i].gap)
			continue;
		from = from == SIZE_MAX ? i : from;
		to = i;
	}
	if (lost && from == SIZE_MAX) {
		uint32_t file = t->groups.n ? t->groups.at[t->groups.n - 1].file : 0;
		int r = co_e01_table_add_gap(t, file, err);
		if (r < 0)
			return r;
		from = to = t->groups.n - 1;
	}
	if (lost) {
		for (size_t i = from; i <= to; i++)
			lost += t->groups.at[i].n;
		merge(t, from, to, lost);
	}
	t->n = 0;
	for (size_t i = 0; i < t->groups.n; i++) {
		t->groups.at[i].first = t->n;
		t->n += t->groups.at[i].n;
		if (!t->groups.at[i].gap && !t->groups.at[i].entries)
			lost += t->groups.at[i].n;
	}
	*ret_lost = lost;
	return 0;
}

uint64_t co_e01_table_unbroken(const struct co_e01_table *t)
{
	for (size_t i = 0; i < t->groups.n; i++)
		if (t->groups.at[i].n && !t->groups.at[i].entries)
			return t->groups.at[i].first;
	return t->n;
}

const struct co_e01_group *co_e01_table_group(const struct co_e01_table *t, uint64_t chunk)
{
	size_t low = 0, high = t->groups.n;
	if (chunk >= t->n)
		return NULL;
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;
		if (t->groups.at[mid].first <= chunk)
			low = mid;
		else
			high = mid;
	}
	/* Empty groups share their first chunk with the one behind; the search ends at the last of them, the full one.
	 */
	return &t->groups.at[low];
}

int co_e01_table_place(const struct co_e01_table *t, uint64_t chunk, struct co_e01_place *ret)
{
	const struct co_e01_group *g = co_e01_table_group(t, chunk);
	if (!g || !g->entries)
		return 1;
	uint64_t i = chunk - g->first;
	uint64_t off, end = g->end, next;
	if (!co_add(g->base, (uint64_t)(g->entries[i] & OFFSET_MASK), &off) || off >= end)
		return 1;
	if (i + 1 < g->n && co_add(g->base, (uint64_t)(g->entries[i + 1] & OFFSET_MASK), &next) && next > off)
		end = co_min_u64(end, next);
	*ret = (struct co_e01_place) {
		.file = g->file,
		.off = off,
		.len = end - off,
		.compressed = g->entries[i] & ~OFFSET_MASK,
	};
	return 0;
}
