/* SPDX-License-Identifier: Apache-2.0 */
#include "e01/section.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "e01/codec.h"

enum {
	SECTIONS_MAX = 4 * 1000 * 1000, /* per segment; a 100 TB image of zeros has some 600,000 */
	SEARCH_WINDOW = 1 << 20,
	VOLUME_SIZE = 1052,   /* EnCase, linen, FTK Imager, libewf */
	VOLUME_SIZE_OLD = 94, /* the original specification, SMART, EnCase 1 */
	TEXT_MAX = 32 << 20,
};

static const char *const known_types[] = {
	"header", "header2", "volume", "disk",    "data",    "sectors", "table", "table2", "next",       "done",
	"hash",   "digest",  "error2", "session", "xheader", "xhash",   "ltree", "ltypes", "incomplete",
};

int co_e01_file_header_parse(const uint8_t head[CO_E01_FILE_HEADER_SIZE], unsigned *ret_number)
{
	static const uint8_t signature[9] = { 'E', 'V', 'F', 0x09, 0x0D, 0x0A, 0xFF, 0x00, 0x01 };
	unsigned number = co_le16(head + 9);
	if (memcmp(head, signature, sizeof signature) != 0 || number == 0 || co_le16(head + 11) != 0)
		return 1;
	*ret_number = number;
	return 0;
}

