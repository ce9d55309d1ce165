/* SPDX-License-Identifier: Apache-2.0 */
#include "read/areas.h"

#include <string.h>

#include "base/bytes.h"

static uint64_t end_of(const struct im_area *area)
{
	return area->first + area->count;
}

/* Index of the first area that ends behind @unit; n if there is none. */
static size_t find(const struct im_areas *a, uint64_t unit)
{
	size_t low = 0, high = a->list.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (end_of(&a->list.at[middle]) <= unit)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How far along a state is. */
static int rank(enum im_state state)
{
	static const char order[] = { IM_NON_TRIED, IM_NON_TRIMMED, IM_NON_SCRAPED, IM_BAD, IM_FINISHED };
	const char *at = memchr(order, (char)state, sizeof order);

	return at ? (int)(at - order) : 0;
}

static enum im_state joined_state(const struct im_area *a, const struct im_area *b)
{
	enum im_state least = rank(a->state) < rank(b->state) ? a->state : b->state;

	return least == IM_BAD && end_of(a) != b->first ? IM_NON_SCRAPED : least;
}

/* Joins all neighbours that lie at most @gap units apart. */
static void join_within(struct im_areas *a, uint64_t gap)
{
	size_t kept = 0;

	for (size_t i = 1; i < a->list.n; i++) {
		struct im_area *last = &a->list.at[kept], *next = &a->list.at[i];

		if (next->first - end_of(last) <= gap) {
			last->state = joined_state(last, next);
			last->count = end_of(next) - last->first;
		} else {
			a->list.at[++kept] = *next;
		}
	}
	a->list.n = kept + 1;
}

static void bound(struct im_areas *a)
{
	size_t max = a->max ? a->max : IM_AREAS_MAX;

	if (a->list.n <= max)
		return;
	a->joined++;
	for (uint64_t gap = 0; a->list.n > co_max_u64(max / 2, 1); gap = gap ? gap * 2 : 1)
		join_within(a, gap);
}

int im_areas_add(struct im_areas *a, uint64_t first, uint64_t count, enum im_state state)
{
	struct im_area *last = a->list.n ? &a->list.at[a->list.n - 1] : NULL;

	if (count == 0 || state == IM_FINISHED)
		return 0;
	if (last && end_of(last) == first && last->state == state)
		last->count += count;
	else if (co_vec_push(&a->list, (struct im_area) { .first = first, .count = count, .state = state }) < 0)
		return -1;
	bound(a);
	return 0;
}

/* Puts @n areas in place of those from index @from to before index @to. There is room. */
static void replace(struct im_areas *a, size_t from, size_t to, const struct im_area *with, size_t n)
{
	struct im_area *at = a->list.at;

	memmove(at + from + n, at + to, (a->list.n - to) * sizeof *at);
	memcpy(at + from, with, n * sizeof *at);
	a->list.n += n;
	a->list.n -= to - from;
}

/* Appends to a list of at most three, merging. */
static size_t append(struct im_area *list, size_t n, struct im_area area)
{
	if (area.count == 0 || area.state == IM_FINISHED)
		return n;
	if (n && end_of(&list[n - 1]) == area.first && list[n - 1].state == area.state) {
		list[n - 1].count += area.count;
		return n;
	}
	list[n] = area;
	return n + 1;
}

int im_areas_set(struct im_areas *a, uint64_t first, uint64_t count, enum im_state state)
{
	struct im_area with[3];
	uint64_t end = first + count;
	size_t from, to, n = 0;

	if (count == 0)
		return 0;
	if (co_vec_reserve(&a->list, a->list.n + 2) < 0)
		return -1;
	/* Those that touch the range at either side are replaced, too, since they may merge with it. */
	from = find(a, first ? first - 1 : 0);
	to = find(a, end);
	if (to < a->list.n && a->list.at[to].first <= end)
		to++;
	if (from < to) {
		const struct im_area *low = &a->list.at[from];

		if (low->first < first)
			n = append(with, n,
				   (struct im_area) { low->first, co_min_u64(end_of(low), first) - low->first,
						      low->state });
	}
	n = append(with, n, (struct im_area) { first, count, state });
	if (from < to) {
		const struct im_area *high = &a->list.at[to - 1];
		uint64_t begin = co_max_u64(high->first, end);

		if (end_of(high) > begin)
			n = append(with, n, (struct im_area) { begin, end_of(high) - begin, high->state });
	}
	replace(a, from, to, with, n);
	bound(a);
	return 0;
}

bool im_areas_next(const struct im_areas *a, enum im_state state, uint64_t from, struct im_area *ret)
{
	for (size_t i = find(a, from); i < a->list.n; i++) {
		const struct im_area *area = &a->list.at[i];
		uint64_t first = co_max_u64(area->first, from);

		if (area->state != state)
			continue;
		*ret = (struct im_area) { first, end_of(area) - first, state };
		return true;
	}
	return false;
}

bool im_areas_previous(const struct im_areas *a, enum im_state state, uint64_t from, struct im_area *ret)
{
	size_t n = find(a, from);

	if (n < a->list.n && a->list.at[n].first < from)
		n++;
	while (n--) {
		const struct im_area *area = &a->list.at[n];

		if (area->state != state)
			continue;
		*ret = (struct im_area) { area->first, co_min_u64(end_of(area), from) - area->first, state };
		return true;
	}
	return false;
}

enum im_state im_areas_state(const struct im_areas *a, uint64_t unit)
{
	size_t i = find(a, unit);

	return i < a->list.n && a->list.at[i].first <= unit ? a->list.at[i].state : IM_FINISHED;
}

uint64_t im_areas_total(const struct im_areas *a, enum im_state state)
{
	uint64_t total = 0;

	for (size_t i = 0; i < a->list.n; i++)
		if (a->list.at[i].state == state)
			total += a->list.at[i].count;
	return total;
}

uint64_t im_areas_unfinished(const struct im_areas *a)
{
	uint64_t total = 0;

	for (size_t i = 0; i < a->list.n; i++)
		total += a->list.at[i].count;
	return total;
}

int im_areas_ranges(const struct im_areas *a, struct im_ranges *ret)
{
	for (size_t i = 0; i < a->list.n; i++)
		if (im_ranges_add(ret, a->list.at[i].first, a->list.at[i].count) < 0)
			return -1;
	return 0;
}

int im_areas_copy(struct im_areas *ret, const struct im_areas *a)
{
	struct im_areas copy = { .max = a->max, .joined = a->joined };

	if (a->list.n && co_vec_reserve(&copy.list, a->list.n) < 0)
		return -1;
	if (a->list.n)
		memcpy(copy.list.at, a->list.at, a->list.n * sizeof *a->list.at);
	copy.list.n = a->list.n;
	*ret = copy;
	return 0;
}

void im_areas_free(struct im_areas *a)
{
	co_vec_free(&a->list);
	a->joined = 0;
}
