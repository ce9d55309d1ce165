/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Format: RFC 8493, The BagIt File Packaging Format (V1.0): section 2.1 for the required files, 2.2 for the optional
 * ones, 6.1.3 for what a manifest of unknown origin may try.
 */
#include "manifest/bag.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "base/vec.h"
#include "hash/digest.h"
#include "io/sink.h"
#include "run/cancel.h"

#define MANIFEST "manifest-sha256.txt"
#define TAG_MANIFEST "tagmanifest-sha256.txt"
#define BAG_DECLARATION "bagit.txt"
#define BAG_INFO "bag-info.txt"

enum {
	LINE_MAX_BYTES = 4096,
	TAG_FILE_MAX_BYTES = 64 * 1024 * 1024,
	DEPTH_MAX = 32, /* folders below data/ */
	READ_BYTES = 1024 * 1024,
};

/* A file of the bag. */
struct entry {
	char *path; /* relative to the bag */
	uint64_t size;
	char sha256[65]; /* as a manifest states it */
};
struct entries {
	CO_VEC(struct entry) list;
};

/* One verification; with seal() it has the folder only. */
struct check {
	int dir; /* the bag */
	const char *bag;
	co_bag_problem_fn *problem;
	void *arg;
	void (*done)(void *arg, uint64_t bytes);
	size_t problems;
	uint8_t *buf; /* READ_BYTES */
};

static void entries_free(struct entries *e)
{
	for (size_t i = 0; i < e->list.n; i++)
		free(e->list.at[i].path);
	co_vec_free(&e->list);
}
#define CLEANUP_ENTRIES CO_CLEANUP(entries_free)

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static void entries_sort(struct entries *e)
{
	if (e->list.n)
		qsort(e->list.at, e->list.n, sizeof *e->list.at, by_path);
}

static struct entry *entries_find(const struct entries *e, const char *path)
{
	struct entry key = { .path = (char *)(uintptr_t)path };
	return e->list.n ? bsearch(&key, e->list.at, e->list.n, sizeof *e->list.at, by_path) : NULL;
}

static int no_memory(const char *bag, struct co_err *err)
{
	return co_err_set(err, CO_ERR_NOMEM, 0, "%s: out of memory", bag);
}

/* Takes @path over, also on failure. */
static int entries_add(struct entries *e, char *path, uint64_t size)
{
	if (!path || co_vec_push(&e->list, (struct entry){ .path = path, .size = size }) < 0) {
		free(path);
		return -1;
	}
	return 0;
}

/* Tells of something wrong with @name, which may come from a manifest and is made fit to show. */
static void problem(struct check *c, const char *name, const char *text)
{
	CO_CLEANUP_STR struct co_str s = { 0 };
	co_str_add_visible(&s, name, strlen(name));
	co_str_addf(&s, " %s", text);
	c->problem(c->arg, s.failed ? "a problem could not be told for lack of memory" : co_str_get(&s));
	c->problems++;
}

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

/* Opens a file without following a link in any component. -1 with errno. */
static int open_within(int dir, const char *path)
{
	int at = dir;
	for (;;) {
		size_t len = strcspn(path, "/");
		char name[NAME_MAX + 1];
		int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | (path[len] ? O_DIRECTORY : O_NONBLOCK);
		int next = -1;
		if (len > NAME_MAX) {
			errno = ENAMETOOLONG;
		} else {
			memcpy(name, path, len);
			name[len] = '\0';
			next = openat(at, name, flags);
		}
		int sys = errno;
		if (at != dir)
			close(at);
		errno = sys;
		if (next < 0 || !path[len])
			return next;
		at = next;
		path += len + 1;
	}
}

static int open_regular(int dir, const char *path, uint64_t *ret_size, struct co_err *err)
{
	struct stat st;
	CO_CLEANUP_CLOSE int fd = open_within(dir, path);
	if (fd < 0 && errno == ELOOP)
		return co_err_set(err, CO_ERR_FAILED, 0, "is a link, not a file");
	if (fd < 0 || fstat(fd, &st) < 0)
		return co_err_set(err, CO_ERR_FAILED, errno, "can't be opened");
	if (!S_ISREG(st.st_mode))
		return co_err_set(err, CO_ERR_FAILED, 0, "is not a file");
	*ret_size = (uint64_t)st.st_size;
	int result = fd;
	fd = -1;
	return result;
}

