/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunk compression: zlib streams made by ISA-L (fast) or libdeflate (best), read back by libdeflate.
 */
#ifndef CO_E01_CODEC_H
#define CO_E01_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum co_compression {
	CO_COMPRESSION_FAST, /* ISA-L igzip level 1; libdeflate 1 where ISA-L is absent */
	CO_COMPRESSION_BEST, /* libdeflate level 9 */
	CO_COMPRESSION_NONE, /* stored raw */
};

int co_compression_parse(const char *text, enum co_compression *ret, struct co_err *err);
const char *co_compression_name(enum co_compression c);

struct co_codec; /* state of one worker: one thread at a time */

int co_codec_open(struct co_codec **ret, enum co_compression c, struct co_err *err);
/* Length of the zlib stream in @out, or 0: it does not fit in @cap bytes (store the chunk raw). The same bytes give the
 * same stream, whatever the codec was used for before. */
size_t co_codec_compress(struct co_codec *codec, const void *in, size_t len, void *out, size_t cap);
/* Inflates a whole zlib stream and checks its Adler-32. 0: *ret_len bytes are in @out. 1: damaged, or more than @cap.
 */
int co_codec_inflate(struct co_codec *codec, const void *in, size_t len, void *out, size_t cap, size_t *ret_len);
void co_codec_close(struct co_codec *codec);

uint32_t co_adler32(uint32_t seed, const void *bytes, size_t len); /* seed 1 to begin */

#endif
