/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a PHP file empty of code? Applications put such files into folders so that these can't be listed.
 */
#ifndef AN_CHECK_PHP_STUB_H
#define AN_CHECK_PHP_STUB_H

#include <stdbool.h>
#include <stddef.h>

/* Only white space, an opening tag, comments, and at most one exit, die or return without an argument at the end. */
bool an_php_is_stub(const char *bytes, size_t len);
/* The first opening tag that PHP would run: "<?php" with white space behind it, or "<?=" with text behind it.
 * The offset, or -1. Three bytes alone come up by chance in any large picture. */
long an_php_tag(const char *bytes, size_t len);

#endif