/* The digest of a file in the bag. The message begins behind its name: "can't be read: ..." */
static int digest_within(const struct check *c, const char *path, char ret_hex[65], struct co_err *err)
{
	uint64_t size;
	struct co_hasher *h;
	struct co_digests d;
	CO_CLEANUP_CLOSE int fd = open_regular(c->dir, path, &size, err);
	if (fd < 0)
		return fd;
	int r = co_hasher_open(&h, CO_HASH_BIT(CO_HASH_SHA256), err);
	if (r < 0)
		return r;
	while ((r = co_cancel_check(err)) == 0) {
		ssize_t n = read(fd, c->buf, READ_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = co_err_set(err, CO_ERR_FAILED, errno, "can't be read");
		if (n <= 0)
			break;
		if ((r = co_hasher_add(h, c->buf, (size_t)n, err)) < 0)
			break;
		if (c->done)
			c->done(c->arg, (uint64_t)n);
	}
	if (r == 0)
		r = co_hasher_finish(h, &d, err);
	if (r == 0)
		co_digests_hex(&d, CO_HASH_SHA256, ret_hex);
	co_hasher_close(h);
	return r;
}

/* The content of a tag file, in bounds. The message begins behind its name. */
static int read_tag_file(const struct check *c, const char *name, struct co_str *ret, struct co_err *err)
{
	uint64_t size;
	CO_CLEANUP_CLOSE int fd = open_regular(c->dir, name, &size, err);
	if (fd < 0)
		return fd;
	if (size > TAG_FILE_MAX_BYTES)
		return co_err_set(err, CO_ERR_FORMAT, 0, "is too large for such a file (%" PRIu64 " bytes)", size);
	co_str_clear(ret);
	for (;;) {
		ssize_t n = read(fd, c->buf, READ_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return co_err_set(err, CO_ERR_FAILED, errno, "can't be read");
		if (n == 0 || ret->n > TAG_FILE_MAX_BYTES)
			break;
		co_str_add_n(ret, c->buf, (size_t)n);
	}
	return ret->failed ? co_err_set(err, CO_ERR_NOMEM, 0, "is too large for the memory") : 0;
}

/* Opens a folder of the bag for reading its names; takes no link. */
static DIR *open_folder(int dir, const char *path)
{
	int fd = open_within(dir, path);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d && fd >= 0) {
		int sys = errno;
		close(fd);
		errno = sys;
	}
	return d;
}

static int list_folder(struct check *c, const char *folder, unsigned depth, struct entries *ret, struct co_err *err);

/* One name below data/. What is neither file nor folder has no place in a bag: a problem, or for seal() a failure. */
static int list_name(struct check *c, char *path, int dir, const char *name, unsigned depth, struct entries *ret,
		     struct co_err *err)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		int r = co_err_set(err, CO_ERR_FAILED, errno, "%s/%s can't be examined", c->bag, path);
		free(path);
		return r;
	}
	if (S_ISREG(st.st_mode) && !strchr(name, '\\'))
		return entries_add(ret, path, (uint64_t)st.st_size) < 0 ? no_memory(c->bag, err) : 0;
	int r = 0;
	const char *text = S_ISREG(st.st_mode) ? "has a backslash in its name" : "is neither a file nor a folder";
	if (S_ISDIR(st.st_mode))
		r = list_folder(c, path, depth + 1, ret, err);
	else if (c->problem)
		problem(c, path, text);
	else
		r = co_err_set(err, CO_ERR_FAILED, 0, "%s/%s %s", c->bag, path, text);
	free(path);
	return r;
}

/* All files below @folder (relative to the bag), in no order. seal() also syncs each folder. */
static int list_folder(struct check *c, const char *folder, unsigned depth, struct entries *ret, struct co_err *err)
{
	if (depth > DEPTH_MAX)
		return co_err_set(err, CO_ERR_FAILED, 0, "%s/%s: more than %d folders in one another", c->bag, folder,
				  DEPTH_MAX);
	CO_CLEANUP_CLOSEDIR DIR *d = open_folder(c->dir, folder);
	if (!d)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s/%s", c->bag, folder);
	if (!c->problem && fsync(dirfd(d)) < 0 && errno != EINVAL)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "sync %s/%s", c->bag, folder);
	for (;;) {
		errno = 0;
		const struct dirent *e = readdir(d);
		if (!e && errno)
			return co_err_set(err, CO_ERR_FAILED, errno, "read %s/%s", c->bag, folder);
		if (!e)
			return 0;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		char *path;
		if (asprintf(&path, "%s/%s", folder, e->d_name) < 0)
			return no_memory(c->bag, err);
		int r = list_name(c, path, dirfd(d), e->d_name, depth, ret, err);
		if (r < 0)
			return r;
	}
}

