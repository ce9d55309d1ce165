/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "manifest/sign.h"
#include "run/log.h"

struct opts {
	const char *request, *attach;
};

static const struct co_option options[] = {
	{ "request", 0, "F.tsq", CO_OPT_STRING, offsetof(struct opts, request),
	  "write a request for a time stamp of the bag's signature into this new file" },
	{ "attach", 0, "F.tsr", CO_OPT_STRING, offsetof(struct opts, attach),
	  "put the time stamp of this reply into the bag's signature" },
	{ 0 },
};

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	const char *bag = call->args[0];
	int r;

	if (!o->request == !o->attach)
		return co_err_set(err, CO_ERR_USAGE, 0, "timestamp needs either --request F.tsq or --attach F.tsr");
	r = o->request ? co_timestamp_request(bag, o->request, err) : co_timestamp_attach(bag, o->attach, err);
	if (r == 0 && o->request)
		co_log_note("the request is written; send it to a time stamping authority and attach the reply");
	else if (r == 0)
		co_log_note("the signature has its time stamp");
	return r;
}

const struct co_command im_cmd_timestamp = {
	.name = "timestamp",
	.operands = "BAG --request F.tsq | --attach F.tsr",
	.summary = "have the signature of a bag time-stamped (RFC 3161), without this machine being on a network",
	.details = "The request goes to a time stamping authority from any machine, for example with\n"
		   "  curl -H 'Content-Type: application/timestamp-query' --data-binary @F.tsq URL > F.tsr\n"
		   "and its reply is attached when it is there. Exit status 4: it is the reply for another signature.",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
