/* SPDX-License-Identifier: Apache-2.0 */
#include "device/guardian.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "run/process.h"

#define START_NS (20 * CO_NS_PER_S)
#define END_NS (20 * CO_NS_PER_S) /* a device that hangs may never be done with its close */

struct im_guardian {
	struct co_process *child;
};

struct hello {
	int code;
	struct co_err err;
	struct co_sandbox sandbox;
};

/* What the end of the protection changes in struct im_guard. */
struct end {
	struct im_counters after;
	struct im_layer flags;
	struct im_trace_result trace;
};

static struct im_layer *find_layer(struct im_guard *g, const char *name)
{
	for (size_t i = 0; i < g->layers.n; i++)
		if (strcmp(g->layers.at[i].name, name) == 0)
			return &g->layers.at[i];
	return NULL;
}

/* Not told to finish: the program is gone, and the protection is ended all the same. */
static void live(void *arg, int channel)
{
	struct im_guard *g = arg;
	char instances[sizeof g->tracing.tracefs + sizeof "/instances"] = "";
	const char *const removable[] = { instances };
	struct co_sandbox_opts confined = { .profile = CO_SANDBOX_GUARDIAN, .source_fd = -1, .writable = removable };
	struct hello hello = { .err = CO_ERR_INIT };
	struct end end = { 0 };
	const struct im_layer *flags;
	size_t len;
	char order;
	int told;

	if (g->tracing.folder[0]) {
		snprintf(instances, sizeof instances, "%s/instances", g->tracing.tracefs);
		confined.n_writable = 1;
	}
	hello.code = co_sandbox_enter(&hello.sandbox, &confined, &hello.err);
	if (co_process_send(channel, &hello, sizeof hello) < 0 || hello.code < 0)
		return;
	told = co_process_receive(channel, &order, sizeof order, &len);
	im_guard_finish(g);
	if (told != 0)
		return;
	end.after = g->after;
	end.trace = g->trace;
	flags = find_layer(g, "BLKROSET");
	if (flags)
		end.flags = *flags;
	co_process_send(channel, &end, sizeof end);
}

static int start(struct im_guardian *guardian, struct im_guard *g, struct co_sandbox *ret, struct co_err *err)
{
	const struct co_process_opts child = {
		.name = "exhibit-guard", .body = live, .arg = g, .keep = &g->fd, .n_keep = 1
	};
	struct hello hello;
	size_t len = 0;
	int r = co_process_start(&guardian->child, &child, err);

	if (r == 0)
		r = co_process_ask(guardian->child, NULL, 0, &hello, sizeof hello, &len, START_NS, err);
	if (r < 0)
		return r;
	if (r == 1 || len != sizeof hello)
		return co_err_set(err, CO_ERR_FAILED, 0, "the process that guards %s does not start", g->device.path);
	if (hello.code < 0 && err)
		*err = hello.err;
	if (hello.code == 0)
		*ret = hello.sandbox;
	return hello.code;
}

int im_guardian_start(struct im_guardian **ret, struct im_guard *g, struct co_sandbox *ret_sandbox, struct co_err *err)
{
	struct im_guardian *guardian = calloc(1, sizeof *guardian);
	int r;

	if (!guardian)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the write block");
	r = start(guardian, g, ret_sandbox, err);
	if (r < 0) {
		co_process_end(guardian->child);
		free(guardian);
		return r;
	}
	*ret = guardian;
	return 0;
}

void im_guardian_finish(struct im_guardian *guardian, struct im_guard *g)
{
	struct im_layer *flags = find_layer(g, "BLKROSET");
	struct co_err why = CO_ERR_INIT;
	struct end end;
	size_t len = 0;
	int r = co_process_ask(guardian->child, "", 1, &end, sizeof end, &len, END_NS, &why);

	if (r == 0 && len == sizeof end) {
		g->after = end.after;
		g->trace = end.trace;
		if (flags) {
			flags->applied = end.flags.applied;
			memcpy(flags->proof, end.flags.proof, sizeof flags->proof);
		}
	} else if (flags) {
		size_t n = strlen(flags->proof);

		flags->applied = false;
		g->abandoned = r < 0;
		snprintf(flags->proof + n, sizeof flags->proof - n, "; whether it held to the end is not known: %s",
			 r < 0 ? why.msg : "the device does not answer");
	}
	co_process_end(guardian->child);
	free(guardian);
}
