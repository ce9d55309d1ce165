/* SPDX-License-Identifier: Apache-2.0 */
#include "check/dpkg_lists.h"

#include <string.h>

#include "base/text.h"

bool an_span_is(struct an_span a, struct an_span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

static bool begins(struct an_span line, const char *word)
{
	size_t n = strlen(word);
	return line.n >= n && memcmp(line.s, word, n) == 0;
}

static struct an_span trim(struct an_span s)
{
	while (s.n && (s.s[0] == ' ' || s.s[0] == '\t'))
		s = (struct an_span) { s.s + 1, s.n - 1 };
	while (s.n && (s.s[s.n - 1] == ' ' || s.s[s.n - 1] == '\t' || s.s[s.n - 1] == '\r'))
		s.n--;
	return s;
}

bool an_next_line(const char *text, size_t len, size_t *at, struct an_span *ret)
{
	if (*at >= len)
		return false;
	const char *s = text + *at;
	const char *end = memchr(s, '\n', len - *at);
	ret->s = s;
	ret->n = end ? (size_t)(end - s) : len - *at;
	*at += ret->n + (end != NULL);
	return true;
}

bool an_md5sums_line(struct an_span line, uint8_t ret_md5[16], struct an_span *ret_path)
{
	if (line.n < 35 || line.s[32] != ' ' || (line.s[33] != ' ' && line.s[33] != '*') ||
	    co_unhex(line.s, 16, ret_md5) < 0)
		return false;
	*ret_path = (struct an_span) { line.s + 34, line.n - 34 };
	if (begins(*ret_path, "./"))
		*ret_path = (struct an_span) { ret_path->s + 2, ret_path->n - 2 };
	return ret_path->n > 0 && !memchr(ret_path->s, '\0', ret_path->n);
}

bool an_conffile_line(struct an_span line, uint8_t ret_md5[16], struct an_span *ret_path)
{
	line = trim(line);
	/* the path may hold spaces: the digest is the last word of a line that is to be compared */
	if (line.n < 35 || line.s[0] != '/' || line.s[line.n - 33] != ' ' ||
	    co_unhex(line.s + line.n - 32, 16, ret_md5) < 0)
		return false;
	*ret_path = trim((struct an_span) { line.s, line.n - 33 });
	return !memchr(ret_path->s, '\0', ret_path->n);
}

static bool is_installed(struct an_span status)
{
	static const char *const states[] = { " installed", " unpacked", " half-configured", " triggers-awaited",
					      " triggers-pending" };
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		size_t n = strlen(states[i]);
		if (status.n > n && memcmp(status.s + status.n - n, states[i], n) == 0)
			return true;
	}
	return false;
}

static void read_field(struct an_span line, struct an_dpkg_package *p)
{
	static const struct {
		const char *name;
		size_t offset;
	} fields[] = {
		{ "Package:", offsetof(struct an_dpkg_package, name) },
		{ "Architecture:", offsetof(struct an_dpkg_package, architecture) },
		{ "Version:", offsetof(struct an_dpkg_package, version) },
	};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		size_t n = strlen(fields[i].name);
		if (begins(line, fields[i].name))
			*(struct an_span *)((char *)p + fields[i].offset) =
				trim((struct an_span) { line.s + n, line.n - n });
	}
	if (begins(line, "Status:"))
		p->installed = is_installed(trim(line));
}

bool an_next_package(const char *status, size_t len, size_t *at, struct an_dpkg_package *ret)
{
	struct an_dpkg_package p = { 0 };
	struct an_span line;
	bool in_conffiles = false;
	while (an_next_line(status, len, at, &line)) {
		if (line.n == 0) {
			if (p.name.n)
				break;
			continue;
		}
		if (line.s[0] == ' ' || line.s[0] == '\t') {
			if (in_conffiles)
				p.conffiles.n = (size_t)(line.s + line.n - p.conffiles.s);
			continue;
		}
		in_conffiles = begins(line, "Conffiles:");
		if (in_conffiles)
			p.conffiles.s = line.s + line.n;
		read_field(line, &p);
	}
	*ret = p;
	return p.name.n > 0;
}

bool an_next_diversion(const char *text, size_t len, size_t *at, struct an_diversion *ret)
{
	return an_next_line(text, len, at, &ret->from) && an_next_line(text, len, at, &ret->to) &&
	       an_next_line(text, len, at, &ret->package);
}

struct an_span an_list_package(const char *name, const char *suffix)
{
	size_t n = strlen(name), end = strlen(suffix);
	if (n <= end || strcmp(name + n - end, suffix) != 0)
		return (struct an_span) { 0 };
	n -= end;
	const char *colon = memchr(name, ':', n);
	return (struct an_span) { name, colon ? (size_t)(colon - name) : n };
}
