/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/sign.h"

#include <errno.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "manifest/sign_cms.h"

#define RSA_MIN_BITS 2048
#define PASSPHRASE_MAX 1024
#define REASON 200

struct co_signer {
	EVP_PKEY *key;
	X509 *certificate;
	STACK_OF(X509) * chain; /* without the certificate */
	char *subject;
};

void co_signer_close(struct co_signer *signer)
{
	if (!signer)
		return;
	EVP_PKEY_free(signer->key);
	X509_free(signer->certificate);
	sk_X509_pop_free(signer->chain, X509_free);
	free(signer->subject);
	free(signer);
}

const char *co_signer_subject(const struct co_signer *signer)
{
	return signer->subject;
}

static int no_memory(struct co_err *err)
{
	ERR_clear_error();
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a signature");
}

/* --- the key --- */

struct passphrase {
	char text[PASSPHRASE_MAX + 2];
	size_t n;
};

/* Its first line. */
static int read_passphrase(const char *name, struct passphrase *ret, struct co_err *err)
{
	CO_CLEANUP_FCLOSE FILE *file = fopen(name, "re");
	if (!file)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", name);
	setvbuf(file, NULL, _IONBF, 0); /* no copy of it stays in memory */
	if (!fgets(ret->text, sizeof ret->text, file) && ferror(file))
		return co_err_set(err, CO_ERR_FAILED, errno, "read %s", name);
	ret->n = strcspn(ret->text, "\r\n");
	if (ret->n == 0 || ret->n > PASSPHRASE_MAX)
		return co_err_set(err, CO_ERR_FAILED, 0, "the first line of %s is no passphrase: it has %s", name,
				  ret->n ? "more than 1024 bytes" : "nothing in it");
	return 0;
}

/* pem_password_cb */
static int give_passphrase(char *buf, int size, int writing, void *arg)
{
	const struct passphrase *p = arg;
	(void)writing;
	if (size < 0 || p->n > (size_t)size)
		return -1;
	memcpy(buf, p->text, p->n);
	return (int)p->n;
}

static int read_key(struct co_signer *s, const struct co_signer_files *files, struct co_err *err)
{
	struct passphrase passphrase = { 0 };
	CO_CLEANUP_FCLOSE FILE *file = fopen(files->key, "re");
	char reason[REASON];
	if (!file)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", files->key);
	int r = files->passphrase ? read_passphrase(files->passphrase, &passphrase, err) : 0;
	if (r == 0) {
		ERR_clear_error();
		s->key = files->passphrase ? PEM_read_PrivateKey(file, NULL, give_passphrase, &passphrase)
					   : PEM_read_PrivateKey(file, NULL, NULL, NULL);
	}
	OPENSSL_cleanse(&passphrase, sizeof passphrase);
	if (r < 0 || s->key)
		return r;
	co_cms_reason(reason, sizeof reason);
	return co_err_set(err, CO_ERR_FAILED, 0, "%s holds no private key in PEM, or the passphrase is wrong (%s)",
			  files->key, reason);
}

/* What CMS signatures of OpenSSL 3.0 can be made with, and what others can verify. */
static int check_key(const EVP_PKEY *key, const char *name, struct co_err *err)
{
	char curve[64] = "";
	if (EVP_PKEY_is_a(key, "RSA")) {
		if (EVP_PKEY_get_bits(key) >= RSA_MIN_BITS)
			return 0;
		return co_err_set(err, CO_ERR_USAGE, 0, "the RSA key in %s has %d bits; at least %d are needed", name,
				  EVP_PKEY_get_bits(key), RSA_MIN_BITS);
	}
	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		return co_err_set(
			err, CO_ERR_USAGE, 0,
			"%s is an Edwards curve key (Ed25519 or Ed448), with which OpenSSL 3.0 can't make CMS "
			"signatures: use ECDSA P-256 or P-384, or RSA",
			name);
	if (EVP_PKEY_is_a(key, "EC")) {
		(void)EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL);
		ERR_clear_error();
		if (strcmp(curve, "prime256v1") == 0 || strcmp(curve, "secp384r1") == 0)
			return 0;
	}
	return co_err_set(err, CO_ERR_USAGE, 0,
			  "%s is a key of a kind that is not supported: use ECDSA P-256 or P-384, or RSA", name);
}

/* --- the certificates --- */

static bool is_known(const struct co_signer *s, const X509 *certificate)
{
	if (X509_cmp(s->certificate, certificate) == 0)
		return true;
	for (int i = 0; i < sk_X509_num(s->chain); i++)
		if (X509_cmp(sk_X509_value(s->chain, i), certificate) == 0)
			return true;
	return false;
}

/* The first one of the first file is the signer's. Each goes into the chain once: OpenSSL refuses doubles. */
static int read_certificates(struct co_signer *s, const char *file, struct co_err *err)
{
	CO_CMS_CLEANUP_CERTIFICATES STACK_OF(X509) *list = NULL;
	int r = co_cms_read_certificates(file, &list, err);
	if (r < 0)
		return r;
	if (!s->certificate)
		s->certificate = sk_X509_shift(list);
	while (sk_X509_num(list) > 0) {
		X509 *one = sk_X509_shift(list);
		if (is_known(s, one)) {
			X509_free(one);
		} else if (!sk_X509_push(s->chain, one)) {
			X509_free(one);
			return no_memory(err);
		}
	}
	return 0;
}

