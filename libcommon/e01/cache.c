/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Set-associative: the number of a chunk names one set of up to 16 slots, and in there the slot that was not used for
 * longest is given away. A look-up passes over one set, however large the cache is.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "e01/image.h"

enum {
	CACHE_BYTES = 64 << 20,
	WAYS = 16,
	LOCKS = 64, /* set i is under lock i % LOCKS */
};

struct slot {
	uint64_t chunk;
	uint64_t used; /* stamp of the last use; 0: empty */
	uint8_t *bytes;
};

struct set {
	uint64_t stamp;
	struct slot slots[WAYS];
};

struct co_e01_cache {
	size_t n_sets;
	size_t n_ways; /* WAYS, fewer in a cache of one set */
	struct set *sets;
	pthread_mutex_t locks[LOCKS];
};

int co_e01_cache_open(struct co_e01_cache **ret, size_t bytes, size_t chunk_size, uint64_t n_chunks, struct co_err *err)
{
	struct co_e01_cache *cache = calloc(1, sizeof *cache);
	size_t n = (bytes ? bytes : CACHE_BYTES) / chunk_size;
	/* Twice the image: chunks are not spread evenly over the sets. */
	if (n_chunks <= SIZE_MAX / 4)
		n = n < 2 * (size_t)n_chunks + WAYS ? n : 2 * (size_t)n_chunks + WAYS;
	if (cache) {
		cache->n_ways = n < 1 ? 1 : n < WAYS ? n : WAYS;
		cache->n_sets = n < WAYS ? 1 : n / WAYS;
		cache->sets = calloc(cache->n_sets, sizeof *cache->sets);
	}
	if (!cache || !cache->sets) {
		free(cache);
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for a cache of %zu chunks", n);
	}
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&cache->locks[i], NULL);
	*ret = cache;
	return 0;
}

void co_e01_cache_close(struct co_e01_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->n_sets; i++)
		for (size_t k = 0; k < cache->n_ways; k++)
			free(cache->sets[i].slots[k].bytes);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&cache->locks[i]);
	free(cache->sets);
	free(cache);
}

size_t co_e01_cache_chunks(const struct co_e01_cache *cache)
{
	return cache->n_sets * cache->n_ways;
}

/* Multiplied by 2^64 / the golden ratio, numbers at any fixed distance are spread evenly; the upper half of the product
 * is scaled to the number of sets. */
static size_t set_of(const struct co_e01_cache *cache, uint64_t chunk)
{
	uint64_t mixed = chunk * UINT64_C(0x9E3779B97F4A7C15);
	return (size_t)((mixed >> 32) * cache->n_sets >> 32);
}

static struct slot *find(const struct co_e01_cache *cache, struct set *set, uint64_t chunk)
{
	for (size_t i = 0; i < cache->n_ways; i++)
		if (set->slots[i].used && set->slots[i].chunk == chunk)
			return &set->slots[i];
	return NULL;
}

bool co_e01_cache_has(struct co_e01_cache *cache, uint64_t chunk)
{
	size_t i = set_of(cache, chunk);
	pthread_mutex_lock(&cache->locks[i % LOCKS]);
	bool has = find(cache, &cache->sets[i], chunk);
	pthread_mutex_unlock(&cache->locks[i % LOCKS]);
	return has;
}

bool co_e01_cache_get(struct co_e01_cache *cache, uint64_t chunk, size_t off, size_t len, void *buf)
{
	size_t i = set_of(cache, chunk);
	struct set *set = &cache->sets[i];
	pthread_mutex_lock(&cache->locks[i % LOCKS]);
	struct slot *slot = find(cache, set, chunk);
	if (slot) {
		slot->used = ++set->stamp;
		memcpy(buf, slot->bytes + off, len);
	}
	pthread_mutex_unlock(&cache->locks[i % LOCKS]);
	return slot;
}

void co_e01_cache_put(struct co_e01_cache *cache, uint64_t chunk, uint8_t **bytes)
{
	size_t i = set_of(cache, chunk);
	struct set *set = &cache->sets[i];
	pthread_mutex_lock(&cache->locks[i % LOCKS]);
	struct slot *slot = find(cache, set, chunk);
	if (!slot) { /* else another thread was faster */
		slot = &set->slots[0];
		for (size_t k = 1; k < cache->n_ways; k++)
			if (set->slots[k].used < slot->used)
				slot = &set->slots[k];
		uint8_t *old = slot->bytes;
		*slot = (struct slot) { chunk, ++set->stamp, *bytes };
		*bytes = old;
	}
	pthread_mutex_unlock(&cache->locks[i % LOCKS]);
}
