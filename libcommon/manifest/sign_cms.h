/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to manifest/sign*.c: CMS signatures with one signer, through OpenSSL. Messages about files begin behind their
 * name: "is not a CMS signature (wrong tag)".
 */
#ifndef CO_MANIFEST_SIGN_CMS_H
#define CO_MANIFEST_SIGN_CMS_H

#include <openssl/cms.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

#define CO_CMS_MAX_BYTES (1024 * 1024) /* of a signature, a request, a reply, a file of certificates */

/* Scope-bound ownership of OpenSSL's objects; all of its destructors take NULL. */
#define CO_CMS_OWNED(name, type, destroy) \
	static inline void name(type **p) \
	{ \
		destroy(*p); \
	}
CO_CMS_OWNED(co_cms_free_bio, BIO, BIO_free_all)
CO_CMS_OWNED(co_cms_free_store, X509_STORE, X509_STORE_free)
CO_CMS_OWNED(co_cms_free_info, CMS_ContentInfo, CMS_ContentInfo_free)
static inline void co_cms_free_certificates(STACK_OF(X509) * *p)
{
	sk_X509_pop_free(*p, X509_free);
}
static inline void co_cms_free_bytes(unsigned char **p)
{
	OPENSSL_free(*p);
}
#define CO_CMS_CLEANUP_BIO CO_CLEANUP(co_cms_free_bio)
#define CO_CMS_CLEANUP_STORE CO_CLEANUP(co_cms_free_store)
#define CO_CMS_CLEANUP_INFO CO_CLEANUP(co_cms_free_info)
#define CO_CMS_CLEANUP_CERTIFICATES CO_CLEANUP(co_cms_free_certificates)
#define CO_CMS_CLEANUP_BYTES CO_CLEANUP(co_cms_free_bytes)

/* Why OpenSSL's last call failed, in its words; empties its list of errors. */
void co_cms_reason(char *ret, size_t size);

/* The content of a file, at most @max bytes: in the folder @dir without following a link, or by its name if @dir < 0.
 * err->sys is ENOENT if there is none. */
int co_cms_read_file(int dir, const char *name, size_t max, struct co_str *ret, struct co_err *err);

/* All certificates of a file in PEM, at least one. The message names the file. */
int co_cms_read_certificates(const char *file, STACK_OF(X509) * *ret, struct co_err *err);

/* The subject as RFC 4514 writes it. Allocated; NULL: no memory. */
char *co_cms_subject(const X509 *certificate);

/* A parsed signature. A zeroed struct is empty. */
struct co_cms {
	CMS_ContentInfo *info;
	CMS_SignerInfo *signer; /* the only one; borrowed from info, as is the next one */
	X509 *certificate;      /* of the signer */
};
void co_cms_free(struct co_cms *c);
#define CO_CMS_CLEANUP CO_CLEANUP(co_cms_free)

/* CO_ERR_FORMAT: not exactly one SignedData in BER with one signer, whose certificate is in it. */
int co_cms_parse(struct co_cms *ret, const void *bytes, size_t len, struct co_err *err);

/* Is it a signature over these bytes (@content NULL: over those within it) by the key of the certificate, with SHA-2,
 * and is that the certificate which the signer named? CO_ERR_MISMATCH if not. Says nothing about whose it is. */
int co_cms_verify(const struct co_cms *c, const struct co_str *content, struct co_err *err);

/* Does the certificate belong to one of @store, was it valid at that time (CO_TIME_NONE: is it now), and may it be used
 * for this (X509_PURPOSE_...)? CO_ERR_MISMATCH if not. */
int co_cms_verify_certificate(const struct co_cms *c, X509_STORE *store, int purpose, int64_t time_ns,
			      struct co_err *err);

/* The value of the signature. Borrowed. */
const ASN1_OCTET_STRING *co_cms_value(const struct co_cms *c);

/* Makes DER of a signature, checks it against what it signs and writes it into the file @name. */
int co_cms_write(const char *name, const CMS_ContentInfo *info, const struct co_str *content, struct co_err *err);

/* The same for a signature and its bag. */
struct co_cms_bag {
	struct co_str manifest;  /* tagmanifest-sha256.txt */
	struct co_str bytes;     /* tagmanifest-sha256.txt.p7s */
	struct co_cms signature; /* parsed */
};
void co_cms_bag_free(struct co_cms_bag *b);
#define CO_CMS_CLEANUP_BAG CO_CLEANUP(co_cms_bag_free)
/* The tag manifest of a sealed bag. The message names it. */
int co_cms_bag_manifest(struct co_str *ret, const char *bag, struct co_err *err);
/* Reads, parses and verifies (co_cms_verify). Messages name the file. */
int co_cms_bag_open(struct co_cms_bag *ret, const char *bag, struct co_err *err);
/* As co_cms_write, for the tag manifest of a bag. */
int co_cms_bag_write(const char *bag, const CMS_ContentInfo *info, const struct co_str *manifest, struct co_err *err);

#endif
