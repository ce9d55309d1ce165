/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "e01/image.h"

enum {
	CACHE_BYTES = 64 << 20,
	SHARDS = 16,
	SLOTS_MAX = 128, /* per shard: a look-up passes over all of them */
};

struct slot {
	uint64_t chunk;
	uint64_t used; /* stamp of the last use; 0: empty */
	uint8_t *bytes;
};

struct shard {
	pthread_mutex_t lock;
	uint64_t stamp;
	struct slot slots[SLOTS_MAX];
};

struct co_e01_cache {
	size_t n_slots; /* per shard */
	size_t n_shards;
	struct shard shards[SHARDS];
};

int co_e01_cache_open(struct co_e01_cache **ret, size_t chunk_size, struct co_err *err)
{
	struct co_e01_cache *cache = calloc(1, sizeof *cache);
	if (!cache)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the cache of chunks");
	size_t n = CACHE_BYTES / chunk_size;
	n = n < 1 ? 1 : n > SHARDS * SLOTS_MAX ? SHARDS * SLOTS_MAX : n;
	cache->n_shards = n < SHARDS ? n : SHARDS;
	cache->n_slots = n / cache->n_shards;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&cache->shards[i].lock, NULL);
	*ret = cache;
	return 0;
}

void co_e01_cache_close(struct co_e01_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		for (size_t k = 0; k < cache->n_slots; k++)
			free(cache->shards[i].slots[k].bytes);
		pthread_mutex_destroy(&cache->shards[i].lock);
	}
	free(cache);
}

static struct slot *find(struct co_e01_cache *cache, struct shard *shard, uint64_t chunk)
{
	for (size_t i = 0; i < cache->n_slots; i++)
		if (shard->slots[i].used && shard->slots[i].chunk == chunk)
			return &shard->slots[i];
	return NULL;
}

bool co_e01_cache_get(struct co_e01_cache *cache, uint64_t chunk, size_t off, size_t len, void *buf)
{
	struct shard *shard = &cache->shards[chunk % cache->n_shards];
	pthread_mutex_lock(&shard->lock);
	struct slot *slot = find(cache, shard, chunk);
	if (slot) {
		slot->used = ++shard->stamp;
		memcpy(buf, slot->bytes + off, len);
	}
	pthread_mutex_unlock(&shard->lock);
	return slot;
}

void co_e01_cache_put(struct co_e01_cache *cache, uint64_t chunk, uint8_t **bytes)
{
	struct shard *shard = &cache->shards[chunk % cache->n_shards];
	pthread_mutex_lock(&shard->lock);
	struct slot *slot = find(cache, shard, chunk);
	if (!slot) { /* else another thread was faster */
		slot = &shard->slots[0];
		for (size_t i = 1; i < cache->n_slots; i++)
			if (shard->slots[i].used < slot->used)
				slot = &shard->slots[i];
		uint8_t *old = slot->bytes;
		*slot = (struct slot) { chunk, ++shard->stamp, *bytes };
		*bytes = old;
	}
	pthread_mutex_unlock(&shard->lock);
}
