/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers out of untrusted bytes: unaligned little- and big-endian access, overflow-checked sums, range checks.
 * Format code never casts a buffer to a struct of native integers; it reads each field with these.
 */
#ifndef CO_BASE_BYTES_H
#define CO_BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CO_BYTES_GET(name, type, convert) \
	static inline type name(const void *p) \
	{ \
		type v_; \
		memcpy(&v_, p, sizeof v_); \
		return (type)convert(v_); \
	}
CO_BYTES_GET(co_le16, uint16_t, le16toh)
CO_BYTES_GET(co_le32, uint32_t, le32toh)
CO_BYTES_GET(co_le64, uint64_t, le64toh)
CO_BYTES_GET(co_be16, uint16_t, be16toh)
CO_BYTES_GET(co_be32, uint32_t, be32toh)
CO_BYTES_GET(co_be64, uint64_t, be64toh)
#undef CO_BYTES_GET

#define CO_BYTES_PUT(name, type, convert) \
	static inline void name(void *p, type v) \
	{ \
		type v_ = (type)convert(v); \
		memcpy(p, &v_, sizeof v_); \
	}
CO_BYTES_PUT(co_put_le16, uint16_t, htole16)
CO_BYTES_PUT(co_put_le32, uint32_t, htole32)
CO_BYTES_PUT(co_put_le64, uint64_t, htole64)
#undef CO_BYTES_PUT

/* true: the result fits and is in *ret; false: it overflowed and *ret is undefined. Each argument is evaluated once. */
#define co_add(a, b, ret) (!__builtin_add_overflow((a), (b), (ret)))
#define co_sub(a, b, ret) (!__builtin_sub_overflow((a), (b), (ret)))
#define co_mul(a, b, ret) (!__builtin_mul_overflow((a), (b), (ret)))

/* Does [off, off + len) lie within [0, total)? Never overflows. */
static inline bool co_in_range(uint64_t off, uint64_t len, uint64_t total)
{
	return off <= total && len <= total - off;
}

static inline uint64_t co_min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t co_max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Are all @len bytes zero? */
bool co_is_zero(const void *p, size_t len);

#endif
