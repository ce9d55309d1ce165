/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats: RFC 5652 (CMS), RFC 5035 (signing-certificate and signing-certificate-v2).
 */
#include "manifest/sign_cms.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "io/sink.h"
#include "manifest/bag_files.h"
#include "manifest/sign.h"

#define MANIFEST_MAX_BYTES (64 * 1024 * 1024) /* what verification of a bag reads */
#define REASON 200

void co_cms_reason(char *ret, size_t size)
{
	const char *data = NULL;
	int flags = 0;
	/* The oldest is the one nearest to the cause. */
	unsigned long code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);
	const char *text = code ? ERR_reason_error_string(code) : NULL;
	bool more = data && (flags & ERR_TXT_STRING) && data[0];
	snprintf(ret, size, "%s%s%s", text ? text : "for no stated reason", more ? ", " : "", more ? data : "");
	ERR_clear_error();
}

/* The message is @text with the reason. */
static int failed(struct co_err *err, int code, const char *text)
{
	char reason[REASON];
	co_cms_reason(reason, sizeof reason);
	return co_err_set(err, code, 0, "%s (%s)", text, reason);
}

static int no_memory(struct co_err *err)
{
	ERR_clear_error();
	return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a signature");
}

/* --- files --- */

static int open_named(const char *name, struct co_err *err)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? co_err_set(err, CO_ERR_FAILED, errno, "can't be opened") : fd;
}

int co_cms_read_file(int dir, const char *name, size_t max, struct co_str *ret, struct co_err *err)
{
	uint64_t size;
	CO_CLEANUP_CLOSE int fd = dir >= 0 ? co_bag_open_file(dir, name, &size, err) : open_named(name, err);
	if (fd < 0)
		return fd;
	co_str_clear(ret);
	for (;;) {
		char part[16384];
		ssize_t n = read(fd, part, sizeof part);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return co_err_set(err, CO_ERR_FAILED, errno, "can't be read");
		if (n == 0)
			return ret->failed ? no_memory(err) : 0;
		if ((size_t)n > max - ret->n)
			return co_err_set(err, CO_ERR_FORMAT, 0, "is too large for such a file (more than %zu bytes)",
					  max);
		co_str_add_n(ret, part, (size_t)n);
		if (ret->failed)
			return no_memory(err);
	}
}

/* A certificate has no passphrase, and the terminal is not to be asked for one. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* Until the end of the text. The message begins behind the name of the file. */
static int parse_certificates(const struct co_str *text, STACK_OF(X509) * to, struct co_err *err)
{
	CO_CMS_CLEANUP_BIO BIO *bio = BIO_new_mem_buf(co_str_get(text), (int)text->n);
	if (!bio)
		return no_memory(err);
	ERR_clear_error();
	for (;;) {
		X509 *one = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (!one)
			break;
		if (!sk_X509_push(to, one)) {
			X509_free(one);
			return no_memory(err);
		}
	}
	unsigned long code = ERR_peek_last_error();
	if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
		return failed(err, CO_ERR_FAILED, "has a certificate that can't be read");
	ERR_clear_error();
	return sk_X509_num(to) > 0 ? 0 : co_err_set(err, CO_ERR_FAILED, 0, "holds no certificate in PEM");
}

int co_cms_read_certificates(const char *file, STACK_OF(X509) * *ret, struct co_err *err)
{
	CO_CMS_CLEANUP_CERTIFICATES STACK_OF(X509) *list = sk_X509_new_null();
	CO_CLEANUP_STR struct co_str text = { 0 };
	struct co_err why = CO_ERR_INIT;
	int r = list ? co_cms_read_file(-1, file, CO_CMS_MAX_BYTES, &text, &why) : no_memory(&why);
	if (r == 0)
		r = parse_certificates(&text, list, &why);
	if (r < 0)
		return co_err_set(err, r, 0, "%s %s", file, why.msg);
	*ret = CO_TAKE(list);
	return 0;
}

/* --- one signature --- */