/* A signature that no verification would accept must not be made: found out years later, it could not be repaired. */
static int check_certificate(const struct co_signer *s, const struct co_signer_files *files, struct co_err *err)
{
	bool belongs = X509_check_private_key(s->certificate, s->key) == 1;
	bool fit = X509_check_purpose(s->certificate, X509_PURPOSE_SMIME_SIGN, 0) == 1;
	ERR_clear_error();
	if (!belongs)
		return co_err_set(err, CO_ERR_USAGE, 0, "the key in %s is not the one of the certificate in %s",
				  files->key, files->certificate);
	if (X509_cmp_current_time(X509_get0_notBefore(s->certificate)) >= 0)
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "the certificate in %s is not valid yet (or the clock of this machine is wrong)",
				  files->certificate);
	if (X509_cmp_current_time(X509_get0_notAfter(s->certificate)) <= 0)
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "the certificate in %s has expired (or the clock of this machine is wrong)",
				  files->certificate);
	if (!fit)
		return co_err_set(err, CO_ERR_USAGE, 0,
				  "the certificate in %s is not for signing: its key usage or extended key usage says "
				  "otherwise",
				  files->certificate);
	return 0;
}

int co_signer_open(struct co_signer **ret, const struct co_signer_files *files, struct co_err *err)
{
	CO_CLEANUP_SIGNER struct co_signer *s = calloc(1, sizeof *s);
	if (!s || !(s->chain = sk_X509_new_null()))
		return no_memory(err);
	int r = read_certificates(s, files->certificate, err);
	if (r == 0 && files->chain)
		r = read_certificates(s, files->chain, err);
	if (r == 0)
		r = read_key(s, files, err); /* last, since it may ask for a passphrase */
	if (r == 0)
		r = check_key(s->key, files->key, err);
	if (r == 0)
		r = check_certificate(s, files, err);
	if (r < 0)
		return r;
	s->subject = co_cms_subject(s->certificate);
	if (!s->subject)
		return no_memory(err);
	*ret = CO_TAKE(s);
	return 0;
}

/* --- signing --- */

/* NULL with OpenSSL's error. */
static CMS_ContentInfo *sign(const struct co_signer *s, const struct co_str *content)
{
	const unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_CADES | CMS_NOSMIMECAP;
	CO_CMS_CLEANUP_BIO BIO *data = BIO_new_mem_buf(co_str_get(content), (int)content->n);
	CO_CMS_CLEANUP_INFO CMS_ContentInfo *cms = CMS_sign(NULL, NULL, s->chain, NULL, flags | CMS_PARTIAL);
	if (!data || !cms || !CMS_add1_signer(cms, s->certificate, s->key, EVP_sha256(), flags) ||
	    CMS_final(cms, data, NULL, flags) != 1)
		return NULL;
	return CO_TAKE(cms);
}

/* 0, or CO_ERR_USAGE: there is a signature. */
static int refuse_existing(const char *bag, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str name = { 0 };
	struct stat st;
	co_str_addf(&name, "%s/%s", bag, CO_SIGNATURE_NAME);
	if (name.failed)
		return no_memory(err);
	if (lstat(name.s, &st) == 0)
		return co_err_set(err, CO_ERR_USAGE, 0, "%s is signed already", bag);
	return errno == ENOENT ? 0 : co_err_set(err, CO_ERR_FAILED, errno, "examine %s", name.s);
}

int co_sign_bag(const struct co_signer *signer, const char *bag, bool replace, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str manifest = { 0 };
	char reason[REASON];
	int r = co_cms_bag_manifest(&manifest, bag, err);
	if (r == 0 && !replace)
		r = refuse_existing(bag, err);
	if (r < 0)
		return r;
	ERR_clear_error();
	CO_CMS_CLEANUP_INFO CMS_ContentInfo *cms = sign(signer, &manifest);
	if (!cms) {
		co_cms_reason(reason, sizeof reason);
		return co_err_set(err, CO_ERR_FAILED, 0, "sign %s: %s", bag, reason);
	}
	return co_cms_bag_write(bag, cms, &manifest, err);
}

int co_sign_file(const struct co_signer *signer, const char *file, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str content = { 0 }, name = { 0 };
	struct co_err why = CO_ERR_INIT;
	char reason[REASON];
	int r = co_cms_read_file(-1, file, CO_CMS_MAX_BYTES, &content, &why);
	if (r < 0)
		return co_err_set(err, r, 0, "%s %s", file, why.msg);
	co_str_addf(&name, "%s.p7s", file);
	if (name.failed)
		return no_memory(err);
	ERR_clear_error();
	CO_CMS_CLEANUP_INFO CMS_ContentInfo *cms = sign(signer, &content);
	if (!cms) {
		co_cms_reason(reason, sizeof reason);
		return co_err_set(err, CO_ERR_FAILED, 0, "sign %s: %s", file, reason);
	}
	return co_cms_write(name.s, cms, &content, err);
}

int co_unsign_bag(const char *bag, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str name = { 0 };
	co_str_addf(&name, "%s/%s", bag, CO_SIGNATURE_NAME);
	if (name.failed)
		return no_memory(err);
	if (unlink(name.s) < 0 && errno != ENOENT)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "remove %s", name.s);
	return 0;
}
