/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/split.h"

#include <stdio.h>
#include <string.h>

#define WHO 3

/* How the processes are confined, in the order in which they are told of. */
struct confined {
	const char *who[WHO];
	struct co_sandbox by[WHO];
	size_t n;
};

static int add_layer(struct im_guard *g, const struct confined *c, size_t layer, struct co_err *err)
{
	char proof[sizeof g->layers.at->proof] = "";
	bool applied = true;

	for (size_t i = 0; i < c->n; i++) {
		const struct co_sandbox_layer *l = &c->by[i].layers[layer];
		size_t n = strlen(proof);

		applied &= l->applied;
		snprintf(proof + n, sizeof proof - n, "%s%s: %s", i ? "; " : "", c->who[i], l->proof);
	}
	return im_guard_add_layer(g, c->by[0].layers[layer].name, applied, proof, err);
}

static int add_layers(struct im_guard *g, const struct confined *c, struct co_err *err)
{
	int r = c->n == 1 ? 0
			  : im_guard_add_layer(g, "processes", true,
					       "those that hold the source write no files; the one that writes the "
					       "image holds no source",
					       err);

	for (size_t i = 0; r == 0 && i < CO_SANDBOX_LAYERS; i++)
		r = add_layer(g, c, i, err);
	return r;
}

static int require(const struct im_guard *g, struct co_err *err)
{
	const struct im_layer *absent = im_guard_absent(g);

	if (!absent)
		return 0;
	return co_err_set(err, CO_ERR_FAILED, 0, "the write block has no %s: %.300s", absent->name, absent->proof);
}

static int confine(struct confined *c, const struct im_split_opts *opts, struct co_err *err)
{
	const struct co_sandbox_opts writer = { .profile = CO_SANDBOX_WRITER,
						.source_fd = -1,
						.writable = opts->writable,
						.n_writable = opts->n_writable };

	c->who[c->n] = "writer";
	return co_sandbox_enter(&c->by[c->n++], &writer, err);
}

static int start(struct im_remote **ret, struct im_guard *g, const struct im_split_opts *opts, struct confined *c,
		 struct co_err *err)
{
	const struct im_remote_opts readers = {
		.fd = g->fd,
		.direct = g->direct,
		.name = g->device.path,
		.size = g->size,
		.sector = g->sector,
		.readers = opts->readers,
		.memory = opts->memory,
		.patience_ns = opts->patience_ns,
		.slow = opts->slow,
	};
	int r = im_guard_delegate(g, &c->by[0], err);

	if (r == 0)
		c->who[c->n++] = "guardian";
	if (r < 0)
		return r;
	r = im_remote_open(ret, &readers, err);
	if (r < 0)
		return r;
	c->who[c->n] = "readers";
	c->by[c->n++] = *im_remote_sandbox(*ret);
	im_guard_release(g);
	return 0;
}

int im_split(struct im_remote **ret, struct im_guard *g, const struct im_split_opts *opts, struct co_err *err)
{
	struct confined c = { .n = 0 };
	struct im_remote *remote = NULL;
	int r = opts->all_or_nothing ? require(g, err) : 0;

	if (r == 0 && opts->readers)
		r = start(&remote, g, opts, &c, err);
	if (r == 0)
		r = confine(&c, opts, err);
	if (r == 0)
		r = add_layers(g, &c, err);
	if (r == 0 && opts->all_or_nothing)
		r = require(g, err);
	if (r < 0) {
		im_remote_close(remote);
		return r;
	}
	*ret = remote;
	return 0;
}
