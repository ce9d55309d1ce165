/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Format: RFC 3161, sections 2.4.1 (request) and 2.4.2 (reply).
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ts.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "io/sink.h"
#include "manifest/sign.h"
#include "manifest/sign_cms.h"
#include "manifest/sign_token.h"

#define REASON 200
#define REJECTION_MAX 200 /* bytes of an authority's words */

CO_CMS_OWNED(free_request, TS_REQ, TS_REQ_free)
CO_CMS_OWNED(free_response, TS_RESP, TS_RESP_free)
CO_CMS_OWNED(free_imprint, TS_MSG_IMPRINT, TS_MSG_IMPRINT_free)
CO_CMS_OWNED(free_algorithm, X509_ALGOR, X509_ALGOR_free)
CO_CMS_OWNED(free_integer, ASN1_INTEGER, ASN1_INTEGER_free)

static int no_memory(struct co_err *err)
{
	ERR_clear_error();
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a time stamp");
}

/* --- the request --- */

/* NULL: no memory. */
static TS_REQ *make_request(const ASN1_OCTET_STRING *value, uint64_t nonce)
{
	CO_CLEANUP(free_request) TS_REQ *request = TS_REQ_new();
	CO_CLEANUP(free_imprint) TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
	CO_CLEANUP(free_algorithm) X509_ALGOR *algorithm = X509_ALGOR_new();
	CO_CLEANUP(free_integer) ASN1_INTEGER *number = ASN1_INTEGER_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t n = co_token_digest(NID_sha256, value, digest);
	/* The setters copy what they are given. */
	bool made = n && request && imprint && algorithm && number &&
		    X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) &&
		    TS_MSG_IMPRINT_set_algo(imprint, algorithm) && TS_MSG_IMPRINT_set_msg(imprint, digest, (int)n) &&
		    ASN1_INTEGER_set_uint64(number, nonce) && TS_REQ_set_version(request, 1) &&
		    TS_REQ_set_msg_imprint(request, imprint) && TS_REQ_set_nonce(request, number) &&
		    TS_REQ_set_cert_req(request, 1);
	return made ? CO_TAKE(request) : NULL;
}

/* --- the reply --- */

static int read_reply(const char *name, TS_RESP **ret, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str bytes = { 0 };
	CO_CLEANUP(free_response) TS_RESP *reply = NULL;
	struct co_err why = CO_ERR_INIT;
	char reason[REASON];
	int r = co_cms_read_file(-1, name, CO_CMS_MAX_BYTES, &bytes, &why);
	if (r < 0)
		return co_err_set(err, r, 0, "%s %s", name, why.msg);
	const unsigned char *start = (const unsigned char *)co_str_get(&bytes), *at = start;
	ERR_clear_error();
	reply = d2i_TS_RESP(NULL, &at, (long)bytes.n);
	if (!reply) {
		co_cms_reason(reason, sizeof reason);
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s is not the reply of a time stamping authority (%s)", name,
				  reason);
	}
	if (at != start + bytes.n)
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s has bytes behind the reply", name);
	*ret = CO_TAKE(reply);
	return 0;
}

/* What the authority wrote about its refusal, made fit to show. */
static void add_words(struct co_str *s, const TS_STATUS_INFO *status)
{
	const STACK_OF(ASN1_UTF8STRING) *texts = TS_STATUS_INFO_get0_text(status);
	for (int i = 0; i < sk_ASN1_UTF8STRING_num(texts) && s->n < REJECTION_MAX; i++) {
		const ASN1_UTF8STRING *text = sk_ASN1_UTF8STRING_value(texts, i);
		size_t n = (size_t)ASN1_STRING_length(text);
		co_str_add(s, i ? " " : ": ");
		co_str_add_visible(s, (const char *)ASN1_STRING_get0_data(text), n < REJECTION_MAX ? n : REJECTION_MAX);
	}
}

/* RFC 3161, 2.4.2: 0 granted, 1 granted with changes; whatever else is in the reply, nothing beyond is a token. */
static int check_status(TS_RESP *reply, const char *name, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str words = { 0 };
	const TS_STATUS_INFO *info = TS_RESP_get_status_info(reply);
	long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(info));
	ERR_clear_error();
	if (status != TS_STATUS_GRANTED && status != TS_STATUS_GRANTED_WITH_MODS) {
		add_words(&words, info);
		return co_err_set(err, CO_ERR_FAILED, 0,
				  "%s: the time stamping authority did not grant the request (status %ld)%s", name,
				  status, co_str_get(&words));
	}
	return TS_RESP_get_token(reply) ? 0 : co_err_set(err, CO_ERR_FORMAT, 0, "%s holds no time stamp", name);
}