char *co_cms_subject(const X509 *certificate)
{
	CO_CMS_CLEANUP_BIO BIO *bio = BIO_new(BIO_s_mem());
	const X509_NAME *name = X509_get_subject_name(certificate);
	char *text = NULL;
	if (!bio)
		return NULL;
	if (X509_NAME_entry_count(name) == 0)
		return strdup("(a certificate without a name)");
	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) < 0) {
		ERR_clear_error();
		return strdup("(a name that can't be read)");
	}
	long n = BIO_get_mem_data(bio, &text);
	return n > 0 ? strndup(text, (size_t)n) : NULL;
}

void co_cms_free(struct co_cms *c)
{
	CMS_ContentInfo_free(c->info);
	*c = (struct co_cms) { 0 };
}

/* An element of DER: its header lies before @at. */
struct element {
	const unsigned char *at, *end;
	int tag, class;
};

/* The next element of [*at, end), which is passed over; @tag and @class are those that it must have. */
static bool next(const unsigned char **at, const unsigned char *end, int tag, int class, struct element *ret)
{
	const unsigned char *content = *at;
	long len = 0;
	int how = *at < end ? ASN1_get_object(&content, &len, &ret->tag, &ret->class, end - *at) : 0x80;
	if ((how & 0x81) || len > end - content || ret->tag != tag || ret->class != class)
		return false;
	ret->at = content;
	ret->end = *at = content + len;
	return true;
}

static bool is_universal(const unsigned char *at, const unsigned char *end, int tag)
{
	struct element e;
	return next(&at, end, tag, V_ASN1_UNIVERSAL, &e);
}

/* AlgorithmIdentifiers without parameters, or with NULL. */
static bool are_plain(const unsigned char *at, const unsigned char *end)
{
	struct element one, e;
	while (at < end) {
		if (!next(&at, end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &one) ||
		    !next(&one.at, one.end, V_ASN1_OBJECT, V_ASN1_UNIVERSAL, &e))
			return false;
		if (one.at < one.end &&
		    (!next(&one.at, one.end, V_ASN1_NULL, V_ASN1_UNIVERSAL, &e) || e.at < e.end || one.at < one.end))
			return false;
	}
	return true;
}

/* RFC 5652, 5.1 and 5.3: what no signature covers and nothing else depends on has one value that is right. */
static bool has_right_frame(const unsigned char *at, size_t len, bool signs_data)
{
	const unsigned char *end = at + len;
	struct element all, content, data, version, algorithms, signer, signer_version, e;
	if (!next(&at, end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &all) ||
	    !next(&all.at, all.end, V_ASN1_OBJECT, V_ASN1_UNIVERSAL, &e) ||
	    !next(&all.at, all.end, 0, V_ASN1_CONTEXT_SPECIFIC, &content) ||
	    !next(&content.at, content.end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &data) ||
	    !next(&data.at, data.end, V_ASN1_INTEGER, V_ASN1_UNIVERSAL, &version) ||
	    !next(&data.at, data.end, V_ASN1_SET, V_ASN1_UNIVERSAL, &algorithms) ||
	    !next(&data.at, data.end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &e))
		return false;
	for (int tag = 0; tag < 2; tag++) /* certificates and revocation lists, if they are there */
		(void)next(&data.at, data.end, tag, V_ASN1_CONTEXT_SPECIFIC, &e);
	if (!next(&data.at, data.end, V_ASN1_SET, V_ASN1_UNIVERSAL, &e) ||
	    !next(&e.at, e.end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &signer) ||
	    !next(&signer.at, signer.end, V_ASN1_INTEGER, V_ASN1_UNIVERSAL, &signer_version))
		return false;
	bool by_issuer = is_universal(signer.at, signer.end, V_ASN1_SEQUENCE);
	return signer_version.end - signer_version.at == 1 && *signer_version.at == (by_issuer ? 1 : 3) &&
	       version.end - version.at == 1 && *version.at == (by_issuer && signs_data ? 1 : 3) &&
	       are_plain(algorithms.at, algorithms.end);
}

/* A time stamp whose name was damaged must not pass for something unknown. These are attributes of CAdES (ETSI EN 319
 * 122-1), and the countersignature of RFC 5652. */
