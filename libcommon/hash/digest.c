/* SPDX-License-Identifier: Apache-2.0 */
#include "hash/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "run/cancel.h"

static const struct {
	const char *name;
	const char *fetch; /* OpenSSL's name */
	size_t size;
} algs[CO_HASH_N] = {
	[CO_HASH_MD5] = { "md5", "MD5", 16 },
	[CO_HASH_SHA1] = { "sha1", "SHA1", 20 },
	[CO_HASH_SHA256] = { "sha256", "SHA256", 32 },
};

static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_MD *fetched[CO_HASH_N]; /* kept until the process ends; NULL: this OpenSSL has it disabled */

static void fetch(void)
{
	for (int i = 0; i < CO_HASH_N; i++)
		fetched[i] = EVP_MD_fetch(NULL, algs[i].fetch, NULL);
}

const char *co_hash_name(enum co_hash_alg alg)
{
	return algs[alg].name;
}

size_t co_hash_size(enum co_hash_alg alg)
{
	return algs[alg].size;
}

/* The set with the algorithm of that name, 0 if there is none. */
static unsigned bit_of_name(const char *name, size_t len)
{
	for (int i = 0; i < CO_HASH_N; i++)
		if (strlen(algs[i].name) == len && memcmp(algs[i].name, name, len) == 0)
			return CO_HASH_BIT(i);
	return 0;
}

int co_hash_parse(const char *list, unsigned *ret_set, struct co_err *err)
{
	unsigned set = 0;
	for (const char *s = list;; s++) {
		size_t len = strcspn(s, ",");
		unsigned bit = bit_of_name(s, len);
		if (!bit)
			return co_err_set(err, CO_ERR_USAGE, 0, "'%.*s' is none of the digests md5, sha1, sha256",
					  (int)(len < 64 ? len : 64), s);
		set |= bit;
		s += len;
		if (!*s)
			break;
	}
	*ret_set = set;
	return 0;
}

void co_digests_hex(const struct co_digests *d, enum co_hash_alg alg, char ret[2 * CO_HASH_MAX + 1])
{
	ret[0] = '\0';
	if (d->set & CO_HASH_BIT(alg))
		co_hex(d->of[alg].bytes, algs[alg].size, ret);
}

unsigned co_digests_differ(const struct co_digests *a, const struct co_digests *b)
{
	unsigned differ = 0;
	for (int i = 0; i < CO_HASH_N; i++)
		if ((a->set & b->set & CO_HASH_BIT(i)) && memcmp(a->of[i].bytes, b->of[i].bytes, algs[i].size) != 0)
			differ |= CO_HASH_BIT(i);
	return differ;
}

struct co_hasher {
	unsigned set;
	EVP_MD_CTX *ctx[CO_HASH_N]; /* NULL where the algorithm is not in the set */
};

static int failed(enum co_hash_alg alg, struct co_err *err)
{
	return co_err_set(err, CO_ERR_FAILED, 0, "OpenSSL failed to compute %s", algs[alg].name);
}

static int begin(const struct co_hasher *h, enum co_hash_alg alg, struct co_err *err)
{
	return EVP_DigestInit_ex2(h->ctx[alg], fetched[alg], NULL) == 1 ? 0 : failed(alg, err);
}

int co_hasher_open(struct co_hasher **ret, unsigned set, struct co_err *err)
{
	int r = 0;
	pthread_once(&fetch_once, fetch);
	struct co_hasher *h = calloc(1, sizeof *h);
	if (!h)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for digests");
	h->set = set;
	for (int i = 0; r == 0 && i < CO_HASH_N; i++) {
		if (!(set & CO_HASH_BIT(i)))
			continue;
		if (!fetched[i])
			r = co_err_set(err, CO_ERR_UNSUPPORTED, 0, "OpenSSL on this machine offers no %s",
				       algs[i].name);
		else if (!(h->ctx[i] = EVP_MD_CTX_new()))
			r = co_err_set(err, CO_ERR_NOMEM, 0, "out of memory for %s", algs[i].name);
		else
			r = begin(h, (enum co_hash_alg)i, err);
	}
	if (r < 0) {
		co_hasher_close(h);
		return r;
	}
	*ret = h;
	return 0;
}

int co_hasher_add(struct co_hasher *h, const void *bytes, size_t len, struct co_err *err)
{
	for (int i = 0; i < CO_HASH_N; i++)
		if (h->ctx[i] && EVP_DigestUpdate(h->ctx[i], bytes, len) != 1)
			return failed((enum co_hash_alg)i, err);
	return 0;
}

int co_hasher_finish(struct co_hasher *h, struct co_digests *ret, struct co_err *err)
{
	struct co_digests d = { .set = h->set };
	for (int i = 0; i < CO_HASH_N; i++) {
		enum co_hash_alg alg = (enum co_hash_alg)i;
		d.of[i].alg = alg;
		if (!h->ctx[i])
			continue;
		if (EVP_DigestFinal_ex(h->ctx[i], d.of[i].bytes, NULL) != 1)
			return failed(alg, err);
		int r = begin(h, alg, err);
		if (r < 0)
			return r;
	}
	*ret = d;
	return 0;
}

void co_hasher_close(struct co_hasher *h)
{
	if (!h)
		return;
	for (int i = 0; i < CO_HASH_N; i++)
		EVP_MD_CTX_free(h->ctx[i]);
	free(h);
}

int co_digest_bytes(unsigned set, const void *bytes, size_t len, struct co_digests *ret, struct co_err *err)
{
	struct co_hasher *h;
	int r = co_hasher_open(&h, set, err);
	if (r < 0)
		return r;
	r = co_hasher_add(h, bytes, len, err);
	if (r == 0)
		r = co_hasher_finish(h, ret, err);
	co_hasher_close(h);
	return r;
}

static int add_file(struct co_hasher *h, int fd, const char *name, struct co_err *err)
{
	enum { SIZE = 256 * 1024 };
	CO_CLEANUP_FREE uint8_t *buf = malloc(SIZE);
	if (!buf)
		return co_err_set(err, CO_ERR_NOMEM, 0, "%s: out of memory", name);
	for (;;) {
		int r = co_cancel_check(err);
		if (r < 0)
			return r;
		ssize_t n = read(fd, buf, SIZE);
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return co_err_set(err, CO_ERR_FAILED, errno, "read %s", name);
		if ((r = co_hasher_add(h, buf, (size_t)n, err)) < 0)
			return r;
	}
}

int co_digest_file(unsigned set, const char *name, struct co_digests *ret, struct co_err *err)
{
	/* O_NONBLOCK: do not wait for the writer of a pipe, which is refused below. */
	CO_CLEANUP_CLOSE int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", name);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return co_err_set(err, CO_ERR_FAILED, 0, "%s is not a file", name);
	struct co_hasher *h;
	int r = co_hasher_open(&h, set, err);
	if (r < 0)
		return r;
	r = add_file(h, fd, name, err);
	if (r == 0)
		r = co_hasher_finish(h, ret, err);
	co_hasher_close(h);
	return r;
}
