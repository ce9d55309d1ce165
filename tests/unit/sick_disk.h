/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a disk made of a formula, with bad sectors, a clock of its own, and a time to vanish. */
#ifndef UNIT_SICK_DISK_H
#define UNIT_SICK_DISK_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "io/source.h"

#define SECTOR 512

struct sick_sectors {
	uint64_t first, count;
	unsigned times; /* reads that fail before one succeeds; 0: all */
};

struct sick_disk {
	const struct sick_sectors *bad;
	size_t n_bad;
	unsigned failed[64]; /* reads that failed, by entry of bad; of those with `times` (one thread only) */
	int64_t good_ns;     /* what a read costs */
	int64_t bad_ns;      /* what one that fails costs */
	atomic_uint vanish;  /* so many reads more, and it is gone; UINT_MAX: it stays */
	bool silent;         /* gone means that reads fail, not that the source says so */
	atomic_uint reads, failures;
	struct co_source source;
};

static _Atomic int64_t sick_time;

static int64_t sick_clock(void)
{
	return atomic_load(&sick_time);
}

#define SICK_PERIOD 251

static uint8_t sick_pattern[SICK_PERIOD + SECTOR]; /* made by sick_open */

/* The bytes from @off to the end of its sector: none is zero. Whole sectors, since a sanitizer looks at each access. */
static const uint8_t *sick_bytes(uint64_t off)
{
	return sick_pattern + (off + off / SECTOR * 7) % SICK_PERIOD;
}

static bool sick_is_sector(const uint8_t *bytes, uint64_t off, bool read)
{
	static const uint8_t zeros[SECTOR];

	return memcmp(bytes, read ? sick_bytes(off) : zeros, SECTOR) == 0;
}

static void sick_fill(void *buf, size_t len, uint64_t off)
{
	for (size_t at = 0, n; at < len; at += n) {
		n = SECTOR - (off + at) % SECTOR;
		n = n < len - at ? n : len - at;
		memcpy((uint8_t *)buf + at, sick_bytes(off + at), n);
	}
}

/* Is the disk to fail at these bytes? *ret_good: bytes before. */
static bool sick_fails(struct sick_disk *d, size_t len, uint64_t off, size_t *ret_good)
{
	uint64_t end = off + len;

	for (size_t i = 0; i < d->n_bad; i++) {
		uint64_t first = d->bad[i].first * SECTOR, behind = first + d->bad[i].count * SECTOR;

		if (first >= end || behind <= off)
			continue;
		if (d->bad[i].times && d->failed[i] >= d->bad[i].times)
			continue;
		if (d->bad[i].times)
			d->failed[i]++;
		end = first > off ? first : off;
	}
	*ret_good = (size_t)(end - off);
	return *ret_good < len;
}

static int sick_read(void *self, void *buf, size_t len, uint64_t off, size_t *ret_good, struct co_err *err)
{
	struct sick_disk *d = self;
	unsigned left = atomic_load(&d->vanish);
	bool fails;

	atomic_fetch_add(&d->reads, 1);
	while (left != UINT_MAX && left && !atomic_compare_exchange_weak(&d->vanish, &left, left - 1))
		;
	if (left == 0 && !d->silent)
		return co_err_set(err, CO_ERR_LOST, 0, "the disk is gone");
	fails = left == 0 || sick_fails(d, len, off, ret_good);
	if (left == 0)
		*ret_good = 0;
	atomic_fetch_add(&sick_time, fails ? d->bad_ns : d->good_ns);
	sick_fill(buf, fails ? *ret_good : len, off);
	if (!fails) {
		*ret_good = len;
		return 0;
	}
	atomic_fetch_add(&d->failures, 1);
	co_err_set(err, CO_ERR_FAILED, 0, "input/output error");
	return 1;
}

static void sick_close(void *self)
{
	(void)self;
}

static void sick_open(struct sick_disk *d, const struct sick_sectors *bad, size_t n_bad, uint64_t size)
{
	static const struct co_source_ops ops = { .kind = "sick", .read = sick_read, .close = sick_close };

	for (unsigned i = 0; i < sizeof sick_pattern; i++)
		sick_pattern[i] = (uint8_t)(1 + i % SICK_PERIOD);
	memset(d, 0, sizeof *d);
	d->bad = bad;
	d->n_bad = n_bad;
	atomic_store(&d->vanish, UINT_MAX);
	d->source = (struct co_source) { .ops = &ops, .self = d, .size = size, .sector_size = SECTOR };
}

#endif
