/* SPDX-License-Identifier: Apache-2.0 */
#include "io/source.h"

#include <inttypes.h>

#include "base/bytes.h"

/* Reads the part of the range that lies within the size, which is all the table of a source has to care for. */
static int read_within(const struct co_source *src, void *buf, size_t len, uint64_t off, size_t *ret_good,
		       struct co_err *err)
{
	size_t good = 0;
	int r = len ? src->ops->read(src->self, buf, len, off, &good, err) : 0;
	if (r < 0)
		return r;
	*ret_good = r == 0 ? len : good;
	return r;
}

int co_source_read(const struct co_source *src, void *buf, size_t len, uint64_t off, size_t *ret_good,
		   struct co_err *err)
{
	size_t good = 0;
	uint64_t there = off < src->size ? src->size - off : 0;
	int r = read_within(src, buf, (size_t)co_min_u64(len, there), off, &good, err);
	if (r < 0)
		return r;
	if (r == 0 && len > there) {
		co_err_set(err, CO_ERR_FAILED, 0,
			   "%zu bytes at offset %" PRIu64 " reach beyond the end at %" PRIu64 " bytes", len, off,
			   src->size);
		r = 1;
	}
	if (ret_good)
		*ret_good = good;
	return r;
}

int co_source_read_full(const struct co_source *src, void *buf, size_t len, uint64_t off, struct co_err *err)
{
	struct co_err why = CO_ERR_INIT;
	int r = co_source_read(src, buf, len, off, NULL, &why);
	if (r == 0)
		return 0;
	if (why.code >= 0)
		co_err_set(&why, r < 0 ? r : CO_ERR_FAILED, 0, "%zu bytes at offset %" PRIu64 " can't be read", len,
			   off);
	if (err)
		*err = why;
	return why.code;
}

void co_source_close(struct co_source *src)
{
	if (src->ops && src->ops->close)
		src->ops->close(src->self);
	*src = CO_SOURCE_NONE;
}