static int list_payload(struct check *c, struct entries *ret, struct co_err *err)
{
	int r = list_folder(c, "data", 0, ret, err);
	entries_sort(ret);
	return r;
}

static int check_open(struct check *c, const char *bag, struct co_err *err)
{
	*c = (struct check){ .dir = -1, .bag = bag };
	c->buf = malloc(READ_BYTES);
	if (!c->buf)
		return no_memory(bag, err);
	c->dir = open(bag, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return c->dir < 0 ? co_err_set(err, CO_ERR_FAILED, errno, "open the bag %s", bag) : 0;
}

static void check_close(struct check *c)
{
	if (c->dir >= 0)
		close(c->dir);
	free(c->buf);
}

static bool folder_is_empty(const char *name)
{
	CO_CLEANUP_CLOSEDIR DIR *d = opendir(name);
	const struct dirent *e;
	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return false;
	return d != NULL;
}

int co_bag_create(const char *bag, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str name = { 0 };
	int made = mkdir(bag, 0700);
	if (made < 0 && errno != EEXIST)
		return co_err_set(err, CO_ERR_OUTPUT, errno, "create the folder %s", bag);
	if (made < 0 && !folder_is_empty(bag))
		return co_err_set(err, CO_ERR_OUTPUT, 0, "%s exists and is not an empty folder", bag);
	co_str_addf(&name, "%s/data", bag);
	int r = 0;
	if (name.failed)
		r = no_memory(bag, err);
	else if (mkdir(name.s, 0700) < 0)
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "create the folder %s", name.s);
	if (r < 0) {
		if (made == 0)
			rmdir(bag);
		return r;
	}
	if ((r = co_sync_folder(bag, err)) < 0)
		return r;
	co_str_clear(&name);
	co_str_addf(&name, "%s/..", bag);
	return name.failed ? no_memory(bag, err) : co_sync_folder(name.s, err);
}

/* One line of bag-info.txt, UTF-8 without control characters. */
static void add_field(struct co_str *s, const char *label, const char *value)
{
	size_t n = strlen(value);
	co_str_addf(s, "%s: ", label);
	for (size_t i = 0; i < n;) {
		size_t len = co_utf8_len(value + i, n - i, NULL);
		if (len == 0)
			co_str_addf(s, "\\x%02x", (uint8_t)value[i]);
		else if ((uint8_t)value[i] < 0x20 || value[i] == 0x7F)
			co_str_add(s, " ");
		else
			co_str_add_n(s, value + i, len);
		i += len ? len : 1;
	}
	co_str_add(s, "\n");
}

/* RFC 8493, 2.1.3: CR, LF and % are percent-encoded, and nothing else. */
static void add_line(struct co_str *s, const char *sha256, const char *path)
{
	co_str_addf(s, "%s  ", sha256);
	for (; *path; path++) {
		if (*path == '\r' || *path == '\n' || *path == '%')
			co_str_addf(s, "%%%02X", (unsigned)(uint8_t)*path);
		else
			co_str_add_n(s, path, 1);
	}
	co_str_add(s, "\n");
}

static int write_tag_file(const struct check *c, const char *name, const struct co_str *text, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str path = { 0 };
	co_str_addf(&path, "%s/%s", c->bag, name);
	if (path.failed || text->failed)
		return no_memory(c->bag, err);
	return co_sink_write_file(path.s, co_str_get(text), text->n, err);
}

/* The digest of a file that is being sealed: the caller's, or from its bytes. */
static int digest_for_seal(const struct check *c, const char *path, const struct co_bag_known *known, size_t n_known,
			   char ret_hex[65], struct co_err *err)
{
	for (size_t i = 0; i < n_known; i++) {
		if (strcmp(known[i].path, path) == 0) {
			memcpy(ret_hex, known[i].sha256, 65);
			return 0;
		}
	}
	struct co_err why = CO_ERR_INIT;
	int r = digest_within(c, path, ret_hex, &why);
	return r < 0 ? co_err_set(err, r, 0, "%s/%s %s", c->bag, path, why.msg) : 0;
}

static int write_manifest(const struct check *c, const char *name, const struct entries *files,
			  const struct co_bag_known *known, size_t n_known, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	for (size_t i = 0; i < files->list.n; i++) {
		char hex[65];
		int r = digest_for_seal(c, files->list.at[i].path, known, n_known, hex, err);
		if (r < 0)
			return r;
		add_line(&text, hex, files->list.at[i].path);
	}
	return write_tag_file(c, name, &text, err);
}

