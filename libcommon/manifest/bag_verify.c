/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Format: as manifest/bag.c; RFC 8493, section 5.1 for what a manifest of unknown origin may try.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "manifest/bag_files.h"
#include "manifest/sign.h"

#define TAG_FILE_MAX_BYTES (64 * 1024 * 1024)

/* A path that stays within the bag by its form: no empty, "." or ".." component, no root, no home, no backslash (which
 * another system might take for a separator). NULL, or what is wrong. */
static const char *unsafe(const char *path)
{
	if (*path == '/' || *path == '~' || strchr(path, '\\'))
		return "is not a path within the bag";
	for (const char *s = path;; s++) {
		size_t len = strcspn(s, "/");
		if (len == 0 || (len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.'))
			return "is not a path within the bag";
		s += len;
		if (!*s)
			return NULL;
	}
}

/* The content of a tag file, in bounds. The message begins behind its name. */
static int read_tag_file(const struct co_bag_walk *w, const char *name, struct co_str *ret, struct co_err *err)
{
	uint64_t size;
	CO_CLEANUP_CLOSE int fd = co_bag_open_file(w->dir, name, &size, err);
	if (fd < 0)
		return fd;
	if (size > TAG_FILE_MAX_BYTES)
		return co_err_set(err, CO_ERR_FORMAT, 0, "is too large for such a file (%" PRIu64 " bytes)", size);
	co_str_clear(ret);
	for (;;) {
		ssize_t n = read(fd, w->buf, CO_BAG_READ_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return co_err_set(err, CO_ERR_FAILED, errno, "can't be read");
		if (n == 0 || ret->n > TAG_FILE_MAX_BYTES)
			break;
		co_str_add_n(ret, w->buf, (size_t)n);
	}
	return ret->failed ? co_err_set(err, CO_ERR_NOMEM, 0, "is too large for the memory") : 0;
}

/* Undoes the percent-encoding in place. */
static void decode(char *path)
{
	char *to = path;
	for (const char *s = path; *s; s++) {
		if (strncasecmp(s, "%0a", 3) == 0 || strncasecmp(s, "%0d", 3) == 0 || strncmp(s, "%25", 3) == 0) {
			*to++ = s[1] == '2' ? '%' : tolower((unsigned char)s[2]) == 'a' ? '\n' : '\r';
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* One line "digest  path" without its end. NULL with an entry added, or what is wrong with it. */
static const char *parse_line(const char *line, size_t len, struct co_bag_entries *ret)
{
	uint8_t digest[32];
	size_t at = 64;
	if (len > CO_BAG_LINE_MAX)
		return "has a line that is too long";
	if (memchr(line, '\0', len))
		return "has a line with a zero byte";
	if (len < 66 || co_unhex(line, 32, digest) < 0 || (line[64] != ' ' && line[64] != '\t'))
		return "has a line that is not a digest and a path";
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	if (at == 65 && line[at] == '*') /* "binary", as older tools mark it */
		at++;
	char *path = strndup(line + at, len - at);
	if (co_bag_entries_add(ret, path, 0) < 0)
		return "is too large for the memory";
	struct co_bag_entry *entry = &ret->list.at[ret->list.n - 1];
	decode(entry->path);
	co_hex(digest, 32, entry->sha256);
	return NULL;
}

/* Reads a manifest; lines that make no sense are problems. 0, or 1: it can't be read, which was told. */
static int read_manifest(struct co_bag_walk *w, const char *name, struct co_bag_entries *ret)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	struct co_err err = CO_ERR_INIT;
	if (read_tag_file(w, name, &text, &err) < 0) {
		co_bag_problem(w, name, err.sys == ENOENT ? "is missing: the bag was not completed" : err.msg);
		return 1;
	}
	const char *line = co_str_get(&text), *end = line + text.n;
	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((stop ? stop : end) - line);
		size_t trimmed = len && line[len - 1] == '\r' ? len - 1 : len;
		const char *wrong = trimmed ? parse_line(line, trimmed, ret) : NULL;
		if (wrong)
			co_bag_problem(w, name, wrong);
		line += len + 1;
	}
	co_bag_entries_sort(ret);
	return 0;
}

/* Compares one file with what a manifest says. < 0: verification has to stop. */
static int verify_entry(struct co_bag_walk *w, const char *manifest, const struct co_bag_entry *e, struct co_err *err)
{
	struct co_err why = CO_ERR_INIT;
	char hex[65];
	bool payload = strcmp(manifest, CO_BAG_MANIFEST) == 0;
	const char *wrong = unsafe(e->path);
	if (!wrong && (strncmp(e->path, "data/", 5) == 0) != payload)
		wrong = payload ? "is listed as payload, but lies outside data/"
				: "is listed as tag file, but lies in data/";
	if (wrong) {
		co_bag_problem(w, e->path, wrong);
		return 0;
	}
	int r = co_bag_digest(w, e->path, hex, &why);
	if (r == CO_ERR_CANCELED || r == CO_ERR_NOMEM)
		return co_err_set(err, r, 0, "%s", why.msg);
	if (r < 0 && why.sys == ENOENT)
		co_bag_problem(w, e->path, "is missing");
	else if (r < 0)
		co_bag_problem(w, e->path, why.msg);
	if (r == 0 && payload && w->watch->payload)
		w->watch->payload(w->watch->arg, e->path, hex);
	if (r == 0 && strcmp(hex, e->sha256) != 0)
		co_bag_problem(w, e->path,
			       payload ? "was changed: its SHA-256 is not the one in " CO_BAG_MANIFEST
				       : "was changed: its SHA-256 is not the one in " CO_BAG_TAG_MANIFEST);
	return 0;
}

/* 1: the manifest can't be read, which was told. */
static int verify_manifest(struct co_bag_walk *w, const char *name, struct co_bag_entries *listed, struct co_err *err)
{
	if (read_manifest(w, name, listed) > 0)
		return 1;
	for (size_t i = 0; i < listed->list.n; i++) {
		const struct co_bag_entry *e = &listed->list.at[i];
		if (i && strcmp(e->path, e[-1].path) == 0)
			co_bag_problem(w, e->path, "is listed twice");
		int r = verify_entry(w, name, e, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Is it the tag manifest, or what signs it? They can't be in the tag manifest. */
static bool is_beyond_tags(const char *path)
{
	return strcmp(path, CO_BAG_TAG_MANIFEST) == 0 || strcmp(path, CO_SIGNATURE_NAME) == 0;
}

/* A file that nobody lists could be anything; and without the manifest in it, the tag manifest would prove nothing. */
static int verify_tags(struct co_bag_walk *w, const struct co_bag_entries *listed, struct co_err *err)
{
	CO_BAG_CLEANUP_ENTRIES struct co_bag_entries there = { 0 };
	int r = co_bag_list_tags(w, &there, err);
	for (size_t i = 0; r == 0 && i < there.list.n; i++)
		if (!is_beyond_tags(there.list.at[i].path) && !co_bag_entries_find(listed, there.list.at[i].path))
			co_bag_problem(w, there.list.at[i].path, "is not listed in " CO_BAG_TAG_MANIFEST);
	return r;
}

/* "Payload-Oxum: octets.files" of bag-info.txt, if it is there. */
static void verify_oxum(struct co_bag_walk *w, uint64_t octets, size_t files)
{
	static const char label[] = "Payload-Oxum:";
	CO_CLEANUP_STR struct co_str text = { 0 };
	char expected[64];
	if (read_tag_file(w, CO_BAG_INFO, &text, NULL) < 0)
		return; /* missing or damaged: told through the tag manifest */
	const char *s = co_str_get(&text);
	while (s && strncasecmp(s, label, strlen(label)) != 0)
		s = (s = strchr(s, '\n')) ? s + 1 : NULL;
	if (!s)
		return;
	s += strlen(label);
	s += strspn(s, " \t");
	int len = snprintf(expected, sizeof expected, "%" PRIu64 ".%zu", octets, files);
	if (strncmp(s, expected, (size_t)len) != 0 || (s[len] && !isspace((unsigned char)s[len])))
		co_bag_problem(w, CO_BAG_INFO, "states another number of bytes or files than there are in data/");
}

static int verify_payload(struct co_bag_walk *w, const struct co_bag_entries *listed, struct co_err *err)
{
	CO_BAG_CLEANUP_ENTRIES struct co_bag_entries there = { 0 };
	uint64_t octets = 0;
	int r = co_bag_list_payload(w, &there, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < there.list.n; i++) {
		octets += there.list.at[i].size;
		if (!co_bag_entries_find(listed, there.list.at[i].path))
			co_bag_problem(w, there.list.at[i].path, "is not listed in " CO_BAG_MANIFEST);
	}
	verify_oxum(w, octets, there.list.n);
	return 0;
}

/* RFC 8493, 2.1.1: two lines. What keeps a listed one from being read was told already. */
static void verify_declaration(struct co_bag_walk *w, const struct co_bag_entries *listed)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	struct co_err why = CO_ERR_INIT;
	if (read_tag_file(w, CO_BAG_DECLARATION, &text, &why) < 0) {
		if (!co_bag_entries_find(listed, CO_BAG_DECLARATION))
			co_bag_problem(w, CO_BAG_DECLARATION, why.sys == ENOENT ? "is missing" : why.msg);
	} else if (strncmp(co_str_get(&text), "BagIt-Version: ", 15) != 0 ||
		   !strstr(co_str_get(&text), "\nTag-File-Character-Encoding: UTF-8")) {
		co_bag_problem(w, CO_BAG_DECLARATION, "does not declare a bag in UTF-8");
	}
}

static bool is_bag(const struct co_bag_walk *w)
{
	static const char *const names[] = { CO_BAG_DECLARATION, CO_BAG_MANIFEST, CO_BAG_TAG_MANIFEST };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (faccessat(w->dir, names[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	return false;
}

static int verify(struct co_bag_walk *w, struct co_err *err)
{
	CO_BAG_CLEANUP_ENTRIES struct co_bag_entries tags = { 0 };
	CO_BAG_CLEANUP_ENTRIES struct co_bag_entries payload = { 0 };
	if (!is_bag(w))
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s is not an evidence bag: it has no %s and no manifest",
				  w->bag, CO_BAG_DECLARATION);
	int r = verify_manifest(w, CO_BAG_TAG_MANIFEST, &tags, err);
	verify_declaration(w, &tags);
	if (r < 0 || (r == 0 && (r = verify_tags(w, &tags, err)) < 0))
		return r;
	if ((r = verify_manifest(w, CO_BAG_MANIFEST, &payload, err)) < 0)
		return r;
	if (r == 0 && (r = verify_payload(w, &payload, err)) < 0)
		return r;
	return w->problems ? 1 : 0;
}

int co_bag_verify(const char *bag, const struct co_bag_watch *watch, struct co_err *err)
{
	struct co_bag_walk w;
	int r = co_bag_walk_open(&w, bag, err);
	w.watch = watch;
	if (r == 0)
		r = verify(&w, err);
	co_bag_walk_close(&w);
	return r;
}
