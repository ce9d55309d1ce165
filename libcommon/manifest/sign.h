/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature of an evidence bag and its time stamp, both in BAG/tagmanifest-sha256.txt.p7s.
 *
 * Formats: the signature is a detached CMS SignedData (RFC 5652) in DER over the bytes of tagmanifest-sha256.txt, with
 * SHA-256 and the attribute signing-certificate-v2 (RFC 5035), which makes it a CAdES-BES (ETSI EN 319 122-1). The time
 * stamp is a token of RFC 3161 over the value of the signature, as its unsigned attribute signature-time-stamp
 * (ETSI EN 319 122-1, section 5.3): CAdES-T. The tag manifest can't list the file, since it is what the file signs.
 *
 * Only the signer, what is signed and the signed attributes are protected. Whoever can write to the bag can remove the
 * whole signature or its time stamp, or add certificates that nobody asked for; who relies on them has to expect them.
 *
 * All bytes of signatures, requests and replies are taken for hostile: 1 MiB at most, parsed by OpenSSL, whose errors
 * end up in the message. Nothing here prints, but for OpenSSL asking for a passphrase. One thread at a time.
 */
#ifndef CO_MANIFEST_SIGN_H
#define CO_MANIFEST_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "manifest/bag.h"

#define CO_SIGNATURE_NAME "tagmanifest-sha256.txt.p7s" /* in the bag */

/* Names of files in PEM. */
struct co_signer_files {
	const char *key;         /* ECDSA P-256 or P-384, or RSA of 2048 bits and more */
	const char *certificate; /* the first one is the signer's; others in the file are as those of the chain */
	const char *chain;       /* certificates to be put into signatures beside the signer's; NULL: none */
	const char *passphrase;  /* its first line opens the key; NULL: OpenSSL asks on the terminal if need be */
};

/* A key with its certificate, ready to sign. */
struct co_signer;

/* CO_ERR_FAILED: a file can't be read or is no such file. CO_ERR_USAGE: key and certificate do not belong together, the
 * key can't be used for this, or the certificate is not valid now or not for signing. */
int co_signer_open(struct co_signer **ret, const struct co_signer_files *files, struct co_err *err);
/* NULL is allowed. */
void co_signer_close(struct co_signer *signer);
static inline void co_signer_cleanup(struct co_signer **signer)
{
	co_signer_close(*signer);
}
#define CO_CLEANUP_SIGNER CO_CLEANUP(co_signer_cleanup)
/* Of the certificate, as RFC 4514 writes names ("CN=A. Examiner,O=Laboratory"). Borrowed. */
const char *co_signer_subject(const struct co_signer *signer);

/* Signs a sealed bag. What was made is checked before it is written. CO_ERR_USAGE: there is a signature and not
 * @replace. CO_ERR_FAILED: the bag has no tag manifest. CO_ERR_OUTPUT: the signature can't be written. */
int co_sign_bag(const struct co_signer *signer, const char *bag, bool replace, struct co_err *err);
/* Signs any small file (1 MiB at most) in the same way, into FILE.p7s, which is replaced if it is there. CO_ERR_FAILED:
 * it can't be read. CO_ERR_OUTPUT: the signature can't be written. */
int co_sign_file(const struct co_signer *signer, const char *file, struct co_err *err);
/* Takes a signature away, which no longer fits; also where there is none. CO_ERR_OUTPUT. */
int co_unsign_bag(const char *bag, struct co_err *err);

/* Writes a request for a time stamp of the bag's signature into a new file: SHA-256, a random nonce, and the wish for
 * the certificate of the time stamping authority in the reply. CO_ERR_USAGE: the file exists. CO_ERR_FAILED: the bag is
 * not signed. CO_ERR_FORMAT, CO_ERR_MISMATCH: its signature is damaged or does not fit. */
int co_timestamp_request(const char *bag, const char *request, struct co_err *err);
/* Puts the token of a reply into the bag's signature; the file is replaced at once. CO_ERR_USAGE: it has a time stamp.
 * CO_ERR_FAILED: the request was rejected. CO_ERR_FORMAT: the reply is damaged. CO_ERR_MISMATCH: it is the reply for
 * another signature, or not for @request (another nonce, which tells it from a reply that somebody had kept; NULL: the
 * nonce is not compared). Others as for the request. */
int co_timestamp_attach(const char *bag, const char *reply, const char *request, struct co_err *err);

/* What a bag's signature is found to be. A zeroed struct is empty. */
struct co_signature {
	bool present;
	bool valid;               /* it fits the tag manifest, and its certificate is accepted if that was checked */
	bool certificate_checked; /* against certificates that are trusted */
	bool stamped;             /* there is a time stamp, and it is valid in the same way */
	int64_t time_ns;          /* of the time stamp, if stamped */
	char *signer;             /* subject of the certificate, or NULL; as hostile as the file while not checked */
};
void co_signature_free(struct co_signature *s);
#define CO_CLEANUP_SIGNATURE CO_CLEANUP(co_signature_free)

/* Checks the signature of a bag, and its time stamp. @trusted: file in PEM with the certificates that are trusted, or
 * NULL: certificates are not checked. If it is given, the signer's certificate must have been valid at the time of the
 * time stamp, or without (a valid) one now; and that of the time stamping authority at the time that it states, for it
 * expires while time stamps are still needed. Revocation is not checked.
 * 0: nothing is wrong, and if @trusted is given it is signed. 1: problems were told. < 0: @trusted can't be read, or
 * CO_ERR_NOMEM. Free *ret in all cases. */
int co_signature_verify(struct co_signature *ret, const char *bag, const char *trusted, co_bag_problem_fn *problem,
			void *arg, struct co_err *err);

#endif
