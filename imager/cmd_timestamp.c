/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/text.h"
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

/* F.tsq for F.tsr: where --request put it, if it was given the same name. */
static void request_of(const char *reply, struct co_str *ret)
{
	size_t n = strlen(reply);

	if (n < 4 || strcmp(reply + n - 4, ".tsr") != 0)
		return;
	co_str_addf(ret, "%.*s.tsq", (int)(n - 4), reply);
	if (access(co_str_get(ret), F_OK) < 0)
		co_str_clear(ret);
}

static int attach(const char *bag, const char *reply, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str request = { 0 };
	int r;

	request_of(reply, &request);
	if (request.failed)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a name");
	r = co_timestamp_attach(bag, reply, request.n ? co_str_get(&request) : NULL, err);
	if (r == 0)
		co_log_note("the signature has its time stamp%s",
			    request.n ? "" : " (without the request beside the reply, its nonce was not compared)");
	return r;
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	const char *bag = call->args[0];
	int r;

	if (!o->request == !o->attach)
		return co_err_set(err, CO_ERR_USAGE, 0, "timestamp needs either --request F.tsq or --attach F.tsr");
	if (o->attach)
		return attach(bag, o->attach, err);
	r = co_timestamp_request(bag, o->request, err);
	if (r == 0)
		co_log_note("the request is written; send it to a time stamping authority and attach the reply");
	return r;
}

const struct co_command im_cmd_timestamp = {
	.name = "timestamp",
	.operands = "BAG --request F.tsq | --attach F.tsr",
	.summary = "have the signature of a bag time-stamped (RFC 3161), without this machine being on a network",
	.details =
		"The request goes to a time stamping authority from any machine, for example with\n"
		"  curl -H 'Content-Type: application/timestamp-query' --data-binary @F.tsq URL > F.tsr\n"
		"and its reply is attached when it is there. If F.tsq is beside F.tsr, it must be what F.tsr answers.\n"
		"Exit status 4: it is the reply for another signature or request.",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
