/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests: several algorithms over the same bytes in one pass. OpenSSL's EVP behind it, fetched once per process.
 */
#ifndef CO_HASH_DIGEST_H
#define CO_HASH_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum co_hash_alg {
	CO_HASH_MD5,
	CO_HASH_SHA1,
	CO_HASH_SHA256,
	CO_HASH_N,
};

#define CO_HASH_MAX 32                           /* bytes of the longest digest */
#define CO_HASH_BIT(alg) (1u << (unsigned)(alg)) /* sets of algorithms are masks of these */

struct co_digest {
	enum co_hash_alg alg;
	uint8_t bytes[CO_HASH_MAX];
};

/* All digests of one medium or file; `set` says which are there. */
struct co_digests {
	unsigned set;
	struct co_digest of[CO_HASH_N];
};

const char *co_hash_name(enum co_hash_alg alg); /* "md5", "sha1", "sha256" */
size_t co_hash_size(enum co_hash_alg alg);      /* bytes: 16, 20, 32 */
/* "sha256,md5" to a set. 0 or CO_ERR_USAGE. */
int co_hash_parse(const char *list, unsigned *ret_set, struct co_err *err);
/* Lower-case hexadecimal into @ret (65 bytes); "" if it is not in the set. */
void co_digests_hex(const struct co_digests *d, enum co_hash_alg alg, char ret[2 * CO_HASH_MAX + 1]);
/* Algorithms that are in both and differ. */
unsigned co_digests_differ(const struct co_digests *a, const struct co_digests *b);

struct co_hasher;

/* One thread at a time per hasher. */
int co_hasher_open(struct co_hasher **ret, unsigned set, struct co_err *err);
int co_hasher_add(struct co_hasher *h, const void *bytes, size_t len, struct co_err *err);
/* Fills *ret and begins anew. */
int co_hasher_finish(struct co_hasher *h, struct co_digests *ret, struct co_err *err);
void co_hasher_close(struct co_hasher *h);

/* Whole buffer in one call. */
int co_digest_bytes(unsigned set, const void *bytes, size_t len, struct co_digests *ret, struct co_err *err);
/* Whole file by name. */
int co_digest_file(unsigned set, const char *name, struct co_digests *ret, struct co_err *err);

#endif
