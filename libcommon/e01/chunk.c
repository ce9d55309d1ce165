/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/uio.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "e01/image.h"

enum {
	RUN_CHUNKS = 32, /* fetched with one call */
	RUN_BYTES =
		256 << 10, /* stored bytes of a run: small enough to be in the cache of the processor when inflated */
	SUM_SIZE = 4,
};

static void free_scratch(struct co_e01_scratch *s)
{
	co_codec_close(s->codec);
	free(s->stored);
	free(s->inflated);
	free(s);
}

struct co_e01_scratch *co_e01_scratch_borrow(struct co_e01_image *img, struct co_err *err)
{
	pthread_mutex_lock(&img->lock);
	struct co_e01_scratch *s = img->idle;
	if (s)
		img->idle = s->next;
	pthread_mutex_unlock(&img->lock);
	if (s)
		return s;
	s = calloc(1, sizeof *s);
	if (s && co_codec_open(&s->codec, CO_COMPRESSION_NONE, err) == 0) {
		s->stored = malloc(img->in_cap > RUN_BYTES ? img->in_cap : RUN_BYTES);
		if (s->stored)
			return s;
	}
	if (s)
		free_scratch(s);
	co_err_set(err, CO_ERR_NOMEM, 0, "no memory to read chunks of %u bytes", img->info.chunk_size);
	return NULL;
}

void co_e01_scratch_return(struct co_e01_image *img, struct co_e01_scratch *s)
{
	pthread_mutex_lock(&img->lock);
	s->next = img->idle;
	img->idle = s;
	pthread_mutex_unlock(&img->lock);
}

void co_e01_scratch_free(struct co_e01_image *img)
{
	for (struct co_e01_scratch *s = img->idle, *next; s; s = next) {
		next = s->next;
		free_scratch(s);
	}
	img->idle = NULL;
}

size_t co_e01_chunk_len(const struct co_e01_image *img, uint64_t chunk)
{
	return (size_t)co_min_u64(img->info.chunk_size, img->info.media_size - chunk * img->info.chunk_size);
}

bool co_e01_chunk_is_costly(const struct co_e01_image *img, uint64_t chunk)
{
	struct co_e01_place p;
	return co_e01_table_place(&img->table, chunk, &p) == 0 && p.compressed && p.len > CO_E01_ZEROS_MAX;
}

static int damaged(const struct co_e01_image *img, uint64_t chunk, const char *why, struct co_err *err)
{
	const struct co_e01_group *g = co_e01_table_group(&img->table, chunk);
	uint64_t first = chunk * img->info.chunk_size;
	co_err_set(err, CO_ERR_FORMAT, 0, "%s: chunk %llu (bytes %llu to %llu of the medium) is damaged: %s",
		   co_e01_files_name(img->files, g ? g->file : 0), (unsigned long long)chunk, (unsigned long long)first,
		   (unsigned long long)(first + co_e01_chunk_len(img, chunk) - 1), why);
	return 1;
}

/* Most bytes that are of use of what a place says. */
static uint64_t stored_max(const struct co_e01_image *img, const struct co_e01_place *p)
{
	return p->compressed ? img->in_cap : (uint64_t)img->info.chunk_size + SUM_SIZE;
}

/* Stored raw: the bytes, then their Adler-32. Some writers put more than @expect bytes into the last chunk. */
static bool copy_raw(const uint8_t *stored, size_t len, size_t expect, uint8_t *out, size_t cap, size_t *ret_len)
{
	size_t n = expect;
	if (len < SUM_SIZE)
		return false;
	if (n > len - SUM_SIZE || co_le32(stored + n) != co_adler32(1, stored, n)) {
		n = len - SUM_SIZE;
		if (n < expect || n > cap || co_le32(stored + n) != co_adler32(1, stored, n))
			return false;
	}
	memcpy(out, stored, n);
	*ret_len = n;
	return true;
}

static bool is_zero(const uint8_t *b, size_t len)
{
	return len && b[0] == 0 && memcmp(b, b + 1, len - 1) == 0;
}

/* Chunks of zeros are most of a sparse image, and are stored as the same few bytes each time: what those inflate to
 * is known after the first of them. */
static bool inflate(struct co_e01_scratch *s, const uint8_t *stored, size_t len, uint8_t *out, size_t cap,
		    size_t *ret_len)
{
	if (s->zeros_len && len == s->zeros_len && s->zeros_size <= cap && memcmp(stored, s->zeros, len) == 0) {
		memset(out, 0, s->zeros_size);
		*ret_len = s->zeros_size;
		return true;
	}
	if (co_codec_inflate(s->codec, stored, len, out, cap, ret_len) != 0)
		return false;
	if (len <= sizeof s->zeros && is_zero(out, *ret_len)) {
		memcpy(s->zeros, stored, len);
		s->zeros_len = len;
		s->zeros_size = *ret_len;
	}
	return true;
}

