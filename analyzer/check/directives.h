/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to the check of handlers: settings in .htaccess (Apache's core, mod_mime, mod_php) and in .user.ini that
 * make a server run other code.
 */
#ifndef AN_CHECK_DIRECTIVES_H
#define AN_CHECK_DIRECTIVES_H

#include <stddef.h>

enum an_directive {
	AN_DIRECTIVE_HANDLER, /* files with an ordinary extension are run as code */
	AN_DIRECTIVE_PREPEND, /* a file is run before or after every script */
	AN_DIRECTIVE_CGI,     /* programs of the folder are run */
};

/* Called for each; @off and @len are the line (with its continuations) in the text. A code other than 0 ends it. */
typedef int an_directive_fn(void *arg, enum an_directive what, size_t off, size_t len);

int an_htaccess_scan(const char *text, size_t len, an_directive_fn *fn, void *arg);
int an_user_ini_scan(const char *text, size_t len, an_directive_fn *fn, void *arg);

#endif
