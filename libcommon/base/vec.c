/* SPDX-License-Identifier: Apache-2.0 */
#include "base/vec.h"

#include "base/bytes.h"

int co_vec_grow(void **at, size_t *cap, size_t want, size_t size)
{
	size_t n = *cap ? *cap : 8;
	while (n < want)
		if (!co_mul(n, (size_t)2, &n))
			return -1;
	size_t bytes;
	if (!co_mul(n, size, &bytes))
		return -1;
	void *p = realloc(*at, bytes);
	if (!p)
		return -1;
	*at = p;
	*cap = n;
	return 0;
}
