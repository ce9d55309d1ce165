/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dates of the headers, which libewf can't be told.
 * Source: "Expert Witness Compression Format specification" (libyal/libewf documentation), sections "Header section",
 * "Header2 values"; RFC 1950 and 1951 (a deflate stream may hold empty blocks).
 */
#include "e01/amend.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "e01/codec.h"

enum { LEVEL = 9 };

int co_e01_amend_open(const char *name, struct co_e01_chain *chain, unsigned *ret_number, int *ret_fd,
		      struct co_err *err)
{
	CO_CLEANUP_CLOSE int fd = open(name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "open %s", name);
	if (co_e01_chain_open(chain, fd, ret_number, err) != 0)
		return co_err_set(err, CO_ERR_OUTPUT, 0, "%s can't be read back", name);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int co_e01_amend_write(int fd, const char *name, const uint8_t *bytes, size_t len, uint64_t off, struct co_err *err)
{
	while (len) {
		ssize_t n = pwrite(fd, bytes, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return co_err_set(err, CO_ERR_OUTPUT, n < 0 ? errno : EIO, "write %s", name);
		bytes += n;
		len -= (size_t)n;
		off += (uint64_t)n;
	}
	return 0;
}

int co_e01_amend_close(int fd, const char *name, int r, struct co_err *err)
{
	if (close(fd) < 0 && r == 0)
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "close %s", name);
	return r;
}

/* An empty stored block takes 5 bytes at a byte boundary; with one empty block of fixed codes (10 bits) before it, 6.
 * From 20 bytes on every number is a sum of these. */
static bool add_padding(struct co_str *s, size_t n)
{
	static const uint8_t five[] = { 0x00, 0x00, 0x00, 0xFF, 0xFF };
	static const uint8_t six[] = { 0x02, 0x00, 0x00, 0x00, 0xFF, 0xFF };
	if (n != 0 && n < 20)
		return false;
	for (; n % 5; n -= 6)
		co_str_add_n(s, six, sizeof six);
	for (; n; n -= 5)
		co_str_add_n(s, five, sizeof five);
	return true;
}

/* A zlib stream of @text that is exactly @want bytes long. false: not possible, or no memory (s->failed). */
static bool deflate_exactly(struct co_str *s, const struct co_str *text, size_t want)
{
	uint8_t tail[4];
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(LEVEL);
	CO_CLEANUP_FREE uint8_t *out = malloc(want);
	size_t n = c && out ? libdeflate_deflate_compress(c, text->s, text->n, out, want) : 0;
	libdeflate_free_compressor(c);
	if (n == 0 || want < n + 6)
		return false;
	co_str_add_n(s, "\x78\x9C", 2);
	if (!add_padding(s, want - n - 6))
		return false;
	co_str_add_n(s, out, n);
	uint32_t sum = htobe32(co_adler32(1, text->s, text->n));
	memcpy(tail, &sum, 4);
	co_str_add_n(s, tail, 4);
	return !s->failed;
}

/* @text with @from replaced by @to everywhere. */
static void replace(struct co_str *ret, const uint8_t *text, size_t len, const struct co_str *from,
		    const struct co_str *to)
{
	const uint8_t *end = text + len, *at;
	while ((at = memmem(text, (size_t)(end - text), from->s, from->n))) {
		co_str_add_n(ret, text, (size_t)(at - text));
		co_str_add_n(ret, to->s, to->n);
		text = at + from->n;
	}
	co_str_add_n(ret, text, (size_t)(end - text));
}

/* ASCII, as one or (header2: UTF-16LE) two bytes per character. */
static void add_wide(struct co_str *s, const char *ascii, bool wide)
{
	for (; *ascii; ascii++)
		co_str_add_n(s, (const char[2]) { *ascii, 0 }, wide ? 2 : 1);
}

static int redate(int fd, const char *name, const struct co_e01_chain *chain, const struct co_e01_section *s,
		  const char *date, struct co_err *err)
{
	bool wide = strcmp(s->type, "header2") == 0;
	CO_CLEANUP_FREE uint8_t *bytes = NULL, *text = NULL;
	CO_CLEANUP_STR struct co_str from = { 0 }, to = { 0 }, changed = { 0 }, stream = { 0 };
	size_t len, text_len;
	if (co_e01_section_read(chain, s, SIZE_MAX, &bytes, &len, err) != 0 ||
	    co_e01_inflate_text(bytes, len, &text, &text_len, err) != 0)
		return co_err_set(err, CO_ERR_OUTPUT, 0, "%s: its header can't be read back", name);
	add_wide(&from, CO_E01_DATE_PLACEHOLDER, wide);
	add_wide(&to, date, wide);
	replace(&changed, text, text_len, &from, &to);
	/* libewf puts SUB for what the code page of header lacks. */
	for (size_t i = 0; !wide && i < changed.n; i++)
		if (changed.s[i] == 0x1A)
			changed.s[i] = '?';
	if (from.failed || to.failed || changed.failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the header of %s", name);
	if (!deflate_exactly(&stream, &changed, len))
		return co_err_set(err, CO_ERR_OUTPUT, 0, "%s: the dates do not fit into its header", name);
	return co_e01_amend_write(fd, name, (const uint8_t *)stream.s, stream.n, s->off + CO_E01_DESCRIPTOR_SIZE, err);
}

int co_e01_set_dates(const char *name, int64_t time_ns, struct co_err *err)
{
	struct co_e01_chain chain;
	struct co_e01_section s;
	CO_CLEANUP_STR struct co_str numbers = { 0 }, seconds = { 0 };
	struct co_date d = co_date_of(co_time_sec(time_ns));
	co_str_addf(&numbers, "%d %d %d %d %d %d", d.year, d.month, d.day, d.hour, d.minute, d.second);
	co_str_addf(&seconds, "%lld", (long long)co_time_sec(time_ns));
	unsigned number;
	int fd;
	int r = co_e01_amend_open(name, &chain, &number, &fd, err);
	if (r < 0)
		return r;
	while (r == 0 && co_e01_chain_next(&chain, false, &s, err) == 0) {
		if (strcmp(s.type, "header") == 0)
			r = redate(fd, name, &chain, &s, co_str_get(&numbers), err);
		else if (strcmp(s.type, "header2") == 0)
			r = redate(fd, name, &chain, &s, co_str_get(&seconds), err);
	}
	return co_e01_amend_close(fd, name, r, err);
}