int co_e01_chunk_load(const struct co_e01_image *img, struct co_e01_scratch *s, uint64_t chunk, size_t expect,
		      uint8_t *out, size_t cap, size_t *ret_len, struct co_err *err)
{
	struct co_e01_place p;
	struct co_err cause = CO_ERR_INIT;
	if (co_e01_table_place(&img->table, chunk, &p))
		return damaged(img, chunk, "no valid table tells where it is stored", err);
	size_t len = (size_t)co_min_u64(p.len, stored_max(img, &p));
	int fd;
	if (co_e01_files_acquire(img->files, p.file, &fd, &cause) < 0)
		return damaged(img, chunk, cause.msg, err);
	int r = co_e01_pread(fd, s->stored, len, p.off, &cause);
	co_e01_files_release(img->files, p.file);
	if (r)
		return damaged(img, chunk, r < 0 ? cause.msg : "it lies outside of its file", err);
	bool ok = p.compressed ? inflate(s, s->stored, len, out, cap, ret_len)
			       : copy_raw(s->stored, len, expect, out, cap, ret_len);
	if (!ok)
		return damaged(img, chunk, p.compressed ? "bad deflate stream or checksum" : "its checksum is wrong",
			       err);
	if (*ret_len < expect)
		return damaged(img, chunk, "it holds too few bytes", err);
	return 0;
}

/* Chunks that lie one behind the other in one file. */
struct run {
	size_t n;
	struct co_e01_place at[RUN_CHUNKS];
};

/* The longest run from @chunk on of at most @n chunks. Empty where the first of them is a special case, which
 * co_e01_chunk_load() knows how to read. */
static void find_run(const struct co_e01_image *img, uint64_t chunk, size_t n, struct run *ret)
{
	uint64_t total = 0;
	for (ret->n = 0; ret->n < n && ret->n < RUN_CHUNKS; ret->n++) {
		struct co_e01_place *p = &ret->at[ret->n], *before = p - 1;
		if (co_e01_table_place(&img->table, chunk + ret->n, p))
			break;
		if (ret->n && (p->file != before->file || p->off != before->off + before->len))
			break;
		if (p->compressed ? p->len > stored_max(img, p) : p->len != stored_max(img, p))
			break;
		total += p->len;
		if (ret->n && total > RUN_BYTES)
			break;
	}
}

static size_t add_piece(struct iovec *pieces, size_t n, uint8_t *at, size_t len)
{
	if (n && (uint8_t *)pieces[n - 1].iov_base + pieces[n - 1].iov_len == at) {
		pieces[n - 1].iov_len += len;
		return n;
	}
	pieces[n] = (struct iovec) { at, len };
	return n + 1;
}

/* Raw chunks are read to where they belong, their checksums and all else into s->stored. */
static bool fetch_run(const struct co_e01_image *img, struct co_e01_scratch *s, const struct run *run, uint8_t *out)
{
	struct iovec pieces[2 * RUN_CHUNKS];
	size_t n = 0, total = 0;
	uint8_t *at = s->stored;
	for (size_t i = 0; i < run->n; i++) {
		size_t len = (size_t)run->at[i].len;
		total += len;
		if (!run->at[i].compressed) {
			len = SUM_SIZE;
			n = add_piece(pieces, n, out + i * img->info.chunk_size, img->info.chunk_size);
		}
		n = add_piece(pieces, n, at, len);
		at += len;
	}
	int fd;
	if (co_e01_files_acquire(img->files, run->at[0].file, &fd, NULL) < 0)
		return false;
	ssize_t got = preadv(fd, pieces, (int)n, (off_t)run->at[0].off);
	co_e01_files_release(img->files, run->at[0].file);
	return got >= 0 && (size_t)got == total;
}

/* Returns how many chunks are good before the first damaged one. */
static size_t decode_run(const struct co_e01_image *img, struct co_e01_scratch *s, const struct run *run, uint8_t *out)
{
	size_t size = img->info.chunk_size, got;
	const uint8_t *at = s->stored;
	for (size_t i = 0; i < run->n; i++, out += size) {
		size_t len = run->at[i].compressed ? (size_t)run->at[i].len : SUM_SIZE;
		if (run->at[i].compressed ? !inflate(s, at, len, out, size, &got) || got < size
					  : co_le32(at) != co_adler32(1, out, size))
			return i;
		at += len;
	}
	return run->n;
}

int co_e01_chunk_load_whole(const struct co_e01_image *img, struct co_e01_scratch *s, uint64_t chunk, size_t n,
			    uint8_t *out, size_t *ret_n, struct co_err *err)
{
	size_t done = 0, singly = 0, size = img->info.chunk_size, got;
	int r = 0;
	while (r == 0 && done < n) {
		struct run run = { .n = 0 };
		size_t good = 0;
		if (singly)
			singly--;
		else
			find_run(img, chunk + done, n - done, &run);
		if (run.n && fetch_run(img, s, &run, out + done * size))
			good = decode_run(img, s, &run, out + done * size);
		else if (run.n) /* which of them can't be read is told by reading one at a time */
			singly = run.n - 1;
		if (good == 0) {
			r = co_e01_chunk_load(img, s, chunk + done, size, out + done * size, size, &got, err);
			good = r == 0;
		}
		done += good;
	}
	*ret_n = done;
	return r;
}
