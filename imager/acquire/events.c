/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hash/digest.h"
#include "io/sink.h"
#include "manifest/json.h"

struct im_events {
	int fd;
	char *name, *part;
	struct im_events_head head;
	struct co_err failure; /* the first one */
};

static int open_part(struct im_events **ret, const char *file, int flags, struct co_err *err)
{
	struct im_events *e = calloc(1, sizeof *e);

	if (!e)
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the log of events");
	memset(e->head.sha256, '0', 64);
	e->fd = -1;
	e->name = strdup(file);
	if (!e->name || asprintf(&e->part, "%s.part", file) < 0) {
		e->part = NULL;
		im_events_abort(e);
		return co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the log of events");
	}
	e->fd = open(e->part, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | flags, 0644);
	if (e->fd < 0) {
		int r = co_err_set(err, CO_ERR_OUTPUT, errno, "create %s", e->part);

		im_events_abort(e);
		return r;
	}
	*ret = e;
	return 0;
}

int im_events_open(struct im_events **ret, const char *file, struct co_err *err)
{
	return open_part(ret, file, O_TRUNC, err);
}

/* Is it the next line of the chain? @line is without its newline. */
static bool is_next(const struct im_events *e, const char *line, size_t len)
{
	char prev[sizeof "\"prev\":\"" + 64 + sizeof "\"}"];
	int n = snprintf(prev, sizeof prev, "\"prev\":\"%s\"}", e->head.sha256);

	return n > 0 && len > (size_t)n && memcmp(line + len - (size_t)n, prev, (size_t)n) == 0;
}

static int count_line(struct im_events *e, const char *line, size_t len, struct co_err *err)
{
	struct co_digests digests;
	int r = co_digest_bytes(CO_HASH_BIT(CO_HASH_SHA256), line, len, &digests, err);

	if (r < 0)
		return r;
	co_digests_hex(&digests, CO_HASH_SHA256, e->head.sha256);
	e->head.count++;
	return 0;
}

/* Follows the chain to its last whole line. *ret: bytes up to there. */
static int follow(struct im_events *e, off_t *ret, struct co_err *err)
{
	CO_CLEANUP_FCLOSE FILE *f = fopen(e->part, "re");
	CO_CLEANUP_FREE char *line = NULL;
	size_t cap = 0;
	off_t whole = 0;
	int r = f ? 0 : co_err_set(err, CO_ERR_OUTPUT, errno, "open %s", e->part);

	while (r == 0) {
		ssize_t n = getline(&line, &cap, f);

		if (n <= 0 || line[n - 1] != '\n' || !is_next(e, line, (size_t)n - 1))
			break;
		r = count_line(e, line, (size_t)n - 1, err);
		whole += n;
	}
	*ret = whole;
	return r;
}

int im_events_resume(struct im_events **ret, const char *file, uint64_t *ret_cut, struct co_err *err)
{
	struct im_events *e;
	struct stat st = { 0 };
	off_t whole = 0;
	int r = open_part(&e, file, 0, err);

	if (r < 0)
		return r;
	/* A session that ended by itself has named it. */
	if (fstat(e->fd, &st) == 0 && st.st_size == 0 && rename(e->name, e->part) == 0) {
		close(e->fd);
		e->fd = open(e->part, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	}
	if (e->fd < 0 || fstat(e->fd, &st) < 0)
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "open %s", e->part);
	if (r == 0)
		r = follow(e, &whole, err);
	if (r == 0 && ftruncate(e->fd, whole) < 0)
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "truncate %s", e->part);
	if (r < 0) {
		im_events_abort(e);
		return r;
	}
	*ret_cut = (uint64_t)(st.st_size - whole);
	*ret = e;
	return 0;
}

static int line_of(const struct im_events *e, const char *event, const char *text, struct co_str *ret,
		   struct co_err *err)
{
	struct co_json j;

	co_json_to_str(&j, ret, false);
	co_json_object(&j, NULL);
	co_json_uint(&j, "seq", e->head.count);
	co_json_time(&j, "time", co_clock_now());
	co_json_str(&j, "event", event);
	co_json_str(&j, "text", text);
	co_json_str(&j, "prev", e->head.sha256);
	co_json_end_object(&j);
	return co_json_end(&j, err);
}

static int write_line(struct im_events *e, const struct co_str *line, struct co_err *err)
{
	ssize_t n;

	do
		n = write(e->fd, line->s, line->n);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)line->n)
		return 0;
	return co_err_set(err, CO_ERR_OUTPUT, n < 0 ? errno : ENOSPC, "write %s", e->part);
}

static int add(struct im_events *e, const char *event, const char *text, struct co_err *err)
{
	CO_CLEANUP_STR struct co_str line = { 0 };
	int r = line_of(e, event, text, &line, err);

	if (r == 0)
		co_str_add(&line, "\n");
	if (r == 0 && line.failed)
		r = co_err_set(err, CO_ERR_NOMEM, 0, "no memory for the log of events");
	if (r == 0)
		r = write_line(e, &line, err);
	return r < 0 ? r : count_line(e, co_str_get(&line), line.n - 1, err);
}

void im_events_add(struct im_events *e, const char *event, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!e || e->failure.code)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	add(e, event, text, &e->failure);
}

int im_events_commit(struct im_events *e, struct im_events_head *ret, struct co_err *err)
{
	struct im_events_head head = e->head;
	int fd = e->fd, r = e->failure.code;

	e->fd = -1;
	if (r < 0 && err)
		*err = e->failure;
	if (r == 0 && fsync(fd) < 0)
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "sync %s", e->part);
	if (close(fd) < 0 && r == 0)
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "close %s", e->part);
	if (r == 0 && rename(e->part, e->name) < 0)
		r = co_err_set(err, CO_ERR_OUTPUT, errno, "rename %s to %s", e->part, e->name);
	if (r == 0)
		r = co_sync_folder_of(e->name, err);
	im_events_abort(e);
	if (r == 0)
		*ret = head;
	return r;
}

void im_events_abort(struct im_events *e)
{
	if (!e)
		return;
	if (e->fd >= 0)
		close(e->fd);
	free(e->name);
	free(e->part);
	free(e);
}
