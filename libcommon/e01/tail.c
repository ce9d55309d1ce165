/* SPDX-License-Identifier: Apache-2.0 */
#include "e01/tail.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "e01/amend.h"
#include "e01/codec.h"
#include "e01/segment.h"

enum {
	ERROR2_HEADER = 516, /* number (4), unused (512) */
	ERROR2_ENTRY = 8,
	DIGEST_CONTENT = 76, /* MD5 (16), SHA-1 (20), unused (40) */
	HASH_CONTENT = 32,   /* MD5 (16), unused (16) */
};
#define SECTORS_MAX (UINT64_C(1) << 32)

/* --- where it begins --- */

static bool is_tail(const char *type)
{
	static const char *const types[] = { "error2", "session", "digest", "hash", "xheader", "xhash", "done" };
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* The end of the last section that holds or describes chunks: table2, or in segment 1 the copy of the volume that
 * libewf puts behind it. What follows may be a tail of any length, whole or cut, but no such section: behind a damaged
 * descriptor there may be evidence. */
static int find_begin(struct co_e01_chain *c, const char *name, unsigned number, uint64_t *ret, struct co_err *err)
{
	struct co_e01_section s = { 0 };
	char last[sizeof s.type] = "";
	uint64_t end = 0;
	bool tail = false, tables = false;
	int r;
	while ((r = co_e01_chain_next(c, true, &s, err)) == 0) {
		bool of_tail = is_tail(s.type);
		if (!of_tail && (tail || s.after_damage))
			return co_err_set(err, CO_ERR_OUTPUT, 0,
					  "%s: its sections are damaged before byte %llu, so it can't be ended", name,
					  (unsigned long long)s.off);
		tail |= of_tail;
		if (of_tail)
			continue;
		tables |= strcmp(s.type, "table2") == 0;
		memcpy(last, s.type, sizeof last);
		end = s.next;
	}
	if (r < 0)
		return co_err_set(err, CO_ERR_OUTPUT, 0, "%s can't be read back", name);
	if (!tables || strcmp(last, number == 1 ? "data" : "table2") != 0 || end > c->size)
		return co_err_set(err, CO_ERR_OUTPUT, 0, "%s is not the last segment of a complete image", name);
	*ret = end;
	return 0;
}

/* --- its sections --- */

/* @at: where the tail begins in the file. */
static void add_section(struct co_str *tail, uint64_t at, const char *type, const void *content, size_t n)
{
	uint8_t head[CO_E01_DESCRIPTOR_SIZE];
	co_e01_descriptor_put(head, type, at + tail->n + sizeof head + n, sizeof head + n);
	co_str_add_n(tail, head, sizeof head);
	co_str_add_n(tail, content, n);
}

/* It is its own successor. */
static void add_done(struct co_str *tail, uint64_t at)
{
	uint8_t head[CO_E01_DESCRIPTOR_SIZE];
	co_e01_descriptor_put(head, "done", at + tail->n, 0);
	co_str_add_n(tail, head, sizeof head);
}

static void add_sum(struct co_str *s, size_t from)
{
	uint8_t sum[4];
	if (s->failed)
		return;
	co_put_le32(sum, co_adler32(1, (const uint8_t *)s->s + from, s->n - from));
	co_str_add_n(s, sum, sizeof sum);
}

static void add_entry(struct co_str *s, uint64_t first, uint64_t n)
{
	uint8_t entry[ERROR2_ENTRY];
	co_put_le32(entry, (uint32_t)first);
	co_put_le32(entry + 4, (uint32_t)n);
	co_str_add_n(s, entry, sizeof entry);
}

/* What fits into 32 bits, as entries; returns the number of sectors that do not. */
static uint64_t add_entries(struct co_str *s, const struct co_e01_bad *bad)
{
	uint64_t left_out = 0;
	for (size_t i = 0; i < bad->n;) {
		uint64_t first = bad->at[i][0], end = first;
		for (; i < bad->n && bad->at[i][0] == end; i++)
			end += bad->at[i][1];
		uint64_t n = first < SECTORS_MAX ? co_min_u64(end - first, SECTORS_MAX - first) : 0;
		n = co_min_u64(n, UINT32_MAX);
		left_out += end - first - n;
		if (n)
			add_entry(s, first, n);
	}
	return left_out;
}

static void add_errors(struct co_str *tail, uint64_t at, const struct co_e01_bad *bad, uint64_t *ret_left_out)
{
	CO_CLEANUP_STR struct co_str entries = { 0 }, content = { 0 };
	uint8_t head[ERROR2_HEADER] = { 0 };
	*ret_left_out = add_entries(&entries, bad);
	if (entries.n == 0 && !entries.failed)
		return;
	co_put_le32(head, (uint32_t)(entries.n / ERROR2_ENTRY));
	co_str_add_n(&content, head, sizeof head);
	add_sum(&content, 0);
	co_str_add_n(&content, entries.s, entries.n);
	add_sum(&content, ERROR2_HEADER + 4);
	if (entries.failed || content.failed)
		tail->failed = true;
	else
		add_section(tail, at, "error2", content.s, content.n);
}

static void add_digests(struct co_str *tail, uint64_t at, const struct co_digests *d)
{
	uint8_t digest[DIGEST_CONTENT + 4] = { 0 }, hash[HASH_CONTENT + 4] = { 0 };
	bool md5 = d->set & CO_HASH_BIT(CO_HASH_MD5), sha1 = d->set & CO_HASH_BIT(CO_HASH_SHA1);
	if (md5) {
		memcpy(digest, d->of[CO_HASH_MD5].bytes, 16);
		memcpy(hash, d->of[CO_HASH_MD5].bytes, 16);
	}
	if (sha1) {
		memcpy(digest + 16, d->of[CO_HASH_SHA1].bytes, 20);
		co_put_le32(digest + DIGEST_CONTENT, co_adler32(1, digest, DIGEST_CONTENT));
		add_section(tail, at, "digest", digest, sizeof digest);
	}
	if (md5) {
		co_put_le32(hash + HASH_CONTENT, co_adler32(1, hash, HASH_CONTENT));
		add_section(tail, at, "hash", hash, sizeof hash);
	}
}

/* The layout is that of libewf's "ewfx" files: mark, XML with tab and line feeds, as a zlib stream. */
static void add_xheader(struct co_str *tail, uint64_t at, const struct co_digests *digests)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	char hex[2 * CO_HASH_MAX + 1];
	struct co_codec *codec = NULL;
	uint8_t out[512];
	size_t len = 0;
	co_digests_hex(digests, CO_HASH_SHA256, hex);
	co_str_addf(&text,
		    "\xEF\xBB\xBF<?xml version=\"1.0\" "
		    "encoding=\"UTF-8\"?>\n<xheader>\n\t<SHA256>%s</SHA256>\n</xheader>\n\n",
		    hex);
	if (!text.failed && co_codec_open(&codec, CO_COMPRESSION_BEST, NULL) == 0)
		len = co_codec_compress(codec, text.s, text.n, out, sizeof out);
	co_codec_close(codec);
	if (len == 0)
		tail->failed = true;
	else
		add_section(tail, at, "xheader", out, len);
}

