/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "io/source.h"

struct memory {
	const uint8_t *bytes;
};

static int memory_read(void *self, void *buf, size_t len, uint64_t off, size_t *ret_good, struct co_err *err)
{
	const struct memory *m = self;
	(void)err;
	memcpy(buf, m->bytes + off, len);
	*ret_good = len;
	return 0;
}

static const struct co_source_ops memory_ops = { "memory", memory_read, free };

int co_source_open_memory(struct co_source *ret, const void *bytes, size_t len, struct co_err *err)
{
	struct memory *m = malloc(sizeof *m);
	if (!m)
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	m->bytes = bytes;
	*ret = (struct co_source) { &memory_ops, m, len, 512 };
	return 0;
}
