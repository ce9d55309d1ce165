/* SPDX-License-Identifier: Apache-2.0 */
#include "e01/codec.h"

#include <endian.h>
#include <libdeflate.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#ifdef CO_HAVE_ISAL
#include <isa-l.h>
#endif

enum {
	LEVEL_FAST = 1,
	LEVEL_BEST = 9,
	STORED_HEAD = 8,
	FRAME_SIZE = 2 + 5, /* head of a zlib stream, and of a stored block */
	CHECKSUM_SIZE = 4,
};

struct co_codec {
	enum co_compression compression;
	struct libdeflate_compressor *deflate; /* NULL where ISA-L does the work, or nothing is compressed */
	struct libdeflate_decompressor *inflate;
#ifdef CO_HAVE_ISAL
	struct isal_zstream *isal;
	uint8_t *isal_work;
#endif
};

static const char *const names[] = {
	[CO_COMPRESSION_FAST] = "fast",
	[CO_COMPRESSION_BEST] = "best",
	[CO_COMPRESSION_NONE] = "none",
};

int co_compression_parse(const char *text, enum co_compression *ret, struct co_err *err)
{
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum co_compression)i;
			return 0;
		}
	}
	return co_err_set(err, CO_ERR_USAGE, 0, "compression: '%s' is not one of fast, best, none", text);
}

const char *co_compression_name(enum co_compression c)
{
	return names[c];
}

static bool open_compressor(struct co_codec *codec)
{
	switch (codec->compression) {
	case CO_COMPRESSION_NONE:
		return true;
	case CO_COMPRESSION_BEST:
		codec->deflate = libdeflate_alloc_compressor(LEVEL_BEST);
		return codec->deflate;
	case CO_COMPRESSION_FAST:
	default:
#ifdef CO_HAVE_ISAL
		codec->isal = calloc(1, sizeof *codec->isal);
		codec->isal_work = malloc(ISAL_DEF_LVL1_DEFAULT);
		return codec->isal && codec->isal_work;
#else
		codec->deflate = libdeflate_alloc_compressor(LEVEL_FAST);
		return codec->deflate;
#endif
	}
}

int co_codec_open(struct co_codec **ret, enum co_compression c, struct co_err *err)
{
	struct co_codec *codec = calloc(1, sizeof *codec);
	if (!codec)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a compressor");
	codec->compression = c;
	codec->inflate = libdeflate_alloc_decompressor();
	if (!codec->inflate || !open_compressor(codec)) {
		co_codec_close(codec);
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a compressor");
	}
	*ret = codec;
	return 0;
}

void co_codec_close(struct co_codec *codec)
{
	if (!codec)
		return;
	libdeflate_free_compressor(codec->deflate);
	libdeflate_free_decompressor(codec->inflate);
#ifdef CO_HAVE_ISAL
	free(codec->isal);
	free(codec->isal_work);
#endif
	free(codec);
}

#ifdef CO_HAVE_ISAL
/*
 * ISA-L derives the first two entries of its match table from the address of its stream (level 1, version 2.30:
 * isal_deflate_icf_body_hash_hist_*, label .write_first_byte), so that about one chunk in 5000 comes out differently in
 * another thread or run. With a dictionary it never gets there. So the first bytes of a chunk go out as a stored block
 * of our own, and are the dictionary of the rest.
 */
static size_t compress_isal(struct co_codec *codec, const uint8_t *in, uint32_t len, uint8_t *out, uint32_t cap)
{
	struct isal_zstream *z = codec->isal;
	uint32_t head = len < STORED_HEAD ? len : STORED_HEAD, n = FRAME_SIZE + head;
	if (cap < n + CHECKSUM_SIZE)
		return 0;
	const uint8_t frame[FRAME_SIZE] = { 0x78, 0x01, head == len, (uint8_t)head, 0, (uint8_t)~head, 0xFF };
	memcpy(out, frame, FRAME_SIZE);
	memcpy(out + FRAME_SIZE, in, head);
	if (head < len) {
		isal_deflate_init(z);
		z->level = 1;
		z->level_buf = codec->isal_work;
		z->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
		z->end_of_stream = 1;
		/* The input is only read, but not declared const. */
		if (isal_deflate_set_dict(z, (uint8_t *)(uintptr_t)in, head) != COMP_OK)
			return 0;
		z->next_in = (uint8_t *)(uintptr_t)in + head;
		z->avail_in = len - head;
		z->next_out = out + n;
		z->avail_out = cap - n - CHECKSUM_SIZE;
		if (isal_deflate(z) != COMP_OK || z->internal_state.state != ZSTATE_END)
			return 0;
		n += z->total_out;
	}
	uint32_t sum = htobe32(co_adler32(1, in, len));
	memcpy(out + n, &sum, CHECKSUM_SIZE);
	return n + CHECKSUM_SIZE;
}
#endif

size_t co_codec_compress(struct co_codec *codec, const void *in, size_t len, void *out, size_t cap)
{
#ifdef CO_HAVE_ISAL
	if (codec->isal)
		return len <= UINT32_MAX ? compress_isal(codec, in, (uint32_t)len, out,
							 cap < UINT32_MAX ? (uint32_t)cap : UINT32_MAX)
					 : 0;
#endif
	return codec->deflate ? libdeflate_zlib_compress(codec->deflate, in, len, out, cap) : 0;
}

int co_codec_inflate(struct co_codec *codec, const void *in, size_t len, void *out, size_t cap, size_t *ret_len)
{
	size_t got;
	if (libdeflate_zlib_decompress(codec->inflate, in, len, out, cap, &got) != LIBDEFLATE_SUCCESS)
		return 1;
	*ret_len = got;
	return 0;
}

uint32_t co_adler32(uint32_t seed, const void *bytes, size_t len)
{
	return libdeflate_adler32(seed, bytes, len);
}
