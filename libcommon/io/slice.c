/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "io/source.h"

struct slice {
	struct co_source base; /* a copy: what it refers to is the caller's */
	uint64_t off;
};

static int slice_read(void *self, void *buf, size_t len, uint64_t off, size_t *ret_good, struct co_err *err)
{
	const struct slice *s = self;
	return co_source_read(&s->base, buf, len, s->off + off, ret_good, err);
}

static const struct co_source_ops slice_ops = { "slice", slice_read, free };

int co_source_open_slice(struct co_source *ret, const struct co_source *base, uint64_t off, uint64_t len,
			 struct co_err *err)
{
	if (!co_in_range(off, len, base->size))
		return co_err_set(err, CO_ERR_FORMAT, 0,
				  "%" PRIu64 " bytes at offset %" PRIu64 " reach beyond the end at %" PRIu64 " bytes",
				  len, off, base->size);
	struct slice *s = malloc(sizeof *s);
	if (!s)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	s->base = *base;
	s->off = off;
	*ret = (struct co_source) { &slice_ops, s, len, base->sector_size };
	return 0;
}

struct concat {
	size_t n;
	struct co_source *parts;
	uint64_t *ends; /* where each part ends in the whole */
};

static size_t part_at(const struct concat *c, uint64_t off)
{
	size_t low = 0, high = c->n - 1;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (off < c->ends[middle])
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int concat_read(void *self, void *buf, size_t len, uint64_t off, size_t *ret_good, struct co_err *err)
{
	const struct concat *c = self;
	size_t got = 0;
	for (size_t i = part_at(c, off); got < len; i++) {
		uint64_t begin = c->ends[i] - c->parts[i].size;
		uint64_t within = off + got - begin;
		size_t want = (size_t)co_min_u64(len - got, c->parts[i].size - within);
		size_t good = 0;
		int r = co_source_read(&c->parts[i], (uint8_t *)buf + got, want, within, &good, err);
		if (r < 0)
			return r;
		got += good;
		if (r > 0) {
			*ret_good = got;
			return r;
		}
	}
	*ret_good = got;
	return 0;
}

static void concat_close(void *self)
{
	struct concat *c = self;
	for (size_t i = 0; i < c->n; i++)
		co_source_close(&c->parts[i]);
	free(c->parts);
	free(c->ends);
	free(c);
}

static const struct co_source_ops concat_ops = { "concat", concat_read, concat_close };

/* On success the parts belong to *ret. */
static int concat_make(struct co_source *ret, const struct co_source *parts, size_t n, struct co_err *err)
{
	uint64_t size = 0;
	if (n == 0)
		return co_err_set(err, CO_ERR_USAGE, 0, "no parts are given");
	struct concat *c = calloc(1, sizeof *c);
	if (!c)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	int r = 0;
	c->parts = calloc(n, sizeof *c->parts);
	c->ends = calloc(n, sizeof *c->ends);
	if (!c->parts || !c->ends)
		r = co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for %zu parts", n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!co_add(size, parts[i].size, &size))
			r = co_err_set(err, CO_ERR_FORMAT, 0, "the parts are larger than any disk can be");
		else
			c->ends[i] = size;
	}
	if (r < 0) {
		concat_close(c); /* c->n is 0: the parts stay open */
		return r;
	}
	memcpy(c->parts, parts, n * sizeof *parts);
	c->n = n;
	*ret = (struct co_source) { &concat_ops, c, size, parts[0].sector_size };
	return 0;
}

int co_source_open_concat(struct co_source *ret, const struct co_source *parts, size_t n, struct co_err *err)
{
	int r = concat_make(ret, parts, n, err);
	for (size_t i = 0; r < 0 && i < n; i++) {
		struct co_source part = parts[i];
		co_source_close(&part);
	}
	return r;
}
