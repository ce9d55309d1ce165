/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "commands.h"
#include "manifest/sign.h"
#include "run/log.h"

struct opts {
	const char *key, *certificate, *chain, *passphrase;
	bool replace;
};

static const struct co_option options[] = {
	{ "key", 0, "K.pem", CO_OPT_STRING, offsetof(struct opts, key),
	  "private key of the signer: ECDSA P-256 or P-384, or RSA" },
	{ "cert", 0, "C.pem", CO_OPT_STRING, offsetof(struct opts, certificate),
	  "certificate of the signer; others behind it in the file are put into the signature, too" },
	{ "chain", 0, "MORE.pem", CO_OPT_STRING, offsetof(struct opts, chain),
	  "further certificates for the signature, such as that of an intermediate authority" },
	{ "passphrase-file", 0, "FILE", CO_OPT_STRING, offsetof(struct opts, passphrase),
	  "take the passphrase of the key from the first line of this file (asked for on the terminal)" },
	{ "replace", 0, NULL, CO_OPT_FLAG, offsetof(struct opts, replace),
	  "replace the signature that is there, and its time stamp" },
	{ 0 },
};

static void summarize(const char *bag, const struct co_signer *signer)
{
	const char *subject = co_signer_subject(signer);
	CO_CLEANUP_STR struct co_str s = { 0 };

	co_str_add_visible(&s, bag, strlen(bag));
	co_str_add(&s, " is signed by ");
	co_str_add_visible(&s, subject, strlen(subject));
	co_log_note("%s", co_str_get(&s));
}

static int run(const struct co_call *call, struct co_err *err)
{
	const struct opts *o = call->opts;
	const struct co_signer_files files = {
		.key = o->key, .certificate = o->certificate, .chain = o->chain, .passphrase = o->passphrase
	};
	CO_CLEANUP_SIGNER struct co_signer *signer = NULL;
	int r;

	if (!o->key || !o->certificate)
		return co_err_set(err, CO_ERR_USAGE, 0, "sign needs --key K.pem and --cert C.pem");
	r = co_signer_open(&signer, &files, err);
	if (r == 0)
		r = co_sign_bag(signer, call->args[0], o->replace, err);
	if (r == 0)
		summarize(call->args[0], signer);
	return r;
}

const struct co_command im_cmd_sign = {
	.name = "sign",
	.operands = "BAG --key K.pem --cert C.pem",
	.summary = "sign a finished bag: a detached CMS signature over its tag manifest",
	.details = "The signature is BAG/" CO_SIGNATURE_NAME
		   " (CAdES, SHA-256); openssl cms checks it, see VERIFY.txt in\n"
		   "the bag. The files of the bag are not checked: that is what \"verify\" does.",
	.options = options,
	.opts_size = sizeof(struct opts),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
