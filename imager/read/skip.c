/* SPDX-License-Identifier: Apache-2.0 */
#include "read/skip.h"

#include "base/bytes.h"

#define NEVER UINT64_MAX

void im_skip_init(struct im_skip *s, unsigned ahead)
{
	*s = (struct im_skip) { .ahead = ahead, .decide = NEVER };
}

/* All outcomes are there: that of the latest read decides. */
static void decide(struct im_skip *s, uint64_t number, uint64_t behind)
{
	s->decide = NEVER;
	if (!s->dead) {
		s->stride = 0;
		return;
	}
	s->stride = s->stride ? co_min_u64(s->stride * 2, IM_SKIP_MAX) : 1;
	s->left = co_min_u64(s->stride, behind);
	/* The probe behind the skipped ones has to be waited for. */
	s->decide = number + s->left + 1;
}

enum im_skip_what im_skip_ask(struct im_skip *s, uint64_t number, uint64_t behind, unsigned in_work)
{
	if (number == s->decide && in_work)
		return IM_SKIP_WAIT;
	if (number == s->decide)
		decide(s, number, behind);
	if (s->left == 0)
		return IM_SKIP_READ;
	s->left--;
	return IM_SKIP_SKIP;
}

void im_skip_tell(struct im_skip *s, uint64_t number, bool dead)
{
	s->dead = dead;
	if (dead && s->decide == NEVER)
		s->decide = number + s->ahead;
}