static bool has_known_attributes(const CMS_SignerInfo *signer)
{
	static const char *const known[] = {
		"1.2.840.113549.1.9.16.2.14", /* signature-time-stamp */
		"1.2.840.113549.1.9.16.2.21", /* complete-certificate-references */
		"1.2.840.113549.1.9.16.2.22", /* complete-revocation-references */
		"1.2.840.113549.1.9.16.2.23", /* certificate-values */
		"1.2.840.113549.1.9.16.2.24", /* revocation-values */
		"1.2.840.113549.1.9.6",       /* countersignature */
		"0.4.0.1733.2.4",             /* archive-time-stamp-v3 */
	};
	for (int i = 0; i < CMS_unsigned_get_attr_count(signer); i++) {
		char name[80];
		bool is_known = false;
		OBJ_obj2txt(name, sizeof name, X509_ATTRIBUTE_get0_object(CMS_unsigned_get_attr(signer, i)), 1);
		for (size_t k = 0; k < sizeof known / sizeof *known; k++)
			is_known = is_known || strcmp(name, known[k]) == 0;
		if (!is_known)
			return false;
	}
	return true;
}

int co_cms_parse(struct co_cms *ret, const void *bytes, size_t len, struct co_err *err)
{
	CO_CMS_CLEANUP struct co_cms c = { 0 };
	const unsigned char *at = bytes;
	if (len > CO_CMS_MAX_BYTES)
		return co_err_set(err, CO_ERR_FORMAT, 0, "is too large for a signature (%zu bytes)", len);
	ERR_clear_error();
	c.info = d2i_CMS_ContentInfo(NULL, &at, (long)len);
	if (!c.info)
		return failed(err, CO_ERR_FORMAT, "is not a CMS signature");
	if (at != (const unsigned char *)bytes + len)
		return co_err_set(err, CO_ERR_FORMAT, 0, "has bytes behind the signature");
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(c.info);
	if (!signers)
		return failed(err, CO_ERR_FORMAT, "is not a CMS signature");
	if (sk_CMS_SignerInfo_num(signers) != 1)
		return co_err_set(err, CO_ERR_FORMAT, 0, "has %d signers and not one", sk_CMS_SignerInfo_num(signers));
	c.signer = sk_CMS_SignerInfo_value(signers, 0);
	if (!has_right_frame(bytes, len, OBJ_obj2nid(CMS_get0_eContentType(c.info)) == NID_pkcs7_data))
		return failed(err, CO_ERR_FORMAT,
			      "is not in DER, or a version or algorithm is not that of its content");
	if (!has_known_attributes(c.signer))
		return co_err_set(err, CO_ERR_FORMAT, 0, "has an attribute behind the signature that is not known");
	(void)CMS_set1_signers_certs(c.info, NULL, 0);
	CMS_SignerInfo_get0_algs(c.signer, NULL, &c.certificate, NULL, NULL);
	ERR_clear_error();
	if (!c.certificate)
		return co_err_set(err, CO_ERR_FORMAT, 0, "does not hold the certificate of its signer");
	*ret = c;
	c = (struct co_cms) { 0 };
	return 0;
}

const ASN1_OCTET_STRING *co_cms_value(const struct co_cms *c)
{
	return CMS_SignerInfo_get0_signature(c->signer);
}

/* The signed attribute that names the certificate, if there is one. */
static const ASN1_STRING *signed_attribute(const struct co_cms *c, int nid)
{
	const ASN1_STRING *value = CMS_signed_get0_data_by_OBJ(c->signer, OBJ_nid2obj(nid), -3, V_ASN1_SEQUENCE);
	ERR_clear_error();
	return value;
}

/* The certificates of the file, that of the signer first. NULL: no memory. */
static STACK_OF(X509) * all_certificates(const struct co_cms *c)
{
	CO_CMS_CLEANUP_CERTIFICATES STACK_OF(X509) *list = CMS_get1_certs(c->info);
	if (!list || !X509_up_ref(c->certificate))
		return NULL;
	if (!sk_X509_unshift(list, c->certificate)) {
		X509_free(c->certificate);
		return NULL;
	}
	return CO_TAKE(list);
}