static int make_tail(struct co_str *tail, uint64_t at, const struct co_digests *digests, const struct co_e01_bad *bad,
		     uint64_t *ret_left_out, const char *name, struct co_err *err)
{
	if (bad)
		add_errors(tail, at, bad, ret_left_out);
	add_digests(tail, at, digests);
	if (digests->set & CO_HASH_BIT(CO_HASH_SHA256))
		add_xheader(tail, at, digests);
	add_done(tail, at);
	return tail->failed ? co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the last sections of %s", name) : 0;
}

/* --- writing --- */

/* The old tail is gone from the disk before the new one is written: a mixture of both would look valid. */
static int replace(int fd, const char *name, uint64_t at, const struct co_str *tail, struct co_err *err)
{
	if (ftruncate(fd, (off_t)at) < 0 || fsync(fd) < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "cut %s", name);
	int r = co_e01_amend_write(fd, name, (const uint8_t *)tail->s, tail->n, at, err);
	if (r == 0 && fsync(fd) < 0)
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "sync %s", name);
	return r;
}

int co_e01_write_tail(const char *stem, unsigned segments, const struct co_digests *digests,
		      const struct co_e01_bad *bad, uint64_t *ret_left_out, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str tail = { 0 };
	CO_CLEANUP_FREE char *name = co_e01_segment_name(stem, segments);
	struct co_e01_chain chain;
	uint64_t at = 0, left_out = 0;
	unsigned number;
	int fd;
	if (!name)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the name of segment %u of %s", segments, stem);
	int r = co_e01_amend_open(name, &chain, &number, &fd, err);
	if (r < 0)
		return r;
	r = number == segments ? find_begin(&chain, name, number, &at, err)
			       : co_err_set(err, CO_ERR_OUTPUT, 0, "%s is segment %u of its image", name, number);
	if (r == 0)
		r = make_tail(&tail, at, digests, bad, &left_out, name, err);
	if (r == 0)
		r = replace(fd, name, at, &tail, err);
	r = co_e01_amend_close(fd, name, r, err);
	if (r == 0 && ret_left_out)
		*ret_left_out = left_out;
	return r;
}
