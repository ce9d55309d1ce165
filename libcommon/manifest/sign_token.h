/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to manifest/sign*.c: time stamp tokens (RFC 3161) and their place in a signature. Messages begin behind the
 * name of the token: "is not for this signature".
 */
#ifndef CO_MANIFEST_SIGN_TOKEN_H
#define CO_MANIFEST_SIGN_TOKEN_H

#include <openssl/ts.h>

#include "manifest/sign_cms.h"

/* A zeroed struct is empty. */
struct co_token {
	struct co_cms cms;
	TS_TST_INFO *info;
	int64_t time_ns;
};
void co_token_free(struct co_token *t);
#define CO_CMS_CLEANUP_TOKEN CO_CLEANUP(co_token_free)

/* SHA-256, SHA-384 or SHA-512 (NID_...) of the value of a signature; bytes, or 0: another algorithm. */
size_t co_token_digest(int nid, const ASN1_OCTET_STRING *value, unsigned char ret[EVP_MAX_MD_SIZE]);

/* Reads a token and verifies it by the certificate that is in it. CO_ERR_FORMAT, CO_ERR_MISMATCH. */
int co_token_parse(struct co_token *ret, const void *bytes, size_t len, struct co_err *err);
/* CO_ERR_MISMATCH: it is not for this signature. */
int co_token_fits(const struct co_token *t, const struct co_cms *signature, struct co_err *err);

/* The token in a signature. 0: there is none. 1: *ret is borrowed from the signature. CO_ERR_FORMAT: several, or none
 * that could be one. */
int co_token_find(const struct co_cms *signature, const ASN1_STRING **ret, struct co_err *err);
/* Puts a copy into it. */
int co_token_add(const struct co_cms *signature, const unsigned char *der, int len, struct co_err *err);

#endif
