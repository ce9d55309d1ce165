/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

bool co_is_zero(const void *p, size_t len)
{
	const uint8_t *b = p;
	/* Equal to itself shifted by one byte: all bytes are equal to the first (memcmp runs at memory speed). */
	return len == 0 || (b[0] == 0 && memcmp(b, b + 1, len - 1) == 0);
}
