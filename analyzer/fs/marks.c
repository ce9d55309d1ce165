/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/marks.h"

#include <string.h>
#include <strings.h>

#define TAG_MAX 5 /* bytes of the longest tag, "<?php" */

/* The mark of a tag that begins at @p, where '<' stands. */
static uint32_t tag_at(const uint8_t *p, size_t left)
{
	if (left >= 5 && p[1] == '?' && strncasecmp((const char *)p + 2, "php", 3) == 0)
		return AN_CONTENT_PHP;
	if (left < 3)
		return 0;
	if (p[1] == '?' && p[2] == '=')
		return AN_CONTENT_PHP;
	if (p[1] == '%' && (p[2] == '@' || p[2] == '!' || p[2] == '='))
		return AN_CONTENT_JSP;
	return 0;
}

static uint32_t search(const uint8_t *bytes, size_t len)
{
	uint32_t found = 0;
	const uint8_t *end = bytes + len;
	for (const uint8_t *p = bytes; p < end && (p = memchr(p, '<', (size_t)(end - p))) != NULL; p++)
		found |= tag_at(p, (size_t)(end - p));
	return found;
}

static uint32_t begins(const uint8_t *bytes, size_t len)
{
	uint32_t found = 0;
	if (len >= 2 && bytes[0] == '#' && bytes[1] == '!')
		found |= AN_CONTENT_SHEBANG;
	if (len >= 4 && memcmp(bytes,
			       "\x7f"
			       "ELF",
			       4) == 0)
		found |= AN_CONTENT_ELF;
	return found;
}

void an_marks_add(struct an_marks *m, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	if (!m->begun)
		m->found |= begins(bytes, len);
	m->begun = true;
	/* tags that begin in the part before */
	uint8_t seam[2 * (TAG_MAX - 1)];
	size_t n = len < TAG_MAX - 1 ? len : TAG_MAX - 1;
	memcpy(seam, m->tail, m->n_tail);
	memcpy(seam + m->n_tail, bytes, n);
	m->found |= search(seam, m->n_tail + n);
	m->found |= search(bytes, len);
	/* the last bytes of all that came so far */
	if (len >= TAG_MAX - 1) {
		memcpy(m->tail, (const uint8_t *)bytes + len - n, n);
		m->n_tail = n;
		return;
	}
	size_t all = m->n_tail + n, keep = all < TAG_MAX - 1 ? all : TAG_MAX - 1;
	memcpy(m->tail, seam + all - keep, keep);
	m->n_tail = keep;
}

uint32_t an_marks_for_name(uint32_t found, const char *path)
{
	static const char *const pages[] = { ".jsp", ".jspx", ".asp", ".aspx" };
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');
	for (size_t i = 0; dot && i < sizeof pages / sizeof *pages; i++)
		if (strcasecmp(dot, pages[i]) == 0)
			return found;
	return found & ~(uint32_t)AN_CONTENT_JSP;
}
