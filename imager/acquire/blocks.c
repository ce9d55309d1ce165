/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/blocks.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"

#define HEADER "# exhibit.blocks/1: SHA-256 of each block of the medium; columns: digest, offset and length in bytes\n"

static uint64_t block_length(uint64_t media, uint64_t offset)
{
	return co_min_u64(IM_BLOCK_SIZE, media - offset);
}

int im_blocks_begin(struct im_blocks_writer *w, const char *file, uint64_t media, struct co_err *err)
{
	int r;

	*w = (struct im_blocks_writer) { .media = media };
	r = co_sink_open(&w->sink, file, err);
	return r < 0 ? r : co_sink_puts(w->sink, HEADER, err);
}

void im_blocks_add(void *writer, uint64_t index, const uint8_t sha256[32])
{
	struct im_blocks_writer *w = writer;
	uint64_t offset = index * IM_BLOCK_SIZE;
	char hex[65];

	if (w->failure.code)
		return;
	co_hex(sha256, 32, hex);
	co_sink_printf(w->sink, &w->failure, "%s  %" PRIu64 " %" PRIu64 "\n", hex, offset,
		       block_length(w->media, offset));
}

int im_blocks_commit(struct im_blocks_writer *w, struct co_err *err)
{
	struct co_sink *sink = w->sink;

	w->sink = NULL;
	if (w->failure.code) {
		co_sink_abort(sink);
		if (err)
			*err = w->failure;
		return w->failure.code;
	}
	return co_sink_commit(sink, err);
}

void im_blocks_abort(struct im_blocks_writer *w)
{
	co_sink_abort(w->sink);
	w->sink = NULL;
}

static int not_a_block_file(struct im_blocks_checker *c, struct co_err *err)
{
	return co_err_set(err, CO_ERR_FORMAT, 0, "%s is damaged: its lines don't describe the blocks of this medium",
			  c->name);
}

int im_blocks_open(struct im_blocks_checker *c, const char *file, uint64_t media, struct co_err *err)
{
	struct stat st;
	char line[160];

	*c = (struct im_blocks_checker) { .name = file, .media = media };
	/* Opening a pipe would wait for its writer. */
	if (stat(file, &st) == 0 && !S_ISREG(st.st_mode))
		return co_err_set(err, CO_ERR_FAILED, 0, "%s is not a file", file);
	c->file = fopen(file, "re");
	if (!c->file)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", file);
	if (!fgets(line, sizeof line, c->file) || line[0] != '#') {
		int r = not_a_block_file(c, err);

		im_blocks_close(c);
		return r;
	}
	return 0;
}

void im_blocks_check(void *checker, uint64_t index, const uint8_t sha256[32])
{
	struct im_blocks_checker *c = checker;
	uint64_t offset = index * IM_BLOCK_SIZE, stated, length;
	uint8_t expected[32];
	char line[160];

	if (c->failure.code)
		return;
	if (!fgets(line, sizeof line, c->file) || co_unhex(line, 32, expected) < 0 ||
	    sscanf(line + 64, "  %" SCNu64 " %" SCNu64 "\n", &stated, &length) != 2 || stated != offset ||
	    length != block_length(c->media, offset))
		not_a_block_file(c, &c->failure);
	else if (memcmp(expected, sha256, 32) != 0 && im_ranges_add(&c->differing, index, 1) < 0)
		co_err_set(&c->failure, CO_ERR_NOMEM, 0, "no memory for the list of differing blocks");
}

int im_blocks_end(struct im_blocks_checker *c, struct co_err *err)
{
	if (!c->failure.code && fgetc(c->file) != EOF)
		not_a_block_file(c, &c->failure);
	if (c->failure.code && err)
		*err = c->failure;
	return c->failure.code;
}

void im_blocks_close(struct im_blocks_checker *c)
{
	if (c->file)
		fclose(c->file);
	c->file = NULL;
	im_ranges_free(&c->differing);
}
