/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/media.h"

#include <stdlib.h>
#include <string.h>

#include "acquire/blocks.h"

struct im_media {
	struct im_media_opts opts;
	struct co_lanes *plain;
	struct co_lanes *padded; /* NULL: nothing is padded */
	struct co_bufs *last;    /* one buffer, for the true bytes of the last one */
};

static int open_padded(struct im_media *m, struct co_lanes_opts lanes, struct co_err *err)
{
	int r;

	lanes.block_size = 0;
	lanes.block = NULL;
	r = co_lanes_open(&m->padded, &lanes, err);
	return r < 0 ? r : co_bufs_open(&m->last, 1, m->opts.buffer_size, err);
}

int im_media_open(struct im_media **ret, const struct im_media_opts *opts, struct co_err *err)
{
	struct co_lanes_opts lanes = { .set = opts->set,
				       .depth = opts->depth,
				       .threads = true,
				       .block_size = opts->block ? IM_BLOCK_SIZE : 0,
				       .block = opts->block,
				       .block_arg = opts->block_arg };
	struct im_media *m = calloc(1, sizeof *m);
	int r;

	if (!m)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for digests");
	m->opts = *opts;
	r = co_lanes_open(&m->plain, &lanes, err);
	if (r == 0 && opts->padded_bytes != opts->bytes)
		r = open_padded(m, lanes, err);
	if (r < 0) {
		im_media_close(m);
		return r;
	}
	*ret = m;
	return 0;
}

void im_media_set_size(struct im_media *m, uint64_t bytes)
{
	m->opts.bytes = bytes;
}

/* The lanes share buffers, so the shorter last one is a copy. */
static int add_last(struct im_media *m, const struct co_buf *buf, struct co_err *err)
{
	struct co_buf *copy = co_bufs_lend(m->last);
	int r;

	copy->len = (size_t)(m->opts.bytes - buf->off);
	copy->off = buf->off;
	memcpy(copy->data, buf->data, copy->len);
	r = co_lanes_add(m->plain, copy, err);
	co_buf_unref(copy);
	return r;
}

int im_media_add(struct im_media *m, struct co_buf *buf, struct co_err *err)
{
	int r = 0;

	if (buf->off + buf->len <= m->opts.bytes)
		r = co_lanes_add(m->plain, buf, err);
	else if (buf->off < m->opts.bytes)
		r = add_last(m, buf, err);
	return r == 0 && m->padded ? co_lanes_add(m->padded, buf, err) : r;
}

int im_media_finish(struct im_media *m, struct im_media_digests *ret, struct co_err *err)
{
	struct im_media_digests d = { 0 };
	int r = co_lanes_finish(m->plain, &d.plain, err);

	d.padded = d.plain;
	if (r == 0 && m->padded)
		r = co_lanes_finish(m->padded, &d.padded, err);
	if (r == 0)
		*ret = d;
	return r;
}

void im_media_close(struct im_media *m)
{
	if (!m)
		return;
	co_lanes_close(m->plain);
	co_lanes_close(m->padded);
	co_bufs_close(m->last);
	free(m);
}