/* RFC 3161, 2.4.2: the nonce of the request comes back. */
static int compare_nonce(const struct co_token *token, const char *request, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str bytes = { 0 };
	CO_CLEANUP(free_request) TS_REQ *asked = NULL;
	struct co_err why = CO_ERR_INIT;
	int r = co_cms_read_file(-1, request, CO_CMS_MAX_BYTES, &bytes, &why);
	if (r < 0)
		return co_err_set(err, r, 0, "%s %s", request, why.msg);
	const unsigned char *at = (const unsigned char *)co_str_get(&bytes);
	asked = d2i_TS_REQ(NULL, &at, (long)bytes.n);
	ERR_clear_error();
	if (!asked)
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s is not a request for a time stamp", request);
	const ASN1_INTEGER *sent = TS_REQ_get_nonce(asked), *came = TS_TST_INFO_get_nonce(token->info);
	if (sent && (!came || ASN1_INTEGER_cmp(sent, came) != 0))
		return co_err_set(err, CO_ERR_MISMATCH, 0, "is not the answer to %s: it has another nonce", request);
	return 0;
}

/* Checks the token of a reply and puts it into the signature. */
static int add_token(const struct co_cms *signature, const char *bag, TS_RESP *reply, const char *name,
		     const char *request, struct co_err *err)
{
	CO_CMS_CLEANUP_TOKEN struct co_token token = { 0 };
	CO_CMS_CLEANUP_BYTES unsigned char *der = NULL;
	struct co_err why = CO_ERR_INIT;
	int n = i2d_PKCS7(TS_RESP_get_token(reply), &der);
	if (n < 0)
		return no_memory(err);
	int r = co_token_parse(&token, der, (size_t)n, &why);
	if (r < 0)
		return co_err_set(err, r == CO_ERR_NOMEM ? r : CO_ERR_FORMAT, 0, "the time stamp in %s %s", name,
				  why.msg);
	r = co_token_fits(&token, signature, &why);
	if (r < 0)
		return co_err_set(err, r, 0, "the time stamp in %s %s, that of %s", name, why.msg, bag);
	if (request)
		r = compare_nonce(&token, request, &why);
	if (r == CO_ERR_MISMATCH)
		return co_err_set(err, r, 0, "the time stamp in %s %s", name, why.msg);
	if (r < 0)
		return co_err_set(err, r, 0, "%s", why.msg);
	r = co_token_add(signature, der, n, &why);
	return r < 0 ? co_err_set(err, r, 0, "the time stamp in %s %s", name, why.msg) : 0;
}

/* --- the bag --- */

/* Opens a bag whose signature fits and has no time stamp. */
static int open_bag(struct co_cms_bag *ret, const char *bag, struct co_err *err)
{
	CO_CMS_CLEANUP_BAG struct co_cms_bag b = { 0 };
	const ASN1_STRING *token;
	int r = co_cms_bag_open(&b, bag, err);
	if (r < 0)
		return r;
	if (co_token_find(&b.signature, &token, NULL) != 0)
		return co_err_set(err, CO_ERR_USAGE, 0, "the signature of %s has a time stamp already", bag);
	*ret = b;
	b = (struct co_cms_bag) { 0 };
	return 0;
}

int co_timestamp_request(const char *bag, const char *request, struct co_err *err)
{
	CO_CMS_CLEANUP_BAG struct co_cms_bag b = { 0 };
	CO_CMS_CLEANUP_BYTES unsigned char *der = NULL;
	struct stat st;
	uint64_t nonce;
	if (lstat(request, &st) == 0)
		return co_err_set(err, CO_ERR_USAGE, 0, "%s exists already", request);
	int r = open_bag(&b, bag, err);
	if (r < 0)
		return r;
	if (getrandom(&nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce)
		return co_err_set(err, CO_ERR_FAILED, errno, "no random number for the request");
	CO_CLEANUP(free_request) TS_REQ *made = make_request(co_cms_value(&b.signature), nonce);
	int n = made ? i2d_TS_REQ(made, &der) : -1;
	return n < 0 ? no_memory(err) : co_sink_write_file(request, der, (size_t)n, err);
}

int co_timestamp_attach(const char *bag, const char *reply, const char *request, struct co_err *err)
{
	CO_CMS_CLEANUP_BAG struct co_cms_bag b = { 0 };
	CO_CLEANUP(free_response) TS_RESP *response = NULL;
	int r = open_bag(&b, bag, err);
	if (r == 0)
		r = read_reply(reply, &response, err);
	if (r == 0)
		r = check_status(response, reply, err);
	if (r == 0)
		r = add_token(&b.signature, bag, response, reply, request, err);
	return r < 0 ? r : co_cms_bag_write(bag, b.signature.info, &b.manifest, err);
}