/* Without this, the certificate could be exchanged for another one of the same key. */
static int verify_named_certificate(const struct co_cms *c, struct co_err *err)
{
	CO_CMS_CLEANUP_CERTIFICATES STACK_OF(X509) *list = all_certificates(c);
	const ASN1_STRING *v1 = signed_attribute(c, NID_id_smime_aa_signingCertificate);
	const ASN1_STRING *v2 = signed_attribute(c, NID_id_smime_aa_signingCertificateV2);
	const unsigned char *at1 = v1 ? ASN1_STRING_get0_data(v1) : NULL;
	const unsigned char *at2 = v2 ? ASN1_STRING_get0_data(v2) : NULL;
	ESS_SIGNING_CERT *named1 = v1 ? d2i_ESS_SIGNING_CERT(NULL, &at1, ASN1_STRING_length(v1)) : NULL;
	ESS_SIGNING_CERT_V2 *named2 = v2 ? d2i_ESS_SIGNING_CERT_V2(NULL, &at2, ASN1_STRING_length(v2)) : NULL;
	int r = list ? 0 : no_memory(err);
	if (r == 0 && ((v1 && !named1) || (v2 && !named2)))
		r = failed(err, CO_ERR_MISMATCH, "names its certificate in a way that can't be read");
	if (r == 0 && (named1 || named2) && OSSL_ESS_check_signing_certs(named1, named2, list, 1) != 1)
		r = failed(err, CO_ERR_MISMATCH, "holds another certificate than the signer named");
	ESS_SIGNING_CERT_free(named1);
	ESS_SIGNING_CERT_V2_free(named2);
	return r;
}

static int nid_of(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *name = NULL;
	if (algorithm)
		X509_ALGOR_get0(&name, NULL, NULL, algorithm);
	return name ? OBJ_obj2nid(name) : NID_undef;
}

/* The algorithm of the signature must be that of the digest; OpenSSL does not look at it for ECDSA, other programs do.
 */
static int verify_algorithms(const struct co_cms *c, struct co_err *err)
{
	X509_ALGOR *digest = NULL, *signature = NULL;
	int with = NID_undef, key, parameters = V_ASN1_UNDEF;
	CMS_SignerInfo_get0_algs(c->signer, NULL, NULL, &digest, &signature);
	int nid = nid_of(digest), how = nid_of(signature);
	X509_ALGOR_get0(NULL, &parameters, NULL, digest);
	if (parameters != V_ASN1_UNDEF && parameters != V_ASN1_NULL)
		return co_err_set(err, CO_ERR_MISMATCH, 0, "has a digest with parameters");
	if (nid != NID_sha256 && nid != NID_sha384 && nid != NID_sha512)
		return co_err_set(err, CO_ERR_MISMATCH, 0, "has a digest other than SHA-256, SHA-384 and SHA-512");
	if (how == NID_rsaEncryption || how == NID_rsassaPss) /* state no digest, and OpenSSL checks them */
		return 0;
	if (OBJ_find_sigid_algs(how, &with, &key) != 1 || with != nid)
		return co_err_set(err, CO_ERR_MISMATCH, 0, "names an algorithm that it can't be made with");
	return 0;
}

int co_cms_verify(const struct co_cms *c, const struct co_str *content, struct co_err *err)
{
	CO_CMS_CLEANUP_BIO BIO *data = content ? BIO_new_mem_buf(co_str_get(content), (int)content->n) : NULL;
	int type = OBJ_obj2nid(CMS_get0_eContentType(c->info));
	if (content && !data)
		return no_memory(err);
	if (type != (content ? NID_pkcs7_data : NID_id_smime_ct_TSTInfo))
		return co_err_set(err, CO_ERR_MISMATCH, 0, "signs another kind of data");
	if ((CMS_is_detached(c->info) == 1) != (content != NULL))
		return co_err_set(err, CO_ERR_MISMATCH, 0,
				  content ? "holds what it signs, and does not sign the bag"
					  : "does not hold what it signs");
	int r = verify_algorithms(c, err);
	if (r < 0)
		return r;
	if (CMS_signed_get_attr_count(c->signer) < 1)
		return co_err_set(err, CO_ERR_MISMATCH, 0, "has no signed attributes");
	ERR_clear_error();
	if (CMS_verify(c->info, NULL, NULL, data, NULL, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) != 1)
		return failed(err, CO_ERR_MISMATCH, "is not a valid signature of what it stands for");
	return verify_named_certificate(c, err);
}

