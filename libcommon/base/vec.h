/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing array of any type:
 *
 *	CO_VEC(int) v = { 0 };
 *	if (co_vec_push(&v, 7) < 0) ...no memory...
 *	for (size_t i = 0; i < v.n; i++) use(v.at[i]);
 *	co_vec_free(&v);
 *
 * Pointers into it are valid until the next push. A zeroed struct is an empty vector.
 */
#ifndef CO_BASE_VEC_H
#define CO_BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>

#define CO_VEC(type) \
	struct { \
		type *at; \
		size_t n; \
		size_t cap; \
	}

/* Grows @at so that @want elements of @size bytes fit. 0, or -1: no memory (nothing changed). */
int co_vec_grow(void **at, size_t *cap, size_t want, size_t size);

/* 0, or -1: no memory. */
#define co_vec_reserve(v, want) \
	((v)->cap >= (size_t)(want) ? 0 : ({ \
		void *at_ = (v)->at; \
		int r_ = co_vec_grow(&at_, &(v)->cap, (size_t)(want), sizeof *(v)->at); \
		(v)->at = at_; \
		r_; \
	}))

#define co_vec_push(v, ...) (co_vec_reserve((v), (v)->n + 1) < 0 ? -1 : ((v)->at[(v)->n++] = (__VA_ARGS__), 0))

#define co_vec_free(v) \
	do { \
		free((v)->at); \
		(v)->at = NULL; \
		(v)->n = 0; \
		(v)->cap = 0; \
	} while (0)

#endif