/* The files in the root of the bag, but for the tag manifest and what signs it. */
static int list_tag_files(const struct check *c, struct entries *ret, struct co_err *err)
{
	CO_CLEANUP_CLOSEDIR DIR *d = open_folder(c->dir, ".");
	if (!d)
		return co_err_set(err, CO_ERR_FAILED, errno, "open %s", c->bag);
	for (;;) {
		struct stat st;
		errno = 0;
		const struct dirent *e = readdir(d);
		if (!e && errno)
			return co_err_set(err, CO_ERR_FAILED, errno, "read %s", c->bag);
		if (!e)
			break;
		if (strncmp(e->d_name, TAG_MANIFEST, strlen(TAG_MANIFEST)) == 0)
			continue;
		if (fstatat(c->dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    entries_add(ret, strdup(e->d_name), (uint64_t)st.st_size) < 0)
			return no_memory(c->bag, err);
	}
	entries_sort(ret);
	return 0;
}

static int write_declaration_and_info(const struct check *c, const struct entries *payload,
				      const struct co_bag_field *fields, size_t n_fields, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	uint64_t octets = 0;
	co_str_add(&text, "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
	int r = write_tag_file(c, BAG_DECLARATION, &text, err);
	if (r < 0)
		return r;
	co_str_clear(&text);
	for (size_t i = 0; i < n_fields; i++)
		if (fields[i].value)
			add_field(&text, fields[i].label, fields[i].value);
	for (size_t i = 0; i < payload->list.n; i++)
		octets += payload->list.at[i].size;
	co_str_addf(&text, "Payload-Oxum: %" PRIu64 ".%zu\n", octets, payload->list.n);
	return write_tag_file(c, BAG_INFO, &text, err);
}

static int seal(struct check *c, const struct co_bag_field *fields, size_t n_fields, const struct co_bag_known *known,
		size_t n_known, struct co_err *err)
{
	CLEANUP_ENTRIES struct entries payload = { 0 };
	CLEANUP_ENTRIES struct entries tags = { 0 };
	int r = list_payload(c, &payload, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_known; i++)
		if (!entries_find(&payload, known[i].path))
			return co_err_set(err, CO_ERR_FAILED, 0, "%s/%s is gone", c->bag, known[i].path);
	if ((r = write_declaration_and_info(c, &payload, fields, n_fields, err)) < 0 ||
	    (r = write_manifest(c, MANIFEST, &payload, known, n_known, err)) < 0 ||
	    (r = list_tag_files(c, &tags, err)) < 0)
		return r;
	return write_manifest(c, TAG_MANIFEST, &tags, NULL, 0, err);
}

int co_bag_seal(const char *bag, const struct co_bag_field *fields, size_t n_fields, const struct co_bag_known *known,
		size_t n_known, struct co_err *err)
{
	struct check c;
	int r = check_open(&c, bag, err);
	if (r == 0)
		r = seal(&c, fields, n_fields, known, n_known, err);
	check_close(&c);
	return r;
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
static const char *parse_line(const char *line, size_t len, struct entries *ret)
{
	uint8_t digest[32];
	size_t at = 64;
	if (len > LINE_MAX_BYTES)
		return "has a line that is too long";
	if (memchr(line, '\0', len))
		return "has a line with a zero byte";
	if (len < 66 || co_unhex(line, 32, digest) < 0 || (line[64] != ' ' && line[64] != '\t'))
		return "has a line that is not a digest and a path";
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	char *path = strndup(line + at, len - at);
	if (entries_add(ret, path, 0) < 0)
		return "is too large for the memory";
	struct entry *entry = &ret->list.at[ret->list.n - 1];
	decode(entry->path);
	co_hex(digest, 32, entry->sha256);
	return NULL;
}

/* Reads a manifest; lines that make no sense are problems. 0, or 1: it can't be read, which was told. */
static int read_manifest(struct check *c, const char *name, struct entries *ret)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	struct co_err err = CO_ERR_INIT;
	if (read_tag_file(c, name, &text, &err) < 0) {
		problem(c, name, err.msg);
		return 1;
	}
	const char *line = co_str_get(&text), *end = line + text.n;
	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((stop ? stop : end) - line);
		size_t trimmed = len && line[len - 1] == '\r' ? len - 1 : len;
		const char *wrong = trimmed ? parse_line(line, trimmed, ret) : NULL;
		if (wrong)
			problem(c, name, wrong);
		line += len + 1;
	}
	entries_sort(ret);
	return 0;
}

/* Compares one file with what a manifest says. < 0: verification has to stop. */
static int verify_entry(struct check *c, const char *manifest, const struct entry *e, struct co_err *err)
{
	struct co_err why = CO_ERR_INIT;
	char hex[65];
	bool payload = strcmp(manifest, MANIFEST) == 0;
	const char *wrong = unsafe(e->path);
	if (!wrong && (strncmp(e->path, "data/", 5) == 0) != payload)
		wrong = payload ? "is listed as payload, but lies outside data/" : "is listed as tag file, but lies in data/";
	if (wrong) {
		problem(c, e->path, wrong);
		return 0;
	}
	int r = digest_within(c, e->path, hex, &why);
	if (r == CO_ERR_CANCELED || r == CO_ERR_NOMEM)
		return co_err_set(err, r, 0, "%s", why.msg);
	if (r < 0 && why.sys == ENOENT)
		problem(c, e->path, "is missing");
	else if (r < 0)
		problem(c, e->path, why.msg);
	else if (strcmp(hex, e->sha256) != 0)
		problem(c, e->path,
			payload ? "was changed: its SHA-256 is not the one in " MANIFEST
				: "was changed: its SHA-256 is not the one in " TAG_MANIFEST);
	return 0;
}

static int verify_manifest(struct check *c, const char *name, struct entries *listed, struct co_err *err)
{
	if (read_manifest(c, name, listed) > 0)
		return 0;
	for (size_t i = 0; i < listed->list.n; i++) {
		const struct entry *e = &listed->list.at[i];
		if (i && strcmp(e->path, e[-1].path) == 0)
			problem(c, e->path, "is listed twice");
		int r = verify_entry(c, name, e, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Without these in it, the tag manifest would prove nothing. */
static void verify_tags_listed(struct check *c, const struct entries *listed)
{
	static const char *const names[] = { BAG_DECLARATION, BAG_INFO, MANIFEST };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!entries_find(listed, names[i]) && faccessat(c->dir, names[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			problem(c, names[i], "is not listed in " TAG_MANIFEST);
}

/* "Payload-Oxum: octets.files" of bag-info.txt, if it is there. */
static void verify_oxum(struct check *c, uint64_t octets, size_t files)
{
	static const char label[] = "Payload-Oxum:";
	CO_CLEANUP_STR struct co_str text = { 0 };
	char expected[64];
	if (read_tag_file(c, BAG_INFO, &text, NULL) < 0)
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
		problem(c, BAG_INFO, "states another number of bytes or files than there are in data/");
}

static int verify_payload(struct check *c, const struct entries *listed, struct co_err *err)
{
	CLEANUP_ENTRIES struct entries there = { 0 };
	uint64_t octets = 0;
	int r = list_payload(c, &there, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < there.list.n; i++) {
		octets += there.list.at[i].size;
		if (!entries_find(listed, there.list.at[i].path))
			problem(c, there.list.at[i].path, "is not listed in " MANIFEST);
	}
	verify_oxum(c, octets, there.list.n);
	return 0;
}

/* RFC 8493, 2.1.1: two lines. */
static int verify_declaration(const struct check *c, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str text = { 0 };
	struct co_err why = CO_ERR_INIT;
	int major, minor;
	if (read_tag_file(c, BAG_DECLARATION, &text, &why) < 0)
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s is not an evidence bag: %s %s", c->bag, BAG_DECLARATION,
				  why.msg);
	if (sscanf(co_str_get(&text), "BagIt-Version: %3d.%3d", &major, &minor) != 2 ||
	    !strstr(co_str_get(&text), "\nTag-File-Character-Encoding: UTF-8"))
		return co_err_set(err, CO_ERR_FORMAT, 0, "%s is not an evidence bag: %s does not declare one in UTF-8",
				  c->bag, BAG_DECLARATION);
	return 0;
}

static int verify(struct check *c, struct co_err *err)
{
	CLEANUP_ENTRIES struct entries tags = { 0 };
	CLEANUP_ENTRIES struct entries payload = { 0 };
	int r = verify_declaration(c, err);
	if (r < 0 || (r = verify_manifest(c, TAG_MANIFEST, &tags, err)) < 0)
		return r;
	verify_tags_listed(c, &tags);
	if ((r = verify_manifest(c, MANIFEST, &payload, err)) < 0 || (r = verify_payload(c, &payload, err)) < 0)
		return r;
	return c->problems ? 1 : 0;
}

int co_bag_verify(const char *bag, co_bag_problem_fn *problem_fn, void *arg, void (*done)(void *arg, uint64_t bytes),
		  struct co_err *err)
{
	struct check c;
	int r = check_open(&c, bag, err);
	c.problem = problem_fn;
	c.arg = arg;
	c.done = done;
	if (r == 0)
		r = verify(&c, err);
	check_close(&c);
	return r;
}
