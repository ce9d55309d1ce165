/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of the files below /var/lib/dpkg, line by line out of memory. Formats: dpkg(1), deb-md5sums(5),
 * deb-conffiles(5), dpkg-divert(1); status as deb-control(5) stanzas.
 */
#ifndef AN_CHECK_DPKG_LISTS_H
#define AN_CHECK_DPKG_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

/* A piece of the text that is read, without NUL. */
struct an_span {
	const char *s;
	size_t n;
};

bool an_span_is(struct an_span a, struct an_span b);
/* The next line without its newline; false at the end. @*at begins at 0. */
bool an_next_line(const char *text, size_t len, size_t *at, struct an_span *ret);

/* "<32 hexadecimal digits>  <path relative to the root>": false if it is no such line. */
bool an_md5sums_line(struct an_span line, uint8_t ret_md5[16], struct an_span *ret_path);

/* " /etc/path <32 digits> [obsolete|remove-on-upgrade]": false if it is none or one that is not to be compared. */
bool an_conffile_line(struct an_span line, uint8_t ret_md5[16], struct an_span *ret_path);

/* One stanza of status. Spans are empty where a field is absent. */
struct an_dpkg_package {
	struct an_span name, architecture, version;
	struct an_span conffiles; /* the lines behind "Conffiles:" */
	bool installed;           /* unpacked at least: not removed, not only configured */
};
/* The next stanza; false at the end. */
bool an_next_package(const char *status, size_t len, size_t *at, struct an_dpkg_package *ret);

/* Three lines each: the path, where it went, the package whose own file stays (":" for the administrator). */
struct an_diversion {
	struct an_span from, to, package;
};
bool an_next_diversion(const char *text, size_t len, size_t *at, struct an_diversion *ret);

/* "libc6:amd64.md5sums" with @suffix ".md5sums" gives "libc6"; an empty span if the name doesn't end so. */
struct an_span an_list_package(const char *name, const char *suffix);

#endif
