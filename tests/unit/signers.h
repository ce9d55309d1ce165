/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: keys, certificates, and a time stamping authority, made on the spot. */
#ifndef UNIT_SIGNERS_H
#define UNIT_SIGNERS_H

#include <check.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "folder.h"

#define YEAR (365L * 24 * 60 * 60)

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

struct identity_opts {
	const char *name;
	EVP_PKEY *key;                 /* given over */
	const struct identity *issuer; /* NULL: itself */
	long from, to;                 /* validity, seconds from now; both 0: from a year ago to a year ahead */
	long serial;
	const char *usage;          /* key usage, or NULL */
	const char *extended_usage; /* or NULL */
	bool is_authority;
};

static inline EVP_PKEY *new_key(const char *kind)
{
	EVP_PKEY *key = strcmp(kind, "RSA") == 0        ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
			: strcmp(kind, "RSA-1024") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024)
			: strcmp(kind, "ED25519") == 0  ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
							: EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
	ck_assert_ptr_nonnull(key);
	return key;
}

static inline void add_extension(X509 *to, int nid, const char *value)
{
	X509_EXTENSION *e = value ? X509V3_EXT_conf_nid(NULL, NULL, nid, value) : NULL;
	if (!value)
		return;
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(X509_add_ext(to, e, -1), 1);
	X509_EXTENSION_free(e);
}

static inline struct identity new_identity(const struct identity_opts *o)
{
	struct identity i = { .key = o->key, .certificate = X509_new() };
	const struct identity *issuer = o->issuer ? o->issuer : &i;
	X509_NAME *name = X509_get_subject_name(i.certificate);
	bool is_default = o->from == 0 && o->to == 0;
	const unsigned char *text = (const unsigned char *)o->name;
	ck_assert_int_eq(X509_set_version(i.certificate, 2), 1);
	ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(i.certificate), o->serial ? o->serial : 1), 1);
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0), 1);
	ck_assert_int_eq(X509_set_issuer_name(i.certificate, X509_get_subject_name(issuer->certificate)), 1);
	X509_gmtime_adj(X509_getm_notBefore(i.certificate), is_default ? -YEAR : o->from);
	X509_gmtime_adj(X509_getm_notAfter(i.certificate), is_default ? YEAR : o->to);
	ck_assert_int_eq(X509_set_pubkey(i.certificate, i.key), 1);
	add_extension(i.certificate, NID_basic_constraints, o->is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add_extension(i.certificate, NID_key_usage, o->usage);
	add_extension(i.certificate, NID_ext_key_usage, o->extended_usage);
	ck_assert_int_gt(X509_sign(i.certificate, issuer->key, EVP_sha256()), 0);
	return i;
}

static inline void free_identity(struct identity *i)
{
	EVP_PKEY_free(i->key);
	X509_free(i->certificate);
}

static inline FILE *create(struct folder *f, const char *name)
{
	FILE *file = fopen(in_folder(f, name), "we");
	ck_assert_ptr_nonnull(file);
	return file;
}

/* @passphrase: NULL: not encrypted. */
static inline void write_key(struct folder *f, const char *name, EVP_PKEY *key, const char *passphrase)
{
	FILE *file = create(f, name);
	ck_assert_int_eq(PEM_write_PKCS8PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : NULL, passphrase,
						   passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
			 1);
	fclose(file);
}

/* Behind what is in the file already, if @more. */
static inline void write_certificate(struct folder *f, const char *name, X509 *certificate, bool more)
{
	FILE *file = more ? fopen(in_folder(f, name), "ae") : create(f, name);
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(PEM_write_X509(file, certificate), 1);
	fclose(file);
}

static inline void write_identity(struct folder *f, const char *key, const char *certificate, const struct identity *i)
{
	write_key(f, key, i->key, NULL);
	write_certificate(f, certificate, i->certificate, false);
}

/* What co_sign_bag refuses to do: a signature by an expired certificate, and the like. */
static inline void sign_anyway(struct folder *f, const char *content, const char *signature, const struct identity *i,
			       unsigned flags, const EVP_MD *digest)
{
	char *text = folder_read(f, content);
	BIO *data = BIO_new_mem_buf(text, -1);
	FILE *file = create(f, signature);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags | CMS_BINARY | CMS_PARTIAL);
	unsigned char *der = NULL;
	ck_assert_ptr_nonnull(CMS_add1_signer(cms, i->certificate, i->key, digest, flags | CMS_BINARY));
	ck_assert_int_eq(CMS_final(cms, data, NULL, flags | CMS_BINARY), 1);
	int n = i2d_CMS_ContentInfo(cms, &der);
	ck_assert_int_gt(n, 0);
	ck_assert_uint_eq(fwrite(der, 1, (size_t)n, file), (size_t)n);
	fclose(file);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(data);
	free(text);
}

