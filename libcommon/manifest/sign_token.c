/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Format: RFC 3161, section 2.4.2 (TSTInfo); ETSI EN 319 122-1, section 5.3 (the token in a signature).
 */
#include "manifest/sign_token.h"

#include <openssl/err.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define REASON 200

void co_token_free(struct co_token *t)
{
	co_cms_free(&t->cms);
	TS_TST_INFO_free(t->info);
	*t = (struct co_token) { 0 };
}

static int failed(struct co_err *err, int code, const char *text)
{
	char reason[REASON];
	co_cms_reason(reason, sizeof reason);
	return co_err_set(err, code, 0, "%s (%s)", text, reason);
}

size_t co_token_digest(int nid, const ASN1_OCTET_STRING *value, unsigned char ret[EVP_MAX_MD_SIZE])
{
	const EVP_MD *alg = nid == NID_sha256   ? EVP_sha256()
			    : nid == NID_sha384 ? EVP_sha384()
			    : nid == NID_sha512 ? EVP_sha512()
						: NULL;
	unsigned n = 0;
	if (!alg ||
	    EVP_Digest(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value), ret, &n, alg, NULL) != 1)
		return 0;
	return n;
}

/* The digits behind the point, to nanoseconds. */
static uint32_t fraction_of(const ASN1_GENERALIZEDTIME *t)
{
	const unsigned char *text = ASN1_STRING_get0_data(t);
	size_t n = (size_t)ASN1_STRING_length(t);
	const unsigned char *point = memchr(text, '.', n);
	uint32_t ns = 0;
	for (uint32_t unit = CO_NS_PER_S / 10; point && unit; unit /= 10) {
		if (++point == text + n || *point < '0' || *point > '9')
			break;
		ns += unit * (uint32_t)(*point - '0');
	}
	return ns;
}

/* false: not a time, or out of range. */
static bool time_of(const ASN1_GENERALIZEDTIME *t, int64_t *ret_ns)
{
	struct tm tm;
	if (!t || ASN1_TIME_to_tm(t, &tm) != 1) {
		ERR_clear_error();
		return false;
	}
	return co_time_make(co_date_sec(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec),
			    fraction_of(t), ret_ns);
}

int co_token_parse(struct co_token *ret, const void *bytes, size_t len, struct co_err *err)
{
	CO_CMS_CLEANUP_TOKEN struct co_token t = { 0 };
	int r = co_cms_parse(&t.cms, bytes, len, err);
	if (r == 0)
		r = co_cms_verify(&t.cms, NULL, err);
	if (r < 0)
		return r;
	ASN1_OCTET_STRING **content = CMS_get0_content(t.cms.info);
	const unsigned char *at = ASN1_STRING_get0_data(*content), *end = at + ASN1_STRING_length(*content);
	t.info = d2i_TS_TST_INFO(NULL, &at, end - at);
	if (!t.info || at != end)
		return failed(err, CO_ERR_FORMAT, "does not hold what a time stamp states");
	if (!time_of(TS_TST_INFO_get_time(t.info), &t.time_ns))
		return co_err_set(err, CO_ERR_FORMAT, 0, "states a time that is none");
	*ret = t;
	t = (struct co_token) { 0 };
	return 0;
}

int co_token_fits(const struct co_token *t, const struct co_cms *signature, struct co_err *err)
{
	TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(t->info);
	const ASN1_OCTET_STRING *stated = TS_MSG_IMPRINT_get_msg(imprint);
	const ASN1_OBJECT *name;
	unsigned char digest[EVP_MAX_MD_SIZE];
	X509_ALGOR_get0(&name, NULL, NULL, TS_MSG_IMPRINT_get_algo(imprint));
	size_t n = co_token_digest(OBJ_obj2nid(name), co_cms_value(signature), digest);
	if (n == 0)
		return co_err_set(err, CO_ERR_MISMATCH, 0, "is over a digest other than SHA-256, SHA-384 and SHA-512");
	if ((size_t)ASN1_STRING_length(stated) != n || memcmp(ASN1_STRING_get0_data(stated), digest, n) != 0)
		return co_err_set(err, CO_ERR_MISMATCH, 0, "is not for this signature");
	return 0;
}

int co_token_find(const struct co_cms *signature, const ASN1_STRING **ret, struct co_err *err)
{
	int nid = NID_id_smime_aa_timeStampToken;
	if (CMS_unsigned_get_attr_by_NID(signature->signer, nid, -1) < 0)
		return 0;
	/* -3: the only attribute of its kind, with one value */
	const ASN1_STRING *value =
		CMS_unsigned_get0_data_by_OBJ(signature->signer, OBJ_nid2obj(nid), -3, V_ASN1_SEQUENCE);
	ERR_clear_error();
	if (!value)
		return co_err_set(err, CO_ERR_FORMAT, 0, "is not a single token");
	*ret = value;
	return 1;
}

int co_token_add(const struct co_cms *signature, const unsigned char *der, int len, struct co_err *err)
{
	ASN1_STRING *value = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	int r = 0;
	ERR_clear_error();
	if (!value || !ASN1_STRING_set(value, der, len) ||
	    !CMS_unsigned_add1_attr_by_NID(signature->signer, NID_id_smime_aa_timeStampToken, V_ASN1_SEQUENCE, value,
					   -1))
		r = failed(err, CO_ERR_FAILED, "can't be put into the signature");
	ASN1_STRING_free(value);
	return r;
}
