/* SPDX-License-Identifier: Apache-2.0 */
#include "image/fstab.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Takes the next field off [*at, end): a copy with escapes undone, or NULL if there is none or memory ran out. */
static char *field(const char **at, const char *end)
{
	const char *p = *at;
	while (p < end && is_space(*p))
		p++;
	const char *begin = p;
	while (p < end && !is_space(*p))
		p++;
	*at = p;
	if (p == begin)
		return NULL;
	char *copy = malloc((size_t)(p - begin) + 1);
	if (!copy)
		return NULL;
	size_t n = 0;
	for (const char *q = begin; q < p; q++) {
		char c = *q;
		if (c == '\\' && p - q > 3 && is_octal(q[1]) && is_octal(q[2]) && is_octal(q[3])) {
			c = (char)((q[1] - '0') * 64 + (q[2] - '0') * 8 + (q[3] - '0'));
			q += 3;
		}
		if (c != '\0')
			copy[n++] = c;
	}
	copy[n] = '\0';
	return copy;
}

/* fstab allows quotes around the value of UUID= and LABEL=. */
static void drop_quotes(char *device)
{
	char *equals = strchr(device, '=');
	size_t n = strlen(device);
	if (!equals || equals[1] != '"' || n < 3 || device[n - 1] != '"' || equals + 1 == device + n - 1)
		return;
	device[n - 1] = '\0';
	memmove(equals + 1, equals + 2, strlen(equals + 2) + 1);
}

static void entry_free(struct an_fstab_entry *e)
{
	free(e->device);
	free(e->folder);
	free(e->type);
}

static int parse_line(struct an_fstab *t, const char *at, const char *end, struct co_err *err)
{
	struct an_fstab_entry e;
	e.device = field(&at, end);
	e.folder = field(&at, end);
	e.type = field(&at, end);
	bool mounts = e.device && e.device[0] != '#' && e.folder && e.folder[0] == '/' && e.type &&
		      strcmp(e.type, "swap") != 0;
	if (!mounts) {
		entry_free(&e);
		return 0;
	}
	drop_quotes(e.device);
	for (size_t n = strlen(e.folder); n > 1 && e.folder[n - 1] == '/'; n--)
		e.folder[n - 1] = '\0';
	if (co_vec_push(&t->list, e) < 0) {
		entry_free(&e);
		return co_err_set(err, CO_ERR_NOMEM, 0, "out of memory");
	}
	return 0;
}

int an_fstab_parse(struct an_fstab *ret, const char *text, size_t len, struct co_err *err)
{
	struct an_fstab t = { 0 };
	const char *end = text + len;
	for (const char *line = text; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		if (!stop)
			stop = end;
		int r = parse_line(&t, line, stop, err);
		if (r < 0) {
			an_fstab_free(&t);
			return r;
		}
		line = stop + 1;
	}
	*ret = t;
	return 0;
}

void an_fstab_free(struct an_fstab *t)
{
	for (size_t i = 0; i < t->list.n; i++)
		entry_free(&t->list.at[i]);
	co_vec_free(&t->list);
}
