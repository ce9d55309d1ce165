/* SPDX-License-Identifier: Apache-2.0 */
#include "e01/codec.h"

#include <check.h>
#include <string.h>

#include "e01_image.h"
#include "suites.h"

static void round_trip(enum co_compression c, const uint8_t *in, size_t len)
{
	static uint8_t stream[40000], out[40000];
	struct co_codec *codec;
	struct co_err err;
	size_t got;
	ck_assert_int_eq(co_codec_open(&codec, c, &err), 0);
	size_t n = co_codec_compress(codec, in, len, stream, sizeof stream);
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_eq(n, co_codec_compress(codec, in, len, out, sizeof out));
	ck_assert_mem_eq(stream, out, n);
	ck_assert_int_eq(co_codec_inflate(codec, stream, n, out, sizeof out, &got), 0);
	ck_assert_uint_eq(got, len);
	ck_assert_mem_eq(out, in, len);
	/* too little room, cut, changed */
	ck_assert_int_eq(co_codec_inflate(codec, stream, n, out, len - 1, &got), 1);
	ck_assert_int_eq(co_codec_inflate(codec, stream, n - 1, out, sizeof out, &got), 1);
	stream[n - 1] ^= 1;
	ck_assert_int_eq(co_codec_inflate(codec, stream, n, out, sizeof out, &got), 1);
	co_codec_close(codec);
}

START_TEST(streams)
{
	static uint8_t in[32768];
	fill_medium(in, sizeof in);
	for (int c = CO_COMPRESSION_FAST; c <= CO_COMPRESSION_BEST; c++) {
		round_trip((enum co_compression)c, in, sizeof in);
		round_trip((enum co_compression)c, in, 512);
		round_trip((enum co_compression)c, in + 12000, 4096);
	}
}
END_TEST

START_TEST(incompressible)
{
	static uint8_t in[8192], out[8192];
	struct co_codec *codec;
	struct co_err err;
	fill_medium(in, sizeof in); /* begins with 12000 bytes of noise */
	for (int c = CO_COMPRESSION_FAST; c <= CO_COMPRESSION_NONE; c++) {
		ck_assert_int_eq(co_codec_open(&codec, (enum co_compression)c, &err), 0);
		ck_assert_uint_eq(co_codec_compress(codec, in, sizeof in, out, sizeof in - 1), 0);
		co_codec_close(codec);
	}
}
END_TEST

/* The first bytes come again, so that a table of matches which depends on the address or the past of a codec shows. */
START_TEST(same_stream_from_any_codec)
{
	enum { CODECS = 16, LEN = 512 };
	static uint8_t in[LEN], first[1024], out[1024];
	struct co_codec *codecs[CODECS];
	struct co_err err;
	uint64_t x = 1;
	for (int i = 0; i < CODECS; i++)
		ck_assert_int_eq(co_codec_open(&codecs[i], CO_COMPRESSION_FAST, &err), 0);
	for (int round = 0; round < 4000; round++) {
		for (size_t i = 0; i < LEN; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			in[i] = i % 64 < 8 && i >= 64 ? in[i % 64] : (uint8_t)(x >> 60);
		}
		size_t n = co_codec_compress(codecs[0], in, LEN, first, sizeof first);
		ck_assert_uint_gt(n, 0);
		for (int i = 1; i < CODECS; i++) {
			ck_assert_uint_eq(co_codec_compress(codecs[i], in, LEN, out, sizeof out), n);
			ck_assert_mem_eq(out, first, n);
		}
	}
	for (int i = 0; i < CODECS; i++)
		co_codec_close(codecs[i]);
}
END_TEST

START_TEST(short_input)
{
	static const uint8_t in[20] = "aaaaaaaaaaaaaaaaaaa";
	for (size_t len = 1; len <= sizeof in; len++)
		for (int c = CO_COMPRESSION_FAST; c <= CO_COMPRESSION_BEST; c++)
			round_trip((enum co_compression)c, in, len);
}
END_TEST

START_TEST(names)
{
	enum co_compression c = CO_COMPRESSION_NONE;
	struct co_err err;
	ck_assert_int_eq(co_compression_parse("fast", &c, &err), 0);
	ck_assert_int_eq(c, CO_COMPRESSION_FAST);
	ck_assert_int_eq(co_compression_parse("best", &c, &err), 0);
	ck_assert_str_eq(co_compression_name(c), "best");
	ck_assert_int_eq(co_compression_parse("Best", &c, &err), CO_ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(err.msg, "'Best'"));
	ck_assert_int_eq(c, CO_COMPRESSION_BEST);
}
END_TEST

START_TEST(adler)
{
	/* RFC 1950: of "Wikipedia" 0x11E60398 (worked example of the algorithm), of nothing 1. */
	ck_assert_uint_eq(co_adler32(1, "Wikipedia", 9), 0x11E60398);
	ck_assert_uint_eq(co_adler32(co_adler32(1, "Wiki", 4), "pedia", 5), 0x11E60398);
	ck_assert_uint_eq(co_adler32(1, "", 0), 1);
}
END_TEST

Suite *t_codec_suite(void)
{
	Suite *s = suite_create("codec");
	TCase *t = tcase_create("codec");
	tcase_add_test(t, streams);
	tcase_add_test(t, incompressible);
	tcase_add_test(t, same_stream_from_any_codec);
	tcase_add_test(t, short_input);
	tcase_add_test(t, names);
	tcase_add_test(t, adler);
	suite_add_tcase(s, t);
	return s;
}
