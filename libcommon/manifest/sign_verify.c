/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "manifest/sign.h"
#include "manifest/sign_cms.h"
#include "manifest/sign_token.h"

struct verification {
	struct co_signature *result;
	const char *bag;
	X509_STORE *store; /* of what is trusted; NULL: certificates are not checked */
	co_bag_problem_fn *problem;
	void *arg;
	size_t problems;
};

void co_signature_free(struct co_signature *s)
{
	free(s->signer);
	*s = (struct co_signature) { 0 };
}

static int no_memory(struct co_err *err)
{
	ERR_clear_error();
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a signature");
}

static int load_store(const char *file, X509_STORE **ret, struct co_err *err)
{
	CO_CMS_CLEANUP_CERTIFICATES STACK_OF(X509) *list = NULL;
	CO_CMS_CLEANUP_STORE X509_STORE *store = X509_STORE_new();
	int r = store ? co_cms_read_certificates(file, &list, err) : no_memory(err);
	for (int i = 0; r == 0 && i < sk_X509_num(list); i++)
		if (X509_STORE_add_cert(store, sk_X509_value(list, i)) != 1)
			r = no_memory(err);
	if (r == 0)
		*ret = CO_TAKE(store);
	return r;
}

/* Tells of what @code and @why say. < 0: verification has to stop. */
static int tell(struct verification *v, int code, const char *what, const struct co_err *why, struct co_err *err)
{
	struct co_err sentence = CO_ERR_INIT;
	if (code == CO_ERR_NOMEM)
		return co_err_set(err, code, 0, "%s", why->msg);
	co_err_set(&sentence, code, 0, "%s%s%s", what, what[0] ? " " : "", why->msg);
	v->problem(v->arg, sentence.msg);
	v->problems++;
	return 0;
}

/* At the time that it states itself: see sign.h. */
static int check_token(const struct verification *v, const struct co_token *token, const struct co_cms *signature,
		       struct co_err *err)
{
	int r = co_token_fits(token, signature, err);
	if (r == 0 && v->store)
		r = co_cms_verify_certificate(&token->cms, v->store, X509_PURPOSE_TIMESTAMP_SIGN, token->time_ns, err);
	return r;
}

static int verify_token(struct verification *v, const struct co_cms *signature, struct co_err *err)
{
	CO_CMS_CLEANUP_TOKEN struct co_token token = { 0 };
	const ASN1_STRING *der = NULL;
	struct co_err why = CO_ERR_INIT;
	int r = co_token_find(signature, &der, &why);
	if (r == 0)
		return 0;
	if (r > 0)
		r = co_token_parse(&token, ASN1_STRING_get0_data(der), (size_t)ASN1_STRING_length(der), &why);
	if (r == 0)
		r = check_token(v, &token, signature, &why);
	if (r < 0)
		return tell(v, r, "the time stamp in " CO_SIGNATURE_NAME, &why, err);
	v->result->stamped = true;
	v->result->time_ns = token.time_ns;
	return 0;
}

static int verify_certificate(struct verification *v, const struct co_cms *signature, struct co_err *err)
{
	struct co_signature *s = v->result;
	struct co_err why = CO_ERR_INIT;
	if (!v->store)
		return 0;
	s->certificate_checked = true;
	int r = co_cms_verify_certificate(signature, v->store, X509_PURPOSE_SMIME_SIGN,
					  s->stamped ? s->time_ns : CO_TIME_NONE, &why);
	if (r == 0)
		return 0;
	s->valid = false;
	return tell(v, r, CO_SIGNATURE_NAME, &why, err);
}

/* Only what can't be there is absent: of a file that can't be examined reading will tell why. */
static bool is_signed(const char *bag)
{
	CO_CLEANUP_STR struct co_str name = { 0 };
	struct stat st;
	co_str_addf(&name, "%s/%s", bag, CO_SIGNATURE_NAME);
	return name.failed || lstat(name.s, &st) == 0 || errno != ENOENT;
}

static int verify(struct verification *v, struct co_err *err)
{
	CO_CMS_CLEANUP_BAG struct co_cms_bag b = { 0 };
	struct co_err why = CO_ERR_INIT;
	if (!is_signed(v->bag)) {
		co_err_set(&why, CO_ERR_MISMATCH, 0, "the bag is not signed: it has no %s", CO_SIGNATURE_NAME);
		return v->store ? tell(v, CO_ERR_MISMATCH, "", &why, err) : 0;
	}
	v->result->present = true;
	int r = co_cms_bag_open(&b, v->bag, &why);
	if (r < 0)
		return tell(v, r, "", &why, err);
	v->result->valid = true;
	v->result->signer = co_cms_subject(b.signature.certificate);
	if (!v->result->signer)
		return no_memory(err);
	r = verify_token(v, &b.signature, err);
	return r < 0 ? r : verify_certificate(v, &b.signature, err);
}

int co_signature_verify(struct co_signature *ret, const char *bag, const char *trusted, co_bag_problem_fn *problem,
			void *arg, struct co_err *err)
{
	CO_CMS_CLEANUP_STORE X509_STORE *store = NULL;
	int r = trusted ? load_store(trusted, &store, err) : 0;
	struct verification v = { .result = ret, .bag = bag, .store = store, .problem = problem, .arg = arg };
	*ret = (struct co_signature) { .time_ns = CO_TIME_NONE };
	if (r == 0)
		r = verify(&v, err);
	return r < 0 ? r : v.problems ? 1 : 0;
}
