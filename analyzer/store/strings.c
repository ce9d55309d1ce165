/* SPDX-License-Identifier: Apache-2.0 */
#include "store/strings.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define BLOCK_SIZE ((size_t)256 << 10)

struct block {
	struct block *next;
	size_t used, cap;
	char bytes[];
};

struct an_strings {
	struct block *newest;
};

struct an_strings *an_strings_open(void)
{
	return calloc(1, sizeof(struct an_strings));
}

static struct block *block_add(struct an_strings *s, size_t want)
{
	size_t cap = want > BLOCK_SIZE ? want : BLOCK_SIZE;
	size_t size;
	if (!co_add(cap, sizeof(struct block), &size))
		return NULL;
	struct block *b = malloc(size);
	if (!b)
		return NULL;
	b->next = s->newest;
	b->used = 0;
	b->cap = cap;
	s->newest = b;
	return b;
}

const char *an_strings_add(struct an_strings *s, const void *bytes, size_t n)
{
	size_t want;
	if (!co_add(n, (size_t)1, &want))
		return NULL;
	struct block *b = s->newest;
	if (!b || b->cap - b->used < want)
		b = block_add(s, want);
	if (!b)
		return NULL;
	char *p = b->bytes + b->used;
	if (n)
		memcpy(p, bytes, n);
	p[n] = '\0';
	b->used += want;
	return p;
}

void an_strings_free(struct an_strings *s)
{
	if (!s)
		return;
	for (struct block *b = s->newest; b;) {
		struct block *next = b->next;
		free(b);
		b = next;
	}
	free(s);
}
