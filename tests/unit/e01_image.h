/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: E01 images of made-up media. */
#ifndef UNIT_E01_IMAGE_H
#define UNIT_E01_IMAGE_H

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "e01/reader.h"
#include "e01/tail.h"
#include "e01/writer.h"
#include "folder.h"

struct image {
	uint8_t *medium;
	size_t len;
	struct co_e01_writer_opts opts;
	struct co_digests digests;
	unsigned n_segments;
};

/* Runs of zeros, of one byte, of text and of noise, in turn; the same for each call. */
static inline void fill_medium(uint8_t *b, size_t len)
{
	uint64_t x = 88172645463325252;
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		switch (i / 12000 % 4) {
		case 0:
			b[i] = (uint8_t)(x >> 56);
			break;
		case 1:
			b[i] = 0;
			break;
		case 2:
			b[i] = (uint8_t)("evidence"[i % 8] ^ (x % 16 == 0));
			break;
		default:
			b[i] = 0xA5;
			break;
		}
	}
}

/* Chunks of 8 KiB and buffers of 64 KiB, fixed identifier and time. */
static inline void image_init(struct image *im, size_t len)
{
	static const uint8_t guid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	*im = (struct image) { .len = len };
	im->medium = malloc(len);
	ck_assert_ptr_nonnull(im->medium);
	fill_medium(im->medium, len);
	im->opts = (struct co_e01_writer_opts) {
		.media_size = len,
		.sector_size = 512,
		.sectors_per_chunk = 16,
		.guid = guid,
		.depth = 4,
		.buffer_size = 64 << 10,
		.info = { .case_number = "2026-17", .acquiry_time_ns = INT64_C(1700000000) * 1000000000 },
	};
	struct co_err err;
	unsigned set = CO_HASH_BIT(CO_HASH_MD5) | CO_HASH_BIT(CO_HASH_SHA1) | CO_HASH_BIT(CO_HASH_SHA256);
	ck_assert_msg(co_digest_bytes(set, im->medium, len, &im->digests, &err) == 0, "%s", err.msg);
}

static inline void image_free(struct image *im)
{
	free(im->medium);
}

/* All bytes of a file; the result is freed by the caller. */
static inline uint8_t *read_all(const char *name, size_t *ret_len)
{
	FILE *f = fopen(name, "re");
	ck_assert_msg(f, "%s: %s", name, strerror(errno));
	fseek(f, 0, SEEK_END);
	long len = ftell(f);
	rewind(f);
	uint8_t *b = malloc((size_t)len + 1);
	ck_assert_uint_eq(fread(b, 1, (size_t)len, f), (size_t)len);
	fclose(f);
	*ret_len = (size_t)len;
	return b;
}

/* Puts @len bytes of the medium. The first failure, or 0. */
static inline int image_put(struct image *im, struct co_e01_writer *w, struct co_bufs *bufs, size_t len,
			    struct co_err *err)
{
	int r = 0;
	for (size_t off = 0; r == 0 && off < len;) {
		struct co_buf *buf;
		while (!(buf = co_bufs_try_lend(bufs))) {
			r = co_e01_writer_pump(w, err);
			if (r < 0)
				return r;
		}
		buf->off = off;
		buf->len = (size_t)co_min_u64(im->opts.buffer_size, len - off);
		memcpy(buf->data, im->medium + off, buf->len);
		off += buf->len;
		r = co_e01_writer_put(w, buf, err);
	}
	return r;
}

/* Writes the image as @stem.E01..., without a tail; a negative code and *err on failure. */
static inline int image_finish(struct image *im, const char *stem, struct co_err *err)
{
	struct co_e01_writer *w = NULL;
	struct co_bufs *bufs = NULL;
	int r = co_bufs_open(&bufs, im->opts.depth, im->opts.buffer_size, err);
	if (r == 0)
		r = co_e01_writer_open(&w, stem, &im->opts, err);
	if (r == 0)
		r = image_put(im, w, bufs, im->len, err);
	if (r == 0)
		r = co_e01_writer_finish(w, &im->n_segments, err);
	co_e01_writer_close(w);
	co_bufs_close(bufs);
	return r;
}

/* The same with its tail. */
static inline int image_try(struct image *im, const char *stem, struct co_err *err)
{
	int r = image_finish(im, stem, err);
	return r < 0 ? r : co_e01_write_tail(stem, im->n_segments, &im->digests, NULL, NULL, err);
}

static inline void image_write(struct image *im, const char *stem)
{
	struct co_err err;
	ck_assert_msg(image_try(im, stem, &err) == 0, "%s", err.msg);
}

static inline void open_e01(struct co_source *src, const char *name)
{
	struct co_err err;
	ck_assert_msg(co_e01_open(src, &name, 1, NULL, &err) == 0, "%s", err.msg);
}

/* Everything can be read, and is the medium. */
static inline void check_content(const struct co_source *src, const struct image *im, size_t step)
{
	struct co_err err;
	uint8_t *b = malloc(step);
	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq(src->size, im->len);
	for (size_t off = 0; off < im->len; off += step) {
		size_t n = (size_t)co_min_u64(step, im->len - off);
		ck_assert_msg(co_source_read_full(src, b, n, off, &err) == 0, "%s", err.msg);
		ck_assert_mem_eq(b, im->medium + off, n);
	}
	free(b);
}

/* What can be read is the medium; returns the number of unreadable chunks. */
static inline size_t check_readable(const struct co_source *src, const struct image *im)
{
	static uint8_t b[8192];
	size_t bad = 0;
	ck_assert_uint_eq(src->size, im->len);
	for (size_t off = 0; off < im->len; off += sizeof b) {
		size_t n = (size_t)co_min_u64(sizeof b, im->len - off), good = n;
		struct co_err err;
		int r = co_source_read(src, b, n, off, &good, &err);
		ck_assert_int_ge(r, 0);
		ck_assert_uint_le(good, n);
		ck_assert_mem_eq(b, im->medium + off, good);
		bad += r != 0;
	}
	return bad;
}

#endif