/* --- the authority --- */

struct authority {
	const struct identity *identity;
	time_t time;
	bool rejects;
};

static inline int authority_time(struct TS_resp_ctx *ctx, void *arg, long *sec, long *usec)
{
	const struct authority *a = arg;
	(void)ctx;
	*sec = (long)a->time;
	*usec = 250000;
	return 1;
}

static inline ASN1_INTEGER *authority_serial(struct TS_resp_ctx *ctx, void *arg)
{
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	(void)ctx;
	(void)arg;
	ASN1_INTEGER_set(serial, 7);
	return serial;
}

/* Answers the request in one file in another one. */
static inline void answer(struct folder *f, const char *request, const char *reply, struct authority *a)
{
	TS_RESP_CTX *ctx = TS_RESP_CTX_new();
	BIO *in = BIO_new_file(in_folder(f, request), "rb");
	FILE *out = create(f, reply);
	ASN1_OBJECT *policy = OBJ_txt2obj("1.2.3.4.1", 1);
	ck_assert_int_eq(TS_RESP_CTX_set_signer_cert(ctx, a->identity->certificate), 1);
	ck_assert_int_eq(TS_RESP_CTX_set_signer_key(ctx, a->identity->key), 1);
	ck_assert_int_eq(TS_RESP_CTX_set_signer_digest(ctx, EVP_sha256()), 1);
	ck_assert_int_eq(TS_RESP_CTX_set_ess_cert_id_digest(ctx, EVP_sha256()), 1);
	ck_assert_int_eq(TS_RESP_CTX_set_def_policy(ctx, policy), 1);
	ck_assert_int_eq(TS_RESP_CTX_add_md(ctx, a->rejects ? EVP_sha512() : EVP_sha256()), 1);
	TS_RESP_CTX_set_clock_precision_digits(ctx, 3);
	TS_RESP_CTX_set_time_cb(ctx, authority_time, a);
	TS_RESP_CTX_set_serial_cb(ctx, authority_serial, NULL);
	TS_RESP *response = TS_RESP_create_response(ctx, in);
	ck_assert_ptr_nonnull(response);
	ck_assert_int_eq(i2d_TS_RESP_fp(out, response), 1);
	fclose(out);
	TS_RESP_free(response);
	ASN1_OBJECT_free(policy);
	BIO_free(in);
	TS_RESP_CTX_free(ctx);
}

/* What a reply states, signed by somebody else. */
static inline void forge(struct folder *f, const char *reply, const char *forged, const struct identity *by)
{
	BIO *in = BIO_new_file(in_folder(f, reply), "rb");
	FILE *out = create(f, forged);
	TS_RESP *response = d2i_TS_RESP_bio(in, NULL);
	unsigned char *info = NULL, *token = NULL;
	TS_TST_INFO *stated = TS_TST_INFO_dup(TS_RESP_get_tst_info(response));
	int n = i2d_TS_TST_INFO(stated, &info);
	BIO *data = BIO_new_mem_buf(info, n);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL);
	ck_assert_int_eq(CMS_set1_eContentType(cms, OBJ_nid2obj(NID_id_smime_ct_TSTInfo)), 1);
	ck_assert_ptr_nonnull(CMS_add1_signer(cms, by->certificate, by->key, EVP_sha256(), CMS_BINARY | CMS_CADES));
	ck_assert_int_eq(CMS_final(cms, data, NULL, CMS_BINARY), 1);
	const unsigned char *at;
	n = i2d_CMS_ContentInfo(cms, &token);
	at = token;
	PKCS7 *as_pkcs7 = d2i_PKCS7(NULL, &at, n);
	ck_assert_ptr_nonnull(as_pkcs7);
	TS_RESP_set_tst_info(response, as_pkcs7, stated); /* takes both */
	ck_assert_int_eq(i2d_TS_RESP_fp(out, response), 1);
	fclose(out);
	OPENSSL_free(info);
	OPENSSL_free(token);
	CMS_ContentInfo_free(cms);
	TS_RESP_free(response);
	BIO_free(data);
	BIO_free(in);
}

#endif
