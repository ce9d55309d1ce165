/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: a case made by hand, with the content of its files in memory. */
#ifndef UNIT_CASE_BUILDER_H
#define UNIT_CASE_BUILDER_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check/check.h"
#include "hash/digest.h"

#define DAY_ZERO INT64_C(1788230400) /* 2026-09-01T02:40:00Z, when "now" begins in these tests */
#define AT(seconds) ((DAY_ZERO + (seconds)) * CO_NS_PER_S)
#define INSTALLED AT(-2678400)
#define BUILDER_MAX 512

struct builder {
	struct an_case c;
	struct {
		char *path, *content;
		size_t len;
	} content[BUILDER_MAX];
	size_t n;
	uint64_t next_inode;
};

static inline void builder_make(struct builder *b)
{
	memset(b, 0, sizeof *b);
	struct an_case_evidence e = { .size = 1 << 20, .sector_size = 512 };
	struct an_case_volume v = { .length = 1 << 20, .mount_known = true };
	char **const texts[] = {
		&e.name,     &e.kind,        &e.md5,   &e.sha1,     &e.sha256, &e.case_number, &e.evidence_number,
		&e.examiner, &e.description, &e.notes, &e.acquired, &v.table,  &v.description, &v.label,
		&v.uuid
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = strdup(i == 0 ? "disk.raw" : "");
	v.fs = strdup("ext4");
	v.mount = strdup("/");
	ck_assert_int_eq(co_vec_push(&b->c.evidence, e), 0);
	ck_assert_int_eq(co_vec_push(&b->c.volumes, v), 0);
	b->next_inode = 100;
}

static inline void builder_free(struct builder *b)
{
	an_case_free(&b->c);
	for (size_t i = 0; i < b->n; i++) {
		free(b->content[i].path);
		free(b->content[i].content);
	}
}

static inline struct an_file builder_row(struct builder *b, const char *path, uint8_t type)
{
	struct an_file f = {
		.path = path, .inode = b->next_inode++, .type = type, .name_type = type, .nlink = 1, .mode = 0644
	};
	f.flags = AN_NAME_ALLOCATED | AN_META_KNOWN | AN_META_ALLOCATED;
	for (int i = 0; i < AN_TIME_N; i++)
		f.time[i] = i == AN_DTIME ? CO_TIME_NONE : INSTALLED;
	return f;
}

static inline void builder_push(struct builder *b, const struct an_file *f)
{
	struct co_err err = CO_ERR_INIT;
	ck_assert_int_eq(an_files_add(&b->c.files, f, &err), 0);
}

/* What the content pass would say of these bytes. */
static inline void builder_digest(struct an_file *f, const void *bytes, size_t len)
{
	struct co_err err = CO_ERR_INIT;
	struct co_digests d;
	ck_assert_int_eq(co_digest_bytes(CO_HASH_BIT(CO_HASH_MD5) | CO_HASH_BIT(CO_HASH_SHA256), bytes, len, &d, &err),
			 0);
	memcpy(f->md5, d.of[CO_HASH_MD5].bytes, 16);
	memcpy(f->sha256, d.of[CO_HASH_SHA256].bytes, 32);
	f->flags |= AN_HAS_DIGESTS | AN_CONTENT_SEEN;
	f->content = memmem(bytes, len, "<?php", 5) || memmem(bytes, len, "<?=", 3) ? AN_CONTENT_PHP : 0;
	f->content |= len > 3 && memcmp(bytes, "\177ELF", 4) == 0 ? AN_CONTENT_ELF : 0;
	f->content |= len > 1 && memcmp(bytes, "#!", 2) == 0 ? AN_CONTENT_SHEBANG : 0;
	f->size = len;
}

static inline void builder_content(struct builder *b, const char *path, const void *bytes, size_t len)
{
	ck_assert_uint_lt(b->n, BUILDER_MAX);
	b->content[b->n].path = strdup(path);
	b->content[b->n].content = malloc(len + 1);
	memcpy(b->content[b->n].content, bytes, len);
	b->content[b->n].content[len] = '\0';
	b->content[b->n++].len = len;
}

/* A regular file; the row can be changed before the checks run. */
static inline struct an_file *builder_file(struct builder *b, const char *path, const char *content)
{
	struct an_file f = builder_row(b, path, AN_TYPE_REGULAR);
	builder_digest(&f, content, strlen(content));
	builder_content(b, path, content, strlen(content));
	builder_push(b, &f);
	return &b->c.files.rows.at[b->c.files.rows.n - 1];
}

static inline struct an_file *builder_folder(struct builder *b, const char *path)
{
	struct an_file f = builder_row(b, path, AN_TYPE_FOLDER);
	f.time[AN_CTIME] = f.time[AN_MTIME] = AT(86400);
	builder_push(b, &f);
	return &b->c.files.rows.at[b->c.files.rows.n - 1];
}

static inline void builder_link(struct builder *b, const char *path, const char *target)
{
	struct an_file f = builder_row(b, path, AN_TYPE_LINK);
	f.link = target;
	builder_push(b, &f);
}

/* Born, changed and its metadata changed at three times. */
static inline void builder_times(struct an_file *f, int64_t crtime, int64_t mtime, int64_t ctime)
{
	f->time[AN_CRTIME] = crtime;
	f->time[AN_MTIME] = mtime;
	f->time[AN_CTIME] = ctime;
	f->time[AN_ATIME] = mtime;
}

/* A context whose load() serves the contents of one builder. */
struct builder_context {
	struct an_check_context x; /* first: load() gets back to the whole from here */
	struct builder *b;
};

static inline int builder_load(struct an_check_context *x, const struct an_file *f, size_t max, char **ret_bytes,
			       size_t *ret_len, struct co_err *err)
{
	struct builder *b = ((struct builder_context *)(void *)x)->b;
	for (size_t i = 0; i < b->n; i++) {
		if (strcmp(b->content[i].path, f->path) != 0)
			continue;
		size_t n = b->content[i].len < max ? b->content[i].len : max;
		char *copy = malloc(n + 1);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, b->content[i].content, n);
		copy[n] = '\0';
		*ret_bytes = copy;
		*ret_len = n;
		return 0;
	}
	co_err_set(err, CO_ERR_FAILED, 0, "no content");
	return 1;
}

/* Runs every check over it. */
static inline void builder_run(struct builder *b)
{
	struct builder_context context = { .x = { .c = &b->c, .load = builder_load }, .b = b };
	struct co_err err = CO_ERR_INIT;
	int r = an_check_run_all(&context.x, &err);
	ck_assert_msg(r == 0, "%s", err.msg);
}

static inline const struct an_finding *builder_finding(const struct builder *b, const char *path)
{
	for (size_t i = 0; i < b->c.findings.list.n; i++)
		if (strcmp(b->c.findings.list.at[i].path, path) == 0)
			return &b->c.findings.list.at[i];
	return NULL;
}

static inline const struct an_reason *builder_reason(const struct builder *b, const char *path, const char *rule)
{
	const struct an_finding *f = builder_finding(b, path);
	for (size_t i = 0; f && i < f->reasons.n; i++)
		if (strcmp(f->reasons.at[i].rule->id, rule) == 0)
			return &f->reasons.at[i];
	return NULL;
}

#endif
