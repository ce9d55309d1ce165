/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "io/source.h"

struct fault {
	struct co_source base; /* a copy: what it refers to is the caller's */
	const struct co_source_fault *plan;
	uint32_t sector_size;
};

/* How many of @len bytes at @off lie before the first bad sector. */
static size_t good_bytes(const struct fault *f, size_t len, uint64_t off)
{
	uint64_t end = off + len;
	for (size_t i = 0; i < f->plan->n_bad; i++) {
		uint64_t first = f->plan->bad[i][0] * f->sector_size;
		uint64_t behind = first + f->plan->bad[i][1] * f->sector_size;
		if (first < end && behind > off)
			end = co_max_u64(first, off);
	}
	return (size_t)(end - off);
}

static int fault_read(void *self, void *buf, size_t len, uint64_t off, size_t *ret_good, struct co_err *err)
{
	const struct fault *f = self;
	if (f->plan->lost_at < off + len)
		return co_err_set(err, CO_ERR_LOST, ENODEV, "read byte %" PRIu64, off);
	size_t good = good_bytes(f, len, off);
	size_t there = 0;
	int r = co_source_read(&f->base, buf, good, off, &there, err);
	if (r == 0 && good < len) {
		co_err_set(err, CO_ERR_FAILED, EIO, "read byte %" PRIu64, off + good);
		r = 1;
	}
	if (r >= 0)
		*ret_good = there;
	return r;
}

static const struct co_source_ops fault_ops = { "fault", fault_read, free };

int co_source_open_fault(struct co_source *ret, const struct co_source *base, const struct co_source_fault *fault,
			 struct co_err *err)
{
	struct fault *f = malloc(sizeof *f);
	if (!f)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	f->base = *base;
	f->plan = fault;
	f->sector_size = base->sector_size ? base->sector_size : 512;
	*ret = (struct co_source) { &fault_ops, f, base->size, f->sector_size };
	return 0;
}
