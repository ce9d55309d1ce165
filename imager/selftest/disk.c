/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/cleanup.h"

#define STEP ((size_t)1 << 20)
#define SECTOR 512u

/* splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014) of the place. */
static uint64_t mix(uint64_t z)
{
	z += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void fill_sector(const struct im_disk *d, uint64_t number, uint8_t buf[SECTOR])
{
	uint64_t at = number * SECTOR;
	bool last = at + SECTOR >= d->size;

	memset(buf, 0, SECTOR);
	if (d->content && at >= d->content && !last)
		return;
	if (last || at / STEP % 4 < 2) {
		for (size_t i = 0; i < SECTOR / 8; i++)
			co_put_le64(buf + 8 * i, mix(d->seed ^ mix(number * (SECTOR / 8) + i)));
	} else if (at / STEP % 4 == 2) {
		char text[64];

		snprintf(text, sizeof text, "%08" PRIx64 " sector %014" PRIu64 "\n\n", d->seed & 0xffffffff, number);
		for (size_t i = 0; i < SECTOR; i += 32)
			memcpy(buf + i, text, 32);
	}
}

static void zero_holes(const struct im_disk *d, uint64_t off, uint8_t *buf, size_t len)
{
	for (size_t i = 0; i < sizeof d->holes / sizeof d->holes[0]; i++) {
		uint64_t from = co_max_u64(d->holes[i].start, off);
		uint64_t to = co_min_u64(d->holes[i].start + d->holes[i].size, off + len);

		if (from < to)
			memset(buf + (from - off), 0, (size_t)(to - from));
	}
}

static void fill(const struct im_disk *d, uint64_t off, uint8_t *buf, size_t len)
{
	uint8_t sector[SECTOR];

	for (size_t done = 0; done < len;) {
		size_t within = (size_t)((off + done) % SECTOR);
		size_t n = SECTOR - within < len - done ? SECTOR - within : len - done;

		fill_sector(d, (off + done) / SECTOR, sector);
		memcpy(buf + done, sector + within, n);
		done += n;
	}
}

void im_disk_bytes(const struct im_disk *d, uint64_t off, void *buf, size_t len)
{
	fill(d, off, buf, len);
	zero_holes(d, off, buf, len);
}

/* The first byte behind @off that is not surely zero: nothing need be computed for what lies between. */
static uint64_t skip_zeros(const struct im_disk *d, uint64_t off)
{
	uint64_t tail = d->size > 2 * STEP ? (d->size - STEP) / STEP * STEP : 0;

	return d->content && off >= d->content && off < tail ? tail : off;
}

static int write_at(int fd, const char *file, const uint8_t *buf, size_t len, uint64_t off, struct co_err *err)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, buf, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return co_err_set(err, CO_ERR_OUTPUT, errno, "write %s", file);
		buf += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

int im_disk_write(const struct im_disk *d, const char *file, struct co_err *err)
{
	CO_CLEANUP_FREE uint8_t *buf = malloc(STEP);
	CO_CLEANUP_CLOSE int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (!buf)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a disk");
	if (fd < 0 || ftruncate(fd, (off_t)d->size) < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "create %s", file);
	for (uint64_t off = 0; off < d->size; off = skip_zeros(d, off + STEP)) {
		size_t n = (size_t)co_min_u64(STEP, d->size - off);
		int r = 0;

		fill(d, off, buf, n);
		if (!co_is_zero(buf, n))
			r = write_at(fd, file, buf, n, off, err);
		if (r < 0)
			return r;
	}
	return fsync(fd) < 0 ? co_err_set(err, CO_ERR_OUTPUT, errno, "sync %s", file) : 0;
}

int im_disk_digests(const struct im_disk *d, unsigned set, struct co_digests *ret, struct co_err *err)
{
	CO_CLEANUP_FREE uint8_t *buf = malloc(STEP);
	struct co_hasher *h;
	int r;

	if (!buf)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a disk");
	r = co_hasher_open(&h, set, err);
	if (r < 0)
		return r;
	for (uint64_t off = 0; r == 0 && off < d->size; off += STEP) {
		size_t n = (size_t)co_min_u64(STEP, d->size - off);

		if (skip_zeros(d, off) != off)
			memset(buf, 0, n);
		else
			im_disk_bytes(d, off, buf, n);
		r = co_hasher_add(h, buf, n, err);
	}
	if (r == 0)
		r = co_hasher_finish(h, ret, err);
	co_hasher_close(h);
	return r;
}

int im_disk_part_sha256(const struct im_disk *d, uint64_t off, size_t len, char ret[65], struct co_err *err)
{
	CO_CLEANUP_FREE uint8_t *buf = malloc(len ? len : 1);
	struct co_digests digests;
	int r;

	if (!buf)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a disk");
	im_disk_bytes(d, off, buf, len);
	r = co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), buf, len, &digests, err);
	if (r == 0)
		co_digests_hex(&digests, CO_HASH_SHA256, ret);
	return r;
}

static int read_at(int fd, const char *file, uint8_t *buf, size_t len, uint64_t off, struct co_err *err)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, buf + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return co_err_set(err, CO_ERR_FAILED, errno, "read %s", file);
		if (n == 0)
			return co_err_set(err, CO_ERR_FAILED, 0, "%s became shorter", file);
		done += (size_t)n;
	}
	return 0;
}

static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i = 0;

	while (i < n && a[i] == b[i])
		i++;
	return i;
}

int im_disk_compare(const struct im_disk *d, const char *file, uint64_t *ret_at, struct co_err *err)
{
	CO_CLEANUP_FREE uint8_t *want = malloc(STEP), *got = malloc(STEP);
	CO_CLEANUP_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint64_t common;

	if (!want || !got)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a disk");
	if (fd < 0 || fstat(fd, &st) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", file);
	common = S_ISBLK(st.st_mode) ? d->size : co_min_u64(d->size, (uint64_t)st.st_size);
	for (uint64_t off = 0; off < common; off += STEP) {
		size_t n = (size_t)co_min_u64(STEP, common - off);
		int r = read_at(fd, file, got, n, off, err);

		if (r < 0)
			return r;
		im_disk_bytes(d, off, want, n);
		if (memcmp(want, got, n) != 0) {
			*ret_at = off + first_difference(want, got, n);
			return 1;
		}
	}
	*ret_at = common;
	return !S_ISBLK(st.st_mode) && (uint64_t)st.st_size != d->size;
}
