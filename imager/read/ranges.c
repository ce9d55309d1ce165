/* SPDX-License-Identifier: Apache-2.0 */
#include "read/ranges.h"

int im_ranges_add(struct im_ranges *r, uint64_t first, uint64_t count)
{
	struct im_range *last = r->list.n ? &r->list.at[r->list.n - 1] : NULL;

	if (last && last->first + last->count == first)
		last->count += count;
	else if (co_vec_push(&r->list, (struct im_range) { .first = first, .count = count }) < 0)
		return -1;
	r->total += count;
	return 0;
}

void im_ranges_free(struct im_ranges *r)
{
	co_vec_free(&r->list);
	r->total = 0;
}
