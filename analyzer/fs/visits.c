/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/visits.h"

#include <stdlib.h>

#include "base/bytes.h"

static struct an_visit *slot_of(struct an_visit *slot, size_t cap, uint64_t inode)
{
	uint64_t h = inode * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = (size_t)(h >> 20) & (cap - 1);
	while (slot[i].count && slot[i].inode != inode)
		i = (i + 1) & (cap - 1);
	return &slot[i];
}

static int grow(struct an_visits *v)
{
	size_t cap = v->cap ? v->cap : 64;
	if (v->cap && !co_mul(v->cap, (size_t)2, &cap))
		return -1;
	struct an_visit *slot = calloc(cap, sizeof *slot);
	if (!slot)
		return -1;
	for (size_t i = 0; i < v->cap; i++)
		if (v->slot[i].count)
			*slot_of(slot, cap, v->slot[i].inode) = v->slot[i];
	free(v->slot);
	v->slot = slot;
	v->cap = cap;
	return 0;
}

unsigned an_visits_add(struct an_visits *v, uint64_t inode)
{
	if (v->n >= v->cap / 2 && grow(v) < 0)
		return 0;
	struct an_visit *s = slot_of(v->slot, v->cap, inode);
	if (s->count == 0) {
		s->inode = inode;
		v->n++;
	}
	return ++s->count;
}

void an_visits_free(struct an_visits *v)
{
	free(v->slot);
	*v = (struct an_visits) { 0 };
}