int co_e01_pread(int fd, void *buf, size_t len, uint64_t off, struct co_err *err)
{
	uint8_t *b = buf;
	while (len) {
		ssize_t n = pread(fd, b, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return co_err_set(err, CO_ERR_FAILED, errno, "can't be read at byte %llu",
					  (unsigned long long)off);
		if (n == 0)
			return 1;
		b += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

void co_e01_descriptor_put(uint8_t ret[CO_E01_DESCRIPTOR_SIZE], const char *type, uint64_t next, uint64_t size)
{
	memset(ret, 0, CO_E01_DESCRIPTOR_SIZE);
	for (size_t i = 0; type[i]; i++)
		ret[i] = (uint8_t)type[i];
	co_put_le64(ret + 16, next);
	co_put_le64(ret + 24, size);
	co_put_le32(ret + 72, co_adler32(1, ret, 72));
}

static bool is_last(const char *type)
{
	return strcmp(type, "next") == 0 || strcmp(type, "done") == 0;
}

/* 0: valid. 1: damaged, or it points backwards. A @next beyond the file is left to the caller. */
static int parse_descriptor(const uint8_t *b, uint64_t off, struct co_e01_section *ret)
{
	if (co_le32(b + 72) != co_adler32(1, b, 72))
		return 1;
	*ret = (struct co_e01_section) { .off = off, .next = co_le64(b + 16) };
	memcpy(ret->type, b, 16);
	uint64_t size = co_le64(b + 24), end;
	if (is_last(ret->type)) {
		ret->next = off;
		return 0;
	}
	if (!co_add(off, (uint64_t)CO_E01_DESCRIPTOR_SIZE, &end) || ret->next < end)
		return 1;
	ret->len = ret->next - end;
	/* Expert Witness 1.35 leaves the size 0; then the content reaches to the next section. */
	if (size >= CO_E01_DESCRIPTOR_SIZE)
		ret->len = co_min_u64(ret->len, size - CO_E01_DESCRIPTOR_SIZE);
	return 0;
}

int co_e01_chain_open(struct co_e01_chain *c, int fd, unsigned *ret_number, struct co_err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "can't be examined");
	uint8_t head[CO_E01_FILE_HEADER_SIZE];
	int r = S_ISREG(st.st_mode) ? co_e01_pread(fd, head, sizeof head, 0, err) : 1;
	if (r == 0)
		r = co_e01_file_header_parse(head, ret_number);
	if (r)
		return r;
	*c = (struct co_e01_chain) { .fd = fd, .size = (uint64_t)st.st_size, .at = CO_E01_FILE_HEADER_SIZE };
	return 0;
}

static bool is_known_type(const uint8_t *b)
{
	for (size_t i = 0; i < sizeof known_types / sizeof *known_types; i++) {
		size_t n = strlen(known_types[i]);
		if (memcmp(b, known_types[i], n) == 0 && co_is_zero(b + n, 16 - n))
			return true;
	}
	return false;
}

/* Is there a valid section at @off, whose successor is valid too? The second condition keeps out descriptors of E01
 * files that lie as evidence inside the medium: their offsets count from elsewhere. */
static int confirm(const struct co_e01_chain *c, const uint8_t *b, uint64_t off, struct co_e01_section *ret,
		   struct co_err *err)
{
	struct co_e01_section after;
	uint8_t next[CO_E01_DESCRIPTOR_SIZE];
	if (parse_descriptor(b, off, ret))
		return 1;
	if (is_last(ret->type))
		return co_le64(b + 16) != off;
	int r = co_in_range(ret->next, sizeof next, c->size) ? co_e01_pread(c->fd, next, sizeof next, ret->next, err)
							     : 1;
	return r ? r : !is_known_type(next) || parse_descriptor(next, ret->next, &after);
}

/* Looks for a valid descriptor from @off on. 0, or 1: none. */
static int search(const struct co_e01_chain *c, uint64_t off, struct co_e01_section *ret, struct co_err *err)
{
	/* All types begin with one of these letters; most bytes of compressed data do not. */
	static const char initials[] = { 'h', 'v', 'd', 's', 't', 'n', 'x', 'e', 'l', 'i' };
	CO_CLEANUP_FREE uint8_t *window = malloc(SEARCH_WINDOW);
	if (!window)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory to search for sections");
	while (co_in_range(off, CO_E01_DESCRIPTOR_SIZE, c->size)) {
		size_t len = (size_t)co_min_u64(SEARCH_WINDOW, c->size - off);
		int r = co_e01_pread(c->fd, window, len, off, err);
		if (r)
			return r;
		for (size_t i = 0; i + CO_E01_DESCRIPTOR_SIZE <= len; i++) {
			if (!memchr(initials, window[i], sizeof initials) || !is_known_type(window + i))
				continue;
			r = confirm(c, window + i, off + i, ret, err);
			if (r <= 0)
				return r;
		}
		off += len - CO_E01_DESCRIPTOR_SIZE + 1;
	}
	return 1;
}

static int ended(struct co_e01_chain *c, enum co_e01_end end)
{
	c->end = end;
	return 1;
}

int co_e01_chain_next(struct co_e01_chain *c, bool may_search, struct co_e01_section *ret, struct co_err *err)
{
	uint8_t b[CO_E01_DESCRIPTOR_SIZE];
	struct co_e01_section s = { 0 };
	if (c->end != CO_E01_END_NOT_YET)
		return 1;
	if (!co_in_range(c->at, sizeof b, c->size))
		return ended(c, CO_E01_END_CUT);
	int r = c->n++ < SECTIONS_MAX ? co_e01_pread(c->fd, b, sizeof b, c->at, err) : 1;
	if (r < 0)
		return r;
	if (r || parse_descriptor(b, c->at, &s)) {
		r = may_search && c->n <= SECTIONS_MAX ? search(c, c->at + 1, &s, err) : 1;
		if (r)
			return r < 0 ? r : ended(c, CO_E01_END_BROKEN);
		s.after_damage = true;
	}
	if (strcmp(s.type, "done") == 0)
		c->end = CO_E01_END_DONE;
	else if (strcmp(s.type, "next") == 0)
		c->end = CO_E01_END_NEXT;
	c->at = s.next;
	*ret = s;
	return 0;
}

int co_e01_section_read(const struct co_e01_chain *c, const struct co_e01_section *s, size_t max, uint8_t **ret,
			size_t *ret_len, struct co_err *err)
{
	uint64_t start = s->off + CO_E01_DESCRIPTOR_SIZE;
	if (start > c->size)
		start = c->size;
	size_t len = (size_t)co_min_u64(co_min_u64(s->len, max), c->size - start);
	CO_CLEANUP_FREE uint8_t *bytes = malloc(len + 1);
	if (!bytes)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a section of %zu bytes", len);
	int r = co_e01_pread(c->fd, bytes, len, start, err);
	if (r)
		return r;
	*ret = CO_TAKE(bytes);
	*ret_len = len;
	return 0;
}

bool co_e01_guid_set(const uint8_t guid[16])
{
	return !co_is_zero(guid, 16);
}

int co_e01_volume_parse(const uint8_t *b, size_t len, struct co_e01_volume *ret)
{
	struct co_e01_volume v = { 0 };
	if (len < VOLUME_SIZE_OLD)
		return 1;
	v.n_chunks = co_le32(b + 4);
	v.sectors_per_chunk = co_le32(b + 8);
	v.sector_size = co_le32(b + 12);
	if (len >= VOLUME_SIZE && co_le32(b + 1048) == co_adler32(1, b, 1048)) {
		v.media_type = b[0];
		v.sectors = co_le64(b + 16);
		v.media_flags = b[36];
		v.compression = b[52];
		memcpy(v.guid, b + 64, 16);
	} else if (co_le32(b + 90) == co_adler32(1, b, 90)) {
		v.media_type = 1; /* this layout has no types; its images are of disks */
		v.media_flags = 1;
		v.sectors = co_le32(b + 16);
	} else {
		return 1;
	}
	*ret = v;
	return 0;
}

static void add_digest(struct co_digests *d, enum co_hash_alg alg, const uint8_t *bytes)
{
	if (d->set & CO_HASH_BIT(alg))
		return;
	d->set |= CO_HASH_BIT(alg);
	d->of[alg].alg = alg;
	memcpy(d->of[alg].bytes, bytes, co_hash_size(alg));
}

int co_e01_hash_parse(const uint8_t *b, size_t len, struct co_digests *ret)
{
	if (len < 36 || co_le32(b + 32) != co_adler32(1, b, 32))
		return 1;
	add_digest(ret, CO_HASH_MD5, b);
	return 0;
}

int co_e01_digest_parse(const uint8_t *b, size_t len, struct co_digests *ret)
{
	if (len < 80 || co_le32(b + 76) != co_adler32(1, b, 76))
		return 1;
	if (!co_is_zero(b, 16))
		add_digest(ret, CO_HASH_MD5, b);
	if (!co_is_zero(b + 16, 20))
		add_digest(ret, CO_HASH_SHA1, b + 16);
	return 0;
}

int co_e01_inflate_text(const uint8_t *bytes, size_t len, uint8_t **ret, size_t *ret_len, struct co_err *err)
{
	struct co_codec *codec;
	int r = co_codec_open(&codec, CO_COMPRESSION_NONE, err);
	if (r < 0)
		return r;
	r = 1;
	for (size_t cap = 64 << 10; r == 1 && cap <= TEXT_MAX; cap *= 8) {
		size_t got;
		uint8_t *text = malloc(cap + 1);
		if (!text) {
			r = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a header");
		} else if (co_codec_inflate(codec, bytes, len, text, cap, &got) == 0) {
			text[got] = '\0';
			*ret = CO_TAKE(text);
			*ret_len = got;
			r = 0;
		}
		free(text);
	}
	co_codec_close(codec);
	return r;
}

/* <TAG>hexadecimal</TAG> */
static int add_tagged(struct co_digests *d, enum co_hash_alg alg, const char *tag, const char *text)
{
	uint8_t bytes[CO_HASH_MAX];
	const char *at = strstr(text, tag);
	if (!at)
		return 0;
	at += strlen(tag);
	size_t n = co_hash_size(alg);
	if (strnlen(at, 2 * n + 2) < 2 * n + 2 || co_unhex(at, n, bytes) < 0 || memcmp(at + 2 * n, "</", 2) != 0)
		return 1;
	add_digest(d, alg, bytes);
	return 0;
}

int co_e01_xml_digests_parse(const uint8_t *bytes, size_t len, struct co_digests *ret)
{
	CO_CLEANUP_FREE uint8_t *text = NULL;
	size_t n;
	if (co_e01_inflate_text(bytes, len, &text, &n, NULL))
		return 1;
	const char *s = (const char *)text;
	int bad = add_tagged(ret, CO_HASH_MD5, "<MD5>", s);
	bad |= add_tagged(ret, CO_HASH_SHA1, "<SHA1>", s);
	bad |= add_tagged(ret, CO_HASH_SHA256, "<SHA256>", s);
	return bad;
}
