/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that live as long as the table that refers to them: an arena of blocks, freed all at once.
 */
#ifndef AN_STORE_STRINGS_H
#define AN_STORE_STRINGS_H

#include <stddef.h>

struct an_strings;

/* NULL: no memory. */
struct an_strings *an_strings_open(void);
/* Copies @n bytes and puts a NUL behind them. The copy stays where it is until free. NULL: no memory. */
const char *an_strings_add(struct an_strings *s, const void *bytes, size_t n);
/* NULL is allowed. */
void an_strings_free(struct an_strings *s);

#endif