int co_cms_verify_certificate(const struct co_cms *c, X509_STORE *store, int purpose, int64_t time_ns,
			      struct co_err *err)
{
	CO_CMS_CLEANUP_CERTIFICATES STACK_OF(X509) *list = CMS_get1_certs(c->info);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int r = 0;
	if (!list || !ctx || !X509_STORE_CTX_init(ctx, store, c->certificate, list) ||
	    !X509_STORE_CTX_set_purpose(ctx, purpose)) {
		r = no_memory(err);
	} else {
		if (time_ns != CO_TIME_NONE)
			X509_STORE_CTX_set_time(ctx, 0, (time_t)co_time_sec(time_ns));
		if (X509_verify_cert(ctx) != 1)
			r = co_err_set(err, CO_ERR_MISMATCH, 0, "has a certificate that is not accepted: %s%s",
				       X509_STORE_CTX_get_error_depth(ctx) > 0 ? "of its chain, " : "",
				       X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return r;
}

/* --- the signature of a bag --- */

void co_cms_bag_free(struct co_cms_bag *b)
{
	co_str_free(&b->manifest);
	co_str_free(&b->bytes);
	co_cms_free(&b->signature);
}

/* @absent: the sentence for a file that is not there; it is about the bag. */
static int read_from_bag(struct co_str *ret, const char *bag, const char *name, size_t max, const char *absent,
			 struct co_err *err)
{
	struct co_err why = CO_ERR_INIT;
	CO_CLEANUP_CLOSE int dir = open(bag, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open the bag %s", bag);
	int r = co_cms_read_file(dir, name, max, ret, &why);
	if (r < 0 && why.sys == ENOENT) {
		co_err_set(err, r, 0, "%s %s: it has no %s", bag, absent, name);
		if (err)
			err->sys = ENOENT;
		return r;
	}
	return r < 0 ? co_err_set(err, r, 0, "%s/%s %s", bag, name, why.msg) : 0;
}

int co_cms_bag_manifest(struct co_str *ret, const char *bag, struct co_err *err)
{
	return read_from_bag(ret, bag, CO_BAG_TAG_MANIFEST, MANIFEST_MAX_BYTES, "is not a complete evidence bag", err);
}

int co_cms_bag_open(struct co_cms_bag *ret, const char *bag, struct co_err *err)
{
	CO_CMS_CLEANUP_BAG struct co_cms_bag b = { 0 };
	struct co_err why = CO_ERR_INIT;
	int r = co_cms_bag_manifest(&b.manifest, bag, err);
	if (r == 0)
		r = read_from_bag(&b.bytes, bag, CO_SIGNATURE_NAME, CO_CMS_MAX_BYTES, "is not signed", err);
	if (r < 0)
		return r;
	r = co_cms_parse(&b.signature, co_str_get(&b.bytes), b.bytes.n, &why);
	if (r == 0)
		r = co_cms_verify(&b.signature, &b.manifest, &why);
	if (r < 0)
		return co_err_set(err, r, 0, "%s/%s %s", bag, CO_SIGNATURE_NAME, why.msg);
	*ret = b;
	b = (struct co_cms_bag) { 0 };
	return 0;
}

int co_cms_write(const char *name, const CMS_ContentInfo *info, const struct co_str *content, struct co_err *err)
{
	CO_CMS_CLEANUP_BYTES unsigned char *der = NULL;
	CO_CMS_CLEANUP struct co_cms made = { 0 };
	struct co_err why = CO_ERR_INIT;
	int n = i2d_CMS_ContentInfo(info, &der);
	if (n < 0)
		return failed(err, CO_ERR_FAILED, "the signature can't be encoded");
	int r = co_cms_parse(&made, der, (size_t)n, &why);
	if (r == 0)
		r = co_cms_verify(&made, content, &why);
	if (r < 0)
		return co_err_set(err, r, 0, "the new signature %s %s", name, why.msg);
	return co_sink_write_file(name, der, (size_t)n, err);
}

int co_cms_bag_write(const char *bag, const CMS_ContentInfo *info, const struct co_str *manifest, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str name = { 0 };
	co_str_addf(&name, "%s/%s", bag, CO_SIGNATURE_NAME);
	return name.failed ? no_memory(err) : co_cms_write(name.s, info, manifest, err);
}
